//! Screen 7: the keys of a place in sections, as many columns as fit; beside them words and files.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, pane, title};
use crate::console::app::App;
use crate::console::app::help::{Help, Row};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::state::RunState;

/// What a row of the columns is.
enum Item<'a> {
    Heading(&'static str),
    Danger,
    Command(usize, &'a Row),
    /// What did not fit beside the key.
    More(usize, String),
    Blank,
}

/// Cells of the keys, with the cursor's before them.
const KEYS: u16 = 12;

pub fn draw(app: &App, help: &Help, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let name = if help.all { "All keys" } else { "Keys" };
    let more = if help.all { "? again: only those of this place" } else { "? again: all keys" };
    let foot = format!("{} commands", help.rows.len());
    let inside = pane(app, buf, body, title(theme, "", name, more), &foot, true);
    if inside.height < 3 {
        return None;
    }
    // What is typed, always at the top.
    let prompt = "filter: ";
    let spans = vec![
        Span::styled(prompt, theme.style(Role::TextMuted)),
        Span::styled(help.filter.text(), theme.style(Role::TextStrong)),
    ];
    line(buf, nth(inside, 0), &Line::from(spans));
    let position =
        Position::new((inside.x + prompt.len() as u16 + help.filter.cursor() as u16).min(inside.right() - 1), inside.y);
    let files = inside.height >= 12;
    let notes = if files { 3 } else { 0 };
    let area = Rect { y: inside.y + 1, height: inside.height - 1 - notes, ..inside };
    if help.rows.is_empty() {
        cells::words(buf, nth(area, 1), "no command says that", theme.style(Role::TextMuted));
    }
    let columns: u16 = match area.width {
        0..70 => 1,
        70..112 => 2,
        _ => 3,
    };
    let width = area.width / columns;
    let items = items(help, usize::from(width.saturating_sub(KEYS + 2)));
    let per = usize::from(area.height).max(1);
    let page = per * usize::from(columns);
    // Enough pages that the cursor is always seen.
    let at = items.iter().position(|item| matches!(item, Item::Command(n, _) if *n == help.cursor.at)).unwrap_or(0);
    let from = at / page * page;
    let last = from + page >= items.len();
    let used = items.len().saturating_sub(from).min(page);
    for (n, item) in items.iter().skip(from).take(page).enumerate() {
        let (column, y) = ((n / per) as u16, (n % per) as u16);
        let place = Rect { x: area.x + column * width, y: area.y + y, width: width.saturating_sub(2), height: 1 };
        match item {
            Item::Heading(name) => cells::words(buf, place, name, theme.style(Role::TextStrong)),
            Item::Danger => {
                cells::words(buf, place, "-- changes the fleet (asks first) --", theme.style(Role::KeyDanger));
            }
            Item::Command(n, row) => command(app, help, row, *n == help.cursor.at, place, buf),
            Item::More(n, words) => {
                let rest = Rect { x: place.x + KEYS, width: place.width.saturating_sub(KEYS), ..place };
                let look = if *n == help.cursor.at { Role::TextStrong } else { Role::TextMuted };
                cells::words(buf, rest, words, theme.style(look));
            }
            Item::Blank => {}
        }
    }
    if last && columns == 3 && !help.all && used <= per * 2 {
        let place = Rect { x: area.x + 2 * width, width: width - 1, ..area };
        words_and_files(app, place, buf);
    }
    if files {
        let muted = theme.style(Role::TextMuted);
        let first = format!("config {}   log {}", app.place.config, app.place.log);
        let version = app
            .hello
            .as_ref()
            .map_or("no engine".into(), |hello| format!("engine {} (pid {})", text::plain(&hello.version), hello.pid));
        let second = format!("{version}   {}   quarterdeck keys prints all keys", app.place.terminal);
        // What the chosen key does, whole, or why it does nothing.
        if let Some(row) = help.rows.get(help.cursor.at) {
            let why = app.why_not(row.command).map_or_else(String::new, |why| format!("   (not now: {why})"));
            let chosen = format!(":{}  {}{why}", row.command.name, said(row));
            cells::words(buf, nth(inside, inside.height - 3), &chosen, theme.style(Role::Text));
        }
        cells::words(buf, nth(inside, inside.height - 2), &first, muted);
        cells::words(buf, nth(inside, inside.height - 1), &second, muted);
    }
    Some(position)
}

/// The rows in sections; a text too long for its column goes on below.
fn items(help: &Help, width: usize) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    for (n, row) in help.rows.iter().enumerate() {
        let before = n.checked_sub(1).map(|n| &help.rows[n]);
        if before.is_none_or(|before| before.section() != row.section()) {
            if before.is_some() {
                items.push(Item::Blank);
            }
            items.push(Item::Heading(row.section()));
        }
        if row.command.fleet && before.is_none_or(|b| !b.command.fleet || b.section() != row.section()) {
            items.push(Item::Danger);
        }
        items.push(Item::Command(n, row));
        let more = cells::fold(&said(row), width).into_iter().skip(1);
        items.extend(more.map(|words| Item::More(n, words)));
    }
    items
}

fn said(row: &Row) -> String {
    format!("{}{}", row.command.doc, if row.command.fleet { ".." } else { "" })
}

fn command(app: &App, help: &Help, row: &Row, chosen: bool, place: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let keys = row.keys.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
    // Of the keys of this place, those that can do nothing just now are greyed; enter says why.
    let off = !help.all && app.why_not(row.command).is_some();
    let (key, words) = match (off, row.command.fleet) {
        (true, _) => (Role::TextMuted, Role::TextMuted),
        (false, true) => (Role::KeyDanger, Role::Text),
        (false, false) => (Role::Key, Role::Text),
    };
    let first = cells::fold(&said(row), usize::from(place.width.saturating_sub(KEYS))).into_iter().next();
    let cells = [
        cells::left("", Style::default()),
        cells::left(keys, theme.style(key)),
        cells::left(first.unwrap_or_default(), theme.style(words)),
    ];
    cells::row(buf, place, &[1, KEYS - 3, 0], &cells);
    if chosen {
        cells::cursor(theme, buf, place, true);
    }
}

fn words_and_files(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (strong, plain, muted) = (theme.style(Role::TextStrong), theme.style(Role::Text), theme.style(Role::TextMuted));
    let mut y = 0;
    let mut put = |spans: Vec<Span<'_>>| {
        line(buf, nth(area, y), &Line::from(spans));
        y += 1;
    };
    put(vec![Span::styled("states", strong)]);
    for pair in RunState::ALL.chunks(2) {
        let mut spans = vec![Span::raw("  ")];
        for state in pair {
            spans.push(Span::styled(theme.glyphs.state(*state).to_string(), theme.state(*state)));
            spans.push(Span::styled(format!(" {:<12}", state.word()), plain));
        }
        put(spans);
    }
    put(vec![]);
    put(vec![Span::styled("targets", strong)]);
    for text in [
        "  web[01-40]       a node set",
        "  a & b   a | b    both, either",
        "  !a   ( )         not, grouping",
        "  os:debian*       a fact",
        "  os<14.6          versions, numbers",
        "  state:offline    reachability",
        "  @all             everything",
    ] {
        put(vec![Span::styled(text, plain)]);
    }
    put(vec![]);
    put(vec![Span::styled("without the screen", strong)]);
    for text in ["  quarterdeck run SCRIPT --target EXPR", "  quarterdeck jobs attach ID", "  quarterdeck doctor HOST"]
    {
        put(vec![Span::styled(text, muted)]);
    }
}
