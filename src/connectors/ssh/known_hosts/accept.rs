//! Writing a new host down (`accept-new`): once, under a lock, also when 500 hosts are new at once and other
//! programs write the same file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use sha1::Sha1;

use super::{FILE_BYTES, KnownHosts, Verdict, blob, kind, listed};

/// Files remembered between two calls.
const REMEMBERED: usize = 8;

/// What this process last saw in a file: 500 new hosts must not read 10,000 lines 500 times. Compared byte for byte
/// with the file before it is believed.
struct Seen {
    path: PathBuf,
    bytes: Vec<u8>,
    known: KnownHosts,
}

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Adds a line for this host unless one is there by now. Waits for the file's lock: not for an async thread.
///
/// `host` as given, or the `HostKeyAlias` with port 22; the name is hashed when `hash`. Fails when the host has become known under
/// another key meanwhile, and when the file cannot be written.
pub fn accept(file: &Path, host: &str, port: u16, key: &PublicKey, hash: bool) -> Result<(), String> {
    // A name comes from an inventory: it must not bring lines, patterns or markers of its own.
    let ok = |c: char| c.is_ascii_graphic() && !matches!(c, ',' | '*' | '?' | '!' | '|' | '#' | '@' | '"');
    if host.is_empty() || !host.chars().all(ok) {
        return Err(format!("{}: `{}` cannot be written there as a host", file.display(), host.escape_debug()));
    }
    if fs::metadata(file).is_ok_and(|meta| !meta.is_file()) {
        return Ok(()); // /dev/null: the operator keeps none
    }
    let failed = |error: io::Error| format!("{}: the new host key cannot be written: {error}", file.display());
    let line = line(host, port, key, hash).ok_or_else(|| format!("{}: not a key to write down", file.display()))?;
    let mut handle = locked(file).map_err(failed)?;
    let mut bytes = Vec::new();
    (&mut handle).take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(format!("{}: larger than {} MiB", file.display(), FILE_BYTES >> 20));
    }

    let mut all = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut seen = recall(&mut all, file, bytes);
    let done = match seen.known.check(host, port, key) {
        Verdict::Known => Ok(()),
        Verdict::Unknown => {
            let gap = if seen.bytes.last().is_some_and(|&byte| byte != b'\n') { "\n" } else { "" };
            let text = format!("{gap}{line}\n");
            // One write to a file opened for appending: another program's line is not cut in two.
            handle.write_all(text.as_bytes()).map_err(failed).map(|()| seen.learn(text.as_bytes()))
        }
        Verdict::Changed { line, .. } => {
            Err(format!("{}:{line}: {host} has become known under another key meanwhile", file.display()))
        }
        Verdict::Revoked { line, .. } => Err(format!("{}:{line}: this key of {host} is revoked", file.display())),
    };
    all.push(seen);
    done
}

impl Seen {
    fn learn(&mut self, tail: &[u8]) {
        let whole = self.bytes.is_empty() || self.bytes.ends_with(b"\n") || tail.starts_with(b"\n");
        debug_assert!(whole, "a tail begins a line of its own");
        let first = memchr::memchr_iter(b'\n', &self.bytes).count() + 1;
        self.known.add(&self.path, tail, first, &mut Vec::new());
        self.bytes.extend_from_slice(tail);
    }
}

/// What is in the file now, building on what was remembered of it.
fn recall(all: &mut Vec<Seen>, path: &Path, bytes: Vec<u8>) -> Seen {
    let at = all.iter().position(|seen| seen.path == path);
    if let Some(mut seen) = at.map(|at| all.remove(at)) {
        let ended = seen.bytes.is_empty() || seen.bytes.ends_with(b"\n");
        if let Some(tail) = bytes.strip_prefix(seen.bytes.as_slice()).filter(|_| ended) {
            if !tail.is_empty() {
                seen.learn(tail);
            }
            return seen;
        }
    }
    while all.len() >= REMEMBERED {
        all.remove(0);
    }
    let mut known = KnownHosts::default();
    known.add(path, &bytes, 1, &mut Vec::new());
    Seen { path: path.to_owned(), bytes, known }
}

/// The file, open for appending and locked. `ssh-keygen -R` puts another file in its place: then again.
fn locked(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    for _ in 0..100 {
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        file.lock()?;
        let (held, there) = (file.metadata()?, fs::metadata(path));
        if there.is_ok_and(|there| there.ino() == held.ino() && there.dev() == held.dev()) {
            return Ok(file);
        }
    }
    Err(io::Error::other("it is replaced again and again by another program"))
}

fn line(host: &str, port: u16, key: &PublicKey, hash: bool) -> Option<String> {
    let key = blob(key.key_data())?;
    let mut name = listed(host, port);
    if hash {
        let mut salt = [0; 20];
        getrandom::fill(&mut salt).ok()?;
        let mut mac = Hmac::<Sha1>::new_from_slice(&salt).ok()?;
        mac.update(name.as_bytes());
        let hash = mac.finalize().into_bytes();
        name = format!("|1|{}|{}", Base64::encode_string(&salt), Base64::encode_string(hash.as_slice()));
    }
    Some(format!("{name} {} {}", kind(&key), Base64::encode_string(&key)))
}
