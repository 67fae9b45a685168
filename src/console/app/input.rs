//! From a key press to a command: the topmost layer's text entry first, then the keymap in the focused context.

use crossterm::event::KeyEvent;

use super::commands::{self, Command, Do};
use super::help;
use super::launch::At;
use super::layers::Next;
use super::prompt::{Prompt, Used};
use super::stop;
use super::{App, Effect, Layer, View};
use crate::console::app::form::{Arm, Input};
use crate::console::app::launch::Slot;
use crate::console::keymap::{Chord, Found};

impl App {
    pub(super) fn key(&mut self, key: &KeyEvent, effects: &mut Vec<Effect>) {
        let Some(chord) = Chord::of(*key) else { return };
        self.dirty = true;
        self.hint = None;
        if self.pending.is_empty() && (self.text_entry(key) || self.menu_entry(chord, effects)) {
            return;
        }
        self.pending.push(chord);
        let contexts = self.contexts();
        let found = match self.keymap.resolve(contexts, &self.pending) {
            Found::Command(name) => commands::find(contexts, name),
            Found::Prefix(_) => return,
            Found::None => None,
        };
        let pressed = std::mem::take(&mut self.pending);
        match found {
            Some(command) => match self.why_not_here(command) {
                Some(why) => self.hint = Some(why),
                None => self.perform(command.verb, effects),
            },
            None => {
                let keys: Vec<String> = pressed.iter().map(ToString::to_string).collect();
                let other = self.other_case(&pressed).map_or_else(String::new, |other| format!("; {other}"));
                self.hint = Some(format!("{} means nothing here{other}", keys.join(" ")));
            }
        }
    }

    /// What the same letters in the other case mean here: `R f: rerun on those that failed`.
    fn other_case(&self, pressed: &[Chord]) -> Option<String> {
        let mut keys: Vec<Chord> = pressed.iter().map(|chord| chord.other_case()).collect::<Option<_>>()?;
        let contexts = self.contexts();
        let name = match self.keymap.resolve(contexts, &keys) {
            Found::Command(name) => name.to_owned(),
            Found::Prefix(next) => {
                let (chord, name) = next.into_iter().next()?;
                keys.push(chord);
                name
            }
            Found::None => return None,
        };
        let doc = commands::find(contexts, &name)?.doc;
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        Some(format!("{}: {doc}", keys.join(" ")))
    }

    /// The keys of a command here.
    pub fn keys_of(&self, command: &Command) -> Vec<String> {
        help::keys_here(&self.keymap, self.contexts(), command)
    }

    /// The same in the place below all menus.
    pub fn keys_below(&self, command: &Command) -> Vec<String> {
        help::keys_here(&self.keymap, self.place_contexts(), command)
    }

    /// The first key of a command that holds everywhere.
    pub fn key_to(&self, name: &str) -> Option<String> {
        self.keymap.keys_for("global", name).into_iter().next()
    }

    /// Text fields take what is text. `true`: used up.
    fn text_entry(&mut self, key: &KeyEvent) -> bool {
        match self.layers.last_mut() {
            Some(Layer::Launch(launch)) => {
                if launch.devices.is_some() || launch.sent {
                    return false;
                }
                if let Some((_, picker)) = &mut launch.picker {
                    return picker.key(key);
                }
                let At::Field(at) = launch.at else {
                    if launch.arm.key(key) {
                        // Armed: enter is the last step. Anything else leads back to where it is typed.
                        launch.at = if launch.armed() { At::Launch } else { At::Arm };
                        return true;
                    }
                    if launch.at == At::Arm && launch.current() && Arm::mistakes(key) {
                        self.hint = Some(launch.arm.asks());
                        return true;
                    }
                    return false;
                };
                let Some(field) = launch.fields.get_mut(at) else { return false };
                if !field.input.key(key) {
                    return false;
                }
                let slot = field.slot.clone();
                if matches!(slot, Slot::Script | Slot::Template) {
                    let Some(Layer::Launch(mut launch)) = self.layers.pop() else { return true };
                    self.chosen_in(&mut launch, &slot);
                    self.layers.push(Layer::Launch(launch));
                } else if !matches!(slot, Slot::Answer(_)) {
                    launch.edited();
                }
                true
            }
            Some(Layer::Help(help)) => {
                // Asking for help in help shows every key there is; a filter needs no key of its own here.
                let chord = Chord::of(*key).filter(|_| help.filter.is_empty());
                let first = chord.and_then(Chord::text);
                let bound = |chord| matches!(self.keymap.resolve(&["help"], &[chord]), Found::Command(_));
                if first == Some('?') {
                    help.all = !help.all;
                } else if first == Some('/') {
                    help.typing = true;
                    return true;
                } else if (!help.typing && chord.is_some_and(bound)) || !help.filter.key(key) {
                    return false;
                }
                help.find(&self.keymap);
                true
            }
            Some(Layer::Prompt(prompt)) => {
                let used = prompt.key(key, self.histories.of(prompt.purpose));
                if used == Used::Edited {
                    self.with_prompt(|_| {});
                }
                used != Used::No
            }
            Some(Layer::Stop(stop)) => {
                if stop.sent || !stop.arm.key(key) {
                    return false;
                }
                stop.at = if stop.armed() { stop::At::Stop } else { stop::At::Arm };
                true
            }
            Some(Layer::Chooser(chooser)) => {
                let used = chooser.key(key);
                if used {
                    self.preview_again();
                }
                used
            }
            Some(Layer::Palette(palette)) => {
                let used = palette.query.key(key);
                if used {
                    self.find_again();
                }
                used
            }
            Some(Layer::Log(log)) => log.key(key),
            Some(Layer::Files(files)) => files.key(key, self.now),
            Some(Layer::Export(export)) => export.key(key),
            Some(
                Layer::Copy(_)
                | Layer::Menu(_)
                | Layer::Write(_)
                | Layer::Template(_)
                | Layer::Hold(_)
                | Layer::Regroup(_)
                | Layer::Window(_)
                | Layer::Diff(_)
                | Layer::Pages(_)
                | Layer::Editor(_),
            ) => false,
            None => self.editor_entry(key),
        }
    }

