//! Letters in their order, others between them: what a hurried operator types. Whether a text holds them, how well it
//! answers them, and where they are: the same letters in all three. None of it allocates but the places, which are
//! asked only of what is on screen.

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

/// Places at which the first letter is tried; later ones make a text no better.
const STARTS: usize = 8;

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
        self.walk(text, 0, |_, _| {}).is_some()
    }

    /// `None`: it does not hold the letters. More is better: together, where words begin, early, and little else.
    pub fn score(&self, text: &str) -> Option<u32> {
        self.best(text).map(|(score, _)| score)
    }

    /// Where the letters are, in bytes, as they answer best.
    pub fn places(&self, text: &str) -> Option<Vec<usize>> {
        let (_, start) = self.best(text)?;
        let mut places = Vec::new();
        self.walk(text, start, |at, _| places.push(at))?;
        Some(places)
    }

    pub fn hits(&self, text: &str, hits: &mut Vec<Range<usize>>) {
        if let Some((_, start)) = self.best(text) {
            self.walk(text, start, |at, len| hits.push(at..at + len));
        }
    }

    /// What holds this holds `other` too.
    pub fn implies(&self, other: &Self) -> bool {
        (self.exact || !other.exact) && other.is_in(&self.text)
    }

    fn len(&self) -> usize {
        match &self.letters {
            Letters::Ascii(letters) => letters.len(),
            Letters::Any(letters) => letters.len(),
        }
    }

    /// The next place of one of the letters, and how long it is there.
    fn find(&self, letter: usize, text: &str, from: usize) -> Option<(usize, usize)> {
        match &self.letters {
            Letters::Ascii(letters) => {
                let [low, high] = letters[letter];
                let rest = &text.as_bytes()[from..];
                memchr::memchr2(low, high, rest).map(|at| (from + at, 1))
            }
            Letters::Any(letters) => {
                let same = |c: char| c == letters[letter] || (!self.exact && c.to_lowercase().eq([letters[letter]]));
                text[from..].char_indices().find(|(_, c)| same(*c)).map(|(at, c)| (from + at, c.len_utf8()))
            }
        }
    }

    /// Takes each letter at its first place from `start` on. `None`: they are not all there.
    fn walk(&self, text: &str, start: usize, mut took: impl FnMut(usize, usize)) -> Option<()> {
        let mut from = start;
        for letter in 0..self.len() {
            let (at, len) = self.find(letter, text, from)?;
            took(at, len);
            from = at + len;
        }
        Some(())
    }

    /// The best score, and where its first letter stands.
    fn best(&self, text: &str) -> Option<(u32, usize)> {
        if self.len() == 0 {
            return Some((0, 0));
        }
        let mut best: Option<(u32, usize)> = None;
        let mut from = 0;
        for _ in 0..STARTS {
            let Some((start, len)) = self.find(0, text, from) else { break };
            // what the rest of the text does not hold, a later start does not find either
            let Some(score) = self.score_from(text, start) else { break };
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, start));
            }
            from = start + len;
        }
        best
    }

    fn score_from(&self, text: &str, start: usize) -> Option<u32> {
        let mut score = 0_u32;
        let mut end = usize::MAX;
        self.walk(text, start, |at, len| {
            let begins = at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
            score += 1 + if begins { 8 } else { 0 } + if at == end { 6 } else { 0 };
            end = at + len;
        })?;
        let whole = if start == 0 && end == text.len() && text.len() == self.text.len() { 20 } else { 0 };
        let late = u32::try_from(start.min(5)).unwrap_or(5);
        Some((score * 4 + whole).saturating_sub(late))
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
            assert!(Fuzzy::new(typed).score(text).is_some());
        }
        for (typed, text) in [("pso", "os-patch"), ("Os", "os-patch"), ("x", ""), ("Ä", "ä")] {
            assert!(!Fuzzy::new(typed).is_in(text), "{typed}");
            assert_eq!(Fuzzy::new(typed).places(text), None);
            assert_eq!(Fuzzy::new(typed).score(text), None);
        }
    }

    #[test]
    fn the_letters_are_shown_where_they_answer_best() {
        assert_eq!(Fuzzy::new("ab").places("a__ab"), Some(vec![3, 4]));
        assert_eq!(Fuzzy::new("op").places("xoxp-os-patch"), Some(vec![5, 8]));
    }

    #[test]
    fn whole_words_and_beginnings_come_first() {
        let best_of = |typed: &str, texts: &[&'static str]| {
            let fuzzy = Fuzzy::new(typed);
            let scored = texts.iter().filter_map(|text| Some((fuzzy.score(text)?, *text)));
            scored.max_by_key(|found| found.0).map(|found| found.1)
        };
        assert_eq!(best_of("run", &["quit-or-back run", "return", "run"]), Some("run"));
        assert_eq!(best_of("gl", &["toggle", "go-log"]), Some("go-log"));
        assert_eq!(best_of("web1", &["web011", "web1", "web-x1"]), Some("web1"));
    }
}
