//! A job's runs by how they ended: rows that say as much as all the outputs do.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::{JobId, Run};
use super::label;
use super::state::RunState;

/// `GET /api/v1/jobs/{id}/groups?exact=…`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    pub job: JobId,
    /// By byte-equal outputs, not by what they mean.
    pub exact: bool,
    /// The job that the groups are compared with: a fair one of the same script before it (`engine::triage::baseline`
    /// says which), or the one that was asked for.
    pub previous: Option<JobId>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
    /// What wants to be looked at first, first.
    pub groups: Vec<Group>,
    /// What the others are compared with: the largest group that ended well. Index in `groups`.
    pub base: Option<usize>,
    /// Where nothing ended well: those of an earlier job that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_in: Option<WellIn>,
    /// Of the job before, and of this one no more.
    pub gone: Vec<Gone>,
    /// Runs that have not ended.
    pub open: usize,
}

impl Groups {
    /// The group that goes by this name or label (`S3`), or by a name that begins like this.
    ///
    /// # Errors
    /// In words: there is none, or several.
    pub fn named(&self, name: &str) -> Result<&Group, String> {
        let exact = label::find(self, name).and_then(|at| self.groups.get(at));
        let mut begun = self.groups.iter().filter(|group| !name.is_empty() && group.signature.starts_with(name));
        match (exact, begun.next(), begun.next()) {
            (Some(group), ..) | (None, Some(group), None) => Ok(group),
            (None, Some(one), Some(other)) => {
                Err(format!("{name} begins both {} and {}: write more of it", one.signature, other.signature))
            }
            (None, None, _) => {
                Err(format!("no group {name} in job {0}: `quarterdeck groups {0}` lists them", self.job))
            }
        }
    }
}

/// How many went well in which job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WellIn {
    pub job: JobId,
    pub devices: usize,
}

/// Why a job is compared with none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alone {
    /// No job of the script before it is kept.
    First,
    /// None of them ran on enough of its devices.
    Elsewhere,
    /// Those that are kept have not ended: where a device sleeps that may take days.
    Open,
}

impl Alone {
    pub const fn words(self) -> &'static str {
        match self {
            Alone::First => "first job of this script",
            Alone::Elsewhere => "no job before on these devices",
            Alone::Open => "the job before has not ended",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Stable over jobs, restarts and machines.
    pub signature: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// The line that tells, masked.
    pub says: String,
    /// The same as it was printed, where all of them printed it alike and something of it is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<String>,
    /// All the lines that tell, masked; the last of them says it.
    #[serde(default)]
    pub template: Vec<String>,
    /// What was masked in them, how often.
    #[serde(default)]
    pub masked: Vec<Masked>,
    /// Indexes of the runs, in their order.
    pub runs: Vec<u32>,
    /// Their devices as a node set.
    pub devices: String,
    pub first_ended: Option<Timestamp>,
    /// Of the devices that both jobs have, those that ended like this in the job before; `None`: there was no such job.
    pub before: Option<usize>,
    /// Some earlier job of the script ended like this somewhere.
    #[serde(default)]
    pub met: bool,
    /// Devices that ended like this in the job before, and well in this one.
    #[serde(default)]
    pub fixed: usize,
    /// Different texts within it.
    pub texts: usize,
    /// What sets its devices apart from those of the base, the most telling first.
    pub shared: Vec<Shared>,
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl Group {
    /// The line that tells, for a reader: masked only where its runs differ.
    pub fn said(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.says)
    }

    /// The run that stands for it: the first of those with the most common text.
    pub fn sample(&self, runs: &[Run]) -> u32 {
        let digest = |run: u32| runs.get(run as usize).and_then(|run| run.digest.as_deref());
        let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
        for run in &self.runs {
            *counts.entry(digest(*run)).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        self.runs.iter().copied().find(|run| counts[&digest(*run)] == most).unwrap_or(0)
    }

    /// No earlier job that is kept ended like this. In a script's first job nothing is new: there is nothing to compare
    /// it with.
    pub fn is_new(&self) -> bool {
        self.before == Some(0) && !self.met
    }
}

/// What stood for something that differs from device to device, and how often: `<n>`, 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    pub mark: String,
    pub count: usize,
}

/// What people said of a signature or of a job. Of a signature it is shown wherever the same happens again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    #[serde(default)]
    pub note: Option<Noted>,
    #[serde(default)]
    pub acked: Option<Acked>,
    /// A link: what to read about it.
    #[serde(default)]
    pub runbook: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub text: String,
    pub by: String,
    pub at: Timestamp,
}

