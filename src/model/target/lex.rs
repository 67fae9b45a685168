//! Characters to tokens.

use super::Error;

/// Longer expressions are refused, in characters: enough to name 100,000 devices one by one.
const LONGEST: usize = 4 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Or,
    And,
    Not,
    Open,
    Close,
    Word(Vec<Char>),
}

/// A character of a word. A quoted one means only itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Char {
    pub(super) c: char,
    pub(super) quoted: bool,
    pub(super) column: u32,
}

impl Char {
    /// This very character, with its meaning.
    pub(super) fn is(self, c: char) -> bool {
        !self.quoted && self.c == c
    }

    pub(super) fn column(self) -> usize {
        self.column as usize
    }
}

/// Tokens with their columns.
pub(super) fn lex(text: &str) -> Result<Vec<(usize, Token)>, Error> {
    let chars: Vec<char> = text.chars().take(LONGEST + 1).collect();
    if chars.len() > LONGEST {
        return Err(Error::at(LONGEST, "the expression is too long: make a group of these devices"));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let single = match chars[at] {
            '|' => Some(Token::Or),
            '&' => Some(Token::And),
            '!' => Some(Token::Not),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            _ => None,
        };
        if let Some(token) = single {
            tokens.push((at, token));
            at += 1;
        } else if chars[at].is_whitespace() {
            at += 1;
        } else {
            let (word, end) = word(&chars, at)?;
            tokens.push((at, Token::Word(word)));
            at = end;
        }
    }
    Ok(tokens)
}

fn word(chars: &[char], from: usize) -> Result<(Vec<Char>, usize), Error> {
    let mut word = Vec::new();
    let mut at = from;
    // columns fit: an expression has at most LONGEST characters
    let char = |at: usize, c: char, quoted: bool| Char { c, quoted, column: u32::try_from(at).unwrap_or(u32::MAX) };
    while let Some(&c) = chars.get(at) {
        match c {
            '"' => {
                let open = at;
                at += 1;
                let before = word.len();
                loop {
                    match chars.get(at) {
                        None => return Err(Error::at(open, "this quote is never closed")),
                        Some('"') => break,
                        Some('\\') if matches!(chars.get(at + 1), Some('"' | '\\')) => {
                            word.push(char(at, chars[at + 1], true));
                            at += 2;
                        }
                        Some(&c) => {
                            word.push(char(at, c, true));
                            at += 1;
                        }
                    }
                }
                if word.len() == before {
                    return Err(Error::at(open, "nothing is named \"\""));
                }
                at += 1;
            }
            '!' if chars.get(at + 1) == Some(&'=') => {
                word.push(char(at, '!', false));
                word.push(char(at + 1, '=', false));
                at += 2;
            }
            '|' | '&' | '!' | '(' | ')' => break,
            c if c.is_whitespace() => break,
            c => {
                word.push(char(at, c, false));
                at += 1;
            }
        }
    }
    Ok((word, at))
}
