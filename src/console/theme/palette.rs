//! What a terminal's sixteen colours look like, for drawing the screen outside a terminal.

use ratatui::style::Color;

use super::colour::{index_of, table};

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// A terminal's scheme: its sixteen colours and what "default" means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    pub text: Rgb,
    pub ground: Rgb,
    /// The window around the cells.
    pub frame: Rgb,
    pub colours: [Rgb; 16],
}

impl Palette {
    /// Night watch: deep blue-black, calm hues of even lightness, so that red is the loudest thing on the screen.
    pub const DARK: Palette = Palette {
        text: (0xd3, 0xda, 0xe6),
        ground: (0x10, 0x15, 0x1d),
        frame: (0x0a, 0x0e, 0x14),
        colours: [
            (0x1c, 0x23, 0x2e),
            (0xf0, 0x6c, 0x75),
            (0x8c, 0xcf, 0x7e),
            (0xe5, 0xc0, 0x6d),
            (0x67, 0xac, 0xf5),
            (0xc6, 0x92, 0xe9),
            (0x5c, 0xc9, 0xd3),
            (0xd3, 0xda, 0xe6),
            (0x6d, 0x7a, 0x8f),
            (0xff, 0x8a, 0x92),
            (0xa9, 0xe3, 0x9b),
            (0xf5, 0xd6, 0x8e),
            (0x8d, 0xc2, 0xff),
            (0xd9, 0xb2, 0xf5),
            (0x85, 0xdf, 0xe6),
            (0xf7, 0xf9, 0xfc),
        ],
    };

    pub const LIGHT: Palette = Palette {
        text: (0x24, 0x2b, 0x36),
        ground: (0xfc, 0xfc, 0xfa),
        frame: (0xe9, 0xec, 0xef),
        colours: [
            (0x24, 0x2b, 0x36),
            (0xc2, 0x2f, 0x3d),
            (0x3a, 0x7d, 0x2c),
            (0x9a, 0x6a, 0x00),
            (0x1f, 0x63, 0xc4),
            (0x8b, 0x3f, 0xb5),
            (0x0b, 0x7a, 0x85),
            (0x9b, 0xa4, 0xb0),
            (0x76, 0x81, 0x90),
            (0xd9, 0x45, 0x52),
            (0x4b, 0x96, 0x3c),
            (0xb3, 0x7f, 0x0d),
            (0x37, 0x7b, 0xde),
            (0xa2, 0x57, 0xcc),
            (0x1a, 0x93, 0x9f),
            (0xff, 0xff, 0xff),
        ],
    };

    /// `None` for the default colour: text or ground, as the side asks.
    pub fn rgb(&self, colour: Color) -> Option<Rgb> {
        match colour {
            Color::Reset => None,
            Color::Rgb(r, g, b) => Some((r, g, b)),
            other => {
                let index = index_of(other)?;
                Some(self.colours.get(usize::from(index)).copied().unwrap_or_else(|| table(index)))
            }
        }
    }
}
