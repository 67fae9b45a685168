//! The lines of one run that match: how many, and where. Places are kept for all of them, or, where there are too
//! many, for some; those between are found again by looking from the nearest one kept. Memory is bounded however
//! many lines match.

use std::io;
use std::ops::ControlFlow;

use super::super::store::output::{Files, Wanted};
use super::scan::{Needle, Part, Scan, Spot};
use crate::model::output::Place;

#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub count: u64,
    /// Ascending; the first of them is the first hit.
    kept: Vec<Spot>,
    /// Lines that begin before this byte have been looked at.
    pub searched: u64,
}

impl Hits {
    /// What one pass over a part found, keeping at most about `most` places.
    pub fn of(
        files: &Files,
        needle: &Needle,
        wanted: Wanted,
        part: Part,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<Self> {
        let every = std::cell::Cell::new(1);
        let mut kept: Vec<Spot> = Vec::new();
        let scan = Scan::new(files, needle, wanted, part, buffer)?;
        let count = scan.run(&mut |rank| rank % every.get() == 0, &mut |spot| {
            kept.push(spot);
            if kept.len() >= most.max(2) {
                thin(&mut kept);
                every.set(every.get() * 2);
            }
            ControlFlow::Continue(())
        })?;
        Ok(Self { count, kept, searched: part.to })
    }

    /// What was found in the part that follows.
    pub fn extend(&mut self, more: Self, most: usize) {
        let before = self.count;
        self.kept.extend(more.kept.into_iter().map(|spot| Spot { rank: spot.rank + before, ..spot }));
        self.count += more.count;
        self.searched = more.searched;
        while self.kept.len() > most.max(2) {
            thin(&mut self.kept);
        }
    }
}

/// Every second one goes; the first stays.
fn thin(kept: &mut Vec<Spot>) {
    let mut stays = false;
    kept.retain(|_| {
        stays = !stays;
        stays
    });
}

/// The hits of a run, with what is needed to find those whose places were not kept.
pub struct Found<'a> {
    pub run: u32,
    pub files: &'a Files,
    pub needle: &'a Needle,
    pub wanted: Wanted,
    pub hits: &'a Hits,
}

impl Found<'_> {
    pub fn place(&self, spot: &Spot) -> Place {
        Place { at_ms: i64::try_from(spot.at_ms).unwrap_or(i64::MAX), run: self.run, line: spot.line }
    }

    /// How many stand before this place. In its own run lines are told apart by number, elsewhere by time.
    pub fn before(&self, place: Place) -> io::Result<u64> {
        let earlier = |spot: &Spot| {
            if self.run == place.run { spot.line < place.line } else { self.place(spot) < place }
        };
        let kept = self.hits.kept.partition_point(earlier);
        let Some(last) = kept.checked_sub(1) else { return Ok(0) };
        let from = self.hits.kept[last];
        let next = self.hits.kept.get(kept).map_or(self.hits.count, |spot| spot.rank);
        if next == from.rank + 1 {
            return Ok(next);
        }
        let mut rank = next;
        self.walk(from, &mut |spot| {
            if earlier(&spot) {
                return ControlFlow::Continue(());
            }
            rank = spot.rank;
            ControlFlow::Break(())
        })?;
        Ok(rank.min(next))
    }

    /// The hit of this number.
    pub fn at(&self, rank: u64) -> io::Result<Option<Spot>> {
        if rank >= self.hits.count {
            return Ok(None);
        }
        let kept = self.hits.kept.partition_point(|spot| spot.rank <= rank);
        let Some(from) = kept.checked_sub(1).map(|at| self.hits.kept[at]) else { return Ok(None) };
        if from.rank == rank {
            return Ok(Some(from));
        }
        let mut found = None;
        self.walk(from, &mut |spot| {
            if spot.rank < rank {
                return ControlFlow::Continue(());
            }
            found = Some(spot);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// The hits from this one on, until told to stop.
    fn walk(&self, from: Spot, each: &mut dyn FnMut(Spot) -> ControlFlow<()>) -> io::Result<()> {
        let part = Part { from: from.offset, to: self.hits.searched, end: self.hits.searched };
        let mut buffer = Vec::new();
        Scan::new(self.files, self.needle, self.wanted, part, &mut buffer)?
            .run(&mut |_| true, &mut |spot| each(Spot { rank: spot.rank + from.rank, ..spot }))?;
        Ok(())
    }
}
