//! The database: jobs, runs, reachability. One connection on one thread; callers await their answer, so
//! there is one writer and no lock to wait for.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

use super::output::timestamp;
use crate::model::device::Reach;
use crate::model::job::{Job, JobId, JobSummary, Run, Signature};
use crate::model::state::{Counts, JobState, RunState};

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("cannot use the job store {0}: {1}; it was left as it is (move it away to begin anew)")]
    Open(String, rusqlite::Error),
    #[error("the job store was written by a newer quarterdeck (schema {0}, this one knows {SCHEMA})")]
    Newer(i64),
    #[error("the job store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the job store has closed")]
    Closed,
}

const SCHEMA: i64 = 16;

/// Each step brings the schema one further.
const MIGRATIONS: [&str; SCHEMA as usize] = [
    "
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        script TEXT NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL,
        created_at INTEGER NOT NULL, finished_at INTEGER,
        target TEXT NOT NULL, launched_by TEXT NOT NULL, reason TEXT,
        params TEXT NOT NULL, timeout_ms INTEGER, at_once INTEGER NOT NULL, counts TEXT NOT NULL
    );
    CREATE INDEX jobs_by_script ON jobs (script, id);
    CREATE TABLE runs (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        idx INTEGER NOT NULL, device TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
        exit_code INTEGER, signal TEXT, reason TEXT, started_at INTEGER, finished_at INTEGER,
        bytes INTEGER NOT NULL, lines INTEGER NOT NULL, last_line TEXT NOT NULL, attempts INTEGER NOT NULL,
        PRIMARY KEY (job, idx)
    ) WITHOUT ROWID;
    CREATE TABLE reach (
        device TEXT PRIMARY KEY, state TEXT NOT NULL, last_contact INTEGER, last_error TEXT
    ) WITHOUT ROWID;
",
    "
    CREATE TABLE versions (
        script TEXT NOT NULL, number INTEGER NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL,
        saved_by TEXT NOT NULL, size INTEGER NOT NULL, why TEXT NOT NULL,
        PRIMARY KEY (script, number)
    ) WITHOUT ROWID;
    CREATE INDEX versions_by_version ON versions (version);
    CREATE INDEX jobs_by_version ON jobs (version);
",
    "
    ALTER TABLE runs ADD COLUMN signature TEXT;
    ALTER TABLE runs ADD COLUMN says TEXT;
    ALTER TABLE runs ADD COLUMN digest TEXT;
    CREATE INDEX runs_by_signature ON runs (signature) WHERE signature IS NOT NULL;
",
    // remarks: on a signature (with lines that have it, so that it is found under other rules as well) or `job:ID`
    "
    ALTER TABLE runs ADD COLUMN told TEXT;
    CREATE TABLE remarks (
        subject TEXT PRIMARY KEY, says TEXT NOT NULL, specimen TEXT,
        note TEXT, note_by TEXT, note_at INTEGER, acked_by TEXT, acked_at INTEGER, runbook TEXT
    ) WITHOUT ROWID;
",
    "
    CREATE INDEX runs_by_device ON runs (device, job);
    ALTER TABLE jobs ADD COLUMN parent INTEGER;
