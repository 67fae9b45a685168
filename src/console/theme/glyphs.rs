//! The signs on the screen, in line-drawing or in plain ASCII (screens.md section 10). Every sign is one cell wide
//! in every terminal: no emoji, no circled digits, no private-use icons.

use ratatui::symbols::{border, line};

use crate::model::state::RunState;

/// Which signs the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glyphs {
    pub ascii: bool,
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const ASCII_FOCUS: border::Set<'static> = border::Set { horizontal_top: "=", horizontal_bottom: "=", ..ASCII_BORDER };

const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 8] = ['_', '.', '-', '=', '+', '*', '#', '#'];

impl Glyphs {
    pub const fn new(ascii: bool) -> Self {
        Self { ascii }
    }

    const fn pick<T: Copy>(self, ascii: T, drawn: T) -> T {
        if self.ascii { ascii } else { drawn }
    }

    pub const fn state(self, state: RunState) -> char {
        match state {
            RunState::Queued => '.',
            RunState::Sent => '>',
            RunState::Running => '~',
            RunState::Ok => self.pick('+', '✓'),
            RunState::Failed => self.pick('x', '✗'),
            RunState::Timeout => 'T',
            RunState::Offline => '-',
            RunState::Cancelled => 'c',
            RunState::Skipped => 's',
        }
    }

    /// Of a device on which no script can run.
    pub const fn idle(self) -> char {
        self.pick('#', '∅')
    }

    pub const fn border(self) -> border::Set<'static> {
        self.pick(ASCII_BORDER, border::PLAIN)
    }

    /// A focused pane differs by shape, not by colour alone.
    pub const fn border_focus(self) -> border::Set<'static> {
        self.pick(ASCII_FOCUS, border::DOUBLE)
    }

    pub const fn borders(self, focused: bool) -> border::Set<'static> {
        if focused { self.border_focus() } else { self.border() }
    }

    pub const fn vertical(self) -> &'static str {
        self.pick("|", line::VERTICAL)
    }

    pub const fn horizontal(self) -> &'static str {
        self.pick("-", line::HORIZONTAL)
    }

    /// In front of a child that has younger siblings.
    pub const fn branch(self) -> &'static str {
        self.pick("|-", "├─")
    }

    /// In front of the last child.
    pub const fn branch_last(self) -> &'static str {
        self.pick("`-", "└─")
    }

    /// Below a parent that has younger siblings.
    pub const fn branch_through(self) -> &'static str {
        self.pick("| ", "│ ")
    }

    pub const fn collapsed(self) -> char {
        self.pick('+', '▸')
    }

    pub const fn expanded(self) -> char {
        self.pick('-', '▾')
    }

    /// In front of the selected row.
    pub const fn cursor(self) -> char {
        '>'
    }

    pub const fn mark(self) -> &'static str {
        "[x]"
    }

    pub const fn unmarked(self) -> &'static str {
        "[ ]"
    }

    pub const fn ellipsis(self) -> char {
        self.pick('~', '…')
    }

    pub const fn check(self) -> char {
        self.pick('+', '✓')
    }

    pub const fn cross(self) -> char {
        self.pick('x', '✗')
    }

    pub const fn dot(self) -> char {
        self.pick('-', '·')
    }

    /// A filled bar of `part` out of `whole`, exactly `width` cells: what is filled, what is not.
    /// Anything above nothing shows, and only the whole fills the last cell.
    pub fn gauge(self, part: u64, whole: u64, width: u16) -> (String, String) {
        let steps: u64 = if self.ascii { 1 } else { 8 };
        let cells = u64::from(width);
        let all = cells * steps;
        let mut filled =
            if whole == 0 { 0 } else { (u128::from(part.min(whole)) * u128::from(all) / u128::from(whole)) as u64 };
        if part > 0 && whole > 0 && all > 0 {
            filled = filled.max(1);
            if part < whole {
                filled = filled.min(all.saturating_sub(1)).max(u64::from(all == 1));
            }
        }
        let mut fill: String = (0..filled / steps).map(|_| self.pick('#', '█')).collect();
        let mut used = filled / steps;
        if !filled.is_multiple_of(steps) {
            fill.push(EIGHTHS[(filled % steps) as usize]);
            used += 1;
        }
        let rest = (used..cells).map(|_| self.pick('.', '·')).collect();
        (fill, rest)
    }

    /// One bar a value, the tallest for the largest.
    pub fn sparkline(self, values: &[u64]) -> String {
        let top = values.iter().copied().max().unwrap_or(0);
        let bars = self.pick(&ASCII_BARS, &BARS);
        values
            .iter()
            .map(|&value| match top {
                0 => bars[0],
                _ => bars[(u128::from(value) * 7).div_ceil(u128::from(top)) as usize],
            })
            .collect()
    }
}

