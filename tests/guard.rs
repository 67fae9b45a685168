//! What keeps a launch from being a mistake, through the real binary: the log of who did what, plans that are launched
//! exactly or not at all, and devices that are left alone.

mod support;

use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use support::{Home, eventually};

const SAY: &str =
    "#!/bin/sh\n# @meta dry-run --check\n# @option --count=1\n# @option --token <SECRET>\necho \"args: $*\"\n";

/// Runs until the test lets it go.
fn held(home: &Home) -> String {
    let go = home.work().join("go");
    home.script("hold.sh", format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.05; done\n", go.display()));
    go.display().to_string()
}

fn entries(home: &Home) -> Vec<Value> {
    home.qd(["audit", "--json"]).ok().events()
}

fn acts(home: &Home) -> Vec<String> {
    entries(home).iter().map(|entry| entry["act"].as_str().expect("an act").to_owned()).collect()
}

#[test]
fn who_did_what_is_written_down_and_a_changed_entry_is_named() {
    let home = Home::empty();
    home.config("[engine]\nat_once = 7\n");
    home.script("say.sh", SAY);
    let secret = home.private("token", "hunter2");
    let secret = format!("token=@{}", secret.display());
    home.verb(["run", "say.sh", "--target", "local", "--param", "count=4711", "--secret", &secret, "--wait"])
        .env("SSH_CONNECTION", "203.0.113.7 5022 198.51.100.1 22")
        .env("SUDO_USER", "alice")
        .run()
        .ok();
    home.qd(["scripts", "rename", "say.sh", "tell.sh"]).ok();
    home.qd(["scripts", "delete", "tell.sh", "--yes"]).ok();
    home.qd(["scripts", "restore", "tell.sh"]).ok();
    assert_eq!(acts(&home), ["settings", "launch", "end", "rename", "delete", "restore"]);

    let all = entries(&home);
    let (launch, end) = (&all[1], &all[2]);
    assert_eq!((&launch["job"], &launch["script"], &launch["devices"]), (&1.into(), &"say.sh".into(), &1.into()));
    assert_eq!(
        (&launch["target"], &launch["from"]),
        (&"local".into(), &"run, ssh from 203.0.113.7, sudo by alice".into())
    );
    assert_eq!(
        (&launch["note"], launch["plan"].as_str().map(str::len)),
        (&"with count, token; 7 at once".into(), Some(8))
    );
    assert_eq!((&end["counts"]["ok"], &end["note"], &end["by"]), (&1.into(), &"done".into(), &"quarterdeck".into()));
    assert!(entries(&home).iter().all(|entry| entry["schema_version"] == 1));
    assert!(
        home.qd(["audit"])
            .ok()
            .text()
            .contains("on local; with count, token; 7 at once; run, ssh from 203.0.113.7, sudo by alice")
    );
    assert!(home.qd(["audit", "--since", "2999-01-01"]).ok().text().lines().count() == 1, "the heads alone");

    // neither the secret nor what was given
    let log = home.state().join("audit.ndjson");
    let text = fs::read_to_string(&log).expect("the log");
    assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");

    // unbroken, also over a killed engine
    home.end_engine(Signal::KILL);
    let verified = home.qd(["audit", "--verify"]).ok().text();
    assert!(verified.starts_with("6 entries are unbroken; head "), "{verified}");

    fs::write(&log, text.replace("\"devices\":1", "\"devices\":2")).expect("tampered");
    home.qd(["audit", "--verify"])
        .exits(1)
        .says(&["audit.ndjson:2: entry 2 was changed", "up to entry 1 it is unbroken"]);
    let cut: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    fs::write(&log, cut).expect("cut short");
    home.qd(["audit", "--verify"]).exits(1).says(&["entries 5 to 6 are missing at the end of the file"]);
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    let home = Home::empty();
    home.script("say.sh", SAY);
    fs::create_dir_all(home.state().join("audit.ndjson")).expect("something is in the way");
    home.qd(["run", "say.sh", "--target", "local"])
        .exits(1)
        .says(&["audit.ndjson cannot be written", "nothing was sent"]);
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), Value::Array(vec![]));
}

#[test]
fn a_plan_in_a_file_is_launched_exactly_or_not_at_all() {
    let home = Home::empty();
    let script = home.script("say.sh", SAY);
    let file = home.work().join("change.json");
    let path = file.to_str().expect("UTF-8");
    let planned = home.qd(["plan", "say.sh", "--target", "local", "--param", "count=3", "--output", path]).ok();
    assert!(planned.text().contains("local"), "{planned}");
    let ran = home.qd(["run", "--plan", path, "--wait"]).ok();
    assert!(ran.text().contains("args: --count 3"), "{ran}");
    assert_eq!(home.job(1)["params"], serde_json::json!([["count", "3"], ["token", "(hidden)"]]));

    let whole = fs::read_to_string(&file).expect("the file");
    let digest = whole.contains("\"digest\"");
    assert!(digest && whole.ends_with("}\n"), "{whole}");
    fs::write(&file, whole.replace("\"target\": \"local\"", "\"target\": \"@all\"")).expect("edited");
    home.qd(["run", "--plan", path]).exits(2).says(&[
        "it was edited",
        "plan.target, request.target",
        "nothing was sent",
    ]);

    fs::write(&file, &whole).expect("as it was");
    fs::write(&script, SAY.replace("echo", "echo now")).expect("another version");
    home.qd(["run", "--plan", path]).exits(1).says(&[
        "has changed since",
        "script say.sh ",
        " then, say.sh ",
        "nothing was sent",
    ]);

    home.qd(["plan", "say.sh", "--target", "local", "--output", path, "--good-for", "1ms"]).ok();
    home.qd(["run", "--plan", path]).exits(1).says(&["held until", "make it anew"]);
    home.qd(["run", "--plan", "./gone.json"]).exits(2).says(&["gone.json"]);
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json().as_array().map(Vec::len), Some(1), "one was launched");
}

