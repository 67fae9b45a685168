//! The way to a host and the tokens of a configuration: `%h`, `~`, hops, and the command that is only a hop in disguise.

use std::path::{Path, PathBuf};

use super::{values, words};

/// `ProxyJump` or `ProxyCommand`, whichever came first.
pub(super) enum Way {
    Jump(Vec<String>),
    Command(String),
}

/// Hops, or a command. A command that only asks another ssh to pass the connection on is a hop.
pub(super) fn way(
    way: Option<(Way, String)>,
    tokens: &Tokens,
    beyond: &mut Vec<String>,
) -> (Vec<String>, Option<String>) {
    match way {
        None => (Vec::new(), None),
        Some((Way::Jump(hops), at)) => {
            let mut filled = Vec::with_capacity(hops.len());
            for hop in hops {
                match words::expand(&hop, |token| tokens.proxy(token)) {
                    Ok(hop) => filled.push(hop),
                    Err(token) => {
                        beyond.push(format!("{at}: ProxyJump: {token} has no meaning there"));
                        filled.push(hop);
                    }
                }
            }
            (filled, None)
        }
        Some((Way::Command(command), _)) if command.eq_ignore_ascii_case("none") => (Vec::new(), None),
        Some((Way::Command(command), at)) => {
            if let Some(hop) = passed_on(&command) {
                return (vec![hop], None);
            }
            beyond.push(format!("{at}: ProxyCommand: the way there is a command"));
            let filled = words::expand(&command, |token| tokens.proxy(token));
            (Vec::new(), Some(filled.unwrap_or(command)))
        }
    }
}

/// The hop of `ssh [-q] [-p PORT] [-l USER] -W %h:%p [USER@]HOP`, the older way to write `ProxyJump`.
fn passed_on(command: &str) -> Option<String> {
    let command = command.strip_prefix("exec ").unwrap_or(command);
    if command.contains(['|', ';', '&', '<', '>', '$', '`', '\\', '(', ')']) {
        return None;
    }
    let words = words::arguments(command)?;
    let (program, rest) = words.split_first()?;
    if program != "ssh" && program != "/usr/bin/ssh" {
        return None;
    }
    let (mut user, mut host, mut port, mut forwards) = (None, None, None, false);
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-q" | "-T" | "-x" | "-a" => {}
            "-W" => forwards = matches!(rest.next()?.as_str(), "%h:%p" | "[%h]:%p"),
            "-p" => port = Some(rest.next()?.parse::<u16>().ok()?),
            "-l" => user = Some(rest.next()?.clone()),
            flag if flag.starts_with('-') => return None,
            name if host.is_none() => host = Some(name.to_owned()),
            _ => return None,
        }
    }
    let host = host.filter(|host| forwards && !host.contains('%'))?;
    let (named_user, name, named_port) = values::split_hop(&host)?;
    if named_port.is_some() || name.contains(':') {
        return None;
    }
    let user = named_user.map(str::to_owned).or(user).map(|user| format!("{user}@")).unwrap_or_default();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{user}{name}{port}"))
}

pub(super) struct Tokens<'a> {
    pub home: &'a Path,
    pub local_user: &'a str,
    pub original: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub user: &'a str,
    pub key_alias: &'a str,
}

impl Tokens<'_> {
    fn proxy(&self, token: char) -> Option<String> {
        match token {
            'h' => Some(self.host.to_owned()),
            'n' => Some(self.original.to_owned()),
            'p' => Some(self.port.to_string()),
            'r' => Some(self.user.to_owned()),
            _ => None,
        }
    }

    fn file(&self, token: char) -> Option<String> {
        match token {
            'd' => Some(self.home.display().to_string()),
            'u' => Some(self.local_user.to_owned()),
            'i' => Some(rustix::process::getuid().as_raw().to_string()),
            'k' => Some(self.key_alias.to_owned()),
            'l' | 'L' => {
                let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
                let end = if token == 'L' { name.find('.') } else { None };
                Some(end.map(|end| name[..end].to_owned()).unwrap_or(name))
            }
            _ => self.proxy(token),
        }
    }

    /// A file name with `~` and tokens filled in.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, String> {
        if text.contains("${") {
            return Err("a variable of the environment is part of it".to_owned());
        }
        let filled =
            words::expand(text, |token| self.file(token)).map_err(|token| format!("{token} is for ssh to fill in"))?;
        match filled.strip_prefix('~') {
            Some("") => Ok(self.home.to_owned()),
            Some(rest) if rest.starts_with('/') => Ok(self.home.join(rest.trim_start_matches('/'))),
            Some(_) => Err("another user's home is for ssh to look up".to_owned()),
            None => Ok(PathBuf::from(filled)),
        }
    }
}
