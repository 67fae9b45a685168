//! Flags of what is planned before it is sent, and of the log of what was.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{duration, pair};
use crate::model::plan::LeftOut;
use crate::settings::units;

/// What a plan is made of, beside script and target.
#[derive(Debug, Args)]
pub struct What {
    /// A parameter the script declares (again for several values)
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = pair, allow_hyphen_values = true)]
    pub params: Vec<(String, String)>,
    /// A secret parameter: from a file, or from a variable of the environment
    #[arg(long = "secret", value_name = "NAME=@FILE|env:VAR", allow_hyphen_values = true)]
    pub secrets: Vec<String>, // read by `secret` below: clap would repeat a wrong one, and it may be the secret
    /// Take in devices that would be left out: busy (in another job), in maintenance, in a change freeze
    #[arg(long, value_enum, value_delimiter = ',', value_name = "REASON")]
    pub include: Vec<Reason>,
    /// An option of the system that the devices are of (`custom_attribute=NAME` with SimpleMDM)
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// End a run that takes longer (30s, 10m, 2h)
    #[arg(long, value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Scripts running at once; 0: no limit
    #[arg(long, value_name = "N")]
    pub at_once: Option<u32>,
    #[command(flatten)]
    pub rollout: crate::cli::rollout::Rollout,
}

pub(super) const PLAN_HELP: &str = "\
Nothing is sent. JSON: {schema_version, plan: {id, script, target, devices, folded, offline, excluded, exclusions,
included, params, confirm, expires_at, ...}, request, good_until, digests, digest}. `run --plan ID` launches it as
long as this engine lives and the preview holds (10 minutes); with --output FILE, `run --plan FILE` does until
--good-for has passed. Either is refused if script, parameters or devices are not what they were, and says what is
different; a file that was edited is refused too. Secrets are not in the file: give them again with --secret.

    quarterdeck plan disk-use.sh --target 'web & !db' --output change-4711.json
    quarterdeck run --plan change-4711.json --confirm 40";

#[derive(Debug, Args)]
pub struct Plan {
    /// Library name, path, or - for stdin
    pub script: String,
    /// Which devices; of a server's own script, the server unless said otherwise
    #[arg(short, long, value_name = "EXPR")]
    pub target: Option<String>,
    #[command(flatten)]
    pub what: What,
    /// Plan the script's own dry run
    #[arg(long, value_enum, value_name = "OF", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub dry_run: Option<DryRun>,
    /// Into this file, for `run --plan FILE`; on stdout a summary
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How long the file may be launched, at most a week
    #[arg(long, value_parser = duration, default_value = "24h", requires = "output")]
    pub good_for: Duration,
}

/// Which dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Of the plan: nothing is sent
    Plan,
    /// Of the script: it runs, with the argument by which it changes nothing
    Script,
}

/// Why devices would be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    Busy,
    Maintenance,
    Freeze,
}

impl Reason {
    pub const fn left_out(self) -> LeftOut {
        match self {
            Reason::Busy => LeftOut::Busy,
            Reason::Maintenance => LeftOut::Maintenance,
            Reason::Freeze => LeftOut::Freeze,
        }
    }
}

pub(super) const AUDIT_HELP: &str = "\
Each entry holds the hash of the one before: what was changed, taken out or added later shows. --verify reads the
whole chain, names the first entry where it breaks (exit code 1), and prints its head: kept elsewhere, that tells
also of a log that was made anew as a whole.
JSON: one object a line, {schema_version, seq, at, act, by, from, job, plan, script, version, target, devices,
counts, note, prev, hash}, as far as there is something to say; hash is the SHA-256, in hex, of prev and the
object as JSON with sorted keys and no blanks, without hash and schema_version.
With --verify one object, {schema_version, path, head: {seq, hash}, broken: {line, why}}.

    quarterdeck audit --since 7d
    quarterdeck audit --verify";

#[derive(Debug, Args)]
pub struct Audit {
    /// Check the chain instead of showing it
    #[arg(long)]
    pub verify: bool,
    /// Only from then on: 30m, 7d, 2026-11-20, 2026-11-20T10:00
    #[arg(long, value_name = "WHEN", value_parser = moment, conflicts_with = "verify")]
    pub since: Option<jiff::Timestamp>,
}

/// A moment: so long ago, or a date (and time) here.
fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let ago = units::duration(text).and_then(|ago| jiff::Timestamp::now().checked_sub(ago).ok());
    let date = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::system()).ok();
    ago.or_else(|| text.parse().ok())
        .or_else(|| date().map(|at| at.timestamp()))
        .ok_or_else(|| "expected how long ago (30m, 7d) or a date (2026-11-20, 2026-11-20T10:00)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_a_date_here() {
        let ago = jiff::Timestamp::now() - moment("90m").unwrap();
        assert!((89..=91).contains(&(ago.total(jiff::Unit::Minute).unwrap() as i64)), "{ago}");
        let here = |text: &str| {
            let date: jiff::civil::DateTime = text.parse().unwrap();
            date.to_zoned(jiff::tz::TimeZone::system()).unwrap().timestamp()
        };
        assert_eq!(moment("2026-11-20"), Ok(here("2026-11-20T00:00")));
        assert_eq!(moment("2026-11-20T10:30"), Ok(here("2026-11-20T10:30")));
        assert_eq!(moment("2026-11-20T10:30:00Z").unwrap().to_string(), "2026-11-20T10:30:00Z");
        for wrong in ["", "soon", "7", "2026-13-01"] {
            assert!(moment(wrong).unwrap_err().contains("2026-11-20T10:00"), "{wrong}");
        }
    }
}
