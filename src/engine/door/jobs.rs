//! Jobs as other programs see them: pages of them that cost what the page costs, and how one is created. It is planned
//! and launched as everybody's jobs are, past the same guards; the count that an operator would have to type is stated
//! by the request itself, which names its devices, except where a connection is protected.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::Reach;
use crate::engine::store::door::{self as store, Beside, Kind, Order};
use crate::engine::store::output::{self, Cursor, Records};
use crate::engine::{Engine, problem};
use crate::model::job::{Job, JobId, JobSummary};
use crate::model::nearest::shown;
use crate::model::output::Which;
use crate::model::plan::{Caller, LeftOut, Plan, PlanRequest, ScriptRef};
use crate::model::rollout::How;
use crate::model::state::{JobState, RunState};
use crate::model::wire::{Cancel, Code, Launch, Problem, Stopping};

/// How long a request that cancels waits until the job has ended.
const CANCEL: Duration = Duration::from_secs(10);

/// Jobs asked for by filters that hardly any fits: looked at, at most, for one page.
const LOOKED_AT: usize = 100_000;

/// What a system that keeps values by itself calls the two in a launch.
pub const ATTRIBUTE: &str = "custom_attribute";
pub const REGEX: &str = "custom_attribute_regex";

/// Devices are named one by one in a target that is shown to people; of more, their groups must do.
const EXCLUDED_SHOWN: usize = 20;

/// What a page of jobs is asked for by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub after: Option<u64>,
    pub descending: bool,
    pub limit: usize,
    /// What the script was called, over the API or as a file.
    pub script_name: Option<String>,
    /// A script by its number.
    pub script: Option<u64>,
    /// Our ids of devices: a job that ran on any of them.
    pub devices: Vec<String>,
    /// Numbers of groups that were ordered, and expressions that mean them.
    pub groups: Vec<u64>,
    pub expressions: Vec<String>,
    /// `device`, `device_group`, `assignment_group`: what was ordered.
    pub kinds: Vec<String>,
    pub status: Vec<String>,
    pub created: (Option<Timestamp>, Option<Timestamp>),
    pub updated: (Option<Timestamp>, Option<Timestamp>),
}

/// A job of a page.
pub struct Row {
    pub job: JobSummary,
    pub beside: Beside,
    pub order: Option<Order>,
    /// Our ids of its devices, and where their runs are.
    pub runs: Vec<(String, RunState)>,
    /// The script as it was launched.
    pub content: Arc<[u8]>,
}

pub struct Page {
    pub rows: Vec<Row>,
    pub more: bool,
}

/// The four names that SimpleMDM has for where a job is.
pub const fn status(job: &JobSummary) -> &'static str {
    let bad = job.counts.failed + job.counts.timeout + job.counts.offline;
    match job.state {
        JobState::Running => "pending",
        JobState::Cancelled => "cancelled",
        JobState::Done if bad == 0 => "completed",
        JobState::Stopped | JobState::Interrupted if bad == 0 => "cancelled",
        JobState::Done | JobState::Stopped | JobState::Interrupted => "completed-with-errors",
    }
}

/// And for where a run is.
pub const fn run_status(job: JobState, run: RunState) -> &'static str {
    match run {
        RunState::Ok => "completed",
        RunState::Failed | RunState::Timeout | RunState::Offline => "error",
        RunState::Cancelled | RunState::Skipped => "cancelled",
        // its turn never came
        RunState::Queued | RunState::Sent | RunState::Running if job.ended() => "cancelled",
        RunState::Queued | RunState::Sent | RunState::Running => "pending",
    }
}

fn within(at: Timestamp, (after, before): (Option<Timestamp>, Option<Timestamp>)) -> bool {
    after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
}

