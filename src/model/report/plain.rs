//! Bytes of a device as text that drives nothing: colours are dropped, every other control sequence is shown, a
//! carriage return is the end of a line. In whatever pieces the bytes come. Raw: only made UTF-8.

use std::fmt::Write as _;

/// Longer control sequences are none.
const LONGEST: usize = 64;

/// Bytes of a character that is not complete yet.
const HELD: usize = 3;

pub(super) struct Plain {
    raw: bool,
    held: Vec<u8>,
    state: State,
}

enum State {
    Text,
    /// Behind an escape.
    Escape,
    /// Within a control sequence: what stood in it.
    Sequence(String),
    /// Behind a carriage return.
    Return,
}

impl Plain {
    pub fn new(raw: bool) -> Self {
        Self { raw, held: Vec::new(), state: State::Text }
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let open = all.len().saturating_sub(HELD);
        let incomplete = |at: &usize| {
            std::str::from_utf8(&all[*at..]).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        };
        let ready = (open..all.len()).find(incomplete).unwrap_or(all.len());
        self.held = all.split_off(ready);
        self.put(&all, out);
    }

    pub fn finish(&mut self, out: &mut String) {
        let held = std::mem::take(&mut self.held);
        self.put(&held, out);
        match std::mem::replace(&mut self.state, State::Text) {
            State::Text => {}
            State::Escape => out.push_str("^["),
            State::Sequence(text) => {
                let _ = write!(out, "^[[{text}");
            }
            State::Return => out.push('\n'),
        }
    }

    fn put(&mut self, bytes: &[u8], out: &mut String) {
        for chunk in bytes.utf8_chunks() {
            if self.raw {
                out.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    out.push(char::REPLACEMENT_CHARACTER);
                }
                continue;
            }
            chunk.valid().chars().for_each(|c| self.character(c, out));
            for byte in chunk.invalid() {
                self.flush(out);
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }

    /// What had begun was no sequence.
    fn flush(&mut self, out: &mut String) {
        match std::mem::replace(&mut self.state, State::Text) {
            State::Text => {}
            State::Escape => out.push_str("^["),
            State::Sequence(text) => {
                let _ = write!(out, "^[[{text}");
            }
            State::Return => out.push('\n'),
        }
    }

    fn character(&mut self, c: char, out: &mut String) {
        match (&mut self.state, c) {
            (State::Escape, '[') => {
                self.state = State::Sequence(String::new());
                return;
            }
            (State::Sequence(_), 'm') => {
                self.state = State::Text;
                return;
            }
            (State::Sequence(text), ' '..='?') if text.len() < LONGEST => {
                text.push(c);
                return;
            }
            (State::Return, '\n') => self.state = State::Text,
            _ => self.flush(out),
        }
        match c {
            '\n' | '\t' => out.push(c),
            '\u{1b}' => self.state = State::Escape,
            '\r' => self.state = State::Return,
            '\0'..='\x1f' => out.extend(['^', char::from(c as u8 ^ 0x40)]),
            '\x7f' => out.push_str("^?"),
            c if hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Controls of the upper half, what sets the direction of text, and what is no character.
fn hidden(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text on one line.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut plain = Plain::new(false);
    plain.push(text.as_bytes(), &mut out);
    plain.finish(&mut out);
    if out.contains(['\n', '\t']) { out.replace(['\n', '\t'], " ") } else { out }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(bytes: &[u8], piece: usize) -> String {
        let (mut plain, mut out) = (Plain::new(false), String::new());
        bytes.chunks(piece.max(1)).for_each(|chunk| plain.push(chunk, &mut out));
        plain.finish(&mut out);
        out
    }

    #[test]
    fn colours_go_and_everything_else_is_shown() {
        for (bytes, shown) in [
            (&b"\x1b[1;31mred\x1b[0m\n"[..], "red\n"),
            (b"\x1b[2J\x1b[?1049h", "^[[2J^[[?1049h"),
            (b"\x1b]52;c;aGk=\x07", "^[]52;c;aGk=^G"),
            (b"one\r\ntwo\r", "one\ntwo\n"),
            (b"10%\r20%\r\n", "10%\n20%\n"),
            (b"\xff\xc3", "\\xff\\xc3"),
            ("é\u{202e}x\u{9b}1m".as_bytes(), "é\\u{202e}x\\u{9b}1m"),
            (b"\x1b\x1b[m", "^["),
            (b"\x1b[", "^[["),
            (b"\0\x7f\t", "^@^?\t"),
        ] {
            for piece in 1..=bytes.len() {
                assert_eq!(of(bytes, piece), shown, "in pieces of {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_that_drives_a_terminal_comes_out_however_it_is_cut(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..50) {
            let whole = of(&bytes, bytes.len());
            prop_assert_eq!(&of(&bytes, piece), &whole);
            prop_assert!(whole.chars().all(|c| c == '\n' || c == '\t' || (!c.is_control() && !hidden(c))));
        }
    }
}
