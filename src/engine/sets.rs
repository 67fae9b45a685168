//! Target expressions resolved: the inventory knows devices and groups, the jobs know what they left behind
//! (`@failed:4812`). Both are put together here; what an expression means is `model::target`'s affair.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::compare::find_group;
use super::jobs::overlap;
use super::jobs::plan::invalid;
use super::store::db;
use super::{Engine, problem};
use crate::model::device::{Device, Inventory};
use crate::model::job::{Job, JobId};
use crate::model::plan::Exclusion;
use crate::model::saved::SavedTarget;
use crate::model::target::{self, Expr, JobSet, Left, Sets};
use crate::model::wire::{Code, Problem};

/// Jobs looked back for failures, and those of which the failed devices stand among the targets.
const RECENT: usize = 50;
const FAILED: usize = 3;

/// Devices that an expression means, in the inventory's order.
pub struct Meant {
    pub devices: Vec<Arc<Device>>,
    /// Ids that a job left and the inventory has no longer.
    pub gone: Vec<String>,
    /// Ids that a job left failed and that are not meant, since nobody knows what ran on them.
    pub unknown: Vec<(JobId, Vec<String>)>,
    /// The expression leaves devices out.
    pub leaves_out: bool,
}

impl Meant {
    /// Ids that are named and to which nothing is sent, whatever it is, with the reason.
    pub fn left_out(&self) -> impl Iterator<Item = (&[String], Exclusion)> {
        let gone = (!self.gone.is_empty()).then(|| (&*self.gone, overlap::lost(&self.gone)));
        gone.into_iter().chain(self.unknown.iter().map(|(job, ids)| (&**ids, overlap::unknown(*job, ids))))
    }
}

impl Engine {
    /// An error points at its column.
    pub async fn meant(&self, inventory: &Arc<Inventory>, expr: &str) -> Result<Meant, Problem> {
        let wrong =
            |error: target::Error| Problem { code: Code::Invalid, error: error.message, column: Some(error.column) };
        let expr = target::parse_with(expr, &|name| self.saved.find(name)).map_err(wrong)?;
        let leaves_out = expr.leaves_out();
        let sets = self.sets(&expr).await;
        let mut devices: Vec<Arc<Device>> = Vec::new();
        let mut gone = Vec::new();
        let known: HashSet<&str> = if sets.is_empty() {
            HashSet::new()
        } else {
            inventory.devices.iter().map(|device| device.id.as_str()).collect()
        };
        let missing: BTreeSet<&String> =
            sets.values().flatten().flatten().filter(|id| !known.contains(id.as_str())).collect();
        let mut with = Arc::clone(inventory);
        if !missing.is_empty() {
            // told, not passed over: they are meant as far as the expression goes
            let with = Arc::make_mut(&mut with);
            with.devices.extend(missing.iter().map(|id| {
                let (connection, name) = id.split_once(':').unwrap_or(("", id));
                Arc::new(Device::new(connection, name))
            }));
            with.devices.sort_by(|a, b| a.id.cmp(&b.id));
        }
        for device in expr.resolve(&with, &sets).map_err(wrong)? {
            if missing.contains(&device.id) {
                gone.push(device.id.clone());
            } else {
                devices.push(device.clone());
            }
        }
        let taken: HashSet<&str> = devices.iter().map(|device| device.id.as_str()).collect();
        let mut unknown = Vec::new();
        for set in expr.sets().into_iter().filter(|set| set.left == Left::Failed) {
            let Ok(doubtful) = self.set(&JobSet { left: Left::Unknown, ..set.clone() }).await else { continue };
            if doubtful.is_empty() {
                continue;
            }
            let mut wider = sets.clone();
            if let Some(Ok(ids)) = wider.get_mut(set) {
                ids.extend(doubtful);
            }
            let wider = expr.resolve(&with, &wider).map_err(wrong)?.into_iter().map(|device| &device.id);
            let out: Vec<String> =
                wider.filter(|id| !taken.contains(id.as_str()) && !gone.contains(id)).cloned().collect();
            if !out.is_empty() {
                unknown.push((set.job, out));
            }
        }
        Ok(Meant { devices, gone, unknown, leaves_out })
    }

