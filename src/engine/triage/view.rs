//! A job looked at by how its runs ended. Of a job that runs the view is kept between looks and takes in what has ended
//! since, so a look costs what is new; of one that has ended it is made from the store, and the last few are kept: who
//! looks at a group, then at its diff, then at the job before looks at the same two again and again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::groups::Tally;
use super::lessons::taught;
use super::shared::Facts;
use super::signature::Specimen;
use super::ways::{Book, Ways};
use crate::engine::jobs::live::LiveJob;
use crate::engine::store::{db, ways as store};
use crate::engine::{Engine, problem};
use crate::model::device::{Device, Inventory};
use crate::model::job::{Job, JobId, Run};
use crate::model::state::RunState;
use crate::model::triage::{Alone, Groups};
use crate::model::ways::Fine;
use crate::model::wire::{Code, Problem};

/// What triage keeps in memory.
#[derive(Default)]
pub struct Triage {
    /// By script, until something in them changes; and how often something did.
    ways: Mutex<(u64, HashMap<String, Arc<Ways>>)>,
    views: Mutex<Vec<Kept>>,
    /// Names that were written down with an end that has them.
    pub(super) written: Mutex<HashSet<String>>,
}

/// Names looked up for a group that seems new.
const NAMES: usize = 64;

/// Views of ended jobs that are kept.
const KEEP: usize = 2;

/// Jobs that a re-run of a re-run is followed back through.
const BACK: usize = 8;

/// A view, and what it was made by: as long as this is the same, so is the view.
#[derive(Clone)]
struct Kept {
    job: JobId,
    /// The job that somebody wants it compared with; `None`: a fair one.
    base: Option<JobId>,
    ways: Arc<Ways>,
    /// `None`: the job runs.
    ended: Option<Ended>,
    view: Arc<Mutex<View>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Ended {
    /// The jobs that it may be compared with.
    earlier: Vec<(JobId, bool)>,
    /// Of which reading of the inventory the facts are.
    facts: u64,
}

impl Kept {
    fn is(&self, of: (JobId, Option<JobId>), ways: &Arc<Ways>, ended: Option<&Ended>) -> bool {
        (self.job, self.base) == of && Arc::ptr_eq(&self.ways, ways) && self.ended.as_ref() == ended
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Triage {
    /// What is known of a script has changed.
    pub(super) fn forget(&self, script: &str) {
        let mut ways = lock(&self.ways);
        ways.0 += 1;
        ways.1.remove(script);
    }
}

/// A job, and the one of the same script before it.
pub(super) struct View {
    ways: Arc<Ways>,
    now: Tally,
    /// Its runs that were taken in, in the order in which they ended.
    taken: usize,
    before: Option<(Tally, Vec<Option<u32>>)>,
    previous: Result<JobId, Alone>,
}

impl View {
    /// `well`: an earlier job, and who went well in it.
    pub(super) fn of(
        job: &Job,
        before: Option<&Job>,
        well: Option<(JobId, Vec<String>)>,
        inventory: &Inventory,
        ways: Arc<Ways>,
    ) -> Self {
        let well = well.map(|(job, devices)| (job, devices.iter().map(|id| known(inventory, id)).collect()));
        let mut now = tally(job, inventory, well);
        job.runs.iter().for_each(|run| now.take(run, &ways));
        let before = before.map(|job| {
            // what the devices are like is asked of this job's alone
            let mut before = tally(job, &Inventory::default(), None);
            job.runs.iter().for_each(|run| before.take(run, &ways));
            let here: HashMap<&str, u32> =
                (0..).zip(now.devices()).map(|(run, device)| (device.as_str(), run)).collect();
            let twins = before.devices().iter().map(|device| here.get(device.as_str()).copied()).collect();
            (before, twins)
        });
        Self { ways, now, taken: 0, before, previous: Err(Alone::First) }
    }

    fn take(&mut self, runs: &[Run]) {
        self.taken += runs.len();
        runs.iter().for_each(|run| self.now.take(run, &self.ways));
    }

    /// With what the job itself teaches, which counts for others only when it has ended.
    pub(super) fn ways(&mut self) -> Arc<Ways> {
        self.now.ways(&self.ways)
    }

    fn groups(&mut self, job: JobId, exact: bool) -> (Groups, Arc<Ways>) {
        let ways = self.ways();
        // of another job only the meaning is compared: no two are byte for byte the same
        let before = self.before.as_mut().filter(|_| !exact).map(|(before, twins)| (before, twins.as_slice()));
        let groups = self.now.groups(&ways, exact, before);
        (Groups { job, previous: self.previous.ok(), alone: self.previous.err(), ..groups }, ways)
    }

    /// The same by another book.
    pub(super) fn ways_by(&mut self, book: Book) -> Arc<Ways> {
        self.now.ways(&Arc::new(Ways::of(book)))
    }

    /// Ends of a group.
    pub(super) fn specimens(&mut self, name: &str) -> Vec<Specimen> {
        let ways = self.ways();
        self.now.specimens(name, &ways)
    }
}

fn tally(job: &Job, inventory: &Inventory, well: Option<(JobId, Vec<Facts>)>) -> Tally {
    let facts = job.runs.iter().map(|run| known(inventory, &run.device));
    Tally::beside(job.runs.iter().map(|run| run.device.clone()).collect(), facts, well)
}

fn known(inventory: &Inventory, id: &str) -> Facts {
    inventory.device(id).map_or_else(Facts::new, |device| facts(device))
}

fn facts(device: &Device) -> Facts {
    let mut facts: Facts =
        device.facts.iter().map(|(field, value)| (field.clone(), BTreeSet::from([value.clone()]))).collect();
    facts.entry("group".to_owned()).or_default().extend(device.groups.iter().cloned());
    facts
}

/// Work that takes a while, off the loop.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| problem(Code::Internal, error.to_string()))
}

impl Engine {
    /// The runs of a job by how they ended, live or kept, beside the job that it is compared with.
    pub async fn groups(&self, id: JobId, exact: bool) -> Result<Groups, Problem> {
        self.groups_beside(id, exact, None).await
    }

