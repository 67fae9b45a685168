//! What a search over past jobs has found, the newest first; the row under the cursor whole, below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{self, nth, pane, words};
use super::states::Said;
use super::table::{self, Table};
use super::{chrome, states};
use crate::console::app::columns::{self, Col};
use crate::console::app::list::ListId;
use crate::console::app::past::{Found, Seek, State, key};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::past::Hit;
use crate::model::state::RunState;

pub fn draw(app: &App, buf: &mut Buffer) {
    let Some(seek) = &app.past else { return };
    let list = ListId::Found;
    let area = layout::strips(app.area).body;
    let (name, of) = match &seek.where_used {
        Some(of) => ("Where used", text::plain(of)),
        None => ("Search", text::plain(&seek.words)),
    };
    let says = seek.says();
    let foot = table::foot(app, list, seek.cursor.at, seek.order.len(), area.width);
    let foot = match usize::from(area.width) > text::width(&foot) + text::width(&says) + 8 {
        true => format!("{says}  {foot}"),
        false => foot,
    };
    let room = usize::from(area.width).saturating_sub(name.len() + 6);
    let head = table::head(app, list, "", name, &text::clip(&of, room), area.width);
    let inside = pane(app, buf, area, head, &foot, true);
    if seek.hits.is_empty() {
        let mentions = mentions(app, seek, Rect { height: inside.height / 2, ..inside }, buf);
        let below = Rect { y: inside.y + mentions, height: inside.height - mentions, ..inside };
        return nothing(app, seek).draw(app, below, buf);
    }
    let below = layout::found_below(area);
    let upper = Rect { height: inside.height.saturating_sub(below), ..inside };
    if seek.order.is_empty() {
        states::none_passes(app, list, &seek.look).draw(app, upper, buf);
    } else {
        rows(app, seek, upper, buf);
    }
    if let Some(hit) = seek.hit().filter(|_| below > 0) {
        let lower = Rect { y: upper.bottom() + 1, height: below - 1, ..inside };
        let used = details(app, seek, hit, lower, buf);
        mentions(app, seek, Rect { y: lower.y + used, height: lower.height.saturating_sub(used), ..lower }, buf);
    }
}