    /// Ids of all devices that an expression means, those among them that the inventory has forgotten: `known` are the
    /// ids that anything ever ran on.
    pub async fn ever_meant(&self, expr: &str, known: Vec<String>) -> Result<HashSet<String>, Problem> {
        let wrong =
            |error: target::Error| Problem { code: Code::Invalid, error: error.message, column: Some(error.column) };
        let inventory = self.inventories.all();
        let expr = target::parse_with(expr, &|name| self.saved.find(name)).map_err(wrong)?;
        let sets = self.sets(&expr).await;
        let here: HashSet<&str> = inventory.devices.iter().map(|device| device.id.as_str()).collect();
        let left = sets.values().flatten().flatten();
        let gone: BTreeSet<&String> = known.iter().chain(left).filter(|id| !here.contains(id.as_str())).collect();
        let mut with = Inventory::clone(&inventory);
        with.devices.extend(gone.into_iter().map(|id| {
            let (connection, name) = id.split_once(':').unwrap_or(("", id));
            Arc::new(Device::new(connection, name))
        }));
        with.devices.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(expr.resolve(&with, &sets).map_err(wrong)?.into_iter().map(|device| device.id.clone()).collect())
    }

    /// What failed in the last jobs, as targets that are kept without anybody's doing.
    pub async fn failed_lately(&self) -> Vec<SavedTarget> {
        let jobs = self.jobs.store.db.call(|db| db::jobs(db, RECENT)).await.unwrap_or_default();
        let failed = jobs.iter().filter(|job| job.state.ended() && job.counts.failed > 0).take(FAILED);
        failed
            .map(|job| JobSet { job: job.id, left: Left::Failed }.to_string())
            .map(|expr| SavedTarget { name: expr.trim_start_matches('@').to_owned(), expr })
            .collect()
    }

    async fn sets(&self, expr: &Expr) -> Sets {
        let mut sets = Sets::new();
        for set in expr.sets() {
            sets.insert(set.clone(), self.set(set).await.map_err(|problem| problem.error));
        }
        sets
    }

    async fn set(&self, set: &JobSet) -> Result<HashSet<String>, Problem> {
        let job = self.ended(set.job).await?;
        let Left::Group(signature) = &set.left else {
            return Ok(job.runs.iter().filter(|run| set.left.takes(run)).map(|run| run.device.clone()).collect());
        };
        let groups = self.groups(set.job, false).await?;
        let group = find_group(&groups, signature)?;
        let device = |run: &u32| job.runs.get(*run as usize).map(|run| run.device.clone());
        Ok(group.runs.iter().filter_map(device).collect())
    }

    /// A job whose runs change no more.
    pub async fn ended(&self, id: JobId) -> Result<Job, Problem> {
        let job = self.job(id).await?;
        if !job.summary.state.ended() {
            let why = format!(
                "job {id} still runs: what it leaves is known when it has ended (`quarterdeck jobs attach {id}` waits, \
                 `jobs cancel {id}` ends it)"
            );
            return Err(invalid(why));
        }
        Ok(job)
    }

    /// One device, by an expression that means no other.
    pub async fn one(&self, expr: &str) -> Result<Arc<Device>, Problem> {
        let mut meant = self.meant(&self.inventories.all(), expr).await?;
        match (meant.devices.pop(), meant.devices.len()) {
            (Some(one), 0) => Ok(one),
            (None, _) => Err(problem(Code::NotFound, format!("no device named {expr}"))),
            (Some(_), others) => Err(invalid(format!("`{expr}` names {} devices: give one", others + 1))),
        }
    }
}
