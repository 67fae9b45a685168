//! Variables in a script's text (`{{serial_number}}`), filled in for each device just before the script goes to it: what
//! SimpleMDM does with a script that was saved with `variable_support`, done here where such a script runs on devices of
//! other systems. The names that SimpleMDM documents are known, from what is known of the device, and custom attributes
//! by theirs. Whatever else stands in braces is left as it is, since other languages have such words too; a device that
//! lacks a value is sent nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::connectors::Payload;
use crate::engine::Engine;
use crate::engine::store::{Store, door, launches};
use crate::model::device::Device;
use crate::model::plan::ScriptRef;
use crate::model::script::ScriptInfo;
use crate::model::script::inspect::version;
use crate::model::wire::Problem;

/// The switch of a script that turns them on.
const SWITCH: &str = "variable_support";

/// Names, and the facts of the same meaning.
const KNOWN: [(&str, &[&str]); 7] = [
    ("serial_number", &["serial_number", "serial"]),
    ("udid", &["udid", "unique_identifier"]),
    ("model", &["model"]),
    ("wifi_mac_address", &["wifi_mac", "mac"]),
    ("phone_number", &["phone_number"]),
    ("device_name", &["device_name"]),
    ("simplemdm_device_name", &[]),
];

/// Values of custom attributes, by device.
pub struct Variables(HashMap<String, BTreeMap<String, String>>);

impl Variables {
    fn value<'a>(&'a self, name: &str, device: &'a Device) -> Option<Result<&'a str, String>> {
        if let Some((_, facts)) = KNOWN.iter().find(|(known, _)| *known == name) {
            let told = facts.iter().find_map(|fact| device.facts.get(*fact)).map(String::as_str);
            let named = name.ends_with("device_name").then_some(device.name.as_str());
            return Some(told.or(named).ok_or_else(|| format!("nothing is known of this device for {{{{{name}}}}}")));
        }
        let value = self.0.get(&device.id)?.get(name)?;
        Some(Ok(value))
    }

    /// The text for one device. `Err`: why it has none.
    fn text<'t>(&self, text: &'t [u8], device: &Device) -> Result<Cow<'t, [u8]>, String> {
        let mut filled = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.windows(2).position(|two| two == b"{{") {
            let (before, behind) = rest.split_at(at + 2);
            let end = behind.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'));
            let name = end.filter(|end| behind[*end..].starts_with(b"}}")).map(|end| &behind[..end]);
            let name = name.and_then(|name| std::str::from_utf8(name).ok());
            match name.and_then(|name| Some((name, self.value(name, device)?))) {
                Some((name, value)) => {
                    let value = value?;
                    if value.contains(char::is_control) {
                        return Err(format!("the value of {{{{{name}}}}} holds control characters"));
                    }
                    filled.extend_from_slice(&before[..at]);
                    filled.extend_from_slice(value.as_bytes());
                    rest = &behind[name.len() + 2..];
                }
                None => {
                    // (a third brace may begin the word)
                    filled.extend_from_slice(&before[..=at]);
                    rest = &rest[at + 1..];
                }
            }
        }
        if filled.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        filled.extend_from_slice(rest);
        Ok(Cow::Owned(filled))
    }

    /// The script as this device gets it. `Err`: why it gets none.
    pub async fn fill(
        &self,
        script: &Arc<Payload>,
        device: &Device,
        store: &Arc<Store>,
    ) -> Result<Arc<Payload>, String> {
        let bytes = match self.text(&script.bytes, device).map_err(|why| format!("{why}: nothing was sent to it"))? {
            Cow::Borrowed(_) => return Ok(Arc::clone(script)),
            Cow::Owned(bytes) => bytes,
        };
        let (store, name) = (Arc::clone(store), script.name.clone());
        let (interpreter, variables) = (script.interpreter.clone(), script.variables);
        let made = tokio::task::spawn_blocking(move || {
            let path = store.keep_version(&version(&bytes), &name, &bytes)?;
            Ok::<_, std::io::Error>(Payload { name, bytes, path, interpreter, variables })
        });
        let made = made.await.map_err(|error| error.to_string())?;
        made.map(Arc::new).map_err(|error| format!("its script could not be written down: {error}"))
    }
}

impl Engine {
    /// Whether a script's variables are filled in where it runs.
    pub(super) async fn has_variables(&self, wanted: &ScriptRef, info: &ScriptInfo) -> Result<bool, Problem> {
        if info.switches.iter().any(|switch| switch.name == SWITCH && switch.on) {
            return Ok(true);
        }
        Ok(match wanted {
            ScriptRef::Library(_) if info.connection.is_none() => {
                let name = info.name.clone();
                self.jobs.store.db.call(move |db| door::has_variables(db, &name)).await?
            }
            ScriptRef::Job(id) => {
                let id = *id;
                let launched = self.jobs.store.db.call(move |db| launches::read(db, id)).await?;
                launched.is_some_and(|launched| launched.variables)
            }
            ScriptRef::Library(_) | ScriptRef::Text { .. } => false,
        })
    }

    /// What custom attributes say of these devices now.
    pub(super) async fn variables(&self, devices: &[Arc<Device>]) -> Result<Arc<Variables>, Problem> {
        let ids: Vec<String> = devices.iter().map(|device| device.id.clone()).collect();
        let values = self.jobs.store.db.call(move |db| {
            let of = |id: String| {
                let values = door::values(db, &id)?;
                let told = values.into_iter().map(|(known, own)| (known.name, own.unwrap_or(known.default_value)));
                Ok((id, told.collect()))
            };
            ids.into_iter().map(of).collect::<rusqlite::Result<HashMap<_, _>>>()
        });
        Ok(Arc::new(Variables(values.await?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let mut device = Device::new("lab", "web01");
        device.facts.insert("serial".into(), "C02X".into());
        device.facts.insert("udid".into(), "a\nb".into());
        let attributes = [("site".to_owned(), "eu".to_owned()), ("none".to_owned(), String::new())].into();
        let variables = Variables([(device.id.clone(), attributes)].into());
        variables.text(text.as_bytes(), &device).map(|text| String::from_utf8(text.into_owned()).unwrap())
    }

    #[test]
    fn what_is_known_is_filled_in_and_what_is_not_is_left() {
        for (text, becomes) in [
            ("echo {{serial_number}} on {{device_name}}", "echo C02X on web01"),
            ("{{simplemdm_device_name}}", "web01"),
            ("x={{site}}, y='{{none}}'", "x=eu, y=''"),
            ("{{{site}}}", "{eu}"),
            (
                "docker ps --format '{{.Names}}' {{ site }} {{sites}} {{",
                "docker ps --format '{{.Names}}' {{ site }} {{sites}} {{",
            ),
            ("{{site}}{{site}}", "eueu"),
            ("{{site", "{{site"),
            ("é {{site}} é", "é eu é"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(becomes), "{text}");
        }
    }

    #[test]
    fn a_device_that_lacks_one_or_would_say_more_than_a_value_is_sent_nothing() {
        for (text, says) in [("{{model}}", "nothing is known"), ("{{udid}}", "control characters")] {
            let why = filled(text).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
