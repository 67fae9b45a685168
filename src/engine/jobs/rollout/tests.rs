//! The machine's rules, one by one and all at once.

use std::collections::HashSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::connectors::Outcome;
use crate::engine::jobs::live::{Counted, try_again};
use crate::engine::store::recover::{Stood, requeue, stood};
use crate::model::job::{LOST, Run, Signature};
use crate::model::rollout::{Amount, Paused, Progress, Retry, Ring, amounts};

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
fn what_may_have_run_in_part_is_not_tried_again_by_itself() {
    let retry = Retry { times: 3, after_ms: 0, on: vec![RunState::Failed] };
    let mut it = machine(How { retry: Some(retry), max_fail: vec![Amount::Devices(2)], ..How::default() }, 2);
    start_all(&mut it, 0);
    it.unknown(0);
    assert_eq!((it.bad(), it.ended(1, RunState::Failed, Some(1), 0)), (1, Verdict::Again(0)));
    assert_eq!(it.next(0), Next::Start(1));
    ok(&mut it, &[1]);
    assert_eq!(it.next(0), Next::Done);
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
    assert!(it.met_new("v1:a"));
    assert!(!it.met_new("v1:a"), "of two recorded names that go by one, the first is told");
    assert_eq!(it.take_stop(), None);
    it.met_new("v1:b");
    assert!(it.take_stop().is_some_and(|(why, _)| why == StopWhy::NewSignature));
}

/// What may happen to a job, in any order.
#[derive(Clone, Debug)]
enum Step {
    Send,
    /// A script goes to its device.
    LetGo(u8),
    End(u8, u8),
    Pause,
    Resume,
    Approve,
    Withdraw(u8),
    Stop,
    Wait(u16),
    /// What has changed is written down.
    Record,
    /// The engine is killed, and another one starts.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Send),
        8 => any::<u8>().prop_map(Step::LetGo),
        8 => (any::<u8>(), any::<u8>()).prop_map(|(who, how)| Step::End(who, how)),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        2 => Just(Step::Approve),
        1 => any::<u8>().prop_map(Step::Withdraw),
        1 => Just(Step::Stop),
        2 => any::<u16>().prop_map(Step::Wait),
        6 => Just(Step::Record),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..300)
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

fn moment(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(ms as i64).unwrap()
}

/// A job as its engine has it, what of it is written down, and its devices.
struct World {
    plan: Rollout,
    it: Machine,
    now: u64,
    runs: Vec<Run>,
    paused: bool,
    written: (Vec<Run>, Progress),
    /// How often each script went out: written down in the same moment.
    times: Vec<u32>,
    /// Handed to their connectors.
    out: Vec<u32>,
    /// Those out that run.
    running: HashSet<u32>,
    /// Sent to since it was last begun.
    starts: Vec<u32>,
    /// Out when it stopped for its budget.
    flying: Option<u32>,
}

impl World {
    fn new(plan: Rollout, devices: u32) -> Self {
        let ring_of = plan.ring_of(devices as usize);
        let run = |(index, ring)| Run { ring, ..Run::queued(index, &format!("lab:{index}"), "") };
        let runs: Vec<Run> = (0..devices).zip(ring_of).map(run).collect();
        Self {
            it: Machine::new(&plan, runs.len()),
            plan,
            now: 0,
            paused: false,
            written: (runs.clone(), Progress::default()),
            times: vec![0; runs.len()],
            out: Vec::new(),
            running: HashSet::new(),
            starts: vec![0; runs.len()],
            flying: None,
            runs,
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            paused: self.paused.then(|| Paused { by: "ops".into(), at: moment(0), why: None }),
            asks: self.it.asks().cloned(),
            stopped: self.it.stopped,
            ring: self.it.ring(),
            approved: self.it.approved(),
            fresh: self.it.fresh().to_vec(),
            ..Progress::default()
        }
    }

