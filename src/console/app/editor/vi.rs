//! vi keys in the editor, for those whose fingers know them: a modal layer over the same buffer and the same edits.
//! Owns what has been typed of a command that is not complete, and turns complete ones into edits. Keys that are no
//! letters (arrows, function keys, ^f ...) are looked up in the keymap first, as without vi.

use super::again::Again;
use super::go::{Class, class};
use super::search::Bar;
use super::{Clip, Editor, Motion};
use crate::console::app::form::Text;
use crate::console::editor::buffer::{Full, Kind, Pos, pos};
use ratatui::layout::Rect;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Normal,
    Insert,
    Visual {
        lines: bool,
    },
}

/// What has been typed of a command.
#[derive(Clone, Debug, Default)]
pub struct Vi {
    pub mode: Mode,
    count: Option<usize>,
    operator: Option<char>,
    /// `g`, `f`, `r` and others that wait for one more letter.
    waits: Option<char>,
    /// The last `f`, `t`, `F` or `T`, and its letter.
    sought: Option<(char, char)>,
    backward: bool,
    pub(super) again: Again,
}

/// What a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Used,
    Undo,
    Redo,
    Find {
        backward: bool,
    },
    Again {
        forward: bool,
    },
    /// `.`, with its count.
    Repeat(Option<usize>),
    Command,
    Nothing,
}

/// How far an operator reaches.
enum Reach {
    /// Up to, not with, the other place.
    Before(Pos),
    /// With the sign at the other place.
    With(Pos),
    Rows(usize, usize),
}

impl Vi {
    pub fn word(&self) -> &'static str {
        match self.mode {
            Mode::Normal => "NORMAL",
            Mode::Insert => "INSERT",
            Mode::Visual { lines: false } => "VISUAL",
            Mode::Visual { lines: true } => "V-LINE",
        }
    }

    /// Letters are text.
    pub fn writes(&self) -> bool {
        self.mode == Mode::Insert
    }

    /// What has been typed so far, for the title.
    pub fn typed(&self) -> String {
        let count = self.count.map_or_else(String::new, |n| n.to_string());
        let sign = |c: Option<char>| c.map_or_else(String::new, String::from);
        format!("{}{count}{}", sign(self.operator), sign(self.waits))
    }

    /// Nothing has been typed of the next command.
    pub(super) fn rests(&self) -> bool {
        let pending = self.count.is_some() || self.operator.is_some() || self.waits.is_some();
        self.mode == Mode::Normal && !pending
    }

    fn clear(&mut self) {
        (self.count, self.operator, self.waits) = (None, None, None);
    }
}

impl Editor {
    fn vi(&mut self) -> &mut Vi {
        self.vi.get_or_insert_with(Vi::default)
    }

    /// esc. `true`: something ended.
    pub(super) fn vi_escape(&mut self) -> bool {
        let Some(vi) = &mut self.vi else { return false };
        let pending = vi.count.is_some() || vi.operator.is_some() || vi.waits.is_some();
        let mode = std::mem::take(&mut vi.mode);
        vi.clear();
        if mode == Mode::Insert {
            let at = self.buffer.cursor();
            self.buffer.go(pos(at.row, at.col.saturating_sub(1)), false);
            self.buffer.pause();
        }
        self.buffer.unselect();
        pending || mode != Mode::Normal
    }

