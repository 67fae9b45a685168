//! The roll-out machine: which run starts next, when none may, what is tried again, when the job stops by itself.
//!
//! Pure: it has no clock and does nothing. It is told what happens, and when (milliseconds since the launch), and says
//! what to do. What the states of runs are called, and who is told of them, is `live`'s affair.

use std::collections::{BTreeSet, HashMap};

use crate::model::rollout::{Asks, Between, How, Offline, Rollout, StopWhy};
use crate::model::state::RunState;

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
        let first = self.due.first().copied();
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
        let open = self.out + self.again;
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
        self.out -= 1;
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
                return self.again_at(run, at);
            }
            if let (RunState::Offline, Offline::Queue { expire_ms }) = (state, self.how.offline)
                && now < expire_ms
            {
                let times = self.parks.entry(run).or_default();
                let pause = AGAIN_FIRST_MS.checked_shl(*times).unwrap_or(AGAIN_MOST_MS).min(AGAIN_MOST_MS);
                *times = (*times + 1).min(16);
                self.at[run as usize] = At::Parked;
                self.parked += 1;
                return self.again_at(run, now.saturating_add(pause).min(expire_ms));
            }
        }
        self.at[run as usize] = At::Over;
        if matches!(state, RunState::Ok | RunState::Failed | RunState::Timeout) && self.in_ring(run) {
            self.answered += 1;
        }
        if (state.bad() && !fine) || (state == RunState::Offline && self.how.count_unreachable) {
            self.bad += 1;
            if self.stop_at.is_some_and(|stop_at| self.bad >= stop_at) {
                self.stop(StopWhy::Budget, format!("stopped by its failure budget: {} bad", self.bad));
            }
        }
        Verdict::Over
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

    /// A way to go wrong that no earlier job of the script met.
    pub fn met_new(&mut self, signature: &str) {
        if self.fresh.iter().any(|known| known == signature) {
            return;
        }
        self.met += 1;
        if self.fresh.len() < FRESH {
            self.fresh.push(signature.to_owned());
        }
        if self.how.new_signatures.is_some_and(|most| self.met >= most) {
            self.stop(StopWhy::NewSignature, format!("stopped by a new signature: {signature}"));
        }
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::rollout::{Amount, Retry, Ring, amounts};

    fn rollout(how: How, devices: u32) -> Rollout {
        let mut from = 0;
        let rings = how
            .ends(devices)
            .unwrap()
            .into_iter()
            .map(|end| Ring { runs: (std::mem::replace(&mut from, end)..end).collect(), ..Ring::default() })
            .collect();
        Rollout { stop_at: how.stop_at(devices).unwrap(), rings, how, ..Rollout::default() }
    }

    fn rings(text: &str, between: Between) -> How {
        How { rings: amounts(text).unwrap(), between, ..How::default() }
    }

    fn machine(how: How, devices: u32) -> Machine {
        Machine::new(&rollout(how, devices), devices as usize)
    }

    /// Starts everything that may start now.
    fn start_all(machine: &mut Machine, now: u64) -> Vec<u32> {
        let mut started = Vec::new();
        while let Next::Start(run) = machine.next(now) {
            started.push(run);
        }
        started
    }

    fn ok(machine: &mut Machine, runs: &[u32]) {
        for run in runs {
            assert_eq!(machine.ended(*run, RunState::Ok, Some(0), 0), Verdict::Over);
        }
    }

    #[test]
    fn a_plain_job_starts_everything_in_order_and_is_done_when_all_have_ended() {
        let mut it = machine(How::default(), 3);
        assert_eq!(start_all(&mut it, 0), [0, 1, 2]);
        assert_eq!(it.next(0), Next::Idle(None));
        ok(&mut it, &[0, 1, 2]);
        assert_eq!(it.next(0), Next::Done);
    }

    #[test]
    fn a_ring_waits_for_the_one_before_or_for_an_operator() {
        let mut it = machine(rings("1,3,100%", Between::Wait), 6);
        assert_eq!(start_all(&mut it, 0), [0]);
        ok(&mut it, &[0]);
        assert_eq!(start_all(&mut it, 0), [1, 2]);
        ok(&mut it, &[1]);
        assert!(start_all(&mut it, 0).is_empty(), "one is out");
        ok(&mut it, &[2]);
        assert_eq!(start_all(&mut it, 0), [3, 4, 5]);

        let mut it = machine(rings("1,100%", Between::Ask), 3);
        assert_eq!(start_all(&mut it, 0), [0]);
        assert!(it.asks().is_none());
        ok(&mut it, &[0]);
        assert!(start_all(&mut it, 0).is_empty());
        assert_eq!(it.asks().map(|asks| (asks.ring, asks.devices)), Some((2, 2)));
        assert!(!it.approve(3), "another ring than the one that asks");
        assert!(it.approve(2) && !it.approve(2), "the second approval changes nothing");
        assert_eq!(start_all(&mut it, 0), [1, 2]);
    }

    #[test]
    fn a_ring_in_which_nothing_ran_proves_nothing() {
        let mut it = machine(rings("1,100%", Between::Wait), 3);
        start_all(&mut it, 0);
        it.ended(0, RunState::Offline, None, 0);
        assert!(start_all(&mut it, 0).is_empty());
        assert!(it.asks().is_some_and(|asks| asks.why.contains("proved nothing")));
    }

    #[test]
    fn a_ring_does_not_begin_while_those_out_could_use_the_budget_up() {
        let how = How { max_fail: vec![Amount::Devices(2)], ..rings("3,100%", Between::Go) };
        let mut it = machine(how, 9);
        assert_eq!(start_all(&mut it, 0), [0, 1, 2]);
        ok(&mut it, &[0]);
        assert!(start_all(&mut it, 0).is_empty(), "two are out, and two would stop it");
        ok(&mut it, &[1]);
        assert_eq!(start_all(&mut it, 0).len(), 6);
    }

    #[test]
    fn the_budget_counts_what_it_was_told_to_count() {
        let how = How { max_fail: vec![Amount::Devices(2)], ..How::default() };
        let mut it = Machine::new(&Rollout { fine_codes: vec![75], ..rollout(how.clone(), 6) }, 6);
        start_all(&mut it, 0);
        it.ended(0, RunState::Failed, Some(75), 0);
        it.ended(1, RunState::Offline, None, 0);
        it.ended(2, RunState::Timeout, None, 0);
        assert_eq!((it.bad(), it.take_stop()), (1, None));
        it.ended(3, RunState::Failed, Some(1), 0);
        assert!(it.take_stop().is_some_and(|(why, _)| why == StopWhy::Budget));
        assert_eq!(it.take_stop(), None, "told once");
        let mut it = machine(How { count_unreachable: true, ..how }, 6);
        start_all(&mut it, 0);
        it.ended(1, RunState::Offline, None, 0);
        it.ended(2, RunState::Offline, None, 0);
        assert!(it.take_stop().is_some());
    }

    #[test]
    fn a_device_is_tried_again_when_it_ended_as_was_said_and_so_often() {
        let retry = Retry { times: 1, after_ms: 500, on: vec![RunState::Timeout] };
        let mut it = machine(How { retry: Some(retry), max_fail: vec![Amount::Devices(1)], ..How::default() }, 2);
        start_all(&mut it, 0);
        assert_eq!(it.ended(0, RunState::Timeout, None, 100), Verdict::Again(600));
        assert_eq!(it.take_stop(), None, "the last outcome counts");
        assert_eq!(it.next(100), Next::Idle(Some(600)));
        assert_eq!(it.next(600), Next::Start(0));
        assert_eq!(it.ended(0, RunState::Timeout, None, 700), Verdict::Over);
        assert!(it.take_stop().is_some());
    }

    #[test]
    fn a_silent_device_is_tried_until_its_time_is_over_and_no_ring_waits_for_it() {
        let how = How { offline: Offline::Queue { expire_ms: 60_000 }, ..rings("2,100%", Between::Wait) };
        let mut it = machine(how, 3);
        start_all(&mut it, 0);
        assert_eq!(it.ended(0, RunState::Offline, None, 0), Verdict::Again(15_000));
        ok(&mut it, &[1]);
        assert_eq!(start_all(&mut it, 0), [2]);
        ok(&mut it, &[2]);
        assert!(it.answers(0, 5_000), "it was heard of");
        assert_eq!(it.next(5_000), Next::Start(0));
        assert_eq!(it.ended(0, RunState::Offline, None, 5_000), Verdict::Again(35_000));
        assert_eq!(it.next(35_000), Next::Start(0));
        assert_eq!(it.ended(0, RunState::Offline, None, 35_000), Verdict::Again(60_000));
        assert_eq!(it.next(60_000), Next::Start(0));
        assert_eq!(it.ended(0, RunState::Offline, None, 60_000), Verdict::Over);
        assert_eq!(it.next(60_000), Next::Done);
    }

    #[test]
    fn starts_are_spread_over_time() {
        let mut it = machine(How { start_rate: Some("10/s".parse().unwrap()), ..How::default() }, 3);
        assert_eq!(it.next(1_000), Next::Start(0));
        assert_eq!(it.next(1_000), Next::Idle(Some(1_100)));
        assert_eq!(it.next(1_100), Next::Start(1));
        assert_eq!(it.next(9_000), Next::Start(2));
    }

    #[test]
    fn a_new_signature_stops_once() {
        let mut it = machine(How { new_signatures: Some(2), ..How::default() }, 3);
        start_all(&mut it, 0);
        it.met_new("v1:a");
        it.met_new("v1:a");
        assert_eq!(it.take_stop(), None);
        it.met_new("v1:b");
        assert!(it.take_stop().is_some_and(|(why, _)| why == StopWhy::NewSignature));
    }

    /// What may happen to a job, in any order.
    #[derive(Clone, Debug)]
    enum Step {
        Send,
        End(u8, u8),
        Pause,
        Resume,
        Approve,
        Withdraw(u8),
        Stop,
        Wait(u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => Just(Step::Send),
            8 => (any::<u8>(), any::<u8>()).prop_map(|(who, how)| Step::End(who, how)),
            1 => Just(Step::Pause),
            2 => Just(Step::Resume),
            2 => Just(Step::Approve),
            1 => any::<u8>().prop_map(Step::Withdraw),
            1 => Just(Step::Stop),
            2 => any::<u16>().prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 0..200)
    }

    fn hows() -> impl Strategy<Value = How> {
        (
            prop::sample::select(vec!["", "100%", "1,100%", "1,5%,25%,100%", "2,50%,100%"]),
            prop::sample::select(Between::ALL.to_vec()),
            prop::option::of(1u32..6),
            any::<bool>(),
            prop::option::of((1u32..3, 0u64..100)),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(text, between, stop, count, retry, queue, slow)| How {
                rings: amounts(text).unwrap(),
                between,
                max_fail: stop.map(Amount::Devices).into_iter().collect(),
                count_unreachable: count,
                retry: retry.map(|(times, after_ms)| Retry {
                    times,
                    after_ms,
                    on: vec![RunState::Failed, RunState::Offline],
                }),
                offline: if queue { Offline::Queue { expire_ms: 60_000 } } else { Offline::Skip },
                start_rate: slow.then(|| "100/s".parse().unwrap()),
                ..How::default()
            })
    }

    proptest! {
        /// Whatever devices do and operators ask for: never more out than places, never a ring out of its order, never
        /// past the budget by more than was out, and every device ends exactly once.
        #[test]
        fn the_rules_hold(how in hows(), devices in 6u32..40, at_once in 1u32..9, steps in steps()) {
            let plan = rollout(how, devices);
            let ring_of = plan.ring_of(devices as usize);
            let times = plan.how.retry.as_ref().map_or(0, |retry| retry.times);
            let mut it = Machine::new(&plan, devices as usize);
            let (mut now, mut paused, mut stopped) = (0u64, false, false);
            let mut out: Vec<u32> = Vec::new();
            let mut ends = vec![0u32; devices as usize];
            let mut starts = vec![0u32; devices as usize];
            let mut flying_at_stop = None;
            let ends_as = |how: u8| match how % 5 {
                0 | 1 => (RunState::Ok, Some(0)),
                2 => (RunState::Failed, Some(1)),
                3 => (RunState::Timeout, None),
                _ => (RunState::Offline, None),
            };
            // afterwards everything is let go on, until it is over
            let tail = std::iter::repeat_n([Step::Resume, Step::Approve, Step::Send, Step::End(0, 0), Step::Wait(60_000)], 400);
            for step in steps.into_iter().chain(tail.flatten()) {
                match step {
                    Step::Send if (out.len() as u32) < at_once => if let Next::Start(run) = it.next(now) {
                        prop_assert!(!paused && !stopped, "nothing starts then");
                        prop_assert!(ends[run as usize] == 0 && !out.contains(&run));
                        let behind = ring_of.iter().zip(&starts).zip(&ends).any(|((ring, starts), ends)| {
                            *ring < ring_of[run as usize] && *starts == 0 && *ends == 0
                        });
                        prop_assert!(!behind, "a ring began before all of those before it were sent to");
                        if starts[run as usize] == 0 && plan.rings.len() > 1 && let Some(stop_at) = plan.stop_at {
                            let first = ring_of.iter().zip(&starts).all(|(ring, starts)| *ring != ring_of[run as usize] || *starts == 0);
                            prop_assert!(!first || ring_of[run as usize] == 1 || it.bad() + (out.len() as u32) < stop_at);
                        }
                        starts[run as usize] += 1;
                        out.push(run);
                    },
                    Step::End(who, how) if !out.is_empty() => {
                        let run = out.swap_remove(who as usize % out.len());
                        let (state, code) = ends_as(how);
                        match it.ended(run, state, code, now) {
                            Verdict::Over => ends[run as usize] += 1,
                            Verdict::Again(at) => prop_assert!(at >= now && !stopped),
                        }
                    }
                    Step::Pause => { it.pause(); paused = true; }
                    Step::Resume => { it.resume(); paused = false; }
                    Step::Approve => if let Some(ring) = it.asks().map(|asks| asks.ring) {
                        prop_assert!(it.approve(ring));
                    },
                    Step::Withdraw(who) => {
                        let run = u32::from(who) % devices;
                        if !out.contains(&run) && ends[run as usize] == 0 {
                            it.withdrawn(run);
                            ends[run as usize] += 1;
                        }
                    }
                    Step::Stop => it.stop(StopWhy::Deadline, String::new()),
                    Step::Wait(ms) => now += u64::from(ms),
                    Step::Send | Step::End(..) => {}
                }
                if let Some((why, _)) = it.take_stop() {
                    prop_assert!(!stopped, "it stops once");
                    stopped = true;
                    if why == StopWhy::Budget {
                        flying_at_stop = Some(out.len() as u32);
                    }
                    for run in 0..devices {
                        if !out.contains(&run) && ends[run as usize] == 0 {
                            it.withdrawn(run);
                            ends[run as usize] += 1;
                        }
                    }
                }
                prop_assert!(out.len() as u32 <= at_once);
            }
            while let Some(run) = out.pop() {
                if it.ended(run, RunState::Ok, Some(0), u64::MAX) == Verdict::Over {
                    ends[run as usize] += 1;
                }
            }
            if let (Some(stop_at), Some(flying)) = (plan.stop_at, flying_at_stop) {
                prop_assert!(it.bad() <= stop_at + flying);
            }
            if it.left() == 0 {
                prop_assert_eq!(it.next(u64::MAX), Next::Done);
                prop_assert!(ends.iter().all(|ends| *ends == 1), "every device ends exactly once: {:?}", ends);
            }
            if plan.how.offline == Offline::Skip {
                prop_assert!(starts.iter().all(|starts| *starts <= 1 + times));
            }
        }
    }
}
