//! The house's rules, held: which room may know which, what stands where. Read from the source itself, so
//! that a wrong `use` fails here and not in a review.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A source file: its path below the repository, and its code without comments and texts.
struct Source {
    path: String,
    whole: String,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut folders = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let whole = fs::read_to_string(&path).expect("source is text");
                let code = code_of(&whole);
                found.push(Source { path: below_root(&path), whole, code });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "the whole house was read");
    found
}

fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the repository").to_str().expect("UTF-8").to_owned()
}

/// The code alone: comments, texts and characters become blanks, so that no sentence trips a rule.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let find = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |offset| from + offset + end.len());
    while at < bytes.len() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let raw = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br")).filter(|_| !is_word(before));
        let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
        let next = if rest.starts_with("//") {
            find(at, "\n")
        } else if rest.starts_with("/*") {
            find(at, "*/")
        } else if raw.is_some_and(|raw| raw[hashes..].starts_with('"')) {
            let open = at + rest.find('"').expect("just seen") + 1;
            find(open, &format!("\"{}", "#".repeat(hashes)))
        } else if rest.starts_with('"') {
            end_of_text(bytes, at)
        } else if rest.starts_with('\'') {
            end_of_character(rest).map_or(at + 1, |length| at + length)
        } else {
            let character = rest.chars().next().expect("not at the end");
            code.push(character);
            at += character.len_utf8();
            continue;
        };
        code.push_str(if text[at..next].contains('\n') { "\n" } else { " " });
        at = next;
    }
    code
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Length of a character literal; `None`: a lifetime.
fn end_of_character(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    if inner.starts_with('\\') {
        return Some(4 + inner[2..].find('\'')?);
    }
    let character = inner.chars().next()?;
    inner[character.len_utf8()..].starts_with('\'').then_some(2 + character.len_utf8())
}

/// What a source takes from the house by `crate::…`, as paths (`connectors::ssh`).
fn edges(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for head in ["crate::", "quarterdeck::"] {
        for (at, _) in code.match_indices(head) {
            if !code[..at].chars().next_back().is_some_and(|before| is_word(before) || before == ':') {
                paths(&code[at + head.len()..], "", &mut found);
            }
        }
    }
    found
}

/// Paths of a use tree, `{…}` opened.
fn paths(tree: &str, before: &str, found: &mut BTreeSet<String>) {
    let end = tree.find(|c: char| !is_word(c) && c != ':').unwrap_or(tree.len());
    let path = &tree[..end];
    let joined = if before.is_empty() { path.to_owned() } else { format!("{before}::{path}") };
    if !tree[end..].starts_with('{') {
        found.insert(joined);
        return;
    }
    let base = joined.trim_end_matches(':');
    let mut depth = 0;
    let mut start = end + 1;
    for (at, character) in tree.char_indices().skip_while(|(at, _)| *at < end) {
        match character {
            '{' => depth += 1,
            ',' if depth == 1 => {
                paths(tree[start..at].trim_start(), base, found);
                start = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    let last = tree[start..at].trim();
                    if !last.is_empty() {
                        paths(last, base, found);
                    }
                    return;
                }
            }
            _ => {}
        }
    }
}

fn room(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap_or_default()
}

#[track_caller]
fn fails(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn dependencies_point_down() {
    const MAY_KNOW: &[(&str, &[&str])] = &[
        ("model", &[]),
        ("settings", &["model"]),
        ("connectors", &["model"]),
        ("engine", &["connectors", "model", "settings"]),
        ("api", &["engine", "model", "settings"]),
        ("client", &["model", "settings"]),
        ("console", &["client", "model", "settings"]),
        ("cli", &["client", "model", "settings"]),
    ];
    let mut broken = Vec::new();
    for source in sources() {
        let room = room(&source.path);
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == room) else {
            // main.rs and lib.rs put the rooms together; anything else is a room nobody planned
            if !matches!(room, "main.rs" | "lib.rs") {
                broken.push(format!("{}: a room that the design does not have", source.path));
            }
            continue;
        };
        for path in edges(&source.code) {
            let other = path.split("::").next().unwrap_or_default();
            let is_room = MAY_KNOW.iter().any(|(name, _)| *name == other);
            if is_room && other != room && !allowed.contains(&other) {
                broken.push(format!("{} knows {path}", source.path));
            }
        }
    }
    fails("console, cli -> client -> model; api -> engine -> connectors -> model", broken);
}

