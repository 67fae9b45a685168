//! The library as other programs see it: scripts by numbers that outlast their names. Files stay what they are; what a
//! file cannot hold (a name with a slash in it, the wish for variables) stands on the number's card.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::engine::store::door::{self as store, Card, Kind};
use crate::engine::{Engine, problem};
use crate::model::nearest::{hint, shown};
use crate::model::plan::Caller;
use crate::model::script::ScriptInfo;
use crate::model::script::inspect::ENDINGS;
use crate::model::shelf::{Delete, Rename, Save};
use crate::model::wire::{Code, Problem};

/// Names tried for a new file before that is given up.
const TRIES: usize = 200;

/// Characters of a name over the API, and bytes of the file's name that is made of it.
const NAME_MAX: usize = 255;
const FILE_MAX: usize = 120;

/// A script of the library with its number.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: u64,
    /// As it was named over the API, else its file's name.
    pub name: String,
    pub variables: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub info: ScriptInfo,
}

/// Its text.
pub type Content = Vec<u8>;

/// What becomes of a script; `None`: that stays.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub name: Option<String>,
    pub bytes: Option<Vec<u8>>,
    pub variables: Option<bool>,
}

fn invalid(error: impl Into<String>) -> Problem {
    problem(Code::Invalid, error)
}

fn unknown() -> Problem {
    problem(Code::NotFound, "object not found")
}

impl Listed {
    fn of(card: &Card, info: ScriptInfo) -> Self {
        let modified = info.modified_at.unwrap_or(card.created_at);
        let created_at = card.created_at.min(modified);
        Self {
            id: card.id,
            name: card.title.clone().unwrap_or_else(|| card.name.clone()),
            variables: card.variables,
            created_at,
            updated_at: if card.updated_at > card.created_at { card.updated_at.max(modified) } else { modified },
            info,
        }
    }
}

impl Engine {
    /// All scripts of the library, by number.
    pub async fn numbered_scripts(self: &Arc<Self>) -> Result<Vec<Listed>, Problem> {
        let library = Arc::clone(&self.library);
        let listed = tokio::task::spawn_blocking(move || library.list())
            .await
            .map_err(|error| problem(Code::Internal, error.to_string()))?;
        let mut cards = self.cards().await?;
        let new: Vec<String> =
            listed.scripts.iter().map(|info| &info.name).filter(|name| !cards.contains_key(*name)).cloned().collect();
        if !new.is_empty() {
            self.numbers(Kind::Script, new).await?;
            cards = self.cards().await?;
        }
        let of = |info: ScriptInfo| cards.get(&info.name).map(|card| Listed::of(card, info));
        let mut scripts: Vec<Listed> = listed.scripts.into_iter().filter_map(of).collect();
        scripts.sort_by_key(|script| script.id);
        Ok(scripts)
    }

    async fn cards(self: &Arc<Self>) -> Result<HashMap<String, Card>, Problem> {
        let cards = self.read(|_, db| store::cards(db)).await?;
        Ok(cards.into_iter().map(|card| (card.name.clone(), card)).collect())
    }

    /// The script of a number with its text.
    pub async fn numbered_script(self: &Arc<Self>, id: u64) -> Result<(Listed, Content), Problem> {
        let card = self.read(move |_, db| Ok(store::cards(db)?.into_iter().find(|card| card.id == id))).await?;
        let card = card.ok_or_else(unknown)?;
        let (info, bytes) = self.bytes_of(&card.name).await.map_err(|_| unknown())?;
        Ok((Listed::of(&card, info), bytes))
    }

    /// A script by its name over the API, or its file's.
    pub async fn script_named(self: &Arc<Self>, name: &str) -> Result<Listed, Problem> {
        let mut all = self.numbered_scripts().await?;
        let fits = |script: &Listed| script.name == name;
        match all.iter().filter(|script| fits(script)).count() {
            1 => {}
            0 => {
                if let Some(at) = all.iter().position(|script| script.info.name == name) {
                    return Ok(all.swap_remove(at));
                }
                let near = hint(name, all.iter().map(|script| script.name.as_str()));
                return Err(problem(
                    Code::NotFound,
                    format!("object not found: no script is named '{}'{near}", shown(name)),
                ));
            }
            several => {
                let ids: Vec<String> =
                    all.iter().filter(|script| fits(script)).map(|script| script.id.to_string()).collect();
                let (name, ids) = (shown(name), ids.join(", "));
                return Err(invalid(format!(
                    "script_name: {several} scripts are named '{name}': give script_id ({ids})"
                )));
            }
        }
        let at = all.iter().position(fits).ok_or_else(unknown)?;
        Ok(all.swap_remove(at))
    }

