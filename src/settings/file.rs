//! config.toml with the place of everything in it: each wrong part becomes one sentence with file, line and
//! column, and is left out; the rest counts.

use std::path::Path;
use std::{fs, io};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Given, Shape};
use crate::model::nearest::{nearest, shown};
use crate::model::window::{Closed, ClosedKind};

/// Tables of which there may be several.
const SEVERAL: [&str; 5] = ["connection", "maintenance", "freeze", "webhook", "hook"];

/// Those of them that keep scripts away.
const CLOSED: [&str; 2] = [ClosedKind::Maintenance.word(), ClosedKind::Freeze.word()];

/// A longer file is not a configuration.
const FILE_LIMIT: u64 = 4 << 20;

/// Text of the file; `None` where there is none.
///
/// # Errors
/// One sentence: it is there and cannot be read.
pub fn read(path: &Path, shown: &str) -> Result<Option<String>, String> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() > FILE_LIMIT => {
            return Err(format!("{shown}: not read, it is larger than {} MiB", FILE_LIMIT >> 20));
        }
        Ok(meta) if !meta.is_file() => return Err(format!("{shown}: not read, it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(_) | Err(_) => {}
    }
    let bytes = fs::read(path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..error.utf8_error().valid_up_to()]).count();
            Err(format!("{shown}:{line}: not read, the file is not UTF-8"))
        }
    }
}

/// A parsed file that is being judged.
pub struct Page<'a> {
    shown: &'a str,
    text: &'a str,
    problems: Vec<(usize, String)>,
    /// Where its syntax ends: what is wrong behind it follows from that, more often than not.
    ends: Option<usize>,
    /// The first thing by which a freeze may be lost.
    lost: Option<(usize, String)>,
}

/// What is said where a freeze may be lost.
pub const FROZEN: &str = "everything is taken as frozen until that is put right";

/// The tables of which there may be several.
#[derive(Default)]
pub struct Entries<'t, 'a> {
    pub connections: Vec<Entry<'t, 'a>>,
    pub closed: Vec<(ClosedKind, Entry<'t, 'a>)>,
    pub webhooks: Vec<Entry<'t, 'a>>,
    pub hooks: Vec<Entry<'t, 'a>>,
}

/// One `[[connection]]`, and where it begins.
pub type Entry<'a, 't> = (usize, &'a DeTable<'t>);

/// Where `[section] key` stands, as `line:column`; nothing: it does not.
pub fn place(text: &str, section: &str, key: &str) -> Option<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let (_, inner) = table.get_ref().iter().find(|(name, _)| &**name.get_ref() == section)?;
    let DeValue::Table(inner) = inner.get_ref() else { return None };
    let (name, _) = inner.iter().find(|(name, _)| &**name.get_ref() == key)?;
    let before = text.get(..name.span().start)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    Some(format!("{}:{}", before.matches('\n').count() + 1, line.chars().count() + 1))
}

impl<'a> Page<'a> {
    /// Parses as far as the syntax allows; what does not parse is a problem already.
    pub fn parse(shown: &'a str, text: &'a str) -> (Self, Spanned<DeTable<'a>>) {
        let (table, mut errors) = DeTable::parse_recoverable(text);
        let mut page = Self { shown, text, problems: Vec::new(), ends: None, lost: None };
        let at = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        errors.sort_by_key(at);
        page.ends = errors.first().map(at);
        for (n, error) in errors.iter().enumerate() {
            let (at, sentence) = (at(error), error.message().replace('\n', ", "));
            // it may have swallowed the sections below
            if n == 0 { page.lose(at, sentence) } else { page.problem(at, sentence) }
        }
        (page, table)
    }

    /// Notes a sentence about something by which a freeze may be lost.
    fn lose(&mut self, at: usize, sentence: impl std::fmt::Display) {
        let told = format!("{}: {sentence}", self.place_at(at));
        if self.lost.as_ref().is_none_or(|(first, _)| at < *first) {
            self.lost = Some((at, told));
        }
        self.problem(at, format!("{sentence}; {FROZEN}"));
    }

    /// What counts instead of the freezes that may be lost.
    pub fn freeze(&self) -> Option<Closed> {
        self.lost.as_ref().map(|(_, why)| Closed::of_everything(why))
    }

    /// Notes a sentence about the text at this byte.
    pub fn problem(&mut self, at: usize, sentence: impl std::fmt::Display) {
        let sentence = format!("{}: {sentence}", self.place_at(at));
        self.problems.push((at.min(self.text.len()), sentence));
    }

    /// `~/config.toml:3:1`
    pub fn place_at(&self, at: usize) -> String {
        let at = at.min(self.text.len());
        let before = &self.text.as_bytes()[..at];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        format!("{}:{line}:{column}", self.shown)
    }

    /// In the order of the file, the cause first where its syntax ends; and how many of them follow from that.
    pub fn into_problems(mut self) -> (Vec<String>, usize) {
        self.problems.sort();
        let cause = self
            .ends
            .and_then(|end| self.problems.iter().position(|(at, sentence)| *at == end && sentence.ends_with(FROZEN)));
        let follow = cause.map_or(0, |cause| {
            self.problems[..=cause].rotate_right(1);
            self.problems.len() - 1
        });
        (self.problems.into_iter().map(|(_, sentence)| sentence).collect(), follow)
    }

