//! Launches kept under a name, asked of the engine.

use super::{Client, ClientError};
use crate::model::template::{Forget, Keep, Template, Templates};

impl Client {
    pub async fn templates(&self) -> Result<Templates, ClientError> {
        self.0.door.get("reading the templates", "templates", &[]).await
    }

    /// A refusal `unconfirmed` says that the name is taken.
    pub async fn keep_template(&self, template: Template, replace: bool) -> Result<(), ClientError> {
        self.0.door.post("keeping a template", "templates", &Keep { template, replace }).await
    }

    pub async fn forget_template(&self, name: &str) -> Result<(), ClientError> {
        self.0.door.post("forgetting a template", "templates/forget", &Forget { name: name.to_owned() }).await
    }
}
