//! A job beside another one: which groups came, went, grew and shrank, and which devices ended in another way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::engine::jobs::plan::invalid;
use crate::engine::{Engine, problem};
use crate::model::compare::{Against, Changed, Moved, Shift, Way};
use crate::model::job::{Job, JobId, Run};
use crate::model::nodeset;
use crate::model::state::RunState;
use crate::model::triage::{Alone, Group, Groups};
use crate::model::wire::{Code, Problem};

impl Engine {
    /// `other`: the job it is compared with; by default the one that its groups are.
    pub async fn against(&self, id: JobId, other: Option<JobId>) -> Result<Against, Problem> {
        let right = self.job(id).await?;
        let other = match other {
            Some(other) if other == id => {
                return Err(invalid(format!("job {id} is compared with itself: name another")));
            }
            Some(other) => other,
            None => self.baseline(id).await?.map_err(|alone| {
                let script = &right.summary.script;
                let why = match alone {
                    Alone::First => format!("no job of {script} before job {id}"),
                    Alone::Open => format!("the job of {script} before job {id} has not ended"),
                    Alone::Elsewhere => format!("no job of {script} before job {id} ran on half of its devices"),
                };
                problem(Code::NotFound, format!("{why}: name a job to compare with"))
            })?,
        };
        let left = self.job(other).await?;
        let groups = [self.groups(other, false).await?, self.groups_beside(id, false, Some(other)).await?];
        Ok(against(&left, &right, &groups))
    }
}

fn against(left: &Job, right: &Job, [then, now]: &[Groups; 2]) -> Against {
    let ids = |job: &Job| job.runs.iter().map(|run| run.device.clone()).collect::<BTreeSet<_>>();
    let (there, here) = (ids(left), ids(right));
    // how a device that only one of them has would have ended in the other nobody knows
    let both = |job: &Job, group: &Group| {
        let device = |run: &&u32| job.runs.get(**run as usize).map(|run| &run.device);
        let of_both = |run: &&u32| device(run).is_some_and(|id| there.contains(id) && here.contains(id));
        group.runs.iter().filter(of_both).count()
    };
    let mut groups: BTreeMap<&str, Changed> = BTreeMap::new();
    for (groups_of, later) in [(then, false), (now, true)] {
        for group in &groups_of.groups {
            let count = both(if later { right } else { left }, group);
            if count == 0 {
                continue;
            }
            let changed = groups.entry(&group.signature).or_insert_with(|| Changed {
                signature: group.signature.clone(),
                state: group.state,
                exit_code: group.exit_code,
                says: group.says.clone(),
                left: 0,
                right: 0,
            });
            *if later { &mut changed.right } else { &mut changed.left } += count;
        }
    }
    let mut groups: Vec<Changed> = groups.into_values().collect();
    groups.sort_by_key(|group| {
        let calm = group.state == RunState::Ok;
        let size = std::cmp::Reverse(group.right.max(group.left));
        (group.right == 0, calm, group.left > 0, group.state.rank(), size, group.signature.clone())
    });
    let fold = |ids: Vec<&String>| nodeset::fold(ids.into_iter().map(String::as_str));
    let shifts = shifts(left, right, then, now);
    Against {
        left: left.summary.id,
        right: right.summary.id,
        groups,
        moved: moved(&shifts),
        only_left: fold(there.difference(&here).collect()),
        only_right: fold(here.difference(&there).collect()),
        shifts,
    }
}

/// Those of both whose end is another one, or bad again; what is worst first.
fn shifts(left: &Job, right: &Job, then: &Groups, now: &Groups) -> Vec<Shift> {
    let before: HashMap<&str, &Run> = left.runs.iter().map(|run| (run.device.as_str(), run)).collect();
    let (old, new) = (by_run(then), by_run(now));
    let way = |run: &Run, group: &Group| Way {
        run: run.index,
        state: run.state,
        exit_code: run.exit_code,
        signature: group.signature.clone(),
    };
    let mut shifts = Vec::new();
    for run in right.runs.iter().filter(|run| run.state.ended()) {
        let Some(was) = before.get(run.device.as_str()).filter(|was| was.state.ended()) else { continue };
        let (Some(from), Some(to)) = (old.get(&was.index), new.get(&run.index)) else { continue };
        if from.signature == to.signature && run.state == RunState::Ok {
            continue;
        }
        let (device, name, says) = (run.device.clone(), run.name.clone(), to.says.clone());
        shifts.push(Shift { device, name, from: way(was, from), to: way(run, to), says });
    }
    let place = |shift: &Shift| Shift::WORDS.iter().position(|word| *word == shift.word());
    shifts.sort_by_key(place); // (in one way they stay in the plan's order)
    shifts
}

