//! Groups of a job's runs, and what they share: pure, from the runs as they are recorded and the facts of the devices.
//! A run is taken in once, when it has ended, at a cost that does not hang on how many have ended before; rows are made
//! when somebody looks, from the *kinds* of ends (masked lines), which are few where runs are many.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

pub use super::shared::Facts;
use super::shared::Shares;
use super::signature::Specimen;
use super::tree::{Form, Pattern, Tree};
use super::ways::{Named, Ways};
use super::{mask, rules::Rules, tree};
use crate::model::job::Run;
use crate::model::nodeset;
use crate::model::state::RunState;
use crate::model::triage::{Gone, Group, Groups, Masked, Remarks};
use crate::model::ways::Fine;

/// More kinds than this are not looked through for each new one: what they teach waits until they are a tenth more.
const MANY: usize = 256;

/// The runs of a job that have ended.
pub struct Tally {
    /// Device ids, by run.
    devices: Vec<String>,
    shares: Shares,
    kinds: Vec<Kind>,
    by_lines: HashMap<Key, usize>,
    ends: Vec<Option<End>>,
    ended: usize,
    /// What the kinds teach, and how many they were.
    learnt: (usize, BTreeSet<Pattern>),
    folded: Folded,
}

/// What ends of a kind have in common: state, exit code, masked lines, and the name they were recorded under.
type Key = (RunState, Option<i32>, Vec<String>, Option<String>);

/// Ends with the same masked lines.
struct Kind {
    specimen: Specimen,
    masked: Vec<String>,
    runs: Vec<u32>,
}

struct End {
    kind: usize,
    specimen: Specimen,
    text: u128,
    finished_at: Option<Timestamp>,
}

/// Node sets, by the name (and text) of the group, with a mark of the runs they were folded of.
type Folded = HashMap<(String, Option<u128>), (u64, String)>;

/// A group while it is put together.
#[derive(Default)]
struct Heap {
    template: Vec<String>,
    runs: Vec<u32>,
}

impl Tally {
    /// `devices`: the job's, in the order of its runs; `facts`: of each.
    pub fn new(devices: Vec<String>, facts: impl Iterator<Item = Facts>) -> Self {
        let shares = Shares::of(facts);
        Self {
            ends: devices.iter().map(|_| None).collect(),
            devices,
            shares,
            kinds: Vec::new(),
            by_lines: HashMap::new(),
            ended: 0,
            learnt: (0, BTreeSet::new()),
            folded: HashMap::new(),
        }
    }

    /// A run has ended.
    pub fn take(&mut self, run: &Run, ways: &Ways) {
        let at = run.index as usize;
        let Some(before) = self.ends.get_mut(at).filter(|_| run.state.ended()) else { return };
        if let Some(before) = before.take() {
            // tried again: its last end counts
            self.kinds[before.kind].runs.retain(|other| *other != run.index);
            self.ended -= 1;
        }
        let specimen = Specimen::of(run);
        let masked = ways.masked(&specimen.told, Fine::Masks);
        let key = (specimen.state, specimen.exit_code, masked, specimen.recorded.clone());
        let kind = match self.by_lines.get(&key) {
            Some(kind) => *kind,
            None => {
                let kind = Kind { specimen: specimen.clone(), masked: key.2.clone(), runs: Vec::new() };
                self.kinds.push(kind);
                self.by_lines.insert(key, self.kinds.len() - 1);
                self.kinds.len() - 1
            }
        };
        self.kinds[kind].runs.push(run.index);
        let text = xxh3_128(run.digest.as_deref().unwrap_or_default().as_bytes());
        self.ends[at] = Some(End { kind, specimen, text, finished_at: run.finished_at });
        self.ended += 1;
    }

    /// What the kinds of ends teach.
    pub fn teaches(&mut self) -> &BTreeSet<Pattern> {
        let (then, now) = (self.learnt.0, self.kinds.len());
        if now > then && (now <= MANY || now >= then + then / 10 || self.ended == self.ends.len()) {
            let forms: Vec<Form> = self.kinds.iter().filter_map(Kind::form).collect();
            self.learnt = (now, taught(&forms));
        }
        &self.learnt.1
    }

