//! What the environment says about the terminal's background, for the first frame and for terminals that answer
//! nothing: `COLORFGBG`, as rxvt, Konsole and iTerm2 set it.

use crate::console::theme::Ground;

/// Of the terminal this process was started in.
pub fn ground() -> Option<Ground> {
    std::env::var("COLORFGBG").ok().and_then(|colours| of(&colours))
}

/// `15;0`, `0;default;15`: the last is the background, by its number of the sixteen.
fn of(colours: &str) -> Option<Ground> {
    match colours.rsplit(';').next()?.trim().parse::<u8>().ok()? {
        0..=6 | 8 => Some(Ground::Dark),
        7 | 9..=15 => Some(Ground::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_the_background() {
        for (colours, ground) in [
            ("15;0", Some(Ground::Dark)),
            ("0;15", Some(Ground::Light)),
            ("0;default;15", Some(Ground::Light)),
            ("12;8", Some(Ground::Dark)),
            ("0;7", Some(Ground::Light)),
            ("15;default", None),
            ("", None),
            ("0;231", None),
        ] {
            assert_eq!(of(colours), ground, "{colours}");
        }
    }
}
