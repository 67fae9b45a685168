//! Ansible's YAML notation: groups with `hosts`, `children` and `vars`, nested. Reads parser events into a small tree of
//! its own, bounded in depth and size: a loader that clones aliases or recurses can be made to eat the machine.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::store::{ALL, Store};
use super::{NOT_RUN, range};

/// Maps and lists inside each other.
const DEPTH: usize = 64;
/// Nodes walked, aliases counted every time: a share of the length (few nodes are shorter than four characters) and some to spare.
const WALKED: (usize, usize) = (8, 100_000);

#[derive(Debug)]
struct Node {
    line: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    Null,
    Text(String),
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
    /// `!vault` and the like: not for our eyes.
    Sealed,
}

/// Reads groups and hosts.
pub(super) fn read(store: &mut Store, file: usize, text: &str) {
    let root = match tree(text) {
        Ok(Some(root)) => root,
        Ok(None) => return,
        Err((line, why)) => return store.warn(file, line, why),
    };
    let What::Map(_) = root.what else {
        return store.warn(file, root.line, "an inventory begins with the name of a group".to_owned());
    };
    let mut walk = Walk { store, file, left: budget(text) };
    let groups = walk.entries(&root);
    if groups.iter().any(|(name, _, node)| name == "plugin" && matches!(node.what, What::Text(_))) {
        return walk.store.warn(file, root.line, format!("the settings of an inventory plugin: {NOT_RUN}"));
    }
    for (name, line, group) in groups {
        if matches!(name.as_str(), "hosts" | "vars" | "children") {
            walk.store.warn(file, line, format!("`{name}` stands outside of a group (`all:` above it is missing)"));
            continue;
        }
        walk.group(&name, line, &group, 0);
    }
}

/// Plain values of a file of variables.
pub(super) fn vars(store: &mut Store, file: usize, text: &str) -> Vec<(String, String)> {
    match tree(text) {
        Ok(Some(root)) => match root.what {
            What::Map(_) => Walk { store, file, left: budget(text) }.values(&root),
            What::Null | What::Sealed => Vec::new(),
            _ => {
                store.warn(file, root.line, "a file of variables holds name: value".to_owned());
                Vec::new()
            }
        },
        Ok(None) => Vec::new(),
        Err((line, why)) => {
            store.warn(file, line, why);
            Vec::new()
        }
    }
}

fn budget(text: &str) -> usize {
    text.len().saturating_mul(WALKED.0).saturating_add(WALKED.1)
}

struct Walk<'a> {
    store: &'a mut Store,
    file: usize,
    left: usize,
}

