//! Any list: cursor, scroll position and motions; filter, order, marks and chosen columns. Knows rows by their keys
//! (which stay the same when the list changes under the cursor) and by the columns of `model::rows`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::commands::Do;
use super::marks::{self, Marked};
use crate::model::filter::{self, Filter, Rows, Wrong};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListId {
    Scripts,
    Targets,
    Jobs,
    /// The runs of the job that is watched.
    Devices,
    /// The groups of a job, and the runs of one of them.
    Groups,
    Members,
    /// The devices of the plan in the launch dialog.
    Planned,
    /// What a search over past jobs found.
    Found,
    /// The devices that ended otherwise in another job.
    Changes,
}

impl ListId {
    /// What its rows are called.
    pub const fn word(self) -> &'static str {
        match self {
            ListId::Scripts => "scripts",
            ListId::Targets => "targets",
            ListId::Jobs => "jobs",
            ListId::Groups => "groups",
            ListId::Devices | ListId::Members | ListId::Planned | ListId::Changes => "devices",
            ListId::Found => "runs",
        }
    }

    /// How many of them, in words.
    pub fn count(self, n: usize) -> String {
        let word = self.word();
        if n == 1 { format!("1 {}", &word[..word.len() - 1]) } else { format!("{n} {word}") }
    }

    /// The column it is sorted by when nobody has chosen one.
    pub const fn usual_sort(self) -> usize {
        match self {
            ListId::Devices => 1,
            ListId::Groups => 3,
            ListId::Changes => 1,
            _ => 0,
        }
    }

    /// Verbs can be told to act on its marked rows.
    pub const fn takes_marks(self) -> bool {
        !matches!(self, ListId::Planned | ListId::Found | ListId::Changes)
    }
}

/// Where the operator is in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: usize,
    /// First row shown, as of the last motion. [`Cursor::window`] corrects it for the height at hand.
    pub top: usize,
    /// The operator has moved it: it is a choice, not an accident.
    pub touched: bool,
}

impl Cursor {
    /// `true`: the verb was a motion.
    pub fn go(&mut self, verb: Do, len: usize, height: usize) -> bool {
        let height = height.max(1);
        let last = len.saturating_sub(1);
        let half = (height / 2).max(1);
        // Before the move, so that the window moves only as far as it must.
        self.top = self.window(len, height).start;
        self.at = match verb {
            Do::Down => self.at.saturating_add(1).min(last),
            Do::Up => self.at.saturating_sub(1),
            Do::First => 0,
            Do::Last => last,
            Do::HalfDown => self.at.saturating_add(half).min(last),
            Do::HalfUp => self.at.saturating_sub(half),
            Do::PageDown => self.at.saturating_add(height).min(last),
            Do::PageUp => self.at.saturating_sub(height),
            _ => return false,
        };
        self.touched = true;
        self.top = self.window(len, height).start;
        true
    }

    pub fn put(&mut self, at: usize, len: usize, height: usize) {
        self.at = at.min(len.saturating_sub(1));
        self.top = self.window(len, height.max(1)).start;
    }

    /// The row it is on has moved: it keeps its line on the screen, so that a list that is being read does not jump. A
    /// list at its top stays there while the row fits: what comes in above it, the worst, is not to be out of sight.
    pub fn follow(&mut self, at: usize, len: usize, height: usize) {
        let height = height.max(1);
        let top = self.window(len.max(self.at + 1), height).start;
        let line = self.at.saturating_sub(top);
        self.at = at.min(len.saturating_sub(1));
        self.top = if top == 0 && self.at < height { 0 } else { self.at.saturating_sub(line) };
        self.top = self.window(len, height).start;
    }

    /// The rows to show: as near to `top` as keeps the cursor inside and the pane full.
    pub fn window(&self, len: usize, height: usize) -> Range<usize> {
        let at = self.at.min(len.saturating_sub(1));
        let top = self.top.min(at).max((at + 1).saturating_sub(height)).min(len.saturating_sub(height));
        top..(top + height).min(len)
    }
}

/// An order: by which column, and whether turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: usize,
    pub reverse: bool,
}

/// How a list is looked at: what survives navigation and restarts.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub sort: Sort,
    pub only_problems: bool,
    /// The filter as written, and the last that was understood.
    pub text: String,
    pub filter: Filter,
    /// Keys of marked rows.
    pub marks: BTreeSet<String>,
    /// A range is being marked from the row with this key.
    pub anchor: Option<String>,
    /// Columns chosen, in their order; none: as many as fit.
    pub columns: Vec<String>,
    /// Columns of this list that nobody has chosen and that are of use now, where there is room.
    pub extra: &'static [&'static str],
    /// The row the operator chose, for when it comes back.
    pub home: Option<String>,
    /// Rows there are, as of the last [`Look::order`].
    pub total: usize,
    /// Marked rows that are not shown.
    pub unseen: usize,
    /// All rows, in order; and those of them that passed the filter when they were looked at last.
    sorted: Vec<u32>,
    passed: Vec<u32>,
    /// `sorted` is of the rows there are now.
    fresh: bool,
    /// Whatever passes the filter now is among `passed`.
    wider: bool,
    /// The filter is another one: where it hides the row of the cursor, the first it names is meant, else the first.
    sought: bool,
}

