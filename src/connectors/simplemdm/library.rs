//! An account's own scripts (contract 2): listed with their texts, read, changed, made, renamed, deleted. SimpleMDM has
//! no versions and no locks: what somebody else changed is told by asking for the script once more before it is changed.
//! An answer that was lost is looked for before anything is said of it. Owns the list as read last.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::budget::Urgency;
use super::client::{Ask, Client, Failure, One};
use super::form::Form;
use super::wire;
use crate::connectors::Own;
use crate::connectors::remote::{Change, Changed, Unchanged};
use crate::model::script::inspect::version;
use crate::model::script::{ScriptInfo, Switch, remote};
use crate::model::wire::Shelf;

/// How long somebody who needs the list waits for the first one.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest name that is shown, in characters.
const NAME: usize = 120;

/// The one switch of a script.
const VARIABLES: &str = "variable_support";
const VARIABLES_DO: &str = "SimpleMDM puts each device's values in place of {{…}} before it sends the script";

/// What a new script begins with.
const ABOUT: &str = "\
SimpleMDM passes it nothing: no arguments, no stdin. Where that is on
(quarterdeck scripts set '{connection}:NAME' variable_support=on)
it fills in {{serial_number}}, {{device_name}}, {{model}}, {{udid}},
{{wifi_mac_address}} and custom attributes for each device.";

pub struct Library {
    /// The connection's name.
    connection: String,
    state: Mutex<State>,
    /// Rung when a reading has ended.
    read: Notify,
}

#[derive(Default)]
struct State {
    all: Vec<wire::Script>,
    /// As they are shown, in the order of their names.
    shown: Arc<Vec<ScriptInfo>>,
    /// The whole names, in the order of `all`.
    names: Vec<String>,
    read_at: Option<Timestamp>,
    problem: Option<String>,
    reading: bool,
}

