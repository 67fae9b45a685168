//! Block How of the launch dialog: the fields that say how a job is rolled out, where each stands, and what they mean
//! together. What can be said against it is the model's affair.

use super::request::Quote;
use super::{Field, Launch, Slot};
use crate::console::app::form::{Input, Text, duration};
use crate::model::rollout::{Amount, Between, How, Offline, RETRIED, Retry, amounts};
use crate::model::state::RunState;

/// A field that only a roll-out has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    Rings,
    Between,
    StopShare,
    StopDevices,
    NewSignatures,
    Unreachable,
    StartRate,
    Deadline,
    Offline,
    Expire,
    Retry,
    RetryAfter,
    RetryOn,
    Canary,
    Spread,
}

/// What stands between rings, in the order of the choice.
const BETWEEN: [(Between, &str); 3] = [
    (Between::Wait, "wait for all"),
    (Between::Ask, "wait for all, then ask"),
    (Between::Go, "go on when all is sent"),
];
const SKIP: &str = "skip";
const QUEUE: &str = "queue";
/// How long a device is waited for where nothing else is said.
const EXPIRE: &str = "24h";

/// Cells before the first field of a row.
pub const LABEL: u16 = 10;

/// How a field stands in its row.
struct Look {
    /// Cells of the field; 0: the rest of the row.
    width: u16,
    /// What stands behind it.
    suffix: &'static str,
    /// It is the first of its row.
    begins: bool,
}

/// Where a field of the block is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub field: usize,
    pub row: usize,
    /// From the left of the block.
    pub x: u16,
    /// Cells of the label, and of label, blank and field together.
    pub label: u16,
    pub width: u16,
    pub suffix: &'static str,
}

impl Knob {
    /// As templates and settings spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Knob::Rings => "rings",
            Knob::Between => "between",
            Knob::StopShare => "stop_share",
            Knob::StopDevices => "stop_devices",
            Knob::NewSignatures => "new_signatures",
            Knob::Unreachable => "count_unreachable",
            Knob::StartRate => "start_rate",
            Knob::Deadline => "deadline",
            Knob::Offline => "offline",
            Knob::Expire => "expire",
            Knob::Retry => "retry",
            Knob::RetryAfter => "retry_after",
            Knob::RetryOn => "retry_on",
            Knob::Canary => "canary",
            Knob::Spread => "spread",
        }
    }
}

/// The fields of the block, in their order.
pub(super) fn fields() -> Vec<Field> {
    let text = || Input::Text(Text::default());
    let choice =
        |of: Vec<&str>| Input::Choice { of: of.into_iter().map(str::to_owned).collect(), at: Some(0), optional: false };
    let field = |slot: Slot, label: &str, input: Input, note: &str| Field {
        block: 2,
        slot,
        label: label.to_owned(),
        input,
        note: note.to_owned(),
        required: false,
    };
    let knob = |knob: Knob, label: &str, input: Input, note: &str| field(Slot::How(knob), label, input, note);
    vec![
        knob(Knob::Rings, "rings", text(), "none: all of them. 1, 5%, 25%, 100% counts from the first"),
        knob(Knob::Between, "between", choice(BETWEEN.iter().map(|(_, word)| *word).collect()), ""),
        knob(Knob::StopShare, "stop at", text(), "per cent of the devices gone wrong"),
        knob(Knob::StopDevices, "or", text(), "devices gone wrong"),
        knob(Knob::NewSignatures, "or", text(), "failures that no earlier job of the script met"),
        knob(Knob::Unreachable, "unreachable counts", Input::Flag(false), "as gone wrong"),
        field(Slot::AtOnce, "at once", text(), ""),
        knob(Knob::StartRate, "rate", text(), "10/s 30/m 100/h"),
        field(Slot::Timeout, "timeout", text(), "of one device: 30s 10m 2h"),
        knob(Knob::Deadline, "whole job", text(), "30m 4h"),
        knob(Knob::Offline, "offline", choice(vec![SKIP, QUEUE]), ""),
        knob(Knob::Expire, "expire", Input::Text(Text::new(EXPIRE)), "how long they are tried again"),
        knob(Knob::Retry, "retry", text(), "times"),
        knob(Knob::RetryAfter, "after", text(), "30s 5m"),
        knob(Knob::RetryOn, "on", text(), "failed, timeout, offline"),
        knob(Knob::Canary, "canary", text(), "an expression: these devices come first"),
        knob(Knob::Spread, "spread", text(), "facts: rings hold every value early (site, os)"),
    ]
}

