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
                    "  {}last: job {}",
                    run.ok_percent.map_or_else(String::new, |ok| format!("{ok}% ok {}; ", run.span())),
                    run.job
                ),
                muted,
            ),
        ]));
    }
    if let Some(plan) = &launch.plan {
        let of = |level| plan.findings.iter().filter(|finding| finding.level == level).count() as u64;
        let (errors, warnings) = (of(Level::Error), of(Level::Warn));
        let (word, role) = match (errors, warnings) {
            (0, 0) => ("ok".to_owned(), Role::StateOk),
            (0, n) => (text::number(n, "warning"), Role::LevelWarn),
            (n, m) => (format!("{}, {}", text::number(n, "error"), text::number(m, "warning")), Role::LevelError),
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
    let plan = launch.plan.as_ref();
    let (devices, folded) = match (plan, launch.meant()) {
        (Some(plan), _) => (&plan.devices, &plan.folded),
        (None, Some(Ok(meant))) => (&meant.ids, &meant.folded),
        (None, meant) => {
            if meant.is_none() && launch.waiting() {
                cells::words(buf, nth(area, 0), &format!("resolving…{}", states::since(app)), muted);
            }
            return 0;
        }
    };
    let mut rows: Vec<Line<'_>> = Vec::new();
    let count = devices.len();
    let total = text::count(app.tree.total.devices as u64);
    let stale = if launch.waiting() { "   resolving…" } else { "" };
    rows.push(Line::from(vec![
        Span::styled("resolved   ", muted),
        Span::styled(text::count(count as u64), theme.style(Role::TextStrong)),
        Span::styled(format!(" of {total} devices{stale}"), plain),
    ]));
    let tally = app.tree.tally_of(devices.iter().map(String::as_str));
    let amount = |label: &'static str, n: usize, what: &'static str, role: Role| {
        Line::from(vec![
            Span::styled(format!("  {label:<9}"), muted),
            Span::styled(format!("{:<6}", text::count(n as u64)), theme.style(role)),
            Span::styled(format!(" {what}"), muted),
        ])
    };
    rows.push(amount("online", tally.online, "answered last time", Role::StateOk));
    let offline = plan.map_or(tally.offline + tally.refused, |plan| plan.offline.len());
    if offline > 0 {
        rows.push(amount("offline", offline, "tried again; no answer = offline", Role::StateOffline));
    }
    let unknown = count.saturating_sub(tally.online + offline);
    if unknown > 0 {
        rows.push(amount("unknown", unknown, "no run heard of", Role::Text));
    }
    if let Some(plan) = plan.filter(|plan| !plan.excluded.is_empty()) {
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
    rows.push(Line::styled(text::plain(folded), plain));
    let facts: Vec<String> = launch.spread.iter().map(|(fact, _)| text::plain(fact)).collect();
    let wide = facts.iter().map(|fact| text::width(fact)).max().unwrap_or(0).clamp(10, 20);
    for (fact, (_, values)) in facts.iter().zip(&launch.spread) {
        let mut spans = vec![Span::styled(format!("{} ", text::pad(fact, wide)), muted)];
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
        _ if launch.plan.as_ref().is_some_and(|plan| !plan.keeps_limits()) => {
            "Its system keeps the script until a device fetches it: no limit of time counts there.".into()
        }
        Some(ms) => format!("A device that takes longer than {} is stopped and counts as timeout.", text::took(ms)),
        None => "No timeout: a script that hangs runs until it is stopped.".into(),
    };
    cells::paragraph(buf, area, &text, muted);
}

/// The rings, one a row: how many, which, and why these where there is room for it.
fn rings(app: &App, plan: &Plan, width: usize) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let sizes: Vec<String> = plan.rollout.rings.iter().map(|ring| text::count(ring.runs.len() as u64)).collect();
    let digits = sizes.iter().map(String::len).max().unwrap_or(1);
    let mut rows = Vec::new();
    for (n, (ring, size)) in (1..).zip(plan.rollout.rings.iter().zip(&sizes)) {
        let (number, size) = (format!("ring {n:<2} "), format!("{size:>digits$}  "));
        let room = width.saturating_sub(number.len() + size.len());
        let devices = text::plain(&ring.devices);
        let both = format!("{devices}  {}", text::plain(&ring.why));
        let about = if text::width(&both) <= room { both } else { text::clip(&devices, room) };
        rows.push(Line::from(vec![
            Span::styled(number, muted),
            Span::styled(size, theme.style(Role::TextStrong)),
            Span::styled(about, plain),
        ]));
    }
    rows
}

/// Why ring 1 begins with these devices, what stands between the rings, how long it may take, and when it stops by
/// itself. In a narrow block in fewer words.
fn course(app: &App, launch: &Launch, plan: &Plan, width: usize) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let rollout = &plan.rollout;
    let mut rows = Vec::new();
    let mut told = |label: &'static str, long: String, short: String| {
        let room = width.saturating_sub(label.len());
        let said = if text::width(&long) <= room || launch.alone { long } else { short };
        rows.push(Line::from(vec![Span::styled(label, muted), Span::styled(said, plain)]));
    };
    if rollout.rings.len() > 1 {
        let (then, short) = match rollout.how.between {
            Between::Go => ("the next ring goes when the one before has been sent to", "the next when all were sent"),
            Between::Wait => ("the next ring goes when the one before has ended", "the next when all have ended"),
            Between::Ask => ("each ring waits for you when the one before has ended", "the next waits for you"),
        };
        told("then    ", then.to_owned(), short.to_owned());
        let chosen = rollout.how.canary.is_some() || !rollout.how.spread.is_empty();
        let seed = short_id(&rollout.seed);
        let (long, short) = match chosen {
            true => (format!("as block c chooses, the rest by lot (seed {seed})"), format!("block c, then lot {seed}")),
            false => (
                format!("drawn by lot (seed {seed}); canary and spread in block c choose"),
                format!("by lot, seed {seed}"),
            ),
        };
        told("order   ", long, short);
    }
    if let Some((long, short)) = rough_time(app, launch, plan) {
        told("time    ", long, short);
    }
    if let Some(stops) = rollout.stops(plan.devices.len()) {
        rows.push(Line::from(vec![Span::styled("[ok] ", theme.style(Role::StateOk)), Span::styled(stops, plain)]));
    }
    rows
}

