//! Letters in their order, others between them: what a hurried operator types. Whether a text holds them costs one
//! pass and no allocation; where they are is asked only of what is on screen.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fuzzy {
    /// As written, for people.
    pub text: String,
    letters: Letters,
    /// Capitals count: one was written.
    exact: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Letters {
    /// Lower and upper form of each.
    Ascii(Vec<[u8; 2]>),
    Any(Vec<char>),
}

impl Fuzzy {
    pub fn new(text: &str) -> Self {
        let exact = text.chars().any(char::is_uppercase);
        let letters = if text.is_ascii() {
            let both = |byte: u8| if exact { [byte, byte] } else { [byte, byte.to_ascii_uppercase()] };
            Letters::Ascii(text.bytes().map(both).collect())
        } else {
            Letters::Any(text.chars().flat_map(|c| if exact { vec![c] } else { c.to_lowercase().collect() }).collect())
        };
        Self { text: text.to_owned(), letters, exact }
    }

    pub fn is_in(&self, text: &str) -> bool {
        match &self.letters {
            Letters::Ascii(letters) => {
                let text = text.as_bytes();
                let mut at = 0;
                for [low, high] in letters {
                    loop {
                        let Some(byte) = text.get(at) else { return false };
                        at += 1;
                        if byte == low || byte == high {
                            break;
                        }
                    }
                }
                true
            }
            Letters::Any(letters) => {
                let mut left = letters.iter().peekable();
                for c in text.chars() {
                    if left.peek().is_some_and(|wanted| self.same(c, **wanted)) {
                        left.next();
                    }
                }
                left.peek().is_none()
            }
        }
    }

    fn same(&self, c: char, wanted: char) -> bool {
        c == wanted || (!self.exact && c.to_lowercase().eq(std::iter::once(wanted)))
    }

    /// Where the letters are, in bytes: the last possible start of the first possible end, which keeps them close.
    pub fn places(&self, text: &str) -> Option<Vec<usize>> {
        let letters: Vec<char> = match &self.letters {
            Letters::Ascii(letters) => letters.iter().map(|[low, _]| char::from(*low)).collect(),
            Letters::Any(letters) => letters.clone(),
        };
        let mut wanted = letters.iter();
        let mut next = wanted.next();
        let mut end = 0;
        for (at, c) in text.char_indices() {
            match next {
                Some(letter) if self.same(c, *letter) => {
                    (next, end) = (wanted.next(), at + c.len_utf8());
                }
                Some(_) => {}
                None => break,
            }
        }
        if next.is_some() {
            return None;
        }
        let mut places = Vec::with_capacity(letters.len());
        let mut left = letters.iter().rev().peekable();
        for (at, c) in text[..end].char_indices().rev() {
            if left.peek().is_some_and(|letter| self.same(c, **letter)) {
                left.next();
                places.push(at);
            }
        }
        places.reverse();
        Some(places)
    }

    pub fn hits(&self, text: &str, hits: &mut Vec<Range<usize>>) {
        for at in self.places(text).unwrap_or_default() {
            let len = text[at..].chars().next().map_or(0, char::len_utf8);
            hits.push(at..at + len);
        }
    }

    /// What holds this holds `other` too.
    pub fn implies(&self, other: &Self) -> bool {
        (self.exact || !other.exact) && other.is_in(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_are_found_and_others_are_not() {
        for (typed, text) in [("osp", "os-patch"), ("", "x"), ("ÄÖ", "xÄyÖ"), ("äö", "xÄyÖ"), ("OP", "OsPatch")]
        {
            assert!(Fuzzy::new(typed).is_in(text), "{typed}");
            assert!(Fuzzy::new(typed).places(text).is_some());
        }
        for (typed, text) in [("pso", "os-patch"), ("Os", "os-patch"), ("x", ""), ("Ä", "ä")] {
            assert!(!Fuzzy::new(typed).is_in(text), "{typed}");
            assert_eq!(Fuzzy::new(typed).places(text), None);
        }
    }

    #[test]
    fn the_letters_stand_as_close_as_they_can() {
        assert_eq!(Fuzzy::new("ab").places("a__ab"), Some(vec![3, 4]));
    }
}
