//! Against a real OpenSSH server.

use std::time::Duration;

use super::testing::*;
use crate::connectors::Outcome;
use crate::model::state::RunState;

#[tokio::test]
async fn a_script_runs_and_its_streams_come_apart() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("echo out; echo err >&2; exit 7\n")).await;
    assert_eq!(outcome, Outcome::exited(7), "{}", server.log());
    assert_eq!((log.out().as_str(), log.err().as_str()), ("out\n", "err\n"));
    assert_eq!(log.0.lock().unwrap().started, 1);
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_ended_with_its_children() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut slow = order("echo $$; sleep 1000 & sleep 1000\n");
    slow.timeout = Some(Duration::from_millis(300));
    let (outcome, log) = go(&ssh, slow).await;
    assert_eq!(outcome.state, RunState::Timeout);
    assert!(log.out().trim().parse::<u32>().is_ok());
}
