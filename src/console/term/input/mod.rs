//! From a terminal's bytes to keys, pastes, the mouse and answers. Owns what stands between two reads: half of an
//! arrow key, an Esc that may be the beginning of one, a paste without its end. Refuses to let a byte that a machine
//! sent become a key: an answer that comes late, or is not known here, is swallowed whole.
//!
//! A terminal says Esc with the byte that every arrow key begins with, and a slow line may cut between the two. So a
//! lone Esc is held for [`HOLD`]; and what arrives soon after that and is the rest of a sequence still completes it.

mod keys;
mod reader;
mod sequence;

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};

pub use reader::Reader;
use sequence::{Step, step};

/// An Esc is one when nothing has followed for so long; Esc and a letter within it are alt and the letter.
pub const HOLD: Duration = Duration::from_millis(50);
/// So long after a lone Esc the rest of an arrow key is still taken for that.
const LATE: Duration = Duration::from_secs(1);
/// A sequence that was begun and does not go on is forgotten.
const STALE: Duration = Duration::from_secs(5);
/// The longest paste, in bytes. Of a longer one nothing is taken: half a script is worse than none.
pub const PASTE: usize = 4 << 20;
/// In a paste without an end, `^c` after such a pause gives it up.
const STUCK: Duration = Duration::from_secs(1);
/// So much text in one read was not typed: a paste, from a terminal that does not say so.
const BURST: usize = 128;
/// Such a paste has ended when nothing has come for so long.
const SETTLED: Duration = Duration::from_millis(100);
/// The longest sequence kept while it is incomplete.
const SEQUENCE: usize = 8 << 10;

const PASTE_END: &[u8] = b"\x1b[201~";

/// One thing that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(KeyEvent),
    Mouse(MouseEvent),
    /// Its line ends are `\n`.
    Paste(String),
    /// A paste of so many bytes of which nothing was taken: longer than [`PASTE`], or given up by `^c`.
    Unpasted(usize),
    Focus(bool),
    Reply(Reply),
}

/// What a terminal answers, or says by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What kind of terminal it is. Every one answers this, so what was asked before it and is not answered by now
    /// will not be.
    Attributes,
    /// It speaks the kitty keyboard protocol.
    Keyboard,
    /// Of a private mode: whether the terminal knows it.
    Mode { mode: u16, known: bool },
    /// The colour behind the text.
    Background { red: u8, green: u8, blue: u8 },
    /// Dark or light, by its own account; told again when it changes.
    Dark(bool),
    /// Its name and version.
    Name(String),
}

/// A paste that has begun.
struct Paste {
    bytes: Vec<u8>,
    /// Of all of it, kept or not.
    length: usize,
    /// The terminal will say where it ends.
    bracketed: bool,
}

/// Bytes in, inputs out. Knows the time only as it is told.
#[derive(Default)]
pub struct Decoder {
    held: Vec<u8>,
    paste: Option<Paste>,
    /// When the last bytes came.
    last: Option<Instant>,
    /// A sequence's beginning that was given up: its rest may still come.
    given_up: Option<(Instant, Vec<u8>)>,
}

impl Decoder {
    /// Takes what one read brought.
    pub fn feed(&mut self, bytes: &[u8], now: Instant, inputs: &mut Vec<Input>) {
        if bytes.is_empty() {
            return;
        }
        let pause = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        if let Some(paste) = &self.paste
            && paste.bracketed
            && bytes[0] == 0x03
            && pause >= STUCK
        {
            inputs.push(Input::Unpasted(paste.length));
            self.paste = None;
            return self.feed(&bytes[1..], now, inputs);
        }
        if self.paste.is_some() {
            return self.pasted(bytes, inputs);
        }
        if self.held.is_empty()
            && let Some((at, begun)) = self.given_up.take()
            && now.saturating_duration_since(at) <= LATE
            && goes_on(&begun, bytes)
        {
            self.held = [&begun, bytes].concat();
        } else if self.held.is_empty() && burst(bytes) {
            self.paste = Some(Paste { bytes: Vec::new(), length: 0, bracketed: false });
            return self.pasted(bytes, inputs);
        } else {
            self.held.extend_from_slice(bytes);
        }
        self.digest(inputs);
    }

