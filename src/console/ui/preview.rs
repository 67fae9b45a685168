//! Below the lists: a script's source, a group's members, a job's counts and devices; beside it, on a wide
//! screen, recent runs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{ago, left, line, nth, pane, right, row, title, words};
use super::states::{self, Said};
use super::{chrome, gauge, live, overview, pages, scripts, waiting};
use crate::console::app::{App, Pane, Source};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::device::Device;
use crate::model::job::{JobId, Run};
use crate::model::script::{Level, ScriptInfo};
use crate::model::state::RunState;

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    match app.overview.subject {
        Pane::Targets => members(app, area, buf, true),
        Pane::Jobs => job(app, area, buf),
        Pane::Scripts | Pane::Preview => script(app, area, buf),
    }
}

pub fn side(app: &App, area: Rect, buf: &mut Buffer) {
    match app.overview.subject {
        Pane::Targets => device_facts(app, area, buf),
        Pane::Jobs => job_facts(app, area, buf),
        Pane::Scripts | Pane::Preview => recent(app, area, buf),
    }
}

fn focused(app: &App) -> bool {
    app.overview.focus == Pane::Preview && app.layers.is_empty()
}

fn script(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    if let Some(branch) = app.branch_here() {
        return scripts::preview(app, &branch, area, buf);
    }
    let Some(info) = app.overview.script(&app.scripts) else {
        let inside = pane(app, buf, area, title(theme, "4", "Preview", ""), "", focused(app));
        return states::nothing_chosen(app).draw(app, inside, buf);
    };
    let edited = if app.shelf.edited(&info.name) { "  (M: edited here, not saved)" } else { "" };
    let wrap = if app.overview.wrap { "   wrap" } else { "" };
    let sha = if area.width >= 80 { sha(info.number.is_some(), &info.version) } else { String::new() };
    let version = info.version_word();
    let name = format!("{}  {version}{sha}  {}{edited}{wrap}", text::plain(&info.name), info.language);
    let source = app.source.as_ref().filter(|source| source.name == info.name);
    let len = source.map_or(0, |source| source.lines.len());
    let mut foot = match len {
        0 => String::new(),
        len => format!("{}  {}", text::number(len as u64, "line"), text::bytes(info.size)),
    };
    if let Some(search) = &app.overview.search {
        foot = format!("/{} {}  {foot}", text::clip(&text::plain(&search.pattern.spelled()), 24), search.count());
    }
    let inside = pane(app, buf, area, title(theme, "4", "Preview", &name), &foot, focused(app));
    if !info.has_text() {
        return scripts::definition(app, info, inside, buf);
    }
    // What lint, header and history say stands below the text.
    let notes = about(app, info, source);
    let below = if inside.height > 4 { (notes.len() as u16).min(inside.height / 2) } else { 0 };
    let top = Rect { height: inside.height - below, ..inside };
    for (n, note) in notes.iter().take(usize::from(below)).enumerate() {
        line(buf, Rect { y: top.bottom() + n as u16, height: 1, ..inside }, note);
    }
    match (states::no_source(app, info, source), source) {
        (Some(said), _) => said.draw(app, top, buf),
        (None, Some(source)) => lines(app, source, top, buf),
        (None, None) => {}
    }
}

/// The beginning of a version's hash, where that is not its name already.
pub fn sha(named: bool, version: &str) -> String {
    if named { format!("  sha {}", version.get(..6).unwrap_or(version)) } else { String::new() }
}

