//! Devices by how a job left them: `@failed:4812`, `@group:4812/v1:2c7ed99e65aa`. The form is understood here; which
//! devices these are is asked of whoever knows the jobs.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::model::job::{JobId, Run};
use crate::model::nearest::{hint, shown};
use crate::model::state::RunState;

/// What an expression may say of a job's devices.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobSet {
    pub job: JobId,
    pub left: Left,
}

/// How a job left a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Left {
    Ok,
    /// (But for those whose outcome is unknown.)
    Failed,
    /// Failed as far as anybody knows: it may have run, whole or in part.
    Unknown,
    Timeout,
    Offline,
    /// Withdrawn, or ended on request.
    Cancelled,
    Skipped,
    /// Its turn never came, or it was withdrawn before.
    NotStarted,
    /// With a signature, or one that begins like this.
    Group(String),
}

/// The devices of each set that an expression names, by id; or why they are not known.
pub type Sets = HashMap<JobSet, Result<HashSet<String>, String>>;

impl Left {
    /// All that need no more than their word.
    pub const PLAIN: [Left; 8] = [
        Left::Failed,
        Left::Unknown,
        Left::NotStarted,
        Left::Offline,
        Left::Timeout,
        Left::Cancelled,
        Left::Skipped,
        Left::Ok,
    ];

    pub fn word(&self) -> &'static str {
        match self {
            Left::Ok => "ok",
            Left::Failed => "failed",
            Left::Unknown => "unknown",
            Left::Timeout => "timeout",
            Left::Offline => "offline",
            Left::Cancelled => "cancelled",
            Left::Skipped => "skipped",
            Left::NotStarted => "not-started",
            Left::Group(_) => "group",
        }
    }

    /// What `rerun` calls it; `None`: it takes no such set.
    fn flag(&self) -> Option<String> {
        match self {
            Left::Skipped => None,
            Left::Timeout => Some("--timed-out".to_owned()),
            Left::Group(signature) => Some(format!("--group {signature}")),
            left => Some(format!("--{}", left.word())),
        }
    }

    /// A run that ended like this. (Which runs are a group is not told by one of them.)
    pub fn takes(&self, run: &Run) -> bool {
        let untouched = run.started_at.is_none();
        match (self, run.state) {
            (Left::NotStarted, RunState::Queued) => true,
            (Left::NotStarted, RunState::Cancelled) => untouched,
            (Left::NotStarted | Left::Group(_), _) => false,
            (Left::Failed, RunState::Failed) => !run.unknown(),
            (Left::Unknown, _) => run.unknown(),
            (left, state) => left.word() == state.word(),
        }
    }
}

impl fmt::Display for JobSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}:{}", self.left.word(), self.job)?;
        match &self.left {
            Left::Group(signature) => write!(f, "/{signature}"),
            _ => Ok(()),
        }
    }
}

/// The verb that says the same as this expression, where that is nothing but sets of this job.
pub fn rerun(job: JobId, expr: &str) -> Option<String> {
    let mut line = format!("quarterdeck rerun {job}");
    for word in expr.split('|') {
        let set = JobSet::parse(word.trim().strip_prefix('@')?).ok().filter(|set| set.job == job)?;
        line.push(' ');
        line.push_str(&set.left.flag()?);
    }
    Some(line)
}

