//! What the commands do on the groups screen, and how it is entered and kept up to date.

use super::compare::State;
use super::{Triage, TriagePane};
use crate::console::app::commands::Do;
use crate::console::app::held::Held;
use crate::console::app::list::ListId;
use crate::console::app::prompt::Purpose;
use crate::console::app::{App, Effect, LivePane, View};
use crate::console::app::{layout, marks};
use crate::console::text;
use crate::model::compare::Compared;
use crate::model::job::JobId;
use crate::model::nodeset;

impl App {
    /// The groups of the job that is looked at, else of the newest.
    pub(in crate::console::app) fn open_groups(&mut self) {
        let id = self.job_here().map(|job| job.id).or_else(|| self.live.as_ref().map(|live| live.id));
        let id = id.or_else(|| self.jobs.first().map(|job| job.id));
        match id {
            Some(id) => self.visit_groups(id),
            None => self.hint = Some(self.no_job()),
        }
    }

    pub(in crate::console::app) fn visit_groups(&mut self, id: JobId) {
        if self.live.as_ref().is_none_or(|live| live.id != id) {
            self.live = Some(self.new_live(id));
        }
        if self.triage.as_ref().is_none_or(|triage| triage.job != id) {
            let mut triage = Triage::new(id);
            triage.look.columns = self.triage.take().map(|before| before.look.columns).unwrap_or_default();
            self.triage = Some(triage);
        }
        // devices are marked once, wherever they are seen
        if let (Some(triage), Some(live)) = (&mut self.triage, &self.live) {
            triage.members.look.marks.clone_from(&live.look.marks);
            triage.sift(ListId::Members);
        }
        self.view = View::Groups;
        self.heed_news(id);
    }

    pub(in crate::console::app) fn settle_triage(&mut self, effects: &mut Vec<Effect>) {
        let heights = (self.rows_of(ListId::Groups), self.rows_of(ListId::Members));
        let Some(triage) = &mut self.triage else { return };
        if self.held.as_ref().is_none_or(|held| held.id != triage.job) {
            self.held = Some(Held::new(triage.job));
        }
        let Some(held) = &mut self.held else { return };
        if held.job.is_none() && held.problem.is_none() && self.asked.job.is_none() {
            self.asked.job = Some(triage.job);
            effects.push(Effect::LoadJob(triage.job));
        }
        effects.extend(triage.ask(self.now));
        effects.extend(triage.ask_before());
        triage.settle(held, &self.tree, (&self.place.zone, self.now), heights);
        let wanted = triage.question();
        effects.extend(triage.beside.ask(wanted).map(Effect::CompareOutputs));
        if let Some(live) = self.live.as_mut().filter(|live| live.look.marks != triage.members.look.marks) {
            live.look.marks.clone_from(&triage.members.look.marks);
            live.stale();
        }
    }

    /// Called with the time: groups that were not asked for at once are, when it is time.
    pub(in crate::console::app) fn tick_triage(&mut self, effects: &mut Vec<Effect>) {
        if self.view == View::Groups
            && self.link == crate::console::app::Link::Attached
            && let Some(triage) = &mut self.triage
        {
            effects.extend(triage.ask(self.now));
        }
    }

    pub(in crate::console::app) fn triage_wakes(&self) -> Option<jiff::Timestamp> {
        let here = self.view == View::Groups && self.link == crate::console::app::Link::Attached;
        self.triage.as_ref().filter(|_| here)?.due()
    }

