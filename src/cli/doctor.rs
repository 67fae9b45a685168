//! `doctor`: what this installation is made of and whether it is fine; with a device, how that is reached.

use std::path::Path;

use serde_json::json;

use super::args::Doctor as Verb;
use super::{CliError, Desk, Outcome, out, say};
use crate::client::{Client, ClientError};
use crate::model::amounts;
use crate::model::wire::{Doctor, Step};
use crate::settings::variable;
use crate::settings::{Paths, Settings, shorter};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    match &verb.host {
        Some(device) => {
            desk.warn();
            let client = desk.engine().await?;
            let found = client.doctor(device).await.map_err(|error| super::targets::pointed(error, device))?;
            if desk.common.json {
                out::json_object(&found)?;
            } else {
                let head = out::safe_lines(&format!("{}: {} ({})\n", found.device, found.way, found.why));
                out::print(&head)?;
                out::print(&steps_table(&found.steps))?;
            }
            Ok(verdict(&found.steps))
        }
        None => {
            let mut steps = local(desk.settings);
            steps.extend(engine(desk).await);
            steps.extend(around());
            steps.extend((desk.others.terminal)(desk.settings));
            if desk.common.json {
                out::json_object(&json!({ "steps": steps }))?;
            } else {
                out::print(&steps_table(&steps))?;
                if verdict(&steps) == Outcome::Unwell {
                    say("quarterdeck: not everything is fine");
                }
            }
            Ok(verdict(&steps))
        }
    }
}

fn verdict(steps: &[Step]) -> Outcome {
    if steps.iter().all(|step| step.fine) { Outcome::Done } else { Outcome::Unwell }
}

fn steps_table(steps: &[Step]) -> String {
    let word = |step: &Step| if step.fine { "ok" } else { "!!" }.to_owned();
    out::table(&["", "WHAT", "FOUND"], steps.iter().map(|step| vec![word(step), step.label.clone(), step.text.clone()]))
}

/// What can be seen without an engine.
fn local(settings: &Settings) -> Vec<Step> {
    let paths = &settings.paths;
    let short = |path: &Path| shorter(path, &settings.home);
    let mut steps = Vec::new();
    let config = short(&paths.config);
    if !settings.problems.is_empty() {
        steps.extend(settings.problems.iter().map(|problem| Step::new("config", false, problem)));
    } else if paths.config.exists() {
        steps.push(Step::new("config", true, config));
    } else {
        steps.push(Step::new("config", true, format!("{config} is not there: the defaults are used")));
    }
    for socket in paths.sockets() {
        match crate::settings::paths::trusted(&socket, rustix::process::geteuid().as_raw()) {
            Ok(()) => steps.push(Step::new("socket", true, short(&socket))),
            Err(why) => steps.push(Step::new("socket", false, why)),
        }
    }
    for connection in &settings.connections {
        let mut text = format!("{} ({})", connection.name, connection.kind.word());
        if connection.protected {
            text.push_str(", protected");
        }
        if connection.read_only {
            text.push_str(", read-only");
        }
        steps.push(Step::new("connection", true, text));
    }
    steps.extend(room(paths, short(&paths.state)));
    let now = jiff::Zoned::now();
    let sane = (2025..2100).contains(&now.year());
    steps.push(Step::new("clock", sane, now.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()));
    steps
}

/// Below this the next outputs may not be kept.
const ROOM: u64 = 64 << 20;

/// What is free where jobs and outputs are kept; nothing where that cannot be known.
fn room(paths: &Paths, shown: impl std::fmt::Display) -> Option<Step> {
    let folder = paths.state.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let fine = free >= ROOM;
    let next = if fine { "" } else { ": what devices say may not be kept; free some" };
    Some(Step::new("disk", fine, format!("{} free in {shown}{next}", amounts::bytes(free))))
}

