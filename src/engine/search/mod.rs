//! Searching the outputs of a job: a text, a regular expression, or what looks like trouble. Nothing is indexed
//! beforehand. A search goes on in steps, so that whoever asks sees how far it has come and may lose interest, and
//! goes on where it was when the outputs have grown. Owns the last few searches; `scan` looks, `hits` remembers.

mod hits;
mod scan;

use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use self::hits::{Found, Hits};
pub use self::scan::Needle;
use self::scan::Part;
use super::store::output::{self, Files, Wanted};
use crate::model::job::JobId;
use crate::model::output::{Line, Matching, Place, Seek, Which, Window};
use crate::model::search::Pattern;

/// What one pass looks through; a search can be given up between two of them.
const PART: u64 = 8 << 20;

/// Runs whose files are open at one time.
const OPEN: usize = 64;

/// Places kept by one search, over all runs.
const KEPT: usize = 1 << 18;

/// Searches that can be gone on with.
const REMEMBERED: usize = 8;

/// More of the machine is left to the devices.
const THREADS: usize = 4;

/// The output of a run as it can be read now: its files, where they end, and whether no more will come.
pub struct Source {
    pub files: Arc<Files>,
    pub end: u64,
    pub over: bool,
}

/// Finds the output of a run; `None`: it never said anything.
pub type Open<'a> = &'a dyn Fn(u32) -> io::Result<Option<Source>>;

/// What makes two searches the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub job: JobId,
    /// `None`: all runs.
    pub run: Option<u32>,
    pub which: Which,
    pub pattern: Pattern,
}

/// The searches of late.
#[derive(Default)]
pub struct Searches(Mutex<VecDeque<(Wish, Arc<Mutex<Search>>)>>);

impl Searches {
    /// The one that is known already, or a new one.
    pub fn get(&self, wish: &Wish, runs: impl FnOnce() -> Vec<u32>) -> Result<Arc<Mutex<Search>>, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = known.iter().position(|(mine, _)| mine == wish)
            && let Some(mine) = known.remove(at)
        {
            known.push_front(mine);
        } else {
            let search = Search::new(wish, runs())?;
            known.push_front((wish.clone(), Arc::new(Mutex::new(search))));
            known.truncate(REMEMBERED);
        }
        known.front().map(|(_, search)| Arc::clone(search)).ok_or_else(String::new)
    }
}

/// One search: how far it has come in each run.
pub struct Search {
    needle: Arc<Needle>,
    wanted: Wanted,
    runs: Vec<Looked>,
}

struct Looked {
    run: u32,
    hits: Hits,
    /// Everything there will ever be has been looked at.
    over: bool,
}

impl Search {
    pub fn new(wish: &Wish, runs: Vec<u32>) -> Result<Self, String> {
        Ok(Self::with(Arc::new(Needle::new(&wish.pattern)?), wish.which, runs))
    }

    /// For who looks for the same in many jobs.
    pub fn with(needle: Arc<Needle>, which: Which, runs: Vec<u32>) -> Self {
        Self {
            needle,
            wanted: Wanted { which, meta: false },
            runs: runs.into_iter().map(|run| Looked { run, hits: Hits::default(), over: false }).collect(),
        }
    }

    /// Runs of the job that this one does not know yet.
    pub fn know(&mut self, runs: impl Iterator<Item = u32>) {
        for run in runs {
            if let Err(at) = self.runs.binary_search_by_key(&run, |looked| looked.run) {
                self.runs.insert(at, Looked { run, hits: Hits::default(), over: false });
            }
        }
    }

    /// Lines that match, by run.
    pub fn by_run(&self) -> impl Iterator<Item = (u32, u64)> {
        self.runs.iter().filter(|looked| looked.hits.count > 0).map(|looked| (looked.run, looked.hits.count))
    }

