//! The guard of the terminal's modes.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    PopKeyboardEnhancementFlags,
};
use crossterm::queue;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use rustix::process::{Signal, getpgrp, kill_process_group};

use super::caps::{Caps, detect};
use super::line::{self, Line};
use super::screen::Screen;

/// Presses, releases, drags and the wheel, in the form that has no largest column. Not every motion: nobody needs it,
/// and a line would carry it all.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Kitty's keyboard protocol: Esc is told from the beginning of an arrow key.
const KEYS_ON: &[u8] = b"\x1b[>1u";
/// Tell when the terminal turns dark or light.
const SCHEME_ON: &[u8] = b"\x1b[?2031h";
const SCHEME_OFF: &[u8] = b"\x1b[?2031l";
/// What is still on its way to the terminal may take so long before it is dropped.
const PATIENCE: Duration = Duration::from_secs(1);

/// The terminal is in our mode. A static, since a panic anywhere has to find it.
static OURS: AtomicBool = AtomicBool::new(false);
static KITTY: AtomicBool = AtomicBool::new(false);
static SCHEME: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Who draws. A panic there ends the console; one elsewhere ends a task, and must not tear the screen.
static DRAWS: Mutex<Option<ThreadId>> = Mutex::new(None);
/// Panics of other threads while the terminal was ours, said when it is the shell's again.
static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What is said below a panic's message: where to look next.
static LAST_WORDS: Mutex<String> = Mutex::new(String::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal in the console's mode: raw, alternate screen, bracketed paste, focus reports, no cursor. Everything is
/// undone when it is dropped, on a panic of this thread before its message is printed, and while suspended.
#[derive(Debug)]
pub struct Term {
    caps: Caps,
    mouse: bool,
    /// Reports of dark and light are wanted.
    scheme: bool,
}

/// Why the console cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum NoScreen {
    #[error(
        "the console needs a terminal on standard input and output; in scripts use the verbs (`quarterdeck help`), or `quarterdeck --plain`"
    )]
    NoTerminal,
    #[error(
        "TERM is empty or `dumb`: the console cannot place anything on this terminal; set TERM, or use `quarterdeck --plain`"
    )]
    Dumb,
    #[error("cannot set the terminal up: {0}")]
    Failed(#[from] io::Error),
}

