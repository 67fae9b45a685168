//! Cursor, scroll position and motions of any list. Knows lengths and heights; not what the rows are.

use std::ops::Range;

use super::commands::Do;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListId {
    Scripts,
    Targets,
    Jobs,
    /// The runs of the job that is watched.
    Devices,
    /// The devices of a plan.
    Plan,
    Notices,
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

impl Sort {
    /// `true`: the verb changed it.
    pub fn go(&mut self, verb: Do, columns: usize) -> bool {
        match verb {
            Do::Sort => *self = Self { column: (self.column + 1) % columns.max(1), reverse: false },
            Do::SortReverse => self.reverse = !self.reverse,
            _ => return false,
        }
        true
    }
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
}
