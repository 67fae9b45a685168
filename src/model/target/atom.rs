//! One word of an expression: names, fields and comparisons.

use super::Error;
use super::glob::Glob;
use super::lex::Char;
use super::set::JobSet;
use super::version;
use crate::model::nearest::shown;
use crate::model::nodeset;

/// Names that one expression may write out, node sets expanded.
const NAMES: usize = 1_000_000;

/// Words that must look at every device (globs, facts) in one expression.
const SCANS: usize = 1_000;

/// What an expression may still ask for.
pub(super) struct Budget {
    names: usize,
    scans: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { names: NAMES, scans: SCANS }
    }
}

impl Budget {
    fn names(&mut self, count: usize, column: usize) -> Result<(), Error> {
        let left = self.names.checked_sub(count);
        self.names = left.ok_or_else(|| Error::at(column, format!("more than {NAMES} names in one expression")))?;
        Ok(())
    }

    fn scans(&mut self, count: usize, column: usize) -> Result<(), Error> {
        let left = self.scans.checked_sub(count);
        self.scans =
            left.ok_or_else(|| Error::at(column, format!("more than {SCANS} patterns and fields in one expression")))?;
        Ok(())
    }
}

/// A word: alternatives parted by commas.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    All,
    Set { set: JobSet, column: usize },
    Bare(Value),
    Field { field: String, column: usize, op: Op, value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Op {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Op::Is => ":",
            Op::Equal => "=",
            Op::NotEqual => "!=",
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::More => ">",
            Op::AtLeast => ">=",
        }
    }

    pub(super) const fn orders(self) -> bool {
        matches!(self, Op::Less | Op::AtMost | Op::More | Op::AtLeast)
    }
}

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) column: usize,
    /// As written, quotes gone.
    pub(super) text: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Exact,
    Names(Vec<String>),
    Globs(Vec<Glob>),
}

impl Atom {
    pub(super) fn parse(word: &[Char], budget: &mut Budget) -> Result<Self, Error> {
        let mut items = Vec::new();
        let mut start = 0;
        let mut inside = false;
        // what an item without a field of its own takes over from the one before it
        let mut field: Option<Field> = None;
        for at in 0..=word.len() {
            match word.get(at) {
                Some(c) if c.is('[') => inside = true,
                Some(c) if c.is(']') => inside = false,
                Some(c) if !c.is(',') || inside => {}
                _ => {
                    let end = word.get(at).or(word.last()).map_or(0, |c| c.column());
                    items.push(item(&word[start..at], end, &mut field, budget)?);
                    start = at + 1;
                }
            }
        }
        Ok(Self { items })
    }
}

#[derive(Clone)]
struct Field {
    name: String,
    column: usize,
    op: Op,
}

fn item(chars: &[Char], end: usize, field: &mut Option<Field>, budget: &mut Budget) -> Result<Item, Error> {
    let Some(first) = chars.first() else {
        return Err(Error::at(end, "a name is missing beside this comma"));
    };
    if first.is('@') {
        let text: String = chars.iter().skip(1).map(|c| c.c).collect();
        if text == "all" {
            return Ok(Item::All);
        }
        let set = JobSet::parse(&text).map_err(|message| Error::at(first.column(), message))?;
        budget.scans(1, first.column())?;
        return Ok(Item::Set { set, column: first.column() });
    }
    let mut rest = chars;
    if let Some((at, op, len)) = operator(chars) {
        let name: String = chars[..at].iter().map(|c| c.c).collect();
        if name.is_empty() {
            return Err(Error::at(first.column(), format!("a field or connection is missing before '{}'", op.text())));
        }
        rest = &chars[at + len..];
        if rest.is_empty() {
            let column = chars[at].column() + len;
            return Err(Error::at(column, format!("a value is missing after '{}{}'", shown(&name), op.text())));
        }
        *field = Some(Field { name, column: first.column(), op });
    }
    let op = field.as_ref().map(|field| field.op);
    let value = Value::parse(rest, op.is_some_and(Op::orders), budget)?;
    let Some(Field { name, column, op }) = field.clone() else {
        return Ok(Item::Bare(value));
    };
    budget.scans(usize::from(op != Op::Is), column)?;
    if op.orders() && !version::is_version(&value.text) {
        return Err(Error::at(value.column, format!("'{}' needs a number or a version after it", op.text())));
    }
    Ok(Item::Field { field: name, column, op, value })
}

/// The first operator outside brackets: where, which, how many characters.
fn operator(chars: &[Char]) -> Option<(usize, Op, usize)> {
    let mut inside = false;
    for (at, c) in chars.iter().enumerate() {
        let equals = chars.get(at + 1).is_some_and(|next| next.is('='));
        let found = match c {
            c if c.is('[') => {
                inside = true;
                None
            }
            c if c.is(']') => {
                inside = false;
                None
            }
            _ if inside => None,
            c if c.is(':') => Some((Op::Is, 1)),
            c if c.is('=') => Some((Op::Equal, 1)),
            c if c.is('!') && equals => Some((Op::NotEqual, 2)),
            c if c.is('<') && equals => Some((Op::AtMost, 2)),
            c if c.is('>') && equals => Some((Op::AtLeast, 2)),
            c if c.is('<') => Some((Op::Less, 1)),
            c if c.is('>') => Some((Op::More, 1)),
            _ => None,
        };
        if let Some((op, len)) = found {
            return Some((at, op, len));
        }
    }
    None
}

impl Value {
    fn parse(chars: &[Char], literal: bool, budget: &mut Budget) -> Result<Self, Error> {
        let column = chars.first().map_or(0, |c| c.column());
        let text: String = chars.iter().map(|c| c.c).collect();
        let kind = if literal {
            Kind::Exact
        } else if chars.iter().any(|c| c.is('[') || c.is(']')) {
            if let Some(quoted) = chars.iter().find(|c| c.quoted) {
                return Err(Error::at(quoted.column(), "a node set cannot be quoted in part"));
            }
            let names = nodeset::expand(&text, budget.names)
                .map_err(|error| Error::at(column + error.column, error.message))?;
            budget.names(names.len(), column)?;
            if text.contains(['*', '?']) {
                budget.scans(names.len(), column)?;
                Kind::Globs(names.iter().map(|name| Glob::new(name.chars().map(|c| (c, false)))).collect())
            } else {
                Kind::Names(names)
            }
        } else if chars.iter().any(|c| c.is('*') || c.is('?')) {
            budget.scans(1, column)?;
            Kind::Globs(vec![Glob::new(chars.iter().map(|c| (c.c, c.quoted)))])
        } else {
            budget.names(1, column)?;
            Kind::Exact
        };
        Ok(Self { column, text, kind })
    }
}
