//! Words that may be any: a tree of tokens over masked templates, after Drain (He et al., ICWS 2017; the Drain3 tool).
//! Like there, a template goes down by its length and by the words at its head (`depth`) to a leaf, where those that
//! are alike (`similarity`) become one, and a place with more than `children` different words becomes `<*>`.
//!
//! Drain decides line by line, so its templates hang on the order of arrival, and two engines would give two names to
//! one failure. Here the *set* of a job's templates decides, never their order: all of a leaf are looked at together,
//! what is learnt is closed under overlap, so that a template has one most general form, and adding templates only
//! ever joins. What an ended job teaches is kept with the script; looking at any of its jobs, all that was ever learnt
//! counts, so the same failure has the same name in each of them. Drain takes a share of equal words alone for alike,
//! which puts `disk is full` and `disk is gone` together. A failure's name must not swallow another, so a difference
//! counts as one of names only where there is evidence: words that look like names (a figure, a path, quotes, a dotted
//! name: `<id>`) from two on, plain words when there are more of them than `children`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::model::state::RunState;
use crate::model::ways::Tree as Bounds;

pub const ANY: &str = "<*>";
pub const ID: &str = "<id>";

/// Learnt of a script, at most.
pub const LEARNT: usize = 256;

/// How often what was learnt is looked at for more.
const ROUNDS: usize = 4;

/// How a run ended, and the lines that tell, masked.
pub type Form = (RunState, Option<i32>, Vec<String>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pattern {
    pub state: String,
    pub exit_code: Option<i32>,
    /// Lines of words, some of them `<*>` or `<id>`.
    pub lines: Vec<String>,
}

/// Words of all lines, one after the other.
type Words = Vec<String>;

#[derive(Clone, Debug, Default)]
pub struct Tree {
    leaves: HashMap<String, Vec<Words>>,
    patterns: BTreeSet<Pattern>,
}

impl Tree {
    pub fn of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut leaves: HashMap<String, BTreeSet<Words>> = HashMap::new();
        let patterns: BTreeSet<Pattern> = patterns.into_iter().collect();
        for pattern in &patterns {
            let leaf = leaf(&pattern.state, pattern.exit_code, &pattern.lines);
            leaves.entry(leaf).or_default().insert(words(&pattern.lines));
        }
        Self { leaves: leaves.into_iter().map(|(leaf, words)| (leaf, closed(words))).collect(), patterns }
    }

    pub fn patterns(&self) -> &BTreeSet<Pattern> {
        &self.patterns
    }

    /// Leaves in which something is known here and there that is not the same.
    pub fn differing(&self, other: &Tree) -> HashSet<String> {
        let differs = |leaf: &&String| self.leaves.get(*leaf) != other.leaves.get(*leaf);
        self.leaves.keys().chain(other.leaves.keys()).filter(differs).cloned().collect()
    }

    /// The most general form of these lines; `None`: nothing in them was learnt to be any.
    pub fn general(&self, state: RunState, exit_code: Option<i32>, lines: &[String]) -> Option<Vec<String>> {
        if self.leaves.is_empty() {
            return None;
        }
        let patterns = self.leaves.get(&leaf(state.word(), exit_code, lines))?;
        let words = words(lines);
        let general =
            patterns.iter().filter(|pattern| covers(pattern, &words)).max_by_key(|pattern| places(pattern))?;
        Some(again(general, lines))
    }

    /// This, and what these forms teach beside it.
    pub fn taught(&self, forms: &[Form]) -> Self {
        let mut learnt = self.patterns.clone();
        let mut tree = self.clone();
        for _ in 0..ROUNDS {
            let before = learnt.len();
            let mut leaves: BTreeMap<String, BTreeMap<Words, &Form>> = BTreeMap::new();
            let general: Vec<Form> = forms
                .iter()
                .map(|(state, code, lines)| {
                    (*state, *code, tree.general(*state, *code, lines).unwrap_or_else(|| lines.clone()))
                })
                .collect();
            for form in &general {
                leaves.entry(leaf(form.0.word(), form.1, &form.2)).or_default().insert(words(&form.2), form);
            }
            for forms in leaves.values().filter(|forms| forms.len() > 1) {
                let first = forms.values().next().expect("not empty");
                let fixed = heads(&first.2);
                let found = places_of_ids(forms.keys(), &fixed).chain(places_of_words(forms.keys(), &fixed));
                for words in found.filter(|words| alike(words)).collect::<BTreeSet<_>>() {
                    if learnt.len() < LEARNT {
                        let lines = again(&words, &first.2);
                        learnt.insert(Pattern { state: first.0.word().to_owned(), exit_code: first.1, lines });
                    }
                }
            }
            if learnt.len() == before {
                break;
            }
            tree = Self::of(learnt.iter().cloned());
        }
        tree
    }
}

