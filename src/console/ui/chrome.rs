//! The fixed strips: breadcrumbs above, status and key hints below, the which-key box.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::cells::{self, line, words};
use super::log;
use crate::console::app::commands::{self, Command, Do};
use crate::console::app::hints::Hint;
use crate::console::app::hold::budget;
use crate::console::app::list::{ListId, Look};
use crate::console::app::retry::Again;
use crate::console::app::{App, Layer, Link, View, layout};
use crate::console::keymap::Found;
use crate::console::text;
use crate::console::theme::Role;
use crate::model::device::Reach;
use crate::model::job::JobSummary;
use crate::model::state::JobState;

/// Stands for what was left out of the breadcrumb.
const CUT: &str = "…";

/// Where we are, and the state of the fleet.
pub fn crumbs(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (strong, muted) = (theme.style(Role::TextStrong), theme.style(Role::TextMuted));
    let editing = app.view == View::Editor && app.layers.is_empty();
    let mut right = if editing { super::editor::facts(app) } else { state(app) };
    // The place before the state of the fleet, but the mode always.
    let path = app.path();
    let least = right.first().map_or(0, |part| width_of(part) + 2);
    let room = usize::from(area.width).saturating_sub(least + 1);
    let ground = app.protected().then(|| theme.style(Role::BorderProtected)).filter(|_| !app.place.fleet.is_empty());
    let mut left = trail(&path, room, (strong, muted, ground));
    // The program's own name, where the fleet has taken its place and there is room for both.
    if !app.place.fleet.is_empty() && area.width >= layout::WIDE {
        left.spans.insert(1, Span::styled("quarterdeck  ", muted));
    }
    let used = text::line_width(&left) as u16;
    line(buf, area, &left);

    // The right side gives way part by part; when it is drawn stands at its end, and gives way last but for the mode.
    // (the groups have more to say of their job than fits)
    let clock = (!editing && app.view != View::Groups && app.link == Link::Attached).then(|| clock(app, area.width));
    let mut clock = clock.map(|clock| vec![Span::styled(clock, muted)]);
    let room = area.width.saturating_sub(used + 2);
    loop {
        let mut spans = Vec::new();
        for (at, part) in right.iter().chain(&clock).enumerate() {
            if at > 0 {
                spans.push(Span::raw("  "));
            }
            spans.extend(part.iter().cloned());
        }
        let shown = Line::from(spans);
        let width = text::line_width(&shown) as u16;
        if width <= room {
            if width > 0 {
                line(buf, Rect { x: area.right() - width - 1, width: width + 1, ..area }, &shown);
            }
            return;
        }
        let given_way = match right.len() {
            // how large the fleet is and what of it is off tells more than the time
            0..=2 => clock.take().or_else(|| right.pop()),
            _ => right.pop(),
        };
        if given_way.is_none() {
            return;
        }
    }
}

/// When this was drawn, in UTC: to the second where there is room and it is told second by second.
fn clock(app: &App, width: u16) -> String {
    let now = app.now;
    if width >= layout::WIDE { now.strftime("%Y-%m-%d %H:%M:%SZ") } else { now.strftime("%H:%MZ") }.to_string()
}

fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| text::width(&span.content)).sum()
}

/// ` quarterdeck > Jobs > 12 disk-use.sh > Stop`. Where it is too narrow, the middle gives way: where one is and where
/// one began stay.
fn trail(path: &[String], room: usize, (strong, muted, ground): (Style, Style, Option<Style>)) -> Line<'static> {
    let mut parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let width = |parts: &[&str]| 1 + parts.iter().map(|part| text::width(part) + 3).sum::<usize>().saturating_sub(3);
    while parts.len() > 2 && width(&parts) > room {
        let cut = parts.iter().position(|part| *part == CUT);
        match cut {
            Some(at) if at + 1 < parts.len() - 1 => drop(parts.remove(at + 1)),
            Some(at) if at > 1 => drop(parts.remove(at - 1)),
            Some(_) => break,
            None => parts[1] = CUT,
        }
    }
    let whole = parts.len() <= 1 || width(&parts) <= room;
    if !whole {
        parts.remove(0);
    }
    let last = parts.len() - 1;
    let mut spans = vec![Span::raw(" ")];
    let mut left = room.saturating_sub(1);
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(" > ", muted));
            left = left.saturating_sub(3);
        }
        let part = text::clip(part, left);
        left = left.saturating_sub(text::width(&part));
        let first = (at == 0 && last > 0 && whole).then_some(ground).flatten();
        spans.push(Span::styled(part, first.unwrap_or(if at == last { strong } else { muted })));
    }
    Line::from(spans)
}

