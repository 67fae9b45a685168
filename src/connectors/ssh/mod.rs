//! SSH hosts: from `~/.ssh/config` and Ansible inventories, reached by a native client, or by the system's `ssh`
//! program where a host's configuration asks for what the native client cannot do.
//!
//! Owns everything SSH. Knows no other connector, keeps no job, and asks nobody anything: what needs an answer is a
//! [`Question`] beforehand or a refused run.

mod agent;
mod algorithms;
mod auth;
pub mod config;
mod doctor;
mod feed;
mod hosts;
pub mod inventory;
mod keys;
pub mod known_hosts;
mod launcher;
mod limiter;
mod passwords;
mod pool;
mod program;
mod questions;
mod run;
mod session;
mod stamps;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trust;

pub use self::hosts::held;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::BoxFuture;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::agent::Agents;
use self::config::{Config, HostConfig, Overrides};
use self::limiter::Limit;
use self::pool::{Pool, Route};
use self::program::Programs;
use self::session::Fault;
use self::stamps::Stamps;
use self::trust::Trust;
use super::{Connector, Order, Outcome, RunSink};
use crate::model::connection::{self, Capabilities, Connection, Kind};
use crate::model::device::{Device, Inventory};
use crate::model::output::Stream;
use crate::model::plan::{Caller, Question};
use crate::model::secret::Secret;
use crate::model::state::RunState;
use crate::model::wire::Doctor;

/// Jump hosts behind jump hosts; more is a configuration that names itself.
const HOPS: usize = 8;

/// A connection that dies between being taken and being used is replaced so many times.
const FRESH: usize = 3;

/// One `[[connection]]` of kind `ssh`.
pub struct Ssh(Arc<Inner>);

struct Inner {
    connection: Connection,
    settings: connection::Ssh,
    pool: Arc<Pool>,
    programs: Programs,
    /// As last read; `None` before the first time.
    read: RwLock<Option<Arc<Read>>>,
    /// Ids of the questions that were asked.
    asked: Mutex<HashSet<String>>,
}

/// The files, read.
struct Read {
    config: Config,
    overrides: HashMap<String, Overrides>,
    watched: Vec<PathBuf>,
    stamps: Stamps,
}

/// How a device is reached.
enum Way {
    Native(Route),
    /// With the reasons.
    Program(Vec<String>),
}

impl Ssh {
    /// `connection` as configured; anything but kind `ssh` has no hosts.
    pub fn new(connection: Connection) -> Self {
        let settings = match &connection.kind {
            Kind::Ssh(settings) => settings.clone(),
            Kind::Local | Kind::WebScripts(_) | Kind::SimpleMdm(_) => connection::Ssh::default(),
        };
        let pool = Pool::new(
            Trust::new(settings.known_hosts.clone(), settings.host_keys),
            Duration::from_secs(settings.keep_seconds),
            settings.max_handshakes,
        );
        Self(Arc::new(Inner {
            connection,
            settings,
            pool: Arc::new(pool),
            programs: Programs::default(),
            read: RwLock::default(),
            asked: Mutex::default(),
        }))
    }
}

/// Raises the limit of open files to what is allowed. A connection takes one; `Some`: a sentence for the operator
/// when fewer than `wanted` are left.
pub fn raise_open_files(wanted: u64) -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum;
    if limit.current != most {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
    }
    let now = getrlimit(Resource::Nofile).current;
    match now {
        Some(now) if now < wanted => Some(format!(
            "this machine allows {now} open files (ulimit -Hn): about {} SSH connections at once",
            now.saturating_sub(64)
        )),
        _ => None,
    }
}

