//! The job and its roll-out machine: what the machine decides becomes states of runs and progress of the job, and what
//! operators do reaches the machine. Every change is made under the job's one lock, so two who act at once act in turn.

use std::time::Duration;

use jiff::Timestamp;

use super::{Inner, LiveJob, lock};
use crate::connectors::Outcome;
use crate::engine::jobs::rollout::Next;
use crate::model::job::{JobSummary, Run, Signature, Try};
use crate::model::rollout::{Approval, Paused, StopWhy, Transition};
use crate::model::state::RunState;
use crate::model::wire::{Cancelled, Stopping};

impl LiveJob {
    /// The next run to hand to its connector, and when to ask again where there is none.
    pub fn next(&self) -> (Next, Option<Duration>) {
        let now = self.now();
        let mut inner = lock(&self.inner);
        if inner.stopping {
            return (Next::Done, None);
        }
        let next = inner.machine.next(now);
        if let Next::Start(run) = next {
            inner.change(run, |run| {
                run.state = RunState::Sent;
                run.sent_at = Some(Timestamp::now());
                run.reason = None;
            });
            self.bell.changed.notify_one();
        }
        self.follow_machine(&mut inner);
        let pause = match next {
            Next::Idle(Some(at)) => Some(Duration::from_millis(at.saturating_sub(now).max(1))),
            _ => None,
        };
        (next, pause)
    }

    /// What the machine has decided becomes the job's progress, and is told.
    fn follow_machine(&self, inner: &mut Inner) {
        if let Some((why, says)) = inner.machine.take_stop() {
            self.stop_by_itself(inner, why, &says);
        }
        let rings = inner.job.summary.progress.rings;
        let mut progress = inner.job.summary.progress.clone();
        if rings > 0 {
            progress.ring = inner.machine.ring();
            progress.approved = inner.machine.approved();
            progress.asks = inner.machine.asks().cloned();
        }
        if progress.stop_at.is_some() {
            progress.bad = inner.machine.bad();
        }
        progress.fresh = inner.machine.fresh().to_vec();
        progress.mark_held(Timestamp::now());
        let before = &inner.job.summary.progress;
        if progress == *before {
            return;
        }
        if progress.ring > before.ring {
            inner.transitions.push(Transition::Ring { ring: progress.ring });
        }
        if let Some(asks) = progress.asks.as_ref().filter(|asks| before.asks.as_ref() != Some(asks)) {
            inner.transitions.push(Transition::Asks { ring: asks.ring, why: asks.why.clone() });
        }
        inner.job.summary.progress = progress;
        inner.job_dirty = true;
        self.bell.changed.notify_one();
    }

    /// Nothing more is sent, what has not started is withdrawn; at its deadline what runs is ended too.
    fn stop_by_itself(&self, inner: &mut Inner, why: StopWhy, says: &str) {
        inner.job.summary.progress.stopped = Some(why);
        inner.job.summary.reason = Some(says.to_owned());
        inner.transitions.push(Transition::Stopped { why, says: says.to_owned() });
        let stop = if why == StopWhy::Deadline { Stopping::All } else { Stopping::Unstarted };
        self.withdraw(inner, None, stop, says);
        inner.job_dirty = true;
        self.bell.changed.notify_one();
        self.turned.notify_one();
    }

    /// The whole job has taken as long as it may.
    pub fn deadline(&self, says: &str) {
        let mut inner = lock(&self.inner);
        inner.machine.stop(StopWhy::Deadline, says.to_owned());
        self.follow_machine(&mut inner);
    }

    /// Signatures of bad ends that this job has not met before, for whoever knows the earlier jobs.
    pub fn unmet(&self, runs: &[Run]) -> Vec<(Signature, Run)> {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        let fine = &inner.job.rollout.fine_codes;
        runs.iter()
            .filter(|run| run.state.bad() && !run.exit_code.is_some_and(|code| fine.contains(&code)))
            .filter_map(|run| run.signature.as_ref().map(|signature| (signature, run)))
            .filter(|(signature, _)| inner.met.insert(signature.name.clone()))
            .map(|(signature, run)| (signature.clone(), run.clone()))
            .collect()
    }

