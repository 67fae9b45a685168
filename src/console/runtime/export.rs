//! A job's report on its way into a file or to the clipboard: on a thread of its own, because a disk may be slow, with a
//! word now and then about how far it is. Given up, it leaves nothing; a console that is left gives it up.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use super::engine::Told;
use crate::client::Client;
use crate::client::export::{ExportError, SoFar};
use crate::console::app::Event;
use crate::console::app::export::{Done, Goal, Wish};

/// Between two words about how far it is.
const PROGRESS: Duration = Duration::from_millis(250);

/// To its end. `path`: that of the wish, where the home is known; `most`: bytes that the clipboard takes.
pub async fn export(client: Option<Client>, wish: &Wish, path: PathBuf, most: usize, results: &Sender<Told>) -> Done {
    let Some(client) = client else { return Done::Failed("no engine answers: try again when one does".into()) };
    let replace = match wish.goal {
        Goal::File { replace, .. } => replace,
        Goal::Clipboard => {
            return match client.export_text(wish.job, &wish.report, most).await {
                Ok(text) => Done::Text(text),
                Err(error) => Done::Failed(format!("{error}; nothing was copied")),
            };
        }
    };
    let mut last = Instant::now();
    let told = |so_far: SoFar| {
        if last.elapsed() >= PROGRESS {
            last = Instant::now();
            let SoFar { devices, of, bytes } = so_far;
            let said = Event::Exporting { serial: wish.serial, devices, of, bytes };
            // where the console has much to do, the next word will do
            let _ = results.try_send(Told::Event(Box::new(said)));
        }
    };
    match client.export(wish.job, &wish.report, &path, replace, told).await {
        Ok(written) => {
            Done::File { path: written.path.display().to_string(), devices: written.devices, bytes: written.bytes }
        }
        Err(ExportError::Exists(_)) => Done::Exists,
        Err(error) => Done::Failed(error.to_string()),
    }
}
