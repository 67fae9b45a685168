//! Two texts compared: side by side where there is room, one below the other elsewhere. What changed within a line is
//! told from what stayed; signs stand beside the colours. Only rows on screen are worked out.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line as Row, Span};

use super::cells::{self, line, nth, pane, title, words};
use super::states::{self, Said};
use crate::console::app::App;
use crate::console::app::diff::{Button, DiffView, Line, Scroll, Shown, State};
use crate::console::app::layout;
use crate::console::text;
use crate::console::theme::Role;
use crate::model::diff;

pub fn draw(app: &App, view: &DiffView, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (left, right) = (text::plain(&view.titles.0), text::plain(&view.titles.1));
    let name = format!("{left}  ->  {right}");
    let foot = match &view.state {
        State::Ready(shown) => foot(view.scroll, shown, view.beside(app.area.width)),
        State::Comparing | State::Failed(_) => String::new(),
    };
    let back = format!("{} leads back", app.key_of("dialog", "cancel"));
    let inside = pane(app, buf, body, title(theme, "", "Diff", &name), &foot, true);
    match &view.state {
        State::Comparing => Said::so("comparing…", back).draw(app, inside, buf),
        State::Failed(why) => Said::wrong(why.clone(), back).draw(app, inside, buf),
        State::Ready(shown) if shown.diff.same() => {
            let said = match &view.raw {
                Some(raw) => Said::so(states::ALIKE, format!("{} shows all of it; {back}", text::plain(raw))),
                None => Said::so(states::IDENTICAL, back),
            };
            said.draw(app, inside, buf);
        }
        State::Ready(shown) => {
            let notes = notes(app, shown, inside, buf);
            let mut rest = Rect { y: inside.y + notes, height: inside.height - notes, ..inside };
            if let Some(at) = view.save {
                rest.height = rest.height.saturating_sub(1);
                let button = |word, button| (word, at == button, Role::Text);
                cells::buttons(
                    app,
                    buf,
                    layout::last_row(inside),
                    [button("Back", Button::Back), button("Save", Button::Save)],
                );
            }
            lines(app, view.scroll, shown, view.beside(app.area.width), rest, buf);
        }
    }
}

pub(super) fn foot(scroll: Scroll, shown: &Shown, wide: bool) -> String {
    let lines = shown.lines(wide);
    let change = lines.iter().take(scroll.top + 1).filter(|line| matches!(line, Line::Hunk(_))).count();
    let (changes, added, removed) = (shown.diff.hunks.len(), shown.diff.added, shown.diff.removed);
    let count = |n: usize| text::count(n as u64);
    let column = if scroll.left > 0 { format!("  column {}", scroll.left + 1) } else { String::new() };
    format!("+{} -{}  change {}/{}{column}", count(added), count(removed), count(change), count(changes))
}

/// The lines from where one reads.
pub(super) fn lines(app: &App, scroll: Scroll, shown: &Shown, wide: bool, area: Rect, buf: &mut Buffer) {
    if wide {
        beside(app, scroll, shown, area, buf);
    } else {
        below(app, scroll, shown, area, buf);
    }
}

/// What is different beside the lines; tells how many rows it took.
pub(super) fn notes(app: &App, shown: &Shown, area: Rect, buf: &mut Buffer) -> u16 {
    let style = app.theme.style(Role::LevelWarn);
    let most = area.height / 3;
    let mut y = 0;
    for note in &shown.diff.notes {
        let room = Rect { y: area.y + y, height: most.saturating_sub(y), ..area };
        y += cells::paragraph(buf, room, &format!("! {note}"), style);
    }
    y
}

fn below(app: &App, scroll: Scroll, shown: &Shown, area: Rect, buf: &mut Buffer) {
    for (n, row) in shown.below.iter().skip(scroll.top).take(usize::from(area.height)).enumerate() {
        let place = nth(area, n as u16);
        match *row {
            Line::Hunk(hunk) => head(app, shown, hunk, place, buf),
            Line::Same(left, right) => {
                put(
                    app,
                    scroll,
                    place,
                    buf,
                    ' ',
                    right,
                    &plain_spans(&shown.diff.left[left as usize], text_style(app)),
                );
            }
            Line::Changed { left, right, shows_left } => {
                let (gone, came) = changed(app, shown, left, right);
                match (shows_left, left, right) {
                    (true, Some(at), _) => put(app, scroll, place, buf, '-', at, &gone),
                    (_, _, Some(at)) => put(app, scroll, place, buf, '+', at, &came),
                    _ => {}
                }
            }
        }
    }
}

