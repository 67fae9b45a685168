//! Screen 5: the runs of a job by how they ended. Owns what the engine says of the groups, which one is looked at, and
//! whom of it; stays on a group by its name while others form above and below. Refuses to group: that is the engine's
//! affair, which is asked at a bounded rate.

pub mod compare;
mod lists;
pub mod masking;
pub mod news;
pub mod regroup;
pub mod remarks;
pub mod rows;
pub mod strip;
mod verbs;
pub mod worth;

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::compare::Beside;
use self::rows::{GroupRows, MemberRows, Row};
use super::commands::Do;
use super::held::Held;
use super::list::{Cursor, ListId, Look};
use super::{Effect, grid};
use crate::console::app::tree::Tree;
use crate::model::job::{Job, JobId};
use crate::model::label;
use crate::model::nodeset;
use crate::model::state::RunState;
use crate::model::triage::{Group, Groups};
use crate::model::wire::Problem;

/// Between two questions about groups that are still forming.
const PAUSE: SignedDuration = SignedDuration::from_millis(500);
/// Facts shown beside a member.
const FACTS: usize = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriagePane {
    #[default]
    Groups,
    Members,
    Diff,
}

#[derive(Debug)]
pub struct Triage {
    pub job: JobId,
    /// By equal texts, not by what they mean.
    pub exact: bool,
    /// The job that the operator wants it compared with; `None`: the engine finds a fair one.
    pub against: Option<JobId>,
    /// As the engine has them: of this job, and of the kind that was asked for last.
    pub groups: Option<Groups>,
    pub problem: Option<String>,
    pub focus: TriagePane,
    pub zoom: bool,
    pub rows: Vec<Row>,
    pub cursor: Cursor,
    pub look: Look,
    pub order: Vec<u32>,
    pub members: Members,
    pub beside: Beside,
    /// What can be chosen to compare with, as it stands in the chooser.
    pub bases: Vec<compare::Side>,
    /// How each device ended in the job before: its number, and the states.
    pub before: Option<(JobId, HashMap<String, RunState>)>,
    /// What the bad ones of these were called.
    pub failures: HashMap<String, String>,
    /// The group list is out of date.
    unsorted: bool,
    /// The engine knows more than we do.
    stale: bool,
    /// It is being asked.
    asking: bool,
    asked_at: Option<Timestamp>,
    asked_before: Option<JobId>,
    /// What a remark that is being written is about: in words, and the signatures.
    noting: (String, Vec<String>),
}

/// The runs of the group that is looked at.
#[derive(Debug, Default)]
pub struct Members {
    /// Indexes of the runs.
    pub of: Vec<u32>,
    pub cursor: Cursor,
    pub look: Look,
    /// Indexes in `of`.
    pub order: Vec<u32>,
    /// The run that the operator chose.
    pub chosen: Option<u32>,
    /// Facts that tell the devices apart, and for how many devices they were chosen.
    pub facts: Vec<String>,
    learned: (usize, usize),
    /// Where each run of the job stands by its name: worked out once, for a group is put in order at every step of the
    /// cursor.
    ranks: Vec<u32>,
    /// Of which group, by its key.
    group: Option<String>,
    unsorted: bool,
}

impl Triage {
    pub fn new(job: JobId) -> Self {
        Self {
            job,
            exact: false,
            against: None,
            groups: None,
            problem: None,
            focus: TriagePane::default(),
            zoom: false,
            rows: Vec::new(),
            cursor: Cursor::default(),
            look: Look::sorted(ListId::Groups.usual_sort()),
            order: Vec::new(),
            members: Members::default(),
            beside: Beside::default(),
            bases: Vec::new(),
            before: None,
            failures: HashMap::new(),
            unsorted: false,
            stale: true,
            asking: false,
            asked_at: None,
            asked_before: None,
            noting: Default::default(),
        }
    }

    /// Runs have changed since the engine was asked.
    pub fn stale(&mut self) {
        self.stale = true;
        // those that have not ended come from the runs themselves
        self.members.unsorted |= self.row().is_some_and(|row| row.of.is_none());
    }

    /// Nothing is on its way any more; everything is asked again, at once.
    pub fn reset(&mut self) {
        (self.stale, self.asking, self.asked_at, self.asked_before) = (true, false, None, None);
        self.problem = None;
        self.beside.reset();
    }

    /// By equal texts, or by what they mean.
    pub fn turn(&mut self) {
        self.exact = !self.exact;
        // what is here stays until the other has come
        self.reset();
    }

    /// Compared with another job; `None`: with the one that the engine finds.
    pub fn compare_with(&mut self, base: Option<JobId>) {
        self.against = base;
        self.reset();
    }

    /// What is on screen is what is asked for.
    pub fn is_current(&self) -> bool {
        let chosen = |groups: &Groups| self.against.is_none_or(|base| groups.previous == Some(base));
        self.groups.as_ref().is_some_and(|groups| groups.exact == self.exact && chosen(groups))
    }

