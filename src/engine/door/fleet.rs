//! Devices and groups by their numbers. The numbers of a fleet are laid out once a reading of the inventories: a page
//! of 100,000 devices costs what the page costs.

use std::collections::HashMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::attributes::{self, Named};
use crate::engine::store::db::Contact;
use crate::engine::store::door::{self as store, Kind};
use crate::engine::{Engine, problem};
use crate::model::device::{Device, Group, Inventory};
use crate::model::nodeset;
use crate::model::wire::{Code, Problem};

/// The devices of one reading of the inventories, and their numbers.
pub struct Fleet {
    readings: u64,
    pub inventory: Arc<Inventory>,
    /// By the place in the inventory.
    ids: Vec<u64>,
    /// By number: the place.
    by_id: Vec<(u64, u32)>,
    /// By a sum of our id: the place. A page of jobs has a thousand runs, each of which a search would look for.
    places: HashMap<u64, u32>,
    /// Of the groups, by their place in the inventory.
    groups: Vec<u64>,
    /// Custom attributes that the devices' systems have.
    pub(super) attributes: Vec<Named>,
}

/// Sets of devices, as the API tells groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// Of a connection's inventory.
    Group,
    /// A saved target.
    Saved,
}

#[derive(Clone, Debug)]
pub struct Set {
    pub id: u64,
    pub kind: SetKind,
    /// For people.
    pub name: String,
    /// As it stands in a target expression.
    pub expr: String,
    /// Places in the inventory.
    pub devices: Vec<u32>,
}

/// A device that was looked for by its number.
pub enum Found<'f> {
    Here(&'f Device),
    /// A number that no device of the inventory has.
    Nowhere,
}

impl Fleet {
    fn of(readings: u64, inventory: Arc<Inventory>, ids: Vec<u64>, groups: Vec<u64>) -> Self {
        let mut by_id: Vec<(u64, u32)> = ids.iter().copied().zip(0..).collect();
        by_id.sort_unstable();
        let attributes = attributes::of_systems(&inventory);
        let places = inventory.devices.iter().map(|device| xxh3_64(device.id.as_bytes())).zip(0..).collect();
        Self { readings, inventory, ids, by_id, places, groups, attributes }
    }

    /// Places behind a number, in the order of the numbers or the other way round.
    pub fn after(&self, id: Option<u64>, descending: bool) -> Box<dyn Iterator<Item = (u64, &Device)> + '_> {
        let device = |(id, place): &(u64, u32)| (*id, &*self.inventory.devices[*place as usize]);
        if descending {
            let end = id.map_or(self.by_id.len(), |id| self.by_id.partition_point(|(known, _)| *known < id));
            Box::new(self.by_id[..end].iter().rev().map(device))
        } else {
            let start = id.map_or(0, |id| self.by_id.partition_point(|(known, _)| *known <= id));
            Box::new(self.by_id[start..].iter().map(device))
        }
    }

    pub fn find(&self, id: u64) -> Found<'_> {
        match self.by_id.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => Found::Here(&self.inventory.devices[self.by_id[at].1 as usize]),
            Err(_) => Found::Nowhere,
        }
    }

    /// The number at a place of the inventory.
    pub fn id_at(&self, place: u32) -> u64 {
        self.ids[place as usize]
    }

    pub fn place_of(&self, device: &str) -> Option<u32> {
        let place = *self.places.get(&xxh3_64(device.as_bytes()))?;
        if self.inventory.devices[place as usize].id == device {
            return Some(place);
        }
        // (one whose sum another device has as well, or none of ours)
        self.inventory.place(device).and_then(|place| u32::try_from(place).ok())
    }

    /// The number of a device that the inventory holds.
    pub fn id_of(&self, device: &str) -> Option<u64> {
        self.place_of(device).map(|place| self.id_at(place))
    }

    /// The number of an inventory's group.
    pub fn group_id(&self, connection: &str, name: &str) -> Option<u64> {
        let groups = &self.inventory.groups;
        let place =
            groups.binary_search_by(|group| (group.connection.as_str(), group.name.as_str()).cmp(&(connection, name)));
        place.ok().map(|place| self.groups[place])
    }

    /// A device by what its system calls it: serial number, or our name of it.
    pub fn by_serial(&self, serial: &str) -> Option<&Device> {
        let named = |device: &&Arc<Device>| serial_of(device).eq_ignore_ascii_case(serial);
        let found = self.inventory.device(serial).or_else(|| self.inventory.devices.iter().find(named));
        found.map(|device| &**device)
    }
}

