//! SimpleMDM accounts: devices that fetch their scripts when they next talk to the system, which says how they ended
//! once, whole. Nothing streams, nothing that was fetched can be stopped, and every request counts.
//!
//! Owns everything SimpleMDM: [`client`] one request, [`budget`] when it may go, [`account`] the inventory, [`devices`]
//! what of it is shown, [`copies`] the script that is launched, [`jobs`] a launch, [`watch`] what comes of it. Knows no other connector and keeps no job.

mod account;
mod budget;
mod client;
mod copies;
mod devices;
mod doctor;
mod ending;
mod form;
mod jobs;
mod watch;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use self::account::Account;
use self::jobs::Desk;
use super::{Connector, Order, Outcome, RunSink};
use crate::model::connection::{self, Capabilities};
use crate::model::device::{Device, Inventory};
use crate::model::plan::Caller;
use crate::model::wire::Doctor;

/// One `[[connection]]` of kind `simplemdm`.
pub struct SimpleMdm(Arc<Account>, Arc<Desk>);

impl SimpleMdm {
    /// `folder`: where it keeps what the next engine should know.
    pub fn new(name: &str, settings: &connection::SimpleMdm, folder: PathBuf) -> Self {
        let account = Account::new(name, settings, folder);
        Self(Arc::clone(&account), Desk::new(account))
    }
}

impl Connector for SimpleMdm {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            cancel_queued: true,
            // (what was fetched goes on: the run says so)
            cancel_running: true,
            groups: true,
            takes_scripts: true,
            side_by_side: true,
            queues: true,
            ..Capabilities::default()
        }
    }

    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        self.0.inventory().boxed()
    }

    fn known_devices(&self) -> BoxFuture<'_, ()> {
        self.0.known().boxed()
    }

    fn read_devices(&self) {
        self.0.read();
    }

    fn changed(&self) -> BoxFuture<'_, bool> {
        async { self.0.stirred() }.boxed()
    }

    fn news(&self) -> BoxFuture<'_, ()> {
        self.0.news().boxed()
    }

    fn launch(&self, order: Order, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        Arc::clone(&self.1).launch(order, sink).boxed()
    }

    fn unfit(&self, script: &[u8], given: bool) -> Option<String> {
        if given {
            return Some(jobs::NO_PARAMETERS.to_owned());
        }
        (!script.starts_with(b"#!"))
            .then(|| "SimpleMDM runs no script without a shebang: begin it with #!/bin/sh".to_owned())
    }

    fn leave(&self) {
        self.1.watch.leave();
    }

    fn doctor<'a>(&'a self, device: &'a Device, _: &'a Caller) -> BoxFuture<'a, Doctor> {
        doctor::doctor(&self.0, device).boxed()
    }
}
