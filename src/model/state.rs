//! States of a run and of a job, and counting them.

use serde::{Deserialize, Serialize};

/// Where a run is. `offline` is not `failed`; a job's `queued` runs, once it has ended, were not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Waiting for its turn.
    Queued,
    /// Handed to the device's system (connecting, or waiting for it to start).
    Sent,
    Running,
    /// Ended with exit code 0.
    Ok,
    /// Ended with another exit code or by a signal, could not be started, was refused, or its outcome is unknown; `reason` says which.
    Failed,
    /// Ended by us because it ran longer than allowed.
    Timeout,
    /// The device could not be reached: nothing ran.
    Offline,
    /// Withdrawn before it started, or ended on request.
    Cancelled,
    /// Left out at send time.
    Skipped,
}

impl RunState {
    pub const ALL: [RunState; 9] = [
        RunState::Queued,
        RunState::Sent,
        RunState::Running,
        RunState::Ok,
        RunState::Failed,
        RunState::Timeout,
        RunState::Offline,
        RunState::Cancelled,
        RunState::Skipped,
    ];

    /// The word shown to people and used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            RunState::Queued => "queued",
            RunState::Sent => "sent",
            RunState::Running => "running",
            RunState::Ok => "ok",
            RunState::Failed => "failed",
            RunState::Timeout => "timeout",
            RunState::Offline => "offline",
            RunState::Cancelled => "cancelled",
            RunState::Skipped => "skipped",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// No further change is possible.
    pub const fn ended(self) -> bool {
        !matches!(self, RunState::Queued | RunState::Sent | RunState::Running)
    }

    /// The operator should look at it.
    pub const fn bad(self) -> bool {
        matches!(self, RunState::Failed | RunState::Timeout)
    }

    /// Order of a device list: bad first, then what goes on (longest first is the caller's affair), then the rest.
    pub const fn rank(self) -> u8 {
        match self {
            RunState::Failed => 0,
            RunState::Timeout => 1,
            RunState::Offline => 2,
            RunState::Running => 3,
            RunState::Sent => 4,
            RunState::Queued => 5,
            RunState::Cancelled => 6,
            RunState::Skipped => 7,
            RunState::Ok => 8,
        }
    }
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Running,
    /// Every run has ended by itself.
    Done,
    /// Ended by itself before its end: the failure budget, a new signature, the deadline.
    Stopped,
    /// Ended on request; its `queued` runs were never started.
    Cancelled,
    /// The engine ended while it ran; its `queued` runs were never started.
    Interrupted,
}

impl JobState {
    pub const fn word(self) -> &'static str {
        match self {
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Stopped => "stopped",
            JobState::Cancelled => "cancelled",
            JobState::Interrupted => "interrupted",
        }
    }

    pub const fn ended(self) -> bool {
        !matches!(self, JobState::Running)
    }
}

/// How many runs are in each state. All nine keys are always written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub queued: u32,
    pub sent: u32,
    pub running: u32,
    pub ok: u32,
    pub failed: u32,
    pub timeout: u32,
    pub offline: u32,
    pub cancelled: u32,
    pub skipped: u32,
}

impl Counts {
    pub fn of(states: impl IntoIterator<Item = RunState>) -> Self {
        let mut counts = Self::default();
        for state in states {
            *counts.slot(state) += 1;
        }
        counts
    }

    /// One more run is in this state.
    pub fn add(&mut self, state: RunState) {
        *self.slot(state) += 1;
    }

    fn slot(&mut self, state: RunState) -> &mut u32 {
        match state {
            RunState::Queued => &mut self.queued,
            RunState::Sent => &mut self.sent,
            RunState::Running => &mut self.running,
            RunState::Ok => &mut self.ok,
            RunState::Failed => &mut self.failed,
            RunState::Timeout => &mut self.timeout,
            RunState::Offline => &mut self.offline,
            RunState::Cancelled => &mut self.cancelled,
            RunState::Skipped => &mut self.skipped,
        }
    }

    pub fn get(&self, state: RunState) -> u32 {
        let mut copy = *self;
        *copy.slot(state)
    }

    /// One run went from one state to another.
    pub fn moved(&mut self, from: RunState, to: RunState) {
        let slot = self.slot(from);
        *slot = slot.saturating_sub(1);
        *self.slot(to) += 1;
    }

    pub fn total(&self) -> u32 {
        RunState::ALL.into_iter().map(|state| self.get(state)).sum()
    }

    pub fn ended(&self) -> u32 {
        self.total() - self.queued - self.sent - self.running
    }

    pub fn bad(&self) -> u32 {
        self.failed + self.timeout
    }
}
