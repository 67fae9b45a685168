//! Comparing facts as numbers and versions.

use std::cmp::Ordering;

/// It can be compared: it holds a digit.
pub(crate) fn is_version(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// Part by part: `14.10` is above `14.6`, `14` equals `14.0`, `1.0-rc1` is below `1.0`, `1.1.1a` above
/// `1.1.1`. Numbers below zero are compared as numbers. Words before the first digit and after the next
/// space count for nothing (`macOS 14.6 (23G80)`). `None`: one of them holds no digit.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    if (a.starts_with('-') || b.starts_with('-'))
        && let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>())
    {
        return a.partial_cmp(&b);
    }
    let (mut a, mut b) = (parts(a)?, parts(b)?);
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Some(Ordering::Equal);
        }
        let order = left.unwrap_or(Part::ZERO).cmp(&right.unwrap_or(Part::ZERO));
        if order != Ordering::Equal {
            return Some(order);
        }
    }
}

/// In rising order: what announces a version, nothing (or 0), what amends it, a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Before(&'a str),
    Zero,
    After(&'a str),
    /// Digits without leading zeros: the longer is the greater, whatever its size.
    Number(usize, &'a str),
}

impl Part<'_> {
    const ZERO: Self = Part::Zero;
}

fn parts(text: &str) -> Option<impl Iterator<Item = Part<'_>>> {
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let mut rest = text[from..].split(char::is_whitespace).next()?;
    Some(std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let digit = first.is_ascii_digit();
        let end = rest
            .find(|c: char| if digit { !c.is_ascii_digit() } else { c.is_ascii_digit() || !c.is_alphanumeric() })
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(if digit {
            let digits = part.trim_start_matches('0');
            if digits.is_empty() { Part::Zero } else { Part::Number(digits.len(), digits) }
        } else if ["alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(part))
        {
            Part::Before(part)
        } else {
            Part::After(part)
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_rising_order() {
        let rising = ["1.0-rc1", "1.0", "1.0a", "1.0.1", "1.2", "1.10", "2", "14.5", "14.6", "14.6.1", "14.10"];
        for pair in rising.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Some(Ordering::Greater), "{pair:?}");
        }
    }

    #[test]
    fn alike() {
        for (a, b) in [("14", "14.0"), ("v1.2", "1.2"), ("Ubuntu 22.04.3 LTS", "22.4.3"), ("80%", "80"), ("-1", "-1.0")]
        {
            assert_eq!(compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
        assert_eq!(compare("-5", "3"), Some(Ordering::Less));
        assert_eq!(compare("99999999999999999999999", "1"), Some(Ordering::Greater));
        assert_eq!(compare("none", "1"), None);
    }

    proptest::proptest! {
        #[test]
        fn an_order_is_an_order(a in "[0-9a-c.-]{1,6}", b in "[0-9a-c.-]{1,6}", c in "[0-9a-c.]{1,6}") {
            if let (Some(ab), Some(ba)) = (compare(&a, &b), compare(&b, &a)) {
                proptest::prop_assert_eq!(ab, ba.reverse());
            }
            let plain = |text: &str| is_version(text) && !text.starts_with('-');
            if plain(&a) && plain(&b) && plain(&c) && compare(&a, &b) == Some(Ordering::Less) && compare(&b, &c) == Some(Ordering::Less) {
                proptest::prop_assert_eq!(compare(&a, &c), Some(Ordering::Less));
            }
        }
    }
}
