//! The limits and quirks of WebScripts, one after the other, met on the real server: what an operator is told, what is
//! kept, and that nothing is run twice.

mod support;

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::pty::any_file_holds;
use support::tls::Proxy;
use support::webscripts::{Does, Relay, Server, Site, connection};
use support::{Home, eventually};

fn home_of(home: &Home, server: &Server, url: &str, more: &str) -> String {
    let user = server.user();
    home.config(&connection(home, "ws", url, &user, more));
    user
}

#[track_caller]
fn launch(home: &Home, script: &str) -> u64 {
    home.qd(["run", script]).ok().job_id()
}

/// How the one run ended: state, exit code, reason.
fn end(job: &Value) -> (String, Value, String) {
    let run = &job["runs"][0];
    let text = |key: &str| run[key].as_str().unwrap_or_default().to_owned();
    (text("state"), run["exit_code"].clone(), text("reason"))
}

fn output(home: &Home, job: u64) -> String {
    String::from_utf8(home.output(job, &[])).expect("text")
}

/// Something that was kept, remarks among the lines too.
fn kept(home: &Home, text: &str) -> bool {
    any_file_holds(&home.state(), text.as_bytes())
}

/// A script that waits for a file.
fn until(gate: &Path) -> String {
    format!("while [ ! -e {} ]; do sleep 0.05; done\n", gate.display())
}

#[test]
fn over_tls_the_server_is_who_its_certificate_says_or_gets_nothing() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).live("live.sh", "echo a\necho b\n", 60);
    let server = server.start(&home, "site");
    let proxy = Proxy::before(server.port, &["localhost"]);
    let authority = home.file("ca.pem", proxy.pem.as_bytes());
    let url = format!("https://localhost:{}", proxy.port);
    home_of(&home, &server, &url, &format!("ca_file = {authority:?}"));
    let job = home.ended_job(launch(&home, "ws:hello.sh"));
    assert_eq!(end(&job), ("ok".into(), 0.into(), String::new()));
    let id = launch(&home, "ws:live.sh");
    home.ended_job(id);
    assert_eq!(output(&home, id), "a\nb\n");
    let told = home.qd(["doctor", "ws"]).ok().text();
    assert!(told.contains(&format!("{url}, trusting ")), "{told}");

    for (more, url, why) in [
        (String::new(), url.clone(), "write the file of who did as `ca_file`"),
        (format!("ca_file = {authority:?}"), format!("https://127.0.0.1:{}", proxy.port), "is for another name"),
        (format!("ca_file = {authority:?}"), format!("https://localhost:{}", server.port), "does not speak TLS"),
        ("ca_file = \"/nowhere/ca.pem\"".to_owned(), url, "/nowhere/ca.pem: "),
    ] {
        let stranger = Home::empty();
        home_of(&stranger, &server, &url, &more);
        let refused = stranger.qd(["run", "ws:hello.sh"]);
        assert_ne!(refused.code(), 0, "{refused}");
        assert!(refused.errors().contains(why), "{why}: {refused}");
    }
}

#[test]
fn a_result_that_nobody_could_fetch_in_time_has_expired() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let site = Site::new().live("short.sh", &format!("echo first\n{}echo second\n", until(&gate)), 10);
    let server = site.start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "");
    let other = server.log_in(&server.user());
    let session = other.split("SessionID=").nth(1).and_then(|rest| rest.split(';').next()).expect("a session");
    let session = format!("SessionID={session}");
    let id = launch(&home, "ws:short.sh");
    eventually("its first line is here", || output(&home, id) == "first\n");
    relay.shut(true);
    std::fs::write(&gate, "").expect("it goes on to its end");
    let passed = relay.passed();
    let poll = passed.iter().find(|passed| passed.line.starts_with("GET /api/script/get/")).expect("a poll");
    let key = poll.line.split(' ').nth(1).expect("a key").to_owned();
    eventually("the run is over, and the server forgets it", || {
        let said = server.asked_after(&key, &session);
        assert!(said.contains(" 403 ") || said.contains(" 404 "), "{said}");
        said.contains(" 404 ")
    });
    relay.shut(false);
    let (state, code, reason) = end(&home.ended_job(id));
    assert_eq!((state.as_str(), code), ("failed", Value::Null), "{reason}");
    assert!(reason.contains("outcome unknown"), "{reason}");
    // what the poll under way still brought is kept; if it brought the end, it was in time
    assert!(reason.contains("expired: the server keeps a result until the script's timeout"), "{reason}");
}

