//! Which passphrases a fan-out needs before it starts, each asked once however many devices need it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use russh::keys::PublicKey;

use super::config::HostConfig;
use super::keys::KeyFile;
use super::pool::Route;
use super::{Inner, Way, auth};
use crate::model::device::Device;
use crate::model::plan::Question;
use crate::model::secret::Secret;

impl Inner {
    pub(super) async fn questions(&self, devices: &[Arc<Device>]) -> Vec<Question> {
        let mut agents: HashMap<PathBuf, Vec<PublicKey>> = HashMap::new();
        let mut needed: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for device in devices {
            let (_, _, way) = self.way(&device.name);
            let Way::Native(route) = way else { continue };
            let mut own: Vec<PathBuf> = Vec::new();
            let mut next: Option<&Route> = Some(&route);
            while let Some(route) = next {
                let in_agent = match auth::agent_socket(&route.host, self.settings.agent.as_ref()) {
                    Some(socket) => {
                        if !agents.contains_key(&socket) {
                            let keys = auth::agent_keys(&socket).await;
                            agents.insert(socket.clone(), keys);
                        }
                        agents.get(&socket).map_or(&[][..], Vec::as_slice)
                    }
                    None => &[],
                };
                own.extend(self.locked(&route.host, in_agent));
                next = route.via.as_deref();
            }
            own.sort();
            own.dedup();
            for path in own {
                *needed.entry(path).or_default() += 1;
            }
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.extend(needed.keys().cloned());
        needed
            .into_iter()
            .map(|(path, devices)| Question {
                id: path.display().to_string(),
                text: format!("passphrase of {}", path.display()),
                devices,
            })
            .collect()
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
        let path = PathBuf::from(id);
        if !self.asked.lock().unwrap_or_else(PoisonError::into_inner).contains(Path::new(id)) {
            return Err("no such question".to_owned());
        }
        let keys = Arc::clone(&self.pool.keys);
        tokio::task::spawn_blocking(move || keys.unlock(&path, &value))
            .await
            .unwrap_or_else(|_| Err("the key could not be read".to_owned()))
    }
}
