//! The guard of the terminal's modes.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::queue;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use rustix::process::{Signal, getpgrp, kill_process_group};

use super::caps::{Caps, detect};
use super::screen::Screen;

/// The terminal is in our mode. A static, since a panic anywhere has to find it.
static OURS: AtomicBool = AtomicBool::new(false);
static KITTY: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Who draws. A panic there ends the console; one elsewhere ends a task, and must not tear the screen.
static DRAWS: Mutex<Option<ThreadId>> = Mutex::new(None);
/// Panics of other threads while the terminal was ours, said when it is the shell's again.
static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal in the console's mode: raw, alternate screen, bracketed paste, focus reports, no cursor. Everything is
/// undone when it is dropped, on a panic of this thread before its message is printed, and while suspended.
#[derive(Debug)]
pub struct Term {
    caps: Caps,
    mouse: bool,
}

impl Term {
    /// Takes the terminal over. Errors: standard input or output is no terminal, or one that cannot show a screen.
    pub fn enter() -> io::Result<Term> {
        let caps = detect();
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other(
                "the console needs a terminal on standard input and output; in scripts use the verbs (`quarterdeck help`)",
            ));
        }
        if caps.dumb {
            return Err(io::Error::other(
                "TERM is empty or `dumb`: the console cannot place anything on this terminal; set TERM, or use the verbs (`quarterdeck help`)",
            ));
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
                }
            }));
        });
        *lock(&DRAWS) = Some(thread::current().id());
        let mut term = Term { caps, mouse: false };
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
        KITTY.store(self.caps.kitty_keys, Ordering::SeqCst);
        let taken = enable_raw_mode().and_then(|()| {
            let mut out = io::stdout().lock();
            queue!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, Hide)?;
            if self.caps.kitty_keys {
                queue!(out, PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES))?;
            }
            if self.mouse {
                queue!(out, EnableMouseCapture)?;
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

    /// Mouse reports on or off.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if !OURS.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        if on {
            queue!(out, EnableMouseCapture)?
        } else {
            queue!(out, DisableMouseCapture)?
        }
        out.flush()
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
    pub fn screen(&self) -> Screen<io::Stdout> {
        Screen::new(io::stdout(), Self::size(), self.caps.depth).ascii(self.caps.ascii).bce(self.caps.bce)
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
    let mut bytes = Vec::with_capacity(128);
    // Half a frame may be on its way: end it, and whatever region or style it had set.
    let _ = queue!(bytes, EndSynchronizedUpdate);
    bytes.extend_from_slice(b"\x1b[r\x1b[m");
    if KITTY.load(Ordering::SeqCst) {
        let _ = queue!(bytes, PopKeyboardEnhancementFlags);
    }
    let _ = queue!(bytes, DisableMouseCapture, DisableFocusChange, DisableBracketedPaste, LeaveAlternateScreen, Show);
    // Not through a lock that a panicking thread may hold.
    let _ = rustix::io::write(rustix::stdio::stdout(), &bytes);
    let _ = disable_raw_mode();
    for report in lock(&REPORTS).drain(..) {
        let _ = rustix::io::write(rustix::stdio::stderr(), format!("{report}\n").as_bytes());
    }
}
