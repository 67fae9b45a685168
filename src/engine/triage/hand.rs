//! What people do to the groups of a script by hand, and its rules: read, changed, taken back. All of it or nothing: a
//! change is made in one step on what the store holds at that moment, so two consoles at once end in one defined state.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rules::Rules;
use super::signature::Specimen;
use super::view::{blocking, lock};
use super::ways::{Book, Cut, Merge, Ways};
use crate::engine::compare::find_group;
use crate::engine::store::ways as store;
use crate::engine::{Engine, problem};
use crate::model::audit::{Act, Deed};
use crate::model::job::JobId;
use crate::model::plan::Caller;
use crate::model::ways::{self, Does, Expected, Foreseen, Merged, Regroup, Rule, Split};
use crate::model::wire::{Code, Event, Problem};

/// Done by hand to the groups of one script, at most.
const MOST: usize = 500;

impl Engine {
    /// How the outputs of a script are put together.
    pub async fn ways(&self, script: &str) -> Result<ways::Ways, Problem> {
        let script = self.script_name(script).await?;
        Ok(shown(&script, &*self.ways_of(&script).await?))
    }

    /// Gives a script these rules instead of those it has.
    pub async fn set_rules(&self, script: &str, rules: Vec<Rule>, caller: &Caller) -> Result<ways::Ways, Problem> {
        if let Err(wrong) = Rules::compile(&rules) {
            let error = format!("{}: the rules are as they were", wrong.text);
            return Err(Problem { code: Code::Invalid, error, column: wrong.column });
        }
        let script = self.script_name(script).await?;
        let note = match rules.as_slice() {
            [] => "no rules of its own".to_owned(),
            rules => rules.iter().map(ruled).collect::<Vec<_>>().join("; "),
        };
        let done = self
            .change(&script, move |book| {
                book.rules = rules;
                Ok(())
            })
            .await?;
        let (script, note) = (Some(script), Some(note));
        self.audit(Deed { script, note, ..Deed::of(Act::Rules, &self.user, caller) }).await?;
        Ok(done)
    }

    /// Puts groups of a job together, or takes one apart.
    pub async fn regroup(&self, job: JobId, what: Regroup, caller: &Caller) -> Result<ways::Ways, Problem> {
        let (script, view) = self.view(job, None).await?;
        let ways = lock(&view).ways();
        let meant = self.meant_by(job, what).await?;
        let note = meant.note();
        let act = if matches!(meant, Meant::Merge { .. }) { Act::Merge } else { Act::Split };
        let done = self.change(&script, move |book| meant.does(&ways, book)).await?;
        let (script, note, job) = (Some(script), Some(note), Some(job));
        self.audit(Deed { script, note, job, ..Deed::of(act, &self.user, caller) }).await?;
        Ok(done)
    }

    /// What that would come to.
    pub async fn foresee(&self, job: JobId, what: Regroup) -> Result<Foreseen, Problem> {
        let (script, view) = self.view(job, None).await?;
        let meant = self.meant_by(job, what).await?;
        blocking(move || {
            let ways = lock(&view).ways();
            let before = shown(&script, &ways);
            let mut book = Book::clone(&ways.book);
            let does = match &meant {
                Meant::Merge { .. } => Does::Merge,
                Meant::Split { cut, .. } => Does::Split(cut.fine),
                Meant::Undo { name, ends } => match last_done(&ways, &book, name, ends) {
                    Some(Last::Merge(act)) => {
                        Does::Unmerge(act.into_iter().map(|at| before.merged[at].clone()).collect())
                    }
                    Some(Last::Cut(at)) => Does::Unsplit(before.split[at].clone()),
                    None => return Err(problem(Code::Invalid, untouched(name))),
                },
            };
            let ends = meant.ends().to_vec();
            meant.does(&ways, &mut book).map_err(|why| problem(Code::Invalid, why))?;
            let after = lock(&view).ways_by(book);
            let mut groups: BTreeMap<String, Expected> = BTreeMap::new();
            for end in &ends {
                let named = after.name(end);
                let says = named.template.last().cloned().unwrap_or_default();
                let fresh = Expected { signature: named.name.clone(), says, runs: 0 };
                groups.entry(named.name).or_insert(fresh).runs += 1;
            }
            let mut groups: Vec<Expected> = groups.into_values().collect();
            groups.sort_by_key(|group| std::cmp::Reverse(group.runs));
            Ok(Foreseen { script, does, groups })
        })
        .await?
    }

