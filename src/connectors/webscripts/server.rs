//! One server: whose turn it is to ask, as whom, and its list of scripts as last read. A server that serves one request
//! at a time is asked one thing at a time, in the order of asking: as no job asks twice before it is answered, jobs take
//! turns. A request that was begun is ended, whoever has stopped waiting for it: what it brings is lost otherwise, and
//! the server is busy with it anyway.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, OnceCell, OwnedSemaphorePermit, Semaphore};

use super::answer;
use super::door::{Ask, Door, INDEX_LIMIT, Reply};
use super::index;
use super::logins::Logins;
use super::session::{Denied, Session, unfit};
use crate::model::connection::WebScripts;
use crate::model::device::Reach;
use crate::model::script::ScriptInfo;

/// How long somebody who needs the list waits for the first one.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    /// The connection's name.
    pub name: String,
    pub settings: WebScripts,
    /// Made when it is needed first, and again where that failed: a file of certificates may come to be.
    door: OnceCell<Door>,
    pub session: Session,
    turns: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
    /// Rung when a reading has ended.
    read: Notify,
}

/// The list of scripts.
#[derive(Clone, Default)]
pub struct Shelf {
    pub scripts: Arc<Vec<ScriptInfo>>,
    pub read_at: Option<Timestamp>,
    /// Why it could not be read the last time; the scripts are of the time before.
    pub problem: Option<String>,
    pub reading: bool,
    /// What the last reading met.
    pub reach: Reach,
    /// What the server calls itself.
    pub server: String,
}

