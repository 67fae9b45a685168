//! WebScripts servers, as an operator meets them through the verbs: the real server from PyPI, single-threaded and with
//! threads. Every limit of it that a client can meet is met here.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::pty::any_file_holds;
use support::verb::of_kind;
use support::webscripts::{Does, Relay, Server, Site, connection};
use support::{Console, Home, Ran, eventually};

const ARGUMENTS: &str = "n=0\nfor a in \"$@\"; do n=$((n + 1)); echo \"argv[$n]=$a\"; done\necho \"argc=$n\"\ncat\n";

/// Prints a line each tenth of a second.
const LINES: &str = "i=1\nwhile [ $i -le 20 ]; do echo \"line $i\"; sleep 0.1; i=$((i + 1)); done\n";

/// The same, but the second comes when a file is there: whatever a test does meanwhile is in time.
fn held_lines(gate: &Path) -> String {
    let rest = LINES.replace("i=1", "i=2");
    format!("echo 'line 1'\n{}{rest}", until(gate))
}

fn until(gate: &Path) -> String {
    format!("while [ ! -e {} ]; do sleep 0.05; done\n", gate.display())
}

fn arguments() -> Value {
    json!({ "description": "Prints what it gets.", "args": [
        { "name": "name", "description": "A positional text", "example": "bob" },
        { "name": "--count", "html_type": "number", "default_value": "3" },
        { "name": "--verbose", "html_type": "checkbox" },
        { "name": "tags", "list": true },
        { "name": "color", "predefined_values": ["", "red", "green"], "default_value": "red" },
        { "name": "secret", "html_type": "password", "input": true },
        { "name": "text", "input": true },
        { "name": "document", "html_type": "file", "input": true },
        { "name": "note", "is_advanced": true },
    ] })
}

/// A home that knows the server as `ws`, as a user of its own.
fn home_of(home: &Home, server: &Server, url: &str, more: &str) -> String {
    let user = server.user();
    home.config(&connection(home, "ws", url, &user, more));
    user
}

fn lines(ran: &Ran, stream: &str) -> Vec<String> {
    let events = ran.events();
    let of = of_kind(&events, "output").into_iter().filter(|line| line["stream"] == stream);
    of.filter_map(|line| line["text"].as_str().map(str::to_owned)).collect()
}

/// How the one run ended: state, exit code, reason.
fn end(job: &Value) -> (String, Value, String) {
    let run = &job["runs"][0];
    let text = |key: &str| run[key].as_str().unwrap_or_default().to_owned();
    (text("state"), run["exit_code"].clone(), text("reason"))
}

#[track_caller]
fn launch(home: &Home, script: &str) -> u64 {
    home.qd(["run", script]).ok().job_id()
}

/// Something that was kept, remarks among the lines too.
fn kept(folder: &Path, text: &str) -> bool {
    any_file_holds(folder, text.as_bytes())
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("line {n}")).collect()
}

