//! Parameters to arguments. They reach a script as separate words, never through a shell's text.
//!
//! Options and flags come first, in the order the header declares them, as `--name value` and `--name`
//! (one letter: `-n value`); then the positionals in their order. A parameter with a default is always
//! passed, so that a script need not repeat its header. Where a positional begins with `-` and the header
//! declares options, `--` parts the two; a script without options takes its words as they come and gets no `--`.
//!
//! An empty value counts as not given: forms send empty fields, and a default is a better answer than
//! nothing. A name may be written with `_` for `-`. Secrets never come this way: see [`secrets`].

use super::{Param, ParamKind};
use crate::model::nearest::{hint, shown as shown_text};
use crate::model::secret::Secret;

/// Linux takes no longer argument, in bytes.
const VALUE_MAX: usize = 128 * 1024 - 1;
/// All arguments together, in bytes: below what any system takes.
const ALL_MAX: usize = 512 * 1024;

const YES: [&str; 4] = ["true", "yes", "on", "1"];
const NO: [&str; 4] = ["false", "no", "off", "0"];

/// The arguments for a script, or why there are none, in one sentence.
pub fn argv(params: &[Param], given: &[(String, String)]) -> Result<Vec<String>, String> {
    let values = settle(params, given)?;
    let mut argv = Vec::new();
    let mut positionals = Vec::new();
    for (param, values) in params.iter().zip(values) {
        let dashed =
            || if param.name.chars().count() == 1 { format!("-{}", param.name) } else { format!("--{}", param.name) };
        match param.kind {
            ParamKind::Arg => positionals.extend(values),
            ParamKind::Flag => argv.extend(values.iter().map(|_| dashed())),
            ParamKind::Option => argv.extend(values.into_iter().flat_map(|value| [dashed(), value])),
        }
    }
    let has_options = params.iter().any(|param| param.kind != ParamKind::Arg && !param.secret);
    if has_options && positionals.iter().any(|value| value.starts_with('-')) {
        argv.push("--".into());
    }
    argv.append(&mut positionals);
    if argv.iter().map(String::len).sum::<usize>() > ALL_MAX {
        return Err(format!("the parameters are larger than {} KiB together", ALL_MAX / 1024));
    }
    Ok(argv)
}

/// The parameters as they will be passed, defaults filled in, for a preview; a secret is `(hidden)`.
pub fn shown(params: &[Param], given: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let values = settle(params, given)?;
    Ok(params
        .iter()
        .zip(values)
        .flat_map(|(param, values)| {
            let values = if param.secret { vec!["(hidden)".to_owned()] } else { values };
            values.into_iter().map(|value| (param.name.clone(), value))
        })
        .collect())
}

/// Names of the secrets, in the order of their lines on the script's stdin.
pub fn secrets_order(params: &[Param]) -> Vec<&str> {
    params.iter().filter(|param| param.secret).map(|param| param.name.as_str()).collect()
}

/// One value for every secret that the header declares, in its order; an optional one that was not given
/// is empty, so that the others keep their lines.
pub fn secrets(params: &[Param], given: &[(String, Secret)]) -> Result<Vec<Secret>, String> {
    for (at, (name, _)) in given.iter().enumerate() {
        let param = find(params, name)?;
        if !param.secret {
            return Err(format!("'{}' is not secret: give it as an ordinary parameter", param.name));
        }
        if given[..at].iter().any(|(other, _)| same(other, name)) {
            return Err(format!("'{}' is given twice", param.name));
        }
    }
    let secret = |param: &Param| {
        let value = given.iter().find(|(name, _)| same(name, &param.name)).map(|(_, value)| value);
        match value {
            Some(value) if value.expose().contains(['\n', '\r', '\0']) => {
                Err(format!("the secret '{}' holds a line end or a NUL: it must fit on one line", param.name))
            }
            Some(value) if !value.expose().is_empty() => Ok(value.clone()),
            _ if param.required => Err(format!("the secret '{}' is required", param.name)),
            _ => Ok(Secret::new("")),
        }
    };
    params.iter().filter(|param| param.secret).map(secret).collect()
}

/// The values of each parameter: none, one, or several.
fn settle(params: &[Param], given: &[(String, String)]) -> Result<Vec<Vec<String>>, String> {
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
        values[at].push(value.clone());
    }
    let mut missing: Option<&str> = None;
    for (param, values) in params.iter().zip(&mut values).filter(|(param, _)| !param.secret) {
        if param.kind == ParamKind::Flag {
            values.retain(|value| YES.contains(&value.to_ascii_lowercase().as_str()));
            if !values.is_empty() {
                *values = vec!["true".into()];
            }
            continue;
        }
        // a default may not slip into the place of a positional that is left out
        if values.is_empty() && (param.kind == ParamKind::Option || missing.is_none()) {
            values.extend(param.default.clone());
        }
        if values.is_empty() && param.required {
            return Err(format!("the parameter '{}' is required", param.name));
        }
        if param.kind == ParamKind::Arg {
            match missing {
                Some(missing) if !values.is_empty() => {
                    return Err(format!("'{}' cannot be given without '{missing}', which comes before it", param.name));
                }
                None if values.is_empty() => missing = Some(&param.name),
                _ => {}
            }
        }
    }
    Ok(values)
}

