//! Jobs: launching plans, driving their runs within the limits, recording what happens.
//!
//! The recorder is the one place from which state becomes visible: it gathers what changed in all running
//! jobs, commits it in one transaction, and only then tells followers and consoles.

mod foreign;
pub mod live;
pub(super) mod overlap;
pub mod plan;
mod remarks;
mod restore;
mod rings;
mod rollout;
pub mod stream;
mod turn;
mod variables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::live::{Bell, LiveJob, Sink, SinkHeard};
use self::rollout::Next;
use self::variables::Variables;
use super::events::Events;
use super::inventory::{Inventories, contact_of};
use super::store::launches::{self, Launched};
use super::store::{Store, db, ways};
use super::triage::{self, Specimen};
use crate::connectors::{Connectors, Gate, Order, Outcome, Pass, Payload};
use crate::model::audit::Deed;
use crate::model::device::{Device, Reach};
use crate::model::job::{Job, JobId, JobSummary, Run};
use crate::model::notify::turns;
use crate::model::plan::Caller;
use crate::model::script::Argument;
use crate::model::secret::Secret;
use crate::model::state::RunState;
use crate::model::wire::{Contacted, Event};
use crate::settings::units;

/// Devices handed to connectors beyond those that may run: they connect while others run.
const AHEAD: usize = 64;

/// How long growing outputs are gathered before consoles are told.
const TELL_EVERY: Duration = Duration::from_millis(33);

/// The same, when very many grow at once.
const TELL_MANY_EVERY: Duration = Duration::from_millis(250);

pub struct Jobs {
    pub store: Arc<Store>,
    events: Arc<Events>,
    inventories: Arc<Inventories>,
    connectors: Arc<Connectors>,
    bell: Arc<Bell>,
    live: Mutex<HashMap<JobId, Arc<LiveJob>>>,
    /// Number of running jobs.
    pub running: watch::Sender<usize>,
}

/// A plan ready to go.
pub struct Ready {
    /// What was taken in on purpose, in words.
    pub included: Vec<String>,
    pub job: Job,
    /// What another engine would need to go on.
    pub launched: Launched,
    pub devices: Vec<Arc<Device>>,
    pub script: Arc<Payload>,
    /// Of its text, where it has any.
    pub variables: Option<Arc<Variables>>,
    pub args: Arc<Vec<String>>,
    pub arguments: Arc<Vec<Argument>>,
    pub secrets: Arc<Vec<Secret>>,
    pub caller: Arc<Caller>,
}

impl Jobs {
    pub fn new(
        store: Arc<Store>,
        events: Arc<Events>,
        inventories: Arc<Inventories>,
        connectors: Arc<Connectors>,
    ) -> Arc<Self> {
        let jobs = Arc::new(Self {
            store,
            events,
            inventories,
            connectors,
            bell: Arc::default(),
            live: Mutex::default(),
            running: watch::Sender::new(0),
        });
        tokio::spawn(Arc::clone(&jobs).record());
        tokio::spawn(Arc::clone(&jobs).tell());
        jobs
    }

    pub fn live(&self, id: JobId) -> Option<Arc<LiveJob>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Devices that a running job has not done with yet, and which job that is.
    pub fn busy(&self) -> HashMap<String, JobId> {
        let mut busy = HashMap::new();
        for job in self.all_live() {
            job.each_unfinished(|device| {
                busy.insert(device.to_owned(), job.id);
            });
        }
        busy
    }

    fn all_live(&self) -> Vec<Arc<LiveJob>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Writes the job down, then starts it.
    pub async fn launch(self: &Arc<Self>, mut ready: Ready) -> Result<JobSummary, super::store::StoreError> {
        let (job, launched) = (ready.job.clone(), ready.launched.clone());
        let id = self.store.db.call(move |db| launches::insert(db, &job, &launched)).await?;
        ready.job.summary.id = id;
        let starts = match self.store.begin(id, ready.job.runs.len()) {
            Ok(starts) => starts,
            Err(error) => {
                let _ = self.store.db.call(move |db| db::delete_job(db, id)).await;
                return Err(super::store::StoreError::Folder { path: format!("jobs/{id}").into(), error });
            }
        };
        let summary = ready.job.summary.clone();
        let launch = Deed::launch(&ready.job, &ready.launched.plan, &ready.included, &ready.caller);
        if let Err(why) = self.store.audit.record(launch).await {
            let _ = self.store.db.call(move |db| db::delete_job(db, id)).await;
            return Err(super::store::StoreError::Audit(why));
        }
        let goes_on = ready.launched.held.is_empty();
        let (store, bell) = (Arc::clone(&self.store), Arc::clone(&self.bell));
        let live = Arc::new(LiveJob::new(ready.job.clone(), store, bell, starts, goes_on));
        self.add(&live);
        self.events.publish(&Event::Job { job: Box::new(summary.clone()) });
        tokio::spawn(Arc::clone(self).drive(live, ready));
        Ok(summary)
    }

