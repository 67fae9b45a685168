//! A job's outputs in a few rows: real runs on real OpenSSH servers of our own, grouped by the real binary.

mod support;

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::Value;
use support::{Fleet, Home};

/// Ends in a way that hangs on the host it runs on, and says so with what is this host's and this moment's own.
const PATCH: &str = r#"#!/bin/sh
host=${SSH_CONNECTION#* * }
host=${host%% *}
number=${host##*.}
echo "patching $host at $(date +%T)"
case $((number % 6)) in
    1) echo "$(date -u +%FT%TZ) curl: ($number) The requested URL returned error: 503 from $host" >&2; exit 69 ;;
    2) echo "no space: $((number * 7)) MiB free" >&2; exit 70 ;;
esac
echo "rc=0 in ${number}ms"
"#;

fn groups(home: &Home, job: u64, more: &[&str]) -> Value {
    let id = job.to_string();
    home.verb(["groups", &id, "--json"].into_iter().chain(more.iter().copied())).run().ok().json()
}

/// What each group says, and how many runs it has.
fn rows(groups: &Value) -> Vec<(String, usize)> {
    let groups = groups["groups"].as_array().expect("groups");
    groups.iter().map(|g| (g["says"].as_str().expect("says").to_owned(), g["runs"].as_array().unwrap().len())).collect()
}

fn names(groups: &Value) -> BTreeMap<String, String> {
    let groups = groups["groups"].as_array().expect("groups");
    groups.iter().map(|g| (g["says"].to_string(), g["signature"].to_string())).collect()
}

#[test]
fn thirty_outputs_are_three_rows_and_the_next_job_knows_them_again() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 30);
    fleet.configure(&home);
    home.script("patch.sh", PATCH);
    home.verb(["run", "patch.sh", "--target", "lab", "--wait", "--confirm", "30"]).run().exits(3);

    let first = groups(&home, 1, &[]);
    let curl = "<time> curl: (<n>) The requested URL returned error: <n> from <addr>";
    let expected = [(curl, 5), ("no space: <n> MiB free", 5), ("rc=<n> in <n>ms", 20)];
    assert_eq!(rows(&first), expected.map(|(says, runs)| (says.to_owned(), runs)), "{first:#}");
    assert_eq!((&first["base"], &first["previous"]), (&Value::from(2), &Value::Null));

    let text = home.qd(["groups", "1"]).ok().text();
    assert!(text.contains("first job of this script") && !text.contains("  new  "), "{text}");

    // every output has a text of its own
    assert_eq!(groups(&home, 1, &["--exact"])["groups"].as_array().unwrap().len(), 30);

    // the engine is killed: the next one, and the next job, give the same names
    home.end_engine(Signal::KILL);
    home.script("patch.sh", PATCH.replace("no space", "disk is full"));
    home.verb(["run", "patch.sh", "--target", "lab", "--wait", "--confirm", "30"]).run().exits(3);
    let second = groups(&home, 2, &[]);
    assert_eq!(rows(&second)[0].0, "disk is full: <n> MiB free", "what is new comes first");
    let before: Vec<&Value> = second["groups"].as_array().unwrap().iter().map(|group| &group["before"]).collect();
    assert_eq!(before, [&Value::from(0), &Value::from(5), &Value::from(20)]);
    assert_eq!(names(&first)[&Value::from(curl).to_string()], names(&second)[&Value::from(curl).to_string()]);
    assert_eq!(second["gone"][0]["says"], "no space: <n> MiB free");

    // and a person reads it
    let text = home.qd(["groups", "2"]).ok().text();
    for words in ["3 groups, beside job 1", "  new  ", "disk is full: <n> MiB free", "gone since:"] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
}