    /// Runs by the name of their end.
    fn heaps(&self, ways: &Ways) -> BTreeMap<String, Heap> {
        let mut heaps: BTreeMap<String, Heap> = BTreeMap::new();
        let mut put = |Named { name, template }: Named, runs: &[u32]| {
            let heap = heaps.entry(name).or_default();
            // of those that are the same, one stands for all, whichever ended first
            if heap.runs.is_empty() || template < heap.template {
                heap.template = template;
            }
            heap.runs.extend_from_slice(runs);
        };
        for kind in self.kinds.iter().filter(|kind| !kind.runs.is_empty()) {
            if ways.splits(&kind.specimen, &kind.masked) {
                for run in &kind.runs {
                    put(ways.name(&self.end(*run).specimen), &[*run]);
                }
            } else {
                put(ways.name_of(&kind.specimen, &kind.masked), &kind.runs);
            }
        }
        heaps.values_mut().for_each(|heap| heap.runs.sort_unstable());
        heaps
    }

    fn end(&self, run: u32) -> &End {
        self.ends[run as usize].as_ref().expect("what is in a kind has ended")
    }

    pub fn names(&self, ways: &Ways) -> Vec<String> {
        self.heaps(ways).into_keys().collect()
    }

    /// Ends of a group, by its name.
    pub fn specimens(&self, name: &str, ways: &Ways) -> Vec<Specimen> {
        let runs = self.heaps(ways).remove(name).map(|heap| heap.runs).unwrap_or_default();
        runs.into_iter().map(|run| self.end(run).specimen.clone()).collect()
    }

    /// What wants to be looked at first, first. `before`: the job before, and this job's run on each of its devices.
    pub fn groups(&mut self, ways: &Ways, exact: bool, before: Option<(&Tally, &[Option<u32>])>) -> Groups {
        let gone = before.map(|(before, twins)| before.gone(ways, self, twins));
        let known = |name: &str| gone.as_ref().map(|gone| gone.get(name));
        let mut groups = Vec::new();
        let mut folded = std::mem::take(&mut self.folded);
        for (name, heap) in self.heaps(ways) {
            if exact {
                let mut by_text: BTreeMap<u128, Vec<u32>> = BTreeMap::new();
                for run in heap.runs {
                    by_text.entry(self.end(run).text).or_default().push(run);
                }
                for (text, runs) in by_text {
                    let heap = Heap { template: heap.template.clone(), runs };
                    groups.push(self.group(name.clone(), heap, Some(text), None, ways, &mut folded));
                }
            } else {
                let known = known(&name);
                groups.push(self.group(name, heap, None, known, ways, &mut folded));
            }
        }
        self.folded = folded;
        groups.sort_by_key(|group| {
            let calm = group.state == RunState::Ok;
            // withdrawn, left out: they follow from what went wrong
            let idle = matches!(group.state, RunState::Cancelled | RunState::Skipped);
            (
                calm,
                idle,
                calm || !group.is_new(),
                group.state.rank(),
                std::cmp::Reverse(group.runs.len()),
                group.runs[0],
            )
        });
        let well = |(_, group): &(usize, &Group)| group.state == RunState::Ok;
        let base = groups.iter().enumerate().filter(well).max_by_key(|(at, group)| (group.runs.len(), usize::MAX - at));
        let base = base.map(|(at, _)| at);
        if let Some(base) = base {
            let compared = self.shares.counts(&groups[base].runs);
            for at in (0..groups.len()).filter(|at| *at != base) {
                groups[at].shared = self.shares.set_apart(&groups[at].runs, &compared);
            }
        }
        let here: BTreeSet<&str> = groups.iter().map(|group| group.signature.as_str()).collect();
        let gone = gone.into_iter().flatten().filter(|(name, _)| !here.contains(name.as_str())).map(|(_, gone)| gone);
        let gone = gone.collect();
        Groups { groups, base, gone, open: self.ends.len() - self.ended, exact, ..Groups::default() }
    }

