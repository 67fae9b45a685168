//! Runs of past jobs, newest first, by everything that is not text: one query, led by the index that leaves the fewest
//! runs to look at. Read through a connection of its own, so that a long look keeps nobody from writing.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::db::{at, ms};
use crate::engine::triage::{Specimen, Ways};
use crate::model::job::{JobId, LOST, UNKNOWN};
use crate::model::past::Codes;
use crate::model::state::RunState;

/// Exit codes that are looked up one by one.
const ENUMERATED: i64 = 32;

/// Devices whose runs are looked up before anything else is asked.
const FEW: usize = 4;

/// One device in so many: their runs are looked up one by one; of more, jobs are walked through.
const RARE: usize = 50;

/// What is asked of the store: all of it must hold.
#[derive(Default)]
pub struct Wanted {
    pub job: Option<JobId>,
    pub script: Option<String>,
    pub devices: Option<Devices>,
    pub codes: Option<Codes>,
    pub states: Vec<RunState>,
    /// ... or the outcome is unknown.
    pub unknown: bool,
    /// The name that was recorded with the run.
    pub signature: Option<String>,
    pub since: Option<jiff::Timestamp>,
    pub until: Option<jiff::Timestamp>,
    /// It has printed something.
    pub spoke: bool,
}

/// Ids, and how many devices there ever were.
pub struct Devices {
    pub ids: HashSet<String>,
    pub of: usize,
}

/// A run and its job, as far as an answer tells of them.
#[derive(Clone, Debug)]
pub struct Row {
    pub job: JobId,
    pub run: u32,
    pub device: String,
    pub name: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    pub signature: Option<String>,
    pub reason: Option<String>,
    pub last_line: String,
    pub script: String,
    pub version: String,
    pub at: jiff::Timestamp,
    pub by: String,
}

/// The index that leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// Jobs one after the other, the newest first, and in each its runs.
    Jobs,
    Device,
    Signature,
    Code,
}

/// [`Run::unknown`], of a row.
fn nobody_knows() -> String {
    format!(
        "(runs.state = 'failed' AND runs.exit_code IS NULL AND runs.signal IS NULL AND (instr(runs.reason, '{UNKNOWN}') > 0 \
         OR instr(runs.reason, '{LOST}') = 1 AND instr(runs.reason, 'not known') > 0))"
    )
}

impl Wanted {
    fn lead(&self) -> Lead {
        let devices = self.devices.as_ref().map(|devices| (devices.ids.len(), devices.of));
        let codes = self.codes.as_ref().filter(|codes| !codes.not && !codes.takes(0));
        let listed = codes.is_some_and(|codes| {
            codes.ranges.iter().map(|(from, to)| i64::from(*to) - i64::from(*from) + 1).sum::<i64>() <= ENUMERATED
        });
        match devices {
            _ if self.job.is_some() => Lead::Jobs,
            Some((few, _)) if few <= FEW => Lead::Device,
            _ if self.signature.is_some() => Lead::Signature,
            _ if listed => Lead::Code,
            Some((some, of)) if some.saturating_mul(RARE) <= of => Lead::Device,
            _ => Lead::Jobs,
        }
    }

