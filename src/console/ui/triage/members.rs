//! Pane 2: the devices of the group under the cursor, and what they share that those of the base do not.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::app::App;
use crate::console::app::columns::Col;
use crate::console::app::layout;
use crate::console::app::list::ListId;
use crate::console::app::triage::Triage;
use crate::console::app::triage::worth::fact;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{fold, line, nth, pane, words};
use crate::console::ui::table::{self, Table};
use crate::console::ui::{chrome, states};
use crate::model::triage::{Group, Shared};

/// Cells that are left to a fact beside the counts on both sides.
const NAME: usize = 14;
/// A fact that is hardly more common here than there tells little.
const TELLING: f64 = 0.3;

pub fn draw(app: &App, triage: &Triage, (area, facts): (Rect, u16), buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, members) = (ListId::Members, &triage.members);
    let look = &members.look;
    let focused = table::focused(app, list);
    let label = triage.row().map_or("", |row| &row.label);
    // the name that it has in every job, where there is room: the label is this job's alone
    let name = triage.group().filter(|_| area.width >= 40).map_or("", |group| group.signature.as_str());
    let more = format!("{label}  {}  {}", text::count(members.of.len() as u64), text::plain(name));
    let more = more.trim_end();
    let foot = table::foot(app, list, members.cursor.at, members.order.len(), area.width);
    let head = table::head(app, list, "2", "Members", more, area.width);
    let inside = pane(app, buf, area, head, &foot, focused);
    let Some(rows) = app.member_rows().filter(|rows| !rows.of.is_empty()) else {
        return states::no_group_chosen(app).draw(app, inside, buf);
    };
    let upper = Rect { height: inside.height.saturating_sub(facts), ..inside };
    if members.order.is_empty() {
        states::none_passes(app, list, look).draw(app, upper, buf);
    } else {
        let muted = theme.style(Role::TextMuted);
        let named = |n: usize| members.facts.get(n).map_or("", String::as_str);
        let style = |row: usize, col: &Col, _: &str| {
            let run = rows.run(row);
            let value = |fact: &str| {
                let value = app.tree.device(&run.device).and_then(|device| device.facts.get(fact));
                (Some(value.map_or("-".into(), |value| text::plain(value))), muted)
            };
            match col.name {
                "device" => (None, theme.style(Role::Text)),
                "fact" => value(named(0)),
                "fact2" => value(named(1)),
                "state" => (Some(theme.glyphs.state(run.state).to_string()), theme.state(run.state)),
                "before" => match rows.before(row) {
                    Some(state) => (Some(theme.glyphs.state(state).to_string()), theme.state(state)),
                    None => (Some("-".into()), muted),
                },
                _ => (None, muted),
            }
        };
        let before = triage.before.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default();
        let heads: &[(&'static str, &str)] = &[("fact", named(0)), ("fact2", named(1)), ("before", &before)];
        let longest = members.order.iter().take(200).map(|at| rows.run(*at as usize).name.len()).max().unwrap_or(8);
        let first = Some((longest.clamp(8, 24) as u16).min(inside.width / 2).max(8));
        let key = |row: usize| rows.run(row).device.clone();
        let (order, cursor) = (members.order.as_slice(), members.cursor);
        let (signs, rows) = (&table::no_signs, &rows);
        Table { list, look, rows, order, cursor, focused, first, key: &key, signs, tree: None, heads, style }
            .draw(theme, upper, buf);
    }
    if let Some(group) = triage.group() {
        let lower = Rect { y: upper.bottom(), height: facts, ..inside };
        shared(app, triage, group, lower, buf);
    }
}

/// `5/5`: of the group, and of the base.
fn here(shared: &Shared) -> String {
    format!("{}/{}", text::count(shared.here as u64), text::count(shared.of as u64))
}

fn there(shared: &Shared) -> String {
    format!("{}/{}", text::count(shared.base as u64), text::count(shared.base_of as u64))
}

/// What they have in common, with counts on both sides; where there is room, who they are.
fn shared(app: &App, triage: &Triage, group: &Group, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (strong, muted) = (theme.style(Role::TextStrong), theme.style(Role::TextMuted));
    let wide = app.area.width >= layout::WIDE;
    let lines = triage.fact_lines(wide);
    let facts = if wide { lines.saturating_sub(5) } else { lines };
    let mut y = 1;
    if let (true, 1.., Some((devices, whose))) = (wide, facts, triage.well()) {
        let devices = text::count(devices as u64);
        words(buf, nth(area, y), &format!("what they share (vs the {devices} in {whose})"), muted);
        y += 1;
    }
    let facts = group.shared.iter().take(facts);
    let longest = |side: fn(&Shared) -> String| facts.clone().map(|s| side(s).len()).max().unwrap_or(0);
    let (ours, theirs) = (longest(here), longest(there));
    let lead = usize::from(wide) * 2;
    // the counts of the others say what theirs are worth: in a narrow pane they stand closer
    let long = ours + theirs + "  vs  !".len() + lead + NAME <= usize::from(area.width);
    let telling = facts.clone().any(Shared::explains);
    for shared in facts {
        let (count, base) = (here(shared), there(shared));
        let sign = match (shared.explains(), long || telling) {
            (true, _) => " !",
            (false, true) => "  ",
            (false, false) => "",
        };
        let right = match long {
            true => format!(" {count:>ours$} vs {base:>theirs$}{sign}"),
            false => format!(" {count:>ours$}|{base:>theirs$}{sign}"),
        };
        let room = usize::from(area.width).saturating_sub(text::width(&right) + lead);
        let style = match shared.lift() {
            _ if shared.explains() => strong,
            lift if lift < TELLING => muted,
            _ => theme.style(Role::Text),
        };
        let name = format!("{}{}", " ".repeat(lead), text::clip_middle(&fact(shared), room));
        let name = text::pad(&name, room + lead);
        line(buf, nth(area, y), &Line::from(vec![Span::styled(name, style), Span::styled(right, style)]));
        y += 1;
    }
    if !wide {
        return;
    }
    y += u16::from(lines > 4);
    let copy = chrome::key_of(app, "global", "copy");
    words(buf, nth(area, y), &format!("node set   {copy} copies it"), muted);
    y += 1;
    let (rows, width) = (usize::from(area.height.saturating_sub(y)), area.width.saturating_sub(2));
    // of ten thousand devices no more than is seen
    let seen: String = named(&group.devices).chars().take(rows * usize::from(width)).collect();
    for row in fold(&text::plain(&seen), usize::from(width)).into_iter().take(rows) {
        words(buf, Rect { x: area.x + 2, width, ..nth(area, y) }, &row, theme.style(Role::Text));
        y += 1;
    }
}

/// The node set without its connection, where there is one for all.
fn named(devices: &str) -> &str {
    match devices.split_once(':') {
        Some((_, names)) if !names.contains(':') => names,
        _ => devices,
    }
}
