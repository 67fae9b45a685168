//! Screen 1: scripts, targets, jobs and what the focused one holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::cells::{Cell, ago, cursor, left, nth, pane, right, row, words};
use super::table::{self, Table};
use super::{gauge, preview, scripts, states};
use crate::console::app::columns::{self, Col};
use crate::console::app::hold::flag;
use crate::console::app::list::ListId;
use crate::console::app::tree::Kind;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::device::Device;
use crate::model::job::JobSummary;
use crate::model::rows::Jobs;
use crate::model::state::{JobState, RunState};

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let panes = layout::overview(area, app.overview.focus, app.overview.full, app.overview.sizes);
    if let Some(area) = panes.scripts {
        scripts::draw(app, area, buf);
    }
    if let Some(area) = panes.targets {
        targets(app, area, buf);
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

fn header(theme: &Theme, buf: &mut Buffer, inside: Rect, widths: &[u16], names: &[(&'static str, bool)]) -> Rect {
    let style = theme.style(Role::TextMuted);
    let cells: Vec<Cell<'_>> =
        names.iter().map(|(name, at_right)| if *at_right { right(*name, style) } else { left(*name, style) }).collect();
    row(buf, Rect { height: 1, ..inside }, widths, &cells);
    Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside }
}

/// The share of good runs, coloured by how much trust it earns.
pub fn trust(theme: &Theme, percent: u8) -> Style {
    match percent {
        95.. => theme.style(Role::BudgetOk),
        80..95 => theme.style(Role::BudgetNear),
        _ => theme.style(Role::BudgetOver),
    }
}

fn targets(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = table::focused(app, ListId::Targets);
    let tree = &app.tree;
    let len = tree.rows.len();
    let foot = table::foot(app, ListId::Targets, app.overview.targets.at, len, area.width);
    let count = if tree.total.devices > 0 { text::count(tree.total.devices as u64) } else { String::new() };
    let inside =
        pane(app, buf, area, table::head(app, ListId::Targets, "2", "Targets", &count, area.width), &foot, focused);
    let said = states::absent(app, "targets", &app.targets).or_else(|| match len {
        0 if tree.look.narrowed() => Some(states::none_passes(app, ListId::Targets, &tree.look)),
        0 => Some(states::no_targets(app)),
        _ => None,
    });
    if let Some(said) = said {
        return said.draw(app, inside, buf);
    }
    let gutter = table::gutter(&tree.look, inside.width);
    let room_for = inside.width.saturating_sub(gutter + 1);
    let wide = columns::wide(ListId::Targets, room_for);
    let shown = columns::shown(ListId::Targets, &tree.look, room_for);
    let mut widths = vec![gutter];
    widths.extend(columns::widths(ListId::Targets, &shown, room_for, None));
    let mut names = vec![("", false)];
    names.extend(shown.iter().map(|col| (if col.name == "prob" && !wide { "" } else { col.head }, col.right)));
    let list = header(theme, buf, inside, &widths, &names);
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let at = app.overview.targets.at;
    let anchor = tree.look.anchor.as_ref().and_then(|anchor| tree.rows.iter().position(|row| row.term == *anchor));
    let (from, to) = anchor.map_or((0, 0), |anchor| (anchor.min(at), anchor.max(at) + 1));
    let device_rows = tree.devices();
    for (n, at) in app.overview.targets.window(len, usize::from(list.height)).enumerate() {
        let item = &tree.rows[at];
        let line = nth(list, n as u16);
        if item.kind == Kind::Heading {
            row(buf, line, &[gutter, 0], &[left("", plain), left(item.label.as_str(), muted)]);
            continue;
        }
        let marked = tree.look.marks.contains(&item.term) || (from..to).contains(&at);
        // In a narrow pane a branch is one cell wide: the names need the others.
        let narrow = inside.width < table::NARROW;
        let mut label = String::new();
        for (depth, last) in item.last.iter().enumerate() {
            let branch = match (depth + 1 == item.last.len(), last) {
                (true, true) => theme.glyphs.branch_last(),
                (true, false) => theme.glyphs.branch(),
                (false, true) => "  ",
                (false, false) => theme.glyphs.branch_through(),
            };
            label.extend(branch.chars().take(if narrow { 1 } else { 2 }));
        }
        match item.open {
            Some(true) => label.push(theme.glyphs.expanded()),
            Some(false) => label.push(theme.glyphs.collapsed()),
            None if matches!(item.kind, Kind::Saved(_)) => label.push('*'),
            None if item.depth > 0 => {}
            None => label.push(' '),
        }
        if !narrow || item.open.is_some() || item.depth == 0 {
            label.push(' ');
        }
        // What a device has no numbers for is room for its name, where that is scarce.
        let mut widths = widths.clone();
        let mut shown = shown.clone();
        if narrow && matches!(item.kind, Kind::Device(_)) && shown.first().is_some_and(|col| col.name == "group") {
            let bad = item.tally.problems() > 0;
            let keep: Vec<bool> = shown.iter().map(|col| col.name == "group" || (bad && col.name == "prob")).collect();
            let mut kept = keep.iter();
            shown.retain(|_| kept.next().is_some_and(|keep| *keep));
            let mut kept = [true].iter().chain(&keep);
            widths.retain(|_| kept.next().is_some_and(|keep| *keep));
            widths[1] = 0;
        }
        let mut name = text::plain(&item.label);
        if shown.first().is_some_and(|col| col.name == "group") {
            let fixed: u16 = widths.iter().sum::<u16>() + (widths.len() as u16).saturating_sub(1);
            let width = if widths[1] == 0 { line.width.saturating_sub(fixed) } else { widths[1] };
            if let Kind::Saved(saved) = item.kind {
                let sign = theme.glyphs.state(RunState::Failed);
                let names = tree.saved.get(saved).map(|saved| saved.labels(sign)).unwrap_or_default();
                let room = usize::from(width).saturating_sub(text::width(&label));
                let fits = |name: &&String| text::width(name) <= room;
                name = names.iter().find(fits).or(names.last()).map_or(name, |name| text::plain(name));
            }
            let sign = if item.tally.idle() { 2 } else { 0 };
            name = text::clip_middle(&name, usize::from(width).saturating_sub(text::width(&label) + sign));
        }
        let found = table::hits(&tree.look.filter, &device_rows, "device", &name);
        let before = text::width(&label);
        label.push_str(&name);
        let broken = match item.kind {
            Kind::Connection(at) => tree.targets.connections.get(at).is_some_and(|known| !known.warnings.is_empty()),
            _ => false,
        };
        if broken {
            label.push_str(" !");
        }
        let tally = item.tally;
        if tally.idle() {
            label.extend([' ', theme.glyphs.idle()]);
        }
        let guides = if narrow { 1 } else { 2 } * item.last.len() as u16;
        let unresolved = match item.kind {
            Kind::Saved(saved) => tree.saved.get(saved).and_then(|saved| saved.answer.as_ref()),
            _ => Some(&Ok(tally)),
        };
        let style = match &item.kind {
            _ if marked => theme.style(Role::Mark),
            _ if !item.hit => muted,
            _ if broken => theme.style(Role::LevelWarn),
            _ if tally.idle() => muted,
            Kind::Device(device) => match tree.targets.devices.get(*device).map(|device| device.state) {
                Some(state) if tally.problems() > 0 => theme.style(super::reach(state)),
                _ => plain,
            },
            Kind::All | Kind::Connection(_) => theme.style(Role::TextStrong),
            _ => plain,
        };
        let devices = match (&item.kind, unresolved) {
            (Kind::Device(_), _) => String::new(),
            (_, Some(Ok(tally))) => text::count(tally.devices as u64),
            (_, Some(Err(_))) => "?".into(),
            (_, None) => "…".into(),
        };
        let problems = match tally.problems() {
            0 => String::new(),
            n if wide => text::count(n as u64),
            n if n < 100 => format!("-{n}"),
            _ => "-99".into(),
        };
        let online = match (&item.kind, tally.online) {
            (Kind::Device(device), _) => tree.targets.devices.get(*device).map_or("", standing).to_owned(),
            (_, n) => text::count(n as u64),
        };
        let mut cells = vec![left(table::sign(theme, marked, inside.width), theme.style(Role::Mark))];
        cells.extend(shown.iter().map(|col| match col.name {
            "group" => left(label.clone(), style),
            "dev" => right(devices.clone(), plain),
            "online" => right(online.clone(), muted),
            _ => right(problems.clone(), theme.style(Role::StateOffline)),
        }));
        row(buf, line, &widths, &cells);
        buf.set_style(
            Rect { x: line.x + gutter + 1, width: guides.min(line.width.saturating_sub(gutter + 1)), ..line },
            theme.style(Role::Border),
        );
        if at == app.overview.targets.at {
            cursor(theme, buf, line, focused);
        }
        // The name's own column: the first, unless the operator has put another before it.
        if shown.first().is_some_and(|col| col.name == "group") {
            let column = if widths[1] == 0 { line.width } else { widths[1] };
            let room =
                Rect { x: line.x + gutter + 1, width: column.min(line.width.saturating_sub(gutter + 1)), ..line };
            let room = Rect { x: room.x + before as u16, width: room.width.saturating_sub(before as u16), ..room };
            table::mark_hits(theme, buf, room, &name, &found, at == app.overview.targets.at && focused);
        }
    }
}

/// How a device stands, in a word.
pub fn standing(device: &Device) -> &'static str {
    if device.cannot.is_some() { "cannot" } else { device.state.word() }
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

fn jobs(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, look) = (ListId::Jobs, &app.overview.job_look);
    let focused = table::focused(app, list);
    let (len, at) = (app.overview.job_order.len(), app.overview.jobs.at);
    let live = match app.running().count() {
        0 => String::new(),
        n => format!("{n} live"),
    };
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
    let number = app.jobs.first().map_or(2, |job| job.id.to_string().len().max(2)) as u16;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let key = |row: usize| app.jobs[row].id.to_string();
    let room = inside.width.saturating_sub(table::gutter(look, inside.width) + 1);
    let tells_offline = columns::shown(list, look, room).iter().any(|col| col.name == "off");
    let style = |row: usize, col: &Col, _: &str| {
        let job = &app.jobs[row];
        let amount = |n: u32, role: Role| match n {
            0 => (Some("0".into()), muted),
            n => (Some(text::count(u64::from(n))), theme.style(role)),
        };
        match col.name {
            "id" => (None, theme.style(Role::TextStrong)),
            "script" => (None, plain),
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
            "flag" => match flag(job) {
                Some((sign, _, role)) => (Some(sign.to_string()), theme.style(role)),
                None if app.acknowledged(job) => (Some(ACKED.0.to_string()), theme.style(ACKED.2)),
                None => (Some(String::new()), muted),
            },
            _ => (None, muted),
        }
    };
    let rows = Jobs { all: &app.jobs, now: app.now };
    let (first, cursor) = (Some(number), app.overview.jobs);
    // (its system ran it, and it was brought in from there)
    let signs = |row: usize| app.jobs[row].origin.iter().map(|_| 'S').collect();
    let (signs, heads) = (&signs, &[]);
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

/// Of a job that nothing else is to be said of: somebody takes care of it.
const ACKED: (char, &str, Role) = ('a', "acknowledged", Role::GroupAcked);

/// The flags that some job has, at the foot of the list, where there is room for them.
fn flags(app: &App, room: Rect, buf: &mut Buffer) {
    let mut present: Vec<(char, &'static str)> = Vec::new();
    let of = |job: &JobSummary| flag(job).or_else(|| app.acknowledged(job).then_some(ACKED));
    for (sign, meaning, _) in app.jobs.iter().filter_map(of) {
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
