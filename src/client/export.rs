//! A job's report as a file, or as a short text: there whole or not at all, and in the place of nothing that was there
//! unasked. Whatever ends it before its end (an error, a full disk, nobody who waits for it any more) takes away what
//! was begun.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::report::Piece;
use super::{Client, ClientError};
use crate::model::job::JobId;
use crate::model::report::Report;

/// Written at one go.
const BUFFER: usize = 128 << 10;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoFar {
    pub devices: usize,
    /// All there are.
    pub of: usize,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it lies: behind a link, where that leads.
    pub path: PathBuf,
    pub devices: usize,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("{} is a folder: give a file's name", .0.display())]
    Folder(PathBuf),
    #[error("cannot write {}: {error}; nothing was written", .path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("the report is longer than the {most} bytes that a terminal takes (OSC 52): export it to a file")]
    Long { most: usize },
    #[error(transparent)]
    Engine(#[from] ClientError),
}

/// Takes an unfinished file away, unless it got its name.
struct Unfinished(PathBuf);

impl Unfinished {
    /// In the same folder, so that it only has to be given the name.
    fn beside(target: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{:08x}", fastrand::u32(..)));
        Self(target.with_file_name(name))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Client {
    /// Writes the report to a file. `replace`: whatever has the name. `told`: how far it is, after each piece.
    ///
    /// The file is written where this is awaited: a slow disk holds that thread up.
    pub async fn export(
        &self,
        id: JobId,
        report: &Report,
        path: &Path,
        replace: bool,
        mut told: impl FnMut(SoFar),
    ) -> Result<Written, ExportError> {
        if path.is_dir() {
            return Err(ExportError::Folder(path.to_owned()));
        }
        // a pipe, a device: written to, never put away for a file
        let special = fs::metadata(path).is_ok_and(|there| !there.is_file());
        if !replace && !special && path.symlink_metadata().is_ok() {
            return Err(ExportError::Exists(path.to_owned()));
        }
        let failed = |error: io::Error| ExportError::Write { path: path.to_owned(), error };
        // through a link, to where it leads: the link itself is somebody's wish
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let unfinished = (!special).then(|| Unfinished::beside(&target));
        let file = match &unfinished {
            Some(Unfinished(begun)) => OpenOptions::new().write(true).create_new(true).mode(0o600).open(begun),
            None => OpenOptions::new().write(true).open(&target),
        };
        let file = file.map_err(failed)?;
        let mut sink = BufWriter::with_capacity(BUFFER, file);
        let mut so_far = SoFar::default();
        let write = async |piece: Piece<'_>| -> Result<(), ExportError> {
            sink.write_all(piece.text.as_bytes()).map_err(failed)?;
            so_far = SoFar { devices: piece.devices, of: piece.of, bytes: so_far.bytes + piece.text.len() as u64 };
            told(so_far);
            Ok(())
        };
        let devices = self.report::<ExportError>(id, report, write).await?;
        let file = sink.into_inner().map_err(|error| failed(error.into_error()))?;
        if let Some(Unfinished(begun)) = &unfinished {
            file.sync_all().map_err(failed)?;
            give_name(begun, &target, replace).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => ExportError::Exists(path.to_owned()),
                _ => failed(error),
            })?;
        }
        Ok(Written { path: target, devices, bytes: so_far.bytes })
    }

    /// The report as a text of at most so many bytes.
    pub async fn export_text(&self, id: JobId, report: &Report, most: usize) -> Result<String, ExportError> {
        let mut whole = String::new();
        let take = async |piece: Piece<'_>| -> Result<(), ExportError> {
            if whole.len() + piece.text.len() > most {
                return Err(ExportError::Long { most });
            }
            whole.push_str(piece.text);
            Ok(())
        };
        self.report::<ExportError>(id, report, take).await?;
        Ok(whole)
    }
}

/// The written file becomes the one of this name. What came there meanwhile stays, unless it may be replaced.
fn give_name(unfinished: &Path, target: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return fs::rename(unfinished, target);
    }
    match fs::hard_link(unfinished, target) {
        // a file system without links
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && target.symlink_metadata().is_err() => {
            fs::rename(unfinished, target)
        }
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_taken_meanwhile_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let (new, target) = (folder.path().join(".new"), folder.path().join("job.md"));
        fs::write(&new, "new").unwrap();
        fs::write(&target, "old").unwrap();
        assert_eq!(give_name(&new, &target, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        give_name(&new, &target, true).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[test]
    fn what_is_not_finished_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".begun");
        fs::write(&path, "half").unwrap();
        drop(Unfinished(path.clone()));
        assert!(!path.exists());
    }
}
