//! The header: what the comments at the top of a script say about it, in the tag notation of `argc`
//! (<https://github.com/sigoden/argc>), so that a script can be run by hand through argc as well.
//!
//! The header is the comments and blank lines before the first command, whatever the language writes
//! comments with: `#`, `//`, `--`, `;`, `REM`, and PowerShell's `<# … #>`.
//!
//! ```text
//! # @describe Say which file systems are nearly full
//! # @arg host!                    positional, required
//! # @arg paths*                   any number (`paths+`: one at least); must come last
//! # @arg mode[check|fix]          one of these
//! # @arg mode[=check|fix]         one of these, the first unless given
//! # @option -a --above=90 <PERCENT>   `--above VALUE`, 90 unless given (`--above="a b"` with spaces)
//! # @option --tag* <TAG>          may be given several times
//! # @flag -v --verbose            `--verbose`, there or not
//! # @option --retries=3 <NUMBER>  a number (`<NUM>`, `<INT>`, `<INTEGER>`, `<FLOAT>`, `<DECIMAL>` are, too)
//! # @option --token! <SECRET>     a secret: asked for, never an argument, a line on the script's stdin
//! # @meta secret token            the same, said apart; what else `@meta` says is in [`meta`](super::meta)
//! ```
//!
//! Of argc's notation these are read and mean nothing here: its own `@meta …`, `@env`, `@version`, `@author`,
//! a short name beside a long one, list separators (`--tag*,`), bound variables (`$$`, `$NAME`), defaults
//! and choices computed by a function of the script (any value is then allowed). Not taken, with a finding:
//! options with one dash and several letters (`-name`, `+name`). Reading ends at `@cmd`: subcommands are not run.
//!
//! Headers come from files that anybody may have written: everything is bounded, and texts are cleaned of
//! control characters.

use super::meta::{Mark, Meta};
use super::values::check;
use super::{Finding, Level, Param, ParamKind, Takes};
use crate::model::nearest::{hint, shown};

/// A header is not read beyond so many lines.
const LINES: usize = 1_000;
const PARAMS: usize = 64;
const CHOICES: usize = 256;
/// Characters of a name, of any other text.
const NAME: usize = 64;
const TEXT: usize = 400;

const TAGS: [&str; 10] = ["describe", "arg", "option", "flag", "meta", "cmd", "alias", "env", "version", "author"];

/// Notations of values that are numbers.
const NUMBERS: [&str; 6] = ["number", "num", "int", "integer", "float", "decimal"];

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub describe: String,
    pub params: Vec<Param>,
    pub meta: Meta,
    pub findings: Vec<Finding>,
    /// Lines of the script that it takes, the shebang included.
    pub lines: usize,
}

/// Reads the header. Never fails: what cannot be read is a finding.
pub fn header(text: &str) -> Header {
    let lines = usize::from(text.trim_start_matches('\u{feff}').starts_with("#!"));
    let mut header = Header { lines, ..Header::default() };
    for (number, comment) in comments(text) {
        header.lines = number as usize;
        let Some(tagged) = comment.trim_start().strip_prefix('@') else { continue };
        let (tag, rest) = tagged.split_once(char::is_whitespace).unwrap_or((tagged, ""));
        let rest = rest.trim();
        let kind = match tag {
            "describe" => {
                if header.describe.is_empty() {
                    header.describe = clean(rest, TEXT);
                }
                continue;
            }
            "arg" => ParamKind::Arg,
            "option" => ParamKind::Option,
            "flag" => ParamKind::Flag,
            "meta" => {
                header.findings.extend(header.meta.read(number, rest));
                continue;
            }
            "cmd" => {
                header.say(
                    Level::Info,
                    number,
                    "subcommands (@cmd) are not run from here; reading the header ends".into(),
                );
                break;
            }
            other => {
                // anything else may be an ordinary comment (an address, a decorator): only a slip is worth a word
                let near = if TAGS.contains(&other) { String::new() } else { hint(other, TAGS) };
                if !near.is_empty() {
                    header.say(Level::Warn, number, format!("'@{}' is not known{near}", shown(other)));
                }
                continue;
            }
        };
        header.add(number, kind, rest);
    }
    for (number, name, mark) in std::mem::take(&mut header.meta.marks) {
        match header.params.iter().position(|param| param.name == name) {
            Some(at) => header.mark(at, number, mark),
            None => header.say(Level::Warn, number, format!("no parameter is named '{name}'")),
        }
    }
    header.check_numbers();
    header.check_order();
    header
}