fn look(slot: &Slot) -> Look {
    let look = |width, suffix, begins| Look { width, suffix, begins };
    match slot {
        Slot::How(Knob::StopShare) => look(5, "%", true),
        Slot::How(Knob::StopDevices) => look(7, "bad", false),
        Slot::How(Knob::NewSignatures) => look(5, "new", false),
        Slot::How(Knob::Unreachable) => look(3, "", true),
        Slot::AtOnce => look(7, "", true),
        Slot::Timeout | Slot::How(Knob::StartRate | Knob::Deadline | Knob::Expire | Knob::RetryAfter) => {
            look(7, "", false)
        }
        Slot::How(Knob::Offline) => look(9, "", true),
        Slot::How(Knob::Retry) => look(5, "x", true),
        Slot::How(Knob::RetryOn) => look(0, "", false),
        _ => look(0, "", true),
    }
}

/// The least that the rest of a row is good for.
const REST: u16 = 14;

impl Launch {
    /// Where the fields of block How stand in so many cells: as many to a row as fit.
    pub fn places(&self, width: u16) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        let (mut row, mut x) = (0, 0);
        for (at, field) in self.fields.iter().enumerate().filter(|(_, field)| field.block == 2) {
            let Look { width: own, suffix, begins } = look(&field.slot);
            let behind = if suffix.is_empty() { 0 } else { suffix.len() as u16 + 1 };
            let name = field.label.chars().count() as u16;
            let least = if own == 0 { REST } else { own };
            if x > 0 && (begins || x + 1 + name + 1 + least + behind > width) {
                (row, x) = (row + 1, 0);
            }
            if x > 0 {
                x += 1;
            }
            let label = if x == 0 { name.max(LABEL - 1) } else { name };
            let room = width.saturating_sub(x + label + 1);
            let own = if own == 0 { room } else { own.min(room) };
            places.push(Place { field: at, row, x, label, width: label + 1 + own, suffix });
            x += label + 1 + own + behind;
        }
        places
    }

    fn knob(&self, knob: Knob) -> Option<String> {
        self.value(&Slot::How(knob)).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// What block How asks for.
    ///
    /// # Errors
    /// What of it cannot be read, by the field's name.
    pub(super) fn how(&self) -> Result<How, String> {
        let number = |knob: Knob, what: &str| match self.knob(knob) {
            None => Ok(None),
            Some(text) => text.parse::<u32>().map(Some).map_err(|_| format!("{what}: \"{text}\" is not a number")),
        };
        let time = |knob: Knob, what: &str| {
            let limit = duration(&self.knob(knob).unwrap_or_default()).map_err(|why| format!("{what}: {why}"))?;
            Ok::<_, String>(limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
        };
        let mut how = How::default();
        if let Some(text) = self.knob(Knob::Rings) {
            how.rings = amounts(&text).map_err(|why| format!("rings: {why}"))?;
        }
        let between = self.knob(Knob::Between);
        let between = BETWEEN.iter().find(|(_, word)| between.as_deref() == Some(word));
        how.between = between.map_or_else(Between::default, |(between, _)| *between);
        if let Some(text) = self.knob(Knob::StopShare) {
            let share = format!("{}%", text.trim_end_matches('%').trim());
            how.max_fail.push(share.parse().map_err(|why| format!("stop at: {why}"))?);
        }
        if let Some(devices) = number(Knob::StopDevices, "stop at")? {
            how.max_fail.push(Amount::Devices(devices));
        }
        how.new_signatures = number(Knob::NewSignatures, "new signatures")?;
        how.count_unreachable = self.knob(Knob::Unreachable).is_some();
        if let Some(text) = self.knob(Knob::StartRate) {
            how.start_rate = Some(text.parse().map_err(|why| format!("rate: {why}"))?);
        }
        how.deadline_ms = time(Knob::Deadline, "whole job")?;
        if self.knob(Knob::Offline).as_deref() == Some(QUEUE) {
            let expire_ms = time(Knob::Expire, "expire")?.ok_or("expire: say how long, such as 24h")?;
            how.offline = Offline::Queue { expire_ms };
        }
        if let Some(times) = number(Knob::Retry, "retry")? {
            let on = self.knob(Knob::RetryOn).map_or(Ok(RETRIED.to_vec()), |text| states(&text))?;
            how.retry = Some(Retry { times, after_ms: time(Knob::RetryAfter, "retry after")?.unwrap_or(0), on });
        }
        how.canary = self.knob(Knob::Canary);
        how.spread = self.knob(Knob::Spread).map_or_else(Vec::new, |text| words(&text).map(str::to_owned).collect());
        Ok(how)
    }

    /// As a job was rolled out before.
    pub fn put_how(&mut self, how: &How) {
        let span = |ms: u64| crate::settings::units::show_duration(std::time::Duration::from_millis(ms));
        let share = how.max_fail.iter().find(|amount| matches!(amount, Amount::Share(_)));
        let devices = how.max_fail.iter().find(|amount| matches!(amount, Amount::Devices(_)));
        let retry = how.retry.as_ref();
        for field in &mut self.fields {
            let Slot::How(knob) = field.slot else { continue };
            let value: Option<String> = match knob {
                Knob::Rings => Some(how.rings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
                Knob::Between => {
                    BETWEEN.iter().find(|(between, _)| *between == how.between).map(|(_, word)| (*word).to_owned())
                }
                Knob::StopShare => share.map(|share| share.to_string().trim_end_matches('%').to_owned()),
                Knob::StopDevices => devices.map(ToString::to_string),
                Knob::NewSignatures => how.new_signatures.map(|n| n.to_string()),
                Knob::Unreachable => how.count_unreachable.then(|| "true".to_owned()),
                Knob::StartRate => how.start_rate.map(|rate| rate.to_string()),
                Knob::Deadline => how.deadline_ms.map(span),
                Knob::Offline if how.offline == Offline::Skip => Some(SKIP.to_owned()),
                Knob::Offline => Some(QUEUE.to_owned()),
                Knob::Expire => match how.offline {
                    Offline::Skip => Some(EXPIRE.to_owned()),
                    Offline::Queue { expire_ms } => Some(span(expire_ms)),
                },
                Knob::Retry => retry.map(|retry| retry.times.to_string()),
                Knob::RetryAfter => retry.filter(|retry| retry.after_ms > 0).map(|retry| span(retry.after_ms)),
                Knob::RetryOn => {
                    let on = retry.filter(|retry| retry.on != RETRIED);
                    on.map(|retry| retry.on.iter().map(|state| state.word()).collect::<Vec<_>>().join(", "))
                }
                Knob::Canary => how.canary.clone(),
                Knob::Spread => Some(how.spread.join(", ")),
            };
            field.input.put(value.as_deref());
        }
    }

    /// The flags that say the same to the shell.
    pub(super) fn how_flags(&self, quote: Quote<'_>) -> String {
        let Ok(how) = self.how() else { return String::new() };
        let mut line = String::new();
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                line.push_str(&format!(" --{name} {}", quote(&value)));
            }
        };
        let list = |amounts: &[Amount]| {
            let all = amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            (!all.is_empty()).then_some(all)
        };
        flag("rings", list(&how.rings));
        flag("between", (how.between != Between::default()).then(|| how.between.word().to_owned()));
        flag("max-fail", list(&how.max_fail));
        flag("new-signatures", how.new_signatures.map(|n| n.to_string()));
        flag("start-rate", how.start_rate.map(|rate| rate.to_string()));
        flag("deadline", how.deadline_ms.and(self.knob(Knob::Deadline)));
        if let Offline::Queue { .. } = how.offline {
            flag("if-offline", self.knob(Knob::Expire).map(|time| format!("queue={time}")));
        }
        flag("retry", how.retry.as_ref().map(|retry| retry.times.to_string()));
        if let Some(retry) = &how.retry {
            flag("retry-after", self.knob(Knob::RetryAfter));
            let on = retry.on.iter().map(|state| state.word()).collect::<Vec<_>>().join(",");
            flag("retry-on", (retry.on != RETRIED).then_some(on));
        }
        flag("canary", how.canary.clone());
        flag("spread", (!how.spread.is_empty()).then(|| how.spread.join(",")));
        // the same devices in the same order
        let seed = self.plan.as_ref().filter(|plan| !plan.rollout.rings.is_empty());
        flag("seed", seed.map(|plan| plan.rollout.seed.clone()));
        if how.count_unreachable {
            line.push_str(" --count-unreachable");
        }
        line
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ']).filter(|word| !word.is_empty())
}

/// `timeout, unreachable`
fn states(text: &str) -> Result<Vec<RunState>, String> {
    let state = |word: &str| {
        let word = if word == "unreachable" { "offline" } else { word };
        let known = RETRIED.into_iter().find(|state| state.word() == word);
        known.ok_or_else(|| format!("retry on: \"{word}\" is none of failed, timeout, offline"))
    };
    words(text).map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::launch::At;
    use crate::console::app::sample;

    fn launch() -> Launch {
        Launch::new(&sample::library().scripts, Some("disk-use.sh"), "web")
    }

    fn put(launch: &mut Launch, knob: Knob, value: &str) {
        let field = launch.fields.iter_mut().find(|field| field.slot == Slot::How(knob)).unwrap();
        field.input.put(Some(value));
    }

    #[test]
    fn an_untouched_block_asks_for_nothing() {
        let launch = launch();
        assert_eq!(launch.how(), Ok(How::default()));
        assert_eq!(launch.how_flags(&|text| text.to_owned()), "");
    }

    #[test]
    fn what_is_written_is_asked_for_put_back_and_told_to_the_shell() {
        let mut launch = launch();
        for (knob, value) in [
            (Knob::Rings, "1, 5%, 25%, 100%"),
            (Knob::Between, "wait for all, then ask"),
            (Knob::StopShare, "5"),
            (Knob::StopDevices, "20"),
            (Knob::NewSignatures, "1"),
            (Knob::Unreachable, "true"),
            (Knob::StartRate, "10/s"),
            (Knob::Deadline, "4h"),
            (Knob::Offline, "queue"),
            (Knob::Expire, "12h"),
            (Knob::Retry, "1"),
            (Knob::RetryAfter, "5m"),
            (Knob::RetryOn, "timeout, unreachable"),
            (Knob::Canary, "canary"),
            (Knob::Spread, "site os"),
        ] {
            put(&mut launch, knob, value);
        }
        let how = launch.how().unwrap();
        assert_eq!(how.check(), Ok(()));
        assert_eq!(how.rings, [Amount::Devices(1), Amount::Share(500), Amount::Share(2500), Amount::Share(10_000)]);
        assert_eq!((how.between, how.offline), (Between::Ask, Offline::Queue { expire_ms: 43_200_000 }));
        assert_eq!(how.max_fail, [Amount::Share(500), Amount::Devices(20)]);
        assert_eq!(how.retry.as_ref().unwrap().on, [RunState::Timeout, RunState::Offline]);
        assert_eq!(
            launch.how_flags(&|text| text.to_owned()),
            " --rings 1,5%,25%,100% --between ask --max-fail 5%,20 --new-signatures 1 --start-rate 10/s --deadline 4h \
             --if-offline queue=12h --retry 1 --retry-after 5m --retry-on timeout,offline --canary canary \
             --spread site,os --count-unreachable"
        );
        let mut again = super::Launch::new(&sample::library().scripts, Some("disk-use.sh"), "web");
        again.put_how(&how);
        assert_eq!(again.how(), Ok(how));
    }

    #[test]
    fn what_cannot_be_read_is_said_by_its_field() {
        for (knob, value, said) in [
            (Knob::Rings, "one", "rings: "),
            (Knob::StopShare, "many", "stop at: "),
            (Knob::StopDevices, "many", "stop at: "),
            (Knob::StartRate, "fast", "rate: "),
            (Knob::Deadline, "soon", "whole job: "),
            (Knob::Retry, "often", "retry: "),
        ] {
            let mut launch = launch();
            put(&mut launch, knob, value);
            let why = launch.how().unwrap_err();
            assert!(why.starts_with(said), "{why}");
        }
    }

    #[test]
    fn who_goes_to_the_block_on_purpose_passes_every_field_of_it() {
        let mut launch = launch();
        launch.jump(2);
        let all = launch.fields.iter().filter(|field| field.block == 2).count();
        let mut passed = 0;
        while matches!(launch.at, At::Field(at) if launch.fields[at].block == 2) {
            passed += 1;
            launch.next(true);
        }
        assert_eq!(passed, all);
        launch.jump(1);
        let mut knobs = 0;
        while launch.at != At::Arm {
            launch.next(true);
            knobs += usize::from(launch.knob_at(launch.at));
        }
        assert_eq!(knobs, 0, "a plain launch is armed in a few steps");
        launch.at = At::Field(0);
        let mut passed = 0;
        while matches!(launch.at, At::Field(_)) {
            passed += 1;
            launch.step(true);
        }
        assert_eq!(passed, launch.fields.len(), "step by step no field is passed over");
    }

    #[test]
    fn every_field_has_a_place_of_its_own_within_the_block() {
        let launch = launch();
        for width in [30, 36, 44, 66, 120] {
            let places = launch.places(width);
            assert_eq!(places.len(), launch.fields.iter().filter(|field| field.block == 2).count());
            for pair in places.windows(2) {
                let follows = pair[1].row > pair[0].row || pair[1].x >= pair[0].x + pair[0].width;
                assert!(follows && pair[1].row - pair[0].row <= 1, "{width}: {pair:?}");
            }
            assert!(places.iter().all(|place| place.x + place.width <= width), "{width}");
        }
    }
}
