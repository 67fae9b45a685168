//! What a lint tool offers to mend a finding with: pieces of the text, each replaced by another.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// One piece and what comes in its place. Lines and columns count from 1, columns in characters; the end is the
/// first character that stays. Begin and end alike: something is put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub text: String,
}

/// Brings them into the order in which they can be applied one after the other: the last place first. Those at one
/// place keep their order.
pub fn order(fix: &mut [Replacement]) {
    fix.sort_by_key(|piece| Reverse((piece.line, piece.column)));
}

/// The text with a fix applied. `None`: it does not fit this text (which has changed since), and nothing is done.
pub fn apply(text: &str, fix: &[Replacement]) -> Option<String> {
    let mut mended = text.to_owned();
    let mut before = usize::MAX;
    for piece in fix {
        let from = offset(&mended, piece.line, piece.column)?;
        let to = offset(&mended, piece.end_line, piece.end_column)?;
        if from > to || to > before {
            return None;
        }
        before = from;
        mended.replace_range(from..to, &piece.text);
    }
    Some(mended)
}

/// Where a line's column is, in bytes; its end counts as one.
fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    let (line, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start = match line {
        0 => 0,
        line => memchr::memchr_iter(b'\n', text.as_bytes()).nth(line - 1)? + 1,
    };
    let rest = text[start..].split('\n').next().unwrap_or_default();
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.nth(column).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(line: u32, column: u32, end: (u32, u32), text: &str) -> Replacement {
        Replacement { line, column, end_line: end.0, end_column: end.1, text: text.into() }
    }

    #[test]
    fn pieces_are_replaced_from_the_end_in_characters() {
        let mut fix = vec![piece(2, 6, (2, 6), "\""), piece(2, 8, (2, 8), "\"")];
        order(&mut fix);
        assert_eq!(apply("é\ncd ö $x\n", &fix).as_deref(), Some("é\ncd ö \"$x\"\n"));
        assert_eq!(apply("a\nb\nc", &[piece(1, 1, (3, 1), "")]).as_deref(), Some("c"), "whole lines go");
        assert_eq!(apply("cd", &[piece(1, 3, (1, 3), " || exit")]).as_deref(), Some("cd || exit"), "at the end");
    }

    #[test]
    fn a_fix_for_another_text_does_nothing() {
        for wrong in
            [piece(9, 1, (9, 1), "x"), piece(1, 9, (1, 9), "x"), piece(0, 0, (0, 0), "x"), piece(1, 3, (1, 1), "x")]
        {
            assert_eq!(apply("cd\n", &[wrong]), None);
        }
        assert_eq!(apply("abc", &[piece(1, 1, (1, 2), ""), piece(1, 2, (1, 3), "")]), None, "in the wrong order");
    }
}
