//! The dialogs about scripts as files: new, rename, delete, versions, what was deleted, diff with… Each asks before it
//! changes anything, with Cancel focused where something would be taken away; the engine does it, and says whether it
//! could.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::commands::Do;
use super::diff::{Side, Text as Source};
use super::form::Text;
use super::layers::Next;
use super::list::Cursor;
use super::narrow::{self, Narrow};
use super::new::New;
use super::notices::Level;
use super::shelf::{Opened, SaveProblem, SavedScript};
use super::{App, Effect, Layer, layout};
use crate::model::shelf::{Renamed, Trashed, Version};
use crate::model::wire::Problem;

#[derive(Debug)]
pub enum Files {
    New(New),
    Rename(Rename),
    Delete(Delete),
    Versions(Versions),
    Trash(Trash),
    With(With),
    /// A version's text, to be read.
    Read(Read),
    Restore(Restore),
}

#[derive(Debug)]
pub struct Rename {
    pub from: String,
    pub to: Text,
    /// The focused button, if it is one.
    pub at: Button,
    pub problem: Option<String>,
    pub sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Field,
    Cancel,
    Do,
}

/// One script, or the marked ones.
#[derive(Debug)]
pub struct Delete {
    /// Those that are still there.
    pub names: Vec<String>,
    /// How many there were to delete.
    pub of: usize,
    /// The name once more; of several, how many they are.
    pub typed: Text,
    pub on_delete: bool,
    pub problem: Option<String>,
    pub sent: bool,
}

impl Delete {
    pub fn armed(&self) -> bool {
        self.typed.text() == self.asked() && !self.sent
    }

    /// What must be typed.
    pub fn asked(&self) -> String {
        match self.names.as_slice() {
            [only] if self.of == 1 => only.clone(),
            names => names.len().to_string(),
        }
    }
}

/// A list that is fetched when it is opened.
pub type Fetched<T> = Option<Result<Vec<T>, String>>;

#[derive(Debug)]
pub struct Versions {
    pub name: String,
    pub all: Fetched<Version>,
    pub cursor: Cursor,
    pub narrow: Narrow,
}

#[derive(Debug, Default)]
pub struct Trash {
    pub all: Fetched<Trashed>,
    pub cursor: Cursor,
    pub narrow: Narrow,
}

/// What a script can be compared with.
#[derive(Debug)]
pub struct With {
    pub name: String,
    pub versions: Fetched<Version>,
    pub rows: Vec<Other>,
    pub cursor: Cursor,
    pub narrow: Narrow,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    Draft,
    Version(Version),
    Script(String),
}

#[derive(Debug)]
pub struct Read {
    pub title: String,
    pub lines: Vec<String>,
    pub top: usize,
    pub left: usize,
}

/// Back to an older version?
#[derive(Debug)]
pub struct Restore {
    pub name: String,
    pub version: Version,
    /// What would be saved over.
    base: String,
    pub on_restore: bool,
    pub sent: bool,
}

impl Files {
    /// For the breadcrumb.
    pub fn title(&self) -> &'static str {
        match self {
            Files::New(_) => "New",
            Files::Rename(_) => "Rename",
            Files::Delete(_) => "Delete",
            Files::Versions(_) => "Versions",
            Files::Trash(_) => "Deleted",
            Files::With(_) => "Diff with",
            Files::Read(_) => "Version",
            Files::Restore(_) => "Restore",
        }
    }
}

pub(super) const fn out(verb: Do) -> bool {
    matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack)
}

impl Files {
    /// What is typed into a field. `true`: used up.
    pub(super) fn key(&mut self, key: &KeyEvent, now: Timestamp) -> bool {
        if let Some(narrow) = self.narrow() {
            let used = narrow.key(key);
            if used {
                self.find(now);
            }
            return used;
        }
        match self {
            Files::New(new) if new.sent.is_none() => new.name.key(key),
            Files::Rename(rename) if rename.at == Button::Field && !rename.sent => rename.to.key(key),
            Files::Delete(delete) if !delete.sent => {
                let used = delete.typed.key(key);
                if used {
                    // Armed: enter is the last step. Anything else leads back to Cancel.
                    delete.on_delete = delete.armed();
                }
                used
            }
            _ => false,
        }
    }