#[test]
fn a_servers_scripts_stand_beside_the_local_ones() {
    let home = Home::empty();
    let server = Site::new()
        .script("arguments.sh", ARGUMENTS, arguments())
        .script("admins.sh", "echo no\n", json!({ "access_groups": [1000] }))
        .start(&home, "site");
    let user = home_of(&home, &server, &server.url(), "protected = true");
    let library = home.qd(["scripts", "ls", "--json"]).ok().json();
    let scripts = library["scripts"].as_array().expect("scripts");
    let own: Vec<&Value> = scripts.iter().filter(|script| script["connection"] == "ws").collect();
    assert_eq!(own.len(), 1, "what the user may not run is not shown: {own:?}");
    assert_eq!(own[0]["name"], "ws:arguments.sh");
    assert_eq!(
        (own[0]["category"].as_str(), own[0]["describe"].as_str()),
        (Some("Demo"), Some("Prints what it gets."))
    );
    assert!(own[0]["read_only"].as_str().expect("why").contains("script_folder"));
    for (arguments, why) in [
        (&["scripts", "rename", "ws:arguments.sh", "x.sh"][..], "server's own configuration"),
        (&["scripts", "delete", "ws:arguments.sh", "--yes"], "cannot be read or changed here"),
        (&["run", "ws:arguments.sh", "--param", "colour=red"], "did you mean 'color'"),
        (&["run", "ws:arguments.sh", "--param", "count=many"], "is a number"),
        (&["run", "ws:argument.sh"], "did you mean"),
        (&["run", "ws:arguments.sh", "--target", "local"], "not of kind webscripts"),
        (&["run", "disk-use.sh", "--target", "ws"], "of kind webscripts, which runs its own scripts alone"),
        (&["run", "disk-use.sh"], "--target"),
    ] {
        let ran = home.verb(arguments.iter().copied()).run();
        assert_ne!(ran.code(), 0, "{ran}");
        assert!(ran.errors().contains(why), "{why}: {ran}");
    }
    let told = home.qd(["doctor", "ws", "--json"]).ok().json();
    let steps: BTreeMap<&str, &str> = told["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|s| (s["label"].as_str().unwrap(), s["text"].as_str().unwrap()))
        .collect();
    assert_eq!((steps["answers"], steps["scripts"]), ("WebScripts 3.0.39", "1 in 1 category"));
    assert_eq!(steps["login"], format!("user {user}"));
    let targets = home.qd(["targets", "ls", "--json"]).ok().text();
    assert!(targets.contains("ws:ws"), "{targets}");
}

#[test]
fn arguments_arrive_in_the_servers_order_and_stdin_byte_for_byte() {
    let home = Home::empty();
    let server = Site::new().script("arguments.sh", ARGUMENTS, arguments()).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let document = home.file("document", b"\xff\n");
    let token = home.private("token", "s3cret-of-a-launch\n");
    let (document, secret) = (format!("document={document}"), format!("secret=@{}", token.display()));
    let run = home.verb([
        "run",
        "ws:arguments.sh",
        "--param",
        "color=green",
        "--param",
        "tags=a",
        "--param",
        "tags=b c",
        "--param",
        "verbose=true",
        "--param",
        "count=8.8",
        "--param",
        "name=漢 bob",
        "--param",
        "text=漢é",
        "--param",
        &document,
        "--secret",
        &secret,
        "--wait",
        "--json",
    ]);
    let ran = run.run().ok();
    let expected = [
        "argv[1]=漢 bob",
        "argv[2]=--count",
        "argv[3]=8.8",
        "argv[4]=--verbose",
        "argv[5]=a",
        "argv[6]=b c",
        "argv[7]=green",
        "argc=7",
        "s3cret-of-a-launch",
        "漢é",
        "/wo=",
    ];
    assert_eq!(lines(&ran, "out"), expected);
    // what is left out is not sent, a default is; what a secret prints is all that is kept of it
    assert_eq!(
        lines(&home.qd(["run", "ws:arguments.sh", "--wait", "--json"]).ok(), "out"),
        ["argv[1]=--count", "argv[2]=3", "argv[3]=red", "argc=3"]
    );
    let history = home.job(1);
    assert!(!history["params"].to_string().contains("s3cret"), "{history}");
    assert!(history["params"].to_string().contains("hidden"), "{history}");
}

#[test]
fn neither_password_nor_session_is_kept_or_sent_anywhere_but_to_the_login() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    let user = home_of(&home, &server, &relay.url(), "");
    for _ in 0..5 {
        home.qd(["run", "ws:hello.sh", "--wait"]).ok();
    }
    assert_eq!(relay.count("POST /auth/"), 1, "logged in once for all of it");
    let passed = relay.passed();
    for request in &passed {
        let has = |name: &str| request.headers.iter().any(|header| header.starts_with(name));
        assert!(!has("authorization:") && !has("api-key:") && !has("cookie:"), "{request:?}");
        assert_eq!(
            has("api-token:"),
            request.line.starts_with("POST /api/") || request.line.starts_with("GET /api/"),
            "{request:?}"
        );
    }
    assert!(passed.iter().all(|request| !request.line.starts_with("GET /api/scripts/")), "that would run it");
    let tokens: Vec<String> = passed
        .iter()
        .flat_map(|request| &request.headers)
        .filter_map(|header| header.strip_prefix("api-token: sessionid=").map(str::to_owned))
        .collect();
    for secret in [format!("{user}-pass"), tokens[0].clone()] {
        assert!(!kept(&home.state(), &secret), "nothing of it in the state folder");
        assert!(home.processes().iter().all(|process| !process.command.to_lowercase().contains(&secret)));
    }
}

