//! Flags of the verbs for what comes after a job.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::planned::{DryRun, Reason};
use super::{job, pair};
use crate::model::report::Format;

pub(super) const DIFF_HELP: &str = "\
A job alone is compared with the job of the same script before it: which groups came, went, grew and shrank,
and which devices ended in another way. With --group and --device it is outputs, line by line, as `diff -u`
writes them: stdout, then stderr; numbers, times, addresses and the device's own names are masked (--raw:
not). SIGNATURE is one of `groups`, the beginning of one, or `base`: the largest group that ended well. Of
outputs of more than 4,000 lines or 1 MiB the beginning and the end are compared, which is told.
JSON of outputs: {schema_version, left, right, masked, masks, added, removed, notes, diff}, left and right
{job, run, device, state, exit_code, signature, stands_for, left_out}; of jobs: {schema_version, left, right,
groups: [{signature, state, exit_code, says, left, right}], moved: [{from, to, signature, says, count,
devices}], only_left, only_right}.

    quarterdeck diff 12                            job 12 beside the one before
    quarterdeck diff 12 --group 2c7e               a failure beside what went well
    quarterdeck diff 12 --device web7              web7 beside the same script on it the time before
    quarterdeck diff 12 --device web7 --device web8
    quarterdeck diff 9 12 --device web7            web7 in both jobs";

#[derive(Debug, Args)]
pub struct Diff {
    /// The job
    #[arg(value_parser = job)]
    pub id: u64,
    /// Another job
    #[arg(value_name = "JOB", value_parser = job)]
    pub other: Option<u64>,
    /// This device's output: name, or connection:name (twice: both)
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub device: Vec<String>,
    /// A group's output, by its signature (twice: both)
    #[arg(long, value_name = "SIGNATURE", value_parser = NonEmptyStringValueParser::new())]
    pub group: Vec<String>,
    /// With all numbers, times and names
    #[arg(long)]
    pub raw: bool,
}

pub(super) const RERUN_HELP: &str = "\
The version of the script that the job ran, with its parameters but for those given here; secrets are asked for again, or given as with
`run`. The new job names the old one as its parent. What was chosen is joined: --failed --offline are both.
Rings, budget and the rest of a roll-out are those given here: the job's own were of its own devices.
The same sets are targets everywhere: `run --target '@failed:12 & !web3'` (@unknown:12, @not-started:12,
@offline:12, @timeout:12, @cancelled:12, @ok:12, @group:12/SIGNATURE). A job that still runs is refused.
JSON: {schema_version, id, parent}; with --wait as of `run --wait`.

    quarterdeck rerun 12 --failed --confirm 9 --wait
    quarterdeck rerun 12 --group 2c7e";

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("set").required(true).multiple(true))]
pub struct Rerun {
    /// The job
    #[arg(value_parser = job)]
    pub id: u64,
    /// Those that failed, but for those whose outcome is unknown
    #[arg(long, group = "set")]
    pub failed: bool,
    /// Those whose outcome is unknown: the engine or the connection ended while the script ran
    #[arg(long, group = "set")]
    pub unknown: bool,
    /// Those whose turn never came
    #[arg(long, group = "set")]
    pub not_started: bool,
    /// Those that were not reached
    #[arg(long, group = "set")]
    pub offline: bool,
    /// Those that took too long
    #[arg(long, alias = "timeout", group = "set")]
    pub timed_out: bool,
    /// Those that were withdrawn or ended on request
    #[arg(long, group = "set")]
    pub cancelled: bool,
    /// Those that ended well: once more
    #[arg(long, group = "set")]
    pub ok: bool,
    /// Those that ended like this: a signature of `groups`, or its beginning (again for several)
    #[arg(long, value_name = "SIGNATURE", group = "set", value_parser = NonEmptyStringValueParser::new())]
    pub group: Vec<String>,
    /// A parameter, instead of the job's own (again for several values); `NAME=`: without it, or with its default
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = pair, allow_hyphen_values = true)]
    pub params: Vec<(String, String)>,
    /// A secret parameter: from a file, or from a variable of the environment
    #[arg(long = "secret", value_name = "NAME=@FILE|env:VAR")]
    pub secrets: Vec<String>,
    /// Take in devices that would be left out: busy (in another job), in maintenance, in a change freeze
    #[arg(long, value_enum, value_delimiter = ',', value_name = "REASON")]
    pub include: Vec<Reason>,
    /// An option of the system that the devices are of, instead of the job's own; `NAME=`: without it
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// Show the plan and send nothing; `=script`: launch it with the script's own dry run
    #[arg(long, value_enum, value_name = "OF", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub dry_run: Option<DryRun>,
    /// The number of devices you expect: launched only if it is right
    #[arg(long, value_name = "N")]
    pub confirm: Option<usize>,
    /// Wait for the end, printing output as it arrives
    #[arg(short, long)]
    pub wait: bool,
    /// Scripts running at once; 0: no limit [default: as the job had it]
    #[arg(long, value_name = "N")]
    pub at_once: Option<u32>,
    #[command(flatten)]
    pub rollout: crate::cli::rollout::Rollout,
}

pub(super) const EXPORT_HELP: &str = "\
csv     a row a device, RFC 4180; a cell that a spreadsheet would work out begins with an apostrophe
json    {schema_version, job, groups, runs: [{device, state, exit_code, signature, ..., stdout, stderr}]}
ndjson  the same, an object a line: {event: job|group|run, ...}
md      for the ticket: counts, groups, what they share, notes, a sample of each
junit   a device is a test case, its signature the type of its failure; outputs of those that failed
Texts are made safe (colours dropped, other control sequences shown) unless --raw. A file is written whole or
not at all, for its owner alone; one that is there is replaced with --force, or when asked. Without --format the
file's ending says it. --json: without --output the format json, with it {schema_version, job, path, format,
devices, bytes}.

    quarterdeck export 12 --format md
    quarterdeck export 12 --output job-12.csv --fields device,state,exit_code,says";

#[derive(Debug, Args)]
pub struct Export {
    /// The job
    #[arg(value_parser = job)]
    pub id: u64,
    #[arg(short, long, value_enum)]
    pub format: Option<FormatWord>,
    /// A file, or - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Texts as they came
    #[arg(long)]
    pub raw: bool,
    /// Only these columns (csv), these keys of a device (json, ndjson)
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub fields: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FormatWord {
    Csv,
    Json,
    Ndjson,
    Md,
    Junit,
}

impl FormatWord {
    pub const fn of(format: Format) -> Self {
        match format {
            Format::Csv => FormatWord::Csv,
            Format::Json => FormatWord::Json,
            Format::Ndjson => FormatWord::Ndjson,
            Format::Md => FormatWord::Md,
            Format::Junit => FormatWord::Junit,
        }
    }

    pub const fn format(self) -> Format {
        match self {
            FormatWord::Csv => Format::Csv,
            FormatWord::Json => Format::Json,
            FormatWord::Ndjson => Format::Ndjson,
            FormatWord::Md => Format::Md,
            FormatWord::Junit => Format::Junit,
        }
    }
}
