//! This machine: a child process in a process group of its own.
//!
//! The interpreter comes from the shebang and gets the kept script's path and its arguments as argv; no
//! shell ever sees a string of ours. Secrets are lines on the child's stdin. Ending a run ends the group:
//! TERM, then KILL; and where the engine itself is killed, its [`guard`] does it.

pub mod guard;
mod pipe;
mod threads;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use self::guard::Guard;
use self::pipe::{Look, Pipe};
use super::{Connector, Order, Outcome, RunSink, signal_name};
use crate::model::connection::Capabilities;
use crate::model::device::{Device, Inventory, Reach};
use crate::model::job::UNKNOWN;
use crate::model::output::Stream;
use crate::model::plan::Caller;
use crate::model::state::RunState;
use crate::model::wire::{Doctor, Step};

/// Between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);

/// A script that has ended may have left a process behind that still holds its output: how long silence is waited for.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Children being started at once. The kernel holds a starter up until its child is another program; on a machine that
/// is busy with the children before, that takes milliseconds, in which the others go on.
static STARTERS: Semaphore = Semaphore::const_new(4);

pub struct Local {
    name: String,
    home: PathBuf,
    guard: Arc<Guard>,
}

impl Local {
    pub fn new(name: &str, home: &Path, guard: &Arc<Guard>) -> Self {
        Self { name: name.to_owned(), home: home.to_owned(), guard: Arc::clone(guard) }
    }
}

impl Connector for Local {
    fn capabilities(&self) -> Capabilities {
        Capabilities::own_runs()
    }

    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        Box::pin(async { inventory(&self.name) })
    }

    fn launch(&self, order: Order, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        threads::attended(run(order, sink, self.home.clone(), Arc::clone(&self.guard)))
    }

    fn doctor<'a>(&'a self, device: &'a Device, _: &'a Caller) -> BoxFuture<'a, Doctor> {
        Box::pin(async move {
            let shell = Path::new("/bin/sh");
            Doctor {
                device: device.id.clone(),
                way: "child process".into(),
                why: "it is this machine".into(),
                steps: vec![Step {
                    label: "shell".into(),
                    text: format!("{} {}", shell.display(), if shell.exists() { "is there" } else { "is missing" }),
                    fine: shell.exists(),
                }],
            }
        })
    }
}

/// One device, whatever the connection is called.
pub fn inventory(connection: &str) -> Inventory {
    let mut device = Device::new(connection, "local");
    device.facts = facts();
    device.state = Reach::Online;
    Inventory { devices: vec![Arc::new(device)], ..Inventory::default() }
}

fn facts() -> BTreeMap<String, String> {
    let system = rustix::system::uname();
    let mut facts = BTreeMap::new();
    facts.insert("hostname".into(), system.nodename().to_string_lossy().into_owned());
    facts.insert("os".into(), system.sysname().to_string_lossy().into_owned());
    facts.insert("kernel".into(), system.release().to_string_lossy().into_owned());
    facts.insert("arch".into(), system.machine().to_string_lossy().into_owned());
    facts
}

async fn run(order: Order, mut sink: Box<dyn RunSink>, home: PathBuf, guard: Arc<Guard>) -> Outcome {
    let permit = tokio::select! {
        permit = order.gate.enter() => permit,
        () = order.cancel.cancelled() => return cancelled(),
    };
    let (mut child, pipes) = match start_apart(order.clone(), home).await {
        Ok(started) => started,
        Err(outcome) => return outcome,
    };
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let watched = group.map(|group| guard.watch(group));
    sink.started();
    let outcome = attend(&mut child, pipes, group, &order, sink.as_mut()).await;
    drop((watched, permit));
    outcome
}

fn cancelled() -> Outcome {
    Outcome::because(RunState::Cancelled, "cancelled before it started")
}

async fn start_apart(order: Order, home: PathBuf) -> Result<(Child, [Pipe; 2]), Outcome> {
    let _starter = STARTERS.acquire().await;
    let started = tokio::task::spawn_blocking(move || start(&order, &home)).await;
    started.unwrap_or_else(|error| Err(Outcome::because(RunState::Failed, format!("could not be started: {error}"))))
}

