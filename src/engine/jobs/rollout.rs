//! The roll-out machine: which run starts next, when none may, what is tried again, when the job stops by itself.
//!
//! Pure: it has no clock and does nothing. It is told what happens, and when (milliseconds since the launch), and says
//! what to do. What the states of runs are called, and who is told of them, is `live`'s affair.

use std::collections::{BTreeSet, HashMap};

use crate::model::rollout::{Asks, Between, How, Offline, Rollout, StopWhy};
use crate::model::state::RunState;

mod restored;

/// How soon a device that could not be reached is tried again, at first and at most.
const AGAIN_FIRST_MS: u64 = 15_000;
const AGAIN_MOST_MS: u64 = 300_000;
/// New signatures that are kept by name: they go with every word about the job, and a script may never say the same twice.
const FRESH: usize = 100;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Start(u32),
    /// Nothing, until something happens or this moment comes.
    Idle(Option<u64>),
    /// Nothing will ever start again, and nothing is out.
    Done,
}

/// What an end comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Over,
    /// It is tried again at this moment.
    Again(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Waiting,
    Out,
    /// Waits for its retry.
    Again,
    /// Could not be reached; waits to be tried again, and no ring waits for it.
    Parked,
    Over,
}

pub struct Machine {
    how: How,
    fine_codes: Vec<i32>,
    stop_at: Option<u32>,
    /// Runs as they are sent to; empty: as they are numbered.
    order: Vec<u32>,
    /// Where in the order each ring ends.
    ends: Vec<usize>,
    ring_of: Vec<u32>,
    at: Vec<At>,
    /// The first in the order that has perhaps not been sent to.
    next: usize,
    /// The ring that is being sent to, from 0.
    ring: usize,
    /// It stood at a later ring before its engine ended, of which some wait to be tried again.
    set_back: bool,
    approved: u32,
    out: u32,
    again: u32,
    parked: u32,
    waiting: u32,
    /// Devices of the ring on which the script ran to an end.
    answered: u32,
    bad: u32,
    /// New signatures: the first of them, and how many.
    fresh: Vec<String>,
    met: u32,
    retried: HashMap<u32, u32>,
    parks: HashMap<u32, u32>,
    due: BTreeSet<(u64, u32)>,
    due_of: HashMap<u32, u64>,
    paused: bool,
    asks: Option<Asks>,
    stopped: Option<StopWhy>,
    untold: Option<(StopWhy, String)>,
    /// Not before this moment does another one start.
    rate_at: u64,
    idle: bool,
}

impl Machine {
    pub fn new(rollout: &Rollout, runs: usize) -> Self {
        let mut ends = Vec::new();
        let mut order = Vec::new();
        for ring in &rollout.rings {
            order.extend_from_slice(&ring.runs);
            ends.push(order.len());
        }
        if ends.is_empty() {
            ends.push(runs);
        }
        Self {
            how: rollout.how.clone(),
            fine_codes: rollout.fine_codes.clone(),
            stop_at: rollout.stop_at,
            ring_of: if ends.len() > 1 { rollout.ring_of(runs) } else { Vec::new() },
            order,
            ends,
            at: vec![At::Waiting; runs],
            next: 0,
            ring: 0,
            set_back: false,
            approved: 1,
            out: 0,
            again: 0,
            parked: 0,
            waiting: u32::try_from(runs).unwrap_or(u32::MAX),
            answered: 0,
            bad: 0,
            fresh: Vec::new(),
            met: 0,
            retried: HashMap::new(),
            parks: HashMap::new(),
            due: BTreeSet::new(),
            due_of: HashMap::new(),
            paused: false,
            asks: None,
            stopped: None,
            untold: None,
            rate_at: 0,
            idle: false,
        }
    }

    // -- what it says ----------------------------------------------------------------------------------

    /// The ring that is being sent to, from 1.
    pub fn ring(&self) -> u32 {
        u32::try_from(self.ring + 1).unwrap_or(u32::MAX)
    }

    pub fn bad(&self) -> u32 {
        self.bad
    }

    pub fn approved(&self) -> u32 {
        self.approved
    }

    pub fn asks(&self) -> Option<&Asks> {
        self.asks.as_ref()
    }

    pub fn fresh(&self) -> &[String] {
        &self.fresh
    }

    /// It has just stopped by itself: why, once.
    pub fn take_stop(&mut self) -> Option<(StopWhy, String)> {
        self.untold.take()
    }

    /// Whoever asks for the next run waits, and what has just happened may have changed the answer.
    pub fn wakes(&self) -> bool {
        self.idle && (self.out == 0 || self.ends.len() > 1 || self.again + self.parked > 0 || self.stopped.is_some())
    }

    /// Devices that were not sent to, or are to be tried again.
    #[cfg(test)]
    fn left(&self) -> u32 {
        self.waiting + self.again + self.parked
    }

