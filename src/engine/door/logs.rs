//! The log as other programs read it: one line for every run that ended, and for every entry of the audit log, in the
//! order in which they were recorded. A number is a place to go on from: what is behind it came later.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::Reach;
use crate::engine::store::log::{self, Line};
use crate::engine::{Engine, problem};
use crate::model::audit::Entry;
use crate::model::job::JobId;
use crate::model::output::Which;
use crate::model::state::RunState;
use crate::model::wire::{Code, Problem};

/// Of what a run said, in its line.
const SAID_MAX: usize = 64 * 1024;

/// Bytes of the audit log taken over at once.
const PIECE: u64 = 8 << 20;

/// Lines looked at for one page, where few of them may be seen.
const LOOKED_AT: usize = 100_000;

/// One takes entries over at a time.
pub(super) type Reading = tokio::sync::Mutex<()>;

#[derive(Clone, Debug)]
pub struct Log {
    pub id: u64,
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Ran {
        job: JobId,
        script: String,
        /// Our id of the device, and what became of it there.
        device: String,
        state: RunState,
        exit_code: Option<i32>,
        reason: Option<String>,
        by: String,
        said: String,
    },
    Entry(Box<Entry>),
}

impl Engine {
    /// A page of the log; of one device's runs alone, where one is given. A key that is limited sees the runs of its
    /// devices and nothing else.
    pub async fn log_page(
        self: &Arc<Self>,
        after: Option<u64>,
        descending: bool,
        limit: usize,
        device: Option<String>,
        reach: Reach,
    ) -> Result<(Vec<Log>, bool), Problem> {
        self.take_entries_over().await?;
        self.read(move |engine, db| {
            let mut found: Vec<Log> = Vec::new();
            let mut more = false;
            let mut take = |line: Line| -> rusqlite::Result<bool> {
                let Some(told) = tell(engine, db, line, &reach)? else { return Ok(true) };
                if found.len() == limit {
                    more = true;
                    return Ok(false);
                }
                found.push(told);
                Ok(true)
            };
            if let Some(device) = device {
                for line in log::of_device(db, &device, after, descending, limit + 1)? {
                    if !take(line)? {
                        break;
                    }
                }
            } else {
                let mut looked = 0;
                log::each(db, after, descending, |line| {
                    looked += 1;
                    if looked > LOOKED_AT { Ok(false) } else { take(line) }
                })?;
            }
            Ok((found, more))
        })
        .await
    }

    pub async fn log_entry(self: &Arc<Self>, id: u64, reach: Reach) -> Result<Log, Problem> {
        self.take_entries_over().await?;
        let found = self
            .read(move |engine, db| match log::one(db, id)? {
                Some(line) => tell(engine, db, line, &reach),
                None => Ok(None),
            })
            .await?;
        found.ok_or_else(|| problem(Code::NotFound, "object not found"))
    }

    /// Entries that were written to the audit log since the last time.
    async fn take_entries_over(self: &Arc<Self>) -> Result<(), Problem> {
        let _alone = self.door.log.lock().await;
        loop {
            let (from, piece) = self
                .read(|engine, db| {
                    let from = log::read_upto(db)?;
                    let piece = entries(engine.jobs.store.audit.path(), from);
                    Ok((from, piece))
                })
                .await?;
            let (entries, upto) =
                piece.map_err(|error| problem(Code::Internal, format!("the audit log cannot be read: {error}")))?;
            if upto == from {
                return Ok(());
            }
            self.jobs.store.db.call(move |db| log::take_over(db, &entries, from, upto)).await?;
        }
    }
}

/// Whole lines of the audit log from a byte on, and where they end.
fn entries(path: &std::path::Path, from: u64) -> io::Result<(Vec<(Timestamp, String)>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), from)),
        Err(error) => return Err(error),
    };
    let len = file.metadata()?.len();
    if len < from {
        // somebody cut it: what comes from now on is told
        return Ok((Vec::new(), len));
    }
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(PIECE).read_to_end(&mut bytes)?;
    let whole = match memchr::memrchr(b'\n', &bytes) {
        Some(newline) => newline + 1,
        // no line of ours is so long
        None if bytes.len() as u64 == PIECE => bytes.len(),
        None => 0,
    };
    let lines = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let entry = |line: &[u8]| {
        let text = std::str::from_utf8(line).ok()?;
        let entry: Entry = serde_json::from_str(text).ok()?;
        Some((entry.at, text.to_owned()))
    };
    Ok((lines.filter_map(entry).collect(), from + whole as u64))
}

/// What stands behind a line; `None`: it is gone, or nothing for this key.
fn tell(engine: &Engine, db: &Connection, line: Line, reach: &Reach) -> rusqlite::Result<Option<Log>> {
    if let Some(entry) = &line.entry {
        let entry = serde_json::from_str::<Entry>(entry).ok().filter(|_| reach.is_none());
        return Ok(entry.map(|entry| Log { id: line.id, at: line.at, what: What::Entry(Box::new(entry)) }));
    }
    let Some((job, run)) = line.run else { return Ok(None) };
    let found = db
        .prepare_cached(
            "SELECT jobs.script, runs.device, runs.state, runs.exit_code, runs.reason, jobs.launched_by, orders.made_by
             FROM runs JOIN jobs ON jobs.id = runs.job LEFT JOIN orders ON orders.job = runs.job
             WHERE runs.job = ?1 AND runs.idx = ?2",
        )?
        .query_row(rusqlite::params![i64::try_from(job).unwrap_or(0), run], |row| {
            Ok(What::Ran {
                job,
                script: row.get(0)?,
                device: row.get(1)?,
                state: RunState::from_word(&row.get::<_, String>(2)?).unwrap_or(RunState::Failed),
                exit_code: row.get(3)?,
                reason: row.get(4)?,
                by: row.get::<_, Option<String>>(6)?.map_or_else(|| row.get(5), Ok)?,
                said: String::new(),
            })
        })
        .optional()?;
    let Some(mut what) = found else { return Ok(None) };
    if let What::Ran { device, said, .. } = &mut what {
        if reach.as_ref().is_some_and(|reach| !reach.contains(device)) {
            return Ok(None);
        }
        let output = engine.output_now(job, run, Which::All, SAID_MAX).unwrap_or_default();
        *said = String::from_utf8_lossy(&output.bytes).into_owned();
    }
    Ok(Some(Log { id: line.id, at: line.at, what }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::audit::{Act, Deed, Head};

    #[test]
    fn whole_lines_are_taken_over_once_and_half_a_line_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.ndjson");
        assert_eq!(entries(&path, 0).unwrap(), (Vec::new(), 0));
        let line = Entry::after(&Head::default(), Timestamp::UNIX_EPOCH, Deed::own(Act::Save)).line();
        fs::write(&path, format!("{line}\nnonsense\n{line}")).unwrap();
        let (found, upto) = entries(&path, 0).unwrap();
        assert_eq!((found.len(), upto), (1, line.len() as u64 + 10));
        assert_eq!(entries(&path, upto).unwrap(), (Vec::new(), upto));
        fs::write(&path, "").unwrap();
        assert_eq!(entries(&path, upto).unwrap(), (Vec::new(), 0), "it was cut: from there on");
    }
}
