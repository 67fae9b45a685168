//! Launches: the runs of one job that may start at the same moment become one script job at SimpleMDM. A launch whose
//! answer was lost is looked for before it is sent again: nothing is sent twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::again::Found;
use super::budget::Urgency;
use super::client::{Ask, Failure, One};
use super::copies::{Copies, Saved};
use super::devices;
use super::ending::Ended;
use super::form::Form;
use super::library::Library;
use super::seek::{self, Sought};
use super::sent::{Launch, Note, Sent};
use super::watch::{Watch, Whole};
use super::words;
use crate::connectors::{Gate, Handed, Order, Outcome, Payload, RunSink};
use crate::model::job::{JobId, UNKNOWN};
use crate::model::output::Stream;
use crate::model::state::RunState;

/// Runs are gathered until no further one has come for so long.
const GATHER: Duration = Duration::from_millis(60);

/// A run that is to end waits so long for those beside it, since a script job is withdrawn whole or not at all; and so
/// long for what SimpleMDM says to that.
const GRACE: Duration = Duration::from_secs(2);
const WITHDRAWAL: Duration = Duration::from_secs(120);

/// How often a launch whose answer was lost, and which is not among the jobs there, is sent again.
const AGAIN: u32 = 3;

/// Everything about launching on one account.
pub struct Desk {
    pub account: Arc<Account>,
    library: Arc<Library>,
    copies: Copies,
    gathering: Mutex<HashMap<Batch, Gathered>>,
    /// A script is what it should be until its job is made of it: one at a time.
    pub sending: tokio::sync::Mutex<()>,
    pub sent: Arc<Sent>,
    pub found: Found,
    pub watch: Arc<Watch>,
}

/// Runs that become one script job.
struct Gathered {
    script: Arc<Payload>,
    members: Vec<Arc<Member>>,
}

/// What makes one script job.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Batch {
    job: Option<JobId>,
    script: String,
    args: Vec<String>,
    options: Vec<(String, String)>,
}

/// One run on its way.
pub struct Member {
    /// SimpleMDM's number of the device.
    pub device: String,
    /// Our own id of it.
    id: String,
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
    /// One that can be withdrawn.
    fn waiting(device: String, id: &str, gate: Gate) -> (Arc<Self>, mpsc::UnboundedReceiver<Word>) {
        let (words, heard) = mpsc::unbounded_channel();
        let stage = Mutex::new(Stage::Waiting);
        (Arc::new(Self { device, id: id.to_owned(), gate, stage, words }), heard)
    }

    /// One that was let go by an engine before this one.
    pub fn sent(device: String, id: &str) -> (Arc<Self>, mpsc::UnboundedReceiver<Word>) {
        let (member, heard) = Self::waiting(device, id, Gate::default());
        *member.stage() = Stage::Sent;
        (member, heard)
    }

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
    pub fn new(account: Arc<Account>, library: Arc<Library>) -> Arc<Self> {
        let sent = Arc::new(Sent::new(&account.folder));
        let watch = Watch::new(Arc::clone(&account), Arc::clone(&sent));
        Arc::new(Self {
            account,
            library,
            copies: Copies::default(),
            gathering: Mutex::default(),
            sending: tokio::sync::Mutex::default(),
            sent,
            found: Found::default(),
            watch,
        })
    }

    /// One run, from its gate to its end.
    pub async fn launch(self: Arc<Self>, order: Order, mut sink: Box<dyn RunSink>) -> Outcome {
        if let Err(why) = fits(&order) {
            return Outcome::because(RunState::Failed, why).unasked();
        }
        let device = order.device.facts.get(devices::ID).cloned().unwrap_or_default();
        let (member, mut heard) = Member::waiting(device, &order.device.id, order.gate.clone());
        let withdrawn = || Outcome::because(RunState::Cancelled, "withdrawn before it was sent");
        loop {
            tokio::select! {
                () = order.gate.opened() => {}
                () = order.cancel.cancelled() => return withdrawn(),
            }
            self.join(&order, &member);
            if let Some(outcome) = self.hear_out(&member, &mut heard, &order.cancel, order.job, sink.as_mut()).await {
                return outcome;
            }
        }
    }

