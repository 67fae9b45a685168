//! Which host keys the operator trusts: reads known_hosts as OpenSSH does and judges a key or a certificate.
//!
//! As in OpenSSH, a host that is known under any plain key is *changed* when it shows another one, whatever its
//! type: who cannot show the known key is not let in by showing a key of another type. [`KnownHosts::algorithms`]
//! keeps that from happening to an honest host. A name with a port that is not known falls back to the bare name.

mod accept;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Certificate, HashAlg, PublicKey};
use sha1::Sha1;

use super::config::words;

pub use accept::accept;

/// Bytes of one file.
const FILE_BYTES: u64 = 64 << 20;
/// Warnings kept a file.
const WARNINGS: usize = 50;
/// A key that more lines hold is looked up by the host's name, which is remembered.
const SHARED: usize = 32;
/// Hosts whose hashed names are remembered.
const REMEMBERED: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Known,
    /// Nothing is known of this host.
    Unknown,
    /// The host is known under other keys: this line holds one, of the shown key's type where there is one.
    Changed {
        file: PathBuf,
        line: usize,
        fingerprint: String,
    },
    /// A `@revoked` line names the key, or the authority that signed it.
    Revoked {
        file: PathBuf,
        line: usize,
    },
}

/// The lines of some known_hosts files, indexed.
#[derive(Default)]
pub struct KnownHosts {
    files: Vec<PathBuf>,
    entries: Vec<Entry>,
    /// By host name as written in a line without patterns.
    plain: HashMap<String, Vec<usize>>,
    /// Lines with wildcards or negation.
    patterns: Vec<usize>,
    hashed: Vec<usize>,
    /// Patterns and hashed lines by key: a host that shows the key of a hashed line costs one HMAC, not one a line.
    keys: HashMap<Arc<[u8]>, Vec<usize>>,
    /// Hashed lines that fit a name.
    remembered: Mutex<HashMap<String, Arc<[usize]>>>,
}

struct Entry {
    marker: Marker,
    names: Names,
    key: Arc<[u8]>,
    file: usize,
    line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Authority,
    Revoked,
}

enum Names {
    /// Comma list of names and patterns.
    List(String),
    /// HMAC-SHA1 keyed with the salt, and what the name must give. Boxed: few lines are hashed, or all.
    Hashed(Box<(Hmac<Sha1>, [u8; 20])>),
}

impl Names {
    fn hold(&self, name: &str) -> bool {
        match self {
            Names::List(list) => words::matches_list(name, list, true),
            Names::Hashed(hashed) => {
                let mut mac = hashed.0.clone();
                mac.update(name.as_bytes());
                mac.finalize().into_bytes().as_slice() == hashed.1
            }
        }
    }
}

fn is_pattern(list: &str) -> bool {
    list.contains(['*', '?', '!'])
}

/// The name known_hosts lists: bare at port 22, else `[host]:port`.
fn listed(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 || port == 0 { host } else { format!("[{host}]:{port}") }
}

impl KnownHosts {
    /// Reads what is there; a file that is missing is no error. The second part: lines that mean nothing.
    pub fn load(files: &[PathBuf]) -> (KnownHosts, Vec<String>) {
        let mut known = KnownHosts::default();
        let mut warnings = Vec::new();
        for path in files {
            match contents(path) {
                Ok(bytes) => known.add(path, &bytes, 1, &mut warnings),
                Err(Some(why)) => warnings.push(format!("{}: {why}", path.display())),
                Err(None) => {}
            }
        }
        (known, warnings)
    }