impl Walk<'_> {
    fn group(&mut self, name: &str, line: usize, node: &Node, depth: usize) -> Option<usize> {
        if name.is_empty() || depth > DEPTH {
            self.store.warn(self.file, line, format!("`{name}` is not taken as a group"));
            return None;
        }
        let group = self.store.group(name);
        self.store.name_group(group);
        match &node.what {
            What::Map(_) => {}
            What::Null => return Some(group),
            _ => {
                self.store.warn(
                    self.file,
                    node.line,
                    format!("the group `{name}` is not a map of hosts, children, vars"),
                );
                return Some(group);
            }
        }
        for (key, line, value) in self.entries(node) {
            match (key.as_str(), &value.what) {
                (_, What::Null) => {}
                ("hosts", What::Map(_)) => {
                    for (pattern, line, vars) in self.entries(&value) {
                        self.hosts(group, &pattern, line, &vars);
                    }
                }
                ("hosts", What::Text(pattern)) => self.hosts(group, pattern, line, &NOTHING),
                ("children", What::Map(_)) => {
                    for (child, line, node) in self.entries(&value) {
                        if let Some(child) = self.group(&child, line, &node, depth + 1) {
                            self.store.child(group, child, self.file, line);
                        }
                    }
                }
                ("children", What::Text(child)) => {
                    let child = self.store.group(child);
                    self.store.name_group(child);
                    self.store.child(group, child, self.file, line);
                }
                ("vars", What::Map(_)) => {
                    for (name, value) in self.values(&value) {
                        self.store.group_var(group, &name, value);
                    }
                }
                ("hosts" | "children" | "vars", _) => {
                    self.store.warn(self.file, value.line, format!("`{key}` of the group `{name}` is not a map"));
                }
                _ => {
                    let why = format!("`{key}` in the group `{name}`: only hosts, children and vars are known");
                    self.store.warn(self.file, line, why);
                }
            }
        }
        Some(group)
    }

    fn hosts(&mut self, group: usize, pattern: &str, line: usize, vars: &Node) {
        let (pattern, port) = range::split_port(pattern);
        let names = match self.store.expand(pattern) {
            Ok(names) => names,
            Err(why) => return self.store.warn(self.file, line, why),
        };
        let mut values: Vec<(String, String)> = Vec::new();
        values.extend(port.map(|port| ("ansible_port".to_owned(), port.to_string())));
        match &vars.what {
            What::Map(_) => values.extend(self.values(vars)),
            What::Null => {}
            _ => self.store.warn(self.file, vars.line, format!("what stands under the host `{pattern}` is not a map")),
        }
        for name in names {
            let Some(host) = self.store.host(&name, self.file, line) else { continue };
            self.store.join(group, host);
            for (name, value) in &values {
                self.store.host_var(host, name, value.clone());
            }
        }
    }

    /// Plain values; lists and maps are no facts.
    fn values(&mut self, node: &Node) -> Vec<(String, String)> {
        let entries = self.entries(node).into_iter();
        entries
            .filter_map(|(name, _, value)| match &value.what {
                What::Text(text) => Some((name, text.clone())),
                _ => None,
            })
            .collect()
    }

    /// Keys and values of a map, what `<<` merges first.
    fn entries(&mut self, node: &Node) -> Vec<(String, usize, Rc<Node>)> {
        let mut found = Vec::new();
        let mut merged = Vec::new();
        self.collect(node, 0, &mut merged, &mut found);
        merged.extend(found);
        merged
    }

    fn collect(
        &mut self,
        node: &Node,
        depth: usize,
        merged: &mut Vec<(String, usize, Rc<Node>)>,
        found: &mut Vec<(String, usize, Rc<Node>)>,
    ) {
        let What::Map(pairs) = &node.what else { return };
        for (key, value) in pairs {
            match self.left.checked_sub(1) {
                Some(left) => self.left = left,
                None => return self.store.warn(self.file, key.line, "too large, the rest is not read".to_owned()),
            }
            let What::Text(name) = &key.what else { continue };
            if name != "<<" {
                found.push((name.clone(), key.line, Rc::clone(value)));
                continue;
            }
            let sources = match &value.what {
                What::List(sources) => sources.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for source in sources.iter().filter(|_| depth < 8) {
                let mut own = Vec::new();
                self.collect(source, depth + 1, merged, &mut own);
                merged.extend(own);
            }
        }
    }
}

const NOTHING: Node = Node { line: 0, what: What::Null };

/// A map or a list that is not closed yet, and its anchor.
struct Open {
    node: Node,
    key: Option<Rc<Node>>,
    anchor: usize,
}

/// The first document, or where and why it cannot be read.
fn tree(text: &str) -> Result<Option<Rc<Node>>, (usize, String)> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Rc<Node>> = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| (error.marker().line(), format!("not YAML: {}", error.info())))?;
        let line = span.start.line();
        let (node, anchor) = match event {
            Event::DocumentEnd | Event::StreamEnd => return Ok(None),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
            Event::Alias(id) => {
                let node = anchors.get(&id).ok_or_else(|| (line, "an alias of itself".to_owned()))?;
                (Rc::clone(node), 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let own = tag.as_ref().is_some_and(|tag| tag.handle == "!" && tag.suffix != "unsafe");
                let null = style == ScalarStyle::Plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let what = match (own, null) {
                    (true, _) => What::Sealed,
                    (_, true) => What::Null,
                    _ => What::Text(text.into_owned()),
                };
                (Rc::new(Node { line, what }), anchor)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH => {
                return Err((line, format!("nested more than {DEPTH} deep")));
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open { node: Node { line, what: What::List(Vec::new()) }, key: None, anchor });
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open { node: Node { line, what: What::Map(Vec::new()) }, key: None, anchor });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(closed) => (Rc::new(closed.node), closed.anchor),
                None => return Ok(None),
            },
        };
        if anchor > 0 {
            anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(parent) = open.last_mut() else { return Ok(Some(node)) };
        match &mut parent.node.what {
            What::List(items) => items.push(node),
            What::Map(pairs) => match parent.key.take() {
                Some(key) => pairs.push((key, node)),
                None => parent.key = Some(node),
            },
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a file without an ending looks like YAML: a document mark, or `name:` on its first line.
pub(super) fn likely(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    lines.next().is_some_and(|line| {
        let name = line.trim_end().strip_suffix(':').unwrap_or_default();
        line.trim_end() == "---"
            || name == ALL
            || (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    })
}
