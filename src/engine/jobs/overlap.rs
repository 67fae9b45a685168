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
use crate::model::target;
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
        let closed = engine.settings.closed.iter().filter_map(|closed| {
            let until = closed.window.holds(now)?;
            let why = match closed.kind {
                ClosedKind::Maintenance => LeftOut::Maintenance,
                ClosedKind::Freeze => LeftOut::Freeze,
            };
            Some((why, whose(closed, inventory), sentence(closed, &until)))
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

fn whose(closed: &Closed, inventory: &Inventory) -> Of {
    match &closed.target {
        // (of no job's devices: a window is written beforehand)
        Some(expr) => match target::parse(expr).and_then(|expr| expr.resolve(inventory, &target::Sets::new())) {
            Ok(devices) => Of::These(devices.into_iter().map(|device| device.id.clone()).collect()),
            Err(error) => {
                // a group that is not there today has no devices to leave alone
                tracing::warn!(target_of = closed.reason, expr, %error, "a window's target");
                Of::These(HashSet::new())
            }
        },
        None if closed.everywhere => Of::All,
        None => Of::Protected,
    }
}

fn sentence(closed: &Closed, until: &str) -> String {
    let word = match closed.kind {
        ClosedKind::Maintenance => "in maintenance",
        ClosedKind::Freeze => "in a change freeze",
    };
    if closed.reason == closed.kind.word() {
        format!("{word} {until}")
    } else {
        format!("{word} {until}: {}", closed.reason)
    }
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
