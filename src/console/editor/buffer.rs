//! The text being written: its lines, the cursor, what is selected, and what can be undone. Every change goes through
//! one door, [`Buffer::splice`], so that what belongs together is undone together, nothing grows beyond what is kept,
//! and it is known which rows no change has touched. A change costs what it changes, however long the text is.
//! Positions are rows and characters, from 0.

use std::collections::VecDeque;

use super::cells;
use super::document::{BYTES, COLUMNS, LINES};

/// Steps that can be undone.
const HISTORY: usize = 10_000;
/// Bytes of removed and inserted text kept for undoing; beyond it the oldest steps are forgotten.
const WEIGHT: usize = 64 << 20;
/// Letters undone at one go at most.
const WORD: usize = 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos {
    pub row: usize,
    pub col: usize,
}

pub const fn pos(row: usize, col: usize) -> Pos {
    Pos { row, col }
}

/// What kind of change it was; some flow into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Typed,
    Erased,
    Other,
}

/// What of a text stayed as it was: so many rows at its top, so many at its end. Nobody needs to look at those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Same {
    pub head: usize,
    pub tail: usize,
}

impl Same {
    pub const ALL: Self = Self { head: usize::MAX, tail: usize::MAX };
    pub const NONE: Self = Self { head: 0, tail: 0 };

    /// After one change and then another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { head: self.head.min(other.head), tail: self.tail.min(other.tail) }
    }

    /// The same for two texts of so many rows, with what turns out to be equal beyond.
    #[must_use]
    pub fn grown(self, old: usize, new: usize, equal: impl Fn(usize, usize) -> bool) -> Self {
        let most = old.min(new);
        let mut head = self.head.min(most);
        while head < most && equal(head, head) {
            head += 1;
        }
        let mut tail = self.tail.min(most - head);
        while tail < most - head && equal(old - 1 - tail, new - 1 - tail) {
            tail += 1;
        }
        Self { head, tail }
    }
}

/// At `at`, one text came in the place of another.
#[derive(Clone, Debug)]
struct Edit {
    at: Pos,
    removed: String,
    inserted: String,
}

/// Edits that are undone together.
#[derive(Clone, Debug)]
struct Step {
    edits: Vec<Edit>,
    kind: Kind,
    /// Where the cursor was before it.
    cursor: Pos,
}

impl Step {
    fn weight(&self) -> usize {
        self.edits.iter().map(|edit| edit.removed.len() + edit.inserted.len()).sum()
    }
}

/// Why an edit was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Bytes,
    Lines,
    Columns,
}

impl Full {
    pub const fn why(self) -> &'static str {
        match self {
            Full::Bytes => "a script here has at most 10 MB: nothing was inserted",
            Full::Lines => "a script here has at most 65,535 lines: nothing was inserted",
            Full::Columns => "a line here has at most 65,535 characters: nothing was inserted",
        }
    }
}

#[derive(Debug)]
pub struct Buffer {
    /// Never none.
    lines: Vec<String>,
    cursor: Pos,
    /// Where the selection began; it reaches to the cursor.
    anchor: Option<Pos>,
    bytes: usize,
    done: VecDeque<Step>,
    undone: Vec<Step>,
    /// Edits since the last step was closed.
    open: Option<Step>,
    /// The next letter may still belong to the last step.
    flows: bool,
    /// Bytes of all that is kept for undoing.
    weight: usize,
    /// What no change has touched since somebody asked.
    same: Same,
    /// The cell that the cursor wants to be in, while it moves through shorter lines.
    goal: Option<usize>,
    /// Counts changes of the text.
    pub serial: u64,
}