#[test]
fn a_connector_knows_no_other_connector() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/connectors/")) {
        let own = source.path.split('/').nth(2).unwrap_or_default().trim_end_matches(".rs");
        for path in edges(&source.code) {
            if let Some(other) = path.strip_prefix("connectors::").and_then(|rest| rest.split("::").next())
                && other != own
                && root().join("src/connectors").join(other).is_dir()
            {
                broken.push(format!("{} knows {path}", source.path));
            }
        }
    }
    fails("a connector knows model and its system alone", broken);
}

/// Files below one of these that say one of the words.
fn saying(words: &[&str], below: &[&str], except: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources() {
        let path = source.path.as_str();
        if !below.iter().any(|prefix| path.starts_with(prefix)) || except.iter().any(|other| path.starts_with(other)) {
            continue;
        }
        for (number, line) in source.code.lines().enumerate() {
            for word in words.iter().filter(|word| says(line, word)) {
                broken.push(format!("{path} says {word} (line {} of its code): {}", number + 1, line.trim()));
            }
        }
    }
    broken
}

/// The word as a word of its own, not as a part of a longer one.
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let goes_on_before = line[..at].chars().next_back().is_some_and(is_word);
        let goes_on_behind = word.ends_with(is_word) && line[at + word.len()..].chars().next().is_some_and(is_word);
        !goes_on_before && !goes_on_behind
    })
}

#[test]
fn what_the_console_shows_and_decides_knows_no_network_and_no_runtime() {
    fails(
        "console/app and console/ui mention neither tokio nor reqwest",
        saying(&["tokio", "tokio_util", "reqwest"], &["src/console/app", "src/console/ui"], &[]),
    );
}

#[test]
fn the_nouns_know_no_screen_and_no_server() {
    fails(
        "model mentions neither ratatui nor axum",
        saying(&["ratatui", "crossterm", "axum", "tokio", "reqwest", "rusqlite"], &["src/model"], &[]),
    );
}

#[test]
fn the_environment_is_read_in_one_place() {
    let mut broken =
        saying(&["std::env", "env::var", "env::vars", "env::args"], &["src"], &["src/settings", "src/console/term"]);
    // where this program lies, and for what it was built, is no part of what the operator set
    broken.retain(|line| !line.contains("std::env::current_exe") && !line.contains("std::env::consts"));
    fails("no std::env outside settings and term", broken);
}

#[test]
fn colours_come_from_the_theme() {
    // text turns a device's own SGR colours into spans, term turns spans into bytes, shot turns them into
    // SVG: each passes on a colour that is given and chooses none
    let passes_on = [
        "src/console/theme",
        "src/console/text",
        "src/console/term",
        "src/console/shot",
        "src/settings", // its own Color: when to use any
    ];
    let mut broken = saying(&["Color::"], &["src"], &passes_on);
    broken.retain(|line| !line.contains("settings::Color::"));
    fails("no colour literal outside theme", broken);
}

#[test]
fn keys_come_from_the_keymap() {
    let entry = ["src/console/keymap", "src/console/term", "src/console/app/form", "src/console/app/inputs"];
    let mut broken = saying(&["KeyCode::"], &["src"], &entry);
    broken.retain(|line| !line.contains("tests.rs says")); // a test may press any key
    fails("no key literal outside keymap and text entry", broken);
}

#[test]
fn exit_codes_are_given_in_main_alone() {
    fails(
        "the process ends in main.rs",
        saying(&["process::exit", "ExitCode::from", "process::abort"], &["src"], &["src/main.rs"]),
    );
}

#[test]
fn nothing_is_left_for_later() {
    fails("no stub", saying(&["todo!", "unimplemented!", "dbg!"], &["src", "tests", "examples", "benches"], &[]));
}

