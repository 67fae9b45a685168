//! What stands below the fields of each block: facts of the script, of the devices, and what will happen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::below;
use crate::console::app::App;
use crate::console::app::launch::Launch;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, line, nth};
use crate::console::ui::preview::sha;
use crate::console::ui::states;
use crate::model::job::JobSummary;
use crate::model::plan::Plan;
use crate::model::rollout::{Between, Offline};
use crate::model::script::Level;

/// Lines from the top of an area: how many of them there was no room for.
fn lines(rows: &[Line<'_>], area: Rect, buf: &mut Buffer) -> usize {
    for (n, row) in rows.iter().take(usize::from(area.height)).enumerate() {
        line(buf, nth(area, n as u16), row);
    }
    rows.len().saturating_sub(usize::from(area.height))
}

pub(super) fn what(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) -> usize {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(info) = &launch.info else { return 0 };
    let mut rows: Vec<Line<'_>> = Vec::new();
    if info.params.is_empty() {
        rows.push(Line::styled("takes no parameters", muted));
    }
    rows.push(Line::from(vec![
        Span::styled("version  ", muted),
        Span::styled(info.version_word(), plain),
        Span::styled(sha(info.number.is_some(), &info.version), muted),
        Span::styled(format!("  {}  {}", text::plain(&info.language), text::bytes(info.size)), muted),
    ]));
    if !info.describe.is_empty() {
        rows.push(Line::styled(text::plain(&info.describe), plain));
    }
    if let Some(run) = &info.last_run {
        rows.push(Line::from(vec![
            Span::styled("runs     ", muted),
            Span::styled(run.history.as_str(), theme.style(Role::Spark)),
            Span::styled(
                format!(
                    "  {}last job {}",
                    run.ok_percent.map_or_else(String::new, |ok| format!("{ok}% ok, ")),
                    run.job
                ),
                muted,
            ),
        ]));
    }
    if let Some(plan) = &launch.plan {
        let errors = plan.findings.iter().filter(|f| f.level == Level::Error).count();
        let warnings = plan.findings.iter().filter(|f| f.level == Level::Warn).count();
        let (word, role) = match (errors, warnings) {
            (0, 0) => ("ok".to_owned(), Role::StateOk),
            (0, n) => (format!("{n} warnings"), Role::LevelWarn),
            (n, m) => (format!("{n} errors, {m} warnings"), Role::LevelError),
        };
        rows.push(Line::from(vec![Span::styled("lint     ", muted), Span::styled(word, theme.style(role))]));
        for finding in plan.findings.iter().filter(|f| f.level >= Level::Warn) {
            rows.push(Line::styled(format!("  l.{} {}", finding.line, text::plain(&finding.text)), muted));
        }
    }
    // A blank row between form and facts, where there is room.
    let gap = u16::from(usize::from(area.height) > rows.len());
    lines(&rows, below(area, gap), buf)
}

pub(super) fn whereto(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) -> usize {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(plan) = &launch.plan else {
        if launch.waiting() {
            cells::words(buf, nth(area, 0), &format!("resolving…{}", states::since(app)), muted);
        }
        return 0;
    };
    let mut rows: Vec<Line<'_>> = Vec::new();
    let count = plan.devices.len();
    let total = text::count(app.tree.total.devices as u64);
    let stale = if launch.current() { "" } else { "   resolving…" };
    rows.push(Line::from(vec![
        Span::styled("resolved   ", muted),
        Span::styled(text::count(count as u64), theme.style(Role::TextStrong)),
        Span::styled(format!(" of {total} devices{stale}"), plain),
    ]));
    let tally = app.tree.tally_of(plan.devices.iter().map(String::as_str));
    let amount = |label: &'static str, n: usize, what: &'static str, role: Role| {
        Line::from(vec![
            Span::styled(format!("  {label:<9}"), muted),
            Span::styled(format!("{:<6}", text::count(n as u64)), theme.style(role)),
            Span::styled(format!(" {what}"), muted),
        ])
    };
    rows.push(amount("online", tally.online, "answered last time", Role::StateOk));
    if !plan.offline.is_empty() {
        rows.push(amount("offline", plan.offline.len(), "tried again; no answer = offline", Role::StateOffline));
    }
    let unknown = count.saturating_sub(tally.online + plan.offline.len());
    if unknown > 0 {
        rows.push(amount("unknown", unknown, "never tried", Role::Text));
    }
    if !plan.excluded.is_empty() {
        let mut spans = vec![
            Span::styled("excluded   ", muted),
            Span::styled(text::count(plan.excluded.len() as u64), theme.style(Role::LevelWarn)),
        ];
        // by reason, where the engine counts them so; what can be taken in has a field of its own
        let by_reason = plan.exclusions.iter().filter(|exclusion| !exclusion.why.can_be_included());
        let said: Vec<String> =
            by_reason.map(|exclusion| format!("{} {}", exclusion.count, text::plain(&exclusion.text))).collect();
        match (said.is_empty(), plan.excluded.first()) {
            (false, _) => spans.push(Span::styled(format!("  {}", said.join(", ")), muted)),
            (true, Some((id, why))) if plan.exclusions.is_empty() => {
                spans.push(Span::styled(format!("  {}: {}", text::plain(id), text::plain(why)), muted));
            }
            (true, _) => {}
        }
        rows.push(Line::from(spans));
    }
    rows.push(Line::styled(text::plain(&plan.folded), plain));
    for (fact, values) in &launch.spread {
        let mut spans = vec![Span::styled(text::pad(&text::plain(fact), 11), muted)];
        for (value, n) in values {
            spans.push(Span::styled(format!("{} ", text::plain(value)), plain));
            spans.push(Span::styled(format!("{}  ", text::count(*n as u64)), theme.style(Role::TextStrong)));
        }
        rows.push(Line::from(spans));
    }
    if let Some((came, went)) = launch.changed {
        let text = format!("changed since preview  +{came} -{went}  (disarmed)");
        let told = launch.differs.iter().map(|differs| Line::styled(format!("  {}", text::plain(differs)), muted));
        let told: Vec<Line> = std::iter::once(Line::styled(text, theme.style(Role::LevelWarn))).chain(told).collect();
        drop(rows.splice(1..1, told));
    }
    lines(&rows, area, buf)
}

pub(super) fn how(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let muted = app.theme.style(Role::TextMuted);
    let timeout = launch.plan.as_ref().and_then(|plan| plan.timeout_ms);
    let text = match timeout {
        Some(ms) => format!("A device that takes longer than {} is stopped and counts as timeout.", text::took(ms)),
        None => "No timeout: a script that hangs runs until it is stopped.".into(),
    };
    cells::paragraph(buf, area, &text, muted);
}

/// The rings, one a row: how many, which, and why these.
fn rings(app: &App, plan: &Plan, width: usize) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let mut rows = Vec::new();
    for (n, ring) in (1..).zip(&plan.rollout.rings) {
        let size = text::count(ring.runs.len() as u64);
        let room = width.saturating_sub(16);
        let about = text::clip(&format!("{}  {}", text::plain(&ring.devices), text::plain(&ring.why)), room);
        rows.push(Line::from(vec![
            Span::styled(format!("ring {n:<2} "), muted),
            Span::styled(format!("{size:>6}  "), theme.style(Role::TextStrong)),
            Span::styled(about, plain),
        ]));
    }
    rows
}

