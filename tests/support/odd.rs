//! Hosts that are no SSH server: silent, half-closing, talking nonsense. Each is a thread on a loopback
//! port, and ends when it is dropped.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// What a host does with a connection.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Accepts and never says a word.
    Silent,
    /// Says that it is an SSH server, and closes.
    BannerThenClose,
    /// Says that it is an SSH server, takes the client's first packets, and closes half way.
    HalfWay,
    /// Closes at once, before a banner: what `MaxStartups` looks like.
    Closes,
    /// Speaks HTTP.
    Http,
    /// Never ends its first line.
    Endless,
}

pub struct Odd {
    pub address: Ipv4Addr,
    pub port: u16,
    met: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Odd {
    pub fn listen(address: Ipv4Addr, manner: Manner) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let met = Arc::new(AtomicUsize::new(0));
        let ending = Arc::new(AtomicBool::new(false));
        let thread = {
            let (met, ending) = (Arc::clone(&met), Arc::clone(&ending));
            std::thread::spawn(move || {
                let mut kept = Vec::new();
                for connection in listener.incoming() {
                    if ending.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(connection) = connection else { continue };
                    met.fetch_add(1, Ordering::SeqCst);
                    if let Some(connection) = serve(connection, manner) {
                        kept.push(connection);
                    }
                }
            })
        };
        Self { address, port, met, ending, thread: Some(thread) }
    }

    /// How many connections it has seen.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

/// The connection, where it is to be kept open.
fn serve(mut connection: TcpStream, manner: Manner) -> Option<TcpStream> {
    match manner {
        Manner::Silent => Some(connection),
        Manner::BannerThenClose => {
            let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            let _ = connection.shutdown(Shutdown::Both);
            None
        }
        Manner::HalfWay => {
            let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            let _ = connection.read(&mut [0; 256]);
            // the head of a packet that never comes whole
            let _ = connection.write_all(&[0, 0, 4, 0, 6, 20]);
            let _ = connection.shutdown(Shutdown::Write);
            Some(connection)
        }
        Manner::Closes => None,
        Manner::Http => {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = connection.shutdown(Shutdown::Both);
            None
        }
        Manner::Endless => {
            // as much as the socket takes: a client that has had enough closes, and ends this
            std::thread::spawn(move || while connection.write_all(&[b'x'; 4096]).is_ok() {});
            None
        }
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // one more connection wakes the listener, which then sees that it is to end
        let _ = TcpStream::connect(SocketAddrV4::new(self.address, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
