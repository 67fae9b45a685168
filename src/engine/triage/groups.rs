//! Groups of a job's runs, and what they share: pure, from the runs as they are recorded and the facts of the devices.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::mask;
use super::signature::Specimen;
use crate::model::job::Run;
use crate::model::nodeset;
use crate::model::state::RunState;
use crate::model::triage::{Gone, Group, Groups, Masked, Remarks, Shared};

/// Facts of a device, its groups among them as `group`.
pub type Facts = BTreeMap<String, BTreeSet<String>>;

/// Facts shown for a group.
const SHARED: usize = 8;

/// A fact with more values than this share of the devices is a name (an address, a serial number), not a kind.
const NAME_ABOVE: f64 = 0.5;

/// `facts`: by run. `before`: the runs of the job before, where there was one.
pub fn of(runs: &[Run], exact: bool, before: Option<&[Run]>, facts: &dyn Fn(&Run) -> Facts) -> Groups {
    let before = before.map(|before| ends(before, runs));
    let mut by_key: BTreeMap<(String, Option<String>), Vec<&Run>> = BTreeMap::new();
    let mut open = 0;
    for run in runs {
        if run.state.ended() {
            let text = exact.then(|| run.digest.clone().unwrap_or_default());
            by_key.entry((name(run), text)).or_default().push(run);
        } else {
            open += 1;
        }
    }
    let known: HashMap<&str, &Gone> = before.iter().flatten().map(|gone| (gone.signature.as_str(), gone)).collect();
    let mut groups: Vec<Group> = by_key
        .into_iter()
        .map(|((signature, _), runs)| {
            let known = before.as_ref().map(|_| known.get(signature.as_str()).copied());
            group(signature, &runs, known)
        })
        .collect();
    groups.sort_by_key(|group| {
        let calm = group.state == RunState::Ok;
        (calm, calm || !group.is_new(), group.state.rank(), std::cmp::Reverse(group.runs.len()), group.runs[0])
    });
    let well = |group: &&Group| group.state == RunState::Ok;
    let base = groups.iter().filter(well).max_by_key(|group| group.runs.len()).map(|best| best.runs[0]);
    let base = base.and_then(|first| groups.iter().position(|group| group.runs[0] == first));
    if let Some(base) = base {
        let all: Vec<Facts> = runs.iter().map(facts).collect();
        let of = |group: &Group| group.runs.iter().map(|run| &all[*run as usize]).collect::<Vec<_>>();
        let compared = of(&groups[base]);
        for at in (0..groups.len()).filter(|at| *at != base) {
            groups[at].shared = shared(&of(&groups[at]), &compared);
        }
    }
    let here: BTreeSet<&str> = groups.iter().map(|group| group.signature.as_str()).collect();
    let gone = before.iter().flatten().filter(|gone| !here.contains(gone.signature.as_str())).cloned().collect();
    Groups { groups, base, gone, open, exact, ..Groups::default() }
}

fn name(run: &Run) -> String {
    let specimen = Specimen::of(run);
    specimen.name(&specimen.template())
}

/// How the runs of the job before ended, and which of their devices ended well now.
fn ends(before: &[Run], now: &[Run]) -> Vec<Gone> {
    let well: BTreeSet<&str> =
        now.iter().filter(|run| run.state == RunState::Ok).map(|run| run.device.as_str()).collect();
    let mut ends: BTreeMap<String, Gone> = BTreeMap::new();
    for run in before.iter().filter(|run| run.state.ended()) {
        let specimen = Specimen::of(run);
        let template = specimen.template();
        let (name, says) = (specimen.name(&template), template.last().cloned().unwrap_or_default());
        let end = Gone { signature: name.clone(), state: run.state, says, runs: 0, fixed: 0 };
        let end = ends.entry(name).or_insert(end);
        end.runs += 1;
        end.fixed += usize::from(run.state != RunState::Ok && well.contains(run.device.as_str()));
    }
    ends.into_values().collect()
}