impl Look {
    pub fn sorted(column: usize) -> Self {
        Self { sort: Sort { column, reverse: false }, ..Self::default() }
    }

    /// Something may be hidden.
    pub fn narrowed(&self) -> bool {
        self.only_problems || !self.filter.is_empty()
    }

    /// A filter as written. What cannot be read leaves the last one in force.
    ///
    /// # Errors
    /// Where it is wrong.
    pub fn set_filter(&mut self, text: &str, rows: &impl Rows) -> Result<(), Wrong> {
        let filter = filter::parse(text, &marks::with_mark(rows.columns()))?;
        // Letters added to what is typed only ever hide more.
        self.wider &= filter.narrows(&self.filter) && filter.timeless();
        self.sought |= self.text != text.trim();
        (self.filter, self.text) = (filter, text.trim().to_owned());
        Ok(())
    }

    pub fn clear_filter(&mut self) {
        (self.text, self.filter, self.wider) = (String::new(), Filter::default(), false);
    }

    /// The rows are others, or their order is: the next [`Look::order`] sorts them.
    pub fn changed(&mut self) {
        self.fresh = false;
    }

    /// Marks have changed: rows may come and go, and move, with them.
    pub fn remarked(&mut self, column: usize) {
        self.wider &= !self.filter.asks(column);
        self.fresh &= self.sort.column != column;
    }