impl JobSet {
    /// Of a word without its `@`.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let words = || Left::PLAIN.iter().map(Left::word).chain(["group"]);
        let Some((set, of)) = word.split_once(':') else {
            let example = match Left::PLAIN.iter().find(|left| left.word() == word) {
                Some(left) => format!(" (@{}:12 means job 12's)", left.word()),
                None => hint(word, words().chain(["all"])),
            };
            return Err(format!(
                "'@{}' is not known{example}: @all, or of a job @failed:JOB, @not-started:JOB, @group:JOB/SIGNATURE…",
                shown(word)
            ));
        };
        let (job, signature) = match of.split_once('/') {
            Some((job, signature)) => (job, Some(signature)),
            None => (of, None),
        };
        let plain = Left::PLAIN.into_iter().find(|left| left.word() == set);
        let left = match (plain, set, signature) {
            (Some(left), _, None) => left,
            (Some(_), _, Some(_)) => return Err(format!("only @group takes a signature: @{}:{}", set, shown(job))),
            (None, "timed-out", None) => Left::Timeout,
            (None, "group", Some(signature)) if !signature.is_empty() => Left::Group(signature.to_owned()),
            (None, "group", _) => {
                return Err("a signature is missing: @group:JOB/SIGNATURE (`quarterdeck groups JOB` lists them)".into());
            }
            (None, other, _) => {
                let known: Vec<&str> = words().collect();
                return Err(format!(
                    "'@{}' is no set of a job{}: {}",
                    shown(other),
                    hint(other, words()),
                    known.join(", ")
                ));
            }
        };
        match job.parse() {
            Ok(job) => Ok(Self { job, left }),
            Err(_) => Err(format!("'{}' is no job's number", shown(job))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: RunState, started: bool) -> Run {
        Run { state, started_at: started.then_some(jiff::Timestamp::UNIX_EPOCH), ..Run::queued(0, "lab:a", "a") }
    }

    #[test]
    fn a_set_survives_being_written_down() {
        for left in Left::PLAIN.into_iter().chain([Left::Group("v1:2c7e".into())]) {
            let set = JobSet { job: 4812, left };
            assert_eq!(JobSet::parse(set.to_string().strip_prefix('@').unwrap()), Ok(set));
        }
        assert_eq!(JobSet::parse("timed-out:1"), Ok(JobSet { job: 1, left: Left::Timeout }));
    }

    #[test]
    fn sets_of_one_job_are_a_verb_and_nothing_else_is() {
        let verb = |expr| rerun(12, expr).unwrap_or_default();
        assert_eq!(verb("@failed:12"), "quarterdeck rerun 12 --failed");
        assert_eq!(verb("@timeout:12 | @group:12/v1:2c7e"), "quarterdeck rerun 12 --timed-out --group v1:2c7e");
        for other in ["@failed:11", "@skipped:12", "@failed:12 & web", "@failed:12 | web", "web", "@nightly", ""] {
            assert_eq!(verb(other), "", "{other}");
        }
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        for (word, says) in [
            ("failed", "(@failed:12 means job 12's)"),
            ("al", "did you mean 'all'"),
            ("faild:12", "did you mean 'failed'"),
            ("failed:x", "'x' is no job's number"),
            ("failed:12/v1:2c", "only @group takes a signature"),
            ("group:12", "a signature is missing"),
            ("group:12/", "a signature is missing"),
            ("failed:-1", "no job's number"),
        ] {
            let error = JobSet::parse(word).unwrap_err();
            assert!(error.contains(says), "{word}: {error}");
        }
    }

    #[test]
    fn what_nobody_knows_the_end_of_has_not_failed_to_be_run_again_like_the_rest() {
        let because = |reason: &str| Run { reason: Some(reason.into()), ..run(RunState::Failed, true) };
        let how =
            |run: &Run| -> Vec<&str> { Left::PLAIN.iter().filter(|left| left.takes(run)).map(Left::word).collect() };
        let cut =
            because("connection lost after 3 s (EOF); outcome unknown: look at the device before it is run again");
        assert_eq!(how(&cut), ["unknown"]);
        assert_eq!(
            how(&because("interrupted: the engine ended while this ran; how it ended is not known")),
            ["unknown"]
        );
        assert_eq!(how(&because("interrupted: the engine ended as this was sent: nothing was sent")), ["failed"]);
        assert_eq!(how(&Run { exit_code: Some(1), ..cut.clone() }), ["failed"], "it said how it ended");
        assert_eq!(how(&Run { signal: Some("KILL".into()), ..cut }), ["failed"]);
    }

    #[test]
    fn what_was_withdrawn_before_it_began_has_not_started() {
        assert!(Left::NotStarted.takes(&run(RunState::Queued, false)));
        assert!(Left::NotStarted.takes(&run(RunState::Cancelled, false)));
        assert!(!Left::NotStarted.takes(&run(RunState::Cancelled, true)));
        assert!(Left::Cancelled.takes(&run(RunState::Cancelled, true)));
        for state in [RunState::Ok, RunState::Failed, RunState::Timeout, RunState::Offline, RunState::Skipped] {
            let takes: Vec<Left> = Left::PLAIN.into_iter().filter(|left| left.takes(&run(state, true))).collect();
            assert_eq!(takes.iter().map(Left::word).collect::<Vec<_>>(), [state.word()]);
        }
    }
}
