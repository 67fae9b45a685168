//! Outputs as they are asked for: windows of lines of one run or of all, as they came or only those that match.
//! Decides how much one answer may cost; where the lines are is the affair of `merged`, `search` and the store.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::jobs::live::LiveJob;
use super::search::{Search, Source, Wish};
use super::store::Store;
use super::store::db::{self, Said};
use super::store::output::{self, Files, Wanted};
use super::{Engine, merged, no_job, problem};
use crate::model::job::JobId;
use crate::model::output::{Seek, Which, Window};
use crate::model::search::Pattern;
use crate::model::wire::{Code, Found, Problem, RunFound};

/// Lines of one window at most.
const WINDOW_MAX: usize = 5000;

/// Runs looked into for one window: those that come last.
const WINDOW_RUNS: usize = 1500;

/// A step of a search: long enough for nearly all of them, short enough to be shown as progress.
const STEP: Duration = Duration::from_millis(80);

/// A search that is waited for ends at the latest.
const WHOLE: Duration = Duration::from_secs(110);

/// Which window.
#[derive(Clone, Debug)]
pub struct Place {
    /// `None`: all runs, in order of arrival.
    pub run: Option<u32>,
    pub which: Which,
    pub seek: Seek,
    pub before: usize,
    pub count: usize,
}

/// The outputs of one job, live or kept.
#[derive(Clone)]
pub(super) struct Outputs {
    id: JobId,
    live: Option<Arc<LiveJob>>,
    store: Arc<Store>,
}

impl Outputs {
    /// `None`: the run never said anything.
    pub(super) fn open(&self, run: u32) -> io::Result<Option<Source>> {
        if let Some(live) = &self.live {
            // asked first: what ends meanwhile is read to its end the next time
            let over = live.ended(run);
            if let Some((files, end)) = live.output(run) {
                return Ok(Some(Source { files, end, over }));
            }
        }
        let Some(files) = self.store.open_run(self.id, run)? else { return Ok(None) };
        let end = files.size()?;
        Ok(Some(Source { files: Arc::new(files), end, over: true }))
    }
}

impl Engine {
    pub(super) fn outputs(&self, id: JobId) -> Outputs {
        Outputs { id, live: self.jobs.live(id), store: Arc::clone(&self.jobs.store) }
    }

    /// Lines around a place.
    pub async fn window(&self, id: JobId, place: Place) -> Result<Window, Problem> {
        let said = self.said(id, place.run).await?;
        let outputs = self.outputs(id);
        blocking(id, move || window(&said, &outputs, &place)).await
    }

    /// Lines around a place, of those that match: as far as they are known after a step of the search.
    pub async fn matching(&self, id: JobId, place: Place, pattern: Pattern) -> Result<Window, Problem> {
        let said = self.said(id, place.run).await?;
        let outputs = self.outputs(id);
        let wish = Wish { job: id, run: place.run, which: place.which, pattern };
        let runs = said.spoken(place.run);
        let search = self.searches.get(&wish, || runs.clone()).map_err(|error| problem(Code::Invalid, error))?;
        blocking(id, move || {
            let mut search = search.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            search.know(runs.into_iter());
            let open = |run| outputs.open(run);
            let done = search.advance(&open, Instant::now() + STEP)?;
            let (mut window, first) =
                search.window(&open, place.seek, place.before.min(WINDOW_MAX), place.count.min(WINDOW_MAX))?;
            let mut matching = search.progress(said.bytes(), done);
            matching.first = first;
            window.matching = Some(matching);
            window.total_lines = said.lines();
            window.ended = said.ended(place.run);
            Ok(window)
        })
        .await
    }

    /// Everything that matches, counted; the first `count` of them, run by run.
    pub async fn search(&self, id: JobId, pattern: Pattern, which: Which, count: usize) -> Result<Found, Problem> {
        let said = self.said(id, None).await?;
        let outputs = self.outputs(id);
        let runs = said.spoken(None);
        let wish = Wish { job: id, run: None, which, pattern };
        let mut search = Search::new(&wish, runs).map_err(|error| problem(Code::Invalid, error))?;
        blocking(id, move || {
            let open = |run| outputs.open(run);
            if !search.advance(&open, Instant::now() + WHOLE)? {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long; search one device at a time"));
            }
            let mut found = Found::default();
            for (run, lines) in search.by_run() {
                found.lines += lines;
                found.runs += 1;
                found.by_run.push(RunFound { run, lines });
            }
            found.hits = search.first(&open, count.min(WINDOW_MAX))?;
            Ok(found)
        })
        .await
    }

    /// What is asked for at every turn of a page: of one run alone, or of all.
    async fn said(&self, id: JobId, run: Option<u32>) -> Result<Told, Problem> {
        let told = match self.jobs.live(id) {
            Some(live) => Some(Told { over: live.summary().state.ended(), runs: live.said(run) }),
            None => {
                let said = move |db: &mut rusqlite::Connection| match db::summary_of(db, id)? {
                    Some(job) => Ok(Some(Told { over: job.state.ended(), runs: db::said(db, id, run)? })),
                    None => Ok(None),
                };
                self.jobs.store.db.call(said).await?
            }
        };
        match (told, run) {
            (Some(told), Some(run)) if told.runs.is_empty() => {
                let runs = self.job(id).await?.runs.len();
                Err(problem(Code::NotFound, format!("job {id} has {runs} runs, numbered from 0: no run {run}")))
            }
            (Some(told), _) => Ok(told),
            (None, _) => Err(no_job(id)),
        }
    }
}

/// How much was said so far.
struct Told {
    /// The job has ended.
    over: bool,
    runs: Vec<Said>,
}

impl Told {
    /// Runs that have said anything; one that is asked for by its number in any case.
    fn spoken(&self, run: Option<u32>) -> Vec<u32> {
        self.runs.iter().filter(|said| run.is_some() || said.lines > 0).map(|said| said.run).collect()
    }

    fn lines(&self) -> u64 {
        self.runs.iter().map(|said| said.lines).sum()
    }

    fn bytes(&self) -> u64 {
        self.runs.iter().map(|said| said.bytes).sum()
    }

    fn ended(&self, run: Option<u32>) -> bool {
        if run.is_some() { self.runs.iter().all(|said| said.ended) } else { self.over }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    id: JobId,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| problem(Code::Internal, error.to_string()))?
        .map_err(|error| problem(Code::Internal, format!("cannot read the outputs of job {id}: {error}")))
}

fn window(said: &Told, outputs: &Outputs, place: &Place) -> io::Result<Window> {
    let wanted = Wanted { which: place.which, meta: place.which == Which::All };
    let mut runs = said.spoken(place.run);
    runs.drain(..runs.len().saturating_sub(WINDOW_RUNS));
    let mut files: Vec<(u32, Arc<Files>)> = Vec::with_capacity(runs.len());
    for run in runs {
        files.extend(outputs.open(run)?.map(|source| (run, source.files)));
    }
    let (before, count) = (place.before.min(WINDOW_MAX), place.count.min(WINDOW_MAX));
    let found = merged::window(&files, wanted, place.seek, before, count)?;
    let (mut total_lines, mut total_bytes) = (said.lines(), said.bytes());
    if let (Some(_), [(_, files)]) = (place.run, files.as_slice()) {
        (total_lines, total_bytes) = (output::total_lines(files)?, files.size()?);
    }
    Ok(Window {
        lines: found.lines,
        total_lines,
        total_bytes,
        ended: said.ended(place.run),
        back: found.back,
        starts: found.starts,
        ends: found.ends,
        matching: None,
    })
}