#[test]
fn a_plain_script_ends_by_itself_by_a_signal_or_by_the_servers_timeout() {
    let home = Home::empty();
    let site = Site::new()
        .script("fails.sh", "echo half; echo 'the rest' >&2; exit 3\n", json!({}))
        .script("killed.sh", "echo dying; kill -SEGV $$\n", json!({}))
        .script("slow.sh", "echo started; exec sleep 30\n", json!({ "timeout": 1 }))
        .script("gone.sh", "echo x\n", json!({}))
        .script("broken.sh", "echo x\n", json!({ "launcher": null }));
    let server = site.start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    std::fs::remove_file(server.folder.join("scripts/gone.sh")).expect("it was there");
    let ran = home.qd(["run", "ws:fails.sh", "--wait", "--json"]).exits(3);
    assert_eq!((lines(&ran, "out"), lines(&ran, "err")), (vec!["half".into()], vec!["the rest".into()]));
    assert!(kept(&home.state(), "stderr, which the server hands over at the end"));
    let ended = |script: &str| end(&home.ended_job(launch(&home, script)));
    let (state, code, reason) = ended("ws:killed.sh");
    assert_eq!((state.as_str(), code, reason.as_str()), ("failed", Value::Null, "ended by signal SEGV"));
    let (state, code, reason) = ended("ws:slow.sh");
    assert_eq!((state.as_str(), code), ("timeout", Value::Null));
    assert!(reason.contains("the server's own timeout"), "{reason}");
    let (state, code, _) = ended("ws:gone.sh");
    assert_eq!((state.as_str(), code), ("failed", 2.into()), "its launcher finds no file");
    let (state, code, reason) = ended("ws:broken.sh");
    assert_eq!((state.as_str(), code), ("failed", Value::Null));
    assert!(reason.contains("(500)") && reason.contains("may have been run all the same"), "{reason}");
}

#[test]
fn lines_come_as_the_script_prints_them_and_stderr_with_its_end() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let text =
        format!("echo first; echo warning >&2; while [ ! -e {} ]; do sleep 0.05; done; echo second\n", gate.display());
    let server = Site::new().live("live.sh", &text, 60).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let mut going = home.verb(["run", "ws:live.sh", "--wait", "--json"]).spawn();
    let told = going.lines();
    told.until("the first line, while the script runs", |line| line.contains("\"first\""));
    std::fs::write(&gate, "").expect("the gate opens");
    told.until("the second", |line| line.contains("\"second\""));
    told.until("stderr behind all of stdout", |line| line.contains("\"warning\"") && line.contains("\"err\""));
    assert_eq!(going.end().code(), Some(0));
}

