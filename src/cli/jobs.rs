//! `jobs`: what was launched, how it goes, and ending it.

use super::args::Jobs as Verb;
use super::follow::{Follow, Interrupt, follow};
use super::printer::{Style, Wanted, outcome, summary};
use super::run::answer;
use super::{CliError, Desk, Outcome, ask, out, safe, say};
use crate::client::Client;
use crate::model::job::{Job, JobId, JobSummary, Run};
use crate::model::rows::{Jobs, Runs};
use crate::model::wire::{Cancel, Turned};

/// Jobs looked through for a filter.
const SEARCHED: usize = 10_000;

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let json = desk.common.json;
    match verb {
        Verb::Ls { limit, sift } => {
            // What is hidden does not count towards the limit.
            let read = if sift.filter.is_some() || sift.sort.is_some() { SEARCHED.max(*limit) } else { *limit };
            let jobs = client.jobs(read).await?;
            let rows = Jobs { all: &jobs, now: jiff::Timestamp::now() };
            let mut order = sift.rows(&rows)?;
            order.truncate(*limit);
            if json {
                out::json_list(&sift.objects(&jobs, &rows, &order)?)?;
            } else {
                let own = || job_table(order.iter().map(|at| &jobs[*at]));
                out::print(&sift.table(&rows, &order)?.unwrap_or_else(own))?;
            }
        }
        Verb::Show { id, sift } => {
            let job = client.job(*id).await?;
            let rows = Runs { all: &job.runs, now: jiff::Timestamp::now() };
            let mut order = sift.rows(&rows)?;
            if json {
                let mut whole = serde_json::to_value(&job).map_err(|error| CliError::Tool(error.to_string()))?;
                whole["runs"] = sift.objects(&job.runs, &rows, &order)?.into();
                out::json_object(&whole)?;
            } else {
                if sift.sort.is_none() {
                    order.sort_by_key(|at| (job.runs[*at].state.rank(), job.runs[*at].index));
                }
                let own = || run_table(order.iter().map(|at| &job.runs[*at]));
                let runs = sift.table(&rows, &order)?.unwrap_or_else(own);
                let hidden = job.runs.len() - order.len();
                let said = if hidden > 0 {
                    format!("{} of {} runs, hiding {hidden}\n\n", order.len(), job.runs.len())
                } else {
                    String::new()
                };
                out::print(&format!("{}\n{said}{runs}", head(&job)))?;
            }
        }
        Verb::Stop { id, how, devices } => {
            let what = Cancel { devices: devices.clone(), stop: how.stop() };
            beforehand(&client, *id).await?;
            let done = client.cancel(*id, &what).await?;
            if json {
                let mut whole = serde_json::to_value(&done).map_err(|error| CliError::Tool(error.to_string()))?;
                whole["id"] = (*id).into();
                out::json_object(&whole)?;
            } else {
                out::print(&format!("job {id}: {}\n", safe::text(&done.says())))?;
            }
        }
        Verb::Pause { id } => {
            beforehand(&client, *id).await?;
            turned(json, &client.pause(*id).await?)?;
        }
        Verb::Resume { id, anyway } => {
            beforehand(&client, *id).await?;
            let mut answered = client.resume(*id, *anyway).await?;
            if !answered.questions.is_empty() {
                answer(&client, &answered.questions, ask::may_ask(desk.common.no_input)).await?;
                answered = client.resume(*id, true).await?;
            }
            turned(json, &answered)?;
        }
        Verb::Approve { id, ring } => {
            beforehand(&client, *id).await?;
            turned(json, &client.approve(*id, *ring).await?)?;
        }
        Verb::Import { connection } => return import(&client, connection, json).await,
        Verb::Attach { id } => {
            let style = if json { Style::Json } else { Style::Text { safe: true, labels: true } };
            let mut interrupt = Interrupt::listen()?;
            return follow(Follow { client: &client, id: *id, style, wanted: Wanted::ALL }, &mut interrupt).await;
        }
    }
    Ok(Outcome::Done)
}

/// Between two looks at how far it has come.
const LOOK: std::time::Duration = std::time::Duration::from_millis(300);