    /// The groups that are named, and what is to be done with them.
    async fn meant_by(&self, job: JobId, what: Regroup) -> Result<Meant, Problem> {
        let (by, at) = (self.user.clone(), Timestamp::now());
        let groups = self.groups(job, false).await?;
        let (_, view) = self.view(job, None).await?;
        let find = |name: &str| -> Result<(String, Vec<Specimen>), Problem> {
            let name = find_group(&groups, name)?.signature.clone();
            let ends = lock(&view).specimens(&name);
            if ends.is_empty() {
                return Err(problem(Code::NotFound, format!("job {job}: the groups have just changed: look again")));
            }
            Ok((name, ends))
        };
        let ways = lock(&view).ways();
        match what {
            Regroup::Merge { signatures, into } => {
                let (other, mut ends) = find(&into)?;
                let into = head(&ways, &other, &ends);
                let (mut merges, mut names) = (Vec::new(), Vec::new());
                for signature in signatures {
                    let (name, these) = find(&signature)?;
                    if name == other || names.contains(&name) {
                        return Err(problem(Code::Invalid, format!("{name} is one group: there is nothing to merge")));
                    }
                    let what = head(&ways, &name, &these);
                    if (what.state, what.exit_code) != (into.state, into.exit_code) {
                        let differs = format!(
                            "{name} and {other} ended in different ways ({} and {}): only what ended with the same state and exit code is one",
                            ended(&what),
                            ended(&into)
                        );
                        return Err(problem(Code::Invalid, differs));
                    }
                    merges.push(Merge { what, into: into.clone(), by: by.clone(), at });
                    names.push(name);
                    ends.extend(these);
                }
                if merges.is_empty() {
                    return Err(problem(Code::Invalid, format!("nothing is named that {other} is to take in")));
                }
                Ok(Meant::Merge { merges, names, into: other, ends })
            }
            Regroup::Split { signature } => {
                let (name, ends) = find(&signature)?;
                if merges(&ways, &ways.book, &name).next().is_some() {
                    return Ok(Meant::Undo { name, ends });
                }
                let what = ends[0].clone();
                let mut fine = ways.fineness(&what);
                // a step that changes nothing is none
                while let Some(finer) = fine.finer() {
                    fine = finer;
                    let mut names = ends.iter().map(|end| ways.apart(end, fine).name);
                    let first = names.next();
                    if names.any(|name| Some(&name) != first.as_ref()) {
                        return Ok(Meant::Split { cut: Cut { what, fine, by, at }, name, ends });
                    }
                }
                Err(problem(
                    Code::Invalid,
                    format!(
                        "all runs of {name} tell the same, word for word: `groups JOB --exact` tells their outputs apart"
                    ),
                ))
            }
            Regroup::Undo { signature } => {
                let (name, ends) = find(&signature)?;
                Ok(Meant::Undo { name, ends })
            }
        }
    }

    async fn change(
        &self,
        script: &str,
        change: impl FnOnce(&mut Book) -> Result<(), String> + Send + 'static,
    ) -> Result<ways::Ways, Problem> {
        let name = script.to_owned();
        let bounded = move |book: &mut Book| {
            change(book)?;
            if book.merged.len() + book.split.len() > MOST {
                return Err(format!(
                    "{MOST} groups were merged or split by hand: a rule would do more (`regroup mask`)"
                ));
            }
            Ok(())
        };
        let done = self.jobs.store.db.call(move |db| store::change(db, &name, bounded)).await?;
        done.map_err(|why| problem(Code::Invalid, why))?;
        self.triage.forget(script);
        self.events.publish(&Event::Triage);
        Ok(shown(script, &*self.ways_of(script).await?))
    }

    /// A script as its jobs call it: of the library, or one that ran and is there no more.
    async fn script_name(&self, given: &str) -> Result<String, Problem> {
        if let Ok((info, _)) = self.bytes(given).await {
            return Ok(info.name);
        }
        let name = given.to_owned();
        match self.jobs.store.db.call(move |db| store::ran(db, &name)).await? {
            true => Ok(given.to_owned()),
            false => {
                Err(problem(Code::NotFound, format!("no script {given} in the library, and no job of it is kept")))
            }
        }
    }
}

/// A change that was looked at: of which groups, and their ends in the job.
enum Meant {
    Merge {
        merges: Vec<Merge>,
        names: Vec<String>,
        into: String,
        ends: Vec<Specimen>,
    },
    Split {
        cut: Cut,
        name: String,
        ends: Vec<Specimen>,
    },
    /// The last that was done to it is taken back.
    Undo {
        name: String,
        ends: Vec<Specimen>,
    },
}

