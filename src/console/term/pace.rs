//! How often the screen may be drawn when no key asks for it: so often a second, a few at once after a pause, and
//! fewer on a line that drains slowly or when nobody looks. Knows the time only as it is told.

use std::time::{Duration, Instant};

/// Frames a second where nothing else is set: on this machine, and over a network line.
pub const HERE: u8 = 10;
pub const AWAY: u8 = 4;

/// Between two frames, whatever is set.
const LEAST: Duration = Duration::from_millis(33);
/// After a pause so many may follow each other: a line that comes now and then is shown at once, and with it what
/// the answer to it brings.
const AT_ONCE: u32 = 3;
/// A frame that took so long to go went over a slow line.
const SLOW: Duration = Duration::from_millis(60);
const LONGEST: Duration = Duration::from_secs(1);
/// The terminal has told that it has not the focus.
const UNWATCHED: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two frames of many.
    gap: Duration,
    last: Instant,
    /// When the next one would be, were they evenly spread.
    even: Instant,
    /// How long the last frame took to go.
    took: Duration,
    watched: bool,
}

impl Pace {
    pub fn new(fps: u8, now: Instant) -> Self {
        let gap = (Duration::from_secs(1) / u32::from(fps.max(1))).max(LEAST);
        Self { gap, last: now, even: now, took: Duration::ZERO, watched: true }
    }

    /// Between two frames, as things are.
    fn gap(&self) -> Duration {
        let gap = if self.watched { self.gap } else { self.gap.max(UNWATCHED) };
        gap.max(self.took * 4).min(LONGEST)
    }

    /// From when on the next frame may be drawn.
    pub fn due(&self) -> Instant {
        let at_once = if self.took < SLOW && self.watched { AT_ONCE - 1 } else { 0 };
        let spread = self.even.checked_sub(self.gap() * at_once).unwrap_or(self.last);
        spread.max(self.last + LEAST)
    }

    /// A frame has been drawn.
    pub fn drew(&mut self, now: Instant) {
        self.last = now;
        self.even = self.even.max(now) + self.gap();
    }

    /// The line has taken the last frame.
    pub fn drained(&mut self, took: Duration) {
        self.took = took;
        if took >= SLOW {
            self.even = self.even.max(self.last + self.gap());
        }
    }

    pub fn watched(&mut self, watched: bool) {
        self.watched = watched;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames in a second of unbroken change, each taken by the line in `took`.
    fn frames(mut pace: Pace, mut now: Instant, took: Duration) -> usize {
        let end = now + Duration::from_secs(1);
        let mut count = 0;
        while now < end {
            pace.drew(now);
            count += 1;
            pace.drained(took);
            now = pace.due().max(now + took);
        }
        count
    }

    #[test]
    fn a_flood_is_drawn_as_often_as_the_line_is_good_for() {
        let now = Instant::now();
        let warm = |fps: u8| {
            let mut pace = Pace::new(fps, now);
            (0..10).for_each(|_| pace.drew(now)); // what may follow at once has
            pace
        };
        for (fps, took, most) in [(10, 0, 11), (4, 0, 5), (30, 0, 31), (10, 100, 4), (10, 250, 2), (30, 900, 2)] {
            let pace = warm(fps);
            let drawn = frames(pace, pace.due(), Duration::from_millis(took));
            assert!(drawn <= most && drawn >= 1, "{fps} fps, {took} ms a frame: {drawn}");
        }
    }

    #[test]
    fn what_comes_now_and_then_is_shown_at_once() {
        let mut now = Instant::now();
        let mut pace = Pace::new(HERE, now);
        for _ in 0..20 {
            now += Duration::from_millis(300);
            assert!(pace.due() <= now);
            pace.drew(now);
            assert!(pace.due() <= now + LEAST, "and what follows from it");
            pace.drew(now + LEAST);
        }
    }

    #[test]
    fn a_slow_line_gets_one_a_second_and_a_good_one_more_again() {
        let now = Instant::now();
        let mut pace = Pace::new(HERE, now);
        pace.drew(now);
        pace.drained(Duration::from_millis(400));
        assert_eq!(pace.due(), now + LONGEST);
        let later = pace.due();
        pace.drew(later);
        pace.drained(Duration::from_millis(1));
        assert!(pace.due() < later + LONGEST);
    }

    #[test]
    fn nobody_looks_so_it_is_drawn_less() {
        let now = Instant::now();
        let mut pace = Pace::new(HERE, now);
        pace.watched(false);
        (0..3).for_each(|_| pace.drew(now));
        assert!(pace.due() >= now + UNWATCHED);
    }
}
