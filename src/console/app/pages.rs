//! A text to be read: what a command made of some output, or an output as what it is. Scrolls, wraps, is searched. Also the search in any text
//! that is at hand as lines (the preview has one too). Holds no more than it can show; where the text comes from is
//! the runtime's affair.

use regex::bytes::Regex;

use super::commands::Do;
use super::event::Feed;
use super::reader::Reader;
use crate::console::text;
use crate::model::search::Pattern;

/// Lines and bytes held; what comes after them is counted.
const LINES: usize = 100_000;
const BYTES: usize = 8 << 20;

#[derive(Debug)]
pub struct Pages {
    /// Which command this is, for its answers.
    pub serial: u64,
    /// What was run.
    pub command: String,
    pub lines: Vec<String>,
    bytes: usize,
    /// Bytes that were not kept.
    pub cut: u64,
    /// How it ended; `None`: it goes on.
    pub ended: Option<String>,
    pub top: usize,
    pub left: usize,
    pub wrap: bool,
    pub search: Option<Search>,
    /// An output is being read, no command runs.
    pub reads: bool,
    /// What it is made of, once it is here.
    pub reader: Option<Box<Reader>>,
}

impl Pages {
    pub fn new(serial: u64, command: &str) -> Self {
        Self {
            serial,
            command: command.to_owned(),
            lines: Vec::new(),
            bytes: 0,
            cut: 0,
            ended: None,
            top: 0,
            left: 0,
            wrap: false,
            search: None,
            reads: false,
            reader: None,
        }
    }

    /// More of its output; pieces may end anywhere.
    pub fn push(&mut self, piece: &str) {
        if self.bytes + piece.len() > BYTES || self.lines.len() >= LINES {
            self.cut += piece.len() as u64;
            return;
        }
        self.bytes += piece.len();
        let mut parts = piece.split('\n');
        let first = parts.next().unwrap_or_default();
        match self.lines.last_mut() {
            Some(open) => open.push_str(first),
            None => self.lines.push(first.to_owned()),
        }
        self.lines.extend(parts.map(str::to_owned));
        if let Some(search) = &mut self.search {
            search.look(&self.lines);
        }
    }

    pub fn end(&mut self, how: String) {
        if self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.ended = Some(how);
    }

    /// All of it, for copying and for the pager.
    pub fn feed(&self) -> Feed {
        Feed::Text(self.lines.iter().map(|line| text::plain(line) + "\n").collect())
    }

    /// `true`: the verb was a motion, or changed how it is shown.
    pub fn go(&mut self, verb: Do, height: usize) -> bool {
        let last = self.lines.len().saturating_sub(height);
        let top = self.top.min(last);
        self.top = match verb {
            Do::Down => top + 1,
            Do::Up => top.saturating_sub(1),
            Do::HalfDown => top + (height / 2).max(1),
            Do::HalfUp => top.saturating_sub((height / 2).max(1)),
            Do::PageDown => top + height,
            Do::PageUp => top.saturating_sub(height),
            Do::First => 0,
            Do::Last => last,
            Do::Expand => {
                self.left += 8;
                top
            }
            Do::Collapse => {
                self.left = self.left.saturating_sub(8);
                top
            }
            Do::Wrap => {
                self.wrap = !self.wrap;
                top
            }
            _ => return false,
        }
        .min(last);
        true
    }

    /// Scrolls to the hit one stands on.
    pub fn show_hit(&mut self, height: usize) {
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.top = shown_from(self.top, line, height);
        }
    }
}

/// The first line to show, so that `line` is on screen.
pub fn shown_from(top: usize, line: usize, height: usize) -> usize {
    if (top..top + height.max(1)).contains(&line) { top } else { line.saturating_sub(height / 3) }
}

/// A search in lines that are at hand.
#[derive(Debug)]
pub struct Search {
    pub pattern: Pattern,
    pub matcher: Option<Regex>,
    pub problem: Option<String>,
    /// Lines that match.
    pub hits: Vec<usize>,
    /// Which of them one stands on.
    at: Option<usize>,
    /// Lines looked at.
    seen: usize,
}

impl Search {
    /// From this line on, round the end.
    pub fn new(pattern: Pattern, lines: &[String], from: usize) -> Self {
        let (matcher, problem) = match pattern.compile() {
            Ok(matcher) => (Some(matcher), None),
            Err(problem) => (None, Some(problem)),
        };
        let mut search = Self { pattern, matcher, problem, hits: Vec::new(), at: None, seen: 0 };
        search.look(lines);
        if !search.hits.is_empty() {
            let next = search.hits.partition_point(|line| *line < from);
            search.at = Some(if next < search.hits.len() { next } else { 0 });
        }
        search
    }

    /// Another text in the same place.
    pub fn again(&mut self, lines: &[String]) {
        (self.seen, self.at) = (0, None);
        self.hits.clear();
        self.look(lines);
    }

    fn look(&mut self, lines: &[String]) {
        let Some(matcher) = &self.matcher else { return };
        // the last line may still grow
        self.hits.pop_if(|line| *line + 1 >= self.seen);
        let from = self.seen.saturating_sub(1).min(lines.len());
        let found = lines.iter().enumerate().skip(from).filter(|(_, line)| matcher.is_match(line.as_bytes()));
        self.hits.extend(found.map(|(n, _)| n));
        self.seen = lines.len();
    }

    pub fn step(&mut self, back: bool) {
        let len = self.hits.len();
        if len > 0 {
            self.at = Some(match (self.at, back) {
                (None, false) => 0,
                (None, true) => len - 1,
                (Some(at), false) => (at + 1) % len,
                (Some(at), true) => (at + len - 1) % len,
            });
        }
    }

    /// The line one stands on.
    pub fn line(&self) -> Option<usize> {
        self.hits.get(self.at?).copied()
    }

    /// `3 of 118`
    pub fn count(&self) -> String {
        let found = text::count(self.hits.len() as u64);
        match (&self.problem, self.at) {
            (Some(problem), _) => text::plain(problem),
            (None, _) if self.hits.is_empty() => "no match".to_owned(),
            (None, Some(at)) => format!("{} of {found}", text::count(at as u64 + 1)),
            (None, None) => format!("{found} line{} match", if self.hits.len() == 1 { "" } else { "s" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_wherever_they_were_cut() {
        let mut pages = Pages::new(1, "x");
        for piece in ["on", "e\ntw", "o\n", "three\n"] {
            pages.push(piece);
        }
        pages.end("exit 0".into());
        assert_eq!(pages.lines, ["one", "two", "three"]);
    }

    #[test]
    fn more_than_can_be_read_is_counted_not_kept() {
        let mut pages = Pages::new(1, "yes");
        let piece = "y\n".repeat(1 << 19);
        for _ in 0..20 {
            pages.push(&piece);
        }
        assert!(pages.lines.len() <= LINES + (1 << 19) && pages.cut > 0);
    }

    #[test]
    fn a_search_goes_round_and_follows_a_text_that_grows() {
        let mut pages = Pages::new(1, "x");
        pages.push("a\nb\na\nc");
        pages.search = Some(Search::new(Pattern::typed("a").unwrap(), &pages.lines, 1));
        let mut search = pages.search.take().unwrap();
        assert_eq!((search.line(), search.count()), (Some(2), "2 of 2".to_owned()));
        search.step(false);
        assert_eq!(search.line(), Some(0));
        pages.search = Some(search);
        pages.push("a\na");
        let search = pages.search.as_mut().unwrap();
        assert_eq!(search.hits, [0, 2, 3, 4]);
        search.step(true);
        assert_eq!(search.line(), Some(4));
    }
}
