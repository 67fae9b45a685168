//! The window on a run's output, or on the merged output of a job. Holds the lines around what is shown and
//! nothing else: memory follows the screen. Asks for one window at a time; what was missed meanwhile is
//! asked for when the answer is there.

use super::commands::Do;
use super::event::{Ask, Seek};
use crate::model::job::JobId;
use crate::model::output::{Line, Which, Window};

/// How far back the merged view can scroll.
const MERGED: u64 = 5_000;

#[derive(Debug)]
pub struct Tail {
    pub job: JobId,
    /// `None`: all devices, in order of arrival.
    pub run: Option<u32>,
    pub which: Which,
    pub follow: bool,
    /// Number of the first line shown, unless following or merged.
    pub top: u64,
    /// Merged: how many lines above the end.
    pub back: u64,
    /// Columns scrolled to the right.
    pub left: usize,
    pub wrap: bool,
    pub times: bool,
    pub lines: Vec<Line>,
    /// Lines and bytes of the run so far.
    pub total: u64,
    pub bytes: u64,
    pub ended: bool,
    pub loaded: bool,
    pub problem: Option<String>,
    /// Frozen when there were so many lines.
    pub frozen: Option<u64>,
    asked: Option<Ask>,
    answered: Option<Ask>,
    /// There is more than the window shows.
    stale: bool,
    /// Rows for lines, as of the last [`Tail::settle`].
    pub height: usize,
}

impl Tail {
    pub fn new(job: JobId, run: Option<u32>) -> Self {
        Self {
            job,
            run,
            which: Which::All,
            follow: true,
            top: 0,
            back: 0,
            left: 0,
            wrap: false,
            times: true,
            lines: Vec::new(),
            total: 0,
            bytes: 0,
            ended: false,
            loaded: false,
            problem: None,
            frozen: None,
            asked: None,
            answered: None,
            stale: true,
            height: 1,
        }
    }

    /// Another device, or all.
    pub fn show(&mut self, run: Option<u32>) {
        if self.run != run {
            let kept = Self::new(self.job, run);
            *self = Self {
                which: self.which,
                wrap: self.wrap,
                times: self.times,
                height: self.height,
                asked: self.asked,
                ..kept
            };
        }
    }

    pub fn select(&mut self, which: Which) {
        if self.which != which {
            self.which = which;
            self.follow = true;
            self.forget();
        }
    }

    /// Asks again for everything (another engine, other streams).
    pub fn forget(&mut self) {
        self.lines.clear();
        self.answered = None;
        self.loaded = false;
        self.frozen = None;
        self.stale = true;
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        self.asked = None;
        self.stale = true;
    }

    /// A run has more output.
    pub fn grown(&mut self, run: u32, lines: u64, bytes: u64) {
        match self.run {
            Some(mine) if mine != run => return,
            Some(_) => {
                self.bytes = self.bytes.max(bytes);
                if self.which == Which::All {
                    self.total = self.total.max(lines);
                }
            }
            None => {}
        }
        if self.frozen.is_none() && (self.follow || self.shown().len() < self.height) {
            self.stale = true;
        }
    }

    /// The run (or job) changed state: its last lines may not have been announced.
    pub fn touched(&mut self) {
        if self.frozen.is_none() {
            self.stale = true;
        }
    }

    /// Lines that came since the view was frozen.
    pub fn waiting(&self) -> u64 {
        self.frozen.map_or(0, |at| self.total.saturating_sub(at))
    }

    pub fn freeze(&mut self) {
        if self.frozen.take().is_none() {
            self.frozen = Some(self.total);
        } else {
            self.stale = true;
        }
    }

    pub fn set_follow(&mut self, follow: bool) {
        if self.follow && !follow {
            self.top = self.shown().first().map_or(0, |line| line.number);
        }
        if follow {
            self.frozen = None;
            self.back = 0;
            self.stale = true;
        }
        self.follow = follow;
    }

