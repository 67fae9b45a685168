//! Arguments of a script at a system that passes none: they stand in the copy that is uploaded, as `set -- …` before its
//! first command, where the script is one for a shell that knows that. Owns the line, how it is quoted, and what cannot
//! go that way: nothing that may be kept nowhere is ever written into a script of the account.

use std::borrow::Cow;

use crate::connectors::Handed;
use crate::model::script::inspect;

/// Whose `set --` makes what follows the positional parameters.
const SHELLS: [&str; 7] = ["sh", "bash", "zsh", "dash", "ash", "ksh", "mksh"];

/// Why a script cannot have there what it would be given.
pub fn unfit(script: &[u8], given: &Handed<'_>) -> Option<String> {
    if given.private {
        let why = "SimpleMDM passes a script no secrets, no files and no stdin, and they are not written into its text";
        return Some(format!("{why}: leave them out, or run it elsewhere"));
    }
    if given.args.is_empty() {
        return None;
    }
    let language = inspect::inspect("", script).language;
    let why = "SimpleMDM passes no arguments, and none can be written into a script of";
    (!SHELLS.contains(&language.as_str()))
        .then(|| format!("{why} {language}: let its parameters have neither values nor defaults"))
}

/// The script with its arguments. They stand before the first line that is no comment, on the same line: what the shell
/// says of line 7 is line 7 of the script.
pub fn with<'s>(script: &'s str, args: &[String]) -> Cow<'s, str> {
    if args.is_empty() {
        return Cow::Borrowed(script);
    }
    let comments = script.split_inclusive('\n').take_while(|line| line.trim_start().starts_with('#'));
    let (head, rest) = script.split_at(comments.map(str::len).sum());
    let begin = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    let words: String = args.iter().map(|arg| format!(" {}", quoted(arg))).collect();
    let end = match rest.lines().next() {
        Some(line) if !line.trim().is_empty() => "; ",
        Some(_) => "",
        None => "\n",
    };
    Cow::Owned(format!("{head}{begin}set --{words}{end}{rest}"))
}

/// As one word, whatever is in it; and so that SimpleMDM finds no variable of its own in it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''").replace("{{", r"{'\{'"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn they_stand_before_the_first_command_and_move_no_line() {
        let script = "#!/bin/sh\n# @describe Greets\n# @arg name!\nset -eu\necho \"$1\"\n";
        let told = "#!/bin/sh\n# @describe Greets\n# @arg name!\nset -- 'Ada L'; set -eu\necho \"$1\"\n";
        assert_eq!(with(script, &args(&["Ada L"])), told);
        assert_eq!(with("#!/bin/sh\n\necho\n", &args(&["--above", "90"])), "#!/bin/sh\nset -- --above 90\necho\n");
        assert_eq!(with("#!/bin/sh", &args(&["a"])), "#!/bin/sh\nset -- a\n");
        assert_eq!(with(script, &[]), script, "and without any it is what it was");
    }

    #[test]
    fn each_reaches_the_script_as_the_word_that_it_is() {
        let words =
            ["", " ", "a'b", "$HOME `id` $(id)", "x\ny", "-n", "=a", "*", "~", "{{serial_number}}", "{{{", "ü;|&#"];
        let script =
            with("#!/bin/sh\nfor word in \"$@\"; do printf '<%s>' \"$word\"; done\n", &args(&words)).into_owned();
        assert!(!script.contains("{{"), "a value is no variable: {script}");
        let said = Command::new("/bin/sh").args(["-c", &script]).output().expect("a shell").stdout;
        let told: String = words.iter().map(|word| format!("<{word}>")).collect();
        assert_eq!(String::from_utf8_lossy(&said), told);
    }

    #[test]
    fn only_a_shell_takes_them_so_and_nothing_that_is_to_be_kept_nowhere() {
        let some = args(&["a"]);
        let given = |args, private| Handed { args, private };
        assert_eq!(unfit(b"#!/usr/bin/env zsh\n", &given(&some, false)), None);
        assert_eq!(unfit(b"#!/usr/bin/env python3\n", &given(&[], false)), None);
        let why = unfit(b"#!/usr/bin/env python3\n", &given(&some, false)).unwrap();
        assert!(why.contains("into a script of python3"), "{why}");
        let why = unfit(b"#!/bin/sh\n", &given(&[], true)).unwrap();
        assert!(why.contains("no secrets"), "{why}");
    }
}
