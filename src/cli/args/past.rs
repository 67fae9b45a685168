//! `search` and `where`: the command line of what looks into past jobs.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::StreamWord;
use crate::model::past::{Here, Past};

pub(super) const USAGE: &str = "\
quarterdeck search [OPTIONS] [TEXT]
       quarterdeck search [OPTIONS] JOB TEXT";

pub(super) const SEARCH_HELP: &str = "\
Over past jobs, running ones among them: one row a run, the newest job first, with the first line that matches. All that is
given must hold; without a text only the job store is asked, with one only the outputs of runs that fit the rest are read. Devices
that the inventory has forgotten are known by their names. Case counts where TEXT has a capital letter.
JSON: one object a line as it is found, {schema_version, event: \"hit\", job, script, version, at, by, run, device, name,
state, exit_code, signature, says, line: {number, at}, lines}; with --jobs also counts; at last {schema_version,
event: \"end\", found, runs, bytes, more, late}. The line's number is from 0, lines is how many match in that run.

With JOB before TEXT as `grep`: all lines of that job that match, in order of arrival, each with `device: ` before it
(with --device: the line alone). Of a line longer than 8 KiB its beginning is printed. JSON: one object a line,
{schema_version, event: \"match\", device, stream, line, at, text}; with --count one object, {schema_version, job, lines,
devices: [{device, lines}]}.
Exit codes: 0 found, 3 nothing found, others as of every verb.

    quarterdeck search --device mbp-0311                  which jobs touched it
    quarterdeck search 'no space left' --since 7d         where that appeared
    quarterdeck search --exit-code 70 --script patch.sh   which runs ended so
    quarterdeck search --signature v1:2c7ed99e65aa        where that happened
    quarterdeck search 12 --regex 'rc=(69|7[0-9])' --count";

pub(super) const WHERE_HELP: &str = "\
JSON: one object a line, as of `search --jobs`. Exit codes: 0 found, 3 nothing found.";

#[derive(Debug, Args)]
pub struct Search {
    /// A text, as it is; or a job's number, and the text behind it
    #[arg(value_name = "TEXT|JOB", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub first: Option<String>,
    /// The text, where a job stands before it
    #[arg(value_name = "TEXT", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub second: Option<String>,
    /// A regular expression instead of a text
    #[arg(short = 'E', long, value_name = "RE", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub regex: Option<String>,
    /// On these devices: a name, a node set, a group, any target expression
    #[arg(long, value_name = "EXPR")]
    pub device: Option<String>,
    /// Of this script
    #[arg(long, value_name = "NAME")]
    pub script: Option<String>,
    /// That ended with this exit code: 70, 69-79, 1,2, !0
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub exit_code: Option<String>,
    /// In this state (several with commas): failed, timeout, offline …; `unknown`: the outcome is
    #[arg(long)]
    pub state: Option<String>,
    /// That ended like this, in any job: v1:… or its beginning
    #[arg(long, value_name = "SIGNATURE")]
    pub signature: Option<String>,
    /// In this job
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
    /// Launched from then on: 30m, 7d, 2026-11-20, 2026-11-20T10:00
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Launched before then
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// One row a job instead of one a run
    #[arg(long)]
    pub jobs: bool,
    /// So many at most [default: 100]
    #[arg(long, value_name = "N")]
    pub limit: Option<String>,
    /// stdout, stderr, or both
    #[arg(long, value_enum, default_value_t = StreamWord::All)]
    pub stream: StreamWord,
    /// In one job: how many lines of each device match, instead of the lines
    #[arg(short, long)]
    pub count: bool,
}

/// What a `search` comes to.
#[derive(Debug)]
pub enum Sought {
    /// Lines of one job, as `grep` would print them.
    Lines {
        job: u64,
        pattern: crate::model::search::Pattern,
    },
    Past(Past),
}

impl Search {
    /// # Errors
    /// Which word is wrong.
    pub fn sought(&self, here: Here<'_>) -> Result<Sought, String> {
        let number = |word: &String| word.trim_start_matches('#').parse::<u64>().ok();
        let (job, text) = match (&self.first, &self.second) {
            (Some(job), Some(text)) => {
                let job = number(job).ok_or_else(|| {
                    format!("{job} {text}: is it one text? then quote it; else a job's number comes first")
                })?;
                (Some(job), Some(text))
            }
            (Some(only), None) if self.regex.is_some() => match number(only) {
                Some(job) => (Some(job), None),
                None => return Err("one text, or one regular expression: not two".to_owned()),
            },
            (first, _) => (None, first.as_ref()),
        };
        let mut asked = Past { which: self.stream.which(), jobs: self.jobs, ..Past::default() };
        let further = [
            ("script", &self.script),
            ("exit-code", &self.exit_code),
            ("state", &self.state),
            ("signature", &self.signature),
            ("job", &self.job),
            ("since", &self.since),
            ("until", &self.until),
            ("limit", &self.limit),
        ];
        let alone = !self.jobs && further.iter().all(|(_, value)| value.is_none());
        for (name, value) in further.iter().chain(&[("device", &self.device), ("regex", &self.regex)]) {
            if let Some(value) = value {
                asked.set(name, value, here)?;
            }
        }
        if let Some(text) = text {
            asked.set_text(text)?;
        }
        match (job, asked.text.take()) {
            (Some(job), Some(pattern)) if alone => return Ok(Sought::Lines { job, pattern }),
            (Some(job), text) => (asked.job, asked.text) = (Some(job), text),
            (None, text) => asked.text = text,
        }
        if self.count {
            return Err("--count is of one job: search JOB TEXT --count".to_owned());
        }
        asked.check()?;
        Ok(Sought::Past(asked))
    }
}

#[derive(Debug, Args)]
pub struct Where {
    /// Its name; of targets any expression
    pub name: String,
    /// Only from then on: 30m, 7d, 2026-11-20, 2026-11-20T10:00
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// So many at most [default: 100]
    #[arg(long, value_name = "N")]
    pub limit: Option<String>,
}

impl Where {
    /// The jobs of a `device` or a `script`.
    ///
    /// # Errors
    /// Which word is wrong.
    pub fn sought(&self, of: &str, here: Here<'_>) -> Result<Past, String> {
        let mut asked = Past { jobs: true, ..Past::default() };
        asked.set(of, &self.name, here)?;
        for (name, value) in [("since", &self.since), ("limit", &self.limit)] {
            if let Some(value) = value {
                asked.set(name, value, here)?;
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use jiff::tz::TimeZone;

    use super::super::{Cli, Verb};
    use super::*;
    use crate::model::search::Pattern;

    fn sought(line: &[&str]) -> Result<Sought, String> {
        let cli = Cli::try_parse_from(["quarterdeck", "search"].iter().chain(line)).unwrap();
        let Some(Verb::Search(search)) = cli.verb else { panic!("{line:?}") };
        search.sought(Here { now: jiff::Timestamp::UNIX_EPOCH, zone: &TimeZone::UTC })
    }

    #[test]
    fn a_job_before_the_text_is_grep_in_that_job() {
        let lines = |line: &[&str]| match sought(line) {
            Ok(Sought::Lines { job, pattern }) => (job, pattern.spelled()),
            other => panic!("{line:?}: {other:?}"),
        };
        assert_eq!(lines(&["12", "no space left"]), (12, "no space left".to_owned()));
        assert_eq!(lines(&["12", "--regex", "rc=7", "--count"]), (12, "re:rc=7".to_owned()));
        assert_eq!(lines(&["12", "x", "--device", "web1", "--stream", "err"]).0, 12);
        assert_eq!(lines(&["12", "-x"]).1, "-x");
    }

    #[test]
    fn everything_else_is_of_past_jobs() {
        let past = |line: &[&str]| match sought(line) {
            Ok(Sought::Past(asked)) => asked,
            other => panic!("{line:?}: {other:?}"),
        };
        assert_eq!(past(&["12"]).text, Pattern::typed("12"), "a text may be a number");
        assert_eq!(past(&["12", "x", "--exit-code", "70"]).job, Some(12));
        let asked = past(&["--device", "web[1-3]", "--state", "failed", "--jobs"]);
        assert!(asked.text.is_none() && asked.jobs && asked.device.as_deref() == Some("web[1-3]"));
        for (line, says) in [
            (&["no", "space"][..], "no space: is it one text? then quote it; else a job's number comes first"),
            (&["x", "--regex", "y"], "one text, or one regular expression: not two"),
            (&["x", "--count"], "--count is of one job: search JOB TEXT --count"),
            (&[], "search for what? a text, --device, --script, --exit-code …"),
        ] {
            assert_eq!(sought(line).unwrap_err(), says);
        }
    }
}
