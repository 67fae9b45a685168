//! What is text while the editor is seen: letters for the script, or for the bar at its foot. All other keys are
//! commands of the keymap.

use crossterm::event::KeyEvent;

use super::search::Bar;
use crate::console::app::{App, View};
use crate::console::keymap::Chord;

/// Keys that vi has for what the keymap gives to something else.
const VI: [(&str, Control); 7] = [
    ("^r", Control::Redo),
    ("^d", Control::Half(true)),
    ("^u", Control::Half(false)),
    ("^f", Control::Page(true)),
    ("^b", Control::Page(false)),
    ("^e", Control::Half(true)),
    ("^y", Control::Half(false)),
];

#[derive(Clone, Copy)]
enum Control {
    Redo,
    Half(bool),
    Page(bool),
}

impl App {
    /// `true`: the key was text, and is used up.
    pub(in crate::console::app) fn editor_entry(&mut self, key: &KeyEvent) -> bool {
        if self.view != View::Editor {
            return false;
        }
        let area = self.area;
        let Some(chord) = Chord::of(*key) else { return false };
        let returned = std::mem::take(&mut self.editing.returned);
        let Some(editor) = &mut self.editing.open else { return false };
        if returned && chord.text() == Some('q') {
            // The second of two: whoever leaves a job like that does not mean to write it.
            self.hint = Some("q is text here, and was not written; again: it is".into());
            return true;
        }
        if let Some(bar) = &mut editor.bar {
            let sought = matches!(bar, Bar::Find(find) if !find.second);
            if !bar.text().key(key) {
                return false;
            }
            if sought {
                editor.pattern_changed();
            }
            return true;
        }
        if let Some(c) = chord.text() {
            self.editor_letter(c);
            return true;
        }
        if editor.vi.as_ref().is_some_and(|vi| !vi.writes()) {
            let pressed = chord.to_string();
            let Some((_, control)) = VI.iter().find(|(keys, _)| *keys == pressed) else { return false };
            match control {
                Control::Redo => self.undo(false),
                Control::Half(down) => editor.half_page(*down, area),
                Control::Page(down) => editor.vi_page(*down, area),
            }
            return true;
        }
        false
    }
}
