//! `audit`: who did what, and whether what is written of it is what was written.

use std::io::Write;

use serde::Serialize;

use super::args::Audit as Verb;
use super::out::{self, SCHEMA_VERSION};
use super::{CliError, Desk, Outcome, say};
use crate::client::Client;
use crate::model::audit::{Entry, Verified};
use crate::model::state::RunState;

#[derive(Serialize)]
struct Line<'a> {
    schema_version: u32,
    #[serde(flatten)]
    entry: &'a Entry,
}

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    if verb.verify {
        return verified(desk, &client.verify_audit().await?);
    }
    let unreadable = show(desk, &client, verb).await?;
    if unreadable > 0 {
        say(format!("quarterdeck: {unreadable} lines of the log are no entries: see `quarterdeck audit --verify`"));
    }
    Ok(Outcome::Done)
}

fn verified(desk: &Desk<'_>, found: &Verified) -> Result<Outcome, CliError> {
    if desk.common.json {
        out::json_object(found)?;
    } else if found.broken.is_none() {
        let (count, head) = (found.head.seq, &found.head.hash);
        let (are, ies) = if count == 1 { ("is", "y") } else { ("are", "ies") };
        out::print(&format!("{count} entr{ies} {are} unbroken; head {head}\n"))?;
    }
    let Some(broken) = &found.broken else { return Ok(Outcome::Done) };
    let whole = match found.head.seq {
        0 => "nothing before it holds".to_owned(),
        last => format!("up to entry {last} it is unbroken"),
    };
    say(format!("quarterdeck: the audit log is broken: {}:{}: {}; {whole}", found.path, broken.line, broken.why));
    Ok(Outcome::Unwell)
}

/// How many lines are no entries.
async fn show(desk: &Desk<'_>, client: &Client, verb: &Verb) -> Result<u64, CliError> {
    let mut sink = out::stdout()?;
    let (mut from, mut unreadable, mut rows) = (Some(0), 0, Vec::new());
    while let Some(offset) = from {
        let page = client.audit(offset, verb.since).await?;
        unreadable += page.unreadable;
        from = page.next;
        if desk.common.json {
            for entry in &page.entries {
                let line = Line { schema_version: SCHEMA_VERSION, entry };
                out::json_to(&mut sink, &line).map_err(std::io::Error::from)?;
                sink.write_all(b"\n")?;
            }
        } else {
            rows.extend(page.entries.into_iter().map(row));
        }
    }
    if !desk.common.json {
        let heads = ["ENTRY", "WHEN", "WHO", "WHAT", "JOB", "SCRIPT", "DEVICES", "MORE"];
        sink.write_all(out::table(&heads, rows).as_bytes())?;
    }
    sink.flush()?;
    Ok(unreadable)
}

fn row(entry: Entry) -> Vec<String> {
    let dash = || "-".to_owned();
    let deed = entry.deed;
    let counts = deed.counts.map(|counts| {
        let told = RunState::ALL.into_iter().filter(|state| counts.get(*state) > 0);
        told.map(|state| format!("{} {}", state.word(), counts.get(state))).collect::<Vec<_>>().join(" ")
    });
    let from = Some(deed.from).filter(|from| !from.is_empty());
    let more = [deed.target.map(|target| format!("on {target}")), deed.note, counts, from];
    vec![
        entry.seq.to_string(),
        out::moment(Some(entry.at)),
        deed.by,
        deed.act.word().to_owned(),
        deed.job.map_or_else(dash, |job| job.to_string()),
        match (deed.script, deed.version) {
            (Some(script), Some(version)) => format!("{script} {version}"),
            (script, _) => script.unwrap_or_else(dash),
        },
        deed.devices.map_or_else(dash, |devices| devices.to_string()),
        more.into_iter().flatten().collect::<Vec<_>>().join("; "),
    ]
}
