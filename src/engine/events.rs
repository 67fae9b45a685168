//! What happened, told to every console that listens. A bounded ring: a listener that fell too far behind
//! is told to ask for everything again, and nobody is ever waited for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::model::wire::Event;

/// Events kept for listeners that come back.
const KEEP: usize = 1024;

/// Their JSON together, at most.
const KEEP_BYTES: usize = 16 << 20;

pub struct Events {
    ring: Mutex<Ring>,
    last: watch::Sender<u64>,
    listeners: AtomicUsize,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
    last: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { ring: Mutex::default(), last: watch::Sender::new(0), listeners: AtomicUsize::new(0) }
    }
}

impl Events {
    pub fn publish(&self, event: &Event) {
        let Ok(json) = serde_json::to_string(event) else { return };
        let json: Arc<str> = json.into();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last += 1;
        let number = ring.last;
        ring.bytes += json.len();
        ring.events.push_back((number, json));
        while ring.events.len() > KEEP || ring.bytes > KEEP_BYTES {
            let Some((_, old)) = ring.events.pop_front() else { break };
            ring.bytes -= old.len();
        }
        drop(ring);
        self.last.send_replace(number);
    }

    /// Number of the newest event.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// Somebody looks: worth telling how outputs grow.
    pub fn heard(&self) -> bool {
        self.listeners.load(Ordering::Relaxed) > 0
    }

    /// Events after number `since`; `None`: from now on.
    pub fn listen(self: &Arc<Self>, since: Option<u64>) -> Listener {
        self.listeners.fetch_add(1, Ordering::Relaxed);
        let last = self.last();
        Listener { events: Arc::clone(self), news: self.last.subscribe(), seen: since.unwrap_or(last) }
    }
}

/// One console's place among the events.
pub struct Listener {
    events: Arc<Events>,
    news: watch::Receiver<u64>,
    seen: u64,
}

impl Listener {
    /// The next event, as JSON with its number. Waits; ends only with the engine.
    pub async fn next(&mut self) -> Option<(u64, Arc<str>)> {
        loop {
            if let Some(found) = self.take() {
                return Some(found);
            }
            self.news.changed().await.ok()?;
        }
    }

    fn take(&mut self) -> Option<(u64, Arc<str>)> {
        let ring = self.events.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring.events.front()?.0;
        // a number from another engine's life, or too old to be still here
        if self.seen > ring.last || self.seen + 1 < oldest {
            self.seen = ring.last;
            return Some((ring.last, r#"{"event":"reset"}"#.into()));
        }
        let next = usize::try_from(self.seen + 1 - oldest).ok()?;
        let (number, json) = ring.events.get(next)?;
        self.seen = *number;
        Some((*number, Arc::clone(json)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.events.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(n: usize) -> Event {
        Event::Notice { text: n.to_string() }
    }

    #[tokio::test]
    async fn a_listener_that_comes_back_misses_nothing() {
        let events = Arc::new(Events::default());
        for n in 1..=5 {
            events.publish(&notice(n));
        }
        let mut listener = events.listen(Some(2));
        let numbers =
            [listener.next().await.unwrap().0, listener.next().await.unwrap().0, listener.next().await.unwrap().0];
        assert_eq!(numbers, [3, 4, 5]);
    }

    #[tokio::test]
    async fn one_that_was_away_too_long_is_told_so() {
        let events = Arc::new(Events::default());
        for n in 0..KEEP * 2 {
            events.publish(&notice(n));
        }
        let mut listener = events.listen(Some(1));
        let (number, json) = listener.next().await.unwrap();
        assert_eq!((number, &*json), (KEEP as u64 * 2, r#"{"event":"reset"}"#));
    }

    #[tokio::test]
    async fn a_number_of_an_earlier_engine_is_told_so_too() {
        let events = Arc::new(Events::default());
        events.publish(&notice(0));
        let mut listener = events.listen(Some(900));
        assert!(listener.next().await.unwrap().1.contains("reset"));
    }
}
