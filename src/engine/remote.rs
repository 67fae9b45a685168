//! Systems' own libraries that hand out their texts: reading, saving, making, renaming, deleting and bringing back what
//! is kept at the system, with its versions and what was deleted kept here. Knows no system: each says through its
//! connector what it has, and looks before it changes anything whether somebody else was there first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::shelf::blocking;
use super::{Engine, problem};
use crate::connectors::Connector;
use crate::connectors::remote::{Change, Changed, Unchanged};
use crate::model::audit::{Act, Deed};
use crate::model::device::Device;
use crate::model::nearest::shown;
use crate::model::options::{self, LaunchOption};
use crate::model::plan::Caller;
use crate::model::script::inspect::{SIZE_MAX, version};
use crate::model::script::{ScriptInfo, remote};
use crate::model::shelf::{Delete, Rename, Renamed, Saved, Switched, Trashed, Why};
use crate::model::wire::{Code, Event, Problem, Shelf};

impl Engine {
    /// A connection with a library of its own, and its connector, by the whole name of a script that is or would be in it.
    fn owner<'a>(&self, name: &'a str) -> Option<(&'a str, &Arc<dyn Connector>, Shelf)> {
        let (connection, _) = remote::split(name)?;
        let connector = self.connectors.get(connection)?;
        Some((connection, connector, self.shelf_of(connector.own()?.shelf)))
    }

    /// What is told of a library, with what this configuration adds to it.
    pub(super) fn shelf_of(&self, shelf: Shelf) -> Shelf {
        let read_only = self.inventories.connection(&shelf.connection).is_some_and(|connection| connection.read_only);
        let closed = if read_only { Some(read_only_connection(&shelf.connection)) } else { shelf.closed };
        Shelf { closed, ..shelf }
    }

    /// A script as it is listed: one of a connection that is read-only is.
    pub(super) fn guarded(&self, script: ScriptInfo) -> ScriptInfo {
        let closed = script
            .connection
            .as_deref()
            .filter(|name| self.inventories.connection(name).is_some_and(|connection| connection.read_only));
        match closed {
            Some(connection) if script.has_text() => {
                ScriptInfo { read_only: Some(read_only_connection(connection)), ..script }
            }
            _ => script,
        }
    }

    /// The connection whose scripts are changed at the system itself, if the name is of such a one.
    pub(super) fn texted<'a>(&self, name: &'a str) -> Option<&'a str> {
        self.owner(name).filter(|(_, connector, _)| connector.capabilities().texts).map(|(connection, ..)| connection)
    }

    /// The text of a system's own script. `None`: the name is of no library that hands its texts out.
    pub(super) async fn remote_text(&self, name: &str, anew: bool) -> Result<Option<(ScriptInfo, Vec<u8>)>, Problem> {
        if self.texted(name).is_none() {
            return Ok(None);
        }
        let Some((connection, connector, _)) = self.owner(name) else { return Ok(None) };
        // (says what there is instead, where there is none of this name)
        let listed = if anew { None } else { self.own(name).await? };
        let bytes = connector.own_text(name, anew).await.map_err(|why| told(name, "read", why))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let place = remote::split(name).map_or("", |(_, name)| name);
        let info = remote::texted(connection, place, &bytes);
        let known = connector.own().and_then(|own| own.scripts.iter().find(|script| script.name == name).cloned());
        let Some(known) = listed.or(known) else { return Ok(Some((self.guarded(info), bytes))) };
        let ScriptInfo { category, modified_at, switches, .. } = known;
        Ok(Some((self.guarded(ScriptInfo { category, modified_at, switches, ..info }), bytes)))
    }

    /// Sees to it that what is known of a system's own script is what it is at this moment.
    pub(super) async fn read_anew(&self, name: &str) -> Result<(), Problem> {
        self.remote_text(name, true).await.map(drop)
    }

    /// The connector that may change this script's library.
    fn changing(&self, name: &str, done: &str) -> Result<&Arc<dyn Connector>, Problem> {
        let Some((_, connector, shelf)) = self.owner(name) else {
            return Err(problem(Code::NotFound, format!("'{}' is in no system's library", shown(name))));
        };
        match shelf.closed {
            Some(why) => Err(problem(Code::Refused, format!("{} cannot be {done} here: {why}", shown(name)))),
            None => Ok(connector),
        }
    }

    /// Saves at the system: a new script, or a text in place of the one that the edit began from.
    pub(super) async fn save_remote(
        &self,
        name: String,
        base: Option<String>,
        bytes: Vec<u8>,
        force: bool,
        caller: &Caller,
    ) -> Result<Saved, Problem> {
        let connector = self.changing(&name, "changed")?;
        if bytes.len() as u64 > SIZE_MAX {
            let limit = SIZE_MAX >> 20;
            return Err(problem(Code::Invalid, format!("{} is larger than {limit} MiB: not saved", shown(&name))));
        }
        let create = Change::Create { name: name.clone(), bytes: bytes.clone() };
        let done = match base {
            None => connector.change_own(create).await,
            Some(base) => {
                let seen = (!force).then_some(base);
                let update = Change::Update { name: name.clone(), seen, bytes: bytes.clone() };
                match connector.change_own(update).await {
                    // whatever is there now: nothing
                    Err(Unchanged::Gone) if force => connector.change_own(create).await,
                    done => done,
                }
            }
        };
        let Changed { name, before, same, version } = done.map_err(|why| told(&name, "saved", why))?;
        let mut saved = Saved { path: name.clone(), name, version, warning: None };
        if same {
            return Ok(saved);
        }
        let why = if before.is_some() { Why::Saved } else { Why::Created };
        let mut kept = match before {
            Some(before) => self.keep(&saved.name, before, Why::Found).await,
            None => Ok(()),
        };
        if kept.is_ok() {
            kept = self.keep(&saved.name, bytes, why).await;
        }
        saved.warning = kept.err().map(|why| format!("saved, but its version could not be kept here: {}", why.error));
        self.events.publish(&Event::Library);
        let (script, version) = (Some(saved.name.clone()), Some(saved.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Save, &self.user, caller) }).await?;
        Ok(saved)
    }

    /// Keeps a text here as one of the script's versions.
    async fn keep(&self, name: &str, bytes: Vec<u8>, why: Why) -> Result<(), Problem> {
        let (store, size, version) = (Arc::clone(&self.jobs.store), bytes.len(), version(&bytes));
        blocking(move || store.keep_text(&bytes).map_err(|error| problem(Code::Internal, error.to_string()))).await?;
        self.note(name, version, size, why).await
    }

    /// Renames at the system; a bare new name stays in the same library.
    pub(super) async fn rename_remote(&self, asked: Rename, caller: &Caller) -> Result<Renamed, Problem> {
        let Rename { from, to } = asked;
        let connector = self.changing(&from, "renamed")?;
        let (connection, _) = remote::split(&from).unwrap_or_default();
        let to = match remote::split(&to) {
            Some((other, _)) if other == connection => to,
            Some((other, _)) if self.connectors.contains_key(other) => {
                let how = format!("make it there (`quarterdeck scripts new {} --from FILE`), then delete it here", to);
                return Err(problem(Code::Invalid, format!("{} stays in {connection}: {how}", shown(&from))));
            }
            _ => format!("{connection}:{to}"),
        };
        let change = Change::Rename { name: from.clone(), to };
        let Changed { name: to, .. } = connector.change_own(change).await.map_err(|why| told(&from, "renamed", why))?;
        let (a, b) = (from.clone(), to.clone());
        let moved = self.jobs.store.db.call(move |db| super::store::versions::rename(db, &a, &b)).await;
        self.events.publish(&Event::Library);
        let (script, note) = (Some(to.clone()), Some(format!("was {from}")));
        self.audit(Deed { script, note, ..Deed::of(Act::Rename, &self.user, caller) }).await?;
        moved.map_err(|error| {
            problem(Code::Internal, format!("{from} is {to} now, but its versions did not come along: {error}"))
        })?;
        Ok(Renamed { from, to })
    }

    /// Deletes at the system; the text stays here, in the trash.
    pub(super) async fn delete_remote(&self, asked: Delete, caller: &Caller) -> Result<Trashed, Problem> {
        let Delete { name, confirm } = asked;
        let connector = self.changing(&name, "deleted")?;
        if confirm != name {
            let why = format!("deleting {} wants its name typed whole: nothing was deleted", shown(&name));
            return Err(problem(Code::Unconfirmed, why));
        }
        let Some((info, bytes)) = self.remote_text(&name, false).await? else {
            return Err(told(&name, "deleted", Unchanged::Gone));
        };
        let (trash, by, kept) = (Arc::clone(&self.trash), self.user.clone(), name.clone());
        let trashed = blocking(move || trash.keep(&kept, &bytes, &by)).await?;
        let change = Change::Delete { name: name.clone(), seen: Some(info.version) };
        if let Err(why) = connector.change_own(change).await {
            // (of one whose answer was lost the text is kept, wherever it is now)
            if !matches!(why, Unchanged::Failed(_)) {
                let (trash, id) = (Arc::clone(&self.trash), trashed.id.clone());
                blocking(move || {
                    trash.forget(&id);
                    Ok(())
                })
                .await?;
            }
            return Err(told(&name, "deleted", why));
        }
        self.events.publish(&Event::Library);
        let (script, version) = (Some(trashed.name.clone()), Some(trashed.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Delete, &self.user, caller) }).await?;
        Ok(trashed)
    }

    /// Makes a deleted script anew at its system, out of the trash. `None`: what is named is none of a system's.
    pub(super) async fn restore_remote(&self, what: &str, caller: &Caller) -> Result<Option<Trashed>, Problem> {
        let (trash, wanted) = (Arc::clone(&self.trash), what.to_owned());
        let found = blocking(move || Ok(trash.find(&wanted))).await?;
        let Some((trashed, place)) = found.filter(|(trashed, _)| self.texted(&trashed.name).is_some()) else {
            return Ok(None);
        };
        let connector = self.changing(&trashed.name, "brought back")?;
        let read = blocking(move || std::fs::read(place).map_err(|error| problem(Code::Internal, error.to_string())));
        let change = Change::Create { name: trashed.name.clone(), bytes: read.await? };
        connector.change_own(change).await.map_err(|why| told(&trashed.name, "brought back", why))?;
        let (trash, id) = (Arc::clone(&self.trash), trashed.id.clone());
        blocking(move || {
            trash.forget(&id);
            Ok(())
        })
        .await?;
        self.events.publish(&Event::Library);
        let (script, version) = (Some(trashed.name.clone()), Some(trashed.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Restore, &self.user, caller) }).await?;
        Ok(Some(trashed))
    }

    /// Turns one of a script's switches on or off, at its system.
    pub async fn switch(&self, asked: Switched, caller: &Caller) -> Result<Switched, Problem> {
        let connector = self.changing(&asked.name, "changed")?;
        let Switched { name, switch, on } = asked.clone();
        let change = Change::Switch { name: name.clone(), switch: switch.clone(), on };
        connector.change_own(change).await.map_err(|why| told(&name, "changed", why))?;
        self.events.publish(&Event::Library);
        let note = Some(format!("{switch} {}", if on { "on" } else { "off" }));
        self.audit(Deed { script: Some(name), note, ..Deed::of(Act::Save, &self.user, caller) }).await?;
        Ok(asked)
    }

    // -- options of launches ---------------------------------------------------------------------------

    /// What a connection's launches take.
    pub fn launch_options(&self, connection: &str) -> Vec<LaunchOption> {
        self.connectors.get(connection).map(|connector| connector.launch_options()).unwrap_or_default()
    }

    /// What the systems of these devices take beside script and devices, each once. Where something is given that one of
    /// them seems to lack, it is asked for once more.
    pub(super) async fn taken(&self, devices: &[&Arc<Device>], given: &[(String, String)]) -> Vec<LaunchOption> {
        let names: BTreeSet<&str> = devices.iter().map(|device| device.connection.as_str()).collect();
        let all = || {
            let mut taken: Vec<LaunchOption> = Vec::new();
            for option in names.iter().flat_map(|name| self.launch_options(name)) {
                match taken.iter_mut().find(|known| known.name == option.name) {
                    Some(known) => known.beside(&option),
                    None => taken.push(option),
                }
            }
            taken
        };
        let taken = all();
        if !options::any_lacks(given, &taken) {
            return taken;
        }
        let asked = names.iter().filter_map(|name| self.connectors.get(*name));
        futures::future::join_all(asked.map(|connector| connector.read_options())).await;
        all()
    }
}

fn read_only_connection(connection: &str) -> String {
    format!("connection {connection} is read_only in config.toml")
}

/// Why nothing was changed, in words and as a code.
fn told(name: &str, done: &str, why: Unchanged) -> Problem {
    let name = shown(name);
    match why {
        Unchanged::BySomebodyElse { version } => {
            let text = format!("{name} was changed meanwhile by somebody else (it is {version} now): not {done}");
            problem(Code::Stale, text)
        }
        Unchanged::Gone if done == "saved" => {
            let text = format!("{name} was deleted or renamed meanwhile: save it under a new name");
            problem(Code::NotFound, text)
        }
        Unchanged::Gone => problem(Code::NotFound, format!("{name} is not there any more: not {done}")),
        Unchanged::Refused(why) => problem(Code::Refused, format!("{name} was not {done}: {why}")),
        Unchanged::Failed(why) => problem(Code::Internal, format!("{name}: whether it was {done} is not known: {why}")),
    }
}