impl Meant {
    fn ends(&self) -> &[Specimen] {
        match self {
            Meant::Merge { ends, .. } | Meant::Split { ends, .. } | Meant::Undo { ends, .. } => ends,
        }
    }

    /// For the log.
    fn note(&self) -> String {
        match self {
            Meant::Merge { names, into, .. } => format!("{} into {into}", names.join(", ")),
            Meant::Split { cut, name, .. } => format!("{name} {}", cut.fine.words()),
            Meant::Undo { name, .. } => format!("{name}: the last change by hand is taken back"),
        }
    }

    fn does(self, ways: &Ways, book: &mut Book) -> Result<(), String> {
        match self {
            Meant::Merge { merges, .. } => book.merged.extend(merges),
            // of several the last counts, so that each can be taken back
            Meant::Split { cut, .. } => book.split.push(cut),
            Meant::Undo { name, ends } => match last_done(ways, book, &name, &ends) {
                Some(Last::Merge(act)) => {
                    let mut at = 0..;
                    book.merged.retain(|_| at.next().is_none_or(|at| !act.contains(&at)));
                }
                Some(Last::Cut(at)) => drop(book.split.remove(at)),
                None => return Err(untouched(&name)),
            },
        }
        Ok(())
    }
}

/// Where in the book it stands.
enum Last {
    /// All that one act put together.
    Merge(Vec<usize>),
    Cut(usize),
}

/// What was done last to a group by hand.
fn last_done(ways: &Ways, book: &Book, name: &str, ends: &[Specimen]) -> Option<Last> {
    let merge = merges(ways, book, name).max_by_key(|at| book.merged[*at].at).map(|at| book.merged[at].at);
    let whole = ends.first().map(|end| ways.whole(end).name);
    let cut = book.split.iter().rposition(|cut| Some(ways.whole(&cut.what).name) == whole);
    match (merge, cut) {
        (Some(act), cut) if cut.is_none_or(|cut| act >= book.split[cut].at) => {
            Some(Last::Merge(merges(ways, book, name).filter(|at| book.merged[*at].at == act).collect()))
        }
        (_, cut) => cut.map(Last::Cut),
    }
}

fn untouched(name: &str) -> String {
    format!("nothing was done to {name} by hand")
}

/// A rule, for the log.
fn ruled(rule: &Rule) -> String {
    match &rule.becomes {
        Some(becomes) => format!("mask {} as {becomes}", rule.pattern),
        None => format!("keep {}", rule.pattern),
    }
}

/// The end that a group is called by: others may have been merged into it.
fn head(ways: &Ways, name: &str, ends: &[Specimen]) -> Specimen {
    let own = ends.iter().find(|end| ways.unmerged(end).name == name);
    own.or_else(|| ways.head(name)).unwrap_or(&ends[0]).clone()
}

/// What was merged into this.
fn merges<'a>(ways: &'a Ways, book: &'a Book, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let into = move |merge: &Merge| ways.name(&merge.what).name == name && ways.unmerged(&merge.what).name != name;
    book.merged.iter().enumerate().filter(move |(_, merge)| into(merge)).map(|(at, _)| at)
}

fn ended(end: &Specimen) -> String {
    end.exit_code.map_or_else(|| end.state.word().to_owned(), |code| format!("{} {code}", end.state.word()))
}

fn shown(script: &str, ways: &Ways) -> ways::Ways {
    let says = |template: &[String]| template.last().cloned().unwrap_or_default();
    ways::Ways {
        script: script.to_owned(),
        rules: ways.book.rules.clone(),
        merged: ways
            .book
            .merged
            .iter()
            .map(|merge| {
                let what = ways.unmerged(&merge.what);
                let into = ways.name(&merge.into).name;
                Merged { signature: what.name, says: says(&what.template), into, by: merge.by.clone(), at: merge.at }
            })
            .collect(),
        split: ways
            .book
            .split
            .iter()
            .map(|cut| {
                let what = ways.whole(&cut.what);
                let (by_what, by, at) = (cut.fine, cut.by.clone(), cut.at);
                Split { signature: what.name, says: says(&what.template), by_what, by, at }
            })
            .collect(),
        learnt: ways.book.learnt.iter().map(|pattern| pattern.lines.join(" / ")).collect(),
        tree: ways::Tree::default(),
    }
}
