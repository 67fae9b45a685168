//! What the end-to-end specifications stand on: a private home, the real binary in it, private OpenSSH
//! servers, and a terminal. Owns every process it starts and ends each by its pid; refuses to touch the
//! operator's own home, the system's own sshd, and any address outside 127.0.0.0/8.
#![allow(dead_code, unused_imports)] // each specification is a crate of its own and uses its part of this

mod account;
pub mod curl;
pub mod door;
pub mod home;
pub mod mdm;
pub mod odd;
pub mod processes;
pub mod pty;
pub mod sshd;
pub mod tls;
pub mod verb;
pub mod webscripts;

pub use home::Home;
pub use processes::eventually;
pub use pty::Console;
pub use sshd::{Fleet, Options};
pub use verb::{Going, Ran};

use std::time::Duration;

/// How long a test waits before it calls something stuck. Only a failure ever waits this long.
pub const PATIENCE: Duration = Duration::from_secs(120);
