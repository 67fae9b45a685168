//! Screen 1: what is focused, where the cursors are, and how each list is looked at. The lists themselves live in
//! `App`; this room keeps their order and sees that a cursor stays on the same thing when a list changes.

use std::borrow::Cow;

use jiff::Timestamp;

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
    pub script_order: Vec<usize>,
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
        scripts.get(*self.script_order.get(self.scripts.at)?)
    }

    pub fn job<'a>(&self, jobs: &'a [JobSummary]) -> Option<&'a JobSummary> {
        jobs.get(*self.job_order.get(self.jobs.at)?)
    }

    /// The scripts changed, or how they are looked at.
    pub fn order_scripts(&mut self, scripts: &[ScriptInfo], besides: &Besides, now: Timestamp, height: usize) {
        let rows = Scripts { all: scripts, now, besides: Some(besides) };
        let order =
            self.script_look.order(&rows, |row| Cow::Borrowed(scripts[row].name.as_str()), &mut self.scripts, height);
        self.script_order = order.into_iter().map(|row| row as usize).collect();
    }

    /// The jobs changed, or how they are looked at.
    pub fn order_jobs(&mut self, jobs: &[JobSummary], now: Timestamp, height: usize) {
        let rows = Jobs { all: jobs, now };
        let order = self.job_look.order(&rows, |row| Cow::Owned(jobs[row].id.to_string()), &mut self.jobs, height);
        self.job_order = order.into_iter().map(|row| row as usize).collect();
    }
}
