//! A system's own library and past jobs, as an operator meets them through the verbs, against a stand-in of SimpleMDM:
//! scripts are read, saved, made, renamed and deleted where they lie, and what somebody else did meanwhile is met.

mod support;

use rustix::process::Signal;
use support::mdm::{Behaves, Fault, Mdm, Script};
use support::{Console, Home, eventually};

const TEXT: &str = "#!/bin/sh\r\necho one\r\n";

/// An account with one Mac and one script; its home knows both.
fn account(more: &str) -> (Mdm, Home, u64) {
    let mdm = Mdm::start();
    let script = {
        let mut world = mdm.world();
        world.macs(2);
        world.script("Rotate cache", TEXT)
    };
    let home = Home::empty();
    home.config(&mdm.connection(&home, "macs", more));
    (mdm, home, script)
}

/// What was printed by a line that went well.
fn said(home: &Home, line: &[&str]) -> String {
    home.verb(line.iter().copied()).run().ok().text()
}

/// Why a line did not do what it says.
fn refused(home: &Home, line: &[&str]) -> String {
    let ran = home.verb(line.iter().copied()).run();
    assert_ne!(ran.code(), 0, "{ran}");
    ran.errors()
}

fn text(mdm: &Mdm, script: u64) -> String {
    mdm.world().scripts[&script].content.clone()
}

#[test]
fn a_servers_script_is_shown_and_saved_with_its_line_ends_and_the_versions_stay_here() {
    let (mdm, home, script) = account("");
    let told = home.qd(["scripts", "ls", "--json"]).ok().json();
    let all = told["scripts"].as_array().expect("scripts");
    let script_told = all.iter().find(|script| script["name"] == "macs:Rotate cache").expect("it is listed");
    assert!(script_told["read_only"].is_null(), "{script_told}");
    assert_eq!(said(&home, &["scripts", "show", "macs:Rotate cache"]), TEXT);
    let new = home.file("new.sh", "#!/bin/sh\r\necho two\r\n");
    home.qd(["scripts", "save", "macs:Rotate cache", "--from", &new]).ok();
    assert_eq!(text(&mdm, script), "#!/bin/sh\r\necho two\r\n");
    let versions = home.qd(["scripts", "versions", "macs:Rotate cache", "--json"]).ok().json();
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(2), "{versions}");
    home.qd(["scripts", "restore", "macs:Rotate cache@v1"]).ok();
    assert_eq!(text(&mdm, script), TEXT, "an older version, byte for byte");
    let audit = said(&home, &["audit"]);
    assert!(audit.contains("macs:Rotate cache"), "{audit}");
}

#[test]
fn what_somebody_else_changed_is_not_saved_over_unless_that_is_meant() {
    let (mdm, home, script) = account("");
    let seen = home.qd(["scripts", "show", "macs:Rotate cache", "--json"]).ok().json();
    let seen = seen["version"].as_str().expect("a version").to_owned();
    let theirs = "#!/bin/sh\necho theirs\n";
    mdm.world().edit(script, theirs);
    let mine = home.file("mine.sh", "#!/bin/sh\necho mine\n");
    let save = ["scripts", "save", "macs:Rotate cache", "--from", &mine];
    let told = refused(&home, &[&save[..], &["--seen", &seen]].concat());
    assert!(told.contains("changed meanwhile by somebody else"), "{told}");
    assert_eq!(text(&mdm, script), theirs);
    said(&home, &[&save[..], &["--force"]].concat());
    assert_eq!(text(&mdm, script), "#!/bin/sh\necho mine\n");
    let versions = home.qd(["scripts", "versions", "macs:Rotate cache", "--json"]).ok().json();
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(2), "theirs is kept: {versions}");
    // gone meanwhile: nothing is made in its place by a save
    mdm.world().scripts.remove(&script);
    let told = refused(&home, &[&save[..], &["--seen", &seen]].concat());
    assert!(told.contains("not there any more") || told.contains("deleted or renamed"), "{told}");
    assert!(mdm.world().scripts.is_empty());
}

