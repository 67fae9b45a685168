//! What an account is asked, and how fast: one bucket for all of it. What an operator waits for goes before what is
//! read in the background, and a system that says "too many" is left alone until it says otherwise.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, Notify};
use tokio::time::{Instant, sleep_until};

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// An operator, or a run that an operator has launched.
    Now,
    /// Nobody: what is read so that it is there.
    Later,
}

/// Between two tries, where the system does not say how long: at first and at most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(60);

/// A longer pause is not believed.
const LONGEST: Duration = Duration::from_secs(600);

pub struct Budget {
    /// Between two requests.
    every: Duration,
    /// When the next request may go.
    next: Mutex<Instant>,
    /// Of each urgency one stands at the counter; the others queue behind.
    now: Turns<()>,
    later: Turns<()>,
    /// How many urgent ones there are.
    urgent: AtomicUsize,
    served: Notify,
}

/// An urgent one that waits.
struct Urgent<'a>(&'a Budget);

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.urgent.fetch_sub(1, Ordering::SeqCst);
        self.0.served.notify_one();
    }
}

impl Budget {
    pub fn new(per_second: u32) -> Self {
        Self {
            every: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::new(Instant::now()),
            now: Turns::default(),
            later: Turns::default(),
            urgent: AtomicUsize::new(0),
            served: Notify::new(),
        }
    }

    fn next(&self) -> MutexGuard<'_, Instant> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one request may go.
    pub async fn turn(&self, urgency: Urgency) {
        match urgency {
            Urgency::Now => {
                self.urgent.fetch_add(1, Ordering::SeqCst);
                let _urgent = Urgent(self);
                let _turn = self.now.lock().await;
                while !self.take() {
                    let at = *self.next();
                    sleep_until(at).await;
                }
            }
            Urgency::Later => {
                let _turn = self.later.lock().await;
                loop {
                    if self.urgent.load(Ordering::SeqCst) > 0 {
                        self.served.notified().await;
                        continue;
                    }
                    if self.take() {
                        return;
                    }
                    let at = *self.next();
                    sleep_until(at).await;
                }
            }
        }
    }

    fn take(&self) -> bool {
        let mut next = self.next();
        let now = Instant::now();
        let free = now >= *next;
        if free {
            *next = now + self.every;
        }
        free
    }

    /// Nothing goes for so long.
    pub fn hold(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let mut next = self.next();
        *next = until.max(*next);
    }

    /// How often the account may be looked at when so many things are watched.
    pub fn tick(&self, watched: usize) -> Duration {
        let watched = u32::try_from(watched).unwrap_or(u32::MAX);
        (self.every * 5).max(self.every.saturating_mul(watched))
    }
}

/// How long to wait after a "too many". `reset`: `X-RateLimit-Reset`, seconds since the epoch; `after`: `Retry-After`,
/// in seconds; `now`: seconds since the epoch; `tries`: how many there were.
pub fn pause(reset: Option<&str>, after: Option<&str>, now: i64, tries: u32) -> Duration {
    let seconds = |text: &str| text.trim().parse::<i64>().ok();
    let after = after.and_then(seconds);
    let reset = reset.and_then(seconds).map(|at| at.saturating_sub(now));
    match after.or(reset).and_then(|left| u64::try_from(left).ok()) {
        // a clock that is a little ahead would bring us a moment too soon
        Some(left) => Duration::from_secs(left).min(LONGEST) + jitter(AGAIN),
        None => again(tries),
    }
}

/// Longer and longer, and not at the same moment as everybody else.
pub fn again(tries: u32) -> Duration {
    let whole = AGAIN.saturating_mul(1 << tries.min(6)).min(AGAIN_MOST);
    whole / 2 + jitter(whole / 2)
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn requests_go_at_the_pace_of_the_account() {
        let budget = Budget::new(100);
        let began = Instant::now();
        for _ in 0..5 {
            budget.turn(Urgency::Now).await;
        }
        assert!(began.elapsed() >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn what_somebody_waits_for_goes_first() {
        let budget = Arc::new(Budget::new(5));
        budget.turn(Urgency::Now).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, urgency) in [("page 1", Urgency::Later), ("page 2", Urgency::Later), ("launch", Urgency::Now)] {
            let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                budget.turn(urgency).await;
                order.lock().unwrap().push(name);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["launch", "page 1", "page 2"]);
    }

    #[tokio::test]
    async fn one_who_stops_waiting_holds_nobody_up() {
        let budget = Arc::new(Budget::new(5));
        budget.turn(Urgency::Now).await;
        let gone = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move { budget.turn(Urgency::Now).await }
        });
        tokio::task::yield_now().await;
        let later = tokio::spawn(async move { budget.turn(Urgency::Later).await });
        tokio::task::yield_now().await;
        gone.abort();
        later.await.unwrap();
    }

    #[tokio::test]
    async fn a_system_that_has_too_much_is_left_alone() {
        let budget = Budget::new(1000);
        budget.hold(Duration::from_millis(60));
        let began = Instant::now();
        budget.turn(Urgency::Now).await;
        assert!(began.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn the_system_says_how_long() {
        let told = |reset, after| pause(reset, after, 1_000, 0);
        let around = |pause: Duration, seconds| (seconds..=seconds + 1).contains(&pause.as_secs());
        assert!(around(told(Some("1030"), None), 30));
        assert!(around(told(Some("9999"), Some("3")), 3), "what is left is no clock's affair");
        assert!(around(told(Some("99999999999"), None), 600), "a longer pause is not believed");
        for nothing in [told(Some("soon"), None), told(Some("900"), None), told(None, Some("-3")), told(None, None)] {
            assert!((Duration::from_millis(500)..=AGAIN).contains(&nothing), "{nothing:?}");
        }
        assert!(again(40) <= AGAIN_MOST && again(40) >= AGAIN_MOST / 2);
    }
}
