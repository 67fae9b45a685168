//! The console a line at a time, as a screen reader or a pipe meets it: every verb of the console, by questions and
//! answers, without one escape sequence.

mod support;

use support::{Console, Fleet, Home, eventually};

const PLAIN: [&str; 1] = ["--plain"];

/// Answers from a pipe, and all that was said until nobody answered any more; messages about jobs come last.
#[track_caller]
fn talked(home: &Home, answers: &str) -> String {
    let ran = home.verb(PLAIN).stdin(answers).run().ok();
    let said = format!("{}{}", ran.text(), ran.errors());
    assert!(!said.contains('\u{1b}'), "no escape sequence: {said:?}");
    said
}

#[track_caller]
fn says(said: &str, words: &[&str]) {
    let mut rest = said;
    for word in words {
        let at = rest.find(word).unwrap_or_else(|| panic!("no {word:?}, in that order, in:\n{said}"));
        rest = &rest[at + word.len()..];
    }
}

/// A console of lines in a terminal that knows nothing else.
fn at_a_terminal(home: &Home) -> Console {
    let mut console = Console::setup(home).env("TERM", "dumb").size(100, 40).start();
    console.sees("What now?");
    console
}

#[test]
fn a_pipe_lists_runs_reads_and_searches() {
    let home = Home::empty();
    home.script("hello.sh", "#!/bin/sh\necho hello out there\necho ERROR: no such thing >&2\n");
    let said =
        talked(&home, "targets\nrun\nhello\nlocal\n\nyes\njobs\n1\nsearch\nno such\nsearch\nre:(\nread\nhow\nb\nq\n");
    says(&said, &["connection local", "1 devices: ", "preview: hello.sh on 1 device", "job 1 is launched"]);
    says(&said, &["local: hello out there", "done: 1 ok"]);
    says(&said, &["1 hello.sh, done", "1 line of 2 match", ": ERROR: no such thing", "re:(: "]);
    says(&said, &["local: ok"]);
}

#[test]
fn nobody_there_is_an_end_and_not_an_endless_question() {
    let home = Home::empty();
    home.script("hello.sh", "#!/bin/sh\necho hello\n");
    for answers in ["", "run\n", "run\nhello\n", "run\nhello\nlocal\n", "run\nhello\nlocal\n\n"] {
        talked(&home, answers);
    }
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]), "nothing was sent");
}

#[test]
fn parameters_are_asked_for_and_a_number_arms_the_launch() {
    let home = Home::empty();
    let path = home.write("lab/hosts.ini", "[dark]\nh[1:2] ansible_host=127.0.6.9 ansible_port=1\n");
    home.config(&format!("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\nprotected = true\ninventory = [{path:?}]\n"));
    home.script("patch.sh", "#!/bin/bash\n# @arg version!  which one\n# @flag --dry-run\necho \"$1\"\n");
    let wrong = talked(&home, "run\npatch\ndark\n\n14.6\nmaybe\nyes\n\nyes\nq\n");
    says(
        &wrong,
        &["2 devices", "version is required.", "yes or no.", "Type the number of devices", "Nothing was sent."],
    );
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]));
    let right = talked(&home, "run\npatch\ndark\n14.6\n\n\n2\nq\n");
    says(&right, &["Type the number of devices", "job 1 is launched", "2 offline"]);
}

#[test]
fn a_secret_is_not_shown_while_it_is_typed() {
    let home = Home::empty();
    home.script("secret.sh", "#!/bin/sh\n# @option --token!  for the store\n# @meta secret token\nread -r token\necho \"${#token} letters\"\n");
    let mut console = at_a_terminal(&home);
    console.asks("number>", "run");
    console.asks("Which script?", "secret");
    console.asks("target expression", "local");
    console.asks("(not shown)", "s3cr3t-value");
    console.asks("time limit", "");
    console.asks("Type yes to launch", "yes");
    console.prints("done: 1 ok");
    console.asks("number>", "q");
    assert!(console.exit().success());
    let all = String::from_utf8_lossy(&console.log).into_owned();
    assert!(!all.contains("s3cr3t"), "{all}");
    assert!(all.contains("letters"), "{all}");
}

#[test]
fn a_running_job_is_left_alone_by_control_c_and_ended_by_its_number() {
    let home = Home::empty();
    home.script("sleeps.sh", "#!/bin/sh\necho up\nexec sleep 600\n");
    let mut console = at_a_terminal(&home);
    console.asks("number>", "run");
    console.asks("Which script?", "sleeps");
    console.asks("target expression", "local");
    console.asks("time limit", "");
    console.asks("Type yes to launch", "yes");
    console.prints("local: up");
    console.keys("<C-c>");
    console.prints("running: 1 sleeps.sh");
    console.asks("number>", "jobs");
    console.asks("Which job?", "1");
    console.asks("end it: what runs, too", "end it");
    console.asks("Type that number", "7");
    console.prints("Nothing was ended.");
    console.asks("number>", "end it");
    console.asks("Type that number", "1");
    console.prints("1 asked to end");
    console.asks("number>", "q");
    console.asks("What now?", "q");
    assert!(console.exit().success());
    assert_eq!(home.ended_job(1)["runs"][0]["state"], "cancelled");
    assert!(!console.log.contains(&0x1b), "not one escape sequence");
}

