//! Times and amounts as people read them, short enough for a column of five cells.

/// How long ago: `42s`, `3m`, `2h`, `9d`, `3w`, `6M`, `2y`.
pub fn age(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        _ => match seconds / DAY {
            days @ 0..14 => format!("{days}d"),
            days @ 14..63 => format!("{}w", days / 7),
            days @ 63..730 => format!("{}M", days / 30),
            days => format!("{}y", days / 365),
        },
    }
}

/// How long something took, from milliseconds: `0.4s`, `42s`, `3m02`, `1h20`, `2d03`.
pub fn took(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{seconds}.{}s", ms % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `512 B`, `1.2 kB`, `34 MB`: thousands, as disks and networks count.
pub fn bytes(n: u64) -> String {
    if n < 1000 {
        return format!("{n} B");
    }
    let mut unit = 1000u64;
    let mut name = 0;
    const NAMES: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    while n / unit >= 1000 && name + 1 < NAMES.len() {
        unit *= 1000;
        name += 1;
    }
    match n / unit {
        whole @ 0..10 => format!("{whole}.{} {}", n % unit / (unit / 10), NAMES[name]),
        whole => format!("{whole} {}", NAMES[name]),
    }
}

/// `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `1,204 lines`.
pub fn number(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn ages() {
        let said = [0, 59, 60, 7199, 7200, 9 * DAY, 21 * DAY, 70 * DAY, 800 * DAY, u64::MAX].map(age);
        assert_eq!(said[..9], ["0s", "59s", "1m", "1h", "2h", "9d", "3w", "2M", "2y"]);
        assert!(said[9].ends_with('y'));
    }

    #[test]
    fn durations() {
        assert_eq!([432, 9_999, 59_999, 182_000].map(took), ["0.4s", "9.9s", "59s", "3m02"]);
        assert_eq!([4_800_000, 183_600_000].map(took), ["1h20", "2d03"]);
        assert!(!took(u64::MAX).is_empty());
    }

    #[test]
    fn sizes() {
        assert_eq!(
            [0, 999, 1_250, 34_500_000, 1_000_000_000].map(bytes),
            ["0 B", "999 B", "1.2 kB", "34 MB", "1.0 GB"]
        );
        assert_eq!(bytes(u64::MAX), "18 EB");
    }

    #[test]
    fn counts() {
        assert_eq!([number(0, "line"), number(1, "line"), number(2_000, "line")], ["0 lines", "1 line", "2,000 lines"]);
        assert_eq!([0, 999, 1_204, 1_000_000].map(count), ["0", "999", "1,204", "1,000,000"]);
    }
}
