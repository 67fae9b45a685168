//! Scripts as files, question by question: read, made, renamed, deleted and brought back, and their versions. What takes
//! something away is asked for in words; an editor has its own verb.

use super::launch::pick_script;
use super::talk::{Answer, Talk};
use crate::cli::{CliError, out};
use crate::client::{Client, ClientError};
use crate::model::diff::Diff;
use crate::model::script::template::{TEMPLATES, Template};
use crate::model::shelf::Version;
use crate::model::wire::Shelf;

const READ: &str = "read it, and what lint says";
const VERSIONS: &str = "its versions: read one, what has changed since, go back to it";
const RENAME: &str = "rename it";
const DELETE: &str = "delete it";

pub async fn run(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let Some(info) = pick_script(talk, client).await? else { return Ok(()) };
    let name = info.name;
    loop {
        let title = format!("{name}; quarterdeck scripts edit {name} opens it in $EDITOR");
        let items = [READ, VERSIONS, RENAME, DELETE];
        let Answer::Given(at) = talk.choose(&title, &super::words(&items)).await? else { return Ok(()) };
        match items[at] {
            READ => read(talk, client, &name).await?,
            VERSIONS => versions(talk, client, &name).await?,
            RENAME if rename(talk, client, &name).await? => return Ok(()),
            DELETE if delete(talk, client, &name).await? => return Ok(()),
            _ => {}
        }
    }
}

/// Says why the engine refused; any other failure is one of the whole conversation.
fn told<T>(talk: &mut Talk, answer: Result<T, ClientError>) -> Result<Option<T>, CliError> {
    match answer {
        Ok(done) => Ok(Some(done)),
        Err(ClientError::Refused(problem)) => talk.say(&problem.error).map(|()| None),
        Err(error) => Err(error.into()),
    }
}

async fn read(talk: &mut Talk, client: &Client, name: &str) -> Result<(), CliError> {
    let asked = client.script(name).await;
    let Some(script) = told(talk, asked)? else { return Ok(()) };
    numbered(talk, &script.text)?;
    for finding in &script.findings {
        talk.say(&format!("line {}: {} ({})", finding.line, finding.text, finding.code))?;
    }
    Ok(())
}

fn numbered(talk: &mut Talk, text: &str) -> Result<(), CliError> {
    text.lines().enumerate().try_for_each(|(number, line)| talk.say(&format!("{:>4}  {line}", number + 1)))
}

async fn versions(talk: &mut Talk, client: &Client, name: &str) -> Result<(), CliError> {
    let all = client.versions(name).await?;
    let line = |version: &Version| {
        let now = if version.current { ", as it is now" } else { "" };
        let when = out::moment(Some(version.at));
        format!("v{}, {} by {}, {when}, {} bytes{now}", version.number, version.why.word(), version.by, version.size)
    };
    let items: Vec<String> = all.iter().map(line).collect();
    let Answer::Given(at) = talk.choose("Which version? Newest first.", &items).await? else { return Ok(()) };
    let (before, now) = (client.text(name, Some(&all[at].version)).await?, client.text(name, None).await?);
    let items = ["read it", "what has changed since", "go back to it"];
    let Answer::Given(what) = talk.choose(&format!("{name} v{}", all[at].number), &super::words(&items)).await? else {
        return Ok(());
    };
    match what {
        0 => numbered(talk, &String::from_utf8_lossy(&before.1)),
        1 => {
            let diff = Diff::of(&before.1, &now.1);
            if diff.same() {
                return talk.say("Nothing has changed since.");
            }
            let named = format!("{name}@v{}", all[at].number);
            diff.unified(&named, name).lines().try_for_each(|line| talk.say(line))
        }
        _ => match talk.confirm("Type yes to go back to it; what it is now stays a version").await? {
            Answer::Given(line) if line.trim() == "yes" => {
                let saved = client.save(name, Some(&now.0.version), &before.1, false).await;
                match told(talk, saved)? {
                    Some(_) => talk.say(&format!("{name} is what v{} was.", all[at].number)),
                    None => Ok(()),
                }
            }
            _ => talk.say("Nothing was changed."),
        },
    }
}

