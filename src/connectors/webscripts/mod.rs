//! WebScripts servers: each is one device that runs its own scripts and no others, asked over HTTP. Nothing can be
//! stopped there, and no text read or changed, unless this machine can reach the folder the scripts lie in.
//!
//! Owns everything WebScripts: [`door`] one request, [`session`] as whom, [`server`] whose turn it is, [`run`] a launch
//! and what comes of it. Knows no other connector and keeps no job.

mod answer;
mod arguments;
mod doctor;
mod door;
mod ending;
mod index;
mod logins;
mod run;
mod server;
mod session;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use self::server::Server;
use super::{Connector, Order, Outcome, Own, RunSink};
use crate::model::connection::{self, Capabilities};
use crate::model::device::{Device, Group, Inventory};
use crate::model::plan::Caller;
use crate::model::script::ScriptInfo;
use crate::model::wire::{Doctor, Shelf, Step};

/// Why what a server has cannot be renamed, deleted or made here.
const ITS_OWN: &str = "which scripts a server has, and what they are called, is in the server's own configuration";

/// One `[[connection]]` of kind `webscripts`.
pub struct WebScripts(Arc<Server>);

impl WebScripts {
    /// `state`: where it may write down what an engine after this one must know.
    pub fn new(name: &str, settings: &connection::WebScripts, state: &Path) -> Self {
        Self(Server::new(name, settings, state))
    }
}

impl Connector for WebScripts {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streams_output: true,
            splits_stderr: true,
            cancel_queued: true,
            own_library: true,
            edits_library: self.0.settings.script_folder.is_some(),
            parameters: true,
            groups: true,
            side_by_side: true,
            ..Capabilities::default()
        }
    }

    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        async {
            let Server { name, settings, .. } = &*self.0;
            let shelf = self.0.shelf();
            let mut device = Device::new(name, name);
            device.state = shelf.reach;
            device.groups.clone_from(&settings.groups);
            let mut fact = |name: &str, value: String| drop(device.facts.insert(name.to_owned(), value));
            fact("url", settings.url.clone());
            fact("requests", if settings.threaded { "several".into() } else { "one at a time".into() });
            if !shelf.server.is_empty() {
                fact("server", shelf.server);
            }
            let group = |name: &String| Group {
                name: name.clone(),
                connection: device.connection.clone(),
                children: Vec::new(),
                devices: vec![device.id.clone()],
            };
            let groups = settings.groups.iter().map(group).map(Arc::new).collect();
            let warnings = shelf.problem.into_iter().collect();
            Inventory { groups, devices: vec![Arc::new(device.clone())], warnings, ..Inventory::default() }
        }
        .boxed()
    }

    fn own(&self) -> Option<Own> {
        let shelf = self.0.shelf();
        Some(Own {
            scripts: shelf.scripts,
            shelf: Shelf {
                connection: self.0.name.clone(),
                read_at: shelf.read_at,
                problem: shelf.problem,
                reading: shelf.reading,
                closed: Some(ITS_OWN.to_owned()),
                bare: None,
            },
        })
    }

    fn read_own(&self) -> BoxFuture<'_, ()> {
        self.0.read_shelf().boxed()
    }

    fn known(&self) -> BoxFuture<'_, Result<Arc<Vec<ScriptInfo>>, String>> {
        self.0.known().boxed()
    }

    fn script_folder(&self) -> Option<PathBuf> {
        self.0.settings.script_folder.clone()
    }

    fn launch(&self, order: Order, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        run::run(Arc::clone(&self.0), order, sink).boxed()
    }

    fn doctor<'a>(&'a self, device: &'a Device, _: &'a Caller) -> BoxFuture<'a, Doctor> {
        doctor::doctor(&self.0, device).boxed()
    }

    fn examine(&self) -> BoxFuture<'_, Option<Vec<Step>>> {
        async { Some(doctor::examine(&self.0).await) }.boxed()
    }
}
