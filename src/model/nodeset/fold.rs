//! Folding: the way back from many names to one text that a person can read, and that [`super::expand`]
//! and a target expression read too.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write;

use super::{DIGITS_MAX, decimals};

/// Only the last so many numbers of a name are folded over: nobody reads more brackets than that.
const NUMBERS: usize = 3;

/// All names, each once, as a node set: `db1,web[01-40,50]`. Names that differ in one number meet in
/// one bracket, first over the last number, then over those before it where all else is equal
/// (`rack[1-2]-n[01-40]`). What stands before the first `:` of an id is never folded (`lab:web[001-100]`).
/// Names that a node set cannot hold (with brackets, commas or spaces in them) stand as they are.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = Names::of(names);
    names.fold_places(0..names.names.len())
}

/// Names that are folded again and again, each time others of them: their order and their numbers are looked for once.
pub struct Names {
    /// By name, as given: its place in the natural order. Equal names have one.
    places: Vec<u32>,
    /// By place.
    names: Vec<Name>,
    /// Names without their last number.
    shapes: Vec<Shape>,
}

struct Name {
    shape: u32,
    /// As written: value, and how many digits.
    number: Option<(u64, usize)>,
}

struct Shape {
    tokens: Vec<Token>,
    /// Where the number is left out.
    spot: usize,
}

impl Names {
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut order: Vec<(&str, usize)> = names.into_iter().zip(0..).collect();
        let mut places = vec![0; order.len()];
        order.sort_unstable_by(|(a, _), (b, _)| natural(a, b));
        let mut names = Vec::with_capacity(order.len());
        let mut shapes: Vec<Shape> = Vec::new();
        let mut known: HashMap<Vec<Token>, u32> = HashMap::new();
        let mut last = None;
        for (name, at) in order {
            if last != Some(name) {
                last = Some(name);
                let mut tokens = tokens(name);
                let (spot, number) = match last_number(&mut tokens, 0) {
                    Some((spot, numbers)) => (spot, numbers.first().copied()),
                    None => (0, None),
                };
                let shape = *known.entry(tokens).or_insert_with_key(|tokens| {
                    shapes.push(Shape { tokens: tokens.clone(), spot });
                    shapes.len() as u32 - 1
                });
                names.push(Name { shape, number });
            }
            places[at] = names.len() as u32 - 1;
        }
        Self { places, names, shapes }
    }

    /// Those with these numbers, in the order given to [`Names::of`].
    pub fn fold(&self, some: &[u32]) -> String {
        let mut places: Vec<usize> = some.iter().map(|at| self.places[*at as usize] as usize).collect();
        places.sort_unstable();
        places.dedup();
        self.fold_places(places.into_iter())
    }

    fn fold_places(&self, places: impl Iterator<Item = usize>) -> String {
        let mut merged: Vec<(u32, Vec<(u64, usize)>)> = Vec::new();
        let mut seen: HashMap<u32, usize> = HashMap::new();
        // neighbours mostly have one shape
        let mut last = (u32::MAX, 0);
        for place in places {
            let Name { shape, number } = &self.names[place];
            if last.0 != *shape {
                let next = merged.len();
                last = (*shape, *seen.entry(*shape).or_insert(next));
                if last.1 == next {
                    merged.push((*shape, Vec::new()));
                }
            }
            merged[last.1].1.extend(number);
        }
        let entry = |(shape, mut numbers): (u32, Vec<(u64, usize)>)| {
            let Shape { tokens, spot } = &self.shapes[shape as usize];
            let mut entry = tokens.clone();
            if !numbers.is_empty() {
                numbers.sort_unstable();
                entry[*spot] = Token::Numbers(numbers);
            }
            entry
        };
        let mut entries: Vec<Vec<Token>> = merged.into_iter().map(entry).collect();
        for from_end in 1..NUMBERS {
            entries = merge(entries, from_end);
        }
        let mut text = String::new();
        for entry in entries {
            if !text.is_empty() {
                text.push(',');
            }
            write(&entry, &mut text);
        }
        text
    }
}

