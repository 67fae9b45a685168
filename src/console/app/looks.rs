//! How the console looks and which keys it knows, and how both change while it runs: the terminal turns light, a file
//! is edited, the operator tries something else. Owns what was read of themes and keymap; touches no disk and no
//! terminal. What is edited and broken changes nothing but the notices.

use std::path::PathBuf;

use super::chooser::{Chooser, What};
use super::commands;
use super::notices::Level;
use super::{App, Effect, Layer};
use crate::console::keymap::{self, Keymap};
use crate::console::theme::choice::Choice;
use crate::console::theme::{Ground, Shelf};

/// What the settings, the files and the terminal say.
#[derive(Clone, Debug)]
pub struct Looks {
    pub shelf: Shelf,
    pub choice: Choice,
    pub ground: Option<Ground>,
    /// The theme asked for by name that is on the screen now.
    pub worn: String,
    /// Chosen in a console, this or an earlier one: stands over `choice`.
    pub chosen: Option<String>,
    /// The keymap that the settings name.
    pub preset: String,
    /// The keymap chosen in a console, this or an earlier one, or by the flag: stands over settings and file.
    pub switched: Option<String>,
    /// keymap.toml: where, and its text.
    pub keys: Option<(PathBuf, String)>,
}

impl Default for Looks {
    fn default() -> Self {
        let choice = Choice::default();
        Self {
            shelf: Shelf::default(),
            worn: choice.pick(None).to_owned(),
            choice,
            ground: None,
            chosen: None,
            preset: keymap::DEFAULT.to_owned(),
            switched: None,
            keys: None,
        }
    }
}

impl Looks {
    /// The theme that should be on the screen while nobody tries another.
    pub fn wanted(&self) -> &str {
        self.chosen.as_deref().unwrap_or_else(|| self.choice.pick(self.ground))
    }

    /// The keymap that settings and file ask for; the file has the last word.
    pub fn asked_keys(&self) -> String {
        let file = self.keys.as_ref().and_then(|(_, text)| Keymap::asked(text));
        file.unwrap_or_else(|| self.preset.clone())
    }

    /// The keymap in force.
    pub fn keys_in_force(&self) -> String {
        self.switched.clone().unwrap_or_else(|| self.asked_keys())
    }

    /// Which keymap is in force, and over what it was chosen.
    pub fn keys_said(&self) -> String {
        let (asked, now) = (self.asked_keys(), self.keys_in_force());
        if asked == now { now } else { format!("{now}, chosen over {asked}") }
    }

    /// The keymap as asked for, and what is wrong with the operator's file.
    pub fn keymap(&self) -> (Keymap, Vec<String>) {
        let user = self.keys.as_ref().map(|(path, text)| (path.as_path(), text.as_str()));
        match &self.switched {
            Some(preset) => Keymap::switched(preset, user, &commands::known),
            None => Keymap::load(&self.preset, user, &commands::known),
        }
    }
}

/// What was found in the configuration's folder after something there changed.
#[derive(Debug)]
pub struct Reread {
    pub shelf: Shelf,
    pub keys: Option<(PathBuf, String)>,
    /// What could not be read: nothing of it counts.
    pub problems: Vec<String>,
}

impl App {
    /// Puts a theme on. Tells what is wrong with it; what is right of it is on the screen.
    pub(super) fn wear(&mut self, name: &str) -> Vec<String> {
        let (theme, problems) = self.looks.shelf.theme(name, self.theme.depth, self.theme.glyphs.ascii);
        self.looks.worn = name.to_owned();
        self.theme = theme;
        self.dirty = true;
        problems
    }

    fn warn(&mut self, problems: Vec<String>) {
        for problem in problems {
            self.hint = None; // that all was well a moment ago hides nothing
            self.say(Level::Warn, problem);
        }
    }

    /// The terminal said what it stands on. Whoever is trying a theme is not disturbed.
    pub(super) fn stands_on(&mut self, ground: Ground) {
        self.looks.ground = Some(ground);
        let wanted = self.looks.wanted().to_owned();
        if wanted != self.looks.worn
            && !self.layers.iter().any(|layer| matches!(layer, Layer::Chooser(chooser) if chooser.what == What::Theme))
        {
            let problems = self.wear(&wanted);
            self.warn(problems);
        }
    }

    /// Files were edited. A theme or a keymap with a fault changes nothing: an operator in the middle of a job must
    /// not lose a key to a typing error.
    pub(super) fn reread(&mut self, read: Reread) {
        self.warn(read.problems);
        self.looks.shelf = read.shelf;
        let (theme, problems) = self.looks.shelf.theme(&self.looks.worn, self.theme.depth, self.theme.glyphs.ascii);
        if !problems.is_empty() {
            self.warn(problems.into_iter().map(|problem| format!("{problem} (the look stays as it was)")).collect());
        } else if theme != self.theme {
            self.hint = Some(format!("theme {} as it was edited", theme.name));
            self.theme = theme;
            self.dirty = true;
        }
        if read.keys != self.looks.keys {
            let before = self.looks.asked_keys();
            self.looks.keys = read.keys;
            let (keymap, problems) = self.looks.keymap();
            if problems.is_empty() {
                self.keymap = keymap;
                self.pending.clear();
                let (asked, now) = (self.looks.asked_keys(), self.looks.keys_in_force());
                self.hint = Some(match asked == before || asked == now {
                    true => "the keys as they were edited".into(),
                    false => {
                        format!("the keys as they were edited; {now}, chosen here, stays until the console is left")
                    }
                });
                self.dirty = true;
            } else {
                self.warn(
                    problems.into_iter().map(|problem| format!("{problem} (the keys stay as they were)")).collect(),
                );
            }
        }
    }

    /// `:theme NAME`, and what enter does in the chooser: on the screen, and kept for the next console.
    pub(super) fn choose_theme(&mut self, name: &str, effects: &mut Vec<Effect>) {
        if !self.looks.shelf.has(name) {
            self.hint = Some(self.looks.shelf.unknown(name));
            return;
        }
        let problems = self.wear(name);
        self.hint = Some(match self.theme.name == name {
            true => format!("theme {name}, kept for the next time"),
            false => format!("theme {name} is kept; without colours it looks like {}", self.theme.name),
        });
        self.looks.chosen = Some(name.to_owned());
        effects.push(Effect::KeepTheme(name.to_owned()));
        self.warn(problems);
    }

    /// `:keymap NAME`, and enter in the chooser: in force at once, and kept for the next console.
    pub(super) fn choose_keymap(&mut self, name: &str, effects: &mut Vec<Effect>) {
        if !Keymap::presets().any(|known| known == name) {
            self.hint = Some(keymap::unknown_preset(name));
            return;
        }
        let asked = self.looks.asked_keys();
        self.looks.switched = Some(name.to_owned());
        let (keymap, problems) = self.looks.keymap();
        self.keymap = keymap;
        self.pending.clear();
        self.hint = Some(match asked == name {
            true => format!("the keys of {name}, kept for the next time"),
            false => {
                format!("the keys of {name}, kept for the next time; they stand over {asked}, until that is edited")
            }
        });
        effects.push(Effect::KeepKeymap { name: name.to_owned(), asked });
        self.dirty = true;
        self.warn(problems);
    }

    pub(super) fn open_themes(&mut self) {
        let chooser = Chooser::themes(&self.looks);
        self.layers.push(Layer::Chooser(Box::new(chooser)));
    }

    pub(in crate::console) fn open_keymaps(&mut self) {
        let chooser = Chooser::keymaps(&self.looks);
        self.layers.push(Layer::Chooser(Box::new(chooser)));
    }
}
