//! An inventory made quick to ask: by name, by id, by group; and sets of its devices.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use crate::model::device::{Device, Group, Inventory};

/// Some of the inventory's devices, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    pub(super) fn set(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if let Some(last) = self.words.last_mut()
            && !self.len.is_multiple_of(64)
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    pub(super) fn meet(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// In rising order.
    pub(super) fn ones(&self) -> impl Iterator<Item = usize> {
        (0..self.len).filter(|at| self.words[at / 64] >> (at % 64) & 1 == 1)
    }
}

/// Where a name is looked for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) devices: bool,
    pub(super) groups: bool,
    pub(super) connections: bool,
    /// Only in this connection.
    pub(super) within: Option<&'s str>,
}

impl Scope<'_> {
    fn takes(&self, connection: &str) -> bool {
        self.within.is_none_or(|within| within == connection)
    }
}

pub(super) struct Index<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) connections: BTreeSet<&'a str>,
    /// First device of a name; the others hang behind it in `next`.
    names: OnceCell<(HashMap<&'a str, u32>, Vec<u32>)>,
    groups: OnceCell<HashMap<&'a str, Vec<&'a Group>>>,
    ids: OnceCell<HashMap<&'a str, u32>>,
}

const END: u32 = u32::MAX;

impl<'a> Index<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        let mut connections = BTreeSet::new();
        let mut last = "";
        let of_devices = inventory.devices.iter().map(|device| device.connection.as_str());
        for connection in of_devices.chain(inventory.groups.iter().map(|group| group.connection.as_str())) {
            // devices come sorted by connection: most of them are like the one before
            if connection != last {
                connections.insert(connection);
                last = connection;
            }
        }
        Self { inventory, connections, names: OnceCell::new(), groups: OnceCell::new(), ids: OnceCell::new() }
    }

    pub(super) fn none(&self) -> Bits {
        Bits::none(self.inventory.devices.len())
    }

    /// Adds all that is called so. `false`: nothing is.
    pub(super) fn named(&self, name: &str, scope: Scope<'_>, found: &mut Bits) -> bool {
        let mut any = false;
        if scope.devices {
            let (first, next) = self.names();
            let mut at = first.get(name).copied().unwrap_or(END);
            while at != END {
                if scope.takes(&self.inventory.devices[at as usize].connection) {
                    found.set(at as usize);
                    any = true;
                }
                at = next[at as usize];
            }
        }
        if scope.groups {
            for group in self.groups().get(name).into_iter().flatten().filter(|group| scope.takes(&group.connection)) {
                self.members(group, found);
                any = true;
            }
        }
        if scope.connections && self.connections.contains(name) {
            self.select(found, |device| device.connection == name);
            any = true;
        }
        any
    }

    /// Adds all whose name fits. `false`: none does.
    pub(super) fn matching(&self, fits: impl Fn(&str) -> bool, scope: Scope<'_>, found: &mut Bits) -> bool {
        let mut any = false;
        if scope.devices {
            any |= self.select(found, |device| scope.takes(&device.connection) && fits(&device.name));
        }
        if scope.groups {
            for group in &self.inventory.groups {
                if scope.takes(&group.connection) && fits(&group.name) {
                    self.members(group, found);
                    any = true;
                }
            }
        }
        if scope.connections {
            for connection in self.connections.iter().filter(|connection| fits(connection)) {
                any = true;
                self.select(found, |device| device.connection == *connection);
            }
        }
        any
    }

    pub(super) fn select(&self, found: &mut Bits, wanted: impl Fn(&Device) -> bool) -> bool {
        let mut any = false;
        for (at, device) in self.inventory.devices.iter().enumerate() {
            if wanted(device) {
                found.set(at);
                any = true;
            }
        }
        any
    }

    /// Everything that a name in this scope could mean.
    pub(super) fn known<'s>(&'s self, scope: Scope<'s>) -> impl Iterator<Item = &'a str> + 's {
        let groups = self.inventory.groups.iter().filter(move |group| scope.groups && scope.takes(&group.connection));
        let devices =
            self.inventory.devices.iter().filter(move |device| scope.devices && scope.takes(&device.connection));
        let connections = self.connections.iter().copied().filter(move |_| scope.connections);
        groups.map(|group| group.name.as_str()).chain(connections).chain(devices.map(|device| device.name.as_str()))
    }

    fn members(&self, group: &Group, found: &mut Bits) {
        let ids = self.ids.get_or_init(|| {
            self.inventory.devices.iter().zip(0..).map(|(device, at)| (device.id.as_str(), at)).collect()
        });
        group.devices.iter().filter_map(|id| ids.get(id.as_str())).for_each(|at| found.set(*at as usize));
    }

    fn names(&self) -> &(HashMap<&'a str, u32>, Vec<u32>) {
        self.names.get_or_init(|| {
            let devices = &self.inventory.devices;
            let mut first = HashMap::with_capacity(devices.len());
            let mut next = vec![END; devices.len()];
            for (device, at) in devices.iter().zip(0_u32..) {
                if let Some(before) = first.insert(device.name.as_str(), at) {
                    next[at as usize] = before;
                }
            }
            (first, next)
        })
    }

    fn groups(&self) -> &HashMap<&'a str, Vec<&'a Group>> {
        self.groups.get_or_init(|| {
            let mut groups: HashMap<&str, Vec<&Group>> = HashMap::new();
            for group in &self.inventory.groups {
                groups.entry(&group.name).or_default().push(group);
            }
            groups
        })
    }
}
