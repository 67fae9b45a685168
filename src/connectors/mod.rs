//! One room per system, each a [`Connector`]. A connector knows `model` and its system; never another
//! connector, never the engine.

pub mod local;
pub mod reference;
pub mod remote;
pub mod simplemdm;
pub mod ssh;
pub mod tls;
pub mod webscripts;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::remote::{Change, Changed, PastHead, PastJob, PastPage, Unchanged};
use crate::model::connection::{Capabilities, Connection, Held, Kind};
use crate::model::device::{Device, Inventory};
use crate::model::job::{JobId, LOST, UNKNOWN};
use crate::model::options::LaunchOption;
use crate::model::output::Stream;
use crate::model::plan::{Caller, Question};
use crate::model::script::{Argument, ScriptInfo};
use crate::model::secret::Secret;
use crate::model::state::RunState;
use crate::model::wire::{Doctor, Shelf, Step};

/// What the files of these connections hold: inventories and ssh configurations. Systems that are asked over the network
/// have none. With the devices that are known thereby, this machine among them.
pub fn held(connections: &[Connection]) -> (Vec<Held>, Inventory) {
    let (mut all, mut known) = (Vec::new(), Inventory::default());
    for connection in connections {
        match connection.kind {
            Kind::Local => known.join(local::inventory(&connection.name)),
            Kind::Ssh(_) => {
                let (held, inventory) = ssh::held(connection);
                all.push(held);
                known.join(inventory);
            }
            Kind::WebScripts(_) | Kind::SimpleMdm(_) => {}
        }
    }
    known.sort();
    (all, known)
}

