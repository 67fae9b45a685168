//! Flags of the verbs that look at how runs ended: groups, putting them together, notes and acknowledgements.

use clap::{Args, Subcommand};

use super::job;
use crate::model::triage::Subject;

pub(super) const GROUPS_HELP: &str = "\
Runs are one group when state, exit code and the lines that tell (the end of stderr, else of stdout) are the
same but for numbers, times, addresses and the device's own names, which are shown as <n>, <time>, <addr>,
<host>. A group has the same signature in every job, and a short name (S3) in this one: verbs take either.
BEFORE: how many of the same devices ended like this in the job that it is compared with: the newest of the
same script that had an answer from half of these devices, and is no re-run unless of all of them. `new`: no
job that is kept ended like this. What failed comes first, and of that what is new. Under a group: its
devices, and a fact that they share and those of the largest ok group do not.
JSON: {schema_version, job, exact, previous, alone: first|elsewhere, groups: [{signature, state, exit_code,
says, runs, devices, first_ended, before, met, fixed, texts, template, masked: [{mark, count}], shared: [{field, value, here, of, base,
base_of}], note, acked, runbook}], base, gone: [{signature, state, says, runs, fixed}], open}.

    quarterdeck groups 12
    quarterdeck groups 12 --exact --json | jq '.groups[] | select(.state != \"ok\").devices'";

#[derive(Debug, Args)]
pub struct Groups {
    /// The job
    #[arg(value_parser = job)]
    pub id: u64,
    /// Only byte-equal outputs are the same
    #[arg(long)]
    pub exact: bool,
    /// Compare with this job
    #[arg(long, value_name = "JOB", value_parser = job)]
    pub base: Option<u64>,
}

pub(super) const REGROUP_HELP: &str = "\
What is done here is kept with the script and counts wherever it ended or will end in the same way, in jobs
that have run too: names are made when groups are shown, no output is touched, and everything can be taken
back. A rule is a regular expression (linear time: no look-around, no backreferences) that is tried before
the masks; of rules that find the same place the first counts.
JSON, of each of them: {schema_version, script, rules: [{pattern, becomes}], merged: [{signature, says, into, by,
at}], split: [{signature, says, by_what, by, at}], learnt, tree: {depth, similarity, children}}.

    quarterdeck regroup merge 12 S3 S4 S1
    quarterdeck regroup mask patch.sh 'pkg-[a-z]+' '<pkg>'
    quarterdeck regroup keep patch.sh 'HTTP [0-9]+'";

#[derive(Debug, Subcommand)]
pub enum Regroup {
    /// How the outputs of a script are put together
    Show { script: String },
    /// Groups go into another from now on; undone as one
    Merge {
        #[arg(value_parser = job)]
        job: u64,
        #[arg(value_name = "SIGNATURE", required = true)]
        signatures: Vec<String>,
        #[arg(value_name = "INTO", required = true)]
        into: String,
    },
    /// Take a group apart, a step finer: what was merged, any words, masked numbers, masked lines
    Split {
        #[arg(value_parser = job)]
        job: u64,
        signature: String,
    },
    /// Take back what was done to a group last
    Undo {
        #[arg(value_parser = job)]
        job: u64,
        signature: String,
    },
    /// A rule: what PATTERN finds in a line that tells is masked as BECOMES
    Mask {
        script: String,
        #[arg(allow_hyphen_values = true)]
        pattern: String,
        becomes: String,
    },
    /// A rule: what PATTERN finds stays as it is, whatever the masks would do
    Keep {
        script: String,
        #[arg(allow_hyphen_values = true)]
        pattern: String,
    },
    /// Take a rule back, by its number
    Forget { script: String, rule: usize },
}

pub(super) const NOTE_HELP: &str = "\
A note on a signature is shown wherever the same happens again, in every later job. Without TEXT: what is
noted. The name is recorded as the engine's login.
JSON: {schema_version, subject, says, note: {text, by, at}, acked: {by, at}, runbook}; null where nothing is.

    quarterdeck note v1:2c7ed99e65aa 'CDN 503, the vendor has it' --runbook https://wiki.example/rb/77
    quarterdeck note 4805/S3 'wait for the vendor'
    quarterdeck note 4805 stopped by hand";

#[derive(Debug, Args)]
pub struct Note {
    /// A job's number, one of its groups (12/S3), or a signature (its beginning is enough)
    #[arg(value_name = "JOB|JOB/GROUP|SIGNATURE")]
    pub subject: About,
    /// What is to be known about it
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Take the note back
    #[arg(long, conflicts_with = "text")]
    pub remove: bool,
    /// A link to what to do about it; an empty one is taken back
    #[arg(long, value_name = "LINK")]
    pub runbook: Option<String>,
}

/// What a remark is about, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Subject(Subject),
    /// A group by what its job calls it.
    Group(u64, String),
}

impl std::str::FromStr for About {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((job, group)) if !group.is_empty() => {
                let job = job.parse().map_err(|_| format!("{text}: expected a job's number before the /"))?;
                Ok(About::Group(job, group.to_owned()))
            }
            _ => text.parse().map(About::Subject),
        }
    }
}

pub(super) const ACK_HELP: &str = "JSON: as of `note`.";

#[derive(Debug, Args)]
pub struct Ack {
    /// A job's number, one of its groups (12/S3), or a signature (its beginning is enough)
    #[arg(value_name = "JOB|JOB/GROUP|SIGNATURE")]
    pub subject: About,
    /// Take it back
    #[arg(long)]
    pub undo: bool,
}
