//! Fields that a person types into, and the arming of what cannot be taken back. Text is edited by
//! tui-textarea, kept to one line; a secret is kept in memory that is wiped. The one room besides the keymap
//! that knows keys by name: those of text entry.

use std::fmt;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};
use zeroize::Zeroizing;

use super::inputs::{Known, Lines, List, PathField, Picks};

/// The longest text a field takes, in bytes.
const LIMIT: usize = 64 * 1024;

/// One line of text being written.
#[derive(Clone, Debug, Default)]
pub struct Text {
    area: Box<TextArea<'static>>,
    /// It is as it was found, and chosen whole: what is typed takes its place, any other key edits it.
    whole: bool,
}

impl Text {
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![flat(text)]);
        area.move_cursor(CursorMove::End);
        Self { area: Box::new(area), whole: false }
    }

    /// A text that was written before is gone back to.
    pub fn choose(&mut self) {
        self.whole = !self.is_empty();
    }

    pub const fn is_chosen(&self) -> bool {
        self.whole
    }

    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// In characters.
    pub fn cursor(&self) -> usize {
        self.area.cursor().1
    }

    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// `true`: the key was text or editing, and is used up.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if std::mem::take(&mut self.whole) && types(key) {
            self.put("", 0);
        }
        match key.code {
            KeyCode::Char('u') if control => {
                self.area.delete_line_by_head();
                true
            }
            // What readline has and no command of ours needs.
            KeyCode::Char('a' | 'e' | 'b' | 'd' | 'h' | 'k' | 'w') if control && !alt => {
                let key = match key.code {
                    KeyCode::Char('b') => KeyEvent::new(KeyCode::Left, KeyModifiers::NONE),
                    _ => *key,
                };
                self.area.input(key);
                true
            }
            KeyCode::Char(c) if !control && !alt => {
                if self.text().len() + c.len_utf8() <= LIMIT && !c.is_control() {
                    self.area.insert_char(c);
                }
                true
            }
            KeyCode::Backspace | KeyCode::Delete | KeyCode::Left | KeyCode::Right | KeyCode::Home | KeyCode::End => {
                self.area.input(*key);
                true
            }
            _ => false,
        }
    }

    /// The same with what else readline has: words with alt, `^y` brings back what was cut. Only where no command
    /// wants these keys.
    pub fn readline(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let word = match key.code {
            KeyCode::Char('b' | 'f' | 'd') | KeyCode::Backspace => alt && !control,
            KeyCode::Char('y') => control && !alt,
            KeyCode::Left | KeyCode::Right => control && !alt,
            _ => false,
        };
        if word {
            self.whole = false;
            self.area.input(*key);
            return true;
        }
        self.key(key)
    }

    /// Only what adds to the text or takes its last character: for a text without a cursor of its own.
    pub fn typed(&mut self, key: &KeyEvent) -> bool {
        types(key) && self.key(key)
    }

    /// Another text, and where the cursor stands in it (in characters). What was cut before can still be brought back.
    pub fn put(&mut self, text: &str, cursor: usize) {
        let cut = self.area.yank_text();
        *self = Self::new(text);
        self.area.set_yank_text(cut);
        self.area.move_cursor(CursorMove::Jump(0, u16::try_from(cursor).unwrap_or(u16::MAX)));
    }

    pub fn paste(&mut self, text: &str) {
        if std::mem::take(&mut self.whole) {
            self.put("", 0);
        }
        let room = LIMIT.saturating_sub(self.text().len());
        let text = flat(text);
        self.area.insert_str(&text[..text.floor_char_boundary(room)]);
    }
}

/// It adds to a text, or takes the last character away.
fn types(key: &KeyEvent) -> bool {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let erases = key.code == KeyCode::Backspace
        || (key.code == KeyCode::Char('h') && key.modifiers.contains(KeyModifiers::CONTROL));
    erases || (plain && matches!(key.code, KeyCode::Char(_)))
}

