//! The command line: verbs, flags, and their help. Nothing here acts.

mod afterwork;
mod listed;
mod past;
mod planned;
mod tokens;
mod triage;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::model::output::Which;
use crate::settings::{self, Overrides, units};

pub use afterwork::{Diff, Export, FormatWord, Rerun};
pub use listed::Sift;
use past::SEARCH_HELP;
pub use past::{Search, Sought, Where};
use planned::{AUDIT_HELP, PLAN_HELP};
pub use planned::{Audit, DryRun, Plan, Reason, What};
pub use tokens::Tokens;
use triage::{ACK_HELP, GROUPS_HELP, NOTE_HELP, REGROUP_HELP};
pub use triage::{About, Ack, Groups, Note, Regroup};

/// Runs scripts on a fleet of devices. Without a verb: the console.
#[derive(Debug, Parser)]
#[command(name = "quarterdeck", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub screen: Screen,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const EXIT_CODES: &str = "\
Data goes to stdout, messages to stderr. Exit codes:
    0  all ok                         4  refused: authentication or permission
    1  error of quarterdeck itself    5  stopped by its failure budget, or by a new signature
    2  usage, expression, or a        6  not all devices answered (offline, cancelled, not started)
       confirmation that is missing   130  interrupted; the job keeps running and its id is printed
    3  some devices failed; nothing found";

#[derive(Debug, Args)]
pub struct Common {
    /// JSON on stdout (each verb's help describes it)
    #[arg(long, global = true)]
    pub json: bool,
    /// Never ask; what would have to be asked for is refused
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Colours
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub color: Option<ColorWhen>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Of the console alone.
#[derive(Debug, Args)]
pub struct Screen {
    /// A line at a time: numbered menus, no colour, nothing that moves (screen readers, TERM=dumb)
    #[arg(long)]
    pub plain: bool,
    /// Draw with ASCII characters alone
    #[arg(long)]
    pub ascii: bool,
    /// Colours of the console, by name
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Keys of the console, by name
    #[arg(long, value_name = "NAME")]
    pub keymap: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ColorWhen {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// What the flags say over file and environment.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            door: self.verb.as_ref().map_or("console", Verb::word),
            config: self.common.config.clone(),
            color: self.common.color.map(|when| match when {
                ColorWhen::Auto => settings::Colours::Auto,
                ColorWhen::Always => settings::Colours::Always,
                ColorWhen::Never => settings::Colours::Never,
            }),
            theme: self.screen.theme.clone(),
            keymap: self.screen.keymap.clone(),
            ascii: self.screen.ascii,
            listen: match &self.verb {
                Some(Verb::Serve(verb)) => verb.asked(),
                _ => settings::listen::Asked::default(),
            },
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a script on devices
    #[command(after_help = RUN_HELP)]
    Run(Run),
    /// What a run would do, to look at, to keep, and to launch exactly so: prints the plan
    #[command(after_help = PLAN_HELP)]
    Plan(Plan),
    /// What a script can run on
    #[command(subcommand)]
    Targets(Targets),
    /// The script library
    #[command(subcommand)]
    Scripts(Scripts),
    /// Jobs: launched, running, ended
    #[command(subcommand)]
    Jobs(Jobs),
    /// The output of a job, its bytes as they were
    #[command(after_help = OUTPUT_HELP)]
    Output(Output),
    /// Past jobs: where a text appeared, what touched a device, what ended with a code or a signature
    #[command(after_help = SEARCH_HELP, override_usage = past::USAGE)]
    Search(Search),
    /// The runs of a job by how they ended: a thousand outputs in a few rows
    #[command(after_help = GROUPS_HELP)]
    Groups(Groups),
    /// Put groups together or take them apart, by hand or by rules of the script
    #[command(subcommand, after_help = REGROUP_HELP)]
    Regroup(Regroup),
    /// A note on a signature or a job: written, or read
    #[command(after_help = NOTE_HELP)]
    Note(Note),
    /// Acknowledge a signature or a job: somebody takes care of it
    #[command(after_help = ACK_HELP)]
    Ack(Ack),
    /// Compare outputs: a job with the one before it, a group with those that went well, a device with its last run
    #[command(after_help = afterwork::DIFF_HELP)]
    Diff(Diff),
    /// Who did what: launches and how they ended, stops, edits, changes of the configuration
    #[command(after_help = AUDIT_HELP)]
    Audit(Audit),
    /// Keys for other programs that come over the network (`serve --listen`)
    #[command(subcommand)]
    Tokens(Tokens),
    /// Run a job's script again, as it was, on the devices it left failed, offline, not started…
    #[command(after_help = afterwork::RERUN_HELP)]
    Rerun(Rerun),
    /// A job for others: CSV, JSON, a page for the ticket, JUnit
    #[command(after_help = afterwork::EXPORT_HELP)]
    Export(Export),
    /// Run the engine here (console and verbs start one in the background by themselves)
    Serve(Serve),
    /// What an engine starts to end its scripts on this machine should it be killed
    #[command(hide = true)]
    Guard,
    /// Examine this installation, how a device is reached, or how a connection stands
    #[command(
        after_help = "JSON: {schema_version, steps: [{label, text, fine}]}; with a device or connection also device (its name), way, why.\n\
        Exit code 1 when something is not fine."
    )]
    Doctor(Doctor),
    /// The configuration
    #[command(subcommand)]
    Config(Config),
    /// The console's keys
    Keys(Keys),
    /// Completions for a shell, on stdout
    Completions { shell: clap_complete::Shell },
    /// The manual page, on stdout (`quarterdeck man run` for a verb's)
    Man { verb: Vec<String> },
}

