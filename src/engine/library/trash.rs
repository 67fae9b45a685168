//! Deleted scripts, until they are brought back or so many others came after: a folder each, with the file as it was
//! and what is known of it. Plain files, so that without this program, too, nothing is lost.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::write::{failed, problem, put, sync_folder, taken};
use super::{Library, folder};
use crate::model::nearest::shown;
use crate::model::script::inspect::version;
use crate::model::shelf::Trashed;
use crate::model::wire::{Code, Problem};

/// Deleted scripts kept; beyond, the oldest are gone for good.
const KEPT: usize = 500;
const META: &str = "deleted.json";
const FILE: &str = "script";

pub struct Trash {
    folder: PathBuf,
}

impl Trash {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Takes a script out of the library. `confirm` must be its whole name.
    ///
    /// # Errors
    /// Why it cannot be, and what to do; then the script is where it was.
    pub fn delete(&self, library: &Library, name: &str, confirm: &str, by: &str) -> Result<Trashed, Problem> {
        let (name, path) = library.there(name)?;
        if confirm != name {
            return Err(problem(
                Code::Unconfirmed,
                format!("deleting {} wants its name typed whole: nothing was deleted", shown(&name)),
            ));
        }
        let (info, _) = library.read(&name).map_err(|why| problem(Code::NotFound, why))?;
        let now = Timestamp::now();
        let id = format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), fastrand::u16(..));
        let trashed = Trashed { id, name, version: info.version, size: info.size, deleted_at: now, by: by.to_owned() };
        let place = self.folder.join(&trashed.id);
        let fail = |error: io::Error| failed("delete", &trashed.name, &place, &error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&place).map_err(fail)?;
        let meta = serde_json::to_vec_pretty(&trashed).unwrap_or_default();
        let moved = fs::write(place.join(META), meta).and_then(|()| shift(&path, &place.join(FILE)));
        if let Err(error) = moved {
            let _ = fs::remove_dir_all(&place);
            return Err(failed("delete", &trashed.name, &path, &error));
        }
        sync_folder(&path);
        for old in self.list().into_iter().skip(KEPT) {
            let _ = fs::remove_dir_all(self.folder.join(old.id));
        }
        Ok(trashed)
    }

    /// Keeps the text of a script that is deleted elsewhere.
    ///
    /// # Errors
    /// It cannot be kept: then it is not to be deleted.
    pub fn keep(&self, name: &str, bytes: &[u8], by: &str) -> Result<Trashed, Problem> {
        let now = Timestamp::now();
        let id = format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%S"), fastrand::u16(..));
        let (version, size) = (version(bytes), bytes.len() as u64);
        let trashed = Trashed { id, name: name.to_owned(), version, size, deleted_at: now, by: by.to_owned() };
        let place = self.folder.join(&trashed.id);
        let fail = |error: io::Error| failed("delete", name, &place, &error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&place).map_err(fail)?;
        let meta = serde_json::to_vec_pretty(&trashed).unwrap_or_default();
        let kept = fs::write(place.join(META), meta).and_then(|()| fs::write(place.join(FILE), bytes));
        if let Err(error) = kept {
            let _ = fs::remove_dir_all(&place);
            return Err(fail(error));
        }
        for old in self.list().into_iter().skip(KEPT) {
            let _ = fs::remove_dir_all(self.folder.join(old.id));
        }
        Ok(trashed)
    }

    /// What is there under an id, or was deleted last under a name; and where its text lies.
    pub fn find(&self, what: &str) -> Option<(Trashed, PathBuf)> {
        let found = self.list().into_iter().find(|trashed| trashed.id == what || trashed.name == what)?;
        let text = self.folder.join(&found.id).join(FILE);
        Some((found, text))
    }

    /// It is somewhere else again.
    pub fn forget(&self, id: &str) {
        if self.find(id).is_some_and(|(found, _)| found.id == id) {
            let _ = fs::remove_dir_all(self.folder.join(id));
        }
    }

    /// What was deleted, the last first.
    pub fn list(&self) -> Vec<Trashed> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let read = |entry: fs::DirEntry| {
            let place = entry.path();
            fs::symlink_metadata(place.join(FILE)).ok()?;
            let trashed: Trashed = serde_json::from_slice(&fs::read(place.join(META)).ok()?).ok()?;
            (entry.file_name().to_str() == Some(&trashed.id)).then_some(trashed)
        };
        let mut all: Vec<Trashed> = entries.flatten().filter_map(read).collect();
        all.sort_by(|a, b| (b.deleted_at, &b.id).cmp(&(a.deleted_at, &a.id)));
        all
    }

    /// Puts something back where it was, if its name is free.
    ///
    /// # Errors
    /// Why it cannot be, and what to do; then it stays in the trash.
    pub fn restore(&self, library: &Library, what: &str) -> Result<Trashed, Problem> {
        let (trashed, _) = self.find(what).ok_or_else(|| {
            problem(
                Code::NotFound,
                format!("nothing deleted is named '{}': `quarterdeck scripts ls --deleted` lists what is", shown(what)),
            )
        })?;
        folder::check(&trashed.name).map_err(|why| problem(Code::Invalid, why))?;
        let place = self.folder.join(&trashed.id);
        let target = library.free(&trashed.name)?;
        shift(&place.join(FILE), &target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(&trashed.name),
            _ => failed("bring back", &trashed.name, &target, &error),
        })?;
        sync_folder(&target);
        let _ = fs::remove_dir_all(&place);
        Ok(trashed)
    }
}

/// Moves a file, to another file system too, never over another one.
fn shift(from: &Path, to: &Path) -> io::Result<()> {
    match put(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        done => return done,
    }
    if fs::symlink_metadata(from)?.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
    } else {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(to)?;
        let copied = fs::File::open(from).and_then(|mut source| {
            io::copy(&mut source, &mut file)?;
            file.set_permissions(source.metadata()?.permissions())?;
            file.sync_all()
        });
        if let Err(error) = copied {
            let _ = fs::remove_file(to);
            return Err(error);
        }
    }
    fs::remove_file(from).inspect_err(|_| drop(fs::remove_file(to)))
}
