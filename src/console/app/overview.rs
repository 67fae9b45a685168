//! Screen 1: what is focused, where the cursors are, and how each list is looked at. The lists themselves live in
//! `App`; this room keeps their order and sees that a cursor stays on the same thing when a list changes.

use std::borrow::Cow;

use jiff::Timestamp;

use super::branches::{self, Branches, Row};
use super::layout::Sizes;
use super::list::{Cursor, Look};
use super::pages::Search;
use crate::model::job::JobSummary;
use crate::model::rows::{Besides, Jobs, Scripts};
use crate::model::script::ScriptInfo;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Scripts,
    Targets,
    Jobs,
    Preview,
}

#[derive(Debug, Default)]
pub struct Overview {
    pub focus: Pane,
    /// What the preview shows something of: the list that was focused last.
    pub subject: Pane,
    /// The focused pane alone.
    pub full: bool,
    pub scripts: Cursor,
    /// Those that pass, in order; how they are seen is in `branches`.
    pub script_order: Vec<usize>,
    pub branches: Branches,
    pub script_look: Look,
    pub targets: Cursor,
    /// Path of the row the operator chose.
    pub targets_home: Option<String>,
    pub jobs: Cursor,
    pub job_order: Vec<usize>,
    pub job_look: Look,
    pub sizes: Sizes,
    /// What is searched for in the preview.
    pub search: Option<Search>,
    pub wrap: bool,
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
        match *self.branches.rows.get(self.scripts.at)? {
            Row::Script(at, _) => scripts.get(at as usize),
            Row::System { .. } | Row::Category { .. } => None,
        }
    }

    pub fn job<'a>(&self, jobs: &'a [JobSummary]) -> Option<&'a JobSummary> {
        jobs.get(*self.job_order.get(self.jobs.at)?)
    }

    /// The scripts changed, or how they are looked at.
    pub fn order_scripts(&mut self, scripts: &[ScriptInfo], besides: &Besides, now: Timestamp, height: usize) {
        let rows = Scripts { all: scripts, now, besides: Some(besides) };
        let look = &mut self.script_look;
        let order = look.passing(&rows, &|row: usize| Cow::Borrowed(scripts[row].name.as_str()));
        let sought = look.was_sought();
        self.script_order = order.into_iter().map(|row| row as usize).collect();
        self.branches.build(&self.script_order, look.narrowed(), look.only_problems);
        let name = |row: &Row| match *row {
            Row::Script(at, _) => scripts.get(at as usize).map(|script| script.name.as_str()),
            Row::System { .. } | Row::Category { .. } => None,
        };
        let rows = &self.branches.rows;
        // a mark in a branch that is closed is not seen
        look.count_unseen(rows.iter().filter_map(name).map(Cow::Borrowed));
        let home = look.home.as_ref().filter(|_| self.scripts.touched).and_then(|home| match home.starts_with('/') {
            // under a filter a branch is only on the way to what passes
            true if sought && look.narrowed() => None,
            true => rows.iter().position(|row| self.branches.path_of(*row).as_ref() == Some(home)),
            false => rows.iter().position(|row| name(row) == Some(home)),
        });
        // the first script that is named, else that passes; not the branch it hangs on
        let meant = sought.then(|| {
            let named = rows.iter().position(|row| name(row).is_some_and(|name| look.names(name)));
            named.or_else(|| rows.iter().position(|row| name(row).is_some())).unwrap_or(0)
        });
        branches::place(rows, home, meant, &mut self.scripts, height);
    }

    /// The jobs changed, or how they are looked at.
    pub fn order_jobs(&mut self, jobs: &[JobSummary], now: Timestamp, height: usize) {
        let rows = Jobs { all: jobs, now };
        let order = self.job_look.order(&rows, |row| Cow::Owned(jobs[row].id.to_string()), &mut self.jobs, height);
        self.job_order = order.into_iter().map(|row| row as usize).collect();
    }
}
