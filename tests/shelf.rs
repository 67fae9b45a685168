//! The library written to, as a person does it: by verbs, and in the console.

mod support;

use support::verb::BINARY;
use support::{Console, Home, eventually};

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
    eventually("it is deleted", || !home.library().join("aaa.sh").exists());
    console.loses("Type aaa.sh to arm");
    console.loses("> aaa.sh");
    console.text(":deleted");
    console.keys("<enter>");
    console.sees("Deleted scripts");
    console.sees(" B aaa.sh"); // its row, not the notice that it was deleted
    console.keys("<enter>");
    console.sees("> aaa.sh");
    eventually("it is back", || home.library().join("aaa.sh").exists());
}

#[test]
fn a_script_is_renamed_by_keys_and_an_older_version_comes_back() {
    let home = Home::empty();
    home.script("aaa.sh", "#!/bin/sh\necho first\n");
    prints(&home, ["run", "aaa.sh", "--target", "local", "--wait"], &["first"]);
    home.script("aaa.sh", "#!/bin/sh\necho second\n");
    let mut console = Console::start(&home);
    console.sees("echo second");
    console.text(":rename");
    console.keys("<enter>");
    console.sees("Rename  aaa.sh");
    console.keys("<C-u>");
    console.text("bbb.sh");
    console.keys("<enter>");
    console.keys("<enter>");
    console.sees("> bbb.sh");
    assert!(home.library().join("bbb.sh").exists() && !home.library().join("aaa.sh").exists());
    console.loses("Rename  aaa.sh");
    console.text(":versions");
    console.keys("<enter>");
    console.sees("v1");
    console.keys("GR");
    console.sees("Go back  bbb.sh");
    console.keys("<tab><enter>");
    let text = || std::fs::read_to_string(home.library().join("bbb.sh")).expect("the script");
    eventually("it is the first version again", || text().contains("first"));
    console.sees("echo first");
    console.quit().is_restored();
}

/// No file may grow: what a full disk looks like to whoever writes. The engine has its own disk.
#[test]
fn in_a_home_that_is_full_what_cannot_be_kept_is_said_and_the_rest_works() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\necho a\n");
    home.qd(["jobs", "ls"]).ok();
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$0\"";
    let mut console = Console::setup(&home).size(140, 40).program("/bin/sh").arguments(&["-c", full, BINARY]).start();
    console.sees("> a.sh");
    console.keys("/a<enter>");
    console.sees("not kept for the next session");
    console.keys("<esc>");
    console.loses("not kept for the next session");
    console.keys("e");
    console.sees("Scripts > a.sh");
    console.text("x");
    console.sees("could not be kept");
    console.keys("<esc>");
    console.loses("Scripts > a.sh");
    console.keys("gl");
    console.sees("Log  warnings, errors");
    console.sees("not kept for the next session");
    console.keys("<esc>");
    console.loses("Log  warnings, errors");
    console.quit().is_restored();
}
