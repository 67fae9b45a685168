//! The targets as a tree: everything, connections, groups, folded node sets, devices, kept expressions. Owns
//! the flattened rows (built when something changes, never per frame), what is open, and how it is looked at.
//!
//! Under a filter only branches with something that passes are there, opened as far as that is little. A group's
//! numbers and its term stay those of the whole group: what is shown for a row is what a verb does to it.

mod reach;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use self::reach::Tallies;
use super::list::Look;
use super::marks::{Marked, with_mark};
use crate::console::text;
use crate::model::connection;
use crate::model::device::{Device, Inventory, Reach};
use crate::model::filter::{self, Column, Wrong};
use crate::model::job::JobId;
use crate::model::nodeset;
use crate::model::rows::{Devices, device_columns};
use crate::model::saved::SavedTarget;
use crate::model::target::{self, JobSet, Left};
use crate::model::wire::Targets;

/// Deeper nesting of groups is cut off: an inventory may hold a cycle.
const DEPTH: usize = 12;
/// Under a filter a branch with more devices than this stays closed.
const OPENED: usize = 40;
/// Jobs of which there is a row for what they left failed.
const FAILED: usize = 3;
/// What the rows can be sorted by.
pub const COLUMNS: [&str; 4] = ["group", "dev", "online", "prob"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub devices: usize,
    pub online: usize,
    pub offline: usize,
    pub refused: usize,
    /// No script can run on them, whatever their state.
    pub cannot: usize,
}

impl Tally {
    fn add(&mut self, device: &Device) {
        self.devices += 1;
        self.cannot += usize::from(device.cannot.is_some());
        match device.state {
            Reach::Online => self.online += 1,
            Reach::Offline => self.offline += 1,
            Reach::Refused => self.refused += 1,
            Reach::Unknown => {}
        }
    }

    pub const fn problems(&self) -> usize {
        self.offline + self.refused
    }

    /// There are some, and no script can run on any of them.
    pub const fn idle(&self) -> bool {
        self.devices > 0 && self.cannot == self.devices
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    All,
    Connection(usize),
    Group(usize),
    /// Devices whose names fold into one node set.
    Set(Arc<[usize]>),
    Device(usize),
    /// An expression that the operator wrote and kept.
    Saved(usize),
    /// A line between parts; the cursor passes it by.
    Heading,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub kind: Kind,
    pub depth: usize,
    /// The last one among its siblings, per depth: how the tree lines are drawn.
    pub last: Vec<bool>,
    pub label: String,
    /// The target expression that means this row.
    pub term: String,
    pub tally: Tally,
    /// `None`: nothing to open.
    pub open: Option<bool>,
    /// Where it hangs; what `open` is remembered by.
    pub path: String,
    /// It passes the filter itself, and is not only on the way to what does.
    pub hit: bool,
}

/// The targets pane's contents.
#[derive(Debug, Default)]
pub struct Tree {
    pub targets: Targets,
    pub by_id: HashMap<String, usize>,
    pub rows: Vec<Row>,
    tallies: Tallies,
    /// Of all devices.
    pub total: Tally,
    /// Paths that are open although closed by default, or closed although open by default.
    pub turned: HashSet<String>,
    /// Its marks are terms, in an order of their own so that an expression does not depend on when they were marked.
    pub look: Look,
    pub saved: Vec<Saved>,
    /// Columns that a filter of devices knows.
    columns: Vec<Column>,
    /// Devices that pass the filter, in order; `None`: there is no filter.
    passing: Option<Vec<bool>>,
    /// How many these are.
    pub passed: usize,
    /// The time, for ages in a filter.
    pub now: Option<Timestamp>,
    /// Cells that the longest name takes with what stands before it: of all rows, and in a narrow pane, where a branch is
    /// one cell wide and a device's row has no numbers.
    pub longest: usize,
    pub longest_narrow: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub expr: String,
    /// It is a name that the engine keeps, and stands for this.
    pub named: Option<String>,
    /// Nobody wrote it: what this job left failed, for as long as the job is one of the newest that did.
    pub failed: Option<JobId>,
    /// `None`: not resolved yet.
    pub answer: Option<Result<Tally, String>>,
}

impl Saved {
    /// Written by the operator.
    pub fn own(expr: String) -> Self {
        Self { expr, named: None, failed: None, answer: None }
    }