#[test]
fn a_previewed_plan_is_launched_once_by_its_id() {
    let home = Home::empty();
    let script = home.script("say.sh", SAY);
    let id = |home: &Home| {
        let plan = home.qd(["plan", "say.sh", "--target", "local"]).ok().json();
        plan["plan"]["id"].as_str().expect("an id").to_owned()
    };
    let plan = id(&home);
    home.qd(["run", "--plan", &plan, "--wait"]).ok();
    home.qd(["run", "--plan", &plan]).exits(1).says(&["no plan ", "it was launched", "nothing was sent"]);
    home.qd(["run", "--plan", "0badcafe"]).exits(1).says(&["no plan 0badcafe"]);

    let plan = id(&home);
    fs::write(&script, SAY.replace("echo", "echo now")).expect("another version");
    home.qd(["run", "--plan", &plan]).exits(1).says(&["say.sh has changed since the preview", "nothing was sent"]);
}

#[test]
fn a_dry_run_sends_nothing_and_the_scripts_own_asks_the_script() {
    let home = Home::empty();
    home.script("say.sh", SAY);
    home.script("plain.sh", "#!/bin/sh\necho hi\n");
    let shown = home.qd(["run", "say.sh", "--target", "local", "--dry-run"]).ok().says(&["nothing was sent"]);
    assert!(shown.text().contains("1: local"), "{shown}");
    let json = home.qd(["run", "say.sh", "--target", "local", "--dry-run", "--json"]).ok().json();
    assert_eq!(json["plan"]["devices"].as_array().map(Vec::len), Some(1));
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), Value::Array(vec![]));

    let ran = home.qd(["run", "say.sh", "--target", "local", "--dry-run=script", "--wait"]).ok();
    assert!(ran.text().contains("args: --check --count 1"), "{ran}");
    home.qd(["run", "plain.sh", "--target", "local", "--dry-run=script"])
        .exits(2)
        .says(&["declares no dry run", "@meta dry-run"]);

    // of a retry, too: what is said launches exactly that
    let shown = home.qd(["rerun", "1", "--ok", "--param", "count=2", "--dry-run"]).ok();
    let shown = shown.says(&["not as in job 1: count", "nothing was sent"]);
    let told = shown.errors();
    let (_, command) = told.split_once("this launches it: quarterdeck ").expect("a command");
    let said = home.verb(command.trim().split(' ').chain(["--wait"])).run().ok();
    assert!(said.text().contains("args: --count 2"), "{said}");
    assert_eq!(home.job(2)["parent"], 1);
}

#[test]
fn a_device_that_another_job_has_is_left_alone_unless_it_is_taken_in_on_purpose() {
    let home = Home::empty();
    home.script("say.sh", SAY);
    let go = held(&home);
    // previewed while nothing runs
    let plan = home.qd(["plan", "say.sh", "--target", "local"]).ok().json();
    let plan = plan["plan"]["id"].as_str().expect("an id").to_owned();
    home.qd(["run", "hold.sh", "--target", "local"]).ok();

    let refused = ["every device of `local` is excluded: 1 busy in job 1", "on purpose: --include busy"];
    home.qd(["run", "say.sh", "--target", "local"]).exits(2).says(&refused);
    home.qd(["run", "say.sh", "--target", "local", "--max-fail", "1"]).exits(2).says(&refused);
    home.qd(["run", "--plan", &plan]).exits(1).says(&[
        "to be left alone since the preview (-1 local:local",
        "busy in job 1",
        "nothing was sent",
    ]);
    let file = home.work().join("p.json").display().to_string();
    home.qd(["plan", "say.sh", "--target", "local", "--include", "busy", "--output", &file]).ok();
    home.qd(["run", "--plan", &file, "--wait"]).ok().says(&["taken in on purpose: 1 busy in job 1"]);

    let noted = entries(&home).into_iter().any(|entry| {
        entry["act"] == "launch"
            && entry["note"] == "with count, token; taking in on purpose 1 busy in job 1; 256 at once"
    });
    assert!(noted, "{:#?}", entries(&home));

    fs::write(&go, "").expect("let go");
    home.ended_job(1);
    home.qd(["run", "say.sh", "--target", "local", "--wait"]).ok();
}