impl Header {
    fn say(&mut self, level: Level, line: u32, text: String) {
        self.findings.push(Finding::new(level, line, "header", text));
    }

    fn add(&mut self, number: u32, kind: ParamKind, rest: &str) {
        let (param, secret) = match parse(kind, rest) {
            Ok(parsed) => parsed,
            Err(why) => return self.say(Level::Error, number, format!("this parameter is left out: {why}")),
        };
        if self.params.iter().any(|known| known.name == param.name) {
            return self.say(Level::Warn, number, format!("'{}' is declared twice; the first counts", param.name));
        }
        if self.params.len() == PARAMS {
            return self.say(Level::Error, number, format!("more than {PARAMS} parameters: the rest is left out"));
        }
        if let Some(default) = param.default.as_ref().filter(|_| !param.choices.is_empty())
            && !param.choices.contains(default)
        {
            self.say(
                Level::Warn,
                number,
                format!("the default '{default}' of '{}' is not one of its choices", param.name),
            );
        }
        self.params.push(param);
        if secret {
            self.make_secret(self.params.len() - 1, number);
        }
    }

    fn mark(&mut self, at: usize, number: u32, mark: Mark) {
        let param = &mut self.params[at];
        let flag = param.kind == ParamKind::Flag;
        match mark {
            Mark::Secret => self.make_secret(at, number),
            Mark::Advanced => param.advanced = true,
            Mark::Example(example) => param.example = Some(example).filter(|example| !example.is_empty()),
            Mark::File if !flag && !param.secret && param.choices.is_empty() => param.takes = Takes::File,
            Mark::Stdin if !flag && !param.secret => param.stdin = true,
            Mark::File => {
                let text = format!("'{}' cannot be a file: a flag, a secret or a choice is none", param.name);
                self.say(Level::Error, number, text);
            }
            Mark::Stdin => {
                let text =
                    format!("'{}' cannot travel on stdin: a flag is an argument, a secret does anyway", param.name);
                self.say(Level::Warn, number, text);
            }
        }
    }

    fn make_secret(&mut self, at: usize, number: u32) {
        let param = &mut self.params[at];
        if param.kind == ParamKind::Flag || param.multiple {
            let text = format!("'{}' cannot be secret: a secret is one value", param.name);
            return self.say(Level::Error, number, text);
        }
        param.secret = true;
        (param.takes, param.stdin) = (Takes::Text, false);
        param.choices.clear();
        if param.default.take().is_some() {
            let text = format!("the default of '{}' is dropped: a secret in the script is none", param.name);
            self.say(Level::Error, number, text);
        }
    }

    /// Defaults and choices that no number is.
    fn check_numbers(&mut self) {
        let mut said = Vec::new();
        for param in self.params.iter().filter(|param| param.takes == Takes::Number) {
            let alone = Param { choices: Vec::new(), ..param.clone() };
            let odd = param.default.iter().chain(&param.choices).find(|value| check(&alone, value).is_err());
            said.extend(odd.map(|value| format!("'{value}' is no number, which '{}' is", param.name)));
        }
        said.into_iter().for_each(|text| self.say(Level::Warn, 0, text));
    }

    /// Positionals that could never be told apart.
    fn check_order(&mut self) {
        let mut many: Option<String> = None;
        let mut hole: Option<String> = None;
        let mut said = Vec::new();
        let positional = |param: &&Param| param.kind == ParamKind::Arg && !param.secret && !param.stdin;
        for param in self.params.iter().filter(positional) {
            if let Some(many) = &many {
                said.push(format!("'{}' comes after '{many}', which takes all that follows", param.name));
            } else if param.multiple {
                many = Some(param.name.clone());
            }
            if !param.required && param.default.is_none() {
                hole.get_or_insert_with(|| param.name.clone());
            } else if let Some(hole) = hole.as_ref().filter(|_| param.required) {
                said.push(format!("'{}' is required, but '{hole}' before it is not", param.name));
            }
        }
        said.into_iter().for_each(|text| self.say(Level::Warn, 0, text));
    }
}

