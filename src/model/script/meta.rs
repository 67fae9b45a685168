//! What a header's `@meta` lines say of the script itself: what argc's own notation cannot say of its parameters, what
//! to read when it fails, what its exit codes mean, what it prints, and how it is asked to change nothing.
//!
//! ```text
//! # @meta secret token          a parameter that is a secret
//! # @meta file config           its value is a file of yours: the script gets what the file holds
//! # @meta stdin config          it travels on stdin, behind the secrets, and may have many lines
//! # @meta advanced retries      rarely needed: the form folds it away
//! # @meta example version 14.6  what a value looks like
//! # @meta output json           what it prints (json, csv, html, text), for those who read it
//! # @meta runbook https://…     what to read when it fails
//! # @meta exit 70 no space      a word for an exit code: it has failed, and this is why
//! # @meta exit-ok 75 deferred   an exit code that is not bad: no failure budget counts it
//! # @meta dry-run --dry-run     the argument that makes it only say what it would do; `--dry-run` unless named
//! ```
//!
//! Other `@meta` lines are argc's or somebody's own and mean nothing here.

use serde::{Deserialize, Serialize};

use super::{Finding, Level};
use crate::model::content::Content;
use crate::model::nearest::{hint, shown};

const KNOWN: [&str; 10] =
    ["secret", "file", "stdin", "advanced", "example", "output", "runbook", "exit", "exit-ok", "dry-run"];

/// Words on parameters.
const MARKS: usize = 256;
/// Exit codes with a word; characters of a word, of a link or an argument.
const EXITS: usize = 64;
const WORD: usize = 64;
const TEXT: usize = 400;

/// The argument of a script that names none.
const DRY_RUN: &str = "--dry-run";

/// What an exit code means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitWord {
    pub code: i32,
    /// `deferred`; empty: the header names none.
    pub word: String,
    /// A run that ends with it has not gone wrong: no failure budget counts it.
    pub ok: bool,
}

/// The `@meta` lines of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// What is said of parameters, by line and name.
    pub marks: Vec<(u32, String, Mark)>,
    /// A link: http or https.
    pub runbook: Option<String>,
    pub exits: Vec<ExitWord>,
    /// One argument.
    pub dry_run: Option<String>,
    pub output: Option<Content>,
}

/// What a `@meta` line says of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    Secret,
    File,
    Stdin,
    Advanced,
    Example(String),
}

impl Meta {
    /// Takes in what stands after `@meta` on a line; what is wrong with it, if anything.
    pub fn read(&mut self, number: u32, rest: &str) -> Option<Finding> {
        let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let rest = rest.trim();
        let said = match name {
            "secret" => self.mark(number, rest, &Mark::Secret),
            "file" => self.mark(number, rest, &Mark::File),
            "stdin" => self.mark(number, rest, &Mark::Stdin),
            "advanced" => self.mark(number, rest, &Mark::Advanced),
            "example" => {
                let (name, example) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                self.mark(number, name, &Mark::Example(clean(example, TEXT)))
            }
            "output" => match Content::of_word(rest) {
                Some(content) => {
                    self.output = Some(content);
                    None
                }
                None => Some("what a script prints is one of text, html, csv, json: `@meta output json`".into()),
            },
            "runbook" => self.link(rest),
            "exit" => self.exit(rest, false),
            "exit-ok" => self.exit(rest, true),
            "dry-run" => self.dry(rest),
            other => {
                let near = hint(other, KNOWN);
                (!near.is_empty()).then(|| format!("'@meta {}' is not known{near}", shown(other)))
            }
        };
        said.map(|text| Finding::new(Level::Warn, number, "header", text))
    }

    fn mark(&mut self, number: u32, names: &str, mark: &Mark) -> Option<String> {
        let names = names.split([',', ' ', '\t']).filter(|name| !name.is_empty()).take(MARKS);
        let names = names.map(|name| (number, clean(name.trim_start_matches('-'), WORD), mark.clone()));
        let room = MARKS.saturating_sub(self.marks.len());
        self.marks.extend(names.take(room));
        None
    }

