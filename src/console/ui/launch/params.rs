//! Block What: a row for each parameter, and beneath the focused one what it is for or what is wrong with it; the
//! fields that hold more than a line.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::fields::{draw_field, view};
use crate::console::app::App;
use crate::console::app::form::Input;
use crate::console::app::inputs::{Lines, List, Picks};
use crate::console::app::launch::params::INDENT;
use crate::console::app::launch::{At, Field, Launch, Slot};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, line, nth, popup};

/// Between the values of a list.
const BETWEEN: &str = " | ";

/// Cells for how many choices more there are, where not all fit.
const MORE: usize = 4;
/// Before the first that is seen, where it is not the first there is.
const CUT: &str = "… ";

/// Draws the fields of the block; how many rows they take.
pub(super) fn draw(
    app: &App,
    launch: &Launch,
    at: Option<usize>,
    label: u16,
    inside: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) -> u16 {
    let mut used = 0;
    let rows = usize::from(inside.height);
    for (row, n) in launch.what_shown(rows, inside.width) {
        let Some(field) = launch.fields.get(n) else { continue };
        let focused = Some(n) == at;
        let area = nth(inside, row);
        if field.slot == Slot::Advanced {
            fold(app, field, focused, label, area, buf);
        } else {
            draw_field(app, field, focused, label, area, buf, position);
            sign(app, launch, field, focused, label, area, buf);
        }
        used = row + 1;
        let beneath = launch.beneath(rows, inside.width).filter(|_| focused);
        for (wrong, said) in beneath.iter().flat_map(|(wrong, said)| said.iter().map(move |said| (*wrong, said))) {
            let role = if wrong { Role::LevelError } else { Role::TextMuted };
            let area = nth(inside, used);
            let indent = (INDENT as u16).min(area.width);
            let area = Rect { x: area.x + indent, width: area.width - indent, ..area };
            cells::words(buf, area, said, app.theme.style(role));
            used += 1;
        }
    }
    used
}

/// What is wrong is seen where the focus is not, too; and an empty field shows what a value looks like.
fn sign(app: &App, launch: &Launch, field: &Field, focused: bool, label: u16, area: Rect, buf: &mut Buffer) {
    if area.height == 0 || area.width < label + 4 {
        return;
    }
    if !focused && launch.wrong(field).is_some() {
        buf.set_string(area.x + label, area.y, "!", app.theme.style(Role::LevelError));
    }
    let Slot::Param(at) = field.slot else { return };
    let example = launch.info.as_ref().and_then(|info| info.params.get(at)?.example.as_deref());
    let words = match (&field.input, example) {
        (Input::Text(text), Some(example)) if text.is_empty() && !focused => &format!("e.g. {example}"),
        (Input::Path(path), Some(example)) if path.text.is_empty() && !focused => &format!("e.g. {example}"),
        (Input::Lines(lines), _) if lines.is_empty() => "type to write",
        _ => return,
    };
    let room = area.width - label - 2;
    let inner = usize::from(if room < 30 { room } else { (room * 3 / 5).clamp(12, 28) }).saturating_sub(3);
    let words = text::clip(&text::plain(words), inner);
    buf.set_string(area.x + label + 2, area.y, words, app.theme.style(Role::TextMuted));
}

/// The row under which what is rarely needed is folded.
fn fold(app: &App, field: &Field, focused: bool, label: u16, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let open = matches!(field.input, Input::Flag(true));
    let glyph = if open { theme.glyphs.expanded() } else { theme.glyphs.collapsed() };
    let count = field.note.split(", ").count();
    let name = format!("{glyph} {}", field.label);
    let style = theme.style(if focused { Role::Cursor } else { Role::TextMuted });
    let room = usize::from(area.width);
    cells::words(buf, area, &text::clip(&name, room), style);
    let x = (label + 1).max(text::width(&name) as u16 + 2);
    let rest = Rect { x: area.x + x, width: area.width.saturating_sub(x), ..area };
    let said = if open { format!("{count} shown") } else { format!("{count}: {}", text::plain(&field.note)) };
    cells::words(buf, rest, &text::clip(&said, usize::from(rest.width)), theme.style(Role::TextMuted));
}

