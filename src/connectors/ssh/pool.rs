//! Connections, made with care and kept for the next run.
//!
//! One connection a device; who wants one that is being made waits for it and shares its fate, so that a dead
//! jump host is found dead once and not 500 times. Tries that may go better the next time are made again here,
//! with jitter, and told; what the server refused never is.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;

use super::agent::Agents;
use super::config::{AddressFamily, HostConfig};
use super::keys::Keys;
use super::limiter::{Limits, Permit, should_take};
use super::passwords::Passwords;
use super::session::{Again, Connection, Fault, Terms};
use super::stream::{Stream, Wire};
use super::trust::Trust;

/// Where the configuration does not say: for a TCP connection to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// For key exchange and authentication together, at least; a loaded server is slow at them.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// A connection that has not come about by then gives its place among the handshakes back: nobody computes for it.
const PROMPT: Duration = Duration::from_millis(500);

/// A server that hangs up has too much to do: so many tries, each after a longer wait.
const HANG_UPS: u32 = 8;

/// A port that is closed may be that of an sshd just restarting.
const REFUSALS: u32 = 3;

/// How a device is reached.
#[derive(Debug)]
pub struct Route {
    pub host: Arc<HostConfig>,
    /// The jump host before it.
    pub via: Option<Arc<Route>>,
}

impl Route {
    /// One connection for each.
    fn key(&self) -> String {
        let host = &self.host;
        let own = format!("{} {}@{}:{}", host.alias, host.user, host.host_name, host.port);
        match &self.via {
            Some(via) => format!("{own} via {}", via.key()),
            None => own,
        }
    }

    /// The first server on the way: it does the work of accepting.
    fn first(&self) -> String {
        match &self.via {
            Some(via) => via.first(),
            None => format!("{}:{}", self.host.host_name, self.host.port),
        }
    }
}

#[derive(Default)]
struct Slot {
    connection: Option<Arc<Connection>>,
    /// When the last try failed, with which agents, and how: for those who were waiting for it.
    failed: Option<(Instant, Agents, Fault)>,
}

/// Told of each try that failed and is made again.
pub type Tell<'a> = &'a mut (dyn FnMut(&str) + Send);

/// The connections of one connector.
pub struct Pool {
    pub trust: Arc<Trust>,
    pub keys: Arc<Keys>,
    pub passwords: Arc<Passwords>,
    pub limits: Limits,
    keep: Duration,
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot>>>>,
    sweeping: AtomicBool,
}

impl Pool {
    pub fn new(trust: Trust, keep: Duration, max_handshakes: usize) -> Self {
        Self {
            trust: Arc::new(trust),
            keys: Arc::default(),
            passwords: Arc::default(),
            limits: Limits::new(max_handshakes),
            keep,
            slots: Mutex::default(),
            sweeping: AtomicBool::new(false),
        }
    }

