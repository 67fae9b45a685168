//! Colours: reading them from a theme file, and bringing them down to what a terminal can show.
//! The one room where colours are spelled as numbers.

use std::sync::LazyLock;

use ratatui::style::{Color, Style};

use super::sight::{Lab, Rgb};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// `NO_COLOR`, or a terminal without: bold, dim, underline and reverse only.
    None,
    #[default]
    Ansi16,
    Ansi256,
    True,
}

const NAMES: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// The terminal's colour of this number, by its name below 16 so that the terminal's own scheme applies.
pub fn indexed(index: u8) -> Color {
    NAMES.get(usize::from(index)).map_or(Color::Indexed(index), |(_, colour)| *colour)
}

/// A colour's number in the terminal's table, if it has one.
pub const fn index_of(colour: Color) -> Option<u8> {
    // Asked for every cell of a frame: a jump, not a search.
    Some(match colour {
        Color::Reset | Color::Rgb(..) => return None,
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    })
}

/// `default`, one of the sixteen names, or `#rrggbb`. Palette names are the caller's.
pub fn parse(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        if hex.len() != 6 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(hex, 16).ok()?;
        return Some(Color::Rgb((value >> 16) as u8, (value >> 8) as u8, value as u8));
    }
    let name = text.trim().to_ascii_lowercase().replace([' ', '_'], "-");
    match name.as_str() {
        "default" => Some(Color::Reset),
        "gray" | "grey" => Some(Color::DarkGray),
        _ => NAMES.iter().find(|(known, _)| *known == name).map(|(_, colour)| *colour),
    }
}

/// The nearest colour the terminal has, as an eye sees it.
pub fn down(colour: Color, depth: Depth) -> Color {
    match (depth, colour) {
        (Depth::None, _) => Color::Reset,
        (Depth::True, _) | (_, Color::Reset) => colour,
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(to_256((r, g, b))),
        (_, Color::Indexed(index @ ..16)) => indexed(index),
        (Depth::Ansi16, _) => rgb(colour).map_or(colour, |rgb| indexed(to_16(rgb))),
        _ => colour,
    }
}

/// What a colour surely looks like: nothing for the sixteen that are the terminal's own.
pub fn rgb(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) if index >= 16 => Some(table(index)),
        _ => None,
    }
}

