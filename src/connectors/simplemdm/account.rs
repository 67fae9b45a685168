//! One account: its client, and its inventory as last read. Reading ten thousand devices takes minutes at the pace that
//! the account allows: what has come is shown while the rest comes, and all of it is kept for the next start.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OnceCell};
use tokio::time::{Instant, timeout};

use super::budget::{self, Urgency};
use super::client::{Client, Failure};
use super::devices::{self, Raw, Read};
use super::wire;
use crate::model::connection::SimpleMdm;
use crate::model::device::Inventory;

/// An inventory that is older is read again when somebody looks at it; one that took long to read, later.
const FRESH: Duration = Duration::from_secs(300);
const TIMES_AS_LONG: u32 = 4;

/// Between two words about how far a reading has come.
const TELL: Duration = Duration::from_secs(2);

/// Pages of devices between two copies of what has come to the disk.
const KEEP_EVERY: usize = 20;

/// How long after its begin somebody waits for the first reading: a large account is worked with while it comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names of custom attributes that are younger are not asked for again; and so long somebody waits for them.
const NAMES_FRESH: Duration = Duration::from_secs(5);
const NAMES_PATIENCE: Duration = Duration::from_secs(15);

/// How often a reading that broke off is taken up again by itself.
const TRIES: u32 = 5;

pub struct Account {
    /// The connection's name.
    pub name: String,
    pub url: String,
    pub client: Client,
    /// What is kept between two engines.
    pub folder: PathBuf,
    state: Mutex<State>,
    loaded: OnceCell<()>,
    /// There is more to show than was shown.
    news: Notify,
    /// A reading has ended.
    ended: Notify,
}

#[derive(Default)]
struct State {
    shown: Arc<Inventory>,
    /// All of the account was read once, by this engine or one before.
    whole: bool,
    read_at: Option<Timestamp>,
    /// How many devices have come, while a reading goes on.
    reading: Option<usize>,
    last: Option<(Instant, Duration)>,
    began: Option<Instant>,
    /// What is shown is another than the inventory that was told last.
    stirred: bool,
    problem: Option<String>,
    /// Why the account could not be asked, as it was told last.
    down: Option<String>,
    /// Names of the custom attributes, and when they were read; those of an engine before this one at no time.
    attributes: Option<(Vec<String>, Option<Instant>)>,
}

/// As it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    read_at: Option<Timestamp>,
    whole: bool,
    inventory: Inventory,
    #[serde(default)]
    attributes: Option<Vec<String>>,
}

/// How far a reading has come: what broke off goes on there.
#[derive(Default)]
struct Place {
    read: Read,
    assignment: Part,
    legacy: Part,
    attributes: bool,
    devices: Part,
}

#[derive(Default)]
struct Part {
    after: Option<String>,
    done: bool,
}

/// How an account stands, for a person.
pub struct Standing {
    pub read_at: Option<Timestamp>,
    pub reading: Option<usize>,
    pub problem: Option<String>,
    pub devices: usize,
    pub macs: usize,
    pub groups: usize,
}

impl Account {
    pub fn new(name: &str, settings: &SimpleMdm, folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            url: settings.url.clone(),
            client: Client::new(settings),
            folder,
            state: Mutex::default(),
            loaded: OnceCell::new(),
            news: Notify::new(),
            ended: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As known now; reads it again, in the background, where it is old.
    pub async fn inventory(self: &Arc<Self>) -> Inventory {
        self.load().await;
        let old = {
            let state = self.state();
            state.last.is_none_or(|(at, took)| at.elapsed() > FRESH.max(took * TIMES_AS_LONG))
        };
        if old {
            self.read();
        }
        let mut state = self.state();
        (state.stirred, state.down) = (false, self.client.down());
        let mut inventory = (*state.shown).clone();
        inventory.warnings = self.warnings(&state);
        inventory
    }

    fn warnings(&self, state: &State) -> Vec<String> {
        let Self { name, url, .. } = self;
        let have = state.shown.devices.len();
        let kept = match (state.whole, have) {
            (_, 0) => "none are known yet".to_owned(),
            (true, _) => {
                let at = state.read_at.map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string()).unwrap_or_default();
                format!("shown as of {at}")
            }
            (false, have) => format!("the {have} that have come are shown"),
        };
        let mut warnings = Vec::new();
        if let Some(why) = &state.problem {
            warnings.push(format!("{name}: the devices of {url} could not be read ({why}): {kept}"));
        } else if let Some(why) = &state.down {
            warnings.push(format!("{name}: {url} does not answer ({why}): {kept}"));
        } else if state.reading.is_some() && !state.whole {
            // (how many that are is seen: a number here would be told again and again)
            warnings.push(format!("{name}: reads its devices: those that have come are shown, the others follow"));
        }
        warnings
    }

