//! The verbs on this machine: what `run` and its neighbours print, in which shape, with which exit code.
//! The shapes are those that a script may lean on; a change here is a change of the interface.

mod support;

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::verb::of_kind;
use support::{Home, eventually};

/// Keys of a JSON object, sorted.
fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[track_caller]
fn has(value: &Value, wanted: &[&str]) {
    let keys = keys(value);
    for key in wanted {
        assert!(keys.contains(key), "{key} is missing: {value}");
    }
}

/// What this machine is called as a device.
fn this_machine(home: &Home) -> String {
    let resolved = home.qd(["targets", "resolve", "local", "--json"]).ok().json();
    assert_eq!(resolved["count"], 1, "{resolved}");
    resolved["devices"][0]["id"].as_str().expect("an id").to_owned()
}

const HELLO: &str = "#!/bin/sh\necho one\necho two >&2\necho three\n";

// ---- run -------------------------------------------------------------------------------------------------

#[test]
fn run_prints_the_job_id_and_leaves_the_job_to_the_engine() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    let job = home.ended_job(id);
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(job["counts"]["ok"], 1, "{job}");
}

#[test]
fn wait_streams_device_and_line() {
    let home = Home::empty();
    let script = home.file("hello.sh", "#!/bin/sh\necho one\necho two\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]).ok();
    let device = this_machine(&home);
    let name = device.split_once(':').expect("connection:name").1;
    for line in ["one", "two"] {
        let (long, short) = (format!("{device}: {line}"), format!("{name}: {line}"));
        assert!(ran.text().lines().any(|got| got == long || got == short), "{long}\n{ran}");
    }
}

#[test]
fn wait_with_json_tells_job_runs_output_and_summary() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    let ran = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).ok();
    let events = ran.events();
    let device = this_machine(&home);

    assert_eq!(events.first().map(|event| &event["event"]), Some(&json!("job")), "{ran}");
    let id = events[0]["id"].as_u64().expect("the job's id");

    let last = of_kind(&events, "run").into_iter().next_back().expect("the run");
    has(last, &["device", "state", "exit_code"]);
    assert_eq!((&last["device"], &last["state"], &last["exit_code"]), (&json!(device), &json!("ok"), &json!(0)));

    let output: Vec<(&str, &str)> = of_kind(&events, "output")
        .into_iter()
        .map(|event| {
            assert_eq!(event["device"], json!(device));
            (event["stream"].as_str().expect("stream"), event["text"].as_str().expect("text"))
        })
        .collect();
    let of = |stream: &str| {
        output.iter().filter(|(s, _)| *s == stream).flat_map(|(_, text)| text.lines()).collect::<Vec<_>>()
    };
    assert_eq!(of("out"), ["one", "three"]);
    assert_eq!(of("err"), ["two"]);

    let summary = events.last().expect("the summary");
    assert_eq!(summary["event"], "summary", "{ran}");
    assert_eq!(summary["job"], json!(id));
    assert_eq!(summary["counts"]["ok"], 1);
}

#[test]
fn every_object_names_its_event_and_nothing_else_is_on_stdout() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    let events = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).ok().events();
    for event in &events {
        assert!(["job", "run", "output", "summary"].contains(&event["event"].as_str().unwrap_or_default()), "{event}");
    }
}

#[test]
fn a_failing_script_is_exit_code_3_and_keeps_its_own() {
    let home = Home::empty();
    let script = home.file("fails.sh", "#!/bin/sh\necho before\nexit 42\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).exits(3);
    let events = ran.events();
    let last = of_kind(&events, "run").into_iter().next_back().expect("the run");
    assert_eq!((&last["state"], &last["exit_code"]), (&json!("failed"), &json!(42)), "{ran}");
    assert_eq!(events.last().expect("summary")["counts"]["failed"], 1);
}

#[test]
fn a_script_that_a_signal_ends_has_failed_and_names_the_signal() {
    let home = Home::empty();
    let script = home.file("kills.sh", "#!/bin/sh\nkill -KILL $$\n");
    let events = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).exits(3).events();
    let id = events[0]["id"].as_u64().expect("id");
    let run = &home.job(id)["runs"][0];
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run.to_string().contains("KILL"), "{run}");
}

