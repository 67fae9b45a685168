//! Scripts, devices, jobs and runs as rows: the columns by which lists and verbs filter, sort and choose, the same in
//! both. Owns the columns' names; how wide one is drawn is the screen's affair.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use super::amounts::{age, bytes, took};
use super::device::{Device, Reach};
use super::filter::{Column, Kind, Rows};
use super::job::{JobSummary, Run};
use super::script::ScriptInfo;
use super::state::{JobState, RunState};

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_millisecond() - from.as_millisecond()).max(0) as f64 / 1000.0
}

fn write_into(room: &mut String, number: Option<f64>, kind: Kind) -> &str {
    room.clear();
    match (number, kind) {
        (None, _) => {}
        (Some(n), Kind::Seconds) => room.push_str(&took((n * 1000.0) as u64)),
        (Some(n), Kind::Bytes) => room.push_str(&bytes(n as u64)),
        (Some(n), _) => drop(write!(room, "{n}")),
    }
    room
}

fn aged(room: &mut String, seconds: Option<f64>) -> &str {
    *room = seconds.map(|seconds| age(seconds as u64)).unwrap_or_default();
    room
}

pub struct Scripts<'a> {
    pub all: &'a [ScriptInfo],
    pub now: Timestamp,
    /// `None`: nobody here has any, and the columns of it are not there.
    pub besides: Option<&'a Besides>,
}

/// What is known of scripts besides what their library says.
#[derive(Debug, Default)]
pub struct Besides {
    /// By name.
    pub favourites: BTreeSet<String>,
    /// Version, and errors that lint found in it; where it found none, nothing.
    pub errors: BTreeMap<String, (String, u32)>,
}

impl Besides {
    pub fn errors_of(&self, script: &ScriptInfo) -> u32 {
        self.errors.get(&script.name).filter(|(version, _)| *version == script.version).map_or(0, |(_, n)| *n)
    }
}

/// Columns that every library has.
const SCRIPT: usize = 11;

static SCRIPTS: [Column; SCRIPT + 2] = [
    Column::new("name", Kind::Text),
    Column::new("lang", Kind::Text),
    Column::new("version", Kind::Text),
    Column::new("last", Kind::Seconds),
    Column::new("ok", Kind::Number),
    Column::new("history", Kind::Text),
    Column::new("what", Kind::Text),
    Column::down("size", Kind::Bytes),
    Column::new("changed", Kind::Seconds),
    Column::new("connection", Kind::Text),
    Column::new("category", Kind::Text),
    Column::down("errors", Kind::Number),
    Column::new("favourite", Kind::Flag),
];

impl Rows for Scripts<'_> {
    fn columns(&self) -> &[Column] {
        if self.besides.is_some() { &SCRIPTS } else { &SCRIPTS[..SCRIPT] }
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let script = &self.all[row];
        match column {
            0 => &script.name,
            1 => &script.language,
            2 => {
                *room = script.version_word();
                room
            }
            5 => script.last_run.as_ref().map_or("", |run| &run.history),
            6 => script.refused.as_deref().unwrap_or(&script.describe),
            9 => script.connection.as_deref().unwrap_or(""),
            10 => &script.category,
            12 if self.besides.is_some_and(|besides| besides.favourites.contains(&script.name)) => "yes",
            12 => "",
            3 | 8 => aged(room, self.number(row, column)),
            _ => write_into(room, self.number(row, column), SCRIPTS[column].kind),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let script = &self.all[row];
        let last = script.last_run.as_ref();
        match column {
            3 => last.map(|run| seconds(run.at, self.now)),
            4 => last.and_then(|run| run.ok_percent).map(f64::from),
            7 => Some(script.size as f64),
            8 => script.modified_at.map(|at| seconds(at, self.now)),
            11 => self.besides.map(|besides| f64::from(besides.errors_of(script))).filter(|errors| *errors > 0.0),
            _ => None,
        }
    }

    /// Favourites first.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        match (column, self.besides) {
            (12, Some(besides)) => Some(f64::from(!besides.favourites.contains(&self.all[row].name))),
            _ => self.number(row, column),
        }
    }

    fn troubled(&self, row: usize) -> bool {
        let script = &self.all[row];
        script.refused.is_some() || script.last_run.as_ref().is_some_and(|run| run.history.ends_with(['x', '-']))
    }
}

