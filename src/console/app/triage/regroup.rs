//! `+` and `_`: groups put together and taken apart by hand. Owns the dialog: which group the others become, or how one
//! is taken apart, and what the engine says that would come to, here and in every other job of the script. Done only on
//! its button; Cancel is focused, and everything can be taken back.

use super::Triage;
use crate::console::app::commands::Do;
use crate::console::app::layers::Next;
use crate::console::app::notices::Level;
use crate::console::app::{App, Effect, Layer};
use crate::console::text;
use crate::model::job::JobId;
use crate::model::triage::Group;
use crate::model::ways::{Does, Foreseen, Regroup, Ways};
use crate::model::wire::Problem;

#[derive(Debug)]
pub struct Regrouping {
    pub job: JobId,
    pub script: String,
    pub what: What,
    pub at: At,
    pub sent: bool,
    pub problem: Option<String>,
}

#[derive(Debug)]
pub enum What {
    Merge {
        /// What is merged: the marked groups, else the one under the cursor.
        meant: Vec<Entry>,
        /// Which of these they become.
        into: Vec<Entry>,
        chosen: usize,
    },
    Split {
        group: Entry,
        /// Finer; and what was done last taken back: what that comes to, when the engine has said it.
        seen: Box<[Option<Result<Foreseen, String>>; 2]>,
        chosen: usize,
    },
}

/// A group as it was when the question was asked: groups move meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub label: String,
    pub signature: String,
    pub devices: usize,
    pub says: String,
}

/// Where the focus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    List,
    Cancel,
    Do,
}

impl Regrouping {
    /// The button that does it.
    pub const fn word(&self) -> &'static str {
        match &self.what {
            What::Merge { .. } => "Merge",
            What::Split { chosen: 0, .. } => "Split",
            What::Split { .. } => "Undo",
        }
    }

    pub fn title(&self) -> String {
        match &self.what {
            What::Merge { meant, .. } => format!("Merge  {}  of job {}", labels(meant), self.job),
            What::Split { group, .. } => format!("Split  {}  of job {}", group.label, self.job),
        }
    }

    /// What would be asked of the engine. `None`: nothing can be.
    pub fn wish(&self) -> Option<Regroup> {
        match &self.what {
            What::Merge { meant, into, chosen } => {
                let into = into.get(*chosen)?.signature.clone();
                let signatures = meant.iter().map(|entry| entry.signature.clone()).filter(|name| *name != into);
                Some(Regroup::Merge { signatures: signatures.collect(), into })
            }
            What::Split { group, seen, chosen } => match seen.get(*chosen) {
                Some(Some(Ok(_))) => Some(steps(&group.signature)[*chosen].clone()),
                _ => None,
            },
        }
    }

    /// What it comes to here and elsewhere, in a few sentences.
    pub fn says(&self) -> Vec<String> {
        let script = text::plain(&self.script);
        let elsewhere = format!("So it is in this job and in every job of {script}, kept or to come.");
        match &self.what {
            What::Merge { meant, into, chosen } => {
                let Some(into) = into.get(*chosen) else { return Vec::new() };
                let others: Vec<Entry> =
                    meant.iter().filter(|entry| entry.signature != into.signature).cloned().collect();
                let devices = others.iter().map(|entry| entry.devices).sum::<usize>();
                vec![
                    format!(
                        "{} ({}) {} as {}: {} then.",
                        labels(&others),
                        text::number(devices as u64, "device"),
                        if others.len() == 1 { "counts" } else { "count" },
                        into.label,
                        text::number((devices + into.devices) as u64, "device"),
                    ),
                    elsewhere,
                    "Notes and runbooks come along. No output is touched; splitting takes it back.".into(),
                ]
            }
            What::Split { group, seen, chosen } => match seen.get(*chosen) {
                Some(Some(Ok(seen))) => {
                    let groups: Vec<String> = seen
                        .groups
                        .iter()
                        .map(|group| format!("{} {}", text::count(group.runs as u64), text::plain(&group.says)))
                        .collect();
                    vec![
                        format!(
                            "{} becomes {}: {}",
                            group.label,
                            text::number(groups.len() as u64, "group"),
                            groups.join("; ")
                        ),
                        elsewhere,
                    ]
                }
                Some(Some(Err(why))) => vec![text::plain(why)],
                _ => vec!["asking what that would come to…".into()],
            },
        }
    }
}

