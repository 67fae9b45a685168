//! What survives what: the console's end, the engine's end, a second engine, another version. A job belongs
//! to the engine, its output to the disk, and neither to the terminal it was started from.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::processes::{self, Process};
use support::verb::Verb;
use support::{Console, Going, Home, eventually};

/// A script that says a line, waits until the gate opens, and says another.
fn gated(home: &Home) -> (String, PathBuf) {
    let gate = home.work().join("gate");
    let text = format!("#!/bin/sh\necho first\nwhile [ ! -e {} ]; do sleep 0.02; done\necho last\n", gate.display());
    home.script("gated.sh", &text);
    ("gated.sh".to_owned(), gate)
}

fn open(gate: &PathBuf) {
    std::fs::write(gate, "").expect("the gate opens");
}

/// Starts the gated script and waits for its first line.
fn start_gated(home: &Home) -> (u64, PathBuf) {
    let (script, gate) = gated(home);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    eventually("it has said its first line", || home.output(id, &[]) == b"first\n");
    (id, gate)
}

/// The engine's socket, found as the file that it is.
fn socket(home: &Home) -> PathBuf {
    fn find(folder: &std::path::Path) -> Option<PathBuf> {
        use std::os::unix::fs::FileTypeExt;
        std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
            let kind = entry.file_type().ok()?;
            if kind.is_socket() {
                Some(entry.path())
            } else if kind.is_dir() {
                find(&entry.path())
            } else {
                None
            }
        })
    }
    find(home.path()).expect("the engine's socket")
}

/// An engine in the foreground, from the moment it listens. It says so itself: a verb asked before that would start
/// one of its own.
fn listening(serve: Verb) -> Going {
    let mut serve = serve.spawn();
    serve.lines().until("it listens", |line| line.contains("\"socket\""));
    serve
}

// ---- the engine's place ----------------------------------------------------------------------------------

#[test]
fn a_verb_starts_the_engine_when_there_is_none_and_finds_it_the_next_time() {
    let home = Home::empty();
    assert!(home.engines().is_empty());
    home.qd(["jobs", "ls"]).ok();
    let first = home.engine();
    home.qd(["jobs", "ls"]).ok();
    assert_eq!(home.engine(), first);
}

#[test]
fn the_engine_belongs_to_no_terminal_and_to_no_group_of_its_starter() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let engine = Process::read(home.engine()).expect("it lives");
    let test = Process::read(i32::try_from(std::process::id()).expect("a pid")).expect("so do we");
    assert_eq!(engine.terminal, 0, "no controlling terminal: {engine:?}");
    assert_ne!(engine.session, test.session, "a session of its own: {engine:?}");
    assert_ne!(engine.group, test.group, "a group of its own: {engine:?}");
}

#[test]
fn the_socket_is_for_this_user_alone() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    for socket in [home.path().join("run/quarterdeck/engine.sock"), home.state().join("engine.sock")] {
        let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", socket.display());
    }
    // and what is kept is not for others either
    let state = std::fs::metadata(home.state()).expect("the state folder").permissions().mode();
    assert_eq!(state & 0o077, 0, "{state:o}");
}

#[test]
fn two_starters_get_one_engine() {
    let home = Home::empty();
    let mut verbs: Vec<_> = (0..8).map(|_| home.verb(["jobs", "ls", "--json"]).spawn()).collect();
    for verb in &mut verbs {
        assert!(verb.end().success(), "{}", verb.stderr());
    }
    home.engine(); // exactly one
}

#[test]
fn a_second_serve_says_that_one_runs() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let pid = home.engine();
    let second = home.qd(["serve"]);
    assert_ne!(second.code(), 0, "{second}");
    second.says(&[&pid.to_string()]);
    assert_eq!(home.engine(), pid);
}

#[test]
fn a_socket_that_a_dead_engine_left_is_no_obstacle() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    home.end_engine(Signal::KILL);
    assert!(socket(&home).exists(), "the kill left it");
    home.qd(["jobs", "ls"]).ok();
    home.engine();
}

