//! Targets kept under a name, to be used in any expression as `@name`. What travels between the engine, which keeps
//! them, and its front doors.

use serde::{Deserialize, Serialize};

use super::nearest::shown;

/// Characters of a name.
const NAME: usize = 64;

/// Words that mean something else behind an `@`.
const TAKEN: [&str; 10] =
    ["all", "failed", "unknown", "not-started", "offline", "timeout", "cancelled", "skipped", "ok", "group"];

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTarget {
    pub name: String,
    pub expr: String,
}

/// `POST /api/v1/targets/saved`. A name that is taken is a problem `unconfirmed`, unless it is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    #[serde(flatten)]
    pub target: SavedTarget,
    #[serde(default)]
    pub replace: bool,
}

/// `POST /api/v1/targets/saved/forget`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    pub name: String,
}

/// A name that can stand behind an `@`.
///
/// # Errors
/// In words: what it may hold.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = !name.is_empty() && name.len() <= NAME && name.chars().all(fits) && !name.starts_with(['-', '.']);
    match (good, TAKEN.contains(&name)) {
        (false, _) => Err(format!(
            "'{}' cannot name a target: letters, digits, - _ . and at most {NAME} of them, beginning with none of - .",
            shown(name)
        )),
        (true, true) => Err(format!("@{name} has a meaning of its own: give the target another name")),
        (true, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_that_means_nothing_yet() {
        for good in ["s1-proxyb", "a", "14.5_or_older", "Nightly"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for wrong in ["", "-x", ".x", "a b", "a/b", "a:b", "a,b", "a]b", "é", "all", "failed", &"x".repeat(65)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
