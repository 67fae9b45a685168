//! What is worth a look in a job's groups, in a few words: what is new, what explains a group wholly, what was mended.
//! The same words on the groups screen and where others point to it.

use super::Triage;
use crate::console::text;
use crate::model::amounts::{count, number};
use crate::model::state::RunState;
use crate::model::triage::{Group, Shared};

/// Rows of remarks at most, the blanks before one, and what their heading takes.
const REMARK_ROWS: usize = 2;
const GAP: usize = 7;
pub const HEADING: usize = 14;
/// Facts shown of a group.
const FACTS_WIDE: usize = 6;
const FACTS_NARROW: usize = 3;

/// A remark, and the label of the group that it is about; empty: about none that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub label: String,
    pub says: String,
}

/// The fact that all of a group have and none of the base. One device alone explains nothing.
pub fn explained(group: &Group) -> Option<&Shared> {
    group.shared.iter().find(|shared| group.runs.len() > 1 && shared.explains())
}

/// `via=proxy-b`
pub fn fact(shared: &Shared) -> String {
    text::plain(&format!("{}={}", shared.field, shared.value))
}

impl Triage {
    /// All of them, what is new first.
    pub fn remarks(&self) -> Vec<Remark> {
        let Some(groups) = &self.groups else { return Vec::new() };
        let of = |at: usize| self.rows.iter().find(|row| row.of == Some(at)).map(|row| row.label.clone());
        let each = || groups.groups.iter().enumerate().filter_map(|(at, group)| Some((of(at)?, group)));
        let new = each().filter(|(_, group)| group.is_new() && group.state != RunState::Ok);
        let mut remarks: Vec<Remark> = new.map(|(label, _)| Remark { label, says: "new signature".into() }).collect();
        remarks.extend(each().filter_map(|(label, group)| {
            let shared = explained(group)?;
            let says = format!("{} of {} {}", count(shared.here as u64), count(shared.of as u64), fact(shared));
            Some(Remark { label, says })
        }));
        remarks.extend(self.mended().map(|says| Remark { label: String::new(), says }));
        remarks
    }

    /// `fixed since 4805: disk full (4 devices), CDN <n> (1 device)`
    pub fn mended(&self) -> Option<String> {
        let groups = self.groups.as_ref()?;
        let previous = groups.previous?;
        let mended: Vec<String> = groups
            .gone
            .iter()
            .filter(|gone| gone.is_fixed())
            .map(|gone| {
                let says = if gone.says.is_empty() { gone.state.word().to_owned() } else { text::plain(&gone.says) };
                format!("{says} ({})", number(gone.fixed as u64, "device"))
            })
            .collect();
        (!mended.is_empty()).then(|| format!("fixed since {previous}: {}", mended.join(", ")))
    }

    /// The remarks on rows of at most this width, the first two rows of them.
    pub fn remark_lines(&self, width: usize) -> Vec<Vec<Remark>> {
        let mut lines: Vec<Vec<Remark>> = Vec::new();
        let mut left = 0;
        for remark in self.remarks() {
            let wide = text::width(&remark.label) + text::width(&remark.says) + GAP;
            if lines.is_empty() || (wide > left && lines.len() < REMARK_ROWS) {
                lines.push(Vec::new());
                left = width.saturating_sub(HEADING);
            }
            // one that is too long for a row is cut there, and none stands behind it
            if wide <= left || lines.last().is_some_and(Vec::is_empty) {
                left = left.saturating_sub(wide);
                if let Some(line) = lines.last_mut() {
                    line.push(remark);
                }
            }
        }
        lines
    }

    /// Rows that the facts of the group under the cursor take, with what stands around them.
    pub fn fact_lines(&self, wide: bool) -> usize {
        let Some(group) = self.group() else { return 0 };
        // one device shares everything with itself
        let shared = if group.runs.len() > 1 { group.shared.len() } else { 0 };
        let facts = shared.min(if wide { FACTS_WIDE } else { FACTS_NARROW });
        match (wide, facts) {
            (true, 0) => 4,
            (true, facts) => facts + 5,
            (false, facts) => facts,
        }
    }

    /// One line about the group under the cursor.
    pub fn telling(&self, width: usize) -> Option<String> {
        let (group, row) = (self.group()?, self.row()?);
        let label = &row.label;
        if let (Some(shared), Some((_, base))) = (explained(group), self.well()) {
            let (here, of) = (count(shared.here as u64), count(shared.base_of as u64));
            let whole = format!("{label}: all {here} members share {}, none of the {of} in {base} do", fact(shared));
            let short = format!("{label}: all {here} share {} (0 of {of} in {base} do)", fact(shared));
            return Some(if text::width(&whole) <= width { whole } else { short });
        }
        let previous = self.groups.as_ref()?.previous;
        match (group.is_new() && group.state != RunState::Ok, previous) {
            (true, Some(previous)) => Some(format!(
                "{label} is new: {} ended like this, none did in {previous}",
                number(group.runs.len() as u64, "device")
            )),
            _ => group.shared.first().filter(|_| group.runs.len() > 1).zip(self.well()).map(|(shared, (_, base))| {
                format!(
                    "{label}: {} of {} have {}, {} of {} in {base}",
                    count(shared.here as u64),
                    count(shared.of as u64),
                    fact(shared),
                    count(shared.base as u64),
                    count(shared.base_of as u64),
                )
            }),
        }
    }
}
