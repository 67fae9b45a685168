//! Custom attributes: `/custom_attributes`, and their values on devices.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::bag::field;
use super::envelope::{self, Answer, Cursor, Fault};
use super::{Ask, devices};
use crate::engine::door::{Attribute, Fleet, Named};
use crate::model::device::Device;
use crate::model::nearest::shown;

fn object(Named { attribute, own, connections }: &Named) -> Value {
    let Attribute { name, default_value } = attribute;
    let attributes = json!({
        "name": name,
        "default_value": default_value,
        // ours
        "connections": connections,
        "kept_here": own,
    });
    json!({ "type": "custom_attribute", "id": name, "attributes": attributes })
}

/// A value, and whose it is: the device's own, or that of all that have none.
fn row(name: &str, value: &str, source: &str) -> Value {
    let attributes = json!({ "name": name, "value": value, "secret": false, "source": source });
    json!({ "type": "custom_attribute_value", "id": name, "attributes": attributes })
}

/// The value of all devices that have none of their own.
pub(super) fn default_row(Attribute { name, default_value }: &Attribute) -> Value {
    row(name, default_value, "account")
}

/// What a device has: what is kept here first, then what its system tells, then what all have.
pub(super) fn rows(device: &Device, kept: &[(Attribute, Option<String>)]) -> Vec<Value> {
    let told = |name: &str| device.attributes().find(|(told, _)| told.eq_ignore_ascii_case(name));
    let of = |(attribute, value): &(Attribute, Option<String>)| {
        let value = value.as_deref().or_else(|| told(&attribute.name).map(|(_, value)| value));
        value.map_or_else(|| default_row(attribute), |value| row(&attribute.name, value, "device"))
    };
    let others = device.attributes().filter(|(name, _)| {
        let same = |(attribute, _): &(Attribute, Option<String>)| attribute.name.eq_ignore_ascii_case(name);
        !kept.iter().any(same)
    });
    kept.iter().map(of).chain(others.map(|(name, value)| row(name, value, "device"))).collect()
}

/// The attribute of this name, to be changed here: one that only a system has is changed there.
async fn kept_here(ask: &Ask, fleet: &Fleet, name: &str) -> Result<Attribute, Fault> {
    kept_of(&ask.engine.attributes(fleet).await?, name).cloned()
}

/// The same of those that were read already.
fn kept_of<'a>(all: &'a [Named], name: &str) -> Result<&'a Attribute, Fault> {
    let Named { attribute, own, connections } = Named::find(all, name)?;
    if *own {
        return Ok(attribute);
    }
    let (name, of) = (shown(&attribute.name), connections.join(", "));
    Err(Fault::invalid(format!(
        "'{name}' is an attribute of {of} and changed there: a script job with custom_attribute={name} sets it on its \
         devices; POST /custom_attributes defines one of this name that is kept here"
    )))
}

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let fleet = ask.engine.fleet().await?;
            let mut rows: Vec<Value> = ask.engine.attributes(&fleet).await?.iter().map(object).collect();
            // it is no paged list, but who asks for pages gets them
            let mut more = false;
            if ask.bag.has("limit") || ask.bag.has("starting_after") {
                let cursor = Cursor::of(&ask.bag)?;
                let key = |row: &Value| row["id"].as_str().unwrap_or_default().to_lowercase();
                (rows, more) = cursor.cut(rows, cursor.after.as_ref().map(|after| after.to_lowercase()), key);
            }
            Ok(envelope::page(rows, more))
        }
        Method::POST => {
            let name = ask.bag.word("name")?.ok_or_else(|| Fault::invalid("name can't be blank"))?;
            let default = ask.bag.text("default_value")?.unwrap_or_default();
            let attribute = ask.engine.create_attribute(&name, &default).await?;
            let fleet = ask.engine.fleet().await?;
            Ok(envelope::created(object(&ask.engine.attribute(&fleet, &attribute.name).await?)))
        }
        _ => Err(ask.cannot("GET lists, POST creates")),
    }
}

