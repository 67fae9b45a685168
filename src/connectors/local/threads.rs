//! The threads on which children are attended. What scripts flood is read by two threads, which is what a small machine
//! has cores for, and never by the one that answers consoles and carries the fan-out.

use std::io;
use std::sync::LazyLock;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::connectors::Outcome;
use crate::model::job::UNKNOWN;
use crate::model::state::RunState;

const THREADS: usize = 2;

/// Started with the first child; an engine that only reaches other machines has none.
static ATTENDANTS: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(4)
        .thread_name("children")
        .enable_all()
        .build()
});

/// The run goes on there. Whoever no longer waits for it ends it.
pub fn attended(run: impl Future<Output = Outcome> + Send + 'static) -> BoxFuture<'static, Outcome> {
    match &*ATTENDANTS {
        Ok(threads) => {
            let run = AbortOnDropHandle::new(threads.spawn(run));
            async move {
                run.await.unwrap_or_else(|error| {
                    Outcome::because(RunState::Failed, format!("its watch broke off ({error}): {UNKNOWN}"))
                })
            }
            .boxed()
        }
        // no threads to be had: slower, and no less sure
        Err(_) => run.boxed(),
    }
}
