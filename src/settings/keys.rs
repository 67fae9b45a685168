//! Every key of config.toml that is not a connection's: what may stand there, and a sentence when it does not.
//! The same table judges the file and the environment.

use super::units;

/// What a value must look like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    Bool,
    Duration,
    /// A duration or `none`.
    Limit,
    Size,
    Whole {
        min: i64,
        max: i64,
    },
    OneOf(&'static [&'static str]),
    /// One text or a list of texts.
    Texts,
    /// A name, or (in the file) one for each ground.
    Theme,
    /// Where a secret lies: see `reference`.
    Reference,
}

/// A value as far as a shape looks at it.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    Text(&'a str),
    Whole(i64),
    Bool(bool),
    Texts,
    /// What else it is, in words.
    Other(&'a str),
}

pub const SECTIONS: &[(&str, &[(&str, Shape)])] = &[
    (
        "engine",
        &[
            ("idle_exit", Shape::Duration),
            ("at_once", Shape::Whole { min: 0, max: 1_000_000 }),
            ("confirm_above", Shape::Whole { min: 0, max: 1_000_000 }),
            ("timeout", Shape::Limit),
            ("keep_days", Shape::Whole { min: 0, max: 36_500 }),
            ("keep_size", Shape::Size),
            ("socket", Shape::Text),
        ],
    ),
    ("library", &[("path", Shape::Text)]),
    (
        "ui",
        &[
            ("fleet", Shape::Text),
            ("theme", Shape::Theme),
            ("keymap", Shape::Text),
            ("ascii", Shape::Bool),
            ("color", Shape::OneOf(&["auto", "always", "never"])),
            ("fps", Shape::Whole { min: 1, max: 60 }),
            ("ask_terminal", Shape::Bool),
            ("mouse", Shape::Bool),
            ("editor", Shape::Text),
            ("pager", Shape::Text),
        ],
    ),
    (
        "listen",
        &[
            ("address", Shape::Text),
            ("tls_cert", Shape::Text),
            ("tls_key", Shape::Text),
            ("patience", Shape::Duration),
            ("rate", Shape::Whole { min: 0, max: 100_000_000 }),
            ("connections", Shape::Whole { min: 1, max: 100_000 }),
        ],
    ),
    ("local", &[("enabled", Shape::Bool)]),
    ("notify", &[("bell", Shape::Bool), ("desktop", Shape::OneOf(&["none", "osc9", "osc777"]))]),
];

pub fn section(name: &str) -> Option<&'static [(&'static str, Shape)]> {
    SECTIONS.iter().find(|(section, _)| *section == name).map(|(_, keys)| *keys)
}

impl Shape {
    /// `Err`: what was expected, and what stands there.
    pub fn check(self, given: Given<'_>) -> Result<(), String> {
        let fits = match (self, given) {
            (Shape::Text | Shape::Theme, Given::Text(text)) => !text.is_empty(),
            (Shape::Bool, Given::Bool(_)) | (Shape::Texts, Given::Text(_) | Given::Texts) => true,
            (Shape::Duration, Given::Text(text)) => units::duration(text).is_some(),
            (Shape::Limit, Given::Text(text)) => text == "none" || units::duration(text).is_some(),
            (Shape::Duration | Shape::Limit, Given::Whole(n)) => n == 0,
            (Shape::Size, Given::Text(text)) => units::size(text).is_some(),
            (Shape::Size, Given::Whole(n)) => n >= 0,
            (Shape::Whole { min, max }, Given::Whole(n)) => (min..=max).contains(&n),
            (Shape::OneOf(words), Given::Text(text)) => words.contains(&text),
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("expected {}, found {}", self.words(), given.words())) }
    }

    fn words(self) -> String {
        match self {
            Shape::Text => "a text that is not empty".to_owned(),
            Shape::Bool => "true or false".to_owned(),
            Shape::Duration => "a duration such as \"30s\", \"10m\", \"2h\" or \"1d\"".to_owned(),
            Shape::Limit => "a duration such as \"30s\" or \"10m\", or \"none\"".to_owned(),
            Shape::Size => "a size such as \"20GiB\" or \"500MB\"".to_owned(),
            Shape::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Shape::OneOf(words) => format!("one of {}", words.join(", ")),
            Shape::Texts => "a text or a list of texts".to_owned(),
            Shape::Reference => "where a secret lies".to_owned(),
            Shape::Theme => "the name of a theme or { dark, light, fallback }".to_owned(),
        }
    }
}

impl Given<'_> {
    fn words(self) -> String {
        match self {
            // A value can be a page of hostile text: a beginning names it well enough.
            Given::Text(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
            Given::Whole(n) => n.to_string(),
            Given::Bool(b) => b.to_string(),
            Given::Texts => "a list".to_owned(),
            Given::Other(kind) => format!("a value of type {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_what_it_expected() {
        assert_eq!(
            Shape::Duration.check(Given::Text("soon")).unwrap_err(),
            "expected a duration such as \"30s\", \"10m\", \"2h\" or \"1d\", found \"soon\""
        );
        assert_eq!(
            Shape::Whole { min: 1, max: 60 }.check(Given::Whole(0)).unwrap_err(),
            "expected a whole number from 1 to 60, found 0"
        );
    }
}
