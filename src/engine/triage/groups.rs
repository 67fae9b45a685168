//! Groups of a job's runs, and what they share: pure, from the runs as they are recorded and the facts of the devices.
//! A run is taken in once, when it has ended, and what is known of its group is kept up to date (`standing`), so neither
//! it nor a look hangs on how many have ended before.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use super::lessons::Lessons;
pub use super::shared::Facts;
use super::shared::{Counts, Shares};
use super::signature::Specimen;
use super::standing::{Heap, Standing};
use super::tree::{Form, leaf};
use super::ways::Ways;
use crate::model::job::{JobId, Run};
use crate::model::nodeset::Names;
use crate::model::state::RunState;
use crate::model::triage::{Gone, Group, Groups, Remarks, WellIn};
use crate::model::ways::Fine;

/// The runs of a job that have ended.
pub struct Tally {
    ends: Ends,
    lessons: Lessons,
    /// Some ways, and these with what the lessons add to them.
    own: Option<[Arc<Ways>; 2]>,
    /// As of the last look, and what has ended since.
    standing: Option<Standing>,
}

/// How the runs of a job ended.
pub(super) struct Ends {
    /// Device ids, by run.
    devices: Vec<String>,
    names: Names,
    pub(super) shares: Shares,
    kinds: Vec<Kind>,
    by_lines: HashMap<Key, usize>,
    ends: Vec<Option<End>>,
    ended: usize,
    /// Devices that went well in an earlier job, by their facts: where nobody goes well here, they are what the groups
    /// are set apart from.
    well: (Option<JobId>, Vec<u32>),
}

/// What ends of a kind have in common: state, exit code, masked lines, and the name they were recorded under.
type Key = (RunState, Option<i32>, Vec<String>, Option<String>);

/// Ends with the same masked lines: few where runs are many.
pub(super) struct Kind {
    pub(super) specimen: Specimen,
    pub(super) masked: Vec<String>,
    /// Of the tree.
    pub(super) leaf: String,
}

pub(super) struct End {
    pub(super) kind: usize,
    pub(super) specimen: Specimen,
    pub(super) text: u128,
    pub(super) finished_at: Option<Timestamp>,
}

/// What taking in a run has changed.
struct Taken {
    /// It had ended before, in another way.
    again: bool,
    /// Nothing like it was taken in before.
    news: Option<Form>,
}

impl Ends {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(super) fn get(&self, run: u32) -> Option<&End> {
        self.ends.get(run as usize)?.as_ref()
    }

    fn end(&self, run: u32) -> &End {
        self.get(run).expect("what is in a group has ended")
    }

    fn take(&mut self, run: &Run, ways: &Ways) -> Option<Taken> {
        let at = run.index as usize;
        if at >= self.ends.len() || !run.state.ended() {
            return None;
        }
        let specimen = Specimen::of(run);
        let text = xxh3_128(run.digest.as_deref().unwrap_or_default().as_bytes());
        let same = |end: &End| (end.text, end.finished_at) == (text, run.finished_at) && end.specimen == specimen;
        if self.ends[at].as_ref().is_some_and(same) {
            return None;
        }
        let masked = ways.masked(&specimen.told, Fine::Masks);
        let key = (specimen.state, specimen.exit_code, masked, specimen.recorded.clone());
        let mut news = None;
        let kind = match self.by_lines.get(&key) {
            Some(kind) => *kind,
            None => {
                let (masked, leaf) = (key.2.clone(), leaf(specimen.state.word(), specimen.exit_code, &key.2));
                // recorded without the lines, it teaches nothing
                news = key.3.is_none().then(|| (specimen.state, specimen.exit_code, masked.clone()));
                self.kinds.push(Kind { specimen: specimen.clone(), masked, leaf });
                self.by_lines.insert(key, self.kinds.len() - 1);
                self.kinds.len() - 1
            }
        };
        // tried again: its last end counts
        let again = self.ends[at].replace(End { kind, specimen, text, finished_at: run.finished_at }).is_some();
        self.ended += usize::from(!again);
        Some(Taken { again, news })
    }
}

impl Tally {
    /// `devices`: the job's, in the order of its runs; `facts`: of each.
    pub fn new(devices: Vec<String>, facts: impl Iterator<Item = Facts>) -> Self {
        Self::beside(devices, facts, None)
    }

