//! Against a real OpenSSH server (see [`super::testing`]).

mod network;
mod password;
mod proof;
mod runs;
mod trust;

use std::time::Duration;

use crate::connectors::Outcome;

fn alive(pid: &str) -> bool {
    // A zombie has ended; only its parent has not looked.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Until the process has ended. A test that waits here for ever has found a process left behind.
async fn ended(pid: &str) {
    while alive(pid) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn why(outcome: &Outcome) -> String {
    outcome.reason.clone().unwrap_or_default()
}
