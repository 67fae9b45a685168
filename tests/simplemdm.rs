//! SimpleMDM accounts, as an operator meets them through the verbs, against a stand-in that keeps the contract with its
//! quirks and fails when it is told to.

mod support;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::mdm::{Behaves, Fault, KEY, Mdm, SECRET, Script};
use support::pty::any_file_holds;
use support::tls::Proxy;
use support::{Console, Home, eventually};

fn home_of(mdm: &Mdm, more: &str) -> Home {
    let home = Home::empty();
    home.config(&mdm.connection(&home, "macs", more));
    home
}

/// The devices of the account by id.
fn devices(home: &Home) -> Vec<Value> {
    let told = home.qd(["targets", "ls", "--json"]).ok().json();
    let all = told["devices"].as_array().expect("devices").clone();
    all.into_iter().filter(|device| device["connection"] == "macs").collect()
}

fn warnings(home: &Home) -> String {
    home.qd(["targets", "ls", "--json"]).ok().json()["connections"].to_string()
}

#[test]
fn an_accounts_devices_and_groups_stand_among_the_targets() {
    let mdm = Mdm::start();
    {
        let mut world = mdm.world();
        let macs = world.macs(3);
        let phone = world.device("Ann's iPhone", "iPhone 15");
        world.group("Build farm", &[macs[0], phone]);
        world.legacy("Lab", &[macs[1]]);
        world.dynamic("On 15.2", &[macs[2]]);
        world.devices.get_mut(&macs[0]).unwrap().custom.insert("site".into(), "eu".into());
    }
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 4);
    let all = devices(&home);
    let phone = all.iter().find(|device| device["name"] == "Ann's iPhone").expect("it is shown");
    assert!(phone["cannot"].as_str().expect("why").contains("Macs alone"), "{phone}");
    let mac = all.iter().find(|device| device["name"] == "mac-00001").expect("it is shown");
    assert_eq!((mac["facts"]["os"].as_str(), mac["facts"]["attr.site"].as_str()), (Some("macOS"), Some("eu")));
    for (expr, count) in [("\"Build farm\"", 2), ("Lab", 1), ("\"On 15.2\"", 1), ("os:macOS", 3), ("attr.site:eu", 1)] {
        let told = home.qd(["targets", "resolve", expr, "--json"]).ok().json();
        assert_eq!(told["count"], count, "{expr}: {told}");
    }
    let told = home.qd(["doctor", "macs:mac-00001", "--json"]).ok().json();
    assert!(told["steps"].as_array().expect("steps").iter().all(|step| step["fine"] == true), "{told}");
    // a connection by its name, and a device by a name that an expression would need quotes for
    let told = home.qd(["doctor", "macs", "--json"]).ok().json();
    let says = |told: &Value, label: &str| {
        let step = told["steps"].as_array().expect("steps").iter().find(|step| step["label"] == label);
        step.map(|step| step["text"].as_str().expect("text").to_owned()).unwrap_or_else(|| panic!("no {label}: {told}"))
    };
    assert_eq!(says(&told, "API key"), "accepted");
    assert!(says(&told, "inventory").starts_with("4 devices, 3 of them run scripts, 3 groups"), "{told}");
    for name in ["Ann's iPhone", "macs:Ann's iPhone"] {
        let told = home.qd(["doctor", name, "--json"]).exits(1).json();
        assert!(says(&told, "scripts").contains("Macs alone"), "{told}");
    }
    let listed = home.qd(["targets", "ls"]).ok().text();
    let phone = listed.lines().find(|line| line.starts_with("macs:Ann's iPhone")).expect("it is listed");
    assert!(phone.contains(" cannot ") && phone.contains("Macs alone"), "{phone}");
}

#[test]
fn no_secret_of_a_device_and_no_key_is_kept() {
    let mdm = Mdm::start();
    mdm.world().macs(3);
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 3);
    eventually("they are kept for the next start", || any_file_holds(&home.state(), b"mac-00003"));
    for secret in [SECRET, KEY] {
        assert!(!any_file_holds(&home.state(), secret.as_bytes()), "{secret} is kept");
    }
}

#[test]
fn a_key_that_is_not_right_is_said_and_repeated_to_nobody() {
    let mdm = Mdm::start();
    mdm.world().macs(1);
    mdm.world().key = "another".to_owned();
    let home = home_of(&mdm, "");
    eventually("it is said", || warnings(&home).contains("the API key is not accepted (401)"));
    assert!(!warnings(&home).contains(KEY));
    assert!(!any_file_holds(&home.state(), KEY.as_bytes()));
}