    pub(in crate::console::app) fn triage_contexts(&self) -> &'static [&'static str] {
        match self.triage.as_ref().map(|triage| triage.focus) {
            Some(TriagePane::Diff) => &["diff", "groups", "retry", "list", "global"],
            _ => &["groups", "retry", "list", "global"],
        }
    }

    pub(in crate::console::app) fn in_triage(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let heights = (self.rows_of(ListId::Groups), self.rows_of(ListId::Members));
        if self.triage.as_ref().is_some_and(|triage| triage.focus == TriagePane::Diff) && self.in_beside(verb) {
            return;
        }
        let Some(triage) = &mut self.triage else {
            self.view = View::Overview;
            return;
        };
        match verb {
            Do::Back | Do::QuitOrBack => {
                let look = match triage.focus {
                    TriagePane::Groups => Some((&mut triage.look, ListId::Groups)),
                    TriagePane::Members => Some((&mut triage.members.look, ListId::Members)),
                    TriagePane::Diff => None,
                };
                if let Some((look, list)) = look.filter(|_| verb == Do::Back)
                    && look.step_back()
                {
                    triage.sift(list);
                } else if std::mem::take(&mut triage.zoom) {
                    // one level is enough
                } else if verb == Do::Back && triage.focus != TriagePane::Groups {
                    triage.focus = TriagePane::Groups;
                } else {
                    self.leave_view();
                }
            }
            Do::NextPane => triage.next_pane(true),
            Do::PreviousPane => triage.next_pane(false),
            Do::Pane(1 | 0) => triage.focus = TriagePane::Groups,
            Do::Pane(2) => triage.focus = TriagePane::Members,
            Do::Pane(3) => triage.focus = TriagePane::Diff,
            Do::Pane(n) => self.hint = Some(format!("there is no pane {n} here: 1 to 3")),
            Do::Open if triage.focus == TriagePane::Groups => triage.focus = TriagePane::Members,
            Do::Open if triage.focus == TriagePane::Members => self.read_member(),
            Do::Open | Do::ZoomPane => triage.zoom = !triage.zoom,
            Do::PreviousTab => self.watch_group(),
            Do::NextTab => self.hint = Some("the groups are the last tab of a job".into()),
            Do::Base => self.open_bases(),
            Do::Exact => triage.turn(),
            Do::Merge | Do::Split => self.open_regroup(verb, effects),
            Do::Window => self.open_window(effects),
            Do::SaveGroup => self.open_prompt(Purpose::Command, "group save "),
            Do::Ack => self.acknowledge(effects),
            Do::Note => self.open_remark(Purpose::Note),
            Do::EditRunbook => self.open_remark(Purpose::Runbook),
            verb if triage.go(verb, heights) => {}
            Do::Stop => self.open_stop(),
            Do::Pause => self.pause_or_ask(effects),
            Do::Approve => self.ask_approval(),
            Do::Retry(again) => self.open_retry(again),
            Do::Narrow | Do::Widen => self.resize_pane(verb == Do::Widen),
            verb => {
                let list = self.list_here();
                if !list.is_some_and(|list| self.in_list(list, verb)) {
                    self.nothing();
                }
            }
        }
    }

    /// The output of the member under the cursor, in the live view.
    fn read_member(&mut self) {
        let Some(run) = self.triage.as_ref().and_then(Triage::member) else {
            self.hint = Some("no device here".into());
            return;
        };
        if let Some(live) = &mut self.live {
            live.choose(run);
            live.tail.show(Some(run));
            live.focus = LivePane::Tail;
            live.stale();
        }
        self.trail.deeper = true;
        self.view = View::Live;
    }

    /// Back to all devices, on the one that was looked at here.
    fn watch_group(&mut self) {
        let run = self.triage.as_ref().and_then(Triage::member);
        if let (Some(run), Some(live)) = (run, &mut self.live) {
            live.choose(run);
            live.stale();
        }
        self.view = View::Live;
    }

    /// What can be copied from here.
    pub(in crate::console::app) fn group_to_copy(&self) -> Vec<(&'static str, String)> {
        let (Some(triage), Some(job)) = (&self.triage, self.held.as_ref().and_then(|held| held.job.as_ref())) else {
            return Vec::new();
        };
        let run = |at: &u32| job.runs.get(*at as usize);
        let mut items: Vec<(&'static str, String)> = Vec::new();
        if triage.focus == TriagePane::Members
            && let Some(run) = triage.member().as_ref().and_then(run)
        {
            items.push(("device", run.name.clone()));
            items.push(("device id", run.device.clone()));
        }
        let all: Vec<_> = triage.members.of.iter().filter_map(run).collect();
        if !all.is_empty() {
            items.push(("node set", nodeset::fold(all.iter().map(|run| run.name.as_str()))));
            items.push(("as target", marks::exactly(all.iter().map(|run| run.device.as_str()))));
        }
        if let (TriagePane::Diff, State::Ready(comparison, _)) = (triage.focus, &triage.beside.state) {
            let name = |side: &Compared| format!("{} in {}", side.device, side.job);
            let text = comparison.diff.unified(&name(&comparison.left), &name(&comparison.right));
            items.push(("difference", text));
        }
        if let Some(row) = triage.row() {
            items.push(("what it says", row.says.clone()));
        }
        if let Some(group) = triage.group() {
            items.push(("signature", group.signature.clone()));
        }
        items.extend(triage.telling(usize::MAX).map(|says| ("what they share", says)));
        items.push(("job id", triage.job.to_string()));
        let exact = if triage.exact { " --exact" } else { "" };
        items.push(("command", format!("quarterdeck groups {}{exact}", triage.job)));
        items
    }

    /// `412 dev in 7 groups`, `base S0 218`, `beside 4805`: for the right of the breadcrumb.
    pub fn groups_facts(&self) -> Vec<String> {
        let Some((triage, groups)) = self.triage.as_ref().and_then(|triage| Some((triage, triage.groups.as_ref()?)))
        else {
            return Vec::new();
        };
        let wide = self.area.width >= layout::WIDE;
        let devices = groups.open + groups.groups.iter().map(|group| group.runs.len()).sum::<usize>();
        let mut facts = vec![format!(
            "{} {} in {}",
            text::count(devices as u64),
            if wide { "devices" } else { "dev" },
            text::number(groups.groups.len() as u64, "group")
        )];
        facts.extend(triage.base().map(|(group, label)| match wide {
            true => format!("base {label} (largest ok group)"),
            false => format!("base {label} {}", text::count(group.runs.len() as u64)),
        }));
        facts.extend(groups.well_in.map(|well| match wide {
            true => format!("nobody well: facts vs {} of {}", text::number(well.devices as u64, "device"), well.job),
            false => format!("facts vs {}", well.job),
        }));
        facts.extend(groups.previous.map(|previous| match wide {
            true => format!("compared with {previous}"),
            false => format!("beside {previous}"),
        }));
        facts.extend(groups.alone.map(|alone| alone.words().to_owned()));
        facts
    }
}
