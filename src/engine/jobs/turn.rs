//! What an operator does to a job that goes: hold it, let it go on, approve a ring, stop it. Asked twice, the second
//! changes nothing and says so.

use crate::engine::{Engine, find_run, problem};
use crate::model::audit::{Act, Deed};
use crate::model::job::JobId;
use crate::model::nodeset;
use crate::model::plan::Caller;
use crate::model::wire::{Approve, Cancel, Cancelled, Code, Problem, Stopping, Turned};

impl Engine {
    pub async fn pause(&self, id: JobId) -> Result<Turned, Problem> {
        self.not_yet(id).await
    }

    pub async fn resume(&self, id: JobId, _: Caller) -> Result<Turned, Problem> {
        self.not_yet(id).await
    }

    pub async fn approve(&self, id: JobId, _: Approve) -> Result<Turned, Problem> {
        self.not_yet(id).await
    }

    async fn not_yet(&self, id: JobId) -> Result<Turned, Problem> {
        let job = self.job(id).await?;
        Err(problem(Code::Refused, format!("job {} is not held and cannot be", job.summary.id)))
    }

    pub async fn cancel(&self, id: JobId, what: &Cancel, caller: &Caller) -> Result<Cancelled, Problem> {
        let Some(live) = self.jobs.live(id) else {
            let job = self.job(id).await?;
            return Err(problem(
                Code::Refused,
                format!("job {id} has ended already ({}): nothing to cancel", job.summary.state.word()),
            ));
        };
        let reason = format!("cancelled by {}", self.user);
        let runs = if what.devices.is_empty() {
            None
        } else {
            let job = live.snapshot();
            Some(what.devices.iter().map(|device| find_run(&job, device)).collect::<Result<Vec<_>, _>>()?)
        };
        let done = live.cancel(runs.as_deref(), what.stop != Stopping::All, &reason);
        let script = Some(live.summary().script);
        let (withdrawn, ending) = (done.withdrawn, done.ending);
        let note = Some(format!("withdrew {withdrawn} that had not started, asked {ending} to end"));
        let target = (!what.devices.is_empty()).then(|| nodeset::fold(what.devices.iter().map(String::as_str)));
        self.audit(Deed { job: Some(id), script, target, note, ..Deed::of(Act::Stop, &self.user, caller) }).await?;
        Ok(done)
    }
}
