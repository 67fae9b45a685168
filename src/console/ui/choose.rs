//! The menus of a list: the column it is sorted by, the columns it shows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{self, nth, popup};
use crate::console::app::{App, Choice, Choose};
use crate::console::theme::Role;

pub fn draw(app: &App, choose: &Choose, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let list = choose.list.word();
    let (name, foot) = match choose.what {
        Choice::Sort => (format!("Sort {list} by"), "enter takes it, again reverses   esc"),
        Choice::Columns => (format!("Columns of {list}"), "space shows  h l move  U as usual  esc"),
    };
    let len = choose.items.len();
    let inside = popup(app, buf, body, &name, foot, (46, len as u16 + 2));
    for (n, at) in choose.cursor.window(len, usize::from(inside.height)).enumerate() {
        let (item, on) = &choose.items[at];
        let sign = match (choose.what, on) {
            (Choice::Sort, true) => "(o)",
            (Choice::Sort, false) => "( )",
            (Choice::Columns, true) => "[x]",
            (Choice::Columns, false) => "[ ]",
        };
        let reversed = if choose.what == Choice::Sort && *on && choose.reverse { "reversed" } else { "" };
        let style = theme.style(if *on { Role::TextStrong } else { Role::Text });
        let cells = [
            cells::left("", style),
            cells::left(sign, style),
            cells::left(item.as_str(), style),
            cells::left(reversed, theme.style(Role::TextMuted)),
        ];
        let line = nth(inside, n as u16);
        cells::row(buf, line, &[1, 3, 20, 0], &cells);
        if at == choose.cursor.at {
            cells::cursor(theme, buf, line, true);
        }
    }
}
