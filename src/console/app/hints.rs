//! The hints row: which commands it names and by which word. Computed from the command table and the operator's own
//! keys; a layer that uses the general keys for something of its own says so here.

use super::commands::{self, Command, Do, TABLE};
use super::editor::Bar;
use super::list::ListId;
use super::marks::marking;
use super::{App, Layer, View, help};

/// One hint: `K stop..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub key: String,
    pub word: String,
    pub fleet: bool,
}

/// Always at hand, at the end of the row: everything else is one of these away.
const ALWAYS: [&str; 3] = ["actions", "command-line", "help"];

impl App {
    /// The key of a command, for texts; one that has none is called by its name on the command line.
    pub fn key_of(&self, context: &str, name: &str) -> String {
        let command = commands::find(&[context, "list", "global"], name);
        let keys = |command| {
            let here = self.keys_below(command);
            // In a dialog another command may have the key; for the place below it is still the one.
            if here.is_empty() { help::bound(&self.keymap, command) } else { here }
        };
        let key = command.and_then(|command| keys(command).into_iter().next());
        key.unwrap_or_else(|| format!(":{name}"))
    }

    /// What this place offers, the most useful first; and what is always there.
    pub fn hints(&self) -> (Vec<Hint>, Vec<Hint>) {
        let bar = || self.editing.open.as_ref().filter(|_| self.view == View::Editor)?.bar.as_ref().map(in_bar);
        if let Some(words) = self.layers.last().map_or_else(bar, own) {
            let contexts = self.contexts();
            let command = |name: &str| commands::find(contexts, name);
            let front =
                words.iter().filter_map(|(name, word)| self.hint_of(command(name)?, word, self.layers.is_empty()));
            return (front.collect(), Vec::new());
        }
        let mut front: Vec<&Command> = Vec::new();
        for context in self.contexts() {
            for command in TABLE.iter().filter(|command| command.context == *context && !command.hint.is_empty()) {
                if !front.iter().any(|other| other.name == command.name) {
                    front.push(command);
                }
            }
        }
        let editor = self.layers.is_empty() && self.view == View::Editor;
        let dialog = !self.layers.is_empty();
        if editor {
            // Letters are text there, as in a dialog; the menu is on its function key too.
            front.retain(|command| command.context != "global" || matches!(command.name, "help" | "actions"));
        } else if dialog {
            // What is typed there is text, and what it lists has no marks, no order and no filter but that text.
            front.retain(|command| !matches!(command.context, "global" | "list") || command.name == "help");
        } else if matches!(self.view, View::Past | View::Changes) {
            // There is one pane.
            front.retain(|command| !matches!(command.name, "zoom-pane" | "next-pane"));
        } else if self.view == View::Live {
            // A pane's zoom is enter there; the live view has more to say than fits.
            front.retain(|command| command.name != "zoom-pane");
        }
        front.retain(|command| self.is_of_use(command));
        // What to do about a job that ended badly comes before the ways to read it.
        let again: Vec<&Command> = front.extract_if(.., |command| command.context == "retry").collect();
        front.splice(front.len().min(2)..front.len().min(2), again);
        // A list's own verbs where there is a list, marks where it takes any, and of the rest what the marked rows allow.
        let list = self.list_here().filter(|list| self.layers.is_empty() || *list == ListId::Planned);
        front.retain(|command| {
            let listed =
                command.context != "list" || list.is_some_and(|list| list.takes_marks() || !marking(command.verb));
            listed && self.why_marks(command).is_none()
        });
        let (always, front): (Vec<&Command>, Vec<&Command>) =
            front.into_iter().partition(|command| ALWAYS.contains(&command.name));
        let hint = |command: &&Command| self.hint_of(command, command.hint, dialog || editor);
        (front.iter().filter_map(hint).collect(), always.iter().filter_map(hint).collect())
    }

    /// Pausing, stopping and going on are for a job that runs, a retry for one that has ended; a script is edited where
    /// that can be done.
    fn is_of_use(&self, command: &Command) -> bool {
        let job = || self.job_here();
        match command.verb {
            Do::Pause => job().is_some_and(|job| !job.state.ended()),
            Do::Stop => job().is_some() && self.why_not_stop().is_none(),
            Do::Edit | Do::EditOutside if command.context == "scripts" => {
                self.scripts.is_empty() || self.state_why(command).is_none()
            }
            Do::Run if command.context == "scripts" => self.branch_here().is_none() || self.chosen_script().is_some(),
            Do::Approve => job().is_some_and(|job| job.progress.asks.is_some()),
            // (of one that runs the live view and the groups are of more use)
            Do::Export if self.view == View::Overview => job().is_some_and(|job| job.state.ended()),
            Do::Retry(_) if command.context == "retry" && self.view == View::Groups => false,
            Do::Retry(again) => self.why_not_retry(again).is_none(),
            _ => true,
        }
    }

    /// In a dialog letters are text: there a command is named by its last key, which is a function key.
    fn hint_of(&self, command: &Command, word: &str, dialog: bool) -> Option<Hint> {
        let keys = self.keys_of(command);
        let key = if dialog && command.context == "global" { keys.last() } else { keys.first() }?.clone();
        let dots = if command.fleet { ".." } else { "" };
        // How many of the marked rows it would act on.
        let marked = self.layers.is_empty().then(|| self.marks_under(command)).flatten();
        let marked = marked.map_or_else(String::new, |(_, n)| format!(" {n}"));
        Some(Hint { key, word: format!("{word}{marked}{dots}"), fleet: command.fleet })
    }
}