impl Library {
    pub fn new(connection: &str) -> Self {
        Self { connection: connection.to_owned(), state: Mutex::default(), read: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn own(&self) -> Own {
        let state = self.lock();
        Own {
            scripts: Arc::clone(&state.shown),
            shelf: Shelf {
                connection: self.connection.clone(),
                read_at: state.read_at,
                problem: state.problem.clone(),
                reading: state.reading,
                closed: None,
                bare: Some(ABOUT.replace("{connection}", &self.connection)),
            },
        }
    }

    /// Reads the list anew; one who comes while that is done waits for it instead.
    pub async fn read(&self, client: &Client, urgency: Urgency) {
        let mut ended = std::pin::pin!(self.read.notified());
        ended.as_mut().enable();
        if std::mem::replace(&mut self.lock().reading, true) {
            ended.await;
            return;
        }
        let reading = Reading(self);
        let read = list(client, urgency).await;
        let mut state = self.lock();
        match read {
            Ok(all) => {
                (state.read_at, state.problem) = (Some(Timestamp::now()), None);
                self.lay(&mut state, all);
            }
            Err(failure) => state.problem = Some(failure.says()),
        }
        drop(state);
        drop(reading);
    }

    /// The list, waiting for the first one if there is none yet.
    pub async fn known(&self, client: &Client) -> Result<Arc<Vec<ScriptInfo>>, String> {
        if self.lock().read_at.is_none() {
            let _ = tokio::time::timeout(PATIENCE, self.read(client, Urgency::Now)).await;
        }
        let state = self.lock();
        match (state.read_at, &state.problem) {
            (Some(_), _) => Ok(Arc::clone(&state.shown)),
            (None, Some(why)) => Err(format!("the scripts of {} are not known: {why}", self.connection)),
            (None, None) => Err(format!("the scripts of {} are not known yet: try again", self.connection)),
        }
    }

    /// A script's text; `anew`: as the account has it at this moment.
    pub async fn text(&self, client: &Client, name: &str, anew: bool) -> Result<Option<Vec<u8>>, Unchanged> {
        self.known(client).await.map_err(Unchanged::Failed)?;
        let Some(script) = self.find(name) else { return Err(Unchanged::Gone) };
        let script = if anew { self.fetch(client, name, &script.id).await? } else { script };
        Ok(Some(script.attributes.content.into_bytes()))
    }

    /// Does what is asked, if what was seen is still there.
    pub async fn change(&self, client: &Client, change: Change) -> Result<Changed, Unchanged> {
        self.known(client).await.map_err(Unchanged::Failed)?;
        match change {
            Change::Create { name, bytes } => self.create(client, &name, bytes).await,
            Change::Update { name, seen, bytes } => {
                let text = fit(bytes)?;
                let now = self.seen(client, &name, seen.as_deref()).await?;
                let before = now.attributes.content.clone();
                if before == text {
                    let version = version(text.as_bytes());
                    return Ok(Changed { name, before: Some(before.into_bytes()), same: true, version });
                }
                let form = Form::new().file("file", text.as_bytes());
                let done = self.patch(client, &now.id, form, |script| script.attributes.content == text).await?;
                Ok(changed(name, Some(before), &done))
            }
            Change::Rename { name, to } => {
                let raw = raw_name(&to)?;
                self.free(&to)?;
                let now = self.seen(client, &name, None).await?;
                let form = Form::new().field("name", raw.clone());
                let done = self.patch(client, &now.id, form, |script| script.attributes.name == raw).await?;
                let name = self.called(&done.id).unwrap_or(to);
                Ok(changed(name, Some(done.attributes.content.clone()), &done))
            }
            Change::Switch { name, switch, on } => {
                if switch != VARIABLES {
                    let why = format!("SimpleMDM keeps no `{switch}` with a script: it has {VARIABLES}");
                    return Err(Unchanged::Refused(why));
                }
                let now = self.seen(client, &name, None).await?;
                let form = Form::new().field(VARIABLES, if on { "1" } else { "0" });
                let done = self.patch(client, &now.id, form, |script| script.attributes.variable_support == on).await?;
                Ok(changed(name, Some(done.attributes.content.clone()), &done))
            }
            Change::Delete { name, seen } => {
                let now = self.seen(client, &name, seen.as_deref()).await?;
                self.delete(client, &now.id).await?;
                Ok(changed(name, Some(now.attributes.content.clone()), &now))
            }
        }
    }

    async fn create(&self, client: &Client, name: &str, bytes: Vec<u8>) -> Result<Changed, Unchanged> {
        let (raw, text) = (raw_name(name)?, fit(bytes)?);
        self.free(name)?;
        let known: HashSet<wire::Id> = self.lock().all.iter().map(|script| script.id.clone()).collect();
        let form = Form::new().field("name", raw.clone()).field(VARIABLES, "0").file("file", text.as_bytes());
        let made = match client.json::<One<wire::Script>>(Ask::post("/scripts", form)).await {
            Ok(made) => made.data,
            // it may be there: a second one would be one too many
            Err(failure) if failure.passes() => {
                let all = list(client, Urgency::Now).await.map_err(|_| failed(&failure))?;
                let fits = |script: &&wire::Script| {
                    script.attributes.name == raw && script.attributes.content == text && !known.contains(&script.id)
                };
                let found = all.iter().find(fits).cloned();
                let mut state = self.lock();
                self.lay(&mut state, all);
                found.ok_or_else(|| failed(&failure))?
            }
            Err(failure) => return Err(failed(&failure)),
        };
        self.put(made.clone());
        let name = self.called(&made.id).unwrap_or_else(|| name.to_owned());
        Ok(changed(name, None, &made))
    }

    async fn delete(&self, client: &Client, id: &wire::Id) -> Result<(), Unchanged> {
        let place = format!("/scripts/{}", super::form::encoded(&id.0));
        match client.ask(Ask::delete(place.clone())).await {
            Ok(_) => {}
            Err(failure) if failure.is_gone() => {}
            Err(failure) if failure.passes() => {
                match client.json::<One<wire::Script>>(Ask::get(place, Urgency::Now)).await {
                    Err(gone) if gone.is_gone() => {}
                    _ => return Err(failed(&failure)),
                }
            }
            Err(failure) => return Err(failed(&failure)),
        }
        self.take(id);
        Ok(())
    }

    /// Changes what is given of a script. `there`: it has come to this; an answer that was lost is looked for.
    async fn patch(
        &self,
        client: &Client,
        id: &wire::Id,
        form: Form,
        there: impl Fn(&wire::Script) -> bool,
    ) -> Result<wire::Script, Unchanged> {
        let place = format!("/scripts/{}", super::form::encoded(&id.0));
        let done = match client.json::<One<wire::Script>>(Ask::patch(place.clone(), form)).await {
            Ok(done) => done.data,
            Err(failure) if failure.passes() => {
                let now = client.json::<One<wire::Script>>(Ask::get(place, Urgency::Now)).await;
                now.ok().map(|now| now.data).filter(there).ok_or_else(|| failed(&failure))?
            }
            Err(failure) if failure.is_gone() => {
                self.take(id);
                return Err(Unchanged::Gone);
            }
            Err(failure) => return Err(failed(&failure)),
        };
        self.put(done.clone());
        Ok(done)
    }

    /// The script as the account has it now, if that is what was seen.
    async fn seen(&self, client: &Client, name: &str, seen: Option<&str>) -> Result<wire::Script, Unchanged> {
        let Some(script) = self.find(name) else { return Err(Unchanged::Gone) };
        let now = self.fetch(client, name, &script.id).await?;
        let version = version(now.attributes.content.as_bytes());
        match seen {
            Some(seen) if seen != version => Err(Unchanged::BySomebodyElse { version }),
            _ => Ok(now),
        }
    }

    async fn fetch(&self, client: &Client, name: &str, id: &wire::Id) -> Result<wire::Script, Unchanged> {
        let gone = |failure: Failure| if failure.is_gone() { Unchanged::Gone } else { failed(&failure) };
        self.ask(client, name, id).await.map_err(gone)
    }

    /// A script by its whole name, as the account has it at this moment: which one that is of several of one name, the
    /// list tells.
    pub async fn now(&self, client: &Client, name: &str) -> Result<wire::Script, Failure> {
        self.known(client).await.map_err(Failure::Unready)?;
        let known = self.find(name).ok_or_else(|| no_such(name))?;
        self.ask(client, name, &known.id).await
    }

    /// Asks for a script. One that goes by another name now is, by this one, gone.
    async fn ask(&self, client: &Client, name: &str, id: &wire::Id) -> Result<wire::Script, Failure> {
        let ask = Ask::get(format!("/scripts/{}", super::form::encoded(&id.0)), Urgency::Now);
        let now = client.json::<One<wire::Script>>(ask).await.inspect_err(|failure| {
            if failure.is_gone() {
                self.take(id);
            }
        })?;
        self.put(now.data.clone());
        if self.called(&now.data.id).as_deref() == Some(name) { Ok(now.data) } else { Err(no_such(name)) }
    }

    fn free(&self, name: &str) -> Result<(), Unchanged> {
        if self.find(name).is_some() {
            return Err(Unchanged::Refused("there is a script of this name already: choose another".to_owned()));
        }
        Ok(())
    }

    // -- the list --------------------------------------------------------------------------------------

    fn find(&self, name: &str) -> Option<wire::Script> {
        let state = self.lock();
        let at = state.names.iter().position(|known| known == name)?;
        state.all.get(at).cloned()
    }

    /// The whole name of the one script that is called this there and says this, of those that were read last. (A job
    /// tells no more of its script, and several may have one name.)
    pub fn that_says(&self, name: &str, text: &str) -> Option<String> {
        let state = self.lock();
        let is = |script: &wire::Script| script.attributes.name == name && script.attributes.content == text;
        let mut at = (0..).zip(&state.all).filter(|(_, script)| is(script)).map(|(at, _)| at);
        match (at.next(), at.next()) {
            (Some(at), None) => state.names.get(at).cloned(),
            _ => None,
        }
    }

    fn called(&self, id: &wire::Id) -> Option<String> {
        let state = self.lock();
        let at = state.all.iter().position(|script| script.id == *id)?;
        state.names.get(at).cloned()
    }

    fn put(&self, script: wire::Script) {
        let mut state = self.lock();
        let mut all = std::mem::take(&mut state.all);
        match all.iter_mut().find(|known| known.id == script.id) {
            Some(known) => *known = script,
            None => all.push(script),
        }
        self.lay(&mut state, all);
    }

    fn take(&self, id: &wire::Id) {
        let mut state = self.lock();
        let mut all = std::mem::take(&mut state.all);
        all.retain(|script| script.id != *id);
        self.lay(&mut state, all);
    }

    fn lay(&self, state: &mut State, all: Vec<wire::Script>) {
        let names = names(&all);
        let mut shown: Vec<ScriptInfo> =
            all.iter().zip(&names).map(|(script, name)| shown(&self.connection, name, script)).collect();
        shown.sort_by(|a, b| a.name.cmp(&b.name));
        state.names = names.into_iter().map(|name| format!("{}:{name}", self.connection)).collect();
        (state.all, state.shown) = (all, Arc::new(shown));
    }
}

fn no_such(name: &str) -> Failure {
    Failure::Refused(404, format!("the account has no script {name} any more"))
}

/// Ends a reading, also one that was given up.
struct Reading<'a>(&'a Library);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.lock().reading = false;
        self.0.read.notify_waiters();
    }
}

