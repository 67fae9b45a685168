//! Keys at every way there is: what each scope opens, what a key that is limited to some devices sees and does of the
//! others (nothing), and whatever bodies and paths try. The ways are those of the engine's own document.

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use support::Home;
use support::door::{Answer, Door, Request, key};

/// First words of the paths that SimpleMDM's tongue has.
const THEIRS: [&str; 7] =
    ["scripts", "script_jobs", "devices", "device_groups", "assignment_groups", "custom_attributes", "logs"];

/// Nobody is held up here by how often they ask.
const RATE: &str = "[listen]\nrate = 100000\n";

struct Way {
    method: String,
    /// Below `/api/v1`, with its `{…}`.
    path: String,
    scope: Option<String>,
}

impl Way {
    fn first(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    fn theirs(&self) -> bool {
        THEIRS.contains(&self.first()) || self.first() == "custom_attribute_values"
    }
}

fn ways(door: &Door) -> Vec<Way> {
    let document = door.ask(&Request::new("GET", "/openapi.json")).is(200).json();
    let mut ways = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let path = path.strip_prefix("/api/v1").expect("below it").to_owned();
            let scope = operation["x-scope"].as_str().map(str::to_owned);
            ways.push(Way { method: method.to_uppercase(), path, scope });
        }
    }
    assert!(ways.len() > 100, "{}", ways.len());
    ways
}

#[test]
fn every_way_is_shut_to_a_key_without_its_scope_to_a_revoked_one_and_to_nobody() {
    let home = Home::empty();
    home.config(RATE);
    let door = Door::open(&home, []);
    let keys = ["read", "run", "edit"].map(|scope| (scope, key(&home, scope, ["--scope", scope])));
    let gone = key(&home, "gone", ["--scope", "admin"]);
    home.qd(["tokens", "revoke", "gone"]).ok();
    // (each wrong one is answered more slowly: it is looked at before the way is)
    for path in ["/script_jobs", "/audit"] {
        assert_eq!(door.get(&gone, path).status, 401, "{path}");
    }
    for Way { method, path, scope } in ways(&door) {
        let at = path.replace("{id}", "99999").replace(['{', '}', '*'], "");
        let asked = |key: &str| door.ask(&Request::new(&method, &at).basic(key).json(&json!({})));
        let Some(needs) = scope else {
            assert_eq!(door.ask(&Request::new(&method, &at)).status, 200, "{method} {path}");
            continue;
        };
        assert_eq!(door.ask(&Request::new(&method, &at)).status, 401, "{method} {path}");
        for (has, key) in &keys {
            // (who may run or edit may look as well)
            if *has == needs || needs == "read" {
                continue;
            }
            let answer = asked(key);
            assert_eq!(answer.status, 403, "{has}: {method} {path}: {answer:?}");
            assert!(answer.title().ends_with(&format!("it needs the scope {needs}")), "{}", answer.title());
        }
    }
    assert_eq!(door.get(&keys[0].1, "/script_jobs").is(200).json()["data"], json!([]), "nothing was done");
}

/// A fleet of which a key reaches `one` alone, after a job on each device.
struct Fleet {
    home: Home,
    door: Door,
    admin: String,
    limited: String,
    /// Numbers of the other's device, job and of the shared script.
    beyond: (u64, u64),
    own: (u64, u64),
    script: u64,
}

impl Fleet {
    fn start() -> Self {
        let home = Home::empty();
        let local = |name: &str| format!("[[connection]]\nname = \"{name}\"\nkind = \"local\"\n");
        home.config(&format!("{}{}{RATE}", local("one"), local("two")));
        home.script("own.sh", "#!/bin/sh\necho spoken\n");
        let door = Door::open(&home, []);
        home.qd(["targets", "save", "others", "two"]).ok();
        let admin = key(&home, "root", ["--scope", "admin"]);
        let limited = key(&home, "lab", ["--scope", "read,run,edit", "--groups", "one"]);
        let number = |path: &str| {
            door.get(&admin, path).is(200).json()["data"][0]["id"].as_u64().unwrap_or_else(|| panic!("none at {path}"))
        };
        let script = number("/scripts");
        let (one, two) = (number("/devices?search=one"), number("/devices?search=two"));
        door.post(&admin, "/custom_attributes", &json!({ "name": "state" })).is(201);
        let job = |device: u64| {
            let ordered = json!({ "script_id": script, "device_ids": [device], "custom_attribute": "state" });
            let made = door.post(&admin, "/script_jobs", &ordered).is(201).json();
            let id = made["data"]["id"].as_u64().expect("an id");
            home.ended_job(id);
            id
        };
        let (own, beyond) = ((one, job(one)), (two, job(two)));
        Self { home, door, admin, limited, beyond, own, script }
    }

