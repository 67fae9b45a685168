//! A tree and an inventory to the devices meant. Every word is looked at, even where the rest has
//! already decided: a slip must not hide behind `|`.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use super::Error;
use super::atom::{Atom, Item, Kind, Op, Value};
use super::index::{Bits, Index, Scope};
use super::parse::Node;
use super::set::Sets;
use super::version;
use crate::model::device::Reach;
use crate::model::nearest::{hint, shown};
use crate::model::nodeset;

const BARE: Scope<'static> = Scope { devices: true, groups: true, connections: true, within: None };
const GROUPS: Scope<'static> = Scope { devices: false, connections: false, ..BARE };
const DEVICES: Scope<'static> = Scope { groups: false, connections: false, ..BARE };
const CONNECTIONS: Scope<'static> = Scope { devices: false, groups: false, ..BARE };
const FIELDS: [&str; 5] = ["group", "connection", "conn", "name", "state"];
const STATES: [Reach; 4] = [Reach::Online, Reach::Offline, Reach::Unknown, Reach::Refused];

/// Depth is bounded by the parser.
pub(super) fn eval(node: &Node, index: &Index<'_>, sets: &Sets) -> Result<Bits, Error> {
    match node {
        Node::Atom(atom) => eval_atom(atom, index, sets),
        Node::Not(node) => {
            let mut found = eval(node, index, sets)?;
            found.invert();
            Ok(found)
        }
        Node::And(nodes) => fold(nodes, index, sets, Bits::meet),
        Node::Or(nodes) => fold(nodes, index, sets, Bits::join),
    }
}

fn fold(nodes: &[Node], index: &Index<'_>, sets: &Sets, combine: impl Fn(&mut Bits, &Bits)) -> Result<Bits, Error> {
    let mut all: Option<Bits> = None;
    for node in nodes {
        let found = eval(node, index, sets)?;
        match &mut all {
            None => all = Some(found),
            Some(all) => combine(all, &found),
        }
    }
    Ok(all.unwrap_or_else(|| index.none()))
}

fn eval_atom(atom: &Atom, index: &Index<'_>, sets: &Sets) -> Result<Bits, Error> {
    let mut found = index.none();
    for item in &atom.items {
        match item {
            Item::All => {
                index.select(&mut found, |_| true);
            }
            Item::Set { set, column } => {
                let unknown = || Error::at(*column, format!("what {set} holds is known to the engine alone"));
                let ids = sets.get(set).ok_or_else(unknown)?;
                let ids = ids.as_ref().map_err(|why| Error::at(*column, why.clone()))?;
                index.select(&mut found, |device| ids.contains(&device.id));
            }
            Item::Bare(value) => names(value, BARE, "no device, group or connection", index, &mut found)?,
            Item::Field { field, column, op, value } => {
                let mut matched = index.none();
                eval_field(field, *column, *op, value, index, &mut matched)?;
                found.join(&matched);
            }
        }
    }
    Ok(found)
}

fn eval_field(
    field: &str,
    column: usize,
    op: Op,
    value: &Value,
    index: &Index<'_>,
    found: &mut Bits,
) -> Result<(), Error> {
    if op == Op::Is && index.connections.contains(field) {
        let scope = Scope { within: Some(field), connections: false, ..BARE };
        return names(value, scope, &format!("no device or group of {}", shown(field)), index, found);
    }
    match field {
        "group" => named_field(GROUPS, "no group", field, op, value, index, found),
        "connection" | "conn" => named_field(CONNECTIONS, "no connection", field, op, value, index, found),
        "name" => named_field(DEVICES, "no device", field, op, value, index, found),
        "state" => {
            comparable(field, op, value)?;
            let Some(state) = STATES.into_iter().find(|state| state.word() == value.text) else {
                let words = STATES.map(Reach::word);
                let hint = hint(&value.text, words);
                let message = format!("'{}' is no state: {}{hint}", shown(&value.text), words.join(", "));
                return Err(Error::at(value.column, message));
            };
            index.select(found, |device| (device.state == state) == (op != Op::NotEqual));
            Ok(())
        }
        _ => fact(field, column, op, value, index, found),
    }
}

fn comparable(field: &str, op: Op, value: &Value) -> Result<(), Error> {
    if op.orders() {
        let column = value.column.saturating_sub(op.text().len());
        return Err(Error::at(column, format!("a {field} cannot be compared: write {field}:…")));
    }
    Ok(())
}

fn named_field(
    scope: Scope<'_>,
    none: &str,
    field: &str,
    op: Op,
    value: &Value,
    index: &Index<'_>,
    found: &mut Bits,
) -> Result<(), Error> {
    comparable(field, op, value)?;
    names(value, scope, none, index, found)?;
    if op == Op::NotEqual {
        found.invert();
    }
    Ok(())
}

