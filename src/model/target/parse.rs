//! Tokens to a tree: `!` before `&` before `|`.

use super::Error;
use super::atom::{Atom, Budget};
use super::lex::{Char, Token, lex};

/// Parentheses inside parentheses: deeper is refused, so that no text can exhaust the stack.
const DEEPEST: usize = 128;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Atom(Atom),
    Not(Box<Node>),
    /// Two or more.
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// Saved targets inside one another: deeper is a circle, or nobody understands it.
const SAVED_DEEPEST: usize = 8;
/// And so many of them in one expression.
const SAVED_MOST: usize = 100;

/// What a saved target's name stands for.
pub type Names<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Saved targets met on the way here.
#[derive(Default)]
struct Met {
    depth: usize,
    count: usize,
}

pub(super) fn parse(text: &str, names: Names<'_>) -> Result<Node, Error> {
    nested(text, names, &mut Met::default())
}

fn nested(text: &str, names: Names<'_>, met: &mut Met) -> Result<Node, Error> {
    let end = text.chars().count();
    let tokens = lex(text)?.into_iter().peekable();
    let mut parser = Parser { tokens, end, depth: 0, budget: Budget::default(), names, met };
    if parser.tokens.peek().is_none() {
        return Err(Error::at(0, "no target: name devices, groups or connections, or write @all"));
    }
    let node = parser.either("")?;
    match parser.tokens.next() {
        None => Ok(node),
        Some((column, _)) => Err(Error::at(column, "this parenthesis was never opened")),
    }
}

struct Parser<'a, I: Iterator<Item = (usize, Token)>> {
    tokens: std::iter::Peekable<I>,
    /// Column behind the last character.
    end: usize,
    depth: usize,
    budget: Budget,
    names: Names<'a>,
    met: &'a mut Met,
}

impl<I: Iterator<Item = (usize, Token)>> Parser<'_, I> {
    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.peek().is_some_and(|(_, next)| next == token);
        if found {
            self.tokens.next();
        }
        found
    }

    /// `after` is what was read before, for the message.
    fn either(&mut self, after: &str) -> Result<Node, Error> {
        let mut nodes = vec![self.both(after)?];
        while self.take(&Token::Or) {
            nodes.push(self.both("|")?);
        }
        Ok(single(nodes, Node::Or))
    }

    fn both(&mut self, after: &str) -> Result<Node, Error> {
        let mut nodes = vec![self.operand(after)?];
        while self.take(&Token::And) {
            nodes.push(self.operand("&")?);
        }
        if let Some((column, Token::Word(_) | Token::Open | Token::Not)) = self.tokens.peek() {
            return Err(Error::at(*column, "write & (both) or | (either) before this, or \"quotes\""));
        }
        Ok(single(nodes, Node::And))
    }

    fn operand(&mut self, after: &str) -> Result<Node, Error> {
        let mut after = after;
        let mut not = false;
        while self.take(&Token::Not) {
            not = !not;
            after = "!";
        }
        let node = match self.tokens.next() {
            Some((column, Token::Word(word))) => match self.saved(&word, column)? {
                Some(node) => node,
                None => Node::Atom(Atom::parse(&word, &mut self.budget)?),
            },
            Some((column, Token::Open)) => self.parentheses(column)?,
            Some((column, Token::Close)) if after == "(" => {
                return Err(Error::at(column, "nothing stands between these parentheses"));
            }
            Some((column, Token::Close)) if after.is_empty() => {
                return Err(Error::at(column, "this parenthesis was never opened"));
            }
            Some((column, _)) if after.is_empty() || after == "(" => {
                return Err(Error::at(column, "something must come before this"));
            }
            other => {
                let column = other.map_or(self.end, |(column, _)| column);
                return Err(Error::at(column, format!("something must follow '{after}'")));
            }
        };
        Ok(if not { Node::Not(Box::new(node)) } else { node })
    }

    /// `@name`, where that is the name of a saved target: what it stands for.
    fn saved(&mut self, word: &[Char], column: usize) -> Result<Option<Node>, Error> {
        let Some((at, name)) = word.split_first().filter(|(at, _)| at.is('@')) else { return Ok(None) };
        let name: String = name.iter().map(|c| c.c).collect();
        let Some(text) = (self.names)(&name) else { return Ok(None) };
        self.met.depth += 1;
        self.met.count += 1;
        if self.met.depth > SAVED_DEEPEST || self.met.count > SAVED_MOST {
            return Err(Error::at(column, format!("@{name} names saved targets that name it again, or too many")));
        }
        let node = nested(&text, self.names, self.met)
            .map_err(|error| Error::at(at.column(), format!("in the saved target @{name}: {}", error.message)))?;
        self.met.depth -= 1;
        Ok(Some(node))
    }

    fn parentheses(&mut self, column: usize) -> Result<Node, Error> {
        if self.depth == DEEPEST {
            return Err(Error::at(column, format!("more than {DEEPEST} parentheses inside one another")));
        }
        self.depth += 1;
        let node = self.either("(")?;
        self.depth -= 1;
        if self.take(&Token::Close) { Ok(node) } else { Err(Error::at(column, "this parenthesis is never closed")) }
    }
}

fn single(mut nodes: Vec<Node>, many: impl Fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1
        && let Some(only) = nodes.pop()
    {
        return only;
    }
    many(nodes)
}
