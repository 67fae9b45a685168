//! The language as an operator meets it.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::device::{Group, Reach};

/// lab: web001..web005 (group web-eu: 1-3, ancestors: all-web), db1. macs: mbp-1 ("Finance Macs"). local: local.
fn fleet() -> Inventory {
    let mut inventory = Inventory::default();
    for (n, os) in [(1, "14.5"), (2, "14.6"), (3, "14.10"), (4, "Ubuntu 22.04"), (5, "13")] {
        let mut device = Device::new("lab", &format!("web{n:03}"));
        device.facts.insert("os".into(), os.into());
        device.facts.insert("site".into(), if n < 4 { "lon" } else { "Par" }.into());
        device.state = if n == 5 { Reach::Offline } else { Reach::Online };
        inventory.devices.push(device.into());
    }
    let mut db = Device::new("lab", "db1");
    db.facts.insert("tags".into(), "canary, stale".into());
    db.state = Reach::Refused;
    inventory.devices.push(db.into());
    inventory.devices.push(Device::new("macs", "mbp-1").into());
    inventory.devices.push(Device::new("macs", "web001").into());
    inventory.devices.push(Device::new("local", "local").into());
    inventory.devices.sort_by(|a, b| a.id.cmp(&b.id));
    let group = |connection: &str, name: &str, devices: &[&str]| {
        Arc::new(Group {
            name: name.into(),
            connection: connection.into(),
            children: Vec::new(),
            devices: devices.iter().map(|name| format!("{connection}:{name}")).collect(),
        })
    };
    inventory.groups = vec![
        group("lab", "web-eu", &["web001", "web002", "web003"]),
        group("macs", "Finance Macs", &["mbp-1"]),
        group("macs", "empty", &[]),
    ];
    inventory
}

/// Job 7: web001 and web002 failed, db1 and one that has gone since were offline. Job 8 runs.
fn jobs() -> Sets {
    let set = |left, ids: &[&str]| {
        (JobSet { job: 7, left }, Ok(ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>()))
    };
    Sets::from([
        set(Left::Failed, &["lab:web001", "lab:web002"]),
        set(Left::Offline, &["lab:db1", "lab:gone"]),
        set(Left::Group("v1:2c7e".into()), &["lab:web002"]),
        (JobSet { job: 8, left: Left::Failed }, Err("job 8 runs".to_owned())),
    ])
}

