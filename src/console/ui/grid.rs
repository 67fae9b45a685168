//! The grid: each device has a place that it keeps, so that the eye sees movement. Where there are more devices
//! than cells, a cell stands for several and shows the worst.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::cells::{line, nth, pane, title};
use super::gauge;
use crate::console::app::grid::{By, REACHED};
use crate::console::app::live::took_ms;
use crate::console::app::{App, Live, LivePane};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::Job;

pub fn draw(app: &App, live: &Live, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = live.focus == LivePane::Grid && app.layers.is_empty();
    let grid = &live.grid;
    let each = grid.each.max(1);
    let mut more = if each > 1 { format!("1 cell = {each}, worst shown") } else { "1 cell = 1 device".into() };
    if live.grid_by != By::Order {
        let each = if each > 1 { format!("   1 cell = {each}") } else { String::new() };
        let values = text::number(grid.groups as u64, "value");
        more = format!("by {}, {values}{each}", text::plain(live.grid_by.word()));
    }
    if live.grid_by == By::Order && job.summary.progress.rings > 1 {
        more.push_str(", in ring order");
    }
    let by = format!("{} group by", app.key_of("job", "grid-by"));
    let inside = pane(app, buf, area, title(theme, "1", "Grid", &more), &by, focused);
    let muted = theme.style(Role::TextMuted);
    for (n, row) in grid.rows.iter().take(usize::from(inside.height)).enumerate() {
        let place = nth(inside, n as u16);
        if let Some((name, count)) = &row.label {
            let count = count.to_string();
            let room = usize::from(grid.labels).saturating_sub(count.len() + 2);
            let label = format!("{} {count}", text::pad(&text::plain(name), room));
            buf.set_stringn(place.x, place.y, label, usize::from(grid.labels), muted);
        }
        for (at, cell) in row.cells.iter().enumerate() {
            let x = place.x + grid.labels + at as u16;
            if x >= inside.right() {
                break;
            }
            let states = cell.iter().filter_map(|run| job.runs.get(*run as usize)).map(|run| run.state);
            let Some(worst) = states.min_by_key(|state| state.rank()) else { continue };
            let mut style = theme.state(worst);
            if cell.contains(&live.chosen) {
                style = style.add_modifier(if focused { Modifier::REVERSED } else { Modifier::UNDERLINED });
            }
            buf[(x, place.y)].set_char(theme.glyphs.state(worst)).set_style(style);
        }
    }
    let used = grid.rows.len() as u16;
    if inside.height < used + 2 || inside.height <= 4 {
        return;
    }
    // Which device the chosen cell is, and what the signs mean.
    if let Some(run) = job.runs.get(live.chosen as usize) {
        let mut spans = vec![Span::styled(text::plain(&run.name), theme.style(Role::TextStrong))];
        let code = run.exit_code.filter(|_| run.state.bad()).map_or_else(String::new, |code| format!(" rc {code}"));
        spans.push(Span::styled(format!("  {}{code}", run.state.word()), theme.state(run.state)));
        if let Some(ms) = took_ms(run, app.now) {
            let ms = ms.unsigned_abs();
            let ms = if run.state.ended() { ms } else { ms / 1000 * 1000 };
            spans.push(Span::styled(format!("  {}", text::took(ms)), muted));
        }
        let others = grid.find(live.chosen).map_or(0, |(y, x)| grid.rows[y].cells[x].len() - 1);
        if others > 0 {
            spans.push(Span::styled(format!("  and {others} more"), muted));
        }
        let device = app.tree.device(&run.device);
        let telling =
            device.into_iter().flat_map(|device| &device.facts).filter(|(fact, _)| !REACHED.contains(&fact.as_str()));
        for (fact, value) in telling.take(2) {
            spans.push(Span::styled(format!("  {} {}", text::plain(fact), text::plain(value)), muted));
        }
        line(buf, Rect { y: inside.bottom() - 2, height: 1, ..inside }, &Line::from(spans));
    }
    let legend = |short: bool| {
        let shown = gauge::ORDER.into_iter().filter(|state| job.summary.counts.get(*state) > 0);
        Line::from_iter(shown.flat_map(|state| {
            [
                Span::styled(theme.glyphs.state(state).to_string(), theme.state(state)),
                Span::styled(
                    if short {
                        format!("{} ", gauge::word(state, true))
                    } else {
                        format!(" {}  ", gauge::word(state, false))
                    },
                    muted,
                ),
            ]
        }))
    };
    let whole = legend(false);
    let short = text::line_width(&whole) > usize::from(inside.width);
    line(buf, Rect { y: inside.bottom() - 1, height: 1, ..inside }, &if short { legend(true) } else { whole });
}
