//! Settings: config.toml, environment, flags and paths, read once at start. Every error names file, line and key.
//! The only room (with `console/term`) that looks at the environment.
//!
//! Later wins: built-in defaults, config.toml, `QUARTERDECK_SECTION__KEY`, flags. Nothing here fails: a wrong part
//! keeps its default and leaves a sentence in [`Settings::problems`].

mod closed;
mod connections;
pub mod env;
mod file;
mod hook;
mod keys;
mod layers;
pub mod listen;
mod notify;
pub mod paths;
mod reference;
mod simplemdm;
#[cfg(test)]
mod tests;
pub mod units;
mod webscripts;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::connection::Connection;
use crate::model::hook::Hook;
use crate::model::listen::Listen;
use crate::model::notify::{Ring, Webhook};
use crate::model::window::Closed;

pub use env::{Env, own_program, variable};

/// Everything the program was told, with defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    pub paths: Paths,
    pub engine: EngineSettings,
    pub ui: UiSettings,
    pub connections: Vec<Connection>,
    /// The door on the network; `None`: there is none.
    pub listen: Option<Listen>,
    /// What was wrong with the files, one sentence each naming file, line and key. The wrong part fell back to its
    /// default. Of a file that does not parse, the cause and how many more there are.
    pub problems: Vec<String>,
    /// The same, one by one.
    pub all_problems: Vec<String>,
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
    /// The ssh agent at hand here and now (`SSH_AUTH_SOCK`); it need not answer.
    pub agent: Option<PathBuf>,
    /// Who sits here, for the audit log: the front door, the address of the SSH session, the user before `sudo`.
    pub from: String,
}

impl Paths {
    /// Where the engine is to be found: in its state folder, and at its address.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let mut sockets = vec![paths::own_socket(&self.state, rustix::process::geteuid().as_raw())];
        if sockets[0] != self.socket {
            sockets.push(self.socket.clone());
        }
        sockets
    }

    /// What an engine in the background says goes here.
    pub fn engine_log(&self) -> PathBuf {
        self.state.join("engine.log")
    }
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
    /// Times in which devices are left alone (`[[maintenance]]`, `[[freeze]]`).
    pub closed: Vec<Closed>,
    /// Whom to tell what happens to jobs.
    pub webhooks: Vec<Webhook>,
    /// What is launched when other systems tell that something has happened.
    pub hooks: Vec<Hook>,
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
            closed: Vec::new(),
            webhooks: Vec::new(),
            hooks: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiSettings {
    /// What the fleet is called, in the first row; empty: nothing.
    pub fleet: String,
    pub theme: ThemeWish,
    /// The flag or the variable said which theme: that is for this session, whatever was chosen before.
    pub theme_pinned: bool,
    /// Name of a keymap preset.
    pub keymap: String,
    /// The flag or the variable said which keymap: for this session, whatever file and earlier choice say.
    pub keymap_pinned: bool,
    /// `None`: by locale and terminal.
    pub ascii: Option<bool>,
    /// `NO_COLOR` was set, or `color = "never"`.
    pub no_color: bool,
    /// Frames a second at most; `None`: as many as the line is good for.
    pub fps: Option<u8>,
    /// The terminal may be asked what it can do.
    pub ask: bool,
    /// The terminal reports the mouse; selecting text then needs the terminal's own key for it (shift).
    pub mouse: bool,
    pub editor: Option<String>,
    pub pager: Option<String>,
    /// What the terminal does when something happens to a job.
    pub ring: Ring,
}

impl Default for UiSettings {
    fn default() -> Self {
        Self {
            fleet: String::new(),
            theme: ThemeWish::default(),
            theme_pinned: false,
            keymap: "vi".to_owned(),
            keymap_pinned: false,
            ascii: None,
            no_color: false,
            fps: None,
            ask: true,
            mouse: false,
            editor: None,
            pager: None,
            ring: Ring::default(),
        }
    }
}

impl Settings {
    /// Where a setting was said: `config.toml:3:1`, else the flag or the variable; for a sentence about its value.
    pub fn place_of(&self, section: &str, key: &str, pinned: bool) -> String {
        let text = std::fs::read_to_string(&self.paths.config).unwrap_or_default();
        match file::place(&text, section, key) {
            Some(place) if !pinned => format!("{}:{place}: `{key}` in [{section}]", self.paths.config.display()),
            _ => format!("--{key} or QUARTERDECK_{}", key.to_uppercase()),
        }
    }
}

/// Which theme: by name, or by what the terminal stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThemeWish {
    Named(String),
    ByGround { dark: String, light: String, fallback: String },
}

impl Default for ThemeWish {
    fn default() -> Self {
        Self::Named("terminal".to_owned())
    }
}

impl std::fmt::Display for ThemeWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::ByGround { dark, light, fallback } => {
                write!(f, "dark {dark}, light {light}, fallback {fallback}")
            }
        }
    }
}