    fn send(&mut self) {
        let Next::Start(run) = self.it.next(self.now) else { return };
        let at = run as usize;
        assert!(!self.paused && self.it.stopped.is_none(), "nothing starts then");
        assert!(self.runs[at].state == RunState::Queued && !self.out.contains(&run));
        assert_eq!(self.times[at], self.runs[at].passed(), "what may have run is not sent again");
        let ring = self.runs[at].ring;
        let behind = self
            .runs
            .iter()
            .any(|other| other.ring < ring && self.starts[other.index as usize] == 0 && !other.state.ended());
        assert!(!behind, "a ring began before all of those before it were sent to");
        let mates = self.runs.iter().filter(|other| other.ring == ring);
        let first = mates.into_iter().all(|mate| self.starts[mate.index as usize] == 0);
        if let Some(stop_at) = self.plan.stop_at.filter(|_| first && ring > 1) {
            assert!(self.it.bad() + (self.out.len() as u32) < stop_at, "what is out could use the budget up");
        }
        self.runs[at].state = RunState::Sent;
        self.starts[at] += 1;
        self.out.push(run);
    }

    fn let_go(&mut self, who: u8) {
        let held: Vec<u32> = self.out.iter().copied().filter(|run| !self.running.contains(run)).collect();
        let Some(run) = held.get(who as usize % held.len().max(1)).copied().filter(|_| !self.paused) else { return };
        self.running.insert(run);
        self.times[run as usize] += 1;
        let entry = &mut self.runs[run as usize];
        (entry.state, entry.started_at) = (RunState::Running, Some(moment(self.now)));
    }

    fn end(&mut self, who: u8, how: u8) {
        if self.out.is_empty() {
            return;
        }
        let run = self.out.swap_remove(who as usize % self.out.len());
        let (state, code) = match how % 5 {
            _ if !self.running.remove(&run) => (RunState::Offline, None),
            0 | 1 => (RunState::Ok, Some(0)),
            2 => (RunState::Failed, Some(1)),
            3 => (RunState::Timeout, None),
            _ => (RunState::Offline, None),
        };
        let verdict = self.it.ended(run, state, code, self.now);
        let (retried, parked) = self.it.tried(run);
        let entry = &mut self.runs[run as usize];
        match verdict {
            Verdict::Over => {
                (entry.state, entry.exit_code, entry.finished_at) = (state, code, Some(moment(self.now)));
            }
            Verdict::Again(at) => {
                assert!(at >= self.now && self.it.stopped.is_none());
                let outcome = Outcome { exit_code: code, ..Outcome::because(state, "") };
                let signature = Signature { name: "v1:x".into(), says: String::new(), told: None };
                let counted = Counted { bytes: 0, passed: self.times[run as usize], retried, parked };
                try_again(entry, outcome, signature, counted, 0);
                if let Some(last) = entry.tries.last_mut() {
                    last.finished_at = moment(self.now);
                }
            }
        }
    }

    fn withdraw(&mut self, run: u32) {
        let entry = &mut self.runs[run as usize];
        if entry.state == RunState::Queued {
            self.it.withdrawn(run);
            entry.state = RunState::Cancelled;
        }
    }

    /// As the store and the next engine do it.
    fn crash(&mut self) {
        let (mut runs, progress) = self.written.clone();
        for (run, times) in runs.iter_mut().zip(&self.times) {
            match stood(run, *times) {
                Stood::Over => {}
                Stood::Waits => requeue(run),
                Stood::Lost => {
                    run.state = RunState::Failed;
                    run.reason = Some(format!("{LOST}nobody knows"));
                }
            }
            if progress.stopped.is_some() && run.state == RunState::Queued {
                run.state = RunState::Cancelled;
            }
        }
        self.paused = true;
        let progress = Progress { paused: Some(Paused { by: String::new(), at: moment(0), why: None }), ..progress };
        self.it = Machine::restored(&self.plan, &progress, &runs, moment(0));
        self.starts = runs.iter().map(|run| u32::from(run.state.ended() || !run.tries.is_empty())).collect();
        self.flying = self.flying.filter(|_| progress.stopped.is_some());
        self.runs = runs;
        self.out.clear();
        self.running.clear();
        self.written = (self.runs.clone(), progress);
    }