/// The values of a list in a row, around the one that is written, and where the cursor then is.
pub(super) fn list(list: &List, focused: bool, width: usize) -> (String, usize) {
    let (at, cursor) = list.cursor();
    if !focused {
        let all: Vec<String> = list.values().iter().map(|value| text::plain(value)).collect();
        return (text::clip(&all.join(BETWEEN), width), 0);
    }
    let (mut whole, mut place) = (String::new(), 0);
    for (n, piece) in list.pieces().enumerate() {
        if n > 0 {
            whole.push_str(BETWEEN);
        }
        if n == at {
            place = whole.chars().count() + cursor;
        }
        whole.push_str(piece);
    }
    view(&whole, place, width)
}

/// `3 lines: the first of them`
pub(super) fn summary(lines: &Lines, width: usize) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let first = lines.lines().iter().find(|line| !line.is_empty()).map_or("", String::as_str);
    text::clip(&format!("{}: {}", text::number(lines.lines().len() as u64, "line"), text::plain(first)), width)
}

/// The choices in a row, each with its box, around the one under the cursor; where they do not fit, how many more there
/// are.
pub(super) fn picks(app: &App, picks: &Picks, focused: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let boxed = |(choice, on): (&String, &bool)| {
        let sign = if *on { theme.glyphs.mark() } else { theme.glyphs.unmarked() };
        format!("{sign} {}", text::plain(choice))
    };
    let words: Vec<String> = picks.of.iter().zip(&picks.on).map(boxed).collect();
    let width = |words: &[String]| words.iter().map(|word| text::width(word) + 2).sum::<usize>().saturating_sub(2);
    let whole = usize::from(area.width);
    let at = if focused { picks.at.min(words.len().saturating_sub(1)) } else { 0 };
    let (mut from, mut to) = (0, words.len());
    if width(&words) > whole {
        let room = |from: usize| whole.saturating_sub(MORE + if from > 0 { text::width(CUT) } else { 0 });
        while from < at && width(&words[from..=at]) > room(from) {
            from += 1;
        }
        to = at + 1;
        while to < words.len() && width(&words[from..=to]) <= room(from) {
            to += 1;
        }
    }
    let muted = theme.style(Role::TextMuted);
    let mut spans: Vec<Span<'static>> = Vec::new();
    if from > 0 {
        spans.push(Span::styled(CUT, muted));
    }
    for (n, word) in words.iter().enumerate().take(to).skip(from) {
        let role = match (focused && n == picks.at, picks.on[n]) {
            (true, _) => Role::Cursor,
            (_, true) => Role::TextStrong,
            _ => Role::Text,
        };
        spans.extend([Span::styled(word.clone(), theme.style(role)), Span::raw("  ")]);
    }
    if to < words.len() {
        spans.push(Span::styled(format!("+{}", words.len() - to), muted));
    }
    line(buf, area, &Line::from(spans));
}

/// The text of many lines that is open, and what it is called.
pub(super) fn open_lines(launch: &Launch) -> Option<(&str, &Lines)> {
    let At::Field(at) = launch.at else { return None };
    match launch.fields.get(at)? {
        Field { input: Input::Lines(lines), label, .. } if lines.open => Some((label, lines)),
        _ => None,
    }
}

/// It, above the form; where the cursor is.
pub(super) fn lines(app: &App, label: &str, lines: &Lines, body: Rect, buf: &mut Buffer) -> Position {
    let size = (body.width.saturating_sub(4).min(100), body.height.saturating_sub(2).min(20));
    let foot = format!("{}   esc: done", text::number(lines.lines().len() as u64, "line"));
    let inside = popup(app, buf, body, &text::plain(label), &foot, size);
    let (row, column) = lines.cursor();
    let height = usize::from(inside.height).max(1);
    let from = (row + 1).saturating_sub(height);
    let mut place = Position::new(inside.x, inside.y);
    for (n, text) in lines.lines().iter().enumerate().skip(from).take(height) {
        let y = inside.y + (n - from) as u16;
        let spread = |text: &str| text.replace('\t', "    ");
        let before: String = text.chars().take(column).collect();
        let cursor = if n == row { spread(&before).chars().count() } else { 0 };
        let (shown, x) = view(&spread(text), cursor, usize::from(inside.width));
        buf.set_string(inside.x, y, text::plain(&shown), app.theme.style(Role::Text));
        if n == row {
            place = Position::new(inside.x + x as u16, y);
        }
    }
    place
}
