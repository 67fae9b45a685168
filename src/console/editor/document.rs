//! A script's bytes as lines, and the lines as bytes again: what was not edited comes back byte for byte, line ends
//! and byte order mark included. Refuses what cannot be edited without loss, and says why.

use std::fmt;

use crate::console::text;

/// What the editor takes; what is longer is no script that is written by hand.
pub const LINES: usize = 65_535;
pub const COLUMNS: usize = 65_535;
pub const BYTES: usize = 10_000_000;

const BOM: &str = "\u{feff}";

/// How the lines end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    #[default]
    Lf,
    Crlf,
    /// Both: the carriage returns are part of the lines, shown and kept.
    Mixed,
}

impl Ends {
    pub const fn word(self) -> &'static str {
        match self {
            Ends::Lf => "LF",
            Ends::Crlf => "CRLF",
            Ends::Mixed => "LF+CRLF",
        }
    }
}

/// What one step to the right is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indent {
    Tab,
    Spaces(usize),
}

impl Indent {
    pub fn text(self) -> String {
        match self {
            Indent::Tab => "\t".to_owned(),
            Indent::Spaces(n) => " ".repeat(n),
        }
    }

    pub fn word(self) -> String {
        match self {
            Indent::Tab => "tabs".to_owned(),
            Indent::Spaces(n) => format!("spaces {n}"),
        }
    }

    /// As most lines do; `usual` where none is indented.
    fn of(lines: &[String], usual: usize) -> Self {
        let (mut tabs, mut spaces) = (0, 0);
        let mut steps = [0_usize; 9];
        let mut above = 0;
        for line in lines.iter().filter(|line| !line.trim().is_empty()).take(5000) {
            let depth = line.len() - line.trim_start_matches(' ').len();
            tabs += usize::from(line.starts_with('\t'));
            spaces += usize::from(depth > 1);
            let step = depth.abs_diff(above);
            if (2..=8).contains(&step) {
                steps[step] += 1;
            }
            above = depth;
        }
        if tabs > spaces {
            return Indent::Tab;
        }
        let most = steps.iter().enumerate().max_by_key(|(step, count)| (**count, std::cmp::Reverse(*step)));
        match most {
            Some((step, count)) if *count > 0 => Indent::Spaces(step),
            _ => Indent::Spaces(usual),
        }
    }
}

/// How a text is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub ends: Ends,
    pub bom: bool,
    pub indent: Indent,
}

impl Shape {
    pub const fn encoding(self) -> &'static str {
        if self.bom { "utf-8 BOM" } else { "utf-8" }
    }

    /// The bytes of the file.
    pub fn encode(self, lines: &[String]) -> Vec<u8> {
        let end = if self.ends == Ends::Crlf { "\r\n" } else { "\n" };
        let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.len() + end.len()).sum::<usize>() + BOM.len());
        if self.bom {
            bytes.extend_from_slice(BOM.as_bytes());
        }
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                bytes.extend_from_slice(end.as_bytes());
            }
            bytes.extend_from_slice(line.as_bytes());
        }
        bytes
    }
}

/// Why a file is not edited here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Large(u64),
    Many(usize),
    Wide(usize),
    Nul(usize),
    Bytes { line: usize, byte: u8 },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Large(bytes) => {
                write!(f, "It has {}; up to {} are edited here.", text::bytes(*bytes), text::bytes(BYTES as u64))
            }
            Refusal::Many(lines) => write!(
                f,
                "It has {} lines; up to {} are edited here.",
                text::count(*lines as u64),
                text::count(LINES as u64)
            ),
            Refusal::Wide(line) => {
                write!(f, "Line {line} has more than {} characters.", text::count(COLUMNS as u64))
            }
            Refusal::Nul(line) => write!(f, "Line {line} holds a NUL byte: this is no text."),
            Refusal::Bytes { line, byte } => write!(
                f,
                "Byte 0x{byte:02x} on line {line} is not UTF-8; edited here, the file would not keep its other bytes."
            ),
        }
    }
}

/// A text that can be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Never none; a text that ends with a line end has an empty last one.
    pub lines: Vec<String>,
    pub shape: Shape,
}