/// What the command line says over file and environment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Which front door this is: `console`, or a verb.
    pub door: &'static str,
    pub config: Option<PathBuf>,
    pub color: Option<Colours>,
    pub theme: Option<String>,
    pub keymap: Option<String>,
    pub ascii: bool,
    pub listen: listen::Asked,
}

/// `--color`, `[ui] color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    #[default]
    Auto,
    Always,
    Never,
}

/// Reads everything once.
pub fn load(overrides: &Overrides) -> Settings {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    read(&Env::of_process(), &passwd, overrides)
}

/// The same from a given environment.
pub fn read(env: &Env, passwd: &str, overrides: &Overrides) -> Settings {
    let (user, home) = env.identity(passwd);
    let (config, named) = paths::config_file(env, overrides.config.as_deref(), &home);
    let base = config.parent().unwrap_or(Path::new("/")).to_owned();
    let shown = shorter(&config, &home);
    let mut problems = Vec::new();
    let text = file::read(&config, &shown).and_then(|text| match text {
        // the right one, of another name, may hold a freeze
        None if named => Err(format!(
            "{shown}: there is no such file, and --config or QUARTERDECK_CONFIG names it (mend the name, write the file, \
             or name none for the usual one); the defaults are used"
        )),
        text => Ok(text.unwrap_or_default()),
    });
    let unread = text.as_ref().err().cloned();
    problems.extend(unread.iter().map(|why| format!("{why}; {}", file::FROZEN)));
    let text = text.unwrap_or_default();
    let (mut page, table) = file::Page::parse(&shown, &text);
    let (values, entries) = page.settings(table.get_ref());
    let mut closed = closed::read(&mut page, &entries.closed);
    let webhooks = notify::read(&mut page, &entries.webhooks, &base, &home);
    let hooks = hook::read(&mut page, &entries.hooks, &base, &home);
    let (layered, env_problems) = layers::merge(values, env, overrides);
    let around = connections::Around {
        base: &base,
        home: &home,
        user: &user,
        agent: env.get("SSH_AUTH_SOCK"),
        environment: env.all(),
    };
    let connections = connections::read(&mut page, &entries.connections, layered.local.enabled, &around);
    closed.extend(unread.as_deref().map(Closed::of_everything).or_else(|| page.freeze()));
    let (found, follow) = page.into_problems();
    problems.extend(found);
    // what follows from it is for `config check`
    let told = problems.len() - follow;
    problems.extend(env_problems);
    let listen = listen::read(&layered.listen, &overrides.listen, &base, &home).unwrap_or_else(|problem| {
        let file = if overrides.listen.address.is_none() { format!("{shown}: [listen]: ") } else { String::new() };
        problems.push(format!("{file}{problem}"));
        None
    });
    let all_problems = problems.clone();
    if follow > 0 {
        problems.splice(told..told + follow, [format!("{shown}: {follow} more: quarterdeck config check")]);
    }

    // what stands there is a path of this terminal's; the engine may have another
    let agent = env.get("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(|path| env.cwd.join(path));
    let mut ui = layered.ui.settings(env);
    ui.ring = layered.notify.ring();
    let pinned = |names: [&str; 2]| names.iter().any(|name| env.get(name).is_some());
    ui.theme_pinned = overrides.theme.is_some() || pinned(["QUARTERDECK_THEME", "QUARTERDECK_UI__THEME"]);
    ui.keymap_pinned = overrides.keymap.is_some() || pinned(["QUARTERDECK_KEYMAP", "QUARTERDECK_UI__KEYMAP"]);
    let data = paths::data(env, &home);
    let state = paths::state(env, &home);
    let place = |text: &str| env::absolute(text, &base, &home);
    let library = layered.library.path.as_deref().map_or_else(|| data.join("library"), place);
    let socket = layered
        .engine
        .socket
        .as_deref()
        .map_or_else(|| paths::socket(env, &state), |text| paths::shortened(place(text), env.uid));
    Settings {
        paths: Paths { config, data, state, library, socket, agent, from: from(env, overrides.door) },
        engine: EngineSettings { closed, webhooks, hooks, ..layered.engine.settings() },
        ui,
        connections,
        listen,
        problems,
        all_problems,
        user,
        home,
    }
}

/// `run, ssh from 203.0.113.7, sudo by alice`
fn from(env: &Env, door: &str) -> String {
    let ssh = env.get("SSH_CONNECTION").and_then(|text| text.split(' ').next()).map(|from| format!("ssh from {from}"));
    let sudo = env.get("SUDO_USER").map(|user| format!("sudo by {user}"));
    let door = (!door.is_empty()).then(|| door.to_owned());
    [door, ssh, sudo].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A path below the home with `~`, for people.
pub fn shorter(path: &Path, home: &Path) -> String {
    match path.strip_prefix(home) {
        Ok(rest) if home != Path::new("/") => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    }
}
