//! What the engine does with the library's files beyond running them: their bytes, saving with a version kept,
//! versions, renaming, deleting and bringing back; and with the launches that are kept under a name.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::shelves::{Place, called};
use super::store::versions::{self, Noted};
use super::{Engine, problem};
use crate::model::audit::{Act, Deed};
use crate::model::plan::Caller;
use crate::model::script::{ScriptInfo, inspect, remote};
use crate::model::shelf::{self, Delete, Rename, Renamed, Save, Saved, Text, Trashed, Version, Why};
use crate::model::template::{Keep, Templates};
use crate::model::wire::{Code, Event, Problem};

/// Disk work, off the loop.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(problem(Code::Internal, error.to_string())))
}

impl Engine {
    /// A script of the library: a name, its short form, or one of its versions (`fix.sh@v3`). Of one in a system's own
    /// library, its definition.
    pub async fn bytes(&self, name: &str) -> Result<(ScriptInfo, Vec<u8>), Problem> {
        if self.texted(name).is_some() {
            return match (self.remote_text(name, false).await, shelf::versioned(name)) {
                (Ok(Some(read)), _) => Ok(read),
                (_, Some((name, version))) => self.version(name, version).await,
                (Err(problem), None) => Err(problem),
                (Ok(None), None) => Err(problem(Code::NotFound, format!("{name} has no text"))),
            };
        }
        if let Some(info) = self.own(name).await? {
            let bytes = remote::definition(&info);
            return Ok((info, bytes));
        }
        let (library, wanted) = (Arc::clone(&self.library), name.to_owned());
        let read = blocking(move || library.read(&wanted).map_err(|error| problem(Code::NotFound, error))).await;
        match (read, shelf::versioned(name)) {
            // a name may hold an @ of its own
            (Err(_), Some((name, version))) => self.version(name, version).await,
            (read, _) => read,
        }
    }

    /// The bytes of a script, or of one of its versions, to be edited or compared.
    pub async fn text(&self, name: &str, version: Option<&str>) -> Result<Text, Problem> {
        let (info, bytes) = match version {
            Some(version) => self.version(name, version).await?,
            None => match self.remote_text(name, true).await {
                Ok(Some(read)) => read,
                Err(problem) if shelf::versioned(name).is_none() => return Err(problem),
                _ => match self.own_text(name).await? {
                    Some(read) => read,
                    None => self.bytes(name).await?,
                },
            },
        };
        if bytes.len() as u64 != info.size {
            let why = info.refused.unwrap_or_default();
            return Err(problem(Code::Invalid, format!("{} {why}: it cannot be opened here", info.name)));
        }
        Ok(Text { info, base64: STANDARD.encode(bytes) })
    }

    async fn version(&self, name: &str, wanted: &str) -> Result<(ScriptInfo, Vec<u8>), Problem> {
        let versions = self.versions(name).await?;
        let picked = shelf::pick(&versions, name, wanted).map_err(|why| problem(Code::NotFound, why))?;
        let store = Arc::clone(&self.jobs.store);
        let (now, picked) = (self.now(name).await?, picked.clone());
        let name = name.to_owned();
        blocking(move || {
            // (a name that only history knows has no text)
            let now = now.ok();
            let name = now.as_ref().map_or(name, |(info, _)| info.name.clone());
            if let Some(now) = now.filter(|(info, _)| info.version == picked.version) {
                return Ok(now);
            }
            let failed = |why: String| {
                problem(Code::NotFound, format!("version v{} of {name} cannot be read: {why}", picked.number))
            };
            let text = store.text(&picked.version).map_err(|error| failed(error.to_string()))?;
            let bytes = text.ok_or_else(|| failed("its text is not kept any more".to_owned()))?;
            Ok((inspect::inspect(&name, &bytes), bytes))
        })
        .await
    }