impl Filter {
    fn takes(&self, db: &Connection, job: &JobSummary) -> rusqlite::Result<bool> {
        let plain = (self.status.is_empty() || self.status.iter().any(|word| word == status(job)))
            && within(job.created_at, self.created);
        if !plain {
            return Ok(false);
        }
        if self.updated != (None, None) || self.script.is_some() {
            let beside = store::beside(db, job.id)?;
            let fits = self.script.is_none() || self.script == beside.script;
            if !fits || !within(beside.updated_at(job), self.updated) {
                return Ok(false);
            }
        }
        let ordered = self.script_name.is_some() || !self.groups.is_empty() || !self.kinds.is_empty();
        let order = if ordered { store::order(db, job.id)? } else { None };
        let targets = order.as_ref().map(|order| &order.targets);
        if let Some(name) = &self.script_name {
            let title = order.as_ref().and_then(|order| order.title.as_ref());
            if *name != job.script && title != Some(name) {
                return Ok(false);
            }
        }
        let group = |id: &u64| targets.is_some_and(|t| t.groups.contains(id) || t.assignment_groups.contains(id));
        if !self.groups.is_empty() && !self.groups.iter().any(group) && !self.expressions.contains(&job.target) {
            return Ok(false);
        }
        let kind = |kind: &String| match kind.as_str() {
            "device" => targets.is_none_or(|targets| !targets.devices.is_empty()),
            "device_group" => targets.is_some_and(|targets| !targets.groups.is_empty()),
            _ => targets.is_some_and(|targets| !targets.assignment_groups.is_empty()),
        };
        if !self.kinds.is_empty() && !self.kinds.iter().any(kind) {
            return Ok(false);
        }
        for device in &self.devices {
            if store::ran_on(db, job.id, device)? {
                return Ok(true);
            }
        }
        Ok(self.devices.is_empty())
    }
}

/// Texts of scripts, each read once a page, whose jobs often ran the same few.
type Texts = HashMap<(String, String), Arc<[u8]>>;

fn row(
    engine: &Engine,
    db: &Connection,
    job: JobSummary,
    runs: Vec<(String, RunState)>,
    texts: &mut Texts,
) -> rusqlite::Result<Row> {
    let read = |(version, name): &(String, String)| engine.jobs.store.kept(version, name).unwrap_or_default().into();
    let content = texts.entry((job.version.clone(), job.script.clone()));
    let content = Arc::clone(content.or_insert_with_key(read));
    let (beside, order) = (store::beside(db, job.id)?, store::order(db, job.id)?);
    Ok(Row { job, beside, order, runs, content })
}

impl Row {
    fn option(&self, name: &str) -> Option<&str> {
        self.beside.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The custom attribute that keeps what its devices say, here or at their system.
    pub fn attribute(&self) -> Option<&str> {
        let ordered = self.order.as_ref().and_then(|order| order.attribute.as_deref());
        ordered.or_else(|| self.option(ATTRIBUTE))
    }

    /// What is taken out of it before.
    pub fn regex(&self) -> Option<&str> {
        let ordered = self.order.as_ref().and_then(|order| order.regex.as_deref());
        ordered.or_else(|| self.option(REGEX))
    }
}

/// What a job is created from.
pub struct Asked {
    /// The script's file, or one of a system's own library.
    pub script: String,
    /// Our ids of the devices that were named, each of which must be able to run it.
    pub named: Vec<String>,
    /// Expressions of the groups, of which those run it that can.
    pub expressions: Vec<String>,
    pub params: Vec<(String, String)>,
    /// For the systems of the devices.
    pub options: Vec<(String, String)>,
    pub include: Vec<LeftOut>,
    /// How many devices whoever asks believes these to be.
    pub confirm: Option<usize>,
    pub order: Order,
}

/// What a run said, as much of it as was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub bytes: Vec<u8>,
    /// There is more.
    pub cut: bool,
}

fn invalid(error: impl Into<String>) -> Problem {
    problem(Code::Invalid, error)
}

impl Engine {
    /// A page of jobs, those alone all of whose devices the key reaches.
    pub async fn job_page(self: &Arc<Self>, filter: Filter, reach: Reach) -> Result<Page, Problem> {
        self.read(move |engine, db| {
            let (mut found, mut more, mut looked) = (Vec::new(), false, 0);
            store::each_job(db, filter.after, filter.descending, |job| {
                looked += 1;
                if looked > LOOKED_AT {
                    return Ok(false);
                }
                if !filter.takes(db, &job)? {
                    return Ok(true);
                }
                let runs = store::rows(db, job.id)?;
                if reach.as_ref().is_some_and(|reach| !runs.iter().all(|(device, _)| reach.contains(device))) {
                    return Ok(true);
                }
                if found.len() == filter.limit {
                    more = true;
                    return Ok(false);
                }
                found.push((job, runs));
                Ok(true)
            })?;
            let mut texts = Texts::new();
            let rows = found.into_iter().map(|(job, runs)| row(engine, db, job, runs, &mut texts));
            Ok(Page { rows: rows.collect::<rusqlite::Result<_>>()?, more })
        })
        .await
    }

