//! Ansible's INI notation: `[group]`, `[group:children]`, `[group:vars]`, one host or range a line.

use super::range;
use super::store::{ALL, Store, UNGROUPED};

enum Section {
    Hosts(usize),
    Children(usize),
    Vars(usize),
    /// Under a header that could not be read.
    Skipped,
}

pub(super) fn read(store: &mut Store, file: usize, text: &str) {
    let mut section = Section::Hosts(store.group(UNGROUPED));
    // Groups that are spoken of before, or without, a section of their own.
    let mut spoken: Vec<(usize, usize)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), index + 1);
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            if let Some((name, kind)) = header(line) {
                section = open(store, file, number, name, kind);
                if let Section::Vars(group) = section {
                    spoken.push((group, number));
                }
                continue;
            }
            if line.ends_with(']') {
                store.warn(file, number, format!("`{line}` is not a section: [group], [group:children], [group:vars]"));
                section = Section::Skipped;
                continue;
            }
        }
        match section {
            Section::Skipped => {}
            Section::Hosts(group) => hosts(store, file, number, line, group),
            Section::Children(group) => match line.split_once('#').map_or(line, |(name, _)| name).trim() {
                name if name.contains(char::is_whitespace) || name.contains([':', ']']) || name.is_empty() => {
                    store.warn(file, number, format!("`{line}` is not the name of a group"));
                }
                name => {
                    let child = store.group(name);
                    spoken.push((child, number));
                    store.child(group, child, file, number);
                }
            },
            Section::Vars(group) => match line.split_once('=') {
                Some((name, value)) => store.group_var(group, name.trim(), literal(value.trim())),
                None => store.warn(file, number, format!("`{line}` is not name=value")),
            },
        }
    }
    for (group, number) in spoken {
        let name = store.group_name(group).to_owned();
        if name != ALL && name != UNGROUPED && !store.is_named(group) {
            store.warn(file, number, format!("the group `{name}` has no section of its own"));
        }
    }
}

fn open(store: &mut Store, file: usize, number: usize, name: &str, kind: &str) -> Section {
    let group = store.group(name);
    match kind {
        "vars" => return Section::Vars(group),
        "hosts" | "children" => store.name_group(group),
        _ => {
            store.warn(file, number, format!("[{name}:{kind}]: only :children and :vars are known"));
            return Section::Skipped;
        }
    }
    if kind == "hosts" { Section::Hosts(group) } else { Section::Children(group) }
}

/// `[name]`, `[name:kind]`, a comment after it.
fn header(line: &str) -> Option<(&str, &str)> {
    let (inside, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        return None;
    }
    let (name, kind) = inside.split_once(':').unwrap_or((inside, "hosts"));
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    (!name.is_empty() && !name.contains(char::is_whitespace) && word(kind)).then_some((name, kind))
}

fn hosts(store: &mut Store, file: usize, number: usize, line: &str, group: usize) {
    let words = match split(line) {
        Ok(words) => words,
        Err(why) => return store.warn(file, number, why),
    };
    let Some((pattern, rest)) = words.split_first() else { return };
    let (pattern, port) = range::split_port(pattern);
    let names = match store.expand(pattern) {
        Ok(names) => names,
        Err(why) => return store.warn(file, number, why),
    };
    let mut vars: Vec<(&str, String)> = port.map(|port| ("ansible_port", port.to_string())).into_iter().collect();
    for word in rest {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => vars.push((name, literal(value))),
            _ => store.warn(file, number, format!("`{word}` is not name=value")),
        }
    }
    for name in names {
        let Some(host) = store.host(&name, file, number) else { continue };
        store.join(group, host);
        for (name, value) in &vars {
            store.host_var(host, name, value.clone());
        }
    }
}

/// Ansible reads a value as a Python literal where it is one: here that means quotes go.
fn literal(value: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
            && !inner.contains([quote, '\\'])
        {
            return inner.to_owned();
        }
    }
    value.to_owned()
}

/// Words as Python's `shlex.split(line, comments=True)` cuts them: a `#` ends the line, also inside a word.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(|| format!("a quote ({c}) is not closed"))? {
                        end if end == c => break,
                        '\\' if c == '"' => {
                            let next = chars.next().ok_or_else(|| format!("a quote ({c}) is not closed"))?;
                            if !matches!(next, '"' | '\\') {
                                word.push('\\');
                            }
                            word.push(next);
                        }
                        inner => word.push(inner),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("nothing after the last backslash")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