/// The state of the fleet, what matters most first.
fn state(app: &App) -> Vec<Vec<Span<'_>>> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let mut parts: Vec<Vec<Span<'_>>> = Vec::new();
    let launching = matches!(app.layers.last(), Some(Layer::Launch(_)));
    if app.link == Link::Attached {
        parts.push(vec![match (app.reads_only(), app.protected()) {
            (true, _) => Span::styled("[READ]", theme.style(Role::BadgeRead)),
            (_, true) => Span::styled("[PROD!]", theme.style(Role::BadgeWrite).add_modifier(Modifier::BOLD)),
            _ => Span::styled("[WRITE]", theme.style(Role::BadgeWrite)),
        }]);
    }
    if launching {
        parts.push(vec![Span::styled("nothing is sent until you arm", muted)]);
    }
    if app.view == View::Groups && !launching {
        parts.extend(app.groups_facts().into_iter().map(|fact| vec![Span::styled(fact, theme.style(Role::Text))]));
        return parts;
    }
    let total = app.tree.total;
    if total.devices > 0 {
        parts.push(vec![Span::styled(format!("{} dev", text::count(total.devices as u64)), theme.style(Role::Text))]);
        parts.extend(away(app, total.offline, Reach::Offline));
    }
    let hour = app.now - jiff::SignedDuration::from_hours(1);
    let seen =
        || app.tree.targets.devices.iter().filter(|device| device.last_contact.is_some_and(|at| at > hour)).count();
    if app.area.width >= layout::WIDE
        && let n @ 1.. = seen()
    {
        parts.push(vec![Span::styled(format!("{} seen <1h", text::count(n as u64)), muted)]);
    }
    let live = app.running().count();
    if live > 0 {
        parts.push(vec![Span::styled(format!("{live} live"), theme.style(Role::StateRunning))]);
    }
    parts.extend(away(app, total.refused, Reach::Refused));
    if !app.place.who.is_empty() && !launching {
        parts.push(vec![Span::styled(app.place.who.as_str(), muted)]);
    }
    parts
}

/// So many devices that cannot be worked with.
fn away(app: &App, count: usize, state: Reach) -> Option<Vec<Span<'static>>> {
    let word = format!("{} {}", text::count(count as u64), state.word());
    (count > 0).then(|| vec![Span::styled(word, app.theme.style(super::reach(state)))])
}

/// One sentence: what the last key said, what the operator must read, else what is going on.
pub fn status(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(hint) = &app.hint {
        return words(buf, area, hint, theme.style(Role::TextMuted));
    }
    if let Link::Lost { why, retry } = &app.link {
        let end = if *retry { ". Trying again; what was received is kept" } else { "" };
        return said(app, area, buf, ("E", Role::LevelError), &format!("{}{end}", text::plain(why)), 0);
    }
    if let Some(notice) = app.notices.shown() {
        let more = app.notices.unread().saturating_sub(1);
        return said(app, area, buf, log::sign(notice.level), &text::plain(&notice.text), more);
    }
    if let Some(seconds) = app.waited() {
        let waits = format!("waiting for the engine, {seconds} s; keys go on working");
        return words(buf, area, &waits, theme.style(Role::TextMuted));
    }
    words(buf, area, &going_on(app, area.width), theme.style(Role::TextMuted));
}

