//! Two rows of the groups screen where there is room: when what ended, and on whom the script can be run again.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::app::App;
use crate::console::app::commands::{self, Do};
use crate::console::app::retry::Again;
use crate::console::app::triage::Triage;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::line;
use crate::model::job::Job;

/// What stands before and behind the strip.
const AROUND: usize = 26;

/// `time   10:23 |S0++++++S1S1+++S3+++S1++>   now`
pub fn time(app: &App, triage: &Triage, job: &Job, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let Some(strip) = triage.strip(job, app.now, usize::from(area.width).saturating_sub(AROUND)) else { return };
    let zone = &app.place.zone;
    let mut spans = vec![Span::styled(format!("time   {} |", clock(zone, strip.from)), muted)];
    for stretch in &strip.stretches {
        let (word, style) = match stretch {
            None => (" ".repeat(strip.each), muted),
            Some(stretch) => {
                let sign = theme.glyphs.state(stretch.state).to_string();
                let word = stretch
                    .label
                    .as_ref()
                    .map_or_else(|| sign.repeat(strip.each), |label| text::pad(label, strip.each));
                (word, theme.state(stretch.state))
            }
        };
        spans.push(Span::styled(word, style));
    }
    let end = strip.to.map_or_else(|| "> now".to_owned(), |to| format!("| {}", clock(zone, to)));
    spans.push(Span::styled(end, muted));
    line(buf, area, &Line::from(spans));
}

fn clock(zone: &TimeZone, at: Timestamp) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// As they are called in the row, in its order.
const SETS: [(Again, &str); 7] = [
    (Again::Failed, "failed"),
    (Again::Offline, "offline"),
    (Again::NotStarted, "not started"),
    (Again::TimedOut, "timed out"),
    (Again::Ok, "ok"),
    (Again::Group, "this group"),
    (Again::Marked, "marked"),
];

/// `rerun sets:  f failed 9   o offline 13   …   g this group 5   m marked 0`
pub fn sets(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let waits = app.held.as_ref().and_then(|held| held.job.as_ref()).is_some_and(|job| !job.summary.state.ended());
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    // (what is said of a job that goes on must not push its sets off the screen)
    let mut spans = vec![Span::styled(if waits { "rerun at its end:" } else { "rerun sets:" }, muted)];
    let mut lead = String::new();
    for (again, word) in SETS {
        let found = commands::TABLE.iter().find(|row| row.verb == Do::Retry(again));
        let Some(key) = found.and_then(|row| app.keys_below(row).into_iter().next()) else { continue };
        let count = app.retried(Do::Retry(again)).unwrap_or(0);
        let (first, last) = key.rsplit_once(' ').unwrap_or(("", &key));
        lead = first.to_owned();
        let key = if waits || count == 0 { muted } else { theme.style(Role::KeyDanger) };
        let style = if waits || count == 0 { muted } else { theme.style(Role::Text) };
        spans.push(Span::raw(if spans.len() == 1 { "  " } else { "   " }));
        spans.push(Span::styled(last.to_owned(), key));
        spans.push(Span::styled(format!(" {word} {}", text::count(count)), style));
    }
    let how = if lead.is_empty() || waits { String::new() } else { format!("   {lead} first") };
    spans.push(Span::styled(how, muted));
    line(buf, area, &Line::from(spans));
}