    /// No earlier job of the script met this end. `told`: there was an earlier job, so that this is news.
    pub fn met_new(&self, signature: String, says: String, run: u32, told: bool) {
        let mut inner = lock(&self.inner);
        if inner.machine.met_new(&signature) && told {
            inner.transitions.push(Transition::NewSignature { signature, says, run });
        }
        inner.job_dirty = true;
        self.follow_machine(&mut inner);
        self.bell.changed.notify_one();
    }

    /// A device was heard of: one that could not be reached is tried again.
    pub fn answers(&self, device: &str) {
        let now = self.now();
        let mut inner = lock(&self.inner);
        if !inner.machine.any_parked() {
            return;
        }
        let runs = || inner.job.runs.iter().map(|run| (run.device.clone(), run.index)).collect();
        let run = self.run_of.get_or_init(runs).get(device).copied();
        if let Some(run) = run
            && inner.machine.answers(run, now)
        {
            self.turned.notify_one();
        }
    }

    // -- what operators do ---------------------------------------------------------------------------------

    /// `false`: it was paused already, by whom the summary says.
    pub fn pause(&self, by: &str) -> bool {
        let mut inner = lock(&self.inner);
        if inner.job.summary.progress.paused.is_some() {
            return false;
        }
        self.hold(&mut inner, by, None);
        self.bell.changed.notify_one();
        true
    }

    /// Held by the engine: nothing can be sent as things are.
    pub(super) fn hold_by_itself(&self, why: String) {
        let mut inner = lock(&self.inner);
        self.hold(&mut inner, "", Some(why));
    }

    pub(super) fn hold(&self, inner: &mut Inner, by: &str, why: Option<String>) {
        self.valve.hold(true);
        inner.machine.pause();
        let at = Timestamp::now();
        let progress = &mut inner.job.summary.progress;
        progress.paused = Some(Paused { by: by.to_owned(), at, why });
        progress.mark_held(at);
        inner.transitions.push(Transition::Paused { by: by.to_owned() });
        inner.job_dirty = true;
    }

    /// `false`: it is not paused.
    pub fn resume(&self, by: &str) -> bool {
        let mut inner = lock(&self.inner);
        if inner.job.summary.progress.paused.take().is_none() {
            return false;
        }
        inner.machine.resume();
        inner.job.summary.progress.mark_held(Timestamp::now());
        inner.transitions.push(Transition::Resumed { by: by.to_owned() });
        inner.job_dirty = true;
        self.valve.hold(false);
        self.bell.changed.notify_one();
        self.turned.notify_one();
        true
    }

    /// `false`: it is not the ring that waits.
    pub fn approve(&self, ring: u32, by: &str) -> bool {
        let mut inner = lock(&self.inner);
        if !inner.machine.approve(ring) {
            return false;
        }
        inner.transitions.push(Transition::Approved { by: by.to_owned(), ring });
        let approval = Approval { ring, by: by.to_owned(), at: Timestamp::now() };
        inner.job.summary.progress.approvals.push(approval);
        inner.job_dirty = true;
        self.follow_machine(&mut inner);
        self.turned.notify_one();
        true
    }

    /// As it is, recorded or not.
    pub fn latest(&self) -> JobSummary {
        lock(&self.inner).job.summary.clone()
    }

    /// After a run came back.
    pub(super) fn settled(&self, inner: &mut Inner) {
        self.follow_machine(inner);
        self.bell.changed.notify_one();
        if inner.machine.wakes() {
            self.turned.notify_one();
        }
    }

