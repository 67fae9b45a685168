//! Themes: a look for every role, read from `themes/*.toml` or the operator's own folder. Owns every colour of the
//! console; refuses to know widgets. A theme that cannot be read is a sentence on the screen, never a refusal to open.

pub mod choice;
pub mod colour;
pub mod glyphs;
pub mod palette;
mod role;
mod sheet;
mod shelf;
pub mod sight;

use std::path::Path;
use std::sync::Arc;

use ratatui::style::{Color, Modifier, Style};

pub use colour::Depth;
pub use glyphs::Glyphs;
pub use role::Role;
pub use sheet::line_of;
pub use shelf::Shelf;
pub use sight::Ground;

use crate::model::state::RunState;
use sheet::{Paint, Sheet};

/// A look for every role, at the depth of the terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    pub name: String,
    pub depth: Depth,
    pub glyphs: Glyphs,
    styles: Vec<Style>,
}

impl Default for Theme {
    fn default() -> Self {
        Self::load(shelf::DEFAULT, None, Depth::Ansi16, false).0
    }
}

impl Theme {
    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        shelf::names()
    }

    /// A theme of the program at full depth, with drawn signs.
    pub fn builtin(name: &str) -> Option<Theme> {
        shelf::builtin(name)?;
        Some(Self::load(name, None, Depth::True, false).0)
    }

    /// One theme from a shelf that is not kept.
    pub fn load(name: &str, folder: Option<&Path>, depth: Depth, ascii: bool) -> (Theme, Vec<String>) {
        folder.map(Shelf::read).unwrap_or_default().theme(name, depth, ascii)
    }

    /// A patch: what the role does not say stays as it was below.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Background and text of an empty screen.
    pub fn base(&self) -> Style {
        self.style(Role::Surface).patch(self.style(Role::Text))
    }

    /// Dark or light, where it has a ground of its own.
    pub fn ground(&self) -> Option<Ground> {
        self.base().bg.and_then(colour::rgb).map(Ground::of)
    }

    /// Of running text on its ground, where both are its own.
    pub fn contrast(&self) -> Option<f32> {
        let base = self.base();
        Some(sight::contrast(base.fg.and_then(colour::rgb)?, base.bg.and_then(colour::rgb)?))
    }

    /// Background and text of a dialog.
    pub fn popup(&self) -> Style {
        self.base().patch(self.style(Role::SurfacePopup))
    }

    pub fn state(&self, state: RunState) -> Style {
        self.style(match state {
            RunState::Queued => Role::StateQueued,
            RunState::Sent => Role::StateSent,
            RunState::Running => Role::StateRunning,
            RunState::Ok => Role::StateOk,
            RunState::Failed => Role::StateFailed,
            RunState::Timeout => Role::StateTimeout,
            RunState::Offline => Role::StateOffline,
            RunState::Cancelled => Role::StateCancelled,
            RunState::Skipped => Role::StateSkipped,
        })
    }

    /// Prefix of the n-th device of a merged tail.
    pub fn device(&self, n: usize) -> Style {
        self.style(Role::DEVICES[n % Role::DEVICES.len()])
    }
}

/// A style for each role: the nearest sheet that names it, else the nearest that names its family.
fn resolve(chain: &[Arc<Sheet>], depth: Depth, problems: &mut Vec<String>) -> Vec<Style> {
    let paint = |paint: &Paint| match paint {
        Paint::Colour(colour) => Ok(*colour),
        Paint::Name(name) => chain
            .iter()
            .find_map(|sheet| sheet.palette.get(name).copied())
            .or_else(|| colour::parse(name))
            .ok_or(name.clone()),
    };
    let mut looked = std::collections::BTreeMap::<&str, Style>::new();
    for sheet in chain.iter().rev() {
        for (key, entry) in &sheet.entries {
            let mut colours = [None::<Color>; 2];
            let mut wrong = false;
            for (slot, (side, wanted)) in colours.iter_mut().zip([("fg", &entry.fg), ("bg", &entry.bg)]) {
                match wanted.as_ref().map(paint) {
                    Some(Ok(colour)) => *slot = Some(colour),
                    Some(Err(name)) => {
                        wrong = true;
                        let said = format!(
                            "{}:{}: `{key}` ({side}): no colour is called `{name}`; the default is used",
                            sheet.file, entry.line
                        );
                        if !problems.contains(&said) {
                            problems.push(said);
                        }
                    }
                    None => {}
                }
            }
            if !wrong {
                let [fg, bg] = colours;
                let style =
                    Style { fg, bg, add_modifier: entry.mods, sub_modifier: Modifier::empty(), ..Style::default() };
                looked.insert(key, style);
            }
        }
    }
    let find = |name: &'static str| {
        let mut name = name;
        loop {
            if let Some(style) = looked.get(name) {
                return *style;
            }
            match name.rfind('.') {
                Some(dot) => name = &name[..dot],
                None => return Style::default(),
            }
        }
    };
    let mut styles: Vec<Style> = Role::ALL.iter().map(|role| find(role.name())).collect();
    // At sixteen colours two states could become one; what tells them apart is more than a nearest colour.
    let apart = match depth {
        Depth::Ansi16 => {
            let told = TOLD_APART.iter().filter_map(|role| told(styles[*role as usize]));
            colour::apart(&told.filter_map(colour::rgb).collect::<Vec<_>>())
        }
        _ => Vec::new(),
    };
    for style in &mut styles {
        for side in [&mut style.fg, &mut style.bg] {
            let known = side.and_then(colour::rgb).and_then(|rgb| apart.iter().find(|(from, _)| *from == rgb));
            if let Some((_, to)) = known {
                *side = Some(*to);
            }
        }
        *style = colour::down_style(*style, depth);
    }
    styles
}

/// The states that are never to be taken for one another.
const TOLD_APART: [Role; 4] = [Role::StateFailed, Role::StateOk, Role::StateOffline, Role::StateRunning];

/// The colour that a style says something with.
fn told(style: Style) -> Option<Color> {
    style.bg.filter(|bg| *bg != Color::Reset).or(style.fg)
}

#[cfg(test)]
mod gallery_tests;
#[cfg(test)]
mod tests;