",
    "
    CREATE TABLE audit (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
    CREATE TABLE audit_settings (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL);
",
    "
    ALTER TABLE jobs ADD COLUMN rollout TEXT;
    ALTER TABLE jobs ADD COLUMN progress TEXT;
    ALTER TABLE runs ADD COLUMN tries TEXT;
",
    "
    CREATE TABLE turns (
        job INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (job, key)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, body TEXT NOT NULL,
        tries INTEGER NOT NULL, due INTEGER NOT NULL
    );
",
    "
    CREATE TABLE ways (script TEXT PRIMARY KEY, book TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE names (
        name TEXT PRIMARY KEY, script TEXT NOT NULL, says TEXT NOT NULL, specimen TEXT NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE jobs ADD COLUMN learnt INTEGER NOT NULL DEFAULT 0;
",
    // (most runs end with 0: they are not in it)
    "
    CREATE INDEX runs_by_code ON runs (exit_code, job) WHERE exit_code <> 0;
",
    "
    CREATE TABLE launches (
        job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, launch TEXT NOT NULL
    ) WITHOUT ROWID;
",
    // jobs that a system ran without us; one that is forgotten here is not brought in again (no reference)
    "
    ALTER TABLE jobs ADD COLUMN options TEXT;
    ALTER TABLE jobs ADD COLUMN origin TEXT;
    CREATE TABLE imported (
        connection TEXT NOT NULL, number TEXT NOT NULL, job INTEGER NOT NULL, mark TEXT NOT NULL, open INTEGER NOT NULL,
        PRIMARY KEY (connection, number)
    ) WITHOUT ROWID;
    CREATE TABLE import_cursors (connection TEXT PRIMARY KEY, after TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX jobs_by_time ON jobs (created_at, id);
",
    "
    CREATE TABLE tokens (
        hash BLOB PRIMARY KEY, name TEXT NOT NULL, scopes TEXT NOT NULL, groups TEXT,
        created_at INTEGER NOT NULL, used_at INTEGER, revoked_at INTEGER
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL;
    CREATE TABLE hooked (mark TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX hooked_by_time ON hooked (at);
",
    // for the API of other programs: numbers of names (AUTOINCREMENT: none is given twice), what was ordered over it,
    // custom attributes, and a log that only grows, into which runs come by themselves when they end
    "
    CREATE TABLE numbered (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, title TEXT,
        variables INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        UNIQUE (kind, name)
    );
    CREATE TABLE orders (
        job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, made_by TEXT NOT NULL, script INTEGER,
        title TEXT, variables INTEGER NOT NULL, attribute TEXT, regex TEXT, targets TEXT NOT NULL, kept INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE attributes (name TEXT COLLATE NOCASE PRIMARY KEY, default_value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE attribute_values (
        device TEXT NOT NULL, name TEXT COLLATE NOCASE NOT NULL REFERENCES attributes (name) ON DELETE CASCADE,
        value TEXT NOT NULL, PRIMARY KEY (device, name)
    ) WITHOUT ROWID;
    CREATE INDEX values_by_name ON attribute_values (name);
    ALTER TABLE jobs ADD COLUMN updated_at INTEGER;
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
        job INTEGER REFERENCES jobs (id) ON DELETE CASCADE, run INTEGER, entry TEXT
    );
    CREATE INDEX logs_by_run ON logs (job, run) WHERE job IS NOT NULL;
    CREATE TABLE logs_read (id INTEGER PRIMARY KEY CHECK (id = 1), upto INTEGER NOT NULL);
    INSERT INTO logs (at, job, run)
        SELECT finished_at, job, idx FROM runs WHERE finished_at IS NOT NULL ORDER BY finished_at, job, idx;
    CREATE TRIGGER run_ended AFTER UPDATE OF finished_at ON runs
        WHEN NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL
        BEGIN INSERT INTO logs (at, job, run) VALUES (NEW.finished_at, NEW.job, NEW.idx); END;
    CREATE TRIGGER run_came_ended AFTER INSERT ON runs WHEN NEW.finished_at IS NOT NULL
        BEGIN INSERT INTO logs (at, job, run) VALUES (NEW.finished_at, NEW.job, NEW.idx); END;
",
    // which script of the library a job ran, whatever that is called by now, and whether its variables were filled in
    "
    ALTER TABLE jobs ADD COLUMN numbered INTEGER;
    ALTER TABLE jobs ADD COLUMN variables INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET
        numbered = COALESCE((SELECT script FROM orders WHERE job = jobs.id),
                            (SELECT id FROM numbered WHERE kind = 'script' AND name = jobs.script)),
        variables = COALESCE((SELECT json_extract(launch, '$.variables') FROM launches WHERE job = jobs.id), 0);
",
    "
    ALTER TABLE runs ADD COLUMN sent_at INTEGER;
",
];

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the thread; clones share it. The thread ends when the last one is dropped.
#[derive(Clone)]
pub struct Db {
    work: mpsc::Sender<Work>,
    path: Arc<Path>,
}

impl Db {
    pub fn open(path: &Path) -> Result<Self, DbError> {
        let named = |error| DbError::Open(path.display().to_string(), error);
        let mut connection = Connection::open(path).map_err(named)?;
        prepare(&mut connection).map_err(|error| match error {
            DbError::Sqlite(error) => named(error),
            other => other,
        })?;
        // deep enough that a burst of readers never waits on the channel itself
        let (work, mut todo) = mpsc::channel::<Work>(256);
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Some(work) = todo.blocking_recv() {
                    work(&mut connection);
                }
            })
            .map_err(|_| DbError::Closed)?;
        Ok(Self { work, path: path.into() })
    }

    /// Runs `f` on the store's thread.
    pub async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let _ = answer.send(f(connection));
        });
        self.work.send(work).await.map_err(|_| DbError::Closed)?;
        Ok(answered.await.map_err(|_| DbError::Closed)??)
    }
}

impl Db {
    /// A connection that only reads, for who looks at much: it waits for no writer, and none waits for it.
    pub fn reader(&self) -> Result<Connection, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}

/// Another process may be writing; nobody writes for longer.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

fn prepare(connection: &mut Connection) -> Result<(), DbError> {
    // NORMAL: a killed process loses nothing, a power cut perhaps the last moment
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;",
    )?;
    let have: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if have > SCHEMA {
        return Err(DbError::Newer(have));
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(usize::try_from(have).unwrap_or(0)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", step + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

pub(super) fn ms(at: jiff::Timestamp) -> i64 {
    at.as_millisecond()
}

pub(super) fn at(ms: i64) -> jiff::Timestamp {
    timestamp(u64::try_from(ms).unwrap_or(0))
}

/// Writes a new job with all its runs queued; returns its id.
pub(super) fn put_job(transaction: &Connection, job: &Job) -> rusqlite::Result<JobId> {
    let summary = &job.summary;
    transaction.execute(
        "INSERT INTO jobs (script, version, state, created_at, target, launched_by, params, timeout_ms, at_once, counts,
                           rollout, progress, parent, options, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            summary.script,
            summary.version,
            summary.state.word(),
            ms(summary.created_at),
            summary.target,
            summary.by,
            json(&job.params),
            job.timeout_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
            job.at_once,
            json(&summary.counts),
            (!job.rollout.is_plain()).then(|| json(&job.rollout)),
            progress(summary),
            summary.parent.and_then(|id| i64::try_from(id).ok()),
            (!job.options.is_empty()).then(|| json(&job.options)),
            summary.origin,
        ],
    )?;
    let id = transaction.last_insert_rowid();
    {
        let mut insert = transaction.prepare(
            "INSERT INTO runs (job, idx, device, name, state, bytes, lines, last_line, attempts) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '', 0)",
        )?;
        for run in &job.runs {
            insert.execute(params![id, run.index, run.device, run.name, run.state.word()])?;
        }
    }
    Ok(JobId::try_from(id).unwrap_or(0))
}

/// `None` where there is nothing beyond the states of the runs.
fn progress(summary: &JobSummary) -> Option<String> {
    (!summary.progress.is_plain()).then(|| json(&summary.progress))
}

/// What a column holds as JSON; nothing, where it holds none.
fn read<T: serde::de::DeserializeOwned + Default>(column: Option<String>) -> T {
    column.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn lines(json: &str) -> Option<Arc<[String]>> {
    serde_json::from_str::<Vec<String>>(json).ok().map(Arc::from)
}

/// Writes jobs and runs as they now are, and `also` something else, all or nothing.
pub fn update(
    connection: &mut Connection,
    changes: &[(JobSummary, Vec<Run>)],
    also: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut job = transaction.prepare_cached(
            "UPDATE jobs SET state = ?2, finished_at = ?3, reason = ?4, counts = ?5, progress = ?6, updated_at = ?7
             WHERE id = ?1",
        )?;
        let now = ms(jiff::Timestamp::now());
        let mut run = transaction.prepare_cached(
            "UPDATE runs SET state = ?3, exit_code = ?4, signal = ?5, reason = ?6, started_at = ?7, finished_at = ?8,
             bytes = ?9, lines = ?10, last_line = ?11, attempts = ?12, signature = ?13, says = ?14, digest = ?15, told = ?16,
             tries = ?17, sent_at = ?18
             WHERE job = ?1 AND idx = ?2",
        )?;
        for (summary, runs) in changes {
            let id = i64::try_from(summary.id).unwrap_or(0);
            job.execute(params![
                id,
                summary.state.word(),
                summary.finished_at.map(ms),
                summary.reason,
                json(&summary.counts),
                progress(summary),
                now
            ])?;
            for r in runs {
                run.execute(params![
                    id,
                    r.index,
                    r.state.word(),
                    r.exit_code,
                    r.signal,
                    r.reason,
                    r.started_at.map(ms),
                    r.finished_at.map(ms),
                    i64::try_from(r.bytes).unwrap_or(i64::MAX),
                    i64::try_from(r.lines).unwrap_or(i64::MAX),
                    r.last_line,
                    r.attempts,
                    r.signature.as_ref().map(|signature| &signature.name),
                    r.signature.as_ref().map(|signature| &signature.says),
                    r.digest,
                    r.signature.as_ref().and_then(|signature| signature.told.as_deref()).map(|told| json(&told)),
                    (!r.tries.is_empty()).then(|| json(&r.tries)),
                    r.sent_at.map(ms)
                ])?;
            }
        }
    }
    also(&transaction)?;
    transaction.commit()
}

pub(super) const JOB: &str =
    "SELECT id, script, version, state, created_at, finished_at, target, launched_by, reason, counts, progress,
    params, timeout_ms, at_once, rollout, parent, origin, options FROM jobs";

fn job_state(word: &str) -> JobState {
    [JobState::Running, JobState::Done, JobState::Stopped, JobState::Cancelled]
        .into_iter()
        .find(|state| state.word() == word)
        .unwrap_or(JobState::Interrupted)
}

pub(super) fn summary(row: &rusqlite::Row<'_>) -> rusqlite::Result<JobSummary> {
    Ok(JobSummary {
        id: JobId::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        script: row.get(1)?,
        version: row.get(2)?,
        state: job_state(&row.get::<_, String>(3)?),
        created_at: at(row.get(4)?),
        finished_at: row.get::<_, Option<i64>>(5)?.map(at),
        target: row.get(6)?,
        by: row.get(7)?,
        reason: row.get(8)?,
        counts: serde_json::from_str::<Counts>(&row.get::<_, String>(9)?).unwrap_or_default(),
        progress: read(row.get(10)?),
        parent: row.get::<_, Option<i64>>(15)?.and_then(|id| JobId::try_from(id).ok()),
        origin: row.get(16)?,
    })
}

pub fn summary_of(connection: &Connection, id: JobId) -> rusqlite::Result<Option<JobSummary>> {
    let key = i64::try_from(id).unwrap_or(0);
    connection.prepare_cached(&format!("{JOB} WHERE id = ?1"))?.query_row([key], summary).optional()
}

/// Newest first.
pub fn jobs(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<JobSummary>> {
    let mut query = connection.prepare_cached(&format!("{JOB} ORDER BY created_at DESC, id DESC LIMIT ?1"))?;
    let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], summary)?;
    rows.collect()
}

/// How much a run has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub run: u32,
    pub bytes: u64,
    pub lines: u64,
    pub ended: bool,
}

