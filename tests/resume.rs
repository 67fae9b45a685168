//! A roll-out goes on after its engine was killed: on real hosts, each of which writes down that a script ran on it.

mod support;

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;
use support::verb::of_kind;
use support::{Console, Fleet, Home, eventually};

fn lab(count: usize) -> (Home, Fleet) {
    let home = Home::empty();
    let fleet = Fleet::start(&home, count);
    fleet.configure(&home);
    (home, fleet)
}

/// A script that writes its device's name into a file, and then waits for another of ours.
struct Roll {
    script: String,
    ran: PathBuf,
    gate: PathBuf,
}

impl Roll {
    fn new(home: &Home) -> Self {
        let (ran, gate) = (home.work().join("ran"), home.work().join("gate"));
        let text = format!(
            "#!/bin/sh\n# @arg word\necho $QUARTERDECK_DEVICE $1 >>{}\nwhile [ ! -e {} ]; do sleep 0.02; done\necho done\n",
            ran.display(),
            gate.display()
        );
        Self { script: home.file("roll.sh", text), ran, gate }
    }

    fn open(&self) {
        std::fs::write(&self.gate, "").expect("the gate opens");
    }

    /// The devices that the script ran on, as often as it did.
    fn ran(&self) -> Vec<String> {
        let mut ran: Vec<String> =
            std::fs::read_to_string(&self.ran).unwrap_or_default().lines().map(str::to_owned).collect();
        ran.sort();
        ran
    }
}

fn jobs(home: &Home, verb: &str, id: u64, more: &[&str]) -> Value {
    let id = id.to_string();
    let head = ["jobs", verb, &id, "--json"];
    home.verb(head.iter().chain(more).copied()).run().ok().json()
}

fn count(job: &Value, state: &str) -> u64 {
    job["counts"][state].as_u64().unwrap_or(0)
}

#[test]
fn a_held_roll_out_whose_engine_is_killed_goes_on_and_runs_once_on_every_device() {
    let (home, _fleet) = lab(9);
    let roll = Roll::new(&home);
    let id = home
        .verb(["run", &roll.script, "--target", "lab", "--confirm", "9", "--param", "word=it's me", "--at-once", "3"])
        .args(["--rings", "1,6,100%", "--between", "ask", "--seed", "s", "--max-fail", "3"])
        .run()
        .ok()
        .job_id();
    eventually("the canary runs", || roll.ran().len() == 1);
    roll.open();
    eventually("ring 2 is asked for", || home.job(id)["progress"]["asks"]["ring"] == 2);
    std::fs::remove_file(&roll.gate).unwrap();
    jobs(&home, "approve", id, &["--ring", "2"]);
    eventually("three of ring 2 run", || roll.ran().len() == 4 && count(&home.job(id), "running") == 3);
    home.end_engine(Signal::KILL);

    // looking is not letting go
    let job = home.job(id);
    assert_eq!((job["state"].as_str(), count(&job, "queued")), (Some("running"), 5), "{job}");
    let paused = &job["progress"]["paused"];
    assert_eq!(paused["why"], "the engine ended; 3 runs were in flight, outcome unknown", "{job}");
    assert_eq!(job["progress"]["ring"], 2, "{job}");
    assert_eq!(job["progress"]["bad"], 0, "what nobody knows is no failure: {job}");
    let lost: Vec<&Value> = job["runs"].as_array().unwrap().iter().filter(|run| run["state"] == "failed").collect();
    assert_eq!(lost.len(), 3, "{job}");
    assert!(lost.iter().all(|run| run["reason"].as_str().unwrap().starts_with("interrupted: ")), "{job}");
    let shown = home.verb(["jobs", "show", &id.to_string()]).run().ok().text();
    assert!(shown.contains("paused") && shown.contains("jobs resume"), "{shown}");

    roll.open();
    assert_eq!(jobs(&home, "resume", id, &[])["changed"], true);
    eventually("ring 3 is asked for", || home.job(id)["progress"]["asks"]["ring"] == 3);
    assert_eq!(roll.ran().len(), 6, "ring 2 and no more");
    jobs(&home, "approve", id, &["--ring", "3"]);
    let job = home.ended_job(id);
    assert_eq!((job["state"].as_str(), count(&job, "ok"), count(&job, "failed")), (Some("done"), 6, 3), "{job}");
    let expected: Vec<String> = (1..=9).map(|n| format!("web{n:03} it's me")).collect();
    assert_eq!(roll.ran(), expected, "each device ran exactly once, with what it was launched with");

    // what may have done half its work is sent again only by its own name
    let id = id.to_string();
    let none = home.verb(["rerun", &id, "--failed"]).run();
    assert!(none.errors().contains("@failed:1` is excluded") && none.errors().contains("rerun 1 --unknown"), "{none}");
    let found = home.verb(["search", "--state", "unknown", "--json"]).run().ok().events();
    assert_eq!(of_kind(&found, "hit").len(), 3, "{found:?}");
    let set = home.verb(["targets", "resolve", "@unknown:1", "--json"]).run().ok().json();
    assert_eq!(set["devices"].as_array().map(Vec::len), Some(3), "{set}");
    let others = home.verb(["targets", "resolve", "@failed:1 | @ok:1", "--json"]).run().ok();
    assert_eq!(others.json()["exclusions"][0]["count"], 3, "{others}");
    assert!(others.errors().contains("left out: 3 whose outcome in job 1 is unknown"), "{others}");
    let again = home.verb(["rerun", &id, "--unknown", "--confirm", "3", "--wait"]).run().ok();
    assert_eq!((again.errors().contains("left out"), roll.ran().len()), (false, 12), "{again}");
    let acts = home.verb(["audit"]).run().ok().text();
    assert!(acts.contains("the engine ended; 3 runs were in flight"), "{acts}");
    home.verb(["audit", "--verify"]).run().ok();
}

