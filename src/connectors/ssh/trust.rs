//! Is this the host? The verdict of known_hosts on the key a server shows, and writing down a new one.
//!
//! A changed or revoked key always refuses the run, an unknown one unless `accept-new` (or the operator's
//! `StrictHostKeyChecking no`) says otherwise. There is never a prompt: a fan-out has nobody to ask 500 times.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};

use super::config::{HostConfig, Strict};
use super::known_hosts::{self, KnownHosts, Verdict};
use crate::model::connection::HostKeys;

type Stamp = Vec<Option<(SystemTime, u64)>>;

struct Loaded {
    stamp: Stamp,
    known: Arc<KnownHosts>,
}

/// The known hosts of one connection.
pub struct Trust {
    /// The connection's own file and rule, which win over the configuration's.
    file: Option<PathBuf>,
    rule: Option<HostKeys>,
    loaded: Mutex<HashMap<Vec<PathBuf>, Loaded>>,
    /// Accepted by this process: no need to read the file again for them.
    accepted: Mutex<HashMap<(String, u16), HashSet<String>>>,
    /// One writes at a time.
    writing: tokio::sync::Mutex<()>,
}

impl Trust {
    pub fn new(file: Option<PathBuf>, rule: Option<HostKeys>) -> Self {
        Self { file, rule, loaded: Mutex::default(), accepted: Mutex::default(), writing: tokio::sync::Mutex::new(()) }
    }

    fn rule(&self, host: &HostConfig) -> Strict {
        match self.rule {
            Some(HostKeys::Strict) => Strict::Yes,
            Some(HostKeys::AcceptNew) => Strict::AcceptNew,
            None => host.strict,
        }
    }

    fn files(&self, host: &HostConfig) -> Vec<PathBuf> {
        match &self.file {
            Some(file) => vec![file.clone()],
            None => host.known_hosts.iter().chain(&host.global_known_hosts).cloned().collect(),
        }
    }

    /// The file a new key goes to.
    fn first(&self, host: &HostConfig) -> Option<PathBuf> {
        self.file.clone().or_else(|| host.known_hosts.first().cloned())
    }

    /// For the `ssh` program, so that it follows the same rule.
    pub fn options(&self, host: &HostConfig) -> Vec<String> {
        let mut options = Vec::new();
        if let Some(file) = &self.file {
            options.push(format!("UserKnownHostsFile=\"{}\"", file.display()));
            options.push("GlobalKnownHostsFile=none".to_owned());
        }
        options.push(format!(
            "StrictHostKeyChecking={}",
            match self.rule(host) {
                Strict::Yes | Strict::Ask => "yes",
                Strict::AcceptNew => "accept-new",
                Strict::No => "no",
            }
        ));
        options
    }

    /// Read again when a file has changed.
    pub fn known(&self, host: &HostConfig) -> Arc<KnownHosts> {
        let files = self.files(host);
        let stamp = stamp(&files);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = loaded.get(&files)
            && found.stamp == stamp
        {
            return Arc::clone(&found.known);
        }
        let (known, warnings) = KnownHosts::load(&files);
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let known = Arc::new(known);
        loaded.insert(files, Loaded { stamp, known: Arc::clone(&known) });
        known
    }

    /// `Err`: why this server is not trusted, and what to do, for a person.
    pub async fn judge(&self, host: &HostConfig, shown: &PublicKeyOrCertificate) -> Result<(), String> {
        match self.look_up(host, shown)? {
            Looked::Known => Ok(()),
            Looked::Unknown => self.unknown(host, shown).await,
        }
    }

    fn look_up(&self, host: &HostConfig, shown: &PublicKeyOrCertificate) -> Result<Looked, String> {
        let (name, port) = host.known_as();
        let known = self.known(host);
        let key = shown.public_key();
        let verdict = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => known.check(name, port, key),
            PublicKeyOrCertificate::Certificate(certificate) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                known.check_certificate(name, port, certificate, now)
            }
        };
        let shows = fingerprint(&key);
        match verdict {
            Verdict::Known => Ok(Looked::Known),
            Verdict::Unknown => Ok(Looked::Unknown),
            Verdict::Revoked { file, line } => Err(format!(
                "the host key of {} is revoked by {}:{line} ({shows}): nothing was sent",
                host.alias,
                file.display()
            )),
            Verdict::Changed { file, line, fingerprint } => Err(format!(
                "the host key of {} has changed: {}:{line} says {fingerprint}, the server shows {shows}; nothing was \
                 sent. If the host was reinstalled, remove that line (ssh-keygen -R '{}') and add its new key; if not, \
                 somebody may be in between",
                host.alias,
                file.display(),
                bracketed(name, port),
            )),
        }
    }

    async fn unknown(&self, host: &HostConfig, shown: &PublicKeyOrCertificate) -> Result<(), String> {
        let (name, port) = host.known_as();
        let key = shown.public_key();
        let shows = fingerprint(&key);
        let place = (name.to_owned(), port);
        if let Some(true) = self.was_accepted(&place, &shows) {
            return Ok(());
        }
        let rule = self.rule(host);
        if matches!(rule, Strict::Yes | Strict::Ask) {
            let file = self.first(host).map_or_else(|| "known_hosts".to_owned(), |file| file.display().to_string());
            let option = if port == 22 { String::new() } else { format!("-p {port} ") };
            return Err(format!(
                "the host key of {} ({shows}) is not in {file}: compare it and add it (ssh-keyscan {option}{name} >> \
                 {file}), or set host_keys = \"accept-new\" to add keys seen for the first time",
                host.alias,
            ));
        }
        let Some(file) = self.first(host).filter(|file| file != Path::new("/dev/null")) else {
            return Ok(());
        };
        let _turn = self.writing.lock().await;
        match self.was_accepted(&place, &shows) {
            Some(true) => return Ok(()),
            // This host showed another key a moment ago: only the file, with that key in it, can judge.
            Some(false) => {
                self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clear();
                if let Looked::Known = self.look_up(host, shown)? {
                    return Ok(());
                }
            }
            None => {}
        }
        let files = self.files(host);
        let before = stamp(&files);
        let (path, name, hash) = (file, place.0.clone(), host.hash_known_hosts);
        let written = tokio::task::spawn_blocking(move || known_hosts::accept(&path, &name, port, &key, hash))
            .await
            .unwrap_or_else(|_| Err("the writer failed".to_owned()));
        if let Err(error) = written {
            // `accept-new` promises that the next connection is checked; `no` promises nothing.
            if rule == Strict::AcceptNew {
                return Err(format!("the new host key of {} could not be kept: {error}", host.alias));
            }
            tracing::warn!("{}: {error}", host.alias);
            return Ok(());
        }
        // Our own line is no reason to read a long file again for each of 500 new hosts.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = loaded.get_mut(&files)
            && found.stamp == before
        {
            found.stamp = stamp(&files);
        }
        drop(loaded);
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.entry(place).or_default().insert(shows);
        Ok(())
    }

    /// `None`: nothing of this host was; `Some(false)`: another key was.
    fn was_accepted(&self, place: &(String, u16), shows: &str) -> Option<bool> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.get(place).map(|keys| keys.contains(shows))
    }
}

enum Looked {
    Known,
    Unknown,
}

/// `SHA256:…`, as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn bracketed(name: &str, port: u16) -> String {
    if port == 22 { name.to_owned() } else { format!("[{name}]:{port}") }
}

fn stamp(files: &[PathBuf]) -> Stamp {
    files
        .iter()
        .map(|file| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.modified().unwrap_or(UNIX_EPOCH), data.len()))
        })
        .collect()
}
