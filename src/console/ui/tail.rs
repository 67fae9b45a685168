//! The tail: the lines at hand, made safe, as wide as the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{line, nth, pane, title};
use super::chrome::key_of;
use super::live::clock;
use super::states;
use crate::console::app::find::Find;
use crate::console::app::live::took_ms;
use crate::console::app::tail::Tail;
use crate::console::app::{App, Live, LivePane, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::{Job, Run};
use crate::model::output::{self, Stream, Which};
use crate::model::search::{self, Kind};

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
        (Some(_), _) => format!("FROZEN, {} below", text::number(tail.waiting(), "new line")),
        (None, true) => "follow on".into(),
        (None, false) => "follow off".into(),
    };
    let mut more = format!("{whose}   {which}   {mode}");
    let on = |on: bool| if on { "on" } else { "off" };
    if area.width >= layout::WIDE {
        more.push_str(&format!("   wrap {}   time {}", on(tail.wrap), on(tail.times)));
    } else if tail.wrap {
        more.push_str("   wrap");
    }
    if tail.left > 0 && !tail.wrap {
        more.push_str(&format!("   column {}", tail.left + 1));
    }
    let inside = pane(app, buf, area, title(theme, "3", "Tail", &more), &foot(app, tail, job, run), focused);
    let lines = Rect { height: inside.height, ..inside };
    let wrong = tail.filter.as_ref().and_then(|filter| filter.problem.as_ref()).or(tail.problem.as_ref());
    if let Some(problem) = wrong {
        return states::unread(app, tail, problem).draw(app, lines, buf);
    }
    let ended = run.filter(|run| run.state.ended() && tail.filter.is_none());
    // How it ended is seen whole, as far as there is room.
    let mut ending = ended
        .filter(|_| tail.at_end())
        .map_or_else(Vec::new, |run| text::wrap(&ending(app, tail, run), usize::from(lines.width)));
    let room = usize::from(lines.height);
    ending.truncate(room.saturating_sub(tail.shown().len().min(room / 2)).max(1));
    let kept = if ended.is_some() { ending.len().max(1) } else { 0 };
    let room = usize::from(lines.height).saturating_sub(kept);
    let shown = tail.shown();
    let mut drawn = rows(app, tail, job, shown, usize::from(lines.width), room);
    drawn.drain(..drawn.len().saturating_sub(room));
    let count = drawn.len() as u16;
    for (n, row) in drawn.into_iter().enumerate() {
        let place = nth(lines, n as u16);
        buf.set_line(place.x, place.y, &row, place.width);
    }
    for (n, row) in ending.iter().enumerate() {
        line(buf, nth(lines, count + n as u16), row);
    }
    if ending.is_empty() && shown.is_empty() {
        states::no_output(app, tail, job, run).draw(app, lines, buf);
    }
}

/// Where one is, and above all what is not shown.
fn foot(app: &App, tail: &Tail, job: &Job, run: Option<&Run>) -> String {
    // (what the job tells of its runs may be ahead of the last answer)
    let told = |of: fn(&Run) -> u64| run.map_or_else(|| job.runs.iter().map(of).sum(), of);
    let total = tail.total.max(told(|run| run.lines));
    let size = text::bytes(tail.bytes.max(told(|run| run.bytes)));
    let mut parts = Vec::new();
    for (find, sign) in [(&tail.find, "/"), (&tail.errors, "errors ")] {
        if let Some(find) = find {
            let name = if sign == "/" { text::clip(&text::plain(&find.pattern.spelled()), 24) } else { String::new() };
            parts.push(format!("{sign}{name}{}{}", if name.is_empty() { "" } else { " " }, find.count()));
        }
    }
    if let Some(filter) = &tail.filter {
        let matching = filter.matching.unwrap_or_default();
        let sofar = if matching.done { "" } else { " so far" };
        parts.push(format!(
            "showing {}{sofar} of {} matching {}; {} shows all",
            text::count(matching.lines),
            text::number(total, "line"),
            text::plain(&filter.pattern.spelled()),
            key_of(app, "global", "back")
        ));
        return parts.join("   ");
    }
    parts.push(match (tail.shown().first(), run) {
        (Some(first), Some(_)) if !tail.follow => {
            format!("line {} of {}   {size}", text::count(first.number + 1), text::count(total))
        }
        _ => format!("{}   {size}", text::number(total, "line")),
    });
    parts.push(match run {
        Some(run) if unfinished(run) => "its end is missing".to_owned(),
        Some(_) => "0 dropped".to_owned(),
        None => match job.runs.iter().filter(|run| unfinished(run)).count() {
            0 => "0 dropped".to_owned(),
            n => format!("the end of {n} is missing"),
        },
    });
    if job.runs.len() > 1 {
        let other = if run.is_none() { "one device" } else { "all devices" };
        parts.push(format!("({other}: {})", key_of(app, "job", "one-or-all")));
    }
    parts.join("   ")
}

/// Not all that the run printed is here: its output could not be kept, or nobody was there to take it. The run's
/// reason says which.
fn unfinished(run: &Run) -> bool {
    let engine = ["interrupted:", "the engine was ended"];
    let lost = |why: &String| why.contains("could not be kept") || engine.iter().any(|begins| why.starts_with(begins));
    run.reason.as_ref().is_some_and(lost)
}

