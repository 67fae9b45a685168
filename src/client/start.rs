//! Finding the engine, starting one when there is none, and seeing that both sides speak the same protocol.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::Pid;
use serde::Deserialize;
use tokio::net::UnixStream;
// Not std's: an engine whose starter lives on is reaped, so that it does not stay as a zombie.
use tokio::process::{Child, Command};

use super::http::Door;
use super::{Client, ClientError, Inner};
use crate::model::wire::{Hello, PROTOCOL};
use crate::settings::Paths;
use crate::settings::own_program;
use crate::settings::paths::{make_private, mark, trusted};

/// How long an engine may take to come up or to go away.
const PATIENCE: Duration = Duration::from_secs(10);

/// An engine that is there answers a greeting at once; one that does not in this time hangs.
const GREETING: Duration = Duration::from_secs(10);

/// A starter that found the place taken looks again after this time.
const AGAIN: Duration = Duration::from_millis(500);

/// A log larger than this is put aside at the next start.
const LOG_LIMIT: u64 = 4 << 20;

/// What every version's greeting holds.
#[derive(Deserialize)]
struct Greeting {
    #[serde(default)]
    version: String,
    protocol: u32,
    #[serde(default)]
    pid: u32,
}

/// Who sits behind the socket.
enum Found {
    Engine(Client),
    Nobody(String),
}

fn no_engine(paths: &Paths, why: impl Into<String>) -> ClientError {
    ClientError::NoEngine { socket: paths.socket.clone(), why: why.into(), log: paths.engine_log() }
}

/// The first of its sockets behind which somebody greets; `Err(why)`: behind none.
async fn greeted(paths: &Paths) -> Result<Result<(Door, Bytes), String>, ClientError> {
    let uid = rustix::process::geteuid().as_raw();
    let mut nobody = String::new();
    for socket in paths.sockets() {
        match trusted(&socket, uid) {
            Ok(()) => {}
            Err(why) if socket == paths.socket => return Err(no_engine(paths, why)),
            Err(_) => continue,
        }
        if let Err(error) = fs::symlink_metadata(&socket) {
            nobody = error.to_string();
            continue;
        }
        let door = Door::new(&socket, paths.agent.as_deref(), &paths.from)?;
        match door.greet(GREETING).await {
            Ok(bytes) => return Ok(Ok((door, bytes))),
            Err(Ok(why)) => nobody = why,
            Err(Err(error)) => return Err(error),
        }
    }
    Ok(Err(nobody))
}

async fn look(paths: &Paths) -> Result<Found, ClientError> {
    let (door, bytes) = match greeted(paths).await? {
        Ok(greeted) => greeted,
        Err(why) => return Ok(Found::Nobody(why)),
    };
    let nonsense = |error: serde_json::Error| ClientError::Lost {
        doing: "greeting it".to_owned(),
        why: format!("its greeting cannot be read: {error}"),
    };
    // Only these three first: another version's greeting may have another shape.
    let greeting: Greeting = serde_json::from_slice(&bytes).map_err(nonsense)?;
    if greeting.protocol != PROTOCOL {
        return Err(ClientError::Version {
            theirs: greeting.version,
            ours: env!("CARGO_PKG_VERSION").to_owned(),
            pid: greeting.pid,
            protocol: greeting.protocol,
        });
    }
    let hello: Hello = serde_json::from_slice(&bytes).map_err(nonsense)?;
    Ok(Found::Engine(Client(std::sync::Arc::new(Inner { door, hello }))))
}

/// Somebody listens. A bare connect: it costs microseconds, and a socket file may outlive its engine.
async fn listened(paths: &Paths) -> bool {
    for socket in paths.sockets() {
        if UnixStream::connect(&socket).await.is_ok() {
            return true;
        }
    }
    false
}

pub async fn find(paths: &Paths) -> Result<Client, ClientError> {
    match look(paths).await? {
        Found::Engine(client) => Ok(client),
        Found::Nobody(why) => Err(no_engine(paths, why)),
    }
}

