//! Box lines and blocks as strokes and areas of a cell.

use std::fmt::Write;

use super::{CELL, Number, ROW};

/// Half the distance of a double line.
const HALF: f32 = 1.5;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Light,
    Double,
    Round,
}

/// The line signs of each kind, and the sides of the cell they reach.
const SIGNS: [(Kind, &str); 3] = [(Kind::Light, "─│┌┐└┘├┤┬┴┼"), (Kind::Double, "═║╔╗╚╝╠╣╦╩╬"), (Kind::Round, "  ╭╮╰╯")];
/// Left, right, up, down, in the order of `SIGNS`.
const SIDES: [u8; 11] = [0b1100, 0b0011, 0b0101, 0b1001, 0b0110, 0b1010, 0b0111, 0b1011, 0b1101, 0b1110, 0b1111];

fn sides(sign: char) -> Option<(Kind, [bool; 4])> {
    SIGNS.into_iter().filter(|_| sign != ' ').find_map(|(kind, signs)| {
        let sides = SIDES[signs.chars().position(|known| known == sign)?];
        Some((kind, [sides & 8 > 0, sides & 4 > 0, sides & 2 > 0, sides & 1 > 0]))
    })
}

/// Signs of which several in a row are drawn as one.
pub fn joins(sign: char) -> bool {
    matches!(sign, '─' | '═' | '█')
}

/// Adds a line sign's strokes to a path; false if it is none. `cells` of it, if it joins.
pub fn stroke(sign: char, x: f32, y: f32, cells: usize, path: &mut String) -> bool {
    let Some((kind, [left, right, up, down])) = sides(sign) else { return false };
    let (middle, centre, end, foot) = (x + CELL / 2.0, y + ROW / 2.0, x + CELL * cells as f32, y + ROW);
    let mut line = |x0: f32, y0: f32, x1: f32, y1: f32| {
        let _ = write!(path, "M{} {}", Number(x0), Number(y0));
        let _ = if y0 == y1 { write!(path, "H{}", Number(x1)) } else { write!(path, "V{}", Number(y1)) };
    };
    match kind {
        Kind::Light => {
            if left || right {
                line(if left { x } else { middle }, centre, if right { end } else { middle }, centre);
            }
            if up || down {
                line(middle, if up { y } else { centre }, middle, if down { foot } else { centre });
            }
        }
        Kind::Double => {
            // A line that meets one across ends at the nearer of its two, the outer one of a corner at the farther.
            for side in [-HALF, HALF] {
                let met = if side < 0.0 { up } else { down };
                let reach = if met { -HALF } else { HALF };
                match (left, right) {
                    (true, true) if met => {
                        line(x, centre + side, middle - HALF, centre + side);
                        line(middle + HALF, centre + side, end, centre + side);
                    }
                    (true, true) => line(x, centre + side, end, centre + side),
                    (true, false) => line(x, centre + side, middle + reach, centre + side),
                    (false, true) => line(middle - reach, centre + side, end, centre + side),
                    (false, false) => {}
                }
                let met = if side < 0.0 { left } else { right };
                let reach = if met { -HALF } else { HALF };
                match (up, down) {
                    (true, true) if met => {
                        line(middle + side, y, middle + side, centre - HALF);
                        line(middle + side, centre + HALF, middle + side, foot);
                    }
                    (true, true) => line(middle + side, y, middle + side, foot),
                    (true, false) => line(middle + side, y, middle + side, centre + reach),
                    (false, true) => line(middle + side, centre - reach, middle + side, foot),
                    (false, false) => {}
                }
            }
        }
        Kind::Round => {
            let (from, to) = (if left { x } else { end }, if up { y } else { foot });
            let (from, centre, middle, to) = (Number(from), Number(centre), Number(middle), Number(to));
            let _ = write!(path, "M{from} {centre}Q{middle} {centre} {middle} {to}");
        }
    }
    true
}

/// Adds a block sign's area to a path; false if it is none. `cells` of it, if it joins.
pub fn fill(sign: char, x: f32, y: f32, cells: usize, path: &mut String) -> bool {
    let (width, height) = match sign {
        '▁'..='█' => (cells as f32, (sign as u32 - '▁' as u32 + 1) as f32 / 8.0),
        '▉'..='▏' => (1.0 - (sign as u32 - '█' as u32) as f32 / 8.0, 1.0),
        _ => return false,
    };
    // A hair more width, so that no seam shows.
    let (width, height) = (width * CELL + 0.1, height * ROW);
    let _ = write!(
        path,
        "M{} {}h{}v{}h-{}z",
        Number(x),
        Number(y + ROW - height),
        Number(width),
        Number(height),
        Number(width)
    );
    true
}
