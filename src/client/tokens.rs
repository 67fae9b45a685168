//! The keys of other programs, asked of the engine.

use super::{Client, ClientError};
use crate::model::token::{Made, NewToken, Revoke, Token};

impl Client {
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        self.0.door.get("reading the keys", "tokens", &[]).await
    }

    /// The key comes with the answer, and never again.
    pub async fn make_token(&self, asked: &NewToken) -> Result<Made, ClientError> {
        self.0.door.post("making a key", "tokens", asked).await
    }

    pub async fn revoke_token(&self, name: &str) -> Result<(), ClientError> {
        self.0.door.post("revoking a key", "tokens/revoke", &Revoke { name: name.to_owned() }).await
    }
}