/// Somebody has seen it and takes care of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    pub by: String,
    pub at: Timestamp,
}

/// What a remark is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Job(JobId),
    /// Its name, or the beginning of it.
    Signature(String),
}

impl std::str::FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(job) = text.parse() {
            return Ok(Subject::Job(job));
        }
        let digits =
            text.split_once(':').filter(|(version, _)| version.starts_with('v')).map_or("", |(_, digits)| digits);
        if digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Subject::Signature(text.to_owned()));
        }
        Err(format!(
            "{text}: expected a job's number, or a signature such as v1:2c7ed99e65aa (`quarterdeck groups JOB`)"
        ))
    }
}

/// `POST /api/v1/{jobs/ID|signatures/NAME}/remarks`, answered by [`About`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// Empty: the note goes.
    Note(String),
    /// `false`: it is taken back.
    Ack(bool),
    /// Empty: the link goes.
    Runbook(String),
}

/// `GET /api/v1/{jobs/ID|signatures/NAME}/remarks`: a subject, and all that was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// A job's number or a signature's whole name.
    pub subject: String,
    /// What runs with this signature say; the script of the job.
    pub says: String,
    #[serde(flatten)]
    pub remarks: Remarks,
}

/// Characters of a note, and of a link.
pub const NOTE: usize = 1000;
pub const LINK: usize = 500;

/// A note as it is kept: on one line, nothing in it that drives a terminal.
///
/// # Errors
/// In words: it is too long, or has control characters.
pub fn note(text: &str) -> Result<String, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().any(|c| c.is_control() || turns(c)) {
        return Err("a note is text: it holds control characters (an escape sequence?)".to_owned());
    }
    match text.chars().count() {
        count if count > NOTE => {
            Err(format!("a note has {NOTE} characters at most, this one {count}: put it into the runbook"))
        }
        _ => Ok(text),
    }
}

/// A link as it is kept.
///
/// # Errors
/// In words: it is none.
pub fn link(text: &str) -> Result<String, String> {
    let link = text.trim();
    let web = ["https://", "http://"].iter().any(|scheme| link.len() > scheme.len() && link.starts_with(scheme));
    let plain = !link.chars().any(|c| c.is_whitespace() || c.is_control() || turns(c));
    match (link.is_empty() || web && plain, link.chars().count() <= LINK) {
        (true, true) => Ok(link.to_owned()),
        (true, false) => Err(format!("a link has {LINK} characters at most")),
        (false, _) => Err("a runbook is a link: https://…".to_owned()),
    }
}

/// Sets the direction of the text behind it.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    /// Of their devices, those that ended well in this job.
    #[serde(default)]
    pub fixed: usize,
}

impl Gone {
    /// It went because what failed goes well now.
    pub fn is_fixed(&self) -> bool {
        self.state.bad() && self.fixed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_about_a_job_or_a_signature() {
        assert_eq!("12".parse(), Ok(Subject::Job(12)));
        assert_eq!("v1:2c7e".parse(), Ok(Subject::Signature("v1:2c7e".into())));
        for wrong in ["", "v1:", "v1:x", "fix.sh", "-1", "v1:a", "1:2c7e"] {
            assert!(wrong.parse::<Subject>().unwrap_err().contains("expected a job's number"), "{wrong}");
        }
    }

    #[test]
    fn a_note_is_one_line_of_text() {
        assert_eq!(note(" CDN 503,\n\tsee RB-77 "), Ok("CDN 503, see RB-77".into()));
        assert_eq!(note(""), Ok(String::new()));
        assert!(note("\u{1b}[2Jgone").unwrap_err().contains("control characters"));
        assert!(note("a\u{202e}b").is_err());
        assert!(note(&"x".repeat(NOTE + 1)).unwrap_err().contains("1000 characters at most"));
    }

    #[test]
    fn a_runbook_is_a_link() {
        assert_eq!(link(" https://wiki.example/rb/77 "), Ok("https://wiki.example/rb/77".into()));
        assert_eq!(link(""), Ok(String::new()));
        for wrong in ["RB-77", "javascript:x", "https://", "https://a b", "https://a\u{1b}[m"] {
            assert!(link(wrong).is_err(), "{wrong:?}");
        }
    }
}
