//! `[[connection]]` entries, and the connections that are there without any.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::env::absolute;
use super::file::{Entry, Page, given};
use super::keys::{Given, Shape};
use super::{simplemdm, units, webscripts};
use crate::model::connection::{Connection, Environment, HostKeys, Kind, Ssh};
use crate::model::nearest::nearest;

const KEEP_SECONDS: u64 = 300;
const MAX_HANDSHAKES: usize = 128;

const KINDS: [&str; 4] = ["local", "ssh", "webscripts", "simplemdm"];

/// Systems whose connectors come later: their entries are no mistake.
const LATER: [&str; 3] = ["fleet", "runbook", "salt"];

const COMMON: [(&str, Shape); 4] =
    [("name", Shape::Text), ("kind", Shape::Text), ("protected", Shape::Bool), ("read_only", Shape::Bool)];

const SSH: [(&str, Shape); 6] = [
    ("inventory", Shape::Texts),
    ("ssh_config", Shape::Text),
    ("known_hosts", Shape::Text),
    ("host_keys", Shape::OneOf(&["strict", "accept-new"])),
    ("keep", Shape::Duration),
    ("max_handshakes", Shape::Whole { min: 1, max: 4096 }),
];

/// What the entries are read against.
pub struct Around<'a> {
    /// Folder of the config file: relative paths start there.
    pub base: &'a Path,
    pub home: &'a Path,
    pub user: &'a str,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<&'a str>,
    pub environment: Environment,
}

impl Around<'_> {
    fn ssh(&self) -> Ssh {
        Ssh {
            home: self.home.to_owned(),
            user: self.user.to_owned(),
            agent: self.agent.map(PathBuf::from),
            environment: self.environment.clone(),
            keep_seconds: KEEP_SECONDS,
            max_handshakes: MAX_HANDSHAKES,
            ..Ssh::default()
        }
    }

    /// `local`, and the hosts of `~/.ssh/config`.
    fn usual(&self) -> Vec<Connection> {
        vec![plain("local", Kind::Local), plain("ssh", Kind::Ssh(self.ssh()))]
    }
}

fn plain(name: &str, kind: Kind) -> Connection {
    Connection { name: name.to_owned(), kind, protected: false, read_only: false }
}

/// The connections of a file. A file with entries names all of them but this machine, which stays reachable as
/// `local` unless `[local] enabled = false`, an entry of kind `local`, or another entry's name says otherwise.
pub fn read(page: &mut Page<'_>, entries: &[Entry<'_, '_>], local: bool, around: &Around<'_>) -> Vec<Connection> {
    if entries.is_empty() {
        let mut usual = around.usual();
        usual.retain(|connection| local || connection.kind != Kind::Local);
        return usual;
    }
    let mut connections: Vec<Connection> = Vec::new();
    for (at, table) in entries {
        let Some(connection) = entry(page, *at, table, around) else { continue };
        if connections.iter().any(|other| other.name == connection.name) {
            page.problem(
                *at,
                format!("there is a connection named `{}` already: this one is left out", connection.name),
            );
            continue;
        }
        connections.push(connection);
    }
    let taken = connections.iter().any(|connection| connection.kind == Kind::Local || connection.name == "local");
    if local && !taken {
        connections.insert(0, plain("local", Kind::Local));
    }
    connections
}

type Value<'v, 't> = &'v Spanned<DeValue<'t>>;

fn entry(page: &mut Page<'_>, at: usize, table: &DeTable<'_>, around: &Around<'_>) -> Option<Connection> {
    let find = |key: &str| table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value);
    let name = named(page, at, find("name"))?;
    let kind = match find("kind") {
        None => {
            page.problem(at, format!("connection `{name}` has no `kind`: {}", kinds()));
            return None;
        }
        Some(value) => match value.get_ref().as_str() {
            Some(kind) if KINDS.contains(&kind) => kind,
            Some(later) if LATER.contains(&later) => {
                let start = value.span().start;
                page.problem(start, format!("connection `{name}`: kind \"{later}\" is not built yet, it is left out"));
                return None;
            }
            other => {
                let hint = other.and_then(|word| nearest(word, KINDS.into_iter().chain(LATER)));
                let hint = hint.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                let sentence = format!("connection `{name}`: unknown kind, expected {}{hint}", kinds());
                page.problem(value.span().start, sentence);
                return None;
            }
        },
    };
    let specific: &[(&str, Shape)] = match kind {
        "ssh" => &SSH,
        "webscripts" => &webscripts::KEYS,
        "simplemdm" => &simplemdm::KEYS,
        _ => &[],
    };
    let of_kind = match kind {
        "ssh" => Kind::Ssh(around.ssh()),
        "webscripts" => Kind::WebScripts(webscripts::read(page, at, &name, table, around)?),
        "simplemdm" => Kind::SimpleMdm(simplemdm::read(page, at, &name, table, around)?),
        _ => Kind::Local,
    };
    let mut connection = plain(&name, of_kind);
    for (key, value) in table {
        let word = &**key.get_ref();
        let Some((_, shape)) = COMMON.iter().chain(specific).find(|(known, _)| *known == word) else {
            let known = COMMON.iter().chain(specific).map(|(known, _)| *known);
            let meant = guard(&mut connection, nearest(word, known.clone()).unwrap_or_default());
            page.unknown(key.span().start, "key", word, &format!(" in connection `{name}` ({kind}){meant}"), known);
            continue;
        };
        if matches!(shape, Shape::Reference) {
            continue; // judged by its reader, which does not repeat what stands there
        }
        match shape.check(given(value.get_ref())) {
            Ok(()) => apply(&mut connection, word, value, around),
            Err(wrong) => {
                let meant = guard(&mut connection, word);
                page.problem(value.span().start, format!("`{word}` in connection `{name}`{meant}: {wrong}"));
            }
        }
    }
    Some(connection)
}

