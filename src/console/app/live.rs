//! Screen 4: a job while it runs and after it. Owns what is looked at (pane, device, order, tail); the job's
//! facts are in [`super::held`].

use std::borrow::Cow;

use jiff::Timestamp;

use super::commands::Do;
use super::grid::{self, By, Grid};
use super::held::Held;
use super::list::{Cursor, Look};
use super::tail::Tail;
use super::tree::Tree;
use crate::model::job::{Job, JobId, Run};
use crate::model::output::Which;
use crate::model::rows::Runs;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LivePane {
    Grid,
    #[default]
    Devices,
    Tail,
}

#[derive(Debug)]
pub struct Live {
    pub id: JobId,
    pub focus: LivePane,
    pub zoom: bool,
    pub devices: Cursor,
    /// Run index of the device looked at; it stays the same one when the order changes.
    pub chosen: u32,
    /// Run indexes as listed.
    pub order: Vec<u32>,
    pub look: Look,
    /// The order is out of date: the runs have changed, or the operator asked for other rows.
    stale: bool,
    changed: bool,
    asked: bool,
    pub tail: Tail,
    pub grid_by: By,
    /// The fact that the list shows beside the names, and for how many devices it was chosen.
    pub fact: Option<String>,
    learned: (usize, usize),
    /// As of the last [`Live::lay_out`], and for which room.
    pub grid: Grid,
    room: (usize, usize, usize),
    unlaid: bool,
}

impl Live {
    pub fn new(id: JobId) -> Self {
        Self {
            id,
            focus: LivePane::Devices,
            zoom: false,
            devices: Cursor::default(),
            chosen: 0,
            order: Vec::new(),
            look: Look::sorted(1),
            stale: true,
            changed: true,
            asked: false,
            tail: Tail::new(id, Some(0)),
            grid_by: By::default(),
            fact: None,
            learned: (0, 0),
            grid: Grid::default(),
            room: (0, 0, 0),
            unlaid: true,
        }
    }

    /// The runs have changed, or how they are sorted.
    pub fn stale(&mut self) {
        (self.stale, self.changed) = (true, true);
    }

    /// Other runs pass, or are marked, or another one is chosen.
    pub fn sift(&mut self) {
        (self.stale, self.asked) = (true, true);
    }

    /// Puts the order right before anything is drawn. A frozen view keeps its own, and shows of it what is asked for.
    pub fn settle(&mut self, held: &Held, now: Timestamp, height: usize) {
        let Some(job) = &held.job else { return };
        let runs = &job.runs;
        self.unlaid |= self.stale && self.grid_by == By::State;
        let frozen = self.tail.frozen.is_some() && self.look.total == runs.len();
        let asked = std::mem::take(&mut self.asked);
        if !self.stale || (frozen && !asked) {
            return;
        }
        self.stale = false;
        if !frozen && std::mem::take(&mut self.changed) {
            self.look.changed();
        }
        self.look.extra = if job.summary.progress.rings > 1 { &["ring"] } else { &[] };
        self.look.home = runs.get(self.chosen as usize).map(|run| run.device.clone());
        let rows = Runs { all: runs, now };
        self.order = self.look.order(&rows, |row| Cow::Borrowed(runs[row].device.as_str()), &mut self.devices, height);
        if !self.devices.touched
            && let Some(first) = self.order.first()
        {
            // Nobody has chosen yet: the first failure is the most interesting, and stays while others follow; before
            // that, whatever has something to read.
            let failed = runs.get(self.chosen as usize).is_some_and(|run| run.state.bad());
            let silent = self.tail.lines.is_empty();
            // At the job's end the worst is at the top for good: who has not moved, and reads nothing, is led there.
            let over = job.summary.state.ended() && self.tail.follow;
            if over || (!failed && (silent || runs[*first as usize].state.bad())) {
                self.chosen = *first;
            }
        }
        let at = self.order.iter().position(|run| *run == self.chosen);
        if !self.devices.touched {
            self.devices.put(at.unwrap_or(self.devices.at), self.order.len(), height);
        }
        if at.is_none()
            && let Some(run) = self.order.get(self.devices.at)
        {
            self.chosen = *run;
        }
        if self.tail.run.is_some() {
            self.tail.show(Some(self.chosen));
        }
    }

    /// Failed devices that stand above the rows shown: the list was sorted again round the cursor.
    pub fn bad_above(&self, job: &Job, height: usize) -> usize {
        let from = self.devices.window(self.order.len(), height).start;
        let above = self.order[..from].iter().filter_map(|run| job.runs.get(*run as usize));
        above.filter(|run| run.state.bad()).count()
    }

    pub(super) fn choose(&mut self, run: u32) {
        self.chosen = run;
        self.devices.touched = true;
        if self.tail.run.is_some() {
            self.tail.show(Some(run));
        }
    }

    /// The cursor of the devices was put somewhere.
    pub fn moved(&mut self) {
        if let Some(run) = self.order.get(self.devices.at) {
            self.choose(*run);
        }
    }

    /// Motions of the focused pane. `true`: used up.
    pub fn go(&mut self, verb: Do, height: usize) -> bool {
        match self.focus {
            LivePane::Tail => self.tail.go(verb),
            LivePane::Devices => {
                if !self.devices.go(verb, self.order.len(), height) {
                    return false;
                }
                if let Some(run) = self.order.get(self.devices.at) {
                    self.choose(*run);
                }
                true
            }
            LivePane::Grid => {
                let Some(run) = self.grid.go(verb, self.chosen) else { return false };
                if run != self.chosen {
                    self.choose(run);
                    self.sift();
                }
                true
            }
        }
    }