    /// The path of a way about a device and a job.
    fn at(&self, way: &Way, (device, job): (u64, u64)) -> String {
        let id = match way.first() {
            "script_jobs" => job,
            "devices" => device,
            "scripts" => self.script,
            _ => 99_999,
        };
        way.path
            .replace("{id}", &id.to_string())
            .replace("{device}", &device.to_string())
            .replace("{stream}", "stdout")
            .replace("{name}", "state")
            .replace("{action}", "restart")
            .replace("{*rest}", "devices/1")
    }

    /// What there is, as somebody sees it who sees everything. (The log grows by what is refused, and is none of it.)
    fn everything(&self) -> Vec<Value> {
        let paths = THEIRS.iter().filter(|path| **path != "logs");
        paths.map(|path| self.door.get(&self.admin, &format!("/{path}?limit=100")).is(200).json()).collect()
    }
}

#[test]
fn a_key_that_is_limited_sees_and_changes_nothing_beyond_at_any_way() {
    let fleet = Fleet::start();
    let Fleet { home, door, limited, .. } = &fleet;
    let before = fleet.everything();
    for way in ways(door) {
        let Way { method, path, scope } = &way;
        let at = fleet.at(&way, fleet.beyond);
        let device = fleet.beyond.0;
        let body = json!({
            "device_ids": [device], "value": "theirs", "default_value": "theirs",
            "data": [{ "device_id": device, "name": "state", "value": "theirs" }],
        });
        // (what it may do with scripts, which are of no device, is the first test's affair)
        if scope.is_none() || way.first() == "webhooks" || (way.first() == "scripts" && method != "GET") {
            continue;
        }
        let asked = Request::new(method, &at).basic(limited);
        let answer = door.ask(&if method == "GET" { asked } else { asked.json(&body) });
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        let label = format!("{method} {path}: {} {told}", answer.status);
        if !way.theirs() {
            assert_eq!(answer.status, 403, "{label}");
            assert!(scope.as_deref() == Some("admin") || told.contains("limited to one"), "{label}");
            continue;
        }
        let list = method == "GET" && (!path.contains('{') || way.first() == "scripts" || path.contains("{name}"));
        if list && !path.contains("/{id}/") {
            assert_eq!(answer.status, 200, "{label}");
            let rows = answer.json()["data"].as_array().cloned().unwrap_or_default();
            let shows = way.first() == "script_jobs" && rows.iter().any(|row| row["id"] == fleet.beyond.1);
            assert!(!shows && !told.contains("\"two") && !told.contains("@others"), "{label}");
        } else if way.first() == "custom_attributes" && method == "POST" && !path.contains('{') {
            assert!((400..500).contains(&answer.status), "without a name: {label}");
        } else {
            assert!((400..500).contains(&answer.status), "{label}");
            assert!(!told.contains("spoken"), "{label}");
        }
    }
    // in words that name what is beyond, too
    for (path, body) in [
        ("/script_jobs", json!({ "script_name": "own.sh", "device_ids": fleet.beyond.0.to_string() })),
        ("/script_jobs", json!({ "script_name": "own.sh", "device_ids": [fleet.own.0, fleet.beyond.0] })),
    ] {
        let told = door.post(limited, path, &body).is(422).title();
        assert!(told.contains("no device has the id"), "{told}");
    }
    let groups = door.get(&fleet.admin, "/assignment_groups").is(200).json();
    for group in groups["data"].as_array().expect("groups") {
        let body = json!({ "script_name": "own.sh", "assignment_group_ids": [group["id"]] });
        let told = door.post(limited, "/script_jobs", &body).is(422).title();
        assert!(told.contains("no group has the id"), "{told}");
    }
    for filter in ["device_id", "target_id"] {
        let found = door.get(limited, &format!("/script_jobs?{filter}={}", fleet.beyond.0)).is(200).json();
        assert_eq!(found["data"], json!([]), "{filter}");
    }
    assert_eq!(fleet.everything(), before, "nothing was changed");
    // and its own it has
    let (device, job) = fleet.own;
    let own = door.get(limited, "/devices").is(200).json();
    assert_eq!((own["data"][0]["id"].as_u64(), own["data"].as_array().map(Vec::len)), (Some(device), Some(1)));
    let output = door.get(limited, &format!("/script_jobs/{job}/devices/{device}/stdout")).is(200);
    assert_eq!(output.body, b"spoken\n");
    let made = door.post(limited, "/script_jobs", &json!({ "script_id": fleet.script, "device_ids": [device] }));
    home.ended_job(made.is(201).json()["data"]["id"].as_u64().expect("an id"));
}

