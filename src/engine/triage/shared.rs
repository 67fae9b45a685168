//! What sets the devices of a group apart: facts, counted here and among those where it went well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::triage::Shared;

/// Facts of a device, its groups among them as `group`.
pub type Facts = BTreeMap<String, BTreeSet<String>>;

/// Facts shown for a group.
const SHOWN: usize = 8;

/// A fact with more values than this share of the devices is a name (an address, a serial number), not a kind.
const NAME_ABOVE: f64 = 0.5;

/// The facts of a job's devices, by numbers.
pub struct Shares {
    /// Field and value.
    facts: Vec<(u32, String)>,
    fields: Vec<String>,
    /// By run.
    of: Vec<Box<[u32]>>,
}

/// How many of some devices have each fact.
pub struct Counts {
    of: usize,
    /// By fact.
    counts: Vec<u32>,
    /// Different values, by field.
    values: Vec<usize>,
}

impl Shares {
    pub fn of(devices: impl Iterator<Item = Facts>) -> Self {
        let mut fields: HashMap<String, u32> = HashMap::new();
        let mut known: HashMap<(u32, String), u32> = HashMap::new();
        let of = devices
            .map(|facts| {
                let mut numbers = Vec::new();
                for (field, values) in facts {
                    let next = fields.len() as u32;
                    let field = *fields.entry(field).or_insert(next);
                    for value in values {
                        let next = known.len() as u32;
                        numbers.push(*known.entry((field, value)).or_insert(next));
                    }
                }
                numbers.into_boxed_slice()
            })
            .collect();
        Self { facts: in_order(known), fields: in_order(fields), of }
    }

    pub fn counts(&self, runs: &[u32]) -> Counts {
        let mut counts = vec![0; self.facts.len()];
        let mut values = vec![0; self.fields.len()];
        for run in runs {
            for fact in &self.of[*run as usize] {
                let count = &mut counts[*fact as usize];
                if *count == 0 {
                    values[self.facts[*fact as usize].0 as usize] += 1;
                }
                *count += 1;
            }
        }
        Counts { of: runs.len(), counts, values }
    }

    /// Ranked by how much more common a fact is here than there (the difference of the two shares), then by how many
    /// devices here have it.
    pub fn set_apart(&self, here: &[u32], base: &Counts) -> Vec<Shared> {
        let mut ours: Vec<u32> = here.iter().flat_map(|run| self.of[*run as usize].iter().copied()).collect();
        ours.sort_unstable();
        // different values of a field, here and there together
        let mut values = base.values.clone();
        let counts: Vec<(u32, usize)> = ours.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
        for (fact, _) in &counts {
            if base.counts[*fact as usize] == 0 {
                values[self.facts[*fact as usize].0 as usize] += 1;
            }
        }
        let names = ((here.len() + base.of) as f64 * NAME_ABOVE).max(1.0);
        let kinds =
            counts.into_iter().filter(|(fact, _)| values[self.facts[*fact as usize].0 as usize] as f64 <= names);
        let mut apart: Vec<(f64, u32, usize)> = kinds
            .map(|(fact, count)| {
                let there = base.counts[fact as usize] as f64 / base.of.max(1) as f64;
                (count as f64 / here.len().max(1) as f64 - there, fact, count)
            })
            .filter(|(lift, ..)| *lift > 0.0)
            .collect();
        let named = |fact: u32| {
            let (field, value) = &self.facts[fact as usize];
            (self.fields[*field as usize].as_str(), value.as_str())
        };
        apart.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.2.cmp(&a.2)).then_with(|| named(a.1).cmp(&named(b.1))));
        let shown = apart.into_iter().take(SHOWN);
        shown
            .map(|(_, fact, count)| {
                let (field, value) = named(fact);
                Shared {
                    field: field.to_owned(),
                    value: value.to_owned(),
                    here: count,
                    of: here.len(),
                    base: base.counts[fact as usize] as usize,
                    base_of: base.of,
                }
            })
            .collect()
    }
}

fn in_order<T>(numbers: HashMap<T, u32>) -> Vec<T> {
    let mut all: Vec<(T, u32)> = numbers.into_iter().collect();
    all.sort_by_key(|(_, number)| *number);
    all.into_iter().map(|(item, _)| item).collect()
}
