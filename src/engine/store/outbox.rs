//! Transitions that are told by HTTP: noted in the transaction that records them, kept until they were delivered or
//! given up. What was noted once is never noted again, whatever engine comes next.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::Notify;

use crate::model::job::JobSummary;
use crate::model::notify::{Turn, Webhook};

/// More undelivered ones are not kept: the receiver has been away for too long.
const FULL: i64 = 1_000;

/// Whom to tell, and the bell of whoever does.
#[derive(Default)]
pub struct Outbox {
    pub hooks: Vec<Webhook>,
    pub bell: Arc<Notify>,
}

impl Outbox {
    /// Work for the transaction that records these jobs: notes what happened to them.
    pub fn noting(
        &self,
        happened: Vec<(Vec<Turn>, JobSummary)>,
    ) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static {
        let (hooks, bell) = (self.hooks.clone(), Arc::clone(&self.bell));
        move |db| {
            for (turns, job) in happened {
                for turn in turns {
                    let dropped = note(db, &job, &turn, &hooks)?;
                    if dropped > 0 {
                        tracing::error!(job = job.id, key = turn.key, "too many webhooks wait: one is not told");
                    }
                }
            }
            // (heard once the transaction is through: the same thread works for whoever is woken)
            bell.notify_one();
            Ok(())
        }
    }
}

/// One to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub id: i64,
    pub url: String,
    pub body: String,
    /// Deliveries that failed.
    pub tries: u32,
}

/// Notes a transition for every hook that wants it. How many were dropped because too many wait already.
pub fn note(db: &Connection, job: &JobSummary, turn: &Turn, hooks: &[Webhook]) -> rusqlite::Result<u32> {
    let id = i64::try_from(job.id).unwrap_or(0);
    let new = db.prepare_cached("INSERT OR IGNORE INTO turns (job, key, at) VALUES (?1, ?2, ?3)")?.execute(params![
        id,
        turn.key,
        Timestamp::now().as_millisecond()
    ])?;
    let mut dropped = 0;
    for hook in hooks.iter().filter(|hook| new > 0 && hook.on.contains(&turn.kind)) {
        let waiting: i64 = db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?;
        if waiting >= FULL {
            dropped += 1;
            continue;
        }
        db.prepare_cached("INSERT INTO outbox (url, body, tries, due) VALUES (?1, ?2, 0, 0)")?
            .execute(params![hook.url, body(job, turn)])?;
    }
    Ok(dropped)
}

/// What is posted.
fn body(job: &JobSummary, turn: &Turn) -> String {
    serde_json::json!({
        "schema_version": 1,
        "event": turn.kind.word(),
        "key": format!("{}:{}", job.id, turn.key),
        "text": turn.text,
        "job": job,
    })
    .to_string()
}

/// The next one that is due, and when there is one to come.
pub fn next(db: &Connection, now: i64) -> rusqlite::Result<(Option<Letter>, Option<i64>)> {
    let found = db
        .prepare_cached("SELECT id, url, body, tries, due FROM outbox ORDER BY due, id LIMIT 1")?
        .query_row([], |row| {
            let letter = Letter { id: row.get(0)?, url: row.get(1)?, body: row.get(2)?, tries: row.get(3)? };
            Ok((letter, row.get::<_, i64>(4)?))
        })
        .optional()?;
    Ok(match found {
        Some((letter, due)) if due <= now => (Some(letter), None),
        Some((_, due)) => (None, Some(due)),
        None => (None, None),
    })
}

/// Delivered, or given up.
pub fn done(db: &Connection, id: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM outbox WHERE id = ?1", [id])?;
    Ok(())
}

/// To be tried again at that moment (Unix ms).
pub fn later(db: &Connection, id: i64, due: i64) -> rusqlite::Result<()> {
    db.execute("UPDATE outbox SET tries = tries + 1, due = ?2 WHERE id = ?1", params![id, due])?;
    Ok(())
}
