//! `output`: the bytes of a job's runs as they were.

use std::io::Write;

use futures::StreamExt;

use super::args::Output as Verb;
use super::follow::{Follow, Interrupt, follow};
use super::out::Sink;
use super::printer::{Printer, Style, Wanted};
use super::safe::Chunks;
use super::{CliError, Desk, Outcome, out};
use crate::client::Client;
use crate::model::job::{Job, Run};
use crate::model::output::{Stream, Which};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let which = verb.stream.which();
    let job = client.job(verb.id).await?;
    let wanted = Wanted { which, device: verb.device.clone(), account: false, states: false };
    let runs: Vec<&Run> = job.runs.iter().filter(|run| wanted.device(run)).collect();
    match (runs.as_slice(), &verb.device) {
        ([], Some(device)) => return Err(CliError::Usage(format!("job {} did not run on {device}", verb.id))),
        ([_, _, ..], Some(device)) => {
            let ids: Vec<&str> = runs.iter().map(|run| run.device.as_str()).collect();
            let ids = ids.join(", ");
            return Err(CliError::Usage(format!("{device} is ambiguous in job {}: {ids}", verb.id)));
        }
        _ => {}
    }
    let safe = out::on_terminal() && !verb.raw;
    match runs.as_slice() {
        _ if desk.common.json && (verb.follow || job.summary.state.ended()) => {
            let mut interrupt = Interrupt::listen()?;
            follow(Follow { client: &client, id: verb.id, style: Style::Json, wanted }, &mut interrupt).await
        }
        _ if desk.common.json => {
            objects(&client, &job, &runs, wanted).await?;
            Ok(Outcome::Done)
        }
        [run] => {
            let mut sink = out::stdout()?;
            bytes(&client, verb, run, which, safe, &mut sink).await?;
            Ok(Outcome::Done)
        }
        _ if verb.raw => {
            let mut sink = out::stdout()?;
            for run in runs {
                bytes(&client, verb, run, which, false, &mut sink).await?;
            }
            Ok(Outcome::Done)
        }
        _ if verb.follow => {
            let mut interrupt = Interrupt::listen()?;
            follow(
                Follow { client: &client, id: verb.id, style: Style::Text { safe, labels: true }, wanted },
                &mut interrupt,
            )
            .await
        }
        _ => {
            labelled(&client, &job, &runs, wanted, safe).await?;
            Ok(Outcome::Done)
        }
    }
}

/// One run's bytes.
async fn bytes(
    client: &Client,
    verb: &Verb,
    run: &Run,
    which: Which,
    safe: bool,
    sink: &mut Sink,
) -> Result<(), CliError> {
    let mut stream = client.output(verb.id, run.index, which, verb.follow).await?;
    let (mut chunks, mut shown) = (Chunks::default(), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if safe {
            shown.clear();
            chunks.push(&chunk, &mut shown);
            sink.write_all(&shown)?;
        } else {
            sink.write_all(&chunk)?;
        }
        if verb.follow {
            sink.flush()?;
        }
    }
    shown.clear();
    chunks.finish(&mut shown);
    sink.write_all(&shown)?;
    sink.flush()?;
    Ok(())
}

/// Every run's output in order, each line with its device before it, all on stdout: it is the data that was asked for.
async fn labelled(client: &Client, job: &Job, runs: &[&Run], wanted: Wanted, safe: bool) -> Result<(), CliError> {
    let id = job.summary.id;
    let which = wanted.which;
    let mut printer: Printer = Printer::to(Style::Text { safe, labels: true }, wanted, id, out::stdout()?, None);
    printer.start(job.clone());
    for run in runs {
        let mut stream = client.output(id, run.index, which, false).await?;
        while let Some(chunk) = stream.next().await {
            // Which of the two streams no longer matters: `which` has chosen, the order is that of arrival.
            let stream = if which == Which::Err { Stream::Err } else { Stream::Out };
            printer.output(run.index, stream, &chunk?)?;
        }
        printer.close(run.index)?;
    }
    printer.flush()?;
    Ok(())
}

/// What a job that still runs has printed so far, as JSON: per run its stdout, then its stderr. (Told apart, the two
/// come from the engine one after the other; `--follow`, or the job's end, gives them in order of arrival.)
async fn objects(client: &Client, job: &Job, runs: &[&Run], wanted: Wanted) -> Result<(), CliError> {
    let id = job.summary.id;
    let which = wanted.which;
    let mut printer: Printer = Printer::to(Style::Json, wanted, id, out::stdout()?, None);
    printer.job(&job.summary)?;
    printer.start(job.clone());
    for run in runs {
        for (one, stream) in [(Which::Out, Stream::Out), (Which::Err, Stream::Err)] {
            if !which.takes(stream) {
                continue;
            }
            let mut bytes = client.output(id, run.index, one, false).await?;
            while let Some(chunk) = bytes.next().await {
                printer.output(run.index, stream, &chunk?)?;
            }
        }
        printer.close(run.index)?;
    }
    printer.flush()?;
    Ok(())
}
