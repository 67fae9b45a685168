//! `scripts new|edit|rename|delete|restore|versions|diff`: the library's files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::read_script;
use super::{CliError, Desk, Outcome, ask, out, say};
use crate::client::{Client, ClientError};
use crate::model::diff::Diff;
use crate::model::script::remote;
use crate::model::script::template::{TEMPLATES, Template};
use crate::model::shelf::{Saved, Version, versioned};
use crate::model::wire::{Code, Shelf};
use crate::settings::paths;

/// Prints what was saved: its path, or JSON.
fn tell(desk: &Desk<'_>, saved: &Saved) -> Result<Outcome, CliError> {
    if let Some(warning) = &saved.warning {
        say(format!("quarterdeck: {warning}"));
    }
    if desk.common.json {
        out::json_object(saved)?
    } else {
        out::print(&format!("{}\n", saved.path))?
    }
    Ok(Outcome::Done)
}

pub async fn new(desk: &Desk<'_>, name: &str, template: Option<&str>, from: Option<&str>) -> Result<Outcome, CliError> {
    let template = match template {
        None => Template::of(name),
        Some(word) => Template::find(word).ok_or_else(|| {
            let known: Vec<&str> = TEMPLATES.iter().map(|template| template.key).collect();
            CliError::Usage(format!("there is no template `{word}`: use one of {}", known.join(", ")))
        })?,
    };
    let (name, text) = match from {
        None => match in_shelf(desk, name).await? {
            // what a system keeps is called what it is called, without an ending of ours
            Some((own, shelf)) => (name.to_owned(), begin(template, &own, &shelf)?),
            None => (template.named(name), template.fill(name)),
        },
        Some(from) => {
            let read = read_script(from)?;
            let (_, bytes) = read.ok_or_else(|| CliError::Usage(format!("there is no file {from}")))?;
            return tell(desk, &desk.engine().await?.save(name, None, &bytes, false).await?);
        }
    };
    tell(desk, &desk.engine().await?.save(&name, None, text.as_bytes(), false).await?)
}

/// The text of a new script in a system's own library.
fn begin(template: &Template, name: &str, shelf: &Shelf) -> Result<String, CliError> {
    let Some(about) = &shelf.bare else { return Ok(template.fill(name)) };
    template.fill_bare(name, about).ok_or_else(|| {
        let known: Vec<&str> = Template::offered_bare().map(|template| template.key).collect();
        let (key, connection, known) = (template.key, &shelf.connection, known.join(", "));
        CliError::Usage(format!("there is no template `{key}` for a script of {connection}: use one of {known}"))
    })
}

/// The library of a system's own that the name is of, or would be, and the name there.
async fn in_shelf(desk: &Desk<'_>, name: &str) -> Result<Option<(String, Shelf)>, CliError> {
    let Some((connection, own)) = remote::split(name) else { return Ok(None) };
    let library = desk.engine().await?.library().await?;
    let mut open = library.shelves.into_iter().filter(|shelf| shelf.closed.is_none());
    Ok(open.find(|shelf| shelf.connection == connection).map(|shelf| (own.to_owned(), shelf)))
}

/// A file's text in the place of a script's. `seen`: the version that it was made from.
pub async fn save(
    desk: &Desk<'_>,
    name: &str,
    from: &str,
    seen: Option<&str>,
    force: bool,
) -> Result<Outcome, CliError> {
    let read = read_script(from)?;
    let (_, bytes) = read.ok_or_else(|| CliError::Usage(format!("there is no file {from}")))?;
    let client = desk.engine().await?;
    let (info, _) = client.text(name, None).await?;
    let base = seen.unwrap_or(&info.version);
    tell(desk, &client.save(&info.name, Some(base), &bytes, force).await?)
}

