//! Moving about in a script, and what of it is on screen.

use super::Editor;
use super::panes;
use super::verbs::Motion;
use crate::console::editor::buffer::{Pos, pos};
use crate::console::editor::document::Ends;
use crate::console::editor::{brackets, cells};
use ratatui::layout::Rect;

/// Rows kept in sight above and below the cursor, cells beside it.
const MARGIN: usize = 2;
const SIDEWAYS: usize = 8;

/// What a word is made of; signs side by side are a word of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    Word,
    Sign,
}

pub(super) fn class(c: char) -> Class {
    match c {
        c if c.is_whitespace() => Class::Blank,
        c if c.is_alphanumeric() || c == '_' => Class::Word,
        _ => Class::Sign,
    }
}

impl Editor {
    /// The last place on a row: before a carriage return that belongs to the line's end.
    pub(super) fn line_end(&self, row: usize) -> usize {
        let cr = self.shape.ends == Ends::Mixed && self.buffer.line(row).ends_with('\r');
        self.buffer.width(row) - usize::from(cr)
    }

    /// Where the text of a row begins.
    pub(super) fn first_sign(&self, row: usize) -> usize {
        let line = self.buffer.line(row);
        cells::column_of(line, line.len() - line.trim_start().len())
    }

    pub(super) fn left_of(&self, at: Pos) -> Pos {
        match cells::beside(self.buffer.line(at.row), at.col).0 {
            Some(col) => pos(at.row, col),
            None if at.row > 0 => pos(at.row - 1, self.line_end(at.row - 1)),
            None => at,
        }
    }

    pub(super) fn right_of(&self, at: Pos) -> Pos {
        match cells::beside(self.buffer.line(at.row), at.col).1 {
            Some(col) if col <= self.line_end(at.row) => pos(at.row, col),
            _ if at.row < self.buffer.last_row() => pos(at.row + 1, 0),
            _ => at,
        }
    }

    pub(super) fn word_left(&self, at: Pos) -> Pos {
        let signs: Vec<char> = self.buffer.line(at.row).chars().take(at.col).collect();
        let blank = signs.iter().rposition(|c| class(*c) != Class::Blank);
        let Some(last) = blank else {
            return if at.row > 0 { pos(at.row - 1, self.line_end(at.row - 1)) } else { pos(0, 0) };
        };
        let kind = class(signs[last]);
        let start = signs[..last].iter().rposition(|c| class(*c) != kind).map_or(0, |n| n + 1);
        pos(at.row, start)
    }

    pub(super) fn word_right(&self, at: Pos) -> Pos {
        let signs: Vec<char> = self.buffer.line(at.row).chars().collect();
        let Some(&here) = signs.get(at.col) else {
            return if at.row < self.buffer.last_row() { pos(at.row + 1, 0) } else { at };
        };
        let after = |from: usize, kind: Class| signs[from..].iter().take_while(|c| class(**c) == kind).count() + from;
        let mut col = at.col;
        if class(here) != Class::Blank {
            col = after(col, class(here));
        }
        pos(at.row, after(col, Class::Blank))
    }

    pub(super) fn travel(&mut self, motion: Motion, extend: bool, area: Rect) {
        let at = self.buffer.cursor();
        let page = panes::panes(area, self).text_size().1.saturating_sub(MARGIN).max(1);
        // Without shift, a selection is left at its near end.
        if let (false, Some((from, to))) = (extend || self.vi.is_some(), self.buffer.selection()) {
            match motion {
                Motion::Left => return self.buffer.go(from, false),
                Motion::Right => return self.buffer.go(to, false),
                _ => {}
            }
        }
        let to = match motion {
            Motion::Up => return self.buffer.rows(false, 1, extend),
            Motion::Down => return self.buffer.rows(true, 1, extend),
            Motion::PageUp | Motion::PageDown => {
                let down = motion == Motion::PageDown;
                self.buffer.rows(down, page, extend);
                self.top = if down { self.top + page } else { self.top.saturating_sub(page) };
                return;
            }
            Motion::Left => self.left_of(at),
            Motion::Right => self.right_of(at),
            Motion::WordLeft => self.word_left(at),
            Motion::WordRight => self.word_right(at),
            // First to the text, then to the edge.
            Motion::LineStart => {
                let first = self.first_sign(at.row);
                pos(at.row, if at.col == first { 0 } else { first })
            }
            Motion::LineEnd => pos(at.row, self.line_end(at.row)),
            Motion::Top => pos(0, 0),
            Motion::Bottom => self.buffer.end(),
        };
        self.buffer.go(to, extend);
    }

    /// To the other half of the bracket here. `false`: there is none.
    pub(super) fn seek_bracket(&mut self, extend: bool) -> bool {
        let lines = self.buffer.lines();
        let Some((_, other)) = brackets::pair(lines, &self.colours, self.buffer.cursor(), lines.len()) else {
            return false;
        };
        self.buffer.go(other, extend);
        true
    }

    /// A place far away, shown in the middle of the screen.
    pub(super) fn visit(&mut self, at: Pos, area: Rect) {
        self.buffer.go(at, false);
        let rows = panes::panes(area, self).text_size().1;
        let row = self.buffer.cursor().row;
        if row < self.top + 1 || row + 1 >= self.top + rows {
            self.top = row.saturating_sub(rows / 2);
        }
    }

    /// Scrolls as little as brings the cursor into sight.
    pub(super) fn follow(&mut self, (cells, rows): (usize, usize)) {
        let at = self.buffer.cursor();
        let margin = MARGIN.min(rows.saturating_sub(1) / 2);
        let last = self.buffer.last_row();
        let lowest = (at.row + margin).min(last);
        self.top = self.top.min(at.row.saturating_sub(margin)).max((lowest + 1).saturating_sub(rows));
        self.top = self.top.min((last + 1).saturating_sub(rows));
        let x = cells::x_of(self.buffer.line(at.row), at.col);
        if x < self.left {
            self.left = x.saturating_sub(SIDEWAYS);
        } else if x + 1 > self.left + cells {
            self.left = x + 1 + SIDEWAYS.min(cells / 2) - cells;
        }
        if x < cells.saturating_sub(1) {
            self.left = 0;
        }
    }
}