/// The screen's rows for these lines: one each, or wrapped. When following, the last rows win; else the hit does.
fn rows(app: &App, tail: &Tail, job: &Job, shown: &[output::Line], width: usize, room: usize) -> Vec<Line<'static>> {
    let names = prefix_width(tail, job, shown, width);
    if !tail.wrap {
        return shown.iter().map(|line| one(app, tail, job, line, names, width)).collect();
    }
    let take = |line: &output::Line| -> Vec<Line<'static>> {
        let (prefix, body) = parts(app, tail, job, line, names);
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
    let mut rows: Vec<Line<'static>> = Vec::new();
    let hit = shown.iter().position(|line| current(tail, line));
    let mut must = 0;
    for (n, line) in shown.iter().enumerate() {
        rows.extend(take(line));
        if hit.is_some_and(|hit| n <= hit) {
            must = rows.len();
        }
        if !tail.at_end() && rows.len() >= room.max(must) && hit.is_none_or(|hit| n >= hit) {
            break;
        }
    }
    let over = rows.len().saturating_sub(room);
    rows.drain(..if tail.at_end() { over } else { must.saturating_sub(room).min(over) });
    rows.truncate(room);
    rows
}

/// The line that `n` or `e` led to.
fn current(tail: &Tail, line: &output::Line) -> bool {
    let of = |find: &Option<Find>| find.as_ref().and_then(|find| find.current).map(|(place, _)| place);
    [of(&tail.find), of(&tail.errors)].contains(&Some(line.place()))
}

/// Cells for the names of devices before the lines of a merged tail: the longest name on screen, within reason.
fn prefix_width(tail: &Tail, job: &Job, shown: &[output::Line], width: usize) -> usize {
    if tail.run.is_some() {
        return 0;
    }
    let name = |line: &output::Line| job.runs.get(line.run as usize).map_or(0, |run| text::width(&run.name));
    shown.iter().map(name).max().unwrap_or(0).clamp(6, (width / 4).clamp(6, 32))
}

fn one(app: &App, tail: &Tail, job: &Job, line: &output::Line, names: usize, width: usize) -> Line<'static> {
    let (mut prefix, body) = parts(app, tail, job, line, names);
    let room = width.saturating_sub(text::line_width(&prefix));
    prefix.spans.extend(text::slice(&body, tail.left, room).spans);
    prefix
}

/// Time, device and stream; then the text.
fn parts(app: &App, tail: &Tail, job: &Job, line: &output::Line, names: usize) -> (Line<'static>, Line<'static>) {
    let theme = &app.theme;
    let mut prefix = Vec::new();
    if tail.times {
        prefix.push(Span::styled(format!("{} ", clock(app, line.at)), theme.style(Role::TextMuted)));
    }
    if tail.run.is_none() {
        let name = job.runs.get(line.run as usize).map_or("?", |run| run.name.as_str());
        let name = text::pad(&text::plain(name), names);
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
    (Line::from(prefix), found(app, tail, line, body))
}

/// What is searched for, where it stands in the line; the hit one stands on is seen even where nothing of it is.
fn found(app: &App, tail: &Tail, line: &output::Line, body: Line<'static>) -> Line<'static> {
    let finds = [&tail.find, &tail.errors].into_iter().flatten();
    let here = current(tail, line);
    let matchers = finds
        .filter(|find| find.pattern.kind != Kind::Errors || here)
        .filter_map(|find| find.matcher.as_ref())
        .chain(tail.filter.iter().filter_map(|filter| filter.matcher.as_ref()));
    let words = body.to_string();
    let mut marked = body;
    let style = app.theme.style(if here { Role::MatchCurrent } else { Role::Match });
    let mut any = false;
    for matcher in matchers {
        let ranges = search::ranges(matcher, &words);
        any |= !ranges.is_empty();
        marked = text::mark(&marked, &ranges, style);
    }
    if here && !any {
        marked = text::mark(&marked, std::slice::from_ref(&(0..words.len())), style);
    }
    marked
}

/// What the script's header calls an exit code: ` (no space)`.
fn meant(app: &App, code: i32) -> String {
    let job = app.held.as_ref().and_then(|held| held.job.as_ref()).map(|job| &job.summary);
    let script = job
        .and_then(|job| app.scripts.iter().find(|script| script.name == job.script && script.version == job.version));
    let word = script.and_then(|script| script.exit(code)).map(|exit| exit.word.as_str()).unwrap_or_default();
    if word.is_empty() { String::new() } else { format!(" ({})", text::plain(word)) }
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
        (None, Some(code), _) => Some(format!("exit {code}{}", meant(app, code))),
        // The reason says it all.
        (None, None, Some(_)) => None,
        (None, None, None) => Some(run.state.word().to_owned()),
    };
    match how {
        Some(how) => {
            spans.push(Span::styled(how, state));
            spans.extend(took.map(|took| Span::styled(took, meta)));
            if let Some(reason) = &run.reason {
                spans.push(Span::styled(format!(": {}", text::plain(reason)), meta));
            }
        }
        None => spans.push(Span::styled(run.reason.as_deref().map(text::plain).unwrap_or_default(), state)),
    }
    if run.attempts > 1 {
        spans.push(Span::styled(format!("  ({} tries)", run.attempts), meta));
    }
    Line::from(spans)
}
