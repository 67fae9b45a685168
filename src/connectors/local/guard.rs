//! The guard: a process that ends this machine's scripts when the engine is killed and cannot do so itself.
//!
//! One for all runs, started with the first. It reads the process groups that run, and those that have ended, from a
//! pipe of which the engine holds the other end; when that closes, it ends the groups that are left: TERM, then KILL.
//! An engine that ends in order has ended its runs before, and the guard finds nothing to do.
//!
//! What it refuses: to start anything, to know what a run is, to outlive its work. Between a script's start and its
//! group's word on the pipe lie some microseconds in which nobody would end it but its own first write, to nobody.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group, setsid, test_kill_process_group};

use super::GRACE;

/// Between two looks whether a group has gone.
const LOOK: Duration = Duration::from_millis(20);

/// The engine's side.
pub struct Guard {
    /// The program that [`keep`]s, with its argument; `None`: nobody does.
    program: Option<(PathBuf, &'static str)>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    keeper: Option<Keeper>,
    groups: HashSet<Pid>,
}

struct Keeper {
    child: Child,
    pipe: ChildStdin,
}

/// One run's group, watched while this lives.
pub struct Watched {
    guard: Arc<Guard>,
    group: Pid,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.guard.tell(self.group, false);
    }
}

impl Guard {
    /// `program argument` runs [`keep`].
    pub fn by(program: PathBuf, argument: &'static str) -> Self {
        Self { program: Some((program, argument)), held: Mutex::default() }
    }

    /// Where no program of ours is at hand.
    pub fn none() -> Self {
        Self { program: None, held: Mutex::default() }
    }

    pub fn watch(self: &Arc<Self>, group: Pid) -> Watched {
        self.tell(group, true);
        Watched { guard: Arc::clone(self), group }
    }

    fn tell(&self, group: Pid, runs: bool) {
        let Some((program, argument)) = &self.program else { return };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if runs {
            held.groups.insert(group);
        } else {
            held.groups.remove(&group);
        }
        if let Some(keeper) = &mut held.keeper {
            if keeper.pipe.write_all(&word(group, runs)).is_ok() {
                return;
            }
            // It was killed or stopped. Killed first: with its pipe closed it would end what runs.
            let _ = keeper.child.kill();
            let _ = keeper.child.wait();
            held.keeper = None;
        }
        if held.groups.is_empty() {
            return;
        }
        let mut command = Command::new(program);
        command.arg(argument);
        match Keeper::start(command, &held.groups) {
            Ok(keeper) => held.keeper = Some(keeper),
            Err(error) => {
                tracing::warn!(%error, "no guard: a killed engine would leave scripts of this machine running")
            }
        }
    }
}

impl Keeper {
    fn start(mut command: Command, groups: &HashSet<Pid>) -> io::Result<Self> {
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pipe = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut keeper = Self { child, pipe };
        for group in groups {
            keeper.pipe.write_all(&word(*group, true))?;
        }
        // From now on: a guard that does not read must not hold up the engine.
        fcntl_setfl(&keeper.pipe, fcntl_getfl(&keeper.pipe)? | OFlags::NONBLOCK)?;
        Ok(keeper)
    }
}

/// A group that runs now, or negative, one that does no longer. Written whole or not at all, being so short.
fn word(group: Pid, runs: bool) -> [u8; 4] {
    let number = group.as_raw_nonzero().get();
    (if runs { number } else { -number }).to_le_bytes()
}

/// The guard's own life: until the engine's end of stdin closes, and then until no group is left.
pub fn keep() {
    // What is meant for the engine's terminal or group is not meant for us.
    let _ = setsid();
    let groups = read(io::stdin().lock());
    for group in &groups {
        let _ = kill_process_group(*group, Signal::TERM);
    }
    let until = Instant::now() + GRACE;
    while Instant::now() < until && groups.iter().any(|group| test_kill_process_group(*group).is_ok()) {
        thread::sleep(LOOK);
    }
    for group in groups {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The groups that run when the words end.
fn read(mut from: impl Read) -> HashSet<Pid> {
    let mut groups = HashSet::new();
    let mut word = [0; 4];
    while from.read_exact(&mut word).is_ok() {
        let number = i32::from_le_bytes(word);
        let Some(group) = number.checked_abs().and_then(Pid::from_raw).filter(|group| !group.is_init()) else {
            continue;
        };
        if number > 0 {
            groups.insert(group);
        } else {
            groups.remove(&group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    #[test]
    fn what_runs_at_the_end_is_what_began_and_did_not_end() {
        let words = [word(pid(70), true), word(pid(71), true), word(pid(70), false), word(pid(1), true)].concat();
        assert_eq!(read(words.as_slice()), HashSet::from([pid(71)]));
        assert_eq!(read(&words[..6]), HashSet::from([pid(70)]), "a word cut short is none");
    }

    #[test]
    fn a_guard_that_was_killed_is_replaced_and_told_everything() {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard");
        let program = folder.path().join("guard");
        // writes down what it hears, as it hears it
        std::fs::write(&program, format!("#!/bin/sh\nexec cat >{}.$$\n", heard.display())).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let guard = Arc::new(Guard::by(program, "guard"));
        let first = guard.watch(pid(70));
        {
            let mut held = guard.held.lock().unwrap();
            let keeper = held.keeper.as_mut().unwrap();
            keeper.child.kill().unwrap();
            keeper.child.wait().unwrap();
        }
        let second = guard.watch(pid(71));
        drop(first);
        drop(second);
        let mut keeper = guard.held.lock().unwrap().keeper.take().unwrap();
        drop(keeper.pipe);
        keeper.child.wait().unwrap();
        let words = std::fs::read(format!("{}.{}", heard.display(), keeper.child.id())).unwrap();
        assert_eq!(words.len(), 4 * 4, "both at once, and the end of both");
        assert_eq!(read(&words[..8]), HashSet::from([pid(70), pid(71)]));
        assert_eq!(read(words.as_slice()), HashSet::new());
    }
}
