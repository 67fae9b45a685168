//! What travels between the engine and its front doors about the library's files: their bytes, saving, versions,
//! renaming, deleting and bringing back. The paths are in `api`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::script::ScriptInfo;

/// `GET /api/v1/library/text?name=…[&version=…]`: a script's bytes as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    #[serde(flatten)]
    pub info: ScriptInfo,
    pub base64: String,
}

/// `POST /api/v1/library/save`. Answered by [`Saved`]; by a problem `stale` when the script is no longer what the
/// edit began from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    pub name: String,
    /// The version that the edit began from; `None`: a new script, whose name must be free.
    #[serde(default)]
    pub base: Option<String>,
    pub base64: String,
    /// Whatever is there now.
    #[serde(default)]
    pub force: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub name: String,
    pub version: String,
    pub path: String,
    /// Saved, but something is to be known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// `POST /api/v1/library/rename`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    pub from: String,
    pub to: String,
}

/// Its answer: both names whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

/// `POST /api/v1/library/switch`, and its answer: a yes or no that a system keeps with a script of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    pub name: String,
    pub switch: String,
    pub on: bool,
}

/// `POST /api/v1/library/delete`: into the trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    pub name: String,
    /// The name once more, as the operator typed it.
    pub confirm: String,
}

/// `POST /api/v1/library/restore`: out of the trash again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The id of something in the trash, or a script's name: then what was deleted last under it.
    pub what: String,
}

/// Something in the trash. `GET /api/v1/library/trash`: all of it, deleted last first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    pub id: String,
    pub name: String,
    pub version: String,
    pub size: u64,
    pub deleted_at: Timestamp,
    pub by: String,
}

/// One version of a script. `GET /api/v1/library/versions?name=…`: all that are kept, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counts from 1 for every script; what is forgotten leaves a gap.
    pub number: u32,
    pub version: String,
    pub at: Timestamp,
    pub by: String,
    pub size: u64,
    pub why: Why,
    /// The file is this now.
    pub current: bool,
    /// The last job that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<u64>,
}

/// The number of every version that is kept, by script and version.
pub type Numbers = BTreeMap<String, BTreeMap<String, u32>>;

/// How a version came to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    Created,
    Saved,
    /// It was in the file when somebody saved over it.
    Found,
    Launched,
}

impl Why {
    pub const ALL: [Why; 4] = [Why::Created, Why::Saved, Why::Found, Why::Launched];

    pub const fn word(self) -> &'static str {
        match self {
            Why::Created => "created",
            Why::Saved => "saved",
            Why::Found => "found",
            Why::Launched => "launched",
        }
    }
}

/// `fix.sh@v3`, `fix.sh@9f3c`: a script's name and which of its versions. `None`: no version is named.
pub fn versioned(given: &str) -> Option<(&str, &str)> {
    let (name, version) = given.rsplit_once('@')?;
    let number = version.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let hash = version.len() >= 4 && version.bytes().all(|b| b.is_ascii_hexdigit());
    (!name.is_empty() && (number || hash)).then_some((name, version))
}

/// The version that is meant: by its number (`v3`) or by the beginning of its hash.
///
/// # Errors
/// In words: there is none, or several.
pub fn pick<'a>(versions: &'a [Version], name: &str, wanted: &str) -> Result<&'a Version, String> {
    let number = wanted.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
    let wanted_hash = wanted.to_ascii_lowercase();
    let meant = |version: &&Version| match number {
        Some(number) => version.number == number,
        None => version.version.starts_with(&wanted_hash),
    };
    let first = versions.iter().find(meant).ok_or_else(|| {
        format!("no version {wanted} of {name} is kept: `quarterdeck scripts versions {name}` lists them")
    })?;
    match versions.iter().filter(meant).find(|other| other.version != first.version) {
        Some(other) => Err(format!("{wanted} begins both {} and {}: write more of it", first.version, other.version)),
        None => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u32, version: &str) -> Version {
        Version {
            number,
            version: version.into(),
            at: Timestamp::UNIX_EPOCH,
            by: "ops".into(),
            size: 1,
            why: Why::Saved,
            current: false,
            job: None,
        }
    }

    #[test]
    fn a_version_is_named_by_number_or_hash() {
        assert_eq!(versioned("a/fix.sh@v12"), Some(("a/fix.sh", "v12")));
        assert_eq!(versioned("fix.sh@9f3c"), Some(("fix.sh", "9f3c")));
        for none in ["fix.sh", "fix@home.sh", "fix@v", "@v1", "fix@abc", "ops@example"] {
            assert_eq!(versioned(none), None, "{none}");
        }
        let kept = [version(3, "9f3c00000000"), version(2, "9f3d00000000"), version(1, "9f3c00000000")];
        assert_eq!(pick(&kept, "x", "v2").unwrap().version, "9f3d00000000");
        assert_eq!(pick(&kept, "x", "9F3C").unwrap().number, 3, "one text, the newest of its places");
        assert!(pick(&kept, "x", "9f3").unwrap_err().contains("write more"));
        assert!(pick(&kept, "x", "v9").unwrap_err().contains("scripts versions x"));
    }
}
