//! What people do to the groups of a script by hand, and its rules: read, changed, taken back. All of it or nothing: a
//! change is made in one step on what the store holds at that moment, so two consoles at once end in one defined state.

use jiff::Timestamp;

use super::rules::Rules;
use super::signature::Specimen;
use super::view::lock;
use super::ways::{Book, Cut, Merge, Ways};
use crate::engine::store::ways as store;
use crate::engine::{Engine, problem};
use crate::model::job::JobId;
use crate::model::ways::{self, Merged, Regroup, Rule, Split};
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
    pub async fn set_rules(&self, script: &str, rules: Vec<Rule>) -> Result<ways::Ways, Problem> {
        if let Err(wrong) = Rules::compile(&rules) {
            let error = format!("{}: the rules are as they were", wrong.text);
            return Err(Problem { code: Code::Invalid, error, column: wrong.column });
        }
        let script = self.script_name(script).await?;
        self.change(&script, move |book| {
            book.rules = rules;
            Ok(())
        })
        .await
    }

    /// Puts groups of a job together, or takes one apart.
    pub async fn regroup(&self, job: JobId, what: Regroup) -> Result<ways::Ways, Problem> {
        let (script, view) = self.view(job).await?;
        let (by, at) = (self.user.clone(), Timestamp::now());
        let ways = lock(&view).ways();
        let find = |name: &str| -> Result<(String, Vec<Specimen>), Problem> {
            let mut view = lock(&view);
            let name = view.named(name).map_err(|why| problem(Code::NotFound, format!("job {job}: {why}")))?;
            let ends = view.specimens(&name);
            Ok((name, ends))
        };
        match what {
            Regroup::Merge { signature, into } => {
                let ((name, ends), (other, others)) = (find(&signature)?, find(&into)?);
                if name == other {
                    return Err(problem(Code::Invalid, format!("{name} is one group: there is nothing to merge")));
                }
                let (what, into) = (head(&ways, &name, &ends), head(&ways, &other, &others));
                if (what.state, what.exit_code) != (into.state, into.exit_code) {
                    let differs = format!(
                        "{name} and {other} ended in different ways ({} and {}): only what ended with the same state and exit code is one",
                        ended(&what),
                        ended(&into)
                    );
                    return Err(problem(Code::Invalid, differs));
                }
                self.change(&script, move |book| {
                    book.merged.push(Merge { what, into, by, at });
                    Ok(())
                })
                .await
            }
            Regroup::Split { signature } => {
                let (name, ends) = find(&signature)?;
                if merges(&ways, &ways.book, &name).next().is_some() {
                    return self.undo(&script, ways, name, ends).await;
                }
                let what = ends[0].clone();
                let mut fine = ways.fineness(&what);
                // a step that changes nothing is none
                while let Some(finer) = fine.finer() {
                    fine = finer;
                    let mut names = ends.iter().map(|end| ways.apart(end, fine).name);
                    let first = names.next();
                    if names.any(|name| Some(&name) != first.as_ref()) {
                        return self
                            .change(&script, move |book| {
                                // of several the last counts, so that each can be taken back
                                book.split.push(Cut { what, fine, by, at });
                                Ok(())
                            })
                            .await;
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
                self.undo(&script, ways, name, ends).await
            }
        }
    }

    /// Takes back what was done last to a group.
    async fn undo(
        &self,
        script: &str,
        ways: std::sync::Arc<Ways>,
        name: String,
        ends: Vec<Specimen>,
    ) -> Result<ways::Ways, Problem> {
        self.change(script, move |book| {
            let merge = merges(&ways, book, &name).max_by_key(|at| (book.merged[*at].at, *at));
            let whole = ends.first().map(|end| ways.whole(end).name);
            let cut = book.split.iter().rposition(|cut| Some(ways.whole(&cut.what).name) == whole);
            match (merge, cut) {
                (Some(merge), cut) if cut.is_none_or(|cut| book.merged[merge].at >= book.split[cut].at) => {
                    book.merged.remove(merge);
                }
                (_, Some(cut)) => {
                    book.split.remove(cut);
                }
                _ => return Err(format!("nothing was done to {name} by hand")),
            }
            Ok(())
        })
        .await
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
