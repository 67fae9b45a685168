//! Colours of a script: syntect's scopes mapped to the theme's syntax roles, so that a script looks like the rest
//! of the screen. Loads its grammars at first use, off the first frame.

use std::ops::Range;
use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

use crate::console::app::Coloured;
use crate::console::theme::Role;

static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

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

fn grammar(language: &str, text: &str) -> Option<&'static SyntaxReference> {
    let token = match language {
        "sh" | "dash" | "zsh" | "ksh" | "ash" => "bash",
        "pwsh" | "powershell" => "ps1",
        "node" | "deno" | "bun" => "js",
        name if name.starts_with("python") => "py",
        name => name,
    };
    GRAMMARS
        .find_syntax_by_token(token)
        .or_else(|| text.lines().next().and_then(|line| GRAMMARS.find_syntax_by_first_line(line)))
}

/// The coloured ranges of each line. Empty where the language is not known.
pub fn colour(language: &str, text: &str) -> Coloured {
    let Some(grammar) = grammar(language, text) else { return Vec::new() };
    let mut state = ParseState::new(grammar);
    let mut stack = ScopeStack::new();
    let mut lines = Vec::new();
    for line in LinesWithEndings::from(text) {
        // A grammar that fails leaves the rest plain.
        let Ok(changes) = state.parse_line(line, &GRAMMARS) else { break };
        let end = line.trim_end_matches(['\r', '\n']).len();
        let mut ranges: Vec<(Range<usize>, Role)> = Vec::new();
        let mut from = 0;
        for (at, change) in changes {
            add(&mut ranges, from..at.min(end), &stack);
            from = at.min(end);
            if stack.apply(&change).is_err() {
                return lines;
            }
        }
        add(&mut ranges, from..end, &stack);
        lines.push(ranges);
    }
    lines
}

fn add(ranges: &mut Vec<(Range<usize>, Role)>, range: Range<usize>, stack: &ScopeStack) {
    let Some(role) = role(stack).filter(|_| !range.is_empty()) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(language: &str, text: &str) -> Vec<(String, Role)> {
        let lines = colour(language, text);
        text.lines()
            .zip(lines)
            .flat_map(|(line, ranges)| {
                ranges.into_iter().map(|(range, role)| (line[range].to_owned(), role)).collect::<Vec<_>>()
            })
            .collect()
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
        assert!(colour("no-such-language", "what\never\n").is_empty());
    }

    #[test]
    fn a_text_over_lines_keeps_its_colour() {
        let lines = colour("bash", "cat <<EOF\nif here\nEOF\nif true; then :; fi\n");
        assert!(lines[1].iter().all(|(_, role)| *role == Role::SyntaxString), "{:?}", lines[1]);
    }
}
