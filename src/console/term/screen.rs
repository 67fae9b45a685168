//! The screen: what the terminal shows, what it shall show, and the fewest bytes between the two. Owns the double
//! buffer; refuses to know what is drawn. One frame is one write inside a synchronized update, so that no terminal
//! shows half of it; a frame in which nothing changed writes nothing.

use std::io::{self, Write};

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};

use super::encode::{Encoder, SEEN_ON_BLANK};
use super::moved;
use crate::console::theme::Depth;
use crate::console::theme::colour::down;
use crate::console::theme::glyphs::ascii_twin;

const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// This many blanks are erased rather than written.
const WORTH_ERASING: usize = 6;

/// A double buffer in front of a terminal.
pub struct Screen<W: Write> {
    out: W,
    depth: Depth,
    ascii: bool,
    bce: bool,
    /// Synchronized updates: a frame is shown whole or not yet. Unknown ones are ignored, so they are sent unless the
    /// terminal has said that it does not know them.
    synchronized: bool,
    /// What the terminal shows.
    shown: Buffer,
    next: Buffer,
    /// Nothing is known about what the terminal shows.
    stale: bool,
    /// Where the cursor is shown; outer `None`: not known.
    cursor: Option<Option<Position>>,
    bytes: Vec<u8>,
}

impl<W: Write> Screen<W> {
    pub fn new(out: W, area: Rect, depth: Depth) -> Self {
        Self {
            out,
            depth,
            ascii: false,
            bce: true,
            synchronized: true,
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            stale: true,
            cursor: None,
            bytes: Vec::new(),
        }
    }

    /// For a terminal that shows ASCII only: our own signs become their twins, other characters question marks.
    pub fn ascii(mut self, ascii: bool) -> Self {
        self.ascii = ascii;
        self
    }

    /// For a terminal (GNU screen) that erases without the current background: blanks on a ground of their own are
    /// written out.
    pub fn bce(mut self, bce: bool) -> Self {
        self.bce = bce;
        self
    }

    /// Whether frames are marked as synchronized updates.
    pub fn synchronize(&mut self, on: bool) {
        self.synchronized = on;
    }

    pub fn area(&self) -> Rect {
        self.shown.area
    }

    /// What the terminal shows since the last frame.
    pub fn shown(&self) -> &Buffer {
        &self.shown
    }

    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// The terminal has another size now. What it did with the old rows is its affair: the next frame is drawn whole.
    pub fn resize(&mut self, area: Rect) {
        if area != self.shown.area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.redraw();
    }

    /// Something else wrote on the terminal: the next frame is drawn whole.
    pub fn redraw(&mut self) {
        self.stale = true;
        self.cursor = None;
    }

    /// Draws a frame and says how many bytes it took. The buffer is empty at first; what is returned is where the
    /// cursor is to be seen, if anywhere.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<usize> {
        let area = self.shown.area;
        self.next.reset();
        let cursor = draw(area, &mut self.next).filter(|at| area.contains(*at));
        let width = usize::from(area.width);
        if width > 0 {
            for row in self.next.content.chunks_mut(width) {
                settle(row, self.depth, self.ascii);
            }
        }
        let mut encoder = Encoder::new(std::mem::take(&mut self.bytes));
        let (begin, end) = if self.synchronized { (BEGIN, END) } else { ("", "") };
        encoder.raw(begin);
        self.changes(&mut encoder, width);
        encoder.plain();
        let mut bytes = encoder.done();
        let changed = bytes.len() > begin.len();
        if !changed {
            bytes.clear();
        }
        self.place(cursor, &mut bytes);
        if changed {
            bytes.extend_from_slice(end.as_bytes());
        }
        let sent = if bytes.is_empty() { Ok(()) } else { self.out.write_all(&bytes).and_then(|()| self.out.flush()) };
        let length = bytes.len();
        self.bytes = bytes;
        match sent {
            Ok(()) => {
                std::mem::swap(&mut self.shown, &mut self.next);
                self.stale = false;
                self.cursor = Some(cursor);
                Ok(length)
            }
            Err(error) => {
                self.redraw();
                Err(error)
            }
        }
    }

    fn changes(&mut self, encoder: &mut Encoder, width: usize) {
        if self.stale {
            encoder.clear();
            self.shown.reset();
        }
        if width == 0 {
            return;
        }
        if !self.stale
            && let Some(found) = moved::find(&self.shown.content, &self.next.content, width)
        {
            encoder.scroll(found.top as u16, found.bottom as u16, found.by);
            moved::apply(&mut self.shown.content, width, found);
        }
        let rows = self.shown.content.chunks(width).zip(self.next.content.chunks(width));
        for (y, (old, new)) in rows.enumerate() {
            if old != new {
                self::row(encoder, y as u16, old, new, self.bce);
            }
        }
    }

    /// Shows the cursor where it shall be, or not at all.
    fn place(&self, cursor: Option<Position>, bytes: &mut Vec<u8>) {
        if bytes.is_empty() && self.cursor == Some(cursor) {
            return;
        }
        let mut encoder = Encoder::new(Vec::new());
        if let Some(at) = cursor {
            encoder.jump(at.x, at.y);
        }
        match (self.cursor, cursor) {
            (Some(Some(_)), Some(_)) | (Some(None), None) => {}
            (_, Some(_)) => encoder.raw("\x1b[?25h"),
            (_, None) => encoder.raw("\x1b[?25l"),
        }
        bytes.extend(encoder.done());
    }
}

