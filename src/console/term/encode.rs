//! Bytes for a terminal: where to write, in which style, what. Knows the style and the place the terminal is in and
//! says only what changes.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::console::theme::colour::index_of;

/// Each modifier, how to set and how to end it. Bold and dim end together.
const MODS: [(Modifier, u8, u8); 8] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// What can be seen where no letter is.
pub const SEEN_ON_BLANK: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    mods: Modifier,
}

const PLAIN: Look = Look { fg: Color::Reset, bg: Color::Reset, mods: Modifier::empty() };

impl Look {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, mods: cell.modifier }
    }
}

/// A frame under construction.
pub struct Encoder {
    bytes: Vec<u8>,
    look: Look,
    /// Where the terminal's cursor surely is.
    at: Option<(u16, u16)>,
}

impl Encoder {
    /// Takes over a buffer so that its memory is used again.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, look: PLAIN, at: None }
    }

    pub fn done(self) -> Vec<u8> {
        self.bytes
    }

    pub fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: impl Into<u32>) {
        let number: u32 = number.into();
        if number >= 10 {
            self.number(number / 10);
        }
        self.bytes.push(b'0' + (number % 10) as u8);
    }

    /// Puts the cursor at a place. `row` is what the row shall show: where a few of its cells, as they are, take
    /// fewer bytes than a jump over them, they are written again.
    pub fn go(&mut self, x: u16, y: u16, row: &[Cell]) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, same)) if same == y && from < x => {
                let between = &row[usize::from(from)..usize::from(x)];
                let again = between.len() <= 3
                    && between.iter().all(|cell| Look::of(cell) == self.look && cell.symbol().len() == 1);
                if again {
                    between.iter().for_each(|cell| self.raw(cell.symbol()));
                } else {
                    self.raw("\x1b[");
                    if x - from > 1 {
                        self.number(x - from);
                    }
                    self.raw("C");
                }
            }
            _ => self.jump(x, y),
        }
        self.at = Some((x, y));
    }

    /// Puts the cursor at a place, wherever it was.
    pub fn jump(&mut self, x: u16, y: u16) {
        self.raw("\x1b[");
        if (x, y) != (0, 0) {
            self.number(u32::from(y) + 1);
        }
        if x > 0 {
            self.raw(";");
            self.number(u32::from(x) + 1);
        }
        self.raw("H");
        self.at = Some((x, y));
    }

    /// Writes a cell of `width` columns where the cursor is; `last` if it ends the row.
    pub fn put(&mut self, cell: &Cell, width: u16, last: bool) {
        let mut look = Look::of(cell);
        if cell.symbol() == " " && look.mods.is_empty() {
            // On a blank only the ground is seen: the rest stays as the letters before it had it.
            look.fg = self.look.fg;
            look.mods = self.look.mods - SEEN_ON_BLANK;
        }
        self.wear(look);
        self.raw(cell.symbol());
        // Terminals disagree on the width of what is not a plain letter, and on where the cursor is at the end of a
        // row: after those the next place is said in full.
        let sure = width == 1 && cell.symbol().chars().nth(1).is_none() && !last;
        self.at = self.at.filter(|_| sure).map(|(x, y)| (x + 1, y));
    }

    /// From the cursor to the end of the row: nothing but a ground.
    pub fn erase_rest(&mut self, ground: Color) {
        self.wear(Look { bg: ground, ..PLAIN });
        self.raw("\x1b[K");
    }

    /// So many cells from the cursor on: nothing but a ground. The cursor stays.
    pub fn erase(&mut self, cells: u16, ground: Color) {
        self.wear(Look { bg: ground, ..PLAIN });
        self.raw("\x1b[");
        self.number(cells);
        self.raw("X");
    }

    /// An empty screen.
    pub fn clear(&mut self) {
        self.raw("\x1b[r\x1b[m\x1b[H\x1b[2J");
        self.look = PLAIN;
        self.at = Some((0, 0));
    }

    /// Moves what stands between two rows (both included) `by` rows up, or down if negative. Line feed and reverse
    /// index at the edge of a scroll region: every terminal knows them, unlike SU and SD.
    pub fn scroll(&mut self, top: u16, bottom: u16, by: i32) {
        self.plain(); // some terminals fill the new rows with the current background
        self.raw("\x1b[");
        self.number(u32::from(top) + 1);
        self.raw(";");
        self.number(u32::from(bottom) + 1);
        self.raw("r");
        self.jump(0, if by > 0 { bottom } else { top });
        for _ in 0..by.unsigned_abs() {
            self.raw(if by > 0 { "\n" } else { "\x1bM" });
        }
        self.raw("\x1b[r");
        self.at = None;
    }

    pub fn plain(&mut self) {
        self.wear(PLAIN);
    }

    fn wear(&mut self, look: Look) {
        if look == self.look {
            return;
        }
        let was = self.look;
        self.look = look;
        self.raw("\x1b[");
        if look == PLAIN {
            self.raw("m");
            return;
        }
        let start = self.bytes.len();
        let gone = was.mods - look.mods;
        let mut kept = was.mods;
        for (modifier, _, end) in MODS {
            if gone.contains(modifier) && kept.contains(modifier) {
                self.code(end);
                kept -= modifier;
                MODS.iter().filter(|(_, _, other)| *other == end).for_each(|(other, _, _)| kept -= *other);
            }
        }
        for (modifier, set, _) in MODS {
            if (look.mods - kept).contains(modifier) {
                self.code(set);
            }
        }
        if look.fg != was.fg {
            self.colour(look.fg, 0);
        }
        if look.bg != was.bg {
            self.colour(look.bg, 10);
        }
        if self.bytes.len() == start {
            // Only a modifier without a code (hidden) changed.
            self.bytes.truncate(start - 2);
            return;
        }
        self.bytes.pop(); // the last separator
        self.raw("m");
    }

    fn code(&mut self, code: u8) {
        self.number(code);
        self.raw(";");
    }

    /// `ground` is 10 for the background's codes.
    fn colour(&mut self, colour: Color, ground: u8) {
        match (colour, index_of(colour)) {
            (_, Some(index @ 0..8)) => self.code(30 + ground + index),
            (_, Some(index @ 8..16)) => self.code(90 + ground + index - 8),
            (_, Some(index)) => {
                self.code(38 + ground);
                self.code(5);
                self.code(index);
            }
            (Color::Rgb(r, g, b), _) => {
                for part in [38 + ground, 2, r, g, b] {
                    self.code(part);
                }
            }
            _ => self.code(39 + ground),
        }
    }
}
