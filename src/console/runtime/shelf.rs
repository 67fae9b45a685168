//! What the console asks the engine about scripts as files: one question, one event.

use crate::client::{Client, ClientError};
use crate::console::app::shelf::{Opened, SaveProblem, SavedScript};
use crate::console::app::{Effect, Event};
use crate::console::runtime::engine::problem;
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
        Effect::LintText { serial, name, bytes } => {
            let script = ScriptRef::text(&name, &bytes);
            let answer = match client {
                Ok(client) => client.lint(&script).await.map(|script| script.findings).map_err(problem),
                Err(missing) => Err(missing.clone()),
            };
            Event::Linted { serial, answer }
        }
        _ => return None,
    })
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
