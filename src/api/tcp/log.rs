//! The request log: one object a line, in `requests.ndjson` and the file before it. Says who asked for which path, never
//! with which key, nor what stood behind the `?` or in a body.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Then a new file begins; one more is kept.
const FILE_MAX: u64 = 16 << 20;

/// Characters of a path.
pub const PATH_MAX: usize = 300;

#[derive(Serialize)]
pub struct Line<'a> {
    pub at: Timestamp,
    pub from: String,
    /// Name of the key; absent: none that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    /// Until the answer began.
    pub ms: u64,
    /// Of the answer; absent: it goes on as it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

pub struct Log(Mutex<NonBlocking>);

impl Log {
    pub fn note(&self, line: &Line<'_>) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        let mut out = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        // a log that cannot keep up loses lines, it does not hold up the engine
        let _ = out.write_all(&text);
    }
}

/// Written on a thread of its own, for as long as the guard is kept.
pub fn open(folder: &Path) -> (Log, WorkerGuard) {
    let kept = Kept { path: folder.join("requests.ndjson"), most: FILE_MAX, file: None };
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(4096).finish(kept);
    (Log(Mutex::new(writer)), guard)
}

/// A file that is put aside when it has grown.
struct Kept {
    path: PathBuf,
    most: u64,
    file: Option<(File, u64)>,
}

impl Write for Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (mut file, long) = match self.file.take() {
            Some((file, long)) if long < self.most => (file, long),
            known => {
                if known.is_some() || std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() >= self.most) {
                    std::fs::rename(&self.path, self.path.with_extension("ndjson.old"))?;
                }
                let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                let long = file.metadata()?.len();
                (file, long)
            }
        };
        file.write_all(line)?;
        self.file = Some((file, long + line.len() as u64));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_does_not_grow_for_ever_and_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.ndjson");
        let kept = || Kept { path: path.clone(), most: 8, file: None };
        let mut log = kept();
        for line in ["one\n", "two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(std::fs::read_to_string(path.with_extension("ndjson.old")).unwrap(), "one\ntwo\n");
        kept().write_all(b"4\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n4\n");
    }
}
