//! Writing to the library's files. A save is whole or not at all: a temporary file beside the script, synced, put in
//! its place with mode and owner kept; where that cannot be done (somebody else's file, a folder that takes no new
//! ones, several names for one file) the file is written in place, and put back if that breaks off. Links are
//! followed inside the folder alone. Nothing is overwritten that the writer has not seen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rustix::fs::{Access, CWD, RenameFlags, access, renameat_with};
use rustix::io::Errno;

use super::{Library, folder};
use crate::model::nearest::shown;
use crate::model::script::inspect::{SIZE_MAX, version};
use crate::model::wire::{Code, Problem};

/// Of a new script; the engine's umask takes away what others would get.
const MODE: u32 = 0o755;

/// What a save came to.
#[derive(Debug)]
pub struct Written {
    pub path: PathBuf,
    pub version: String,
    /// What was there before; `None`: nothing, or too much of it.
    pub before: Option<Vec<u8>>,
    /// The text was there already: nothing was written.
    pub same: bool,
}

pub(super) fn problem(code: Code, error: impl Into<String>) -> Problem {
    Problem { code, error: error.into(), column: None }
}

impl Library {
    /// Saves a script. `base`: the version that the edit began from, `None` for a new one. `keep` is given what was
    /// there and what comes, before anything is replaced.
    ///
    /// # Errors
    /// [`Code::Stale`] when the script is no longer `base`; otherwise why it cannot be, and what to do.
    pub fn save(
        &self,
        name: &str,
        base: Option<&str>,
        bytes: &[u8],
        force: bool,
        mut keep: impl FnMut(&[u8]),
    ) -> Result<Written, Problem> {
        folder::check(name).map_err(|why| problem(Code::Invalid, why))?;
        if bytes.len() as u64 > SIZE_MAX {
            let limit = SIZE_MAX >> 20;
            return Err(problem(Code::Invalid, format!("{} is larger than {limit} MiB: not saved", shown(name))));
        }
        let _alone = self.shelf.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let there = folder::resolve(self.folder(), name).map_err(|why| problem(Code::Invalid, why))?;
        let Some(path) = there else {
            if base.is_some() && !force {
                return Err(problem(
                    Code::NotFound,
                    format!("{} was deleted or renamed meanwhile: save it under a new name", shown(name)),
                ));
            }
            keep(bytes);
            let path = self.create(name, bytes)?;
            return Ok(Written { path, version: version(bytes), before: None, same: false });
        };
        let (info, old) = self.look(name, &path).map_err(|why| problem(Code::Internal, why))?;
        match base {
            _ if force => {}
            None => return Err(taken(name)),
            Some(base) if base != info.version => {
                return Err(problem(
                    Code::Stale,
                    format!(
                        "{} was changed meanwhile (it was {base}, it is {} now): not saved",
                        shown(name),
                        info.version
                    ),
                ));
            }
            Some(_) => {}
        }
        let known = (info.size <= SIZE_MAX).then_some(old);
        if known.as_deref() == Some(bytes) {
            return Ok(Written { path, version: info.version, before: None, same: true });
        }
        if let Some(old) = &known {
            keep(old);
        }
        keep(bytes);
        let real = fs::canonicalize(&path).map_err(|error| failed("save", name, &path, &error))?;
        replace(&real, known.as_deref(), bytes).map_err(|error| failed("save", name, &real, &error))?;
        Ok(Written { path, version: version(bytes), before: known, same: false })
    }

