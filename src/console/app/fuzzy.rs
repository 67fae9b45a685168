//! How well a text answers a few typed letters: they must come in order, best together and where words begin. Works on
//! bytes in place, so that ten thousand names cost less than a frame.

/// What was typed: words that must all be found, in any order.
pub struct Question {
    words: Vec<Vec<u8>>,
}

impl Question {
    pub fn new(typed: &str) -> Self {
        Self { words: typed.split_whitespace().map(|word| word.to_lowercase().into_bytes()).collect() }
    }

    /// `None`: it does not answer. More is better; an empty question is answered by everything.
    pub fn score(&self, text: &str) -> Option<u32> {
        self.words.iter().try_fold(0, |sum, word| Some(sum + best(word, text.as_bytes())?))
    }
}

/// The best of the places where the word can begin.
fn best(word: &[u8], text: &[u8]) -> Option<u32> {
    let first = *word.first()?;
    (0..text.len())
        .filter(|at| text[*at].to_ascii_lowercase() == first)
        .take(8)
        .filter_map(|at| from(word, text, at))
        .max()
}

fn from(word: &[u8], text: &[u8], start: usize) -> Option<u32> {
    let mut score = 0_u32;
    let mut at = start;
    let mut before = None;
    for &wanted in word {
        let found = at + text[at..].iter().position(|byte| byte.to_ascii_lowercase() == wanted)?;
        let begins = found == 0 || !text[found - 1].is_ascii_alphanumeric();
        score += 1;
        score += if begins { 8 } else { 0 };
        score += if before.is_some_and(|before: usize| before + 1 == found) { 6 } else { 0 };
        before = Some(found);
        at = found + 1;
    }
    // Of two equals the one that begins early and ends soon.
    let whole = if text.len() == word.len() { 20 } else { 0 };
    let late = u32::try_from(start.min(5)).unwrap_or(5);
    Some((score * 4 + whole).saturating_sub(late))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of<'a>(typed: &str, texts: &[&'a str]) -> Option<&'a str> {
        let question = Question::new(typed);
        texts
            .iter()
            .filter_map(|text| Some((question.score(text)?, *text)))
            .max_by_key(|found| found.0)
            .map(|found| found.1)
    }

    #[test]
    fn letters_in_order_answer_and_others_do_not() {
        let question = Question::new("wb01");
        assert!(question.score("lab:web001").is_some());
        assert!(question.score("lab:db001").is_none());
        assert_eq!(Question::new("").score("anything"), Some(0));
        assert!(Question::new("go LOG").score("go-log").is_some());
        assert!(Question::new("é").score("café").is_some());
    }

    #[test]
    fn whole_words_and_beginnings_come_first() {
        assert_eq!(best_of("run", &["quit-or-back run", "return", "run"]), Some("run"));
        assert_eq!(best_of("gl", &["toggle", "go-log"]), Some("go-log"));
        assert_eq!(best_of("web1", &["web011", "web1", "web-x1"]), Some("web1"));
    }
}
