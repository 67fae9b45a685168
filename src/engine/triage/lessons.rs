//! What the ends of a job teach the tree, while they come in. Leaf by leaf, for no leaf teaches another: an end that
//! says what is known costs a look, one that is new costs its own leaf. What is learnt hangs on the set of ends alone,
//! so when the last has come it is the same whatever their order was.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Form, LEARNT, Pattern, Tree, leaf};

/// A leaf with more forms than this is not looked through for each new one: that waits until they are a tenth more.
const MANY: usize = 32;

#[derive(Default)]
pub struct Lessons {
    leaves: BTreeMap<String, Leaf>,
    patterns: BTreeSet<Pattern>,
}

#[derive(Default)]
struct Leaf {
    forms: Vec<Form>,
    tree: Tree,
    /// Forms that the tree was taught.
    taught: usize,
    /// One of the others is none that the tree covers.
    news: bool,
}

impl Lessons {
    /// A form that was not heard before.
    pub fn hear(&mut self, form: Form) {
        let (state, exit_code, lines) = &form;
        let leaf = self.leaves.entry(leaf(state.word(), *exit_code, lines)).or_default();
        leaf.news |= leaf.tree.general(*state, *exit_code, lines).is_none();
        leaf.forms.push(form);
    }

    /// What they teach. `last`: no other will come.
    pub fn taught(&mut self, last: bool) -> &BTreeSet<Pattern> {
        let mut more = false;
        for leaf in self.leaves.values_mut() {
            let (then, now) = (leaf.taught, leaf.forms.len());
            let worth = leaf.news && (now <= MANY || now >= then + then / 10);
            if worth || (last && now > then) {
                let tree = Tree::default().taught(&leaf.forms);
                more |= tree.patterns() != leaf.tree.patterns();
                (leaf.tree, leaf.taught, leaf.news) = (tree, now, false);
            }
        }
        if more {
            let all = self.leaves.values().flat_map(|leaf| leaf.tree.patterns());
            self.patterns = all.take(LEARNT).cloned().collect();
        }
        &self.patterns
    }
}

/// What all of these teach, by themselves: whichever job taught before, they teach the same.
pub fn taught(forms: impl IntoIterator<Item = Form>) -> BTreeSet<Pattern> {
    let mut lessons = Lessons::default();
    forms.into_iter().for_each(|form| lessons.hear(form));
    lessons.taught(true).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::RunState;

    fn form(line: String) -> Form {
        (RunState::Failed, Some(1), vec![line])
    }

    #[test]
    fn what_is_learnt_one_by_one_is_what_all_together_teach() {
        let words = ["ann", "ben", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "joe"];
        let mut forms: Vec<Form> = words.iter().map(|word| form(format!("user {word} exists already"))).collect();
        forms.extend((0..40).map(|n| form(format!("cannot read all of /srv/{n}x"))));
        forms.extend((0..40).map(|n| form(format!("cannot copy all of /a/{} to /b/{}", n % 7, n / 7))));
        forms.push(form("something else".to_owned()));
        let all = taught(forms.iter().cloned());
        assert!(!all.is_empty());
        let mut lessons = Lessons::default();
        for (n, form) in (1..).zip(&forms) {
            lessons.hear(form.clone());
            lessons.taught(n == forms.len());
        }
        assert_eq!(lessons.patterns, all);
    }

    #[test]
    fn what_is_known_already_waits_until_the_end() {
        let mut lessons = Lessons::default();
        for n in 0..3 {
            lessons.hear(form(format!("cannot read all of /srv/{n}x")));
            lessons.taught(false);
        }
        let leaf = lessons.leaves.values().next().expect("one leaf");
        assert_eq!((leaf.forms.len(), leaf.taught), (3, 2), "the third is covered by what two taught");
        lessons.taught(true);
        assert_eq!(lessons.leaves.values().next().map(|leaf| leaf.taught), Some(3));
    }
}