    // -- what it is asked --------------------------------------------------------------------------------

    pub fn next(&mut self, now: u64) -> Next {
        let next = self.decide(now);
        self.idle = !matches!(next, Next::Start(_));
        next
    }

    fn decide(&mut self, now: u64) -> Next {
        if self.waiting + self.again + self.parked == 0 {
            return if self.out == 0 { Next::Done } else { Next::Idle(None) };
        }
        if self.paused || self.stopped.is_some() {
            return Next::Idle(None);
        }
        if now < self.rate_at {
            return Next::Idle(Some(self.rate_at));
        }
        let first = self.first_due();
        if let Some((at, run)) = first
            && at <= now
        {
            self.undue(run);
            return self.start(run, now);
        }
        match self.fresh_run() {
            Some(run) => self.start(run, now),
            None => Next::Idle(first.map(|(at, _)| at)),
        }
    }

    /// The first to be tried again, of the rings that were begun.
    fn first_due(&self) -> Option<(u64, u32)> {
        match self.set_back {
            false => self.due.first().copied(),
            true => self.due.iter().find(|(_, run)| self.begun(*run)).copied(),
        }
    }

    /// Out, or about to be tried again, in the rings that were begun.
    fn open(&self) -> u32 {
        let again = match self.set_back {
            false => self.again,
            true => {
                let again = |run: &&u32| self.at[**run as usize] == At::Again && self.begun(**run);
                u32::try_from(self.due_of.keys().filter(again).count()).unwrap_or(u32::MAX)
            }
        };
        self.out + again
    }

    fn begun(&self, run: u32) -> bool {
        self.ring_of.get(run as usize).is_none_or(|ring| *ring <= self.ring())
    }

    fn start(&mut self, run: u32, now: u64) -> Next {
        match self.at[run as usize] {
            At::Again => self.again -= 1,
            At::Parked => self.parked -= 1,
            _ => self.waiting -= 1,
        }
        self.at[run as usize] = At::Out;
        self.out += 1;
        if let Some(rate) = self.how.start_rate {
            // who comes a little late does not make all that follow late
            let every = rate.every_ms();
            self.rate_at = if self.rate_at + every >= now { self.rate_at } else { now } + every;
        }
        Next::Start(run)
    }

    /// The next device that was never sent to, if its ring may begin.
    fn fresh_run(&mut self) -> Option<u32> {
        loop {
            let end = self.ends[self.ring];
            while self.next < end {
                let run = match self.order.get(self.next) {
                    Some(run) => *run,
                    None => u32::try_from(self.next).unwrap_or(u32::MAX),
                };
                self.next += 1;
                if self.at[run as usize] == At::Waiting {
                    return Some(run);
                }
            }
            if self.ring + 1 >= self.ends.len() || !self.may_go_on() {
                return None;
            }
            self.ring += 1;
            self.answered = 0;
            self.asks = None;
        }
    }

    /// All of this ring has been sent to: whether the next one may be.
    fn may_go_on(&mut self) -> bool {
        let open = self.open();
        let following = self.ring() + 1;
        if self.approved >= following {
            // even so: what is out could use the budget up
            return self.stop_at.is_none_or(|stop_at| self.bad + open < stop_at);
        }
        if self.stop_at.is_some_and(|stop_at| self.bad + open >= stop_at) {
            return false;
        }
        if open > 0 {
            return self.how.between == Between::Go;
        }
        let silent = self.answered == 0;
        if !silent && self.how.between != Between::Ask {
            return true;
        }
        let why = if silent {
            format!("ring {} proved nothing: the script came to an end on none of its devices", self.ring())
        } else {
            format!("ring {} has ended; {} bad so far", self.ring(), self.bad)
        };
        let devices = u32::try_from(self.ends[self.ring + 1] - self.ends[self.ring]).unwrap_or(u32::MAX);
        self.asks.get_or_insert(Asks { ring: following, devices, why });
        false
    }

    // -- what it is told -------------------------------------------------------------------------------

    /// A run that was out has ended.
    pub fn ended(&mut self, run: u32, state: RunState, code: Option<i32>, now: u64) -> Verdict {
        if self.at[run as usize] != At::Out {
            return Verdict::Over;
        }
        if let Some(again) = self.again(run, state, code, now) {
            self.out -= 1;
            return again;
        }
        self.over(run, state, code);
        Verdict::Over
    }

    /// A run that was out has ended, and nobody knows how: it may have done half its work. It is not tried again by
    /// itself; whoever has looked at the device asks for it by name.
    pub fn unknown(&mut self, run: u32) {
        if self.at[run as usize] == At::Out {
            self.over(run, RunState::Failed, None);
        }
    }

