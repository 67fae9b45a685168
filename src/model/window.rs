//! Times in which nothing is to be sent: from a moment until another, or every week, on the clock of a stated zone.

use std::sync::Arc;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::device::{Device, Inventory};
use super::target;

const DAY: i32 = 24 * 60;
const WEEK: i32 = 7 * DAY;

/// A window of the configuration: what it keeps scripts away from, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub kind: ClosedKind,
    /// An expression. A freeze without one is of whole connections.
    pub target: Option<String>,
    /// A freeze of all connections, not of the protected ones alone.
    pub everywhere: bool,
    pub window: Window,
    pub reason: String,
    /// Where the target is written.
    pub place: Option<String>,
    /// Nobody wrote it: it stands for those that may be lost, because of this.
    pub lost: Option<String>,
}

impl Closed {
    /// A freeze of everything until that is put right.
    pub fn of_everything(why: &str) -> Self {
        Self {
            kind: ClosedKind::Freeze,
            target: None,
            everywhere: true,
            window: Window::always(),
            reason: "what the configuration freezes is not known".to_owned(),
            place: None,
            lost: Some(why.to_owned()),
        }
    }

    /// The devices of its target, if it has one. An error, with its place: it means nothing that the inventory knows,
    /// so that nobody knows what is to be left alone. (What a job left is no target of a window: that is written beforehand.)
    pub fn means<'i>(&self, inventory: &'i Inventory) -> Option<Result<Vec<&'i Arc<Device>>, String>> {
        let expr = self.target.as_deref()?;
        let found = target::parse(expr).and_then(|expr| expr.resolve(inventory, &target::Sets::new()));
        let place = self.place.as_deref().unwrap_or("the configuration");
        Some(found.map_err(|wrong| format!("{place}: `target` in [[{}]]: {}", self.kind.word(), wrong.message)))
    }

    /// In words: what is so, until when, why. `until` as its window says.
    pub fn says(&self, until: &str) -> String {
        let word = match self.kind {
            ClosedKind::Maintenance => "in maintenance",
            ClosedKind::Freeze => "in a change freeze",
        };
        match &self.lost {
            Some(why) => format!("{word} until the configuration is put right, as {} ({why})", self.reason),
            None if self.reason == self.kind.word() => format!("{word} {until}"),
            None => format!("{word} {until}: {}", self.reason),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedKind {
    Maintenance,
    Freeze,
}

impl ClosedKind {
    pub const fn word(self) -> &'static str {
        match self {
            ClosedKind::Maintenance => "maintenance",
            ClosedKind::Freeze => "freeze",
        }
    }
}

/// When. Both at once: the weekly hours, within those moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Option<DateTime>,
    pub until: Option<DateTime>,
    pub weekly: Option<Weekly>,
    pub zone: TimeZone,
}

/// Spans of a week: start and length in minutes, from Monday 00:00.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weekly {
    /// As written.
    pub text: String,
    spans: Vec<(i32, i32)>,
}

impl Window {
    /// In force for ever.
    pub fn always() -> Self {
        Self { from: None, until: None, weekly: None, zone: TimeZone::UTC }
    }

    /// In words until when, if it is in force now.
    pub fn holds(&self, now: Timestamp) -> Option<String> {
        let here = now.to_zoned(self.zone.clone());
        let clock = here.datetime();
        if self.from.is_some_and(|from| clock < from) || self.until.is_some_and(|until| clock >= until) {
            return None;
        }
        let zone = zone_name(&here);
        let date = self.until.map(|until| format!("until {} {zone}", until.strftime("%Y-%m-%d %H:%M")));
        let Some(weekly) = &self.weekly else {
            return Some(date.unwrap_or_else(|| "until it is taken out of the configuration".to_owned()));
        };
        let end = weekly.ends(clock)?;
        let (day, minute) = (DAYS[usize::try_from(end / DAY).unwrap_or(0)], end % DAY);
        Some(format!("until {day} {:02}:{:02} {zone}", minute / 60, minute % 60))
    }
}

