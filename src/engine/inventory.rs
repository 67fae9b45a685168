//! The inventory of all connections together, with what the last contact with each device said.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::store::db::Contact;
use crate::connectors::{Connectors, Outcome};
use crate::model::connection::{Connection, ConnectionInfo};
use crate::model::device::{Inventory, Reach};
use crate::model::state::RunState;
use crate::model::wire::Targets;

pub struct Inventories {
    connections: Vec<Connection>,
    connectors: Arc<Connectors>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As the systems told it, merged.
    told: Arc<Inventory>,
    /// How often they did.
    readings: u64,
    warnings: HashMap<String, Vec<String>>,
    contacts: HashMap<String, Contact>,
    /// Contacts not yet recorded.
    fresh: HashMap<String, Contact>,
    /// `told` with the contacts laid over; `None`: to be made.
    shown: Option<Arc<Inventory>>,
}

/// What an outcome says about reaching the device; `None`: nothing.
pub fn contact_of(outcome: &Outcome) -> Option<Contact> {
    let now = Timestamp::now();
    let reached = |state, error| Contact { state, last_contact: Some(now), last_error: error };
    match outcome.state {
        _ if outcome.unasked => None,
        RunState::Offline => {
            Some(Contact { state: Reach::Offline, last_contact: None, last_error: outcome.reason.clone() })
        }
        RunState::Cancelled | RunState::Skipped => None,
        _ if outcome.refused => Some(reached(Reach::Refused, outcome.reason.clone())),
        _ => Some(reached(Reach::Online, None)),
    }
}

impl Inventories {
    pub fn new(connections: Vec<Connection>, connectors: Arc<Connectors>, contacts: Vec<(String, Contact)>) -> Self {
        let state = State { contacts: contacts.into_iter().collect(), ..State::default() };
        Self { connections, connectors, state: Mutex::new(state) }
    }

    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.name == name)
    }

    /// Asks every connection again.
    pub async fn refresh(&self) {
        let asked = self.connections.iter().filter_map(|connection| {
            let connector = self.connectors.get(&connection.name)?;
            Some(async move { (connection.name.clone(), connector.inventory().await) })
        });
        let answers = futures::future::join_all(asked).await;
        let mut told = Inventory::default();
        let mut warnings = HashMap::new();
        for (name, mut inventory) in answers {
            warnings.insert(name, std::mem::take(&mut inventory.warnings));
            told.join(inventory);
        }
        told.sort();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.told = Arc::new(told);
        state.readings += 1;
        state.warnings = warnings;
        state.shown = None;
    }

    /// Some connection's files have changed: the watcher tells so too, a moment later than a launch may wait.
    pub async fn changed(&self) -> bool {
        let looks = self.connectors.values().map(|connector| connector.changed());
        futures::future::join_all(looks).await.contains(&true)
    }

    /// All devices and groups, with reachability.
    pub fn all(&self) -> Arc<Inventory> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = &state.shown {
            return Arc::clone(shown);
        }
        let mut shown = Inventory::clone(&state.told);
        for device in &mut shown.devices {
            if let Some(contact) = state.contacts.get(&device.id) {
                let device = Arc::make_mut(device);
                device.state = contact.state;
                device.last_contact = contact.last_contact;
                device.last_error.clone_from(&contact.last_error);
            }
        }
        let shown = Arc::new(shown);
        state.shown = Some(Arc::clone(&shown));
        shown
    }

    /// All devices and groups as their systems told them, and how often they did: what was said by the last contacts is
    /// not laid over.
    pub fn told(&self) -> (u64, Arc<Inventory>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.readings, Arc::clone(&state.told))
    }

    /// What the last contact with a device said.
    pub fn contact(&self, device: &str) -> Option<Contact> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).contacts.get(device).cloned()
    }

    /// How often all connections were asked: as long as this is the same, so are the facts of the devices.
    pub fn readings(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).readings
    }

    pub fn targets(&self) -> Targets {
        let all = self.all();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for device in &all.devices {
            *counts.entry(&device.connection).or_default() += 1;
        }
        let connections = self
            .connections
            .iter()
            .map(|connection| ConnectionInfo {
                name: connection.name.clone(),
                kind: connection.kind.word().to_owned(),
                devices: counts.get(connection.name.as_str()).copied().unwrap_or(0),
                protected: connection.protected,
                read_only: connection.read_only,
                capabilities: self.connectors.get(&connection.name).map(|c| c.capabilities()).unwrap_or_default(),
                warnings: state.warnings.get(&connection.name).cloned().unwrap_or_default(),
            })
            .collect();
        Targets { connections, groups: all.groups.clone(), devices: all.devices.clone(), ..Targets::default() }
    }

    /// Everything that could not be read.
    pub fn warnings(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.connections.iter().filter_map(|c| state.warnings.get(&c.name)).flatten().cloned().collect()
    }

    pub fn contacted(&self, device: &str, contact: Option<Contact>) {
        let Some(mut contact) = contact else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.contacts.get(device);
        contact.last_contact = contact.last_contact.or_else(|| before.and_then(|before| before.last_contact));
        state.contacts.insert(device.to_owned(), contact.clone());
        state.fresh.insert(device.to_owned(), contact);
        state.shown = None;
    }

    /// A device answered its system, asked by others than us: news, where nothing later is known.
    pub fn answered(&self, device: &str, at: Timestamp) {
        let known = self.contact(device).and_then(|contact| contact.last_contact);
        if known.is_none_or(|known| known < at) {
            let contact = Contact { state: Reach::Online, last_contact: Some(at), last_error: None };
            self.contacted(device, Some(contact));
        }
    }

    pub fn take_contacts(&self) -> Vec<(String, Contact)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.fresh).into_iter().collect()
    }

    /// Files whose change means asking again.
    pub fn watched(&self) -> Vec<PathBuf> {
        self.connectors.values().flat_map(|connector| connector.watched()).collect()
    }
}
