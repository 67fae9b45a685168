//! Processes of a test, found by what their environment holds: the way to know the engine's pid without
//! asking the engine, and to see what a run left behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// A process as /proc shows it.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// Process group.
    pub group: i32,
    pub session: i32,
    /// Controlling terminal; 0: none.
    pub terminal: i32,
    pub command: String,
}

impl Process {
    /// `None` when it is gone, or a zombie that only waits for its parent.
    pub fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // the name stands in parentheses and may hold anything, so fields are counted behind the last one
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if matches!(fields.first(), None | Some(&"Z" | &"X")) {
            return None;
        }
        let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some(Self {
            pid,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            terminal: number(4)?,
            command: String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned(),
        })
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

fn all() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .expect("this test reads /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Living processes whose environment at start held `needle`.
pub fn with_environment(needle: &str) -> Vec<Process> {
    all()
        .filter(|pid| {
            let environment = fs::read(Path::new("/proc").join(pid.to_string()).join("environ")).unwrap_or_default();
            contains(&environment, needle.as_bytes())
        })
        .filter_map(Process::read)
        .collect()
}

/// Living descendants of a process, children first.
pub fn descendants(root: i32) -> Vec<Process> {
    let everyone: Vec<Process> = all().filter_map(Process::read).collect();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in everyone.iter().filter(|process| process.parent == parent) {
            parents.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

pub fn alive(pid: i32) -> bool {
    Process::read(pid).is_some()
}

/// One signal to one process; that it is already gone is fine.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Looks again until it is so. The pause between two looks only saves the processor: no test is faster or
/// slower to pass for it, and only a failure waits out [`PATIENCE`].
#[track_caller]
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    assert!(within(PATIENCE, &mut so), "not so after {PATIENCE:?}: {what}");
}

/// The same with a patience of one's own, as an answer.
pub fn within(patience: Duration, mut so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}
