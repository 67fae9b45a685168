//! Jobs and their runs, as stored and shown.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rollout::{Progress, Rollout};
use super::state::{Counts, JobState, RunState};

pub type JobId = u64;

/// One line of the job list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    pub id: JobId,
    /// The script's name.
    pub script: String,
    /// First 12 hex digits of the script version's SHA-256.
    pub version: String,
    pub state: JobState,
    pub counts: Counts,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// The target expression as typed.
    pub target: String,
    /// Login name of who launched it.
    pub by: String,
    /// What went wrong with the job as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Progress::is_plain")]
    pub progress: Progress,
    /// The job that it is a retry of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
    /// The system that ran it without us, and its number there: `macs:412`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl JobSummary {
    /// Its state in a word; of one that runs, whether it waits for an operator.
    pub const fn word(&self) -> &'static str {
        match (self.state, &self.progress.paused, &self.progress.asks) {
            (JobState::Running, Some(_), _) => "paused",
            (JobState::Running, None, Some(_)) => "asks",
            (state, ..) => state.word(),
        }
    }
}

/// Jobs for tests, which say of theirs what matters to them.
#[cfg(test)]
impl JobSummary {
    pub fn sample(id: JobId, state: JobState, counts: Counts) -> Self {
        Self {
            id,
            script: "x.sh".into(),
            version: "v".into(),
            state,
            counts,
            created_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
            target: "@all".into(),
            by: "ops".into(),
            reason: None,
            progress: Progress::default(),
            parent: None,
            origin: None,
        }
    }
}

#[cfg(test)]
impl Job {
    pub fn sample(summary: JobSummary, runs: Vec<Run>) -> Self {
        Self {
            summary,
            params: Vec::new(),
            timeout_ms: None,
            at_once: 0,
            options: Vec::new(),
            rollout: Rollout::default(),
            runs,
        }
    }
}

/// A job whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    #[serde(flatten)]
    pub summary: JobSummary,
    /// Shown parameters (`name=value`); a secret's value is never here.
    pub params: Vec<(String, String)>,
    pub timeout_ms: Option<u64>,
    pub at_once: u32,
    /// What the launch was given of its system's own options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Rollout::is_plain")]
    pub rollout: Rollout,
    pub runs: Vec<Run>,
}

/// One script on one device within a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Index within the job, from 0: stable, in the plan's order.
    pub index: u32,
    /// Device id, `connection:name`.
    pub device: String,
    pub name: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// The signal that ended it (`TERM`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Why it is offline, failed without an exit code, skipped…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was handed to the device's system, this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Bytes of stdout and stderr kept.
    pub bytes: u64,
    pub lines: u64,
    /// The last line that is not empty, cleaned of control sequences and cut to 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_line: String,
    /// What its end is called; there once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Equal where stdout and stderr are, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Tries it took (connections reset by a busy server are tried again).
    #[serde(default)]
    pub attempts: u32,
    /// The ring it is in, from 1; 0: the job has none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ring: u32,
    /// How it ended before it was tried again, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
}

/// (By reference, as serde asks for it.)
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An end that was not the last: the device was tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    pub state: RunState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    pub finished_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Bytes of output that the run had by then: what is after them is a later try's.
    pub bytes: u64,
    /// How often its script had been let go by then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passed: u32,
    /// How many of its retries were used up by then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u32,
    /// It could not be reached, and waits until it answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
}

/// A way to end: the same name wherever the same happens, in this job and in others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `v1:` and hex digits.
    pub name: String,
    /// The line that tells, without what is a device's or a moment's own.
    pub says: String,
    /// The lines that tell, as they came but for the device's own words: from these the name can be made again by
    /// other rules. The engine's alone.
    #[serde(skip)]
    pub told: Option<Arc<[String]>>,
}

/// How the reason of a run begins whose engine ended while it ran.
pub const LOST: &str = "interrupted: ";

/// What the reason of a run says whose end nobody heard.
pub const UNKNOWN: &str = "outcome unknown";

impl Run {
    /// It was in flight when its engine ended: nobody knows how it ended.
    pub fn lost(&self) -> bool {
        let told = self.reason.as_deref().is_some_and(|reason| reason.starts_with(LOST));
        told && self.state == RunState::Failed && self.exit_code.is_none()
    }

    /// It may have run, whole or in part: its engine, its connection or its system was gone before it said how it ended.
    pub fn unknown(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        // (an earlier version's word for what an engine left)
        let told = reason.contains(UNKNOWN) || self.lost() && reason.contains("not known");
        told && self.state == RunState::Failed && self.exit_code.is_none() && self.signal.is_none()
    }

    /// The connection that its device is of.
    pub fn connection(&self) -> &str {
        self.device.split_once(':').map_or("", |(connection, _)| connection)
    }

    /// From when to when it ran, or `now` where it goes on. A system that keeps a script until the device fetches it does
    /// not say when that was: of what ended there it is from the sending on.
    pub fn took(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let answered = matches!(self.state, RunState::Ok | RunState::Failed | RunState::Timeout);
        let from = self.started_at.or(self.sent_at.filter(|_| answered && self.finished_at.is_some()))?;
        Some((from, self.finished_at.unwrap_or(now)))
    }

    /// How often its script had been let go when its last try ended.
    pub fn passed(&self) -> u32 {
        self.tries.last().map_or(0, |last| last.passed)
    }

    pub fn queued(index: u32, device: &str, name: &str) -> Self {
        Self {
            index,
            device: device.to_owned(),
            name: name.to_owned(),
            state: RunState::Queued,
            exit_code: None,
            signal: None,
            reason: None,
            sent_at: None,
            started_at: None,
            finished_at: None,
            bytes: 0,
            lines: 0,
            last_line: String::new(),
            signature: None,
            digest: None,
            attempts: 0,
            ring: 0,
            tries: Vec::new(),
        }
    }
}

/// Exit code of a verb that waited for these runs (screens.md section 11): 0 all ok, 3 some failed,
/// 6 not all devices answered. A failure weighs more than silence.
pub fn exit_code(counts: &Counts) -> u8 {
    if counts.bad() > 0 {
        3
    } else if counts.ok < counts.total() {
        6
    } else {
        0
    }
}