    /// In the `x` menu the verbs' own keys choose, in the copy menu a digit does. `true`: used up.
    fn menu_entry(&mut self, chord: Chord, effects: &mut Vec<Effect>) -> bool {
        if let Some(Layer::Copy(menu)) = self.layers.last_mut() {
            let row = chord.text().and_then(|c| c.to_digit(10)).and_then(|n| (n as usize).checked_sub(1));
            let Some(row) = row.filter(|row| *row < menu.items.len()) else { return false };
            menu.cursor.at = row;
            self.perform(Do::Accept, effects);
            return true;
        }
        let Some(Layer::Menu(_)) = self.layers.last() else { return false };
        let Some(Layer::Menu(mut menu)) = self.layers.pop() else { return false };
        let next = self.menu_key(&mut menu, chord);
        let used = next.is_some();
        match next {
            Some(Next::Act(act)) => self.act(act, effects),
            _ => self.layers.push(Layer::Menu(menu)),
        }
        used
    }

    /// The cursor of the chooser may be on another row.
    pub(super) fn preview_again(&mut self) {
        if let Some(Layer::Chooser(chooser)) = self.layers.pop_if(|layer| matches!(layer, Layer::Chooser(_))) {
            self.preview(&chooser);
            self.layers.push(Layer::Chooser(chooser));
        }
    }

    fn find_again(&mut self) {
        if let Some(Layer::Palette(mut palette)) = self.layers.pop() {
            self.find_in(&mut palette);
            self.layers.push(Layer::Palette(palette));
        }
    }

    /// Changes the topmost prompt's line, and tells its owner.
    fn with_prompt(&mut self, change: impl FnOnce(&mut Prompt)) {
        if let Some(Layer::Prompt(mut prompt)) = self.layers.pop_if(|layer| matches!(layer, Layer::Prompt(_))) {
            change(&mut prompt);
            self.prompt_edited(&mut prompt);
            self.layers.push(Layer::Prompt(prompt));
        }
    }

    /// Pasted text is text, never keys; and a count must be typed.
    pub(super) fn paste(&mut self, text: &str) {
        self.dirty = true;
        match self.layers.last_mut() {
            Some(Layer::Launch(launch)) if !launch.sent => {
                if let Some((_, picker)) = &mut launch.picker {
                    picker.paste(text);
                } else if let Some(field) = launch.focused() {
                    field.input.paste(text);
                    if !matches!(field.input, Input::Flag(_) | Input::Choice { .. } | Input::Picks(_))
                        && !matches!(field.slot, Slot::Answer(_))
                    {
                        launch.edited();
                    }
                }
            }
            Some(Layer::Help(help)) => {
                help.filter.paste(text);
                help.find(&self.keymap);
            }
            Some(Layer::Chooser(chooser)) => {
                chooser.paste(text);
                self.preview_again();
            }
            Some(Layer::Palette(palette)) => {
                palette.query.paste(text);
                self.find_again();
            }
            Some(Layer::Prompt(_)) => self.with_prompt(|prompt| prompt.paste(text)),
            None if self.view == View::Editor => self.editor_paste(text),
            Some(Layer::Files(files)) => {
                if !files.paste(text, self.now) {
                    self.hint = Some("what arms a button is typed: nothing was pasted".into());
                }
            }
            Some(Layer::Export(export)) => {
                if !export.paste(text) {
                    self.hint = Some("there is no field for a text now: nothing was pasted".into());
                }
            }
            _ => self.hint = Some("pasted text belongs in a field: nothing was done".into()),
        }
    }
}
