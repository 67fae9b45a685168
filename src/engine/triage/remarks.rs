//! Notes, acknowledgements and runbooks: of a job, or of a signature, where next week's same failure carries them.
//! What is kept was looked at first (length, control characters); who said it is the login the engine runs as. It hangs
//! on an end as it was recorded, so it is found under whatever name the script's ways give to that end later.

use jiff::Timestamp;

use super::ways::Ways;
use crate::engine::store::remarks::{self, Kept};
use crate::engine::{Engine, problem};
use crate::model::audit::{Act, Deed};
use crate::model::plan::Caller;
use crate::model::triage::{About, Acked, Groups, Noted, Remark, Remarks, Subject, link, note};
use crate::model::wire::{Code, Event, Problem};

/// A subject that was found.
struct Found {
    /// As it is called, and what it says.
    named: Kept,
    /// Under which its remarks are kept.
    key: Kept,
    /// The same by another name, remarked on as well.
    alike: Vec<Kept>,
}

/// For the log.
const fn act_of(remark: &Remark) -> Act {
    match remark {
        Remark::Note(_) => Act::Note,
        Remark::Ack(_) => Act::Ack,
        Remark::Runbook(_) => Act::Runbook,
    }
}

impl Found {
    /// What is said of what, on top of who says it.
    fn deed(&self, remark: &Remark, deed: Deed) -> Deed {
        let said = match remark {
            Remark::Note(text) | Remark::Runbook(text) if text.is_empty() => "taken back".to_owned(),
            Remark::Note(text) | Remark::Runbook(text) => text.clone(),
            Remark::Ack(true) => "acknowledged".to_owned(),
            Remark::Ack(false) => "no longer acknowledged".to_owned(),
        };
        let Kept { subject, says, script, .. } = &self.named;
        match subject.strip_prefix("job:") {
            // of a job the script is what it says
            Some(job) => Deed { job: job.parse().ok(), script: Some(says.clone()), note: Some(said), ..deed },
            None => Deed { script: script.clone(), note: Some(format!("{subject} ({says}): {said}")), ..deed },
        }
    }
}

impl Engine {
    /// What was said of a job or a signature.
    pub async fn about(&self, subject: &Subject) -> Result<About, Problem> {
        let found = self.subject(subject).await?;
        self.told(found).await
    }

    /// Says something of it, or takes it back.
    pub async fn remark(&self, subject: &Subject, remark: Remark, caller: &Caller) -> Result<About, Problem> {
        let wrong = |why| problem(Code::Invalid, why);
        let remark = match remark {
            Remark::Note(text) => Remark::Note(note(&text).map_err(wrong)?),
            Remark::Runbook(text) => Remark::Runbook(link(&text).map_err(wrong)?),
            ack @ Remark::Ack(_) => ack,
        };
        let found = self.subject(subject).await?;
        let deed = found.deed(&remark, Deed::of(act_of(&remark), &self.user, caller));
        let (by, at) = (self.user.clone(), Timestamp::now());
        // the newest word counts, by whatever name the same was remarked on before
        let all: Vec<Kept> = std::iter::once(found.key.clone()).chain(found.alike.iter().cloned()).collect();
        self.jobs
            .store
            .db
            .call(move |db| {
                remarks::change(db, &all, |remarks, first| match &remark {
                    Remark::Note(text) => {
                        let noted = Noted { text: text.clone(), by: by.clone(), at };
                        remarks.note = (first && !text.is_empty()).then_some(noted);
                    }
                    Remark::Ack(yes) => remarks.acked = (first && *yes).then(|| Acked { by: by.clone(), at }),
                    Remark::Runbook(link) => remarks.runbook = (first && !link.is_empty()).then(|| link.clone()),
                })
            })
            .await?;
        self.events.publish(&Event::Triage);
        self.audit(deed).await?;
        self.told(found).await
    }

    /// The jobs of which something was said.
    pub async fn remarked_jobs(&self) -> Result<Vec<About>, Problem> {
        let all = self.jobs.store.db.call(|db| remarks::jobs(db)).await?;
        let about = |Kept { subject, says, remarks, .. }: Kept| {
            let subject = subject.strip_prefix("job:").map_or_else(String::new, str::to_owned);
            About { subject, says, remarks }
        };
        Ok(all.into_iter().map(about).collect())
    }