impl Term {
    /// Takes the terminal over. `last_words` are printed below the message of a panic.
    ///
    /// # Errors
    /// Standard input or output is no terminal, or one that cannot show a screen.
    pub fn enter(last_words: &str) -> Result<Term, NoScreen> {
        let caps = detect();
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(NoScreen::NoTerminal);
        }
        if caps.dumb {
            return Err(NoScreen::Dumb);
        }
        HOOK.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                let elsewhere = *lock(&DRAWS) != Some(thread::current().id());
                if elsewhere && OURS.load(Ordering::SeqCst) {
                    lock(&REPORTS).push(panic.to_string());
                } else {
                    restore();
                    report(panic);
                    let words = lock(&LAST_WORDS);
                    if !words.is_empty() {
                        let _ = rustix::io::write(rustix::stdio::stderr(), format!("{words}\n").as_bytes());
                    }
                }
            }));
        });
        last_words.clone_into(&mut lock(&LAST_WORDS));
        *lock(&DRAWS) = Some(thread::current().id());
        let mut term = Term { caps, mouse: false, scheme: false };
        term.take()?;
        Ok(term)
    }

    pub fn caps(&self) -> Caps {
        self.caps
    }

    fn take(&mut self) -> io::Result<()> {
        if OURS.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let taken = enable_raw_mode().and_then(|()| {
            let mut out = io::stdout().lock();
            queue!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, Hide)?;
            if self.caps.kitty_keys {
                out.write_all(self.kitty_keys())?;
            }
            if self.scheme {
                out.write_all(self.scheme_reports())?;
            }
            if self.mouse {
                out.write_all(MOUSE_ON)?;
            }
            out.flush()
        });
        if taken.is_err() {
            restore();
        }
        taken
    }

    /// Gives the terminal back, for `$EDITOR` or a pager. Nothing may be drawn until `resume`.
    pub fn leave(&mut self) {
        restore();
    }

    /// Takes it over again. The screen has to be drawn whole afterwards (`Screen::redraw`). A terminal that is gone by
    /// now shows itself at the next write.
    pub fn resume(&mut self) {
        let _ = self.take();
    }

    /// Mouse reports on or off: the bytes that say so.
    pub fn mouse(&mut self, on: bool) -> &'static [u8] {
        self.mouse = on;
        if on { MOUSE_ON } else { MOUSE_OFF }
    }

    /// The terminal speaks kitty's protocol: the bytes that ask it to.
    pub fn kitty_keys(&mut self) -> &'static [u8] {
        self.caps.kitty_keys = true;
        if KITTY.swap(true, Ordering::SeqCst) { b"" } else { KEYS_ON }
    }

    /// The terminal knows whether it is dark: the bytes that ask it to tell when that changes.
    pub fn scheme_reports(&mut self) -> &'static [u8] {
        self.scheme = true;
        if SCHEME.swap(true, Ordering::SeqCst) { b"" } else { SCHEME_ON }
    }

    /// `^z`: gives the terminal back to the shell and stops; returns, with the terminal taken over again, when the
    /// shell continues us. Without a shell that could (the first process of a terminal) it returns at once.
    pub fn suspend(&mut self) {
        self.leave();
        // The whole group stops, as it would for the terminal's own ^z: a wrapper that started us has to let the shell
        // know. (The engine left the group when it started.)
        let _ = kill_process_group(getpgrp(), Signal::TSTP);
        // The signal may be another thread's to take; the stop reaches this one in its sleep.
        thread::sleep(Duration::from_millis(20));
        self.resume();
    }

    /// A screen on this terminal, of its size and made for what it can show.
    pub fn screen(&self, line: Line) -> Screen<Line> {
        Screen::new(line, Self::size(), self.caps.depth).ascii(self.caps.ascii).bce(self.caps.bce)
    }

    /// The terminal passes on every key as it is pressed. (A shell that took it over meanwhile has changed that.)
    pub fn is_raw() -> bool {
        use rustix::termios::{LocalModes, tcgetattr};
        tcgetattr(io::stdin()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    }

    /// What panicked in other threads since the terminal was taken over, for a notice on the screen.
    pub fn panics() -> Vec<String> {
        lock(&REPORTS).clone()
    }

    /// The terminal's size; 80 by 24 where it does not say.
    pub fn size() -> Rect {
        match crossterm::terminal::size() {
            Ok((width, height)) if width > 0 && height > 0 => Rect::new(0, 0, width, height),
            _ => Rect::new(0, 0, 80, 24),
        }
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        restore();
    }
}

/// Undoes everything, once. Errors have nowhere to go: the terminal may be gone.
fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    if !line::settle(PATIENCE) {
        // It takes nothing any more; what it has not taken would keep us here for ever.
        let _ = rustix::termios::tcflush(rustix::stdio::stdout(), rustix::termios::QueueSelector::OFlush);
    }
    let mut bytes = Vec::with_capacity(128);
    // Half a frame may be on its way: end it, and whatever region or style it had set.
    let _ = queue!(bytes, EndSynchronizedUpdate);
    bytes.extend_from_slice(b"\x1b[r\x1b[m");
    if KITTY.swap(false, Ordering::SeqCst) {
        let _ = queue!(bytes, PopKeyboardEnhancementFlags);
    }
    if SCHEME.swap(false, Ordering::SeqCst) {
        bytes.extend_from_slice(SCHEME_OFF);
    }
    let _ = queue!(bytes, DisableMouseCapture, DisableFocusChange, DisableBracketedPaste, LeaveAlternateScreen, Show);
    // Not through a lock that a panicking thread may hold.
    let _ = rustix::io::write(rustix::stdio::stdout(), &bytes);
    let _ = disable_raw_mode();
    for report in lock(&REPORTS).drain(..) {
        let _ = rustix::io::write(rustix::stdio::stderr(), format!("{report}\n").as_bytes());
    }
}
