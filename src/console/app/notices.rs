//! What the operator should read: problems of the settings, what the engine says, what failed. Queued: the worst that
//! is unread stands on the status row for as long as its level asks, then the next; all can be read again in the log.
//! Bounded. Tells when its own time is up, and owns no clock.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

const KEPT: usize = 500;
const LENGTH: usize = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    pub const fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
        }
    }

    /// How long it stands on the status row if nobody dismisses it. An error stays.
    fn time(self) -> Option<SignedDuration> {
        match self {
            Level::Info => Some(SignedDuration::from_secs(8)),
            Level::Warn => Some(SignedDuration::from_secs(30)),
            Level::Error => None,
        }
    }
}

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Console,
    Engine,
}

impl Voice {
    pub const fn word(self) -> &'static str {
        match self {
            Voice::Console => "console",
            Voice::Engine => "engine",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub level: Level,
    pub voice: Voice,
    pub text: String,
    /// How often the same was said.
    pub times: u32,
    seen: bool,
}

#[derive(Debug, Default)]
pub struct Notices {
    /// Oldest first.
    pub all: VecDeque<Notice>,
    /// What is wrong with each thing that is read again and again, as of its last reading.
    troubles: BTreeMap<&'static str, Vec<String>>,
    /// Since when the one on the status row stands there.
    since: Option<Timestamp>,
}

impl Notices {
    /// The console's own words.
    pub fn say(&mut self, at: Timestamp, level: Level, text: impl Into<String>) {
        self.hear(at, level, Voice::Console, text);
    }

    pub fn hear(&mut self, at: Timestamp, level: Level, voice: Voice, text: impl Into<String>) {
        let mut text: String = text.into();
        if text.len() > LENGTH {
            let end = text.floor_char_boundary(LENGTH);
            text.truncate(end);
        }
        // Said before: the same notice again, not a second one.
        let before = self.all.iter().rposition(|old| old.level == level && old.text == text);
        let times = before.and_then(|before| self.all.remove(before)).map_or(1, |old| old.times.saturating_add(1));
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        if self.shown().is_none_or(|shown| shown.level <= level) {
            self.since = Some(at);
        }
        // What went before is news no more once there is later: it stands in the log, and does not come back.
        if level == Level::Info {
            self.overtaken();
        }
        self.all.push_back(Notice { at, level, voice, text, times, seen: false });
    }

    /// Was this said at any time?
    pub fn told(&self, text: &str) -> bool {
        self.all.iter().any(|old| old.text == text)
    }

    pub fn unread(&self) -> usize {
        self.all.iter().filter(|notice| !notice.seen).count()
    }

    /// The one for the status row: the worst unread, of equals the newest.
    pub fn shown(&self) -> Option<&Notice> {
        self.all.iter().filter(|notice| !notice.seen).max_by_key(|notice| notice.level)
    }

    /// All seen: the status row is free again. `false`: it was.
    pub fn dismiss(&mut self) -> bool {
        let any = self.unread() > 0;
        self.all.iter_mut().for_each(|notice| notice.seen = true);
        any
    }

    /// There is later than what was merely told: the status row is free for it.
    pub fn overtaken(&mut self) {
        self.all.iter_mut().filter(|old| old.level == Level::Info).for_each(|old| old.seen = true);
    }

    /// What it asks for was done: it need not stand there any longer.
    pub fn heeded(&mut self, text: &str) {
        self.all.iter_mut().filter(|notice| notice.text == text).for_each(|notice| notice.seen = true);
    }

    /// Something was read anew, and this is all that is wrong with it: what is new of that is said, and what is so no
    /// longer need not stand there.
    pub fn read(&mut self, at: Timestamp, what: &'static str, wrong: Vec<String>) {
        let before = self.troubles.remove(what).unwrap_or_default();
        before.iter().filter(|old| !wrong.contains(old)).for_each(|old| self.heeded(old));
        for new in wrong.iter().filter(|new| !before.contains(new)) {
            // (an engine's greeting may have said it already)
            if !self.all.iter().any(|notice| !notice.seen && notice.text == *new) {
                self.hear(at, Level::Warn, Voice::Engine, new);
            }
        }
        self.troubles.insert(what, wrong);
    }

