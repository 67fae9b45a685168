//! Reads a device's line and says what is in it, piece by piece. The escape sequences are recognised by `vte`, the
//! state machine of a real terminal, so that what we show as one sequence is what a terminal would take for one;
//! but every piece is cut from the source, so that nothing the parser swallows is lost.

use vte::{Params, Parser, Perform};

/// What a line consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    Char(char),
    Tab,
    /// Back to the start of the line: what follows replaces what was.
    Return,
    /// SGR parameters, each with its sub-parameters.
    Colours(&'a [Vec<u16>]),
    /// A control character or sequence, as text that is safe to show.
    Mark(String),
}

/// Titles, clipboards and their like are announced with this much of their content.
const STRING_SHOWN: usize = 24;
/// Any other sequence is shown up to here.
const SEQUENCE_SHOWN: usize = 48;
/// Accents stacked on one letter; more is meant to overflow into other lines.
const ACCENTS: usize = 4;

#[derive(Default)]
struct Seen {
    event: Option<Event>,
    sgr: Vec<Vec<u16>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Event {
    Print(char),
    Execute(u8),
    Csi(char),
    Escape(u8),
    /// The end of an OSC or DCS string.
    String,
}

impl Perform for Seen {
    fn print(&mut self, c: char) {
        self.event = Some(Event::Print(c));
    }

    fn execute(&mut self, byte: u8) {
        self.event = Some(Event::Execute(byte));
    }

    fn unhook(&mut self) {
        self.event = Some(Event::String);
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.event = Some(Event::String);
    }

    fn csi_dispatch(&mut self, params: &Params, _: &[u8], _: bool, action: char) {
        self.event = Some(Event::Csi(action));
        self.sgr.clear();
        self.sgr.extend(params.iter().map(<[u16]>::to_vec));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.event = Some(Event::Escape(byte));
    }
}

/// Calls `out` with each piece of `text`, in order.
pub fn walk(text: &str, out: &mut dyn FnMut(Piece<'_>)) {
    let mut parser = Parser::new();
    let mut seen = Seen::default();
    let mut letters = Letters::default();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        if c == '\x1b' && at > start {
            // A new sequence cuts off an unfinished one; a finished string ends here too.
            flush(&text[start..at], out);
            letters.none();
            start = at;
        }
        let mut utf8 = [0; 4];
        parser.advance(&mut seen, c.encode_utf8(&mut utf8).as_bytes());
        let Some(event) = seen.event.take() else { continue };
        if c == '\x1b' {
            continue; // the string this ESC ended is already out
        }
        let source = &text[start..next];
        start = next;
        match event {
            Event::Print(c) if source.len() == c.len_utf8() => letters.put(c, out),
            Event::Execute(_) if source == "\t" => {
                letters.none();
                out(Piece::Tab);
            }
            Event::Execute(_) if source == "\r" => {
                letters.none();
                out(Piece::Return);
            }
            Event::Csi('m') if is_plain_sgr(source) => out(Piece::Colours(&seen.sgr)),
            // What is written ends where we are: there is nothing to erase to the right, and ASCII is what we have.
            Event::Csi('K') if matches!(source, "\x1b[K" | "\x1b[0K") => {}
            Event::Escape(b'B') if source == "\x1b(B" => {}
            Event::Escape(b'\\') => letters.none(), // the end of a string that has been shown
            _ => {
                letters.none();
                flush(source, out);
            }
        }
    }
    if start < text.len() {
        // Unfinished at the end of the line: shown whole, so that a lone ESC hides nothing.
        let rest = &text[start..];
        match rest.strip_prefix('\x1b') {
            Some(rest) => {
                out(Piece::Mark(shown('\x1b')));
                rest.chars().for_each(|c| match c {
                    '\t' => out(Piece::Tab),
                    c if c.is_control() => out(Piece::Mark(shown(c))),
                    c => letters.put(c, out),
                });
            }
            None => out(Piece::Mark(visible(rest, SEQUENCE_SHOWN))),
        }
    }
}

fn is_plain_sgr(source: &str) -> bool {
    source
        .strip_prefix("\x1b[")
        .and_then(|rest| rest.strip_suffix('m'))
        .is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_digit() || byte == b';' || byte == b':'))
}

fn flush(source: &str, out: &mut dyn FnMut(Piece<'_>)) {
    let string = source.strip_prefix('\x1b').is_some_and(|rest| rest.starts_with([']', 'P', 'X', '^', '_']));
    let (source, most) =
        if string { (source.strip_suffix('\x07').unwrap_or(source), STRING_SHOWN) } else { (source, SEQUENCE_SHOWN) };
    out(Piece::Mark(visible(source, most)));
}

/// Letters as they come, what cannot be seen as a mark.
#[derive(Default)]
struct Letters {
    accents: Option<usize>,
}

impl Letters {
    /// The next accent has no letter to stand on.
    fn none(&mut self) {
        self.accents = None;
    }

    fn put(&mut self, c: char, out: &mut dyn FnMut(Piece<'_>)) {
        if matches!(c, '\u{fe00}'..='\u{fe0f}') {
            return; // asks for another drawing of the same character, whose width terminals disagree about
        }
        let accent = unicode_width::UnicodeWidthChar::width(c) == Some(0);
        if hidden(c) || c.is_control() {
            self.none();
            out(Piece::Mark(shown(c)));
        } else if !accent {
            self.accents = Some(0);
            out(Piece::Char(c));
        } else {
            match &mut self.accents {
                Some(stacked) if *stacked < ACCENTS => {
                    *stacked += 1;
                    out(Piece::Char(c));
                }
                Some(_) => {} // beyond any script's need
                None => out(Piece::Mark(shown(c))),
            }
        }
    }
}

/// Characters that show nothing, or change the direction of what does.
pub(super) fn hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A control or hidden character as text, in signs that every font has: `^[`, `^G`, `<9b>`, `<U+202E>`.
fn shown(c: char) -> String {
    match c {
        '\0'..='\x1f' => format!("^{}", char::from(c as u8 ^ 0x40)),
        '\x7f' => "^?".to_owned(),
        '\u{80}'..='\u{9f}' => format!("<{:02x}>", c as u32),
        _ => format!("<U+{:04X}>", c as u32),
    }
}

/// What stands for a character that cannot be seen, alone or within a sign; `None`: it can be seen.
pub fn unseen(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    let lonely = unicode_width::UnicodeWidthChar::width(first) == Some(0) && !matches!(first, '\u{fe00}'..='\u{fe0f}');
    (lonely || text.chars().any(|c| c.is_control() || hidden(c))).then(|| text.chars().map(shown).collect())
}

/// A whole sequence as text, at most `most` characters of it.
fn visible(source: &str, most: usize) -> String {
    let mut text = String::new();
    for (n, c) in source.chars().enumerate() {
        if n == most {
            text.push('…');
            break;
        }
        let invisible = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) == 0;
        if c.is_control() || hidden(c) || invisible {
            text.push_str(&shown(c));
        } else {
            text.push(c);
        }
    }
    text
}