    fn slot(&self, key: &str) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(key.to_owned()).or_default())
    }

    /// A living connection, kept or new. The flag: it was used before.
    pub fn connection<'a>(
        self: &'a Arc<Self>,
        route: &'a Route,
        agents: &'a Agents,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Result<(Arc<Connection>, bool), Fault>> {
        async move {
            let came = Instant::now();
            let slot = self.slot(&route.key());
            let mut slot = slot.lock().await;
            if let Some(connection) = slot.connection.take_if(|connection| connection.is_closed()) {
                tracing::debug!(host = route.host.alias, why = connection.ended(), "a kept connection has ended");
            }
            if let Some(connection) = &slot.connection {
                connection.used_now();
                return Ok((Arc::clone(connection), true));
            }
            if let Some((when, with, fault)) = &slot.failed
                && *when >= came
                && with == agents
            {
                return Err(fault.clone());
            }
            match self.connect(route, agents, tell).await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    slot.connection = Some(Arc::clone(&connection));
                    slot.failed = None;
                    self.sweep();
                    Ok((connection, false))
                }
                Err(fault) => {
                    slot.failed = Some((Instant::now(), agents.clone(), fault.clone()));
                    Err(fault)
                }
            }
        }
        .boxed()
    }

    /// This connection is of no use any more.
    pub async fn forget(&self, route: &Route, dead: &Arc<Connection>) {
        let slot = self.slot(&route.key());
        let mut slot = slot.lock().await;
        slot.connection.take_if(|kept| Arc::ptr_eq(kept, dead));
    }

    /// Ends every connection that nobody uses; those in use end with their runs.
    pub async fn close(&self) {
        let slots: Vec<_> = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.drain().map(|(_, slot)| slot).collect()
        };
        for slot in slots {
            if let Some(connection) = slot.lock().await.connection.take() {
                connection.close().await;
            }
        }
    }

    /// Connections kept now.
    #[cfg(test)]
    pub fn kept(&self) -> usize {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().filter(|slot| slot.try_lock().is_ok_and(|slot| slot.connection.is_some())).count()
    }

    /// Lets unused connections go after their time. Nothing runs while there are none.
    fn sweep(self: &Arc<Self>) {
        if self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let pool = Arc::downgrade(self);
        let every = (self.keep / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut gone = Vec::new();
                {
                    let mut slots = pool.slots.lock().unwrap_or_else(PoisonError::into_inner);
                    slots.retain(|_, slot| {
                        // Being used or made: another time.
                        let Ok(mut held) = slot.try_lock() else { return true };
                        if let Some(old) = held.connection.take_if(|connection| {
                            connection.is_closed()
                                || Arc::strong_count(connection) == 1 && connection.unused_for() >= pool.keep
                        }) {
                            gone.push(old);
                        }
                        held.connection.is_some() || Arc::strong_count(slot) > 1
                    });
                    if slots.is_empty() {
                        pool.sweeping.store(false, Ordering::Release);
                    }
                }
                for connection in gone {
                    connection.close().await;
                }
                if !pool.sweeping.load(Ordering::Acquire) {
                    return;
                }
            }
        });
    }

    async fn connect(self: &Arc<Self>, route: &Route, agents: &Agents, tell: Tell<'_>) -> Result<Connection, Fault> {
        let (mut hang_ups, mut refusals) = (0, 0);
        loop {
            let fault = match self.once(route, agents, tell).await {
                Ok(connection) => return Ok(connection),
                Err(fault) => fault,
            };
            let wait = match &fault {
                Fault::HungUp(why) => {
                    hang_ups += 1;
                    if hang_ups >= HANG_UPS {
                        return Err(Fault::Offline { why: format!("{why}, {hang_ups} times"), again: Again::No });
                    }
                    tell(why);
                    Duration::from_millis(100 << hang_ups.min(4))
                }
                Fault::Offline { why, again: Again::Yes } => {
                    refusals += 1;
                    if refusals >= REFUSALS {
                        return Err(fault);
                    }
                    tell(why);
                    Duration::from_millis(300 * u64::from(refusals))
                }
                Fault::Offline { .. } | Fault::Refused(_) => return Err(fault),
            };
            // Between half and one and a half times: a fleet that failed together must not come back together.
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    async fn once(self: &Arc<Self>, route: &Route, agents: &Agents, tell: Tell<'_>) -> Result<Connection, Fault> {
        let host = &route.host;
        let jump = match &route.via {
            Some(via) => Some(self.connection(via, agents, tell).await.map_err(|fault| through(&via.host, fault))?.0),
            None => None,
        };
        let server = self.limits.server(&route.first());
        let all = self.limits.all();
        let mut places = Some((server.enter().await, all.enter().await));
        let patience = host.connect_timeout.map_or(CONNECT, |seconds| Duration::from_secs(seconds.max(1)));
        let wire = Arc::new(Wire::default());
        let (stream, address, trip) = {
            let reach = async {
                match &jump {
                    Some(jump) => {
                        let asked = Instant::now();
                        let channel = jump.onward(&host.host_name, host.port).await?;
                        Ok((Stream::channel(channel, Arc::clone(&wire)), None, asked.elapsed()))
                    }
                    None => reach(host, &wire).await,
                }
            };
            let mut reach = std::pin::pin!(tokio::time::timeout(patience, reach));
            let reached = tokio::select! {
                biased;
                reached = &mut reach => reached,
                () = tokio::time::sleep(PROMPT) => {
                    places = None;
                    reach.await
                }
            };
            reached.map_err(|_| Fault::Offline {
                why: format!("{}:{} did not answer within {} s", host.host_name, host.port, patience.as_secs()),
                again: Again::No,
            })??
        };
        let (at_server, in_all): (Permit, Permit) = match places.take() {
            Some(places) => places,
            None => (server.enter().await, all.enter().await),
        };
        all.reached(trip);
        let terms = Terms {
            host: Arc::clone(host),
            trust: Arc::clone(&self.trust),
            keys: Arc::clone(&self.keys),
            agents: agents.clone(),
            passwords: Arc::clone(&self.passwords),
        };
        let began = Instant::now();
        let limit = HANDSHAKE.max(patience);
        let shaken = {
            let establishing = Connection::establish(&terms, stream, Arc::clone(&wire), address, jump);
            let mut shaking = std::pin::pin!(tokio::time::timeout(limit, establishing));
            tokio::select! {
                biased;
                shaken = &mut shaking => shaken,
                () = wire.heard() => {
                    all.heard(began.elapsed());
                    shaking.await
                }
            }
        };
        match shaken {
            Ok(Ok(connection)) => {
                let slowness = began.elapsed().as_secs_f64() / should_take(trip).as_secs_f64();
                server.took(slowness);
                all.took(slowness);
                Ok(connection)
            }
            Ok(Err(fault)) => {
                if matches!(fault, Fault::HungUp(_)) {
                    at_server.hung_up();
                }
                drop((at_server, in_all));
                Err(fault)
            }
            Err(_) => Err(Fault::Offline {
                why: format!("{} did not finish the handshake within {} s", host.alias, limit.as_secs()),
                again: Again::No,
            }),
        }
    }
}

/// A fault of the jump host, told to one who wanted to go through it.
fn through(jump: &HostConfig, fault: Fault) -> Fault {
    let say = |why: String| format!("through jump host {}: {why}", jump.alias);
    match fault {
        // It has had its tries.
        Fault::Offline { why, .. } | Fault::HungUp(why) => Fault::Offline { why: say(why), again: Again::No },
        Fault::Refused(why) => Fault::Refused(say(why)),
    }
}

/// The first address that answers.
async fn reach(host: &HostConfig, wire: &Arc<Wire>) -> Result<(Stream, Option<IpAddr>, Duration), Fault> {
    let name = host.host_name.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = match name.parse::<IpAddr>() {
        // No thread is asked for what needs no resolver.
        Ok(address) => vec![SocketAddr::new(address, host.port)],
        Err(_) => {
            let found = tokio::net::lookup_host((name, host.port))
                .await
                .map_err(|error| Fault::Offline { why: format!("no address for {name}: {error}"), again: Again::No })?;
            found
                .filter(|address| match host.address_family {
                    AddressFamily::Any => true,
                    AddressFamily::Inet => address.is_ipv4(),
                    AddressFamily::Inet6 => address.is_ipv6(),
                })
                .collect()
        }
    };
    let mut last = Fault::Offline { why: format!("{name} has no address of the family asked for"), again: Again::No };
    for address in addresses {
        let asked = Instant::now();
        match TcpStream::connect(address).await.and_then(|socket| Stream::tcp(socket, Arc::clone(wire))) {
            Ok(stream) => return Ok((stream, Some(address.ip()), asked.elapsed())),
            Err(error) => last = no_connection(address, &error),
        }
    }
    Err(last)
}

fn no_connection(address: SocketAddr, error: &io::Error) -> Fault {
    let (what, again) = match error.kind() {
        io::ErrorKind::ConnectionRefused => ("connection refused".to_owned(), Again::Yes),
        io::ErrorKind::ConnectionReset => ("connection reset".to_owned(), Again::Yes),
        io::ErrorKind::HostUnreachable => ("no route to host".to_owned(), Again::No),
        io::ErrorKind::NetworkUnreachable => ("network unreachable".to_owned(), Again::No),
        io::ErrorKind::TimedOut => ("no answer".to_owned(), Again::No),
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            ("this machine allows the engine no more open files (ulimit -n)".to_owned(), Again::Yes)
        }
        _ => (error.to_string(), Again::No),
    };
    Fault::Offline { why: format!("{address}: {what}"), again }
}
