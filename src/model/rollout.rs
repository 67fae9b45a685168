//! How a job is rolled out: in which rings, when it stops by itself, what is tried again. What the operator asks for is
//! a [`How`]; what that comes to for the devices of a plan is a [`Rollout`]; where it stands is a [`Progress`].

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{JobState, RunState};

/// Retries of one device beyond which nobody means it.
const TRIES_MAX: u32 = 100;

/// What the operator asks for. The default is a plain job: all at once, whatever happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct How {
    /// How many devices have been sent to when each ring is full, counted from the first; the last one is everything.
    /// Empty: one ring.
    pub rings: Vec<Amount>,
    /// Devices of this expression come first.
    pub canary: Option<String>,
    /// Facts whose values every ring should hold early: `site`, `os`.
    pub spread: Vec<String>,
    /// The same text puts the same devices in the same order. `None`: the plan's id.
    pub seed: Option<String>,
    pub between: Between,
    /// The job stops when this many devices have gone wrong, whichever comes first.
    pub max_fail: Vec<Amount>,
    /// Devices that could not be reached have gone wrong too.
    pub count_unreachable: bool,
    /// The job stops when it has met this many ways to go wrong that the script's earlier jobs never met.
    pub new_signatures: Option<u32>,
    pub start_rate: Option<Rate>,
    /// The whole job, from its launch.
    pub deadline_ms: Option<u64>,
    pub retry: Option<Retry>,
    pub offline: Offline,
}

/// Devices, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    Devices(u32),
    /// In hundredths of a per cent.
    Share(u32),
}

/// What has to be so before the next ring is sent to. The failure budget holds in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Between {
    /// Every device of the rings before has been sent to.
    Go,
    /// …and has ended.
    #[default]
    Wait,
    /// …and an operator has said go.
    Ask,
}

/// Starts in a time, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    pub starts: u32,
    pub per_ms: u32,
}

/// What is tried again on a device, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub times: u32,
    #[serde(default)]
    pub after_ms: u64,
    /// Ends that are tried again: `failed`, `timeout`, `offline`.
    pub on: Vec<RunState>,
}

/// What becomes of a device that cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offline {
    /// It ends as `offline`.
    #[default]
    Skip,
    /// It is tried again when it answers, until so long after the launch.
    Queue { expire_ms: u64 },
}

impl How {
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The order of the devices matters, so a seed does.
    pub fn drawn(&self) -> bool {
        !self.rings.is_empty() || self.canary.is_some() || !self.spread.is_empty()
    }

    /// What can be said against it without knowing the devices.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what would be right.
    pub fn check(&self) -> Result<(), String> {
        check_rings(&self.rings)?;
        if self.rings.is_empty() && self.between != Between::default() {
            return Err(format!("between = {}, but there are no rings to be between", self.between.word()));
        }
        for amount in &self.max_fail {
            match amount {
                Amount::Devices(0) | Amount::Share(0) => {
                    return Err("a failure budget of 0 would stop before it starts: 1 stops at the first device that goes wrong".to_owned());
                }
                Amount::Share(10_001..) => return Err(format!("a failure budget of {amount}: at most 100%")),
                _ => {}
            }
        }
        if self.count_unreachable && self.max_fail.is_empty() {
            return Err(
                "unreachable devices are to be counted, but there is no failure budget to count them in".to_owned()
            );
        }
        if self.new_signatures == Some(0) {
            return Err("a stop at 0 new signatures would stop before it starts: 1 stops at the first".to_owned());
        }
        if self.deadline_ms == Some(0) {
            return Err("a deadline of 0 leaves no time for anything".to_owned());
        }
        if let Some(retry) = &self.retry {
            retry.check()?;
        }
        if self.offline == (Offline::Queue { expire_ms: 0 }) {
            return Err(
                "devices that are offline are to be queued for no time at all: say how long, or skip them".to_owned()
            );
        }
        if self.seed.as_deref().is_some_and(|seed| seed.len() > 200) {
            return Err("the seed is longer than 200 bytes".to_owned());
        }
        Ok(())
    }

