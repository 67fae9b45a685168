//! The operator's own files that a launch takes along: read before a plan is asked for, off the loop.

use crate::client::given::{self, Unread};
use crate::console::app::Event;
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
