//! The system's own `ssh`, for what the native client cannot do (GSSAPI, PKCS#11, security keys, `ProxyCommand`,
//! `Match exec`…). The same launcher on its stdin, the same outcomes; 12 to 100 ms of this machine a host, hence
//! a limit. It is run in batch mode: it never asks.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::config::{HostConfig, Overrides};
use super::feed::{Feed, clean};
use super::launcher::{self, Launch, Said, Way};
use super::trust::Trust;
use crate::connectors::{Order, Outcome, RunSink};
use crate::model::connection;
use crate::model::job::UNKNOWN;
use crate::model::state::RunState;

/// Programs at once.
const AT_ONCE: usize = 32;

/// The watcher gives the script five seconds after TERM.
const END: Duration = Duration::from_millis(7_500);

/// For what its pipes still hold when the program has ended: a `ProxyCommand` may keep them open for longer.
const DRAIN: Duration = Duration::from_millis(500);

/// Until the launcher's line: connecting included.
const START: Duration = Duration::from_secs(300);

const READ: usize = 64 * 1024;

/// Its turn among the programs.
pub struct Programs(Semaphore);

impl Default for Programs {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// Everything the program is told of a host.
pub fn arguments(
    settings: &connection::Ssh,
    trust: &Trust,
    host: &HostConfig,
    over: &Overrides,
    name: &str,
) -> Vec<String> {
    let mut list: Vec<String> = vec!["-T".into(), "-x".into(), "-a".into()];
    let mut option = |text: String| list.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".into());
    option("RemoteCommand=none".into());
    option("ClearAllForwardings=yes".into());
    if host.connect_timeout.is_none() {
        option("ConnectTimeout=10".into());
    }
    if host.server_alive_interval == 0 {
        option("ServerAliveInterval=15".into());
    }
    for text in trust.options(host) {
        option(text);
    }
    for text in &over.options {
        option(text.clone());
    }
    if let Some(port) = over.port {
        list.extend(["-p".into(), port.to_string()]);
    }
    if let Some(user) = &over.user {
        list.extend(["-l".into(), user.clone()]);
    }
    if let Some(file) = &over.identity_file {
        list.extend(["-i".into(), file.display().to_string()]);
    }
    if let Some(jump) = &over.proxy_jump {
        list.extend(["-J".into(), jump.clone()]);
    }
    if let Some(file) = &settings.ssh_config {
        list.extend(["-F".into(), file.display().to_string()]);
    }
    list.push("--".into());
    list.push(over.host_name.clone().unwrap_or_else(|| name.to_owned()));
    list
}

impl Programs {
    /// Runs the order. Waits for the gate. `agent`: in place of the one of the engine's environment.
    pub async fn run(
        &self,
        arguments: &[String],
        agent: Option<&Path>,
        order: &Order,
        sink: &mut dyn RunSink,
    ) -> Outcome {
        let cancelled = || Outcome::because(RunState::Cancelled, "withdrawn before it started");
        let turn = async { (self.0.acquire().await.ok(), order.gate.enter().await) };
        let _held = tokio::select! {
            held = turn => held,
            () = order.cancel.cancelled() => return cancelled(),
        };
        let exported = order.environment();
        let launch =
            Launch { payload: &order.script, args: &order.args, secrets: &order.secrets, environment: &exported };
        let mut way = launch.way();
        let mut full = Vec::new();
        for _ in 0..8 {
            let token = launcher::token();
            let input = launch.stdin(&token, way, &full);
            let mut feed = Feed::new(&mut *sink, &token);
            let outcome = once(arguments, agent, order, &mut feed, input).await;
            match feed.said.take() {
                Some(Said::NoDescriptors) if way == Way::Small => way = Way::File,
                Some(Said::Full(folder)) if !full.contains(&folder) => full.push(folder),
                Some(Said::Nowhere) if way == Way::File && launch.reads_descriptors() => way = Way::Memory,
                Some(Said::Short) | None => return outcome,
                Some(_) => break,
            }
        }
        Outcome::because(
            RunState::Failed,
            format!("{} has no room for the script in any folder; nothing ran", order.device.name),
        )
    }
}

enum Stop {
    Timeout(Duration),
    Cancel,
    Sink(String),
    NeverStarted,
}

async fn once(
    arguments: &[String],
    agent: Option<&Path>,
    order: &Order,
    feed: &mut Feed<'_>,
    input: Vec<Bytes>,
) -> Outcome {
    let name = &order.device.name;
    let mut command = Command::new("ssh");
    command.args(arguments).arg(launcher::command(false));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(agent) = agent {
        command.env("SSH_AUTH_SOCK", agent);
    }
    // Of its own: an interrupt at the engine's terminal is not for it.
    command.process_group(0).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Outcome::because(
                RunState::Failed,
                format!("{name} needs the ssh program, which does not start: {error}"),
            );
        }
    };
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Outcome::because(RunState::Failed, "the ssh program has no pipes");
    };
    // Held open after the script: its end is what ends a run.
    let mut write = Some(Box::pin(async move {
        for piece in input {
            let _ = stdin.write_all(&piece).await;
        }
        let _ = stdin.flush().await;
        stdin
    }));
    let mut control = None;
    let (mut out, mut err) = (vec![0; READ], vec![0; READ]);
    let (mut out_open, mut err_open) = (true, true);
    let asked = Instant::now();
    let mut stop: Option<(Stop, Instant)> = None;
    let mut tail = Vec::new();
    let mut gone: Option<Instant> = None;
    while out_open || err_open {
        let deadline = match (&stop, feed.started, order.timeout) {
            _ if gone.is_some() => gone.map(|since| since + DRAIN),
            (Some((_, since)), _, _) => Some(*since + END),
            (None, Some(started), Some(limit)) => started.checked_add(limit),
            (None, Some(_), None) => None,
            (None, None, _) => Some(asked + START),
        };
        let kept = tokio::select! {
            read = stdout.read(&mut out), if out_open => match read {
                Ok(0) | Err(_) => { out_open = false; Ok(()) }
                Ok(n) => feed.out(&out[..n]),
            },
            read = stderr.read(&mut err), if err_open => match read {
                Ok(0) | Err(_) => { err_open = false; Ok(()) }
                Ok(n) => {
                    tail.extend_from_slice(&err[..n]);
                    let extra = tail.len().saturating_sub(2048);
                    tail.drain(..extra);
                    feed.err(&err[..n])
                }
            },
            stdin = async { write.as_mut().expect("guarded").await }, if write.is_some() => {
                write = None;
                control = Some(stdin);
                Ok(())
            }
            _ = child.wait(), if gone.is_none() => {
                gone = Some(Instant::now());
                Ok(())
            }
            () = order.cancel.cancelled(), if stop.is_none() => {
                stop = Some((Stop::Cancel, Instant::now()));
                (write, control) = (None, None);
                Ok(())
            }
            () = async { match deadline { Some(at) => tokio::time::sleep_until(at.into()).await, None => std::future::pending().await } } => {
                if stop.is_some() || gone.is_some() {
                    break;
                }
                stop = Some((match (feed.started, order.timeout) {
                    (Some(_), Some(limit)) => Stop::Timeout(limit),
                    _ => Stop::NeverStarted,
                }, Instant::now()));
                (write, control) = (None, None);
                Ok(())
            }
        };
        if let Err(why) = kept
            && stop.is_none()
        {
            stop = Some((Stop::Sink(why), Instant::now()));
            (write, control) = (None, None);
        }
        // Before the launcher has read us there is nothing over there to end: only this program.
        if stop.is_some() && feed.started.is_none() {
            break;
        }
    }
    drop((write, control));
    let status = finish(&mut child, stop.is_some()).await;
    match stop.map(|(stop, _)| stop) {
        Some(Stop::Timeout(limit)) => {
            Outcome::because(RunState::Timeout, format!("ran longer than {limit:?} and was ended"))
        }
        Some(Stop::Cancel) if feed.started.is_some() => Outcome::because(RunState::Cancelled, "ended on request"),
        Some(Stop::Cancel) => Outcome::because(RunState::Cancelled, "withdrawn before it started"),
        Some(Stop::Sink(why)) => {
            Outcome::because(RunState::Failed, format!("its output could not be kept ({why}): it was ended"))
        }
        Some(Stop::NeverStarted) => {
            Outcome::because(RunState::Offline, format!("{name} did not answer within {} s", START.as_secs()))
        }
        None => judge(name, feed, status, &String::from_utf8_lossy(&tail)),
    }
}