#[test]
fn a_script_comes_by_name_by_path_or_on_stdin() {
    let home = Home::empty();
    home.script("greet.sh", "#!/bin/sh\necho from the library\n");
    let path = home.file("greet-too.sh", "#!/bin/sh\necho from a path\n");
    let library = home.qd(["run", "greet.sh", "--target", "local", "--wait"]).ok();
    assert!(library.text().contains("from the library"), "{library}");
    let file = home.qd(["run", &path, "--target", "local", "--wait"]).ok();
    assert!(file.text().contains("from a path"), "{file}");
    let stdin = home.verb(["run", "-", "--target", "local", "--wait"]).stdin("#!/bin/sh\necho from stdin\n").run().ok();
    assert!(stdin.text().contains("from stdin"), "{stdin}");
}

#[test]
fn an_unknown_script_is_a_usage_error_that_names_it() {
    let home = Home::empty();
    let ran = home.qd(["run", "no-such-script", "--target", "local", "--wait"]);
    assert!([1, 2].contains(&ran.code()), "{ran}");
    ran.says(&["no-such-script"]);
}

#[test]
fn the_interpreter_is_the_shebang_s() {
    let home = Home::empty();
    let script = home.file("py", "#!/usr/bin/env python3\nimport sys\nprint('python', sys.version_info[0])\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]).ok();
    assert!(ran.text().contains("python 3"), "{ran}");
}

#[test]
fn a_script_runs_in_a_process_group_of_its_own() {
    let home = Home::empty();
    let script = home.file("group.sh", "#!/bin/sh\nps -o pgid= -p $$ | tr -d ' '\necho $$\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let text = String::from_utf8(home.output(id, &[])).expect("numbers");
    let mut lines = text.lines();
    let (group, _) = (lines.next().expect("group"), lines.next());
    assert_ne!(group.parse::<i32>().expect("a group"), support::processes::Process::read(home.engine()).unwrap().group);
}

// ---- parameters and secrets ------------------------------------------------------------------------------

const PARAMETERS: &str = "\
#!/bin/sh
# @describe Shows its arguments.
# @arg file!              What to look at
# @option --name=world    Whom to greet
# @option --level[low|high]  How much
# @flag --loud            Say it loudly
for word in \"$@\"; do printf '<%s>\\n' \"$word\"; done
";

#[test]
fn parameters_reach_the_script_as_argv_whatever_is_in_them() {
    let home = Home::empty();
    let script = home.file("parameters.sh", PARAMETERS);
    let nasty = "a 'b' \"c\" $(touch hacked) `id` ; & | * ~ \\ ü";
    let id = home
        .qd(["run", &script, "--target", "local", "--param", &format!("file={nasty}"), "--param", "level=high"])
        .ok()
        .job_id();
    let job = home.ended_job(id);
    assert_eq!(job["state"], "done", "{job}");
    let text = String::from_utf8(home.output(id, &[])).expect("UTF-8");
    assert!(text.contains(&format!("<{nasty}>")), "{text}");
    assert!(text.contains("<world>"), "the default is passed: {text}");
    assert!(text.contains("<high>"), "{text}");
    assert!(!text.contains("<--loud>"), "{text}");
    assert!(!home.work().join("hacked").exists());
}

#[test]
fn a_parameter_with_a_newline_stays_one_argument() {
    let home = Home::empty();
    let script = home.file("parameters.sh", PARAMETERS);
    let id = home.qd(["run", &script, "--target", "local", "--param", "file=one\ntwo"]).ok().job_id();
    home.ended_job(id);
    assert!(String::from_utf8(home.output(id, &[])).expect("UTF-8").contains("<one\ntwo>"));
}

#[test]
fn wrong_parameters_are_refused_before_anything_is_sent() {
    let home = Home::empty();
    let script = home.file("parameters.sh", PARAMETERS);
    for (parameters, word) in [
        (&[][..], "file"),                      // required
        (&["file=x", "nosuch=1"], "nosuch"),    // unknown
        (&["file=x", "level=middle"], "level"), // not a choice
    ] {
        let mut arguments = vec!["run", script.as_str(), "--target", "local", "--wait"];
        for parameter in parameters {
            arguments.extend(["--param", parameter]);
        }
        home.verb(arguments).run().exits(2).says(&[word]);
    }
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]));
}