#[test]
fn a_large_account_costs_the_fewest_requests_and_survives_what_happens_on_the_way() {
    let mdm = Mdm::start();
    mdm.world().macs(1_000);
    mdm.fault("GET /api/v1/devices", Fault::Status(500));
    mdm.fault("GET /api/v1/devices", Fault::Half);
    mdm.fault("GET /api/v1/devices", Fault::TooMany(0));
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 1_000);
    assert_eq!((mdm.count("GET /api/v1/devices"), mdm.faults_left()), (10 + 3, 0));
}

const SCRIPT: &str = "#!/bin/sh\necho hello\n";

/// A home with the script, whose account has Macs of these names.
fn fleet(mdm: &Mdm, names: &[&str]) -> (Home, Vec<u64>) {
    let ids = names.iter().map(|name| mdm.world().mac(name)).collect();
    (begun(mdm), ids)
}

/// A home with the script, whose engine knows the account.
fn begun(mdm: &Mdm) -> Home {
    let home = home_of(mdm, "");
    home.script("hello.sh", SCRIPT);
    let count = mdm.world().devices.len();
    eventually("the devices have come", || devices(&home).len() == count);
    home
}

fn launch(home: &Home, script: &str, target: &str, count: usize, more: &[&str]) -> u64 {
    let count = count.to_string();
    let mut arguments = vec!["run", script, "--target", target, "--confirm", &count];
    arguments.extend(more);
    home.verb(arguments).run().ok().job_id()
}

/// The states of a job's runs by device, with exit codes.
fn ends(home: &Home, job: u64) -> Vec<(String, String, Value)> {
    let job = home.job(job);
    let run = |run: &Value| {
        let text = |key: &str| run[key].as_str().unwrap_or_default().to_owned();
        (text("name"), text("state"), run["exit_code"].clone())
    };
    job["runs"].as_array().expect("runs").iter().map(run).collect()
}

fn over(home: &Home, job: u64) -> Value {
    eventually("the job has ended", || home.job(job)["finished_at"].is_string());
    home.job(job)
}

fn output(home: &Home, job: u64, device: &str) -> String {
    home.qd(["output", &job.to_string(), "--device", device]).ok().text()
}

#[test]
fn a_local_script_runs_on_the_macs_of_a_group_as_one_script_job() {
    let mdm = Mdm::start();
    let ids: Vec<u64> = ["a", "b", "c"].into_iter().map(|name| mdm.world().mac(name)).collect();
    let phone = mdm.world().device("phone", "iPhone 15");
    mdm.world().group("Lab", &[ids[0], ids[1], phone]);
    mdm.world().behaves(ids[1], Behaves::says(3, "no\nsuch\n"));
    let home = begun(&mdm);
    let plan = home.qd(["run", "hello.sh", "--target", "Lab", "--dry-run", "--json"]).ok().json();
    assert!(plan.to_string().contains("Macs alone"), "{plan}");
    let job = launch(&home, "hello.sh", "Lab", 2, &[]);
    over(&home, job);
    assert_eq!(ends(&home, job), [("a".into(), "ok".into(), 0.into()), ("b".into(), "failed".into(), 3.into())]);
    assert_eq!(output(&home, job, "b"), "no\nsuch\n");
    assert_eq!(mdm.count("POST /api/v1/script_jobs"), 1, "one for both");
    let world = mdm.world();
    let there = world.jobs.values().next().expect("a script job");
    assert_eq!((there.script_name.as_str(), there.content.as_str()), ("Quarterdeck: hello.sh", SCRIPT));
    assert_eq!(there.rows.keys().copied().collect::<Vec<_>>(), &ids[..2]);
}

#[test]
fn the_copy_of_a_script_is_brought_up_to_date_and_never_doubled() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a"]);
    for text in [SCRIPT, SCRIPT, "#!/bin/sh\necho other\r\n"] {
        home.script("hello.sh", text);
        let job = launch(&home, "hello.sh", "macs:a", 1, &[]);
        over(&home, job);
    }
    let world = mdm.world();
    let there: Vec<&str> = world.scripts.values().map(|script| script.content.as_str()).collect();
    assert_eq!(there, ["#!/bin/sh\necho other\r\n"]);
    assert_eq!((mdm.count("POST /api/v1/scripts"), mdm.count("PATCH")), (1, 1));
}

#[test]
fn a_launch_whose_answer_is_lost_is_not_sent_twice() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a", "b"]);
    mdm.fault("POST /api/v1/script_jobs", Fault::Lost);
    let job = launch(&home, "hello.sh", "macs", 2, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 2);
    assert_eq!((mdm.world().jobs.len(), mdm.count("POST /api/v1/script_jobs")), (1, 1));
    // one that was not taken is sent again
    mdm.fault("POST /api/v1/script_jobs", Fault::Status(500));
    let job = launch(&home, "hello.sh", "macs", 2, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 2);
    assert_eq!((mdm.world().jobs.len(), mdm.count("POST /api/v1/script_jobs")), (2, 3));
}

