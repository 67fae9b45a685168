//! Targets kept under a name, asked of the engine.

use super::{Client, ClientError};
use crate::model::saved::{Forget, Save, SavedTarget};

impl Client {
    /// A refusal `unconfirmed` says that the name is taken.
    pub async fn save_target(&self, target: SavedTarget, replace: bool) -> Result<(), ClientError> {
        self.0.door.post("saving a target", "targets/saved", &Save { target, replace }).await
    }

    pub async fn forget_target(&self, name: &str) -> Result<(), ClientError> {
        self.0.door.post("forgetting a target", "targets/saved/forget", &Forget { name: name.to_owned() }).await
    }
}
