//! Groups: `/device_groups` are those of the inventories, `/assignment_groups` these and the saved targets. One number
//! means the same group in both. They are read here, and changed where they come from.

use axum::http::Method;
use serde_json::{Value, json};

use super::Ask;
use super::devices::members;
use super::envelope::{self, Answer, Cursor, Fault};
use crate::engine::door::{Fleet, Set, SetKind};

/// A key that is limited sees the groups all of whose devices it reaches.
pub(super) fn reached(ask: &Ask, fleet: &Fleet, set: &Set) -> bool {
    let reaches = |place: &u32| ask.reaches(&fleet.inventory.devices[*place as usize].id);
    ask.reach.is_none() || (!set.devices.is_empty() && set.devices.iter().all(reaches))
}

fn fixed() -> Fault {
    Fault::invalid(
        "groups are not changed over this API: they are those of the connections' inventories, and saved targets \
         (quarterdeck targets save NAME EXPR)",
    )
}

/// Which of the two lists an address is of.
fn assigned(ask: &Ask) -> bool {
    ask.kind == "assignment_groups"
}

async fn seen(ask: &Ask, fleet: &Fleet) -> Result<Vec<Set>, Fault> {
    let mut sets = ask.engine.groups_of(fleet, assigned(ask)).await?;
    sets.retain(|set| reached(ask, fleet, set));
    Ok(sets)
}

async fn named(ask: &Ask, fleet: &Fleet) -> Result<Set, Fault> {
    let id = ask.id("id")?;
    seen(ask, fleet).await?.into_iter().find(|set| set.id == id).ok_or_else(Fault::not_found)
}

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => {}
        Method::POST => return Err(fixed()),
        _ => return Err(ask.cannot("GET lists")),
    }
    let fleet = ask.engine.fleet().await?;
    let cursor = Cursor::of(&ask.bag)?;
    let (page, more) = cursor.cut(seen(&ask, &fleet).await?, cursor.number()?, |set| set.id);
    Ok(envelope::page(page.iter().map(|set| object(&ask, &fleet, set)).collect(), more))
}

pub(super) async fn one(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let set = named(&ask, &fleet).await?;
    match ask.method {
        Method::GET => Ok(envelope::one(object(&ask, &fleet, &set))),
        Method::PATCH | Method::PUT | Method::DELETE => Err(fixed()),
        _ => Err(ask.cannot("GET reads")),
    }
}

/// What lies below a group.
pub(super) async fn within(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    named(&ask, &fleet).await?;
    let rest = ask.part("rest").trim_end_matches('/').to_owned();
    let word = rest.split('/').next().unwrap_or_default();
    match (&ask.method, word) {
        (&Method::GET, "custom_attribute_values") => {
            // a group has none of its own: what all devices have that were given none
            let all = ask.engine.attributes(&fleet).await?;
            let own = all.iter().filter(|named| named.own);
            Ok(envelope::all(own.map(|named| super::attributes::default_row(&named.attribute)).collect()))
        }
        (_, "custom_attribute_values") => Err(Fault::invalid(
            "groups have no values of their own: set them on the devices (PUT /devices/ID/custom_attribute_values)",
        )),
        (_, "devices" | "device_groups" | "clone") => Err(fixed()),
        (_, "apps" | "profiles" | "push_apps" | "update_apps" | "sync_profiles" | "set_time_zone") => {
            Err(Fault::invalid(format!(
                "{word} is not possible here: these devices are reached by scripts, not by MDM commands"
            )))
        }
        _ => Err(Fault::not_found()),
    }
}

fn object(ask: &Ask, fleet: &Fleet, set: &Set) -> Value {
    let devices = members(fleet, set);
    if !assigned(ask) {
        return json!({
            "type": "device_group",
            "id": set.id,
            "attributes": { "name": set.name, "target": set.expr },
            "relationships": { "devices": { "data": devices } },
        });
    }
    let kind = match set.kind {
        SetKind::Group => "static",
        SetKind::Saved => "dynamic",
    };
    json!({
        "type": "assignment_group",
        "id": set.id,
        "attributes": {
            "name": set.name,
            "auto_deploy": false,
            "priority": 0,
            "type": "standard",
            "group_type": kind,
            "device_count": devices.len(),
            "target": set.expr,
        },
        "relationships": {
            "apps": { "data": [] },
            "device_groups": { "data": [] },
            "devices": { "data": devices },
            "profiles": { "data": [] },
        },
    })
}