/// Rows that are too long go on below, under their words.
fn folded(rows: &[Line<'static>], width: usize) -> Vec<Line<'static>> {
    let mut all = Vec::new();
    for row in rows {
        let Some((last, lead)) = row.spans.split_last().filter(|_| text::line_width(row) > width) else {
            all.push(row.clone());
            continue;
        };
        let indent: usize = lead.iter().map(|span| text::width(&span.content)).sum();
        for (n, words) in text::fold(&last.content, width.saturating_sub(indent).max(1)).into_iter().enumerate() {
            let mut spans = if n == 0 { lead.to_vec() } else { vec![Span::raw(" ".repeat(indent))] };
            spans.push(Span::styled(words, last.style));
            all.push(Line::from(spans));
        }
    }
    all
}

/// How often the whole of `at once` is waited for, ring by ring.
fn waves(plan: &Plan) -> u64 {
    let at_once = if plan.at_once == 0 { u64::MAX } else { u64::from(plan.at_once) };
    let rings = plan.rollout.rings.iter().map(|ring| ring.runs.len() as u64);
    let rings: Vec<u64> = if plan.rollout.rings.is_empty() { vec![plan.devices.len() as u64] } else { rings.collect() };
    rings.into_iter().map(|devices| devices.div_ceil(at_once)).sum()
}

/// By how long the script's last job took, and at most: in full, and in short.
fn rough_time(app: &App, launch: &Launch, plan: &Plan) -> Option<(String, String)> {
    let waves = waves(plan);
    let script = launch.script()?;
    // (a job in rings may have waited for people)
    let alike = |job: &&JobSummary| job.script == script && job.finished_at.is_some() && job.progress.rings <= 1;
    let last = app.jobs.iter().find(alike);
    let about = last.and_then(|job| {
        let took = job.finished_at?.as_millisecond() - job.created_at.as_millisecond();
        let took = took.max(0).unsigned_abs().saturating_sub(job.progress.held_ms);
        let about = format!("about {}", text::took(took * waves));
        Some((format!("{about} ({waves} x {}, as job {} took)", text::took(took), job.id), about))
    });
    let most = plan.timeout_ms.map(|limit| {
        let most = format!("at most {}", text::took(limit * waves));
        (format!("{most} if all hit the timeout"), most)
    });
    let (long, short): (Vec<String>, Vec<String>) = about.into_iter().chain(most).unzip();
    (!long.is_empty()).then(|| (long.join("; "), short.join(", ")))
}

/// In one go, so many at a time, or ring by ring.
fn at_once(plan: &Plan) -> String {
    let rings = &plan.rollout.rings;
    let largest = rings.iter().map(|ring| ring.runs.len()).max().unwrap_or(plan.devices.len());
    let (by_ring, all) = if rings.len() > 1 { ("ring by ring, ", "each") } else { ("", "all") };
    match plan.at_once as usize {
        0 => format!("{by_ring}{all} at once"),
        n if n >= largest => format!("{by_ring}{all} at once"),
        n => format!("{by_ring}{n} at once"),
    }
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
    let at_once = at_once(plan);
    rows.push(match count {
        0 => ("[!!]", Role::LevelWarn, "nobody is left to run on".to_owned()),
        _ => ("[ok]", Role::StateOk, format!("on {}, {at_once}", text::number(count as u64, "device"))),
    });
    rows.push(("[ok]", Role::StateOk, format!("fixed to plan {}", short_id(&plan.id))));
    if count > 1 && plan.devices.iter().any(|device| app.tree.is_here(device)) {
        rows.push(("[!!]", Role::LevelWarn, "this machine is one of them".into()));
    }
    if launch.script().is_some_and(|name| app.shelf.edited(&name)) {
        rows.push(("[!!]", Role::LevelWarn, "your draft is not what runs: the saved text is".into()));
    }
    rows.extend(plan.warnings.iter().map(|why| ("[!!]", Role::LevelWarn, text::plain(why))));
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
    if !plan.options.is_empty() {
        let told: Vec<String> = plan.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        rows.push(("[ok]", Role::StateOk, format!("with {}", text::plain(&told.join(", ")))));
    }
    for taken in &plan.included {
        rows.push((
            "[!!]",
            Role::LevelWarn,
            format!("taken in on purpose: {} {}", taken.count, text::plain(&taken.text)),
        ));
    }
    for remark in &plan.remarks {
        rows.push(("[!!]", Role::LevelWarn, text::plain(remark)));
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
    let width = usize::from(area.width);
    all.extend(course(app, launch, plan, width));
    all.extend(fine.into_iter().map(said));
    // Nothing is cut where there is room for it.
    let whole = folded(&all, width);
    let fits = launch.alone || whole.len() <= usize::from(area.height);
    lines(if fits { &whole } else { &all }, area, buf)
}

pub(super) fn short_id(id: &str) -> String {
    text::clip(&text::plain(id), 12)
}