#[test]
fn an_engine_is_found_when_its_session_s_runtime_folder_is_gone() {
    let home = Home::empty();
    let (id, gate) = start_gated(&home);
    let engine = home.engine();
    // what a system does when the last login of a user ends
    std::fs::remove_dir_all(home.path().join("run")).expect("the runtime folder");
    let mut console = Console::start(&home);
    console.sees("gated.sh");
    open(&gate);
    let job = id.to_string();
    home.qd(["jobs", "attach", &job]).ok();
    assert_eq!(home.output(id, &[]), b"first\nlast\n");
    assert_eq!(home.engine(), engine, "the same, and no other beside it");
    console.quit().is_restored();
    home.qd(["serve", "--replace", "--background"]).ok();
    assert!(home.path().join("run/quarterdeck/engine.sock").exists(), "the next one listens there again");
    assert_ne!(home.engine(), engine);
}

#[test]
fn an_engine_that_cron_started_and_one_of_a_login_are_the_same() {
    for starter in [true, false] {
        let home = Home::empty();
        let ask = |of_a_login: bool| {
            let verb = home.verb(["jobs", "ls"]);
            let verb = if of_a_login { verb } else { verb.without_env("XDG_RUNTIME_DIR") };
            verb.run().ok();
        };
        ask(starter);
        let engine = home.engine();
        ask(!starter);
        assert_eq!(home.engine(), engine);
    }
}

#[test]
fn the_engine_exits_by_itself_when_it_is_idle_and_not_while_a_job_runs() {
    let home = Home::empty();
    home.config("[engine]\nidle_exit = \"1s\"\n");
    let (id, gate) = start_gated(&home);
    let pid = home.engine();
    let long_idle = std::time::Instant::now() + std::time::Duration::from_secs(3);
    eventually("longer than idle_exit has passed", || std::time::Instant::now() > long_idle);
    assert!(processes::alive(pid), "a job runs");
    open(&gate);
    eventually("it went by itself", || !processes::alive(pid));
    assert_eq!(home.job(id)["state"], "done", "and the next one knows the job");
}

#[test]
fn sigterm_ends_the_engine_cleanly() {
    let home = Home::empty();
    let (id, _gate) = start_gated(&home);
    home.end_engine(Signal::TERM);
    eventually("its scripts and its guard ended with it", || home.processes().is_empty());
    let job = home.job(id);
    assert_eq!(job["state"], "interrupted", "{job}");
    assert_ne!(job["runs"][0]["state"], "running", "{job}");
    assert_eq!(home.output(id, &[]), b"first\n");
}

#[test]
fn a_serve_in_the_foreground_ends_with_exit_code_0_at_sigterm() {
    let home = Home::empty();
    let mut serve = listening(home.verb(["serve", "--json"]));
    home.qd(["jobs", "ls"]).ok();
    assert_eq!(home.engine(), serve.pid, "the verb found this one");
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code(), Some(0), "{}", serve.stderr());
}

#[test]
fn hangup_does_not_end_the_engine() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let pid = home.engine();
    processes::signal(pid, Signal::HUP);
    home.qd(["jobs", "ls"]).ok();
    assert_eq!(home.engine(), pid);
}

// ---- the console goes ------------------------------------------------------------------------------------

fn job_survives_the_console(signal: Signal) {
    let home = Home::empty();
    let (script, gate) = gated(&home);
    let mut console = Console::start(&home);
    console.sees("1 dev"); // the engine has answered
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    console.sees("gated");
    console.signal(signal);
    console.exit();
    let engine = home.engine();
    assert_eq!(home.job(id)["state"], "running");
    open(&gate);
    let job = home.ended_job(id);
    assert_eq!((&job["state"], &job["counts"]["ok"]), (&json!("done"), &json!(1)), "{job}");
    assert_eq!(home.output(id, &[]), b"first\nlast\n");
    assert_eq!(home.engine(), engine, "the same engine all the while");

    let mut next = Console::start(&home);
    next.sees("gated");
    next.quit().is_restored();
}

#[test]
fn a_job_survives_the_console_s_hangup() {
    job_survives_the_console(Signal::HUP);
}

#[test]
fn a_job_survives_the_console_s_kill() {
    job_survives_the_console(Signal::KILL);
}

#[test]
fn a_console_started_engine_survives_the_terminal_s_end() {
    let home = Home::empty();
    let (script, gate) = gated(&home);
    let mut console = Console::start(&home);
    console.sees("1 dev");
    let engine = home.engine();
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    drop(console); // with it the master side of the terminal: the kernel hangs up everyone on it
    assert!(processes::alive(engine));
    open(&gate);
    assert_eq!(home.ended_job(id)["state"], "done");
    assert_eq!(home.engine(), engine);
}

