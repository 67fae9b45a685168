//! One native connection: from a stream to an authenticated session, and channels on it.
//!
//! A connection refuses more than [`ROOMS`] sessions at once (`MaxSessions`); who comes then waits. Channels to
//! other hosts, for which this one is the jump host, are not counted by the server and not here.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use russh::client::{self, DisconnectReason, Handle, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure, Disconnect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::agent::Agents;
use super::algorithms;
use super::auth::{self, Denied, Means};
use super::config::HostConfig;
use super::feed::clean;
use super::keys::Keys;
use super::passwords::Passwords;
use super::stream::{Stream, Wire};
use super::trust::{Trust, fingerprint};

/// `MaxSessions` of a server as installed.
const ROOMS: usize = 10;

/// Where a session takes longer to open, the next run's is opened ahead.
const FAR: Duration = Duration::from_millis(20);

/// Twice what a flood needs at 50 ms; memory is taken only by what is on its way.
const WINDOW: u32 = 2 * 1024 * 1024;

/// For a session that nobody waits for.
const AHEAD: Duration = Duration::from_secs(10);

/// Where the configuration does not say: the dead are noticed within a minute.
const ALIVE: (u64, u32) = (15, 3);

/// What went wrong on the way to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Silent or not there: the device is offline if it stays so.
    Offline { why: String, again: Again },
    /// The server hung up before we were in: it is busy (`MaxStartups`), or worse if it stays so.
    HungUp(String),
    /// It was reached, and it or we said no. Never tried again.
    Refused(String),
}

/// Is another try worth it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Yes,
    No,
}

/// How a session came about, for `doctor`.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub ident: String,
    pub host_key: String,
    pub kex: String,
    pub cipher: String,
    pub authenticated: String,
    pub address: Option<IpAddr>,
}

#[derive(Default)]
struct Noted {
    refusal: Option<String>,
    ended: Option<String>,
    facts: Facts,
}

/// What russh tells us; it judges host keys and notes why things ended.
pub struct Client {
    host: Arc<HostConfig>,
    trust: Arc<Trust>,
    noted: Arc<Mutex<Noted>>,
}

impl Client {
    fn note(&self, with: impl FnOnce(&mut Noted)) {
        with(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = shown.public_key();
        let text = format!("{} {}", key.algorithm().as_str(), fingerprint(&key));
        self.note(|noted| noted.facts.host_key = text);
        match self.trust.judge(&self.host, shown).await {
            Ok(()) => Ok(true),
            Err(why) => {
                self.note(|noted| noted.refusal = Some(why));
                Ok(false)
            }
        }
    }

    async fn kex_done(
        &mut self,
        _secret: Option<&[u8]>,
        names: &russh::Names,
        _session: &mut client::Session,
    ) -> Result<(), Self::Error> {
        self.note(|noted| {
            names.kex.as_ref().clone_into(&mut noted.facts.kex);
            names.cipher.as_ref().clone_into(&mut noted.facts.cipher);
        });
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.note(|noted| noted.ended = Some(format!("the server says: {}", clean(&info.message))));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                let text = match &error {
                    russh::Error::KeepaliveTimeout => "it stopped answering".to_owned(),
                    russh::Error::Disconnect | russh::Error::HUP => "the server closed the connection".to_owned(),
                    russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        "the server closed the connection".to_owned()
                    }
                    other => other.to_string(),
                };
                self.note(|noted| noted.ended = Some(text));
                Err(error)
            }
        }
    }
}

/// What a session needs to come about.
pub struct Terms {
    pub host: Arc<HostConfig>,
    pub trust: Arc<Trust>,
    pub keys: Arc<Keys>,
    pub agents: Agents,
    pub passwords: Arc<Passwords>,
}

/// An authenticated connection.
pub struct Connection {
    handle: Handle<Client>,
    wire: Arc<Wire>,
    noted: Arc<Mutex<Noted>>,
    rooms: Arc<Semaphore>,
    /// Session channels open now.
    open: Arc<AtomicUsize>,
    /// The login shell runs the launcher as it is; learned from the first run.
    pub posix: OnceLock<bool>,
    /// Opened ahead: the server has done nothing for it yet but to count it.
    spare: Mutex<Option<Session>>,
    /// The shortest time that a session took to open.
    opening: Mutex<Duration>,
    last_used: Mutex<Instant>,
    /// Held for as long as we go through it.
    _under: Option<Arc<Connection>>,
}

/// A session channel and its place among the server's.
pub struct Session {
    pub channel: Channel<Msg>,
    pub room: Room,
    /// It was opened ahead; the server may have closed it since.
    pub waited: bool,
}

