//! The unix sockets: mode 0600 in a folder of mode 0700, and only this user's processes are spoken to.

use std::future::poll_fn;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

pub struct SameUser {
    listeners: Vec<UnixListener>,
    uid: u32,
}

/// Binds what can be bound of its sockets, at least one; what lay there belonged to an engine that is gone, since the
/// caller holds the lock.
pub fn bind(sockets: &[PathBuf]) -> Result<SameUser, (PathBuf, io::Error)> {
    let mut listeners = Vec::new();
    let mut failed = None;
    for socket in sockets {
        match bind_one(socket) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failed = Some((socket.clone(), error)),
        }
    }
    match failed {
        Some(failed) if listeners.is_empty() => return Err(failed),
        Some((path, error)) => tracing::warn!(%error, path = %path.display(), "does not listen there"),
        None => {}
    }
    Ok(SameUser { listeners, uid: rustix::process::getuid().as_raw() })
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
    async fn any(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let came = |context: &mut Context<'_>| {
            let mut all = self.listeners.iter().map(|listener| listener.poll_accept(context));
            all.find(Poll::is_ready).unwrap_or(Poll::Pending)
        };
        poll_fn(came).await
    }
}

impl axum::serve::Listener for SameUser {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            match self.any().await {
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
        self.listeners.first().ok_or(io::ErrorKind::NotFound)?.local_addr()
    }
}
