//! Durations (`30s`, `10m`, `1h30m`, `2d`) and sizes (`20GiB`, `500MB`) as people write them.

use std::time::Duration;

/// `None`: not a duration. A bare number is refused (seconds? minutes?), except `0`.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0)?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// `None`: not a size. Without a unit: bytes.
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim_start() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The shortest way to write it that [`duration`] reads back.
pub fn show_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, word) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= unit && ms.is_multiple_of(unit) {
            return format!("{}{word}", ms / unit);
        }
    }
    if ms == 0 { "0".to_owned() } else { format!("{ms}ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        for (text, ms) in [
            ("30s", Some(30_000)),
            ("10m", Some(600_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("0", Some(0)),
            (" 5s ", Some(5_000)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-5s", None),
            ("soon", None),
            ("1.5h", None),
            ("5 s", None),
            ("99999999999999999999s", None),
            ("99999999999999999w", None),
        ] {
            assert_eq!(duration(text), ms.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_so_that_they_read_back() {
        for text in ["30s", "10m", "2h", "1d", "250ms", "0", "90s"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_units() {
        for (text, bytes) in [
            ("20GiB", Some(20 << 30)),
            ("500MB", Some(500_000_000)),
            ("4096", Some(4096)),
            ("1 TiB", Some(1 << 40)),
            ("10G", Some(10 << 30)),
            ("", None),
            ("GiB", None),
            ("20 gigs", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text:?}");
        }
    }
}