    /// `true`: the verb was a motion.
    pub fn go(&mut self, verb: Do) -> bool {
        let page = self.height.max(1) as u64;
        let by: i64 = match verb {
            Do::Down => 1,
            Do::Up => -1,
            Do::HalfDown => (page / 2).max(1) as i64,
            Do::HalfUp => -((page / 2).max(1) as i64),
            Do::PageDown => page as i64,
            Do::PageUp => -(page as i64),
            Do::First => {
                self.set_follow(false);
                self.top = 0;
                self.back = MERGED;
                return true;
            }
            Do::Last => {
                self.set_follow(true);
                return true;
            }
            Do::Expand => {
                self.left = (self.left + 8).min(crate::model::output::LINE_LIMIT);
                return true;
            }
            Do::Collapse => {
                self.left = self.left.saturating_sub(8);
                return true;
            }
            _ => return false,
        };
        if self.run.is_none() {
            let most = (self.lines.len() as u64).saturating_sub(page).max(self.back).min(MERGED);
            self.follow = false;
            self.back = if by < 0 {
                (self.back + by.unsigned_abs()).min(most + page)
            } else {
                self.back.saturating_sub(by as u64)
            };
            self.follow = self.back == 0 && by > 0;
            return true;
        }
        if self.follow && by > 0 {
            return true;
        }
        self.set_follow(false);
        // In the lines at hand where possible: with one stream alone, numbers have gaps.
        let here = self.lines.partition_point(|line| line.number < self.top) as i64;
        let there = here + by;
        self.top = match usize::try_from(there).ok().and_then(|at| self.lines.get(at)) {
            Some(line) => line.number,
            None => self.top.saturating_add_signed(by),
        };
        self.clamp();
        true
    }

    /// Never past the last page.
    fn clamp(&mut self) {
        if self.which == Which::All {
            self.top = self.top.min(self.total.saturating_sub(self.height as u64));
        } else if self.reaches_end()
            && let Some(line) = self.lines.len().checked_sub(self.height).and_then(|at| self.lines.get(at))
        {
            self.top = self.top.min(line.number);
        } else if self.reaches_end() && self.reaches_start() {
            self.top = 0;
        }
    }

    fn reaches_end(&self) -> bool {
        self.answered.is_some_and(|ask| ask.from == Seek::End || self.lines.len() < ask.count)
    }

    fn reaches_start(&self) -> bool {
        self.answered.is_some_and(|ask| match ask.from {
            Seek::Line(n) => n == 0,
            Seek::End => self.lines.len() < ask.count,
        })
    }

    /// The lines on screen, of those at hand (before wrapping).
    pub fn shown(&self) -> &[Line] {
        let len = self.lines.len();
        let (from, to) = if self.run.is_none() {
            let to = len.saturating_sub(self.back as usize).max(self.height.min(len));
            (to.saturating_sub(self.height), to)
        } else if self.follow {
            (len.saturating_sub(self.height), len)
        } else {
            let from = self.lines.partition_point(|line| line.number < self.top);
            (from, (from + self.height).min(len))
        };
        &self.lines[from..to]
    }

    /// The end of the output is on screen.
    pub fn at_end(&self) -> bool {
        if self.run.is_none() {
            return self.back == 0;
        }
        self.follow || self.shown().last().is_none_or(|line| line.number + 1 >= self.total)
    }

    fn covered(&self) -> bool {
        let Some(answered) = self.answered else { return false };
        if self.run.is_none() {
            return self.lines.len() < answered.count || self.lines.len() as u64 >= self.back + self.height as u64;
        }
        if self.follow {
            return self.lines.len() >= self.height || self.lines.len() < answered.count;
        }
        let starts = match answered.from {
            Seek::Line(n) => n <= self.top,
            Seek::End => self.reaches_start() || self.lines.first().is_some_and(|line| line.number <= self.top),
        };
        starts && (self.shown().len() >= self.height || self.reaches_end())
    }

    /// What to ask for now, if anything, given the rows there are.
    pub fn settle(&mut self, height: usize) -> Option<Ask> {
        self.height = height.max(1);
        if self.asked.is_some() || (!self.stale && self.covered()) {
            return None;
        }
        let height = self.height;
        let (from, count) = match self.run {
            None => (Seek::End, (self.back as usize + 2 * height).min(MERGED as usize + height)),
            Some(_) if self.follow => (Seek::End, 2 * height),
            Some(_) => (Seek::Line(self.top.saturating_sub(height as u64)), 3 * height),
        };
        let ask = Ask { job: self.job, run: self.run, from, count, which: self.which };
        if !self.stale && self.answered == Some(ask) {
            return None; // It would say the same again.
        }
        self.asked = Some(ask);
        self.stale = false;
        Some(ask)
    }

