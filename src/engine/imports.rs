//! Jobs that systems ran without us, brought into our own store: searched, grouped, compared, exported and re-run there
//! like any other, and kept when their system has forgotten them. Asked for, or in the background while nothing runs.
//! One job after the other, so that a large account costs no memory; where it was cut off it goes on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex as Turns;

use super::lastline::LastLine;
use super::shelf::blocking;
use super::store::db;
use super::store::imported::{self, Known};
use super::triage;
use super::triage::heard::Heard;
use super::{Engine, problem};
use crate::connectors::remote::{PastHead, PastJob, PastRun};
use crate::connectors::{Connector, Outcome};
use crate::model::audit::{Act, Deed};
use crate::model::device::Device;
use crate::model::import::Import;
use crate::model::job::{Job, JobId, JobSummary, Run};
use crate::model::nearest::{hint, shown};
use crate::model::output::Stream;
use crate::model::plan::Caller;
use crate::model::script::inspect::version;
use crate::model::state::{Counts, JobState};
use crate::model::wire::{Code, Event, Problem};
use crate::model::{nodeset, rollout};

/// Between two looks for what has come, and before the first: whoever starts an engine wants something else first.
const EVERY: Duration = Duration::from_secs(600);
const AT_FIRST: Duration = Duration::from_secs(90);

/// The longest target that is shown, in bytes.
const TARGET: usize = 400;

/// What is being brought in, and what was.
#[derive(Default)]
pub(super) struct Imports {
    told: Mutex<BTreeMap<String, Import>>,
    /// One system at a time.
    turns: Turns<()>,
}

impl Imports {
    fn told(&self) -> MutexGuard<'_, BTreeMap<String, Import>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, connection: &str, change: impl FnOnce(&mut Import)) {
        change(self.told().entry(connection.to_owned()).or_insert_with(|| Import::of(connection)));
    }
}

/// Ends a bringing-in, also one that was given up.
struct Going<'a>(&'a Imports, &'a str);

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.0.tell(self.1, |import| import.going = false);
    }
}

impl Engine {
    /// Begins to bring in what a system ran, or goes on with that; how it stands.
    pub async fn import(self: &Arc<Self>, connection: &str, caller: &Caller) -> Result<Import, Problem> {
        let Some(connector) = self.connectors.get(connection) else {
            let near = hint(connection, self.connectors.keys().map(String::as_str));
            let text = format!("there is no connection '{}'{near}", shown(connection));
            return Err(problem(Code::NotFound, text));
        };
        if !connector.capabilities().past_jobs {
            let text = format!("{connection} keeps no jobs that could be brought in");
            return Err(problem(Code::Refused, text));
        }
        let going = {
            let mut told = self.imports.told();
            let import = told.entry(connection.to_owned()).or_insert_with(|| Import::of(connection));
            std::mem::replace(&mut import.going, true)
        };
        if !going {
            self.imports.tell(connection, Import::begin);
            let note = Some(format!("past jobs of {connection}"));
            self.audit(Deed { note, ..Deed::of(Act::Import, &self.user, caller) }).await?;
            let (engine, connection) = (Arc::clone(self), connection.to_owned());
            tokio::spawn(async move { engine.bring_in(&connection).await });
        }
        self.imported(connection)
    }

    /// How the bringing-in from a connection stands.
    pub fn imported(&self, connection: &str) -> Result<Import, Problem> {
        let told = self.imports.told().get(connection).cloned();
        told.ok_or_else(|| problem(Code::NotFound, format!("nothing was brought in from '{}'", shown(connection))))
    }

