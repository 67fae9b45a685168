//! Proving who we are: certificates, agent keys and key files in OpenSSH's order, each offered once; then, where the
//! server takes it, the password that was asked for beforehand.
//!
//! A server ends the connection after `MaxAuthTries` offers and newer ones ban a source that fails again and
//! again (contracts/ssh.md, 6): so at most six keys are offered, and nothing here is ever retried.

use std::path::PathBuf;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, Handler, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_encoding::Encode;
use russh::keys::{Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::agent::{Agent, Agents};
use super::config::HostConfig;
use super::feed::clean;
use super::keys::{KeyFile, Keys, certificate_beside};
use super::passwords::{Passwords, Tried};
use crate::model::secret::Secret;

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

/// What there is to prove it with.
pub struct Means<'a> {
    pub keys: &'a Keys,
    pub agents: &'a Agents,
    pub passwords: &'a Passwords,
}

/// `Ok`: how it was done.
pub async fn prove<H: Handler>(handle: &mut Handle<H>, host: &HostConfig, means: &Means<'_>) -> Result<String, Denied> {
    let mut offers = Offers::default();
    let (tried, methods) = match by_key(handle, host, means, &mut offers).await? {
        ByKey::In(name) => return Ok(name),
        ByKey::Not { tried, methods } => (tried, methods),
    };
    if host.password_methods().any(|method| methods.contains(&method)) {
        match by_password(handle, host, means.passwords, &methods).await {
            Ok(name) => return Ok(name),
            Err(_) if handle.is_closed() => return Err(Denied::HungUp),
            Err(note) => offers.notes.push(note),
        }
    }
    Err(Denied::Refused(why_not(host, &offers, &tried, &methods)))
}

/// How far keys got.
enum ByKey {
    In(String),
    /// What was offered, and what the server takes now.
    Not {
        tried: Vec<String>,
        methods: MethodSet,
    },
}

async fn by_key<H: Handler>(
    handle: &mut Handle<H>,
    host: &HostConfig,
    means: &Means<'_>,
    offers: &mut Offers,
) -> Result<ByKey, Denied> {
    let mut agent = None;
    if host.publickey {
        agent = connect_agent(handle, host, means.agents, offers).await;
    }
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
    if host.publickey {
        collect(offers, host, means.keys, &identities);
    }
    if offers.list.is_empty() {
        // Nothing to offer: what the server would take is asked by offering nothing.
        return match handle.authenticate_none(&host.user).await {
            Ok(AuthResult::Success) => Ok(ByKey::In("nothing: the server asks for no proof".to_owned())),
            Ok(AuthResult::Failure { remaining_methods, .. }) if !handle.is_closed() => {
                Ok(ByKey::Not { tried: Vec::new(), methods: remaining_methods })
            }
            _ => Err(Denied::HungUp),
        };
    }
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
            Ok(AuthResult::Success) => return Ok(ByKey::In(named.name.clone())),
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                if handle.is_closed() && remaining_methods == MethodSet::empty() {
                    return Err(Denied::HungUp);
                }
                methods = remaining_methods;
                if partial_success {
                    offers.notes.push(format!("{} was taken, and more is asked for", named.name));
                    break;
                }
            }
            Err(note) if handle.is_closed() => {
                tracing::debug!(host = host.alias, note, "hung up while proving");
                return Err(Denied::HungUp);
            }
            Err(note) => offers.notes.push(format!("{}: {note}", named.name)),
        }
    }
    Ok(ByKey::Not { tried, methods })
}

/// `Err`: why not, for a person.
async fn by_password<H: Handler>(
    handle: &mut Handle<H>,
    host: &HostConfig,
    passwords: &Passwords,
    methods: &MethodSet,
) -> Result<String, String> {
    passwords.wanted_by(&host.alias);
    let plain = host.password && methods.contains(&MethodKind::Password);
    let mut how = "password";
    let mut odd = None;
    let login = async |password: &Secret| {
        if plain {
            return match handle.authenticate_password(&host.user, password.expose()).await {
                Ok(AuthResult::Success) => Tried::In,
                Ok(AuthResult::Failure { partial_success: false, .. }) if !handle.is_closed() => Tried::Refused,
                _ => Tried::Unclear,
            };
        }
        how = "password, keyboard-interactive";
        match by_keyboard(handle, &host.user, password).await {
            Ok(tried) => tried,
            Err(why) => {
                odd = Some(why);
                Tried::Unclear
            }
        }
    };
    match passwords.attempt(&host.user, &host.alias, login).await? {
        Tried::In => Ok(how.to_owned()),
        Tried::Refused => Err(format!("the password of {} is refused: it is asked for again", host.user)),
        Tried::Unclear => Err(odd.unwrap_or_else(|| "a password alone is not enough there".to_owned())),
    }
}

/// Answers the one question that a password answers. `Err`: it asks for something else.
async fn by_keyboard<H: Handler>(handle: &mut Handle<H>, user: &str, password: &Secret) -> Result<Tried, String> {
    use KeyboardInteractiveAuthResponse::{Failure, InfoRequest, Success};
    let mut given = false;
    let mut answer = handle.authenticate_keyboard_interactive_start(user, None).await;
    loop {
        let prompts = match answer {
            Ok(Success) => return Ok(Tried::In),
            Ok(Failure { partial_success: false, .. }) if given && !handle.is_closed() => return Ok(Tried::Refused),
            Ok(Failure { .. }) | Err(_) => return Ok(Tried::Unclear),
            Ok(InfoRequest { prompts, .. }) => prompts,
        };
        let answers = match prompts.as_slice() {
            [] => Vec::new(),
            [one] if !one.echo && !given => {
                given = true;
                vec![password.expose().to_owned()]
            }
            [first, ..] => {
                return Err(format!("it asks for more than a password: {:?}", clean(&first.prompt)));
            }
        };
        answer = handle.authenticate_keyboard_interactive_respond(answers).await;
    }
}

async fn connect_agent<H: Handler>(
    handle: &Handle<H>,
    host: &HostConfig,
    agents: &Agents,
    offers: &mut Offers,
) -> Option<Agent> {
    let mut agent = agents.connect(host, &mut offers.notes).await?;
    // Keys restricted to destinations show only to a bound connection; agents before 8.9 know no binding.
    if let Some(binding) = handle.agent_session_binding() {
        let _ = agent.bind_session(binding, false).await;
    }
    Some(agent)
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
    let mut text = if tried.is_empty() && !host.publickey {
        format!("{} does not let {} in", host.alias, host.user)
    } else if tried.is_empty() {
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