/// What was masked in these, by its mark.
fn masked(template: &[String]) -> Vec<Masked> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in template {
        for mark in mask::MARKS {
            let count = line.matches(mark).count();
            if count > 0 {
                *counts.entry(mark).or_default() += count;
            }
        }
    }
    counts.into_iter().map(|(mark, count)| Masked { mark: mark.to_owned(), count }).collect()
}

/// `known`: in the job before, if there was one.
fn group(signature: String, runs: &[&Run], known: Option<Option<&Gone>>) -> Group {
    let template = Specimen::of(runs[0]).template();
    let texts: BTreeSet<&str> = runs.iter().map(|run| run.digest.as_deref().unwrap_or_default()).collect();
    Group {
        signature,
        state: runs[0].state,
        exit_code: runs[0].exit_code,
        says: template.last().cloned().unwrap_or_default(),
        masked: masked(&template),
        template,
        runs: runs.iter().map(|run| run.index).collect(),
        devices: nodeset::fold(runs.iter().map(|run| run.device.as_str())),
        first_ended: runs.iter().filter_map(|run| run.finished_at).min(),
        before: known.map(|known| known.map_or(0, |known| known.runs)),
        fixed: known.flatten().map_or(0, |known| known.fixed),
        texts: texts.len(),
        shared: Vec::new(),
        remarks: Remarks::default(),
    }
}

