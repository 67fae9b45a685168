//! Searching past jobs: the store says which runs fit all that is not text, the newest first; the outputs of those alone
//! are read. What is found goes out as it is found, as fast as it is taken; whoever asks no longer ends the search.
//! Owns how much one search may cost; which index leads is `store::past`'s affair, how a text is found `search`'s.

mod mentions;
mod work;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, oneshot};

use self::work::Work;
use super::jobs::plan::invalid;
use super::search::Needle;
use super::store::past::{self as store, Devices, Wanted};
use super::store::{db, ways};
use super::triage::Ways;
use super::{Engine, no_job, problem};
use crate::model::job::JobId;
use crate::model::nearest::hint;
use crate::model::past::{Codes, MOST, Mention, Past, Told};
use crate::model::wire::{Code, Problem};

/// Searches at one time; the next one waits.
const AT_ONCE: usize = 4;

/// A search is given up after this time.
const WHOLE: Duration = Duration::from_secs(600);

/// Answers on their way to who asked.
const ROOM: usize = 64;

/// Names that a beginning may stand for, to be told.
const NAMES: usize = 8;

/// Places for those who search.
pub(super) struct Desk(Arc<Semaphore>);

impl Default for Desk {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Runs that the store is asked for: as it recorded them, or by what the ways of a script call them.
pub(super) struct Part {
    pub(super) wanted: Wanted,
    pub(super) called: Option<(Ways, String)>,
}

impl Engine {
    /// Finds what fits. What comes ends with [`Told::End`]; where it ends without, the engine went away.
    pub async fn past(self: &Arc<Self>, asked: Past) -> Result<mpsc::Receiver<Told>, Problem> {
        asked.check().map_err(invalid)?;
        let needle = asked.text.as_ref().map(Needle::new).transpose().map_err(invalid)?.map(Arc::new);
        if let Some(id) = asked.job {
            let known = self.jobs.store.db.call(move |db| db::summary_of(db, id)).await?;
            known.ok_or_else(|| no_job(id))?;
        }
        if let Some(script) = &asked.script {
            self.known_script(script).await?;
        }
        let devices = match &asked.device {
            Some(expr) => Some(self.devices_of(expr).await?),
            None => None,
        };
        let mentions = self.mentions(&asked, devices.as_ref()).await?;
        let parts = self.parts(&asked, devices).await?;
        let permit = Arc::clone(&self.past.0).acquire_owned().await;
        let permit = permit.map_err(|error| problem(Code::Internal, error.to_string()))?;
        let reader = self.jobs.store.db.reader()?;
        let (to, from) = mpsc::channel(ROOM);
        // the store may look for long without finding anything: it is told when nobody waits any more
        let (working, worked) = oneshot::channel::<()>();
        let (stop, listens) = (reader.get_interrupt_handle(), to.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = listens.closed() => stop.interrupt(),
                () = tokio::time::sleep(WHOLE) => stop.interrupt(),
                _ = worked => {}
            }
        });
        let engine = Arc::clone(self);
        let limit = asked.limit.clamp(1, MOST);
        tokio::task::spawn_blocking(move || {
            let outputs = move |id: JobId| {
                engine.touched(); // somebody still waits for it: the engine is not idle
                engine.outputs(id)
            };
            Work::new(&asked, limit, needle, to, Instant::now() + WHOLE).all(&reader, parts, mentions, &outputs);
            drop((working, permit));
        });
        Ok(from)
    }

    /// A slip in a script's name is told, for it would find nothing.
    async fn known_script(&self, name: &str) -> Result<(), Problem> {
        let mut known = self.jobs.store.db.call(|db| store::scripts(db)).await?;
        if known.iter().any(|script| script == name) {
            return Ok(());
        }
        known.extend(self.library().await?.scripts.into_iter().map(|script| script.name));
        if known.iter().any(|script| script == name) {
            return Ok(());
        }
        let near = hint(name, known.iter().map(String::as_str));
        Err(problem(Code::NotFound, format!("no script {name}, and no job ran one of that name{near}")))
    }

    /// Where a device or a script was used says also what is kept for the next time.
    async fn mentions(&self, asked: &Past, devices: Option<&Devices>) -> Result<Vec<Mention>, Problem> {
        if !asked.jobs || asked.text.is_some() {
            return Ok(Vec::new());
        }
        let (templates, saved) = (Arc::clone(&self.templates), Arc::clone(&self.saved));
        let kept = tokio::task::spawn_blocking(move || (templates.list().all, saved.list().0)).await;
        let (templates, saved) = kept.map_err(|error| problem(Code::Internal, error.to_string()))?;
        Ok(match (&asked.script, devices) {
            (Some(script), None) => mentions::of_script(script, &templates),
            (None, Some(devices)) => mentions::of_devices(&devices.ids, &self.inventories.all(), &templates, &saved),
            _ => Vec::new(),
        })
    }

    async fn devices_of(&self, expr: &str) -> Result<Devices, Problem> {
        self.settle().await;
        let reader = self.jobs.store.db.reader()?;
        let ever = tokio::task::spawn_blocking(move || store::devices(&reader)).await;
        let ever = ever
            .map_err(|error| problem(Code::Internal, error.to_string()))?
            .map_err(|error| Problem::from(db::DbError::from(error)))?;
        let of = ever.len();
        let here: HashSet<String> = ever.iter().cloned().collect();
        let mut ids = self.ever_meant(expr, ever).await?;
        ids.retain(|id| here.contains(id)); // nothing ever ran on the others
        Ok(Devices { ids, of })
    }

    /// What the store is asked. A signature may be recorded with the run, or be made by the ways of a script.
    async fn parts(&self, asked: &Past, devices: Option<Devices>) -> Result<Vec<Part>, Problem> {
        let mut devices = devices;
        let wanted = |devices: Option<Devices>| Wanted {
            job: asked.job,
            script: asked.script.clone(),
            devices,
            codes: asked.exit_code.clone(),
            states: asked.state.clone(),
            unknown: asked.unknown,
            signature: None,
            since: asked.since,
            until: asked.until,
            spoke: asked.text.is_some(),
        };
        let Some(begun) = &asked.signature else {
            return Ok(vec![Part { wanted: wanted(devices), called: None }]);
        };
        let text = begun.clone();
        let (recorded, called, books) = self
            .jobs
            .store
            .db
            .call(move |db| {
                let books = store::merged(db)?.into_iter().map(|script| Ok((ways::read(db, &script)?, script)));
                let books = books.collect::<rusqlite::Result<Vec<_>>>()?;
                Ok((store::signatures(db, &text, NAMES)?, store::called(db, &text)?, books))
            })
            .await?;
        let mut names: Vec<&str> = recorded.iter().map(String::as_str).collect();
        names.extend(called.iter().map(|called| called.name.as_str()));
        names.sort_unstable();
        names.dedup();
        let name = match names.as_slice() {
            [] => return Ok(Vec::new()),
            names if names.contains(&begun.as_str()) => begun.clone(),
            [only] => (*only).to_owned(),
            [one, other, ..] => {
                return Err(invalid(format!("{begun} begins both {one} and {other}: write more of it")));
            }
        };
        let mut parts = Vec::new();
        for (book, script) in books {
            let ways = Ways::of(book);
            let made = called.iter().find(|called| called.name == name && called.script == script);
            let end = made.map(|made| made.end.clone()).or_else(|| ways.head(&name).cloned());
            let Some(end) = end.filter(|_| asked.script.as_ref().is_none_or(|asked| *asked == script)) else {
                continue;
            };
            let ids = devices.as_ref().map(|all| Devices { ids: all.ids.clone(), of: all.of });
            let mut wanted = Wanted { script: Some(script), ..wanted(ids) };
            // (what goes by one name ended in one way)
            if wanted.states.is_empty() && !wanted.unknown {
                wanted.states = vec![end.state];
            }
            wanted.codes =
                wanted.codes.or_else(|| end.exit_code.map(|code| Codes { ranges: vec![(code, code)], not: false }));
            parts.push(Part { wanted, called: Some((ways, name.clone())) });
        }
        parts.push(Part { wanted: Wanted { signature: Some(name), ..wanted(devices.take()) }, called: None });
        Ok(parts)
    }
}