    fn add(&self, live: &Arc<LiveJob>) {
        let mut all = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(live.id, Arc::clone(live));
        self.running.send_replace(all.len());
    }

    /// Starts the runs in order, within the limits, and waits for all of them.
    async fn drive(self: Arc<Self>, job: Arc<LiveJob>, ready: Ready) {
        let at_once = ready.job.at_once as usize;
        let running = (at_once > 0).then(|| Arc::new(Semaphore::new(at_once)));
        let places = Arc::new(Semaphore::new(if at_once > 0 { at_once + AHEAD } else { Semaphore::MAX_PERMITS }));
        let timeout = ready.job.timeout_ms.map(Duration::from_millis);
        let deadline = ready.job.rollout.how.deadline_ms.map(|ms| tokio::spawn(end_at(Arc::clone(&job), ms)));
        let options = Arc::new(ready.job.options.clone());
        let mut tasks = JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let run = match job.next() {
                (Next::Start(run), _) => run,
                (Next::Idle(_), pause) => {
                    drop(place);
                    while tasks.try_join_next().is_some() {}
                    tokio::select! {
                        () = job.turned.notified() => {}
                        () = tokio::time::sleep(pause.unwrap_or(Duration::MAX)), if pause.is_some() => {}
                    }
                    continue;
                }
                (Next::Done, _) => break,
            };
            let device = Arc::clone(&ready.devices[run as usize]);
            let cancel = job.token(run);
            let connector = self.connectors.get(&device.connection).cloned();
            let queues = connector.as_ref().is_some_and(|connector| connector.capabilities().queues);
            if queues {
                job.is_kept(run);
            }
            let place = (!queues).then_some(place);
            let variables = ready.variables.clone().filter(|_| !connector.as_ref().is_some_and(|it| it.fills_in()));
            let mut order = Order {
                device,
                job: Some(job.id),
                script: Arc::clone(&ready.script),
                args: Arc::clone(&ready.args),
                arguments: Arc::clone(&ready.arguments),
                secrets: Arc::clone(&ready.secrets),
                options: Arc::clone(&options),
                caller: Arc::clone(&ready.caller),
                timeout,
                cancel,
                gate: Gate(running.clone(), Some(Pass { valve: Arc::clone(&job.valve), run })),
            };
            let job = Arc::clone(&job);
            let (inventories, store) = (Arc::clone(&self.inventories), Arc::clone(&self.store));
            tasks.spawn(async move {
                let device = Arc::clone(&order.device);
                let sink = Sink::new(&job, run);
                let heard = sink.heard();
                let filled = match &variables {
                    Some(variables) => variables.fill(&order.script, &device, &store).await,
                    None => Ok(Arc::clone(&order.script)),
                };
                let outcome = match (connector, filled) {
                    (Some(connector), Ok(script)) => {
                        order.script = script;
                        connector.launch(order, Box::new(sink)).await
                    }
                    (Some(_), Err(why)) => Outcome::because(RunState::Failed, why),
                    (None, _) => Outcome::because(RunState::Skipped, "its connection is gone from the configuration"),
                };
                came_back(&job, run, &inventories, &device, outcome, &heard);
                drop(place);
            });
            while tasks.try_join_next().is_some() {}
            // those on their way are served before more are sent: the first to answer is heard at once
            tokio::task::yield_now().await;
        }
        while tasks.join_next().await.is_some() {}
        if let Some(deadline) = deadline {
            deadline.abort();
        }
        job.close();
    }

    /// There is news of devices, of no job.
    pub fn record_soon(&self) {
        self.bell.changed.notify_one();
    }

    /// Records changes for ever: what was gathered while a commit ran goes into the next one.
    async fn record(self: Arc<Self>) {
        loop {
            self.bell.changed.notified().await;
            let jobs = self.all_live();
            let changes: Vec<_> = jobs.iter().filter_map(|job| job.changes().map(|c| (Arc::clone(job), c))).collect();
            let contacts = self.inventories.take_contacts();
            if changes.is_empty() && contacts.is_empty() {
                continue;
            }
            for (device, contact) in &contacts {
                if contact.state == Reach::Online {
                    jobs.iter().for_each(|job| job.answers(device));
                }
            }
            let rows: Vec<_> = changes.iter().map(|(_, change)| change.clone()).collect();
            let contacted = if self.events.heard() { contacts.iter().map(told).collect() } else { Vec::new() };
            let turned = changes.iter().map(|(job, (now, _))| (turns(Some(&job.summary()), now), now.clone()));
            let turned: Vec<_> = turned.filter(|(turns, _)| !turns.is_empty()).collect();
            let note = self.store.outbox.noting(turned);
            let written = self
                .store
                .db
                .call(move |db| {
                    db::set_contacts(db, &contacts)?;
                    db::update(db, &rows, note)
                })
                .await;
            if let Err(error) = written {
                tracing::error!(%error, "could not record");
                let text = format!("{error}: states of runs are kept in memory until it can be written again");
                for (job, (_, runs)) in &changes {
                    job.unrecorded(runs, &text);
                }
                self.events.publish(&Event::Notice { text });
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.bell.changed.notify_one();
                continue;
            }
            let mut failed = false;
            for (job, (summary, runs)) in changes {
                let transitions = job.recorded(&summary, &runs);
                self.meet(&job, &summary, &runs).await;
                // what failed in it stands among the targets from now on
                failed |= summary.state.ended() && summary.counts.failed > 0;
                if self.events.heard() {
                    if !runs.is_empty() {
                        self.events.publish(&Event::Runs { job: job.id, runs });
                    }
                    self.events.publish(&Event::Job { job: Box::new(summary.clone()) });
                    for what in transitions {
                        self.events.publish(&Event::Transition { job: job.id, what });
                    }
                }
                if summary.state.ended() {
                    if let Err(why) = self.store.audit.record(Deed::end(&summary)).await {
                        self.events.publish(&Event::Notice { text: why });
                    }
                    self.retire(&job);
                } else if job.is_laid_down() {
                    self.remove(&job);
                }
            }
            if !contacted.is_empty() {
                self.events.publish(&Event::Contacts { devices: contacted });
            }
            if failed && self.events.heard() {
                self.events.publish(&Event::Targets);
            }
        }
    }

    /// Ends that no earlier job of the script met: each is looked up once, when the job first meets it. They go by the
    /// names that the script's own rules, what was learnt of it and what people merged and split give them.
    async fn meet(&self, job: &LiveJob, summary: &JobSummary, runs: &[Run]) {
        for (signature, end) in job.unmet(runs) {
            let (script, id) = (summary.script.clone(), job.id);
            let (name, specimen) = (signature.name, Specimen::of(&end));
            let known = self.store.db.call(move |db| {
                Ok((ways::unmet(db, &script, id, &name, &specimen)?, db::ran_before(db, &script, id)?))
            });
            match known.await {
                // where no job ran before, all that fails is unknown: it stops what should stop, and nobody is woken
                Ok((Some(name), told)) => job.met_new(name, signature.says, end.index, told),
                Ok((None, _)) => {}
                Err(error) => tracing::warn!(%error, "whether a signature is new is not known"),
            }
        }
    }

    fn remove(&self, job: &LiveJob) {
        let mut all = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&job.id);
        self.running.send_replace(all.len());
    }

    fn retire(&self, job: &Arc<LiveJob>) {
        self.remove(job);
        let (store, id, runs) = (Arc::clone(&self.store), job.id, job.runs());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = store.pack(id, runs) {
                tracing::warn!(%error, job = id, "outputs stay unpacked");
            }
        });
    }

    /// Tells consoles how outputs grow, at the pace of a screen.
    async fn tell(self: Arc<Self>) {
        loop {
            self.bell.grown.notified().await;
            let mut many = false;
            for job in self.all_live() {
                // taken also when nobody listens: a run that stays marked would never ring again
                let runs = job.take_grown();
                many |= runs.len() > 500;
                if !runs.is_empty() && self.events.heard() {
                    self.events.publish(&Event::Output { job: job.id, runs });
                }
            }
            tokio::time::sleep(if many { TELL_MANY_EVERY } else { TELL_EVERY }).await;
        }
    }

    /// Ends every running job and waits until that is recorded, for a bounded time.
    pub async fn shutdown(&self) {
        for job in self.all_live() {
            job.stop();
        }
        let mut running = self.running.subscribe();
        let ended = async { while *running.borrow_and_update() > 0 && running.changed().await.is_ok() {} };
        if tokio::time::timeout(Duration::from_secs(12), ended).await.is_err() {
            tracing::warn!("some runs did not end in time");
        }
    }
}

