//! What the valve writes down before a script goes out, and what becomes of the job when that cannot be done: it is held.

use std::io;
use std::sync::{Arc, Mutex};

use super::{Bell, lock};
use crate::connectors::Ledger;
use crate::engine::store::starts::Starts;

pub struct Book {
    starts: Starts,
    bell: Arc<Bell>,
    trouble: Mutex<Option<String>>,
}

impl Book {
    pub fn new(starts: Starts, bell: Arc<Bell>) -> Self {
        Self { starts, bell, trouble: Mutex::default() }
    }

    /// Why nothing can be let go; once.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).take()
    }
}

impl Ledger for Book {
    fn note(&self, run: u32, time: u32) -> io::Result<()> {
        self.starts.note(run, time)
    }

    fn broken(&self, why: &io::Error) {
        *lock(&self.trouble) =
            Some(format!("what is sent cannot be written down ({why}): mend the state folder, then resume"));
        self.bell.changed.notify_one();
    }
}
