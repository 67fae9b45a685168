//! The mouse: the wheel moves in the pane below it, a click puts the focus there. Refuses more than that: no click
//! opens, launches or ends anything, and in a dialog only the wheel does something.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::commands::Do;
use super::{App, Effect, LivePane, Pane, View, layout};

/// Rows a turn of the wheel moves.
const TURN: usize = 3;

impl App {
    pub(super) fn turn_mouse(&mut self, effects: &mut Vec<Effect>) {
        self.mouse_on = !self.mouse_on;
        let off = self.key_to("mouse").unwrap_or_else(|| ":mouse".into());
        self.hint = Some(match self.mouse_on {
            true => format!("the mouse is on: text is selected with shift; {off} turns it off"),
            false => "the mouse is off: the terminal has it back".to_owned(),
        });
        effects.push(Effect::Mouse(self.mouse_on));
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent, effects: &mut Vec<Effect>) {
        let at = Position::new(mouse.column, mouse.row);
        let verb = match mouse.kind {
            MouseEventKind::ScrollUp => Some(Do::Up),
            MouseEventKind::ScrollDown => Some(Do::Down),
            MouseEventKind::Down(MouseButton::Left) => None,
            _ => return,
        };
        if layout::tiny(self.area) || !self.area.contains(at) {
            return;
        }
        self.dirty = true;
        if self.layers.is_empty() {
            self.focus_at(at);
        }
        if let Some(verb) = verb {
            (0..TURN).for_each(|_| self.perform(verb, effects));
        }
    }

    fn focus_at(&mut self, at: Position) {
        let hit = |pane: Option<Rect>| pane.is_some_and(|pane| pane.contains(at));
        match self.view {
            View::Overview => {
                let panes = self.overview_panes();
                let found = [
                    (panes.scripts, Pane::Scripts),
                    (panes.targets, Pane::Targets),
                    (panes.jobs, Pane::Jobs),
                    (panes.preview, Pane::Preview),
                ];
                if let Some((_, pane)) = found.into_iter().find(|(area, _)| hit(*area)) {
                    self.overview.focus(pane);
                }
            }
            View::Live => {
                let panes = self.live_panes();
                let Some(live) = &mut self.live else { return };
                let found =
                    [(panes.grid, LivePane::Grid), (panes.devices, LivePane::Devices), (panes.tail, LivePane::Tail)];
                if let Some((_, pane)) = found.into_iter().find(|(area, _)| hit(*area)) {
                    live.focus = pane;
                }
            }
            _ => {}
        }
    }
}
