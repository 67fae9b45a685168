//! Changing a script: what is typed, lines as a whole, indentation, comments, the clipboard. Every command is one step
//! to undo.

use super::{Clip, Editor};
use crate::console::editor::buffer::{Full, Kind, Pos, pos};
use crate::console::editor::cells;
use crate::console::editor::document::{Ends, Indent, clean};

/// Words that close what an earlier line opened, and words that open.
const CLOSERS: [&str; 6] = ["fi", "done", "esac", "else", "elif", "}"];
const OPENERS: [&str; 5] = ["then", "do", "else", "{", "in"];

impl Editor {
    /// What is selected goes, or nothing; where the next letter belongs.
    fn range(&self) -> (Pos, Pos) {
        let at = self.buffer.cursor();
        self.buffer.selection().unwrap_or((at, at))
    }

    pub(super) fn type_char(&mut self, c: char) -> Result<(), Full> {
        let (from, to) = self.range();
        let mut utf8 = [0; 4];
        if from != to || c == ' ' {
            // A word is undone without the blank before it.
            self.buffer.pause();
        }
        if matches!(c, '}' | ')' | ']') && from == to && from.col > 0 && from.col == self.first_sign(from.row) {
            self.outdent_closer(from.row);
        }
        let (from, to) = self.range();
        self.splice(from, to, c.encode_utf8(&mut utf8), Kind::Typed)
    }

    /// A closing bracket that begins a line stands one step further left than what it closes.
    fn outdent_closer(&mut self, row: usize) {
        let above = (0..row).rev().find(|row| !self.buffer.line(*row).trim().is_empty());
        let Some(above) = above else { return };
        let opens = self.buffer.line(above).trim_end().ends_with(['{', '(', '[']);
        let (mine, theirs) = (self.depth(row), self.depth(above));
        if (opens && mine > theirs) || (!opens && mine >= theirs) {
            self.shift(row, row, false);
        }
    }

    pub(super) fn insert(&mut self, text: &str) -> Result<(), Full> {
        let (from, to) = self.range();
        self.splice(from, to, text, Kind::Other)
    }

    /// Pasted text is text as it is: no indentation is added to it.
    pub(super) fn insert_pasted(&mut self, text: &str) -> Result<(), Full> {
        let text = clean(text);
        if self.shape.ends == Ends::Mixed && self.buffer.line(self.buffer.cursor().row).ends_with('\r') {
            return self.insert(&text.replace('\n', "\r\n"));
        }
        self.insert(&text)
    }

    /// A new line, indented as this one is, one step further after what opens a block.
    pub(super) fn newline(&mut self) -> Result<(), Full> {
        let (from, to) = self.range();
        if from == to {
            self.outdent_word(from.row);
        }
        let (from, to) = self.range();
        let line = self.buffer.line(from.row);
        let head = &line[..cells::byte_of(line, from.col)];
        let mut indent: String = head.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        if self.opens(head) {
            indent.push_str(&self.shape.indent.text());
        }
        let cr = self.shape.ends == Ends::Mixed && line.ends_with('\r');
        let text = format!("{}\n{indent}", if cr { "\r" } else { "" });
        self.splice(from, to, &text, Kind::Other)
    }

    fn opens(&self, head: &str) -> bool {
        let code = head.trim_end();
        let last = code.rsplit(char::is_whitespace).next().unwrap_or_default();
        match self.language() {
            "Python" | "YAML" => code.ends_with([':', '(', '[', '{']),
            "bash" => code.ends_with('(') || (OPENERS.contains(&last) && !code.trim_start().starts_with('#')),
            _ => code.ends_with(['{', '(', '[']),
        }
    }

    /// `fi`, `done` and their like go one step to the left when their line is left, unless they stand there already.
    fn outdent_word(&mut self, row: usize) {
        let line = self.buffer.line(row).trim_start();
        let word = line.split([' ', ';', '\t']).next().unwrap_or_default();
        if self.language() != "bash" || !CLOSERS.contains(&word) {
            return;
        }
        let above = (0..row).rev().find(|row| !self.buffer.line(*row).trim().is_empty());
        let Some(above) = above else { return };
        if self.depth(row) > 0 && self.depth(row) >= self.depth(above) && !self.opens(self.buffer.line(above)) {
            self.shift(row, row, false);
        }
    }

    /// Cells of indentation.
    fn depth(&self, row: usize) -> usize {
        cells::x_of(self.buffer.line(row), self.first_sign(row))
    }