    /// `base`: the job to compare with; `None`: the one that `baseline` finds.
    pub async fn groups_beside(&self, id: JobId, exact: bool, base: Option<JobId>) -> Result<Groups, Problem> {
        let (script, view) = self.view(id, base).await?;
        let (mut groups, ways, named, unmet) = blocking(move || {
            let view = &mut *lock(&view);
            let (groups, ways) = view.groups(id, exact);
            let unmet: Vec<(usize, BTreeSet<String>)> = (0..)
                .zip(&groups.groups)
                .filter(|(_, group)| group.is_new())
                .map(|(at, group)| (at, view.now.recorded(&group.runs, NAMES)))
                .collect();
            // names that no run was recorded under, and an end that has them
            let mut named = Vec::new();
            for group in groups.groups.iter().filter(|_| !exact) {
                let specimen = view.now.specimen(group.runs[0]);
                if specimen.name(&specimen.template()) != group.signature {
                    named.push((group.signature.clone(), group.says.clone(), specimen.clone()));
                }
            }
            (groups, ways, named, unmet)
        })
        .await?;
        if !unmet.is_empty() {
            let named = script.clone();
            let met = self.jobs.store.db.call(move |db| {
                let mut met = Vec::new();
                for (at, names) in unmet {
                    for name in names {
                        if db::met_before(db, &named, id, &name)? {
                            met.push(at);
                            break;
                        }
                    }
                }
                Ok(met)
            });
            met.await?.into_iter().for_each(|at| groups.groups[at].met = true);
        }
        self.write_down(&script, named).await?;
        self.remarked(&mut groups, &ways).await?;
        Ok(groups)
    }

    /// The script of a job, and its view as it is now.
    pub(super) async fn view(&self, id: JobId, base: Option<JobId>) -> Result<(String, Arc<Mutex<View>>), Problem> {
        let live = self.jobs.live(id);
        let script = match &live {
            Some(live) => live.summary().script,
            None => self.summary(id).await?.script,
        };
        let ways = self.ways_of(&script).await?;
        let ended = match &live {
            Some(_) => None,
            None => Some(Ended { earlier: self.earlier(id).await?, facts: self.inventories.readings() }),
        };
        let kept = lock(&self.triage.views).iter().find(|kept| kept.is((id, base), &ways, ended.as_ref())).cloned();
        let view = match kept {
            Some(kept) => kept.view,
            None => self.made((id, base), ways, ended).await?,
        };
        if let Some(live) = live {
            let view = Arc::clone(&view);
            blocking(move || take(&live, &mut lock(&view))).await?;
        }
        Ok((script, view))
    }