#[test]
fn a_hung_up_verb_leaves_its_job() {
    let home = Home::empty();
    let (script, gate) = gated(&home);
    let mut waiting = home.verb(["run", &script, "--target", "local", "--wait", "--json"]).spawn();
    let lines = waiting.lines();
    lines.until("its first line", |line| line.contains("first"));
    waiting.signal(Signal::KILL);
    waiting.end();
    open(&gate);
    let jobs = home.qd(["jobs", "ls", "--json"]).ok().json();
    let id = jobs[0]["id"].as_u64().expect("an id");
    assert_eq!(home.ended_job(id)["state"], "done");
}

// ---- the engine goes -------------------------------------------------------------------------------------

#[test]
fn after_a_killed_engine_everything_received_is_there_and_runs_in_flight_are_marked() {
    let home = Home::empty();
    let done = home.file("done.sh", "#!/bin/sh\necho done before\n");
    let earlier = home.qd(["run", &done, "--target", "local"]).ok().job_id();
    home.ended_job(earlier);
    let script =
        home.file("many.sh", "#!/bin/sh\ni=0; while [ $i -lt 50000 ]; do echo line $i; i=$((i+1)); done\nsleep 600\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    let bytes: u64 = (0..50_000).map(|i: u64| format!("line {i}\n").len() as u64).sum();
    eventually("all of it was received", || home.job(id)["runs"][0]["bytes"] == json!(bytes));
    home.end_engine(Signal::KILL);

    let job = home.job(id);
    assert_eq!(job["state"], "interrupted", "{job}");
    let run = &job["runs"][0];
    assert_eq!(run["state"], "failed", "its outcome is unknown: {run}");
    assert!(run["reason"].as_str().is_some_and(|reason| reason.contains("engine")), "{run}");
    let output = home.output(id, &["--raw"]);
    assert_eq!(output.len() as u64, bytes, "everything it had received");
    assert!(output.ends_with(b"line 49999\n"));
    assert_eq!(home.output(earlier, &[]), b"done before\n");
    assert_eq!(home.job(earlier)["state"], "done");
    // and the console says what is missing
    let mut console = Console::start(&home);
    console.opens_job(id, "many.sh");
    console.sees("interrupted: the engine ended while this ran");
    console.sees("its end is missing");
    console.quit().is_restored();
}

#[test]
fn a_killed_engine_leaves_no_script_running_on_this_machine() {
    let home = Home::empty();
    let script = home.file(
        "deaf.sh",
        "#!/bin/sh\ntrap '' TERM HUP\n(trap '' TERM; exec sleep 600) &\nsleep 601 &\necho up\nwhile :; do sleep 602; done\n",
    );
    let gentle = home.file(
        "gentle.sh",
        format!("#!/bin/sh\ntrap 'echo bye >{}/bye; exit' TERM\necho up\nsleep 600 & wait\n", home.work().display()),
    );
    let run = |script: &String| home.qd(["run", script, "--target", "local", "--include", "busy"]).ok().job_id();
    let ids = [&script, &gentle].map(run);
    eventually("both are up", || ids.iter().all(|id| home.job(*id)["runs"][0]["bytes"] == 3));
    home.end_engine(Signal::KILL);
    eventually("everything they had started is gone", || home.processes().is_empty());
    assert!(home.work().join("bye").exists(), "asked before it was forced");
    for id in ids {
        let job = home.job(id);
        assert_eq!((&job["state"], &job["runs"][0]["state"]), (&json!("interrupted"), &json!("failed")), "{job}");
    }
}

#[test]
fn a_kill_in_the_middle_of_a_flood_keeps_a_whole_beginning() {
    let home = Home::empty();
    let script = home.file("flood.sh", "#!/bin/sh\nexec seq 1 100000000\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    eventually("it flows", || home.job(id)["runs"][0]["bytes"].as_u64() > Some(4_000_000));
    home.end_engine(Signal::KILL);
    let output = String::from_utf8(home.output(id, &["--raw"])).expect("digits");
    assert!(output.len() > 4_000_000, "what had been shown is there");
    let whole = &output[..=output.rfind('\n').expect("lines")];
    assert!(whole.lines().enumerate().all(|(index, line)| line.parse() == Ok(index + 1)), "no line lost or doubled");
    assert_eq!(home.job(id)["runs"][0]["bytes"], json!(output.len()));
}

#[test]
fn a_run_that_had_not_started_is_not_called_failed() {
    let home = Home::empty();
    let hosts: String = (1..=3).map(|i| format!("h{i} ansible_host=127.0.6.{i} ansible_port=1\n")).collect();
    home.write("lab/hosts.ini", format!("[dark]\n{hosts}"));
    home.config(&format!(
        "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [\"{}/lab/hosts.ini\"]\n",
        home.path().display()
    ));
    let script = home.file("waits.sh", "#!/bin/sh\necho up\nsleep 600\n");
    let id = home.qd(["run", &script, "--target", "local | dark", "--at-once", "1"]).ok().job_id();
    eventually("one runs", || {
        home.output(id, &["--device", "local"]).starts_with(b"up") || {
            home.job(id)["runs"].as_array().unwrap().iter().any(|run| run["bytes"] == 3)
        }
    });
    home.end_engine(Signal::KILL);
    let job = home.job(id);
    let states: Vec<&str> = job["runs"].as_array().unwrap().iter().filter_map(|run| run["state"].as_str()).collect();
    assert!(!states.contains(&"running") && !states.contains(&"sent"), "{job}");
}

#[test]
fn the_console_says_that_the_engine_went_and_goes_on_with_a_new_one() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    home.end_engine(Signal::KILL);
    eventually("there is an engine again", || home.engines().len() == 1);
    let script = home.file("after.sh", "#!/bin/sh\necho after\n");
    home.qd(["run", &script, "--target", "local", "--wait"]).ok();
    console.sees("after");
    console.quit().is_restored();
}

// ---- another version -------------------------------------------------------------------------------------

/// An engine of another protocol on the socket, as an old binary would leave one running.
fn fake_engine(home: &Home, protocol: u32) -> PathBuf {
    // where the socket is: asked of a real engine, which then goes
    home.qd(["jobs", "ls"]).ok();
    let path = socket(home);
    home.end_engine(Signal::TERM);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("the socket's place is free");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(connection, protocol));
        }
    });
    path
}

