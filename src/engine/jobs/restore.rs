//! Jobs that an earlier engine began. They come back held: whoever starts an engine, by any verb, has not asked that
//! scripts go out. When somebody lets one go on it is given its devices as the inventory knows them now, and its text as
//! it went out then. What was sent to a system that goes on with it by itself is heard to its end, held or not.

use std::sync::Arc;

use super::live::{LiveJob, Sink};
use super::{Jobs, Ready, came_back, end_at};
use crate::connectors::{Left, Outcome, Payload};
use crate::engine::store::StoreError;
use crate::engine::store::launches::{Given, Launched};
use crate::engine::store::recover;
use crate::engine::{Engine, problem};
use crate::model::device::Device;
use crate::model::job::{LOST, Run, UNKNOWN};
use crate::model::plan::{Caller, Question};
use crate::model::secret::Secret;
use crate::model::state::RunState;
use crate::model::wire::{Code, Problem};

impl Jobs {
    pub fn restore(self: &Arc<Self>, left: recover::Left) -> Result<(), StoreError> {
        let id = left.job.summary.id;
        let starts = self
            .store
            .begin(id, left.job.runs.len())
            .map_err(|error| StoreError::Folder { path: format!("jobs/{id}").into(), error })?;
        let live = Arc::new(LiveJob::restored(left, Arc::clone(&self.store), Arc::clone(&self.bell), starts));
        self.add(&live);
        let inventory = self.inventories.all();
        for run in live.out() {
            let known = inventory.device(&run.device);
            let device = known.map_or_else(|| Device::new(run.connection(), &run.name), |known| Device::clone(known));
            // (a device that has another name by now is asked for by the one that it was sent to under)
            let device = Device { id: run.device.clone(), ..device };
            tokio::spawn(Arc::clone(self).hear_out(Arc::clone(&live), run, Arc::new(device)));
        }
        tokio::spawn(Arc::clone(self).tend(live));
        Ok(())
    }

    /// Hears a run to its end that the engine before this one sent.
    async fn hear_out(self: Arc<Self>, job: Arc<LiveJob>, run: Run, device: Arc<Device>) {
        let last = run.tries.last();
        let sink = Sink::taken_up(&job, run.index, last.map_or(0, |last| last.bytes));
        let heard = sink.heard();
        let left = Left {
            job: job.id,
            device: Arc::clone(&device),
            since: last.map(|last| last.finished_at),
            cancel: job.token(run.index),
        };
        let connector = self.connectors.get(&device.connection);
        if connector.is_some_and(|connector| connector.capabilities().queues) {
            job.is_kept(run.index);
        }
        let outcome = match connector {
            Some(connector) => connector.take_up(left, Box::new(sink)).await,
            None => {
                let why = format!("{LOST}its connection is gone from the configuration; {UNKNOWN}");
                Outcome::because(RunState::Failed, why)
            }
        };
        came_back(&job, run.index, &self.inventories, &device, outcome, &heard);
    }

    /// Until somebody lets it go on, or nothing is left of it.
    async fn tend(self: Arc<Self>, job: Arc<LiveJob>) {
        let summary = job.summary();
        // an end that was written down, and not yet looked at whether it was met before
        self.meet(&job, &summary, &job.snapshot().runs).await;
        let deadline = job.rollout().how.deadline_ms.map(|ms| tokio::spawn(end_at(Arc::clone(&job), ms)));
        let ready = job.taken_up().await;
        if let Some(deadline) = deadline {
            deadline.abort();
        }
        match ready {
            Some(ready) => self.drive(job, ready).await,
            None => job.close(),
        }
    }
}

impl Engine {
    /// Gives a job of an earlier engine what it needs to go on. Where there are questions to be answered first, it is
    /// given nothing, unless it is to go on `anyway`: runs then say what they lack.
    pub(super) async fn take_up(
        &self,
        live: &LiveJob,
        launched: Launched,
        anyway: bool,
        caller: &Caller,
    ) -> Result<Vec<Question>, Problem> {
        self.settle().await;
        let inventory = self.inventories.all();
        let job = live.snapshot();
        let (mut devices, mut gone) = (Vec::new(), Vec::new());
        for run in &job.runs {
            let device = inventory.device(&run.device).cloned();
            let read_only = |device: &Arc<Device>| {
                self.inventories.connection(&device.connection).is_some_and(|connection| connection.read_only)
            };
            match &device {
                _ if run.state.ended() => {}
                None => gone.push((run.index, "in the inventory no longer".to_owned())),
                Some(device) if read_only(device) => {
                    gone.push((run.index, format!("connection {} is read-only now", device.connection)));
                }
                Some(_) => {}
            }
            let connection = run.device.split_once(':').map_or("", |(connection, _)| connection);
            devices.push(device.unwrap_or_else(|| Arc::new(Device::new(connection, &run.name))));
        }
        let left: Vec<&Arc<Device>> = devices
            .iter()
            .zip(&job.runs)
            .filter(|(_, run)| !run.state.ended() && gone.iter().all(|(index, _)| *index != run.index))
            .map(|(device, _)| device)
            .collect();
        let questions = self.questions(&left, caller).await;
        if !questions.is_empty() && !anyway {
            return Ok(questions);
        }
        let (name, version) = (job.summary.script.clone(), job.summary.version.clone());
        let path = self.jobs.store.version_path(&version, &name);
        let read = path.clone();
        let bytes = tokio::task::spawn_blocking(move || std::fs::read(read)).await;
        let bytes = bytes.map_err(|error| problem(Code::Internal, error.to_string()))?.map_err(|error| {
            problem(Code::Internal, format!("the text of {name} {version} cannot be read ({error}); nothing was sent"))
        })?;
        let variables = if launched.variables { Some(self.variables(&devices).await?) } else { None };
        live.skip(&gone);
        let secrets = vec![Secret::new(""); launched.lines];
        live.hand(Ready {
            included: Vec::new(),
            script: Arc::new(Payload {
                name,
                bytes,
                path,
                interpreter: launched.interpreter.clone(),
                variables: launched.variables,
            }),
            variables,
            args: Arc::new(launched.args.clone()),
            arguments: Arc::new(launched.arguments.iter().map(Given::argument).collect()),
            secrets: Arc::new(secrets),
            caller: Arc::new(caller.clone()),
            job,
            launched,
            devices,
        });
        Ok(Vec::new())
    }
}
