//! Key files, parsed once and kept while they do not change; passphrases asked for once and never kept, only the
//! key they open. Talks to no server and to no agent.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key, load_openssh_certificate, load_public_key};

use crate::model::secret::Secret;

/// No key file is longer; anything longer is not read.
const LARGEST: u64 = 64 * 1024;

/// What a configured identity file turned out to be.
#[derive(Clone)]
pub enum KeyFile {
    /// The usual case for OpenSSH's default names.
    Missing,
    Ready(Arc<PrivateKey>),
    /// Encrypted, and not unlocked. The public half is known where it lies beside or within.
    Locked(Option<Arc<PublicKey>>),
    /// Only the public half is there: the private one is in an agent.
    Public(Arc<PublicKey>),
    Broken(String),
}

impl KeyFile {
    pub fn public(&self) -> Option<&PublicKey> {
        match self {
            KeyFile::Ready(key) => Some(key.public_key()),
            KeyFile::Locked(key) => key.as_deref(),
            KeyFile::Public(key) => Some(key),
            KeyFile::Missing | KeyFile::Broken(_) => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Stamp(Option<(SystemTime, u64)>, Option<SystemTime>);

struct Kept {
    stamp: Stamp,
    key: KeyFile,
}

/// The key files of one connection.
#[derive(Default)]
pub struct Keys {
    kept: Mutex<HashMap<PathBuf, Kept>>,
}

impl Keys {
    /// Blocking: reads the file when it is new or has changed.
    pub fn get(&self, path: &Path) -> KeyFile {
        let stamp = stamp(path);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(path)
            && found.stamp == stamp
        {
            return found.key.clone();
        }
        let key = read(path, &stamp);
        kept.insert(path.to_owned(), Kept { stamp, key: key.clone() });
        key
    }

    /// Blocking, and slow on purpose: bcrypt. `Err`: not this passphrase, or not a key any more.
    pub fn unlock(&self, path: &Path, passphrase: &Secret) -> Result<(), String> {
        let stamp = stamp(path);
        let text = text(path)?;
        let key = decode_secret_key(&text, Some(passphrase.expose()))
            .map_err(|error| format!("this passphrase does not open {}: {error}", path.display()))?;
        let key = KeyFile::Ready(Arc::new(key));
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Kept { stamp, key });
        Ok(())
    }

    /// The certificate in this file, or beside this key (`…-cert.pub`).
    pub fn certificate(path: &Path) -> Result<Certificate, String> {
        load_openssh_certificate(path).map_err(|error| format!("{}: not a certificate: {error}", path.display()))
    }
}

/// `id_ed25519` → `id_ed25519-cert.pub`
pub fn certificate_beside(path: &Path) -> PathBuf {
    with_ending(path, "-cert.pub")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn stamp(path: &Path) -> Stamp {
    let of = |path: &Path| std::fs::metadata(path).ok();
    Stamp(
        of(path).map(|data| (data.modified().unwrap_or(SystemTime::UNIX_EPOCH), data.len())),
        of(&with_ending(path, ".pub")).and_then(|data| data.modified().ok()),
    )
}

fn text(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let data = std::fs::metadata(path).map_err(failed)?;
    if !data.is_file() || data.len() > LARGEST {
        return Err(format!("{}: not a key file", path.display()));
    }
    std::fs::read_to_string(path).map_err(failed)
}

fn read(path: &Path, stamp: &Stamp) -> KeyFile {
    let beside = || load_public_key(with_ending(path, ".pub")).ok().map(Arc::new);
    if stamp.0.is_none() {
        return beside().map_or(KeyFile::Missing, KeyFile::Public);
    }
    let text = match text(path) {
        Ok(text) => text,
        Err(error) => return KeyFile::Broken(error),
    };
    // `IdentityFile id_x.pub` names a key that only the agent has.
    if !text.contains("-----BEGIN") && !text.starts_with("PuTTY-User-Key-File-") {
        return match load_public_key(path) {
            Ok(key) => KeyFile::Public(Arc::new(key)),
            Err(error) => KeyFile::Broken(format!("{}: {error}", path.display())),
        };
    }
    match decode_secret_key(&text, None) {
        Ok(key) => KeyFile::Ready(Arc::new(key)),
        Err(error) => {
            let inside = PrivateKey::from_openssh(&text).ok();
            let locked = matches!(error, russh::keys::Error::KeyIsEncrypted)
                || inside.as_ref().is_some_and(PrivateKey::is_encrypted)
                || text.contains("ENCRYPTED");
            if locked {
                KeyFile::Locked(inside.map(|key| Arc::new(key.public_key().clone())).or_else(beside))
            } else {
                KeyFile::Broken(format!("{}: {error}", path.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::ssh::testing::keygen;

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_and_stays_open_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = keygen(folder.path(), "id_x", "ed25519", "sesame");
        let keys = Keys::default();
        assert!(matches!(keys.get(&path), KeyFile::Locked(Some(_))));
        let wrong = keys.unlock(&path, &Secret::new("wrong")).unwrap_err();
        assert!(wrong.contains("does not open"), "{wrong}");
        keys.unlock(&path, &Secret::new("sesame")).unwrap();
        assert!(matches!(keys.get(&path), KeyFile::Ready(_)));
        std::fs::write(&path, "-----BEGIN nonsense").unwrap();
        assert!(matches!(keys.get(&path), KeyFile::Broken(_)));
    }

    #[test]
    fn a_missing_key_whose_public_half_is_there_is_looked_for_in_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        let path = keygen(folder.path(), "id_y", "ed25519", "");
        let keys = Keys::default();
        assert!(matches!(keys.get(&path), KeyFile::Ready(_)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(keys.get(&path), KeyFile::Public(_)));
        std::fs::remove_file(path.with_extension("pub")).unwrap();
        assert!(matches!(keys.get(&path), KeyFile::Missing));
    }
}