/// State, code, length, and the words that lead each line: what a form may become keeps all of these.
pub fn leaf(state: &str, exit_code: Option<i32>, lines: &[String]) -> String {
    let mut leaf = format!("{state}\0{exit_code:?}");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        leaf.push_str(&format!("\0{}", words.len()));
        for at in head(&words) {
            leaf.push_str(&format!("\0{at} {}", words[at]));
        }
    }
    leaf
}

/// The words at the head of a line: the first that are no marks and no names of something.
fn head<'a>(words: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    (0..words.len()).filter(|at| is_word(words[*at]) && !is_id(words[*at])).take(Bounds::default().depth)
}

/// Which of all words stand at the head of a line.
fn heads(lines: &[String]) -> Vec<bool> {
    let mut fixed = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let from = fixed.len();
        fixed.resize(from + words.len(), false);
        head(&words).for_each(|at| fixed[from + at] = true);
    }
    fixed
}

fn words(lines: &[String]) -> Words {
    lines.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect()
}

/// As lines again, as long as these.
fn again(words: &[String], like: &[String]) -> Vec<String> {
    let mut words = words.iter();
    like.iter()
        .map(|line| words.by_ref().take(line.split(' ').count()).cloned().collect::<Vec<_>>().join(" "))
        .collect()
}

/// More than a mark and what stands around it.
fn is_word(word: &str) -> bool {
    bare(word).chars().any(char::is_alphabetic)
}

/// Without the marks in it.
fn bare(word: &str) -> String {
    let mut bare = String::new();
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('<') {
        bare.push_str(before);
        match behind.split_once('>') {
            Some((mark, behind)) if mark.chars().all(|c| c.is_ascii_lowercase() || c == '*') => rest = behind,
            _ => {
                bare.push('<');
                rest = behind;
            }
        }
    }
    bare + rest
}

/// Looks like a name of something: a path, a file, a host, quoted, with a figure in it.
fn is_id(word: &str) -> bool {
    if word == ID {
        return true;
    }
    let label = word.ends_with(':');
    let word = word.trim_matches(|c: char| ".,;:()[]".contains(c));
    if !is_word(word) || word.contains('=') {
        return false;
    }
    let quoted = word.starts_with(['"', '\'', '`', '‘', '“', '«']) || word.ends_with(['"', '\'', '`', '’', '”', '»']);
    let marked = bare(word).len() < word.len();
    let dotted = !label && word.contains('.') && !word.chars().any(char::is_uppercase);
    quoted || marked || dotted || word.contains(['/', '\\', '@']) || word.chars().any(|c| c.is_ascii_digit())
}

/// Enough of the words must stay.
fn alike(words: &[String]) -> bool {
    let open = places(words);
    let stay = words.iter().filter(|word| is_word(word)).count();
    stay as f64 >= Bounds::default().similarity * (stay + open) as f64
}

/// Words that may be any.
fn places(words: &[String]) -> usize {
    words.iter().filter(|word| *word == ANY || *word == ID).count()
}

/// Those that are the same but for words that look like names: where these differ.
fn places_of_ids<'a>(forms: impl Iterator<Item = &'a Words>, fixed: &'a [bool]) -> impl Iterator<Item = Words> + 'a {
    let mut same: BTreeMap<Words, Vec<&Words>> = BTreeMap::new();
    for words in forms {
        let key = words
            .iter()
            .zip(fixed)
            .map(|(word, fixed)| if !fixed && is_id(word) { ID.to_owned() } else { word.clone() });
        same.entry(key.collect()).or_default().push(words);
    }
    same.into_iter().filter(|(_, forms)| forms.len() > 1).map(|(key, forms)| {
        let differs = |at: usize| forms.iter().any(|form| form[at] != forms[0][at]);
        (0..key.len()).map(|at| if differs(at) { ID.to_owned() } else { forms[0][at].clone() }).collect()
    })
}