/// One configured system.
pub trait Connector: Send + Sync + 'static {
    fn capabilities(&self) -> Capabilities;

    /// Devices and groups as known now. Never fails as a whole: what could not be read is in `warnings`.
    fn inventory(&self) -> BoxFuture<'_, Inventory>;

    /// Files and folders whose change means [`Connector::inventory`] should be asked again.
    fn watched(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Those files, or what is known, are not what they were when the inventory was told.
    fn changed(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { false })
    }

    /// Waits, not for ever, until its devices were read once.
    fn known_devices(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Somebody wants its devices read anew; that is done in the background.
    fn read_devices(&self) {}

    /// Until its inventory is another than the one that was told last, by itself.
    fn news(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Secrets it lacks to reach these devices, each once.
    fn questions<'a>(&'a self, _devices: &'a [Arc<Device>], _caller: &'a Caller) -> BoxFuture<'a, Vec<Question>> {
        Box::pin(async { Vec::new() })
    }

    /// The answer to one of its questions. `Err`: not right, with the reason.
    fn answer<'a>(&'a self, _id: &'a str, _value: Secret) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("no such question".to_owned()) })
    }

    /// Why it cannot run a script of this text with what it would be given.
    fn unfit(&self, _script: &[u8], _given: &Handed<'_>) -> Option<String> {
        None
    }

    /// What whoever launches this script there with this should know, in a sentence.
    fn remark(&self, _script: &ScriptInfo, _given: &Handed<'_>) -> Option<String> {
        None
    }

    /// The engine is about to end: a run that is asked to end from now on is left where it is, where that can be
    /// ([`Outcome::left`]).
    fn leave(&self) {}

    /// Runs one script on one device. Ends only when the run has ended, on every path; after
    /// `order.cancel` fires or `order.timeout` has passed it ends what it started, and soon.
    fn launch(&self, order: Order, sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome>;

    /// Hears a run to its end that an engine before this one let go, as [`Connector::launch`] would have. Nothing is
    /// sent. Only asked of a system that `takes_up`.
    fn take_up(&self, _left: Left, _sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        Box::pin(async {
            Outcome::because(RunState::Failed, format!("{LOST}the engine ended while this ran; {UNKNOWN}"))
        })
    }

    /// How a device is reached, and whether it answers.
    fn doctor<'a>(&'a self, device: &'a Device, caller: &'a Caller) -> BoxFuture<'a, Doctor>;

    /// How it stands as a whole, step by step. `None`: there is nothing to ask beside its devices.
    fn examine(&self) -> BoxFuture<'_, Option<Vec<Step>>> {
        Box::pin(async { None })
    }

    /// Its own library as last read, and how that went. `None`: it has none.
    fn own(&self) -> Option<Own> {
        None
    }

    /// Reads its own library anew. What goes wrong is told by [`Connector::own`].
    fn read_own(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// The scripts of its own library; waits, not for ever, where they were never read. `Err`: why they are not known.
    fn known(&self) -> BoxFuture<'_, Result<Arc<Vec<ScriptInfo>>, String>> {
        Box::pin(async { Ok(Arc::default()) })
    }

    /// The text of a script of its own library, by its whole name; `anew`: as it is there at this moment, else as it was
    /// read last. `None`: it hands out no texts (and no script of it says that it has one).
    fn own_text<'a>(&'a self, _name: &'a str, _anew: bool) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unchanged>> {
        Box::pin(async { Ok(None) })
    }

    /// Changes its own library. What was changed shows in [`Connector::own`] when this has ended.
    fn change_own(&self, _change: Change) -> BoxFuture<'_, Result<Changed, Unchanged>> {
        Box::pin(async { Err(Unchanged::Refused("its library cannot be changed from here".to_owned())) })
    }

    /// It fills the variables of a script in by itself, on its way to each device.
    fn fills_in(&self) -> bool {
        false
    }

    /// What its launches take beside script and devices.
    fn launch_options(&self) -> Vec<LaunchOption> {
        Vec::new()
    }

    /// Reads anew which values those may have; waits for that, not for ever.
    fn read_options(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Jobs that it ran, oldest first, from where an earlier page ended. `None`: it keeps none.
    fn past_jobs(&self, _after: Option<String>) -> BoxFuture<'_, Result<Option<PastPage>, String>> {
        Box::pin(async { Ok(None) })
    }

    /// One of them whole. `None`: it is kept no longer.
    fn past_job<'a>(&'a self, _head: &'a PastHead) -> BoxFuture<'a, Result<Option<PastJob>, String>> {
        Box::pin(async { Ok(None) })
    }

    /// Where the scripts of its own library lie, if that is within reach of this machine.
    fn script_folder(&self) -> Option<PathBuf> {
        None
    }

    /// Lets go of everything kept for the next run.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A system's own library.
pub struct Own {
    pub scripts: Arc<Vec<ScriptInfo>>,
    pub shelf: Shelf,
}

/// What to run, where.
#[derive(Clone)]
pub struct Order {
    pub device: Arc<Device>,
    /// `None`: it is no job's (a probe).
    pub job: Option<JobId>,
    pub script: Arc<Payload>,
    /// From the first positional on; never a secret.
    pub args: Arc<Vec<String>>,
    /// The same by name, and all else that is given: for a system that runs its own scripts.
    pub arguments: Arc<Vec<Argument>>,
    /// One line each on the script's stdin, in the order the header declares them; then stdin ends.
    pub secrets: Arc<Vec<Secret>>,
    /// What the launch was given of [`Connector::launch_options`], by name.
    pub options: Arc<Vec<(String, String)>>,
    /// Who launched it.
    pub caller: Arc<Caller>,
    /// From the moment the script starts.
    pub timeout: Option<Duration>,
    pub cancel: CancellationToken,
    /// Wait here, connected and ready, before starting the script; hold the permit while it runs.
    pub gate: Gate,
}

impl Order {
    /// What every script finds in its environment, whatever the way to its device.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let device = Some(("QUARTERDECK_DEVICE", self.device.name.clone()));
        let job = self.job.map(|job| ("QUARTERDECK_JOB", job.to_string()));
        device.into_iter().chain(job).collect()
    }
}

