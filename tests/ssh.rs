//! SSH hosts, against real OpenSSH servers of our own: every line of every host, each host's own state and
//! reason, and nothing left behind. Needs `openssh-server`; without it these tests fail, they do not skip.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::odd::{Manner, Odd};
use support::sshd::{closed_port, key_pair, key_pair_with, public_key};
use support::verb::of_kind;
use support::{Fleet, Home, Options, Ran, eventually};

const SLEEPERS: &str = "#!/bin/sh\ntrap '' TERM HUP\nsleep 600 &\nsetsid sleep 601 &\necho up\nsleep 602\n";

/// The last state of each device, by its name.
fn ends(events: &[Value]) -> BTreeMap<String, &Value> {
    of_kind(events, "run").into_iter().map(|event| (name_of(event), event)).collect()
}

fn name_of(event: &Value) -> String {
    let device = event["device"].as_str().expect("a device");
    device.rsplit_once(':').map_or(device, |(_, name)| name).to_owned()
}

/// Runs a script and waits, by the names of the job's runs.
fn run(home: &Home, script: &str, target: &str, more: &[&str]) -> Ran {
    let head = ["run", script, "--target", target, "--wait", "--json", "--confirm"];
    let count = home.qd(["targets", "resolve", target, "--json"]).ok().json()["count"].to_string();
    home.verb(head.iter().copied().chain([count.as_str()]).chain(more.iter().copied())).run()
}

/// The run of a host in a job, as the store has it.
fn run_of(home: &Home, events: &[Value], name: &str) -> Value {
    let job = home.job(events[0]["id"].as_u64().expect("the job's id"));
    let runs = job["runs"].as_array().expect("runs").clone();
    runs.into_iter().find(|run| name_of(run) == name).unwrap_or_else(|| panic!("no run of {name}: {job}"))
}

/// So many hosts, configured as the connection `lab`.
fn lab(count: usize) -> (Home, Fleet) {
    let home = Home::empty();
    let fleet = Fleet::start(&home, count);
    fleet.configure(&home);
    (home, fleet)
}

fn hi(home: &Home) -> String {
    home.file("hi.sh", "#!/bin/sh\necho hi\n")
}

/// Every run of the job has said `up`.
fn all_are_up(home: &Home, id: u64) {
    eventually("all are up", || {
        home.job(id)["runs"].as_array().unwrap().iter().all(|run| run["bytes"].as_u64() >= Some(3))
    });
}

/// What [`SLEEPERS`] has started, but for the one that `setsid` took out of the group on purpose, as a daemon does.
fn the_sleepers_are_gone(fleet: &Fleet) {
    eventually("the group is gone", || {
        fleet
            .processes()
            .iter()
            .all(|process| !process.command.contains("sleep 600") && !process.command.contains("sleep 602"))
    });
    assert!(fleet.leftovers().is_empty(), "{:?}", fleet.leftovers());
}

// ---- the fan-out -----------------------------------------------------------------------------------------

#[test]
fn a_hundred_hosts_give_every_line_of_two_hundred_and_the_two_bad_ones_are_told_apart() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 101);
    let gone = Ipv4Addr::new(127, 0, 7, 7);
    fleet.write_inventory(&format!(
        "[bad]\nweb101\ndead ansible_host={gone} ansible_port={} ansible_user={}\n",
        closed_port(gone),
        fleet.user
    ));
    fleet.configure(&home);
    let failing = fleet.hosts[100].address;
    let script = home.file(
        "lines.sh",
        format!(
            "#!/bin/sh\n\
             set -- $SSH_CONNECTION\n\
             i=1; while [ $i -le 100 ]; do echo \"out $3 $i\"; echo \"err $3 $i\" >&2; i=$((i+1)); done\n\
             [ \"$3\" != {failing} ] || exit 7\n"
        ),
    );

    let ran = run(&home, &script, "web | dead", &[]);
    assert!([3, 6].contains(&ran.code()), "exit code {}: {}", ran.code(), ran.errors());
    let events = ran.events();

    let mut lines: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for event in of_kind(&events, "output") {
        let stream = event["stream"].as_str().expect("stream").to_owned();
        let text = event["text"].as_str().expect("text");
        lines.entry((name_of(event), stream)).or_default().extend(text.lines().map(str::to_owned));
    }
    for host in &fleet.hosts {
        for stream in ["out", "err"] {
            let expected: Vec<String> = (1..=100).map(|i| format!("{stream} {} {i}", host.address)).collect();
            let got = lines.get(&(host.name.clone(), stream.to_owned()));
            assert_eq!(got, Some(&expected), "{} {stream}: every line, whole, in order", host.name);
        }
    }
    let of_the_good: usize =
        lines.iter().filter(|((host, _), _)| host != "web101" && host != "dead").map(|(_, lines)| lines.len()).sum();
    assert_eq!(of_the_good, 20_000);

    let ends = ends(&events);
    let ok = ends.values().filter(|event| event["state"] == "ok").count();
    assert_eq!(ok, 100);
    assert_eq!((&ends["web101"]["state"], &ends["web101"]["exit_code"]), (&json!("failed"), &json!(7)));
    assert_eq!(ends["dead"]["state"], "offline");
    let summary = events.last().expect("summary");
    assert_eq!(
        (&summary["counts"]["ok"], &summary["counts"]["failed"], &summary["counts"]["offline"]),
        (&json!(100), &json!(1), &json!(1))
    );

    let dead = run_of(&home, &events, "dead");
    assert!(dead["reason"].as_str().is_some_and(|reason| reason.contains("refused")), "{dead}");
    fleet.is_clean();
}

