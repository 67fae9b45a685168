//! The thread that waits for the terminal. It hands on what it reads, at most a few reads ahead, and ends at once
//! when nobody wants more: an editor that gets the terminal must find every key that follows.

use std::io;
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read};
use tokio::sync::mpsc;

/// Bytes of one read: a paste comes quickly, a key is never waiting behind much.
const READ: usize = 16 << 10;
/// Reads on their way.
const AHEAD: usize = 8;

/// Standard input, read by a thread for as long as this lives.
pub struct Reader {
    chunks: mpsc::Receiver<Vec<u8>>,
    /// Closed, it wakes the thread.
    wake: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// # Errors
    /// The system has no pipe or no thread left.
    pub fn start() -> io::Result<Self> {
        let (woken, wake) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (send, chunks) = mpsc::channel(AHEAD);
        let thread = thread::Builder::new().name("keys".into()).spawn(move || hand_on(&woken, &send))?;
        Ok(Self { chunks, wake: Some(wake), thread: Some(thread) })
    }

    /// What one read brought; `None`: the terminal is gone.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.chunks.recv().await
    }

    /// Nothing has been read that was not taken.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// What a read brought, if it is there already.
    pub fn already(&mut self) -> Option<Vec<u8>> {
        self.chunks.try_recv().ok()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.chunks.close();
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn hand_on(woken: &OwnedFd, send: &mpsc::Sender<Vec<u8>>) {
    let terminal = rustix::stdio::stdin();
    let mut buffer = vec![0; READ];
    loop {
        let mut waiting = [PollFd::new(woken, PollFlags::IN), PollFd::from_borrowed_fd(terminal, PollFlags::IN)];
        match poll(&mut waiting, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        if !waiting[0].revents().is_empty() {
            return;
        }
        if waiting[1].revents().is_empty() {
            continue;
        }
        match read(terminal, &mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                if send.blocking_send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}
