//! After an engine's end, however it came: what its jobs were at. A run that was let go and whose end is not written
//! down goes on, where its system can be asked for it later; else it is lost: how it ended is not known, and it is not
//! repeated. One that was not let go waits as if nothing had been. A job with such runs is held until somebody lets it
//! go on; one of which nothing is left, or that cannot go on, has ended.

use jiff::Timestamp;

use super::launches::{self, Launched};
use super::starts::Starts;
use super::{Store, StoreError, db, output};
use crate::engine::lastline::LastLine;
use crate::model::audit::{Act, Deed};
use crate::model::job::{Job, JobId, LOST, Run, UNKNOWN};
use crate::model::notify::turns;
use crate::model::rollout::Paused;
use crate::model::state::{Counts, JobState, RunState};

/// Bytes of an output's end in which its last line is looked for.
const ENDING: usize = 1 << 10;

/// What was found.
#[derive(Default)]
pub struct Recovered {
    /// Jobs that have ended with their engine.
    pub ended: Vec<JobId>,
    /// Jobs that can go on.
    pub left: Vec<Left>,
}

/// A job that is held, with what it needs to go on.
pub struct Left {
    pub job: Job,
    pub launched: Launched,
    /// How often each run was let go.
    pub times: Vec<u32>,
}

/// How many runs of a job were in flight.
#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    lost: u32,
    /// They go on at their system.
    on: u32,
}

/// What has become of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stood {
    /// Its end is written down.
    Over,
    /// It was let go: it may have run, whole or in part.
    Lost,
    /// Nothing of it went to the device, or nothing since its last try has ended.
    Waits,
}

/// `times`: how often it was let go.
pub fn stood(run: &Run, times: u32) -> Stood {
    match run.state.ended() {
        true => Stood::Over,
        false if times > run.passed() => Stood::Lost,
        false => Stood::Waits,
    }
}

/// It waits again, as if it had not been sent.
pub fn requeue(run: &mut Run) {
    run.state = RunState::Queued;
    (run.sent_at, run.started_at) = (None, None);
    if run.tries.is_empty() {
        run.reason = None;
    }
}

impl Store {
    /// Looks at every job that an engine left behind, and writes down what it finds. `takes_up`: whether what was sent
    /// over a connection can be heard to its end now.
    pub async fn recover(&self, takes_up: impl Fn(&str) -> bool) -> Result<Recovered, StoreError> {
        let mut recovered = Recovered::default();
        for id in self.db.call(|db| db::unfinished(db)).await? {
            let read = move |db: &mut _| Ok((db::job(db, id)?, launches::read(db, id)?));
            let (Some(mut job), launched) = self.db.call(read).await? else { continue };
            let before = job.summary.clone();
            let times = Starts::read(&self.starts_path(id)).ok().flatten();
            let unfit = self.unfit(&job, launched.as_ref());
            let known = launched.is_some();
            let flight = self.settle(&mut job, times.as_deref(), &|connection| known && takes_up(connection));
            let sends = job.summary.counts.queued > 0 && job.summary.progress.stopped.is_none() && unfit.is_none();
            let goes_on = sends || flight.on > 0;
            let deed = if sends {
                hold(&mut job, flight);
                let note = job.summary.progress.paused.as_ref().and_then(|paused| paused.why.clone());
                let (script, devices) = (Some(job.summary.script.clone()), Some(job.summary.counts.queued.into()));
                Some(Deed { job: Some(id), script, devices, note, ..Deed::own(Act::Pause) })
            } else if goes_on {
                drop_unsent(&mut job, unfit.as_deref());
                None
            } else {
                end(&mut job, flight.lost, unfit.as_deref());
                recovered.ended.push(id);
                Some(Deed::end(&job.summary))
            };
            let note = self.outbox.noting(vec![(turns(Some(&before), &job.summary), job.summary.clone())]);
            let changes = vec![(job.summary.clone(), job.runs.clone())];
            self.db.call(move |db| db::update(db, &changes, note)).await?;
            if let Some(deed) = deed {
                let _ = self.audit.record(deed).await; // kept for later, and said, where it cannot be written
            }
            if let Some(launched) = launched.filter(|_| goes_on) {
                let times = times.unwrap_or_default();
                recovered.left.push(Left { job, launched, times });
            }
        }
        Ok(recovered)
    }

