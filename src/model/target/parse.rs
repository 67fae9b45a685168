//! Tokens to a tree: `!` before `&` before `|`.

use super::Error;
use super::atom::{Atom, Budget};
use super::lex::{Token, lex};

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

pub(super) fn parse(text: &str) -> Result<Node, Error> {
    let end = text.chars().count();
    let mut parser = Parser { tokens: lex(text)?.into_iter().peekable(), end, depth: 0, budget: Budget::default() };
    if parser.tokens.peek().is_none() {
        return Err(Error::at(0, "no target: name devices, groups or connections, or write @all"));
    }
    let node = parser.either("")?;
    match parser.tokens.next() {
        None => Ok(node),
        Some((column, _)) => Err(Error::at(column, "this parenthesis was never opened")),
    }
}

struct Parser<I: Iterator<Item = (usize, Token)>> {
    tokens: std::iter::Peekable<I>,
    /// Column behind the last character.
    end: usize,
    depth: usize,
    budget: Budget,
}

impl<I: Iterator<Item = (usize, Token)>> Parser<I> {
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
            return Err(Error::at(*column, "write & (both) or | (either) before this"));
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
            Some((_, Token::Word(word))) => Node::Atom(Atom::parse(&word, &mut self.budget)?),
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
