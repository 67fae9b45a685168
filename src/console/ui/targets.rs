//! The targets pane of the overview: the tree, how many devices each row holds and how they stand. What a row has no
//! numbers for is room for its name, and of a device that can run nothing for the reason.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{Cell, cursor, left, nth, pane, right, row};
use super::states;
use super::table;
use crate::console::app::App;
use crate::console::app::columns::{self, Col};
use crate::console::app::list::ListId;
use crate::console::app::tree::{Kind, Tree};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::state::RunState;

fn header(theme: &Theme, buf: &mut Buffer, inside: Rect, widths: &[u16], names: &[(&'static str, bool)]) -> Rect {
    let style = theme.style(Role::TextMuted);
    let cells: Vec<Cell<'_>> =
        names.iter().map(|(name, at_right)| if *at_right { right(*name, style) } else { left(*name, style) }).collect();
    row(buf, Rect { height: 1, ..inside }, widths, &cells);
    Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside }
}

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
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
    let (shown, fitted) = fitted(tree, inside.width, room_for);
    let mut widths = vec![gutter];
    widths.extend(fitted);
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
        let cannot = match item.kind {
            Kind::Device(device) => tree.targets.devices.get(device).and_then(|device| device.cannot.as_deref()),
            _ => None,
        };
        // What a device has no numbers for is room for its name, where that is scarce; and for why it can run nothing.
        let mut widths = widths.clone();
        let mut shown = shown.clone();
        let alone = cannot.is_some() || (narrow && matches!(item.kind, Kind::Device(_)));
        if alone && shown.first().is_some_and(|col| col.name == "group") {
            let bad = item.tally.problems() > 0 && cannot.is_none();
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
        if let Some(why) = cannot {
            label.push(' ');
            label.push_str(&text::plain(why));
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
            (Kind::Device(device), _) => {
                tree.targets.devices.get(*device).map_or("", |device| device.standing()).to_owned()
            }
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

/// Columns and their widths. Where names would be cut, the numbers are no wider than what stands in them, and there is
/// no column of problems where there are none.
fn fitted(tree: &Tree, inside: u16, room: u16) -> (Vec<&'static Col>, Vec<u16>) {
    let list = ListId::Targets;
    let mut shown = columns::shown(list, &tree.look, room);
    let mut widths = columns::widths(list, &shown, room, None);
    let longest = if inside < table::NARROW { tree.longest_narrow } else { tree.longest };
    let used = widths.iter().map(|width| width + 1).sum::<u16>();
    if longest < usize::from(room.saturating_sub(used)) || !tree.look.columns.is_empty() {
        return (shown, widths);
    }
    let digits = |n: usize| text::count(n as u64).len() as u16;
    let (devices, problems) = (digits(tree.total.devices), tree.total.problems());
    shown.retain(|col| col.name != "prob" || problems > 0);
    widths.truncate(shown.len());
    let wide = columns::wide(list, room);
    for (col, width) in shown.iter().zip(&mut widths) {
        *width = match (col.name, wide) {
            ("dev", _) => devices.max(3),
            ("prob", true) => digits(problems).max(4),
            ("prob", false) => (digits(problems) + 1).min(3),
            _ => *width,
        };
    }
    (shown, widths)
}
