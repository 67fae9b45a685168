//! Pane 1: a row for each group, what wants to be looked at first; below, what is worth a look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::strip;
use crate::console::app::columns::{self, Col};
use crate::console::app::list::{ListId, Sort};
use crate::console::app::triage::Triage;
use crate::console::app::triage::rows::versus;
use crate::console::app::triage::worth::HEADING;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{line, nth, pane};
use crate::console::ui::table::{self, Table};
use crate::console::ui::{chrome, states};
use crate::model::job::Job;
use crate::model::state::RunState;

pub fn draw(app: &App, triage: &Triage, job: &Job, (area, remarks): (Rect, u16), buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, look) = (ListId::Groups, &triage.look);
    let focused = table::focused(app, list);
    let (kind, other) = if triage.shows_exact() { ("identical", "similar") } else { ("similar", "identical") };
    let order = match look.sort {
        Sort { column: 3, reverse: false } => "worst and new first".to_owned(),
        _ => app.sorted_by(list),
    };
    let more = format!("{kind} ({}: {other})  {order}", chrome::key_of(app, "groups", "exact"));
    // what is here stays until what was asked for has come
    let more = if triage.groups.is_some() && triage.waits_for_groups() { format!("{more}  grouping…") } else { more };
    let foot = table::foot(app, list, triage.cursor.at, triage.order.len(), area.width);
    let head = table::head(app, list, "1", "Groups", &more, area.width);
    let inside = pane(app, buf, area, head, &foot, focused);
    if let Some(said) = states::no_groups(app, triage, job) {
        return said.draw(app, inside, buf);
    }
    let Some(rows) = app.group_rows() else { return };
    let upper = Rect { height: inside.height.saturating_sub(remarks), ..inside };
    if triage.order.is_empty() {
        states::none_passes(app, list, look).draw(app, upper, buf);
    } else {
        let muted = theme.style(Role::TextMuted);
        let wide = columns::wide(list, inside.width.saturating_sub(2));
        let style = |row: usize, col: &Col, _: &str| {
            let group = rows.group(row);
            let state = group.map_or(RunState::Running, |group| group.state);
            let look = theme.state(state);
            match col.name {
                "sig" => (None, theme.style(if group.is_some() { Role::TextStrong } else { Role::TextMuted })),
                "dev" => (Some(text::count(rows.devices(row) as u64)), theme.style(Role::Text)),
                "state" if group.is_none() => (Some(theme.glyphs.state(state).to_string()), look),
                "state" => {
                    let sign = theme.glyphs.state(state);
                    (Some(if wide { format!("{sign} {}", state.word()) } else { sign.to_string() }), look)
                }
                "rc" => {
                    (Some(group.and_then(|group| group.exit_code).map_or("-".into(), |code| code.to_string())), look)
                }
                "vs" => {
                    let new = group.is_some_and(|group| group.is_new() && group.state != RunState::Ok);
                    let said = group.map_or_else(|| "-".into(), versus);
                    let said = if wide { said } else { said.replace(' ', "") };
                    (Some(said), if new { theme.style(Role::GroupNew) } else { muted })
                }
                "note" if inside.width < 132 && !triage.rows[row].acked.is_empty() => {
                    (Some(format!("acked {}", triage.rows[row].note)), muted)
                }
                "ack" => (None, theme.style(Role::GroupAcked)),
                "note" => (None, theme.style(Role::Text)),
                "says" if group.is_none() => (None, muted),
                "says" => (None, theme.style(Role::Text)),
                _ => (None, muted),
            }
        };
        let vs = triage.groups.as_ref().and_then(|groups| groups.previous);
        let vs = vs.map_or_else(String::new, |previous| format!("vs {previous}"));
        let key = |row: usize| triage.rows[row].key.clone();
        let says = if wide { "what it says (template)" } else { "what it says" };
        let heads: &[(&'static str, &str)] = &[("vs", &vs), ("says", says)];
        let longest = triage.rows.iter().map(|row| text::width(&row.label)).max().unwrap_or(3) as u16;
        let (signs, first) = (&table::no_signs, Some(longest.max(3)));
        let (order, cursor) = (triage.order.as_slice(), triage.cursor);
        let rows = &rows;
        Table { list, look, rows, order, cursor, focused, first, key: &key, signs, tree: None, heads, style }
            .draw(theme, upper, buf);
    }
    let lower = Rect { y: upper.bottom(), height: remarks, ..inside };
    let used = worth(app, triage, lower, buf);
    if layout::with_sets(app.area) && remarks > used + 1 {
        strip::time(app, triage, job, nth(lower, used + 1), buf);
    }
}

/// `worth a look  S3 new signature      S1 5 of 5 via=proxy-b      fixed since 4805: …`
/// Tells how many rows it takes.
fn worth(app: &App, triage: &Triage, area: Rect, buf: &mut Buffer) -> u16 {
    let theme = &app.theme;
    let lines = triage.remark_lines(usize::from(area.width));
    let rows = lines.len() as u16;
    for (n, remarks) in lines.into_iter().enumerate() {
        let heading = if n == 0 { "worth a look" } else { "" };
        let mut spans = vec![Span::styled(text::pad(heading, HEADING), theme.style(Role::TextMuted))];
        for (at, remark) in remarks.into_iter().enumerate() {
            if at > 0 {
                spans.push(Span::raw("      "));
            }
            if !remark.label.is_empty() {
                spans.push(Span::styled(format!("{} ", remark.label), theme.style(Role::TextStrong)));
            }
            spans.push(Span::styled(remark.says, theme.style(Role::Text)));
        }
        // the first row is the blank between
        line(buf, nth(area, n as u16 + 1), &Line::from(spans));
    }
    rows
}
