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

#[track_caller]
fn asked(console: &mut Console, question: &str, answer: &str) {
    console.sees(question);
    console.text(&format!("{answer}\r"));
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
    asked(&mut console, "number>", "run");
    asked(&mut console, "Which script?", "secret");
    asked(&mut console, "target expression", "local");
    asked(&mut console, "(not shown)", "s3cr3t-value");
    asked(&mut console, "time limit", "");
    asked(&mut console, "Type yes to launch", "yes");
    console.sees("done: 1 ok");
    console.text("q\r");
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
    asked(&mut console, "number>", "run");
    asked(&mut console, "Which script?", "sleeps");
    asked(&mut console, "target expression", "local");
    asked(&mut console, "time limit", "");
    asked(&mut console, "Type yes to launch", "yes");
    console.sees("local: up");
    console.keys("<C-c>");
    console.sees("running: 1 sleeps.sh");
    console.text("jobs\r");
    asked(&mut console, "Which job?", "1");
    asked(&mut console, "end it: what runs, too", "end it");
    asked(&mut console, "Type that number", "7");
    console.sees("Nothing was ended.");
    console.text("end it\r");
    console.wait("asked again", |screen| screen.contents().matches("Type that number").count() == 2);
    console.text("1\r");
    console.sees("1 asked to end");
    console.text("q\rq\r");
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
    asked(&mut console, "number>", "run");
    asked(&mut console, "Which script?", "hi");
    asked(&mut console, "target expression", "lab");
    asked(&mut console, "time limit", "");
    asked(&mut console, "how for rings and limits", "how");
    asked(&mut console, "as `run` takes it", "--rings 1,100% --between ask");
    console.sees("ring 2: 2 devices");
    // asked again: what is typed before the question does not answer it
    console.wait("asked again", |screen| screen.contents().matches("Type yes to launch").count() == 2);
    console.text("yes\r");
    console.sees("hi from here");
    eventually("the ring asks", || home.job(1)["progress"]["asks"]["ring"] == 2);
    console.keys("<C-c>");
    console.sees("running: 1 hi.sh");
    asked(&mut console, "What now?", "jobs");
    asked(&mut console, "Which job?", "1");
    asked(&mut console, "pause: send to nothing new", "pause");
    console.sees("job 1: paused");
    asked(&mut console, "go on: it is paused", "go on");
    asked(&mut console, "Type yes to let it go on", "yes");
    console.sees("job 1: resumed; ring 2 waits for approval: quarterdeck jobs approve 1 --ring 2");
    console.text("start\r");
    asked(&mut console, "Type that number of devices", "7");
    console.sees("It waits on.");
    console.text("start\r");
    console.wait("asked again", |screen| screen.contents().matches("Type that number of devices").count() == 2);
    console.text("2\r");
    console.sees("ring 2 is approved");
    assert_eq!(home.ended_job(1)["counts"]["ok"], 3);
    console.text("q\rq\r");
    assert!(console.exit().success());
    assert!(!console.log.contains(&0x1b), "not one escape sequence");
}