impl Document {
    /// Reads a file. `name` tells how far a line is usually indented where the text itself does not.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > BYTES {
            return Err(Refusal::Large(bytes.len() as u64));
        }
        let line_at = |at: usize| memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
        if let Some(at) = memchr::memchr(0, bytes) {
            return Err(Refusal::Nul(line_at(at)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            Refusal::Bytes { line: line_at(at), byte: bytes[at] }
        })?;
        let plain = text.strip_prefix(BOM);
        let bom = plain.is_some();
        let text = plain.unwrap_or(text);
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        if breaks >= LINES {
            return Err(Refusal::Many(breaks + 1));
        }
        let windows = memchr::memmem::find_iter(text.as_bytes(), b"\r\n").count();
        let ends = match (windows, breaks) {
            (0, _) => Ends::Lf,
            (windows, breaks) if windows == breaks => Ends::Crlf,
            _ => Ends::Mixed,
        };
        let split = if ends == Ends::Crlf { "\r\n" } else { "\n" };
        let lines: Vec<String> = text.split(split).map(str::to_owned).collect();
        let wide = |line: &String| line.len() > COLUMNS && line.chars().count() > COLUMNS;
        if let Some(at) = lines.iter().position(wide) {
            return Err(Refusal::Wide(at + 1));
        }
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let usual = if matches!(ending, "py" | "ps1" | "psm1" | "pl" | "rs" | "go" | "c") { 4 } else { 2 };
        let indent = Indent::of(&lines, usual);
        Ok(Self { lines, shape: Shape { ends, bom, indent } })
    }
}

/// Pasted or typed text as the editor takes it: every line end is one, and what no text file can hold is gone.
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Document {
        Document::read("x.sh", bytes).unwrap()
    }

    #[test]
    fn line_ends_and_mark_are_told() {
        for (bytes, ends, bom, lines) in [
            (&b"a\nb\n"[..], Ends::Lf, false, 3),
            (b"a\r\nb\r\n", Ends::Crlf, false, 3),
            (b"a\r\nb\n", Ends::Mixed, false, 3),
            (b"\xef\xbb\xbfa\r\nb", Ends::Crlf, true, 2),
            (b"", Ends::Lf, false, 1),
            (b"a\rb", Ends::Lf, false, 1),
        ] {
            let document = read(bytes);
            assert_eq!(
                (document.shape.ends, document.shape.bom, document.lines.len()),
                (ends, bom, lines),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_the_place() {
        let refused = |bytes: &[u8]| Document::read("x", bytes).unwrap_err();
        assert_eq!(refused(b"a\nb\0"), Refusal::Nul(2));
        assert_eq!(refused(b"a\n\nb\xe9"), Refusal::Bytes { line: 3, byte: 0xe9 });
        assert_eq!(refused(&b"\n".repeat(65_535)), Refusal::Many(65_536));
        assert!(Document::read("x", &b"\n".repeat(65_534)).is_ok());
        assert_eq!(refused(&vec![b'#'; 10_000_001]), Refusal::Large(10_000_001));
        assert_eq!(refused(&vec![b'#'; 70_000]), Refusal::Wide(1));
    }

    #[test]
    fn the_indent_is_the_one_in_use() {
        let indent = |text: &str| read(text.as_bytes()).shape.indent;
        assert_eq!(indent("a\n\tb\n\t\tc\n"), Indent::Tab);
        assert_eq!(indent("a\n    b\n        c\n    d\n"), Indent::Spaces(4));
        assert_eq!(indent("a\n  b\n  c\n    d\ne\n"), Indent::Spaces(2));
        assert_eq!(indent("a\nb\n"), Indent::Spaces(2));
        assert_eq!(Document::read("x.py", b"a\n").unwrap().shape.indent, Indent::Spaces(4));
    }

    #[test]
    fn a_paste_has_one_kind_of_line_end() {
        assert_eq!(clean("a\r\nb\rc\nd\0"), "a\nb\nc\nd");
    }

    proptest::proptest! {
        #[test]
        fn a_text_comes_back_byte_for_byte(text in "(\u{feff})?([a-z \t\u{7}é日]{0,4}(\r\n|\n|\r|\r\r\n)?){0,12}") {
            let document = Document::read("x", text.as_bytes()).unwrap();
            proptest::prop_assert_eq!(document.shape.encode(&document.lines), text.as_bytes());
        }
    }
}
