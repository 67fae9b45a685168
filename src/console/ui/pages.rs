//! What a shell command made of some output: its text, made safe, and how the command ended.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use super::cells::{self, nth, pane, title};
use super::chrome::key_of;
use crate::console::app::App;
use crate::console::app::pages::{Pages, Search};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::search;

pub fn draw(app: &App, pages: &Pages, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    Clear.render(area, buf);
    buf.set_style(area, theme.base());
    let how = pages.ended.as_deref().unwrap_or("running");
    let mut foot = format!("{}   {}", text::plain(how), text::number(pages.lines.len() as u64, "line"));
    if pages.cut > 0 {
        foot = format!("{foot}, {} more not kept", text::bytes(pages.cut));
    }
    if let Some(search) = &pages.search {
        foot = format!("/{} {}   {foot}", text::clip(&text::plain(&search.pattern.spelled()), 24), search.count());
    }
    let inside = pane(app, buf, area, title(theme, "|", &text::plain(&pages.command), ""), &foot, true);
    if pages.lines.iter().all(String::is_empty) {
        let close = "esc closes".to_owned();
        let (what, advice) = match &pages.ended {
            None => ("no output yet", format!("{} stops the command", key_of(app, "global", "interrupt"))),
            Some(_) => ("the command printed nothing", close),
        };
        return cells::empty(theme, buf, inside, what, &[&advice]);
    }
    let (height, width) = (usize::from(inside.height), usize::from(inside.width));
    let top = pages.top.min(pages.lines.len().saturating_sub(1));
    let mut rows: Vec<Line<'static>> = Vec::new();
    for (n, line) in pages.lines.iter().enumerate().skip(top).take(height) {
        let safe = found(app, pages.search.as_ref(), n, text::safe(line, theme.style(Role::Text), theme));
        if pages.wrap {
            rows.extend(text::wrap(&safe, width.max(1)));
        } else {
            rows.push(text::slice(&safe, pages.left, width));
        }
    }
    for (n, row) in rows.iter().take(height).enumerate() {
        let place = nth(inside, n as u16);
        buf.set_line(place.x, place.y, row, place.width);
    }
}

/// What is searched for, where it stands in line `n`.
pub fn found(app: &App, search: Option<&Search>, n: usize, line: Line<'static>) -> Line<'static> {
    let Some((search, matcher)) = search.and_then(|search| Some((search, search.matcher.as_ref()?))) else {
        return line;
    };
    let ranges = search::ranges(matcher, &line.to_string());
    let role = if search.line() == Some(n) { Role::MatchCurrent } else { Role::Match };
    text::mark(&line, &ranges, app.theme.style(role))
}