    fn group(
        &self,
        signature: String,
        heap: Heap,
        text: Option<u128>,
        known: Option<Option<&Gone>>,
        ways: &Ways,
        folded: &mut Folded,
    ) -> Group {
        let Heap { template, runs } = heap;
        let first = &self.end(runs[0]).specimen;
        let texts: HashSet<u128> = runs.iter().map(|run| self.end(*run).text).collect();
        let fold = folded.entry((signature.clone(), text)).or_default();
        let mut mark = Xxh3::new();
        runs.iter().for_each(|run| mark.update(&run.to_le_bytes()));
        if fold.0 != mark.digest() {
            *fold = (mark.digest(), nodeset::fold(runs.iter().map(|run| self.devices[*run as usize].as_str())));
        }
        Group {
            state: first.state,
            exit_code: first.exit_code,
            says: template.last().cloned().unwrap_or_default(),
            masked: masked(&template, &ways.rules),
            template,
            devices: fold.1.clone(),
            first_ended: runs.iter().filter_map(|run| self.end(*run).finished_at).min(),
            before: known.map(|known| known.map_or(0, |known| known.runs)),
            fixed: known.flatten().map_or(0, |known| known.fixed),
            texts: texts.len(),
            shared: Vec::new(),
            remarks: Remarks::default(),
            signature,
            runs,
        }
    }

    /// This job's ends, and which of their devices ended well in the one behind it.
    fn gone(&self, ways: &Ways, now: &Tally, twins: &[Option<u32>]) -> BTreeMap<String, Gone> {
        let well = |run: &&u32| {
            let twin = twins.get(**run as usize).copied().flatten();
            twin.and_then(|twin| now.ends[twin as usize].as_ref()).is_some_and(|end| end.specimen.state == RunState::Ok)
        };
        let heaps = self.heaps(ways).into_iter();
        heaps
            .map(|(signature, Heap { template, runs })| {
                let state = self.end(runs[0]).specimen.state;
                let fixed = if state == RunState::Ok { 0 } else { runs.iter().filter(well).count() };
                let says = template.last().cloned().unwrap_or_default();
                (signature.clone(), Gone { signature, state, says, runs: runs.len(), fixed })
            })
            .collect()
    }

    /// How a run ended.
    pub fn specimen(&self, run: u32) -> &Specimen {
        &self.end(run).specimen
    }

    pub fn devices(&self) -> &[String] {
        &self.devices
    }

    /// The kind of this run's end, of those that have the same masked lines.
    #[cfg(test)]
    fn kind(&self, run: u32) -> usize {
        self.end(run).kind
    }
}

impl Kind {
    /// `None`: recorded without the lines.
    fn form(&self) -> Option<Form> {
        let Specimen { state, exit_code, recorded, .. } = &self.specimen;
        recorded.is_none().then(|| (*state, *exit_code, self.masked.clone()))
    }
}

/// What the ends of a job teach, by themselves: whichever job taught before, they teach the same.
pub fn taught(forms: &[Form]) -> BTreeSet<Pattern> {
    Tree::default().taught(forms).patterns().clone()
}

/// What was masked in these, by its mark.
fn masked(template: &[String], rules: &Rules) -> Vec<Masked> {
    let marks: BTreeSet<&str> = mask::MARKS.into_iter().chain([tree::ANY, tree::ID]).chain(rules.marks()).collect();
    let count = |mark: &str| template.iter().map(|line| line.matches(mark).count()).sum();
    let counted = marks.into_iter().map(|mark| Masked { mark: mark.to_owned(), count: count(mark) });
    counted.filter(|masked| masked.count > 0).collect()
}