/// Waits until all is brought in, telling how far it has come.
async fn import(client: &Client, connection: &str, json: bool) -> Result<Outcome, CliError> {
    let mut now = client.import(connection).await?;
    let mut told = String::new();
    while now.going {
        let says = now.says();
        if says != told {
            say(safe::text(&says));
            told = says;
        }
        tokio::time::sleep(LOOK).await;
        now = client.imported(connection).await?;
    }
    if json {
        out::json_object(&now)?;
    } else if now.problem.is_none() {
        out::print(&format!("{}\n", safe::text(&now.says())))?;
    }
    match &now.problem {
        Some(_) => Err(CliError::Tool(safe::text(&now.says()))),
        None => Ok(Outcome::Done),
    }
}

/// What can still be reached, before anything is done to it.
async fn beforehand(client: &Client, id: JobId) -> Result<(), CliError> {
    let job = client.job(id).await?.summary;
    if !job.state.ended() {
        let counts = &job.counts;
        let (queued, sent, running) = (counts.queued, counts.sent, counts.running);
        say(format!(
            "quarterdeck: job {id}: {queued} not sent to, {sent} sent, {running} running, {} ended",
            counts.ended()
        ));
    }
    Ok(())
}

fn turned(json: bool, turned: &Turned) -> Result<(), CliError> {
    if json {
        let whole = serde_json::to_value(turned).map_err(|error| CliError::Tool(error.to_string()))?;
        return Ok(out::json_object(&whole)?);
    }
    Ok(out::print(&format!("job {}: {}\n", turned.job.id, safe::text(&turned.says)))?)
}

fn job_table<'a>(jobs: impl Iterator<Item = &'a JobSummary>) -> String {
    out::table(
        &["JOB", "LAUNCHED", "STATE", "SCRIPT", "RUNS", "TARGET"],
        jobs.map(|job| {
            vec![
                job.id.to_string(),
                out::moment(Some(job.created_at)),
                job.word().to_owned(),
                job.script.clone(),
                summary(&job.counts),
                job.target.clone(),
            ]
        }),
    )
}

fn head(job: &Job) -> String {
    let head = &job.summary;
    let mut text = format!("job {} {}: {}\n", head.id, head.word(), summary(&head.counts));
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<10}{}\n", safe::text(value)));
    line("script", &format!("{} (version {})", head.script, head.version));
    line("target", &head.target);
    if let Some(origin) = &head.origin {
        let (system, number) = origin.split_once(':').unwrap_or(("", origin));
        line("run by", &format!("{system} itself, its job {number}: brought in from there"));
    }
    if let Some(parent) = head.parent {
        line("retry of", &format!("job {parent}"));
    }
    for (name, value) in &job.params {
        line("param", &format!("{name}={value}"));
    }
    for (name, value) in &job.options {
        line("option", &format!("{name}={value}"));
    }
    line("launched", &format!("{} by {}", out::moment(Some(head.created_at)), head.by));
    line("ended", &out::moment(head.finished_at));
    let progress = &head.progress;
    if progress.rings > 0 {
        line("ring", &format!("{} of {}", progress.ring.max(1), progress.rings));
    }
    if let Some(stop_at) = progress.stop_at {
        line("budget", &format!("{} bad, stops at {stop_at}", progress.bad));
    }
    if let Some(paused) = &progress.paused {
        let since = out::moment(Some(paused.at));
        line("paused", &format!("{}; since {since}; go on: jobs resume {}", paused.says(), head.id));
    }
    if let Some(asks) = &progress.asks {
        let go = format!("jobs approve {} --ring {}", head.id, asks.ring);
        line("asks", &format!("{}; ring {} ({} devices) waits: {go}", asks.why, asks.ring, asks.devices));
    }
    if let Some(reason) = &head.reason {
        line("reason", reason);
    }
    text
}

fn run_table<'a>(runs: impl Iterator<Item = &'a Run>) -> String {
    out::table(
        &["DEVICE", "STARTED", "ENDED", "BYTES", "OUTCOME"],
        runs.map(|run| {
            vec![
                run.device.clone(),
                out::moment(run.started_at),
                out::moment(run.finished_at),
                run.bytes.to_string(),
                outcome(run),
            ]
        }),
    )
}