#[test]
fn a_script_is_made_read_renamed_deleted_and_brought_back() {
    let home = Home::empty();
    home.script("seed.sh", "#!/bin/sh\necho seed\n");
    let said = talked(
        &home,
        "a new\nBash\nweb/fix\nscripts\nweb/fix.sh\nread\nrename\nfix.sh\nscripts\nfix.sh\ndelete\nno\ndelete\nfix.sh\nq\n",
    );
    says(
        &said,
        &[
            "web/fix.sh is there",
            "#!/usr/bin/env bash",
            "web/fix.sh is fix.sh now",
            "Nothing was deleted.",
            "fix.sh was deleted",
        ],
    );
    assert!(!home.library().join("fix.sh").exists());
    let said = talked(&home, "deleted\n1\ndeleted\nscripts\nfix\nits versions\n1\nwhat\nb\nq\n");
    says(&said, &["fix.sh is back.", "Nothing was deleted; what is deleted", "Nothing has changed since."]);
    assert!(home.library().join("fix.sh").exists());
}

#[test]
fn what_is_wrong_can_be_read_again() {
    let home = Home::empty();
    home.config("colour = 1\n");
    let said = talked(&home, "notices\nh\nq\n");
    says(&said, &["notice:", "What now?", "notice:", "colour", "A menu is answered by a number"]);
}

#[test]
fn a_job_is_run_again_on_what_it_left_and_its_groups_are_noted() {
    let home = Home::empty();
    home.script("fails.sh", "#!/bin/sh\necho no such disk >&2\nexit 3\n");
    let said =
        talked(&home, "run\nfails\nlocal\n\nyes\njobs\n1\ngroups\n1\nnote\nthe vendor has it\n1\nack\n\nb\nb\nq\n");
    says(&said, &["Which group?", "no such disk", "note: the vendor has it", "acknowledged by", "done: 1 failed"]);
    let file = home.work().join("report.md");
    let answers = format!("jobs\n1\nreport\nmd\n{0}\nreport\nmd\n{0}\nb\nq\n", file.display());
    says(&talked(&home, &answers), &["is there already; nothing was written"]);
    assert!(std::fs::read_to_string(&file).is_ok_and(|report| report.contains("no such disk")));
    let said = talked(&home, "jobs\n1\nrun it again\nfailed\nyes\nq\n");
    says(&said, &["failed: 1 devices", "preview: fails.sh on 1 device", "job 2 is launched", "done: 1 failed"]);
    assert_eq!(home.job(2)["parent"], 1);
}

#[test]
fn a_roll_out_is_written_as_run_takes_it_and_held_and_let_go() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 3);
    fleet.configure(&home);
    home.script("hi.sh", "#!/bin/sh\necho hi from here\n");
    let wrong = talked(&home, "run\nhi\nlab\n\nhow\n--rings many\n--rings 1,100% --between ask\nno\nq\n");
    says(&wrong, &["number of devices", "ring 1: 1 device", "ring 2: 2 devices", "Nothing was sent."]);
    let mut console = at_a_terminal(&home);
    console.asks("number>", "run");
    console.asks("Which script?", "hi");
    console.asks("target expression", "lab");
    console.asks("time limit", "");
    console.asks("how for rings and limits", "how");
    console.asks("as `run` takes it", "--rings 1,100% --between ask");
    console.prints("ring 2: 2 devices");
    console.asks("Type yes to launch", "yes");
    console.prints("hi from here");
    eventually("the ring asks", || home.job(1)["progress"]["asks"]["ring"] == 2);
    console.keys("<C-c>");
    console.prints("running: 1 hi.sh");
    console.asks("What now?", "jobs");
    console.asks("Which job?", "1");
    console.asks("pause: send to nothing new", "pause");
    console.prints("job 1: paused");
    console.asks("go on: it is paused", "go on");
    console.asks("Type yes to let it go on", "yes");
    console.prints("job 1: resumed; ring 2 waits for approval: quarterdeck jobs approve 1 --ring 2");
    console.asks("number>", "start");
    console.asks("Type that number of devices", "7");
    console.prints("It waits on.");
    console.asks("number>", "start");
    console.asks("Type that number of devices", "2");
    console.prints("ring 2 is approved");
    assert_eq!(home.ended_job(1)["counts"]["ok"], 3);
    console.asks("number>", "q");
    console.asks("What now?", "q");
    assert!(console.exit().success());
    assert!(!console.log.contains(&0x1b), "not one escape sequence");
}
