//! A secret in config.toml: where it lies, never itself. What is wrong with one is said without repeating it, since it
//! may be the secret.

use std::path::Path;

use toml::de::DeValue;

use super::env::absolute;
use crate::model::secret::KeyRef;

/// `{ env = "…" }`, `{ file = "…" }` or `{ command = ["…"] }`
pub fn reference(value: &DeValue<'_>, base: &Path, home: &Path) -> Result<KeyRef, String> {
    let wrong = || {
        // (what stands there may be the key itself: it is not repeated)
        "expected { env = \"VARIABLE\" }, { file = \"…\" } or { command = [\"…\"] }: a secret never stands in this file"
            .to_owned()
    };
    let DeValue::Table(table) = value else { return Err(wrong()) };
    let mut parts = table.iter();
    let (Some((name, value)), None) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let text = value.get_ref().as_str().filter(|text| !text.is_empty());
    match (&**name.get_ref(), text, value.get_ref().as_array()) {
        ("env", Some(name), _) => Ok(KeyRef::Env(name.to_owned())),
        ("file", Some(path), _) => Ok(KeyRef::File(absolute(path, base, home))),
        ("command", _, Some(words)) => {
            let words: Option<Vec<String>> =
                words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect();
            words.filter(|words| !words.is_empty()).map(KeyRef::Command).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}
