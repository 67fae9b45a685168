//! Who asks too much waits: a count of requests a minute for each key, and for each address that says wrong keys an
//! answer that comes later each time. Both tables are bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

const MINUTE_MS: i64 = 60_000;

/// Requests of each key in this minute.
pub struct Rate {
    /// 0: any number.
    most: u32,
    by: Mutex<HashMap<String, (i64, u32)>>,
}

/// Too many: when it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Unix seconds, in the future.
    pub until: i64,
    /// Seconds, at least one.
    pub seconds: i64,
}

impl Rate {
    pub fn new(most: u32) -> Self {
        Self { most, by: Mutex::default() }
    }

    /// One more request.
    pub fn count(&self, key: &str, now: Timestamp) -> Result<(), Wait> {
        if self.most == 0 {
            return Ok(());
        }
        let now = now.as_millisecond();
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if !by.contains_key(key) {
            // keys that were revoked meanwhile
            by.retain(|_, (begun, _)| now - *begun < MINUTE_MS);
            by.insert(key.to_owned(), (now, 0));
        }
        let Some((begun, count)) = by.get_mut(key) else { return Ok(()) };
        if now - *begun >= MINUTE_MS || now < *begun {
            (*begun, *count) = (now, 0);
        }
        if *count < self.most {
            *count += 1;
            return Ok(());
        }
        // strictly in the future also for whoever compares whole seconds
        let until = (*begun + MINUTE_MS).div_euclid(1000) + 1;
        Err(Wait { until, seconds: (until - now.div_euclid(1000)).max(1) })
    }
}

/// Wrong keys an address may say before it is slowed.
const FREE: u32 = 5;

/// No answer waits longer.
const LONGEST: Duration = Duration::from_secs(5);

/// After so long without another, they are forgotten.
const FORGOTTEN_MS: i64 = 10 * MINUTE_MS;

/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

/// Wrong keys by address: (how many, when the last).
#[derive(Default)]
pub struct Wrong(Mutex<HashMap<IpAddr, (u32, i64)>>);

impl Wrong {
    /// One more; how long its answer waits.
    pub fn said(&self, address: IpAddr, now: Timestamp) -> Duration {
        let (address, now) = (network(address), now.as_millisecond());
        let mut by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if by.len() >= ADDRESSES && !by.contains_key(&address) {
            by.retain(|_, (_, last)| now - *last < FORGOTTEN_MS);
            if by.len() >= ADDRESSES
                && let Some(oldest) = by.iter().min_by_key(|(_, (_, last))| *last).map(|(address, _)| *address)
            {
                by.remove(&oldest);
            }
        }
        let (count, last) = by.entry(address).or_insert((0, now));
        if now - *last >= FORGOTTEN_MS {
            *count = 0;
        }
        (*count, *last) = (count.saturating_add(1), now);
        match count.saturating_sub(FREE) {
            0 => Duration::ZERO,
            n => (Duration::from_millis(50) * 2_u32.pow(n.min(8))).min(LONGEST),
        }
    }
}

/// Who has one address of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_400 + ms).unwrap()
    }

    #[test]
    fn a_key_has_so_many_requests_a_minute_and_learns_when_it_has_more() {
        let rate = Rate::new(2);
        assert_eq!((rate.count("a", at(0)), rate.count("a", at(10))), (Ok(()), Ok(())));
        let wait = rate.count("a", at(20)).unwrap_err();
        assert_eq!(wait, Wait { until: 1_795_000_061, seconds: 61 });
        assert_eq!(rate.count("b", at(20)), Ok(()), "another key is not held up");
        let last = rate.count("a", at(59_999)).unwrap_err();
        assert!(last.seconds >= 1 && last.until * 1000 > at(59_999).as_millisecond());
        assert_eq!(rate.count("a", at(60_000)), Ok(()));
        assert!((0..10_000).all(|n| Rate::new(0).count("a", at(n)).is_ok()));
    }

    #[test]
    fn wrong_keys_are_answered_later_and_later_and_forgiven() {
        let wrong = Wrong::default();
        let one = "192.0.2.7".parse().unwrap();
        let waits: Vec<u128> = (0..14).map(|n| wrong.said(one, at(n)).as_millis()).collect();
        assert_eq!(waits[..5], [0; 5]);
        assert_eq!(waits[5..9], [100, 200, 400, 800]);
        assert_eq!(waits[13], 5000);
        assert_eq!(wrong.said("192.0.2.8".parse().unwrap(), at(20)), Duration::ZERO);
        assert_eq!(wrong.said(one, at(20 + FORGOTTEN_MS)), Duration::ZERO);
    }

    #[test]
    fn the_neighbours_of_an_address_of_ipv6_are_the_same_and_the_table_is_bounded() {
        let wrong = Wrong::default();
        for n in 0..6 {
            wrong.said(format!("2001:db8::{n}").parse().unwrap(), at(0));
        }
        assert!(wrong.said("2001:db8::ffff".parse().unwrap(), at(0)) > Duration::ZERO);
        for n in 0..6000_u32 {
            wrong.said(std::net::Ipv4Addr::from(n).into(), at(1));
        }
        assert!(wrong.0.lock().unwrap().len() <= ADDRESSES);
    }
}
