//! The engine: owns connections, inventory, library, running jobs and the store. Knows connectors and model;
//! refuses to know HTTP, screens, and the environment.

mod clean;
mod compare;
mod doctor;
pub mod door;
mod ending;
pub mod events;
pub mod hooks;
mod imports;
pub mod inventory;
pub mod jobs;
mod lastline;
pub mod library;
pub mod merged;
pub mod outputs;
mod past;
mod post;
mod remote;
mod saved;
pub mod search;
mod sets;
mod shelf;
mod shelves;
pub mod store;
mod templates;
pub mod tokens;
pub mod triage;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::events::Events;
use self::inventory::Inventories;
use self::jobs::Jobs;
use self::jobs::plan::{self, Plans};
use self::library::Library;
use self::library::trash::Trash;
use self::search::Searches;
use self::store::recover::{self, Recovered};
use self::store::{Store, StoreError, audit::swap_settings, db};
use self::triage::Triage;
pub use crate::connectors::local::guard::{self, Guard};
use crate::connectors::{self, Connector, Connectors, Handed};
use crate::model::audit::{self, Act, Deed};
use crate::model::connection::{Capabilities, Kind};
use crate::model::device::Device;
use crate::model::job::{Job, JobId, JobSummary};
use crate::model::nodeset;
use crate::model::plan::{Caller, Plan, PlanRequest, Question, ScriptRef};
use crate::model::script::{LastRun, Script, ScriptInfo};
use crate::model::secret::Secret;
use crate::model::shelf::Numbers;
use crate::model::state::Counts;
use crate::model::wire::{Answer, Code, Event, Launch, Problem, Resolved, Targets};
use crate::settings::{EngineSettings, Settings, paths};

/// A thousand devices that speak: a connection and two files of output each. Fewer is said, not refused.
const OPEN_FILES: u64 = 4096;

/// Entries of the audit log told at once.
const AUDIT_PAGE: usize = 2_000;

/// Raises the limit of open files; how many of them a process may have now, as far as we need them.
pub fn open_files() -> u64 {
    connectors::ssh::raise_open_files(OPEN_FILES).map_or(OPEN_FILES, |_| 256)
}

pub struct Engine {
    pub settings: EngineSettings,
    pub user: String,
    pub events: Arc<Events>,
    pub inventories: Arc<Inventories>,
    pub library: Arc<Library>,
    pub jobs: Arc<Jobs>,
    trash: Arc<Trash>,
    templates: Arc<templates::Shelf>,
    saved: Arc<saved::Shelf>,
    tokens: tokens::Tokens,
    hooked: hooks::Pace,
    triage: Triage,
    door: door::Door,
    connectors: Arc<Connectors>,
    /// Folders that systems' own scripts lie in, by connection.
    folders: HashMap<String, Arc<Library>>,
    plans: Plans,
    launching: tokio::sync::Mutex<()>,
    searches: Searches,
    past: past::Desk,
    imports: imports::Imports,
    notices: Mutex<Vec<String>>,
    /// Said once, to the first who asks.
    news: Mutex<Vec<String>>,
    started: Instant,
    /// Milliseconds after `started` at which somebody last asked for something.
    last_asked: AtomicU64,
    watchers: Mutex<Vec<Box<dyn std::any::Any + Send>>>,
}

/// It never was, or was forgotten.
fn no_job(id: JobId) -> Problem {
    problem(Code::NotFound, format!("no job {id} (`quarterdeck jobs ls` lists those that are kept)"))
}

fn problem(code: Code, error: impl Into<String>) -> Problem {
    Problem { code, error: error.into(), column: None }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        problem(Code::Internal, error.to_string())
    }
}

impl From<db::DbError> for Problem {
    fn from(error: db::DbError) -> Self {
        problem(Code::Internal, error.to_string())
    }
}

