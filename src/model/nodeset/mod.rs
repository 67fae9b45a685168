//! Node sets: many names written as one. Owns the notation of ClusterShell and pdsh (`web[01-40,50]`),
//! the ranges of Ansible inventories (`web[01:40]`) and folding names back for people.
//!
//! A node set is a list of names parted by commas; in a name, each `[…]` holds numbers and inclusive
//! ranges parted by commas, a range may end in `/step`, and zeros that lead its first number pad all of
//! it: `rack[1-2]-n[08-10]`, `web[01-40/2,50],db1`. What is written with several brackets is every
//! combination, the last bracket running fastest.
//!
//! Texts come from operators and inventories alike, so nothing here grows past the given limit: the
//! number of names is computed before the first one is made.

mod ansible;
mod fold;

pub use ansible::ansible;
pub use fold::{Names, fold, natural};

/// A name is never longer, in bytes.
pub const NAME_MAX: usize = 255;

/// Numbers of more digits are not numbers to us: they would not fit 64 bits.
pub(crate) const DIGITS_MAX: usize = 18;

/// What is wrong with a node set, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// In characters, from 0.
    pub column: usize,
    /// One sentence.
    pub message: String,
}

impl Error {
    pub(crate) fn at(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

/// More than one name in the text (or the attempt at it): it holds a bracket or a comma.
pub fn is_nodeset(text: &str) -> bool {
    text.contains(['[', ']', ','])
}

/// The names that a node set stands for, in the order written, repeats included; at most `limit`.
pub fn expand(text: &str, limit: usize) -> Result<Vec<String>, Error> {
    let chars: Vec<char> = text.chars().collect();
    let mut names = Vec::new();
    let mut from = 0;
    loop {
        let to = end_of_element(&chars, from);
        let element = parse(&chars, from, to)?;
        element.produce(&mut names, limit, from)?;
        if to == chars.len() {
            return Ok(names);
        }
        from = to + 1;
    }
}

/// Where the comma-free (outside brackets) piece that starts at `from` ends.
fn end_of_element(chars: &[char], from: usize) -> usize {
    let mut inside = false;
    for (at, c) in chars.iter().enumerate().skip(from) {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ',' if !inside => return at,
            _ => {}
        }
    }
    chars.len()
}

/// One element: literal text and brackets in turn.
#[derive(Default)]
pub(crate) struct Element {
    parts: Vec<Part>,
}

pub(crate) enum Part {
    Text(String),
    Ranges(Vec<Range>),
}

/// Inclusive; `width` 0 is no padding.
pub(crate) struct Range {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) step: u64,
    pub(crate) width: usize,
    /// Count letters of the alphabet, not numbers (Ansible).
    pub(crate) letters: bool,
}

impl Range {
    fn len(&self) -> u64 {
        (self.last - self.first) / self.step + 1
    }

    fn write(&self, index: u64, name: &mut String) {
        use std::fmt::Write as _;
        let value = self.first + index * self.step;
        if self.letters {
            name.extend(
                usize::try_from(value).ok().and_then(|at| ansible::LETTERS.get(at)).map(|letter| *letter as char),
            );
        } else {
            let _ = write!(name, "{value:0width$}", width = self.width);
        }
    }
}

impl Element {
    pub(crate) fn push_char(&mut self, c: char) {
        if let Some(Part::Text(text)) = self.parts.last_mut() {
            text.push(c);
        } else {
            self.parts.push(Part::Text(c.to_string()));
        }
    }

    pub(crate) fn push_ranges(&mut self, ranges: Vec<Range>) {
        self.parts.push(Part::Ranges(ranges));
    }

