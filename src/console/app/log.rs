//! The log pane: every notice of this session, to be read again, narrowed and copied. Owns where the operator is in
//! it; the notices themselves are [`super::notices`]'.

use crossterm::event::KeyEvent;

use super::App;
use super::commands::Do;
use super::form::Text;
use super::help::CopyMenu;
use super::layers::Next;
use super::list::Cursor;
use super::notices::{Level, Notice};
use super::{Layer, layout};
use crate::console::keymap::Chord;
use crate::console::text;

#[derive(Debug, Default)]
pub struct Log {
    pub filter: Text,
    /// The filter is being typed.
    pub typing: bool,
    /// Warnings and errors alone.
    pub only_problems: bool,
    pub cursor: Cursor,
}

impl Log {
    /// `/` begins the filter, as in help; while it is written, text belongs to it. `true`: used up.
    pub(super) fn key(&mut self, key: &KeyEvent) -> bool {
        let slash = Chord::of(*key).and_then(Chord::text) == Some('/');
        if !self.typing {
            self.typing = slash;
            if slash {
                self.filter.choose();
            }
            return slash;
        }
        let used = self.filter.key(key);
        if used {
            self.cursor = Cursor::default();
        }
        used
    }

    /// The notices listed, as places in the queue, oldest first.
    pub fn listed(&self, app: &App) -> Vec<usize> {
        let words = self.filter.text().to_lowercase();
        let fits = |notice: &Notice| {
            let said = format!("{} {} {}", notice.level.word(), notice.voice.word(), notice.text).to_lowercase();
            words.split_whitespace().all(|word| said.contains(word))
        };
        let all = app.notices.all.iter().enumerate();
        all.filter(|(_, notice)| !(self.only_problems && notice.level == Level::Info) && fits(notice))
            .map(|(at, _)| at)
            .collect()
    }
}

impl App {
    pub(super) fn open_log(&mut self) {
        self.notices.dismiss();
        let mut log = Log::default();
        log.cursor.at = self.notices.all.len().saturating_sub(1);
        self.layers.push(Layer::Log(log));
    }

    pub(super) fn in_log(&mut self, log: &mut Log, verb: Do) -> Next {
        let listed = log.listed(self);
        let page = layout::inside(layout::strips(self.area).body);
        match verb {
            Do::Accept | Do::Open | Do::Cancel | Do::Back if log.typing => {
                log.typing = false;
                if matches!(verb, Do::Cancel | Do::Back) {
                    log.filter = Text::default();
                }
            }
            Do::Cancel | Do::Back if !log.filter.is_empty() => log.filter = Text::default(),
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::OnlyProblems => log.only_problems = !log.only_problems,
            Do::Copy | Do::Accept | Do::Open => {
                let line = |at: usize| self.notices.all.get(at).map(|notice| self.log_line(notice));
                let mut items: Vec<(&'static str, String)> = Vec::new();
                items.extend(listed.get(log.cursor.at).and_then(|at| line(*at)).map(|line| ("line", line)));
                items.push(("lines listed", listed.iter().filter_map(|at| line(*at)).collect::<Vec<_>>().join("\n")));
                items.push(("path of the log file", self.place.log.clone()));
                return Next::Above(Box::new(Layer::Copy(CopyMenu { items, cursor: Cursor::default() })));
            }
            Do::NextField => return self.in_log(log, Do::Down),
            Do::PreviousField => return self.in_log(log, Do::Up),
            verb => drop(log.cursor.go(verb, listed.len(), page)),
        }
        let len = log.listed(self).len();
        log.cursor.put(log.cursor.at, len, page);
        Next::Stay
    }

    /// A notice on one line, as it is copied.
    pub(super) fn log_line(&self, notice: &Notice) -> String {
        let times = if notice.times > 1 { format!(" ({} times)", notice.times) } else { String::new() };
        format!("{} {} {}{times}: {}", notice.at, notice.level.word(), notice.voice.word(), text::plain(&notice.text))
    }
}