#[test]
fn scripts_are_made_renamed_switched_deleted_and_brought_back_at_the_system() {
    let (mdm, home, _) = account("");
    let from = home.file("odd.sh", "#!/bin/zsh\necho 'é'\n");
    let odd = "a/b: c 'é' 100%";
    home.qd(["scripts", "new", &format!("macs:{odd}"), "--from", &from]).ok();
    let find = |name: &str| mdm.world().scripts.iter().find(|(_, script)| script.name == name).map(|(id, _)| *id);
    let id = find(odd).expect("it is there");
    assert_eq!(text(&mdm, id), "#!/bin/zsh\necho 'é'\n");
    let told = refused(&home, &["scripts", "new", &format!("macs:{odd}"), "--from", &from]);
    assert!(told.contains("of this name already"), "{told}");
    home.qd(["scripts", "set", &format!("macs:{odd}"), "variable_support=on"]).ok();
    assert!(mdm.world().scripts[&id].variable_support);
    assert_eq!(text(&mdm, id), "#!/bin/zsh\necho 'é'\n", "the text is left alone");
    home.qd(["scripts", "rename", &format!("macs:{odd}"), "Plain"]).ok();
    assert_eq!(find("Plain"), Some(id));
    let told = refused(&home, &["scripts", "delete", "macs:Plain", "--no-input"]);
    assert!(told.contains("--yes"), "{told}");
    home.qd(["scripts", "delete", "macs:Plain", "--yes"]).ok();
    assert_eq!(find("Plain"), None);
    home.qd(["scripts", "restore", "macs:Plain"]).ok();
    assert_eq!(text(&mdm, find("Plain").expect("it is back")), "#!/bin/zsh\necho 'é'\n");
}

#[test]
fn what_simplemdm_cannot_run_is_refused_before_anything_is_sent() {
    let (mdm, home, script) = account("");
    let bare = home.file("bare.sh", "echo hi\n");
    let told = refused(&home, &["scripts", "save", "macs:Rotate cache", "--from", &bare]);
    assert!(told.contains("shebang"), "{told}");
    let told = refused(&home, &["scripts", "new", "macs:Bare", "--from", &bare]);
    assert!(told.contains("shebang"), "{told}");
    assert_eq!(text(&mdm, script), TEXT);
    assert_eq!(mdm.count("PATCH") + mdm.count("POST"), 0, "{:?}", mdm.asked());
}

#[test]
fn a_connection_that_is_read_only_says_so_and_nothing_is_sent() {
    let (mdm, home, _) = account("read_only = true");
    let new = home.file("new.sh", "#!/bin/sh\necho two\n");
    for line in [
        &["scripts", "save", "macs:Rotate cache", "--from", &new][..],
        &["scripts", "new", "macs:New", "--from", &new],
        &["scripts", "rename", "macs:Rotate cache", "Other"],
        &["scripts", "delete", "macs:Rotate cache", "--yes"],
        &["scripts", "set", "macs:Rotate cache", "variable_support=on"],
    ] {
        let told = refused(&home, line);
        assert!(told.contains("read_only in config.toml"), "{line:?}: {told}");
    }
    assert_eq!(mdm.count("PATCH") + mdm.count("POST") + mdm.count("DELETE"), 0, "{:?}", mdm.asked());
}

#[test]
fn an_answer_that_was_lost_is_looked_for_and_nothing_is_done_twice() {
    let (mdm, home, script) = account("");
    let new = home.file("new.sh", "#!/bin/sh\necho two\n");
    home.qd(["scripts", "ls"]).ok();
    mdm.fault("POST /api/v1/scripts", Fault::Lost);
    home.qd(["scripts", "new", "macs:New", "--from", &new]).ok();
    assert_eq!(mdm.world().scripts.values().filter(|script| script.name == "New").count(), 1);
    mdm.fault("PATCH /api/v1/scripts", Fault::Half);
    home.qd(["scripts", "save", "macs:Rotate cache", "--from", &new]).ok();
    assert_eq!(text(&mdm, script), "#!/bin/sh\necho two\n");
    mdm.fault("PATCH /api/v1/scripts", Fault::Status(500));
    let other = home.file("other.sh", "#!/bin/sh\necho three\n");
    let told = refused(&home, &["scripts", "save", "macs:Rotate cache", "--from", &other]);
    assert!(told.contains("500"), "{told}");
    assert_eq!(text(&mdm, script), "#!/bin/sh\necho two\n");
    mdm.fault("PATCH /api/v1/scripts", Fault::TooMany(1));
    home.qd(["scripts", "save", "macs:Rotate cache", "--from", &other]).ok();
    assert_eq!(text(&mdm, script), "#!/bin/sh\necho three\n");
    mdm.fault("DELETE /api/v1/scripts", Fault::Lost);
    home.qd(["scripts", "delete", "macs:Rotate cache", "--yes"]).ok();
    assert!(!mdm.world().scripts.contains_key(&script));
}

