//! What a shell command made of some output, or an output as what it is: the lines, made safe; how the command ended, or
//! what the output is shown as.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use super::cells::{self, nth, pane, title};
use super::chrome::key_of;
use crate::console::app::App;
use crate::console::app::pages::{Pages, Search};
use crate::console::app::reader::Reader;
use crate::console::text;
use crate::console::theme::Role;
use crate::model::content::Content;
use crate::model::content::document::LIMIT;
use crate::model::search;

pub fn draw(app: &App, pages: &Pages, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    Clear.render(area, buf);
    buf.set_style(area, theme.base());
    let lines = text::number(pages.lines.len() as u64, "line");
    let mut foot = match (&pages.reader, pages.ended.as_deref()) {
        (Some(reader), _) => about(app, reader, &lines),
        (None, how) => format!("{}   {lines}", text::plain(how.unwrap_or("running"))),
    };
    if pages.cut > 0 {
        foot = format!("{foot}, {} more not kept", text::bytes(pages.cut));
    }
    if let Some(search) = &pages.search {
        foot = format!("/{} {}   {foot}", text::clip(&text::plain(&search.pattern.spelled()), 24), search.count());
    }
    let sign = if pages.reads { "" } else { "|" };
    let mut inside = pane(app, buf, area, title(theme, sign, &text::plain(&pages.command), ""), &foot, true);
    if pages.lines.iter().all(String::is_empty) {
        let close = "esc closes".to_owned();
        let (what, advice) = match &pages.ended {
            None if pages.reads => ("reading the output…", close),
            Some(_) if pages.reader.is_some() => ("nothing was printed on stdout", close),
            Some(why) if pages.reads => (why.as_str(), close),
            None => ("no output yet", format!("{} stops the command", key_of(app, "global", "interrupt"))),
            Some(_) => ("the command printed nothing", close),
        };
        return cells::empty(theme, buf, inside, what, &[&advice]);
    }
    let reader = pages.reader.as_deref();
    if let Some(header) = reader.and_then(|reader| reader.header.as_ref()) {
        let line = text::slice(
            &Line::styled(header.clone(), theme.style(Role::TextStrong)),
            pages.left,
            usize::from(inside.width),
        );
        buf.set_line(inside.x, inside.y, &line, inside.width);
        inside = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
    }
    let chosen = reader.filter(|reader| reader.folds()).map(|reader| reader.cursor.at);
    let (height, width) = (usize::from(inside.height), usize::from(inside.width));
    let top = pages.top.min(pages.lines.len().saturating_sub(1));
    let mut rows: Vec<Line<'static>> = Vec::new();
    for (n, line) in pages.lines.iter().enumerate().skip(top).take(height) {
        let style = theme.style(if chosen == Some(n) { Role::Cursor } else { Role::Text });
        let safe = found(app, pages.search.as_ref(), n, text::safe(line, style, theme));
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

/// What it is shown as, how much there is, and what is to be known of it.
fn about(app: &App, reader: &Reader, lines: &str) -> String {
    let mut parts = vec![reader.word().to_owned(), lines.to_owned()];
    if reader.document.cut {
        parts.push(format!("only its beginning: the output is larger than {}", text::bytes(LIMIT as u64)));
    }
    parts.extend(reader.document.said.as_ref().map(|said| text::plain(said)));
    if reader.document.content != Content::Text {
        let other = if reader.raw { "as what it is" } else { "as it was printed" };
        parts.push(format!("({other}: {})", key_of(app, "view", "raw")));
    }
    parts.join("   ")
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