    /// Gives a script another name, which must be free. Both names, whole.
    ///
    /// # Errors
    /// Why it cannot be, and what to do.
    pub fn rename(&self, from: &str, to: &str) -> Result<(String, String), Problem> {
        let (from, path) = self.find(from).map_err(|why| problem(Code::NotFound, why))?;
        let _alone = self.shelf.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let target = self.free(to)?;
        let link = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
        let moved = path.parent().and_then(|parent| fs::canonicalize(parent).ok()).as_deref() != target.parent();
        if link && moved {
            return Err(problem(
                Code::Invalid,
                format!(
                    "{} is a link, which would lead elsewhere from there: rename it within its folder",
                    shown(&from)
                ),
            ));
        }
        put(&path, &target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(to),
            _ => failed("rename", &from, &target, &error),
        })?;
        sync_folder(&target);
        Ok((from, to.to_owned()))
    }

    /// A script that is there, by its name or the short form of it.
    pub(super) fn there(&self, name: &str) -> Result<(String, PathBuf), Problem> {
        self.find(name).map_err(|why| problem(Code::NotFound, why))
    }

    /// Where a new script of this name would lie: nothing is there yet, the folders are.
    pub(super) fn free(&self, name: &str) -> Result<PathBuf, Problem> {
        folder::check_new(name).map_err(|why| problem(Code::Invalid, why))?;
        let path = self.folder().join(name);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(taken(name));
        }
        let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else { return Err(taken(name)) };
        let fail = |error: io::Error| failed("make a folder for", name, parent, &error);
        // what is there already must not lead out; what is made below it cannot
        let root = fs::canonicalize(self.folder()).map_err(fail)?;
        let above = parent.ancestors().find(|folder| folder.exists()).unwrap_or(parent);
        if !folder::inside(&root, above) {
            return Err(problem(Code::Invalid, format!("'{}' leads out of the library's folder", shown(name))));
        }
        fs::create_dir_all(parent).map_err(fail)?;
        Ok(fs::canonicalize(parent).map_err(fail)?.join(file))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Problem> {
        let path = self.free(name)?;
        let fail = |error: &io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(name),
            _ => failed("save", name, &path, error),
        };
        let (file, unfinished) = beside(&path, MODE).map_err(|error| fail(&error))?;
        let done = fill(file, bytes).and_then(|()| put(&unfinished, &path));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        done.map_err(|error| fail(&error))?;
        sync_folder(&path);
        Ok(path)
    }
}

pub(super) fn taken(name: &str) -> Problem {
    problem(Code::Invalid, format!("'{}' is there already: choose another name, or open that one", shown(name)))
}

/// What went wrong on the disk, and what to do about it.
pub(super) fn failed(doing: &str, name: &str, path: &Path, error: &io::Error) -> Problem {
    let place = path.parent().unwrap_or(path).display();
    let (code, why) = match error.kind() {
        io::ErrorKind::StorageFull => {
            (Code::Internal, format!("the disk of {place} is full: free some space there, then try again"))
        }
        io::ErrorKind::QuotaExceeded => {
            (Code::Internal, format!("your quota on the disk of {place} is used up: free some space, then try again"))
        }
        io::ErrorKind::FileTooLarge => {
            (Code::Internal, format!("no file so large can be written in {place} (ulimit -f): raise the limit"))
        }
        io::ErrorKind::ReadOnlyFilesystem => (
            Code::Refused,
            format!(
                "{place} is mounted read-only: remount it, or let [library] path name a folder that can be written"
            ),
        ),
        io::ErrorKind::PermissionDenied => {
            (Code::Refused, format!("{} may not be written ({error}): chmod or chown it first", path.display()))
        }
        _ => (Code::Internal, format!("{}: {error}", path.display())),
    };
    problem(code, format!("cannot {doing} {}: {why}", shown(name)))
}

/// New bytes for a file that is there.
fn replace(path: &Path, old: Option<&[u8]>, new: &[u8]) -> io::Result<()> {
    // putting a file in its place would not ask whether this one may be written
    access(path, Access::WRITE_OK)?;
    let meta = fs::metadata(path)?;
    if meta.nlink() > 1 {
        return in_place(path, old, new);
    }
    let (file, unfinished) = match beside(path, 0o600) {
        Ok(made) => made,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return in_place(path, old, new),
        Err(error) => return Err(error),
    };
    let owned = file.metadata().and_then(|mine| {
        let other = |ours: u32, theirs: u32| (ours != theirs).then_some(theirs);
        fchown(&file, other(mine.uid(), meta.uid()), other(mine.gid(), meta.gid()))?;
        file.set_permissions(fs::Permissions::from_mode(meta.mode() & 0o7777))
    });
    let done = match owned {
        Ok(()) => fill(file, new).and_then(|()| fs::rename(&unfinished, path)),
        Err(_) => {
            let _ = fs::remove_file(&unfinished);
            return in_place(path, old, new);
        }
    };
    if done.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    done?;
    sync_folder(path);
    Ok(())
}

/// Over the bytes that are there; when that breaks off, they are put back: their room is there still.
fn in_place(path: &Path, old: Option<&[u8]>, new: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut put = |bytes: &[u8]| {
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    };
    let done = put(new);
    if let (Err(_), Some(old)) = (&done, old) {
        let _ = put(old);
    }
    done
}

/// An empty file beside this one, under a name that no list shows.
fn beside(path: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    // (not made of its name, which may be as long as names can be)
    let unfinished = path.with_file_name(format!(".quarterdeck-{:016x}.new", fastrand::u64(..)));
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
    Ok((file, unfinished))
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a file another name, never over another one.
pub(super) fn put(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            // a file system that knows no such rename: a second name fails if there is one
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        done => Ok(done?),
    }
}

/// A name that was just given survives a power cut; where folders cannot be synced, it will in a moment.
pub(super) fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
}
