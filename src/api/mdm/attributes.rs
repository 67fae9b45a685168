//! Custom attributes: `/custom_attributes`, and their values on devices.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::bag::field;
use super::envelope::{self, Answer, Cursor, Fault};
use super::{Ask, devices};
use crate::engine::door::Attribute;
use crate::model::nearest::shown;

fn object(attribute: &Attribute) -> Value {
    let Attribute { name, default_value } = attribute;
    json!({ "type": "custom_attribute", "id": name, "attributes": { "name": name, "default_value": default_value } })
}

/// The value of a device, or of all that have none of their own.
pub(super) fn row(attribute: &Attribute, value: Option<&str>) -> Value {
    let source = if value.is_some() { "device" } else { "account" };
    let value = value.unwrap_or(&attribute.default_value);
    let attributes = json!({ "name": attribute.name, "value": value, "secret": false, "source": source });
    json!({ "type": "custom_attribute_value", "id": attribute.name, "attributes": attributes })
}

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let mut rows: Vec<Value> = ask.engine.attributes().await?.iter().map(object).collect();
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
            Ok(envelope::created(object(&ask.engine.create_attribute(&name, &default).await?)))
        }
        _ => Err(ask.cannot("GET lists, POST creates")),
    }
}

pub(super) async fn one(ask: Ask) -> Answer {
    let name = ask.part("name");
    match ask.method {
        Method::GET => Ok(envelope::one(object(&ask.engine.attribute(name).await?))),
        // what all devices have, or lose, is not for one who reaches some of them
        Method::PATCH | Method::PUT | Method::DELETE if ask.reach.is_some() => {
            let why = "this key is limited to some devices, and an attribute is of all: set its value on those";
            Err(Fault::new(StatusCode::FORBIDDEN, why))
        }
        Method::PATCH | Method::PUT => {
            let value = ask.bag.text("default_value")?;
            let value = value.ok_or_else(|| Fault::invalid("default_value is missing"))?;
            ask.engine.set_default(name, &value).await?;
            Ok(envelope::done())
        }
        Method::DELETE => {
            ask.engine.delete_attribute(name).await?;
            Ok(envelope::done())
        }
        _ => Err(ask.cannot("GET reads, PATCH changes, DELETE deletes")),
    }
}

async fn values(ask: &Ask, device: &str) -> Answer {
    let values = ask.engine.values(device).await?;
    Ok(envelope::all(values.iter().map(|(attribute, value)| row(attribute, value.as_deref())).collect()))
}

/// All values of a device, and several of them at once: `{"data": [{"name", "value"}]}`.
pub(super) async fn of_device(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let (_, device) = devices::named(&ask, &fleet)?;
    match ask.method {
        Method::GET => values(&ask, &device.id).await,
        Method::PUT => {
            let mut set = Vec::new();
            for item in ask.bag.objects("data")? {
                let name = field(item, "name").ok_or_else(|| Fault::invalid("data: each item needs a name"))?;
                let value = field(item, "value").ok_or_else(|| Fault::invalid("data: each item needs a value"))?;
                set.push((device.id.clone(), name, value));
            }
            ask.engine.set_values(set).await.map_err(|why| Fault::from(why).into_invalid())?;
            values(&ask, &device.id).await
        }
        _ => Err(ask.cannot("GET reads, PUT sets")),
    }
}

/// One value of a device.
pub(super) async fn value(ask: Ask) -> Answer {
    let fleet = ask.engine.fleet().await?;
    let (_, device) = devices::named(&ask, &fleet)?;
    let attribute = ask.engine.attribute(ask.part("name")).await?;
    match ask.method {
        Method::GET => {
            let all = ask.engine.values(&device.id).await?;
            let value = all.into_iter().find(|(known, _)| *known == attribute).and_then(|(_, value)| value);
            Ok(envelope::one(row(&attribute, value.as_deref())))
        }
        Method::PUT => {
            let value = ask.bag.text("value")?.ok_or_else(|| Fault::invalid("value is missing"))?;
            ask.engine.set_values(vec![(device.id.clone(), attribute.name.clone(), value.clone())]).await?;
            Ok(envelope::one(row(&attribute, Some(&value))))
        }
        _ => Err(ask.cannot("GET reads, PUT sets")),
    }
}

/// One attribute on many devices: `{"data": [{"device_id", "value"}]}`.
pub(super) async fn bulk(ask: Ask) -> Answer {
    if ask.method != Method::PUT {
        return Err(ask.cannot("PUT sets"));
    }
    let attribute = ask.engine.attribute(ask.part("name")).await?;
    let fleet = ask.engine.fleet().await?;
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
    let rows = set.iter().map(|(_, _, value)| row(&attribute, Some(value))).collect();
    ask.engine.set_values(set).await?;
    Ok(envelope::all(rows))
}