#[test]
fn a_live_script_ends_in_as_many_ways_and_each_is_told() {
    let home = Home::empty();
    let loud =
        "i=0; while [ $i -lt 3000 ]; do echo 'forty characters of stderr, or nearly so' >&2; i=$((i + 1)); done\n";
    let site = Site::new()
        .live("fails.sh", "echo a; exit 7\n", 60)
        .live("slow.sh", "echo started; exec sleep 30\n", 1)
        .live("stderr.sh", &format!("echo before\n{loud}echo after\n"), 3)
        .live("closed.sh", "echo a; exec >&-; sleep 1; exit 5\n", 60)
        .live("progress.sh", "printf 'a\\rb\\rc'; sleep 0.3; printf '\\rd\\n'; exit 0\n", 60)
        .script("endless.sh", "echo one; sleep 0.3; echo two\n", json!({ "timeout": null, "print_real_time": true }));
    let server = site.threads().start(&home, "site");
    home_of(&home, &server, &server.url(), "threaded = true");
    let jobs: BTreeMap<&str, u64> = ["fails", "slow", "stderr", "closed", "progress", "endless"]
        .into_iter()
        .map(|name| (name, launch(&home, &format!("ws:{name}.sh"))))
        .collect();
    let ended =
        |name: &str| (end(&home.ended_job(jobs[name])), String::from_utf8(home.output(jobs[name], &[])).unwrap());
    let ((state, code, _), out) = ended("fails");
    assert_eq!((state.as_str(), code, out.as_str()), ("failed", 7.into(), "a\n"));
    // which of its three shapes the server's timeout takes is a race on the server: each names it
    for name in ["slow", "stderr"] {
        let ((state, code, reason), out) = ended(name);
        assert_eq!(code, Value::Null, "{name}: {reason}");
        assert!(state == "timeout" || state == "failed", "{name}: {state}");
        assert!(reason.contains("the server's own timeout"), "{name}: {reason}");
        assert!(out.starts_with("started") || out.starts_with("before"), "{name}: {out}");
    }
    let ((state, code, _), out) = ended("closed");
    assert_eq!((state.as_str(), code, out.as_str()), ("failed", 5.into(), "a\n"), "a closed stdout is no end");
    let ((state, ..), out) = ended("progress");
    assert_eq!((state.as_str(), out.as_str()), ("ok", "a\rb\rc\rd\n"));
    let ((state, code, reason), out) = ended("endless");
    assert_eq!((state.as_str(), code), ("failed", Value::Null));
    assert!(reason.contains("sets no `timeout`") && reason.contains("outcome unknown"), "{reason}");
    assert!(out.starts_with("one\n"), "what came before is kept: {out}");
}

#[test]
fn twenty_megabytes_come_whole() {
    let home = Home::empty();
    let text = "head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 99\n";
    let server = Site::new().script("large.sh", text, json!({})).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let id = launch(&home, "ws:large.sh");
    let job = home.ended_job(id);
    assert_eq!(end(&job).0, "ok", "{job}");
    let output = home.output(id, &[]);
    assert_eq!(output.iter().filter(|byte| **byte == b'x').count(), 20_000_000);
}

#[test]
fn a_poll_that_breaks_off_loses_its_line_visibly_and_nothing_else() {
    let home = Home::empty();
    let server = Site::new().live("lines.sh", LINES, 60).start(&home, "site");
    let relay = Relay::before(&server, Does::DropPoll(3));
    home_of(&home, &server, &relay.url(), "");
    let id = launch(&home, "ws:lines.sh");
    let job = home.ended_job(id);
    assert_eq!(end(&job).0, "ok", "{job}");
    let output = String::from_utf8(home.output(id, &[])).expect("text");
    let came: Vec<String> = output.lines().map(str::to_owned).collect();
    let missing: Vec<String> = numbered(20).into_iter().filter(|line| !came.contains(line)).collect();
    assert_eq!((came.len(), missing.len()), (19, 1), "{output}");
    assert!(kept(&home.state(), "a line may be missing here"));
}

#[test]
fn a_server_that_serves_one_request_at_a_time_is_asked_one_thing_at_a_time() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let server = Site::new().live("lines.sh", &(until(&gate) + LINES), 120).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "");
    let jobs: Vec<u64> = (0..4).map(|_| launch(&home, "ws:lines.sh")).collect();
    std::fs::write(&gate, "").expect("all of them begin");
    for id in jobs {
        let job = home.ended_job(id);
        assert_eq!(end(&job).0, "ok", "{job}");
        let output = String::from_utf8(home.output(id, &[])).expect("text");
        assert_eq!(output.lines().collect::<Vec<_>>(), numbered(20));
    }
    assert_eq!(relay.most_at_once(), 1, "never two connections at the same time");
    // turns are taken: between two polls of a run the others have theirs
    let polls: Vec<String> = relay
        .passed()
        .into_iter()
        .map(|passed| passed.line)
        .filter(|line| line.starts_with("GET /api/script/get/"))
        .collect();
    let same = polls.windows(2).filter(|two| two[0] == two[1]).count();
    assert!(same * 2 < polls.len(), "{same} of {} polls follow one of the same run", polls.len());
}

