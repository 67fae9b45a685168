//! The one job whose runs the console holds: the one being watched, or the one under the cursor of the job
//! list. Folds the engine's events into it.

use std::collections::{HashMap, HashSet};

use crate::model::job::{Job, JobId, JobSummary, Run};
use crate::model::state::{Counts, RunState};
use crate::model::wire::Grown;

#[derive(Debug)]
pub struct Held {
    pub id: JobId,
    /// `None`: on its way.
    pub job: Option<Job>,
    pub problem: Option<String>,
    /// Runs heard of before the job was here.
    early: Vec<Run>,
}

impl Held {
    pub fn new(id: JobId) -> Self {
        Self { id, job: None, problem: None, early: Vec::new() }
    }

    pub fn set(&mut self, mut job: Job) {
        // Two devices of one name (of two connections) are told apart by all of their id.
        let mut names: HashMap<&str, u32> = HashMap::with_capacity(job.runs.len());
        for run in &job.runs {
            *names.entry(&run.name).or_default() += 1;
        }
        let twice: HashSet<String> = names.into_iter().filter(|(_, n)| *n > 1).map(|(name, _)| name.into()).collect();
        for run in job.runs.iter_mut().filter(|run| twice.contains(&run.name)) {
            run.name.clone_from(&run.device);
        }
        for run in self.early.drain(..) {
            fold(&mut job.runs, run);
        }
        job.summary.counts = Counts::of(job.runs.iter().map(|run| run.state));
        self.problem = None;
        self.job = Some(job);
    }

    pub fn runs(&mut self, runs: Vec<Run>) {
        match &mut self.job {
            Some(job) => {
                runs.into_iter().for_each(|run| fold(&mut job.runs, run));
                job.summary.counts = Counts::of(job.runs.iter().map(|run| run.state));
            }
            None if self.early.len() < 100_000 => self.early.extend(runs),
            None => {}
        }
    }

    pub fn grown(&mut self, grown: &[Grown]) {
        let Some(job) = &mut self.job else { return };
        for grown in grown {
            if let Some(run) = job.runs.get_mut(grown.run as usize) {
                run.bytes = run.bytes.max(grown.bytes);
                run.lines = run.lines.max(grown.lines);
                if !grown.last_line.is_empty() {
                    run.last_line.clone_from(&grown.last_line);
                }
            }
        }
    }

    /// The job as a whole; the counts stay those of the runs at hand.
    pub fn summary(&mut self, summary: &JobSummary) {
        if let Some(job) = &mut self.job {
            let counts = if job.runs.is_empty() { summary.counts } else { job.summary.counts };
            job.summary = JobSummary { counts, ..summary.clone() };
        }
    }

    pub fn run(&self, index: u32) -> Option<&Run> {
        self.job.as_ref()?.runs.get(index as usize)
    }
}

/// A run that has ended does not go back: events and answers travel on different ways.
fn fold(runs: &mut [Run], run: Run) {
    if let Some(mine) = runs.get_mut(run.index as usize)
        && (run.state.ended() || !mine.state.ended())
        && !(mine.state == RunState::Running && matches!(run.state, RunState::Queued | RunState::Sent))
    {
        *mine = Run { name: std::mem::take(&mut mine.name), ..run };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;

    #[test]
    fn what_ended_stays_ended_whatever_comes_late() {
        let mut held = Held::new(1);
        let mut done = Run::queued(0, "lab:web1", "web1");
        done.state = RunState::Ok;
        held.runs(vec![done]);
        held.set(sample::job(1, &[RunState::Running, RunState::Queued]));
        assert_eq!(held.run(0).unwrap().state, RunState::Ok, "the event overtook the answer");
        held.runs(vec![Run::queued(0, "lab:web1", "web1"), Run::queued(77, "x", "x")]);
        let counts = held.job.unwrap().summary.counts;
        assert_eq!((counts.ok, counts.queued), (1, 1));
    }

    #[test]
    fn devices_of_one_name_are_told_apart() {
        let mut job = sample::job(1, &[RunState::Queued; 3]);
        for (run, device) in job.runs.iter_mut().zip(["here:local", "there:local"]) {
            (run.device, run.name) = (device.into(), "local".into());
        }
        let mut held = Held::new(1);
        held.set(job);
        let mut again = Run::queued(1, "there:local", "local");
        again.state = RunState::Running;
        held.runs(vec![again]);
        let names: Vec<&str> = held.job.iter().flat_map(|job| &job.runs).map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["here:local", "there:local", "web003"]);
        assert_eq!(held.run(1).unwrap().state, RunState::Running);
    }
}
