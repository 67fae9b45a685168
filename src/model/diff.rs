//! Two texts compared line by line, and two lines word by word. Patience first (lines that both have once hold the
//! rest in place), Myers between them, bounded: two texts that have nothing in common are told so quickly. Line ends
//! and byte order marks are no lines: they are said in words.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Differences that Myers looks for in one stretch; beyond, it is replaced as a whole.
const FAR: usize = 512;
/// Longer lines are not compared word by word, in bytes.
const LONG: usize = 2_000;
/// Lines that stay, shown around a change.
const CONTEXT: usize = 3;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line of one side, of both where it is the same. Lines count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Row {
    Same(u32, u32),
    Del(u32),
    Add(u32),
}

/// A run of changes with the lines around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    pub rows: Range<usize>,
    /// First line and number of lines, on the left and on the right.
    pub left: (u32, u32),
    pub right: (u32, u32),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Lines without their ends; invalid UTF-8 replaced: for showing.
    pub left: Vec<String>,
    pub right: Vec<String>,
    pub rows: Vec<Row>,
    pub hunks: Vec<Hunk>,
    pub added: usize,
    pub removed: usize,
    /// What is different beside the lines, in words.
    pub notes: Vec<String>,
}

/// A text's lines without their ends, and what its ends are.
struct Side<'a> {
    lines: Vec<&'a [u8]>,
    bom: bool,
    crlf: usize,
    /// The last line has an end.
    ended: bool,
}

impl<'a> Side<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let bom = bytes.starts_with(BOM);
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        let ended = bytes.ends_with(b"\n") || bytes.is_empty();
        let mut crlf = 0;
        let mut lines: Vec<&[u8]> = bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").inspect(|_| crlf += 1).unwrap_or(line))
            .collect();
        if ended {
            lines.pop();
        }
        Self { lines, bom, crlf, ended }
    }

    fn ends(&self) -> String {
        match (self.crlf, self.lines.len()) {
            (0, _) => "LF".to_owned(),
            (crlf, lines) if crlf >= lines => "CR LF (Windows)".to_owned(),
            (crlf, lines) => format!("CR LF in {crlf} of {lines} lines"),
        }
    }
}

impl Diff {
    pub fn of(left: &[u8], right: &[u8]) -> Self {
        let (a, b) = (Side::of(left), Side::of(right));
        let mut known = HashMap::new();
        let (from, to) = (numbers(&a.lines, &mut known), numbers(&b.lines, &mut known));
        let rows = rows(&from, &to);
        let mut notes = Vec::new();
        if a.ends() != b.ends() {
            notes.push(format!("line ends: {} on the left, {} on the right", a.ends(), b.ends()));
        }
        for (has, other, side) in [(a.bom, b.bom, "left"), (b.bom, a.bom, "right")] {
            if has && !other {
                notes.push(format!("only the {side} begins with a byte order mark"));
            }
        }
        for (ended, other, side) in [(a.ended, b.ended, "left"), (b.ended, a.ended, "right")] {
            if !ended && other {
                notes.push(format!("only on the {side} the last line has no end"));
            }
        }
        let count = |want: fn(&Row) -> bool| rows.iter().filter(|row| want(row)).count();
        let (added, removed) = (count(|row| matches!(row, Row::Add(_))), count(|row| matches!(row, Row::Del(_))));
        if added + removed == 0 && notes.is_empty() && left != right {
            notes.push("line ends differ in single lines".to_owned());
        }
        let text = |lines: &[&[u8]]| lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let hunks = hunks(&rows);
        Self { left: text(&a.lines), right: text(&b.lines), rows, hunks, added, removed, notes }
    }

    /// Not even an end of a line is different.
    pub fn same(&self) -> bool {
        self.hunks.is_empty() && self.notes.is_empty()
    }

    /// As `diff -u` writes it.
    pub fn unified(&self, left: &str, right: &str) -> String {
        let mut text = format!("--- {left}\n+++ {right}\n");
        for hunk in &self.hunks {
            let _ = writeln!(text, "{}", hunk.head());
            for row in &self.rows[hunk.rows.clone()] {
                let (sign, line) = match row {
                    Row::Same(at, _) => (' ', &self.left[*at as usize]),
                    Row::Del(at) => ('-', &self.left[*at as usize]),
                    Row::Add(at) => ('+', &self.right[*at as usize]),
                };
                let _ = writeln!(text, "{sign}{line}");
            }
        }
        text
    }
}

