//! TLS towards servers: this machine's certificates of authority, and those that a connection names besides. One
//! provider of cryptography, named here and nowhere installed.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

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