#[test]
fn a_module_says_what_it_owns() {
    let silent =
        sources().into_iter().filter(|source| !source.whole.starts_with("//!")).map(|source| source.path).collect();
    fails("a module opens with a comment that says what it owns and what it refuses", silent);
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    const LINES: usize = 750;
    let long = sources()
        .into_iter()
        .filter(|source| source.whole.lines().count() > LINES)
        .map(|source| format!("{}: {} lines", source.path, source.whole.lines().count()))
        .collect();
    fails("a file of source, its tests with it, has at most 750 lines", long);
}

#[test]
fn the_top_level_is_what_the_design_says() {
    const DESIGN: &[&str] = &["Cargo.toml", "src", "themes", "keymaps", "screenshots", "README.md"];
    const EXPECTED_OF_RUST: &[&str] = &[
        ".ci",
        ".git",
        ".gitignore",
        "Cargo.lock",
        "LICENSE",
        "benches",
        "examples",
        "fuzz",
        "proptest-regressions", // left by a property that failed, to be tried first until it is mended
        "rustfmt.toml",
        "target",
        "tests",
    ];
    let there: BTreeSet<String> = fs::read_dir(root())
        .expect("the repository")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let strange = there
        .iter()
        .filter(|name| !DESIGN.contains(&name.as_str()) && !EXPECTED_OF_RUST.contains(&name.as_str()))
        .cloned()
        .collect();
    fails("nothing else stands at the top", strange);
    let missing: Vec<String> =
        DESIGN.iter().filter(|name| !there.contains(**name)).map(|name| (*name).to_owned()).collect();
    fails("these are at the top", missing);
}

#[test]
fn names_are_the_field_s_own() {
    let mut broken = Vec::new();
    for source in sources() {
        for (at, _) in source.code.match_indices("struct ").chain(source.code.match_indices("mod ")) {
            let name: String = source.code[at..].split_whitespace().nth(1).unwrap_or_default().to_owned();
            let name = name.trim_end_matches(|c: char| !is_word(c));
            for vague in ["Manager", "Handler", "Helper", "Utils", "Util"] {
                if name.ends_with(vague) || name.eq_ignore_ascii_case(vague) {
                    broken.push(format!("{}: {name}", source.path));
                }
            }
        }
    }
    fails("no Manager, Handler, Helper, Utils", broken);
}

#[test]
fn these_rules_can_fail() {
    let edges_of = |text: &str| edges(&code_of(text)).into_iter().collect::<Vec<_>>();
    assert_eq!(edges_of("use crate::engine::Jobs;"), ["engine::Jobs"]);
    assert_eq!(
        edges_of("use crate::{\n  api,\n  model::{job::Job, state},\n};"),
        ["api", "model::job::Job", "model::state"]
    );
    assert_eq!(edges_of("fn f() -> crate::client::Client {}"), ["client::Client"]);
    assert!(edges_of("// crate::engine\nlet a = \"crate::engine\"; /* crate::api */").is_empty());
    assert!(edges_of("let a = r#\"crate::engine \" \"#; let b = '\"'; let c = \"\\\"crate::api\";").is_empty());
    assert_eq!(edges_of("let quote = '\\''; let x: &'a str = crate::api::x();"), ["api::x"]);
    assert!(says("use tokio::sync;", "tokio") && !says("my_tokio", "tokio") && !says("tokio_util", "tokio"));
    assert!(says("Color::Red", "Color::") && !says("env::variable", "env::var"));
}

/// Where a folder is expected, it is not a forgotten one.
#[test]
fn every_room_of_the_design_is_there() {
    let missing: Vec<String> = [
        "model",
        "settings",
        "connectors/local",
        "connectors/ssh",
        "engine",
        "api",
        "client",
        "console/app",
        "console/ui",
        "console/keymap",
        "console/theme",
        "console/text",
        "console/term",
        "cli",
    ]
    .into_iter()
    .filter(|name| !has_source(&root().join("src").join(name)))
    .map(str::to_owned)
    .collect();
    fails("the rooms of the design", missing);
}

fn has_source(folder: &Path) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| entry.path().extension().is_some())
}
