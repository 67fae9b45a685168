//! The chooser of themes and keymaps: at the right, so that the screen beside it shows what is tried.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, left, line, nth, place, popup, right, words};
use crate::console::app::chooser::{Chooser, Row, What};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, colour};
use crate::model::state::RunState;

/// The states whose colours a row shows.
const SHOWN: [RunState; 5] = [RunState::Ok, RunState::Failed, RunState::Running, RunState::Offline, RunState::Timeout];

pub fn draw(app: &App, chooser: &Chooser, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let ((width, height), rows) = layout::chooser(app.area, chooser.all.len());
    let side = Rect::new(body.right().saturating_sub(width), body.y, width.min(body.width), height.min(body.height));
    let (name, keys) = match chooser.what {
        What::Theme => ("Theme", "enter keeps it   esc as before"),
        What::Keymap => ("Keymap", "enter   esc"),
    };
    let foot = format!("{keys}   {}", place(chooser.cursor.at, chooser.shown.len()));
    let inside = popup(app, buf, side, name, &foot, (side.width, side.height));
    if inside.height < 3 {
        return None;
    }
    let typed = chooser.filter.text();
    let spans = vec![Span::styled("filter: ", muted), Span::styled(typed, theme.style(Role::TextStrong))];
    line(buf, nth(inside, 0), &Line::from(spans));
    let at = 8 + text::width(&typed.chars().take(chooser.filter.cursor()).collect::<String>());
    let position = Position::new((inside.x + at as u16).min(inside.right() - 1), inside.y);
    let list = Rect { y: inside.y + 1, height: (rows as u16).min(inside.height - 1), ..inside };
    if chooser.shown.is_empty() {
        words(buf, nth(list, 0), "nothing is called that; esc closes", muted);
    }
    for (n, at) in chooser.cursor.window(chooser.shown.len(), usize::from(list.height)).enumerate() {
        let row = &chooser.all[chooser.shown[at]];
        one(app, row, at == chooser.cursor.at, nth(list, n as u16), buf);
    }
    if inside.bottom() > list.bottom()
        && let Some(row) = chooser.chosen()
    {
        let below = Rect { y: list.bottom(), height: inside.bottom() - list.bottom(), ..inside };
        let said = match chooser.what {
            What::Theme => text::plain(&row.source),
            What::Keymap => row.source.clone(),
        };
        cells::paragraph(buf, below, &said, muted);
    }
    Some(position)
}

fn one(app: &App, row: &Row, chosen: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let Some(sample) = &row.sample else {
        cells::row(buf, area, &[1, 0], &[left("", Style::default()), left(&*row.name, theme.style(Role::TextStrong))]);
        if chosen {
            cells::cursor(theme, buf, area, true);
        }
        return;
    };
    let ground = row.ground.map_or("yours", |ground| ground.word());
    let contrast = row.contrast.map_or_else(|| "-".to_owned(), |contrast| format!("{contrast:.1}"));
    let swatch = SHOWN.len() as u16 * 2 + 1;
    let named = Rect { width: area.width.saturating_sub(swatch + 2), ..area };
    let cells = [
        left("", Style::default()),
        left(text::plain(&row.name), theme.style(Role::TextStrong)),
        left(ground, muted),
        right(contrast, muted),
    ];
    cells::row(buf, named, &[1, 0, 5, 4], &cells);
    if chosen {
        cells::cursor(theme, buf, named, true);
    }
    // Its own colours on its own ground, as well as this terminal can show them.
    let own = |style: Style| colour::down_style(style, theme.depth);
    let base = own(sample.base());
    let swatch =
        Rect { x: named.right() + 1, width: swatch.min(area.right().saturating_sub(named.right() + 1)), ..area };
    buf.set_style(swatch, base);
    for (n, state) in SHOWN.into_iter().enumerate() {
        let x = swatch.x + 1 + 2 * n as u16;
        if x < swatch.right() {
            let sign = theme.glyphs.state(state).to_string();
            buf.set_string(x, area.y, sign, base.patch(own(sample.state(state))));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::sample::Session;

    #[test]
    fn the_chooser_stands_beside_what_it_changes() {
        let sizes = [((80, 24), true), ((140, 40), false), ((60, 15), true)];
        let screens = sizes.map(|(size, ascii)| {
            let mut session = Session::new(size, ascii);
            session.keys("gcgruv<down>");
            format!("{}x{}\n{}\n", size.0, size.1, session.screen())
        });
        insta::assert_snapshot!("themes", screens.concat());
    }

    #[test]
    fn nothing_found_and_keymaps() {
        let mut session = Session::new((80, 24), true);
        session.keys("gcno such");
        insta::assert_snapshot!("themes-none", session.screen());
        session.keys("<esc>");
        session.app.open_keymaps();
        session.keys("<down>");
        insta::assert_snapshot!("keymaps", session.screen());
    }
}