#[test]
fn twenty_jobs_on_a_threaded_server_lose_no_line() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let server = Site::new().live("lines.sh", &(until(&gate) + LINES), 120).threads().start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "threaded = true");
    let jobs: Vec<u64> = (0..20).map(|_| launch(&home, "ws:lines.sh")).collect();
    std::fs::write(&gate, "").expect("all of them begin");
    for id in jobs {
        let job = home.ended_job(id);
        assert_eq!(end(&job).0, "ok", "{job}");
        let output = String::from_utf8(home.output(id, &[])).expect("text");
        assert_eq!(output.lines().collect::<Vec<_>>(), numbered(20), "job {id}");
    }
    assert!(relay.most_at_once() > 1, "they ran side by side");
    assert_eq!(relay.count("POST /auth/"), 1);
}

#[test]
fn what_runs_on_a_server_cannot_be_stopped_and_what_waits_for_it_can() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let text = format!("while [ ! -e {} ]; do sleep 0.05; done; echo done\n", gate.display());
    let server = Site::new().script("waits.sh", &text, json!({})).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let running = launch(&home, "ws:waits.sh");
    eventually("it runs", || end(&home.job(running)).0 == "running");
    let waiting = launch(&home, "ws:waits.sh");
    eventually("it is sent, and waits for its turn", || end(&home.job(waiting)).0 == "sent");
    let refused = home.qd(["jobs", "stop", &running.to_string()]);
    assert_ne!(refused.code(), 0, "{refused}");
    assert!(refused.errors().contains("WebScripts cannot stop a script"), "{refused}");
    home.qd(["jobs", "stop", &waiting.to_string()]).ok();
    assert_eq!(end(&home.ended_job(waiting)).0, "cancelled");
    std::fs::write(&gate, "").expect("the gate opens");
    assert_eq!(end(&home.ended_job(running)).0, "ok");
}

#[test]
fn a_ban_is_waited_out_and_never_caused() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let site =
        Site::new().script("hello.sh", "echo hello\n", json!({})).live("lines.sh", &held_lines(&gate), 120).threads();
    let server = site.server("auth_failures_to_blacklist", 3).server("blacklist_time", 3).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "threaded = true");
    home.qd(["run", "ws:hello.sh", "--wait"]).ok();
    let id = launch(&home, "ws:lines.sh");
    eventually("its first line is here", || !home.output(id, &[]).is_empty());
    let other = server.user();
    let shut_out = (0..5).any(|_| server.log_in(&other).starts_with("HTTP/1.0 403"));
    assert!(shut_out, "somebody else on this machine logs in too often");
    std::fs::write(&gate, "").expect("it goes on");
    let job = home.ended_job(id);
    assert_eq!(end(&job).0, "ok", "{job}");
    assert_eq!(String::from_utf8(home.output(id, &[])).unwrap().lines().collect::<Vec<_>>(), numbered(20));
    assert!(kept(&home.state(), "has shut this machine out"));
    assert_eq!(relay.count("POST /auth/"), 1, "our own part in it");
}

#[test]
fn a_session_that_ends_is_renewed_after_a_while_and_the_run_goes_on() {
    let home = Home::empty();
    let server = Site::new().live("lines.sh", LINES, 120).server("session_max_time", 2).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    home_of(&home, &server, &relay.url(), "");
    let id = launch(&home, "ws:lines.sh");
    let job = home.ended_job(id);
    assert_eq!(end(&job).0, "ok", "{job}");
    assert_eq!(String::from_utf8(home.output(id, &[])).unwrap().lines().collect::<Vec<_>>(), numbered(20));
    let logins: Vec<_> = relay.passed().into_iter().filter(|passed| passed.line.starts_with("POST /auth/")).collect();
    assert!(logins.len() > 1, "the session lasted for 2 s");
    assert!(logins.windows(2).all(|two| two[1].at - two[0].at >= Duration::from_secs(29)), "never two within 30 s");
}