async fn list(client: &Client, urgency: Urgency) -> Result<Vec<wire::Script>, Failure> {
    let (mut all, mut after): (Vec<wire::Script>, Option<String>) = (Vec::new(), None);
    loop {
        let page = client.page::<wire::Script>("/scripts", "", after.as_deref(), urgency).await?;
        let last = page.data.last().map(|last| last.id.0.clone());
        all.extend(page.data);
        // a page that brings nothing new would come for ever
        if !page.has_more || last.is_none() || last == after {
            return Ok(all);
        }
        after = last;
    }
}

/// What the scripts are called here: as there, without what no terminal should see; several of one name are told apart
/// by their numbers.
fn names(all: &[wire::Script]) -> Vec<String> {
    let plain: Vec<String> = all
        .iter()
        .map(|script| {
            let name: String = script.attributes.name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
            match name.trim() {
                "" => format!("script-{}", script.id.0),
                name if name.chars().count() > NAME => name.chars().take(NAME).collect(),
                name => name.to_owned(),
            }
        })
        .collect();
    let mut times = std::collections::HashMap::<&str, usize>::new();
    for name in &plain {
        *times.entry(name).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let named = plain.iter().zip(all).map(|(name, script)| {
        let mut unique = match times.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => format!("{name} #{}", script.id.0),
        };
        while !taken.insert(unique.clone()) {
            unique.push_str(&format!(" #{}", script.id.0));
        }
        unique
    });
    named.collect()
}