    /// The right settings among `[section] key = value`, by dotted key, and the connections.
    pub fn settings<'t>(&mut self, table: &'t DeTable<'a>) -> (Vec<(String, config::Value)>, Entries<'t, 'a>) {
        let mut values = Vec::new();
        let mut found = Entries::default();
        for (name, value) in table {
            let at = name.span().start;
            match (&**name.get_ref(), value.get_ref()) {
                (several, DeValue::Array(entries)) if SEVERAL.contains(&several) => {
                    for entry in entries.iter() {
                        let DeValue::Table(table) = entry.get_ref() else {
                            self.slip(
                                entry.span().start,
                                several,
                                format!("a {several} is a table: write [[{several}]]"),
                            );
                            continue;
                        };
                        let entry = (entry.span().start, table);
                        match several {
                            "maintenance" => found.closed.push((ClosedKind::Maintenance, entry)),
                            "freeze" => found.closed.push((ClosedKind::Freeze, entry)),
                            "webhook" => found.webhooks.push(entry),
                            "hook" => found.hooks.push(entry),
                            _ => found.connections.push(entry),
                        }
                    }
                }
                (several, _) if SEVERAL.contains(&several) => {
                    self.slip(at, several, format!("write [[{several}]], with two brackets: there may be several"));
                }
                (section, DeValue::Table(inner)) => match keys::section(section) {
                    Some(known) => self.section(section, known, inner, &mut values),
                    None => self.unknown(at, "section", section, "", section_names()),
                },
                (key, _) => match keys::SECTIONS.iter().find(|(_, keys)| keys.iter().any(|(known, _)| *known == key)) {
                    Some((section, _)) => self.problem(at, format!("`{key}` belongs below [{section}]")),
                    None if keys::section(key).is_some() => self.problem(at, format!("`{key}` is a section: [{key}]")),
                    None => self.unknown(at, "key", key, "", section_names()),
                },
            }
        }
        found.closed.sort_by_key(|(_, (at, _))| *at); // as in the file
        (values, found)
    }

    fn section(
        &mut self,
        section: &str,
        known: &'static [(&'static str, Shape)],
        table: &DeTable<'_>,
        values: &mut Vec<(String, config::Value)>,
    ) {
        for (name, value) in table {
            let key = &**name.get_ref();
            let Some((_, shape)) = known.iter().find(|(known, _)| *known == key) else {
                let names = known.iter().map(|(name, _)| *name);
                self.unknown(name.span().start, "key", key, &format!(" in [{section}]"), names);
                continue;
            };
            if let (Shape::Theme, DeValue::Table(parts)) = (shape, value.get_ref()) {
                self.theme(section, key, parts, values);
                continue;
            }
            match shape.check(given(value.get_ref())) {
                Ok(()) => values.push((format!("{section}.{key}"), plain(value.get_ref()))),
                Err(wrong) => self.problem(value.span().start, format!("`{key}` in [{section}]: {wrong}")),
            }
        }
    }

    /// `theme = { dark = …, light = …, fallback = … }`
    fn theme(&mut self, section: &str, key: &str, parts: &DeTable<'_>, values: &mut Vec<(String, config::Value)>) {
        const PARTS: [&str; 3] = ["dark", "light", "fallback"];
        for (name, value) in parts {
            let part = &**name.get_ref();
            if !PARTS.contains(&part) {
                self.unknown(name.span().start, "key", part, &format!(" in `{key}`"), PARTS);
                continue;
            }
            match Shape::Text.check(given(value.get_ref())) {
                Ok(()) => values.push((format!("{section}.{key}_{part}"), plain(value.get_ref()))),
                Err(wrong) => self.problem(value.span().start, format!("`{key}.{part}` in [{section}]: {wrong}")),
            }
        }
    }

    /// An unknown name, with the nearest known one.
    pub fn unknown<'k>(
        &mut self,
        at: usize,
        what: &str,
        name: &str,
        place: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.slip(at, name, format!("unknown {what} `{}`{place}{hint}", shown(name)));
    }

    /// Something under a name that was to be another, or is not written like this: perhaps a time in which devices are
    /// to be left alone.
    fn slip(&mut self, at: usize, name: &str, sentence: String) {
        match nearest(name, CLOSED) {
            Some(_) => self.lose(at, sentence),
            None => self.problem(at, sentence),
        }
    }
}

fn section_names() -> impl Iterator<Item = &'static str> {
    keys::SECTIONS.iter().map(|(name, _)| *name).chain(SEVERAL)
}

/// A value as the shapes look at it.
pub fn given<'v>(value: &'v DeValue<'_>) -> Given<'v> {
    match value {
        DeValue::String(text) => Given::Text(text),
        DeValue::Boolean(b) => Given::Bool(*b),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).map_or(Given::Other("integer, too large"), Given::Whole)
        }
        DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_str()) => Given::Texts,
        other => Given::Other(other.type_str()),
    }
}

fn plain(value: &DeValue<'_>) -> config::Value {
    match given(value) {
        Given::Text(text) => text.into(),
        Given::Whole(n) => n.into(),
        Given::Bool(b) => b.into(),
        Given::Texts | Given::Other(_) => config::Value::from(""), // no shape of a section takes these
    }
}
