//! Targets kept under a name: one small TOML file in the data folder, that an editor can write as well. Written whole or
//! not at all; one that cannot be read is told and left alone, for it may hold somebody's work.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Engine, problem};
use crate::model::audit::{Act, Deed};
use crate::model::plan::Caller;
use crate::model::saved::{Forget, Save, SavedTarget, check_name};
use crate::model::target;
use crate::model::wire::{Code, Event, Problem};

/// More are nothing to choose from.
const MOST: usize = 500;
/// A larger file holds no targets; and a longer expression is none that somebody wrote.
const SIZE: u64 = 4 << 20;
const LONGEST: usize = 1 << 20;

pub struct Shelf {
    path: PathBuf,
    writing: Mutex<()>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct File {
    targets: BTreeMap<String, String>,
}

impl Shelf {
    pub fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::default() }
    }

    fn read(&self) -> Result<File, String> {
        let text = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
            Ok(meta) if !meta.is_file() || meta.len() > SIZE => {
                return Err(format!("{}: it is no file of at most {} MiB", self.path.display(), SIZE >> 20));
            }
            _ => fs::read_to_string(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))?,
        };
        toml::from_str(&text).map_err(|error| {
            format!("{}: {}: saved targets are not known until it is mended", self.path.display(), error.message())
        })
    }

    /// All that are kept, by name; and what is wrong with the file.
    pub fn list(&self) -> (Vec<SavedTarget>, Option<String>) {
        match self.read() {
            Ok(file) => {
                let known = file.targets.into_iter().filter(|(name, _)| check_name(name).is_ok()).take(MOST);
                (known.map(|(name, expr)| SavedTarget { name, expr }).collect(), None)
            }
            Err(why) => (Vec::new(), Some(why)),
        }
    }

    pub fn find(&self, name: &str) -> Option<String> {
        self.read().ok()?.targets.remove(name)
    }

    fn change(&self, change: impl FnOnce(&mut File) -> Result<(), Problem>) -> Result<(), Problem> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = self.read().map_err(|why| problem(Code::Internal, why))?;
        change(&mut file)?;
        let written = toml::to_string(&file).map_err(io::Error::other).and_then(|text| self.write(text.as_bytes()));
        written.map_err(|error| {
            problem(Code::Internal, format!("cannot keep the target: {}: {error}", self.path.display()))
        })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let unfinished = folder.join(format!(".quarterdeck-{:016x}.new", fastrand::u64(..)));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let done =
            file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&unfinished, &self.path));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        done
    }

    pub fn keep(&self, asked: Save) -> Result<(), Problem> {
        let Save { target: SavedTarget { name, expr }, replace } = asked;
        check_name(&name).map_err(|why| problem(Code::Invalid, why))?;
        if expr.len() > LONGEST {
            let why = format!("the target {name} would be larger than {} KiB: not kept", LONGEST >> 10);
            return Err(problem(Code::Invalid, why));
        }
        // what it names need not be there today; that it can be read must be seen now
        let named = |other: &str| if other == name { None } else { self.find(other) };
        target::parse_with(&expr, &named).map_err(|error| Problem {
            code: Code::Invalid,
            error: error.message,
            column: Some(error.column),
        })?;
        self.change(|file| {
            let there = file.targets.contains_key(&name);
            if there && !replace {
                return Err(problem(Code::Unconfirmed, format!("a target @{name} is there already: replace it?")));
            }
            if !there && file.targets.len() >= MOST {
                return Err(problem(Code::Invalid, format!("{MOST} targets are kept already: forget one first")));
            }
            file.targets.insert(name, expr);
            Ok(())
        })
    }

    pub fn forget(&self, name: &str) -> Result<(), Problem> {
        self.change(|file| match file.targets.remove(name) {
            Some(_) => Ok(()),
            None => Err(problem(Code::NotFound, format!("no target is saved as @{name}"))),
        })
    }
}

impl Engine {
    pub async fn keep_target(&self, asked: Save, caller: &Caller) -> Result<(), Problem> {
        let SavedTarget { name, expr } = asked.target.clone();
        self.on_saved(move |shelf| shelf.keep(asked)).await?;
        let (target, note) = (Some(expr), Some(format!("as @{name}")));
        self.audit(Deed { target, note, ..Deed::of(Act::Save, &self.user, caller) }).await
    }

    pub async fn forget_target(&self, asked: Forget, caller: &Caller) -> Result<(), Problem> {
        let target = Some(format!("@{}", asked.name));
        self.on_saved(move |shelf| shelf.forget(&asked.name)).await?;
        self.audit(Deed { target, ..Deed::of(Act::Delete, &self.user, caller) }).await
    }

    async fn on_saved(
        &self,
        change: impl FnOnce(&Shelf) -> Result<(), Problem> + Send + 'static,
    ) -> Result<(), Problem> {
        let shelf = self.saved.clone();
        let done = tokio::task::spawn_blocking(move || change(&shelf)).await;
        done.map_err(|error| problem(Code::Internal, format!("keeping a target broke off: {error}")))??;
        self.events.publish(&Event::Targets);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(shelf: &Shelf, name: &str, expr: &str, replace: bool) -> Result<(), Problem> {
        shelf.keep(Save { target: SavedTarget { name: name.into(), expr: expr.into() }, replace })
    }

    fn shelf(folder: &tempfile::TempDir) -> Shelf {
        Shelf::new(folder.path().join("data/targets.toml"))
    }

    #[test]
    fn a_target_is_kept_found_replaced_when_asked_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder);
        save(&shelf, "s1", "lab:web[1-3]", false).unwrap();
        assert_eq!(save(&shelf, "s1", "lab:db1", false).unwrap_err().code, Code::Unconfirmed);
        save(&shelf, "s1", "lab:db1", true).unwrap();
        save(&shelf, "both", "@s1 | lab:web1", false).unwrap();
        assert_eq!(shelf.find("s1").as_deref(), Some("lab:db1"));
        let names: Vec<String> = shelf.list().0.into_iter().map(|saved| saved.name).collect();
        assert_eq!(names, ["both", "s1"]);
        shelf.forget("s1").unwrap();
        assert_eq!(shelf.forget("s1").unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn what_is_no_expression_or_no_name_is_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder);
        assert_eq!(save(&shelf, "s1", "web & ", false).unwrap_err().column, Some(6));
        assert!(save(&shelf, "all", "web", false).is_err());
        assert!(save(&shelf, "me", "web | @me", false).is_err(), "it would name itself");
        assert!(!folder.path().join("data").exists());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder);
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(&shelf.path, "[targets\n").unwrap();
        assert!(shelf.list().1.unwrap().contains("targets.toml"));
        assert!(save(&shelf, "s1", "web", false).is_err());
        assert_eq!(fs::read_to_string(&shelf.path).unwrap(), "[targets\n");
    }
}