#[test]
fn what_is_noted_on_a_signature_is_there_when_the_same_fails_again() {
    let home = Home::empty();
    home.script("sync.sh", "#!/bin/sh\necho \"attempt $$: mirror is gone\" >&2\nexit 9\n");
    home.verb(["run", "sync.sh", "--target", "local", "--wait"]).run().exits(3);
    let signature = groups(&home, 1, &[])["groups"][0]["signature"].as_str().expect("a name").to_owned();

    home.qd(["note", &signature[..8], "vendor", "has it", "--runbook", "https://wiki.example/rb/77"]).ok();
    let noted = home.verb(["ack", &signature, "--json"]).run().ok().json();
    assert_eq!((&noted["subject"], &noted["note"]["text"]), (&Value::from(signature.clone()), &"vendor has it".into()));

    // killed at once: what was answered is kept; the next job's failure carries it
    home.end_engine(Signal::KILL);
    home.verb(["run", "sync.sh", "--target", "local", "--wait"]).run().exits(3);
    let group = &groups(&home, 2, &[])["groups"][0];
    assert_eq!(
        (&group["note"]["text"], &group["runbook"]),
        (&"vendor has it".into(), &"https://wiki.example/rb/77".into())
    );
    assert!(group["acked"]["by"].is_string(), "{group:#}");
    let text = home.qd(["groups", "2"]).ok().text();
    assert!(text.contains("note: vendor has it (") && text.contains("acknowledged by "), "{text}");

    // taken back, piece by piece
    home.qd(["note", &signature, "--remove", "--runbook", ""]).ok();
    let left = home.verb(["ack", &signature, "--undo", "--json"]).run().ok().json();
    assert_eq!((&left["note"], &left["acked"], &left["runbook"]), (&Value::Null, &Value::Null, &Value::Null));

    // who said what is written down; a group goes by what its job calls it, too
    home.qd(["note", "2/S1", "again"]).ok();
    let entries = home.verb(["audit", "--json"]).run().ok().events();
    let said: Vec<(String, String)> = entries
        .iter()
        .filter(|entry| ["note", "ack", "runbook"].iter().any(|act| entry["act"] == *act))
        .map(|entry| (entry["act"].as_str().unwrap().to_owned(), entry["note"].as_str().unwrap().to_owned()))
        .collect();
    let acts: Vec<&str> = said.iter().map(|(act, _)| act.as_str()).collect();
    assert_eq!(acts, ["runbook", "note", "ack", "runbook", "note", "ack", "note"], "{said:?}");
    assert!(said[1].1.ends_with(": vendor has it") && said[6].1.contains(&signature), "{said:?}");
    assert!(entries.iter().all(|entry| entry["by"].is_string()));
    home.qd(["note", &signature, "--remove"]).ok();

    // of a job too; and what cannot be noted is refused with its reason
    home.qd(["note", "1", "stopped by hand"]).ok();
    assert!(home.qd(["note", "1"]).ok().text().contains("note: stopped by hand ("));
    for (words, why) in [
        (["note", "v1:0000", "x"], "no run that is kept ended as v1:0000"),
        (["note", "fix.sh", "x"], "expected a job's number"),
        (["note", "1", "\u{1b}[2J"], "control characters"),
        (["note", "1", "--runbook=RB-77"], "a runbook is a link"),
        (["note", "77", "x"], "no job 77"),
    ] {
        let refused = home.qd(words);
        assert_eq!(refused.code(), 2, "{words:?}");
        assert!(refused.errors().contains(why), "{words:?}: {}", refused.errors());
    }
}

/// Two of six fail, until they are mended.
const FLAKY: &str = r#"#!/bin/sh
host=${SSH_CONNECTION#* * }
host=${host%% *}
case "${host##*.}" in
    2 | 4) [ -e "$MENDED" ] || { echo "disk is full" >&2; exit 7; } ;;
esac
echo fine
"#;

