//! How runs start, print and end.

use std::time::Duration;

use super::super::testing::*;
use super::{alive, ended, why};
use crate::connectors::{Connector, Outcome};
use crate::model::connection::Environment;
use crate::model::state::RunState;

#[tokio::test]
async fn a_script_runs_and_its_streams_come_apart() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("echo out; echo err >&2; exit 7\n")).await;
    assert_eq!(outcome, Outcome::exited(7), "{}", server.log());
    assert_eq!((log.out().as_str(), log.err().as_str()), ("out\n", "err\n"));
    assert_eq!(log.0.lock().unwrap().started, 1);
    assert_eq!(ssh.0.pool.kept(), 1, "kept for the next run");
    let (outcome, log) = go(&ssh, with_args(order("echo \"$1|$2\"\n"), &["a b", "it's"])).await;
    assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "a b|it's\n"));
    assert_eq!(server.log().matches("Accepted publickey").count(), 1, "one connection for both");
    ssh.close().await;
    assert_eq!(ssh.0.pool.kept(), 0);
}

#[tokio::test]
async fn variables_are_sent_and_set_as_the_configuration_says() {
    let server = Sshd::start("AcceptEnv QD_* LANG");
    let config =
        format!("{} SendEnv LANG QD_A* QD_SECRET\n SendEnv -QD_SEC*\n SetEnv QD_SET=\"a b\"\n", server.alias("web001"));
    let variables = [("LANG", "de_DE.UTF-8"), ("QD_A1", "x y"), ("QD_B", "no"), ("QD_SECRET", "no"), ("HOME", "no")];
    let ssh = server.connector_with(&config, |settings| {
        let pairs = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        settings.environment = Environment(std::sync::Arc::new(pairs.into()));
    });
    let (outcome, log) = go(&ssh, order("env | grep -E '^(QD_|LANG)' | sort; echo ${HOME##*/}\n")).await;
    assert_eq!(outcome, Outcome::exited(0));
    assert_eq!(log.out(), "LANG=de_DE.UTF-8\nQD_A1=x y\nQD_SET=a b\nhome\n", "{}", log.err());
}

#[tokio::test]
async fn a_signal_is_told_apart_from_an_exit_code() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, _) = go(&ssh, order("kill -SEGV $$\n")).await;
    assert_eq!((outcome.state, outcome.signal.as_deref()), (RunState::Failed, Some("SEGV")));
    assert_eq!(outcome.exit_code, None);
}

#[tokio::test]
async fn a_large_script_goes_by_file_with_every_byte_and_leaves_none() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut script = b"#!/bin/sh\nread -r secret\necho \"$secret $1\"\ntail -c 4 <<'END'\n".to_vec();
    script.extend_from_slice(&b"0123456789abcdef\n".repeat(40_000));
    script.extend_from_slice(b"end\nEND\nls -A /tmp /var/tmp /dev/shm | grep qd0 || echo none\n");
    let run = with_secrets(with_args(order(&script), &["arg"]), &["hush"]);
    let (outcome, log) = go(&ssh, run).await;
    assert_eq!(outcome, Outcome::exited(0), "{}", log.err());
    assert!(log.out().starts_with("hush arg\nend\n"), "{}", log.out());
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_ended_with_its_children() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut slow = order("echo $$; sleep 1000 & echo $!; sleep 1000\n");
    slow.timeout = Some(Duration::from_millis(200));
    let (outcome, log) = go(&ssh, slow).await;
    assert_eq!(outcome.state, RunState::Timeout);
    for pid in log.out().split_whitespace() {
        ended(pid).await;
    }
}

#[tokio::test]
async fn a_script_that_ignores_term_is_killed() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let deaf = order("#!/usr/bin/perl\n$SIG{TERM} = 'IGNORE'; $| = 1; print \"$$\\n\"; sleep 1 while 1;\n");
    let cancel = deaf.cancel.clone();
    let log = Log::default();
    let running = tokio::spawn(ssh.launch(deaf, Box::new(log.clone())));
    log.printed("\n").await;
    cancel.cancel();
    assert_eq!(running.await.unwrap().state, RunState::Cancelled);
    ended(log.out().trim()).await;
}

#[tokio::test]
async fn a_lost_connection_ends_the_script_and_its_outcome_is_unknown() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let log = Log::default();
    let running = tokio::spawn(ssh.launch(order("echo $$; sleep 1000\n"), Box::new(log.clone())));
    log.printed("\n").await;
    for session in server.sessions() {
        run("kill", &["-KILL", &session]);
    }
    let outcome = running.await.unwrap();
    assert_eq!(outcome.state, RunState::Failed);
    assert!(why(&outcome).contains("outcome unknown"), "{outcome:?}");
    // Privilege separation leaves a second process, which sees the first one gone and ends too.
    ended(log.out().trim()).await;
    let (outcome, _) = go(&ssh, order("exit 0\n")).await;
    assert_eq!(outcome, Outcome::exited(0), "the next run makes a new connection");
}

#[tokio::test]
async fn a_child_that_holds_the_output_is_ended_when_the_time_is_up() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut order = order("sleep 1000 & echo $!\nexit 0\n");
    order.timeout = Some(Duration::from_millis(300));
    let (outcome, log) = go(&ssh, order).await;
    assert_eq!(outcome.state, RunState::Timeout);
    ended(log.out().trim()).await;
}

#[tokio::test]
async fn a_daemon_that_a_script_starts_lives_on() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("sleep 1000 </dev/null >/dev/null 2>&1 & echo $!\n")).await;
    assert_eq!(outcome, Outcome::exited(0));
    let pid = log.out().trim().to_owned();
    // The watcher has ended before the channel's close is answered; a run after it has surely seen that.
    go(&ssh, order("exit 0\n")).await;
    assert!(alive(&pid));
    run("kill", &["-KILL", &pid]);
}

#[tokio::test]
async fn cancelling_before_anything_ran_is_immediate() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let waiting = order("echo ran\n");
    let mut waiting = waiting;
    waiting.gate = crate::connectors::Gate(Some(std::sync::Arc::new(tokio::sync::Semaphore::new(0))), None);
    waiting.cancel.cancel();
    let (outcome, log) = go(&ssh, waiting).await;
    assert_eq!((outcome.state, log.out().as_str()), (RunState::Cancelled, ""));
}

#[tokio::test]
async fn a_sink_that_is_full_ends_the_run() {
    struct Full;
    impl crate::connectors::RunSink for Full {
        fn started(&mut self) {}
        fn output(&mut self, _: crate::model::output::Stream, _: &[u8]) -> std::io::Result<()> {
            Err(std::io::Error::other("disk full"))
        }
        fn attempt(&mut self, _: &str) {}
    }
    let server = Sshd::start("");
    let ssh = server.connector();
    let outcome = ssh.launch(order("while :; do echo x; done\n"), Box::new(Full)).await;
    assert_eq!(outcome.state, RunState::Failed);
    assert!(why(&outcome).contains("disk full"), "{outcome:?}");
}