#[test]
fn maintenance_and_a_freeze_keep_devices_out_with_reason_and_end() {
    let home = Home::empty();
    home.script("say.sh", SAY);
    home.config(
        "[[maintenance]]\ntarget = \"local\"\nuntil = 2999-01-01\nzone = \"UTC\"\nreason = \"new racks\"\n\
         [[freeze]]\non = \"all\"\nweekly = \"Mon-Sun 00:00-24:00\"\nzone = \"UTC\"\n\
         [[freeze]]\non = \"all\"\nuntil = 2001-01-01\n",
    );
    home.qd(["config", "check"]).ok();
    home.qd(["run", "say.sh", "--target", "local", "--include", "maintenance"]).exits(2).says(&[
        "1 in a change freeze until",
        "UTC",
        "--include freeze",
    ]);
    home.qd(["run", "say.sh", "--target", "local", "--include", "freeze"])
        .exits(2)
        .says(&["1 in maintenance until 2999-01-01 00:00 UTC: new racks", "--include maintenance"]);
    let json = home.qd(["plan", "say.sh", "--target", "local", "--include", "freeze,maintenance"]).ok().json();
    let taken: Vec<&Value> =
        json["plan"]["included"].as_array().expect("included").iter().map(|one| &one["why"]).collect();
    assert_eq!(taken, ["freeze", "maintenance"]);
    home.qd(["run", "say.sh", "--target", "local", "--include", "freeze,maintenance", "--wait"]).ok();

    home.config("[[maintenance]]\ntarget = \"local\"\nuntil = \"tomorow\"\n");
    home.qd(["config", "check"]).exits(2);
    eventually("the new configuration counts", || {
        home.qd(["run", "say.sh", "--target", "local"]).errors().contains("in maintenance until it is taken out")
    });
}

/// Takes what is posted, one connection a request: head and body.
fn receiver() -> (String, std::sync::mpsc::Receiver<(String, String)>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
    let (post, posted) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut text = String::new();
            let mut chunk = [0; 4096];
            let got = loop {
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                        break (head.to_owned(), body.to_owned());
                    }
                }
                match stream.read(&mut chunk) {
                    Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&chunk[..count])),
                    _ => return,
                }
            };
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            if post.send(got).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

#[test]
fn what_happens_to_a_job_is_posted_signed_and_not_again_by_the_next_engine() {
    let home = Home::empty();
    let (url, posted) = receiver();
    home.private("hook.key", "hunter2\n");
    let key = home.path().join("hook.key");
    home.config(&format!("[[webhook]]\nurl = \"{url}\"\nkey = {{ file = \"{}\" }}\n", key.display()));
    home.script("bad.sh", "#!/bin/sh\necho secret words of a device >&2\nexit 3\n");
    home.qd(["run", "bad.sh", "--target", "local", "--wait"]).exits(3);
    let next = || posted.recv_timeout(support::PATIENCE).expect("a post");
    // (that it failed in a new way is told as well)
    let done = |key: &str| {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|(_, body): &(String, String)| body.contains(key)) {
            seen.push(next());
        }
        seen
    };
    let (head, body) = done("\"1:ended\"").pop().expect("the last one");
    assert!(head.starts_with("POST /hook HTTP/1.1\r\n") && head.contains("quarterdeck-signature: sha256="), "{head}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (&body["event"], &body["job"]["id"], &body["job"]["counts"]["failed"]),
        (&"done".into(), &1.into(), &1.into())
    );
    assert_eq!(body["text"], "job 1 bad.sh is done: 0 ok, 1 failed of 1");
    assert!(!body.to_string().contains("secret words") && !body.to_string().contains("hunter2"));

    home.end_engine(Signal::KILL);
    home.qd(["run", "bad.sh", "--target", "local", "--wait"]).exits(3);
    // one whose receipt was not yet noted may come again, and can be told by its id
    let id = |head: &str| head.lines().find(|line| line.starts_with("quarterdeck-delivery: ")).map(str::to_owned);
    let again = done("\"2:ended\"").into_iter().filter(|(_, body)| body.contains("\"1:ended\""));
    let repeats: Vec<_> = again.filter(|(other, _)| id(other) != id(&head)).collect();
    assert!(repeats.is_empty(), "the first is not told again: {repeats:?}");
}

#[test]
fn a_freeze_is_of_the_protected_connections_unless_it_says_more() {
    let home = Home::empty();
    home.script("say.sh", SAY);
    let configured = |protected: bool| {
        home.config(&format!(
            "[[connection]]\nname = \"local\"\nkind = \"local\"\nprotected = {protected}\n[[freeze]]\nreason = \"year end\"\n"
        ));
    };
    configured(false);
    home.qd(["run", "say.sh", "--target", "local", "--wait"]).ok();
    configured(true);
    eventually("the new configuration counts", || {
        let refused = home.qd(["run", "say.sh", "--target", "local"]).errors();
        refused.contains("1 in a change freeze until it is taken out of the configuration: year end")
    });
}