    /// Bad devices at which a job of so many stops.
    ///
    /// # Errors
    /// A budget larger than the fleet, in words.
    pub fn stop_at(&self, devices: u32) -> Result<Option<u32>, String> {
        let mut least = None;
        for amount in &self.max_fail {
            let at = amount.of(devices);
            if at > devices {
                return Err(format!(
                    "a failure budget of {amount} is more than the {devices} devices there are: it would never stop"
                ));
            }
            least = Some(least.map_or(at, |least: u32| least.min(at)));
        }
        Ok(least)
    }

    /// How many devices have been sent to at the end of each ring. Rings that add nothing are left out.
    ///
    /// # Errors
    /// The rings do not end with every device, in words.
    pub fn ends(&self, devices: u32) -> Result<Vec<u32>, String> {
        let mut ends: Vec<u32> = Vec::new();
        for ring in &self.rings {
            let end = ring.of(devices).min(devices);
            if end > ends.last().copied().unwrap_or(0) {
                ends.push(end);
            }
        }
        match ends.last() {
            Some(&last) if last < devices => {
                Err(format!("the rings end at {last} of {devices} devices: the last one has to be 100%"))
            }
            _ => Ok(ends),
        }
    }
}

fn check_rings(rings: &[Amount]) -> Result<(), String> {
    for ring in rings {
        match ring {
            Amount::Devices(0) | Amount::Share(0) => return Err("a ring of 0 devices".to_owned()),
            Amount::Share(10_001..) => return Err(format!("a ring of {ring}: at most 100%")),
            _ => {}
        }
    }
    for pair in rings.windows(2) {
        let shrinks = match (pair[0], pair[1]) {
            (Amount::Devices(a), Amount::Devices(b)) | (Amount::Share(a), Amount::Share(b)) => b <= a,
            _ => false,
        };
        if shrinks {
            return Err(format!(
                "ring {} comes after {}: rings are counted from the first device, so each has to be more than the one before",
                pair[1], pair[0]
            ));
        }
    }
    match rings.last() {
        Some(Amount::Share(share)) if *share < 10_000 => {
            Err(format!("the last ring is {}: it has to be 100%", Amount::Share(*share)))
        }
        _ => Ok(()),
    }
}

impl Retry {
    fn check(&self) -> Result<(), String> {
        if self.times == 0 || self.times > TRIES_MAX {
            return Err(format!("retry {} times: 1 to {TRIES_MAX}", self.times));
        }
        if self.on.is_empty() {
            return Err("retry on nothing: say failed, timeout or offline".to_owned());
        }
        match self.on.iter().find(|state| !RETRIED.contains(state)) {
            Some(state) => Err(format!("retry on {}: only failed, timeout and offline are tried again", state.word())),
            None => Ok(()),
        }
    }
}

/// Ends that can be tried again.
pub const RETRIED: [RunState; 3] = [RunState::Failed, RunState::Timeout, RunState::Offline];