#[test]
fn a_job_can_be_killed_again_and_again_and_an_engine_that_is_ended_in_order_leaves_it_too() {
    let (home, _fleet) = lab(6);
    let roll = Roll::new(&home);
    let id = home
        .verb(["run", &roll.script, "--target", "lab", "--confirm", "6", "--param", "word=x", "--at-once", "1"])
        .run()
        .ok()
        .job_id();
    for (round, signal) in (1..).zip([Signal::KILL, Signal::TERM, Signal::KILL]) {
        eventually("one runs", || roll.ran().len() == round && count(&home.job(id), "running") == 1);
        home.end_engine(signal);
        let job = home.job(id);
        assert_eq!((job["state"].as_str(), count(&job, "queued")), (Some("running"), 6 - round as u64), "{job}");
        // a second start finds what the first one left
        home.end_engine(Signal::KILL);
        assert!(home.job(id)["progress"]["paused"]["why"].is_string());
        assert_eq!(jobs(&home, "resume", id, &[])["changed"], true);
    }
    eventually("the fourth runs", || roll.ran().len() == 4);
    roll.open();
    let job = home.ended_job(id);
    assert_eq!((count(&job, "ok"), count(&job, "failed"), count(&job, "cancelled")), (3, 2, 1), "{job}");
    assert_eq!(roll.ran().len(), 6, "{:?}", roll.ran());
}

#[test]
fn a_job_does_not_go_on_into_a_change_freeze_unless_it_is_said() {
    let (home, _fleet) = lab(3);
    let roll = Roll::new(&home);
    let id = home
        .verb(["run", &roll.script, "--target", "lab", "--confirm", "3", "--param", "word=x", "--at-once", "1"])
        .run()
        .ok()
        .job_id();
    eventually("one runs", || roll.ran().len() == 1 && count(&home.job(id), "running") == 1);
    home.end_engine(Signal::KILL);
    let config = home.path().join("config/quarterdeck/config.toml");
    let known = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, format!("{known}\n[[freeze]]\non = \"all\"\nreason = \"year end\"\n")).expect("written");
    let refused = jobs(&home, "resume", id, &[]);
    assert_eq!(refused["changed"], false, "{refused}");
    let says = refused["says"].as_str().unwrap_or_default();
    assert!(says.contains("of the 2 left to send to, 2 in a change freeze") && says.contains("--anyway"), "{says}");
    assert!(home.job(id)["progress"]["paused"].is_object());
    assert_eq!(roll.ran().len(), 1, "nothing was sent");
    roll.open();
    assert_eq!(jobs(&home, "resume", id, &["--anyway"])["changed"], true);
    assert_eq!(count(&home.ended_job(id), "ok"), 2);
}

#[test]
fn the_console_shows_why_a_job_waits_and_lets_it_go_on() {
    let (home, _fleet) = lab(3);
    let roll = Roll::new(&home);
    let id = home
        .verb(["run", &roll.script, "--target", "lab", "--confirm", "3", "--param", "word=x", "--at-once", "1"])
        .run()
        .ok()
        .job_id();
    eventually("one runs", || roll.ran().len() == 1 && count(&home.job(id), "running") == 1);
    home.end_engine(Signal::KILL);
    roll.open();
    let mut console = Console::setup(&home).size(140, 40).start();
    console.sees("waits for you");
    console.keys("3<enter>");
    console.sees("PAUSED");
    console.sees("the engine ended; 1 run was in flight");
    console.keys("p");
    console.sees("2 devices have not been sent to");
    console.keys("<tab><enter>");
    console.sees("1 FAILED");
    assert_eq!(count(&home.ended_job(id), "ok"), 2);
    assert_eq!(roll.ran().len(), 3);
    console.quit().is_restored();
}
