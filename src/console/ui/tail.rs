//! The tail: the lines at hand, made safe, as wide as the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, pane, title, words};
use super::live::{clock, last_words};
use crate::console::app::live::took_ms;
use crate::console::app::tail::Tail;
use crate::console::app::{App, Live, LivePane};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::{Job, Run};
use crate::model::output::{self, Stream, Which};
use crate::model::state::RunState;

pub fn draw(app: &App, live: &Live, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let tail = &live.tail;
    let focused = live.focus == LivePane::Tail && app.layers.is_empty();
    let run = tail.run.and_then(|run| job.runs.get(run as usize));
    let whose = run.map_or("all devices".into(), |run| text::plain(&run.name));
    let which = match tail.which {
        Which::All => "stdout+stderr",
        Which::Out => "stdout",
        Which::Err => "stderr",
    };
    let mode = match (tail.frozen, tail.follow) {
        (Some(_), _) => format!("FROZEN, {} lines waiting", text::count(tail.waiting())),
        (None, true) => "follow on".into(),
        (None, false) => "follow off".into(),
    };
    let mut more = format!("{whose}   {which}   {mode}");
    if tail.wrap {
        more.push_str("   wrap");
    }
    if tail.left > 0 && !tail.wrap {
        more.push_str(&format!("   column {}", tail.left + 1));
    }
    let inside = pane(app, buf, area, title(theme, "3", "Tail", &more), &foot(tail, run), focused);
    let lines = Rect { height: inside.height, ..inside };
    if let Some(problem) = &tail.problem {
        cells::paragraph(buf, lines, &text::plain(problem), theme.style(Role::LevelError));
        return;
    }
    let ended = run.filter(|run| run.state.ended());
    let room = usize::from(lines.height).saturating_sub(usize::from(ended.is_some()));
    let shown = tail.shown();
    let drawn = rows(app, tail, job, shown, usize::from(lines.width), room);
    let count = drawn.len() as u16;
    for (n, row) in drawn.into_iter().enumerate() {
        let place = nth(lines, n as u16);
        buf.set_line(place.x, place.y, &row, place.width);
    }
    if let Some(run) = ended.filter(|_| tail.at_end()) {
        line(buf, nth(lines, count.min(lines.height.saturating_sub(1))), &ending(app, tail, run));
    } else if shown.is_empty() {
        let what = match run {
            _ if !tail.loaded && run.is_none_or(|run| run.bytes > 0) => "reading…",
            Some(run) => match run.state {
                RunState::Queued => "waits for its turn",
                RunState::Sent => "connecting; no output yet",
                _ => "no output yet",
            },
            None => "no output yet",
        };
        words(buf, nth(lines, 0), what, theme.style(Role::TextMuted));
    }
}

fn foot(tail: &Tail, run: Option<&Run>) -> String {
    let Some(run) = run else { return "in order of arrival   t one device".into() };
    let total = tail.total.max(if tail.which == Which::All { run.lines } else { 0 });
    let lines = text::count(total);
    let size = text::bytes(tail.bytes.max(run.bytes));
    match tail.shown().first() {
        Some(first) if !tail.follow => format!("line {} of {lines}   {size}", text::count(first.number + 1)),
        _ => format!("{lines} lines   {size}"),
    }
}

/// The screen's rows for these lines: one each, or wrapped. When following, the last rows win.
fn rows(app: &App, tail: &Tail, job: &Job, shown: &[output::Line], width: usize, room: usize) -> Vec<Line<'static>> {
    if !tail.wrap {
        return shown.iter().map(|line| one(app, tail, job, line, width)).collect();
    }
    let mut rows: Vec<Line<'static>> = Vec::new();
    let take = |line: &output::Line| -> Vec<Line<'static>> {
        let (prefix, body) = parts(app, tail, job, line);
        let used = text::line_width(&prefix);
        let body = text::wrap(&body, width.saturating_sub(used).max(10));
        body.into_iter()
            .take(room)
            .enumerate()
            .map(|(n, piece)| {
                let mut row = if n == 0 { prefix.clone() } else { Line::from(Span::raw(" ".repeat(used))) };
                row.spans.extend(piece.spans);
                row
            })
            .collect()
    };
    if tail.at_end() {
        for line in shown.iter().rev() {
            let mut piece = take(line);
            piece.extend(std::mem::take(&mut rows));
            rows = piece;
            if rows.len() >= room {
                break;
            }
        }
        rows.drain(..rows.len().saturating_sub(room));
    } else {
        for line in shown {
            rows.extend(take(line));
            if rows.len() >= room {
                break;
            }
        }
        rows.truncate(room);
    }
    rows
}

fn one(app: &App, tail: &Tail, job: &Job, line: &output::Line, width: usize) -> Line<'static> {
    let (mut prefix, body) = parts(app, tail, job, line);
    let room = width.saturating_sub(text::line_width(&prefix));
    prefix.spans.extend(text::slice(&body, tail.left, room).spans);
    prefix
}

/// Time, device and stream; then the text.
fn parts(app: &App, tail: &Tail, job: &Job, line: &output::Line) -> (Line<'static>, Line<'static>) {
    let theme = &app.theme;
    let mut prefix = Vec::new();
    if tail.times {
        prefix.push(Span::styled(format!("{} ", clock(app, line.at)), theme.style(Role::TextMuted)));
    }
    if tail.run.is_none() {
        let name = job.runs.get(line.run as usize).map_or("?", |run| run.name.as_str());
        let name = text::pad(&text::plain(name), 14);
        prefix.push(Span::styled(format!("{name} "), theme.device(line.run as usize)));
    }
    let (sign, role) = match line.stream {
        Stream::Out => ("o ", Role::StreamOut),
        Stream::Err => ("e ", Role::StreamErr),
        Stream::Meta => ("- ", Role::StreamMeta),
    };
    prefix.push(Span::styled(sign, theme.style(role)));
    let mut body = text::safe(&line.text, theme.style(role), theme);
    if line.cut > 0 {
        let more = format!(" [{} more in the raw output]", text::bytes(line.cut));
        body.spans.push(Span::styled(more, theme.style(Role::StreamMeta)));
    }
    (Line::from(prefix), body)
}

/// How a run ended, as the last line.
fn ending(app: &App, tail: &Tail, run: &Run) -> Line<'static> {
    let theme = &app.theme;
    let mut spans = Vec::new();
    let meta = theme.style(Role::StreamMeta);
    if let (true, Some(at)) = (tail.times, run.finished_at) {
        spans.push(Span::styled(format!("{} ", clock(app, at)), theme.style(Role::TextMuted)));
    }
    spans.push(Span::styled("- ", meta));
    let state: Style = theme.state(run.state);
    let took = took_ms(run, app.now).map(|ms| format!(" after {}", text::took(ms.unsigned_abs())));
    let how = match (&run.signal, run.exit_code, &run.reason) {
        (Some(signal), _, _) => Some(format!("ended by signal {}", text::plain(signal))),
        (None, Some(code), _) => Some(format!("exit {code}")),
        // The reason says it all.
        (None, None, Some(_)) => None,
        (None, None, None) => Some(run.state.word().to_owned()),
    };
    match how {
        Some(how) => {
            spans.push(Span::styled(how, state));
            spans.extend(took.map(|took| Span::styled(took, meta)));
            if run.reason.is_some() {
                spans.push(Span::styled(format!(": {}", last_words(run)), meta));
            }
        }
        None => spans.push(Span::styled(last_words(run), state)),
    }
    if run.attempts > 1 {
        spans.push(Span::styled(format!("  ({} tries)", run.attempts), meta));
    }
    Line::from(spans)
}