/// What the engine says of itself.
async fn engine(desk: &Desk<'_>) -> Vec<Step> {
    let ran = Client::find(&desk.settings.paths).await.is_ok();
    let attach = async || Client::attach(&desk.settings.paths).await;
    // (what the connections answer may be news to the engine: it greets again)
    let asked = async {
        let examined = attach().await?.doctors().await;
        Ok::<_, ClientError>((examined, attach().await?))
    };
    let (examined, client) = match asked.await {
        Ok(asked) => asked,
        Err(error) => return vec![Step::new("engine", false, error.to_string())],
    };
    let hello = client.hello();
    let how = if ran { "running" } else { "started now" };
    let text = format!("version {}, pid {}, protocol {}, {how}", hello.version, hello.pid, hello.protocol);
    let mut steps = vec![Step::new("engine", hello.version == env!("CARGO_PKG_VERSION"), text)];
    steps.extend(hello.listen.iter().map(|url| Step::new("network", true, format!("other programs find it on {url}"))));
    steps.extend(client.stale(&desk.settings.paths).map(|why| Step::new("engine", false, why)));
    steps.extend(super::serve::unopened(desk.settings, &client).map(|why| Step::new("network", false, why)));
    let targets = client.targets().await;
    // what is wrong with a connection is said there
    let elsewhere = |notice: &String| {
        let connections = targets.iter().flat_map(|targets| &targets.connections);
        desk.settings.problems.contains(notice) || connections.flat_map(|of| &of.warnings).any(|why| why == notice)
    };
    let said = hello.notices.iter().filter(|notice| !elsewhere(notice));
    steps.extend(said.map(|notice| Step::new("engine", false, notice)));
    match client.library().await {
        Ok(library) => {
            let folder = shorter(std::path::Path::new(&library.folder), &desk.settings.home);
            let of = |connection: Option<&str>| {
                let own = library.scripts.iter().filter(|script| script.connection.as_deref() == connection);
                let (no, yes): (Vec<_>, Vec<_>) = own.partition(|script| script.refused.is_some());
                let no =
                    no.into_iter().map(|script| format!("{} {}", script.name, script.refused.as_deref().unwrap_or("")));
                (amounts::number(yes.len() as u64, "script"), no.collect::<Vec<String>>())
            };
            let (scripts, refused) = of(None);
            steps.push(Step::new("library", true, format!("{folder}, {scripts}")));
            steps.extend(refused.into_iter().map(|why| Step::new("library", false, format!("no script: {why}"))));
            steps.extend(library.warnings.iter().map(|warning| Step::new("library", false, warning)));
            for shelf in &library.shelves {
                let name = &shelf.connection;
                steps.push(match (&shelf.problem, shelf.read_at) {
                    (Some(why), _) => Step::new("library", false, format!("{name}: {why}")),
                    (None, None) => Step::new("library", true, format!("{name}: not read yet")),
                    (None, Some(_)) => Step::new("library", true, format!("{name}: {}", of(Some(name)).0)),
                });
            }
        }
        Err(error) => steps.push(Step::new("library", false, error.to_string())),
    }
    match &examined {
        Ok(examined) => steps.extend(examined.iter().flat_map(standing)),
        Err(error) => steps.push(Step::new("connection", false, error.to_string())),
    }
    match &targets {
        Ok(targets) => {
            for connection in &targets.connections {
                let text = format!("{}: {}", connection.name, amounts::number(connection.devices as u64, "device"));
                steps.push(Step::new("targets", true, text));
                let warnings = connection.warnings.iter();
                steps.extend(warnings.map(|why| Step::new("targets", false, format!("{}: {why}", connection.name))));
            }
        }
        Err(error) => steps.push(Step::new("targets", false, error.to_string())),
    }
    steps
}

/// Of a connection that was asked: what is wrong with it, or that nothing is. (With its devices: that is said of those.)
fn standing(found: &Doctor) -> Vec<Step> {
    let name = &found.device;
    let wrong = found.steps.iter().filter(|step| !step.fine && step.label != "inventory");
    let wrong: Vec<Step> =
        wrong.map(|step| Step::new("connection", false, format!("{name}: {}: {}", step.label, step.text))).collect();
    if wrong.is_empty() { vec![Step::new("connection", true, format!("{name} answers"))] } else { wrong }
}

/// Programs that are used where they are there, and what for.
const PROGRAMS: [(&str, &str); 5] = [
    ("ssh", "hosts whose configuration needs it"),
    ("shellcheck", "lint of shell scripts"),
    ("ruff", "lint of Python"),
    ("python3", "lint of Python without ruff"),
    ("pwsh", "PowerShell scripts here, and their lint"),
];

/// What else is here.
fn around() -> Vec<Step> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let agent = match set("SSH_AUTH_SOCK") {
        None => Step::new("ssh agent", true, "none: keys are read from their files, and asked for when encrypted"),
        Some(path) => match std::os::unix::net::UnixStream::connect(&path) {
            Ok(_) => Step::new("ssh agent", true, path),
            Err(error) => {
                Step::new("ssh agent", false, format!("{path}: {error}; start one anew, or unset SSH_AUTH_SOCK"))
            }
        },
    };
    let path = set("PATH").unwrap_or_default();
    let found =
        |name: &str| path.split(':').map(|folder| std::path::Path::new(folder).join(name)).find(|file| file.is_file());
    let programs = PROGRAMS.iter().map(|(name, what)| match found(name) {
        Some(file) => Step::new(name, true, file.display().to_string()),
        None => Step::new(name, true, format!("not installed ({what})")),
    });
    let tmux = set("TMUX").map(|_| tmux());
    std::iter::once(agent).chain(tmux).chain(programs).collect()
}

/// tmux holds an Esc back, and takes alt-letters apart, when its escape-time is long.
fn tmux() -> Step {
    const LONG: u32 = 50;
    let asked = std::process::Command::new("tmux").args(["show-options", "-gv", "escape-time"]).output();
    let ms: Option<u32> =
        asked.ok().and_then(|out| String::from_utf8(out.stdout).ok()).and_then(|text| text.trim().parse().ok());
    match ms {
        Some(ms) if ms > LONG => Step::new(
            "tmux",
            false,
            format!("escape-time is {ms} ms: Esc is slow; put `set -sg escape-time 10` into ~/.tmux.conf"),
        ),
        Some(ms) => Step::new("tmux", true, format!("escape-time {ms} ms")),
        None => Step::new("tmux", true, "escape-time is not known"),
    }
}
