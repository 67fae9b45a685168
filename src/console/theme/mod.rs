//! Themes: a look for every role, read from `themes/*.toml` or the operator's own folder. Owns every colour of the
//! console; refuses to know widgets. A theme that cannot be read is a sentence on the screen, never a refusal to open.

pub mod colour;
pub mod glyphs;
pub mod palette;
mod role;
mod sheet;

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

pub use colour::Depth;
pub use glyphs::Glyphs;
pub use role::Role;
pub use sheet::line_of;

use crate::model::state::RunState;
use sheet::{Paint, Sheet};

/// The themes that come with the program: name, text.
const BUILTIN: [(&str, &str); 5] = [
    ("terminal", include_str!("../../../themes/terminal.toml")),
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast-dark", include_str!("../../../themes/high-contrast-dark.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

const DEFAULT: &str = "terminal";
const WITHOUT_COLOUR: &str = "mono";

/// A theme is a page of text; more is a mistake.
const MAX_FILE: u64 = 256 * 1024;

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
        Self::load(DEFAULT, None, Depth::Ansi16, false).0
    }
}

impl Theme {
    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.into_iter().map(|(name, _)| name)
    }

    /// A theme of the program at full depth, with drawn signs.
    pub fn builtin(name: &str) -> Option<Theme> {
        builtin_text(name)?;
        Some(Self::load(name, None, Depth::True, false).0)
    }

    /// The theme called `name`, the operator's before ours, and what was wrong with it: one sentence each, naming
    /// file, line and key. What is wrong falls back to the parent theme, a missing theme to `terminal`.
    /// Without colours, a theme that is not made of `mono` gives way to it, since its meaning would be lost.
    pub fn load(name: &str, user_dir: Option<&Path>, depth: Depth, ascii: bool) -> (Theme, Vec<String>) {
        let (mut chain, mut problems) = chain(name, user_dir);
        let mut shown = name;
        if chain.is_empty() {
            shown = DEFAULT;
            chain = builtin_sheet(DEFAULT).into_iter().collect();
        }
        if depth == Depth::None && !chain.iter().any(|sheet| sheet.file == builtin_file(WITHOUT_COLOUR)) {
            // The colours are gone, so only their mistakes are worth a word.
            resolve(&chain, depth, &mut problems);
            shown = WITHOUT_COLOUR;
            chain = builtin_sheet(WITHOUT_COLOUR).into_iter().collect();
        }
        let styles = resolve(&chain, depth, &mut problems);
        (Theme { name: shown.to_owned(), depth, glyphs: Glyphs::new(ascii), styles }, problems)
    }

    /// A patch: what the role does not say stays as it was below.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Background and text of an empty screen.
    pub fn base(&self) -> Style {
        self.style(Role::Surface).patch(self.style(Role::Text))
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

fn builtin_text(name: &str) -> Option<&'static str> {
    BUILTIN.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

fn builtin_file(name: &str) -> String {
    format!("themes/{name}.toml")
}

fn builtin_sheet(name: &str) -> Option<Sheet> {
    builtin_text(name).map(|text| Sheet::read(&builtin_file(name), text).0)
}

/// The sheet called `name` and its ancestors, nearest first.
fn chain(name: &str, user_dir: Option<&Path>) -> (Vec<Sheet>, Vec<String>) {
    let mut sheets: Vec<Sheet> = Vec::new();
    let mut problems = Vec::new();
    let mut wanted = (name.to_owned(), None::<String>);
    loop {
        let (name, asked_by) = &wanted;
        let met = |file: &str| sheets.iter().any(|sheet| sheet.file == file);
        let user = match user_dir.map(|dir| user_text(dir, name)) {
            Some(Ok(Some((file, text)))) if !met(&file) => Some(Sheet::read(&file, &text)),
            Some(Err(problem)) => {
                problems.push(problem);
                None
            }
            _ => None,
        };
        let own = user.is_some();
        let found = user.or_else(|| {
            let file = builtin_file(name);
            builtin_text(name).filter(|_| !met(&file)).map(|text| Sheet::read(&file, text))
        });
        let Some((sheet, mut wrong)) = found else {
            let place = asked_by.clone().unwrap_or_else(|| "theme".to_owned());
            let known = Theme::names().collect::<Vec<_>>().join(", ");
            if sheets.iter().any(|sheet| sheet.inherits.as_ref().is_some_and(|(parent, _)| parent == name))
                && (builtin_text(name).is_some()
                    || user_dir.is_some_and(|dir| dir.join(format!("{name}.toml")).exists()))
            {
                problems.push(format!(
                    "{place}: `inherits`: `{name}` inherits itself in a circle; `{DEFAULT}` is used below"
                ));
            } else if asked_by.is_some() {
                problems.push(format!(
                    "{place}: `inherits`: no theme is called `{name}` (known: {known}); `{DEFAULT}` is used"
                ));
            } else {
                problems.push(format!("theme: no theme is called `{name}` (known: {known}); `{DEFAULT}` is used"));
            }
            if !sheets.is_empty() {
                sheets.extend(builtin_sheet(DEFAULT));
            }
            return (sheets, problems);
        };
        problems.append(&mut wrong);
        let parent = sheet.inherits.as_ref().map(|(parent, line)| (parent.clone(), format!("{}:{line}", sheet.file)));
        sheets.push(sheet);
        match parent {
            Some((parent, place)) => wanted = (parent, Some(place)),
            None => {
                // An operator's theme that names no parent still needs a look for every role.
                if own {
                    sheets.extend(builtin_sheet(DEFAULT));
                }
                return (sheets, problems);
            }
        }
    }
}

/// Name and text of the operator's file for this theme, if there is one.
fn user_text(dir: &Path, name: &str) -> Result<Option<(String, String)>, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Ok(None);
    }
    let path = dir.join(format!("{name}.toml"));
    let file = path.display().to_string();
    match std::fs::metadata(&path) {
        Ok(meta) if !meta.is_file() => return Err(format!("{file}:1: not a file; it is not used")),
        Ok(meta) if meta.len() > MAX_FILE => {
            return Err(format!("{file}:1: larger than a theme can be; it is not used"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{file}: {error}; it is not used")),
    }
    match std::fs::read(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((file, text))),
            Err(error) => {
                let line =
                    1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count();
                Err(format!("{file}:{line}: not UTF-8; it is not used"))
            }
        },
        Err(error) => Err(format!("{file}: {error}; it is not used")),
    }
}

/// A style for each role: the nearest sheet that names it, else the nearest that names its family.
fn resolve(chain: &[Sheet], depth: Depth, problems: &mut Vec<String>) -> Vec<Style> {
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
                looked.insert(key, colour::down_style(style, depth));
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
    Role::ALL.iter().map(|role| find(role.name())).collect()
}

#[cfg(test)]
mod tests;