/// What an ASCII terminal shows for a sign it does not have. Our own signs get their twin of the table,
/// anything else (a device's text) a question mark.
pub const fn ascii_twin(sign: char) -> char {
    match sign {
        ' '..='~' => sign,
        '…' => '~',
        '✓' => '+',
        '✗' => 'x',
        '·' | '•' => '.',
        '─' | '━' | '–' | '—' => '-',
        '═' => '=',
        '│' | '║' | '┃' | '├' | '┤' | '╟' | '╢' => '|',
        '└' => '`',
        '┌'..='╬' => '+',
        '▁' => '_',
        '▂' => '.',
        '▃' => '-',
        '▄' => '=',
        '▅' => '+',
        '▆' => '*',
        '▇'..='▌' | '∅' => '#',
        '▍'..='▏' => '.',
        '▸' => '+',
        '▾' => '-',
        '→' => '>',
        '←' => '<',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '\u{a0}' => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthChar;

    #[test]
    fn every_state_has_its_own_sign_in_both_sets() {
        for ascii in [true, false] {
            let signs: std::collections::BTreeSet<char> =
                RunState::ALL.iter().map(|&state| Glyphs::new(ascii).state(state)).collect();
            assert_eq!(signs.len(), RunState::ALL.len());
        }
    }

    #[test]
    fn ascii_means_ascii() {
        let glyphs = Glyphs::new(true);
        for state in RunState::ALL {
            assert!(glyphs.state(state).is_ascii());
        }
        let set = glyphs.border_focus();
        for text in [set.top_left, set.horizontal_top, set.vertical_left, glyphs.branch(), glyphs.branch_last()] {
            assert!(text.is_ascii());
        }
        let (fill, rest) = glyphs.gauge(1, 3, 9);
        assert_eq!((fill.as_str(), rest.as_str()), ("###", "......"));
        assert!(glyphs.sparkline(&[0, 3, 9]).is_ascii());
    }

    #[test]
    fn every_drawn_sign_has_a_twin_of_one_cell() {
        let glyphs = Glyphs::new(false);
        let (fill, rest) = glyphs.gauge(5, 11, 13);
        let drawn = [
            glyphs.branch(),
            glyphs.branch_last(),
            glyphs.branch_through(),
            &fill,
            &rest,
            &glyphs.sparkline(&[0, 1, 2, 3, 4, 5, 6, 7]),
            glyphs.border_focus().top_left,
            &[glyphs.check(), glyphs.cross(), glyphs.ellipsis(), glyphs.collapsed(), glyphs.expanded(), glyphs.idle()]
                .iter()
                .collect::<String>(),
        ]
        .concat();
        for sign in drawn.chars() {
            assert_eq!(sign.width(), Some(1), "{sign}");
            assert_ne!(ascii_twin(sign), '?', "{sign}");
        }
    }

    #[test]
    fn a_gauge_is_full_only_when_all_is_done_and_empty_only_when_nothing_is() {
        let glyphs = Glyphs::new(false);
        for (part, whole, width) in [(0, 10, 8), (1, 1000, 8), (999, 1000, 8), (10, 10, 8), (0, 0, 8), (5, 9, 1)] {
            let (fill, rest) = glyphs.gauge(part, whole, width);
            assert_eq!(fill.chars().count() + rest.chars().count(), usize::from(width));
            assert_eq!(fill.is_empty(), part == 0, "{part}/{whole}");
            assert_eq!(rest.is_empty() && !fill.contains(|c| c != '█'), part == whole && whole > 0, "{part}/{whole}");
        }
    }
}
