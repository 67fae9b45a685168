//! Find and replace within the script, and the bar in which they, a line's number and vi's commands are typed.

use regex::{Regex, RegexBuilder};

use super::Editor;
use crate::console::app::form::Text;
use crate::console::editor::buffer::{Full, Kind, Pos, pos};
use crate::console::editor::cells;

/// Matches counted at most; more are said to be more.
const COUNTED: usize = 100_000;
/// A compiled expression may take so much memory.
const REGEX: usize = 1 << 20;

/// What is typed at the foot of the screen.
#[derive(Debug)]
pub enum Bar {
    Find(Find),
    Goto(Text),
    /// vi's `:`.
    Ex(Text),
}

#[derive(Debug)]
pub struct Find {
    pub find: Text,
    /// Open when it is a replacement.
    pub replace: Option<Text>,
    /// The replacement is being written.
    pub second: bool,
    /// Where the operator was.
    origin: Pos,
    /// Only these rows: they were selected.
    pub within: Option<(usize, usize)>,
}

/// What is looked for, beyond the bar: `n` and alt-w go on with it.
#[derive(Debug, Default)]
pub struct Search {
    pub pattern: String,
    pub regex: bool,
    /// Capitals count. Otherwise they count only if the pattern has some.
    pub exact: bool,
    compiled: Option<Regex>,
    pub problem: Option<String>,
    /// Matches in the text, and the bytes of each: as of the last count.
    pub total: Option<usize>,
    /// Which of them the cursor is on, from 1.
    pub current: usize,
    /// What the last replacement did.
    pub said: Option<String>,
}

impl Search {
    fn compile(&mut self) {
        (self.compiled, self.problem, self.total) = (None, None, None);
        if self.pattern.is_empty() {
            return;
        }
        let source = if self.regex { self.pattern.clone() } else { regex::escape(&self.pattern) };
        let loud = self.exact || self.pattern.chars().any(char::is_uppercase);
        match RegexBuilder::new(&source).case_insensitive(!loud).size_limit(REGEX).build() {
            Ok(regex) => self.compiled = Some(regex),
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                self.problem = Some(last.strip_prefix("error: ").unwrap_or(last).to_owned());
            }
        }
    }

    /// The text has changed: the count is of another one.
    pub(super) fn stale(&mut self) {
        self.total = None;
    }

    /// Matches of a line, in bytes. An empty one is nothing to go to.
    pub fn matches<'a>(&'a self, line: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        self.compiled
            .iter()
            .flat_map(move |regex| regex.find_iter(line))
            .filter(|found| !found.is_empty())
            .map(|found| found.range())
    }
}

impl Editor {
    pub(super) fn open_find(&mut self, replace: bool) {
        let origin = self.buffer.cursor();
        let selection = self.buffer.selection();
        // A selected word is what to look for; selected lines are where.
        let (word, within) = match selection {
            Some((from, to)) if from.row == to.row => (Some(self.buffer.text(from, to)), None),
            Some(_) if replace => (None, Some(self.rows())),
            _ => (None, None),
        };
        let begin = selection.map_or(origin, |(from, _)| from);
        if let Some(word) = &word {
            self.buffer.go(begin, false);
            self.search.pattern.clone_from(word);
            self.search.regex = false;
        }
        self.search.said = None;
        let find = Text::new(&self.search.pattern);
        let replace = replace.then(Text::default);
        self.bar = Some(Bar::Find(Find { find, replace, second: false, origin: begin, within }));
        self.search.compile();
        self.count();
    }

    /// The pattern was typed at, or what it means was turned.
    pub(super) fn pattern_changed(&mut self) {
        let Some(Bar::Find(find)) = &self.bar else { return };
        let origin = find.origin;
        self.search.pattern = find.find.text().to_owned();
        self.search.said = None;
        self.search.compile();
        // vi looks behind the cursor, others at it.
        match self.next_match(origin, true, self.vi.is_none()) {
            Some((from, to)) => self.show_match(from, to),
            None => self.buffer.go(origin, false),
        }
        self.count();
    }