fn found(text: &str) -> String {
    let inventory = fleet();
    let expr = parse(text).unwrap_or_else(|error| panic!("{}", error.caret(text)));
    let devices = expr.resolve(&inventory, &jobs()).unwrap_or_else(|error| panic!("{}", error.caret(text)));
    devices.iter().map(|device| device.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn refused(text: &str) -> (usize, String) {
    let inventory = fleet();
    let error = match parse(text) {
        Err(error) => error,
        Ok(expr) => expr.resolve(&inventory, &jobs()).expect_err(text),
    };
    (error.column, error.message)
}

#[test]
fn a_bare_word_is_a_device_a_group_or_a_connection() {
    assert_eq!(found("db1"), "lab:db1");
    assert_eq!(found("web-eu"), "lab:web001 lab:web002 lab:web003");
    assert_eq!(found("macs"), "macs:mbp-1 macs:web001");
    assert_eq!(found("local"), "local:local");
    assert_eq!(found("web001"), "lab:web001 macs:web001", "one name in two connections means both");
    assert_eq!(found("\"Finance Macs\""), "macs:mbp-1");
    assert_eq!(found("empty"), "", "an empty group is known");
}

#[test]
fn node_sets_and_globs() {
    assert_eq!(found("web[002-003,005]"), "lab:web002 lab:web003 lab:web005");
    assert_eq!(found("web00[2-3],db1"), "lab:db1 lab:web002 lab:web003");
    assert_eq!(found("*1 & lab"), "lab:db1 lab:web001");
    assert_eq!(found("web00?&macs"), "macs:web001");
    assert_eq!(found("web[002-003]*"), "lab:web002 lab:web003");
}

#[test]
fn a_connection_before_the_colon() {
    assert_eq!(found("lab:web001"), "lab:web001");
    assert_eq!(found("lab:web-eu"), "lab:web001 lab:web002 lab:web003");
    assert_eq!(found("macs:*"), "macs:mbp-1 macs:web001");
    assert_eq!(found("lab:web[001-002],db1,macs:mbp-1"), "lab:db1 lab:web001 lab:web002 macs:mbp-1");
    assert_eq!(found("macs:\"Finance Macs\""), "macs:mbp-1");
}

#[test]
fn fields_and_facts() {
    assert_eq!(found("group:web-eu & os:14.6"), "lab:web002");
    assert_eq!(found("conn:macs | connection:local"), "local:local macs:mbp-1 macs:web001");
    assert_eq!(found("state:offline"), "lab:web005");
    assert_eq!(found("state:refused,offline"), "lab:db1 lab:web005");
    assert_eq!(found("name:web00[1-2] & lab"), "lab:web001 lab:web002");
    assert_eq!(found("site:par"), "lab:web004 lab:web005", "case is for nothing in facts");
    assert_eq!(found("os:ubuntu*"), "lab:web004");
    assert_eq!(found("tags:canary"), "lab:db1", "one of several");
    assert_eq!(found("site:nowhere"), "", "a value nobody has is an answer, not a slip");
}

#[test]
fn versions_are_compared_part_by_part() {
    assert_eq!(found("os<14.6"), "lab:web001 lab:web005");
    assert_eq!(found("os<=14.6"), "lab:web001 lab:web002 lab:web005");
    assert_eq!(found("os>14.6"), "lab:web003 lab:web004");
    assert_eq!(found("os>=22.04"), "lab:web004");
    assert_eq!(found("os=13.0"), "lab:web005");
    assert_eq!(found("os!=14.6"), "lab:web001 lab:web003 lab:web004 lab:web005", "only devices that have the fact");
    assert_eq!(found("group!=web-eu & web* & state!=offline"), "lab:web004 macs:web001");
}

#[test]
fn not_binds_closer_than_and_closer_than_or() {
    assert_eq!(found("db1 | web-eu & !web001"), "lab:db1 lab:web002 lab:web003");
    assert_eq!(found("(db1 | web-eu) & !web001"), "lab:db1 lab:web002 lab:web003");
    assert_eq!(found("db1 | web-eu & os:14.5"), "lab:db1 lab:web001");
    assert_eq!(found("(db1 | web-eu) & os:14.5"), "lab:web001");
    assert_eq!(found("!!db1"), "lab:db1");
    assert_eq!(found("!(@all)"), "");
    assert_eq!(found("@all&!lab"), "local:local macs:mbp-1 macs:web001");
}

#[test]
fn what_does_not_exist_is_pointed_at() {
    assert_eq!(
        refused("lab & wbe001"),
        (6, "no device, group or connection is named 'wbe001'; did you mean 'web001'?".into())
    );
    assert_eq!(refused("db1 | nosuchgroup").0, 6, "even where the rest has devices");
    assert_eq!(refused("zz*"), (0, "no device, group or connection matches 'zz*'".into()));
    assert_eq!(refused("web[004-009]"), (0, "no device, group or connection is named 'web[006-009]' (4 of 6)".into()));
    let padded = "no device, group or connection is named 'web[1-2]'; did you mean 'web[001-002]'?".to_owned();
    assert_eq!(refused("web[1-2]"), (0, padded));
    assert!(refused("web[0001-0009]").1.ends_with("did you mean 'web[001-005]'?"), "{:?}", refused("web[0001-0009]"));
    assert_eq!(refused("lab:mbp-1"), (4, "no device or group of lab is named 'mbp-1'".into()));
    assert_eq!(refused("local:zz*").0, 6);
    assert_eq!(refused("sit:lon"), (0, "no connection or fact named 'sit'; did you mean 'site'?".into()));
    assert_eq!(refused("a & so<3").0, 0, "words are looked up in the order written");
    assert_eq!(refused("lab & so<3"), (6, "no fact named 'so'; did you mean 'os'?".into()));
    assert_eq!(refused("group:web-us").1, "no group is named 'web-us'; did you mean 'web-eu'?");
    assert_eq!(
        refused("state:offlne").1,
        "'offlne' is no state: online, offline, unknown, refused; did you mean 'offline'?"
    );
    assert_eq!(refused("lab & group<3").0, 11);
    let (column, why) = refused("@stale");
    assert_eq!((column, why.split(':').next()), (0, Some("'@stale' is not known")));
}

#[test]
fn what_cannot_be_read_is_pointed_at() {
    for (text, column, part) in [
        ("", 0, "no target"),
        ("  ", 0, "no target"),
        ("lab db1", 4, "write & (both) or | (either)"),
        ("lab (db1)", 4, "write &"),
        ("lab !db1", 4, "write &"),
        ("(lab) db1", 6, "write &"),
        ("lab &", 5, "must follow '&'"),
        ("lab && db1", 5, "must follow '&'"),
        ("| lab", 0, "must come before"),
        ("lab | )", 6, "must follow '|'"),
        ("()", 1, "nothing stands between"),
        (")", 0, "never opened"),
        ("lab)", 3, "never opened"),
        ("(lab", 0, "never closed"),
        ("!", 1, "must follow '!'"),
        ("lab & \"x", 6, "never closed"),
        ("\"\"", 0, "nothing is named"),
        ("os<", 3, "value is missing"),
        ("os<new", 3, "needs a number"),
        (":x", 0, "missing before ':'"),
        ("lab:", 4, "value is missing"),
        ("a,,b", 2, "name is missing"),
        ("lab,", 3, "name is missing"),
        ("lab & web[1-", 9, "never closed"),
        ("lab & web[3-1]", 10, "backwards"),
        ("web[0-99999999]", 0, "at most"),
        ("\"a\"[1-2]", 1, "quoted in part"),
    ] {
        let (at, message) = refused(text);
        assert!(at == column && message.contains(part), "{text:?}: column {at}, {message}");
    }
}

#[test]
fn a_caret_stands_below_the_slip() {
    let error = parse("lab db1").expect_err("juxtaposed");
    assert!(error.caret("lab db1").starts_with("lab db1\n    ^ write & (both) or | (either) before this, or"));
    let error = Error::at(2, "x");
    assert_eq!(error.caret("日本x"), "日本x\n    ^ x", "wide characters take two cells");
    let long = format!("{} b", "a".repeat(300));
    let shown = parse(&long).expect_err("juxtaposed").caret(&long);
    assert!(shown.lines().all(|line| line.len() < 120), "{shown}");
}

#[test]
fn no_depth_exhausts_the_stack() {
    assert_eq!(parse(&"(".repeat(1_000_000)).expect_err("deep").column, 128);
    assert!(parse(&format!("{}lab", "!".repeat(1_000_000))).is_ok());
    let wide = vec!["lab"; 10_000].join("|");
    assert_eq!(parse(&wide).expect("wide").resolve(&fleet(), &jobs()).expect("known").len(), 6);
    assert!(parse(&vec!["a*"; 2_000].join("|")).is_err());
}

#[test]
fn a_large_fleet_is_found_by_name() {
    let devices = (0..100_000).map(|n| Device::new("lab", &format!("web{n:06}")).into()).collect();
    let inventory = Inventory { devices, ..Inventory::default() };
    let expr = parse("lab:web[000000-099999] & !web[000010-000019]").expect("parses");
    assert_eq!(expr.resolve(&inventory, &jobs()).expect("known").len(), 99_990);
}

proptest::proptest! {
    #[test]
    fn whatever_is_typed_nothing_panics(text in "[a-z0-9*?@:,<>=!&|()\\[\\]\"\\\\ é-]{0,40}") {
        if let Err(error) = parse(&text).and_then(|expr| expr.resolve(&fleet(), &jobs()).map(|_| ())) {
            proptest::prop_assert!(error.column <= text.chars().count());
            error.caret(&text);
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,60}") {
        let _ = parse(&text).and_then(|expr| expr.resolve(&fleet(), &jobs()).map(|_| ()));
    }

    #[test]
    fn the_laws_of_sets_hold(a in word(), b in word(), c in word()) {
        proptest::prop_assert_eq!(found(&format!("!({a} | {b})")), found(&format!("!{a} & !{b}")));
        proptest::prop_assert_eq!(found(&format!("!({a} & {b})")), found(&format!("!{a} | !{b}")));
        proptest::prop_assert_eq!(found(&format!("{a} & ({b} | {c})")), found(&format!("{a} & {b} | {a} & {c}")));
        proptest::prop_assert_eq!(found(&format!("{a},{b}")), found(&format!("({a} | {b})")));
        proptest::prop_assert_eq!(found(&format!("!!{a}")), found(&a));
    }
}

/// Words that mean the same whether or not another stands before them.
fn word() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::sample::select(vec![
        "lab:db1",
        "lab:web*",
        "group:web-eu",
        "name:web001",
        "state:online",
        "os<14.6",
        "site:lon",
        "@all",
        "tags:stale",
        "lab:web[001-004]",
        "conn:macs",
    ])
    .prop_map(str::to_owned)
}

#[test]
fn what_a_job_left_is_a_set_like_any_other() {
    assert_eq!(found("@failed:7"), "lab:web001 lab:web002");
    assert_eq!(found("@failed:7 & !web001"), "lab:web002");
    assert_eq!(found("@failed:7 | @offline:7"), "lab:db1 lab:web001 lab:web002", "what has gone is no target");
    assert_eq!(found("@group:7/v1:2c7e,db1"), "lab:db1 lab:web002");
    assert_eq!(found("!(@failed:7 | macs | local)"), "lab:db1 lab:web003 lab:web004 lab:web005");
    assert_eq!(refused("web001 | @failed:8"), (9, "job 8 runs".into()));
    assert_eq!(refused("@ok:7"), (0, "what @ok:7 holds is known to the engine alone".into()));
    assert!(refused("@failed").1.contains("@failed:12 means job 12's"));
}

#[test]
fn an_expression_tells_which_sets_it_needs() {
    let expr = parse("!(@failed:7 & web001) | @group:3/v1:ab & (@ok:7 | @failed:7)").expect("understood");
    let sets: Vec<String> = expr.sets().into_iter().map(ToString::to_string).collect();
    assert_eq!(sets, ["@group:3/v1:ab", "@ok:7", "@failed:7"]);
}

/// An expression over three sets, and the devices it means worked out by hand.
fn algebra() -> impl Strategy<Value = (String, BTreeSet<String>)> {
    let inventory = fleet();
    let all: BTreeSet<String> = inventory.devices.iter().map(|device| device.id.clone()).collect();
    let of = |text: &str| (text.to_owned(), found(text).split_whitespace().map(str::to_owned).collect());
    let leaf = prop::sample::select(vec![
        ("@failed:7".to_owned(), BTreeSet::from(["lab:web001".to_owned(), "lab:web002".to_owned()])),
        ("@offline:7".to_owned(), BTreeSet::from(["lab:db1".to_owned()])),
        ("@group:7/v1:2c7e".to_owned(), BTreeSet::from(["lab:web002".to_owned()])),
        of("web-eu"),
        of("@all"),
    ]);
    leaf.prop_recursive(5, 40, 2, move |inner| {
        let all = all.clone();
        prop_oneof![
            (inner.clone(), inner.clone())
                .prop_map(|((a, x), (b, y))| (format!("({a} | {b})"), x.union(&y).cloned().collect())),
            (inner.clone(), inner.clone())
                .prop_map(|((a, x), (b, y))| (format!("({a} & {b})"), x.intersection(&y).cloned().collect())),
            inner.prop_map(move |(a, x)| (format!("!({a})"), all.difference(&x).cloned().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_sets_of_jobs_obey_the_algebra((text, expected) in algebra()) {
        let devices: BTreeSet<String> = found(&text).split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(devices, expected, "{}", text);
    }
}

#[test]
fn what_leaves_devices_out_is_known() {
    for (expr, leaves_out) in [
        ("web & db", false),
        ("web[1-3],db | site:par", false),
        ("!db", true),
        ("web & (a | !db)", true),
        ("os!=14", true),
        ("web,os!=14", true),
    ] {
        assert_eq!(parse(expr).unwrap().leaves_out(), leaves_out, "{expr}");
    }
}