#[test]
fn one_unreachable_host_alone_is_exit_code_6() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 1);
    let gone = Ipv4Addr::new(127, 0, 7, 8);
    fleet.write_inventory(&format!("[dark]\ndead ansible_host={gone} ansible_port={}\n", closed_port(gone)));
    fleet.configure(&home);
    let script = home.file("true.sh", "#!/bin/sh\n");
    run(&home, &script, "web | dark", &[]).exits(6);
    let dead = home.qd(["targets", "resolve", "dead", "--json"]).ok().json();
    assert_eq!(dead["devices"][0]["state"], "offline", "the next look knows it: {dead}");
    let alive = home.qd(["targets", "resolve", "web001", "--json"]).ok().json();
    assert_eq!(alive["devices"][0]["state"], "online", "{alive}");
}

#[test]
fn one_server_with_default_max_startups_answers_two_hundred_times() {
    let home = Home::empty();
    let options = Options { names_an_address: 200, ..Options::as_installed() };
    let fleet = Fleet::with(&home, "lab", 200, &options);
    fleet.configure(&home);
    let script = hi(&home);
    let ran = run(&home, &script, "web", &[]).ok();
    let events = ran.events();
    assert_eq!(events.last().expect("summary")["counts"]["ok"], 200);
    assert_eq!(of_kind(&events, "output").len(), 200);
}

#[test]
fn connections_are_kept_for_the_next_run() {
    let (home, fleet) = lab(8);
    let script = hi(&home);
    run(&home, &script, "web", &[]).ok();
    eventually("eight connections", || fleet.logged("Accepted publickey") == 8);
    run(&home, &script, "web", &[]).ok();
    assert_eq!(fleet.logged("Accepted publickey"), 8, "the second run opened no connection");
}

#[test]
fn a_kept_connection_that_died_is_replaced_in_silence() {
    let (home, fleet) = lab(3);
    let script = hi(&home);
    run(&home, &script, "web", &[]).ok();
    fleet.cut();
    let ran = run(&home, &script, "web", &[]).ok();
    assert_eq!(ran.events().last().expect("summary")["counts"]["ok"], 3);
}

#[test]
fn at_once_limits_the_scripts_that_run() {
    let (home, _fleet) = lab(12);
    let count = home.work().join("count");
    fs::create_dir(&count).expect("a folder");
    // each script leaves its mark while it runs, and says how many marks it saw; none ends before three have run at once
    let full = home.work().join("full");
    let text = format!(
        "#!/bin/sh\ncd {} && touch $$ && n=$(ls | wc -l) && echo $n\n[ $n -lt 3 ] || touch {full}\n\
         until [ -e {full} ]; do sleep 0.02; done\nsleep 0.1\nrm $$\n",
        count.display(),
        full = full.display()
    );
    let script = home.file("count.sh", text);
    let ran = run(&home, &script, "web", &["--at-once", "3"]).ok();
    let most = of_kind(&ran.events(), "output")
        .into_iter()
        .map(|event| event["text"].as_str().unwrap().trim().parse::<usize>().expect("a count"))
        .max();
    assert_eq!(most, Some(3));
}

