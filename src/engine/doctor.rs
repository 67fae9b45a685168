//! How a device is reached, or how a connection stands as a whole. A name is taken as it is written before it is read as
//! an expression: `doctor "Ann's Mac"` needs no quotes within the quotes.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use super::{Engine, problem};
use crate::model::connection::Connection;
use crate::model::device::{Device, Inventory, Reach};
use crate::model::plan::Caller;
use crate::model::wire::{Code, Doctor, Problem, Step};

/// So long each connection has for its answer, where all of them are asked.
const PATIENCE: Duration = Duration::from_secs(15);

impl Engine {
    /// How every connection stands that can be asked as a whole: all at once.
    pub async fn doctors(&self) -> Vec<Doctor> {
        let asked = self.inventories.connections().iter().filter_map(|connection| {
            let connector = self.connectors.get(&connection.name)?;
            Some(async move {
                let steps = timeout(PATIENCE, connector.examine()).await.unwrap_or_else(|_| {
                    let why = format!("no word for {} s", PATIENCE.as_secs());
                    Some(vec![Step::new("answers", false, why)])
                })?;
                Some(found(connection, steps))
            })
        });
        let found = join_all(asked).await.into_iter().flatten().collect();
        self.settle().await; // what they answered may be news
        found
    }

    pub async fn doctor(&self, asked: &str, caller: &Caller) -> Result<Doctor, Problem> {
        self.settle().await;
        let all = self.inventories.all();
        let found = match named(&all, asked) {
            Some(device) => Arc::clone(device),
            None => match self.whole(asked, &all).await {
                Some(found) => return Ok(found),
                None => self.one(asked).await?,
            },
        };
        let connector = self
            .connectors
            .get(&found.connection)
            .ok_or_else(|| problem(Code::NotFound, format!("no connection {}", found.connection)))?;
        Ok(connector.doctor(&found, caller).await)
    }

    /// Of a connection. `None`: none is called so.
    async fn whole(&self, name: &str, all: &Inventory) -> Option<Doctor> {
        let connection = self.inventories.connection(name)?;
        let mut steps = match self.connectors.get(name)?.examine().await {
            Some(steps) => steps,
            None => self.known_of(name, all),
        };
        if connection.read_only {
            steps.push(Step::new("read-only", true, "nothing is launched there: read_only in config.toml"));
        }
        if all.devices.iter().any(|device| device.connection == name) {
            steps.push(Step::new("further", true, format!("`quarterdeck doctor {name}:DEVICE` examines one of them")));
        }
        Some(found(connection, steps))
    }

    /// What is known of its devices without asking anybody.
    fn known_of(&self, name: &str, all: &Inventory) -> Vec<Step> {
        let devices: Vec<&Arc<Device>> = all.devices.iter().filter(|device| device.connection == name).collect();
        let of = |reach: Reach| devices.iter().filter(|device| device.state == reach).count();
        let known = [(Reach::Online, "online"), (Reach::Offline, "offline"), (Reach::Refused, "refused")];
        let known = known.map(|(reach, word)| format!("{} {word}", of(reach))).join(", ");
        let groups = all.groups.iter().filter(|group| group.connection == name).count();
        let said = format!("{}: {known}, {} never tried; {groups} groups", devices.len(), of(Reach::Unknown));
        let mut steps = vec![Step::new("devices", !devices.is_empty(), said)];
        let told = self.inventories.targets().connections.into_iter().find(|connection| connection.name == name);
        let warnings = told.map(|connection| connection.warnings).unwrap_or_default();
        steps.extend(warnings.into_iter().map(|why| Step::new("inventory", false, why)));
        steps
    }
}

fn found(connection: &Connection, steps: Vec<Step>) -> Doctor {
    let kind = connection.kind.word();
    Doctor { device: connection.name.clone(), way: kind.to_owned(), why: format!("kind = \"{kind}\""), steps }
}

/// The device of this id, or the only one of this name.
fn named<'a>(all: &'a Inventory, asked: &str) -> Option<&'a Arc<Device>> {
    let mut called = all.devices.iter().filter(|device| device.name == asked);
    let only = || called.next().filter(|_| called.next().is_none());
    all.device(asked).or_else(only)
}
