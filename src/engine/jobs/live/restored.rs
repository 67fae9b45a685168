//! A job that an earlier engine began: as its store has it, without the devices and the text that it needs to send
//! more. Those are handed in when somebody resumes it; what was sent and goes on at its system is heard until then too.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{Bell, LiveJob, lock};
use crate::engine::jobs::Ready;
use crate::engine::jobs::rollout::{Machine, Next};
use crate::engine::store::Store;
use crate::engine::store::launches::Launched;
use crate::engine::store::recover::Left;
use crate::engine::store::starts::Starts;
use crate::model::job::Run;
use crate::model::state::RunState;

/// What such a job waits for.
#[derive(Default)]
pub enum Waiting {
    /// Nothing: it goes.
    #[default]
    No,
    /// Somebody who resumes it.
    Word(Box<Launched>),
    /// Its driver, who takes this.
    Driver(Box<Ready>),
}

impl LiveJob {
    pub fn restored(left: Left, store: Arc<Store>, bell: Arc<Bell>, starts: Starts) -> Self {
        let Left { job, launched, mut times } = left;
        times.resize(job.runs.len(), 0);
        let summary = &job.summary;
        let machine = Machine::restored(&job.rollout, &summary.progress, &job.runs, summary.created_at);
        let before = Timestamp::now().as_millisecond() - summary.created_at.as_millisecond();
        let mut it = Self {
            before: u64::try_from(before).unwrap_or(0),
            restored: true,
            waiting: Mutex::new(Waiting::Word(Box::new(launched))),
            ..Self::made(job, store, bell, machine, Vec::new(), (starts, times))
        };
        it.valve.hold(true);
        it.out().for_each(|run| it.valve.is_out(run.index));
        let inner = it.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        inner.met.extend(inner.job.summary.progress.fresh.iter().cloned());
        let mut ended: Vec<&Run> = inner.job.runs.iter().filter(|run| run.state.ended()).collect();
        ended.sort_by_key(|run| run.finished_at);
        inner.ended = ended.iter().map(|run| run.index).collect();
        let by_hand = |run: &Run| run.reason.as_deref().is_some_and(|why| why.starts_with("cancelled by "));
        inner.cancelled = inner.job.runs.iter().any(|run| run.state == RunState::Cancelled && by_hand(run));
        for (run, output) in inner.job.runs.iter().zip(&it.outputs) {
            output.bytes.store(run.bytes, Ordering::Release);
            output.lines.store(run.lines, Ordering::Release);
            lock(&output.last).push(run.last_line.as_bytes());
        }
        it
    }

    /// Runs that were sent and have not ended.
    pub fn out(&self) -> impl Iterator<Item = Run> {
        let runs = lock(&self.inner).job.runs.clone();
        runs.into_iter().filter(|run| !run.state.ended() && run.state != RunState::Queued)
    }

    /// How it was launched, while it waits for somebody to let it go on.
    pub fn waits(&self) -> Option<Launched> {
        match &*lock(&self.waiting) {
            Waiting::Word(launched) => Some((**launched).clone()),
            Waiting::No | Waiting::Driver(_) => None,
        }
    }

    /// What it needs to go on.
    pub fn hand(&self, ready: Ready) {
        *lock(&self.waiting) = Waiting::Driver(Box::new(ready));
        self.turned.notify_one();
    }

    /// Waits until it may go on; `None`: nothing is left of it to go on with.
    pub async fn taken_up(&self) -> Option<Ready> {
        loop {
            {
                let mut waiting = lock(&self.waiting);
                match std::mem::take(&mut *waiting) {
                    Waiting::Driver(ready) => return Some(*ready),
                    other => *waiting = other,
                }
            }
            self.hold_what_comes_back();
            if let (Next::Done, _) = self.next() {
                return None;
            }
            self.turned.notified().await;
        }
    }

    /// What is to be tried again waits for somebody's word, like all that is sent anew.
    fn hold_what_comes_back(&self) {
        let mut inner = lock(&self.inner);
        let summary = &inner.job.summary;
        if summary.counts.queued > 0 && summary.progress.paused.is_none() && summary.progress.stopped.is_none() {
            self.hold(&mut inner, "", Some("the engine that launched it has ended".to_owned()));
            self.bell.changed.notify_one();
        }
    }

    /// Milliseconds since the launch, whichever engine counted them.
    pub(in crate::engine::jobs) fn now(&self) -> u64 {
        self.before.saturating_add(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// What is left of its deadline.
    pub fn left_of(&self, deadline_ms: u64) -> Duration {
        Duration::from_millis(deadline_ms.saturating_sub(self.now()))
    }

    /// Ends runs that have not been sent to, since their devices are not to be.
    pub fn skip(&self, runs: &[(u32, String)]) {
        let mut inner = lock(&self.inner);
        for (run, why) in runs {
            if inner.job.runs.get(*run as usize).is_some_and(|entry| entry.state == RunState::Queued) {
                inner.machine.withdrawn(*run);
                inner.change(*run, |entry| {
                    entry.state = RunState::Skipped;
                    entry.reason = Some(why.clone());
                    entry.finished_at = Some(Timestamp::now());
                });
            }
        }
        self.settled(&mut inner);
        self.turned.notify_one();
    }
}
