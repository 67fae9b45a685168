//! Webhooks that come in: what another system says has happened, in SimpleMDM's shape, and what is launched on it.

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::job::JobId;
use super::secret::KeyRef;

/// `[[hook]]`: on this, launch that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The last part of its path: `/api/v1/webhooks/NAME`
    pub name: String,
    /// The kind of event: `device.enrolled`
    pub on: String,
    /// A script of the library.
    pub script: String,
    pub params: Vec<(String, String)>,
    /// A target expression; `None`: the device that the event is about.
    pub target: Option<String>,
    /// What whoever sends signs with, where they have no key.
    pub secret: Option<KeyRef>,
    /// More devices than these are refused: nobody is there to look at the count.
    pub max_devices: usize,
}

/// What has happened, as SimpleMDM posts it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Happened {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub at: serde_json::Value,
    #[serde(default)]
    pub data: Data,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Data {
    #[serde(default)]
    pub device: serde_json::Map<String, serde_json::Value>,
}

/// What a device is known by, best first: in the event, and as a fact here.
const KNOWN_BY: [(&str, &[&str]); 4] = [
    ("udid", &["udid"]),
    ("serial_number", &["serial_number", "serial"]),
    ("id", &["id", "simplemdm_id"]),
    ("device_id", &["id", "simplemdm_id"]),
];

impl Happened {
    fn text(&self, field: &str) -> Option<String> {
        match self.data.device.get(field)? {
            serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// What tells it from others: a repeat has the same.
    pub fn mark(&self) -> String {
        let device: Vec<String> = KNOWN_BY.iter().map(|(field, _)| self.text(field).unwrap_or_default()).collect();
        format!("{}\n{}\n{}", self.kind, self.at, device.join("\n"))
    }

    /// Whether this is the device that it is about: by the best that the event tells of it, compared as it stands.
    pub fn is_about(&self, device: &Device) -> bool {
        let best = KNOWN_BY.iter().find_map(|(field, facts)| Some((self.text(field)?, facts)));
        best.is_some_and(|(told, facts)| {
            facts.iter().any(|fact| device.facts.get(*fact).is_some_and(|known| known.eq_ignore_ascii_case(&told)))
        })
    }

    /// For a sentence: the serial number, or whatever else is told of the device.
    pub fn device(&self) -> String {
        let told = ["serial_number", "udid", "id", "device_id", "name"].iter().find_map(|field| self.text(field));
        told.map_or_else(|| "(none named)".to_owned(), |text| text.chars().take(80).collect())
    }
}

/// The answer: what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Jobs that were launched, by the name of their hook.
    pub launched: Vec<Launched>,
    /// It had been told before: nothing was launched again.
    pub repeated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launched {
    pub hook: String,
    pub job: JobId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(device: serde_json::Value) -> Happened {
        serde_json::from_value(serde_json::json!({
            "type": "device.enrolled", "at": "2026-01-02T03:04:05.678-08:00", "data": { "device": device },
        }))
        .unwrap()
    }

    fn mac(facts: &[(&str, &str)]) -> Device {
        let mut device = Device::new("macs", "lobby");
        device.facts.extend(facts.iter().map(|(fact, value)| ((*fact).to_owned(), (*value).to_owned())));
        device
    }

    #[test]
    fn a_device_is_known_by_the_best_that_is_told_of_it() {
        let told = happened(serde_json::json!({ "id": 17, "serial_number": "C02X", "udid": null, "name": "lobby" }));
        assert!(told.is_about(&mac(&[("serial", "c02x")])));
        assert!(told.is_about(&mac(&[("serial_number", "C02X"), ("id", "99")])));
        assert!(!told.is_about(&mac(&[("id", "17"), ("serial", "other")])), "the serial number says otherwise");
        assert!(happened(serde_json::json!({ "id": 17 })).is_about(&mac(&[("id", "17")])));
        assert!(!happened(serde_json::json!({ "name": "lobby" })).is_about(&mac(&[])), "a name is no proof");
        assert!(!happened(serde_json::json!({})).is_about(&mac(&[("serial", "")])));
    }

    #[test]
    fn a_repeat_has_the_same_mark_and_another_event_has_not() {
        let one = happened(serde_json::json!({ "serial_number": "C02X" }));
        let mut later = one.clone();
        later.at = "2026-01-03T03:04:05.678-08:00".into();
        assert_eq!(one.mark(), one.clone().mark());
        assert_ne!(one.mark(), later.mark());
        assert_ne!(one.mark(), happened(serde_json::json!({ "serial_number": "C02Y" })).mark());
    }
}
