//! Texts that are read whole before anything is made of them, off the loop and bounded: the operator's own files that a
//! launch takes along, and an output that is to be shown as what it is.

use futures::StreamExt as _;

use crate::client::Client;
use crate::client::given::{self, Unread};
use crate::console::app::Event;
use crate::console::app::reader::Output;
use crate::model::content::document::{Document, LIMIT};
use crate::model::output::Which;
use crate::model::plan::PlanRequest;
use crate::model::script::Param;
use crate::model::wire::{Code, Problem};

/// What is found at a path, and beside it.
pub fn look_at(path: String) -> Event {
    let (size, near) = (given::size(&path), given::near(&path));
    Event::LookedAt { path, size, near }
}

/// The request, with what the files of these parameters hold.
pub async fn with_files(mut request: PlanRequest, files: Vec<Param>) -> Result<PlanRequest, Problem> {
    if files.is_empty() {
        return Ok(request);
    }
    let refused = |error: String| Problem { code: Code::Invalid, error, column: None };
    let read = move || given::read(&files, &mut request, false).map(|()| request);
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(|Unread { param, why }| refused(format!("{param}: {why}"))),
        Err(error) => Err(refused(format!("the files could not be read: {error}"))),
    }
}

/// What a run printed on stdout, as far as it is read, taken apart.
pub async fn read_output(client: Result<Client, String>, output: &Output) -> Result<Document, String> {
    let mut chunks =
        client?.output(output.job, output.run, Which::Out, false).await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    while bytes.len() <= LIMIT
        && let Some(chunk) = chunks.next().await
    {
        bytes.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
    }
    let declared = output.declared;
    let read = tokio::task::spawn_blocking(move || Document::of(&bytes, declared, false)).await;
    read.map_err(|error| error.to_string())
}
