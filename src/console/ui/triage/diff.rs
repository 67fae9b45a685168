//! Pane 3: the output of the group or device under the cursor beside another, what changed standing out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::console::app::triage::compare::State;
use crate::console::app::triage::{Triage, TriagePane};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{nth, pane, title, words};
use crate::console::ui::{chrome, diff, states};
use crate::model::compare::{Compared, Comparison};
use crate::model::job::Job;

pub fn draw(app: &App, triage: &Triage, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = triage.focus == TriagePane::Diff && app.layers.is_empty();
    let beside = &triage.beside;
    let waits = beside.waits();
    let (State::Ready(comparison, shown), false) = (&beside.state, waits) else {
        let head = title(theme, "3", "Diff", "");
        let inside = pane(app, buf, area, head, "", focused);
        return states::no_comparison(app, triage).draw(app, inside, buf);
    };
    let wide = triage.side_by_side(area.width);
    let (left, right) = (side(triage, job, &comparison.left), side(triage, job, &comparison.right));
    let kind = if comparison.masked { "" } else { "   raw" };
    let head = title(theme, "3", "Diff", &format!("{left} -> {right}{kind}"));
    let foot = if shown.diff.same() { String::new() } else { diff::foot(beside.scroll, shown, wide) };
    let inside = pane(app, buf, area, head, &foot, focused);
    let (above, below) = layout::around_diff(area);
    let muted = theme.style(Role::TextMuted);
    if above > 0 {
        words(buf, nth(inside, 0), &who(app, triage, job, comparison), muted);
    }
    let rest = Rect { y: inside.y + above, height: inside.height.saturating_sub(above + below), ..inside };
    if shown.diff.same() {
        states::same_output(app, comparison.masked).draw(app, rest, buf);
    } else {
        let notes = diff::notes(app, shown, rest, buf);
        let rest = Rect { y: rest.y + notes, height: rest.height - notes, ..rest };
        diff::lines(app, beside.scroll, shown, wide, rest, buf);
    }
    let last = Rect { y: inside.bottom().saturating_sub(below), height: below, ..inside };
    about(triage, job, comparison, last, muted, buf);
}

/// `S0 (222 ok)`; of one device alone `web023 (failed)`, and of another job its number.
fn side(triage: &Triage, job: &Job, compared: &Compared) -> String {
    let state = compared.state.word();
    if compared.job != triage.job {
        return format!("{} in {} ({state})", device(job, compared), compared.job);
    }
    match label(triage, compared).filter(|_| compared.stands_for > 1) {
        Some(label) => format!("{label} ({} {state})", text::count(compared.stands_for as u64)),
        None => format!("{} ({state})", device(job, compared)),
    }
}

/// What its group is called here.
fn label<'a>(triage: &'a Triage, compared: &Compared) -> Option<&'a str> {
    let groups = &triage.groups.as_ref()?.groups;
    let of = |at: usize| Some(groups.get(at)?.signature.as_str());
    let row = triage.rows.iter().find(|row| row.of.and_then(of) == compared.signature.as_deref())?;
    Some(&row.label)
}

/// As its list calls it: the name, where that is unique.
fn device(job: &Job, compared: &Compared) -> String {
    let run = job.runs.iter().find(|run| run.device == compared.device);
    text::plain(run.map_or(&compared.device, |run| &run.name))
}

/// `shown: web001 (S0) and web023 (S3)   i raw   c side by side`
fn who(app: &App, triage: &Triage, job: &Job, comparison: &Comparison) -> String {
    let one = |compared: &Compared| match label(triage, compared) {
        Some(label) if compared.job == triage.job => format!("{} ({label})", device(job, compared)),
        _ => format!("{} ({})", device(job, compared), compared.job),
    };
    let kind = if comparison.masked { "raw" } else { "masked" };
    format!(
        "shown: {} and {}   {} {kind}   {} layout",
        one(&comparison.left),
        one(&comparison.right),
        chrome::key_of(app, "groups", "exact"),
        chrome::key_of(app, "diff", "layout"),
    )
}

/// What was masked, how alike the group is within itself, and how the device ended last time.
fn about(triage: &Triage, job: &Job, comparison: &Comparison, area: Rect, style: Style, buf: &mut Buffer) {
    let mut lines: Vec<String> = Vec::new();
    if !comparison.masks.is_empty() {
        let masks = comparison.masks.iter().map(|masked| format!("{} x{}", text::plain(&masked.mark), masked.count));
        lines.push(format!("masked here:  {}", masks.collect::<Vec<_>>().join("  ")));
    }
    if let (Some(group), Some(row)) = (triage.group(), triage.row()) {
        let texts = text::number(group.texts as u64, "exact text");
        lines.push(format!(
            "{} inside itself: {}, {texts}",
            row.label,
            text::number(group.runs.len() as u64, "device")
        ));
    }
    if let Some((previous, states)) = &triage.before {
        let name = device(job, &comparison.right);
        let right = &comparison.right;
        let run = job.runs.iter().find(|run| run.device == right.device);
        let now = run.and_then(|run| run.signature.as_ref()).map(|signature| &signature.name);
        lines.push(match states.get(&right.device) {
            Some(state) if state.bad() => {
                let same = now.is_some() && triage.failures.get(&right.device) == now;
                let which = if same { "identical failure" } else { "another failure" };
                let which = if right.state.bad() { which } else { "a failure" };
                format!("same device last time ({previous}, {name}): {which}")
            }
            Some(state) => format!("same device last time ({previous}, {name}): {}", state.word()),
            None => format!("{name} was not part of {previous}"),
        });
    }
    for (n, text) in lines.iter().take(usize::from(area.height.saturating_sub(1))).enumerate() {
        // the first row is the blank between
        words(buf, nth(area, n as u16 + 1), text, style);
    }
}