    /// Brings in what has come, for ever, while nothing else is going on.
    pub(super) async fn import_idly(self: Arc<Self>) {
        let mut pause = AT_FIRST;
        let mut keeping: Vec<String> = self
            .connectors
            .iter()
            .filter(|(_, connector)| connector.capabilities().past_jobs)
            .map(|(name, _)| name.clone())
            .collect();
        keeping.sort();
        while !keeping.is_empty() {
            tokio::time::sleep(pause).await;
            pause = EVERY;
            for connection in &keeping {
                let going = self.imports.told().get(connection).is_some_and(|import| import.going);
                if going || self.jobs_running() > 0 {
                    continue;
                }
                self.imports.tell(connection, Import::begin);
                self.bring_in(connection).await;
            }
        }
    }

    async fn bring_in(&self, connection: &str) {
        let _going = Going(&self.imports, connection);
        let _alone = self.imports.turns.lock().await;
        let Some(connector) = self.connectors.get(connection) else { return };
        if let Err(why) = self.go_through(connection, connector).await {
            tracing::warn!(connection, why, "past jobs");
            self.imports.tell(connection, |import| import.problem = Some(why));
        }
    }

    /// First what may have changed since, then what is new, from where the list was left.
    async fn go_through(&self, connection: &str, connector: &Arc<dyn Connector>) -> Result<(), String> {
        let db = &self.jobs.store.db;
        let name = connection.to_owned();
        let mut known = db.call(move |db| imported::known(db, &name)).await.map_err(|error| error.to_string())?;
        let mut open: Vec<(String, Known)> = known
            .iter()
            .filter(|(_, known)| known.open)
            .map(|(number, known)| (number.clone(), known.clone()))
            .collect();
        open.sort_by_key(|(_, known)| known.job);
        for (id, before) in open {
            let head = PastHead { id, mark: String::new(), open: true, ours: false };
            // (one of ours, of which there is nothing to bring up to date)
            let before = Some(&before).filter(|before| before.job != 0);
            self.bring(connection, connector, &head, before).await?;
        }
        let name = connection.to_owned();
        let mut after = db.call(move |db| imported::cursor(db, &name)).await.map_err(|error| error.to_string())?;
        loop {
            let Some(page) = connector.past_jobs(after.clone()).await? else { return Ok(()) };
            self.imports.tell(connection, |import| import.found += page.jobs.len());
            for head in &page.jobs {
                let before = known.remove(&head.id);
                if before.as_ref().is_none_or(|before| before.mark.is_empty()) {
                    self.bring(connection, connector, head, before.as_ref()).await?;
                }
                let (name, number) = (connection.to_owned(), head.id.clone());
                let done = db.call(move |db| imported::set_cursor(db, &name, &number)).await;
                done.map_err(|error| error.to_string())?;
                self.imports.tell(connection, |import| import.done += 1);
            }
            let Some(next) = page.next else { return Ok(()) };
            after = Some(next);
        }
    }