    /// Adds lines of a file, the first of which is number `first`.
    fn add(&mut self, path: &Path, bytes: &[u8], first: usize, warnings: &mut Vec<String>) {
        let file = self.files.iter().position(|known| known == path).unwrap_or_else(|| {
            self.files.push(path.to_owned());
            self.files.len() - 1
        });
        let mut bad = 0;
        for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let number = first + index;
            match read_line(&line) {
                Ok(Some((marker, names, key))) => self.insert(Entry { marker, names, key, file, line: number }),
                Ok(None) => {}
                Err(why) => {
                    bad += 1;
                    if bad <= WARNINGS {
                        warnings.push(format!("{}:{number}: {why}", path.display()));
                    }
                }
            }
        }
        if bad > WARNINGS {
            warnings.push(format!("{}: {} more lines mean nothing", path.display(), bad - WARNINGS));
        }
    }

    fn insert(&mut self, mut entry: Entry) {
        let at = self.entries.len();
        match &entry.names {
            Names::Hashed(_) => {
                self.hashed.push(at);
                self.remembered.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
            }
            Names::List(list) if is_pattern(list) => self.patterns.push(at),
            Names::List(list) => {
                for name in list.split(',') {
                    self.plain.entry(name.to_lowercase()).or_default().push(at);
                }
            }
        }
        // One copy of a key that many lines hold.
        match self.keys.get_key_value(&entry.key) {
            Some((key, _)) => entry.key = Arc::clone(key),
            None => drop(self.keys.insert(Arc::clone(&entry.key), Vec::new())),
        }
        if !matches!(&entry.names, Names::List(list) if !is_pattern(list)) {
            self.keys.entry(Arc::clone(&entry.key)).or_default().push(at);
        }
        self.entries.push(entry);
    }

    /// Lines that speak of this name, in order.
    fn lines(&self, name: &str) -> Vec<&Entry> {
        let mut found: Vec<usize> = self.plain.get(name).cloned().unwrap_or_default();
        found.extend(self.patterns.iter().filter(|&&at| self.holds(at, name)));
        found.extend(self.hashed_lines(name).iter());
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.entries.get(at)).collect()
    }

    fn hashed_lines(&self, name: &str) -> Arc<[usize]> {
        if self.hashed.is_empty() {
            return Arc::new([]);
        }
        if let Some(known) = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(known);
        }
        // Outside the lock: other hosts are looked up meanwhile.
        let found: Arc<[usize]> = self.hashed.iter().copied().filter(|&at| self.holds(at, name)).collect();
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(name.to_owned(), Arc::clone(&found));
        found
    }

    fn holds(&self, at: usize, name: &str) -> bool {
        self.entries.get(at).is_some_and(|entry| entry.names.hold(name))
    }

    /// The first line with this marker and key that speaks of this name.
    fn with_key(&self, marker: Marker, key: &[u8], name: &str) -> Option<&Entry> {
        let fits = |at: &usize| {
            let entry = self.entries.get(*at)?;
            (entry.marker == marker && *entry.key == *key).then_some(entry)
        };
        if let Some(entry) = self.plain.get(name).and_then(|lines| lines.iter().find_map(fits)) {
            return Some(entry);
        }
        let lines = self.keys.get(key)?;
        if lines.len() > SHARED {
            return self.lines(name).into_iter().find(|entry| entry.marker == marker && *entry.key == *key);
        }
        lines.iter().filter_map(fits).find(|entry| entry.names.hold(name))
    }

    fn revoked(&self, key: &[u8], names: &[String]) -> Option<Verdict> {
        let entry = names.iter().find_map(|name| self.with_key(Marker::Revoked, key, name))?;
        Some(Verdict::Revoked { file: self.file(entry), line: entry.line })
    }

    fn file(&self, entry: &Entry) -> PathBuf {
        self.files.get(entry.file).cloned().unwrap_or_default()
    }

    /// Judges a plain key. `host` as given, or the `HostKeyAlias` with port 22.
    pub fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        match blob(key.key_data()) {
            Some(key) => self.check_blob(host, port, &key),
            None => Verdict::Unknown,
        }
    }

    fn check_blob(&self, host: &str, port: u16, key: &[u8]) -> Verdict {
        let names = names(host, port);
        if let Some(revoked) = self.revoked(key, &names) {
            return revoked;
        }
        for name in &names {
            if self.with_key(Marker::None, key, name).is_some() {
                return Verdict::Known;
            }
            // The bare name can only vouch for a host on another port, not speak against it.
            if *name != listed(host, port) {
                break;
            }
            let others: Vec<&Entry> = self.lines(name).into_iter().filter(|e| e.marker == Marker::None).collect();
            let kind = kind(key);
            let shown = others.iter().find(|e| self::kind(&e.key) == kind).or(others.first());
            if let Some(entry) = shown {
                let fingerprint = fingerprint(&entry.key);
                return Verdict::Changed { file: self.file(entry), line: entry.line, fingerprint };
            }
        }
        Verdict::Unknown
    }

    /// Judges a host certificate; `now_unix` in seconds. One that no trusted authority vouches for, that is for another
    /// host or another time, counts as the plain key in it, as in OpenSSH.
    pub fn check_certificate(&self, host: &str, port: u16, cert: &Certificate, now_unix: u64) -> Verdict {
        let (Some(key), Some(authority)) = (blob(cert.public_key()), blob(cert.signature_key())) else {
            return Verdict::Unknown;
        };
        let names = names(host, port);
        if let Some(revoked) = self.revoked(&authority, &names).or_else(|| self.revoked(&key, &names)) {
            return revoked;
        }
        let trusted = names.iter().any(|name| self.with_key(Marker::Authority, &authority, name).is_some());
        if trusted && vouches(cert, &host.to_lowercase(), now_unix) {
            return Verdict::Known;
        }
        self.check_blob(host, port, &key)
    }

    /// Key algorithms this host is known by, as they are negotiated, in the order of the lines: prefer them, so that a
    /// host known by its ed25519 key is not asked for another.
    pub fn algorithms(&self, host: &str, port: u16) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for name in names(host, port) {
            for entry in self.lines(&name).into_iter().filter(|e| e.marker == Marker::None) {
                let kind = kind(&entry.key);
                let negotiated: &[&str] = if kind == "ssh-rsa" { &["rsa-sha2-512", "rsa-sha2-256"] } else { &[kind] };
                for algorithm in negotiated {
                    if !found.iter().any(|known| known == algorithm) {
                        found.push((*algorithm).to_owned());
                    }
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    /// Whether an authority vouches for hosts of this name: then a certificate is worth asking for first.
    pub fn has_authority(&self, host: &str, port: u16) -> bool {
        names(host, port).iter().any(|name| self.lines(name).iter().any(|e| e.marker == Marker::Authority))
    }
}

/// The name with its port, then the bare one.
fn names(host: &str, port: u16) -> Vec<String> {
    let mut names = vec![listed(host, port)];
    if port != 22 && port != 0 {
        names.push(listed(host, 22));
    }
    names
}

fn vouches(cert: &Certificate, host: &str, now: u64) -> bool {
    let authority = cert.signature_key().fingerprint(HashAlg::Sha256);
    let principals = cert.valid_principals();
    cert.cert_type() == CertType::Host
        && cert.critical_options().iter().next().is_none()
        && (principals.is_empty() || principals.iter().any(|p| words::matches(host, p)))
        && cert.validate_at(now, [&authority]).is_ok()
}

fn blob(key: &KeyData) -> Option<Vec<u8>> {
    PublicKey::from(key.clone()).to_bytes().ok()
}

/// The type a key blob names: its first string.
fn kind(blob: &[u8]) -> &str {
    let Some((length, rest)) = blob.split_first_chunk::<4>() else { return "" };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.get(..length).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
}

fn fingerprint(blob: &[u8]) -> String {
    use sha2::Digest as _;
    format!("SHA256:{}", Base64::encode_string(&sha2::Sha256::digest(blob)).trim_end_matches('='))
}

type Read = (Marker, Names, Arc<[u8]>);

fn read_line(line: &str) -> Result<Option<Read>, &'static str> {
    let mut fields = line.split([' ', '\t', '\r']).filter(|field| !field.is_empty());
    let Some(mut names) = fields.next().filter(|first| !first.starts_with('#')) else { return Ok(None) };
    let mut marker = Marker::None;
    if names.starts_with('@') {
        marker = match names {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            _ => return Err("a marker that is neither @cert-authority nor @revoked"),
        };
        names = fields.next().ok_or("no host names")?;
    }
    let kind = fields.next().ok_or("no key")?;
    let key = fields.next().ok_or("no key")?;
    let key = Base64::decode_vec(key).map_err(|_| "the key is not base64")?;
    if self::kind(&key) != kind || kind.is_empty() {
        return Err("the key is not of the type the line says");
    }
    let names = if names.starts_with('|') {
        Names::Hashed(hashed(names).ok_or("a hashed name that cannot be read")?)
    } else {
        Names::List(names.to_owned())
    };
    Ok(Some((marker, names, key.into())))
}

fn hashed(name: &str) -> Option<Box<(Hmac<Sha1>, [u8; 20])>> {
    let (salt, hash) = name.strip_prefix("|1|")?.split_once('|')?;
    let salt = Base64::decode_vec(salt).ok()?;
    let hash = Base64::decode_vec(hash).ok()?.try_into().ok()?;
    Some(Box::new((Hmac::new_from_slice(&salt).ok()?, hash)))
}

/// `Err(None)`: nothing there to read.
fn contents(path: &Path) -> Result<Vec<u8>, Option<String>> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => None,
        _ => Some(format!("cannot be read: {error}")),
    };
    let meta = fs::metadata(path).map_err(failed)?;
    if !meta.is_file() {
        // /dev/null is the usual way to say "none"; opening a pipe would wait for a writer.
        return Err((path != Path::new("/dev/null")).then(|| "is not a plain file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Some(format!("not read: larger than {} MiB", FILE_BYTES >> 20)));
    }
    Ok(bytes)
}
