//! The script jobs that were sent from here and heard to their end, kept for the next engine: what is listed there and
//! not here was run without us, or cut off, and is brought in with what it says.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account::write;

/// More are not listed there in a month.
const MOST: usize = 20_000;

pub struct Heard {
    path: PathBuf,
    /// `None`: not read yet.
    numbers: Mutex<Option<HashSet<String>>>,
}

impl Heard {
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("heard"), numbers: Mutex::new(None) }
    }

    pub fn has(&self, job: &str) -> bool {
        self.numbers().as_ref().is_some_and(|numbers| numbers.contains(job))
    }

    /// Written down at once: a line of some bytes.
    pub fn note(&self, job: u64) {
        if let Some(numbers) = self.numbers().as_mut() {
            numbers.insert(job.to_string());
        }
        if let Err(error) = self.append(job) {
            tracing::warn!(%error, path = %self.path.display(), "a job's end is not kept: it may be brought in as another's");
        }
    }

    fn append(&self, job: u64) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.write_all(format!("{job}\n").as_bytes())
    }

    fn numbers(&self) -> MutexGuard<'_, Option<HashSet<String>>> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.get_or_insert_with(|| self.read());
        numbers
    }

    fn read(&self) -> HashSet<String> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let late = lines.len().saturating_sub(MOST);
        if late > 0 {
            // (where it cannot be shortened it is only long)
            let _ = write(&self.path, format!("{}\n", lines[late..].join("\n")).as_bytes());
        }
        lines[late..].iter().map(|line| (*line).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_known_to_the_next_one_and_the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let heard = Heard::new(&folder.path().join("macs"));
        assert!(!heard.has("412"));
        heard.note(412);
        assert!(heard.has("412") && !heard.has("41"));
        for job in 1000..1000 + MOST as u64 {
            heard.append(job).unwrap();
        }
        let next = Heard::new(&folder.path().join("macs"));
        assert!(!next.has("412") && next.has("1000"), "the oldest went");
        let after = Heard::new(&folder.path().join("macs"));
        assert!(after.has("1000") && !after.has("412"));
    }
}