/// Of this run of a job, or of all: the whole of them is a hundred times as much.
pub fn said(connection: &Connection, id: JobId, run: Option<u32>) -> rusqlite::Result<Vec<Said>> {
    let mut query = connection.prepare_cached(
        "SELECT idx, bytes, lines, state FROM runs WHERE job = ?1 AND (?2 IS NULL OR idx = ?2) ORDER BY idx",
    )?;
    let rows = query.query_map(params![i64::try_from(id).unwrap_or(0), run], |row| {
        let count = |at: usize| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
        let state = RunState::from_word(&row.get::<_, String>(3)?).unwrap_or(RunState::Failed);
        Ok(Said { run: row.get(0)?, bytes: count(1)?, lines: count(2)?, ended: state.ended() })
    })?;
    rows.collect()
}

/// Jobs of ours that were running when the store was last written.
pub fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<JobId>> {
    let mut query = connection.prepare("SELECT id FROM jobs WHERE state = 'running' AND origin IS NULL")?;
    let rows = query.query_map([], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(|id| JobId::try_from(id).unwrap_or(0))).collect()
}

pub fn job(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    let key = i64::try_from(id).unwrap_or(0);
    let job = connection
        .query_row(&format!("{JOB} WHERE id = ?1"), [key], |row| {
            Ok(Job {
                summary: summary(row)?,
                params: serde_json::from_str(&row.get::<_, String>(11)?).unwrap_or_default(),
                timeout_ms: row.get::<_, Option<i64>>(12)?.and_then(|ms| u64::try_from(ms).ok()),
                at_once: row.get(13)?,
                options: read(row.get(17)?),
                rollout: read(row.get(14)?),
                runs: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut job) = job else { return Ok(None) };
    let mut query = connection.prepare_cached(
        "SELECT idx, device, name, state, exit_code, signal, reason, started_at, finished_at, bytes, lines, last_line, attempts,
                signature, says, digest, told, tries, sent_at
         FROM runs WHERE job = ?1 ORDER BY idx",
    )?;
    let rows = query.query_map([key], |row| {
        Ok(Run {
            index: row.get(0)?,
            device: row.get(1)?,
            name: row.get(2)?,
            state: RunState::from_word(&row.get::<_, String>(3)?).unwrap_or(RunState::Failed),
            exit_code: row.get(4)?,
            signal: row.get(5)?,
            reason: row.get(6)?,
            started_at: row.get::<_, Option<i64>>(7)?.map(at),
            finished_at: row.get::<_, Option<i64>>(8)?.map(at),
            bytes: u64::try_from(row.get::<_, i64>(9)?).unwrap_or(0),
            lines: u64::try_from(row.get::<_, i64>(10)?).unwrap_or(0),
            last_line: row.get(11)?,
            attempts: row.get(12)?,
            signature: row
                .get::<_, Option<String>>(13)?
                .zip(row.get::<_, Option<String>>(14)?)
                .zip(Some(row.get::<_, Option<String>>(16)?))
                .map(|((name, says), told)| Signature { name, says, told: told.and_then(|told| lines(&told)) }),
            digest: row.get(15)?,
            ring: 0,
            tries: read(row.get(17)?),
            sent_at: row.get::<_, Option<i64>>(18)?.map(at),
        })
    })?;
    job.runs = rows.collect::<rusqlite::Result<_>>()?;
    let rings = job.rollout.ring_of(job.runs.len());
    for (run, ring) in job.runs.iter_mut().zip(rings) {
        run.ring = ring;
    }
    Ok(Some(job))
}

/// How many runs a job has, and the jobs of its script before it that have ended, newest first (what was brought in is
/// older than its number says): whether they re-run another.
pub fn earlier(connection: &Connection, id: JobId, most: usize) -> rusqlite::Result<(usize, Vec<(JobId, bool)>)> {
    let key = i64::try_from(id).unwrap_or(0);
    let devices: i64 =
        connection.prepare_cached("SELECT count(*) FROM runs WHERE job = ?1")?.query_row([key], |row| row.get(0))?;
    let mut query = connection.prepare_cached(
        "SELECT id, parent IS NOT NULL FROM jobs
         WHERE script = (SELECT script FROM jobs WHERE id = ?1) AND state <> 'running'
         AND (created_at, id) < (SELECT created_at, id FROM jobs WHERE id = ?1)
         ORDER BY created_at DESC, id DESC LIMIT ?2",
    )?;
    let rows = query.query_map(params![key, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok((JobId::try_from(row.get::<_, i64>(0)?).unwrap_or(0), row.get(1)?))
    })?;
    Ok((usize::try_from(devices).unwrap_or(0), rows.collect::<rusqlite::Result<_>>()?))
}

/// A job of its script before this one has not ended.
pub fn open_before(connection: &Connection, id: JobId) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached(
        "SELECT 1 FROM jobs WHERE script = (SELECT script FROM jobs WHERE id = ?1) AND state = 'running'
         AND (created_at, id) < (SELECT created_at, id FROM jobs WHERE id = ?1) LIMIT 1",
    )?;
    query.exists([i64::try_from(id).unwrap_or(0)])
}

/// How many devices of one job had an answer in another: it ended there by itself, too late, or was not reached.
pub fn answered_in(connection: &Connection, id: JobId, other: JobId) -> rusqlite::Result<usize> {
    let key = |id: JobId| i64::try_from(id).unwrap_or(0);
    let count: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM runs AS theirs
             WHERE theirs.job = ?2 AND theirs.state IN ('ok', 'failed', 'timeout', 'offline')
             AND EXISTS (SELECT 1 FROM runs AS ours WHERE ours.device = theirs.device AND ours.job = ?1)",
        )?
        .query_row([key(id), key(other)], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// A job of this script before this one is kept.
pub fn ran_before(connection: &Connection, script: &str, id: JobId) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached("SELECT 1 FROM jobs WHERE script = ?1 AND id < ?2 LIMIT 1")?;
    query.exists(params![script, i64::try_from(id).unwrap_or(i64::MAX)])
}

/// The last run of this script on this device before this job: of which job, and its index.
pub fn run_before(
    connection: &Connection,
    script: &str,
    device: &str,
    id: JobId,
) -> rusqlite::Result<Option<(JobId, u32)>> {
    connection
        .prepare_cached(
            "SELECT runs.job, runs.idx FROM runs JOIN jobs ON jobs.id = runs.job
             WHERE runs.device = ?2 AND jobs.script = ?1
             AND (jobs.created_at, jobs.id) < (SELECT created_at, id FROM jobs WHERE id = ?3)
             ORDER BY jobs.created_at DESC, jobs.id DESC LIMIT 1",
        )?
        .query_row(params![script, device, i64::try_from(id).unwrap_or(i64::MAX)], |row| {
            Ok((JobId::try_from(row.get::<_, i64>(0)?).unwrap_or(0), row.get(1)?))
        })
        .optional()
}

/// An earlier job of the script had a run that ended like this.
pub fn met_before(connection: &Connection, script: &str, id: JobId, signature: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM runs JOIN jobs ON jobs.id = runs.job
             WHERE runs.signature = ?1 AND jobs.script = ?2 AND runs.job < ?3)",
        )?
        .query_row(params![signature, script, i64::try_from(id).unwrap_or(i64::MAX)], |row| row.get(0))
}

