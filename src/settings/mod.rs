//! Settings: config.toml, environment, flags and paths, read once at start. Every error names file, line and key.
//! The only room (with `console/term`) that looks at the environment.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::connection::Connection;

/// Everything the program was told, with defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    pub paths: Paths,
    pub engine: EngineSettings,
    pub ui: UiSettings,
    pub connections: Vec<Connection>,
    /// What was wrong with the files, one sentence each naming file, line and key. The wrong part fell back to its default.
    pub problems: Vec<String>,
    /// Login name of the operator.
    pub user: String,
    pub home: PathBuf,
}

/// Where things are. All absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// config.toml (`QUARTERDECK_CONFIG`, else `$XDG_CONFIG_HOME/quarterdeck/config.toml`).
    pub config: PathBuf,
    /// `$XDG_DATA_HOME/quarterdeck`: the library.
    pub data: PathBuf,
    /// `$XDG_STATE_HOME/quarterdeck`: store, outputs, logs.
    pub state: PathBuf,
    /// The script library's folder.
    pub library: PathBuf,
    /// The engine's socket.
    pub socket: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Exit after so long without console, job or other work.
    pub idle_exit: Duration,
    /// Scripts running at once by default; 0: no limit.
    pub at_once: u32,
    /// Launching on more devices than this asks for the count.
    pub confirm_above: u32,
    /// Default per-run timeout.
    pub timeout: Option<Duration>,
    /// Jobs that ended longer ago are forgotten.
    pub keep_days: u32,
    /// Oldest outputs are forgotten beyond this many bytes.
    pub keep_bytes: u64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            idle_exit: Duration::from_secs(600),
            at_once: 256,
            confirm_above: 10,
            timeout: None,
            keep_days: 90,
            keep_bytes: 20 << 30,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiSettings {
    /// Name of a theme.
    pub theme: String,
    /// Name of a keymap preset.
    pub keymap: String,
    /// `None`: by locale and terminal.
    pub ascii: Option<bool>,
    /// `NO_COLOR` was set, or `color = "never"`.
    pub no_color: bool,
    /// Frames a second at most.
    pub fps: u8,
    pub editor: Option<String>,
}