#[test]
fn after_a_re_run_of_what_failed_nothing_that_went_well_is_news() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 6);
    fleet.configure(&home);
    let mended = home.path().join("mended");
    home.script("flaky.sh", FLAKY.replace("$MENDED", mended.to_str().expect("UTF-8")));
    home.verb(["run", "flaky.sh", "--target", "lab", "--wait", "--confirm", "6"]).run();
    let failed =
        rows(&groups(&home, 1, &[])).into_iter().find(|(says, _)| says == "disk is full").map_or(0, |row| row.1);
    assert!(failed > 0, "{:#}", groups(&home, 1, &[]));
    home.verb(["rerun", "1", "--failed", "--wait", "--confirm", &failed.to_string()]).run().exits(3);
    std::fs::write(&mended, "").expect("the test's own home");
    home.verb(["run", "flaky.sh", "--target", "lab", "--wait", "--confirm", "6"]).run().ok();

    // the re-run is compared with what it re-runs, on its devices; the whole job with the whole one
    let rerun = groups(&home, 2, &[]);
    assert_eq!(
        (&rerun["previous"], &rerun["groups"][0]["before"]),
        (&Value::from(1), &Value::from(failed)),
        "{rerun:#}"
    );
    let whole = groups(&home, 3, &[]);
    let first = &whole["groups"][0];
    assert_eq!((&whole["previous"], &first["before"]), (&Value::from(1), &Value::from(6 - failed)), "{whole:#}");
    assert_eq!((&whole["gone"][0]["fixed"], &first["met"]), (&Value::from(failed), &Value::Bool(true)));
    // another one, if that is wanted
    let chosen = groups(&home, 3, &["--base", "2"]);
    assert_eq!((&chosen["previous"], &chosen["groups"][0]["before"]), (&Value::from(2), &Value::from(0)), "{chosen:#}");
    assert_eq!(chosen["groups"][0]["met"], Value::Bool(true), "known, though not there");
    home.qd(["groups", "3", "--base", "3"]).exits(2);
}

/// Fails in a way that hangs on the device's number, which is the last part of its address.
const SYNC: &str = r#"#!/bin/sh
host=${SSH_CONNECTION#* * }
host=${host%% *}
number=${host##*.}
case $((number % 5)) in
    0) echo "sync: cannot open all of /srv/$(echo "$number" | tr 0-9 a-j): gone" >&2; exit 5 ;;
    1) echo "sync: quota of $number GiB is used up" >&2; exit 5 ;;
    2) echo "sync: server says HTTP $((500 + number % 2))" >&2; exit 5 ;;
esac
echo in sync
"#;

fn said(home: &Home, job: u64) -> Vec<String> {
    let mut said: Vec<String> =
        rows(&groups(home, job, &[])).into_iter().map(|(says, runs)| format!("{runs} {says}")).collect();
    said.sort();
    said
}

