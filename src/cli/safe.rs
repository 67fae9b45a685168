//! Remote bytes made safe for a terminal: what a device prints may be shown, it may not drive the screen.
//! Control characters become visible (`^[`, `\x9b`), text stays. Nothing is dropped but the `\r` of a CRLF.

use std::fmt::Write as _;

/// Appends the bytes of one line (no newline in it), safe, to `out`.
pub fn line(bytes: &[u8], out: &mut Vec<u8>) {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    if is_plain(bytes) {
        out.extend_from_slice(bytes); // nearly every line
        return;
    }
    for chunk in bytes.utf8_chunks() {
        push(chunk.valid(), out);
        for byte in chunk.invalid() {
            hex(*byte, out);
        }
    }
}

/// Printable ASCII and tabs alone. Eight bytes at a time: a flood is looked at with this, byte by byte it would cost
/// more than decrypting it.
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let printable = |word: u64| {
        let below_blank = word.wrapping_sub(ONES * 0x20) & !word;
        let above_tilde = word | word.wrapping_add(ONES);
        (below_blank | above_tilde) & HIGH == 0
    };
    let fine = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().all(|word| printable(u64::from_ne_bytes(*word)) || word.iter().all(fine)) && rest.iter().all(fine)
}

/// A name or sentence from elsewhere, safe and on one line.
pub fn text(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    for (number, part) in text.split('\n').enumerate() {
        if number > 0 {
            out.push(b' ');
        }
        line(part.as_bytes(), &mut out);
    }
    String::from_utf8(out).unwrap_or_default() // `line` writes valid UTF-8 alone
}

/// Makes safe what arrives in chunks cut anywhere: lines stay lines, a character cut in two is put together.
#[derive(Debug, Default)]
pub struct Chunks {
    held: Vec<u8>,
}

impl Chunks {
    /// Held back at most, while a line or character may still go on: a prompt must show although no newline follows.
    const HELD: usize = 4;

    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(newline) = memchr::memchr(b'\n', &self.held[from..]) {
            line(&self.held[from..from + newline], out);
            out.push(b'\n');
            from += newline + 1;
        }
        let rest = &self.held[from..];
        // What could be the beginning of a character, or the `\r` of a CRLF, waits for what follows.
        let open = rest.len().saturating_sub(Self::HELD);
        let keep = (open..rest.len()).find(|&at| {
            rest[at] == b'\r' && at + 1 == rest.len()
                || std::str::from_utf8(&rest[at..])
                    .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        });
        let ready = keep.unwrap_or(rest.len());
        // Not `line`: a `\r` in the middle of the chunk's end is no CRLF.
        for chunk in rest[..ready].utf8_chunks() {
            push(chunk.valid(), out);
            chunk.invalid().iter().for_each(|byte| hex(*byte, out));
        }
        self.held.drain(..from + ready);
    }

    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        for chunk in held.utf8_chunks() {
            push(chunk.valid(), out);
            chunk.invalid().iter().for_each(|byte| hex(*byte, out));
        }
    }
}

fn push(text: &str, out: &mut Vec<u8>) {
    let mut shown = String::new();
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| !harmless(*c)) {
        out.extend_from_slice(&text.as_bytes()[from..at]);
        from = at + c.len_utf8();
        shown.clear();
        match c {
            '\0'..='\x1f' => shown.extend(['^', char::from(c as u8 ^ 0x40)]),
            '\x7f' => shown.push_str("^?"),
            c => _ = write!(shown, "\\u{{{:x}}}", u32::from(c)),
        }
        out.extend_from_slice(shown.as_bytes());
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
}

fn hex(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

/// Not a control character of either set, nor one that turns the writing direction around.
fn harmless(c: char) -> bool {
    c == '\t'
        || !(c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        line(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_could_drive_a_terminal_is_shown_instead() {
        for (bytes, expected) in [
            (&b"plain\ttext"[..], "plain\ttext"),
            ("Grüße 漢字".as_bytes(), "Grüße 漢字"),
            (b"crlf\r", "crlf"),
            (b"10%\r20%", "10%^M20%"),
            (b"\x1b]0;title\x07", "^[]0;title^G"),
            (b"\x1b]52;c;aGk=\x1b\\", "^[]52;c;aGk=^[\\"),
            (b"\x1b[?1049h\x1b[2J", "^[[?1049h^[[2J"),
            (b"\x9b31m", "\\x9b31m"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
            (b"\x00\x7f\xff", "^@^?\\xff"),
        ] {
            assert_eq!(shown(bytes), expected);
        }
    }

    #[test]
    fn a_prompt_shows_before_its_line_has_ended() {
        let mut chunks = Chunks::default();
        let mut out = Vec::new();
        chunks.push(b"Password: ", &mut out);
        assert_eq!(out, b"Password: ");
    }

    #[test]
    fn eight_bytes_at_a_time_tell_what_one_by_one_tells() {
        for byte in 0..=u8::MAX {
            for at in 0..19 {
                for filler in [b' ', b'~', b'a'] {
                    let mut bytes = [filler; 19];
                    bytes[at] = byte;
                    assert_eq!(is_plain(&bytes), matches!(byte, b' '..=b'~' | b'\t'), "{byte:#x} at {at}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn safe_text_is_valid_and_drives_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = shown(&bytes);
            prop_assert!(text.chars().all(|c| c == '\t' || !c.is_control()), "{text:?}");
        }

        #[test]
        fn chunks_show_what_the_whole_shows(
            lines in prop::collection::vec("[a-zé漢\u{1b}\r]{0,12}", 1..6),
            cuts in prop::collection::vec(1_usize..7, 1..40),
        ) {
            let whole = lines.join("\n") + "\n";
            let expected: String = lines.iter().map(|text| shown(text.as_bytes()) + "\n").collect();
            let (mut chunks, mut out, mut rest) = (Chunks::default(), Vec::new(), whole.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (chunk, behind) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk, &mut out);
                rest = behind;
            }
            chunks.finish(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