    /// It is to be tried again.
    fn again(&mut self, run: u32, state: RunState, code: Option<i32>, now: u64) -> Option<Verdict> {
        let fine = code.is_some_and(|code| self.fine_codes.contains(&code));
        if self.stopped.is_none() {
            let retry = self.how.retry.as_ref().filter(|retry| retry.on.contains(&state) && !fine);
            if let Some(retry) = retry
                && self.retried.get(&run).copied().unwrap_or(0) < retry.times
            {
                let at = now.saturating_add(retry.after_ms);
                *self.retried.entry(run).or_default() += 1;
                self.at[run as usize] = At::Again;
                self.again += 1;
                return Some(self.again_at(run, at));
            }
            if let (RunState::Offline, Offline::Queue { expire_ms }) = (state, self.how.offline)
                && now < expire_ms
            {
                let times = self.parks.entry(run).or_default();
                let pause = AGAIN_FIRST_MS.checked_shl(*times).unwrap_or(AGAIN_MOST_MS).min(AGAIN_MOST_MS);
                *times = (*times + 1).min(16);
                self.at[run as usize] = At::Parked;
                self.parked += 1;
                return Some(self.again_at(run, now.saturating_add(pause).min(expire_ms)));
            }
        }
        None
    }

    fn over(&mut self, run: u32, state: RunState, code: Option<i32>) {
        self.out -= 1;
        self.at[run as usize] = At::Over;
        if matches!(state, RunState::Ok | RunState::Failed | RunState::Timeout) && self.in_ring(run) {
            self.answered += 1;
        }
        if self.counts(state, code) {
            self.bad += 1;
            if self.stop_at.is_some_and(|stop_at| self.bad >= stop_at) {
                self.stop(StopWhy::Budget, format!("stopped by its failure budget: {} bad", self.bad));
            }
        }
    }

    /// Against the failure budget.
    fn counts(&self, state: RunState, code: Option<i32>) -> bool {
        let fine = code.is_some_and(|code| self.fine_codes.contains(&code));
        (state.bad() && !fine) || (state == RunState::Offline && self.how.count_unreachable)
    }

    /// How many of a run's retries are used up, and whether it waits until its device answers.
    pub fn tried(&self, run: u32) -> (u32, bool) {
        (self.retried.get(&run).copied().unwrap_or(0), self.at.get(run as usize) == Some(&At::Parked))
    }

    fn in_ring(&self, run: u32) -> bool {
        self.ring_of.get(run as usize).is_none_or(|ring| *ring == self.ring())
    }

    fn again_at(&mut self, run: u32, at: u64) -> Verdict {
        self.due.insert((at, run));
        self.due_of.insert(run, at);
        Verdict::Again(at)
    }

    fn undue(&mut self, run: u32) {
        if let Some(at) = self.due_of.remove(&run) {
            self.due.remove(&(at, run));
        }
    }

    /// A run that is not out will not start (again).
    pub fn withdrawn(&mut self, run: u32) {
        match self.at[run as usize] {
            At::Waiting => self.waiting -= 1,
            At::Again => self.again -= 1,
            At::Parked => self.parked -= 1,
            At::Out | At::Over => return,
        }
        self.undue(run);
        self.at[run as usize] = At::Over;
    }

    /// A device that could not be reached has been heard of.
    pub fn answers(&mut self, run: u32, now: u64) -> bool {
        let parked = self.at.get(run as usize) == Some(&At::Parked);
        if parked {
            self.undue(run);
            self.again_at(run, now);
        }
        parked
    }

    pub fn any_parked(&self) -> bool {
        self.parked > 0
    }

    pub fn pause(&mut self) {
        self.paused = true;
    }

    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// Lets a ring go. `false`: it is not the one that waits.
    pub fn approve(&mut self, ring: u32) -> bool {
        let asked = self.asks.as_ref().is_some_and(|asks| asks.ring == ring);
        if asked {
            self.approved = ring;
            self.asks = None;
        }
        asked
    }

    /// A way to go wrong that no earlier job of the script met. `false`: it was met in this job before, under
    /// another recorded name.
    pub fn met_new(&mut self, signature: &str) -> bool {
        if self.fresh.iter().any(|known| known == signature) {
            return false;
        }
        self.met += 1;
        if self.fresh.len() < FRESH {
            self.fresh.push(signature.to_owned());
        }
        if self.how.new_signatures.is_some_and(|most| self.met >= most) {
            self.stop(StopWhy::NewSignature, format!("stopped by a new signature: {signature}"));
        }
        true
    }

    /// Nothing starts any more.
    pub fn stop(&mut self, why: StopWhy, says: String) {
        if self.stopped.is_none() {
            self.stopped = Some(why);
            self.asks = None;
            self.untold = Some((why, says));
        }
    }
}

#[cfg(test)]
mod tests;
