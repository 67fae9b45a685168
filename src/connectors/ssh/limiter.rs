//! How many handshakes are in flight, to one server and in all. Sessions are not its affair.
//!
//! A handshake costs a server 25 ms of CPU and OpenSSH drops some at random beyond `MaxStartups`. So the limit
//! starts at 16, grows while handshakes are no slower than twice the best one (on a slow line more of them
//! cost nothing), and is halved when a server hangs up in the middle of one (figures.md, facts 3 and 4.6). Where
//! every server is far, a handshake is on its way for most of its time, and more are let go as soon as that is known.
//!
//! A burst is led by a few, until somebody speaks: were all let go at once, the first line would wait for the
//! handshakes of those behind it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

const START: usize = 16;
/// In flight at the head of a burst, and handshakes made until the rest follows in any case.
const LEAD: usize = 4;
const LED: usize = 24;
/// A near server says its first word before, with no more than a few to serve.
const LATE: Duration = Duration::from_millis(30);
/// Handshakes over which the median is taken.
const RECENT: usize = 15;
/// Good handshakes after which a lowered ceiling rises by one.
const FORGIVEN: usize = 64;

/// Handshakes at most for the sake of the way alone.
const FAR: usize = 128;
/// Round trips in a handshake, and what it costs both ends to compute (figures.md, 4.1 and 4.4): with the time the
/// first packet took, what a handshake should take. Near and far hosts are measured by it alike.
const ROUND_TRIPS: u32 = 8;
const COMPUTING: Duration = Duration::from_millis(30);

/// What a handshake should take over a way of so long.
pub fn should_take(trip: Duration) -> Duration {
    trip * ROUND_TRIPS + COMPUTING
}

struct State {
    limit: usize,
    /// What the limit never exceeds: the configured one, lowered when the server hung up.
    ceiling: usize,
    in_flight: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
    recent: VecDeque<f64>,
    best: f64,
    /// The shortest way so far.
    away: Duration,
    /// What was configured.
    most: usize,
    /// Raised with each halving: the handshakes of one burst fail together and count once.
    epoch: u64,
    /// Since the ceiling last moved.
    well: usize,
    /// A burst is led by a few.
    leads: bool,
    /// Handshakes made in this burst, up to `LED`.
    led: usize,
    /// First words heard from those who lead it, and how late the quickest of them was.
    words: usize,
    quickest: Duration,
}

impl State {
    /// In flight at most, now.
    fn allowed(&self) -> usize {
        if self.leads && self.led < LED { self.limit.min(LEAD) } else { self.limit }
    }

    /// Every server is so far away: more may be on their way, and nobody need lead.
    fn far(&mut self, away: Duration) {
        let share = should_take(away).as_secs_f64() / COMPUTING.as_secs_f64();
        // a float too large for it becomes the largest number there is
        let far = ((START as f64 * share) as usize).min(FAR).min(self.ceiling);
        // until the first one is done; from then on it is known how it goes
        if self.led == 0 && far > self.limit {
            self.limit = far;
        }
        if away >= LATE {
            self.led = LED;
        }
    }

    fn burst(&mut self) {
        (self.led, self.words, self.quickest) = (0, 0, Duration::MAX);
    }
}

/// One limit. Clones share it.
#[derive(Clone)]
pub struct Limit(Arc<Mutex<State>>);

/// Leave to have one handshake in flight; given back when dropped.
pub struct Permit {
    limit: Option<Limit>,
    epoch: u64,
}

impl Limit {
    pub fn new(ceiling: usize) -> Self {
        let ceiling = ceiling.max(1);
        Self(Arc::new(Mutex::new(State {
            limit: START.min(ceiling),
            ceiling,
            in_flight: 0,
            waiting: VecDeque::new(),
            recent: VecDeque::new(),
            best: f64::INFINITY,
            away: Duration::MAX,
            most: ceiling,
            epoch: 0,
            well: 0,
            leads: false,
            led: 0,
            words: 0,
            quickest: Duration::MAX,
        })))
    }

