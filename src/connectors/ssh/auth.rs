//! Proving who we are: certificates, agent keys and key files in OpenSSH's order, each offered once.
//!
//! A server ends the connection after `MaxAuthTries` offers and newer ones ban a source that fails again and
//! again (contracts/ssh.md, 6): so at most six keys are offered, and nothing here is ever retried.

use std::path::PathBuf;
use std::sync::Arc;

use russh::MethodSet;
use russh::client::{AuthResult, Handle, Handler};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_encoding::Encode;
use russh::keys::{Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use tokio::net::UnixStream;

use super::config::{HostConfig, IdentityAgent};
use super::keys::{KeyFile, Keys, certificate_beside};

/// `MaxAuthTries`.
const OFFERS: usize = 6;

/// Why we are not in.
#[derive(Debug)]
pub enum Denied {
    /// The server said no, or nothing can be offered: for a person.
    Refused(String),
    /// It hung up meanwhile.
    HungUp,
}

/// One thing to offer.
enum Offer {
    Key(Arc<PrivateKey>),
    Certified(Arc<PrivateKey>, Certificate),
    Agent(AgentIdentity),
    /// A certificate file for a key in the agent.
    CertifiedByAgent(Certificate),
}

struct Named {
    offer: Offer,
    /// For the operator: where it comes from.
    name: String,
}

/// What there is to offer, and what could not be.
#[derive(Default)]
struct Offers {
    list: Vec<Named>,
    locked: Vec<PathBuf>,
    notes: Vec<String>,
}

type Agent = AgentClient<UnixStream>;

/// The agent's socket that this host's configuration asks for.
pub fn agent_socket(host: &HostConfig, env: Option<&PathBuf>) -> Option<PathBuf> {
    match &host.identity_agent {
        IdentityAgent::Env => env.cloned(),
        IdentityAgent::None => None,
        IdentityAgent::Path(path) => Some(path.clone()),
    }
}

/// Which keys an agent holds; none when it does not answer.
pub async fn agent_keys(socket: &PathBuf) -> Vec<PublicKey> {
    let Ok(mut agent) = Agent::connect_uds(socket).await else { return Vec::new() };
    let identities = agent.request_identities().await.unwrap_or_default();
    identities.into_iter().map(|identity| identity.public_key().into_owned()).collect()
}

/// Signs for a certificate with a key of our own: the library leaves RSA's hash open.
struct Own(Arc<PrivateKey>);

impl russh::Signer for Own {
    type Error = russh::AgentAuthError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        use russh::keys::signature::Signer as _;
        let failed = |_| russh::keys::Error::InvalidSignature;
        let signature = match self.0.key_data() {
            russh::keys::ssh_key::private::KeypairData::Rsa(pair) => (pair, hash).try_sign(&to_sign).map_err(failed)?,
            _ => self.0.try_sign(&to_sign).map_err(failed)?,
        };
        signature.encode_prefixed(&mut to_sign).map_err(russh::keys::Error::from)?;
        Ok(to_sign)
    }
}

