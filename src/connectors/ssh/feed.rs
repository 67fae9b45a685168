//! What a device prints, between the launcher's line and the sink: the same for both ways to a device.

use std::time::Instant;

use super::launcher::{Heard, Preamble, Said};
use crate::connectors::RunSink;
use crate::model::output::Stream;

/// stdout that comes before the launcher's line is held; more than this is no login banner.
const HELD: usize = 64 * 1024;

/// A login shell's own words, as quoted in a reason.
const QUOTE: usize = 200;

/// See the module.
pub struct Feed<'a> {
    sink: &'a mut dyn RunSink,
    /// Until the launcher's line has been heard.
    preamble: Option<Preamble>,
    held: Vec<u8>,
    /// When the script started.
    pub started: Option<Instant>,
    /// Its process group on the device.
    pub group: u32,
    /// The login shell, from the launcher's line.
    pub shell: Option<String>,
    /// What the launcher said instead of starting the script.
    pub said: Option<Said>,
}

impl<'a> Feed<'a> {
    pub fn new(sink: &'a mut dyn RunSink, token: &str) -> Self {
        Self {
            sink,
            preamble: Some(Preamble::new(token)),
            held: Vec::new(),
            started: None,
            group: 0,
            shell: None,
            said: None,
        }
    }

    /// `Err`: the sink cannot keep it.
    pub fn out(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.preamble.is_none() {
            return self.keep(Stream::Out, bytes);
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > HELD { self.start() } else { Ok(()) }
    }

    /// `Err`: the sink cannot keep it.
    pub fn err(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(preamble) = &mut self.preamble else {
            return self.keep(Stream::Err, bytes);
        };
        match preamble.hear(bytes) {
            Heard::Nothing => Ok(()),
            Heard::TooMuch(bytes) => {
                self.start()?;
                self.keep(Stream::Err, &bytes)
            }
            Heard::Line(Said::Started { group, shell }, rest) => {
                self.group = group;
                self.shell = Some(shell);
                self.start()?;
                self.keep(Stream::Err, &rest)
            }
            Heard::Line(other, _) => {
                self.said = Some(other);
                Ok(())
            }
        }
    }

    fn start(&mut self) -> Result<(), String> {
        self.preamble = None;
        self.started = Some(Instant::now());
        self.sink.started();
        let held = std::mem::take(&mut self.held);
        self.keep(Stream::Out, &held)
    }

    fn keep(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.sink.output(stream, bytes).map_err(|error| error.to_string())
    }

    /// What was printed though no script started.
    pub fn noise(&self) -> String {
        let err = self.preamble.as_ref().map_or(&[][..], Preamble::noise);
        format!("{}\n{}", String::from_utf8_lossy(err), String::from_utf8_lossy(&self.held))
    }

    /// The same in a few words.
    pub fn quote(&self) -> String {
        clean(&self.noise())
    }
}

/// A server's or a device's own words, as they may stand in a reason: one line, short, nothing a terminal obeys.
pub fn clean(text: &str) -> String {
    let plain: String = text.chars().take(4 * QUOTE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_banner_becomes_one_short_plain_line() {
        let text = format!("\u{1b}]0;title\u{7}bye\r\n\u{9b}2J now {}", "x".repeat(10_000));
        let text = clean(&text);
        assert!(text.starts_with("]0;title bye 2J now xxx"), "{text}");
        assert_eq!(text.chars().count(), QUOTE);
    }
}
