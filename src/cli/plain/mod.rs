//! The console a line at a time: numbered menus, changes of state as lines, and nothing that moves. For screen
//! readers, for terminals that can only print (`TERM=dumb`), and for scripts that answer on a pipe. Owns the menus;
//! what they do is what the verbs do. Refuses colour, the cursor, and any launch that was not confirmed in words.

mod jobs;
mod launch;
mod talk;

use self::talk::{Answer, Talk};
use super::{CliError, Desk, Outcome};
use crate::client::Client;
use crate::model::job::JobSummary;
use crate::model::wire::Targets;

/// Jobs that are listed.
const JOBS: usize = 50;

const HELP: &[&str] = &[
    "A menu is answered by a number, or by the beginning of what it says. Then press enter.",
    "  /word   only the entries with that word",
    "  m       more entries",
    "  b       back, without doing anything; an empty line does the same in a menu",
    "  h       this help",
    "  q       quit: jobs go on",
    "^c leaves what you are doing and returns to the main menu; it never touches a job.",
    "Nothing is sent to a device before you have typed the number of devices, or yes for a few.",
    "A target expression names devices: web01, web[01-40], a group, os:debian, os<14.6, a & b, a | b, !a, @all, local.",
    "The same without questions: quarterdeck run SCRIPT --target EXPR --wait. All verbs: quarterdeck help.",
];

const MENU: &[&str] = &[
    "run a script",
    "jobs: follow, read, cancel",
    "targets: what can be run on",
    "scripts: look at one",
    "help",
    "quit",
];

/// Talks until the operator quits, or nobody answers any more.
pub async fn run(desk: &Desk<'_>) -> Result<Outcome, CliError> {
    if desk.common.json {
        return Err(CliError::Usage("--plain talks to a person; for JSON use a verb (`quarterdeck help`)".into()));
    }
    let mut talk = Talk::begin()?;
    talk.say(&format!("Quarterdeck {}, a line at a time. h is help, q quits.", env!("CARGO_PKG_VERSION")))?;
    let client = desk.engine().await?;
    for problem in desk.settings.problems.iter().chain(&client.hello().notices) {
        talk.say(&format!("notice: {problem}"))?;
    }
    let mut leaving = false;
    loop {
        situation(&mut talk, &client).await?;
        match talk.choose("What now?", &words(MENU)).await? {
            Answer::Gone => return Ok(Outcome::Done),
            Answer::Interrupted if leaving => return Ok(Outcome::Interrupted),
            Answer::Interrupted => {
                leaving = true;
                talk.say("^c again quits; jobs go on.")?;
                continue;
            }
            Answer::Back => talk.say("This is the top; q quits.")?,
            Answer::Quit | Answer::Given(5) => {
                farewell(&mut talk, &client).await?;
                return Ok(Outcome::Done);
            }
            Answer::Given(choice) => match act(&mut talk, &client, choice).await {
                Ok(()) => {}
                // Nobody reads any more; there is nobody to tell.
                Err(CliError::Stdout(error)) => return Err(CliError::Stdout(error)),
                Err(error) => talk.say(&format!("error: {error}"))?,
            },
        }
        leaving = false;
    }
}

fn words(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// What runs, in a line, before each question of the main menu.
async fn situation(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let jobs = client.jobs(JOBS).await?;
    let live: Vec<&JobSummary> = jobs.iter().filter(|job| !job.state.ended()).collect();
    for job in &live {
        talk.say(&format!("running: {}", jobs::line(job)))?;
    }
    Ok(())
}

async fn farewell(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let jobs = client.jobs(JOBS).await.unwrap_or_default();
    for job in jobs.iter().filter(|job| !job.state.ended()) {
        talk.say(&format!("job {} goes on: quarterdeck jobs attach {}", job.id, job.id))?;
    }
    Ok(())
}

async fn act(talk: &mut Talk, client: &Client, choice: usize) -> Result<(), CliError> {
    match choice {
        0 => launch::run(talk, client).await,
        1 => jobs::run(talk, client).await,
        2 => {
            let targets = client.targets().await?;
            list_targets(talk, &targets)?;
            Ok(())
        }
        3 => look(talk, client).await,
        _ => help(talk),
    }
}

pub(super) fn help(talk: &mut Talk) -> Result<(), CliError> {
    HELP.iter().try_for_each(|line| talk.say(line))
}

/// Connections, groups, and how many devices each holds.
fn list_targets(talk: &mut Talk, targets: &Targets) -> Result<(), CliError> {
    for connection in &targets.connections {
        talk.say(&format!("connection {}: {} devices", connection.name, connection.devices))?;
        for warning in &connection.warnings {
            talk.say(&format!("  notice: {warning}"))?;
        }
    }
    for group in &targets.groups {
        talk.say(&format!("group {}: {} devices", group.name, group.devices.len()))?;
    }
    for device in targets.devices.iter().take(talk::PAGE) {
        talk.say(&format!("device {}: {}", device.id, device.state.word()))?;
    }
    if targets.devices.len() > talk::PAGE {
        talk.say(&format!("and {} more devices: quarterdeck targets ls", targets.devices.len() - talk::PAGE))?;
    }
    Ok(())
}

/// The text of a script, and what lint says of it.
async fn look(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let Some(info) = launch::pick_script(talk, client).await? else { return Ok(()) };
    let script = client.script(&info.name).await?;
    for (number, line) in script.text.lines().enumerate() {
        talk.say(&format!("{:>4}  {line}", number + 1))?;
    }
    for finding in &script.findings {
        talk.say(&format!("line {}: {} ({})", finding.line, finding.text, finding.code))?;
    }
    Ok(())
}
