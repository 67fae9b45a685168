//! A job while it runs: the states of its runs, who must be told, and where output goes.
//!
//! State changes are *recorded* before they are shown: a change sits here as dirty until the recorder has
//! committed it, and only then do followers and readers see it. Output is on disk before anybody is told.

mod book;
mod restored;
mod sink;
mod turning;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::book::Book;
pub use self::restored::Waiting;
pub use self::sink::{Sink, SinkHeard};
pub(super) use self::turning::{Counted, try_again};
use super::rollout::{Machine, Verdict};
use crate::connectors::{Ledger, Outcome, Valve};
use crate::engine::lastline::LastLine;
use crate::engine::store::Store;
use crate::engine::store::db::Said;
use crate::engine::store::output::{Files, Writer};
use crate::engine::store::recover::{self, Stood, requeue, stood};
use crate::engine::store::starts::Starts;
use crate::model::job::{Job, JobId, JobSummary, Run, Signature};
use crate::model::rollout::{Offline, Paused, Rollout, StopWhy, Transition};
use crate::model::state::{JobState, RunState};
use crate::model::wire::Grown;

/// Why a run ended that an engine took with it.
const ENDED_WITH_US: &str = "the engine was ended while this ran";

pub struct LiveJob {
    pub id: JobId,
    store: Arc<Store>,
    bell: Arc<Bell>,
    inner: Mutex<Inner>,
    outputs: Vec<LiveOutput>,
    /// One per run; ends it.
    tokens: Vec<CancellationToken>,
    pub valve: Arc<Valve>,
    /// Runs whose system keeps them until the device fetches them: sent or not, they can be taken back.
    kept: Vec<AtomicBool>,
    /// Something happened that may let another run start.
    pub turned: Notify,
    /// The run of a device: made when devices are waited for.
    run_of: OnceLock<HashMap<String, u32>>,
    began: Instant,
    /// Milliseconds from the launch to `began`.
    before: u64,
    /// Runs may be tried again, in the files that they have.
    again: bool,
    book: Arc<Book>,
    /// Another engine may let it go on when this one has ended.
    goes_on: bool,
    /// An earlier engine began it, and this one has not been told to go on.
    waiting: Mutex<Waiting>,
    restored: bool,
}

/// Wakes the recorder (a state changed) and the teller (an output grew).
#[derive(Default)]
pub struct Bell {
    pub changed: Notify,
    pub grown: Notify,
}

struct Inner {
    /// As it is.
    job: Job,
    /// As committed, and thus as shown.
    shown: Job,
    /// In the order in which their ends were recorded.
    ended: Vec<u32>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    job_dirty: bool,
    followers: Vec<Arc<Follower>>,
    machine: Machine,
    transitions: Vec<Transition>,
    /// Taken with changes that are being recorded.
    telling: Vec<Transition>,
    /// Signatures of bad ends met so far.
    met: HashSet<String>,
    cancelled: bool,
    /// Why what changed last could not be recorded.
    unrecorded: Option<String>,
    /// Set when the engine itself is ending.
    stopping: bool,
    /// As it is now it is left to the next engine.
    laid_down: bool,
}

#[derive(Default)]
struct LiveOutput {
    /// Where it is kept now.
    files: Mutex<Option<Arc<Files>>>,
    /// All streams: what a follower may read.
    end: AtomicU64,
    /// stdout and stderr alone.
    bytes: AtomicU64,
    lines: AtomicU64,
    grown: AtomicBool,
    last: Mutex<LastLine>,
    /// Where the last try stopped writing, for the next.
    parked: Mutex<Option<Writer>>,
}

/// Somebody who reads everything the job does, at a pace of their own.
#[derive(Default)]
pub struct Follower {
    news: Mutex<News>,
    pub bell: Notify,
}

