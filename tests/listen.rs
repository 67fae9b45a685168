//! The door on the network, as other programs meet it: keys and what they may do, TLS, and whatever a network throws at
//! it. What is refused has changed nothing, and the engine goes on.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};
use support::door::{Answer, Door, Request, key};
use support::pty::any_file_holds;
use support::{Home, eventually};

const WRONG: &str = "qd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// `[listen]` for tests that wait for the door to lose patience.
const HASTY: &str = "[listen]\npatience = \"300ms\"\n";

fn requests(home: &Home) -> Vec<Value> {
    let text = std::fs::read_to_string(home.state().join("requests.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

#[test]
fn a_key_opens_what_its_scope_covers_and_a_revoked_one_nothing() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let read = key(&home, "dashboard", []);
    let run = key(&home, "ci", ["--scope", "run"]);
    let edit = key(&home, "sync", ["--scope", "edit"]);
    let admin = key(&home, "root", ["--scope", "admin"]);
    assert_eq!(door.get(&read, "/hello").is(200).json()["listen"], door.url.as_str());
    door.ask(&Request::new("GET", "/hello").bearer(&read)).is(200);
    door.ask(&Request::new("HEAD", "/hello").bearer(&read)).is(200);
    let plan = json!({ "script": { "library": "none.sh" }, "target": "local" });
    let forget = json!({ "name": "none" });
    for (key, launches, edits, audits) in
        [(&read, 403, 403, 403), (&run, 422, 403, 403), (&edit, 403, 404, 403), (&admin, 422, 404, 200)]
    {
        let planned = door.post(key, "/plans", &plan).status;
        assert!(planned == launches || (launches != 403 && planned == 404), "{planned}");
        let forgotten = door.post(key, "/targets/saved/forget", &forget).status;
        assert!(forgotten == edits || (edits != 403 && forgotten == 422), "{forgotten}");
        door.get(key, "/audit").is(audits);
    }
    let told = door.post(&read, "/shutdown", &Value::Null).is(403).title();
    assert_eq!(told, "the key dashboard may not do this: it needs the scope admin");

    home.qd(["tokens", "revoke", "ci"]).ok();
    assert!(door.get(&run, "/hello").is(401).title().contains("not known here, or was revoked"));
    let listed = home.qd(["tokens", "ls", "--json"]).ok().json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["dashboard", "ci", "sync", "root"]);
    assert!(listed[1]["revoked_at"].is_string() && listed[0]["revoked_at"].is_null());
    assert!(!listed.to_string().contains("qd_"), "{listed}");
    home.qd(["tokens", "add", "sync"]).exits(2).says(&["a key named sync already"]);
    home.qd(["tokens", "revoke", "ci"]).exits(2).says(&["no key named ci counts"]);
    home.qd(["tokens", "add", "x", "--groups", "web &"]).exits(2);
    let again = key(&home, "ci", ["--scope", "run"]);
    door.get(&again, "/hello").is(200);
}

#[test]
fn a_key_is_the_user_name_and_nothing_else_is_a_key() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let key = key(&home, "a", []);
    let nobody = door.ask(&Request::new("GET", "/hello")).is(401);
    assert!(nobody.title().starts_with("no key"));
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"quarterdeck\""));
    for header in [
        key.clone(),
        format!("Basic {key}"),
        format!("Bearer {key}x"),
        format!("Bearer {WRONG}"),
        "Basic ".to_owned(),
        "Basic ////".to_owned(),
    ] {
        door.ask(&Request::new("GET", "/hello").header("Authorization", header)).is(401);
    }
    // a path that is not there is not told from one that is to whoever has no key
    door.ask(&Request::new("GET", "/nothing")).is(401);
    door.get(&key, "/nothing").is(404);
    door.ask(&Request::new("DELETE", "/hello").basic(&key)).is(405);
    // the document says how to come in: it is open
    door.ask(&Request::new("GET", "/openapi.json")).is(200);
}

