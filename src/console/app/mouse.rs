//! The mouse, where it was asked for: a click focuses, selects and opens, the wheel scrolls what is under the pointer.
//! Where a click falls is worked out from the same layout that is drawn. Rule 3 holds: no click sends anything that
//! enter would not send there, and of what changes the fleet only the armed button does.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::commands::Do;
use super::editor::{Motion, Verb};
use super::files::{Button, Files};
use super::launch::{ALL, At, BUTTONS, FEW, Launch};
use super::list::{Cursor, ListId};
use super::triage::{TriagePane, regroup};
use super::{App, Effect, Layer, LivePane, Pane, View, export, layout, stop};

/// Rows a turn of the wheel moves.
const TURN: usize = 3;

impl App {
    /// F9: reports on or off, for this session.
    pub(super) fn turn_mouse(&mut self, effects: &mut Vec<Effect>) {
        self.mouse_on = !self.mouse_on;
        effects.push(Effect::Mouse(self.mouse_on));
        let key = self.key_to("mouse").unwrap_or_else(|| ":mouse".into());
        self.hint = Some(match self.mouse_on {
            true => {
                format!("the mouse is on: click selects, again opens; text is selected with shift; {key} turns it off")
            }
            false => "the mouse is off: the terminal has it back".into(),
        });
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent, effects: &mut Vec<Effect>) {
        let at = Position::new(mouse.column, mouse.row);
        let down = match mouse.kind {
            MouseEventKind::ScrollUp => Some(false),
            MouseEventKind::ScrollDown => Some(true),
            MouseEventKind::Down(MouseButton::Left) => None,
            _ => return,
        };
        if layout::tiny(self.area) || !self.area.contains(at) {
            return;
        }
        self.dirty = true;
        self.pending.clear();
        let below = self.layers.iter().all(|layer| matches!(layer, Layer::Prompt(_)));
        match (down, below) {
            (Some(down), true) => self.wheel(at, down, effects),
            (Some(down), false) => self.wheel_in_layer(down, effects),
            (None, true) if self.layers.is_empty() => self.click(at, effects),
            (None, _) => self.click_in_layer(at, effects),
        }
    }

    // -- panes -----------------------------------------------------------------------------------------

    fn pane_at(&self, at: Position) -> Option<(Pane, Rect)> {
        let panes = self.overview_panes();
        let all = [
            (panes.scripts, Pane::Scripts),
            (panes.targets, Pane::Targets),
            (panes.jobs, Pane::Jobs),
            (panes.preview, Pane::Preview),
        ];
        all.into_iter().find_map(|(area, pane)| Some((pane, area.filter(|area| area.contains(at))?)))
    }

    fn live_pane_at(&self, at: Position) -> Option<(LivePane, Rect)> {
        let panes = self.live_panes();
        let all = [(panes.grid, LivePane::Grid), (panes.devices, LivePane::Devices), (panes.tail, LivePane::Tail)];
        all.into_iter().find_map(|(area, pane)| Some((pane, area.filter(|area| area.contains(at))?)))
    }

    fn triage_pane_at(&self, at: Position) -> Option<(TriagePane, Rect)> {
        let panes = self.triage_panes();
        let all =
            [(panes.groups, TriagePane::Groups), (panes.members, TriagePane::Members), (panes.diff, TriagePane::Diff)];
        all.into_iter().find_map(|(area, pane)| Some((pane, area.filter(|area| area.contains(at))?)))
    }

    fn click(&mut self, at: Position, effects: &mut Vec<Effect>) {
        match self.view {
            View::Overview => {
                let Some((pane, area)) = self.pane_at(at) else { return };
                let there = self.overview.focus == pane;
                self.overview.focus(pane);
                let list = match pane {
                    Pane::Scripts => ListId::Scripts,
                    Pane::Targets => ListId::Targets,
                    Pane::Jobs => ListId::Jobs,
                    Pane::Preview => return,
                };
                self.click_row(list, area, at, there, effects);
            }
            View::Live => {
                let Some((pane, area)) = self.live_pane_at(at) else { return };
                let Some(live) = &mut self.live else { return };
                let there = live.focus == pane;
                live.focus = pane;
                match pane {
                    LivePane::Devices => self.click_row(ListId::Devices, area, at, there, effects),
                    LivePane::Grid => self.click_cell(area, at, there, effects),
                    LivePane::Tail => {}
                }
            }
            View::Groups => {
                let Some((pane, area)) = self.triage_pane_at(at) else { return };
                let Some(triage) = &mut self.triage else { return };
                let there = triage.focus == pane;
                triage.focus = pane;
                match pane {
                    TriagePane::Groups => self.click_row(ListId::Groups, area, at, there, effects),
                    TriagePane::Members => self.click_row(ListId::Members, area, at, there, effects),
                    TriagePane::Diff => {}
                }
            }
            View::Past => self.click_row(ListId::Found, layout::strips(self.area).body, at, true, effects),
            View::Changes => {
                let body = layout::strips(self.area).body;
                let below = ratatui::layout::Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
                self.click_row(ListId::Changes, below, at, true, effects);
            }
            View::Editor => {}
        }
    }

