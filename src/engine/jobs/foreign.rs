//! Scripts and devices that do not go together: a system that runs its own scripts alone takes no other, and its scripts
//! run nowhere else. Such devices are left out of a plan, with the reason, and cannot be taken in.

use std::collections::HashMap;
use std::sync::Arc;

use crate::connectors::Handed;
use crate::engine::Engine;
use crate::model::device::Device;
use crate::model::nodeset;
use crate::model::plan::{Exclusion, LeftOut};
use crate::model::script::ScriptInfo;

/// The ids of devices, and why they are left out.
type Foreign = (Vec<String>, Exclusion);

/// Devices on which the script can run with what it is given; and the others by id, with why they cannot.
pub fn part<'d>(
    engine: &Engine,
    (script, text, given): (&ScriptInfo, &[u8], &Handed<'_>),
    devices: Vec<&'d Arc<Device>>,
) -> (Vec<&'d Arc<Device>>, Vec<Foreign>) {
    let home = script.connection.as_deref().and_then(|name| engine.inventories.connection(name));
    // of each connection once: a text may be long
    let mut unfit: HashMap<&str, Option<String>> = HashMap::new();
    let mut why = |device: &'d Arc<Device>| -> Option<String> {
        if let Some(why) = &device.cannot {
            return Some(format!("cannot run: {why}"));
        }
        let kind = engine.inventories.connection(&device.connection).map(|connection| connection.kind.word());
        match (&script.connection, home) {
            (Some(of), None) => Some(format!("not of connection {of}, which {} is of and which is gone", script.name)),
            // a text that is known can go wherever a local one can
            _ if script.has_text() && engine.capabilities(&device.connection).takes_scripts => {
                let asked = unfit.entry(&device.connection);
                asked.or_insert_with(|| engine.unfit(&device.connection, text, given)).clone()
            }
            (None, _) => Some(format!("of kind {}, which runs its own scripts alone", kind.unwrap_or("unknown"))),
            (Some(_), Some(home)) if kind == Some(home.kind.word()) => None,
            (Some(_), Some(home)) => {
                Some(format!("not of kind {}, on which {} runs alone", home.kind.word(), script.name))
            }
        }
    };
    let mut fitting = Vec::with_capacity(devices.len());
    let mut foreign: Vec<(Vec<String>, String)> = Vec::new();
    for device in devices {
        let Some(why) = why(device) else {
            fitting.push(device);
            continue;
        };
        match foreign.iter_mut().find(|(_, said)| *said == why) {
            Some((ids, _)) => ids.push(device.id.clone()),
            None => foreign.push((vec![device.id.clone()], why)),
        }
    }
    let exclusion = |(ids, text): (Vec<String>, String)| {
        let folded = nodeset::fold(ids.iter().map(String::as_str));
        let out = Exclusion { why: LeftOut::Foreign, text, count: ids.len(), folded };
        (ids, out)
    };
    (fitting, foreign.into_iter().map(exclusion).collect())
}
