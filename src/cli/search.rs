//! `search JOB TEXT`: lines of a job's outputs that match, as `grep` would print them; what the engine keeps is searched
//! there. Over past jobs it is `past`'s affair.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::args::{Search as Verb, Sought};
use super::follow::Interrupt;
use super::out::{self, SCHEMA_VERSION, Sink};
use super::{CliError, Desk, Outcome, past, safe};
use crate::client::{Asked, Client};
use crate::model::job::{Job, Run};
use crate::model::output::{Line, Matching, Place, Seek};

/// Lines asked for at a time.
const PAGE: usize = 2_000;

#[derive(Serialize)]
struct Match<'a> {
    schema_version: u32,
    event: &'static str,
    device: &'a str,
    stream: &'static str,
    /// From 1, as `output` would number it.
    line: u64,
    at: jiff::Timestamp,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<u64>,
}

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let (id, pattern) = match past::with_here(|here| verb.sought(here))? {
        Sought::Past(asked) => return past::run(desk, &asked).await,
        Sought::Lines { job, pattern } => (job, pattern),
    };
    let client = desk.engine().await?;
    let job = client.job(id).await?;
    let run = match &verb.device {
        Some(device) => Some(named(&job, device)?.index),
        None => None,
    };
    let mut interrupt = Interrupt::listen()?;
    let work = async {
        let asked = Asked {
            job: id,
            run,
            which: verb.stream.which(),
            seek: Seek::Start,
            before: 0,
            count: 0,
            pattern: Some(&pattern),
        };
        let found = whole(&client, &asked).await?;
        if verb.count {
            count(desk, &client, &job, &asked, found).await?;
        } else {
            lines(desk, &client, &job, &asked).await?;
        }
        Ok(if found.lines > 0 { Outcome::Done } else { Outcome::Nothing })
    };
    tokio::select! {
        done = work => done,
        () = interrupt.pressed() => Ok(Outcome::Interrupted),
    }
}

fn named<'a>(job: &'a Job, device: &str) -> Result<&'a Run, CliError> {
    let found: Vec<&Run> = job.runs.iter().filter(|run| run.device == device || run.name == device).collect();
    match found.as_slice() {
        [run] => Ok(run),
        [] => Err(CliError::Usage(format!("job {} did not run on {device}", job.summary.id))),
        many => {
            let ids: Vec<&str> = many.iter().map(|run| run.device.as_str()).collect();
            Err(CliError::Usage(format!("{device} is ambiguous in job {}: {}", job.summary.id, ids.join(", "))))
        }
    }
}

/// Searched to the end, step by step; a long one says how far it is.
async fn whole(client: &Client, asked: &Asked<'_>) -> Result<Matching, CliError> {
    let mut said = false;
    loop {
        let matching = client.window(asked).await?.matching.unwrap_or_default();
        if matching.done {
            if said {
                out::say("quarterdeck: searched everything");
            }
            return Ok(matching);
        }
        if std::io::stderr().is_terminal() && !said {
            let percent = matching.searched * 100 / matching.total.max(1);
            out::say(format!("quarterdeck: searching, {percent}% so far"));
            said = true;
        }
    }
}

async fn count(
    desk: &Desk<'_>,
    client: &Client,
    job: &Job,
    asked: &Asked<'_>,
    found: Matching,
) -> Result<(), CliError> {
    let runs: Vec<(&Run, u64)> = match (asked.run, asked.pattern) {
        (Some(run), _) => job.runs.get(run as usize).map(|run| (run, found.lines)).into_iter().collect(),
        (None, Some(pattern)) => {
            let all = client.search(asked.job, pattern, asked.which, 0).await?;
            all.by_run.iter().filter_map(|one| Some((job.runs.get(one.run as usize)?, one.lines))).collect()
        }
        (None, None) => Vec::new(),
    };
    if desk.common.json {
        let devices: Vec<_> =
            runs.iter().map(|(run, lines)| serde_json::json!({"device": run.device, "lines": lines})).collect();
        out::json_object(&serde_json::json!({"job": asked.job, "lines": found.lines, "devices": devices}))?;
    } else {
        let text: String = runs.iter().map(|(run, lines)| format!("{}: {lines}\n", safe::text(&run.device))).collect();
        out::print(&text)?;
    }
    Ok(())
}

async fn lines(desk: &Desk<'_>, client: &Client, job: &Job, asked: &Asked<'_>) -> Result<(), CliError> {
    let mut sink = out::stdout()?;
    let mut asked = Asked { count: PAGE, ..*asked };
    loop {
        let window = client.window(&asked).await?;
        for line in &window.lines {
            print(desk, job, &asked, line, &mut sink)?;
        }
        match window.lines.last() {
            Some(last) if !window.ends => asked.seek = Seek::Around(Place { line: last.number + 1, ..last.place() }),
            _ => break,
        }
    }
    Ok(sink.flush()?)
}

fn print(desk: &Desk<'_>, job: &Job, asked: &Asked<'_>, line: &Line, sink: &mut Sink) -> Result<(), CliError> {
    let device = job.runs.get(line.run as usize).map_or("?", |run| run.device.as_str());
    if desk.common.json {
        let found = Match {
            schema_version: SCHEMA_VERSION,
            event: "match",
            device,
            stream: line.stream.word(),
            line: line.number + 1,
            at: line.at,
            text: &line.text,
            cut: (line.cut > 0).then_some(line.cut),
        };
        out::json_to(sink, &found).map_err(std::io::Error::from)?;
        sink.write_all(b"\n")?;
        return Ok(());
    }
    let mut shown = Vec::new();
    if asked.run.is_none() {
        shown.extend_from_slice(safe::text(device).as_bytes());
        shown.extend_from_slice(b": ");
    }
    if out::on_terminal() {
        safe::line(line.text.as_bytes(), &mut shown);
    } else {
        shown.extend_from_slice(line.text.as_bytes());
    }
    shown.push(b'\n');
    Ok(sink.write_all(&shown)?)
}