    /// Other groups are on their way than those that are here.
    pub fn waits_for_groups(&self) -> bool {
        self.asking && !self.is_current()
    }

    /// The rows are by equal texts.
    pub fn shows_exact(&self) -> bool {
        self.groups.as_ref().map_or(self.exact, |groups| groups.exact)
    }

    /// An answer is awaited.
    pub fn waits(&self) -> bool {
        self.waits_for_groups() || self.beside.waits()
    }

    /// When the engine is to be asked next, if nothing else happens before.
    pub fn due(&self) -> Option<Timestamp> {
        if !self.stale || self.asking || self.problem.is_some() {
            return None;
        }
        Some(self.asked_at.map_or(Timestamp::UNIX_EPOCH, |at| at + PAUSE))
    }

    /// What to ask now. Several changes in a row are one question.
    pub fn ask(&mut self, now: Timestamp) -> Option<Effect> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        (self.stale, self.asking, self.asked_at) = (false, true, Some(now));
        Some(Effect::LoadGroups { job: self.job, exact: self.exact, base: self.against })
    }

    /// The states of the job before, once.
    pub fn ask_before(&mut self) -> Option<Effect> {
        let before = self.groups.as_ref()?.previous?;
        if self.asked_before == Some(before) {
            return None;
        }
        self.asked_before = Some(before);
        Some(Effect::LoadJob(before))
    }

    /// `false`: it was not this one's question.
    pub fn answered(&mut self, asked: (bool, Option<JobId>), answer: Result<Groups, Problem>) {
        if asked != (self.exact, self.against) {
            return; // something else was asked for meanwhile
        }
        self.asking = false;
        match answer {
            Ok(groups) => (self.groups, self.problem) = (Some(groups), None),
            Err(problem) => self.problem = Some(problem.error),
        }
        self.unsorted = true;
        self.members.unsorted = true;
    }

    /// The job before this one has come.
    pub fn heard_before(&mut self, job: &Job) {
        if self.asked_before == Some(job.summary.id) {
            let states = job.runs.iter().map(|run| (run.device.clone(), run.state)).collect();
            let bad = job.runs.iter().filter(|run| run.state.bad());
            let named = bad.filter_map(|run| Some((run.device.clone(), run.signature.as_ref()?.name.clone())));
            self.failures = named.collect();
            self.before = Some((job.summary.id, states));
            self.members.unsorted = true;
        }
    }

    /// Other rows pass, or are marked.
    pub fn sift(&mut self, list: ListId) {
        match list {
            ListId::Members => self.members.unsorted = true,
            _ => self.unsorted = true,
        }
    }

    /// The row under the cursor.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(*self.order.get(self.cursor.at)? as usize)
    }

    /// The group under the cursor; `None`: the runs that have not ended.
    pub fn group(&self) -> Option<&Group> {
        self.groups.as_ref()?.groups.get(self.row()?.of?)
    }

    /// The group that the others are compared with, and its label.
    pub fn base(&self) -> Option<(&Group, &str)> {
        let groups = self.groups.as_ref()?;
        let at = groups.base?;
        let row = self.rows.iter().find(|row| row.of == Some(at))?;
        Some((groups.groups.get(at)?, &row.label))
    }

    /// Those that the facts of the others are counted beside, and where they are: the base, or where nobody here ended
    /// well those who did in an earlier job.
    pub fn well(&self) -> Option<(usize, String)> {
        let base = self.base().map(|(group, label)| (group.runs.len(), label.to_owned()));
        let elsewhere = || self.groups.as_ref()?.well_in.map(|well| (well.devices, format!("job {}", well.job)));
        base.or_else(elsewhere)
    }

    /// The rows that commands mean: the marked ones, else the one under the cursor.
    pub fn chosen(&self) -> Vec<&Row> {
        if self.look.marks.is_empty() {
            return self.row().into_iter().collect();
        }
        self.rows.iter().filter(|row| self.look.marks.contains(&row.key)).collect()
    }

    /// After a motion: this is the group the operator chose.
    pub fn moved(&mut self) {
        self.cursor.touched = true;
        self.look.home = self.row().map(|row| row.key.clone());
        self.members.unsorted = true;
    }

    /// The same for a member.
    pub fn member_moved(&mut self) {
        let at = self.members.order.get(self.members.cursor.at).and_then(|at| self.members.of.get(*at as usize));
        self.members.chosen = at.copied();
        self.members.cursor.touched = true;
    }

    /// The member under the cursor.
    pub fn member(&self) -> Option<u32> {
        self.members.of.get(*self.members.order.get(self.members.cursor.at)? as usize).copied()
    }

    /// Puts rows and members in order, before anything is drawn.
    pub fn settle(&mut self, held: &Held, tree: &Tree, (zone, now): (&TimeZone, Timestamp), heights: (usize, usize)) {
        let Some(job) = &held.job else { return };
        if std::mem::take(&mut self.unsorted) {
            self.sort(job, zone, heights.0);
        }
        let key = self.row().map(|row| row.key.clone());
        if std::mem::take(&mut self.members.unsorted) || key != self.members.group {
            self.sort_members(job, tree, key, (now, heights.1));
        }
    }

    fn sort(&mut self, job: &Job, zone: &TimeZone, height: usize) {
        let Some(groups) = &self.groups else {
            self.rows.clear();
            self.order.clear();
            return;
        };
        self.rows = rows::of(groups, &label::labels(groups), job);
        // between similar and identical one stays on the signature
        if let Some(home) = &mut self.look.home
            && !self.rows.iter().any(|row| row.key == *home)
            && let Some(row) = self.rows.iter().find(|row| home.starts_with(&row.key) || row.key.starts_with(&*home))
        {
            home.clone_from(&row.key);
        }
        // a column in which nothing stands would take the room of what they say
        self.look.extra = match self.rows.iter().any(|row| !row.note.is_empty() || !row.acked.is_empty()) {
            true => &["ack", "note"],
            false => &[],
        };
        self.look.changed();
        let rows = GroupRows { all: &self.rows, groups, runs: job.runs.len(), zone };
        let key = |row: usize| Cow::Borrowed(self.rows[row].key.as_str());
        self.order = self.look.order(&rows, key, &mut self.cursor, height);
    }

    fn sort_members(&mut self, job: &Job, tree: &Tree, key: Option<String>, (now, height): (Timestamp, usize)) {
        let members = &mut self.members;
        let other = members.group != key;
        let row = self.order.get(self.cursor.at).and_then(|row| self.rows.get(*row as usize));
        members.of = match (row.and_then(|row| row.of), &self.groups) {
            (Some(at), Some(groups)) => groups.groups.get(at).map(|group| group.runs.clone()).unwrap_or_default(),
            (None, _) if row.is_some() => {
                job.runs.iter().filter(|run| !run.state.ended()).map(|run| run.index).collect()
            }
            _ => Vec::new(),
        };
        members.of.retain(|run| (*run as usize) < job.runs.len());
        if other {
            (members.cursor, members.chosen, members.group) = (Cursor::default(), None, key);
        }
        members.learn(job, tree);
        members.rank(job);
        members.look.changed();
        members.look.home = members.chosen.and_then(|run| job.runs.get(run as usize)).map(|run| run.device.clone());
        let before = self.before.as_ref().map(|(_, states)| states);
        let rows = MemberRows { runs: &job.runs, of: &members.of, ranks: &members.ranks, before, now };
        let key = |row: usize| Cow::Borrowed(rows.run(row).device.as_str());
        members.order = members.look.order(&rows, key, &mut members.cursor, height);
        if members.chosen.is_some() {
            members.chosen = members.order.get(members.cursor.at).map(|at| members.of[*at as usize]);
        }
    }

    /// Motions of the focused list. `true`: used up.
    pub fn go(&mut self, verb: Do, heights: (usize, usize)) -> bool {
        match self.focus {
            TriagePane::Groups if self.cursor.go(verb, self.order.len(), heights.0) => self.moved(),
            TriagePane::Members if self.members.cursor.go(verb, self.members.order.len(), heights.1) => {
                self.member_moved();
            }
            _ => return false,
        }
        true
    }

    pub fn next_pane(&mut self, forward: bool) {
        use TriagePane::{Diff, Groups, Members};
        self.focus = match (self.focus, forward) {
            (Groups, true) | (Diff, false) => Members,
            (Members, true) | (Groups, false) => Diff,
            (Diff, true) | (Members, false) => Groups,
        };
    }
}