    /// It could not be read: that stands there until it could.
    pub fn unread_again(&mut self, at: Timestamp, what: &'static str, why: String) {
        self.say(at, Level::Error, why.clone());
        let wrong = self.troubles.entry(what).or_default();
        if !wrong.contains(&why) {
            wrong.push(why);
        }
    }

    /// When the one that is shown has been there long enough.
    pub fn until(&self) -> Option<Timestamp> {
        let time = self.shown()?.level.time()?;
        self.since?.checked_add(time).ok()
    }

    /// The clock goes on. `true`: another one is shown now, or none.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        if self.until().is_none_or(|until| until > now) {
            return false;
        }
        let worst = self.shown().map(|notice| notice.level);
        let shown = self.all.iter_mut().rev().find(|notice| !notice.seen && Some(notice.level) == worst);
        shown.into_iter().for_each(|notice| notice.seen = true);
        self.since = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1000 + seconds).unwrap()
    }

    fn shown(notices: &Notices) -> &str {
        notices.shown().map_or("", |notice| notice.text.as_str())
    }

    #[test]
    fn the_same_twice_is_one_notice_and_the_queue_is_bounded() {
        let mut notices = Notices::default();
        for text in ["again", "other", "again"] {
            notices.say(at(0), Level::Warn, text);
        }
        assert_eq!((notices.all.len(), notices.all[1].times, shown(&notices)), (2, 2, "again"));
        for n in 0..1000 {
            notices.say(at(0), Level::Info, n.to_string());
        }
        assert_eq!((notices.all.len(), shown(&notices)), (KEPT, "999"));
        assert!(notices.dismiss() && notices.shown().is_none() && !notices.dismiss());
    }

    #[test]
    fn what_is_wrong_stands_there_as_long_as_it_is_and_is_said_again_when_it_is_again() {
        let mut notices = Notices::default();
        let (one, other) = ("hosts.ini:3: no such group".to_owned(), "hosts.ini:9: no port".to_owned());
        notices.hear(at(0), Level::Warn, Voice::Engine, one.clone());
        notices.read(at(0), "the targets", vec![one.clone(), other.clone()]);
        assert_eq!((notices.all.len(), notices.unread()), (2, 2), "the greeting said one of them already");
        notices.read(at(1), "the scripts", vec![]);
        notices.read(at(1), "the targets", vec![one.clone()]);
        assert_eq!((shown(&notices), notices.unread()), (one.as_str(), 1));
        notices.dismiss();
        notices.read(at(2), "the targets", vec![one.clone()]);
        assert_eq!(notices.unread(), 0, "read once is enough");
        notices.unread_again(at(3), "the targets", "the targets could not be read again".into());
        notices.read(at(4), "the targets", vec![]);
        assert_eq!(notices.unread(), 0, "they could");
        notices.read(at(5), "the targets", vec![one.clone()]);
        assert_eq!((shown(&notices), notices.unread()), (one.as_str(), 1));
    }

    #[test]
    fn the_worst_stands_first_and_the_others_get_their_turn() {
        let mut notices = Notices::default();
        notices.say(at(0), Level::Warn, "a line of the settings");
        notices.say(at(0), Level::Error, "the engine ended");
        notices.say(at(1), Level::Info, "copied");
        assert_eq!((shown(&notices), notices.until()), ("the engine ended", None), "an error stays");
        notices.dismiss();
        notices.say(at(2), Level::Info, "launched");
        notices.say(at(3), Level::Info, "ended");
        assert_eq!((shown(&notices), notices.until()), ("ended", Some(at(11))));
        assert!(!notices.tick(at(10)) && notices.tick(at(11)));
        assert!(notices.shown().is_none(), "what was launched before has ended: it is news no more");
        assert_eq!((notices.until(), notices.all.len()), (None, 5), "nothing wakes, everything is kept");
        notices.say(at(20), Level::Warn, "one line");
        notices.say(at(21), Level::Warn, "another line");
        assert!(notices.tick(at(51)));
        assert_eq!((shown(&notices), notices.until()), ("one line", Some(at(81))), "its time begins now");
    }
}
