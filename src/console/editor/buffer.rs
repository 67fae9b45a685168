//! The text being written. tui-textarea holds the lines, edits them and undoes; every edit goes through one door,
//! [`Buffer::splice`], so that what belongs together is undone together and nothing grows beyond what the area can
//! count. Positions are rows and characters, from 0.

use tui_textarea::{CursorMove, TextArea};

use super::cells;
use super::document::{BYTES, COLUMNS, LINES};

/// Steps that can be undone.
const HISTORY: usize = 10_000;
/// Bytes of removed and inserted text kept for undoing; beyond it the past is forgotten.
const WEIGHT: usize = 64 << 20;
/// Letters undone at one go at most.
const WORD: u32 = 20;

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

#[derive(Clone, Copy, Debug)]
struct Step {
    /// Edits of the text area that make it up.
    edits: u32,
    kind: Kind,
    /// Where the cursor was before it.
    cursor: Pos,
    /// What it left alone, and by how many bytes the text grew.
    same: Same,
    grown: isize,
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
    area: TextArea<'static>,
    bytes: usize,
    done: Vec<Step>,
    undone: Vec<Step>,
    /// Edits since the last step was closed.
    open: Option<Step>,
    /// What no change has touched since somebody asked.
    same: Same,
    /// The next letter may still belong to the last step.
    flows: bool,
    weight: usize,
    /// The cell that the cursor wants to be in, while it moves through shorter lines.
    goal: Option<usize>,
    /// Counts changes of the text.
    pub serial: u64,
}

impl Buffer {
    pub fn new(lines: Vec<String>) -> Self {
        let bytes = lines.iter().map(|line| line.len() + 1).sum();
        let mut area = TextArea::new(lines);
        area.set_max_histories(HISTORY);
        // At each edit the area works out how wide every line of the text would be drawn. It draws nothing here, and
        // the width of one and the same character is known at once: a third of what a keystroke costs.
        area.set_mask_char('\0');
        Self {
            area,
            bytes,
            done: Vec::new(),
            undone: Vec::new(),
            open: None,
            same: Same::ALL,
            flows: false,
            weight: 0,
            goal: None,
            serial: 0,
        }
    }

    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    pub fn line(&self, row: usize) -> &str {
        self.area.lines().get(row).map_or("", String::as_str)
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
        self.area.lines().len() - 1
    }

    pub fn end(&self) -> Pos {
        pos(self.last_row(), self.width(self.last_row()))
    }

    pub fn cursor(&self) -> Pos {
        let at = self.area.cursor();
        pos(at.0, at.1)
    }

    /// The nearest place that there is.
    pub fn near(&self, at: Pos) -> Pos {
        let row = at.row.min(self.last_row());
        pos(row, at.col.min(self.width(row)))
    }

