//! A plan: exactly what a launch will do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::amounts::number;
use super::job::JobId;
use super::options::LaunchOption;
use super::rollout::{How, Rollout};
use super::script::inspect::version;
use super::script::{Contents, Finding, ScriptInfo};
use super::secret::Secret;

/// Which script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptRef {
    /// By its name in the library.
    Library(String),
    /// The text itself, base64 (a script need not be UTF-8), under a name.
    Text { name: String, base64: String },
    /// The version that a job ran: what is launched is a retry of that job.
    Job(JobId),
}

/// Who asks: what of their surroundings matters on the way to a device. It comes with each request, since a terminal
/// comes and goes while the engine stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The ssh agent where they sit (`SSH_AUTH_SOCK`): a socket of this user.
    pub agent: Option<PathBuf>,
    /// Why the one that they named is not used.
    pub no_agent: Option<String>,
    /// Which door they came through, from where, as whom before (`console, ssh from 203.0.113.7`): told by their side.
    pub from: String,
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
    /// What the files hold whose paths are among the parameters: read by whoever asks, since the files are theirs; held
    /// in the engine's memory for this plan alone.
    #[serde(default)]
    pub files: Vec<FileGiven>,
    /// Devices that are left out for these reasons are taken in, on purpose.
    #[serde(default)]
    pub include: Vec<LeftOut>,
    /// With the argument by which the script's header says that it changes nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// For the systems of the devices, by the names of their options.
    #[serde(default)]
    pub options: Vec<(String, String)>,
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// `None`: the configured default. 0: no limit.
    #[serde(default)]
    pub at_once: Option<u32>,
    #[serde(default)]
    pub how: How,
}

impl PlanRequest {
    /// JSON for the engine's socket. The one place where a secret is written out: the socket belongs to this user alone.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "script": self.script,
            "target": self.target,
            "params": self.params,
            "secrets": self.secrets.iter().map(|(name, value)| (name, value.expose())).collect::<Vec<_>>(),
            "files": self.files.iter().map(FileGiven::to_json).collect::<Vec<_>>(),
            "include": self.include,
            "dry_run": self.dry_run,
            "options": self.options,
            "timeout_ms": self.timeout_ms,
            "at_once": self.at_once,
            "how": self.how,
        })
    }
}

/// A file of whoever asks, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FileGiven {
    pub param: String,
    pub path: String,
    /// It may be secret.
    pub base64: Secret,
}

impl FileGiven {
    pub fn new(param: &str, path: &str, bytes: &[u8]) -> Self {
        Self { param: param.to_owned(), path: path.to_owned(), base64: Secret::new(STANDARD.encode(bytes)) }
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "param": self.param, "path": self.path, "base64": self.base64.expose() })
    }

    /// # Errors
    /// In words: it is not base64.
    pub fn contents(&self) -> Result<Contents, String> {
        let Self { param, path, base64 } = self;
        let bytes = STANDARD.decode(base64.expose()).map_err(|error| format!("the contents of '{param}': {error}"))?;
        Ok(Contents { param: param.clone(), path: path.clone(), bytes: Zeroizing::new(bytes) })
    }
}

/// A file of a plan: enough to see that it is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    pub param: String,
    pub path: String,
    pub size: u64,
    /// First 12 hex digits of its SHA-256.
    pub version: String,
}

