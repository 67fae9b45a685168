//! What the engine before this one sent: its runs are heard to their ends as if nothing had been. A launch that was on
//! its way when that engine ended is looked for once; what is not there was not sent, and that is said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::budget;
use super::client::Failure;
use super::jobs::{Desk, Member, Word};
use super::seek;
use super::sent::{self, Note};
use crate::connectors::{Left, Outcome, RunSink};
use crate::model::job::{LOST, UNKNOWN};
use crate::model::state::RunState;

/// Launches without a number that were looked for; what came of it.
#[derive(Default)]
pub struct Found(Mutex<HashMap<usize, Option<u64>>>);

impl Desk {
    /// One run, from where it was left to its end.
    pub async fn take_up(self: Arc<Self>, left: Left, mut sink: Box<dyn RunSink>) -> Outcome {
        sent::read(&self.sent).await;
        let before = self.sent.before();
        let lost = |why: &str| Outcome::because(RunState::Failed, format!("{LOST}{why}"));
        let Some(at) = before.find(left.job, &left.device.id, left.since) else {
            return lost(&format!(
                "the engine ended as this was to be sent to SimpleMDM, and nothing of it is written down; {UNKNOWN}"
            ));
        };
        let (note, launch) = &before.launches[at];
        let (member, mut heard) =
            Member::sent(launch.devices.get(&left.device.id).cloned().unwrap_or_default(), &left.device.id);
        let asked = async {
            let mut tries = 0;
            loop {
                match self.number(at).await {
                    Err(failure) if failure.passes() => {
                        tries += 1;
                        tokio::time::sleep(budget::again(tries)).await;
                    }
                    known => return known,
                }
            }
        };
        let number = tokio::select! {
            biased;
            number = asked => number,
            () = left.cancel.cancelled() => {
                if self.watch.is_leaving() {
                    return Outcome::left();
                }
                let why = "not watched any longer: whether it was sent to SimpleMDM was still looked for";
                return Outcome::because(RunState::Cancelled, why);
            }
        };
        match number {
            Ok(Some(id)) => {
                member
                    .say(Word::Say(format!("the engine began anew: script job {id} goes on, and is asked for again")));
                self.watch.join(id, launch.devices.len(), Note::clone(note), Arc::clone(&member));
                let outcome = self.hear_out(&member, &mut heard, &left.cancel, Some(left.job), sink.as_mut()).await;
                outcome.unwrap_or_else(Outcome::left)
            }
            Ok(None) => {
                self.sent.over(note);
                lost("the engine ended as this was sent, and SimpleMDM has no script job of it: nothing was sent")
            }
            Err(failure) => {
                self.sent.over(note);
                lost(&format!(
                    "the engine ended as this was sent; {UNKNOWN} ({}): look at the script jobs there",
                    failure.says()
                ))
            }
        }
    }

    /// The number of a launch that was left. `None`: it was not sent. Those who ask together wait for one answer.
    async fn number(&self, at: usize) -> Result<Option<u64>, Failure> {
        let launch = &self.sent.before().launches[at].1;
        if let Some(number) = launch.number.as_ref().and_then(|number| number.parse().ok()) {
            return Ok(Some(number));
        }
        let _alone = self.sending.lock().await;
        let known = self.found.0.lock().unwrap_or_else(PoisonError::into_inner).get(&at).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let knows = |number: &str| self.watch.knows(number);
        let found = seek::find(&self.account.client, &launch.sought, knows).await?;
        let found: Option<u64> = found.and_then(|number| number.parse().ok());
        if let Some(number) = found {
            let (note, launch) = &self.sent.before().launches[at];
            self.sent.made(note, launch, &number.to_string()).await;
            self.watch.is_ours(number);
        }
        self.found.0.lock().unwrap_or_else(PoisonError::into_inner).insert(at, found);
        Ok(found)
    }

    /// Whatever was left is known by its number: what is listed at SimpleMDM can be told to be ours or not.
    pub async fn sorted_out(&self) -> Result<(), String> {
        sent::read(&self.sent).await;
        let goes = self.sent.before().launches.iter().enumerate().filter(|(_, (note, _))| note.goes());
        for (at, _) in goes {
            self.number(at).await.map_err(|failure| failure.says())?;
        }
        Ok(())
    }
}
