//! A moment as an operator writes it (so long ago, or a date), and as it is said. Total; the clock and the zone are the
//! caller's.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::filter::{Kind, amount};

/// # Errors
/// What would have been one.
pub fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    // (a bare number has no unit: seconds? days?)
    let unit = text.ends_with(|c: char| c.is_ascii_alphabetic()) && text.starts_with(|c: char| c.is_ascii_digit());
    let ago = || {
        let seconds = amount::read(text, Kind::Seconds).ok().filter(|_| unit)?;
        now.checked_sub(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
    };
    let date = || Some(text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp());
    ago()
        .or_else(|| text.parse().ok())
        .or_else(date)
        .ok_or_else(|| "expected how long ago (30m, 7d) or a date (2026-11-20, 2026-11-20T10:00)".to_owned())
}

/// The time of day, with the day if it was another.
pub fn said(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (now, at) = (now.to_zoned(zone.clone()), at.to_zoned(zone.clone()));
    if now.date() == at.date() {
        at.strftime("%H:%M:%S").to_string()
    } else {
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_another_day_the_day_is_said() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (now, zone) = (at("2026-11-20T23:30:00Z"), TimeZone::fixed(jiff::tz::offset(1)));
        assert_eq!(said(at("2026-11-20T23:10:05Z"), now, &zone), "00:10:05");
        assert_eq!(said(at("2026-11-20T22:10:05Z"), now, &zone), "2026-11-20 23:10");
    }

    #[test]
    fn a_moment_is_so_long_ago_or_a_date_in_the_zone() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, at) in [
            ("30m", "2026-11-22T11:30:00Z"),
            ("7d", "2026-11-15T12:00:00Z"),
            ("1h30m", "2026-11-22T10:30:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20T10:30", "2026-11-20T09:30:00Z"),
            ("2026-11-20T10:30:00Z", "2026-11-20T10:30:00Z"),
        ] {
            assert_eq!(read(text, now, &zone).map(|at| at.to_string()), Ok(at.to_owned()), "{text}");
        }
        for wrong in ["", "soon", "7", "-7d", "d", "2026-13-01", "99999999999999999d"] {
            assert!(read(wrong, now, &zone).unwrap_err().contains("2026-11-20T10:00"), "{wrong}");
        }
    }
}
