//! The versions of the script that is open, beside its text, and what the text has that the saved one has not. Asked
//! for only while the panel is on screen; compared off the loop, after a pause.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::panes;
use crate::console::app::diff::{Side, Text};
use crate::console::app::event::Effect;
use crate::console::app::files::{Fetched, Files, Versions};
use crate::console::app::list::Cursor;
use crate::console::app::narrow::Narrow;
use crate::console::app::{App, Layer, View};
use crate::console::text;
use crate::model::diff::Diff;
use crate::model::shelf::Version;
use crate::model::wire::Problem;

/// Versions of which is told how much they changed.
const COUNTED: usize = 8;

#[derive(Debug, Default)]
pub struct Past {
    /// Newest first.
    pub versions: Fetched<Version>,
    /// Lines that a version added and took away, by its number.
    pub counts: BTreeMap<u32, (usize, usize)>,
    /// The text against the saved one.
    pub diff: Option<Diff>,
    asked: bool,
    /// What was sent to be compared, by serial; `None`: the text.
    comparing: Vec<(u64, Option<u32>)>,
    /// When the text is to be compared again.
    pub(super) due: Option<Timestamp>,
}

impl Past {
    /// A version was added: the list is asked again, what is known of the old ones stays.
    pub(super) fn grew(&mut self) {
        self.asked = false;
    }
}

impl App {
    /// Asks for what the panel shows and does not have.
    pub(super) fn settle_past(&mut self, effects: &mut Vec<Effect>) {
        let (now, area) = (self.now, self.area);
        let Some(editor) = self.editing.open.as_deref_mut().filter(|_| self.view == View::Editor) else { return };
        if editor.base.is_none() || panes::panes(area, editor).versions.is_none() {
            return;
        }
        let past = &mut editor.past;
        if !past.asked {
            past.asked = true;
            effects.push(Effect::LoadVersions(editor.name.clone()));
        }
        if past.due.is_none_or(|due| due > now) {
            return;
        }
        past.due = None;
        past.comparing.retain(|(_, version)| version.is_some());
        if !editor.dirty {
            editor.past.diff = None;
            return;
        }
        let side = |title: &str, bytes| Side { title: title.into(), text: Text::Bytes(bytes) };
        let (left, right) = (side("saved", editor.saved_bytes()), side("text", editor.bytes()));
        self.shelf.serial += 1;
        editor.past.comparing.push((self.shelf.serial, None));
        effects.push(Effect::Compare { serial: self.shelf.serial, left, right });
    }

    /// The list has come: how much did the newest change?
    pub(in crate::console::app) fn past_versions(
        &mut self,
        name: &str,
        answer: &Result<Vec<Version>, Problem>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(editor) = self.editing.open.as_deref_mut().filter(|editor| editor.name == name && editor.past.asked)
        else {
            return;
        };
        let past = &mut editor.past;
        if let Ok(versions) = answer {
            for pair in versions.windows(2).take(COUNTED) {
                let [new, old] = pair else { continue };
                let wanted = Some(new.number);
                if past.counts.contains_key(&new.number) || past.comparing.iter().any(|(_, asked)| *asked == wanted) {
                    continue;
                }
                let side = |version: &Version| Side {
                    title: format!("v{}", version.number),
                    text: Text::Version { name: name.to_owned(), version: version.version.clone() },
                };
                self.shelf.serial += 1;
                past.comparing.push((self.shelf.serial, wanted));
                effects.push(Effect::Compare { serial: self.shelf.serial, left: side(old), right: side(new) });
            }
        }
        past.versions = Some(answer.clone().map_err(|problem| problem.error));
    }

    /// A comparison that was asked for here.
    pub(in crate::console::app) fn past_compared(&mut self, serial: u64, answer: Result<Diff, Problem>) {
        let Some(past) = self.editing.open.as_deref_mut().map(|editor| &mut editor.past) else { return };
        let Some(at) = past.comparing.iter().position(|(asked, _)| *asked == serial) else { return };
        // What cannot be compared has no count, and that is all.
        match (past.comparing.swap_remove(at).1, answer) {
            (Some(number), Ok(diff)) => drop(past.counts.insert(number, (diff.added, diff.removed))),
            (None, answer) => past.diff = answer.ok(),
            (Some(_), Err(_)) => {}
        }
    }

    /// The versions as a list, to be read, compared and gone back to.
    pub(super) fn open_versions(&mut self, effects: &mut Vec<Effect>) {
        let Some(editor) = &self.editing.open else { return };
        if editor.base.is_none() {
            self.hint = Some(format!("{} was never saved: it has no versions yet", text::plain(&editor.name)));
            return;
        }
        let name = editor.name.clone();
        effects.push(Effect::LoadVersions(name.clone()));
        let list = Versions { name, all: None, cursor: Cursor::default(), narrow: Narrow::default() };
        self.layers.push(Layer::Files(Box::new(Files::Versions(list))));
    }
}
