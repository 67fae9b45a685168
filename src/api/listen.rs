//! The unix socket: mode 0600 in a folder of mode 0700, and only this user's processes are spoken to.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

pub struct SameUser {
    listener: UnixListener,
    uid: u32,
}

/// Binds; what lay there belonged to an engine that is gone, since the caller holds the lock.
pub fn bind(path: &Path) -> io::Result<SameUser> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(SameUser { listener, uid: rustix::process::getuid().as_raw() })
}

pub fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

impl axum::serve::Listener for SameUser {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
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
