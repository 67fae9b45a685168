//! Finds rows that moved: a tail that grew by a line is, but for that line, the old screen one row higher, and a
//! terminal can be told so in twenty bytes instead of twelve thousand (figures.md, fact 9).

use ratatui::buffer::Cell;
use ratatui::style::Color;

use crate::console::theme::colour::index_of;

/// What stands between the rows `top` and `bottom` (both included) goes `by` rows up, or down if negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub top: usize,
    pub bottom: usize,
    pub by: i32,
}

/// Bytes that saying so takes, in cells saved.
const PRICE: usize = 24;

/// A fingerprint of a row, and how many of its cells are worth sending. Two rows of the same fingerprint that differ
/// cost bytes, never a wrong screen: after the move every cell is compared.
fn fingerprint(row: &[Cell]) -> (u64, usize) {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut ink = 0;
    let mut mix = |value: u64| hash = (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    for cell in row {
        let symbol = cell.symbol().as_bytes();
        let mut word = [0; 8];
        let length = symbol.len().min(8);
        word[..length].copy_from_slice(&symbol[..length]);
        mix(u64::from_le_bytes(word));
        mix(u64::from(colour(cell.fg)) | u64::from(colour(cell.bg)) << 32);
        mix(u64::from(cell.modifier.bits()));
        ink += usize::from(symbol != b" " || cell.bg != Color::Reset);
    }
    (hash, ink)
}

fn colour(colour: Color) -> u32 {
    match (colour, index_of(colour)) {
        (_, Some(index)) => 1 << 24 | u32::from(index),
        (Color::Rgb(r, g, b), _) => 2 << 24 | u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
        _ => 0,
    }
}

/// The move that saves most, if any does. Rows are `width` cells, `shown` and `next` of the same size.
pub fn find(shown: &[Cell], next: &[Cell], width: usize) -> Option<Move> {
    let rows = || shown.chunks(width).zip(next.chunks(width));
    let first = rows().position(|(old, new)| old != new)?;
    let last = rows().rposition(|(old, new)| old != new)?;
    if last - first < 2 {
        return None;
    }
    let old: Vec<u64> = shown.chunks(width).skip(first).take(last - first + 1).map(|row| fingerprint(row).0).collect();
    let new: Vec<(u64, usize)> = next.chunks(width).skip(first).take(last - first + 1).map(fingerprint).collect();
    best(&old, &new).map(|found| Move { top: found.top + first, bottom: found.bottom + first, ..found })
}

/// `old`: fingerprints; `new`: fingerprints and worth.
fn best(old: &[u64], new: &[(u64, usize)]) -> Option<Move> {
    let count = new.len();
    let stays = |y: usize| old[y] == new[y].0;
    let mut best: Option<(usize, Move)> = None;
    for by in 1..count {
        for up in [true, false] {
            // `new[y + to]` is `old[y + from]`
            let (from, to) = if up { (by, 0) } else { (0, by) };
            let mut y = 0;
            while y < count - by {
                let start = y;
                let mut saved = 0;
                while y < count - by && new[y + to].0 == old[y + from] {
                    saved += if stays(y + to) { 0 } else { new[y + to].1 };
                    y += 1;
                }
                if y == start {
                    y += 1;
                    continue;
                }
                // The region: where the run was and where it goes. What the move uncovers is drawn from nothing, so
                // rows that would have stayed cost.
                let (top, bottom) = (start, y - 1 + by);
                let bare = if up { bottom + 1 - by..=bottom } else { top..=top + by - 1 };
                let lost: usize = bare.filter(|&y| stays(y)).map(|y| new[y].1).sum();
                let gain = saved.saturating_sub(lost + PRICE);
                if gain > best.map_or(0, |(most, _)| most) {
                    best = Some((gain, Move { top, bottom, by: if up { by as i32 } else { -(by as i32) } }));
                }
            }
        }
    }
    best.map(|(_, found)| found)
}

/// Does to the cells what the terminal does to its rows.
pub fn apply(shown: &mut [Cell], width: usize, found: Move) {
    let region = &mut shown[found.top * width..(found.bottom + 1) * width];
    let shift = found.by.unsigned_abs() as usize * width;
    let bare = if found.by > 0 {
        region.rotate_left(shift);
        region.len() - shift..region.len()
    } else {
        region.rotate_right(shift);
        0..shift
    };
    region[bare].fill(Cell::EMPTY);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<u64> {
        text.bytes().map(u64::from).collect()
    }

    fn found(old: &str, new: &str) -> Option<(usize, usize, i32)> {
        let new: Vec<(u64, usize)> = rows(new).into_iter().map(|row| (row, 100)).collect();
        best(&rows(old), &new).map(|found| (found.top, found.bottom, found.by))
    }

    #[test]
    fn a_tail_that_grew_goes_up_between_what_stays() {
        assert_eq!(found("Habcdefh", "Ibcdefgh"), Some((1, 6, 1)));
        assert_eq!(found("Habcdefh", "Hdefxyzh"), Some((1, 6, 3)));
    }

    #[test]
    fn a_list_scrolled_back_goes_down() {
        assert_eq!(found("Habcdefh", "Hxabcdeh"), Some((1, 6, -1)));
    }

    #[test]
    fn the_longest_run_wins_and_nothing_moves_for_nothing() {
        assert_eq!(found("abcdefgh", "abcdefgh"), None);
        assert_eq!(found("abcdefgh", "ijklmnop"), None);
        assert_eq!(found("aaaaaaaa", "aaaaaaab"), None);
        assert_eq!(found("abXcdefg", "bYZdefgh"), Some((3, 7, 1)));
    }

    #[test]
    fn rows_that_stay_are_not_given_up_for_fewer_that_move() {
        // Moving `a` down to its new place would uncover three rows that stand where they should.
        assert_eq!(found("axyzb", "bxyza"), None);
    }
}
