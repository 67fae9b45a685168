//! What is kept and names a device, a target or a script: templates, saved targets. By the words of their expressions, so
//! that one is found that means nothing else just now.

use std::collections::HashSet;

use crate::model::device::{Device, Inventory};
use crate::model::nodeset;
use crate::model::past::Mention;
use crate::model::saved::SavedTarget;
use crate::model::target::{self, Sets};
use crate::model::template::Template;

/// Devices that stand for a large target.
const SOME: usize = 200;

/// Names of a node set that are looked at.
const MOST: usize = 100_000;

fn told(template: &Template) -> Mention {
    let says = format!("{} on {}", template.form.script, template.form.target);
    Mention { what: "template".into(), name: template.name.clone(), says }
}

/// Templates of this script.
pub(super) fn of_script(script: &str, templates: &[Template]) -> Vec<Mention> {
    templates.iter().filter(|template| template.form.script == script).map(told).collect()
}

/// Saved targets and templates of which a word means one of these devices.
pub(super) fn of_devices(
    ids: &HashSet<String>,
    inventory: &Inventory,
    templates: &[Template],
    saved: &[SavedTarget],
) -> Vec<Mention> {
    let devices: Vec<_> =
        inventory.devices.iter().filter(|device| ids.contains(&device.id)).take(SOME).cloned().collect();
    let groups = inventory.groups.iter().filter(|group| group.devices.iter().any(|id| ids.contains(id))).cloned();
    let small = Inventory { groups: groups.collect(), devices, ..Inventory::default() };
    let names = |expr: &str| {
        words(expr).any(|word| {
            let (connection, name) =
                word.split_once(':').map_or((None, word), |(connection, name)| (Some(connection), name));
            if nodeset::is_nodeset(name) {
                // (most of its devices are not among these: as a whole it would be refused)
                let all = nodeset::expand(name, MOST).unwrap_or_default();
                let all: HashSet<&str> = all.iter().map(String::as_str).collect();
                let of = |device: &Device| connection.is_none_or(|mine| mine == device.connection);
                return small.devices.iter().any(|device| all.contains(device.name.as_str()) && of(device));
            }
            let meant =
                target::parse(word).ok().and_then(|word| word.resolve(&small, &Sets::new()).ok().map(|d| d.len()));
            meant.is_some_and(|devices| devices > 0)
        })
    };
    let targets = saved.iter().filter(|saved| names(&saved.expr)).map(|saved| Mention {
        what: "target".into(),
        name: format!("@{}", saved.name),
        says: saved.expr.clone(),
    });
    targets.chain(templates.iter().filter(|template| names(&template.form.target)).map(told)).collect()
}

/// The words between the operators; `@all` names nobody, what a job left is no choice of words.
fn words(expr: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| matches!(c, '&' | '|' | '!' | '(' | ')') || c.is_whitespace();
    expr.split(ends).filter(|word| !word.is_empty() && !word.starts_with('@'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::device::Group;

    #[test]
    fn a_word_that_means_the_device_names_it_and_no_other_does() {
        let group = |name: &str, ids: &[&str]| {
            Group {
                name: name.into(),
                connection: "lab".into(),
                children: Vec::new(),
                devices: ids.iter().map(|id| (*id).to_owned()).collect(),
            }
            .into()
        };
        let inventory = Inventory {
            devices: ["web1", "web2"].map(|name| Arc::new(Device::new("lab", name))).into(),
            groups: vec![group("web", &["lab:web1", "lab:web2"]), group("other", &["lab:web2"])],
            ..Inventory::default()
        };
        let ids = HashSet::from(["lab:web1".to_owned()]);
        let saved = |expr: &str| SavedTarget { name: "x".into(), expr: expr.into() };
        for (expr, named) in [
            ("web1", true),
            ("lab:web[1-4] & !stale", true),
            ("web & state:offline", true),
            ("other | (web1)", true),
            ("web2", false),
            ("other", false),
            ("@all", false),
            ("gone | nowhere", false),
        ] {
            assert_eq!(of_devices(&ids, &inventory, &[], &[saved(expr)]).len(), usize::from(named), "{expr}");
        }
    }
}