pub async fn attach(paths: &Paths, program: Option<&Path>) -> Result<Client, ClientError> {
    if let Found::Engine(client) = look(paths).await? {
        match strange(&client, paths) {
            None => return Ok(client),
            Some(_) if !client.hello().busy => end(paths, Some(client.hello().pid)).await.map(drop)?,
            Some(why) if client.hello().config != paths.config.to_string_lossy() => {
                return Err(ClientError::Config { pid: client.hello().pid, why });
            }
            // Consoles find the new one by themselves.
            Some(_) if !at_work(&client) => end(paths, Some(client.hello().pid)).await.map(drop)?,
            // Its jobs must not end for a new colour: who cares asks for `Client::stale`.
            Some(_) => return Ok(client),
        }
    }
    // what its log says from here on is about the one that is started now
    let said = fs::metadata(paths.engine_log()).map_or(0, |log| log.len());
    let mut child = spawn(paths, program)?;
    let started = Instant::now();
    let mut spawned = started;
    let mut pause = Duration::from_millis(1);
    loop {
        if listened(paths).await
            && let Found::Engine(client) = look(paths).await?
        {
            return Ok(client);
        }
        match child.try_wait() {
            Ok(Some(status)) if !status.success() => {
                return Err(no_engine(paths, format!("it ended at once ({status}){}", last_words(paths, said))));
            }
            // Another starter won, or an engine was still ending: then ours is wanted after all.
            Ok(Some(_)) if spawned.elapsed() > AGAIN => {
                child = spawn(paths, program)?;
                spawned = Instant::now();
            }
            _ => {}
        }
        if started.elapsed() > PATIENCE {
            return Err(no_engine(
                paths,
                format!("it did not come up in {} s{}", PATIENCE.as_secs(), last_words(paths, said)),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Jobs run in it; of an engine that does not say, it is believed.
pub fn at_work(client: &Client) -> bool {
    let hello = client.hello();
    hello.jobs_running.map_or(hello.busy, |jobs| jobs > 0)
}

/// How the configuration that an engine was started with differs from the one here, in words.
pub fn strange(client: &Client, paths: &Paths) -> Option<String> {
    let hello = client.hello();
    if hello.config_mark.is_empty() {
        return None; // it does not say
    }
    if hello.config != paths.config.to_string_lossy() {
        return Some(format!("was started with {}, not {}", hello.config, paths.config.display()));
    }
    (hello.config_mark != mark(&paths.config))
        .then(|| format!("was started before {} was changed", paths.config.display()))
}

/// `quarterdeck serve --background`; it leaves our process group and terminal by itself.
fn spawn(paths: &Paths, program: Option<&Path>) -> Result<Child, ClientError> {
    let told = |doing: &str, error: io::Error| no_engine(paths, format!("{doing}: {error}"));
    make_private(&paths.state).map_err(|error| told(&format!("cannot make {}", paths.state.display()), error))?;
    let log_path = paths.engine_log();
    if fs::metadata(&log_path).is_ok_and(|log| log.len() > LOG_LIMIT) {
        let _ = fs::rename(&log_path, log_path.with_extension("log.old")); // at worst it grows on
    }
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&log_path);
    let log = log.map_err(|error| told(&format!("cannot write {}", log_path.display()), error))?;
    let errors = log.try_clone().map_err(|error| told("cannot share the log", error))?;
    let program = match program {
        Some(program) => program.to_owned(),
        None => own_program().map_err(|error| told("cannot find this program's own file", error))?,
    };
    Command::new(&program)
        .arg("--config")
        .arg(&paths.config)
        .args(["serve", "--background"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| told(&format!("cannot start {}", program.display()), error))
}

/// The last line of the log, from this byte on, that says why, if one does.
fn last_words(paths: &Paths, from: u64) -> String {
    let log = fs::read(paths.engine_log()).unwrap_or_default();
    // put aside in between: all of it is new
    let from = usize::try_from(from).ok().filter(|from| *from <= log.len()).unwrap_or(0);
    let tail = &log[log.len().saturating_sub(2000).max(from)..];
    let text = String::from_utf8_lossy(tail);
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.contains(" INFO "))
        .map(|line| format!(": {line}"))
        .unwrap_or_default()
}

/// Ends the engine that runs, whatever its version, and waits until it has gone. `None`: there was none.
/// `only`: not if it is another process (somebody else replaced it in the meantime).
pub async fn end(paths: &Paths, only: Option<u32>) -> Result<Option<u32>, ClientError> {
    let Ok((door, bytes)) = greeted(paths).await? else { return Ok(None) };
    let greeting = serde_json::from_slice::<Greeting>(&bytes).ok();
    if only.is_some() && greeting.as_ref().map(|greeting| greeting.pid) != only {
        return Ok(None);
    }
    let pid = greeting.as_ref().and_then(|greeting| Pid::from_raw(greeting.pid.try_into().ok()?));
    if let Err(error) = door.tell("asking it to end", "shutdown", &(), GREETING).await {
        // An engine of another protocol may not know the request; SIGTERM ends every one cleanly.
        let Some(pid) = pid else { return Err(error) };
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .map_err(|why| no_engine(paths, format!("the running one (pid {pid}) cannot be ended: {why}")))?;
    }
    let started = Instant::now();
    while !gone(paths, pid).await {
        if started.elapsed() > PATIENCE * 3 {
            let who = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            return Err(no_engine(paths, format!("the running one{who} was asked to end and is still there")));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(Some(greeting.map_or(0, |greeting| greeting.pid)))
}

/// Nobody holds the state folder and nobody listens, or the folder is another engine's already. (That a process of
/// that id lives would prove nothing: it can be a zombie, or an id used again.)
async fn gone(paths: &Paths, pid: Option<Pid>) -> bool {
    let lock = paths.state.join("engine.lock");
    let Ok(file) = fs::File::open(&lock) else { return !listened(paths).await };
    if file.try_lock().is_ok() {
        drop(file);
        return !listened(paths).await;
    }
    let holder = fs::read_to_string(&lock).ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
    holder.is_some() && pid.is_some() && holder != pid
}
