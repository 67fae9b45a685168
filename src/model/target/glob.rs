//! `*` and `?`, in time that no pattern can blow up.

/// A pattern over a whole text.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    One(char),
    Any,
    Many,
}

impl Glob {
    /// Characters, and whether they are quoted (mean only themselves).
    pub(super) fn new(chars: impl IntoIterator<Item = (char, bool)>) -> Self {
        let mut parts = Vec::new();
        for (c, quoted) in chars {
            let part = match c {
                '*' if !quoted => Part::Many,
                '?' if !quoted => Part::Any,
                c => Part::One(c),
            };
            if part != Part::Many || parts.last() != Some(&Part::Many) {
                parts.push(part);
            }
        }
        Self { parts }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.matches_by(text, |a, b| a == b)
    }

    /// Upper and lower case alike.
    pub(super) fn matches_loosely(&self, text: &str) -> bool {
        self.matches_by(text, |a, b| a == b || a.to_lowercase().eq(b.to_lowercase()))
    }

    /// At a mismatch only the last `*` is widened: at worst pattern times text, never more.
    fn matches_by(&self, text: &str, same: impl Fn(char, char) -> bool) -> bool {
        let mut part = 0;
        let mut rest = text.chars();
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            match self.parts.get(part) {
                Some(Part::Many) => {
                    part += 1;
                    retry = Some((part, rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                Some(found) => {
                    if let Some(c) = rest.next()
                        && match found {
                            Part::One(wanted) => same(*wanted, c),
                            Part::Any | Part::Many => true,
                        }
                    {
                        part += 1;
                        continue;
                    }
                }
                None => {}
            }
            let Some((from, mut wider)) = retry.take() else { return false };
            if wider.next().is_none() {
                return false;
            }
            part = from;
            rest = wider.clone();
            retry = Some((from, wider));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::new(text.chars().map(|c| (c, false)))
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("web*", "web001", true),
            ("web*", "aweb", false),
            ("*", "", true),
            ("?", "", false),
            ("w?b", "web", true),
            ("*.lon.*", "a.lon.b", true),
            ("*ab", "aab", true),
            ("*ab*ab", "abcab", true),
            ("a*b", "abc", false),
            ("é?", "éx", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(glob("UBU*").matches_loosely("ubuntu"));
        assert!(!glob("UBU*").matches("ubuntu"));
    }

    #[test]
    fn a_quoted_star_is_a_star() {
        assert!(!Glob::new([('*', true)]).matches("x"));
        assert!(Glob::new([('*', true)]).matches("*"));
    }

    proptest::proptest! {
        #[test]
        fn as_a_regular_expression_would(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let same = regex::Regex::new(&format!("^{}$", pattern.replace('*', ".*").replace('?', "."))).expect("regex");
            proptest::prop_assert_eq!(glob(&pattern).matches(&text), same.is_match(&text));
        }
    }
}
