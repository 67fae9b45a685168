//! Some nine hundred outputs as programs really end, of planted ways to end: each is to be one group, none split and none
//! in another's, in whatever order they arrive, by the masks and the tree alone. What cannot be known without being
//! told is here too, as it is: another language is another group, another port the same.

#[path = "support/corpus.rs"]
mod corpus;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use corpus::{Dice, PLANTS};
use quarterdeck::connectors::Outcome;
use quarterdeck::engine::triage::groups::Tally;
use quarterdeck::engine::triage::{Book, Heard, Ways, signature};
use quarterdeck::model::device::Device;
use quarterdeck::model::job::Run;
use quarterdeck::model::output::Stream;
use quarterdeck::model::state::RunState;
use quarterdeck::model::triage::Groups;
use quarterdeck::model::ways::Rule;

/// Outputs of each plant.
const EACH: u64 = 24;

/// A run, and which plant it is of.
type Planted = (Run, usize);

fn outputs(each: u64) -> Vec<Planted> {
    let mut planted = Vec::new();
    for (number, plant) in PLANTS.iter().enumerate() {
        for n in 0..each {
            let mut dice = Dice::new(number as u64 * 1000 + n + 1);
            let index = planted.len() as u32;
            // names of several kinds: with a number, with words, whole with their domain
            let name = match n % 3 {
                0 => format!("web{index:04}"),
                1 => format!("mbp-{}-{}", ["berlin", "paris", "oslo"][(index % 3) as usize], index),
                _ => format!("db-{index}.acme.example"),
            };
            planted.push((
                run(index, &name, plant.code, &dice.fill(plant.out, &name), &dice.fill(plant.err, &name)),
                number,
            ));
        }
    }
    planted
}

fn run(index: u32, name: &str, code: i32, out: &str, err: &str) -> Run {
    let mut heard = Heard::default();
    for (stream, text) in [(Stream::Out, out), (Stream::Err, err)] {
        for piece in text.as_bytes().chunks(61) {
            heard.push(stream, piece);
        }
    }
    let device = Device::new("lab", name);
    let signature = signature(&device, &Outcome::exited(code), &heard);
    Run {
        state: if code == 0 { RunState::Ok } else { RunState::Failed },
        exit_code: Some(code),
        signature: Some(signature),
        digest: Some(heard.digest()),
        ..Run::queued(index, &device.id, name)
    }
}

fn grouped(runs: &[Planted], book: Book) -> Groups {
    let mut devices: Vec<String> = vec![String::new(); runs.len()];
    for (run, _) in runs {
        devices[run.index as usize].clone_from(&run.device);
    }
    let ways = Arc::new(Ways::of(book));
    let facts = devices.iter().map(|_| BTreeMap::new()).collect::<Vec<_>>();
    let mut tally = Tally::new(devices, facts.into_iter());
    runs.iter().for_each(|(run, _)| tally.take(run, &ways));
    let ways = tally.ways(&ways);
    tally.groups(&ways, false, None)
}

fn plants(groups: &Groups, runs: &[Planted]) -> Vec<(String, BTreeSet<usize>)> {
    let of: BTreeMap<u32, usize> = runs.iter().map(|(run, plant)| (run.index, *plant)).collect();
    groups.groups.iter().map(|g| (g.template.join(" / "), g.runs.iter().map(|run| of[run]).collect())).collect()
}

#[test]
fn every_planted_end_is_one_group_and_no_other_s() {
    let runs = outputs(EACH);
    let groups = grouped(&runs, Book::default());
    let mut wrong = Vec::new();
    let mut of: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (template, plants) in plants(&groups, &runs) {
        if plants.len() > 1 {
            let names: Vec<&str> = plants.iter().map(|plant| PLANTS[*plant].name).collect();
            wrong.push(format!("merged: {names:?} in {template}"));
        }
        plants.into_iter().for_each(|plant| of.entry(plant).or_default().push(template.clone()));
    }
    for (plant, templates) in of.iter().filter(|(_, templates)| templates.len() > 1) {
        let some: Vec<&String> = templates.iter().take(4).collect();
        wrong.push(format!("split: {} into {}: {some:#?}", PLANTS[*plant].name, templates.len()));
    }
    assert!(wrong.is_empty(), "{} of {} plants:\n{}", wrong.len(), PLANTS.len(), wrong.join("\n"));
    assert_eq!(groups.groups.len(), PLANTS.len());
    assert!(runs.len() >= 500);
}

#[test]
fn neither_the_order_nor_what_came_before_changes_a_name() {
    let mut runs = outputs(12);
    let names =
        |groups: &Groups| groups.groups.iter().map(|g| (g.signature.clone(), g.runs.clone())).collect::<Vec<_>>();
    let first = names(&grouped(&runs, Book::default()));
    let mut dice = Dice::new(7);
    for at in (1..runs.len()).rev() {
        runs.swap(at, dice.below(at as u64 + 1) as usize);
    }
    assert_eq!(names(&grouped(&runs, Book::default())), first);
}

#[test]
fn what_masks_cannot_know_a_rule_says() {
    // another port is the same failure, until somebody says that ports matter
    let ends =
        [22, 443, 22, 8443].map(|port| format!("ssh: connect to host 10.0.0.7 port {port}: Connection refused\n"));
    let runs: Vec<Planted> = (0..).zip(&ends).map(|(n, err)| (run(n, &format!("web{n}"), 255, "", err), 0)).collect();
    assert_eq!(grouped(&runs, Book::default()).groups.len(), 1);
    let rule = Rule { pattern: "port [0-9]+".into(), becomes: None };
    let groups = grouped(&runs, Book { rules: vec![rule], ..Book::default() }).groups;
    let said: Vec<_> = groups.iter().map(|g| (g.says.as_str(), g.runs.len())).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.contains(&("ssh: connect to host <addr> port 22: Connection refused", 2)), "{said:?}");
}
