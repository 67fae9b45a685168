//! The pictures in `screenshots/` are what the console draws today, and the tape they are drawn from is what an
//! engine answered while real scripts ran on real OpenSSH servers.

#[path = "../examples/screenshots/scenes.rs"]
mod scenes;
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::client::{Asked, Client};
use quarterdeck::model::job::JobId;
use quarterdeck::model::output::{Seek, Which};
use quarterdeck::model::plan::{PlanRequest, ScriptRef};
use quarterdeck::model::rollout::How;
use quarterdeck::model::wire::Launch;
use quarterdeck::settings::{self, Env, Overrides};
use scenes::Tape;
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{Fleet, Home, Options, sshd};

const AGAIN: &str = "run `cargo run --example screenshots`, look at the pictures, and commit them";

#[test]
fn the_pictures_are_what_the_console_draws() {
    let pictures = scenes::pictures(&scenes::tape().unwrap());
    for (name, svg) in &pictures {
        let there = fs::read_to_string(scenes::folder().join(format!("{name}.svg")));
        assert!(there.is_ok_and(|there| there == *svg), "screenshots/{name}.svg is not what is drawn: {AGAIN}");
        let png = fs::read(scenes::folder().join(format!("{name}.png"))).unwrap_or_default();
        let mark: String = Sha256::digest(svg).iter().fold(String::from("svg-sha256\0"), |mut mark, byte| {
            let _ = write!(mark, "{byte:02x}");
            mark
        });
        let same = memchr::memmem::find(&png, mark.as_bytes()).is_some();
        assert!(same, "screenshots/{name}.png is not made from its SVG: {AGAIN}");
        // four screens in one weigh more than one
        let most = if name.ends_with("-four") { 300_000 } else { 150_000 };
        assert!(png.len() < most, "screenshots/{name}.png is heavy: {} bytes", png.len());
    }
    let known: BTreeSet<String> = pictures
        .iter()
        .flat_map(|(name, _)| [format!("{name}.svg"), format!("{name}.png")])
        .chain(["tape.json".to_owned()])
        .collect();
    let there = fs::read_dir(scenes::folder()).unwrap().flatten();
    let there: BTreeSet<String> = there.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, known, "every file in screenshots/ is made by the example");
}

const RELEASE: &str = "2026.11";
/// Group and number of hosts.
const GROUPS: [(&str, usize); 3] = [("db", 8), ("edge", 12), ("web", 28)];
const OUT_OF_SPACE: [&str; 2] = ["db03", "web11"];
const BROKEN_DEPOT: [&str; 2] = ["edge02", "edge09"];
const UNREACHABLE: &str = "edge05";