// ---- what the host sees ----------------------------------------------------------------------------------

#[test]
fn arguments_and_secrets_arrive_as_they_are_and_secrets_are_in_no_process_list() {
    let (home, fleet) = lab(1);
    // of this test alone: others on this machine have secrets, too
    let secret = format!("s3cr3t-{}", std::process::id());
    let script = home.file(
        "arguments.sh",
        format!(
            "#!/bin/sh\n# @option --word!\n# @option --token! <SECRET>\nprintf '<%s>\\n' \"$@\"\n\
             ps -eo args | grep -c '[s]{}'\nread -r token; echo length ${{#token}}\nid -un\n",
            &secret[1..]
        ),
    );
    let nasty = "a 'b' \"c\" $(touch /tmp/hacked-qd) `id`;&|*~\\ ü\ttab";
    let ran = home
        .verb([
            "run",
            &script,
            "--target",
            "web",
            "--wait",
            "--param",
            &format!("word={nasty}"),
            "--secret",
            "token=env:QD_T",
        ])
        .env("QD_T", &secret)
        .run()
        .ok();
    assert!(ran.text().contains(&format!("<{nasty}>")), "{ran}");
    assert!(ran.text().contains(": 0\n"), "the secret is in no argv: {ran}");
    assert!(ran.text().contains(&format!("length {}", secret.len())), "{ran}");
    fleet.is_clean();
}

#[test]
fn a_script_of_any_bytes_arrives_whole() {
    let (home, fleet) = lab(2);
    // Latin-1 in a comment, and four megabytes of it
    let mut script = b"#!/bin/sh\nwc -c < \"$0\"\nexit\n".to_vec();
    script.extend(std::iter::repeat_n(b"# \xe9\xff caf\xe9 0123456789 0123456789 0123456789\n", 100_000).flatten());
    let path = home.file("large.sh", &script);
    let ran = run(&home, &path, "web", &[]).ok();
    for event in of_kind(&ran.events(), "output") {
        assert_eq!(event["text"].as_str().unwrap().trim(), script.len().to_string());
    }
    fleet.is_clean();
}

#[test]
fn python_runs_by_its_shebang() {
    let (home, _fleet) = lab(1);
    let script =
        home.file("py", "#!/usr/bin/env python3\nimport sys\nprint('py', sys.version_info[0], sys.argv[1:])\n");
    let ran = run(&home, &script, "web", &[]).ok();
    assert!(ran.text().contains("py 3 []"), "{ran}");
}

#[test]
fn binary_output_comes_back_byte_for_byte() {
    let (home, _fleet) = lab(1);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    home.write("work/payload", &bytes);
    let script = home.file("cat.sh", format!("#!/bin/sh\ncat {}/payload\n", home.work().display()));
    let id = home.qd(["run", &script, "--target", "web001"]).ok().job_id();
    home.ended_job(id);
    assert!(home.output(id, &["--raw"]) == bytes);
}

// ---- the end of a run ------------------------------------------------------------------------------------

#[test]
fn a_timeout_ends_everything_the_script_started() {
    let (home, fleet) = lab(3);
    let script = home.file("sleepers.sh", SLEEPERS);
    let ran = run(&home, &script, "web", &["--timeout", "1s"]).exits(3);
    assert_eq!(ran.events().last().expect("summary")["counts"]["timeout"], 3, "{ran}");
    the_sleepers_are_gone(&fleet);
}

#[test]
fn cancel_ends_everything_the_script_started() {
    let (home, fleet) = lab(2);
    let script = home.file("sleepers.sh", SLEEPERS);
    let id = home.qd(["run", &script, "--target", "web"]).ok().job_id();
    all_are_up(&home, id);
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    assert_eq!(home.ended_job(id)["counts"]["cancelled"], 2);
    the_sleepers_are_gone(&fleet);
}

#[test]
fn a_lost_connection_ends_the_script_on_the_host_and_is_no_success() {
    let (home, fleet) = lab(2);
    let script = home.file("waits.sh", "#!/bin/sh\necho up\nsleep 600\n");
    let id = home.qd(["run", &script, "--target", "web"]).ok().job_id();
    all_are_up(&home, id);
    fleet.cut();
    let job = home.ended_job(id);
    for run in job["runs"].as_array().expect("runs") {
        assert_eq!(run["state"], "failed", "{run}");
        assert!(run["reason"].as_str().is_some_and(|reason| reason.contains("connection")), "{run}");
        assert_eq!(run["bytes"], 3, "what it had said is kept: {run}");
    }
    fleet.is_clean();
}

