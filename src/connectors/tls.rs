//! TLS towards servers: this machine's certificates of authority, and those that a connection names besides. One
//! provider of cryptography, named here and nowhere installed.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore, crypto::ring};

/// Whom this machine trusts; read once, for it takes some milliseconds.
fn system() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a certificate of authority of this machine");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots
    })
}

/// For HTTP without TLS: nobody is trusted, and nothing is read.
pub fn none() -> ClientConfig {
    with(RootCertStore::empty())
}

/// Trusts whom this machine trusts, and the authorities in `ca_file`. `Err`: they cannot be used, with the reason.
pub fn trusting(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = system().clone();
    if let Some(path) = ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let found = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
        let mut none = true;
        for certificate in found {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
            none = false;
        }
        if none {
            return Err(wrong(&"no certificate in it"));
        }
    }
    Ok(with(roots))
}

/// What a failed request says of the other end's certificate, and what to do. `None`: it failed for another reason.
pub fn says(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(found));
    }
    // an error of input and output shows the one inside it, and does not name it as its cause
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => says(inside),
        None => error.source().and_then(says),
    }
}

fn of_tls(error: &rustls::Error) -> String {
    use CertificateError as Not;
    match error {
        rustls::Error::InvalidCertificate(Not::UnknownIssuer) => {
            "nobody whom this machine trusts has signed its certificate: write the file of who did as `ca_file`".into()
        }
        rustls::Error::InvalidCertificate(Not::Expired | Not::ExpiredContext { .. }) => {
            "its certificate has expired".into()
        }
        rustls::Error::InvalidCertificate(Not::NotValidForName | Not::NotValidForNameContext { .. }) => {
            "its certificate is for another name than the address has".into()
        }
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS: is the address http://?".into(),
        other => other.to_string(),
    }
}

fn with(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_read_from_its_file_or_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let own = rcgen::generate_simple_self_signed(vec!["mdm.example".to_owned()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        assert!(trusting(Some(&path)).is_ok());
        std::fs::write(&path, "not a certificate\n").unwrap();
        let told = trusting(Some(&path)).unwrap_err();
        assert!(told.contains("ca.pem: no certificate in it"), "{told}");
        std::fs::remove_file(&path).unwrap();
        assert!(trusting(Some(&path)).unwrap_err().contains("ca.pem: "));
    }
}
