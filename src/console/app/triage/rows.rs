//! The groups of a job, and the runs of a group, as rows: what filter and order know of them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::remarks::short;
use crate::console::text;
use crate::model::amounts::took;
use crate::model::filter::{Column, Kind, Rows};
use crate::model::job::{Job, Run};
use crate::model::state::RunState;
use crate::model::triage::{Group, Groups, Remarks};

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is known by while the list changes around it.
    pub key: String,
    /// `S1`, `off`; `...`: those that have not ended.
    pub label: String,
    /// Which group; `None`: the runs that have not ended.
    pub of: Option<usize>,
    /// What it says, safe to show.
    pub says: String,
    /// Who acknowledged it, and what was noted of it.
    pub acked: String,
    pub note: String,
}

/// The key of the row of those that have not ended.
const OPEN: &str = "...";

/// A row for each group, in the order of the groups, and one for the runs that have not ended.
pub fn of(groups: &Groups, labels: &[String], job: &Job) -> Vec<Row> {
    let mut rows: Vec<Row> = groups
        .groups
        .iter()
        .zip(labels)
        .enumerate()
        .map(|(at, (group, label))| {
            let digest = || group.runs.first().and_then(|run| job.runs.get(*run as usize)?.digest.clone());
            let text = if groups.exact { digest().unwrap_or_default() } else { String::new() };
            let said = group.said();
            let says = if said.is_empty() { "(said nothing)".to_owned() } else { text::plain(said) };
            Row {
                key: format!("{}{text}", group.signature),
                label: label.clone(),
                of: Some(at),
                says,
                acked: group.remarks.acked.as_ref().map_or_else(String::new, |acked| text::plain(&acked.by)),
                note: note(&group.remarks),
            }
        })
        .collect();
    if groups.open > 0 {
        let (key, label, says) = (OPEN.into(), OPEN.into(), unended(job));
        rows.push(Row { key, label, of: None, says, acked: String::new(), note: String::new() });
    }
    rows
}

/// `RB-77 s.oz: CDN 503, the vendor has it`
fn note(remarks: &Remarks) -> String {
    let link = remarks.runbook.as_deref().map(short);
    let note = remarks.note.as_ref().map(|note| text::plain(&format!("{}: {}", note.by, note.text)));
    [link, note].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `no result yet (31 run, 12 sent, 117 queued)`
fn unended(job: &Job) -> String {
    let counts = &job.summary.counts;
    let parts: Vec<String> = [(counts.running, "run"), (counts.sent, "sent"), (counts.queued, "queued")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", text::count(u64::from(n))))
        .collect();
    match (job.summary.state.ended(), parts.is_empty()) {
        (true, _) => "not started: the job ended before their turn".into(),
        (false, true) => "no result yet".into(),
        (false, false) => format!("no result yet ({})", parts.join(", ")),
    }
}

pub struct GroupRows<'a> {
    pub all: &'a [Row],
    pub groups: &'a Groups,
    /// All there are in the job.
    pub runs: usize,
    pub zone: &'a TimeZone,
}

static GROUPS: [Column; 12] = [
    Column::new("sig", Kind::Text),
    Column::down("dev", Kind::Number),
    Column::down("share", Kind::Number),
    Column::new("state", Kind::Text),
    Column::new("rc", Kind::Number),
    Column::new("first", Kind::Text),
    Column::down("vs", Kind::Text),
    Column::new("says", Kind::Text),
    Column::new("signature", Kind::Text),
    Column::down("texts", Kind::Number),
    Column::new("ack", Kind::Text),
    Column::new("note", Kind::Text),
];

impl GroupRows<'_> {
    pub fn known() -> &'static [Column] {
        &GROUPS
    }

    pub fn group(&self, row: usize) -> Option<&Group> {
        self.groups.groups.get(self.all[row].of?)
    }

    pub fn devices(&self, row: usize) -> usize {
        self.group(row).map_or(self.groups.open, |group| group.runs.len())
    }

    /// Per cent of all devices.
    pub fn share(&self, row: usize) -> f64 {
        self.devices(row) as f64 * 100.0 / self.runs.max(1) as f64
    }
}

/// `NEW`: no job before ended like this; `0 -> 3`: only the one that it is compared with did not; `31 -> 5`, `13 = 13`.
/// Beside which there was nothing, nothing.
pub fn versus(group: &Group) -> String {
    match (group.before, group.runs.len()) {
        (None, _) => "-".into(),
        (Some(_), _) if group.is_new() && group.state != RunState::Ok => "NEW".into(),
        (Some(before), n) if before == n => format!("{before} = {n}"),
        (Some(before), n) => format!("{before} -> {n}"),
    }
}

