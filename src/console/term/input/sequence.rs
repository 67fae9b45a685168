//! The first key, answer or report in a run of bytes: where it ends, and what it is if it is anything to us.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Input, Reply, keys};

/// What stands at the beginning.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes, and what they are; nothing, if they are only to be swallowed.
    Done(usize, Option<Input>),
    /// So many bytes, and a paste begins.
    Paste(usize),
    /// It does not end here.
    More,
}

pub fn step(bytes: &[u8]) -> Step {
    match bytes {
        [] | [0x1b] => Step::More,
        [0x1b, b'[', ..] => csi(bytes),
        [0x1b, b'O', ..] => ss3(bytes),
        [0x1b, b']' | b'P' | b'X' | b'^' | b'_', ..] => string(bytes),
        [0x1b, 0x1b, ..] => done(1, KeyCode::Esc, KeyModifiers::NONE),
        [0x1b, rest @ ..] => match plain(rest) {
            Step::Done(length, Some(Input::Key(key))) => {
                let key = KeyEvent { modifiers: key.modifiers | KeyModifiers::ALT, ..key };
                Step::Done(length + 1, Some(Input::Key(key)))
            }
            Step::Done(length, input) => Step::Done(length + 1, input),
            other => other,
        },
        _ => plain(bytes),
    }
}

fn done(length: usize, code: KeyCode, modifiers: KeyModifiers) -> Step {
    Step::Done(length, Some(Input::Key(KeyEvent::new(code, modifiers))))
}

/// A control character or a letter.
fn plain(bytes: &[u8]) -> Step {
    let control = |c: u8| done(1, KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match bytes[0] {
        b'\r' => done(1, KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => done(1, KeyCode::Tab, KeyModifiers::NONE),
        0x7f => done(1, KeyCode::Backspace, KeyModifiers::NONE),
        0 => control(b' '),
        byte @ 1..=0x1a => control(byte - 1 + b'a'),
        byte @ 0x1c..=0x1f => control(byte - 0x1c + b'4'),
        _ => letter(bytes),
    }
}

fn letter(bytes: &[u8]) -> Step {
    let most = bytes.len().min(4);
    let valid = match std::str::from_utf8(&bytes[..most]) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) => return error.error_len().map_or(Step::More, |length| Step::Done(length, None)),
    };
    let Some(c) = valid.chars().next() else { return Step::Done(1, None) };
    if c.is_control() {
        return Step::Done(c.len_utf8(), None); // of the upper half: no key sends it
    }
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    done(c.len_utf8(), KeyCode::Char(c), shift)
}

/// `ESC O x`: keys of terminals in application mode.
fn ss3(bytes: &[u8]) -> Step {
    match bytes.get(2) {
        None => Step::More,
        Some(byte @ 0x20..=0x7e) => Step::Done(3, keys::ss3(*byte).map(Input::Key)),
        Some(_) => Step::Done(2, None), // broken off
    }
}

/// `ESC [ parameters final`.
fn csi(bytes: &[u8]) -> Step {
    if bytes.get(2) == Some(&b'[') {
        // F1 to F5 of the Linux console
        return match bytes.get(3) {
            None => Step::More,
            Some(byte @ b'A'..=b'E') => done(4, KeyCode::F(byte - b'A' + 1), KeyModifiers::NONE),
            Some(_) => Step::Done(3, None),
        };
    }
    for (at, byte) in bytes.iter().enumerate().skip(2) {
        match byte {
            0x20..=0x3f => {}
            0x40..=0x7e => {
                let body = std::str::from_utf8(&bytes[2..at]).unwrap_or_default();
                return whole_csi(bytes, body, *byte, at + 1);
            }
            // A sequence does not hold such: it was broken off, and this is the next thing.
            _ => return Step::Done(at, None),
        }
    }
    Step::More
}

fn whole_csi(bytes: &[u8], body: &str, last: u8, length: usize) -> Step {
    let input = match (body, last) {
        ("200", b'~') => return Step::Paste(length),
        ("", b'M') => {
            // three more bytes, of the oldest mouse reports; we never ask for those
            return if bytes.len() >= length + 3 { Step::Done(length + 3, None) } else { Step::More };
        }
        ("", b'I') => Some(Input::Focus(true)),
        ("", b'O') => Some(Input::Focus(false)),
        (_, b'M' | b'm') => body.strip_prefix('<').and_then(|body| keys::mouse(body, last == b'M')).map(Input::Mouse),
        (_, b'c') if body.starts_with('?') => Some(Input::Reply(Reply::Attributes)),
        (_, b'u') if body.starts_with('?') => Some(Input::Reply(Reply::Keyboard)),
        (_, b'n') => match body {
            "?997;1" => Some(Input::Reply(Reply::Dark(true))),
            "?997;2" => Some(Input::Reply(Reply::Dark(false))),
            _ => None,
        },
        (_, b'y') => mode(body).map(Input::Reply),
        _ => keys::csi(body, last).map(Input::Key),
    };
    Step::Done(length, input)
}

/// `?2026;2$`: of a mode, whether it is known (0: no; 4: fixed at off, which is no use either).
fn mode(body: &str) -> Option<Reply> {
    let (mode, state) = body.strip_prefix('?')?.strip_suffix('$')?.split_once(';')?;
    Some(Reply::Mode { mode: mode.parse().ok()?, known: matches!(state, "1" | "2" | "3") })
}

/// `ESC ] … ST`, `ESC P … ST` and their like: answers. A control character ends one that lost its end, so that no
/// key is swallowed for long.
fn string(bytes: &[u8]) -> Step {
    for (at, byte) in bytes.iter().enumerate().skip(2) {
        let (body, length) = match byte {
            0x07 => (&bytes[2..at], at + 1),
            0x1b => match bytes.get(at + 1) {
                None => return Step::More,
                Some(b'\\') => (&bytes[2..at], at + 2),
                Some(_) => return Step::Done(at, None),
            },
            0..=0x1f => return Step::Done(at, None),
            _ => continue,
        };
        let body = String::from_utf8_lossy(body);
        let reply = match bytes[1] {
            b']' => background(&body),
            b'P' => body.strip_prefix(">|").map(|name| Reply::Name(name.chars().take(60).collect())),
            _ => None,
        };
        return Step::Done(length, reply.map(Input::Reply));
    }
    Step::More
}

/// `11;rgb:1e1e/1e1e/2e2e`, with one to four digits a part.
fn background(body: &str) -> Option<Reply> {
    let parts = body.strip_prefix("11;")?;
    let parts = parts.strip_prefix("rgb:").or_else(|| parts.strip_prefix("rgba:"))?;
    let mut parts = parts.split('/').map(|part| {
        let value = u32::from_str_radix(part, 16).ok().filter(|_| (1..=4).contains(&part.len()))?;
        let most = (1_u32 << (4 * part.len())) - 1;
        u8::try_from(value * 255 / most).ok()
    });
    Some(Reply::Background { red: parts.next()??, green: parts.next()??, blue: parts.next()?? })
}
