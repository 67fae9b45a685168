//! What can be a rule for the lines that tell: a regular expression of a bounded size that is matched in linear time, or
//! it is refused with the place and the reason. The same answer while it is written and when it is given.

use regex::{Regex, RegexBuilder};

use super::ways::Rule;

/// Characters of a pattern, and of what stands for what it finds.
const PATTERN: usize = 500;
const BECOMES: usize = 40;

/// A pattern compiles to at most this much.
const SIZE: usize = 1 << 20;

/// Why a rule is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub text: String,
    /// In the pattern, in characters from 0.
    pub column: Option<usize>,
}

/// # Errors
/// It is none.
pub fn compile(rule: &Rule) -> Result<Regex, Wrong> {
    let regex = pattern(&rule.pattern)?;
    let becomes = rule.becomes.as_deref().unwrap_or_default();
    if becomes.chars().any(char::is_control) || becomes.chars().count() > BECOMES {
        let text = format!("what it becomes is a short text, of {BECOMES} characters at most");
        return Err(Wrong { text, column: None });
    }
    Ok(regex)
}

fn pattern(pattern: &str) -> Result<Regex, Wrong> {
    let wrong = |text: &str| Wrong { text: text.to_owned(), column: None };
    if pattern.is_empty() {
        return Err(wrong("an empty pattern finds nothing"));
    }
    if let Some(column) = pattern.chars().position(char::is_control) {
        return Err(Wrong {
            text: "a pattern is one line without control characters".to_owned(),
            column: Some(column),
        });
    }
    if pattern.chars().count() > PATTERN {
        return Err(Wrong { text: format!("a pattern has {PATTERN} characters at most"), column: None });
    }
    let regex = RegexBuilder::new(pattern).size_limit(SIZE).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => wrong("the pattern is too large once its repetitions are written out"),
        error => drawn(&error.to_string()),
    })?;
    if regex.is_match("") {
        return Err(wrong("the pattern matches nothing at all too (write + instead of *?)"));
    }
    Ok(regex)
}

/// The crate draws the pattern, a line of carets under the place, and says the reason last.
fn drawn(message: &str) -> Wrong {
    let reason = message.lines().last().unwrap_or(message).trim();
    let carets = message.lines().find(|line| line.contains('^') && line.chars().all(|c| c == ' ' || c == '^'));
    let column = carets.and_then(|line| line.find('^')).map(|at| at.saturating_sub(4));
    let text = format!("not a regular expression: {}", reason.strip_prefix("error: ").unwrap_or(reason));
    let text = column.map_or_else(|| text.clone(), |column| format!("{text} (at character {})", column + 1));
    Wrong { text, column }
}