    /// The filter of a list.
    fn narrow(&mut self) -> Option<&mut Narrow> {
        match self {
            Files::Versions(list) => Some(&mut list.narrow),
            Files::Trash(list) => Some(&mut list.narrow),
            Files::With(with) => Some(&mut with.narrow),
            _ => None,
        }
    }

    /// A list's rows, or its filter, are others.
    pub(super) fn find(&mut self, now: Timestamp) {
        match self {
            Files::Versions(list) => {
                let rows: Vec<_> = list.all.iter().flatten().flatten().map(|v| narrow::of_version(v, now)).collect();
                list.narrow.find(&rows, &mut list.cursor);
            }
            Files::Trash(list) => {
                let rows: Vec<_> = list.all.iter().flatten().flatten().map(|t| narrow::of_trashed(t, now)).collect();
                list.narrow.find(&rows, &mut list.cursor);
            }
            Files::With(with) => {
                let rows = with.rows.iter().map(|other| match other {
                    Other::Draft => narrow::of_name("draft"),
                    Other::Version(version) => narrow::of_version(version, now),
                    Other::Script(name) => narrow::of_name(name),
                });
                let rows: Vec<_> = rows.collect();
                with.narrow.find(&rows, &mut with.cursor);
            }
            _ => {}
        }
    }

    /// `false`: nothing here takes pasted text; what arms a button is typed.
    pub(super) fn paste(&mut self, text: &str, now: Timestamp) -> bool {
        if let Some(narrow) = self.narrow().filter(|narrow| narrow.typing) {
            narrow.text.paste(text);
            self.find(now);
            return true;
        }
        match self {
            Files::New(new) if new.sent.is_none() => new.name.paste(text),
            Files::Rename(rename) if !rename.sent => rename.to.paste(text),
            _ => return false,
        }
        true
    }
}

impl App {
    /// The commands of the scripts pane that are about files. `false`: it is none of them.
    pub(super) fn open_files(&mut self, verb: Do, effects: &mut Vec<Effect>) -> bool {
        let name = || self.chosen_script().map(|script| script.name.clone()).unwrap_or_default();
        let files = match verb {
            Do::NewScript => Files::New(self.new_script()),
            Do::RenameScript => {
                let from = name();
                Files::Rename(Rename { to: Text::new(&from), from, at: Button::Field, problem: None, sent: false })
            }
            Do::DeleteScript => {
                let names: Vec<String> = self.chosen_scripts().iter().map(|script| script.name.clone()).collect();
                let (of, typed) = (names.len(), Text::new(""));
                Files::Delete(Delete { names, of, typed, on_delete: false, problem: None, sent: false })
            }
            Do::Versions => {
                effects.push(Effect::LoadVersions(name()));
                Files::Versions(Versions {
                    name: name(),
                    all: None,
                    cursor: Cursor::default(),
                    narrow: Narrow::default(),
                })
            }
            Do::DiffWith if self.overview.script_look.marks.len() == 2 => {
                let [left, right] = self.chosen_scripts()[..] else { return true };
                let (left, right) = (left.name.clone(), right.name.clone());
                let side = |name: String| Side { title: name.clone(), text: Source::Script(name) };
                let view = self.diff_view(side(left), side(right), effects);
                self.layers.push(view);
                return true;
            }
            Do::DiffWith => {
                effects.push(Effect::LoadVersions(name()));
                let mut with = With {
                    name: name(),
                    versions: None,
                    rows: Vec::new(),
                    cursor: Cursor::default(),
                    narrow: Narrow::default(),
                };
                self.others(&mut with);
                let mut files = Files::With(with);
                files.find(self.now);
                files
            }
            Do::Deleted => {
                effects.push(Effect::LoadTrash);
                Files::Trash(Trash::default())
            }
            _ => return false,
        };
        self.layers.push(Layer::Files(Box::new(files)));
        true
    }

