//! Licences of what is built into the binary: every one on the list of those that go with MIT, none unknown.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than their text and a notice.
const FREE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// Each crate with a licence that is not on the list but is accepted for the reason given.
const ACCEPTED: &[(&str, &str)] = &[
    // MPL-2.0 binds its own files alone, which we ship unchanged
    ("option-ext", "MPL-2.0"),
    // a list of certificates, not code; asks that its licence go with it
    ("webpki-root-certs", "CDLA-Permissive-2.0"),
];

/// Does the SPDX expression leave a choice that is wholly free? `/` is the old way to write OR.
fn is_free(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let free = either(&words, &mut at);
    free && at == words.len()
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut free = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        free |= both(words, at);
    }
    free
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut free = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        free &= one(words, at);
    }
    free
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let free = either(words, at);
        *at += 1; // its closing parenthesis
        return free;
    }
    if words.get(*at) == Some(&"WITH") {
        let with = format!("{word} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
        return FREE.contains(&with.as_str());
    }
    FREE.contains(word)
}

#[test]
fn every_dependency_may_be_shipped_in_an_mit_program() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "all of them were read");
    let mut refused = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("(none named)");
        if !is_free(licence) && !ACCEPTED.contains(&(name, licence)) {
            refused.insert(format!("{name} {}", package["version"]), licence.to_owned());
        }
    }
    assert!(refused.is_empty(), "licences to look at: {refused:#?}");
}

#[test]
fn an_expression_is_read_as_spdx_means_it() {
    for (expression, free) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(GPL-2.0 OR MPL-2.0) AND MIT", false),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("(none named)", false),
        ("", false),
    ] {
        assert_eq!(is_free(expression), free, "{expression}");
    }
}