pub(super) async fn one(ask: Ask) -> Answer {
    let (name, fleet) = (ask.part("name"), ask.engine.fleet().await?);
    match ask.method {
        Method::GET => Ok(envelope::one(object(&ask.engine.attribute(&fleet, name).await?))),
        // what all devices have, or lose, is not for one who reaches some of them
        Method::PATCH | Method::PUT | Method::DELETE if ask.reach.is_some() => {
            let why = "this key is limited to some devices, and an attribute is of all: set its value on those";
            Err(Fault::new(StatusCode::FORBIDDEN, why))
        }
        Method::PATCH | Method::PUT => {
            let value = ask.bag.text("default_value")?;
            let value = value.ok_or_else(|| Fault::invalid("default_value is missing"))?;
            ask.engine.set_default(&kept_here(&ask, &fleet, name).await?.name, &value).await?;
            Ok(envelope::done())
        }
        Method::DELETE => {
            ask.engine.delete_attribute(&kept_here(&ask, &fleet, name).await?.name).await?;
            Ok(envelope::done())
        }
        _ => Err(ask.cannot("GET reads, PATCH changes, DELETE deletes")),
    }
}

async fn values(ask: &Ask, device: &Device) -> Answer {
    Ok(envelope::all(rows(device, &ask.engine.values(&device.id).await?)))
}

/// All values of a device, and several of them at once: `{"data": [{"name", "value"}]}`.
pub(super) async fn of_device(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let (_, device) = devices::named(&ask, &fleet)?;
    match ask.method {
        Method::GET => values(&ask, device).await,
        Method::PUT => {
            let (all, mut set) = (ask.engine.attributes(&fleet).await?, Vec::new());
            for item in ask.bag.objects("data")? {
                let name = field(item, "name").ok_or_else(|| Fault::invalid("data: each item needs a name"))?;
                let value = field(item, "value").ok_or_else(|| Fault::invalid("data: each item needs a value"))?;
                let name = &kept_of(&all, &name).map_err(Fault::into_invalid)?.name;
                set.push((device.id.clone(), name.clone(), value));
            }
            ask.engine.set_values(set).await.map_err(|why| Fault::from(why).into_invalid())?;
            values(&ask, device).await
        }
        _ => Err(ask.cannot("GET reads, PUT sets")),
    }
}

/// One value of a device.
pub(super) async fn value(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let (_, device) = devices::named(&ask, &fleet)?;
    let name = ask.part("name");
    match ask.method {
        Method::GET => {
            let name = ask.engine.attribute(&fleet, name).await?.attribute.name;
            let is = |row: &Value| row["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(&name));
            // (one that only the devices of another system have)
            let found = rows(device, &ask.engine.values(&device.id).await?).into_iter().find(is);
            found.map(envelope::one).ok_or_else(Fault::not_found)
        }
        Method::PUT => {
            let value = ask.bag.text("value")?.ok_or_else(|| Fault::invalid("value is missing"))?;
            let name = kept_here(&ask, &fleet, name).await?.name;
            ask.engine.set_values(vec![(device.id.clone(), name.clone(), value.clone())]).await?;
            Ok(envelope::one(row(&name, &value, "device")))
        }
        _ => Err(ask.cannot("GET reads, PUT sets")),
    }
}

/// One attribute on many devices: `{"data": [{"device_id", "value"}]}`.
pub(super) async fn bulk(ask: Ask) -> Answer {
    if ask.method != Method::PUT {
        return Err(ask.cannot("PUT sets"));
    }
    let fleet = ask.engine.fleet().await?;
    let attribute = kept_here(&ask, &fleet, ask.part("name")).await?;
    let mut set = Vec::new();
    for item in ask.bag.objects("data")? {
        let told = field(item, "device_id").ok_or_else(|| Fault::invalid("data: each item needs a device_id"))?;
        let value = field(item, "value").ok_or_else(|| Fault::invalid("data: each item needs a value"))?;
        let device = told.parse().ok().and_then(|id| ask.engine.device(&fleet, id).ok());
        let Some(device) = device.filter(|device| ask.reaches(&device.id)) else {
            return Err(Fault::invalid(format!("data: no device has the id {}", shown(&told))));
        };
        set.push((device.id.clone(), attribute.name.clone(), value));
    }
    let rows = set.iter().map(|(_, _, value)| row(&attribute.name, value, "device")).collect();
    ask.engine.set_values(set).await?;
    Ok(envelope::all(rows))
}
