//! The scripts pane as a tree: the local library's scripts as they are, and below them each system with a library of its
//! own as a branch, its categories as branches of that. Owns what hangs where (found out when the library is read), what
//! is folded, and the rows as they are seen; which scripts there are and in which order is the list's affair. Where there
//! is no such system the rows are the list.

use std::collections::{BTreeMap, HashMap};

use super::list::{Cursor, ListId};
use super::{App, Pane};
use crate::console::text;
use crate::model::nodeset;
use crate::model::script::ScriptInfo;
use crate::model::wire::Shelf;

/// A system with more scripts than this shows its categories closed.
const FEW: usize = 30;
/// Of the local library, as the index of a category.
const LOCAL: u32 = u32::MAX;

/// A row of the pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// An index of the scripts, and how it hangs.
    Script(u32, Hang),
    /// An index of [`Branches::systems`].
    System { at: u32, open: bool },
    /// An index of [`Branches::categories`].
    Category { at: u32, open: bool, last: bool },
}

/// Where in the tree a script stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hang {
    /// 0: on nothing.
    pub depth: u8,
    /// Of its siblings.
    pub last: bool,
    /// The category it is in is the last of the system.
    pub category_last: bool,
}

impl Hang {
    const FREE: Hang = Hang { depth: 0, last: false, category_last: false };
}

/// A system with a library of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct System {
    pub name: String,
    pub scripts: usize,
    /// None of its scripts can be changed here, and why.
    pub read_only: Option<String>,
    /// Its library could not be read the last time.
    pub troubled: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Category {
    pub system: u32,
    /// Empty: its scripts hang on the system itself.
    pub name: String,
    pub scripts: usize,
}

#[derive(Debug, Default)]
pub struct Branches {
    /// By name.
    pub systems: Vec<System>,
    /// By system and name.
    pub categories: Vec<Category>,
    /// What was folded or unfolded by hand, by path: whether it is open.
    pub open: BTreeMap<String, bool>,
    /// For each script its category.
    of: Vec<u32>,
    /// How many scripts of each category pass the filter.
    pub passing: Vec<usize>,
    pub rows: Vec<Row>,
    /// A filter is on: what passes is shown, whatever is folded without one.
    narrowed: bool,
}

