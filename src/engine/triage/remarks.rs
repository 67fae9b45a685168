//! Notes, acknowledgements and runbooks: of a job, or of a signature, where next week's same failure carries them.
//! What is kept was looked at first (length, control characters); who said it is the login the engine runs as.

use jiff::Timestamp;

use crate::engine::store::remarks::{self, Kept};
use crate::engine::{Engine, problem};
use crate::model::triage::{About, Acked, Groups, Noted, Remark, Subject};
use crate::model::triage::{link, note};
use crate::model::wire::{Code, Event, Problem};

impl Engine {
    /// What was said of a job or a signature.
    pub async fn about(&self, subject: &Subject) -> Result<About, Problem> {
        let found = self.subject(subject).await?;
        let key = found.subject.clone();
        let kept = self.jobs.store.db.call(move |db| remarks::read(db, &key)).await?;
        Ok(About { remarks: kept.map(|kept| kept.remarks).unwrap_or_default(), ..shown(found) })
    }

    /// Says something of it, or takes it back.
    pub async fn remark(&self, subject: &Subject, remark: Remark) -> Result<About, Problem> {
        let wrong = |why| problem(Code::Invalid, why);
        let remark = match remark {
            Remark::Note(text) => Remark::Note(note(&text).map_err(wrong)?),
            Remark::Runbook(text) => Remark::Runbook(link(&text).map_err(wrong)?),
            ack @ Remark::Ack(_) => ack,
        };
        let found = self.subject(subject).await?;
        let (key, by, at) = (found.clone(), self.user.clone(), Timestamp::now());
        let remarks = self
            .jobs
            .store
            .db
            .call(move |db| {
                remarks::change(db, key, |remarks| match remark {
                    Remark::Note(text) => remarks.note = (!text.is_empty()).then_some(Noted { text, by, at }),
                    Remark::Ack(yes) => remarks.acked = yes.then_some(Acked { by, at }),
                    Remark::Runbook(link) => remarks.runbook = (!link.is_empty()).then_some(link),
                })
            })
            .await?;
        self.events.publish(&Event::Triage);
        Ok(About { remarks, ..shown(found) })
    }

    /// Whom it is about, whole: a signature may be named by its beginning.
    async fn subject(&self, subject: &Subject) -> Result<Kept, Problem> {
        match subject {
            Subject::Job(id) => {
                let script = self.job(*id).await?.summary.script;
                Ok(Kept { subject: format!("job:{id}"), says: script, ..Kept::default() })
            }
            Subject::Signature(begun) => {
                let wanted = begun.clone();
                let mut found = self.jobs.store.db.call(move |db| remarks::begun(db, &wanted)).await?;
                match (found.pop(), found.pop()) {
                    (Some(one), None) => Ok(one),
                    (Some(one), Some(other)) => Err(problem(
                        Code::Invalid,
                        format!("{begun} begins both {} and {}: write more of it", other.subject, one.subject),
                    )),
                    (None, _) => Err(problem(
                        Code::NotFound,
                        format!("no run that is kept ended as {begun}: `quarterdeck groups JOB` shows the signatures"),
                    )),
                }
            }
        }
    }

    /// Puts beside each group what was said of it.
    pub(super) async fn remarked(&self, groups: &mut Groups) -> Result<(), Problem> {
        let all = self.jobs.store.db.call(|db| remarks::signatures(db)).await?;
        for kept in all {
            for group in groups.groups.iter_mut().filter(|group| group.signature == kept.subject) {
                group.remarks = kept.remarks.clone();
            }
        }
        Ok(())
    }
}

fn shown(kept: Kept) -> About {
    let subject = kept.subject.strip_prefix("job:").map_or(kept.subject.clone(), str::to_owned);
    About { subject, says: kept.says, remarks: kept.remarks }
}
