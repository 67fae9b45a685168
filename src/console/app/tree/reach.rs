//! What contacts with devices said, laid over the tree while a job talks to thousands of them: numbers move, nothing is
//! read or built again. Order and filters may ask for reachability too: that they are out of date is for the caller.

use std::sync::Arc;

use super::{Kind, Tally, Tree};
use crate::model::device::Reach;
use crate::model::wire::{Contacted, Targets};

/// Where a device counts.
#[derive(Debug, Default)]
pub(super) struct Home {
    connection: Option<usize>,
    groups: Vec<usize>,
}

/// Tallies by connection and by group, and where each device is in them.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) connections: Vec<Tally>,
    pub(super) groups: Vec<Tally>,
    homes: Vec<Home>,
}

impl Tally {
    /// One of its devices is in another state.
    fn moved(&mut self, from: Reach, to: Reach) {
        if let Some(count) = self.of(from) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.of(to) {
            *count += 1;
        }
    }

    fn of(&mut self, state: Reach) -> Option<&mut usize> {
        match state {
            Reach::Online => Some(&mut self.online),
            Reach::Offline => Some(&mut self.offline),
            Reach::Refused => Some(&mut self.refused),
            Reach::Unknown => None,
        }
    }
}

impl Tallies {
    pub(super) fn of(targets: &Targets, at: impl Fn(&str) -> Option<usize>) -> Self {
        let known = targets.connections.iter().enumerate().map(|(at, info)| (info.name.as_str(), at));
        let known: std::collections::HashMap<&str, usize> = known.collect();
        let mut connections = vec![Tally::default(); targets.connections.len()];
        let mut homes = Vec::with_capacity(targets.devices.len());
        for device in &targets.devices {
            let connection = known.get(device.connection.as_str()).copied();
            if let Some(at) = connection {
                connections[at].add(device);
            }
            homes.push(Home { connection, groups: Vec::new() });
        }
        let mut groups = vec![Tally::default(); targets.groups.len()];
        for (group, tally) in groups.iter_mut().enumerate() {
            for device in targets.groups[group].devices.iter().filter_map(|id| at(id)) {
                tally.add(&targets.devices[device]);
                homes[device].groups.push(group);
            }
        }
        Self { connections, groups, homes }
    }
}

impl Tree {
    /// These were spoken to. `true`: the rows no longer say what is so.
    pub fn contacted(&mut self, contacts: Vec<Contacted>) -> bool {
        let mut news = false;
        for contact in contacts {
            let Some(at) = self.by_id.get(&contact.device).copied() else { continue };
            let device = Arc::make_mut(&mut self.targets.devices[at]);
            let (from, to) = (device.state, contact.state);
            (device.state, device.last_contact, device.last_error) = (to, contact.last_contact, contact.last_error);
            news = true;
            if from == to {
                continue;
            }
            self.total.moved(from, to);
            let home = &self.tallies.homes[at];
            if let Some(at) = home.connection {
                self.tallies.connections[at].moved(from, to);
            }
            home.groups.iter().for_each(|at| self.tallies.groups[*at].moved(from, to));
        }
        news
    }

    /// Which rows there are, and in which order, hangs on who could be reached.
    pub fn asks_reach(&self) -> bool {
        self.look.narrowed() || matches!(self.look.sort.column, 2 | 3)
    }

    /// Puts the numbers of the rows right.
    pub fn retally(&mut self) {
        let devices = &self.targets.devices;
        let of = |at: &usize| {
            let mut tally = Tally::default();
            tally.add(&devices[*at]);
            tally
        };
        for row in &mut self.rows {
            match &row.kind {
                Kind::All => row.tally = self.total,
                Kind::Connection(at) => row.tally = self.tallies.connections[*at],
                Kind::Group(at) => row.tally = self.tallies.groups[*at],
                Kind::Set(members) => {
                    row.tally = Tally::default();
                    members.iter().for_each(|at| row.tally.add(&devices[*at]));
                }
                Kind::Device(at) => row.tally = of(at),
                Kind::Saved(_) | Kind::Heading => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;

    #[test]
    fn what_a_contact_said_counts_as_if_everything_were_read_again() {
        let mut tree = Tree::default();
        tree.set(sample::targets());
        let states = [Reach::Offline, Reach::Online, Reach::Refused, Reach::Unknown];
        let ids: Vec<String> = tree.targets.devices.iter().map(|device| device.id.clone()).collect();
        let contacts = ids.iter().zip(states.iter().cycle()).map(|(id, state)| Contacted {
            device: id.clone(),
            state: *state,
            last_contact: None,
            last_error: None,
        });
        assert!(tree.contacted(contacts.collect()));
        tree.retally();
        let told: Vec<Tally> = tree.rows.iter().map(|row| row.tally).collect();
        let mut anew = Tree::default();
        anew.set(tree.targets.clone());
        assert_eq!(told, anew.rows.iter().map(|row| row.tally).collect::<Vec<_>>());
        assert_eq!((tree.total, tree.total.devices), (anew.total, ids.len()));
        let stranger = Contacted { device: "x:y".into(), state: Reach::Online, last_contact: None, last_error: None };
        assert!(!tree.contacted(vec![stranger]));
    }
}