    /// One job whole, if the key reaches all its devices; for one that is limited, others are not there.
    pub async fn whole_job(self: &Arc<Self>, id: JobId, reach: &Reach) -> Result<(Job, Row), Problem> {
        let unknown = || problem(Code::NotFound, "object not found");
        let job = self.job(id).await.map_err(|why| if why.code == Code::NotFound { unknown() } else { why })?;
        if reach.as_ref().is_some_and(|reach| !job.runs.iter().all(|run| reach.contains(&run.device))) {
            return Err(unknown());
        }
        let summary = job.summary.clone();
        let row = self.read(move |engine, db| row(engine, db, summary, Vec::new(), &mut Texts::new())).await?;
        Ok((job, row))
    }

    /// Plans and launches.
    pub async fn create_job(self: &Arc<Self>, asked: Asked, reach: &Reach, caller: Caller) -> Result<JobId, Problem> {
        let inventory = self.inventories.all();
        let mut parts = asked.expressions.clone();
        let mut wanted: HashSet<String> = asked.named.iter().cloned().collect();
        for expr in &asked.expressions {
            wanted.extend(self.meant(&inventory, expr).await?.devices.iter().map(|device| device.id.clone()));
        }
        if let Some(reach) = reach
            && let Some(beyond) = wanted.iter().find(|device| !reach.contains(*device))
        {
            let why = format!("this key does not reach all of these devices ({} is beyond it)", shown(beyond));
            return Err(problem(Code::Refused, why));
        }
        if !asked.named.is_empty() {
            parts.insert(0, self.exactly(&asked.named.iter().map(String::as_str).collect::<Vec<_>>()).await?);
        }
        let request = PlanRequest {
            script: ScriptRef::Library(asked.script.clone()),
            target: parts.join(" | "),
            params: asked.params.clone(),
            options: asked.options.clone(),
            secrets: Vec::new(),
            files: Vec::new(),
            include: asked.include.clone(),
            dry_run: false,
            timeout_ms: None,
            at_once: None,
            how: How::default(),
        };
        let plan = self.plan(request, &caller).await?;
        self.check_plan(&plan, &asked, &wanted)?;
        let count = plan.devices.len();
        if count == 0 {
            return Err(invalid(format!("{} (over this API: include=…)", plan.nothing_left())));
        }
        let launched = self.launch(&Launch { plan: plan.id, confirm: Some(count) }, caller).await?;
        let (id, order) = (launched.id, asked.order);
        let keeps = order.attribute.is_some();
        self.jobs.store.db.call(move |db| store::put_order(db, id, &order)).await?;
        if keeps {
            self.keep_values(id);
        }
        Ok(id)
    }

    /// What stands between the request and the launch that an operator would see on the screen.
    fn check_plan(&self, plan: &Plan, asked: &Asked, wanted: &HashSet<String>) -> Result<(), Problem> {
        // whatever the expression says: nothing runs on a device that was not asked for
        if let Some(other) = plan.devices.iter().find(|device| !wanted.contains(*device)) {
            return Err(problem(Code::Stale, format!("the groups have changed meanwhile ({other} came): try again")));
        }
        let named: HashSet<&str> = asked.named.iter().map(String::as_str).collect();
        let out: Vec<String> = plan
            .excluded
            .iter()
            .filter(|(device, _)| named.contains(device.as_str()))
            .take(EXCLUDED_SHOWN)
            .map(|(device, why)| format!("{}: {why}", shown(device)))
            .collect();
        if !out.is_empty() {
            return Err(invalid(format!("device_ids: not all of these devices can run it now ({})", out.join("; "))));
        }
        let count = plan.devices.len();
        let protected = |device: &String| {
            let connection = device.split(':').next().unwrap_or_default();
            self.inventories.connection(connection).is_some_and(|connection| connection.protected)
        };
        match asked.confirm {
            Some(told) if told != count => {
                Err(invalid(format!("confirm: {told} was confirmed, but these are {count} devices: nothing was sent")))
            }
            None if count > 1 && plan.devices.iter().any(protected) => Err(invalid(format!(
                "these are {count} devices, some of them on a protected connection: confirm={count} says that this is \
                 meant; nothing was sent"
            ))),
            _ => Ok(()),
        }
    }

