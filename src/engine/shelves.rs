//! Libraries of systems: their scripts beside the local ones, as last read, with how that went; and, where the folder
//! that such scripts lie in is within reach, their texts. Knows no system: each says through its connector what it has.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::library::Library;
use super::{Engine, last_run, number_of, problem};
use crate::connectors::Connectors;
use crate::engine::store::db;
use crate::model::nearest::{hint, shown};
use crate::model::script::{Finding, Script, ScriptInfo, remote};
use crate::model::shelf::Numbers;
use crate::model::wire::{self, Code, Event, Problem, Shelf};

/// A list that is older is read again when somebody looks at it.
const FRESH: SignedDuration = SignedDuration::from_secs(300);

/// Where the text of a script is.
pub(super) struct Place {
    pub library: Arc<Library>,
    /// Its name there.
    pub name: String,
    /// Its name here, where that is another.
    pub known_as: Option<String>,
}

/// A file that was read, by the name that it has here.
pub(super) fn called((info, bytes): (ScriptInfo, Vec<u8>), known_as: Option<&str>) -> (ScriptInfo, Vec<u8>) {
    match known_as {
        Some(name) => (ScriptInfo { name: name.to_owned(), ..info }, bytes),
        None => (info, bytes),
    }
}

/// The folders of all connections that name one.
pub(super) fn folders(connectors: &Connectors) -> HashMap<String, Arc<Library>> {
    let of = |(name, connector): (&String, &Arc<dyn crate::connectors::Connector>)| {
        Some((name.clone(), Arc::new(Library::of(connector.script_folder()?))))
    };
    connectors.iter().filter_map(of).collect()
}

impl Engine {
    /// Reads all systems' libraries anew, in the background.
    pub fn read_shelves(self: &Arc<Self>) {
        for (name, connector) in self.connectors.iter() {
            if connector.own().is_some() {
                self.read_shelf(name);
            }
        }
    }

    fn read_shelf(self: &Arc<Self>, connection: &str) {
        let (engine, connection) = (Arc::clone(self), connection.to_owned());
        tokio::spawn(async move {
            let Some(connector) = engine.connectors.get(&connection) else { return };
            let before = connector.own().map(|own| own.shelf.problem);
            connector.read_own().await;
            engine.events.publish(&Event::Library);
            if connector.own().map(|own| own.shelf.problem) != before || before == Some(None) {
                // whether it answers is shown among the targets too
                engine.refresh().await;
            }
        });
    }

    /// Waits, not for ever, until every system's library was read once.
    pub async fn shelves_known(&self) {
        let all = self.connectors.values().map(|connector| connector.known());
        futures::future::join_all(all).await;
    }

    /// Reads those lists again that are old, in the background.
    pub fn read_old_shelves(self: &Arc<Self>) {
        for (name, connector) in self.connectors.iter() {
            let shelf = connector.own().map(|own| own.shelf).filter(|shelf| !shelf.reading);
            let read_at = shelf.and_then(|shelf| shelf.read_at);
            if read_at.is_some_and(|at| Timestamp::now().duration_since(at) > FRESH) {
                self.read_shelf(name);
            }
        }
    }

