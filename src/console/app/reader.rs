//! An output read as what it is: a table with its header in place, a tree that folds, a page as text; and as it was
//! printed, at the same key. Makes the lines that [`Pages`] scrolls, wraps and searches; what the output is, and of what
//! it is made, is the model's affair.

use std::collections::BTreeSet;

use super::commands::Do;
use super::list::Cursor;
use super::pages::{Pages, Search};
use super::{App, Effect, View};
use crate::console::text;
use crate::model::content::Content;
use crate::model::content::csv::Table;
use crate::model::content::document::{Document, Shape};
use crate::model::content::json::{Node, Tree, Value};
use crate::model::job::JobId;

/// Cells of a table's column at most.
const WIDE: usize = 48;
/// A tree with more lines is shown folded below its first levels.
const MANY: usize = 2_000;

/// Which output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub job: JobId,
    pub run: u32,
    /// What its script says that it prints.
    pub declared: Option<Content>,
}

/// The document and how it is looked at.
#[derive(Debug)]
pub struct Reader {
    pub document: Document,
    /// As it was printed.
    pub raw: bool,
    /// Lines of the tree whose members are not shown.
    folded: BTreeSet<usize>,
    /// Which line of the tree stands on which row.
    rows: Vec<usize>,
    /// In the tree.
    pub cursor: Cursor,
    /// The names of the columns, above a table.
    pub header: Option<String>,
}

impl Reader {
    pub fn new(document: Document) -> Self {
        let folded = match &document.shape {
            Shape::Tree(tree) if tree.nodes.len() > MANY => {
                inner(tree).filter(|at| tree.nodes[*at].depth >= 2).collect()
            }
            _ => BTreeSet::new(),
        };
        Self { document, raw: false, folded, rows: Vec::new(), cursor: Cursor::default(), header: None }
    }

    /// It has rows that fold.
    pub fn folds(&self) -> bool {
        !self.raw && matches!(self.document.shape, Shape::Tree(_))
    }

    /// `JSON`, `as it was printed`…
    pub fn word(&self) -> &'static str {
        match self.document.content {
            _ if self.raw => "as it was printed",
            Content::Text => "text",
            Content::Html => "HTML, as text",
            Content::Csv => "CSV, as a table",
            Content::Json => "JSON, as a tree",
        }
    }

    fn lines(&mut self) -> Vec<String> {
        (self.header, self.rows) = (None, Vec::new());
        match &self.document.shape {
            _ if self.raw => self.document.raw.clone(),
            Shape::Lines(lines) => lines.clone(),
            Shape::Table(table) => {
                let mut lines = laid_out(table);
                self.header = (!lines.is_empty()).then(|| lines.remove(0));
                lines
            }
            Shape::Tree(tree) => {
                let mut at = 0;
                let mut lines = Vec::new();
                while let Some(node) = tree.nodes.get(at) {
                    let folded = self.folded.contains(&at);
                    if !matches!(node.value, Value::Close { .. }) {
                        lines.push(told(node, folded));
                        self.rows.push(at);
                    }
                    at = match node.value {
                        Value::Open { end, .. } if folded => end.max(at + 1),
                        _ => at + 1,
                    };
                }
                lines
            }
        }
    }

    /// Opens or folds the line under the cursor. What has nothing to fold folds what it is in.
    fn fold(&mut self, wanted: Option<bool>) {
        let (Shape::Tree(tree), Some(at)) = (&self.document.shape, self.rows.get(self.cursor.at).copied()) else {
            return;
        };
        let members = |at: usize| matches!(tree.nodes[at].value, Value::Open { members, .. } if members > 0);
        let fold = wanted.unwrap_or(!self.folded.contains(&at));
        match (members(at), fold) {
            (true, true) if self.folded.insert(at) => {}
            (true, false) => drop(self.folded.remove(&at)),
            // again, or nothing to fold: to what it is in
            (_, true) if wanted.is_some() => {
                let depth = tree.nodes[at].depth;
                let outer = (0..at).rev().find(|outer| tree.nodes[*outer].depth < depth && members(*outer));
                if let Some(row) = outer.and_then(|outer| self.rows.iter().position(|row| *row == outer)) {
                    self.cursor.at = row;
                }
            }
            _ => {}
        }
    }

    fn fold_all(&mut self, fold: bool) {
        let Shape::Tree(tree) = &self.document.shape else { return };
        let on = self.rows.get(self.cursor.at).copied();
        self.folded = if fold { inner(tree).collect() } else { BTreeSet::new() };
        let top = on.map(|at| (0..=at).rev().find(|at| !fold || tree.nodes[*at].depth == 0).unwrap_or(0));
        self.lines();
        self.cursor.at = top.and_then(|at| self.rows.iter().position(|row| *row == at)).unwrap_or(0);
    }
}