const SECRET: &str = "\
#!/bin/sh
# @option --user!         Who
# @option --token! <SECRET>  What nobody may see
echo arguments: \"$@\"
tr '\\0' ' ' < /proc/$$/cmdline; echo
tr '\\0' '\\n' < /proc/$$/environ | grep -c s3cr3t
read -r token
echo length ${#token}
";

#[test]
fn a_secret_arrives_on_stdin_and_nowhere_else() {
    let home = Home::empty();
    let script = home.script("secret.sh", SECRET);
    let shown = home.qd(["scripts", "show", "secret.sh", "--json"]).ok().json();
    let token = shown["params"].as_array().expect("params").iter().find(|param| param["name"] == "token");
    assert_eq!(token.expect("token")["secret"], true, "{shown}");
    let ran = home
        .verb([
            "run",
            "secret.sh",
            "--target",
            "local",
            "--param",
            "user=ops",
            "--secret",
            "token=env:QD_TOKEN",
            "--wait",
        ])
        .env("QD_TOKEN", "s3cr3t-value")
        .run()
        .ok();
    assert!(ran.text().contains("length 12"), "{ran}");
    assert!(!ran.text().contains("s3cr3t") && !ran.errors().contains("s3cr3t"), "{ran}");
    drop(script);
    // nor in anything that is kept
    home.end_engine(Signal::TERM);
    assert!(!support::pty::any_file_holds(home.path(), b"s3cr3t-value"));
}

// ---- output ----------------------------------------------------------------------------------------------

#[test]
fn output_gives_the_bytes_back_as_they_were() {
    let home = Home::empty();
    let every_byte: Vec<u8> = (0..=255).chain((0..=255).rev()).cycle().take(100_000).collect();
    home.write("work/payload", &every_byte);
    let script = home.file("cat.sh", format!("#!/bin/sh\ncat {}/payload\n", home.work().display()));
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    assert!(home.output(id, &["--raw"]) == every_byte, "--raw is byte-identical");
    assert!(home.output(id, &["--raw", "--stream", "out"]) == every_byte, "and so is its stdout");
    assert!(home.output(id, &["--raw", "--stream", "err"]).is_empty());
    let job = home.job(id);
    assert_eq!(job["runs"][0]["bytes"], json!(every_byte.len()), "{job}");
}

#[test]
fn the_two_streams_can_be_had_apart() {
    let home = Home::empty();
    let text = "#!/bin/sh\ni=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done\n";
    let script = home.file("both.sh", text);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let lines = |word: &str| (0..200).map(|i| format!("{word} {i}\n")).collect::<String>().into_bytes();
    assert!(home.output(id, &["--stream", "out"]) == lines("out"));
    assert!(home.output(id, &["--stream", "err"]) == lines("err"));
    assert_eq!(home.output(id, &["--stream", "all"]).len(), lines("out").len() + lines("err").len());
}

#[test]
fn follow_shows_what_comes_and_ends_with_the_run() {
    let home = Home::empty();
    let gate = home.work().join("gate");
    let script = home.file(
        "gate.sh",
        format!("#!/bin/sh\necho first\nwhile [ ! -e {} ]; do sleep 0.02; done\necho last\n", gate.display()),
    );
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id().to_string();
    let mut following = home.verb(["output", &id, "--follow"]).spawn();
    let lines = following.lines();
    lines.until("the first line", |line| line.contains("first"));
    std::fs::write(&gate, "").expect("the gate opens");
    lines.until("the last line", |line| line.contains("last"));
    assert_eq!(lines.next(), None);
    assert!(following.end().success());
}

#[test]
fn a_line_is_never_cut_by_how_it_was_written() {
    let home = Home::empty();
    let text = "#!/bin/sh\nprintf 'half'; sleep 0.2; printf ' whole\\n'; printf 'no newline at the end'\n";
    let script = home.file("halves.sh", text);
    let events = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).ok().events();
    let lines: Vec<&str> =
        of_kind(&events, "output").into_iter().flat_map(|event| event["text"].as_str().unwrap().lines()).collect();
    assert_eq!(lines, ["half whole", "no newline at the end"]);
}

// ---- the end of a run ------------------------------------------------------------------------------------

const FAMILY: &str = "#!/bin/sh\ntrap '' TERM\nsleep 600 &\n(trap '' TERM; sleep 601) &\necho up\nsleep 602\n";

