//! Fields that hold more than one line of text: a list of values, several of some choices, a text of many lines, the
//! path of a file. Like `form`, which knows them as inputs, this room knows the keys of text entry.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};

use super::form::Text;

/// Values of a list; bytes of a text of many lines.
const MOST: usize = 1_000;
const BYTES: usize = 1 << 20;

fn plain(key: &KeyEvent) -> bool {
    !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

/// Any number of values, one of them being written. Enter begins another, backspace in an empty one takes it away, left
/// and right walk through them.
#[derive(Clone, Debug)]
pub struct List {
    /// Never empty; an empty value counts for nothing.
    items: Vec<String>,
    at: usize,
    text: Text,
}

impl Default for List {
    fn default() -> Self {
        Self { items: vec![String::new()], at: 0, text: Text::default() }
    }
}

impl List {
    /// With room for another at the end.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().filter(|value| !value.is_empty()).take(MOST);
        let mut items: Vec<String> = values.map(str::to_owned).collect();
        items.push(String::new());
        Self { at: items.len() - 1, items, text: Text::default() }
    }

    pub fn values(&self) -> Vec<String> {
        self.pieces().filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    /// All values as they stand, the one that is written among them.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        let written = |(n, item)| if n == self.at { self.text.text() } else { item };
        self.items.iter().map(String::as_str).enumerate().map(written)
    }

    /// Which one is written, and where the cursor stands in it.
    pub fn cursor(&self) -> (usize, usize) {
        (self.at, self.text.cursor())
    }

    fn leave(&mut self) {
        self.items[self.at] = self.text.text().to_owned();
    }

    fn go(&mut self, at: usize, cursor: usize) {
        self.leave();
        self.at = at;
        self.text.put(&self.items[at].clone(), cursor);
    }

    /// `true`: the key is used up.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let (cursor, len) = (self.text.cursor(), self.text.text().chars().count());
        match key.code {
            // an empty one has nothing to end: enter leads on
            KeyCode::Enter if plain(key) => {
                if self.text.is_empty() {
                    return false;
                }
                if self.items.len() < MOST {
                    self.leave();
                    self.items.insert(self.at + 1, String::new());
                    self.go(self.at + 1, 0);
                }
                true
            }
            KeyCode::Left if plain(key) && cursor == 0 => {
                if self.at > 0 {
                    self.go(self.at - 1, usize::MAX);
                }
                true
            }
            KeyCode::Right if plain(key) && cursor == len => {
                if self.at + 1 < self.items.len() {
                    self.go(self.at + 1, 0);
                }
                true
            }
            KeyCode::Backspace if self.text.is_empty() && self.at > 0 => {
                self.items.remove(self.at);
                self.at -= 1;
                self.text.put(&self.items[self.at].clone(), usize::MAX);
                true
            }
            _ => self.text.key(key),
        }
    }

    /// Each pasted line is a value.
    pub fn paste(&mut self, text: &str) {
        for (n, line) in text.lines().enumerate() {
            if n > 0 && self.items.len() < MOST && !self.text.is_empty() {
                self.leave();
                self.items.insert(self.at + 1, String::new());
                self.go(self.at + 1, 0);
            }
            self.text.paste(line);
        }
    }
}

/// Several of some choices. Left and right walk, a letter goes to the next choice that begins with it.
#[derive(Clone, Debug)]
pub struct Picks {
    pub of: Vec<String>,
    pub on: Vec<bool>,
    pub at: usize,
}

impl Picks {
    pub fn new(of: &[String], chosen: &[&str]) -> Self {
        let on = of.iter().map(|choice| chosen.contains(&choice.as_str())).collect();
        Self { of: of.to_vec(), on, at: 0 }
    }

    pub fn values(&self) -> Vec<String> {
        self.of.iter().zip(&self.on).filter(|(_, on)| **on).map(|(choice, _)| choice.clone()).collect()
    }

    pub fn toggle(&mut self) {
        if let Some(on) = self.on.get_mut(self.at) {
            *on = !*on;
        }
    }

    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let len = self.of.len().max(1);
        match key.code {
            KeyCode::Left => self.at = (self.at + len - 1) % len,
            KeyCode::Right => self.at = (self.at + 1) % len,
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = len - 1,
            KeyCode::Char(c) if plain(key) && c.is_alphanumeric() => {
                let begins = |n: &usize| self.of.get(*n).is_some_and(|choice| choice.to_lowercase().starts_with(c));
                let found = (1..=len).map(|n| (self.at + n) % len).find(begins);
                self.at = found.unwrap_or(self.at);
            }
            _ => return false,
        }
        true
    }
}