fn beside(app: &App, scroll: Scroll, shown: &Shown, area: Rect, buf: &mut Buffer) {
    let half = area.width / 2;
    let bar = app.theme.style(Role::Border);
    for (n, row) in shown.beside.iter().skip(scroll.top).take(usize::from(area.height)).enumerate() {
        let place = nth(area, n as u16);
        let (a, b) = (
            Rect { width: half.saturating_sub(1), ..place },
            Rect { x: place.x + half + 1, width: place.width - half - 1, ..place },
        );
        match *row {
            Line::Hunk(hunk) => head(app, shown, hunk, place, buf),
            Line::Same(left, right) => {
                let spans = plain_spans(&shown.diff.left[left as usize], text_style(app));
                put(app, scroll, a, buf, ' ', left, &spans);
                put(app, scroll, b, buf, ' ', right, &spans);
            }
            Line::Changed { left, right, .. } => {
                let (gone, came) = changed(app, shown, left, right);
                if let Some(at) = left {
                    put(app, scroll, a, buf, '-', at, &gone);
                }
                if let Some(at) = right {
                    put(app, scroll, b, buf, '+', at, &came);
                }
            }
        }
        if !matches!(row, Line::Hunk(_)) {
            buf.set_string(place.x + half, place.y, app.theme.glyphs.borders(false).vertical_left, bar);
        }
    }
}

fn text_style(app: &App) -> Style {
    app.theme.style(Role::Text)
}

fn head(app: &App, shown: &Shown, hunk: usize, place: Rect, buf: &mut Buffer) {
    words(buf, place, &shown.diff.hunks[hunk].head(), app.theme.style(Role::DiffHunk));
}

/// Number, sign and text of one line.
fn put(app: &App, scroll: Scroll, place: Rect, buf: &mut Buffer, sign: char, at: u32, spans: &[Span<'static>]) {
    let numbered = place.width >= 50;
    let gutter = if numbered { format!("{:>5} ", at + 1) } else { String::new() };
    let style = match sign {
        '-' => app.theme.style(Role::DiffDel),
        '+' => app.theme.style(Role::DiffAdd),
        _ => app.theme.style(Role::TextMuted),
    };
    let room = usize::from(place.width).saturating_sub(gutter.len() + 2);
    let mut row = vec![Span::styled(gutter, app.theme.style(Role::TextMuted)), Span::styled(format!("{sign} "), style)];
    row.extend(text::slice(&Row::from(spans.to_vec()), scroll.left, room).spans);
    line(buf, place, &Row::from(row));
}

/// Both lines of a change, what differs between them standing out.
fn changed(
    app: &App,
    shown: &Shown,
    left: Option<u32>,
    right: Option<u32>,
) -> (Vec<Span<'static>>, Vec<Span<'static>>) {
    let text = |lines: &[String], at: Option<u32>| at.map_or_else(String::new, |at| lines[at as usize].clone());
    let (gone, came) = (text(&shown.diff.left, left), text(&shown.diff.right, right));
    let (a, b) = if left.is_some() && right.is_some() { diff::emphasis(&gone, &came) } else { Default::default() };
    (spans(&gone, &a, app.theme.style(Role::DiffDel)), spans(&came, &b, app.theme.style(Role::DiffAdd)))
}

fn plain_spans(line: &str, style: Style) -> Vec<Span<'static>> {
    spans(line, &[], style)
}

fn spans(line: &str, stands_out: &[Range<usize>], style: Style) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut from = 0;
    for range in stands_out {
        spans.push(Span::styled(shown(&line[from..range.start]), style));
        spans.push(Span::styled(shown(&line[range.clone()]), style.add_modifier(Modifier::REVERSED)));
        from = range.end;
    }
    spans.push(Span::styled(shown(&line[from..]), style));
    spans
}

/// A piece of a file: its control characters are text here, not colours or a way back to the line's start.
fn shown(piece: &str) -> String {
    text::plain(&piece.replace('\u{1b}', "^[").replace('\r', "^M"))
}