impl Hunk {
    /// `@@ -30,7 +30,8 @@`
    pub fn head(&self) -> String {
        let place = |(from, len): (u32, u32)| match len {
            0 => format!("{from},0"),
            1 => format!("{}", from + 1),
            len => format!("{},{len}", from + 1),
        };
        format!("@@ -{} +{} @@", place(self.left), place(self.right))
    }
}

/// A number for every text: alike where the texts are.
fn numbers<'a, T: std::hash::Hash + Eq>(texts: &'a [T], known: &mut HashMap<&'a T, u32>) -> Vec<u32> {
    let number = |text: &'a T| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(text).or_insert(next)
    };
    texts.iter().map(number).collect()
}

fn hunks(rows: &[Row]) -> Vec<Hunk> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for at in (0..rows.len()).filter(|at| !matches!(rows[*at], Row::Same(..))) {
        let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(rows.len()));
        match ranges.last_mut() {
            Some(last) if from <= last.end => last.end = to,
            _ => ranges.push(from..to),
        }
    }
    let (mut left, mut right, mut at) = (0, 0, 0);
    let mut walk = |to: usize| {
        let (from_left, from_right) = (left, right);
        for row in &rows[at..to] {
            left += u32::from(!matches!(row, Row::Add(_)));
            right += u32::from(!matches!(row, Row::Del(_)));
        }
        at = to;
        ((from_left, left - from_left), (from_right, right - from_right))
    };
    let hunk = |range: Range<usize>| {
        walk(range.start);
        let (left, right) = walk(range.end);
        Hunk { rows: range, left, right }
    };
    ranges.into_iter().map(hunk).collect()
}

fn rows(from: &[u32], to: &[u32]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(from.len().max(to.len()));
    let (mut left, mut right) = (0, 0);
    let put = |rows: &mut Vec<Row>, left: Range<usize>, right: Range<usize>| {
        rows.extend(left.map(|at| Row::Del(at as u32)));
        rows.extend(right.map(|at| Row::Add(at as u32)));
    };
    for (a, b) in common(from, to) {
        put(&mut rows, left..a, right..b);
        rows.push(Row::Same(a as u32, b as u32));
        (left, right) = (a + 1, b + 1);
    }
    put(&mut rows, left..from.len(), right..to.len());
    rows
}

/// Places that belong together, rising on both sides.
fn common(from: &[u32], to: &[u32]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut todo = vec![(0..from.len(), 0..to.len())];
    while let Some((mut a, mut b)) = todo.pop() {
        while !a.is_empty() && !b.is_empty() && from[a.start] == to[b.start] {
            found.push((a.start, b.start));
            (a.start, b.start) = (a.start + 1, b.start + 1);
        }
        while !a.is_empty() && !b.is_empty() && from[a.end - 1] == to[b.end - 1] {
            found.push((a.end - 1, b.end - 1));
            (a.end, b.end) = (a.end - 1, b.end - 1);
        }
        if a.is_empty() || b.is_empty() {
            continue;
        }
        let held = anchors(from, to, &a, &b);
        if held.is_empty() {
            let pairs = myers(&from[a.clone()], &to[b.clone()]);
            found.extend(pairs.into_iter().map(|(x, y)| (a.start + x, b.start + y)));
            continue;
        }
        let (mut x, mut y) = (a.start, b.start);
        for (p, q) in held {
            todo.push((x..p, y..q));
            found.push((p, q));
            (x, y) = (p + 1, q + 1);
        }
        todo.push((x..a.end, y..b.end));
    }
    found.sort_unstable();
    found
}