    /// `well`: an earlier job, and the facts of those that went well in it.
    pub fn beside(devices: Vec<String>, facts: impl Iterator<Item = Facts>, well: Option<(JobId, Vec<Facts>)>) -> Self {
        let (job, others) = well.map_or((None, Vec::new()), |(job, others)| (Some(job), others));
        let from = devices.len() as u32;
        let ends = Ends {
            names: Names::of(devices.iter().map(String::as_str)),
            well: (job, (from..).take(others.len()).collect()),
            shares: Shares::of(facts.take(devices.len()).chain(others)),
            kinds: Vec::new(),
            by_lines: HashMap::new(),
            ends: devices.iter().map(|_| None).collect(),
            ended: 0,
            devices,
        };
        Self { ends, lessons: Lessons::default(), own: None, standing: None }
    }

    /// A run has ended.
    pub fn take(&mut self, run: &Run, ways: &Ways) {
        let Some(taken) = self.ends.take(run, ways) else { return };
        if let Some(form) = taken.news {
            self.lessons.hear(form);
        }
        if let Some(standing) = &mut self.standing {
            standing.take(run.index, taken.again, &self.ends);
        }
    }

    /// These ways with what the ends themselves teach; the same ones as long as that is the same.
    pub fn ways(&mut self, ways: &Arc<Ways>) -> Arc<Ways> {
        let taught = self.lessons.taught(self.ends.ended == self.ends.len());
        if ways.knows(taught) {
            return Arc::clone(ways);
        }
        match &self.own {
            Some([of, own]) if Arc::ptr_eq(of, ways) && own.knows(taught) => Arc::clone(own),
            _ => {
                let own = Arc::new(ways.with(taught));
                self.own = Some([Arc::clone(ways), Arc::clone(&own)]);
                own
            }
        }
    }

    fn stand(&mut self, ways: &Arc<Ways>) -> (&mut Standing, &Ends) {
        let standing = match self.standing.take() {
            Some(mut standing) => {
                standing.go_by(ways, &self.ends);
                standing
            }
            None => Standing::of(ways, &self.ends),
        };
        (self.standing.insert(standing), &self.ends)
    }

    /// Ends of a group, by its name.
    pub fn specimens(&mut self, name: &str, ways: &Arc<Ways>) -> Vec<Specimen> {
        let (standing, ends) = self.stand(ways);
        let runs = standing.named(name).map_or(&[][..], |heap| &heap.runs);
        runs.iter().map(|run| ends.end(*run).specimen.clone()).collect()
    }

