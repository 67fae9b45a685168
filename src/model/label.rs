//! What the groups of one job are called in a sentence: `S0` is what went well first, and what nobody is called where
//! nothing did; `S1`, `S2`… are the others in the order in which they were met, `off` devices that were not reached. Short, the same on every screen and in every verb, and of this job alone: a group's
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
    let (mut well, mut lost, mut other) = (false, 0, 1);
    let mut names: HashMap<&str, String> = HashMap::new();
    let mut texts: HashMap<&str, usize> = HashMap::new();
    for at in &order {
        let group = &groups.groups[*at];
        *texts.entry(&group.signature).or_default() += 1;
        names.entry(&group.signature).or_insert_with(|| {
            let nth = |n: &mut usize| std::mem::replace(n, *n + 1);
            match group.state {
                RunState::Ok if !std::mem::replace(&mut well, true) => "S0".to_owned(),
                RunState::Offline => match nth(&mut lost) {
                    0 => "off".to_owned(),
                    n => format!("off{n}"),
                },
                _ => format!("S{}", nth(&mut other)),
            }
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
            plain: None,
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
    fn s0_went_well_and_where_nothing_did_nobody_is_called_so() {
        let mut groups = job(vec![group("v1:a", RunState::Failed, 10, 2), group("v1:b", RunState::Timeout, 20, 3)]);
        assert_eq!(labels(&groups), ["S1", "S2"]);
        groups.groups.push(group("v1:ok", RunState::Ok, 30, 4));
        groups.groups.push(group("v1:other", RunState::Ok, 40, 5));
        assert_eq!(labels(&groups), ["S1", "S2", "S0", "S3"], "what was called keeps its name");
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
