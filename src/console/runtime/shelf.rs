//! What the console asks the engine about scripts as files: one question, one event.

use crate::client::{Client, ClientError};
use crate::console::app::diff::Text;
use crate::console::app::shelf::{Opened, SaveProblem, SavedScript};
use crate::console::app::{Effect, Event};
use crate::console::runtime::engine::problem;
use crate::model::diff::Diff;
use crate::model::plan::ScriptRef;
use crate::model::wire::{Code, Problem};

type Asked<'a> = Result<&'a Client, &'a Problem>;

pub async fn ask(client: Result<Client, Problem>, effect: Effect) -> Option<Event> {
    let client = client.as_ref();
    Some(match effect {
        Effect::OpenScript(name) => {
            let answer = Box::new(open(client, &name, None).await);
            Event::Opened { name, answer }
        }
        Effect::SaveScript { name, base, bytes, force } => {
            let answer = save(client, &name, base.as_deref(), &bytes, force).await;
            Event::Saved { name, answer }
        }
        Effect::RenameScript { from, to } => {
            let answer = call(client, async |client| client.rename(&from, &to).await).await;
            Event::Renamed { from, answer }
        }
        Effect::DeleteScript { name, confirm } => {
            let answer = call(client, async |client| client.delete(&name, &confirm).await).await;
            Event::Deleted { name, answer }
        }
        Effect::Undelete(id) => Event::Undeleted(call(client, async |client| client.restore(&id).await).await),
        Effect::LoadTrash => Event::Trash(call(client, async |client| client.trash().await).await),
        Effect::LoadVersions(name) => {
            let answer = call(client, async |client| client.versions(&name).await).await;
            Event::Versions { name, answer }
        }
        Effect::LoadVersion { title, name, version } => {
            let answer = Box::new(open(client, &name, Some(&version)).await);
            Event::Version { title, answer }
        }
        Effect::LoadTemplates => Event::Templates(call(client, async |client| client.templates().await).await),
        Effect::KeepTemplate { template, replace } => {
            let kept = template.clone();
            let answer = call(client, async |client| client.keep_template(kept, replace).await).await;
            Event::TemplateKept { template, answer }
        }
        Effect::ForgetTemplate(name) => {
            let answer = call(client, async |client| client.forget_template(&name).await).await;
            Event::TemplateForgotten { name, answer }
        }
        Effect::RestoreVersion { name, version, base } => {
            let answer = match open(client, &name, Some(&version)).await {
                Ok(opened) => save(client, &name, Some(&base), &opened.bytes, false).await,
                Err(problem) => Err(SaveProblem::Other(problem)),
            };
            Event::Restored { name, answer }
        }
        Effect::Compare { serial, left, right } => {
            let answer = Box::new(compare(client, left.text, right.text).await);
            Event::Compared { serial, answer }
        }
        Effect::LintText { serial, name, bytes } => {
            let script = ScriptRef::text(&name, &bytes);
            let answer = call(client, async |client| client.lint(&script).await).await;
            Event::Linted { serial, answer: answer.map(|script| script.findings) }
        }
        _ => return None,
    })
}

async fn call<T>(client: Asked<'_>, ask: impl AsyncFnOnce(&Client) -> Result<T, ClientError>) -> Result<T, Problem> {
    ask(client.map_err(Problem::clone)?).await.map_err(problem)
}

async fn compare(client: Asked<'_>, left: Text, right: Text) -> Result<Diff, Problem> {
    let (left, right) = (bytes(client, left).await?, bytes(client, right).await?);
    // (a comparison that broke off has nothing to say but that)
    let broke = |error: tokio::task::JoinError| Problem {
        code: Code::Internal,
        error: format!("comparing broke off: {error}"),
        column: None,
    };
    tokio::task::spawn_blocking(move || Diff::of(&left, &right)).await.map_err(broke)
}

async fn bytes(client: Asked<'_>, text: Text) -> Result<Vec<u8>, Problem> {
    match text {
        Text::Bytes(bytes) => Ok(bytes),
        Text::Script(name) => open(client, &name, None).await.map(|opened| opened.bytes),
        Text::Version { name, version } => open(client, &name, Some(&version)).await.map(|opened| opened.bytes),
    }
}

async fn open(client: Asked<'_>, name: &str, version: Option<&str>) -> Result<Opened, Problem> {
    let (info, bytes) = client.map_err(Problem::clone)?.text(name, version).await.map_err(problem)?;
    Ok(Opened { bytes, version: info.version.clone(), path: info.path.clone(), info })
}

async fn save(
    client: Asked<'_>,
    name: &str,
    base: Option<&str>,
    bytes: &[u8],
    force: bool,
) -> Result<SavedScript, SaveProblem> {
    let asked = client.map_err(|missing| SaveProblem::Other(missing.clone()))?;
    match asked.save(name, base, bytes, force).await {
        Ok(saved) => Ok(SavedScript { version: saved.version, path: saved.path, warning: saved.warning }),
        Err(ClientError::Refused(refusal)) if refusal.code == Code::Stale => match open(client, name, None).await {
            // what is there now, and the version that goes with exactly these bytes
            Ok(opened) => Err(SaveProblem::Changed { version: opened.version, bytes: opened.bytes }),
            Err(_) => Err(SaveProblem::Other(refusal)),
        },
        Err(error) => Err(SaveProblem::Other(problem(error))),
    }
}
