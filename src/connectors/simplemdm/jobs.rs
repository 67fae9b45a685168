//! Launches: the runs of one job that may start at the same moment become one script job at SimpleMDM. A launch whose
//! answer was lost is looked for before it is sent again: nothing is sent twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::account::Account;
use super::budget::{self, Urgency};
use super::client::{Ask, Failure, One, Page};
use super::copies::{Copies, Saved};
use super::devices;
use super::ending::Ended;
use super::form::Form;
use super::watch::{Watch, Whole};
use super::wire;
use crate::connectors::{Gate, Order, Outcome, Payload, RunSink};
use crate::model::job::{JobId, LOST};
use crate::model::output::Stream;
use crate::model::state::RunState;

/// Runs are gathered until no further one has come for so long.
const GATHER: Duration = Duration::from_millis(60);

/// A run that is to end waits so long for those beside it, since a script job is withdrawn whole or not at all; and so
/// long for what SimpleMDM says to that.
const GRACE: Duration = Duration::from_secs(2);
const WITHDRAWAL: Duration = Duration::from_secs(120);

/// How far apart our clock and theirs may be.
const SKEW: SignedDuration = SignedDuration::from_secs(900);

/// How often a launch whose answer was lost, and which is not among the jobs there, is sent again.
const AGAIN: u32 = 3;

/// Everything about launching on one account.
pub struct Desk {
    pub account: Arc<Account>,
    copies: Copies,
    gathering: Mutex<HashMap<Batch, Vec<Arc<Member>>>>,
    /// A script is what it should be until its job is made of it: one at a time.
    sending: tokio::sync::Mutex<()>,
    pub watch: Arc<Watch>,
}

/// What makes one script job.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Batch {
    job: Option<JobId>,
    script: String,
    options: Vec<(String, String)>,
}

/// One run on its way.
pub struct Member {
    /// SimpleMDM's number of the device.
    pub device: String,
    script: Arc<Payload>,
    gate: Gate,
    stage: Mutex<Stage>,
    words: mpsc::UnboundedSender<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It can be withdrawn here.
    Waiting,
    /// It has been let go.
    Sent,
    /// It has been let go, and is to end.
    Unwanted,
    Gone,
}

/// What is heard of a run; a handful each.
pub enum Word {
    /// The job does not let it start at this moment.
    Held,
    Say(String),
    Ended(Ended),
}

impl Member {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn say(&self, word: Word) {
        // (one that was given up is not heard any more)
        let _ = self.words.send(word);
    }

    /// Nobody hears of it any more.
    pub fn is_gone(&self) -> bool {
        *self.stage() == Stage::Gone
    }

    pub fn is_unwanted(&self) -> bool {
        matches!(*self.stage(), Stage::Unwanted | Stage::Gone)
    }

    /// Lets it go, if its job does and nobody has withdrawn it.
    fn pass(&self) -> bool {
        let mut stage = self.stage();
        if *stage != Stage::Waiting {
            return false;
        }
        let passed = self.gate.pass_now();
        if passed {
            *stage = Stage::Sent;
        } else {
            self.say(Word::Held);
        }
        passed
    }
}

impl Desk {
    pub fn new(account: Arc<Account>) -> Arc<Self> {
        let watch = Watch::new(Arc::clone(&account));
        Arc::new(Self {
            account,
            copies: Copies::default(),
            gathering: Mutex::default(),
            sending: tokio::sync::Mutex::default(),
            watch,
        })
    }

    /// One run, from its gate to its end.
    pub async fn launch(self: Arc<Self>, order: Order, mut sink: Box<dyn RunSink>) -> Outcome {
        if let Err(why) = fits(&order) {
            return Outcome::refused(why);
        }
        let (words, mut heard) = mpsc::unbounded_channel();
        let member = Arc::new(Member {
            device: order.device.facts.get(devices::ID).cloned().unwrap_or_default(),
            script: Arc::clone(&order.script),
            gate: order.gate.clone(),
            stage: Mutex::new(Stage::Waiting),
            words,
        });
        let withdrawn = || Outcome::because(RunState::Cancelled, "withdrawn before it was sent");
        loop {
            tokio::select! {
                () = order.gate.opened() => {}
                () = order.cancel.cancelled() => return withdrawn(),
            }
            self.join(&order, &member);
            loop {
                let word = tokio::select! {
                    word = heard.recv() => word,
                    () = order.cancel.cancelled() => {
                        let before = std::mem::replace(&mut *member.stage(), Stage::Unwanted);
                        if before == Stage::Waiting {
                            *member.stage() = Stage::Gone;
                            return withdrawn();
                        }
                        let outcome = self.give_up(&member, &mut heard, sink.as_mut()).await;
                        *member.stage() = Stage::Gone;
                        return outcome;
                    }
                };
                match word {
                    Some(Word::Held) => break,
                    Some(Word::Say(text)) => say(sink.as_mut(), &text),
                    Some(Word::Ended(ended)) => return keep(sink.as_mut(), ended),
                    None => return Outcome::because(RunState::Failed, "the watch over it broke off"),
                }
            }
        }
    }