    /// The query, and what stands in it.
    fn query(&self, connection: &Connection) -> rusqlite::Result<(String, Vec<Value>)> {
        let lead = self.lead();
        let mut terms: Vec<String> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut term = |sql: &str, value: Value| {
            values.push(value);
            terms.push(sql.replace('?', &format!("?{}", values.len())));
        };
        let number = |id: JobId| Value::Integer(i64::try_from(id).unwrap_or(i64::MAX));
        if let Some(job) = self.job {
            term("jobs.id = ?", number(job));
        }
        if let Some(script) = &self.script {
            term("jobs.script = ?", Value::Text(script.clone()));
        }
        if let Some(since) = self.since {
            if lead != Lead::Jobs {
                // (jobs are numbered as they are launched: the index need not go further back than the first)
                let first: Option<i64> = connection
                    .prepare_cached("SELECT min(id) FROM jobs WHERE created_at >= ?1")?
                    .query_row([ms(since)], |row| row.get(0))?;
                term("runs.job >= ?", Value::Integer(first.unwrap_or(i64::MAX)));
            }
            term("jobs.created_at >= ?", Value::Integer(ms(since)));
        }
        if let Some(until) = self.until {
            term("jobs.created_at < ?", Value::Integer(ms(until)));
        }
        if let Some(signature) = &self.signature {
            term("runs.signature = ?", Value::Text(signature.clone()));
        }
        if lead == Lead::Device
            && let Some(devices) = &self.devices
        {
            let ids: Vec<&String> = devices.ids.iter().collect();
            let ids = serde_json::to_string(&ids).unwrap_or_default();
            term("runs.device IN (SELECT value FROM json_each(?))", Value::Text(ids));
        }
        if !self.states.is_empty() || self.unknown {
            let words: Vec<String> = self.states.iter().map(|state| format!("'{}'", state.word())).collect();
            let mut fits = format!("runs.state IN ({})", words.join(", "));
            if self.unknown {
                fits = format!("({fits} OR {})", nobody_knows());
            }
            terms.push(fits);
            if lead == Lead::Jobs {
                // a job that has no such run need not be opened
                let failed = self.unknown.then_some(RunState::Failed);
                let states = self.states.iter().copied().chain(failed);
                let counts = states.map(|state| format!("json_extract(jobs.counts, '$.{}') > 0", state.word()));
                terms.push(format!("({})", counts.collect::<Vec<_>>().join(" OR ")));
            }
        }
        if let Some(codes) = &self.codes {
            let ranges = codes.ranges.iter().map(|(from, to)| match lead {
                Lead::Code => {
                    let each: Vec<String> = (*from..=*to).map(|code| code.to_string()).collect();
                    format!("runs.exit_code IN ({})", each.join(", "))
                }
                _ => format!("runs.exit_code BETWEEN {from} AND {to}"),
            });
            let ranges = ranges.collect::<Vec<_>>().join(" OR ");
            terms.push(format!("runs.exit_code IS NOT NULL AND {}({ranges})", if codes.not { "NOT " } else { "" }));
        }
        if self.spoke {
            terms.push("(runs.lines > 0 OR jobs.state = 'running')".to_owned());
        }
        let from = match lead {
            Lead::Jobs => "jobs CROSS JOIN runs ON runs.job = jobs.id",
            Lead::Device => "runs INDEXED BY runs_by_device CROSS JOIN jobs ON jobs.id = runs.job",
            Lead::Signature => "runs INDEXED BY runs_by_signature CROSS JOIN jobs ON jobs.id = runs.job",
            Lead::Code => {
                terms.push("runs.exit_code <> 0".to_owned()); // what the index holds
                "runs INDEXED BY runs_by_code CROSS JOIN jobs ON jobs.id = runs.job"
            }
        };
        let order = if lead == Lead::Jobs { "jobs.id DESC, runs.idx" } else { "runs.job DESC, runs.idx" };
        let wher = if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) };
        let sql = format!(
            "SELECT runs.job, runs.idx, runs.device, runs.name, runs.state, runs.exit_code, runs.signature, runs.reason,
                    runs.last_line, jobs.script, jobs.version, jobs.created_at, jobs.launched_by, runs.told
             FROM {from}{wher} ORDER BY {order}"
        );
        Ok((sql, values))
    }
}

/// Every run that is wanted, the newest job first, until told to stop.
pub fn each(
    connection: &Connection,
    wanted: &Wanted,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    walk(connection, wanted, &mut |row, _| take(row))
}

/// The same for those that end by this name only when the ways of their script are laid over them.
pub fn each_called(
    connection: &Connection,
    wanted: &Wanted,
    (ways, name): (&Ways, &str),
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    walk(connection, wanted, &mut |row, told| {
        let Some(told) = told.and_then(|told| serde_json::from_str::<Vec<String>>(&told).ok()) else {
            return ControlFlow::Continue(());
        };
        let specimen = Specimen { state: row.state, exit_code: row.exit_code, told: told.into(), recorded: None };
        if ways.name(&specimen).name == name { take(row) } else { ControlFlow::Continue(()) }
    })
}

