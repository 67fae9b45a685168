//! A script: its text's facts, its header (the tag notation of `argc`), its parameters.
//!
//! What the header may say is in [`header`], how a script's bytes are read in [`inspect`], what a parameter is in
//! [`param`], how values are held against parameters in [`values`] and become words in [`argv`], what its `@meta` lines
//! say in [`meta`], what mends a finding in [`fix`], which secrets stand in it in [`leaks`], what a new one begins with
//! in [`template`]; what is known of one that is in a system's own library in [`remote`].

pub mod argv;
pub mod fix;
pub mod header;
pub mod inspect;
pub mod leaks;
pub mod meta;
pub mod param;
pub mod remote;
pub mod template;
pub mod values;

pub use fix::Replacement;
pub use inspect::{examine, inspect, lint_builtin, payload};
pub use meta::ExitWord;
pub use param::{Field, Param, ParamKind, Takes};
pub use values::{Argument, Contents, Supply, Value};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::content::Content;

/// What is known of a script without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptInfo {
    /// Path below the library folder, or the name given with the text.
    pub name: String,
    /// First 12 hex digits of the text's SHA-256.
    pub version: String,
    /// Which of its kept versions that is: `v3`. What was edited elsewhere counts as the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// From `@describe`, else empty.
    pub describe: String,
    /// `bash`, `python3`, `pwsh`…: the interpreter's own name.
    pub language: String,
    /// The interpreter and its arguments, as the shebang names them; `["/bin/sh"]` without one.
    pub interpreter: Vec<String>,
    pub params: Vec<Param>,
    /// What to read when it fails, a link: from `@meta runbook`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// What its exit codes mean, in the header's order: from `@meta exit` and `@meta exit-ok`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<ExitWord>,
    /// The argument that makes it change nothing: from `@meta dry-run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<String>,
    pub size: u64,
    /// Where it lies, for `$EDITOR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// From local history: when it last ran, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// Why it cannot be launched (NUL bytes, too large, unreadable), if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What it prints, where it says so: from `@meta output`, or from its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Content>,
    /// The connection in whose own library it is, and its place there; its name is then `CONNECTION:NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// Why it cannot be changed from here, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<String>,
    /// What its system keeps of it beside name and text, to be turned on and off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
}

/// A yes or no that a system keeps with a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    pub name: String,
    /// What it does, in a few words.
    pub describe: String,
    pub on: bool,
}

impl ScriptInfo {
    /// Its text can be read here: it is no mere definition of what a system keeps to itself.
    pub fn has_text(&self) -> bool {
        self.connection.is_none() || self.path.is_some() || !self.interpreter.is_empty()
    }

    /// It runs by its definition: its system knows the text, and makes words of the arguments.
    pub fn is_defined(&self) -> bool {
        self.connection.is_some() && self.interpreter.is_empty()
    }

    /// Its version by the name that people use: `v3`, else the beginning of its hash.
    pub fn version_word(&self) -> String {
        self.number.map_or_else(|| self.version.clone(), |number| format!("v{number}"))
    }

    /// What its header says of an exit code.
    pub fn exit(&self, code: i32) -> Option<&ExitWord> {
        self.exits.iter().find(|exit| exit.code == code)
    }
}

/// History of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    pub at: Timestamp,
    pub job: u64,
    /// Of the runs that came to an end of their own in the last 16 jobs, how many of a hundred were ok; none: none has
    /// yet. Devices that were not reached count for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok_percent: Option<u8>,
    /// One character a job, oldest first: `+` all ok, `x` some bad, `-` only unreachable, `.` nothing has ended yet.
    pub history: String,
}

impl LastRun {
    /// Of which jobs the share is: `in 16 jobs`.
    pub fn span(&self) -> String {
        match self.history.chars().count() {
            1 => "in its only job".to_owned(),
            jobs => format!("in {jobs} jobs"),
        }
    }
}

/// A script whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    #[serde(flatten)]
    pub info: ScriptInfo,
    /// Invalid UTF-8 replaced: for showing only.
    pub text: String,
    pub findings: Vec<Finding>,
}

/// Something lint says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub level: Level,
    /// From 1; 0: the script as a whole.
    pub line: u32,
    /// From 1, in characters; 0: the line as a whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub column: u32,
    /// `shebang`, `crlf`, `SC2155`…
    pub code: String,
    pub text: String,
    /// The tool that says it: `shellcheck`, `ruff`…; empty: Quarterdeck's own checks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tool: String,
    /// What would mend it, in the order in which it is to be applied; empty: nothing is known to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<Replacement>,
}

impl Finding {
    /// Of our own checks, about a line.
    pub fn new(level: Level, line: u32, code: &str, text: String) -> Self {
        Self { level, line, column: 0, code: code.to_owned(), text, tool: String::new(), fix: Vec::new() }
    }
}

/// (By reference, as serde asks for it.)
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warn,
    Error,
}