    /// The row under the pointer is selected; the one that was selected already is opened.
    fn click_row(&mut self, list: ListId, area: Rect, at: Position, there: bool, effects: &mut Vec<Effect>) {
        let rows = layout::list_rows(layout::inner(area));
        let Some(cursor) = self.cursor_of(list) else { return };
        let Some(row) = row_at(rows, at, cursor, self.len_of(list)) else { return };
        let heading = |row: usize| self.tree.rows.get(row).is_some_and(|row| row.kind == super::tree::Kind::Heading);
        if list == ListId::Targets && heading(row) {
            return;
        }
        if there && row == cursor.at {
            self.perform(Do::Open, effects);
        } else {
            self.put_cursor(list, row);
        }
    }

    /// The device of a cell, the worst where there are several; a click on the one that is chosen leads to its row.
    fn click_cell(&mut self, area: Rect, at: Position, there: bool, effects: &mut Vec<Effect>) {
        let (Some(live), Some(held)) = (&mut self.live, &self.held) else { return };
        let Some(run) = live.grid.cell(layout::inner(area), at).and_then(|cell| {
            let runs = cell.iter().filter_map(|run| held.run(*run));
            runs.min_by_key(|run| run.state.rank()).map(|run| run.index)
        }) else {
            return;
        };
        if there && run == live.chosen {
            self.perform(Do::Open, effects);
        } else {
            live.choose(run);
            live.sift();
        }
    }

    /// Scrolls the pane under the pointer; the focus stays where it is.
    fn wheel(&mut self, at: Position, down: bool, effects: &mut Vec<Effect>) {
        let verb = if down { Do::Down } else { Do::Up };
        match self.view {
            View::Overview => {
                let Some((pane, _)) = self.pane_at(at) else { return };
                let focus = std::mem::replace(&mut self.overview.focus, pane);
                let layers = std::mem::take(&mut self.layers);
                (0..TURN).for_each(|_| self.perform(verb, effects));
                (self.layers, self.overview.focus) = (layers, focus);
            }
            View::Live => {
                let Some((pane, _)) = self.live_pane_at(at) else { return };
                let height = layout::rows(self.live_panes().devices);
                let Some(live) = &mut self.live else { return };
                let focus = std::mem::replace(&mut live.focus, pane);
                for _ in 0..TURN {
                    live.go(verb, height);
                }
                live.focus = focus;
            }
            View::Groups => {
                let Some((pane, _)) = self.triage_pane_at(at) else { return };
                let Some(triage) = &mut self.triage else { return };
                let focus = std::mem::replace(&mut triage.focus, pane);
                let layers = std::mem::take(&mut self.layers);
                (0..TURN).for_each(|_| self.perform(verb, effects));
                self.layers = layers;
                if let Some(triage) = &mut self.triage {
                    triage.focus = focus;
                }
            }
            View::Past | View::Changes => (0..TURN).for_each(|_| self.perform(verb, effects)),
            View::Editor if self.layers.is_empty() => {
                let motion = if down { Motion::Down } else { Motion::Up };
                (0..TURN).for_each(|_| self.perform(Do::Editor(Verb::Move(motion)), effects));
            }
            View::Editor => {}
        }
    }

    // -- dialogs and lists above ------------------------------------------------------------------------

    /// Only what scrolls: the wheel chooses nothing in a form.
    fn wheel_in_layer(&mut self, down: bool, effects: &mut Vec<Effect>) {
        let form = match self.layers.last() {
            Some(Layer::Launch(launch)) => launch.picker.is_none() && launch.devices.is_none(),
            Some(Layer::Files(files)) => {
                matches!(**files, Files::New(_) | Files::Rename(_) | Files::Delete(_) | Files::Restore(_))
            }
            Some(
                Layer::Stop(_)
                | Layer::Write(_)
                | Layer::Template(_)
                | Layer::Hold(_)
                | Layer::Export(_)
                | Layer::Regroup(_)
                | Layer::Editor(_)
                | Layer::Prompt(_),
            )
            | None => true,
            Some(_) => false,
        };
        if !form {
            (0..TURN).for_each(|_| self.perform(if down { Do::Down } else { Do::Up }, effects));
        }
    }