impl Branches {
    /// The library was read.
    pub fn set(&mut self, scripts: &[ScriptInfo], shelves: &[Shelf]) {
        let mut systems: BTreeMap<&str, System> =
            shelves.iter().map(|shelf| (shelf.connection.as_str(), of_shelf(shelf))).collect();
        let mut categories: BTreeMap<(&str, Natural<'_>), usize> = BTreeMap::new();
        for script in scripts {
            let Some(connection) = &script.connection else { continue };
            let system = systems.entry(connection).or_default();
            // (of the first one: that of the others is checked below)
            if system.scripts == 0 {
                system.read_only.clone_from(&script.read_only);
            } else if script.read_only.is_none() {
                system.read_only = None;
            }
            system.scripts += 1;
            *categories.entry((connection, Natural(&script.category))).or_default() += 1;
        }
        let at: HashMap<&str, u32> = systems.keys().enumerate().map(|(at, name)| (*name, at as u32)).collect();
        let found: HashMap<(&str, &str), u32> =
            categories.keys().enumerate().map(|(at, (system, name))| ((*system, name.0), at as u32)).collect();
        let of = |script: &ScriptInfo| {
            let connection = script.connection.as_deref()?;
            found.get(&(connection, script.category.as_str())).copied()
        };
        self.of = if categories.is_empty() {
            Vec::new()
        } else {
            scripts.iter().map(|script| of(script).unwrap_or(LOCAL)).collect()
        };
        self.categories = categories
            .iter()
            .map(|((system, name), scripts)| Category {
                system: at[system],
                name: name.0.to_owned(),
                scripts: *scripts,
            })
            .collect();
        self.systems = systems.into_iter().map(|(name, system)| System { name: name.to_owned(), ..system }).collect();
    }

    /// The rows of these scripts, which pass the filter and are in order. `narrowed`: there is one, or only problems are
    /// shown, of which a library that could not be read is one.
    pub fn build(&mut self, order: &[usize], narrowed: bool, only_problems: bool) {
        self.narrowed = narrowed;
        self.passing.clear();
        self.passing.resize(self.categories.len(), 0);
        let of = |script: usize| self.of.get(script).copied().unwrap_or(LOCAL);
        let mut rows = Vec::with_capacity(order.len() + self.systems.len() + self.categories.len());
        if self.of.is_empty() {
            rows.extend(order.iter().map(|script| Row::Script(*script as u32, Hang::FREE)));
        } else {
            for script in order {
                match self.passing.get_mut(of(*script) as usize) {
                    Some(count) => *count += 1,
                    None => rows.push(Row::Script(*script as u32, Hang::FREE)),
                }
            }
        }
        // the scripts of each category, one after the other
        let mut from = Vec::with_capacity(self.passing.len());
        let mut sum = 0;
        for count in &self.passing {
            from.push(sum);
            sum += count;
        }
        let mut hung = vec![0_u32; sum];
        let mut next = from.clone();
        for script in order.iter().filter(|_| sum > 0) {
            if let Some(next) = next.get_mut(of(*script) as usize) {
                hung[*next] = *script as u32;
                *next += 1;
            }
        }
        for (at, system) in self.systems.iter().enumerate() {
            let mine: Vec<usize> = (0..self.categories.len())
                .filter(|category| self.categories[*category].system as usize == at)
                .filter(|category| self.passing[*category] > 0)
                .collect();
            if mine.is_empty() && narrowed && !(only_problems && system.troubled) {
                continue;
            }
            let open = system.scripts > 0 && self.is_open(&path(&system.name, ""), true);
            rows.push(Row::System { at: at as u32, open });
            if !open {
                continue;
            }
            for (n, category) in mine.iter().enumerate() {
                let last = n + 1 == mine.len();
                let scripts = &hung[from[*category]..from[*category] + self.passing[*category]];
                let name = &self.categories[*category].name;
                let depth = if name.is_empty() { 1 } else { 2 };
                if !name.is_empty() {
                    let open = self.is_open(&path(&system.name, name), narrowed || system.scripts <= FEW);
                    rows.push(Row::Category { at: *category as u32, open, last });
                    if !open {
                        continue;
                    }
                }
                for (n, script) in scripts.iter().enumerate() {
                    let end = n + 1 == scripts.len();
                    let hang = Hang { depth, last: end && (depth == 2 || last), category_last: last };
                    rows.push(Row::Script(*script, hang));
                }
            }
        }
        self.rows = rows;
    }

    fn is_open(&self, path: &str, usually: bool) -> bool {
        self.open.get(&*self.remembered(path)).copied().unwrap_or(usually)
    }

    /// What is opened under a filter says nothing about the tree without one.
    fn remembered<'p>(&self, path: &'p str) -> std::borrow::Cow<'p, str> {
        if self.narrowed { format!("?{path}").into() } else { path.into() }
    }

    /// Opens or closes what is at a path.
    pub fn fold(&mut self, path: &str, open: bool) {
        let path = self.remembered(path).into_owned();
        self.open.insert(path, open);
    }

    /// What was opened and closed where no filter was on.
    pub fn kept(&self, most: usize) -> BTreeMap<String, bool> {
        let kept = self.open.iter().filter(|(path, _)| !path.starts_with('?')).take(most);
        kept.map(|(path, open)| (path.clone(), *open)).collect()
    }

    /// How many scripts of a system pass the filter.
    pub fn passing_of(&self, system: u32) -> usize {
        let mine = self.categories.iter().zip(&self.passing).filter(|(category, _)| category.system == system);
        mine.map(|(_, passing)| passing).sum()
    }

    /// Where a branch hangs; no script is called so. `None`: the row is a script.
    pub fn path_of(&self, row: Row) -> Option<String> {
        match row {
            Row::Script(..) => None,
            Row::System { at, .. } => Some(path(&self.systems.get(at as usize)?.name, "")),
            Row::Category { at, .. } => {
                let category = self.categories.get(at as usize)?;
                Some(path(&self.systems.get(category.system as usize)?.name, &category.name))
            }
        }
    }

    /// Opens what hides a script. `true`: something was closed.
    fn reveal(&mut self, script: usize) -> bool {
        let Some(category) = self.of.get(script).and_then(|at| self.categories.get(*at as usize)) else { return false };
        let Some(system) = self.systems.get(category.system as usize) else { return false };
        let paths = [path(&system.name, ""), path(&system.name, &category.name)];
        paths.iter().for_each(|path| self.fold(path, true));
        true
    }
}

fn of_shelf(shelf: &Shelf) -> System {
    System { troubled: shelf.problem.is_some(), ..System::default() }
}

/// Categories in the order in which people count.
#[derive(PartialEq, Eq)]
struct Natural<'a>(&'a str);

impl Ord for Natural<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        nodeset::natural(self.0, other.0).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Natural<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// No script's name begins with a slash.
fn path(system: &str, category: &str) -> String {
    if category.is_empty() { format!("/{system}") } else { format!("/{system}/{category}") }
}

/// Whose what is under the cursor is, where that is no script.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    pub system: &'a System,
    /// `None`: all of it.
    pub category: Option<&'a Category>,
    pub shelf: Option<&'a Shelf>,
}

impl Branch<'_> {
    /// `ws`, `ws / Reports`
    pub fn name(&self) -> String {
        match self.category {
            Some(category) => format!("{} / {}", self.system.name, category.name),
            None => self.system.name.clone(),
        }
    }
}

