//! What one term of a filter asks of a row.

use std::cmp::Ordering;
use std::ops::Range;

use regex::Regex;

use super::fuzzy::Fuzzy;
use super::needle::Needle;
use super::{Kind, Rows};
use crate::model::target::version;

#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    pub not: bool,
    /// `None`: any column.
    pub column: Option<usize>,
    /// As the operator wrote the column.
    pub name: String,
    pub test: Test,
    /// It begins like a column that there is not.
    pub strange: Option<Strange>,
}

/// A name before a colon that is no column's: rows may hold it all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Strange {
    pub name: String,
    /// Where it stands, in characters.
    pub at: usize,
    needle: Needle,
}

impl Strange {
    pub fn new(name: String, at: usize) -> Self {
        let text = format!("{name}:").to_lowercase();
        Self { name, at, needle: Needle::new(text.clone(), vec![text]) }
    }

    pub fn is_in(&self, rows: &impl Rows, row: usize, room: &mut String) -> bool {
        rows.columns()
            .iter()
            .enumerate()
            .any(|(column, about)| about.kind == Kind::Text && self.needle.is_in(rows.text(row, column, room)))
    }
}

#[derive(Clone, Debug)]
pub enum Test {
    Holds(Needle),
    Is(Needle),
    Fuzzy(Fuzzy),
    Regex(Regex),
    /// Of a flag: whether it is set.
    Set(bool),
    /// `amount`: what the operand is for a column of numbers.
    Compare {
        op: Op,
        kind: Kind,
        amount: f64,
        operand: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Less,
    LessOrSame,
    More,
    MoreOrSame,
    Same,
}

impl Op {
    pub const fn sign(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::LessOrSame => "<=",
            Op::More => ">",
            Op::MoreOrSame => ">=",
            Op::Same => "=",
        }
    }

    fn takes(self, order: Ordering) -> bool {
        match self {
            Op::Less => order == Ordering::Less,
            Op::LessOrSame => order != Ordering::Greater,
            Op::More => order == Ordering::Greater,
            Op::MoreOrSame => order != Ordering::Less,
            Op::Same => order == Ordering::Equal,
        }
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Test::Holds(a), Test::Holds(b)) | (Test::Is(a), Test::Is(b)) => a == b,
            (Test::Fuzzy(a), Test::Fuzzy(b)) => a == b,
            (Test::Regex(a), Test::Regex(b)) => a.as_str() == b.as_str(),
            (Test::Set(a), Test::Set(b)) => a == b,
            (Test::Compare { op: a, operand: x, .. }, Test::Compare { op: b, operand: y, .. }) => a == b && x == y,
            _ => false,
        }
    }
}

impl Test {
    fn text(&self, text: &str) -> bool {
        match self {
            Test::Holds(needle) => needle.is_in(text),
            Test::Is(needle) => {
                needle.is(text) || (needle.digit && version::compare(text, &needle.text) == Some(Ordering::Equal))
            }
            Test::Fuzzy(fuzzy) => fuzzy.is_in(text),
            Test::Regex(regex) => regex.is_match(text),
            Test::Set(set) => *set != text.is_empty(),
            Test::Compare { op, operand, .. } => version::compare(text, operand).is_some_and(|order| op.takes(order)),
        }
    }

    /// A number may hold it.
    fn wants_numbers(&self) -> bool {
        match self {
            Test::Holds(needle) => needle.in_number(),
            Test::Is(needle) => needle.digit,
            Test::Fuzzy(fuzzy) => {
                let letters = fuzzy.text.chars().filter(|c| c.is_alphabetic()).count();
                letters <= 2 && fuzzy.text.bytes().any(|byte| byte.is_ascii_digit())
            }
            Test::Regex(_) | Test::Compare { .. } | Test::Set(_) => true,
        }
    }

    pub fn hits(&self, text: &str, hits: &mut Vec<Range<usize>>) {
        match self {
            Test::Holds(needle) => needle.hits(text, hits),
            Test::Is(needle) if needle.is(text) => hits.push(0..text.len()),
            Test::Fuzzy(fuzzy) => fuzzy.hits(text, hits),
            Test::Regex(regex) => {
                hits.extend(regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()));
            }
            Test::Is(_) | Test::Compare { .. } | Test::Set(_) => {}
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Test::Holds(mine) | Test::Is(mine), Test::Holds(theirs)) => {
                // what is a version may be equal without holding the text
                let exact = matches!(self, Test::Holds(_)) || !mine.digit;
                exact && mine.implies(theirs)
            }
            (Test::Fuzzy(mine), Test::Fuzzy(theirs)) => mine.implies(theirs),
            (mine, theirs) => mine == theirs,
        }
    }
}

impl Clause {
    pub fn holds(&self, rows: &impl Rows, row: usize, room: &mut String) -> bool {
        let found = match self.column {
            Some(column) => self.column_holds(rows, row, column, room),
            None => {
                let numbers = self.test.wants_numbers();
                rows.columns().iter().enumerate().any(|(column, about)| {
                    let asked = about.kind == Kind::Text || (numbers && about.kind != Kind::Flag);
                    asked && self.test.text(rows.text(row, column, room))
                })
            }
        };
        found != self.not
    }

    fn column_holds(&self, rows: &impl Rows, row: usize, column: usize, room: &mut String) -> bool {
        match &self.test {
            Test::Compare { op, kind, amount, .. } if *kind != Kind::Text => rows
                .number(row, column)
                .and_then(|number| number.partial_cmp(amount))
                .is_some_and(|order| op.takes(order)),
            test => test.text(rows.text(row, column, room)),
        }
    }

    pub fn holds_text(&self, text: &str) -> bool {
        self.test.text(text) != self.not
    }

    /// A row of which this holds is one of which `other` holds.
    pub fn implies(&self, other: &Self) -> bool {
        if self.not || other.not {
            let same_column = self.column == other.column;
            return self == other || (self.not && other.not && same_column && other.test.implies(&self.test));
        }
        let same = self.column == other.column;
        same && self.test.implies(&other.test)
    }

    pub fn describe(&self) -> String {
        let not = if self.not { "not " } else { "" };
        let name = &self.name;
        let any = self.column.is_none();
        match &self.test {
            Test::Holds(needle) if any => format!("{not}\"{}\"", needle.text),
            Test::Holds(needle) => format!("{not}{name} has \"{}\"", needle.text),
            Test::Is(needle) => format!("{not}{name} is \"{}\"", needle.text),
            Test::Fuzzy(fuzzy) if any => format!("{not}like \"{}\"", fuzzy.text),
            Test::Fuzzy(fuzzy) => format!("{not}{name} like \"{}\"", fuzzy.text),
            Test::Regex(regex) => {
                let pattern = regex.as_str().trim_start_matches("(?i)");
                if any { format!("{not}matching /{pattern}/") } else { format!("{not}{name} matching /{pattern}/") }
            }
            Test::Set(true) => format!("{not}{name}"),
            Test::Set(false) => format!("{}{name}", if self.not { "" } else { "not " }),
            Test::Compare { op, operand, .. } => format!("{not}{name} {} {operand}", op.sign()),
        }
    }
}
