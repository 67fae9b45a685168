//! `jobs`: what was launched, how it goes, and ending it.

use super::args::Jobs as Verb;
use super::follow::{Follow, Interrupt, follow};
use super::printer::{Style, Wanted, outcome, summary};
use super::{CliError, Desk, Outcome, out, safe};
use crate::model::job::{Job, JobSummary};
use crate::model::wire::Cancel;

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let json = desk.common.json;
    match verb {
        Verb::Ls { limit } => {
            let jobs = client.jobs(*limit).await?;
            if json { out::json_list(&jobs)? } else { out::print(&job_table(&jobs))? }
        }
        Verb::Show { id } => {
            let job = client.job(*id).await?;
            if json { out::json_object(&job)? } else { out::print(&shown(&job))? }
        }
        Verb::Cancel { id, queued, devices } => {
            let what = Cancel { devices: devices.clone(), queued_only: *queued };
            let cancelled = client.cancel(*id, &what).await?;
            if json {
                out::json_object(&serde_json::json!({
                    "id": id, "withdrawn": cancelled.withdrawn, "ending": cancelled.ending,
                }))?;
            } else {
                let (withdrawn, ending) = (cancelled.withdrawn, cancelled.ending);
                out::print(&format!("job {id}: {withdrawn} withdrawn before they started, {ending} ending\n"))?;
            }
        }
        Verb::Attach { id } => {
            let style = if json { Style::Json } else { Style::Text { safe: true, labels: true } };
            let mut interrupt = Interrupt::listen()?;
            return follow(Follow { client: &client, id: *id, style, wanted: Wanted::ALL }, &mut interrupt).await;
        }
    }
    Ok(Outcome::Done)
}

fn job_table(jobs: &[JobSummary]) -> String {
    out::table(
        &["JOB", "LAUNCHED", "STATE", "SCRIPT", "RUNS", "TARGET"],
        jobs.iter().map(|job| {
            vec![
                job.id.to_string(),
                out::moment(Some(job.created_at)),
                job.state.word().to_owned(),
                job.script.clone(),
                summary(&job.counts),
                job.target.clone(),
            ]
        }),
    )
}

fn shown(job: &Job) -> String {
    let head = &job.summary;
    let mut text = format!("job {} {}: {}\n", head.id, head.state.word(), summary(&head.counts));
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<10}{}\n", safe::text(value)));
    line("script", &format!("{} (version {})", head.script, head.version));
    line("target", &head.target);
    for (name, value) in &job.params {
        line("param", &format!("{name}={value}"));
    }
    line("launched", &format!("{} by {}", out::moment(Some(head.created_at)), head.by));
    line("ended", &out::moment(head.finished_at));
    if let Some(reason) = &head.reason {
        line("reason", reason);
    }
    let mut runs: Vec<_> = job.runs.iter().collect();
    runs.sort_by_key(|run| (run.state.rank(), run.index));
    text.push('\n');
    text.push_str(&out::table(
        &["DEVICE", "STARTED", "ENDED", "BYTES", "OUTCOME"],
        runs.into_iter().map(|run| {
            vec![
                run.device.clone(),
                out::moment(run.started_at),
                out::moment(run.finished_at),
                run.bytes.to_string(),
                outcome(run),
            ]
        }),
    ));
    text
}
