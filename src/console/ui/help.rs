//! Screen 7: the keys of a place in sections, as many columns as fit; beside them words and files.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, pane, title};
use crate::console::app::help::{Help, Row};
use crate::console::app::help_page::{Item, KEYS, Page};
use crate::console::app::{App, commands};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::state::RunState;

pub fn draw(app: &App, help: &Help, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let page = Page::of(body, help.all)?;
    let name = if help.all { "All keys" } else { "Keys" };
    let more = match (help.rows.iter().any(|row| row.own), help.all) {
        (true, _) => "* changed in keymap.toml",
        (false, true) => "? again: only those of this place",
        (false, false) => "? again: all keys",
    };
    let foot = format!("{} commands", help.rows.len());
    let inside = pane(app, buf, page.pane, title(theme, "", name, more), &foot, true);
    // What is typed, always at the top.
    let prompt = "filter: ";
    let spans = vec![
        Span::styled(prompt, theme.style(Role::TextMuted)),
        Span::styled(help.filter.text(), theme.style(Role::TextStrong)),
    ];
    line(buf, page.prompt, &Line::from(spans));
    let position =
        Position::new((inside.x + prompt.len() as u16 + help.filter.cursor() as u16).min(inside.right() - 1), inside.y);
    if help.rows.is_empty() {
        cells::words(buf, nth(page.listed, 1), "no command says that", theme.style(Role::TextMuted));
    }
    list(app, help, &page, buf);
    if let Some(place) = page.beside {
        words_and_files(app, place, buf);
    }
    let chosen = help.rows.get(help.cursor.at);
    if let Some(below) = page.below {
        let named = chosen.map_or_else(String::new, |row| format!("{} {}", first(row), row.command.name));
        let inside = pane(app, buf, below, title(theme, "", "This key in words", &named), "", false);
        let mut y = 0;
        for (words, role) in chosen.map(|row| in_words(app, row)).unwrap_or_default() {
            let rest =
                Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y + 1), ..inside };
            y += cells::paragraph(buf, rest, &words, theme.style(role));
        }
        cells::words(buf, nth(inside, inside.height.saturating_sub(1)), &about(app), theme.style(Role::TextMuted));
    } else if page.notes > 0 {
        let muted = theme.style(Role::TextMuted);
        // What the chosen key does, whole, or why it does nothing.
        if let Some(row) = chosen {
            let why = app.why_not(row.command).map_or_else(String::new, |why| format!("   (not now: {why})"));
            let said = format!(":{}  {}{why}", row.command.name, row.said());
            cells::words(buf, nth(inside, inside.height - 3), &said, theme.style(Role::Text));
        }
        let files = format!("config {}   log {}", app.place.config, app.place.log);
        cells::words(buf, nth(inside, inside.height - 2), &files, muted);
        cells::words(buf, nth(inside, inside.height - 1), &about(app), muted);
    }
    Some(position)
}

/// Engine, terminal, theme and keymap in force.
fn about(app: &App) -> String {
    let engine = app
        .hello
        .as_ref()
        .map_or("no engine".into(), |hello| format!("engine {} (pid {})", text::plain(&hello.version), hello.pid));
    let terminal = &app.place.terminal;
    format!("{engine}   {terminal}   theme {}   keys {}", text::plain(&app.theme.name), app.looks.keys_said())
}

/// What the chosen command does, what it would touch, and the other ways to it.
fn in_words(app: &App, row: &Row) -> Vec<(String, Role)> {
    let command = row.command;
    let keys = if row.keys.is_empty() { "No key of its own".to_owned() } else { row.keys.join(" or ") };
    let mut words = vec![(format!("{keys}: {}.", command.doc), Role::Text)];
    if command.fleet {
        let touched = app.touches(command).map_or_else(String::new, |what| format!(" It reaches {what}."));
        let asks = "It opens a dialog in which Cancel is chosen: enter alone does nothing to the fleet.";
        words.push((format!("{asks}{touched}"), Role::Text));
    }
    if let Some(why) = app.why_not(command) {
        words.push((format!("Not now: {}", text::plain(&why)), Role::LevelWarn));
    }
    let shell = commands::shell(command).map_or_else(String::new, |verb| format!("; in the shell: {verb}"));
    let keys = row.keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let binding = format!("; in keymap.toml: [{}] {} = [{keys}]", command.context, command.name);
    words.push((format!("As a line: :{}{shell}{binding}", command.name), Role::TextMuted));
    words
}