#[test]
fn a_killed_engine_leaves_no_script_running_on_the_hosts() {
    let (home, fleet) = lab(2);
    let script = home.file("waits.sh", "#!/bin/sh\necho up\nsleep 600\n");
    let id = home.qd(["run", &script, "--target", "web"]).ok().job_id();
    all_are_up(&home, id);
    home.end_engine(Signal::KILL);
    fleet.is_clean();
}

// ---- keys and host keys ----------------------------------------------------------------------------------

#[test]
fn a_changed_host_key_refuses_that_host_and_names_file_and_line() {
    let (home, fleet) = lab(3);
    let other = key_pair(&fleet.folder.join("other"));
    let host = &fleet.hosts[1];
    let known = fs::read_to_string(&fleet.known_hosts).expect("known_hosts");
    let name = format!("[{}]:{}", host.address, host.port);
    let changed: String = known
        .lines()
        .map(
            |line| {
                if line.starts_with(&name) { format!("{name} {}\n", public_key(&other)) } else { format!("{line}\n") }
            },
        )
        .collect();
    fs::write(&fleet.known_hosts, changed).expect("known_hosts");
    let script = hi(&home);
    let events = run(&home, &script, "web", &[]).exits(3).events();
    let ends = ends(&events);
    assert_eq!(ends["web001"]["state"], "ok");
    assert_eq!(ends["web003"]["state"], "ok");
    assert_eq!(ends["web002"]["state"], "failed");
    let reason = run_of(&home, &events, "web002")["reason"].to_string();
    for word in ["host key", "known_hosts", "2"] {
        assert!(reason.contains(word), "{word} in {reason}");
    }
    let look = home.qd(["targets", "resolve", "web002", "--json"]).ok().json();
    assert_eq!(look["devices"][0]["state"], "refused", "{look}");
}

#[test]
fn strict_refuses_a_host_it_does_not_know() {
    let (home, fleet) = lab(1);
    fs::write(&fleet.known_hosts, "").expect("known_hosts");
    let script = hi(&home);
    let events = run(&home, &script, "web", &[]).exits(3).events();
    let reason = run_of(&home, &events, "web001")["reason"].to_string();
    assert!(reason.contains("host key") && reason.contains("known_hosts"), "{reason}");
    assert_eq!(fs::read_to_string(&fleet.known_hosts).expect("known_hosts"), "", "strict writes nothing");
}

#[test]
fn accept_new_writes_each_host_down_once_and_then_holds_it_to_it() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 40);
    fleet.configure_with(&home, "accept-new");
    fs::write(&fleet.known_hosts, "").expect("known_hosts");
    let script = hi(&home);
    run(&home, &script, "web", &[]).ok();
    let known = fs::read_to_string(&fleet.known_hosts).expect("known_hosts");
    let names: BTreeSet<&str> = known.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((known.lines().count(), names.len()), (40, 40), "forty lines, each host once");
    run(&home, &script, "web", &[]).ok();
    assert_eq!(fs::read_to_string(&fleet.known_hosts).expect("known_hosts"), known);
}

#[test]
fn hashed_names_in_known_hosts_are_found() {
    let (home, fleet) = lab(2);
    let hashed = std::process::Command::new("ssh-keygen").arg("-H").arg("-f").arg(&fleet.known_hosts).output();
    assert!(hashed.expect("ssh-keygen").status.success());
    assert!(fs::read_to_string(&fleet.known_hosts).expect("known_hosts").contains("|1|"));
    let script = hi(&home);
    run(&home, &script, "web", &[]).ok();
}

#[test]
fn a_refused_key_is_its_own_reason_and_is_not_tried_again() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let stranger = key_pair(&fleet.folder.join("stranger"));
    fleet.write_inventory(&format!("[locked]\nweb002 ansible_ssh_private_key_file={}\n", stranger.display()));
    fleet.configure(&home);
    let script = hi(&home);
    let events = run(&home, &script, "web", &[]).exits(3).events();
    assert_eq!(ends(&events)["web001"]["state"], "ok");
    let run = run_of(&home, &events, "web002");
    assert_eq!(run["state"], "failed", "{run}");
    let reason = run["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("key") || reason.contains("authenti"), "{reason}");
    eventually("both have been tried", || fleet.logged("Connection from") >= 2);
    assert_eq!(fleet.logged("Connection from"), 2, "one try each");
}