/// The right to ask one thing.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Server {
    pub fn new(name: &str, settings: &WebScripts, state: &Path) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            door: OnceCell::new(),
            session: Session::new(
                settings.login.clone(),
                settings.environment.clone(),
                Logins::at(state, &settings.url),
            ),
            turns: Arc::new(Semaphore::new(settings.in_flight())),
            shelf: Mutex::default(),
            read: Notify::new(),
            settings: settings.clone(),
        })
    }

    /// `Denied`: why its address, or who vouches for it, cannot be used.
    async fn door(&self) -> Result<&Door, Denied> {
        let make = || async {
            let (url, ca_file) = (self.settings.url.clone(), self.settings.ca_file.clone());
            let made = tokio::task::spawn_blocking(move || Door::new(&url, ca_file.as_deref())).await;
            made.unwrap_or_else(|error| Err(error.to_string())).map_err(Denied::Refused)
        };
        self.door.get_or_try_init(make).await
    }

    /// Waits for it; those who asked before come first.
    pub async fn turn(&self) -> Turn {
        match Arc::clone(&self.turns).acquire_owned().await {
            Ok(permit) => Turn { _permit: permit },
            Err(_) => std::future::pending().await, // nobody closes it
        }
    }

    /// Requests of ours that are under way or wait.
    pub fn is_busy(&self) -> bool {
        self.turns.available_permits() == 0
    }

    /// Asks, logged in; goes on to its end also when nobody waits for it any more.
    pub async fn call(self: &Arc<Self>, turn: Turn, ask: Ask) -> Result<Reply, Denied> {
        let server = Arc::clone(self);
        let call = tokio::spawn(async move {
            let reply = server.asked(ask).await;
            drop(turn);
            reply
        });
        call.await.unwrap_or_else(|error| Err(Denied::Refused(format!("asking the server broke off: {error}"))))
    }

    /// Sees to it that a session is there, without asking anything where one is.
    pub async fn log_in(self: &Arc<Self>) -> Result<(), Denied> {
        let turn = self.turn().await;
        let server = Arc::clone(self);
        let call = tokio::spawn(async move {
            let door = server.door().await?;
            let token = server.session.token(door, None).await.map(drop);
            drop(turn);
            token
        });
        call.await.unwrap_or_else(|error| Err(Denied::Refused(format!("logging in broke off: {error}"))))
    }

    async fn asked(&self, ask: Ask) -> Result<Reply, Denied> {
        let door = self.door().await?;
        let mut worn = None;
        let mut again = false;
        loop {
            let token = self.session.token(door, worn.as_ref()).await?;
            let reply = door.ask(ask.clone(), token.as_ref()).await?;
            match (reply.status, token) {
                // who is asked does not look further: nothing was run
                (302, Some(token)) if !again => worn = Some(token),
                (302, None) if !again && self.session.has_login() => self.session.closed().await,
                (302, None) => {
                    let how = "write `user` and `password`, or `api_key`, for its connection in config.toml";
                    return Err(Denied::Refused(format!("the server asks who we are: {how}")));
                }
                (302, Some(_)) => {
                    return Err(Denied::Refused(
                        "the server lets us log in and does not know the session afterwards: is there more than one \
                         process behind this address?"
                            .to_owned(),
                    ));
                }
                (403, token) => {
                    let index = door.ask(Ask::get("/api/", INDEX_LIMIT), token.as_ref()).await?;
                    return if index.status == 403 { Err(Denied::Banned) } else { Ok(reply) };
                }
                (406, _) => return Err(Denied::Refused(unfit())),
                _ => return Ok(reply),
            }
            again = true;
        }
    }

    // -- the list of scripts ---------------------------------------------------------------------------

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn shelf(&self) -> Shelf {
        self.lock().clone()
    }

    /// Reads the list anew; one who comes while that is done waits for it instead. A reading that was begun is ended,
    /// whoever has stopped waiting for it.
    pub async fn read_shelf(self: &Arc<Self>) {
        let mut ended = std::pin::pin!(self.read.notified());
        ended.as_mut().enable();
        if !std::mem::replace(&mut self.lock().reading, true) {
            let server = Arc::clone(self);
            tokio::spawn(async move { server.reading().await });
        }
        ended.await;
    }

    async fn reading(self: &Arc<Self>) {
        let done = loop {
            match self.list().await {
                Err(denied @ Denied::Wait(left)) => {
                    self.lock().problem = Some(self.says(&denied));
                    tokio::time::sleep(left).await;
                }
                done => break done,
            }
        };
        let mut shelf = self.lock();
        shelf.reading = false;
        match done {
            Ok((scripts, server)) => {
                *shelf = Shelf {
                    scripts: Arc::new(scripts),
                    read_at: Some(Timestamp::now()),
                    reach: Reach::Online,
                    server,
                    ..Shelf::default()
                };
            }
            Err(denied) => {
                shelf.reach = match denied {
                    Denied::Broken(_) => Reach::Offline,
                    Denied::Refused(_) | Denied::Banned => Reach::Refused,
                    Denied::Wait(_) => shelf.reach,
                };
                shelf.problem = Some(self.says(&denied));
            }
        }
        drop(shelf);
        self.read.notify_waiters();
    }

    /// The list, waiting for the first one if there is none yet.
    pub async fn known(self: &Arc<Self>) -> Result<Arc<Vec<ScriptInfo>>, String> {
        let shelf = self.shelf();
        if shelf.read_at.is_some() {
            return Ok(shelf.scripts);
        }
        let reading = tokio::time::timeout(PATIENCE, self.read_shelf()).await;
        let shelf = self.shelf();
        match (shelf.read_at, shelf.problem) {
            (Some(_), _) => Ok(shelf.scripts),
            (None, Some(why)) => Err(format!("the scripts of {} are not known: {why}", self.name)),
            (None, None) if reading.is_err() => Err(format!(
                "the scripts of {} are not known yet: {} has not answered for {} s; it may be at work on something else",
                self.name,
                self.settings.url,
                PATIENCE.as_secs()
            )),
            (None, None) => Err(format!("the scripts of {} are not known yet: try again", self.name)),
        }
    }

    async fn list(self: &Arc<Self>) -> Result<(Vec<ScriptInfo>, String), Denied> {
        let strange = |why: String| Denied::Refused(format!("what answers there is no WebScripts: {why}"));
        let mut renewed = false;
        loop {
            let logins = self.session.logins();
            let reply = self.call(self.turn().await, Ask::get("/api/", INDEX_LIMIT)).await?;
            if reply.status != 200 {
                return Err(strange(format!("its index is answered with {}", reply.status)));
            }
            let read = answer::index(&reply.body).map_err(strange)?;
            let nobody = read.len() == 1 && read[0].0 == "/auth/";
            if nobody && self.session.has_login() && !renewed && logins == self.session.logins() {
                // a session that has died gets no refusal here, but the list of nobody
                self.session.renew().await;
                renewed = true;
                continue;
            }
            if nobody && !self.session.has_login() {
                let how = "write `user` and `password`, or `api_key`, for its connection in config.toml";
                return Err(Denied::Refused(format!("the server shows its scripts to users alone: {how}")));
            }
            return Ok((index::scripts(&self.name, read), reply.server));
        }
    }

    /// A refusal in words.
    pub fn says(&self, denied: &Denied) -> String {
        let url = &self.settings.url;
        match denied {
            Denied::Refused(why) => format!("{url}: {why}"),
            Denied::Wait(left) => {
                let left = left.as_secs() + 1;
                format!("{url}: the session has ended; logging in again waits {left} s, since the server counts logins")
            }
            Denied::Banned => format!(
                "{url}: the server has shut this machine out for a while: too many logins from here, one after the other"
            ),
            Denied::Broken(broken) => format!("{url}: {}", broken.says()),
        }
    }
}
