//! Colours of a script: syntect's scopes mapped to the theme's syntax roles, so that a script looks like the rest
//! of the screen. Owns the grammars and which of them a text is written in; loads them at first use, off the first
//! frame.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use crate::console::app::Coloured;
use crate::console::theme::Role;

static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// A longer line is left plain: one minified line must not hold up a key.
const LINE: usize = 4_000;
/// Lines in which an editor's own mark may name the language.
pub const MARKED: usize = 5;

/// What scopes mean to us; the first that fits the innermost scope wins.
static ROLES: LazyLock<Vec<(Scope, Role)>> = LazyLock::new(|| {
    [
        ("comment", Role::SyntaxComment),
        ("punctuation.definition.comment", Role::SyntaxComment),
        ("string", Role::SyntaxString),
        ("punctuation.definition.string", Role::SyntaxString),
        ("constant.numeric", Role::SyntaxNumber),
        ("constant.character", Role::SyntaxNumber),
        ("constant.language", Role::SyntaxBuiltin),
        ("constant", Role::SyntaxNumber),
        ("keyword.operator", Role::SyntaxOperator),
        ("keyword", Role::SyntaxKeyword),
        ("storage", Role::SyntaxKeyword),
        ("entity.name.function", Role::SyntaxFunction),
        ("entity.name.tag", Role::SyntaxKeyword),
        ("support.function", Role::SyntaxBuiltin),
        ("variable.function", Role::SyntaxFunction),
        ("variable", Role::SyntaxVariable),
        ("punctuation.definition.variable", Role::SyntaxVariable),
        ("support", Role::SyntaxBuiltin),
        ("entity", Role::SyntaxFunction),
        ("invalid", Role::SyntaxError),
    ]
    .into_iter()
    .filter_map(|(name, role)| Some((Scope::new(name).ok()?, role)))
    .collect()
});

/// What a text is written in.
#[derive(Clone, Copy)]
pub struct Grammar(&'static SyntaxReference);

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl PartialEq for Grammar {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Grammar {
    /// By an editor's mark in the first lines (`vim: ft=python`, `-*- mode: ruby -*-`), by shebang, by the file's
    /// name and ending, and last by what the engine would run it with.
    pub fn of(name: &str, language: &str, lines: &[String]) -> Option<Self> {
        let first = lines.first().map_or("", |line| line.trim_start_matches('\u{feff}'));
        let file = name.rsplit('/').next().unwrap_or(name);
        let ending = file.rsplit_once('.').map(|(_, ending)| ending);
        let marked = lines.iter().take(MARKED).find_map(|line| mark(line));
        let shebang = first.starts_with("#!").then_some(language);
        let by_token = |token: &str| GRAMMARS.find_syntax_by_token(token_of(token));
        marked
            .and_then(by_token)
            .or_else(|| shebang.and_then(by_token))
            .or_else(|| GRAMMARS.find_syntax_by_extension(file))
            .or_else(|| ending.and_then(|ending| GRAMMARS.find_syntax_by_extension(ending)))
            .or_else(|| GRAMMARS.find_syntax_by_first_line(first))
            .or_else(|| by_token(language))
            .filter(|found| found.name != "Plain Text")
            .map(Grammar)
    }

    /// As the title bar says it: the language's own short name where it has one.
    pub fn name(self) -> &'static str {
        match self.0.name.as_str() {
            "Bourne Again Shell (bash)" => "bash",
            "Batch File" => "batch",
            name => name,
        }
    }

    /// What begins a comment to the end of the line.
    pub fn comment(self) -> &'static str {
        match self.0.name.to_lowercase().as_str() {
            "sql" | "lua" | "applescript" | "haskell" | "elm" | "ada" | "vhdl" => "--",
            "batch file" => "REM",
            "ini" | "lisp" | "clojure" | "scheme" | "assembly" | "registry" => ";",
            "erlang" | "latex" | "matlab" | "prolog" => "%",
            "viml" => "\"",
            name if [
                "java",
                "c",
                "c++",
                "c#",
                "go",
                "rust",
                "swift",
                "kotlin",
                "scala",
                "typescript",
                "php",
                "groovy",
            ]
            .iter()
            .any(|family| name.split([' ', '(']).next() == Some(family) || name == *family)
                || name.starts_with("javascript")
                || name.starts_with("objective-c") =>
            {
                "//"
            }
            _ => "#",
        }
    }
}

