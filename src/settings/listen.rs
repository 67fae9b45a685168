//! `[listen]` and `serve --listen`: the door on the network. One that is half right is not opened: a certificate that
//! was meant and is not named must not become plain HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::env::absolute;
use super::layers;
use super::units;
use crate::model::listen::{Listen, Pair};

const PATIENCE: Duration = Duration::from_secs(30);

/// A hundred requests a second: a script that goes wild is stopped, one that polls is not.
const RATE: u32 = 6_000;

const CONNECTIONS: u32 = 512;

/// What the flags say over the file. Paths are absolute already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub address: Option<String>,
    pub certificate: Option<std::path::PathBuf>,
    pub key: Option<std::path::PathBuf>,
}

/// `Ok(None)`: nobody asked. `Err`: one sentence.
pub fn read(file: &layers::Listen, asked: &Asked, base: &Path, home: &Path) -> Result<Option<Listen>, String> {
    let place = |text: &String| absolute(text, base, home);
    let certificate = asked.certificate.clone().or_else(|| file.tls_cert.as_ref().map(place));
    let key = asked.key.clone().or_else(|| file.tls_key.as_ref().map(place));
    let shut = "nothing listens on the network";
    let Some(text) = asked.address.as_ref().or(file.address.as_ref()) else {
        return match (certificate, key) {
            (None, None) => Ok(None),
            _ => Err(format!("a certificate without an address: say `address` in [listen], or --listen; {shut}")),
        };
    };
    let address = address(text).map_err(|why| format!("listen on {text:?}: {why}; {shut}"))?;
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Pair { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(format!("a certificate needs its key: `tls_key` in [listen], or --tls-key; {shut}"));
        }
        (None, Some(_)) => {
            return Err(format!("a key needs its certificate: `tls_cert` in [listen], or --tls-cert; {shut}"));
        }
    };
    if tls.is_none() && !address.ip().is_loopback() {
        return Err(format!(
            "{address} can be reached from elsewhere, and keys would cross the network in clear: name a certificate and \
             its key (`tls_cert`, `tls_key`; --tls-cert, --tls-key), or listen on 127.0.0.1 behind a proxy that does \
             TLS; {shut}"
        ));
    }
    Ok(Some(Listen {
        address,
        tls,
        patience: file.patience.as_deref().and_then(units::duration).unwrap_or(PATIENCE),
        rate: file.rate.unwrap_or(RATE),
        connections: file.connections.unwrap_or(CONNECTIONS),
    }))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .ok_or_else(|| "expected ADDRESS:PORT such as 127.0.0.1:7443, 0.0.0.0:7443 or [::]:7443".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Overrides, Settings, read};
    use super::*;

    fn settings(text: &str, asked: Asked) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, text).unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        read(&env, "", &Overrides { listen: asked, ..Overrides::default() })
    }

    #[test]
    fn a_door_is_read_whole() {
        let read = settings(
            "[listen]\naddress = \"[::]:7443\"\ntls_cert = \"~/c.pem\"\ntls_key = \"/k.pem\"\npatience = \"5s\"\n\
             rate = 60\nconnections = 9\n",
            Asked::default(),
        );
        assert_eq!(read.problems, Vec::<String>::new());
        let expected = Listen {
            address: "[::]:7443".parse().unwrap(),
            tls: Some(Pair { certificate: "/home/ops/c.pem".into(), key: "/k.pem".into() }),
            patience: Duration::from_secs(5),
            rate: 60,
            connections: 9,
        };
        assert_eq!(read.listen, Some(expected));
        assert_eq!(settings("", Asked::default()).listen, None);
    }

    #[test]
    fn the_flag_wins_over_the_file() {
        let asked = Asked { address: Some("localhost:0".into()), ..Asked::default() };
        let read = settings("[listen]\naddress = \"127.0.0.1:7443\"\n", asked);
        assert_eq!(read.listen.unwrap().address, "127.0.0.1:0".parse().unwrap());
    }

    #[test]
    fn what_is_half_right_is_not_opened_and_the_way_out_is_said() {
        for (text, said) in [
            ("address = \"0.0.0.0:80\"", "name a certificate and its key"),
            ("address = \"192.0.2.7:80\"", "name a certificate and its key"),
            ("address = \"[::]:80\"", "name a certificate and its key"),
            ("address = \"bastion:80\"", "expected ADDRESS:PORT"),
            ("address = \"127.0.0.1\"", "expected ADDRESS:PORT"),
            ("address = \"127.0.0.1:80\"\ntls_cert = \"c\"", "a certificate needs its key"),
            ("address = \"127.0.0.1:80\"\ntls_key = \"k\"", "a key needs its certificate"),
            ("tls_key = \"k\"\ntls_cert = \"c\"", "a certificate without an address"),
            ("address = \"127.0.0.1:80\"\nrates = 1", "did you mean `rate`?"),
        ] {
            let read = settings(&format!("[listen]\n{text}\n"), Asked::default());
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(read.problems[0].contains(said), "{text}: {:?}", read.problems);
            assert_eq!(read.listen.is_some(), text.contains("rates"), "{text}");
        }
    }
}
