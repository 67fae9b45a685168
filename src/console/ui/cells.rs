//! Small pieces that every screen is made of: a pane with its border, a row of cells, a popup, running text.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::console::app::{App, layout};
use crate::console::text;
pub use crate::console::text::fold;
use crate::console::theme::{Role, Theme};

/// One cell of a row.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    pub text: Cow<'a, str>,
    pub style: Style,
    /// Numbers stand at the right.
    pub right: bool,
}

pub fn left<'a>(text: impl Into<Cow<'a, str>>, style: Style) -> Cell<'a> {
    Cell { text: text.into(), style, right: false }
}

pub fn right<'a>(text: impl Into<Cow<'a, str>>, style: Style) -> Cell<'a> {
    Cell { text: text.into(), style, right: true }
}

/// Columns of the given widths with a blank between; a width of 0 takes what is left (at most one should).
pub fn row(buf: &mut Buffer, area: Rect, widths: &[u16], cells: &[Cell<'_>]) {
    if area.height == 0 {
        return;
    }
    let fixed: u16 = widths.iter().sum::<u16>() + (widths.len() as u16).saturating_sub(1);
    let rest = area.width.saturating_sub(fixed);
    let mut x = area.x;
    for (width, cell) in widths.iter().zip(cells) {
        let width = if *width == 0 { rest } else { *width };
        let room = width.min(area.right().saturating_sub(x));
        if room == 0 {
            break;
        }
        let clipped = text::clip(&cell.text, usize::from(room));
        let gap = usize::from(room).saturating_sub(text::width(&clipped)) as u16;
        let at = if cell.right { x + gap } else { x };
        buf.set_stringn(at, area.y, &clipped, usize::from(room), cell.style);
        x += width + 1;
    }
}

/// One line, cut at the right edge.
pub fn line(buf: &mut Buffer, area: Rect, line: &Line<'_>) {
    if area.height == 0 {
        return;
    }
    if text::line_width(line) > usize::from(area.width) {
        let cut = text::slice(line, 0, usize::from(area.width.saturating_sub(1)));
        let end = buf.set_line(area.x, area.y, &cut, area.width).0;
        if end < area.right() {
            buf.set_string(end, area.y, "…", line.style);
        }
    } else {
        buf.set_line(area.x, area.y, line, area.width);
    }
}

pub fn words(buf: &mut Buffer, area: Rect, words: &str, style: Style) {
    line(buf, area, &Line::from(Span::styled(words, style)));
}

/// Running text, wrapped between words; tells how many rows it took.
pub fn paragraph(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let mut y = 0;
    for row in fold(text, usize::from(area.width)) {
        if y >= area.height {
            break;
        }
        buf.set_stringn(area.x, area.y + y, &row, usize::from(area.width), style);
        y += 1;
    }
    y
}

/// A pane: border (doubled when focused), title above, foot below at the right. Gives the room inside.
pub fn pane(app: &App, buf: &mut Buffer, area: Rect, title: Line<'_>, foot: &str, focused: bool) -> Rect {
    let theme = &app.theme;
    let protected = app.tree.targets.connections.iter().any(|connection| connection.protected);
    let border = match (focused, protected) {
        (true, _) => theme.style(Role::BorderFocus),
        (false, true) => theme.style(Role::BorderProtected),
        (false, false) => theme.style(Role::Border),
    };
    let mut block = Block::bordered().border_set(theme.glyphs.borders(focused)).border_style(border);
    if area.width > 4 {
        block = block.title_top(title);
    }
    block.render(area, buf);
    self::foot(theme, buf, area, foot);
    layout::inner(area)
}

/// Words on the lower border of a pane, at its right.
pub fn foot(theme: &Theme, buf: &mut Buffer, pane: Rect, words: &str) {
    if words.is_empty() || pane.width <= 4 || pane.height == 0 {
        return;
    }
    let words = text::clip(&format!(" {words} "), usize::from(pane.width) - 4);
    let width = text::width(&words) as u16;
    buf.set_string(pane.right() - 1 - width, pane.bottom() - 1, words, theme.style(Role::TextMuted));
}

/// ` 1 Scripts 48 `
pub fn title<'a>(theme: &Theme, key: &str, name: &str, more: &str) -> Line<'a> {
    let mut spans = vec![Span::raw(" ")];
    if !key.is_empty() {
        spans.push(Span::styled(format!("{key} "), theme.style(Role::Key)));
    }
    spans.push(Span::styled(name.to_owned(), theme.style(Role::TextStrong)));
    if !more.is_empty() {
        spans.push(Span::styled(format!("  {more}"), theme.style(Role::TextMuted)));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// An area of this size in the middle, emptied and framed.
pub fn popup(app: &App, buf: &mut Buffer, body: Rect, name: &str, foot: &str, size: (u16, u16)) -> Rect {
    let area = layout::middle(body, size);
    Clear.render(area, buf);
    buf.set_style(area, app.theme.popup());
    pane(app, buf, area, title(&app.theme, "", name, ""), foot, true)
}

/// Buttons on a row, in the middle: their words, whether each has the focus, and how it looks without.
pub fn buttons<const N: usize>(app: &App, buf: &mut Buffer, row: Rect, buttons: [(&str, bool, Role); N]) {
    let places = layout::buttons(row, buttons.map(|(word, ..)| word));
    for ((word, focused, role), place) in buttons.into_iter().zip(places) {
        let style = app.theme.style(if focused { Role::Cursor } else { role });
        words(buf, place, &format!("[ {word} ]"), style);
    }
}

/// Puts the cursor's look on a row. What speaks by a ground of its own keeps it where the cursor is only remembered;
/// where it is, nothing is dim.
pub fn cursor(theme: &Theme, buf: &mut Buffer, area: Rect, focused: bool) {
    let style = theme.style(if focused { Role::Cursor } else { Role::CursorUnfocused });
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let ground = buf[area.as_position()].bg;
    for at in area.positions() {
        let cell = &mut buf[at];
        let own = cell.bg != ground || cell.modifier.contains(Modifier::REVERSED);
        if focused {
            cell.modifier.remove(Modifier::DIM);
        }
        cell.set_style(if own && !focused { Style { fg: None, bg: None, ..style } } else { style });
    }
    buf.set_string(area.x, area.y, theme.glyphs.cursor().to_string(), style);
}

/// The `n`th row of an area.
pub fn nth(area: Rect, n: u16) -> Rect {
    Rect { y: area.y + n, height: u16::from(n < area.height), ..area }
}

/// What an empty pane says: what there is not, and what to do about it.
pub fn empty(theme: &Theme, buf: &mut Buffer, area: Rect, what: &str, advice: &[&str]) {
    let mut y = 0;
    let below = |y: u16| Rect { y: area.y + y.min(area.height), height: area.height.saturating_sub(y), ..area };
    y += paragraph(buf, below(y), what, theme.style(Role::Text));
    for advice in advice {
        y += paragraph(buf, below(y), advice, theme.style(Role::TextMuted));
    }
}

/// `3/48`
pub fn place(at: usize, len: usize) -> String {
    if len == 0 { "0".into() } else { format!("{}/{}", text::count(at as u64 + 1), text::count(len as u64)) }
}

/// How long ago, for a column; never negative.
pub fn ago(now: jiff::Timestamp, then: jiff::Timestamp) -> String {
    text::age(now.as_second().saturating_sub(then.as_second()).max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::{Depth, Theme};

    /// A row with a plain word, a muted one and a failed one, under the cursor of a theme.
    fn row_under(name: &str, depth: Depth, focused: bool) -> Buffer {
        let theme = Theme::load(name, None, depth, true).0;
        let area = Rect::new(0, 0, 20, 1);
        let mut buf = Buffer::empty(area);
        buf.set_style(area, theme.base());
        for (x, word, role) in [(2, "web01", Role::Text), (8, "3m02", Role::TextMuted), (14, "fail", Role::StateFailed)]
        {
            buf.set_string(x, 0, word, theme.style(role));
        }
        cursor(&theme, &mut buf, area, focused);
        buf
    }

    #[test]
    fn a_cell_with_a_ground_of_its_own_keeps_it_under_the_other_pane_s_cursor() {
        for name in ["high-contrast-light", "high-contrast-dark"] {
            let failed = Theme::builtin(name).unwrap().style(Role::StateFailed);
            let cell = row_under(name, Depth::True, false)[(14, 0)].clone();
            assert_eq!((Some(cell.fg), Some(cell.bg)), (failed.fg, failed.bg), "{name}");
        }
    }

    #[test]
    fn the_row_under_the_cursor_is_one_piece() {
        for (name, depth) in [("terminal", Depth::Ansi16), ("mono", Depth::None), ("nord", Depth::True)] {
            let row = row_under(name, depth, true);
            let look = |x: u16| (row[(x, 0)].fg, row[(x, 0)].bg, row[(x, 0)].modifier - Modifier::BOLD);
            assert!((0..20).all(|x| look(x) == look(0)), "{name}: {row:?}");
        }
    }
}
