//! What is given to a script, held against its parameters: one [`Argument`] for each that has a value, in the order
//! in which the script declares them, defaults filled in. The same for local scripts and for those of a server; how
//! the arguments reach a local one is in [`argv`](super::argv).
//!
//! An empty value counts as not given: forms send empty fields, and a default is a better answer than nothing. A name
//! may be written with `_` for `-`, and without the dashes it begins with.

use std::fmt;

use zeroize::Zeroizing;

use super::{Param, ParamKind, Takes};
use crate::model::nearest::{hint, shown as shown_text};
use crate::model::secret::Secret;

/// No system takes a longer value in one piece, in bytes.
pub(super) const VALUE_MAX: usize = 128 * 1024 - 1;
/// Text of many lines is not typed longer, in bytes.
pub const LINES_MAX: usize = 1 << 20;
/// Of all files of a launch together, in bytes.
pub const FILES_MAX: usize = 8 << 20;
/// Values of one list.
const LIST_MAX: usize = 1_000;

const YES: [&str; 4] = ["true", "yes", "on", "1"];
const NO: [&str; 4] = ["false", "no", "off", "0"];

/// What was given, of each sort.
#[derive(Clone, Copy, Default)]
pub struct Supply<'a> {
    /// Of a file, its path.
    pub params: &'a [(String, String)],
    pub secrets: &'a [(String, Secret)],
    pub files: &'a [Contents],
    /// The script gets its arguments by name: one that is left out moves no other into its place.
    pub by_name: bool,
}

/// A file as it was read where the operator sits. It may be secret: never shown, wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Contents {
    pub param: String,
    pub path: String,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents({}: {}, {} bytes)", self.param, self.path, self.bytes.len())
    }
}

/// A parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    pub kind: ParamKind,
    /// It travels on stdin.
    pub stdin: bool,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A flag that is on.
    True,
    Text(String),
    List(Vec<String>),
    /// Empty: an optional one that was not given.
    Secret(Secret),
    Files(Vec<Contents>),
}

impl Argument {
    /// Its value is for the engine's memory alone.
    pub fn is_held(&self) -> bool {
        match &self.value {
            Value::Secret(secret) => !secret.expose().is_empty(),
            Value::Files(_) => true,
            Value::True | Value::Text(_) | Value::List(_) => self.stdin,
        }
    }
}

/// Every parameter that has a value, or why that is not possible, in one sentence that names the parameter.
pub fn settle(params: &[Param], supply: &Supply<'_>) -> Result<Vec<Argument>, String> {
    check_secrets(params, supply.secrets)?;
    let mut given = gather(params, supply.params)?;
    complete(params, &mut given, supply.by_name)?;
    let mut arguments = Vec::new();
    for (param, values) in params.iter().zip(given) {
        let value = match (param, values.is_empty()) {
            (Param { secret: true, .. }, _) => Value::Secret(secret(param, supply.secrets)?),
            (_, true) => continue,
            (Param { kind: ParamKind::Flag, .. }, _) => Value::True,
            (Param { takes: Takes::File, .. }, _) => Value::Files(files(param, &values, supply.files)?),
            (Param { multiple: true, .. }, _) => Value::List(values),
            _ => Value::Text(values.concat()),
        };
        arguments.push(Argument { name: param.name.clone(), kind: param.kind, stdin: param.stdin, value });
    }
    Ok(arguments)
}

/// What will be passed, for a preview and for the history of jobs: a secret is `(hidden)`, a file is its path.
pub fn shown(arguments: &[Argument]) -> Vec<(String, String)> {
    let values = |argument: &Argument| match &argument.value {
        Value::True => vec!["true".to_owned()],
        Value::Text(text) => vec![text.clone()],
        Value::List(values) => values.clone(),
        Value::Secret(_) => vec!["(hidden)".to_owned()],
        Value::Files(files) => files.iter().map(|file| file.path.clone()).collect(),
    };
    let named = |argument: &Argument| {
        let name = argument.name.clone();
        values(argument).into_iter().map(move |value| (name.clone(), value))
    };
    arguments.iter().flat_map(named).collect()
}

