//! The colours of a text that changes: each line keeps what the grammar knew before and after it, so that after an
//! edit only those lines are read again whose beginning has changed, and of these only as many as are on screen.
//! Knows nothing of edits but which rows none has touched: of the others it compares the text it knows with the text
//! there is.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use super::buffer::Same;
use super::highlight::{Grammar, State};
use crate::console::theme::Role;

/// What it takes to read a line, beside its bytes: so that empty lines are not free.
const LINE: usize = 20;

/// What stands where in a line, in bytes.
pub type Spans = Vec<(Range<usize>, Role)>;

#[derive(Debug)]
struct Line {
    text: String,
    spans: Spans,
    /// What the grammar knew before and after this line; `None`: never read.
    known: Option<(Rc<State>, Rc<State>)>,
}

/// The coloured text.
#[derive(Debug)]
pub struct Colours {
    grammar: Option<Grammar>,
    lines: Vec<Line>,
    /// Rows that may not follow from the row before them. From each of these the lines are read again until one
    /// does; every other row is known to be right, provided that the rows above it are.
    doubtful: BTreeSet<usize>,
    scratch: String,
}

impl Colours {
    pub fn new(grammar: Option<Grammar>) -> Self {
        Self { grammar, lines: Vec::new(), doubtful: BTreeSet::new(), scratch: String::new() }
    }

    pub fn grammar(&self) -> Option<Grammar> {
        self.grammar
    }

    /// The text is written in something else: all of it is read again.
    pub fn set_grammar(&mut self, grammar: Option<Grammar>) {
        if grammar != self.grammar {
            let lines: Vec<String> = self.lines.drain(..).map(|line| line.text).collect();
            *self = Self::new(grammar);
            self.sync(&lines, Same::NONE);
        }
    }

    /// Takes over the text as it is now, and tells which rows became which. What did not change keeps its colours;
    /// what did is plain until [`Colours::ensure`] has read it. `same`: rows that need not be looked at.
    pub fn sync(&mut self, lines: &[String], same: Same) -> Option<(Range<usize>, Range<usize>)> {
        let equal = |mine: usize, theirs: usize| self.lines[mine].text == lines[theirs];
        let Same { head, tail } = same.grown(self.lines.len(), lines.len(), equal);
        if head == lines.len() && head == self.lines.len() {
            return None;
        }
        let (old, new) = (head..self.lines.len() - tail, head..lines.len() - tail);
        // What was doubtful below moves with its line.
        self.doubtful = self
            .doubtful
            .iter()
            .filter(|row| !old.contains(row))
            .map(|row| if *row < old.start { *row } else { row - old.end + new.end })
            .collect();
        self.doubtful.extend((new.start < lines.len()).then_some(new.start));
        if old.len() == new.len() {
            // The usual edit moves nothing.
            for (line, text) in self.lines[old.clone()].iter_mut().zip(&lines[new.clone()]) {
                line.text.clone_from(text);
                line.known = None;
                clip(&mut line.spans, text.len());
            }
        } else {
            let fresh = lines[new.clone()].iter();
            let fresh = fresh.map(|text| Line { text: text.clone(), spans: Vec::new(), known: None });
            self.lines.splice(old.clone(), fresh);
        }
        Some((old, new))
    }

    /// Makes the colours of the rows up to `row` right, reading about `most` bytes. Tells which rows it changed.
    pub fn ensure(&mut self, row: usize, mut most: usize) -> Option<Range<usize>> {
        let grammar = self.grammar?;
        let mut changed: Option<Range<usize>> = None;
        while let Some(&from) = self.doubtful.first()
            && from <= row
            && most > 0
        {
            self.doubtful.pop_first();
            let mut at = from;
            let mut before = match at.checked_sub(1).and_then(|above| self.lines.get(above)?.known.as_ref()) {
                Some((_, after)) => after.clone(),
                None => Rc::new(State::start(grammar)),
            };
            while let Some(line) = self.lines.get_mut(at) {
                if let Some((began, _)) = &mut line.known
                    && (Rc::ptr_eq(began, &before) || **began == *before)
                {
                    // As it was read: from here on all follows, up to the next doubtful row.
                    *began = before;
                    break;
                }
                if at > row || most == 0 {
                    self.doubtful.insert(at);
                    break;
                }
                self.doubtful.remove(&at);
                let mut state = (*before).clone();
                line.spans = state.line(&line.text, &mut self.scratch);
                let after = if state == *before { before.clone() } else { Rc::new(state) };
                line.known = Some((before, after.clone()));
                before = after;
                most = most.saturating_sub(line.text.len() + LINE);
                let rows = changed.get_or_insert(at..at + 1);
                (rows.start, rows.end) = (rows.start.min(at), rows.end.max(at + 1));
                at += 1;
            }
        }
        changed
    }