    /// With a few at the head of each burst.
    fn led(self) -> Self {
        self.state().leads = true;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// First come, first served.
    pub async fn enter(&self) -> Permit {
        let turn = {
            let mut state = self.state();
            if state.in_flight == 0 && state.waiting.is_empty() {
                state.burst();
            }
            if state.in_flight < state.allowed() {
                state.in_flight += 1;
                return Permit { limit: Some(self.clone()), epoch: state.epoch };
            }
            let (give, turn) = oneshot::channel();
            state.waiting.push_back(give);
            turn
        };
        // The sender is dropped only with the limit itself.
        turn.await.unwrap_or(Permit { limit: None, epoch: 0 })
    }

    /// A handshake went well: so many times slower than it would be with nothing else to do.
    pub fn took(&self, slowness: f64) {
        let mut state = self.state();
        state.best = state.best.min(slowness);
        state.recent.push_back(slowness);
        if state.recent.len() > RECENT {
            state.recent.pop_front();
        }
        let mut sorted: Vec<_> = state.recent.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        state.led = (state.led + 1).min(LED);
        state.well += 1;
        if state.well >= FORGIVEN && state.ceiling < state.most {
            state.ceiling += 1;
            state.well = 0;
        }
        if state.limit < state.ceiling && median < state.best * 2.0 {
            state.limit += 1;
        }
        self.hand_out(state);
    }

    /// A server has answered over a way of so long.
    pub fn reached(&self, trip: Duration) {
        let mut state = self.state();
        state.away = state.away.min(trip);
        let away = state.away;
        state.far(away);
        self.hand_out(state);
    }

    /// A server has said its first word, so long after it was reached. Something on the way may have answered for it;
    /// but a server that is busy with five hundred others is as late, so only those who lead a burst tell, together.
    pub fn heard(&self, after: Duration) {
        let mut state = self.state();
        if !state.leads || state.led == LED || state.words == LEAD {
            return;
        }
        state.words += 1;
        state.quickest = state.quickest.min(after);
        if state.words == LEAD && state.quickest >= LATE {
            let away = state.quickest;
            state.far(away);
        }
        self.hand_out(state);
    }

    /// A script has said something, or has ended: the rest may follow.
    pub fn spoke(&self) {
        let mut state = self.state();
        state.led = LED;
        self.hand_out(state);
    }

    /// In flight now, and allowed.
    #[cfg(test)]
    pub fn now(&self) -> (usize, usize) {
        let state = self.state();
        (state.in_flight, state.limit)
    }

    fn hand_out(&self, mut state: MutexGuard<'_, State>) {
        let mut given = Vec::new();
        while state.in_flight < state.allowed()
            && let Some(next) = state.waiting.pop_front()
        {
            if !next.is_closed() {
                state.in_flight += 1;
                given.push(next);
            }
        }
        let epoch = state.epoch;
        drop(state);
        for next in given {
            // Not taken (the waiter has gone this moment): the permit is dropped here and passed on.
            let _ = next.send(Permit { limit: Some(self.clone()), epoch });
        }
    }
}

impl Permit {
    /// The server hung up during this handshake: it has enough to do.
    pub fn hung_up(&self) {
        let Some(limit) = &self.limit else { return };
        let mut state = limit.state();
        if self.epoch != state.epoch {
            return;
        }
        state.epoch += 1;
        state.well = 0;
        state.ceiling = (state.limit * 3 / 4).max(1);
        state.limit = (state.limit / 2).max(1);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(limit) = self.limit.take() {
            let mut state = limit.state();
            state.in_flight -= 1;
            limit.hand_out(state);
        }
    }
}

/// The limits of one connector: one for all handshakes, one for each first server on the way.
pub struct Limits {
    all: Limit,
    servers: Mutex<HashMap<String, Limit>>,
    ceiling: usize,
}

impl Limits {
    pub fn new(ceiling: usize) -> Self {
        Self { all: Limit::new(ceiling).led(), servers: Mutex::new(HashMap::new()), ceiling }
    }

    pub fn all(&self) -> &Limit {
        &self.all
    }

