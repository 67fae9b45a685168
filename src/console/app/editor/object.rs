//! vi's text objects: a word, what stands between quotes or brackets, a paragraph; inside, or with what is around it.

use super::Editor;
use super::go::{Class, class};
use crate::console::editor::buffer::{Pos, pos};

/// From, up to (not with) the other place, and whether whole lines are meant.
pub(super) type Object = (Pos, Pos, bool);

impl Editor {
    /// The object of this letter at the cursor.
    pub(super) fn object(&self, around: bool, letter: char) -> Option<Object> {
        match letter {
            'w' | 'W' => self.word_object(around, letter == 'W'),
            '"' | '\'' | '`' => self.quoted_object(around, letter),
            '(' | ')' | 'b' => self.bracket_object(around, '(', ')'),
            '{' | '}' | 'B' => self.bracket_object(around, '{', '}'),
            '[' | ']' => self.bracket_object(around, '[', ']'),
            '<' | '>' => self.bracket_object(around, '<', '>'),
            'p' => Some(self.paragraph(around)),
            _ => None,
        }
    }

    fn word_object(&self, around: bool, big: bool) -> Option<Object> {
        let at = self.buffer.cursor();
        let signs: Vec<char> = self.buffer.line(at.row).chars().collect();
        let kind = |n: usize| match class(signs[n]) {
            Class::Sign if big => Class::Word,
            kind => kind,
        };
        let here = kind(at.col.min(signs.len().checked_sub(1)?));
        let run = |from: usize, wanted: Class| from + (from..signs.len()).take_while(|n| kind(*n) == wanted).count();
        let before = |to: usize, wanted: Class| to - (0..to).rev().take_while(|n| kind(*n) == wanted).count();
        let (mut from, mut to) = (before(at.col.min(signs.len() - 1), here), run(at.col.min(signs.len() - 1), here));
        if around {
            let end = match (here, signs.get(to)) {
                // On blanks, the word behind them goes along; on a word, the blanks.
                (Class::Blank, Some(_)) => run(to, kind(to)),
                _ => run(to, Class::Blank),
            };
            if end > to {
                to = end;
            } else {
                from = before(from, Class::Blank);
            }
        }
        Some((pos(at.row, from), pos(at.row, to), false))
    }

    /// The pair of quotes around the cursor, or the next one on its line.
    fn quoted_object(&self, around: bool, quote: char) -> Option<Object> {
        let at = self.buffer.cursor();
        let signs: Vec<char> = self.buffer.line(at.row).chars().collect();
        let mut quotes = Vec::new();
        let mut escaped = false;
        for (n, sign) in signs.iter().enumerate() {
            if *sign == quote && !escaped {
                quotes.push(n);
            }
            escaped = *sign == '\\' && !escaped && quote != '\'';
        }
        let [open, close] = *quotes.chunks_exact(2).find(|pair| pair[1] >= at.col)? else { return None };
        if !around {
            return Some((pos(at.row, open + 1), pos(at.row, close), false));
        }
        let blanks = signs[close + 1..].iter().take_while(|sign| class(**sign) == Class::Blank).count();
        Some((pos(at.row, open), pos(at.row, close + 1 + blanks), false))
    }

    /// The innermost brackets around the cursor; on one of them, that pair.
    fn bracket_object(&self, around: bool, open: char, close: char) -> Option<Object> {
        let at = self.buffer.cursor();
        let lines = self.buffer.lines();
        let mut depth = 0_usize;
        let mut first = None;
        'up: for row in (0..=at.row).rev() {
            let signs: Vec<char> = lines[row].chars().collect();
            let end = if row == at.row { (at.col + 1).min(signs.len()) } else { signs.len() };
            for col in (0..end).rev() {
                if signs[col] == close && pos(row, col) != at {
                    depth += 1;
                } else if signs[col] == open && depth == 0 {
                    first = Some(pos(row, col));
                    break 'up;
                } else if signs[col] == open {
                    depth -= 1;
                }
            }
        }
        let first = first?;
        depth = 0;
        for (row, line) in lines.iter().enumerate().skip(first.row) {
            let skip = if row == first.row { first.col + 1 } else { 0 };
            for (col, sign) in line.chars().enumerate().skip(skip) {
                if sign == open {
                    depth += 1;
                } else if sign == close && depth > 0 {
                    depth -= 1;
                } else if sign == close {
                    return Some(self.between(around, first, pos(row, col)));
                }
            }
        }
        None
    }

    fn between(&self, around: bool, first: Pos, last: Pos) -> Object {
        if around {
            return (first, pos(last.row, last.col + 1), false);
        }
        let alone = first.col + 1 >= self.line_end(first.row) && last.col == self.first_sign(last.row);
        if alone && last.row > first.row + 1 {
            // A block: its lines.
            return (pos(first.row + 1, 0), pos(last.row - 1, 0), true);
        }
        (pos(first.row, first.col + 1), last, false)
    }

    /// Lines up to the next blank one; on blank lines, these.
    fn paragraph(&self, around: bool) -> Object {
        let row = self.buffer.cursor().row;
        let last = self.buffer.last_row();
        let blank = |row: usize| self.buffer.line(row).trim().is_empty();
        let run = |from: usize, kind: bool| (from..=last).take_while(|row| blank(*row) == kind).last();
        let here = blank(row);
        let from = (0..=row).rev().take_while(|row| blank(*row) == here).last().unwrap_or(row);
        let to = run(row, here).unwrap_or(row);
        let to = if around && to < last { run(to + 1, !here).unwrap_or(to) } else { to };
        (pos(from, 0), pos(to, 0), true)
    }
}