/// `"local", "ssh", "webscripts" or "simplemdm"`
fn kinds() -> String {
    let [first @ .., last] = KINDS;
    format!("{} or \"{last}\"", first.map(|kind| format!("\"{kind}\"")).join(", "))
}

/// What keeps scripts away from devices is in force also where it was written down wrongly. What is said of it.
fn guard(connection: &mut Connection, key: &str) -> &'static str {
    match key {
        "protected" => {
            connection.protected = true;
            ", taken as protected"
        }
        "read_only" => {
            connection.read_only = true;
            ", taken as read-only"
        }
        _ => "",
    }
}

/// A name that can stand before the colon of `connection:name` and in an expression.
fn named(page: &mut Page<'_>, at: usize, value: Option<Value<'_, '_>>) -> Option<String> {
    let Some(value) = value else {
        page.problem(at, "a connection has no `name`: it is left out");
        return None;
    };
    let start = value.span().start;
    let Some(name) = value.get_ref().as_str() else {
        page.problem(start, "`name` of a connection: expected a text; it is left out");
        return None;
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.starts_with(['-', '.']) {
        let shown: String = name.chars().take(40).collect();
        let sentence =
            format!("{shown:?} cannot name a connection: letters, digits, `-`, `_` and `.` can; it is left out");
        page.problem(start, sentence);
        return None;
    }
    Some(name.to_owned())
}

/// One checked key.
fn apply(connection: &mut Connection, key: &str, value: Value<'_, '_>, around: &Around<'_>) {
    let place = |text: &str| absolute(text, around.base, around.home);
    let given = given(value.get_ref());
    match (key, given, &mut connection.kind) {
        ("protected", Given::Bool(yes), _) => connection.protected = yes,
        ("read_only", Given::Bool(yes), _) => connection.read_only = yes,
        ("inventory", Given::Text(one), Kind::Ssh(ssh)) => ssh.inventory = vec![place(one)],
        ("inventory", Given::Texts, Kind::Ssh(ssh)) => {
            let items = value.get_ref().as_array().into_iter().flat_map(|array| array.iter());
            ssh.inventory = items.filter_map(|item| item.get_ref().as_str()).map(place).collect();
        }
        ("ssh_config", Given::Text(path), Kind::Ssh(ssh)) => ssh.ssh_config = Some(place(path)),
        ("known_hosts", Given::Text(path), Kind::Ssh(ssh)) => ssh.known_hosts = Some(place(path)),
        ("host_keys", Given::Text(word), Kind::Ssh(ssh)) => {
            ssh.host_keys = Some(if word == "strict" { HostKeys::Strict } else { HostKeys::AcceptNew });
        }
        ("keep", Given::Text(text), Kind::Ssh(ssh)) => {
            ssh.keep_seconds = units::duration(text).map_or(KEEP_SECONDS, |keep| keep.as_secs());
        }
        ("keep", Given::Whole(_), Kind::Ssh(ssh)) => ssh.keep_seconds = 0, // the shape lets 0 alone through
        ("max_handshakes", Given::Whole(n), Kind::Ssh(ssh)) => {
            ssh.max_handshakes = usize::try_from(n).unwrap_or(MAX_HANDSHAKES);
        }
        ("threaded", Given::Bool(yes), Kind::WebScripts(server)) => server.threaded = yes,
        ("requests", Given::Whole(n), Kind::WebScripts(server)) => {
            server.requests = usize::try_from(n).unwrap_or(webscripts::REQUESTS);
        }
        ("ca_file", Given::Text(path), Kind::WebScripts(server)) => server.ca_file = Some(place(path)),
        ("script_folder", Given::Text(path), Kind::WebScripts(server)) => server.script_folder = Some(place(path)),
        _ => {} // name and kind, read before; and what a server's address and login are
    }
}