/// The serial number its system tells, else our own name of the device, which is as unique.
pub fn serial_of(device: &Device) -> &str {
    ["serial_number", "serial"].into_iter().find_map(|fact| device.facts.get(fact)).map_or(&device.id, String::as_str)
}

impl Engine {
    /// The fleet as it is now.
    pub async fn fleet(self: &Arc<Self>) -> Result<Arc<Fleet>, Problem> {
        let mut kept = self.door.fleet.lock().await;
        let (readings, inventory) = self.inventories.told();
        if let Some(fleet) = kept.as_ref().filter(|fleet| fleet.readings == readings) {
            return Ok(Arc::clone(fleet));
        }
        let ids = self.number_devices(kept.as_deref(), &inventory).await?;
        let names = inventory.groups.iter().map(|group| format!("{}:{}", group.connection, group.name)).collect();
        let groups = self.numbers(Kind::Group, names).await?;
        let fleet = Arc::new(Fleet::of(readings, inventory, ids, groups));
        *kept = Some(Arc::clone(&fleet));
        Ok(fleet)
    }

    /// Only names that the last fleet did not hold are asked for.
    async fn number_devices(&self, before: Option<&Fleet>, inventory: &Inventory) -> Result<Vec<u64>, Problem> {
        let known = |device: &Device| before.and_then(|before| before.id_of(&device.id));
        let mut ids: Vec<u64> = inventory.devices.iter().map(|device| known(device).unwrap_or(0)).collect();
        let new = || ids.iter().zip(&inventory.devices).filter(|(id, _)| **id == 0).map(|(_, device)| &device.id);
        let names: Vec<String> = new().cloned().collect();
        if names.is_empty() {
            return Ok(ids);
        }
        let mut numbers = self.numbers(Kind::Device, names).await?.into_iter();
        for id in ids.iter_mut().filter(|id| **id == 0) {
            *id = numbers.next().unwrap_or(0);
        }
        Ok(ids)
    }

    /// Numbers of names, new ones for those that have none.
    pub(super) async fn numbers(&self, kind: Kind, names: Vec<String>) -> Result<Vec<u64>, Problem> {
        Ok(self.jobs.store.db.call(move |db| store::numbers(db, kind, &names)).await?)
    }

    /// Numbers of devices, also of those that no inventory holds any more.
    pub async fn device_numbers(
        self: &Arc<Self>,
        fleet: &Fleet,
        names: &[&str],
    ) -> Result<HashMap<String, u64>, Problem> {
        let mut found = HashMap::new();
        let mut gone: Vec<String> = Vec::new();
        for name in names {
            match fleet.id_of(name) {
                Some(id) => {
                    found.insert((*name).to_owned(), id);
                }
                None => gone.push((*name).to_owned()),
            }
        }
        if !gone.is_empty() {
            gone.sort_unstable();
            gone.dedup();
            let numbers = self.numbers(Kind::Device, gone.clone()).await?;
            found.extend(gone.into_iter().zip(numbers));
        }
        Ok(found)
    }

    /// What the last contact with a device said.
    pub fn contact(&self, device: &str) -> Option<Contact> {
        self.inventories.contact(device)
    }