    /// The rows to show, in order; the cursor stays on its row, or comes back to it. Where only the filter has changed
    /// nothing is sorted, and of a filter that was added to only what passed before is looked at.
    pub fn order<'k>(
        &mut self,
        rows: &impl Rows,
        key: impl Fn(usize) -> Cow<'k, str> + Sync,
        cursor: &mut Cursor,
        height: usize,
    ) -> Vec<u32> {
        let order = self.passing(rows, &key);
        let sought = self.was_sought();
        let home = self.home.as_ref().filter(|_| cursor.touched);
        match home.and_then(|home| order.iter().position(|row| key(*row as usize) == *home)) {
            Some(at) => cursor.follow(at, order.len(), height),
            None if sought => {
                let mut room = String::new();
                let named = order.iter().position(|row| self.names(rows.text(*row as usize, 0, &mut room)));
                cursor.put(named.unwrap_or(0), order.len(), height);
            }
            None => cursor.put(cursor.at, order.len(), height),
        }
        order
    }

    /// What was looked for stands in this name, and not only in what else is said of the row: of the rows that pass,
    /// such a one is meant first.
    pub fn names(&self, name: &str) -> bool {
        !self.filter.hits(0, name).is_empty()
    }

    /// The filter is another one than when this was asked last.
    pub fn was_sought(&mut self) -> bool {
        std::mem::take(&mut self.sought)
    }

    /// The rows to show, in order, for who puts the cursor there.
    pub fn passing<'k>(&mut self, rows: &impl Rows, key: &(impl Fn(usize) -> Cow<'k, str> + Sync)) -> Vec<u32> {
        let marked = Marked::new(rows, |row| self.marks.contains(&*key(row)));
        if !self.fresh || self.sorted.len() != rows.len() {
            let mut sorted = std::mem::take(&mut self.sorted);
            if sorted.len() != rows.len() {
                sorted = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).collect();
            }
            filter::sort(&marked, &mut sorted, self.sort.column, self.sort.reverse);
            (self.sorted, self.fresh, self.wider) = (sorted, true, false);
        }
        let from = if self.wider { &self.passed } else { &self.sorted };
        let passed = filter::among(&self.filter, &marked, from);
        let mut order = passed.clone();
        (self.passed, self.wider) = (passed, true);
        if self.only_problems {
            order.retain(|row| rows.troubled(*row as usize));
        }
        self.total = rows.len();
        self.count_unseen(order.iter().map(|row| key(*row as usize)));
        order
    }

    /// One level back: an open range, the marks, the filter. `false`: there was none of these.
    pub fn step_back(&mut self) -> bool {
        if self.anchor.take().is_some() {
            return true;
        }
        if !self.marks.is_empty() {
            self.unmark();
            return true;
        }
        let filtered = !self.text.is_empty();
        self.clear_filter();
        filtered
    }

    /// `31 of 412, hiding 381`; empty: nothing is hidden.
    pub fn hiding(&self, shown: usize) -> String {
        if !self.narrowed() {
            return String::new();
        }
        format!("{shown} of {}, hiding {}", self.total, self.total.saturating_sub(shown))
    }

    /// What the list is narrowed to, in words.
    pub fn says(&self) -> String {
        match (self.only_problems, self.filter.is_empty()) {
            (false, _) => self.filter.describe(),
            (true, true) => "only problems".into(),
            (true, false) => format!("only problems, {}", self.filter.describe()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::model::filter::{Column, Kind};
    use crate::model::rows::Scripts;

    struct Names(Vec<&'static str>);

    impl Rows for Names {
        fn columns(&self) -> &[Column] {
            static COLUMNS: [Column; 1] = [Column::new("name", Kind::Text)];
            &COLUMNS
        }

        fn len(&self) -> usize {
            self.0.len()
        }

        fn text<'a>(&'a self, row: usize, _: usize, _: &'a mut String) -> &'a str {
            self.0[row]
        }

        fn number(&self, _: usize, _: usize) -> Option<f64> {
            None
        }
    }

    #[test]
    fn a_filter_that_is_typed_on_shows_what_the_whole_list_would() {
        let rows = Names(vec!["web2", "db1", "web1", "cache"]);
        let key = |row: usize| Cow::Borrowed(rows.0[row]);
        let (mut look, mut cursor) = (Look::default(), Cursor::default());
        assert_eq!(look.order(&rows, key, &mut cursor, 9), [3, 1, 2, 0]);
        let mut shown = |text: &str| {
            look.set_filter(text, &rows).unwrap();
            look.order(&rows, key, &mut cursor, 9)
        };
        assert_eq!(shown("w"), [2, 0]);
        assert_eq!(shown("b1 | ch"), [3, 1, 2], "wider again in part");
        assert_eq!(shown("e"), [3, 2, 0]);
        assert_eq!(shown("e !c"), [2, 0]);
        assert_eq!(shown(""), [3, 1, 2, 0]);
    }

    #[test]
    fn a_new_filter_means_the_first_row_that_it_names_else_the_first_that_passes() {
        let all = sample::library().scripts;
        let rows = Scripts { all: &all, now: sample::at(0), besides: None };
        let key = |row: usize| Cow::Borrowed(all[row].name.as_str());
        for (text, shown, at) in [("up", 2, 1), ("up lang:bash", 1, 0), ("fill", 1, 0), ("lang:bash", 3, 0)] {
            let (mut look, mut cursor) = (Look::default(), Cursor::default());
            look.set_filter(text, &rows).unwrap();
            assert_eq!((look.order(&rows, key, &mut cursor, 9).len(), cursor.at), (shown, at), "{text}");
        }
    }

    #[test]
    fn marks_are_a_column_to_filter_and_sort_by_and_no_word_is_looked_for_in_it() {
        let rows = Names(vec!["web2", "db1", "web1", "yes"]);
        let key = |row: usize| Cow::Borrowed(rows.0[row]);
        let (mut look, mut cursor) = (Look::default(), Cursor::default());
        look.marks.extend(["web1".to_owned(), "db1".to_owned()]);
        let mut shown = |text: &str| {
            look.changed();
            look.set_filter(text, &rows).unwrap();
            look.order(&rows, key, &mut cursor, 9)
        };
        assert_eq!(shown("marked:yes"), [1, 2]);
        assert_eq!(shown("marked:n web"), [0]);
        assert_eq!(shown("!marked:yes"), [0, 3]);
        assert_eq!(shown("yes"), [3]);
        look.set_filter("", &rows).unwrap();
        look.sort.column = 1;
        look.changed();
        assert_eq!(look.order(&rows, key, &mut cursor, 9), [1, 2, 0, 3], "the marked first");
        let wrong = look.set_filter("web marked:x", &rows).unwrap_err();
        assert_eq!((wrong.column, wrong.message.as_str()), (11, "`marked` is yes or no"));
    }

    #[test]
    fn the_window_follows_the_cursor_and_stays_full() {
        let mut cursor = Cursor::default();
        cursor.go(Do::Last, 100, 10);
        assert_eq!((cursor.at, cursor.window(100, 10)), (99, 90..100));
        cursor.go(Do::Up, 100, 10);
        assert_eq!(cursor.window(100, 10), 90..100);
        cursor.go(Do::PageUp, 100, 10);
        assert_eq!((cursor.at, cursor.window(100, 10)), (88, 88..98));
        assert_eq!(cursor.window(20, 10), 10..20, "the list became shorter");
        assert_eq!(cursor.window(0, 10), 0..0);
        cursor.go(Do::Down, 0, 0);
        assert_eq!(cursor.window(0, 0), 0..0);
    }

    #[test]
    fn a_row_that_moves_keeps_its_line_but_hides_nothing_at_the_top() {
        let mut cursor = Cursor::default();
        cursor.put(0, 100, 10);
        cursor.follow(3, 103, 10);
        assert_eq!((cursor.at, cursor.window(103, 10)), (3, 0..10), "three came in above it");
        cursor.follow(12, 112, 10);
        assert_eq!((cursor.at, cursor.window(112, 10)), (12, 9..19), "on the line it had");
        cursor.follow(14, 114, 10);
        assert_eq!((cursor.at, cursor.window(114, 10)), (14, 11..21));
    }
}
