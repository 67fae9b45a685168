//! The machine made anew from what is written of its job, as it stood when its engine ended. What was in flight then is
//! out still, where it goes on at its system; else it is lost: it counts neither as tried nor against the failure
//! budget, since nobody knows how it ended.

use jiff::Timestamp;

use super::{At, Machine};
use crate::model::job::Run;
use crate::model::rollout::{Progress, Rollout};
use crate::model::state::RunState;

impl Machine {
    /// `runs` have ended, wait, or go on at their systems; `launched` is when the clock began.
    pub fn restored(rollout: &Rollout, progress: &Progress, runs: &[Run], launched: Timestamp) -> Self {
        let mut it = Self::new(rollout, runs.len());
        for run in runs {
            it.take_up(run, launched);
        }
        // it stands where something was sent to: a ring that was reached, of which nothing is known to have been let go,
        // begins anew, by the rules of that moment. And a ring before it may have runs whose ends were not written down
        // and that nothing was sent to: they come first
        let begun = runs.iter().filter(|run| begun(run)).map(|run| run.ring).max().unwrap_or(0);
        let reached = begun.saturating_sub(1) as usize;
        let open = runs.iter().filter(|run| matches!(it.at[run.index as usize], At::Waiting | At::Again));
        let first = open.map(|run| run.ring.saturating_sub(1) as usize).min().unwrap_or(reached);
        it.ring = reached.min(first).min(it.ends.len() - 1);
        it.set_back = it.ring < reached;
        it.approved = progress.approved.max(1);
        let ended = |run: &&Run| matches!(run.state, RunState::Ok | RunState::Failed | RunState::Timeout);
        let answered = runs.iter().filter(ended).filter(|run| !run.lost() && it.in_ring(run.index)).count();
        it.answered = u32::try_from(answered).unwrap_or(u32::MAX);
        it.fresh.clone_from(&progress.fresh);
        it.paused = progress.paused.is_some();
        it.stopped = progress.stopped;
        it.asks = progress.asks.clone().filter(|asks| asks.ring == it.ring() + 1 && asks.ring > it.approved);
        it
    }

    fn take_up(&mut self, run: &Run, launched: Timestamp) {
        let at = run.index as usize;
        let last = run.tries.last();
        if let Some(last) = last.filter(|last| last.retried > 0) {
            self.retried.insert(run.index, last.retried);
        }
        if run.state.ended() {
            self.waiting -= 1;
            self.at[at] = At::Over;
            self.bad += u32::from(self.counts(run.state, run.exit_code) && !run.lost());
        } else if run.state != RunState::Queued {
            self.waiting -= 1;
            self.out += 1;
            self.at[at] = At::Out;
        } else if let Some(last) = last {
            self.waiting -= 1;
            let ended = last.finished_at.as_millisecond() - launched.as_millisecond();
            let ended = u64::try_from(ended).unwrap_or(0);
            if last.parked {
                (self.at[at], self.parked) = (At::Parked, self.parked + 1);
                self.again_at(run.index, ended);
            } else {
                (self.at[at], self.again) = (At::Again, self.again + 1);
                let after = self.how.retry.as_ref().map_or(0, |retry| retry.after_ms);
                self.again_at(run.index, ended.saturating_add(after));
            }
        }
    }
}

/// It was sent to, whatever came of it.
fn begun(run: &Run) -> bool {
    let unsent = matches!(run.state, RunState::Queued | RunState::Cancelled | RunState::Skipped);
    !run.tries.is_empty() || !unsent || run.started_at.is_some()
}