    /// Ids and names of the devices that are known, by SimpleMDM's numbers.
    pub fn numbers(&self) -> HashMap<String, (String, String)> {
        let shown = Arc::clone(&self.state().shown);
        let known = shown.devices.iter().filter_map(|device| {
            Some((device.facts.get(devices::ID)?.clone(), (device.id.clone(), device.name.clone())))
        });
        known.collect()
    }

    pub fn standing(&self) -> Standing {
        let state = self.state();
        let devices = &state.shown.devices;
        Standing {
            read_at: state.read_at,
            reading: state.reading,
            problem: state.problem.clone(),
            devices: devices.len(),
            macs: devices.iter().filter(|device| device.cannot.is_none()).count(),
            groups: state.shown.groups.len(),
        }
    }

    /// Until there is more to show.
    pub async fn news(&self) {
        tokio::select! {
            () = self.news.notified() => {}
            () = self.client.turned.notified() => {}
        }
    }

    pub fn stirred(&self) -> bool {
        let state = self.state();
        state.stirred || state.down != self.client.down()
    }

    fn tell(&self) {
        self.state().stirred = true;
        self.news.notify_one();
    }

    /// Waits, not for ever, until the account was read whole once, or could not be.
    pub async fn known(self: &Arc<Self>) {
        self.load().await;
        if self.state().last.is_none() {
            self.read();
        }
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            let since = {
                let state = self.state();
                let began = state.began.filter(|_| !state.whole && state.reading.is_some() && state.problem.is_none());
                began.map(|began| began.elapsed())
            };
            let Some(left) = since.and_then(|since| PATIENCE.checked_sub(since)) else { return };
            if timeout(left, ended).await.is_err() {
                return;
            }
        }
    }

    /// Reads all of it in the background, unless that is being done.
    pub fn read(self: &Arc<Self>) {
        {
            let mut state = self.state();
            if state.reading.is_some() {
                return;
            }
            (state.reading, state.began) = (Some(0), Some(Instant::now()));
        }
        let account = Arc::clone(self);
        tokio::spawn(async move {
            let began = Instant::now();
            let mut place = Place::default();
            let mut tries = 0;
            let done = loop {
                let before = place.read.devices.len();
                match account.go_through(&mut place).await {
                    Ok(()) => break Ok(()),
                    Err(failure) if failure.passes() && tries < TRIES => {
                        tries = if place.read.devices.len() > before { 1 } else { tries + 1 };
                        account.state().problem = Some(failure.says());
                        account.ended.notify_waiters();
                        account.tell();
                        tokio::time::sleep(budget::again(tries + 2)).await;
                    }
                    Err(failure) => break Err(failure),
                }
            };
            let whole = done.is_ok();
            account.show(&place.read, whole).await;
            {
                let mut state = account.state();
                state.reading = None;
                state.last = Some((Instant::now(), began.elapsed()));
                state.problem = done.err().map(|failure| failure.says());
            }
            account.ended.notify_waiters();
            account.tell();
        });
    }

    /// Groups first: they are few, and devices are shown with them.
    async fn go_through(&self, place: &mut Place) -> Result<(), Failure> {
        let Place { read, assignment, legacy, attributes, devices } = place;
        self.pages("/assignment_groups", assignment, |group| read.assignment.push(group)).await?;
        // (an account of the new kind has none, and may not know the word)
        match self.pages("/device_groups", legacy, |group| read.legacy.push(group)).await {
            Err(failure) if failure.is_gone() => legacy.done = true,
            other => other?,
        }
        if !*attributes {
            match self.ask_attributes(Urgency::Later).await {
                Err(failure) if failure.passes() => return Err(failure),
                // (a key may not be allowed to read them: then they are not known, and whatever is written is sent)
                _ => *attributes = true,
            }
        }
        let mut told: Option<Instant> = None;
        let query = "&include_awaiting_enrollment=true";
        while !devices.done {
            let page =
                self.client.page::<wire::Device>("/devices", query, devices.after.as_deref(), Urgency::Later).await?;
            devices.step(&page.data, page.has_more);
            read.devices.extend(page.data.iter().map(|device| Raw::new(&self.name, device)));
            self.state().reading = Some(read.devices.len());
            let pages = read.devices.len() / super::client::PAGE;
            if !devices.done && (pages.is_multiple_of(KEEP_EVERY) || told.is_none_or(|at| at.elapsed() > TELL)) {
                told = Some(Instant::now());
                self.show(read, false).await;
            }
        }
        Ok(())
    }

    /// The names of the account's custom attributes, where they are known.
    pub fn attributes(&self) -> Option<Vec<String>> {
        self.state().attributes.as_ref().map(|(names, _)| names.clone())
    }

    /// Reads them anew, unless that was done a moment ago.
    pub async fn read_attributes(&self) {
        let fresh = |(_, at): &(Vec<String>, Option<Instant>)| at.is_some_and(|at| at.elapsed() < NAMES_FRESH);
        if self.state().attributes.as_ref().is_some_and(fresh) {
            return;
        }
        // (where they do not come, those that are known are gone by)
        let _ = timeout(NAMES_PATIENCE, self.ask_attributes(Urgency::Now)).await;
    }

    async fn ask_attributes(&self, urgency: Urgency) -> Result<(), Failure> {
        let (mut part, mut names) = (Part::default(), Vec::new());
        while !part.done {
            let page =
                self.client.page::<wire::Attribute>("/custom_attributes", "", part.after.as_deref(), urgency).await?;
            part.step(&page.data, page.has_more);
            names.extend(page.data.into_iter().map(|attribute| attribute.id.0));
        }
        names.sort_unstable();
        self.state().attributes = Some((names, Some(Instant::now())));
        Ok(())
    }

    async fn pages<A, R>(
        &self,
        path: &str,
        part: &mut Part,
        mut keep: impl FnMut(wire::Object<A, R>),
    ) -> Result<(), Failure>
    where
        A: serde::de::DeserializeOwned + Default + Send + 'static,
        R: serde::de::DeserializeOwned + Default + Send + 'static,
    {
        while !part.done {
            let page: super::client::Page<wire::Object<A, R>> =
                self.client.page(path, "", part.after.as_deref(), Urgency::Later).await?;
            part.step(&page.data, page.has_more);
            page.data.into_iter().for_each(&mut keep);
        }
        Ok(())
    }

    /// What was read so far is what there is, unless more was known before.
    async fn show(&self, read: &Read, whole: bool) {
        let keep = {
            let mut state = self.state();
            if state.whole && !whole {
                return;
            }
            let shown = Arc::new(devices::inventory(&self.name, read));
            (state.shown, state.whole) = (Arc::clone(&shown), whole);
            if whole {
                state.read_at = Some(Timestamp::now());
                state.problem = None;
            }
            (shown, state.read_at, state.attributes.as_ref().map(|(names, _)| names.clone()))
        };
        self.tell();
        let path = self.folder.join("inventory.json");
        let (inventory, read_at, attributes) = keep;
        let write = move || {
            let kept = Kept { read_at, whole, inventory: (*inventory).clone(), attributes };
            write(&path, &serde_json::to_vec(&kept).map_err(io::Error::other)?)
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, connection = self.name, "the inventory is not kept"),
            Err(error) => tracing::warn!(%error, connection = self.name, "the inventory is not kept"),
        }
    }

    /// What an engine before this one knew.
    async fn load(&self) {
        self.loaded
            .get_or_init(|| async {
                let path = self.folder.join("inventory.json");
                let read = move || serde_json::from_slice::<Kept>(&std::fs::read(path).ok()?).ok();
                if let Ok(Some(kept)) = tokio::task::spawn_blocking(read).await {
                    let mut state = self.state();
                    if state.attributes.is_none() {
                        state.attributes = kept.attributes.map(|names| (names, None));
                    }
                    if state.shown.devices.is_empty() {
                        state.shown = Arc::new(kept.inventory);
                        (state.whole, state.read_at) = (kept.whole, kept.read_at);
                    }
                }
            })
            .await;
    }
}

impl Part {
    fn step<A, R>(&mut self, page: &[wire::Object<A, R>], has_more: bool) {
        let last = page.last().map(|last| last.id.0.clone());
        // a page that brings nothing new would come for ever
        self.done = !has_more || last.is_none() || last == self.after;
        self.after = last.or_else(|| self.after.take());
    }
}

/// Replaces a file at one stroke; nobody else reads it.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    std::fs::rename(&fresh, path)
}