/// The order people expect: `web2` before `web10`. Equal only for equal texts.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) if l.is_ascii_digit() && r.is_ascii_digit() => {
                let (l, l_rest) = left.split_at(digits(left));
                let (r, r_rest) = right.split_at(digits(right));
                let (l, r) = (without_zeros(l), without_zeros(r));
                let order = l.len().cmp(&r.len()).then_with(|| l.cmp(r));
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (l_rest, r_rest);
            }
            (Some(l), Some(r)) if l != r => return l.cmp(r),
            _ => (left, right) = (&left[1..], &right[1..]),
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|b| **b == b'0').count()..]
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Token {
    Text(String),
    /// Numbers as written: value, and how many digits.
    Numbers(Vec<(u64, usize)>),
}

/// Text and numbers in turn; only the last [`NUMBERS`] numbers are taken for numbers.
fn tokens(name: &str) -> Vec<Token> {
    if name.contains(['[', ']', ',', '"']) || name.contains(char::is_whitespace) {
        return vec![Token::Text(name.to_owned())];
    }
    let fixed = name.find(':').map_or(0, |at| at + 1);
    let bytes = name.as_bytes();
    let mut found = Vec::new();
    let mut at = fixed;
    while at < bytes.len() {
        let len = digits(&bytes[at..]);
        if len > 0 && len <= DIGITS_MAX {
            found.push((at, len));
        }
        at += len.max(1);
    }
    let mut tokens = Vec::new();
    let mut from = 0;
    for &(at, len) in found.iter().skip(found.len().saturating_sub(NUMBERS)) {
        // digits begin and end on character boundaries: they are ASCII
        if at > from {
            tokens.push(Token::Text(name[from..at].to_owned()));
        }
        tokens.push(Token::Numbers(vec![(name[at..at + len].parse().unwrap_or(0), len)]));
        from = at + len;
    }
    if from < name.len() {
        tokens.push(Token::Text(name[from..].to_owned()));
    }
    tokens
}

/// Takes out the number that is `from_end`-last, and says where it stood.
fn last_number(entry: &mut [Token], from_end: usize) -> Option<(usize, Vec<(u64, usize)>)> {
    let mut numbers = entry.iter_mut().enumerate().rev().filter_map(|(at, token)| match token {
        Token::Numbers(numbers) => Some((at, numbers)),
        Token::Text(_) => None,
    });
    numbers.nth(from_end).map(|(at, numbers)| (at, std::mem::take(numbers)))
}

/// Brings together entries that are equal but for the number that is `from_end`-last.
fn merge(entries: Vec<Vec<Token>>, from_end: usize) -> Vec<Vec<Token>> {
    let mut merged: Vec<Vec<Token>> = Vec::with_capacity(entries.len());
    let mut seen: HashMap<Vec<Token>, usize> = HashMap::new();
    for mut entry in entries {
        let Some((spot, numbers)) = last_number(&mut entry, from_end) else {
            merged.push(entry);
            continue;
        };
        if let Some(&at) = seen.get(&entry) {
            if let Some(Token::Numbers(kept)) = merged[at].get_mut(spot) {
                kept.extend(numbers);
            }
        } else {
            seen.insert(entry.clone(), merged.len());
            entry[spot] = Token::Numbers(numbers);
            merged.push(entry);
        }
    }
    for entry in &mut merged {
        for token in entry {
            if let Token::Numbers(numbers) = token {
                numbers.sort_unstable();
            }
        }
    }
    merged
}

fn write(entry: &[Token], text: &mut String) {
    for token in entry {
        match token {
            Token::Text(literal) => text.push_str(literal),
            Token::Numbers(numbers) => write_numbers(numbers, text),
        }
    }
}

fn write_numbers(numbers: &[(u64, usize)], text: &mut String) {
    if let [(value, len)] = numbers {
        let _ = write!(text, "{value:0len$}");
        return;
    }
    text.push('[');
    let mut ranges = ranges(numbers);
    ranges.sort_unstable();
    for (at, (first, len, last)) in ranges.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let _ = write!(text, "{first:0len$}");
        if last > first {
            let _ = write!(text, "-{last:0len$}");
        }
    }
    text.push(']');
}