/// Brings a row into one form, so that rows that look alike are alike: colours at the depth of the terminal, a wide
/// character followed by empty cells in its style, never half of one, a blank without what cannot be seen on it, and
/// no control character whatever happened above.
fn settle(row: &mut [Cell], depth: Depth, ascii: bool) {
    let mut x = 0;
    while x < row.len() {
        let cell = &mut row[x];
        if depth != Depth::True {
            cell.fg = down(cell.fg, depth);
            cell.bg = down(cell.bg, depth);
        }
        let symbol = cell.symbol();
        if let [b' '..=b'~'] = symbol.as_bytes() {
            if symbol == " " {
                blank(cell);
            }
            x += 1;
            continue;
        }
        let width = match symbol.chars().any(char::is_control) {
            true => 0,
            false => usize::from(symbol.cell_width()),
        };
        let fits = width > 0
            && x + width <= row.len()
            && row[x + 1..x + width].iter().all(|half| matches!(half.symbol(), " " | ""));
        if !fits {
            row[x].set_symbol(" ");
            blank(&mut row[x]);
            x += 1;
        } else if ascii {
            let twin = row[x].symbol().chars().next().map_or('?', ascii_twin);
            let lead = row[x].clone();
            for cell in &mut row[x..x + width] {
                *cell = lead.clone();
                cell.set_char(if width == 1 { twin } else { '?' });
            }
            x += width;
        } else {
            let lead = row[x].clone();
            for half in &mut row[x + 1..x + width] {
                *half = lead.clone();
                half.set_symbol("");
            }
            x += width;
        }
    }
}

/// On a blank only a background, a line or a reversal can be seen.
fn blank(cell: &mut Cell) {
    if !cell.modifier.intersects(SEEN_ON_BLANK) {
        cell.modifier = Modifier::empty();
        cell.fg = Color::Reset;
    }
}

/// What turns one row into another. `bce`: the terminal erases with the current background.
fn row(encoder: &mut Encoder, y: u16, old: &[Cell], new: &[Cell], bce: bool) {
    let width = new.len();
    let mut x = 0;
    while x < width {
        if old[x] == new[x] && !new[x].symbol().is_empty() && !wide(new, x) {
            x += 1;
            continue;
        }
        let blanks = new[x..].iter().take_while(|cell| **cell == new[x]).count();
        if blanks >= WORTH_ERASING && new[x].symbol() == " " && new[x].modifier.is_empty() {
            let ground = new[x].bg;
            let last = (x..x + blanks).rev().find(|&at| old[at] != new[at]).unwrap_or(x);
            if last + 1 - x >= WORTH_ERASING && (bce || ground == Color::Reset) {
                encoder.go(x as u16, y, new);
                match x + blanks == width {
                    true => encoder.erase_rest(ground),
                    false => encoder.erase((last + 1 - x) as u16, ground),
                }
                x = last + 1;
                continue;
            }
        }
        let mut after = x + 1;
        while after < width && new[after].symbol().is_empty() {
            after += 1;
        }
        if old[x..after] != new[x..after] {
            encoder.go(x as u16, y, new);
            encoder.put(&new[x], (after - x) as u16, after == width);
        }
        x = after;
    }
}

fn wide(row: &[Cell], x: usize) -> bool {
    row.get(x + 1).is_some_and(|half| half.symbol().is_empty())
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