#[test]
fn no_result_is_lost_or_told_twice_whatever_the_answers_meet() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b"]);
    let large = "x".repeat(99).to_owned() + "\n";
    mdm.world().behaves(ids[1], Behaves::Slow { asks: 3, code: 0, output: large.repeat(20_000) });
    for fault in [Fault::Status(500), Fault::Half, Fault::TooMany(0), Fault::Html, Fault::Lost] {
        mdm.fault("GET /api/v1/script_jobs", fault);
    }
    let job = launch(&home, "hello.sh", "macs", 2, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 2);
    assert_eq!((output(&home, job, "a").as_str(), output(&home, job, "b").len()), ("ok\n", 2_000_000));
    assert_eq!(mdm.faults_left(), 0);
}

#[test]
fn a_job_that_waits_is_taken_back_and_a_part_of_one_is_not() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b", "c"]);
    mdm.world().behaves(ids[0], Behaves::Silent);
    mdm.world().behaves(ids[1], Behaves::Silent);
    let job = launch(&home, "hello.sh", "macs", 3, &[]);
    eventually("the third has ended", || home.job(job)["counts"]["ok"] == 1);
    assert_eq!(home.job(job)["counts"]["sent"], 2, "nobody says that they run");
    // what SimpleMDM has not handed out has not started
    let stopped = home.qd(["jobs", "stop", &job.to_string(), "--unstarted", "--json"]).ok().json();
    assert_eq!((&stopped["withdrawn"], &stopped["asked_back"]), (&0.into(), &2.into()), "{stopped}");
    assert_eq!((&stopped["ending"], &stopped["going"]), (&0.into(), &0.into()), "{stopped}");
    over(&home, job);
    assert_eq!(
        ends(&home, job),
        [
            ("a".into(), "cancelled".into(), Value::Null),
            ("b".into(), "cancelled".into(), Value::Null),
            ("c".into(), "ok".into(), 0.into())
        ]
    );
    assert_eq!(mdm.world().jobs.values().next().expect("a script job").status, "cancelled");
    assert_eq!(mdm.count("DELETE /api/v1/script_jobs"), 1);
}

#[test]
fn a_script_job_that_the_account_knows_no_longer_tells_nothing_of_its_device() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a"]);
    mdm.world().behaves(ids[0], Behaves::Silent);
    let job = launch(&home, "hello.sh", "macs", 1, &[]);
    eventually("it waits there", || !mdm.world().jobs.is_empty());
    let before = devices(&home);
    mdm.world().jobs.clear();
    let ended = over(&home, job);
    assert!(ended["runs"][0]["reason"].as_str().is_some_and(|why| why.contains("outcome unknown")), "{ended}");
    assert_eq!(devices(&home), before, "nobody spoke to it");
}

#[test]
fn rings_are_script_jobs_of_their_own() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a", "b", "c", "d"]);
    let job = launch(&home, "hello.sh", "macs", 4, &["--rings", "1,100%"]);
    assert_eq!(over(&home, job)["counts"]["ok"], 4);
    let world = mdm.world();
    let sizes: Vec<usize> = world.jobs.values().map(|job| job.rows.len()).collect();
    assert_eq!(sizes, [1, 3]);
}

#[test]
fn what_the_system_cannot_do_is_refused_before_anything_is_sent() {
    let mdm = Mdm::start();
    mdm.world().device("phone", "iPhone 15");
    let (home, _) = fleet(&mdm, &["a"]);
    home.script("greet.py", "#!/usr/bin/env python3\n# @describe Greets\n# @option --name=all Whom\nprint()\n");
    home.script("secret.sh", "#!/bin/sh\n# @describe Asks\n# @option --token <SECRET> It\nread -r token\n");
    home.script("bare.sh", "echo no shebang\n");
    for (arguments, why) in [
        (&["run", "greet.py", "--target", "macs:a"][..], "into a script of python3"),
        (&["run", "secret.sh", "--target", "macs:a"], "no secrets"),
        (&["run", "secret.sh", "--target", "macs:a | macs:phone"], "excluded: 1 "),
        (&["run", "bare.sh", "--target", "macs:a"], "without a shebang"),
        (&["run", "hello.sh", "--target", "macs:phone"], "Macs alone"),
    ] {
        let ran = home.verb(arguments.iter().copied()).run();
        assert_ne!(ran.code(), 0, "{ran}");
        assert!(ran.errors().contains(why), "{why}: {ran}");
    }
    assert_eq!(mdm.count("POST"), 0);
}

