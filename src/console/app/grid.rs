//! The grid of the live view: which devices stand in which cell. Cells keep their place, in the plan's order or by a
//! fact of the devices; where there are more devices than cells, one stands for several. Shared by motions and
//! drawing, so that both mean the same cells.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::layout::{Position, Rect};

use super::commands::Do;
use super::tree::Tree;
use crate::model::device::Device;
use crate::model::job::{Job, Run};
use crate::model::nodeset;

/// What the cells are grouped by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Order,
    Ring,
    Connection,
    Group,
    State,
    Fact(String),
}

impl By {
    pub fn word(&self) -> &str {
        match self {
            By::Order => "plan's order",
            By::Ring => "ring",
            By::Connection => "connection",
            By::Group => "group",
            By::State => "state",
            By::Fact(fact) => fact,
        }
    }
}

/// Rows of cells; the first row of a group has its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    pub rows: Vec<Row>,
    /// Devices in a cell.
    pub each: usize,
    /// Columns of the labels before the cells; 0: there are none.
    pub labels: u16,
    pub groups: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Name of the group, and how many devices it has.
    pub label: Option<(String, usize)>,
    /// Run indexes.
    pub cells: Vec<Vec<u32>>,
}

/// A fact of more values than this tells nothing at a glance.
const VALUES: usize = 40;
const LABEL: usize = 14;
pub use crate::model::device::REACHED;

fn device<'a>(tree: &'a Tree, run: &Run) -> Option<&'a Arc<Device>> {
    tree.by_id.get(&run.device).and_then(|at| tree.targets.devices.get(*at))
}

/// What this job's devices can be grouped by.
pub fn choices(job: &Job, tree: &Tree) -> Vec<By> {
    let mut connections: Vec<&str> = Vec::new();
    let mut grouped = false;
    let mut facts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for run in &job.runs {
        connections.push(run.device.split(':').next().unwrap_or_default());
        let Some(device) = device(tree, run) else { continue };
        grouped |= !device.groups.is_empty();
        for (fact, value) in &device.facts {
            *facts.entry(fact).or_default().entry(value).or_default() += 1;
        }
    }
    connections.sort_unstable();
    connections.dedup();
    let most = VALUES.min(job.runs.len() / 2).max(2);
    let telling = facts.into_iter().filter(|(_, values)| (2..=most).contains(&values.len()));
    let mut choices = vec![By::Order];
    if job.summary.progress.rings > 1 {
        choices.push(By::Ring);
    }
    if connections.len() > 1 {
        choices.push(By::Connection);
    }
    if grouped {
        choices.push(By::Group);
    }
    choices.push(By::State);
    choices.extend(telling.map(|(fact, _)| By::Fact(fact.to_owned())));
    choices
}

/// Runs by group, in the order of the groups' names (states: as they are ranked).
fn groups(by: &By, job: &Job, tree: &Tree) -> Vec<(String, Vec<u32>)> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    if *by == By::Group {
        for name in job.runs.iter().filter_map(|run| device(tree, run)).flat_map(|device| &device.groups) {
            *sizes.entry(name).or_default() += 1;
        }
    }
    let none = || "(none)".to_owned();
    let label = |run: &Run| match by {
        By::Order => String::new(),
        By::Ring => format!("ring {}", run.ring),
        By::Connection => run.device.split(':').next().unwrap_or_default().to_owned(),
        By::State => run.state.word().to_owned(),
        // of all groups a device is in, the one that says most about it
        By::Group => device(tree, run)
            .and_then(|device| device.groups.iter().min_by_key(|name| sizes.get(name.as_str())))
            .cloned()
            .unwrap_or_else(none),
        By::Fact(fact) => device(tree, run).and_then(|device| device.facts.get(fact)).cloned().unwrap_or_else(none),
    };
    let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    // cells keep their place: by ring, then by the plan's order
    let mut runs: Vec<&Run> = job.runs.iter().collect();
    runs.sort_by_key(|run| run.ring);
    for run in runs {
        let name = label(run);
        let at = *places.entry(name.clone()).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(run.index);
    }
    let rank = |runs: &[u32]| runs.first().and_then(|at| job.runs.get(*at as usize)).map(|run| run.state.rank());
    groups.sort_by(|a, b| match by {
        By::State => rank(&a.1).cmp(&rank(&b.1)),
        _ => nodeset::natural(&a.0, &b.0),
    });
    groups
}

/// Cells in an area of so many columns and rows.
pub fn lay_out(by: &By, job: &Job, tree: &Tree, columns: usize, height: usize) -> Grid {
    let mut groups = groups(by, job, tree);
    let found = groups.len();
    let height = height.max(1);
    if groups.len() > height {
        // the smallest ones share the last row
        groups.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.len()));
        let rest = groups.split_off(height - 1);
        let mut runs: Vec<u32> = rest.iter().flat_map(|(_, runs)| runs.iter().copied()).collect();
        runs.sort_unstable();
        groups.push((format!("{} others", rest.len()), runs));
    }
    let longest = groups.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(LABEL);
    let digits = groups.iter().map(|(_, runs)| runs.len().to_string().len()).max().unwrap_or(1);
    let labels = if *by == By::Order { 0 } else { (longest + digits + 3).min(columns / 2) };
    let across = columns.saturating_sub(labels).max(1);
    let rows = |each: usize| groups.iter().map(|(_, runs)| runs.len().div_ceil(each).div_ceil(across)).sum::<usize>();
    let mut each = job.runs.len().div_ceil(across * height).max(1);
    while rows(each) > height {
        each += 1;
    }
    let mut grid = Grid { rows: Vec::new(), each, labels: labels as u16, groups: found };
    for (name, runs) in &groups {
        let cells: Vec<Vec<u32>> = runs.chunks(each).map(<[u32]>::to_vec).collect();
        for (n, row) in cells.chunks(across).enumerate() {
            let label = (n == 0 && labels > 0).then(|| (name.clone(), runs.len()));
            grid.rows.push(Row { label, cells: row.to_vec() });
        }
    }
    grid
}

