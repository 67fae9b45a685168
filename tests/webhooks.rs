//! Webhooks that come in: another system tells that a device has come, and what config.toml names is launched on it.

mod support;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use support::door::{Answer, Door, Request, key};
use support::{Home, eventually};

const INVENTORY: &str = "[macs]\nlobby serial=C02LOBBY\nkiosk serial=C02KIOSK\n";

fn home(more: &str) -> Home {
    let home = Home::empty();
    home.script("setup.sh", "#!/bin/sh\necho set up\n");
    let inventory = home.write("work/hosts.ini", INVENTORY);
    home.config(&format!(
        "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = \"{}\"\n[[hook]]\nname = \"setup\"\n\
         on = \"device.enrolled\"\nscript = \"setup.sh\"\nsecret = {{ file = \"{}\" }}\n\
         [[hook]]\nname = \"here\"\non = \"device.enrolled\"\nscript = \"setup.sh\"\ntarget = \"local\"\n{more}",
        inventory.display(),
        home.private("work/secret", "hunter2\n").display(),
    ));
    home
}

fn enrolled(serial: &str, at: &str) -> Value {
    json!({ "type": "device.enrolled", "at": at,
            "data": { "device": { "name": "it says", "udid": null, "serial_number": serial } } })
}

fn signed(path: &str, body: &Value, secret: &str, at: i64) -> Vec<u8> {
    let (body, at) = (body.to_string(), at.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Request::new("POST", path)
        .header("quarterdeck-timestamp", at)
        .header("quarterdeck-signature", format!("sha256={hex}"))
        .body("application/json", body)
        .bytes()
}

fn jobs(home: &Home) -> Vec<Value> {
    home.qd(["jobs", "ls", "--json"]).ok().json().as_array().unwrap().clone()
}

#[test]
fn an_event_launches_its_script_once_and_is_audited() {
    let home = home("");
    let door = Door::open(&home, []);
    let run = key(&home, "mdm", ["--scope", "run"]);
    let event = enrolled("none", "2026-01-02T03:04:05.678-08:00");
    let heard = door.post(&run, "/webhooks/here", &event).is(202).json();
    let job = heard["launched"][0]["job"].as_u64().expect("a job");
    eventually("it ran", || home.qd(["jobs", "show", &job.to_string(), "--json"]).json()["state"] == "done");
    let again = door.post(&run, "/webhooks/here", &event).is(200).json();
    assert_eq!((&again["repeated"], &again["launched"]), (&json!(true), &json!([])));
    let later = enrolled("none", "2026-01-03T03:04:05.678-08:00");
    door.post(&run, "/webhooks/here", &later).is(202);
    assert_eq!(jobs(&home).len(), 2);
    let entries = home.qd(["audit", "--json"]).ok().events();
    let launch = entries.iter().find(|entry| entry["act"] == "launch").expect("it was written down");
    assert_eq!(launch["from"], "webhook here, API (mdm), 127.0.0.1");
    let other = json!({ "type": "device.unenrolled", "at": "x", "data": {} });
    assert_eq!(door.post(&run, "/webhooks/here", &other).is(200).json(), json!({ "launched": [], "repeated": false }));
}

#[test]
fn the_device_of_the_event_is_found_by_what_it_is_and_not_by_its_name() {
    let home = home("");
    let door = Door::open(&home, []);
    let run = key(&home, "mdm", ["--scope", "run"]);
    let heard = door.post(&run, "/webhooks/setup", &enrolled("c02kiosk", "a")).is(202).json();
    let job = heard["launched"][0]["job"].to_string();
    let shown = home.qd(["jobs", "show", &job, "--json"]).json();
    assert_eq!((&shown["runs"][0]["device"], shown["runs"].as_array().map(Vec::len)), (&json!("lab:kiosk"), Some(1)));
    let told = door.post(&run, "/webhooks/setup", &enrolled("C02 | @all", "b")).is(404).title();
    assert!(told.contains("no device here is C02 | @all"), "{told}");
    assert_eq!(jobs(&home).len(), 1);
}

#[test]
fn without_a_key_it_takes_a_fresh_signature_with_the_secret_and_nothing_else() {
    let home = home("");
    let door = Door::open(&home, []);
    let now = jiff::Timestamp::now().as_second();
    let event = enrolled("C02KIOSK", "a");
    let send = |bytes: Vec<u8>| Answer::read(&door.raw(bytes));
    for (path, secret, at) in [
        ("/webhooks/setup", "hunter3", now),
        ("/webhooks/setup", "hunter2", now - 3600),
        ("/webhooks/setup", "hunter2", now + 3600),
        ("/webhooks/here", "hunter2", now), // it has none
        ("/webhooks/none", "hunter2", now),
    ] {
        let told = send(signed(path, &event, secret, at)).is(401).title();
        assert!(told.contains("neither a key nor a signature"), "{told}");
    }
    door.ask(&Request::new("POST", "/webhooks/setup").json(&event)).is(401);
    assert!(jobs(&home).is_empty());
    send(signed("/webhooks/setup", &event, "hunter2", now)).is(202);
    assert_eq!(jobs(&home).len(), 1);
}

#[test]
fn what_holds_for_everybody_holds_for_an_event() {
    let home = home("[[freeze]]\non = \"all\"\nreason = \"year's end\"\n");
    let door = Door::open(&home, []);
    let run = key(&home, "mdm", ["--scope", "run"]);
    let read = key(&home, "looks", []);
    let limited = key(&home, "lab", ["--scope", "run", "--groups", "lab:lobby"]);
    let event = enrolled("C02KIOSK", "a");
    door.post(&read, "/webhooks/setup", &event).is(403);
    let told = door.post(&limited, "/webhooks/setup", &event).is(403).title();
    assert!(told.contains("limited to lab:lobby"), "{told}");
    let told = door.post(&run, "/webhooks/setup", &event);
    assert!((400..500).contains(&told.status) && told.title().contains("year's end"), "{told:?}");
    let entries = home.qd(["audit", "--json"]).ok().events();
    let told: Vec<&Value> = entries.iter().filter(|entry| entry["act"] == "webhook").collect();
    assert_eq!(told.len(), 2, "{entries:?}");
    assert_eq!(
        (&told[0]["from"], &told[0]["script"]),
        (&json!("webhook setup, API (lab), 127.0.0.1"), &json!("setup.sh"))
    );
    let why = |entry: &Value| entry["note"].as_str().unwrap_or_default().to_owned();
    assert!(why(told[0]).contains("limited to lab:lobby") && why(told[1]).contains("year's end"), "{told:?}");
    door.post(&run, "/webhooks/none", &event).is(404);
    assert!((400..500).contains(&door.post(&run, "/webhooks/setup", &json!([])).status));
    assert!(jobs(&home).is_empty());
}