    async fn made(
        &self,
        (id, base): (JobId, Option<JobId>),
        ways: Arc<Ways>,
        ended: Option<Ended>,
    ) -> Result<Arc<Mutex<View>>, Problem> {
        let job = self.job(id).await?;
        let previous = match base {
            Some(base) => Ok(self.chosen_base(id, base).await?),
            None => self.baseline(id).await?,
        };
        let before = match previous {
            Ok(previous) => Some(self.job(previous).await?),
            Err(_) => None,
        };
        let well = self.went_well(&job, before.as_ref()).await?;
        let (inventory, by) = (self.inventories.all(), Arc::clone(&ways));
        let view = blocking(move || {
            let mut view = View::of(&job, before.as_ref(), well, &inventory, by);
            view.previous = previous;
            Arc::new(Mutex::new(view))
        })
        .await?;
        let mut views = lock(&self.triage.views);
        // another way of looking at the same, jobs that have ended since, and all but the last few
        views.retain(|kept| {
            (kept.job, kept.base) != (id, base) && (kept.ended.is_some() || self.jobs.live(kept.job).is_some())
        });
        let over = views.iter().filter(|kept| kept.ended.is_some()).count().saturating_sub(KEEP - 1);
        let oldest: Vec<JobId> =
            views.iter().filter(|kept| kept.ended.is_some()).map(|kept| kept.job).take(over).collect();
        views.retain(|kept| !oldest.contains(&kept.job));
        views.push(Kept { job: id, base, ways, ended, view: Arc::clone(&view) });
        Ok(view)
    }

    /// Who went well in the job that a re-run is compared with, or else in the one that it comes from: a re-run has
    /// those that were ill, and may have nobody who is well.
    async fn went_well(&self, job: &Job, before: Option<&Job>) -> Result<Option<(JobId, Vec<String>)>, Problem> {
        let well = |job: &Job| -> Option<(JobId, Vec<String>)> {
            let ok = job.runs.iter().filter(|run| run.state == RunState::Ok);
            let devices: Vec<String> = ok.map(|run| run.device.clone()).collect();
            (!devices.is_empty()).then_some((job.summary.id, devices))
        };
        let mut parent = job.summary.parent;
        if parent.is_none() {
            return Ok(None);
        }
        let mut found = before.and_then(well);
        for _ in 0..BACK {
            let (None, Some(id)) = (&found, parent) else { break };
            // one that is kept no more says nothing
            let Ok(job) = self.job(id).await else { break };
            (found, parent) = (well(&job), job.summary.parent);
        }
        Ok(found)
    }

    async fn summary(&self, id: JobId) -> Result<crate::model::job::JobSummary, Problem> {
        let summary = self.jobs.store.db.call(move |db| db::summary_of(db, id)).await?;
        summary.ok_or_else(|| problem(Code::NotFound, format!("no job {id}")))
    }

    /// How the ends of a script are named, with what every job of it that has ended teaches.
    pub(in crate::engine) async fn ways_of(&self, script: &str) -> Result<Arc<Ways>, Problem> {
        let name = script.to_owned();
        let unlearnt = self.jobs.store.db.call(move |db| store::unlearnt(db, &name)).await?;
        for job in unlearnt {
            let ways = self.read_ways(script).await?;
            let ends = self.jobs.store.db.call(move |db| store::ends(db, job)).await?;
            let rules = ways.book.rules.clone();
            let patterns = blocking(move || {
                let forms: HashSet<_> =
                    ends.iter().map(|end| (end.state, end.exit_code, ways.masked(&end.told, Fine::Masks))).collect();
                taught(forms)
            })
            .await?;
            let news = !patterns.is_empty();
            let name = script.to_owned();
            self.jobs.store.db.call(move |db| store::learnt(db, &name, job, &rules, patterns)).await?;
            if news {
                self.triage.forget(script);
            }
        }
        self.read_ways(script).await
    }

    async fn read_ways(&self, script: &str) -> Result<Arc<Ways>, Problem> {
        let changes = {
            let ways = lock(&self.triage.ways);
            if let Some(ways) = ways.1.get(script) {
                return Ok(Arc::clone(ways));
            }
            ways.0
        };
        let name = script.to_owned();
        let book = self.jobs.store.db.call(move |db| store::read(db, &name)).await?;
        let ways = Arc::new(Ways::of(book));
        let mut kept = lock(&self.triage.ways);
        if kept.0 == changes {
            kept.1.insert(script.to_owned(), Arc::clone(&ways));
        }
        Ok(ways)
    }

    /// Writes names down with an end that has them, so that whoever has the name finds what it means.
    async fn write_down(&self, script: &str, named: Vec<(String, String, Specimen)>) -> Result<(), Problem> {
        let new: Vec<_> = {
            let mut written = lock(&self.triage.written);
            named.into_iter().filter(|(name, ..)| written.insert(name.clone())).collect()
        };
        if new.is_empty() {
            return Ok(());
        }
        let script = script.to_owned();
        let write = move |db: &mut rusqlite::Connection| {
            new.iter().try_for_each(|(name, says, end)| store::name(db, name, &script, says, end))
        };
        Ok(self.jobs.store.db.call(write).await?)
    }
}

/// What has ended since the last look.
fn take(live: &LiveJob, view: &mut View) {
    let runs = live.ended_since(view.taken);
    view.take(&runs);
}
