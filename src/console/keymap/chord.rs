//! One key with its modifiers, as pressed, as written in a keymap, and as shown to people.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::model::nearest::nearest;

/// A key press, brought into one form: `G` is the letter `G` whatever the terminal says about shift, shift-tab is tab
/// with shift, a control letter is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    mods: KeyModifiers,
}

const NAMES: [(&str, KeyCode); 22] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("backspace", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("ins", KeyCode::Insert),
    // other spellings; the first of a kind is the one shown
    ("return", KeyCode::Enter),
    ("cr", KeyCode::Enter),
    ("escape", KeyCode::Esc),
    ("bs", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("lt", KeyCode::Char('<')),
    ("gt", KeyCode::Char('>')),
];

impl Chord {
    fn new(code: KeyCode, mods: KeyModifiers) -> Self {
        let mut mods = mods & (KeyModifiers::SHIFT | KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = match code {
            KeyCode::BackTab => {
                mods |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Null => {
                mods |= KeyModifiers::CONTROL;
                KeyCode::Char(' ')
            }
            KeyCode::Char(c) if mods.contains(KeyModifiers::CONTROL) => {
                mods -= KeyModifiers::SHIFT;
                KeyCode::Char(c.to_ascii_lowercase())
            }
            KeyCode::Char(c) if c != ' ' && mods.contains(KeyModifiers::SHIFT) => {
                mods -= KeyModifiers::SHIFT;
                KeyCode::Char(c.to_ascii_uppercase())
            }
            other => other,
        };
        Self { code, mods }
    }

    /// What was pressed; nothing for a release.
    pub fn of(event: KeyEvent) -> Option<Self> {
        (event.kind != KeyEventKind::Release).then(|| Self::new(event.code, event.modifiers))
    }

    /// The character this key types into a field, if it is one.
    pub fn text(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.mods.is_empty() => Some(c),
            _ => None,
        }
    }

    /// The same letter, small for large and large for small.
    pub fn other_case(self) -> Option<Self> {
        let letter = self.text().filter(char::is_ascii_alphabetic)?;
        let other = if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        Some(Self::new(KeyCode::Char(other), KeyModifiers::NONE))
    }

    /// `a`, `^d`, `<C-d>`, `<S-tab>`, `alt-a`, `enter`, `F5`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return (!c.is_control()).then(|| Self::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let mut rest = inner.unwrap_or(text);
        let mut mods = KeyModifiers::NONE;
        loop {
            let short = |prefix| inner.and_then(|_| rest.strip_prefix(prefix));
            let (found, after) = if let Some(after) = rest.strip_prefix("ctrl-").or_else(|| short("C-")) {
                (KeyModifiers::CONTROL, after)
            } else if let Some(after) = rest.strip_prefix("alt-").or_else(|| short("A-")).or_else(|| short("M-")) {
                (KeyModifiers::ALT, after)
            } else if let Some(after) = rest.strip_prefix("shift-").or_else(|| short("S-")) {
                (KeyModifiers::SHIFT, after)
            } else if let Some(after) = rest.strip_prefix('^').filter(|after| !after.is_empty()) {
                (KeyModifiers::CONTROL, after)
            } else {
                break;
            };
            mods |= found;
            rest = after;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
            (Some('F' | 'f'), Some(_)) if rest.len() <= 3 => {
                KeyCode::F(rest[1..].parse().ok().filter(|number| (1..=24).contains(number))?)
            }
            _ => {
                let name = rest.to_ascii_lowercase();
                NAMES.iter().find(|(known, _)| *known == name)?.1
            }
        };
        Some(Self::new(code, mods))
    }

    /// The way to write it that may have been meant: its modifiers as they stand, with the nearest name.
    pub(super) fn near(text: &str) -> Option<String> {
        let inner = text.strip_prefix('<').unwrap_or(text);
        let inner = inner.strip_suffix('>').unwrap_or(inner);
        let at = inner.rfind(['-', '^', '+']).map_or(0, |at| at + 1);
        let (mods, name) = inner.split_at(at);
        let mods = mods.to_ascii_lowercase().replace('+', "-");
        let mods: String = mods
            .split_inclusive(['-', '^'])
            .map(|part| match part {
                "c-" | "ctrl-" | "control-" => "ctrl-",
                "a-" | "m-" | "alt-" | "meta-" => "alt-",
                "s-" | "shift-" => "shift-",
                _ => part,
            })
            .collect();
        let known = match name.chars().count() {
            1 => Some(name),
            _ => nearest(name, NAMES.into_iter().map(|(known, _)| known)),
        }?;
        let near = Self::parse(&format!("{mods}{known}"))?.to_string();
        (near != text).then_some(near)
    }

    /// The event a terminal sends for it.
    pub(super) fn event(self) -> KeyEvent {
        match self.code {
            KeyCode::Tab if self.mods.contains(KeyModifiers::SHIFT) => KeyEvent::new(KeyCode::BackTab, self.mods),
            KeyCode::Char(c) if c.is_uppercase() => KeyEvent::new(self.code, self.mods | KeyModifiers::SHIFT),
            code => KeyEvent::new(code, self.mods),
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mods.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        if self.mods.contains(KeyModifiers::SHIFT) {
            f.write_str("shift-")?;
        }
        if self.mods.contains(KeyModifiers::CONTROL) {
            f.write_str(if matches!(self.code, KeyCode::Char(c) if c != ' ') { "^" } else { "ctrl-" })?;
        }
        match self.code {
            KeyCode::F(number) => write!(f, "F{number}"),
            code => match (NAMES.iter().find(|(_, known)| *known == code), code) {
                (_, KeyCode::Char(c)) if c != ' ' => write!(f, "{c}"),
                (Some((name, _)), _) => f.write_str(name),
                (None, other) => write!(f, "{other}"),
            },
        }
    }
}

/// `gj<enter>/edge<esc><C-d>` as the keys a person would press. `<` that begins no key name stands for itself.
pub fn macro_keys(text: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let named = rest.find('>').filter(|_| c == '<').and_then(|end| {
            let name = &rest[..=end];
            (name.len() > 2).then(|| Chord::parse(name)).flatten().map(|chord| (chord, name.len()))
        });
        let (chord, length) = named.unwrap_or_else(|| (Chord::new(KeyCode::Char(c), KeyModifiers::NONE), c.len_utf8()));
        keys.push(chord.event());
        rest = &rest[length..];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        Chord::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_key_has_one_form_however_the_terminal_reports_it() {
        let pressed = |code, mods| Chord::of(KeyEvent::new(code, mods)).unwrap();
        assert_eq!(pressed(KeyCode::Char('G'), KeyModifiers::SHIFT), chord("G"));
        assert_eq!(pressed(KeyCode::Char('g'), KeyModifiers::SHIFT), chord("G"));
        assert_eq!(pressed(KeyCode::Char('G'), KeyModifiers::NONE), chord("G"));
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::SHIFT), chord("<S-tab>"));
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::NONE), chord("shift-tab"));
        assert_eq!(pressed(KeyCode::Char('?'), KeyModifiers::SHIFT), chord("?"));
        assert_eq!(pressed(KeyCode::Char('D'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), chord("^d"));
        assert_ne!(chord("g"), chord("G"));
    }

    #[test]
    fn a_release_is_no_key() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(Chord::of(event), None);
        event.kind = KeyEventKind::Repeat;
        assert!(Chord::of(event).is_some());
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for text in [
            "a",
            "G",
            "^d",
            "<",
            ">",
            "^",
            "-",
            "enter",
            "esc",
            "tab",
            "shift-tab",
            "alt-a",
            "alt-^x",
            "space",
            "F5",
            "F12",
            "pgdn",
            "up",
            "ctrl-up",
            "backspace",
            "alt-F4",
            "ctrl-space",
            "!",
            "\\",
            "é",
        ] {
            assert_eq!(chord(text).to_string(), text);
        }
        for (written, shown) in [
            ("<C-d>", "^d"),
            ("<c>", "c"),
            ("<A-a>", "alt-a"),
            ("<M-a>", "alt-a"),
            ("<lt>", "<"),
            ("<C-->", "^-"),
            ("<Enter>", "enter"),
            ("<bs>", "backspace"),
            ("<cr>", "enter"),
            ("<S-F3>", "shift-F3"),
            ("^D", "^d"),
            ("<C-lt>", "^<"),
        ] {
            assert_eq!(chord(written).to_string(), shown, "{written}");
        }
    }

    #[test]
    fn nonsense_is_no_key() {
        for text in ["", "foo", "<C->", "<>", "F0", "F25", "F1x", "\n", "<nosuch>", "<X-a>", "Fé"] {
            assert_eq!(Chord::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_slip_has_a_nearest_key() {
        for (written, meant) in [
            ("pgdwn", "pgdn"),
            ("entr", "enter"),
            ("<C-spcae>", "ctrl-space"),
            ("Ctrl+d", "^d"),
            ("control-x", "^x"),
            ("<A-bakspace>", "alt-backspace"),
            ("<X", "X"),
        ] {
            assert_eq!(Chord::near(written).as_deref(), Some(meant), "{written}");
        }
        for nonsense in ["", "nosuchkeyatall", "<>", "F99"] {
            assert_eq!(Chord::near(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_macro_is_the_keys_a_person_presses() {
        let keys = macro_keys("gG<enter>/é<C-d><esc>< a<b");
        let shown: Vec<String> = keys.iter().map(|key| Chord::of(*key).unwrap().to_string()).collect();
        assert_eq!(shown, ["g", "G", "enter", "/", "é", "^d", "esc", "<", "space", "a", "<", "b"]);
        assert_eq!(keys[1].modifiers, KeyModifiers::SHIFT);
        assert_eq!(macro_keys("<S-tab>")[0].code, KeyCode::BackTab);
    }
}
