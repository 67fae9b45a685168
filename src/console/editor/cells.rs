//! How a line of a script stands on the screen: tabs as wide as they are, control characters and invisible ones as
//! marks that can be seen and stepped over. Shared by drawing and by motion, so that both mean the same column.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::console::text;

/// Cells from one tab stop to the next, as in the preview and in `cat`.
pub const TAB: usize = 8;

/// What the eye sees of one step of the cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Glyph<'a> {
    pub bytes: Range<usize>,
    /// Characters before it in the line.
    pub column: usize,
    /// Cells before it in the line.
    pub x: usize,
    pub width: usize,
    pub shown: Shown<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shown<'a> {
    Text(&'a str),
    Tab,
    /// Stands for something that cannot be seen.
    Mark(Cow<'a, str>),
}

/// The glyphs of a line, from the left.
pub fn glyphs(line: &str) -> impl Iterator<Item = Glyph<'_>> {
    let ascii = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let plain = ascii.then(|| {
        (0..line.len()).map(|at| Glyph {
            bytes: at..at + 1,
            column: at,
            x: at,
            width: 1,
            shown: Shown::Text(&line[at..=at]),
        })
    });
    let (mut x, mut column) = (0, 0);
    let other = (!ascii).then(|| {
        line.grapheme_indices(true).flat_map(|(at, grapheme)| pieces(at, grapheme)).map(move |(at, piece)| {
            let (width, shown) = match piece {
                "\t" => (TAB - x % TAB, Shown::Tab),
                piece => match text::unseen(piece) {
                    Some(mark) => (text::width(&mark), Shown::Mark(mark.into())),
                    None => {
                        // The wish for another drawing of the same sign: terminals disagree about its width.
                        let sign = piece.trim_end_matches(|c| matches!(c, '\u{fe00}'..='\u{fe0f}'));
                        (text::width(sign), Shown::Text(sign))
                    }
                },
            };
            let glyph = Glyph { bytes: at..at + piece.len(), column, x, width, shown };
            x += width;
            column += piece.chars().count();
            glyph
        })
    });
    plain.into_iter().flatten().chain(other.into_iter().flatten())
}

/// A grapheme as a whole, or its characters one by one where one of them must be shown as a mark.
fn pieces(at: usize, grapheme: &str) -> impl Iterator<Item = (usize, &str)> {
    // More accents than any script needs are shown one by one.
    let apart =
        grapheme.chars().nth(1).is_some() && (grapheme.chars().nth(6).is_some() || text::unseen(grapheme).is_some());
    let whole = (!apart).then_some((at, grapheme));
    let single = grapheme.char_indices().filter(move |_| apart);
    whole.into_iter().chain(single.map(move |(n, c)| (at + n, &grapheme[n..n + c.len_utf8()])))
}

/// Cells before the character at `column`; beyond the end: cells of the line.
pub fn x_of(line: &str, column: usize) -> usize {
    let mut end = 0;
    for glyph in glyphs(line) {
        if glyph.column >= column {
            return glyph.x;
        }
        end = glyph.x + glyph.width;
    }
    end
}

/// The column that stands at cell `x`, or as near to it as the line goes.
pub fn column_at(line: &str, x: usize) -> usize {
    let mut column = 0;
    for glyph in glyphs(line) {
        if glyph.x + glyph.width > x {
            return glyph.column;
        }
        column = glyph.column + line[glyph.bytes].chars().count();
    }
    column
}

/// Where the cursor may stand before and after `column`.
pub fn beside(line: &str, column: usize) -> (Option<usize>, Option<usize>) {
    let mut before = None;
    for glyph in glyphs(line) {
        let end = glyph.column + line[glyph.bytes].chars().count();
        if glyph.column < column {
            before = Some(glyph.column);
        }
        if glyph.column >= column || end > column {
            return (before, Some(end));
        }
    }
    (before, None)
}

/// The byte at which the character at `column` begins.
pub fn byte_of(line: &str, column: usize) -> usize {
    if line.is_ascii() {
        return column.min(line.len());
    }
    line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

/// The characters before `byte`.
pub fn column_of(line: &str, byte: usize) -> usize {
    let byte = line.floor_char_boundary(byte);
    if line.is_ascii() { byte } else { line[..byte].chars().count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_and_control_characters_have_cells() {
        let line = "a\tb\u{7}c\u{202e}日";
        let seen: Vec<(usize, usize)> = glyphs(line).map(|glyph| (glyph.x, glyph.width)).collect();
        assert_eq!(seen, [(0, 1), (1, 7), (8, 1), (9, 2), (11, 1), (12, 8), (20, 2)]);
        assert_eq!(x_of(line, 3), 9);
        assert_eq!([column_at(line, 5), column_at(line, 10), column_at(line, 99)], [1, 3, 7]);
    }

    #[test]
    fn the_cursor_steps_over_what_is_one_sign() {
        let line = "ae\u{301}b";
        assert_eq!(beside(line, 1), (Some(0), Some(3)));
        assert_eq!(beside(line, 3), (Some(1), Some(4)));
        assert_eq!(beside(line, 4), (Some(3), None));
        assert_eq!(beside("", 0), (None, None));
        assert_eq!(beside("ab", 0), (None, Some(1)));
    }

    proptest::proptest! {
        #[test]
        fn columns_and_cells_agree(line in "([a-z\t\u{7}\u{202e}]|\\PC){0,20}") {
            let mut x = 0;
            for glyph in glyphs(&line) {
                proptest::prop_assert_eq!(glyph.x, x);
                proptest::prop_assert_eq!(x_of(&line, glyph.column), x);
                proptest::prop_assert_eq!(column_of(&line, glyph.bytes.start), glyph.column);
                proptest::prop_assert_eq!(byte_of(&line, glyph.column), glyph.bytes.start);
                if glyph.width > 0 {
                    proptest::prop_assert_eq!(column_at(&line, x), glyph.column);
                }
                x += glyph.width;
            }
            let steps: Vec<_> = glyphs(&line).map(|glyph| glyph.bytes).collect();
            proptest::prop_assert_eq!(steps.iter().map(|range| &line[range.clone()]).collect::<String>(), line.clone());
        }
    }
}
