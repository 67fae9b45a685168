//! The window on a run's output, or on the merged output of a job; all lines, or only those that match. Holds the
//! lines around what is shown and nothing else: memory follows the screen. Asks for one window at a time; what was
//! missed meanwhile is asked for when the answer is there.

use regex::bytes::Regex;

use super::commands::Do;
use super::event::{Ask, Whose};
use super::find::{Find, Scope};
use crate::model::job::JobId;
use crate::model::output::{Line, Matching, Place, Seek, Which, Window};
use crate::model::search::Pattern;

/// Lines of a window at most, whatever the keys asked for.
const MOST: usize = 2_000;

#[derive(Debug)]
pub struct Tail {
    pub job: JobId,
    /// `None`: all devices, in order of arrival.
    pub run: Option<u32>,
    pub which: Which,
    pub follow: bool,
    /// The line that everything else stands around, unless following. `None`: the first one.
    anchor: Option<Place>,
    /// Rows that it stands below the top.
    above: usize,
    /// Lines that the keys have moved on beyond the window at hand.
    owed: i64,
    /// Columns scrolled to the right.
    pub left: usize,
    pub wrap: bool,
    pub times: bool,
    pub lines: Vec<Line>,
    /// There is nothing before the first of them, nothing behind the last.
    starts: bool,
    ends: bool,
    /// Lines and bytes so far.
    pub total: u64,
    pub bytes: u64,
    pub ended: bool,
    pub loaded: bool,
    pub problem: Option<String>,
    /// Frozen when there were so many lines.
    pub frozen: Option<u64>,
    pub filter: Option<Filter>,
    /// What `/` looks for, and what `e` does.
    pub find: Option<Find>,
    pub errors: Option<Find>,
    asked: Option<Ask>,
    answered: Option<Ask>,
    /// There is more than the window shows.
    stale: bool,
    /// Rows for lines, as of the last [`Tail::settle`].
    pub height: usize,
}

/// Only lines that match are shown.
#[derive(Debug)]
pub struct Filter {
    pub pattern: Pattern,
    pub matcher: Option<Regex>,
    pub problem: Option<String>,
    pub matching: Option<Matching>,
}

impl Tail {
    pub fn new(job: JobId, run: Option<u32>) -> Self {
        Self {
            job,
            run,
            which: Which::All,
            follow: true,
            anchor: None,
            above: 0,
            owed: 0,
            left: 0,
            wrap: false,
            times: true,
            lines: Vec::new(),
            starts: false,
            ends: false,
            total: 0,
            bytes: 0,
            ended: false,
            loaded: false,
            problem: None,
            frozen: None,
            filter: None,
            find: None,
            errors: None,
            asked: None,
            answered: None,
            stale: true,
            height: 1,
        }
    }

    /// Another device, or all. What is looked for stays the same.
    pub fn show(&mut self, run: Option<u32>) {
        if self.run == run {
            return;
        }
        let filter = self.filter.take().map(|filter| Filter { matching: None, ..filter });
        *self = Self {
            which: self.which,
            wrap: self.wrap,
            times: self.times,
            height: self.height,
            asked: self.asked.take(),
            find: self.find.as_ref().map(Find::anew),
            filter,
            ..Self::new(self.job, run)
        };
    }

    /// Other streams, at the same place.
    pub fn select(&mut self, which: Which) {
        if self.which != which {
            self.which = which;
            self.other_lines();
        }
    }

    /// Only lines that match, or all again; at the same place.
    pub fn set_filter(&mut self, pattern: Option<Pattern>) {
        self.filter = pattern.map(|pattern| {
            let (matcher, problem) = match pattern.compile() {
                Ok(matcher) => (Some(matcher), None),
                Err(problem) => (None, Some(problem)),
            };
            Filter { pattern, matcher, problem, matching: None }
        });
        self.other_lines();
    }

    /// The lines at hand are no longer those that are wanted.
    fn other_lines(&mut self) {
        if !self.follow && self.anchor.is_none() {
            self.anchor = self.shown().first().map(Line::place);
        }
        self.find = self.find.as_ref().map(Find::anew);
        self.errors = None;
        self.forget();
    }