    /// Stops as far as was meant. `runs` empty: all.
    pub fn cancel(&self, runs: Option<&[u32]>, stop: Stopping, by: &str) -> Cancelled {
        let mut inner = lock(&self.inner);
        let done = self.withdraw(&mut inner, runs, stop, &format!("cancelled by {by}"));
        if done.reached() > 0 {
            inner.cancelled = true;
            let (withdrawn, ending) = (done.withdrawn, done.ending + done.asked_back);
            inner.transitions.push(Transition::Cancelled { by: by.to_owned(), withdrawn, ending });
            inner.job_dirty = true;
        }
        self.follow_machine(&mut inner);
        self.bell.changed.notify_one();
        self.turned.notify_one();
        Cancelled { unrecorded: inner.unrecorded.clone(), ..done }
    }

    fn withdraw(&self, inner: &mut Inner, runs: Option<&[u32]>, stop: Stopping, reason: &str) -> Cancelled {
        let mut done = Cancelled::default();
        let all = 0..self.runs();
        let chosen: Box<dyn Iterator<Item = u32>> = match runs {
            Some(runs) => Box::new(runs.iter().copied()),
            None => Box::new(all),
        };
        for run in chosen {
            let Some(state) = inner.job.runs.get(run as usize).map(|entry| entry.state) else { continue };
            match state {
                RunState::Queued => {
                    done.withdrawn += 1;
                    inner.machine.withdrawn(run);
                    inner.change(run, |entry| give_up(entry, reason));
                    self.tokens[run as usize].cancel();
                }
                RunState::Sent if stop != Stopping::Sending && self.valve.withdraw(run) => {
                    done.withdrawn += 1;
                    self.tokens[run as usize].cancel();
                }
                _ if state.ended() => {}
                // its system is asked to take it back, and says how far that came
                RunState::Sent if stop == Stopping::Unstarted && self.keeps(run) => {
                    done.asked_back += 1;
                    self.tokens[run as usize].cancel();
                }
                _ if stop == Stopping::All => {
                    done.ending += 1;
                    self.tokens[run as usize].cancel();
                }
                _ => done.going += 1,
            }
        }
        done
    }
}

/// What had been used up when a try ended.
pub struct Counted {
    pub bytes: u64,
    /// How often the script had been let go.
    pub passed: u32,
    pub retried: u32,
    pub parked: bool,
}

/// The end becomes one of the tries, and the run waits for the next. Of a device that stays silent the last is kept.
pub fn try_again(entry: &mut Run, outcome: Outcome, signature: Signature, counted: Counted, in_ms: u64) {
    let now = Timestamp::now();
    let last = Try {
        state: outcome.state,
        exit_code: outcome.exit_code,
        signal: outcome.signal,
        reason: outcome.reason,
        started_at: entry.started_at.take(),
        finished_at: now,
        signature: Some(signature),
        bytes: counted.bytes,
        passed: counted.passed,
        retried: counted.retried,
        parked: counted.parked,
    };
    let code = last.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    let wait = if in_ms < 1000 { "at once".to_owned() } else { format!("in {} s", in_ms / 1000) };
    entry.reason = Some(format!("{}{code}; tried again {wait}", last.state.word()));
    entry.state = RunState::Queued;
    entry.sent_at = None;
    let silent = |one: &Try| one.state == RunState::Offline && one.started_at.is_none();
    match entry.tries.last_mut() {
        Some(before) if silent(before) && silent(&last) => *before = last,
        _ => entry.tries.push(last),
    }
}

/// It will not start (again): the last try's end is its end, where there was one.
fn give_up(entry: &mut Run, reason: &str) {
    match entry.tries.pop() {
        Some(last) => {
            let before = last.reason.map(|why| format!("{why}; ")).unwrap_or_default();
            entry.state = last.state;
            entry.exit_code = last.exit_code;
            entry.signal = last.signal;
            entry.reason = Some(format!("{before}not tried again: {reason}"));
            entry.started_at = last.started_at;
            entry.finished_at = Some(last.finished_at);
            entry.signature = last.signature;
        }
        None => {
            entry.state = RunState::Cancelled;
            entry.reason = Some(reason.to_owned());
            entry.finished_at = Some(Timestamp::now());
        }
    }
}