    /// Adds the systems' scripts to those of the local library.
    pub(super) async fn list_shelves(&self, listed: &mut wire::Library, history: &db::History, numbers: &mut Numbers) {
        let mut names: Vec<&String> = self.connectors.keys().collect();
        names.sort();
        for name in names {
            let Some(own) = self.connectors.get(name).and_then(|connector| connector.own()) else { continue };
            listed.shelves.push(self.shelf_of(own.shelf));
            for script in self.with_files(name, &own.scripts).await {
                let last_run = history.get(&script.name).and_then(|jobs| last_run(jobs));
                let number = script.has_text().then(|| number_of(numbers, &script));
                listed.scripts.push(self.guarded(ScriptInfo { last_run, number, ..script }));
            }
        }
        listed.scripts.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The same scripts, those whose file is known with its path.
    async fn with_files(&self, connection: &str, scripts: &Arc<Vec<ScriptInfo>>) -> Vec<ScriptInfo> {
        let Some(folder) = self.folders.get(connection) else { return scripts.to_vec() };
        let (folder, scripts) = (Arc::clone(folder), Arc::clone(scripts));
        let done = tokio::task::spawn_blocking(move || {
            let files = Files::of(&folder);
            scripts.iter().map(|script| files.lay(script.clone())).collect()
        });
        done.await.unwrap_or_default()
    }

    /// A script of a system's own library. `None`: the name is none of such a one.
    pub(super) async fn own(&self, name: &str) -> Result<Option<ScriptInfo>, Problem> {
        let Some((connection, _)) = remote::split(name) else { return Ok(None) };
        let Some(connector) = self.connectors.get(connection).filter(|connector| connector.own().is_some()) else {
            return Ok(None);
        };
        let known = connector.known().await.map_err(|why| problem(Code::Refused, why))?;
        match known.iter().find(|script| script.name == name) {
            Some(script) => {
                let one = Arc::new(vec![script.clone()]);
                Ok(self.with_files(connection, &one).await.into_iter().next())
            }
            None => {
                let near = hint(name, known.iter().map(|script| script.name.as_str()));
                let told = format!("no script '{}' in the library of {connection}{near}", shown(name));
                Err(problem(Code::NotFound, told))
            }
        }
    }

    /// A system's own script whole, with its text where that can be read.
    pub(super) async fn own_script(&self, name: &str) -> Result<Option<Script>, Problem> {
        let Some(mut info) = self.own(name).await? else { return Ok(None) };
        let history = self.jobs.store.db.call(|db| db::history(db)).await?;
        info.last_run = history.get(&info.name).and_then(|jobs| last_run(jobs));
        if let Some((text, bytes)) = self.remote_text(name, false).await? {
            let findings = self.library.lint_text(&text.name, bytes.clone()).await;
            let findings = self.as_it_lies(&text.name, findings);
            let info = ScriptInfo { last_run: info.last_run, ..text };
            return Ok(Some(Script { info, text: String::from_utf8_lossy(&bytes).into_owned(), findings }));
        }
        let Some((file, bytes)) = self.own_file(&info).await? else {
            return Ok(Some(Script { info, text: String::new(), findings: Vec::new() }));
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let findings = self.library.lint_text(&file.name, bytes).await;
        Ok(Some(Script { info, text, findings }))
    }

    /// What lint says of a script, but for what is as it should be in a system's own library: the line ends that the
    /// system's own pages make are its own affair, since it goes from there as it lies there.
    pub(super) fn as_it_lies(&self, name: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
        if self.texted(name).is_some() {
            findings.retain(|finding| finding.code != "crlf");
        }
        findings
    }

    /// The text of a system's own script, to be edited. `None`: the name is none of such a one.
    pub(super) async fn own_text(&self, name: &str) -> Result<Option<(ScriptInfo, Vec<u8>)>, Problem> {
        let Some(info) = self.own(name).await? else { return Ok(None) };
        match self.own_file(&info).await? {
            Some(read) => Ok(Some(called(read, Some(&info.name)))),
            None => Err(problem(Code::Refused, closed(&info))),
        }
    }

    async fn own_file(&self, info: &ScriptInfo) -> Result<Option<(ScriptInfo, Vec<u8>)>, Problem> {
        if info.read_only.is_some() {
            return Ok(None);
        }
        let Place { library, name, .. } = self.place(&info.name).await?;
        let read = tokio::task::spawn_blocking(move || library.read(&name)).await;
        let read = read.map_err(|error| problem(Code::Internal, error.to_string()))?;
        read.map(Some).map_err(|why| problem(Code::NotFound, why))
    }

    /// Where the text of a script is kept: the local library, or the folder of the system whose script it is.
    pub(super) async fn place(&self, name: &str) -> Result<Place, Problem> {
        let Some(info) = self.own(name).await? else {
            return Ok(Place { library: Arc::clone(&self.library), name: name.to_owned(), known_as: None });
        };
        let folder = info.connection.as_ref().and_then(|connection| self.folders.get(connection));
        let (Some(folder), None, Some(path)) = (folder, &info.read_only, &info.path) else {
            return Err(problem(Code::Refused, closed(&info)));
        };
        let there = std::path::Path::new(path).strip_prefix(folder.folder()).ok();
        let there = there.map(|there| there.display().to_string());
        let there = there.ok_or_else(|| problem(Code::Refused, closed(&info)))?;
        Ok(Place { library: Arc::clone(folder), name: there, known_as: Some(info.name) })
    }

    /// Refuses what cannot be done to a system's own scripts.
    pub(super) fn not_own(&self, name: &str, done: &str) -> Result<(), Problem> {
        let own = remote::split(name)
            .and_then(|(connection, _)| self.connectors.get(connection))
            .and_then(|connector| connector.own());
        match own.map(|own| self.shelf_of(own.shelf)) {
            Some(Shelf { closed: Some(why), .. }) => {
                Err(problem(Code::Refused, format!("{} cannot be {done} here: {why}", shown(name))))
            }
            Some(Shelf { connection, .. }) => {
                let how = "make it there (`quarterdeck scripts new CONNECTION:NAME --from FILE`)";
                Err(problem(Code::Invalid, format!("{} would be in the library of {connection}: {how}", shown(name))))
            }
            None => Ok(()),
        }
    }
}

fn closed(info: &ScriptInfo) -> String {
    let why = info.read_only.as_deref().unwrap_or("its file is not where the others are");
    format!("{} cannot be read or changed here: {why}", info.name)
}

/// The files of a folder by the last part of their names.
struct Files {
    folder: String,
    paths: HashMap<String, Vec<String>>,
}

impl Files {
    fn of(library: &Library) -> Self {
        let mut paths: HashMap<String, Vec<String>> = HashMap::new();
        for file in library.list().scripts {
            let last = file.name.rsplit('/').next().unwrap_or_default().to_owned();
            paths.entry(last).or_default().extend(file.path);
        }
        Self { folder: library.folder().display().to_string(), paths }
    }

    /// A system's script, with its file where there is just one that it can be.
    fn lay(&self, script: ScriptInfo) -> ScriptInfo {
        let (folder, name) = (&self.folder, remote::split(&script.name).map_or("", |(_, name)| name));
        match self.paths.get(name).map(Vec::as_slice) {
            Some([path]) => ScriptInfo { path: Some(path.clone()), read_only: None, ..script },
            Some([_, _, ..]) => {
                let why = format!("there are several files {} below {folder}, its `script_folder`", shown(name));
                ScriptInfo { read_only: Some(why), ..script }
            }
            _ => {
                let why = format!("there is no file {} below {folder}, its `script_folder`", shown(name));
                ScriptInfo { read_only: Some(why), ..script }
            }
        }
    }
}