/// What stands between the rings, how long it may take, and when it stops by itself.
fn course(app: &App, launch: &Launch, plan: &Plan) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let rollout = &plan.rollout;
    let mut rows = Vec::new();
    if rollout.rings.len() > 1 {
        let then = match rollout.how.between {
            Between::Go => "the next ring goes when the one before has been sent to",
            Between::Wait => "the next ring goes when the one before has ended",
            Between::Ask => "each ring waits for you when the one before has ended",
        };
        rows.push(Line::from(vec![Span::styled("then    ", muted), Span::styled(then, plain)]));
    }
    if let Some(time) = rough_time(app, launch, plan) {
        rows.push(Line::from(vec![Span::styled("time    ", muted), Span::styled(time, plain)]));
    }
    if let Some(stops) = rollout.stops(plan.devices.len()) {
        rows.push(Line::from(vec![Span::styled("[ok] ", theme.style(Role::StateOk)), Span::styled(stops, plain)]));
    }
    rows
}

/// How often the whole of `at once` is waited for, ring by ring.
fn waves(plan: &Plan) -> u64 {
    let at_once = if plan.at_once == 0 { u64::MAX } else { u64::from(plan.at_once) };
    let rings = plan.rollout.rings.iter().map(|ring| ring.runs.len() as u64);
    let rings: Vec<u64> = if plan.rollout.rings.is_empty() { vec![plan.devices.len() as u64] } else { rings.collect() };
    rings.into_iter().map(|devices| devices.div_ceil(at_once)).sum()
}