    /// Asks again for everything (another engine, other streams).
    pub fn forget(&mut self) {
        self.lines.clear();
        self.answered = None;
        self.loaded = false;
        self.frozen = None;
        self.problem = None;
        self.stale = true;
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        self.asked = None;
        self.stale = true;
        for find in [&mut self.find, &mut self.errors].into_iter().flatten() {
            find.reset();
        }
    }

    /// A run has more output.
    pub fn grown(&mut self, run: u32, lines: u64, bytes: u64) {
        match self.run {
            Some(mine) if mine != run => return,
            Some(_) => {
                self.bytes = self.bytes.max(bytes);
                self.total = self.total.max(lines);
            }
            None => {}
        }
        for find in [&mut self.find, &mut self.errors].into_iter().flatten() {
            find.grown();
        }
        if self.frozen.is_none() {
            self.ends = false;
            self.stale |= self.follow || self.shown().len() < self.height;
        }
    }

    /// All runs together have so many lines and bytes.
    pub fn grown_to(&mut self, lines: u64, bytes: u64) {
        if self.run.is_none() {
            (self.total, self.bytes) = (self.total.max(lines), self.bytes.max(bytes));
        }
    }

    /// The run (or job) changed state: its last lines may not have been announced.
    pub fn touched(&mut self) {
        if self.frozen.is_none() {
            self.stale = true;
        }
        for find in [&mut self.find, &mut self.errors].into_iter().flatten() {
            find.grown();
        }
    }

