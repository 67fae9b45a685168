//! What can be done with a text wherever one is shown: the tail of a job, the preview of a script, the output of a
//! command. Search, only matching lines, error lines, and handing it to the operator's own programs. Decides which
//! text is meant; how one is searched stands in `find` (at the engine) and `pages` (at hand).

use super::commands::Do;
use super::event::{Effect, Feed, Whose};
use super::find::Find;
use super::pages::{Pages, Search, shown_from};
use super::prompt::{Prompt, Purpose};
use super::{App, Layer, LivePane, Pane, View, grid, layout};
use crate::console::text;
use crate::model::output::{Line, Place};
use crate::model::search::Pattern;

/// Which text the operator reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Tail,
    Preview,
    Pages,
    None,
}

/// How it was before a search was begun: esc leads back there.
#[derive(Debug)]
pub enum Before {
    Tail(Option<Place>, Box<Option<Find>>),
    At(usize, Option<Search>),
}

impl App {
    fn text_here(&self) -> Text {
        match (self.layers.last(), self.view) {
            (Some(Layer::Pages(_)), _) => Text::Pages,
            (_, View::Live) => Text::Tail,
            (_, View::Overview) if self.overview.subject == Pane::Scripts && self.source.is_some() => Text::Preview,
            _ => Text::None,
        }
    }

    /// `true`: the verb was one of these.
    pub(super) fn read(&mut self, verb: Do, effects: &mut Vec<Effect>) -> bool {
        match verb {
            // a list has matches of its own
            Do::NextMatch | Do::PreviousMatch if self.list_here().is_some() => return false,
            Do::ViewAs => self.open_reader(effects),
            Do::SearchText => {
                if let Some(Layer::Pages(pages)) = self.layers.last_mut() {
                    pages.read_on(verb, 1);
                }
                self.open_search();
            }
            Do::NextMatch => self.step_match(false),
            Do::PreviousMatch => self.step_match(true),
            Do::NextError => self.step_error(false),
            Do::PreviousError => self.step_error(true),
            Do::OnlyMatching => self.open_only_matching(),
            Do::Pipe => self.open_on_text(Purpose::Pipe, ""),
            Do::Save => {
                let name = self.file_name();
                self.open_on_text(Purpose::Save, &name);
            }
            Do::Pager => {
                if let Some(feed) = self.feed() {
                    effects.push(Effect::Pager(feed));
                }
            }
            Do::GoDevice if self.view == View::Live => self.open_prompt(Purpose::Device, ""),
            _ => return false,
        }
        true
    }

    /// A text takes the keys: no dialog is above it.
    pub(super) fn reads(&self) -> bool {
        matches!(self.layers.last(), None | Some(Layer::Pages(_)))
    }

    /// The next thing that the grid's cells can be grouped by.
    pub(super) fn next_grid(&mut self) {
        let job = self.held.as_ref().and_then(|held| held.job.as_ref());
        let (Some(live), Some(job)) = (&mut self.live, job) else { return };
        let choices = grid::choices(job, &self.tree);
        let at = choices.iter().position(|by| *by == live.grid_by).map_or(0, |at| at + 1) % choices.len();
        let after = choices[(at + 1) % choices.len()].word();
        self.hint =
            Some(format!("the grid is by {}; again: by {}", text::plain(choices[at].word()), text::plain(after)));
        live.group_by(choices[at].clone());
    }

    fn open_on_text(&mut self, purpose: Purpose, text: &str) {
        if self.feed().is_some() {
            self.open_prompt(purpose, text);
        }
    }

    /// All of the text that is meant: a run's output or that of all, these streams, only what matches.
    pub(super) fn feed(&mut self) -> Option<Feed> {
        let feed = match self.text_here() {
            Text::Pages => match self.layers.last() {
                Some(Layer::Pages(pages)) => Some(pages.feed()),
                _ => None,
            },
            Text::Tail => self.live.as_ref().map(|live| {
                let (job, which) = (live.id, live.tail.which);
                let pattern = live.tail.filter.as_ref().map(|filter| filter.pattern.clone());
                match self.runs_to_read() {
                    Some(runs) => Feed::Outputs { job, runs, which, pattern },
                    None => Feed::Output { job, run: live.tail.run, which, pattern },
                }
            }),
            Text::Preview => self.source.as_ref().map(|source| Feed::Text(source.lines.join("\n") + "\n")),
            Text::None => None,
        };
        if feed.is_none() {
            self.hint = Some("no text here: a script's source and a job's output are".into());
        }
        feed
    }

    /// What a file of it would be called.
    fn file_name(&self) -> String {
        let safe = |name: &str| -> String {
            name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
        };
        match (self.text_here(), &self.live) {
            (Text::Tail, Some(live)) => {
                let name = live.tail.run.and_then(|run| self.held.as_ref()?.run(run)).map(|run| safe(&run.name));
                let name = self.runs_to_read().map(|runs| format!("{}-devices", runs.len())).or(name);
                format!("job-{}{}.log", live.id, name.map_or_else(String::new, |name| format!("-{name}")))
            }
            (Text::Preview, _) => self.source.as_ref().map_or_else(String::new, |source| safe(&source.name)),
            _ => "output.txt".to_owned(),
        }
    }