#[test]
fn a_session_that_somebody_else_ended_is_renewed_too() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let server = Site::new().live("lines.sh", &held_lines(&gate), 120).threads().start(&home, "site");
    let user = home_of(&home, &server, &server.url(), "threaded = true");
    let id = launch(&home, "ws:lines.sh");
    eventually("its first line is here", || !home.output(id, &[]).is_empty());
    assert!(server.log_in(&user).contains("SessionID="), "the same user, elsewhere");
    std::fs::write(&gate, "").expect("it goes on");
    let job = home.ended_job(id);
    assert_eq!(end(&job).0, "ok", "{job}");
    assert_eq!(String::from_utf8(home.output(id, &[])).unwrap().lines().collect::<Vec<_>>(), numbered(20));
    assert!(kept(&home.state(), "logging in again waits"));
}

#[test]
fn what_the_server_refuses_says_why_and_is_not_asked_for_again_and_again() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let relay = Relay::before(&server, Does::Nothing);
    let entry = connection(&home, "ws", &relay.url(), &server.user(), "");
    home.private("ws.password", "wrong\n");
    home.config(&entry);
    for _ in 0..3 {
        let refused = home.qd(["run", "ws:hello.sh"]);
        assert_ne!(refused.code(), 0);
        assert!(refused.errors().contains("does not accept user"), "{refused}");
    }
    assert_eq!(relay.count("POST /auth/"), 1, "not within 30 s");
    let listed = home.qd(["scripts", "ls"]).ok();
    assert!(listed.errors().contains("does not accept user"), "{listed}");

    let strange = Home::empty();
    let relay = Relay::before(&server, Does::OtherHost);
    strange.config(&connection(&strange, "ws", &relay.url(), &server.user(), ""));
    let refused = strange.qd(["run", "ws:hello.sh"]);
    assert!(refused.errors().contains("(406)") && refused.errors().contains("`url`"), "{refused}");

    let silent = Home::empty();
    silent.config(&connection(&silent, "ws", "http://127.0.0.1:1", "ops", ""));
    let refused = silent.qd(["run", "ws:hello.sh"]);
    assert!(refused.errors().contains("the scripts of ws are not known"), "{refused}");
    silent.qd(["doctor", "ws"]).exits(1);
}

#[test]
fn a_run_whose_server_ends_is_lost_and_says_so() {
    let home = Home::empty();
    let server = Site::new().script("waits.sh", "exec sleep 60\n", json!({})).start(&home, "site");
    home_of(&home, &server, &server.url(), "");
    let id = launch(&home, "ws:waits.sh");
    eventually("it runs", || end(&home.job(id)).0 == "running");
    eventually("the server has been asked", || kept(&home.state(), "waits for the server"));
    server.kill();
    let (state, code, reason) = end(&home.ended_job(id));
    assert_eq!((state.as_str(), code), ("failed", Value::Null));
    assert!(reason.contains("may have been run") && reason.contains("outcome unknown"), "{reason}");
}

