//! A small fleet for tests: scripts, targets, jobs and plans that look like real ones.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::connection::{Capabilities, ConnectionInfo};
use crate::model::device::{Device, Group, Reach};
use crate::model::job::{Job, JobSummary, Run};
use crate::model::plan::Plan;
use crate::model::script::{LastRun, Param, ParamKind, ScriptInfo};
use crate::model::state::{Counts, JobState, RunState};
use crate::model::wire::{Hello, Library, Targets};

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

pub fn hello() -> Hello {
    Hello {
        version: "0.1.0".into(),
        protocol: 1,
        pid: 4711,
        confirm_above: 10,
        at_once: 256,
        library: "/home/ops/.local/share/quarterdeck/library".into(),
        notices: vec![],
        last_event: 0,
    }
}

fn param(name: &str, kind: ParamKind, required: bool) -> Param {
    Param {
        name: name.into(),
        kind,
        describe: String::new(),
        required,
        default: None,
        choices: vec![],
        multiple: false,
        secret: false,
    }
}

pub fn script(name: &str, language: &str, describe: &str) -> ScriptInfo {
    ScriptInfo {
        name: name.into(),
        version: "9f3c1e27aa01".into(),
        describe: describe.into(),
        language: language.into(),
        interpreter: vec![format!("/usr/bin/{language}")],
        params: vec![],
        size: 812,
        path: Some(format!("/home/ops/.local/share/quarterdeck/library/{name}")),
        modified_at: Some(at(-86_400)),
        last_run: None,
        refused: None,
    }
}

pub fn library() -> Library {
    let mut disk = script("disk-use.sh", "bash", "file systems that fill up");
    disk.last_run = Some(LastRun { at: at(-3600), job: 11, ok_percent: 97, history: "+++x+++++".into() });
    let mut patch = script("os-patch.sh", "bash", "patch to a pinned version; reboots outside working hours");
    patch.params = vec![
        Param { describe: "version to reach".into(), ..param("version", ParamKind::Arg, true) },
        Param { default: Some("08-18".into()), ..param("window", ParamKind::Option, false) },
        param("dry-run", ParamKind::Flag, false),
        Param { secret: true, ..param("token", ParamKind::Option, false) },
        Param {
            choices: vec!["soft".into(), "hard".into()],
            ..param("reboot", ParamKind::Option, false)
        },
    ];
    Library {
        folder: "/home/ops/.local/share/quarterdeck/library".into(),
        scripts: vec![
            disk,
            script("failed-units.sh", "bash", "systemd units that failed"),
            script("listening.py", "python3", "listening ports and who owns them"),
            patch,
            script("uptime.ps1", "pwsh", "uptime and load"),
        ],
        warnings: vec![],
    }
}

pub fn device(connection: &str, name: &str, groups: &[&str], state: Reach) -> Device {
    let mut device = Device::new(connection, name);
    device.groups = groups.iter().map(|g| (*g).to_owned()).collect();
    device.facts = BTreeMap::from([
        ("os".to_owned(), if name.starts_with("db") { "debian 12" } else { "debian 13" }.to_owned()),
        ("address".to_owned(), format!("{name}.example.net")),
    ]);
    device.state = state;
    if state == Reach::Offline {
        device.last_error = Some("no answer within 10 s".into());
    }
    device.last_contact = (state != Reach::Unknown).then(|| at(-60));
    device
}

pub fn connection(name: &str, kind: &str, devices: usize) -> ConnectionInfo {
    ConnectionInfo {
        name: name.into(),
        kind: kind.into(),
        devices,
        protected: false,
        read_only: false,
        capabilities: Capabilities::default(),
        warnings: vec![],
    }
}

pub fn group(name: &str, children: &[&str], devices: &[String]) -> Group {
    Group {
        name: name.into(),
        connection: "lab".into(),
        children: children.iter().map(|c| (*c).to_owned()).collect(),
        devices: devices.to_vec(),
    }
}

/// This machine, and a lab of 12 web servers (one offline), 3 databases and a lonely host.
pub fn targets() -> Targets {
    let mut devices = vec![device("local", "local", &[], Reach::Online)];
    let (mut web, mut db) = (Vec::new(), Vec::new());
    for n in 1..=12 {
        let state = if n == 7 { Reach::Offline } else { Reach::Online };
        devices.push(device("lab", &format!("web{n:03}"), &["web", "prod"], state));
        web.push(format!("lab:web{n:03}"));
    }
    for n in 1..=3 {
        devices.push(device("lab", &format!("db{n}"), &["db", "prod"], Reach::Unknown));
        db.push(format!("lab:db{n}"));
    }
    devices.push(device("lab", "bastion", &[], Reach::Refused));
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    let mut prod = [db.clone(), web.clone()].concat();
    prod.sort();
    Targets {
        connections: vec![connection("local", "local", 1), connection("lab", "ssh", 16)],
        groups: vec![group("db", &[], &db), group("prod", &["db", "web"], &prod), group("web", &[], &web)],
        devices,
    }
}

pub fn job(id: u64, states: &[RunState]) -> Job {
    let runs: Vec<Run> = states
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let name = format!("web{:03}", n + 1);
            let mut run = Run::queued(n as u32, &format!("lab:{name}"), &name);
            run.state = *state;
            if !matches!(state, RunState::Queued | RunState::Sent | RunState::Offline) {
                run.started_at = Some(at(n as i64 % 7));
            }
            if state.ended() {
                run.finished_at = Some(at(10 + n as i64 % 50));
            }
            match state {
                RunState::Ok => (run.exit_code, run.last_line) = (Some(0), "/dev/sda1 41% used".into()),
                RunState::Failed => (run.exit_code, run.last_line) = (Some(69), "retry 3/3 failed: CDN 503".into()),
                RunState::Running => run.last_line = format!("{}% downloaded", 10 + n % 80),
                RunState::Offline => run.reason = Some("no answer within 10 s".into()),
                _ => {}
            }
            run
        })
        .collect();
    let counts = Counts::of(states.iter().copied());
    let ended = counts.ended() == counts.total();
    Job {
        summary: JobSummary {
            id,
            script: "disk-use.sh".into(),
            version: "9f3c1e27aa01".into(),
            state: if ended { JobState::Done } else { JobState::Running },
            counts,
            created_at: at(0),
            finished_at: ended.then(|| at(75)),
            target: "web".into(),
            by: "ops".into(),
            reason: None,
        },
        params: vec![],
        timeout_ms: Some(600_000),
        at_once: 256,
        runs,
    }
}

pub fn plan(devices: usize) -> Plan {
    let ids: Vec<String> = (1..=devices).map(|n| format!("lab:web{n:03}")).collect();
    Plan {
        id: "7c41".into(),
        script: library().scripts[0].clone(),
        target: "web".into(),
        folded: format!("lab:web[001-{devices:03}]"),
        offline: ids.iter().filter(|id| id.ends_with("007")).cloned().collect(),
        devices: ids,
        excluded: vec![],
        params: vec![],
        timeout_ms: None,
        at_once: 256,
        confirm: devices > 10,
        findings: vec![],
        questions: vec![],
        expires_at: at(600),
    }
}