fn labels(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry.label.as_str()).collect::<Vec<_>>().join(" ")
}

/// What can be done to one group.
fn steps(signature: &str) -> [Regroup; 2] {
    let signature = || signature.to_owned();
    [Regroup::Split { signature: signature() }, Regroup::Undo { signature: signature() }]
}

/// `by their numbers too`; `"CDN 503", "CDN 504", merged by ops, are groups of their own again`
pub fn does(foreseen: &Foreseen) -> String {
    match &foreseen.does {
        Does::Merge => "merged".to_owned(),
        Does::Split(fine) => format!("told apart {}", fine.words()),
        Does::Unmerge(merged) => {
            let says: Vec<String> = merged.iter().map(|merged| format!("\"{}\"", merged.says)).collect();
            let by = merged.first().map_or("", |merged| &merged.by);
            let are = if says.len() == 1 { "is a group of its own" } else { "are groups of their own" };
            text::plain(&format!("{}, merged by {by}, {are} again", says.join(", ")))
        }
        Does::Unsplit(split) => {
            text::plain(&format!("no longer told apart {} (by {})", split.by_what.words(), split.by))
        }
    }
}

impl Triage {
    fn entry(&self, group: &Group) -> Entry {
        let of = |at: usize| self.groups.as_ref().and_then(|groups| groups.groups.get(at));
        let row = self.rows.iter().find(|row| row.of.and_then(of).is_some_and(|of| of.signature == group.signature));
        Entry {
            label: row.map_or_else(|| group.signature.clone(), |row| row.label.clone()),
            signature: group.signature.clone(),
            devices: group.runs.len(),
            says: row.map_or_else(String::new, |row| row.says.clone()),
        }
    }

    /// What is merged, and what it may become. `Err`: why nothing can be.
    fn to_merge(&self) -> Result<(Vec<Entry>, Vec<Entry>), String> {
        let chosen = self.chosen_groups();
        let Some(first) = chosen.first() else { return Err("no group is under the cursor".into()) };
        let alike = |group: &&Group| (group.state, group.exit_code) == (first.state, first.exit_code);
        if !chosen.iter().all(alike) {
            return Err("they ended in different ways: only what ended with the same state and exit code is one".into());
        }
        let meant: Vec<Entry> = chosen.iter().map(|group| self.entry(group)).collect();
        let into = match meant.len() {
            1 => {
                let all = self.groups.iter().flat_map(|groups| &groups.groups).filter(alike);
                let others: Vec<Entry> =
                    all.filter(|group| group.signature != first.signature).map(|group| self.entry(group)).collect();
                if others.is_empty() {
                    let label = &meant[0].label;
                    return Err(format!("no other group ended like {label}: mark or choose those that are one"));
                }
                others
            }
            _ => meant.clone(),
        };
        Ok((meant, into))
    }
}

impl App {
    pub(in crate::console::app) fn why_not_regroup(&self, verb: Do) -> Option<String> {
        let Some(triage) = &self.triage else { return Some("no group is under the cursor".into()) };
        if triage.shows_exact() {
            let key = self.key_of("groups", "exact");
            return Some(format!("these are equal texts: {key} goes to groups by what they mean"));
        }
        match verb {
            Do::Merge => triage.to_merge().err(),
            _ => triage.group().is_none().then(|| "no group is under the cursor".into()),
        }
    }

    /// The dialog; `Do::Merge` or `Do::Split`.
    pub(in crate::console::app) fn open_regroup(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let Some((triage, job)) = self.sorted() else { return };
        let (id, script) = (triage.job, job.summary.script.clone());
        let what = match verb {
            Do::Merge => {
                let Ok((meant, into)) = triage.to_merge() else { return };
                // the largest is what the others are most likely cases of
                let largest = (0..into.len()).max_by_key(|at| (into[*at].devices, into.len() - at)).unwrap_or(0);
                What::Merge { meant, into, chosen: largest }
            }
            _ => {
                let Some(group) = triage.group().map(|group| triage.entry(group)) else { return };
                let asked = steps(&group.signature);
                effects.extend(asked.map(|what| Effect::Foresee { job: id, what }));
                What::Split { group, seen: Box::new([None, None]), chosen: 0 }
            }
        };
        let regrouping = Regrouping { job: id, script, what, at: At::Cancel, sent: false, problem: None };
        self.layers.push(Layer::Regroup(Box::new(regrouping)));
    }

