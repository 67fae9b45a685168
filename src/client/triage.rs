//! Groups of outputs, and what people say of them, asked of the engine.

use super::{Client, ClientError, yes};
use crate::model::job::JobId;
use crate::model::triage::{About, Groups, Remark, Subject};

impl Client {
    /// The runs of a job by how they ended.
    pub async fn groups(&self, id: JobId, exact: bool) -> Result<Groups, ClientError> {
        self.0.door.get("grouping outputs", &format!("jobs/{id}/groups"), &[("exact", yes(exact))]).await
    }

    /// What was said of a job or a signature.
    pub async fn about(&self, subject: &Subject) -> Result<About, ClientError> {
        self.0.door.get("reading notes", &path(subject), &[]).await
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