    // -- search ----------------------------------------------------------------------------------------

    fn open_search(&mut self) {
        if self.text_here() == Text::None {
            self.hint = Some("no text to search here".into());
            return;
        }
        if self.text_here() == Text::Preview {
            self.overview.focus(Pane::Preview);
        }
        let before = match self.text_here() {
            Text::Tail => self.live.as_mut().map(|live| {
                live.focus = LivePane::Tail;
                Before::Tail(live.tail.place(), Box::new(live.tail.find.take()))
            }),
            _ => self.local().map(|(top, search, ..)| Before::At(*top, search.take())),
        };
        self.before_search = before;
        self.open_prompt(Purpose::Search, "");
    }

    /// Scroll position, search, lines and rows of the text that is at hand.
    fn local(&mut self) -> Option<(&mut usize, &mut Option<Search>, &[String], usize)> {
        let body = layout::strips(self.area).body;
        match self.text_here() {
            Text::Pages => match self.layers.last_mut() {
                Some(Layer::Pages(pages)) => {
                    let height = pages.height(layout::inside(body));
                    Some((&mut pages.top, &mut pages.search, &pages.lines, height))
                }
                _ => None,
            },
            Text::Preview => {
                let panes = layout::overview(self.area, self.overview.focus, self.overview.full, self.overview.sizes);
                let height = panes.preview.map_or(1, layout::inside);
                let source = self.source.as_ref()?;
                Some((&mut self.overview.preview, &mut self.overview.search, &source.lines, height))
            }
            Text::Tail | Text::None => None,
        }
    }

    /// The line of a search has changed: from where the operator was, to the first match.
    pub(super) fn search_edited(&mut self, prompt: &mut Prompt) {
        let pattern = Pattern::typed(prompt.text.text());
        prompt.problem = None;
        prompt.aside = "re: for a regular expression".into();
        match &self.before_search {
            Some(Before::Tail(place, _)) => {
                let (place, Some(live)) = (*place, &mut self.live) else { return };
                live.tail.restore(place);
                live.tail.find = pattern.map(|pattern| {
                    let mut find = Find::new(pattern, Whose::Search);
                    find.from(place.or_else(|| live.tail.shown().first().map(Line::place)));
                    find
                });
                prompt.problem = live.tail.find.as_ref().and_then(|find| find.problem.clone()).map(|why| (None, why));
            }
            Some(Before::At(from, _)) => {
                let from = *from;
                if let Some((top, search, lines, height)) = self.local() {
                    *search = pattern.map(|pattern| Search::new(pattern, lines, from));
                    *top = match search.as_ref().and_then(Search::line) {
                        Some(line) => shown_from(from, line, height),
                        None => from,
                    };
                    if let Some(search) = search {
                        prompt.problem = search.problem.clone().map(|why| (None, why));
                        prompt.aside = search.count();
                    }
                }
            }
            None => {}
        }
    }

    pub(super) fn search_accepted(&mut self) {
        let none = match self.before_search.take() {
            // an empty line goes on with what was looked for before
            Some(Before::Tail(_, find)) => self.live.as_mut().is_some_and(|live| {
                let empty = live.tail.find.is_none();
                if empty {
                    live.tail.find = *find;
                }
                empty
            }),
            Some(Before::At(_, old)) => self.local().is_some_and(|(_, search, ..)| {
                let empty = search.is_none();
                if empty {
                    *search = old;
                }
                empty
            }),
            None => false,
        };
        self.follow_hit();
        if none {
            self.step_match(false);
        }
    }

    pub(super) fn search_cancelled(&mut self) {
        match self.before_search.take() {
            Some(Before::Tail(place, find)) => {
                if let Some(live) = &mut self.live {
                    live.tail.restore(place);
                    live.tail.find = *find;
                }
            }
            Some(Before::At(at, old)) => {
                if let Some((top, search, ..)) = self.local() {
                    (*top, *search) = (at, old);
                }
            }
            None => {}
        }
    }

    fn step_match(&mut self, back: bool) {
        let none = format!("nothing is searched for: {} begins a search", self.key_of("text", "search"));
        if self.text_here() == Text::Tail {
            let Some(live) = &mut self.live else { return };
            let here = live.tail.shown().first().map(Line::place);
            match &mut live.tail.find {
                Some(find) => find.step(back, here),
                None => self.hint = Some(none),
            }
            return;
        }
        let hint = match self.local() {
            Some((top, Some(search), _, height)) => {
                search.step(back);
                if let Some(line) = search.line() {
                    *top = shown_from(*top, line, height);
                }
                search.count()
            }
            _ => none,
        };
        self.hint = Some(hint);
        self.follow_hit();
    }

    /// What a search led to has the cursor, where there is one.
    fn follow_hit(&mut self) {
        let height = layout::inside(layout::strips(self.area).body);
        if let Some(Layer::Pages(pages)) = self.layers.iter_mut().rev().find(|layer| matches!(layer, Layer::Pages(_))) {
            pages.follow_hit(height);
        }
    }