const F3: &[u8] = b"\x1bOR";

/// Into the editor, with the account's one script in it.
fn editing(home: &Home) -> Console {
    let mut console = Console::setup(home).size(100, 30).start();
    console.sees("Rotate cache");
    console.keys("/Rotate<enter>");
    console.sees("1 of ");
    console.keys("Ge");
    console.sees("Ln 1 Col 1");
    console
}

#[test]
fn in_the_editor_a_script_that_somebody_else_changed_there_is_compared_kept_or_given_up() {
    let (mdm, home, script) = account("");
    let mut console = editing(&home);
    console.sees("CRLF");
    console.keys("<down><end> and mine");
    console.sees("echo one and mine");
    mdm.world().edit(script, "#!/bin/sh\r\necho theirs\r\n");
    console.send(F3);
    console.sees("Changed by somebody else");
    assert_eq!(text(&mdm, script), "#!/bin/sh\r\necho theirs\r\n", "nothing is overwritten unasked");
    console.keys("<enter>");
    console.wait("both", |screen| {
        let shown = screen.contents();
        shown.contains("echo theirs") && shown.contains("echo one and mine")
    });
    console.keys("<esc>");
    console.loses("echo theirs");
    console.sees("Keep mine"); // it is still to be answered
    console.keys("<down><enter>");
    console.sees("was saved as v");
    assert_eq!(text(&mdm, script), "#!/bin/sh\r\necho one and mine\r\n");
    console.keys(" again");
    console.sees("and mine again");
    mdm.world().edit(script, "#!/bin/sh\necho others\n");
    console.send(F3);
    console.sees("Changed by somebody else");
    console.keys("<down><down><enter>"); // take theirs
    console.sees("echo others");
    console.loses("and mine again");
    assert_eq!(text(&mdm, script), "#!/bin/sh\necho others\n", "nothing was sent");
    console.keys("<esc>");
    console.sees("Targets");
    console.quit().is_restored();
    let versions = home.qd(["scripts", "versions", "macs:Rotate cache", "--json"]).ok().json();
    let kept = versions["versions"].as_array().map(Vec::len);
    assert!(kept >= Some(2), "what was theirs is kept too: {versions}");
}

// -- past jobs -------------------------------------------------------------------------------------------------

fn past(mdm: &Mdm, jobs: usize) -> Vec<u64> {
    let mut world = mdm.world();
    let devices: Vec<u64> = world.devices.keys().copied().collect();
    let script = world.scripts.values().next().cloned().unwrap_or_else(|| Script {
        name: "Old".into(),
        content: TEXT.into(),
        variable_support: false,
        created_at: String::new(),
        updated_at: String::new(),
    });
    let made: Vec<u64> = (0..jobs).map(|_| world.job(&script, &devices)).collect();
    world.report(devices[0], 0, "all is well\n");
    world.report(devices[1], 69, "no space left on device\n");
    made
}

fn listed(home: &Home) -> Vec<serde_json::Value> {
    home.qd(["jobs", "ls", "--json", "--limit", "2000"]).ok().json().as_array().expect("jobs").clone()
}

#[test]
fn past_jobs_are_brought_in_once_and_are_jobs_like_any_other() {
    let (mdm, home, _) = account("");
    eventually("the devices have come", || {
        home.qd(["targets", "resolve", "os:macOS", "--json"]).ok().json()["count"] == 2
    });
    let made = past(&mdm, 3);
    home.qd(["jobs", "import", "macs"]).ok();
    let jobs = listed(&home);
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    let origin = format!("macs:{}", made[2]);
    assert_eq!(jobs[0]["origin"], origin.as_str(), "the newest first");
    assert_eq!(
        (&jobs[0]["state"], &jobs[0]["counts"]["ok"], &jobs[0]["counts"]["failed"]),
        (&"done".into(), &1.into(), &1.into())
    );
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!(listed(&home).len(), 3, "a second time nothing is brought in");
    let id = jobs[0]["id"].to_string();
    let told = home.qd(["jobs", "show", &id]).ok().text();
    assert!(told.contains("brought in from there") && told.contains("macs:mac-00001"), "{told}");
    let groups = home.qd(["groups", &id]).ok().text();
    assert!(groups.contains("no space left on device"), "{groups}");
    let found = home.qd(["search", "no space left"]).ok().text();
    assert!(found.contains("mac-00002"), "{found}");
    // beyond the month of the system
    mdm.world().jobs.clear();
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!(listed(&home).len(), 3);
    assert_eq!(said(&home, &["output", &id, "--raw", "--device", "macs:mac-00002"]), "no space left on device\n");
}

