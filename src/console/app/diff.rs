//! Two texts beside or below each other: what is on screen of a comparison, and the way through it. The comparing is
//! done off the loop; a text that is not at hand is fetched there, too.

use super::commands::Do;
use super::editor::{Then, Verb};
use super::layers::Next;
use super::{App, Effect, Layer, layout};
use crate::model::diff::{Diff, Row};
use crate::model::wire::Problem;

/// Writes the file, in the editor and where its changes are looked at.
const SAVE: Do = Do::Editor(Verb::Save);

/// One of two texts, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub title: String,
    pub text: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Bytes(Vec<u8>),
    /// A script of the library, as it is now.
    Script(String),
    /// One of its versions.
    Version {
        name: String,
        version: String,
    },
}

#[derive(Debug)]
pub struct DiffView {
    pub titles: (String, String),
    pub state: State,
    pub scroll: Scroll,
    /// Side by side, or one below the other; `None`: as there is room.
    pub wide: Option<bool>,
    /// The right text is the editor's, to be saved from here: which button has the focus.
    pub save: Option<Button>,
    /// Numbers, times and names are set aside here: the command that leaves them in.
    pub raw: Option<String>,
    serial: u64,
}

/// Where a comparison is read: first row shown, and first column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    pub top: usize,
    pub left: usize,
}

impl Scroll {
    /// Motions. `None`: the verb was none; else what is to be said of it.
    pub fn go(&mut self, lines: &[Line], verb: Do, page: usize) -> Option<Option<&'static str>> {
        let last = lines.len().saturating_sub(page.max(1));
        let head = |line: &Line| matches!(line, Line::Hunk(_));
        let mut said = None;
        match verb {
            Do::Down => self.top += 1,
            Do::Up => self.top = self.top.saturating_sub(1),
            Do::HalfDown => self.top += (page / 2).max(1),
            Do::HalfUp => self.top = self.top.saturating_sub((page / 2).max(1)),
            Do::PageDown => self.top += page,
            Do::PageUp => self.top = self.top.saturating_sub(page),
            Do::First => self.top = 0,
            Do::Last => self.top = last,
            Do::Expand => self.left += 8,
            Do::Collapse => self.left = self.left.saturating_sub(8),
            Do::NextChange => {
                let next = lines.iter().skip(self.top + 1).position(head).map(|at| self.top + 1 + at);
                match next.filter(|at| *at <= last) {
                    Some(at) => self.top = at,
                    None if self.top < last => self.top = last,
                    None => said = Some("that was the last change"),
                }
            }
            Do::PreviousChange => match lines.iter().take(self.top.min(lines.len())).rposition(head) {
                Some(at) => self.top = at,
                None => said = Some("this is the first change"),
            },
            _ => return None,
        }
        self.top = self.top.min(last);
        Some(said)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Back,
    Save,
}

#[derive(Debug)]
pub enum State {
    Comparing,
    Ready(Box<Shown>),
    Failed(String),
}

/// A comparison laid out both ways.
#[derive(Debug)]
pub struct Shown {
    pub diff: Diff,
    /// One below the other: a row a line.
    pub below: Vec<Line>,
    /// Side by side: what was taken away stands beside what came for it.
    pub beside: Vec<Line>,
}

/// One row of the screen; lines by their numbers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Which hunk begins here.
    Hunk(usize),
    Same(u32, u32),
    /// What was there, what is there. One below the other: the other one is told for the words' sake.
    Changed {
        left: Option<u32>,
        right: Option<u32>,
        shows_left: bool,
    },
}

impl DiffView {
    fn new(titles: (String, String), serial: u64) -> Self {
        let (state, scroll) = (State::Comparing, Scroll::default());
        Self { titles, state, scroll, wide: None, save: None, raw: None, serial }
    }

    /// Side by side on a screen of this width.
    pub fn beside(&self, width: u16) -> bool {
        self.wide.unwrap_or(width >= layout::WIDE)
    }
}

impl Shown {
    pub fn of(diff: Diff) -> Self {
        let (mut below, mut beside) = (Vec::new(), Vec::new());
        for (n, hunk) in diff.hunks.iter().enumerate() {
            below.push(Line::Hunk(n));
            beside.push(Line::Hunk(n));
            let rows = &diff.rows[hunk.rows.clone()];
            let mut at = 0;
            while at < rows.len() {
                if let Row::Same(left, right) = rows[at] {
                    below.push(Line::Same(left, right));
                    beside.push(Line::Same(left, right));
                    at += 1;
                    continue;
                }
                let changed = rows[at..].iter().take_while(|row| !matches!(row, Row::Same(..)));
                let (mut gone, mut came) = (Vec::new(), Vec::new());
                for row in changed {
                    match row {
                        Row::Del(line) => gone.push(*line),
                        Row::Add(line) => came.push(*line),
                        Row::Same(..) => {}
                    }
                    at += 1;
                }
                let pair = |n: usize, shows_left| {
                    let (left, right) = (gone.get(n).copied(), came.get(n).copied());
                    Line::Changed { left, right, shows_left }
                };
                below.extend((0..gone.len()).map(|n| pair(n, true)));
                below.extend((0..came.len()).map(|n| pair(n, false)));
                beside.extend((0..gone.len().max(came.len())).map(|n| pair(n, true)));
            }
        }
        Self { diff, below, beside }
    }