/// By how long the script's last job took, and at most.
fn rough_time(app: &App, launch: &Launch, plan: &Plan) -> Option<String> {
    let waves = waves(plan);
    let script = launch.script()?;
    // (a job in rings may have waited for people)
    let alike = |job: &&JobSummary| job.script == script && job.finished_at.is_some() && job.progress.rings <= 1;
    let last = app.jobs.iter().find(alike);
    let about = last.and_then(|job| {
        let took = job.finished_at?.as_millisecond() - job.created_at.as_millisecond();
        let took = took.max(0).unsigned_abs().saturating_sub(job.progress.held_ms);
        Some(format!("about {} ({waves} x {}, as job {} took)", text::took(took * waves), text::took(took), job.id))
    });
    let most = plan.timeout_ms.map(|limit| format!("at most {} if all hit the timeout", text::took(limit * waves)));
    let parts: Vec<String> = about.into_iter().chain(most).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

pub(super) fn check(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) -> usize {
    let theme = &app.theme;
    let Some(plan) = &launch.plan else {
        if launch.waiting() && launch.problem.is_none() {
            let planning = format!("planning…{}", states::since(app));
            cells::words(buf, nth(area, 0), &planning, theme.style(Role::TextMuted));
            return 0;
        }
        cells::words(buf, nth(area, 0), "Nothing can be launched yet:", theme.style(Role::TextMuted));
        if let Some(problem) = &launch.problem {
            cells::paragraph(buf, below(area, 1), &text::plain(&problem.error), theme.style(Role::LevelWarn));
        }
        return 0;
    };
    let count = plan.devices.len();
    let mut rows: Vec<(&str, Role, String)> = Vec::new();
    let s = if count == 1 { "" } else { "s" };
    let at_once = match plan.at_once {
        0 => "all at once".to_owned(),
        n if n as usize >= count => "all at once".to_owned(),
        n => format!("{n} at once"),
    };
    rows.push(match count {
        0 => ("[!!]", Role::LevelWarn, "nobody is left to run on".to_owned()),
        _ => ("[ok]", Role::StateOk, format!("on {} device{s}, {at_once}", text::count(count as u64))),
    });
    rows.push(("[ok]", Role::StateOk, format!("fixed to plan {}", short(&plan.id))));
    if count > 1 && plan.devices.iter().any(|device| app.tree.is_here(device)) {
        rows.push(("[!!]", Role::LevelWarn, "this machine is one of them".into()));
    }
    if launch.script().is_some_and(|name| app.shelf.edited(&name)) {
        rows.push(("[!!]", Role::LevelWarn, "your draft is not what runs: the saved text is".into()));
    }
    if !plan.offline.is_empty() {
        let n = text::count(plan.offline.len() as u64);
        rows.push((
            "[!!]",
            Role::LevelWarn,
            match plan.rollout.how.offline {
                Offline::Skip => format!("{n} did not answer last time: tried once, then offline"),
                Offline::Queue { expire_ms } => {
                    let kept = text::took(expire_ms);
                    format!("{n} did not answer last time: kept {kept}, run when they answer")
                }
            },
        ));
    }
    if !plan.excluded.is_empty() {
        let n = text::count(plan.excluded.len() as u64);
        let key = app.key_in("launch", "device-list");
        rows.push(("[!!]", Role::LevelWarn, format!("{n} left out ({key} lists them)")));
    }
    if let Some(argument) = &plan.dry_run {
        rows.insert(0, ("[ok]", Role::StateOk, format!("dry run: the script is given {}", text::plain(argument))));
    }
    for taken in &plan.included {
        rows.push((
            "[!!]",
            Role::LevelWarn,
            format!("taken in on purpose: {} {}", taken.count, text::plain(&taken.text)),
        ));
    }
    let errors = plan.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if errors > 0 {
        rows.push(("[!!]", Role::LevelError, format!("lint found {errors} errors")));
    }
    if plan.questions.is_empty() {
        rows.push(("[ok]", Role::StateOk, "no secret is missing".into()));
    }
    rows.push(("[--]", Role::TextMuted, "what has begun is not recalled".into()));
    // Where there is little room: who comes first, what to think of, and only then what is as it should be.
    let mut all = rings(app, plan, usize::from(area.width));
    let said = |(sign, role, said): (&str, Role, String)| {
        let sign = Span::styled(format!("{sign} "), theme.style(role));
        Line::from(vec![sign, Span::styled(said, theme.style(Role::Text))])
    };
    let (warned, fine): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(sign, ..)| *sign == "[!!]");
    all.extend(warned.into_iter().map(said));
    all.extend(course(app, launch, plan));
    all.extend(fine.into_iter().map(said));
    lines(&all, area, buf)
}

pub(super) fn short(id: &str) -> String {
    text::clip(&text::plain(id), 12)
}
