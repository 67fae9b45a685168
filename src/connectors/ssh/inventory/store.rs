//! Hosts and groups as they are read, whichever notation they come from; then each host's variables by Ansible's
//! precedence. Groups may not contain themselves: the line that closes a circle is dropped and named.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{GroupDef, Host, Parsed, range, template};

pub(super) const ALL: &str = "all";
pub(super) const UNGROUPED: &str = "ungrouped";

/// Hosts kept in all.
const HOSTS: usize = 200_000;
const GROUPS: usize = 50_000;
/// Names that ranges may stand for in all, the same host in several groups counted every time.
const NAMES: usize = 4_000_000;
/// Groups inside each other.
const DEPTH: usize = 64;
const WARNINGS: usize = 100;

type Vars = BTreeMap<String, String>;

#[derive(Default)]
pub(super) struct Store {
    pub files: Vec<PathBuf>,
    warnings: Vec<String>,
    hosts: Vec<Draft>,
    host_names: HashMap<String, usize>,
    groups: Vec<Group>,
    group_names: HashMap<String, usize>,
    expanded: usize,
}

#[derive(Default)]
struct Draft {
    name: String,
    vars: Vars,
    /// From `host_vars`: they win.
    file_vars: Vars,
    groups: Vec<usize>,
}

#[derive(Default)]
struct Group {
    name: String,
    /// Written down as a group, not only spoken of.
    named: bool,
    vars: Vars,
    /// From `group_vars`: they win over every group's own.
    file_vars: Vars,
    /// With the file and line that says so.
    children: Vec<(usize, usize, usize)>,
    parents: Vec<usize>,
    depth: usize,
}

/// What the groups of a host give it.
struct Above {
    vars: Vars,
    file_vars: Vars,
    /// Named groups, sorted.
    names: Vec<String>,
}

impl Store {
    pub(super) fn file(&mut self, path: &Path) -> usize {
        self.files.push(path.to_owned());
        self.files.len() - 1
    }

    pub(super) fn warn(&mut self, file: usize, line: usize, why: String) {
        let path = self.files.get(file).map(|path| path.display().to_string()).unwrap_or_default();
        self.note(format!("{path}:{line}: {}", short(&why)));
    }

    pub(super) fn note(&mut self, warning: String) {
        match self.warnings.len() {
            n if n < WARNINGS => self.warnings.push(warning),
            WARNINGS => self.warnings.push("inventory: more of the same is not shown".to_owned()),
            _ => {}
        }
    }

    /// The names of a host pattern.
    pub(super) fn expand(&mut self, pattern: &str) -> Result<Vec<String>, String> {
        let names = range::expand(pattern, HOSTS.min(NAMES - self.expanded))?;
        self.expanded += names.len();
        Ok(names)
    }

    pub(super) fn group(&mut self, name: &str) -> usize {
        if let Some(&at) = self.group_names.get(name) {
            return at;
        }
        if self.groups.len() >= GROUPS {
            // Its hosts are in `all` at least.
            let warning = format!("inventory: more than {GROUPS} groups, the rest is left out");
            if !self.warnings.contains(&warning) {
                self.note(warning);
            }
            return 0;
        }
        self.groups.push(Group { name: name.to_owned(), ..Group::default() });
        self.group_names.insert(name.to_owned(), self.groups.len() - 1);
        self.groups.len() - 1
    }

    pub(super) fn group_name(&self, group: usize) -> &str {
        self.groups.get(group).map(|group| group.name.as_str()).unwrap_or_default()
    }

    pub(super) fn is_named(&self, group: usize) -> bool {
        self.groups.get(group).is_some_and(|group| group.named)
    }

    pub(super) fn name_group(&mut self, group: usize) {
        if let Some(group) = self.groups.get_mut(group) {
            group.named = true;
        }
    }

    pub(super) fn group_at(&self, name: &str) -> Option<usize> {
        self.group_names.get(name).copied()
    }