/// The comments of the header, without what marks them as comments; line numbers from 1.
fn comments(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut block = false;
    text.trim_start_matches('\u{feff}')
        .lines()
        .zip(1_u32..)
        .take(LINES)
        .skip_while(|(line, number)| *number == 1 && line.starts_with("#!"))
        .map_while(move |(line, number)| {
            let line = line.trim();
            if block {
                block = !line.contains("#>");
                return Some((number, line.trim_end_matches("#>")));
            }
            if let Some(rest) = line.strip_prefix("<#") {
                block = !rest.contains("#>");
                return Some((number, rest.trim_end_matches("#>")));
            }
            if line.is_empty() {
                return Some((number, line));
            }
            let comment = ["#", "//", "--", ";"].into_iter().find_map(|leader| line.strip_prefix(leader));
            let comment = comment.or_else(|| {
                let (word, rest) = line.split_at_checked(3)?;
                (word.eq_ignore_ascii_case("rem") && rest.starts_with(char::is_whitespace)).then_some(rest)
            });
            comment.map(|comment| (number, comment.trim_start_matches(['#', '/', '-', ';'])))
        })
}

/// One parameter, and whether its notation calls it secret.
fn parse(kind: ParamKind, rest: &str) -> Result<(Param, bool), String> {
    let mut rest = rest;
    if kind != ParamKind::Arg {
        rest = option_name(rest)?;
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c))).unwrap_or(rest.len());
    let (name, mut rest) = rest.split_at(end);
    if name.is_empty() {
        return Err("it has no name".into());
    }
    if name.chars().count() > NAME {
        return Err("its name is too long".into());
    }
    let mut param = Param::new(name, kind);
    if let Some(modifier) = rest.chars().next().filter(|c| "!*+".contains(*c)) {
        param.required = matches!(modifier, '!' | '+');
        param.multiple = matches!(modifier, '*' | '+') && kind != ParamKind::Flag;
        rest = &rest[1..];
        if modifier != '!' {
            rest = rest.strip_prefix([',', ':', '@', '|', '/']).unwrap_or(rest);
        }
    }
    if kind != ParamKind::Flag {
        rest = value(rest, &mut param)?;
    }
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(format!(
            "'{}' is not understood after its name",
            shown(rest.split_whitespace().next().unwrap_or(rest))
        ));
    }
    let mut rest = rest.trim_start();
    if kind != ParamKind::Flag && rest.starts_with('$') {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    }
    let mut secret = false;
    while kind != ParamKind::Flag
        && let Some((notation, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'))
    {
        secret |= notation.eq_ignore_ascii_case("secret");
        if NUMBERS.iter().any(|number| notation.eq_ignore_ascii_case(number)) {
            param.takes = Takes::Number;
        }
        rest = after.strip_prefix(['*', '+', '?']).unwrap_or(after).trim_start();
    }
    param.describe = clean(rest, TEXT);
    Ok((param, secret))
}

/// Past the dashes of the name that counts: the long one, or a single letter that stands alone.
fn option_name(rest: &str) -> Result<&str, String> {
    let word = rest.split_whitespace().next().unwrap_or_default();
    let after = rest[word.len()..].trim_start();
    if let Some(long) = rest.strip_prefix("--") {
        return Ok(long);
    }
    if let Some(long) = after.strip_prefix("--") {
        return Ok(long);
    }
    let Some(short) = rest.strip_prefix('-') else {
        return Err("an option or flag is written --name".into());
    };
    let letters = short.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c))).unwrap_or(short.len());
    if after.starts_with(['-', '+']) || short[..letters].chars().count() != 1 {
        return Err("an option with one dash and several letters cannot be passed: write --name".into());
    }
    Ok(short)
}

