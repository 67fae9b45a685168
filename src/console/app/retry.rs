//! `R` and a letter: the script of a job again, as it ran then, on the devices that the job left in one way. Owns which
//! devices that are and why there may be none; the launch dialog does the rest, armed like any other launch.

use super::begun::Begun;
use super::commands::Do;
use super::launch::Launch;
use super::{App, View, marks};
use crate::console::text;
use crate::model::job::{Job, JobId};
use crate::model::target::{JobSet, Left, rerun};
use crate::model::triage::Group;

/// Which devices of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    Failed,
    Unknown,
    NotStarted,
    Offline,
    TimedOut,
    Cancelled,
    Ok,
    /// Those of the groups under the cursor, or marked.
    Group,
    Marked,
}

impl Again {
    const fn left(self) -> Option<Left> {
        Some(match self {
            Again::Failed => Left::Failed,
            Again::Unknown => Left::Unknown,
            Again::NotStarted => Left::NotStarted,
            Again::Offline => Left::Offline,
            Again::TimedOut => Left::Timeout,
            Again::Cancelled => Left::Cancelled,
            Again::Ok => Left::Ok,
            Again::Group | Again::Marked => return None,
        })
    }
}

impl App {
    fn groups_here(&self) -> Vec<&Group> {
        self.triage.as_ref().map(|triage| triage.chosen_groups()).unwrap_or_default()
    }

    /// The expression that names them; `Err`: why there are none.
    fn again_on(&self, again: Again, job: &Job) -> Result<String, String> {
        let id = job.summary.id;
        if let Some(left) = again.left() {
            let word = left.word();
            if !job.runs.iter().any(|run| left.takes(run)) {
                return Err(match job.runs.iter().filter(|run| run.unknown()).count() {
                    n @ 1.. if left == Left::Failed => {
                        let key = self.key_of("retry", "retry-unknown");
                        format!("job {id} left no device {word} but {n} whose outcome is unknown: {key} takes them")
                    }
                    _ => format!("job {id} left no device {word}"),
                });
            }
            return Ok(JobSet { job: id, left }.to_string());
        }
        if again == Again::Group {
            let sets: Vec<String> = self
                .groups_here()
                .into_iter()
                .map(|group| JobSet { job: id, left: Left::Group(group.signature.clone()) }.to_string())
                .collect();
            return if sets.is_empty() { Err("no group is under the cursor".into()) } else { Ok(sets.join(" | ")) };
        }
        let marked = self.marked_runs();
        if marked.is_empty() && self.view == View::Overview {
            let key = self.key_of("jobs", "open");
            return Err(format!("no device of job {id} is marked: {key} watches it, they are marked there"));
        }
        if marked.is_empty() {
            let key = self.key_of("list", "mark");
            return Err(format!("no device is marked: {key} marks the one under the cursor"));
        }
        Ok(marks::exactly(marked.into_iter().map(|run| run.device.as_str())))
    }

    pub(super) fn why_not_retry(&self, again: Again) -> Option<String> {
        let Some(summary) = self.job_here() else { return Some(self.no_job()) };
        if !summary.state.ended() {
            return Some(self.still_runs(summary.id));
        }
        let Some(job) = self.held_here() else { return Some("the job is still being read".into()) };
        let target = match self.again_on(again, job) {
            Ok(target) => target,
            Err(why) => return Some(why),
        };
        let known = self.scripts.iter().any(|script| script.name == summary.script);
        (!known).then(|| {
            let shell = rerun(summary.id, &target).map(|line| format!("; {line} runs what ran then"));
            format!("{} is not in the library{}", text::plain(&summary.script), shell.unwrap_or_default())
        })
    }

    /// What is left of a job is known at its end, which may be days away where a device sleeps: the devices themselves can
    /// be taken before.
    fn still_runs(&self, job: JobId) -> String {
        let (mark, run) = (self.key_of("list", "mark"), self.key_of("job", "run"));
        let watch = match self.view {
            View::Live => String::new(),
            View::Groups => "in its live view ".to_owned(),
            _ => format!("{} watches it, ", self.key_of("jobs", "open")),
        };
        format!("job {job} still runs: {watch}{mark} marks devices, {run} runs it on them; a retry waits")
    }

    pub(super) fn open_retry(&mut self, again: Again) {
        let Some(job) = self.held_here() else { return };
        let Ok(target) = self.again_on(again, job) else { return };
        let (id, script) = (job.summary.id, job.summary.script.clone());
        let begun = Begun { script: Some(script.clone()), target: target.clone(), of: Some(id) };
        self.begin_launch(begun, |app| {
            let mut launch = Launch::new(&app.scripts, Some(&script), &target);
            if let Some(job) = app.held_here() {
                launch.fill(&job.params);
                launch.retry(job);
            }
            launch
        });
        let opened = self.hint.take().unwrap_or_default();
        self.hint = Some(format!("the very version that job {id} ran, its parameters; {opened}"));
    }

