//! What the operator says of a signature: acknowledged, a note, a link to a runbook. The engine keeps it, and next
//! week's same failure carries it. Which signatures are meant is settled when the question is asked, not when it is
//! answered: groups move while one writes.

use super::Triage;
use crate::console::app::notices::Level;
use crate::console::app::prompt::{Prompt, Purpose};
use crate::console::app::{App, Effect};
use crate::console::text;
use crate::model::triage::{self, About, Group, Remark, Subject};
use crate::model::wire::Problem;

impl Triage {
    /// The groups that commands mean.
    pub fn chosen_groups(&self) -> Vec<&Group> {
        let Some(groups) = &self.groups else { return Vec::new() };
        let mut chosen: Vec<&Group> = self.chosen().into_iter().filter_map(|row| groups.groups.get(row.of?)).collect();
        chosen.dedup_by(|a, b| a.signature == b.signature);
        chosen
    }

    /// Their labels, for a sentence.
    pub fn chosen_labels(&self) -> String {
        let labels: Vec<&str> =
            self.chosen().into_iter().filter(|row| row.of.is_some()).map(|row| row.label.as_str()).collect();
        labels.join(" ")
    }
}

/// `RB-77` of `https://wiki.example/rb/RB-77`
pub fn short(link: &str) -> String {
    text::plain(link.trim_end_matches('/').rsplit('/').next().unwrap_or(link))
}

impl App {
    /// All that are meant, or none of them any more.
    pub(in crate::console::app) fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        let Some(triage) = &self.triage else { return };
        let groups = triage.chosen_groups();
        let ack = groups.iter().any(|group| group.remarks.acked.is_none());
        let other = groups.iter().filter(|group| group.remarks.acked.is_none() == ack);
        effects.extend(other.map(|group| Effect::Remark {
            subject: Subject::Signature(group.signature.clone()),
            remark: Remark::Ack(ack),
        }));
        let word = if ack { "acknowledged, here and wherever it happens again" } else { "no longer acknowledged" };
        self.hint = Some(format!("{}: {word}", triage.chosen_labels()));
    }

    /// A prompt for a note, or for a link, on the groups that are meant.
    pub(in crate::console::app) fn open_remark(&mut self, purpose: Purpose) {
        self.noting.clear();
        let Some(triage) = &mut self.triage else { return };
        let groups = triage.chosen_groups();
        let said = match (groups.as_slice(), purpose) {
            ([only], Purpose::Note) => only.remarks.note.as_ref().map(|note| note.text.clone()),
            ([only], _) => only.remarks.runbook.clone(),
            _ => None,
        };
        let signatures = groups.iter().map(|group| group.signature.clone()).collect();
        triage.noting = (triage.chosen_labels(), signatures);
        self.open_prompt(purpose, &said.unwrap_or_default());
    }

    /// What is being written is checked while it is.
    pub(in crate::console::app) fn remark_edited(&self, prompt: &mut Prompt) {
        let line = prompt.text.text();
        let (checked, what) = match prompt.purpose {
            Purpose::Note => (triage::note(line), "note"),
            _ => (triage::link(line), "link"),
        };
        // a link that is being begun is not wrong yet
        let begun = ["https://", "http://"].iter().any(|scheme| scheme.starts_with(line.trim()));
        prompt.problem = checked.err().filter(|_| !begun).map(|why| (None, why));
        let jobs = self.noted_jobs();
        let of = jobs.as_deref().unwrap_or_else(|| self.triage.as_ref().map_or("", |triage| &triage.noting.0));
        prompt.aside = format!("on {of}; empty: the {what} goes");
    }

    /// `false`: it stays to be put right.
    pub(in crate::console::app) fn remark_accepted(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) -> bool {
        let line = prompt.text.text();
        let remark = match prompt.purpose {
            Purpose::Note => triage::note(line).map(Remark::Note),
            _ => triage::link(line).map(Remark::Runbook),
        };
        let remark = match remark {
            Ok(remark) => remark,
            Err(why) => {
                prompt.problem = Some((None, why));
                return false;
            }
        };
        if !self.noting.is_empty() {
            let jobs = std::mem::take(&mut self.noting).into_iter();
            effects.extend(jobs.map(|id| Effect::Remark { subject: Subject::Job(id), remark: remark.clone() }));
            return true;
        }
        let signatures = self.triage.as_mut().map(|triage| std::mem::take(&mut triage.noting.1)).unwrap_or_default();
        effects.extend(
            signatures
                .into_iter()
                .map(|signature| Effect::Remark { subject: Subject::Signature(signature), remark: remark.clone() }),
        );
        true
    }

    /// The engine has taken it, or not.
    pub(in crate::console::app) fn remarked(&mut self, answer: Result<About, Problem>) {
        match answer {
            Ok(about) => {
                if let Some(triage) = &mut self.triage {
                    triage.remarked(&about);
                }
                self.job_remarked(about);
            }
            Err(problem) => self.say(Level::Error, format!("not kept: {}", problem.error)),
        }
    }

    /// Of the group under the cursor: its own link, one that its note names, else the script's.
    pub fn runbook_here(&self) -> Option<String> {
        let remarks = &self.triage.as_ref()?.group()?.remarks;
        let link = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
        let noted = || remarks.note.as_ref()?.text.split_whitespace().find(link).map(str::to_owned);
        let script = || {
            let job = self.held.as_ref()?.job.as_ref()?;
            self.scripts.iter().find(|script| script.name == job.summary.script)?.runbook.clone()
        };
        remarks.runbook.clone().or_else(noted).or_else(script)
    }
}

impl Triage {
    /// Shown at once; the next answer of the engine says the same.
    fn remarked(&mut self, about: &About) {
        let Some(groups) = &mut self.groups else { return };
        for group in groups.groups.iter_mut().filter(|group| group.signature == about.subject) {
            group.remarks = about.remarks.clone();
        }
        self.unsorted = true;
        self.stale = true;
    }
}
