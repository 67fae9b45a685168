//! How script jobs go on that were sent from here: one list tells which of them have changed, and only those are read.
//! Each device is heard once, and nothing that a failing answer holds back is lost: it is asked for again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::account::Account;
use super::budget::{self, Urgency};
use super::client::{Ask, Failure, JOB_LIMIT, One};
use super::ending::{Ended, ended};
use super::heard::Heard;
use super::jobs::{Member, Word};
use super::sent::{Note, Sent};
use super::wire::{self, Data, Row};
use crate::connectors::Outcome;
use crate::model::job::UNKNOWN;
use crate::model::state::RunState;

/// A job of so many devices is read whole each time, where it is the only one.
const SMALL: usize = 100;

/// Those who are to end together say so within a moment.
const TOGETHER: Duration = Duration::from_millis(150);

/// A script job with what its devices said.
pub type Whole = wire::Object<wire::JobAttributes, Results>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Results {
    device: Data<Vec<Row>>,
}

impl Whole {
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.relationships.device.each()
    }
}

pub struct Watch {
    account: Arc<Account>,
    sent: Arc<Sent>,
    heard: Heard,
    state: Mutex<State>,
    bell: Notify,
    /// The engine ends, and leaves what was sent where it is.
    leaving: AtomicBool,
}

#[derive(Default)]
struct State {
    /// By number there.
    watched: BTreeMap<u64, Watched>,
    /// Numbers of all that this engine sent.
    known: HashSet<String>,
    running: bool,
}

#[derive(Default)]
struct Watched {
    /// By device, those that have not ended.
    members: HashMap<String, Arc<Member>>,
    devices: usize,
    /// Where it is written down that it was sent.
    note: Option<Note>,
    /// The head of the job when its devices were last heard.
    heard: Option<wire::JobAttributes>,
    withdrawing: bool,
    /// It could not be taken back.
    stays: bool,
}

