//! Every chooser: what is typed, the rows it leaves, and of a theme its colours.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, left, line, nth, place, popup, right, words};
use super::chrome;
use super::table::mark_hits;
use crate::console::app::chooser::{Chooser, Row, What};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, colour};
use crate::model::state::RunState;

/// The states whose colours a row shows.
const SHOWN: [RunState; 5] = [RunState::Ok, RunState::Failed, RunState::Running, RunState::Offline, RunState::Timeout];

pub fn draw(app: &App, chooser: &Chooser, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let area = layout::chooser(app.area, chooser);
    let (name, keys) = match chooser.what {
        What::Theme => ("Theme".to_owned(), "enter keeps it   esc as before"),
        What::Keymap => ("Keymap".to_owned(), "enter   esc"),
        What::Sort(list) => (format!("Sort {} by", list.word()), "enter takes, again reverses   esc"),
        What::Columns(list) => (format!("Columns of {}", list.word()), "space shows  h l move  U usual  esc"),
        What::Field => (text::plain(&chooser.title), "enter   esc"),
        What::Beside => ("Compare with".to_owned(), "enter   esc"),
    };
    let foot = format!("{keys}   {}", place(chooser.cursor.at, chooser.shown.len()));
    let inside = popup(app, buf, area, &name, &foot, (area.width, area.height));
    if inside.height < 2 {
        return None;
    }
    let position = filter_line(app, chooser, nth(inside, 0), buf);
    let list = layout::chooser_rows(app.area, chooser);
    if chooser.shown.is_empty() {
        words(buf, nth(list, 0), "nothing passes; esc closes", muted);
    }
    for (n, at) in chooser.cursor.window(chooser.shown.len(), usize::from(list.height)).enumerate() {
        let row = &chooser.all[chooser.shown[at]];
        one(app, chooser, row, at == chooser.cursor.at, nth(list, n as u16), buf);
    }
    if inside.bottom() > list.bottom()
        && let Some(row) = chooser.chosen()
    {
        let below = Rect { y: list.bottom(), height: inside.bottom() - list.bottom(), ..inside };
        cells::paragraph(buf, below, &text::plain(&row.source), muted);
    }
    position
}

/// What is typed, and what is wrong with it.
fn filter_line(app: &App, chooser: &Chooser, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    if !chooser.typing && chooser.filter.is_empty() {
        let filter = chrome::key_of(app, "list", "filter");
        words(buf, area, &format!("{filter} filters"), theme.style(Role::TextMuted));
        return None;
    }
    let typed = chooser.filter.text();
    let written = theme.style(if chooser.filter.is_chosen() { Role::Cursor } else { Role::TextStrong });
    let spans = vec![
        Span::styled("filter: ", theme.style(Role::TextMuted)),
        Span::styled(typed, written),
        Span::styled(
            chooser.wrong.as_ref().map_or_else(String::new, |wrong| format!("   {}", text::plain(&wrong.message))),
            theme.style(Role::LevelError),
        ),
    ];
    line(buf, area, &Line::from(spans));
    let at = 8 + text::width(&typed.chars().take(chooser.filter.cursor()).collect::<String>());
    chooser.typing.then(|| Position::new((area.x + at as u16).min(area.right().saturating_sub(1)), area.y))
}

/// A row of any chooser but that of themes: whether it is on, its name, a note.
fn plain(app: &App, chooser: &Chooser, row: &Row, chosen: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    // rows that say more than a name
    let told = chooser.what.of_list() || chooser.what == What::Beside;
    let sign = match (chooser.what, row.on) {
        (What::Beside, true) => "(o)",
        (What::Beside, false) => "( )",
        (What::Sort(_), true) => "(o)",
        (What::Sort(_), false) => "( )",
        (What::Columns(_), true) => theme.glyphs.mark(),
        (What::Columns(_), false) => theme.glyphs.unmarked(),
        _ => "",
    };
    let style = theme.style(if row.on || !chooser.what.of_list() { Role::TextStrong } else { Role::Text });
    let name = text::plain(&row.name);
    let said = text::plain(&row.source);
    let note = if told { said.as_str() } else { "" };
    let width = if told { 20 } else { area.width.saturating_sub(2) };
    let signs = sign.len() as u16;
    let cells =
        [left("", style), left(sign, style), left(name.as_str(), style), left(note, theme.style(Role::TextMuted))];
    let (from, widths) = if signs == 0 { (2, &[1, width][..]) } else { (6, &[1, 3, width, 0][..]) };
    let cells: Vec<_> = cells.into_iter().enumerate().filter(|(n, _)| signs > 0 || matches!(n, 0 | 2)).collect();
    cells::row(buf, area, widths, &cells.into_iter().map(|(_, cell)| cell).collect::<Vec<_>>());
    if chosen {
        cells::cursor(theme, buf, area, true);
    }
    let named = Rect { x: area.x + from, width: width.min(area.width.saturating_sub(from)), ..area };
    mark_hits(theme, buf, named, &name, &chooser.sift.hits(0, &name), chosen);
}

fn one(app: &App, chooser: &Chooser, row: &Row, chosen: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let Some(sample) = &row.sample else { return plain(app, chooser, row, chosen, area, buf) };
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