/// Makes `screenshots/tape.json` anew, with what identifies this machine and this hour replaced.
#[test]
#[ignore = "writes into the repository: `cargo run --example screenshots -- --record`"]
fn record() {
    let home = Home::empty();
    let names: Vec<String> =
        GROUPS.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}{n:02}"))).collect();
    let lab = home.path().join("lab");
    let extra: String = names.iter().enumerate().fold(String::new(), |mut text, (n, name)| {
        let own = home.path().join("hosts").join(name);
        fs::create_dir_all(own.join("tmp")).unwrap();
        fs::write(own.join("quota"), if OUT_OF_SPACE.contains(&name.as_str()) { "9\n" } else { "38\n" }).unwrap();
        let depot = home.path().join(if BROKEN_DEPOT.contains(&name.as_str()) { "broken" } else { "depot" });
        let (marker, own, depot) = (lab.display(), own.display(), depot.display());
        let _ = writeln!(
            text,
            "Match LocalAddress 127.0.1.{}\nSetEnv QD_RIG={marker} HOME={own} TMPDIR={own}/tmp DEPOT={depot}",
            n + 1
        );
        text
    });
    for depot in ["depot", "broken"] {
        let mut sums = String::new();
        for part in 1..=24_u8 {
            let mut bytes = vec![part; 20_000 + usize::from(part) * 9_000];
            let _ = writeln!(sums, "{:x}  part.{part:02}", Hex(&Sha256::digest(&bytes)));
            if depot == "broken" && part == 9 {
                bytes.truncate(4096);
            }
            home.write(format!("{depot}/{RELEASE}/part.{part:02}"), bytes);
        }
        home.write(format!("{depot}/{RELEASE}/SHA256SUMS"), sums);
    }
    let fleet = Fleet::with(&home, "lab", names.len(), &Options { extra, ..Options::default() });
    fleet.configure(&home);
    let closed = sshd::closed_port(fleet.hosts[0].address);
    let mut inventory = String::new();
    let mut hosts = names.iter().zip(&fleet.hosts);
    for (group, count) in GROUPS {
        let _ = writeln!(inventory, "[{group}]");
        for (name, host) in hosts.by_ref().take(count) {
            let port = if name == UNREACHABLE { closed } else { host.port };
            let _ = writeln!(inventory, "{name} ansible_host={} ansible_port={port}", host.address);
        }
    }
    let _ = write!(
        inventory,
        "\n[prod:children]\ndb\nweb\n\n[canary]\nedge01\nweb01\n\n\
         [all:vars]\nansible_user={}\nansible_ssh_private_key_file={}\n",
        fleet.user,
        fleet.key.display()
    );
    fs::write(&fleet.inventory, inventory).unwrap();

    // The first verb starts the engine, which puts the sample scripts in place.
    home.qd(["scripts", "ls"]).ok();
    home.script("stage-release.sh", include_str!("../examples/screenshots/library/stage-release.sh"));
    let environment = home.environment();
    let vars: Vec<(&str, &str)> =
        environment.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str()?))).collect();
    let settings = settings::read(&Env::of(&vars), "", &Overrides::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tape = runtime.block_on(async {
        let client = Client::find(&settings.paths).await.unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let release = [pair("release", RELEASE)];
        let rehearsal = [pair("release", RELEASE), pair("dry-run", "true")];
        // Nothing that would tell this machine's processes, ports or other file systems.
        for (script, target, params) in [
            ("uptime-load.sh", "@all", &[][..]),
            ("disk-use.sh", "prod", &[pair("paths", "/")]),
            ("stage-release.sh", "canary", &rehearsal),
            ("stage-release.sh", "edge", &rehearsal),
            ("uptime-load.sh", "local", &[]),
        ] {
            let job = launch(&client, script, target, params).await;
            wait(&client, job, |_, _| false).await;
        }
        let job = launch(&client, "stage-release.sh", "lab", &release).await;
        wait(&client, job, |ok, running| ok >= 14 && running < 24).await;
        let asked = PlanRequest { at_once: None, ..request("stage-release.sh", "prod", &release) };
        let plan = client.plan(&asked).await.unwrap();
        tape(&client, job, vec![(release.to_vec(), plan)]).await
    });
    let tape = anonymous(serde_json::to_value(tape).unwrap(), &home, &fleet, closed);
    serde_json::from_value::<Tape>(tape.clone()).expect("a tape still");
    fs::create_dir_all(scenes::folder()).unwrap();
    fs::write(scenes::folder().join("tape.json"), serde_json::to_string(&tape).unwrap() + "\n").unwrap();
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn request(script: &str, target: &str, params: &[(String, String)]) -> PlanRequest {
    PlanRequest {
        script: ScriptRef::Library(script.to_owned()),
        target: target.to_owned(),
        params: params.to_vec(),
        secrets: vec![],
        files: vec![],
        include: vec![],
        dry_run: false,
        options: Vec::new(),
        timeout_ms: None,
        at_once: Some(30),
        how: How::default(),
    }
}

async fn launch(client: &Client, script: &str, target: &str, params: &[(String, String)]) -> JobId {
    let plan = client.plan(&request(script, target, params)).await.unwrap();
    let confirm = Some(plan.devices.len());
    client.launch(&Launch { plan: plan.id, confirm }).await.unwrap().id
}

/// Until the job has ended, or stands as is wished.
async fn wait(client: &Client, job: JobId, wished: impl Fn(u32, u32) -> bool) {
    let waiting = async {
        loop {
            let job = client.job(job).await.unwrap().summary;
            let ended = job.finished_at.is_some();
            if ended || wished(job.counts.ok, job.counts.running) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(support::PATIENCE, waiting).await.expect("the job comes so far");
}

async fn tape(
    client: &Client,
    running: JobId,
    plans: Vec<(Vec<(String, String)>, quarterdeck::model::plan::Plan)>,
) -> Tape {
    let mut jobs = vec![client.job(running).await.unwrap()];
    let at = Timestamp::now();
    let mut lines = Vec::new();
    for run in 0..jobs[0].runs.len() as u32 {
        let (which, seek) = (Which::All, Seek::Start);
        let asked = Asked { job: running, run: Some(run), which, seek, before: 0, count: 100, pattern: None };
        lines.push(client.window(&asked).await.unwrap().lines);
    }
    // What came after the job was looked at is not on the tape.
    for (run, lines) in jobs[0].runs.iter().zip(&mut lines) {
        lines.truncate(run.lines as usize);
    }
    let targets = client.targets().await.unwrap();
    for summary in client.jobs(100).await.unwrap().iter().filter(|summary| summary.id != running) {
        jobs.push(client.job(summary.id).await.unwrap());
    }
    let library = client.library().await.unwrap();
    let mut scripts = Vec::new();
    for script in &library.scripts {
        scripts.push(client.script(&script.name).await.unwrap());
    }
    Tape { at, hello: client.hello().clone(), targets, library, scripts, jobs, lines, plans }
}

/// The same with other names for this machine's user, paths and addresses, and at another time.
fn anonymous(mut tape: Value, home: &Home, fleet: &Fleet, closed: u16) -> Value {
    let at: Timestamp = tape["at"].as_str().unwrap().parse().unwrap();
    let shift = "2026-11-20T10:42:07Z".parse::<Timestamp>().unwrap().duration_since(at);
    let base = home.path().display().to_string();
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names: Vec<(String, String)> =
        ["data:.local/share", "config:.config", "state:.local/state", "cache:.cache"]
            .iter()
            .filter_map(|pair| pair.split_once(':'))
            .map(|(from, to)| (format!("{base}/{from}/"), format!("/home/ops/{to}/")))
            .collect();
    let mut hosts: Vec<_> = fs::read_dir(home.path().join("hosts")).unwrap().flatten().map(|e| e.file_name()).collect();
    hosts.sort_by_key(|name| std::cmp::Reverse(name.as_bytes().to_vec()));
    names.extend(hosts.iter().map(|host| (format!("{base}/hosts/{}", host.to_string_lossy()), "/home/ops".to_owned())));
    names.push((format!("{base}/depot"), "/srv/depot".to_owned()));
    names.push((format!("{base}/broken"), "/srv/depot".to_owned()));
    names.push((base, "/home/ops".to_owned()));
    names.push((node, "bastion-2".to_owned()));
    names.push((Ipv4Addr::new(127, 0, 1, 0).to_string().trim_end_matches('0').to_owned(), "10.20.1.".to_owned()));
    let ports: BTreeSet<u16> = fleet.hosts.iter().map(|host| host.port).chain([closed]).collect();
    names.extend(ports.iter().map(|port| (port.to_string(), "22".to_owned())));
    replace(&mut tape, &fleet.user, &names, shift);
    tape["hello"]["pid"] = 4711.into();
    tape
}

fn replace(value: &mut Value, user: &str, names: &[(String, String)], shift: SignedDuration) {
    match value {
        Value::String(text) => {
            if let Ok(at) = text.parse::<Timestamp>() {
                *text = (at + shift).to_string();
            } else if text == user {
                "ops".clone_into(text);
            } else {
                for (from, to) in names {
                    *text = text.replace(from, to);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, user, names, shift)),
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, user, names, shift)),
        _ => {}
    }
}