impl Verb {
    /// What the audit log calls this door.
    const fn word(&self) -> &'static str {
        match self {
            Verb::Run(_) => "run",
            Verb::Scripts(_) => "scripts",
            Verb::Jobs(_) => "jobs",
            _ => "verb",
        }
    }
}

const RUN_HELP: &str = "\
SCRIPT is a name in the library, a path (what starts with ./ ../ or / always is), or - for stdin.
Without --wait the job's id is printed (--json: {schema_version, id}) and the job goes on by itself.
With --wait lines are printed as they arrive, `device: line`; ^C leaves the job running (exit code 130).
With --wait --json one object a line, by its `event`:
    job      schema_version, id, script, target, devices (how many)
    run      device, name, state, exit_code, signal, reason: a device's run changed its state
    output   device, stream (out|err), text: one whole line without its newline, invalid UTF-8
             replaced; `more`: true where a line above 1 MiB goes on in the next object
    summary  job, state, counts (runs by state)
A device is `connection:name`. States: queued sent running ok failed timeout offline cancelled skipped.

    quarterdeck run disk-use.sh --target 'web[01-40] & !state:offline' --wait
    quarterdeck run ./fix.sh --target @all --confirm 512 --secret token=env:TOKEN";

#[derive(Debug, Args)]
#[command(
    override_usage = "quarterdeck run [OPTIONS] --target <EXPR> <SCRIPT>\n       quarterdeck run [OPTIONS] --plan <ID|FILE>"
)]
pub struct Run {
    /// Library name, CONNECTION:NAME of a server's own script, path, or - for stdin
    #[arg(required_unless_present = "plan")]
    pub script: Option<String>,
    /// Which devices: names, node sets, groups, fields, with & | ! and parentheses; @all. A server's own script
    /// (CONNECTION:NAME) runs on the server unless said otherwise
    #[arg(short, long, value_name = "EXPR")]
    pub target: Option<String>,
    /// Launch exactly this plan: the id of one that was previewed, or a file of `quarterdeck plan`
    #[arg(long, value_name = "ID|FILE", conflicts_with_all = ["script", "target", "params", "include", "timeout", "at_once", "Rollout"])]
    pub plan: Option<String>,
    #[command(flatten)]
    pub what: What,
    /// Show the plan and send nothing; =script: launch it with the argument by which the script itself changes nothing
    #[arg(long, value_enum, value_name = "OF", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub dry_run: Option<DryRun>,
    /// The number of devices you expect: launched only if it is right
    #[arg(long, value_name = "N")]
    pub confirm: Option<usize>,
    /// Wait for the end, printing output as it arrives
    #[arg(short, long)]
    pub wait: bool,
}

