//! Amounts as operators write them: numbers, times (`90`, `30s`, `1h30`, `9d`, `2M`), sizes (`10k`, `1.5MB`).

use super::Kind;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// `Err`: what would have been one.
pub fn read(text: &str, kind: Kind) -> Result<f64, &'static str> {
    let plain = text.trim().trim_end_matches('%').replace([',', '_'], "");
    let read = match kind {
        Kind::Number | Kind::Text | Kind::Flag => number(&plain),
        Kind::Seconds => seconds(&plain),
        Kind::Bytes => bytes(&plain),
    };
    read.ok_or(match kind {
        Kind::Number | Kind::Text | Kind::Flag => "a number, such as 3",
        Kind::Seconds => "a time, such as 30s, 5m, 2h or 9d",
        Kind::Bytes => "a size, such as 900, 10k or 2MB",
    })
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Digits with their unit, again and again; the last may lack it: `3m02`, `1h30`.
fn seconds(text: &str) -> Option<f64> {
    let (mut rest, mut sum, mut unit) = (text, 0.0, 1.0);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let amount = number(&rest[..end])?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        unit = match (&rest[..end], unit) {
            ("s", _) => 1.0,
            ("ms", _) => 0.001,
            ("m" | "min", _) => MINUTE,
            ("h", _) => HOUR,
            ("d", _) => DAY,
            ("w", _) => 7.0 * DAY,
            ("M", _) => 30.0 * DAY,
            ("y", _) => 365.0 * DAY,
            // what follows hours are minutes, what follows days are hours
            ("", before) if before == HOUR => MINUTE,
            ("", before) if before == DAY => HOUR,
            ("", _) => 1.0,
            _ => return None,
        };
        sum += amount * unit;
        rest = &rest[end..];
    }
    Some(sum)
}

fn bytes(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let amount = number(text[..end].trim())?;
    let unit = match text[end..].to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(amount * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_shown() {
        for (text, sum) in
            [("42s", 42.0), ("3m02", 182.0), ("1h20", 4800.0), ("2d03", 183_600.0), ("90", 90.0), ("0.4s", 0.4)]
        {
            assert_eq!(read(text, Kind::Seconds), Ok(sum), "{text}");
        }
        for (text, sum) in [("512 B", 512.0), ("1.2 kB", 1200.0), ("34MB", 34e6), ("1KiB", 1024.0), ("7", 7.0)] {
            assert_eq!(read(text, Kind::Bytes), Ok(sum), "{text}");
        }
        assert_eq!(read("1,204", Kind::Number), Ok(1204.0));
        assert_eq!(read("97%", Kind::Number), Ok(97.0));
        for (text, kind) in [
            ("x", Kind::Number),
            ("", Kind::Seconds),
            ("5x", Kind::Seconds),
            ("2 parsecs", Kind::Bytes),
            ("inf", Kind::Number),
        ] {
            assert!(read(text, kind).is_err(), "{text}");
        }
    }
}