fn lines(app: &App, source: &Source, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let digits = source.lines.len().to_string().len().max(2);
    let numbered = area.width >= 60;
    let gutter = if numbered { digits + 2 } else { 0 };
    let search = app.overview.search.as_ref();
    let mut n = 0;
    for (at, text) in source.lines.iter().enumerate().skip(app.overview.preview) {
        if n >= area.height {
            break;
        }
        let place = nth(area, n);
        if numbered {
            let number = format!("{:>digits$}", at + 1);
            let finding = source.findings.iter().filter(|f| f.line as usize == at + 1).map(|f| f.level).max();
            let (sign, role) = match finding {
                Some(Level::Error) => ("E", Role::LevelError),
                Some(Level::Warn) => ("!", Role::LevelWarn),
                Some(Level::Info) => ("i", Role::LevelInfo),
                None => (" ", Role::TextMuted),
            };
            buf.set_string(place.x, place.y, number, theme.style(Role::TextMuted));
            buf.set_string(place.x + digits as u16, place.y, sign, theme.style(role));
        }
        let room = usize::from(area.width).saturating_sub(gutter);
        let shown = text::slice(&coloured(app, source, at, text), 0, usize::MAX);
        let shown = pages::found(app, search, at, shown);
        let rows = match app.overview.wrap {
            true => text::wrap(&shown, room.max(1)),
            false => vec![text::slice(&shown, app.overview.left, room)],
        };
        for row in rows.iter().take(usize::from(area.height - n)) {
            buf.set_line(place.x + gutter as u16, area.y + n, row, room as u16);
            n += 1;
        }
    }
}

/// A line of the source in its colours. Tabs become blanks; other control characters are made visible.
fn coloured<'a>(app: &App, source: &Source, at: usize, line: &'a str) -> Line<'a> {
    let theme = &app.theme;
    let base = theme.style(Role::Text);
    let Some(ranges) = source.coloured.get(at).filter(|_| !line.contains(char::is_control)) else {
        return text::safe(line, base, theme);
    };
    let mut spans = Vec::new();
    let mut from = 0;
    for (range, role) in ranges {
        if range.start < from || line.get(range.clone()).is_none() {
            continue;
        }
        if range.start > from {
            spans.push(Span::styled(line.get(from..range.start).unwrap_or_default(), base));
        }
        spans.push(Span::styled(&line[range.clone()], theme.style(*role)));
        from = range.end;
    }
    spans.push(Span::styled(line.get(from..).unwrap_or_default(), base));
    Line::from(spans)
}

/// Header, lint and history of a script, a line each.
fn about<'a>(app: &App, info: &'a ScriptInfo, source: Option<&Source>) -> Vec<Line<'a>> {
    let theme = &app.theme;
    let (muted, plain) = (theme.style(Role::TextMuted), theme.style(Role::Text));
    let mut notes = Vec::new();
    if !info.describe.is_empty() {
        notes.push(Line::from(Span::styled(text::plain(&info.describe), plain)));
    }
    let mut spans = vec![Span::styled("lint ", muted)];
    let findings = source.map_or(&[][..], |source| &source.findings);
    let of = |level| findings.iter().filter(|finding| finding.level == level).count();
    match (of(Level::Error), of(Level::Warn)) {
        _ if source.is_none() => spans.push(Span::styled("…", muted)),
        (0, 0) => spans.push(Span::styled("ok", theme.style(Role::StateOk))),
        (errors, warnings) => {
            let role = if errors > 0 { Role::LevelError } else { Role::LevelWarn };
            spans.push(Span::styled(format!("{errors} err {warnings} warn"), theme.style(role)));
            if let Some(worst) = findings.iter().max_by_key(|finding| finding.level) {
                spans.push(Span::styled(format!(" ({} l.{})", text::plain(&worst.code), worst.line), muted));
            }
        }
    }
    if info.params.is_empty() {
        spans.push(Span::styled("  no parameters", muted));
    } else {
        spans.push(Span::styled("  params", muted));
        for param in &info.params {
            let star = if param.required { "*" } else { "" };
            let secret = if param.secret { "$" } else { "" };
            spans.push(Span::styled(format!(" {}{star}{secret}", text::plain(&param.name)), plain));
        }
    }
    if info.runbook.is_some() {
        spans.push(Span::styled("  runbook ", muted));
        spans.push(Span::styled(app.key_of("scripts", "open-link"), theme.style(Role::Key)));
    }
    notes.push(Line::from(spans));
    notes.push(match &info.last_run {
        Some(run) => {
            let ok = run.ok_percent.map_or_else(String::new, |ok| format!("  {ok}% ok {}", run.span()));
            let mut last = format!("{ok}  last {} ago, job {}", ago(app.now, run.at), run.job);
            if let Some(job) = app.jobs.iter().find(|job| job.id == run.job) {
                let counts = &job.counts;
                last.push_str(&format!("  {}  {} dev", text::plain(&job.by), text::count(u64::from(counts.total()))));
                for (n, word) in [(counts.bad(), "failed"), (counts.offline, "offline")] {
                    if n > 0 {
                        last.push_str(&format!("  {} {word}", text::count(u64::from(n))));
                    }
                }
            }
            Line::from(vec![
                Span::styled("runs ", muted),
                Span::styled(run.history.as_str(), theme.style(Role::Spark)),
                Span::styled(last, muted),
            ])
        }
        None => Line::from(Span::styled("never run from here", muted)),
    });
    notes
}

