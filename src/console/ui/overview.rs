//! Screen 1: scripts, targets, jobs and what the focused one holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::cells::{Cell, ago, cursor, empty, left, nth, pane, place, right, row, title};
use super::{chrome, gauge, preview};
use crate::console::app::overview::{JOB_COLUMNS, SCRIPT_COLUMNS};
use crate::console::app::tree::Kind;
use crate::console::app::{App, Link, Load, Pane, layout};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::job::JobSummary;
use crate::model::state::JobState;

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let panes = layout::overview(area, app.overview.focus, app.overview.full);
    if let Some(area) = panes.scripts {
        scripts(app, area, buf);
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

/// A list that is not there yet says why. `true`: nothing else to draw.
fn absent(app: &App, load: &Load, area: Rect, buf: &mut Buffer) -> bool {
    let theme = &app.theme;
    match (load, &app.link) {
        (Load::Ready, _) => return false,
        (Load::Failed(why), _) => {
            let refresh = format!("{} tries again", chrome::key_of(app, "global", "refresh"));
            empty(theme, buf, area, &format!("could not be read: {}", text::plain(why)), &[&refresh]);
        }
        (Load::Waiting, Link::Starting) => empty(theme, buf, area, "starting the engine…", &[]),
        (Load::Waiting, Link::Attached) => empty(theme, buf, area, "reading…", &[]),
        (Load::Waiting, Link::Lost { why, .. }) => empty(theme, buf, area, "no engine", &[&text::plain(why)]),
    }
    true
}

fn header(theme: &Theme, buf: &mut Buffer, inside: Rect, widths: &[u16], names: &[(&'static str, bool)]) -> Rect {
    let style = theme.style(Role::TextMuted);
    let cells: Vec<Cell<'_>> =
        names.iter().map(|(name, at_right)| if *at_right { right(*name, style) } else { left(*name, style) }).collect();
    row(buf, Rect { height: 1, ..inside }, widths, &cells);
    Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside }
}

/// The share of good runs, coloured by how much trust it earns.
fn trust(theme: &Theme, percent: u8) -> Style {
    match percent {
        95.. => theme.style(Role::BudgetOk),
        80..95 => theme.style(Role::BudgetNear),
        _ => theme.style(Role::BudgetOver),
    }
}

fn scripts(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = app.overview.focus == Pane::Scripts && app.layers.is_empty();
    let len = app.scripts.len();
    let sort = app.overview.script_sort;
    let mut foot = place(app.overview.scripts.at, len);
    if sort.column > 0 || sort.reverse {
        let turned = if sort.reverse { " reversed" } else { "" };
        foot = format!("sort {}{turned}  {foot}", SCRIPT_COLUMNS[sort.column]);
    }
    let count = if app.library == Load::Ready { text::count(len as u64) } else { String::new() };
    let inside = pane(app, buf, area, title(theme, "1", "Scripts", &count), &foot, focused);
    if absent(app, &app.library, inside, buf) {
        return;
    }
    if len == 0 {
        let put = format!("Put one into {} and it is here at once.", app.folder);
        return empty(theme, buf, inside, "No scripts yet.", &[&put]);
    }
    let wide = inside.width >= 40;
    let full = inside.width >= 90;
    let (widths, names): (&[u16], &[(&str, bool)]) = if full {
        (
            &[1, 28, 7, 12, 4, 4, 16, 0],
            &[
                ("", false),
                ("name", false),
                ("lang", false),
                ("version", false),
                ("last", true),
                ("ok%", true),
                ("history", false),
                ("what it does", false),
            ],
        )
    } else if wide {
        (&[1, 0, 7, 4, 4], &[("", false), ("name", false), ("lang", false), ("last", true), ("ok%", true)])
    } else {
        (&[1, 0, 4, 3], &[("", false), ("name", false), ("last", true), ("ok%", true)])
    };
    let list = header(theme, buf, inside, widths, names);
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    for (n, at) in app.overview.scripts.window(len, usize::from(list.height)).enumerate() {
        let Some(script) = app.overview.script_order.get(at).and_then(|at| app.scripts.get(*at)) else { continue };
        let line = nth(list, n as u16);
        let last = script.last_run.as_ref();
        let name = if script.refused.is_some() { theme.style(Role::LevelError) } else { plain };
        let when = last.map_or("-".into(), |run| ago(app.now, run.at));
        let (percent, style) =
            last.map_or(("-".into(), muted), |run| (run.ok_percent.to_string(), trust(theme, run.ok_percent)));
        let mut cells = vec![left("", plain), left(text::plain(&script.name), name)];
        if wide || full {
            cells.push(left(script.language.as_str(), muted));
        }
        if full {
            cells.push(left(script.version.as_str(), muted));
        }
        cells.extend([right(when, muted), right(percent, style)]);
        if full {
            let history = last.map_or("", |run| run.history.as_str());
            cells.push(left(history, theme.style(Role::Spark)));
            cells.push(left(text::plain(&script.describe), muted));
        }
        row(buf, line, widths, &cells);
        if app.shelf.edited(&script.name) {
            edited(app, buf, line, widths);
        }
        if at == app.overview.scripts.at {
            cursor(theme, buf, line, focused);
        }
    }
}

/// `M` at the end of the name: there is text that was not saved.
fn edited(app: &App, buf: &mut Buffer, line: Rect, widths: &[u16]) {
    let others: u16 = widths.iter().sum::<u16>() + (widths.len() as u16).saturating_sub(1);
    let name = if widths[1] == 0 { line.width.saturating_sub(others) } else { widths[1] };
    let end = line.x + widths[0] + 1 + name;
    if name > 4 && end < line.right() {
        buf.set_string(end - 2, line.y, " M", app.theme.style(Role::Mark));
    }
}

fn targets(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = app.overview.focus == Pane::Targets && app.layers.is_empty();
    let tree = &app.tree;
    let len = tree.rows.len();
    let mut foot = place(app.overview.targets.at, len);
    if tree.only_problems {
        foot = format!("only problems  {foot}");
    }
    if !tree.marks.is_empty() {
        foot = format!("marked {}  {foot}", tree.marks.len());
    }
    let count = if tree.total.devices > 0 { text::count(tree.total.devices as u64) } else { String::new() };
    let inside = pane(app, buf, area, title(theme, "2", "Targets", &count), &foot, focused);
    if absent(app, &app.targets, inside, buf) {
        return;
    }
    if len == 0 {
        if tree.only_problems {
            let key = chrome::key_of(app, "list", "only-problems");
            return empty(theme, buf, inside, "No problems.", &[&format!("{key} shows everything again")]);
        }
        let file = format!("or a [[connection]] to {}.", app.place.config);
        return empty(theme, buf, inside, "No hosts yet.", &["Add hosts to ~/.ssh/config", &file]);
    }
    let wide = inside.width >= 36;
    let (widths, names): (&[u16], &[(&str, bool)]) = if wide {
        (&[1, 0, 6, 7, 5], &[("", false), ("group", false), ("dev", true), ("online", true), ("prob", true)])
    } else if inside.width < 17 {
        (&[1, 0, 4], &[("", false), ("group", false), ("dev", true)])
    } else {
        (&[1, 0, 4, 3], &[("", false), ("group", false), ("dev", true), ("", true)])
    };
    let list = header(theme, buf, inside, widths, names);
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let (from, to) = match app.overview.anchor {
        Some(anchor) => (anchor.min(app.overview.targets.at), anchor.max(app.overview.targets.at) + 1),
        None => (0, 0),
    };
    for (n, at) in app.overview.targets.window(len, usize::from(list.height)).enumerate() {
        let item = &tree.rows[at];
        let line = nth(list, n as u16);
        if item.kind == Kind::Heading {
            row(buf, line, &[1, 0], &[left("", plain), left(item.label.as_str(), muted)]);
            continue;
        }
        let marked = tree.marks.contains(&item.term) || (from..to).contains(&at);
        let mut label = String::new();
        for (depth, last) in item.last.iter().enumerate() {
            label.push_str(match (depth + 1 == item.last.len(), last) {
                (true, true) => theme.glyphs.branch_last(),
                (true, false) => theme.glyphs.branch(),
                (false, true) => "  ",
                (false, false) => theme.glyphs.branch_through(),
            });
        }
        match item.open {
            Some(true) => label.push(theme.glyphs.expanded()),
            Some(false) => label.push(theme.glyphs.collapsed()),
            None if matches!(item.kind, Kind::Saved(_)) => label.push('*'),
            None if item.depth > 0 => {}
            None => label.push(' '),
        }
        label.push(' ');
        label.push_str(&text::plain(&item.label));
        let tally = item.tally;
        let guides = 2 * item.last.len() as u16;
        let unresolved = match item.kind {
            Kind::Saved(saved) => tree.saved.get(saved).and_then(|saved| saved.answer.as_ref()),
            _ => Some(&Ok(tally)),
        };
        let style = match &item.kind {
            _ if marked => theme.style(Role::Mark),
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
        let mark = if marked { "x" } else { "" };
        let mut cells = vec![left(mark, theme.style(Role::Mark)), left(label, style), right(devices, plain)];
        if wide {
            let online = match (&item.kind, tally.online) {
                (Kind::Device(device), _) => {
                    tree.targets.devices.get(*device).map_or("", |device| device.state.word()).to_owned()
                }
                (_, n) => text::count(n as u64),
            };
            cells.push(right(online, muted));
        }
        cells.push(right(problems, theme.style(Role::StateOffline)));
        row(buf, line, widths, &cells);
        buf.set_style(
            Rect { x: line.x + 2, width: guides.min(line.width.saturating_sub(2)), ..line },
            theme.style(Role::Border),
        );
        if at == app.overview.targets.at {
            cursor(theme, buf, line, focused);
            if marked {
                buf.set_string(line.x, line.y, "x", Style::default());
            }
        }
    }
}

/// How far a job is: a share while it runs, a word when it did not end by itself.
pub fn done(job: &JobSummary) -> String {
    match job.state {
        JobState::Running => format!("{}%", gauge::percent(&job.counts)),
        JobState::Done => "100%".into(),
        JobState::Cancelled => "stop".into(),
        JobState::Interrupted => "lost".into(),
    }
}

pub fn done_style(theme: &Theme, job: &JobSummary) -> Style {
    match job.state {
        JobState::Running => theme.style(Role::StateRunning).add_modifier(Modifier::BOLD),
        JobState::Done => theme.style(Role::TextMuted),
        JobState::Cancelled => theme.style(Role::StateCancelled),
        JobState::Interrupted => theme.style(Role::StateFailed),
    }
}

fn jobs(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = app.overview.focus == Pane::Jobs && app.layers.is_empty();
    let order = &app.overview.job_order;
    let len = order.len();
    let sort = app.overview.job_sort;
    let mut foot = place(app.overview.jobs.at, len);
    if sort.column > 0 || sort.reverse {
        let turned = if sort.reverse { " reversed" } else { "" };
        foot = format!("sort {}{turned}  {foot}", JOB_COLUMNS[sort.column]);
    }
    if app.overview.only_bad {
        foot = format!("only problems, hiding {}  {foot}", app.jobs.len() - len);
    }
    let live = match app.running().count() {
        0 => String::new(),
        n => format!("{n} live"),
    };
    let inside = pane(app, buf, area, title(theme, "3", "Jobs", &live), &foot, focused);
    if absent(app, &app.history, inside, buf) {
        return;
    }
    if len == 0 {
        if app.overview.only_bad {
            let key = chrome::key_of(app, "list", "only-problems");
            return empty(theme, buf, inside, "No job had problems.", &[&format!("{key} shows all jobs again")]);
        }
        let run = chrome::key_of(app, "scripts", "run");
        let advice = format!("Choose a script in pane 1; {run} runs it.");
        return empty(theme, buf, inside, "No jobs yet.", &[&advice]);
    }
    let number = app.jobs.first().map_or(2, |job| job.id.to_string().len().max(2)) as u16;
    let wide = inside.width >= 44;
    let full = inside.width >= 90;
    let widths: Vec<u16> = if full {
        vec![1, number, 24, 10, 6, 6, 6, 5, 5, 5, 0]
    } else if wide {
        vec![1, number, 0, 5, 4, 5, 4, 4, 3]
    } else {
        vec![1, number, 0, 4, 3]
    };
    let mut names = vec![("", false), ("id", true), ("script", false)];
    if full {
        names.extend([("by", false), ("when", true)]);
    }
    if wide {
        names.push(("dev", true));
    }
    names.push(("done", true));
    if wide {
        names.push(("ok", true));
    }
    names.push(("bad", true));
    if wide {
        names.push(("off", true));
    }
    if full {
        names.push(("target", false));
    } else if wide {
        names.push(("age", true));
    }
    let list = header(theme, buf, inside, &widths, &names);
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    for (n, at) in app.overview.jobs.window(len, usize::from(list.height)).enumerate() {
        let Some(job) = app.jobs.get(order[at]) else { continue };
        let line = nth(list, n as u16);
        let counts = &job.counts;
        let amount = |n: u32, role: Role| match n {
            0 => right("0", muted),
            n => right(text::count(u64::from(n)), theme.style(role)),
        };
        let when = ago(app.now, job.created_at);
        let mut cells = vec![
            left("", plain),
            right(job.id.to_string(), theme.style(Role::TextStrong)),
            left(text::plain(&job.script), plain),
        ];
        if full {
            cells.extend([left(text::plain(&job.by), muted), right(when.clone(), muted)]);
        }
        if wide {
            cells.push(right(text::count(u64::from(counts.total())), plain));
        }
        cells.push(right(done(job), done_style(theme, job)));
        if wide {
            cells.push(amount(counts.ok, Role::StateOk));
        }
        cells.push(amount(counts.bad(), Role::StateFailed));
        if wide {
            cells.push(amount(counts.offline, Role::StateOffline));
        }
        if full {
            cells.push(left(text::plain(&job.target), muted));
        } else if wide {
            cells.push(right(when, muted));
        }
        row(buf, line, &widths, &cells);
        if at == app.overview.jobs.at {
            cursor(theme, buf, line, focused);
        }
    }
}
