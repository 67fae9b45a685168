//! What people say of jobs: acknowledged, a note. The engine keeps it; here it stands beside the job in the list, and is
//! changed for the marked jobs, else for the one under the cursor.

use std::collections::HashMap;

use super::notices::Level;
use super::prompt::Purpose;
use super::{App, Effect};
use crate::model::job::{JobId, JobSummary};
use crate::model::triage::{About, Remark, Remarks, Subject};
use crate::model::wire::Problem;

impl App {
    /// All that are meant, or none of them any more.
    pub(super) fn acknowledge_jobs(&mut self, effects: &mut Vec<Effect>) {
        let ids: Vec<JobId> = self.chosen_jobs().iter().map(|job| job.id).collect();
        let Some(words) = in_words(&ids) else {
            self.hint = Some(self.no_job());
            return;
        };
        let acked = |id: &JobId| self.remarks.get(id).is_some_and(|remarks| remarks.acked.is_some());
        let ack = ids.iter().any(|id| !acked(id));
        let other: Vec<JobId> = ids.into_iter().filter(|id| acked(id) != ack).collect();
        effects
            .extend(other.into_iter().map(|id| Effect::Remark { subject: Subject::Job(id), remark: Remark::Ack(ack) }));
        self.hint = Some(format!("{words}: {}", if ack { "acknowledged" } else { "no longer acknowledged" }));
    }

    /// A prompt for a note on them.
    pub(super) fn note_jobs(&mut self) {
        let ids: Vec<JobId> = self.chosen_jobs().iter().map(|job| job.id).collect();
        if ids.is_empty() {
            self.hint = Some(self.no_job());
            return;
        }
        let said = match ids.as_slice() {
            [only] => self.remarks.get(only).and_then(|remarks| remarks.note.as_ref()).map(|note| note.text.clone()),
            _ => None,
        };
        self.noting = ids;
        self.open_prompt(Purpose::Note, &said.unwrap_or_default());
    }

    /// The jobs that the note is of; `None`: it is of signatures.
    pub(super) fn noted_jobs(&self) -> Option<String> {
        in_words(&self.noting)
    }

    pub(super) fn jobs_remarked(&mut self, answer: Result<Vec<About>, Problem>) {
        match answer {
            Ok(all) => {
                let of = |about: About| Some((about.subject.parse().ok()?, about.remarks));
                self.remarks = all.into_iter().filter_map(of).collect::<HashMap<JobId, Remarks>>();
                self.flag_jobs();
            }
            Err(problem) => self.say(Level::Warn, format!("what was said of jobs: {}", problem.error)),
        }
    }

    /// The engine has taken what was said; of a signature it is not for this room.
    pub(super) fn job_remarked(&mut self, about: About) {
        let Ok(id) = about.subject.parse() else { return };
        self.remarks.insert(id, about.remarks);
        self.flag_jobs();
    }

    /// A column for what jobs need to be looked at for, where some do.
    pub(super) fn flag_jobs(&mut self) {
        let flagged = |job| super::hold::flag(job).is_some() || self.acknowledged(job) || job.origin.is_some();
        let flagged = self.jobs.iter().any(flagged);
        self.overview.job_look.extra = if flagged { &["flag"] } else { &[] };
    }

    pub fn acknowledged(&self, job: &JobSummary) -> bool {
        self.remarks.get(&job.id).is_some_and(|remarks| remarks.acked.is_some())
    }
}

/// `job 12`, `3 jobs`
fn in_words(ids: &[JobId]) -> Option<String> {
    match ids {
        [] => None,
        [only] => Some(format!("job {only}")),
        many => Some(format!("{} jobs", many.len())),
    }
}
