//! SimpleMDM accounts: devices that fetch their scripts when they next talk to the system, which says how they ended
//! once, whole. Nothing streams, nothing that was fetched can be stopped, and every request counts.
//!
//! Owns everything SimpleMDM: [`client`] one request, [`budget`] when it may go, [`account`] the inventory, [`devices`]
//! what of it is shown, [`copies`] the script that is launched, [`jobs`] a launch, [`watch`] what comes of it,
//! [`sent`] what is written down before it goes, [`seek`] a launch whose answer was lost, [`again`] what the engine
//! before this one sent, [`heard`] which ones ended before our eyes,
//! [`words`] arguments where none are passed, [`library`] its own scripts, [`past`] the jobs it ran. Knows no other connector and keeps no job.

mod account;
mod again;
mod budget;
mod client;
mod copies;
mod devices;
mod doctor;
mod ending;
mod form;
mod heard;
mod jobs;
mod library;
mod options;
mod past;
mod seek;
mod sent;
mod watch;
mod wire;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use self::account::Account;
use self::budget::Urgency;
use self::jobs::Desk;
use self::library::Library;
use super::remote::{Change, Changed, PastHead, PastJob, PastPage, Unchanged};
use super::{Connector, Handed, Left, Order, Outcome, Own, RunSink};
use crate::model::connection::{self, Capabilities};
use crate::model::device::{Device, Inventory};
use crate::model::options::LaunchOption;
use crate::model::plan::Caller;
use crate::model::script::ScriptInfo;
use crate::model::wire::{Doctor, Step};

/// One `[[connection]]` of kind `simplemdm`.
pub struct SimpleMdm(Arc<Account>, Arc<Desk>, Arc<Library>);

impl SimpleMdm {
    /// `folder`: where it keeps what the next engine should know.
    pub fn new(name: &str, settings: &connection::SimpleMdm, folder: PathBuf) -> Self {
        let account = Account::new(name, settings, folder);
        let library = Arc::new(Library::new(name));
        Self(Arc::clone(&account), Desk::new(account, Arc::clone(&library)), library)
    }
}

impl Connector for SimpleMdm {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            cancel_queued: true,
            // (what was fetched goes on: the run says so)
            cancel_running: true,
            own_library: true,
            edits_library: true,
            texts: true,
            past_jobs: true,
            groups: true,
            takes_scripts: true,
            side_by_side: true,
            queues: true,
            takes_up: true,
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

    fn own(&self) -> Option<Own> {
        Some(self.2.own())
    }

    fn read_own(&self) -> BoxFuture<'_, ()> {
        self.2.read(&self.0.client, Urgency::Later).boxed()
    }

    fn known(&self) -> BoxFuture<'_, Result<Arc<Vec<ScriptInfo>>, String>> {
        self.2.known(&self.0.client).boxed()
    }

    fn own_text<'a>(&'a self, name: &'a str, anew: bool) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unchanged>> {
        self.2.text(&self.0.client, name, anew).boxed()
    }

    fn change_own(&self, change: Change) -> BoxFuture<'_, Result<Changed, Unchanged>> {
        // what was begun is ended, whoever has stopped waiting for it: what came of it is known then
        let (account, library) = (Arc::clone(&self.0), Arc::clone(&self.2));
        let done = tokio::spawn(async move { library.change(&account.client, change).await });
        async { done.await.unwrap_or_else(|error| Err(Unchanged::Failed(error.to_string()))) }.boxed()
    }

    fn fills_in(&self) -> bool {
        true
    }

    fn launch_options(&self) -> Vec<LaunchOption> {
        options::options(self.0.attributes())
    }

    fn read_options(&self) -> BoxFuture<'_, ()> {
        self.0.read_attributes().boxed()
    }

    fn past_jobs(&self, after: Option<String>) -> BoxFuture<'_, Result<Option<PastPage>, String>> {
        async {
            self.1.sorted_out().await?;
            past::page(&self.0.client, after, |number| self.1.watch.knows(number)).await.map(Some)
        }
        .boxed()
    }

    fn past_job<'a>(&'a self, head: &'a PastHead) -> BoxFuture<'a, Result<Option<PastJob>, String>> {
        async {
            self.1.sorted_out().await?;
            let numbers = self.0.numbers();
            let (name, client) = (&self.0.name, &self.0.client);
            let device = |number: &str| {
                let gone = || (format!("{name}:device-{number}"), format!("device-{number}"));
                numbers.get(number).cloned().unwrap_or_else(gone)
            };
            let script = |name: &str, text: &str| self.2.that_says(name, text);
            past::whole(client, name, head, self.1.watch.knows(&head.id), script, device).await
        }
        .boxed()
    }

    fn launch(&self, order: Order, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        Arc::clone(&self.1).launch(order, sink).boxed()
    }

    fn take_up(&self, left: Left, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        Arc::clone(&self.1).take_up(left, sink).boxed()
    }

    fn unfit(&self, script: &[u8], given: &Handed<'_>) -> Option<String> {
        if !script.starts_with(b"#!") {
            return Some("SimpleMDM runs no script without a shebang: begin it with #!/bin/sh".to_owned());
        }
        words::unfit(script, given)
    }

    fn remark(&self, script: &ScriptInfo, given: &Handed<'_>) -> Option<String> {
        let (name, copy) = (&self.0.name, copies::copy_name(&script.name));
        (!given.args.is_empty()).then(|| {
            format!(
                "its parameters are written into {name}, in the script `{copy}`: whoever reads its scripts reads them"
            )
        })
    }

    fn leave(&self) {
        self.1.watch.leave();
    }

    fn doctor<'a>(&'a self, device: &'a Device, _: &'a Caller) -> BoxFuture<'a, Doctor> {
        doctor::doctor(&self.0, device).boxed()
    }

    fn examine(&self) -> BoxFuture<'_, Option<Vec<Step>>> {
        async { Some(doctor::examine(&self.0).await) }.boxed()
    }
}