    pub(super) fn in_files(&mut self, files: &mut Files, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let page = layout::inside(layout::strips(self.area).body);
        if files.narrow().is_some_and(|narrow| narrow.leave(verb)) {
            files.find(self.now);
            return Next::Stay;
        }
        match files {
            Files::New(new) => return new.go(verb, effects),
            Files::Rename(rename) => return self.in_rename(rename, verb, effects),
            Files::Delete(delete) => return self.in_delete(delete, verb, effects),
            Files::Restore(restore) => return Self::in_restore(restore, verb, effects),
            Files::Versions(_) | Files::Trash(_) | Files::With(_) | Files::Read(_) if out(verb) => return Next::Close,
            Files::Versions(list) => return self.in_versions(list, verb, page, effects),
            Files::Trash(list) => {
                let rows = list.all.as_ref().and_then(|all| all.as_ref().ok()).map_or(&[][..], Vec::as_slice);
                let here = list.narrow.shown.get(list.cursor.at).and_then(|at| rows.get(*at));
                match (verb, here) {
                    (Do::Accept | Do::Open | Do::Restore, Some(trashed)) => {
                        effects.push(Effect::Undelete(trashed.id.clone()));
                        return Next::Close;
                    }
                    _ => drop(list.cursor.go(verb, list.narrow.shown.len(), page)),
                }
            }
            Files::With(with) => match (verb, with.here().cloned()) {
                (Do::Accept | Do::Open | Do::Diff, Some(other)) => {
                    return self.diff_with(&with.name.clone(), other, effects);
                }
                _ => drop(with.cursor.go(verb, with.narrow.shown.len(), page)),
            },
            Files::Read(read) => read.go(verb, page),
        }
        Next::Stay
    }

