//! The themes there are: the program's, and the operator's read from a folder. A shelf is read once and again when
//! the folder changes; from then on a theme is made without touching a disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::sheet::Sheet;
use super::{Depth, Glyphs, Theme, resolve};
use crate::model::nearest::{nearest, shown};

pub(super) const DEFAULT: &str = "terminal";
pub(super) const WITHOUT_COLOUR: &str = "mono";

/// A theme is a page of text; more is a mistake.
const MAX_FILE: u64 = 256 * 1024;
/// Files looked at; a folder with more was meant for something else.
const MAX_FILES: usize = 500;

struct Builtin {
    name: &'static str,
    text: &'static str,
    sheet: OnceLock<Arc<Sheet>>,
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// The themes that come with the program.
        static BUILTIN: [Builtin; [$($name),*].len()] = [$(Builtin {
            name: $name,
            text: include_str!(concat!("../../../themes/", $name, ".toml")),
            sheet: OnceLock::new(),
        }),*];
    };
}

builtin![
    "terminal",
    "terminal-light",
    "dark",
    "light",
    "high-contrast-dark",
    "high-contrast-light",
    "deuteranopia-dark",
    "deuteranopia-light",
    "tritanopia-dark",
    "tritanopia-light",
    "mono",
    "ayu-dark",
    "ayu-light",
    "catppuccin-frappe",
    "catppuccin-latte",
    "catppuccin-macchiato",
    "catppuccin-mocha",
    "dracula",
    "everforest-dark",
    "everforest-light",
    "github-dark",
    "github-light",
    "gruvbox-dark",
    "gruvbox-light",
    "kanagawa-dragon",
    "kanagawa-lotus",
    "kanagawa-wave",
    "monokai",
    "nord",
    "one-dark",
    "one-light",
    "rose-pine",
    "rose-pine-dawn",
    "rose-pine-moon",
    "solarized-dark",
    "solarized-light",
    "tokyo-night",
    "tokyo-night-day",
    "tokyo-night-storm",
];

/// The names of the themes that come with the program, ours first.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|theme| theme.name)
}

pub(super) fn builtin_file(name: &str) -> String {
    format!("themes/{name}.toml")
}

pub(super) fn builtin(name: &str) -> Option<Arc<Sheet>> {
    let theme = BUILTIN.iter().find(|theme| theme.name == name)?;
    // Ours are without fault: a test says so.
    Some(theme.sheet.get_or_init(|| Arc::new(Sheet::read(&builtin_file(name), theme.text).0)).clone())
}

/// One theme of the operator: what it says and what is wrong with it, or why it cannot be read.
type Own = Result<(Arc<Sheet>, Vec<String>), String>;

/// Every theme there is to choose from.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    own: BTreeMap<String, Own>,
}

impl Shelf {
    /// With the themes of a folder. One that is not there has none.
    pub fn read(folder: &Path) -> Self {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
            .filter(|name| !name.starts_with('.') && !name.is_empty())
            .take(MAX_FILES)
            .collect();
        files.sort_unstable();
        let own = files.into_iter().filter_map(|name| Some((name.clone(), own(folder, &name)?))).collect();
        Self { own }
    }

    /// The operator's first, then the program's; each name once.
    pub fn names(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.own.keys().map(String::as_str).collect();
        for name in names() {
            if !self.own.contains_key(name) {
                all.push(name);
            }
        }
        all
    }

    /// The operator's file of this name.
    pub fn file(&self, name: &str) -> Option<&str> {
        match self.own.get(name)? {
            Ok((sheet, _)) => Some(&sheet.file),
            Err(_) => None,
        }
    }