/// Layers in which the general keys have words of their own.
const fn own(layer: &Layer) -> Option<&'static [(&'static str, &'static str)]> {
    match layer {
        Layer::Palette(_) => Some(&[
            ("accept", "do"),
            ("complete", "to : line"),
            ("newer", "down"),
            ("older", "up"),
            ("cancel", "close"),
        ]),
        Layer::Menu(_) => Some(&[("accept", "do"), ("down", "move"), ("cancel", "close"), ("palette", "palette")]),
        Layer::Help(_) => Some(&[
            ("accept", "try it"),
            ("next-field", "next section"),
            ("copy-line", "copy line"),
            ("report", "report a problem"),
            ("cancel", "close"),
        ]),
        Layer::Copy(_) => Some(&[("accept", "copy"), ("down", "move"), ("cancel", "close")]),
        Layer::Log(_) => Some(&[
            ("copy", "copy"),
            ("only-problems", "bad only"),
            ("filter", "filter"),
            ("first", "oldest"),
            ("last", "newest"),
            ("cancel", "close"),
        ]),
        Layer::Diff(view) if view.save.is_some() => Some(&[
            ("save", "save"),
            ("accept", "press"),
            ("next-field", "button"),
            ("next-change", "next change"),
            ("cancel", "back"),
            ("help", "help"),
        ]),
        Layer::Diff(_) => Some(&[
            ("next-change", "next change"),
            ("previous-change", "previous"),
            ("page-down", "page"),
            ("cancel", "back"),
            ("help", "help"),
        ]),
        Layer::Export(_) => {
            Some(&[("next-field", "next"), ("toggle", "other choice"), ("accept", "press"), ("cancel", "close")])
        }
        Layer::Window(_) => Some(&[("accept", "write the rule"), ("down", "move"), ("cancel", "close")]),
        Layer::Regroup(_) => {
            Some(&[("down", "choose"), ("next-field", "next"), ("accept", "press"), ("cancel", "close")])
        }
        Layer::Write(_) | Layer::Template(_) | Layer::Hold(_) => {
            Some(&[("next-field", "next"), ("accept", "press"), ("cancel", "close")])
        }
        _ => None,
    }
}

/// The editor's search bar: what its keys do in this one.
const fn in_bar(bar: &Bar) -> &'static [(&'static str, &'static str)] {
    match bar {
        Bar::Find(find) if find.replace.is_some() => &[
            ("accept-find", "next, or replace"),
            ("next-field", "field"),
            ("replace-all", "all"),
            ("find-regex", "regex"),
            ("find-case", "case"),
            ("close-find", "close"),
            ("help", "help"),
        ],
        Bar::Find(_) => &[
            ("accept-find", "next"),
            ("find-previous", "previous"),
            ("find-regex", "regex"),
            ("find-case", "case"),
            ("replace", "replace"),
            ("close-find", "close"),
            ("help", "help"),
        ],
        Bar::Goto(_) => &[("accept-find", "go there"), ("close-find", "close"), ("help", "help")],
        Bar::Ex(_) => &[("accept-find", "do it"), ("close-find", "close"), ("help", "help")],
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::sample::Session;

    fn names(session: &Session) -> Vec<String> {
        let (front, _) = session.app.hints();
        front.into_iter().map(|hint| hint.word).collect()
    }

    #[test]
    fn where_a_filter_hides_every_job_there_is_nothing_to_stop() {
        let mut session = Session::new((140, 40), true);
        session.keys("3");
        assert!(names(&session).contains(&"stop..".to_owned()), "{:?}", names(&session));
        session.keys("/nothing-is-called-so<enter>");
        assert!(!names(&session).contains(&"stop..".to_owned()), "{:?}", names(&session));
    }

    #[test]
    fn the_editor_s_bar_names_the_keys_that_do_something_in_it() {
        let mut session = Session::new((140, 40), true);
        for (keys, said) in [
            ("e<C-f>", "next previous regex case replace close help"),
            ("<C-r>", "next, or replace field all regex case close help"),
            ("<esc><C-g>", "go there close help"),
        ] {
            session.keys(keys);
            assert_eq!(names(&session).join(" "), said, "{keys}");
        }
    }

    #[test]
    fn of_a_job_that_ended_badly_the_retries_stand_before_the_ways_to_read_it() {
        use crate::console::app::sample::job;
        use crate::model::state::{JobState, RunState};
        let mut session = Session::starting((80, 24), true);
        session.jobs[0] = job(12, &[RunState::Failed, RunState::Queued, RunState::Ok]);
        session.jobs[0].summary.state = JobState::Cancelled;
        session.jobs[1] = job(11, &[RunState::Ok]);
        session.attach();
        let keyed = |session: &Session| {
            let (front, _) = session.app.hints();
            front.into_iter().map(|hint| format!("{} {}", hint.key, hint.word)).collect::<Vec<_>>()
        };
        for keys in ["3", "<enter>"] {
            session.keys(keys);
            assert_eq!(keyed(&session)[2..4], ["R f retry failed..", "R n not started.."], "{keys}");
        }
        session.keys("<esc>j");
        assert!(keyed(&session).iter().all(|hint| !hint.starts_with("R ")), "{:?}", keyed(&session));
    }

    #[test]
    fn what_a_job_s_end_has_overtaken_is_not_offered() {
        let mut session = Session::new((140, 40), true);
        for keys in ["3", "3<enter>"] {
            session.keys(keys);
            assert!(names(&session).contains(&"stop..".to_owned()), "{:?}", names(&session));
            session.keys("<esc>");
        }
        for keys in ["3G", "<enter>"] {
            session.keys(keys);
            for gone in ["stop..", "pause", "next ring.."] {
                assert!(!names(&session).contains(&gone.to_owned()), "{keys}: {gone} in {:?}", names(&session));
            }
        }
        session.keys("<esc>ggj<enter>");
        assert!(names(&session).contains(&"next ring..".to_owned()), "it waits: {:?}", names(&session));
    }
}
