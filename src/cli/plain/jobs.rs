//! Jobs: listed, followed, read, and ended; ending one asks for the number of runs it ends. What comes after a job, and
//! what holds it, is next door.

use super::afterwards;
use super::talk::{Answer, Talk};
use crate::cli::follow::{Follow, follow};
use crate::cli::printer::{Style, Wanted, outcome, summary};
use crate::cli::{CliError, Desk, out};
use crate::client::{Asked, Client};
use crate::model::amounts as text;
use crate::model::job::{Job, JobSummary};
use crate::model::output::{Place, Seek, Which};
use crate::model::search::Pattern;
use crate::model::state::RunState;
use crate::model::wire::{Cancel, Stopping};

/// Lines found that are shown at a time.
const FOUND: usize = 50;

const READ: &str = "read or follow all output";
const ONE: &str = "output of one device";
const SEARCH: &str = "search the output";
const STATES: &str = "how each device ended, or is";
const GROUPS: &str = "groups of like ends: compare, note, acknowledge";
const REPORT: &str = "report: write it to a file";
const AGAIN: &str = "run it again on what it left";
const PAUSE: &str = "pause: send to nothing new";
const GO_ON: &str = "go on: it is paused";
const NEXT: &str = "start the ring that waits";
const WITHDRAW: &str = "withdraw what has not started";
const END: &str = "end it: what runs, too";

/// `12 disk-use.sh, done, 3 ok, 1 failed, on web, 2026-01-02 10:00`
pub fn line(job: &JobSummary) -> String {
    let (state, counts) = (job.state.word(), summary(&job.counts));
    format!("{} {}, {state}, {counts}, on {}, {}", job.id, job.script, job.target, out::moment(Some(job.created_at)))
}

pub async fn run(desk: &Desk<'_>, talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let jobs = client.jobs(super::JOBS).await?;
    if jobs.is_empty() {
        return talk.say("No jobs yet.");
    }
    let items: Vec<String> = jobs.iter().map(line).collect();
    let Answer::Given(at) = talk.choose("Which job? Newest first.", &items).await? else { return Ok(()) };
    let id = jobs[at].id;
    loop {
        let job = client.job(id).await?;
        let mut items = vec![READ, ONE, SEARCH, STATES, GROUPS, REPORT];
        let progress = &job.summary.progress;
        if job.summary.state.ended() {
            items.push(AGAIN);
        } else {
            items.extend(progress.asks.as_ref().map(|_| NEXT));
            items.extend([if progress.paused.is_some() { GO_ON } else { PAUSE }, WITHDRAW, END]);
        }
        let title = format!("Job {}", line(&job.summary));
        let Answer::Given(at) = talk.choose(&title, &super::words(&items)).await? else { return Ok(()) };
        match items[at] {
            READ => {
                let style = Style::Text { safe: true, labels: true };
                follow(Follow { client, id, style, wanted: Wanted::STATES }, &mut talk.interrupt).await?;
            }
            ONE => one(talk, client, &job).await?,
            SEARCH => search(talk, client, &job).await?,
            STATES => {
                for run in &job.runs {
                    talk.say(&format!("{}: {}", run.name, outcome(run)))?;
                }
            }
            GROUPS => afterwards::by_groups(desk, talk, client, id).await?,
            REPORT => afterwards::report(desk, talk, id).await?,
            AGAIN => return afterwards::again(talk, client, &job).await,
            PAUSE => afterwards::pause(talk, client, id).await?,
            GO_ON => afterwards::resume(talk, client, &job).await?,
            NEXT => afterwards::approve(talk, client, &job).await?,
            what => end(talk, client, &job, what == WITHDRAW).await?,
        }
    }
}

async fn one(talk: &mut Talk, client: &Client, job: &Job) -> Result<(), CliError> {
    let items: Vec<String> = job.runs.iter().map(|run| format!("{}: {}", run.name, outcome(run))).collect();
    let Answer::Given(at) = talk.choose("Which device?", &items).await? else { return Ok(()) };
    let devices = Some([job.runs[at].device.clone()].into());
    let wanted = Wanted { devices, which: Which::All, account: false, states: false };
    let style = Style::Text { safe: true, labels: false };
    follow(Follow { client, id: job.summary.id, style, wanted }, &mut talk.interrupt).await?;
    talk.say(&format!("({}: {})", job.runs[at].name, outcome(&job.runs[at])))
}

/// Lines that match, from the beginning on, a page at a time.
async fn search(talk: &mut Talk, client: &Client, job: &Job) -> Result<(), CliError> {
    let pattern = match talk.line("text to search for (re: begins a regular expression)").await? {
        Answer::Given(line) => Pattern::typed(&line),
        _ => None,
    };
    let Some(pattern) = pattern else { return talk.say("Nothing was searched for.") };
    if let Err(why) = pattern.compile() {
        return talk.say(&format!("{}: {why}", pattern.spelled()));
    }
    let id = job.summary.id;
    let mut asked = Asked {
        job: id,
        run: None,
        which: Which::All,
        seek: Seek::Start,
        before: 0,
        count: FOUND,
        pattern: Some(&pattern),
    };
    loop {
        let window = client.window(&asked).await?;
        let matching = window.matching.unwrap_or_default();
        if !matching.done {
            continue; // every question takes the search a step further
        }
        if asked.seek == Seek::Start {
            talk.say(&format!("{} of {} match", text::number(matching.lines, "line"), window.total_lines))?;
        }
        for line in &window.lines {
            let name = job.runs.get(line.run as usize).map_or("?", |run| run.name.as_str());
            talk.say(&format!("{name}: line {}: {}", line.number + 1, line.text))?;
        }
        let Some(last) = window.lines.last().filter(|_| !window.ends) else { return Ok(()) };
        match talk.line("enter shows more, b goes back").await? {
            Answer::Given(line) if line.trim().is_empty() => {}
            _ => return Ok(()),
        }
        asked.seek = Seek::Around(Place { line: last.number + 1, ..last.place() });
    }
}

async fn end(talk: &mut Talk, client: &Client, job: &Job, queued_only: bool) -> Result<(), CliError> {
    let id = job.summary.id;
    let reached = |state: RunState| if queued_only { state == RunState::Queued } else { !state.ended() };
    let count = job.runs.iter().filter(|run| reached(run.state)).count();
    if count == 0 {
        return talk.say("There is nothing left to end.");
    }
    let what = if queued_only { "not start" } else { "be ended; what they have changed stays changed" };
    talk.say(&format!("{count} of {} runs of job {id} will {what}.", job.runs.len()))?;
    match talk.confirm("Type that number to do it, anything else does nothing").await? {
        Answer::Given(line) if line.trim() == count.to_string() => {
            let stop = if queued_only { Stopping::Sending } else { Stopping::All };
            let done = client.cancel(id, &Cancel { devices: Vec::new(), stop }).await?;
            talk.say(&format!("job {id}: {}", done.says()))
        }
        _ => talk.say("Nothing was ended."),
    }
}
