//! The lists of the groups screen as every list is asked about itself: rows, keys, panes, words.

use super::rows::{GroupRows, MemberRows};
use super::{Triage, TriagePane};
use crate::console::app::layout::{self, Groups as Panes};
use crate::console::app::list::ListId;
use crate::console::app::{App, View};
use crate::console::text;
use crate::model::filter::{Filter, Wrong};
use crate::model::job::Job;
use crate::model::triage::Groups;

impl App {
    /// What is looked at, and the runs of its job, where both are here.
    pub fn sorted(&self) -> Option<(&Triage, &Job)> {
        let triage = self.triage.as_ref()?;
        let held = self.held.as_ref().filter(|held| held.id == triage.job)?;
        Some((triage, held.job.as_ref()?))
    }

    pub fn group_rows(&self) -> Option<GroupRows<'_>> {
        let (triage, job) = self.sorted()?;
        let groups = triage.groups.as_ref()?;
        Some(GroupRows { all: &triage.rows, groups, runs: job.runs.len(), zone: &self.place.zone })
    }

    pub fn member_rows(&self) -> Option<MemberRows<'_>> {
        let (triage, job) = self.sorted()?;
        let before = triage.before.as_ref().map(|(_, states)| states);
        Some(MemberRows { runs: &job.runs, of: &triage.members.of, ranks: &[], before, now: self.now })
    }

    pub fn triage_panes(&self) -> Panes {
        let Some(triage) = &self.triage else { return Panes::default() };
        let wide = self.area.width >= layout::WIDE;
        let remarks = triage.remark_lines(usize::from(self.area.width.saturating_sub(4))).len();
        let ended = triage.groups.as_ref().is_some_and(|groups| !groups.groups.is_empty());
        let remarks = remarks + usize::from(ended && layout::with_sets(self.area));
        let counts = (triage.rows.len(), remarks, triage.fact_lines(wide));
        layout::groups(self.area, counts, triage.focus, triage.zoom, self.overview.sizes)
    }

    /// Keys of the rows as shown; `None`: nothing to mark.
    pub(in crate::console::app) fn triage_keys(&self, list: ListId) -> Vec<Option<String>> {
        let Some((triage, job)) = self.sorted() else { return Vec::new() };
        let device =
            |at: &u32| job.runs.get(*triage.members.of.get(*at as usize)? as usize).map(|run| run.device.clone());
        match list {
            ListId::Members => triage.members.order.iter().map(device).collect(),
            // the runs that have not ended are no group
            _ => triage
                .order
                .iter()
                .map(|row| triage.rows.get(*row as usize).filter(|row| row.of.is_some()).map(|row| row.key.clone()))
                .collect(),
        }
    }

    pub(in crate::console::app) fn filter_triage(&mut self, list: ListId, text: &str) -> Result<(), Wrong> {
        let now = self.now;
        let Some(triage) = &mut self.triage else { return Ok(()) };
        match list {
            ListId::Members => {
                triage.members.look.set_filter(text, &MemberRows { runs: &[], of: &[], ranks: &[], before: None, now })
            }
            _ => {
                let groups = Groups::default();
                let rows = GroupRows { all: &[], groups: &groups, runs: 0, zone: &self.place.zone };
                triage.look.set_filter(text, &rows)
            }
        }
    }

    pub(in crate::console::app) fn check_triage(&self, list: ListId, filter: &Filter) -> Result<(), Wrong> {
        match list {
            ListId::Members => self.member_rows().map_or(Ok(()), |rows| filter.check(&rows)),
            _ => self.group_rows().map_or(Ok(()), |rows| filter.check(&rows)),
        }
    }

    /// The first lines of the copy menu: what is marked among the groups.
    pub(in crate::console::app) fn marked_groups_to_copy(&self) -> Vec<(&'static str, String)> {
        let (Some(triage), Some(groups)) = (&self.triage, self.triage.as_ref().and_then(|t| t.groups.as_ref())) else {
            return Vec::new();
        };
        let signatures = triage.chosen().into_iter().filter_map(|row| groups.groups.get(row.of?));
        let signatures: Vec<&str> = signatures.map(|group| group.signature.as_str()).collect();
        vec![("marked signatures", signatures.join("\n"))]
    }

    /// What is selected, for the menus.
    pub(in crate::console::app) fn group_in_words(&self) -> String {
        let Some(triage) = self.triage.as_ref().filter(|_| self.view == View::Groups) else { return String::new() };
        let job = format!("job {}", triage.job);
        if triage.focus == TriagePane::Members
            && let Some(run) = triage.member().and_then(|run| self.held.as_ref()?.run(run))
        {
            return format!("{} in {job}", run.name);
        }
        match triage.chosen().as_slice() {
            [] => job,
            [row] => format!("{} in {job}: {}", row.label, row.says),
            rows => format!("{} of {job}", text::number(rows.len() as u64, "group")),
        }
    }
}
