//! The bracket that belongs to a bracket. What stands in strings and comments is text and no bracket, as far as the
//! colours know.

use super::buffer::{Pos, pos};
use super::cache::Colours;
use super::cells;
use crate::console::theme::Role;

const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// The bracket under the cursor, or just before it, and its other half; looked for in at most `rows` rows.
pub fn pair(lines: &[String], colours: &Colours, at: Pos, rows: usize) -> Option<(Pos, Pos)> {
    let line = lines.get(at.row)?;
    let here = |col: usize| line[cells::byte_of(line, col)..].chars().next();
    let (col, sign) = [Some(at.col), at.col.checked_sub(1)]
        .into_iter()
        .flatten()
        .find_map(|col| here(col).filter(|c| PAIRS.iter().any(|(a, b)| a == c || b == c)).map(|c| (col, c)))?;
    let opens = PAIRS.iter().find(|(open, _)| *open == sign);
    let closes = PAIRS.iter().find(|(_, close)| *close == sign);
    let (same, other, forward) = match (opens, closes) {
        (Some((open, close)), _) => (*open, *close, true),
        (_, Some((open, close))) => (*close, *open, false),
        _ => return None,
    };
    let start = pos(at.row, col);
    let plain = quoted(colours, lines, start);
    let mut depth = 0_usize;
    let mut visit = |row: usize, col: usize, c: char| -> Option<Pos> {
        if (c != same && c != other) || quoted(colours, lines, pos(row, col)) != plain {
            return None;
        }
        if c == same {
            depth += 1;
            return None;
        }
        depth -= 1;
        (depth == 0).then_some(pos(row, col))
    };
    if forward {
        for (row, line) in lines.iter().enumerate().skip(at.row).take(rows) {
            let skip = if row == at.row { col } else { 0 };
            if let Some(found) = line.chars().enumerate().skip(skip).find_map(|(n, c)| visit(row, n, c)) {
                return Some((start, found));
            }
        }
    } else {
        for row in (0..=at.row).rev().take(rows) {
            let signs: Vec<(usize, char)> = lines[row].chars().enumerate().collect();
            let signs = if row == at.row { &signs[..=col] } else { &signs[..] };
            if let Some(found) = signs.iter().rev().find_map(|(n, c)| visit(row, *n, *c)) {
                return Some((start, found));
            }
        }
    }
    None
}

fn quoted(colours: &Colours, lines: &[String], at: Pos) -> bool {
    let role = colours.role(at.row, cells::byte_of(&lines[at.row], at.col));
    matches!(role, Some(Role::SyntaxString | Role::SyntaxComment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::editor::buffer::Same;
    use crate::console::editor::highlight::Grammar;

    fn found(text: &str, at: Pos) -> Option<Pos> {
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let mut colours = Colours::new(Grammar::of("x.sh", "bash", &lines));
        colours.sync(&lines, Same::NONE);
        colours.ensure(usize::MAX, usize::MAX);
        pair(&lines, &colours, at, 1000).map(|(_, other)| other)
    }

    #[test]
    fn a_bracket_finds_its_other_half_over_lines_and_not_in_strings() {
        let text = "f() {\n  echo \"}\" # }\n  a=(1 (2) 3)\n}\n";
        assert_eq!(found(text, pos(0, 4)), Some(pos(3, 0)));
        assert_eq!(found(text, pos(3, 0)), Some(pos(0, 4)));
        assert_eq!(found(text, pos(3, 1)), Some(pos(0, 4)), "just behind it");
        assert_eq!(found(text, pos(0, 0)), None);
        assert_eq!(found("(", pos(0, 0)), None);
        assert_eq!(found(")", pos(0, 0)), None);
        assert_eq!(found("é(日)", pos(0, 1)), Some(pos(0, 3)));
    }
}
