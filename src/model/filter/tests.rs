//! The filter language, rule by rule, and what must hold for any text.

use proptest::prelude::*;

use super::needle::Needle;
use super::*;

/// name, os, bad, took, size
struct Table(Vec<Row>);

type Row = (&'static str, &'static str, Option<f64>, Option<f64>, Option<f64>);

static COLUMNS: [Column; 5] = [
    Column::new("name", Kind::Text),
    Column::new("os", Kind::Text),
    Column::down("bad", Kind::Number),
    Column::down("took", Kind::Seconds),
    Column::down("size", Kind::Bytes),
];

impl Rows for Table {
    fn columns(&self) -> &[Column] {
        &COLUMNS
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let row = &self.0[row];
        let number = match column {
            0 => return row.0,
            1 => return row.1,
            2 => row.2,
            3 => row.3,
            _ => row.4,
        };
        *room = number.map_or("-".into(), |number| number.to_string());
        room
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let row = &self.0[row];
        [None, None, row.2, row.3, row.4][column]
    }
}

fn table() -> Table {
    Table(vec![
        ("web001", "debian 12", Some(0.0), Some(30.0), Some(900.0)),
        ("web002", "debian 13", Some(3.0), Some(182.0), Some(2e6)),
        ("db1", "macOS 14.6 (23G80)", Some(12.0), None, None),
        ("Bastion", "Ubuntu 22.04", None, Some(7200.0), Some(1e9)),
    ])
}

fn found(text: &str) -> Vec<u32> {
    passing(&parse(text, &COLUMNS).unwrap_or_else(|wrong| panic!("{text}: {wrong}")), &table())
}

