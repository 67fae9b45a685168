//! One script on one connection: start it, pass on what it prints, end it when told, say how it ended.
//!
//! A run has ended when its channel is closed: the exit status may come before the last output
//! (contracts/ssh.md, 4). Output is taken as it comes and handed to the sink at once, so a slow disk holds this
//! task, and through the channel's window the script; nothing piles up on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::Notify;

use super::feed::{Feed, clean};
use super::launcher::{self, Launch, Said, Way};
use super::session::{Connection, NoSession};
use crate::connectors::{Order, Outcome, RunSink};
use crate::model::job::UNKNOWN;
use crate::model::state::RunState;

/// The watcher gives the script five seconds after TERM.
const END: Duration = Duration::from_millis(7_500);

/// From the request to the launcher's line, on the slowest of loaded hosts.
const START: Duration = Duration::from_secs(300);

/// For a session to open.
const OPEN: Duration = Duration::from_secs(30);

/// Nothing was sent to the device: a new connection may do better.
#[derive(Debug)]
pub struct Unsent(pub String);

/// How one launch ended.
enum Ended {
    Outcome(Outcome),
    /// Another launch may do: this folder was full, or none there, or no descriptors.
    Again(Said),
    /// The session was opened ahead and is of no use any more: nothing ran. Is its connection?
    Stale(bool),
}

/// Why we end a run ourselves.
enum Stop {
    Timeout(Duration),
    Cancel,
    Sink(String),
    NeverStarted,
}

/// Runs the order. Waits for a session, not for the gate.
pub async fn run(
    connection: &Connection,
    order: &Order,
    environment: &[(String, String)],
    sink: &mut dyn RunSink,
) -> Result<Outcome, Unsent> {
    let exported = order.environment();
    let launch = Launch { payload: &order.script, args: &order.args, secrets: &order.secrets, environment: &exported };
    let mut way = launch.way();
    let mut full: Vec<String> = Vec::new();
    let mut sent = false;
    loop {
        let opened = tokio::select! {
            opened = connection.session(OPEN) => opened,
            () = order.cancel.cancelled() => {
                return Ok(Outcome::because(RunState::Cancelled, "withdrawn before it started"));
            }
        };
        let session = match opened {
            Ok(session) => session,
            Err(NoSession::Dead(why)) if !sent => return Err(Unsent(why)),
            Err(NoSession::Dead(why) | NoSession::Refused(why)) => {
                return Ok(Outcome::refused(format!("{} opens no session: {why}", order.device.name)));
            }
        };
        connection.used_now();
        sent = true;
        let (read, write) = session.channel.split();
        let token = launcher::token();
        let mut run = Run {
            connection,
            order,
            feed: Feed::new(sink, &token),
            status: None,
            signal: None,
            failed: false,
            answered: false,
            go: Arc::default(),
        };
        let input = launch.stdin(&token, way, &full);
        let ended = run.through(read, &write, environment, input, session.waited).await;
        connection.used_now();
        drop(session.room);
        match ended {
            Ended::Outcome(outcome) => return Ok(outcome),
            Ended::Stale(true) => {}
            Ended::Stale(false) => return Err(Unsent("it stopped answering".to_owned())),
            Ended::Again(Said::NoDescriptors) if way == Way::Small => way = Way::File,
            Ended::Again(Said::Full(folder)) if full.len() < 8 && !full.contains(&folder) => full.push(folder),
            Ended::Again(Said::Nowhere) if way == Way::File && launch.reads_descriptors() => way = Way::Memory,
            Ended::Again(_) => {
                let tried =
                    if full.is_empty() { String::new() } else { format!(" (full: {})", clean(&full.join(", "))) };
                return Ok(Outcome::because(
                    RunState::Failed,
                    format!("{} has no room for the script in any folder{tried}; nothing ran", order.device.name),
                ));
            }
        }
    }
}

struct Run<'a> {
    connection: &'a Connection,
    order: &'a Order,
    feed: Feed<'a>,
    status: Option<u32>,
    signal: Option<String>,
    /// The server does not run commands.
    failed: bool,
    /// It has said something to the request, whatever it was.
    answered: bool,
    /// The script may be sent.
    go: Arc<Notify>,
}

