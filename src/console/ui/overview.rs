//! Screen 1: scripts, targets, jobs and what the focused one holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::cells::{ago, nth, pane, words};
use super::table::{self, Table};
use super::{gauge, preview, scripts, states, targets};
use crate::console::app::columns::{self, Col};
use crate::console::app::hold::flag;
use crate::console::app::list::ListId;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::job::JobSummary;
use crate::model::rows::Jobs;
use crate::model::state::JobState;

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let panes = layout::overview(area, app.overview.focus, app.overview.full, app.overview.sizes);
    if let Some(area) = panes.scripts {
        scripts::draw(app, area, buf);
    }
    if let Some(area) = panes.targets {
        targets::draw(app, area, buf);
    }
    if let Some(area) = panes.jobs {
        jobs(app, area, buf);
    }
    if let Some(area) = panes.preview {
        preview::draw(app, area, buf);
    }
    if let Some(area) = panes.side {
        preview::side(app, area, buf);
    }
}

/// The share of good runs, coloured by how much trust it earns.
pub fn trust(theme: &Theme, percent: u8) -> Style {
    match percent {
        95.. => theme.style(Role::BudgetOk),
        80..95 => theme.style(Role::BudgetNear),
        _ => theme.style(Role::BudgetOver),
    }
}

/// How far a job is: a share while it runs, a word when it did not end by itself.
pub fn done(job: &JobSummary) -> String {
    match job.state {
        JobState::Running => format!("{}%", gauge::percent(&job.counts)),
        JobState::Done => "100%".into(),
        JobState::Stopped | JobState::Cancelled => "STOP".into(),
        JobState::Interrupted => "lost".into(),
    }
}

/// What became of a job, worst first, and the role it is shown in: that it has ended says nothing.
pub fn outcome(job: &JobSummary) -> (String, Role) {
    let counts = &job.counts;
    let many = |n: u32, word: &str, role| (format!("{} {word}", text::count(u64::from(n))), role);
    match job.state {
        JobState::Running if job.progress.paused.is_some() => ("PAUSED".into(), Role::StateSent),
        JobState::Running if job.progress.asks.is_some() => ("WAITS".into(), Role::StateSent),
        JobState::Running => ("LIVE".into(), Role::StateRunning),
        JobState::Stopped => ("STOPPED".into(), Role::StateFailed),
        JobState::Cancelled => ("STOPPED".into(), Role::StateCancelled),
        JobState::Interrupted => ("INTERRUPTED".into(), Role::StateFailed),
        JobState::Done if counts.failed > 0 => many(counts.bad(), "FAILED", Role::StateFailed),
        JobState::Done if counts.timeout > 0 => many(counts.timeout, "TIMED OUT", Role::StateTimeout),
        JobState::Done if counts.offline > 0 => many(counts.offline, "OFFLINE", Role::StateOffline),
        JobState::Done if counts.ok < counts.total() => many(counts.total() - counts.ok, "NOT RUN", Role::StateSkipped),
        JobState::Done => ("ALL OK".into(), Role::StateOk),
    }
}

pub fn done_style(theme: &Theme, job: &JobSummary) -> Style {
    match outcome(job).1 {
        Role::StateOk => theme.style(Role::TextMuted),
        Role::StateRunning => theme.style(Role::StateRunning).add_modifier(Modifier::BOLD),
        role => theme.style(role),
    }
}

/// What a script is called where there is little room: its system gives way before its name does, unless a script of
/// another one is called the same here.
fn short_script(app: &App, script: &str, room: usize) -> String {
    let name = |script: &str| script.split_once(':').map_or(script, |(_, name)| name).to_owned();
    let (whole, short) = (text::plain(script), name(script));
    let alike = || app.jobs.iter().any(|job| job.script != script && name(&job.script) == short);
    if text::width(&whole) <= room || short.is_empty() || alike() { whole } else { text::plain(&short) }
}

