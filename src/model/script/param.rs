//! One parameter of a script, whoever declares it: the header of a local script, or the index of a server. Owns what
//! can be asked for and how a form asks; how values become arguments is in [`values`](super::values).

use serde::{Deserialize, Serialize};

/// One parameter. The order of a script's parameters is the order in which they are asked for and handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// A server's is as the server calls it, dashes and all (`--count`).
    pub name: String,
    pub kind: ParamKind,
    pub describe: String,
    pub required: bool,
    /// Of a flag: `true`, where it is on unless said otherwise.
    pub default: Option<String>,
    /// Allowed values; empty: any.
    pub choices: Vec<String>,
    /// Takes several values (`*`/`+` in the notation); each is its own argv entry.
    pub multiple: bool,
    /// Never in argv: travels on stdin.
    pub secret: bool,
    #[serde(default, skip_serializing_if = "Takes::is_text")]
    pub takes: Takes,
    /// What a value looks like, to be shown where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Travels on stdin as it is, behind all secrets; may have many lines.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stdin: bool,
    /// Rarely needed: a form folds it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub advanced: bool,
}

/// (By reference, as serde asks for it.)
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamKind {
    /// Positional.
    #[default]
    Arg,
    /// `--name value`.
    Option,
    /// `--name`, present or not.
    Flag,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    #[default]
    Text,
    Number,
    /// The contents of a file where the operator sits; the value is its path.
    File,
}

impl Takes {
    /// (By reference, as serde asks for it.)
    fn is_text(&self) -> bool {
        *self == Takes::Text
    }
}

/// How a form asks for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Text,
    /// Text of many lines.
    Lines,
    Number,
    Checkbox,
    /// One of the choices.
    Select,
    /// Any number of values.
    List,
    /// Any number of the choices.
    Choices,
    Password,
    File,
}

impl Field {
    pub const fn word(self) -> &'static str {
        match self {
            Field::Text => "text",
            Field::Lines => "lines",
            Field::Number => "number",
            Field::Checkbox => "checkbox",
            Field::Select => "select",
            Field::List => "list",
            Field::Choices => "choices",
            Field::Password => "password",
            Field::File => "file",
        }
    }
}

impl Param {
    pub fn new(name: &str, kind: ParamKind) -> Self {
        Self { name: name.to_owned(), kind, ..Self::default() }
    }

    pub fn field(&self) -> Field {
        match self {
            Param { secret: true, .. } => Field::Password,
            Param { kind: ParamKind::Flag, .. } => Field::Checkbox,
            Param { multiple: true, choices, .. } if !choices.is_empty() => Field::Choices,
            Param { multiple: true, .. } => Field::List,
            Param { choices, .. } if !choices.is_empty() => Field::Select,
            Param { takes: Takes::File, .. } => Field::File,
            Param { takes: Takes::Number, .. } => Field::Number,
            Param { stdin: true, .. } => Field::Lines,
            Param { .. } => Field::Text,
        }
    }

    /// On unless said otherwise.
    pub fn usually_on(&self) -> bool {
        self.kind == ParamKind::Flag && self.default.as_deref() == Some("true")
    }

    /// As it stands on a command line, where it is an option or a flag: `--above`, `-v`.
    pub fn dashed(&self) -> String {
        match self.name.chars().count() {
            _ if self.name.starts_with('-') => self.name.clone(),
            1 => format!("-{}", self.name),
            _ => format!("--{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_field_comes_from_what_the_parameter_says() {
        let choices = vec!["a".to_owned(), "b".to_owned()];
        let param = || Param::new("x", ParamKind::Option);
        for (param, field) in [
            (param(), Field::Text),
            (Param { stdin: true, ..param() }, Field::Lines),
            (Param { takes: Takes::Number, ..param() }, Field::Number),
            (Param::new("x", ParamKind::Flag), Field::Checkbox),
            (Param { choices: choices.clone(), ..param() }, Field::Select),
            (Param { multiple: true, ..param() }, Field::List),
            (Param { multiple: true, takes: Takes::Number, ..param() }, Field::List),
            (Param { multiple: true, choices, ..param() }, Field::Choices),
            (Param { secret: true, stdin: true, ..param() }, Field::Password),
            (Param { takes: Takes::File, stdin: true, ..param() }, Field::File),
        ] {
            assert_eq!(param.field(), field, "{param:?}");
        }
    }

    #[test]
    fn a_servers_name_keeps_its_dashes() {
        for (name, dashed) in [("v", "-v"), ("above", "--above"), ("--count", "--count"), ("-name", "-name")] {
            assert_eq!(Param::new(name, ParamKind::Option).dashed(), dashed);
        }
    }

    #[test]
    fn what_an_older_engine_told_is_still_read() {
        let old = r#"{"name":"a","kind":"arg","describe":"","required":true,"default":null,"choices":[],"multiple":false,"secret":false}"#;
        let param: Param = serde_json::from_str(old).unwrap();
        assert_eq!(param, Param { required: true, ..Param::new("a", ParamKind::Arg) });
        assert_eq!(serde_json::to_value(&param).unwrap(), serde_json::from_str::<serde_json::Value>(old).unwrap());
    }
}
