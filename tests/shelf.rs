//! The library written to, as a person does it: by verbs, and in the console.

mod support;

use support::{Console, Home};

/// What a verb prints when all is well.
#[track_caller]
fn prints<const N: usize>(home: &Home, verb: [&str; N], words: &[&str]) {
    let text = home.qd(verb).ok().text();
    assert!(words.iter().all(|word| text.contains(word)), "{verb:?} prints {text}");
}

#[test]
fn a_script_is_made_changed_renamed_deleted_and_brought_back() {
    let home = Home::empty();
    home.script("seed.sh", "#!/bin/sh\n# @describe seed\necho seed\n");
    prints(&home, ["scripts", "new", "web/check", "--template", "python"], &["web/check.py"]);
    let shown = home.qd(["scripts", "show", "web/check.py"]).ok().text();
    assert!(shown.starts_with("#!/usr/bin/env python3\n# @describe check\n"), "{shown}");
    home.qd(["scripts", "new", "web/check.py"]).exits(2).says(&["is there already"]);
    home.qd(["scripts", "new", "../out.sh"]).exits(2).says(&["below the library"]);

    home.qd(["scripts", "rename", "web/check.py", "check.py"]).ok();
    let versions = home.qd(["scripts", "versions", "check.py", "--json"]).ok().json();
    assert_eq!(
        (versions["versions"][0]["why"].as_str(), versions["versions"][0]["current"].as_bool()),
        (Some("created"), Some(true))
    );

    home.qd(["scripts", "delete", "check.py"]).exits(2).says(&["--yes"]);
    home.qd(["scripts", "delete", "check.py", "--yes"]).ok();
    home.qd(["scripts", "show", "check.py"]).exits(2);
    prints(&home, ["scripts", "ls", "--deleted"], &["check.py"]);
    home.qd(["scripts", "restore", "check.py"]).ok();
    assert_eq!(home.qd(["scripts", "show", "check.py"]).ok().text(), shown);
}

#[test]
fn every_launched_version_can_be_run_and_compared_again() {
    let home = Home::empty();
    home.script("say.sh", "#!/bin/sh\necho first\n");
    prints(&home, ["run", "say.sh", "--target", "local", "--wait"], &["first"]);
    home.script("say.sh", "#!/bin/sh\necho second\n");
    prints(&home, ["run", "say.sh", "--target", "local", "--wait"], &["second"]);
    prints(&home, ["run", "say.sh@v1", "--target", "local", "--wait"], &["first"]);
    prints(&home, ["scripts", "diff", "say.sh@v1"], &["-echo first", "+echo second"]);
    home.qd(["scripts", "restore", "say.sh@v1"]).ok();
    prints(&home, ["scripts", "show", "say.sh"], &["echo first"]);
    home.qd(["scripts", "show", "say.sh@v9"]).exits(2).says(&["no version v9"]);
}

#[test]
fn in_the_console_from_new_to_deleted_and_back() {
    let home = Home::empty();
    home.script("seed.sh", "#!/bin/sh\n# @describe seed\necho seed\n");
    let mut console = Console::setup(&home).env("EDITOR", "true").env("VISUAL", "true").start();
    console.sees("> seed.sh");
    console.keys("n");
    console.sees("New script");
    console.text("aaa");
    console.sees("enter makes aaa.sh");
    console.keys("<enter>");
    console.wait("the new script's file", |_| home.library().join("aaa.sh").exists());
    console.sees("Scripts > aaa.sh");
    console.keys("<esc>");
    console.loses("Scripts > aaa.sh");
    console.sees("> aaa.sh");
    console.text(":delete");
    console.keys("<enter>");
    console.sees("Type aaa.sh to arm");
    console.keys("<enter>");
    console.loses("Type aaa.sh to arm");
    assert!(home.library().join("aaa.sh").exists(), "enter was on Cancel");
    console.text(":delete");
    console.keys("<enter>");
    console.sees("Type aaa.sh to arm");
    console.text("aaa.sh");
    console.sees("armed");
    console.keys("<enter>");
    console.loses("> aaa.sh");
    assert!(!home.library().join("aaa.sh").exists());
    console.text(":deleted");
    console.keys("<enter>");
    console.sees("Deleted scripts");
    console.sees(" B aaa.sh"); // its row, not the notice that it was deleted
    console.keys("<enter>");
    console.sees("> aaa.sh");
    assert!(home.library().join("aaa.sh").exists());
}