/// All of a job at once, by the masks alone. `before`: the runs of the job before, where there was one.
pub fn of(runs: &[Run], exact: bool, before: Option<&[Run]>, facts: &dyn Fn(&Run) -> Facts) -> Groups {
    let ways = Ways::default();
    let before = before.map(|before| tally(before, &|_| Facts::new()));
    let mut now = tally(runs, facts);
    let twins: Option<Vec<Option<u32>>> = before.as_ref().map(|before| {
        let here: HashMap<&str, u32> = (0..).zip(&now.devices).map(|(run, device)| (device.as_str(), run)).collect();
        before.devices.iter().map(|device| here.get(device.as_str()).copied()).collect()
    });
    now.groups(&ways, exact, before.as_ref().zip(twins.as_deref()))
}

fn tally(runs: &[Run], facts: &dyn Fn(&Run) -> Facts) -> Tally {
    let mut all: Vec<&Run> = runs.iter().collect();
    all.sort_by_key(|run| run.index);
    let devices = all.iter().map(|run| run.device.clone()).collect();
    let mut tally = Tally::new(devices, all.iter().map(|run| facts(run)));
    runs.iter().for_each(|run| tally.take(run, &Ways::default()));
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::Signature;

    fn run(index: u32, name: &str, code: i32, says: &str) -> Run {
        let state = if code == 0 { RunState::Ok } else { RunState::Failed };
        let told = Some([says.to_owned()].into());
        Run {
            state,
            exit_code: Some(code),
            signature: Some(Signature { name: String::new(), says: says.to_owned(), told }),
            digest: Some(format!("{says}{}", index % 2)),
            ..Run::queued(index, &format!("lab:{name}"), name)
        }
    }

    fn none(_: &Run) -> Facts {
        Facts::new()
    }

    fn fleet() -> Vec<Run> {
        let mut runs: Vec<Run> = (0..6).map(|n| run(n, &format!("web{n}"), 0, "done")).collect();
        runs.extend((6..9).map(|n| run(n, &format!("web{n}"), 69, "CDN 503")));
        runs.push(run(9, "db1", 1, "no space"));
        runs.push(Run { state: RunState::Running, ..Run::queued(10, "lab:db2", "db2") });
        runs
    }

    #[test]
    fn what_failed_comes_first_and_everyone_is_in_one_group() {
        let groups = of(&fleet(), false, None, &none);
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.runs.len(), g.texts)).collect();
        assert_eq!(rows, [("CDN <n>", 3, 2), ("no space", 1, 1), ("done", 6, 2)]);
        assert_eq!((groups.base, groups.open), (Some(2), 1));
        assert_eq!(groups.groups[0].devices, "lab:web[6-8]");
        assert_eq!(groups.groups[0].before, None, "there was no job before");
        assert_eq!(groups.groups[0].masked, [Masked { mark: "<n>".into(), count: 1 }]);
    }

    #[test]
    fn exact_groups_have_one_text() {
        let groups = of(&fleet(), true, None, &none);
        assert!(groups.groups.iter().all(|group| group.texts == 1));
        assert_eq!(groups.groups.iter().map(|group| group.runs.len()).sum::<usize>(), 10);
        assert_eq!(groups.groups.len(), 5);
    }

    #[test]
    fn the_job_before_tells_what_is_new_gone_and_fixed() {
        let before: Vec<Run> = (0..31)
            .map(|n| run(n, &format!("web{n}"), 69, "CDN 404"))
            .chain((31..35).map(|n| run(n, &format!("old{n}"), 1, "fixed since")))
            .collect();
        let before = tally(&before, &none);
        let mut now = tally(&fleet(), &none);
        // web0 to web5 end well now, and what `fixed since` was about is web0 and web1
        let twins: Vec<Option<u32>> =
            (0..35).map(|n| if n < 9 { Some(n) } else { (n >= 33).then(|| n - 33) }).collect();
        let groups = now.groups(&Ways::default(), false, Some((&before, &twins)));
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.before, g.is_new(), g.fixed)).collect();
        assert_eq!(rows[0], ("no space", Some(0), true, 0), "what is new comes before what is known");
        assert_eq!(rows[1], ("CDN <n>", Some(31), false, 6));
        let gone: Vec<_> = groups.gone.iter().map(|g| (g.says.as_str(), g.runs, g.fixed, g.is_fixed())).collect();
        assert_eq!(gone, [("fixed since", 4, 2, true)]);
    }

    #[test]
    fn a_run_is_counted_once_and_open_ones_wait() {
        let mut runs = fleet();
        let mut tally = tally(&runs, &none);
        runs.iter().for_each(|run| tally.take(run, &Ways::default()));
        assert_eq!(tally.groups(&Ways::default(), false, None), of(&fleet(), false, None, &none));
        runs[10] = run(10, "db2", 1, "no space");
        tally.take(&runs[10], &Ways::default());
        let groups = tally.groups(&Ways::default(), false, None);
        assert_eq!((groups.open, groups.groups[1].devices.as_str()), (0, "lab:db[1-2]"));
        assert_eq!(tally.kind(9), tally.kind(10));
        // tried again, and it went well
        tally.take(&run(10, "db2", 0, "done"), &Ways::default());
        let rows: Vec<_> = tally.groups(&Ways::default(), false, None).groups.iter().map(|g| g.runs.len()).collect();
        assert_eq!(rows, [3, 1, 7]);
    }

    #[test]
    fn what_the_ends_teach_joins_them() {
        let ended = |n: u32| {
            run(n, &format!("d{n}"), 2, &format!("cannot read all of /srv/{}x", ["a", "b", "c", "d"][n as usize]))
        };
        let mut tally = tally(&(0..4).map(ended).collect::<Vec<_>>(), &none);
        let ways = Ways::default();
        let ways = ways.with(tally.teaches());
        let groups = tally.groups(&ways, false, None).groups;
        assert_eq!((groups.len(), groups[0].says.as_str()), (1, "cannot read all of <id>"));
        assert_eq!(groups[0].masked, [Masked { mark: "<id>".into(), count: 1 }]);
    }

    #[test]
    fn a_fact_that_sets_a_group_apart_is_named() {
        let facts = |run: &Run| -> Facts {
            let proxy = if (6..9).contains(&run.index) { "b" } else { "a" };
            [("via", proxy.to_owned()), ("os", "12".to_owned()), ("address", format!("10.0.0.{}", run.index))]
                .map(|(field, value)| (field.to_owned(), BTreeSet::from([value])))
                .into()
        };
        let groups = tally(&fleet(), &facts).groups(&Ways::default(), false, None);
        let shared = &groups.groups[0].shared;
        assert_eq!(shared.len(), 1, "neither what all have nor what everyone has for himself: {shared:?}");
        assert_eq!((shared[0].field.as_str(), shared[0].value.as_str()), ("via", "b"));
        assert_eq!((shared[0].here, shared[0].of, shared[0].base, shared[0].base_of), (3, 3, 0, 6));
        assert!(shared[0].explains());
        assert!(groups.groups[2].shared.is_empty(), "the base is compared with nothing");
    }

    proptest::proptest! {
        #[test]
        fn every_ended_run_is_in_exactly_one_group_whatever_the_order(codes in proptest::collection::vec(0i32..4, 1..60), seed in 0u64..1000) {
            let says = |n: u32, code: i32| format!("e{code} cannot open all of /srv/{}", n % 3);
            let mut runs: Vec<Run> = (0u32..).zip(&codes).map(|(n, code)| run(n, &format!("d{n}"), *code, &says(n, *code))).collect();
            let whole = |runs: &[Run]| {
                let mut tally = tally(runs, &none);
                let ways = Ways::default();
                let ways = ways.with(tally.teaches());
                tally.groups(&ways, false, None)
            };
            let first = whole(&runs);
            let mut all: Vec<u32> = first.groups.iter().flat_map(|group| group.runs.clone()).collect();
            all.sort_unstable();
            proptest::prop_assert_eq!(all, (0..codes.len() as u32).collect::<Vec<_>>());
            fastrand::Rng::with_seed(seed).shuffle(&mut runs);
            proptest::prop_assert_eq!(first, whole(&runs));
        }
    }
}