/// A pasted text on one line: line breaks and tabs become spaces, other control characters vanish.
fn flat(text: &str) -> String {
    text.trim_end_matches(['\r', '\n'])
        .chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

/// A text that is never shown.
#[derive(Clone, Default)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.chars().count()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u' | 'w') if control => self.0 = Zeroizing::default(),
            KeyCode::Char('h') if control => drop(self.0.pop()),
            KeyCode::Backspace => drop(self.0.pop()),
            KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => self.push(c),
            _ => return false,
        }
        true
    }

    fn push(&mut self, c: char) {
        if self.0.len() + c.len_utf8() > LIMIT {
            return;
        }
        if self.0.capacity() < self.0.len() + c.len_utf8() {
            // Growing in place could leave a copy behind.
            let mut larger = Zeroizing::new(String::with_capacity((self.0.capacity() * 2).max(256)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push(c);
    }

    pub fn paste(&mut self, text: &str) {
        text.trim_end_matches(['\r', '\n']).chars().for_each(|c| self.push(c));
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Input {
    Text(Text),
    Hidden(Hidden),
    Flag(bool),
    /// One of a list; `None`: nothing chosen.
    Choice {
        of: Vec<String>,
        at: Option<usize>,
        optional: bool,
    },
    List(List),
    Picks(Picks),
    Lines(Lines),
    Path(PathField),
    Known(Known),
}

impl Input {
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        match self {
            Input::Text(text) => text.key(key),
            Input::Hidden(text) => text.key(key),
            Input::List(list) => list.key(key),
            Input::Picks(picks) => picks.key(key),
            Input::Lines(lines) => lines.key(key),
            Input::Path(path) => path.key(key),
            Input::Known(known) => known.key(key),
            Input::Flag(_) => false,
            Input::Choice { .. } => match key.code {
                KeyCode::Left => self.cycle(false),
                KeyCode::Right => self.cycle(true),
                _ => false,
            },
        }
    }

    pub fn paste(&mut self, text: &str) {
        match self {
            Input::Text(field) => field.paste(text),
            Input::Hidden(field) => field.paste(text),
            Input::List(list) => list.paste(text),
            Input::Lines(lines) => lines.paste(text),
            Input::Path(path) => path.text.paste(text),
            Input::Known(known) => known.text.paste(text),
            Input::Flag(_) | Input::Choice { .. } | Input::Picks(_) => {}
        }
    }

    /// Switches a flag, goes to the next choice. `false`: this field has neither.
    pub fn cycle(&mut self, forward: bool) -> bool {
        match self {
            Input::Flag(on) => *on = !*on,
            Input::Choice { of, at, optional } => {
                let len = of.len();
                *at = match (*at, forward) {
                    (None, true) => (len > 0).then_some(0),
                    (None, false) => len.checked_sub(1),
                    (Some(n), true) if n + 1 < len => Some(n + 1),
                    (Some(n), false) if n > 0 => Some(n - 1),
                    (Some(_), true) => (!*optional).then_some(0),
                    (Some(_), false) => (!*optional).then(|| len - 1),
                };
            }
            Input::Picks(picks) => picks.toggle(),
            Input::Text(_) | Input::Hidden(_) | Input::List(_) | Input::Lines(_) | Input::Path(_) | Input::Known(_) => {
                return false;
            }
        }
        true
    }

    /// Another value; `None`: nothing given.
    pub fn put(&mut self, value: Option<&str>) {
        self.fill(value.as_slice());
    }

    /// Other values: several where it takes several.
    pub fn fill(&mut self, values: &[&str]) {
        let value = values.first().copied();
        match self {
            Input::List(list) => *list = List::new(values.iter().copied()),
            Input::Picks(picks) => *picks = Picks::new(&picks.of, values),
            Input::Lines(lines) => *lines = Lines::new(value.unwrap_or_default()),
            Input::Path(path) => *path = PathField::new(value.unwrap_or_default()),
            Input::Known(known) => known.text = Text::new(value.unwrap_or_default()),
            Input::Text(text) => *text = Text::new(value.unwrap_or_default()),
            Input::Hidden(hidden) => *hidden = Hidden::default(),
            Input::Flag(on) => *on = value == Some("true"),
            Input::Choice { of, at, .. } => *at = value.and_then(|value| of.iter().position(|choice| choice == value)),
        }
    }

    /// Every value, as text. Never of [`Input::Hidden`].
    pub fn values(&self) -> Vec<String> {
        match self {
            Input::List(list) => list.values(),
            Input::Picks(picks) => picks.values(),
            input => input.value().into_iter().collect(),
        }
    }

    /// Nothing is given.
    pub fn is_empty(&self) -> bool {
        match self {
            Input::Hidden(hidden) => hidden.is_empty(),
            input => input.values().is_empty(),
        }
    }

    /// The value as text, the first of several; `None`: nothing given. Never for [`Input::Hidden`].
    pub fn value(&self) -> Option<String> {
        match self {
            Input::List(list) => list.values().into_iter().next(),
            Input::Picks(picks) => picks.values().into_iter().next(),
            Input::Lines(lines) => (!lines.is_empty()).then(|| lines.text()),
            Input::Path(path) => (!path.text.is_empty()).then(|| path.text.text().to_owned()),
            Input::Known(known) => (!known.text.is_empty()).then(|| known.text.text().to_owned()),
            Input::Text(text) => (!text.is_empty()).then(|| text.text().to_owned()),
            Input::Hidden(_) => None,
            Input::Flag(on) => on.then(|| "true".to_owned()),
            Input::Choice { of, at, .. } => at.and_then(|n| of.get(n)).cloned(),
        }
    }
}

/// What must be typed before a button can be pressed, and what has been typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub need: Need,
    pub typed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The letter `y`.
    Yes,
    /// The number of devices, which cannot be typed from habit.
    Count(usize),
}

impl Arm {
    pub fn new(need: Need) -> Self {
        Self { need, typed: String::new() }
    }

    pub fn armed(&self) -> bool {
        match self.need {
            Need::Yes => self.typed == "y" || self.typed == "Y",
            Need::Count(count) => count > 0 && self.typed.replace(',', "") == count.to_string(),
        }
    }

    /// What is still to be typed.
    pub fn asks(&self) -> String {
        match self.need {
            Need::Yes => "type y first".to_owned(),
            Need::Count(count) => format!("type {count}, how many devices are meant, first"),
        }
    }

    /// A letter or figure that does not belong here: what is typed by mistake is told, not passed on.
    pub fn mistakes(key: &KeyEvent) -> bool {
        !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
            && matches!(key.code, KeyCode::Char(c) if c.is_alphanumeric())
    }

    /// The count to send along.
    pub fn count(&self) -> Option<usize> {
        match self.need {
            Need::Count(count) if self.armed() => Some(count),
            _ => None,
        }
    }

    /// Only what could ever arm is taken, so that commands still work on the buttons.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        match (key.code, self.need) {
            (KeyCode::Char('y' | 'Y'), Need::Yes) => self.typed = "y".to_owned(),
            (KeyCode::Char('n' | 'N'), Need::Yes) => self.typed.clear(),
            (KeyCode::Char(c), Need::Count(_)) if c.is_ascii_digit() || c == ',' => {
                if self.typed.len() < 12 {
                    self.typed.push(c);
                }
            }
            (KeyCode::Backspace, _) => drop(self.typed.pop()),
            _ => return false,
        }
        true
    }
}