    fn click_in_layer(&mut self, at: Position, effects: &mut Vec<Effect>) {
        if let Some(Layer::Help(help)) = self.layers.last_mut() {
            let Some(row) = help.row_at(layout::strips(self.area).body, at) else { return };
            if std::mem::replace(&mut help.cursor.at, row) == row {
                self.perform(Do::Accept, effects);
            }
        } else if self.press(at) {
            self.perform(Do::Accept, effects);
        } else if let Some((rows, cursor, len)) = self.layer_rows()
            && let Some(row) = row_at(rows, at, cursor, len)
        {
            if row == cursor.at {
                self.perform(Do::Accept, effects);
            } else if let Some(cursor) = self.layer_cursor() {
                cursor.at = row;
                self.preview_again();
            }
        }
    }

    /// A button of the dialog is under the pointer: it has the focus now. `true`: a click on it is enter on it.
    fn press(&mut self, at: Position) -> bool {
        let body = layout::strips(self.area).body;
        let area = self.area;
        let dialog = |size: (u16, u16), words: [&str; 2]| {
            let inside = layout::inner(layout::middle(body, size));
            layout::buttons(layout::last_row(inside), words).iter().position(|button| button.contains(at))
        };
        match self.layers.last_mut() {
            Some(Layer::Stop(stop)) => {
                let Some(button) = dialog(layout::STOP, ["Cancel", "Stop"]) else {
                    let inside = layout::inner(layout::middle(body, layout::STOP));
                    let choice = stop::CHOICES.get(usize::from(at.y.saturating_sub(inside.y) / layout::CHOICE));
                    if let Some(choice) = choice.filter(|_| inside.contains(at) && !stop.sent) {
                        stop.choose(*choice);
                    }
                    return false;
                };
                stop.at = if button == 1 { stop::At::Stop } else { stop::At::Cancel };
            }
            Some(Layer::Write(ask)) => {
                let Some(button) = dialog(layout::WRITE, ["Cancel", "Write"]) else { return false };
                ask.on_yes = button == 1;
            }
            Some(Layer::Hold(ask)) => {
                let Some(button) = dialog(ask.size(body), ["Cancel", &ask.word]) else { return false };
                ask.on_yes = button == 1;
            }
            Some(Layer::Template(ask)) => {
                let Some(button) = dialog(layout::TEMPLATE, ["Cancel", ask.word()]) else { return false };
                ask.on_yes = button == 1;
            }
            Some(Layer::Regroup(ask)) => {
                let Some(button) = dialog(layout::REGROUP, ["Cancel", ask.word()]) else { return false };
                ask.at = if button == 1 { regroup::At::Do } else { regroup::At::Cancel };
            }
            Some(Layer::Export(export)) => {
                let Some(button) = dialog(layout::EXPORT, ["Cancel", export.word()]) else { return false };
                export.at = if button == 1 { export::At::Export } else { export::At::Cancel };
            }
            Some(Layer::Files(files)) => match &mut **files {
                Files::Rename(ask) => {
                    let Some(button) = dialog(layout::RENAME, ["Cancel", "Rename"]) else { return false };
                    ask.at = if button == 1 { Button::Do } else { Button::Cancel };
                }
                Files::Delete(ask) => {
                    let Some(button) = dialog(layout::DELETE, ["Cancel", "Delete"]) else { return false };
                    ask.on_delete = button == 1;
                }
                Files::Restore(ask) => {
                    let Some(button) = dialog(layout::RESTORE, ["Cancel", "Go back"]) else { return false };
                    ask.on_restore = button == 1;
                }
                _ => return false,
            },
            Some(Layer::Launch(launch)) => return press_launch(launch, area, at),
            _ => return false,
        }
        true
    }