#[test]
fn arguments_stand_in_the_copy_which_is_brought_up_to_date_for_each_launch() {
    let mdm = Mdm::start();
    let own = "#!/bin/bash\r\n# @option --above=90 What\r\necho \"$@\"\r\n";
    mdm.world().script("Rotate cache", own);
    let (home, _) = fleet(&mdm, &["a"]);
    home.script("greet.sh", "#!/bin/sh\n# @describe Greets\n# @option --as=Ada <NAME> Whom\necho \"$@\"\n");
    let ran = |script: &str, more: &[&str]| {
        let job = launch(&home, script, "macs:a", 1, more);
        assert_eq!(over(&home, job)["counts"]["ok"], 1);
        mdm.world().jobs.values().next_back().expect("its script job").content.clone()
    };
    // a default is passed as to any other device
    let head = "#!/bin/sh\n# @describe Greets\n# @option --as=Ada <NAME> Whom\n";
    assert_eq!(ran("greet.sh", &[]), format!("{head}set -- --as Ada; echo \"$@\"\n"));
    assert_eq!(ran("greet.sh", &["--param", "as=Bo's"]), format!("{head}set -- --as 'Bo'\\''s'; echo \"$@\"\n"));
    let copies = |name: &str| mdm.world().scripts.values().filter(|script| script.name == name).count();
    assert_eq!(copies("Quarterdeck: greet.sh"), 1, "one for each script, whatever it is given");
    // one of the account's own stays as it lies there, and is run as a copy
    assert!(ran("macs:Rotate cache", &["--param", "above=5"]).contains("\nset -- --above 5; echo"));
    assert_eq!((copies("Rotate cache"), copies("Quarterdeck: macs:Rotate cache")), (1, 1));
    assert!(mdm.world().scripts.values().any(|script| script.content == own));
}

#[test]
fn what_a_launch_on_an_account_means_is_said_in_its_plan() {
    let mdm = Mdm::start();
    mdm.world().script("Rotate cache", "#!/bin/sh\necho own\n");
    let (home, _) = fleet(&mdm, &["a"]);
    home.script("greet.sh", "#!/bin/sh\n# @describe Greets\n# @option --as <NAME> Whom\necho \"$@\"\n");
    let planned = |arguments: &[&str]| {
        let all = ["run"].iter().chain(arguments).chain(&["--dry-run", "--json"]).copied();
        home.verb(all).run().ok().json()["plan"].clone()
    };
    let remarks = |plan: &Value| plan["remarks"].to_string();
    let plain = planned(&["greet.sh", "--target", "macs:a"]);
    assert_eq!((&plain["remarks"], &plain["timeout_ms"], &plain["at_once"]), (&Value::Null, &Value::Null, &0.into()));
    let given = planned(&["greet.sh", "--target", "macs:a", "--param", "as=Bo"]);
    assert!(remarks(&given).contains("written into macs, in the script `Quarterdeck: greet.sh`"), "{given}");
    for target in ["macs:a", "macs:a | local"] {
        let limited = planned(&["greet.sh", "--target", target, "--timeout", "5m"]);
        assert!(remarks(&limited).contains("macs keeps a script until its device fetches it"), "{limited}");
        assert_eq!(limited["timeout_ms"].is_null(), target == "macs:a", "{limited}");
    }
    let astray = planned(&["macs:Rotate cache", "--target", "macs:a | local"]);
    assert!(remarks(&astray).contains("written for the devices of macs, and these are none: local:local"), "{astray}");
    assert_eq!(planned(&["macs:Rotate cache", "--target", "macs:a"])["remarks"], Value::Null);
    let said = home.qd(["run", "greet.sh", "--target", "macs:a", "--param", "as=Bo", "--dry-run"]).ok();
    assert!(said.errors().contains("are written into macs") && !said.text().contains("timeout"), "{said}");
}

#[test]
fn doctor_asks_the_account_and_says_what_its_key_may_not() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a"]);
    let asked = |arguments: &[&str]| home.verb(arguments.iter().copied().chain(["--json"])).run();
    let has = |told: &Value, fine: bool, text: &str| {
        let fits =
            |step: &&Value| step["fine"] == fine && step["text"].as_str().is_some_and(|said| said.contains(text));
        assert!(told["steps"].as_array().expect("steps").iter().find(fits).is_some(), "{text}: {told}");
    };
    has(&asked(&["doctor"]).ok().json(), true, "macs answers");
    mdm.fault("GET /api/v1/custom_attributes", Fault::Status(403));
    has(&asked(&["doctor", "macs"]).exits(1).json(), false, "neither completed nor checked");
    mdm.world().key = "another".to_owned();
    has(&asked(&["doctor"]).exits(1).json(), false, "macs: API key: the API key is not accepted (401)");
    eventually("whoever looks sees it", || warnings(&home).contains("does not answer (the API key is not accepted"));
    mdm.world().key = KEY.to_owned();
    has(&asked(&["doctor"]).ok().json(), true, "macs answers");
    eventually("and that it is well again", || !warnings(&home).contains("does not answer"));
}