/// `Europe/Paris`, or what it is ahead of UTC where it has no name.
fn zone_name(here: &Zoned) -> String {
    here.time_zone().iana_name().map_or_else(|| here.strftime("UTC%:z").to_string(), str::to_owned)
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Weekly {
    /// Reads `Fri 18:00 - Mon 06:00` (one span), or `Mon-Fri 22:00-06:00`, `Sat,Sun` (hours of days; past midnight
    /// where the end is not after the beginning).
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no time of the week: write \"Fri 18:00 - Mon 06:00\", \"Mon-Fri 22:00-06:00\" or \"Sat,Sun\""
            )
        };
        // what a dash joins is one word
        let tight = |text: &str, by: char| text.split(by).map(str::trim).collect::<Vec<_>>().join(&by.to_string());
        let joined = tight(&tight(text, '-'), ',');
        let spans = match joined.split_whitespace().collect::<Vec<_>>().as_slice() {
            [from, middle, until] => {
                let (first_time, last_day) = middle.split_once('-').ok_or_else(wrong)?;
                let moment = |day: &str, time: &str| Some(weekday(day)? * DAY + minute(time)?);
                let from = moment(from, first_time).ok_or_else(wrong)?;
                let until = moment(last_day, until).ok_or_else(wrong)?;
                let long = (until - from).rem_euclid(WEEK);
                if long == 0 {
                    return Err(wrong()); // nothing, or the whole week? nobody means either
                }
                vec![(from % WEEK, long)]
            }
            [days, times @ ..] if times.len() <= 1 => {
                let (from, long) = match times.first() {
                    None => (0, DAY),
                    Some(times) => {
                        let (from, until) = times.split_once('-').ok_or_else(wrong)?;
                        let (from, until) = (minute(from).ok_or_else(wrong)?, minute(until).ok_or_else(wrong)?);
                        if from == until || from == DAY {
                            return Err(wrong());
                        }
                        (from, (until - from).rem_euclid(DAY))
                    }
                };
                let long = if long == 0 { DAY } else { long }; // 00:00-24:00
                let mut spans = Vec::new();
                for part in days.split(',') {
                    let (first, last) = part.split_once('-').unwrap_or((part, part));
                    let (first, last) = (weekday(first).ok_or_else(wrong)?, weekday(last).ok_or_else(wrong)?);
                    spans.extend((0..=(last - first).rem_euclid(7)).map(|n| ((first + n) % 7 * DAY + from, long)));
                }
                spans
            }
            _ => return Err(wrong()),
        };
        Ok(Self { text: text.to_owned(), spans })
    }

    /// The minute of the week at which it ends, if it is on.
    fn ends(&self, at: DateTime) -> Option<i32> {
        let day = i32::from(at.weekday().to_monday_zero_offset());
        let now = day * DAY + i32::from(at.hour()) * 60 + i32::from(at.minute());
        let open = |at: i32| {
            let on = self.spans.iter().filter(|(start, long)| (at - start).rem_euclid(WEEK) < *long);
            on.map(|(start, long)| start + long - at).map(|left| left.rem_euclid(WEEK)).max()
        };
        // spans that touch are one: look on from where this one ends
        let mut end = now;
        for _ in 0..=self.spans.len() {
            match open(end.rem_euclid(WEEK)) {
                Some(left) if left > 0 && end - now < WEEK => end += left,
                _ => break,
            }
        }
        (end > now).then(|| end.rem_euclid(WEEK))
    }
}

fn weekday(word: &str) -> Option<i32> {
    let short: String = word.chars().take(3).collect::<String>().to_ascii_lowercase();
    let at = DAYS.iter().position(|day| day.eq_ignore_ascii_case(&short))?;
    let long = Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()?;
    let whole = format!("{long:?}");
    (word.len() == 3 || word.eq_ignore_ascii_case(&whole)).then(|| i32::try_from(at).unwrap_or(0))
}