    pub(in crate::console::app) fn in_regroup(
        &mut self,
        dialog: &mut Regrouping,
        verb: Do,
        effects: &mut Vec<Effect>,
    ) -> Next {
        let stops = [At::List, At::Cancel, At::Do];
        let at = stops.iter().position(|stop| *stop == dialog.at).unwrap_or(1);
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            _ if dialog.sent => {}
            Do::NextField => dialog.at = stops[(at + 1) % stops.len()],
            Do::PreviousField => dialog.at = stops[(at + 2) % stops.len()],
            Do::Up | Do::Down => {
                let (chosen, len) = match &mut dialog.what {
                    What::Merge { chosen, into, .. } => (chosen, into.len()),
                    What::Split { chosen, seen, .. } => (chosen, seen.len()),
                };
                let step = if verb == Do::Down { 1 } else { len - 1 };
                *chosen = (*chosen + step) % len;
                dialog.problem = None;
            }
            Do::Collapse | Do::Expand => dialog.at = if dialog.at == At::Do { At::Cancel } else { At::Do },
            Do::Accept | Do::Open => match dialog.at {
                At::Cancel => return Next::Close,
                At::List => dialog.at = At::Do,
                At::Do => match dialog.wish() {
                    None => self.hint = Some("that cannot be done: the dialog says why".into()),
                    Some(what) => {
                        (dialog.sent, dialog.problem) = (true, None);
                        effects.push(Effect::Regroup { job: dialog.job, what });
                    }
                },
            },
            _ => {}
        }
        Next::Stay
    }

    fn regrouping(&mut self, job: JobId) -> Option<&mut Regrouping> {
        self.layers.iter_mut().find_map(|layer| match layer {
            Layer::Regroup(dialog) if dialog.job == job => Some(&mut **dialog),
            _ => None,
        })
    }

    /// The engine said what a step would come to.
    pub(in crate::console::app) fn foreseen(&mut self, job: JobId, what: &Regroup, answer: Result<Foreseen, Problem>) {
        let Some(What::Split { group, seen, .. }) = self.regrouping(job).map(|dialog| &mut dialog.what) else { return };
        if let Some(at) = steps(&group.signature).iter().position(|step| step == what) {
            seen[at] = Some(answer.map_err(|problem| problem.error));
        }
    }

    /// It is done, or not.
    pub(in crate::console::app) fn regrouped(&mut self, job: JobId, answer: Result<Ways, Problem>) {
        let undo = self.key_of("groups", "split");
        match answer {
            Ok(_) => {
                self.layers.retain(|layer| !matches!(layer, Layer::Regroup(dialog) if dialog.job == job));
                if let Some(triage) = self.triage.as_mut().filter(|triage| triage.job == job) {
                    triage.look.marks.clear();
                    triage.stale();
                }
                self.say(
                    Level::Info,
                    format!("regrouped, in every job of the script; {undo} on a group takes it back"),
                );
            }
            Err(problem) => match self.regrouping(job) {
                Some(dialog) => (dialog.sent, dialog.problem) = (false, Some(problem.error)),
                None => self.say(Level::Error, format!("not regrouped: {}", problem.error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Event;
    use crate::console::app::sample::Session;
    use crate::model::ways::{Expected, Fine};

    fn session() -> Session {
        Session::new((80, 24), true)
    }

    fn asked(session: &mut Session) -> Vec<Effect> {
        std::mem::take(&mut session.sent)
    }

    #[test]
    fn marked_groups_become_the_largest_of_them_when_the_button_is_pressed() {
        let mut session = session();
        // S1 and S2 ended with 69; S3 as well
        session.keys("3uj<space><space>+");
        let screen = session.screen();
        assert!(screen.contains("Merge") && screen.contains("kept or to come"), "{screen}");
        // Cancel has the focus
        session.keys("<enter>");
        assert!(asked(&mut session).is_empty() && session.app.layers.is_empty());
        session.keys("+<tab><enter>");
        let sent = asked(&mut session);
        let [Effect::Regroup { job: 12, what }] = sent.as_slice() else { panic!("{sent:?}") };
        let Regroup::Merge { signatures, into } = what else { panic!("{what:?}") };
        assert!(signatures.len() == 1 && !signatures.contains(into));
        session.tell(Event::Regrouped { job: 12, answer: Ok(Ways::default()) });
        assert!(session.app.layers.is_empty());
        assert!(session.screen().contains("regrouped, in every job of the script"), "{}", session.screen());
        assert!(session.app.triage.as_ref().unwrap().look.marks.is_empty());
    }

    #[test]
    fn several_marked_groups_are_one_act() {
        let mut session = session();
        session.keys("3u<space><space><space>+<tab>");
        assert!(session.screen().contains("count as"), "{}", session.screen());
        session.keys("<enter>");
        let sent = asked(&mut session);
        let [Effect::Regroup { what: Regroup::Merge { signatures, into }, .. }] = sent.as_slice() else {
            panic!("{sent:?}")
        };
        assert!(signatures.len() == 2 && !signatures.contains(into), "{sent:?}");
    }

    #[test]
    fn one_group_is_merged_into_another_that_is_chosen() {
        let mut session = session();
        session.keys("3uj+");
        let Some(Layer::Regroup(dialog)) = session.app.layers.last() else { panic!("{}", session.screen()) };
        let What::Merge { meant, into, .. } = &dialog.what else { panic!() };
        assert!(meant.len() == 1 && !into.contains(&meant[0]));
        session.keys("<S-tab>j<enter><enter>");
        assert!(matches!(asked(&mut session).as_slice(), [Effect::Regroup { .. }]));
    }

    #[test]
    fn what_ended_in_different_ways_is_not_merged() {
        let mut session = session();
        session.keys("3u*+");
        assert!(session.app.hint.as_deref().is_some_and(|hint| hint.contains("ended in different ways")));
        session.keys("Ui+");
        assert!(session.app.hint.as_deref().is_some_and(|hint| hint.contains("equal texts")));
    }

    #[test]
    fn a_split_says_what_it_comes_to_before_it_is_done_and_what_cannot_be_done() {
        let mut session = session();
        session.keys("3uj_");
        let questions: Vec<Regroup> = asked(&mut session)
            .into_iter()
            .filter_map(|effect| if let Effect::Foresee { what, .. } = effect { Some(what) } else { None })
            .collect();
        assert_eq!(questions.len(), 2, "finer, and undo");
        session.keys("<tab><enter>");
        assert!(asked(&mut session).is_empty(), "nothing is known yet");
        let expected = |says: &str, runs| Expected { signature: format!("v1:{says}"), says: says.into(), runs };
        let groups = vec![expected("CDN 503", 10), expected("CDN 404", 6)];
        let foreseen = Foreseen { script: "disk-use.sh".into(), does: Does::Split(Fine::Numbers), groups };
        session.tell(Event::Foreseen { job: 12, what: questions[0].clone(), answer: Ok(foreseen) });
        let why =
            Problem { code: crate::model::wire::Code::Invalid, error: "nothing was done to it".into(), column: None };
        session.tell(Event::Foreseen { job: 12, what: questions[1].clone(), answer: Err(why) });
        let screen = session.screen();
        assert!(screen.contains("becomes 2 groups: 10 CDN 503; 6 CDN 404"), "{screen}");
        assert!(screen.contains("by their numbers too"), "{screen}");
        session.keys("j<enter>");
        assert!(session.screen().contains("nothing was done to it"));
        assert!(asked(&mut session).is_empty(), "there is nothing to take back");
        session.keys("k<enter>");
        assert_eq!(asked(&mut session), [Effect::Regroup { job: 12, what: questions[0].clone() }]);
    }

    #[test]
    fn a_refusal_stands_in_the_dialog() {
        let mut session = session();
        session.keys("3uj+<tab><enter>");
        let error = "500 groups were merged or split by hand".to_owned();
        let answer = Err(Problem { code: crate::model::wire::Code::Invalid, error, column: None });
        session.tell(Event::Regrouped { job: 12, answer });
        assert!(session.screen().contains("500 groups were merged"), "{}", session.screen());
    }
}