    /// Puts the cells of the grid where they belong, when there is another room for them or another job.
    pub fn lay_out(&mut self, job: &Job, tree: &Tree, (columns, height): (usize, usize)) {
        let room = (columns, height, job.runs.len());
        if self.unlaid || room != self.room {
            (self.unlaid, self.room) = (false, room);
            self.grid = grid::lay_out(&self.grid_by, job, tree, columns, height);
        }
    }

    /// Groups the cells by something else.
    pub fn group_by(&mut self, by: By) {
        (self.grid_by, self.unlaid, self.learned) = (by, true, (0, 0));
    }

    /// Which fact tells the devices apart: the one that the cells are grouped by, else the first that does.
    pub fn learn(&mut self, job: &Job, tree: &Tree) {
        let of = (job.runs.len(), tree.targets.devices.len());
        if of == self.learned {
            return;
        }
        self.learned = of;
        let fact = |by: &By| if let By::Fact(fact) = by { Some(fact.clone()) } else { None };
        let other =
            || grid::choices(job, tree).iter().filter_map(fact).find(|fact| !grid::REACHED.contains(&fact.as_str()));
        self.fact = fact(&self.grid_by).or_else(other);
    }

    pub fn next_pane(&mut self, forward: bool, grid: bool) {
        use LivePane::{Devices, Grid, Tail};
        self.focus = match (self.focus, forward) {
            (Grid, true) | (Tail, false) => Devices,
            (Devices, true) => Tail,
            (Tail, true) | (Devices, false) if grid => Grid,
            (Tail, true) => Devices,
            (Grid | Devices, false) => Tail,
        };
    }

    /// stdout, stderr, both.
    pub fn next_stream(&mut self, forward: bool) {
        let which = match (self.tail.which, forward) {
            (Which::All, true) | (Which::Err, false) => Which::Out,
            (Which::Out, true) | (Which::All, false) => Which::Err,
            (Which::Err, true) | (Which::Out, false) => Which::All,
        };
        self.tail.select(which);
    }

    pub fn one_or_all(&mut self) {
        let next = if self.tail.run.is_some() { None } else { Some(self.chosen) };
        self.tail.show(next);
    }
}

/// How long a run took, or has taken so far.
pub fn took_ms(run: &Run, now: Timestamp) -> Option<i64> {
    let (from, to) = run.took(now)?;
    Some((to.as_millisecond() - from.as_millisecond()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::model::state::{JobState, RunState};

    fn settled(live: &mut Live, held: &Held) {
        live.stale();
        live.settle(held, sample::at(100), 10);
    }

    /// 40 runs; then those from the tenth on fail.
    fn failing(touched: bool) -> (Live, Held) {
        let mut held = Held::new(1);
        held.set(sample::job(1, &[RunState::Running; 40]));
        let mut live = Live::new(1);
        settled(&mut live, &held);
        if touched {
            live.devices.go(Do::Last, live.order.len(), 10);
            live.moved();
        }
        for index in 0..15 {
            let mut run = held.run(index).unwrap().clone();
            run.state = RunState::Failed;
            held.runs(vec![run]);
            settled(&mut live, &held);
        }
        (live, held)
    }

    fn over(live: &mut Live, held: &mut Held) {
        if let Some(job) = &mut held.job {
            job.summary.state = JobState::Done;
        }
        settled(live, held);
    }

    #[test]
    fn a_chosen_device_stays_and_what_failed_above_it_is_counted() {
        let (mut live, mut held) = failing(true);
        let chosen = live.chosen;
        assert_eq!(live.bad_above(held.job.as_ref().unwrap(), 10), 15);
        over(&mut live, &mut held);
        assert_eq!(live.chosen, chosen, "the end moves nobody who has chosen");
        live.go(Do::First, 10);
        assert_eq!(live.bad_above(held.job.as_ref().unwrap(), 10), 0);
    }

    #[test]
    fn a_frozen_list_keeps_its_order_and_is_narrowed_at_once() {
        use RunState::{Failed, Ok, Running};
        let mut held = Held::new(1);
        held.set(sample::job(1, &[Ok, Running, Failed, Running, Ok]));
        let fail = |held: &mut Held, index| {
            let run = Run { state: Failed, ..held.run(index).unwrap().clone() };
            held.runs(vec![run]);
        };
        let narrow = |live: &mut Live, held: &Held, only_problems| {
            live.look.only_problems = only_problems;
            live.sift();
            live.settle(held, sample::at(100), 10);
        };
        let mut live = Live::new(1);
        settled(&mut live, &held);
        let before = live.order.clone();
        live.tail.freeze();
        fail(&mut held, 4);
        settled(&mut live, &held);
        assert_eq!(live.order, before);
        narrow(&mut live, &held, true);
        assert_eq!(live.order, [2, 4]);
        fail(&mut held, 0);
        settled(&mut live, &held);
        assert_eq!(live.order, [2, 4], "what fails now does not come in by itself");
        narrow(&mut live, &held, false);
        assert_eq!(live.order, before);
        live.tail.freeze();
        settled(&mut live, &held);
        assert_eq!(live.order[..3], [0, 2, 4], "let go, the bad ones stand first again");
    }

    #[test]
    fn who_has_not_moved_sees_the_worst_when_the_job_ends() {
        let (mut live, mut held) = failing(false);
        over(&mut live, &mut held);
        assert_eq!((live.devices.at, live.bad_above(held.job.as_ref().unwrap(), 10)), (0, 0));
    }
}
