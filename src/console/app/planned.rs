//! The devices of the plan in the launch dialog, one by one, and those that were left out: a list like any other, with
//! the columns that devices have and why one is left out. Takes no marks: what it shows is what the launch is on.

use std::borrow::Cow;
use std::sync::Arc;

use super::commands::Do;
use super::list::{Cursor, Look};
use super::tree::Tree;
use super::{App, Layer};
use crate::model::device::Device;
use crate::model::filter::{Column, Kind, Rows, Wrong};
use crate::model::plan::Plan;
use crate::model::rows::Devices;

/// The open list.
#[derive(Debug, Default)]
pub struct DeviceList {
    pub cursor: Cursor,
    pub look: Look,
    /// Rows shown: the plan's devices, then those left out.
    pub order: Vec<u32>,
    /// Of which plan.
    of: String,
}

/// The rows of a plan.
pub struct Planned<'a> {
    plan: &'a Plan,
    known: Devices<'a>,
    by_id: &'a std::collections::HashMap<String, usize>,
    columns: Vec<Column>,
}

/// The columns of devices, and why one is left out.
pub fn columns(tree: &Tree) -> Vec<Column> {
    tree.columns().iter().cloned().chain([Column::new("left-out", Kind::Text)]).collect()
}

impl<'a> Planned<'a> {
    pub fn new(plan: &'a Plan, tree: &'a Tree) -> Self {
        Self { plan, known: tree.devices(), by_id: &tree.by_id, columns: columns(tree) }
    }

    /// The device's id, and why it is left out.
    pub fn row(&self, row: usize) -> (&'a str, Option<&'a str>) {
        match self.plan.devices.get(row) {
            Some(id) => (id, None),
            None => {
                let (id, why) = &self.plan.excluded[row - self.plan.devices.len()];
                (id, Some(why))
            }
        }
    }

    /// Where it is known.
    pub fn device(&self, row: usize) -> Option<&'a Arc<Device>> {
        self.at(row).map(|at| &self.known.all[at])
    }

    fn at(&self, row: usize) -> Option<usize> {
        self.by_id.get(self.row(row).0).copied()
    }
}

impl Rows for Planned<'_> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn len(&self) -> usize {
        self.plan.devices.len() + self.plan.excluded.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let (id, why) = self.row(row);
        match (column, self.at(row)) {
            (0, _) => id,
            (column, _) if column + 1 == self.columns.len() => why.unwrap_or(""),
            (column, Some(at)) => self.known.text(at, column, room),
            (_, None) => "",
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        if column + 1 == self.columns.len() { None } else { self.known.number(self.at(row)?, column) }
    }

    fn troubled(&self, row: usize) -> bool {
        self.row(row).1.is_some() || self.at(row).is_some_and(|at| self.known.troubled(at))
    }
}

impl App {
    pub(super) fn filter_planned(&mut self, text: &str) -> Result<(), Wrong> {
        let (Some(mut list), Some(plan)) = self.planned() else { return Ok(()) };
        let set = list.look.set_filter(text, &Planned::new(&plan, &self.tree));
        self.put_planned(list, plan);
        set
    }

    /// Another plan has come: its rows are put in order.
    pub(super) fn settle_planned(&mut self) {
        let other = self.launch().is_some_and(|launch| match (&launch.devices, &launch.plan) {
            (Some(list), Some(plan)) => list.of != plan.id,
            _ => false,
        });
        if other {
            self.relist(super::list::ListId::Planned);
        }
    }

    /// Puts its rows in order.
    pub(super) fn list_planned(&mut self) {
        let height = self.rows_of(super::list::ListId::Planned);
        let (Some(mut list), Some(plan)) = self.planned() else { return };
        let rows = Planned::new(&plan, &self.tree);
        let key = |row: usize| Cow::Borrowed(rows.row(row).0);
        list.order = list.look.order(&rows, key, &mut list.cursor, height);
        list.of.clone_from(&plan.id);
        self.put_planned(list, plan);
    }

    /// List and plan, out of the dialog: what they are looked at with is the console's.
    fn planned(&mut self) -> (Option<DeviceList>, Option<Plan>) {
        match self.launch_mut() {
            Some(launch) if launch.devices.is_some() && launch.plan.is_some() => {
                (launch.devices.take(), launch.plan.take())
            }
            _ => (None, None),
        }
    }

    fn put_planned(&mut self, list: DeviceList, plan: Plan) {
        if let Some(launch) = self.launch_mut() {
            (launch.devices, launch.plan) = (Some(list), Some(plan));
        }
    }

    /// Verbs of the open device list. `false`: it is none of its.
    pub(super) fn in_planned(&mut self, verb: Do) -> bool {
        let list = super::list::ListId::Planned;
        if self.list_here() != Some(list) || !matches!(self.layers.last(), Some(Layer::Launch(_))) {
            return false;
        }
        let height = self.rows_of(list);
        match verb {
            // One level: the filter, then the list.
            Do::Cancel | Do::Back | Do::QuitOrBack
                if self
                    .look_mut(list)
                    .is_some_and(|look| look.step_back() || std::mem::take(&mut look.only_problems)) =>
            {
                self.sift(list);
            }
            Do::Cancel | Do::Back | Do::QuitOrBack | Do::DeviceList | Do::Accept => {
                if let Some(launch) = self.launch_mut() {
                    launch.devices = None;
                }
            }
            Do::Columns => self.hint = Some("this list has the same columns always".into()),
            verb => {
                let Some(devices) = self.launch_mut().and_then(|launch| launch.devices.as_mut()) else { return false };
                let len = devices.order.len();
                return devices.cursor.go(verb, len, height) || self.in_list(list, verb);
            }
        }
        true
    }
}
