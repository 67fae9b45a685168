//! `scripts`: the library.

use super::args::Scripts as Verb;
use super::run::{found, read_script};
use super::{CliError, Desk, Outcome, out, past, say, shelf};
use crate::model::rows::Scripts;
use crate::model::script::{Field, Finding, Level, Param, Script, ScriptInfo};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    match verb {
        Verb::New { name, template, from } => {
            return shelf::new(desk, name, template.as_deref(), from.as_deref()).await;
        }
        Verb::Edit { name } => return shelf::edit(desk, name).await,
        Verb::Save { name, from, seen, force } => return shelf::save(desk, name, from, seen.as_deref(), *force).await,
        Verb::Set { name, switch: (switch, on) } => return shelf::set(desk, name, (switch, *on)).await,
        Verb::Rename { from, to } => return shelf::rename(desk, from, to).await,
        Verb::Delete { name, yes } => return shelf::delete(desk, name, *yes).await,
        Verb::Restore { what } => return shelf::restore(desk, what).await,
        Verb::Versions { name } => return shelf::versions(desk, name).await,
        Verb::Diff { first, second } => return shelf::diff(desk, first, second.as_deref()).await,
        Verb::Where(verb) => {
            let asked = past::with_here(|here| verb.sought("script", here))?;
            return past::run(desk, &asked).await;
        }
        Verb::Ls { .. } | Verb::Show { .. } | Verb::Lint { .. } => {}
    }
    let client = desk.engine().await?;
    let json = desk.common.json;
    match verb {
        Verb::Ls { deleted: true, .. } => return shelf::deleted(desk, &client).await,
        Verb::Ls { deleted: false, sift } => {
            let library = client.whole_library().await?;
            for warning in &library.warnings {
                say(format!("quarterdeck: {warning}"));
            }
            for shelf in &library.shelves {
                let read = if shelf.read_at.is_some() { "what was read before is shown" } else { "none is known" };
                match &shelf.problem {
                    Some(why) => say(format!("quarterdeck: the scripts of {}: {why}; {read}", shelf.connection)),
                    None if shelf.read_at.is_none() => {
                        say(format!("quarterdeck: the scripts of {} are still being read", shelf.connection));
                    }
                    None => {}
                }
            }
            let rows = Scripts { all: &library.scripts, now: jiff::Timestamp::now(), besides: None };
            let order = sift.rows(&rows)?;
            if json {
                let scripts = sift.objects(&library.scripts, &rows, &order)?;
                let (folder, warnings) = (&library.folder, &library.warnings);
                out::json_object(&serde_json::json!({ "folder": folder, "scripts": scripts, "warnings": warnings }))?;
            } else {
                let own = || script_table(order.iter().map(|at| &library.scripts[*at]));
                out::print(&sift.table(&rows, &order)?.unwrap_or_else(own))?;
            }
        }
        Verb::Show { name } => {
            let script = client.script(name).await?;
            if json {
                out::json_object(&script)?;
            } else {
                say(facts(&script));
                let text = if out::on_terminal() { out::safe_lines(&script.text) } else { script.text };
                out::print(&text)?;
            }
        }
        Verb::Lint { name } => {
            let wanted = found(&client, read_script(name)?, name).await?;
            let script = client.lint(&wanted).await?;
            if json {
                out::json_object(&serde_json::json!({ "name": script.info.name, "findings": script.findings }))?;
            } else {
                let lines: Vec<String> = script.findings.iter().map(|finding| line(name, finding)).collect();
                out::print(&lines.concat())?;
            }
            if script.findings.iter().any(|finding| finding.level == Level::Error) || script.info.refused.is_some() {
                return Ok(Outcome::Unwell);
            }
        }
        _ => {}
    }
    Ok(Outcome::Done)
}

fn script_table<'a>(scripts: impl Iterator<Item = &'a ScriptInfo>) -> String {
    out::table(
        &["SCRIPT", "LANGUAGE", "LAST RUN", "OK", "WHAT IT DOES"],
        scripts.map(|script| {
            let last = script.last_run.as_ref();
            vec![
                script.name.clone(),
                script.language.clone(),
                out::moment(last.map(|last| last.at)),
                last.and_then(|last| last.ok_percent).map_or_else(|| "-".to_owned(), |ok| format!("{ok}%")),
                script.refused.as_ref().map_or_else(|| script.describe.clone(), |why| format!("refused: {why}")),
            ]
        }),
    )
}

fn facts(script: &Script) -> String {
    let info = &script.info;
    let mut text = format!("{} (version {}, {})\n", info.name, info.version, info.interpreter.join(" "));
    if !info.describe.is_empty() {
        text.push_str(&format!("{}\n", info.describe));
    }
    if !info.params.is_empty() {
        text.push_str(&out::table(&["PARAMETER", "KIND", "WHAT IT IS"], info.params.iter().map(parameter)));
    }
    for switch in &info.switches {
        let on = if switch.on { "on" } else { "off" };
        text.push_str(&format!("{} is {on}: {}\n", switch.name, switch.describe));
    }
    if let Some(content) = info.output {
        text.push_str(&format!("prints {}\n", content.word()));
    }
    if let Some(why) = &info.read_only {
        text.push_str(&format!("cannot be changed here: {why}\n"));
    }
    if let Some(why) = &info.refused {
        text.push_str(&format!("cannot be launched: {why}\n"));
    }
    text
}

/// A row of the form: how it is given, of what kind it is, what it is for, and what is allowed.
fn parameter(param: &Param) -> Vec<String> {
    let value = match param.field() {
        Field::Password => "=@FILE|env:VAR",
        Field::Checkbox => "=true|false",
        Field::File => "=PATH",
        _ => "=VALUE",
    };
    let flag = if param.secret { "--secret" } else { "--param" };
    let mut notes = Vec::new();
    if param.required {
        notes.push("required".to_owned());
    }
    if param.multiple {
        notes.push("again for more".to_owned());
    }
    if !param.choices.is_empty() {
        notes.push(format!("one of {}", param.choices.join(", ")));
    }
    notes.extend(param.default.as_ref().map(|default| format!("default {default}")));
    notes.extend(param.example.as_ref().map(|example| format!("such as {example}")));
    if param.stdin {
        notes.push("on stdin".to_owned());
    }
    if param.advanced {
        notes.push("advanced".to_owned());
    }
    let about = [param.describe.clone(), notes.join("; ")];
    let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).collect();
    vec![format!("{flag} {}{value}", param.name), param.field().word().to_owned(), about.join("; ")]
}

/// `NAME:LINE: level: text [code]`, as compilers say it, so that editors can jump.
fn line(name: &str, finding: &Finding) -> String {
    let level = match finding.level {
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    };
    let line = finding.line.max(1);
    out::safe_lines(&format!("{name}:{line}: {level}: {} [{}]", finding.text.replace('\n', " "), finding.code)) + "\n"
}
