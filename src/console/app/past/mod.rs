//! A search over past jobs, and where a device, a target or a script was used: the question, what has been found so far,
//! and which of it is looked at. Owns no more rows than were asked for; the engine finds, the runtime carries it here
//! piece by piece, and what comes for an older question is dropped.

mod rows;
mod verbs;

use std::borrow::Cow;

use jiff::Timestamp;

pub use self::rows::Found;
pub use self::verbs::SEARCH;
use super::list::{Cursor, Look};
use crate::console::text;
use crate::model::past::{End, Hit, Mention, Past, Progress, Told};
use crate::model::wire::Problem;

/// What is found at most on a screen when nobody says how much; and what may be asked for.
const USUAL: usize = 1_000;
const MOST: usize = 20_000;

/// Searches that the way back leads through.
const KEPT: usize = 4;

/// Whether more may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Going,
    Ended(End),
    /// By the operator.
    Stopped,
    Failed(String),
}

#[derive(Debug)]
pub struct Seek {
    pub serial: u64,
    /// As it is written behind `search`.
    pub words: String,
    /// `Some`: what it is asked of, where that is all that is asked.
    pub where_used: Option<String>,
    pub asked: Past,
    pub hits: Vec<Hit>,
    pub mentions: Vec<Mention>,
    pub progress: Progress,
    pub state: State,
    pub cursor: Cursor,
    pub look: Look,
    /// Rows as shown.
    pub order: Vec<u32>,
    unsorted: bool,
    /// What was looked at when this was begun from it.
    pub before: Option<Box<Seek>>,
}

impl Seek {
    /// The way back, as far as it is worth its memory. What still went on there has been stopped by this one.
    fn keep(&mut self, before: Option<Box<Seek>>) {
        self.before = before;
        let (mut at, mut left) = (&mut self.before, KEPT);
        while let Some(seek) = at {
            if seek.going() {
                seek.state = State::Stopped;
            }
            if left == 0 {
                seek.before = None;
            }
            left = left.saturating_sub(1);
            at = &mut seek.before;
        }
    }

    fn new(serial: u64, words: String, where_used: Option<String>, asked: Past, columns: Vec<String>) -> Self {
        let limit = if asked.limit == crate::model::past::USUAL { USUAL } else { asked.limit.min(MOST) };
        let mut look = Look::default();
        look.columns = columns;
        Self {
            serial,
            words,
            where_used,
            asked: Past { limit, ..asked },
            hits: Vec::new(),
            mentions: Vec::new(),
            progress: Progress::default(),
            state: State::Going,
            cursor: Cursor::default(),
            look,
            order: Vec::new(),
            unsorted: true,
            before: None,
        }
    }

    /// Some of the answer has come.
    fn take(&mut self, answer: Result<Vec<Told>, Problem>) {
        if self.state != State::Going {
            return;
        }
        let told = match answer {
            Ok(told) => told,
            Err(problem) => {
                self.state = State::Failed(problem.error);
                return;
            }
        };
        for told in told {
            match told {
                Told::Hit(hit) => self.hits.push(*hit),
                Told::Mention(mention) => self.mentions.push(mention),
                Told::Progress(progress) => self.progress = progress,
                Told::End(end) => {
                    self.progress = end.progress;
                    self.state = end.problem.clone().map_or_else(|| State::Ended(end), State::Failed);
                }
            }
        }
        self.unsorted = true;
    }

    /// Other rows pass.
    pub fn sift(&mut self) {
        self.unsorted = true;
    }

    /// Puts the rows in order, before anything is drawn.
    pub fn settle(&mut self, now: Timestamp, height: usize) {
        if !std::mem::take(&mut self.unsorted) {
            return;
        }
        let rows = Found { all: &self.hits, now };
        let key = |row: usize| Cow::Owned(key(&self.hits[row]));
        self.look.changed();
        self.order = self.look.order(&rows, key, &mut self.cursor, height);
    }

    /// What is under the cursor.
    pub fn hit(&self) -> Option<&Hit> {
        self.hits.get(*self.order.get(self.cursor.at)? as usize)
    }

    pub fn moved(&mut self) {
        self.look.home = self.hit().map(key);
    }

    pub fn going(&self) -> bool {
        self.state == State::Going
    }

    /// `searching: 3,120 runs, 41 MB, back to 2026-11-02`, or how it ended.
    pub fn says(&self) -> String {
        let far = self.far();
        let found = |n: usize| text::number(n as u64, if self.asked.jobs { "job" } else { "run" });
        match &self.state {
            State::Going if far.is_empty() => "searching…".to_owned(),
            State::Going => format!("searching: {far}"),
            State::Stopped => format!("stopped: {far}"),
            State::Failed(_) => "it failed".to_owned(),
            State::Ended(end) if end.late => format!("given up, it took too long: {far}"),
            State::Ended(end) if end.more => format!("the newest {}: there is more", found(self.hits.len())),
            State::Ended(end) if end.unread > 0 => {
                format!("all; {} could not be read", text::number(end.unread, "output"))
            }
            State::Ended(_) => format!("all: {}", found(self.hits.len())),
        }
    }

    /// What has been looked at.
    pub fn far(&self) -> String {
        let Progress { runs, bytes, back_to, .. } = self.progress;
        let mut parts = Vec::new();
        if runs > 0 {
            parts.push(text::number(runs, "run"));
        }
        if bytes > 0 {
            parts.push(text::bytes(bytes));
        }
        if let Some(at) = back_to {
            parts.push(format!("back to {}", at.strftime("%Y-%m-%d")));
        }
        parts.join(", ")
    }
}

/// What a row is known by while others come.
pub fn key(hit: &Hit) -> String {
    format!("{}/{}", hit.job, hit.run)
}
