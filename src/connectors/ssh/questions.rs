//! Which passphrases and passwords a fan-out needs before it starts, each asked once however many devices need it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use russh::keys::PublicKey;

use super::config::HostConfig;
use super::keys::KeyFile;
use super::pool::Route;
use super::{Inner, Way, agent};
use crate::model::device::Device;
use crate::model::plan::{Caller, Question};
use crate::model::secret::Secret;

/// Begins the id of a password's question; the user's name follows. No path of a key file begins so.
const PASSWORD: &str = "password of ";

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Passphrase(PathBuf),
    /// Of this user.
    Password(String),
}

impl Lack {
    fn id(&self) -> String {
        match self {
            Lack::Passphrase(path) => path.display().to_string(),
            Lack::Password(user) => format!("{PASSWORD}{user}"),
        }
    }

    fn text(&self) -> String {
        match self {
            Lack::Passphrase(path) => format!("passphrase of {}", path.display()),
            Lack::Password(user) => format!("{PASSWORD}{user}, for hosts that no key opens"),
        }
    }
}

/// Keys of agents that were asked.
#[derive(Default)]
struct Held(HashMap<PathBuf, Option<Vec<PublicKey>>>);

impl Held {
    /// Those of the first agent that answers.
    async fn of(&mut self, sockets: &[&Path]) -> &[PublicKey] {
        for socket in sockets {
            if !self.0.contains_key(*socket) {
                self.0.insert((*socket).to_owned(), agent::keys(socket).await);
            }
        }
        sockets.iter().find_map(|socket| self.0.get(*socket)?.as_deref()).unwrap_or_default()
    }
}

impl Inner {
    pub(super) async fn questions(&self, devices: &[Arc<Device>], caller: &Caller) -> Vec<Question> {
        let agents = self.agents(caller);
        let mut held = Held::default();
        let mut needed: BTreeMap<Lack, usize> = BTreeMap::new();
        for device in devices {
            let (_, _, way) = self.way(&device.name);
            let Way::Native(route) = way else { continue };
            let mut own: BTreeSet<Lack> = BTreeSet::new();
            let mut next: Option<&Route> = Some(&route);
            while let Some(route) = next {
                let host = &route.host;
                if self.wants_password(host) {
                    own.insert(Lack::Password(host.user.clone()));
                } else {
                    let in_agent = held.of(&agents.sockets(host)).await;
                    own.extend(self.locked(host, in_agent).into_iter().map(Lack::Passphrase));
                }
                next = route.via.as_deref();
            }
            for lack in own {
                *needed.entry(lack).or_default() += 1;
            }
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let question = |(lack, devices): (Lack, usize)| Question { id: lack.id(), text: lack.text(), devices };
        let questions: Vec<Question> = needed.into_iter().map(question).collect();
        asked.extend(questions.iter().map(|question| question.id.clone()));
        questions
    }

    /// No key opens this host, as its configuration says or the server has said, and no password for it is kept.
    fn wants_password(&self, host: &HostConfig) -> bool {
        let passwords = &self.pool.passwords;
        host.password_methods().next().is_some()
            && (!host.publickey || passwords.is_wanted_by(&host.alias))
            && !passwords.has(&host.user)
    }

    /// The key files without which this host has nothing to offer.
    fn locked(&self, host: &HostConfig, in_agent: &[PublicKey]) -> Vec<PathBuf> {
        let mut locked = Vec::new();
        for path in &host.identity_files {
            let file = self.pool.keys.get(path);
            let held = file.public().is_some_and(|key| in_agent.iter().any(|other| other.key_data() == key.key_data()));
            match file {
                _ if held => return Vec::new(),
                KeyFile::Ready(_) => return Vec::new(),
                KeyFile::Locked(_) => locked.push(path.clone()),
                KeyFile::Missing | KeyFile::Public(_) | KeyFile::Broken(_) => {}
            }
        }
        // Default names are only tried; whoever has an agent full of keys is not asked for an old id_rsa.
        if !host.explicit_identities && !in_agent.is_empty() && !host.identities_only {
            locked.clear();
        }
        locked
    }

    pub(super) async fn answer(&self, id: &str, value: Secret) -> Result<(), String> {
        if !self.asked.lock().unwrap_or_else(PoisonError::into_inner).contains(id) {
            return Err("no such question".to_owned());
        }
        if let Some(user) = id.strip_prefix(PASSWORD) {
            // Whether it is right, the first host says.
            self.pool.passwords.keep(user, value);
            return Ok(());
        }
        let path = PathBuf::from(id);
        let keys = Arc::clone(&self.pool.keys);
        tokio::task::spawn_blocking(move || keys.unlock(&path, &value))
            .await
            .unwrap_or_else(|_| Err("the key could not be read".to_owned()))
    }
}
