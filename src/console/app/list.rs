//! Any list: cursor, scroll position and motions; filter, order, marks and chosen columns. Knows rows by their keys
//! (which stay the same when the list changes under the cursor) and by the columns of `model::rows`.

use std::collections::BTreeSet;
use std::ops::Range;

use super::commands::Do;
use crate::model::filter::{self, Filter, Rows, Wrong};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListId {
    Scripts,
    Targets,
    Jobs,
    /// The runs of the job that is watched.
    Devices,
}

/// Where the operator is in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: usize,
    /// First row shown, as of the last motion. [`Cursor::window`] corrects it for the height at hand.
    pub top: usize,
    /// The operator has moved it: it is a choice, not an accident.
    pub touched: bool,
}

impl Cursor {
    /// `true`: the verb was a motion.
    pub fn go(&mut self, verb: Do, len: usize, height: usize) -> bool {
        let height = height.max(1);
        let last = len.saturating_sub(1);
        let half = (height / 2).max(1);
        // Before the move, so that the window moves only as far as it must.
        self.top = self.window(len, height).start;
        self.at = match verb {
            Do::Down => self.at.saturating_add(1).min(last),
            Do::Up => self.at.saturating_sub(1),
            Do::First => 0,
            Do::Last => last,
            Do::HalfDown => self.at.saturating_add(half).min(last),
            Do::HalfUp => self.at.saturating_sub(half),
            Do::PageDown => self.at.saturating_add(height).min(last),
            Do::PageUp => self.at.saturating_sub(height),
            _ => return false,
        };
        self.touched = true;
        self.top = self.window(len, height).start;
        true
    }

    pub fn put(&mut self, at: usize, len: usize, height: usize) {
        self.at = at.min(len.saturating_sub(1));
        self.top = self.window(len, height.max(1)).start;
    }

    /// The row it is on has moved: it keeps its line on the screen, so that a list that is being read does not jump. A
    /// list at its top stays there while the row fits: what comes in above it, the worst, is not to be out of sight.
    pub fn follow(&mut self, at: usize, len: usize, height: usize) {
        let height = height.max(1);
        let top = self.window(len.max(self.at + 1), height).start;
        let line = self.at.saturating_sub(top);
        self.at = at.min(len.saturating_sub(1));
        self.top = if top == 0 && self.at < height { 0 } else { self.at.saturating_sub(line) };
        self.top = self.window(len, height).start;
    }

    /// The rows to show: as near to `top` as keeps the cursor inside and the pane full.
    pub fn window(&self, len: usize, height: usize) -> Range<usize> {
        let at = self.at.min(len.saturating_sub(1));
        let top = self.top.min(at).max((at + 1).saturating_sub(height)).min(len.saturating_sub(height));
        top..(top + height).min(len)
    }
}

/// An order: by which column, and whether turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: usize,
    pub reverse: bool,
}

/// How a list is looked at: what survives navigation and restarts.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub sort: Sort,
    pub only_problems: bool,
    /// The filter as written, and the last that was understood.
    pub text: String,
    pub filter: Filter,
    /// Keys of marked rows.
    pub marks: BTreeSet<String>,
    /// A range is being marked from the row with this key.
    pub anchor: Option<String>,
    /// Columns chosen, in their order; none: as many as fit.
    pub columns: Vec<String>,
    /// The row the operator chose, for when it comes back.
    pub home: Option<String>,
    /// Rows there are, as of the last [`Look::order`].
    pub total: usize,
    /// Marked rows that are not shown.
    pub unseen: usize,
}

impl Look {
    pub fn sorted(column: usize) -> Self {
        Self { sort: Sort { column, reverse: false }, ..Self::default() }
    }

    /// Something may be hidden.
    pub fn narrowed(&self) -> bool {
        self.only_problems || !self.filter.is_empty()
    }

    /// A filter as written. What cannot be read leaves the last one in force.
    ///
    /// # Errors
    /// Where it is wrong.
    pub fn set_filter(&mut self, text: &str, rows: &impl Rows) -> Result<(), Wrong> {
        self.filter = filter::parse(text, rows.columns())?;
        self.text = text.trim().to_owned();
        Ok(())
    }

    pub fn clear_filter(&mut self) {
        (self.text, self.filter) = (String::new(), Filter::default());
    }

    /// The rows to show, in order; the cursor stays on its row, or comes back to it.
    pub fn order(
        &mut self,
        rows: &impl Rows,
        key: impl Fn(usize) -> String,
        cursor: &mut Cursor,
        height: usize,
    ) -> Vec<u32> {
        let mut order = filter::passing(&self.filter, rows);
        if self.only_problems {
            order.retain(|row| rows.troubled(*row as usize));
        }
        filter::sort(rows, &mut order, self.sort.column, self.sort.reverse);
        self.total = rows.len();
        self.count_unseen(order.iter().map(|row| key(*row as usize)));
        let home = self.home.as_ref().filter(|_| cursor.touched);
        match home.and_then(|home| order.iter().position(|row| key(*row as usize) == *home)) {
            Some(at) => cursor.follow(at, order.len(), height),
            None => cursor.put(cursor.at, order.len(), height),
        }
        order
    }

