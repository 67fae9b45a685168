//! Which scripts of a job were let go, and how often: a small file of the job, four bytes a run, written in the moment
//! before a script goes to its device. With it the next engine tells what may have run from what certainly did not.
//!
//! The bytes are handed to the system and not forced to the disk: whatever kills the engine leaves them there. A
//! machine that loses its power may lose its last moments, here as in the database.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PLACE: usize = 4;

#[derive(Debug)]
pub struct Starts(File);

impl Starts {
    /// Of a job of so many runs; what is there stays. Its room is taken now: a disk that is full refuses the launch, not
    /// a run in the middle of it.
    pub fn create(path: &Path, runs: usize) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (have, want) = (usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX), runs * PLACE);
        if have < want {
            file.write_all_at(&vec![0; want - have], have as u64)?;
        }
        Ok(Self(file))
    }

    /// How often each was let go; `None`: nothing was written down of this job.
    pub fn read(path: &Path) -> io::Result<Option<Vec<u32>>> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let place = |at: &[u8]| u32::from_le_bytes([at[0], at[1], at[2], at[3]]);
        Ok(Some(bytes.chunks_exact(PLACE).map(place).collect()))
    }

    pub fn note(&self, run: u32, time: u32) -> io::Result<()> {
        self.0.write_all_at(&time.to_le_bytes(), u64::from(run) * PLACE as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_by_whoever_comes_later_and_stays_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("starts");
        assert_eq!(Starts::read(&path).unwrap(), None);
        let starts = Starts::create(&path, 4).unwrap();
        assert_eq!(Starts::read(&path).unwrap().unwrap(), [0, 0, 0, 0]);
        starts.note(2, 1).unwrap();
        starts.note(0, 300).unwrap();
        let again = Starts::create(&path, 4).unwrap();
        again.note(2, 2).unwrap();
        assert_eq!(Starts::read(&path).unwrap().unwrap(), [300, 0, 2, 0]);
    }
}