#[test]
fn a_timeout_ends_the_whole_process_group() {
    let home = Home::empty();
    let script = home.file("family.sh", FAMILY);
    let ran = home.qd(["run", &script, "--target", "local", "--timeout", "1s", "--wait", "--json"]).exits(3);
    let events = ran.events();
    assert_eq!(of_kind(&events, "run").last().expect("run")["state"], "timeout", "{ran}");
    eventually("no sleeper is left", || home.processes().iter().all(|process| !process.command.contains("sleep 60")));
}

#[test]
fn cancel_ends_a_running_script_and_all_it_started() {
    let home = Home::empty();
    let script = home.file("family.sh", FAMILY);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    eventually("it is up", || home.output(id, &[]) == b"up\n");
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    let job = home.ended_job(id);
    assert_eq!(job["state"], "cancelled", "{job}");
    assert_eq!(job["runs"][0]["state"], "cancelled", "{job}");
    eventually("no sleeper is left", || home.processes().iter().all(|process| !process.command.contains("sleep 60")));
    assert_eq!(home.output(id, &[]), b"up\n", "what it had said is kept");
}

#[test]
fn a_script_may_leave_a_background_process_without_holding_up_its_run() {
    let home = Home::empty();
    let marker = home.work().join("stop");
    let script = home.file(
        "daemon.sh",
        format!("#!/bin/sh\n(while [ ! -e {} ]; do sleep 0.05; done) >/dev/null 2>&1 &\necho done\n", marker.display()),
    );
    home.qd(["run", &script, "--target", "local", "--wait"]).ok();
    std::fs::write(marker, "").expect("the background process may go");
}

#[test]
fn interrupting_wait_leaves_the_job_running_and_says_its_id() {
    let home = Home::empty();
    let gate = home.work().join("gate");
    let script =
        home.file("gate.sh", format!("#!/bin/sh\necho up\nwhile [ ! -e {} ]; do sleep 0.02; done\n", gate.display()));
    let mut waiting = home.verb(["run", &script, "--target", "local", "--wait"]).spawn();
    let lines = waiting.lines();
    lines.until("it is up", |line| line.contains("up"));
    waiting.signal(Signal::INT);
    assert_eq!(waiting.end().code(), Some(130));
    let jobs = home.qd(["jobs", "ls", "--json"]).ok().json();
    assert_eq!(jobs[0]["state"], "running", "{jobs}");
    let id = jobs[0]["id"].as_u64().expect("id");
    assert!(waiting.stderr().contains(&id.to_string()));
    std::fs::write(gate, "").expect("the gate opens");
    assert_eq!(home.ended_job(id)["state"], "done");
}

// ---- neighbours of run -----------------------------------------------------------------------------------

#[test]
fn jobs_ls_is_an_array_newest_first() {
    let home = Home::empty();
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]));
    let script = home.file("hello.sh", HELLO);
    let first = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(first);
    let second = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(second);
    let jobs = home.qd(["jobs", "ls", "--json"]).ok().json();
    let ids: Vec<u64> = jobs.as_array().expect("an array").iter().map(|job| job["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [second, first]);
    has(&jobs[0], &["id", "script", "state", "counts", "created_at"]);
    assert_eq!(jobs[0]["script"], "hello.sh", "{jobs}");
    for state in ["queued", "sent", "running", "ok", "failed", "timeout", "offline", "cancelled", "skipped"] {
        assert!(jobs[0]["counts"][state].is_u64(), "counts by state: {jobs}");
    }
}

#[test]
fn jobs_show_has_the_runs() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    let job = home.ended_job(id);
    has(&job, &["id", "script", "state", "counts", "runs"]);
    let run = &job["runs"][0];
    has(run, &["device", "state", "exit_code", "started_at", "finished_at", "bytes"]);
    assert_eq!(run["device"], json!(this_machine(&home)));
    assert_eq!(run["bytes"], 14, "{run}");
    // as moments: as texts `.861Z` comes before `.86Z`
    let moment = |key: &str| run[key].as_str().unwrap().parse::<jiff::Timestamp>().expect("a moment");
    assert!(moment("started_at") <= moment("finished_at"), "{run}");
}