impl Engine {
    /// Opens store and library, marks what a crash left, reads every inventory, and watches their files.
    /// `guard`: who ends this machine's scripts should we be killed.
    pub async fn open(settings: &Settings, guard: Guard) -> Result<Arc<Self>, StoreError> {
        let guard = Arc::new(guard);
        let mut store = Store::open(&settings.paths.state)?;
        store.outbox.hooks.clone_from(&settings.engine.webhooks);
        let store = Arc::new(store);
        let contacts = store.db.call(|db| db::contacts(db)).await?;
        let keys = store.db.call(|db| store::tokens::live(db)).await?;
        let connectors: Connectors = settings
            .connections
            .iter()
            .map(|connection| {
                let connector: Arc<dyn Connector> = match &connection.kind {
                    Kind::Local => Arc::new(connectors::local::Local::new(&connection.name, &settings.home, &guard)),
                    Kind::Ssh(_) => Arc::new(connectors::ssh::Ssh::new(connection.clone())),
                    Kind::WebScripts(server) => {
                        let state = settings.paths.state.join("webscripts");
                        Arc::new(connectors::webscripts::WebScripts::new(&connection.name, server, &state))
                    }
                    Kind::SimpleMdm(account) => {
                        let folder = settings.paths.state.join("simplemdm").join(&connection.name);
                        Arc::new(connectors::simplemdm::SimpleMdm::new(&connection.name, account, folder))
                    }
                };
                (connection.name.clone(), connector)
            })
            .collect();
        let connectors = Arc::new(connectors);
        let takes_up = |name: &str| connectors.get(name).is_some_and(|connector| connector.capabilities().takes_up);
        let recovered = store.recover(takes_up).await?;
        let folders = shelves::folders(&connectors);
        let inventories = Arc::new(Inventories::new(settings.connections.clone(), Arc::clone(&connectors), contacts));
        inventories.refresh().await;
        let events = Arc::new(Events::default());
        let folder = settings.paths.library.clone();
        let library = tokio::task::spawn_blocking(move || Library::open(folder))
            .await
            .unwrap_or_else(|_| Library::open(settings.paths.library.clone()));
        let mut notices = settings.problems.clone();
        notices.extend(connectors::ssh::raise_open_files(OPEN_FILES));
        let mut news = Vec::new();
        news.extend(told(&recovered));
        tokio::spawn(post::Post::new(Arc::clone(&store), Arc::clone(&events)).work());
        let jobs = Jobs::new(store, Arc::clone(&events), Arc::clone(&inventories), Arc::clone(&connectors));
        for left in recovered.left {
            jobs.restore(left)?;
        }
        let engine = Arc::new(Self {
            settings: settings.engine.clone(),
            user: settings.user.clone(),
            events,
            inventories,
            library: Arc::new(library),
            jobs,
            trash: Arc::new(Trash::new(settings.paths.data.join("trash"))),
            templates: Arc::new(templates::Shelf::new(settings.paths.data.join("templates"))),
            saved: Arc::new(saved::Shelf::new(settings.paths.data.join("targets.toml"))),
            tokens: tokens::Tokens::of(keys),
            hooked: hooks::Pace::default(),
            triage: Triage::default(),
            door: door::Door::default(),
            connectors,
            folders,
            plans: Plans::default(),
            launching: tokio::sync::Mutex::default(),
            searches: Searches::default(),
            past: past::Desk::default(),
            imports: imports::Imports::default(),
            notices: Mutex::new(notices),
            news: Mutex::new(news),
            started: Instant::now(),
            last_asked: AtomicU64::new(0),
            watchers: Mutex::default(),
        });
        engine.audit_settings(settings).await;
        engine.watch();
        engine.keep_left_values().await;
        engine.read_shelves();
        tokio::spawn(Arc::clone(&engine).retain());
        tokio::spawn(Arc::clone(&engine).import_idly());
        Ok(engine)
    }