/// Whether a parameter takes this value; else what it takes. Nothing given is fine here.
pub fn check(param: &Param, value: &str) -> Result<(), String> {
    let name = &param.name;
    if value.is_empty() {
        return Ok(());
    }
    let most = if param.stdin { LINES_MAX } else { VALUE_MAX };
    if value.contains('\0') {
        return Err(format!("the value of '{name}' holds a NUL byte, which no argument can"));
    }
    if value.len() > most {
        return Err(format!("the value of '{name}' is longer than {} KiB", most.div_ceil(1024)));
    }
    if param.kind == ParamKind::Flag {
        let word = value.to_ascii_lowercase();
        if !YES.contains(&word.as_str()) && !NO.contains(&word.as_str()) {
            return Err(format!("'{name}' is a flag: true or false, not '{}'", shown_text(value)));
        }
    } else if !param.choices.is_empty() && !param.choices.iter().any(|choice| choice == value) {
        let choices = param.choices.join(", ");
        let hint = hint(value, param.choices.iter().map(String::as_str));
        return Err(format!("'{name}' is one of {choices}, not '{}'{hint}", shown_text(value)));
    } else if param.takes == Takes::Number && !is_number(value) {
        let such = param.example.as_deref().or(param.default.as_deref()).unwrap_or("10");
        return Err(format!("'{name}' is a number (such as {such}), not '{}'", shown_text(value)));
    }
    Ok(())
}

/// The parameter that is called so.
pub fn find<'a>(params: &'a [Param], name: &str) -> Result<&'a Param, String> {
    if let Some(found) = params.iter().find(|param| param.name == name) {
        return Ok(found);
    }
    if let Some(found) = params.iter().find(|param| same(&param.name, name)) {
        return Ok(found);
    }
    let name_shown = shown_text(name);
    if params.is_empty() {
        return Err(format!("the script has no parameter '{name_shown}': it declares none"));
    }
    let near = hint(name, params.iter().map(|param| param.name.as_str()));
    let known = params.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!("the script has no parameter '{name_shown}'{near} (it has {known})"))
}

/// Decimal, as a form takes it: `90`, `-0.5`, `1e3`.
fn is_number(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    value.chars().all(plain) && value.parse::<f64>().is_ok_and(f64::is_finite)
}

fn same(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches('-').replace('_', "-");
    a == b || bare(a) == bare(b)
}

/// The values of each parameter as given: none, one, or several.
fn gather(params: &[Param], given: &[(String, String)]) -> Result<Vec<Vec<String>>, String> {
    let mut values: Vec<Vec<String>> = vec![Vec::new(); params.len()];
    for (name, value) in given {
        let param = find(params, name)?;
        if param.secret {
            return Err(format!("'{}' is secret: it never travels as an ordinary parameter", param.name));
        }
        if value.is_empty() {
            continue;
        }
        check(param, value)?;
        let at = params.iter().position(|known| known.name == param.name).unwrap_or_default();
        if !values[at].is_empty() && !param.multiple {
            return Err(format!("'{}' is given twice", param.name));
        }
        if values[at].len() == LIST_MAX {
            return Err(format!("'{}' has more than {LIST_MAX} values", param.name));
        }
        values[at].push(value.clone());
    }
    Ok(values)
}

