//! The log that other programs read: runs that ended (put there by the database itself, in the order in which their ends
//! were recorded) and entries of the audit log (taken over when somebody asks). It only grows, so that a number in it is
//! a place to go on from.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::db::at;
use crate::model::job::JobId;

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub id: u64,
    pub at: jiff::Timestamp,
    /// A run that ended: of which job, its index.
    pub run: Option<(JobId, u32)>,
    /// An entry of the audit log.
    pub entry: Option<String>,
}

fn line(row: &rusqlite::Row<'_>) -> rusqlite::Result<Line> {
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok(Line {
        id: number(row.get(0)?),
        at: at(row.get(1)?),
        run: row.get::<_, Option<i64>>(2)?.map(number).zip(row.get(3)?),
        entry: row.get(4)?,
    })
}

const LINE: &str = "SELECT logs.id, logs.at, logs.job, logs.run, logs.entry FROM logs";

fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Lines behind a number in one direction, as long as they are asked for.
pub fn each(
    connection: &Connection,
    after: Option<u64>,
    descending: bool,
    mut tell: impl FnMut(Line) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (sign, order, from) =
        if descending { ("<", "DESC", after.map_or(i64::MAX, key)) } else { (">", "ASC", after.map_or(-1, key)) };
    let mut query = connection.prepare_cached(&format!("{LINE} WHERE id {sign} ?1 ORDER BY id {order}"))?;
    let mut rows = query.query([from])?;
    while let Some(row) = rows.next()? {
        if !tell(line(row)?)? {
            break;
        }
    }
    Ok(())
}

/// The same, of one device's runs alone.
pub fn of_device(
    connection: &Connection,
    device: &str,
    after: Option<u64>,
    descending: bool,
    most: usize,
) -> rusqlite::Result<Vec<Line>> {
    let (sign, order, from) =
        if descending { ("<", "DESC", after.map_or(i64::MAX, key)) } else { (">", "ASC", after.map_or(-1, key)) };
    let mut query = connection.prepare_cached(&format!(
        "{LINE} JOIN runs ON runs.job = logs.job AND runs.idx = logs.run
         WHERE runs.device = ?2 AND logs.job IS NOT NULL AND logs.id {sign} ?1 ORDER BY logs.id {order} LIMIT ?3"
    ))?;
    let rows = query.query_map(params![from, device, i64::try_from(most).unwrap_or(i64::MAX)], line)?;
    rows.collect()
}

pub fn one(connection: &Connection, id: u64) -> rusqlite::Result<Option<Line>> {
    connection.prepare_cached(&format!("{LINE} WHERE id = ?1"))?.query_row([key(id)], line).optional()
}

/// Where the runs of a job stand in it.
pub fn of_job(connection: &Connection, job: JobId) -> rusqlite::Result<HashMap<u32, u64>> {
    let mut query =
        connection.prepare_cached("SELECT run, max(id) FROM logs WHERE job = ?1 AND job IS NOT NULL GROUP BY run")?;
    let rows =
        query.query_map([key(job)], |row| Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0))))?;
    rows.collect()
}

/// Up to which byte of the audit log its entries were taken over.
pub fn read_upto(connection: &Connection) -> rusqlite::Result<u64> {
    let upto: Option<i64> = connection.query_row("SELECT upto FROM logs_read", [], |row| row.get(0)).optional()?;
    Ok(upto.and_then(|upto| u64::try_from(upto).ok()).unwrap_or(0))
}

/// Takes entries over, once: `from` is where the last time ended.
pub fn take_over(
    connection: &mut Connection,
    entries: &[(jiff::Timestamp, String)],
    from: u64,
    upto: u64,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if read_upto(&transaction)? != from {
        return Ok(()); // somebody else was quicker
    }
    {
        let mut put = transaction.prepare_cached("INSERT INTO logs (at, entry) VALUES (?1, ?2)")?;
        for (at, entry) in entries {
            put.execute(params![at.as_millisecond(), entry])?;
        }
    }
    transaction.execute(
        "INSERT INTO logs_read (id, upto) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET upto = ?1",
        [key(upto)],
    )?;
    transaction.commit()
}
