//! Which saved script at SimpleMDM a launch is of: one of its own, by name; or the copy of a local one, which is made
//! under a name that says what it is and brought up to date in place, so that there is never more than one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::account::{Account, write};
use super::budget::Urgency;
use super::client::{Ask, Failure, One};
use super::form::Form;
use super::library::Library;
use super::{wire, words};
use crate::connectors::Payload;
use crate::model::script::remote;

/// How the copy of a local script is called there.
pub fn copy_name(script: &str) -> String {
    format!("Quarterdeck: {script}")
}

/// Numbers of scripts by their names there, as last seen.
#[derive(Default)]
pub struct Copies(Mutex<Option<BTreeMap<String, String>>>);

/// The script at SimpleMDM.
pub struct Saved {
    pub id: String,
    pub name: String,
    pub content: String,
}

impl Copies {
    /// Finds it, or makes it what it should be: a script of the account's own with arguments is a copy, too, since they
    /// stand in it. `Err`: nothing was sent to any device.
    pub async fn saved(
        &self,
        account: &Account,
        library: &Library,
        script: &Payload,
        args: &[String],
    ) -> Result<Saved, Failure> {
        let own = remote::split(&script.name).filter(|(connection, _)| *connection == account.name);
        if own.is_some() && args.is_empty() {
            let there = library.now(&account.client, &script.name).await?;
            let wire::ScriptAttributes { name, content: told, .. } = there.attributes;
            // (what is kept with a plan may be the script's definition alone, and its lines end as a shell wants them; the
            // account runs its own as it keeps it, whose lines its web pages end with CR LF, with its variables)
            let plain = told.replace("\r\n", "\n");
            if !script.bytes.starts_with(b"#!") || [told.as_bytes(), plain.as_bytes()].contains(&&script.bytes[..]) {
                return Ok(Saved { id: there.id.0, name, content: told });
            }
            return Err(Failure::Refused(409, format!("{} has changed at SimpleMDM since the preview", script.name)));
        }
        let name = copy_name(&script.name);
        let there = self.find(account, &name).await?;
        let content = String::from_utf8(script.bytes.clone())
            .map_err(|_| Failure::Refused(422, "the script is not UTF-8, and SimpleMDM keeps text alone".to_owned()))?;
        let content = words::with(&content, args).into_owned();
        let (variables, on) = (script.variables, if script.variables { "1" } else { "0" });
        let id = match there {
            Some(there) if there.attributes.content == content && there.attributes.variable_support == variables => {
                there.id.0
            }
            Some(there) => {
                let form = Form::new().field("variable_support", on.to_owned()).file("file", content.clone());
                let ask = Ask::patch(format!("/scripts/{}", there.id.0), form);
                account.client.ask(ask).await?;
                there.id.0
            }
            None => {
                let form = Form::new().field("name", name.clone()).field("variable_support", on.to_owned());
                let form = form.file("file", content.clone());
                let made: One<wire::Script> = account.client.json(Ask::post("/scripts", form)).await?;
                self.know(account, &name, &made.data.id.0).await;
                made.data.id.0
            }
        };
        Ok(Saved { id, name, content })
    }

    async fn find(&self, account: &Account, name: &str) -> Result<Option<wire::Script>, Failure> {
        if let Some(id) = self.known(account, name).await {
            let ask = Ask::get(format!("/scripts/{id}"), Urgency::Now);
            match account.client.json::<One<wire::Script>>(ask).await {
                Ok(one) if one.data.attributes.name == name => return Ok(Some(one.data)),
                Err(failure) if !failure.is_gone() => return Err(failure),
                _ => {} // another, or none any more: looked for among all
            }
        }
        let mut after: Option<String> = None;
        loop {
            let page = account.client.page::<wire::Script>("/scripts", "", after.as_deref(), Urgency::Now).await?;
            let last = page.data.last().map(|script| script.id.0.clone());
            if let Some(found) = page.data.into_iter().find(|script| script.attributes.name == name) {
                self.know(account, name, &found.id.0).await;
                return Ok(Some(found));
            }
            if !page.has_more || last.is_none() || last == after {
                return Ok(None);
            }
            after = last;
        }
    }

    async fn known(&self, account: &Account, name: &str) -> Option<String> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().is_none() {
            let path = account.folder.join("scripts.json");
            let read = move || serde_json::from_slice(&std::fs::read(path).ok()?).ok();
            let read = tokio::task::spawn_blocking(read).await.ok().flatten().unwrap_or_default();
            lock().get_or_insert(read);
        }
        lock().as_ref().and_then(|known| known.get(name).cloned())
    }

    /// For the next launch, also of another engine.
    async fn know(&self, account: &Account, name: &str, id: &str) {
        let bytes = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = known.get_or_insert_default();
            known.insert(name.to_owned(), id.to_owned());
            serde_json::to_vec(known).unwrap_or_default()
        };
        let path = account.folder.join("scripts.json");
        // (where it cannot be kept it is looked for again)
        let _ = tokio::task::spawn_blocking(move || write(&path, &bytes)).await;
    }
}
