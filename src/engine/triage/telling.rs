//! The lines that tell how a run went: the end of stderr, else of stdout, without what only surrounds them (stack
//! frames, underlining). Keeps a few KiB while bytes arrive, so that they are at hand with the last one.

use crate::engine::clean::clean;
use crate::engine::ending::Ending;
use crate::model::output::Stream;

/// Bytes of a stream that are looked at.
const KEEP: usize = 2048;

/// Characters of a line.
const WIDTH: usize = 400;

/// Lines looked back for what went wrong.
const BACK: usize = 8;

/// Lines that tell, at most.
const MOST: usize = 3;

/// A line with one of these says that something went wrong.
const WORDS: [&str; 22] = [
    "error",
    "fail",
    "fatal",
    "denied",
    "refused",
    "cannot",
    "can't",
    "unable",
    "not found",
    "no such",
    "exception",
    "panic",
    "timed out",
    "could not",
    "couldn't",
    "no space",
    "problem",
    "expired",
    "invalid",
    "mismatch",
    "abort",
    "reset by",
];

#[derive(Debug, Default)]
pub struct Telling {
    out: Ending<KEEP>,
    err: Ending<KEEP>,
}

impl Telling {
    pub fn push(&mut self, stream: Stream, bytes: &[u8]) {
        match stream {
            Stream::Out => self.out.push(bytes),
            Stream::Err => self.err.push(bytes),
            Stream::Meta => {}
        }
    }

    /// In the order in which they came; the last one says it. Empty: nothing was said.
    pub fn lines(&self, failed: bool) -> Vec<String> {
        let errors = said(self.err.bytes());
        if !errors.is_empty() {
            return told(errors, true);
        }
        told(said(self.out.bytes()), failed)
    }
}

/// Lines with something in them. Where some begin at the margin, those that do not belong to them.
fn said(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let indented = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let text = clean(line, WIDTH);
        if text.chars().any(char::is_alphanumeric) {
            lines.push((indented, text));
        }
    }
    if lines.iter().any(|(indented, text)| !indented && !surrounds(text)) {
        lines.retain(|(indented, text)| !indented && !surrounds(text));
    }
    lines.into_iter().map(|(_, text)| text).collect()
}

/// Says where, not what.
fn surrounds(line: &str) -> bool {
    line.starts_with("+ ")
        || line.starts_with("Traceback (most recent call last)")
        || (line.starts_with("At ") && line.contains(" char:"))
        || (line.starts_with("... ") && line.ends_with(" more"))
        || line.starts_with("note: run with `RUST_BACKTRACE=")
}

fn told(mut lines: Vec<String>, failed: bool) -> Vec<String> {
    let Some(last) = lines.pop() else { return Vec::new() };
    let mut told = vec![last];
    if failed {
        for line in lines.into_iter().rev().take(BACK) {
            let small = line.to_lowercase();
            // `E:` is how apt begins
            if told.len() < MOST && (small.starts_with("e: ") || WORDS.iter().any(|word| small.contains(word))) {
                told.push(line);
            }
        }
    }
    told.reverse();
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tells(out: &str, err: &str, failed: bool) -> Vec<String> {
        let mut telling = Telling::default();
        for (stream, text) in [(Stream::Out, out), (Stream::Err, err)] {
            for piece in text.as_bytes().chunks(7) {
                telling.push(stream, piece);
            }
        }
        telling.lines(failed)
    }

    #[test]
    fn the_end_of_stderr_tells_else_that_of_stdout() {
        assert_eq!(tells("Downloading\ndone\n", "", false), ["done"]);
        assert_eq!(tells("done\n\n", "curl: (22) error: 503\n", true), ["curl: (22) error: 503"]);
        assert_eq!(tells("", "", true), [""; 0]);
        assert_eq!(tells("10%\r20%\rready", "", false), ["ready"]);
        assert_eq!(tells("\x1b[31mred\x1b[0m\n---\n", "", false), ["red"]);
    }

    #[test]
    fn earlier_lines_tell_where_they_say_that_something_went_wrong() {
        let apt = "Reading package lists...\nE: Unable to locate package foo\nE: Some index files failed\nsee above\n";
        assert_eq!(
            tells("", apt, true),
            ["E: Unable to locate package foo", "E: Some index files failed", "see above"]
        );
        assert_eq!(tells("error: 1\nfine\n", "", false), ["fine"], "a run that ended well is told by its end");
    }

    #[test]
    fn frames_and_underlining_are_left_out() {
        let python =
            "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    main()\nKeyError: 'os'\n";
        assert_eq!(tells("", python, true), ["KeyError: 'os'"]);
        let java = "Exception in thread \"main\" java.io.IOException: a\n\tat x.y(Z.java:3)\nCaused by: java.net.ConnectException: b\n\tat x\n\t... 12 more\n";
        assert_eq!(
            tells("", java, true),
            ["Exception in thread \"main\" java.io.IOException: a", "Caused by: java.net.ConnectException: b"]
        );
        let powershell = "Get-Item : Cannot find path 'C:\\x'\nAt C:\\s.ps1:3 char:1\n+ Get-Item C:\\x\n+ ~~~~~~~~~~~~~\n    + CategoryInfo : ObjectNotFound\n";
        assert_eq!(tells("", powershell, true), ["Get-Item : Cannot find path 'C:\\x'"]);
        let rust = "thread 'main' (7) panicked at src/main.rs:3:5:\nno such thing\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(tells("", rust, true), ["thread 'main' (7) panicked at src/main.rs:3:5:", "no such thing"]);
        assert_eq!(tells("  1 a\n  2 b\n", "", false), ["2 b"], "all of it is indented");
    }

    #[test]
    fn a_flood_costs_a_bounded_memory() {
        let mut telling = Telling::default();
        for _ in 0..10_000 {
            telling.push(Stream::Out, b"0123456789 line\n");
        }
        telling.push(Stream::Err, &vec![b'x'; 100_000]);
        assert!(telling.out.bytes().len() <= KEEP * 2 && telling.err.bytes().len() <= KEEP * 2);
        assert_eq!(telling.lines(true)[0].len(), WIDTH);
    }
}