/// Where a secret comes from; its value never stands in an argument, where `ps` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    File(PathBuf),
    Variable(String),
}

#[derive(Debug, Subcommand)]
pub enum Targets {
    /// Devices, or groups
    #[command(after_help = listed::targets())]
    Ls {
        /// Groups instead of devices
        #[arg(long)]
        groups: bool,
        #[command(flatten)]
        sift: Sift,
    },
    /// What an expression means, without doing anything
    #[command(
        after_help = "JSON: {schema_version, count, folded, devices: [{id, name, connection, groups, facts, state, ...}], exclusions}."
    )]
    Resolve {
        #[arg(value_name = "EXPR", allow_hyphen_values = true)]
        expr: String,
    },
    /// Keep an expression under a name: `@NAME` means it in every other, here and in the console
    Save {
        name: String,
        #[arg(value_name = "EXPR", allow_hyphen_values = true)]
        expr: String,
        /// Whatever is saved under this name now
        #[arg(long)]
        replace: bool,
    },
    /// What is saved under names
    #[command(after_help = "JSON: {schema_version, saved: [{name, expr}]}.")]
    Saved,
    /// Forget what is saved under a name
    Forget { name: String },
    /// Where a device, a group or whatever an expression means was used: the jobs that touched it, newest first
    #[command(after_help = past::WHERE_HELP)]
    Where(Where),
}

#[derive(Debug, Subcommand)]
pub enum Scripts {
    /// All scripts
    #[command(after_help = listed::scripts())]
    Ls {
        /// Those that were deleted and can be brought back
        #[arg(long)]
        deleted: bool,
        #[command(flatten)]
        sift: Sift,
    },
    /// A script's text on stdout, its facts on stderr (NAME@v3: as it was in that version)
    #[command(after_help = "JSON: {schema_version, name, version, params, text, findings, ...}.")]
    Show { name: String },
    /// What looks wrong in a script of the library, or in a file
    #[command(
        after_help = "JSON: {schema_version, name, findings: [{level, line, code, text}]}.\nExit code 1 when there is an error among them."
    )]
    Lint { name: String },
    /// A new script, from a template or a file
    #[command(after_help = "JSON: {schema_version, name, version, path}.")]
    New {
        /// Its name in the library, a / makes a folder; or CONNECTION:NAME, in a system's own library
        name: String,
        /// bash, sh, python, powershell, zsh, ruby, perl, empty; by default what the name's ending says
        #[arg(long, value_name = "LANGUAGE", conflicts_with = "from")]
        template: Option<String>,
        /// This file's text instead, or - for stdin
        #[arg(long, value_name = "FILE")]
        from: Option<String>,
    },
    /// Edit a script in $VISUAL or $EDITOR; saved only if nobody changed it meanwhile
    #[command(after_help = "JSON: {schema_version, name, version, path}.")]
    Edit { name: String },
    /// Put a file's text in the place of a script's; saved only if nobody changed it meanwhile
    #[command(alias = "push", after_help = "JSON: {schema_version, name, version, path}.")]
    Save {
        name: String,
        /// The text: a file, or - for stdin
        #[arg(long, value_name = "FILE")]
        from: String,
        /// The version that the text was made from (as `scripts show` tells it); by default what is there now
        #[arg(long, value_name = "VERSION", conflicts_with = "force")]
        seen: Option<String>,
        /// Whatever is there now; what it was stays among the versions
        #[arg(long)]
        force: bool,
    },
    /// Turn on or off what a system keeps of its own script beside the text (`variable_support=on`)
    #[command(after_help = "JSON: {schema_version, name, switch, on}.")]
    Set {
        name: String,
        #[arg(value_name = "SWITCH=on|off", value_parser = switch)]
        switch: (String, bool),
    },
    /// Give a script another name; its versions come along
    #[command(after_help = "JSON: {schema_version, from, to}.")]
    Rename { from: String, to: String },
    /// Delete a script; `scripts restore` brings it back
    #[command(after_help = "JSON: {schema_version, id, name, version, size, deleted_at, by}.")]
    Delete {
        name: String,
        /// Do not ask for its name
        #[arg(long)]
        yes: bool,
    },
    /// Bring back a deleted script, or (NAME@v3) make a version the newest again
    Restore {
        #[arg(value_name = "NAME|NAME@VERSION")]
        what: String,
    },
    /// The versions of a script that are kept
    #[command(
        after_help = "JSON: {schema_version, name, versions: [{number, version, at, by, size, why, current, job}]}."
    )]
    Versions { name: String },
    /// Compare two scripts, versions (NAME@v3) or files; one alone with what it was before
    #[command(after_help = "JSON: {schema_version, left, right, added, removed, notes, diff}.")]
    Diff {
        #[arg(value_name = "A")]
        first: String,
        #[arg(value_name = "B")]
        second: Option<String>,
    },
    /// Where a script was used: its jobs, newest first
    #[command(after_help = past::WHERE_HELP)]
    Where(Where),
}

