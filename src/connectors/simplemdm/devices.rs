//! Devices and groups of an account as an inventory. SimpleMDM does not say which devices are Macs, which alone run
//! scripts: that is told by their model. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::wire;
use crate::model::device::{ATTRIBUTE, Device, Group, Inventory, Reach};

/// Why a device is not sent to.
pub const MACS_ALONE: &str = "SimpleMDM runs scripts on Macs alone";
pub const NOT_ENROLLED: &str = "not enrolled at SimpleMDM";

/// Which of an account's devices one is: SimpleMDM's number for it.
pub const ID: &str = "id";

/// A device's values that are shown; longer ones are cut, and say so.
const VALUE: usize = 200;

/// What was read of an account.
#[derive(Default)]
pub struct Read {
    pub devices: Vec<Raw>,
    pub assignment: Vec<wire::Group>,
    pub legacy: Vec<wire::Group>,
}

/// A device, its name not yet unique, with the groups it says it is in.
pub struct Raw {
    id: wire::Id,
    device: Device,
    groups: Vec<wire::Id>,
    legacy: Option<wire::Id>,
}

impl Raw {
    pub fn new(connection: &str, device: &wire::Device) -> Self {
        let wire::Object { id, attributes, relationships } = device;
        let name = [&attributes.name, &attributes.device_name, &attributes.serial_number]
            .into_iter()
            .map(|name| name.trim())
            .find(|name| !name.is_empty())
            .map_or_else(|| format!("device-{}", id.0), |name| cut(name).replace(char::is_control, " "));
        let mut made = Device::new(connection, &name);
        let facts = [
            (ID, &id.0),
            ("serial", &attributes.serial_number),
            ("udid", &attributes.unique_identifier),
            ("os_version", &attributes.os_version),
            ("build", &attributes.build_version),
            ("model", &attributes.model_name),
            ("product", &attributes.product_name),
            ("arch", &attributes.processor_architecture),
            ("status", &attributes.status),
            ("last_seen", &attributes.last_seen_at),
            ("enrolled", &attributes.enrolled_at),
            ("ip", &attributes.last_seen_ip),
            ("battery", &attributes.battery_level),
            ("supervised", &attributes.is_supervised),
            ("filevault", &attributes.filevault_enabled),
            ("capacity_gb", &attributes.device_capacity),
            ("free_gb", &attributes.available_device_capacity),
            ("mac", &attributes.wifi_mac),
            ("model_number", &attributes.model),
            ("device_name", &attributes.device_name),
        ];
        let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
        made.facts = known.map(|(fact, value)| (fact.to_owned(), cut(value))).collect();
        let os = system(attributes);
        if !os.is_empty() {
            made.facts.insert("os".to_owned(), os.to_owned());
        }
        for value in relationships.custom_attribute_values.each().filter(|value| !value.attributes.secret) {
            made.facts.insert(format!("{ATTRIBUTE}{}", cut(&value.id.0)), cut(&value.attributes.value));
        }
        made.last_contact = wire::moment(&attributes.last_seen_at);
        let enrolled = attributes.status.is_empty() || attributes.status == "enrolled";
        made.cannot = match (enrolled, os) {
            (false, _) => Some(format!("{NOT_ENROLLED} ({})", cut(&attributes.status))),
            (true, "macOS") => None,
            (true, "") => Some(format!("no known Mac ({MACS_ALONE})")),
            (true, os) => Some(format!("{os} ({MACS_ALONE})")),
        };
        let runs = made.cannot.clone().unwrap_or_else(|| "yes".to_owned());
        made.facts.insert("scripts".to_owned(), runs);
        // (whether an enrolled one answers now nobody knows: it fetches a script when it next calls)
        if !enrolled {
            made.state = Reach::Offline;
            made.last_error.clone_from(&made.cannot);
        }
        Self {
            id: id.clone(),
            device: made,
            groups: relationships.groups.each().map(|group| group.id.clone()).collect(),
            legacy: relationships.device_group.data.as_ref().map(|group| group.id.clone()),
        }
    }
}

/// By its model; empty: none that we know.
fn system(attributes: &wire::DeviceAttributes) -> &'static str {
    let says = |word: &str| {
        [&attributes.product_name, &attributes.model_name].into_iter().any(|text| text.to_lowercase().contains(word))
    };
    let known = [("mac", "macOS"), ("ipad", "iPadOS"), ("iphone", "iOS"), ("ipod", "iOS"), ("tv", "tvOS")];
    known.into_iter().find(|(word, _)| says(word)).map_or("", |(_, os)| os)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// All of it, names made unique.
