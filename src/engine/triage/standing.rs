//! The runs of a job by the name of their end, kept up to date: a run that ends costs what its own group costs, a look
//! what has changed since the last. When names are made in other ways it is made anew; where these have only learnt
//! more, the groups they learnt about are. Knows nothing of other jobs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::groups::{End, Ends, Kind};
use super::rules::Rules;
use super::shared::{Counts, Shares};
use super::ways::{Named, Ways};
use super::{mask, tree};
use crate::model::nodeset::Names;
use crate::model::triage::Masked;

pub struct Standing {
    ways: Arc<Ways>,
    /// By kind.
    places: Vec<Place>,
    heaps: Vec<Heap>,
    by_name: HashMap<String, usize>,
    /// The heap of each run that has ended.
    of: Vec<Option<usize>>,
}

/// Where the ends of a kind belong.
#[derive(PartialEq, Eq)]
enum Place {
    Heap(usize, Vec<String>),
    /// Told apart by more than their masked lines.
    Split,
}

/// Runs whose ends have one name.
#[derive(Default)]
pub struct Heap {
    pub name: String,
    /// Of the kinds in it the least, whichever ended first.
    pub template: Vec<String>,
    /// In their order.
    pub runs: Vec<u32>,
    pub texts: HashSet<u128>,
    pub first_ended: Option<Timestamp>,
    /// What was asked for before and still holds.
    counts: Option<Counts>,
    devices: Option<String>,
    masked: Option<Vec<Masked>>,
}

impl Standing {
    pub fn of(ways: &Arc<Ways>, ends: &Ends) -> Self {
        let mut standing = Self {
            ways: Arc::clone(ways),
            places: Vec::new(),
            heaps: Vec::new(),
            by_name: HashMap::new(),
            of: vec![None; ends.len()],
        };
        standing.place(ends);
        (0..).take(ends.len()).filter(|run| ends.get(*run).is_some()).for_each(|run| standing.put(run, ends));
        standing
    }

    /// Names are made by these from now on.
    pub fn go_by(&mut self, ways: &Arc<Ways>, ends: &Ends) {
        if Arc::ptr_eq(&self.ways, ways) {
            return;
        }
        let Some(leaves) = ways.learnt_since(&self.ways) else {
            *self = Self::of(ways, ends);
            return;
        };
        self.ways = Arc::clone(ways);
        let mut touched = BTreeSet::new();
        for (at, kind) in ends.kinds().iter().enumerate().filter(|(_, kind)| leaves.contains(&kind.leaf)) {
            let place = self.place_of(kind);
            let before = std::mem::replace(&mut self.places[at], place);
            if let Place::Heap(heap, _) = before
                && before != self.places[at]
            {
                touched.insert(heap);
            }
        }
        self.again(touched, ends);
    }

    /// This run has ended; `again`: it had ended before, in another way.
    pub fn take(&mut self, run: u32, again: bool, ends: &Ends) {
        self.place(ends);
        if again && let Some(heap) = self.of[run as usize].take() {
            self.heaps[heap].runs.retain(|other| *other != run);
            self.again([heap], ends);
        }
        self.put(run, ends);
    }

    pub fn heaps(&self) -> impl Iterator<Item = &Heap> {
        self.heaps.iter().filter(|heap| !heap.runs.is_empty())
    }

    pub fn heaps_mut(&mut self) -> impl Iterator<Item = &mut Heap> {
        self.heaps.iter_mut().filter(|heap| !heap.runs.is_empty())
    }

    pub fn named(&self, name: &str) -> Option<&Heap> {
        self.by_name.get(name).map(|at| &self.heaps[*at]).filter(|heap| !heap.runs.is_empty())
    }

    /// Finds the places of kinds that have none.
    fn place(&mut self, ends: &Ends) {
        for kind in &ends.kinds()[self.places.len()..] {
            let place = self.place_of(kind);
            self.places.push(place);
        }
    }

    fn place_of(&mut self, kind: &Kind) -> Place {
        if self.ways.splits(&kind.specimen, &kind.masked) {
            return Place::Split;
        }
        let Named { name, template } = self.ways.name_of(&kind.specimen, &kind.masked);
        Place::Heap(self.heap(name), template)
    }

    fn heap(&mut self, name: String) -> usize {
        *self.by_name.entry(name).or_insert_with_key(|name| {
            self.heaps.push(Heap { name: name.clone(), ..Heap::default() });
            self.heaps.len() - 1
        })
    }

    /// A run to its like.
    fn put(&mut self, run: u32, ends: &Ends) {
        let Some(end) = ends.get(run) else { return };
        let heap = match &self.places[end.kind] {
            Place::Heap(heap, template) => {
                self.heaps[*heap].add(run, template, end, &ends.shares);
                *heap
            }
            Place::Split => {
                let Named { name, template } = self.ways.name(&end.specimen);
                let heap = self.heap(name);
                self.heaps[heap].add(run, &template, end, &ends.shares);
                heap
            }
        };
        self.of[run as usize] = Some(heap);
    }

    /// Makes heaps anew of the runs that are in them.
    fn again(&mut self, heaps: impl IntoIterator<Item = usize>, ends: &Ends) {
        let mut runs = Vec::new();
        for heap in heaps {
            let heap = &mut self.heaps[heap];
            runs.append(&mut heap.runs);
            *heap = Heap { name: std::mem::take(&mut heap.name), ..Heap::default() };
        }
        runs.into_iter().for_each(|run| self.put(run, ends));
    }
}

impl Heap {
    fn add(&mut self, run: u32, template: &[String], end: &End, shares: &Shares) {
        if self.runs.is_empty() || *template < *self.template {
            self.template = template.to_vec();
            self.masked = None;
        }
        let at = self.runs.partition_point(|other| *other < run);
        self.runs.insert(at, run);
        self.texts.insert(end.text);
        self.first_ended = [self.first_ended, end.finished_at].into_iter().flatten().min();
        self.devices = None;
        if let Some(counts) = &mut self.counts {
            shares.count(run, counts);
        }
    }

    /// The facts of its devices.
    pub fn counts(&mut self, shares: &Shares) -> &Counts {
        self.counts.get_or_insert_with(|| shares.counts(&self.runs))
    }

    /// Its devices as a node set.
    pub fn devices(&mut self, names: &Names) -> &str {
        self.devices.get_or_insert_with(|| names.fold(&self.runs))
    }

    /// What was masked in its template, by its mark.
    pub fn masked(&mut self, rules: &Rules) -> &[Masked] {
        self.masked.get_or_insert_with(|| {
            let marks = mask::MARKS.into_iter().chain([tree::ANY, tree::ID]).chain(rules.marks());
            let marks: BTreeSet<&str> = marks.collect();
            let count = |mark: &str| self.template.iter().map(|line| line.matches(mark).count()).sum();
            let counted = marks.into_iter().map(|mark| Masked { mark: mark.to_owned(), count: count(mark) });
            counted.filter(|masked| masked.count > 0).collect()
        })
    }
}