#[test]
fn a_script_s_groups_are_learnt_ruled_merged_and_split_and_all_of_it_is_kept_and_undone() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 20);
    fleet.configure(&home);
    home.script("sync.sh", SYNC);
    home.verb(["run", "sync.sh", "--target", "lab", "--wait", "--confirm", "20"]).run().exits(3);
    let plain = [
        "4 sync: cannot open all of <id> gone",
        "4 sync: quota of <n> GiB is used up",
        "4 sync: server says HTTP <n>",
        "8 in sync",
    ];
    assert_eq!(said(&home, 1), plain);
    let name = |says: &str| names(&groups(&home, 1, &[]))[&Value::from(says).to_string()].trim_matches('"').to_owned();
    let (quota, server) = (name(plain[1].split_once(' ').unwrap().1), name("sync: server says HTTP <n>"));

    // a note finds its failure whatever the name comes to be
    home.qd(["note", &server, "vendor has it"]).ok();
    home.qd(["note", &name("sync: cannot open all of <id> gone"), "known path"]).ok();

    // a rule of its own: in the job that is over, too
    home.qd(["regroup", "keep", "sync.sh", "HTTP [0-9]+"]).ok();
    assert_eq!(said(&home, 1)[..2], ["2 sync: server says HTTP 500", "2 sync: server says HTTP 501"]);
    assert_eq!(said(&home, 1).len(), 5);
    let noted: Vec<Value> =
        groups(&home, 1, &[])["groups"].as_array().unwrap().iter().map(|g| g["note"]["text"].clone()).collect();
    assert_eq!(
        noted.iter().filter(|note| **note == "vendor has it").count(),
        1,
        "on that of the two it was said of: {noted:?}"
    );
    assert!(noted.contains(&"known path".into()));
    for (pattern, why) in [("a(b", "unclosed group"), ("(?=x)", "look-around"), (r"(a)\1", "backreferences")] {
        let refused = home.qd(["regroup", "mask", "sync.sh", pattern, "<x>"]);
        assert_eq!(refused.code(), 2);
        assert!(refused.errors().contains(why) && refused.errors().contains("rule 2"), "{}", refused.errors());
    }
    let shown = home.qd(["regroup", "show", "sync.sh"]).ok().text();
    assert!(shown.contains("1  HTTP [0-9]+  stays as it is") && !shown.contains("<x>"), "{shown}");
    home.qd(["regroup", "forget", "sync.sh", "1"]).ok();
    assert_eq!(said(&home, 1), plain);

    // merged: kept over the end of the engine, and in the next job
    home.qd(["regroup", "merge", "1", &quota, &server]).ok();
    home.end_engine(Signal::KILL);
    assert_eq!(said(&home, 1)[..2], ["4 sync: cannot open all of <id> gone", "8 in sync"]);
    home.verb(["run", "sync.sh", "--target", "lab", "--wait", "--confirm", "20"]).run().exits(3);
    assert_eq!(said(&home, 2), said(&home, 1));
    assert_eq!(groups(&home, 2, &[])["groups"][0]["before"], 8);
    let again = home.qd(["regroup", "merge", "2", &server, &server]);
    assert!(again.errors().contains("is one group"), "{}", again.errors());
    let other = home.qd(["regroup", "merge", "2", &server, &name("in sync")]);
    assert!(other.errors().contains("ended in different ways (failed 5 and ok 0)"), "{}", other.errors());

    // taken apart: first what was merged, then the numbers
    home.qd(["regroup", "split", "2", &server]).ok();
    assert_eq!(said(&home, 1), plain);
    home.qd(["regroup", "split", "2", &server]).ok();
    assert_eq!(said(&home, 1)[..2], ["2 sync: server says HTTP 500", "2 sync: server says HTTP 501"]);
    let one = name("sync: server says HTTP 501");
    home.qd(["regroup", "undo", "1", &one]).ok();
    assert_eq!(said(&home, 2), plain);

    // several at once are one act, and taken back as one; before it, what was done before
    let open = name("sync: cannot open all of <id> gone");
    home.qd(["regroup", "merge", "1", &quota, &open, &server]).ok();
    assert_eq!(said(&home, 2), ["12 sync: server says HTTP <n>", plain[3]]);
    home.qd(["regroup", "undo", "2", &server]).ok();
    assert_eq!(said(&home, 1), plain);
    home.qd(["regroup", "merge", "1", &quota, &server]).ok();
    home.qd(["regroup", "merge", "1", &open, &server]).ok();
    home.qd(["regroup", "undo", "1", &server]).ok();
    assert_eq!(said(&home, 1), [plain[0], plain[3], "8 sync: server says HTTP <n>"]);
    home.qd(["regroup", "undo", "1", &server]).ok();
    assert_eq!(said(&home, 1), plain);
    let nothing = home.qd(["regroup", "undo", "1", &server]);
    assert!(nothing.errors().contains("nothing was done"), "{}", nothing.errors());
}

#[test]
fn a_job_that_is_not_there_is_refused_by_its_number() {
    let home = Home::empty();
    let refused = home.qd(["groups", "99"]);
    assert_ne!(refused.code(), 0);
    assert!(refused.errors().contains("no job 99"), "{}", refused.errors());
}
