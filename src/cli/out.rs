//! stdout and stderr as the verbs use them: buffered, safe for a terminal, quiet about a reader that has gone.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use serde::Serialize;
use serde_json::ser::Formatter;
use unicode_width::UnicodeWidthStr;

use super::safe;

/// Large enough that a flood costs few system calls.
const BUFFER: usize = 128 << 10;

pub type Sink = BufWriter<File>;

/// A buffered sink on a descriptor of its own: std's stdout would flush at every line.
fn sink(descriptor: BorrowedFd<'_>) -> io::Result<Sink> {
    Ok(BufWriter::with_capacity(BUFFER, File::from(descriptor.try_clone_to_owned()?)))
}

pub fn stdout() -> io::Result<Sink> {
    sink(io::stdout().as_fd())
}

pub fn stderr() -> io::Result<Sink> {
    sink(io::stderr().as_fd())
}

/// stdout and stderr end in the same place (a terminal, `2>&1`): then one buffer keeps their order.
pub fn joined() -> bool {
    let (Ok(out), Ok(err)) = (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())) else { return false };
    (out.st_dev, out.st_ino, out.st_rdev) == (err.st_dev, err.st_ino, err.st_rdev)
}

pub fn on_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A message, on stderr, in one write; when nobody reads it, that is no failure.
pub fn say(sentence: impl AsRef<str>) {
    let mut text = safe_lines(sentence.as_ref());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Foreign text of several lines, safe.
pub fn safe_lines(text: &str) -> String {
    text.split('\n').map(safe::text).collect::<Vec<_>>().join("\n")
}

/// JSON on one line, without the characters that would turn the rows of a terminal: they are escaped, so that a
/// reader of JSON gets them all the same.
pub fn json_to(out: &mut impl Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Plain))
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() {
            return out.write_all(fragment.as_bytes()); // nearly every text
        }
        let mut from = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| turns(*character)) {
            write!(out, "{}\\u{:04x}", &fragment[from..at], u32::from(character))?;
            from = at + character.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[from..])
    }
}

/// Controls of the upper half, and what sets the direction of text.
fn turns(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One JSON value on stdout.
fn json(value: &impl Serialize) -> io::Result<()> {
    let mut text = Vec::new();
    // such characters stand inside strings alone, so the whole text can be treated as one fragment
    Plain.write_string_fragment(&mut text, &serde_json::to_string_pretty(value)?)?;
    text.push(b'\n');
    io::stdout().write_all(&text)
}

/// A JSON object with `schema_version` in it.
pub fn json_object(value: &impl Serialize) -> io::Result<()> {
    json(&versioned(value)?)
}

/// A JSON array of objects, each with `schema_version` in it.
pub fn json_list(values: &[impl Serialize]) -> io::Result<()> {
    json(&values.iter().map(versioned).collect::<io::Result<Vec<_>>>()?)
}

/// The version of every JSON object the verbs print. Raised when a field goes or changes its meaning; new fields may come.
pub const SCHEMA_VERSION: u32 = 1;

fn versioned(value: &impl Serialize) -> io::Result<serde_json::Value> {
    let mut value = serde_json::to_value(value)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    }
    Ok(value)
}

/// Text on stdout.
pub fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

/// Rows in columns, the last one as it is. Cells are made safe: they hold names from elsewhere.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(head.iter().map(|cell| (*cell).to_owned()).collect())
        .chain(rows.into_iter().map(|row: Vec<String>| row.iter().map(|cell| safe::text(cell)).collect()))
        .collect();
    let mut widths = vec![0; head.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A moment in the operator's own time.
pub fn moment(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(
        || "-".to_owned(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_names_hold() {
        let rows = [vec!["a\u{1b}[2J".to_owned(), "1".to_owned()], vec!["漢字".to_owned(), "22".to_owned()]];
        assert_eq!(table(&["NAME", "N"], rows), "NAME    N\na^[[2J  1\n漢字    22\n");
    }

    #[test]
    fn an_object_carries_the_version_of_its_shape() {
        let value = versioned(&serde_json::json!({"id": 7})).unwrap();
        assert_eq!(value, serde_json::json!({"id": 7, "schema_version": 1}));
    }
}