    /// What wants to be looked at first, first. `before`: the job before, and this job's run on each of its devices.
    pub fn groups(&mut self, ways: &Arc<Ways>, exact: bool, before: Option<(&mut Tally, &[Option<u32>])>) -> Groups {
        let gone = before.map(|(before, twins)| before.gone(ways, &self.ends, twins));
        let (standing, ends) = self.stand(ways);
        let mut groups = Vec::new();
        for (at, heap) in standing.heaps_mut().enumerate() {
            let known = gone.as_ref().map(|gone| gone.get(&heap.name));
            let whole = group(heap, known, ways, ends);
            if !exact {
                groups.push((at, whole));
                continue;
            }
            let mut by_text: BTreeMap<u128, Vec<u32>> = BTreeMap::new();
            for run in &whole.runs {
                by_text.entry(ends.end(*run).text).or_default().push(*run);
            }
            groups.extend(by_text.into_values().map(|runs| (at, part(&whole, runs, ends))));
        }
        groups.sort_by_cached_key(|(_, group)| {
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
        let well = |(_, (_, group)): &(usize, &(usize, Group))| group.state == RunState::Ok;
        let base = groups.iter().enumerate().filter(well).max_by_key(|(at, (_, group))| {
            let first = usize::MAX - at;
            (group.runs.len(), first)
        });
        let base = base.map(|(at, _)| at);
        if let Some(base) = base {
            let whole: Vec<&Counts> = standing.heaps_mut().map(|heap| heap.counts(&ends.shares)).collect();
            let counts = |(heap, group): &(usize, Group)| match exact {
                true => Cow::Owned(ends.shares.counts(&group.runs)),
                false => Cow::Borrowed(whole[*heap]),
            };
            let compared = counts(&groups[base]);
            for at in (0..groups.len()).filter(|at| *at != base) {
                groups[at].1.shared = ends.shares.set_apart(&counts(&groups[at]), &compared);
            }
        }
        let well_in = match &ends.well {
            (Some(job), well) if base.is_none() && !well.is_empty() => {
                let compared = ends.shares.counts(well);
                for (_, group) in &mut groups {
                    group.shared = ends.shares.set_apart(&ends.shares.counts(&group.runs), &compared);
                }
                Some(WellIn { job: *job, devices: well.len() })
            }
            _ => None,
        };
        let groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
        let here: BTreeSet<&str> = groups.iter().map(|group| group.signature.as_str()).collect();
        let gone = gone.into_iter().flatten().filter(|(name, gone)| gone.runs > 0 && !here.contains(name.as_str()));
        let gone = gone.map(|(_, gone)| gone).collect();
        Groups { groups, base, well_in, gone, open: ends.len() - ends.ended, exact, ..Groups::default() }
    }

    /// This job's ends on the devices of the one behind it, and which of these ended well there.
    fn gone(&mut self, ways: &Arc<Ways>, now: &Ends, twins: &[Option<u32>]) -> BTreeMap<String, Gone> {
        let twin = |run: &u32| twins.get(*run as usize).copied().flatten();
        let well =
            |run: &&u32| twin(run).and_then(|twin| now.get(twin)).is_some_and(|end| end.specimen.state == RunState::Ok);
        let (standing, ends) = self.stand(ways);
        let heaps = standing.heaps();
        heaps
            .map(|Heap { name, template, runs, .. }| {
                let state = ends.end(runs[0]).specimen.state;
                let fixed = if state == RunState::Ok { 0 } else { runs.iter().filter(well).count() };
                let says = template.last().cloned().unwrap_or_default();
                let runs = runs.iter().filter(|run| twin(run).is_some()).count();
                (name.clone(), Gone { signature: name.clone(), state, says, runs, fixed })
            })
            .collect()
    }

    /// Under which names these runs were recorded, up to so many.
    pub fn recorded(&self, runs: &[u32], most: usize) -> BTreeSet<String> {
        let kinds: BTreeSet<usize> = runs.iter().map(|run| self.ends.end(*run).kind).collect();
        let specimens = kinds.into_iter().take(most).map(|kind| &self.ends.kinds[kind].specimen);
        specimens.map(|specimen| specimen.name(&specimen.template())).collect()
    }

    /// How a run ended.
    pub fn specimen(&self, run: u32) -> &Specimen {
        &self.ends.end(run).specimen
    }

    pub fn devices(&self) -> &[String] {
        &self.ends.devices
    }

    /// The kind of this run's end, of those that have the same masked lines.
    #[cfg(test)]
    fn kind(&self, run: u32) -> usize {
        self.ends.end(run).kind
    }
}

/// As it is shown; `known`: that of the job before, where there was one.
fn group(heap: &mut Heap, known: Option<Option<&Gone>>, ways: &Ways, ends: &Ends) -> Group {
    let first = &ends.end(heap.runs[0]).specimen;
    let says = heap.template.last().cloned().unwrap_or_default();
    Group {
        signature: heap.name.clone(),
        state: first.state,
        exit_code: first.exit_code,
        plain: alike(&says, &heap.runs, ends),
        says,
        masked: heap.masked(&ways.rules).to_vec(),
        template: heap.template.clone(),
        devices: heap.devices(&ends.names).to_owned(),
        runs: heap.runs.clone(),
        first_ended: heap.first_ended,
        before: known.map(|known| known.map_or(0, |known| known.runs)),
        met: known.flatten().is_some(),
        fixed: known.flatten().map_or(0, |known| known.fixed),
        texts: heap.texts.len(),
        shared: Vec::new(),
        remarks: Remarks::default(),
    }
}

/// The line that tells as these runs printed it, where it is one line and not the masked one. A mask takes what
/// differs from device to device; what does not is news: the day on which a certificate ended.
fn alike(says: &str, runs: &[u32], ends: &Ends) -> Option<String> {
    let line = |run: &u32| ends.end(*run).specimen.told.last();
    let first = line(runs.first()?).filter(|first| *first != says)?;
    runs.iter().all(|run| line(run) == Some(first)).then(|| first.clone())
}

/// Those of a group that said the same, byte for byte.
fn part(of: &Group, runs: Vec<u32>, ends: &Ends) -> Group {
    let first = &ends.end(runs[0]).specimen;
    Group {
        signature: of.signature.clone(),
        state: first.state,
        exit_code: first.exit_code,
        says: of.says.clone(),
        plain: alike(&of.says, &runs, ends),
        masked: of.masked.clone(),
        template: of.template.clone(),
        devices: ends.names.fold(&runs),
        first_ended: runs.iter().filter_map(|run| ends.end(*run).finished_at).min(),
        before: None,
        met: false,
        fixed: 0,
        texts: 1,
        shared: Vec::new(),
        remarks: Remarks::default(),
        runs,
    }
}

/// All of a job at once, by the masks alone. `before`: the runs of the job before, where there was one.
pub fn of(runs: &[Run], exact: bool, before: Option<&[Run]>, facts: &dyn Fn(&Run) -> Facts) -> Groups {
    let ways = Arc::new(Ways::default());
    let mut before = before.map(|before| tally(before, &|_| Facts::new()));
    let mut now = tally(runs, facts);
    let twins: Option<Vec<Option<u32>>> = before.as_ref().map(|before| {
        let here: HashMap<&str, u32> = (0..).zip(now.devices()).map(|(run, device)| (device.as_str(), run)).collect();
        before.devices().iter().map(|device| here.get(device.as_str()).copied()).collect()
    });
    now.groups(&ways, exact, before.as_mut().zip(twins.as_deref()))
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
    use super::super::ways::{Book, Cut};
    use super::*;
    use crate::model::job::Signature;
    use crate::model::triage::Masked;

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

    fn ways() -> Arc<Ways> {
        Arc::new(Ways::default())
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
    fn where_nobody_went_well_those_of_an_earlier_job_are_what_the_ill_are_set_apart_from() {
        let site = |site: &str| Facts::from([("site".to_owned(), BTreeSet::from([site.to_owned()]))]);
        let ill: Vec<Run> = (0..3).map(|n| run(n, &format!("web{n}"), 69, "CDN 503")).collect();
        let devices = || ill.iter().map(|run| run.device.clone()).collect();
        let mut tally = Tally::beside(devices(), (0..3).map(|_| site("ams")), Some((7, vec![site("ber"); 9])));
        ill.iter().for_each(|run| tally.take(run, &Ways::default()));
        let groups = tally.groups(&ways(), false, None);
        assert_eq!((groups.base, groups.well_in), (None, Some(WellIn { job: 7, devices: 9 })));
        let shared = &groups.groups[0].shared[0];
        assert_eq!((shared.value.as_str(), shared.base, shared.base_of), ("ams", 0, 9));
        assert!(shared.explains());
        // as soon as one goes well here, it is what the others are compared with
        tally.take(&run(0, "web0", 0, "done"), &Ways::default());
        let groups = tally.groups(&ways(), false, None);
        assert_eq!((groups.base.is_some(), groups.well_in), (true, None));
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
    fn what_all_of_them_printed_alike_is_not_hidden_by_a_mask() {
        let said = |lines: &[&str]| {
            let runs: Vec<Run> = (0..).zip(lines).map(|(n, line)| run(n, &format!("web{n}"), 1, line)).collect();
            let groups = of(&runs, false, None, &none).groups;
            assert_eq!(groups.len(), 1, "{lines:?}");
            groups[0].said().to_owned()
        };
        assert_eq!(said(&["certificate ended 2026-11-01"; 3]), "certificate ended 2026-11-01");
        assert_eq!(
            said(&["certificate ended 2026-11-01", "certificate ended 2026-11-02"]),
            "certificate ended <time>",
            "what differs is masked"
        );
        let runs = [run(0, "web0", 1, "9 GiB free"), run(1, "web1", 1, "8 GiB free")];
        let exact: Vec<String> =
            of(&runs, true, None, &none).groups.iter().map(|group| group.said().to_owned()).collect();
        assert_eq!(exact, ["9 GiB free", "8 GiB free"], "equal texts have one line each");
        assert_eq!(of(&[run(0, "web0", 1, "no space")], false, None, &none).groups[0].plain, None, "nothing is masked");
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
        let mut before = tally(&before, &none);
        let mut now = tally(&fleet(), &none);
        // web0 to web5 end well now, and what `fixed since` was about is web0 and web1
        let twins: Vec<Option<u32>> =
            (0..35).map(|n| if n < 9 { Some(n) } else { (n >= 33).then(|| n - 33) }).collect();
        let groups = now.groups(&ways(), false, Some((&mut before, &twins)));
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.before, g.is_new(), g.fixed)).collect();
        assert_eq!(rows[0], ("no space", Some(0), true, 0), "what is new comes before what is known");
        assert_eq!(rows[1], ("CDN <n>", Some(9), false, 6), "devices of both jobs count");
        let gone: Vec<_> = groups.gone.iter().map(|g| (g.says.as_str(), g.runs, g.fixed, g.is_fixed())).collect();
        assert_eq!(gone, [("fixed since", 2, 2, true)]);
        // what the job before met on other devices alone is neither new nor gone
        let groups = now.groups(&ways(), false, Some((&mut before, &[None; 35])));
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.before, g.is_new())).collect();
        assert_eq!(rows, [("no space", Some(0), true), ("CDN <n>", Some(0), false), ("done", Some(0), true)]);
        assert_eq!(groups.gone, []);
    }

