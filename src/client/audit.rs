//! The audit log, asked of the engine.

use jiff::Timestamp;

use super::{Client, ClientError};
use crate::model::audit::{Page, Verified};

impl Client {
    /// Some entries, oldest first, from an offset on.
    pub async fn audit(&self, from: u64, since: Option<Timestamp>) -> Result<Page, ClientError> {
        let (from, since) = (from.to_string(), since.map(|since| since.to_string()));
        let mut query = vec![("from", from.as_str())];
        query.extend(since.as_deref().map(|since| ("since", since)));
        self.0.door.get("reading the audit log", "audit", &query).await
    }

    pub async fn verify_audit(&self) -> Result<Verified, ClientError> {
        self.0.door.get("verifying the audit log", "audit/verify", &[]).await
    }
}