/// `=default`, `[a|b]`, `[=a|b]`, and what a function computes.
fn value<'a>(rest: &'a str, param: &mut Param) -> Result<&'a str, String> {
    if let Some(value) = rest.strip_prefix('=') {
        if let Some(function) = value.strip_prefix('`') {
            return function.split_once('`').map(|(_, rest)| rest).ok_or_else(|| "its ` is never closed".into());
        }
        let (default, rest) = match value.chars().next().filter(|c| "\"'".contains(*c)) {
            Some(quote) => value[1..].split_once(quote).ok_or("the quote of its default is never closed")?,
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        param.default = Some(clean(default, TEXT));
        return Ok(rest);
    }
    let Some(inside) = rest.strip_prefix('[') else { return Ok(rest) };
    let (inside, rest) = inside.split_once(']').ok_or("the bracket of its choices is never closed")?;
    if inside.starts_with('`') || inside.starts_with("?`") {
        return Ok(rest);
    }
    let (first_is_default, inside) = match inside.strip_prefix('=') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    let choices = inside.split('|').map(|choice| clean(choice.trim().trim_matches(['"', '\'']), TEXT));
    param.choices = choices.filter(|choice| !choice.is_empty()).take(CHOICES).collect();
    if first_is_default {
        param.default = param.choices.first().cloned();
    }
    Ok(rest)
}

