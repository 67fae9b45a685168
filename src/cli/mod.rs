//! The verbs: one file per verb group. They know the engine only through `client`.
//! Data goes to stdout, messages to stderr; what a verb came to is an [`Outcome`] or a [`CliError`], and only `main`
//! makes exit codes of them.

pub mod args;
mod ask;
mod audit;
mod config;
mod diff;
mod doctor;
mod export;
mod follow;
mod groups;
mod jobs;
pub mod keys;
mod lines;
mod out;
mod output;
mod past;
mod plain;
mod planned;
pub mod printer;
mod regroup;
mod remarks;
mod rerun;
pub mod rollout;
mod run;
mod safe;
mod scripts;
mod search;
pub mod serve;
mod shelf;
mod sift;
mod targets;
mod tokens;
mod words;

use std::io;

use args::{Cli, Common, Verb};

use crate::client::{Client, ClientError};
use crate::model::connection::{Connection, Held};
use crate::model::device::Inventory;
use crate::model::state::Counts;
use crate::model::wire::{Code, Step};
use crate::settings::Settings;

pub use out::say;

/// What a verb came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The runs that were waited for ended like this.
    Runs(Counts),
    /// The job stopped by itself: too much went wrong.
    Stopped,
    /// Searched, and not found.
    Nothing,
    /// What was examined is not fine; it has been said.
    Unwell,
    /// What was asked about is wrong (a broken configuration, an expression); it has been said.
    Wrong,
    /// ^C: the job keeps running.
    Interrupted,
    /// Whoever read stdout has gone (`| head`): no failure, and nothing to say.
    Unread,
}

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Asked wrongly, or not confirmed.
    #[error("{0}")]
    Usage(String),
    /// The engine refused or could not be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something here failed.
    #[error("{0}")]
    Tool(String),
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] io::Error),
}

/// The kinds of failure that exit codes tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Tool,
    Usage,
    Denied,
}

impl CliError {
    fn tool(doing: &str, error: &io::Error) -> Self {
        Self::Tool(format!("{doing}: {error}"))
    }

    pub fn fault(&self) -> Fault {
        match self {
            CliError::Usage(_) => Fault::Usage,
            CliError::Client(ClientError::Refused(problem)) => match problem.code {
                Code::Invalid | Code::NotFound | Code::Unconfirmed => Fault::Usage,
                Code::Refused => Fault::Denied,
                Code::Stale | Code::Internal => Fault::Tool,
            },
            CliError::Client(_) | CliError::Tool(_) | CliError::Stdout(_) => Fault::Tool,
        }
    }
}

/// A verb's surroundings.
struct Desk<'a> {
    settings: &'a Settings,
    common: &'a Common,
    others: &'a Others<'a>,
}

/// What the files say that the connections name, and the devices that are known thereby.
pub type Files = dyn Fn(&[Connection]) -> (Vec<Held>, Inventory);

/// What a verb tells that other rooms know.
pub struct Others<'a> {
    /// What the terminal can do, which the console knows.
    pub terminal: &'a dyn Fn(&Settings) -> Vec<Step>,
    /// What the files of the connections hold and which devices are known thereby, which the connectors know.
    pub files: &'a Files,
}

impl Desk<'_> {
    async fn engine(&self) -> Result<Client, CliError> {
        let client = Client::attach(&self.settings.paths).await?;
        if let Some(why) = client.stale(&self.settings.paths) {
            say(format!("quarterdeck: {why}"));
        }
        Ok(client)
    }

    /// What the engine found wrong, said where it bears on which devices are meant (a broken inventory…).
    fn notices(&self, client: &Client) {
        for notice in client.hello().notices.iter().filter(|notice| !self.settings.problems.contains(notice)) {
            say(format!("quarterdeck: {notice}"));
        }
    }

    /// What is wrong with the configuration, said before the verb acts on the rest of it.
    fn warn(&self) {
        for problem in &self.settings.problems {
            say(format!("quarterdeck: {problem}"));
        }
    }
}

/// Runs a verb that talks to the engine or to nobody; without one, the console a line at a time. (`serve`, `keys`, and
/// the console with a screen are `main`'s affair.)
pub fn run(settings: &Settings, cli: &Cli, others: &Others<'_>) -> Result<Outcome, CliError> {
    let desk = Desk { settings, common: &cli.common, others };
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::tool("cannot start", &error))
        .and_then(|runtime| {
            let done = runtime.block_on(act(&desk, cli));
            runtime.shutdown_background(); // the job is over, so is this process: nothing to wait for
            done
        });
    match done {
        Err(CliError::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Unread),
        done => done,
    }
}

async fn act(desk: &Desk<'_>, cli: &Cli) -> Result<Outcome, CliError> {
    match &cli.verb {
        Some(Verb::Config(verb)) => return config::run(desk, verb).await,
        Some(Verb::Completions { shell }) => return words::completions(*shell, desk.common.json),
        Some(Verb::Man { verb }) => return words::man(verb, desk.common.json),
        Some(Verb::Doctor(verb)) => return doctor::run(desk, verb).await,
        None => return plain::run(desk).await,
        _ => desk.warn(),
    }
    match &cli.verb {
        Some(Verb::Run(verb)) => run::run(desk, verb).await,
        Some(Verb::Plan(verb)) => planned::run(desk, verb).await,
        Some(Verb::Targets(verb)) => targets::run(desk, verb).await,
        Some(Verb::Scripts(verb)) => scripts::run(desk, verb).await,
        Some(Verb::Jobs(verb)) => jobs::run(desk, verb).await,
        Some(Verb::Output(verb)) => output::run(desk, verb).await,
        Some(Verb::Search(verb)) => search::run(desk, verb).await,
        Some(Verb::Groups(verb)) => groups::run(desk, verb).await,
        Some(Verb::Regroup(verb)) => regroup::run(desk, verb).await,
        Some(Verb::Note(verb)) => remarks::note(desk, verb).await,
        Some(Verb::Ack(verb)) => remarks::ack(desk, verb).await,
        Some(Verb::Diff(verb)) => diff::run(desk, verb).await,
        Some(Verb::Audit(verb)) => audit::run(desk, verb).await,
        Some(Verb::Tokens(verb)) => tokens::run(desk, verb).await,
        Some(Verb::Rerun(verb)) => rerun::run(desk, verb).await,
        Some(Verb::Export(verb)) => export::run(desk, verb).await,
        _ => Ok(Outcome::Done),
    }
}
