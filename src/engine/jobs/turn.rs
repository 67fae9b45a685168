//! What an operator does to a job that goes: hold it, let it go on, approve a ring, stop it. Asked twice, the second
//! changes nothing and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::live::LiveJob;
use super::overlap::Guards;
use crate::engine::{Engine, find_run, problem};
use crate::model::audit::{Act, Deed};
use crate::model::connection::cannot_stop;
use crate::model::job::{Job, JobId, Run};
use crate::model::nodeset;
use crate::model::plan::{Caller, LeftOut};
use crate::model::state::RunState;
use crate::model::wire::{Approve, Cancel, Cancelled, Code, Problem, Stopping, Turned};

impl Engine {
    pub async fn pause(&self, id: JobId, caller: &Caller) -> Result<Turned, Problem> {
        let live = self.going(id).await?;
        let changed = live.pause(&self.user);
        if changed {
            self.turned(&live, Act::Pause, None, caller).await?;
        }
        let job = live.latest();
        let says = match job.progress.paused.as_ref().filter(|_| !changed) {
            Some(paused) => format!("was paused already, {}", paused.says()),
            None => format!("paused: {} not sent to yet, {} go on", job.counts.queued, job.counts.running),
        };
        Ok(Turned { changed, says, job, against: None, questions: Vec::new() })
    }

    /// Devices that are left to send to and are in maintenance or in a change freeze by now: a pause may be long.
    fn closed_to(&self, job: &Job) -> Option<String> {
        let inventory = self.inventories.all();
        let guards = Guards::now(self, &inventory);
        let mut left = 0;
        let mut closed: BTreeMap<String, usize> = BTreeMap::new();
        for run in job.runs.iter().filter(|run| run.state == RunState::Queued) {
            left += 1;
            let why = inventory.device(&run.device).and_then(|device| {
                let whys = guards.of(device);
                whys.into_iter().find(|(why, _)| matches!(why, LeftOut::Maintenance | LeftOut::Freeze))
            });
            if let Some((_, text)) = why {
                *closed.entry(text).or_default() += 1;
            }
        }
        let said: Vec<String> = closed.into_iter().map(|(text, n)| format!("{n} {text}")).collect();
        (!said.is_empty()).then(|| format!("of the {left} left to send to, {}", said.join(", ")))
    }

    /// `anyway`: also where questions are open that a job of an earlier engine asks, and where a window has begun.
    pub async fn resume(&self, id: JobId, anyway: bool, caller: &Caller) -> Result<Turned, Problem> {
        let live = self.going(id).await?;
        // one at a time: two who resume take a job of an earlier engine up once
        let _alone = self.launching.lock().await;
        if !anyway
            && live.latest().progress.paused.is_some()
            && let Some(closed) = self.closed_to(&live.snapshot())
        {
            let says =
                format!("still paused: {closed}; quarterdeck jobs resume {id} --anyway sends to them all the same");
            return Ok(Turned {
                changed: false,
                says,
                job: live.latest(),
                against: Some(closed),
                questions: Vec::new(),
            });
        }
        if let Some(launched) = live.waits() {
            let questions = self.take_up(&live, launched, anyway, caller).await?;
            if !questions.is_empty() {
                let asked: Vec<&str> = questions.iter().map(|question| question.text.as_str()).collect();
                let asked = asked.join(", ");
                let says =
                    format!("still paused: {asked} has to be given first (quarterdeck jobs resume {id} asks for it)");
                return Ok(Turned { changed: false, says, job: live.latest(), against: None, questions });
            }
        }
        if live.latest().progress.paused.is_some() {
            // what sends to devices is written down first
            self.turned(&live, Act::Resume, None, caller).await?;
        }
        let changed = live.resume(&self.user);
        let job = live.latest();
        let says = match (&job.progress.asks, changed) {
            (Some(asks), _) => {
                let (what, ring) = (if changed { "resumed" } else { "is not paused" }, asks.ring);
                format!("{what}; ring {ring} waits for approval: quarterdeck jobs approve {id} --ring {ring}")
            }
            (None, true) => format!("resumed: {} left to send to", job.counts.queued),
            (None, false) => "goes on: it is not paused".to_owned(),
        };
        Ok(Turned { changed, says, job, against: None, questions: Vec::new() })
    }

    pub async fn approve(&self, id: JobId, what: Approve, caller: &Caller) -> Result<Turned, Problem> {
        let live = self.going(id).await?;
        let asked = what.ring.or_else(|| live.latest().progress.asks.map(|asks| asks.ring));
        if let Some(asks) = live.latest().progress.asks.filter(|asks| asked == Some(asks.ring)) {
            let note = format!("ring {}", asks.ring);
            self.turned(&live, Act::Approve, Some((note, asks.devices)), caller).await?;
        }
        let changed = asked.is_some_and(|ring| live.approve(ring, &self.user));
        let job = live.latest();
        let says = match (asked, changed) {
            (Some(ring), true) if job.progress.paused.is_some() => {
                format!("ring {ring} is approved, and begins when the job is resumed")
            }
            (Some(ring), true) => format!("ring {ring} is approved"),
            (Some(ring), false) if ring <= job.progress.approved => format!("ring {ring} was approved already"),
            _ => match &job.progress.asks {
                Some(asks) => format!("it is ring {} that waits for approval", asks.ring),
                None => "no ring waits for approval".to_owned(),
            },
        };
        Ok(Turned { changed, says, job, against: None, questions: Vec::new() })
    }