impl Inner {
    /// Reads all files anew.
    fn reread(&self) -> (Arc<Read>, Inventory) {
        let began = SystemTime::now();
        let (inventory, overrides, mut watched) = hosts::inventory(&self.connection);
        let settings = &self.settings;
        // Its warnings are in the inventory already.
        let (config, _) = Config::load(&hosts::config_files(settings), &settings.home, &settings.user);
        watched.sort();
        watched.dedup();
        let stamps = Stamps::take(&watched, began);
        let read = Arc::new(Read { config, overrides, watched, stamps });
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&read));
        (read, inventory)
    }

    fn read(&self) -> Arc<Read> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner).clone();
        read.unwrap_or_else(|| self.reread().0)
    }

    /// The device's configuration and the way it asks for.
    fn way(&self, name: &str) -> (HostConfig, Overrides, Way) {
        let read = self.read();
        let over = read.overrides.get(name).cloned().unwrap_or_default();
        let host = read.config.host(name, &over);
        let way = match route(&read.config, host.clone(), 0) {
            Ok(route) => Way::Native(route),
            Err(reasons) => Way::Program(reasons),
        };
        (host, over, way)
    }

    async fn launch(&self, order: Order, sink: &mut dyn RunSink) -> Outcome {
        let (host, over, way) = self.way(&order.device.name);
        let agents = self.agents(&order.caller);
        match way {
            Way::Native(route) => self.native(&route, &agents, &order, sink).await,
            Way::Program(reasons) => {
                tracing::debug!(device = order.device.id, ?reasons, "through the ssh program");
                let arguments = program::arguments(&self.settings, &self.pool.trust, &host, &over, &order.device.name);
                self.programs.run(&arguments, agents.socket().await, &order, sink).await
            }
        }
    }

    fn agents(&self, caller: &Caller) -> Agents {
        Agents::of(caller, self.settings.agent.as_ref())
    }

    async fn native(&self, route: &Route, agents: &Agents, order: &Order, sink: &mut dyn RunSink) -> Outcome {
        let mut sink = FirstWord { to: sink, limit: Some(self.pool.limits.all()) };
        let environment = route.host.session_environment(&self.settings.environment);
        let withdrawn = || Outcome::because(RunState::Cancelled, "withdrawn before it started");
        let mut place = None;
        let mut last = String::new();
        for _ in 0..FRESH {
            let connected = {
                let mut tell = |why: &str| sink.to.attempt(why);
                let connecting = self.pool.connection(route, agents, &mut tell);
                tokio::select! {
                    connected = connecting => connected,
                    () = order.cancel.cancelled() => return withdrawn(),
                }
            };
            let (connection, _) = match connected {
                Ok(connected) => connected,
                Err(Fault::Refused(why)) => return Outcome::refused(why),
                Err(Fault::Offline { why, .. } | Fault::HungUp(why)) => {
                    return Outcome::because(RunState::Offline, why);
                }
            };
            if connection.is_windows() {
                return Outcome::refused(format!(
                    "{} runs Windows ({}): its scripts need a POSIX shell, which it has not",
                    route.host.alias,
                    connection.facts().ident
                ));
            }
            if place.is_none() {
                place = Some(tokio::select! {
                    place = order.gate.enter() => place,
                    () = order.cancel.cancelled() => return withdrawn(),
                });
            }
            match run::run(&connection, order, &environment, &mut sink).await {
                Ok(outcome) => {
                    sink.said();
                    connection.open_ahead();
                    return outcome;
                }
                Err(run::Unsent(why)) => {
                    self.pool.forget(route, &connection).await;
                    last = why;
                }
            }
        }
        Outcome::because(
            RunState::Offline,
            format!("{}: its connections end before they can be used: {last}", route.host.alias),
        )
    }
}

/// Lets the rest of a burst follow when the script says something.
struct FirstWord<'a> {
    to: &'a mut dyn RunSink,
    limit: Option<&'a Limit>,
}

impl FirstWord<'_> {
    fn said(&mut self) {
        if let Some(limit) = self.limit.take() {
            limit.spoke();
        }
    }
}

impl RunSink for FirstWord<'_> {
    fn started(&mut self) {
        self.to.started();
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let kept = self.to.output(stream, bytes);
        self.said();
        kept
    }

    fn attempt(&mut self, why: &str) {
        self.to.attempt(why);
    }
}

/// `Err`: why the native client will not do.
fn route(config: &Config, mut host: HostConfig, depth: usize) -> Result<Route, Vec<String>> {
    let mut reasons = host.beyond.clone();
    if let Err(what) = algorithms::preferred(&host, &[], false) {
        reasons.push(format!("{}: nothing of {what} is known to the native client", host.alias));
    }
    if depth > HOPS {
        reasons.push(format!("{}: more than {HOPS} jump hosts, one behind the other", host.alias));
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut via: Option<Arc<Route>> = None;
    for hop in std::mem::take(&mut host.proxy_jump) {
        let Some((user, name, port)) = HostConfig::hop(&hop) else {
            return Err(vec![format!("{}: the jump host {hop:?} cannot be read", host.alias)]);
        };
        let over = Overrides { user: user.map(str::to_owned), port, ..Overrides::default() };
        let mut next = config.host(name, &over);
        if via.is_some() {
            // Reached through the one before it, whatever its own configuration says.
            next.proxy_jump.clear();
        }
        let reached = route(config, next, depth + 1)?;
        via = Some(Arc::new(Route { host: reached.host, via: via.or(reached.via) }));
    }
    Ok(Route { host: Arc::new(host), via })
}

impl Connector for Ssh {
    fn capabilities(&self) -> Capabilities {
        Capabilities { groups: true, ..Capabilities::own_runs() }
    }

    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        let inner = Arc::clone(&self.0);
        async move {
            // Long inventories take their time to parse.
            tokio::task::spawn_blocking(move || inner.reread().1).await.unwrap_or_default()
        }
        .boxed()
    }

    fn watched(&self) -> Vec<PathBuf> {
        self.0.read().watched.clone()
    }

    fn changed(&self) -> BoxFuture<'_, bool> {
        let inner = Arc::clone(&self.0);
        async move { tokio::task::spawn_blocking(move || !inner.read().stamps.hold()).await.unwrap_or(false) }.boxed()
    }

    fn questions<'a>(&'a self, devices: &'a [Arc<Device>], caller: &'a Caller) -> BoxFuture<'a, Vec<Question>> {
        self.0.questions(devices, caller).boxed()
    }

    fn answer<'a>(&'a self, id: &'a str, value: Secret) -> BoxFuture<'a, Result<(), String>> {
        self.0.answer(id, value).boxed()
    }

    fn launch(&self, order: Order, mut sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        let inner = Arc::clone(&self.0);
        async move { inner.launch(order, sink.as_mut()).await }.boxed()
    }

    fn doctor<'a>(&'a self, device: &'a Device, caller: &'a Caller) -> BoxFuture<'a, Doctor> {
        self.0.doctor(device, caller).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.pool.close().boxed()
    }
}
