//! What keeps a device out of a plan: a read-only connection, another job that has not done with it, maintenance, a
//! change freeze. All but the first can be taken in on purpose, by name. Looked at when a plan is made and once more
//! when it is launched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::Engine;
use crate::model::device::{Device, Inventory};
use crate::model::job::JobId;
use crate::model::nodeset;
use crate::model::plan::{Exclusion, LeftOut};
use crate::model::window::{Closed, ClosedKind};

/// What holds at one moment.
pub struct Guards<'a> {
    engine: &'a Engine,
    busy: HashMap<String, JobId>,
    closed: Vec<(LeftOut, Of, String)>,
}

/// Which devices a window is of.
enum Of {
    All,
    Protected,
    These(HashSet<String>),
}

/// A plan's devices, and those that are not in it.
#[derive(Default)]
pub struct Sifted<'d> {
    pub devices: Vec<&'d Arc<Device>>,
    /// By id, with the reason.
    pub excluded: Vec<(String, String)>,
    /// The same by reason.
    pub exclusions: Vec<Exclusion>,
    /// Taken in on purpose, by what would have kept them out.
    pub included: Vec<Exclusion>,
}

impl<'a> Guards<'a> {
    pub fn now(engine: &'a Engine, inventory: &Inventory) -> Self {
        let now = Timestamp::now();
        let closed = engine.settings.closed.iter().flat_map(|closed| {
            let Some(until) = closed.window.holds(now) else { return Vec::new() };
            let why = match closed.kind {
                ClosedKind::Maintenance => LeftOut::Maintenance,
                ClosedKind::Freeze => LeftOut::Freeze,
            };
            let says = closed.says(&until);
            let told = |(of, more): (Of, Option<String>)| {
                (why, of, more.map_or_else(|| says.clone(), |more| format!("{says}; {more}")))
            };
            whose(closed, inventory).into_iter().map(told).collect()
        });
        Self { engine, busy: engine.jobs.busy(), closed: closed.collect() }
    }

    /// Everything that keeps a device out, the strongest first.
    pub fn of(&self, device: &Device) -> Vec<(LeftOut, String)> {
        let connection = self.engine.inventories.connection(&device.connection);
        let mut found = Vec::new();
        if connection.is_some_and(|connection| connection.read_only) {
            found.push((LeftOut::ReadOnly, format!("connection {} is read-only", device.connection)));
        }
        let protected = connection.is_some_and(|connection| connection.protected);
        for (why, of, text) in &self.closed {
            let theirs = match of {
                Of::All => true,
                Of::Protected => protected,
                Of::These(ids) => ids.contains(&device.id),
            };
            if theirs {
                found.push((*why, text.clone()));
            }
        }
        if !self.engine.capabilities(&device.connection).side_by_side {
            found.extend(self.busy.get(&device.id).map(|job| (LeftOut::Busy, format!("busy in job {job}"))));
        }
        found.sort_by_key(|(why, _)| *why);
        found
    }

    /// Parts devices that a plan may hold from those that it may not.
    pub fn sift<'d>(&self, devices: Vec<&'d Arc<Device>>, include: &[LeftOut]) -> Sifted<'d> {
        let mut sifted = Sifted::default();
        let (mut out, mut taken) = (Tally::default(), Tally::default());
        for device in devices {
            let (on_purpose, kept): (Vec<_>, Vec<_>) =
                self.of(device).into_iter().partition(|(why, _)| why.can_be_included() && include.contains(why));
            if let Some((why, text)) = kept.into_iter().next() {
                out.add(why, &text, device);
                sifted.excluded.push((device.id.clone(), text));
            } else {
                for (why, text) in on_purpose {
                    taken.add(why, &text, device);
                }
                sifted.devices.push(device);
            }
        }
        (sifted.exclusions, sifted.included) = (out.exclusions(), taken.exclusions());
        sifted
    }
}

#[derive(Default)]
struct Tally<'d>(Vec<(LeftOut, String, Vec<&'d str>)>);

impl<'d> Tally<'d> {
    fn add(&mut self, why: LeftOut, text: &str, device: &'d Arc<Device>) {
        match self.0.iter_mut().find(|(known, said, _)| *known == why && said == text) {
            Some((_, _, ids)) => ids.push(&device.id),
            None => self.0.push((why, text.to_owned(), vec![&device.id])),
        }
    }

    fn exclusions(mut self) -> Vec<Exclusion> {
        self.0.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| b.2.len().cmp(&a.2.len())));
        let one = |(why, text, ids): (LeftOut, String, Vec<&str>)| Exclusion {
            why,
            text,
            count: ids.len(),
            folded: nodeset::fold(ids.iter().copied()),
        };
        self.0.into_iter().map(one).collect()
    }
}

/// Whose it is. Where its target means nothing that is known here: everything; where lines are lost of inventories that
/// it looks into: everything of those too, because of this.
fn whose(closed: &Closed, inventory: &Inventory) -> Vec<(Of, Option<String>)> {
    let devices = match closed.means(inventory) {
        Some(Ok(devices)) => devices,
        Some(Err(why)) => return vec![(Of::All, Some(format!("of everything until that is put right: {why}")))],
        None if closed.everywhere => return vec![(Of::All, None)],
        None => return vec![(Of::Protected, None)],
    };
    let ids: HashSet<String> = devices.iter().map(|device| device.id.clone()).collect();
    // who holds nobody may have lost somebody anywhere
    let looked: Vec<&Arc<Device>> = if devices.is_empty() { inventory.devices.iter().collect() } else { devices };
    let lost = inventory.lost(looked.iter().map(|device| &***device));
    if lost.is_empty() {
        return vec![(Of::These(ids), None)];
    }
    let connections: HashSet<&str> = looked.iter().map(|device| device.connection.as_str()).collect();
    let perhaps = inventory.devices.iter().filter(|device| {
        connections.contains(device.connection.as_str())
            && inventory.unread.contains_key(&device.connection)
            && !ids.contains(&device.id)
    });
    let perhaps = perhaps.map(|device| device.id.clone()).collect();
    let why = format!("of these too until that is put right: {}", lost.join(", "));
    vec![(Of::These(ids), None), (Of::These(perhaps), Some(why))]
}

/// Devices that a job left failed and of which nobody knows what ran on them.
pub fn unknown(job: JobId, ids: &[String]) -> Exclusion {
    Exclusion {
        why: LeftOut::Unknown,
        text: format!(
            "whose outcome in job {job} is unknown (look at them; `rerun {job} --unknown`, @unknown:{job} or R u takes them)"
        ),
        count: ids.len(),
        folded: nodeset::fold(ids.iter().map(String::as_str)),
    }
}

/// Devices that a job left and the inventory has no longer.
pub fn lost(ids: &[String]) -> Exclusion {
    Exclusion {
        why: LeftOut::Lost,
        text: "in the inventory no longer".to_owned(),
        count: ids.len(),
        folded: nodeset::fold(ids.iter().map(String::as_str)),
    }
}
