//! What a terminal says of itself when asked: once, behind the first frame, and not waited for. Owns the questions
//! and the time limit. An answer that comes later is swallowed by the decoder like any other, and changes nothing.

use std::time::{Duration, Instant};

use super::caps::Caps;
use super::input::Reply;

/// How long an answer is of use.
pub const LIMIT: Duration = Duration::from_millis(1000);

/// Does it speak kitty's keyboard protocol, does it know synchronized updates, which colour is behind the text, is
/// that dark, what is its name. Last what every terminal answers: who has answered that has answered all it will.
const QUESTIONS: &[u8] = b"\x1b[?u\x1b[?2026$p\x1b[?996n\x1b]11;?\x1b\\\x1b[>q\x1b[c";

/// The questions, for a terminal that answers such, or at least keeps them off the screen.
pub fn questions(caps: &Caps) -> Option<&'static [u8]> {
    (!caps.bare && !caps.dumb).then_some(QUESTIONS)
}

/// What has been answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// It has answered everything that it will.
    pub whole: bool,
    pub keyboard: bool,
    /// Of synchronized updates; `None`: not said.
    pub synchronized: Option<bool>,
    pub background: Option<(u8, u8, u8)>,
    pub dark: Option<bool>,
    pub name: Option<String>,
}

impl Answers {
    pub fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Attributes => self.whole = true,
            Reply::Keyboard => self.keyboard = true,
            Reply::Mode { mode: 2026, known } => self.synchronized = Some(known),
            Reply::Mode { .. } => {}
            Reply::Background { red, green, blue } => self.background = Some((red, green, blue)),
            Reply::Dark(dark) => self.dark = Some(dark),
            Reply::Name(name) => self.name = Some(name),
        }
    }

    /// Dark or light: as it says, else by the colour behind the text.
    pub fn darkness(&self) -> Option<bool> {
        self.dark.or_else(|| self.background.map(|(red, green, blue)| dark(red, green, blue)))
    }
}

/// A ground on which light letters are read better (ITU-R BT.601).
pub fn dark(red: u8, green: u8, blue: u8) -> bool {
    299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) < 128_000
}

/// Until when answers count.
pub fn until(asked: Instant) -> Instant {
    asked + LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_s_own_word_wins_over_its_colour() {
        let mut answers = Answers::default();
        assert_eq!(answers.darkness(), None);
        answers.take(Reply::Background { red: 250, green: 250, blue: 240 });
        assert_eq!(answers.darkness(), Some(false));
        answers.take(Reply::Dark(true));
        assert_eq!(answers.darkness(), Some(true));
    }

    #[test]
    fn what_would_show_the_questions_is_not_asked() {
        let of = |term: &str| {
            let term = term.to_owned();
            super::super::caps(&super::super::Env { term, ..Default::default() })
        };
        for term in ["linux", "vt100", "vt220", "dumb", ""] {
            assert_eq!(questions(&of(term)), None, "{term}");
        }
        assert!(questions(&of("xterm-256color")).is_some());
    }
}