fn recent(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    if let Some(branch) = app.branch_here() {
        let name = text::plain(&branch.name());
        let inside = pane(app, buf, area, title(theme, "", "Recent runs", &name), "", false);
        return scripts::recent(app, &branch, inside, buf);
    }
    let Some(script) = app.overview.script(&app.scripts) else {
        let inside = pane(app, buf, area, title(theme, "", "Recent runs", ""), "", false);
        return states::nothing_chosen(app).draw(app, inside, buf);
    };
    let name = script.name.as_str();
    let inside = pane(app, buf, area, title(theme, "", "Recent runs", &text::plain(name)), "", false);
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let mut runs = app.jobs.iter().filter(|job| job.script == name).take(usize::from(inside.height)).peekable();
    if runs.peek().is_none() {
        let run = app.key_of("scripts", "run");
        return Said::so("Not run from here yet.", format!("{run} runs it")).draw(app, inside, buf);
    }
    let widths = [5, 4, 5, 5, 5, 4, 4, 0];
    let names = ["job", "when", "dev", "done", "ok", "bad", "off"].map(|name| right(name, muted));
    row(buf, nth(inside, 0), &widths, &names);
    for (n, job) in runs.enumerate() {
        let counts = &job.counts;
        let bad = if counts.bad() > 0 { theme.style(Role::StateFailed) } else { muted };
        let off = if counts.offline > 0 { theme.style(Role::StateOffline) } else { muted };
        let cells = [
            right(job.id.to_string(), theme.style(Role::TextStrong)),
            right(ago(app.now, job.created_at), muted),
            right(text::count(u64::from(counts.total())), plain),
            right(overview::done(job), overview::done_style(theme, job)),
            right(text::count(u64::from(counts.ok)), theme.style(Role::StateOk)),
            right(text::count(u64::from(counts.bad())), bad),
            right(text::count(u64::from(counts.offline)), off),
            left(text::plain(&job.target), muted),
        ];
        row(buf, nth(inside, n as u16 + 1), &widths, &cells);
    }
}

fn members(app: &App, area: Rect, buf: &mut Buffer, numbered: bool) {
    let theme = &app.theme;
    let key = if numbered { "4" } else { "" };
    let Some(target) = app.tree.rows.get(app.overview.targets.at) else {
        let inside = pane(app, buf, area, title(theme, key, "Members", ""), "", focused(app));
        return states::nothing_chosen(app).draw(app, inside, buf);
    };
    let tally = target.tally;
    let mut more = format!("{}  {}", text::plain(&target.label), text::number(tally.devices as u64, "device"));
    if tally.offline > 0 {
        more.push_str(&format!("  {} offline", tally.offline));
    }
    if tally.refused > 0 {
        more.push_str(&format!("  {} refused", tally.refused));
    }
    if tally.cannot > 0 {
        more.push_str(&format!("  {} cannot run", tally.cannot));
    }
    let inside = pane(app, buf, area, title(theme, key, "Members", &more), &text::plain(&target.term), focused(app));
    if let Some(said) = states::no_members(app, target) {
        return said.draw(app, inside, buf);
    }
    let devices = app.tree.members(target);
    let muted = theme.style(Role::TextMuted);
    let wide = inside.width >= 70;
    let longest = devices.iter().skip(app.overview.preview).take(usize::from(inside.height));
    let longest = longest.map(|device| text::width(&device.name)).max().unwrap_or(0) as u16;
    let name = longest.max(if wide { 22 } else { 18 }).min(inside.width * 2 / 5);
    let widths: &[u16] = if wide { &[name, 8, 5, 0] } else { &[name, 8, 0] };
    let mut names = vec![left("device", muted), left("state", muted)];
    if wide {
        names.push(right("seen", muted));
    }
    names.push(left("facts", muted));
    row(buf, nth(inside, 0), widths, &names);
    let rows = usize::from(inside.height.saturating_sub(1));
    for (n, device) in devices.iter().skip(app.overview.preview).take(rows).enumerate() {
        let (look, state) = match device.cannot {
            Some(_) => (muted, muted),
            None => (theme.style(Role::Text), theme.style(super::reach(device.state))),
        };
        let name = text::clip_middle(&text::plain(&device.name), usize::from(widths[0]));
        let mut cells = vec![left(name, look), left(device.standing(), state)];
        if wide {
            let seen = device.last_contact.map_or("-".into(), |at| ago(app.now, at));
            cells.push(right(seen, muted));
        }
        cells.push(left(facts(device), muted));
        row(buf, nth(inside, n as u16 + 1), widths, &cells);
    }
}