/// What must be read. Where there is more of it than fits, or more of its kind, the way to the rest is named.
fn said(app: &App, area: Rect, buf: &mut Buffer, (sign, role): (&'static str, Role), text: &str, others: usize) {
    let theme = &app.theme;
    let log = key_of(app, "global", "go-log");
    let room = usize::from(area.width).saturating_sub(2);
    let more = match others {
        0 if text::width(text) <= room => String::new(),
        0 => format!("  ({log}: all of it)"),
        others => format!("  ({others} more: {log})"),
    };
    let clipped = text::clip(text, room.saturating_sub(text::width(&more)));
    let spans = vec![
        Span::styled(format!("{sign} "), theme.style(role)),
        Span::styled(clipped, theme.style(Role::Text)),
        Span::styled(more, theme.style(Role::TextMuted)),
    ];
    line(buf, area, &Line::from(spans));
}

/// `enter read   d diff   esc close`: what keys do in a dialog.
pub fn keys(app: &App, context: &str, names: &[(&str, &str)]) -> String {
    let one = |(name, word): &(&str, &str)| format!("{} {word}", key_of(app, context, name));
    names.iter().map(one).collect::<Vec<_>>().join("   ")
}

/// An open range, or what is marked.
fn on_marks(app: &App, look: &Look) -> Option<String> {
    if look.anchor.is_some() {
        return Some(format!("marking a range: move, then {}", key_of(app, "list", "range")));
    }
    if look.marks.is_empty() {
        return None;
    }
    let back = key_of(app, "global", "back");
    let marked = match app.list_here() {
        Some(ListId::Targets) => app.tree.marked(),
        _ => {
            look.marks.iter().take(20).map(|mark| mark.rsplit(':').next().unwrap_or(mark)).collect::<Vec<_>>().join(" ")
        }
    };
    Some(format!("{} ({back} unmarks): {}", look.marked(), text::plain(&marked)))
}

/// Why a job does not send, and what lets it go on; else how much of its failure budget is used.
fn held(app: &App, job: &JobSummary) -> Option<String> {
    let progress = &job.progress;
    if let Some(paused) = &progress.paused {
        let key = key_of(app, "job", "pause");
        let says = text::plain(&paused.says());
        return Some(format!("paused {says}: press {key} to go on; what runs goes on by itself"));
    }
    if let Some(asks) = &progress.asks {
        let key = key_of(app, "job", "approve");
        let devices = text::number(asks.devices.into(), "device");
        let why = if asks.why.is_empty() { String::new() } else { format!(" ({})", text::plain(&asks.why)) };
        return Some(format!("ring {}: press {key} to start its {devices}{why}", asks.ring));
    }
    let (bad, stop_at, _) = budget(job).filter(|(bad, ..)| *bad > 0)?;
    let key = key_of(app, "job", "pause");
    Some(format!("the roll-out goes on: {bad} of {stop_at} failures used; {key} pauses it"))
}

fn going_on(app: &App, width: u16) -> String {
    match app.link {
        Link::Starting => return "starting the engine…".into(),
        _ if app.view == View::Editor => return super::editor::status(app),
        _ if app.view == View::Groups
            && let Some(says) = app.triage.as_ref().and_then(|triage| triage.telling(usize::from(width))) =>
        {
            return says;
        }
        _ if matches!(app.view, View::Live | View::Groups) => {
            let Some(job) = app.held.as_ref().and_then(|held| held.job.as_ref()) else { return "reading…".into() };
            let summary = &job.summary;
            let detach = format!("this job goes on without you: quarterdeck jobs attach {}", summary.id);
            return match summary.state {
                JobState::Running => held(app, summary).unwrap_or(detach),
                state => {
                    let reason = summary.reason.as_deref().map(|why| format!(": {}", text::plain(why)));
                    let not_started = match summary.counts.queued {
                        0 => String::new(),
                        n => format!(", {n} not started"),
                    };
                    format!(
                        "job {} is {}{}{not_started}{}; all output is kept",
                        summary.id,
                        state.word(),
                        reason.unwrap_or_default(),
                        again(app).unwrap_or_default()
                    )
                }
            };
        }
        _ => {}
    }
    if let Some(said) = app.list_here().and_then(|list| app.look(list)).and_then(|look| on_marks(app, look)) {
        return said;
    }
    let more = app.running().count().saturating_sub(1);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    let bad = |job: &JobSummary| match job.counts.bad() {
        0 => String::new(),
        bad => format!(", {bad} failed"),
    };
    // one that waits for the operator is what there is to do
    let waiting = app.running().find_map(|job| Some((job, job.progress.asks.as_ref()?)));
    if let Some((job, asks)) = waiting {
        return format!(
            "{} {}: ring {} waits for you: {} {} starts it; {} of {} ended{}{more}",
            job.id,
            text::plain(&job.script),
            asks.ring,
            key_of(app, "global", "pane-3"),
            key_of(app, "jobs", "approve"),
            job.counts.ended(),
            job.counts.total(),
            bad(job),
        );
    }
    if let Some(job) = app.running().next() {
        let (counts, bad) = (&job.counts, bad(job));
        let ring = super::rings::ring(job);
        let ring = if ring.is_empty() { ring } else { format!("{ring}, ") };
        return format!(
            "{} {}: {ring}{} of {} ended{bad}{more} - {} {} watches",
            job.id,
            text::plain(&job.script),
            counts.ended(),
            counts.total(),
            key_of(app, "global", "pane-3"),
            key_of(app, "jobs", "open"),
        );
    }
    String::new()
}

/// The first key of a command, for texts.
pub fn key_of(app: &App, context: &str, name: &str) -> String {
    app.key_of(context, name)
}

/// The most useful keys of the focused pane; help always among them.
pub fn hints(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    // A blank column at both ends, as on the strips above.
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    let piece = |hint: &Hint| {
        let role = if hint.fleet { Role::KeyDanger } else { Role::Key };
        Line::from(vec![
            Span::styled(hint.key.clone(), theme.style(role)),
            Span::styled(format!(" {}", hint.word), theme.style(Role::Text)),
        ])
    };
    let (front, always) = app.hints();
    let (front, mut always) = (front.iter().map(piece), always.iter().map(piece).collect::<Vec<_>>());
    let width = |line: &Line<'_>| text::line_width(line) as u16;
    let taken = |lines: &[Line<'_>]| lines.iter().map(|line| width(line) + 2).sum::<u16>();
    // On a narrow screen help alone stays, and the place's own keys get the rest.
    while always.len() > 1 && taken(&always) > area.width / 2 {
        always.remove(0);
    }
    let reserved = taken(&always);
    let mut x = area.x + 1;
    for hint in front {
        if x + width(&hint) + reserved > area.right() {
            break;
        }
        line(buf, Rect { x, width: area.right() - x, ..area }, &hint);
        x += width(&hint) + 2;
    }
    for hint in always {
        if x < area.right() {
            line(buf, Rect { x, width: area.right() - x, ..area }, &hint);
        }
        x += width(&hint) + 2;
    }
}

/// `; R f: again on the 9 that failed`
fn again(app: &App) -> Option<String> {
    [
        (Again::Failed, "retry-failed", "that failed"),
        (Again::Unknown, "retry-unknown", "whose outcome is unknown"),
        (Again::TimedOut, "retry-timed-out", "that took too long"),
        (Again::Offline, "retry-offline", "that were not reached"),
        (Again::NotStarted, "retry-not-started", "whose turn never came"),
        (Again::Cancelled, "retry-cancelled", "that were cancelled"),
    ]
    .into_iter()
    .find_map(|(which, name, said)| {
        let count = app.retried(Do::Retry(which)).filter(|count| *count > 0 && !app.reads_only())?;
        Some(format!("; {}: again on the {} {said}", app.key_of("retry", name), text::count(count)))
    })
}

/// What can follow the keys pressed so far.
pub fn which_key(app: &App, body: Rect, buf: &mut Buffer) {
    let contexts = app.contexts();
    let Found::Prefix(next) = app.keymap.resolve(contexts, &app.pending) else { return };
    let rows: Vec<(String, &Command)> =
        next.iter().filter_map(|(chord, name)| Some((chord.to_string(), commands::find(contexts, name)?))).collect();
    let pressed: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
    let width =
        rows.iter().map(|(key, command)| text::width(key) + text::width(command.doc)).max().unwrap_or(0) as u16 + 8;
    let height = (rows.len() as u16 + 2).min(body.height);
    let corner = Rect {
        x: body.right().saturating_sub(width.min(body.width)),
        y: body.bottom() - height,
        width: width.min(body.width),
        height,
    };
    let inside = cells::popup(app, buf, corner, &format!("{} ...", pressed.join(" ")), "esc", (corner.width, height));
    for (n, (key, command)) in rows.iter().enumerate() {
        let row = cells::nth(inside, n as u16);
        if row.height == 0 {
            break;
        }
        let spans = vec![
            Span::styled(text::pad(key, 3), app.theme.style(Role::Key)),
            Span::styled(command.doc, app.theme.style(Role::Text)),
        ];
        line(buf, row, &Line::from(spans));
    }
}

/// Below 40x10: one line.
pub fn tiny(app: &App, area: Rect, buf: &mut Buffer) {
    let goes_on = if app.running().next().is_some() { "; job goes on" } else { "" };
    let (width, height) = layout::TINY;
    let text = format!("too small: {}x{}, need {width}x{height}{goes_on}", area.width, area.height);
    if area.height > 0 {
        words(buf, Rect { height: 1, ..area }, &text, app.theme.style(Role::Text));
    }
}