/// What became of a run, with what it said.
fn came_back(
    job: &LiveJob,
    run: u32,
    inventories: &Inventories,
    device: &Device,
    mut outcome: Outcome,
    said: &SinkHeard,
) {
    if let Some(why) = said.broken.get() {
        outcome = Outcome::because(RunState::Failed, why.clone());
    }
    if outcome.state == RunState::Sent {
        return; // the next engine hears how it ends
    }
    inventories.contacted(&device.id, contact_of(&outcome));
    let (signature, digest) = {
        let heard = said.heard.lock().unwrap_or_else(PoisonError::into_inner);
        (triage::signature(device, &outcome, &heard), heard.digest())
    };
    job.finished(run, outcome, signature, digest);
}

/// As consoles hear of it: a fleet that is talked to is not read whole for each contact.
fn told((device, contact): &(String, db::Contact)) -> Contacted {
    let (state, last_contact, last_error) = (contact.state, contact.last_contact, contact.last_error.clone());
    Contacted { device: device.clone(), state, last_contact, last_error }
}

/// Ends the job when it has taken as long as it may.
async fn end_at(job: Arc<LiveJob>, ms: u64) {
    tokio::time::sleep(job.left_of(ms)).await;
    let limit = units::show_duration(Duration::from_millis(ms));
    job.deadline(&format!("stopped by its deadline: {limit} after the launch"));
}

#[cfg(test)]
mod tests;
