//! A private home for one test: an empty HOME, XDG folders of its own, and an environment that holds
//! nothing else. When it is dropped its engine is ended by SIGTERM and everything that was started in it
//! must be gone: a leak fails the test that made it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::PATIENCE;
use super::processes::{self, Process, within};
use super::verb::{Ran, Verb};

pub struct Home {
    folder: TempDir,
}

impl Home {
    /// Nothing in it: the state of a machine on which the program was never started.
    pub fn empty() -> Self {
        // short: a unix socket's path may have 107 bytes
        let folder = tempfile::Builder::new().prefix("qd-").tempdir().expect("a temporary folder");
        let home = Self { folder };
        for name in ["home", "config", "data", "state", "cache", "run", "work", "tmp"] {
            fs::create_dir(home.path().join(name)).expect("a folder in the test's own home");
        }
        // what logind does; a program may refuse a runtime folder that others can read
        fs::set_permissions(home.path().join("run"), fs::Permissions::from_mode(0o700)).expect("chmod");
        home
    }

    /// The folder that holds all of it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `$HOME`.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// `$XDG_STATE_HOME/quarterdeck`.
    pub fn state(&self) -> PathBuf {
        self.path().join("state/quarterdeck")
    }

    /// The library's default folder.
    pub fn library(&self) -> PathBuf {
        self.path().join("data/quarterdeck/library")
    }

    /// A folder for the test's own files; verbs run in it.
    pub fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// The whole environment of everything started here.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let mut environment: Vec<(String, OsString)> = [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
        ]
        .into_iter()
        .map(|(name, folder)| (name.to_owned(), self.path().join(folder).into_os_string()))
        .collect();
        for (name, value) in
            [("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("SHELL", "/bin/sh"), ("RUST_BACKTRACE", "0")]
        {
            environment.push((name.to_owned(), value.into()));
        }
        for name in ["PATH", "USER", "LOGNAME", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                environment.push((name.to_owned(), value));
            }
        }
        environment
    }

    /// A verb of the real binary, not yet started.
    pub fn verb<I>(&self, arguments: I) -> Verb
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        Verb::new(self, arguments.into_iter().map(Into::into).collect())
    }

    /// Runs a verb to its end.
    pub fn qd<const N: usize>(&self, arguments: [&str; N]) -> Ran {
        self.verb(arguments).run()
    }

    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        self.put(path, content, 0o644)
    }

    /// All of it at once, as editors save: whoever watches the file never reads the half of it. The mode does not hang
    /// on this machine's umask.
    fn put(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        let aside = self.path().join(format!("aside-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&aside, content).expect("a file in the test's own home");
        fs::set_permissions(&aside, fs::Permissions::from_mode(mode)).expect("chmod");
        fs::rename(&aside, &path).expect("it takes its place");
        path
    }

    /// config.toml.
    pub fn config(&self, text: &str) -> PathBuf {
        self.write("config/quarterdeck/config.toml", text)
    }

    /// A script in the library.
    pub fn script(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.put(self.library().join(name), text, 0o755)
    }

    /// A script file outside the library, by its path.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.write(self.work().join(name), text);
        path.to_str().expect("the test's paths are UTF-8").to_owned()
    }

    /// A private file (a key): 0600.
    pub fn private(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.put(name, text, 0o600)
    }

    /// Every living process that was started here.
    pub fn processes(&self) -> Vec<Process> {
        processes::with_environment(self.path().to_str().expect("the test's paths are UTF-8"))
    }

    /// The engines that live here: one or none, unless something is wrong.
    pub fn engines(&self) -> Vec<Process> {
        let engines: Vec<Process> = self.processes().into_iter().filter(is_engine).collect();
        // a child of an engine looks like one between its fork and its exec
        let child = |process: &Process| engines.iter().any(|engine| engine.pid == process.parent);
        engines.iter().filter(|process| !child(process)).cloned().collect()
    }

    /// Pid of the engine. A starter that lost a race is on its way out for a moment longer: one is left.
    #[track_caller]
    pub fn engine(&self) -> i32 {
        let mut engines = self.engines();
        processes::within(PATIENCE, || {
            engines = self.engines();
            engines.len() == 1
        });
        assert_eq!(engines.len(), 1, "one engine: {engines:#?}");
        engines[0].pid
    }

    /// Sends the engine a signal and waits until it is gone.
    #[track_caller]
    pub fn end_engine(&self, signal: Signal) {
        let pid = self.engine();
        processes::signal(pid, signal);
        processes::eventually("the engine is gone", || !processes::alive(pid));
    }

    /// A job as the store has it.
    #[track_caller]
    pub fn job(&self, id: u64) -> Value {
        self.verb(["jobs", "show", &id.to_string(), "--json"]).run().ok().json()
    }

    /// The job, once it has ended. One that goes on is waited for, on a slow machine too; one that stands still is not.
    #[track_caller]
    pub fn ended_job(&self, id: u64) -> Value {
        let mut job = self.job(id);
        for _ in 0..10 {
            let end = Instant::now() + PATIENCE;
            let before = job.clone();
            while job["state"] == "running" && Instant::now() < end {
                std::thread::park_timeout(Duration::from_millis(5));
                job = self.job(id);
            }
            if job["state"] != "running" {
                return job;
            }
            assert_ne!(job, before, "the job stands still");
        }
        panic!("the job does not end: {job}");
    }

    /// The bytes of a run as they were.
    #[track_caller]
    pub fn output(&self, id: u64, arguments: &[&str]) -> Vec<u8> {
        let id = id.to_string();
        let head = ["output", id.as_str()];
        self.verb(head.iter().chain(arguments).copied()).run().ok().out
    }
}

fn is_engine(process: &Process) -> bool {
    let mut words = process.command.split(' ');
    words.next().is_some_and(|program| program.ends_with("quarterdeck")) && words.any(|word| word == "serve")
}

impl Drop for Home {
    fn drop(&mut self) {
        // each once, also one that somebody was just about to start
        let mut asked = BTreeSet::new();
        let gone = within(PATIENCE, || {
            for engine in self.engines().into_iter().filter(|engine| asked.insert(engine.pid)) {
                processes::signal(engine.pid, Signal::TERM);
            }
            self.processes().is_empty()
        });
        if gone {
            return;
        }
        let left = self.processes();
        for process in &left {
            processes::signal(process.pid, Signal::KILL);
        }
        // a second panic would hide the first
        if !std::thread::panicking() {
            panic!("still running after the engine was asked to end: {left:#?}");
        }
    }
}