impl Amount {
    /// Of so many devices; a share is rounded up, so that it is never nothing.
    pub fn of(self, devices: u32) -> u32 {
        match self {
            Amount::Devices(count) => count,
            Amount::Share(share) => {
                let of = (u64::from(devices) * u64::from(share)).div_ceil(10_000);
                u32::try_from(of).unwrap_or(u32::MAX)
            }
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Devices(count) => write!(f, "{count}"),
            Amount::Share(share) => match (share / 100, share % 100) {
                (whole, 0) => write!(f, "{whole}%"),
                (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
                (whole, part) => write!(f, "{whole}.{part:02}%"),
            },
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither a number of devices (20) nor a share of them (5%)");
        let text = text.trim();
        let Some(share) = text.strip_suffix('%') else {
            return digits(text).map(Amount::Devices).ok_or_else(wrong);
        };
        let (whole, part) = share.trim_end().split_once('.').unwrap_or((share.trim_end(), "0"));
        let hundredths = match part.len() {
            1 => digits(part).map(|tenths| tenths * 10),
            2 => digits(part),
            _ => None,
        };
        digits(whole)
            .and_then(|whole| whole.checked_mul(100))
            .zip(hundredths)
            .and_then(|(whole, part)| whole.checked_add(part))
            .map(Amount::Share)
            .ok_or_else(wrong)
    }
}

/// (`parse` would take a sign.)
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Rate {
    /// Milliseconds between two starts, at least; none where it is faster than that.
    pub fn every_ms(self) -> u64 {
        u64::from(self.per_ms) / u64::from(self.starts.max(1))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per_ms {
            60_000 => "m",
            3_600_000 => "h",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.starts)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (starts, unit) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
        let per_ms = match unit.trim() {
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => 0,
        };
        match digits(starts.trim()) {
            Some(starts @ 1..=1_000_000) if per_ms > 0 => Ok(Self { starts, per_ms }),
            _ => Err(format!("`{text}` is no start rate: 10/s, 30/m or 100/h")),
        }
    }
}

/// As text in JSON, where people read and write it.
macro_rules! as_text {
    ($($of:ty),*) => { $(
        impl From<$of> for String {
            fn from(value: $of) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $of {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )* };
}

as_text!(Amount, Rate);

impl Between {
    pub const ALL: [Between; 3] = [Between::Go, Between::Wait, Between::Ask];

    pub const fn word(self) -> &'static str {
        match self {
            Between::Go => "go",
            Between::Wait => "wait",
            Between::Ask => "ask",
        }
    }
}

/// `1, 5%, 25%, 100%`
///
/// # Errors
/// What of it cannot be read, in words.
pub fn amounts(text: &str) -> Result<Vec<Amount>, String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

/// What a [`How`] comes to for the devices of a plan. It does not change while the job goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollout {
    pub how: How,
    /// What the order was made from.
    pub seed: String,
    /// Empty: all devices, in the plan's order.
    pub rings: Vec<Ring>,
    /// Bad devices at which it stops.
    pub stop_at: Option<u32>,
    /// Devices that may go wrong beyond that, because they have been sent to by then.
    pub overshoot: u32,
    /// Exit codes that the script declares to be no failure; of the budget's counting alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fine_codes: Vec<i32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Indexes of the plan's devices (and of the job's runs), in the order in which they are sent to.
    pub runs: Vec<u32>,
    /// The same as a node set.
    pub devices: String,
    /// How they were chosen: `canary`, `spread over site, os`, `by lot`.
    pub why: String,
}

impl Rollout {
    /// Nothing is asked for but to run.
    pub fn is_plain(&self) -> bool {
        self.how.is_plain()
    }

    /// Which ring each of so many runs is in, from 1; 0 where there are none.
    pub fn ring_of(&self, runs: usize) -> Vec<u32> {
        let mut of = vec![0; runs];
        for (number, ring) in (1..).zip(&self.rings) {
            for run in &ring.runs {
                if let Some(slot) = of.get_mut(*run as usize) {
                    *slot = number;
                }
            }
        }
        of
    }

    /// `stops at 11 bad (5% of 219); up to 49 more may be in flight then`; `None`: it does not stop by itself for that.
    pub fn stops(&self, devices: usize) -> Option<String> {
        let at = self.stop_at?;
        let shares: Vec<String> = self
            .how
            .max_fail
            .iter()
            .filter(|amount| matches!(amount, Amount::Share(_)))
            .map(|share| format!(" ({share} of {devices})"))
            .collect();
        let over = match self.overshoot {
            0 => "none can be in flight then".to_owned(),
            n => format!("up to {n} more may be in flight then"),
        };
        Some(format!("stops at {at} bad{}; {over}", shares.concat()))
    }
}

/// Where a job stands beyond the states of its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Nothing new is sent until somebody resumes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// A ring is not sent to until somebody approves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
    /// It ended before its end, by itself; the summary's `reason` says it in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopWhy>,
    /// The ring that is being sent to, from 1, of so many; 0: the job has none.
    pub ring: u32,
    pub rings: u32,
    /// Rings that were approved: those up to this one.
    pub approved: u32,
    /// By whom, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Devices that count against the budget so far, and at how many the job stops.
    pub bad: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<u32>,
    /// Signatures of bad ends that the script's earlier jobs never met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fresh: Vec<String>,
    /// Since when nothing new is sent until somebody says so, and for how long that was so before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    pub held_ms: u64,
}

/// Who let a ring go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub ring: u32,
    pub by: String,
    pub at: Timestamp,
}