#[test]
fn an_agent_s_key_opens_the_door() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let agent = Agent::start(&home, "agent");
    agent.add(&fleet.key);
    only_by_agent(&fleet);
    fleet.configure(&home);
    let script = hi(&home);
    home.verb(["run", &script, "--target", "web", "--wait"]).env("SSH_AUTH_SOCK", &agent.socket).run().ok();
}

/// No key file in the inventory: only an agent has it.
fn only_by_agent(fleet: &Fleet) {
    let text = fs::read_to_string(&fleet.inventory).expect("hosts.ini");
    let without: String =
        text.lines().filter(|line| !line.contains("private_key_file")).map(|line| format!("{line}\n")).collect();
    fs::write(&fleet.inventory, without).expect("hosts.ini");
}

#[test]
fn after_a_new_login_the_agent_of_the_new_terminal_signs_and_doctor_says_which() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 4);
    only_by_agent(&fleet);
    fleet.configure(&home);
    let script = home.file("hi.sh", "#!/bin/sh\necho \"agent $SSH_AUTH_SOCK\"\n");
    let by = |agent: &std::path::Path, arguments: &[&str]| {
        home.verb(arguments.iter().copied()).env("SSH_AUTH_SOCK", agent).run()
    };
    let first = Agent::start(&home, "agent-of-the-first-login");
    first.add(&fleet.key);
    by(&first.socket, &["run", &script, "--target", "web001", "--wait"]).ok();
    let engine = home.engine();
    let gone = first.socket.clone();
    drop(first); // as sshd ends a forwarded agent when the line drops

    let second = Agent::start(&home, "agent-of-the-second-login");
    second.add(&fleet.key);
    by(&second.socket, &["run", &script, "--target", "web002", "--wait"]).ok();
    let local = by(&second.socket, &["run", &script, "--target", "local", "--wait"]).ok();
    assert!(local.text().contains(second.socket.to_str().unwrap()), "a script here gets it too: {local}");
    let doctor = by(&second.socket, &["doctor", "web003"]).ok();
    assert!(doctor.text().contains(&format!("yours {}, 1 key", second.socket.display())), "{doctor}");

    // who has none is refused with the reason, and a dead one is said to be dead
    let none = home.qd(["run", &script, "--target", "web004", "--wait"]).exits(3);
    assert!(none.errors().contains(&format!("the agent at {} does not answer", gone.display())), "{none}");
    let doctor = by(&gone, &["doctor", "web003"]);
    assert!(doctor.text().contains("agent-of-the-first-login"), "{doctor}");
    // the engine is not led to anything but a socket
    let file = home.write("work/no-socket", "");
    let doctor = by(&file, &["doctor", "web003"]);
    assert!(doctor.text().contains("not a socket"), "{doctor}");
    assert_eq!(home.engine(), engine, "the same engine all the while");
}

#[test]
fn an_encrypted_key_without_a_terminal_is_refused_with_the_reason() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 1);
    let locked = key_pair_with(&fleet.folder.join("locked"), &["-t", "ed25519", "-N", "open sesame"]);
    fs::write(fleet.folder.join("authorized_keys"), public_key(&locked) + "\n").expect("authorized_keys");
    let text = fs::read_to_string(&fleet.inventory).expect("hosts.ini");
    fs::write(&fleet.inventory, text.replace(fleet.key.to_str().unwrap(), locked.to_str().unwrap()))
        .expect("hosts.ini");
    fleet.configure(&home);
    let script = hi(&home);
    let ran = home.qd(["run", &script, "--target", "web", "--wait"]);
    assert_ne!(ran.code(), 0, "{ran}");
    assert!(format!("{}{}", ran.text(), ran.errors()).contains("passphrase"), "{ran}");
}

