//! Screen 6: what was typed, what was found, what the chosen one does.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, left, line, nth, popup, right, words};
use crate::console::app::palette::{Find, Palette};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;

pub fn draw(app: &App, palette: &Palette, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let (size, rows) = layout::palette(app.area);
    let kinds = if size.0 < 70 { "> @ # $" } else { "> command   @ device   # job   $ script" };
    let foot = format!("{} of {}", text::count(palette.found.len() as u64), text::count(palette.of as u64));
    let inside = popup(app, buf, body, &format!("Palette   {kinds}"), &foot, size);
    if inside.height < 3 {
        return None;
    }
    let typed = palette.query.text();
    let room = usize::from(inside.width.saturating_sub(3));
    let at = text::width(&typed.chars().take(palette.query.cursor()).collect::<String>());
    let from = (at + 1).saturating_sub(room);
    line(buf, nth(inside, 0), &Line::from(Span::styled("> ", theme.style(Role::Key))));
    let shown = text::slice(&Line::from(Span::styled(typed, theme.style(Role::TextStrong))), from, room);
    line(buf, Rect { x: inside.x + 2, width: inside.width - 2, ..nth(inside, 0) }, &shown);
    let position = Position::new(inside.x + 2 + (at - from) as u16, inside.y);
    let list = Rect { y: inside.y + 2, height: (rows as u16).min(inside.height.saturating_sub(2)), ..inside };
    if palette.found.is_empty() {
        let said = format!("nothing here is called that; {} closes", app.key_of("prompt", "cancel"));
        words(buf, nth(list, 0), &said, muted);
    }
    let keys = 9;
    for (n, at) in palette.cursor.window(palette.found.len(), usize::from(list.height)).enumerate() {
        find(app, &palette.found[at], at == palette.cursor.at, keys, nth(list, n as u16), buf);
    }
    let foot = layout::palette_foot(size.1);
    if foot > 1
        && let Some(find) = palette.found.get(palette.cursor.at)
    {
        let below = Rect { y: inside.bottom() - (foot - 1), height: foot - 1, ..inside };
        let (said, role) = about(find);
        cells::paragraph(buf, below, &said, theme.style(role));
    }
    Some(position)
}

/// What the chosen one does, whole.
fn about(find: &Find) -> (String, Role) {
    match (&find.why, find.fleet) {
        (Some(why), _) => (format!("{} cannot be done now: {}", find.label, text::plain(why)), Role::LevelWarn),
        (None, true) => (format!("{}. Opens its dialog; nothing is sent from here.", find.note), Role::Text),
        (None, false) => (find.note.clone(), Role::Text),
    }
}

fn find(app: &App, find: &Find, chosen: bool, keys: u16, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let off = find.why.is_some();
    let (label, key) = match (off, find.fleet) {
        (true, _) => (muted, muted),
        (false, true) => (theme.style(Role::KeyDanger), theme.style(Role::KeyDanger)),
        (false, false) => (theme.style(Role::TextStrong), theme.style(Role::Key)),
    };
    let dots = if find.fleet { ".." } else { "" };
    let said = match (&find.why, &find.touches) {
        (Some(why), _) => text::plain(why),
        (None, Some(touched)) => format!("{touched}: {}", find.note),
        (None, None) => find.note.clone(),
    };
    let cells = [
        left("", Style::default()),
        left(format!("{}{dots}", find.label), label),
        left(said, if off { muted } else { theme.style(Role::Text) }),
        left(find.kind.word(), muted),
        right(find.keys.as_str(), key),
    ];
    let name = (area.width / 3).min(28);
    cells::row(buf, area, &[1, name, 0, 7, keys], &cells);
    if chosen {
        cells::cursor(theme, buf, area, true);
    }
}