    /// The groups of the inventories, and with `saved` the saved targets too, by number.
    pub async fn groups_of(self: &Arc<Self>, fleet: &Fleet, saved: bool) -> Result<Vec<Set>, Problem> {
        let mut connections: HashMap<&str, usize> = HashMap::new();
        for group in &fleet.inventory.groups {
            *connections.entry(group.name.as_str()).or_default() += 1;
        }
        let of_inventory = |(id, group): (&u64, &Arc<Group>)| {
            let several = connections.get(group.name.as_str()).is_some_and(|count| *count > 1);
            Set {
                id: *id,
                kind: SetKind::Group,
                name: if several { format!("{}:{}", group.connection, group.name) } else { group.name.clone() },
                expr: format!("(connection:{} & group:{})", quoted(&group.connection), quoted(&group.name)),
                devices: group.devices.iter().filter_map(|device| fleet.place_of(device)).collect(),
            }
        };
        let mut sets: Vec<Set> = fleet.groups.iter().zip(&fleet.inventory.groups).map(of_inventory).collect();
        if saved {
            sets.extend(self.saved_sets(fleet).await?);
        }
        sets.sort_by_key(|set| set.id);
        Ok(sets)
    }

    async fn saved_sets(self: &Arc<Self>, fleet: &Fleet) -> Result<Vec<Set>, Problem> {
        let shelf = Arc::clone(&self.saved);
        let kept = tokio::task::spawn_blocking(move || shelf.list().0).await.unwrap_or_default();
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.numbers(Kind::Group, kept.iter().map(|target| format!("@{}", target.name)).collect()).await?;
        let all = self.inventories.all();
        let mut sets = Vec::with_capacity(kept.len());
        for (target, id) in kept.into_iter().zip(ids) {
            // one that means nothing now is a group of nobody
            let meant = self.meant(&all, &target.expr).await.map(|meant| meant.devices).unwrap_or_default();
            let devices = meant.iter().filter_map(|device| fleet.place_of(&device.id)).collect();
            sets.push(Set { id, kind: SetKind::Saved, expr: format!("@{}", target.name), name: target.name, devices });
        }
        Ok(sets)
    }

    /// An expression that means these devices and no other.
    pub async fn exactly(&self, devices: &[&str]) -> Result<String, Problem> {
        let plain = |id: &&&str| id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
        let (plain, odd): (Vec<&&str>, Vec<&&str>) = devices.iter().partition(|id| plain(id));
        let one = |id: &str| {
            let (connection, name) = id.split_once(':').unwrap_or(("", id));
            format!("(connection:{} & name:{})", quoted(connection), quoted(name))
        };
        let mut parts = Vec::new();
        if !plain.is_empty() {
            parts.push(nodeset::fold(plain.iter().map(|id| **id)));
        }
        parts.extend(odd.iter().map(|id| one(id)));
        let short = parts.join(" | ");
        let wanted: std::collections::HashSet<&str> = devices.iter().copied().collect();
        let meant = self.meant(&self.inventories.all(), &short).await;
        let same = meant.is_ok_and(|meant| {
            meant.devices.len() == wanted.len()
                && meant.devices.iter().all(|device| wanted.contains(device.id.as_str()))
        });
        if same {
            return Ok(short);
        }
        // a group has the name of one of them
        Ok(devices.iter().map(|id| one(id)).collect::<Vec<_>>().join(" | "))
    }

    /// The device of a number.
    pub fn device<'f>(&self, fleet: &'f Fleet, id: u64) -> Result<&'f Device, Problem> {
        match fleet.find(id) {
            Found::Here(device) => Ok(device),
            Found::Nowhere => Err(problem(Code::NotFound, "object not found")),
        }
    }
}

/// A name as an expression takes it, whatever stands in it.
pub fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return name.to_owned();
    }
    let escaped: String =
        name.chars().flat_map(|c| (matches!(c, '"' | '\\')).then_some('\\').into_iter().chain([c])).collect();
    format!("\"{escaped}\"")
}
