//! A job's runs by how they ended: rows that say as much as all the outputs do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::JobId;
use super::state::RunState;

/// `GET /api/v1/jobs/{id}/groups?exact=…`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    pub job: JobId,
    /// By byte-equal outputs, not by what they mean.
    pub exact: bool,
    /// The job of the same script before this one, which the groups are compared with.
    pub previous: Option<JobId>,
    /// What wants to be looked at first, first.
    pub groups: Vec<Group>,
    /// What the others are compared with: the largest group that ended well. Index in `groups`.
    pub base: Option<usize>,
    /// Of the job before, and of this one no more.
    pub gone: Vec<Gone>,
    /// Runs that have not ended.
    pub open: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Stable over jobs, restarts and machines.
    pub signature: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// The line that tells, masked.
    pub says: String,
    /// Indexes of the runs, in their order.
    pub runs: Vec<u32>,
    /// Their devices as a node set.
    pub devices: String,
    pub first_ended: Option<Timestamp>,
    /// Runs of the job before that ended like this; `None`: there was no such job.
    pub before: Option<usize>,
    /// Different texts within it.
    pub texts: usize,
    /// What sets its devices apart from those of the base, the most telling first.
    pub shared: Vec<Shared>,
}

impl Group {
    /// Not met in the job before.
    pub fn is_new(&self) -> bool {
        self.before == Some(0)
    }
}

/// How many of a group's devices have a fact, and how many of the base's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    pub field: String,
    pub value: String,
    pub here: usize,
    pub of: usize,
    pub base: usize,
    pub base_of: usize,
}

impl Shared {
    /// How much more common it is here: the difference of the two shares, -1 to 1.
    pub fn lift(&self) -> f64 {
        self.here as f64 / self.of.max(1) as f64 - self.base as f64 / self.base_of.max(1) as f64
    }

    /// All of the group and none of the base.
    pub fn explains(&self) -> bool {
        self.here == self.of && self.base == 0 && self.base_of > 0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub signature: String,
    pub state: RunState,
    pub says: String,
    pub runs: usize,
}
