//! Ranges as Ansible inventories write them: `web[01:40]`, `rack[a:d]`, `[01:50:2]`.

use super::{Element, Error, Range, padding};

/// Ansible counts through the small letters, then the capitals.
pub(super) const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The names an inventory's host line stands for, at most `limit`. Commas mean nothing here, and an
/// IPv6 address in brackets stays as it is.
pub fn ansible(text: &str, limit: usize) -> Result<Vec<String>, Error> {
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return Err(Error::at(0, "a name is missing here"));
    }
    let mut element = Element::default();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '[' => {
                let Some(close) = (at + 1..chars.len()).find(|&i| chars[i] == ']') else {
                    return Err(Error::at(at, "this bracket is never closed"));
                };
                let inside: String = chars[at + 1..close].iter().collect();
                if inside.parse::<std::net::Ipv6Addr>().is_ok() {
                    chars[at..=close].iter().for_each(|c| element.push_char(*c));
                } else {
                    element.push_ranges(vec![range(&inside, at + 1)?]);
                }
                at = close + 1;
            }
            ']' => return Err(Error::at(at, "this bracket was never opened")),
            c => {
                element.push_char(c);
                at += 1;
            }
        }
    }
    let mut names = Vec::new();
    element.produce(&mut names, limit, 0)?;
    Ok(names)
}

/// The inside of a bracket: `first:last[:step]`.
fn range(inside: &str, column: usize) -> Result<Range, Error> {
    let wrong = |message: String| Error::at(column, message);
    let mut parts = inside.split(':');
    let (Some(first), Some(last)) = (parts.next(), parts.next()) else {
        return Err(wrong("a range is written [first:last], as in [01:40]".into()));
    };
    let step = match parts.next() {
        None => 1,
        Some(step) => number(step)
            .filter(|step| *step > 0)
            .ok_or_else(|| wrong("the step of a range is a number above 0, as in [01:50:2]".into()))?,
    };
    if parts.next().is_some() {
        return Err(wrong("a range has at most three parts: [first:last:step]".into()));
    }
    if let (Some(first), Some(last)) = (letter(first), letter(last)) {
        if first > last {
            return Err(wrong("this range runs backwards".into()));
        }
        return Ok(Range { first, last, step, width: 0, letters: true });
    }
    // as in Ansible, nothing before the colon is 0
    let first_digits = if first.is_empty() { "0" } else { first };
    let (Some(first), Some(end)) = (number(first_digits), number(last)) else {
        return Err(wrong("a range runs between two numbers or two letters, as in [01:40] or [a:d]".into()));
    };
    let width = padding(first_digits);
    if width > 0 && width != last.len() {
        return Err(wrong(format!("pad both ends alike: {first_digits} and {last} differ in length")));
    }
    if first > end {
        return Err(wrong("this range runs backwards".into()));
    }
    Ok(Range { first, last: end, step, width, letters: false })
}

fn number(digits: &str) -> Option<u64> {
    let fine = !digits.is_empty() && digits.len() <= super::DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    if fine { digits.parse().ok() } else { None }
}

fn letter(text: &str) -> Option<u64> {
    let [byte] = text.as_bytes() else { return None };
    LETTERS.iter().position(|letter| letter == byte).map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        ansible(text, 1_000).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn numbers_letters_and_steps() {
        assert_eq!(names("web[08:10].example"), ["web08.example", "web09.example", "web10.example"]);
        assert_eq!(names("db-[a:c]"), ["db-a", "db-b", "db-c"]);
        assert_eq!(names("n[1:7:3]"), ["n1", "n4", "n7"]);
        assert_eq!(names("n[:2]"), ["n0", "n1", "n2"]);
        assert_eq!(names("[a:b][1:2]"), ["a1", "a2", "b1", "b2"]);
        assert_eq!(names("plain"), ["plain"]);
    }

    #[test]
    fn an_address_in_brackets_is_not_a_range() {
        assert_eq!(names("[2001:db8::1]"), ["[2001:db8::1]"]);
        assert_eq!(names("[::1]:2222"), ["[::1]:2222"]);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, column) in [
            ("", 0),
            ("w[1:", 1),
            ("w1:2]", 4),
            ("w[1-3]", 2),
            ("w[3:1]", 2),
            ("w[01:100]", 2),
            ("w[1:9:0]", 2),
            ("w[1:9:1:1]", 2),
            ("w[a:3]", 2),
            ("w[1:]", 2),
        ] {
            assert_eq!(ansible(text, 1_000).expect_err(text).column, column, "{text}");
        }
        assert!(ansible("w[0:999999999]", 1_000).is_err());
    }
}
