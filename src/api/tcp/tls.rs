//! The door's certificate: read from its files, and read again when they have changed. What cannot be used is said and
//! left alone: the one before goes on.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::engine::Engine;
use crate::model::listen::Pair;
use crate::model::wire::Event;

/// The files are looked at again after this time, when somebody comes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How the files looked: when they were changed, and how long they were.
type Mark = [Option<(SystemTime, u64)>; 2];

pub struct Tls {
    pair: Pair,
    now: Mutex<Now>,
}

struct Now {
    config: Arc<ServerConfig>,
    mark: Mark,
    looked: Instant,
}

impl Tls {
    /// # Errors
    /// Why they cannot be used, with the file's name.
    pub fn read(pair: Pair) -> Result<Self, String> {
        let mark = mark(&pair);
        let now = Mutex::new(Now { config: config(&pair)?, mark, looked: Instant::now() });
        Ok(Self { pair, now })
    }

    pub async fn accept(self: &Arc<Self>, stream: TcpStream, engine: &Engine) -> io::Result<TlsStream<TcpStream>> {
        let config = self.current(engine).await;
        TlsAcceptor::from(config).accept(stream).await
    }

    async fn current(self: &Arc<Self>, engine: &Engine) -> Arc<ServerConfig> {
        {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            if now.looked.elapsed() < LOOK_EVERY {
                return Arc::clone(&now.config);
            }
            now.looked = Instant::now();
        }
        let tls = Arc::clone(self);
        match tokio::task::spawn_blocking(move || tls.look()).await {
            Ok(None) => {}
            Ok(Some(Ok(()))) => tracing::info!(certificate = %self.pair.certificate.display(), "a new certificate"),
            Ok(Some(Err(why))) => {
                tracing::warn!(why, "a new certificate");
                let text =
                    format!("the new certificate of the network door is not used: {why}; the one before goes on");
                engine.events.publish(&Event::Notice { text });
            }
            Err(error) => tracing::warn!(%error, "a new certificate"),
        }
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// `None`: the files are those that were read.
    fn look(&self) -> Option<Result<(), String>> {
        let seen = mark(&self.pair);
        if self.now.lock().unwrap_or_else(PoisonError::into_inner).mark == seen {
            return None;
        }
        let read = config(&self.pair);
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.mark = seen;
        Some(read.map(|config| now.config = config))
    }
}

fn mark(pair: &Pair) -> Mark {
    [&pair.certificate, &pair.key].map(|path| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    })
}

fn config(pair: &Pair) -> Result<Arc<ServerConfig>, String> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(&pair.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&pair.certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(&pair.certificate, &"no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&pair.key).map_err(|error| wrong(&pair.key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| {
            format!("{} and {} do not go together: {error}", pair.certificate.display(), pair.key.display())
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> Pair {
        let own = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let pair = Pair { certificate: folder.join("c.pem"), key: folder.join("k.pem") };
        std::fs::write(&pair.certificate, own.cert.pem()).unwrap();
        std::fs::write(&pair.key, own.signing_key.serialize_pem()).unwrap();
        pair
    }

    #[test]
    fn a_new_pair_is_taken_and_a_bad_one_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let pair = write(folder.path(), "a.example");
        let tls = Tls::read(pair.clone()).unwrap();
        assert_eq!(tls.look(), None);
        let first = Arc::clone(&tls.now.lock().unwrap().config);
        let now = || Arc::clone(&tls.now.lock().unwrap().config);

        std::fs::write(&pair.certificate, "half a certif").unwrap();
        assert!(tls.look().unwrap().unwrap_err().contains("c.pem: no certificate in it"));
        assert!(Arc::ptr_eq(&first, &now()));
        assert_eq!(tls.look(), None, "said once");

        write(folder.path(), "a-much-longer-name.example");
        assert_eq!(tls.look(), Some(Ok(())));
        assert!(!Arc::ptr_eq(&first, &now()));

        let other = tempfile::tempdir().unwrap();
        std::fs::copy(write(other.path(), "another-name.example").key, &pair.key).unwrap();
        // (keys of this kind have one length: the time of the change may be the same, to the tick of a coarse clock)
        tls.now.lock().unwrap().mark = Mark::default();
        assert!(tls.look().unwrap().unwrap_err().contains("do not go together"));
        std::fs::remove_file(&pair.key).unwrap();
        assert!(tls.look().unwrap().unwrap_err().contains("k.pem: "));
    }
}
