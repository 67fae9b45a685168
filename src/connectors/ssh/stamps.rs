//! Whether files are still what they were when they were read: by what the file system tells of them, not by their
//! bytes. A watcher tells a moment later; whoever is about to act looks again here.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A file changed twice within the clock's step of its file system shows one date: what was changed so shortly before
/// it was read is read again.
const STEP: Duration = Duration::from_millis(20);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    /// An editor puts a new file in the place of the old one.
    inode: u64,
}

/// Files and folders as they were.
pub struct Stamps {
    of: Vec<(PathBuf, Option<Stamp>)>,
    /// None had changed just before.
    settled: bool,
}

impl Stamps {
    /// Blocking. `began`: when the reading of these files began.
    pub fn take(files: &[PathBuf], began: SystemTime) -> Self {
        let of: Vec<_> = files.iter().map(|path| (path.clone(), stamp(path))).collect();
        let old = |stamp: &Stamp| stamp.modified.is_some_and(|modified| modified + STEP < began);
        let settled = of.iter().all(|(_, stamp)| stamp.as_ref().is_none_or(old));
        Self { of, settled }
    }

    /// Blocking: a look at each file.
    pub fn hold(&self) -> bool {
        self.settled && self.of.iter().all(|(path, before)| stamp(path) == *before)
    }
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some(Stamp { modified: data.modified().ok(), bytes: data.len(), inode: data.ino() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_appears_goes_or_is_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        let files = [file.clone()];
        let later = || SystemTime::now() + Duration::from_secs(5);
        let none = Stamps::take(&files, later());
        assert!(none.hold());
        fs::write(&file, "a\n").unwrap();
        assert!(!none.hold(), "it appeared");
        let first = Stamps::take(&files, later());
        assert!(first.hold());
        fs::write(&file, "ab\n").unwrap();
        assert!(!first.hold(), "it grew");
        let second = Stamps::take(&files, later());
        fs::write(folder.path().join("new"), "cd\n").unwrap();
        let date = fs::metadata(&file).unwrap().modified().unwrap();
        fs::File::options().write(true).open(folder.path().join("new")).unwrap().set_modified(date).unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        assert!(!second.hold(), "another file of the same size and date stands in its place");
        let third = Stamps::take(&files, later());
        fs::remove_file(&file).unwrap();
        assert!(!third.hold(), "it went");
    }

    #[test]
    fn a_file_written_in_the_moment_it_was_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        fs::write(&file, "a\n").unwrap();
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let files = [file];
        assert!(!Stamps::take(&files, written).hold());
        assert!(Stamps::take(&files, written + STEP * 2).hold());
    }
}
