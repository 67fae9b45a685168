//! The target expression language: which devices an operator means.
//!
//! ```text
//! web-eu & !stale & os<14.6        groups, a fact compared
//! web[001-005] | db*               node sets and globs
//! ssh:web[01-40],db1               connection:name; a comma means "or", and keeps the connection or field
//! (site:lon | site:par) & !state:offline
//! @all                             everything
//! ```
//!
//! `!` binds closest, then `&`, then `|`; parentheses group. Two words side by side are an error, because
//! guessing between "and" and "or" would send scripts to the wrong machines.
//!
//! * A bare word is the name of a device, a group or a connection, and means all of these that match.
//! * `a:b`: where `a` is a connection, the device or group `b` of it. Else a field: `group:`, `connection:`
//!   (`conn:`), `name:`, `state:` (online, offline, unknown, refused), or a fact. A fact's value is matched whole, or
//!   one of its parts where it is a list with commas; `*` and `?` are wild, upper and lower case are alike.
//! * `field<value`, `<=`, `>`, `>=`, `=`, `!=` compare numbers and versions part by part (`14.10` is above
//!   `14.6`, `14` is `14.0`); of a fact such as `Ubuntu 22.04` the first number counts. A device that lacks the
//!   fact matches none of these, not even `!=`; `!field:value` takes it in.
//! * `@failed:4812` (`not-started`, `offline`, `timeout`, `cancelled`, `skipped`, `ok`): the devices that job 4812 left
//!   so; `@group:4812/v1:2c7ed99e65aa`: those that ended alike.
//! * `"…"` takes every character as it is (`\"` and `\\` inside).
//!
//! Refused, pointing at the column: a name, glob or node set that matches nothing at all, an unknown
//! connection, group or field, an empty expression. So a slip is seen before anything is sent.

mod atom;
mod eval;
mod glob;
mod index;
mod lex;
mod parse;
mod set;
pub(super) mod version;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use parse::Names;
pub use set::{JobSet, Left, Sets, rerun};

use super::device::{Device, Inventory};

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// In characters, from 0.
    pub column: usize,
    /// One sentence, without a full stop.
    pub message: String,
}

impl Error {
    fn at(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }

    /// Two lines: the expression, and a caret below the place with the message. Of a long expression
    /// only the neighbourhood is shown.
    pub fn caret(&self, text: &str) -> String {
        const AROUND: usize = 40;
        let from = self.column.saturating_sub(AROUND);
        let mut line = String::new();
        let mut caret = 0;
        if from > 0 {
            line.push_str("...");
            caret = 3;
        }
        for (at, c) in text.chars().enumerate().skip(from).take(2 * AROUND) {
            let c = if c.is_control() { ' ' } else { c };
            line.push(c);
            if at < self.column {
                caret += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            }
        }
        format!("{line}\n{:caret$}^ {}", "", self.message)
    }
}

/// An expression that was understood.
#[derive(Clone, Debug)]
pub struct Expr {
    root: parse::Node,
}

/// Understands an expression, without asking whether what it names exists.
pub fn parse(text: &str) -> Result<Expr, Error> {
    parse_with(text, &|_| None)
}

/// The same where some targets are known by a name: `@name` stands for what is saved under it.
pub fn parse_with(text: &str, names: Names<'_>) -> Result<Expr, Error> {
    Ok(Expr { root: parse::parse(text, names)? })
}

impl Expr {
    /// What must be known of jobs before it is resolved.
    pub fn sets(&self) -> BTreeSet<&JobSet> {
        let mut sets = BTreeSet::new();
        let mut todo = vec![&self.root];
        while let Some(node) = todo.pop() {
            match node {
                parse::Node::Atom(atom) => sets.extend(atom.items.iter().filter_map(|item| match item {
                    atom::Item::Set { set, .. } => Some(set),
                    _ => None,
                })),
                parse::Node::Not(inner) => todo.push(inner),
                parse::Node::And(nodes) | parse::Node::Or(nodes) => todo.extend(nodes),
            }
        }
        sets
    }

    /// Whether some devices are kept out by what they are, so that it holds more where less is known.
    pub fn leaves_out(&self) -> bool {
        let unlike = |item: &atom::Item| matches!(item, atom::Item::Field { op: atom::Op::NotEqual, .. });
        let mut todo = vec![&self.root];
        while let Some(node) = todo.pop() {
            match node {
                parse::Node::Not(_) => return true,
                parse::Node::Atom(atom) if atom.items.iter().any(unlike) => return true,
                parse::Node::Atom(_) => {}
                parse::Node::And(nodes) | parse::Node::Or(nodes) => todo.extend(nodes),
            }
        }
        false
    }

    /// The devices it means, in the inventory's order, each once. `Err`: it names something that the
    /// inventory does not hold.
    pub fn resolve<'a>(&self, inventory: &'a Inventory, sets: &Sets) -> Result<Vec<&'a Arc<Device>>, Error> {
        let index = index::Index::new(inventory);
        let found = eval::eval(&self.root, &index, sets)?;
        Ok(found.ones().filter_map(|at| inventory.devices.get(at)).collect())
    }
}

#[cfg(test)]
mod tests;
