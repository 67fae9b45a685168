//! SSH hosts.

pub mod config;
pub mod inventory;
pub mod known_hosts;

use futures::future::BoxFuture;

use super::{Connector, Order, Outcome, RunSink};
use crate::model::connection::{Capabilities, Connection};
use crate::model::device::{Device, Inventory};
use crate::model::wire::Doctor;

pub struct Ssh;
impl Ssh {
    pub fn new(_connection: &Connection) -> Self {
        Self
    }
}
impl Connector for Ssh {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        Box::pin(async { Inventory::default() })
    }
    fn launch(&self, _order: Order, _sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        Box::pin(async { Outcome::exited(1) })
    }
    fn doctor<'a>(&'a self, _device: &'a Device) -> BoxFuture<'a, Doctor> {
        Box::pin(async { unreachable!() })
    }
}