fn jobs(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, look) = (ListId::Jobs, &app.overview.job_look);
    let focused = table::focused(app, list);
    let (len, at) = (app.overview.job_order.len(), app.overview.jobs.at);
    let live = match app.running().count() {
        0 => String::new(),
        n => format!("{n} live"),
    };
    let live = app.bringing_in().unwrap_or(live);
    let foot = table::foot(app, list, at, len, area.width);
    let inside = pane(app, buf, area, table::head(app, list, "3", "Jobs", &live, area.width), &foot, focused);
    let said = states::absent(app, "jobs", &app.history).or_else(|| match len {
        _ if app.jobs.is_empty() => Some(states::no_jobs(app)),
        0 => Some(states::none_passes(app, list, look)),
        _ => None,
    });
    if let Some(said) = said {
        return said.draw(app, inside, buf);
    }
    let order: Vec<u32> = app.overview.job_order.iter().map(|at| *at as u32).collect();
    // (what was brought in is older than its number says)
    let number = app.jobs.iter().map(|job| job.id).max().map_or(2, |id| id.to_string().len().max(2)) as u16;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let key = |row: usize| app.jobs[row].id.to_string();
    let room = inside.width.saturating_sub(table::gutter(look, inside.width) + 1);
    let shown = columns::shown(list, look, room);
    let tells_offline = shown.iter().any(|col| col.name == "off");
    let named = columns::width_of("script", list, &shown, room, Some(number));
    let style = |row: usize, col: &Col, _: &str| {
        let job = &app.jobs[row];
        let amount = |n: u32, role: Role| match n {
            0 => (Some("0".into()), muted),
            n => (Some(text::count(u64::from(n))), theme.style(role)),
        };
        match col.name {
            "id" => (None, theme.style(Role::TextStrong)),
            "script" => (Some(short_script(app, &job.script, usize::from(named))), plain),
            "age" => (Some(ago(app.now, job.created_at)), muted),
            "dev" => (Some(text::count(u64::from(job.counts.total()))), plain),
            "done" => (Some(done(job)), done_style(theme, job)),
            "state" => (None, done_style(theme, job)),
            "ok" => amount(job.counts.ok, Role::StateOk),
            // With no column of their own, devices that were not reached stand where failures would: a job that ran
            // nowhere must not look like one that went well.
            "bad" if !tells_offline && job.counts.bad() == 0 && job.counts.offline > 0 => {
                (Some(format!("-{}", text::count(u64::from(job.counts.offline)))), theme.style(Role::StateOffline))
            }
            "bad" => amount(job.counts.bad(), Role::StateFailed),
            "off" => amount(job.counts.offline, Role::StateOffline),
            "flag" => match flag_of(app, job) {
                Some((sign, _, role)) => (Some(sign.to_string()), theme.style(role)),
                None => (Some(String::new()), muted),
            },
            _ => (None, muted),
        }
    };
    let rows = Jobs { all: &app.jobs, now: app.now };
    let (first, cursor) = (Some(number), app.overview.jobs);
    let (signs, heads) = (&table::no_signs, &[]);
    let table = Table {
        list,
        look,
        rows: &rows,
        order: &order,
        cursor,
        focused,
        first,
        key: &key,
        signs,
        tree: None,
        heads,
        style,
    };
    table.draw(theme, inside, buf);
    let room = scripts::spare(inside, len);
    if columns::wide(list, inside.width) {
        going(app, number, room, buf);
    }
    flags(app, room, buf);
}

/// Of a job that nothing else is to be said of: somebody takes care of it, or its system ran it without us.
const ACKED: (char, &str, Role) = ('a', "acknowledged", Role::GroupAcked);
const BROUGHT_IN: (char, &str, Role) = ('S', "brought in", Role::TextMuted);

fn flag_of(app: &App, job: &JobSummary) -> Option<(char, &'static str, Role)> {
    let acked = || app.acknowledged(job).then_some(ACKED);
    flag(job).or_else(acked).or_else(|| job.origin.as_ref().map(|_| BROUGHT_IN))
}

/// The flags that some job has, at the foot of the list, where there is room for them.
fn flags(app: &App, room: Rect, buf: &mut Buffer) {
    let mut present: Vec<(char, &'static str)> = Vec::new();
    for (sign, meaning, _) in app.jobs.iter().filter_map(|job| flag_of(app, job)) {
        if !present.iter().any(|(known, _)| *known == sign) {
            present.push((sign, meaning));
        }
    }
    let height = present.len() as u16;
    if height + app.running().count() as u16 > room.height {
        return;
    }
    for (n, (sign, meaning)) in present.into_iter().enumerate() {
        let place = nth(Rect { y: room.bottom() - height, height, ..room }, n as u16);
        words(buf, place, &format!("  {sign} {meaning}"), app.theme.style(Role::TextMuted));
    }
}

/// How far the jobs that run are, where there is room for it.
fn going(app: &App, number: u16, room: Rect, buf: &mut Buffer) {
    let running: Vec<&JobSummary> = app.running().take(usize::from(room.height)).collect();
    for (n, job) in running.iter().enumerate() {
        let place = nth(room, n as u16);
        let shift = (number + 3).min(place.width);
        let id = format!("{:>1$}", job.id, usize::from(number) + 2);
        words(buf, place, &id, app.theme.style(Role::TextStrong));
        let ring = super::rings::ring(job);
        let said = if ring.is_empty() { 0 } else { text::width(&ring) as u16 + 1 };
        let bar = Rect { x: place.x + shift, width: (place.width - shift).saturating_sub(said), ..place };
        gauge::draw(&app.theme, &job.counts, bar, buf);
        words(buf, Rect { x: bar.right() + 1, width: said, ..place }, &ring, app.theme.style(Role::TextMuted));
    }
}