    /// Looks on until everything has been looked at, or it is `until`. `true`: everything.
    pub fn advance(&mut self, open: Open<'_>, until: Instant) -> io::Result<bool> {
        let most = (KEPT / self.runs.len().max(1)).max(64);
        let mut at = 0;
        while at < self.runs.len() {
            // as many runs as may be open at once, each in parts, all parts in order
            let first = at;
            let mut sources: Vec<Option<Source>> = Vec::new();
            let mut parts: Vec<(usize, Part)> = Vec::new();
            while at < self.runs.len() && sources.len() < OPEN {
                let looked = &self.runs[at];
                let source = if looked.over { None } else { open(looked.run)? };
                if let Some(source) = &source {
                    let end = if source.over { source.end } else { last_line(source, looked.hits.searched)? };
                    let mut from = looked.hits.searched;
                    while from < end {
                        let to = (from + PART).min(end);
                        parts.push((at - first, Part { from, to, end }));
                        from = to;
                    }
                }
                sources.push(source);
                at += 1;
            }
            let done = look(&self.needle, self.wanted, &sources, &parts, most, until)?;
            let all = done.len() == parts.len();
            for ((slot, _), hits) in parts.iter().zip(done) {
                self.runs[first + slot].hits.extend(hits, most);
            }
            for (looked, source) in self.runs[first..].iter_mut().zip(&sources) {
                looked.over |= source.as_ref().is_some_and(|source| source.over && looked.hits.searched >= source.end);
            }
            if !all || (at < self.runs.len() && Instant::now() >= until) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How far it has come. `total`: the bytes there are.
    pub fn progress(&self, total: u64, done: bool) -> Matching {
        let searched = self.runs.iter().map(|looked| looked.hits.searched).sum();
        Matching {
            lines: self.by_run().map(|(_, lines)| lines).sum(),
            runs: u32::try_from(self.by_run().count()).unwrap_or(u32::MAX),
            first: 0,
            searched,
            total: total.max(searched),
            done,
        }
    }

    /// Lines that match: `before` of them before the place, `count` from there on, in order of arrival.
    pub fn window(&self, open: Open<'_>, seek: Seek, before: usize, count: usize) -> io::Result<(Window, u64)> {
        let mut window = Window::default();
        let mut sources = Vec::new();
        for looked in self.runs.iter().filter(|looked| looked.hits.count > 0) {
            if let Some(source) = open(looked.run)? {
                sources.push((looked, source));
            }
        }
        let founds: Vec<Found<'_>> = sources.iter().map(|(looked, source)| self.found(looked, source)).collect();
        let mut at = Vec::with_capacity(founds.len());
        for found in &founds {
            at.push(match seek {
                Seek::Start => 0,
                Seek::End => found.hits.count,
                Seek::Around(place) => found.before(place)?,
            });
        }
        let (before, count) = match seek {
            Seek::End => (before + count, 0),
            _ => (before, count),
        };
        let mut first: u64 = at.iter().sum();

        let mut back: Vec<Line> = Vec::new();
        let mut left = at.clone();
        let mut heap = BinaryHeap::new();
        let push = |heap: &mut BinaryHeap<_>, slot: usize, left: &[u64]| -> io::Result<()> {
            if let Some(rank) = left[slot].checked_sub(1)
                && let Some(spot) = founds[slot].at(rank)?
            {
                heap.push((founds[slot].place(&spot), slot));
            }
            Ok(())
        };
        if before > 0 {
            for slot in 0..founds.len() {
                push(&mut heap, slot, &left)?;
            }
        }
        while back.len() < before
            && let Some((place, slot)) = heap.pop()
        {
            back.extend(self.line(&founds[slot], place)?);
            left[slot] -= 1;
            first -= 1;
            push(&mut heap, slot, &left)?;
        }
        window.starts = first == 0;
        back.reverse();
        window.back = back.len();
        window.lines = back;

        let mut heap = BinaryHeap::new();
        let push = |heap: &mut BinaryHeap<_>, slot: usize, at: &[u64]| -> io::Result<()> {
            if let Some(spot) = founds[slot].at(at[slot])? {
                heap.push(std::cmp::Reverse((founds[slot].place(&spot), slot)));
            }
            Ok(())
        };
        if count > 0 {
            for slot in 0..founds.len() {
                push(&mut heap, slot, &at)?;
            }
        }
        while window.lines.len() < window.back + count
            && let Some(std::cmp::Reverse((place, slot))) = heap.pop()
        {
            window.lines.extend(self.line(&founds[slot], place)?);
            at[slot] += 1;
            push(&mut heap, slot, &at)?;
        }
        window.ends = at.iter().zip(&founds).all(|(at, found)| *at >= found.hits.count);
        Ok((window, first))
    }

    fn found<'a>(&'a self, looked: &'a Looked, source: &'a Source) -> Found<'a> {
        let Looked { run, hits, .. } = looked;
        Found { run: *run, files: &source.files, needle: &self.needle, wanted: self.wanted, hits }
    }

