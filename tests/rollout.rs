//! A roll-out through the verbs, on SSH hosts of our own: rings that ask, a budget that stops, holding and letting go,
//! another try, and the three meanings of stop.

mod support;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde_json::Value;
use support::sshd::closed_port;
use support::{Fleet, Home, eventually};

fn lab(count: usize) -> (Home, Fleet) {
    let home = Home::empty();
    let fleet = Fleet::start(&home, count);
    fleet.configure(&home);
    (home, fleet)
}

/// Launches on all six hosts; the job's id.
fn launch(home: &Home, script: &str, more: &[&str]) -> u64 {
    let head = ["run", script, "--target", "lab", "--confirm", "6"];
    home.verb(head.iter().chain(more).copied()).run().ok().job_id()
}

fn jobs(home: &Home, verb: &str, id: u64, more: &[&str]) -> Value {
    let id = id.to_string();
    let head = ["jobs", verb, &id, "--json"];
    home.verb(head.iter().chain(more).copied()).run().ok().json()
}

/// A script that waits for a file of ours.
fn gated(home: &Home) -> (String, PathBuf) {
    let gate = home.work().join("gate");
    let script =
        home.file("gated.sh", format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.02; done\necho hi\n", gate.display()));
    (script, gate)
}

fn count(job: &Value, state: &str) -> u64 {
    job["counts"][state].as_u64().unwrap_or(0)
}

#[test]
fn a_ring_waits_until_it_is_approved_and_two_who_approve_let_one_ring_go() {
    let (home, _fleet) = lab(6);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi\n");
    let id = launch(&home, &script, &["--rings", "1,3,100%", "--between", "ask", "--seed", "s"]);
    for (ring, ok) in [(2, 1), (3, 3)] {
        eventually("it asks", || home.job(id)["progress"]["asks"]["ring"] == ring);
        let job = home.job(id);
        assert_eq!((count(&job, "ok"), count(&job, "queued")), (ok, 6 - ok), "{job}");
        let number = ring.to_string();
        assert_eq!(jobs(&home, "approve", id, &["--ring", &number])["changed"], true);
        let again = jobs(&home, "approve", id, &["--ring", &number]);
        assert_eq!(again["changed"], false, "{again}");
        assert!(again["says"].as_str().unwrap().contains("approved already"), "{again}");
    }
    let job = home.ended_job(id);
    assert_eq!((job["state"].as_str(), count(&job, "ok")), (Some("done"), 6), "{job}");
    let rings: Vec<u64> = job["runs"].as_array().unwrap().iter().map(|run| run["ring"].as_u64().unwrap()).collect();
    assert_eq!([1, 2, 3].map(|ring| rings.iter().filter(|is| **is == ring).count()), [1, 2, 3]);
    home.verb(["jobs", "approve", &id.to_string()]).run().exits(4).says(&["has ended already"]);
}

#[test]
fn a_job_that_reaches_its_failure_budget_stops_and_says_so_with_5() {
    let (home, _fleet) = lab(6);
    let script = home.file("bad.sh", "#!/bin/sh\necho no >&2\nexit 3\n");
    let head = ["run", &script, "--target", "lab", "--confirm", "6", "--wait"];
    home.verb(head.iter().chain(&["--max-fail", "2", "--at-once", "1"]).copied()).run().exits(5);
    let job = home.job(1);
    assert_eq!(job["state"], "stopped", "{job}");
    assert!(job["reason"].as_str().unwrap().contains("failure budget"), "{job}");
    let failed = count(&job, "failed");
    assert!((2..=3).contains(&failed), "the budget, and what was in flight: {job}");
    assert_eq!(failed + count(&job, "cancelled"), 6, "{job}");
    let refused = home.verb(["run", &script, "--target", "lab", "--confirm", "6", "--max-fail", "7"]).run().exits(2);
    refused.says(&["more than the 6 devices"]);
    home.verb(["run", &script, "--target", "lab", "--confirm", "6", "--rings", "1,50%"]).run().exits(2).says(&["100%"]);
}

#[test]
fn a_paused_job_starts_nothing_until_it_is_resumed() {
    let (home, _fleet) = lab(6);
    let (script, gate) = gated(&home);
    let id = launch(&home, &script, &["--at-once", "1"]);
    eventually("one runs", || count(&home.job(id), "running") == 1);
    assert_eq!(jobs(&home, "pause", id, &[])["changed"], true);
    assert_eq!(jobs(&home, "pause", id, &[])["changed"], false);
    std::fs::write(&gate, "").unwrap();
    eventually("it has ended", || count(&home.job(id), "ok") == 1);
    let job = home.job(id);
    assert_eq!((count(&job, "ok"), count(&job, "running")), (1, 0), "{job}");
    assert!(job["progress"]["paused"]["by"].is_string(), "{job}");
    assert_eq!(jobs(&home, "resume", id, &[])["changed"], true);
    assert_eq!(count(&home.ended_job(id), "ok"), 6);
}

#[test]
fn what_has_not_started_is_withdrawn_and_what_runs_goes_on() {
    let (home, _fleet) = lab(6);
    let (script, gate) = gated(&home);
    let id = launch(&home, &script, &["--at-once", "1"]);
    eventually("one runs", || count(&home.job(id), "running") == 1);
    let stopped = jobs(&home, "stop", id, &["--unstarted"]);
    assert_eq!((&stopped["withdrawn"], &stopped["ending"], &stopped["going"]), (&5.into(), &0.into(), &1.into()));
    std::fs::write(&gate, "").unwrap();
    let job = home.ended_job(id);
    assert_eq!((count(&job, "ok"), count(&job, "cancelled")), (1, 5), "{job}");
}

#[test]
fn a_device_that_failed_is_tried_again_and_both_tries_are_kept() {
    let (home, _fleet) = lab(6);
    let been = home.work().join("been");
    std::fs::create_dir(&been).unwrap();
    let text = format!(
        "#!/bin/sh\nb={}/$QUARTERDECK_DEVICE\nif [ -e $b ]; then echo second; exit 0; fi\ntouch $b\necho first; exit 3\n",
        been.display()
    );
    let script = home.file("twice.sh", text);
    let id = launch(&home, &script, &["--retry", "1", "--retry-on", "failed", "--max-fail", "1"]);
    let job = home.ended_job(id);
    assert_eq!((job["state"].as_str(), count(&job, "ok")), (Some("done"), 6), "the last outcome counts: {job}");
    for run in job["runs"].as_array().unwrap() {
        assert_eq!(run["tries"][0]["exit_code"], 3, "{run}");
    }
    let output = String::from_utf8(home.output(id, &["--device", "web001"])).unwrap();
    assert!(output.contains("first") && output.contains("second"), "{output}");
}

#[test]
fn no_more_start_in_a_time_than_the_start_rate_says() {
    let (home, _fleet) = lab(6);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi\n");
    // of two in an hour the second has half an hour's time: however slow this machine is, one has run by then
    let id = launch(&home, &script, &["--start-rate", "2/h"]);
    eventually("the first has run", || count(&home.job(id), "ok") == 1);
    let job = home.job(id);
    assert_eq!((job["state"].as_str(), count(&job, "ok"), count(&job, "queued")), (Some("running"), 1, 5), "{job}");
    let begun = job["runs"].as_array().unwrap().iter().filter(|run| run["started_at"].is_string()).count();
    assert_eq!(begun, 1, "{job}");
    assert_eq!(jobs(&home, "stop", id, &["--unstarted"])["withdrawn"], 5);
    let job = home.ended_job(id);
    assert_eq!((count(&job, "ok"), count(&job, "cancelled")), (1, 5), "{job}");
}

/// A host `late` that nobody answers for yet.
fn with_late(fleet: &Fleet) {
    let gone = Ipv4Addr::new(127, 0, 7, 21);
    fleet.write_inventory(&format!("[away]\nlate ansible_host={gone} ansible_port={}\n", closed_port(gone)));
}

/// The run of `late`.
fn late(job: &Value) -> Value {
    let runs = job["runs"].as_array().expect("runs");
    runs.iter().find(|run| run["device"] == "lab:late").unwrap_or_else(|| panic!("no run of it: {job}")).clone()
}

#[test]
fn who_is_away_is_waited_for_and_gets_the_script_once_it_answers() {
    let (home, fleet) = lab(2);
    with_late(&fleet);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi\n");
    let target = ["run", &script, "--target", "web | away"];
    let id = home.verb(target).args(["--if-offline", "queue=24h"]).run().ok().job_id();
    eventually("it was tried, and the others have it", || {
        let job = home.job(id);
        count(&job, "ok") == 2 && late(&job)["tries"][0]["state"] == "offline"
    });
    let job = home.job(id);
    assert_eq!((job["state"].as_str(), late(&job)["state"].as_str()), (Some("running"), Some("queued")), "{job}");
    // it comes up, and somebody else hears of it
    let host = &fleet.hosts[1];
    let key = fleet.key.display();
    fleet.write_inventory(&format!(
        "[away]\nlate ansible_host={} ansible_port={} ansible_user={} ansible_ssh_private_key_file={key}\n",
        host.address, host.port, fleet.user
    ));
    home.verb(["run", &script, "--target", "late", "--include", "busy", "--wait"]).run().ok();
    let job = home.ended_job(id);
    assert_eq!((job["state"].as_str(), count(&job, "ok")), (Some("done"), 3), "{job}");
    assert_eq!(home.output(id, &["--device", "late"]), b"hi\n", "once: {job}");
}

#[test]
fn who_stays_away_is_given_up_when_its_time_is_over() {
    let (home, fleet) = lab(1);
    with_late(&fleet);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi\n");
    let target = ["run", &script, "--target", "web | away"];
    home.verb(target).args(["--if-offline", "queue=10s", "--wait"]).run().exits(6);
    let job = home.job(1);
    assert_eq!((job["state"].as_str(), count(&job, "ok"), count(&job, "offline")), (Some("done"), 1, 1), "{job}");
    let run = late(&job);
    assert_eq!(run["tries"][0]["state"], "offline", "it was tried before, and once more at the end: {run}");
    let moment = |of: &Value| of.as_str().unwrap().parse::<jiff::Timestamp>().expect("a moment");
    let waited = moment(&run["finished_at"]) - moment(&job["created_at"]);
    assert!(waited.total(jiff::Unit::Second).unwrap() >= 9.9, "not before: {run}");
}

#[test]
fn a_job_past_its_deadline_ends_what_runs_and_sends_no_more() {
    let (home, _fleet) = lab(6);
    let (script, _gate) = gated(&home);
    let id = launch(&home, &script, &["--at-once", "1", "--deadline", "2s"]);
    let job = home.ended_job(id);
    assert_eq!(job["state"], "stopped", "{job}");
    assert_eq!(count(&job, "cancelled") + count(&job, "timeout"), 6, "{job}");
    assert!(job["reason"].as_str().unwrap().contains("deadline"), "{job}");
}

#[test]
fn a_way_to_fail_that_the_script_never_met_stops_the_job_and_one_that_it_met_does_not() {
    let (home, _fleet) = lab(6);
    let script = home.file("odd.sh", "#!/bin/sh\n# @arg word\necho \"the $1 is gone\" >&2\nexit 3\n");
    let run = |word: &str| {
        let word = format!("word={word}");
        let more =
            ["--param", &word, "--at-once", "1", "--new-signatures", "1", "--rings", "1,100%", "--between", "ask"];
        launch(&home, &script, &more)
    };
    let first = home.ended_job(run("disk"));
    let stopped = |job: &Value| (job["state"].clone(), job["progress"]["stopped"].clone());
    assert_eq!(stopped(&first), ("stopped".into(), "new_signature".into()), "{first}");
    assert_eq!((count(&first, "failed"), count(&first, "cancelled")), (1, 5), "{first}");
    let again = run("disk");
    eventually("it asks", || home.job(again)["progress"]["asks"].is_object());
    jobs(&home, "stop", again, &[]);
    assert_eq!(stopped(&home.ended_job(again)), ("cancelled".into(), Value::Null), "it is known by now");
    let other = home.ended_job(run("door"));
    assert_eq!(stopped(&other), ("stopped".into(), "new_signature".into()), "{other}");
}

#[test]
fn who_approves_pauses_and_stops_at_once_leave_one_state() {
    let (home, _fleet) = lab(6);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi\n");
    let id =
        launch(&home, &script, &["--rings", "1,3,100%", "--between", "ask", "--max-fail", "2", "--deadline", "1h"]);
    eventually("it asks", || home.job(id)["progress"]["asks"]["ring"] == 2);
    let id_text = id.to_string();
    let verbs: [&[&str]; 6] = [
        &["approve", &id_text, "--ring", "2"],
        &["pause", &id_text],
        &["approve", &id_text, "--ring", "2"],
        &["resume", &id_text],
        &["stop", &id_text, "--unstarted"],
        &["pause", &id_text],
    ];
    let mut going: Vec<_> =
        verbs.iter().map(|verb| home.verb(["jobs"].iter().chain(*verb).copied().chain(["--json"])).spawn()).collect();
    for one in &mut going {
        let code = one.end().code();
        assert!(matches!(code, Some(0 | 4)), "done, or refused since it has ended: {code:?} {}", one.stderr());
    }
    let job = home.ended_job(id);
    assert_eq!(job["state"], "cancelled", "the stop is what stays: {job}");
    assert!(matches!(count(&job, "ok"), 1..=3), "ring 2 went, or did not, and no other: {job}");
    assert_eq!(count(&job, "ok") + count(&job, "cancelled"), 6, "{job}");
    let text = home.verb(["audit"]).run().ok().text();
    for part in ["rings 1,3,100%, between them ask", "budget 2 (stops at 2 bad)", "deadline 3600 s"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    home.verb(["audit", "--verify"]).run().ok();
}