/// Neighbours joined, as (first, its digits, last). A number without zeros in front is at home in every
/// padding that is not wider than itself: `99` goes on to `100`, `09` to `10`.
fn ranges(numbers: &[(u64, usize)]) -> Vec<(u64, usize, u64)> {
    let padded = |value: u64, len: usize| decimals(value) < len;
    let mut widths: Vec<usize> = numbers.iter().filter(|(v, len)| padded(*v, *len)).map(|(_, len)| *len).collect();
    widths.sort_unstable();
    widths.dedup();
    let mut classes: Vec<(usize, u64, usize)> = numbers
        .iter()
        .map(|&(value, len)| {
            let width = if padded(value, len) {
                len
            } else {
                widths.iter().rev().copied().find(|width| *width <= len).unwrap_or(0)
            };
            (width, value, len)
        })
        .collect();
    classes.sort_unstable();
    let mut ranges: Vec<(usize, u64, usize, u64)> = Vec::new();
    for (width, value, len) in classes {
        match ranges.last_mut() {
            Some((same, _, _, last)) if *same == width && last.checked_add(1) == Some(value) => *last = value,
            _ => ranges.push((width, value, len, value)),
        }
    }
    ranges.into_iter().map(|(_, first, len, last)| (first, len, last)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::expand;
    use super::*;

    fn folded(names: &[&str]) -> String {
        fold(names.iter().copied())
    }

    #[test]
    fn names_that_differ_in_a_number_meet_in_a_bracket() {
        assert_eq!(folded(&["web02", "web01", "web03", "web50", "web01"]), "web[01-03,50]");
        assert_eq!(folded(&["web1"]), "web1");
        assert_eq!(folded(&["b", "a"]), "a,b");
        assert_eq!(folded(&[]), "");
    }

    #[test]
    fn padding_is_kept() {
        assert_eq!(folded(&["n08", "n09", "n10", "n99", "n100"]), "n[08-10,99-100]");
        assert_eq!(folded(&["n1", "n01", "n2", "n02"]), "n[1-2,01-02]");
        assert_eq!(folded(&["n9", "n10", "n11"]), "n[9-11]");
    }

    #[test]
    fn an_id_keeps_its_connection_out_of_the_bracket() {
        assert_eq!(folded(&["lab1:web001", "lab1:web002", "lab2:web001"]), "lab1:web[001-002],lab2:web001");
    }

    #[test]
    fn several_numbers_fold_where_the_rest_is_equal() {
        assert_eq!(folded(&["r1n1", "r1n2", "r2n1", "r2n2"]), "r[1-2]n[1-2]");
        assert_eq!(folded(&["r1n1", "r1n2", "r2n1"]), "r1n[1-2],r2n1");
        assert_eq!(folded(&["web01.lon.example", "web02.lon.example"]), "web[01-02].lon.example");
    }

    #[test]
    fn people_count_two_before_ten() {
        let mut names = vec!["web10", "web2", "web", "web02", "db"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["db", "web", "web02", "web2", "web10"]);
    }

    #[test]
    fn a_name_that_no_node_set_can_hold_stands_as_it_is() {
        assert_eq!(folded(&["odd[1", "odd 2"]), "odd 2,odd[1");
    }

    #[test]
    fn some_of_many_fold_as_they_would_alone() {
        let all = ["web10", "r2n1", "web9", "db", "r1n2", "r1n1", "web9", "odd 1"];
        let names = Names::of(all);
        for some in [&[0, 2, 3][..], &[6, 2], &[5, 4, 1], &[7, 0], &[], &[0, 1, 2, 3, 4, 5, 6, 7]] {
            assert_eq!(names.fold(some), fold(some.iter().map(|at| all[*at as usize])));
        }
    }

    #[test]
    fn a_fleet_folds_at_once() {
        let names: Vec<String> = (0..100_000).map(|n| format!("lab:rack{}-web{n:06}", n % 7)).collect();
        let text = fold(names.iter().map(String::as_str));
        assert_eq!(expand(&text, 200_000).expect("expands").len(), 100_000);
    }

    proptest::proptest! {
        #[test]
        fn expanding_what_was_folded_gives_the_same_names(
            names in proptest::collection::btree_set("([a-c:.-]{0,2}[0-9]{0,3}){1,3}[a-b]?", 0..40)
        ) {
            let names: BTreeSet<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
            let text = fold(names.iter().map(String::as_str));
            let back = if text.is_empty() { Vec::new() } else { expand(&text, 10_000).expect("expands") };
            proptest::prop_assert_eq!(back.len(), names.len());
            proptest::prop_assert_eq!(back.into_iter().collect::<BTreeSet<_>>(), names);
        }

        #[test]
        fn folding_survives_any_name(names in proptest::collection::vec(".{0,12}", 0..10)) {
            let _ = fold(names.iter().map(String::as_str));
        }
    }
}