    /// A letter outside insert mode.
    pub(super) fn vi_key(&mut self, c: char, area: Rect) -> Result<Came, Full> {
        if let Some(waits) = self.vi().waits.take() {
            return self.vi_second(waits, c, area);
        }
        if c.is_ascii_digit() && (c != '0' || self.vi().count.is_some()) {
            let digit = c as usize - '0' as usize;
            let count = self.vi().count.unwrap_or(0).saturating_mul(10).saturating_add(digit).min(99_999);
            self.vi().count = Some(count);
            return Ok(Came::Used);
        }
        let picks = self.vi().operator.is_some() || matches!(self.vi().mode, Mode::Visual { .. });
        if c == '.' && !picks {
            return Ok(Came::Repeat(self.vi().count.take()));
        }
        if picks && matches!(c, 'i' | 'a') {
            self.vi().waits = Some(c);
            return Ok(Came::Used);
        }
        if matches!(c, 'g' | 'f' | 'F' | 't' | 'T' | 'r' | 'Z') {
            self.vi().waits = Some(c);
            return Ok(Came::Used);
        }
        let counted = self.vi().count;
        let n = counted.unwrap_or(1);
        let visual = matches!(self.vi().mode, Mode::Visual { .. });
        if let Some(operator) = self.vi().operator {
            if c == operator {
                let row = self.buffer.cursor().row;
                let last = (row + n - 1).min(self.buffer.last_row());
                return self.operate(operator, Reach::Rows(row, last));
            }
            // `cw` leaves the blank behind the word.
            let c = if operator == 'c' && matches!(c, 'w' | 'W') { 'e' } else { c };
            let Some(reach) = self.reach(c, n, counted) else {
                self.vi().clear();
                return Ok(Came::Nothing);
            };
            return self.operate(operator, reach);
        }
        if visual && matches!(c, 'd' | 'x' | 'y' | 'c' | 's' | '>' | '<' | '~' | 'J') {
            return self.operate_selected(c);
        }
        if matches!(c, 'd' | 'c' | 'y' | '>' | '<') {
            self.vi().operator = Some(c);
            return Ok(Came::Used);
        }
        if let Some(reach) = self.reach(c, n, counted) {
            let (Reach::Before(to) | Reach::With(to)) = reach else {
                let row = if let Reach::Rows(from, to) = reach {
                    if from == self.buffer.cursor().row { to } else { from }
                } else {
                    0
                };
                let down = row > self.buffer.cursor().row;
                let by = row.abs_diff(self.buffer.cursor().row);
                if matches!(c, 'j' | 'k') {
                    self.buffer.rows(down, by, visual);
                } else {
                    self.visit_from(pos(row, self.first_sign(row)), visual, area);
                }
                self.vi().count = None;
                self.vi_clamp();
                return Ok(Came::Used);
            };
            self.visit_from(to, visual, area);
            self.vi().count = None;
            self.vi_clamp();
            return Ok(Came::Used);
        }
        self.vi().count = None;
        self.vi_command(c, n, visual)
    }

    fn visit_from(&mut self, to: Pos, extend: bool, area: Rect) {
        if extend { self.buffer.go(to, true) } else { self.visit(to, area) }
    }

