//! The unix sockets: mode 0600 in a folder of mode 0700, and only this user's processes are spoken to.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

pub struct SameUser {
    listener: UnixListener,
    /// The other of its sockets.
    beside: Option<UnixListener>,
    uid: u32,
}

/// Binds what can be bound of its sockets, at least one; what lay there belonged to an engine that is gone, since the
/// caller holds the lock.
pub fn bind(sockets: &[PathBuf]) -> Result<SameUser, (PathBuf, io::Error)> {
    let mut bound = Vec::new();
    let mut failed = None;
    for socket in sockets {
        match bind_one(socket) {
            Ok(listener) => bound.push(listener),
            Err(error) => failed = Some((socket.clone(), error)),
        }
    }
    let mut bound = bound.into_iter();
    match (bound.next(), failed) {
        (Some(listener), failed) => {
            if let Some((path, error)) = failed {
                tracing::warn!(%error, path = %path.display(), "does not listen there");
            }
            Ok(SameUser { listener, beside: bound.next(), uid: rustix::process::getuid().as_raw() })
        }
        (None, failed) => Err(failed.unwrap_or_else(|| (PathBuf::new(), io::ErrorKind::NotFound.into()))),
    }
}

fn bind_one(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

pub fn remove(sockets: &[PathBuf]) {
    for socket in sockets {
        let _ = std::fs::remove_file(socket);
    }
}

impl SameUser {
    async fn either(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let Some(beside) = &self.beside else { return self.listener.accept().await };
        tokio::select! {
            came = self.listener.accept() => came,
            came = beside.accept() => came,
        }
    }
}

impl axum::serve::Listener for SameUser {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            match self.either().await {
                Ok((stream, address)) => match stream.peer_cred() {
                    Ok(peer) if peer.uid() == self.uid => return (stream, address),
                    peer => tracing::warn!(uid = ?peer.map(|peer| peer.uid()).ok(), "turned away"),
                },
                // out of descriptors, say: give those who hold some a moment
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
