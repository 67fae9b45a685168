//! The `x` menu: verbs of the selected thing, with their keys and reasons.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{self, left, nth, popup, right};
use crate::console::app::menu::{Menu, Row};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;

pub fn draw(app: &App, menu: &Menu, body: Rect, buf: &mut Buffer) {
    let name = if menu.subject.is_empty() {
        "Actions".into()
    } else {
        format!("Actions  {}", text::clip(&menu.subject, usize::from(body.width.saturating_sub(24)).min(48)))
    };
    let place = cells::place(menu.cursor.at, menu.rows.len());
    let foot = format!("enter, digit or key does it   esc   {place}");
    let inside = popup(app, buf, body, &name, &foot, layout::menu(menu.rows.len()));
    let keys = menu.rows.iter().map(|row| first(row).chars().count()).max().unwrap_or(1).clamp(3, 12) as u16;
    let names = menu.rows.iter().map(|row| row.command.name.len() + 2).max().unwrap_or(8).min(22) as u16;
    for (n, at) in menu.cursor.window(menu.rows.len(), usize::from(inside.height)).enumerate() {
        row(app, at, &menu.rows[at], at == menu.cursor.at, (keys, names), nth(inside, n as u16), buf);
    }
}

fn first(row: &Row) -> &str {
    row.keys.first().map_or("", String::as_str)
}

fn row(app: &App, at: usize, row: &Row, chosen: bool, widths: (u16, u16), area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let off = row.why.is_some();
    let (key, name) = match (off, row.command.fleet) {
        (true, _) => (muted, muted),
        (false, true) => (theme.style(Role::KeyDanger), theme.style(Role::KeyDanger)),
        (false, false) => (theme.style(Role::Key), theme.style(Role::TextStrong)),
    };
    let digit = if at < 9 { (at + 1).to_string() } else { String::new() };
    let said = match (&row.why, &row.touches) {
        (Some(why), _) => text::plain(why),
        (None, Some(touched)) => format!("{}  ({touched})", row.command.doc),
        (None, None) => row.command.doc.to_owned(),
    };
    let cells = [
        left("", Style::default()),
        right(digit, muted),
        left(first(row), key),
        left(words(row), name),
        left(said, if off { muted } else { theme.style(Role::Text) }),
    ];
    cells::row(buf, area, &[1, 1, widths.0, widths.1, 0], &cells);
    if chosen {
        cells::cursor(theme, buf, area, true);
    }
}

/// `edit expression`, `run..`
fn words(row: &Row) -> String {
    let dots = if row.command.fleet { ".." } else { "" };
    format!("{}{dots}", row.command.name.replace('-', " "))
}