/// What is wrong with it, else what is known of it.
fn facts(device: &Device) -> String {
    if let Some(why) = &device.cannot {
        return text::plain(why); // (beside the word for it)
    }
    if let Some(why) = device.last_error.as_ref().filter(|_| device.state != crate::model::device::Reach::Online) {
        return text::plain(why);
    }
    let facts: Vec<String> = device.telling().map(|(fact, value)| format!("{fact} {value}")).collect();
    text::plain(&facts.join("  "))
}

fn device_facts(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let inside = pane(app, buf, area, title(theme, "", "Facts", "of the first ones"), "", false);
    let Some(target) = app.tree.rows.get(app.overview.targets.at) else {
        return states::nothing_chosen(app).draw(app, inside, buf);
    };
    let devices = app.tree.members(target);
    let Some(device) = devices.get(app.overview.preview.min(devices.len().saturating_sub(1))) else {
        return Said::so(
            "No device, no facts.",
            "facts come from the inventory, and from what a run tells of a device",
        )
        .draw(app, inside, buf);
    };
    let muted = theme.style(Role::TextMuted);
    let plain = theme.style(Role::Text);
    let mut rows = vec![("device".to_owned(), device.id.clone()), ("state".into(), device.standing().into())];
    rows.extend(device.cannot.clone().map(|why| ("cannot run".to_owned(), why)));
    if !device.groups.is_empty() {
        rows.push(("groups".into(), device.groups.join(" ")));
    }
    rows.extend(device.last_error.clone().map(|why| ("error".to_owned(), why)));
    rows.extend(device.telling().map(|(fact, value)| (fact.to_owned(), value.to_owned())));
    for (n, (fact, value)) in rows.iter().take(usize::from(inside.height)).enumerate() {
        let cells = [left(text::plain(fact), muted), left(text::plain(value), plain)];
        row(buf, nth(inside, n as u16), &[14, 0], &cells);
    }
}