/// (By reference, as serde asks for it.)
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Login name; empty: the engine itself.
    pub by: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Paused {
    /// `by r.ito`, `by the engine: 3 runs were in flight`
    pub fn says(&self) -> String {
        let by = if self.by.is_empty() { "the engine" } else { &self.by };
        match &self.why {
            Some(why) => format!("by {by}: {why}"),
            None => format!("by {by}"),
        }
    }
}

/// Milliseconds from one moment to another; none where a clock was put back.
fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    pub ring: u32,
    /// Devices in it.
    pub devices: u32,
    pub why: String,
}

/// Why a job ended by itself before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWhy {
    Budget,
    NewSignature,
    Deadline,
}

impl StopWhy {
    pub const fn words(self) -> &'static str {
        match self {
            StopWhy::Budget => "the failure budget",
            StopWhy::NewSignature => "a new signature",
            StopWhy::Deadline => "the deadline",
        }
    }
}

impl Progress {
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Nothing new is sent until an operator says so.
    pub fn held(&self) -> bool {
        self.paused.is_some() || self.asks.is_some()
    }

    /// Keeps count of the time in which it is held.
    pub fn mark_held(&mut self, now: Timestamp) {
        match (self.held(), self.held_since) {
            (true, None) => self.held_since = Some(now),
            (false, Some(since)) => {
                self.held_ms += between(since, now);
                self.held_since = None;
            }
            _ => {}
        }
    }

    /// Milliseconds in which it was held, up to a moment.
    pub fn waited_ms(&self, now: Timestamp) -> u64 {
        self.held_ms + self.held_since.map_or(0, |since| between(since, now))
    }
}