impl PlannedFile {
    pub fn of(file: &Contents) -> Self {
        let (size, version) = (file.bytes.len() as u64, version(&file.bytes));
        Self { param: file.param.clone(), path: file.path.clone(), size, version }
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
    /// Why there may be more to these devices than is known (lines of an inventory that could not be read).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Left out, with the reason (read-only connection…).
    pub excluded: Vec<(String, String)>,
    /// The same counted, reason by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// In it on purpose, by what would have left them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included: Vec<Exclusion>,
    /// The script is asked to change nothing, by its own argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<String>,
    /// Parameters as they will be passed; a secret shows as `(hidden)`, a file as its path.
    pub params: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PlannedFile>,
    /// What the systems of the devices are told beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
    /// What they could be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<LaunchOption>,
    pub timeout_ms: Option<u64>,
    pub at_once: u32,
    /// Rings, what stops it, what is tried again.
    #[serde(default, skip_serializing_if = "Rollout::is_plain")]
    pub rollout: Rollout,
    /// Launching needs the device count typed (`confirm`).
    pub confirm: bool,
    /// How many of the devices are of a system that keeps what is sent until they fetch it: no limit of ours counts there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued: usize,
    /// What else to know before it is launched, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What lint found in the script.
    pub findings: Vec<Finding>,
    /// Secrets that must be asked for before launching (passphrases of keys these devices need).
    pub questions: Vec<Question>,
    pub expires_at: Timestamp,
}

/// (By reference, as serde asks for it.)
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The names of the parameters that have other values, in order.
pub fn differing<'a>(then: &'a [(String, String)], now: &'a [(String, String)]) -> Vec<&'a str> {
    let values = |of: &'a [(String, String)], name: &str| -> Vec<&'a str> {
        of.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    };
    let names: BTreeSet<&str> = then.iter().chain(now).map(|(name, _)| name.as_str()).collect();
    names.into_iter().filter(|name| values(then, name) != values(now, name)).collect()
}

/// Why devices are left out of a plan; the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Their connection is read-only: they cannot be taken in.
    ReadOnly,
    /// A change freeze.
    Freeze,
    Maintenance,
    /// Another job has not done with them.
    Busy,
    /// A job left them, and the inventory has them no longer: they cannot be taken in.
    Lost,
    /// Their system does not run this script: they cannot be taken in.
    Foreign,
    /// A job left them failed, and nobody knows what ran on them: they are taken by the set of such (`@unknown:JOB`).
    Unknown,
}

impl LeftOut {
    /// In the order in which they are named.
    pub const INCLUDABLE: [LeftOut; 3] = [LeftOut::Busy, LeftOut::Maintenance, LeftOut::Freeze];

    pub const fn word(self) -> &'static str {
        match self {
            LeftOut::ReadOnly => "read_only",
            LeftOut::Freeze => "freeze",
            LeftOut::Maintenance => "maintenance",
            LeftOut::Busy => "busy",
            LeftOut::Lost => "lost",
            LeftOut::Foreign => "foreign",
            LeftOut::Unknown => "unknown",
        }
    }

    pub const fn can_be_included(self) -> bool {
        matches!(self, LeftOut::Freeze | LeftOut::Maintenance | LeftOut::Busy)
    }
}

impl Plan {
    /// Limits of ours count for some of its devices.
    pub const fn keeps_limits(&self) -> bool {
        Self::keeps_limits_of(self.queued, self.devices.len())
    }

    /// `queued` of them go into the queue of their system, which keeps limits of its own.
    pub const fn keeps_limits_of(queued: usize, devices: usize) -> bool {
        queued == 0 || queued < devices
    }

    /// How many devices its target holds, and how many of them it sends to where some are left out.
    pub fn holds(&self) -> String {
        let (sent, out) = (self.devices.len(), self.excluded.len());
        let all = number((sent + out) as u64, "device");
        if out == 0 {
            return format!("`{}` holds {all}", self.target);
        }
        let why: Vec<String> = self.exclusions.iter().map(|out| format!("{} {}", out.count, out.text)).collect();
        format!("`{}` holds {all}, of which {sent} would be sent to (left out: {})", self.target, why.join("; "))
    }

    /// Why no device is left to run on, and what would take some in.
    pub fn nothing_left(&self) -> String {
        let told: Vec<String> = self.exclusions.iter().map(|out| format!("{} {}", out.count, out.text)).collect();
        let mut words: Vec<&str> =
            self.exclusions.iter().filter(|out| out.why.can_be_included()).map(|out| out.why.word()).collect();
        words.dedup();
        let how = if words.is_empty() { String::new() } else { format!("; on purpose: --include {}", words.join(",")) };
        let told = if told.is_empty() { "it holds none".to_owned() } else { told.join("; ") };
        format!("every device of `{}` is excluded: {told}{how}; nothing was sent", self.target)
    }
}

/// Devices that are left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    pub why: LeftOut,
    /// `busy in job 4810`
    pub text: String,
    pub count: usize,
    /// `lab:web[01-13]`
    pub folded: String,
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