/// `Ok`: how it was done.
pub async fn prove<H: Handler>(
    handle: &mut Handle<H>,
    host: &HostConfig,
    keys: &Keys,
    env_agent: Option<&PathBuf>,
) -> Result<String, Denied> {
    let mut offers = Offers::default();
    let mut agent = connect_agent(handle, host, env_agent, &mut offers).await;
    let identities = match &mut agent {
        Some(agent) => match agent.request_identities().await {
            Ok(identities) => identities,
            Err(error) => {
                offers.notes.push(format!("the agent did not list its keys: {error}"));
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    collect(&mut offers, host, keys, &identities);
    let mut rsa_hash = None;
    let mut tried = Vec::new();
    let mut methods = MethodSet::empty();
    for named in offers.list.iter().take(OFFERS) {
        let hash = if named.offer.is_rsa() {
            if rsa_hash.is_none() {
                // `None`: the server did not say; every one since 2016 takes SHA-512.
                let best = handle.best_supported_rsa_hash().await.map_err(|_| Denied::HungUp)?;
                rsa_hash = Some(best.unwrap_or(Some(HashAlg::Sha512)));
            }
            rsa_hash.flatten()
        } else {
            None
        };
        tried.push(named.name.clone());
        match offer(handle, &host.user, &named.offer, hash, agent.as_mut()).await {
            Ok(AuthResult::Success) => return Ok(named.name.clone()),
            Ok(AuthResult::Failure { remaining_methods, .. }) => {
                if handle.is_closed() && remaining_methods == MethodSet::empty() {
                    return Err(Denied::HungUp);
                }
                methods = remaining_methods;
            }
            Err(note) if handle.is_closed() => {
                tracing::debug!(host = host.alias, note, "hung up while proving");
                return Err(Denied::HungUp);
            }
            Err(note) => offers.notes.push(format!("{}: {note}", named.name)),
        }
    }
    Err(Denied::Refused(why_not(host, &offers, &tried, &methods)))
}

async fn connect_agent<H: Handler>(
    handle: &Handle<H>,
    host: &HostConfig,
    env_agent: Option<&PathBuf>,
    offers: &mut Offers,
) -> Option<Agent> {
    let socket = agent_socket(host, env_agent)?;
    match Agent::connect_uds(&socket).await {
        Ok(mut agent) => {
            // Keys restricted to destinations show only to a bound connection; agents before 8.9 know no binding.
            if let Some(binding) = handle.agent_session_binding() {
                let _ = agent.bind_session(binding, false).await;
            }
            Some(agent)
        }
        Err(error) => {
            offers.notes.push(format!("the agent at {} does not answer: {error}", socket.display()));
            None
        }
    }
}

impl Offer {
    fn is_rsa(&self) -> bool {
        match self {
            Offer::Key(key) | Offer::Certified(key, _) => key.algorithm().is_rsa(),
            Offer::Agent(identity) => identity.public_key().algorithm().is_rsa(),
            Offer::CertifiedByAgent(certificate) => certificate.algorithm().is_rsa(),
        }
    }
}

async fn offer<H: Handler>(
    handle: &mut Handle<H>,
    user: &str,
    offer: &Offer,
    hash: Option<HashAlg>,
    agent: Option<&mut Agent>,
) -> Result<AuthResult, String> {
    let said = |error: russh::Error| error.to_string();
    match (offer, agent) {
        (Offer::Key(key), _) => {
            handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::clone(key), hash)).await.map_err(said)
        }
        (Offer::Certified(key, certificate), _) => handle
            .authenticate_certificate_with(user, certificate.clone(), hash, &mut Own(Arc::clone(key)))
            .await
            .map_err(|error| error.to_string()),
        (Offer::Agent(AgentIdentity::PublicKey { key, .. }), Some(agent)) => handle
            .authenticate_publickey_with(user, key.clone(), hash, agent)
            .await
            .map_err(|error| format!("the agent did not sign: {error}")),
        (
            Offer::Agent(AgentIdentity::Certificate { certificate, .. }) | Offer::CertifiedByAgent(certificate),
            Some(agent),
        ) => handle
            .authenticate_certificate_with(user, certificate.clone(), hash, agent)
            .await
            .map_err(|error| format!("the agent did not sign: {error}")),
        (_, None) => Err("the agent is gone".to_owned()),
    }
}

/// OpenSSH's order: certificates, then agent keys that the configuration names, other agent keys (unless
/// `IdentitiesOnly`), then key files.
fn collect(offers: &mut Offers, host: &HostConfig, keys: &Keys, agent: &[AgentIdentity]) {
    // A few looks at file dates; a key file is read once, and a passphrase is never tried here.
    let files: Vec<_> = host.identity_files.iter().map(|path| (keys.get(path), path)).collect();
    let beside = host.identity_files.iter().map(|path| certificate_beside(path)).filter(|path| path.exists());
    let certificates = host.certificate_files.iter().cloned().chain(beside);
    let in_agent = |public: &PublicKey| {
        agent.iter().find(
            |identity| matches!(identity, AgentIdentity::PublicKey { key, .. } if key.key_data() == public.key_data()),
        )
    };
    for path in certificates {
        let certificate = match Keys::certificate(&path) {
            Ok(certificate) => certificate,
            Err(note) => {
                offers.notes.push(note);
                continue;
            }
        };
        let own = files.iter().find_map(|(file, _)| match file {
            KeyFile::Ready(key) if key.public_key().key_data() == certificate.public_key() => Some(Arc::clone(key)),
            _ => None,
        });
        let public = PublicKey::new(certificate.public_key().clone(), "");
        let name = format!("certificate {}", path.display());
        if let Some(key) = own {
            offers.list.push(Named { offer: Offer::Certified(key, certificate), name });
        } else if in_agent(&public).is_some() {
            offers.list.push(Named { offer: Offer::CertifiedByAgent(certificate), name });
        } else {
            offers.notes.push(format!("{}: its private key is neither in a file nor in the agent", path.display()));
        }
    }
    let mut from_agent: Vec<&AgentIdentity> = Vec::new();
    for (file, _) in &files {
        if let Some(identity) = file.public().and_then(in_agent)
            && !from_agent.iter().any(|taken| std::ptr::eq(*taken, identity))
        {
            from_agent.push(identity);
        }
    }
    if !host.identities_only {
        for identity in agent {
            if !from_agent.iter().any(|taken| std::ptr::eq(*taken, identity)) {
                from_agent.push(identity);
            }
        }
    }
    for identity in &from_agent {
        let comment = identity.comment();
        offers.list.push(Named { name: format!("agent key {comment}"), offer: Offer::Agent((*identity).clone()) });
    }
    for (file, path) in files {
        if file.public().and_then(in_agent).is_some() {
            continue;
        }
        match file {
            KeyFile::Ready(key) => {
                offers.list.push(Named { offer: Offer::Key(key), name: format!("key {}", path.display()) });
            }
            KeyFile::Locked(_) => offers.locked.push(path.clone()),
            KeyFile::Broken(note) => offers.notes.push(note),
            KeyFile::Missing if host.explicit_identities => {
                offers.notes.push(format!("{} is not there", path.display()));
            }
            KeyFile::Missing | KeyFile::Public(_) => {}
        }
    }
}

fn why_not(host: &HostConfig, offers: &Offers, tried: &[String], methods: &MethodSet) -> String {
    let mut text = if tried.is_empty() {
        format!("there is no key to offer to {} as {}", host.alias, host.user)
    } else {
        format!("{} refuses {} with {}", host.alias, host.user, tried.join(", "))
    };
    if offers.list.len() > OFFERS {
        text.push_str(&format!(
            "; {} more were not offered: a server ends the connection after {OFFERS} (IdentitiesOnly and IdentityFile choose)",
            offers.list.len() - OFFERS
        ));
    }
    for path in &offers.locked {
        text.push_str(&format!("; {} is encrypted and was not unlocked", path.display()));
    }
    for note in &offers.notes {
        text.push_str("; ");
        text.push_str(note);
    }
    let accepts: Vec<&str> = methods.iter().map(Into::into).collect();
    if !accepts.is_empty() && !accepts.contains(&"publickey") {
        text.push_str(&format!("; the server takes {} only", accepts.join(", ")));
    }
    text
}