    /// It was let go and is to end.
    async fn give_up(
        &self,
        member: &Arc<Member>,
        heard: &mut mpsc::UnboundedReceiver<Word>,
        sink: &mut dyn RunSink,
    ) -> Outcome {
        if self.watch.is_leaving() {
            let job = self.watch.job_of(member).map(|job| format!(" {job}")).unwrap_or_default();
            return Outcome::because(
                RunState::Failed,
                format!(
                    "{LOST}the engine ended while this waited; script job{job} goes on at SimpleMDM, which keeps the result for a month"
                ),
            );
        }
        self.watch.wake();
        let mut left = GRACE;
        loop {
            match tokio::time::timeout(left, heard.recv()).await {
                Ok(Some(Word::Ended(ended))) => return keep(sink, ended),
                Ok(Some(Word::Say(text))) => say(sink, &text),
                Ok(Some(Word::Held)) => {}
                Ok(None) => break,
                Err(_) if left == GRACE && self.watch.withdraws(member) => left = WITHDRAWAL,
                Err(_) => break,
            }
        }
        let why = match self.watch.job_of(member) {
            Some(job) => format!(
                "not watched any longer: SimpleMDM takes script job {job} back only whole, and other devices of it still wait; the script may still run there"
            ),
            None => "not watched any longer: it was on its way to SimpleMDM; the script may still run there".to_owned(),
        };
        say(sink, &why);
        Outcome::because(RunState::Cancelled, why)
    }

    /// Among those that become one script job.
    fn join(self: &Arc<Self>, order: &Order, member: &Arc<Member>) {
        let batch = Batch { job: order.job, script: order.script.name.clone(), options: order.options.to_vec() };
        let first = {
            let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
            let members = gathering.entry(batch.clone()).or_default();
            members.push(Arc::clone(member));
            members.len() == 1
        };
        if first {
            let desk = Arc::clone(self);
            tokio::spawn(async move {
                let members = desk.gathered(&batch).await;
                desk.send(&batch, members).await;
            });
        }
    }

    async fn gathered(&self, batch: &Batch) -> Vec<Arc<Member>> {
        let mut before = 0;
        loop {
            sleep(GATHER).await;
            let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
            let count = gathering.get(batch).map_or(0, Vec::len);
            if count == before {
                return gathering.remove(batch).unwrap_or_default();
            }
            before = count;
        }
    }

    async fn send(self: &Arc<Self>, batch: &Batch, members: Vec<Arc<Member>>) {
        let Some(script) = members.first().map(|member| Arc::clone(&member.script)) else { return };
        let _alone = self.sending.lock().await;
        let saved = match self.copies.saved(&self.account, &script).await {
            Ok(saved) => saved,
            Err(failure) => {
                let outcome = self.unsent(&failure, false);
                let waiting = members.iter().filter(|member| *member.stage() == Stage::Waiting);
                waiting.for_each(|member| member.say(Word::Ended(Ended::of(outcome.clone()))));
                return;
            }
        };
        let passed: Vec<Arc<Member>> = members.into_iter().filter(|member| member.pass()).collect();
        if passed.is_empty() {
            return;
        }
        match self.post(batch, &saved, &passed).await {
            Ok(job) => self.watch.take(job, passed),
            Err(failure) => {
                let outcome = self.unsent(&failure, true);
                passed.iter().for_each(|member| member.say(Word::Ended(Ended::of(outcome.clone()))));
            }
        }
    }