impl Buffer {
    pub fn new(mut lines: Vec<String>) -> Self {
        if lines.is_empty() {
            lines.push(String::new());
        }
        Self {
            bytes: lines.iter().map(|line| line.len() + 1).sum(),
            lines,
            cursor: Pos::default(),
            anchor: None,
            done: VecDeque::new(),
            undone: Vec::new(),
            open: None,
            flows: false,
            weight: 0,
            same: Same::ALL,
            goal: None,
            serial: 0,
        }
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    pub fn line(&self, row: usize) -> &str {
        self.lines.get(row).map_or("", String::as_str)
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// In characters.
    pub fn width(&self, row: usize) -> usize {
        let line = self.line(row);
        cells::column_of(line, line.len())
    }

    pub fn last_row(&self) -> usize {
        self.lines.len() - 1
    }

    pub fn end(&self) -> Pos {
        pos(self.last_row(), self.width(self.last_row()))
    }

    pub fn cursor(&self) -> Pos {
        self.cursor
    }

    /// The nearest place that there is.
    pub fn near(&self, at: Pos) -> Pos {
        let row = at.row.min(self.last_row());
        pos(row, at.col.min(self.width(row)))
    }

    /// Moves the cursor; `extend`: what lies between is selected.
    pub fn go(&mut self, to: Pos, extend: bool) {
        self.flows = false;
        self.goal = None;
        self.anchor = extend.then(|| self.anchor.unwrap_or(self.cursor));
        self.cursor = self.near(to);
    }

    /// Moves the cursor within its row for looks: the cell it wants to be in stays.
    pub fn settle_at(&mut self, to: Pos) {
        self.cursor = self.near(to);
    }

    /// Up or down by rows, in the same cell as far as the lines reach.
    pub fn rows(&mut self, down: bool, by: usize, extend: bool) {
        let at = self.cursor();
        let goal = self.goal.unwrap_or_else(|| cells::x_of(self.line(at.row), at.col));
        let row = if down { (at.row + by).min(self.last_row()) } else { at.row.saturating_sub(by) };
        let edge = row == at.row;
        let col = if edge && down {
            self.width(row)
        } else if edge {
            0
        } else {
            cells::column_at(self.line(row), goal)
        };
        self.go(pos(row, col), extend);
        self.goal = (!edge).then_some(goal);
    }

    /// Begins to select at the cursor, or ends it.
    pub fn mark(&mut self) -> bool {
        self.anchor = if self.anchor.is_some() { None } else { Some(self.cursor) };
        self.anchor.is_some()
    }

    pub fn select(&mut self, from: Pos, to: Pos) {
        self.go(from, false);
        self.go(to, true);
    }

    pub fn unselect(&mut self) {
        self.anchor = None;
    }

    pub fn selecting(&self) -> bool {
        self.anchor.is_some()
    }

    /// What is selected, if it is more than nothing.
    pub fn selection(&self) -> Option<(Pos, Pos)> {
        let anchor = self.anchor.filter(|anchor| *anchor != self.cursor)?;
        Some((anchor.min(self.cursor), anchor.max(self.cursor)))
    }

    /// The text between two places.
    pub fn text(&self, from: Pos, to: Pos) -> String {
        let byte = |at: Pos| cells::byte_of(self.line(at.row), at.col);
        if from.row == to.row {
            return self.line(from.row)[byte(from)..byte(to)].to_owned();
        }
        let mut text = self.line(from.row)[byte(from)..].to_owned();
        for row in from.row + 1..to.row {
            text.push('\n');
            text.push_str(self.line(row));
        }
        text.push('\n');
        text.push_str(&self.line(to.row)[..byte(to)]);
        text
    }

    /// The one edit there is: what lies between two places becomes `text`. The cursor stands behind it.
    pub fn splice(&mut self, from: Pos, to: Pos, text: &str) -> Result<(), Full> {
        let (from, to) = (self.near(from), self.near(to));
        if from == to && text.is_empty() {
            return Ok(());
        }
        let removed = self.text(from, to);
        self.room(from, to, removed.len(), text)?;
        let cursor = self.cursor;
        self.replace(from, to, removed.len(), text);
        self.weight += removed.len() + text.len();
        let edit = Edit { at: from, removed, inserted: text.to_owned() };
        self.open.get_or_insert_with(|| Step { edits: Vec::new(), kind: Kind::Other, cursor }).edits.push(edit);
        Ok(())
    }

    /// Is there room for it?
    fn room(&self, from: Pos, to: Pos, removed: usize, text: &str) -> Result<(), Full> {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        if self.bytes - removed + text.len() > BYTES {
            return Err(Full::Bytes);
        }
        if self.lines.len() - (to.row - from.row) + breaks > LINES {
            return Err(Full::Lines);
        }
        // Bytes are at least as many as characters: counted only where they could be too many.
        let longest = text.split('\n').map(str::len).max().unwrap_or(0);
        let around = self.line(from.row).len() + self.line(to.row).len();
        if longest + around > COLUMNS {
            let (head, tail) = (from.col, self.width(to.row) - to.col);
            let wide = text.split('\n').enumerate().any(|(n, line)| {
                let before = if n == 0 { head } else { 0 };
                let after = if n == breaks { tail } else { 0 };
                before + line.chars().count() + after > COLUMNS
            });
            if wide {
                return Err(Full::Columns);
            }
        }
        Ok(())
    }

    /// What lies between two places, `removed` bytes, becomes `text`; the cursor stands behind it.
    fn replace(&mut self, from: Pos, to: Pos, removed: usize, text: &str) {
        self.same = self.same.and(Same { head: from.row, tail: self.last_row() - to.row });
        self.bytes = self.bytes - removed + text.len();
        let start = cells::byte_of(&self.lines[from.row], from.col);
        let end = cells::byte_of(&self.lines[to.row], to.col);
        if from.row == to.row && memchr::memchr(b'\n', text.as_bytes()).is_none() {
            self.lines[from.row].replace_range(start..end, text);
        } else {
            let tail = self.lines[to.row].split_off(end);
            let mut fresh = text.split('\n').map(str::to_owned);
            let first = &mut self.lines[from.row];
            first.truncate(start);
            first.push_str(&fresh.next().unwrap_or_default());
            self.lines.splice(from.row + 1..=to.row, fresh);
            let last = from.row + memchr::memchr_iter(b'\n', text.as_bytes()).count();
            self.lines[last].push_str(&tail);
        }
        self.cursor = behind(from, text);
        self.anchor = None;
        self.goal = None;
        self.serial += 1;
    }

    /// All edits since the last call are one step, undone together.
    pub fn close(&mut self, kind: Kind) {
        let Some(step) = self.open.take().map(|open| Step { kind, ..open }) else { return };
        self.weight -= self.undone.drain(..).map(|step| step.weight()).sum::<usize>();
        match self.done.back_mut() {
            Some(last)
                if self.flows
                    && kind != Kind::Other
                    && last.kind == kind
                    && last.edits.len() + step.edits.len() <= WORD =>
            {
                last.edits.extend(step.edits);
            }
            _ => self.done.push_back(step),
        }
        // Undoing must not eat the memory.
        while self.done.len() > HISTORY || (self.weight > WEIGHT && self.done.len() > 1) {
            let oldest = self.done.pop_front().map_or(0, |step| step.weight());
            self.weight -= oldest;
        }
        self.flows = kind != Kind::Other;
    }

    /// The next letter begins a new step.
    pub fn pause(&mut self) {
        self.flows = false;
    }

    /// Steps that can be undone just now.
    pub fn steps(&self) -> usize {
        self.done.len()
    }

    /// The steps from there on become one.
    pub fn join(&mut self, from: usize) {
        self.close(Kind::Other);
        let later = self.done.split_off((from + 1).min(self.done.len()));
        if let Some(first) = self.done.back_mut().filter(|_| !later.is_empty()) {
            first.edits.extend(later.into_iter().flat_map(|step| step.edits));
            first.kind = Kind::Other;
        }
        self.flows = false;
    }

    /// One step back. `false`: there is none.
    pub fn undo(&mut self) -> bool {
        self.close(Kind::Other);
        let Some(step) = self.done.pop_back() else { return false };
        for edit in step.edits.iter().rev() {
            self.replace(edit.at, behind(edit.at, &edit.inserted), edit.inserted.len(), &edit.removed);
        }
        self.go(step.cursor, false);
        self.undone.push(step);
        true
    }

    pub fn redo(&mut self) -> bool {
        self.close(Kind::Other);
        let Some(step) = self.undone.pop() else { return false };
        for edit in &step.edits {
            self.replace(edit.at, behind(edit.at, &edit.removed), edit.removed.len(), &edit.inserted);
        }
        self.done.push_back(step);
        self.flows = false;
        true
    }

    /// What has stayed as it was since this was last asked.
    pub fn take_same(&mut self) -> Same {
        std::mem::replace(&mut self.same, Same::ALL)
    }
}

/// Where a text that begins at `at` ends.
fn behind(at: Pos, text: &str) -> Pos {
    let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let last = text.rsplit('\n').next().unwrap_or_default().chars().count();
    pos(at.row + breaks, if breaks == 0 { at.col + last } else { last })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(text: &str) -> Buffer {
        Buffer::new(text.split('\n').map(str::to_owned).collect())
    }

    fn whole(buffer: &Buffer) -> String {
        buffer.lines().join("\n")
    }

    /// What is said to have stayed did.
    fn stayed(before: &[String], text: &mut Buffer) -> Result<(), proptest::test_runner::TestCaseError> {
        let same = text.take_same();
        let most = before.len().min(text.lines().len());
        let (head, tail) = (same.head.min(most), same.tail.min(most));
        proptest::prop_assert_eq!(&before[..head], &text.lines()[..head]);
        proptest::prop_assert_eq!(&before[before.len() - tail..], &text.lines()[text.lines().len() - tail..]);
        Ok(())
    }

    #[test]
    fn a_word_is_undone_together_and_a_pause_ends_it() {
        let mut text = buffer("");
        for (n, c) in "echo hi".chars().enumerate() {
            if c == ' ' {
                text.pause();
            }
            text.splice(pos(0, n), pos(0, n), &c.to_string()).unwrap();
            text.close(Kind::Typed);
        }
        assert!(text.undo());
        assert_eq!(whole(&text), "echo");
        assert!(text.undo() && !text.undo());
        assert_eq!(whole(&text), "");
        assert!(text.redo() && text.redo() && !text.redo());
        assert_eq!(whole(&text), "echo hi");
    }

    #[test]
    fn moving_through_a_short_line_keeps_the_cell() {
        let mut text = buffer("a long line\nx\n\tanother");
        text.go(pos(0, 9), false);
        text.rows(true, 1, false);
        assert_eq!(text.cursor(), pos(1, 1));
        text.rows(true, 1, false);
        assert_eq!(text.cursor(), pos(2, 2), "cell 9, behind the tab");
        text.rows(true, 1, false);
        assert_eq!(text.cursor(), pos(2, 8), "no further down: to the end");
    }

    #[test]
    fn what_would_be_too_much_is_not_inserted() {
        let mut text = buffer("x");
        assert_eq!(text.splice(pos(0, 0), pos(0, 1), &"x".repeat(70_000)), Err(Full::Columns));
        assert_eq!(text.splice(pos(0, 0), pos(0, 1), &"\n".repeat(70_000)), Err(Full::Lines));
        assert_eq!(text.splice(pos(0, 0), pos(0, 1), &"xxxx\n".repeat(2_100_000)), Err(Full::Bytes));
        assert_eq!(whole(&text), "x");
        assert_eq!(text.splice(pos(0, 0), pos(0, 1), &"é".repeat(60_000)), Ok(()));
    }

    #[test]
    fn a_past_that_weighs_too_much_is_forgotten() {
        let mut text = buffer("");
        let page = "x".repeat(99) + "\n";
        let page = page.repeat(50_000);
        for _ in 0..20 {
            text.splice(pos(0, 0), text.end(), &page).unwrap();
            text.close(Kind::Other);
        }
        let mut steps = 0;
        while text.undo() {
            steps += 1;
        }
        assert!((1..20).contains(&steps), "{steps}");
    }

    proptest::proptest! {
        #[test]
        fn undoing_all_gives_the_text_back_and_redoing_the_other(
            edits in proptest::collection::vec((0_usize..6, 0_usize..8, 0_usize..6, 0_usize..8, "[a-zé日\t\r\n]{0,6}"), 1..20),
        ) {
            let first = "one\ntwo\r\nthree é\n\nfive";
            let mut text = buffer(first);
            for (row, col, other, end, insert) in &edits {
                let (mut from, mut to) = (text.near(pos(*row, *col)), text.near(pos(*other, *end)));
                if from > to {
                    std::mem::swap(&mut from, &mut to);
                }
                let head = text.text(pos(0, 0), from);
                let tail = text.text(to, text.end());
                let before = text.lines().to_vec();
                text.splice(from, to, insert).unwrap();
                text.close(Kind::Typed);
                proptest::prop_assert_eq!(whole(&text), format!("{head}{insert}{tail}"));
                proptest::prop_assert_eq!(text.bytes(), whole(&text).len() + 1);
                stayed(&before, &mut text)?;
            }
            let last = whole(&text);
            loop {
                let before = text.lines().to_vec();
                if !text.undo() { break }
                proptest::prop_assert_eq!(text.bytes(), whole(&text).len() + 1);
                stayed(&before, &mut text)?;
            }
            proptest::prop_assert_eq!(whole(&text), first);
            loop {
                let before = text.lines().to_vec();
                if !text.redo() { break }
                proptest::prop_assert_eq!(text.bytes(), whole(&text).len() + 1);
                stayed(&before, &mut text)?;
            }
            proptest::prop_assert_eq!(whole(&text), last);
        }
    }
}