    pub const fn is_own(&self) -> bool {
        self.named.is_none() && self.failed.is_none()
    }

    /// As its row is called, in full and in fewer and fewer cells. `sign`: of a failure.
    pub fn labels(&self, sign: char) -> Vec<String> {
        match self.failed {
            Some(job) => vec![format!("failed in {job}"), format!("failed {job}"), format!("{sign} {job}")],
            None => vec![self.expr.clone()],
        }
    }

    /// As a part of a larger expression.
    fn term(&self) -> String {
        if self.expr.contains([' ', '&', '|', '!']) { format!("({})", self.expr) } else { self.expr.clone() }
    }
}

impl Tree {
    pub fn set(&mut self, targets: Targets) {
        self.by_id = targets.devices.iter().enumerate().map(|(at, d)| (d.id.clone(), at)).collect();
        self.total = Tally::default();
        targets.devices.iter().for_each(|d| self.total.add(d));
        self.tallies = Tallies::of(&targets, |id| self.by_id.get(id).copied());
        self.columns = device_columns(&targets.devices);
        self.targets = targets;
        if !self.look.text.is_empty() {
            // Other devices have other facts, so other columns.
            match filter::parse(&self.look.text, &with_mark(&self.columns)) {
                Ok(filter) => self.look.filter = filter,
                Err(_) => self.look.clear_filter(),
            }
        }
        self.sift();
        self.build();
    }

    /// A filter of the devices, and of groups by name.
    ///
    /// # Errors
    /// Where it is wrong; the last one stays in force.
    pub fn set_filter(&mut self, text: &str) -> Result<(), Wrong> {
        let rows = Devices::new(&self.targets.devices, &self.columns, Timestamp::UNIX_EPOCH);
        self.look.set_filter(text, &rows)?;
        self.sift();
        self.build();
        Ok(())
    }