pub struct Jobs<'a> {
    pub all: &'a [JobSummary],
    pub now: Timestamp,
}

static JOBS: [Column; 13] = [
    Column::down("id", Kind::Number).also("job"),
    Column::new("script", Kind::Text),
    Column::new("by", Kind::Text),
    Column::new("age", Kind::Seconds),
    Column::down("dev", Kind::Number),
    Column::new("done", Kind::Number),
    Column::down("ok", Kind::Number),
    Column::down("bad", Kind::Number),
    Column::down("off", Kind::Number),
    Column::new("target", Kind::Text),
    Column::new("state", Kind::Text),
    Column::down("took", Kind::Seconds),
    Column::new("reason", Kind::Text),
];

impl Rows for Jobs<'_> {
    fn columns(&self) -> &[Column] {
        &JOBS
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let job = &self.all[row];
        match column {
            1 => &job.script,
            2 => &job.by,
            3 => aged(room, self.number(row, column)),
            9 => &job.target,
            10 => job.state.word(),
            12 => job.reason.as_deref().unwrap_or(""),
            _ => write_into(room, self.number(row, column), JOBS[column].kind),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let job = &self.all[row];
        let counts = &job.counts;
        Some(match column {
            0 => job.id as f64,
            3 => seconds(job.created_at, self.now),
            4 => f64::from(counts.total()),
            5 => (f64::from(counts.ended()) * 100.0 / f64::from(counts.total().max(1))).floor(),
            6 => f64::from(counts.ok),
            7 => f64::from(counts.bad()),
            8 => f64::from(counts.offline),
            11 => seconds(job.created_at, job.finished_at.unwrap_or(self.now)),
            _ => return None,
        })
    }

    /// A job's number says when it was launched, but for one that was brought in: that stands by its time.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        let job = &self.all[row];
        match column {
            0 => Some(job.created_at.as_millisecond() as f64 + (job.id % 4096) as f64 / 4096.0),
            _ => self.number(row, column),
        }
    }

    fn troubled(&self, row: usize) -> bool {
        let job = &self.all[row];
        job.counts.bad() > 0 || job.counts.offline > 0 || job.state == JobState::Interrupted || job.reason.is_some()
    }
}

/// The runs of one job.
pub struct Runs<'a> {
    pub all: &'a [Run],
    pub now: Timestamp,
}

static RUNS: [Column; 11] = [
    Column::new("device", Kind::Text).also("name"),
    Column::new("state", Kind::Text),
    Column::new("rc", Kind::Number),
    Column::down("took", Kind::Seconds),
    Column::new("last", Kind::Text),
    Column::down("bytes", Kind::Bytes),
    Column::down("lines", Kind::Number),
    Column::down("tries", Kind::Number),
    Column::new("signal", Kind::Text),
    Column::new("connection", Kind::Text),
    Column::new("ring", Kind::Number),
];

impl Rows for Runs<'_> {
    fn columns(&self) -> &[Column] {
        &RUNS
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let run = &self.all[row];
        match column {
            0 => &run.name,
            1 => run.state.word(),
            4 => run.reason.as_deref().unwrap_or(&run.last_line),
            8 => run.signal.as_deref().unwrap_or(""),
            9 => run.device.split_once(':').map_or("", |(connection, _)| connection),
            _ => write_into(room, self.number(row, column), RUNS[column].kind),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let run = &self.all[row];
        match column {
            2 => run.exit_code.map(f64::from),
            3 => run.took(self.now).map(|(from, to)| seconds(from, to)),
            5 => Some(run.bytes as f64),
            6 => Some(run.lines as f64),
            7 => Some(f64::from(run.attempts)),
            10 if run.ring > 0 => Some(f64::from(run.ring)),
            _ => None,
        }
    }

    /// Bad first, then what goes on (the longest first), then the rest.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        if column != 1 {
            return self.number(row, column);
        }
        let run = &self.all[row];
        let goes_on = if run.state.ended() { 0.0 } else { self.number(row, 3).unwrap_or(0.0) };
        Some(f64::from(run.state.rank()) * 1e9 - goes_on)
    }

    fn troubled(&self, row: usize) -> bool {
        let run = &self.all[row];
        run.state.bad() || run.state == RunState::Offline
    }
}