/// Something that happens to a job as a whole, told once, after it has been recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transition", rename_all = "snake_case")]
pub enum Transition {
    Launched {
        by: String,
    },
    Paused {
        by: String,
    },
    Resumed {
        by: String,
    },
    /// A ring waits for approval.
    Asks {
        ring: u32,
        why: String,
    },
    Approved {
        by: String,
        ring: u32,
    },
    /// The first device of a ring is sent to.
    Ring {
        ring: u32,
    },
    /// A way to go wrong that the script's earlier jobs never met.
    NewSignature {
        signature: String,
        says: String,
        run: u32,
    },
    /// An operator withdrew or ended runs.
    Cancelled {
        by: String,
        withdrawn: u32,
        ending: u32,
    },
    /// It stops by itself: nothing more is sent.
    Stopped {
        why: StopWhy,
        says: String,
    },
    Ended {
        state: JobState,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(text: &str) -> How {
        How { rings: amounts(text).unwrap(), ..How::default() }
    }

    #[test]
    fn amounts_are_devices_or_shares() {
        assert_eq!(
            amounts("1, 5%,25% ,100%").unwrap(),
            [Amount::Devices(1), Amount::Share(500), Amount::Share(2500), Amount::Share(10_000),]
        );
        assert_eq!("0.25%".parse(), Ok(Amount::Share(25)));
        for text in ["5%", "0.5%", "12.25%", "7", "100%"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        for wrong in ["", "%", "-1", "+5", "5.%", "1.234%", "five", "99999999999", "99999999%"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_that_is_reached_stops_and_is_never_nothing() {
        let how = How { max_fail: vec![Amount::Share(500)], ..How::default() };
        assert_eq!(how.stop_at(219), Ok(Some(11)));
        assert_eq!(how.stop_at(220), Ok(Some(11)));
        assert_eq!(how.stop_at(3), Ok(Some(1)));
        let both = How { max_fail: vec![Amount::Share(500), Amount::Devices(20)], ..How::default() };
        assert_eq!(both.stop_at(412), Ok(Some(20)));
    }

    #[test]
    fn a_budget_larger_than_the_fleet_is_refused() {
        let how = How { max_fail: vec![Amount::Devices(20)], ..How::default() };
        assert!(how.stop_at(12).unwrap_err().contains("more than the 12 devices"));
        assert_eq!(how.stop_at(20), Ok(Some(20)));
    }

    #[test]
    fn rings_count_from_the_first_device_and_end_with_the_last() {
        assert_eq!(rings("1,5%,25%,100%").ends(219), Ok(vec![1, 11, 55, 219]));
        assert_eq!(rings("1,5%,25%,100%").ends(3), Ok(vec![1, 3]), "rings that add nothing are left out");
        assert_eq!(rings("1,5").ends(5), Ok(vec![1, 5]));
        assert!(rings("1,5").ends(6).unwrap_err().contains("5 of 6"));
        assert_eq!(rings("").ends(6), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_would_be_right() {
        for (text, says) in [
            ("1,50%", "has to be 100%"),
            ("10,5", "more than the one before"),
            ("0,100%", "0 devices"),
            ("5%,101%", "at most 100%"),
        ] {
            let error = rings(text).check().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let wrong = [
            How { max_fail: vec![Amount::Devices(0)], ..How::default() },
            How { count_unreachable: true, ..How::default() },
            How { between: Between::Ask, ..How::default() },
            How { new_signatures: Some(0), ..How::default() },
            How { deadline_ms: Some(0), ..How::default() },
            How { offline: Offline::Queue { expire_ms: 0 }, ..How::default() },
            How { retry: Some(Retry { times: 1, after_ms: 0, on: vec![RunState::Ok] }), ..How::default() },
            How { retry: Some(Retry { times: 0, after_ms: 0, on: vec![RunState::Failed] }), ..How::default() },
        ];
        for how in wrong {
            assert!(how.check().is_err(), "{how:?}");
        }
        assert_eq!(rings("1,5%,100%").check(), Ok(()));
    }

    #[test]
    fn a_rate_is_written_as_it_is_said() {
        assert_eq!("10/s".parse(), Ok(Rate { starts: 10, per_ms: 1_000 }));
        assert_eq!("10".parse::<Rate>().unwrap().every_ms(), 100);
        assert_eq!("30/m".parse::<Rate>().unwrap().to_string(), "30/m");
        for wrong in ["0/s", "/s", "10/d", "fast", "-1/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_reads_and_writes_as_people_do() {
        let how = How {
            max_fail: amounts("5%,20").unwrap(),
            start_rate: Some("10/s".parse().unwrap()),
            offline: Offline::Queue { expire_ms: 1000 },
            ..rings("1,100%")
        };
        let json = serde_json::to_value(&how).unwrap();
        assert_eq!(json["rings"], serde_json::json!(["1", "100%"]));
        assert_eq!(json["start_rate"], "10/s");
        assert_eq!(serde_json::from_value::<How>(json).unwrap(), how);
        assert_eq!(serde_json::from_str::<How>("{}").unwrap(), How::default());
        assert!(serde_json::from_str::<How>(r#"{"rings": ["lots"]}"#).is_err());
    }
}