/// A place among the server's sessions; given back when dropped.
pub struct Room {
    _permit: OwnedSemaphorePermit,
    open: Arc<AtomicUsize>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why there is no session channel.
#[derive(Debug)]
pub enum NoSession {
    /// The connection is dead: nothing was sent.
    Dead(String),
    /// The server does not open one.
    Refused(String),
}

impl Connection {
    /// The handshake and the proof of identity.
    pub async fn establish(
        terms: &Terms,
        stream: Stream,
        wire: Arc<Wire>,
        address: Option<IpAddr>,
        under: Option<Arc<Connection>>,
    ) -> Result<Self, Fault> {
        let host = &terms.host;
        let (known, authority) = {
            let (name, port) = host.known_as();
            let known = terms.trust.known(host);
            (known.algorithms(name, port), known.has_authority(name, port))
        };
        let preferred = algorithms::preferred(host, &known, authority)
            .map_err(|what| Fault::Refused(format!("{}: nothing of {what} is known here", host.alias)))?;
        let config = Arc::new(client::Config {
            client_id: russh::SshId::Standard(concat!("SSH-2.0-Quarterdeck_", env!("CARGO_PKG_VERSION")).into()),
            window_size: WINDOW,
            maximum_packet_size: 64 * 1024 - 1,
            channel_buffer_size: 64,
            preferred,
            keepalive_interval: Some(Duration::from_secs(match host.server_alive_interval {
                0 => ALIVE.0,
                seconds => seconds,
            })),
            keepalive_max: match host.server_alive_interval {
                0 => ALIVE.1 as usize,
                _ => host.server_alive_count_max.max(1) as usize,
            },
            nodelay: true,
            ..client::Config::default()
        });
        let noted = Arc::new(Mutex::new(Noted::default()));
        let handler = Client { host: Arc::clone(host), trust: Arc::clone(&terms.trust), noted: Arc::clone(&noted) };
        let mut handle = match client::connect_stream(config, stream, handler).await {
            Ok(handle) => handle,
            Err(error) => return Err(no_handshake(host, &error, &wire, &noted)),
        };
        let means = Means { keys: &terms.keys, agents: &terms.agents, passwords: &terms.passwords };
        let how = auth::prove(&mut handle, host, &means).await.map_err(|denied| match denied {
            Denied::Refused(why) => Fault::Refused(why),
            Denied::HungUp => Fault::HungUp(format!(
                "{} hung up before it had let us in{}",
                host.alias,
                ended(&noted).map(|why| format!(" ({why})")).unwrap_or_default()
            )),
        })?;
        {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.facts.authenticated = how;
            noted.facts.address = address;
            noted.facts.ident = clean(&wire.ident().unwrap_or_default());
        }
        Ok(Self {
            handle,
            wire,
            noted,
            rooms: Arc::new(Semaphore::new(ROOMS)),
            open: Arc::default(),
            posix: OnceLock::new(),
            spare: Mutex::default(),
            opening: Mutex::new(Duration::MAX),
            last_used: Mutex::new(Instant::now()),
            _under: under,
        })
    }

    pub fn facts(&self) -> Facts {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).facts.clone()
    }

    pub fn is_windows(&self) -> bool {
        self.wire.ident().is_some_and(|ident| ident.contains("Windows"))
    }

    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Why it ended, if it has.
    pub fn ended(&self) -> Option<String> {
        ended(&self.noted)
    }