#[test]
fn after_a_restart_of_the_server_its_runs_are_lost_and_rights_are_what_they_are_now() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let site = || Site::new().live("waits.sh", &format!("echo first\n{}", until(&gate)), 120);
    let before = site().script("hello.sh", "echo hello\n", json!({})).threads().start(&home, "before");
    let now = site().script("hello.sh", "echo no\n", json!({ "access_groups": [1000] })).threads().start(&home, "now");
    let relay = Relay::before(&before, Does::Nothing);
    home_of(&home, &before, &relay.url(), "threaded = true");
    let running = launch(&home, "ws:waits.sh");
    eventually("its first line is here", || output(&home, running) == "first\n");
    relay.turn_to(&now);
    before.kill();
    // the list is as it was read: the right to it went with the restart
    let forbidden = launch(&home, "ws:hello.sh");
    let (state, code, reason) = end(&home.ended_job(running));
    assert_eq!((state.as_str(), code), ("failed", Value::Null), "{reason}");
    assert!(reason.contains("lost: ") && reason.contains("started anew"), "{reason}");
    let (state, code, reason) = end(&home.ended_job(forbidden));
    assert_eq!((state.as_str(), code), ("failed", Value::Null), "{reason}");
    assert!(reason.contains("has no right to run it (403)"), "{reason}");
    assert_eq!(relay.count("POST /auth/"), 2, "one session for both");
}

#[test]
fn an_engine_that_is_started_anew_does_not_log_in_again_at_once() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "");
    home.qd(["run", "ws:hello.sh", "--wait"]).ok();
    home.end_engine(Signal::TERM);
    let doctor = home.qd(["doctor", "ws"]).ok().text();
    let again = || relay.passed().iter().filter(|passed| passed.line.starts_with("POST /auth/")).count() > 1;
    assert!(doctor.contains("WebScripts shuts out who logs in too often") || again(), "said at once: {doctor}");
    eventually("the pause is over, and its scripts are read", || home.qd(["run", "ws:hello.sh"]).code() == 0);
    let logins: Vec<_> = relay.passed().into_iter().filter(|passed| passed.line.starts_with("POST /auth/")).collect();
    assert_eq!(logins.len(), 2);
    assert!(logins[1].at - logins[0].at >= Duration::from_secs(29), "never two within 30 s");
}

#[test]
fn a_list_that_cannot_be_read_again_stays_as_it_was() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let user = home_of(&home, &server, &server.url(), "");
    home.qd(["run", "ws:hello.sh", "--wait"]).ok();
    // to whoever has lost the session the server shows the list of nobody, and calls that fine
    assert!(server.log_in(&user).contains("SessionID="), "the same user, elsewhere");
    let mut asked = home.verb(["doctor", "ws"]).spawn();
    eventually("it is said, with the list as it was", || {
        let listed = home.qd(["scripts", "ls"]).ok();
        assert!(listed.text().contains("ws:hello.sh"), "{listed}");
        listed.errors().contains("logging in again waits")
    });
    assert_eq!(asked.end().code(), Some(0));
    eventually("by itself it is read when the pause is over", || {
        !home.qd(["scripts", "ls"]).ok().errors().contains("logging in again waits")
    });
}

#[test]
fn an_idle_connection_of_somebody_else_stops_the_server_and_is_waited_out() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    home.qd(["run", "ws:hello.sh", "--wait"]).ok();
    let idle = TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
    let id = launch(&home, "ws:hello.sh");
    eventually("that it takes long is said", || kept(&home, "waits for the server"));
    assert_eq!(end(&home.job(id)).0, "running");
    drop(idle);
    assert_eq!(end(&home.ended_job(id)).0, "ok");
}

#[test]
fn the_servers_timeout_ends_the_script_and_not_what_it_started() {
    let home = Home::empty();
    let (gate, pid) = (home.path().join("gate"), home.path().join("pid"));
    let text = format!("echo $$ > {}\n({}) &\nwait\n", pid.display(), until(&gate).trim_end());
    let server = Site::new().script("family.sh", &text, json!({ "timeout": 1 })).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let id = launch(&home, "ws:family.sh");
    eventually("the script itself is ended", || {
        let parent = std::fs::read_to_string(&pid).ok().and_then(|pid| pid.trim().parse::<i32>().ok());
        parent.is_some_and(|pid| !support::processes::alive(pid))
    });
    assert_eq!(end(&home.job(id)).0, "running", "what it started holds its output");
    std::fs::write(&gate, "").expect("that ends too");
    let (state, code, reason) = end(&home.ended_job(id));
    assert_eq!((state.as_str(), code), ("timeout", Value::Null), "{reason}");
}

