//! `export`: a job as a file for others, or on stdout. That a file is there whole or not at all is the client's affair.

use std::io::{IsTerminal as _, Write};
use std::path::Path;

use super::args::{Export as Verb, FormatWord};
use super::follow::Interrupt;
use super::{CliError, Desk, Outcome, ask, out};
use crate::client::Client;
use crate::client::export::ExportError;
use crate::model::report::{Format, Report};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let format = format_of(desk, verb)?;
    let report = Report::new(format, verb.raw, &verb.fields).map_err(CliError::Usage)?;
    let path = verb.output.as_deref().filter(|path| *path != Path::new("-"));
    let mut replace = verb.force;
    if let Some(path) = path
        && !verb.force
        && path.symlink_metadata().is_ok()
    {
        may_replace(desk, path).await?;
        replace = true;
    }
    let client = desk.engine().await?;
    let mut interrupt = Interrupt::listen()?;
    let work = async {
        match path {
            None => to_stdout(&client, verb.id, &report).await,
            Some(path) => to_file(desk, &client, verb.id, &report, (path, replace)).await,
        }
    };
    tokio::select! {
        done = work => done,
        () = interrupt.pressed() => Ok(Outcome::Interrupted),
    }
}

/// `--json` alone asks for JSON; beside a file it asks for what was done.
fn format_of(desk: &Desk<'_>, verb: &Verb) -> Result<Format, CliError> {
    let by_name = || {
        let ending = verb.output.as_ref()?.extension()?.to_str()?;
        Format::ALL.into_iter().find(|format| format.ending() == ending)
    };
    match (verb.format.map(FormatWord::format), desk.common.json && verb.output.is_none()) {
        (Some(format), true) if format != Format::Json => Err(CliError::Usage(format!(
            "--json and --format {} are two formats: give one, or --output FILE",
            format.word()
        ))),
        (Some(format), _) => Ok(format),
        (None, true) => Ok(Format::Json),
        (None, false) => by_name().ok_or_else(|| {
            let words: Vec<&str> = Format::ALL.into_iter().map(Format::word).collect();
            CliError::Usage(format!("which format? --format {}", words.join(", ")))
        }),
    }
}

async fn may_replace(desk: &Desk<'_>, path: &Path) -> Result<(), CliError> {
    let there = format!("{} exists already", path.display());
    if !ask::may_ask(desk.common.no_input) {
        return Err(CliError::Usage(format!("{there}: --force replaces it; nothing was written")));
    }
    let typed = ask::line(&format!("{}. Type y to replace it: ", super::safe::text(&there))).await?;
    if typed.trim() == "y" { Ok(()) } else { Err(CliError::Usage("not replaced; nothing was written".into())) }
}

async fn to_stdout(client: &Client, id: u64, report: &Report) -> Result<Outcome, CliError> {
    if report.raw && std::io::stdout().is_terminal() {
        return Err(CliError::Usage(
            "--raw is not written to a terminal, which would obey it: give --output FILE".into(),
        ));
    }
    let mut sink = out::stdout()?;
    client.report::<CliError>(id, report, async |piece| Ok(sink.write_all(piece.text.as_bytes())?)).await?;
    sink.flush()?;
    Ok(Outcome::Done)
}

async fn to_file(
    desk: &Desk<'_>,
    client: &Client,
    id: u64,
    report: &Report,
    (path, replace): (&Path, bool),
) -> Result<Outcome, CliError> {
    let written = client.export(id, report, path, replace, |_| {}).await.map_err(|error| match error {
        ExportError::Engine(error) => CliError::from(error),
        ExportError::Folder(_) => CliError::Usage(error.to_string()),
        // it came while the report was written
        ExportError::Exists(_) => CliError::Usage(format!("{error}: --force replaces it; nothing was written")),
        error => CliError::Tool(error.to_string()),
    })?;
    if desk.common.json {
        out::json_object(&serde_json::json!({
            "job": id, "path": written.path.display().to_string(), "format": report.format.word(),
            "devices": written.devices, "bytes": written.bytes,
        }))?;
    } else {
        let (devices, bytes) = (written.devices, written.bytes);
        out::say(format!("{}: job {id} as {}, {devices} devices, {bytes} bytes", path.display(), report.format.word()));
    }
    Ok(Outcome::Done)
}