pub fn inventory(connection: &str, read: &Read) -> Inventory {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for raw in &read.devices {
        *times.entry(&raw.device.name).or_default() += 1;
    }
    let mut devices: BTreeMap<String, Device> = BTreeMap::new();
    let mut at: HashMap<&wire::Id, String> = HashMap::new();
    let mut members: HashMap<&wire::Id, Vec<&wire::Id>> = HashMap::new();
    let mut legacy: HashMap<&wire::Id, Vec<&wire::Id>> = HashMap::new();
    for raw in &read.devices {
        let mut device = raw.device.clone();
        if times.get(device.name.as_str()).is_some_and(|times| *times > 1) {
            // two that are called the same are told apart by what is theirs alone
            let of = device.facts.get("serial").unwrap_or(&raw.id.0);
            device.name = format!("{} ({of})", device.name);
        }
        device.id = format!("{connection}:{}", device.name);
        if devices.contains_key(&device.id) {
            device.name = format!("{} #{}", device.name, raw.id.0);
            device.id = format!("{connection}:{}", device.name);
        }
        at.insert(&raw.id, device.id.clone());
        for group in &raw.groups {
            members.entry(group).or_default().push(&raw.id);
        }
        if let Some(group) = &raw.legacy {
            legacy.entry(group).or_default().push(&raw.id);
        }
        devices.insert(device.id.clone(), device);
    }
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |group: &wire::Group, suffix: &str, ids: Vec<&wire::Id>| {
        let name = group.attributes.name.trim();
        let name = if name.is_empty() { format!("group-{}", group.id.0) } else { cut(name) };
        let name = name.replace(char::is_control, " ");
        let name = if groups.contains_key(&name) { format!("{name} ({suffix} {})", group.id.0) } else { name };
        let mut ids: Vec<String> = ids.into_iter().filter_map(|id| at.get(id).cloned()).collect();
        ids.sort();
        ids.dedup();
        groups.insert(name, ids);
    };
    let in_legacy: HashMap<&wire::Id, Vec<&wire::Id>> = read
        .legacy
        .iter()
        .map(|group| {
            let told = group.relationships.devices.each().map(|device| &device.id);
            let theirs = legacy.get(&group.id).into_iter().flatten().copied();
            (&group.id, told.chain(theirs).collect())
        })
        .collect();
    for group in &read.assignment {
        let told = group.relationships.devices.each().map(|device| &device.id);
        let dynamic = members.get(&group.id).into_iter().flatten().copied();
        let nested = group.relationships.device_groups.each();
        let nested = nested.filter_map(|group| in_legacy.get(&group.id)).flatten().copied();
        add(group, "assignment group", told.chain(dynamic).chain(nested).collect());
    }
    for group in &read.legacy {
        add(group, "device group", in_legacy.get(&group.id).cloned().unwrap_or_default());
    }
    for (name, ids) in &groups {
        for id in ids {
            if let Some(device) = devices.get_mut(id) {
                device.groups.push(name.clone());
            }
        }
    }
    let group = |(name, devices)| Group { name, connection: connection.to_owned(), children: Vec::new(), devices };
    Inventory {
        devices: devices.into_values().map(Arc::new).collect(),
        groups: groups.into_iter().map(group).map(Arc::new).collect(),
        ..Inventory::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn raw(id: u32, name: &str, model: &str, more: Value) -> Raw {
        let mut attributes =
            json!({ "name": name, "model_name": model, "status": "enrolled", "serial_number": format!("C{id:03}") });
        let mut relationships = json!({});
        for (key, value) in more.as_object().unwrap() {
            let place = if key == "groups" || key == "device_group" { &mut relationships } else { &mut attributes };
            place[key] = value.clone();
        }
        let device = json!({ "type": "device", "id": id, "attributes": attributes, "relationships": relationships });
        Raw::new("macs", &serde_json::from_value(device).unwrap())
    }

    fn group(id: u32, name: &str, devices: &[u32], nested: &[u32]) -> wire::Group {
        let of = |ids: &[u32]| ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
        let relationships = json!({ "devices": { "data": of(devices) }, "device_groups": { "data": of(nested) } });
        serde_json::from_value(json!({ "id": id, "attributes": { "name": name }, "relationships": relationships }))
            .unwrap()
    }

    fn in_group<'a>(inventory: &'a Inventory, name: &str) -> Vec<&'a str> {
        let group = inventory.groups.iter().find(|group| group.name == name);
        group.unwrap_or_else(|| panic!("{name}")).devices.iter().map(String::as_str).collect()
    }

    #[test]
    fn members_are_those_the_group_names_those_that_name_it_and_those_of_nested_groups() {
        let read = Read {
            devices: vec![
                raw(1, "mini", "Mac mini", json!({})),
                raw(2, "book", "MacBook Pro", json!({ "groups": { "data": [{ "id": 6, "group_type": "dynamic" }] } })),
                raw(3, "old", "iMac", json!({ "device_group": { "data": { "id": 4 } } })),
            ],
            assignment: vec![group(6, "Build farm", &[1], &[4]), group(7, "Empty", &[], &[])],
            legacy: vec![group(4, "Lab", &[], &[]), group(5, "Build farm", &[3, 99], &[])],
        };
        let inventory = inventory("macs", &read);
        assert_eq!(in_group(&inventory, "Build farm"), ["macs:book", "macs:mini", "macs:old"]);
        assert_eq!(in_group(&inventory, "Build farm (device group 5)"), ["macs:old"], "one that is not there is not");
        assert_eq!((in_group(&inventory, "Lab"), in_group(&inventory, "Empty").len()), (vec!["macs:old"], 0));
        let old = inventory.devices.iter().find(|device| device.name == "old").unwrap();
        assert_eq!(old.groups, ["Build farm", "Build farm (device group 5)", "Lab"]);
    }

    #[test]
    fn macs_that_are_enrolled_are_sent_to_and_no_others() {
        for (model, status, os, cannot) in [
            ("MacBook Air", "enrolled", Some("macOS"), None),
            ("iPhone 15", "enrolled", Some("iOS"), Some("iOS (SimpleMDM runs")),
            ("iPad", "enrolled", Some("iPadOS"), Some("iPadOS (")),
            ("Apple TV", "enrolled", Some("tvOS"), Some("tvOS (")),
            ("Gadget", "enrolled", None, Some("no known Mac (")),
            ("iMac", "awaiting enrollment", Some("macOS"), Some(NOT_ENROLLED)),
            ("iMac", "unenrolled", Some("macOS"), Some(NOT_ENROLLED)),
        ] {
            let device = raw(1, "x", model, json!({ "status": status })).device;
            assert_eq!(device.facts.get("os").map(String::as_str), os, "{model}");
            let why = device.cannot.as_deref();
            assert!(
                why.is_none() == cannot.is_none() && why.unwrap_or("").starts_with(cannot.unwrap_or("")),
                "{why:?}"
            );
        }
    }

    #[test]
    fn devices_of_the_same_name_are_told_apart() {
        let read = Read {
            devices: vec![
                raw(1, "MacBook", "MacBook", json!({})),
                raw(2, "MacBook", "MacBook", json!({})),
                raw(3, "MacBook", "MacBook", json!({ "serial_number": "C001" })),
                raw(4, "  ", "MacBook", json!({ "serial_number": "" })),
                raw(5, "a\u{1b}[2Jb", "MacBook", json!({})),
            ],
            ..Read::default()
        };
        let names: Vec<String> = inventory("macs", &read).devices.iter().map(|device| device.name.clone()).collect();
        assert_eq!(names, ["MacBook (C001)", "MacBook (C001) #3", "MacBook (C002)", "a [2Jb", "device-4"]);
    }

    #[test]
    fn custom_attributes_are_facts_unless_they_are_secret() {
        let device = json!({ "id": 1, "attributes": { "name": "x" }, "relationships": { "custom_attribute_values": {
            "data": [{ "id": "site", "attributes": { "value": "eu", "secret": false } },
                     { "id": "wifi", "attributes": { "value": "hunter2", "secret": true } }] } } });
        let raw = Raw::new("macs", &serde_json::from_value(device).unwrap());
        assert_eq!(raw.device.facts.get("attr.site").map(String::as_str), Some("eu"));
        assert!(!format!("{:?}", raw.device.facts).contains("hunter2"));
    }
}