/// The same, those together that went the same way.
fn moved(shifts: &[Shift]) -> Vec<Moved> {
    let mut moves: BTreeMap<(&str, u8, u8), (Moved, Vec<&str>)> = BTreeMap::new();
    for Shift { device, from, to, says, .. } in shifts {
        let key = (to.signature.as_str(), from.state.rank(), to.state.rank());
        let (moved, devices) = moves.entry(key).or_insert_with(|| {
            let (signature, says) = (to.signature.clone(), says.clone());
            let moved = Moved { from: from.state, to: to.state, signature, says, count: 0, devices: String::new() };
            (moved, Vec::new())
        });
        moved.count += 1;
        devices.push(device);
    }
    let mut moved: Vec<Moved> =
        moves.into_values().map(|(moved, devices)| Moved { devices: nodeset::fold(devices), ..moved }).collect();
    moved.sort_by_key(|moved| (moved.to == RunState::Ok, moved.from != RunState::Ok, std::cmp::Reverse(moved.count)));
    moved
}

fn by_run(groups: &Groups) -> HashMap<u32, &Group> {
    groups.groups.iter().flat_map(|group| group.runs.iter().map(move |run| (*run, group))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::triage::groups;
    use crate::model::job::{JobSummary, Signature};
    use crate::model::state::{Counts, JobState};

    fn job(id: JobId, ends: &[(&str, i32, &str)]) -> (Job, Groups) {
        let runs: Vec<Run> = (0..)
            .zip(ends)
            .map(|(n, (name, code, says))| Run {
                state: if *code == 0 { RunState::Ok } else { RunState::Failed },
                exit_code: Some(*code),
                signature: Some(Signature { name: format!("v1:{says}"), says: (*says).to_owned(), told: None }),
                ..Run::queued(n, &format!("lab:{name}"), name)
            })
            .collect();
        let summary = JobSummary::sample(id, JobState::Done, Counts::default());
        let groups = groups::of(&runs, false, None, &|_| groups::Facts::new());
        (Job::sample(summary, runs), groups)
    }

    #[test]
    fn what_came_what_went_and_who_moved() {
        let (left, then) =
            job(1, &[("a", 0, "fine"), ("b", 1, "disk"), ("c", 1, "net"), ("d", 1, "disk"), ("x", 0, "fine")]);
        let (right, now) =
            job(2, &[("a", 1, "power"), ("b", 0, "fine"), ("c", 1, "net"), ("d", 1, "net"), ("y", 0, "fine")]);
        let against = against(&left, &right, &[then, now]);
        let rows: Vec<_> =
            against.groups.iter().map(|group| (group.says.as_str(), group.left, group.right, group.word())).collect();
        assert_eq!(
            rows,
            [("power", 0, 1, "new"), ("net", 1, 2, "grew"), ("fine", 1, 1, "same"), ("disk", 2, 0, "gone")]
        );
        let moved: Vec<_> = against
            .moved
            .iter()
            .map(|moved| (moved.word(), moved.says.as_str(), moved.devices.as_str(), moved.count))
            .collect();
        assert_eq!(
            moved,
            [("broke", "power", "lab:a", 1), ("bad again", "net", "lab:c,lab:d", 2), ("fixed", "fine", "lab:b", 1)]
        );
        let shifts: Vec<_> = against
            .shifts
            .iter()
            .map(|shift| (shift.name.as_str(), shift.word(), shift.from.run, shift.to.run))
            .collect();
        assert_eq!(
            shifts,
            [("a", "broke", 0, 0), ("c", "bad again", 2, 2), ("d", "bad again", 3, 3), ("b", "fixed", 1, 1)]
        );
        assert_eq!((against.only_left.as_str(), against.only_right.as_str()), ("lab:x", "lab:y"));
    }
}