    fn vi_command(&mut self, c: char, n: usize, visual: bool) -> Result<Came, Full> {
        let at = self.buffer.cursor();
        let end = self.line_end(at.row);
        match c {
            'v' | 'V' => {
                let lines = c == 'V';
                if self.vi().mode == (Mode::Visual { lines }) {
                    self.vi().mode = Mode::Normal;
                    self.buffer.unselect();
                } else {
                    self.vi().mode = Mode::Visual { lines };
                    if !self.buffer.selecting() {
                        self.buffer.mark();
                    }
                }
            }
            'o' if visual => {
                if let Some((from, to)) = self.buffer.selection() {
                    if at == to { self.buffer.select(to, from) } else { self.buffer.select(from, to) }
                }
            }
            'i' | 'a' | 'I' | 'A' | 'o' | 'O' => {
                self.buffer.unselect();
                match c {
                    'a' => self.buffer.go(pos(at.row, (at.col + 1).min(end)), false),
                    'I' => self.buffer.go(pos(at.row, self.first_sign(at.row)), false),
                    'A' => self.buffer.go(pos(at.row, end), false),
                    'o' => {
                        self.buffer.go(pos(at.row, end), false);
                        self.newline()?;
                    }
                    'O' => {
                        let depth: String = self.buffer.line(at.row).chars().take(self.first_sign(at.row)).collect();
                        self.splice(pos(at.row, 0), pos(at.row, 0), &format!("{depth}\n"), Kind::Other)?;
                        self.buffer.go(pos(at.row, depth.chars().count()), false);
                    }
                    _ => {}
                }
                self.vi().mode = Mode::Insert;
            }
            'x' | 'X' | 's' | 'D' | 'C' | 'S' | 'Y' => {
                let reach = match c {
                    'x' | 's' => Reach::Before(pos(at.row, (at.col + n).min(end))),
                    'X' => Reach::Before(pos(at.row, at.col.saturating_sub(n))),
                    'D' | 'C' => Reach::Before(pos(at.row, end)),
                    _ => Reach::Rows(at.row, (at.row + n - 1).min(self.buffer.last_row())),
                };
                return self.operate(
                    match c {
                        's' | 'C' | 'S' => 'c',
                        'Y' => 'y',
                        _ => 'd',
                    },
                    reach,
                );
            }
            'p' | 'P' => return self.put(c == 'p', n),
            'J' => self.join(n.max(2) - 1)?,
            '~' => {
                let to = pos(at.row, (at.col + n).min(end));
                self.turn_case_of(at, to)?;
                self.buffer.go(to, false);
            }
            'u' => return Ok(Came::Undo),
            '/' | '?' => {
                self.vi().backward = c == '?';
                return Ok(Came::Find { backward: c == '?' });
            }
            'n' | 'N' => return Ok(Came::Again { forward: (c == 'n') != self.vi().backward }),
            '*' => {
                if let Some((from, to)) = self.word_at(at) {
                    let word = self.buffer.text(from, to);
                    self.set_pattern(&format!(r"\b{}\b", regex::escape(&word)), true);
                    self.vi().backward = false;
                    return Ok(Came::Again { forward: true });
                }
            }
            ':' => {
                self.bar = Some(Bar::Ex(Text::default()));
                return Ok(Came::Command);
            }
            _ => return Ok(Came::Nothing),
        }
        self.vi_clamp();
        Ok(Came::Used)
    }

    /// The letter after `g`, `f`, `r` and their like.
    fn vi_second(&mut self, first: char, c: char, area: Rect) -> Result<Came, Full> {
        let counted = self.vi().count;
        let at = self.buffer.cursor();
        match (first, c) {
            ('r', c) => {
                self.vi().clear();
                let n = counted.unwrap_or(1);
                let to = pos(at.row, at.col + n);
                if to.col <= self.line_end(at.row) {
                    self.splice(at, to, &c.to_string().repeat(n), Kind::Other)?;
                    self.buffer.go(pos(at.row, at.col + n - 1), false);
                }
                Ok(Came::Used)
            }
            ('i' | 'a', c) => self.vi_object(first == 'a', c),
            ('Z', 'Z') => {
                self.vi().clear();
                self.bar = Some(Bar::Ex(Text::new("x")));
                Ok(Came::Command)
            }
            ('f' | 'F' | 't' | 'T', c) => {
                self.vi().sought = Some((first, c));
                // As if `;` had been typed now.
                self.vi_key(';', area)
            }
            ('g', 'g') => {
                let row = counted.map_or(0, |n| n - n.min(1)).min(self.buffer.last_row());
                let here = at.row;
                if let Some(operator) = self.vi().operator {
                    return self.operate(operator, Reach::Rows(row.min(here), row.max(here)));
                }
                let visual = matches!(self.vi().mode, Mode::Visual { .. });
                self.vi().clear();
                self.visit_from(pos(row, self.first_sign(row)), visual, area);
                Ok(Came::Used)
            }
            _ => {
                self.vi().clear();
                Ok(Came::Nothing)
            }
        }
    }

