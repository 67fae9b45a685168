//! What we offer in the key exchange: cheap where both sides have a choice, never below the floor
//! (no SHA-1 host keys or MACs by default), and the operator's own lists where the configuration has them.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, kex, mac};

use super::config::HostConfig;

/// AES in hardware makes aes256-gcm 1.2 to 1.6 times cheaper than chacha20 (figures.md, 4.5); in software it is the other way round.
fn aes_in_hardware() -> bool {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    {
        std::arch::is_x86_feature_detected!("aes")
    }
    #[cfg(target_arch = "aarch64")]
    {
        std::arch::is_aarch64_feature_detected!("aes")
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    {
        false
    }
}

const KEX: &[&str] = &[
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];

/// Not algorithms: what both sides may add to the exchange.
const KEX_EXTENSIONS: &[kex::Name] = &[kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT];

const MACS: &[&str] =
    &["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"];

const HOST_KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Names as OpenSSH reads them: `+a,b` adds, `-a*` removes, `^a` puts first, anything else replaces.
fn chosen(list: Option<&str>, default: &[&str]) -> Vec<String> {
    let own = || default.iter().map(|&name| name.to_owned());
    let Some(list) = list.map(str::trim).filter(|list| !list.is_empty()) else {
        return own().collect();
    };
    let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    if let Some(more) = list.strip_prefix('+') {
        let mut all: Vec<_> = own().collect();
        all.extend(names(more).into_iter().filter(|name| !default.contains(&name.as_str())));
        all
    } else if let Some(less) = list.strip_prefix('-') {
        let less = names(less);
        own().filter(|name| !less.iter().any(|pattern| matches(pattern, name))).collect()
    } else if let Some(first) = list.strip_prefix('^') {
        let mut all = names(first);
        let rest: Vec<_> = own().filter(|name| !all.contains(name)).collect();
        all.extend(rest);
        all
    } else {
        names(list)
    }
}

/// `*` and `?`, as in `-*sha1*`.
fn matches(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => go(rest, name) || name.split_first().is_some_and(|(_, name)| go(pattern, name)),
            (Some((b'?', rest)), Some((_, name))) => go(rest, name),
            (Some((a, rest)), Some((b, name))) => a == b && go(rest, name),
            _ => false,
        }
    }
    go(pattern.as_bytes(), name.as_bytes())
}

fn plain(name: &str) -> Option<Algorithm> {
    Some(match name {
        "ssh-ed25519" => Algorithm::Ed25519,
        "ecdsa-sha2-nistp256" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        "ecdsa-sha2-nistp384" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        "ecdsa-sha2-nistp521" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        "rsa-sha2-512" => Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        "rsa-sha2-256" => Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        "ssh-rsa" => Algorithm::Rsa { hash: None },
        _ => return None,
    })
}

/// `known`: key types known_hosts has for the host, so that a host with several keys shows the one we can check;
/// `authority`: it also has somebody who may vouch for it.
/// `Err`: the configuration leaves nothing that this client can do, with what it asks for.
pub fn preferred(host: &HostConfig, known: &[String], authority: bool) -> Result<Preferred, String> {
    let kexes: Vec<kex::Name> =
        chosen(host.kex.as_deref(), KEX).iter().filter_map(|name| kex::Name::try_from(name.as_str()).ok()).collect();
    if kexes.is_empty() {
        return Err(format!("KexAlgorithms {}", host.kex.as_deref().unwrap_or_default()));
    }
    let default = if aes_in_hardware() {
        ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"]
    } else {
        ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"]
    };
    let default: Vec<_> = default.into_iter().chain(["aes128-ctr", "aes192-ctr", "aes256-ctr"]).collect();
    let ciphers: Vec<cipher::Name> = chosen(host.ciphers.as_deref(), &default)
        .iter()
        .filter(|name| !matches!(name.as_str(), "none" | "clear"))
        .filter_map(|name| cipher::Name::try_from(name.as_str()).ok())
        .collect();
    if ciphers.is_empty() {
        return Err(format!("Ciphers {}", host.ciphers.as_deref().unwrap_or_default()));
    }
    let macs: Vec<mac::Name> = chosen(host.macs.as_deref(), MACS)
        .iter()
        .filter(|name| name.as_str() != "none")
        .filter_map(|name| mac::Name::try_from(name.as_str()).ok())
        .collect();
    if macs.is_empty() {
        return Err(format!("MACs {}", host.macs.as_deref().unwrap_or_default()));
    }
    let mut names = chosen(host.host_key_algorithms.as_deref(), HOST_KEYS);
    // A stable sort: known types first, each part in the order above.
    names.sort_by_key(|name| !known.contains(name));
    let keys: Vec<Algorithm> = names.iter().filter_map(|name| plain(name)).collect();
    let mut certificates: Vec<Algorithm> =
        names.iter().filter_map(|name| plain(name.strip_suffix(CERTIFICATE)?)).collect();
    if authority && certificates.is_empty() {
        certificates = keys.iter().filter(|key| !matches!(key, Algorithm::Rsa { hash: None })).cloned().collect();
    }
    if keys.is_empty() && certificates.is_empty() {
        return Err(format!("HostKeyAlgorithms {}", host.host_key_algorithms.as_deref().unwrap_or_default()));
    }
    Ok(Preferred {
        kex: Cow::Owned(kexes.into_iter().chain(KEX_EXTENSIONS.iter().copied()).collect()),
        key: Cow::Owned(keys),
        host_key_certificates: Cow::Owned(certificates),
        cipher: Cow::Owned(ciphers),
        mac: Cow::Owned(macs),
        compression: Preferred::DEFAULT.compression,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_openssh_reads_them() {
        let default = ["a", "b-sha1", "c"];
        assert_eq!(chosen(None, &default), ["a", "b-sha1", "c"]);
        assert_eq!(chosen(Some("x,c"), &default), ["x", "c"]);
        assert_eq!(chosen(Some("+x,a"), &default), ["a", "b-sha1", "c", "x"]);
        assert_eq!(chosen(Some("-*sha1,c"), &default), ["a"]);
        assert_eq!(chosen(Some("^c,x"), &default), ["c", "x", "a", "b-sha1"]);
    }
}