#[test]
fn a_launch_whose_answer_is_lost_is_not_sent_again() {
    let home = Home::empty();
    let ran = home.path().join("ran");
    let server =
        Site::new().script("once.sh", &format!("echo x >> {}\n", ran.display()), json!({})).start(&home, "site");
    let relay = Relay::before(&server, Does::DropLaunches);
    home_of(&home, &server, &relay.url(), "");
    let (state, code, reason) = end(&home.ended_job(launch(&home, "ws:once.sh")));
    assert_eq!((state.as_str(), code), ("failed", Value::Null), "{reason}");
    assert!(reason.contains("it may have been run"), "{reason}");
    eventually("it has been", || std::fs::read_to_string(&ran).is_ok_and(|ran| ran == "x\n"));
    assert_eq!(relay.count("POST /api/scripts/"), 1);
}

#[test]
fn a_large_launch_that_is_refused_says_what_may_have_happened() {
    let home = Home::empty();
    let section = json!({ "args": [{ "name": "text", "html_type": "file", "input": true }] });
    let server = Site::new().script("reads.sh", "wc -c\n", section).start(&home, "site");
    let relay = Relay::before(&server, Does::OtherHostForLaunches);
    home_of(&home, &server, &relay.url(), "");
    let large = home.file("large", vec![b'x'; 4 << 20]);
    let id = home.qd(["run", "ws:reads.sh", "--param", &format!("text={large}")]).ok().job_id();
    let (state, code, reason) = end(&home.ended_job(id));
    assert_eq!((state.as_str(), code), ("failed", Value::Null), "{reason}");
    // the server answers before it has read all: its answer arrives, or the connection breaks first
    assert!(reason.contains("(406)") || reason.contains("refused so large a request"), "{reason}");
    assert_eq!(relay.count("POST /api/scripts/"), 1);
}

#[test]
fn what_the_server_would_not_check_is_checked_here() {
    let home = Home::empty();
    let section = json!({ "args": [
        { "name": "numbers", "list": true },
        { "name": "color", "predefined_values": ["red", "green"] },
        { "name": "--count", "html_type": "number" },
    ] });
    let server =
        Site::new().script("arguments.sh", "for a in \"$@\"; do echo \"$a\"; done\n", section).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    // numbers in a list go as text: the server fails on them otherwise; what is empty is not sent
    let run = home.qd(["run", "ws:arguments.sh", "--param", "numbers=1.5", "--param", "numbers=2", "--wait"]).ok();
    assert!(run.text().contains("1.5") && run.text().contains('2'), "{run}");
    // a name is written as the server has it, dashes and all, or without them
    for count in ["--count=4", "count=4"] {
        let run = home.qd(["run", "ws:arguments.sh", "--param", count, "--wait"]).ok();
        assert!(run.text().contains("--count") && run.text().contains('4'), "{run}");
    }
    for wrong in ["color=blue", "--count=many"] {
        let refused = home.qd(["run", "ws:arguments.sh", "--param", wrong]);
        assert_ne!(refused.code(), 0, "{refused}");
    }
}

#[test]
fn one_bad_byte_spoils_an_answer_and_no_terminal() {
    let home = Home::empty();
    let text = "printf '\\303\\251\\n\\377\\n'\nprintf 'a\\033[31mred\\007\\n'\n";
    let server = Site::new().script("bytes.sh", text, json!({})).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let id = launch(&home, "ws:bytes.sh");
    assert_eq!(end(&home.ended_job(id)).0, "ok");
    // the server reads all of it as Latin-1 where one byte is no UTF-8: what it says is kept as it says it
    assert_eq!(output(&home, id), "Ã©\nÿ\na\u{1b}[31mred\u{7}\n");
    let shown = home.qd(["run", "ws:bytes.sh", "--wait"]).ok();
    assert!(shown.text().contains("red") && !shown.text().contains(['\u{1b}', '\u{7}']), "{shown}");
}

#[test]
fn what_webscripts_cannot_log_in_with_is_not_tried() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    for (password, why) in [("-secret\n", "begins with `-`"), ("\n", "it is empty")] {
        let home = Home::empty();
        home_of(&home, &server, &relay.url(), "");
        home.private("ws.password", password);
        let refused = home.qd(["run", "ws:hello.sh"]);
        assert!(refused.errors().contains(why), "{refused}");
    }
    assert_eq!(relay.count("POST /auth/"), 0);
}