    /// How many devices it would take.
    pub fn retried(&self, verb: Do) -> Option<u64> {
        let Do::Retry(again) = verb else { return None };
        let job = self.held_here()?;
        Some(match again.left() {
            Some(left) => job.runs.iter().filter(|run| left.takes(run)).count() as u64,
            None if again == Again::Marked => self.marked_runs().len() as u64,
            None => self.groups_here().iter().map(|group| group.runs.len() as u64).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::Layer;
    use crate::console::app::event::Effect;
    use crate::console::app::sample::{Session, job, nobody_knows};
    use crate::model::plan::ScriptRef;
    use crate::model::state::RunState;

    fn with(states: &[RunState]) -> Session {
        let mut session = Session::starting((80, 24), true);
        session.jobs[0] = job(12, states);
        session.attach();
        session
    }

    #[test]
    fn a_retry_is_planned_with_what_the_job_ran_on_the_devices_that_it_left() {
        let session = &mut with(&[RunState::Failed, RunState::Ok]);
        session.keys("3Rf");
        let plan = session.app.layers.iter().rev().find_map(|layer| match layer {
            Layer::Launch(launch) => launch.request().ok(),
            _ => None,
        });
        let plan = plan.expect("the launch dialog, filled in");
        assert_eq!((plan.script, plan.target.as_str()), (ScriptRef::Job(12), "@failed:12"));
        assert_eq!(plan.timeout_ms, Some(600_000));
        let line = session.app.layers.iter().rev().find_map(|layer| match layer {
            Layer::Launch(launch) => Some(launch.command_line()),
            _ => None,
        });
        assert_eq!(line.as_deref(), Some("quarterdeck rerun 12 --failed --confirm 12"));
        assert!(!session.sent.iter().any(|effect| matches!(effect, Effect::Launch { .. })));
    }

    #[test]
    fn a_job_is_run_again_from_wherever_it_is_looked_at() {
        use RunState::{Cancelled, Failed, Offline, Ok, Timeout};
        for place in ["3", "3<enter>", "3<enter><tab>", "3u", "3u<tab><tab>"] {
            for keys in ["Rf", "Rn", "Ro", "Rt", "Rc", "Rk"] {
                let session = &mut Session::starting((80, 24), true);
                session.jobs[0] = job(12, &[Failed, Timeout, Offline, Ok, Cancelled]);
                session.jobs[0].runs[4].started_at = None;
                session.attach();
                session.keys(place).keys(keys);
                let opened = session.app.layers.iter().any(|layer| matches!(layer, Layer::Launch(_)));
                assert!(opened, "{keys} after {place}: {:?}", session.app.hint);
            }
        }
    }

    #[test]
    fn marked_devices_are_sought_where_they_are_marked() {
        let session = &mut with(&[RunState::Failed]);
        session.keys("3Rm");
        let said = session.app.hint.as_deref();
        assert_eq!(said, Some("no device of job 12 is marked: enter watches it, they are marked there"));
        session.keys("<enter>Rm");
        assert_eq!(session.app.hint.as_deref(), Some("no device is marked: space marks the one under the cursor"));
    }

    #[test]
    fn what_nobody_knows_the_end_of_is_retried_only_by_its_own_key() {
        let session = &mut with(&[RunState::Ok, RunState::Failed]);
        nobody_knows(&mut session.jobs[0].runs[1]);
        session.attach();
        session.keys("3Rf");
        let said = session.app.hint.clone().unwrap_or_default();
        assert_eq!(said, "job 12 left no device failed but 1 whose outcome is unknown: R u takes them");
        session.keys("Ru");
        let launch = session.app.launch().expect("the launch dialog");
        assert_eq!(
            (launch.target(), launch.command_line()),
            ("@unknown:12".into(), "quarterdeck rerun 12 --unknown --confirm 12".into())
        );
    }

    #[test]
    fn what_was_left_by_nobody_and_a_job_that_runs_are_refused_with_the_reason() {
        let session = &mut with(&[RunState::Ok]);
        session.keys("3Rf");
        assert_eq!(session.app.hint.as_deref(), Some("job 12 left no device failed"));
        let session = &mut with(&[RunState::Failed, RunState::Running]);
        session.keys("3Rf");
        let said = session.app.hint.clone().unwrap_or_default();
        assert_eq!(said, "job 12 still runs: enter watches it, space marks devices, r runs it on them; a retry waits");
        // and so it is
        session.keys("<enter>Rf");
        let said = session.app.hint.clone().unwrap_or_default();
        assert_eq!(said, "job 12 still runs: space marks devices, r runs it on them; a retry waits");
        session.keys("<space>r");
        let launch = session.app.launch().expect("the launch dialog");
        assert_eq!(launch.target(), "lab:web001");
    }
}