    /// Lines that came since the view was frozen, or since it stopped following.
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
            (self.anchor, self.above) = (self.shown().first().map(Line::place), 0);
        }
        if follow {
            self.frozen = None;
            self.owed = 0;
            self.stale = true;
        }
        self.follow = follow;
    }

    /// `true`: the verb was a motion.
    pub fn go(&mut self, verb: Do) -> bool {
        let page = self.height.max(1) as i64;
        let by = match verb {
            Do::Down => 1,
            Do::Up => -1,
            Do::HalfDown => (page / 2).max(1),
            Do::HalfUp => -(page / 2).max(1),
            Do::PageDown => page,
            Do::PageUp => -page,
            Do::First => {
                self.follow = false;
                self.owed = 0;
                (self.anchor, self.above) = (self.lines.first().filter(|_| self.starts).map(Line::place), 0);
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
        if !(self.follow && by > 0) {
            self.move_by(by);
        }
        true
    }

    /// In the lines at hand as far as they go; the rest when more of them are here.
    fn move_by(&mut self, by: i64) {
        let there = self.top() as i64 + by;
        let last = self.lines.len().saturating_sub(self.height) as i64;
        let to = there.clamp(0, last);
        let beyond = there - to;
        if (beyond < 0 && !self.starts) || (beyond > 0 && !self.ends) {
            let most = MOST as i64 / 2;
            self.owed = (self.owed + beyond).clamp(-most, most);
        }
        self.follow = false;
        if let Some(line) = self.lines.get(to as usize) {
            (self.anchor, self.above) = (Some(line.place()), 0);
        }
    }

    /// Shows this line, with some before it.
    pub fn show_line(&mut self, line: &Line) {
        let place = line.place();
        let seen = self.shown().iter().any(|line| line.place() == place);
        self.set_follow(false);
        self.owed = 0;
        if !seen {
            (self.anchor, self.above) = (Some(place), self.height / 3);
        }
    }

    /// Puts the view back where it was: at this line, or following.
    pub fn restore(&mut self, at: Option<Place>) {
        self.set_follow(at.is_none());
        (self.anchor, self.above) = (at, 0);
    }

    /// Where the view is; `None`: at the end, following.
    pub fn place(&self) -> Option<Place> {
        if self.follow { None } else { self.shown().first().map(Line::place).or(self.anchor) }
    }

    /// The line that the last search for a match or an error led to.
    pub fn current(&self) -> Option<Place> {
        let of = |find: &Option<Find>| find.as_ref().and_then(|find| find.current).map(|(place, _)| place);
        of(&self.find).or(of(&self.errors))
    }

    /// First line on screen, of those at hand.
    fn top(&self) -> usize {
        let last = self.lines.len().saturating_sub(self.height);
        if self.follow {
            return last;
        }
        let stands = |anchor: Place| self.lines.iter().position(|line| line.place() == anchor);
        let top = self.anchor.and_then(stands).map_or(0, |at| at.saturating_sub(self.above));
        top.min(last)
    }

    /// The lines on screen, of those at hand (before wrapping).
    pub fn shown(&self) -> &[Line] {
        let from = self.top();
        &self.lines[from..(from + self.height).min(self.lines.len())]
    }

    /// Number of the first line on screen among those that match.
    pub fn rank(&self) -> Option<u64> {
        let matching = self.filter.as_ref()?.matching?;
        Some(matching.first + self.top() as u64)
    }

    /// The end of the output is on screen.
    pub fn at_end(&self) -> bool {
        self.follow || (self.ends && self.top() + self.height >= self.lines.len())
    }

    /// The screen is filled, and half of one more in both directions is at hand.
    fn covered(&self) -> bool {
        if self.answered.is_none() || self.owed != 0 {
            return false;
        }
        if self.follow {
            return self.lines.len() >= self.height || self.starts;
        }
        let here = match self.anchor {
            Some(anchor) => self.lines.iter().any(|line| line.place() == anchor),
            None => self.starts,
        };
        let (from, margin) = (self.top(), self.height / 2);
        let behind = self.lines.len() - (from + self.height).min(self.lines.len());
        here && (from >= margin || self.starts) && (behind >= margin || self.ends)
    }

    /// Lines are on their way.
    pub fn waits(&self) -> bool {
        self.asked.is_some()
    }

    fn scope(&self) -> Scope {
        Scope { job: self.job, run: self.run, which: self.which }
    }

    /// What to ask for now, given the rows there are.
    pub fn settle(&mut self, height: usize) -> Vec<Ask> {
        self.height = height.max(1);
        let mut asks: Vec<Ask> = self.window_ask().into_iter().collect();
        let scope = self.scope();
        for find in [&mut self.find, &mut self.errors].into_iter().flatten() {
            asks.extend(find.settle(&scope));
        }
        asks
    }

    fn window_ask(&mut self) -> Option<Ask> {
        let searching = self.filter.as_ref().is_some_and(|filter| filter.matching.is_some_and(|found| !found.done));
        let wanted = self.stale || searching || !self.covered();
        if self.asked.is_some() || !wanted || self.filter.as_ref().is_some_and(|filter| filter.problem.is_some()) {
            return None;
        }
        let owed = usize::try_from(self.owed.unsigned_abs()).unwrap_or(MOST);
        let (seek, before, count) = match self.anchor {
            _ if self.follow => (Seek::End, 2 * self.height, 0),
            None => (Seek::Start, 0, 2 * self.height + owed),
            Some(anchor) => {
                let (back, on) = if self.owed < 0 { (owed, 0) } else { (0, owed) };
                (Seek::Around(anchor), self.height + self.above + back, 2 * self.height + on)
            }
        };
        let ask = Ask {
            whose: Whose::Window,
            job: self.job,
            run: self.run,
            which: self.which,
            seek,
            before: before.min(MOST),
            count: count.min(MOST),
            pattern: self.filter.as_ref().map(|filter| filter.pattern.clone()),
        };
        if !self.stale && !searching && self.answered.as_ref() == Some(&ask) {
            return None; // It would say the same again.
        }
        self.asked = Some(ask.clone());
        self.stale = false;
        Some(ask)
    }

    /// `true`: something on screen may have changed.
    pub fn answer(&mut self, ask: &Ask, window: Result<Window, String>) -> bool {
        let scope = self.scope();
        let find = match ask.whose {
            Whose::Window => return self.window(ask, window),
            Whose::Search => &mut self.find,
            Whose::Errors => &mut self.errors,
        };
        let Some(find) = find else { return false };
        if let Some(line) = find.answer(ask, &scope, window) {
            self.show_line(&line);
        }
        true
    }

    fn window(&mut self, ask: &Ask, window: Result<Window, String>) -> bool {
        if self.asked.as_ref() != Some(ask) {
            return false;
        }
        self.asked = None;
        let pattern = self.filter.as_ref().map(|filter| &filter.pattern);
        if (ask.job, ask.run, ask.which, ask.pattern.as_ref()) != (self.job, self.run, self.which, pattern) {
            self.stale = true;
            return false;
        }
        self.answered = Some(ask.clone());
        let window = match window {
            Ok(window) => window,
            Err(problem) => {
                self.problem = Some(problem);
                return true;
            }
        };
        self.problem = None;
        (self.starts, self.ends) = (window.starts, window.ends);
        self.total = self.total.max(window.total_lines);
        self.bytes = self.bytes.max(window.total_bytes);
        self.ended = window.ended;
        self.loaded = true;
        self.lines = window.lines;
        if let Some(filter) = &mut self.filter {
            filter.matching = window.matching;
        }
        if !self.follow {
            // (what one has gone on from is not waited for: the lines around where one is now are asked for next)
            let asked = self.anchor.filter(|anchor| ask.seek == Seek::Around(*anchor));
            if asked.is_some_and(|anchor| self.lines.iter().all(|line| line.place() != anchor)) {
                // that line is not among these (another stream, a filter): the next one is
                let next = self.lines.get(window.back).or(self.lines.last());
                self.anchor = next.map(Line::place).or(self.anchor);
            }
            let owed = std::mem::take(&mut self.owed);
            if owed != 0 {
                self.move_by(owed);
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

    fn line(number: u64) -> Line {
        let text = number.to_string();
        Line { number, run: 0, stream: Stream::Out, at: Timestamp::UNIX_EPOCH, text, cut: 0 }
    }

    /// The engine's side: a run of `total` lines, numbers ending in 7 match any pattern.
    fn window(ask: &Ask, total: u64) -> Window {
        let all: Vec<Line> = (0..total).filter(|number| ask.pattern.is_none() || number % 10 == 7).map(line).collect();
        let window = Window::of(&all, ask.seek, ask.before, ask.count);
        let first = window.lines.first().map_or(0, |first| all.partition_point(|line| line.number < first.number));
        let matching = Matching { lines: all.len() as u64, first: first as u64, done: true, ..Matching::default() };
        Window {
            total_lines: total,
            total_bytes: total * 8,
            matching: ask.pattern.as_ref().map(|_| matching),
            ..window
        }
    }

    fn fed(tail: &mut Tail, total: u64) -> usize {
        let mut asks = 0;
        loop {
            let wanted = tail.settle(10);
            if wanted.is_empty() {
                return asks;
            }
            for ask in wanted {
                asks += 1;
                assert!(asks < 9, "asks for ever");
                assert!(ask.before + ask.count <= 60, "more than the screen needs: {ask:?}");
                tail.answer(&ask, Ok(window(&ask, total)));
            }
        }
    }

    fn first(tail: &Tail) -> u64 {
        tail.shown()[0].number
    }

    #[test]
    fn a_million_lines_are_read_by_line_page_and_ends() {
        const ALL: u64 = 30_000;
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, ALL);
        assert_eq!((first(&tail), tail.at_end()), (ALL - 10, true));
        tail.go(Do::Up);
        assert_eq!(fed(&mut tail, ALL), 0, "one line up is at hand already");
        assert_eq!((first(&tail), tail.follow), (ALL - 11, false));
        for _ in 0..3 {
            tail.go(Do::PageUp);
        }
        fed(&mut tail, ALL);
        assert_eq!(first(&tail), ALL - 41, "keys faster than answers are not lost");
        tail.go(Do::First);
        fed(&mut tail, ALL);
        assert_eq!(first(&tail), 0);
        tail.go(Do::Up);
        tail.go(Do::PageDown);
        fed(&mut tail, ALL);
        assert_eq!(first(&tail), 10);
        tail.go(Do::Up);
        fed(&mut tail, ALL);
        assert_eq!(first(&tail), 9);
        tail.go(Do::Last);
        fed(&mut tail, ALL);
        assert_eq!((first(&tail), tail.follow), (ALL - 10, true));
    }

    #[test]
    fn lines_that_come_late_do_not_hold_whoever_has_gone_on() {
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, 30_000);
        tail.show_line(&line(5_000));
        let late = tail.settle(10).remove(0);
        tail.show_line(&line(9_000));
        tail.answer(&late, Ok(window(&late, 30_000)));
        fed(&mut tail, 30_000);
        assert!(tail.shown().iter().any(|line| line.number == 9_000), "{}", first(&tail));
    }

    #[test]
    fn growth_is_asked_for_once_at_a_time() {
        let mut tail = Tail::new(1, Some(0));
        let ask = tail.settle(10).remove(0);
        for lines in 0..50 {
            tail.grown(0, lines, lines);
            assert_eq!(tail.settle(10), [], "one is in flight");
        }
        tail.answer(&ask, Ok(window(&ask, 20)));
        assert_eq!(fed(&mut tail, 50), 1, "what was missed is asked for once");
        assert_eq!(tail.shown().last().unwrap().number, 49);
        tail.grown(1, 99, 99);
        assert_eq!(tail.settle(10), [], "another run is not on screen");
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
        let ask = tail.settle(10).remove(0);
        tail.show(Some(3));
        assert_eq!(tail.settle(10), [], "still one in flight");
        assert!(!tail.answer(&ask, Ok(window(&ask, 20))));
        assert!(tail.lines.is_empty());
        assert_eq!(tail.settle(10)[0].run, Some(3));
    }

    #[test]
    fn a_filter_keeps_the_place_and_says_how_much_it_hides() {
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, 1000);
        tail.go(Do::First);
        fed(&mut tail, 1000);
        for _ in 0..10 {
            tail.go(Do::PageDown);
            fed(&mut tail, 1000);
        }
        assert_eq!(first(&tail), 100);
        tail.set_filter(Pattern::typed("7"));
        fed(&mut tail, 1000);
        assert_eq!((first(&tail), tail.rank()), (107, Some(10)));
        assert_eq!(tail.filter.as_ref().unwrap().matching.unwrap().lines, 100);
        tail.set_filter(None);
        fed(&mut tail, 1000);
        assert_eq!(first(&tail), 107);
    }

    #[test]
    fn a_search_steps_both_ways_and_round_the_ends() {
        let mut tail = Tail::new(1, Some(0));
        fed(&mut tail, 1000);
        let mut find = Find::new(Pattern::typed("7").unwrap(), Whose::Search);
        find.from(tail.shown().first().map(Line::place));
        tail.find = Some(find);
        fed(&mut tail, 1000);
        let current = |tail: &Tail| tail.find.as_ref().unwrap().current.map(|(place, rank)| (place.line, rank));
        assert_eq!(current(&tail), Some((997, 99)));
        let step = |tail: &mut Tail, back: bool| {
            tail.find.as_mut().unwrap().step(back, None);
            fed(tail, 1000);
        };
        step(&mut tail, false);
        assert_eq!((current(&tail), tail.find.as_ref().unwrap().said.is_some()), (Some((7, 0)), true));
        assert!(tail.shown().iter().any(|line| line.number == 7), "it is on screen");
        step(&mut tail, false);
        assert_eq!(current(&tail), Some((17, 1)));
        let find = tail.find.as_mut().unwrap();
        (0..2).for_each(|_| find.step(true, None)); // two keys before the first is answered
        fed(&mut tail, 1000);
        assert_eq!((current(&tail), tail.find.as_ref().unwrap().count()), (Some((997, 99)), "100 of 100".to_owned()));
    }
}
