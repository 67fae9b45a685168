//! The tree of targets, as its rules say it.

use std::sync::Arc;

use super::*;
use crate::console::app::sample;
use crate::model::device::Group;

fn labels(tree: &Tree) -> Vec<String> {
    tree.rows.iter().map(|row| format!("{}{}", "  ".repeat(row.depth), row.label)).collect()
}

#[test]
fn what_the_newest_jobs_left_failed_stands_last_and_once() {
    let mut tree = Tree::default();
    tree.set_named(&[named("failed:12", "@failed:12"), named("lab-a", "lab:a")]);
    assert!(tree.set_failed([12, 11, 9, 4].into_iter()));
    let said: Vec<String> = tree.saved.iter().map(|saved| saved.labels('x').swap_remove(0)).collect();
    assert_eq!(said, ["@lab-a", "failed in 12", "failed in 11", "failed in 9"]);
    assert!(!tree.set_failed([12, 11, 9].into_iter()), "nothing is different");
    tree.set_named(&[named("lab-b", "lab:b")]);
    let exprs: Vec<&str> = tree.saved.iter().map(|saved| saved.expr.as_str()).collect();
    assert_eq!(exprs, ["@lab-b", "@failed:12", "@failed:11", "@failed:9"]);
}

fn named(name: &str, expr: &str) -> SavedTarget {
    SavedTarget { name: name.into(), expr: expr.into() }
}

#[test]
fn groups_are_a_tree_and_devices_are_folded() {
    let mut tree = Tree::default();
    tree.set(sample::targets());
    assert_eq!(labels(&tree), ["all", "local", "lab", "  prod", "  bastion"]);
    tree.turn("lab/prod");
    tree.turn("lab/prod/web");
    assert_eq!(
        labels(&tree),
        ["all", "local", "lab", "  prod", "    db", "    web", "      web[001-012]", "  bastion"]
    );
    let web = &tree.rows[6];
    assert_eq!((web.term.as_str(), web.tally.devices, web.tally.offline), ("lab:web[001-012]", 12, 1));
    assert_eq!(tree.members(web).len(), 12);
    tree.look.only_problems = true;
    tree.build();
    assert_eq!(labels(&tree), ["all", "lab", "  prod", "    web", "      web[001-012]", "  bastion"]);
}

#[test]
fn every_row_means_what_its_expression_resolves_to() {
    let mut tree = Tree::default();
    tree.set(sample::targets());
    for path in ["lab/prod", "lab/prod/web", "lab/prod/web/web[001-012]", "lab/prod/db"] {
        tree.turn(path);
    }
    let targets = sample::targets();
    let inventory =
        crate::model::device::Inventory { devices: targets.devices, groups: targets.groups, ..Default::default() };
    for row in &tree.rows {
        let expr = crate::model::target::parse(&row.term).unwrap();
        let resolved: BTreeSet<&str> =
            expr.resolve(&inventory, &target::Sets::new()).unwrap().iter().map(|device| device.id.as_str()).collect();
        let members: BTreeSet<&str> = tree.members(row).iter().map(|device| device.id.as_str()).collect();
        assert_eq!(resolved, members, "{}", row.term);
    }
}

#[test]
fn a_cycle_of_groups_ends() {
    let mut targets = sample::targets();
    Arc::make_mut(&mut targets.groups[0]).children = vec!["web".into()];
    Arc::make_mut(&mut targets.groups[2]).children = vec!["db".into()];
    let mut tree = Tree::default();
    tree.set(targets);
    tree.turn("lab/prod");
    let mut path = "lab/prod".to_owned();
    for n in 0..40 {
        path.push_str(if n % 2 == 0 { "/db" } else { "/web" });
        tree.turn(&path);
    }
    assert!(tree.rows.len() < 100);
}

#[test]
fn odd_names_are_quoted() {
    assert_eq!(quoted("web-1.example_net"), "web-1.example_net");
    assert_eq!(quoted(r#"a "b\"#), r#""a \"b\\""#);
}

#[test]
fn a_filter_leaves_the_ways_to_what_passes() {
    let mut tree = Tree::default();
    tree.set(sample::targets());
    tree.set_filter("state:offline").unwrap();
    assert_eq!(labels(&tree), ["lab", "  prod", "    web", "      web007"]);
    assert_eq!((tree.passed, tree.look.total), (1, 17));
    assert_eq!(tree.rows.iter().map(|row| row.hit).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(tree.rows[2].tally.devices, 12, "a group is what its term means, whatever is hidden of it");
    tree.set_filter("os<13").unwrap();
    assert_eq!(
        labels(&tree),
        ["lab", "  prod", "    db", "      db[1-3]", "        db1", "        db2", "        db3"]
    );
    tree.turn("lab/prod/db/db[1-3]");
    assert_eq!(tree.rows.len(), 4, "closed by hand");
    tree.set_filter("db").unwrap();
    assert!(tree.rows.iter().any(|row| row.label == "db" && row.hit), "a group passes by its name");
    tree.set_filter("nothing at all").unwrap();
    assert!(tree.rows.is_empty());
    assert!(tree.set_filter("stat:x").is_err());
    assert!(tree.rows.is_empty(), "a slip changes nothing");
    tree.set_filter("").unwrap();
    assert_eq!(labels(&tree), ["all", "local", "lab", "  prod", "  bastion"]);
}

#[test]
fn groups_are_sorted_among_their_siblings() {
    let mut tree = Tree::default();
    tree.set(sample::targets());
    tree.turn("lab/prod");
    tree.look.sort.column = 1;
    tree.build();
    assert_eq!(labels(&tree)[4..6], ["    web", "    db"], "the largest first");
    tree.look.sort.reverse = true;
    tree.build();
    assert_eq!(labels(&tree)[4..6], ["    db", "    web"]);
}

#[test]
fn devices_whose_names_an_expression_would_misread_have_rows_of_their_own() {
    let names = ["Ann's iPhone", "Lab Mac 01", "Lab Mac 02", "R&D-1", "R&D-2", "mac-1", "mac-2"];
    let devices = names.map(|name| sample::device("macs", name, &["Lab"], Reach::Unknown)).map(Arc::new).to_vec();
    let ids: Vec<String> = devices.iter().map(|device| device.id.clone()).collect();
    let group = Arc::new(Group { connection: "macs".into(), ..sample::group("Lab", &[], &ids) });
    let connections = vec![sample::connection("macs", "simplemdm", 7)];
    let inventory = Inventory { devices: devices.clone(), groups: vec![group.clone()], ..Inventory::default() };
    let mut tree = Tree::default();
    tree.set(Targets { connections, groups: vec![group], devices, ..Targets::default() });
    tree.turn("macs/Lab");
    let rows = tree.rows.iter().filter(|row| row.depth == 2);
    let said: Vec<&str> = rows.clone().map(|row| row.label.as_str()).collect();
    assert_eq!(said, ["Ann's iPhone", "Lab Mac 01", "Lab Mac 02", "R&D-1", "R&D-2", "mac-[1-2]"]);
    for row in rows {
        let found = target::parse(&row.term).unwrap();
        let found = found.resolve(&inventory, &target::Sets::new()).unwrap();
        assert_eq!(found.len(), tree.members(row).len(), "{}", row.term);
    }
}
