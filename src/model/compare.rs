//! What is asked for when outputs or jobs are compared, and what the answer says. Which run stands for a group and what
//! its text is, is the engine's to find out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::diff::Diff;
use super::job::JobId;
use super::state::RunState;
use super::triage::Masked;

/// One side of a comparison. Written `base`, `group:v1:2c7ed99e65aa`, `run:7`, `device:lab:web001` or `before`; of
/// another job with its number before: `4805/run:7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// `None`: the job that is asked.
    pub job: Option<JobId>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The group that the others are compared with: the largest that ended well.
    Base,
    /// A group by its signature; the most common text in it stands for all.
    Group(String),
    /// A run by its index.
    Run(u32),
    /// A run by its device's id or, where that is unique, name.
    Device(String),
    /// The same script on the other side's device, the time before.
    Before,
}

impl From<What> for Pick {
    fn from(what: What) -> Self {
        Self { job: None, what }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(job) = self.job {
            write!(f, "{job}/")?;
        }
        match &self.what {
            What::Base => f.write_str("base"),
            What::Group(signature) => write!(f, "group:{signature}"),
            What::Run(run) => write!(f, "run:{run}"),
            What::Device(device) => write!(f, "device:{device}"),
            What::Before => f.write_str("before"),
        }
    }
}

impl FromStr for Pick {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "`{text}` is no side of a comparison: base, before, group:SIGNATURE, run:N, device:NAME; JOB/ before it"
            )
        };
        let (job, what) = match text.split_once('/') {
            Some((job, what)) if !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some(job.parse().map_err(|_| wrong())?), what)
            }
            _ => (None, text),
        };
        let what = match what.split_once(':') {
            None if what == "base" => What::Base,
            None if what == "before" => What::Before,
            Some(("group", signature)) if !signature.is_empty() => What::Group(signature.to_owned()),
            Some(("device", device)) if !device.is_empty() => What::Device(device.to_owned()),
            Some(("run", run)) => What::Run(run.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        };
        Ok(Self { job, what })
    }
}

/// `GET /api/v1/jobs/{id}/diff?left=…&right=…&masked=…`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub left: Compared,
    pub right: Compared,
    /// Without what is a device's or a moment's own.
    pub masked: bool,
    /// What stands for what was masked, and how often on both sides.
    #[serde(default)]
    pub masks: Vec<Masked>,
    /// stdout, then stderr: how the two came together is chance. A line beginning with [`OURS`] is Quarterdeck's own:
    /// where stderr begins, and how many lines were left out.
    pub diff: Diff,
}

/// How a line begins that stands in a comparison for what is not there.
pub const OURS: &str = "~~~ ";

/// A run that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    pub job: JobId,
    pub run: u32,
    pub device: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    pub signature: Option<String>,
    /// How many runs its group has, where it stands for one; else 1.
    pub stands_for: usize,
    /// Lines left out of the middle of a long output.
    #[serde(default)]
    pub left_out: u64,
}

/// `GET /api/v1/jobs/{id}/against?job=…`: a job beside another one, mostly the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Against {
    /// What it is compared with, and itself.
    pub left: JobId,
    pub right: JobId,
    /// Groups of either among the devices that both have, what wants to be looked at first.
    pub groups: Vec<Changed>,
    /// Devices of both whose run ended in another way, or badly again.
    pub moved: Vec<Moved>,
    /// Devices of one of them alone, as node sets.
    pub only_left: String,
    pub only_right: String,
    /// The devices of `moved` one by one.
    #[serde(default)]
    pub shifts: Vec<Shift>,
}

/// A device of both whose run ended in another way, or badly again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Id, and name.
    pub device: String,
    pub name: String,
    pub from: Way,
    pub to: Way,
    /// What the run on the right says.
    pub says: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    pub run: u32,
    pub state: RunState,
    pub exit_code: Option<i32>,
    pub signature: String,
}

impl Way {
    /// `failed 69`
    pub fn said(&self) -> String {
        let code = self.exit_code.map_or_else(String::new, |code| format!(" {code}"));
        format!("{}{code}", self.state.word())
    }
}

impl Shift {
    /// What may have changed, the worst first.
    pub const WORDS: [&'static str; 4] = ["broke", "bad again", "other words", "fixed"];

    pub fn word(&self) -> &'static str {
        changed(self.from.state, self.to.state)
    }
}

fn changed(from: RunState, to: RunState) -> &'static str {
    match (from == RunState::Ok, to == RunState::Ok) {
        (true, false) => "broke",
        (false, true) => "fixed",
        (false, false) => "bad again",
        (true, true) => "other words",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub signature: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    pub says: String,
    /// Runs on devices of both that ended like this in either job.
    pub left: usize,
    pub right: usize,
}

impl Changed {
    pub fn word(&self) -> &'static str {
        match (self.left, self.right) {
            (0, _) => "new",
            (_, 0) => "gone",
            (left, right) if right > left => "grew",
            (left, right) if right < left => "shrank",
            _ => "same",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub from: RunState,
    pub to: RunState,
    /// What the run on the right says.
    pub signature: String,
    pub says: String,
    pub count: usize,
    pub devices: String,
}

impl Moved {
    pub fn word(&self) -> &'static str {
        changed(self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_survives_being_written_down() {
        for text in ["base", "before", "group:v1:2c7ed99e65aa", "run:7", "device:lab:web/1", "4805/run:0", "12/base"] {
            assert_eq!(text.parse::<Pick>().unwrap().to_string(), text);
        }
        for wrong in ["", "bases", "run:x", "run:-1", "group:", "device:", "x/run:1", "99999999999999999999999/base"] {
            assert!(wrong.parse::<Pick>().is_err(), "{wrong}");
        }
    }
}