#[test]
fn a_key_that_is_limited_to_devices_is_refused_where_that_cannot_be_kept() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let key = key(&home, "lab", ["--scope", "run", "--groups", "local"]);
    assert!(door.get(&key, "/targets").is(403).title().contains("limited to local"));
    home.qd(["tokens", "add", "x", "--scope", "admin", "--groups", "local"]).exits(2).says(&["cannot be limited"]);
}

#[test]
fn the_audit_log_and_the_request_log_name_the_key_and_hold_none() {
    let home = Home::empty();
    home.script("hi.sh", "#!/bin/sh\necho hi\n");
    let door = Door::open(&home, []);
    let run = key(&home, "ci", ["--scope", "run,edit"]);
    let forged = Request::new("POST", "/plans?token=hunter2")
        .basic(&run)
        .header("quarterdeck-from", "console")
        .header("quarterdeck-agent", "/tmp/agent")
        .json(&json!({ "script": { "library": "hi.sh" }, "target": "local" }));
    let plan = door.ask(&forged).is(200).json();
    let job = door.post(&run, "/jobs", &json!({ "plan": plan["id"], "confirm": 1 })).is(201).json();
    eventually("it has ended", || {
        home.qd(["jobs", "show", &job["id"].to_string(), "--json"]).json()["state"] == "done"
    });
    door.get(WRONG, "/jobs").is(401);
    let entries = home.qd(["audit", "--json"]).ok().events();
    let launch = entries.iter().find(|entry| entry["act"] == "launch").expect("it was written down");
    assert_eq!(launch["from"], "API (ci), 127.0.0.1");
    assert!(entries.iter().any(|entry| entry["note"] == "made ci: run,edit"), "{entries:?}");
    eventually("the log is written", || requests(&home).iter().any(|line| line["status"] == 401));
    let launched = requests(&home).into_iter().find(|line| line["path"] == "/api/v1/jobs" && line["status"] == 201);
    let launched = launched.expect("noted");
    assert_eq!((&launched["key"], &launched["method"]), (&json!("ci"), &json!("POST")));
    home.qd(["tokens", "revoke", "ci"]).ok();
    let secret = run.trim_start_matches("qd_");
    for folder in ["state", "data", "cache", "run", "config"] {
        assert!(!any_file_holds(&home.path().join(folder), secret.as_bytes()), "the key is in {folder}");
        assert!(!any_file_holds(&home.path().join(folder), b"hunter2"), "what stood behind the ? is in {folder}");
    }
}

#[test]
fn a_key_has_so_many_requests_a_minute_and_both_headers_say_when_it_has_more() {
    let home = Home::empty();
    home.config("[listen]\nrate = 3\n");
    let door = Door::open(&home, []);
    let (one, other) = (key(&home, "one", []), key(&home, "other", []));
    let now = jiff::Timestamp::now().as_second();
    let refused = (0..=6).map(|_| door.get(&one, "/hello")).find(|answer| answer.status == 429).expect("no more");
    assert!(refused.title().contains("too many requests"));
    let reset: i64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
    let after: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(reset > now && after >= 1, "{reset} {after}");
    door.get(&other, "/hello").is(200);
}