#[test]
fn the_language_rule_by_rule() {
    for (text, rows) in [
        ("", &[0, 1, 2, 3][..]),
        ("web", &[0, 1]),
        ("WEB", &[]),
        ("bastion", &[3]),
        ("Bastion", &[3]),
        ("!web", &[2, 3]),
        ("!!web", &[0, 1]),
        ("~wb2", &[1]),
        ("~name:x", &[]),
        ("name:~b1", &[0, 2]),
        ("re:^web00[1-9]$", &[0, 1]),
        ("re:^(web002|db)", &[1, 2]),
        ("re:debian|ubuntu", &[0, 1, 3]),
        ("name:re:^b", &[3]),
        ("name:re:^B", &[3]),
        ("web 13", &[1]),
        ("web001 | db", &[0, 2]),
        ("web001|db", &[0, 2]),
        ("web 12 | ubuntu", &[0, 3]),
        ("os:debian !name:001", &[1]),
        ("os<14.6", &[0, 1]),
        ("os:>=14.6", &[2, 3]),
        ("os:=22.4", &[3]),
        ("name:=bastion", &[3]),
        ("name:=basti", &[]),
        ("bad:>0", &[1, 2]),
        ("bad:0", &[0]),
        ("bad:1", &[]),
        ("!bad>0", &[0, 3]),
        ("took>=3m02", &[1, 3]),
        ("took:<1m", &[0]),
        ("size:>1.5MB", &[1, 3]),
        ("\"debian 12\"", &[0]),
        ("name:\"web\"", &[0, 1]),
        ("w*2", &[1]),
        ("os:debian*", &[0, 1]),
        ("name:=w*2", &[1]),
        ("\"w*2\"", &[]),
        ("lab:web001", &[]),
        ("*", &[0, 1, 2, 3]),
    ] {
        assert_eq!(found(text), rows, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, column, said) in [
        ("web |", 4, "follow"),
        ("| web", 0, "before"),
        ("a || b", 3, "before"),
        ("web !", 4, "follow `!`"),
        ("web ~", 4, "follow `~`"),
        ("a \"b", 2, "not closed"),
        ("x nam:web", 2, "did you mean `name`"),
        ("x name:", 6, "what should `name` be"),
        ("bad:>", 3, "what should `bad` be"),
        ("bad:>few", 5, "a number"),
        ("took:<soon", 6, "a time"),
        ("size:<big", 6, "a size"),
        ("os:<new", 4, "a number or version"),
        ("re:", 2, "pattern"),
        ("web re:(", 7, "pattern"),
        ("re:(a{1000}){1000}", 3, "too large"),
    ] {
        let wrong = parse(text, &COLUMNS).expect_err(text);
        assert!(wrong.message.contains(said), "{text}: {wrong}");
        assert_eq!(wrong.column, column, "{text}: {wrong}");
    }
    assert!(parse(&"x ".repeat(65), &COLUMNS).is_err() && parse(&"x".repeat(2001), &COLUMNS).is_err());
}

#[test]
fn a_filter_is_spelled_out() {
    for (text, words) in [
        ("web !db", "\"web\" and not \"db\""),
        ("~osp | name:web", "like \"osp\", or name has \"web\""),
        ("OS:=\"debian 12\" bad>0", "os is \"debian 12\" and bad > 0"),
        ("!re:^w name:re:b", "not matching /^w/ and name matching /b/"),
        ("name:~w1 bad:3", "name like \"w1\" and bad = 3"),
        ("", ""),
    ] {
        assert_eq!(parse(text, &COLUMNS).unwrap().describe(), words);
    }
}

#[test]
fn hits_are_where_the_text_was_found() {
    let hits = |filter: &str, column, text: &str| {
        let hits = parse(filter, &COLUMNS).unwrap().hits(column, text);
        hits.into_iter().map(|hit| (hit.start, hit.end)).collect::<Vec<_>>()
    };
    assert_eq!(hits("web", 0, "web-WEB"), [(0, 3), (4, 7)]);
    assert_eq!(hits("!web", 0, "web"), []);
    assert_eq!(hits("os:web", 0, "web"), []);
    assert_eq!(hits("~wb", 0, "xweb"), [(1, 2), (3, 4)]);
    assert_eq!(hits("we eb", 0, "web"), [(0, 3)]);
    assert_eq!(hits("re:[0-9]+", 0, "a12b3"), [(1, 3), (4, 5)]);
    assert_eq!(hits("w*1", 0, "web01"), [(0, 1), (4, 5)]);
    assert_eq!(hits("ä", 0, "xÄy"), [(1, 3)]);
}

#[test]
fn numbers_are_looked_through_only_for_what_can_stand_in_them() {
    let needle = |text: &str| Needle::new(text.to_owned(), text.split('*').map(str::to_owned).collect());
    for text in ["42", "3m02", "34 kB", "34 kb", "1.2", "-1", "1*s2", "2d", "8%"] {
        assert!(needle(text).in_number(), "{text}");
    }
    for text in ["web9", "db7", "kB", "web*9", "9fail"] {
        assert!(!needle(text).in_number(), "{text}");
    }
}

#[test]
fn rows_are_sorted_and_what_has_no_value_stands_last() {
    let table = table();
    let sorted = |column, reverse| {
        let mut order = vec![0, 1, 2, 3];
        sort(&table, &mut order, column, reverse);
        order
    };
    assert_eq!(sorted(0, false), [3, 2, 0, 1]);
    assert_eq!(sorted(0, true), [1, 0, 2, 3]);
    assert_eq!(sorted(2, false), [2, 1, 0, 3], "the worst first");
    assert_eq!(sorted(2, true), [0, 1, 2, 3]);
    assert_eq!(sorted(3, false), [3, 1, 0, 2]);
}

#[test]
fn a_list_shared_out_among_cores_comes_back_whole_and_in_its_order() {
    let one = table();
    let many = Table((0..6 * SHARE + 7).map(|n| one.0[n % one.0.len()]).collect());
    let backwards: Vec<u32> = (0..u32::try_from(many.0.len()).unwrap()).rev().collect();
    for text in ["web", "!web", "bad:>2", "nothing of the kind", ""] {
        let filter = parse(text, &COLUMNS).unwrap();
        let mut room = String::new();
        let each: Vec<u32> =
            backwards.iter().copied().filter(|row| filter.passes(&many, *row as usize, &mut room)).collect();
        assert_eq!(among(&filter, &many, &backwards), each, "{text}");
    }
}

/// Words of the language and of none, so that sense and nonsense come up.
fn any_filter() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-c0-2WÄé*]{1,3}",
        Just(" ".to_owned()),
        Just(" | ".to_owned()),
        Just("!".to_owned()),
        Just("~".to_owned()),
        Just("re:".to_owned()),
        Just("name:".to_owned()),
        Just("os<".to_owned()),
        Just("bad:>".to_owned()),
        Just("\"".to_owned()),
        "\\PC",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_has_a_place_where_it_is_wrong(text in "\\PC{0,60}", value in "\\PC{0,20}") {
        match parse(&text, &COLUMNS) {
            Ok(filter) => {
                filter.passes_text(&value);
                for hit in filter.hits(0, &value) {
                    prop_assert!(value.get(hit).is_some());
                }
                filter.describe();
            }
            Err(wrong) => prop_assert!(wrong.column <= text.chars().count()),
        }
    }

    #[test]
    fn not_not_is_nothing_and_and_or_are_what_they_are(a in "[a-c~12]{1,2}", b in "[a-c!12]{1,3}", value in "[a-c12]{0,5}") {
        let holds = |text: &str| parse(text, &COLUMNS).map(|filter| filter.passes_text(&value)).ok();
        if let (Some(left), Some(right)) = (holds(&a), holds(&b)) {
            prop_assert_eq!(holds(&format!("!!{a}")), Some(left));
            prop_assert_eq!(holds(&format!("!{a}")), Some(!left));
            prop_assert_eq!(holds(&format!("{a} {b}")), Some(left && right));
            prop_assert_eq!(holds(&format!("{a} | {b}")), Some(left || right));
            prop_assert_eq!(holds(&format!("{b}|{a}")), Some(left || right));
        }
    }

    #[test]
    fn what_narrows_only_ever_hides_more(old in any_filter(), more in any_filter(), name in "[a-c0-2WÄé]{0,6}") {
        let new = format!("{old}{more}");
        if let (Ok(old), Ok(new)) = (parse(&old, &COLUMNS), parse(&new, &COLUMNS)) {
            let name: &'static str = Box::leak(name.into_boxed_str());
            let rows = Table(vec![(name, "debian 12", Some(1.0), None, None)]);
            let mut room = String::new();
            if new.narrows(&old) && new.passes(&rows, 0, &mut room) {
                prop_assert!(old.passes(&rows, 0, &mut room));
            }
        }
    }
}
