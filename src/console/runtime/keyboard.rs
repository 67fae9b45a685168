//! The terminal's side of the loop: reads while the terminal is ours, and tells keys, pastes and answers as they are
//! complete.

use std::io;
use std::time::Instant;

use super::at;
use crate::console::term::{Decoder, Input, Reader};

/// Inputs taken at one go; more would keep results waiting.
const BATCH: usize = 64;

#[derive(Default)]
pub struct Keyboard {
    reader: Option<Reader>,
    decoder: Decoder,
}

impl Keyboard {
    /// Reads from now on. `true`: it did not before, so what happened meanwhile was not told.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn listen(&mut self) -> io::Result<bool> {
        if self.reader.is_some() {
            return Ok(false);
        }
        self.reader = Some(Reader::start()?);
        Ok(true)
    }

    /// Reads nothing more: the terminal is somebody else's. Half a key is nobody's.
    pub fn leave(&mut self) {
        *self = Self::default();
    }

    /// Waits for input and adds it; nothing is added where what came is not complete. `false`: the terminal is gone.
    pub async fn next(&mut self, inputs: &mut Vec<Input>) -> bool {
        let Some(reader) = &mut self.reader else { return std::future::pending().await };
        let due = self.decoder.deadline();
        // By the clock, not by a timer alone: a loop that is never idle turns no timers.
        if due.is_some_and(|due| due <= Instant::now()) && reader.is_empty() {
            self.decoder.expire(Instant::now(), inputs);
            return true;
        }
        tokio::select! {
            biased;
            bytes = reader.next() => {
                let Some(bytes) = bytes else { return false };
                self.decoder.feed(&bytes, Instant::now(), inputs);
                // What was typed meanwhile belongs to the same frame.
                while inputs.len() < BATCH
                    && let Some(bytes) = reader.already()
                {
                    self.decoder.feed(&bytes, Instant::now(), inputs);
                }
            }
            () = at(due) => self.decoder.expire(Instant::now(), inputs),
        }
        true
    }

    /// Bytes of a paste that is arriving.
    pub fn pasting(&self) -> Option<usize> {
        self.decoder.pasting()
    }
}
