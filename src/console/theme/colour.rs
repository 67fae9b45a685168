//! Colours: reading them from a theme file, and bringing them down to what a terminal can show.
//! The one room where colours are spelled as numbers.

use ratatui::style::{Color, Style};

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

/// The nearest colour the terminal has.
pub fn down(colour: Color, depth: Depth) -> Color {
    match (depth, colour) {
        (Depth::None, _) => Color::Reset,
        (Depth::True, _) | (_, Color::Reset) => colour,
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(to_256(r, g, b)),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => to_16(r, g, b),
        (Depth::Ansi16, Color::Indexed(index)) if index >= 16 => {
            let (r, g, b) = table(index);
            to_16(r, g, b)
        }
        (_, Color::Indexed(index)) => indexed(index),
        _ => colour,
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

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    2 * part(a.0, b.0) + 4 * part(a.1, b.1) + 3 * part(a.2, b.2)
}

fn to_256(r: u8, g: u8, b: u8) -> u8 {
    let step = |value: u8| (0..6u8).min_by_key(|&step| CUBE[usize::from(step)].abs_diff(value)).unwrap_or(0);
    let cube = 16 + 36 * step(r) + 6 * step(g) + step(b);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance(table(grey), (r, g, b)) < distance(table(cube), (r, g, b)) { grey } else { cube }
}

/// By hue rather than by distance: a muted blue should become blue, not grey, since the hue carries the meaning.
fn to_16(r: u8, g: u8, b: u8) -> Color {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let spread = max - min;
    if spread < 40 || u16::from(spread) * 4 < u16::from(max) {
        return match max {
            0..64 => Color::Black,
            64..144 => Color::DarkGray,
            144..216 => Color::Gray,
            216.. => Color::White,
        };
    }
    if max < 64 {
        return Color::Black;
    }
    let half = min + spread / 2;
    let bright = max > 224 && min > 96;
    let index = u8::from(r > half) | u8::from(g > half) << 1 | u8::from(b > half) << 2;
    indexed(index + if bright { 8 } else { 0 })
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
        assert_eq!(down(Color::Rgb(220, 80, 70), Depth::Ansi16), Color::Red);
        assert_eq!(down(Color::Rgb(110, 160, 240), Depth::Ansi16), Color::LightBlue);
        assert_eq!(down(Color::Rgb(20, 24, 30), Depth::Ansi16), Color::Black);
        assert_eq!(down(Color::Indexed(9), Depth::Ansi16), Color::LightRed);
        assert_eq!(down(Color::Red, Depth::None), Color::Reset);
    }

    #[test]
    fn the_table_and_its_inverse_agree() {
        assert!((0..=255).all(|index| index_of(indexed(index)) == Some(index)));
        for index in 16..=255u8 {
            let (r, g, b) = table(index);
            assert_eq!(table(to_256(r, g, b)), (r, g, b), "{index}");
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
