//! A script's own rules for the lines that tell, in force: which of them finds which place. What can be a rule is
//! `model::rule`'s affair.

use std::ops::Range;

use regex::Regex;

use crate::model::rule::{self, Wrong};
use crate::model::ways::Rule;

/// Rules of a script.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub struct Rules(Vec<(Regex, Option<String>)>);

/// A place in a line that a rule decides; `None`: it stays as it is.
pub type Claim<'a> = (Range<usize>, Option<&'a str>);

impl Rules {
    /// # Errors
    /// The first rule that is none, by its number from 1.
    pub fn compile(rules: &[Rule]) -> Result<Self, Wrong> {
        let wrong = |text: String| Wrong { text, column: None };
        if rules.len() > MOST {
            return Err(wrong(format!("{} rules: a script has {MOST} at most", rules.len())));
        }
        let mut compiled = Vec::with_capacity(rules.len());
        for (number, rule) in (1..).zip(rules) {
            let named = |wrong: Wrong| Wrong { text: format!("rule {number}: {}", wrong.text), ..wrong };
            compiled.push((rule::compile(rule).map_err(named)?, rule.becomes.clone()));
        }
        Ok(Self(compiled))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands for things, beside the masks.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, becomes)| becomes.as_deref()).filter(|becomes| !becomes.is_empty())
    }

    /// In the order of the line, none overlapping another.
    pub fn claims(&self, line: &str) -> Vec<Claim<'_>> {
        let mut claims: Vec<Claim<'_>> = Vec::new();
        for (regex, becomes) in &self.0 {
            for found in regex.find_iter(line).map(|found| found.range()).filter(|range| !range.is_empty()) {
                if claims.iter().all(|(taken, _)| found.end <= taken.start || taken.end <= found.start) {
                    claims.push((found, becomes.as_deref()));
                }
            }
        }
        claims.sort_by_key(|(range, _)| range.start);
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str, becomes: Option<&str>) -> Rule {
        Rule { pattern: pattern.to_owned(), becomes: becomes.map(str::to_owned) }
    }

    #[test]
    fn the_first_rule_that_finds_a_place_has_it() {
        let rules = Rules::compile(&[rule("pkg-[a-z]+", Some("<pkg>")), rule("[a-z]+-foo|HTTP [0-9]+", None)]).unwrap();
        assert_eq!(rules.claims("no pkg-foo: HTTP 503"), [(3..10, Some("<pkg>")), (12..20, None)]);
        assert_eq!(rules.marks().collect::<Vec<_>>(), ["<pkg>"]);
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_place_and_reason() {
        for (pattern, why, column) in [
            ("a(b", "unclosed group", Some(1)),
            (r"x(?=y)", "look-around", Some(1)),
            (r"(a)\1", "backreferences are not supported", Some(3)),
            ("[z-a]", "invalid character class range", Some(1)),
            ("", "finds nothing", None),
            ("a*", "matches nothing at all", None),
            ("(((a{200}){200}){200})", "too large", None),
            ("a\tb", "control characters", Some(1)),
        ] {
            let wrong = Rules::compile(&[rule("fine", None), rule(pattern, None)]).unwrap_err();
            assert!(wrong.text.starts_with("rule 2: ") && wrong.text.contains(why), "{pattern:?}: {wrong:?}");
            assert_eq!(wrong.column, column, "{pattern:?}: {wrong:?}");
        }
        assert!(Rules::compile(&[rule("a", Some("\u{1b}[m"))]).is_err());
        assert!(Rules::compile(&vec![rule("a", None); 33]).is_err());
        assert!(Rules::compile(&[rule(&"x".repeat(501), None)]).is_err());
    }

    #[test]
    fn a_pattern_that_would_backtrack_for_ever_elsewhere_costs_nothing_here() {
        let rules = Rules::compile(&[rule("(a+)+$", Some("<a>"))]).unwrap();
        let line = format!("{}b", "a".repeat(400));
        assert_eq!(rules.claims(&line), []);
    }
}