fn walk(
    connection: &Connection,
    wanted: &Wanted,
    take: &mut dyn FnMut(Row, Option<String>) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let (sql, values) = wanted.query(connection)?;
    let mut query = connection.prepare(&sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let device = row.get_ref(2)?.as_str()?;
        if wanted.devices.as_ref().is_some_and(|devices| !devices.ids.contains(device)) {
            continue;
        }
        let found = Row {
            job: JobId::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
            run: row.get(1)?,
            device: device.to_owned(),
            name: row.get(3)?,
            state: RunState::from_word(row.get_ref(4)?.as_str()?).unwrap_or(RunState::Failed),
            exit_code: row.get(5)?,
            signature: row.get(6)?,
            reason: row.get(7)?,
            last_line: row.get(8)?,
            script: row.get(9)?,
            version: row.get(10)?,
            at: at(row.get(11)?),
            by: row.get(12)?,
        };
        if take(found, row.get(13)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Every device that a run was ever on: from one to the next in the index, not run by run.
pub fn devices(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare(
        "WITH RECURSIVE ever (device) AS (
            SELECT min(device) FROM runs
            UNION ALL
            SELECT (SELECT min(device) FROM runs WHERE device > ever.device) FROM ever WHERE ever.device IS NOT NULL
         ) SELECT device FROM ever WHERE device IS NOT NULL",
    )?;
    let rows = query.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Scripts of which a job is kept.
pub fn scripts(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare("SELECT DISTINCT script FROM jobs ORDER BY script")?;
    let rows = query.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Recorded signatures that begin like this, up to so many.
pub fn signatures(connection: &Connection, begun: &str, most: usize) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare(
        "SELECT min(signature) FROM runs INDEXED BY runs_by_signature WHERE signature IS NOT NULL AND signature >= ?1",
    )?;
    let (mut from, mut found) = (begun.to_owned(), Vec::new());
    while found.len() < most {
        let next: Option<String> = query.query_row([&from], |row| row.get(0))?;
        let Some(name) = next.filter(|name| name.starts_with(begun)) else { break };
        from = format!("{name}\u{1}");
        found.push(name);
    }
    Ok(found)
}

/// A script, the name that its ways make, and an end that goes by it.
pub struct Called {
    pub script: String,
    pub name: String,
    pub end: Specimen,
}

/// Names that begin like this and were made by the ways of a script.
pub fn called(connection: &Connection, begun: &str) -> rusqlite::Result<Vec<Called>> {
    let mut query =
        connection.prepare("SELECT name, script, specimen FROM names WHERE substr(name, 1, length(?1)) = ?1")?;
    let mut rows = query.query([begun])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let Ok(end) = serde_json::from_str(row.get_ref(2)?.as_str()?) {
            found.push(Called { name: row.get(0)?, script: row.get(1)?, end });
        }
    }
    Ok(found)
}

/// Scripts whose outputs people have put together by hand.
pub fn merged(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare("SELECT script FROM ways")?;
    let rows = query.query_map([], |row| row.get(0))?;
    rows.collect()
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use super::*;
    use crate::engine::store::db::{Db, update};
    use crate::engine::store::launches;
    use crate::model::job::{Job, JobSummary, Run, Signature};
    use crate::model::state::{Counts, JobState};

    type End = (&'static str, RunState, Option<i32>, &'static str);

    const OK: RunState = RunState::Ok;
    const FAILED: RunState = RunState::Failed;

    fn job(script: &str, day: i64, ends: &[End]) -> Job {
        let runs: Vec<Run> = (0..)
            .zip(ends)
            .map(|(n, (name, state, exit_code, says))| Run {
                state: *state,
                exit_code: *exit_code,
                lines: u64::from(!says.is_empty()),
                signature: (!says.is_empty()).then(|| Signature {
                    name: format!("v1:{says}"),
                    says: (*says).to_owned(),
                    told: None,
                }),
                ..Run::queued(n, &format!("lab:{name}"), name)
            })
            .collect();
        let summary = JobSummary {
            script: script.into(),
            created_at: at(day * 86_400_000),
            ..JobSummary::sample(0, JobState::Done, Counts::of(runs.iter().map(|run| run.state)))
        };
        Job::sample(summary, runs)
    }

    /// Three jobs, launched a day after the other.
    pub(in crate::engine) async fn store() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("store.db")).unwrap();
        let jobs = [
            job(
                "patch.sh",
                1,
                &[("a", FAILED, Some(70), "full"), ("b", OK, Some(0), "fine"), ("c", FAILED, Some(69), "net")],
            ),
            job("clean.sh", 2, &[("a", OK, Some(0), "fine"), ("d", RunState::Offline, None, "")]),
            job("patch.sh", 3, &[("b", FAILED, Some(70), "full"), ("c", RunState::Queued, None, "")]),
        ];
        db.call(move |db| {
            for mut job in jobs {
                job.summary.id = launches::insert(db, &job, &launches::Launched::default())?;
                update(db, &[(job.summary, job.runs)], |_| Ok(()))?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let reader = db.reader().unwrap();
        (folder, reader)
    }

    fn found(reader: &Connection, wanted: &Wanted) -> Vec<String> {
        let mut rows = Vec::new();
        each(reader, wanted, &mut |row| {
            rows.push(format!("{}{}", row.job, row.name));
            ControlFlow::Continue(())
        })
        .unwrap();
        rows
    }

    fn devices(names: &[&str], of: usize) -> Option<Devices> {
        Some(Devices { ids: names.iter().map(|name| format!("lab:{name}")).collect(), of })
    }

    #[tokio::test]
    async fn what_nobody_knows_the_end_of_is_found_by_that() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("store.db")).unwrap();
        let ends =
            [("a", FAILED, Some(1)), ("b", FAILED, None), ("c", FAILED, None), ("d", FAILED, None), ("e", OK, Some(0))];
        let mut job = job("patch.sh", 1, &ends.map(|(name, state, code)| (name, state, code, "")));
        job.runs[1].reason = Some(format!("connection lost after 3 s (EOF); {UNKNOWN}: look at the device"));
        job.runs[2].reason = Some(format!("{LOST}the engine ended while this ran; how it ended is not known"));
        job.runs[3].reason = Some("no key of it is taken".into());
        let unknown: Vec<String> =
            job.runs.iter().filter(|run| run.unknown()).map(|run| format!("1{}", run.name)).collect();
        db.call(move |db| {
            job.summary.id = launches::insert(db, &job, &launches::Launched::default())?;
            update(db, &[(job.summary, job.runs)], |_| Ok(()))
        })
        .await
        .unwrap();
        let reader = db.reader().unwrap();
        assert_eq!(found(&reader, &Wanted { unknown: true, ..Wanted::default() }), unknown);
        assert_eq!(unknown, ["1b", "1c"]);
        let or_ok = Wanted { unknown: true, states: vec![OK], ..Wanted::default() };
        assert_eq!(found(&reader, &or_ok), ["1b", "1c", "1e"]);
    }

    #[tokio::test]
    async fn all_that_is_asked_must_hold_and_the_newest_comes_first() {
        let (_folder, reader) = store().await;
        let script = |name: &str| Some(name.to_owned());
        let codes = |text: &str| Some(text.parse::<Codes>().unwrap());
        let any = Wanted::default;
        for (wanted, expected) in [
            (any(), &["3b", "3c", "2a", "2d", "1a", "1b", "1c"][..]),
            (Wanted { job: Some(1), ..any() }, &["1a", "1b", "1c"]),
            (Wanted { devices: devices(&["b"], 4), ..any() }, &["3b", "1b"]),
            (Wanted { devices: devices(&["a", "b", "c", "d", "x"], 4), codes: codes("69"), ..any() }, &["1c"]),
            (Wanted { codes: codes("70"), ..any() }, &["3b", "1a"]),
            (Wanted { codes: codes("69,70"), ..any() }, &["3b", "1a", "1c"]),
            (Wanted { codes: codes("!0"), ..any() }, &["3b", "1a", "1c"]),
            (Wanted { codes: codes("0-100"), script: script("clean.sh"), ..any() }, &["2a"]),
            (Wanted { states: vec![RunState::Offline, RunState::Queued], ..any() }, &["3c", "2d"]),
            (Wanted { states: vec![FAILED], script: script("patch.sh"), codes: codes("69"), ..any() }, &["1c"]),
            (Wanted { signature: Some("v1:full".into()), ..any() }, &["3b", "1a"]),
            (Wanted { signature: Some("v1:full".into()), since: Some(at(2 * 86_400_000)), ..any() }, &["3b"]),
            (Wanted { since: Some(at(2 * 86_400_000)), until: Some(at(3 * 86_400_000)), ..any() }, &["2a", "2d"]),
            (Wanted { since: Some(at(9 * 86_400_000)), devices: devices(&["a"], 4), ..any() }, &[]),
            (Wanted { spoke: true, script: script("patch.sh"), ..any() }, &["3b", "1a", "1b", "1c"]),
        ] {
            assert_eq!(found(&reader, &wanted), expected);
        }
        let mut first = Vec::new();
        each(&reader, &any(), &mut |row| {
            first.push(row.run);
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(first, [0], "told to stop, it stops");
    }

    #[tokio::test]
    async fn the_index_that_leaves_the_fewest_runs_leads_and_no_question_reads_them_all() {
        let (_folder, reader) = store().await;
        let codes = |text: &str| Some(text.parse::<Codes>().unwrap());
        let any = Wanted::default;
        for (wanted, index) in [
            (Wanted { devices: devices(&["b"], 4), codes: codes("70"), ..any() }, "runs USING INDEX runs_by_device"),
            (Wanted { devices: devices(&["a", "b", "c", "d", "e"], 1000), ..any() }, "runs USING INDEX runs_by_device"),
            (Wanted { signature: Some("v1:full".into()), ..any() }, "runs USING INDEX runs_by_signature"),
            (Wanted { codes: codes("70"), ..any() }, "runs USING INDEX runs_by_code"),
            (Wanted { script: Some("patch.sh".into()), ..any() }, "jobs USING INDEX jobs_by_script"),
            (Wanted { job: Some(1), signature: Some("v1:full".into()), ..any() }, "jobs USING INTEGER PRIMARY KEY"),
            (Wanted { states: vec![FAILED], ..any() }, "runs USING PRIMARY KEY (job=?)"),
        ] {
            let (sql, values) = wanted.query(&reader).unwrap();
            let mut query = reader.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let plan: Vec<String> = query
                .query_map(params_from_iter(values), |row| row.get::<_, String>(3))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{index}: {plan}");
            assert!(!plan.contains("SCAN runs"), "{plan}");
        }
    }

    #[tokio::test]
    async fn devices_and_signatures_are_listed_from_their_indexes() {
        let (_folder, reader) = store().await;
        assert_eq!(super::devices(&reader).unwrap(), ["lab:a", "lab:b", "lab:c", "lab:d"]);
        assert_eq!(signatures(&reader, "v1:f", 9).unwrap(), ["v1:fine", "v1:full"]);
        assert_eq!(signatures(&reader, "v1:f", 1).unwrap(), ["v1:fine"]);
        assert_eq!(signatures(&reader, "v1:full", 9).unwrap(), ["v1:full"]);
        assert_eq!(signatures(&reader, "v2", 9).unwrap(), Vec::<String>::new());
        assert_eq!(scripts(&reader).unwrap(), ["clean.sh", "patch.sh"]);
        assert!(reader.execute("DELETE FROM runs", []).is_err(), "it only reads");
    }
}