impl Members {
    fn rank(&mut self, job: &Job) {
        if self.ranks.len() == job.runs.len() {
            return;
        }
        let mut order: Vec<u32> = job.runs.iter().map(|run| run.index).collect();
        order.sort_by(|a, b| nodeset::natural(&job.runs[*a as usize].name, &job.runs[*b as usize].name));
        self.ranks = vec![0; order.len()];
        for (rank, run) in order.into_iter().enumerate() {
            self.ranks[run as usize] = rank as u32;
        }
    }

    /// Which facts stand beside the names: where and what the devices are, where they say so, else what tells them
    /// apart.
    fn learn(&mut self, job: &Job, tree: &Tree) {
        let of = (job.runs.len(), tree.targets.devices.len());
        if of == self.learned {
            return;
        }
        self.learned = of;
        let telling: Vec<String> = grid::choices(job, tree)
            .into_iter()
            .filter_map(|by| if let grid::By::Fact(fact) = by { Some(fact) } else { None })
            .filter(|fact| !grid::REACHED.contains(&fact.as_str()))
            .collect();
        let first = |name: &&str| telling.iter().any(|fact| fact == name);
        let known = ["site", "os"].into_iter().filter(first).map(str::to_owned);
        self.facts = known.collect();
        let others = telling.iter().filter(|fact| !self.facts.contains(fact)).cloned().collect::<Vec<_>>();
        self.facts.extend(others);
        self.facts.truncate(FACTS);
    }
}