fn shown(connection: &str, name: &str, script: &wire::Script) -> ScriptInfo {
    let switch = Switch {
        name: VARIABLES.to_owned(),
        describe: VARIABLES_DO.to_owned(),
        on: script.attributes.variable_support,
    };
    ScriptInfo {
        modified_at: wire::moment(&script.attributes.updated_at),
        switches: vec![switch],
        ..remote::texted(connection, name, script.attributes.content.as_bytes())
    }
}

fn changed(name: String, before: Option<String>, now: &wire::Script) -> Changed {
    let version = version(now.attributes.content.as_bytes());
    Changed { name, before: before.map(String::into_bytes), same: false, version }
}

/// What a script is to be called there, of its whole name.
fn raw_name(whole: &str) -> Result<String, Unchanged> {
    let name = remote::split(whole).map_or("", |(_, name)| name).trim();
    let why = if name.is_empty() {
        "a script needs a name"
    } else if name.chars().any(char::is_control) {
        "a name with control characters could not be shown"
    } else if name.chars().count() > NAME {
        "the name is longer than 120 characters"
    } else {
        return Ok(name.to_owned());
    };
    Err(Unchanged::Refused(why.to_owned()))
}

/// What SimpleMDM can run; the rest is not sent.
fn fit(bytes: Vec<u8>) -> Result<String, Unchanged> {
    if !bytes.starts_with(b"#!") {
        let why = "SimpleMDM runs only what begins with a shebang: let the first line be `#!/bin/sh`, or what runs it";
        return Err(Unchanged::Refused(why.to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        Unchanged::Refused(format!("SimpleMDM keeps text alone, and line {} is not UTF-8", line + 1))
    })
}

fn failed(failure: &Failure) -> Unchanged {
    match failure {
        Failure::Unready(_) | Failure::Unreachable(_) | Failure::Refused(..) | Failure::TooMany => {
            Unchanged::Refused(failure.says())
        }
        Failure::Unclear(_) | Failure::Strange(_) | Failure::TooLarge(_) => Unchanged::Failed(failure.says()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn script(id: u32, name: &str) -> wire::Script {
        let attributes = json!({ "name": name, "content": "#!/bin/sh\r\ntrue\r\n", "variable_support": true });
        serde_json::from_value(json!({ "type": "script", "id": id, "attributes": attributes })).unwrap()
    }

    #[test]
    fn names_are_shown_as_they_are_and_told_apart() {
        let all = [
            script(1, "Rotate cache"),
            script(2, "a/b: c"),
            script(3, "bad\u{1b}[31m"),
            script(4, "twice"),
            script(5, "twice"),
            script(6, " "),
            script(7, "twice #5"),
        ];
        let expected = ["Rotate cache", "a/b: c", "bad?[31m", "twice #4", "twice #5", "script-6", "twice #5 #7"];
        assert_eq!(names(&all), expected);
        let info = shown("macs", "a/b: c", &all[1]);
        assert_eq!((info.name.as_str(), info.connection.as_deref()), ("macs:a/b: c", Some("macs")));
        assert_eq!(remote::split(&info.name), Some(("macs", "a/b: c")));
        assert!(info.has_text() && !info.is_defined() && info.read_only.is_none());
        assert!(info.switches[0].on, "{:?}", info.switches);
    }

    #[test]
    fn what_simplemdm_could_not_run_is_not_sent() {
        let refused = |bytes: &[u8]| match fit(bytes.to_vec()) {
            Err(Unchanged::Refused(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(b"echo hi\n").contains("shebang"));
        assert!(refused(b"#!/bin/sh\n\xff\n").contains("line 2"));
        assert_eq!(fit(b"#!/bin/sh\r\necho hi\r\n".to_vec()), Ok("#!/bin/sh\r\necho hi\r\n".to_owned()));
        for (name, says) in [("macs: ", "needs a name"), ("macs:a\u{7}", "control"), ("macs:", "needs a name")] {
            let Err(Unchanged::Refused(why)) = raw_name(name) else { panic!("{name:?}") };
            assert!(why.contains(says), "{why}");
        }
    }
}
