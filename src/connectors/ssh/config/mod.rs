//! OpenSSH's client configuration, read as OpenSSH reads it: what `ssh -G` would print for a host, and what of it
//! the native client cannot do. Owns `~/.ssh/config`, `/etc/ssh/ssh_config` and what they include. Refuses to run
//! anything (`Match exec` goes to the `ssh` program) and to look at the environment.

mod keywords;
mod read;
mod resolve;
#[cfg(test)]
mod tests;
mod values;
mod way;
pub(crate) mod words;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use read::{Condition, Files};
use russh::MethodKind;

use crate::model::connection::Environment;

/// The configuration, parsed once; cheap to ask for every one of 10,000 hosts.
#[derive(Debug, Default)]
pub struct Config {
    files: Files,
    home: PathBuf,
    user: String,
}

/// What an inventory says of a host: it wins over the configuration, as options on ssh's command line do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Given to ssh in place of the alias, as Ansible does: it may be an alias itself.
    pub host_name: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub identity_file: Option<PathBuf>,
    /// As after `-J`.
    pub proxy_jump: Option<String>,
    /// Further options as after `-o`: `Keyword=value`.
    pub options: Vec<String>,
    /// What the inventory asks for that the native client cannot do, a sentence each.
    pub beyond: Vec<String>,
}

/// What OpenSSH would use for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    pub alias: String,
    pub host_name: String,
    pub port: u16,
    pub user: String,
    /// Given ones first; OpenSSH's defaults where none is given. They need not exist.
    pub identity_files: Vec<PathBuf>,
    pub explicit_identities: bool,
    pub certificate_files: Vec<PathBuf>,
    pub identities_only: bool,
    pub identity_agent: IdentityAgent,
    /// Hops in order, `[user@]host[:port]` each, as written: a hop is an alias of its own.
    pub proxy_jump: Vec<String>,
    /// Tokens filled in. A plain `ssh -W %h:%p HOP` is in `proxy_jump` instead.
    pub proxy_command: Option<String>,
    /// Seconds.
    pub connect_timeout: Option<u64>,
    pub known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub strict: Strict,
    /// Looked up in known_hosts as it stands, without a port.
    pub host_key_alias: Option<String>,
    /// Seconds; 0: never.
    pub server_alive_interval: u64,
    pub server_alive_count_max: u32,
    pub set_env: Vec<(String, String)>,
    /// Patterns of names, as written; `-` in front takes names out.
    pub send_env: Vec<String>,
    pub address_family: AddressFamily,
    pub hash_known_hosts: bool,
    /// Lists of algorithms as written, with their `+`, `-` and `^`.
    pub kex: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_key_algorithms: Option<String>,
    pub pubkey_algorithms: Option<String>,
    /// Ways to prove who we are that are not switched off.
    pub publickey: bool,
    pub password: bool,
    pub keyboard_interactive: bool,
    /// Why the native client will not do here, one sentence each with file and line.
    pub beyond: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IdentityAgent {
    /// `SSH_AUTH_SOCK`.
    #[default]
    Env,
    None,
    Path(PathBuf),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strict {
    Yes,
    AcceptNew,
    #[default]
    Ask,
    No,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressFamily {
    #[default]
    Any,
    Inet,
    Inet6,
}

impl Config {
    /// Reads files in OpenSSH's order (the operator's, then the system's, which is one under `/etc/ssh`). A file that is
    /// not there is no error. The second part: what is wrong, naming file, line and keyword.
    pub fn load(files: &[PathBuf], home: &Path, user: &str) -> (Config, Vec<String>) {
        let mut files = read::read(files, home);
        let warnings = std::mem::take(&mut files.warnings);
        (Config { files, home: home.to_owned(), user: user.to_owned() }, warnings)
    }

    /// Names after `Host` that are neither patterns nor negated, in order of appearance.
    pub fn aliases(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let hosts = self.files.blocks.iter().filter_map(|block| match &block.condition {
            Condition::Host(names) => Some(names),
            _ => None,
        });
        hosts.flatten().filter(|name| !words::is_pattern(name) && seen.insert(*name)).cloned().collect()
    }

    /// What OpenSSH would use for this alias.
    pub fn host(&self, alias: &str, over: &Overrides) -> HostConfig {
        resolve::host(self, alias, over)
    }

    /// Files read, or looked for, and folders that were searched by an `Include`.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.watched.clone()
    }
}

impl HostConfig {
    /// User, host and port of one hop of `proxy_jump`.
    pub fn hop(hop: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
        values::split_hop(hop)
    }

    /// What a session there is told of this environment (`SendEnv`), then what the configuration sets (`SetEnv`). The
    /// server takes what its `AcceptEnv` names.
    pub fn session_environment(&self, environment: &Environment) -> Vec<(String, String)> {
        let mut patterns: Vec<&str> = Vec::new();
        for pattern in &self.send_env {
            match pattern.strip_prefix('-') {
                Some(out) => patterns.retain(|kept| !words::matches(kept, out)),
                None => patterns.push(pattern),
            }
        }
        let sent =
            environment.0.iter().filter(|(name, _)| patterns.iter().any(|pattern| words::matches(name, pattern)));
        sent.map(|(name, value)| (name.clone(), value.clone())).chain(self.set_env.iter().cloned()).collect()
    }

    /// Ways that end in a password being asked for.
    pub fn password_methods(&self) -> impl Iterator<Item = MethodKind> {
        let password = self.password.then_some(MethodKind::Password);
        password.into_iter().chain(self.keyboard_interactive.then_some(MethodKind::KeyboardInteractive))
    }

    /// The name under which known_hosts is asked, and its port: `HostKeyAlias` stands without one.
    pub fn known_as(&self) -> (&str, u16) {
        match &self.host_key_alias {
            Some(alias) => (alias, 22),
            None => (&self.host_name, self.port),
        }
    }
}