/// `30s`, `10m`, `2h`, `1d`, or seconds alone. Empty: no limit.
pub fn duration(text: &str) -> Result<Option<Duration>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(format!("\"{text}\" is not a time: write 30s, 10m, 2h")),
    };
    let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).filter(|n| *n > 0);
    match seconds {
        Some(seconds) if seconds <= 30 * 86_400 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(format!("\"{text}\" is not a time: write 30s, 10m, 2h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    #[test]
    fn a_field_stays_on_one_line_whatever_is_pasted() {
        let mut text = Text::new("a");
        text.paste("b\r\nc\td\u{1b}[31m\n");
        assert_eq!(text.text(), "ab  c d[31m");
        assert!(!text.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)));
        assert!(text.key(&KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
        assert_eq!(text.text(), "");
    }

    #[test]
    fn only_the_exact_count_arms() {
        let mut arm = Arm::new(Need::Count(219));
        for (c, armed) in [('2', false), ('1', false), ('9', true), ('0', false)] {
            assert!(arm.key(&key(c)));
            assert_eq!(arm.armed(), armed, "{}", arm.typed);
        }
        assert!(!arm.key(&key('y')), "a letter is not for the count");
        assert!(!Arm { need: Need::Count(0), typed: "0".into() }.armed(), "nothing to do is never armed");
    }

    #[test]
    fn times_are_read_and_nonsense_is_refused() {
        assert_eq!(duration("10m"), Ok(Some(Duration::from_secs(600))));
        assert_eq!(duration(" "), Ok(None));
        for bad in ["x", "10y", "0s", "99999999999999999999h", "-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_not_in_debug() {
        let mut field = Hidden::default();
        field.paste("hunter2\n");
        assert_eq!(field.expose(), "hunter2");
        assert!(!format!("{:?}", Input::Hidden(field)).contains("hunter2"));
    }
}
