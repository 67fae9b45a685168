//! Devices, groups, and an inventory of both.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing a script can run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// `connection:name`, unique over all connections.
    pub id: String,
    pub name: String,
    pub connection: String,
    /// Names of the groups it is in, ancestors included, sorted.
    pub groups: Vec<String>,
    /// os, address, user, tags…: whatever its system tells.
    pub facts: BTreeMap<String, String>,
    /// Last known reachability.
    #[serde(default)]
    pub state: Reach,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_contact: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Why no script can run on it, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot: Option<String>,
}

/// How the name of a fact begins that is a custom attribute of the device's system: `attr.site`.
pub const ATTRIBUTE: &str = "attr.";

/// Facts that say how a device is reached, and nothing of what it is.
pub const REACHED: [&str; 3] = ["address", "port", "user"];

impl Device {
    /// Its facts: what and where it is before how it is reached, which is each one's own.
    pub fn telling(&self) -> impl Iterator<Item = (&str, &str)> {
        let reached = |fact: &str| REACHED.contains(&fact);
        let of = move |late: bool| self.facts.iter().filter(move |(fact, _)| reached(fact) == late);
        of(false).chain(of(true)).map(|(fact, value)| (fact.as_str(), value.as_str()))
    }

    /// Its values of its system's custom attributes.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let from = self.facts.range::<str, _>((Bound::Included(ATTRIBUTE), Bound::Unbounded));
        from.map_while(|(fact, value)| Some((fact.strip_prefix(ATTRIBUTE)?, value.as_str())))
    }

    /// How it stands, in a word: what nothing can run on is not told by whether it answers.
    pub const fn standing(&self) -> &'static str {
        if self.cannot.is_some() { "cannot" } else { self.state.word() }
    }

    pub fn new(connection: &str, name: &str) -> Self {
        Self {
            id: format!("{connection}:{name}"),
            name: name.to_owned(),
            connection: connection.to_owned(),
            groups: Vec::new(),
            facts: BTreeMap::new(),
            state: Reach::Unknown,
            last_contact: None,
            last_error: None,
            cannot: None,
        }
    }
}

/// What the last contact with a device said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Never tried.
    #[default]
    Unknown,
    Online,
    /// The last try could not reach it.
    Offline,
    /// It was reached and refused us (host key, credentials).
    Refused,
}

impl Reach {
    pub const fn word(self) -> &'static str {
        match self {
            Reach::Unknown => "unknown",
            Reach::Online => "online",
            Reach::Offline => "offline",
            Reach::Refused => "refused",
        }
    }
}

/// A named set of devices, as its system knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    pub connection: String,
    /// Names of the groups directly inside it (same connection).
    pub children: Vec<String>,
    /// Ids of all devices in it, through children too, sorted.
    pub devices: Vec<String>,
}

/// What one connection, or all of them, hold. Devices and groups are shared: a fleet of 100,000 lies in memory once,
/// however many readings and answers hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Sorted by id.
    pub devices: Vec<Arc<Device>>,
    /// Sorted by connection, then name.
    pub groups: Vec<Arc<Group>>,
    /// What could not be read, one sentence each naming file and line.
    pub warnings: Vec<String>,
    /// By connection: those that are about lost parts, where hosts, groups or values may be missing. Devices of such a
    /// connection may lack what would have left them out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, Vec<String>>,
}

impl Inventory {
    /// Takes in what another connection told; to be sorted at the end. Warnings stay where they are.
    pub fn join(&mut self, other: Inventory) {
        self.devices.extend(other.devices);
        self.groups.extend(other.groups);
        self.unread.extend(other.unread);
    }

    pub fn sort(&mut self) {
        self.devices.sort_by(|a, b| a.id.cmp(&b.id));
        self.groups.sort_by(|a, b| (&a.connection, &a.name).cmp(&(&b.connection, &b.name)));
    }

    /// The connections of these devices of which parts could not be read, in words: the first place, and how many more.
    pub fn lost<'d>(&self, devices: impl IntoIterator<Item = &'d Device>) -> Vec<String> {
        if self.unread.is_empty() {
            return Vec::new();
        }
        let of: BTreeSet<&str> = devices.into_iter().map(|device| device.connection.as_str()).collect();
        let told = of.into_iter().filter_map(|name| {
            let (first, more) = self.unread.get(name)?.split_first()?;
            let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
            Some(format!("the inventory of {name} is not whole: {first}{more}"))
        });
        told.collect()
    }

    pub fn device(&self, id: &str) -> Option<&Arc<Device>> {
        self.place(id).map(|at| &self.devices[at])
    }

    /// Where it stands among the devices.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.devices.binary_search_by(|device| device.id.as_str().cmp(id)).ok()
    }
}