impl Watch {
    pub fn new(account: Arc<Account>, sent: Arc<Sent>) -> Arc<Self> {
        let heard = Heard::new(&account.folder);
        let (state, bell) = (Mutex::default(), Notify::new());
        Arc::new(Self { account, sent, heard, state, bell, leaving: AtomicBool::new(false) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Somebody does not want their run any more.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// A job of ours: sent by this engine, or by one before it that wrote it down.
    pub fn knows(&self, job: &str) -> bool {
        self.state().known.contains(job) || self.sent.has(job) || self.heard.has(job)
    }

    /// It was made of a launch of ours.
    pub fn is_ours(&self, id: u64) {
        self.state().known.insert(id.to_string());
    }

    /// The script job that a run is in.
    pub fn job_of(&self, member: &Arc<Member>) -> Option<u64> {
        let holds = |watched: &Watched| watched.members.get(&member.device).is_some_and(|one| Arc::ptr_eq(one, member));
        self.state().watched.iter().find(|(_, watched)| holds(watched)).map(|(job, _)| *job)
    }

    /// Whether the script job of a run is being taken back.
    pub fn withdraws(&self, member: &Arc<Member>) -> bool {
        let job = self.job_of(member);
        job.is_some_and(|job| self.state().watched.get(&job).is_some_and(|watched| watched.withdrawing))
    }

    /// A job that was just made: its runs are told, and heard of until they end.
    pub fn take(self: &Arc<Self>, job: Whole, members: Vec<Arc<Member>>, note: Option<Note>) {
        let Ok(id) = job.id.0.parse::<u64>() else {
            let why = format!("SimpleMDM took it, and did not say under which number: {UNKNOWN}");
            let lost = Ended::of(Outcome::because(RunState::Failed, why));
            members.iter().for_each(|member| member.say(Word::Ended(lost.clone())));
            note.iter().for_each(|note| self.sent.over(note));
            return;
        };
        for member in &members {
            member.say(Word::Say(format!(
                "sent as script job {id}; SimpleMDM hands the output over once, when the script has ended"
            )));
        }
        let devices = members.len();
        self.watch(id, devices, note, members);
        self.hear(id, job);
    }

    /// Of a job that the engine before this one sent, to so many devices; one after the other.
    pub fn join(self: &Arc<Self>, id: u64, devices: usize, note: Note, member: Arc<Member>) {
        self.watch(id, devices, Some(note), vec![member]);
    }

    fn watch(self: &Arc<Self>, id: u64, devices: usize, note: Option<Note>, members: Vec<Arc<Member>>) {
        let start = {
            let mut state = self.state();
            state.known.insert(id.to_string());
            let fresh = Watched { devices, note, ..Watched::default() };
            let watched = state.watched.entry(id).or_insert(fresh);
            watched.members.extend(members.into_iter().map(|member| (member.device.clone(), member)));
            // whoever came meanwhile is heard too
            watched.heard = None;
            !std::mem::replace(&mut state.running, true)
        };
        if start {
            tokio::spawn(Arc::clone(self).poll());
        }
    }

    /// Nothing of it is waited for any more.
    fn over(&self, id: u64, watched: &Watched) {
        self.heard.note(id);
        watched.note.iter().for_each(|note| self.sent.over(note));
    }

    /// As long as something is watched.
    async fn poll(self: Arc<Self>) {
        let mut tries = 0;
        loop {
            let count = {
                let mut state = self.state();
                // what goes on there without us is not asked for
                let unwanted = |job: &Watched| job.stays && job.members.values().all(|member| member.is_gone());
                for (_, job) in state.watched.extract_if(.., |_, job| unwanted(job)) {
                    job.note.iter().for_each(|note| self.sent.over(note));
                }
                state.running = !state.watched.is_empty();
                if !state.running {
                    return;
                }
                state.watched.len()
            };
            tokio::select! {
                () = sleep(self.account.client.budget.tick(count)) => {}
                () = self.bell.notified() => {
                    sleep(TOGETHER).await;
                    self.withdraw().await;
                }
            }
            match self.look().await {
                Ok(()) => tries = 0,
                Err(failure) => {
                    if tries == 0 {
                        let why = format!("{}: {}; asked again until it answers", self.account.url, failure.says());
                        let state = self.state();
                        let all = state.watched.values().flat_map(|watched| watched.members.values());
                        all.for_each(|member| member.say(Word::Say(why.clone())));
                    }
                    tries += 1;
                    tokio::select! {
                        () = sleep(budget::again(tries)) => {}
                        () = self.bell.notified() => self.wake(),
                    }
                }
            }
        }
    }

    /// What has changed since it was heard.
    async fn look(&self) -> Result<(), Failure> {
        let known: Vec<(u64, usize)> =
            self.state().watched.iter().map(|(id, watched)| (*id, watched.devices)).collect();
        if let [(id, devices)] = known.as_slice()
            && *devices <= SMALL
        {
            return self.fetch(*id).await;
        }
        let Some((oldest, _)) = known.first() else { return Ok(()) };
        let mut after: Option<String> = None;
        let mut met = HashSet::new();
        loop {
            let query = "&direction=desc";
            let page =
                self.account.client.page::<wire::Job>("/script_jobs", query, after.as_deref(), Urgency::Now).await?;
            let last = page.data.last().and_then(|job| job.id.0.parse::<u64>().ok());
            for job in page.data {
                let Ok(id) = job.id.0.parse::<u64>() else { continue };
                met.insert(id);
                let changed = {
                    let state = self.state();
                    state.watched.get(&id).is_some_and(|watched| watched.heard.as_ref() != Some(&head(job.attributes)))
                };
                if changed {
                    self.fetch(id).await?;
                }
            }
            let Some(last) = last.filter(|last| page.has_more && last > oldest) else { break };
            after = Some(last.to_string());
        }
        // (the list ends after a month, and what it does not hold may still be asked for)
        for (id, _) in known.iter().filter(|(id, _)| !met.contains(id)) {
            self.fetch(*id).await?;
        }
        Ok(())
    }

    async fn fetch(&self, id: u64) -> Result<(), Failure> {
        let ask = Ask::get(format!("/script_jobs/{id}"), Urgency::Now).most(JOB_LIMIT);
        match self.account.client.json::<One<Whole>>(ask).await {
            Ok(one) => self.hear(id, one.data),
            Err(failure) if failure.is_gone() || matches!(failure, Failure::TooLarge(_)) => {
                let why = match failure {
                    Failure::TooLarge(mib) => format!(
                        "what the devices of script job {id} said is more than {mib} MiB together, which is not read: see there how this one ended, and run what says so much on fewer devices at once (--rings)"
                    ),
                    _ => format!("SimpleMDM knows script job {id} no longer, and keeps one for a month: {UNKNOWN}"),
                };
                let Some(watched) = self.state().watched.remove(&id) else { return Ok(()) };
                self.over(id, &watched);
                // (of the devices themselves nothing was heard)
                let lost = Ended::of(Outcome::because(RunState::Failed, why).unasked());
                watched.members.values().for_each(|member| member.say(Word::Ended(lost.clone())));
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Every device that has ended is told so, once.
    fn hear(&self, id: u64, job: Whole) {
        let mut state = self.state();
        let Some(watched) = state.watched.get_mut(&id) else { return };
        let over = !matches!(job.attributes.status.as_str(), "pending" | "");
        for row in job.relationships.device.data.into_iter().flatten() {
            let Some(member) = watched.members.get(&row.id.0) else { continue };
            let device = row.id.0.clone();
            if let Some(ended) = ended(row, over) {
                member.say(Word::Ended(ended));
                watched.members.remove(&device);
            }
        }
        if over {
            // what is over says nothing more, of nobody
            let why = format!("SimpleMDM did not take the device into script job {id}");
            let left = Ended::of(Outcome::because(RunState::Skipped, why));
            watched.members.drain().for_each(|(_, member)| member.say(Word::Ended(left.clone())));
        }
        watched.heard = Some(head(job.attributes));
        if watched.members.is_empty()
            && let Some(watched) = state.watched.remove(&id)
        {
            self.over(id, &watched);
        }
    }

    /// Takes those jobs back of which nobody wants any run that has not ended.
    async fn withdraw(&self) {
        let unwanted: Vec<u64> = {
            let mut state = self.state();
            let all = |watched: &&mut Watched| watched.members.values().all(|member| member.is_unwanted());
            let jobs = state.watched.iter_mut().map(|(id, watched)| (*id, watched));
            let jobs = jobs.filter(|(_, watched)| !watched.withdrawing && all(watched));
            jobs.map(|(id, watched)| {
                watched.withdrawing = true;
                id
            })
            .collect()
        };
        for id in unwanted {
            let asked = self.account.client.ask(Ask::delete(format!("/script_jobs/{id}"))).await;
            if let Err(failure) = asked {
                let why = format!("script job {id} was not taken back: {}", failure.says());
                let mut state = self.state();
                let Some(watched) = state.watched.get_mut(&id) else { continue };
                watched.members.values().for_each(|member| member.say(Word::Say(why.clone())));
                (watched.withdrawing, watched.stays) = (false, true);
            }
            // what had been fetched before says how it ends
            let _ = self.fetch(id).await;
        }
    }
}

/// Without the text, which never changes.
fn head(attributes: wire::JobAttributes) -> wire::JobAttributes {
    wire::JobAttributes { content: String::new(), ..attributes }
}
