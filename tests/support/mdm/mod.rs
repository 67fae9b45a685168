//! A stand-in for SimpleMDM: the contract's scripts, script jobs, devices and groups with their quirks, over HTTP on
//! this machine, inside the test itself. Devices do what a test tells them, faults come when it says so, and every
//! request is counted. Nothing happens in it by itself, but that an account which is given a limit fills its bucket.

mod answers;
mod bag;
mod limit;
mod world;

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::runtime::Runtime;

use self::limit::Limit;
pub use world::{Behaves, Job, Row, Script, World};

/// The API key that is right. No file of ours may ever hold it.
pub const KEY: &str = "kEy0fTheAcc0unt";

/// Every device has such secrets: what is kept may not hold them.
pub const SECRET: &str = "FILEVAULT-HUNTER2";

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with the documented body; nothing is done.
    Status(u16),
    /// 429 with both headers; it may come again after so many seconds.
    TooMany(u64),
    /// It is neither done nor answered.
    Held,
    /// It is done, and the answer breaks off before its first byte.
    Lost,
    /// It is done, and the answer breaks off in the middle.
    Half,
    /// It is done, and answered later.
    Late(Duration),
    /// Another program answers.
    Html,
}

#[derive(Default)]
struct Shared {
    world: Mutex<World>,
    /// For the next request whose line begins so.
    faults: Mutex<VecDeque<(String, Fault)>>,
    asked: Mutex<Vec<String>>,
    limit: Mutex<Option<Limit>>,
}

pub struct Mdm {
    shared: Arc<Shared>,
    pub port: u16,
    _runtime: Runtime,
}

impl Mdm {
    #[track_caller]
    pub fn start() -> Self {
        Self::at("127.0.0.1:0")
    }

    #[track_caller]
    pub fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        listener.set_nonblocking(true).expect("nonblocking");
        let port = listener.local_addr().expect("its address").port();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let shared = Arc::new(Shared::default());
        let router = answers::router(Arc::clone(&shared));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await
        });
        Self { shared, port, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it knows, to be looked at and changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().expect("the world")
    }

    /// The next request whose line (`POST /api/v1/script_jobs`) begins so meets this; several in the order given.
    pub fn fault(&self, begins: &str, fault: Fault) {
        self.shared.faults.lock().expect("the faults").push_back((begins.to_owned(), fault));
    }

    /// From now on the account takes so many requests a second, and this many at once.
    pub fn limit(&self, per_second: u32, at_once: u32) {
        *self.shared.limit.lock().expect("the limit") = Some(Limit::new(per_second, at_once));
    }

    /// Requests that came too fast.
    pub fn refused(&self) -> usize {
        self.shared.limit.lock().expect("the limit").as_ref().map_or(0, |limit| limit.refused)
    }

    /// Faults that nothing has met yet.
    pub fn faults_left(&self) -> usize {
        self.shared.faults.lock().expect("the faults").len()
    }

    /// The lines of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().expect("the requests").clone()
    }

    /// Requests whose line begins so.
    pub fn count(&self, begins: &str) -> usize {
        self.asked().iter().filter(|line| line.starts_with(begins)).count()
    }
}