    /// The limit of the server at `first` (`host:port`).
    pub fn server(&self, first: &str) -> Limit {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = servers.get(first) {
            return limit.clone();
        }
        let limit = Limit::new(self.ceiling);
        servers.insert(first.to_owned(), limit.clone());
        limit
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn take(limit: &Limit) -> Option<Permit> {
        limit.enter().now_or_never()
    }

    #[test]
    fn sixteen_at_first_and_the_next_one_waits() {
        let limit = Limit::new(1000);
        let held: Vec<_> = (0..16).map(|_| take(&limit).expect("room")).collect();
        assert!(take(&limit).is_none());
        drop(held);
        assert_eq!(limit.now().0, 0, "one who left while waiting holds nothing");
        assert!(take(&limit).is_some());
    }

    #[test]
    fn four_lead_a_burst_until_somebody_speaks() {
        let led = |follow: fn(&Limit)| {
            let limit = Limit::new(1000).led();
            let held: Vec<_> = std::iter::from_fn(|| take(&limit)).collect();
            assert_eq!(held.len(), LEAD);
            follow(&limit);
            held.len() + std::iter::from_fn(|| take(&limit)).map(std::mem::forget).count()
        };
        assert_eq!(led(|limit| limit.spoke()), 16, "a script has said something");
        assert_eq!(led(|limit| (0..LEAD).for_each(|_| limit.heard(LATE))), FAR, "all of them are late");
        assert_eq!(led(|limit| limit.reached(Duration::from_millis(100))), FAR);
        assert_eq!(led(|limit| (0..LED).for_each(|_| limit.took(1.0))), 16 + LED, "silent scripts hold nobody up");
        assert_eq!(
            led(|limit| [1, 3, 3, 3, 3].into_iter().for_each(|late| limit.heard(LATE / 2 * late))),
            LEAD,
            "not all"
        );
        let limit = Limit::new(1000).led();
        limit.spoke();
        drop(take(&limit));
        assert_eq!(
            std::iter::from_fn(|| take(&limit)).map(std::mem::forget).count(),
            LEAD,
            "the next burst is led again"
        );
    }

    #[test]
    fn grows_while_handshakes_stay_quick_and_stops_when_they_slow_down() {
        let limit = Limit::new(100);
        for _ in 0..20 {
            limit.took(1.0);
        }
        assert_eq!(limit.now().1, 36);
        for _ in 0..20 {
            limit.took(2.5);
        }
        let slowed = limit.now().1;
        assert!(slowed < 46);
        limit.took(2.5);
        assert_eq!(limit.now().1, slowed);
    }

    #[test]
    fn where_every_server_is_far_many_are_let_go_at_once() {
        let ms = Duration::from_millis;
        let after = |heard: &[u64]| {
            let limit = Limit::new(1000);
            heard.iter().for_each(|trip| limit.reached(ms(*trip)));
            limit.now().1
        };
        assert_eq!(after(&[0]), 16, "near");
        assert_eq!(after(&[15]), 80, "five times what it computes");
        assert_eq!(after(&[100]), FAR);
        assert_eq!(after(&[0, 100]), 16, "not all of them");
        let small = Limit::new(20);
        small.reached(ms(100));
        assert_eq!(small.now().1, 20, "never more than is configured");
    }

    #[test]
    fn a_server_that_hangs_up_on_a_burst_halves_it_once_and_it_climbs_back_slowly() {
        let limit = Limit::new(1000);
        let burst: Vec<_> = (0..16).map(|_| take(&limit).expect("room")).collect();
        for permit in &burst {
            permit.hung_up();
        }
        drop(burst);
        assert_eq!(limit.now(), (0, 8));
        for _ in 0..FORGIVEN - 1 {
            limit.took(1.0);
        }
        assert_eq!(limit.now().1, 12, "three quarters of what was too much");
        for _ in 0..10 * FORGIVEN {
            limit.took(1.0);
        }
        assert_eq!(limit.now().1, 22);
    }

    #[test]
    fn waiters_are_served_in_order() {
        let limit = Limit::new(1);
        let held = take(&limit).expect("room");
        let mut first = Box::pin(limit.enter());
        let mut second = Box::pin(limit.enter());
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        drop(held);
        assert!(second.as_mut().now_or_never().is_none());
        let permit = first.now_or_never().expect("its turn");
        drop(permit);
        assert!(second.now_or_never().is_some());
    }
}
