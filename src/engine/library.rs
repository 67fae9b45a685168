//! The script library: plain files in one folder. Owns listing them, reading and writing one, watching the folder
//! and asking lint tools; knows nothing of jobs. Names come from front doors and files from anybody's
//! checkout, so both are hostile: no name leads out of the folder, no file is read without bounds.
//!
//! [`Library::list`], [`Library::read`] and what writes touch the disk and block; call them off the async loop.

mod folder;
mod lint;
mod samples;
pub mod trash;
mod watch;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::model::nearest::{hint, shown};
use crate::model::script::inspect::{ENDINGS, SIZE_MAX, too_large};
use crate::model::script::{Finding, ScriptInfo, inspect};
use crate::model::wire;

pub use watch::Watch;
pub use write::Written;

/// Scripts that are named where their folder was asked for.
const FEW: usize = 8;

/// A file changed so lately could change once more within the clock's grain: it is read again.
const FRESH: Duration = Duration::from_secs(2);

/// A folder of scripts. Clones share what was read.
#[derive(Clone)]
pub struct Library {
    shelf: Arc<Shelf>,
}

struct Shelf {
    folder: PathBuf,
    notices: Vec<String>,
    /// By name; replaced whole by every listing.
    kept: Mutex<Arc<HashMap<String, Kept>>>,
    lint: lint::Kept,
    /// One writes at a time: between looking at what is there and replacing it nobody of ours comes.
    writing: Mutex<()>,
}

#[derive(Clone)]
struct Kept {
    stamp: Stamp,
    info: ScriptInfo,
    /// Found without any tool.
    errors: u32,
}