    /// An operator's, or what is selected from now on.
    fn vi_object(&mut self, around: bool, letter: char) -> Result<Came, Full> {
        let operator = self.vi().operator;
        self.vi().clear();
        let Some((from, to, lines)) = self.object(around, letter) else { return Ok(Came::Nothing) };
        match operator {
            Some(operator) if lines => self.operate(operator, Reach::Rows(from.row, to.row)),
            Some(operator) => {
                self.buffer.go(from, false);
                self.operate(operator, Reach::Before(to))
            }
            None => {
                self.vi().mode = Mode::Visual { lines };
                let last = if lines { to } else { self.left_of(to).max(from) };
                self.buffer.go(from, false);
                self.buffer.go(last, true);
                Ok(Came::Used)
            }
        }
    }

    /// Where a motion leads, `n` times.
    fn reach(&self, c: char, n: usize, counted: Option<usize>) -> Option<Reach> {
        let at = self.buffer.cursor();
        let end = self.line_end(at.row);
        let last = self.buffer.last_row();
        let times = |step: &dyn Fn(Pos) -> Pos| (0..n).fold(at, |at, _| step(at));
        Some(match c {
            'h' => Reach::Before(pos(at.row, at.col.saturating_sub(n))),
            'l' | ' ' => Reach::Before(pos(at.row, (at.col + n).min(end))),
            'j' | '\r' | '+' => Reach::Rows(at.row, (at.row + n).min(last)),
            'k' | '-' => Reach::Rows(at.row.saturating_sub(n), at.row),
            '0' => Reach::Before(pos(at.row, 0)),
            '^' => Reach::Before(pos(at.row, self.first_sign(at.row))),
            '$' => Reach::Before(pos(at.row, end)),
            'w' | 'W' => {
                let to = times(&|at| self.vi_word(at, c == 'W'));
                // An operator does not take the end of the line along.
                let operated = self.vi.as_ref().is_some_and(|vi| vi.operator.is_some());
                Reach::Before(if operated && to.row > at.row { pos(at.row, end) } else { to })
            }
            'b' | 'B' => Reach::Before(times(&|at| self.word_left(at))),
            'e' | 'E' => Reach::With(times(&|at| self.vi_word_end(at))),
            'G' => {
                let row = counted.map_or(last, |n| n.saturating_sub(1)).min(last);
                Reach::Rows(at.row.min(row), at.row.max(row))
            }
            '%' => {
                let lines = self.buffer.lines();
                let (_, other) = crate::console::editor::brackets::pair(lines, &self.colours, at, lines.len())?;
                Reach::With(other)
            }
            '{' => Reach::Before(pos((0..at.row).rev().find(|row| self.buffer.line(*row).is_empty()).unwrap_or(0), 0)),
            '}' => {
                let row = (at.row + 1..=last).find(|row| self.buffer.line(*row).is_empty()).unwrap_or(last);
                Reach::Before(pos(row, 0))
            }
            ';' | ',' => {
                let (kind, letter) = self.vi.as_ref()?.sought?;
                let forward = kind.is_lowercase() == (c == ';');
                let line: Vec<char> = self.buffer.line(at.row).chars().collect();
                let till = kind.eq_ignore_ascii_case(&'t');
                let mut col = at.col;
                for _ in 0..n {
                    let skip = usize::from(till);
                    col = if forward {
                        let from = (col + 1 + skip).min(line.len());
                        from + line[from..].iter().position(|c| *c == letter)? - skip
                    } else {
                        line[..col.saturating_sub(skip)].iter().rposition(|c| *c == letter)? + skip
                    };
                }
                if forward { Reach::With(pos(at.row, col)) } else { Reach::Before(pos(at.row, col)) }
            }
            _ => return None,
        })
    }

    fn vi_word(&self, at: Pos, big: bool) -> Pos {
        let mut to = self.word_right(at);
        let blank = |at: Pos| self.buffer.line(at.row).chars().nth(at.col).is_none_or(char::is_whitespace);
        while big && to.row == at.row && to.col > 0 && !blank(to) && !blank(pos(to.row, to.col - 1)) {
            to = self.word_right(to);
        }
        // From the end of a line to the first word of the next.
        if to.col >= self.buffer.width(to.row) && to.row < self.buffer.last_row() && to != at && to.row == at.row {
            to = pos(to.row + 1, self.first_sign(to.row + 1));
        } else if to.row > at.row {
            to = pos(to.row, self.first_sign(to.row));
        }
        to
    }

