//! vi's `.`: the last change once more. Owns what was typed for it.

use ratatui::layout::Rect;

use super::vi::Mode;
use super::{Editor, Verb};
use crate::console::editor::buffer::Full;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed {
    Letter(char),
    Verb(Verb),
    Pasted(String),
    Escape,
}

#[derive(Clone, Debug, Default)]
pub struct Again {
    /// Since the last command was complete, and how often the text had changed by then.
    typed: Vec<Typed>,
    serial: u64,
    /// The last command that changed the text.
    last: Vec<Typed>,
}

impl Editor {
    /// Before something is typed while vi keys are on.
    pub(super) fn vi_types(&mut self, typed: Typed) {
        let serial = self.buffer.serial;
        let Some(vi) = &mut self.vi else { return };
        if vi.rests() {
            vi.again.typed.clear();
            vi.again.serial = serial;
        }
        vi.again.typed.push(typed);
    }

    /// After it: a command that is complete and has changed the text can be repeated.
    pub(super) fn vi_typed(&mut self) {
        let serial = self.buffer.serial;
        let Some(vi) = &mut self.vi else { return };
        if vi.rests() && serial != vi.again.serial {
            vi.again.last = std::mem::take(&mut vi.again.typed);
            vi.again.serial = serial;
        }
    }

    /// What was done is none to be repeated.
    pub(super) fn vi_forgets(&mut self) {
        let serial = self.buffer.serial;
        if let Some(vi) = &mut self.vi {
            vi.again.typed.clear();
            vi.again.serial = serial;
        }
    }

    /// The last change once more, as one step to undo; a count takes the place of the one it was typed with.
    pub(super) fn vi_repeat(&mut self, count: Option<usize>, area: Rect) -> Result<(), Full> {
        let Some(mut typed) = self.vi.as_ref().map(|vi| vi.again.last.clone()) else { return Ok(()) };
        if let Some(count) = count {
            let digits = typed.iter().take_while(|typed| matches!(typed, Typed::Letter('0'..='9'))).count();
            typed.splice(..digits, count.to_string().chars().map(Typed::Letter));
        }
        self.buffer.pause();
        let steps = self.buffer.steps();
        let done = typed.iter().try_for_each(|typed| self.vi_replay(typed, area));
        self.buffer.join(steps);
        if let Some(vi) = &mut self.vi {
            vi.again.last = typed;
        }
        self.vi_forgets();
        done
    }

    fn vi_replay(&mut self, typed: &Typed, area: Rect) -> Result<(), Full> {
        let at = self.buffer.cursor();
        match typed {
            Typed::Letter(c) if self.vi.as_ref().is_some_and(|vi| vi.mode == Mode::Insert) => self.type_char(*c),
            Typed::Letter(c) => self.vi_key(*c, area).map(drop),
            Typed::Verb(Verb::Newline) => self.newline(),
            Typed::Verb(Verb::Backspace) => self.backspace(),
            Typed::Verb(Verb::Delete) => self.delete_to(self.right_of(at)),
            Typed::Verb(Verb::DeleteWordLeft) => self.delete_to(self.word_left(at)),
            Typed::Verb(Verb::Indent) => self.indent(),
            Typed::Verb(_) => Ok(()),
            Typed::Pasted(text) => self.insert_pasted(text),
            Typed::Escape => {
                self.vi_escape();
                Ok(())
            }
        }
    }
}
