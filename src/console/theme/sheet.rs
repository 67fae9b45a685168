//! One theme file: read with line numbers, judged key by key. A wrong key costs that key, not the theme.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour;
use super::role::Role;

/// What a file says, palette names not yet looked up (they may be a parent's).
#[derive(Debug, Default)]
pub struct Sheet {
    /// As shown in problems.
    pub file: String,
    pub inherits: Option<(String, usize)>,
    pub palette: BTreeMap<String, Color>,
    pub entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
pub struct Entry {
    pub line: usize,
    pub fg: Option<Paint>,
    pub bg: Option<Paint>,
    pub mods: Modifier,
}

#[derive(Debug)]
pub enum Paint {
    Colour(Color),
    Name(String),
}

/// 1-based line of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    let end = offset.min(text.len());
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..end]).count()
}

struct Reader<'a> {
    text: &'a str,
    sheet: Sheet,
    problems: Vec<String>,
}

impl Sheet {
    pub fn read(file: &str, text: &str) -> (Self, Vec<String>) {
        let mut reader =
            Reader { text, sheet: Sheet { file: file.to_owned(), ..Sheet::default() }, problems: Vec::new() };
        match DeTable::parse(text) {
            Ok(table) => reader.top(table.get_ref()),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                reader.problems.push(format!("{file}:{line}: {}", error.message().replace('\n', " ")));
            }
        }
        (reader.sheet, reader.problems)
    }

    /// What others call it when they inherit it.
    pub fn name(&self) -> &str {
        let file = self.file.rsplit('/').next().unwrap_or(&self.file);
        file.strip_suffix(".toml").unwrap_or(file)
    }
}

impl Reader<'_> {
    fn problem(&mut self, at: usize, key: &str, what: &str) {
        let line = line_of(self.text, at);
        self.problems.push(format!("{}:{line}: `{key}`: {what}", self.sheet.file));
    }

    fn top(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                "inherits" => match value.get_ref().as_str() {
                    Some(name) => self.sheet.inherits = Some((name.to_owned(), line_of(self.text, at))),
                    None => self.problem(at, "inherits", "the name of a theme is expected"),
                },
                "name" | "description" => {}
                "palette" => match value.get_ref() {
                    DeValue::Table(colours) => self.palette(colours),
                    _ => self.problem(at, "palette", "a table of colours is expected"),
                },
                name => self.entry(name, at, value),
            }
        }
    }

    fn palette(&mut self, colours: &DeTable<'_>) {
        for (key, value) in colours {
            let name = key.get_ref().as_ref();
            let found = match value.get_ref() {
                DeValue::String(text) => colour::parse(text),
                DeValue::Integer(number) => number.as_str().parse().ok().map(colour::indexed),
                _ => None,
            };
            match found {
                Some(colour) => {
                    self.sheet.palette.insert(name.to_owned(), colour);
                }
                None => self.problem(key.span().start, &format!("palette.{name}"), COLOUR_EXPECTED),
            }
        }
    }

    /// A role, or a table of roles: `[state]` with `ok = …` says the same as `"state.ok" = …`.
    fn entry(&mut self, name: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let (mut fg, mut bg, mut mods) = (None, None, Modifier::empty());
        match value.get_ref() {
            DeValue::Table(parts) if !parts.keys().any(|key| is_part(key.get_ref().as_ref())) => {
                for (key, value) in parts {
                    self.entry(&format!("{name}.{}", key.get_ref()), key.span().start, value);
                }
                return;
            }
            DeValue::Table(parts) => {
                for (key, value) in parts {
                    let full = format!("{name}.{}", key.get_ref());
                    match key.get_ref().as_ref() {
                        "fg" => fg = self.paint(&full, key.span().start, value.get_ref()),
                        "bg" => bg = self.paint(&full, key.span().start, value.get_ref()),
                        "mods" => mods = self.mods(&full, key.span().start, value.get_ref()),
                        _ => self.entry(&full, key.span().start, value),
                    }
                }
            }
            plain => match self.paint(name, at, plain) {
                Some(paint) => fg = Some(paint),
                None => return,
            },
        }
        if !Role::known(name) {
            self.problem(at, name, "there is no such role");
            return;
        }
        let line = line_of(self.text, at);
        self.sheet.entries.insert(name.to_owned(), Entry { line, fg, bg, mods });
    }

    fn paint(&mut self, key: &str, at: usize, value: &DeValue<'_>) -> Option<Paint> {
        let found = match value {
            DeValue::String(text) if text.starts_with('#') => colour::parse(text).map(Paint::Colour),
            DeValue::String(text) => Some(Paint::Name(text.to_string())),
            DeValue::Integer(number) => number.as_str().parse().ok().map(colour::indexed).map(Paint::Colour),
            _ => None,
        };
        if found.is_none() {
            self.problem(at, key, COLOUR_EXPECTED);
        }
        found
    }

    fn mods(&mut self, key: &str, at: usize, value: &DeValue<'_>) -> Modifier {
        let mut mods = Modifier::empty();
        let DeValue::Array(list) = value else {
            self.problem(at, key, MODS_EXPECTED);
            return mods;
        };
        for item in list.iter() {
            match item.get_ref().as_str().and_then(modifier) {
                Some(modifier) => mods |= modifier,
                None => self.problem(item.span().start, key, MODS_EXPECTED),
            }
        }
        mods
    }
}

const COLOUR_EXPECTED: &str = "a colour is a name, a number from 0 to 255 or \"#rrggbb\"";
const MODS_EXPECTED: &str = "a list of bold, dim, italic, underline, reverse, strike is expected";

fn is_part(key: &str) -> bool {
    matches!(key, "fg" | "bg" | "mods")
}

fn modifier(name: &str) -> Option<Modifier> {
    Some(match name {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        "strike" => Modifier::CROSSED_OUT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_be_written_flat_or_in_a_table() {
        let (flat, none) = Sheet::read("t", "\"state.ok\" = \"green\"\n");
        let (nested, no) = Sheet::read("t", "[state]\nok = \"green\"\nfailed = { fg = 9, mods = [\"bold\"] }\n");
        assert!(none.is_empty() && no.is_empty());
        assert_eq!(flat.entries.keys().collect::<Vec<_>>(), ["state.ok"]);
        assert_eq!(nested.entries.keys().collect::<Vec<_>>(), ["state.failed", "state.ok"]);
        assert_eq!(nested.entries["state.failed"].line, 3);
    }

    #[test]
    fn each_mistake_is_named_with_line_and_key_and_costs_only_itself() {
        let text = "text = 300\nborder = \"#12\"\nbordr = \"red\"\n\n[mark]\nfg = \"red\"\nmods = [\"blod\"]\n[palette]\nsea = \"#zz0000\"\n";
        let (sheet, problems) = Sheet::read("mine.toml", text);
        let mut starts: Vec<&str> = problems.iter().map(|text| &text[..text.find("`:").unwrap()]).collect();
        starts.sort_unstable();
        assert_eq!(
            starts,
            [
                "mine.toml:1: `text",
                "mine.toml:2: `border",
                "mine.toml:3: `bordr",
                "mine.toml:7: `mark.mods",
                "mine.toml:9: `palette.sea"
            ]
        );
        assert_eq!(sheet.entries.keys().collect::<Vec<_>>(), ["mark"]);
    }

    #[test]
    fn a_file_that_is_not_toml_names_the_line() {
        let (_, problems) = Sheet::read("mine.toml", "text = \"red\"\nborder = = \n");
        assert!(problems[0].starts_with("mine.toml:2: "), "{problems:?}");
    }
}