/// A run that an engine before this one let go, and of which it heard no end.
pub struct Left {
    pub job: JobId,
    pub device: Arc<Device>,
    /// When its last try had ended: what was sent before is not what is asked for.
    pub since: Option<Timestamp>,
    pub cancel: CancellationToken,
}

/// What a launch gives a script, as far as it is known before.
pub struct Handed<'a> {
    /// From the first positional on.
    pub args: &'a [String],
    /// Some of it is kept nowhere (secrets, what files hold), or travels on stdin.
    pub private: bool,
}

/// A script version as launched.
pub struct Payload {
    pub name: String,
    pub bytes: Vec<u8>,
    /// The kept version on this machine's disk; it does not change.
    pub path: PathBuf,
    pub interpreter: Vec<String>,
    /// Its text has variables, to be filled in for each device.
    pub variables: bool,
}

/// The limit on scripts running at once, and the job's say in whether this one may start.
#[derive(Clone, Default)]
pub struct Gate(pub Option<Arc<Semaphore>>, pub Option<Pass>);

impl Gate {
    /// `None` where there is no limit.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.place().await;
        while !self.pass_now() {
            self.opened().await;
        }
        permit
    }

    /// The limit's part alone, for who waits for something else besides: then [`Gate::opened`], what else is waited for,
    /// and at last [`Gate::pass_now`].
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        match &self.0 {
            Some(semaphore) => Arc::clone(semaphore).acquire_owned().await.ok(),
            None => None,
        }
    }

    /// Until the job lets scripts start. Never, for a run that was withdrawn.
    pub async fn opened(&self) {
        if let Some(Pass { valve, run }) = &self.1 {
            valve.opened(*run).await;
        }
    }

    /// The script starts now, if the job lets it: from here on it cannot be withdrawn.
    pub fn pass_now(&self) -> bool {
        self.1.as_ref().is_none_or(|Pass { valve, run }| valve.pass_now(*run))
    }
}

/// One run before its job's valve.
#[derive(Clone)]
pub struct Pass {
    pub valve: Arc<Valve>,
    pub run: u32,
}

/// Where it is written down that a script is let go, before it is.
pub trait Ledger: Send + Sync {
    /// The script of this run is let go for the `time`th time. An error: it is not.
    fn note(&self, run: u32, time: u32) -> io::Result<()>;

    /// It could not be written down: the valve is held until it is opened again.
    fn broken(&self, why: &io::Error);
}

/// Whether scripts may start: held while the job is paused, shut for a run that was withdrawn. What has passed is
/// running, whatever was heard of it: so a run is withdrawn either before it starts or not at all, and whoever comes
/// after a crash knows from the ledger which ones may have run.
pub struct Valve {
    state: Mutex<ValveState>,
    opened: Notify,
    ledger: Arc<dyn Ledger>,
}

struct ValveState {
    held: bool,
    runs: Vec<Passed>,
    /// How often each has passed.
    times: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Passed {
    No,
    Yes,
    Never,
}

impl Valve {
    /// `times`: how often each run has passed before.
    pub fn new(times: Vec<u32>, ledger: Arc<dyn Ledger>) -> Self {
        let runs = vec![Passed::No; times.len()];
        Self { state: Mutex::new(ValveState { held: false, runs, times }), opened: Notify::new(), ledger }
    }

    fn state(&self) -> MutexGuard<'_, ValveState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn hold(&self, held: bool) {
        self.state().held = held;
        if !held {
            self.opened.notify_waiters();
        }
    }

    /// How often this run has passed.
    pub fn times(&self, run: u32) -> u32 {
        self.state().times.get(run as usize).copied().unwrap_or(0)
    }

    /// Before another try.
    pub fn rearm(&self, run: u32) {
        if let Some(passed) = self.state().runs.get_mut(run as usize) {
            *passed = Passed::No;
        }
    }

