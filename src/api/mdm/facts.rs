//! What is known of a device under the names that SimpleMDM has for it. A system tells facts under its own names; here
//! is which of them mean the same, and in which form: a fact is a text, an attribute may be a number or a truth value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

enum Form {
    Text,
    /// `true`, `yes`…; a text that is neither says nothing.
    Flag,
    Number,
}

use Form::{Flag, Number, Text};

/// Attributes, and the facts that say the same, the surest first. One that no fact says is null, and there.
const TOLD: [(&str, Form, &[&str]); 23] = [
    ("enrolled_at", Text, &["enrolled_at", "enrolled"]),
    ("last_seen_ip", Text, &["last_seen_ip", "ip", "address"]),
    ("os_version", Text, &["os_version", "version_id"]),
    ("build_version", Text, &["build_version", "build"]),
    ("model_name", Text, &["model_name", "model"]),
    ("model", Text, &["model_number", "model"]),
    ("product_name", Text, &["product_name", "product"]),
    ("processor_architecture", Text, &["processor_architecture", "arch", "architecture"]),
    ("battery_level", Text, &["battery_level", "battery"]),
    ("device_capacity", Number, &["device_capacity", "capacity_gb"]),
    ("available_device_capacity", Number, &["available_device_capacity", "free_gb"]),
    ("is_supervised", Flag, &["is_supervised", "supervised"]),
    ("is_dep_enrollment", Flag, &["is_dep_enrollment"]),
    ("dep_enrolled", Flag, &["dep_enrolled"]),
    ("dep_assigned", Flag, &["dep_assigned"]),
    ("is_user_approved_enrollment", Flag, &["is_user_approved_enrollment"]),
    ("filevault_enabled", Flag, &["filevault_enabled", "filevault"]),
    ("ddm_enabled", Flag, &["ddm_enabled"]),
    ("lost_mode_enabled", Flag, &["lost_mode_enabled"]),
    ("imei", Text, &["imei"]),
    ("wifi_mac", Text, &["wifi_mac", "mac"]),
    ("bluetooth_mac", Text, &["bluetooth_mac"]),
    ("phone_number", Text, &["phone_number"]),
];

/// All of them.
pub(super) fn lay(attributes: &mut Map<String, Value>, facts: &BTreeMap<String, String>) {
    for (name, form, told) in TOLD {
        let fact = told.iter().find_map(|fact| facts.get(*fact));
        attributes.insert(name.to_owned(), fact.map_or(Value::Null, |fact| form.of(fact)));
    }
}

impl Form {
    fn of(&self, fact: &str) -> Value {
        match self {
            Text => fact.into(),
            Flag => match fact.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => true.into(),
                "false" | "no" | "off" | "0" => false.into(),
                _ => Value::Null,
            },
            Number => fact.parse::<f64>().map_or(Value::Null, Value::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(facts: &[(&str, &str)]) -> Map<String, Value> {
        let mut attributes = Map::new();
        lay(&mut attributes, &facts.iter().map(|(fact, value)| ((*fact).to_owned(), (*value).to_owned())).collect());
        attributes
    }

    #[test]
    fn a_fact_comes_under_the_documented_name_and_in_its_form() {
        for (fact, value, name, expected) in [
            ("battery", "93%", "battery_level", "93%".into()),
            ("supervised", "true", "is_supervised", Value::Bool(true)),
            ("filevault", "No", "filevault_enabled", Value::Bool(false)),
            ("filevault", "maybe", "filevault_enabled", Value::Null),
            ("capacity_gb", "494.4", "device_capacity", Value::from(494.4)),
            ("capacity_gb", "NaN", "device_capacity", Value::Null),
            ("model", "MacBook Pro", "model_name", "MacBook Pro".into()),
            ("address", "10.0.0.7", "last_seen_ip", "10.0.0.7".into()),
            ("version_id", "12", "os_version", "12".into()),
        ] {
            assert_eq!(told(&[(fact, value)])[name], expected, "{fact}");
        }
        let both = told(&[("address", "web01"), ("ip", "203.0.113.7"), ("model", "iMac"), ("model_number", "Z1/A")]);
        assert_eq!((&both["last_seen_ip"], &both["model"]), (&"203.0.113.7".into(), &"Z1/A".into()));
        assert_eq!(told(&[]).len(), TOLD.len(), "what nobody says is null, and there");
    }
}
