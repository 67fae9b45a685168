//! The `x` menu: every verb of the selected thing, with its key, greyed with the reason where it cannot be done.
//! Computed from the command table; refuses to know what a verb does.

use super::act::Act;
use super::commands::{self, Command, Do, TABLE};
use super::layers::Next;
use super::list::Cursor;
use super::{App, Layer, Pane, View};
use crate::console::keymap::{Chord, Found};
use crate::console::text;

#[derive(Debug)]
pub struct Menu {
    /// What the verbs are for.
    pub subject: String,
    pub rows: Vec<Row>,
    pub cursor: Cursor,
    /// Where it was opened: keys pressed in the menu mean what they mean there.
    pub contexts: &'static [&'static str],
}

#[derive(Clone, Debug)]
pub struct Row {
    pub command: &'static Command,
    pub keys: Vec<String>,
    /// How many devices it would touch, where that is known.
    pub touches: Option<String>,
    /// Why it cannot be done now.
    pub why: Option<String>,
}

impl App {
    /// A command with all that a menu says about it.
    pub(super) fn row_of(&self, command: &'static Command) -> Row {
        Row { command, keys: self.keys_below(command), touches: self.touches(command), why: self.why_not(command) }
    }

    /// The verbs of the place that is below all menus, innermost context first; no motions, and of what holds
    /// everywhere only what is about the selected thing.
    pub(super) fn menu(&self) -> Menu {
        let contexts = self.place_contexts();
        // Of a dialog's list nothing is marked, sorted or filtered; what has a list of its own says so in its hints.
        let dialog = contexts.contains(&"dialog") && !self.layers.iter().any(|layer| self.lists(layer));
        let mut rows: Vec<Row> = Vec::new();
        for context in contexts {
            for command in TABLE.iter().filter(|command| command.context == *context) {
                let general = *context == "global" && !matches!(command.name, "copy" | "zoom-pane");
                let hidden = rows.iter().any(|row| row.command.name == command.name)
                    || (dialog && matches!(*context, "list" | "global"));
                if !general && !hidden && !commands::motion(command.verb) {
                    rows.push(self.row_of(command));
                }
            }
        }
        Menu { subject: self.subject(), rows, cursor: Cursor::default(), contexts }
    }

    /// A layer with more to do about its rows than to choose one.
    fn lists(&self, layer: &Layer) -> bool {
        matches!(layer, Layer::Log(_) | Layer::Pages(_)) || self.launch().is_some_and(|launch| launch.devices.is_some())
    }

    /// What is selected, in a few words.
    pub fn subject(&self) -> String {
        let words = match (self.view, self.overview.subject) {
            (View::Editor, _) => self.editing.open.as_ref().map_or_else(String::new, |editor| editor.name.clone()),
            (View::Groups, _) => self.group_in_words(),
            (View::Past, _) => {
                let hit = self.past.as_ref().and_then(|seek| seek.hit());
                hit.map_or_else(String::new, |hit| format!("{} in job {}", hit.name, hit.job))
            }
            (View::Changes, _) => {
                let row = self.changes.as_ref().and_then(|changes| changes.row());
                row.map_or_else(String::new, |row| row.name.clone())
            }
            (View::Live, _) => {
                let job = self.live.as_ref().map(|live| format!("job {}", live.id));
                let run = self.live.as_ref().zip(self.held.as_ref()).and_then(|(live, held)| held.run(live.chosen));
                let job = job.unwrap_or_default();
                run.map_or(job.clone(), |run| format!("{} in {job}", run.name))
            }
            (View::Overview, Pane::Targets) if !self.tree.look.marks.is_empty() => self.tree.marked(),
            _ if self.marked_words().is_some() => self.marked_words().unwrap_or_default(),
            (View::Overview, Pane::Targets) => {
                self.tree.rows.get(self.overview.targets.at).map_or_else(String::new, |row| row.label.clone())
            }
            (View::Overview, Pane::Jobs) => {
                self.overview.job(&self.jobs).map_or_else(String::new, |job| format!("job {} {}", job.id, job.script))
            }
            (View::Overview, _) => {
                let branch = || self.branch_here().map(|branch| branch.name());
                let script = self.overview.script(&self.scripts).map(|script| script.name.clone());
                script.or_else(branch).unwrap_or_default()
            }
        };
        text::plain(&words)
    }

    pub(super) fn in_menu(&mut self, menu: &mut Menu, verb: Do) -> Next {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack | Do::Actions => Next::Close,
            Do::Accept | Do::Open => self.choose(menu, menu.cursor.at),
            Do::NextField => self.in_menu(menu, Do::Down),
            Do::PreviousField => self.in_menu(menu, Do::Up),
            verb => {
                menu.cursor.go(verb, menu.rows.len(), menu.rows.len());
                Next::Stay
            }
        }
    }

    fn choose(&mut self, menu: &mut Menu, at: usize) -> Next {
        let Some(row) = menu.rows.get(at) else { return Next::Stay };
        menu.cursor.at = at;
        match &row.why {
            Some(why) => {
                self.hint = Some(format!("{}: {why}", row.command.name));
                Next::Stay
            }
            None => Next::Act(Act::Command(row.command)),
        }
    }

    /// In the menu a digit chooses a row, and a verb's own key means the verb. `None`: the key is neither.
    pub(super) fn menu_key(&mut self, menu: &mut Menu, chord: Chord) -> Option<Next> {
        if let Some(n) = chord.text().and_then(|c| c.to_digit(10)).filter(|n| *n > 0) {
            return Some(self.choose(menu, n as usize - 1));
        }
        if self.keymap.resolve(&["dialog"], &[chord]) != Found::None {
            return None; // Enter chooses the row under the cursor, whatever it opens below.
        }
        let Found::Command(name) = self.keymap.resolve(menu.contexts, &[chord]) else { return None };
        let command = commands::find(menu.contexts, name)?;
        let at = menu.rows.iter().position(|row| std::ptr::eq(row.command, command))?;
        Some(self.choose(menu, at))
    }
}
