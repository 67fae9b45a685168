//! The screen as a function of the state: `draw` takes `&App`, changes nothing, and touches only rows that are
//! visible. One file a region; a colour is always a role of the theme, a sign always one of its glyphs.

mod cells;
mod changes;
mod chooser;
mod chrome;
mod dialog;
mod diff;
mod editor;
mod export;
mod files;
#[cfg(test)]
mod form_tests;
mod gauge;
mod grid;
mod help;
mod launch;
#[cfg(test)]
mod list_tests;
mod live;
mod log;
#[cfg(test)]
mod macs_tests;
mod menu;
mod overview;
mod pages;
mod palette;
mod past;
#[cfg(test)]
mod past_tests;
#[cfg(test)]
mod pictures;
mod preview;
mod prompt;
#[cfg(test)]
mod reader_tests;
mod rings;
mod scripts;
mod states;
mod table;
mod tail;
mod targets;
#[cfg(test)]
mod tests;
mod triage;
#[cfg(test)]
mod triage_tests;
mod waiting;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::{App, Layer, View, layout};
use super::theme::{Role, glyphs};

/// Draws the whole screen. Tells where the terminal's cursor belongs, if a text is being written.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    buf.set_style(area, app.theme.base());
    let cursor = if layout::tiny(area) {
        chrome::tiny(app, area, buf);
        None
    } else {
        screen(app, area, buf)
    };
    if app.theme.glyphs.ascii {
        ascii(area, buf);
    }
    cursor
}

fn screen(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let strips = layout::strips(area);
    let mut cursor = None;
    // A layer as large as the screen hides what is below: that is not drawn at all.
    let covered = app.layers.iter().rposition(|layer| {
        matches!(layer, Layer::Launch(_) | Layer::Help(_) | Layer::Log(_) | Layer::Pages(_) | Layer::Diff(_))
    });
    if covered.is_none() {
        match app.view {
            View::Overview => overview::draw(app, area, buf),
            View::Live => live::draw(app, area, buf),
            View::Groups => triage::draw(app, buf),
            View::Past => past::draw(app, buf),
            View::Changes => changes::draw(app, buf),
            View::Editor => cursor = editor::draw(app, area, buf),
        }
    }
    for layer in &app.layers[covered.unwrap_or(0)..] {
        match layer {
            Layer::Launch(launch) => cursor = launch::draw(app, launch, area, buf),
            Layer::Help(help) => cursor = help::draw(app, help, strips.body, buf),
            Layer::Editor(ask) => {
                cursor = None;
                editor::ask(app, ask, strips.body, buf);
            }
            Layer::Log(log) => cursor = log::draw(app, log, strips.body, buf),
            Layer::Pages(pages) => pages::draw(app, pages, strips.body, buf),
            Layer::Menu(menu) => menu::draw(app, menu, strips.body, buf),
            Layer::Palette(palette) => cursor = palette::draw(app, palette, strips.body, buf),
            Layer::Hold(ask) => rings::ask(app, ask, strips.body, buf),
            Layer::Regroup(dialog) => triage::regroup::dialog(app, dialog, strips.body, buf),
            Layer::Window(window) => triage::regroup::window(app, window, strips.body, buf),
            Layer::Export(export) => cursor = export::draw(app, export, strips.body, buf),
            Layer::Template(ask) => dialog::template(app, ask, strips.body, buf),
            Layer::Write(ask) => dialog::write(app, *ask, strips.body, buf),
            Layer::Stop(stop) => dialog::stop(app, stop, strips.body, buf),
            Layer::Chooser(chooser) => cursor = chooser::draw(app, chooser, buf),
            Layer::Copy(menu) => dialog::copy(app, menu, strips.body, buf),
            Layer::Diff(view) => diff::draw(app, view, strips.body, buf),
            Layer::Files(files) => cursor = files::draw(app, files, strips.body, buf),
            Layer::Prompt(prompt) => cursor = Some(prompt::draw(app, prompt, area, buf)),
        }
    }
    chrome::crumbs(app, strips.crumbs, buf);
    let sets = app.view == View::Groups && covered.is_none() && app.sorted().is_some() && layout::with_sets(area);
    let has_bar = app.view == View::Editor && editor::has_bar(app);
    if !has_bar && !matches!(app.layers.last(), Some(Layer::Launch(_) | Layer::Prompt(_))) {
        let status = if sets { Rect { y: strips.status.y.saturating_sub(1), ..strips.status } } else { strips.status };
        chrome::status(app, status, buf);
        if sets {
            triage::strip::sets(app, strips.status, buf);
        }
    }
    chrome::hints(app, strips.hints, buf);
    if !app.pending.is_empty() {
        chrome::which_key(app, strips.body, buf);
    }
    cursor
}

/// A terminal that knows only ASCII gets our signs' twins, and a question mark for the devices' others.
fn ascii(area: Rect, buf: &mut Buffer) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let cell = &mut buf[(x, y)];
            if !cell.symbol().is_ascii() {
                let sign = cell.symbol().chars().next().map_or(' ', glyphs::ascii_twin);
                cell.set_char(sign);
            }
        }
    }
}

/// The role that a word about a device's reachability is drawn in.
fn reach(state: crate::model::device::Reach) -> Role {
    use crate::model::device::Reach;
    match state {
        Reach::Online => Role::StateOk,
        Reach::Offline => Role::StateOffline,
        Reach::Refused => Role::StateFailed,
        Reach::Unknown => Role::TextMuted,
    }
}