    /// Mends what was torn and says of every run what became of it.
    fn settle(&self, job: &mut Job, times: Option<&[u32]>, takes_up: &dyn Fn(&str) -> bool) -> Flight {
        let id = job.summary.id;
        let mut flight = Flight::default();
        for run in &mut job.runs {
            let (_, idx) = self.single(id, run.index);
            let _ = output::mend(&idx);
            if run.state.ended() {
                continue;
            }
            let files = self.open_run(id, run.index).ok().flatten();
            let found = match times {
                Some(times) => stood(run, times.get(run.index as usize).copied().unwrap_or(0)),
                // an older engine wrote no starts down
                None if run.state == RunState::Queued && files.is_none() => Stood::Waits,
                None => Stood::Lost,
            };
            if let Some(files) = files
                && let (Ok(totals), Ok(ending)) = (output::totals(&files), output::ending(&files, ENDING))
            {
                let mut last = LastLine::default();
                last.push(&ending);
                (run.bytes, run.lines, run.last_line) = (totals.bytes, totals.lines, last.get());
            }
            match found {
                Stood::Over => {}
                Stood::Waits => requeue(run),
                Stood::Lost if takes_up(run.connection()) => {
                    flight.on += 1;
                    if run.state == RunState::Queued {
                        (run.state, run.reason) = (RunState::Sent, None);
                    }
                }
                Stood::Lost => {
                    flight.lost += 1;
                    lose(run);
                }
            }
        }
        // what it had begun to withdraw when it stopped by itself
        if job.summary.progress.stopped.is_some() {
            for run in job.runs.iter_mut().filter(|run| run.state == RunState::Queued) {
                run.state = RunState::Cancelled;
                run.reason.clone_from(&job.summary.reason);
                run.finished_at = Some(Timestamp::now());
            }
        }
        job.summary.counts = Counts::of(job.runs.iter().map(|run| run.state));
        flight
    }

    /// Why it cannot go on.
    fn unfit(&self, job: &Job, launched: Option<&Launched>) -> Option<String> {
        let Some(launched) = launched else {
            return Some("how it was launched is not written down (another version of quarterdeck did)".to_owned());
        };
        match launched.held.as_slice() {
            [] => {}
            [one] => return Some(format!("its parameter {one} was in that engine's memory alone")),
            many => return Some(format!("its parameters {} were in that engine's memory alone", many.join(", "))),
        }
        let (script, version) = (&job.summary.script, &job.summary.version);
        let there = self.version_path(version, script).is_file();
        (!there).then(|| format!("the text of {script} {version} is not kept any more"))
    }
}

/// How it ended is not known.
fn lose(run: &mut Run) {
    run.state = RunState::Failed;
    run.reason = Some(format!(
        "{LOST}the engine ended while this ran; {} bytes were received and kept; {UNKNOWN}: look at the device before it is run again",
        run.bytes
    ));
    run.finished_at = Some(Timestamp::now());
}

/// Nothing is sent until somebody says so: whoever starts an engine, by any verb, has not asked for that.
fn hold(job: &mut Job, Flight { lost, on }: Flight) {
    let progress = &mut job.summary.progress;
    // an engine that was told to end has said why, and lost nothing
    if lost == 0 && progress.paused.as_ref().is_some_and(|paused| paused.why.is_some()) {
        return;
    }
    let mut why = match (lost, on) {
        (0, 0) => "the engine ended; nothing was in flight".to_owned(),
        (0, _) => "the engine ended".to_owned(),
        (1, _) => format!("the engine ended; 1 run was in flight, {UNKNOWN}"),
        (n, _) => format!("the engine ended; {n} runs were in flight, {UNKNOWN}"),
    };
    if on > 0 {
        why.push_str(&format!("; {}", goes_on(on)));
    }
    progress.paused = Some(Paused { by: String::new(), at: Timestamp::now(), why: Some(why) });
    progress.mark_held(Timestamp::now());
}

/// Of runs that an engine left where they are.
pub fn goes_on(runs: u32) -> String {
    match runs {
        1 => "1 run goes on at its system".to_owned(),
        n => format!("{n} runs go on at their systems"),
    }
}

/// What was sent goes on, and nothing else is sent.
fn drop_unsent(job: &mut Job, unfit: Option<&str>) {
    for run in job.runs.iter_mut().filter(|run| run.state == RunState::Queued) {
        run.state = RunState::Cancelled;
        run.reason =
            unfit.map(|unfit| format!("not sent when the engine ended, and the job cannot go on, since {unfit}"));
        run.finished_at = Some(Timestamp::now());
    }
    job.summary.counts = Counts::of(job.runs.iter().map(|run| run.state));
}

fn end(job: &mut Job, lost: u32, unfit: Option<&str>) {
    let summary = &mut job.summary;
    let (id, queued) = (summary.id, summary.counts.queued);
    summary.finished_at = Some(Timestamp::now());
    summary.progress.paused = None;
    summary.progress.asks = None;
    summary.progress.mark_held(Timestamp::now());
    if summary.progress.stopped.is_some() {
        summary.state = JobState::Stopped;
        if lost > 0 {
            let why = summary.reason.take().unwrap_or_default();
            summary.reason = Some(format!("{why}; then the engine ended: {lost} runs were in flight, {UNKNOWN}"));
        }
        return;
    }
    summary.state = JobState::Interrupted;
    let mut reason = "the engine ended while this job ran".to_owned();
    if queued > 0 {
        reason.push_str(&format!("; {queued} runs were never started"));
        if let Some(unfit) = unfit {
            reason.push_str(&format!(
                "; it cannot go on, since {unfit}: `quarterdeck rerun {id} --not-started` runs them, with its --rings and --max-fail if they are given again"
            ));
        }
    }
    summary.reason = Some(reason);
}