    /// When something is due although nothing comes.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = match (&self.paste, self.held.as_slice()) {
            (Some(paste), _) if paste.bracketed => return None,
            (Some(_), _) => SETTLED,
            (None, []) => return None,
            (None, [_] | [0x1b, _]) => HOLD,
            (None, _) => STALE,
        };
        self.last.map(|last| last + wait)
    }

    /// The deadline has passed: what was held is what it is.
    pub fn expire(&mut self, now: Instant, inputs: &mut Vec<Input>) {
        if self.deadline().is_none_or(|due| now < due) {
            return;
        }
        if self.paste.is_some() {
            return self.finish(inputs);
        }
        let held = std::mem::take(&mut self.held);
        match held.as_slice() {
            [0x1b] => inputs.push(key(KeyCode::Esc, KeyModifiers::NONE)),
            // What begins an answer may have been typed with alt. (`[` and `O` begin nearly every key: those are not
            // told from half a key, and are nothing.)
            [0x1b, letter @ (b']' | b'P' | b'X' | b'^' | b'_')] => {
                inputs.push(key(KeyCode::Char(char::from(*letter)), KeyModifiers::ALT));
            }
            _ => {}
        }
        self.given_up = (held.first() == Some(&0x1b)).then_some((now, held));
    }

    /// Bytes of a bracketed paste so far, while one is arriving.
    pub fn pasting(&self) -> Option<usize> {
        self.paste.as_ref().filter(|paste| paste.bracketed).map(|paste| paste.length)
    }

    fn digest(&mut self, inputs: &mut Vec<Input>) {
        let mut at = 0;
        while at < self.held.len() {
            match step(&self.held[at..]) {
                Step::Done(length, input) => {
                    inputs.extend(input);
                    at += length;
                }
                Step::Paste(length) => {
                    let rest = self.held.split_off(at + length);
                    self.held.clear();
                    self.paste = Some(Paste { bytes: Vec::new(), length: 0, bracketed: true });
                    return self.pasted(&rest, inputs);
                }
                Step::More => break,
            }
        }
        self.held.drain(..at);
        if self.held.len() > SEQUENCE {
            self.held.drain(2..SEQUENCE / 2); // no answer is so long; how it began says where it will end
        }
    }

    fn pasted(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        let Some(paste) = &mut self.paste else { return };
        if !paste.bracketed {
            paste.keep(bytes);
            return;
        }
        // The end may be cut by the end of a read: a beginning of it waits in `held`.
        self.held.extend_from_slice(bytes);
        if let Some(end) = memchr::memmem::find(&self.held, PASTE_END) {
            let rest = self.held.split_off(end + PASTE_END.len());
            let held = std::mem::replace(&mut self.held, rest);
            paste.keep(&held[..end]);
            self.finish(inputs);
            return self.digest(inputs);
        }
        let from = self.held.len().saturating_sub(PASTE_END.len() - 1);
        let keep = (from..self.held.len()).find(|&at| PASTE_END.starts_with(&self.held[at..]));
        let ready = keep.unwrap_or(self.held.len());
        paste.keep(&self.held[..ready]);
        self.held.drain(..ready);
    }

    fn finish(&mut self, inputs: &mut Vec<Input>) {
        let Some(paste) = self.paste.take() else { return };
        inputs.push(match paste.length {
            length if length > PASTE => Input::Unpasted(length),
            _ => Input::Paste(unix_lines(&String::from_utf8_lossy(&paste.bytes))),
        });
    }
}

impl Paste {
    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.length > PASTE {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// Terminals paste line ends as the enter key.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Nobody types so much within one read. (A key held down may pile up on a slow line: that is one letter.)
fn burst(bytes: &[u8]) -> bool {
    bytes.len() >= BURST
        && !bytes.iter().any(|byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127))
        && bytes.iter().any(|byte| *byte != bytes[0])
}

/// Are these the rest of a sequence whose beginning was given up? They came in one read, and no finger is so quick.
fn goes_on(begun: &[u8], bytes: &[u8]) -> bool {
    let joined = [begun, bytes].concat();
    let alone = begun.len() == 1; // an Esc, told as that
    let within = |signs: &[u8]| joined.len() > 3 && signs.contains(&joined[2]);
    match joined.get(1) {
        Some(b'[') if alone => {
            let known = matches!(step(&joined), Step::Done(3.., Some(_)));
            known || bytes.len() > 2 && bytes[1..].iter().all(|byte| matches!(byte, b'0'..=b'?'))
        }
        Some(b'[') => true,
        Some(b'O') => !alone, // arrows are not sent so, and `O` is typed after Esc where keys are vi's
        Some(b']') => within(b"0123456789"),
        Some(b'P') => within(b"0123456789>!+$"),
        _ => false,
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

#[cfg(test)]
mod tests;
