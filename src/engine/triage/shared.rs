//! What sets the devices of a group apart: facts, counted here and among those where it went well. Facts are numbers,
//! those of a field one after the other, so that counts are short sorted lists that a run is added to in no time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::triage::Shared;

/// Facts of a device, its groups among them as `group`.
pub type Facts = BTreeMap<String, BTreeSet<String>>;

/// Facts shown for a group.
const SHOWN: usize = 8;

/// A fact with more values than this share of the devices is a name (an address, a serial number), not a kind.
const NAME_ABOVE: f64 = 0.5;

/// The facts of a job's devices, by numbers.
pub struct Shares {
    /// In their order.
    fields: Vec<Field>,
    /// Field and value, in their order.
    facts: Vec<(u32, String)>,
    /// By run.
    of: Vec<Box<[u32]>>,
}

struct Field {
    name: String,
    facts: Range<u32>,
}

/// How many of some devices have each fact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    of: usize,
    /// Facts that any of them has, in their order.
    facts: Vec<(u32, u32)>,
}

impl Shares {
    pub fn of(devices: impl Iterator<Item = Facts>) -> Self {
        let devices: Vec<Facts> = devices.collect();
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (field, values) in devices.iter().flatten() {
            known.entry(field).or_default().extend(values.iter().map(String::as_str));
        }
        let (mut fields, mut facts) = (Vec::new(), Vec::new());
        for (field, values) in known {
            let from = facts.len() as u32;
            facts.extend(values.into_iter().map(|value| (fields.len() as u32, value.to_owned())));
            fields.push(Field { name: field.to_owned(), facts: from..facts.len() as u32 });
        }
        let number = |field: &String, value: &String| {
            let at = fields.binary_search_by(|known| known.name.cmp(field)).ok()?;
            facts.binary_search_by(|(f, v)| (*f as usize).cmp(&at).then_with(|| v.cmp(value))).ok()
        };
        let numbers = |facts: &Facts| {
            let all =
                facts.iter().flat_map(|(field, values)| values.iter().filter_map(move |value| number(field, value)));
            all.map(|fact| fact as u32).collect()
        };
        let of = devices.iter().map(numbers).collect();
        Self { fields, facts, of }
    }

    pub fn counts(&self, runs: &[u32]) -> Counts {
        let mut all: Vec<u32> = runs.iter().flat_map(|run| self.of[*run as usize].iter().copied()).collect();
        all.sort_unstable();
        let facts = all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect();
        Counts { of: runs.len(), facts }
    }

    /// One more of them.
    pub fn count(&self, run: u32, counts: &mut Counts) {
        counts.of += 1;
        for fact in &self.of[run as usize] {
            match counts.facts.binary_search_by_key(fact, |(known, _)| *known) {
                Ok(at) => counts.facts[at].1 += 1,
                Err(at) => counts.facts.insert(at, (*fact, 1)),
            }
        }
    }

    /// Ranked by how much more common a fact is here than there (the difference of the two shares), then by how many
    /// devices here have it.
    pub fn set_apart(&self, here: &Counts, base: &Counts) -> Vec<Shared> {
        let names = ((here.of + base.of) as f64 * NAME_ABOVE).max(1.0);
        let mut apart: Vec<(f64, u32, u32, u32)> = Vec::new();
        for field in &self.fields {
            let (ours, theirs) = (here.among(&field.facts), base.among(&field.facts));
            // different values of the field, here and there together: not fewer than on one side
            if ours.len().max(theirs.len()) as f64 > names {
                continue;
            }
            let mut values = theirs.len();
            let from = apart.len();
            let mut there = theirs.iter().peekable();
            for (fact, count) in ours {
                while there.next_if(|(other, _)| other < fact).is_some() {}
                let common = there.next_if(|(other, _)| other == fact).map_or(0, |(_, count)| *count);
                values += usize::from(common == 0);
                if values as f64 > names {
                    apart.truncate(from);
                    break;
                }
                let lift = f64::from(*count) / here.of.max(1) as f64 - f64::from(common) / base.of.max(1) as f64;
                if lift > 0.0 {
                    apart.push((lift, *fact, *count, common));
                }
            }
        }
        // facts are numbered by field and value
        apart.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.2.cmp(&a.2)).then(a.1.cmp(&b.1)));
        let shown = apart.into_iter().take(SHOWN);
        shown
            .map(|(_, fact, count, common)| {
                let (field, value) = &self.facts[fact as usize];
                Shared {
                    field: self.fields[*field as usize].name.clone(),
                    value: value.clone(),
                    here: count as usize,
                    of: here.of,
                    base: common as usize,
                    base_of: base.of,
                }
            })
            .collect()
    }
}

impl Counts {
    fn among(&self, facts: &Range<u32>) -> &[(u32, u32)] {
        let at = |fact: u32| self.facts.partition_point(|(known, _)| *known < fact);
        &self.facts[at(facts.start)..at(facts.end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(site: &str, serial: usize) -> Facts {
        [("site", site.to_owned()), ("serial", serial.to_string())]
            .map(|(field, value)| (field.to_owned(), BTreeSet::from([value])))
            .into()
    }

    #[test]
    fn what_is_counted_run_by_run_is_what_is_counted_at_once() {
        let shares = Shares::of((0..9).map(|n| facts(["ber", "lon", "par"][n % 3], 9 - n)));
        let mut counts = Counts::default();
        let runs = [4, 0, 8, 3, 7];
        runs.iter().for_each(|run| shares.count(*run, &mut counts));
        assert_eq!(counts, shares.counts(&runs));
    }

    #[test]
    fn a_kind_sets_apart_and_a_name_does_not() {
        let shares = Shares::of((0..12).map(|n| facts(if n < 4 { "ber" } else { "lon" }, n)));
        let (here, base) = (shares.counts(&[0, 1, 2, 4]), shares.counts(&[3, 5, 6, 7]));
        let apart = shares.set_apart(&here, &base);
        let rows: Vec<_> = apart.iter().map(|s| (s.field.as_str(), s.value.as_str(), s.here, s.base)).collect();
        assert_eq!(rows, [("site", "ber", 3, 1)], "serials are as many as the devices");
    }
}
