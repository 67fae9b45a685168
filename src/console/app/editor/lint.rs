//! What lint says about the text being written: it moves with the lines it is about until it is asked again.

use std::ops::Range;

use jiff::Timestamp;

use super::Editor;
use crate::console::editor::buffer::{Full, Kind, Pos, pos};
use crate::model::script::{Finding, Level, Replacement};

#[derive(Debug, Default)]
pub struct Lint {
    /// In the order of their lines; what concerns the script as a whole first.
    pub findings: Vec<Finding>,
    /// The one that F7 and F8 are on.
    pub at: usize,
    pub problem: Option<String>,
    /// An answer is here, if an old one.
    pub asked: bool,
    /// When it is to be asked again.
    pub(super) due: Option<Timestamp>,
}

impl Lint {
    pub(super) fn set(&mut self, findings: Vec<Finding>) {
        let on = self.findings.get(self.at).map(|finding| (finding.line, finding.code.clone()));
        self.findings = findings;
        self.findings.sort_by_key(|finding| finding.line);
        let same = |finding: &Finding| Some((finding.line, finding.code.clone())) == on;
        self.at = self.findings.iter().position(same).unwrap_or(self.at).min(self.findings.len().saturating_sub(1));
        (self.problem, self.asked) = (None, true);
    }

    /// Rows became others: what is said about them goes along, or away with them.
    pub(super) fn moved(&mut self, old: &Range<usize>, new: &Range<usize>) {
        self.findings.retain_mut(|finding| {
            let Some(row) = (finding.line as usize).checked_sub(1) else { return true };
            if row >= old.end {
                finding.line = u32::try_from(row - old.end + new.end + 1).unwrap_or(u32::MAX);
                finding.fix.clear(); // It says where by line; the next answer says where it is now.
            } else if row >= old.start {
                finding.fix.clear();
                return old.len() == new.len();
            }
            true
        });
        self.at = self.at.min(self.findings.len().saturating_sub(1));
    }

    /// The worst that is said about a row.
    pub fn level(&self, row: usize) -> Option<Level> {
        self.on(row).map(|finding| finding.level).max()
    }

    pub fn on(&self, row: usize) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.line as usize == row + 1)
    }

    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    pub fn current(&self) -> Option<&Finding> {
        self.findings.get(self.at)
    }
}

impl Editor {
    /// To the next finding below the cursor, or above it; round the ends. `None`: there is none at all.
    pub(super) fn next_finding(&mut self, forward: bool) -> Option<Pos> {
        let row = self.buffer.cursor().row + 1;
        let placed = || self.lint.findings.iter().enumerate().filter(|(_, finding)| finding.line > 0);
        let line = |finding: &Finding| finding.line as usize;
        // Several on one line are walked one by one.
        let beside = |n: usize| self.lint.findings.get(n).is_some_and(|other| line(other) == row);
        let on = self.lint.current().is_some_and(|finding| line(finding) == row);
        let found = match forward {
            true if on && beside(self.lint.at + 1) => Some(self.lint.at + 1),
            false if on && self.lint.at > 0 && beside(self.lint.at - 1) => Some(self.lint.at - 1),
            true => placed().find(|(_, finding)| line(finding) > row).or_else(|| placed().next()).map(|(n, _)| n),
            false => {
                let above = placed().rfind(|(_, finding)| line(finding) < row);
                above.or_else(|| placed().next_back()).map(|(n, _)| n)
            }
        }?;
        self.lint.at = found;
        let finding = &self.lint.findings[found];
        Some(pos(line(finding) - 1, self.finding_column(finding)))
    }

    fn finding_column(&self, finding: &Finding) -> usize {
        let row = (finding.line as usize).saturating_sub(1);
        if finding.column > 0 { finding.column as usize - 1 } else { self.first_sign(row) }
    }

    /// The finding that why and fix mean: one of the cursor's line, else the one that F8 was on.
    pub(super) fn finding_here(&self) -> Option<&Finding> {
        let row = self.buffer.cursor().row + 1;
        let current = self.lint.current();
        current.filter(|finding| finding.line as usize == row).or_else(|| self.lint.on(row - 1).next()).or(current)
    }

    /// Which finding stands out in the list.
    pub fn finding_under(&self) -> usize {
        let row = self.buffer.cursor().row + 1;
        let on = |finding: &Finding| finding.line as usize == row;
        match self.lint.current() {
            Some(finding) if on(finding) => self.lint.at,
            _ => self.lint.findings.iter().position(on).unwrap_or(self.lint.at),
        }
    }

    /// Does what lint proposes, all of it at one step.
    pub(super) fn apply(&mut self, fix: &[Replacement]) -> Result<(), Full> {
        let place = |line: u32, column: u32| {
            let row = (line as usize).saturating_sub(1);
            pos(row, (column as usize).saturating_sub(1))
        };
        let at = self.buffer.cursor();
        let before = self.buffer.width(at.row);
        // They come in the order in which none moves the place of another.
        for piece in fix {
            let (from, to) = (place(piece.line, piece.column), place(piece.end_line, piece.end_column));
            self.buffer.splice(from, to, &piece.text)?;
        }
        self.buffer.close(Kind::Other);
        let after = self.buffer.width(at.row);
        self.buffer.go(self.buffer.near(pos(at.row, (at.col + after).saturating_sub(before))), false);
        Ok(())
    }
}

/// Where more is written about a finding.
pub fn page(code: &str) -> Option<String> {
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    if code.strip_prefix("SC").is_some_and(digits) {
        return Some(format!("https://www.shellcheck.net/wiki/{code}"));
    }
    let family = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let ruff = family.len() < code.len() && !family.is_empty() && family.bytes().all(|byte| byte.is_ascii_uppercase());
    ruff.then(|| format!("https://docs.astral.sh/ruff/rules/{code}"))
}