    #[test]
    fn a_run_is_counted_once_and_open_ones_wait() {
        let mut runs = fleet();
        let mut tally = tally(&runs, &none);
        runs.iter().for_each(|run| tally.take(run, &Ways::default()));
        assert_eq!(tally.groups(&ways(), false, None), of(&fleet(), false, None, &none));
        runs[10] = run(10, "db2", 1, "no space");
        tally.take(&runs[10], &Ways::default());
        let groups = tally.groups(&ways(), false, None);
        assert_eq!((groups.open, groups.groups[1].devices.as_str()), (0, "lab:db[1-2]"));
        assert_eq!(tally.kind(9), tally.kind(10));
        // tried again, and it went well
        tally.take(&run(10, "db2", 0, "done"), &Ways::default());
        let rows: Vec<_> = tally.groups(&ways(), false, None).groups.iter().map(|g| g.runs.len()).collect();
        assert_eq!(rows, [3, 1, 7]);
    }

    #[test]
    fn what_the_ends_teach_joins_them() {
        let ended = |n: u32| {
            run(n, &format!("d{n}"), 2, &format!("cannot read all of /srv/{}x", ["a", "b", "c", "d"][n as usize]))
        };
        let mut tally = tally(&(0..4).map(ended).collect::<Vec<_>>(), &none);
        let ways = tally.ways(&ways());
        let groups = tally.groups(&ways, false, None).groups;
        assert_eq!((groups.len(), groups[0].says.as_str()), (1, "cannot read all of <id>"));
        assert_eq!(groups[0].masked, [Masked { mark: "<id>".into(), count: 1 }]);
    }

