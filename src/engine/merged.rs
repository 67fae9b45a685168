//! Windows of lines of one run or of all runs of a job, from any place, in both directions, in order of arrival.
//! Walks over index records, which are far fewer than lines, and reads only the lines that are given.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use super::store::index::Index;
use super::store::output::{self, Files, Record, Wanted};
use crate::model::output::{Line, Seek};

/// Lines of a window, and where it stands.
#[derive(Debug, Default)]
pub struct Stretch {
    pub lines: Vec<Line>,
    /// Of them before the place asked for.
    pub back: usize,
    pub starts: bool,
    pub ends: bool,
}

/// The lines that begin in one record.
#[derive(Clone, Copy, Debug)]
struct Block {
    at_ms: u64,
    /// Lines `from..to`.
    from: u64,
    to: u64,
}

struct Walker<'a> {
    run: u32,
    files: &'a Files,
    index: Index<'a>,
    wanted: Wanted,
    total: u64,
    /// The next block in each direction: its record, and up to or from which line of it.
    record: u64,
    line: u64,
}

impl<'a> Walker<'a> {
    fn new(run: u32, files: &'a Files, wanted: Wanted, seek: Seek) -> io::Result<Self> {
        let mut walker = Self {
            run,
            files,
            index: Index::new(files)?,
            wanted,
            total: output::total_lines(files)?,
            record: 0,
            line: 0,
        };
        match seek {
            Seek::Start => {}
            Seek::End => walker.line = walker.total,
            Seek::Around(place) if place.run == run => walker.line = place.line.min(walker.total),
            Seek::Around(place) => {
                // lines of a record have its time: all of them are before the place, or none
                let earlier = |record: &Record| (at(record), run) < (place.at_ms, place.run);
                let last = files.last_record(earlier)?;
                if walker.index.get(last)?.as_ref().is_some_and(earlier) {
                    walker.line = walker.block(last)?.map_or(walker.total, |block| block.to);
                }
            }
        }
        walker.record = files.last_record(|record| record.line <= walker.line)?;
        Ok(walker)
    }

    /// Lines that begin in this record. Without an index all lines are one block.
    fn block(&mut self, record: u64) -> io::Result<Option<Block>> {
        let Some(here) = self.index.get(record)? else {
            return Ok((record == 0).then_some(Block { at_ms: 0, from: 0, to: self.total }));
        };
        let to = self.index.get(record + 1)?.map_or(self.total, |next| next.line);
        Ok(Some(Block { at_ms: here.at_ms, from: here.line, to }))
    }

    fn takes(&mut self, record: u64) -> io::Result<bool> {
        Ok(self.index.get(record)?.is_none_or(|record| self.wanted.takes(record.stream)))
    }

    /// The nearest block behind (`forward`) or before the place that has lines that are wanted.
    fn next(&mut self, forward: bool) -> io::Result<Option<Block>> {
        let mut record = self.record;
        loop {
            let Some(block) = self.block(record)? else { return Ok(None) };
            let (from, to) =
                if forward { (block.from.max(self.line), block.to) } else { (block.from, block.to.min(self.line)) };
            self.record = record;
            if from < to && self.takes(record)? {
                return Ok(Some(Block { from, to, ..block }));
            }
            record = match (forward, record.checked_sub(1)) {
                (true, _) => record + 1,
                (false, Some(before)) => before,
                (false, None) => return Ok(None),
            };
        }
    }

    fn lines(&self, block: Block) -> io::Result<Vec<Line>> {
        let count = usize::try_from(block.to - block.from).unwrap_or(usize::MAX);
        output::lines(self.files, self.run, block.from, count, self.wanted, u64::MAX)
    }
}

fn at(record: &Record) -> i64 {
    i64::try_from(record.at_ms).unwrap_or(i64::MAX)
}

