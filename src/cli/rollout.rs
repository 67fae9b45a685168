//! The flags that say how a job is rolled out, and what they mean.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::CliError;
use crate::model::rollout::{Amount, Between, How, Offline, RETRIED, Rate, Retry};
use crate::model::state::RunState;
use crate::model::wire::Stopping;
use crate::settings::units;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Roll-out")]
pub struct Rollout {
    /// Send in rings, each counted from the first device: 1,5%,25%,100%
    #[arg(long, value_name = "N,N%,100%", value_delimiter = ',')]
    pub rings: Vec<Amount>,
    /// Devices of this expression come first
    #[arg(long, value_name = "EXPR", value_parser = NonEmptyStringValueParser::new())]
    pub canary: Option<String>,
    /// Rings hold every value of these facts as early as they can (site,os)
    #[arg(long, value_name = "FACT,...", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub spread: Vec<String>,
    /// The same text draws the same order again [default: the plan's id]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub seed: Option<String>,
    /// Between rings: go on when all is sent, wait for every end, or ask for `jobs approve` [default: wait]
    #[arg(long, value_name = "go|wait|ask", value_parser = between)]
    pub between: Option<Between>,
    /// Stop when so many devices, or this share of them, have gone wrong (5%, or 5%,20: whichever comes first): failed,
    /// timed out, or let us not in; unreachable ones only with --count-unreachable
    #[arg(long, value_name = "N|N%", value_delimiter = ',')]
    pub max_fail: Vec<Amount>,
    /// Devices that cannot be reached have gone wrong too
    #[arg(long)]
    pub count_unreachable: bool,
    /// Stop at so many ways to go wrong that earlier jobs of the script never met
    #[arg(long, value_name = "N")]
    pub new_signatures: Option<u32>,
    /// Scripts started in a time, at most: 10/s, 30/m, 100/h
    #[arg(long, value_name = "RATE")]
    pub start_rate: Option<Rate>,
    /// End the whole job so long after its launch
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Try a device again, so often; but not where the outcome is unknown, as the script may have done half its work
    #[arg(long, value_name = "TIMES")]
    pub retry: Option<u32>,
    /// ... so long after it ended (30s, 5m) [default: at once]
    #[arg(long, value_name = "DURATION", requires = "retry", value_parser = duration)]
    pub retry_after: Option<Duration>,
    /// ... when it ended like this: failed, timeout, offline [default: all three]
    #[arg(long, value_name = "STATE,...", requires = "retry", value_delimiter = ',', value_parser = state)]
    pub retry_on: Vec<RunState>,
    /// Devices that cannot be reached: skip, or queue=24h to try them again for so long [default: skip]
    #[arg(long, value_name = "skip|queue=DURATION", value_parser = offline)]
    pub if_offline: Option<Offline>,
}

impl Rollout {
    /// # Errors
    /// What cannot be meant, before anything is asked of the engine.
    pub fn how(&self) -> Result<How, CliError> {
        let retry = self.retry.map(|times| Retry {
            times,
            after_ms: self.retry_after.map_or(0, ms),
            on: if self.retry_on.is_empty() { RETRIED.to_vec() } else { self.retry_on.clone() },
        });
        let how = How {
            rings: self.rings.clone(),
            canary: self.canary.clone(),
            spread: self.spread.clone(),
            seed: self.seed.clone(),
            between: self.between.unwrap_or_default(),
            max_fail: self.max_fail.clone(),
            count_unreachable: self.count_unreachable,
            new_signatures: self.new_signatures,
            start_rate: self.start_rate,
            deadline_ms: self.deadline.map(ms),
            retry,
            offline: self.if_offline.unwrap_or_default(),
        };
        how.check().map_err(|why| CliError::Usage(format!("{why}; nothing was sent")))?;
        Ok(how)
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn duration(text: &str) -> Result<Duration, String> {
    units::duration(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a duration such as 30s, 10m or 2h".to_owned())
}

fn between(text: &str) -> Result<Between, String> {
    Between::ALL.into_iter().find(|between| between.word() == text).ok_or_else(|| "expected go, wait or ask".to_owned())
}

fn state(text: &str) -> Result<RunState, String> {
    let text = if text == "unreachable" { "offline" } else { text };
    RETRIED
        .into_iter()
        .find(|state| state.word() == text)
        .ok_or_else(|| "expected failed, timeout or offline".to_owned())
}

fn offline(text: &str) -> Result<Offline, String> {
    match text.split_once('=') {
        None if text == "skip" => Ok(Offline::Skip),
        Some(("queue", time)) => duration(time).map(|time| Offline::Queue { expire_ms: ms(time) }),
        _ => Err("expected skip, or queue= and a duration: queue=24h".to_owned()),
    }
}

/// What stopping means.
#[derive(Debug, Args)]
pub struct Meaning {
    /// Only send to no further device; what has been sent to goes on
    #[arg(long, visible_alias = "queued", conflicts_with = "unstarted")]
    sending: bool,
    /// Also withdraw what has been sent and has not started; what runs goes on
    #[arg(long)]
    unstarted: bool,
}

impl Meaning {
    pub const fn stop(&self) -> Stopping {
        match (self.sending, self.unstarted) {
            (true, _) => Stopping::Sending,
            (_, true) => Stopping::Unstarted,
            _ => Stopping::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rollout: Rollout,
    }

    fn how(line: &str) -> Result<How, String> {
        Line::try_parse_from(std::iter::once("x").chain(line.split_whitespace()))
            .map_err(|error| error.to_string())
            .and_then(|line| line.rollout.how().map_err(|error| error.to_string()))
    }

    #[test]
    fn no_flag_is_a_plain_job() {
        assert_eq!(how(""), Ok(How::default()));
    }

    #[test]
    fn the_flags_say_all_of_it() {
        let said =
            how("--rings 1,5%,100% --canary tag:canary --spread site,os --seed s --between ask --max-fail 5%,20 \
             --count-unreachable --new-signatures 1 --start-rate 10/s --deadline 4h --retry 2 --retry-after 5m \
             --retry-on timeout,unreachable --if-offline queue=24h");
        let expected = How {
            rings: vec![Amount::Devices(1), Amount::Share(500), Amount::Share(10_000)],
            canary: Some("tag:canary".into()),
            spread: vec!["site".into(), "os".into()],
            seed: Some("s".into()),
            between: Between::Ask,
            max_fail: vec![Amount::Share(500), Amount::Devices(20)],
            count_unreachable: true,
            new_signatures: Some(1),
            start_rate: Some(Rate { starts: 10, per_ms: 1_000 }),
            deadline_ms: Some(4 * 3_600_000),
            retry: Some(Retry { times: 2, after_ms: 300_000, on: vec![RunState::Timeout, RunState::Offline] }),
            offline: Offline::Queue { expire_ms: 86_400_000 },
        };
        assert_eq!(said, Ok(expected));
    }

    #[test]
    fn slips_are_told_before_anything_is_sent() {
        for (line, says) in [
            ("--rings 1,50%", "100%"),
            ("--rings many", "number of devices"),
            ("--between later --rings 1,100%", "go, wait or ask"),
            ("--between ask", "no rings"),
            ("--max-fail 0", "stops at the first"),
            ("--if-offline queue", "queue=24h"),
            ("--retry-after 5m", "--retry"),
            ("--retry 1 --retry-on ok", "failed, timeout or offline"),
            ("--start-rate 0", "no start rate"),
            ("--deadline 0", "duration"),
        ] {
            let error = how(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