    /// Marks that none of these rows has.
    pub fn count_unseen(&mut self, keys: impl Iterator<Item = String>) {
        self.unseen = self.marks.len();
        if self.unseen > 0 {
            self.unseen -= keys.filter(|key| self.marks.contains(key)).count().min(self.unseen);
        }
    }

    /// Marking verbs. `keys`: of the rows shown; rows without one cannot be marked. `true`: used up.
    pub fn mark(&mut self, verb: Do, keys: &[Option<String>], cursor: &mut Cursor, height: usize) -> bool {
        let at = cursor.at;
        match verb {
            Do::Mark => {
                if let Some(Some(key)) = keys.get(at) {
                    self.turn(key.clone());
                }
                cursor.go(Do::Down, keys.len(), height);
            }
            Do::Range => match self.anchor.take() {
                None => self.anchor = keys.get(at).cloned().flatten(),
                Some(from) => {
                    let range = span(keys, &from, at);
                    self.marks.extend(keys[range].iter().flatten().cloned());
                }
            },
            Do::MarkAll => self.marks.extend(keys.iter().flatten().cloned()),
            Do::UnmarkAll => self.marks.clear(),
            Do::InvertMarks => keys.iter().flatten().cloned().for_each(|key| self.turn(key)),
            _ => return false,
        }
        self.count_unseen(keys.iter().flatten().cloned());
        true
    }

    fn turn(&mut self, key: String) {
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
    }

    /// One level back: an open range, the marks, the filter. `false`: there was none of these.
    pub fn step_back(&mut self) -> bool {
        if self.anchor.take().is_some() {
            return true;
        }
        if !self.marks.is_empty() {
            self.marks.clear();
            self.unseen = 0;
            return true;
        }
        let filtered = !self.text.is_empty();
        self.clear_filter();
        filtered
    }

    /// `3 marked, 2 hidden by the filter`; empty: none.
    pub fn marked(&self) -> String {
        match (self.marks.len(), self.unseen) {
            (0, _) => String::new(),
            (n, 0) => format!("{n} marked"),
            (n, unseen) if self.narrowed() => format!("{n} marked, {unseen} hidden by the filter"),
            (n, unseen) => format!("{n} marked, {unseen} not shown"),
        }
    }

    /// `31 of 412, hiding 381`; empty: nothing is hidden.
    pub fn hiding(&self, shown: usize) -> String {
        if !self.narrowed() {
            return String::new();
        }
        format!("{shown} of {}, hiding {}", self.total, self.total.saturating_sub(shown))
    }

    /// What the list is narrowed to, in words.
    pub fn says(&self) -> String {
        match (self.only_problems, self.filter.is_empty()) {
            (false, _) => self.filter.describe(),
            (true, true) => "only problems".into(),
            (true, false) => format!("only problems, {}", self.filter.describe()),
        }
    }
}

/// From the row with this key to the cursor.
pub fn span(keys: &[Option<String>], from: &str, at: usize) -> Range<usize> {
    let start = keys.iter().position(|key| key.as_deref() == Some(from)).unwrap_or(at);
    start.min(at)..(start.max(at) + 1).min(keys.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_the_cursor_and_stays_full() {
        let mut cursor = Cursor::default();
        cursor.go(Do::Last, 100, 10);
        assert_eq!((cursor.at, cursor.window(100, 10)), (99, 90..100));
        cursor.go(Do::Up, 100, 10);
        assert_eq!(cursor.window(100, 10), 90..100);
        cursor.go(Do::PageUp, 100, 10);
        assert_eq!((cursor.at, cursor.window(100, 10)), (88, 88..98));
        assert_eq!(cursor.window(20, 10), 10..20, "the list became shorter");
        assert_eq!(cursor.window(0, 10), 0..0);
        cursor.go(Do::Down, 0, 0);
        assert_eq!(cursor.window(0, 0), 0..0);
    }

    #[test]
    fn a_row_that_moves_keeps_its_line_but_hides_nothing_at_the_top() {
        let mut cursor = Cursor::default();
        cursor.put(0, 100, 10);
        cursor.follow(3, 103, 10);
        assert_eq!((cursor.at, cursor.window(103, 10)), (3, 0..10), "three came in above it");
        cursor.follow(12, 112, 10);
        assert_eq!((cursor.at, cursor.window(112, 10)), (12, 9..19), "on the line it had");
        cursor.follow(14, 114, 10);
        assert_eq!((cursor.at, cursor.window(114, 10)), (14, 11..21));
    }
}
