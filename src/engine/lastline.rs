//! The last line of a run that says something, for lists. Keeps a few hundred bytes, whatever arrives.

use crate::engine::clean::clean;
use crate::engine::ending::Ending;

/// Bytes looked at; a longer last line shows its end.
const KEEP: usize = 512;

/// Characters given.
const GIVE: usize = 200;

#[derive(Default)]
pub struct LastLine(Ending<KEEP>);

impl LastLine {
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    pub fn get(&self) -> String {
        self.0
            .bytes()
            .rsplit(|byte| matches!(byte, b'\n' | b'\r'))
            .map(|line| clean(line, GIVE))
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pieces: &[&str]) -> String {
        let mut last = LastLine::default();
        for piece in pieces {
            last.push(piece.as_bytes());
        }
        last.get()
    }

    #[test]
    fn the_last_line_that_says_something() {
        for (pieces, expected) in [
            (&["one\ntwo\n"][..], "two"),
            (&["one\n", "\n", "  \n"], "one"),
            (&["do", "ne"], "done"),
            (&["10%\r", "20%\r", "30%"], "30%"),
            (&["\x1b[31mred\x1b[0m\n"], "red"),
            (&["bell\x07\n"], "bell"),
            (&["\u{202e}turned\n"], "turned"),
            (&[""], ""),
        ] {
            assert_eq!(after(pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn an_endless_line_costs_a_bounded_memory() {
        let mut last = LastLine::default();
        for _ in 0..10_000 {
            last.push(b"0123456789");
        }
        assert!(last.0.bytes().len() <= KEEP * 2 && last.get().len() == GIVE);
    }
}