fn job(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(summary) = app.overview.job(&app.jobs) else {
        let inside = pane(app, buf, area, title(theme, "4", "Preview", ""), "", focused(app));
        return states::nothing_chosen(app).draw(app, inside, buf);
    };
    let more = format!("{} {}  on {}", summary.id, text::plain(&summary.script), text::plain(&summary.target));
    let waits = |name: &str| chrome::key_of(app, "jobs", name);
    let foot = match (&summary.progress.asks, &summary.progress.paused) {
        (Some(asks), _) => format!("ring {} waits for you: {} starts it", asks.ring, waits("approve")),
        (None, Some(_)) => format!("paused: {} goes on", waits("pause")),
        (None, None) => summary.state.word().to_owned(),
    };
    let inside = pane(app, buf, area, title(theme, "4", "Job", &more), &foot, focused(app));
    let held = app.held.as_ref().filter(|held| held.id == summary.id);
    let counts = held.and_then(|held| held.job.as_ref()).map_or(&summary.counts, |job| &job.summary.counts);
    line(buf, nth(inside, 0), &live::counts(app, counts, inside.width));
    gauge::draw(theme, counts, nth(inside, 1), buf);
    let said = said_of(app, summary.id);
    if let Some(said) = &said {
        words(buf, nth(inside, 2), said, theme.style(Role::GroupAcked));
    }
    let head = 2 + u16::from(said.is_some());
    let list = Rect { y: inside.y + head, height: inside.height.saturating_sub(head), ..inside };
    let Some(job) = held.and_then(|held| held.job.as_ref()) else {
        return states::no_job(app, held.and_then(|held| held.problem.as_deref())).draw(app, list, buf);
    };
    // Bad ones first, without sorting thousands for a handful of rows. Of a job that waits, what has ended.
    let mut skip = app.overview.preview;
    let mut n = 0;
    let place = |run: &Run| (job.summary.progress.held() && !run.state.ended(), run.state.rank());
    for (open, rank) in [false, true].into_iter().flat_map(|open| (0..=8).map(move |rank| (open, rank))) {
        for run in job.runs.iter().filter(|run| place(run) == (open, rank)) {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if n >= list.height {
                return;
            }
            let sign = theme.glyphs.state(run.state).to_string();
            let state = theme.state(run.state);
            let cells = [
                left(sign, state),
                left(text::plain(&run.name), theme.style(Role::Text)),
                left(run.state.word(), state),
                right(run.exit_code.map_or("-".into(), |code| code.to_string()), state),
                left(waiting::last_words(app, run, true), Style::default()),
            ];
            row(buf, nth(list, n), &[1, 18, 9, 4, 0], &cells);
            n += 1;
        }
    }
}

/// `acknowledged by r.ito   note by s.oz: the vendor has it`
fn said_of(app: &App, id: JobId) -> Option<String> {
    let remarks = app.remarks.get(&id)?;
    let acked = remarks.acked.as_ref().map(|acked| format!("acknowledged by {}", text::plain(&acked.by)));
    let note = remarks.note.as_ref();
    let note = note.map(|note| format!("note by {}: {}", text::plain(&note.by), text::plain(&note.text)));
    let said: Vec<String> = acked.into_iter().chain(note).collect();
    (!said.is_empty()).then(|| said.join("   "))
}

fn job_facts(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let inside = pane(app, buf, area, title(theme, "", "About this job", ""), "", false);
    let Some(job) = app.overview.job(&app.jobs) else { return states::nothing_chosen(app).draw(app, inside, buf) };
    let muted = theme.style(Role::TextMuted);
    let plain = theme.style(Role::Text);
    let mut rows = vec![
        ("target", job.target.clone()),
        ("version", app.version_word(&job.script, &job.version)),
        ("by", job.by.clone()),
        ("started", format!("{}, {} ago", live::clock(app, job.created_at), ago(app.now, job.created_at))),
    ];
    if let Some(end) = job.finished_at {
        let took = end.as_millisecond() - job.created_at.as_millisecond();
        rows.push(("took", text::took(took.max(0).unsigned_abs())));
    }
    rows.extend(job.reason.clone().map(|why| ("reason", why)));
    if let Some(held) = app.held.as_ref().filter(|held| held.id == job.id).and_then(|held| held.job.as_ref()) {
        rows.extend(held.params.iter().map(|(name, value)| ("param", format!("{name}={value}"))));
        rows.push(("at once", if held.at_once == 0 { "no limit".into() } else { held.at_once.to_string() }));
        rows.push(("timeout", held.timeout_ms.map_or("none".into(), text::took)));
        let bytes: u64 = held.runs.iter().map(|run| run.bytes).sum();
        rows.push(("output", text::bytes(bytes)));
        let running = held.runs.iter().filter(|run| run.state == RunState::Running).count();
        if running > 0 {
            rows.push(("running", text::count(running as u64)));
        }
    }
    for (n, (fact, value)) in rows.iter().take(usize::from(inside.height)).enumerate() {
        row(buf, nth(inside, n as u16), &[10, 0], &[left(*fact, muted), left(text::plain(value), plain)]);
    }
}
