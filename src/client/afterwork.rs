//! What comes after a job, asked of the engine.

use super::{Client, ClientError, yes};
use crate::model::compare::{Against, Comparison, Pick};
use crate::model::job::JobId;

impl Client {
    /// Two outputs line by line; masked: without what is a device's or a moment's own.
    pub async fn diff(&self, id: JobId, left: &Pick, right: &Pick, masked: bool) -> Result<Comparison, ClientError> {
        let query = [("left", &*left.to_string()), ("right", &*right.to_string()), ("masked", yes(masked))];
        self.0.door.get("comparing outputs", &format!("jobs/{id}/diff"), &query).await
    }

    /// A job beside another one; `None`: the one of the same script before it.
    pub async fn against(&self, id: JobId, other: Option<JobId>) -> Result<Against, ClientError> {
        let other = other.map(|other| other.to_string());
        let query: Vec<(&str, &str)> = other.iter().map(|other| ("job", other.as_str())).collect();
        self.0.door.get("comparing jobs", &format!("jobs/{id}/against"), &query).await
    }
}