/// Lines that both sides have exactly once, as many of them as keep their order.
fn anchors(from: &[u32], to: &[u32], a: &Range<usize>, b: &Range<usize>) -> Vec<(usize, usize)> {
    let mut seen: HashMap<u32, (usize, usize, usize, usize)> = HashMap::new();
    for at in a.clone() {
        let entry = seen.entry(from[at]).or_default();
        (entry.0, entry.1) = (entry.0 + 1, at);
    }
    for at in b.clone() {
        if let Some(entry) = seen.get_mut(&to[at]) {
            (entry.2, entry.3) = (entry.2 + 1, at);
        }
    }
    let mut once: Vec<(usize, usize)> =
        seen.values().filter(|entry| (entry.0, entry.2) == (1, 1)).map(|entry| (entry.1, entry.3)).collect();
    once.sort_unstable();
    // the longest rising run of right places: piles of cards
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; once.len()];
    for (at, (_, right)) in once.iter().enumerate() {
        let pile = piles.partition_point(|top| once[*top].1 < *right);
        before[at] = pile.checked_sub(1).map(|below| piles[below]);
        match piles.get_mut(pile) {
            Some(top) => *top = at,
            None => piles.push(at),
        }
    }
    let mut run = Vec::new();
    let mut at = piles.last().copied();
    while let Some(place) = at {
        run.push(once[place]);
        at = before[place];
    }
    run.reverse();
    run
}

/// The shortest way from one to the other, if it is not longer than [`FAR`].
fn myers(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let most = (a.len() + b.len()).min(FAR);
    let (n, m) = (a.len() as isize, b.len() as isize);
    let mut furthest = vec![0isize; 2 * most + 3];
    let middle = most as isize + 1;
    let slot = |k: isize| (k + middle) as usize;
    let mut trace: Vec<Vec<isize>> = Vec::new();
    for d in 0..=most as isize {
        // (only what the way back reads)
        trace.push(furthest[slot(-d - 1)..=slot(d + 1)].to_vec());
        for k in (-d..=d).step_by(2) {
            let down = k == -d || (k != d && furthest[slot(k - 1)] < furthest[slot(k + 1)]);
            let mut x = if down { furthest[slot(k + 1)] } else { furthest[slot(k - 1)] + 1 };
            let mut y = x - k;
            while x < n && y < m && a[x as usize] == b[y as usize] {
                (x, y) = (x + 1, y + 1);
            }
            furthest[slot(k)] = x;
            if x >= n && y >= m {
                return way_back(&trace, n, m);
            }
        }
    }
    Vec::new()
}

fn way_back(trace: &[Vec<isize>], n: isize, m: isize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut x, mut y) = (n, m);
    for (d, furthest) in trace.iter().enumerate().rev() {
        let d = d as isize;
        let at = |k: isize| furthest[(k + d + 1) as usize];
        let k = x - y;
        let down = k == -d || (k != d && at(k - 1) < at(k + 1));
        let before = if down { k + 1 } else { k - 1 };
        let from = (at(before), at(before) - before);
        while x > from.0 && y > from.1 {
            (x, y) = (x - 1, y - 1);
            pairs.push((x as usize, y as usize));
        }
        (x, y) = from;
    }
    pairs.reverse();
    pairs
}

/// What is different between two lines that stand for each other, in bytes of each. Nothing: they have too little in
/// common to be told apart word by word.
pub fn emphasis(left: &str, right: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let none = (Vec::new(), Vec::new());
    if left.len() > LONG || right.len() > LONG {
        return none;
    }
    let (a, b) = (words(left), words(right));
    let texts = |line: &'_ str, ranges: &[Range<usize>]| -> Vec<String> {
        ranges.iter().map(|range| line[range.clone()].to_owned()).collect()
    };
    let (left_words, right_words) = (texts(left, &a), texts(right, &b));
    let mut known = HashMap::new();
    let (from, to) = (numbers(&left_words, &mut known), numbers(&right_words, &mut known));
    let pairs = common(&from, &to);
    let blank = |range: &Range<usize>| left[range.clone()].trim().is_empty();
    let kept: usize =
        pairs.iter().map(|(at, _)| a[*at].clone()).filter(|range| !blank(range)).map(|range| range.len()).sum();
    if kept * 3 < left.trim().len().min(right.trim().len()) {
        return none;
    }
    let others = |ranges: &[Range<usize>], kept: Vec<usize>| {
        let mut changed: Vec<Range<usize>> = Vec::new();
        for (_, range) in ranges.iter().enumerate().filter(|(at, _)| kept.binary_search(at).is_err()) {
            match changed.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => changed.push(range.clone()),
            }
        }
        changed
    };
    (others(&a, pairs.iter().map(|pair| pair.0).collect()), others(&b, pairs.iter().map(|pair| pair.1).collect()))
}

