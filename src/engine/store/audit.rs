//! The audit log: one line an entry, in a file that only grows (`audit.ndjson`), each with the hash of the one before.
//! An entry is on disk (fdatasync) before what it tells is done. Where the chain ends is also kept in the database: a
//! file that was cut short shows. Nothing here forgets; who can rewrite file and database alike can rewrite history,
//! so keep the head that `audit --verify` prints elsewhere too.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::runtime::Handle;

use super::db::Db;
use crate::model::audit::{Broken, Deed, Entry, Head, Page, Verified, missing};

/// A longer line is none of ours.
const LINE_MAX: u64 = 1 << 20;

/// What could not be written yet waits here; beyond it the oldest is lost (and was logged).
const LATE_MAX: usize = 1024;

pub struct Audit {
    path: PathBuf,
    db: Db,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// `None`: not looked at yet.
    end: Option<End>,
    late: VecDeque<(Timestamp, Deed)>,
}

#[derive(Clone)]
struct End {
    head: Head,
    /// Length of the file as we left it.
    len: u64,
}

impl Audit {
    pub fn new(folder: &Path, db: Db) -> Arc<Self> {
        Arc::new(Self { path: folder.join("audit.ndjson"), db, log: Mutex::default() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a deed down, for good.
    ///
    /// # Errors
    /// Why it could not be written. What does not send anything is kept and written before whatever comes next.
    pub async fn record(self: &Arc<Self>, deed: Deed) -> Result<Head, String> {
        let (audit, runtime) = (Arc::clone(self), Handle::current());
        // on a thread of its own to the end, also when whoever asked has gone
        tokio::task::spawn_blocking(move || audit.record_here(deed, &runtime))
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
    }

    fn record_here(&self, deed: Deed, runtime: &Handle) -> Result<Head, String> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, kept) = (Timestamp::now(), (!deed.act.sends()).then(|| deed.clone()));
        match self.write(&mut log, now, deed, runtime) {
            Ok(head) => {
                drop(log);
                let anchor = head.clone();
                // behind the file at worst: then the file is longer than it says, which is no fault
                if let Err(error) = runtime.block_on(self.db.call(move |db| set_anchor(db, &anchor))) {
                    tracing::warn!(%error, "the end of the audit log is not noted");
                }
                Ok(head)
            }
            Err(error) => {
                if let Some(deed) = kept {
                    tracing::error!(%error, ?deed, "not in the audit log yet");
                    if log.late.len() >= LATE_MAX {
                        log.late.pop_front();
                    }
                    log.late.push_back((now, deed));
                }
                Err(format!("the audit log {} cannot be written: {error}", self.path.display()))
            }
        }
    }

    fn write(&self, log: &mut Log, now: Timestamp, deed: Deed, runtime: &Handle) -> io::Result<Head> {
        let mut end = self.end(log, runtime)?;
        while let Some((at, deed)) = log.late.front().cloned() {
            end = append(&self.path, &end, at, deed)?;
            log.end = Some(end.clone());
            log.late.pop_front();
        }
        end = append(&self.path, &end, now, deed)?;
        log.end = Some(end.clone());
        Ok(end.head)
    }

    /// Where the chain ends: as we left it, or as file and database say.
    fn end(&self, log: &mut Log, runtime: &Handle) -> io::Result<End> {
        if let Some(end) = &log.end {
            return Ok(end.clone());
        }
        let anchor = runtime.block_on(self.db.call(|db| anchor(db))).map_err(io::Error::other)?;
        let (last, len) = last_line(&self.path)?;
        let last = last.and_then(|line| Entry::read(&line).ok()).map(|entry| Head { seq: entry.seq, hash: entry.hash });
        let head = match (anchor, last) {
            // the file may be further than the database, never the other way round
            (Some(anchor), Some(last)) if last.seq > anchor.seq => last,
            (Some(anchor), last) => {
                if last.as_ref() != Some(&anchor) {
                    tracing::error!(path = %self.path.display(), "the audit log is not what was written");
                }
                anchor
            }
            (None, last) => last.unwrap_or_default(),
        };
        let end = End { head, len };
        log.end = Some(end.clone());
        Ok(end)
    }

    /// Entries from an offset on.
    pub async fn page(self: &Arc<Self>, from: u64, since: Option<Timestamp>, limit: usize) -> io::Result<Page> {
        let audit = Arc::clone(self);
        tokio::task::spawn_blocking(move || page(&audit.path, from, since, limit)).await.map_err(io::Error::other)?
    }

    /// Reads the chain from its beginning.
    pub async fn verify(self: &Arc<Self>) -> io::Result<Verified> {
        let (audit, runtime) = (Arc::clone(self), Handle::current());
        let work = move || {
            let end = {
                let mut log = audit.log.lock().unwrap_or_else(PoisonError::into_inner);
                let end = audit.end(&mut log, &runtime)?;
                // what others added behind our back is looked at too
                let len = std::fs::metadata(&audit.path).map_or(0, |meta| meta.len());
                End { head: end.head, len }
            };
            let mut verified = verify(&audit.path, end.len)?;
            if verified.broken.is_none() && verified.head.seq < end.head.seq {
                let gone = missing(verified.head.seq + 1, end.head.seq);
                verified.broken =
                    Some(Broken { line: verified.head.seq + 1, why: format!("{gone} missing at the end of the file") });
            } else if verified.broken.is_none() && verified.head != end.head {
                let why = format!("entry {} is not the one that was written", verified.head.seq);
                verified.broken = Some(Broken { line: verified.head.seq, why });
            }
            Ok(verified)
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}

/// One entry more; the file is as it was where that fails.
fn append(path: &Path, end: &End, at: Timestamp, deed: Deed) -> io::Result<End> {
    let entry = Entry::after(&end.head, at, deed);
    // by its name each time: a file that was taken away is not written to unseen
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let len = file.metadata()?.len();
    let mut line = entry.line();
    line.push('\n');
    if len != end.len {
        tracing::error!(path = %path.display(), expected = end.len, found = len, "somebody else wrote to the audit log");
        if len > 0 && last_byte(&mut file, len)? != b'\n' {
            line.insert(0, '\n');
        }
    }
    let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
    if let Err(error) = written {
        let _ = file.set_len(len); // half a line helps nobody
        return Err(error);
    }
    if len == 0
        && let Some(folder) = path.parent()
    {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(End { head: Head { seq: entry.seq, hash: entry.hash }, len: len + line.len() as u64 })
}

fn last_byte(file: &mut File, len: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(len - 1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// The last whole line, and the length of the file with it. What a killed engine left behind it is cut off: nothing
/// was done on the word of half an entry.
fn last_line(path: &Path) -> io::Result<(Option<Vec<u8>>, u64)> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, 0)),
        Err(error) => return Err(error),
    };
    let len = file.metadata()?.len();
    let from = len.saturating_sub(2 * LINE_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(2 * LINE_MAX).read_to_end(&mut tail)?;
    let whole = memchr::memrchr(b'\n', &tail).map_or(0, |newline| newline + 1);
    let end = from + whole as u64;
    if end < len {
        tracing::warn!(path = %path.display(), bytes = len - end, "cut off an entry that was not finished");
        OpenOptions::new().write(true).open(path)?.set_len(end)?;
    }
    let Some(line) = tail[..whole].strip_suffix(b"\n") else { return Ok((None, end)) };
    let start = memchr::memrchr(b'\n', line).map_or(0, |newline| newline + 1);
    Ok((Some(line[start..].to_vec()), end))
}

/// A line and the offset behind it; `None`: that was the last.
type NextLine = io::Result<Option<(Vec<u8>, u64)>>;

/// The lines of the file with the offset behind each; one that is too long comes in pieces, none of them an entry.
fn lines(path: &Path, from: u64) -> io::Result<Option<impl FnMut() -> NextLine>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(from))?;
    let (mut file, mut at) = (BufReader::new(file), from);
    Ok(Some(move || {
        let mut line = Vec::new();
        let read = (&mut file).take(LINE_MAX).read_until(b'\n', &mut line)?;
        at += read as u64;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok((read > 0).then_some((line, at)))
    }))
}

fn page(path: &Path, from: u64, since: Option<Timestamp>, limit: usize) -> io::Result<Page> {
    let mut page = Page::default();
    let Some(mut next) = lines(path, from)? else { return Ok(page) };
    while let Some((line, at)) = next()? {
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) if since.is_none_or(|since| entry.at >= since) => page.entries.push(entry),
            Ok(_) => {}
            Err(_) => page.unreadable += 1,
        }
        if page.entries.len() >= limit {
            page.next = Some(at);
            break;
        }
    }
    Ok(page)
}