    /// `true`: something on screen may have changed.
    pub fn answer(&mut self, ask: Ask, window: Result<Window, String>) -> bool {
        if self.asked != Some(ask) {
            return false;
        }
        self.asked = None;
        if (ask.job, ask.run, ask.which) != (self.job, self.run, self.which) {
            self.stale = true;
            return false;
        }
        match window {
            Ok(window) => {
                self.problem = None;
                self.lines = window.lines;
                self.total =
                    if self.which == Which::All { self.total.max(window.total_lines) } else { window.total_lines };
                self.bytes = self.bytes.max(window.total_bytes);
                self.ended = window.ended;
                self.answered = Some(ask);
                self.loaded = true;
                if self.run.is_none() {
                    self.back = self.back.min((self.lines.len() as u64).saturating_sub(self.height as u64));
                } else if !self.follow {
                    self.clamp();
                }
            }
            Err(problem) => {
                self.problem = Some(problem);
                self.answered = Some(ask);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::output::Stream;
    use jiff::Timestamp;

    /// The engine's side: a run of `total` lines.
    fn window(ask: Ask, total: u64) -> Window {
        let from = match ask.from {
            Seek::Line(n) => n,
            Seek::End => total.saturating_sub(ask.count as u64),
        };
        let lines = (from..total.min(from + ask.count as u64)).map(|number| Line {
            number,
            run: 0,
            stream: Stream::Out,
            at: Timestamp::UNIX_EPOCH,
            text: number.to_string(),
            cut: 0,
        });
        Window { lines: lines.collect(), total_lines: total, total_bytes: total * 8, ended: false }
    }

    fn fed(tail: &mut Tail, total: u64) -> usize {
        let mut asks = 0;
        while let Some(ask) = tail.settle(10) {
            asks += 1;
            assert!(asks < 5, "asks for ever");
            assert!(ask.count <= 30, "more than the screen needs");
            tail.answer(ask, Ok(window(ask, total)));
        }
        asks
    }

    fn first(tail: &Tail) -> u64 {
        tail.shown()[0].number
    }

    #[test]
    fn a_million_lines_are_read_by_line_page_and_ends() {
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, 1_000_000);
        assert_eq!((first(&tail), tail.at_end()), (999_990, true));
        tail.go(Do::Up);
        assert_eq!(fed(&mut tail, 1_000_000), 0, "one line up is at hand already");
        assert_eq!((first(&tail), tail.follow), (999_989, false));
        tail.go(Do::First);
        fed(&mut tail, 1_000_000);
        assert_eq!(first(&tail), 0);
        tail.go(Do::PageDown);
        fed(&mut tail, 1_000_000);
        assert_eq!(first(&tail), 10);
        tail.go(Do::Up);
        fed(&mut tail, 1_000_000);
        assert_eq!(first(&tail), 9);
        tail.go(Do::Last);
        fed(&mut tail, 1_000_000);
        assert_eq!((first(&tail), tail.follow), (999_990, true));
    }

    #[test]
    fn growth_is_asked_for_once_at_a_time() {
        let mut tail = Tail::new(1, Some(0));
        let ask = tail.settle(10).unwrap();
        for lines in 0..50 {
            tail.grown(0, lines, lines);
            assert_eq!(tail.settle(10), None, "one is in flight");
        }
        tail.answer(ask, Ok(window(ask, 20)));
        assert_eq!(fed(&mut tail, 50), 1, "what was missed is asked for once");
        assert_eq!(tail.shown().last().unwrap().number, 49);
        tail.grown(1, 99, 99);
        assert_eq!(tail.settle(10), None, "another run is not on screen");
    }

    #[test]
    fn a_frozen_view_counts_what_waits() {
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, 20);
        tail.freeze();
        tail.grown(0, 70, 700);
        assert_eq!(fed(&mut tail, 70), 0);
        assert_eq!((tail.waiting(), tail.shown().last().unwrap().number), (50, 19));
        tail.freeze();
        fed(&mut tail, 70);
        assert_eq!((tail.waiting(), tail.shown().last().unwrap().number), (0, 69));
    }

    #[test]
    fn an_answer_for_another_device_is_not_shown() {
        let mut tail = Tail::new(1, Some(0));
        let ask = tail.settle(10).unwrap();
        tail.show(Some(3));
        assert_eq!(tail.settle(10), None, "still one in flight");
        assert!(!tail.answer(ask, Ok(window(ask, 20))));
        assert!(tail.lines.is_empty());
        assert_eq!(tail.settle(10).unwrap().run, Some(3));
    }
}
