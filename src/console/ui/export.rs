//! The export dialog: a job as a file for others.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, popup, words};
use super::chrome;
use super::files::field;
use crate::console::app::export::{At, Export, State, To};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::report::Format;

/// Columns of what a field is called.
const LABEL: u16 = 8;

pub fn draw(app: &App, export: &Export, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let name = format!("Export  job {}  {}", export.job, text::plain(&export.script));
    let foot = chrome::keys(app, "dialog", &[("next-field", "next"), ("toggle", "other"), ("cancel", "close")]);
    let inside = popup(app, buf, body, &name, &foot, layout::EXPORT);
    let label = |buf: &mut Buffer, y: u16, word: &str| {
        words(buf, nth(inside, y), word, muted);
        let row = nth(inside, y);
        Rect { x: row.x + LABEL.min(row.width), width: row.width.saturating_sub(LABEL), ..row }
    };
    let choice = |chosen: bool, focused: bool, word: &str| {
        let sign = if chosen { "(o)" } else { "( )" };
        let role = match (chosen, focused) {
            (true, true) => Role::Cursor,
            (true, false) => Role::TextStrong,
            _ => Role::Text,
        };
        [Span::styled(format!("{sign} {word}"), theme.style(role)), Span::raw("  ")]
    };
    let row = label(buf, 0, "format");
    let formats = Format::ALL.into_iter();
    let on = export.at == At::Format;
    let all = formats.flat_map(|format| choice(format == export.format, on, format.word()));
    line(buf, row, &Line::from(all.collect::<Vec<_>>()));
    let row = label(buf, 1, "");
    words(buf, row, export.format.says(), muted);
    let row = label(buf, 2, "to");
    let on = export.at == At::To;
    let both = [(To::File, "file"), (To::Clipboard, "clipboard, through the terminal (OSC 52)")];
    let both = both.into_iter().flat_map(|(to, word)| choice(to == export.to, on, word));
    line(buf, row, &Line::from(both.collect::<Vec<_>>()));
    let mut cursor = None;
    if export.to == To::File {
        let at = field(app, buf, nth(inside, 3), &text::pad("file", usize::from(LABEL) - 1), &export.path);
        cursor = (export.at == At::Path && !export.busy()).then_some(at);
    }
    let row = label(buf, 4, "texts");
    let (sign, says) = match export.raw {
        true => ("[x]", "as they came, with whatever drives a terminal in them"),
        false => ("[ ]", "made plain: nothing in them drives a terminal"),
    };
    let role = if export.at == At::Raw { Role::Cursor } else { Role::Text };
    let spans = vec![Span::styled(format!("{sign} raw"), theme.style(role)), Span::styled(format!("   {says}"), muted)];
    line(buf, row, &Line::from(spans));
    // what is so comes before what else could be done, where there is no room for both
    let room = inside.height.saturating_sub(6);
    let (said, role) = said(app, export);
    let said = cells::fold(&said, usize::from(inside.width));
    let rows = (said.len() as u16).min(room);
    let at = inside.height.saturating_sub(1 + rows);
    for (y, said) in (at..).zip(said.iter().take(usize::from(rows))) {
        words(buf, nth(inside, y), said, theme.style(role));
    }
    if at > 6 {
        words(buf, nth(inside, 6), &text::clip(&export.command_line(), usize::from(inside.width)), muted);
    }
    let both = [("Cancel", export.at == At::Cancel, Role::Text), (export.word(), export.at == At::Export, Role::Text)];
    cells::buttons(app, buf, layout::last_row(inside), both);
    cursor
}

fn said(app: &App, export: &Export) -> (String, Role) {
    let folder = &app.place.folder;
    let lies = match export.lies_here() && !folder.is_empty() {
        true => format!("The file comes to lie in {}. ", text::plain(folder)),
        false => String::new(),
    };
    match &export.state {
        State::Asked if export.running => {
            (format!("{lies}The job still runs: what has ended by now is exported."), Role::TextMuted)
        }
        State::Asked => (lies.trim_end().to_owned(), Role::TextMuted),
        State::Busy { of: 0, .. } => ("reading the job; esc gives it up".into(), Role::Text),
        State::Busy { devices, of, bytes } => {
            let (devices, of) = (text::count(*devices as u64), text::count(*of as u64));
            (format!("{devices} of {of} devices, {}; esc gives it up", text::bytes(*bytes)), Role::Text)
        }
        State::Exists => (format!("{} exists already.", text::plain(export.path.text().trim())), Role::LevelWarn),
        State::Failed(why) => (text::plain(why), Role::LevelError),
    }
}