    /// The devices as rows.
    pub fn devices(&self) -> Devices<'_> {
        Devices::new(&self.targets.devices, &self.columns, self.now.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Columns that a filter knows.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Works out which devices pass. Ages are as of the last contact any of them had.
    pub fn sift(&mut self) {
        self.look.total = self.targets.devices.len();
        if self.look.filter.is_empty() {
            (self.passing, self.passed) = (None, self.look.total);
            return;
        }
        let devices = &self.targets.devices;
        let now = devices.iter().filter_map(|device| device.last_contact).max().unwrap_or(Timestamp::UNIX_EPOCH);
        let rows = Devices::new(devices, &self.columns, self.now.unwrap_or(now));
        let mut passing = vec![false; devices.len()];
        let marked = if self.look.filter.asks(self.columns.len()) { self.covered() } else { Vec::new() };
        let rows = Marked::new(&rows, |device| marked.get(device).is_some_and(|marked| *marked));
        let passed = filter::passing(&self.look.filter, &rows);
        passed.iter().for_each(|row| passing[*row as usize] = true);
        (self.passed, self.passing) = (passed.len(), Some(passing));
    }

    /// Devices that a mark stands for: their own, or that of a group.
    fn covered(&self) -> Vec<bool> {
        let mut covered = vec![false; self.targets.devices.len()];
        let (devices, groups) = (self.targets.devices.clone(), self.targets.groups.clone());
        let inventory = Inventory { devices, groups, ..Inventory::default() };
        if let Ok(expr) = target::parse(&self.marked())
            && let Ok(devices) = expr.resolve(&inventory, &target::Sets::new())
        {
            devices.into_iter().filter_map(|device| self.by_id.get(&device.id)).for_each(|at| covered[*at] = true);
        }
        covered
    }

    fn passes(&self, device: usize) -> bool {
        self.passing.as_ref().is_none_or(|passing| passing.get(device).copied().unwrap_or(false))
    }

    /// A name of its own passes the filter.
    fn named(&self, name: &str) -> bool {
        self.passing.is_some() && self.look.filter.passes_name(name)
    }

    /// Siblings in the order asked for.
    fn sorted<T>(&self, items: &mut [T], name: impl Fn(&T) -> String, tally: impl Fn(&T) -> Tally) {
        let sort = self.look.sort;
        items.sort_by(|a, b| {
            let (x, y) = (tally(a), tally(b));
            let order = match sort.column {
                1 => y.devices.cmp(&x.devices),
                2 => y.online.cmp(&x.online),
                3 => y.problems().cmp(&x.problems()),
                _ => std::cmp::Ordering::Equal,
            };
            let order = order.then_with(|| nodeset::natural(&name(a), &name(b)));
            if sort.reverse { order.reverse() } else { order }
        });
    }

    pub fn device(&self, id: &str) -> Option<&Arc<Device>> {
        self.by_id.get(id).map(|at| &self.targets.devices[*at])
    }

    pub fn tally_of<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Tally {
        let mut tally = Tally::default();
        ids.into_iter().filter_map(|id| self.device(id)).for_each(|d| tally.add(d));
        tally
    }

    /// What the engine keeps under names stands behind what was kept here; what is known of them stays. (What jobs left
    /// failed it keeps as well: here that is known as soon as a job ends.)
    pub fn set_named(&mut self, named: &[SavedTarget]) {
        let named = named.iter().filter(|target| !target.name.contains(':'));
        let old: Vec<Saved> = self.saved.extract_if(.., |saved| saved.named.is_some()).collect();
        let failed: Vec<Saved> = self.saved.extract_if(.., |saved| saved.failed.is_some()).collect();
        self.saved.extend(named.map(|target| {
            let named = Some(target.expr.clone());
            let answer = old.iter().find(|old| old.named == named).and_then(|old| old.answer.clone());
            Saved { expr: format!("@{}", target.name), named, failed: None, answer }
        }));
        self.saved.extend(failed);
    }

    /// What these jobs left failed, newest first, behind what is kept: a follow-up needs no copying of names. `true`:
    /// something is different.
    pub fn set_failed(&mut self, jobs: impl Iterator<Item = JobId>) -> bool {
        let jobs: Vec<JobId> = jobs.take(FAILED).collect();
        let before: Vec<JobId> = self.saved.iter().filter_map(|saved| saved.failed).collect();
        if jobs == before {
            return false;
        }
        let old: Vec<Saved> = self.saved.extract_if(.., |saved| saved.failed.is_some()).collect();
        self.saved.extend(jobs.into_iter().map(|job| {
            let answer = old.iter().find(|old| old.failed == Some(job)).and_then(|old| old.answer.clone());
            let expr = JobSet { job, left: Left::Failed }.to_string();
            Saved { expr, named: None, failed: Some(job), answer }
        }));
        true
    }

    /// The marked terms as one expression; empty: nothing marked.
    pub fn marked(&self) -> String {
        self.look.marks.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }

    pub fn turn(&mut self, path: &str) {
        let path = self.turned_as(path);
        if !self.turned.remove(&path) {
            self.turned.insert(path);
        }
        self.build();
    }

    fn is_open(&self, path: &str, by_default: bool) -> bool {
        self.turned.contains(&self.turned_as(path)) != by_default
    }

    /// What is opened under a filter says nothing about the tree without one.
    fn turned_as(&self, path: &str) -> String {
        if self.passing.is_some() { format!("?{path}") } else { path.to_owned() }
    }

    /// Opens what hides the device; its row.
    pub fn reveal_device(&mut self, device: usize) -> Option<usize> {
        self.reveal(
            |row| row.kind == Kind::Device(device),
            |tree, row| tree.members(row).iter().any(|member| tree.by_id.get(&member.id) == Some(&device)),
        )
    }

    /// The same of a group.
    pub fn reveal_group(&mut self, group: usize) -> Option<usize> {
        let (connection, devices) =
            (self.targets.groups[group].connection.clone(), self.targets.groups[group].devices.clone());
        self.reveal(
            |row| row.kind == Kind::Group(group),
            |tree, row| match row.kind {
                Kind::Connection(at) => tree.targets.connections[at].name == connection,
                Kind::Group(at) => devices.iter().all(|id| tree.targets.groups[at].devices.binary_search(id).is_ok()),
                _ => false,
            },
        )
    }

    /// Opens the nearest row that holds what is looked for, until its own row is there.
    fn reveal(&mut self, is: impl Fn(&Row) -> bool, holds: impl Fn(&Self, &Row) -> bool) -> Option<usize> {
        if self.look.narrowed() {
            self.look.only_problems = false;
            self.look.clear_filter();
            self.sift();
            self.build();
        }
        for _ in 0..=DEPTH {
            if let Some(at) = self.rows.iter().position(&is) {
                return Some(at);
            }
            let closed = self.rows.iter().filter(|row| row.open == Some(false) && holds(self, row));
            let path = closed.max_by_key(|row| row.depth)?.path.clone();
            self.turn(&path);
        }
        None
    }

    /// A device id of this very machine.
    pub fn is_here(&self, device: &str) -> bool {
        let Some((connection, _)) = device.split_once(':') else { return false };
        self.targets
            .connections
            .iter()
            .any(|info| info.name == connection && info.kind == connection::Kind::Local.word())
    }

    /// The devices a row stands for.
    pub fn members(&self, row: &Row) -> Vec<&Arc<Device>> {
        let all = &self.targets.devices;
        match row.kind {
            Kind::All => all.iter().collect(),
            Kind::Connection(at) => {
                let name = &self.targets.connections[at].name;
                all.iter().filter(|d| d.connection == *name).collect()
            }
            Kind::Group(at) => self.targets.groups[at].devices.iter().filter_map(|id| self.device(id)).collect(),
            Kind::Device(at) => all.get(at).into_iter().collect(),
            Kind::Set(ref members) => members.iter().filter_map(|at| all.get(*at)).collect(),
            Kind::Saved(_) | Kind::Heading => Vec::new(),
        }
    }

    /// Builds the rows anew. Cost follows what is open.
    pub fn build(&mut self) {
        let mut rows = Vec::new();
        if self.targets.devices.len() > 1 && self.passing.is_none() {
            rows.push(Row {
                kind: Kind::All,
                depth: 0,
                last: vec![],
                label: "all".into(),
                term: "@all".into(),
                tally: self.total,
                open: None,
                path: "@all".into(),
                hit: true,
            });
        }
        for at in 0..self.targets.connections.len() {
            self.connection(at, &mut rows);
        }
        if self.look.only_problems {
            rows.retain(|row| row.tally.problems() > 0);
        }
        let shown = |saved: &Saved| {
            self.passing.is_none() || self.named(&saved.expr) || self.look.marks.contains(&saved.term())
        };
        if self.saved.iter().any(shown) {
            rows.push(Row {
                kind: Kind::Heading,
                depth: 0,
                last: vec![],
                label: if self.saved.iter().any(|saved| saved.named.is_some() || saved.failed.is_some()) {
                    "saved"
                } else {
                    "expressions"
                }
                .into(),
                term: String::new(),
                tally: Tally::default(),
                open: None,
                path: String::new(),
                hit: false,
            });
        }
        for (at, saved) in self.saved.iter().enumerate().filter(|(_, saved)| shown(saved)) {
            let tally = match &saved.answer {
                Some(Ok(tally)) => *tally,
                _ => Tally::default(),
            };
            let (label, path) = (saved.labels('x').swap_remove(0), format!("={}", saved.expr));
            let term = saved.term();
            let kind = Kind::Saved(at);
            rows.push(Row { kind, depth: 0, last: vec![], label, term, tally, open: None, path, hit: true });
        }
        let terms: BTreeSet<&str> = rows.iter().map(|row| row.term.as_str()).collect();
        self.look.count_unseen(terms.into_iter().map(Cow::Borrowed));
        let wide = |row: &Row| text::width(&row.label) + 2;
        self.longest = rows.iter().map(|row| wide(row) + 2 * row.depth).max().unwrap_or(0);
        let numbered = rows.iter().filter(|row| !matches!(row.kind, Kind::Device(_) | Kind::Saved(_)));
        self.longest_narrow = numbered.map(|row| wide(row) + row.depth).max().unwrap_or(0);
        self.rows = rows;
    }

    fn connection(&self, at: usize, rows: &mut Vec<Row>) {
        let info = &self.targets.connections[at];
        let here: Vec<usize> =
            (0..self.targets.groups.len()).filter(|g| self.targets.groups[*g].connection == info.name).collect();
        let children: HashSet<&str> =
            here.iter().flat_map(|g| self.targets.groups[*g].children.iter().map(String::as_str)).collect();
        let mut roots: Vec<usize> =
            here.iter().copied().filter(|g| !children.contains(self.targets.groups[*g].name.as_str())).collect();
        let tally = self.tallies.connections[at];
        let mut loose = Vec::new();
        let mut passing = 0;
        for (n, device) in self.targets.devices.iter().enumerate() {
            if device.connection == info.name {
                passing += usize::from(self.passes(n));
                if device.groups.is_empty() && self.passes(n) {
                    loose.push(n);
                }
            }
        }
        roots.retain(|group| self.group_shown(*group));
        let hit = self.passing.is_none() || self.named(&info.name) || self.look.marks.contains(&info.name);
        if passing == 0 && roots.is_empty() && !hit {
            return;
        }
        self.sorted(&mut roots, |g| self.targets.groups[*g].name.clone(), |g| self.tallies.groups[*g]);
        // One lonely device needs no branch.
        let single = tally.devices <= 1 && here.is_empty();
        let path = info.name.clone();
        let open = self.is_open(&path, true);
        rows.push(Row {
            kind: Kind::Connection(at),
            depth: 0,
            last: vec![],
            label: info.name.clone(),
            term: info.name.clone(),
            tally,
            open: (!single).then_some(open),
            path: path.clone(),
            hit,
        });
        if single || !open {
            return;
        }
        let by_name: HashMap<&str, usize> = here.iter().map(|g| (self.targets.groups[*g].name.as_str(), *g)).collect();
        let sets = self.sets(&info.name, &loose);
        let count = roots.len() + sets.len();
        for (n, group) in roots.into_iter().enumerate() {
            self.group(group, &by_name, &path, vec![n + 1 == count], rows);
        }
        let from = count - sets.len();
        for (n, (label, members)) in sets.into_iter().enumerate() {
            self.set_row(&info.name, label, &members, &path, vec![from + n + 1 == count], rows);
        }
    }

    fn group(&self, at: usize, by_name: &HashMap<&str, usize>, parent: &str, last: Vec<bool>, rows: &mut Vec<Row>) {
        let group = &self.targets.groups[at];
        let path = format!("{parent}/{}", group.name);
        let depth = last.len();
        let named = self.named(&group.name);
        let passing = if self.passing.is_some() { self.passing_in(at) } else { 0 };
        let open = self.is_open(&path, passing > 0 && passing <= OPENED && !named) && depth < DEPTH;
        // Another connection may have a group of the same name.
        let twin = self.targets.groups.iter().filter(|g| g.name == group.name).take(2).count() > 1;
        let term = if twin { format!("{}:{}", group.connection, quoted(&group.name)) } else { quoted(&group.name) };
        rows.push(Row {
            kind: Kind::Group(at),
            depth,
            last: last.clone(),
            label: group.name.clone(),
            tally: self.tallies.groups[at],
            open: (!group.devices.is_empty() || !group.children.is_empty()).then_some(open),
            path: path.clone(),
            hit: named || self.passing.is_none() || self.look.marks.contains(&term),
            term,
        });
        if !open {
            return;
        }
        let mut children: Vec<usize> =
            group.children.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect();
        self.sorted(&mut children, |g| self.targets.groups[*g].name.clone(), |g| self.tallies.groups[*g]);
        let inside: HashSet<&str> =
            children.iter().flat_map(|c| self.targets.groups[*c].devices.iter().map(String::as_str)).collect();
        let direct: Vec<usize> = group
            .devices
            .iter()
            .filter(|id| !inside.contains(id.as_str()))
            .filter_map(|id| self.by_id.get(id).copied())
            .filter(|device| self.passes(*device))
            .collect();
        children.retain(|child| self.group_shown(*child));
        let sets = self.sets(&group.connection, &direct);
        let count = children.len() + sets.len();
        let branch = |n: usize| {
            let mut branch = last.clone();
            branch.push(n + 1 == count);
            branch
        };
        for (n, child) in children.iter().enumerate() {
            self.group(*child, by_name, &path, branch(n), rows);
        }
        for (n, (label, members)) in sets.into_iter().enumerate() {
            self.set_row(&group.connection, label, &members, &path, branch(children.len() + n), rows);
        }
    }

    fn passing_in(&self, group: usize) -> usize {
        let devices = &self.targets.groups[group].devices;
        devices.iter().filter(|id| self.by_id.get(*id).is_some_and(|device| self.passes(*device))).count()
    }

    /// Without a filter every group is; under one, what passes by name or holds something that passes.
    fn group_shown(&self, group: usize) -> bool {
        self.passing.is_none() || self.named(&self.targets.groups[group].name) || self.passing_in(group) > 0
    }

    fn set_row(
        &self,
        connection: &str,
        label: String,
        members: &[usize],
        parent: &str,
        last: Vec<bool>,
        rows: &mut Vec<Row>,
    ) {
        if let [only] = members {
            rows.push(self.device_row(*only, parent, last));
            return;
        }
        let path = format!("{parent}/{label}");
        let open = self.is_open(&path, self.passing.is_some() && members.len() <= OPENED);
        let mut tally = Tally::default();
        members.iter().for_each(|m| tally.add(&self.targets.devices[*m]));
        rows.push(Row {
            kind: Kind::Set(members.into()),
            depth: last.len(),
            last: last.clone(),
            term: format!("{connection}:{label}"),
            label,
            tally,
            open: Some(open),
            path: path.clone(),
            hit: true,
        });
        if open {
            for (n, member) in members.iter().enumerate() {
                let mut branch = last.clone();
                branch.push(n + 1 == members.len());
                rows.push(self.device_row(*member, &path, branch));
            }
        }
    }

    fn device_row(&self, at: usize, parent: &str, last: Vec<bool>) -> Row {
        let device = &self.targets.devices[at];
        let mut tally = Tally::default();
        tally.add(device);
        Row {
            kind: Kind::Device(at),
            depth: last.len(),
            last,
            label: device.name.clone(),
            term: format!("{}:{}", device.connection, quoted(&device.name)),
            tally,
            open: None,
            path: format!("{parent}/{}", device.name),
            hit: true,
        }
    }

    /// Devices folded into node sets, in natural order: each set's text and members.
    fn sets(&self, connection: &str, devices: &[usize]) -> Vec<(String, Vec<usize>)> {
        let devices_of = &self.targets.devices;
        let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        // Names that the notation cannot hold, or an expression would misread without quotes, stand alone.
        let (plain, odd): (Vec<usize>, Vec<usize>) = devices.iter().partition(|d| is_plain(&devices_of[**d].name));
        let folded = nodeset::fold(plain.iter().map(|d| devices_of[*d].name.as_str()));
        for part in parts(&folded) {
            let names = nodeset::expand(part, devices_of.len().max(1)).unwrap_or_default();
            let members: Vec<usize> =
                names.iter().filter_map(|name| self.by_id.get(&format!("{connection}:{name}")).copied()).collect();
            if !members.is_empty() {
                sets.insert(part.to_owned(), members);
            }
        }
        for device in odd {
            sets.insert(devices_of[device].name.clone(), vec![device]);
        }
        let mut sets: Vec<_> = sets.into_iter().collect();
        let tally = |members: &[usize]| {
            let mut tally = Tally::default();
            members.iter().for_each(|member| tally.add(&devices_of[*member]));
            tally
        };
        self.sorted(&mut sets, |set| set.0.clone(), |set| tally(&set.1));
        sets
    }
}

/// A folded text at its outer commas.
pub(super) fn parts(folded: &str) -> Vec<&str> {
    let (mut from, mut depth, mut found) = (0, 0, Vec::new());
    for (at, c) in folded.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&folded[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if from < folded.len() {
        found.push(&folded[from..]);
    }
    found
}

/// Nothing in the name means anything to the expression language.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// A name as the expression language reads it back.
pub fn quoted(name: &str) -> String {
    if is_plain(name) {
        return name.to_owned();
    }
    let mut quoted = String::from('"');
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