    fn step(&mut self, step: Step, at_once: u32) {
        match step {
            Step::Send if (self.out.len() as u32) < at_once => self.send(),
            Step::Send => {}
            Step::LetGo(who) => self.let_go(who),
            Step::End(who, how) => self.end(who, how),
            Step::Pause => {
                self.it.pause();
                self.paused = true;
            }
            Step::Resume => {
                self.it.resume();
                self.paused = false;
            }
            Step::Approve => {
                if let Some(ring) = self.it.asks().map(|asks| asks.ring) {
                    assert!(self.it.approve(ring));
                }
            }
            Step::Withdraw(who) => self.withdraw(u32::from(who) % self.runs.len() as u32),
            Step::Stop => self.it.stop(StopWhy::Deadline, String::new()),
            Step::Wait(ms) => self.now += u64::from(ms),
            Step::Record => self.written = (self.runs.clone(), self.progress()),
            Step::Crash => self.crash(),
        }
        if let Some((why, _)) = self.it.take_stop() {
            if why == StopWhy::Budget {
                self.flying = Some(self.out.len() as u32);
            }
            (0..self.runs.len() as u32).for_each(|run| self.withdraw(run));
            assert_eq!(self.it.take_stop(), None, "it stops once");
        }
    }
}

#[test]
fn a_ring_that_nothing_was_let_go_in_begins_anew_after_a_crash() {
    let offline = Offline::Queue { expire_ms: 60_000 };
    let how = How { max_fail: vec![Amount::Devices(1)], offline, ..rings("2,100%", Between::Wait) };
    let mut world = World::new(rollout(how, 3), 3);
    let mut step = |steps: &[Step]| {
        steps.iter().for_each(|step| world.step(step.clone(), 9));
        world.out.clone()
    };
    // of the first ring one waits until it answers, and the second begins
    assert_eq!(step(&[Step::Send, Step::Send, Step::LetGo(1), Step::End(1, 0), Step::End(0, 0), Step::Send]), [2]);
    assert!(step(&[Step::Record, Step::Crash]).is_empty());
    // that one is out: it could use the budget up before anything is sent to in the second ring
    assert_eq!(step(&[Step::Resume, Step::Wait(20_000), Step::Send, Step::Send]), [0]);
    assert_eq!(step(&[Step::LetGo(0), Step::End(0, 0), Step::Send]), [2]);
}

proptest! {
    /// Whatever devices do, operators ask for and kills the engine: never more out than places, never a ring out of its
    /// order, never past the budget by more than was out, nothing sent again that may have run, and every device ends
    /// exactly once.
    #[test]
    fn the_rules_hold(how in hows(), devices in 6u32..40, at_once in 1u32..9, steps in steps()) {
        let mut world = World::new(rollout(how, devices), devices);
        let mut over = vec![false; devices as usize];
        // afterwards everything is let go on, until it is over
        let tail = [Step::Resume, Step::Approve, Step::Send, Step::LetGo(0), Step::End(0, 0), Step::Wait(60_000)];
        let tail = std::iter::repeat_n(tail, 400).flatten();
        for step in steps.into_iter().chain(tail) {
            let crashed = matches!(step, Step::Crash);
            world.step(step, at_once);
            prop_assert!(world.out.len() as u32 <= at_once);
            for (run, over) in world.runs.iter().zip(&mut over) {
                // an end that was not written down is forgotten, and its run is lost
                prop_assert!(crashed || !*over || run.state.ended(), "what has ended stays so");
                *over = run.state.ended();
            }
        }
        let known = |run: &&Run| world.it.counts(run.state, run.exit_code) && !run.lost();
        prop_assert_eq!(world.it.bad() as usize, world.runs.iter().filter(known).count());
        if let (Some(stop_at), Some(flying)) = (world.plan.stop_at, world.flying) {
            prop_assert!(world.it.bad() <= stop_at + flying);
        }
        prop_assert_eq!(world.it.left(), 0);
        prop_assert_eq!(world.it.next(u64::MAX), Next::Done);
        prop_assert!(world.runs.iter().all(|run| run.state.ended()), "every device ends");
        let tries = world.plan.how.retry.as_ref().map_or(0, |retry| retry.times);
        if world.plan.how.offline == Offline::Skip {
            prop_assert!(world.times.iter().all(|times| *times <= 1 + tries));
        }
    }
}
