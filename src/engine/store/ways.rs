//! How the outputs of each script are put together, in the database; and which jobs have taught what they can.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::db;
use crate::engine::triage::{Book, Pattern, Specimen, Ways};
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
    let rows = query.query_map([i64::try_from(job).unwrap_or(0)], specimen)?;
    rows.collect()
}

/// State, exit code, the lines that tell.
fn specimen(row: &Row<'_>) -> rusqlite::Result<Specimen> {
    Ok(Specimen {
        state: RunState::from_word(&row.get::<_, String>(0)?).unwrap_or(RunState::Failed),
        exit_code: row.get(1)?,
        told: serde_json::from_str::<Vec<String>>(&row.get::<_, String>(2)?).unwrap_or_default().into(),
        recorded: None,
    })
}

/// Earlier jobs of a script, and ends of theirs, that a new end is held against.
const JOBS_BACK: u32 = 200;
const ENDS_BACK: u32 = 4000;

/// The name that the script's own ways give this end, if no earlier job of it ended in a way of that name. `None`: one
/// did. Where people and rules have said nothing and nothing was learnt, the recorded names say so alone.
pub fn unmet(
    connection: &Connection,
    script: &str,
    id: JobId,
    name: &str,
    end: &Specimen,
) -> rusqlite::Result<Option<String>> {
    let recorded = db::met_before(connection, script, id, name)?;
    let book = read(connection, script)?;
    let finer = !book.rules.is_empty() || !book.split.is_empty();
    if recorded && !finer {
        return Ok(None);
    }
    if !finer && book.merged.is_empty() && book.learnt.is_empty() {
        return Ok(Some(name.to_owned()));
    }
    let ways = Ways::of(book);
    let named = ways.name(end).name;
    let mut query = connection.prepare_cached(
        "SELECT DISTINCT state, exit_code, told FROM runs WHERE told IS NOT NULL AND state IN ('failed', 'timeout')
         AND job IN (SELECT id FROM jobs WHERE script = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3) LIMIT ?4",
    )?;
    let before = params![script, i64::try_from(id).unwrap_or(i64::MAX), JOBS_BACK, ENDS_BACK];
    let mut ends = query.query_map(before, specimen)?;
    let met = ends.try_fold(false, |met, end| end.map(|end| met || ways.name(&end).name == named))?;
    Ok((!met).then_some(named))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::db::Db;
    use crate::engine::store::launches;
    use crate::model::job::{Job, JobSummary, Run, Signature};
    use crate::model::state::{Counts, JobState};

    fn end(line: &str) -> Specimen {
        Specimen { state: RunState::Failed, exit_code: Some(3), told: [line.to_owned()].into(), recorded: None }
    }

    fn recorded(end: &Specimen) -> String {
        end.name(&end.template())
    }

    /// Is it new to the second job, with this in the book?
    async fn is_new(line: &str, book: serde_json::Value) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("store.db")).unwrap();
        let disk = end("the disk is gone");
        let signature = Signature { name: recorded(&disk), says: String::new(), told: Some(disk.told) };
        let run = Run {
            state: RunState::Failed,
            exit_code: Some(3),
            signature: Some(signature),
            ..Run::queued(0, "lab:a", "a")
        };
        let summary = JobSummary {
            script: "odd.sh".into(),
            ..JobSummary::sample(0, JobState::Done, Counts::of([RunState::Failed]))
        };
        let mut job = Job::sample(summary, vec![run]);
        let now = end(line);
        db.call(move |db| {
            job.summary.id = launches::insert(db, &job, &launches::Launched::default())?;
            let id = job.summary.id;
            db::update(db, &[(job.summary, job.runs)], |_| Ok(()))?;
            write(db, "odd.sh", &serde_json::from_value(book).unwrap())?;
            unmet(db, "odd.sh", id + 1, &recorded(&now), &now)
        })
        .await
        .unwrap()
        .is_some()
    }

    #[tokio::test]
    async fn an_end_that_was_merged_into_a_known_one_is_not_new() {
        let nothing = serde_json::json!({});
        assert!(!is_new("the disk is gone", nothing.clone()).await);
        assert!(is_new("the door is gone", nothing).await);
        let merged = |what: &str, into: &str| {
            let merge = serde_json::json!({
                "what": end(what), "into": end(into), "by": "ops", "at": "2026-01-01T00:00:00Z",
            });
            serde_json::json!({ "merged": [merge] })
        };
        assert!(!is_new("the door is gone", merged("the door is gone", "the disk is gone")).await);
        assert!(!is_new("the door is gone", merged("the disk is gone", "the door is gone")).await);
        assert!(is_new("the roof is gone", merged("the door is gone", "the disk is gone")).await);
    }
}