/// Words, runs of blanks, and every other character alone.
fn words(line: &str) -> Vec<Range<usize>> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut last = 0;
    for (at, c) in line.char_indices() {
        let end = at + c.len_utf8();
        match words.last_mut() {
            Some(word) if class(c) != 0 && class(c) == last => word.end = end,
            _ => words.push(at..end),
        }
        last = class(c);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unified(left: &str, right: &str) -> String {
        Diff::of(left.as_bytes(), right.as_bytes()).unified("a", "b")
    }

    #[test]
    fn a_changed_line_stands_among_three_that_stay() {
        let left = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(
            unified(left, &left.replace("5\n", "five\nand a half\n")),
            "--- a\n+++ b\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+and a half\n 6\n 7\n 8\n"
        );
        assert_eq!(unified("", "x\n"), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert!(Diff::of(b"same\n", b"same\n").same());
    }

    #[test]
    fn a_function_that_moved_in_is_one_block() {
        let left = "a() {\n  x\n}\n\nc() {\n  z\n}\n";
        let right = "a() {\n  x\n}\n\nb() {\n  y\n}\n\nc() {\n  z\n}\n";
        let diff = Diff::of(left.as_bytes(), right.as_bytes());
        assert_eq!((diff.added, diff.removed, diff.hunks.len()), (4, 0, 1));
    }

    #[test]
    fn line_ends_and_marks_are_said_in_words() {
        let diff = Diff::of(b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb");
        assert_eq!((diff.added, diff.removed, diff.same()), (0, 0, false));
        assert_eq!(
            diff.notes,
            [
                "line ends: CR LF (Windows) on the left, LF on the right",
                "only the right begins with a byte order mark",
                "only on the right the last line has no end",
            ]
        );
        assert_eq!(Diff::of(b"a\r\nb\n", b"a\nb\r\n").notes, ["line ends differ in single lines"]);
        assert_eq!(Diff::of(b"\xff\n", b"\xfe\n").added, 1, "bytes that only look alike when shown");
    }

    #[test]
    fn words_that_changed_are_told_from_those_that_stayed() {
        let (left, right) = ("cd $STAGE || exit 1", "cd \"$STAGE\" || exit 2");
        let (a, b) = emphasis(left, right);
        let parts =
            |text: &str, ranges: &[Range<usize>]| ranges.iter().map(|r| text[r.clone()].to_owned()).collect::<Vec<_>>();
        assert_eq!(parts(left, &a), ["1"]);
        assert_eq!(parts(right, &b), ["\"", "\"", "2"]);
        assert!(emphasis("pushd there", "return 0").0.is_empty(), "nothing in common");
    }

    #[test]
    fn large_texts_without_anything_in_common_are_told_quickly() {
        let lines = |word: &str| (0..20_000).map(|n| format!("{word} {}\n", n % 7)).collect::<String>();
        let diff = Diff::of(lines("left").as_bytes(), lines("right").as_bytes());
        assert_eq!((diff.added, diff.removed), (20_000, 20_000));
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_out_of_the_rows(
            left in proptest::collection::vec(0u32..6, 0..60),
            right in proptest::collection::vec(0u32..6, 0..60),
        ) {
            let rows = rows(&left, &right);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            for row in rows {
                match row {
                    Row::Same(x, y) => {
                        prop_assert_eq!(left[x as usize], right[y as usize]);
                        a.push(x);
                        b.push(y);
                    }
                    Row::Del(x) => a.push(x),
                    Row::Add(y) => b.push(y),
                }
            }
            prop_assert_eq!(a, (0..left.len() as u32).collect::<Vec<_>>());
            prop_assert_eq!(b, (0..right.len() as u32).collect::<Vec<_>>());
        }

        #[test]
        fn the_shortest_way_is_found_where_it_is_short(
            left in proptest::collection::vec(0u32..3, 0..20),
            right in proptest::collection::vec(0u32..3, 0..20),
        ) {
            let mut best = vec![vec![0usize; right.len() + 1]; left.len() + 1];
            for x in 0..left.len() {
                for y in 0..right.len() {
                    best[x + 1][y + 1] = if left[x] == right[y] { best[x][y] + 1 } else { best[x][y + 1].max(best[x + 1][y]) };
                }
            }
            prop_assert_eq!(myers(&left, &right).len(), best[left.len()][right.len()]);
        }
    }
}