#[test]
fn of_a_mac_it_is_told_how_long_it_took_and_that_the_job_before_still_waits() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b"]);
    mdm.world().behaves(ids[1], Behaves::Silent);
    let first = launch(&home, "hello.sh", "macs", 2, &[]);
    eventually("the first has ended", || home.job(first)["counts"]["ok"] == 1);
    let shown = home.verb(["jobs", "show", &first.to_string(), "--fields", "device,took"]).run().ok().text();
    let row =
        |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {shown}"));
    assert!(row("a ").ends_with('s') && !row("b ").trim_end().ends_with('s'), "{shown}");
    let second = launch(&home, "hello.sh", "macs:a", 1, &[]);
    over(&home, second);
    let groups = home.qd(["groups", &second.to_string()]).ok().text();
    assert!(groups.contains("the job before has not ended"), "{groups}");
}

#[test]
fn a_custom_attribute_that_the_account_lacks_is_said_in_the_plan() {
    let mdm = Mdm::start();
    mdm.world().attributes.insert("cache_state".into(), String::new());
    let (home, _) = fleet(&mdm, &["a"]);
    let planned = |name: &str| {
        let option = format!("custom_attribute={name}");
        home.verb(["plan", "hello.sh", "--target", "macs:a", "--option", &option]).run()
    };
    let refused = planned("cache_stat");
    assert_ne!(refused.code(), 0, "{refused}");
    assert!(refused.errors().contains("did you mean 'cache_state'"), "{refused}");
    // one that was made there meanwhile is found
    mdm.world().attributes.insert("cache_stat".into(), String::new());
    eventually("it is asked for again", || planned("cache_stat").code() == 0);
    assert_eq!(mdm.count("POST"), 0);
}

#[test]
fn watching_costs_what_changes_and_nothing_when_nothing_waits() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a"]);
    let old = Script { name: "old".into(), content: SCRIPT.into(), ..script() };
    for _ in 0..250 {
        mdm.world().job(&old, &[]);
    }
    let job = launch(&home, "hello.sh", "macs", 1, &[]);
    over(&home, job);
    let asked = mdm.count("GET /api/v1/script_jobs");
    home.qd(["targets", "ls"]).ok();
    assert_eq!(mdm.count("GET /api/v1/script_jobs"), asked, "what has ended is asked for no more");
    assert!(mdm.asked().iter().all(|line| !line.contains("direction=asc")));
}

fn script() -> Script {
    let at = "2026-01-02T03:04:05.678-08:00".to_owned();
    Script {
        name: String::new(),
        content: String::new(),
        variable_support: false,
        created_at: at.clone(),
        updated_at: at,
    }
}

#[test]
fn a_run_beside_others_that_wait_is_no_longer_watched_and_says_so() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b"]);
    ids.iter().for_each(|id| mdm.world().behaves(*id, Behaves::Silent));
    let job = launch(&home, "hello.sh", "macs", 2, &[]);
    eventually("it is sent", || mdm.world().jobs.len() == 1);
    home.qd(["jobs", "cancel", &job.to_string(), "--device", "a"]).ok();
    let reason = || home.job(job)["runs"][0]["reason"].as_str().unwrap_or_default().to_owned();
    eventually("it says so", || reason().contains("SimpleMDM takes script job"));
    assert_eq!((home.job(job)["counts"]["sent"].clone(), mdm.count("DELETE")), (1.into(), 0));
    home.qd(["jobs", "cancel", &job.to_string()]).ok();
    over(&home, job);
    assert_eq!(mdm.world().jobs.values().next().expect("a script job").status, "cancelled");
}

// -- after an engine's end ---------------------------------------------------------------------------------

/// Nothing is sent a second time, and nothing comes in as somebody else's job.
fn only_once(home: &Home, mdm: &Mdm, posts: usize) {
    assert_eq!(mdm.count("POST /api/v1/script_jobs"), posts);
    home.qd(["jobs", "import", "macs"]).ok();
    let jobs = home.qd(["jobs", "ls", "--json"]).ok().json();
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
}