#[test]
fn a_job_that_may_still_change_is_brought_up_to_date() {
    let (mdm, home, _) = account("");
    eventually("the devices have come", || {
        home.qd(["targets", "resolve", "os:macOS", "--json"]).ok().json()["count"] == 2
    });
    let job = {
        let mut world = mdm.world();
        let devices: Vec<u64> = world.devices.keys().copied().collect();
        let script = world.scripts.values().next().cloned().expect("a script");
        world.behaves(devices[1], Behaves::Silent);
        let job = world.job(&script, &devices);
        world.report(devices[0], 0, "first\n");
        job
    };
    home.qd(["jobs", "import", "macs"]).ok();
    let before = listed(&home);
    assert_eq!((&before[0]["state"], &before[0]["counts"]["sent"]), (&"running".into(), &1.into()), "{before:?}");
    let told = refused(&home, &["jobs", "stop", &before[0]["id"].to_string()]);
    assert!(told.contains("cancelled there alone"), "{told}");
    // a new engine does not take it for one of its own that was lost
    home.end_engine(Signal::TERM);
    let second = mdm.world().devices.keys().copied().nth(1).expect("a device");
    mdm.world().report(second, 1, "second\n");
    home.qd(["jobs", "import", "macs"]).ok();
    let after = listed(&home);
    assert_eq!(after.len(), 1);
    assert_eq!((&after[0]["state"], &after[0]["counts"]["failed"]), (&"done".into(), &1.into()), "{after:?}");
    let id = after[0]["id"].to_string();
    assert_eq!(said(&home, &["output", &id, "--raw", "--device", "macs:mac-00001"]), "first\n");
    assert_eq!(said(&home, &["output", &id, "--raw", "--device", "macs:mac-00002"]), "second\n");
    assert!(mdm.world().jobs.contains_key(&job));
}

#[test]
fn a_bringing_in_that_broke_off_goes_on_where_it_was() {
    let (mdm, home, _) = account("");
    eventually("the devices have come", || {
        home.qd(["targets", "resolve", "os:macOS", "--json"]).ok().json()["count"] == 2
    });
    let made = past(&mdm, 120);
    let broken = format!("GET /api/v1/script_jobs/{}", made[60]);
    mdm.fault(&broken, Fault::Status(403));
    let told = refused(&home, &["jobs", "import", "macs"]);
    assert!(told.contains("broke off after 60"), "{told}");
    assert_eq!(listed(&home).len(), 60);
    let before = mdm.count("GET /api/v1/script_jobs/");
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!(listed(&home).len(), 120);
    assert_eq!(mdm.count("GET /api/v1/script_jobs/") - before, 60, "none is asked for twice");
}

#[test]
fn what_was_launched_from_here_is_not_brought_in_a_second_time_also_after_a_kill() {
    let (mdm, home, _) = account("");
    eventually("the devices have come", || {
        home.qd(["targets", "resolve", "os:macOS", "--json"]).ok().json()["count"] == 2
    });
    let launch = |more: &[&str]| {
        let line = ["run", "macs:Rotate cache", "--target", "os:macOS", "--confirm", "2"];
        home.verb(line.iter().chain(more).copied()).run().ok();
    };
    launch(&["--wait"]);
    let silent = mdm.world().devices.keys().copied().nth(1).expect("a device");
    mdm.world().behaves(silent, Behaves::Silent);
    launch(&[]);
    eventually("the second is there, and the engine knows it", || home.job(2)["counts"]["ok"] == 1);
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!(listed(&home).len(), 2, "they are this engine's own");
    home.end_engine(Signal::KILL);
    mdm.world().report(silent, 3, "late, and not lost\n");
    home.qd(["jobs", "import", "macs"]).ok();
    eventually("it is heard to its end", || listed(&home)[0]["state"] == "done");
    home.qd(["jobs", "import", "macs"]).ok();
    let jobs = listed(&home);
    assert!(jobs.len() == 2 && jobs.iter().all(|job| job["origin"].is_null()), "{jobs:?}");
    let id = jobs[0]["id"].to_string();
    assert_eq!(said(&home, &["output", &id, "--raw", "--device", "macs:mac-00002"]), "late, and not lost\n");
}