    pub(super) fn host_at(&self, name: &str) -> Option<usize> {
        self.host_names.get(name).copied()
    }

    pub(super) fn host(&mut self, name: &str, file: usize, line: usize) -> Option<usize> {
        if let Some(&at) = self.host_names.get(name) {
            return Some(at);
        }
        if name.is_empty() || name.starts_with('-') || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            self.warn(file, line, format!("`{name}` is not the name of a host"));
            return None;
        }
        if self.hosts.len() >= HOSTS {
            self.warn(file, line, format!("more than {HOSTS} hosts, the rest is left out"));
            return None;
        }
        self.hosts.push(Draft { name: name.to_owned(), ..Draft::default() });
        self.host_names.insert(name.to_owned(), self.hosts.len() - 1);
        Some(self.hosts.len() - 1)
    }

    pub(super) fn join(&mut self, group: usize, host: usize) {
        if let Some(host) = self.hosts.get_mut(host)
            && !host.groups.contains(&group)
        {
            host.groups.push(group);
        }
    }

    pub(super) fn child(&mut self, parent: usize, child: usize, file: usize, line: usize) {
        if self.group_name(child) == ALL {
            self.warn(file, line, "`all` is in no other group".to_owned());
        } else if let Some(group) = self.groups.get_mut(parent) {
            group.children.push((child, file, line));
        }
    }

    pub(super) fn host_var(&mut self, host: usize, name: &str, value: String) {
        if let Some(host) = self.hosts.get_mut(host) {
            keep(&mut host.vars, name, value);
        }
    }

    pub(super) fn host_file_var(&mut self, host: usize, name: &str, value: String) {
        if let Some(host) = self.hosts.get_mut(host) {
            keep(&mut host.file_vars, name, value);
        }
    }

    pub(super) fn group_var(&mut self, group: usize, name: &str, value: String) {
        if let Some(group) = self.groups.get_mut(group) {
            keep(&mut group.vars, name, value);
        }
    }

    pub(super) fn group_file_var(&mut self, group: usize, name: &str, value: String) {
        if let Some(group) = self.groups.get_mut(group) {
            keep(&mut group.file_vars, name, value);
        }
    }

    pub(super) fn finish(mut self) -> Parsed {
        let all = self.group(ALL);
        for (at, group) in self.groups.iter_mut().enumerate() {
            group.depth = usize::from(at != all);
        }
        let order = self.straighten();
        let mut inherited: HashMap<Vec<usize>, Arc<Above>> = HashMap::new();
        let mut hosts = Vec::with_capacity(self.hosts.len());
        let mut templates = template::Unknown::default();
        for draft in std::mem::take(&mut self.hosts) {
            let Draft { name, vars, file_vars, mut groups } = draft;
            groups.push(all);
            groups.sort_unstable();
            groups.dedup();
            let above = inherited.entry(groups).or_insert_with_key(|groups| Arc::new(self.above(groups, all)));
            let mut merged = above.vars.clone();
            merged.extend(above.file_vars.iter().map(|(name, value)| (name.clone(), value.clone())));
            merged.extend(vars);
            merged.extend(file_vars);
            template::fill(&name, &mut merged, &mut templates);
            hosts.push(Host { name, vars: merged, groups: above.names.clone() });
        }
        let unread = self.warnings.clone();
        for warning in templates.warnings() {
            self.note(warning);
        }
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let mut groups: Vec<GroupDef> = order.iter().filter_map(|&at| self.definition(at)).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Parsed { hosts, groups, warnings: self.warnings, unread, files: self.files }
    }

    fn definition(&self, at: usize) -> Option<GroupDef> {
        let group = self.groups.get(at).filter(|group| group.named)?;
        let mut children: Vec<String> = group
            .children
            .iter()
            .filter_map(|(child, ..)| self.groups.get(*child).filter(|child| child.named))
            .map(|child| child.name.clone())
            .collect();
        children.sort();
        children.dedup();
        Some(GroupDef { name: group.name.clone(), children })
    }

    /// Drops edges that close a circle or nest too deep, links parents, sets depths. Parents come first in the result.
    fn straighten(&mut self) -> Vec<usize> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.groups.len()];
        let mut order = Vec::with_capacity(self.groups.len());
        let mut dropped: Vec<(usize, usize)> = Vec::new();
        for start in 0..self.groups.len() {
            if marks[start] != Mark::New {
                continue;
            }
            // An explicit stack: a chain of groups is as long as the file says.
            let mut stack = vec![(start, 0)];
            marks[start] = Mark::Open;
            while let Some((at, next)) = stack.last_mut() {
                let at = *at;
                let Some(&(child, file, line)) = self.groups[at].children.get(*next) else {
                    marks[at] = Mark::Done;
                    order.push(at);
                    stack.pop();
                    continue;
                };
                *next += 1;
                match marks[child] {
                    Mark::New => {
                        marks[child] = Mark::Open;
                        stack.push((child, 0));
                    }
                    Mark::Done => {}
                    Mark::Open => {
                        dropped.push((at, child));
                        let (parent, child) = (self.group_name(at).to_owned(), self.group_name(child).to_owned());
                        self.warn(
                            file,
                            line,
                            format!("`{child}` under `{parent}` closes a circle of groups: left out"),
                        );
                    }
                }
            }
        }
        order.reverse();
        let dropped: HashSet<(usize, usize)> = dropped.into_iter().collect();
        for &at in &order {
            let mut children = std::mem::take(&mut self.groups[at].children);
            let depth = self.groups[at].depth + 1;
            children.retain(|&(child, file, line)| {
                if dropped.contains(&(at, child)) {
                    return false;
                }
                if depth > DEPTH {
                    let name = self.group_name(child).to_owned();
                    self.warn(file, line, format!("`{name}` is more than {DEPTH} groups deep: left out"));
                    return false;
                }
                self.groups[child].depth = self.groups[child].depth.max(depth);
                self.groups[child].parents.push(at);
                true
            });
            self.groups[at].children = children;
        }
        order
    }

    /// What hosts in exactly these groups inherit.
    fn above(&self, direct: &[usize], all: usize) -> Above {
        let mut seen: HashSet<usize> = HashSet::new();
        let mut todo = direct.to_vec();
        while let Some(at) = todo.pop() {
            if seen.insert(at) {
                todo.extend(&self.groups[at].parents);
            }
        }
        let mut names: Vec<String> =
            seen.iter().map(|&at| &self.groups[at]).filter(|g| g.named).map(|g| g.name.clone()).collect();
        names.sort();
        let priority = |at: usize| -> i64 {
            let group = &self.groups[at];
            let value =
                group.file_vars.get("ansible_group_priority").or_else(|| group.vars.get("ansible_group_priority"));
            value.and_then(|value| value.parse().ok()).unwrap_or(1)
        };
        let mut ranked: Vec<usize> = seen.into_iter().collect();
        // `all` below everything, then by depth; of equals the later name wins.
        ranked.sort_by_cached_key(|&at| (at != all, self.groups[at].depth, priority(at), self.groups[at].name.clone()));
        let (mut vars, mut file_vars) = (Vars::new(), Vars::new());
        for at in ranked {
            vars.extend(self.groups[at].vars.iter().map(|(name, value)| (name.clone(), value.clone())));
            file_vars.extend(self.groups[at].file_vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Above { vars, file_vars, names }
    }
}

/// Secrets are not even kept: nothing here needs them, and facts are shown.
fn keep(vars: &mut Vars, name: &str, value: String) {
    let sealed = value.starts_with("$ANSIBLE_VAULT") || value.starts_with("-----BEGIN");
    if !name.is_empty() && !sealed && !super::secret(name) {
        vars.insert(name.to_owned(), value);
    }
}

/// A bad line may hold anything: it is quoted short and without control characters.
fn short(text: &str) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let head: String = chars.by_ref().take(200).collect();
    if chars.next().is_some() { format!("{head}…") } else { head }
}
