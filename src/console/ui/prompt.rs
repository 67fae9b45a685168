//! The one-line prompt, on the last row but one; above it what its owner has to show: what tab offers, what a target
//! expression means.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::cells::{self, line, nth, popup, words};
use crate::console::app::prompt::{Completion, Prompt, Purpose};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;

/// Rows of what tab offers.
const OFFERED: usize = 8;

/// Tells where the terminal's cursor belongs.
pub fn draw(app: &App, prompt: &Prompt, area: Rect, buf: &mut Buffer) -> Position {
    let strips = layout::strips(area);
    if let Some(completion) = &prompt.completion {
        offered(app, prompt, completion, strips.body, buf);
    } else if prompt.purpose == Purpose::Target {
        expression(app, prompt, strips.body, buf);
    } else if let (Purpose::Command, Some((_, why))) = (prompt.purpose, &prompt.problem) {
        wrong(app, why, strips.body, buf);
    }
    entry(app, prompt, strips.status, buf)
}

fn entry(app: &App, prompt: &Prompt, area: Rect, buf: &mut Buffer) -> Position {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    // (a dialog may have written on this row)
    Clear.render(area, buf);
    buf.set_style(area, theme.base());
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let sign = match &prompt.recall {
        Some(recall) => format!("history `{}`: ", recall.query.text()),
        None => prompt.purpose.sign().to_owned(),
    };
    words(buf, area, &sign, theme.style(Role::Key));
    let field = text::width(&sign).min(usize::from(area.width) / 2) as u16;
    let field = Rect { x: area.x + field, width: area.width - field, ..area };

    // What is said about the line stands at its right, as far as the line leaves room.
    let said = match prompt.purpose {
        Purpose::Filter(list) => app.filter_said(list),
        _ => prompt.aside.clone(),
    };
    let (said, style) = match (&app.hint, &prompt.problem) {
        (Some(hint), _) => (hint.as_str(), muted),
        (None, Some((_, why))) => (why.as_str(), theme.style(Role::LevelError)),
        (None, None) => (said.as_str(), muted),
    };
    let value = prompt.text.text();
    let used = text::width(value) + 3;
    let room = usize::from(field.width).saturating_sub(used);
    if !said.is_empty() && room >= 12 {
        let said = text::clip(&text::plain(said), room);
        let width = text::width(&said) as u16;
        words(buf, Rect { x: field.right() - width, width, ..field }, &said, style);
    }

    // The cursor stays in sight in a line that is longer than the screen.
    let at = text::width(prompt.before_cursor());
    let from = (at + 1).saturating_sub(usize::from(field.width));
    let strong = theme.style(if prompt.text.is_chosen() { Role::Cursor } else { Role::TextStrong });
    let wrong =
        prompt.problem.as_ref().and_then(|(column, _)| *column).filter(|column| *column < value.chars().count());
    let written = match wrong {
        Some(column) => {
            let split = |n: usize| value.char_indices().nth(n).map_or(value.len(), |(at, _)| at);
            let (start, end) = (split(column), split(column + 1));
            Line::from(vec![
                Span::styled(&value[..start], strong),
                Span::styled(&value[start..end], theme.style(Role::SyntaxError)),
                Span::styled(&value[end..], strong),
            ])
        }
        None => Line::from(Span::styled(value, strong)),
    };
    line(buf, field, &text::slice(&written, from, usize::from(field.width)));
    Position::new(field.x + (at - from) as u16, field.y)
}

/// What is wrong with the line, whole: beside it there may be little room.
fn wrong(app: &App, why: &str, body: Rect, buf: &mut Buffer) {
    let why = text::plain(why);
    let width = (text::width(&why) as u16 + 4).clamp(24, body.width.max(24));
    let rows = cells::fold(&why, usize::from(width.saturating_sub(4)).max(1)).len() as u16;
    let inside = above(app, "Not done", "", body, (width, rows + 2), buf);
    cells::paragraph(buf, inside, &why, app.theme.style(Role::LevelError));
}

/// A box above the line, as wide as it must be.
fn above(app: &App, name: &str, foot: &str, body: Rect, size: (u16, u16), buf: &mut Buffer) -> Rect {
    let (width, height) = (size.0.min(body.width), size.1.min(body.height));
    popup(app, buf, Rect { y: body.bottom() - height, width, height, ..body }, name, foot, (width, height))
}

fn offered(app: &App, prompt: &Prompt, completion: &Completion, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let len = completion.options.len();
    let rows = len.min(OFFERED);
    let at = completion.at.unwrap_or(0);
    let from = at.saturating_sub(rows / 2).min(len - rows);
    let shown = &completion.options[from..from + rows];
    let word = shown.iter().map(|(word, _)| text::width(word)).max().unwrap_or(0).min(40) as u16;
    let note = shown.iter().map(|(_, note)| text::width(note)).max().unwrap_or(0) as u16;
    let start: String = prompt.text.text().chars().take(completion.from).collect();
    let indent = (prompt.purpose.sign().len() + text::width(&start)) as u16;
    let width = word + note + 7;
    let x = body.x + indent.min(body.width.saturating_sub(width));
    let column = Rect { x, width: body.right() - x, ..body };
    let foot = if len > rows { cells::place(at, len) } else { String::new() };
    let inside = above(app, "", &foot, column, (width, rows as u16 + 2), buf);
    for (n, (option, note)) in shown.iter().enumerate() {
        let row = nth(inside, n as u16);
        let plain = theme.style(Role::Text);
        let cells = [
            cells::left("", plain),
            cells::left(text::plain(option), plain),
            cells::left(text::plain(note), theme.style(Role::TextMuted)),
        ];
        cells::row(buf, row, &[1, word, 0], &cells);
        if completion.at == Some(from + n) {
            cells::cursor(theme, buf, row, true);
        }
    }
}

/// What a target expression means so far, and how one is written.
fn expression(app: &App, prompt: &Prompt, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let kept = if prompt.expression.replaces.is_some() { "; empty forgets it" } else { "" };
    let foot = format!("enter keeps it{kept}   esc");
    let inside = above(app, "Target expression", &foot, body, (body.width, 9), buf);
    let rest = |y: u16| Rect { y: inside.y + y, height: inside.height.saturating_sub(y), ..inside };
    match &prompt.expression.answer {
        Some(Err(problem)) => {
            cells::paragraph(buf, rest(0), &text::plain(&problem.error), theme.style(Role::LevelError));
        }
        Some(Ok((count, folded))) => {
            let sum = format!("= {}", text::number(*count as u64, "device"));
            words(buf, nth(inside, 0), &sum, theme.style(Role::StateOk));
            let folded = text::clip(&text::plain(folded), usize::from(inside.width) * 3);
            cells::paragraph(buf, Rect { height: 3.min(inside.height.saturating_sub(1)), ..rest(1) }, &folded, plain);
        }
        None => {}
    }
    let help = [
        "a & b  both     a | b  either     !a  not     ( )",
        "device, group, connection, @all, web[01-40], db*",
        "os:debian*   os<14.6   state:offline   connection:name",
    ];
    if inside.height >= 7 {
        for (n, text) in help.iter().enumerate() {
            words(buf, nth(inside, inside.height - 3 + n as u16), text, muted);
        }
    }
}
