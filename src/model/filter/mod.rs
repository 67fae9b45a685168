//! The filter language: which rows of a list an operator wants to see. The same in every list, in the tail and in the
//! verbs' `--filter`.
//!
//! ```text
//! web                any column holds it; capitals count only where they are written
//! !web               not
//! ~osp               the letters in this order, others between them
//! re:^web0[1-9]      a regular expression, up to the next blank
//! state:fail         one column holds it; name:=web1 is it, name:~w1 and name:re:^w as above
//! bad:>0  took>=2m   numbers, times (30s 5m 2h 9d), sizes (10k 2MB) and versions compared
//! web prod           both: a blank means "and"
//! web | db           either
//! "two words"        every character as it is; a * outside quotes stands for anything
//! marked:yes         in the console's lists: rows that are marked
//! ```
//!
//! A blank binds closer than `|`. A word with a colon that names no column is just a word where the rows hold such
//! words (`lab:web001`); else it is refused, as is what is nearly a column: a slip must not hide the fleet. Words
//! without a digit are not looked for in columns of numbers.
//!
//! Matching a row allocates nothing; patterns are bounded in size and take time linear in the row.

pub(super) mod amount;
pub mod fuzzy;
mod needle;
mod parse;
mod terms;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use terms::{Clause, Test};

/// What a column holds, and so how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Compared as versions.
    Text,
    Number,
    /// An age or a time taken, in seconds.
    Seconds,
    Bytes,
    /// `yes` or nothing. Asked for by its name alone: no word is looked for in it.
    Flag,
}

/// A column as filter, order and verbs know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: Cow<'static, str>,
    /// Another name it answers to; empty: none.
    pub also: &'static str,
    pub kind: Kind,
    /// In its usual order the largest comes first.
    pub down: bool,
}

impl Column {
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name: Cow::Borrowed(name), also: "", kind, down: false }
    }

    pub const fn down(name: &'static str, kind: Kind) -> Self {
        Self { name: Cow::Borrowed(name), also: "", kind, down: true }
    }

    pub const fn also(mut self, name: &'static str) -> Self {
        self.also = name;
        self
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || (!self.also.is_empty() && self.also.eq_ignore_ascii_case(name))
    }
}

/// Rows that can be filtered and sorted.
pub trait Rows: Sync {
    fn columns(&self) -> &[Column];
    fn len(&self) -> usize;
    /// What a column says of a row, as it is shown. Borrowed, or written into `room`.
    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str;
    /// Its number, seconds or bytes; `None`: it has none.
    fn number(&self, row: usize, column: usize) -> Option<f64>;

    /// What the column sorts by, where that is not its text.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        self.number(row, column)
    }

    /// Worth a look.
    fn troubled(&self, _row: usize) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// In characters, from 0.
    pub column: usize,
    /// One sentence, without a full stop.
    pub message: String,
}

impl Wrong {
    fn at(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

/// A filter that was understood: alternatives, each a list of what must hold. None at all: everything passes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    any: Vec<Vec<Clause>>,
}

/// Understands a filter of a list with these columns.
///
/// # Errors
/// Where it is wrong, and why.
pub fn parse(text: &str, columns: &[Column]) -> Result<Filter, Wrong> {
    parse::parse(text, columns)
}

impl Filter {
    /// Everything passes.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty()
    }

    /// `room` is for numbers made into text; it can be used again and again.
    pub fn passes(&self, rows: &impl Rows, row: usize, room: &mut String) -> bool {
        self.any.is_empty() || self.any.iter().any(|all| all.iter().all(|clause| clause.holds(rows, row, room)))
    }

    /// Whether one text passes, taken for all columns at once: a line of output, the name in a picker.
    pub fn passes_text(&self, text: &str) -> bool {
        self.any.is_empty() || self.any.iter().any(|all| all.iter().all(|clause| clause.holds_text(text)))
    }

    /// Whether a name passes by itself: by words that ask no column, and hold where nothing is forbidden.
    pub fn passes_name(&self, name: &str) -> bool {
        self.any.iter().any(|all| {
            all.iter().any(|clause| clause.column.is_none() && !clause.not)
                && all.iter().all(|clause| clause.column.is_none() && clause.holds_text(name))
        })
    }

    /// Every row that passes this one passed `before` too: only those need be looked at.
    pub fn narrows(&self, before: &Filter) -> bool {
        before.any.is_empty()
            || (!self.any.is_empty()
                && self.any.iter().all(|new| {
                    before.any.iter().any(|old| old.iter().all(|old| new.iter().any(|new| new.implies(old))))
                }))
    }

    /// Something in it depends on this column by name.
    pub fn asks(&self, column: usize) -> bool {
        self.any.iter().flatten().any(|clause| clause.column == Some(column))
    }

    /// What passes does not change with the time alone.
    pub fn timeless(&self) -> bool {
        !self.any.iter().flatten().any(|clause| matches!(clause.test, Test::Compare { kind: Kind::Seconds, .. }))
    }