async fn finish(child: &mut Child, hurry: bool) -> Option<ExitStatus> {
    if hurry {
        let _ = child.start_kill();
    }
    child.wait().await.ok()
}

fn judge(name: &str, feed: &Feed<'_>, status: Option<ExitStatus>, tail: &str) -> Outcome {
    let Some(code) = status.and_then(|status| status.code()) else {
        return Outcome::because(RunState::Failed, format!("the ssh program was killed; {UNKNOWN}"));
    };
    let last = tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last = clean(last);
    if let Some(started) = feed.started {
        let lost = [
            "client_loop:",
            "Connection to ",
            "Connection reset",
            "Connection closed",
            "Timeout, server",
            "packet_write",
        ];
        if code == 255 && lost.iter().any(|start| last.starts_with(start)) {
            let after = started.elapsed().as_secs();
            return Outcome::because(
                RunState::Failed,
                format!(
                    "connection lost after {after} s ({last}); {UNKNOWN}: look at the device before it is run again"
                ),
            );
        }
        return Outcome::exited(code);
    }
    let noise = feed.noise();
    let said = noise.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
    let said = clean(said);
    let has = |words: &[&str]| words.iter().any(|word| noise.contains(word));
    if code != 255 {
        return Outcome::refused(format!(
            "{name}: its login shell does not run the launcher; it says: {}",
            feed.quote()
        ));
    }
    if has(&["IDENTIFICATION HAS CHANGED"]) {
        let line = noise
            .lines()
            .find(|line| line.starts_with("Offending"))
            .map_or_else(|| "see known_hosts".to_owned(), clean);
        return Outcome::refused(format!("the host key of {name} has changed: {line}; nothing was sent"));
    }
    if has(&["Host key verification failed"]) {
        return Outcome::refused(format!(
            "the host key of {name} is not in known_hosts: add it, or set host_keys = \"accept-new\" (ssh says: {said})"
        ));
    }
    if has(&["Permission denied", "Too many authentication failures", "no mutual signature", "Unable to negotiate"]) {
        return Outcome::refused(format!("{name} refuses us: {said}"));
    }
    if has(&["Bad configuration", "Bad owner or permissions", "unknown option", "bad configuration"]) {
        return Outcome::because(RunState::Failed, format!("ssh does not take its configuration: {said}"));
    }
    Outcome::because(RunState::Offline, said)
}