    /// The versions that are kept of a script, newest first; what its file holds now among them.
    pub async fn versions(&self, name: &str) -> Result<Vec<Version>, Problem> {
        let now = self.now(name).await?;
        let name = now.as_ref().map_or(name, |(info, _)| &info.name).to_owned();
        let mut versions = self.jobs.store.db.call(move |db| versions::versions(db, &name)).await?;
        let Ok((info, _)) = now else {
            return match now {
                Err(error) if versions.is_empty() => Err(problem(Code::NotFound, error)),
                _ => Ok(versions),
            };
        };
        if let Some(newest) = versions.iter_mut().find(|kept| kept.version == info.version) {
            newest.current = true;
        } else if !info.version.is_empty() {
            // written by somebody else since: kept as soon as it is saved over or launched
            let number = versions.first().map_or(0, |newest| newest.number) + 1;
            let at = info.modified_at.unwrap_or_default();
            let (version, size) = (info.version, info.size);
            let found =
                Version { number, version, at, by: String::new(), size, why: Why::Found, current: true, job: None };
            versions.insert(0, found);
        }
        Ok(versions)
    }

    /// A script as it is now. The inner error: there is none of this name.
    async fn now(&self, name: &str) -> Result<Result<(ScriptInfo, Vec<u8>), String>, Problem> {
        if self.texted(name).is_some() {
            return match self.remote_text(name, false).await {
                Ok(Some(read)) => Ok(Ok(read)),
                Ok(None) => Ok(Err(format!("{name} has no text"))),
                Err(problem) if problem.code == Code::NotFound => Ok(Err(problem.error)),
                Err(problem) => Err(problem),
            };
        }
        let Place { library, name: there, known_as } = self.place(name).await?;
        blocking(move || Ok(library.read(&there).map(|read| called(read, known_as.as_deref())))).await
    }

