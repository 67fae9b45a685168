//! Screen 4: counts and gauge, the grid, the devices bad first, the tail.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::cells::{line, nth, pane, title};
use super::table::{self, Table};
use super::{chrome, gauge, grid, overview, rings, states, tail, waiting};
use crate::console::app::columns::{self, Col};
use crate::console::app::hold::budget;
use crate::console::app::list::{ListId, Sort};
use crate::console::app::live::took_ms;
use crate::console::app::{App, Live, LivePane, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::{Job, Run};
use crate::model::rows::Runs;
use crate::model::state::{Counts, JobState, RunState};

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(live) = &app.live else { return };
    let held = app.held.as_ref().filter(|held| held.id == live.id);
    let Some(job) = held.and_then(|held| held.job.as_ref()) else {
        let body = layout::strips(area).body;
        let inside = pane(app, buf, body, title(theme, "", "Job", &live.id.to_string()), "", true);
        return states::no_job(app, held.and_then(|held| held.problem.as_deref())).draw(app, inside, buf);
    };
    let panes = layout::live(area, layout::Shape::of(Some(job)), live.focus, live.zoom, app.overview.sizes);
    head(app, job, panes.head, buf);
    if let Some(area) = panes.grid {
        grid::draw(app, live, job, area, buf);
    }
    if let Some(area) = panes.devices {
        devices(app, live, job, area, buf);
    }
    if let Some(area) = panes.tail {
        tail::draw(app, live, job, area, buf);
    }
}

/// `412 dev  ok 230  running 31 …`, as much as fits; what is zero gives way first.
pub fn counts(app: &App, counts: &Counts, width: u16) -> Line<'static> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    for (zeros, short) in [(true, false), (false, false), (false, true)] {
        let mut spans = vec![Span::styled(
            format!("{} dev", text::count(u64::from(counts.total()))),
            theme.style(Role::TextStrong),
        )];
        for state in gauge::ORDER {
            let word = gauge::word(state, short);
            let n = counts.get(state);
            let always = matches!(state, RunState::Ok | RunState::Failed);
            let rare = matches!(state, RunState::Cancelled | RunState::Skipped);
            if n == 0 && !always && (!zeros || rare) {
                continue;
            }
            let style = if n == 0 { muted } else { theme.state(state) };
            spans.push(Span::styled(format!("  {word} "), muted));
            spans.push(Span::styled(text::count(u64::from(n)), style));
        }
        let line = Line::from(spans);
        if text::line_width(&line) <= usize::from(width) || short {
            return line;
        }
    }
    Line::default()
}

fn head(app: &App, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let summary = &job.summary;
    let (word, role) = overview::outcome(summary);
    let end = summary.finished_at.unwrap_or(app.now);
    let elapsed = end.as_millisecond() - summary.created_at.as_millisecond();
    let elapsed = elapsed.max(0).unsigned_abs();
    // How long it will take is nobody's guess while it waits for a person, and such waits say nothing of its pace.
    let worked = elapsed.saturating_sub(summary.progress.waited_ms(end));
    let goes = summary.state == JobState::Running && !summary.progress.held();
    // Nor while devices are asleep that are to fetch it: the pace of those that were awake says nothing of them.
    let left = match waiting::count(app, job) {
        _ if !goes || area.width < 76 => None,
        0 => eta(worked, &summary.counts).map(|eta| format!("eta {eta}")),
        asleep => Some(format!("waits for {}", text::number(asleep, "device"))),
    };
    let ring = if summary.state.ended() { String::new() } else { rings::ring(summary) };
    let right = Line::from(vec![
        Span::styled(word, theme.style(role).add_modifier(Modifier::BOLD)),
        Span::styled(if ring.is_empty() { ring } else { format!(" {ring}") }, theme.style(Role::Text)),
        Span::styled(format!(" {}", whole(elapsed, summary.state)), theme.style(Role::Text)),
        Span::styled(left.map_or_else(String::new, |left| format!(" {left}")), theme.style(Role::TextMuted)),
    ]);
    let width = text::line_width(&right) as u16;
    let at = area.right().saturating_sub(width);
    line(buf, Rect { x: at, width: width.min(area.width), height: 1, ..area }, &right);
    let room = area.width.saturating_sub(width + 2);
    let mut said = counts(app, &summary.counts, room);
    // Where it has no row of its own, the failure budget stands with the counts.
    if let Some((bad, stop_at, role)) = budget(summary).filter(|_| area.height <= 2) {
        let budget = Span::styled(format!("  stop at {stop_at} bad, {bad} used"), theme.style(role));
        let short = Span::styled(format!("  {bad}/{stop_at} bad"), theme.style(role));
        let fits = |span: &Span<'_>| text::line_width(&said) + text::width(&span.content) <= usize::from(room);
        let shown = [budget, short].into_iter().find(fits);
        said.spans.extend(shown);
    }
    line(buf, Rect { width: room, height: 1, ..area }, &said);
    if area.height > 1 {
        gauge::draw(theme, &summary.counts, nth(area, 1), buf);
    }
    if area.height > 2 {
        rings::strip(app, job, nth(area, 2), buf);
    }
}

