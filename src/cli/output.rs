//! `output`: the bytes of a job's runs as they were.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use futures::StreamExt;

use super::args::Output as Verb;
use super::follow::{Follow, Interrupt, follow};
use super::out::Sink;
use super::printer::{Printer, Style, Wanted};
use super::safe::Chunks;
use super::{CliError, Desk, Outcome, out};
use crate::client::Client;
use crate::model::device::{Device, Inventory};
use crate::model::job::{Job, Run};
use crate::model::output::{Stream, Which};
use crate::model::target::{self, Sets};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let which = verb.stream.which();
    let job = client.job(verb.id).await?;
    let devices = verb.device.as_deref().map(|device| meant(&job, device)).transpose()?;
    let wanted = Wanted { which, devices, account: false, states: false };
    let runs: Vec<&Run> = job.runs.iter().filter(|run| wanted.device(run)).collect();
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

/// The ids of the job's devices that are meant: the one of exactly this name, else what a target expression of it means
/// among them.
fn meant(job: &Job, text: &str) -> Result<BTreeSet<String>, CliError> {
    let id = job.summary.id;
    let exact: BTreeSet<String> =
        job.runs.iter().filter(|run| run.device == text || run.name == text).map(|run| run.device.clone()).collect();
    match exact.len() {
        0 => {}
        1 => return Ok(exact),
        _ => {
            let ids = Vec::from_iter(exact).join(", ");
            return Err(CliError::Usage(format!("{text} is ambiguous in job {id}: {ids}")));
        }
    }
    let device = |run: &Run| Device { id: run.device.clone(), ..Device::new(run.connection(), &run.name) };
    let devices = job.runs.iter().map(|run| Arc::new(device(run))).collect();
    let among = Inventory { devices, ..Inventory::default() };
    let found = target::parse(text).and_then(|expression| {
        let found = expression.resolve(&among, &Sets::new())?;
        Ok(found.into_iter().map(|device| device.id.clone()).collect::<BTreeSet<_>>())
    });
    match found {
        Ok(found) if found.is_empty() => Err(CliError::Usage(format!("job {id} did not run on {text}"))),
        Ok(found) => Ok(found),
        Err(why) => Err(CliError::Usage(format!("job {id} did not run on {text}: {why}"))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::JobSummary;
    use crate::model::state::{Counts, JobState};

    fn said(devices: &[(&str, &str)], text: &str) -> String {
        let runs = (0..).zip(devices).map(|(at, (id, name))| Run::queued(at, id, name)).collect();
        let job = Job::sample(JobSummary::sample(12, JobState::Done, Counts::default()), runs);
        match meant(&job, text) {
            Ok(found) => Vec::from_iter(found).join(" "),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_device_is_named_exactly_or_by_an_expression_among_those_of_the_job() {
        let all = [("ssh:web1", "web1"), ("ssh:web2", "web2"), ("lab:web2", "web2"), ("ssh:a b*", "a b*")];
        for (text, expected) in [
            ("web1", "ssh:web1"),
            ("ssh:web2", "ssh:web2"),
            ("a b*", "ssh:a b*"),
            ("web[1-2]", "lab:web2 ssh:web1 ssh:web2"),
            ("ssh:web*", "ssh:web1 ssh:web2"),
            ("ssh:web[1-2] & !web1", "ssh:web2"),
            ("web2", "web2 is ambiguous in job 12: lab:web2, ssh:web2"),
            ("web1 & lab", "job 12 did not run on web1 & lab"),
        ] {
            assert_eq!(said(&all, text), expected, "{text}");
        }
        for (text, expected) in [("web9", "is named 'web9'"), ("web[1-3]", "'web3' (1 of 3)"), ("db*", "matches 'db*'")]
        {
            let refused = said(&all, text);
            assert!(refused.starts_with(&format!("job 12 did not run on {text}: ")), "{refused}");
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