    fn step_error(&mut self, back: bool) {
        let Some(live) = &mut self.live else { return };
        let tail = &mut live.tail;
        let from = if back { tail.shown().last() } else { tail.shown().first() };
        let here = from.map(Line::place);
        tail.errors.get_or_insert_with(|| Find::new(Pattern::errors(), Whose::Errors)).step(back, here);
    }

    // -- only matching lines -----------------------------------------------------------------------------

    fn open_only_matching(&mut self) {
        let Some(live) = self.live.as_ref().filter(|_| self.text_here() == Text::Tail) else {
            self.hint = Some("only the output of a job can be cut down to what matches".into());
            return;
        };
        let tail = &live.tail;
        let pattern =
            tail.filter.as_ref().map(|filter| &filter.pattern).or(tail.find.as_ref().map(|find| &find.pattern));
        let text = pattern.map(Pattern::spelled).unwrap_or_default();
        self.open_prompt(Purpose::Lines, &text);
    }

    pub(super) fn lines_edited(&self, prompt: &mut Prompt) {
        let problem = Pattern::typed(prompt.text.text()).and_then(|pattern| pattern.compile().err());
        prompt.problem = problem.map(|why| (None, why));
        prompt.aside = "only lines with this; nothing: all lines; re: for a regular expression".into();
    }

    /// `false`: the line is no pattern, and stays to be mended.
    pub(super) fn lines_accepted(&mut self, line: &str) -> bool {
        let pattern = Pattern::typed(line);
        if pattern.as_ref().is_some_and(|pattern| pattern.compile().is_err()) {
            return false;
        }
        if let Some(live) = &mut self.live {
            live.tail.set_filter(pattern);
            live.focus = LivePane::Tail;
        }
        true
    }

    /// One level back in the tail: all lines again, then no marks. `false`: there was nothing to leave.
    pub(super) fn leave_reading(&mut self) -> bool {
        let Some(live) = &mut self.live else { return false };
        let tail = &mut live.tail;
        if tail.filter.is_some() {
            tail.set_filter(None);
            return true;
        }
        tail.find.take().is_some() | tail.errors.take().is_some()
    }

    // -- the operator's own programs -----------------------------------------------------------------------

    pub(super) fn pipe_accepted(&mut self, line: &str, effects: &mut Vec<Effect>) {
        let command = line.trim().to_owned();
        if command.is_empty() {
            return;
        }
        let Some(feed) = self.feed() else { return };
        self.pipes += 1;
        effects.push(Effect::Pipe { serial: self.pipes, command: command.clone(), feed });
        self.layers.push(Layer::Pages(Box::new(Pages::new(self.pipes, &command))));
    }

    pub(super) fn piped(&mut self, serial: u64, piece: &str, ended: Option<String>) {
        let pages = self.layers.iter_mut().find_map(|layer| match layer {
            Layer::Pages(pages) if pages.serial == serial => Some(pages),
            _ => None,
        });
        if let Some(pages) = pages {
            pages.push(piece);
            if let Some(how) = ended {
                pages.end(how);
            }
        }
    }

    pub(super) fn in_pages(&mut self, pages: &mut Pages, verb: Do, effects: &mut Vec<Effect>) -> bool {
        let height = pages.height(layout::inside(layout::strips(self.area).body));
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => {
                if pages.ended.is_none() && !pages.reads {
                    effects.push(Effect::StopPipe(pages.serial));
                }
                return false;
            }
            Do::Copy => {
                let Feed::Text(text) = pages.feed() else { return true };
                self.copy("output of the command", text, effects);
            }
            verb => drop(pages.read_on(verb, height) || pages.go(verb, height)),
        }
        true
    }

    pub(super) fn save_accepted(&mut self, line: &str, effects: &mut Vec<Effect>) {
        let path = line.trim().to_owned();
        if let (false, Some(feed)) = (path.is_empty(), self.feed()) {
            effects.push(Effect::Save { path, feed });
        }
    }

    // -- devices by name -----------------------------------------------------------------------------------

    /// To the first listed device whose name has what is written.
    pub(super) fn device_edited(&mut self, prompt: &mut Prompt) {
        let wanted = prompt.text.text().to_lowercase();
        let (Some(live), Some(job)) = (&mut self.live, self.held.as_ref().and_then(|held| held.job.as_ref())) else {
            return;
        };
        let name = |at: u32| job.runs.get(at as usize).map_or_else(String::new, |run| run.name.to_lowercase());
        let fits: Vec<u32> = live.order.iter().copied().filter(|at| name(*at).contains(&wanted)).collect();
        prompt.aside = match fits.len() {
            0 => "no device is called like this".into(),
            n => text::number(n as u64, "device"),
        };
        let first = fits.iter().find(|at| name(**at).starts_with(&wanted)).or(fits.first());
        if let (false, Some(run)) = (wanted.is_empty(), first) {
            live.choose(*run);
            live.stale();
        }
    }
}