    async fn told(&self, found: Found) -> Result<About, Problem> {
        let keys: Vec<String> =
            std::iter::once(&found.key).chain(&found.alike).map(|kept| kept.subject.clone()).collect();
        let all = self
            .jobs
            .store
            .db
            .call(move |db| keys.iter().map(|key| remarks::read(db, key)).collect::<Result<Vec<_>, _>>());
        let mut remarks = Remarks::default();
        for kept in all.await?.into_iter().flatten() {
            join(&mut remarks, kept.remarks);
        }
        let Kept { subject, says, .. } = found.named;
        let subject = subject.strip_prefix("job:").map_or(subject.clone(), str::to_owned);
        Ok(About { subject, says, remarks })
    }

    /// Whom it is about, whole: a signature may be named by its beginning.
    async fn subject(&self, subject: &Subject) -> Result<Found, Problem> {
        let begun = match subject {
            Subject::Job(id) => {
                let says = self.job(*id).await?.summary.script;
                let key = Kept { subject: format!("job:{id}"), says, ..Kept::default() };
                return Ok(Found { named: key.clone(), key, alike: Vec::new() });
            }
            Subject::Signature(begun) => begun,
        };
        let wanted = begun.clone();
        let mut found = self.jobs.store.db.call(move |db| remarks::begun(db, &wanted)).await?;
        let named = match (found.pop(), found.pop()) {
            (Some(one), None) => one,
            (Some(one), Some(other)) => {
                let both = format!("{begun} begins both {} and {}: write more of it", other.subject, one.subject);
                return Err(problem(Code::Invalid, both));
            }
            (None, _) => {
                let none =
                    format!("no run that is kept ended as {begun}: `quarterdeck groups JOB` shows the signatures");
                return Err(problem(Code::NotFound, none));
            }
        };
        let (Some(script), Some(specimen)) = (&named.script, &named.specimen) else {
            return Ok(Found { key: named.clone(), named, alike: Vec::new() });
        };
        // a name that the script's ways make: it is remarked on under the name that the end was recorded by
        let ways = self.ways_of(script).await?;
        let template = specimen.template();
        let says = template.last().cloned().unwrap_or_default();
        let key = Kept { subject: specimen.name(&template), says, script: None, ..named.clone() };
        let now = ways.name(specimen).name;
        let all = self.jobs.store.db.call(|db| remarks::signatures(db)).await?;
        let same = |kept: &Kept| kept.specimen.as_ref().is_some_and(|end| ways.name(end).name == now);
        let alike = all.into_iter().filter(|kept| kept.subject != key.subject && same(kept)).collect();
        Ok(Found { named, key, alike })
    }

    /// Puts beside each group what was said of it.
    pub(super) async fn remarked(&self, groups: &mut Groups, ways: &Ways) -> Result<(), Problem> {
        let all = self.jobs.store.db.call(|db| remarks::signatures(db)).await?;
        for kept in all {
            let like = |end: &super::Specimen| {
                groups.groups.iter().any(|g| (g.state, g.exit_code) == (end.state, end.exit_code))
            };
            let name = match kept.specimen.as_ref().filter(|end| like(end)) {
                Some(end) => ways.name(end).name,
                None => continue,
            };
            for group in groups.groups.iter_mut().filter(|group| group.signature == name) {
                join(&mut group.remarks, kept.remarks.clone());
            }
        }
        Ok(())
    }
}

/// Of two remarks on the same the newer counts.
fn join(remarks: &mut Remarks, other: Remarks) {
    if other.note.as_ref().map(|note| note.at) > remarks.note.as_ref().map(|note| note.at) {
        remarks.note = other.note;
    }
    if other.acked.as_ref().map(|acked| acked.at) > remarks.acked.as_ref().map(|acked| acked.at) {
        remarks.acked = other.acked;
    }
    remarks.runbook = remarks.runbook.take().or(other.runbook);
}
