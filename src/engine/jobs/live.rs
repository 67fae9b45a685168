//! A job while it runs: the states of its runs, who must be told, and where output goes.
//!
//! State changes are *recorded* before they are shown: a change sits here as dirty until the recorder has
//! committed it, and only then do followers and readers see it. Output is on disk before anybody is told.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::lastline::LastLine;
use crate::connectors::{Outcome, RunSink};
use crate::engine::store::Store;
use crate::engine::store::output::{Files, Writer};
use crate::engine::triage::Heard;
use crate::model::job::{Job, JobId, JobSummary, Run, Signature};
use crate::model::output::Stream;
use crate::model::state::{JobState, RunState};
use crate::model::wire::{Cancelled, Grown};

pub struct LiveJob {
    pub id: JobId,
    store: Arc<Store>,
    bell: Arc<Bell>,
    inner: Mutex<Inner>,
    outputs: Vec<LiveOutput>,
    /// One per run; ends it.
    tokens: Vec<CancellationToken>,
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
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    job_dirty: bool,
    followers: Vec<Arc<Follower>>,
    cancelled: bool,
    /// Set when the engine itself is ending.
    stopping: bool,
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
            end: news.end.take(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveJob {
    pub fn new(job: Job, store: Arc<Store>, bell: Arc<Bell>) -> Self {
        let count = job.runs.len();
        let all = CancellationToken::new();
        Self {
            id: job.summary.id,
            store,
            bell,
            inner: Mutex::new(Inner {
                shown: job.clone(),
                job,
                dirty: Vec::new(),
                is_dirty: vec![false; count],
                job_dirty: false,
                followers: Vec::new(),
                cancelled: false,
                stopping: false,
            }),
            outputs: (0..count).map(|_| LiveOutput::default()).collect(),
            tokens: (0..count).map(|_| all.child_token()).collect(),
        }
    }

    pub fn runs(&self) -> u32 {
        u32::try_from(self.outputs.len()).unwrap_or(u32::MAX)
    }

    pub fn token(&self, run: u32) -> CancellationToken {
        self.tokens[run as usize].clone()
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
        lock(&output.files).clone().map(|files| (files, end))
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
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        let Some(entry) = inner.job.runs.get_mut(run as usize) else { return };
        let before = entry.state;
        change(entry);
        inner.job.summary.counts.moved(before, entry.state);
        if !std::mem::replace(&mut inner.is_dirty[run as usize], true) {
            inner.dirty.push(run);
        }
        inner.job_dirty = true;
        self.bell.changed.notify_one();
    }

    /// Handed to its connector. `false`: withdrawn meanwhile.
    pub fn sent(&self, run: u32) -> bool {
        let state = lock(&self.inner).job.runs[run as usize].state;
        if state != RunState::Queued {
            return false;
        }
        self.change(run, |run| run.state = RunState::Sent);
        true
    }

    fn started(&self, run: u32) {
        self.change(run, |run| {
            run.state = RunState::Running;
            run.started_at = Some(Timestamp::now());
        });
    }

    pub fn finished(&self, run: u32, outcome: Outcome, signature: Signature, digest: String) {
        let stopping = lock(&self.inner).stopping;
        self.change(run, |entry| {
            entry.state = outcome.state;
            entry.exit_code = outcome.exit_code;
            entry.signal = outcome.signal;
            entry.reason = outcome.reason;
            if stopping && entry.state == RunState::Cancelled {
                entry.reason = Some("the engine was ended while this ran".to_owned());
            }
            entry.signature = Some(signature);
            entry.digest = Some(digest);
            entry.finished_at = Some(Timestamp::now());
        });
    }

    fn attempted(&self, run: u32) {
        self.change(run, |run| run.attempts += 1);
    }

    /// Withdraws what is queued and, unless `queued_only`, ends what runs. `runs` empty: all.
    pub fn cancel(&self, runs: Option<&[u32]>, queued_only: bool, reason: &str) -> Cancelled {
        let mut done = Cancelled::default();
        let chosen: Vec<u32> = match runs {
            Some(runs) => runs.to_vec(),
            None => (0..self.runs()).collect(),
        };
        for run in chosen {
            let state = match lock(&self.inner).job.runs.get(run as usize) {
                Some(entry) => entry.state,
                None => continue,
            };
            if state == RunState::Queued {
                done.withdrawn += 1;
                self.change(run, |entry| {
                    entry.state = RunState::Cancelled;
                    entry.reason = Some(reason.to_owned());
                    entry.finished_at = Some(Timestamp::now());
                });
                self.tokens[run as usize].cancel();
            } else if !state.ended() && !queued_only {
                done.ending += 1;
                self.tokens[run as usize].cancel();
            }
        }
        if done != Cancelled::default() {
            lock(&self.inner).cancelled = true;
        }
        done
    }

    /// The engine is ending: what is queued stays queued (it was not started), what runs is ended.
    pub fn stop(&self) {
        {
            let mut inner = lock(&self.inner);
            inner.stopping = true;
        }
        for token in &self.tokens {
            token.cancel();
        }
    }

    pub fn stopping(&self) -> bool {
        lock(&self.inner).stopping
    }

    /// Every run has ended, or will never start.
    pub fn close(&self) {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        let summary = &mut inner.job.summary;
        let queued = summary.counts.queued;
        summary.state = if inner.stopping {
            summary.reason = Some(if queued == 0 {
                "the engine was ended while this job ran".to_owned()
            } else {
                format!("the engine was ended while this job ran; {queued} runs were never started")
            });
            JobState::Interrupted
        } else if inner.cancelled {
            JobState::Cancelled
        } else {
            JobState::Done
        };
        summary.finished_at = Some(Timestamp::now());
        inner.job_dirty = true;
        self.bell.changed.notify_one();
    }

    /// Takes what is to be recorded.
    pub fn changes(&self) -> Option<(JobSummary, Vec<Run>)> {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        if !std::mem::take(&mut inner.job_dirty) {
            return None;
        }
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

    /// What could not be recorded is to be tried again.
    pub fn unrecorded(&self, runs: &[Run]) {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        inner.job_dirty = true;
        for run in runs {
            if !std::mem::replace(&mut inner.is_dirty[run.index as usize], true) {
                inner.dirty.push(run.index);
            }
        }
    }

    /// These changes are on disk: from now on they are shown.
    pub fn recorded(&self, summary: &JobSummary, runs: &[Run]) {
        let mut inner = lock(&self.inner);
        for run in runs {
            inner.shown.runs[run.index as usize] = run.clone();
        }
        inner.shown.summary = summary.clone();
        inner.followers.retain(|follower| Arc::strong_count(follower) > 1);
        for follower in &inner.followers {
            let mut news = lock(&follower.news);
            news.runs.extend(runs.iter().cloned());
            if summary.state.ended() {
                news.end = Some(summary.clone());
            }
            drop(news);
            follower.bell.notify_one();
        }
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

/// Where one run's events go.
pub struct Sink {
    job: Arc<LiveJob>,
    run: u32,
    writer: Option<Writer>,
    /// Bytes of stdout and stderr.
    bytes: u64,
    /// Why output could not be kept.
    pub broken: Arc<OnceLock<String>>,
    /// What was kept, as triage hears it.
    pub heard: Arc<Mutex<Heard>>,
}

impl Sink {
    pub fn new(job: &Arc<LiveJob>, run: u32) -> Self {
        Self { job: Arc::clone(job), run, writer: None, bytes: 0, broken: Arc::default(), heard: Arc::default() }
    }

    fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let output = &self.job.outputs[self.run as usize];
        if self.writer.is_none() {
            let files = Arc::new(self.job.store.create(self.job.id, self.run, self.job.runs(), bytes.len())?);
            *lock(&output.files) = Some(Arc::clone(&files));
            self.writer = Some(Writer::new(files));
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if !writer.has_room(bytes.len())? {
            let files = Arc::new(self.job.store.create_own(self.job.id, self.run)?);
            writer.move_to(Arc::clone(&files))?;
            *lock(&output.files) = Some(files);
        }
        let before = writer.offset();
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        let result = writer.append(stream, bytes, now);
        let kept = writer.offset() - before;
        if stream != Stream::Meta {
            self.bytes += kept;
            let kept = &bytes[..usize::try_from(kept).unwrap_or(0)];
            lock(&output.last).push(kept);
            lock(&self.heard).push(stream, kept);
        }
        output.bytes.store(self.bytes, Ordering::Release);
        output.lines.store(writer.lines(), Ordering::Release);
        output.end.store(writer.offset(), Ordering::Release);
        self.job.grew(self.run);
        result
    }
}

impl RunSink for Sink {
    fn started(&mut self) {
        self.job.started(self.run);
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.append(stream, bytes).inspect_err(|error| {
            let _ = self.broken.set(format!(
                "output could not be kept ({error}): {} bytes are here, what came after is missing; free space in the state folder and run again",
                self.bytes
            ));
        })
    }

    fn attempt(&mut self, why: &str) {
        self.job.attempted(self.run);
        let _ = self.append(Stream::Meta, format!("{why}\n").as_bytes());
    }
}
