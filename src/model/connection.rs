//! A configured connection, and what a system can and cannot do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::secret::KeyRef;

/// One `[[connection]]` of config.toml, paths already absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub name: String,
    pub kind: Kind,
    /// Launches above one device ask for the count.
    pub protected: bool,
    /// Nothing may be launched here.
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Local,
    Ssh(Ssh),
    WebScripts(WebScripts),
    SimpleMdm(SimpleMdm),
}

impl Kind {
    pub const fn word(&self) -> &'static str {
        match self {
            Kind::Local => "local",
            Kind::Ssh(_) => "ssh",
            Kind::WebScripts(_) => "webscripts",
            Kind::SimpleMdm(_) => "simplemdm",
        }
    }
}

/// Options of `kind = "ssh"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssh {
    /// Ansible inventories (INI, or YAML by its ending). Empty: the hosts of the ssh configuration.
    pub inventory: Vec<PathBuf>,
    /// `None`: `~/.ssh/config`, then `/etc/ssh/ssh_config`.
    pub ssh_config: Option<PathBuf>,
    /// `None`: what the ssh configuration says, else `~/.ssh/known_hosts`.
    pub known_hosts: Option<PathBuf>,
    /// `None`: what the ssh configuration says (`StrictHostKeyChecking`), `ask` read as `strict`.
    pub host_keys: Option<HostKeys>,
    /// The operator's home and login name (the engine's environment is read in `settings` alone).
    pub home: PathBuf,
    pub user: String,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    pub environment: Environment,
    /// Seconds an unused connection is kept for the next run.
    pub keep_seconds: u64,
    /// Handshakes in flight at most, whatever the adaptive limit finds.
    pub max_handshakes: usize,
}

/// Options of `kind = "webscripts"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebScripts {
    /// `http://host:port/prefix` or `https://…`, without a slash at its end.
    pub url: String,
    /// Authorities that vouch for it, besides those this machine trusts.
    pub ca_file: Option<PathBuf>,
    pub login: Login,
    /// The server serves several requests at once.
    pub threaded: bool,
    /// Requests of ours in flight at most, where it does.
    pub requests: usize,
    /// Where the server's scripts lie, if that is within reach of this machine.
    pub script_folder: Option<PathBuf>,
    /// Groups of servers that this one is in.
    pub groups: Vec<String>,
    /// Where a variable that holds a secret is looked up.
    pub environment: Environment,
}

impl WebScripts {
    pub fn in_flight(&self) -> usize {
        if self.threaded { self.requests.max(1) } else { 1 }
    }
}

/// Options of `kind = "simplemdm"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleMdm {
    /// What stands before `/api/v1`, without a slash at its end.
    pub url: String,
    pub api_key: KeyRef,
    /// Authorities that are trusted besides this machine's.
    pub ca_file: Option<PathBuf>,
    /// Requests a second.
    pub rate: u32,
    /// Where a variable that holds a secret is looked up.
    pub environment: Environment,
}

/// As whom a system is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// As nobody.
    #[default]
    None,
    Password {
        user: String,
        password: KeyRef,
    },
    ApiKey(KeyRef),
}

/// The variables of which `SendEnv` chooses some. Secrets may be among them: they are not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(pub Arc<BTreeMap<String, String>>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKeys {
    /// A host that known_hosts does not hold is refused.
    Strict,
    /// A host seen for the first time is written down; a changed key is refused.
    AcceptNew,
}

/// What a system can do. A verb it cannot do is shown greyed, with the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // a table of yes and no, one column a verb
pub struct Capabilities {
    pub streams_output: bool,
    pub splits_stderr: bool,
    pub cancel_queued: bool,
    pub cancel_running: bool,
    pub own_library: bool,
    pub edits_library: bool,
    /// Hands the texts of its own scripts out, and takes changed ones.
    pub texts: bool,
    pub parameters: bool,
    pub groups: bool,
    pub policies: bool,
    pub queries: bool,
    pub schedules: bool,
    /// Keeps jobs that it ran, for a while.
    pub past_jobs: bool,
    /// Runs scripts that it does not have.
    pub takes_scripts: bool,
    /// Several jobs at once are its everyday work: none of them makes it busy.
    pub side_by_side: bool,
    /// It keeps what is sent until the devices fetch it: how many run at once is not for us to limit.
    pub queues: bool,
    /// What it was sent goes on without us, and is heard of by whoever asks for it later.
    pub takes_up: bool,
}

impl Capabilities {
    /// Of a system in which we start scripts ourselves and hear all they say.
    pub fn own_runs() -> Self {
        Self {
            streams_output: true,
            splits_stderr: true,
            cancel_queued: true,
            cancel_running: true,
            parameters: true,
            takes_scripts: true,
            ..Self::default()
        }
    }
}

/// What the files of a connection hold, read without asking anything of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    pub connection: String,
    pub devices: usize,
    pub groups: usize,
    /// What is wrong in them, each naming its place.
    pub problems: Vec<String>,
    /// Hosts that are left out, and why: that may well be meant.
    pub aside: Vec<String>,
}

/// Why what runs on a system that can end nothing goes on.
pub fn cannot_stop(kind: &str) -> String {
    match kind {
        "simplemdm" => {
            "SimpleMDM takes a script job back only before a device has fetched it, and ends none".to_owned()
        }
        "webscripts" => "WebScripts cannot stop a script: it ends by itself, or by the server's own timeout".to_owned(),
        kind => format!("a {kind} system cannot end what runs there"),
    }
}

/// A connection as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionInfo {
    pub name: String,
    pub kind: String,
    pub devices: usize,
    pub protected: bool,
    pub read_only: bool,
    pub capabilities: Capabilities,
    /// Why its inventory could not be read, or only in part.
    pub warnings: Vec<String>,
}
