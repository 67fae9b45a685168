//! Jobs that a system ran without us, kept as jobs of ours: which of its numbers is which job, and how far its list was
//! gone through. A number is brought in once, also when its job was forgotten here since. What a device said is written
//! before it is written down that it is there: a bringing-in that was cut off is done again, and says nothing twice.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::output::{self, Totals, Writer};
use super::{Store, db, door};
use crate::model::job::{Job, JobId};
use crate::model::output::Stream;

/// What is known of one of a system's jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// 0: it is one of ours anyway.
    pub job: JobId,
    /// Empty: it was not brought in whole.
    pub mark: String,
    /// It may still change.
    pub open: bool,
}

/// All of a system's numbers.
pub fn known(connection: &Connection, system: &str) -> rusqlite::Result<HashMap<String, Known>> {
    let mut query = connection.prepare_cached("SELECT number, job, mark, open FROM imported WHERE connection = ?1")?;
    let rows = query.query_map([system], |row| {
        let job = JobId::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok((row.get(0)?, Known { job, mark: row.get(2)?, open: row.get(3)? }))
    })?;
    rows.collect()
}

/// Begins to bring a job in: its row, all runs as they are, and that it is not whole yet.
pub fn begin(
    connection: &mut Connection,
    system: &str,
    number: &str,
    (job, variables): (&Job, bool),
) -> rusqlite::Result<JobId> {
    let transaction = connection.transaction()?;
    let id = db::put_job(&transaction, job)?;
    door::tie(&transaction, id, None, variables)?;
    set(&transaction, system, number, &Known { job: id, mark: String::new(), open: true })?;
    transaction.commit()?;
    Ok(id)
}

/// The job is as its system says.
pub fn keep(connection: &mut Connection, system: &str, number: &str, known: &Known, job: &Job) -> rusqlite::Result<()> {
    let changes = [(job.summary.clone(), job.runs.clone())];
    db::update(connection, &changes, |transaction| set(transaction, system, number, known))
}

pub fn set(connection: &Connection, system: &str, number: &str, known: &Known) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO imported (connection, number, job, mark, open) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (connection, number) DO UPDATE SET job = ?3, mark = ?4, open = ?5",
        params![system, number, i64::try_from(known.job).unwrap_or(0), known.mark, known.open],
    )?;
    Ok(())
}

/// Where the list is to be gone on with.
pub fn cursor(connection: &Connection, system: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT after FROM import_cursors WHERE connection = ?1")?
        .query_row([system], |row| row.get(0))
        .optional()
}

pub fn set_cursor(connection: &Connection, system: &str, after: &str) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO import_cursors (connection, after) VALUES (?1, ?2) ON CONFLICT (connection) DO UPDATE SET after = ?2",
        [system, after],
    )?;
    Ok(())
}

impl Store {
    /// Makes room for what the devices of a job said; what an earlier try left is gone.
    pub fn renew(&self, job: JobId) -> io::Result<()> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        let folder = self.job_folder(job);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(folder)
    }

    /// Keeps what a device said, whole: once, however often it is asked for.
    pub fn put_output(&self, job: JobId, (run, of): (u32, u32), said: &[u8], at_ms: u64) -> io::Result<Totals> {
        if said.is_empty() {
            return Ok(Totals::default());
        }
        let files = match self.open_run(job, run)? {
            Some(files) => {
                let there = output::totals(&files)?;
                if there.bytes == said.len() as u64 {
                    return Ok(there);
                }
                // cut off half way: files of its own go before what is there
                let (out, idx) = self.single(job, run);
                for path in [idx, out] {
                    match fs::remove_file(path) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
                self.create_own(job, run)?
            }
            None => self.create(job, run, of, said.len())?,
        };
        let mut writer = Writer::new(Arc::new(files));
        if !writer.has_room(said.len())? {
            writer.move_to(Arc::new(self.create_own(job, run)?))?;
        }
        writer.append(Stream::Out, said, at_ms)?;
        let lines = memchr::memchr_iter(b'\n', said).count() as u64 + u64::from(!said.ends_with(b"\n"));
        Ok(Totals { bytes: said.len() as u64, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_kept_once_and_whole_whatever_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.renew(7).unwrap();
        let large = b"line\n".repeat(100_000);
        let told = store.put_output(7, (0, 8), b"ok\nfine", 1).unwrap();
        assert_eq!((told.bytes, told.lines), (7, 2));
        assert_eq!(store.put_output(7, (0, 8), b"ok\nfine", 2).unwrap(), told, "a second time nothing is added");
        // cut off: only a part had been written
        store.put_output(7, (1, 8), b"lin", 1).unwrap();
        assert_eq!(store.put_output(7, (1, 8), &large, 2).unwrap().lines, 100_000);
        for (run, said) in [(0, &b"ok\nfine"[..]), (1, &large)] {
            assert!(store.open_run(7, run).unwrap().unwrap().whole().unwrap().0 == said, "run {run}");
        }
        assert_eq!(store.put_output(7, (2, 8), b"", 1).unwrap(), Totals::default());
        assert!(store.open_run(7, 2).unwrap().is_none());
        store.renew(7).unwrap();
        assert!(store.open_run(7, 0).unwrap().is_none());
    }
}
