//! The console a line at a time: numbered menus, changes of state as lines, and nothing that moves. For screen
//! readers, for terminals that can only print (`TERM=dumb`), and for scripts that answer on a pipe. Owns the menus;
//! what they do is what the verbs do. Refuses colour, the cursor, and any launch that was not confirmed in words.

mod afterwards;
mod jobs;
mod launch;
mod scripts;
mod talk;

use self::talk::{Answer, Talk};
use super::args::{ColorWhen, Common};
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

const RUN: &str = "run a script";
const WATCH: &str = "jobs: follow, read, search, groups, hold, run again, cancel";
const TARGETS: &str = "targets: what can be run on";
const SCRIPTS: &str = "scripts: read, versions, rename, delete";
const NEW: &str = "a new script from a template";
const DELETED: &str = "deleted scripts: bring one back";
const NOTICES: &str = "notices: what is wrong with settings and inventories";
const KEYS: &str = "help";
const QUIT: &str = "quit";
const MENU: &[&str] = &[RUN, WATCH, TARGETS, SCRIPTS, NEW, DELETED, NOTICES, KEYS, QUIT];

/// Talks until the operator quits, or nobody answers any more.
pub async fn run(desk: &Desk<'_>) -> Result<Outcome, CliError> {
    if desk.common.json {
        return Err(CliError::Usage("--plain talks to a person; for JSON use a verb (`quarterdeck help`)".into()));
    }
    // whatever a verb would colour
    let common = Common { json: false, no_input: true, color: Some(ColorWhen::Never), config: None };
    let desk = &Desk { common: &common, ..*desk };
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
            Answer::Given(choice) if MENU[choice] != QUIT => match act(desk, &mut talk, &client, MENU[choice]).await {
                Ok(()) => {}
                // Nobody reads any more; there is nobody to tell.
                Err(CliError::Stdout(error)) => return Err(CliError::Stdout(error)),
                Err(error) => talk.say(&format!("error: {error}"))?,
            },
            Answer::Quit | Answer::Given(_) => {
                farewell(&mut talk, &client).await?;
                return Ok(Outcome::Done);
            }
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

async fn act(desk: &Desk<'_>, talk: &mut Talk, client: &Client, what: &str) -> Result<(), CliError> {
    match what {
        RUN => launch::run(talk, client).await,
        WATCH => jobs::run(desk, talk, client).await,
        TARGETS => {
            let targets = client.targets().await?;
            list_targets(talk, &targets)
        }
        SCRIPTS => scripts::run(talk, client).await,
        NEW => scripts::new(talk, client).await,
        DELETED => scripts::deleted(talk, client).await,
        NOTICES => notices(desk, talk, client).await,
        _ => help(talk),
    }
}

/// All that was said at the start, and what is wrong now.
async fn notices(desk: &Desk<'_>, talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let (library, targets) = (client.library().await?, client.targets().await?);
    let warnings = targets.connections.iter().flat_map(|connection| &connection.warnings);
    let said = desk.settings.problems.iter().chain(&client.hello().notices);
    let all: Vec<&String> = said.chain(&library.warnings).chain(warnings).collect();
    if all.is_empty() {
        return talk.say("Nothing to report.");
    }
    all.into_iter().try_for_each(|notice| talk.say(&format!("notice: {notice}")))
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