    /// Brings one job in, or up to date.
    async fn bring(
        &self,
        connection: &str,
        connector: &Arc<dyn Connector>,
        head: &PastHead,
        before: Option<&Known>,
    ) -> Result<(), String> {
        let store = Arc::clone(&self.jobs.store);
        let mark = |known: Known| {
            let (name, number, db) = (connection.to_owned(), head.id.clone(), store.db.clone());
            async move { db.call(move |db| imported::set(db, &name, &number, &known)).await.map_err(|e| e.to_string()) }
        };
        // of an open one the end is heard here, or it is brought in when the engine that was to hear it is gone
        let ours = |head: &PastHead| Known { job: 0, mark: head.mark.clone(), open: head.open };
        if head.ours {
            return mark(ours(head)).await;
        }
        let Some(past) = connector.past_job(head).await? else {
            // listed, and gone when it was asked for: what is known of it stays as it is
            return match before {
                Some(before) => {
                    self.left(before.job).await?;
                    mark(Known { open: false, mark: "gone".to_owned(), ..before.clone() }).await
                }
                None => Ok(()),
            };
        };
        if past.head.ours && before.is_none() {
            return mark(ours(&past.head)).await;
        }
        let whole = before.filter(|before| !before.mark.is_empty());
        if whole.is_some_and(|before| before.mark == past.head.mark) {
            return Ok(());
        }
        let texts = Arc::clone(&store);
        let (text, script) = (past.text.clone(), past.script.clone());
        let kept = blocking(move || {
            texts
                .keep_version(&version(&text), &script, &text)
                .map_err(|error| problem(Code::Internal, error.to_string()))
        });
        kept.await.map_err(|problem| problem.error)?;
        let mut past = past;
        let mut job = made(connection, &past);
        let known = match before {
            Some(before) => {
                let id = before.job;
                let there = store.db.call(move |db| db::job(db, id)).await.map_err(|error| error.to_string())?;
                let Some(there) = there else {
                    // forgotten here since
                    return mark(Known { mark: past.head.mark, open: false, ..before.clone() }).await;
                };
                past.runs = in_order(past.runs, &there.runs);
                job = made(connection, &past);
                for (run, was) in job.runs.iter_mut().zip(&there.runs) {
                    (run.device, run.name) = (was.device.clone(), was.name.clone());
                    // when a device ended is not told: only that it had by now
                    run.finished_at = match (was.state.ended(), run.state.ended()) {
                        (false, true) if whole.is_some() => Some(Timestamp::now()),
                        _ => was.finished_at,
                    };
                }
                before.clone()
            }
            None => {
                let (name, number, first) = (connection.to_owned(), head.id.clone(), job.clone());
                let variables = past.variables;
                let begun = store.db.call(move |db| imported::begin(db, &name, &number, (&first, variables))).await;
                Known { job: begun.map_err(|error| error.to_string())?, mark: String::new(), open: true }
            }
        };
        job.summary.id = known.job;
        let devices = self.known_devices_of(&job);
        let now = Known { job: known.job, mark: past.head.mark.clone(), open: past.head.open };
        let told_at = past.updated_at;
        let (keeper, anew) = (Arc::clone(&store), whole.is_none());
        let job = blocking(move || {
            lay(&keeper, job, past, &devices, anew).map_err(|error| problem(Code::Internal, error.to_string()))
        });
        let job = job.await.map_err(|problem| problem.error)?;
        let all = self.inventories.all();
        let answered = job.runs.iter().filter(|run| run.exit_code.is_some() && all.device(&run.device).is_some());
        answered.for_each(|run| self.inventories.answered(&run.device, run.finished_at.unwrap_or(told_at)));
        self.jobs.record_soon();
        let summary = job.summary.clone();
        let (name, number) = (connection.to_owned(), head.id.clone());
        let written = store.db.call(move |db| imported::keep(db, &name, &number, &now, &job)).await;
        written.map_err(|error| error.to_string())?;
        self.imports.tell(connection, |import| *(if anew { &mut import.added } else { &mut import.updated }) += 1);
        self.events.publish(&Event::Job { job: Box::new(summary) });
        Ok(())
    }

    /// A job that its system has forgotten before it ended.
    async fn left(&self, id: JobId) -> Result<(), String> {
        let db = &self.jobs.store.db;
        let Some(mut job) = db.call(move |db| db::job(db, id)).await.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        job.summary.state = JobState::Interrupted;
        job.summary.finished_at = Some(Timestamp::now());
        job.summary.reason = Some("its system lists it no longer: how the rest ended is not known".to_owned());
        let summary = job.summary.clone();
        let changes = [(job.summary, Vec::new())];
        let done = db.call(move |db| db::update(db, &changes, |_| Ok(()))).await;
        self.events.publish(&Event::Job { job: Box::new(summary) });
        done.map_err(|error| error.to_string())
    }

    /// The devices of a job as the inventory knows them: their own words are taken out of what they say.
    fn known_devices_of(&self, job: &Job) -> HashMap<String, Arc<Device>> {
        let all = self.inventories.all();
        let find = |run: &Run| Some((run.device.clone(), Arc::clone(all.device(&run.device)?)));
        job.runs.iter().filter_map(find).collect()
    }
}