    fn vi_word_end(&self, at: Pos) -> Pos {
        let mut row = at.row;
        let mut from = at.col + 1;
        loop {
            let signs: Vec<char> = self.buffer.line(row).chars().collect();
            if let Some(start) = (from..signs.len()).find(|n| class(signs[*n]) != Class::Blank) {
                let kind = class(signs[start]);
                let long = signs[start..].iter().take_while(|c| class(**c) == kind).count();
                return pos(row, start + long - 1);
            }
            if row >= self.buffer.last_row() {
                return pos(row, signs.len().saturating_sub(1));
            }
            (row, from) = (row + 1, 0);
        }
    }

    fn word_at(&self, at: Pos) -> Option<(Pos, Pos)> {
        let signs: Vec<char> = self.buffer.line(at.row).chars().collect();
        let here = (at.col..signs.len()).find(|n| class(signs[*n]) == Class::Word)?;
        let start = signs[..here].iter().rposition(|c| class(*c) != Class::Word).map_or(0, |n| n + 1);
        let long = signs[start..].iter().take_while(|c| class(**c) == Class::Word).count();
        Some((pos(at.row, start), pos(at.row, start + long)))
    }

    fn operate(&mut self, operator: char, reach: Reach) -> Result<Came, Full> {
        self.vi().clear();
        let at = self.buffer.cursor();
        if let ('>' | '<', reach) = (operator, &reach) {
            let (first, last) = match reach {
                Reach::Rows(first, last) => (*first, *last),
                Reach::Before(other) | Reach::With(other) => (at.row.min(other.row), at.row.max(other.row)),
            };
            self.shift(first, last, operator == '>');
            self.buffer.go(pos(first, self.first_sign(first)), false);
            return Ok(Came::Used);
        }
        let (from, to) = match reach {
            Reach::Rows(first, last) => return self.operate_rows(operator, first, last),
            Reach::Before(other) => (at.min(other), at.max(other)),
            Reach::With(other) => (at.min(other), self.right_in_line(at.max(other))),
        };
        self.clip = Clip { text: self.buffer.text(from, to), lines: false };
        if operator == 'y' {
            self.buffer.go(from, false);
            return Ok(Came::Used);
        }
        self.splice(from, to, "", Kind::Other)?;
        if operator == 'c' {
            self.vi().mode = Mode::Insert;
        } else {
            self.vi().mode = Mode::Normal;
        }
        self.vi_clamp();
        Ok(Came::Used)
    }

    fn operate_rows(&mut self, operator: char, first: usize, last: usize) -> Result<Came, Full> {
        let at = self.buffer.cursor();
        let end = pos(last, self.buffer.width(last));
        self.clip = Clip { text: self.buffer.text(pos(first, 0), end) + "\n", lines: true };
        match operator {
            'y' => self.buffer.go(pos(first, at.col), false),
            'c' => {
                let depth = self.first_sign(first);
                self.splice(pos(first, depth), end, "", Kind::Other)?;
                self.vi().mode = Mode::Insert;
            }
            _ => {
                let (from, to) = self.whole_rows(first, last);
                self.splice(from, to, "", Kind::Other)?;
                let row = first.min(self.buffer.last_row());
                self.buffer.go(pos(row, self.first_sign(row)), false);
            }
        }
        self.vi_clamp();
        Ok(Came::Used)
    }