/// What changes when a file does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &fs::Metadata) -> Self {
        Self {
            size: meta.size(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

impl Library {
    /// A folder that is not there yet is made, with sample scripts in it. Never fails: what went wrong
    /// is among the warnings of [`Library::list`].
    pub fn open(folder: PathBuf) -> Self {
        let mut notices = Vec::new();
        // a link to a disk that is not mounted is there, too: it is not ours to replace
        if fs::symlink_metadata(&folder).is_err()
            && let Err(error) = samples::put(&folder)
        {
            notices.push(format!("cannot make the script library {}: {error}", folder.display()));
        }
        Self::with(folder, notices)
    }

    /// A folder that is somebody else's: nothing is put into it.
    pub fn of(folder: PathBuf) -> Self {
        Self::with(folder, Vec::new())
    }

    fn with(folder: PathBuf, notices: Vec<String>) -> Self {
        let shelf =
            Shelf { folder, notices, kept: Mutex::default(), lint: lint::Kept::default(), writing: Mutex::default() };
        Self { shelf: Arc::new(shelf) }
    }

    pub fn folder(&self) -> &Path {
        &self.shelf.folder
    }

    /// All scripts, sorted by name. Only files that changed since the last time are read.
    pub fn list(&self) -> wire::Library {
        let (files, mut warnings) = folder::walk(&self.shelf.folder);
        warnings.splice(0..0, self.shelf.notices.iter().cloned());
        let before = Arc::clone(&self.kept());
        let now = SystemTime::now();
        let mut kept = HashMap::with_capacity(files.len());
        let mut scripts = Vec::with_capacity(files.len());
        let mut errors = BTreeMap::new();
        for file in files {
            let stamp = Stamp::of(&file.meta);
            let known = before.get(&file.name).filter(|known| known.stamp == stamp);
            let fresh = file.meta.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age < FRESH));
            let (info, own) = match known.filter(|_| !fresh) {
                Some(known) => (known.info.clone(), known.errors),
                None => match self.look(&file.name, &file.path) {
                    Ok((info, bytes)) => (info, lint::errors(&inspect::lint_builtin(&file.name, &bytes))),
                    Err(why) => {
                        if warnings.len() < folder::WARNINGS {
                            warnings.push(why);
                        }
                        continue;
                    }
                },
            };
            let found = self.shelf.lint.errors(&info).unwrap_or(own);
            if found > 0 {
                errors.insert(info.name.clone(), found);
            }
            kept.insert(file.name, Kept { stamp, info: info.clone(), errors: own });
            scripts.push(info);
        }
        *self.kept() = Arc::new(kept);
        scripts.sort_by(|a, b| a.name.cmp(&b.name));
        let folder = self.shelf.folder.display().to_string();
        wire::Library { folder, scripts, warnings, errors, ..wire::Library::default() }
    }

    /// One script whole: its name within the folder, or that name without its ending where only one fits.
    /// A script that may not be launched is read too; its `refused` says why not, and one that is too
    /// large comes without its bytes.
    pub fn read(&self, name: &str) -> Result<(ScriptInfo, Vec<u8>), String> {
        let (name, path) = self.find(name)?;
        self.look(&name, &path)
    }

    /// Calls back soon after something in the folder changed, once for a burst of changes, from a
    /// thread of its own, until the returned guard is dropped.
    pub fn watch(&self, on_change: impl Fn() + Send + 'static) -> Result<Watch, String> {
        watch::start(&self.shelf.folder, on_change)
    }

    /// What the built-in checks and the installed tools (shellcheck, ruff, python3) say of a script.
    pub async fn lint(&self, name: &str) -> Result<Vec<Finding>, String> {
        let (library, name) = (self.clone(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || library.read(&name)).await;
        let (info, bytes) = read.map_err(|error| format!("reading the script broke off: {error}"))??;
        Ok(self.lint_text(&info.name, bytes).await)
    }

    /// What all of them said of this version when they were asked; what is launched must not wait for them.
    pub fn linted(&self, script: &ScriptInfo) -> Option<Vec<Finding>> {
        self.shelf.lint.known(script, Vec::clone)
    }

    /// The same for a text that is not in the library.
    pub async fn lint_text(&self, name: &str, bytes: Vec<u8>) -> Vec<Finding> {
        self.shelf.lint.lint(&self.shelf.folder, name, bytes).await
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Arc<HashMap<String, Kept>>> {
        // a panic elsewhere leaves at worst an older cache
        self.shelf.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, name: &str, path: &Path) -> Result<(ScriptInfo, Vec<u8>), String> {
        let failed = |error: std::io::Error| format!("cannot read the script {}: {error}", shown(name));
        let mut file = open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(format!("{} is not a file", shown(name)));
        }
        let mut bytes = Vec::new();
        let mut info = if meta.len() > SIZE_MAX {
            too_large(name, meta.len())
        } else {
            // the file may grow meanwhile
            file.by_ref().take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
            inspect(name, &bytes)
        };
        info.path = Some(path.display().to_string());
        info.modified_at = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        Ok((info, bytes))
    }

    fn find(&self, name: &str) -> Result<(String, PathBuf), String> {
        if let Some(path) = folder::resolve(&self.shelf.folder, name)? {
            return Ok((name.to_owned(), path));
        }
        let mut found = Vec::new();
        for (ending, _, _) in ENDINGS {
            let longer = format!("{name}.{ending}");
            if let Some(path) = folder::resolve(&self.shelf.folder, &longer)? {
                found.push((longer, path));
            }
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => {
                let listed = self.list();
                let names = || listed.scripts.iter().map(|script| script.name.as_str());
                let within = name.trim_end_matches('/').to_owned() + "/";
                let mut held = names().filter(|script| script.starts_with(&within));
                let told = match held.by_ref().take(FEW).collect::<Vec<_>>() {
                    few if few.is_empty() => hint(name, names()),
                    few => {
                        let more = if held.next().is_some() { ", …" } else { "" };
                        format!(": it is a folder, which holds {}{more}", few.join(", "))
                    }
                };
                let folder = self.shelf.folder.display();
                Err(format!("no script '{}' in the library {folder}{told}", shown(name)))
            }
            _ => {
                let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
                Err(format!("'{}' could be {}: write the ending too", shown(name), names.join(" or ")))
            }
        }
    }
}

/// A pipe in the place of a file must not hold the engine up: never waits for a writer.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
