//! A target expression being written: resolved by the engine while it is typed, kept on enter.

use super::event::Effect;
use super::form::Text;
use crate::model::wire::{Problem, Resolved};

#[derive(Debug)]
pub struct Prompt {
    pub text: Text,
    /// The kept expression this was opened on: it is replaced, or forgotten when the text is empty.
    pub replaces: Option<String>,
    pub answer: Option<Result<(usize, String), Problem>>,
    asked: Option<String>,
    dirty: bool,
}

impl Prompt {
    pub fn new(text: &str, replaces: Option<String>) -> Self {
        Self { text: Text::new(text), replaces, answer: None, asked: None, dirty: true }
    }

    pub fn edited(&mut self) {
        self.dirty = true;
    }

    pub fn reset(&mut self) {
        (self.asked, self.dirty) = (None, true);
    }

    /// One question at a time, the latest wins.
    pub fn settle(&mut self) -> Option<Effect> {
        if !self.dirty || self.asked.is_some() {
            return None;
        }
        self.dirty = false;
        let expr = self.text.text().trim().to_owned();
        if expr.is_empty() {
            self.answer = None;
            return None;
        }
        self.asked = Some(expr.clone());
        Some(Effect::Resolve(expr))
    }

    /// `true`: it was this one's question.
    pub fn answered(&mut self, expr: &str, answer: &Result<Resolved, Problem>) -> bool {
        if self.asked.as_deref() != Some(expr) {
            return false;
        }
        self.asked = None;
        self.answer =
            Some(answer.as_ref().map(|resolved| (resolved.count, resolved.folded.clone())).map_err(Problem::clone));
        true
    }
}
