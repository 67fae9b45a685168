//! `export`: a job as a file for others, or on stdout. A file is there whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::args::{Export as Verb, FormatWord};
use super::follow::Interrupt;
use super::{CliError, Desk, Outcome, ask, out};
use crate::client::Client;
use crate::model::report::{Format, Report};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let format = format_of(desk, verb)?;
    let report = Report::new(format, verb.raw, &verb.fields).map_err(CliError::Usage)?;
    let path = verb.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path
        && !verb.force
        && path.symlink_metadata().is_ok()
    {
        may_replace(desk, path).await?;
    }
    let client = desk.engine().await?;
    let mut interrupt = Interrupt::listen()?;
    let work = async {
        match path {
            None => to_stdout(&client, verb.id, &report).await,
            Some(path) => to_file(desk, &client, verb.id, &report, path).await,
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
    client.report::<CliError>(id, report, async |text| Ok(sink.write_all(text.as_bytes())?)).await?;
    sink.flush()?;
    Ok(Outcome::Done)
}

/// Takes an unfinished file away, unless it got its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn to_file(desk: &Desk<'_>, client: &Client, id: u64, report: &Report, path: &Path) -> Result<Outcome, CliError> {
    let failed = |error: std::io::Error| {
        CliError::Tool(format!("cannot write {}: {error}; nothing was written", path.display()))
    };
    if path.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder: give a file's name", path.display())));
    }
    // through a link, to where it leads: the link itself is somebody's wish
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{:08x}", fastrand::u32(..)));
    let unfinished = Unfinished(target.with_file_name(name));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished.0).map_err(failed)?;
    let mut sink = BufWriter::with_capacity(128 << 10, file);
    let mut bytes = 0;
    let devices = client
        .report::<CliError>(id, report, async |text| {
            bytes += text.len();
            sink.write_all(text.as_bytes()).map_err(failed)
        })
        .await?;
    let file = sink.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    fs::rename(&unfinished.0, &target).map_err(failed)?;
    if desk.common.json {
        out::json_object(&serde_json::json!({
            "job": id, "path": target.display().to_string(), "format": report.format.word(), "devices": devices,
            "bytes": bytes,
        }))?;
    } else {
        out::say(format!("{}: job {id} as {}, {devices} devices, {bytes} bytes", path.display(), report.format.word()));
    }
    Ok(Outcome::Done)
}
