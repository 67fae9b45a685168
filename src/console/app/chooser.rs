//! A theme or a keymap is being chosen. Moving puts the theme under the cursor on the whole screen at once; esc puts
//! the old one back, enter keeps the new one. Owns the list and what was on before.

use super::commands::Do;
use super::form::Text;
use super::layers::Next;
use super::list::Cursor;
use super::looks::Looks;
use super::{App, Effect, layout};
use crate::console::keymap::Keymap;
use crate::console::theme::{Depth, Ground, Theme};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Theme,
    Keymap,
}

impl What {
    pub const fn word(self) -> &'static str {
        match self {
            What::Theme => "Theme",
            What::Keymap => "Keymap",
        }
    }
}

#[derive(Debug)]
pub struct Chooser {
    pub what: What,
    pub filter: Text,
    pub all: Vec<Row>,
    /// Rows of `all` that the filter leaves.
    pub shown: Vec<usize>,
    pub cursor: Cursor,
    /// What was on before, and is again when nothing is chosen.
    before: String,
}

/// One to choose.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// Where it comes from, or what it is.
    pub source: String,
    /// `None`: as the terminal.
    pub ground: Option<Ground>,
    /// Of running text on its ground.
    pub contrast: Option<f32>,
    /// To show its colours; with all of them, whatever the terminal has.
    pub sample: Option<Theme>,
}

impl Chooser {
    pub fn themes(looks: &Looks) -> Self {
        let rows = looks.shelf.names().into_iter().map(|name| {
            let (theme, _) = looks.shelf.theme(name, Depth::True, false);
            let source = looks.shelf.file(name).unwrap_or("comes with the program").to_owned();
            Row {
                name: name.to_owned(),
                source,
                ground: theme.ground(),
                contrast: theme.contrast(),
                sample: Some(theme),
            }
        });
        Self::new(What::Theme, rows.collect(), &looks.worn)
    }

    pub fn keymaps(looks: &Looks) -> Self {
        let about = |name: &str| match name {
            "vi" => "hjkl, less and readline; the default",
            "arrows" => "arrows, home, end and named keys alone",
            "emacs" => "^n ^p ^v, ^x ^c, alt-x",
            _ => "",
        };
        let (asked, now) = (looks.asked_keys(), looks.keys_in_force());
        let place = |name: &str| match (name == now, name == asked) {
            (true, true) => "; in use",
            (true, false) => "; in use, chosen in the console",
            (false, true) => "; what settings and keymap.toml ask for",
            (false, false) => "",
        };
        let rows = Keymap::presets().map(|name| Row {
            name: name.to_owned(),
            source: format!("{}{}", about(name), place(name)),
            ground: None,
            contrast: None,
            sample: None,
        });
        Self::new(What::Keymap, rows.collect(), &now)
    }

    fn new(what: What, all: Vec<Row>, now: &str) -> Self {
        let at = all.iter().position(|row| row.name == now).unwrap_or(0);
        let shown = (0..all.len()).collect();
        let cursor = Cursor { at, ..Cursor::default() };
        Self { what, filter: Text::default(), all, shown, cursor, before: now.to_owned() }
    }

    pub fn chosen(&self) -> Option<&Row> {
        self.all.get(*self.shown.get(self.cursor.at)?)
    }

    /// Rows for what has been typed; the cursor stays on its theme where that is still there.
    fn find(&mut self) {
        let on = self.shown.get(self.cursor.at).copied();
        let wanted = self.filter.text().to_lowercase();
        let fits = |row: &Row| {
            let ground = row.ground.map_or("terminal", Ground::word);
            let text = format!("{} {ground} {}", row.name, row.source).to_lowercase();
            wanted.split_whitespace().all(|word| text.contains(word))
        };
        self.shown = (0..self.all.len()).filter(|at| fits(&self.all[*at])).collect();
        self.cursor.at = self.shown.iter().position(|at| Some(*at) == on).unwrap_or(0);
    }
}

impl App {
    /// Something was typed into the chooser.
    pub(super) fn narrow_chooser(&mut self, chooser: &mut Chooser) {
        chooser.find();
        self.preview(chooser);
    }

    fn preview(&mut self, chooser: &Chooser) {
        if let (What::Theme, Some(row)) = (chooser.what, chooser.chosen()) {
            // Its faults are said when it is chosen, not while somebody looks through the list.
            let name = row.name.clone();
            self.wear(&name);
        }
    }

    pub(super) fn in_chooser(&mut self, chooser: &mut Chooser, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let len = chooser.shown.len();
        let page = layout::chooser(self.area, chooser.all.len()).1;
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::Accept | Do::Open => {
                let Some(name) = chooser.chosen().map(|row| row.name.clone()) else { return Next::Stay };
                match chooser.what {
                    What::Theme => {
                        self.choose_theme(&name, effects);
                        chooser.before = name;
                    }
                    What::Keymap => self.choose_keymap(&name, effects),
                }
                return Next::Close;
            }
            Do::NextField => drop(chooser.cursor.go(Do::Down, len, page)),
            Do::PreviousField => drop(chooser.cursor.go(Do::Up, len, page)),
            verb => drop(chooser.cursor.go(verb, len, page)),
        }
        self.preview(chooser);
        Next::Stay
    }

    /// However it was closed: what was on before is on again, unless something was chosen.
    pub(super) fn chooser_closed(&mut self, chooser: &Chooser) {
        if chooser.what == What::Theme && self.looks.worn != chooser.before {
            self.wear(&chooser.before);
        }
    }
}
