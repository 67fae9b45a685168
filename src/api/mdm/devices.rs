//! Devices: `/devices`. Those of all connections; what an MDM could do with them beyond running scripts is refused, with
//! the reason.

use axum::http::Method;
use serde_json::{Value, json};

use super::envelope::{self, Answer, Cursor, Fault, iso};
use super::{Ask, facts};
use crate::engine::door::{Attribute, Fleet, Set, serial_of};
use crate::model::device::Device;

/// Facts that a search looks into besides the names.
const SEARCHED: [&str; 10] = [
    "serial",
    "serial_number",
    "udid",
    "unique_identifier",
    "imei",
    "mac",
    "wifi_mac",
    "ethernet_mac",
    "phone_number",
    "address",
];

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => list(&ask).await,
        Method::POST => Err(inventory("a device cannot be enrolled here")),
        _ => Err(ask.cannot("GET lists")),
    }
}

fn inventory(what: &str) -> Fault {
    Fault::invalid(format!("{what}: devices come from the inventories of the engine's connections"))
}

async fn list(ask: &Ask) -> Answer {
    let cursor = Cursor::of(&ask.bag)?;
    let fleet = ask.engine.fleet().await?;
    let wanted = ask.bag.word("search")?.map(|word| word.to_lowercase());
    let awaiting = ask.bag.flag("include_awaiting_enrollment")?.unwrap_or(false);
    ask.bag.flag("include_secret_custom_attributes")?;
    let fits = |device: &Device| {
        (awaiting || status(device) != AWAITING)
            && ask.reaches(&device.id)
            && wanted.as_ref().is_none_or(|wanted| found(device, wanted))
    };
    let mut page: Vec<(u64, &Device)> = fleet
        .after(cursor.number()?, cursor.descending)
        .filter(|(_, device)| fits(device))
        .take(cursor.limit + 1)
        .collect();
    let more = page.len() > cursor.limit;
    page.truncate(cursor.limit);
    let values = ask.engine.values_of(page.iter().map(|(_, device)| device.id.clone()).collect()).await?;
    let rows = page.iter().zip(values).map(|((id, device), values)| object(ask, &fleet, *id, device, &values));
    Ok(envelope::page(rows.collect(), more))
}

/// A device whose enrollment nobody has finished is listed only where it is asked for.
const AWAITING: &str = "awaiting enrollment";

/// As SimpleMDM calls it; elsewhere there is no such thing, and each device is one of ours.
fn status(device: &Device) -> &str {
    let told = device.facts.get("status").map(String::as_str);
    told.filter(|told| [AWAITING, "unenrolled"].contains(told)).unwrap_or("enrolled")
}

fn found(device: &Device, wanted: &str) -> bool {
    let holds = |text: &str| {
        if text.is_ascii() && wanted.is_ascii() {
            let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
            text.len() >= wanted.len() && text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
        } else {
            text.to_lowercase().contains(wanted)
        }
    };
    holds(&device.id) || SEARCHED.iter().any(|fact| device.facts.get(*fact).is_some_and(|value| holds(value)))
}

pub(super) async fn one(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let (id, device) = named(&ask, &fleet)?;
    match ask.method {
        Method::GET => {
            let values = ask.engine.values(&device.id).await?;
            Ok(envelope::one(object(&ask, &fleet, id, device, &values)))
        }
        Method::PATCH | Method::PUT => Err(inventory("a device cannot be renamed here")),
        Method::DELETE => Err(inventory("a device cannot be removed here")),
        _ => Err(ask.cannot("GET reads")),
    }
}

/// The device of the path, if the key reaches it.
pub(super) fn named<'f>(ask: &Ask, fleet: &'f Fleet) -> Result<(u64, &'f Device), Fault> {
    let id = ask.id("id")?;
    let device = ask.engine.device(fleet, id)?;
    if ask.reaches(&device.id) { Ok((id, device)) } else { Err(Fault::not_found()) }
}

/// What an MDM does with a device.
pub(super) async fn action(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    named(&ask, &fleet)?;
    let action = ask.part("action");
    match (&ask.method, action) {
        (&Method::GET, "profiles" | "installed_apps") => Ok(envelope::page(Vec::new(), false)),
        (&Method::GET, "users") => Err(Fault::invalid("users are not known here: a script can list them")),
        (&Method::GET, _) => Err(Fault::not_found()),
        (_, action) if known_action(action) => Err(Fault::invalid(format!(
            "{action} is not possible here: these devices are reached by scripts, not by MDM commands; run a script that \
             does it (POST /script_jobs)"
        ))),
        _ => Err(Fault::not_found()),
    }
}

fn known_action(action: &str) -> bool {
    const KNOWN: [&str; 28] = [
        "push_apps",
        "refresh",
        "restart",
        "shutdown",
        "lock",
        "wipe",
        "unenroll",
        "update_os",
        "clear_passcode",
        "clear_firmware_password",
        "rotate_firmware_password",
        "clear_recovery_lock_password",
        "rotate_recovery_lock_password",
        "clear_restrictions_password",
        "rotate_filevault_key",
        "set_admin_password",
        "rotate_admin_password",
        "remote_desktop",
        "bluetooth",
        "lost_mode",
        "set_time_zone",
        "play_sound",
        "update_location",
        "profiles",
        "users",
        "enable_remote_desktop",
        "disable_remote_desktop",
        "rotate_filevault_recovery_key",
    ];
    KNOWN.contains(&action)
}

fn object(ask: &Ask, fleet: &Fleet, id: u64, device: &Device, values: &[(Attribute, Option<String>)]) -> Value {
    let contact = ask.engine.contact(&device.id);
    // what its system says of it counts where we have never spoken to it ourselves
    let (reach, error) = match &contact {
        Some(contact) => (contact.state, contact.last_error.as_ref()),
        None => (device.state, device.last_error.as_ref()),
    };
    let seen = contact.as_ref().and_then(|contact| contact.last_contact).max(device.last_contact);
    let udid = ["udid", "unique_identifier"].into_iter().find_map(|fact| device.facts.get(fact));
    let called = ["device_name", "hostname"].into_iter().find_map(|fact| device.facts.get(fact));
    let mut attributes = json!({
        "name": device.name,
        "device_name": called.unwrap_or(&device.name),
        "status": status(device),
        "last_seen_at": seen.map(iso),
        "serial_number": serial_of(device),
        "unique_identifier": udid.unwrap_or(&device.id),
        // ours
        "target": device.id,
        "connection": device.connection,
        "reach": reach.word(),
        "last_error": error,
        "cannot": device.cannot,
        "facts": device.facts,
    });
    if let Some(attributes) = attributes.as_object_mut() {
        facts::lay(attributes, &device.facts);
    }
    let groups = device.groups.iter().filter_map(|group| fleet.group_id(&device.connection, group));
    let groups: Vec<Value> =
        groups.map(|id| json!({ "type": "assignment_group", "id": id, "group_type": "static" })).collect();
    let values = super::attributes::rows(device, values);
    let mut relationships = json!({ "groups": { "data": groups }, "custom_attribute_values": { "data": values } });
    // one of them, where there is any: clients stumble over an empty one
    if let Some(first) = groups.first() {
        relationships["device_group"] = json!({ "data": { "type": "device_group", "id": first["id"] } });
    }
    json!({ "type": "device", "id": id, "attributes": attributes, "relationships": relationships })
}

/// Members of a set as they stand in its relationships.
pub(super) fn members(fleet: &Fleet, set: &Set) -> Vec<Value> {
    set.devices.iter().map(|place| json!({ "type": "device", "id": fleet.id_at(*place) })).collect()
}