    pub(super) fn set_pattern(&mut self, pattern: &str, regex: bool) {
        (self.search.pattern, self.search.regex) = (pattern.to_owned(), regex);
        self.search.compile();
    }

    pub(super) fn turn_regex(&mut self) {
        self.search.regex = !self.search.regex;
        self.pattern_changed();
    }

    pub(super) fn turn_case(&mut self) {
        self.search.exact = !self.search.exact;
        self.pattern_changed();
    }

    fn in_reach(&self, row: usize) -> bool {
        match &self.bar {
            Some(Bar::Find(Find { within: Some((first, last)), .. })) => (*first..=*last).contains(&row),
            _ => true,
        }
    }

    /// The next match from `at`, round the end; `here`: one that begins at `at` counts.
    fn next_match(&self, at: Pos, forward: bool, here: bool) -> Option<(Pos, Pos)> {
        let len = self.buffer.lines().len();
        let place = |row: usize, range: std::ops::Range<usize>| {
            let line = self.buffer.line(row);
            (pos(row, cells::column_of(line, range.start)), pos(row, cells::column_of(line, range.end)))
        };
        for n in 0..=len {
            let row = if forward { (at.row + n) % len } else { (at.row + len - n % len) % len };
            if !self.in_reach(row) {
                continue;
            }
            let mut found = self.search.matches(self.buffer.line(row)).map(|range| place(row, range));
            let fits = |(from, _): &(Pos, Pos)| match (n, forward) {
                (0, true) => from.col > at.col || (here && from.col == at.col),
                (0, false) => from.col < at.col,
                // Round once: what is left of this row.
                (n, true) if n == len => from.col <= at.col,
                (n, false) if n == len => from.col >= at.col,
                _ => true,
            };
            let hit = if forward { found.find(fits) } else { found.filter(fits).last() };
            if hit.is_some() {
                return hit;
            }
        }
        None
    }

    fn show_match(&mut self, from: Pos, to: Pos) {
        if self.vi.is_some() && self.bar.is_none() {
            self.buffer.go(from, false);
        } else {
            self.buffer.select(to, from);
        }
    }

    /// To the next match. Tells what to say if there is none, or if the search went round.
    pub(super) fn find_again(&mut self, forward: bool) -> Option<String> {
        if self.search.pattern.is_empty() {
            return Some("nothing to look for yet".into());
        }
        if self.search.compiled.is_none() && self.search.problem.is_none() {
            self.search.compile();
        }
        let at = self.buffer.selection().map_or(self.buffer.cursor(), |(from, _)| from);
        let Some((from, to)) = self.next_match(at, forward, false) else {
            let what =
                self.search.problem.clone().unwrap_or_else(|| format!("\"{}\" is not here", self.search.pattern));
            return Some(what);
        };
        let round = if forward { from <= at } else { from >= at };
        self.show_match(from, to);
        if let Some(Bar::Find(find)) = &mut self.bar {
            find.origin = from;
        }
        self.count();
        let word = if forward { "end" } else { "top" };
        round.then(|| format!("round the {word} of the text"))
    }

    /// How many there are, and which one this is.
    pub(super) fn count(&mut self) {
        let at = self.buffer.selection().map_or(self.buffer.cursor(), |(from, _)| from);
        let (mut total, mut current) = (0, 0);
        for (row, line) in self.buffer.lines().iter().enumerate() {
            if !self.in_reach(row) {
                continue;
            }
            for range in self.search.matches(line) {
                total += 1;
                if row < at.row || (row == at.row && cells::column_of(line, range.start) <= at.col) {
                    current = total;
                }
            }
            if total >= COUNTED {
                break;
            }
        }
        (self.search.total, self.search.current) = (Some(total), current);
    }

