//! The ssh agents that may sign for us: first the one of the terminal from which a run was launched, then the one the
//! engine was started with, which may be long gone. Finds the one that answers; what it holds and signs is `auth`'s.

use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::agent::client::AgentClient;
use tokio::net::UnixStream;

use super::config::{HostConfig, IdentityAgent};
use crate::model::amounts::number;
use crate::model::plan::Caller;

pub type Agent = AgentClient<UnixStream>;

/// Where agents are looked for, as far as a host's configuration does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    caller: Option<PathBuf>,
    own: Option<PathBuf>,
    /// Why the caller's is not among them.
    refused: Option<String>,
}

impl Agents {
    /// `own`: of the engine's environment.
    pub fn of(caller: &Caller, own: Option<&PathBuf>) -> Self {
        Self { caller: caller.agent.clone(), own: own.cloned(), refused: caller.no_agent.clone() }
    }

    /// Sockets to try for this host, in order.
    pub fn sockets<'a>(&'a self, host: &'a HostConfig) -> Vec<&'a Path> {
        match &host.identity_agent {
            IdentityAgent::None => Vec::new(),
            IdentityAgent::Path(path) => vec![path],
            IdentityAgent::Env => {
                let mut sockets: Vec<&Path> = self.caller.iter().chain(&self.own).map(PathBuf::as_path).collect();
                sockets.dedup();
                sockets
            }
        }
    }

    /// The agent for this host; `notes` hears of those that do not answer.
    pub async fn connect(&self, host: &HostConfig, notes: &mut Vec<String>) -> Option<Agent> {
        for socket in self.sockets(host) {
            match Agent::connect_uds(socket).await {
                Ok(agent) => return Some(agent),
                Err(error) => notes.push(format!("the agent at {} does not answer: {error}", socket.display())),
            }
        }
        notes.extend(self.refused.clone());
        None
    }

    /// For a program that is to find its agent by itself.
    pub async fn socket(&self) -> Option<&Path> {
        for socket in self.caller.iter().chain(&self.own) {
            if UnixStream::connect(socket).await.is_ok() {
                return Some(socket);
            }
        }
        None
    }

    /// For `doctor`: which one is used here, and whether that is the one that was meant.
    pub async fn describe(&self, host: &HostConfig) -> (String, bool) {
        let mut text = String::new();
        let mut as_meant = true;
        if let (IdentityAgent::Env, Some(why)) = (&host.identity_agent, &self.refused) {
            text.push_str(&format!("{why}; "));
            as_meant = false;
        }
        for socket in self.sockets(host) {
            let whose = self.whose(host, socket);
            match keys(socket).await {
                Some(keys) => {
                    let keys = number(keys.len() as u64, "key");
                    text.push_str(&format!("{whose} {}, {keys}", socket.display()));
                    return (text, as_meant);
                }
                None => {
                    text.push_str(&format!("{whose} {} does not answer; ", socket.display()));
                    as_meant = false;
                }
            }
        }
        text.push_str(match &host.identity_agent {
            IdentityAgent::None => "none: IdentityAgent none",
            _ => "none",
        });
        (text, as_meant)
    }

    fn whose(&self, host: &HostConfig, socket: &Path) -> &'static str {
        match &host.identity_agent {
            IdentityAgent::Path(_) => "IdentityAgent",
            _ if self.caller.as_deref() == Some(socket) => "yours",
            _ => "the engine's own",
        }
    }
}

/// Which keys an agent holds; `None`: it does not answer.
pub async fn keys(socket: &Path) -> Option<Vec<PublicKey>> {
    let mut agent = Agent::connect_uds(socket).await.ok()?;
    let identities = agent.request_identities().await.ok()?;
    Some(identities.into_iter().map(|identity| identity.public_key().into_owned()).collect())
}
