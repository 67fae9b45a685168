//! How the outputs of each script are put together, in the database; and which jobs have taught what they can.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::engine::triage::{Book, Pattern, Specimen};
use crate::model::job::JobId;
use crate::model::state::RunState;
use crate::model::ways::Rule;

pub fn read(connection: &Connection, script: &str) -> rusqlite::Result<Book> {
    let book: Option<String> = connection
        .prepare_cached("SELECT book FROM ways WHERE script = ?1")?
        .query_row([script], |row| row.get(0))
        .optional()?;
    Ok(book.and_then(|book| serde_json::from_str(&book).ok()).unwrap_or_default())
}

/// Changes the book of a script, if `change` agrees to what it finds there.
pub fn change<T>(
    connection: &mut Connection,
    script: &str,
    change: impl FnOnce(&mut Book) -> Result<T, String>,
) -> rusqlite::Result<Result<T, String>> {
    let transaction = connection.transaction()?;
    let mut book = read(&transaction, script)?;
    let rules = book.rules.clone();
    let done = change(&mut book);
    if done.is_ok() {
        if rules != book.rules {
            // what was learnt was learnt by other rules: every job teaches anew
            book.learnt.clear();
            transaction.execute("UPDATE jobs SET learnt = 0 WHERE script = ?1", [script])?;
        }
        write(&transaction, script, &book)?;
    }
    transaction.commit()?;
    Ok(done)
}

fn write(connection: &Connection, script: &str, book: &Book) -> rusqlite::Result<()> {
    let book = serde_json::to_string(book).unwrap_or_default();
    connection.execute("INSERT OR REPLACE INTO ways (script, book) VALUES (?1, ?2)", [script, &book])?;
    Ok(())
}

/// A script has another name now, and what is known of it comes along.
pub fn rename(connection: &Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    connection.execute("UPDATE OR IGNORE ways SET script = ?2 WHERE script = ?1", [from, to])?;
    Ok(())
}

/// A job of this script is kept.
pub fn ran(connection: &Connection, script: &str) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached("SELECT 1 FROM jobs WHERE script = ?1 LIMIT 1")?;
    query.exists([script])
}

/// Jobs of a script that have ended and taught nothing yet, oldest first.
pub fn unlearnt(connection: &Connection, script: &str) -> rusqlite::Result<Vec<JobId>> {
    let mut query = connection
        .prepare_cached("SELECT id FROM jobs WHERE script = ?1 AND learnt = 0 AND state <> 'running' ORDER BY id")?;
    let rows = query.query_map([script], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(|id| JobId::try_from(id).unwrap_or(0))).collect()
}

/// How the runs of a job ended, each way once.
pub fn ends(connection: &Connection, job: JobId) -> rusqlite::Result<Vec<Specimen>> {
    let mut query = connection
        .prepare_cached("SELECT DISTINCT state, exit_code, told FROM runs WHERE job = ?1 AND told IS NOT NULL")?;
    let rows = query.query_map([i64::try_from(job).unwrap_or(0)], |row| {
        Ok(Specimen {
            state: RunState::from_word(&row.get::<_, String>(0)?).unwrap_or(RunState::Failed),
            exit_code: row.get(1)?,
            told: serde_json::from_str::<Vec<String>>(&row.get::<_, String>(2)?).unwrap_or_default().into(),
            recorded: None,
        })
    })?;
    rows.collect()
}

/// What a job taught by these rules; nothing is kept when they have changed meanwhile.
pub fn learnt(
    connection: &mut Connection,
    script: &str,
    job: JobId,
    rules: &[Rule],
    patterns: impl IntoIterator<Item = Pattern>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut book = read(&transaction, script)?;
    if book.rules == rules {
        let before = book.learnt.len();
        book.learn(patterns);
        if book.learnt.len() > before {
            write(&transaction, script, &book)?;
        }
        transaction.execute("UPDATE jobs SET learnt = 1 WHERE id = ?1", [i64::try_from(job).unwrap_or(0)])?;
    }
    transaction.commit()
}

/// A name that no run was recorded under: an end that has it, and the script whose ways make it.
pub fn name(connection: &Connection, name: &str, script: &str, says: &str, end: &Specimen) -> rusqlite::Result<()> {
    let end = serde_json::to_string(end).unwrap_or_default();
    connection
        .prepare_cached("INSERT OR REPLACE INTO names (name, script, says, specimen) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name, script, says, end])?;
    Ok(())
}
