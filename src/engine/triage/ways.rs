//! What a script's ends are called: the masks, its own rules before them, what was learnt of its words, and what people
//! merged and split. Pure, from the book that is kept of the script. Nothing in the book is a name: it keeps ends as
//! they were (specimens), whose names are made anew when rules or learning change, so what was done by hand stays with
//! the failure it was done to. A name made by nothing but the masks is the one recorded with the run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mask::mask_by;
use super::rules::Rules;
use super::signature::Specimen;
use super::tree::{LEARNT, Pattern, Tree};
use crate::model::ways::{Fine, Rule};

/// All that is kept of a script.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Book {
    pub rules: Vec<Rule>,
    pub merged: Vec<Merge>,
    pub split: Vec<Cut>,
    pub learnt: BTreeSet<Pattern>,
}

impl Book {
    /// Up to a bound: a script that says a thousand different things is not understood by a thousand more.
    pub fn learn(&mut self, patterns: impl IntoIterator<Item = Pattern>) {
        for pattern in patterns {
            if self.learnt.len() < LEARNT {
                self.learnt.insert(pattern);
            }
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Merge {
    pub what: Specimen,
    pub into: Specimen,
    pub by: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cut {
    pub what: Specimen,
    pub fine: Fine,
    pub by: String,
    pub at: Timestamp,
}

/// A way to end, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub template: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Ways {
    pub book: Arc<Book>,
    pub rules: Arc<Rules>,
    tree: Tree,
    /// By the name before.
    split: HashMap<String, Fine>,
    merged: HashMap<String, String>,
    /// Those that others were merged into.
    heads: HashMap<String, (Specimen, Vec<String>)>,
}

impl Ways {
    /// The book was looked at before it was kept; a rule that is none any more (another engine wrote it) counts for
    /// nothing.
    pub fn of(book: Book) -> Self {
        let rules = Rules::compile(&book.rules).unwrap_or_default();
        Self::made(Arc::new(book), Arc::new(rules), &BTreeSet::new())
    }

    /// The same with what a job that has not ended teaches.
    pub fn with(&self, learnt: &BTreeSet<Pattern>) -> Self {
        Self::made(Arc::clone(&self.book), Arc::clone(&self.rules), learnt)
    }

    pub fn knows(&self, learnt: &BTreeSet<Pattern>) -> bool {
        learnt.is_subset(self.tree.patterns())
    }

    /// Leaves of the tree in which these know something else than those did. `None`: they differ by more than what
    /// they learnt, or what was done by hand may hang on it.
    pub(super) fn learnt_since(&self, before: &Self) -> Option<HashSet<String>> {
        let same = Arc::ptr_eq(&self.book, &before.book) && Arc::ptr_eq(&self.rules, &before.rules);
        (same && self.book.split.is_empty() && self.book.merged.is_empty()).then(|| self.tree.differing(&before.tree))
    }

    fn made(book: Arc<Book>, rules: Arc<Rules>, learnt: &BTreeSet<Pattern>) -> Self {
        let tree = Tree::of(book.learnt.union(learnt).cloned());
        let mut ways = Self { book: Arc::clone(&book), rules, tree, ..Self::default() };
        for cut in &book.split {
            let name = ways.whole(&cut.what).name;
            ways.split.insert(name, cut.fine);
        }
        for merge in &book.merged {
            let from = ways.single(&merge.what, None).name;
            let into = ways.single(&merge.into, None);
            let name = ways.follow(&into.name).to_owned();
            if name != from {
                ways.heads.entry(into.name).or_insert_with(|| (merge.into.clone(), into.template));
                ways.merged.insert(from, name);
            }
        }
        ways
    }

    /// The lines that tell, masked by the script's rules; what repeats itself once.
    pub fn masked(&self, told: &[String], fine: Fine) -> Vec<String> {
        let mut lines: Vec<String> = told.iter().map(|line| mask_by(line, &self.rules, fine)).collect();
        lines.dedup();
        lines
    }

    pub fn name(&self, specimen: &Specimen) -> Named {
        self.merged(self.single(specimen, None))
    }

    /// The same of one whose masked lines are at hand.
    pub fn name_of(&self, specimen: &Specimen, masked: &[String]) -> Named {
        self.merged(self.single(specimen, Some(masked)))
    }

    /// Its name, had nothing been merged.
    pub fn unmerged(&self, specimen: &Specimen) -> Named {
        self.single(specimen, None)
    }

    /// Told apart at least as finely as this, merged into nothing.
    pub fn apart(&self, specimen: &Specimen, fine: Fine) -> Named {
        if specimen.recorded.is_some() || fine == Fine::Words {
            return self.whole(specimen);
        }
        let template = self.masked(&specimen.told, fine);
        Named { name: specimen.name(&template), template }
    }

    /// How finely people want it told apart.
    pub fn fineness(&self, specimen: &Specimen) -> Fine {
        self.split.get(&self.whole(specimen).name).copied().unwrap_or_default()
    }

    /// It is told apart by more than its masked lines.
    pub fn splits(&self, specimen: &Specimen, masked: &[String]) -> bool {
        !self.split.is_empty() && self.split.contains_key(&self.general(specimen, masked).name)
    }

    /// The end that a group goes by into which others were merged.
    pub fn head(&self, name: &str) -> Option<&Specimen> {
        self.heads.get(name).map(|(specimen, _)| specimen)
    }

    /// Before anything is done by hand.
    pub fn whole(&self, specimen: &Specimen) -> Named {
        self.general(specimen, &self.masked(&specimen.told, Fine::Masks))
    }

    fn general(&self, specimen: &Specimen, masked: &[String]) -> Named {
        if let Some(name) = &specimen.recorded {
            return Named { name: name.clone(), template: specimen.told.to_vec() };
        }
        let general = self.tree.general(specimen.state, specimen.exit_code, masked);
        let template = general.unwrap_or_else(|| masked.to_vec());
        Named { name: specimen.name(&template), template }
    }

    fn single(&self, specimen: &Specimen, masked: Option<&[String]>) -> Named {
        let whole = match masked {
            Some(masked) => self.general(specimen, masked),
            None => self.whole(specimen),
        };
        match self.split.get(&whole.name) {
            Some(fine) => self.apart(specimen, *fine),
            None => whole,
        }
    }

    fn merged(&self, named: Named) -> Named {
        let name = self.follow(&named.name);
        if name == named.name {
            return named;
        }
        let template = self.heads.get(name).map_or(named.template, |(_, template)| template.clone());
        Named { name: name.to_owned(), template }
    }

    fn follow<'a>(&'a self, name: &'a str) -> &'a str {
        let mut name = name;
        // nothing is merged into itself, but two books may have been put together
        for _ in 0..=self.merged.len() {
            match self.merged.get(name) {
                Some(into) => name = into,
                None => break,
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::RunState;

    fn specimen(line: &str) -> Specimen {
        Specimen { state: RunState::Failed, exit_code: Some(1), told: [line.to_owned()].into(), recorded: None }
    }

    fn merge(what: &str, into: &str) -> Merge {
        Merge { what: specimen(what), into: specimen(into), by: "ops".into(), at: Timestamp::UNIX_EPOCH }
    }

    fn says(ways: &Ways, line: &str) -> String {
        ways.name(&specimen(line)).template.join("\n")
    }

    #[test]
    fn without_a_book_the_name_is_the_one_recorded() {
        let ways = Ways::of(Book::default());
        let one = specimen("retry 3/3 failed");
        assert_eq!(ways.name(&one).name, one.name(&one.template()));
    }

    #[test]
    fn what_is_merged_goes_by_the_other_s_name_whatever_comes_after() {
        let book = Book { merged: vec![merge("b fell", "a fell"), merge("a fell", "c fell")], ..Book::default() };
        let ways = Ways::of(book);
        for line in ["a fell", "b fell", "c fell"] {
            assert_eq!(ways.name(&specimen(line)), ways.name(&specimen("c fell")));
            assert_eq!(says(&ways, line), "c fell");
        }
        assert_eq!(says(&ways, "d fell"), "d fell");
        // round in a circle: an end all the same
        let circle = Ways::of(Book { merged: vec![merge("a", "b"), merge("b", "a")], ..Book::default() });
        assert_eq!(says(&circle, "a"), "b");
        assert_eq!(says(&circle, "b"), "b");
    }

    #[test]
    fn what_is_split_is_told_apart_more_finely() {
        let cut =
            |fine| Cut { what: specimen("exit 7 at 10:42:07"), fine, by: "ops".into(), at: Timestamp::UNIX_EPOCH };
        for (fine, expected) in [
            (Fine::Masks, "exit <n> at <time>"),
            (Fine::Numbers, "exit 9 at <time>"),
            (Fine::Lines, "exit 9 at 11:00:00"),
        ] {
            let ways = Ways::of(Book { split: vec![cut(fine)], ..Book::default() });
            assert_eq!(says(&ways, "exit 9 at 11:00:00"), expected);
            assert_eq!(says(&ways, "code 9"), "code <n>", "another group is left alone");
            assert_eq!(ways.fineness(&specimen("exit 1 at 09:00:00")), fine);
        }
    }

    #[test]
    fn what_was_done_by_hand_stays_with_the_failure_when_the_rules_change() {
        let merged = vec![merge("pkg-a broke, HTTP 503", "mirror is gone")];
        let rule =
            |pattern: &str, becomes: Option<&str>| Rule { pattern: pattern.into(), becomes: becomes.map(Into::into) };
        let with = |rules| Ways::of(Book { rules, merged: merged.clone(), ..Book::default() });
        for ways in [with(vec![]), with(vec![rule("HTTP [0-9]+", None)]), with(vec![rule("pkg-[a-z]+", Some("<pkg>"))])]
        {
            assert_eq!(says(&ways, "pkg-a broke, HTTP 503"), "mirror is gone");
        }
        assert_eq!(says(&with(vec![rule("pkg-[a-z]+", Some("<pkg>"))]), "pkg-b broke, HTTP 503"), "mirror is gone");
        assert_eq!(says(&with(vec![rule("HTTP [0-9]+", None)]), "pkg-a broke, HTTP 404"), "pkg-a broke, HTTP 404");
    }
}