    pub async fn save(&self, asked: Save, caller: &Caller) -> Result<Saved, Problem> {
        let bytes = STANDARD
            .decode(&asked.base64)
            .map_err(|error| problem(Code::Invalid, format!("the text of {} is not base64: {error}", asked.name)))?;
        let Save { name, base, force, .. } = asked;
        if self.texted(&name).is_some() {
            return self.save_remote(name, base, bytes, force, caller).await;
        }
        let Place { library, name: wanted, .. } = self.place(&name).await?;
        let store = Arc::clone(&self.jobs.store);
        let (written, size, unkept) = blocking(move || {
            let mut unkept = None;
            let keep = |bytes: &[u8]| {
                // a script that cannot be saved is worse than a version that is not kept
                if let Err(error) = store.keep_text(bytes) {
                    unkept = Some(error.to_string());
                }
            };
            let written = library.save(&wanted, base.as_deref(), &bytes, force, keep)?;
            Ok((written, bytes.len(), unkept))
        })
        .await?;
        let mut saved = Saved {
            name,
            version: written.version,
            path: written.path.display().to_string(),
            warning: unkept.map(|why| format!("saved, but its version could not be kept in the state folder: {why}")),
        };
        if written.same {
            return Ok(saved);
        }
        if saved.warning.is_none() {
            let mut noted = Ok(());
            let mut why = Why::Created;
            if let Some(before) = written.before {
                why = Why::Saved;
                noted = self.note(&saved.name, inspect::version(&before), before.len(), Why::Found).await;
            }
            if noted.is_ok() {
                noted = self.note(&saved.name, saved.version.clone(), size, why).await;
            }
            saved.warning = noted.err().map(|why| format!("saved, but its version could not be noted: {}", why.error));
        }
        self.events.publish(&Event::Library);
        let (script, version) = (Some(saved.name.clone()), Some(saved.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Save, &self.user, caller) }).await?;
        Ok(saved)
    }

    pub(super) async fn note(&self, script: &str, version: String, size: usize, why: Why) -> Result<(), Problem> {
        let (script, by) = (script.to_owned(), self.user.clone());
        let noted = self
            .jobs
            .store
            .db
            .call(move |db| versions::note(db, &Noted { script: &script, version: &version, size, by: &by, why }));
        let gone = noted.await?;
        if !gone.is_empty() {
            let store = Arc::clone(&self.jobs.store);
            tokio::task::spawn_blocking(move || store.forget_texts(&gone));
        }
        Ok(())
    }

    /// A script of the library is being launched: that version is one of its versions. What fails here fails no launch.
    pub async fn launched(&self, info: &ScriptInfo, bytes: Vec<u8>) {
        let store = Arc::clone(&self.jobs.store);
        let size = bytes.len();
        let kept = tokio::task::spawn_blocking(move || store.keep_text(&bytes)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, script = info.name, "version not kept");
            return;
        }
        if let Err(error) = self.note(&info.name, info.version.clone(), size, Why::Launched).await {
            tracing::warn!(error = error.error, script = info.name, "version not noted");
        }
    }

    pub async fn rename(&self, asked: Rename, caller: &Caller) -> Result<Renamed, Problem> {
        if self.texted(&asked.from).is_some() {
            return self.rename_remote(asked, caller).await;
        }
        self.not_own(&asked.from, "renamed")?;
        self.not_own(&asked.to, "made")?;
        let library = Arc::clone(&self.library);
        let (from, to) = blocking(move || library.rename(&asked.from, &asked.to)).await?;
        let renamed = Renamed { from: from.clone(), to: to.clone() };
        self.number_follows(&from, &to).await;
        let moved = self.jobs.store.db.call(move |db| versions::rename(db, &from, &to)).await;
        self.events.publish(&Event::Library);
        let (script, note) = (Some(renamed.to.clone()), Some(format!("was {}", renamed.from)));
        self.audit(Deed { script, note, ..Deed::of(Act::Rename, &self.user, caller) }).await?;
        moved.map_err(|error| {
            let Renamed { from, to } = &renamed;
            problem(Code::Internal, format!("{from} is {to} now, but its versions did not come along: {error}"))
        })?;
        Ok(renamed)
    }

    pub async fn delete(&self, asked: Delete, caller: &Caller) -> Result<Trashed, Problem> {
        if self.texted(&asked.name).is_some() {
            return self.delete_remote(asked, caller).await;
        }
        self.not_own(&asked.name, "deleted")?;
        let (library, trash, by) = (Arc::clone(&self.library), Arc::clone(&self.trash), self.user.clone());
        let trashed = blocking(move || trash.delete(&library, &asked.name, &asked.confirm, &by)).await?;
        self.number_ends(&trashed.name).await;
        self.events.publish(&Event::Library);
        let (script, version) = (Some(trashed.name.clone()), Some(trashed.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Delete, &self.user, caller) }).await?;
        Ok(trashed)
    }

    pub async fn restore(&self, what: String, caller: &Caller) -> Result<Trashed, Problem> {
        if let Some(trashed) = self.restore_remote(&what, caller).await? {
            return Ok(trashed);
        }
        let (library, trash) = (Arc::clone(&self.library), Arc::clone(&self.trash));
        let trashed = blocking(move || trash.restore(&library, &what)).await?;
        self.events.publish(&Event::Library);
        let (script, version) = (Some(trashed.name.clone()), Some(trashed.version.clone()));
        self.audit(Deed { script, version, ..Deed::of(Act::Restore, &self.user, caller) }).await?;
        Ok(trashed)
    }

    /// What was deleted, the last first.
    pub async fn trash(&self) -> Result<Vec<Trashed>, Problem> {
        let trash = Arc::clone(&self.trash);
        blocking(move || Ok(trash.list())).await
    }

    pub async fn templates(&self) -> Result<Templates, Problem> {
        let templates = Arc::clone(&self.templates);
        blocking(move || Ok(templates.list())).await
    }

    pub async fn keep_template(&self, asked: Keep) -> Result<(), Problem> {
        let (library, templates) = (Arc::clone(&self.library), Arc::clone(&self.templates));
        blocking(move || {
            let script = library.read(&asked.template.form.script).ok();
            templates.keep(asked, script.as_ref().map_or(&[], |(info, _)| &info.params))
        })
        .await
    }

    pub async fn forget_template(&self, name: String) -> Result<(), Problem> {
        let templates = Arc::clone(&self.templates);
        blocking(move || templates.forget(&name)).await
    }
}