    /// How many names; saturates.
    fn len(&self) -> u64 {
        self.parts.iter().fold(1_u64, |product, part| match part {
            Part::Text(_) => product,
            Part::Ranges(ranges) => {
                product.saturating_mul(ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len())))
            }
        })
    }

    pub(crate) fn produce(&self, names: &mut Vec<String>, limit: usize, column: usize) -> Result<(), Error> {
        let count = self.len();
        if count > limit.saturating_sub(names.len()) as u64 {
            let all = count.saturating_add(names.len() as u64);
            return Err(Error::at(column, format!("this stands for {all} names or more; at most {limit} are allowed")));
        }
        // one look per element is enough: its names differ only in digits
        let widest: usize = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.len(),
                Part::Ranges(ranges) => {
                    ranges.iter().map(|range| range.width.max(decimals(range.last))).max().unwrap_or(0)
                }
            })
            .sum();
        if widest > NAME_MAX {
            return Err(Error::at(column, format!("a name here is longer than {NAME_MAX} bytes")));
        }
        names.reserve(usize::try_from(count).unwrap_or(0));
        self.combine(0, &mut String::with_capacity(widest), names);
        Ok(())
    }

    /// Depth is the number of parts of a name of at most `NAME_MAX` bytes.
    fn combine(&self, at: usize, name: &mut String, names: &mut Vec<String>) {
        let Some(part) = self.parts.get(at) else {
            names.push(name.clone());
            return;
        };
        let kept = name.len();
        match part {
            Part::Text(text) => {
                name.push_str(text);
                self.combine(at + 1, name, names);
                name.truncate(kept);
            }
            Part::Ranges(ranges) => {
                for range in ranges {
                    for index in 0..range.len() {
                        range.write(index, name);
                        self.combine(at + 1, name, names);
                        name.truncate(kept);
                    }
                }
            }
        }
    }
}

fn parse(chars: &[char], from: usize, to: usize) -> Result<Element, Error> {
    let mut from = from;
    let mut to = to;
    while from < to && chars[from].is_whitespace() {
        from += 1;
    }
    while to > from && chars[to - 1].is_whitespace() {
        to -= 1;
    }
    if from == to {
        return Err(Error::at(from, "a name is missing here"));
    }
    let mut element = Element::default();
    let mut at = from;
    while at < to {
        match chars[at] {
            '[' => {
                let close = (at + 1..to).find(|&i| chars[i] == ']' || chars[i] == '[');
                let Some(close) = close.filter(|&i| chars[i] == ']') else {
                    return Err(Error::at(at, "this bracket is never closed"));
                };
                element.push_ranges(ranges(chars, at + 1, close)?);
                at = close + 1;
            }
            ']' => return Err(Error::at(at, "this bracket was never opened")),
            c if c.is_whitespace() => return Err(Error::at(at, "a name holds no spaces: part names with a comma")),
            c => {
                element.push_char(c);
                at += 1;
            }
        }
    }
    Ok(element)
}

/// The inside of a bracket.
fn ranges(chars: &[char], from: usize, to: usize) -> Result<Vec<Range>, Error> {
    let mut ranges = Vec::new();
    let mut start = from;
    loop {
        let end = (start..to).find(|&i| chars[i] == ',').unwrap_or(to);
        ranges.push(range(chars, start, end)?);
        if end == to {
            return Ok(ranges);
        }
        start = end + 1;
    }
}

fn range(chars: &[char], from: usize, to: usize) -> Result<Range, Error> {
    let mut reader = Reader { chars, at: from, to };
    let (first, digits) = reader.number()?;
    let width = padding(&digits);
    if reader.at == to {
        return Ok(Range { first, last: first, step: 1, width, letters: false });
    }
    if chars[reader.at] != '-' {
        let found = chars[reader.at];
        let hint = if found == ':' { "; a range is written with '-', as in [01-40]" } else { "" };
        return Err(Error::at(reader.at, format!("'{}' does not belong in a range{hint}", printable(found))));
    }
    reader.at += 1;
    let last_at = reader.at;
    let (last, last_digits) = reader.number()?;
    if padding(&last_digits) > 0 && last_digits.len() != digits.len() {
        return Err(Error::at(last_at, format!("pad both ends alike: {digits} and {last_digits} differ in length")));
    }
    if last < first {
        return Err(Error::at(from, format!("this range runs backwards: write {last_digits}-{digits}")));
    }
    let mut step = 1;
    if reader.at < to && chars[reader.at] == '/' {
        reader.at += 1;
        let step_at = reader.at;
        step = reader.number()?.0;
        if step == 0 {
            return Err(Error::at(step_at, "a step of 0 never arrives"));
        }
    }
    if reader.at < to {
        return Err(Error::at(reader.at, format!("'{}' does not belong in a range", printable(chars[reader.at]))));
    }
    Ok(Range { first, last, step, width, letters: false })
}

