//! Saying and asking, a line at a time. Lines are read by a thread of their own, so that ^c is heard at every
//! question; on a terminal, what was typed or pasted before a question that matters does not answer it.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::cli::ask::Silence;
use crate::cli::follow::Interrupt;
use crate::cli::{CliError, out};

/// Entries shown at once.
pub const PAGE: usize = 20;
/// The longest line that is read.
const LONGEST: u64 = 64 << 10;

/// What became of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<T> {
    Given(T),
    Back,
    Quit,
    Interrupted,
    /// Nobody answers any more.
    Gone,
}

pub struct Talk {
    lines: mpsc::Receiver<Zeroizing<String>>,
    pub interrupt: Interrupt,
    person: bool,
}

impl Talk {
    pub fn begin() -> Result<Self, CliError> {
        let (send, lines) = mpsc::channel(16);
        std::thread::Builder::new()
            .name("lines".into())
            .spawn(move || read(&send))
            .map_err(|error| CliError::tool("cannot start", &error))?;
        Ok(Self { lines, interrupt: Interrupt::listen()?, person: io::stdin().is_terminal() })
    }

    /// A line of ours, or of a device: safe either way.
    pub fn say(&mut self, text: &str) -> Result<(), CliError> {
        Ok(out::print(&format!("{}\n", out::safe_lines(text)))?)
    }

    /// A line of text. Empty is an answer.
    pub async fn line(&mut self, prompt: &str) -> Result<Answer<Zeroizing<String>>, CliError> {
        out::print(&format!("{}> ", out::safe_lines(prompt)))?;
        io::stdout().flush()?;
        let answer = tokio::select! {
            biased;
            () = self.interrupt.pressed() => Answer::Interrupted,
            line = self.lines.recv() => line.map_or(Answer::Gone, Answer::Given),
        };
        if !self.person || answer == Answer::Interrupted || answer == Answer::Gone {
            out::print("\n")?; // nobody else has ended the line
        }
        Ok(answer)
    }

    /// A line that is not shown while it is typed.
    pub async fn hidden(&mut self, prompt: &str) -> Result<Answer<Zeroizing<String>>, CliError> {
        let silence = Silence::begin();
        let answer = self.line(&format!("{prompt} (not shown)")).await;
        drop(silence);
        if self.person {
            out::print("\n")?;
        }
        answer
    }

    /// A line that was typed after the question was asked.
    pub async fn confirm(&mut self, prompt: &str) -> Result<Answer<Zeroizing<String>>, CliError> {
        if self.person {
            let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
            while self.lines.try_recv().is_ok() {}
        }
        self.line(prompt).await
    }

    /// One of a list, by its number or how it begins.
    pub async fn choose(&mut self, title: &str, items: &[String]) -> Result<Answer<usize>, CliError> {
        let mut shown: Vec<usize> = (0..items.len()).collect();
        let mut from = 0;
        let mut list = true;
        loop {
            if list {
                self.say(title)?;
                for (number, at) in shown.iter().enumerate().skip(from).take(PAGE) {
                    self.say(&format!("{:>3}  {}", number + 1, items[*at]))?;
                }
                if shown.len() > from + PAGE {
                    self.say(&format!("     {} more: m", shown.len() - from - PAGE))?;
                }
            }
            list = false;
            let line = match self.line("number").await? {
                Answer::Given(line) => line,
                Answer::Interrupted => return Ok(Answer::Interrupted),
                _ => return Ok(Answer::Gone),
            };
            match line.trim() {
                "" | "b" => return Ok(Answer::Back),
                "q" => return Ok(Answer::Quit),
                "h" | "?" => super::help(self)?,
                "m" if shown.len() > from + PAGE => (from, list) = (from + PAGE, true),
                "m" => self.say("There are no more.")?,
                word if word.starts_with('/') => {
                    let word = word[1..].trim().to_lowercase();
                    shown = (0..items.len()).filter(|at| items[*at].to_lowercase().contains(&word)).collect();
                    (from, list) = (0, true);
                    if shown.is_empty() {
                        self.say(&format!("Nothing holds \"{word}\"."))?;
                        shown = (0..items.len()).collect();
                    }
                }
                word => match pick(word, items, &shown) {
                    Ok(at) => return Ok(Answer::Given(at)),
                    Err(why) => self.say(&why)?,
                },
            }
        }
    }
}

/// The entry meant by a number, or by how it begins.
fn pick(word: &str, items: &[String], shown: &[usize]) -> Result<usize, String> {
    if let Ok(number) = word.parse::<usize>() {
        let at = number.checked_sub(1).and_then(|at| shown.get(at));
        return at.copied().ok_or_else(|| format!("There is no {number}; 1 to {}.", shown.len()));
    }
    let word = word.to_lowercase();
    let begins: Vec<usize> = shown.iter().copied().filter(|at| items[*at].to_lowercase().starts_with(&word)).collect();
    let whole = begins.iter().find(|at| items[**at].to_lowercase() == word);
    match (begins.as_slice(), whole) {
        (_, Some(at)) => Ok(*at),
        ([at], _) => Ok(*at),
        ([], _) => Err(format!("\"{word}\" begins none of them; h is help.")),
        (several, _) => Err(format!("\"{word}\" begins {} of them: type more, or the number.", several.len())),
    }
}

fn read(send: &mpsc::Sender<Zeroizing<String>>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut bytes = Zeroizing::new(Vec::new());
        match stdin.by_ref().take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = Zeroizing::new(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned());
        if send.blocking_send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_meant_by_its_number_or_its_beginning() {
        let items: Vec<String> = ["disk-use.sh", "disk", "uptime"].map(str::to_owned).to_vec();
        let all = [0, 1, 2];
        assert_eq!(pick("2", &items, &all), Ok(1));
        assert_eq!(pick("1", &items, &[2]), Ok(2), "numbers are of what is shown");
        assert_eq!(pick("UP", &items, &all), Ok(2));
        assert_eq!(pick("disk", &items, &all), Ok(1), "the whole word wins");
        assert!(pick("dis", &items, &all).unwrap_err().contains("2 of them"));
        assert!(pick("0", &items, &all).is_err() && pick("4", &items, &all).is_err());
        assert!(pick("x", &items, &all).is_err());
    }
}