/// Devices, groups and connections by name. Nothing found is an error: `none` begins it.
fn names(value: &Value, scope: Scope<'_>, none: &str, index: &Index<'_>, found: &mut Bits) -> Result<(), Error> {
    match &value.kind {
        Kind::Exact => {
            if index.named(&value.text, scope, found) {
                return Ok(());
            }
            let hint = hint(&value.text, index.known(scope));
            Err(Error::at(value.column, format!("{none} is named '{}'{hint}", shown(&value.text))))
        }
        Kind::Names(names) => {
            let missing: BTreeSet<&str> =
                names.iter().map(String::as_str).filter(|name| !index.named(name, scope, found)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            let count = missing.len();
            let of = if names.len() > count { format!(" ({count} of {})", names.len()) } else { String::new() };
            let padded = padded(&missing, index.known(scope));
            Err(Error::at(value.column, format!("{none} is named '{}'{of}{padded}", shown(&nodeset::fold(missing)))))
        }
        Kind::Globs(globs) => {
            for glob in globs {
                if !index.matching(|name| glob.matches(name), scope, found) {
                    return Err(Error::at(value.column, format!("{none} matches '{}'", shown(&value.text))));
                }
            }
            Ok(())
        }
    }
}

/// Those that are there under these names but for the zeros in front of their numbers, as a question.
fn padded<'a>(missing: &BTreeSet<&str>, known: impl IntoIterator<Item = &'a str>) -> String {
    let wanted: BTreeSet<String> = missing.iter().map(|name| unpadded(name)).collect();
    let there: BTreeSet<&str> = known.into_iter().filter(|name| wanted.contains(&unpadded(name))).collect();
    if there.is_empty() {
        return String::new();
    }
    format!("; did you mean '{}'?", shown(&nodeset::fold(there)))
}

/// `web007-01` as `web7-1`.
fn unpadded(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    let mut within = false;
    while let Some(character) = characters.next() {
        let more = characters.peek().is_some_and(char::is_ascii_digit);
        if character != '0' || within || !more {
            bare.push(character);
        }
        within = character.is_ascii_digit() && (within || character != '0');
    }
    bare
}

fn fact(field: &str, column: usize, op: Op, value: &Value, index: &Index<'_>, found: &mut Bits) -> Result<(), Error> {
    let wanted = Wanted::new(value);
    let mut known = false;
    for (at, device) in index.inventory.devices.iter().enumerate() {
        let Some(fact) = device.facts.get(field) else { continue };
        known = true;
        let order = || version::compare(fact, &value.text);
        let equal = || wanted.fits(fact) || order() == Some(Ordering::Equal);
        let fits = match op {
            Op::Is => wanted.fits(fact),
            Op::Equal => equal(),
            Op::NotEqual => !equal(),
            Op::Less => order() == Some(Ordering::Less),
            Op::AtMost => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Op::More => order() == Some(Ordering::Greater),
            Op::AtLeast => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
        };
        if fits {
            found.set(at);
        }
    }
    if known {
        return Ok(());
    }
    let mut fields: BTreeSet<&str> =
        index.inventory.devices.iter().flat_map(|device| device.facts.keys().map(String::as_str)).collect();
    fields.extend(FIELDS);
    let what = if op == Op::Is {
        fields.extend(&index.connections);
        "no connection or fact"
    } else {
        "no fact"
    };
    Err(Error::at(column, format!("{what} named '{}'{}", shown(field), hint(field, fields))))
}

/// A fact's value as looked for: upper and lower case alike.
enum Wanted<'v> {
    One(String),
    OneOf(HashSet<String>),
    Globs(&'v [super::glob::Glob]),
}

impl<'v> Wanted<'v> {
    fn new(value: &'v Value) -> Self {
        match &value.kind {
            Kind::Exact => Self::One(value.text.to_lowercase()),
            Kind::Names(names) => Self::OneOf(names.iter().map(|name| name.to_lowercase()).collect()),
            Kind::Globs(globs) => Self::Globs(globs),
        }
    }

    /// The whole fact, or one of its parts between commas.
    fn fits(&self, fact: &str) -> bool {
        self.fits_whole(fact) || fact.contains(',') && fact.split(',').any(|part| self.fits_whole(part.trim()))
    }

    fn fits_whole(&self, text: &str) -> bool {
        match self {
            Self::One(wanted) => {
                text.eq_ignore_ascii_case(wanted) || !text.is_ascii() && text.to_lowercase() == *wanted
            }
            Self::OneOf(wanted) => wanted.contains(&text.to_lowercase()),
            Self::Globs(globs) => globs.iter().any(|glob| glob.matches_loosely(text)),
        }
    }
}