#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// Jobs, newest first
    #[command(after_help = listed::jobs())]
    Ls {
        /// How many at most
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
        #[command(flatten)]
        sift: Sift,
    },
    /// A job and its runs
    #[command(after_help = listed::runs())]
    Show {
        #[arg(value_parser = job)]
        id: u64,
        /// What is filtered, sorted and chosen are the runs
        #[command(flatten)]
        sift: Sift,
    },
    /// End a job, or some of its runs
    #[command(
        visible_alias = "cancel",
        after_help = "JSON: {schema_version, id, withdrawn, ending, asked_back, going, unrecorded}: runs withdrawn before they were sent,\nruns asked to end, runs that their system was asked to take back, runs of those meant that go on; why it is not recorded."
    )]
    Stop {
        #[arg(value_parser = job)]
        id: u64,
        #[command(flatten)]
        how: super::rollout::Meaning,
        /// Only this device (again for several): name, or connection:name
        #[arg(long = "device", value_name = "DEVICE", value_parser = NonEmptyStringValueParser::new())]
        devices: Vec<String>,
    },
    /// Send to no further device; what has started goes on
    #[command(after_help = TURNED)]
    Pause {
        #[arg(value_parser = job)]
        id: u64,
    },
    /// Go on with a job that is paused
    #[command(after_help = TURNED)]
    Resume {
        #[arg(value_parser = job)]
        id: u64,
        /// Also to devices that are in maintenance or in a change freeze by now
        #[arg(long)]
        anyway: bool,
    },
    /// Let the ring go that waits for it (`run --between ask`)
    #[command(after_help = TURNED)]
    Approve {
        #[arg(value_parser = job)]
        id: u64,
        /// The ring you mean, from 1: another one is not let go
        #[arg(long, value_name = "N")]
        ring: Option<u32>,
    },
    /// Bring in the jobs that a system ran without us; asked again, only what is new or has changed
    #[command(
        after_help = "It goes on in the background when this is interrupted. JSON: {schema_version, connection, going, found, done, \
        added, updated, problem}."
    )]
    Import { connection: String },
    /// Everything a job printed and prints, to its end: as `run --wait` shows it
    #[command(after_help = "JSON and exit codes: as of `run --wait`.")]
    Attach {
        #[arg(value_parser = job)]
        id: u64,
    },
}

const TURNED: &str = "JSON: {schema_version, changed, says, job}. Asked twice, the second changes nothing and says so.";

