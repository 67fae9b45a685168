//! One run of the real binary: what it was given, what it answered.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use super::home::Home;
use super::{PATIENCE, processes};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_quarterdeck");

/// A verb that waits to be run.
pub struct Verb {
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    folder: PathBuf,
    stdin: Option<Vec<u8>>,
    /// A shell text that ends in `exec "$@"`, for limits that only a shell can set.
    wrapper: Option<String>,
}

impl Verb {
    pub(super) fn new(home: &Home, arguments: Vec<OsString>) -> Self {
        Self { arguments, environment: home.environment(), folder: home.work(), stdin: None, wrapper: None }
    }

    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Further arguments.
    #[must_use]
    pub fn args<const N: usize>(mut self, more: [&str; N]) -> Self {
        self.arguments.extend(more.map(Into::into));
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// Through `/bin/sh -c '<text>; exec "$@"'`.
    #[must_use]
    pub fn after(mut self, shell: &str) -> Self {
        self.wrapper = Some(format!("{shell}; exec \"$@\""));
        self
    }

    fn command(&self) -> Command {
        let mut command = match &self.wrapper {
            None => Command::new(BINARY),
            Some(text) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", text, "sh", BINARY]);
                command
            }
        };
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end, which is the end of its output too: an engine that was started on the way and
    /// holds on to our pipes is a fault, and shows as one.
    #[track_caller]
    pub fn run(self) -> Ran {
        let line = self.line();
        let mut going = self.spawn();
        let (done, ended) = mpsc::channel();
        let pid = going.pid;
        let out = going.child.stdout.take().expect("piped");
        let err = going.child.stderr.take().expect("piped");
        let out = thread::spawn(move || read_all(out));
        let err = thread::spawn(move || read_all(err));
        let waiter = thread::spawn(move || {
            let status = going.child.wait().expect("our own child");
            let _ = done.send((out.join().expect("reader"), err.join().expect("reader"), status));
        });
        match ended.recv_timeout(PATIENCE * 2) {
            Ok((out, err, status)) => {
                waiter.join().expect("waiter");
                Ran { line, out, err, status }
            }
            Err(_) => {
                processes::signal(pid, Signal::KILL);
                panic!("stuck: {line}");
            }
        }
    }

    /// Starts it and leaves it running.
    #[track_caller]
    pub fn spawn(self) -> Going {
        let mut child = self.command().spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line()));
        let pid = i32::try_from(child.id()).expect("a pid");
        if let Some(bytes) = self.stdin {
            let mut stdin = child.stdin.take().expect("piped");
            // from a thread, for what is larger than a pipe; a verb that does not read it all is not at fault
            thread::spawn(move || {
                let _ = stdin.write_all(&bytes);
            });
        }
        Going { child, pid }
    }

    fn line(&self) -> String {
        let words: Vec<_> = self.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        format!("quarterdeck {}", words.join(" "))
    }
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    bytes
}

/// A verb that runs.
pub struct Going {
    pub child: Child,
    pub pid: i32,
}

impl Going {
    /// Its lines on stdout, as they come.
    pub fn lines(&mut self) -> Lines {
        Lines::of(self.child.stdout.take().expect("asked for once"))
    }

    /// Those on stderr.
    pub fn errors(&mut self) -> Lines {
        Lines::of(self.child.stderr.take().expect("asked for once"))
    }

    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid, signal);
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let mut status = None;
        processes::eventually("the verb has ended", || {
            status = self.child.try_wait().expect("our own child");
            status.is_some()
        });
        status.expect("just seen")
    }

    /// Its stderr, once it has ended.
    pub fn stderr(&mut self) -> String {
        String::from_utf8_lossy(&read_all(self.child.stderr.take().expect("asked for once"))).into_owned()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Lines as they arrive.
pub struct Lines(Receiver<String>);

impl Lines {
    fn of(from: impl Read + Send + 'static) -> Self {
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(from).lines() {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self(receive)
    }

    /// The next line; `None` at the end of output.
    #[track_caller]
    pub fn next(&self) -> Option<String> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no further line after {PATIENCE:?}"),
        }
    }

    /// The first line for which it is so; those before it are dropped.
    #[track_caller]
    pub fn until(&self, what: &str, so: impl Fn(&str) -> bool) -> String {
        let mut seen = Vec::new();
        while let Some(line) = self.next() {
            if so(&line) {
                return line;
            }
            seen.push(line);
        }
        panic!("output ended before: {what}\n{}", seen.join("\n"));
    }
}

/// A verb that has ended.
pub struct Ran {
    line: String,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub status: ExitStatus,
}

impl Ran {
    /// Exit code; 128 and the signal's number where a signal ended it, as a shell says.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "exit code of {self}");
        self
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("not JSON ({error}): {self}"))
    }

    /// One JSON object a line.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}\n{self}")))
            .collect()
    }

    /// The job id that `run` prints.
    #[track_caller]
    pub fn job_id(&self) -> u64 {
        self.text().trim().parse().unwrap_or_else(|_| panic!("not a job id alone: {self}"))
    }

    /// stderr names all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let errors = self.errors();
        for word in words {
            assert!(errors.contains(word), "stderr should say {word:?}: {self}");
        }
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if text.chars().count() > 4000 {
                format!("{}…", text.chars().take(4000).collect::<String>())
            } else {
                text
            }
        };
        write!(f, "{} ({})\n--- stdout\n{}\n--- stderr\n{}", self.line, self.status, short(&self.out), short(&self.err))
    }
}

/// Objects of one kind from the lines of `run --wait --json`.
pub fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}
