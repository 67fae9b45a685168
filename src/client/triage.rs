//! Groups of outputs, and what people say of them, asked of the engine.

use super::{Client, ClientError, yes};
use crate::model::job::JobId;
use crate::model::triage::{About, Groups, Remark, Subject};
use crate::model::ways::{Foreseen, Masking, Regroup, Rules, Ways};

impl Client {
    /// The runs of a job by how they ended.
    pub async fn groups(&self, id: JobId, exact: bool) -> Result<Groups, ClientError> {
        self.groups_beside(id, exact, None).await
    }

    /// `base`: the job to compare with; `None`: the fair one that the engine finds.
    pub async fn groups_beside(&self, id: JobId, exact: bool, base: Option<JobId>) -> Result<Groups, ClientError> {
        let base = base.map(|base| base.to_string());
        let mut asked = vec![("exact", yes(exact))];
        asked.extend(base.as_deref().map(|base| ("base", base)));
        self.0.door.get("grouping outputs", &format!("jobs/{id}/groups"), &asked).await
    }

    /// Puts groups of a job together, or takes one apart.
    pub async fn regroup(&self, job: JobId, what: &Regroup) -> Result<Ways, ClientError> {
        self.0.door.post("regrouping outputs", &format!("jobs/{job}/regroup"), what).await
    }

    /// How a group came by its template.
    pub async fn masking(&self, job: JobId, group: &str) -> Result<Masking, ClientError> {
        self.0.door.get("reading what was masked", &format!("jobs/{job}/masking"), &[("group", group)]).await
    }

    /// What that would come to.
    pub async fn foresee(&self, job: JobId, what: &Regroup) -> Result<Foreseen, ClientError> {
        self.0.door.post("looking at groups", &format!("jobs/{job}/regroup/preview"), what).await
    }

    /// How the outputs of a script are put together.
    pub async fn ways(&self, script: &str) -> Result<Ways, ClientError> {
        self.0.door.get("reading how outputs are grouped", "ways", &[("script", script)]).await
    }

    /// Gives a script these rules instead of those it has.
    pub async fn set_rules(&self, rules: &Rules) -> Result<Ways, ClientError> {
        self.0.door.post("changing the rules", "ways", rules).await
    }

    /// What was said of a job or a signature.
    pub async fn about(&self, subject: &Subject) -> Result<About, ClientError> {
        self.0.door.get("reading notes", &path(subject), &[]).await
    }

    /// The jobs of which something was said.
    pub async fn remarked_jobs(&self) -> Result<Vec<About>, ClientError> {
        self.0.door.get("reading notes", "jobs/remarks", &[]).await
    }

    /// Says something of it, or takes it back.
    pub async fn remark(&self, subject: &Subject, remark: &Remark) -> Result<About, ClientError> {
        self.0.door.post("noting", &path(subject), remark).await
    }
}

fn path(subject: &Subject) -> String {
    match subject {
        Subject::Job(id) => format!("jobs/{id}/remarks"),
        // hex digits, a v and a colon: nothing that a path would have to escape
        Subject::Signature(name) => format!("signatures/{name}/remarks"),
    }
}