impl Rows for GroupRows<'_> {
    fn columns(&self) -> &[Column] {
        &GROUPS
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let group = self.group(row);
        *room = match column {
            0 => return &self.all[row].label,
            7 => return &self.all[row].says,
            10 => return &self.all[row].acked,
            11 => return &self.all[row].note,
            1 => self.devices(row).to_string(),
            2 => format!("{:.1}%", self.share(row)),
            3 => return group.map_or(RunState::Running, |group| group.state).word(),
            4 => group.and_then(|group| group.exit_code).map(|code| code.to_string()).unwrap_or_default(),
            5 => group.and_then(|group| group.first_ended).map(|at| clock(self.zone, at)).unwrap_or_default(),
            6 => group.map_or_else(|| "-".into(), versus),
            8 => group.map(|group| group.signature.clone()).unwrap_or_default(),
            _ => group.map(|group| group.texts.to_string()).unwrap_or_default(),
        };
        room
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let group = self.group(row);
        match column {
            1 => Some(self.devices(row) as f64),
            2 => Some(self.share(row)),
            4 => group?.exit_code.map(f64::from),
            9 => Some(group?.texts as f64),
            _ => None,
        }
    }

    /// The engine's order is what wants to be looked at first.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        match column {
            3 => Some(row as f64),
            5 => self.group(row)?.first_ended.map(|at| at.as_millisecond() as f64),
            6 => {
                let group = self.group(row)?;
                Some(group.runs.len() as f64 - group.before? as f64)
            }
            column => self.number(row, column),
        }
    }

    fn troubled(&self, row: usize) -> bool {
        self.group(row).is_some_and(|group| group.state.bad() || group.state == RunState::Offline)
    }
}

fn clock(zone: &TimeZone, at: Timestamp) -> String {
    let zoned = at.to_zoned(zone.clone());
    format!("{:02}:{:02}:{:02}", zoned.hour(), zoned.minute(), zoned.second())
}

/// Some runs of a job.
pub struct MemberRows<'a> {
    pub runs: &'a [Run],
    pub of: &'a [u32],
    /// Where each run of the job stands by its name.
    pub ranks: &'a [u32],
    /// How each device ended in the job before.
    pub before: Option<&'a HashMap<String, RunState>>,
    pub now: Timestamp,
}

static MEMBERS: [Column; 7] = [
    Column::new("device", Kind::Text).also("name"),
    Column::new("before", Kind::Text),
    Column::new("state", Kind::Text),
    Column::new("rc", Kind::Number),
    Column::down("took", Kind::Seconds),
    Column::new("last", Kind::Text),
    Column::down("tries", Kind::Number),
];

impl MemberRows<'_> {
    pub fn known() -> &'static [Column] {
        &MEMBERS
    }

    pub fn run(&self, row: usize) -> &Run {
        &self.runs[self.of[row] as usize]
    }

    /// How its device ended last time.
    pub fn before(&self, row: usize) -> Option<RunState> {
        self.before?.get(&self.run(row).device).copied()
    }
}

impl Rows for MemberRows<'_> {
    fn columns(&self) -> &[Column] {
        &MEMBERS
    }

    fn len(&self) -> usize {
        self.of.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let run = self.run(row);
        *room = match column {
            0 => return &run.name,
            1 => return self.before(row).map_or("", RunState::word),
            2 => return run.state.word(),
            3 => run.exit_code.map(|code| code.to_string()).unwrap_or_default(),
            4 => self.number(row, 4).map(|seconds| took((seconds * 1000.0) as u64)).unwrap_or_default(),
            5 => return run.reason.as_deref().unwrap_or(&run.last_line),
            _ => run.attempts.to_string(),
        };
        room
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let run = self.run(row);
        match column {
            3 => run.exit_code.map(f64::from),
            4 => super::super::live::took_ms(run, self.now).map(|ms| ms as f64 / 1000.0),
            6 => Some(f64::from(run.attempts)),
            _ => None,
        }
    }

    fn order(&self, row: usize, column: usize) -> Option<f64> {
        match column {
            0 => self.ranks.get(self.of[row] as usize).map(|rank| f64::from(*rank)),
            1 => self.before(row).map(|state| f64::from(state.rank())),
            2 => Some(f64::from(self.run(row).state.rank())),
            column => self.number(row, column),
        }
    }

    /// It went wrong the last time as well.
    fn troubled(&self, row: usize) -> bool {
        self.before(row).is_some_and(RunState::bad)
    }
}