/// A text of many lines. In the form it is a row; a key opens it.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    area: Box<TextArea<'static>>,
    pub open: bool,
}

impl Lines {
    pub fn new(text: &str) -> Self {
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(clean).collect();
        let mut area = TextArea::new(lines);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self { area: Box::new(area), open: false }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    pub fn is_empty(&self) -> bool {
        self.area.lines().iter().all(String::is_empty)
    }

    /// Line and column, in characters.
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    fn bytes(&self) -> usize {
        self.area.lines().iter().map(|line| line.len() + 1).sum()
    }

    /// While it is open every key of text entry is its own; closed, a letter opens it, as space alone does. `true`: used up.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL) && !key.modifiers.contains(KeyModifiers::ALT);
        let room = self.bytes() < BYTES;
        match key.code {
            KeyCode::Char(' ') if plain(key) && !self.open => self.open = true,
            KeyCode::Char(c) if plain(key) && !c.is_control() => {
                self.open = true;
                if room {
                    self.area.insert_char(c);
                }
            }
            _ if !self.open => return false,
            KeyCode::Enter if plain(key) => {
                if room {
                    self.area.insert_newline();
                }
            }
            KeyCode::Char('a' | 'e' | 'k' | 'w' | 'd' | 'h') if control => drop(self.area.input(*key)),
            KeyCode::Char('u') if control => drop(self.area.delete_line_by_head()),
            KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown => drop(self.area.input(*key)),
            _ => return false,
        }
        true
    }

    pub fn paste(&mut self, text: &str) {
        let room = BYTES.saturating_sub(self.bytes());
        let text: String = text[..text.floor_char_boundary(room)].replace("\r\n", "\n").replace('\r', "\n");
        self.area.insert_str(text.split('\n').map(clean).collect::<Vec<_>>().join("\n"));
    }
}

/// A tab is text; no other control character is.
fn clean(line: &str) -> String {
    line.chars().filter(|c| *c == '\t' || !c.is_control()).collect()
}

/// The path of a file, and what was found there.
#[derive(Clone, Debug, Default)]
pub struct PathField {
    pub text: Text,
    /// Of this path: the size, or why it cannot be given; and the paths that begin so.
    found: Option<(String, Result<u64, String>, Vec<String>)>,
    asked: Option<String>,
}

impl PathField {
    pub fn new(path: &str) -> Self {
        Self { text: Text::new(path), ..Self::default() }
    }

    /// The path to look at, if it is another one than was looked at last.
    pub fn wants(&mut self) -> Option<String> {
        let path = self.text.text();
        let known = self.found.as_ref().is_some_and(|(of, ..)| of == path);
        if path.is_empty() || known || self.asked.as_deref() == Some(path) {
            return None;
        }
        self.asked = Some(path.to_owned());
        self.asked.clone()
    }

    /// `true`: that is what is written now.
    pub fn tell(&mut self, path: &str, size: &Result<u64, String>, near: &[String]) -> bool {
        let now = self.text.text() == path;
        if now {
            self.found = Some((path.to_owned(), size.clone(), near.to_vec()));
            self.asked = None;
        }
        now
    }

    /// Of the path that is written; `None`: empty, or not looked at yet.
    pub fn size(&self) -> Option<&Result<u64, String>> {
        self.found.as_ref().filter(|(of, ..)| of == self.text.text()).map(|(_, size, _)| size)
    }

    /// What it may become.
    pub fn near(&self) -> &[String] {
        self.found.as_ref().filter(|(of, ..)| of == self.text.text()).map_or(&[], |(.., near)| near)
    }

    /// Begin it again from the disk: the file may have changed.
    pub fn again(&mut self) {
        (self.found, self.asked) = (None, None);
    }

    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if completes(&self.text, key) {
            let common = common(&self.near().iter().map(String::as_str).collect::<Vec<_>>());
            if common.len() > self.text.text().len() {
                self.text = Text::new(&common);
            }
            return true;
        }
        self.text.key(key)
    }
}

/// A name of which some are known; any other can be written, too.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub text: Text,
    pub names: Vec<String>,
}

impl Known {
    /// Those that it may become, upper case or lower. None, once it is one.
    pub fn near(&self) -> Vec<&str> {
        let written = self.text.text();
        let begins = |name: &&str| name.get(..written.len()).is_some_and(|head| head.eq_ignore_ascii_case(written));
        let near: Vec<&str> = self.names.iter().map(String::as_str).filter(begins).collect();
        if near.iter().any(|name| name.len() == written.len()) { Vec::new() } else { near }
    }

    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if completes(&self.text, key) {
            let common = common(&self.near());
            if common.len() > self.text.text().len() {
                self.text = Text::new(&common);
            }
            return true;
        }
        self.text.key(key)
    }
}