/// Defaults where nothing was given; and what must be there, is.
fn complete(params: &[Param], given: &mut [Vec<String>], by_name: bool) -> Result<(), String> {
    let mut missing: Option<&str> = None;
    for (param, values) in params.iter().zip(given).filter(|(param, _)| !param.secret) {
        if param.kind == ParamKind::Flag {
            let said = values.first().map(|value| YES.contains(&value.to_ascii_lowercase().as_str()));
            *values = if said.unwrap_or(param.usually_on()) { vec!["true".into()] } else { Vec::new() };
            continue;
        }
        // a default may not slip into the place of a positional that is left out
        let positional = param.kind == ParamKind::Arg && !param.stdin && !by_name;
        if values.is_empty() && (!positional || missing.is_none()) {
            values.extend(param.default.clone().filter(|default| !default.is_empty()));
        }
        if values.is_empty() && param.required {
            return Err(format!("the parameter '{}' is required", param.name));
        }
        if positional {
            match missing {
                Some(missing) if !values.is_empty() => {
                    return Err(format!("'{}' cannot be given without '{missing}', which comes before it", param.name));
                }
                None if values.is_empty() => missing = Some(&param.name),
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_secrets(params: &[Param], given: &[(String, Secret)]) -> Result<(), String> {
    for (at, (name, _)) in given.iter().enumerate() {
        let param = find(params, name)?;
        if !param.secret {
            return Err(format!("'{}' is not secret: give it as an ordinary parameter", param.name));
        }
        if given[..at].iter().any(|(other, _)| same(other, name)) {
            return Err(format!("'{}' is given twice", param.name));
        }
    }
    Ok(())
}

/// An optional secret that was not given is empty, so that the others keep their lines.
fn secret(param: &Param, given: &[(String, Secret)]) -> Result<Secret, String> {
    let value = given.iter().find(|(name, _)| same(name, &param.name)).map(|(_, value)| value);
    match value {
        Some(value) if value.expose().contains(['\n', '\r', '\0']) => {
            Err(format!("the secret '{}' holds a line end or a NUL: it must fit on one line", param.name))
        }
        Some(value) if !value.expose().is_empty() => Ok(value.clone()),
        _ if param.required => Err(format!("the secret '{}' is required", param.name)),
        _ => Ok(Secret::new("")),
    }
}

fn files(param: &Param, paths: &[String], given: &[Contents]) -> Result<Vec<Contents>, String> {
    let total: usize = given.iter().map(|file| file.bytes.len()).sum();
    if total > FILES_MAX {
        return Err(format!("the files are larger than {} MiB together", FILES_MAX >> 20));
    }
    let file = |path: &String| {
        let found = given.iter().find(|file| same(&file.param, &param.name) && file.path == *path);
        let path = shown_text(path);
        found.cloned().ok_or_else(|| format!("the contents of {path} did not come along: '{}' is a file", param.name))
    };
    paths.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::super::header::header;
    use super::*;

    const HEADER: &str = "# @arg mode![check|fix]\n# @option --above=90 <NUMBER>\n# @option --tag*\n# @flag --dry-run\n# @option --config\n# @option --note\n# @meta file config\n# @meta stdin note\n";

    fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn settled(given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let params = header(HEADER).params;
        let files = [Contents { param: "config".into(), path: "/x".into(), bytes: Zeroizing::new(b"a=1".to_vec()) }];
        let supply = Supply { params: &pairs(given), files: &files, ..Supply::default() };
        settle(&params, &supply).map(|arguments| shown(&arguments))
    }

    #[test]
    fn values_come_in_the_order_of_the_script_with_its_defaults() {
        let given = [("note", "one\ntwo"), ("tag", "x"), ("config", "/x"), ("mode", "fix"), ("tag", "y")];
        let expected =
            [("mode", "fix"), ("above", "90"), ("tag", "x"), ("tag", "y"), ("config", "/x"), ("note", "one\ntwo")];
        assert_eq!(settled(&given), Ok(pairs(&expected)));
    }

    #[test]
    fn what_is_wrong_names_the_parameter_and_what_it_takes() {
        let refused = |given: &[(&str, &str)]| settled(&[&[("mode", "fix")], given].concat()).expect_err("refused");
        assert_eq!(settled(&[]), Err("the parameter 'mode' is required".into()));
        assert_eq!(
            settled(&[("mode", "fxi")]).unwrap_err(),
            "'mode' is one of check, fix, not 'fxi'; did you mean 'fix'?"
        );
        assert_eq!(refused(&[("above", "lots")]), "'above' is a number (such as 90), not 'lots'");
        assert!(refused(&[("above", "nan")]).contains("is a number"));
        assert!(refused(&[("dry-run", "maybe")]).contains("true or false"));
        assert!(refused(&[("above", "1"), ("above", "2")]).contains("'above' is given twice"));
        assert!(refused(&[("tga", "x")]).contains("did you mean 'tag'"));
        assert!(refused(&[("config", "/y")]).contains("/y did not come along: 'config' is a file"));
        let many: Vec<(&str, &str)> = vec![("tag", "x"); LIST_MAX + 1];
        assert!(refused(&many).contains("more than 1000 values"));
    }

    #[test]
    fn a_name_may_be_written_without_its_dashes() {
        let params = [Param::new("--dry-run", ParamKind::Flag), Param::new("-v", ParamKind::Flag)];
        for (written, found) in [("dry_run", "--dry-run"), ("--dry-run", "--dry-run"), ("v", "-v")] {
            assert_eq!(find(&params, written).map(|param| param.name.as_str()), Ok(found));
        }
    }

    #[test]
    fn a_flag_that_is_usually_on_goes_off_only_when_told() {
        let params = [Param { default: Some("true".into()), ..Param::new("--verbose", ParamKind::Flag) }];
        let on = |given: &[(&str, &str)]| {
            settle(&params, &Supply { params: &pairs(given), ..Supply::default() }).map(|arguments| arguments.len())
        };
        assert_eq!((on(&[]), on(&[("verbose", "no")]), on(&[("verbose", "yes")])), (Ok(1), Ok(0), Ok(1)));
    }

    #[test]
    fn what_a_file_holds_is_in_no_debug() {
        let contents = Contents { param: "p".into(), path: "/x".into(), bytes: Zeroizing::new(b"hunter2".to_vec()) };
        assert_eq!(format!("{contents:?}"), "Contents(p: /x, 7 bytes)");
    }

    proptest::proptest! {
        #[test]
        fn a_number_is_what_a_machine_reads(value in "[-+0-9.eExinfa]{0,8}") {
            let param = Param { takes: Takes::Number, ..Param::new("n", ParamKind::Arg) };
            let fine = check(&param, &value).is_ok();
            proptest::prop_assert_eq!(fine, value.is_empty() || value.parse::<f64>().is_ok_and(f64::is_finite));
        }
    }
}
