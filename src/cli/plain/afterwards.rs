//! What comes after a job, or while it waits: its groups, what is said of them, a comparison, a report, holding it and
//! letting it go, and running it again on what it left. Owns the questions; what they do is what the verbs do.

use super::launch;
use super::talk::{Answer, Talk};
use crate::cli::args::{Diff, Export};
use crate::cli::run::read_files;
use crate::cli::{CliError, Desk, diff, export, groups, remarks};
use crate::client::Client;
use crate::model::job::{Job, JobId};
use crate::model::plan::{PlanRequest, ScriptRef};
use crate::model::report::Format;
use crate::model::rollout::How;
use crate::model::target::{JobSet, Left};
use crate::model::triage::{Group, Remark, Subject};

const COMPARE: &str = "compare with what went well";
const NOTE: &str = "note: next week's same end carries it";
const ACK: &str = "acknowledge: somebody takes care of it";
const UNACK: &str = "acknowledge no longer";
const RUNBOOK: &str = "runbook: link it to one";

/// Every group of the job, then what can be done about one.
pub async fn by_groups(desk: &Desk<'_>, talk: &mut Talk, client: &Client, id: JobId) -> Result<(), CliError> {
    loop {
        let all = client.groups(id, false).await?;
        talk.say(&groups::text(&all))?;
        let said = |group: &Group| {
            let code = group.exit_code.map_or_else(String::new, |code| format!(" {code}"));
            format!("{} {}{code}, {} devices: {}", group.signature, group.state.word(), group.runs.len(), group.said())
        };
        let items: Vec<String> = all.groups.iter().map(said).collect();
        let Answer::Given(at) = talk.choose("Which group?", &items).await? else { return Ok(()) };
        one_group(desk, talk, client, id, &all.groups[at]).await?;
    }
}

async fn one_group(
    desk: &Desk<'_>,
    talk: &mut Talk,
    client: &Client,
    id: JobId,
    group: &Group,
) -> Result<(), CliError> {
    let ack = if group.remarks.acked.is_some() { UNACK } else { ACK };
    let items = [COMPARE, NOTE, ack, RUNBOOK];
    let Answer::Given(at) = talk.choose(&format!("Group {}", group.signature), &super::words(&items)).await? else {
        return Ok(());
    };
    let subject: Subject = match group.signature.parse() {
        Ok(subject) => subject,
        Err(_) => return talk.say("Of that group nothing can be said: it has no signature."),
    };
    let remark = match items[at] {
        COMPARE => {
            let group = vec![group.signature.clone()];
            let verb = Diff { id, other: None, device: Vec::new(), group, raw: false };
            return diff::run(desk, &verb).await.map(drop);
        }
        NOTE => match talk.line("note (empty: takes the one there is away)").await? {
            Answer::Given(line) => Remark::Note(line.trim().to_owned()),
            _ => return talk.say("Nothing was noted."),
        },
        RUNBOOK => match talk.line("link (empty: takes the one there is away)").await? {
            Answer::Given(line) => Remark::Runbook(line.trim().to_owned()),
            _ => return talk.say("Nothing was linked."),
        },
        _ => Remark::Ack(ack == ACK),
    };
    talk.say(&remarks::text(&client.remark(&subject, &remark).await?))
}

/// A new file: one that is there is left alone.
pub async fn report(desk: &Desk<'_>, talk: &mut Talk, id: JobId) -> Result<(), CliError> {
    let words: Vec<String> = Format::ALL.into_iter().map(|format| format.word().to_owned()).collect();
    let Answer::Given(at) = talk.choose("Which format?", &words).await? else { return Ok(()) };
    let file = match talk.line("a new file (b goes back)").await? {
        Answer::Given(line) if !matches!(line.trim(), "" | "b") => line.trim().to_owned(),
        _ => return talk.say("Nothing was written."),
    };
    let path = std::path::PathBuf::from(&file);
    if path.symlink_metadata().is_ok() {
        return talk.say(&format!("{file} is there already; nothing was written."));
    }
    let format = crate::cli::args::FormatWord::of(Format::ALL[at]);
    let verb = Export { id, format: Some(format), output: Some(path), force: false, raw: false, fields: Vec::new() };
    export::run(desk, &verb).await.map(drop)
}

pub async fn pause(talk: &mut Talk, client: &Client, id: JobId) -> Result<(), CliError> {
    let turned = client.pause(id).await?;
    talk.say(&format!("job {id}: {}", turned.says))
}

/// What is not sent to yet is sent to, so it is asked for in words.
pub async fn resume(talk: &mut Talk, client: &Client, job: &Job) -> Result<(), CliError> {
    let id = job.summary.id;
    talk.say(&format!("{} devices have not been sent to.", job.summary.counts.queued))?;
    match talk.confirm("Type yes to let it go on, anything else leaves it paused").await? {
        Answer::Given(line) if line.trim() == "yes" => {
            let mut turned = client.resume(id, false).await?;
            if !turned.questions.is_empty() {
                if launch::answers(talk, client, &turned.questions).await?.is_none() {
                    return Ok(());
                }
                turned = client.resume(id, true).await?;
            }
            talk.say(&format!("job {id}: {}", turned.says))
        }
        _ => talk.say("It stays paused."),
    }
}

pub async fn approve(talk: &mut Talk, client: &Client, job: &Job) -> Result<(), CliError> {
    let id = job.summary.id;
    let Some(asks) = &job.summary.progress.asks else { return talk.say("No ring waits.") };
    talk.say(&format!("Ring {} is {} devices; it waits because {}.", asks.ring, asks.devices, asks.why))?;
    match talk.confirm("Type that number of devices to start it, anything else leaves it waiting").await? {
        Answer::Given(line) if line.trim() == asks.devices.to_string() => {
            let turned = client.approve(id, Some(asks.ring)).await?;
            talk.say(&format!("job {id}: {}", turned.says))
        }
        _ => talk.say("It waits on."),
    }
}

/// The version and the parameters of the job, on what it left in one way.
pub async fn again(talk: &mut Talk, client: &Client, job: &Job) -> Result<(), CliError> {
    let id = job.summary.id;
    let left: Vec<(Left, usize)> =
        [Left::Failed, Left::Unknown, Left::NotStarted, Left::Offline, Left::Timeout, Left::Cancelled, Left::Ok]
            .into_iter()
            .map(|left| {
                let count = job.runs.iter().filter(|run| left.takes(run)).count();
                (left, count)
            })
            .filter(|(_, count)| *count > 0)
            .collect();
    let items: Vec<String> = left.iter().map(|(left, count)| format!("{}: {count} devices", left.word())).collect();
    let Answer::Given(at) = talk.choose("On which of its devices?", &items).await? else { return Ok(()) };
    let script = ScriptRef::Job(id);
    let info = client.lint(&script).await?.info;
    let secret = |name: &String| info.params.iter().any(|param| param.secret && param.name == *name);
    let params = job.params.iter().filter(|(name, _)| !secret(name)).cloned().collect();
    let Some(secrets) = launch::secrets(talk, &info).await? else { return Ok(()) };
    let mut request = PlanRequest {
        script,
        target: JobSet { job: id, left: left[at].0.clone() }.to_string(),
        params,
        secrets,
        files: Vec::new(),
        include: Vec::new(),
        dry_run: false,
        options: job.options.clone(),
        timeout_ms: job.timeout_ms,
        at_once: Some(job.at_once),
        how: How::default(),
    };
    read_files(&info.params, &mut request)?;
    launch::send(talk, client, request).await
}