/// Right, where there is nothing to go to.
fn completes(text: &Text, key: &KeyEvent) -> bool {
    key.code == KeyCode::Right && plain(key) && text.cursor() == text.text().chars().count()
}

/// What all of them begin with.
fn common(all: &[&str]) -> String {
    let Some((first, rest)) = all.split_first() else { return String::new() };
    let shared = |common: usize, path: &&str| {
        let same = first.chars().zip(path.chars()).take_while(|(a, b)| a == b);
        common.min(same.map(|(c, _)| c.len_utf8()).sum())
    };
    first[..rest.iter().fold(first.len(), shared)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::macro_keys;

    fn typed(list: &mut List, keys: &str) -> Vec<String> {
        for key in macro_keys(keys) {
            list.key(&key);
        }
        list.values()
    }

    #[test]
    fn a_list_is_written_value_by_value_and_any_of_them_can_be_mended() {
        let mut list = List::default();
        assert_eq!(typed(&mut list, "one<enter>two words<enter>"), ["one", "two words"]);
        assert_eq!(typed(&mut list, "<left><left>x"), ["one", "two wordxs"]);
        assert_eq!(typed(&mut list, "<C-u><bs>"), ["one", "s"]);
        assert_eq!(typed(&mut list, "<left><bs><bs><bs>"), ["s"], "an emptied value is none");
        assert!(!List::default().key(&macro_keys("<enter>")[0]), "enter in an empty one leads on");
    }

    #[test]
    fn pasted_lines_are_values() {
        let mut list = List::new(["a"]);
        list.paste("b\nc\r\n\nd");
        assert_eq!(list.values(), ["a", "b", "c", "d"]);
        list.paste(&"x\n".repeat(2 * MOST));
        assert!(list.values().len() <= MOST);
    }

    #[test]
    fn choices_are_walked_and_jumped_to() {
        let of = ["red", "green", "grey"].map(str::to_owned);
        let mut picks = Picks::new(&of, &["grey"]);
        for key in macro_keys("gg") {
            assert!(picks.key(&key));
        }
        picks.toggle();
        assert_eq!((picks.at, picks.values()), (2, vec![]));
        picks.key(&macro_keys("<right>")[0]);
        picks.toggle();
        assert_eq!(picks.values(), ["red"]);
    }

    #[test]
    fn many_lines_open_at_the_first_letter_and_hold_no_control_characters() {
        let mut lines = Lines::default();
        let down = &macro_keys("<down>")[0];
        assert!(!lines.key(down), "closed, arrows are the form's");
        macro_keys("a<enter>b").iter().for_each(|key| assert!(lines.key(key)));
        assert!(lines.open && lines.key(down));
        lines.paste("\u{1b}[31mc\r\nd\te");
        assert_eq!(lines.text(), "a\nb[31mc\nd\te");
        assert_eq!(Lines::new("x\ny\n").text(), "x\ny");
    }

    #[test]
    fn a_known_name_is_completed_as_far_as_all_agree_and_another_can_be_written() {
        let names = ["Cache_state", "cache_size", "site"].map(str::to_owned).into();
        let mut known = Known { text: Text::default(), names };
        let typed = |known: &mut Known, keys: &str| {
            for key in macro_keys(keys) {
                known.key(&key);
            }
            known.text.text().to_owned()
        };
        assert_eq!(known.near().len(), 3);
        assert_eq!(typed(&mut known, "s<right>"), "site");
        assert!(known.near().is_empty(), "it is one");
        assert_eq!(typed(&mut known, "<C-u>ca<right>"), "ca", "no two of them are written alike");
        assert_eq!(typed(&mut known, "che_si<right>"), "cache_size");
        assert_eq!(typed(&mut known, "<C-u>other<right>"), "other");
    }

    #[test]
    fn a_path_is_looked_at_once_and_completed_as_far_as_all_agree() {
        let mut field = PathField::new("/et");
        assert_eq!((field.wants().as_deref(), field.wants()), (Some("/et"), None));
        let near = ["/etc/".to_owned(), "/eth".to_owned()];
        assert!(!field.tell("/other", &Ok(1), &[]));
        assert!(field.tell("/et", &Err("no such file".into()), &near));
        let right = &macro_keys("<right>")[0];
        assert!(field.key(right));
        assert_eq!(field.text.text(), "/et", "two ways on");
        assert!(field.tell("/et", &Err("no such file".into()), &near[..1]));
        assert!(field.key(right));
        assert_eq!(field.text.text(), "/etc/");
        assert_eq!(field.wants().as_deref(), Some("/etc/"));
    }
}