#[test]
fn an_encrypted_key_is_asked_for_once_in_a_terminal() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 3);
    let locked = key_pair_with(&fleet.folder.join("locked"), &["-t", "ed25519", "-N", "open sesame"]);
    fs::write(fleet.folder.join("authorized_keys"), public_key(&locked) + "\n").expect("authorized_keys");
    let text = fs::read_to_string(&fleet.inventory).expect("hosts.ini");
    fs::write(&fleet.inventory, text.replace(fleet.key.to_str().unwrap(), locked.to_str().unwrap()))
        .expect("hosts.ini");
    fleet.configure(&home);
    let script = home.file("hi.sh", "#!/bin/sh\necho said\n");
    let mut terminal = support::Console::setup(&home).arguments(&["run", &script, "--target", "web", "--wait"]).start();
    terminal.sees("passphrase");
    terminal.text("open sesame\r");
    terminal.wait("three answers", |screen| support::pty::contents(screen).matches(": said").count() == 3);
    assert!(terminal.exit().success());
    assert!(!terminal.contents().contains("sesame"), "it is not shown");
    assert_eq!(String::from_utf8_lossy(&terminal.log).matches("passphrase").count(), 1, "asked once");
}

/// An ssh-agent of one's own.
struct Agent {
    child: std::process::Child,
    socket: std::path::PathBuf,
}

impl Agent {
    fn start(home: &Home, name: &str) -> Self {
        let socket = home.path().join(name);
        let child = std::process::Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("ssh-agent: install openssh-client");
        eventually("the agent listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        Self { child, socket }
    }

    fn add(&self, key: &std::path::Path) {
        let added =
            std::process::Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).status();
        assert!(added.expect("ssh-add").success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// ---- where hosts come from -------------------------------------------------------------------------------

#[test]
fn without_any_config_the_hosts_are_those_of_the_ssh_config() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 3);
    home.write("home/.ssh/config.d/fleet", fleet.ssh_config());
    home.private("home/.ssh/config", "Include config.d/*\n\nHost *\n  ConnectTimeout 20\n");
    let targets = home.qd(["targets", "resolve", "ssh", "--json"]).ok().json();
    assert_eq!(targets["count"], 3, "{targets}");
    let script = hi(&home);
    let ran = run(&home, &script, "ssh:web[001-003]", &[]).ok();
    assert_eq!(ran.events().last().expect("summary")["counts"]["ok"], 3);
    assert_eq!(home.qd(["targets", "resolve", "@all", "--json"]).ok().json()["count"], 4, "and this machine");
}

#[test]
fn an_inventory_in_yaml_and_one_in_ini_say_the_same() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let yaml = home.write(
        "lab/hosts.yml",
        format!(
            "all:\n  children:\n    eu:\n      children:\n        web:\n          vars:\n            site: lon\n\
             \x20           ansible_user: {}\n            ansible_ssh_private_key_file: {}\n          hosts:\n{}",
            fleet.user,
            fleet.key.display(),
            fleet.hosts.iter().fold(String::new(), |text, host| format!(
                "{text}            {}:\n              ansible_host: {}\n              ansible_port: {}\n",
                host.name, host.address, host.port
            ))
        ),
    );
    let answers: Vec<Value> = [fleet.inventory.clone(), yaml]
        .iter()
        .map(|inventory| {
            home.config(
                &fleet.config("strict").replace(fleet.inventory.to_str().unwrap(), inventory.to_str().unwrap()),
            );
            let mut answer = Value::Null;
            // the engine watches its files
            eventually("the inventory is read", || {
                answer = home.qd(["targets", "resolve", "eu & site:lon", "--json"]).json();
                answer["count"] == 2
            });
            answer["devices"].clone()
        })
        .collect();
    for device in answers[0].as_array().expect("devices") {
        let other = answers[1].as_array().unwrap().iter().find(|other| other["id"] == device["id"]).expect("the same");
        assert_eq!(device["groups"], other["groups"]);
        assert_eq!(device["facts"]["site"], other["facts"]["site"]);
    }
}

