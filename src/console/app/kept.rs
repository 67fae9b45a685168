//! What of the screen survives a restart: how each list is looked at, where the operator was, how wide the panes are.
//! Plain data, one for each configuration; where it is kept is `runtime`'s affair. What is restored and no longer
//! there (a row, a column, a job) is passed over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::Effect;
use super::layout::Sizes;
use super::list::{ListId, Look};
use super::{App, Live, Pane, View, columns, tree};
use crate::model::device::Inventory;
use crate::model::job::JobId;
use crate::model::{filter, target};

/// After a change it is written this much later: a burst of keys is one write.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Marks and open branches kept at most.
const MOST: usize = 2000;
/// Jobs of which it is remembered what was marked and filtered.
const JOBS: usize = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub scripts: KeptLook,
    pub targets: KeptLook,
    pub jobs: KeptLook,
    pub devices: KeptLook,
    /// Branches of the targets that are not as they would be by themselves.
    pub turned: Vec<String>,
    /// Branches of the scripts that were opened or closed.
    pub folded: BTreeMap<String, bool>,
    /// The focused pane, from 1.
    pub pane: u8,
    pub full: bool,
    pub sizes: Sizes,
    /// The job that was watched.
    pub watched: Option<JobId>,
    /// What of their devices is hidden and marked, in jobs that were watched lately, the newest last.
    pub jobs_watched: Vec<(JobId, KeptLook)>,
    /// Scripts by name.
    pub favourites: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptLook {
    pub filter: String,
    pub sort: String,
    pub reverse: bool,
    pub only_problems: bool,
    pub marks: Vec<String>,
    pub columns: Vec<String>,
    /// The row the cursor is on.
    pub on: Option<String>,
}

impl App {
    pub fn kept(&self) -> Kept {
        let look = |list: ListId, on: Option<String>| {
            let Some(look) = self.look(list) else { return KeptLook::default() };
            KeptLook {
                filter: look.text.clone(),
                sort: self.sort_columns(list).get(look.sort.column).cloned().unwrap_or_default(),
                reverse: look.sort.reverse,
                only_problems: look.only_problems,
                marks: look.marks.iter().take(MOST).cloned().collect(),
                columns: look.columns.clone(),
                on,
            }
        };
        let overview = &self.overview;
        let devices = if self.live.is_some() { look(ListId::Devices, None) } else { self.device_look.clone() };
        Kept {
            scripts: look(ListId::Scripts, overview.script_look.home.clone()),
            targets: look(ListId::Targets, overview.targets_home.clone()),
            jobs: look(ListId::Jobs, overview.job_look.home.clone().filter(|_| overview.jobs.touched)),
            // Another job's devices are others: only how they are shown goes over, what is marked stays with its job.
            devices: KeptLook { filter: String::new(), marks: Vec::new(), only_problems: false, ..devices },
            turned: self.tree.turned(MOST),
            folded: self.overview.branches.kept(MOST),
            pane: match overview.focus {
                Pane::Scripts => 1,
                Pane::Targets => 2,
                Pane::Jobs => 3,
                Pane::Preview => 4,
            },
            full: overview.full,
            sizes: overview.sizes,
            watched: self.live.as_ref().map(|live| live.id).filter(|_| matches!(self.view, View::Live | View::Groups)),
            jobs_watched: self.looks_of_jobs(),
            favourites: self.besides.favourites.iter().take(MOST).cloned().collect(),
        }
    }

    /// What is hidden and marked in each job watched lately, the one at hand included.
    fn looks_of_jobs(&self) -> Vec<(JobId, KeptLook)> {
        let mut looks = self.job_looks.clone();
        if let Some(live) = &self.live {
            looks.retain(|(id, _)| *id != live.id);
            let look = KeptLook {
                filter: live.look.text.clone(),
                only_problems: live.look.only_problems,
                marks: live.look.marks.iter().take(MOST).cloned().collect(),
                ..KeptLook::default()
            };
            if look != KeptLook::default() {
                looks.push((live.id, look));
            }
            let excess = looks.len().saturating_sub(JOBS);
            looks.drain(..excess);
        }
        looks
    }

    /// The view of a job goes; what was marked in it comes back with it.
    pub(super) fn leave_live(&mut self) {
        self.job_looks = self.looks_of_jobs();
        self.device_look = self.kept().devices;
        self.live = None;
    }

