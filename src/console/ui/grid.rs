//! The grid: each device has a place that it keeps, so that the eye sees movement. Where there are more devices
//! than cells, a cell stands for several and shows the worst.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::cells::{line, pane, title};
use crate::console::app::{App, Live, LivePane, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::Job;
use crate::model::state::RunState;

const LEGEND: [RunState; 7] = [
    RunState::Queued,
    RunState::Sent,
    RunState::Running,
    RunState::Ok,
    RunState::Failed,
    RunState::Timeout,
    RunState::Offline,
];

pub fn draw(app: &App, live: &Live, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = live.focus == LivePane::Grid && app.layers.is_empty();
    let (across, rows) = layout::grid_cells(area);
    let each = job.runs.len().div_ceil((across * rows).max(1)).max(1);
    let more = if each > 1 { format!("1 cell = {each}, worst shown") } else { "1 cell = 1 device".into() };
    let inside = pane(app, buf, area, title(theme, "1", "Grid", &more), "", focused);
    let chosen = live.chosen as usize / each;
    for (cell, runs) in job.runs.chunks(each).enumerate() {
        let (x, y) = (inside.x + (cell % across) as u16, inside.y + (cell / across) as u16);
        if y >= inside.bottom() || x >= inside.right() {
            break;
        }
        let Some(worst) = runs.iter().map(|run| run.state).min_by_key(|state| state.rank()) else { continue };
        let mut style = theme.state(worst);
        if cell == chosen {
            style = style.add_modifier(if focused { Modifier::REVERSED } else { Modifier::UNDERLINED });
        }
        buf[(x, y)].set_char(theme.glyphs.state(worst)).set_style(style);
    }
    let used = job.runs.len().div_ceil(each).div_ceil(across) as u16;
    if inside.height >= used + 2 && inside.height > 4 {
        // Which device the chosen cell is, and what the signs mean.
        if let Some(run) = job.runs.get(chosen * each) {
            let mut spans = vec![
                Span::styled(text::plain(&run.name), theme.style(Role::TextStrong)),
                Span::styled(format!("  {}", run.state.word()), theme.state(run.state)),
            ];
            if each > 1 {
                spans.push(Span::styled(format!("  and {} more", each - 1), theme.style(Role::TextMuted)));
            }
            line(buf, Rect { y: inside.bottom() - 2, height: 1, ..inside }, &Line::from(spans));
        }
        let mut spans = Vec::new();
        let wide = inside.width >= 62;
        for state in LEGEND {
            spans.push(Span::styled(theme.glyphs.state(state).to_string(), theme.state(state)));
            let word = match state {
                _ if wide => state.word(),
                RunState::Queued => "queue",
                RunState::Running => "run",
                RunState::Failed => "bad",
                RunState::Timeout | RunState::Offline => {
                    spans.pop();
                    continue;
                }
                state => state.word(),
            };
            spans.push(Span::styled(format!(" {word}  "), theme.style(Role::TextMuted)));
        }
        line(buf, Rect { y: inside.bottom() - 1, height: 1, ..inside }, &Line::from(spans));
    }
}
