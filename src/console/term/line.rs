//! The way out to the terminal: a thread that writes, so that a line that drains slowly never keeps a key waiting.
//! Owns what is on its way, and how long the last of it took; refuses to hold more than a little: whoever draws waits
//! until the last frame has gone, and then draws what is so by then.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Bytes of one write: between two of them the line can be given up.
const PIECE: usize = 4 << 10;
/// More than this does not wait here.
const ROOM: usize = 1 << 20;

/// The line that is open, for the guard: a panic has to find it.
static OPEN: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A way out. Clones write to the same one.
#[derive(Clone)]
pub struct Line {
    shared: Arc<Shared>,
    _open: Arc<Open>,
}

/// The last one that goes closes the door.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.0.state).closed = true;
        self.0.changed.notify_all();
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    drained: Notify,
    /// What is still to be written is not: the terminal is somebody else's now.
    given_up: AtomicBool,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    writing: bool,
    /// How long the last write took.
    took: Duration,
    error: Option<io::ErrorKind>,
    /// Nobody will write any more.
    closed: bool,
}

impl State {
    fn idle(&self) -> bool {
        self.waiting.is_empty() && !self.writing
    }
}

impl Line {
    /// To standard output.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn stdout() -> io::Result<Self> {
        let line = Self::to(Stdout)?;
        *lock(&OPEN) = Arc::downgrade(&line.shared);
        Ok(line)
    }

    /// To anything that takes bytes.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            drained: Notify::new(),
            given_up: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("screen".into()).spawn(move || carry(&theirs, out))?;
        Ok(Self { _open: Arc::new(Open(Arc::clone(&shared))), shared })
    }

    /// Something is on its way, and has not all been taken.
    pub fn busy(&self) -> bool {
        !lock(&self.shared.state).idle()
    }

    /// When what was on its way has been taken; how long that took.
    pub async fn drained(&self) -> Duration {
        self.shared.drained.notified().await;
        lock(&self.shared.state).took
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.shared.state);
        if let Some(kind) = state.error {
            return Err(kind.into());
        }
        if !state.waiting.is_empty() && state.waiting.len() + bytes.len() > ROOM {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.shared.given_up.store(false, Ordering::SeqCst);
        state.waiting.extend_from_slice(bytes);
        self.shared.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until all of it has been taken, and not for ever: then the rest is dropped. `false`: it was.
pub fn settle(limit: Duration) -> bool {
    let Some(shared) = lock(&OPEN).upgrade() else { return true };
    let state = lock(&shared.state);
    let (mut state, _) = shared
        .changed
        .wait_timeout_while(state, limit, |state| !state.idle() && state.error.is_none())
        .unwrap_or_else(PoisonError::into_inner);
    if state.idle() {
        return true;
    }
    state.waiting.clear();
    shared.given_up.store(true, Ordering::SeqCst);
    false
}

fn carry(shared: &Shared, mut out: impl Write) {
    let mut bytes = Vec::new();
    let mut state = lock(&shared.state);
    loop {
        let waited = shared.changed.wait_while(state, |state| state.waiting.is_empty() && !state.closed);
        state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return;
        }
        bytes.clear();
        std::mem::swap(&mut bytes, &mut state.waiting);
        state.writing = true;
        drop(state);

        let begun = Instant::now();
        let wanted = |_: &&[u8]| !shared.given_up.load(Ordering::SeqCst);
        let written = bytes.chunks(PIECE).take_while(wanted).try_for_each(|piece| out.write_all(piece));

        state = lock(&shared.state);
        state.took = begun.elapsed();
        state.writing = false;
        state.error = written.err().map(|error| error.kind());
        if state.error.is_some() {
            state.waiting.clear();
        }
        if state.idle() {
            shared.changed.notify_all();
            shared.drained.notify_one();
        }
    }
}

/// Standard output without its lock, which a panicking thread may hold, and without its buffer.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A terminal that takes nothing before it is told to.
    struct Stuck(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_that_does_not_drain_holds_up_nobody() {
        let ((go, stuck), (send, taken)) = (mpsc::channel(), mpsc::channel());
        let mut line = Line::to(Stuck(stuck, send)).unwrap();
        line.write_all(b"frame").unwrap();
        assert!(line.busy());
        go.send(()).unwrap();
        line.drained().await;
        assert!(!line.busy());
        assert_eq!(taken.recv().unwrap(), b"frame");
    }

    #[tokio::test]
    async fn what_waits_goes_in_order_and_only_so_much_does() {
        let ((go, stuck), (send, taken)) = (mpsc::channel(), mpsc::channel());
        let mut line = Line::to(Stuck(stuck, send)).unwrap();
        line.write_all(b"one").unwrap();
        while lock(&line.shared.state).waiting == b"one" {
            thread::yield_now();
        }
        line.write_all(b"two").unwrap();
        line.write_all(b"three").unwrap();
        assert!(line.write_all(&vec![b'x'; ROOM]).is_err());
        for _ in 0..2 {
            go.send(()).unwrap();
        }
        line.drained().await;
        assert_eq!((taken.recv().unwrap(), taken.recv().unwrap()), (b"one".to_vec(), b"twothree".to_vec()));
    }

    #[tokio::test]
    async fn a_terminal_that_is_gone_is_an_error_at_the_next_write() {
        let ((go, stuck), (send, _taken)) = (mpsc::channel::<()>(), mpsc::channel());
        let mut line = Line::to(Stuck(stuck, send)).unwrap();
        line.write_all(b"frame").unwrap();
        drop(go);
        line.drained().await;
        assert!(line.write_all(b"another").is_err());
    }
}
