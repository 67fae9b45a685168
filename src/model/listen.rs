//! The door on the network: where the engine listens for other programs, behind which certificate, and how patient it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub address: SocketAddr,
    /// `None`: plain HTTP, on this machine alone.
    pub tls: Option<Pair>,
    /// How long a peer may take for a handshake, for the head of a request, and until its body begins to come.
    pub patience: Duration,
    /// Requests of one key in a minute; 0: any number.
    pub rate: u32,
    /// Connections at once.
    pub connections: u32,
}

/// Files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Listen {
    /// With the address that is really listened on.
    pub fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}", if self.tls.is_some() { "https" } else { "http" })
    }
}