    pub(super) fn backspace(&mut self) -> Result<(), Full> {
        let (mut from, to) = self.range();
        if from == to {
            let in_indent = from.col > 0 && from.col <= self.first_sign(from.row);
            from = match self.shape.indent {
                // Within the indentation, one step.
                Indent::Spaces(n) if in_indent && self.buffer.line(from.row)[..from.col].bytes().all(|b| b == b' ') => {
                    pos(from.row, (from.col - 1) / n * n)
                }
                _ => match cells::beside(self.buffer.line(from.row), from.col).0 {
                    // One character of what is one sign: an accent goes before its letter.
                    Some(_) => pos(from.row, from.col - 1),
                    None => self.left_of(from),
                },
            };
        }
        self.splice(from, to, "", Kind::Erased)
    }

    pub(super) fn delete_to(&mut self, other: Pos) -> Result<(), Full> {
        let (mut from, mut to) = self.range();
        if from == to {
            (from, to) = (from.min(other), from.max(other));
        }
        self.splice(from, to, "", Kind::Other)
    }

    /// The rows that line commands mean.
    pub(super) fn rows(&self) -> (usize, usize) {
        let (from, to) = self.range();
        let last = if to.col == 0 && to.row > from.row { to.row - 1 } else { to.row };
        (from.row, last)
    }

    /// Puts lines in the place of rows, and the cursor where it was or the selection on all of them.
    pub(super) fn put_rows(&mut self, first: usize, last: usize, lines: &[String]) -> Result<(), Full> {
        let selecting = self.buffer.selection().is_some();
        let at = self.buffer.cursor();
        let done = self.splice(pos(first, 0), pos(last, self.buffer.width(last)), &lines.join("\n"), Kind::Other);
        if done.is_ok() && selecting {
            let end = first + lines.len() - 1;
            self.buffer.select(pos(first, 0), pos(end, self.buffer.width(end)));
        } else {
            self.buffer.go(at, false);
        }
        done
    }

    /// Indents the rows, or takes a step of it away.
    pub(super) fn shift(&mut self, first: usize, last: usize, right: bool) {
        let step = self.shape.indent.text();
        let lines: Vec<String> = (first..=last)
            .map(|row| {
                let line = self.buffer.line(row);
                if right {
                    return if line.trim().is_empty() { line.to_owned() } else { format!("{step}{line}") };
                }
                let most = if line.starts_with('\t') { 1 } else { step.len().max(if step == "\t" { 8 } else { 1 }) };
                let blank = line.bytes().take(most).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                line[blank..].to_owned()
            })
            .collect();
        let at = self.buffer.cursor();
        let before = self.buffer.width(at.row);
        if self.put_rows(first, last, &lines).is_ok() && self.buffer.selection().is_none() {
            let after = self.buffer.width(at.row);
            self.buffer.go(pos(at.row, (at.col + after).saturating_sub(before)), false);
        }
    }

    /// Tab: rows that are selected are indented; else to the next step.
    pub(super) fn indent(&mut self) -> Result<(), Full> {
        if let Some((from, to)) = self.buffer.selection()
            && from.row != to.row
        {
            let (first, last) = self.rows();
            self.shift(first, last, true);
            return Ok(());
        }
        let at = self.range().0;
        let text = match self.shape.indent {
            Indent::Tab => "\t".to_owned(),
            Indent::Spaces(n) => " ".repeat(n - cells::x_of(self.buffer.line(at.row), at.col) % n),
        };
        self.insert(&text)
    }

    /// Comments the rows out, or in again if all of them are out.
    pub(super) fn comment(&mut self) -> Result<(), Full> {
        let sign = self.colours.grammar().map_or("#", |grammar| grammar.comment());
        let (first, last) = self.rows();
        let rows: Vec<&str> = (first..=last).map(|row| self.buffer.line(row)).collect();
        let written = |line: &&&str| !line.trim().is_empty();
        let out =
            rows.iter().any(|line| written(&line)) && rows.iter().filter(written).all(|line| commented(line, sign));
        let blanks = |line: &str| line.len() - line.trim_start().len();
        let column = rows.iter().filter(written).map(|line| blanks(line)).min().unwrap_or(0);
        let lines: Vec<String> = rows
            .iter()
            .map(|line| match out {
                _ if line.trim().is_empty() => (*line).to_owned(),
                true => {
                    let (head, rest) = line.split_at(blanks(line));
                    let rest = &rest[sign.len()..];
                    format!("{head}{}", rest.strip_prefix(' ').unwrap_or(rest))
                }
                false => {
                    let (head, rest) = line.split_at(line.floor_char_boundary(column));
                    format!("{head}{sign} {rest}")
                }
            })
            .collect();
        self.put_rows(first, last, &lines)
    }

