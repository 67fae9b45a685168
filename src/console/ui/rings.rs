//! The roll-out on the live screen: a strip of the rings and of the failure budget, and the question before something
//! is sent again.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, line, popup};
use super::files::buttons_foot;
use crate::console::app::hold::{Ask, budget};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::job::{Job, JobSummary};
use crate::model::state::{Counts, JobState};

/// `ring 3/4`; empty: the job has none.
pub fn ring(job: &JobSummary) -> String {
    match job.progress.rings {
        0 | 1 => String::new(),
        rings => format!("ring {}/{rings}", job.progress.ring.clamp(1, rings)),
    }
}

/// `rings  1 [done 1/1]  2 [done 11/11]  3 [running 43/55]  4 [waits for you]      budget 9 of 20 (5%)`
pub fn strip(app: &App, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let right = budget_said(theme, job);
    let width = text::line_width(&right) as u16;
    let room = area.width.saturating_sub(if width > 0 { width + 2 } else { 0 });
    let mut spans = Vec::new();
    if job.summary.progress.rings > 1 {
        spans.push(Span::styled("rings", muted));
        let states = job.summary.progress.rings;
        let mut counts = vec![Counts::default(); states as usize];
        for run in &job.runs {
            if let Some(of) = run.ring.checked_sub(1).and_then(|at| counts.get_mut(at as usize)) {
                of.add(run.state);
            }
        }
        for (number, counts) in (1..).zip(&counts) {
            let (word, style) = state(theme, job, number, counts);
            spans.push(Span::styled(format!("   {number} "), theme.style(Role::TextStrong)));
            spans.push(Span::styled(format!("[{word}]"), style));
        }
    }
    line(buf, Rect { width: room, height: 1, ..area }, &Line::from(spans));
    line(buf, Rect { x: area.right().saturating_sub(width), width, height: 1, ..area }, &right);
}

/// What is so of a ring.
fn state(theme: &Theme, job: &Job, ring: u32, counts: &Counts) -> (String, Style) {
    let progress = &job.summary.progress;
    let (total, ended) = (counts.total(), counts.ended());
    let sent = total - counts.queued;
    let bad = if counts.bad() > 0 { format!(", {} bad", counts.bad()) } else { String::new() };
    if progress.asks.as_ref().is_some_and(|asks| asks.ring == ring) {
        return (format!("{total} wait for you"), theme.style(Role::StateSent));
    }
    match (sent, job.summary.state) {
        (0, JobState::Running) => (format!("{total} wait"), theme.style(Role::StateQueued)),
        (0, _) => (format!("{total} not sent"), theme.style(Role::StateSkipped)),
        _ if ended == total => {
            let role = if counts.bad() > 0 { Role::StateFailed } else { Role::StateOk };
            (format!("done {ended}/{total}{bad}"), theme.style(role))
        }
        (_, JobState::Running) => (format!("running {ended}/{total}{bad}"), theme.style(Role::StateRunning)),
        _ => (format!("{ended}/{total}{bad}"), theme.style(Role::StateSkipped)),
    }
}

/// `stop at 20 bad (5%): 9 used`
fn budget_said(theme: &Theme, job: &Job) -> Line<'static> {
    let Some((bad, stop_at, role)) = budget(&job.summary) else { return Line::default() };
    let share = job.rollout.how.max_fail.iter().map(ToString::to_string).find(|amount| amount.ends_with('%'));
    let share = share.map_or_else(String::new, |share| format!(" ({share})"));
    Line::from(vec![
        Span::styled(format!("stop at {stop_at} bad{share}: "), theme.style(Role::TextMuted)),
        Span::styled(format!("{bad} used"), theme.style(role)),
    ])
}

/// Go on? The next ring?
pub fn ask(app: &App, ask: &Ask, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let name = format!("{}  job {}  {}", ask.word, ask.job, text::plain(&ask.script));
    let inside = popup(app, buf, body, &name, &buttons_foot(app), ask.size(body));
    let mut y = 0;
    for said in &ask.says {
        let rest = Rect { y: inside.y + y, height: inside.height.saturating_sub(y + 1), ..inside };
        y += cells::paragraph(buf, rest, &text::plain(said), theme.style(Role::Text));
    }
    let both = [("Cancel", !ask.on_yes, Role::Text), (ask.word.as_str(), ask.on_yes, Role::KeyDanger)];
    cells::buttons(app, buf, layout::last_row(inside), both);
}