/// Ranked by how much more common a fact is here than there (the difference of the two shares), then by how many
/// devices here have it.
fn shared(here: &[&Facts], base: &[&Facts]) -> Vec<Shared> {
    let count = |devices: &[&Facts]| {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for facts in devices {
            for (field, values) in *facts {
                for value in values {
                    *counts.entry((field.clone(), value.clone())).or_default() += 1;
                }
            }
        }
        counts
    };
    let (ours, theirs) = (count(here), count(base));
    let mut values: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for (field, value) in ours.keys().chain(theirs.keys()) {
        values.entry(field).or_default().insert(value);
    }
    let names = (here.len() + base.len()) as f64 * NAME_ABOVE;
    let mut shared: Vec<Shared> = ours
        .iter()
        .filter(|((field, _), _)| (values[field.as_str()].len() as f64) <= names.max(1.0))
        .map(|((field, value), count)| Shared {
            field: field.clone(),
            value: value.clone(),
            here: *count,
            of: here.len(),
            base: theirs.get(&(field.clone(), value.clone())).copied().unwrap_or(0),
            base_of: base.len(),
        })
        .filter(|shared: &Shared| shared.lift() > 0.0)
        .collect();
    shared.sort_by(|a, b| {
        b.lift()
            .total_cmp(&a.lift())
            .then(b.here.cmp(&a.here))
            .then_with(|| (&a.field, &a.value).cmp(&(&b.field, &b.value)))
    });
    shared.truncate(SHARED);
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::Signature;

    fn run(index: u32, name: &str, code: i32, says: &str) -> Run {
        let state = if code == 0 { RunState::Ok } else { RunState::Failed };
        Run {
            state,
            exit_code: Some(code),
            signature: Some(Signature { name: format!("v1:{says}"), says: says.to_owned(), told: None }),
            digest: Some(format!("{says}{}", index % 2)),
            ..Run::queued(index, &format!("lab:{name}"), name)
        }
    }

    fn fleet() -> Vec<Run> {
        let mut runs: Vec<Run> = (0..6).map(|n| run(n, &format!("web{n}"), 0, "done")).collect();
        runs.extend((6..9).map(|n| run(n, &format!("web{n}"), 69, "CDN <n>")));
        runs.push(run(9, "db1", 1, "no space"));
        runs.push(Run { state: RunState::Running, ..Run::queued(10, "lab:db2", "db2") });
        runs
    }

    fn none(_: &Run) -> Facts {
        Facts::default()
    }

    #[test]
    fn what_failed_comes_first_and_everyone_is_in_one_group() {
        let groups = of(&fleet(), false, None, &none);
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.runs.len(), g.texts)).collect();
        assert_eq!(rows, [("CDN <n>", 3, 2), ("no space", 1, 1), ("done", 6, 2)]);
        assert_eq!((groups.base, groups.open), (Some(2), 1));
        assert_eq!(groups.groups[0].devices, "lab:web[6-8]");
        assert_eq!(groups.groups[0].before, None, "there was no job before");
    }

    #[test]
    fn exact_groups_have_one_text() {
        let groups = of(&fleet(), true, None, &none);
        assert!(groups.groups.iter().all(|group| group.texts == 1));
        assert_eq!(groups.groups.iter().map(|group| group.runs.len()).sum::<usize>(), 10);
        assert_eq!(groups.groups.len(), 5);
    }

    #[test]
    fn the_job_before_tells_what_is_new_and_what_is_gone() {
        let before: Vec<Run> = (0..31)
            .map(|n| run(n, &format!("web{n}"), 69, "CDN <n>"))
            .chain((31..35).map(|n| run(n, &format!("web{}", n - 31), 1, "fixed since")))
            .collect();
        let groups = of(&fleet(), false, Some(&before), &none);
        let rows: Vec<_> = groups.groups.iter().map(|g| (g.says.as_str(), g.before, g.is_new(), g.fixed)).collect();
        assert_eq!(rows[0], ("no space", Some(0), true, 0), "what is new comes before what is known");
        assert_eq!(rows[1], ("CDN <n>", Some(31), false, 6), "six of the 31 are well now");
        let gone: Vec<_> = groups.gone.iter().map(|g| (g.says.as_str(), g.runs, g.fixed, g.is_fixed())).collect();
        assert_eq!(gone, [("fixed since", 4, 4, true)]);
    }

    #[test]
    fn what_was_masked_is_told() {
        let lines = ["<time> x <n>/<n>".to_owned(), "<n> left".to_owned()];
        let marks: Vec<_> = masked(&lines).into_iter().map(|m| (m.mark, m.count)).collect();
        assert_eq!(marks, [("<n>".to_owned(), 3), ("<time>".to_owned(), 1)]);
    }

    #[test]
    fn a_fact_that_sets_a_group_apart_is_named() {
        let facts = |run: &Run| -> Facts {
            let proxy = if (6..9).contains(&run.index) { "b" } else { "a" };
            [("via", proxy.to_owned()), ("os", "12".to_owned()), ("address", format!("10.0.0.{}", run.index))]
                .map(|(field, value)| (field.to_owned(), BTreeSet::from([value])))
                .into()
        };
        let groups = of(&fleet(), false, None, &facts);
        let shared = &groups.groups[0].shared;
        assert_eq!(shared.len(), 1, "neither what all have nor what everyone has for himself: {shared:?}");
        assert_eq!((shared[0].field.as_str(), shared[0].value.as_str()), ("via", "b"));
        assert_eq!((shared[0].here, shared[0].of, shared[0].base, shared[0].base_of), (3, 3, 0, 6));
        assert!(shared[0].explains());
        assert!(groups.groups[2].shared.is_empty(), "the base is compared with nothing");
    }

    proptest::proptest! {
        #[test]
        fn every_ended_run_is_in_exactly_one_group_whatever_the_order(codes in proptest::collection::vec(0i32..4, 1..60), seed in 0usize..60) {
            let mut runs: Vec<Run> = (0u32..).zip(&codes).map(|(n, code)| run(n, &format!("d{n}"), *code, &format!("e{code}"))).collect();
            let first = of(&runs, false, None, &none);
            let mut all: Vec<u32> = first.groups.iter().flat_map(|group| group.runs.clone()).collect();
            all.sort_unstable();
            proptest::prop_assert_eq!(all, (0..codes.len() as u32).collect::<Vec<_>>());
            let by = seed % runs.len();
            runs.rotate_left(by);
            let other = of(&runs, false, None, &none);
            let sizes = |groups: &Groups| groups.groups.iter().map(|g| (g.signature.clone(), g.runs.len())).collect::<BTreeMap<_, _>>();
            proptest::prop_assert_eq!(sizes(&first), sizes(&other));
        }
    }
}
