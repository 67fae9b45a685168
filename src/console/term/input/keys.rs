//! The tables of keys: what terminals send for which, xterm's way, the Linux console's, rxvt's and kitty's.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// `ESC O x`.
pub fn ss3(last: u8) -> Option<KeyEvent> {
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        // the keypad in application mode
        b'j'..=b'y' => KeyCode::Char(char::from(b"*+,-./0123456789"[usize::from(last - b'j')])),
        b'X' => KeyCode::Char('='),
        _ => return None,
    };
    Some(KeyEvent::new(code, KeyModifiers::NONE))
}

/// `ESC [ body last`.
pub fn csi(body: &str, last: u8) -> Option<KeyEvent> {
    if !body.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) {
        return None;
    }
    let mut parts = body.split(';');
    let number = parts.next().unwrap_or_default();
    let (modifiers, kind) = modified(parts.next().unwrap_or_default());
    let code = match last {
        b'~' => tilde(number.parse().ok()?)?,
        b'u' => return unicode(number, modifiers, kind),
        b'Z' => return Some(KeyEvent::new_with_kind(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT, kind)),
        // A cursor report looks like F3 with modifiers; it is one only in the first row, and nobody asks for it.
        _ if !matches!(number, "" | "1") => return None,
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind))
}

/// `5:2`: modifiers plus one, and whether it is pressed, repeated or released.
fn modified(part: &str) -> (KeyModifiers, KeyEventKind) {
    let (mask, kind) = part.split_once(':').unwrap_or((part, "1"));
    let bits = mask.parse::<u16>().unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ] {
        modifiers.set(modifier, bits & bit != 0);
    }
    let kind = match kind {
        "2" => KeyEventKind::Repeat,
        "3" => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    (modifiers, kind)
}

fn tilde(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23..=26 => KeyCode::F(number - 12),
        28 | 29 => KeyCode::F(number - 15),
        31..=34 => KeyCode::F(number - 17),
        _ => return None,
    })
}

/// A key by its character's number: kitty's protocol.
fn unicode(number: &str, modifiers: KeyModifiers, kind: KeyEventKind) -> Option<KeyEvent> {
    let mut numbers = number.split(':').map(|part| part.parse::<u32>().ok());
    let code = numbers.next()??;
    let shifted = numbers.next().flatten().and_then(char::from_u32);
    let code = match code {
        27 => KeyCode::Esc,
        13 | 57_414 => KeyCode::Enter,
        9 if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        127 | 8 => KeyCode::Backspace,
        57_376..=57_387 => KeyCode::F(u8::try_from(code - 57_376).ok()? + 13),
        57_399..=57_408 => KeyCode::Char(char::from_digit(code - 57_399, 10)?),
        57_409..=57_416 => match code {
            57_409 => KeyCode::Char('.'),
            57_410 => KeyCode::Char('/'),
            57_411 => KeyCode::Char('*'),
            57_412 => KeyCode::Char('-'),
            57_413 => KeyCode::Char('+'),
            57_415 => KeyCode::Char('='),
            _ => KeyCode::Char(','),
        },
        57_417 => KeyCode::Left,
        57_418 => KeyCode::Right,
        57_419 => KeyCode::Up,
        57_420 => KeyCode::Down,
        57_421 => KeyCode::PageUp,
        57_422 => KeyCode::PageDown,
        57_423 => KeyCode::Home,
        57_424 => KeyCode::End,
        57_425 => KeyCode::Insert,
        57_426 => KeyCode::Delete,
        57_344..=63_743 => return None, // media keys, modifiers by themselves
        code => {
            let c = char::from_u32(code).filter(|c| !c.is_control())?;
            match shifted.filter(|_| modifiers.contains(KeyModifiers::SHIFT)) {
                Some(shifted) => {
                    let modifiers = modifiers - KeyModifiers::SHIFT;
                    return Some(KeyEvent::new_with_kind(KeyCode::Char(shifted), modifiers, kind));
                }
                None => KeyCode::Char(c),
            }
        }
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind))
}

/// `0;12;5`: button and modifiers, column, row; `down` by the final letter.
pub fn mouse(body: &str, down: bool) -> Option<MouseEvent> {
    let mut parts = body.split(';').map(|part| part.parse::<u16>().ok());
    let (what, column, row) = (parts.next()??, parts.next()??, parts.next()??);
    let button = match what & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (what & 0b1100_0000, what & 3, what & 32 != 0) {
        (0, 3, _) => MouseEventKind::Moved,
        (0, _, true) => MouseEventKind::Drag(button),
        (0, _, false) if down => MouseEventKind::Down(button),
        (0, _, false) => MouseEventKind::Up(button),
        (64, 0, _) => MouseEventKind::ScrollUp,
        (64, 1, _) => MouseEventKind::ScrollDown,
        (64, 2, _) => MouseEventKind::ScrollLeft,
        (64, _, _) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, what & 4 != 0);
    modifiers.set(KeyModifiers::ALT, what & 8 != 0);
    modifiers.set(KeyModifiers::CONTROL, what & 16 != 0);
    Some(MouseEvent { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)?, modifiers })
}
