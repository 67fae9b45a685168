//! What programs that speak to the engine's API need beyond what people do: numbers for what has names, pages of jobs
//! and logs that cost what the page costs, custom attributes. Nothing here decides whether something may run: jobs that
//! are created over the API are planned and launched as everybody's are.

mod attributes;
mod fleet;
mod jobs;
mod logs;
mod scripts;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::store::Store;
use super::store::db::DbError;
use super::{Engine, problem};
use crate::model::wire::{Code, Problem};

pub use self::attributes::{Named, cleaner};
pub use self::fleet::{Fleet, Found, Set, SetKind, serial_of};
pub use self::jobs::{ATTRIBUTE, Asked, Filter, Output, Page, REGEX, Row, run_status, status};
pub use self::logs::{Log, What};
pub use self::scripts::{Content, Draft, Listed};
pub use super::store::door::{Attribute, Kind, Order, Targets};

/// Connections that only read, kept for the next request.
const READERS: usize = 4;

/// How long it is believed which devices an expression means.
const BELIEVED: Duration = Duration::from_secs(1);

/// Expressions of which that is remembered.
const REMEMBERED: usize = 64;

/// Devices that a key reaches; `None`: all.
pub type Reach = Option<Arc<HashSet<String>>>;

/// When a target expression was last looked at, and the devices it means.
type Reached = (Instant, Arc<HashSet<String>>);

/// What is kept in memory between two requests.
#[derive(Default)]
pub struct Door {
    readers: Mutex<Vec<Connection>>,
    fleet: tokio::sync::Mutex<Option<Arc<Fleet>>>,
    reached: Mutex<HashMap<String, Reached>>,
    log: logs::Reading,
}

impl Door {
    /// Reads the store beside its writer.
    fn read<T>(&self, store: &Store, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DbError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = kept.map_or_else(|| store.db.reader(), Ok)?;
        let done = work(&connection)?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(connection);
        }
        Ok(done)
    }
}

impl Engine {
    /// Reads the store beside its writer, off the loop.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Engine, &Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let engine = Arc::clone(self);
        let done =
            tokio::task::spawn_blocking(move || engine.door.read(&engine.jobs.store, |db| work(&engine, db))).await;
        Ok(done.map_err(|error| problem(Code::Internal, error.to_string()))??)
    }

    /// The devices that an expression means, for a key that is limited to them.
    pub async fn reach(self: &Arc<Self>, expr: &str) -> Result<Arc<HashSet<String>>, Problem> {
        {
            let known = self.door.reached.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, devices)) = known.get(expr)
                && at.elapsed() < BELIEVED
            {
                return Ok(Arc::clone(devices));
            }
        }
        let meant = self.meant(&self.inventories.all(), expr).await.map_err(|why| {
            let error = format!("this key is limited to `{expr}`, which means nothing now: {}", why.error);
            problem(Code::Refused, error)
        })?;
        let devices: HashSet<String> = meant.devices.iter().map(|device| device.id.clone()).collect();
        let devices = Arc::new(devices);
        let mut known = self.door.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(expr.to_owned(), (Instant::now(), Arc::clone(&devices)));
        Ok(devices)
    }
}