/// `before` lines before the place and `count` from there on. (From the end: all of them before it.)
pub fn window(
    runs: &[(u32, Arc<Files>)],
    wanted: Wanted,
    seek: Seek,
    before: usize,
    count: usize,
) -> io::Result<Stretch> {
    let (before, count) = if seek == Seek::End { (before + count, 0) } else { (before, count) };
    let mut walkers = Vec::with_capacity(runs.len());
    for (run, files) in runs {
        walkers.push(Walker::new(*run, files, wanted, seek)?);
    }
    let starts: Vec<(u64, u64)> = walkers.iter().map(|walker| (walker.record, walker.line)).collect();

    // backwards: the latest block of all runs, again and again; its last lines first
    let mut blocks: Vec<Vec<Line>> = Vec::new();
    let mut got = 0;
    let mut heap = BinaryHeap::new();
    for (slot, walker) in walkers.iter_mut().enumerate() {
        if let Some(block) = walker.next(false)? {
            heap.push((block.at_ms, walker.run, slot, block.from, block.to));
        }
    }
    while got < before
        && let Some((at_ms, _, slot, from, to)) = heap.pop()
    {
        let walker = &mut walkers[slot];
        let from = from.max(to.saturating_sub((before - got) as u64));
        let lines = walker.lines(Block { at_ms, from, to })?;
        got += lines.len();
        blocks.push(lines);
        walker.line = from;
        if let Some(block) = walker.next(false)? {
            heap.push((block.at_ms, walker.run, slot, block.from, block.to));
        }
    }
    let mut found = Stretch { starts: heap.is_empty(), ..Stretch::default() };
    found.lines = blocks.into_iter().rev().flatten().collect();
    found.back = found.lines.len();

    let mut heap = BinaryHeap::new();
    for ((slot, walker), (record, line)) in walkers.iter_mut().enumerate().zip(starts) {
        (walker.record, walker.line) = (record, line);
        if let Some(block) = walker.next(true)? {
            heap.push(Reverse((block.at_ms, walker.run, slot, block.from, block.to)));
        }
    }
    let mut got = 0;
    while got < count
        && let Some(Reverse((at_ms, _, slot, from, to))) = heap.pop()
    {
        let walker = &mut walkers[slot];
        let to = to.min(from + (count - got) as u64);
        let lines = walker.lines(Block { at_ms, from, to })?;
        got += lines.len();
        found.lines.extend(lines);
        walker.line = to;
        if let Some(block) = walker.next(true)? {
            heap.push(Reverse((block.at_ms, walker.run, slot, block.from, block.to)));
        }
    }
    found.ends = heap.is_empty();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::store::output::Writer;
    use crate::model::output::{Stream, Which};

    type Kept = Vec<(u32, Arc<Files>)>;

    /// Runs that spoke in turns, and all their lines in order of arrival.
    fn runs(appends: &[(u32, bool, String)], step: u64, wanted: Wanted) -> (tempfile::TempDir, Kept, Vec<Line>) {
        let dir = tempfile::tempdir().unwrap();
        let open = |run: u32| {
            let path = |end: &str| dir.path().join(format!("{run}.{end}"));
            Arc::new(Files::create(&path("out"), &path("idx")).unwrap())
        };
        let files: Vec<(u32, Arc<Files>)> = (0..3).map(|run| (run, open(run))).collect();
        let mut writers: Vec<Writer> = files.iter().map(|(_, files)| Writer::new(Arc::clone(files))).collect();
        for (n, (run, err, text)) in appends.iter().enumerate() {
            let stream = if *err { Stream::Err } else { Stream::Out };
            writers[*run as usize].append(stream, text.as_bytes(), 1_000_000 + n as u64 * step).unwrap();
        }
        let mut all: Vec<Line> = files
            .iter()
            .flat_map(|(run, files)| output::lines(files, *run, 0, usize::MAX, wanted, u64::MAX).unwrap())
            .collect();
        all.sort_by_key(Line::place);
        (dir, files, all)
    }

    proptest! {
        #[test]
        fn every_window_is_a_piece_of_all_lines_in_order(
            appends in prop::collection::vec((0_u32..3, any::<bool>(), "[ab\n]{0,30}"), 0..60),
            step in 0_u64..60,
            which in prop::sample::select(vec![Which::All, Which::Out, Which::Err]),
            (place, before, count) in (0_usize..60, 0_usize..20, 0_usize..20),
        ) {
            let wanted = Wanted { which, meta: true };
            let (_dir, files, all) = runs(&appends, step, wanted);
            let at = place.min(all.len());
            let seek = match all.get(at) {
                Some(line) => Seek::Around(line.place()),
                None => Seek::End,
            };
            let (before, count) = if seek == Seek::End { (before + count, 0) } else { (before, count) };
            let found = window(&files, wanted, seek, before, count).unwrap();
            let from = at.saturating_sub(before);
            let to = (at + count).min(all.len());
            prop_assert_eq!(&found.lines, &all[from..to]);
            prop_assert_eq!((found.back, found.starts, found.ends), (at - from, from == 0, to == all.len()));
            let start = window(&files, wanted, Seek::Start, 5, 7).unwrap();
            prop_assert_eq!(&start.lines, &all[..all.len().min(7)]);
        }
    }
}