    fn link(&mut self, link: &str) -> Option<String> {
        let web = ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme));
        if self.runbook.is_some() || link.is_empty() {
            return None;
        }
        if !web || link.contains(char::is_whitespace) {
            return Some("a runbook is a link: `@meta runbook https://…`".into());
        }
        self.runbook = Some(clean(link, TEXT));
        None
    }

    fn exit(&mut self, rest: &str, ok: bool) -> Option<String> {
        let name = if ok { "exit-ok" } else { "exit" };
        let (code, word) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let Ok(code) = code.parse::<i32>() else {
            return Some(format!("an exit code is a number: `@meta {name} 75 deferred`"));
        };
        if code == 0 && !ok {
            return Some("exit code 0 is always ok: name it with `@meta exit-ok 0 …`".into());
        }
        if self.exits.iter().any(|known| known.code == code) {
            return Some(format!("exit code {code} is declared twice; the first counts"));
        }
        if self.exits.len() == EXITS {
            return Some(format!("more than {EXITS} exit codes: the rest is left out"));
        }
        self.exits.push(ExitWord { code, word: clean(word, WORD), ok });
        None
    }

    fn dry(&mut self, argument: &str) -> Option<String> {
        if self.dry_run.is_some() {
            return Some("the dry run is declared twice; the first counts".into());
        }
        if argument.contains(char::is_whitespace) {
            return Some("a dry run is asked for with one argument: `@meta dry-run --check`".into());
        }
        let argument = clean(argument, WORD);
        self.dry_run = Some(if argument.is_empty() { DRY_RUN.into() } else { argument });
        None
    }
}

/// One line, bounded, without control characters.
fn clean(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> (Meta, Vec<String>) {
        let mut meta = Meta::default();
        let said = (1_u32..).zip(lines).filter_map(|(number, line)| meta.read(number, line)).map(|f| f.text).collect();
        (meta, said)
    }

    #[test]
    fn exit_codes_have_words_and_may_be_ok() {
        let (meta, said) = read(&["exit-ok 75 deferred", "exit 70  no space", "exit-ok 3", "exit-ok 0 done"]);
        assert_eq!(said, [""; 0]);
        let told: Vec<_> = meta.exits.iter().map(|exit| (exit.code, exit.word.as_str(), exit.ok)).collect();
        assert_eq!(told, [(75, "deferred", true), (70, "no space", false), (3, "", true), (0, "done", true)]);
    }

    #[test]
    fn an_exit_code_that_cannot_be_read_is_told_and_left_out() {
        let (meta, said) = read(&["exit deferred 75", "exit-ok", "exit 0 fine", "exit 75 a", "exit-ok 75 b"]);
        assert_eq!(meta.exits, [ExitWord { code: 75, word: "a".into(), ok: false }]);
        assert!(said[0].contains("`@meta exit 75"), "{said:?}");
        assert!(said[1].contains("`@meta exit-ok 75"), "{said:?}");
        assert!(said[2].contains("always ok") && said[3].contains("twice"), "{said:?}");
    }

    #[test]
    fn a_dry_run_is_one_argument() {
        assert_eq!(read(&["dry-run"]).0.dry_run.as_deref(), Some("--dry-run"));
        assert_eq!(read(&["dry-run --check", "dry-run -n"]).0.dry_run.as_deref(), Some("--check"));
        let (meta, said) = read(&["dry-run --mode check"]);
        assert!(meta.dry_run.is_none() && said[0].contains("one argument"));
    }

    #[test]
    fn parameters_are_marked_by_their_names_and_the_output_by_its_kind() {
        let (meta, said) =
            read(&["file config", "stdin config, note", "advanced --retries", "example version 14.6 or so"]);
        assert_eq!(said, [""; 0]);
        let mark = |number, name: &str, mark| (number, name.to_owned(), mark);
        let expected = [
            mark(1, "config", Mark::File),
            mark(2, "config", Mark::Stdin),
            mark(2, "note", Mark::Stdin),
            mark(3, "retries", Mark::Advanced),
            mark(4, "version", Mark::Example("14.6 or so".into())),
        ];
        assert_eq!(meta.marks, expected);
        assert_eq!(read(&["output JSON"]).0.output, Some(Content::Json));
        assert!(read(&["output yaml"]).1[0].contains("`@meta output json`"));
        let many = format!("secret {}", "a ".repeat(5000));
        assert_eq!(read(&[&many, &many]).0.marks.len(), MARKS);
    }

    #[test]
    fn a_slip_is_told_and_what_is_argcs_is_not() {
        assert_eq!(read(&["exit_ok 75"]).1, ["'@meta exit_ok' is not known; did you mean 'exit-ok'?"]);
        for own in ["dotenv .env", "require-tools curl", "default-subcommand", "combine-shorts", "symbol +x", "owner a"]
        {
            assert_eq!(read(&[own]), (Meta::default(), vec![]), "{own}");
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        let lines: Vec<String> = (1..=200).map(|code| format!("exit {code} {}", "w".repeat(500))).collect();
        let (meta, said) = read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((meta.exits.len(), meta.exits[0].word.len()), (EXITS, WORD));
        assert!(said[0].contains("left out"));
    }
}
