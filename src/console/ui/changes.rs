//! A job beside another one: how many devices changed how, which they are, and which groups came and went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cells::{line, nth, pane, words};
use super::states::Said;
use super::table::{self, Table};
use super::{chrome, states};
use crate::console::app::changes::{Changes, Shifts};
use crate::console::app::columns::{self, Col};
use crate::console::app::list::ListId;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::compare::{Against, Changed, Way};

/// Devices of one job alone are named where that takes no more room.
const FEW: usize = 20;

pub fn draw(app: &App, buf: &mut Buffer) {
    let Some(changes) = &app.changes else { return };
    let list = ListId::Changes;
    let area = layout::strips(app.area).body;
    let left = changes.answer.as_ref().map(|against| against.left).or(changes.other);
    let more = match left {
        Some(left) => format!("job {left} -> job {}", changes.job),
        None => format!("job {} with the one before it", changes.job),
    };
    let foot = table::foot(app, list, changes.cursor.at, changes.order.len(), area.width);
    let head = table::head(app, list, "", "Compare", &more, area.width);
    let inside = pane(app, buf, area, head, &foot, true);
    let Some(against) = &changes.answer else {
        return waiting(app, changes).draw(app, inside, buf);
    };
    summary(app, changes, against, nth(inside, 0), buf);
    let below = layout::changes_below(area, against.groups.len());
    let upper = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1 + below), ..inside };
    if against.shifts.is_empty() {
        nobody(app, changes).draw(app, upper, buf);
    } else if changes.order.is_empty() {
        states::none_passes(app, list, &changes.look).draw(app, upper, buf);
    } else {
        rows(app, changes, against, upper, buf);
    }
    let lower = Rect { y: upper.bottom(), height: below, ..inside };
    groups(app, against, lower, buf);
}

fn waiting(app: &App, changes: &Changes) -> Said {
    let back = chrome::key_of(app, "global", "back");
    match &changes.problem {
        Some(why) => Said::wrong(
            why.clone(),
            format!(
                "{} asks again, {back} leads back; {} marks the job to compare with",
                chrome::key_of(app, "global", "refresh"),
                chrome::key_of(app, "list", "mark")
            ),
        ),
        None => Said::so(format!("comparing the jobs…{}", states::since(app)), format!("{back} leads back")),
    }
}

fn nobody(app: &App, changes: &Changes) -> Said {
    let so = match changes.both {
        0 => "No device has ended in both jobs: none can be compared.",
        _ => "Every device of both ended as it did before, and well.",
    };
    let (back, mark) = (chrome::key_of(app, "global", "back"), chrome::key_of(app, "list", "mark"));
    Said::so(so, format!("{back} leads back; {mark} marks another job to compare with"))
}

/// `broke 3   fixed 5   only in 11: 2`
fn summary(app: &App, changes: &Changes, against: &Against, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let mut spans: Vec<Span<'_>> = Vec::new();
    for (word, count) in changes.counts() {
        spans.push(Span::styled(format!("{word} "), theme.style(Role::TextMuted)));
        spans.push(Span::styled(format!("{}   ", text::count(count as u64)), theme.style(role(word))));
    }
    let alone =
        [(against.left, changes.alone.0, &against.only_left), (against.right, changes.alone.1, &against.only_right)];
    for (job, count, devices) in alone {
        if !devices.is_empty() {
            let few = if text::width(devices) <= FEW { text::plain(devices) } else { text::count(count as u64) };
            spans.push(Span::styled(format!("only in {job}: "), theme.style(Role::TextMuted)));
            spans.push(Span::styled(format!("{few}   "), theme.style(Role::Text)));
        }
    }
    if app.running().any(|job| job.id == against.left || job.id == against.right) {
        let again = chrome::key_of(app, "global", "refresh");
        spans.push(Span::styled(format!("one still runs: {again} compares again"), theme.style(Role::StateRunning)));
    }
    if spans.is_empty() {
        spans.push(Span::styled("nothing changed", theme.style(Role::TextMuted)));
    }
    line(buf, area, &Line::from(spans));
}

fn role(word: &str) -> Role {
    match word {
        "broke" => Role::StateFailed,
        "fixed" => Role::StateOk,
        _ => Role::TextStrong,
    }
}

fn rows(app: &App, changes: &Changes, against: &Against, area: Rect, buf: &mut Buffer) {
    let (theme, list) = (&app.theme, ListId::Changes);
    let rows = &Shifts { all: &against.shifts };
    let wide = columns::wide(list, area.width.saturating_sub(2));
    let style = |row: usize, col: &Col, _: &str| {
        let shift = &against.shifts[row];
        match col.name {
            "device" => (None, theme.style(Role::Text)),
            "change" => (None, theme.style(role(shift.word()))),
            "was" => (Some(ended(theme, &shift.from, wide)), theme.state(shift.from.state)),
            "is" => (Some(ended(theme, &shift.to, wide)), theme.state(shift.to.state)),
            "says" => {
                let said = if shift.says.is_empty() { "(said nothing)".into() } else { text::plain(&shift.says) };
                (Some(said), theme.style(Role::Text))
            }
            _ => (None, theme.style(Role::TextMuted)),
        }
    };
    let (was, is) = (format!("in {}", against.left), format!("in {}", against.right));
    let heads: &[(&'static str, &str)] = &[("was", &was), ("is", &is)];
    let longest = changes.order.iter().take(200).map(|at| text::width(&against.shifts[*at as usize].name)).max();
    let first = Some((longest.unwrap_or(8).clamp(8, 28) as u16).min(area.width / 2).max(8));
    let key = |row: usize| against.shifts[row].device.clone();
    let (look, order, cursor, signs) = (&changes.look, changes.order.as_slice(), changes.cursor, &table::no_signs);
    let focused = table::focused(app, list);
    Table { list, look, rows, order, cursor, focused, first, key: &key, signs, tree: None, heads, style }
        .draw(theme, area, buf);
}

/// `x 69`, or where there is room `x failed 69`
fn ended(theme: &Theme, way: &Way, wide: bool) -> String {
    let code = way.exit_code.map_or_else(String::new, |code| format!(" {code}"));
    let word = if wide { format!(" {}", way.state.word()) } else { String::new() };
    format!("{}{word}{code}", theme.glyphs.state(way.state))
}

/// Which groups came and went, what wants to be looked at first.
fn groups(app: &App, against: &Against, area: Rect, buf: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let theme = &app.theme;
    let heading = format!("groups      {:>7} -> {}", against.left, against.right);
    words(buf, nth(area, 1), &heading, theme.style(Role::TextMuted));
    let told = |group: &&Changed| group.word() != "same";
    for (n, group) in against.groups.iter().filter(told).enumerate() {
        let says = if group.says.is_empty() { "(said nothing)".to_owned() } else { text::plain(&group.says) };
        let code = group.exit_code.map_or_else(String::new, |code| format!(" {code}"));
        let spans = vec![
            Span::styled(text::pad(group.word(), 12), theme.style(Role::TextStrong)),
            Span::styled(format!("{:>7} -> {:<7}", group.left, group.right), theme.style(Role::Text)),
            Span::styled(format!("{}{code}  ", theme.glyphs.state(group.state)), theme.state(group.state)),
            Span::styled(says, theme.style(Role::Text)),
        ];
        line(buf, nth(area, n as u16 + 2), &Line::from(spans));
    }
}