#[test]
fn what_was_just_written_into_an_inventory_is_what_the_next_verb_means() {
    let home = Home::empty();
    let path = home.write("lab/hosts.ini", "[web]\na1\n");
    // into the file as it lies there
    let write = |hosts: &str| fs::write(&path, format!("[web]\n{hosts}")).expect("hosts.ini");
    home.config(&format!("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [{path:?}]\n"));
    let names = || {
        let resolved = home.qd(["targets", "resolve", "web", "--json"]).ok().json();
        let devices = resolved["devices"].as_array().expect("devices").clone();
        devices.iter().map(|device| device["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["a1"]);
    for round in 0..8 {
        // as long as the one before: only the date tells
        let name = format!("b{round}");
        write(&format!("{name}\n"));
        assert_eq!(names(), [name]);
    }
    home.write("lab/group_vars/web.yml", "site: par\n");
    assert_eq!(
        home.qd(["targets", "resolve", "site:par", "--json"]).ok().json()["count"],
        1,
        "a folder that was not there"
    );
}

#[test]
fn an_inventory_range_is_a_range() {
    let home = Home::empty();
    home.write("lab/hosts.ini", "[web]\nweb[001:120]\n[db]\ndb-[a:c].example\n");
    home.config(&format!(
        "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [\"{}/lab/hosts.ini\"]\n",
        home.path().display()
    ));
    for (expression, count) in [
        ("web", 120),
        ("web[001-005]", 5),
        ("lab:web[001-005,100]", 6),
        ("lab", 123),
        ("db", 3),
        ("web & !web[001-100]", 20),
        ("web01*", 10),
        ("db-b.example | web001", 2),
    ] {
        let resolved = home.qd(["targets", "resolve", expression, "--json"]).ok().json();
        assert_eq!(resolved["count"], count, "{expression}");
    }
}

#[test]
fn a_proxy_jump_is_gone_through() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let inner = Fleet::with(&home, "inner", 6, &Options::default());
    let hosts = inner.ssh_config().replace("Host web", "Host in").lines().fold(String::new(), |text, line| {
        let jump = if line.starts_with("Host ") { "\n  ProxyJump web001" } else { "" };
        format!("{text}{line}{jump}\n")
    });
    home.private("home/.ssh/config", format!("{}{hosts}", fleet.ssh_config()));
    let script = home.file("hi.sh", "#!/bin/sh\necho $SSH_CONNECTION\n");
    let ran = run(&home, &script, "in[001-006]", &[]).ok();
    assert_eq!(ran.events().last().expect("summary")["counts"]["ok"], 6);
    eventually("the jump host was gone through", || fleet.logged("Accepted publickey") >= 1);
    assert_eq!(fleet.logged("Accepted publickey"), 1, "one connection to the jump host, shared");
}

#[test]
fn what_the_native_client_cannot_do_goes_through_the_ssh_program() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let proxied = fleet.ssh_config().replacen(
        "Host web001\n",
        "Host web001\n  GSSAPIAuthentication yes\n  PKCS11Provider /usr/lib/none.so\n",
        1,
    );
    home.private("home/.ssh/config", proxied);
    let doctor = home.qd(["doctor", "web001"]);
    assert!(doctor.text().contains("ssh program"), "{doctor}");
    assert!(doctor.text().to_lowercase().contains("pkcs"), "and why: {doctor}");
    let native = home.qd(["doctor", "web002"]).ok();
    assert!(native.text().contains("native"), "{native}");
}

#[test]
fn a_run_through_the_ssh_program_is_a_run_like_any_other() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 2);
    let host = &fleet.hosts[0];
    let proxied = fleet.ssh_config().replacen(
        "Host web001\n",
        &format!(
            "Host web001\n  ProxyCommand sh -c 'exec python3 {}/relay.py {} {}'\n",
            home.work().display(),
            host.address,
            host.port
        ),
        1,
    );
    home.file("relay.py", RELAY);
    let ssh_config = home.private("lab/proxied", proxied);
    // named, because the ssh program takes its default from the password file and not from $HOME
    home.config(&format!("[[connection]]\nname = \"ssh\"\nkind = \"ssh\"\nssh_config = {ssh_config:?}\n"));
    let script = home.file("both.sh", "#!/bin/sh\necho out\necho err >&2\nexit 4\n");
    let events = run(&home, &script, "web001", &[]).exits(3).events();
    assert_eq!(ends(&events)["web001"]["exit_code"], 4);
    let streams: Vec<(&str, &str)> = of_kind(&events, "output")
        .into_iter()
        .map(|event| (event["stream"].as_str().unwrap(), event["text"].as_str().unwrap().trim()))
        .collect();
    assert!(streams.contains(&("out", "out")) && streams.contains(&("err", "err")), "{streams:?}");
    fleet.is_clean();
}

const RELAY: &str = "\
import socket, sys, threading, os
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while True:
        b = os.read(0, 65536)
        if not b: break
        s.sendall(b)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    b = s.recv(65536)
    if not b: break
    os.write(1, b)
";

// ---- hosts that misbehave --------------------------------------------------------------------------------

