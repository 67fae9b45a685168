//! Scripts as files: what was opened, saved, kept as a draft. Owns the drafts that are known; the editor's text is
//! the editor's, the files are the engine's.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::notices::Level;
use super::{App, Effect, Event};
use crate::model::script::ScriptInfo;
use crate::model::wire::Problem;

/// A script as it is in the library, to be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub bytes: Vec<u8>,
    pub version: String,
    /// Where it lies, for `$EDITOR`.
    pub path: Option<String>,
    pub info: ScriptInfo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedScript {
    /// The next edit begins from this.
    pub version: String,
    pub path: String,
    /// Saved, but something is to be known about it.
    pub warning: Option<String>,
}

/// Why a script was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveProblem {
    /// Somebody changed the file meanwhile: this is what it holds now.
    Changed {
        version: String,
        bytes: Vec<u8>,
    },
    Other(Problem),
}

/// A text that was being written and not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub name: String,
    /// The version that the edit began from; `None`: a new script.
    pub base: Option<String>,
    pub bytes: Vec<u8>,
    pub saved_at: Timestamp,
}

/// What the console knows of files that are being worked on.
#[derive(Debug, Default)]
pub struct Shelf {
    pub drafts: BTreeMap<String, Draft>,
    /// Of the last comparison.
    pub(super) serial: u64,
    /// A script that the cursor goes to as soon as it is listed, and whether it is then edited.
    pub(super) goto: Option<(String, bool)>,
}

impl Shelf {
    /// Is there text that was not saved?
    pub fn edited(&self, name: &str) -> bool {
        self.drafts.contains_key(name)
    }
}

impl App {
    /// What the world says about scripts as files.
    pub(super) fn shelf_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Drafts(drafts) => {
                self.shelf.drafts = drafts.into_iter().map(|draft| (draft.name.clone(), draft)).collect();
                self.drafts_read();
            }
            Event::DraftSaved { name, answer } => match answer {
                Ok(draft) => {
                    self.draft_kept(&draft);
                    self.shelf.drafts.insert(name, draft);
                }
                Err(why) => self.say(Level::Error, format!("the draft of {name} could not be kept: {why}")),
            },
            Event::DraftDropped(name) => drop(self.shelf.drafts.remove(&name)),
            Event::Saved { name, answer } => {
                if let Ok(SavedScript { warning: Some(warning), .. }) = &answer {
                    self.say(Level::Warn, warning.clone());
                }
                if self.created(&name, &answer) || answer.is_ok() {
                    self.ask_library(effects);
                }
            }
            Event::Renamed { from, answer } => self.renamed(&from, answer, effects),
            Event::Deleted { name, answer } => self.deleted(&name, answer, effects),
            Event::Undeleted(answer) => self.undeleted(answer, effects),
            Event::Restored { name, answer } => self.restored(&name, answer, effects),
            Event::Versions { name, answer } => {
                self.past_versions(&name, &answer, effects);
                self.set_versions(&name, answer);
            }
            Event::Version { title, answer } => self.read_version(title, *answer),
            Event::Trash(answer) => self.set_trash(answer),
            Event::Compared { serial, answer } => self.compared(serial, *answer),
            _ => {}
        }
    }
}