impl App {
    /// The branch under the cursor of the scripts.
    pub fn branch_here(&self) -> Option<Branch<'_>> {
        let branches = &self.overview.branches;
        let (system, category) = match *branches.rows.get(self.overview.scripts.at)? {
            Row::Script(..) => return None,
            Row::System { at, .. } => (at, None),
            Row::Category { at, .. } => {
                let category = branches.categories.get(at as usize)?;
                (category.system, Some(category))
            }
        };
        Some(self.branch(branches.systems.get(system as usize)?, category))
    }

    /// With what is known of how its library was read.
    pub fn branch<'a>(&'a self, system: &'a System, category: Option<&'a Category>) -> Branch<'a> {
        let shelf = self.libraries.iter().find(|shelf| shelf.connection == system.name);
        Branch { system, category, shelf }
    }

    /// What a verb about a script says where the cursor is on none. `None`: it is on one, or the list is empty.
    pub(super) fn why_branch(&self) -> Option<String> {
        let branch = self.branch_here()?;
        let name = text::plain(&branch.system.name);
        Some(match (branch.category, branch.system.scripts) {
            (Some(category), _) => {
                format!("{} is a category of {name}: choose one of its scripts", text::plain(&category.name))
            }
            (None, 0) => format!("no script of {name} is known"),
            (None, _) => format!("{name} is a server with scripts of its own: choose one of them"),
        })
    }

    /// The branch under the cursor is opened or closed. `false`: it is none, or there is nothing in it.
    pub(super) fn turn_branch(&mut self) -> bool {
        let row = self.overview.branches.rows.get(self.overview.scripts.at).copied();
        let (Some(row @ (Row::System { open, .. } | Row::Category { open, .. })), branches) =
            (row, &mut self.overview.branches)
        else {
            return false;
        };
        if matches!(row, Row::System { at, .. } if branches.systems.get(at as usize).is_none_or(|system| system.scripts == 0))
        {
            return false;
        }
        if let Some(path) = branches.path_of(row) {
            branches.fold(&path, !open);
        }
        self.sift_branches();
        true
    }

    /// `h`: closes the branch, or leads to the one this row hangs on.
    pub(super) fn close_branch(&mut self, height: usize) -> bool {
        let overview = &mut self.overview;
        let at = overview.scripts.at;
        let depth = |row: &Row| match row {
            Row::System { .. } => 0,
            Row::Category { .. } => 1,
            Row::Script(_, hang) => hang.depth,
        };
        let rows = &overview.branches.rows;
        let Some(row) = rows.get(at).copied() else { return false };
        if matches!(row, Row::System { open: true, .. } | Row::Category { open: true, .. }) {
            return self.turn_branch();
        }
        if depth(&row) == 0 {
            return false;
        }
        let Some(parent) = rows[..at].iter().rposition(|above| depth(above) < depth(&row)) else { return false };
        let len = rows.len();
        overview.scripts.put(parent, len, height);
        overview.scripts.touched = true;
        self.moved(ListId::Scripts);
        true
    }

    /// `l`: opens the branch.
    pub(super) fn open_branch(&mut self) -> bool {
        let row = self.overview.branches.rows.get(self.overview.scripts.at);
        match row {
            Some(Row::System { open: false, .. } | Row::Category { open: false, .. }) => self.turn_branch(),
            _ => false,
        }
    }

    /// Only what is folded has changed: the cursor stays where it is.
    fn sift_branches(&mut self) {
        self.overview.scripts.touched = true;
        self.moved(ListId::Scripts);
        self.sift(ListId::Scripts);
    }

    /// The cursor goes to a script, opening what hides it. `false`: it is not listed.
    pub(super) fn show_script(&mut self, name: &str) -> bool {
        let Some(script) = self.overview.script_order.iter().position(|at| self.scripts[*at].name == name) else {
            return false;
        };
        let script = self.overview.script_order[script];
        let here = |app: &App| {
            let is = |row: &Row| matches!(row, Row::Script(at, _) if *at as usize == script);
            app.overview.branches.rows.iter().position(is)
        };
        if here(self).is_none() && self.overview.branches.reveal(script) {
            self.sift(ListId::Scripts);
        }
        let Some(at) = here(self) else { return false };
        self.overview.focus(Pane::Scripts);
        self.put_cursor(ListId::Scripts, at);
        true
    }
}

/// The cursor of the pane: on what the operator chose, else on what a new filter means, else where it was.
pub fn place(rows: &[Row], home: Option<usize>, meant: Option<usize>, cursor: &mut Cursor, height: usize) {
    match home {
        Some(at) => cursor.follow(at, rows.len(), height),
        None => cursor.put(meant.unwrap_or(cursor.at), rows.len(), height),
    }
}

#[cfg(test)]
#[path = "branches_tests.rs"]
pub mod tests;