/// Zeros that lead a number say how wide all numbers of its range are.
pub(crate) fn padding(digits: &str) -> usize {
    if digits.len() > 1 && digits.starts_with('0') { digits.len() } else { 0 }
}

/// How many digits a number has.
pub(crate) fn decimals(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |power| power as usize + 1)
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    to: usize,
}

impl Reader<'_> {
    fn number(&mut self) -> Result<(u64, String), Error> {
        let from = self.at;
        while self.at < self.to && self.chars[self.at].is_ascii_digit() {
            self.at += 1;
        }
        let digits: String = self.chars[from..self.at].iter().collect();
        if digits.is_empty() {
            let message = match self.chars.get(from).filter(|_| from < self.to) {
                Some(c) => format!("expected a number, found '{}'", printable(*c)),
                None => "a number is missing here".to_owned(),
            };
            return Err(Error::at(from, message));
        }
        if digits.len() > DIGITS_MAX {
            return Err(Error::at(from, format!("a number of more than {DIGITS_MAX} digits")));
        }
        match digits.parse() {
            Ok(number) => Ok((number, digits)),
            Err(_) => Err(Error::at(from, "not a number")),
        }
    }
}

/// Messages go to terminals: no control characters in them.
pub(crate) fn printable(c: char) -> char {
    if c.is_control() { '?' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        expand(text, 1_000).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> (usize, String) {
        let error = expand(text, 1_000).expect_err(text);
        (error.column, error.message)
    }

    #[test]
    fn a_plain_name_is_itself() {
        assert_eq!(names("web1"), ["web1"]);
        assert!(!is_nodeset("web1"));
    }

    #[test]
    fn ranges_are_inclusive_and_padded_as_their_first_number() {
        assert_eq!(names("web[08-10,50]"), ["web08", "web09", "web10", "web50"]);
        assert_eq!(names("web[8-10]"), ["web8", "web9", "web10"]);
        assert_eq!(names("n[099-101]"), ["n099", "n100", "n101"]);
        assert_eq!(names("n[0-2]"), ["n0", "n1", "n2"]);
        assert_eq!(names("n[98-101]x"), ["n98x", "n99x", "n100x", "n101x"]);
    }

    #[test]
    fn a_step_leaves_names_out() {
        assert_eq!(names("n[1-8/3]"), ["n1", "n4", "n7"]);
    }

    #[test]
    fn several_brackets_are_every_combination() {
        assert_eq!(names("r[1-2]n[1-2]"), ["r1n1", "r1n2", "r2n1", "r2n2"]);
    }

    #[test]
    fn commas_outside_brackets_part_names() {
        assert_eq!(names("a[1-2,4], b ,c"), ["a1", "a2", "a4", "b", "c"]);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        assert_eq!(refused(""), (0, "a name is missing here".into()));
        assert_eq!(refused("a,,b").0, 2);
        assert_eq!(refused("web[1-3"), (3, "this bracket is never closed".into()));
        assert_eq!(refused("web[1[2]]").0, 3);
        assert_eq!(refused("web1]"), (4, "this bracket was never opened".into()));
        assert_eq!(refused("web[]"), (4, "a number is missing here".into()));
        assert_eq!(refused("web[1-]").0, 6);
        assert_eq!(refused("web[a-c]"), (4, "expected a number, found 'a'".into()));
        assert_eq!(refused("web[40-01]").0, 4);
        assert_eq!(refused("web[1-010]").0, 6);
        assert_eq!(refused("web[1-9/0]").0, 8);
        assert!(refused("web[01:40]").1.contains("[01-40]"));
        assert_eq!(refused("a b").0, 1);
        assert_eq!(refused("w[1-99999999999999999999]").0, 4);
        assert_eq!(refused("日本[x]").0, 3);
    }

    #[test]
    fn what_would_grow_too_large_is_refused_before_it_grows() {
        assert!(refused("n[0-999999999999]").1.contains("1000000000000 names"));
        assert!(refused("n[0-99][0-99][0-99][0-999999999999999999][0-99]").1.contains("at most 1000"));
        assert_eq!(refused("a[1-600],b[1-600]").0, 9);
        assert!(refused(&"x".repeat(300)).1.contains("longer than"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_nothing_panics(text in "[a-c\\[\\]0-9,/: \\-é]{0,40}") {
            let _ = expand(&text, 500);
            let _ = ansible(&text, 500);
        }
    }
}