/// Those that are the same but for one word (wherever it stands), where there are more such words than can be so many
/// failures.
fn places_of_words<'a>(forms: impl Iterator<Item = &'a Words>, fixed: &'a [bool]) -> impl Iterator<Item = Words> + 'a {
    let mut same: HashMap<Words, usize> = HashMap::new();
    for words in forms {
        let open: BTreeSet<&String> =
            words.iter().zip(fixed).filter(|(word, fixed)| !**fixed && is_word(word)).map(|(word, _)| word).collect();
        for word in open {
            let any = |(at, other): (usize, &String)| {
                if other == word && !fixed[at] { ANY.to_owned() } else { other.clone() }
            };
            *same.entry(words.iter().enumerate().map(any).collect()).or_default() += 1;
        }
    }
    same.into_iter().filter(|(_, count)| *count > Bounds::default().children).map(|(key, _)| key)
}

fn covers(pattern: &[String], words: &[String]) -> bool {
    pattern.len() == words.len() && pattern.iter().zip(words).all(|(place, word)| at_least(place, word))
}

fn at_least(place: &str, word: &str) -> bool {
    place == word || place == ANY || (place == ID && is_id(word))
}

/// With the joins of those that overlap: then whatever two of them cover, a third covers too, and more.
fn closed(patterns: BTreeSet<Words>) -> Vec<Words> {
    let mut all: Vec<Words> = patterns.into_iter().collect();
    let mut known: BTreeSet<Words> = all.iter().cloned().collect();
    let mut at = 1;
    while at < all.len() && all.len() < LEARNT {
        for other in 0..at {
            if let Some(join) = join(&all[at], &all[other]).filter(|join| alike(join))
                && known.insert(join.clone())
            {
                all.push(join);
            }
        }
        at += 1;
    }
    all.sort();
    all
}