/// Both colours of a style, brought down; without colours nothing but the modifiers is left.
pub fn down_style(mut style: Style, depth: Depth) -> Style {
    if depth == Depth::None {
        style.fg = None;
        style.bg = None;
        return style;
    }
    style.fg = style.fg.map(|colour| down(colour, depth));
    style.bg = style.bg.map(|colour| down(colour, depth));
    style
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Red, green and blue of number 16..=255 of the usual table. (Below 16 the terminal decides.)
pub fn table(index: u8) -> (u8, u8, u8) {
    match index {
        0..16 => (0, 0, 0),
        16..232 => {
            let cell = index - 16;
            (CUBE[usize::from(cell / 36)], CUBE[usize::from(cell / 6 % 6)], CUBE[usize::from(cell % 6)])
        }
        232.. => {
            let grey = 8 + (index - 232) * 10;
            (grey, grey, grey)
        }
    }
}

fn to_256(colour: Rgb) -> u8 {
    static TABLE: LazyLock<Vec<Lab>> = LazyLock::new(|| (16..=255).map(|index| Lab::of(table(index))).collect());
    let wanted = Lab::of(colour);
    let far = |at: &usize| wanted.distance(TABLE[*at]);
    let nearest = (0..TABLE.len()).min_by(|a, b| far(a).total_cmp(&far(b)));
    nearest.map_or(16, |at| 16 + at as u8)
}

/// What the sixteen usually look like: lightness, and the hue in degrees of those that have one.
const USUAL: [(f32, Option<f32>); 16] = [
    (0.20, None),
    (0.60, Some(22.0)),
    (0.60, Some(140.0)),
    (0.60, Some(86.0)),
    (0.60, Some(255.0)),
    (0.60, Some(318.0)),
    (0.60, Some(205.0)),
    (0.80, None),
    (0.58, None),
    (0.76, Some(22.0)),
    (0.76, Some(140.0)),
    (0.76, Some(86.0)),
    (0.76, Some(255.0)),
    (0.76, Some(318.0)),
    (0.76, Some(205.0)),
    (1.00, None),
];

/// How badly number `index` of the sixteen stands for a colour. The hue weighs most: a muted blue should become blue,
/// not grey, since the hue carries the meaning.
fn unlike(colour: Lab, index: u8) -> f32 {
    let (lightness, hue) = USUAL[usize::from(index)];
    // A tinted paper or night sky is no hue; a muted sign in between is.
    let tinted = colour.chroma() > if (0.4..0.88).contains(&colour.l) { 0.048 } else { 0.09 };
    let turned = match (hue, tinted) {
        (Some(hue), true) => {
            let turn = (colour.b.atan2(colour.a).to_degrees() - hue).rem_euclid(360.0);
            turn.min(360.0 - turn) / 90.0
        }
        (None, false) => 0.0,
        _ => 2.0,
    };
    turned + (colour.l - lightness).abs() * 0.5
}

fn to_16(colour: Rgb) -> u8 {
    let colour = Lab::of(colour);
    (0..16).min_by(|a, b| unlike(colour, *a).total_cmp(&unlike(colour, *b))).unwrap_or(7)
}

/// The best of the sixteen for each of a few colours that must not fall together: where two have the same nearest one,
/// the set that is least unlike on the whole. Colours that are the same to begin with stay so.
pub fn apart(colours: &[Rgb]) -> Vec<(Rgb, Color)> {
    let mut wanted: Vec<Rgb> = Vec::new();
    for colour in colours {
        if !wanted.contains(colour) {
            wanted.push(*colour);
        }
    }
    let labs: Vec<Lab> = wanted.iter().map(|colour| Lab::of(*colour)).collect();
    let mut best = (f32::INFINITY, Vec::new());
    choose(&labs, &mut Vec::new(), 0.0, &mut best);
    wanted.into_iter().zip(best.1).map(|(colour, index)| (colour, indexed(index))).collect()
}

/// Every way to give different numbers to the rest, as long as it can still be the best.
fn choose(labs: &[Lab], taken: &mut Vec<u8>, cost: f32, best: &mut (f32, Vec<u8>)) {
    if cost >= best.0 {
        return;
    }
    let Some(lab) = labs.get(taken.len()) else {
        *best = (cost, taken.clone());
        return;
    };
    let mut free: Vec<(f32, u8)> = (0..16).map(|index| (unlike(*lab, index), index)).collect();
    // A light and a dark green are one green to someone in a hurry.
    free.retain(|(_, index)| !taken.iter().any(|other| other % 8 == index % 8 && index % 8 != 0 && index % 8 != 7));
    free.retain(|(_, index)| !taken.contains(index));
    free.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (more, index) in free {
        taken.push(index);
        choose(labs, taken, cost + more, best);
        taken.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_a_name_or_six_digits() {
        assert_eq!(parse("blue"), Some(Color::Blue));
        assert_eq!(parse("Bright Black"), Some(Color::DarkGray));
        assert_eq!(parse("default"), Some(Color::Reset));
        assert_eq!(parse("#1e90ff"), Some(Color::Rgb(0x1e, 0x90, 0xff)));
        for bad in ["#12", "#gggggg", "#1e90fé", "blu", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn going_down_keeps_the_hue() {
        assert_eq!(down(Color::Rgb(95, 135, 255), Depth::Ansi256), Color::Indexed(69));
        assert_eq!(down(Color::Rgb(128, 128, 128), Depth::Ansi256), Color::Indexed(244));
        for (colour, expected) in [
            ((0xdc, 0x50, 0x46), Color::Red),
            ((0x6e, 0xa0, 0xf0), Color::LightBlue),
            ((0x14, 0x18, 0x1e), Color::Black),
            ((0x2e, 0x34, 0x40), Color::Black),      // a tinted night is no blue
            ((0xf2, 0xec, 0xbc), Color::White),      // nor a tinted paper yellow
            ((0x81, 0xa1, 0xc1), Color::LightBlue),  // a muted sign keeps its hue
            ((0x87, 0xa9, 0x87), Color::LightGreen), // though it is nearly grey
            ((0xff, 0x9e, 0x2c), Color::LightYellow),
            ((0xff, 0x79, 0xc6), Color::LightMagenta),
            ((0x74, 0x83, 0x9a), Color::DarkGray), // a bluish grey is grey
        ] {
            let (r, g, b) = colour;
            assert_eq!(down(Color::Rgb(r, g, b), Depth::Ansi16), expected, "{colour:02x?}");
        }
        assert_eq!(down(Color::Indexed(9), Depth::Ansi16), Color::LightRed);
        assert_eq!(down(Color::Red, Depth::None), Color::Reset);
    }

    #[test]
    fn what_must_not_fall_together_is_kept_apart() {
        // a green and a yellow that are both nearest to yellow
        let (green, yellow, red) = ((0xb8, 0xbb, 0x26), (0xfa, 0xbd, 0x2f), (0xfb, 0x49, 0x34));
        assert_eq!(to_16(green) % 8, to_16(yellow) % 8);
        let apart: Vec<Color> = apart(&[red, green, yellow, red]).into_iter().map(|(_, colour)| colour).collect();
        assert_eq!(apart, [Color::Red, Color::LightGreen, Color::LightYellow]);
    }

    #[test]
    fn the_table_and_its_inverse_agree() {
        assert!((0..=255).all(|index| index_of(indexed(index)) == Some(index)));
        for index in 16..=255u8 {
            let (r, g, b) = table(index);
            assert_eq!(table(to_256((r, g, b))), (r, g, b), "{index}");
        }
    }

    #[test]
    fn no_number_is_out_of_range_at_sixteen_colours() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(15) {
                for b in (0..=255).step_by(15) {
                    assert!(index_of(down(Color::Rgb(r, g, b), Depth::Ansi16)).is_some_and(|index| index < 16));
                }
            }
        }
    }
}