#[test]
fn a_killed_engines_script_jobs_are_heard_to_their_ends_by_the_next_one() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b", "c", "d"]);
    ids[1..].iter().for_each(|id| mdm.world().behaves(*id, Behaves::Silent));
    let id = launch(&home, "hello.sh", "macs", 4, &[]);
    eventually("the first has ended", || home.job(id)["counts"]["ok"] == 1);
    for (signal, device, code) in [(Signal::KILL, 1, 3), (Signal::TERM, 2, 0)] {
        home.end_engine(signal);
        // looking starts an engine, and nothing is lost by it
        let job = home.job(id);
        assert_eq!((&job["state"], &job["progress"]["paused"]), (&"running".into(), &Value::Null), "{job}");
        assert_eq!(job["counts"]["sent"], 4 - device as u64, "{job}");
        mdm.world().report(ids[device], code, &format!("late {code}\n"));
        eventually("it is heard of", || home.job(id)["counts"]["sent"] == 3 - device as u64);
    }
    home.end_engine(Signal::KILL);
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    over(&home, id);
    let expected =
        [("a", "ok", 0.into()), ("b", "failed", 3.into()), ("c", "ok", 0.into()), ("d", "cancelled", Value::Null)];
    assert_eq!(ends(&home, id), expected.map(|(name, state, code)| (name.to_owned(), state.to_owned(), code)));
    for (device, said) in [("a", "ok\n"), ("b", "late 3\n"), ("c", "late 0\n")] {
        let told = home.qd(["output", &id.to_string(), "--raw", "--device", device]).ok().text();
        assert_eq!(told, said, "{device}");
    }
    assert_eq!(mdm.world().jobs.values().next().expect("a script job").status, "cancelled");
    only_once(&home, &mdm, 1);
}

#[test]
fn a_launch_whose_engine_was_killed_before_its_answer_came_is_found_again() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b"]);
    ids.iter().for_each(|id| mdm.world().behaves(*id, Behaves::Silent));
    mdm.fault("POST /api/v1/script_jobs", Fault::Late(Duration::from_secs(3600)));
    let id = launch(&home, "hello.sh", "macs", 2, &[]);
    eventually("it has come", || mdm.world().jobs.len() == 1);
    home.end_engine(Signal::KILL);
    ids.iter().for_each(|id| mdm.world().report(*id, 0, "fine\n"));
    assert_eq!(over(&home, id)["counts"]["ok"], 2);
    assert_eq!(home.qd(["output", &id.to_string(), "--raw", "--device", "b"]).ok().text(), "fine\n");
    only_once(&home, &mdm, 1);
}

#[test]
fn a_launch_that_never_came_to_the_system_is_said_not_to_have_been_sent() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a"]);
    mdm.fault("POST /api/v1/script_jobs", Fault::Held);
    let id = launch(&home, "hello.sh", "macs", 1, &[]);
    eventually("it is on its way", || mdm.count("POST /api/v1/script_jobs") == 1);
    home.end_engine(Signal::KILL);
    let job = over(&home, id);
    let reason = job["runs"][0]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.starts_with("interrupted: ") && reason.ends_with("nothing was sent"), "{job}");
    only_once(&home, &mdm, 1);
}