/// `scripts set NAME SWITCH=on|off`: what a system keeps of a script beside its text.
pub async fn set(desk: &Desk<'_>, name: &str, (switch, on): (&str, bool)) -> Result<Outcome, CliError> {
    let done = desk.engine().await?.switch(name, switch, on).await?;
    if desk.common.json {
        out::json_object(&done)?;
    } else {
        say(format!("{}: {} is {} now", done.name, done.switch, if done.on { "on" } else { "off" }));
    }
    Ok(Outcome::Done)
}

pub async fn edit(desk: &Desk<'_>, name: &str) -> Result<Outcome, CliError> {
    if !ask::may_ask(desk.common.no_input) {
        let how = "`quarterdeck scripts show NAME` and `scripts new NAME --from FILE` do without one";
        return Err(CliError::Usage(format!("an editor needs a terminal: {how}")));
    }
    let client = desk.engine().await?;
    let (info, bytes) = client.text(name, None).await?;
    let folder = desk.settings.paths.state.join("edits");
    let file = folder.join(format!("{}-{}", std::process::id(), info.name.rsplit('/').next().unwrap_or("script")));
    let failed = |error: std::io::Error| CliError::Tool(format!("cannot use {}: {error}", file.display()));
    paths::make_private(&folder).map_err(failed)?;
    fs::write(&file, &bytes).map_err(failed)?;
    run_editor(desk.settings.ui.editor.as_deref(), &file)?;
    let edited = fs::read(&file).map_err(failed)?;
    if edited == bytes {
        let _ = fs::remove_file(&file);
        say(format!("{} is unchanged", info.name));
        return Ok(Outcome::Done);
    }
    match client.save(&info.name, Some(&info.version), &edited, false).await {
        Ok(saved) => {
            let _ = fs::remove_file(&file);
            tell(desk, &saved)
        }
        Err(error) => {
            // what was written is never lost with the reason
            let kept = file.display();
            say(format!("quarterdeck: not saved; your text is in {kept}"));
            if matches!(&error, ClientError::Refused(problem) if problem.code == Code::Stale) {
                say(format!("compare: quarterdeck scripts diff {} {kept}", info.name));
            }
            Err(error.into())
        }
    }
}

fn run_editor(command: Option<&str>, file: &Path) -> Result<(), CliError> {
    let command = command.filter(|command| !command.trim().is_empty()).unwrap_or("vi");
    let words = shlex::split(command).unwrap_or_default();
    let Some((program, arguments)) = words.split_first() else {
        return Err(CliError::Usage(format!("the editor `{command}` has a quote that is not closed")));
    };
    match Command::new(program).args(arguments).arg(file).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(CliError::Tool(format!(
            "`{program}` ended with {status}: not saved; your text is in {}",
            file.display()
        ))),
        Err(error) => Err(CliError::Tool(format!("`{program}` could not be started: {error}; set VISUAL or EDITOR"))),
    }
}

pub async fn rename(desk: &Desk<'_>, from: &str, to: &str) -> Result<Outcome, CliError> {
    let renamed = desk.engine().await?.rename(from, to).await?;
    if desk.common.json {
        out::json_object(&renamed)?;
    } else {
        say(format!("{} is {} now", renamed.from, renamed.to));
    }
    Ok(Outcome::Done)
}

pub async fn delete(desk: &Desk<'_>, name: &str, yes: bool) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let (info, _) = client.text(name, None).await?;
    let confirm = if yes {
        info.name.clone()
    } else if ask::may_ask(desk.common.no_input) {
        ask::line(&format!("Type {} to delete it: ", info.name)).await?.trim().to_owned()
    } else {
        return Err(CliError::Usage(format!("deleting {} wants --yes: nothing was deleted", info.name)));
    };
    let trashed = client.delete(&info.name, &confirm).await?;
    if desk.common.json {
        out::json_object(&trashed)?;
    } else {
        say(format!("{0} was deleted; `quarterdeck scripts restore {0}` brings it back", trashed.name));
    }
    Ok(Outcome::Done)
}

