//! What this terminal can do, for `doctor`: by its environment, and by its own word when it is asked here and now.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::caps::{Caps, detect};
use super::guard::Term;
use super::input::{Decoder, Input};
use super::probe::{Answers, questions};
use crate::console::theme::Depth;
use crate::model::wire::Step;

/// An answer is waited for so long here: nobody is typing.
const LIMIT: Duration = Duration::from_millis(500);

/// A line a property; `ask`: the terminal may be asked.
pub fn examine(ask: bool) -> Vec<Step> {
    let caps = detect();
    let step = |label: &str, fine: bool, text: String| Step { label: label.to_owned(), text, fine };
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut steps = Vec::new();
    let term = set("TERM").unwrap_or_else(|| "not set".to_owned());
    let mut around = Vec::new();
    for (name, what) in [("TMUX", "tmux"), ("STY", "screen"), ("MOSH_CONNECTION", "mosh")] {
        if set(name).is_some() {
            around.push(what);
        }
    }
    if caps.ssh {
        around.push("over ssh: fewer frames");
    }
    let around = if around.is_empty() { String::new() } else { format!(", in {}", around.join(", ")) };
    let advice = if caps.dumb { "; the console talks in lines (--plain): set TERM for a screen" } else { "" };
    steps.push(step("terminal", !caps.dumb, format!("TERM {term}{around}{advice}")));
    let seen = io::stdin().is_terminal() && io::stdout().is_terminal();
    if seen {
        let area = Term::size();
        let room = area.width >= 80 && area.height >= 24;
        let advice = if room { "" } else { ": made for 80x24 and more, smaller ones show one pane at a time" };
        steps.push(step("size", true, format!("{}x{}{advice}", area.width, area.height)));
    }
    let colours = match caps.depth {
        Depth::None if caps.dumb => "none",
        Depth::None => "none (NO_COLOR, or a terminal without)",
        Depth::Ansi16 => "16",
        Depth::Ansi256 => "256",
        Depth::True => "16 million",
    };
    steps.push(step("colours", true, colours.to_owned()));
    let signs = match (caps.utf8, caps.ascii) {
        (false, _) => "ASCII alone: set a UTF-8 locale (LANG=C.UTF-8) for lines",
        (true, true) => "ASCII alone: this terminal has no line drawing",
        (true, false) => "UTF-8, box lines",
    };
    steps.push(step("characters", true, signs.to_owned()));
    let how = if caps.tmux { "OSC 52 through the multiplexer (tmux: set -s set-clipboard on)" } else { "OSC 52" };
    steps.push(step("clipboard", true, how.to_owned()));
    match asked(&caps).filter(|_| ask) {
        Some(answers) => steps.extend(told(&answers).into_iter().map(|(label, text)| step(label, true, text))),
        None => steps.push(step("answers", true, "not asked: no terminal here, or ask_terminal is off".to_owned())),
    }
    steps
}

fn told(answers: &Answers) -> Vec<(&'static str, String)> {
    if *answers == Answers::default() {
        let text = "none: it does not say what it can do, and the console does without";
        return vec![("answers", text.to_owned())];
    }
    let known = |known: bool, yes: &str, no: &str| if known { yes.to_owned() } else { no.to_owned() };
    let dark = match answers.darkness() {
        Some(true) => "dark (asked)",
        Some(false) => "light (asked)",
        None => "not told: the theme is as configured",
    };
    let mut found = vec![
        ("keyboard", known(answers.keyboard, "kitty's protocol: esc is told from arrow keys", "esc is held for 50 ms")),
        ("updates", known(answers.synchronized == Some(true), "synchronized", "not synchronized: frames may tear")),
        ("background", dark.to_owned()),
    ];
    if let Some(name) = &answers.name {
        found.push(("name", name.clone()));
    }
    found
}

/// Asks, and waits a moment for the answers; what is typed meanwhile is dropped.
fn asked(caps: &Caps) -> Option<Answers> {
    let questions = questions(caps)?;
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() || enable_raw_mode().is_err() {
        return None;
    }
    let answers = listen(questions);
    let _ = disable_raw_mode();
    answers.ok()
}

fn listen(questions: &[u8]) -> io::Result<Answers> {
    let mut out = io::stdout().lock();
    out.write_all(questions)?;
    out.flush()?;
    let terminal = rustix::stdio::stdin();
    let (mut answers, mut decoder, mut inputs) = (Answers::default(), Decoder::default(), Vec::new());
    let end = Instant::now() + LIMIT;
    let mut buffer = [0; 4096];
    while !answers.whole {
        let left = end.saturating_duration_since(Instant::now());
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut waiting = [PollFd::from_borrowed_fd(terminal, PollFlags::IN)];
        if left.is_zero() || poll(&mut waiting, Some(&wait))? == 0 {
            break;
        }
        let length = rustix::io::read(terminal, &mut buffer)?;
        if length == 0 {
            break;
        }
        decoder.feed(&buffer[..length], Instant::now(), &mut inputs);
        for input in inputs.drain(..) {
            if let Input::Reply(reply) = input {
                answers.take(reply);
            }
        }
    }
    Ok(answers)
}
