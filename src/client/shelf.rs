//! The library's files, asked of the engine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Client, ClientError};
use crate::model::script::ScriptInfo;
use crate::model::shelf::{Delete, Rename, Renamed, Restore, Save, Saved, Switched, Text, Trashed, Version};

impl Client {
    /// A script's bytes, or those of one of its versions (`v3`, or the beginning of its hash).
    pub async fn text(&self, name: &str, version: Option<&str>) -> Result<(ScriptInfo, Vec<u8>), ClientError> {
        let doing = "reading a script";
        let mut query = vec![("name", name)];
        query.extend(version.map(|version| ("version", version)));
        let text: Text = self.0.door.get(doing, "library/text", &query).await?;
        let bytes = STANDARD.decode(&text.base64).map_err(|error| ClientError::Lost {
            doing: doing.to_owned(),
            why: format!("its answer cannot be read: {error}"),
        })?;
        Ok((text.info, bytes))
    }

    /// Saves a script. `base`: the version that the edit began from; `None`: a new one. A refusal `stale` says that
    /// the script is not what it was.
    pub async fn save(&self, name: &str, base: Option<&str>, bytes: &[u8], force: bool) -> Result<Saved, ClientError> {
        let save = Save { name: name.to_owned(), base: base.map(str::to_owned), base64: STANDARD.encode(bytes), force };
        self.0.door.post("saving a script", "library/save", &save).await
    }

    /// Newest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<Version>, ClientError> {
        self.0.door.get("reading the versions", "library/versions", &[("name", name)]).await
    }

    pub async fn rename(&self, from: &str, to: &str) -> Result<Renamed, ClientError> {
        let rename = Rename { from: from.to_owned(), to: to.to_owned() };
        self.0.door.post("renaming a script", "library/rename", &rename).await
    }

    /// Into the trash; `confirm` is the whole name, once more.
    pub async fn delete(&self, name: &str, confirm: &str) -> Result<Trashed, ClientError> {
        let delete = Delete { name: name.to_owned(), confirm: confirm.to_owned() };
        self.0.door.post("deleting a script", "library/delete", &delete).await
    }

    /// Turns a switch of a system's own script on or off.
    pub async fn switch(&self, name: &str, switch: &str, on: bool) -> Result<Switched, ClientError> {
        let asked = Switched { name: name.to_owned(), switch: switch.to_owned(), on };
        self.0.door.post("changing a script", "library/switch", &asked).await
    }

    /// Deleted last first.
    pub async fn trash(&self) -> Result<Vec<Trashed>, ClientError> {
        self.0.door.get("reading the trash", "library/trash", &[]).await
    }

    /// Brings back what was deleted: an id of the trash, or a name.
    pub async fn restore(&self, what: &str) -> Result<Trashed, ClientError> {
        self.0.door.post("bringing a script back", "library/restore", &Restore { what: what.to_owned() }).await
    }
}
