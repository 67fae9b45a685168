//! What the groups of one job are called in a sentence: `S0`, `S1`… in the order in which they were met, `off` for
//! devices that were not reached. Short, the same on every screen and in every verb, and of this job alone: a group's
//! name in all jobs is its signature.

use std::collections::HashMap;

use super::state::RunState;
use super::triage::{Group, Groups};

/// A label for each group, in the order of the groups. Exact groups of one signature share its label and are counted
/// behind a point.
pub fn labels(groups: &Groups) -> Vec<String> {
    let met = |group: &Group| (group.first_ended.is_none(), group.first_ended, group.runs.first().copied());
    let mut order: Vec<usize> = (0..groups.groups.len()).collect();
    order.sort_by_key(|at| met(&groups.groups[*at]));
    let (mut lost, mut other) = (0, 0);
    let mut names: HashMap<&str, String> = HashMap::new();
    let mut texts: HashMap<&str, usize> = HashMap::new();
    for at in &order {
        let group = &groups.groups[*at];
        *texts.entry(&group.signature).or_default() += 1;
        names.entry(&group.signature).or_insert_with(|| {
            let (sign, n) = if group.state == RunState::Offline { ("off", &mut lost) } else { ("S", &mut other) };
            let name = if sign == "off" && *n == 0 { sign.to_owned() } else { format!("{sign}{n}") };
            *n += 1;
            name
        });
    }
    let mut labels = vec![String::new(); groups.groups.len()];
    let mut counted: HashMap<&str, usize> = HashMap::new();
    for at in order {
        let signature = groups.groups[at].signature.as_str();
        let nth = counted.entry(signature).or_default();
        *nth += 1;
        labels[at] =
            if texts[signature] > 1 { format!("{}.{nth}", names[signature]) } else { names[signature].clone() };
    }
    labels
}

/// The group that a label or a signature means.
pub fn find(groups: &Groups, name: &str) -> Option<usize> {
    let labels = labels(groups);
    let label = labels.iter().position(|label| label.eq_ignore_ascii_case(name));
    label.or_else(|| groups.groups.iter().position(|group| group.signature == name))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::triage::Remarks;

    fn group(signature: &str, state: RunState, ended: i64, run: u32) -> Group {
        Group {
            signature: signature.into(),
            state,
            exit_code: None,
            says: String::new(),
            runs: vec![run],
            devices: String::new(),
            first_ended: Timestamp::from_second(ended).ok(),
            before: None,
            met: false,
            texts: 1,
            shared: vec![],
            template: vec![],
            masked: vec![],
            fixed: 0,
            remarks: Remarks::default(),
        }
    }

    fn job(groups: Vec<Group>) -> Groups {
        Groups { groups, ..Groups::default() }
    }

    #[test]
    fn groups_are_counted_as_they_were_met_wherever_they_stand() {
        let mut groups = job(vec![
            group("v1:new", RunState::Failed, 30, 2),
            group("v1:lost", RunState::Offline, 10, 3),
            group("v1:silent", RunState::Offline, 11, 4),
            group("v1:ok", RunState::Ok, 5, 1),
        ]);
        assert_eq!(labels(&groups), ["S1", "off", "off1", "S0"]);
        groups.groups.insert(0, group("v1:newer", RunState::Failed, 40, 9));
        assert_eq!(labels(&groups), ["S2", "S1", "off", "off1", "S0"], "what was called keeps its name");
    }

    #[test]
    fn texts_of_one_signature_share_its_label() {
        let groups = job(vec![
            group("v1:a", RunState::Failed, 30, 2),
            group("v1:a", RunState::Failed, 20, 7),
            group("v1:ok", RunState::Ok, 5, 1),
        ]);
        assert_eq!(labels(&groups), ["S1.2", "S1.1", "S0"]);
    }

    #[test]
    fn a_label_and_a_signature_both_lead_to_the_group() {
        let groups = job(vec![group("v1:a", RunState::Failed, 30, 2), group("v1:ok", RunState::Ok, 5, 1)]);
        assert_eq!([find(&groups, "s1"), find(&groups, "v1:ok"), find(&groups, "S7")], [Some(0), Some(1), None]);
    }
}
