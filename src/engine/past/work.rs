//! One search while it goes on: rows of the store in, answers out. Reads outputs by the job, in chunks; counts what it
//! cost; stops when enough is found, when nobody listens, and when it is time.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::Part;
use crate::engine::outputs::Outputs;
use crate::engine::search::{Needle, Search};
use crate::engine::store::past::{Row, each, each_called};
use crate::model::job::JobId;
use crate::model::output::Line;
use crate::model::past::{End, Hit, Mention, Past, Spot, Told};
use crate::model::search::around;
use crate::model::state::Counts;

/// Runs of a job whose outputs are looked through at one go.
const CHUNK: usize = 256;

/// So much of a line is told, in bytes.
const SAYS: usize = 512;

/// Between two words on how far it is.
const PULSE: Duration = Duration::from_millis(100);

/// Rows put in order here, where they come from two questions.
const SORTED: usize = 200_000;

/// Finds the outputs of a job.
pub(super) type Open<'a> = &'a dyn Fn(JobId) -> Outputs;

pub(super) struct Work<'a> {
    asked: &'a Past,
    limit: usize,
    needle: Option<Arc<Needle>>,
    matcher: Option<Regex>,
    to: mpsc::Sender<Told>,
    until: Instant,
    told: Instant,
    end: End,
    /// Of one job, to be searched together.
    batch: Vec<Row>,
    /// The job whose runs are being counted.
    open: Option<Hit>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        asked: &'a Past,
        limit: usize,
        needle: Option<Arc<Needle>>,
        to: mpsc::Sender<Told>,
        until: Instant,
    ) -> Self {
        Self {
            asked,
            limit,
            needle,
            matcher: asked.text.as_ref().and_then(|pattern| pattern.compile().ok()),
            to,
            until,
            told: Instant::now(),
            end: End::default(),
            batch: Vec::new(),
            open: None,
        }
    }

    /// Everything, from the first row to the last word.
    pub(super) fn all(mut self, reader: &Connection, parts: Vec<Part>, mentions: Vec<Mention>, outputs: Open<'_>) {
        let looked = match <[Part; 1]>::try_from(parts) {
            Ok([part]) => ask(reader, &part, &mut |row| self.take(row, outputs)),
            Err(parts) => self.merged(reader, &parts, outputs),
        };
        let rest = match looked {
            Ok(()) => self.search(outputs),
            Err(error) => {
                // interrupted: because it is time, or because nobody listens, who needs no word
                if !self.end.late && Instant::now() < self.until {
                    self.end.problem = Some(format!("the job store: {error}"));
                }
                self.end.late |= Instant::now() >= self.until;
                ControlFlow::Break(())
            }
        };
        if rest.is_continue()
            && let Some(hit) = self.open.take()
        {
            let _ = self.tell(hit);
        }
        for mention in mentions {
            let _ = self.to.blocking_send(Told::Mention(mention));
        }
        let _ = self.to.blocking_send(Told::End(self.end));
    }

    /// Several questions whose answers belong together.
    fn merged(&mut self, reader: &Connection, parts: &[Part], outputs: Open<'_>) -> rusqlite::Result<()> {
        let mut rows: Vec<Row> = Vec::new();
        for part in parts {
            ask(reader, part, &mut |row| {
                rows.push(row);
                if rows.len() < SORTED && !self.to.is_closed() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        self.end.more |= rows.len() >= SORTED;
        rows.sort_by_key(|row| (std::cmp::Reverse(row.job), row.run));
        rows.dedup_by_key(|row| (row.job, row.run));
        for row in rows {
            if self.take(row, outputs).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, row: Row, outputs: Open<'_>) -> ControlFlow<()> {
        self.end.progress.runs += 1;
        self.end.progress.back_to = Some(row.at);
        self.pulse()?;
        if self.needle.is_none() {
            let said = row.reason.clone().unwrap_or_else(|| row.last_line.clone());
            return self.found(row, said, None, 0);
        }
        if self.batch.len() >= CHUNK || self.batch.first().is_some_and(|first| first.job != row.job) {
            self.search(outputs)?;
        }
        self.batch.push(row);
        ControlFlow::Continue(())
    }

    /// Whether to go on; says so far as it is time to.
    fn pulse(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        if self.to.is_closed() || self.end.late {
            return ControlFlow::Break(());
        }
        if now >= self.until {
            self.end.late = true;
            return ControlFlow::Break(());
        }
        if now.duration_since(self.told) >= PULSE {
            self.told = now;
            // (who is slow to take what was found needs no word on how far it is)
            let _ = self.to.try_send(Told::Progress(self.end.progress));
        }
        ControlFlow::Continue(())
    }

    /// Looks through the outputs of the rows at hand.
    fn search(&mut self, outputs: Open<'_>) -> ControlFlow<()> {
        let batch = std::mem::take(&mut self.batch);
        let (Some(needle), Some(first)) = (self.needle.clone(), batch.first()) else {
            return ControlFlow::Continue(());
        };
        let outputs = outputs(first.job);
        let mut hits: HashMap<u32, (u64, Line)> = HashMap::new();
        if self.look(needle, &outputs, &batch, &mut hits).is_err() {
            // a file that cannot be read hides itself alone, not its neighbours
            for row in &batch {
                self.pulse()?;
                let Some(needle) = self.needle.clone() else { break };
                if self.look(needle, &outputs, std::slice::from_ref(row), &mut hits).is_err() {
                    self.end.unread += 1;
                }
            }
        }
        self.pulse()?;
        for row in batch {
            if let Some((lines, line)) = hits.remove(&row.run) {
                let spot = Spot { number: line.number, at: line.at };
                let says = match &self.matcher {
                    Some(matcher) => around(matcher, line.text, SAYS),
                    None => line.text,
                };
                self.found(row, says, Some(spot), lines)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn look(
        &mut self,
        needle: Arc<Needle>,
        outputs: &Outputs,
        rows: &[Row],
        hits: &mut HashMap<u32, (u64, Line)>,
    ) -> io::Result<()> {
        let mut search = Search::with(needle, self.asked.which, rows.iter().map(|row| row.run).collect());
        let open = |run| outputs.open(run);
        let before = self.end.progress.bytes;
        loop {
            let done = search.advance(&open, Instant::now() + PULSE)?;
            self.end.progress.bytes = before + search.progress(0, done).searched;
            if done || self.pulse().is_break() {
                break;
            }
        }
        hits.extend(search.first_of_each(&open)?.into_iter().map(|(lines, line)| (line.run, (lines, line))));
        Ok(())
    }

    /// A run that fits in all.
    fn found(&mut self, row: Row, says: String, line: Option<Spot>, lines: u64) -> ControlFlow<()> {
        let hit = Hit {
            job: row.job,
            script: row.script,
            version: row.version,
            at: row.at,
            by: row.by,
            run: row.run,
            device: row.device,
            name: row.name,
            state: row.state,
            exit_code: row.exit_code,
            signature: row.signature,
            says,
            line,
            lines,
            counts: None,
        };
        if !self.asked.jobs {
            return self.tell(hit);
        }
        match &mut self.open {
            Some(open) if open.job == hit.job => {
                open.add(hit);
                ControlFlow::Continue(())
            }
            _ => {
                let counts = Some(Counts::of([hit.state]));
                match self.open.replace(Hit { counts, ..hit }) {
                    Some(done) => self.tell(done),
                    None => ControlFlow::Continue(()),
                }
            }
        }
    }

    fn tell(&mut self, hit: Hit) -> ControlFlow<()> {
        let found = &mut self.end.progress.found;
        if *found >= self.limit as u64 {
            self.end.more = true;
            self.open = None;
            return ControlFlow::Break(());
        }
        *found += 1;
        match self.to.blocking_send(Told::Hit(Box::new(hit))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Rows of one question.
fn ask(reader: &Connection, part: &Part, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> rusqlite::Result<()> {
    match &part.called {
        Some((ways, name)) => each_called(reader, &part.wanted, (ways, name), take),
        None => each(reader, &part.wanted, take),
    }
}

impl Hit {
    /// Another run of the same job: the worst of them is shown, all are counted.
    fn add(&mut self, other: Self) {
        let mut counts = self.counts.unwrap_or_default();
        counts.add(other.state);
        let lines = self.lines + other.lines;
        if other.state.rank() < self.state.rank() {
            *self = other;
        }
        (self.counts, self.lines) = (Some(counts), lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::past::{Wanted, tests::store};

    /// What is told of seven runs in three jobs, with room for `room` words before anybody listens.
    async fn told(asked: Past, until: Instant, room: usize) -> (mpsc::Receiver<Told>, tokio::task::JoinHandle<()>) {
        let (folder, reader) = store().await;
        let (to, from) = mpsc::channel(room);
        let work = tokio::task::spawn_blocking(move || {
            let parts = vec![Part { wanted: Wanted::default(), called: None }];
            let limit = asked.limit;
            Work::new(&asked, limit, None, to, until).all(&reader, parts, Vec::new(), &|_| unreachable!("no text"));
            drop(folder);
        });
        (from, work)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    async fn all(asked: Past) -> (Vec<Hit>, End) {
        let (mut from, work) = told(asked, later(), 64).await;
        let (mut hits, mut end) = (Vec::new(), End::default());
        while let Some(told) = from.recv().await {
            match told {
                Told::Hit(hit) => hits.push(*hit),
                Told::End(last) => end = last,
                Told::Mention(_) | Told::Progress(_) => {}
            }
        }
        work.await.unwrap();
        (hits, end)
    }

    #[tokio::test]
    async fn no_more_is_told_than_was_asked_for_and_that_there_is_more_is_said() {
        let (hits, end) = all(Past { limit: 7, ..Past::default() }).await;
        assert_eq!((hits.len(), end.more, end.progress.found), (7, false, 7));
        let (hits, end) = all(Past { limit: 2, ..Past::default() }).await;
        assert_eq!((hits.len(), end.more, end.progress.found), (2, true, 2));
    }

    #[tokio::test]
    async fn of_a_job_the_worst_run_stands_for_all_that_fit() {
        let (hits, end) = all(Past { jobs: true, ..Past::default() }).await;
        let said: Vec<_> = hits
            .iter()
            .map(|hit| (hit.job, hit.name.as_str(), hit.counts.map_or(0, |counts| counts.total())))
            .collect();
        assert_eq!(said, [(3, "b", 2), (2, "d", 2), (1, "a", 3)]);
        assert!(!end.more && end.progress.runs == 7);
        let (hits, end) = all(Past { jobs: true, limit: 2, ..Past::default() }).await;
        assert_eq!((hits.len(), end.more), (2, true), "a job is counted when it is whole");
    }

    #[tokio::test]
    async fn it_ends_when_nobody_listens_and_when_it_is_time() {
        let (mut from, work) = told(Past { limit: 7, ..Past::default() }, later(), 1).await;
        assert!(matches!(from.recv().await, Some(Told::Hit(_))));
        drop(from);
        work.await.expect("it does not wait for a reader that has gone");
        let (mut from, work) = told(Past::default(), Instant::now(), 64).await;
        let Some(Told::End(end)) = from.recv().await else { panic!("nothing is found in no time") };
        assert!(end.late && end.progress.found == 0);
        work.await.unwrap();
    }
}