/// The language that an editor's mark names.
fn mark(line: &str) -> Option<&str> {
    let word = |rest: &'_ str| rest.find(|c: char| !(c.is_alphanumeric() || "_+#-".contains(c))).unwrap_or(rest.len());
    if let Some((_, modes)) = line.split_once("-*-") {
        let modes = modes.split("-*-").next().unwrap_or_default();
        let mode = modes.split(';').find_map(|part| part.trim().strip_prefix("mode:")).unwrap_or(modes).trim();
        return (!mode.is_empty() && word(mode) == mode.len()).then_some(mode);
    }
    let (_, modes) = line.split_once("vim:").or_else(|| line.split_once("vi:"))?;
    let rest = ["filetype=", "ft=", "syntax="].iter().find_map(|key| modes.split_once(key))?.1;
    Some(&rest[..word(rest)]).filter(|word| !word.is_empty())
}

fn token_of(language: &str) -> &str {
    match language {
        "sh" | "dash" | "zsh" | "ksh" | "ash" | "ksh93" | "mksh" | "shell-script" => "bash",
        "pwsh" | "powershell" => "ps1",
        "node" | "nodejs" | "deno" | "bun" => "js",
        "osascript" => "applescript",
        "psql" | "mysql" | "sqlite3" => "sql",
        "gawk" | "mawk" => "awk",
        name if name.starts_with("python") => "py",
        name if name.starts_with("ruby") => "rb",
        name => name,
    }
}

/// Where the grammar stands between two lines.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    parse: ParseState,
    stack: ScopeStack,
}

impl State {
    pub fn start(grammar: Grammar) -> Self {
        Self { parse: ParseState::new(grammar.0), stack: ScopeStack::new() }
    }

    /// The coloured ranges of the next line (without its end). A line that is too long, or on which the grammar
    /// fails, is plain and changes nothing.
    pub fn line(&mut self, line: &str, whole: &mut String) -> Vec<(Range<usize>, Role)> {
        let end = line.trim_end_matches('\r').len();
        if end > LINE {
            return Vec::new();
        }
        whole.clear();
        whole.push_str(line);
        whole.push('\n');
        let before = self.stack.clone();
        let Ok(changes) = self.parse.parse_line(whole, &GRAMMARS) else { return Vec::new() };
        let mut ranges: Vec<(Range<usize>, Role)> = Vec::new();
        let mut from = 0;
        for (at, change) in changes {
            add(&mut ranges, from..at.min(end), &self.stack);
            from = at.min(end);
            if self.stack.apply(&change).is_err() {
                self.stack = before;
                return ranges;
            }
        }
        add(&mut ranges, from..end, &self.stack);
        ranges
    }
}

fn add(ranges: &mut Vec<(Range<usize>, Role)>, range: Range<usize>, stack: &ScopeStack) {
    if range.is_empty() {
        return;
    }
    let Some(role) = role(stack) else { return };
    match ranges.last_mut() {
        Some((last, same)) if *same == role && last.end == range.start => last.end = range.end,
        _ => ranges.push((range, role)),
    }
}

fn role(stack: &ScopeStack) -> Option<Role> {
    stack
        .as_slice()
        .iter()
        .rev()
        .find_map(|scope| ROLES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, role)| *role))
}

