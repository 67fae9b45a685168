//! What is looked for in outputs, and how it is written: a text as it is, or `re:` and a regular expression; case
//! counts where there is a capital letter. One rule for the screen, the verb and the engine. Knows lines of bytes;
//! not where they are kept.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// A regular expression compiles to at most this much.
const SIZE: usize = 1 << 20;

/// Words of trouble, as programs write them at the level or at the start of a message.
const TROUBLE: &str = r"(?i:\b(error|err|fatal|critical|crit|emerg|alert|panic|panicked|traceback|exception|failed|failure|fail|segfault|abort(ed)?|denied|refused|unreachable|cannot|can't|could not|no such file|not found|timed out|no space left)\b)|\b[A-Z]\w*(Error|Exception)\b";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Text,
    Regex,
    /// Lines that look like trouble: all of stderr, and words such as `error`, `fatal`, `traceback`, `denied`.
    Errors,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    #[serde(default)]
    pub kind: Kind,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub ignore_case: bool,
}

impl Pattern {
    /// As an operator types it; `None`: nothing.
    pub fn typed(text: &str) -> Option<Self> {
        let (kind, text) = match text.strip_prefix("re:") {
            Some(pattern) => (Kind::Regex, pattern),
            None => (Kind::Text, text),
        };
        (!text.is_empty()).then(|| Self::smart(kind, text))
    }

    /// Case counts where there is a capital letter. (`\S` and `\W` are none.)
    pub fn smart(kind: Kind, text: &str) -> Self {
        let mut escaped = false;
        let capital = text.chars().any(|c| {
            let counts = c.is_uppercase() && !(escaped && kind == Kind::Regex);
            escaped = c == '\\' && !escaped;
            counts
        });
        Self { kind, text: text.to_owned(), ignore_case: !capital }
    }

    pub fn errors() -> Self {
        Self { kind: Kind::Errors, ..Self::default() }
    }

    /// As it is typed again.
    pub fn spelled(&self) -> String {
        match self.kind {
            Kind::Text => self.text.clone(),
            Kind::Regex => format!("re:{}", self.text),
            Kind::Errors => "errors".to_owned(),
        }
    }

    /// # Errors
    /// Why it is no pattern, in one line.
    pub fn compile(&self) -> Result<Regex, String> {
        let source = match self.kind {
            Kind::Text if self.text.is_empty() => return Err("nothing to search for".to_owned()),
            Kind::Text => regex::escape(&self.text),
            Kind::Regex => self.text.clone(),
            Kind::Errors => TROUBLE.to_owned(),
        };
        RegexBuilder::new(&source)
            .multi_line(true)
            .case_insensitive(self.ignore_case)
            .size_limit(SIZE)
            .build()
            .map_err(|error| format!("not a regular expression: {}", reason(&error.to_string())))
    }
}

/// The last line of the crate's message is the reason; those before it draw the place.
fn reason(message: &str) -> String {
    let last = message.lines().last().unwrap_or(message).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Where it stands in a line, for showing.
pub fn ranges(matcher: &Regex, line: &str) -> Vec<Range<usize>> {
    let inside = |range: &Range<usize>| line.is_char_boundary(range.start) && line.is_char_boundary(range.end);
    matcher.find_iter(line.as_bytes()).map(|found| found.range()).filter(inside).take(200).collect()
}

/// So much of a long line as shows where it matches.
pub fn around(matcher: &Regex, line: String, most: usize) -> String {
    if line.len() <= most {
        return line;
    }
    let hit = matcher.find(line.as_bytes()).map_or(0, |found| found.start());
    let floor = |at: usize| (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let from = if hit < most / 2 { 0 } else { floor(hit - most / 4) };
    let part = &line[from..floor(from + most)];
    if from > 0 { format!("…{part}") } else { part.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(typed: &str, line: &str) -> bool {
        Pattern::typed(typed).unwrap().compile().unwrap().is_match(line.as_bytes())
    }

    #[test]
    fn case_counts_where_there_is_a_capital_letter() {
        assert!(finds("error", "an ERROR") && !finds("Error", "an ERROR"));
        assert!(finds(r"re:\Serror", "anError") && !finds(r"re:\SError", "an error"));
        assert!(finds("grüsse", "GRÜSSE"));
    }

    #[test]
    fn a_text_is_no_regular_expression_unless_it_says_so() {
        assert!(finds("a.c (x)", "a.c (X)") && !finds("a.c", "abc"));
        assert!(finds("re:^a.c$", "abc"));
        assert_eq!(Pattern::typed("re:"), None);
        assert_eq!(Pattern::typed("re:^A").unwrap().spelled(), "re:^A");
    }

    #[test]
    fn a_wrong_expression_says_why_in_one_line() {
        let why = Pattern::typed("re:(").unwrap().compile().unwrap_err();
        assert_eq!(why, "not a regular expression: unclosed group");
    }

    #[test]
    fn trouble_is_known_by_its_words() {
        let trouble = Pattern::errors().compile().unwrap();
        for line in
            ["E: Unable; error", "Traceback (most recent call last):", "sudo: permission denied", "x: ValueError: y"]
        {
            assert!(trouble.is_match(line.as_bytes()), "{line}");
        }
        for line in ["all fine", "terror", "0 faults", "failover done"] {
            assert!(!trouble.is_match(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_that_matches_is_kept() {
        let matcher = Pattern::typed("needle").unwrap().compile().unwrap();
        assert_eq!(around(&matcher, "a needle".into(), 20), "a needle");
        let long = around(&matcher, format!("{}needle{}", "é".repeat(300), "é".repeat(300)), 100);
        assert!(long.starts_with("…é") && long.contains("needle") && long.len() <= 104, "{long}");
        let early = around(&matcher, format!("needle{}", "x".repeat(300)), 100);
        assert!(early.starts_with("needle") && early.len() == 100);
    }

    #[test]
    fn ranges_are_of_whole_characters() {
        let matcher = Pattern::typed("é").unwrap().compile().unwrap();
        assert_eq!(ranges(&matcher, "éaé"), [0..2, 3..5]);
    }
}