/// How much longer it takes if it goes on like this; nothing is said before a tenth of it has ended.
fn eta(elapsed: u64, counts: &Counts) -> Option<String> {
    let (ended, total) = (u64::from(counts.ended()), u64::from(counts.total()));
    let left = (total - ended) * elapsed / ended.max(1);
    (ended * 10 >= total && ended >= 3 && left >= 1000).then(|| text::took(left / 1000 * 1000))
}

/// A running job's time has no tenths: they would only flicker.
fn whole(ms: u64, state: JobState) -> String {
    if state == JobState::Running && ms < 60_000 { format!("{}s", ms / 1000) } else { text::took(ms) }
}

/// What a run said last, and why it ended as it did or said nothing.
pub fn last_words(run: &Run) -> String {
    // A failure without an exit code is told by what is known of its end, before anything that it printed.
    let unexplained = run.state == RunState::Failed && run.exit_code.is_none();
    let reason = run.reason.as_deref().or(unexplained.then_some("no exit code came back"));
    if let Some(reason) = reason {
        let (reason, said) = (text::plain(reason), text::plain(&run.last_line));
        return match (said.is_empty(), unexplained) {
            (true, _) => reason,
            (false, true) => format!("({reason})  {said}"),
            (false, false) => format!("{said}  ({reason})"),
        };
    }
    if run.last_line.is_empty() {
        return match run.state {
            RunState::Sent => "connecting".into(),
            RunState::Running => "no output yet".into(),
            _ => String::new(),
        };
    }
    text::plain(&run.last_line)
}

fn devices(app: &App, live: &Live, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, look) = (ListId::Devices, &live.look);
    let focused = live.focus == LivePane::Devices && table::focused(app, list);
    let len = live.order.len();
    let foot = table::foot(app, list, live.devices.at, len, area.width);
    let more = match look.sort {
        Sort { column: 1, reverse: false } => "bad first".to_owned(),
        _ => app.sorted_by(list),
    };
    let above = live.bad_above(job, layout::rows(Some(area)));
    let said = match above {
        0 => String::new(),
        n => format!(" {} bad above, {} ", text::count(n as u64), chrome::key_of(app, "list", "first")),
    };
    let room = area.width.saturating_sub(text::width(&said) as u16);
    let mut head = table::head(app, list, "2", "Devices", if above > 0 { "" } else { &more }, room);
    head.spans.push(Span::styled(said, theme.style(Role::StateFailed)));
    let inside = pane(app, buf, area, head, &foot, focused);
    let muted = theme.style(Role::TextMuted);
    if len == 0 {
        return states::no_devices(app, job, look).draw(app, inside, buf);
    }
    let wide = columns::wide(list, inside.width.saturating_sub(2));
    let fact = live.fact.as_deref().unwrap_or_default();
    let longest = job.runs.iter().take(200).map(|run| run.name.len()).max().unwrap_or(8).clamp(8, 24) as u16;
    let first = Some(longest.min(inside.width / 3).max(8));
    let key = |row: usize| job.runs[row].device.clone();
    let style = |row: usize, col: &Col, _: &str| {
        let run = &job.runs[row];
        let state = theme.state(run.state);
        match col.name {
            "state" => {
                let sign = theme.glyphs.state(run.state);
                (Some(if wide { format!("{sign} {}", run.state.word()) } else { sign.to_string() }), state)
            }
            "rc" => {
                let code = match (&run.signal, run.exit_code) {
                    (Some(signal), _) => signal.clone(),
                    (None, Some(code)) => code.to_string(),
                    (None, None) => "-".into(),
                };
                (Some(code), state)
            }
            "took" => {
                let took = took_ms(run, app.now).map_or("-".into(), |ms| {
                    let ms = ms.unsigned_abs();
                    if run.state.ended() || ms >= 60_000 { text::took(ms) } else { format!("{}s", ms / 1000) }
                });
                (Some(took), muted)
            }
            "last" => (Some(waiting::last_words(app, run, wide)), theme.style(Role::Text)),
            "fact" => {
                let value = app.tree.device(&run.device).and_then(|device| device.facts.get(fact));
                (Some(value.map_or("-".into(), |value| text::plain(value))), muted)
            }
            "device" => (None, theme.style(Role::Text)),
            _ => (None, muted),
        }
    };
    let rows = Runs { all: &job.runs, now: app.now };
    let (order, cursor) = (live.order.as_slice(), live.devices);
    let (signs, heads) = (&table::no_signs, &[("fact", fact)]);
    let table =
        Table { list, look, rows: &rows, order, cursor, focused, first, key: &key, signs, tree: None, heads, style };
    table.draw(theme, inside, buf);
}

/// `10:42:03`, where the operator is.
pub fn clock(app: &App, at: Timestamp) -> String {
    let zoned = at.to_zoned(app.place.zone.clone());
    format!("{:02}:{:02}:{:02}", zoned.hour(), zoned.minute(), zoned.second())
}
