//! What an eye makes of a colour: how light it is, how well it stands out, how far apart two of them look. Sums of
//! published formulas (WCAG 2.2 for contrast, Ottosson's OKLab for distance); knows no role and no theme.

pub use super::palette::Rgb;

fn linear(part: u8) -> f32 {
    let part = f32::from(part) / 255.0;
    if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

/// Red, green and blue as amounts of light.
pub fn light((r, g, b): Rgb) -> [f32; 3] {
    [linear(r), linear(g), linear(b)]
}

/// 0 for black, 1 for white.
pub fn luminance(colour: Rgb) -> f32 {
    let [r, g, b] = light(colour);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// WCAG contrast: 1 for the same lightness, 21 for black on white. From 4.5 on running text can be read.
pub fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// A colour where equal steps look equal: lightness, green to red, blue to yellow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lab {
    pub l: f32,
    pub a: f32,
    pub b: f32,
}

impl Lab {
    pub fn of(colour: Rgb) -> Self {
        Self::of_light(light(colour))
    }

    pub fn of_light([r, g, b]: [f32; 3]) -> Self {
        let l = (0.412_221_47 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        Self {
            l: 0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            a: 1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            b: 0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        }
    }

    /// How different two colours look; 0.02 is just to be seen side by side, 0.1 across a screen.
    pub fn distance(self, other: Self) -> f32 {
        ((self.l - other.l).powi(2) + (self.a - other.a).powi(2) + (self.b - other.b).powi(2)).sqrt()
    }

    /// How colourful.
    pub fn chroma(self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Between the hues of two colours, in degrees.
    pub fn turn(self, other: Self) -> f32 {
        let turn = (self.b.atan2(self.a) - other.b.atan2(other.a)).to_degrees().abs();
        turn.min(360.0 - turn)
    }
}

/// Is the ground dark or light?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ground {
    Dark,
    Light,
}

impl Ground {
    /// Of a background.
    pub fn of(colour: Rgb) -> Self {
        // Where white text and black text are read equally well.
        if luminance(colour) > 0.179 { Self::Light } else { Self::Dark }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_as_published() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
        assert!((contrast((0x77, 0x77, 0x77), (255, 255, 255)) - 4.48).abs() < 0.01);
        assert!((contrast((9, 9, 9), (9, 9, 9)) - 1.0).abs() < 0.001);
    }

    #[test]
    fn equal_steps_look_equal() {
        let white = Lab::of((255, 255, 255));
        assert!((white.l - 1.0).abs() < 0.001 && white.chroma() < 0.001);
        let red = Lab::of((255, 0, 0));
        assert!((red.l - 0.628).abs() < 0.001 && (red.a - 0.225).abs() < 0.001 && (red.b - 0.126).abs() < 0.001);
        assert!(red.turn(Lab::of((0, 255, 255))) > 140.0);
    }

    #[test]
    fn a_ground_is_dark_or_light() {
        assert_eq!(Ground::of((0x28, 0x2a, 0x36)), Ground::Dark);
        assert_eq!(Ground::of((0xfd, 0xf6, 0xe3)), Ground::Light);
    }
}