fn check(param: &Param, value: &str) -> Result<(), String> {
    let name = &param.name;
    if value.contains('\0') {
        return Err(format!("the value of '{name}' holds a NUL byte, which no argument can"));
    }
    if value.len() > VALUE_MAX {
        return Err(format!("the value of '{name}' is longer than {} KiB", VALUE_MAX.div_ceil(1024)));
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
    }
    Ok(())
}

fn find<'a>(params: &'a [Param], name: &str) -> Result<&'a Param, String> {
    if let Some(found) = params.iter().find(|param| param.name == name) {
        return Ok(found);
    }
    if let Some(found) = params.iter().find(|param| same(&param.name, name)) {
        return Ok(found);
    }
    let name_shown = shown_text(name);
    if params.is_empty() {
        return Err(format!("the script has no parameter '{name_shown}': its header declares none"));
    }
    let near = hint(name, params.iter().map(|param| param.name.as_str()));
    let known = params.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!("the script has no parameter '{name_shown}'{near} (it has {known})"))
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.len() == b.len() && a.replace('_', "-") == b.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::super::header::header;
    use super::*;

    const HEADER: &str = "# @arg mode![check|fix]\n# @arg paths*\n# @option -a --above=90\n# @option --tag*\n# @flag -n --dry-run\n# @option --token! <SECRET>\n";

    fn with(text: &str, given: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        argv(&header(text).params, &given)
    }

    fn args(given: &[(&str, &str)]) -> Result<Vec<String>, String> {
        with(HEADER, given)
    }

    #[test]
    fn options_come_first_then_positionals_in_their_order() {
        assert_eq!(args(&[("mode", "fix")]).expect("fine"), ["--above", "90", "fix"]);
        let all = [
            ("paths", "/a"),
            ("dry_run", "yes"),
            ("tag", "x"),
            ("mode", "check"),
            ("paths", "/b c"),
            ("tag", "y"),
            ("above", "5"),
        ];
        assert_eq!(
            args(&all).expect("fine"),
            ["--above", "5", "--tag", "x", "--tag", "y", "--dry-run", "check", "/a", "/b c"]
        );
        assert_eq!(with("# @flag -v\n# @option -p", &[("v", "on"), ("p", "1")]).expect("fine"), ["-v", "-p", "1"]);
    }

    #[test]
    fn a_positional_that_looks_like_an_option_is_parted_from_them() {
        assert_eq!(args(&[("mode", "fix"), ("paths", "-rf")]).expect("fine"), ["--above", "90", "--", "fix", "-rf"]);
        assert_eq!(with("# @arg x", &[("x", "-5")]).expect("fine"), ["-5"], "no options, no --");
    }

    #[test]
    fn slips_are_refused() {
        assert_eq!(args(&[]), Err("the parameter 'mode' is required".into()));
        assert_eq!(args(&[("mode", "")]), Err("the parameter 'mode' is required".into()));
        assert!(args(&[("mode", "chek")]).expect_err("choice").contains("did you mean 'check'"));
        assert!(args(&[("mod", "fix")]).expect_err("unknown").contains("did you mean 'mode'"));
        assert!(args(&[("mode", "fix"), ("mode", "fix")]).expect_err("twice").contains("twice"));
        assert!(args(&[("mode", "fix"), ("dry-run", "maybe")]).expect_err("flag").contains("true or false"));
        assert!(args(&[("mode", "fix"), ("paths", "a\0b")]).expect_err("nul").contains("NUL"));
        assert!(with("echo", &[("x", "1")]).expect_err("none").contains("declares none"));
        assert!(with("# @arg a\n# @arg b", &[("b", "1")]).expect_err("hole").contains("without 'a'"));
        assert_eq!(with("# @arg a\n# @arg b=5", &[]).expect("fine"), [""; 0], "a default fills no other's place");
        assert!(args(&[("mode", "fix"), ("paths", &"x".repeat(200_000))]).expect_err("long").contains("longer"));
    }

    #[test]
    fn a_flag_said_no_is_left_out() {
        assert_eq!(with("# @flag --force", &[("force", "false")]).expect("fine"), [""; 0]);
        assert_eq!(with("# @flag --force", &[]).expect("fine"), [""; 0]);
    }

    #[test]
    fn a_secret_is_never_an_argument() {
        assert!(args(&[("mode", "fix"), ("token", "hunter2")]).expect_err("secret").contains("secret"));
        let params = header(HEADER).params;
        assert_eq!(secrets_order(&params), ["token"]);
        assert_eq!(secrets(&params, &[]), Err("the secret 'token' is required".into()));
        let given = |value: &str| vec![("token".to_owned(), Secret::new(value))];
        assert_eq!(secrets(&params, &given("hunter2")), Ok(vec![Secret::new("hunter2")]));
        let refused = secrets(&params, &given("hunter2\nx")).expect_err("two lines");
        assert!(!refused.contains("hunter2"));
        let optional = header("# @option --a <SECRET>\n# @option --b <SECRET>\n").params;
        let only_b = secrets(&optional, &[("b".into(), Secret::new("x"))]).expect("fine");
        assert_eq!(only_b, [Secret::new(""), Secret::new("x")], "each keeps its line");
    }

    #[test]
    fn a_preview_shows_what_will_be_passed() {
        let previewed = shown(&header(HEADER).params, &[("mode".into(), "fix".into()), ("dry-run".into(), "1".into())]);
        let expected = [("mode", "fix"), ("above", "90"), ("dry-run", "true"), ("token", "(hidden)")];
        assert_eq!(previewed.expect("fine"), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