    /// It was let go by the engine before this one, and goes on.
    pub fn is_out(&self, run: u32) {
        if let Some(passed) = self.state().runs.get_mut(run as usize) {
            *passed = Passed::Yes;
        }
    }

    /// `false`: it has passed.
    pub fn withdraw(&self, run: u32) -> bool {
        match self.state().runs.get_mut(run as usize) {
            Some(Passed::Yes) | None => false,
            Some(passed) => {
                *passed = Passed::Never;
                true
            }
        }
    }

    /// A few bytes are written under the lock: who is withdrawn has not passed, who has passed is written down.
    fn try_pass(&self, run: u32) -> io::Result<bool> {
        let mut state = self.state();
        let at = run as usize;
        if state.held || state.runs.get(at).is_none_or(|passed| *passed == Passed::Never) {
            return Ok(false);
        }
        let time = state.times[at] + 1;
        if let Err(why) = self.ledger.note(run, time) {
            state.held = true;
            return Err(why);
        }
        (state.times[at], state.runs[at]) = (time, Passed::Yes);
        Ok(true)
    }

    fn pass_now(&self, run: u32) -> bool {
        self.try_pass(run).unwrap_or_else(|why| {
            self.ledger.broken(&why);
            false
        })
    }

    async fn opened(&self, run: u32) {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            opened.as_mut().enable();
            {
                let state = self.state();
                let runs = state.runs.get(run as usize);
                if !state.held && runs.is_some_and(|passed| *passed != Passed::Never) {
                    return;
                }
            }
            opened.await;
        }
    }
}

/// Where a run's events go. Calls are cheap (an append to a file); a slow disk is felt by the caller, which is the back-pressure.
pub trait RunSink: Send {
    /// The script is running on the device from now.
    fn started(&mut self);

    /// Bytes as they came. An error means they could not be kept (disk full): end the run.
    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()>;

    /// A try failed in a way that is worth another: shown, not yet an outcome.
    fn attempt(&mut self, why: &str);
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One of the ended states; or `Sent`, of a run that is left to the next engine.
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// Name without `SIG`.
    pub signal: Option<String>,
    /// For a person: why it is offline, refused, failed without an exit code.
    pub reason: Option<String>,
    /// The device was reached and refused us (host key, credentials), as against silent.
    pub refused: bool,
    /// The system said no, or did not answer: of the device itself nothing was heard.
    pub unasked: bool,
}

impl Outcome {
    /// The script ended by itself.
    pub fn exited(code: i32) -> Self {
        let state = if code == 0 { RunState::Ok } else { RunState::Failed };
        Self { state, exit_code: Some(code), signal: None, reason: None, refused: false, unasked: false }
    }

    /// As [`Run::unknown`]: it may have run, whole or in part.
    pub fn unknown(&self) -> bool {
        let told = self.reason.as_deref().is_some_and(|reason| reason.contains(UNKNOWN));
        told && self.state == RunState::Failed && self.exit_code.is_none() && self.signal.is_none()
    }

    pub fn because(state: RunState, reason: impl Into<String>) -> Self {
        Self { state, exit_code: None, signal: None, reason: Some(reason.into()), refused: false, unasked: false }
    }

    /// The engine ends, and the run goes on at its system: whoever comes after takes it up.
    pub fn left() -> Self {
        Self { reason: None, ..Self::because(RunState::Sent, "") }
    }

    pub fn refused(reason: impl Into<String>) -> Self {
        Self { refused: true, ..Self::because(RunState::Failed, reason) }
    }

    /// The device's own contact stays what it was.
    pub fn unasked(self) -> Self {
        Self { unasked: true, ..self }
    }
}

/// A signal's name without `SIG`, or its number; as Linux numbers them.
pub fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        24 => "XCPU",
        25 => "XFSZ",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// The configured connectors by connection name.
pub type Connectors = HashMap<String, Arc<dyn Connector>>;