    /// Nothing is doubtful: there is no more to read.
    pub fn complete(&self) -> bool {
        self.grammar.is_none() || self.doubtful.is_empty()
    }

    /// The colours of a row, as far as they are known: plain, or those of before the last edit above it.
    pub fn spans(&self, row: usize) -> &[(Range<usize>, Role)] {
        self.lines.get(row).map_or(&[], |line| &line.spans)
    }

    /// What the byte of this row is part of.
    pub fn role(&self, row: usize, byte: usize) -> Option<Role> {
        self.spans(row).iter().find(|(range, _)| range.contains(&byte)).map(|(_, role)| *role)
    }
}

/// Colours that the shorter text cannot have.
fn clip(spans: &mut Spans, len: usize) {
    spans.retain_mut(|(range, _)| {
        range.end = range.end.min(len);
        range.start < range.end
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::editor::buffer::{Buffer, Kind, pos};

    const PIECES: [&str; 18] = [
        "echo \"hi $USER\"",
        "if true; then",
        "fi",
        "cat <<EOF",
        "EOF",
        "# a comment",
        "x='open",
        "'",
        "\"",
        "foo() { local a=$1; }",
        "",
        "  for i in 1 2 3; do echo $((i + 1)); done",
        "case $x in a) b ;; esac",
        "`date",
        "$(",
        ")",
        "日本 = \"ü\"",
        "cat <<'A' <<B",
    ];

    fn bash() -> Option<Grammar> {
        Grammar::of("x.sh", "bash", &["#!/bin/bash".to_owned()])
    }

    fn full(lines: &[String]) -> Colours {
        let mut colours = Colours::new(bash());
        colours.sync(lines, Same::NONE);
        colours.ensure(usize::MAX, usize::MAX);
        colours
    }

    fn line(random: &mut fastrand::Rng) -> String {
        PIECES[random.usize(..PIECES.len())].to_owned()
    }

    /// One edit as people make them.
    fn edit(random: &mut fastrand::Rng, text: &mut Buffer) {
        let at = random.usize(..text.lines().len());
        let put = |text: &mut Buffer, from, to, new: &str| text.splice(from, to, new).unwrap();
        match random.u8(..12) {
            0..4 => {
                let place = pos(at, random.usize(..=text.width(at)));
                let sign = *random.choice(&['"', '\'', 'x', ' ', '#', '$', '<', '`', ')']).unwrap();
                put(text, place, place, &sign.to_string());
                text.close(Kind::Typed);
            }
            4 => put(text, pos(at, 0), pos(at, text.width(at)), &line(random)),
            5 => {
                let lines: Vec<String> = (0..random.usize(1..9)).map(|_| line(random) + "\n").collect();
                put(text, pos(at, 0), pos(at, 0), &lines.concat());
            }
            6 if text.lines().len() > 20 => {
                put(text, pos(at, 0), pos(at + random.usize(1..9), 0), "");
            }
            7 => drop((0..random.usize(1..30)).take_while(|_| text.undo()).count()),
            8 => drop((0..random.usize(1..30)).take_while(|_| text.redo()).count()),
            9 => {
                // Lines change places, in one step.
                let other = random.usize(..text.lines().len());
                let (one, two) = (text.line(at).to_owned(), text.line(other).to_owned());
                put(text, pos(at, 0), pos(at, text.width(at)), &two);
                put(text, pos(other, 0), pos(other, text.width(other)), &one);
            }
            10 => put(text, pos(at, 0), pos(at, text.width(at)), ""),
            _ => {
                let place = pos(at, random.usize(..=text.width(at)));
                put(text, place, place, "\n");
            }
        }
        text.close(Kind::Other);
    }

    /// Edits as people make them, looked at as people look: somewhere, for a while, never all of it. What is on the
    /// screen is right at once; the rest once there was time for it.
    #[test]
    fn incremental_equals_full_whatever_is_edited() {
        for seed in 0..6 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut text = Buffer::new((0..120).map(|_| line(&mut random)).collect());
            let mut colours = Colours::new(bash());
            colours.sync(text.lines(), Same::NONE);
            for step in 0..400 {
                // Several edits may come before anybody looks.
                (0..random.usize(1..4)).for_each(|_| edit(&mut random, &mut text));
                let same = text.take_same();
                colours.sync(text.lines(), same);
                let row = random.usize(..text.lines().len());
                let seen = match random.u8(..5) {
                    0 | 1 => {
                        colours.ensure(row, usize::MAX);
                        row + 1
                    }
                    2 => {
                        colours.ensure(row, random.usize(1..1_000));
                        0
                    }
                    3 => {
                        colours.ensure(usize::MAX, 300); // an idle moment
                        0
                    }
                    _ => 0,
                };
                let seen = if step % 20 == 19 {
                    colours.ensure(usize::MAX, usize::MAX);
                    assert!(colours.complete());
                    text.lines().len()
                } else {
                    seen
                };
                if seen > 0 {
                    let whole = full(text.lines());
                    for (row, line) in text.lines().iter().enumerate().take(seen) {
                        assert_eq!(colours.spans(row), whole.spans(row), "seed {seed}, step {step}, row {row}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_is_on_screen_is_read() {
        let mut lines: Vec<String> = (0..1000).map(|n| format!("echo {n}")).collect();
        let mut colours = Colours::new(bash());
        colours.sync(&lines, Same::NONE);
        assert_eq!(colours.ensure(39, usize::MAX), Some(0..40));
        assert!(!colours.complete() && colours.spans(40).is_empty());
        colours.ensure(usize::MAX, usize::MAX);
        // An edit that leaves the grammar where it was is one line, wherever it is, and however much there is below.
        lines[500].push_str(" # more");
        colours.sync(&lines, Same { head: 500, tail: 499 });
        assert_eq!(colours.ensure(usize::MAX, usize::MAX), Some(500..501));
        assert!(colours.complete());
        // One that opens a string goes on, but not beyond the screen.
        lines[500] = "echo \"".into();
        colours.sync(&lines, Same { head: 500, tail: 499 });
        assert_eq!(colours.ensure(520, usize::MAX), Some(500..521));
        assert!(!colours.complete());
        assert!(!colours.spans(700).is_empty(), "what is not read yet keeps the colours it had");
        // A letter within it is one line again, though what is below still waits.
        lines[500].push('x');
        colours.sync(&lines, Same { head: 500, tail: 499 });
        assert_eq!(colours.ensure(520, usize::MAX), Some(500..501));
        // One that closes it comes back to where it was, and nothing below is read again.
        lines[500].push('"');
        colours.sync(&lines, Same { head: 500, tail: 499 });
        assert_eq!(colours.ensure(520, usize::MAX), Some(500..521));
        assert_eq!(colours.ensure(usize::MAX, usize::MAX), None);
        assert!(colours.complete());
    }

    #[test]
    fn only_rows_that_an_edit_touched_are_looked_at() {
        let mut lines: Vec<String> = (0..100).map(|n| format!("echo {n}")).collect();
        let mut colours = Colours::new(bash());
        colours.sync(&lines, Same::NONE);
        lines[10].push('x');
        lines[90].push('x');
        assert_eq!(colours.sync(&lines, Same { head: 80, tail: 5 }), Some((90..91, 90..91)), "row 10 is not compared");
        assert_eq!(colours.sync(&lines, Same::ALL), None);
        assert_eq!(colours.sync(&lines, Same::NONE), Some((10..11, 10..11)));
    }

    #[test]
    fn long_lines_count_for_more() {
        let lines: Vec<String> = (0..10).map(|_| format!("echo {}", "x".repeat(995))).collect();
        let mut colours = Colours::new(bash());
        colours.sync(&lines, Same::NONE);
        assert_eq!(colours.ensure(usize::MAX, 3_000), Some(0..3));
        assert_eq!(colours.ensure(usize::MAX, 1), Some(3..4), "it always goes on");
    }

    #[test]
    fn without_a_grammar_all_is_plain() {
        let mut colours = Colours::new(None);
        colours.sync(&["echo".to_owned()], Same::NONE);
        assert_eq!(colours.ensure(10, 10), None);
        assert!(colours.complete() && colours.spans(0).is_empty());
        colours.set_grammar(bash());
        colours.sync(&["echo \"x\"".to_owned()], Same::NONE);
        colours.ensure(10, 10);
        assert_eq!(colours.role(0, 6), Some(Role::SyntaxString));
    }
}