    /// At the start, before anything is drawn.
    pub fn restore(&mut self, kept: Kept) {
        self.besides.favourites = kept.favourites.iter().take(MOST).cloned().collect();
        for (list, kept) in
            [(ListId::Scripts, &kept.scripts), (ListId::Targets, &kept.targets), (ListId::Jobs, &kept.jobs)]
        {
            let sorts = self.sort_columns(list);
            let known = self.columns_of(list);
            let Some(look) = self.look_mut(list) else { continue };
            revive(look, kept, &sorts, list);
            // The targets' columns are known with the targets.
            match filter::parse(&kept.filter, &known) {
                _ if list == ListId::Targets => look.text.clone_from(&kept.filter),
                Ok(filter) => (look.text, look.filter) = (kept.filter.clone(), filter),
                Err(_) => {}
            }
        }
        let overview = &mut self.overview;
        for (cursor, on) in [(&mut overview.scripts, &kept.scripts.on), (&mut overview.jobs, &kept.jobs.on)] {
            cursor.touched = on.is_some();
        }
        overview.targets_home.clone_from(&kept.targets.on);
        (overview.full, overview.sizes) = (kept.full, kept.sizes);
        self.tree.set_turned(&kept.turned);
        self.overview.branches.open = kept.folded.clone().into_iter().take(MOST).collect();
        let pane = match kept.pane {
            2 => Pane::Targets,
            3 => Pane::Jobs,
            _ => Pane::Scripts,
        };
        self.overview.focus(pane);
        if kept.pane == 4 {
            self.overview.full = false;
        }
        self.device_look = kept.devices.clone();
        self.job_looks = kept.jobs_watched.clone();
        self.reopen = kept.watched;
        self.kept = Some(Box::new(self.kept()));
        self.dirty = true;
    }

    /// A new view of a job shows its devices as the one before did.
    pub(super) fn new_live(&mut self, id: JobId) -> Live {
        if self.live.is_some() {
            self.leave_live();
        }
        let mut live = Live::new(id);
        let own = self.job_looks.iter().find(|(job, _)| *job == id).map(|(_, look)| look.clone()).unwrap_or_default();
        let kept = KeptLook { marks: own.marks, only_problems: own.only_problems, ..self.device_look.clone() };
        let sorts = self.sort_columns(ListId::Devices);
        revive(&mut live.look, &kept, &sorts, ListId::Devices);
        if let Ok(filter) = filter::parse(&own.filter, &self.columns_of(ListId::Devices)) {
            (live.look.text, live.look.filter) = (own.filter, filter);
        }
        live
    }

    /// The job that was watched when the console was left, unless the operator has begun something else.
    pub(super) fn reopen(&mut self) {
        let Some(id) = self.reopen.take() else { return };
        let idle = self.view == View::Overview && self.layers.is_empty();
        if idle && self.jobs.iter().any(|job| job.id == id) {
            self.watch(id);
        }
    }

    /// Marks of what is no longer there go.
    pub(super) fn prune_marks(&mut self, list: ListId) {
        if self.look(list).is_none_or(|look| look.marks.is_empty()) {
            return;
        }
        match list {
            ListId::Scripts => {
                let scripts = &self.scripts;
                self.overview.script_look.marks.retain(|name| scripts.iter().any(|script| script.name == *name));
            }
            ListId::Jobs => {
                let ids: std::collections::BTreeSet<String> = self.jobs.iter().map(|job| job.id.to_string()).collect();
                self.overview.job_look.marks.retain(|id| ids.contains(id));
            }
            ListId::Targets => {
                let targets = &self.tree.targets;
                let (devices, groups) = (targets.devices.clone(), targets.groups.clone());
                let inventory = Inventory { devices, groups, ..Inventory::default() };
                // what a job left and what is saved under a name are known to the engine
                let known = |expr: target::Expr| {
                    !expr.sets().is_empty() || expr.resolve(&inventory, &target::Sets::new()).is_ok()
                };
                let means = |term: &String| term.starts_with('@') || target::parse(term).is_ok_and(known);
                self.tree.look.marks.retain(means);
            }
            ListId::Devices | ListId::Groups | ListId::Members | ListId::Planned | ListId::Found | ListId::Changes => {}
        }
    }

    /// After what an operator did: is there something else to keep?
    pub(super) fn kept_changes(&mut self) {
        if self.keep_at.is_none() && self.kept.as_deref() != Some(&self.kept()) {
            self.keep_at = Some(self.now + PAUSE);
        }
    }

    /// Called with the time.
    pub(super) fn keep_if_due(&mut self, effects: &mut Vec<Effect>) {
        if self.keep_at.is_some_and(|at| at <= self.now) {
            self.keep_at = None;
            let kept = Box::new(self.kept());
            self.kept = Some(kept.clone());
            effects.push(Effect::Keep(kept));
        }
    }