/// Whoever says so much, and in such words, is answered in the contract's, and nothing comes of it.
#[test]
fn bodies_and_paths_that_are_too_much_or_not_what_they_say_have_the_contract_s_error() {
    let home = Home::empty();
    home.script("own.sh", "#!/bin/sh\n");
    home.config(RATE);
    let door = Door::open(&home, []);
    let key = key(&home, "a", ["--scope", "run,edit"]);
    let nested = format!("{{\"name\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes();
    let wide = format!("{{\"device_ids\":[{}1]}}", "1,".repeat(2_000_000)).into_bytes();
    let keys = format!("{{{}\"a\":1}}", (0..5_000).map(|n| format!("\"k{n}\":1,")).collect::<String>()).into_bytes();
    let fields = "a=1&".repeat(5_000).into_bytes();
    let json_kind = "application/json";
    for path in ["/scripts", "/script_jobs", "/custom_attributes", "/devices", "/assignment_groups"] {
        for (kind, body) in [
            (json_kind, &nested),
            (json_kind, &wide),
            (json_kind, &keys),
            (json_kind, &b"{\"name\": \"x\"".to_vec()),
            (json_kind, &b"[]".to_vec()),
            (json_kind, &b"\xff\xfe".to_vec()),
            ("application/x-www-form-urlencoded", &fields),
            ("multipart/form-data", &b"--x\r\n".to_vec()),
            ("text/csv", &b"a,b".to_vec()),
        ] {
            let answer = door.ask(&Request::new("POST", path).basic(&key).body(kind, body.clone())).is(400);
            assert!(!answer.title().is_empty(), "{path} {kind}");
        }
        let large = Request::new("POST", path).basic(&key).header("Content-Length", "104857600");
        assert!(door.ask(&large).is(413).title().contains("24 MiB at most"), "{path}");
    }
    for path in [
        "/scripts/..%2f..%2fetc%2fpasswd",
        "/scripts/%2e%2e",
        "/scripts/1%00",
        "/scripts/-1",
        "/scripts/18446744073709551616",
        "/scripts/1;x",
        "/scripts/../devices",
        "/scripts//1",
        "/%73cripts",
        "/script_jobs/1/devices/1/..",
        "/script_jobs/1/devices/1/..%2fsecret",
        "/logs/..%2faudit",
        "/devices/1/%2e%2e%2f",
    ] {
        let answer = door.get(&key, path).is(404);
        assert!(!answer.title().is_empty(), "{path}");
    }
    let script = std::fs::read_dir(home.library()).expect("the library").count();
    assert_eq!(script, 1, "no script was made");
    assert_eq!(door.get(&key, "/script_jobs").is(200).json()["data"], json!([]));
}

/// A script that comes in parts and breaks off in the middle of its second: nothing more was
/// promised, or so many bytes were.
fn cut(key: &str, told: usize) -> Vec<u8> {
    let body = "--cut\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nhalf\r\n--cut\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.sh\"\r\n\r\n#!/bin/sh\necho ha";
    let request = Request::new("POST", "/scripts").basic(key);
    let length = (body.len() + told).to_string();
    let request =
        request.header("Content-Type", "multipart/form-data; boundary=cut").header("Content-Length", length.as_str());
    [request.bytes().as_slice(), body.as_bytes()].concat()
}

#[test]
fn a_multipart_that_is_cut_half_way_makes_no_script_with_tls_and_without() {
    for with_tls in [false, true] {
        let home = Home::empty();
        home.script("own.sh", "#!/bin/sh\n");
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = home.file("c.pem", own.cert.pem());
        let pair = home.file("k.pem", own.signing_key.serialize_pem());
        let door = match with_tls {
            true => Door::open(&home, ["--tls-cert", &certificate, "--tls-key", &pair]),
            false => Door::open(&home, []),
        };
        let key = key(&home, "a", ["--scope", "run,edit"]);
        let folder = home.work();
        let say = |bytes: &[u8], gone: bool| {
            let stream = door.connect();
            let mut answer = Vec::new();
            if with_tls {
                let trusted = quarterdeck::connectors::tls::trusting(Some(&folder.join(Path::new("c.pem"))));
                let name = "localhost".try_into().expect("a name");
                let connection = rustls::ClientConnection::new(Arc::new(trusted.unwrap()), name).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream);
                stream.write_all(bytes).unwrap();
                stream.flush().unwrap();
                if gone {
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
                let _ = stream.read_to_end(&mut answer);
            } else {
                let mut stream = stream;
                stream.write_all(bytes).unwrap();
                if gone {
                    stream.shutdown(Shutdown::Write).unwrap();
                }
                let _ = stream.read_to_end(&mut answer);
            }
            Answer::read(&answer)
        };
        // all of it came, and it has no end
        let whole = say(&cut(&key, 0), false).is(400);
        assert!(whole.title().contains("cut off"), "{}", whole.title());
        // more was promised, and whoever promised it has gone
        let gone = say(&cut(&key, 1_000), true);
        assert!([0, 400].contains(&gone.status), "{gone:?}");
        assert_eq!(std::fs::read_dir(home.library()).map_or(0, Iterator::count), 1, "no script was made");
        let hello = Request::new("GET", "/hello").basic(&key).bytes();
        assert_eq!(say(&hello, false).status, 200, "it keeps serving");
    }
}
