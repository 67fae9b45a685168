//! The log pane: the notices in their order, the chosen one whole below them, and where the engine's own log lies.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, left, line, nth, pane, place, title, words};
use super::live::clock;
use super::states::Said;
use crate::console::app::log::Log;
use crate::console::app::notices::Level;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;

/// Sign and colour of a level.
pub fn sign(level: Level) -> (&'static str, Role) {
    match level {
        Level::Info => ("i", Role::LevelInfo),
        Level::Warn => ("!", Role::LevelWarn),
        Level::Error => ("E", Role::LevelError),
    }
}

pub fn draw(app: &App, log: &Log, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let listed = log.listed(app);
    let hidden = app.notices.all.len() - listed.len();
    let mut foot = place(log.cursor.at, listed.len());
    if hidden > 0 {
        foot = format!("hiding {hidden}  {foot}");
    }
    let more = if log.only_problems { "warnings and errors" } else { "warnings, errors and what was done" };
    let inside = pane(app, buf, body, title(theme, "", "Log", more), &foot, true);
    let file = format!("the engine's own log: {}", text::plain(&app.place.log));
    words(buf, nth(inside, inside.height.saturating_sub(1)), &file, muted);
    let mut list = Rect { height: inside.height.saturating_sub(1), ..inside };
    let mut cursor = None;
    if log.typing || !log.filter.is_empty() {
        let prompt = "filter: ";
        let written = theme.style(if log.filter.is_chosen() { Role::Cursor } else { Role::TextStrong });
        let spans = [Span::styled(prompt, muted), Span::styled(log.filter.text(), written)];
        line(buf, nth(inside, 0), &Line::from(spans.to_vec()));
        let at = inside.x + (prompt.len() + log.filter.cursor()) as u16;
        cursor = log.typing.then(|| Position::new(at.min(inside.right().saturating_sub(1)), inside.y));
        list = Rect { y: list.y + 1, height: list.height.saturating_sub(1), ..list };
    }
    if listed.is_empty() {
        let close = app.key_of("dialog", "cancel");
        let said = match (hidden, log.filter.is_empty()) {
            (0, _) => Said::so("Nothing to report: no warning, no error.", format!("{close} leads back")),
            (_, true) => Said::so(
                "No warning and no error.",
                format!("{} shows what was done, too", app.key_of("list", "only-problems")),
            ),
            (_, false) => Said::so("No notice says that.", format!("{close} clears the filter")),
        };
        said.draw(app, list, buf);
        return cursor;
    }
    // The chosen one whole, below.
    let rows = layout::log_rows(inside, log.typing || !log.filter.is_empty());
    let details = list.height - rows.height;
    let list = rows;
    for (n, at) in log.cursor.window(listed.len(), usize::from(list.height)).enumerate() {
        let Some(notice) = app.notices.all.get(listed[at]) else { continue };
        let (sign, role) = sign(notice.level);
        let times = if notice.times > 1 { format!("({} times) ", notice.times) } else { String::new() };
        let row = nth(list, n as u16);
        let cells = [
            left("", Style::default()),
            left(clock(app, notice.at), muted),
            left(sign, theme.style(role)),
            left(notice.voice.word(), muted),
            left(format!("{times}{}", text::plain(&notice.text)), theme.style(Role::Text)),
        ];
        cells::row(buf, row, &[1, 8, 1, 7, 0], &cells);
        if at == log.cursor.at {
            cells::cursor(theme, buf, row, true);
        }
    }
    if let Some(notice) = listed.get(log.cursor.at).and_then(|at| app.notices.all.get(*at))
        && details > 0
    {
        let below = Rect { y: list.bottom() + 1, height: details - 1, ..inside };
        cells::paragraph(buf, below, &text::plain(&notice.text), theme.style(Role::Text));
    }
    cursor
}
