//! "Did you mean": the known word nearest to a mistyped one.

use std::cmp::Reverse;

/// Longer words are not compared: nobody mistypes one of them, and the work would grow.
const LONGEST: usize = 64;

/// The candidate that a slip of the fingers turns into `word`, if one is near enough to be worth saying:
/// at most one slip in three characters (left out, put in, changed or swapped), case for nothing. Of those with as many
/// slips the one that begins alike for longest: `ofline` is `offline` sooner than `online`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let mut best: Option<((usize, Reverse<usize>), &str)> = None;
    let mut far = (wanted.len() / 3).max(1) + 1;
    let mut rows = Rows::default();
    for candidate in candidates {
        // a character is one to four bytes: this throws most of a large fleet out unseen
        if candidate.len() + far < wanted.len() || candidate.len() > 4 * (wanted.len() + far) {
            continue;
        }
        let have: Vec<char> = candidate.chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect();
        if have.len() > LONGEST || have.len().abs_diff(wanted.len()) >= far {
            continue;
        }
        let distance = rows.distance(&wanted, &have);
        let alike = wanted.iter().zip(&have).take_while(|(wanted, have)| wanted == have).count();
        let apart = (distance, Reverse(alike));
        if distance < far && best.is_none_or(|(least, _)| apart < least) && distance < have.len() {
            best = Some((apart, candidate));
            far = distance + 1;
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `; did you mean 'x'?`, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(word, candidates) {
        Some(found) => format!("; did you mean '{}'?", shown(found)),
        None => String::new(),
    }
}

/// A foreign text inside a message: no control characters, not endless.
pub fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown: String = text.chars().take(MOST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Three rows of the table of distances, kept between words.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    now: Vec<usize>,
}

impl Rows {
    /// Optimal string alignment: a swap of neighbours is one slip, not two.
    fn distance(&mut self, a: &[char], b: &[char]) -> usize {
        self.before.clear();
        self.before.resize(b.len() + 1, 0);
        self.last.clear();
        self.last.extend(0..=b.len());
        for (i, &x) in a.iter().enumerate() {
            self.now.clear();
            self.now.push(i + 1);
            for (j, &y) in b.iter().enumerate() {
                let mut least = (self.last[j + 1] + 1).min(self.now[j] + 1).min(self.last[j] + usize::from(x != y));
                if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                    least = least.min(self.before[j - 1] + 1);
                }
                self.now.push(least);
            }
            std::mem::swap(&mut self.before, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.now);
        }
        self.last[b.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_is_found() {
        let known = ["web001", "db1", "macs-eu", "Finance"];
        assert_eq!(nearest("wbe001", known), Some("web001"));
        assert_eq!(nearest("mac-eu", known), Some("macs-eu"));
        assert_eq!(nearest("finance", known), Some("Finance"));
        assert_eq!(nearest("db2", known), Some("db1"));
    }

    #[test]
    fn of_words_with_as_many_slips_the_one_that_begins_alike_is_meant() {
        for known in [["online", "offline"], ["offline", "online"]] {
            assert_eq!(nearest("ofline", known), Some("offline"));
            assert_eq!(nearest("onlin", known), Some("online"));
        }
        assert_eq!(nearest("dev", ["rev", "den"]), Some("den"));
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        assert_eq!(nearest("printers", ["web001", "db1"]), None);
        assert_eq!(nearest("x", ["a", "b"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }

    #[test]
    fn a_message_stays_short_and_printable() {
        assert_eq!(shown("a\u{1b}[31mb"), "a?[31mb");
        assert_eq!(shown(&"x".repeat(500)).len(), 83);
    }
}