/// The chain as far as the file goes.
fn verify(path: &Path, len: u64) -> io::Result<Verified> {
    let mut verified = Verified { path: path.display().to_string(), head: Head::default(), broken: None };
    let Some(mut next) = lines(path, 0)? else { return Ok(verified) };
    let mut number = 0;
    while let Some((line, at)) = next()? {
        if at > len {
            break; // written while we read
        }
        number += 1;
        if let Err(why) = verified.head.follow(&line) {
            verified.broken = Some(Broken { line: number, why });
            break;
        }
    }
    Ok(verified)
}

fn anchor(db: &Connection) -> rusqlite::Result<Option<Head>> {
    db.query_row("SELECT seq, hash FROM audit", [], |row| {
        Ok(Head { seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), hash: row.get(1)? })
    })
    .optional()
}

fn set_anchor(db: &Connection, head: &Head) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO audit (id, seq, hash) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET seq = ?1, hash = ?2 WHERE seq < ?1",
        params![i64::try_from(head.seq).unwrap_or(i64::MAX), head.hash],
    )?;
    Ok(())
}

/// The mark of the configuration that was last written down, replaced by this one; `None`: there was none.
pub fn swap_settings(db: &Connection, mark: &str) -> rusqlite::Result<Option<String>> {
    let before = db.query_row("SELECT mark FROM audit_settings", [], |row| row.get(0)).optional()?;
    db.execute(
        "INSERT INTO audit_settings (id, mark) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET mark = ?1",
        [mark],
    )?;
    Ok(before)
}

#[cfg(test)]
mod tests;