    /// It is the operator's, whether it can be read or not.
    pub fn is_own(&self, name: &str) -> bool {
        self.own.contains_key(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.own.contains_key(name) || names().any(|known| known == name)
    }

    /// What to say of a theme that there is not.
    pub fn unknown(&self, name: &str) -> String {
        format!("no theme is called `{}`{}", shown(name), self.hint(name))
    }

    /// `; did you mean …`, or the names there are.
    fn hint(&self, name: &str) -> String {
        match nearest(name, self.names()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!(" (known: {})", self.names().join(", ")),
        }
    }

    /// The theme called `name`, and what was wrong with it: one sentence each, naming file, line and key. What is
    /// wrong falls back to the parent theme, a missing theme to `terminal`.
    /// Without colours, a theme that is not made of `mono` gives way to it, since its meaning would be lost.
    pub fn theme(&self, name: &str, depth: Depth, ascii: bool) -> (Theme, Vec<String>) {
        let (mut chain, mut problems) = self.chain(name);
        let mut shown = name;
        if chain.is_empty() {
            shown = DEFAULT;
            chain.extend(builtin(DEFAULT));
        }
        if depth == Depth::None && !chain.iter().any(|sheet| sheet.file == builtin_file(WITHOUT_COLOUR)) {
            // The colours are gone, so only their mistakes are worth a word.
            resolve(&chain, depth, &mut problems);
            shown = WITHOUT_COLOUR;
            chain = builtin(WITHOUT_COLOUR).into_iter().collect();
        }
        let styles = resolve(&chain, depth, &mut problems);
        (Theme { name: shown.to_owned(), depth, glyphs: Glyphs::new(ascii), styles }, problems)
    }

    /// The sheet called `name` and its ancestors, nearest first.
    pub(super) fn chain(&self, name: &str) -> (Vec<Arc<Sheet>>, Vec<String>) {
        let mut sheets: Vec<Arc<Sheet>> = Vec::new();
        let mut problems = Vec::new();
        let mut wanted = (name.to_owned(), None::<String>);
        loop {
            let (name, asked_by) = &wanted;
            let met = |file: &str| sheets.iter().any(|sheet| sheet.file == file);
            let own = match self.own.get(name) {
                Some(Ok((sheet, wrong))) if !met(&sheet.file) => {
                    problems.extend_from_slice(wrong);
                    Some(sheet.clone())
                }
                Some(Err(problem)) => {
                    problems.push(problem.clone());
                    None
                }
                _ => None,
            };
            let parentless = own.is_some();
            let Some(sheet) = own.or_else(|| builtin(name).filter(|sheet| !met(&sheet.file))) else {
                let circle = self.has(name) && sheets.iter().any(|sheet| sheet.name() == name);
                problems.push(match asked_by {
                    Some(place) if circle => {
                        format!("{place}: `inherits`: `{name}` inherits itself in a circle; `{DEFAULT}` is used below")
                    }
                    Some(place) => format!("{place}: `inherits`: {}; `{DEFAULT}` is used", self.unknown(name)),
                    None => format!("theme: {}; `{DEFAULT}` is used", self.unknown(name)),
                });
                if !sheets.is_empty() {
                    sheets.extend(builtin(DEFAULT));
                }
                return (sheets, problems);
            };
            let parent =
                sheet.inherits.as_ref().map(|(parent, line)| (parent.clone(), format!("{}:{line}", sheet.file)));
            sheets.push(sheet);
            match parent {
                Some((parent, place)) => wanted = (parent, Some(place)),
                None => {
                    // An operator's theme that names no parent still needs a look for every role.
                    if parentless {
                        sheets.extend(builtin(DEFAULT));
                    }
                    return (sheets, problems);
                }
            }
        }
    }
}

/// The operator's file for this theme, judged; nothing if it went away meanwhile.
fn own(folder: &Path, name: &str) -> Option<Own> {
    let path = folder.join(format!("{name}.toml"));
    let file = path.display().to_string();
    let text = match std::fs::metadata(&path) {
        Ok(meta) if !meta.is_file() => Err(format!("{file}:1: not a file; it is not used")),
        Ok(meta) if meta.len() > MAX_FILE => Err(format!("{file}:1: larger than a theme can be; it is not used")),
        Ok(_) => match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = 1 + memchr::memchr_iter(b'\n', before).count();
                format!("{file}:{line}: not UTF-8; it is not used")
            }),
            Err(error) => Err(format!("{file}: {error}; it is not used")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => Err(format!("{file}: {error}; it is not used")),
    };
    Some(text.map(|text| {
        let (sheet, problems) = Sheet::read(&file, &text);
        (Arc::new(sheet), problems)
    }))
}
