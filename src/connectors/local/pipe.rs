//! What a child prints. Pipes are read when something is in them, all into one buffer a thread: it stays in the
//! processor's cache between the read and the append, and a thousand quiet scripts cost no memory.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::net::unix::pipe::Receiver;

/// One read at most; what the sink appends at once.
const READ: usize = 256 * 1024;

/// A pipe holds 64 KiB unless it is asked for more.
const FULL: usize = 60 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

pub struct Pipe {
    from: Receiver,
    wide: bool,
    /// What came last did not end its line.
    within_line: bool,
}

/// What one look brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    Bytes,
    Nothing,
    Ended,
}

impl Pipe {
    /// And the end that a child writes to.
    pub fn new() -> io::Result<(Self, Stdio)> {
        let (from, to) = io::pipe()?;
        let from = OwnedFd::from(from);
        fcntl_setfl(&from, fcntl_getfl(&from)? | OFlags::NONBLOCK)?;
        let from = Receiver::from_owned_fd_unchecked(from)?;
        Ok((Self { from, wide: false, within_line: false }, to.into()))
    }

    /// Until there may be something, or the other end is closed.
    pub async fn readable(&self) -> io::Result<()> {
        self.from.readable().await
    }

    pub const fn within_line(&self) -> bool {
        self.within_line
    }

    /// Passes on what is there. `Err`: it could not be kept.
    pub fn pass(&mut self, keep: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<Look> {
        BUFFER.with_borrow_mut(|buffer| match self.from.try_read(buffer) {
            Ok(0) => Ok(Look::Ended),
            Ok(got) => {
                if got >= FULL && !self.wide {
                    self.widen();
                }
                self.within_line = buffer[got - 1] != b'\n';
                keep(&buffer[..got]).map(|()| Look::Bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(Look::Nothing),
            // nothing more will come out of it
            Err(_) => Ok(Look::Ended),
        })
    }

    /// A script that floods is woken a quarter as often. Where the system allows no more, it goes as it went.
    fn widen(&mut self) {
        self.wide = true;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = rustix::pipe::fcntl_setpipe_size(&self.from, READ);
    }
}