#[test]
fn without_tls_it_listens_on_this_machine_alone_and_says_the_way_out() {
    let home = Home::empty();
    let refused = home.qd(["serve", "--listen", "0.0.0.0:0"]).exits(2);
    refused.says(&["keys would cross the network in clear", "--tls-cert"]);
    home.qd(["serve", "--listen", "bastion:1"]).exits(2).says(&["expected ADDRESS:PORT"]);
    home.qd(["serve", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem"]).exits(2);
    let pair = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem", "--tls-key", "k.pem"];
    home.qd(pair).exits(1).says(&["c.pem: "]);
    home.config("[listen]\naddress = \"0.0.0.0:7443\"\n");
    home.qd(["config", "check"]).exits(2);
}

#[test]
fn an_engine_in_the_background_listens_too_and_does_without_when_it_cannot() {
    let home = Home::empty();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listens = format!("[listen]\naddress = \"{address}\"\n");
    home.config(&listens);
    let said = home.qd(["doctor"]);
    assert!(said.text().contains("other programs cannot come in"), "{said}");
    home.qd(["serve"]).exits(1).says(&["already runs"]);
    drop(taken);
    home.config(&format!("{listens}[engine]\nidle_exit = \"100ms\"\n"));
    home.qd(["serve", "--replace", "--background"]).ok();
    let key = key(&home, "a", []);
    let engine = home.engine();
    let stream = |_| TcpStream::connect(address).expect("it listens");
    let mut streams: Vec<TcpStream> = (0..3).map(stream).collect();
    // idle for longer than it would otherwise stay: each of these is answered, after the one before has been
    for stream in &mut streams {
        stream.write_all(&Request::new("GET", "/hello").basic(&key).bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::read(&bytes).is(200);
    }
    assert_eq!(home.engine(), engine);
    assert!(home.qd(["doctor"]).ok().text().contains(&address.to_string()));
}

#[test]
fn a_door_that_an_edit_asks_for_is_told_of_until_the_jobs_let_it_open() {
    let home = Home::empty();
    home.script("waits.sh", "#!/bin/sh\nuntil [ -e \"$HOME/go\" ]; do sleep 0.1; done\n");
    home.qd(["run", "waits.sh", "--target", "local"]).ok();
    home.config("[listen]\naddress = \"127.0.0.1:0\"\n");
    let says =
        ["http://127.0.0.1:0 is not open yet", "when the jobs that run have ended", "serve --replace --background"];
    home.qd(["config", "check"]).ok().says(&says);
    let doctor = home.qd(["doctor"]).exits(1).text();
    assert!(says.iter().all(|words| doctor.contains(words)), "{doctor}");
    home.qd(["serve", "--listen", "127.0.0.1:0"]).exits(1).says(&["already runs", "as soon as no job runs"]);
    home.write("home/go", "");
    home.ended_job(1);
    eventually("it is open", || home.qd(["doctor"]).text().contains("other programs find it on http://127.0.0.1:"));
    assert!(!home.qd(["config", "check"]).ok().errors().contains("not open yet"));
}

#[test]
fn an_engine_that_ends_finishes_what_it_answers_and_hangs_up_on_the_rest() {
    let home = Home::empty();
    let mut door = Door::open(&home, []);
    let key = key(&home, "a", []);
    let mut events = door.connect();
    events.write_all(&Request::new("GET", "/events").basic(&key).bytes()).unwrap();
    let mut first = [0; 8];
    events.read_exact(&mut first).unwrap();
    let idle = door.connect();
    door.going.signal(rustix::process::Signal::TERM);
    assert!(door.going.end().success());
    drop(idle);
}

#[test]
fn a_stream_ends_with_its_key() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let key = key(&home, "a", []);
    let mut events = door.connect();
    events.write_all(&Request::new("GET", "/events").basic(&key).bytes()).unwrap();
    let mut first = [0; 8];
    events.read_exact(&mut first).unwrap();
    home.qd(["tokens", "revoke", "a"]).ok();
    let mut rest = Vec::new();
    events.read_to_end(&mut rest).expect("it ends");
}

mod tls {
    use super::*;

    struct Pair {
        certificate: String,
        key: String,
    }

    fn write(folder: &Path, pem: bool) -> Pair {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("c.pem"), folder.join("k.pem"));
        std::fs::write(&certificate, if pem { own.cert.pem() } else { "not a certificate".to_owned() }).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Pair { certificate: text(&certificate), key: text(&key) }
    }

    /// Whom it trusts is one certificate.
    fn client(certificate: &str) -> reqwest::Client {
        let tls = quarterdeck::connectors::tls::trusting(Some(Path::new(certificate))).unwrap();
        reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
    }

    fn hello(certificate: &str, door: &Door, key: &str) -> Option<u16> {
        let url = format!("{}/api/v1/hello", door.url);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = client(certificate).get(url).basic_auth(key, Some("")).send();
        runtime.block_on(asked).ok().map(|answer| answer.status().as_u16())
    }

    #[test]
    fn its_certificate_is_read_again_when_it_changes_and_kept_when_the_new_one_is_bad() {
        let home = Home::empty();
        let pair = write(&home.work(), true);
        let first = home.work().join("first.pem");
        std::fs::copy(&pair.certificate, &first).unwrap();
        let first = first.to_str().unwrap();
        let door = Door::open(&home, ["--tls-cert", &pair.certificate, "--tls-key", &pair.key]);
        assert!(door.url.starts_with("https://127.0.0.1:"), "{}", door.url);
        let key = key(&home, "a", []);
        assert_eq!(hello(first, &door, &key), Some(200));
        assert_eq!(hello(first, &door, WRONG), Some(401));

        write(&home.work(), false);
        let log = home.state().join("engine.log");
        let said = |text: &str| std::fs::read_to_string(&log).unwrap_or_default().contains(text);
        eventually("the bad one is noticed", || {
            assert_eq!(hello(first, &door, &key), Some(200), "the one before goes on");
            said("no certificate in it")
        });

        let pair = write(&home.work(), true);
        eventually("the new one is used", || hello(&pair.certificate, &door, &key) == Some(200));
        assert_eq!(hello(first, &door, &key), None, "and the one before is not");
    }

    #[test]
    fn what_is_no_tls_is_hung_up_on() {
        let home = Home::empty();
        home.config(HASTY);
        let pair = write(&home.work(), true);
        let door = Door::open(&home, ["--tls-cert", &pair.certificate, "--tls-key", &pair.key]);
        let key = key(&home, "a", []);
        for bytes in [
            Request::new("GET", "/hello").basic(&key).bytes(),
            b"\x16\x03\x01\xff\xff\x01".to_vec(),
            b"\x00".repeat(100_000),
            b"\x16\x03\x01".to_vec(),
            Vec::new(),
        ] {
            let said = door.raw(&bytes);
            assert!(!String::from_utf8_lossy(&said).contains("HTTP/"), "{said:?}");
        }
        eventually("it answers", || hello(&pair.certificate, &door, &key) == Some(200));
    }
}

mod bad_input {
    use super::*;

    /// With one script, so that the samples of a new library are not made.
    fn home_with_a_script() -> Home {
        let home = Home::empty();
        home.script("own.sh", "#!/bin/sh\n");
        home
    }

    /// It answers, and what must not have happened has not.
    #[track_caller]
    fn unharmed(door: &Door, key: &str, home: &Home) {
        // (a hasty one may lose its patience with a machine that is slow)
        eventually("it answers", || door.get(key, "/hello").status == 200);
        assert_eq!(std::fs::read_dir(home.library()).map_or(0, Iterator::count), 1, "no script was made");
        assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json().as_array().map(Vec::len), Some(0));
    }

    #[test]
    fn bodies_that_are_too_much_broken_or_no_json() {
        let home = home_with_a_script();
        home.config(HASTY);
        let door = Door::open(&home, []);
        let key = key(&home, "a", ["--scope", "run,edit"]);
        let save =
            |body: Vec<u8>| door.ask(&Request::new("POST", "/library/save").basic(&key).body("application/json", body));
        // said to be 100 MB: refused before any of it is taken
        let large = Request::new("POST", "/library/save").basic(&key).header("Content-Length", "104857600");
        assert!(door.ask(&large).is(413).title().contains("24 MiB at most"));
        // 100 MB in pieces, of a length that nobody said
        let mut chunked =
            Request::new("POST", "/library/save").basic(&key).header("Transfer-Encoding", "chunked").bytes();
        let piece = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
        (0..100).for_each(|_| chunked.extend(&piece));
        let answer = Answer::read(&door.raw(&chunked));
        assert!([0, 413].contains(&answer.status), "{answer:?}");
        // nested beyond all measure
        let bomb = [b"[".repeat(5_000_000), b"]".repeat(5_000_000)].concat();
        assert!((400..500).contains(&save(bomb).status));
        assert!(!save(b"{\"a\":".repeat(100_000)).title().is_empty());
        assert!(!save(b"\xff\xfe{".to_vec()).title().is_empty());
        assert!(!save(b"{}".to_vec()).title().is_empty());
        let plain = Request::new("POST", "/library/save").basic(&key).body("text/plain", "{}");
        assert!(!door.ask(&plain).is(415).title().is_empty());
        // half of it, and then nothing
        let half = Request::new("POST", "/library/save").basic(&key).header("Content-Length", "1000").bytes();
        assert!(Answer::read(&door.raw(&half)).is(408).title().contains("in time"));
        // half of it, and gone
        let mut stream = door.connect();
        stream.write_all(&half).unwrap();
        drop(stream);
        // without a key nothing is read
        let stranger = Request::new("POST", "/library/save").header("Content-Length", "104857600");
        door.ask(&stranger).is(401);
        unharmed(&door, &key, &home);
    }

    #[test]
    fn heads_that_are_no_http_or_come_too_slowly() {
        let home = home_with_a_script();
        home.config(HASTY);
        let door = Door::open(&home, []);
        let key = key(&home, "a", []);
        let endless = [b"GET /".as_slice(), &b"a".repeat(1 << 20)].concat();
        let headers = format!("GET /api/v1/hello HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
        for bytes in [
            b"GET /api/v1/hello\r\n\r\n".as_slice(), // HTTP/0.9
            b"\r\n\r\n\r\n",
            b"hello\n",
            b"GET /api/v1/hello HTTP/1.1\r\n", // and nothing more
            b"GET /api/v1/hello HTTP/9.9\r\n\r\n",
            b"POST /api/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"GET /api/v1/hello HTTP/1.1\r\nHo\0st: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            &endless,
            headers.as_bytes(),
            b"",
        ] {
            let answer = Answer::read(&door.raw(bytes));
            assert!(answer.status == 0 || (400..600).contains(&answer.status), "{answer:?}");
        }
        // a byte now and then: the door does not wait for the end of it
        let mut slow = door.connect();
        slow.write_all(b"GET /api/v1/hello HTTP/1.1\r\nX: ").unwrap();
        eventually("it hangs up", || slow.write_all(b"y").is_err());
        unharmed(&door, &key, &home);
    }

    #[test]
    fn paths_that_try_to_get_around_the_scopes() {
        let home = home_with_a_script();
        let door = Door::open(&home, []);
        let read = key(&home, "a", []);
        for path in [
            "!/api/v1//audit",
            "!/api/v1/./audit",
            "!/api/v1/x/../audit",
            "!/api/v1/%61udit",
            "!/api/v1/audit%2f",
            "!/api/v1/audit;x",
            "!/API/v1/audit",
            "!/api/v1/audit/",
            "!/api/v1/jobs/../audit",
            "!//api/v1/audit",
            "!http://bastion/api/v1/audit",
        ] {
            let answer = door.ask(&Request::new("GET", path).basic(&read));
            assert!([400, 403, 404].contains(&answer.status), "{path}: {answer:?}");
        }
        let overridden =
            Request::new("POST", "/hello?_method=GET").basic(&read).header("X-HTTP-Method-Override", "GET");
        door.ask(&overridden).is(405);
        assert!(!door.get(&read, "/jobs/seven").title().is_empty());
        unharmed(&door, &read, &home);
    }

    #[test]
    fn too_many_at_once_are_hung_up_on_and_room_comes_back() {
        let home = home_with_a_script();
        home.config("[listen]\nconnections = 4\n");
        let door = Door::open(&home, []);
        let key = key(&home, "a", []);
        let held: Vec<TcpStream> = (0..4).map(|_| door.connect()).collect();
        // (those four are taken in before the fifth, in the order in which they came)
        assert_eq!(door.ask(&Request::new("GET", "/hello").basic(&key)).status, 0);
        drop(held);
        eventually("there is room again", || door.ask(&Request::new("GET", "/hello").basic(&key)).status == 200);
        unharmed(&door, &key, &home);
    }

    #[test]
    fn wrong_keys_are_answered_all_the_same_and_right_ones_are_not_held_up() {
        let home = home_with_a_script();
        let door = Door::open(&home, []);
        let key = key(&home, "a", []);
        for _ in 0..6 {
            assert!(door.get(WRONG, "/hello").is(401).title().contains("not known here"));
        }
        unharmed(&door, &key, &home);
    }
}
