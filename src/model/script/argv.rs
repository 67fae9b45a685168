//! Arguments as a local script gets them: as separate words, never through a shell's text, and on stdin.
//!
//! Options and flags come first, in the order the header declares them, as `--name value` and `--name`
//! (one letter: `-n value`); then the positionals in their order. A parameter with a default is always
//! passed, so that a script need not repeat its header. Where a positional begins with `-` and the header
//! declares options, `--` parts the two; a script without options takes its words as they come and gets no `--`.
//!
//! On stdin comes a line for every secret that the header declares, in its order; then, as they are, the texts and
//! files that travel there.

use super::values::{Argument, Contents, VALUE_MAX, Value};
use super::{Param, ParamKind};
use crate::model::nearest::shown;
use crate::model::secret::Secret;

/// All arguments together, in bytes: below what any system takes.
const ALL_MAX: usize = 512 * 1024;
/// What travels on stdin, in bytes: a launcher may hold it in memory.
const STDIN_MAX: usize = 1 << 20;

/// The words for a script, or why there are none, in one sentence.
pub fn argv(params: &[Param], arguments: &[Argument]) -> Result<Vec<String>, String> {
    let mut argv = Vec::new();
    let mut positionals = Vec::new();
    for argument in arguments.iter().filter(|argument| !argument.stdin) {
        let values = match &argument.value {
            Value::Secret(_) => continue,
            Value::True => vec![String::new()],
            Value::Text(text) => vec![text.clone()],
            Value::List(values) => values.clone(),
            Value::Files(files) => files.iter().map(|file| word(argument, file)).collect::<Result<_, _>>()?,
        };
        let dashed = Param::new(&argument.name, argument.kind).dashed();
        match argument.kind {
            ParamKind::Arg => positionals.extend(values),
            ParamKind::Flag => argv.push(dashed),
            ParamKind::Option => argv.extend(values.into_iter().flat_map(|value| [dashed.clone(), value])),
        }
    }
    let has_options = params.iter().any(|param| param.kind != ParamKind::Arg && !param.secret && !param.stdin);
    if has_options && positionals.iter().any(|value| value.starts_with('-')) {
        argv.push("--".into());
    }
    argv.append(&mut positionals);
    if argv.iter().map(String::len).sum::<usize>() > ALL_MAX {
        return Err(format!("the parameters are larger than {} KiB together", ALL_MAX / 1024));
    }
    Ok(argv)
}

/// What the script reads on stdin, piece by piece; each ends with a line end.
pub fn stdin(arguments: &[Argument]) -> Result<Vec<Secret>, String> {
    let mut pieces: Vec<Secret> = Vec::new();
    for argument in arguments {
        if let Value::Secret(secret) = &argument.value {
            pieces.push(secret.clone());
        }
    }
    for argument in arguments.iter().filter(|argument| argument.stdin) {
        match &argument.value {
            Value::Secret(_) => {}
            Value::True => pieces.push(Secret::new(argument.name.as_str())),
            Value::Text(text) => pieces.push(Secret::new(unended(text))),
            Value::List(values) => pieces.push(Secret::new(values.join("\n"))),
            Value::Files(files) => {
                for file in files {
                    pieces.push(Secret::new(unended(text_of(argument, file)?)));
                }
            }
        }
    }
    if pieces.iter().map(|piece| piece.expose().len()).sum::<usize>() > STDIN_MAX {
        return Err(format!("what is given on stdin is larger than {} KiB together", STDIN_MAX / 1024));
    }
    Ok(pieces)
}