#[test]
fn jobs_attach_shows_a_job_from_its_beginning() {
    let home = Home::empty();
    let script = home.file("fails.sh", "#!/bin/sh\necho before\nexit 5\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let attached = home.qd(["jobs", "attach", &id.to_string()]).exits(3);
    assert!(attached.text().contains(": before"), "{attached}");
}

#[test]
fn an_unknown_job_is_an_error_that_names_it() {
    let home = Home::empty();
    for verb in
        [&["jobs", "show", "4711"][..], &["jobs", "cancel", "4711"], &["output", "4711"], &["jobs", "attach", "4711"]]
    {
        let ran = home.verb(verb.iter().copied()).run();
        assert!([1, 2].contains(&ran.code()), "{ran}");
        ran.says(&["4711"]);
    }
}

#[test]
fn targets_resolve_says_what_a_run_would_touch() {
    let home = Home::empty();
    let resolved = home.qd(["targets", "resolve", "local", "--json"]).ok().json();
    assert_eq!(resolved["count"], 1);
    has(&resolved["devices"][0], &["id", "name", "connection", "groups", "facts", "state"]);
    assert_eq!(resolved["devices"][0]["connection"], "local");
    assert_eq!(home.qd(["targets", "resolve", "@all", "--json"]).ok().json()["count"], 1);
}

#[test]
fn a_first_start_has_sample_scripts_that_lint_well_and_run_here() {
    let home = Home::empty();
    let scripts = home.qd(["scripts", "ls", "--json"]).ok().json();
    let scripts = scripts["scripts"].as_array().expect("an array");
    assert!(scripts.len() >= 5, "a handful: {scripts:?}");
    let languages: BTreeSet<&str> = scripts.iter().filter_map(|script| script["language"].as_str()).collect();
    for language in ["bash", "python3", "pwsh"] {
        assert!(languages.contains(language), "{language} among {languages:?}");
    }
    for script in scripts {
        let name = script["name"].as_str().expect("a name");
        assert!(!script["describe"].as_str().unwrap_or_default().is_empty(), "{name} says what it does");
        home.qd(["scripts", "lint", name]).ok();
        let required = script["params"].as_array().is_some_and(|params| params.iter().any(|p| p["required"] == true));
        if script["language"] == "pwsh" || required {
            continue;
        }
        let ran = home.qd(["run", name, "--target", "local", "--wait"]);
        assert!([0, 3].contains(&ran.code()), "{name} runs: {ran}");
        assert!(ran.text().len() + ran.errors().len() > 60, "{name} says something: {ran}");
    }
}

#[test]
fn scripts_show_and_lint() {
    let home = Home::empty();
    home.script("good.sh", PARAMETERS);
    let shown = home.qd(["scripts", "show", "good.sh", "--json"]).ok().json();
    has(&shown, &["name", "version", "describe", "language", "params", "text"]);
    assert_eq!(shown["describe"], "Shows its arguments.");
    let names: Vec<&str> = shown["params"].as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(names, ["file", "name", "level", "loud"]);
    home.qd(["scripts", "lint", "good.sh"]).ok();
    let findings = home.qd(["scripts", "lint", "good.sh", "--json"]).ok().json();
    assert!(findings.is_array() || findings.is_object(), "{findings}");
}

#[test]
fn doctor_says_how_a_device_is_reached() {
    let home = Home::empty();
    let doctor = home.qd(["doctor", "local"]).ok();
    assert!(doctor.text().contains("child process"), "{doctor}");
    home.qd(["doctor"]).ok();
}

#[test]
fn config_path_show_check() {
    let home = Home::empty();
    let path = home.path().join("config/quarterdeck/config.toml");
    assert_eq!(home.qd(["config", "path"]).ok().text().trim(), path.to_str().unwrap());
    home.qd(["config", "show"]).ok();
    home.qd(["config", "check"]).ok();
    // theme and keymap are part of it: each error with its file and line
    let folder = path.parent().unwrap();
    std::fs::create_dir_all(folder.join("themes")).unwrap();
    std::fs::write(&path, "[ui]\ntheme = \"drakula\"\nkeymap = \"wim\"\n").unwrap();
    std::fs::write(folder.join("themes/mine.toml"), "inherits = \"dark\"\n\n\"state.ok\" = \"greeen\"\n").unwrap();
    std::fs::write(folder.join("keymap.toml"), "[job]\nfolow = [\"F\"]\n").unwrap();
    let said = home.qd(["config", "check"]).exits(2).text();
    for wanted in [
        "config.toml:2:1: `theme` in [ui]: no theme is called `drakula`; did you mean `dracula`?",
        "config.toml:3:1: `keymap` in [ui]: no keymap is called `wim`",
        "mine.toml:3",
        "keymap.toml:2",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    std::fs::remove_file(&path).unwrap();
    let other = home.write("work/other.toml", "");
    let ran = home.verb(["config", "path"]).env("QUARTERDECK_CONFIG", &other).run().ok();
    assert_eq!(ran.text().trim(), other.to_str().unwrap());
}

#[test]
fn config_check_reads_the_files_of_the_connections_and_counts_what_they_hold() {
    let home = Home::empty();
    let (hosts, ssh) = (
        home.write("hosts.ini", "[web]\nweb[1:3]\nmine ansible_connection=local\n[db]\ndb1\n"),
        home.write("ssh.conf", ""),
    );
    home.config(&format!(
        "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = {hosts:?}\nssh_config = {ssh:?}\n"
    ));
    let fine = home.qd(["config", "check"]).ok();
    assert!(fine.errors().contains("lab: 4 devices, 2 groups"), "{fine}");
    assert!(fine.errors().contains("mine: left out, ansible_connection is local"), "{fine}");
    home.write("hosts.ini", "[web]\nweb1 ansible_port=99999\nweb2 \"half\n[web:odd]\nx\n");
    home.write("ssh.conf", "Host *\n  Port many\n");
    let wrong = home.qd(["config", "check"]).exits(2).text();
    let (hosts, ssh) = (hosts.display(), ssh.display());
    for wanted in [
        format!("lab: {hosts}:3: a quote (\") is not closed"),
        format!("lab: {hosts}:4: [web:odd]: only :children and :vars are known"),
        format!("lab: {hosts}: host web1: ansible_port"),
        format!("lab: {ssh}:2: port: "),
    ] {
        assert!(wrong.contains(&wanted), "{wanted}: {wrong}");
    }
    let told = home.qd(["config", "check", "--json"]).exits(2).json();
    assert_eq!(told["connections"][0]["connection"], "lab", "{told}");
    assert!(told["problems"].as_array().is_some_and(|all| all.len() > 3), "{told}");
    let _gone = std::fs::remove_file(home.path().join("hosts.ini"));
    assert!(home.qd(["config", "check"]).exits(2).text().contains("hosts.ini"));
}

#[test]
fn keys_completions_and_man_need_no_engine() {
    let home = Home::empty();
    assert!(home.qd(["keys"]).ok().text().contains("quit"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(home.qd(["completions", shell]).ok().text().contains("quarterdeck"), "{shell}");
    }
    assert!(home.qd(["man"]).ok().text().contains(".TH"));
    home.qd(["--version"]).ok();
    home.qd(["--help"]).ok();
    assert!(home.engines().is_empty());
}

#[test]
fn every_verb_has_json() {
    let home = Home::empty();
    home.script("hello.sh", HELLO);
    let id = home.qd(["run", "hello.sh", "--target", "local", "--json"]).ok().json();
    let id = id["id"].as_u64().or(id["job"].as_u64()).expect("run --json prints the id in an object");
    home.ended_job(id);
    let id = id.to_string();
    for verb in [
        &["targets", "ls"][..],
        &["targets", "resolve", "local"],
        &["scripts", "ls"],
        &["scripts", "show", "hello.sh"],
        &["scripts", "lint", "hello.sh"],
        &["jobs", "ls"],
        &["jobs", "show", &id],
        &["doctor"],
        &["doctor", "local"],
        &["config", "path"],
        &["config", "show"],
        &["config", "check"],
        &["keys"],
    ] {
        home.verb(verb.iter().copied().chain(["--json"])).run().ok().json();
    }
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let home = Home::empty();
    let text = "#!/bin/sh\ni=0; while [ $i -lt 20000 ]; do echo line $i of many; i=$((i+1)); done\n";
    let script = home.file("many.sh", text);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let mut output = home.verb(["output", &id.to_string()]).spawn();
    drop(output.child.stdout.take()); // as `| head -0` does
    output.end();
    assert!(!output.stderr().contains("panicked"));
}
