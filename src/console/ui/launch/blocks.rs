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
use crate::model::script::Level;

pub(super) fn what(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(info) = &launch.info else { return };
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
    for (n, row) in rows.iter().enumerate() {
        line(buf, nth(area, n as u16 + gap), row);
    }
}

pub(super) fn whereto(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(plan) = &launch.plan else {
        if launch.waiting() {
            cells::words(buf, nth(area, 0), &format!("resolving…{}", states::since(app)), muted);
        }
        return;
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
        if let Some((id, why)) = plan.excluded.first() {
            spans.push(Span::styled(format!("  {}: {}", text::plain(id), text::plain(why)), muted));
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
    for (n, row) in rows.iter().enumerate() {
        line(buf, nth(area, n as u16), row);
    }
}

pub(super) fn how(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let muted = app.theme.style(Role::TextMuted);
    let timeout = launch.plan.as_ref().and_then(|plan| plan.timeout_ms);
    let text = match timeout {
        Some(ms) => format!("A device that takes longer than {} is stopped and counts as timeout.", text::took(ms)),
        None => "No timeout: a script that hangs runs until it is stopped.".into(),
    };
    cells::paragraph(buf, below(area, 1), &text, muted);
}

pub(super) fn check(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(plan) = &launch.plan else {
        if launch.waiting() && launch.problem.is_none() {
            let planning = format!("planning…{}", states::since(app));
            return cells::words(buf, nth(area, 0), &planning, theme.style(Role::TextMuted));
        }
        cells::words(buf, nth(area, 0), "Nothing can be launched yet:", theme.style(Role::TextMuted));
        if let Some(problem) = &launch.problem {
            cells::paragraph(buf, below(area, 1), &text::plain(&problem.error), theme.style(Role::LevelWarn));
        }
        return;
    };
    let count = plan.devices.len();
    let mut rows: Vec<(&str, Role, String)> = Vec::new();
    let s = if count == 1 { "" } else { "s" };
    let at_once = match plan.at_once {
        0 => "all at once".to_owned(),
        n if n as usize >= count => "all at once".to_owned(),
        n => format!("{n} at once"),
    };
    rows.push(("[ok]", Role::StateOk, format!("on {} device{s}, {at_once}", text::count(count as u64))));
    rows.push(("[ok]", Role::StateOk, format!("fixed to plan {}", short(&plan.id))));
    if count > 1 && plan.devices.iter().any(|device| app.tree.is_here(device)) {
        rows.push(("[!!]", Role::LevelWarn, "this machine is one of them".into()));
    }
    if launch.script().is_some_and(|name| app.shelf.edited(&name)) {
        rows.push(("[!!]", Role::LevelWarn, "your draft is not what runs: the saved text is".into()));
    }
    if !plan.offline.is_empty() {
        let n = text::count(plan.offline.len() as u64);
        rows.push(("[!!]", Role::LevelWarn, format!("{n} did not answer last time")));
    }
    if !plan.excluded.is_empty() {
        let n = text::count(plan.excluded.len() as u64);
        rows.push(("[!!]", Role::LevelWarn, format!("{n} left out (alt-t lists them)")));
    }
    let errors = plan.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if errors > 0 {
        rows.push(("[!!]", Role::LevelError, format!("lint found {errors} errors")));
    }
    if plan.questions.is_empty() {
        rows.push(("[ok]", Role::StateOk, "no secret is missing".into()));
    }
    rows.push(("[--]", Role::TextMuted, "what has begun is not recalled".into()));
    for (n, (sign, role, text)) in rows.iter().enumerate() {
        let spans = vec![
            Span::styled(format!("{sign} "), theme.style(*role)),
            Span::styled(text.as_str(), theme.style(Role::Text)),
        ];
        line(buf, nth(area, n as u16), &Line::from(spans));
    }
}

pub(super) fn short(id: &str) -> String {
    text::clip(&text::plain(id), 12)
}