/// What a follower has not seen yet. Bounded by the job: a run is in `grown` once, and changes state a handful of times.
#[derive(Default)]
pub struct News {
    pub grown: Vec<u32>,
    flagged: Vec<bool>,
    pub runs: Vec<Run>,
    /// The job as a whole, where that changed.
    pub job: Option<JobSummary>,
    pub trouble: Option<String>,
    pub end: Option<JobSummary>,
}

impl Follower {
    fn grew(&self, run: u32) {
        let mut news = lock(&self.news);
        let at = run as usize;
        if news.flagged.len() <= at {
            news.flagged.resize(at + 1, false);
        }
        if !news.flagged[at] {
            news.flagged[at] = true;
            news.grown.push(run);
            self.bell.notify_one();
        }
    }

    pub fn take(&self) -> News {
        let mut news = lock(&self.news);
        for at in 0..news.grown.len() {
            let run = news.grown[at] as usize;
            news.flagged[run] = false;
        }
        News {
            grown: std::mem::take(&mut news.grown),
            flagged: Vec::new(),
            runs: std::mem::take(&mut news.runs),
            job: news.job.take(),
            trouble: news.trouble.take(),
            end: news.end.take(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn change(&mut self, run: u32, change: impl FnOnce(&mut Run)) {
        let Some(entry) = self.job.runs.get_mut(run as usize) else { return };
        let before = entry.state;
        change(entry);
        self.job.summary.counts.moved(before, entry.state);
        if !std::mem::replace(&mut self.is_dirty[run as usize], true) {
            self.dirty.push(run);
        }
        self.job_dirty = true;
    }
}

impl LiveJob {
    /// `goes_on`: the next engine could go on with it.
    pub fn new(job: Job, store: Arc<Store>, bell: Arc<Bell>, starts: Starts, goes_on: bool) -> Self {
        let machine = Machine::new(&job.rollout, job.runs.len());
        let launched = vec![Transition::Launched { by: job.summary.by.clone() }];
        let times = vec![0; job.runs.len()];
        Self { goes_on, ..Self::made(job, store, bell, machine, launched, (starts, times)) }
    }

    fn made(
        job: Job,
        store: Arc<Store>,
        bell: Arc<Bell>,
        machine: Machine,
        transitions: Vec<Transition>,
        (starts, times): (Starts, Vec<u32>),
    ) -> Self {
        let count = job.runs.len();
        let again = job.rollout.how.retry.is_some() || job.rollout.how.offline != Offline::Skip;
        let all = CancellationToken::new();
        let book = Arc::new(Book::new(starts, Arc::clone(&bell)));
        Self {
            id: job.summary.id,
            store,
            bell,
            inner: Mutex::new(Inner {
                shown: job.clone(),
                job,
                ended: Vec::new(),
                dirty: Vec::new(),
                is_dirty: vec![false; count],
                job_dirty: false,
                followers: Vec::new(),
                machine,
                transitions,
                telling: Vec::new(),
                met: HashSet::new(),
                cancelled: false,
                unrecorded: None,
                stopping: false,
                laid_down: false,
            }),
            outputs: (0..count).map(|_| LiveOutput::default()).collect(),
            tokens: (0..count).map(|_| all.child_token()).collect(),
            valve: Arc::new(Valve::new(times, Arc::clone(&book) as Arc<dyn Ledger>)),
            kept: (0..count).map(|_| AtomicBool::new(false)).collect(),
            turned: Notify::new(),
            run_of: OnceLock::new(),
            began: Instant::now(),
            before: 0,
            again,
            book,
            goes_on: true,
            waiting: Mutex::default(),
            restored: false,
        }
    }

    pub fn runs(&self) -> u32 {
        u32::try_from(self.outputs.len()).unwrap_or(u32::MAX)
    }

    pub fn token(&self, run: u32) -> CancellationToken {
        self.tokens[run as usize].clone()
    }

    /// Its system keeps it until the device fetches it.
    pub fn is_kept(&self, run: u32) {
        self.kept[run as usize].store(true, Ordering::Release);
    }

    fn keeps(&self, run: u32) -> bool {
        self.kept[run as usize].load(Ordering::Acquire)
    }

    /// The job as committed, with its outputs as they are now.
    pub fn snapshot(&self) -> Job {
        let mut job = lock(&self.inner).shown.clone();
        for run in &mut job.runs {
            self.overlay(run);
        }
        job
    }

    pub fn summary(&self) -> JobSummary {
        lock(&self.inner).shown.summary.clone()
    }

    pub fn rollout(&self) -> Rollout {
        lock(&self.inner).job.rollout.clone()
    }

    fn overlay(&self, run: &mut Run) {
        let output = &self.outputs[run.index as usize];
        run.bytes = output.bytes.load(Ordering::Acquire);
        run.lines = output.lines.load(Ordering::Acquire);
        run.last_line = lock(&output.last).get();
    }

    /// The output of a run and how far it may be read.
    pub fn output(&self, run: u32) -> Option<(Arc<Files>, u64)> {
        let output = self.outputs.get(run as usize)?;
        let end = output.end.load(Ordering::Acquire);
        let open = lock(&output.files).clone().map(|files| (files, end));
        if open.is_none() && self.restored {
            // what the engine before this one kept
            let files = self.store.open_run(self.id, run).ok()??;
            return files.size().ok().map(|end| (Arc::new(files), end));
        }
        open
    }

    /// How much this run has said, or every run; nothing where there is none of this number.
    pub fn said(&self, run: Option<u32>) -> Vec<Said> {
        let all = 0..self.runs();
        let runs = run.map_or(all.clone(), |run| run..run.saturating_add(1));
        let inner = lock(&self.inner);
        let said = |run: u32| Said {
            run,
            bytes: self.outputs[run as usize].bytes.load(Ordering::Acquire),
            lines: self.outputs[run as usize].lines.load(Ordering::Acquire),
            ended: inner.shown.runs[run as usize].state.ended(),
        };
        runs.filter(|run| all.contains(run)).map(said).collect()
    }

    /// Runs whose ends were recorded after the first `seen` of them.
    pub fn ended_since(&self, seen: usize) -> Vec<Run> {
        let inner = lock(&self.inner);
        inner.ended.iter().skip(seen).map(|run| inner.shown.runs[*run as usize].clone()).collect()
    }

    /// Devices whose run has not ended, as it is.
    pub fn each_unfinished(&self, mut tell: impl FnMut(&str)) {
        for run in &lock(&self.inner).job.runs {
            if !run.state.ended() {
                tell(&run.device);
            }
        }
    }

    pub fn ended(&self, run: u32) -> bool {
        lock(&self.inner).shown.runs.get(run as usize).is_none_or(|run| run.state.ended())
    }

    /// A follower from now on, and the job as it is at this moment.
    pub fn follow(&self) -> (Arc<Follower>, Job) {
        let follower = Arc::new(Follower::default());
        let mut inner = lock(&self.inner);
        inner.followers.retain(|other| Arc::strong_count(other) > 1);
        inner.followers.push(Arc::clone(&follower));
        if inner.shown.summary.state.ended() {
            lock(&follower.news).end = Some(inner.shown.summary.clone());
            follower.bell.notify_one();
        }
        let mut job = inner.shown.clone();
        drop(inner);
        for run in &mut job.runs {
            self.overlay(run);
        }
        (follower, job)
    }

    fn change(&self, run: u32, change: impl FnOnce(&mut Run)) {
        lock(&self.inner).change(run, change);
        self.bell.changed.notify_one();
    }

    fn started(&self, run: u32) {
        self.change(run, |run| {
            run.state = RunState::Running;
            run.started_at = Some(Timestamp::now());
        });
    }

    pub fn finished(&self, run: u32, mut outcome: Outcome, signature: Signature, digest: String) {
        let now = self.now();
        let mut inner = lock(&self.inner);
        let stopping = inner.stopping;
        if outcome.state == RunState::Cancelled && inner.job.summary.progress.stopped == Some(StopWhy::Deadline) {
            outcome.state = RunState::Timeout;
            outcome.reason.clone_from(&inner.job.summary.reason);
        }
        if !stopping && outcome.unknown() {
            inner.machine.unknown(run);
        } else if !stopping && let Verdict::Again(at) = inner.machine.ended(run, outcome.state, outcome.exit_code, now)
        {
            let bytes = self.outputs[run as usize].end.load(Ordering::Acquire);
            let (retried, parked) = inner.machine.tried(run);
            let counted = Counted { bytes, passed: self.valve.times(run), retried, parked };
            inner.change(run, |entry| try_again(entry, outcome, signature, counted, at.saturating_sub(now)));
            self.valve.rearm(run);
            self.settled(&mut inner);
            return;
        }
        if stopping && self.goes_on && outcome.state == RunState::Cancelled {
            let times = self.valve.times(run);
            if inner.job.runs.get(run as usize).is_some_and(|entry| stood(entry, times) == Stood::Waits) {
                // nothing of it went out: it is left to the next engine
                inner.change(run, requeue);
                self.settled(&mut inner);
                return;
            }
        }
        inner.change(run, |entry| {
            entry.state = outcome.state;
            entry.exit_code = outcome.exit_code;
            entry.signal = outcome.signal;
            entry.reason = outcome.reason;
            if stopping && entry.state == RunState::Cancelled {
                entry.reason = Some(ENDED_WITH_US.to_owned());
            }
            entry.signature = Some(signature);
            entry.digest = Some(digest);
            entry.finished_at = Some(Timestamp::now());
        });
        self.settled(&mut inner);
    }

    fn attempted(&self, run: u32) {
        self.change(run, |run| run.attempts += 1);
    }

    /// The engine is ending: what is queued stays queued (it was not started), what runs is ended.
    pub fn stop(&self) {
        {
            let mut inner = lock(&self.inner);
            inner.stopping = true;
        }
        // a place that becomes free now is nobody's
        self.valve.hold(true);
        for token in &self.tokens {
            token.cancel();
        }
        self.turned.notify_one();
    }

    pub fn stopping(&self) -> bool {
        lock(&self.inner).stopping
    }

    /// Every run has ended, or will never start.
    pub fn close(&self) {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        if inner.stopping && lay_down(inner, self.goes_on) {
            self.bell.changed.notify_one();
            return;
        }
        let summary = &mut inner.job.summary;
        let queued = summary.counts.queued;
        summary.state = if inner.stopping {
            summary.reason = Some(if queued == 0 {
                "the engine was ended while this job ran".to_owned()
            } else {
                format!("the engine was ended while this job ran; {queued} runs were never started")
            });
            JobState::Interrupted
        } else if summary.progress.stopped.is_some() {
            JobState::Stopped
        } else if inner.cancelled {
            JobState::Cancelled
        } else {
            JobState::Done
        };
        summary.finished_at = Some(Timestamp::now());
        summary.progress.paused = None;
        summary.progress.asks = None;
        summary.progress.mark_held(Timestamp::now());
        inner.transitions.push(Transition::Ended { state: summary.state });
        inner.job_dirty = true;
        self.bell.changed.notify_one();
    }

    /// Takes what is to be recorded.
    pub fn changes(&self) -> Option<(JobSummary, Vec<Run>)> {
        if let Some(why) = self.book.trouble() {
            self.hold_by_itself(why);
        }
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        if !std::mem::take(&mut inner.job_dirty) {
            return None;
        }
        inner.telling.append(&mut inner.transitions);
        let dirty = std::mem::take(&mut inner.dirty);
        let runs = dirty
            .iter()
            .map(|index| {
                inner.is_dirty[*index as usize] = false;
                let mut run = inner.job.runs[*index as usize].clone();
                self.overlay(&mut run);
                run
            })
            .collect();
        Some((inner.job.summary.clone(), runs))
    }

    /// What could not be recorded, and why, is to be tried again. Who follows hears of it: nothing else is told meanwhile.
    pub fn unrecorded(&self, runs: &[Run], why: &str) {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        inner.unrecorded = Some(why.to_owned());
        for follower in &inner.followers {
            lock(&follower.news).trouble = Some(why.to_owned());
            follower.bell.notify_one();
        }
        inner.job_dirty = true;
        for run in runs {
            if !std::mem::replace(&mut inner.is_dirty[run.index as usize], true) {
                inner.dirty.push(run.index);
            }
        }
    }

    /// These changes are on disk: from now on they are shown. What is to be told of the job as a whole: each thing once.
    pub fn recorded(&self, summary: &JobSummary, runs: &[Run]) -> Vec<Transition> {
        let mut inner = lock(&self.inner);
        let changed = inner.shown.summary.progress != summary.progress;
        for run in runs {
            inner.shown.runs[run.index as usize] = run.clone();
            if run.state.ended() {
                inner.ended.push(run.index);
            }
        }
        inner.shown.summary = summary.clone();
        inner.unrecorded = None;
        inner.followers.retain(|follower| Arc::strong_count(follower) > 1);
        for follower in &inner.followers {
            let mut news = lock(&follower.news);
            news.runs.extend(runs.iter().cloned());
            if changed {
                news.job = Some(summary.clone());
            }
            if summary.state.ended() || (inner.laid_down && !inner.job_dirty) {
                news.end = Some(summary.clone());
            }
            drop(news);
            follower.bell.notify_one();
        }
        std::mem::take(&mut inner.telling)
    }

    /// It is left to the next engine, and all of it is recorded.
    pub fn is_laid_down(&self) -> bool {
        let inner = lock(&self.inner);
        inner.laid_down && !inner.job_dirty
    }

    /// Runs whose output grew since the last call.
    pub fn take_grown(&self) -> Vec<Grown> {
        self.outputs
            .iter()
            .enumerate()
            .filter(|(_, output)| output.grown.swap(false, Ordering::AcqRel))
            .map(|(index, output)| Grown {
                run: u32::try_from(index).unwrap_or(u32::MAX),
                bytes: output.bytes.load(Ordering::Acquire),
                lines: output.lines.load(Ordering::Acquire),
                last_line: lock(&output.last).get(),
            })
            .collect()
    }

    fn grew(&self, run: u32) {
        if !self.outputs[run as usize].grown.swap(true, Ordering::AcqRel) {
            self.bell.grown.notify_one();
        }
        for follower in &lock(&self.inner).followers {
            follower.grew(run);
        }
    }
}

/// What has not been sent is left to the next engine, held, and what goes on at its system as it is. `false`: there is
/// nothing to be left.
fn lay_down(inner: &mut Inner, goes_on: bool) -> bool {
    let summary = &mut inner.job.summary;
    let sends = goes_on && summary.counts.queued > 0 && summary.progress.stopped.is_none();
    let on = summary.counts.sent + summary.counts.running;
    if !sends && on == 0 {
        return false;
    }
    if sends {
        let with_us = inner.job.runs.iter().filter(|run| run.reason.as_deref() == Some(ENDED_WITH_US)).count();
        let mut why = match (with_us, on) {
            (0, 0) => "the engine was ended; nothing ran".to_owned(),
            (0, _) => "the engine was ended".to_owned(),
            (1, _) => "the engine was ended, and 1 run with it".to_owned(),
            (n, _) => format!("the engine was ended, and {n} runs with it"),
        };
        if on > 0 {
            why.push_str(&format!("; {}", recover::goes_on(on)));
        }
        let at = Timestamp::now();
        summary.progress.paused = Some(Paused { by: String::new(), at, why: Some(why) });
        summary.progress.mark_held(at);
        inner.transitions.push(Transition::Paused { by: String::new() });
    }
    (inner.laid_down, inner.job_dirty) = (true, true);
    true
}