    /// Puts the replacement in the place of the match at the cursor, and goes to the next.
    pub(super) fn replace_one(&mut self) -> Result<(), Full> {
        let Some(with) = self.replacement() else { return Ok(()) };
        let at = self.buffer.selection().map_or(self.buffer.cursor(), |(from, _)| from);
        let Some((from, to)) = self.next_match(at, true, true) else { return Ok(()) };
        if from != at {
            self.show_match(from, to);
            self.count();
            return Ok(());
        }
        let line = self.buffer.line(at.row);
        let text = self.replaced(line, cells::byte_of(line, at.col), &with).unwrap_or(with);
        self.splice(from, to, &text, Kind::Other)?;
        let behind = self.buffer.cursor();
        match self.next_match(behind, true, true) {
            Some((from, to)) => self.show_match(from, to),
            None => self.buffer.unselect(),
        }
        self.count();
        self.search.said = Some("1 replaced".into());
        Ok(())
    }

    fn replacement(&self) -> Option<String> {
        match &self.bar {
            Some(Bar::Find(Find { replace: Some(with), .. })) => Some(with.text().to_owned()),
            _ => None,
        }
    }

    /// What the match at `byte` becomes; `$1` means its group where the pattern is an expression.
    fn replaced(&self, line: &str, byte: usize, with: &str) -> Option<String> {
        let regex = self.search.compiled.as_ref().filter(|_| self.search.regex)?;
        let captures = regex.captures_at(line, byte)?;
        let mut text = String::new();
        captures.expand(with, &mut text);
        Some(text)
    }

    /// All of them at one step. Tells how many.
    pub(super) fn replace_all(&mut self) -> Result<usize, Full> {
        let Some(with) = self.replacement() else { return Ok(0) };
        self.replace_in(0, usize::MAX, &with)
    }

    /// All matches in these rows.
    pub(super) fn replace_in(&mut self, first: usize, last: usize, with: &str) -> Result<usize, Full> {
        let mut count = 0;
        let mut changed: Option<(usize, usize)> = None;
        let mut lines: Vec<(usize, String)> = Vec::new();
        for (row, line) in self.buffer.lines().iter().enumerate() {
            if !(first..=last).contains(&row) || !self.in_reach(row) {
                continue;
            }
            let mut text = String::new();
            let mut from = 0;
            for range in self.search.matches(line) {
                text.push_str(&line[from..range.start]);
                text.push_str(&self.replaced(line, range.start, with).unwrap_or_else(|| with.to_owned()));
                from = range.end;
                count += 1;
            }
            if from > 0 {
                text.push_str(&line[from..]);
                changed = Some((changed.map_or(row, |(first, _)| first), row));
                lines.push((row, text));
            }
        }
        let Some((first, last)) = changed else { return Ok(0) };
        let mut rows: Vec<String> = self.buffer.lines()[first..=last].to_vec();
        for (row, text) in lines {
            rows[row - first] = text;
        }
        self.buffer.unselect();
        self.put_rows(first, last, &rows)?;
        self.count();
        Ok(count)
    }
}

/// `120`, `120:7`, `+10`, `-10`, `50%`, `$`.
pub(super) fn place(text: &str, at: Pos, lines: usize) -> Option<Pos> {
    let text = text.trim();
    let last = lines.saturating_sub(1);
    if let Some(rest) = text.strip_prefix('+') {
        return Some(pos(at.row.saturating_add(rest.parse().ok()?).min(last), 0));
    }
    if let Some(rest) = text.strip_prefix('-') {
        return Some(pos(at.row.saturating_sub(rest.parse().ok()?), 0));
    }
    if let Some(rest) = text.strip_suffix('%') {
        let part: usize = rest.parse().ok().filter(|part| *part <= 100)?;
        return Some(pos(last * part / 100, 0));
    }
    if text == "$" {
        return Some(pos(last, 0));
    }
    let (row, col) = text.split_once([':', ',']).unwrap_or((text, "1"));
    let from_one = |text: &str| text.trim().parse::<usize>().ok().map(|n| n.saturating_sub(1));
    Some(pos(from_one(row)?.min(last), from_one(col)?))
}