    /// How runs end that were not sent, as far as is known. `asked`: it was the launch that failed.
    fn unsent(&self, failure: &Failure, asked: bool) -> Outcome {
        let why = format!("{}: {}", self.account.url, failure.says());
        match failure {
            Failure::Unreachable(_) => Outcome::because(RunState::Offline, format!("{why}; nothing was sent")),
            Failure::Unready(_) | Failure::Refused(..) | Failure::TooMany => {
                Outcome::refused(format!("{why}; nothing was sent"))
            }
            Failure::Unclear(_) | Failure::Strange(_) if !asked => {
                Outcome::because(RunState::Offline, format!("{why}; nothing was sent to the device"))
            }
            Failure::Unclear(_) | Failure::Strange(_) => Outcome::because(
                RunState::Failed,
                format!(
                    "{why}; whether it was sent is not known: look at the script jobs there before it is run again"
                ),
            ),
        }
    }

    async fn post(&self, batch: &Batch, saved: &Saved, members: &[Arc<Member>]) -> Result<Whole, Failure> {
        let devices: Vec<&str> = members.iter().map(|member| member.device.as_str()).collect();
        let began = Timestamp::now();
        let mut sent = 0;
        loop {
            let mut form = Form::new().field("script_id", saved.id.clone()).field("device_ids", devices.join(","));
            for (name, value) in &batch.options {
                form = match name.as_str() {
                    "custom_attribute" => form.field("custom_attribute", value.clone()),
                    "custom_attribute_regex" => form.field("custom_attribute_regex", value.clone()),
                    _ => form,
                };
            }
            sent += 1;
            let failure = match self.account.client.json::<One<Whole>>(Ask::post("/script_jobs", form)).await {
                Ok(one) => return Ok(one.data),
                Err(failure @ (Failure::Unclear(_) | Failure::Strange(_))) => failure,
                Err(failure) => return Err(failure),
            };
            for member in members {
                member.say(Word::Say(format!("{}: looked for among the script jobs there", failure.says())));
            }
            match self.find(saved, &devices, began).await {
                Some(Some(id)) => {
                    let ask = Ask::get(format!("/script_jobs/{id}"), Urgency::Now);
                    return self.account.client.json::<One<Whole>>(ask).await.map(|one| one.data);
                }
                // it is not there: it was not taken
                Some(None) if sent < AGAIN => {}
                _ => return Err(failure),
            }
        }
    }

    /// A job that was just made of this script for these devices, and that we do not know. `None`: it could not be found out.
    async fn find(&self, saved: &Saved, devices: &[&str], began: Timestamp) -> Option<Option<String>> {
        let mut wanted = devices.to_vec();
        wanted.sort_unstable();
        for tries in 0..6 {
            let page: Result<Page<Whole>, Failure> =
                self.account.client.page("/script_jobs", "&direction=desc", None, Urgency::Now).await;
            let Ok(page) = page else {
                sleep(budget::again(tries)).await;
                continue;
            };
            let is_it = |job: &&Whole| {
                let attributes = &job.attributes;
                let mut theirs: Vec<&str> = job.rows().map(|row| row.id.0.as_str()).collect();
                theirs.sort_unstable();
                let made = wire::moment(&attributes.created_at);
                attributes.script_name == saved.name
                    && attributes.content == saved.content
                    && theirs == wanted
                    && made.is_none_or(|made| made + SKEW > began)
                    && !self.watch.knows(&job.id.0)
            };
            return Some(page.data.iter().find(is_it).map(|job| job.id.0.clone()));
        }
        None
    }
}

/// `Err`: why it cannot be sent.
fn fits(order: &Order) -> Result<(), String> {
    if let Some(why) = &order.device.cannot {
        return Err(why.clone());
    }
    if !order.device.facts.contains_key(devices::ID) {
        return Err("the account has it no longer: r reads the devices anew".to_owned());
    }
    if !order.args.is_empty() || !order.secrets.is_empty() || !order.arguments.is_empty() {
        return Err(NO_PARAMETERS.to_owned());
    }
    Ok(())
}

/// Why a script with values for its parameters is not sent.
pub const NO_PARAMETERS: &str = "SimpleMDM passes a script nothing: it cannot have parameters there";

fn say(sink: &mut dyn RunSink, text: &str) {
    // (what cannot be kept is told by the run's end)
    let _ = sink.output(Stream::Meta, format!("{text}\n").as_bytes());
}

fn keep(sink: &mut dyn RunSink, ended: Ended) -> Outcome {
    if !ended.output.is_empty() && sink.output(Stream::Out, ended.output.as_bytes()).is_err() {
        return Outcome::because(RunState::Failed, "its output could not be kept");
    }
    ended.outcome
}