    /// Follows changes of library and inventory files.
    fn watch(self: &Arc<Self>) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let events = Arc::clone(&self.events);
        match self.library.watch(move || events.publish(&Event::Library)) {
            Ok(watch) => watchers.push(Box::new(watch)),
            Err(error) => {
                self.notices
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("the script library is not watched ({error}): ^r shows what has changed in it"));
            }
        }
        let (engine, runtime) = (Arc::downgrade(self), tokio::runtime::Handle::current());
        let watch = watch_files(&self.inventories.watched(), move || {
            let Some(engine) = engine.upgrade() else { return };
            runtime.spawn(async move {
                engine.inventories.refresh().await;
                engine.events.publish(&Event::Targets);
            });
        });
        watchers.push(Box::new(watch));
        for connector in self.connectors.values() {
            let (engine, connector) = (Arc::downgrade(self), Arc::clone(connector));
            tokio::spawn(async move {
                loop {
                    connector.news().await;
                    let Some(engine) = engine.upgrade() else { return };
                    engine.refresh().await;
                }
            });
        }
    }

    async fn retain(self: Arc<Self>) {
        match self.jobs.store.retain(self.settings.keep_days, self.settings.keep_bytes).await {
            Ok(gone) if !gone.is_empty() => tracing::info!(jobs = gone.len(), "forgot old jobs"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "retention"),
        }
    }

    // -- being there -----------------------------------------------------------------------------------

    /// Somebody asks for something: the engine is not idle.
    pub fn touched(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_asked.store(now, Ordering::Relaxed);
    }

    pub fn jobs_running(&self) -> usize {
        *self.jobs.running.borrow()
    }

    /// Jobs run or consoles listen.
    pub fn busy(&self) -> bool {
        self.jobs_running() > 0 || self.events.heard()
    }

    /// How much longer it may idle; zero: it should end.
    pub fn idle_left(&self) -> Duration {
        if self.busy() {
            return self.settings.idle_exit;
        }
        let asked = Duration::from_millis(self.last_asked.load(Ordering::Relaxed));
        self.settings.idle_exit.saturating_sub(self.started.elapsed().saturating_sub(asked))
    }

    /// Told to whoever attaches, for as long as it runs.
    pub fn notice(&self, text: String) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    pub fn notices(&self) -> Vec<String> {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notices.extend(self.inventories.warnings());
        notices.append(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner));
        notices
    }

    pub async fn shutdown(&self) {
        self.connectors.values().for_each(|connector| connector.leave());
        self.jobs.shutdown().await;
        for connector in self.connectors.values() {
            connector.close().await;
        }
    }

    // -- targets ---------------------------------------------------------------------------------------

    pub async fn targets(&self) -> Targets {
        self.look_again().await;
        let shelf = Arc::clone(&self.saved);
        let read = tokio::task::spawn_blocking(move || shelf.list()).await;
        let (mut saved, saved_problem) = read.unwrap_or_default();
        saved.extend(self.failed_lately().await);
        Targets { saved, saved_problem, ..self.inventories.targets() }
    }

    /// Reads the inventories again.
    pub async fn refresh(&self) {
        self.inventories.refresh().await;
        self.events.publish(&Event::Targets);
    }

    /// Why a connection's system cannot run a script of this text with what it would be given.
    pub fn unfit(&self, connection: &str, script: &[u8], given: &Handed<'_>) -> Option<String> {
        self.connectors.get(connection)?.unfit(script, given)
    }

    /// What a connection's system can do; one that is gone can do nothing.
    pub fn capabilities(&self, connection: &str) -> Capabilities {
        self.connectors.get(connection).map(|connector| connector.capabilities()).unwrap_or_default()
    }

    /// Has every inventory that is read in the background read anew.
    pub fn read_devices(&self) {
        for connector in self.connectors.values() {
            connector.read_devices();
        }
    }

    /// Waits, not for ever, until every inventory was read once.
    pub async fn devices_known(&self) {
        let all = self.connectors.values().map(|connector| connector.known_devices());
        futures::future::join_all(all).await;
    }

    /// Sees to it that what is resolved from now on is what the inventories say at this moment.
    pub async fn settle(&self) {
        self.devices_known().await;
        self.look_again().await;
    }

    async fn look_again(&self) {
        if self.inventories.changed().await {
            self.refresh().await;
        }
    }

    pub async fn resolve(&self, expr: &str) -> Result<Resolved, Problem> {
        self.settle().await;
        let meant = self.meant(&self.inventories.all(), expr).await?;
        let exclusions = meant.left_out().map(|(_, exclusion)| exclusion).collect();
        let devices = meant.devices;
        let folded = nodeset::fold(devices.iter().map(|device| device.id.as_str()));
        Ok(Resolved { count: devices.len(), folded, devices, exclusions })
    }

    /// Secrets that reaching these devices needs.
    pub async fn questions(&self, devices: &[&Arc<Device>], caller: &Caller) -> Vec<Question> {
        let mut questions = Vec::new();
        for (name, connector) in self.connectors.iter() {
            let theirs = devices.iter().filter(|device| device.connection == *name);
            let theirs: Vec<Arc<Device>> = theirs.map(|device| Arc::clone(device)).collect();
            if !theirs.is_empty() {
                questions.extend(connector.questions(&theirs, caller).await);
            }
        }
        questions
    }

    pub async fn answer(&self, answer: Answer) -> Result<(), Problem> {
        let mut why = "no such question".to_owned();
        for connector in self.connectors.values() {
            match connector.answer(&answer.id, Secret::new(answer.value.expose())).await {
                Ok(()) => return Ok(()),
                Err(error) if error != "no such question" => why = error,
                Err(_) => {}
            }
        }
        Err(problem(Code::Refused, why))
    }

    // -- scripts ---------------------------------------------------------------------------------------

    pub async fn library(&self) -> Result<crate::model::wire::Library, Problem> {
        let library = Arc::clone(&self.library);
        let mut listed = tokio::task::spawn_blocking(move || library.list())
            .await
            .map_err(|error| problem(Code::Internal, error.to_string()))?;
        let history = self.jobs.store.db.call(|db| db::history(db)).await?;
        let mut numbers = self.jobs.store.db.call(|db| store::versions::numbers(db)).await?;
        for script in &mut listed.scripts {
            script.last_run = history.get(&script.name).and_then(|jobs| last_run(jobs));
            script.number = Some(number_of(&mut numbers, script));
        }
        self.list_shelves(&mut listed, &history, &mut numbers).await;
        listed.numbers = numbers;
        Ok(listed)
    }

    pub async fn script(&self, name: &str) -> Result<Script, Problem> {
        if let Some(script) = self.own_script(name).await? {
            return Ok(script);
        }
        let (mut info, bytes) = self.bytes(name).await?;
        let findings = self.library.lint_text(&info.name, bytes.clone()).await;
        let history = self.jobs.store.db.call(|db| db::history(db)).await?;
        info.last_run = history.get(&info.name).and_then(|jobs| last_run(jobs));
        Ok(Script { info, text: String::from_utf8_lossy(&bytes).into_owned(), findings })
    }

    /// What lint says of a script in the library, or of a text.
    pub async fn lint(&self, script: &ScriptRef) -> Result<Script, Problem> {
        match script {
            ScriptRef::Library(name) => self.script(name).await,
            ScriptRef::Text { .. } | ScriptRef::Job(_) => {
                let (info, bytes, _) = plan::fetch(self, script).await?;
                let findings = self.library.lint_text(&info.name, bytes.clone()).await;
                let findings = self.as_it_lies(&info.name, findings);
                Ok(Script { info, text: String::from_utf8_lossy(&bytes).into_owned(), findings })
            }
        }
    }

    // -- audit -----------------------------------------------------------------------------------------

    /// Writes down what somebody did: before it is done where it sends something (an error: do not), else after.
    pub async fn audit(&self, deed: Deed) -> Result<(), Problem> {
        let sends = deed.act.sends();
        match self.jobs.store.audit.record(deed).await {
            Ok(_) => Ok(()),
            Err(why) if sends => Err(StoreError::Audit(why).into()),
            Err(why) => {
                self.events
                    .publish(&Event::Notice { text: format!("{why}: it is written as soon as that can be done") });
                Ok(())
            }
        }
    }

    /// Entries of the audit log from an offset on.
    pub async fn audited(&self, from: u64, since: Option<jiff::Timestamp>) -> Result<audit::Page, Problem> {
        let read = self.jobs.store.audit.page(from, since, AUDIT_PAGE).await;
        read.map_err(|error| problem(Code::Internal, format!("the audit log cannot be read: {error}")))
    }

    pub async fn verified(&self) -> Result<audit::Verified, Problem> {
        let read = self.jobs.store.audit.verify().await;
        read.map_err(|error| problem(Code::Internal, format!("the audit log cannot be read: {error}")))
    }

    /// Another configuration than the engine before had is a change of policy.
    async fn audit_settings(&self, settings: &Settings) {
        let (path, mark) = (settings.paths.config.display().to_string(), paths::mark(&settings.paths.config));
        let now = mark.clone();
        let before = self.jobs.store.db.call(move |db| swap_settings(db, &now)).await;
        let before = before.ok().flatten().unwrap_or_else(|| "none".to_owned());
        if before == mark {
            return;
        }
        let note = Some(format!("{path}: {before} before, {mark} now"));
        let _ = self.audit(Deed { by: self.user.clone(), note, ..Deed::own(Act::Settings) }).await;
    }

    // -- jobs ------------------------------------------------------------------------------------------

    pub async fn plan(&self, request: PlanRequest, caller: &Caller) -> Result<Plan, Problem> {
        self.plans.make(self, request, caller).await
    }

    /// A plan that was made here.
    pub fn planned(&self, id: &str) -> Result<Plan, Problem> {
        self.plans.get(id)
    }

    pub async fn launch(&self, launch: &Launch, caller: Caller) -> Result<JobSummary, Problem> {
        // one at a time: a device of two plans is busy for the second
        let _alone = self.launching.lock().await;
        let ready = self.plans.take(self, &launch.plan, launch.confirm, caller).await?;
        Ok(self.jobs.launch(ready).await?)
    }

    pub async fn job_list(&self, limit: usize) -> Result<Vec<JobSummary>, Problem> {
        Ok(self.jobs.store.db.call(move |db| db::jobs(db, limit)).await?)
    }

    pub async fn job(&self, id: JobId) -> Result<Job, Problem> {
        if let Some(live) = self.jobs.live(id) {
            return Ok(live.snapshot());
        }
        let job = self.jobs.store.db.call(move |db| db::job(db, id)).await?;
        job.ok_or_else(|| no_job(id))
    }
}

