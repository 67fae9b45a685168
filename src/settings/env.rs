//! A snapshot of the environment: taken once, so that everything behind it can be tested as a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::connection::Environment;

/// What the surroundings say. Variables that are not UTF-8 are left out.
#[derive(Clone, Debug, Default)]
pub struct Env {
    vars: BTreeMap<String, String>,
    /// Where relative paths of the command line start.
    pub cwd: PathBuf,
    pub uid: u32,
}

impl Env {
    /// This process's own.
    pub fn of_process() -> Self {
        Self {
            vars: std::env::vars_os()
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    /// For tests: exactly these variables.
    pub fn of(vars: &[(&str, &str)]) -> Self {
        Self {
            vars: vars.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            cwd: PathBuf::from("/work-dir"),
            uid: 1000,
        }
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A directory variable of the XDG specification: a relative one must be ignored.
    pub fn xdg(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// Variables whose name starts so.
    pub fn starting(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().filter(move |(key, _)| key.starts_with(prefix)).map(|(key, value)| (&**key, &**value))
    }

    /// Everything, for `SendEnv`.
    pub fn all(&self) -> Environment {
        Environment(Arc::new(self.vars.clone()))
    }

    /// Login name and home: from the environment, else from `passwd` (cron and systemd set neither).
    pub fn identity(&self, passwd: &str) -> (String, PathBuf) {
        let entry = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() >= 6 && fields[2].parse() == Ok(self.uid));
        let user = self
            .get("USER")
            .or_else(|| self.get("LOGNAME"))
            .or(entry.as_ref().map(|fields| fields[0]))
            .map_or_else(|| self.uid.to_string(), str::to_owned);
        let home = self
            .xdg("HOME")
            .or_else(|| entry.map(|fields| PathBuf::from(fields[5])).filter(|home| home.is_absolute()))
            .unwrap_or_else(|| PathBuf::from("/"));
        (user, home)
    }
}

/// `~` and `~/x` become the home, a relative path starts at `base`; then `.` and `..` are folded away.
pub fn absolute(text: &str, base: &Path, home: &Path) -> PathBuf {
    let path = match text.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => base.join(text),
    };
    let mut folded = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                folded.pop();
            }
            std::path::Component::CurDir => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The value of a variable, for a secret given by reference (`--secret token=env:TOKEN`).
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// This program's file; after an update in place, the new one.
///
/// # Errors
/// The system does not say.
pub fn own_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    if path.exists() {
        return Ok(path);
    }
    let text = path.to_string_lossy();
    Ok(text.strip_suffix(" (deleted)").map_or_else(|| path.clone(), PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/sh\nbroken\n";

    #[test]
    fn who_runs_this_is_found_without_a_login_shell_too() {
        for (vars, user, home) in [
            (&[("USER", "ann"), ("HOME", "/home/ann")][..], "ann", "/home/ann"),
            (&[("LOGNAME", "ann")], "ann", "/home/ops"),
            (&[], "ops", "/home/ops"),
            (&[("HOME", "relative")], "ops", "/home/ops"),
        ] {
            assert_eq!(Env::of(vars).identity(PASSWD), (user.to_owned(), PathBuf::from(home)));
        }
        assert_eq!(Env::of(&[]).identity(""), ("1000".to_owned(), PathBuf::from("/")));
    }

    #[test]
    fn paths_are_made_absolute() {
        for (text, expected) in [
            ("~", "/home/ops"),
            ("~/x", "/home/ops/x"),
            ("~other/x", "/etc/q/~other/x"),
            ("hosts.ini", "/etc/q/hosts.ini"),
            ("../hosts.ini", "/etc/hosts.ini"),
            ("/a/./b/../c", "/a/c"),
        ] {
            assert_eq!(absolute(text, Path::new("/etc/q"), Path::new("/home/ops")), PathBuf::from(expected));
        }
    }
}