/// One line, bounded, without control characters.
fn clean(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::Field;

    fn param(line: &str) -> Param {
        let header = header(&format!("#!/bin/sh\n# {line}\n"));
        assert_eq!(header.findings, [], "{line}");
        header.params.into_iter().next().unwrap_or_else(|| panic!("{line}"))
    }

    fn said(text: &str) -> Vec<(u32, String)> {
        header(text).findings.into_iter().map(|finding| (finding.line, finding.text)).collect()
    }

    #[test]
    fn positionals() {
        let host = param("@arg host!   Where to");
        assert_eq!((host.name.as_str(), host.required, host.describe.as_str()), ("host", true, "Where to"));
        assert_eq!(param("@arg level=90 percent").default.as_deref(), Some("90"));
        assert_eq!(param("@arg greeting=\"good day\" text").default.as_deref(), Some("good day"));
        let mode = param("@arg mode[=check|fix] what to do");
        assert_eq!(
            (mode.default.as_deref(), mode.choices.len(), mode.describe.as_str()),
            (Some("check"), 2, "what to do")
        );
        assert!(param("@arg paths*").multiple && !param("@arg paths*").required);
        assert!(param("@arg paths+ <PATH>").multiple && param("@arg paths+ <PATH>").required);
        assert_eq!(param("@arg mode![a|b]").choices, ["a", "b"]);
        assert_eq!(param("@arg env=`current` $ENV <NAME> which").describe, "which");
        assert_eq!(param("@arg x[`list`]").choices, [""; 0]);
    }

    #[test]
    fn options_and_flags() {
        let above = param("@option -a --above=90 <PERCENT> warn above");
        assert_eq!(
            (above.name.as_str(), above.kind, above.describe.as_str()),
            ("above", ParamKind::Option, "warn above")
        );
        assert!(param("@option --tag*, <TAG>").multiple);
        assert_eq!(param("@flag -n --dry-run only say").name, "dry-run");
        assert_eq!(param("@flag -v").name, "v");
        assert_eq!(param("@option -p! <PORT>").name, "p");
    }

    #[test]
    fn a_runbook_is_a_link() {
        let named = |line: &str| header(&format!("#!/bin/sh\n{line}\n")).meta.runbook;
        assert_eq!(named("# @meta runbook https://wiki.example/rb/77").as_deref(), Some("https://wiki.example/rb/77"));
        for line in
            ["# @meta runbook", "# @meta runbook javascript:x", "# @meta runbook https://a b", "# @meta other x"]
        {
            assert_eq!(named(line), None, "{line}");
        }
        assert!(said("# @meta runbook RB-77")[0].1.contains("is a link"));
    }

    #[test]
    fn secrets_by_notation_or_by_name() {
        let token = param("@option --token! <SECRET> of the API");
        assert!(token.secret && token.required && token.describe == "of the API");
        let header = header("# @arg a\n# @option --key\n# @meta secret key\n");
        assert!(!header.params[0].secret && header.params[1].secret);
        assert!(said("# @option --key=abc <secret>")[0].1.contains("dropped"));
        assert!(said("# @meta secret nosuch")[0].1.contains("no parameter"));
    }

    #[test]
    fn every_kind_of_field_can_be_declared() {
        let text = "# @option --retries=3 <NUM>\n# @option --config\n# @arg note\n# @flag --force\n# @meta file config\n# @meta stdin config note\n# @meta advanced retries\n# @meta example note seen in ring 1\n# @meta output json\n";
        let header = header(text);
        assert_eq!(header.findings, []);
        let fields: Vec<Field> = header.params.iter().map(Param::field).collect();
        assert_eq!(fields, [Field::Number, Field::File, Field::Lines, Field::Checkbox]);
        let of = |name: &str| header.params.iter().find(|param| param.name == name).unwrap();
        assert!(of("retries").advanced && of("config").stdin && !of("force").stdin);
        assert_eq!(of("note").example.as_deref(), Some("seen in ring 1"));
        assert_eq!(header.meta.output, Some(crate::model::content::Content::Json));
    }

    #[test]
    fn what_no_field_can_be_is_told() {
        assert!(said("# @flag --x\n# @meta file x")[0].1.contains("cannot be a file"));
        assert!(said("# @flag --x\n# @meta stdin x")[0].1.contains("cannot travel on stdin"));
        assert!(said("# @option --x=abc <INT>")[0].1.contains("'abc' is no number, which 'x' is"));
        assert!(said("# @option --x[1|two] <INT>")[0].1.contains("'two' is no number"));
        assert!(said("# @meta file nosuch")[0].1.contains("no parameter is named"));
        let header = header("# @option --x <SECRET>\n# @meta file x\n");
        assert_eq!((header.params[0].field(), header.findings.len()), (Field::Password, 1));
    }

    #[test]
    fn any_language_can_carry_a_header() {
        for text in [
            "// @describe x\n// @arg a\n",
            "-- @describe x\n-- @arg a\n",
            "REM @describe x\r\nrem @arg a\r\n",
            "; @describe x\n\n;; @arg a\n",
            "<#\n@describe x\n  @arg a\n#>\nWrite-Host\n",
            "\u{feff}#!/bin/sh\n## @describe x\n# @arg a\n",
        ] {
            let header = header(text);
            assert_eq!((header.describe.as_str(), header.params.len()), ("x", 1), "{text}");
        }
    }

    #[test]
    fn the_header_ends_at_the_first_command() {
        assert_eq!(header("#!/bin/sh\n# @arg a\necho\n# @arg b\n").params.len(), 1);
        assert_eq!(header("# @arg a\n# @cmd up\n# @arg b\n").params.len(), 1);
    }

    #[test]
    fn slips_are_told() {
        assert_eq!(said("# @optoin --x"), [(1, "'@optoin' is not known; did you mean 'option'?".into())]);
        assert!(said("# @arg").iter().all(|(line, text)| *line == 1 && text.contains("no name")));
        assert!(said("# @arg a\n# @arg a")[0].1.contains("twice"));
        assert!(said("# @flag force")[0].1.contains("--name"));
        assert!(said("# @option -name")[0].1.contains("one dash"));
        assert!(said("# @arg a[x|y")[0].1.contains("never closed"));
        assert!(said("# @arg a*\n# @arg b")[0].1.contains("takes all"));
        assert!(said("# @arg a\n# @arg b!")[0].1.contains("before it"));
        assert_eq!(said("# see @home and mail me@example\n# @deprecated"), []);
    }

    proptest::proptest! {
        #[test]
        fn no_header_breaks_the_reader(lines in proptest::collection::vec("# @(arg|option|flag|meta) [-a-z!*+=\\[\\]|`\"'<>$ é]{0,20}", 0..6)) {
            let header = header(&lines.join("\n"));
            proptest::prop_assert!(header.params.len() <= 6);
        }
    }
}