    fn operate_selected(&mut self, c: char) -> Result<Came, Full> {
        let lines = self.vi().mode == (Mode::Visual { lines: true });
        let at = self.buffer.cursor();
        let (from, to) = self.buffer.selection().unwrap_or((at, at));
        self.buffer.unselect();
        self.vi().mode = Mode::Normal;
        match c {
            '~' => {
                let to = self.right_in_line(to);
                self.turn_case_of(from, to)?;
                self.buffer.go(from, false);
                return Ok(Came::Used);
            }
            'J' => {
                self.buffer.go(from, false);
                self.join((to.row - from.row).max(1))?;
                return Ok(Came::Used);
            }
            _ => {}
        }
        self.buffer.go(from, false);
        let operator = match c {
            'x' => 'd',
            's' => 'c',
            c => c,
        };
        self.operate(operator, if lines { Reach::Rows(from.row, to.row) } else { Reach::With(to) })
    }

    fn put(&mut self, after: bool, n: usize) -> Result<Came, Full> {
        let at = self.buffer.cursor();
        let clip = self.clip.clone();
        let text = clip.text.repeat(n.min(1000));
        if text.is_empty() {
            return Ok(Came::Nothing);
        }
        if clip.lines {
            let (place, text, row) = match after {
                false => (pos(at.row, 0), text, at.row),
                true if at.row < self.buffer.last_row() => (pos(at.row + 1, 0), text, at.row + 1),
                true => (self.buffer.end(), format!("\n{}", text.strip_suffix('\n').unwrap_or(&text)), at.row + 1),
            };
            self.splice(place, place, &text, Kind::Other)?;
            self.buffer.go(pos(row, self.first_sign(row)), false);
        } else {
            let place = if after { self.right_in_line(at) } else { at };
            self.splice(place, place, &text, Kind::Other)?;
            let end = self.buffer.cursor();
            self.buffer.go(pos(end.row, end.col.saturating_sub(1)), false);
        }
        Ok(Came::Used)
    }

    fn join(&mut self, times: usize) -> Result<(), Full> {
        for _ in 0..times {
            let row = self.buffer.cursor().row;
            if row >= self.buffer.last_row() {
                break;
            }
            let end = pos(row, self.buffer.width(row));
            let next = pos(row + 1, self.first_sign(row + 1));
            let blank = end.col == 0 || self.buffer.width(row + 1) == next.col;
            self.buffer.splice(end, next, if blank { "" } else { " " })?;
            self.buffer.go(end, false);
        }
        self.buffer.close(Kind::Other);
        Ok(())
    }

    fn turn_case_of(&mut self, from: Pos, to: Pos) -> Result<(), Full> {
        let text: String = self
            .buffer
            .text(from, to)
            .chars()
            .flat_map(
                |c| if c.is_lowercase() { c.to_uppercase().collect::<Vec<_>>() } else { c.to_lowercase().collect() },
            )
            .collect();
        self.splice(from, to, &text, Kind::Other)
    }

    fn right_in_line(&self, at: Pos) -> Pos {
        pos(at.row, (at.col + 1).min(self.line_end(at.row).max(at.col)))
    }

    /// Outside insert mode the cursor stands on a sign, not behind the last one.
    pub(super) fn vi_clamp(&mut self) {
        if self.vi.as_ref().is_some_and(|vi| vi.mode == Mode::Normal) {
            let at = self.buffer.cursor();
            let end = self.line_end(at.row);
            if at.col >= end && end > 0 && !self.buffer.selecting() {
                let wanted = pos(at.row, end - 1);
                self.buffer.settle_at(wanted);
            }
        }
    }

    /// ^d and ^u: half a screen.
    pub(super) fn half_page(&mut self, down: bool, area: Rect) {
        let by = (super::panes::panes(area, self).text_size().1 / 2).max(1);
        let extend = self.buffer.selecting();
        self.buffer.rows(down, by, extend);
        self.top = if down { self.top + by } else { self.top.saturating_sub(by) };
        self.vi_clamp();
    }

    pub(super) fn vi_page(&mut self, down: bool, area: Rect) {
        self.travel(if down { Motion::PageDown } else { Motion::PageUp }, self.buffer.selecting(), area);
        self.vi_clamp();
    }
}
