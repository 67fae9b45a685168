//! The bytes below one SSH session: a TCP socket tuned for the handshake, or a channel through a jump host.
//!
//! Nagle and delayed acknowledgements cost a handshake 40 to 90 ms (figures.md, fact 4). NODELAY switches off
//! the first for good; QUICKACK is forgotten by the kernel after a while, so it is set again after every read
//! until the session says that it has settled.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

/// A packet is read in two or three small pieces; one read of the socket serves them all.
const BUFFER: usize = 8 * 1024;

/// The identification line is at most 255 bytes; before it a server may write other lines.
const IDENT_LIMIT: usize = 1024;

/// What the session side learns from, and tells, its stream.
#[derive(Default)]
pub struct Wire {
    settled: AtomicBool,
    heard: Notify,
    greeting: Mutex<Vec<u8>>,
}

impl Wire {
    /// The handshake is over: acknowledgements may be delayed again.
    pub fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Until the server has said something.
    pub async fn heard(&self) {
        self.heard.notified().await;
    }

    /// Everything the server wrote up to its identification line, as text.
    pub fn greeting(&self) -> String {
        let bytes = self.greeting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The identification line (`SSH-2.0-OpenSSH_9.2p1 …`), if it came.
    pub fn ident(&self) -> Option<String> {
        self.greeting().lines().find(|line| line.starts_with("SSH-")).map(|line| line.trim_end().to_owned())
    }

    fn saw(&self, bytes: &[u8]) {
        self.heard.notify_one();
        let mut greeting = self.greeting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in bytes {
            if greeting.len() >= IDENT_LIMIT {
                return;
            }
            greeting.push(*byte);
            if *byte == b'\n' && greeting.rsplit(|b| *b == b'\n').nth(1).is_some_and(|line| line.starts_with(b"SSH-")) {
                return;
            }
        }
    }
}

enum Under {
    Tcp(TcpStream),
    Relay(Relay),
}

/// A channel through a jump host.
///
/// The jump session hands data to its channels one after the other, and waits for a full one. Its 500 channels
/// carry sessions that write through it in turn: were one of them slow to read while it writes, all would wait
/// for each other for ever. So a task of its own takes the data as it comes; what waits here is bounded by what
/// one session has not yet decrypted.
struct Relay {
    read: mpsc::UnboundedReceiver<Bytes>,
    piece: Bytes,
    write: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Relay {
    fn new(channel: Channel<Msg>) -> Self {
        let (mut incoming, outgoing) = channel.split();
        let write = Box::pin(outgoing.make_writer());
        let (pass, read) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = pass.closed() => break,
                    message = incoming.wait() => match message {
                        Some(ChannelMsg::Data { data }) => {
                            if pass.send(data).is_err() {
                                break;
                            }
                        }
                        Some(ChannelMsg::Eof | ChannelMsg::Close) | None => break,
                        Some(_) => {}
                    }
                }
            }
            drop(pass);
            let _ = outgoing.close().await;
        });
        Self { read, piece: Bytes::new(), write }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.piece.is_empty() {
            match ready!(self.read.poll_recv(cx)) {
                Some(piece) => self.piece = piece,
                None => return Poll::Ready(Ok(())),
            }
        }
        let taken = self.piece.split_to(self.piece.len().min(buf.remaining()));
        buf.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

/// See the module.
pub struct Stream {
    under: Under,
    wire: Arc<Wire>,
    identified: bool,
    /// There only while it holds something: 500 kept connections that say nothing should cost nothing.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Stream {
    pub fn tcp(socket: TcpStream, wire: Arc<Wire>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let stream = Self::over(Under::Tcp(socket), wire);
        stream.quick_ack();
        Ok(stream)
    }

    pub fn channel(channel: Channel<Msg>, wire: Arc<Wire>) -> Self {
        Self::over(Under::Relay(Relay::new(channel)), wire)
    }

    fn over(under: Under, wire: Arc<Wire>) -> Self {
        Self { under, wire, identified: false, buffer: Box::default(), start: 0, end: 0 }
    }

    fn quick_ack(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Under::Tcp(socket) = &self.under
            && !self.wire.settled.load(Ordering::Relaxed)
        {
            // Only a hint: a socket that cannot do it works as well, more slowly.
            let _ = socket2::SockRef::from(socket).set_tcp_quickack(true);
        }
    }

    fn poll_under(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(match &mut self.under {
            Under::Tcp(socket) => Pin::new(socket).poll_read(cx, buf),
            Under::Relay(relay) => relay.poll_read(cx, buf),
        })?;
        self.quick_ack();
        if !self.identified {
            let read = &buf.filled()[before..];
            self.wire.saw(read);
            self.identified = self.wire.ident().is_some() || read.is_empty();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.start == this.end {
            if buf.remaining() >= BUFFER {
                return this.poll_under(cx, buf);
            }
            let mut own: Box<[u8]> = vec![0; BUFFER].into();
            let mut fill = ReadBuf::new(&mut own);
            let read = this.poll_under(cx, &mut fill);
            let filled = fill.filled().len();
            ready!(read)?;
            this.buffer = own;
            (this.start, this.end) = (0, filled);
        }
        let piece = &this.buffer[this.start..this.end];
        let taken = piece.len().min(buf.remaining());
        buf.put_slice(&piece[..taken]);
        this.start += taken;
        if this.start == this.end {
            this.buffer = Box::default();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.under {
            Under::Tcp(socket) => Pin::new(socket).poll_write(cx, buf),
            Under::Relay(relay) => relay.write.as_mut().poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.under {
            Under::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Under::Relay(relay) => relay.write.as_mut().poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.under {
            Under::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Under::Relay(relay) => relay.write.as_mut().poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identification_line_is_found_behind_other_lines() {
        let wire = Wire::default();
        wire.saw(b"Exceeded MaxStart");
        wire.saw(b"ups\r\nSSH-2.0-Open");
        assert_eq!(wire.ident().as_deref(), Some("SSH-2.0-Open"));
        wire.saw(b"SSH_9.2\r\n\0\0binary");
        assert_eq!(wire.ident().as_deref(), Some("SSH-2.0-OpenSSH_9.2"));
        assert!(wire.greeting().starts_with("Exceeded MaxStartups"));
    }

    #[test]
    fn a_server_that_talks_without_end_fills_no_memory() {
        let wire = Wire::default();
        for _ in 0..100 {
            wire.saw(&[b'x'; 1000]);
        }
        assert_eq!(wire.greeting().len(), IDENT_LIMIT);
    }
}