#[test]
fn a_launch_on_a_group_of_servers_runs_on_each_that_has_the_script() {
    let home = Home::empty();
    let one = Site::new().script("who.sh", "echo one\n", json!({})).start(&home, "one");
    let two = Site::new().script("who.sh", "echo two\n", json!({})).start(&home, "two");
    let three = Site::new().script("other.sh", "echo three\n", json!({})).start(&home, "three");
    let entry =
        |name: &str, server: &Server| connection(&home, name, &server.url(), &server.user(), "groups = [\"reports\"]");
    home.config(&[entry("ws1", &one), entry("ws2", &two), entry("ws3", &three)].concat());
    let ran = home.qd(["run", "ws1:who.sh", "--target", "reports", "--wait", "--json"]).exits(3);
    let mut out = lines(&ran, "out");
    out.sort();
    assert_eq!(out, ["one", "two"]);
    let events = ran.events();
    let refused =
        of_kind(&events, "run").into_iter().find(|run| run["device"] == "ws3:ws3" && run["state"] == "failed");
    assert!(refused.expect("the third")["reason"].as_str().expect("why").contains("has no script who.sh"), "{ran}");
    home.qd(["run", "ws1:who.sh", "--wait"]).ok();
    // a job is run again by what was kept of the script's definition
    let again = home.qd(["rerun", "1", "--ok", "--json"]).ok().json();
    let job = home.ended_job(again["id"].as_u64().expect("an id"));
    assert_eq!(
        (&job["script"], &job["parent"], &job["counts"]["ok"]),
        (&"ws1:who.sh".into(), &1.into(), &2.into()),
        "{job}"
    );
}

#[test]
fn where_the_servers_folder_is_within_reach_its_scripts_are_edited_in_place() {
    let home = Home::empty();
    let server = Site::new().script("hello.sh", "echo hello\n", json!({})).start(&home, "site");
    let folder = server.folder.join("scripts");
    home_of(&home, &server, &server.url(), &format!("script_folder = {folder:?}"));
    let shown = home.qd(["scripts", "show", "ws:hello.sh", "--json"]).ok().json();
    assert_eq!((shown["text"].as_str(), &shown["read_only"]), (Some("echo hello\n"), &Value::Null));
    let editor = home.file("editor.sh", "#!/bin/sh\necho 'echo edited' > \"$1\"\n");
    let edit = Console::setup(&home).arguments(&["scripts", "edit", "ws:hello.sh"]);
    assert!(edit.env("EDITOR", &format!("sh {editor}")).start().exit().success());
    assert_eq!(std::fs::read_to_string(folder.join("hello.sh")).unwrap(), "echo edited\n");
    let ran = home.qd(["run", "ws:hello.sh", "--wait", "--json"]).ok();
    assert_eq!(lines(&ran, "out"), ["edited"]);
}

#[test]
fn in_the_console_its_scripts_hang_under_their_category_and_what_runs_cannot_be_stopped() {
    let home = Home::empty();
    let gate = home.path().join("gate");
    let text = format!("while [ ! -e {} ]; do sleep 0.05; done\necho done\n", gate.display());
    let site = Site::new().script("hello.sh", "echo hello\n", json!({ "description": "Says hello." })).script(
        "waits.sh",
        &text,
        json!({ "timeout": 600 }),
    );
    let server = site.start(&home, "site");
    let user = server.user();
    let away = connection(&home, "away", "http://127.0.0.1:1", "ops", "");
    home.config(&[connection(&home, "ws", &server.url(), &user, ""), away].concat());
    let mut console = Console::setup(&home).size(120, 40).start();
    console.sees("away  ! not read");
    console.sees("Demo  2");
    console.keys("G");
    console.sees("ws:waits.sh"); // in the preview: there it hangs without its connection
    console.sees("read-only: WebScripts hands out no script's text");
    console.keys("h");
    console.sees("2 scripts of ws");
    console.keys("h");
    console.sees("▸ Demo  2");
    console.keys("/hello");
    console.sees("1 of ");
    console.sees("ws:hello.sh");
    console.keys("<esc>");
    console.loses("ws:hello.sh");
    let id = launch(&home, "ws:waits.sh");
    eventually("it runs", || end(&home.job(id)).0 == "running");
    console.keys("3");
    console.sees("ws:waits.sh");
    console.keys("K");
    console.sees("WebScripts cannot stop a script");
    std::fs::write(&gate, "").expect("the gate opens");
    assert_eq!(end(&home.ended_job(id)).0, "ok");
    console.quit();
    // what was folded still is
    let mut again = Console::setup(&home).size(120, 40).start();
    again.sees("away  ! not read");
    again.sees("▸ Demo  2");
    again.quit();
}