/// `true`: it has another name now.
async fn rename(talk: &mut Talk, client: &Client, name: &str) -> Result<bool, CliError> {
    let to = match talk.line("new name (empty: it keeps the old one)").await? {
        Answer::Given(line) if !line.trim().is_empty() => line.trim().to_owned(),
        _ => return talk.say("Nothing was renamed.").map(|()| false),
    };
    let renamed = client.rename(name, &to).await;
    match told(talk, renamed)? {
        Some(renamed) => talk.say(&format!("{} is {} now.", renamed.from, renamed.to)).map(|()| true),
        None => Ok(false),
    }
}

/// `true`: it is gone.
async fn delete(talk: &mut Talk, client: &Client, name: &str) -> Result<bool, CliError> {
    let prompt = format!("Type {name} to delete it, anything else keeps it");
    let typed = match talk.confirm(&prompt).await? {
        Answer::Given(line) if line.trim() == name => line.trim().to_owned(),
        _ => return talk.say("Nothing was deleted.").map(|()| false),
    };
    let trashed = client.delete(name, &typed).await;
    match told(talk, trashed)? {
        Some(_) => talk.say(&format!("{name} was deleted; \"deleted scripts\" brings it back.")).map(|()| true),
        None => Ok(false),
    }
}

pub async fn new(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let shelves: Vec<Shelf> =
        client.library().await?.shelves.into_iter().filter(|shelf| shelf.closed.is_none()).collect();
    let mut shelf = None;
    if !shelves.is_empty() {
        let there = shelves.iter().map(|shelf| format!("that of {}", shelf.connection));
        let items: Vec<String> = std::iter::once("the one here".to_owned()).chain(there).collect();
        let Answer::Given(at) = talk.choose("In which library?", &items).await? else { return Ok(()) };
        shelf = at.checked_sub(1).and_then(|at| shelves.get(at));
    }
    let bare = shelf.and_then(|shelf| shelf.bare.as_deref());
    let offered: Vec<&Template> = match bare {
        Some(_) => Template::offered_bare().collect(),
        None => TEMPLATES.iter().collect(),
    };
    let items: Vec<String> = offered.iter().map(|template| template.name.to_owned()).collect();
    let Answer::Given(at) = talk.choose("What is it written in?", &items).await? else { return Ok(()) };
    let template = offered[at];
    let asked = match shelf {
        Some(_) => "name, as it is called there (empty: none)",
        None => "name, such as fix-dns or web/fix-dns (empty: none)",
    };
    let own = match talk.line(asked).await? {
        Answer::Given(line) if !line.trim().is_empty() => line.trim().to_owned(),
        _ => return talk.say("Nothing was made."),
    };
    let text = bare.and_then(|about| template.fill_bare(&own, about)).unwrap_or_else(|| template.fill(&own));
    let name = match shelf {
        Some(shelf) => format!("{}:{own}", shelf.connection),
        None => template.named(&own),
    };
    let saved = client.save(&name, None, text.as_bytes(), false).await;
    match told(talk, saved)? {
        Some(saved) => {
            talk.say(&format!("{} is there; quarterdeck scripts edit {name} opens it in $EDITOR", saved.path))
        }
        None => Ok(()),
    }
}

pub async fn deleted(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let trash = client.trash().await?;
    if trash.is_empty() {
        return talk.say("Nothing was deleted; what is deleted is kept here.");
    }
    let line = |name: &str, at, by: &str| format!("{name}, deleted {} by {by}", out::moment(Some(at)));
    let items: Vec<String> = trash.iter().map(|row| line(&row.name, row.deleted_at, &row.by)).collect();
    let Answer::Given(at) = talk.choose("Bring back which?", &items).await? else { return Ok(()) };
    let restored = client.restore(&trash[at].id).await;
    match told(talk, restored)? {
        Some(back) => talk.say(&format!("{} is back.", back.name)),
        None => Ok(()),
    }
}