    fn jump(&mut self, at: Pos) {
        let at = self.near(at);
        let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(short(at.row), short(at.col)));
    }

    /// Moves the cursor; `extend`: what lies between is selected.
    pub fn go(&mut self, to: Pos, extend: bool) {
        self.flows = false;
        self.goal = None;
        if extend && !self.area.is_selecting() {
            self.area.start_selection();
        } else if !extend {
            self.area.cancel_selection();
        }
        self.jump(to);
    }

    /// Moves the cursor within its row for looks: the cell it wants to be in stays.
    pub fn settle_at(&mut self, to: Pos) {
        self.jump(to);
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
        if self.area.is_selecting() {
            self.area.cancel_selection();
        } else {
            self.area.start_selection();
        }
        self.area.is_selecting()
    }

    pub fn select(&mut self, from: Pos, to: Pos) {
        self.go(from, false);
        self.go(to, true);
    }

    pub fn unselect(&mut self) {
        self.area.cancel_selection();
    }

    pub fn selecting(&self) -> bool {
        self.area.is_selecting()
    }

    /// What is selected, if it is more than nothing.
    pub fn selection(&self) -> Option<(Pos, Pos)> {
        let (from, to) = self.area.selection_range()?;
        (from != to).then_some((pos(from.0, from.1), pos(to.0, to.1)))
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
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        if self.bytes - removed.len() + text.len() > BYTES {
            return Err(Full::Bytes);
        }
        if self.lines().len() - (to.row - from.row) + breaks > LINES {
            return Err(Full::Lines);
        }
        // Bytes are at least as many as characters: counted only where they could be too many.
        let longest = text.split('\n').map(str::len).max().unwrap_or(0);
        let around = self.line(from.row).len() + self.line(to.row).len();
        if longest + around > COLUMNS {
            let (head, tail) = (from.col, self.width(to.row) - to.col);
            let last = text.split('\n').count() - 1;
            let wide = text.split('\n').enumerate().any(|(n, line)| {
                let before = if n == 0 { head } else { 0 };
                let after = if n == last { tail } else { 0 };
                before + line.chars().count() + after > COLUMNS
            });
            if wide {
                return Err(Full::Columns);
            }
        }
        let cursor = self.cursor();
        let same = Same { head: from.row, tail: self.last_row() - to.row };
        self.weigh(removed.len() + text.len());
        self.area.cancel_selection();
        self.jump(from);
        if from != to {
            self.area.start_selection();
            self.jump(to);
        }
        // The area takes one carriage return from the end of each line that is inserted.
        let kept = text.contains('\r').then(|| text.split('\n').map(doubled).collect::<Vec<_>>().join("\n"));
        self.area.insert_str(kept.as_deref().unwrap_or(text));
        self.bytes = self.bytes - removed.len() + text.len();
        let edits = u32::from(from != to) + u32::from(!text.is_empty());
        let grown = text.len().cast_signed() - removed.len().cast_signed();
        let step = Step { edits, kind: Kind::Other, cursor, same, grown };
        self.open = Some(self.open.map_or(step, |open| open.and(step)));
        self.same = self.same.and(same);
        self.serial += 1;
        self.goal = None;
        Ok(())
    }

    /// Undoing must not eat the memory: a past that weighs too much is forgotten.
    fn weigh(&mut self, bytes: usize) {
        self.weight += bytes;
        if self.weight > WEIGHT {
            self.area.set_max_histories(HISTORY);
            self.done.clear();
            self.undone.clear();
            self.open = None;
            self.weight = bytes;
        }
    }

    /// All edits since the last call are one step, undone together.
    pub fn close(&mut self, kind: Kind) {
        let Some(step) = self.open.take().map(|open| Step { kind, ..open }) else { return };
        self.undone.clear();
        match self.done.last_mut() {
            Some(last) if self.flows && kind != Kind::Other && last.kind == kind && last.edits + step.edits <= WORD => {
                *last = last.and(step);
            }
            _ => self.done.push(step),
        }
        if self.done.len() > HISTORY {
            self.done.remove(0);
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
        if let Some(first) = self.done.last_mut().filter(|_| !later.is_empty()) {
            *first = later.into_iter().fold(Step { kind: Kind::Other, ..*first }, Step::and);
        }
        self.flows = false;
    }

    /// One step back. `false`: there is none.
    pub fn undo(&mut self) -> bool {
        self.close(Kind::Other);
        let Some(step) = self.done.pop() else { return false };
        let bytes = self.bytes;
        let undone = (0..step.edits).take_while(|_| self.area.undo()).count();
        if undone == 0 {
            self.done.clear();
            return false;
        }
        self.bytes = bytes.saturating_add_signed(-step.grown);
        let mut kept = step;
        if undone < step.edits as usize {
            // The area has forgotten the rest.
            self.bytes = self.lines().iter().map(|line| line.len() + 1).sum();
            kept.edits = u32::try_from(undone).unwrap_or(0);
            kept.grown = bytes.cast_signed() - self.bytes.cast_signed();
        }
        self.undone.push(kept);
        self.went(step.same);
        self.go(step.cursor, false);
        true
    }

    pub fn redo(&mut self) -> bool {
        self.close(Kind::Other);
        let Some(step) = self.undone.pop() else { return false };
        for _ in 0..step.edits {
            self.area.redo();
        }
        self.done.push(step);
        self.bytes = self.bytes.saturating_add_signed(step.grown);
        self.went(step.same);
        self.goal = None;
        self.flows = false;
        true
    }

    fn went(&mut self, same: Same) {
        self.same = self.same.and(same);
        self.serial += 1;
    }

    /// What has stayed as it was since this was last asked.
    pub fn take_same(&mut self) -> Same {
        std::mem::replace(&mut self.same, Same::ALL)
    }
}

impl Step {
    /// With what came after it.
    fn and(self, after: Self) -> Self {
        Self {
            edits: self.edits + after.edits,
            same: self.same.and(after.same),
            grown: self.grown + after.grown,
            ..self
        }
    }
}

fn doubled(line: &str) -> String {
    if line.ends_with('\r') { format!("{line}\r") } else { line.to_owned() }
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