impl Run<'_> {
    async fn through(
        &mut self,
        mut read: ChannelReadHalf,
        write: &ChannelWriteHalf<Msg>,
        environment: &[(String, String)],
        input: Vec<Bytes>,
        waited: bool,
    ) -> Ended {
        let posix = self.connection.posix.get().copied().unwrap_or(false);
        if !waited {
            self.go.notify_one();
        }
        let go = Arc::clone(&self.go);
        let send = async {
            for (name, value) in environment {
                write.set_env(false, name.as_str(), value.as_str()).await?;
            }
            write.exec(true, launcher::command(posix)).await?;
            // On a session that may be dead nothing is sent until it answers, so that what is given up never ran. No
            // time is lost: OpenSSH takes no byte before.
            go.notified().await;
            for piece in input {
                write.data_bytes(piece).await?;
            }
            Ok::<(), russh::Error>(())
        };
        let mut send = Some(Box::pin(send));
        let asked = Instant::now();
        let mut stop: Option<(Stop, Instant)> = None;
        let mut swept = false;
        let closed = loop {
            let deadline = match (&stop, self.feed.started, self.order.timeout) {
                (Some((_, since)), _, _) => Some(*since + END),
                (None, Some(started), Some(limit)) => started.checked_add(limit),
                (None, Some(_), None) => None,
                (None, None, _) if waited && !self.answered => Some(asked + OPEN),
                (None, None, _) => Some(asked + START),
            };
            let cancellable = stop.is_none();
            tokio::select! {
                message = read.wait() => match message {
                    None => break false,
                    Some(ChannelMsg::Close) => break true,
                    Some(message) => {
                        if let Err(why) = self.take(message)
                            && stop.is_none()
                        {
                            stop = Some((Stop::Sink(why), Instant::now()));
                            send = None;
                            let _ = write.eof().await;
                        }
                        if self.failed {
                            let _ = write.close().await;
                            break true;
                        }
                    }
                },
                // What it cannot send, the closing channel explains.
                _ = async { send.as_mut().expect("guarded").await }, if send.is_some() => send = None,
                () = self.order.cancel.cancelled(), if cancellable => {
                    stop = Some((Stop::Cancel, Instant::now()));
                    send = None;
                    let _ = write.eof().await;
                }
                () = sleep_until(deadline) => match &stop {
                    None if waited && !self.answered => break false,
                    None => {
                        let why = match (self.feed.started, self.order.timeout) {
                            (Some(_), Some(limit)) => Stop::Timeout(limit),
                            _ => Stop::NeverStarted,
                        };
                        stop = Some((why, Instant::now()));
                        send = None;
                        let _ = write.eof().await;
                    }
                    // Given up: whatever is left there has outlived TERM and KILL, or the device is gone.
                    Some(_) => break true,
                },
            }
            // The script itself has ended, and its watcher with it, but something of its group holds the output.
            if stop.is_some() && !swept && self.feed.group > 1 && (self.status.is_some() || self.signal.is_some()) {
                swept = true;
                end_group(self.connection, self.feed.group).await;
            }
        };
        drop(send);
        if stop.is_some() {
            let _ = write.close().await;
        }
        if let Some(said) = self.feed.said.take()
            && stop.is_none()
        {
            return Ended::Again(said);
        }
        if waited && !self.answered && stop.is_none() {
            return Ended::Stale(closed);
        }
        Ended::Outcome(self.outcome(closed, stop.map(|(stop, _)| stop)))
    }

    /// One message. `Err`: the sink cannot keep what came.
    fn take(&mut self, message: ChannelMsg) -> Result<(), String> {
        if !matches!(message, ChannelMsg::Eof | ChannelMsg::WindowAdjusted { .. }) {
            self.answered = true;
            self.go.notify_one();
        }
        match message {
            ChannelMsg::Data { data } => self.feed.out(&data)?,
            ChannelMsg::ExtendedData { data, ext: 1 } => {
                let before = self.feed.started.is_none();
                self.feed.err(&data)?;
                if before && self.feed.started.is_some() {
                    self.connection.settle();
                    if let Some(shell) = &self.feed.shell {
                        let _ = self.connection.posix.set(launcher::is_posix(shell));
                    }
                }
            }
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => self.signal = Some(name_of(&signal_name)),
            ChannelMsg::Failure => self.failed = true,
            _ => {}
        }
        Ok(())
    }

    fn outcome(&self, closed: bool, stop: Option<Stop>) -> Outcome {
        let name = &self.order.device.name;
        match stop {
            Some(Stop::Timeout(limit)) => {
                return Outcome::because(RunState::Timeout, format!("ran longer than {limit:?} and was ended"));
            }
            Some(Stop::Cancel) => {
                let what = if self.feed.started.is_some() { "ended on request" } else { "withdrawn before it started" };
                return Outcome::because(RunState::Cancelled, what);
            }
            Some(Stop::Sink(why)) => {
                return Outcome::because(
                    RunState::Failed,
                    format!("its output could not be kept ({why}): it was ended"),
                );
            }
            Some(Stop::NeverStarted) => {
                return Outcome::because(
                    RunState::Failed,
                    format!("{name} took the command but did not start it within {} s", START.as_secs()),
                );
            }
            None => {}
        }
        if self.feed.started.is_none() && (self.failed || closed) {
            let why = if self.failed {
                "the server does not run commands"
            } else {
                "its login shell does not run the launcher"
            };
            let said = self.feed.quote();
            let quote = if said.is_empty() { String::new() } else { format!("; it says: {said}") };
            return Outcome::refused(format!("{name}: {why}{quote}"));
        }
        if let Some(signal) = &self.signal {
            return Outcome {
                signal: Some(signal.clone()),
                ..Outcome::because(RunState::Failed, format!("ended by signal {signal}"))
            };
        }
        if let Some(status) = self.status {
            return Outcome::exited(i32::try_from(status).unwrap_or(i32::MAX));
        }
        let why = self.connection.ended().unwrap_or_else(|| "the channel closed without a word".to_owned());
        match self.feed.started {
            Some(started) => Outcome::because(
                RunState::Failed,
                format!(
                    "connection lost after {} s ({why}); {UNKNOWN}: look at the device before it is run again",
                    started.elapsed().as_secs()
                ),
            ),
            None => Outcome::because(
                RunState::Failed,
                format!(
                    "connection lost while the script was being started ({why}); {UNKNOWN}: look at the device before it is run again"
                ),
            ),
        }
    }
}

/// On a channel of its own, and only as long as the run itself is waited for.
async fn end_group(connection: &Connection, group: u32) {
    let ending = async {
        let session = connection.session(OPEN).await.ok()?;
        session.channel.exec(false, launcher::end_group(group)).await.ok()
    };
    let _ = tokio::time::timeout(END / 3, ending).await;
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn name_of(signal: &russh::Sig) -> String {
    match signal {
        russh::Sig::Custom(name) => name.trim_start_matches("SIG").to_owned(),
        known => format!("{known:?}"),
    }
}
