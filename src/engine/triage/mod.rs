//! Triage: what a run's end is called, and the runs of a job by that name. `heard` gathers while bytes arrive, so a
//! name is there with the last line; `groups` puts runs together from what is recorded; `remarks` is what people said
//! of a name.

pub mod groups;
mod heard;
mod mask;
mod own;
mod remarks;
mod signature;
mod telling;

pub use heard::Heard;
pub use mask::MARKS;

use std::collections::{BTreeSet, HashMap};

use self::groups::Facts;
use self::own::Own;
pub use self::signature::Specimen;
use super::Engine;
use super::store::db;
use crate::connectors::Outcome;
use crate::model::device::Device;
use crate::model::job::{JobId, Run, Signature};
use crate::model::state::RunState;
use crate::model::triage::Groups;
use crate::model::wire::Problem;

/// What this end is called.
pub fn signature(device: &Device, outcome: &Outcome, heard: &Heard) -> Signature {
    signature::of(outcome, &heard.lines(outcome.state != RunState::Ok), &Own::of(device))
}

/// Takes out of a line what is this device's or a moment's own, as signatures do.
pub fn masker(device: &Device) -> impl Fn(&str) -> String + use<> {
    let own = Own::of(device);
    move |line| mask::mask(&own.taken_out(line))
}

impl Engine {
    /// The runs of a job by how they ended, live or kept, beside the job of the same script before it.
    pub async fn groups(&self, id: JobId, exact: bool) -> Result<Groups, Problem> {
        let job = self.job(id).await?;
        let script = job.summary.script.clone();
        let previous = self.jobs.store.db.call(move |db| db::job_before(db, &script, id)).await?;
        let before = match previous {
            // of another job only the meaning is compared: no two are byte for byte the same
            Some(previous) if !exact => Some(self.job(previous).await?.runs),
            _ => None,
        };
        let inventory = self.inventories.all();
        let devices: HashMap<&str, &Device> =
            inventory.devices.iter().map(|device| (device.id.as_str(), device)).collect();
        let facts = |run: &Run| devices.get(run.device.as_str()).map_or_else(Facts::new, |device| facts(device));
        let mut groups = Groups { job: id, previous, ..groups::of(&job.runs, exact, before.as_deref(), &facts) };
        self.remarked(&mut groups).await?;
        Ok(groups)
    }
}

fn facts(device: &Device) -> Facts {
    let mut facts: Facts =
        device.facts.iter().map(|(field, value)| (field.clone(), BTreeSet::from([value.clone()]))).collect();
    facts.entry("group".to_owned()).or_default().extend(device.groups.iter().cloned());
    facts
}