/// The commands in columns.
fn list(app: &App, help: &Help, page: &Page, buf: &mut Buffer) {
    let theme = &app.theme;
    for (place, item) in help.placed(page) {
        match item {
            Item::Heading(name) => cells::words(buf, place, name, theme.style(Role::TextStrong)),
            Item::Danger => {
                cells::words(buf, place, "-- changes the fleet (asks first) --", theme.style(Role::KeyDanger));
            }
            Item::Command(n, row) => command(app, help, row, n == help.cursor.at, place, buf),
            Item::More(n, words) => {
                let rest = Rect { x: place.x + KEYS, width: place.width.saturating_sub(KEYS), ..place };
                let look = if n == help.cursor.at { Role::TextStrong } else { Role::TextMuted };
                cells::words(buf, rest, &words, theme.style(look));
            }
            Item::Blank => {}
        }
    }
}

fn first(row: &Row) -> &str {
    row.keys.first().map_or(":", String::as_str)
}

fn command(app: &App, help: &Help, row: &Row, chosen: bool, place: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let own = if row.own { "*" } else { "" };
    let keys = match row.keys.is_empty() {
        true => format!(":{}", row.command.name),
        false => format!("{}{own}", row.keys.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ")),
    };
    // Of the keys of this place, those that can do nothing just now are greyed; enter says why.
    let off = !help.all && app.why_not(row.command).is_some();
    let (key, words) = match (off, row.command.fleet) {
        (true, _) => (Role::TextMuted, Role::TextMuted),
        (false, true) => (Role::KeyDanger, Role::Text),
        (false, false) => (Role::Key, Role::Text),
    };
    let first = row.folded(usize::from(place.width.saturating_sub(KEYS))).into_iter().next();
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
    let mut lines: Vec<Line<'_>> = Vec::new();
    let head = |lines: &mut Vec<Line<'_>>, name: &'static str| {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(Span::styled(name, strong)));
    };
    let pairs = |lines: &mut Vec<Line<'_>>, pairs: &[(&'static str, &'static str)]| {
        for (written, meant) in pairs {
            lines.push(Line::from(vec![
                Span::styled(format!("  {}", text::pad(written, 19)), plain),
                Span::styled(*meant, muted),
            ]));
        }
    };
    head(&mut lines, "filter words");
    pairs(
        &mut lines,
        &[
            ("web prod", "both, in any column"),
            ("!lon   a | b", "not; either"),
            ("~mb31", "fuzzy"),
            ("re:CDN 5\\d\\d", "a regular expression"),
            ("state:fail bad:>0", "columns"),
        ],
    );
    head(&mut lines, "states");
    let states = RunState::ALL.map(|state| (theme.glyphs.state(state), theme.state(state), state.word()));
    let states: Vec<_> = states.into_iter().chain([(theme.glyphs.idle(), muted, "cannot run any")]).collect();
    for pair in states.chunks(2) {
        let mut spans = vec![Span::raw("  ")];
        for (sign, style, word) in pair {
            spans.push(Span::styled(sign.to_string(), *style));
            spans.push(Span::styled(format!(" {word:<15}"), plain));
        }
        lines.push(Line::from(spans));
    }
    head(&mut lines, "targets");
    pairs(
        &mut lines,
        &[
            ("web[01-40]  db", "a node set; a group"),
            ("a & b  a | b  !a", "both, either, not"),
            ("os:debian os<14.6", "facts"),
            ("state:offline", "what was last seen"),
            ("@all  local", "everything; this machine"),
        ],
    );
    head(&mut lines, "files");
    let folder = app.place.config.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (what, file) in [
        ("config", app.place.config.clone()),
        ("keys", format!("{folder}/keymap.toml")),
        ("themes", format!("{folder}/themes/*.toml")),
        ("log", app.place.log.clone()),
    ] {
        lines.push(Line::from(vec![Span::styled(format!("  {what:<7}"), muted), Span::styled(file, plain)]));
    }
    for (n, words) in lines.iter().enumerate().take(usize::from(area.height)) {
        line(buf, nth(area, n as u16), words);
    }
}