/// The end of the last line is added when it is sent.
fn unended(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// A file as one word.
fn word(argument: &Argument, file: &Contents) -> Result<String, String> {
    let text = text_of(argument, file)?;
    if text.len() > VALUE_MAX {
        let (name, path, most) = (&argument.name, shown(&file.path), VALUE_MAX.div_ceil(1024));
        return Err(format!(
            "{path} is larger than {most} KiB, too long for an argument: a line `@meta stdin {name}` sends it on stdin"
        ));
    }
    Ok(text.to_owned())
}

fn text_of<'a>(argument: &Argument, file: &'a Contents) -> Result<&'a str, String> {
    let text = std::str::from_utf8(&file.bytes).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| {
        let (name, path) = (&argument.name, shown(&file.path));
        format!("{path} is not text, which '{name}' must be: encode it first (`base64 FILE`)")
    })
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::header::header;
    use super::super::values::{Supply, settle, shown};
    use super::*;

    const HEADER: &str = "# @arg mode![check|fix]\n# @arg paths*\n# @option -a --above=90\n# @option --tag*\n# @flag -n --dry-run\n# @option --token! <SECRET>\n";

    type Given<'a> = &'a [(&'a str, &'a str)];

    fn settled(text: &str, given: Given<'_>, secrets: Given<'_>) -> Result<Vec<Argument>, String> {
        let params: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let secrets: Vec<_> = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        settle(&header(text).params, &Supply { params: &params, secrets: &secrets, ..Supply::default() })
    }

    fn with(text: &str, given: Given<'_>) -> Result<Vec<String>, String> {
        argv(&header(text).params, &settled(text, given, &[])?)
    }

    fn args(given: Given<'_>) -> Result<Vec<String>, String> {
        argv(&header(HEADER).params, &settled(HEADER, given, &[("token", "x")])?)
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
    fn a_secret_is_a_line_on_stdin_and_never_an_argument() {
        let lines = |text: &str, secrets: Given<'_>| {
            let pieces = stdin(&settled(text, &[], secrets)?)?;
            Ok::<Vec<String>, String>(pieces.iter().map(|piece| piece.expose().to_owned()).collect())
        };
        let token = "# @option --token! <SECRET>\n";
        assert!(settled(token, &[("token", "hunter2")], &[]).expect_err("secret").contains("secret"));
        assert_eq!(lines(token, &[]), Err("the secret 'token' is required".into()));
        assert_eq!(lines(token, &[("token", "hunter2")]), Ok(vec!["hunter2".to_owned()]));
        assert_eq!(with(token, &[]).err().as_deref(), Some("the secret 'token' is required"));
        let refused = lines(token, &[("token", "hunter2\nx")]).expect_err("two lines");
        assert!(!refused.contains("hunter2"));
        let optional = "# @option --a <SECRET>\n# @option --b <SECRET>\n";
        assert_eq!(lines(optional, &[("b", "x")]), Ok(vec![String::new(), "x".to_owned()]), "each keeps its line");
    }

    #[test]
    fn a_preview_shows_what_will_be_passed() {
        let given = [("mode", "fix"), ("dry-run", "1")];
        let previewed = shown(&settled(HEADER, &given, &[("token", "hunter2")]).expect("fine"));
        let expected = [("mode", "fix"), ("above", "90"), ("dry-run", "true"), ("token", "(hidden)")];
        assert_eq!(previewed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    fn from_file(text: &str, bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), String> {
        let params = header(text).params;
        let files = [Contents { param: "doc".into(), path: "/x".into(), bytes: Zeroizing::new(bytes.to_vec()) }];
        let given = [("doc".to_owned(), "/x".to_owned())];
        let arguments = settle(&params, &Supply { params: &given, files: &files, ..Supply::default() })?;
        let pieces = stdin(&arguments)?;
        Ok((argv(&params, &arguments)?, pieces.iter().map(|piece| piece.expose().to_owned()).collect()))
    }

    #[test]
    fn a_file_is_its_contents_as_a_word_or_on_stdin_behind_the_secrets() {
        let word = from_file("# @option --doc\n# @meta file doc\n", b"a\nb\n").expect("fine");
        assert_eq!(word, (vec!["--doc".to_owned(), "a\nb\n".to_owned()], vec![]));
        let lines = "# @option --doc\n# @option --key <SECRET>\n# @meta file doc\n# @meta stdin doc\n";
        assert_eq!(from_file(lines, b"a\nb\n").expect("fine"), (vec![], vec![String::new(), "a\nb".to_owned()]));
        let refused = from_file("# @option --doc\n# @meta file doc\n", b"\xff\0").expect_err("bytes");
        assert!(refused.contains("'doc'") && refused.contains("base64"), "{refused}");
        let large = vec![b'x'; 200_000];
        let refused = from_file("# @option --doc\n# @meta file doc\n", &large).expect_err("large");
        assert!(refused.contains("`@meta stdin doc`"), "{refused}");
    }
}