    #[test]
    fn looking_while_runs_end_comes_to_what_one_look_at_the_end_does() {
        let says = |n: u32| match n % 4 {
            0 => "done".to_owned(),
            1 => format!("cannot read all of /srv/{}x", n % 7),
            2 => format!(
                "user {} exists already",
                ["ann", "ben", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "joe"][n as usize % 10]
            ),
            _ => format!("exit {n} at 10:42:07"),
        };
        let runs: Vec<Run> = (0..120).map(|n| run(n, &format!("d{n}"), (n % 4) as i32, &says(n))).collect();
        let facts = |run: &Run| -> Facts { [("n".to_owned(), BTreeSet::from([(run.index % 5).to_string()]))].into() };
        let split =
            Cut { what: Specimen::of(&runs[3]), fine: Fine::Numbers, by: "ops".into(), at: Timestamp::UNIX_EPOCH };
        for book in [Book::default(), Book { split: vec![split], ..Book::default() }] {
            let ways = Arc::new(Ways::of(book));
            let empty = runs.iter().map(|run| Run { state: RunState::Running, ..run.clone() }).collect::<Vec<_>>();
            let mut now = tally(&empty, &facts);
            for run in &runs {
                // a try that is not the last
                now.take(&self::run(run.index, &run.name, 1, "cannot connect"), &ways);
                now.take(run, &ways);
                let ways = now.ways(&ways);
                now.groups(&ways, false, None);
            }
            let mut once = tally(&empty, &facts);
            runs.iter().for_each(|run| once.take(run, &ways));
            let (all, whole) = (now.ways(&ways), once.ways(&ways));
            for exact in [false, true] {
                assert_eq!(now.groups(&all, exact, None), once.groups(&whole, exact, None));
            }
            assert!(!now.groups(&all, false, None).groups.iter().all(|group| group.shared.is_empty()));
        }
    }

    #[test]
    fn a_fact_that_sets_a_group_apart_is_named() {
        let facts = |run: &Run| -> Facts {
            let proxy = if (6..9).contains(&run.index) { "b" } else { "a" };
            [("via", proxy.to_owned()), ("os", "12".to_owned()), ("address", format!("10.0.0.{}", run.index))]
                .map(|(field, value)| (field.to_owned(), BTreeSet::from([value])))
                .into()
        };
        let groups = tally(&fleet(), &facts).groups(&ways(), false, None);
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
                let ways = tally.ways(&ways());
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