/// The coloured ranges of each line of a text that is only looked at. Empty where the language is not known.
pub fn colour(name: &str, language: &str, text: &str) -> Coloured {
    let head: Vec<String> = text.lines().take(MARKED).map(str::to_owned).collect();
    let Some(grammar) = Grammar::of(name, language, &head) else { return Vec::new() };
    let mut state = State::start(grammar);
    let mut whole = String::new();
    text.lines().map(|line| state.line(line, &mut whole)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(language: &str, text: &str) -> Vec<(String, Role)> {
        let lines = colour("script", language, text);
        text.lines()
            .zip(lines)
            .flat_map(|(line, ranges)| {
                ranges.into_iter().map(|(range, role)| (line[range].to_owned(), role)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn named(name: &str, language: &str, text: &str) -> Option<&'static str> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Grammar::of(name, language, &lines).map(Grammar::name)
    }

    #[test]
    fn comments_strings_and_keywords_are_told_apart() {
        for (language, text) in [
            ("bash", "#!/bin/bash\nif true; then echo \"hi $USER\"; fi # done\n"),
            ("python3", "# a comment\nif x:\n    print(\"hi\")\n"),
            ("pwsh", "# a comment\nif ($x) { Write-Output \"hi\" }\n"),
        ] {
            let roles = roles(language, text);
            for wanted in [Role::SyntaxComment, Role::SyntaxKeyword, Role::SyntaxString] {
                assert!(roles.iter().any(|(_, role)| *role == wanted), "{language} lacks {wanted:?}: {roles:?}");
            }
        }
    }

    #[test]
    fn an_unknown_language_is_plain() {
        assert!(colour("what", "no-such-language", "what\never\n").is_empty());
    }

    #[test]
    fn a_text_over_lines_keeps_its_colour() {
        let lines = colour("x", "bash", "cat <<EOF\nif here\nEOF\nif true; then :; fi\n");
        assert!(lines[1].iter().all(|(_, role)| *role == Role::SyntaxString), "{:?}", lines[1]);
    }

    #[test]
    fn the_language_is_told_by_mark_shebang_name_and_ending() {
        for (name, language, text, grammar) in [
            ("x", "zsh", "#!/bin/zsh\n", "bash"),
            ("x.txt", "python3.12", "#!/usr/bin/python3.12\n", "Python"),
            ("fix", "sh", "#!/bin/sh\n# vim: set ft=ruby :\n", "Ruby"),
            ("fix", "sh", "# -*- mode: perl -*-\n", "Perl"),
            ("fix", "sh", "# -*- perl -*-\n", "Perl"),
            ("x.ps1", "pwsh", "Get-Date\n", "PowerShell"),
            ("Dockerfile", "sh", "FROM debian\n", "Dockerfile"),
            ("conf/x.yaml", "sh", "a: 1\n", "YAML"),
            ("x.yml", "sh", "a: 1\n", "YAML"),
            ("x.toml", "sh", "a = 1\n", "TOML"),
            ("x.sql", "sh", "select 1;\n", "SQL"),
            ("x.applescript", "sh", "tell me\n", "AppleScript"),
            ("x.bat", "sh", "@echo off\n", "batch"),
            ("x.pl", "perl", "print;\n", "Perl"),
            ("x.rb", "ruby", "puts 1\n", "Ruby"),
            ("run", "osascript", "#!/usr/bin/osascript\n", "AppleScript"),
            ("noending", "sh", "echo\n", "bash"),
        ] {
            assert_eq!(named(name, language, text), Some(grammar), "{name} {text:?}");
        }
    }

    #[test]
    fn each_language_has_its_own_comment() {
        let comment = |name: &str| Grammar::of(name, "sh", &[String::new()]).unwrap().comment();
        assert_eq!(
            ["a.sh", "a.sql", "a.bat", "a.js", "a.go", "a.ini", "a.c", "a.ts", "a.toml"].map(comment),
            ["#", "--", "REM", "//", "//", ";", "//", "//", "#"]
        );
    }

    #[test]
    fn a_line_without_end_is_left_plain_and_the_next_is_not() {
        let text = format!("echo \"{}\"\necho \"hi\"\n", "x".repeat(100_000));
        let lines = colour("x", "bash", &text);
        assert!(lines[0].is_empty() && !lines[1].is_empty());
    }
}
