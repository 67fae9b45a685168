//! The colours of a text that changes: each line keeps what the grammar knew before and after it, so that after an
//! edit only those lines are read again whose beginning has changed, and of these only as many as are on screen.
//! Knows nothing of edits: it compares the text it knows with the text there is, which no undo or paste can deceive.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use super::highlight::{Grammar, State};
use crate::console::theme::Role;

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
            self.sync(&lines);
        }
    }

    /// Takes over the text as it is now, and tells which rows became which. What did not change keeps its colours;
    /// what did is plain until [`Colours::ensure`] has read it.
    pub fn sync(&mut self, lines: &[String]) -> Option<(Range<usize>, Range<usize>)> {
        let same = |(mine, theirs): &(&Line, &String)| mine.text == **theirs;
        let head = self.lines.iter().zip(lines).take_while(same).count();
        if head == lines.len() && head == self.lines.len() {
            return None;
        }
        let most = self.lines.len().min(lines.len()) - head;
        let tail = self.lines.iter().rev().zip(lines.iter().rev()).take(most).take_while(same).count();
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

    /// Makes the colours of the rows up to `row` right, reading at most `most` lines. Tells which rows it changed.
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
                most -= 1;
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
        colours.sync(lines);
        colours.ensure(usize::MAX, usize::MAX);
        colours
    }

    fn line(random: &mut fastrand::Rng) -> String {
        PIECES[random.usize(..PIECES.len())].to_owned()
    }

    /// Edits as people make them, looked at as people look: somewhere, for a while, never all of it.
    #[test]
    fn incremental_equals_full_whatever_is_edited() {
        for seed in 0..6 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut lines: Vec<String> = (0..120).map(|_| line(&mut random)).collect();
            let mut colours = Colours::new(bash());
            colours.sync(&lines);
            let mut kept: Vec<Vec<String>> = Vec::new();
            for edit in 0..400 {
                kept.push(lines.clone());
                let at = random.usize(..lines.len());
                match random.u8(..10) {
                    0..4 => {
                        let mut text: Vec<char> = lines[at].chars().collect();
                        let place = random.usize(..=text.len());
                        text.insert(place, *random.choice(&['"', '\'', 'x', ' ', '#', '$', '<', '`', ')']).unwrap());
                        lines[at] = text.into_iter().collect();
                    }
                    4 => lines[at] = line(&mut random),
                    5 => (0..random.usize(1..9)).for_each(|_| lines.insert(at, line(&mut random))),
                    6 if lines.len() > 20 => drop(lines.drain(at..(at + random.usize(1..9)).min(lines.len()))),
                    7 => lines = kept[random.usize(..kept.len())].clone(), // undo, far
                    8 => {
                        let other = random.usize(..lines.len());
                        lines.swap(at, other);
                    }
                    _ => lines[at].clear(),
                }
                colours.sync(&lines);
                match random.u8(..4) {
                    0 => drop(colours.ensure(random.usize(..lines.len()), usize::MAX)),
                    1 => drop(colours.ensure(random.usize(..lines.len()), random.usize(1..30))),
                    2 => drop(colours.ensure(lines.len(), 10)),
                    _ => {}
                }
                if edit % 20 == 19 {
                    colours.ensure(usize::MAX, usize::MAX);
                    assert!(colours.complete());
                    let whole = full(&lines);
                    for (row, text) in lines.iter().enumerate() {
                        assert_eq!(colours.spans(row), whole.spans(row), "seed {seed}, edit {edit}, row {row}: {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_is_on_screen_is_read() {
        let mut lines: Vec<String> = (0..1000).map(|n| format!("echo {n}")).collect();
        let mut colours = Colours::new(bash());
        colours.sync(&lines);
        assert_eq!(colours.ensure(39, usize::MAX), Some(0..40));
        assert!(!colours.complete() && colours.spans(40).is_empty());
        colours.ensure(usize::MAX, usize::MAX);
        // An edit that leaves the grammar where it was is one line, wherever it is.
        lines[500].push_str(" # more");
        colours.sync(&lines);
        assert_eq!(colours.ensure(usize::MAX, usize::MAX), Some(500..501));
        // One that opens a string goes on, but not beyond the screen.
        lines[500].push_str("\" x");
        lines[500] = lines[500].replace("# more", "\"");
        colours.sync(&lines);
        lines[500] = "echo \"".into();
        colours.sync(&lines);
        assert_eq!(colours.ensure(520, usize::MAX), Some(500..521));
        assert!(!colours.complete());
        assert!(!colours.spans(700).is_empty(), "what is not read yet keeps the colours it had");
    }

    #[test]
    fn without_a_grammar_all_is_plain() {
        let mut colours = Colours::new(None);
        colours.sync(&["echo".to_owned()]);
        assert_eq!(colours.ensure(10, 10), None);
        assert!(colours.complete() && colours.spans(0).is_empty());
        colours.set_grammar(bash());
        colours.sync(&["echo \"x\"".to_owned()]);
        colours.ensure(10, 10);
        assert_eq!(colours.role(0, 6), Some(Role::SyntaxString));
    }
}
