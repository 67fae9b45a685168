//! The screen as a picture: a buffer in, an SVG out, always the same for the same cells. Owns how cells look outside a
//! terminal; refuses to know what is on them. Lines and blocks are drawn, not written, so that they join whatever
//! font the reader has; letters are placed word by word, since renderers disagree about spaces and long texts.

mod lines;

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};

use crate::console::theme::palette::{Palette, Rgb};

/// DejaVu Sans Mono: a letter is 0.602 em wide; rows above 1.18 em would tear.
const FONT: f32 = 14.0;
const CELL: f32 = 0.602 * FONT;
const ROW: f32 = 16.5;
/// From the top of a row to the foot of its letters.
const FOOT: f32 = 12.5;
/// Around the cells.
const MARGIN: f32 = 14.0;
const CORNER: f32 = 8.0;

const FAMILY: &str = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";

/// How a cell looks once reversal and dimming are worked out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ink {
    text: Rgb,
    ground: Rgb,
    bold: bool,
    italic: bool,
    underline: bool,
    strike: bool,
}

/// A picture of the buffer as a terminal with these colours shows it.
pub fn svg(buffer: &Buffer, palette: &Palette) -> String {
    let area = buffer.area;
    let palette = &Palette { ground: ground(buffer, palette), ..palette.clone() };
    let (width, height) = (f32::from(area.width) * CELL + 2.0 * MARGIN, f32::from(area.height) * ROW + 2.0 * MARGIN);
    let mut svg = format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">"#,
            "\n",
            r#"<rect x="0.5" y="0.5" width="{w1}" height="{h1}" rx="{corner}" fill="{ground}" stroke="{frame}"/>"#,
            "\n",
        ),
        w = Number(width),
        h = Number(height),
        w1 = Number(width - 1.0),
        h1 = Number(height - 1.0),
        corner = CORNER,
        ground = Hex(palette.ground),
        frame = Hex(palette.frame),
    );
    let mut grounds = String::new();
    let mut letters = String::new();
    // One path a colour, in the order of the colours, so that the same screen is the same file.
    let mut strokes: BTreeMap<Rgb, String> = BTreeMap::new();
    let mut fills: BTreeMap<Rgb, String> = BTreeMap::new();
    if area.width > 0 {
        for (y, row) in buffer.content.chunks(usize::from(area.width)).enumerate() {
            let top = MARGIN + y as f32 * ROW;
            let inks: Vec<Ink> = row.iter().map(|cell| ink(cell, palette)).collect();
            for (from, to) in runs(&inks, |ink| ink.ground) {
                if inks[from].ground != palette.ground {
                    rect(&mut grounds, left(from), top, left(to) - left(from), ROW, inks[from].ground);
                }
            }
            for (from, to) in runs(&inks, |ink| *ink) {
                let ink = inks[from];
                for (on, y) in [(ink.underline, top + ROW - 1.5), (ink.strike, top + ROW / 2.0)] {
                    if on {
                        let path = strokes.entry(ink.text).or_default();
                        let _ = write!(path, "M{} {}H{}", Number(left(from)), Number(y), Number(left(to)));
                    }
                }
                let mut x = from;
                while x < to {
                    let symbol = row[x].symbol();
                    let sign = symbol.chars().next().unwrap_or(' ');
                    let alike = match lines::joins(sign) {
                        true => row[x..to].iter().take_while(|cell| cell.symbol() == symbol).count(),
                        false => 1,
                    };
                    if lines::stroke(sign, left(x), top, alike, strokes.entry(ink.text).or_default())
                        || lines::fill(sign, left(x), top, alike, fills.entry(ink.text).or_default())
                    {
                        x += alike;
                    } else if plain(symbol) {
                        let end = (x..to).find(|&at| !plain(row[at].symbol())).unwrap_or(to);
                        let word: String = row[x..end].iter().map(Cell::symbol).collect();
                        text(&mut letters, left(x), top, &word, ink, palette, false);
                        x = end;
                    } else {
                        let width = match symbol {
                            "" | " " => 1,
                            symbol if symbol.contains(char::is_control) => 1,
                            symbol => usize::from(symbol.cell_width()).max(1),
                        };
                        if symbol.trim() != "" && !symbol.contains(char::is_control) {
                            let middle = left(x) + width as f32 * CELL / 2.0;
                            text(&mut letters, middle, top, symbol, ink, palette, true);
                        }
                        x += width;
                    }
                }
            }
        }
    }
    svg.push_str(&grounds);
    for (colour, path) in fills.iter().filter(|(_, path)| !path.is_empty()) {
        let _ = writeln!(svg, r#"<path d="{path}" fill="{}"/>"#, Hex(*colour));
    }
    for (colour, path) in strokes.iter().filter(|(_, path)| !path.is_empty()) {
        let _ = writeln!(svg, r#"<path d="{path}" fill="none" stroke="{}"/>"#, Hex(*colour));
    }
    let _ = writeln!(svg, r#"<g font-family="{FAMILY}" font-size="{FONT}" fill="{}">"#, Hex(palette.text));
    svg.push_str(&letters);
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// What most cells stand on: a theme with a background of its own fills the frame with it.
fn ground(buffer: &Buffer, palette: &Palette) -> Rgb {
    let mut grounds = BTreeMap::<Rgb, usize>::new();
    for cell in &buffer.content {
        *grounds.entry(palette.rgb(cell.bg).unwrap_or(palette.ground)).or_default() += 1;
    }
    grounds.into_iter().max_by_key(|(_, cells)| *cells).map_or(palette.ground, |(ground, _)| ground)
}

fn left(x: usize) -> f32 {
    MARGIN + x as f32 * CELL
}

/// Letters whose width is sure: they may stand in one text.
fn plain(symbol: &str) -> bool {
    matches!(symbol.as_bytes(), [b'!'..=b'~'])
}

/// Neighbours that are alike.
fn runs<K: PartialEq>(inks: &[Ink], key: impl Fn(&Ink) -> K) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut from = 0;
    for run in inks.chunk_by(|a, b| key(a) == key(b)) {
        runs.push((from, from + run.len()));
        from += run.len();
    }
    runs
}

fn ink(cell: &Cell, palette: &Palette) -> Ink {
    let mods = cell.modifier;
    let colour = |colour: Color, default| palette.rgb(colour).unwrap_or(default);
    let (mut text, mut ground) = (colour(cell.fg, palette.text), colour(cell.bg, palette.ground));
    if mods.contains(Modifier::REVERSED) {
        (text, ground) = (ground, text);
    }
    if mods.contains(Modifier::DIM) {
        let mix = |a: u8, b: u8| ((u16::from(a) * 3 + u16::from(b) * 2) / 5) as u8;
        text = (mix(text.0, ground.0), mix(text.1, ground.1), mix(text.2, ground.2));
    }
    Ink {
        text,
        ground,
        bold: mods.contains(Modifier::BOLD),
        italic: mods.contains(Modifier::ITALIC),
        underline: mods.contains(Modifier::UNDERLINED),
        strike: mods.contains(Modifier::CROSSED_OUT),
    }
}

fn rect(svg: &mut String, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
    // Rows overlap by a hair, or a renderer shows the seam between them.
    let _ = writeln!(
        svg,
        r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>"#,
        Number(x),
        Number(y),
        Number(width),
        Number(height + 0.2),
        Hex(colour)
    );
}

fn text(svg: &mut String, x: f32, top: f32, word: &str, ink: Ink, palette: &Palette, centred: bool) {
    let _ = write!(svg, r#"<text x="{}" y="{}""#, Number(x), Number(top + FOOT));
    if centred {
        svg.push_str(r#" text-anchor="middle""#);
    }
    if ink.text != palette.text {
        let _ = write!(svg, r#" fill="{}""#, Hex(ink.text));
    }
    if ink.bold {
        svg.push_str(r#" font-weight="bold""#);
    }
    if ink.italic {
        svg.push_str(r#" font-style="italic""#);
    }
    svg.push('>');
    for c in word.chars() {
        match c {
            '&' => svg.push_str("&amp;"),
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            c => svg.push(c),
        }
    }
    svg.push_str("</text>\n");
}

/// At most two decimals, none that is not needed.
struct Number(f32);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hundredths = (self.0 * 100.0).round() as i64;
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

struct Hex(Rgb);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0.0, self.0.1, self.0.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use ratatui::widgets::{Block, BorderType, Widget};

    fn picture(draw: impl Fn(&mut Buffer)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 4));
        draw(&mut buffer);
        svg(&buffer, &Palette::DARK)
    }

    fn written(text: &str, style: Style) -> String {
        picture(|buffer| {
            buffer.set_string(0, 0, text, style);
        })
    }

    #[test]
    fn each_word_has_its_place() {
        let svg = written("ab cd", Style::default());
        assert!(svg.contains(">ab</text>") && svg.contains(">cd</text>"));
        assert!(svg.contains(&format!(r#"x="{}""#, Number(left(3)))));
    }

    #[test]
    fn markup_is_escaped() {
        let svg = written("a<b>&\"'", Style::default());
        assert!(svg.contains("a&lt;b&gt;&amp;\"'</text>"), "{svg}");
    }

    #[test]
    fn the_same_cells_are_the_same_file_and_nothing_is_a_ground_of_its_own() {
        let empty = picture(|_| {});
        assert_eq!(empty, picture(|_| {}));
        assert_eq!(empty.matches("<rect").count(), 1);
        assert!(!empty.contains("<text"));
    }

    #[test]
    fn reversal_exchanges_and_dimming_mixes() {
        let svg = written("x", Style::new().add_modifier(Modifier::REVERSED));
        assert!(svg.contains(&format!(r#"fill="{}">x<"#, Hex(Palette::DARK.ground))), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        let dim = written("x", Style::new().add_modifier(Modifier::DIM));
        assert_eq!(dim.matches("fill=").count(), written("x", Style::default()).matches("fill=").count() + 1);
    }

    #[test]
    fn lines_and_blocks_are_drawn_not_written() {
        for border in [BorderType::Plain, BorderType::Double, BorderType::Rounded] {
            let svg = picture(|buffer| Block::bordered().border_type(border).render(buffer.area, buffer));
            assert!(!svg.contains("<text") && svg.contains("<path"), "{svg}");
        }
        let svg = written("▁▂▃▄▅▆▇█▏▎▍▌▋▊▉", Style::default());
        assert!(!svg.contains("<text") && svg.contains("<path"));
    }

    #[test]
    fn wide_characters_stand_in_the_middle_of_their_cells() {
        let svg = written("日x", Style::default());
        assert!(
            svg.contains(&format!(r#"x="{}" y="{}" text-anchor="middle">日<"#, Number(left(1)), Number(MARGIN + FOOT))),
            "{svg}"
        );
        assert!(svg.contains(&format!(r#"x="{}""#, Number(left(2)))));
    }

    #[test]
    fn a_hostile_cell_is_no_markup() {
        let svg = picture(|buffer| {
            buffer[(0, 0)].set_symbol("</svg>");
            buffer[(7, 0)].set_symbol("\x1b");
            buffer[(8, 0)].set_symbol("");
            buffer[(19, 3)].set_symbol("日");
        });
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert!(!svg.contains('\x1b'));
    }
}