fn start(order: &Order, home: &Path) -> Result<(Child, [Pipe; 2]), Outcome> {
    let no_pipe = |error| Outcome::because(RunState::Failed, format!("cannot start {}: {error}", order.script.name));
    let (out, to_out) = Pipe::new().map_err(no_pipe)?;
    let (err, to_err) = Pipe::new().map_err(no_pipe)?;
    let interpreter = &order.script.interpreter;
    let program = interpreter.first().map_or("/bin/sh", String::as_str);
    let mut command = Command::new(program);
    command
        .args(interpreter.iter().skip(1))
        .arg(&order.script.path)
        .args(order.args.iter())
        .envs(order.environment())
        .current_dir(if home.is_dir() { home } else { Path::new("/") })
        .stdin(if order.secrets.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(to_out)
        .stderr(to_err)
        .process_group(0)
        .kill_on_drop(true);
    if let Some(agent) = &order.caller.agent {
        // the engine's own is that of the terminal it was started from, perhaps gone since
        command.env("SSH_AUTH_SOCK", agent);
    }
    let mut child = command.spawn().map_err(|error| {
        let why = if error.kind() == io::ErrorKind::NotFound {
            format!("cannot start {}: no program {program} on this machine", order.script.name)
        } else {
            format!("cannot start {}: {program}: {error}", order.script.name)
        };
        Outcome::because(RunState::Failed, why)
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        let secrets = Arc::clone(&order.secrets);
        // a script that reads none of them must not hold up its own run
        tokio::spawn(async move {
            for secret in secrets.iter() {
                if stdin.write_all(secret.expose().as_bytes()).await.is_err() || stdin.write_all(b"\n").await.is_err() {
                    return;
                }
            }
        });
    }
    Ok((child, [out, err]))
}

/// Why a run is being ended.
#[derive(Clone, Copy)]
enum Ending {
    Timeout,
    Cancel,
    DiskFull,
}

async fn attend(
    child: &mut Child,
    [out, err]: [Pipe; 2],
    group: Option<Pid>,
    order: &Order,
    sink: &mut dyn RunSink,
) -> Outcome {
    let began = Instant::now();
    let (mut out, mut err) = (Some(out), Some(err));
    let deadline = order.timeout.map(|limit| began + limit);
    let mut ending: Option<Ending> = None;
    let mut kill_at: Option<Instant> = None;
    let mut status: Option<ExitStatus> = None;
    let mut silent_since = Instant::now();
    loop {
        if status.is_some() && out.is_none() && err.is_none() {
            break;
        }
        tokio::select! {
            () = readable(&out), if out.is_some() => match keep_in_order((&mut out, Stream::Out), (&mut err, Stream::Err), sink) {
                Ok(()) => silent_since = Instant::now(),
                Err(_) => end(&mut ending, Ending::DiskFull, group, &mut kill_at),
            },
            () = readable(&err), if err.is_some() => match keep_in_order((&mut err, Stream::Err), (&mut out, Stream::Out), sink) {
                Ok(()) => silent_since = Instant::now(),
                Err(_) => end(&mut ending, Ending::DiskFull, group, &mut kill_at),
            },
            ended = child.wait(), if status.is_none() => {
                status = ended.ok();
                silent_since = Instant::now();
                if status.is_none() {
                    break;
                }
            }
            () = order.cancel.cancelled(), if ending.is_none() && status.is_none() => {
                end(&mut ending, Ending::Cancel, group, &mut kill_at);
            }
            () = until(deadline), if ending.is_none() && status.is_none() => {
                end(&mut ending, Ending::Timeout, group, &mut kill_at);
            }
            () = until(kill_at), if kill_at.is_some() => {
                kill_at = None;
                kill(group, Signal::KILL);
            }
            () = sleep_until(silent_since + LEFT_BEHIND), if status.is_some() => {
                sink.attempt("the script has ended; a process it left behind still holds its output, which is not waited for");
                break;
            }
        }
    }
    if ending.is_some() {
        // whatever of the group outlived its leader
        kill(group, Signal::KILL);
    }
    outcome(ending, status, began)
}

fn end(ending: &mut Option<Ending>, why: Ending, group: Option<Pid>, kill_at: &mut Option<Instant>) {
    if ending.is_none() {
        *ending = Some(why);
        kill(group, Signal::TERM);
        *kill_at = Some(Instant::now() + GRACE);
    }
}

fn kill(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // gone already is as good
        let _ = kill_process_group(group, signal);
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn outcome(ending: Option<Ending>, status: Option<ExitStatus>, began: Instant) -> Outcome {
    let took = format!("{:.1} s", began.elapsed().as_secs_f64());
    match ending {
        Some(Ending::Timeout) => {
            return Outcome::because(RunState::Timeout, format!("ran longer than allowed: ended after {took}"));
        }
        Some(Ending::Cancel) => {
            return Outcome::because(RunState::Cancelled, format!("cancelled while it ran, after {took}"));
        }
        Some(Ending::DiskFull) => {
            return Outcome::because(RunState::Failed, "its output could not be kept: it was ended");
        }
        None => {}
    }
    match status {
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Outcome::exited(code),
            (None, Some(number)) => Outcome {
                signal: Some(signal_name(number)),
                ..Outcome::because(RunState::Failed, format!("ended by signal {}", signal_name(number)))
            },
            (None, None) => Outcome::because(RunState::Failed, "ended without saying how"),
        },
        None => Outcome::because(RunState::Failed, format!("could not be waited for: {UNKNOWN}")),
    }
}

async fn readable(pipe: &Option<Pipe>) {
    match pipe {
        // what goes wrong here shows when it is read
        Some(pipe) => drop(pipe.readable().await),
        None => std::future::pending().await,
    }
}

type Printed<'a> = (&'a mut Option<Pipe>, Stream);

/// What is in this pipe. The rest of a line that was begun in the other one was printed before it and goes first,
/// so that no line of a script that prints one thing after another is cut in two.
fn keep_in_order(this: Printed<'_>, other: Printed<'_>, sink: &mut dyn RunSink) -> io::Result<()> {
    if other.0.as_ref().is_some_and(Pipe::within_line) {
        keep(other, sink)?;
    }
    keep(this, sink)
}

/// `Err`: what came could not be kept, and nothing more is taken.
fn keep((pipe, stream): Printed<'_>, sink: &mut dyn RunSink) -> io::Result<()> {
    let Some(open) = pipe else { return Ok(()) };
    let look = open.pass(|bytes| sink.output(stream, bytes));
    if !matches!(look, Ok(Look::Bytes | Look::Nothing)) {
        *pipe = None;
    }
    look.map(drop)
}

#[cfg(test)]
mod tests;