    fn in_rename(&mut self, rename: &mut Rename, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            verb if out(verb) => return Next::Close,
            _ if rename.sent => {}
            Do::NextField | Do::Down => rename.at = rename.at.next(),
            Do::PreviousField | Do::Up => rename.at = rename.at.next().next(),
            Do::Accept | Do::Open => match rename.at {
                Button::Cancel => return Next::Close,
                Button::Field => rename.at = Button::Do,
                Button::Do => {
                    let to = rename.to.text().trim().to_owned();
                    if to.is_empty() || to == rename.from {
                        (rename.at, rename.problem) = (Button::Field, Some("write another name".into()));
                    } else {
                        effects.push(Effect::RenameScript { from: rename.from.clone(), to });
                        (rename.problem, rename.sent) = (None, true);
                    }
                }
            },
            _ => {}
        }
        Next::Stay
    }

    fn in_delete(&mut self, delete: &mut Delete, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            verb if out(verb) => return Next::Close,
            _ if delete.sent => {}
            Do::NextField | Do::PreviousField => delete.on_delete = !delete.on_delete,
            Do::Accept | Do::Open => {
                if !delete.on_delete {
                    return Next::Close;
                }
                if delete.armed() {
                    let each = delete.names.iter().cloned();
                    effects.extend(each.map(|name| Effect::DeleteScript { confirm: name.clone(), name }));
                    (delete.problem, delete.sent) = (None, true);
                } else {
                    self.hint = Some("not armed yet: nothing was deleted".into());
                }
            }
            _ => {}
        }
        Next::Stay
    }

    fn in_restore(restore: &mut Restore, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            verb if out(verb) => return Next::Close,
            _ if restore.sent => {}
            Do::NextField | Do::PreviousField | Do::Expand | Do::Collapse => restore.on_restore = !restore.on_restore,
            Do::Accept | Do::Open => {
                if !restore.on_restore {
                    return Next::Close;
                }
                restore.sent = true;
                effects.push(Effect::RestoreVersion {
                    name: restore.name.clone(),
                    version: restore.version.version.clone(),
                    base: restore.base.clone(),
                });
            }
            _ => {}
        }
        Next::Stay
    }

    fn in_versions(&mut self, list: &mut Versions, verb: Do, page: usize, effects: &mut Vec<Effect>) -> Next {
        let rows = list.all.as_ref().and_then(|all| all.as_ref().ok()).map_or(&[][..], Vec::as_slice);
        let Some((at, here)) = list.narrow.shown.get(list.cursor.at).and_then(|at| Some((*at, rows.get(*at)?))) else {
            return Next::Stay;
        };
        let name = list.name.clone();
        match verb {
            Do::Accept | Do::Open => {
                let version = here.version.clone();
                effects.push(Effect::LoadVersion { title: format!("{name}  v{}", here.number), name, version });
            }
            Do::Diff if here.current => {
                // against what it came from
                match rows.get(at + 1).cloned() {
                    Some(before) => return self.diff_with(&name, Other::Version(before), effects),
                    None => self.hint = Some("it is the only version".into()),
                }
            }
            Do::Diff => return self.diff_with(&name, Other::Version(here.clone()), effects),
            Do::Restore => match rows.iter().find(|version| version.current) {
                _ if here.current => self.hint = Some("the file is this version already".into()),
                Some(now) => {
                    let (version, base) = (here.clone(), now.version.clone());
                    let ask = Restore { name, version, base, on_restore: false, sent: false };
                    return Next::Above(Box::new(Layer::Files(Box::new(Files::Restore(ask)))));
                }
                None => self.hint = Some("the script was deleted: bring it back first".into()),
            },
            verb => drop(list.cursor.go(verb, list.narrow.shown.len(), page)),
        }
        Next::Stay
    }

    /// Compares a script with something else; the script as it is now stands on the right.
    fn diff_with(&mut self, name: &str, other: Other, effects: &mut Vec<Effect>) -> Next {
        let now = Side { title: format!("{name}  now"), text: Source::Script(name.to_owned()) };
        let (left, right) = match other {
            Other::Draft => {
                let Some(draft) = self.shelf.drafts.get(name) else { return Next::Stay };
                (now, Side { title: format!("{name}  draft"), text: Source::Bytes(draft.bytes.clone()) })
            }
            Other::Version(version) => {
                let text = Source::Version { name: name.to_owned(), version: version.version };
                (Side { title: format!("{name}  v{}", version.number), text }, now)
            }
            Other::Script(other) => (Side { title: other.clone(), text: Source::Script(other) }, now),
        };
        Next::Above(Box::new(self.diff_view(left, right, effects)))
    }

    fn others(&self, with: &mut With) {
        let draft = self.shelf.edited(&with.name).then_some(Other::Draft);
        let versions = with.versions.iter().flatten().flatten().filter(|version| !version.current);
        let scripts = self.scripts.iter().filter(|script| script.name != with.name);
        with.rows = draft
            .into_iter()
            .chain(versions.cloned().map(Other::Version))
            .chain(scripts.map(|script| Other::Script(script.name.clone())))
            .collect();
    }

    fn files_mut(&mut self, fits: impl Fn(&Files) -> bool) -> Option<&mut Files> {
        self.layers.iter_mut().rev().find_map(|layer| match layer {
            Layer::Files(files) if fits(files) => Some(&mut **files),
            _ => None,
        })
    }

    fn close_files(&mut self, fits: impl Fn(&Files) -> bool) {
        self.layers.retain(|layer| !matches!(layer, Layer::Files(files) if fits(files)));
    }

    /// A script was saved, or not. `true`: it was the new one of the dialog.
    pub(super) fn created(&mut self, name: &str, answer: &Result<SavedScript, SaveProblem>) -> bool {
        let mine = |files: &Files| matches!(files, Files::New(new) if new.sent.as_deref() == Some(name));
        let Some(Files::New(new)) = self.files_mut(mine) else { return false };
        match answer {
            Ok(_) => {
                self.close_files(mine);
                self.shelf.goto = Some((name.to_owned(), true));
            }
            Err(problem) => {
                new.sent = None;
                new.problem = Some(match problem {
                    SaveProblem::Other(problem) => problem.error.clone(),
                    SaveProblem::Changed { .. } => format!("{name} is there already: choose another name"),
                });
            }
        }
        true
    }

    pub(super) fn renamed(&mut self, from: &str, answer: Result<Renamed, Problem>, effects: &mut Vec<Effect>) {
        let mine = |files: &Files| matches!(files, Files::Rename(rename) if rename.from == from);
        match answer {
            Ok(Renamed { from, to }) => {
                if let Some(draft) = self.shelf.drafts.get(&from).cloned() {
                    effects.push(Effect::SaveDraft { name: to.clone(), base: draft.base, bytes: draft.bytes });
                    effects.push(Effect::DropDraft(from.clone()));
                }
                self.close_files(mine);
                self.say(Level::Info, format!("{from} is {to} now; its versions came along"));
                self.shelf.goto = Some((to, false));
                self.ask_library(effects);
            }
            Err(problem) => match self.files_mut(mine) {
                Some(Files::Rename(rename)) => {
                    (rename.sent, rename.at) = (false, Button::Field);
                    rename.problem = Some(problem.error);
                }
                _ => self.say(Level::Error, problem.error),
            },
        }
    }

    pub(super) fn deleted(&mut self, name: &str, answer: Result<Trashed, Problem>, effects: &mut Vec<Effect>) {
        let mine =
            |files: &Files| matches!(files, Files::Delete(delete) if delete.names.iter().any(|mine| mine == name));
        match (answer, self.files_mut(mine)) {
            (Ok(_), Some(Files::Delete(delete))) if delete.of > 1 => {
                delete.names.retain(|mine| mine != name);
                if delete.names.is_empty() {
                    let said = format!("{} scripts were deleted; `deleted` in the x menu brings them back", delete.of);
                    self.close_files(|files| matches!(files, Files::Delete(delete) if delete.names.is_empty()));
                    self.say(Level::Info, said);
                }
                self.ask_library(effects);
            }
            (Ok(trashed), _) => {
                self.close_files(mine);
                self.say(Level::Info, format!("{} was deleted; `deleted` in the x menu brings it back", trashed.name));
                self.ask_library(effects);
            }
            (Err(problem), Some(Files::Delete(delete))) => {
                // Of several the others may still be on their way: those that are left can be tried again.
                delete.typed = Text::new("");
                (delete.sent, delete.on_delete, delete.problem) = (false, false, Some(problem.error));
            }
            (Err(problem), _) => self.say(Level::Error, problem.error),
        }
    }

    pub(super) fn undeleted(&mut self, answer: Result<Trashed, Problem>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(trashed) => {
                self.say(Level::Info, format!("{} is back", trashed.name));
                self.shelf.goto = Some((trashed.name, false));
                self.ask_library(effects);
            }
            Err(problem) => self.say(Level::Error, problem.error),
        }
    }

    pub(super) fn restored(&mut self, name: &str, answer: Result<SavedScript, SaveProblem>, effects: &mut Vec<Effect>) {
        self.close_files(|files| matches!(files, Files::Restore(restore) if restore.name == name));
        match answer {
            Ok(saved) => {
                self.say(Level::Info, format!("{name} is version {} again", saved.version));
                self.ask_library(effects);
                effects.push(Effect::LoadVersions(name.to_owned()));
            }
            Err(SaveProblem::Changed { version, .. }) => {
                self.say(
                    Level::Error,
                    format!("{name} was changed meanwhile (it is {version} now): nothing was restored"),
                );
                effects.push(Effect::LoadVersions(name.to_owned()));
            }
            Err(SaveProblem::Other(problem)) => self.say(Level::Error, problem.error),
        }
    }

    pub(super) fn set_versions(&mut self, name: &str, answer: Result<Vec<Version>, Problem>) {
        let answer = answer.map_err(|problem| problem.error);
        let mut layers = std::mem::take(&mut self.layers);
        for layer in &mut layers {
            let Layer::Files(files) = layer else { continue };
            match &mut **files {
                Files::Versions(list) if list.name == name => list.all = Some(answer.clone()),
                Files::With(with) if with.name == name => {
                    let on = with.here().cloned().filter(|_| with.cursor.touched);
                    with.versions = Some(answer.clone());
                    self.others(with);
                    let at = on.and_then(|on| with.rows.iter().position(|row| *row == on));
                    // (where it is among the rows that there are now)
                    with.narrow.shown = (0..with.rows.len()).collect();
                    with.cursor.at = at.unwrap_or(0);
                }
                _ => continue,
            }
            files.find(self.now);
        }
        self.layers = layers;
    }

    pub(super) fn set_trash(&mut self, answer: Result<Vec<Trashed>, Problem>) {
        let now = self.now;
        if let Some(files) = self.files_mut(|files| matches!(files, Files::Trash(_))) {
            if let Files::Trash(list) = files {
                list.all = Some(answer.map_err(|problem| problem.error));
            }
            files.find(now);
        }
    }

    /// A version's text, above the list it was chosen from.
    pub(super) fn read_version(&mut self, title: String, answer: Result<Opened, Problem>) {
        if self.files_mut(|files| matches!(files, Files::Versions(_))).is_none() {
            return; // The list was closed meanwhile.
        }
        match answer {
            Ok(opened) => {
                let text = String::from_utf8_lossy(&opened.bytes);
                let lines = text.lines().map(str::to_owned).collect();
                self.layers.push(Layer::Files(Box::new(Files::Read(Read { title, lines, top: 0, left: 0 }))));
            }
            Err(problem) => self.say(Level::Error, problem.error),
        }
    }

    /// The library was read again: to the script that was made, renamed or brought back.
    pub(super) fn arrived(&mut self, effects: &mut Vec<Effect>) {
        let Some((name, edit)) = self.shelf.goto.clone() else { return };
        if !self.show_script(&name) {
            return;
        }
        self.shelf.goto = None;
        if edit && self.layers.is_empty() {
            self.perform(Do::Edit, effects);
        }
    }
}

impl With {
    /// What the cursor is on.
    fn here(&self) -> Option<&Other> {
        self.rows.get(*self.narrow.shown.get(self.cursor.at)?)
    }
}

impl Button {
    fn next(self) -> Self {
        match self {
            Button::Field => Button::Cancel,
            Button::Cancel => Button::Do,
            Button::Do => Button::Field,
        }
    }
}

impl Read {
    fn go(&mut self, verb: Do, page: usize) {
        let last = self.lines.len().saturating_sub(page);
        match verb {
            Do::Down => self.top += 1,
            Do::Up => self.top = self.top.saturating_sub(1),
            Do::HalfDown => self.top += (page / 2).max(1),
            Do::HalfUp => self.top = self.top.saturating_sub((page / 2).max(1)),
            Do::PageDown | Do::Toggle | Do::Accept => self.top += page,
            Do::PageUp => self.top = self.top.saturating_sub(page),
            Do::First => self.top = 0,
            Do::Last => self.top = last,
            Do::Expand => self.left += 8,
            Do::Collapse => self.left = self.left.saturating_sub(8),
            _ => {}
        }
        self.top = self.top.min(last);
    }
}