    pub fn used_now(&self) {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub fn unused_for(&self) -> Duration {
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// The first output has come: acknowledgements need not hurry any more.
    pub fn settle(&self) {
        self.wire.settle();
    }

    /// Waits for its turn among the server's sessions, then for the server, `patience` at most.
    pub async fn session(&self, patience: Duration) -> Result<Session, NoSession> {
        if let Some(spare) = self.spare() {
            return Ok(spare);
        }
        let permit = Arc::clone(&self.rooms)
            .acquire_owned()
            .await
            .map_err(|_| NoSession::Dead("the connection is being closed".to_owned()))?;
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = Instant::now();
            let opened = tokio::time::timeout(patience, self.handle.channel_open_session()).await;
            match opened {
                Ok(Ok(channel)) => {
                    let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
                    *opening = asked.elapsed().min(*opening);
                    self.open.fetch_add(1, Ordering::AcqRel);
                    let room = Room { _permit: permit, open: Arc::clone(&self.open) };
                    return Ok(Session { channel, room, waited: false });
                }
                Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                    if let Some(spare) = self.spare() {
                        return Ok(spare);
                    }
                    // Fewer rooms than we think: wait for one of ours to come free.
                    let busy = self.open.load(Ordering::Acquire) > 0;
                    if tries >= 8 && !busy {
                        return Err(NoSession::Refused(refusal(&reason)));
                    }
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(50..150) * tries.min(8))).await;
                }
                Ok(Err(error)) => {
                    return Err(NoSession::Dead(self.ended().unwrap_or_else(|| error.to_string())));
                }
                Err(_) => return Err(NoSession::Dead("it stopped answering".to_owned())),
            }
        }
    }

    /// The session that was opened ahead, if the server has left it open.
    fn spare(&self) -> Option<Session> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        spare.channel.wait().now_or_never().is_none().then_some(spare)
    }

    /// Opens the next run's session now, where the way is long: it saves that run a round trip.
    pub fn open_ahead(self: &Arc<Self>) {
        let near = *self.opening.lock().unwrap_or_else(PoisonError::into_inner) < FAR;
        if near || self.spare.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(permit) = Arc::clone(&connection.rooms).try_acquire_owned() else { return };
            let opening = connection.handle.channel_open_session();
            if let Ok(Ok(channel)) = tokio::time::timeout(AHEAD, opening).await {
                connection.open.fetch_add(1, Ordering::AcqRel);
                let room = Room { _permit: permit, open: Arc::clone(&connection.open) };
                let spare = Session { channel, room, waited: true };
                let second = connection.spare.lock().unwrap_or_else(PoisonError::into_inner).replace(spare);
                if let Some(second) = second {
                    let _ = second.channel.close().await;
                }
            }
        });
    }

    /// A way on to another server.
    pub async fn onward(&self, host: &str, port: u16) -> Result<Channel<Msg>, Fault> {
        self.used_now();
        match self.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0).await {
            Ok(channel) => Ok(channel),
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited)) => {
                Err(Fault::Refused(format!("the jump host does not forward to {host}:{port} (AllowTcpForwarding)")))
            }
            Err(russh::Error::ChannelOpenFailure(reason)) => Err(Fault::Offline {
                why: format!("the jump host does not reach {host}:{port} ({})", refusal(&reason)),
                again: Again::Yes,
            }),
            Err(error) => Err(Fault::HungUp(self.ended().unwrap_or_else(|| error.to_string()))),
        }
    }

    /// Says good-bye; channels still open end with it.
    pub async fn close(&self) {
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
    }
}

fn ended(noted: &Mutex<Noted>) -> Option<String> {
    noted.lock().unwrap_or_else(PoisonError::into_inner).ended.clone()
}

fn refusal(reason: &ChannelOpenFailure) -> String {
    match reason {
        ChannelOpenFailure::AdministrativelyProhibited => "administratively prohibited".to_owned(),
        ChannelOpenFailure::ConnectFailed => "connect failed".to_owned(),
        ChannelOpenFailure::UnknownChannelType => "unknown channel type".to_owned(),
        ChannelOpenFailure::ResourceShortage => "resource shortage".to_owned(),
        ChannelOpenFailure::Other { code, reason } => format!("{reason} ({code})"),
    }
}

fn no_handshake(host: &HostConfig, error: &russh::Error, wire: &Wire, noted: &Mutex<Noted>) -> Fault {
    if let Some(why) = noted.lock().unwrap_or_else(PoisonError::into_inner).refusal.take() {
        return Fault::Refused(why);
    }
    match error {
        russh::Error::NoCommonAlgo { kind, ours, theirs } => Fault::Refused(format!(
            "{} and this client have no {kind:?} algorithm in common: ours {}, its {}",
            host.alias,
            ours.join(","),
            theirs.join(",")
        )),
        russh::Error::Version => Fault::Refused(format!(
            "{}:{} does not speak SSH: it says {:?}",
            host.host_name,
            host.port,
            wire.greeting().lines().next().unwrap_or_default()
        )),
        russh::Error::WrongServerSig | russh::Error::Kex | russh::Error::PacketAuth => {
            Fault::Refused(format!("the key exchange with {} failed: {error}", host.alias))
        }
        other => {
            let greeting = wire.greeting();
            let said = greeting.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("SSH-"));
            let when = if wire.ident().is_some() { "in the key exchange" } else { "before its greeting" };
            Fault::HungUp(match said {
                Some(said) => format!("{} hung up {when}, saying {said:?}", host.alias),
                None => format!("{} hung up {when} ({other})", host.alias),
            })
        }
    }
}