#[test]
fn hosts_that_never_answer_close_half_way_or_talk_nonsense_have_their_own_reason_and_the_others_go_on() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 4);
    let odd: Vec<(&str, Odd)> = [
        ("silent", Manner::Silent),
        ("banner", Manner::BannerThenClose),
        ("halfway", Manner::HalfWay),
        ("closes", Manner::Closes),
        ("http", Manner::Http),
        ("endless", Manner::Endless),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (name, manner))| (name, Odd::listen(Ipv4Addr::new(127, 0, 8, 1 + index as u8), manner)))
    .collect();
    let lines: String = odd
        .iter()
        .map(|(name, odd)| format!("{name} ansible_host={} ansible_port={}\n", odd.address, odd.port))
        .collect();
    fleet.write_inventory(&format!("[odd]\n{lines}"));
    fleet.configure(&home);
    let names: Vec<&str> = odd.iter().map(|(name, _)| *name).collect();
    let impatient = format!("Host {}\n  ConnectTimeout 2\n", names.join(" "));
    fs::write(fleet.folder.join("ssh_config"), impatient).expect("ssh_config");
    let script = hi(&home);
    let ran = run(&home, &script, "web | odd", &[]);
    assert!([3, 6].contains(&ran.code()), "{ran}");
    let events = ran.events();
    let ends = ends(&events);
    for host in &fleet.hosts {
        assert_eq!(ends[&host.name]["state"], "ok");
    }
    for (name, odd) in &odd {
        assert!(odd.met() > 0, "{name} was tried");
        let state = ends[*name]["state"].as_str().expect("a state");
        let reached = matches!(*name, "http" | "endless"); // somebody is there, though no SSH server
        assert!(state == "offline" || (reached && state == "failed"), "{name} is {state}");
        let run = run_of(&home, &events, name);
        assert!(run["reason"].as_str().is_some_and(|reason| reason.len() > 8), "{run}");
    }
}

#[test]
fn a_host_that_cannot_write_a_file_still_runs_the_script_or_says_why() {
    let home = Home::empty();
    let full = Options {
        // no file can be written there: what a full disk looks like to a launcher
        extra: "ForceCommand trap '' XFSZ; ulimit -f 0; eval \"$SSH_ORIGINAL_COMMAND\"".to_owned(),
        ..Options::default()
    };
    let fleet = Fleet::with(&home, "lab", 2, &full);
    fleet.configure(&home);
    let script = home.file("hi.sh", "#!/bin/sh\necho hi \"$@\"\n");
    let ran = run(&home, &script, "web", &[]);
    let events = ran.events();
    for (name, event) in ends(&events) {
        let run = run_of(&home, &events, &name);
        let explained =
            run["reason"].as_str().is_some_and(|reason| !reason.is_empty()) || run["bytes"].as_u64() > Some(0);
        assert!(event["state"] == "ok" || (event["state"] == "failed" && explained), "{run}");
    }
    fleet.is_clean();
}

#[test]
fn a_script_that_fills_the_device_s_disk_fails_on_that_device_alone() {
    let (home, fleet) = lab(3);
    let script = home.file(
        "fill.sh",
        format!(
            "#!/bin/sh\nset -- $SSH_CONNECTION\n[ $3 != {} ] || {{ cat /proc/version > /dev/full; exit; }}\n",
            fleet.hosts[2].address
        ),
    );
    let events = run(&home, &script, "web", &[]).exits(3).events();
    let ends = ends(&events);
    assert_eq!((&ends["web001"]["state"], &ends["web002"]["state"]), (&json!("ok"), &json!("ok")));
    assert_eq!(ends["web003"]["state"], "failed");
    assert!(of_kind(&events, "output").iter().any(|event| event["text"].as_str().unwrap().contains("No space left")));
}

#[test]
fn a_login_shell_that_chats_does_not_spoil_the_run() {
    let (home, fleet) = lab(1);
    fs::write(fleet.remote_home.join(".bashrc"), "echo welcome to web001\n").expect(".bashrc");
    let script = hi(&home);
    let ran = run(&home, &script, "web", &[]).ok();
    let lines: String =
        of_kind(&ran.events(), "output").iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect();
    assert!(lines.trim_end().ends_with("hi"), "{lines}");
    fs::remove_file(fleet.remote_home.join(".bashrc")).expect(".bashrc");
}