const OUTPUT_HELP: &str = "\
Into a pipe or file, and with --raw, the bytes are exactly those of the device. On a terminal control
characters are shown instead of obeyed. Several devices come one after the other, each line with
`device: ` before it (not with --raw); with --follow as they arrive. Those of one device never have it.
JSON: one object a line, as of `run --wait`: first {event: \"job\", schema_version, id, ...}, then
{event: \"output\", device, stream, text}.";

#[derive(Debug, Args)]
pub struct Output {
    /// The job
    #[arg(value_parser = job)]
    pub id: u64,
    /// Only these devices of the job: a name or connection:name, a node set, a glob ('web[1-3]', 'web*')
    #[arg(long, value_name = "DEVICES", value_parser = NonEmptyStringValueParser::new())]
    pub device: Option<String>,
    /// stdout, stderr, or both in order of arrival
    #[arg(long, value_enum, default_value_t = StreamWord::All)]
    pub stream: StreamWord,
    /// Go on until the job has ended
    #[arg(short, long)]
    pub follow: bool,
    /// The bytes as they were, on a terminal too
    #[arg(long)]
    pub raw: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StreamWord {
    Out,
    Err,
    All,
}

impl StreamWord {
    pub const fn which(self) -> Which {
        match self {
            StreamWord::Out => Which::Out,
            StreamWord::Err => Which::Err,
            StreamWord::All => Which::All,
        }
    }
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Leave the terminal's session; be content when an engine runs already. With --replace: do not wait for the new one
    #[arg(long)]
    pub background: bool,
    /// End the engine that runs first, and with it what it runs here and over SSH; what a system such as SimpleMDM was
    /// sent goes on
    #[arg(long)]
    pub replace: bool,
    /// Listen for other programs too, which come with keys (`quarterdeck tokens`): 127.0.0.1:7443, [::]:7443
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// The certificate (PEM) for that door, with those between it and its authority; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl Serve {
    fn asked(&self) -> settings::listen::Asked {
        let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        settings::listen::Asked {
            address: self.listen.clone(),
            certificate: self.tls_cert.as_ref().map(whole),
            key: self.tls_key.as_ref().map(whole),
        }
    }
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// A device: name, or connection:name; or a connection
    pub host: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Where the configuration file is
    Path,
    /// The settings in force, defaults filled in
    Show,
    /// What is wrong with it; exit code 2 if anything is
    #[command(after_help = "JSON: {schema_version, path, problems}.")]
    Check,
}

#[derive(Debug, Args)]
pub struct Keys {
    /// Every default key as a keymap.toml to start from
    #[arg(long = "default", action = ArgAction::SetTrue)]
    pub print_default: bool,
    /// As Markdown tables, to keep or to share
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "print_default")]
    pub markdown: bool,
    /// Those of this keymap (vi, arrows, emacs) instead of the one in use
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
}

/// A job's number.
pub(super) fn job(text: &str) -> Result<u64, String> {
    let why = "a job's id is its number, such as 12 (`quarterdeck jobs ls` lists them)";
    text.parse().map_err(|_| why.to_owned())
}

fn switch(text: &str) -> Result<(String, bool), String> {
    match pair(text)? {
        (name, value) if value == "on" => Ok((name, true)),
        (name, value) if value == "off" => Ok((name, false)),
        _ => Err("expected SWITCH=on or SWITCH=off".to_owned()),
    }
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Reads `NAME=@FILE` or `NAME=env:VARIABLE`.
///
/// # Errors
/// A sentence that does not repeat what was given.
pub fn secret(text: &str) -> Result<(String, SecretFrom), &'static str> {
    let wrong = "--secret: expected NAME=@FILE or NAME=env:VARIABLE; a secret never stands on the command line itself";
    let (name, from) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(wrong)?;
    let from = match (from.strip_prefix('@'), from.strip_prefix("env:")) {
        (Some(file), _) if !file.is_empty() => SecretFrom::File(PathBuf::from(file)),
        (_, Some(variable)) if !variable.is_empty() => SecretFrom::Variable(variable.to_owned()),
        _ => return Err(wrong),
    };
    Ok((name.to_owned(), from))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    units::duration(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a duration such as 30s, 10m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("quarterdeck").chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_takes_json() {
        for line in [
            "run x --target y --json",
            "run --plan 7c41 --json",
            "plan x --target y --json",
            "--json run x --target y",
            "targets resolve y --json",
            "targets ls --json",
            "scripts ls --json",
            "scripts show x --json",
            "scripts lint x --json",
            "scripts new x --json",
            "scripts edit x --json",
            "scripts rename x y --json",
            "scripts delete x --json",
            "scripts restore x@v3 --json",
            "scripts versions x --json",
            "scripts diff x y --json",
            "jobs ls --json",
            "jobs show 7 --json",
            "jobs cancel 7 --json",
            "jobs stop 7 --sending --json",
            "jobs pause 7 --json",
            "jobs resume 7 --json",
            "jobs approve 7 --ring 2 --json",
            "jobs attach 7 --json",
            "output 7 --json",
            "search 7 x --json",
            "search --device web1 --json",
            "targets where web1 --json",
            "scripts where x --json",
            "regroup show x --json",
            "regroup merge 7 v1:2c7e v1:90ab --json",
            "note 7 seen --json",
            "ack v1:2c7e --json",
            "audit --json",
            "serve --json",
            "tokens add ci --scope run,edit --groups web --json",
            "tokens ls --json",
            "tokens revoke ci --json",
            "doctor --json",
            "config path --json",
            "config show --json",
            "config check --json",
            "keys --json",
            "completions bash --json",
            "man --json",
        ] {
            assert!(parse(line).unwrap_or_else(|error| panic!("{line}: {error}")).common.json);
        }
    }

    #[test]
    fn run_is_read_whole() {
        let cli = parse(
            "run disk.sh --target @all --param a=1 --param b=x=y --secret t=env:T --secret k=@/f --timeout 1m30s \
             --at-once 0 --confirm 12 --wait --no-input",
        );
        let Ok(Cli { verb: Some(Verb::Run(run)), common, .. }) = cli else { panic!("{cli:?}") };
        assert_eq!((run.script.as_deref(), run.target.as_deref()), (Some("disk.sh"), Some("@all")));
        let what = &run.what;
        assert_eq!(what.params, [("a".into(), "1".into()), ("b".into(), "x=y".into())]);
        assert_eq!(what.secrets, ["t=env:T", "k=@/f"]);
        assert_eq!(what.timeout, Some(Duration::from_secs(90)));
        assert_eq!((what.at_once, run.confirm, run.wait, common.no_input), (Some(0), Some(12), true, true));
    }

    #[test]
    fn a_dry_run_is_the_plans_unless_the_scripts_is_meant() {
        for (line, expected) in [
            ("run x -t y", None),
            ("run x -t y --dry-run", Some(DryRun::Plan)),
            ("run x --dry-run -t y", Some(DryRun::Plan)),
            ("run x -t y --dry-run=script", Some(DryRun::Script)),
        ] {
            let Ok(Cli { verb: Some(Verb::Run(run)), .. }) = parse(line) else { panic!("{line}") };
            assert_eq!(run.dry_run, expected, "{line}");
        }
    }

    #[test]
    fn a_secret_comes_by_reference_alone_and_is_never_repeated() {
        assert_eq!(secret("t=env:T"), Ok(("t".to_owned(), SecretFrom::Variable("T".to_owned()))));
        assert_eq!(secret("t=@/a=b"), Ok(("t".to_owned(), SecretFrom::File("/a=b".into()))));
        for wrong in ["token=hunter2", "token=", "token", "=@f", "t=env:", "t=@"] {
            assert!(secret(wrong).unwrap_err().contains("never stands on the command line"), "{wrong}");
        }
    }

    #[test]
    fn slips_are_usage_errors() {
        for line in [
            "run --target y",
            "run --plan 7c41 x",
            "run --plan 7c41 --target y",
            "run --plan 7c41 --param a=1",
            "run x --target y --include all",
            "plan x --target y --good-for 2h",
            "run x --target y --param novalue",
            "run x --target y --timeout soon",
            "run x --target y --timeout 0",
            "jobs show seven",
            "output 1 --stream both",
            "launch x",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn what_is_no_jobs_number_is_told_what_one_looks_like() {
        for line in [
            "jobs show abc",
            "jobs attach -- -1",
            "jobs resume x",
            "output abc",
            "groups S3",
            "groups 1 --base x",
            "diff 1 x",
            "rerun x --ok",
            "export x",
            "regroup split x v1:2c",
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains("number, such as 12") && error.contains("jobs ls"), "{line}: {error}");
        }
    }

    #[test]
    fn a_negated_expression_is_no_flag() {
        assert!(parse("targets resolve !web").is_ok());
        assert!(parse("targets resolve -x").is_ok());
    }
}