#[test]
fn a_held_roll_out_hears_of_what_it_sent_and_goes_on_when_it_is_told_to() {
    let mdm = Mdm::start();
    let (home, ids) = fleet(&mdm, &["a", "b", "c"]);
    ids.iter().for_each(|id| mdm.world().behaves(*id, Behaves::Silent));
    let id = launch(&home, "hello.sh", "macs", 3, &["--rings", "1,100%"]);
    eventually("the first ring is sent", || mdm.world().jobs.len() == 1);
    home.end_engine(Signal::KILL);
    let why = home.job(id)["progress"]["paused"]["why"].clone();
    assert_eq!(why, "the engine ended; 1 run goes on at its system");
    ids.iter().for_each(|id| mdm.world().behaves(*id, Behaves::says(0, "ok\n")));
    eventually("it is heard of, and the job is held", || {
        let job = home.job(id);
        job["counts"]["ok"] == 1 && job["counts"]["queued"] == 2 && job["progress"]["paused"].is_object()
    });
    home.qd(["jobs", "resume", &id.to_string()]).ok();
    assert_eq!(over(&home, id)["counts"]["ok"], 3);
    let world = mdm.world();
    assert_eq!(world.jobs.values().map(|job| job.rows.len()).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn over_tls_the_account_is_who_its_certificate_says_or_gets_nothing() {
    let mdm = Mdm::start();
    mdm.world().macs(2);
    let proxy = Proxy::before(mdm.port, &["localhost"]);
    let url = format!("https://localhost:{}", proxy.port);
    let home = Home::empty();
    let authority = home.file("ca.pem", proxy.pem.as_bytes());
    let trusting = format!("rate = 1000\nca_file = {authority:?}");
    home.config(&mdm.connection_at(&home, "macs", &url, &trusting));
    home.script("hello.sh", SCRIPT);
    eventually("the devices have come", || devices(&home).len() == 2);
    let job = launch(&home, "hello.sh", "macs", 2, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 2);
    let asked = mdm.asked().len();
    let strangers = [
        ("rate = 1000", url.clone(), "write the file of who did as `ca_file`"),
        (&trusting, format!("https://127.0.0.1:{}", proxy.port), "is for another name"),
        (&trusting, format!("https://localhost:{}", mdm.port), "does not speak TLS"),
        ("ca_file = \"/nowhere/ca.pem\"", url, "/nowhere/ca.pem: "),
    ];
    let strangers = strangers.map(|(more, url, why)| {
        let stranger = Home::empty();
        stranger.config(&mdm.connection_at(&stranger, "macs", &url, more));
        warnings(&stranger); // (all of them begin to ask)
        (stranger, why)
    });
    for (stranger, why) in strangers {
        eventually(why, || warnings(&stranger).contains(why));
    }
    assert_eq!(mdm.asked().len(), asked, "nobody else was asked anything");
}

#[test]
fn of_two_scripts_of_one_name_each_is_launched_and_edited_by_its_number() {
    let mdm = Mdm::start();
    let (first, second) = {
        let mut world = mdm.world();
        (world.script("twice", "#!/bin/sh\necho first\n"), world.script("twice", "#!/bin/sh\necho second\n"))
    };
    let (home, _) = fleet(&mdm, &["a"]);
    let name = format!("macs:twice #{second}");
    let job = launch(&home, &name, "macs:a", 1, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 1);
    let told = mdm.world().jobs.values().next().map(|job| (job.script_name.clone(), job.content.clone()));
    assert_eq!(told, Some(("twice".into(), "#!/bin/sh\necho second\n".into())));
    let text = home.file("new.sh", "#!/bin/sh\necho other\n");
    home.qd(["scripts", "save", &name, "--from", &text]).ok();
    let there = |id: u64| mdm.world().scripts[&id].content.clone();
    assert_eq!((there(first).as_str(), there(second).as_str()), ("#!/bin/sh\necho first\n", "#!/bin/sh\necho other\n"));
    let job = launch(&home, &name, "macs:a", 1, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 1);
    assert_eq!(mdm.world().scripts.len(), 2, "no copy was made");
}

#[test]
fn a_script_of_the_account_is_launched_as_it_lies_there_whatever_its_lines_end_with() {
    let mdm = Mdm::start();
    let own = mdm.world().script("Made in the browser", "#!/bin/sh\r\necho {{serial_number}}\r\n");
    mdm.world().scripts.get_mut(&own).expect("just made").variable_support = true;
    let (home, _) = fleet(&mdm, &["a"]);
    let lint = home.qd(["scripts", "lint", "macs:Made in the browser", "--json"]);
    assert!(
        !String::from_utf8_lossy(&lint.out).contains("crlf"),
        "its lines end as its system's own pages end them: {lint}"
    );
    let job = launch(&home, "macs:Made in the browser", "macs:a", 1, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 1);
    let world = mdm.world();
    let there = world.jobs.values().next().expect("a script job");
    assert_eq!((there.script_name.as_str(), there.variable_support), ("Made in the browser", true));
    assert_eq!(world.scripts.len(), 1, "no copy was made");
}

#[test]
fn a_script_that_is_begun_there_reads_no_arguments() {
    let mdm = Mdm::start();
    let (home, _) = fleet(&mdm, &["a"]);
    home.qd(["scripts", "new", "macs:Fix dns", "--template", "zsh"]).ok();
    let made = mdm.world().scripts.values().next().expect("it was made").clone();
    assert_eq!(made.name, "Fix dns");
    assert!(made.content.starts_with("#!/bin/zsh\n# @describe Fix dns\n#\n# SimpleMDM passes it nothing"), "{made:?}");
    assert!(made.content.contains("{{serial_number}}") && !made.content.contains("$1"), "{made:?}");
    home.qd(["scripts", "new", "macs:Other", "--template", "powershell"]).exits(2).says(&["use one of bash"]);
    let job = launch(&home, "macs:Fix dns", "macs:a", 1, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 1);
    assert_eq!(mdm.world().scripts.len(), 1, "it goes as it lies there");
}

// -- pace and size -----------------------------------------------------------------------------------------

/// A home whose account lets it ask so often a second.
fn home_at(mdm: &Mdm, rate: u32) -> Home {
    let home = Home::empty();
    home.config(&mdm.connection_at(&home, "macs", &mdm.url(), &format!("rate = {rate}")));
    home.script("hello.sh", SCRIPT);
    home
}

#[test]
fn the_pace_of_an_account_is_kept_from_the_first_device_to_the_last_result() {
    let mdm = Mdm::start();
    mdm.world().macs(500);
    mdm.limit(20, 10);
    let home = home_at(&mdm, 20);
    eventually("the devices have come", || devices(&home).len() == 500);
    let job = launch(&home, "hello.sh", "macs", 500, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 500);
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!(mdm.refused(), 0, "{:?}", mdm.asked());
}

#[test]
fn an_account_that_allows_less_than_it_was_said_to_is_waited_for_and_nothing_is_done_twice() {
    let mdm = Mdm::start();
    mdm.world().macs(300);
    mdm.limit(3, 2);
    let home = home_at(&mdm, 1000);
    eventually("the devices have come", || devices(&home).len() == 300);
    let job = launch(&home, "hello.sh", "macs", 300, &[]);
    assert_eq!(over(&home, job)["counts"]["ok"], 300);
    let world = mdm.world();
    assert_eq!((world.jobs.len(), world.scripts.len()), (1, 1));
}

#[test]
fn in_the_launch_dialog_an_output_is_kept_in_a_custom_attribute_of_the_device() {
    let mdm = Mdm::start();
    mdm.world().attributes.insert("cache_state".to_owned(), String::new());
    let (home, _) = fleet(&mdm, &["a"]);
    let mut console = Console::setup(&home).size(140, 40).start();
    console.sees("hello.sh");
    console.keys(":run hello.sh macs<enter>");
    console.sees("2: custom attribute, attribute regex");
    console.keys("<A-a><tab> ");
    console.sees("2 shown");
    console.keys("<tab>cache_state");
    console.sees("with custom_attribute=cache_state");
    console.keys("<tab>\\n");
    console.sees("custom_attribute_regex=\\n");
    console.keys("<A-d>y");
    console.sees("  armed");
    console.keys("<enter>");
    eventually("it was sent", || mdm.world().jobs.len() == 1);
    {
        let world = mdm.world();
        let job = world.jobs.values().next().expect("a script job");
        assert_eq!((job.custom_attribute.as_deref(), job.regex.as_deref()), (Some("cache_state"), Some("\\n")));
    }
    console.quit();
}

#[test]
fn a_line_at_a_time_the_same_is_asked_for() {
    let mdm = Mdm::start();
    mdm.world().attributes.insert("cache_state".to_owned(), String::new());
    let (home, _) = fleet(&mdm, &["a"]);
    let answers = "run\nhello\nmacs\n\ncache state\ncache_state\n\\n\nyes\nq\n";
    let said = home.verb(["--plain"]).stdin(answers).run().ok().text();
    assert!(said.contains("letters, digits and _") && said.contains("with custom_attribute=cache_state"), "{said}");
    let world = mdm.world();
    let job = world.jobs.values().next().expect("a script job");
    assert_eq!((job.custom_attribute.as_deref(), job.regex.as_deref()), (Some("cache_state"), Some("\\n")));
}

#[test]
fn ten_thousand_devices_and_a_thousand_jobs_cost_what_the_paging_costs() {
    let mdm = Mdm::start();
    {
        let mut world = mdm.world();
        let macs = world.macs(10_000);
        world.group("Lab", &macs[..3_000]);
        let old = Script { name: "old".into(), content: SCRIPT.into(), ..script() };
        for mac in &macs[..1_000] {
            let job = world.job(&old, &[*mac]);
            world.end(job, *mac, 0, "long ago\n");
        }
    }
    let home = home_of(&mdm, "");
    home.script("hello.sh", SCRIPT);
    home.qd(["jobs", "ls"]).ok(); // an engine, which begins to read
    let asked = |begins: &str| mdm.count(&format!("GET /api/v1/{begins}"));
    eventually("all pages have come", || asked("devices") == 100);
    eventually("they are among the targets", || devices(&home).len() == 10_000);
    assert_eq!((asked("devices"), asked("assignment_groups"), asked("device_groups")), (100, 1, 1));
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!((asked("script_jobs?"), asked("script_jobs/")), (10, 1_000), "a page for a hundred, and each job once");
    home.qd(["jobs", "import", "macs"]).ok();
    assert_eq!((asked("script_jobs?"), asked("script_jobs/")), (11, 1_000), "a second time what is new alone");
    home.verb(["run", "hello.sh", "--target", "Lab", "--confirm", "3000", "--wait"]).run().ok();
    let newest = home.qd(["jobs", "ls", "--json", "--limit", "1"]).ok().json();
    assert_eq!(newest[0]["counts"]["ok"], 3_000, "{newest}");
    assert_eq!(mdm.count("POST /api/v1/script_jobs"), 1, "one for all");
    let further = |line: &String| line.contains("direction=desc") && line.contains("starting_after");
    assert!(!mdm.asked().iter().any(further), "what stands before it in the list is not asked for");
}
