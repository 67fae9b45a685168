//! Asking the person at the terminal. The reading blocks a thread of its own, so that ^C is heard meanwhile;
//! whoever drops the question gets the terminal back as it was.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::CliError;

/// A person sits there and may be asked.
pub fn may_ask(no_input: bool) -> bool {
    !no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A line, shown while it is typed.
pub async fn line(prompt: &str) -> Result<String, CliError> {
    let mut err = io::stderr();
    let _ = err.write_all(prompt.as_bytes()).and_then(|()| err.flush());
    blocking(|| {
        let mut line = String::new();
        io::stdin().lock().take(256).read_line(&mut line).map(|_| line)
    })
    .await
}

/// A line that is not shown.
pub async fn hidden(prompt: String) -> Result<Zeroizing<String>, CliError> {
    // Before the prompt appears: what is typed or pasted quickly must not show either.
    let _silence = Silence::begin();
    blocking(|| rpassword::prompt_password(prompt).map(Zeroizing::new)).await
}

async fn blocking<T: Send + 'static>(ask: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, CliError> {
    tokio::task::spawn_blocking(ask)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| CliError::Usage(format!("cannot ask for it on this terminal: {error}; nothing was sent")))
}

/// The terminal does not echo while this lives.
pub struct Silence(Option<Termios>);

impl Silence {
    pub fn begin() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        }
        Self(before)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
