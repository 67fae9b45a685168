//! Progress as a bar, a cell at a time coloured and lettered by state: what is done, what went wrong, what runs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::console::theme::{Role, Theme};
use crate::model::state::{Counts, RunState};

/// Left to right, here and wherever states stand side by side: done, wrong, going on, to come.
pub const ORDER: [RunState; 9] = [
    RunState::Ok,
    RunState::Failed,
    RunState::Timeout,
    RunState::Offline,
    RunState::Cancelled,
    RunState::Skipped,
    RunState::Running,
    RunState::Sent,
    RunState::Queued,
];

/// A state in a word, or in half of one.
pub const fn word(state: RunState, short: bool) -> &'static str {
    match state {
        RunState::Running if short => "run",
        RunState::Queued if short => "queue",
        RunState::Failed if short => "fail",
        RunState::Timeout if short => "time",
        RunState::Offline if short => "off",
        RunState::Cancelled if short => "canc",
        RunState::Skipped if short => "skip",
        state => state.word(),
    }
}

pub fn percent(counts: &Counts) -> u32 {
    match counts.total() {
        0 => 0,
        total => (u64::from(counts.ended()) * 100 / u64::from(total)) as u32,
    }
}

/// `[██████✗✗~~~>>......]  61%`
pub fn draw(theme: &Theme, counts: &Counts, area: Rect, buf: &mut Buffer) {
    if area.width < 12 || area.height == 0 {
        return;
    }
    let bar = area.width - 7;
    let muted = theme.style(Role::TextMuted);
    buf.set_string(area.x, area.y, "[", muted);
    let mut x = area.x + 1;
    for (state, cells) in shares(counts, bar) {
        let sign = match state {
            RunState::Ok if !theme.glyphs.ascii => '█',
            _ => theme.glyphs.state(state),
        };
        let style: Style = if state == RunState::Queued { theme.style(Role::GaugeRest) } else { theme.state(state) };
        for _ in 0..cells {
            buf[(x, area.y)].set_char(sign).set_style(style);
            x += 1;
        }
    }
    buf.set_string(area.x + 1 + bar, area.y, "]", muted);
    buf.set_string(area.x + bar + 2, area.y, format!("{:>4}%", percent(counts)), theme.style(Role::TextStrong));
}

/// Cells for each state: in proportion, at least one for a state that has any run.
fn shares(counts: &Counts, width: u16) -> Vec<(RunState, u16)> {
    let total = u64::from(counts.total());
    let present: Vec<RunState> = ORDER.into_iter().filter(|state| counts.get(*state) > 0).collect();
    if total == 0 || present.len() > usize::from(width) {
        return Vec::new();
    }
    let mut shares: Vec<(RunState, u16)> = present
        .into_iter()
        .map(|state| (state, ((u64::from(counts.get(state)) * u64::from(width) / total) as u16).max(1)))
        .collect();
    // Rounding is settled with the largest share.
    loop {
        let sum: u16 = shares.iter().map(|(_, cells)| cells).sum();
        let Some(largest) = shares.iter_mut().max_by_key(|(_, cells)| *cells) else { break };
        match sum.cmp(&width) {
            std::cmp::Ordering::Less => largest.1 += width - sum,
            std::cmp::Ordering::Greater => largest.1 -= 1,
            std::cmp::Ordering::Equal => break,
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_and_hides_no_state() {
        for width in [9, 10, 40, 133] {
            let counts = Counts { ok: 9_990, failed: 1, offline: 1, running: 8, ..Counts::default() };
            let shares = shares(&counts, width);
            assert_eq!(shares.iter().map(|(_, n)| n).sum::<u16>(), width);
            assert!(shares.iter().all(|(_, n)| *n > 0) && shares.len() == 4);
        }
    }
}
