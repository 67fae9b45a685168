//! Screen 1: what is focused and where the cursors are. The lists themselves live in `App`; this room keeps
//! their order and sees that a cursor stays on the same thing when a list changes.

use super::commands::Do;
use super::list::{Cursor, Sort};
use super::tree::{Kind, Tree};
use crate::model::job::{JobId, JobSummary};
use crate::model::script::ScriptInfo;
use crate::model::state::JobState;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Scripts,
    Targets,
    Jobs,
    Preview,
}

pub const SCRIPT_COLUMNS: [&str; 3] = ["name", "last", "ok%"];
pub const JOB_COLUMNS: [&str; 3] = ["newest", "bad", "script"];

#[derive(Debug, Default)]
pub struct Overview {
    pub focus: Pane,
    /// What the preview shows something of: the list that was focused last.
    pub subject: Pane,
    /// The focused pane alone.
    pub full: bool,
    pub scripts: Cursor,
    pub script_order: Vec<usize>,
    pub script_sort: Sort,
    pub targets: Cursor,
    /// A range is being marked from here.
    pub anchor: Option<usize>,
    pub jobs: Cursor,
    pub job_order: Vec<usize>,
    pub job_sort: Sort,
    pub only_bad: bool,
    /// First line of the preview, and first column.
    pub preview: usize,
    pub left: usize,
}

impl Overview {
    pub fn focus(&mut self, pane: Pane) {
        if pane != Pane::Preview && self.subject != pane {
            self.subject = pane;
            (self.preview, self.left) = (0, 0);
        }
        self.focus = pane;
    }

    pub fn next_pane(&mut self, forward: bool) {
        const PANES: [Pane; 4] = [Pane::Scripts, Pane::Targets, Pane::Jobs, Pane::Preview];
        let at = PANES.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        self.focus(PANES[if forward { at + 1 } else { at + 3 } % 4]);
    }

    pub fn script<'a>(&self, scripts: &'a [ScriptInfo]) -> Option<&'a ScriptInfo> {
        scripts.get(*self.script_order.get(self.scripts.at)?)
    }

    pub fn job<'a>(&self, jobs: &'a [JobSummary]) -> Option<&'a JobSummary> {
        jobs.get(*self.job_order.get(self.jobs.at)?)
    }

    /// The scripts changed, or their order; `on`: the one the cursor was on.
    pub fn order_scripts(&mut self, scripts: &[ScriptInfo], on: Option<&str>, height: usize) {
        self.script_order = (0..scripts.len()).collect();
        match self.script_sort.column {
            0 => self.script_order.sort_by(|a, b| scripts[*a].name.cmp(&scripts[*b].name)),
            1 => {
                self.script_order.sort_by_key(|at| std::cmp::Reverse(scripts[*at].last_run.as_ref().map(|run| run.at)))
            }
            _ => {
                self.script_order.sort_by_key(|at| scripts[*at].last_run.as_ref().map_or(u8::MAX, |run| run.ok_percent))
            }
        }
        if self.script_sort.reverse {
            self.script_order.reverse();
        }
        let at = on.and_then(|name| self.script_order.iter().position(|at| scripts[*at].name == name));
        self.scripts.put(at.unwrap_or(self.scripts.at), scripts.len(), height);
    }

    /// The jobs changed, or their order; `on`: the one the cursor was on, if the operator put it there.
    pub fn order_jobs(&mut self, jobs: &[JobSummary], on: Option<JobId>, height: usize) {
        self.job_order = (0..jobs.len()).filter(|at| !self.only_bad || troubled(&jobs[*at])).collect();
        match self.job_sort.column {
            0 => {} // They come newest first.
            1 => self.job_order.sort_by_key(|at| std::cmp::Reverse(jobs[*at].counts.bad())),
            _ => self.job_order.sort_by(|a, b| jobs[*a].script.cmp(&jobs[*b].script)),
        }
        if self.job_sort.reverse {
            self.job_order.reverse();
        }
        let at =
            on.filter(|_| self.jobs.touched).and_then(|id| self.job_order.iter().position(|at| jobs[*at].id == id));
        self.jobs.put(at.unwrap_or(self.jobs.at), self.job_order.len(), height);
    }

    /// Motions of the targets pane, and marking.
    pub fn mark(&mut self, verb: Do, tree: &mut Tree, height: usize) -> bool {
        let at = self.targets.at;
        let markable = |tree: &Tree, at: usize| {
            tree.rows.get(at).filter(|row| row.kind != Kind::Heading).map(|row| row.term.clone())
        };
        let turn = |tree: &mut Tree, term: String| {
            if !tree.marks.remove(&term) {
                tree.marks.insert(term);
            }
        };
        match verb {
            Do::Mark => {
                if let Some(term) = markable(tree, at) {
                    turn(tree, term);
                }
                self.targets.go(Do::Down, tree.rows.len(), height);
            }
            Do::Range => match self.anchor.take() {
                None => self.anchor = Some(at),
                Some(from) => {
                    for row in from.min(at)..=from.max(at) {
                        tree.marks.extend(markable(tree, row));
                    }
                }
            },
            Do::MarkAll => {
                for row in 0..tree.rows.len() {
                    tree.marks.extend(markable(tree, row));
                }
            }
            Do::UnmarkAll => tree.marks.clear(),
            Do::InvertMarks => {
                for row in 0..tree.rows.len() {
                    if let Some(term) = markable(tree, row) {
                        turn(tree, term);
                    }
                }
            }
            _ => return false,
        }
        true
    }
}

/// Worth a look.
pub fn troubled(job: &JobSummary) -> bool {
    job.counts.bad() > 0 || job.counts.offline > 0 || job.state == JobState::Interrupted || job.reason.is_some()
}
