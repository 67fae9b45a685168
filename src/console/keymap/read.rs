//! A keymap file as wishes: what it asks for, with the line where it asks.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::CONTEXTS;
use super::chord::Chord;
use crate::console::theme::line_of;

/// Keys pressed one after the other to reach one command; more is a novel.
const MAX_SEQUENCE: usize = 4;

#[derive(Debug, Default)]
pub struct File {
    /// Name and place.
    pub preset: Option<(String, String)>,
    pub wishes: Vec<Wish>,
}

#[derive(Debug)]
pub struct Wish {
    /// `file:line`.
    pub place: String,
    pub context: String,
    pub command: String,
    /// None: the command is to have no key.
    pub keys: Vec<Keys>,
    /// Something that stood there could not be read.
    pub failed: bool,
}

#[derive(Debug)]
pub struct Keys {
    pub place: String,
    pub chords: Vec<Chord>,
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<String>,
}

/// What a file wishes, in the order of its lines, and what is wrong with it.
pub fn wishes(file: &str, text: &str) -> (File, Vec<String>) {
    let mut reader = Reader { file, text, problems: Vec::new() };
    let mut found = File::default();
    match DeTable::parse(text) {
        Ok(table) => reader.top(table.get_ref(), &mut found),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let what = format!("{}: {}", reader.place(at), error.message().replace('\n', " "));
            reader.problems.push(what);
        }
    }
    (found, reader.problems)
}

/// The parser sorts by name; people read by line.
fn by_line<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t str, usize, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value)).collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

impl Reader<'_> {
    fn place(&self, at: usize) -> String {
        format!("{}:{}", self.file, line_of(self.text, at))
    }

    fn problem(&mut self, at: usize, what: String) {
        self.problems.push(format!("{}: {what}", self.place(at)));
    }

    fn top(&mut self, table: &DeTable<'_>, found: &mut File) {
        for (name, at, value) in by_line(table) {
            match value.get_ref() {
                DeValue::String(preset) if name == "preset" => {
                    found.preset = Some((preset.to_string(), self.place(at)));
                }
                DeValue::Table(commands) if CONTEXTS.contains(&name) => {
                    for (command, at, keys) in by_line(commands) {
                        found.wishes.push(self.wish(name, command, at, keys));
                    }
                }
                DeValue::Table(_) => {
                    let known = CONTEXTS.join(", ");
                    let near = super::hint(name, CONTEXTS);
                    self.problem(at, format!("[{name}]: there is no such context{near} (known: {known})"));
                }
                _ => self.problem(at, format!("`{name}`: only `preset` and tables of contexts are expected here")),
            }
        }
    }

    fn wish(&mut self, context: &str, command: &str, at: usize, value: &Spanned<DeValue<'_>>) -> Wish {
        let mut wish = Wish {
            place: self.place(at),
            context: context.to_owned(),
            command: command.to_owned(),
            keys: Vec::new(),
            failed: false,
        };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            let at = item.span().start;
            let chords = match item.get_ref() {
                DeValue::String(text) => sequence(text).map_err(|why| format!("\"{text}\" {why}")),
                _ => Err("a list of keys is expected, like [\"K\", \"g k\", \"<C-k>\"]".to_owned()),
            };
            match chords {
                Ok(chords) => wish.keys.push(Keys { place: self.place(at), chords }),
                Err(what) => {
                    wish.failed = true;
                    self.problem(at, format!("[{context}] `{command}`: {what}"));
                }
            }
        }
        wish
    }
}

/// `g g`: keys one after the other, a space between them.
fn sequence(text: &str) -> Result<Vec<Chord>, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.len() {
        0 => Err("is no key (a blank is written `space`)".to_owned()),
        1..=MAX_SEQUENCE => {
            words.into_iter().map(|word| Chord::parse(word).ok_or_else(|| no_key(text, word))).collect()
        }
        many => Err(format!("is {many} keys one after the other; at most {MAX_SEQUENCE} lead to a command")),
    }
}

fn no_key(text: &str, word: &str) -> String {
    let which = if text.trim() == word { "is no key".to_owned() } else { format!("has `{word}`, which is no key") };
    match Chord::near(word) {
        Some(near) => format!("{which}; did you mean `{near}`?"),
        None => format!("{which} (like j, ^d, <C-d>, <A-x>, enter, pgdn, F5)"),
    }
}