/// Minute of a day; 24:00 is its end.
fn minute(text: &str) -> Option<i32> {
    let (hour, minute) = text.split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    if (hour, minute) == (24, 0) {
        return Some(DAY);
    }
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
    Some(i32::from(time.hour()) * 60 + i32::from(time.minute()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zoned: &str) -> Timestamp {
        zoned.parse::<Zoned>().unwrap().timestamp()
    }

    fn weekly(text: &str, zone: &str) -> Window {
        let zone = TimeZone::get(zone).unwrap();
        Window { weekly: Some(Weekly::parse(text).unwrap()), zone, ..Window::always() }
    }

    #[test]
    fn a_span_of_the_week_wraps_around_sunday_night() {
        let window = weekly("Fri 18:00 - Mon 06:00", "Europe/Paris");
        for (now, holds) in [
            ("2026-11-20T17:59[Europe/Paris]", false),
            ("2026-11-20T18:00[Europe/Paris]", true),
            ("2026-11-22T23:59[Europe/Paris]", true),
            ("2026-11-23T05:59[Europe/Paris]", true),
            ("2026-11-23T06:00[Europe/Paris]", false),
            // another clock, the same moment
            ("2026-11-23T04:59[UTC]", true),
            ("2026-11-23T05:00[UTC]", false),
        ] {
            assert_eq!(window.holds(at(now)).is_some(), holds, "{now}");
        }
        assert_eq!(window.holds(at("2026-11-22T12:00[UTC]")).unwrap(), "until Mon 06:00 Europe/Paris");
    }

    #[test]
    fn hours_of_days_go_past_midnight_and_days_that_touch_are_one() {
        let nights = weekly("Mon-Fri 22:00-06:00", "UTC");
        for (now, until) in [
            ("2026-11-23T23:00[UTC]", Some("until Tue 06:00 UTC")),
            ("2026-11-24T05:00[UTC]", Some("until Tue 06:00 UTC")),
            ("2026-11-24T12:00[UTC]", None),
            ("2026-11-28T05:00[UTC]", Some("until Sat 06:00 UTC")),
            ("2026-11-28T23:00[UTC]", None),
        ] {
            assert_eq!(nights.holds(at(now)).as_deref(), until, "{now}");
        }
        let weekend = weekly("sat,sunday", "UTC");
        assert_eq!(weekend.holds(at("2026-11-21T01:00[UTC]")).unwrap(), "until Mon 00:00 UTC");
        assert!(weekly("Mon-Sun 00:00-24:00", "UTC").holds(at("2026-11-21T01:00[UTC]")).is_some(), "always on");
    }

    #[test]
    fn dates_are_on_the_clock_of_their_zone_also_where_it_changes() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let day = |text: &str| Some(text.parse::<DateTime>().unwrap());
        // the night in which the clock goes back
        let window = Window { from: day("2026-10-25T02:30"), until: day("2026-10-25T04:00"), weekly: None, zone };
        assert_eq!(window.holds(at("2026-10-25T00:00[UTC]")), None);
        assert_eq!(window.holds(at("2026-10-25T02:00[UTC]")).unwrap(), "until 2026-10-25 04:00 Europe/Paris");
        assert_eq!(window.holds(at("2026-10-25T03:00[UTC]")), None);
        assert!(Window::always().holds(Timestamp::now()).unwrap().contains("until it is taken out"));
    }

    #[test]
    fn what_is_no_time_of_the_week_is_refused() {
        for text in [
            "",
            "Mon-",
            "Moon",
            "Mon 25:00-26:00",
            "Mon 1:0-2:00",
            "Mon 08:00",
            "Mon 08:00-08:00",
            "Fri 18:00 - Fri 18:00",
            "08:00-09:00",
            "Mon Tue Wed Thu",
            "Mon-Fri-Sun",
            "Mon 24:00-08:00",
        ] {
            let wrong = Weekly::parse(text).unwrap_err();
            assert!(wrong.contains("is no time of the week"), "{text}: {wrong}");
        }
    }
}