    /// What was not written yet, when the console is left.
    pub fn left_to_keep(&self) -> Option<Kept> {
        let kept = self.kept();
        (self.kept.as_deref() != Some(&kept) || self.keep_at.is_some()).then_some(kept)
    }

    pub(super) fn keep_wakes(&self) -> Option<Timestamp> {
        self.keep_at
    }
}

fn revive(look: &mut Look, kept: &KeptLook, sorts: &[String], list: ListId) {
    if let Some(column) = sorts.iter().position(|name| *name == kept.sort) {
        look.sort.column = column;
        look.sort.reverse = kept.reverse;
    }
    look.only_problems = kept.only_problems;
    look.marks = kept.marks.iter().take(MOST).cloned().collect();
    let known = columns::columns(list);
    look.columns = kept.columns.iter().filter(|name| known.iter().any(|col| col.name == **name)).cloned().collect();
    look.home.clone_from(&kept.on);
}

impl tree::Tree {
    fn turned(&self, most: usize) -> Vec<String> {
        let mut turned: Vec<String> = self.turned.iter().filter(|path| !path.starts_with('?')).cloned().collect();
        turned.sort_unstable();
        turned.truncate(most);
        turned
    }

    fn set_turned(&mut self, turned: &[String]) {
        self.turned = turned.iter().take(MOST).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Session;
    use super::*;

    /// A second console with what the first one kept, through the form it is written in.
    fn again(session: &Session) -> Session {
        let text = serde_json::to_string(&session.app.kept()).unwrap();
        let mut next = Session::starting((80, 24), true);
        next.app.restore(serde_json::from_str(&text).unwrap());
        next.attach();
        next
    }

    #[test]
    fn filters_marks_order_columns_layout_and_place_come_back() {
        let mut session = Session::new((80, 24), true);
        session.keys("+/py|sh<enter>ss<esc>S<space>2jjjl<space>/db<enter>3/bad>0<enter>jf>>2");
        session.keys("1c<down><down><space><esc>");
        let next = again(&session);
        assert_eq!(next.app.kept(), session.app.kept());
        assert_eq!(next.app.overview.script_order, session.app.overview.script_order);
        assert_eq!(next.app.tree.rows.len(), session.app.tree.rows.len());
        assert_eq!(next.app.tree.look.filter, session.app.tree.look.filter);
        assert_eq!(next.screen(), session.screen());
    }

    #[test]
    fn the_job_that_was_watched_is_on_screen_again_if_it_is_still_there() {
        let mut session = Session::new((80, 24), true);
        session.keys("3<enter>");
        assert_eq!(again(&session).app.view, View::Live);
        let mut kept = session.app.kept();
        kept.watched = Some(4711);
        let mut next = Session::starting((80, 24), true);
        next.app.restore(kept);
        next.attach();
        assert_eq!(next.app.view, View::Overview);
    }

    #[test]
    fn what_is_no_longer_there_is_passed_over() {
        let strange = KeptLook {
            filter: "nme:x".into(),
            sort: "no such column".into(),
            marks: vec!["gone.sh".into(), "disk-use.sh".into()],
            columns: vec!["lang".into(), "gone".into()],
            on: Some("gone.sh".into()),
            ..KeptLook::default()
        };
        let kept = Kept {
            targets: KeptLook {
                marks: vec!["web".into(), "lab:gone".into()],
                filter: "stat:x".into(),
                ..strange.clone()
            },
            jobs: KeptLook { marks: vec!["12".into(), "4711".into()], ..strange.clone() },
            scripts: strange,
            pane: 77,
            ..Kept::default()
        };
        let mut session = Session::starting((80, 24), true);
        session.app.restore(kept);
        session.attach();
        let app = &session.app;
        assert_eq!(app.overview.script_order.len(), 5, "a filter that means nothing hides nothing");
        let marks = |list| app.look(list).unwrap().marks.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(marks(ListId::Scripts), ["disk-use.sh"]);
        assert_eq!(marks(ListId::Targets), ["web"]);
        assert_eq!(marks(ListId::Jobs), ["12"]);
        assert_eq!(app.overview.script_look.columns, ["lang"]);
        assert_eq!(app.tree.look.text, "");
    }

    #[test]
    fn a_change_is_written_once_the_keys_pause() {
        let mut session = Session::new((80, 24), true);
        session.app.jobs.retain(|job| job.state.ended());
        session.keys("/sh<enter>");
        assert_eq!(session.kept, None);
        let later = session.app.wake().expect("it will be written");
        session.tell(super::super::Event::Tick(later));
        assert_eq!(session.kept.as_ref().unwrap().scripts.filter, "sh");
        assert_eq!((session.app.wake(), session.app.left_to_keep()), (None, None));
    }
}