/// Devices, with a column for each fact that any of them has.
pub struct Devices<'a> {
    pub all: &'a [Arc<Device>],
    pub now: Timestamp,
    columns: Cow<'a, [Column]>,
}

/// Columns before the facts.
const FACTS: usize = 6;

static DEVICES: [Column; FACTS] = [
    Column::new("device", Kind::Text).also("name"),
    Column::new("connection", Kind::Text),
    Column::new("state", Kind::Text),
    Column::new("contact", Kind::Seconds),
    Column::new("group", Kind::Text),
    Column::new("error", Kind::Text),
];

/// The columns of these devices: worked out once, for they are the same as long as the devices are.
pub fn device_columns(all: &[Arc<Device>]) -> Vec<Column> {
    let facts: BTreeSet<&str> = all.iter().flat_map(|device| device.facts.keys()).map(String::as_str).collect();
    let own = |fact: &&str| !DEVICES.iter().any(|column| column.is_called(fact));
    let facts = facts.into_iter().filter(own).map(|fact| Column {
        name: Cow::Owned(fact.to_owned()),
        also: "",
        kind: Kind::Text,
        down: false,
    });
    DEVICES.iter().cloned().chain(facts).collect()
}

impl<'a> Devices<'a> {
    pub fn new(all: &'a [Arc<Device>], columns: &'a [Column], now: Timestamp) -> Self {
        Self { all, now, columns: Cow::Borrowed(columns) }
    }
}

impl Rows for Devices<'_> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let device = &self.all[row];
        match column {
            0 => &device.id,
            1 => &device.connection,
            2 => device.state.word(),
            3 => aged(room, self.number(row, column)),
            4 => {
                room.clear();
                for group in &device.groups {
                    if !room.is_empty() {
                        room.push(' ');
                    }
                    room.push_str(group);
                }
                room
            }
            5 => device.last_error.as_deref().unwrap_or(""),
            fact => self.columns.get(fact).and_then(|column| device.facts.get(column.name.as_ref())).map_or("", |v| v),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        if column != 3 {
            return None;
        }
        self.all[row].last_contact.map(|at| seconds(at, self.now))
    }

    fn troubled(&self, row: usize) -> bool {
        matches!(self.all[row].state, Reach::Offline | Reach::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::Counts;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_job_that_was_brought_in_stands_by_its_time_and_not_by_its_number() {
        let job = |id, second| JobSummary {
            created_at: at(second),
            ..JobSummary::sample(id, JobState::Done, Counts::default())
        };
        let all = [job(1, 50), job(2, 90), job(3, 10), job(4, 90)];
        let rows = Jobs { all: &all, now: at(100) };
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by(|a, b| rows.order(*b, 0).partial_cmp(&rows.order(*a, 0)).unwrap());
        assert_eq!(order.iter().map(|row| all[*row].id).collect::<Vec<_>>(), [4, 2, 1, 3]);
        assert_eq!(rows.number(2, 0), Some(3.0), "a filter means the number");
    }

    #[test]
    fn of_what_its_system_kept_for_the_device_it_took_from_the_sending_to_the_end() {
        let sent = Run { state: RunState::Sent, sent_at: Some(at(10)), ..Run::queued(0, "macs:a", "a") };
        let ok = Run { state: RunState::Ok, finished_at: Some(at(70)), ..sent.clone() };
        let unasked = Run { state: RunState::Cancelled, ..ok.clone() };
        let here = Run { started_at: Some(at(60)), ..ok.clone() };
        let all = [sent, ok, unasked, here];
        let rows = Runs { all: &all, now: at(100) };
        let took: Vec<Option<f64>> = (0..all.len()).map(|row| rows.number(row, 3)).collect();
        assert_eq!(took, [None, Some(60.0), None, Some(10.0)]);
    }
}