/// What covers both, if something is covered by both.
fn join(one: &[String], other: &[String]) -> Option<Words> {
    one.iter()
        .zip(other)
        .map(|(one, other)| match (at_least(one, other), at_least(other, one)) {
            (true, _) => Some(one.clone()),
            (_, true) => Some(other.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(line: &str) -> Form {
        (RunState::Failed, Some(1), vec![line.to_owned()])
    }

    fn general(tree: &Tree, line: &str) -> String {
        let (state, code, lines) = form(line);
        tree.general(state, code, &lines).map_or_else(|| line.to_owned(), |lines| lines.join("\n"))
    }

    fn taught(lines: &[&str]) -> Tree {
        Tree::default().taught(&lines.iter().map(|line| form(line)).collect::<Vec<_>>())
    }

    #[test]
    fn what_looks_like_a_name_is_any_from_two_on() {
        for (one, other, expected) in [
            ("cat: cannot read /etc/one", "cat: cannot read /etc/two", "cat: cannot read <id>"),
            ("E: Unable to fetch 'curl'", "E: Unable to fetch 'wget'", "E: Unable to fetch <id>"),
            ("no carrier on eth0", "no carrier on eth1", "no carrier on <id>"),
            ("could not resolve host: a.example", "could not resolve host: b.example", "could not resolve host: <id>"),
            ("cannot copy all of /a/x to /b/x", "cannot copy all of /a/y to /b/z", "cannot copy all of <id> to <id>"),
        ] {
            let tree = taught(&[one, other]);
            assert_eq!(general(&tree, one), expected);
            assert_eq!(general(&tree, other), expected);
        }
    }

    #[test]
    fn another_word_is_another_failure_unless_there_are_very_many() {
        for (one, other) in [
            ("error: disk is full", "error: disk is gone"),
            ("connect: Connection refused", "connect: Connection reset"),
            ("sw_vers: command not found", "brew: command not found"),
            ("Caused by: java.net.ConnectException: x", "Caused by: java.io.IOException: x"),
            ("KeyError: 'os'", "KeyError: 'name'"),
            ("<time> ERROR lost", "<time> ERROR found"),
            ("a b c d", "a b c d e"),
        ] {
            let tree = taught(&[one, other]);
            assert_eq!((general(&tree, one), general(&tree, other)), (one.to_owned(), other.to_owned()));
        }
        let users = ["ann", "ben", "cyd", "dan", "eve", "fay", "gus", "hal", "ida"];
        let lines: Vec<String> = users.iter().map(|user| format!("useradd: user {user} exists already")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(general(&taught(&lines[..8]), lines[0]), lines[0]);
        assert_eq!(general(&taught(&lines), "useradd: user zoe exists already"), "useradd: user <*> exists already");
        let twice: Vec<String> =
            users.iter().map(|user| format!("no match for {user}, so no {user}, is there")).collect();
        let twice: Vec<&str> = twice.iter().map(String::as_str).collect();
        assert_eq!(general(&taught(&twice), twice[0]), "no match for <*> so no <*> is there");
        assert_eq!(general(&taught(&lines), "useradd: group ann exists already"), "useradd: group ann exists already");
    }

    #[test]
    fn what_overlaps_has_one_most_general_form() {
        let tree = taught(&["cannot copy all of /a/x to /b/y", "cannot copy all of /a/z to /b/y"]);
        let tree = tree.taught(&[form("cannot copy all of /a/x to /b/y"), form("cannot copy all of /a/x to /b/w")]);
        for line in ["cannot copy all of /a/x to /b/y", "cannot copy all of /q/q to /r/r"] {
            assert_eq!(general(&tree, line), "cannot copy all of <id> to <id>");
        }
    }

    #[test]
    fn another_state_or_code_is_another_leaf() {
        let tree = taught(&["cannot read all of /a", "cannot read all of /b"]);
        let lines = vec!["cannot read all of /c".to_owned()];
        assert!(tree.general(RunState::Failed, Some(1), &lines).is_some());
        assert!(tree.general(RunState::Failed, Some(2), &lines).is_none());
        assert!(tree.general(RunState::Timeout, Some(1), &lines).is_none());
    }

    fn any_form() -> impl proptest::strategy::Strategy<Value = Form> {
        use proptest::prelude::*;
        let word = prop_oneof![
            Just("a"),
            Just("b"),
            Just("/x"),
            Just("/y"),
            Just("e1"),
            Just("<n>"),
            Just("failed"),
            Just("of")
        ];
        (proptest::collection::vec(word, 3..6), 0..2i32)
            .prop_map(|(words, code)| (RunState::Failed, Some(code), vec![words.join(" ")]))
    }

    proptest::proptest! {
        #[test]
        fn neither_the_order_nor_a_restart_changes_what_is_learnt(
            mut forms in proptest::collection::vec(any_form(), 1..60), cut in 0usize..60, seed in 0u64..1000,
        ) {
            let tree = Tree::default().taught(&forms);
            let all: Vec<_> = forms.iter().map(|(s, c, lines)| tree.general(*s, *c, lines)).collect();
            let before = forms.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut forms);
            forms.extend_from_slice(&before[..cut.min(before.len())]);
            let other = Tree::default().taught(&forms);
            proptest::prop_assert_eq!(tree.patterns(), other.patterns());
            let kept: Vec<Pattern> = serde_json::from_str(&serde_json::to_string(tree.patterns()).unwrap()).unwrap();
            let again = Tree::of(kept);
            for ((state, code, lines), general) in before.iter().zip(all) {
                proptest::prop_assert_eq!(&again.general(*state, *code, lines), &general);
                proptest::prop_assert_eq!(&other.general(*state, *code, lines), &general);
                if let Some(general) = general {
                    proptest::prop_assert_eq!(&tree.general(*state, *code, &general).unwrap_or(general.clone()), &general, "it is its own");
                }
            }
        }

        #[test]
        fn jobs_may_teach_in_any_order(
            one in proptest::collection::vec(any_form(), 1..30), other in proptest::collection::vec(any_form(), 1..30),
        ) {
            // what each of them teaches alone, put together, is the same whoever came first
            let alone = |forms: &[Form]| Tree::default().taught(forms).patterns().clone();
            let both = Tree::of(alone(&one).into_iter().chain(alone(&other)));
            let rather = Tree::of(alone(&other).into_iter().chain(alone(&one)));
            for (state, code, lines) in one.iter().chain(&other) {
                proptest::prop_assert_eq!(both.general(*state, *code, lines), rather.general(*state, *code, lines));
            }
        }
    }
}