/// A deleted script, or a script's older version.
pub async fn restore(desk: &Desk<'_>, what: &str) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    if let Some((name, version)) = versioned(what) {
        let (now, _) = client.text(name, None).await?;
        let (_, bytes) = client.text(name, Some(version)).await?;
        return tell(desk, &client.save(&now.name, Some(&now.version), &bytes, false).await?);
    }
    let trashed = client.restore(what).await?;
    if desk.common.json {
        out::json_object(&trashed)?;
    } else {
        say(format!("{} is back", trashed.name));
    }
    Ok(Outcome::Done)
}

pub async fn deleted(desk: &Desk<'_>, client: &Client) -> Result<Outcome, CliError> {
    let trash = client.trash().await?;
    if desk.common.json {
        out::json_object(&serde_json::json!({ "deleted": trash }))?;
        return Ok(Outcome::Done);
    }
    let rows = trash.into_iter().map(|row| vec![row.name, out::moment(Some(row.deleted_at)), row.by, row.id]);
    out::print(&out::table(&["SCRIPT", "DELETED", "BY", "ID"], rows))?;
    Ok(Outcome::Done)
}

pub async fn versions(desk: &Desk<'_>, name: &str) -> Result<Outcome, CliError> {
    let versions = desk.engine().await?.versions(name).await?;
    if desk.common.json {
        out::json_object(&serde_json::json!({ "name": name, "versions": versions }))?;
        return Ok(Outcome::Done);
    }
    let row = |version: Version| {
        let job = version.job.map_or_else(|| "-".to_owned(), |job| job.to_string());
        let now = if version.current { "now, " } else { "" };
        vec![
            format!("v{}", version.number),
            version.version,
            out::moment(Some(version.at)),
            version.size.to_string(),
            version.by,
            job,
            format!("{now}{}", version.why.word()),
        ]
    };
    let heads = ["VERSION", "HASH", "WHEN", "BYTES", "BY", "LAST JOB", "HOW"];
    out::print(&out::table(&heads, versions.into_iter().map(row)))?;
    Ok(Outcome::Done)
}

/// Two scripts, versions or files; one alone is compared with what it was before.
pub async fn diff(desk: &Desk<'_>, first: &str, second: Option<&str>) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let ((left, a), (right, b)) = match (second, versioned(first)) {
        (Some(second), _) => (side(&client, first).await?, side(&client, second).await?),
        (None, Some((name, _))) => (side(&client, first).await?, side(&client, name).await?),
        (None, None) => {
            let now = side(&client, first).await?;
            let versions = client.versions(first).await?;
            let before = versions.iter().skip_while(|version| !version.current).nth(1).ok_or_else(|| {
                CliError::Usage(format!("{first} has no earlier version: name something to compare it with"))
            })?;
            let named = format!("{first}@v{}", before.number);
            (side(&client, &named).await?, now)
        }
    };
    let diff = Diff::of(&a, &b);
    if desk.common.json {
        out::json_object(&serde_json::json!({
            "left": left, "right": right, "added": diff.added, "removed": diff.removed, "notes": diff.notes,
            "diff": if diff.hunks.is_empty() { String::new() } else { diff.unified(&left, &right) },
        }))?;
        return Ok(Outcome::Done);
    }
    for note in &diff.notes {
        say(note);
    }
    if !diff.hunks.is_empty() {
        let text = diff.unified(&left, &right);
        out::print(&if out::on_terminal() { out::safe_lines(&text) } else { text })?;
    }
    Ok(Outcome::Done)
}

/// A name in the library, one of its versions, a file, or stdin; and its bytes.
async fn side(client: &Client, given: &str) -> Result<(String, Vec<u8>), CliError> {
    match client.text(given, None).await {
        Ok((info, bytes)) => {
            let named = if versioned(given).is_some() { given.to_owned() } else { info.name };
            Ok((named, bytes))
        }
        Err(error) => match read_script(given)? {
            Some((_, bytes)) => Ok((PathBuf::from(given).display().to_string(), bytes)),
            None => Err(error.into()),
        },
    }
}