/// The lines of a tree that have members.
fn inner(tree: &Tree) -> impl Iterator<Item = usize> {
    let members =
        |(at, node): (usize, &Node)| matches!(node.value, Value::Open { members, .. } if members > 0).then_some(at);
    tree.nodes.iter().enumerate().filter_map(members)
}

fn told(node: &Node, folded: bool) -> String {
    let key = node.key.as_ref().map_or_else(String::new, |key| format!("{key}: "));
    let (sign, value) = match &node.value {
        Value::Plain(value) => (' ', value.clone()),
        Value::Open { object: true, members: 0, .. } => (' ', "{}".to_owned()),
        Value::Open { members: 0, .. } => (' ', "[]".to_owned()),
        Value::Open { object, members, .. } => {
            let brackets = if *object { ("{", "}") } else { ("[", "]") };
            match folded {
                true => ('+', format!("{}{members}{}", brackets.0, brackets.1)),
                false => ('-', brackets.0.to_owned()),
            }
        }
        Value::Close { .. } => (' ', String::new()),
    };
    format!("{}{sign} {key}{value}", "  ".repeat(node.depth))
}

/// A table in columns, the header first; numbers stand at the right.
fn laid_out(table: &Table) -> Vec<String> {
    let (mut widths, mut numbers) = (vec![0; table.columns], vec![true; table.columns]);
    for (n, row) in table.rows.iter().enumerate() {
        for (at, cell) in row.iter().enumerate() {
            widths[at] = text::width(cell).min(WIDE).max(widths[at]);
            numbers[at] &= n == 0 || cell.is_empty() || cell.trim().parse::<f64>().is_ok();
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(widths.iter().zip(&numbers));
        let cells = cells.map(|(cell, (width, number))| {
            let cell = text::clip(cell, *width);
            if *number { text::pad_start(&cell, *width) } else { text::pad(&cell, *width) }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.rows.iter().map(line).collect()
}

impl Pages {
    /// The lines of its reader, anew.
    fn reread(&mut self) {
        let Some(reader) = &mut self.reader else { return };
        self.lines = reader.lines();
        reader.cursor.at = reader.cursor.at.min(self.lines.len().saturating_sub(1));
        if let Some(search) = &mut self.search {
            search.again(&self.lines);
        }
    }

    /// Rows for lines, of those that there are inside the border.
    pub fn height(&self, rows: usize) -> usize {
        let header = self.reader.as_ref().is_some_and(|reader| reader.header.is_some());
        rows.saturating_sub(usize::from(header)).max(1)
    }

    /// What a search led to has the cursor.
    pub(super) fn follow_hit(&mut self, height: usize) {
        let (Some(line), len) = (self.search.as_ref().and_then(Search::line), self.lines.len()) else { return };
        if let Some(reader) = self.reader.as_mut().filter(|reader| reader.folds()) {
            reader.cursor.put(line, len, height);
            self.top = reader.cursor.top;
        }
    }

    /// What a reader does with a verb. `true`: done.
    pub(super) fn read_on(&mut self, verb: Do, height: usize) -> bool {
        let len = self.lines.len();
        let Some(reader) = &mut self.reader else { return false };
        match verb {
            Do::RawView => {
                reader.raw = !reader.raw;
                (self.top, self.left) = (0, 0);
            }
            _ if !reader.folds() => return false,
            Do::Accept | Do::Open => reader.fold(None),
            Do::Collapse => reader.fold(Some(true)),
            Do::Expand => reader.fold(Some(false)),
            Do::FoldAll | Do::UnfoldAll => reader.fold_all(verb == Do::FoldAll),
            // what is folded is searched, too
            Do::SearchText => reader.fold_all(false),
            verb => {
                let moved = reader.cursor.go(verb, len, height);
                self.top = reader.cursor.top;
                return moved;
            }
        }
        self.reread();
        if let Some(reader) = self.reader.as_mut().filter(|reader| reader.folds()) {
            reader.cursor.put(reader.cursor.at, self.lines.len(), height);
            self.top = reader.cursor.top;
        }
        verb != Do::SearchText
    }
}

impl App {
    /// The output of the device that is watched, as what it is.
    pub(super) fn open_reader(&mut self, effects: &mut Vec<Effect>) {
        let Some(live) = self.live.as_ref().filter(|_| self.view == View::Live) else { return };
        let run = live.tail.run.unwrap_or(live.chosen);
        let Some(held) = &self.held else { return };
        let (Some(job), Some(run)) = (&held.job, held.run(run)) else {
            self.hint = Some("no output here yet".into());
            return;
        };
        let script = &job.summary.script;
        let declared = self.scripts.iter().find(|known| known.name == *script).and_then(|script| script.output);
        self.pipes += 1;
        let output = Output { job: live.id, run: run.index, declared };
        let mut pages = Pages::new(self.pipes, &format!("{}  {script}", run.name));
        pages.reads = true;
        effects.push(Effect::ReadOutput { serial: self.pipes, output });
        self.layers.push(super::Layer::Pages(Box::new(pages)));
    }

    /// What was read, or why nothing was.
    pub(super) fn read_out(&mut self, serial: u64, answer: Result<Document, String>) {
        let pages = self.layers.iter_mut().find_map(|layer| match layer {
            super::Layer::Pages(pages) if pages.serial == serial => Some(pages),
            _ => None,
        });
        let Some(pages) = pages else { return };
        match answer {
            Ok(document) => {
                pages.reader = Some(Box::new(Reader::new(document)));
                pages.ended = Some(String::new());
                pages.reread();
            }
            Err(why) => {
                (pages.reader, pages.lines) = (None, Vec::new());
                pages.ended = Some(format!("it could not be read: {why}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(text: &str) -> Pages {
        let mut pages = Pages::new(1, "x");
        pages.reader = Some(Box::new(Reader::new(Document::of(text.as_bytes(), None, false))));
        pages.reread();
        pages
    }

    #[test]
    fn a_tree_folds_and_unfolds_where_the_cursor_is() {
        let mut pages = pages("{\"a\": [1, 2], \"b\": {\"c\": {}}}");
        assert_eq!(pages.lines, ["- {", "  - a: [", "      1", "      2", "  - b: {", "      c: {}"]);
        for verb in [Do::Down, Do::Open] {
            assert!(pages.read_on(verb, 10));
        }
        assert_eq!(pages.lines, ["- {", "  + a: [2]", "  - b: {", "      c: {}"]);
        assert!(pages.read_on(Do::Expand, 10));
        assert_eq!(pages.lines.len(), 6);
        // from within, to what it is in; then that
        for verb in [Do::Down, Do::Collapse, Do::Collapse] {
            assert!(pages.read_on(verb, 10));
        }
        assert_eq!(pages.lines[1], "  + a: [2]");
        assert!(pages.read_on(Do::FoldAll, 10));
        assert_eq!(pages.lines, ["+ {2}"]);
        assert!(pages.read_on(Do::UnfoldAll, 10));
        assert_eq!(pages.lines.len(), 6);
    }

    #[test]
    fn as_it_was_printed_at_the_same_key() {
        let mut pages = pages("{\"a\":1}");
        assert!(pages.read_on(Do::RawView, 10));
        assert_eq!(pages.lines, ["{\"a\":1}"]);
        assert!(!pages.read_on(Do::Down, 10), "a plain text scrolls as ever");
        assert!(pages.read_on(Do::RawView, 10));
        assert_eq!(pages.lines.len(), 2);
    }

    #[test]
    fn a_table_keeps_its_header_and_numbers_stand_at_the_right() {
        let pages = pages("host,free,note\nweb001,9,ok\ndb,1200,\"full, nearly\"\n");
        let reader = pages.reader.as_ref().unwrap();
        assert_eq!(reader.header.as_deref(), Some("host    free  note"));
        assert_eq!(pages.lines, ["web001     9  ok", "db      1200  full, nearly"]);
    }

    #[test]
    fn what_is_searched_is_unfolded() {
        let mut pages = pages("{\"a\": [1, 2]}");
        pages.read_on(Do::FoldAll, 10);
        assert!(!pages.read_on(Do::SearchText, 10), "the search itself is another's");
        assert_eq!(pages.lines.len(), 4);
    }
}