/// In the order in which the devices were first told.
fn in_order(runs: Vec<PastRun>, first: &[Run]) -> Vec<PastRun> {
    let at: HashMap<&str, usize> = first.iter().enumerate().map(|(at, run)| (run.device.as_str(), at)).collect();
    let mut runs = runs;
    // (one whose name has changed since keeps its place behind those that are known)
    runs.sort_by_key(|run| at.get(run.device.as_str()).copied().unwrap_or(usize::MAX));
    runs.truncate(first.len());
    runs
}

/// A system's job as one of ours, before its outputs.
fn made(connection: &str, past: &PastJob) -> Job {
    let runs: Vec<Run> = (0..)
        .zip(&past.runs)
        .map(|(index, run)| Run {
            state: run.state,
            exit_code: run.exit_code,
            reason: run.reason.clone(),
            sent_at: Some(past.created_at),
            attempts: u32::from(run.state.ended()),
            ..Run::queued(index, &run.device, &run.name)
        })
        .collect();
    let state = match (past.head.open, past.cancelled) {
        (true, _) => JobState::Running,
        (false, true) => JobState::Cancelled,
        (false, false) => JobState::Done,
    };
    let folded = nodeset::fold(runs.iter().map(|run| run.device.as_str()));
    let target = if folded.len() > TARGET { format!("{} devices of {connection}", runs.len()) } else { folded };
    let summary = JobSummary {
        id: 0,
        script: past.script.clone(),
        version: version(&past.text),
        state,
        counts: Counts::of(runs.iter().map(|run| run.state)),
        created_at: past.created_at,
        finished_at: state.ended().then_some(past.updated_at),
        target,
        by: past.by.clone(),
        reason: None,
        progress: rollout::Progress::default(),
        parent: None,
        origin: Some(format!("{connection}:{}", past.head.id)),
    };
    Job {
        summary,
        params: Vec::new(),
        timeout_ms: None,
        at_once: 0,
        options: past.options.clone(),
        rollout: rollout::Rollout::default(),
        runs,
    }
}

/// Writes what the devices said, and what is known by that. `anew`: nothing of it is whole yet.
fn lay(
    store: &super::store::Store,
    mut job: Job,
    past: PastJob,
    devices: &HashMap<String, Arc<Device>>,
    anew: bool,
) -> std::io::Result<Job> {
    let id = job.summary.id;
    if anew {
        store.renew(id)?;
    }
    let of = u32::try_from(job.runs.len()).unwrap_or(u32::MAX);
    let at_ms = u64::try_from(past.updated_at.as_millisecond()).unwrap_or(0);
    for (run, PastRun { output, .. }) in job.runs.iter_mut().zip(past.runs) {
        let totals = store.put_output(id, (run.index, of), &output, at_ms)?;
        (run.bytes, run.lines) = (totals.bytes, totals.lines);
        if !run.state.ended() {
            continue;
        }
        let (mut last, mut heard) = (LastLine::default(), Heard::default());
        last.push(&output);
        heard.push(Stream::Out, &output);
        run.last_line = last.get();
        run.digest = Some(heard.digest());
        let outcome = Outcome {
            state: run.state,
            exit_code: run.exit_code,
            signal: None,
            reason: run.reason.clone(),
            refused: false,
            unasked: false,
        };
        let unknown;
        let device = match devices.get(&run.device) {
            Some(device) => device,
            None => {
                unknown = Device::new(run.device.split(':').next().unwrap_or_default(), &run.name);
                &unknown
            }
        };
        run.signature = Some(triage::signature(device, &outcome, &heard));
    }
    if job.summary.state.ended()
        && let Err(error) = store.pack(id, of)
    {
        tracing::warn!(%error, job = id, "outputs stay unpacked");
    }
    Ok(job)
}
