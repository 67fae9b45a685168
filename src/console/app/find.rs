//! A search in outputs that are too large to hold: what is looked for, how far the engine has come, and the hit one
//! stands on. Asks for one thing at a time; where the lines are shown is the tail's affair.

use regex::bytes::Regex;

use super::event::{Ask, Whose};
use crate::model::output::{Line, Matching, Place, Seek, Window};
use crate::model::search::Pattern;

#[derive(Debug)]
pub struct Find {
    pub pattern: Pattern,
    /// For showing where it stands in a line.
    pub matcher: Option<Regex>,
    pub problem: Option<String>,
    pub matching: Option<Matching>,
    /// The hit one stands on, and its number.
    pub current: Option<(Place, u64)>,
    /// Said once: the search went round, or found nothing.
    pub said: Option<&'static str>,
    whose: Whose,
    want: Option<Want>,
    /// Steps that were asked for while one was still being looked for; negative: back.
    owed: i32,
    asked: Option<Ask>,
    /// There is more than has been looked through.
    stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Want {
    seek: Seek,
    back: bool,
    /// Already round the end once.
    round: bool,
}

/// Where a search looks, as the tail has it.
#[derive(Clone, Debug)]
pub struct Scope {
    pub job: crate::model::job::JobId,
    pub run: Option<u32>,
    pub which: crate::model::output::Which,
}

impl Find {
    pub fn new(pattern: Pattern, whose: Whose) -> Self {
        let (matcher, problem) = match pattern.compile() {
            Ok(matcher) => (Some(matcher), None),
            Err(problem) => (None, Some(problem)),
        };
        Self {
            pattern,
            matcher,
            problem,
            matching: None,
            current: None,
            said: None,
            whose,
            want: None,
            owed: 0,
            asked: None,
            stale: true,
        }
    }

    /// The same in another output.
    pub fn anew(&self) -> Self {
        Self::new(self.pattern.clone(), self.whose)
    }

    /// To the first hit at this place or behind it.
    pub fn from(&mut self, place: Option<Place>) {
        self.want = Some(Want { seek: place.map_or(Seek::Start, Seek::Around), back: false, round: false });
    }

    /// To the next hit, or the one before; `here`: where one is if no hit is chosen.
    pub fn step(&mut self, back: bool, here: Option<Place>) {
        self.said = None;
        if self.looking() {
            self.owed += if back { -1 } else { 1 };
            return;
        }
        let seek = match (self.current, back) {
            (Some((place, _)), false) => Seek::Around(Place { line: place.line + 1, ..place }),
            (Some((place, _)), true) => Seek::Around(place),
            (None, _) => here.map_or(if back { Seek::End } else { Seek::Start }, Seek::Around),
        };
        self.want = Some(Want { seek, back, round: false });
    }

    pub fn grown(&mut self) {
        self.stale = true;
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        (self.asked, self.stale) = (None, true);
    }

    /// A hit is being looked for.
    pub fn looking(&self) -> bool {
        self.want.is_some() && self.problem.is_none()
    }

    pub fn settle(&mut self, scope: &Scope) -> Option<Ask> {
        if self.asked.is_some() || self.problem.is_some() {
            return None;
        }
        let (seek, before, count) = match self.want {
            Some(want) => (want.seek, usize::from(want.back), usize::from(!want.back)),
            None if self.stale || self.matching.is_none_or(|matching| !matching.done) => (Seek::Start, 0, 0),
            None => return None,
        };
        self.stale = false;
        let ask = Ask {
            whose: self.whose,
            job: scope.job,
            run: scope.run,
            which: scope.which,
            seek,
            before,
            count,
            pattern: Some(self.pattern.clone()),
        };
        self.asked = Some(ask.clone());
        Some(ask)
    }

    /// The hit to go to, when it has been found.
    pub fn answer(&mut self, ask: &Ask, scope: &Scope, window: Result<Window, String>) -> Option<Line> {
        if self.asked.as_ref() != Some(ask) {
            return None;
        }
        self.asked = None;
        if (ask.job, ask.run, ask.which) != (scope.job, scope.run, scope.which) {
            self.stale = true;
            return None;
        }
        let window = match window {
            Ok(window) => window,
            Err(problem) => {
                (self.problem, self.want) = (Some(problem), None);
                return None;
            }
        };
        let matching = window.matching.unwrap_or_default();
        self.matching = Some(matching);
        let want = self.want?;
        if ask.seek != want.seek || (ask.before > 0) != want.back || ask.before + ask.count == 0 {
            return None; // another key came meanwhile
        }
        // a run is searched from its beginning: what was found ahead in one run is the next one, whatever comes later
        let settled = matching.done || (!want.back && scope.run.is_some());
        match window.lines.into_iter().next() {
            Some(line) if settled => {
                self.want = None;
                self.current = Some((line.place(), matching.first));
                match std::mem::take(&mut self.owed) {
                    0 => {}
                    owed => {
                        self.step(owed < 0, None);
                        self.owed = owed - owed.signum();
                    }
                }
                Some(line)
            }
            None if matching.done && !want.round && matching.lines > 0 => {
                let seek = if want.back { Seek::End } else { Seek::Start };
                self.said = Some(if want.back {
                    "past the first match: on from the end"
                } else {
                    "past the last match: on from the beginning"
                });
                self.want = Some(Want { seek, round: true, ..want });
                None
            }
            None if matching.done => {
                (self.want, self.current, self.owed) = (None, None, 0);
                None
            }
            _ => None,
        }
    }

    /// `3 of 118`, `searching 40%`, what is wrong.
    pub fn count(&self) -> String {
        use crate::console::text;
        if let Some(problem) = &self.problem {
            return text::plain(problem);
        }
        let Some(matching) = self.matching else { return "searching…".to_owned() };
        let found = text::count(matching.lines);
        match (self.current, matching.done) {
            (_, false) => {
                let percent = matching.searched * 100 / matching.total.max(1);
                format!("{found} so far, {percent}% searched")
            }
            (_, true) if matching.lines == 0 => "no match".to_owned(),
            (Some((_, rank)), true) => format!("{} of {found}", text::count(rank + 1)),
            (None, true) => format!("{found} match{}", if matching.lines == 1 { "" } else { "es" }),
        }
    }
}
