//! A plan: exactly what a launch will do.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::script::{Finding, ScriptInfo};
use super::secret::Secret;

/// Which script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptRef {
    /// By its name in the library.
    Library(String),
    /// The text itself, base64 (a script need not be UTF-8), under a name.
    Text { name: String, base64: String },
}

/// Who asks: what of their surroundings matters on the way to a device. It comes with each request, since a terminal
/// comes and goes while the engine stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The ssh agent where they sit (`SSH_AUTH_SOCK`): a socket of this user.
    pub agent: Option<PathBuf>,
    /// Why the one that they named is not used.
    pub no_agent: Option<String>,
}

impl ScriptRef {
    /// A text under a name.
    pub fn text(name: &str, bytes: &[u8]) -> Self {
        Self::Text { name: name.to_owned(), base64: STANDARD.encode(bytes) }
    }
}

/// What a front door asks to be planned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlanRequest {
    pub script: ScriptRef,
    pub target: String,
    /// In the order given; the engine orders them as the header says.
    #[serde(default)]
    pub params: Vec<(String, String)>,
    /// Values of `secret` parameters: held in the engine's memory for this plan alone.
    #[serde(default)]
    pub secrets: Vec<(String, Secret)>,
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// `None`: the configured default. 0: no limit.
    #[serde(default)]
    pub at_once: Option<u32>,
}

impl PlanRequest {
    /// JSON for the engine's socket. The one place where a secret is written out: the socket belongs to this user alone.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "script": self.script,
            "target": self.target,
            "params": self.params,
            "secrets": self.secrets.iter().map(|(name, value)| (name, value.expose())).collect::<Vec<_>>(),
            "timeout_ms": self.timeout_ms,
            "at_once": self.at_once,
        })
    }
}

/// A plan as previewed. Launching takes exactly this, by `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub id: String,
    pub script: ScriptInfo,
    pub target: String,
    /// Ids of the devices it will run on, in order.
    pub devices: Vec<String>,
    /// The same, folded for people (`lab:web[001-100]`).
    pub folded: String,
    /// Devices of it whose last contact failed.
    pub offline: Vec<String>,
    /// Left out, with the reason (read-only connection…).
    pub excluded: Vec<(String, String)>,
    /// Parameters as they will be passed; a secret shows as `(hidden)`.
    pub params: Vec<(String, String)>,
    pub timeout_ms: Option<u64>,
    pub at_once: u32,
    /// Launching needs the device count typed (`confirm`).
    pub confirm: bool,
    /// What lint found in the script.
    pub findings: Vec<Finding>,
    /// Secrets that must be asked for before launching (passphrases of keys these devices need).
    pub questions: Vec<Question>,
    pub expires_at: Timestamp,
}

/// A secret that the engine lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: String,
    /// "passphrase of /home/ops/.ssh/id_ed25519"
    pub text: String,
    /// How many of the planned devices need it.
    pub devices: usize,
}
