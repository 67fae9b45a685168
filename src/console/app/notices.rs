//! What the operator should read: problems of the settings, what the engine says, what failed. The newest
//! stands on the status row until it is read; all can be read again. Bounded.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::list::Cursor;

const KEPT: usize = 200;
const LENGTH: usize = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub level: Level,
    pub text: String,
    /// How often the same was said in a row.
    pub times: u32,
}

#[derive(Debug, Default)]
pub struct Notices {
    pub all: VecDeque<Notice>,
    /// Newest ones that nobody has dismissed yet.
    pub unread: usize,
    pub cursor: Cursor,
}

impl Notices {
    pub fn say(&mut self, at: Timestamp, level: Level, text: impl Into<String>) {
        let mut text: String = text.into();
        if text.len() > LENGTH {
            let end = text.floor_char_boundary(LENGTH);
            text.truncate(end);
        }
        if let Some(last) = self.all.back_mut()
            && last.text == text
        {
            last.times += 1;
            last.at = at;
            self.unread = self.unread.max(1);
            return;
        }
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        self.all.push_back(Notice { at, level, text, times: 1 });
        self.unread = (self.unread + 1).min(self.all.len());
    }

    /// The one for the status row.
    pub fn newest(&self) -> Option<&Notice> {
        (self.unread > 0).then(|| self.all.back()).flatten()
    }

    /// Seen: the status row is free again.
    pub fn dismiss(&mut self) -> bool {
        std::mem::take(&mut self.unread) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_twice_is_one_notice_and_the_queue_is_bounded() {
        let mut notices = Notices::default();
        notices.say(Timestamp::UNIX_EPOCH, Level::Warn, "again");
        notices.say(Timestamp::UNIX_EPOCH, Level::Warn, "again");
        assert_eq!((notices.all.len(), notices.all[0].times), (1, 2));
        for n in 0..1000 {
            notices.say(Timestamp::UNIX_EPOCH, Level::Info, n.to_string());
        }
        assert_eq!(notices.all.len(), KEPT);
        assert_eq!(notices.newest().unwrap().text, "999");
        assert!(notices.dismiss() && notices.newest().is_none());
    }
}