/// What an engine says that follows on one which left jobs.
fn told(recovered: &Recovered) -> Vec<String> {
    let ended = match recovered.ended.len() {
        0 => None,
        n => Some(format!(
            "the engine had ended while {n} job(s) ran: what was received is kept, runs in flight are marked"
        )),
    };
    let left = recovered.left.iter().map(|left| {
        let (id, script) = (left.job.summary.id, &left.job.summary.script);
        match left.job.summary.progress.paused.as_ref() {
            Some(paused) => {
                let why = paused.why.as_deref().unwrap_or_default();
                format!("job {id} {script} is paused, {why}: `quarterdeck jobs resume {id}` lets it go on")
            }
            None => {
                let counts = &left.job.summary.counts;
                format!("job {id} {script} was taken up: {}", recover::goes_on(counts.sent + counts.running))
            }
        }
    });
    ended.into_iter().chain(left).collect()
}

/// A run by its device's id or, where that is unique, name.
pub fn find_run(job: &Job, device: &str) -> Result<u32, Problem> {
    if let Some(run) = job.runs.iter().find(|run| run.device == device) {
        return Ok(run.index);
    }
    let mut named = job.runs.iter().filter(|run| run.name == device);
    match (named.next(), named.next()) {
        (Some(run), None) => Ok(run.index),
        (Some(_), Some(_)) => Err(problem(
            Code::Invalid,
            format!("job {} ran on several devices named {device}: say connection:{device}", job.summary.id),
        )),
        _ => Err(problem(Code::NotFound, format!("job {} did not run on {device}", job.summary.id))),
    }
}

