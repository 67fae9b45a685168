//! Which theme, of those that were asked for: by what the terminal stands on, as far as that is known.

use super::Ground;
use super::shelf::DEFAULT;
use crate::settings::ThemeWish;

/// One theme for each ground. A plain name is the same for all, except the default: the terminal's own sixteen
/// colours have to be read differently on white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    dark: String,
    light: String,
    fallback: String,
}

impl Choice {
    pub fn named(name: &str) -> Self {
        let light = if name == DEFAULT { "terminal-light" } else { name };
        Self { dark: name.to_owned(), light: light.to_owned(), fallback: name.to_owned() }
    }

    pub fn pick(&self, ground: Option<Ground>) -> &str {
        match ground {
            Some(Ground::Dark) => &self.dark,
            Some(Ground::Light) => &self.light,
            None => &self.fallback,
        }
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::named(DEFAULT)
    }
}

impl From<&ThemeWish> for Choice {
    fn from(wish: &ThemeWish) -> Self {
        match wish {
            ThemeWish::Named(name) => Self::named(name),
            ThemeWish::ByGround { dark, light, fallback } => {
                Self { dark: dark.clone(), light: light.clone(), fallback: fallback.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_theme_on_every_ground_but_for_the_terminal_s_own_colours() {
        let picks = |wish: &ThemeWish| {
            let choice = Choice::from(wish);
            [Some(Ground::Dark), Some(Ground::Light), None].map(|ground| choice.pick(ground).to_owned())
        };
        assert_eq!(picks(&ThemeWish::Named("nord".into())), ["nord", "nord", "nord"]);
        assert_eq!(picks(&ThemeWish::default()), ["terminal", "terminal-light", "terminal"]);
        let wish = ThemeWish::ByGround { dark: "a".into(), light: "b".into(), fallback: "c".into() };
        assert_eq!(picks(&wish), ["a", "b", "c"]);
    }
}