    /// `of`: what is let go, and its devices; else it is about all that have not been sent to.
    async fn turned(
        &self,
        live: &LiveJob,
        act: Act,
        of: Option<(String, u32)>,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let job = live.latest();
        let counts = &job.counts;
        let stands = format!(
            "{} not sent to, {} sent, {} running, {} ended",
            counts.queued,
            counts.sent,
            counts.running,
            counts.ended()
        );
        let on = of.as_ref().map_or(counts.queued, |(_, devices)| *devices);
        let note = Some(of.map_or_else(|| stands.clone(), |(note, _)| format!("{note}; {stands}")));
        let deed = Deed { job: Some(live.id), script: Some(job.script), note, ..Deed::of(act, &self.user, caller) };
        self.audit(deed.on(on)).await
    }

    /// The job, while there is something to be done to it.
    async fn going(&self, id: JobId) -> Result<Arc<LiveJob>, Problem> {
        if let Some(live) = self.jobs.live(id)
            && !live.latest().state.ended()
        {
            return Ok(live);
        }
        let job = self.job(id).await?;
        if let Some(origin) = job.summary.origin.as_ref().filter(|_| !job.summary.state.ended()) {
            let why = format!("job {id} was launched by its system ({origin}): it goes its own way");
            return Err(problem(Code::Refused, why));
        }
        Err(problem(Code::Refused, format!("job {id} has ended already ({})", job.summary.state.word())))
    }

    pub async fn cancel(&self, id: JobId, what: &Cancel, caller: &Caller) -> Result<Cancelled, Problem> {
        let Some(live) = self.jobs.live(id) else {
            let job = self.job(id).await?;
            if let Some(origin) = job.summary.origin.as_ref().filter(|_| !job.summary.state.ended()) {
                let why = format!("job {id} was launched by its system ({origin}): it can be cancelled there alone");
                return Err(problem(Code::Refused, why));
            }
            return Err(problem(
                Code::Refused,
                format!("job {id} has ended already ({}): nothing to cancel", job.summary.state.word()),
            ));
        };
        let runs = if what.devices.is_empty() {
            None
        } else {
            let job = live.snapshot();
            Some(what.devices.iter().map(|device| find_run(&job, device)).collect::<Result<Vec<_>, _>>()?)
        };
        let done = self.stop_runs(&live, runs, what.stop).await?;
        let script = Some(live.summary().script);
        let note = Some(done.says());
        let target = (!what.devices.is_empty()).then(|| nodeset::fold(what.devices.iter().map(String::as_str)));
        let deed = Deed { job: Some(id), script, target, note, ..Deed::of(Act::Stop, &self.user, caller) };
        self.audit(deed.on(done.reached())).await?;
        Ok(done)
    }

    /// Of what runs on a system that can end nothing, only what has not started is withdrawn. Where nothing else was to
    /// be done, that is a refusal.
    async fn stop_runs(&self, live: &LiveJob, runs: Option<Vec<u32>>, stop: Stopping) -> Result<Cancelled, Problem> {
        let job = live.snapshot();
        let mut why = None;
        let endless = |run: &Run| {
            let connection = run.device.split(':').next().unwrap_or_default();
            let kind = self.inventories.connection(connection).map(|connection| connection.kind.word());
            kind.filter(|_| !self.capabilities(connection).cancel_running).map(cannot_stop)
        };
        let meant = |run: &&Run| runs.as_ref().is_none_or(|runs| runs.contains(&run.index)) && !run.state.ended();
        let (mut kept, mut others) = (Vec::new(), Vec::new());
        for run in job.runs.iter().filter(meant) {
            match endless(run) {
                Some(because) => {
                    kept.push(run.index);
                    why = Some(because);
                }
                None => others.push(run.index),
            }
        }
        let Some(why) = why.filter(|_| stop == Stopping::All) else {
            return Ok(live.cancel(runs.as_deref(), stop, &self.user));
        };
        let withdrawn = live.cancel(Some(&kept), Stopping::Unstarted, &self.user);
        let ended = if others.is_empty() { Cancelled::default() } else { live.cancel(Some(&others), stop, &self.user) };
        let done = Cancelled {
            withdrawn: withdrawn.withdrawn + ended.withdrawn,
            ending: withdrawn.ending + ended.ending,
            asked_back: withdrawn.asked_back + ended.asked_back,
            going: withdrawn.going + ended.going,
            unrecorded: withdrawn.unrecorded.or(ended.unrecorded),
        };
        if done.reached() == 0 && done.going > 0 {
            return Err(problem(Code::Refused, format!("nothing was stopped: {why}")));
        }
        Ok(done)
    }
}