/// Which version of a script it is that its file holds; one that nobody kept yet will be the next.
fn number_of(numbers: &mut Numbers, script: &ScriptInfo) -> u32 {
    let known = numbers.entry(script.name.clone()).or_default();
    let next = known.values().max().map_or(1, |newest| newest + 1);
    *known.entry(script.version.clone()).or_insert(next)
}

fn last_run(jobs: &[(JobId, jiff::Timestamp, Counts)]) -> Option<LastRun> {
    let (job, at, _) = jobs.last()?;
    // a device that could not be reached says nothing of the script
    let (ok, ended) =
        jobs.iter().fold((0, 0), |(ok, ended), (_, _, counts)| (ok + counts.ok, ended + counts.ok + counts.bad()));
    let history = jobs
        .iter()
        .map(|(_, _, counts)| match counts {
            counts if counts.bad() > 0 => 'x',
            counts if counts.ok > 0 => '+',
            counts if counts.ended() == 0 => '.',
            _ => '-',
        })
        .collect();
    let ok_percent = (ok * 100).checked_div(ended).map(|percent| u8::try_from(percent).unwrap_or(100));
    Some(LastRun { at: *at, job: *job, ok_percent, history })
}

/// Calls back, a moment later and once, when any of these files changes, appears or goes.
fn watch_files(
    files: &[std::path::PathBuf],
    changed: impl Fn() + Send + 'static,
) -> Option<Box<dyn std::any::Any + Send>> {
    use notify::Watcher;
    let wanted: std::collections::HashSet<_> = files.iter().cloned().collect();
    let (bell, rung) = std::sync::mpsc::sync_channel::<()>(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours = event.is_ok_and(|event| {
            !matches!(event.kind, notify::EventKind::Access(_)) && event.paths.iter().any(|path| wanted.contains(path))
        });
        if ours {
            let _ = bell.try_send(());
        }
    })
    .ok()?;
    let folders: std::collections::HashSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        let _ = watcher.watch(folder, notify::RecursiveMode::NonRecursive);
    }
    std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || {
            while rung.recv().is_ok() {
                // editors write in several steps: one answer for all of them
                std::thread::sleep(Duration::from_millis(150));
                while rung.try_recv().is_ok() {}
                changed();
            }
        })
        .ok()?;
    Some(Box::new(watcher))
}
