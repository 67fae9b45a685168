//! A launch kept under a name: what is written into the launch dialog, to be filled in again. What travels between the
//! engine, which keeps the files, and its front doors. Never holds a secret: those are asked for each time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::nearest::shown;

/// Characters of a name.
const NAME: usize = 64;

/// A launch kept under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    #[serde(flatten)]
    pub form: Form,
}

/// What its file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    pub script: String,
    pub target: String,
    /// Values by parameter: several where it takes several.
    pub params: BTreeMap<String, Vec<String>>,
    /// The fields of block How as they are written there, by their names (`at_once`, `timeout`).
    pub limits: BTreeMap<String, String>,
    /// For the systems of the devices, by the names of their options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// `GET /api/v1/templates`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Templates {
    /// By name.
    pub all: Vec<Template>,
    /// Files that could not be read, one sentence each.
    pub warnings: Vec<String>,
}

/// `POST /api/v1/templates`. A name that is taken is a problem `unconfirmed`, unless it is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub template: Template,
    #[serde(default)]
    pub replace: bool,
}

/// `POST /api/v1/templates/forget`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    pub name: String,
}

/// A name that can be a file's.
///
/// # Errors
/// In words: what it may hold.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        return Err("write a name for the template, such as nightly-eu".into());
    }
    if name.chars().count() > NAME || name.len() > 200 || !name.chars().all(fits) || name.starts_with(['-', '.']) {
        return Err(format!("'{}' cannot name a template: letters, digits, `-`, `_` and `.` can", shown(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_files_name_and_leads_nowhere() {
        for name in ["nightly-eu", "canary_only", "v1.2", "größe"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(65);
        for name in ["", "..", ".hidden", "a/b", "a b", "-x", "a\0", "a\u{1b}[31m", long.as_str()] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