    /// Of every run in which a line matches the first one, and how many do.
    pub fn first_of_each(&self, open: Open<'_>) -> io::Result<Vec<(u64, Line)>> {
        let mut lines = Vec::new();
        for looked in self.runs.iter().filter(|looked| looked.hits.count > 0) {
            let Some(source) = open(looked.run)? else { continue };
            let found = self.found(looked, &source);
            if let Some(spot) = found.at(0)? {
                lines.extend(self.line(&found, found.place(&spot))?.map(|line| (looked.hits.count, line)));
            }
        }
        Ok(lines)
    }

    /// The first `count` lines that match, run by run.
    pub fn first(&self, open: Open<'_>, count: usize) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        for looked in self.runs.iter().filter(|looked| looked.hits.count > 0) {
            if lines.len() >= count {
                break;
            }
            let Some(source) = open(looked.run)? else { continue };
            let found = self.found(looked, &source);
            let left = u64::try_from(count - lines.len()).unwrap_or(u64::MAX);
            for rank in 0..looked.hits.count.min(left) {
                if let Some(spot) = found.at(rank)? {
                    lines.extend(self.line(&found, found.place(&spot))?);
                }
            }
        }
        Ok(lines)
    }

    fn line(&self, found: &Found<'_>, place: Place) -> io::Result<Option<Line>> {
        Ok(output::lines(found.files, found.run, place.line, 1, self.wanted, u64::MAX)?.pop())
    }
}

/// Where the last whole line of a run that goes on ends.
fn last_line(source: &Source, from: u64) -> io::Result<u64> {
    let mut piece = vec![0; 64 * 1024];
    let mut to = source.end;
    while to > from {
        let start = to.saturating_sub(piece.len() as u64).max(from);
        let length = usize::try_from(to - start).unwrap_or(0);
        let got = source.files.read_at(&mut piece[..length], start)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece[..got]) {
            return Ok(start + at as u64 + 1);
        }
        to = start;
    }
    Ok(from)
}

/// Passes over the parts, several at once: what was found in those, from the first on, that were looked through
/// before it was `until`; at least one.
fn look(
    needle: &Needle,
    wanted: Wanted,
    sources: &[Option<Source>],
    parts: &[(usize, Part)],
    most: usize,
    until: Instant,
) -> io::Result<Vec<Hits>> {
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<Vec<(usize, Hits)>> {
        let (mut buffer, mut done) = (Vec::new(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((slot, part)) = parts.get(at) else { return Ok(done) };
            let Some(source) = &sources[*slot] else { return Ok(done) };
            done.push((at, Hits::of(&source.files, needle, wanted, *part, &mut buffer, most)?));
            if Instant::now() >= until {
                return Ok(done);
            }
        }
    };
    let bytes: u64 = parts.iter().map(|(_, part)| part.to - part.from).sum();
    let threads = if bytes < PART / 4 { 1 } else { available().min(parts.len()) };
    let mut done = std::thread::scope(|scope| -> io::Result<Vec<(usize, Hits)>> {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work()?;
        for other in others {
            done.extend(other.join().map_err(|_| io::Error::other("a search ended early"))??);
        }
        Ok(done)
    })?;
    done.sort_by_key(|(at, _)| *at);
    // one that is missing would have been taken by a thread that stopped: what follows it waits for the next step
    Ok(done.into_iter().enumerate().map_while(|(n, (at, hits))| (n == at).then_some(hits)).collect())
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS)
}

#[cfg(test)]
mod tests;