fn answer(connection: UnixStream, protocol: u32) {
    let mut reader = BufReader::new(connection.try_clone().expect("clone"));
    let mut writer = connection;
    loop {
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        if line.is_empty() {
            let mut rest = [0; 1];
            if !matches!(reader.read(&mut rest), Ok(1)) {
                return;
            }
        }
        let body = json!({
            "version": "0.0.1-old", "protocol": protocol, "pid": std::process::id(), "confirm_above": 10,
            "at_once": 256, "library": "/nowhere", "notices": [], "last_event": 0
        })
        .to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if writer.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn an_engine_of_another_version_is_named_with_how_to_replace_it() {
    let home = Home::empty();
    let path = fake_engine(&home, 4711);
    let ran = home.qd(["jobs", "ls"]).exits(1);
    let pid = std::process::id().to_string();
    let ran = ran.says(&["0.0.1-old", "4711", &pid, "serve --replace"]);
    assert!(ran.text().is_empty(), "nothing of what it said is used: {ran}");
    assert!(home.engines().is_empty(), "and none was started beside it");
    let mut console = Console::setup(&home).size(140, 40).start();
    console.sees("0.0.1-old");
    console.sees("--replace");
    console.quit().is_restored();
    std::fs::remove_file(path).expect("the fake's socket");
}

#[test]
fn something_else_on_the_socket_is_not_taken_for_an_engine() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let path = socket(&home);
    home.end_engine(Signal::TERM);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("the socket's place is free");
    let nonsense = thread::spawn(move || {
        for mut connection in listener.incoming().take(1).map_while(Result::ok) {
            let _ = connection.write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let ran = home.qd(["jobs", "ls"]);
    // either way it is not taken for an engine: it is named, or a real one takes the place
    assert!(ran.code() == 1 && !ran.errors().is_empty() || ran.code() == 0 && home.engines().len() == 1, "{ran}");
    let _ = std::fs::remove_file(path);
    drop(nonsense);
}

#[test]
fn replace_ends_the_old_engine_and_takes_its_place() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let old = home.engine();
    let mut serve = listening(home.verb(["serve", "--replace", "--json"]));
    eventually("the old one is gone", || !processes::alive(old));
    home.qd(["jobs", "ls"]).ok();
    assert_eq!(home.engine(), serve.pid);
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code(), Some(0));
}

#[test]
fn replace_in_the_background_returns_when_the_new_one_is_there() {
    let home = Home::empty();
    home.qd(["jobs", "ls"]).ok();
    let old = home.engine();
    let ran = home.qd(["serve", "--replace", "--background"]).ok();
    let new = home.engine();
    assert_ne!(new, old);
    ran.says(&[&new.to_string()]);
}

/// A connection with one host, in the configuration. (Its name is in no other word on the screen, nor this machine's.)
fn berth(home: &Home, host: &str) {
    let inventory = home.file("hosts.ini", format!("{host} ansible_host=127.0.0.1 ansible_port=1\n"));
    home.config(&format!(
        "[[connection]]\nname = \"berth9\"\nkind = \"ssh\"\ninventory = [\"{inventory}\"]\n# {host}\n"
    ));
}

#[test]
fn an_edited_configuration_counts_at_once_where_no_job_runs() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("cert-expiry");
    assert!(!console.contents().contains("berth9"), "{}", console.contents());
    let old = home.engine();
    berth(&home, "one");
    // an open console keeps no engine from it, and finds it by itself
    console.sees("berth9");
    assert_ne!(home.engine(), old, "another engine goes by it");
    let ran = home.qd(["targets", "ls"]).ok();
    assert!(ran.text().contains("berth9:one") && ran.errors().is_empty(), "{ran}");
    console.quit().is_restored();
    let old = home.engine();
    berth(&home, "two");
    assert!(home.qd(["targets", "ls"]).ok().text().contains("berth9:two"), "a verb alone is enough");
    assert_ne!(home.engine(), old);
}

#[test]
fn a_running_job_keeps_its_engine_when_the_configuration_is_edited_and_that_is_said() {
    let home = Home::empty();
    let (id, gate) = start_gated(&home);
    let old = home.engine();
    let mut console = Console::setup(&home).size(200, 40).start();
    console.sees("gated");
    berth(&home, "one");
    home.qd(["targets", "ls"]).ok().says(&["config.toml", "as soon as they have ended", "--replace --background"]);
    console.sees("as soon as they have ended");
    assert_eq!(home.engine(), old, "the job goes on in it");
    open(&gate);
    home.ended_job(id);
    console.sees("berth9");
    assert_eq!(home.output(id, &[]), b"first\nlast\n");
    console.quit().is_restored();
}

// ---- the disk is full ------------------------------------------------------------------------------------

#[test]
fn whoever_waits_for_a_job_hears_that_it_cannot_be_written_down() {
    let home = Home::empty();
    let (script, gate) = gated(&home);
    let mut verb = home.verb(["run", &script, "--target", "local", "--wait"]).spawn();
    let (lines, errors) = (verb.lines(), verb.errors());
    lines.until("its first line", |line| line.contains("first"));
    let store = rusqlite::Connection::open(home.state().join("quarterdeck.db")).expect("the database");
    store.execute_batch("PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE").expect("from here on nobody else writes");
    open(&gate);
    errors.until("why nothing goes on", |line| line.contains("states of runs are kept in memory"));
    store.execute_batch("ROLLBACK").expect("it can be written again");
    assert!(verb.end().success());
}

#[test]
fn a_full_disk_keeps_what_was_received_and_says_so() {
    let home = Home::empty();
    // no file of this engine may grow beyond 2 MiB: what a full disk looks like to whoever appends
    let mut serve = listening(home.verb(["serve", "--json"]).after("trap '' XFSZ; ulimit -f 4096"));
    let script = home.file("flood.sh", "#!/bin/sh\nexec seq 1 100000000\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).exits(3);
    let id = ran.events()[0]["id"].as_u64().expect("id");
    let check = |home: &Home| {
        let job = home.job(id);
        let run: &Value = &job["runs"][0];
        assert_eq!(run["state"], "failed", "{run}");
        assert!(
            run["reason"]
                .as_str()
                .is_some_and(|reason| reason.contains("could not be kept") || reason.contains("disk")),
            "{run}"
        );
        let output = String::from_utf8(home.output(id, &["--raw"])).expect("digits");
        assert!(output.len() > 1_000_000, "what was received is served: {} bytes", output.len());
        let whole = &output[..=output.rfind('\n').expect("lines")];
        assert!(whole.lines().enumerate().all(|(index, line)| line.parse() == Ok(index + 1)));
    };
    check(&home);
    serve.signal(Signal::TERM);
    serve.end();
    check(&home); // by the next engine
    let mut console = Console::setup(&home).size(140, 40).start();
    console.opens_job(id, "flood");
    console.sees("could not be kept");
    console.quit().is_restored();
}
