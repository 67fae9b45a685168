//! Screen 4: a job while it runs and after it. Owns what is looked at (pane, device, order, tail); the job's
//! facts are in [`super::held`].

use jiff::Timestamp;

use super::commands::Do;
use super::held::Held;
use super::list::{Cursor, Look};
use super::tail::Tail;
use crate::model::job::{JobId, Run};
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
    /// The order is out of date.
    stale: bool,
    pub tail: Tail,
    /// Cells in a row of the grid, and devices in a cell, as of the last [`Live::settle`].
    pub across: usize,
    pub each: usize,
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
            tail: Tail::new(id, Some(0)),
            across: 1,
            each: 1,
        }
    }

    pub fn stale(&mut self) {
        self.stale = true;
    }

    /// Puts the order right, before anything is drawn. Frozen views keep theirs.
    pub fn settle(&mut self, held: &Held, now: Timestamp, height: usize, grid: (usize, usize)) {
        let Some(job) = &held.job else { return };
        let runs = &job.runs;
        self.across = grid.0.max(1);
        self.each = runs.len().div_ceil((self.across * grid.1).max(1)).max(1);
        if !self.stale || (self.tail.frozen.is_some() && self.order.len() == runs.len()) {
            return;
        }
        self.stale = false;
        self.look.home = runs.get(self.chosen as usize).map(|run| run.device.clone());
        let rows = Runs { all: runs, now };
        self.order = self.look.order(&rows, |row| runs[row].device.clone(), &mut self.devices, height);
        if !self.devices.touched
            && let Some(first) = self.order.first()
        {
            // Nobody has chosen yet: the first failure is the most interesting, and stays while others follow; before
            // that, whatever has something to read.
            let failed = runs.get(self.chosen as usize).is_some_and(|run| run.state.bad());
            let silent = self.tail.lines.is_empty();
            if !failed && (silent || runs[*first as usize].state.bad()) {
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

    fn choose(&mut self, run: u32) {
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
    pub fn go(&mut self, verb: Do, runs: usize, height: usize) -> bool {
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
                let cells = runs.div_ceil(self.each.max(1));
                let cell = self.chosen as usize / self.each.max(1);
                let to = match verb {
                    Do::Collapse => cell.saturating_sub(1),
                    Do::Expand => cell + 1,
                    Do::Up => cell.checked_sub(self.across).unwrap_or(cell),
                    Do::Down if cell + self.across < cells => cell + self.across,
                    Do::Down => cell,
                    Do::First => 0,
                    Do::Last => cells,
                    _ => return false,
                };
                let to = to.min(cells.saturating_sub(1));
                if to != cell {
                    self.choose((to * self.each) as u32);
                    self.stale = true;
                }
                true
            }
        }
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
    let from = run.started_at?;
    let to = run.finished_at.unwrap_or(now);
    Some((to.as_millisecond() - from.as_millisecond()).max(0))
}