impl Grid {
    /// Row and column of the cell that this run is in.
    pub fn find(&self, run: u32) -> Option<(usize, usize)> {
        self.rows
            .iter()
            .enumerate()
            .find_map(|(y, row)| row.cells.iter().position(|cell| cell.contains(&run)).map(|x| (y, x)))
    }

    /// The runs of the cell that is drawn there.
    pub fn cell(&self, inside: Rect, at: Position) -> Option<&[u32]> {
        if !inside.contains(at) {
            return None;
        }
        let row = self.rows.get(usize::from(at.y - inside.y))?;
        let x = (at.x - inside.x).checked_sub(self.labels)?;
        row.cells.get(usize::from(x)).map(Vec::as_slice)
    }

    /// The first run of the cell that a motion leads to. `None`: it is no motion of cells.
    pub fn go(&self, verb: Do, from: u32) -> Option<u32> {
        let (y, x) = self.find(from).unwrap_or((0, 0));
        let last = self.rows.len().saturating_sub(1);
        let (y, x) = match verb {
            Do::Collapse if x > 0 => (y, x - 1),
            Do::Collapse if y > 0 => (y - 1, usize::MAX),
            Do::Expand if self.rows.get(y).is_some_and(|row| x + 1 < row.cells.len()) => (y, x + 1),
            Do::Expand if y < last => (y + 1, 0),
            Do::Collapse | Do::Expand => (y, x),
            Do::Up => (y.saturating_sub(1), x),
            Do::Down => ((y + 1).min(last), x),
            Do::First => (0, 0),
            Do::Last => (last, usize::MAX),
            _ => return None,
        };
        let row = self.rows.get(y)?;
        row.cells.get(x.min(row.cells.len().saturating_sub(1)))?.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::model::state::RunState;

    fn desk() -> (Job, Tree) {
        let mut job = sample::job(1, &[RunState::Ok; 15]);
        let names = (1..=12).map(|n| format!("web{n:03}")).chain((1..=3).map(|n| format!("db{n}")));
        for (run, name) in job.runs.iter_mut().zip(names) {
            (run.device, run.name) = (format!("lab:{name}"), name);
        }
        let mut tree = Tree::default();
        tree.set(sample::targets());
        (job, tree)
    }

    #[test]
    fn what_tells_the_devices_apart_can_be_chosen() {
        let (job, tree) = desk();
        let choices = choices(&job, &tree);
        assert_eq!(choices, [By::Order, By::Group, By::State, By::Fact("os".into())]);
    }

    #[test]
    fn cells_are_grouped_by_a_fact_and_labelled() {
        let (job, tree) = desk();
        let grid = lay_out(&By::Fact("os".into()), &job, &tree, 30, 8);
        let labels: Vec<_> = grid.rows.iter().filter_map(|row| row.label.clone()).collect();
        assert_eq!(labels, [("debian 12".to_owned(), 3), ("debian 13".to_owned(), 12)]);
        let grid = lay_out(&By::Group, &job, &tree, 30, 8);
        let labels: Vec<_> = grid.rows.iter().filter_map(|row| row.label.clone()).collect();
        assert_eq!(labels, [("db".to_owned(), 3), ("web".to_owned(), 12)], "not prod, which holds both");
    }

    #[test]
    fn every_device_has_one_cell_whatever_the_room() {
        let (job, tree) = desk();
        for by in [By::Order, By::Group, By::State, By::Fact("address".into())] {
            for (columns, height) in [(1, 1), (5, 2), (40, 3), (80, 20)] {
                let grid = lay_out(&by, &job, &tree, columns, height);
                assert!(grid.rows.len() <= height, "{by:?} in {columns}x{height}");
                let mut runs: Vec<u32> = grid.rows.iter().flat_map(|row| row.cells.concat()).collect();
                runs.sort_unstable();
                assert_eq!(runs, (0..15).collect::<Vec<u32>>());
            }
        }
    }

    #[test]
    fn motions_reach_every_cell() {
        let (job, tree) = desk();
        let grid = lay_out(&By::Group, &job, &tree, 14, 8);
        let mut at = grid.go(Do::First, 7).unwrap();
        let mut seen = vec![at];
        while at != grid.go(Do::Last, at).unwrap() {
            at = grid.go(Do::Expand, at).unwrap();
            seen.push(at);
        }
        assert_eq!(seen.len(), 15);
        assert_eq!(grid.go(Do::Collapse, seen[14]), Some(seen[13]));
    }
}