    /// Cancels what has not ended, and waits a while until that is so.
    pub async fn cancel_job(self: &Arc<Self>, id: JobId, stop: Stopping, caller: &Caller) -> Result<(), Problem> {
        let follower = self.jobs.live(id).map(|live| live.follow().0);
        self.cancel(id, &Cancel { devices: Vec::new(), stop }, caller).await?;
        let ended = async {
            let Some(follower) = follower else { return };
            while follower.take().end.is_none() {
                follower.bell.notified().await;
            }
        };
        // what goes on is told by the job itself
        let _ = tokio::time::timeout(CANCEL, ended).await;
        Ok(())
    }

    /// What a run said, up to so many bytes. Blocks.
    pub fn output_now(&self, id: JobId, run: u32, which: Which, most: usize) -> io::Result<Output> {
        let Some(source) = self.outputs(id).open(run)? else { return Ok(Output::default()) };
        let (mut cursor, mut records) = (Cursor::start(), Records::of(&source.files));
        let mut said = Output::default();
        while let Some(stretch) = cursor.next_large(&mut records, source.end, 64 * 1024)? {
            if !which.takes(stretch.stream) {
                continue;
            }
            if said.bytes.len() >= most {
                said.cut = true;
                break;
            }
            output::read(&source.files, &stretch, &mut said.bytes)?;
        }
        if said.bytes.len() > most {
            said.bytes.truncate(most);
            said.cut = true;
        }
        Ok(said)
    }

    /// The names of numbers that devices and scripts have, or had.
    pub async fn names_of(self: &Arc<Self>, kind: Kind, ids: Vec<u64>) -> Result<Vec<Option<String>>, Problem> {
        self.read(move |_, db| ids.iter().map(|id| store::name_of(db, kind, *id)).collect()).await
    }

    /// The log entries of a job's runs, by run.
    pub async fn logs_of(self: &Arc<Self>, id: JobId) -> Result<std::collections::HashMap<u32, u64>, Problem> {
        self.read(move |_, db| crate::engine::store::log::of_job(db, id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::Counts;

    fn job(state: JobState, counts: Counts) -> JobSummary {
        JobSummary {
            id: 1,
            script: "fix.sh".into(),
            version: String::new(),
            state,
            counts,
            created_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
            target: "web".into(),
            by: "ops".into(),
            reason: None,
            progress: Default::default(),
            parent: None,
            origin: None,
        }
    }

    #[test]
    fn every_state_has_one_of_the_four_names() {
        let fine = Counts { ok: 3, ..Counts::default() };
        let (bad, silent) = (Counts { failed: 1, ..fine }, Counts { offline: 1, ..fine });
        for (state, counts, name) in [
            (JobState::Running, fine, "pending"),
            (JobState::Running, bad, "pending"),
            (JobState::Done, fine, "completed"),
            (JobState::Done, bad, "completed-with-errors"),
            (JobState::Done, silent, "completed-with-errors"),
            (JobState::Cancelled, fine, "cancelled"),
            (JobState::Stopped, bad, "completed-with-errors"),
            (JobState::Interrupted, fine, "cancelled"),
        ] {
            assert_eq!(status(&job(state, counts)), name, "{state:?} {counts:?}");
        }
    }

    #[test]
    fn what_never_came_to_its_turn_is_cancelled_when_the_job_has_ended() {
        assert_eq!(run_status(JobState::Running, RunState::Queued), "pending");
        assert_eq!(run_status(JobState::Stopped, RunState::Queued), "cancelled");
        assert_eq!(run_status(JobState::Running, RunState::Timeout), "error");
        assert_eq!(run_status(JobState::Running, RunState::Ok), "completed");
    }
}