fn rows(app: &App, seek: &Seek, area: Rect, buf: &mut Buffer) {
    let (theme, list) = (&app.theme, ListId::Found);
    let rows = &Found { all: &seek.hits, now: app.now };
    let muted = theme.style(Role::TextMuted);
    let wide = columns::wide(list, area.width.saturating_sub(2));
    let style = |row: usize, col: &Col, _: &str| {
        let hit = &seek.hits[row];
        let look = theme.state(hit.state);
        match col.name {
            "job" => (None, theme.style(Role::TextStrong)),
            "device" | "script" => (None, theme.style(Role::Text)),
            "state" => {
                let sign = theme.glyphs.state(hit.state);
                (Some(if wide { format!("{sign} {}", hit.state.word()) } else { sign.to_string() }), look)
            }
            "rc" => (Some(hit.exit_code.map_or("-".into(), |code| code.to_string())), look),
            "says" => match rows.devices(row) {
                Some(_) => (Some(counted(hit)), muted),
                None => (None, theme.style(Role::Text)),
            },
            _ => (None, muted),
        }
    };
    let lines = if seek.asked.text.is_some() { "lines" } else { "" };
    let says = if seek.asked.text.is_some() { "line that matches" } else { "last line" };
    let heads: &[(&'static str, &str)] = &[("lines", lines), ("says", says)];
    let longest = seek.order.iter().take(200).map(|at| seek.hits[*at as usize].job.to_string().len()).max();
    let first = Some(longest.unwrap_or(3).max(3) as u16);
    let by = |row: usize| key(&seek.hits[row]);
    let (look, order, cursor, signs) = (&seek.look, seek.order.as_slice(), seek.cursor, &table::no_signs);
    let focused = table::focused(app, list);
    Table { list, look, rows, order, cursor, focused, first, key: &by, signs, tree: None, heads, style }
        .draw(theme, area, buf);
}

/// `10 ok, 2 failed`
fn counted(hit: &Hit) -> String {
    let counts = hit.counts.unwrap_or_default();
    let mut states = RunState::ALL;
    states.sort_by_key(|state| state.rank());
    let some = states.into_iter().filter(|state| counts.get(*state) > 0);
    some.map(|state| format!("{} {}", text::count(u64::from(counts.get(state))), state.word()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The row under the cursor, whole; how many rows that took.
fn details(app: &App, seek: &Seek, hit: &Hit, area: Rect, buf: &mut Buffer) -> u16 {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let when = hit.at.to_zoned(app.place.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let code = hit.exit_code.map_or_else(String::new, |code| format!(" {code}"));
    let what = match hit.counts.filter(|counts| counts.total() > 1) {
        Some(_) => format!("{}; the worst: {} {}{code}", counted(hit), text::plain(&hit.name), hit.state.word()),
        None => format!("{} {}{code}", text::plain(&hit.device), hit.state.word()),
    };
    let version = app.version_word(&hit.script, &hit.version);
    let facts = format!(
        "job {} {} {version}, launched {when} by {}: {what}{}",
        hit.job,
        text::plain(&hit.script),
        text::plain(&hit.by),
        hit.signature.as_ref().map_or_else(String::new, |name| format!(", {}", text::plain(name))),
    );
    let mut used = cells::paragraph(buf, area, &facts, muted);
    let rest = |used: u16| Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    let said = match hit.line {
        Some(line) => {
            let more =
                if hit.lines > 1 { format!(" (1 of {} that match)", text::count(hit.lines)) } else { String::new() };
            format!("line {}{more}: {}", text::count(line.number + 1), text::plain(&hit.says))
        }
        None => text::plain(&hit.says),
    };
    if !said.is_empty() && seek.order.len() > seek.cursor.at {
        used += cells::paragraph(buf, rest(used), &said, theme.style(Role::Text));
    }
    used
}

/// What is kept and names it; how many rows that took.
fn mentions(app: &App, seek: &Seek, area: Rect, buf: &mut Buffer) -> u16 {
    let muted = app.theme.style(Role::TextMuted);
    for (n, mention) in seek.mentions.iter().enumerate().take(usize::from(area.height)) {
        let said = format!(
            "also in the {} {}: {}",
            text::plain(&mention.what),
            text::plain(&mention.name),
            text::plain(&mention.says)
        );
        words(buf, nth(area, n as u16), &said, muted);
    }
    u16::try_from(seek.mentions.len()).unwrap_or(u16::MAX).min(area.height)
}

/// Nothing found, or not yet.
fn nothing(app: &App, seek: &Seek) -> Said {
    let (back, again) = (chrome::key_of(app, "global", "back"), chrome::key_of(app, "past", "edit-search"));
    let refresh = chrome::key_of(app, "global", "refresh");
    match &seek.state {
        State::Going => Said::so(
            format!("{}…", seek.says().trim_end_matches('…')),
            format!("{back} stops it; what is found stands here at once"),
        ),
        State::Stopped => Said::so(
            format!("Stopped before anything was found ({}).", seek.far()),
            format!("{refresh} searches again, {again} changes what is sought, {back} leads back"),
        ),
        State::Failed(why) => Said::wrong(
            why.clone(),
            format!("{again} changes what is sought, {refresh} tries again, {back} leads back"),
        ),
        State::Ended(end) if end.late => Said::wrong(
            format!("Given up, it took too long ({}).", seek.far()),
            format!("{again} narrows it: --since 7d, --script NAME, --device EXPR"),
        ),
        State::Ended(_) => match &seek.where_used {
            Some(of) => Said::so(
                format!("No job that is kept touched {of}."),
                format!("{back} leads back; jobs are kept as long as the configuration says (keep_days)"),
            ),
            None => Said::so(
                format!(
                    "Nothing fits{}.",
                    if seek.far().is_empty() { String::new() } else { format!(" in {}", seek.far()) }
                ),
                match app.device_among(&seek.asked) {
                    Some(advice) => {
                        format!("{}; {again} changes what is sought, {back} leads back", text::plain(&advice))
                    }
                    None => format!(
                        "{again} changes what is sought: fewer words find more; case counts where there is a capital letter; {back} leads back"
                    ),
                },
            ),
        },
    }
}