    pub fn lines(&self, wide: bool) -> &[Line] {
        if wide { &self.beside } else { &self.below }
    }
}

impl App {
    /// Compares two texts in a view above everything that is open.
    pub fn open_diff(&mut self, left: Side, right: Side, effects: &mut Vec<Effect>) {
        let view = self.diff_view(left, right, effects);
        self.layers.push(view);
    }

    /// The same for who puts it above itself.
    pub(super) fn diff_view(&mut self, left: Side, right: Side, effects: &mut Vec<Effect>) -> Layer {
        self.shelf.serial += 1;
        let serial = self.shelf.serial;
        let titles = (left.title.clone(), right.title.clone());
        let view = DiffView::new(titles, serial);
        effects.push(Effect::Compare { serial, left, right });
        Layer::Diff(Box::new(view))
    }

    /// A view of two outputs that are being compared elsewhere, above everything; the number that its answer comes under.
    pub(super) fn await_diff(&mut self, titles: (String, String), raw: String) -> u64 {
        self.shelf.serial += 1;
        let serial = self.shelf.serial;
        let view = DiffView { raw: Some(raw), ..DiffView::new(titles, serial) };
        self.layers.push(Layer::Diff(Box::new(view)));
        serial
    }

    /// The saved text and the editor's: the file is written from here, or left as it is.
    pub(super) fn open_save(&mut self, left: Side, right: Side, effects: &mut Vec<Effect>) {
        let mut view = self.diff_view(left, right, effects);
        if let Layer::Diff(view) = &mut view {
            view.save = Some(Button::Save);
        }
        self.layers.push(view);
    }

    pub(super) fn compared(&mut self, serial: u64, answer: Result<Diff, Problem>) {
        for layer in &mut self.layers {
            if let Layer::Diff(view) = layer
                && view.serial == serial
            {
                view.state = match answer {
                    Ok(diff) => State::Ready(Box::new(Shown::of(diff))),
                    Err(problem) => State::Failed(problem.error),
                };
                return;
            }
        }
        self.past_compared(serial, answer);
    }

    /// Rows of a comparison on this screen.
    fn diff_page(&self, view: &DiffView) -> usize {
        layout::inside(layout::strips(self.area).body).saturating_sub(usize::from(view.save.is_some())).max(1)
    }

    pub(super) fn in_diff(&mut self, view: &mut DiffView, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let page = self.diff_page(view);
        if matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack) {
            return Next::Close;
        }
        let State::Ready(shown) = &view.state else { return Next::Stay };
        match (view.save, verb) {
            (Some(_), SAVE) | (Some(Button::Save), Do::Accept | Do::Open) => {
                self.save(Then::Stay, false, effects);
                return Next::Close;
            }
            (None, SAVE) => {
                self.hint = Some("nothing to save here: this is no text of the editor's".into());
                return Next::Stay;
            }
            (Some(Button::Back), Do::Accept | Do::Open) => return Next::Close,
            (Some(at), Do::NextField | Do::PreviousField) => {
                view.save = Some(if at == Button::Save { Button::Back } else { Button::Save });
                return Next::Stay;
            }
            _ => {}
        }
        if verb == Do::Layout {
            view.wide = Some(!view.beside(self.area.width));
            view.scroll.top = 0;
            return Next::Stay;
        }
        let lines = shown.lines(view.beside(self.area.width));
        let verb = match verb {
            Do::Accept | Do::Toggle => Do::PageDown,
            Do::NextField => Do::NextChange,
            Do::PreviousField => Do::PreviousChange,
            verb => verb,
        };
        // notes stand above the lines, on two rows each at most
        let page = page.saturating_sub(2 * shown.diff.notes.len()).max(1);
        match view.scroll.go(lines, verb, page) {
            Some(said) => self.hint = said.map(str::to_owned),
            None => self.hint = Some("that means nothing here".into()),
        }
        Next::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_stands_beside_what_it_came_for() {
        let shown = Shown::of(Diff::of(b"a\nb\nc\n", b"a\nB\nnew\nc\n"));
        let changed = |left, right, shows_left| Line::Changed { left, right, shows_left };
        assert_eq!(
            shown.beside,
            [
                Line::Hunk(0),
                Line::Same(0, 0),
                changed(Some(1), Some(1), true),
                changed(None, Some(2), true),
                Line::Same(2, 3),
            ]
        );
        assert_eq!(
            shown.below[2..5],
            [changed(Some(1), Some(1), true), changed(Some(1), Some(1), false), changed(None, Some(2), false)]
        );
    }
}