    /// Words that begin like a column and name none must be in the rows, or they are slips.
    ///
    /// # Errors
    /// The first of which nothing is there, with the columns there are.
    pub fn check(&self, rows: &impl Rows) -> Result<(), Wrong> {
        let mut room = String::new();
        for clause in self.any.iter().flatten() {
            let Some(strange) = &clause.strange else { continue };
            if rows.is_empty() || (0..rows.len()).any(|row| strange.is_in(rows, row, &mut room)) {
                continue;
            }
            let names: Vec<&str> = rows.columns().iter().map(|column| column.name.as_ref()).collect();
            let name = crate::model::nearest::shown(&strange.name);
            return Err(Wrong::at(
                strange.at,
                format!("there is no column `{name}`, and nothing holds \"{name}:\"; columns: {}", names.join(" ")),
            ));
        }
        Ok(())
    }

    /// Where a column's text is what was looked for, in bytes, rising, without overlap.
    pub fn hits(&self, column: usize, text: &str) -> Vec<Range<usize>> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        for clause in self.any.iter().flatten().filter(|clause| !clause.not) {
            if clause.column.is_none_or(|mine| mine == column) {
                clause.test.hits(text, &mut hits);
            }
        }
        hits.sort_by_key(|hit| hit.start);
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(hits.len());
        for hit in hits {
            match joined.last_mut() {
                Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
                _ => joined.push(hit),
            }
        }
        joined
    }

    /// It says what to look for somewhere, so that something can be highlighted.
    pub fn looks_for_text(&self) -> bool {
        self.any.iter().flatten().any(|clause| !clause.not && !matches!(clause.test, Test::Compare { .. }))
    }

    /// Its meaning in words: `"web" and state has "fail"`.
    pub fn describe(&self) -> String {
        let alternatives = self.any.iter().map(|all| {
            let clauses: Vec<String> = all.iter().map(Clause::describe).collect();
            clauses.join(" and ")
        });
        alternatives.collect::<Vec<_>>().join(", or ")
    }
}

/// The rows that pass, in their own order.
pub fn passing(filter: &Filter, rows: &impl Rows) -> Vec<u32> {
    let all: Vec<u32> = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).collect();
    among(filter, rows, &all)
}

/// So many rows are worth a thread of their own: it costs as much as some hundred of them.
const SHARE: usize = 8_192;
/// More would take cores that others need.
const SHARES: usize = 4;

/// Those of `from` that pass, in the order of `from`. The cores share a long list, which is looked through at every key.
pub fn among(filter: &Filter, rows: &impl Rows, from: &[u32]) -> Vec<u32> {
    if filter.is_empty() {
        return from.to_vec();
    }
    let look = |part: &[u32]| {
        let mut room = String::new();
        part.iter().copied().filter(|row| filter.passes(rows, *row as usize, &mut room)).collect::<Vec<u32>>()
    };
    let shares = (from.len() / SHARE).min(cores());
    if shares < 2 {
        return look(from);
    }
    let mut parts = from.chunks(from.len().div_ceil(shares));
    let own = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| (part, std::thread::Builder::new().spawn_scoped(scope, move || look(part)).ok()))
            .collect();
        let mut passed = look(own);
        for (part, other) in others {
            // where no thread is to be had, or one fell, it is done here
            passed.extend(other.and_then(|other| other.join().ok()).unwrap_or_else(|| look(part)));
        }
        passed
    })
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |cores| cores.get().min(SHARES)))
}

/// Puts rows into the order of a column; what has no value stands last either way, and of equals the first row is first.
/// Rows that are nearly in order already, as those of a list in which a few have changed, cost little more than a look.
pub fn sort(rows: &impl Rows, order: &mut [u32], column: usize, reverse: bool) {
    let Some(about) = rows.columns().get(column) else { return };
    let turned = about.down != reverse;
    let turn = |order: std::cmp::Ordering| if turned { order.reverse() } else { order };
    if order.iter().any(|row| rows.order(*row as usize, column).is_some()) {
        let number = |row: u32| rows.order(row as usize, column).map(|number| if turned { -number } else { number });
        let mut keyed: Vec<(Number, u32)> = order.iter().map(|row| (Number(number(*row)), *row)).collect();
        keyed.sort();
        order.iter_mut().zip(keyed).for_each(|(place, (_, row))| *place = row);
        return;
    }
    let mut room = String::new();
    let mut keyed: Vec<(String, u32)> =
        order.iter().map(|row| (rows.text(*row as usize, column, &mut room).to_owned(), *row)).collect();
    keyed.sort_by(|(a, at), (b, other)| {
        let texts = a.is_empty().cmp(&b.is_empty()).then_with(|| turn(super::nodeset::natural(a, b)));
        texts.then_with(|| at.cmp(other))
    });
    order.iter_mut().zip(keyed).for_each(|(place, (_, row))| *place = row);
}

/// A number in order; none is the last.
#[derive(PartialEq)]
struct Number(Option<f64>);

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self.0, other.0) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}
