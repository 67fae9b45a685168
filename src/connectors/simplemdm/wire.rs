//! What SimpleMDM's answers say (contract 1.7, 2, 3.2, 4): read leniently, since the documentation leaves much open and
//! accounts differ. What is secret (keys and passwords of devices) is not among the fields, and so never read. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An id: a whole number, or a text for some kinds of things. Compared as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

/// A thing with attributes `A` and relationships `R`.
#[derive(Clone, Debug, Deserialize)]
pub struct Object<A, R = Nothing> {
    pub id: Id,
    #[serde(default)]
    pub attributes: A,
    #[serde(default)]
    pub relationships: R,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Nothing {}

/// What stands below `data`, where anything does.
#[derive(Debug, Deserialize)]
pub struct Data<T> {
    #[serde(default = "Option::default")]
    pub data: Option<T>,
}

impl<T> Default for Data<T> {
    fn default() -> Self {
        Self { data: None }
    }
}

impl<T> Data<Vec<T>> {
    pub fn each(&self) -> impl Iterator<Item = &T> {
        self.data.iter().flatten()
    }
}

// -- scripts -----------------------------------------------------------------------------------------------

pub type Script = Object<ScriptAttributes>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScriptAttributes {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub content: String,
    #[serde(deserialize_with = "yes")]
    pub variable_support: bool,
    #[serde(deserialize_with = "text")]
    pub created_at: String,
    /// Moves with every change: what another admin's edit is told by.
    #[serde(deserialize_with = "text")]
    pub updated_at: String,
}

/// A custom attribute: its id is its name.
pub type Attribute = Object<Nothing>;

// -- devices and groups ------------------------------------------------------------------------------------

pub type Device = Object<DeviceAttributes, DeviceRelationships>;

/// `filevault_recovery_key`, `firmware_password` and `recovery_lock_password` are left where they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DeviceAttributes {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub device_name: String,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "text")]
    pub last_seen_at: String,
    #[serde(deserialize_with = "text")]
    pub last_seen_ip: String,
    #[serde(deserialize_with = "text")]
    pub enrolled_at: String,
    #[serde(deserialize_with = "text")]
    pub serial_number: String,
    #[serde(deserialize_with = "text")]
    pub unique_identifier: String,
    #[serde(deserialize_with = "text")]
    pub os_version: String,
    #[serde(deserialize_with = "text")]
    pub build_version: String,
    #[serde(deserialize_with = "text")]
    pub model: String,
    #[serde(deserialize_with = "text")]
    pub model_name: String,
    #[serde(deserialize_with = "text")]
    pub product_name: String,
    #[serde(deserialize_with = "text")]
    pub processor_architecture: String,
    #[serde(deserialize_with = "text")]
    pub battery_level: String,
    #[serde(deserialize_with = "text")]
    pub is_supervised: String,
    #[serde(deserialize_with = "text")]
    pub filevault_enabled: String,
    /// Of its disk, in GB; what is free of it is the other.
    #[serde(deserialize_with = "text")]
    pub device_capacity: String,
    #[serde(deserialize_with = "text")]
    pub available_device_capacity: String,
    #[serde(deserialize_with = "text")]
    pub wifi_mac: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DeviceRelationships {
    /// The legacy group it is in.
    pub device_group: Data<Reference>,
    /// Static and dynamic groups it is in.
    pub groups: Data<Vec<Reference>>,
    pub custom_attribute_values: Data<Vec<Object<CustomValue>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    pub id: Id,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CustomValue {
    #[serde(deserialize_with = "text")]
    pub value: String,
    #[serde(deserialize_with = "yes")]
    pub secret: bool,
}

/// An assignment group or a legacy one.
pub type Group = Object<GroupAttributes, GroupRelationships>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupAttributes {
    #[serde(deserialize_with = "text")]
    pub name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupRelationships {
    pub devices: Data<Vec<Reference>>,
    pub device_groups: Data<Vec<Reference>>,
}

// -- script jobs -------------------------------------------------------------------------------------------

pub type Job = Object<JobAttributes>;

/// A script job without its devices' results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct JobAttributes {
    #[serde(deserialize_with = "text")]
    pub script_name: String,
    #[serde(deserialize_with = "text")]
    pub content: String,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "number")]
    pub pending_count: u64,
    #[serde(deserialize_with = "number")]
    pub success_count: u64,
    #[serde(deserialize_with = "number")]
    pub errored_count: u64,
    #[serde(deserialize_with = "text")]
    pub created_by: String,
    #[serde(deserialize_with = "text")]
    pub created_at: String,
    #[serde(deserialize_with = "text")]
    pub updated_at: String,
}

/// One device of a script job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Row {
    pub id: Id,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "text")]
    pub status_code: String,
    #[serde(deserialize_with = "text")]
    pub response: String,
}

/// `2026-01-02T03:04:05.678-08:00`
pub fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A number or a truth value as text; what is neither is none.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

pub fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(matches!(Value::deserialize(deserializer)?, Value::Bool(true)))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_without_its_secrets_and_whatever_is_missing() {
        let body = r#"{"type":"device","id":17,"attributes":{"name":"mini","os_version":null,"is_supervised":true,
            "filevault_recovery_key":"HUNTER-2","firmware_password":"hunter2","recovery_lock_password":"hunter2",
            "firewall":{"enabled":true}},"relationships":{"device_group":{"data":{"type":"device_group","id":4}},
            "groups":{"data":[{"type":"device_group","id":6,"group_type":"dynamic"}]},
            "custom_attribute_values":{"data":[{"type":"custom_attribute_value","id":"site",
            "attributes":{"value":"eu","secret":false}}]}}}"#;
        let device: Device = serde_json::from_str(body).unwrap();
        assert_eq!((device.id.0.as_str(), device.attributes.is_supervised.as_str()), ("17", "true"));
        assert_eq!(device.relationships.groups.each().map(|group| group.id.0.as_str()).collect::<Vec<_>>(), ["6"]);
        assert_eq!(device.relationships.device_group.data.as_ref().map(|group| group.id.0.as_str()), Some("4"));
        assert!(!format!("{device:?}").to_lowercase().contains("hunter"), "{device:?}");
        let bare: Device = serde_json::from_str(r#"{"id":"x","relationships":{"groups":{}}}"#).unwrap();
        assert_eq!((bare.id.0.as_str(), bare.relationships.groups.each().count()), ("x", 0));
    }

    #[test]
    fn a_row_is_read_whatever_it_says() {
        let row: Row = serde_json::from_str(r#"{"type":"device","id":17,"status":"weird","status_code":1}"#).unwrap();
        let expected =
            Row { id: Id("17".into()), status: "weird".into(), status_code: "1".into(), response: String::new() };
        assert_eq!(row, expected);
    }

    #[test]
    fn times_have_an_offset() {
        assert!(moment("2026-01-02T03:04:05.678-08:00").is_some());
        assert_eq!(moment("01/02/26 03:04:05"), None);
    }
}
