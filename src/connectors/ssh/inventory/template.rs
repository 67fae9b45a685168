//! The few templates an inventory cannot do without: `{{ inventory_hostname }}` and other variables by name.
//! Refuses everything else of Jinja: filters, expressions, look-ups.

use std::collections::BTreeMap;

/// Variables that say how a host is reached: one that cannot be filled in is worth a warning.
const REACH: [&str; 8] = [
    "ansible_host",
    "ansible_ssh_host",
    "ansible_port",
    "ansible_user",
    "ansible_ssh_user",
    "ansible_ssh_private_key_file",
    "ansible_ssh_common_args",
    "ansible_connection",
];

/// Templates that were not understood, with the first host they were met at.
#[derive(Default)]
pub(super) struct Unknown(BTreeMap<(String, String), (String, usize)>);

impl Unknown {
    pub(super) fn warnings(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|((name, text), (host, count))| {
            let text: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            format!(
                "inventory: {name} of {host}{more}: the template `{text}` is not understood, the variable is left out"
            )
        })
    }
}

/// Fills in templates; a variable that cannot be filled in is left out.
pub(super) fn fill(host: &str, vars: &mut BTreeMap<String, String>, unknown: &mut Unknown) {
    let templates: Vec<String> =
        vars.iter().filter(|(_, value)| value.contains("{{") || value.contains("{%")).map(|(k, _)| k.clone()).collect();
    if templates.is_empty() {
        return;
    }
    let done: Vec<(String, Option<String>)> = templates
        .into_iter()
        .map(|name| {
            let value = render(&vars[&name], host, vars, 0);
            (name, value)
        })
        .collect();
    for (name, value) in done {
        let old = match value {
            Some(value) => vars.insert(name.clone(), value),
            None => vars.remove(&name).inspect(|text| {
                if REACH.contains(&name.as_str()) {
                    let key = (name.clone(), text.clone());
                    unknown.0.entry(key).or_insert_with(|| (host.to_owned(), 0)).1 += 1;
                }
            }),
        };
        drop(old);
    }
}

fn render(text: &str, host: &str, vars: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    if depth > 4 || text.contains("{%") {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, tail) = after.split_once("}}")?;
        out.push_str(before);
        match name.trim() {
            "inventory_hostname" => out.push_str(host),
            "inventory_hostname_short" => out.push_str(host.split('.').next().unwrap_or(host)),
            name => out.push_str(&render(vars.get(name)?, host, vars, depth + 1)?),
        }
        if out.len() > 8192 {
            return None;
        }
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}
