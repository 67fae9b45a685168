//! A text to look for: parts in their order (a `*` between them), with or without case. Finding allocates nothing.

use std::ops::Range;

/// How letters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// As written: a capital was written.
    Exact,
    /// The needle is ASCII: bytes are compared without case.
    Ascii,
    Unicode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// As written, for people.
    pub text: String,
    /// Without stars; lower case where case does not matter.
    parts: Vec<String>,
    case: Case,
    /// A number can hold it.
    pub digit: bool,
}

impl Needle {
    /// `parts`: what stood between the stars.
    pub fn new(text: String, parts: Vec<String>) -> Self {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let case = if parts.iter().any(|part| part.chars().any(char::is_uppercase)) {
            Case::Exact
        } else if parts.iter().all(|part| part.is_ascii()) {
            Case::Ascii
        } else {
            Case::Unicode
        };
        let digit = parts.iter().all(|part| part.bytes().any(|byte| byte.is_ascii_digit() || byte == b'-'));
        Self { text, parts, case, digit }
    }

    pub fn is_in(&self, text: &str) -> bool {
        let mut from = 0;
        self.parts.iter().all(|part| match self.find(text, from, part) {
            Some(found) => {
                from = found.end;
                true
            }
            None => false,
        })
    }

    /// The text of a number can hold it: figures with units of two letters at most, and two only at the end (`3m02`,
    /// `34 kB`). Numbers are written out to be looked through, which is dear.
    pub fn in_number(&self) -> bool {
        let units = |part: &String| {
            let mut runs = part.split(|c: char| !c.is_alphabetic()).map(|letters| letters.chars().count());
            let last = runs.next_back().unwrap_or(0);
            last <= 2 && runs.all(|letters| letters <= 1)
        };
        self.digit && self.parts.iter().all(units)
    }

    /// The text is this one, and nothing more.
    pub fn is(&self, text: &str) -> bool {
        match (self.parts.as_slice(), self.case) {
            ([], _) => text.is_empty(),
            ([part], Case::Exact) => text == part,
            ([part], Case::Ascii) => text.eq_ignore_ascii_case(part),
            ([part], Case::Unicode) => {
                text.chars().flat_map(char::to_lowercase).eq(part.chars().flat_map(char::to_lowercase))
            }
            (parts, _) => {
                // With stars: the first and the last part stand at the ends.
                let (first, last) = (&parts[0], &parts[parts.len() - 1]);
                let starts = self.text.starts_with('*') || self.find(text, 0, first).is_some_and(|at| at.start == 0);
                let ends = self.text.ends_with('*')
                    || (text.len() >= last.len()
                        && text.is_char_boundary(text.len() - last.len())
                        && self.find(text, text.len() - last.len(), last).is_some());
                starts && ends && self.is_in(text)
            }
        }
    }

    pub fn hits(&self, text: &str, hits: &mut Vec<Range<usize>>) {
        let mut from = 0;
        'again: while from < text.len() {
            let before = hits.len();
            for part in &self.parts {
                let Some(found) = self.find(text, from, part) else {
                    hits.truncate(before);
                    break 'again;
                };
                from = found.end;
                hits.push(found);
            }
            if self.parts.is_empty() {
                break;
            }
        }
    }

    fn find(&self, text: &str, from: usize, part: &str) -> Option<Range<usize>> {
        match self.case {
            Case::Exact => memchr::memmem::find(&text.as_bytes()[from..], part.as_bytes())
                .map(|at| from + at..from + at + part.len()),
            Case::Ascii => find_ascii(text.as_bytes(), from, part.as_bytes()),
            Case::Unicode => find_unicode(text, from, part),
        }
    }

    /// What holds this holds `other` too.
    pub fn implies(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        match (self.parts.as_slice(), other.parts.as_slice()) {
            (_, []) => true,
            ([mine], [theirs]) => match (self.case, other.case) {
                (_, Case::Exact) => self.case == Case::Exact && mine.contains(theirs.as_str()),
                (_, Case::Ascii) => find_ascii(mine.as_bytes(), 0, theirs.as_bytes()).is_some(),
                (Case::Unicode, Case::Unicode) => mine.contains(theirs.as_str()),
                (_, Case::Unicode) => false,
            },
            _ => false,
        }
    }
}

/// ASCII letters without case. `part` is in lower case and not empty.
fn find_ascii(text: &[u8], from: usize, part: &[u8]) -> Option<Range<usize>> {
    let (first, rest) = part.split_first()?;
    let last = text.len().checked_sub(part.len())?;
    let (low, high) = (*first, first.to_ascii_uppercase());
    let mut at = from;
    while at <= last {
        at += memchr::memchr2(low, high, &text[at..=last])?;
        if text[at + 1..at + part.len()].eq_ignore_ascii_case(rest) {
            return Some(at..at + part.len());
        }
        at += 1;
    }
    None
}

/// Any letters without case: slower, for the few who look for such.
fn find_unicode(text: &str, from: usize, part: &str) -> Option<Range<usize>> {
    text.get(from..)?.char_indices().find_map(|(at, _)| {
        let start = from + at;
        let mut wanted = part.chars().flat_map(char::to_lowercase);
        let mut next = wanted.next();
        for (offset, c) in text[start..].char_indices() {
            for low in c.to_lowercase() {
                match next {
                    Some(want) if want == low => next = wanted.next(),
                    Some(_) => return None,
                    None => {}
                }
            }
            if next.is_none() {
                return Some(start..start + offset + c.len_utf8());
            }
        }
        None
    })
}