    /// Rows, cursor and length of the list that is open above everything, where it is one.
    fn layer_rows(&self) -> Option<(Rect, Cursor, usize)> {
        let body = layout::strips(self.area).body;
        let popup = |size: (u16, u16)| layout::inner(layout::middle(body, size));
        Some(match self.layers.last()? {
            Layer::Menu(menu) => (popup(layout::menu(menu.rows.len())), menu.cursor, menu.rows.len()),
            Layer::Copy(menu) => (popup(layout::copy(menu.items.len())), menu.cursor, menu.items.len()),
            Layer::Palette(palette) => {
                let (size, rows) = layout::palette(self.area);
                (rows_below(popup(size), 2, rows), palette.cursor, palette.found.len())
            }
            Layer::Chooser(chooser) => (layout::chooser_rows(self.area, chooser), chooser.cursor, chooser.shown.len()),
            Layer::Launch(launch) => match (&launch.picker, &launch.devices) {
                (Some((_, picker)), _) => (layout::chooser_rows(self.area, picker), picker.cursor, picker.shown.len()),
                (None, Some(list)) => {
                    (layout::list_rows(popup((body.width, body.height + 1))), list.cursor, list.order.len())
                }
                (None, None) => return None,
            },
            Layer::Log(log) => {
                let filtered = log.typing || !log.filter.is_empty();
                (layout::log_rows(layout::inner(body), filtered), log.cursor, log.listed(self).len())
            }
            Layer::Files(files) => match &**files {
                Files::Versions(list) => {
                    let of = list.all.as_ref().and_then(|all| all.as_ref().ok()).map_or(0, Vec::len);
                    (popup(layout::files(body, of)), list.cursor, list.narrow.shown.len())
                }
                Files::Trash(list) => {
                    let of = list.all.as_ref().and_then(|all| all.as_ref().ok()).map_or(0, Vec::len);
                    (popup(layout::files(body, of)), list.cursor, list.narrow.shown.len())
                }
                Files::With(with) => {
                    (popup(layout::files(body, with.rows.len())), with.cursor, with.narrow.shown.len())
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn layer_cursor(&mut self) -> Option<&mut Cursor> {
        Some(match self.layers.last_mut()? {
            Layer::Menu(menu) => &mut menu.cursor,
            Layer::Copy(menu) => &mut menu.cursor,
            Layer::Palette(palette) => &mut palette.cursor,
            Layer::Chooser(chooser) => &mut chooser.cursor,
            Layer::Launch(launch) => match (&mut launch.picker, &mut launch.devices) {
                (Some((_, picker)), _) => &mut picker.cursor,
                (None, Some(list)) => &mut list.cursor,
                (None, None) => return None,
            },
            Layer::Log(log) => &mut log.cursor,
            Layer::Files(files) => match &mut **files {
                Files::Versions(list) => &mut list.cursor,
                Files::Trash(list) => &mut list.cursor,
                Files::With(with) => &mut with.cursor,
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// Of the launch dialog: a button, or the block that was clicked. A click on Launch is enter only once it is armed.
fn press_launch(launch: &mut Launch, area: Rect, at: Position) -> bool {
    if launch.sent || launch.picker.is_some() || launch.devices.is_some() {
        return false;
    }
    let form = layout::launch(area, launch.fields.iter().filter(|field| field.block == 0).count());
    let button = match form.buttons.width {
        ALL.. => pressed(form.buttons, BUTTONS, at),
        _ => pressed(form.buttons, FEW, at),
    };
    match button {
        Some(button) => launch.at = button,
        None => {
            let blocks: Vec<(Rect, u8)> = match launch.alone {
                true => vec![(form.room, launch.block())],
                false => form.blocks.iter().zip(0..).filter_map(|(block, n)| Some(((*block)?, n))).collect(),
            };
            if let Some((area, block)) = blocks.into_iter().find(|(area, _)| area.contains(at)) {
                match launch.field_at(block, layout::inner(area), at) {
                    Some(field) => launch.at = At::Field(field),
                    None => launch.jump(block),
                }
            }
            return false;
        }
    }
    true
}

/// The button of a row that stands there.
fn pressed<const N: usize>(row: Rect, buttons: [(&'static str, At); N], at: Position) -> Option<At> {
    let places = layout::buttons(row, buttons.map(|(word, _)| word));
    places.iter().zip(buttons).find(|(place, _)| place.contains(at)).map(|(_, (_, button))| button)
}

fn rows_below(inside: Rect, skip: u16, rows: usize) -> Rect {
    let height = (rows as u16).min(inside.height.saturating_sub(skip));
    Rect { y: inside.y + skip.min(inside.height), height, ..inside }
}

/// The row of a list that stands there.
fn row_at(rows: Rect, at: Position, cursor: Cursor, len: usize) -> Option<usize> {
    if !rows.contains(at) {
        return None;
    }
    let window = cursor.window(len, usize::from(rows.height));
    let row = window.start + usize::from(at.y - rows.y);
    (row < window.end).then_some(row)
}