    pub(super) fn delete_lines(&mut self) -> Result<(), Full> {
        let (first, last) = self.rows();
        let at = self.buffer.cursor();
        let (from, to) = self.whole_rows(first, last);
        self.splice(from, to, "", Kind::Other)?;
        self.buffer.go(self.buffer.near(pos(first, at.col)), false);
        Ok(())
    }

    /// Rows with one of the line ends around them.
    pub(super) fn whole_rows(&self, first: usize, last: usize) -> (Pos, Pos) {
        if last < self.buffer.last_row() {
            (pos(first, 0), pos(last + 1, 0))
        } else if first > 0 {
            (pos(first - 1, self.buffer.width(first - 1)), self.buffer.end())
        } else {
            (pos(0, 0), self.buffer.end())
        }
    }

    pub(super) fn duplicate_lines(&mut self) -> Result<(), Full> {
        let (first, last) = self.rows();
        let at = self.buffer.cursor();
        let text = self.buffer.text(pos(first, 0), pos(last, self.buffer.width(last)));
        self.splice(pos(first, 0), pos(first, 0), &format!("{text}\n"), Kind::Other)?;
        self.buffer.go(pos(at.row + last - first + 1, at.col), false);
        Ok(())
    }

    /// The rows change places with the one above or below.
    pub(super) fn move_lines(&mut self, down: bool) -> Result<(), Full> {
        let (first, last) = self.rows();
        if (down && last >= self.buffer.last_row()) || (!down && first == 0) {
            return Ok(());
        }
        let (top, bottom) = if down { (first, last + 1) } else { (first - 1, last) };
        let mut lines: Vec<String> = self.buffer.lines()[top..=bottom].to_vec();
        if down {
            lines.rotate_right(1)
        } else {
            lines.rotate_left(1)
        }
        let (at, selection) = (self.buffer.cursor(), self.buffer.selection());
        self.buffer.unselect();
        self.put_rows(top, bottom, &lines)?;
        let moved = |at: Pos| pos(if down { at.row + 1 } else { at.row - 1 }, at.col);
        match selection {
            Some((from, to)) => self.buffer.select(moved(from), moved(to)),
            None => self.buffer.go(moved(at), false),
        }
        Ok(())
    }

    /// What is selected, else the line.
    pub(super) fn clip_here(&self) -> Clip {
        match self.buffer.selection() {
            Some((from, to)) => Clip { text: self.buffer.text(from, to), lines: false },
            None => {
                let (first, last) = self.rows();
                let text = self.buffer.text(pos(first, 0), pos(last, self.buffer.width(last)));
                Clip { text: format!("{text}\n"), lines: true }
            }
        }
    }

    /// Cuts what is selected, else the line; lines cut one after the other are kept together.
    pub(super) fn cut(&mut self) -> Result<(), Full> {
        let clip = self.clip_here();
        if clip.lines {
            let joined = self.cutting && self.clip.lines;
            let before = if joined { std::mem::take(&mut self.clip.text) } else { String::new() };
            self.clip = Clip { text: before + &clip.text, lines: true };
            self.delete_lines()?;
            self.cutting = true;
            Ok(())
        } else {
            self.clip = clip;
            self.delete_to(self.buffer.cursor())
        }
    }

    pub(super) fn paste_clip(&mut self) -> Result<(), Full> {
        let clip = self.clip.clone();
        let at = self.buffer.cursor();
        if !clip.lines || self.buffer.selection().is_some() {
            return self.insert(&clip.text);
        }
        self.splice(pos(at.row, 0), pos(at.row, 0), &clip.text, Kind::Other)?;
        let rows = memchr::memchr_iter(b'\n', clip.text.as_bytes()).count();
        self.buffer.go(pos(at.row + rows, at.col), false);
        Ok(())
    }

    /// To the other kind of line ends: from Windows' or mixed ones to LF, from LF to Windows'.
    pub(super) fn turn_line_ends(&mut self) -> Ends {
        let to = if self.shape.ends == Ends::Lf { Ends::Crlf } else { Ends::Lf };
        if self.shape.ends == Ends::Mixed {
            let lines: Vec<String> =
                self.buffer.lines().iter().map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()).collect();
            let _ = self.put_rows(0, self.buffer.last_row(), &lines); // It becomes less.
        }
        self.shape.ends = to;
        self.buffer.serial += 1; // The bytes changed, even where no line did.
        to
    }
}

fn commented(line: &str, sign: &str) -> bool {
    let line = line.trim_start();
    line.get(..sign.len()).is_some_and(|head| head.eq_ignore_ascii_case(sign))
}