    /// The text of a script's file.
    pub async fn bytes_of(&self, name: &str) -> Result<(ScriptInfo, Content), Problem> {
        let (library, name) = (Arc::clone(&self.library), name.to_owned());
        tokio::task::spawn_blocking(move || library.read(&name).map_err(|why| problem(Code::NotFound, why)))
            .await
            .unwrap_or_else(|error| Err(problem(Code::Internal, error.to_string())))
    }

    /// Makes a file of a new script.
    pub async fn create_script(
        self: &Arc<Self>,
        name: &str,
        bytes: &[u8],
        variables: bool,
        caller: &Caller,
    ) -> Result<u64, Problem> {
        check_name(name)?;
        check_text(bytes)?;
        let file = self.place_new(name, bytes, caller).await?;
        let id = self.numbers(Kind::Script, vec![file.clone()]).await?[0];
        let title = (file != name).then(|| name.to_owned());
        self.jobs.store.db.call(move |db| store::set_card(db, id, title.as_deref(), variables)).await?;
        Ok(id)
    }

    /// Saves under the first name that is free.
    async fn place_new(&self, name: &str, bytes: &[u8], caller: &Caller) -> Result<String, Problem> {
        for n in 1..=TRIES {
            let file = file_name(name, bytes, n);
            if self.is_there(&file).await {
                continue;
            }
            let save = Save { name: file.clone(), base: None, base64: STANDARD.encode(bytes), force: false };
            match self.save(save, caller).await {
                Ok(_) => return Ok(file),
                // somebody was quicker
                Err(_) if self.is_there(&file).await => {}
                Err(why) => return Err(why),
            }
        }
        Err(invalid(format!("name: {TRIES} scripts are called like '{}' already: choose another name", shown(name))))
    }

    async fn is_there(&self, file: &str) -> bool {
        let path = self.library.folder().join(file);
        tokio::task::spawn_blocking(move || std::fs::symlink_metadata(path).is_ok()).await.unwrap_or(true)
    }

    /// Changes what the draft says; the rest stays. A new name gives the file a new name too, so that the console shows it.
    pub async fn change_script(self: &Arc<Self>, id: u64, draft: Draft, caller: &Caller) -> Result<(), Problem> {
        let (script, before) = self.numbered_script(id).await?;
        if let Some(name) = &draft.name {
            check_name(name)?;
        }
        if let Some(bytes) = &draft.bytes {
            check_text(bytes)?;
            let base = Some(script.info.version.clone());
            let save = Save { name: script.info.name.clone(), base, base64: STANDARD.encode(bytes), force: false };
            self.save(save, caller).await?;
        }
        let variables = draft.variables.unwrap_or(script.variables);
        let mut file = script.info.name.clone();
        let name = draft.name.unwrap_or_else(|| script.name.clone());
        if name != script.name {
            let bytes = draft.bytes.as_deref().unwrap_or(&before);
            file = self.rename_to(&file, &name, bytes, caller).await?;
        }
        let title = (file != name).then_some(name);
        self.jobs.store.db.call(move |db| store::set_card(db, id, title.as_deref(), variables)).await?;
        Ok(())
    }

    async fn rename_to(&self, from: &str, name: &str, bytes: &[u8], caller: &Caller) -> Result<String, Problem> {
        // it stays in its folder
        let folder = from.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        for n in 1..=TRIES {
            let to = format!("{folder}{}", file_name(name, bytes, n));
            if to == from {
                return Ok(to);
            }
            if self.is_there(&to).await {
                continue;
            }
            let renamed = self.rename(Rename { from: from.to_owned(), to: to.clone() }, caller).await;
            match renamed {
                Ok(renamed) => return Ok(renamed.to),
                Err(_) if self.is_there(&to).await => {}
                Err(why) => return Err(why),
            }
        }
        Err(invalid(format!("name: {TRIES} scripts are called like '{}' already: choose another name", shown(name))))
    }

