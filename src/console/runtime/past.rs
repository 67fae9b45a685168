//! A search over past jobs carried from the engine to the console, in pieces: who draws slowly slows it down, and
//! stopping it ends it at the engine.

use futures::StreamExt;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::engine::{self, problem};
use crate::client::Client;
use crate::console::app::Event;
use crate::model::past::{Past, Told};
use crate::model::wire::{Code, Problem};

/// What is found within one frame is one event.
const PIECE: usize = 256;

pub async fn search(
    client: Option<Client>,
    serial: u64,
    asked: Box<Past>,
    stop: CancellationToken,
    results: Sender<engine::Told>,
) {
    let tell = async |answer: Result<Vec<Told>, Problem>| {
        results.send(engine::Told::Event(Box::new(Event::Found { serial, answer }))).await
    };
    let work = async {
        let Some(client) = client else {
            let missing = Problem { code: Code::Internal, error: "no engine answers".into(), column: None };
            return tell(Err(missing)).await;
        };
        let mut pieces = match client.past(&asked).await {
            Ok(found) => found.ready_chunks(PIECE),
            Err(error) => return tell(Err(problem(error))).await,
        };
        while let Some(piece) = pieces.next().await {
            let (mut told, mut broken) = (Vec::new(), None);
            for item in piece {
                match item {
                    Ok(item) => told.push(item),
                    Err(error) => broken = Some(problem(error)),
                }
            }
            tell(Ok(told)).await?;
            if let Some(problem) = broken {
                tell(Err(problem)).await?;
            }
        }
        Ok(())
    };
    // (a console that has gone needs no answer)
    let _ = stop.run_until_cancelled(work).await;
}