/// The last 16 jobs of every script, oldest first: id, when, counts.
pub type History = std::collections::HashMap<String, Vec<(JobId, jiff::Timestamp, Counts)>>;

pub fn history(connection: &Connection) -> rusqlite::Result<History> {
    let mut query = connection.prepare_cached(
        "SELECT script, id, created_at, counts FROM (
            SELECT script, id, created_at, counts, row_number() OVER (PARTITION BY script ORDER BY created_at DESC, id DESC) AS n FROM jobs
         ) WHERE n <= 16 ORDER BY created_at, id",
    )?;
    let mut history = History::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let counts = serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default();
        history.entry(row.get(0)?).or_default().push((
            JobId::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            at(row.get(2)?),
            counts,
        ));
    }
    Ok(history)
}

/// What the last contact with a device said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub state: Reach,
    pub last_contact: Option<jiff::Timestamp>,
    pub last_error: Option<String>,
}

pub fn contacts(connection: &Connection) -> rusqlite::Result<Vec<(String, Contact)>> {
    let mut query = connection.prepare("SELECT device, state, last_contact, last_error FROM reach")?;
    let rows = query.query_map([], |row| {
        let word: String = row.get(1)?;
        let state = [Reach::Online, Reach::Offline, Reach::Refused]
            .into_iter()
            .find(|state| state.word() == word)
            .unwrap_or_default();
        Ok((
            row.get(0)?,
            Contact { state, last_contact: row.get::<_, Option<i64>>(2)?.map(at), last_error: row.get(3)? },
        ))
    })?;
    rows.collect()
}

pub fn set_contacts(connection: &mut Connection, contacts: &[(String, Contact)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO reach (device, state, last_contact, last_error) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (device) DO UPDATE SET state = ?2, last_contact = coalesce(?3, last_contact), last_error = ?4",
        )?;
        for (device, contact) in contacts {
            put.execute(params![device, contact.state.word(), contact.last_contact.map(ms), contact.last_error])?;
        }
    }
    transaction.commit()
}

/// Forgets a job.
pub fn delete_job(connection: &Connection, id: JobId) -> rusqlite::Result<()> {
    let id = [i64::try_from(id).unwrap_or(0)];
    connection.execute("DELETE FROM jobs WHERE id = ?1", id)?;
    connection.execute("DELETE FROM turns WHERE job = ?1", id)?;
    Ok(())
}