    /// Into the trash.
    pub async fn delete_script(self: &Arc<Self>, id: u64, caller: &Caller) -> Result<(), Problem> {
        let (script, _) = self.numbered_script(id).await?;
        let name = script.info.name;
        self.delete(Delete { confirm: name.clone(), name }, caller).await?;
        Ok(())
    }

    /// A script has another name now: its number stays with it.
    pub(in crate::engine) async fn number_follows(&self, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        if let Err(error) = self.jobs.store.db.call(move |db| store::rename_script(db, &from, &to)).await {
            tracing::warn!(%error, "a script's number did not follow its name");
        }
    }

    /// A script is gone, and its number with it.
    pub(in crate::engine) async fn number_ends(&self, name: &str) {
        let name = name.to_owned();
        if let Err(error) = self.jobs.store.db.call(move |db| store::forget_script(db, &name)).await {
            tracing::warn!(%error, "a deleted script kept its number");
        }
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() {
        return Err(invalid("name can't be blank"));
    }
    if name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        return Err(invalid(format!("name: at most {NAME_MAX} characters, and none of them a control character")));
    }
    Ok(())
}

fn check_text(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.is_empty() {
        return Err(invalid("file can't be blank"));
    }
    if !bytes.starts_with(b"#!") {
        return Err(invalid("file must begin with a shebang (a first line such as #!/bin/sh)"));
    }
    Ok(())
}

/// A readable name of a file in the library's folder, whatever the name holds: nothing of it leads elsewhere, hides the
/// file, or makes a document of it.
fn file_name(name: &str, bytes: &[u8], n: usize) -> String {
    let mut file = String::new();
    for c in name.trim().chars() {
        let c = if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '@') { c } else { '-' };
        if c != '-' || !file.ends_with('-') {
            file.push(c);
        }
        if file.len() >= FILE_MAX {
            break;
        }
    }
    let file = file.trim_matches(|c| matches!(c, '.' | '-' | '~'));
    let ending = ending_of(bytes);
    let known = |ending: &str| ENDINGS.iter().any(|(known, _, _)| known.eq_ignore_ascii_case(ending));
    let (stem, ending) = match file.rsplit_once('.') {
        Some((stem, own)) if known(own) && !stem.is_empty() => (stem, own),
        _ => (file, ending),
    };
    let stem = if stem.is_empty() { "script" } else { stem };
    if n > 1 { format!("{stem}-{n}.{ending}") } else { format!("{stem}.{ending}") }
}

/// By the interpreter that the shebang names.
fn ending_of(bytes: &[u8]) -> &'static str {
    let info = crate::model::script::inspect("script", bytes);
    let of = |language: &str| ENDINGS.iter().find(|(_, known, _)| *known == language).map(|(ending, _, _)| *ending);
    of(&info.language).unwrap_or("sh")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_called_as_its_script_as_far_as_a_file_can_be() {
        let name = |name: &str| file_name(name, b"#!/bin/zsh\n", 1);
        assert_eq!(name("Rotate cache"), "Rotate-cache.zsh");
        assert_eq!(name("my_new_script.sh"), "my_new_script.sh");
        assert_eq!(name("../../etc/passwd"), "etc-passwd.zsh");
        assert_eq!(name(".hidden"), "hidden.zsh");
        assert_eq!(name("notes.md"), "notes.md.zsh");
        assert_eq!(name("größe"), "größe.zsh");
        assert_eq!(name("///"), "script.zsh");
        assert_eq!(file_name("fix.py", b"#!/usr/bin/env python3\n", 2), "fix-2.py");
        assert_eq!(file_name("fix", b"#!/usr/bin/env python3\n", 1), "fix.py");
        assert_eq!(file_name("fix", b"#!/opt/odd\n", 1), "fix.sh");
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_folder_or_hides_the_file(name in "\\PC{0,300}", n in 1_usize..300) {
            let file = file_name(&name, b"#!/bin/sh\n", n);
            prop_assert!(!file.contains('/') && !file.starts_with('.') && !file.ends_with('~'), "{}", file);
            prop_assert!(file.len() <= 200 && !file.contains(char::is_control) && file.trim() == file);
        }
    }
}