    /// Until it has ended. `None`: its job does not let it start at this moment.
    pub async fn hear_out(
        &self,
        member: &Arc<Member>,
        heard: &mut mpsc::UnboundedReceiver<Word>,
        cancel: &CancellationToken,
        job: Option<JobId>,
        sink: &mut dyn RunSink,
    ) -> Option<Outcome> {
        loop {
            let word = tokio::select! {
                word = heard.recv() => word,
                () = cancel.cancelled() => {
                    let before = std::mem::replace(&mut *member.stage(), Stage::Unwanted);
                    let outcome = match before {
                        Stage::Waiting => Outcome::because(RunState::Cancelled, "withdrawn before it was sent"),
                        // what is written down is the next engine's
                        _ if self.watch.is_leaving() && job.is_some() => Outcome::left(),
                        _ => self.give_up(member, heard, sink).await,
                    };
                    *member.stage() = Stage::Gone;
                    return Some(outcome);
                }
            };
            match word {
                Some(Word::Held) => return None,
                Some(Word::Say(text)) => say(sink, &text),
                Some(Word::Ended(ended)) => return Some(keep(sink, ended)),
                None => return Some(Outcome::because(RunState::Failed, "the watch over it broke off")),
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
        let batch = Batch {
            job: order.job,
            script: order.script.name.clone(),
            args: order.args.to_vec(),
            options: order.options.to_vec(),
        };
        let first = {
            let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
            let empty = || Gathered { script: Arc::clone(&order.script), members: Vec::new() };
            let gathered = gathering.entry(batch.clone()).or_insert_with(empty);
            gathered.members.push(Arc::clone(member));
            gathered.members.len() == 1
        };
        if first {
            let desk = Arc::clone(self);
            tokio::spawn(async move {
                if let Some(Gathered { script, members }) = desk.gathered(&batch).await {
                    desk.send(&batch, &script, members).await;
                }
            });
        }
    }

    async fn gathered(&self, batch: &Batch) -> Option<Gathered> {
        let mut before = 0;
        loop {
            sleep(GATHER).await;
            let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
            let count = gathering.get(batch).map_or(0, |gathered| gathered.members.len());
            if count == before {
                return gathering.remove(batch);
            }
            before = count;
        }
    }

    async fn send(self: &Arc<Self>, batch: &Batch, script: &Payload, members: Vec<Arc<Member>>) {
        let _alone = self.sending.lock().await;
        let saved = match self.copies.saved(&self.account, &self.library, script, &batch.args).await {
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
        let end = |outcome: Outcome| {
            passed.iter().for_each(|member| member.say(Word::Ended(Ended::of(outcome.clone()))));
        };
        // what is sent is written down first: who comes after a crash knows what to ask for
        let note = match self.note(batch.job, &saved, &passed).await {
            Ok(note) => note,
            Err(why) => {
                let why =
                    format!("what is sent cannot be written down ({why}): mend the state folder; nothing was sent");
                return end(Outcome::because(RunState::Failed, why).unasked());
            }
        };
        match self.post(batch, &saved, &passed).await {
            Ok(job) => {
                if let Some((note, launch)) = &note {
                    self.sent.made(note, launch, &job.id.0).await;
                }
                self.watch.take(job, passed, note.map(|(note, _)| note));
            }
            Err(failure) => {
                if let Some((note, _)) = &note {
                    self.sent.over(note);
                }
                end(self.unsent(&failure, true));
            }
        }
    }

    /// Of a job's runs; others are nobody's to take up.
    async fn note(
        &self,
        job: Option<JobId>,
        saved: &Saved,
        members: &[Arc<Member>],
    ) -> std::io::Result<Option<(Note, Launch)>> {
        let Some(job) = job else { return Ok(None) };
        let launch = Launch {
            job,
            sought: Sought::of(saved, members.iter().map(|member| member.device.clone())),
            devices: members.iter().map(|member| (member.id.clone(), member.device.clone())).collect(),
            number: None,
        };
        self.sent.begin(&launch).await.map(|note| Some((note, launch)))
    }

    /// How runs end that were not sent, as far as is known. `asked`: it was the launch that failed.
    fn unsent(&self, failure: &Failure, asked: bool) -> Outcome {
        let why = format!("{}: {}", self.account.url, failure.says());
        let outcome = match failure {
            Failure::Unreachable(_) => Outcome::because(RunState::Offline, format!("{why}; nothing was sent")),
            Failure::Unready(_) | Failure::Refused(..) | Failure::TooMany => {
                Outcome::because(RunState::Failed, format!("{why}; nothing was sent"))
            }
            Failure::Unclear(_) | Failure::Strange(_) | Failure::TooLarge(_) if !asked => {
                Outcome::because(RunState::Offline, format!("{why}; nothing was sent to the device"))
            }
            Failure::Unclear(_) | Failure::Strange(_) | Failure::TooLarge(_) => Outcome::because(
                RunState::Failed,
                format!(
                    "{why}; {UNKNOWN}, it may have been sent: look at the script jobs there before it is run again"
                ),
            ),
        };
        outcome.unasked()
    }

    async fn post(&self, batch: &Batch, saved: &Saved, members: &[Arc<Member>]) -> Result<Whole, Failure> {
        let devices: Vec<&str> = members.iter().map(|member| member.device.as_str()).collect();
        let sought = Sought::of(saved, devices.iter().map(|device| (*device).to_owned()));
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
            match seek::find(&self.account.client, &sought, |number| self.watch.knows(number)).await {
                Ok(Some(id)) => {
                    let ask = Ask::get(format!("/script_jobs/{id}"), Urgency::Now);
                    return self.account.client.json::<One<Whole>>(ask).await.map(|one| one.data);
                }
                // it is not there: it was not taken
                Ok(None) if sent < AGAIN => {}
                _ => return Err(failure),
            }
        }
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
    let private = !order.secrets.is_empty() || !order.arguments.is_empty();
    words::unfit(&order.script.bytes, &Handed { args: &order.args, private }).map_or(Ok(()), Err)
}

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
