//! Runs that their system keeps until the device fetches them, for days if need be: what is said of one, and how many
//! there are. Owns these words for lists, previews and the output; asks nobody whether a device is awake.

use super::cells::ago;
use super::live;
use crate::console::app::App;
use crate::model::job::{Job, Run};
use crate::model::moment;
use crate::model::state::RunState;

/// Its system has it, and the device has not come for it.
pub fn waits(app: &App, run: &Run) -> bool {
    run.state == RunState::Sent && queues(app, run.connection())
}

fn queues(app: &App, connection: &str) -> bool {
    let known = app.tree.targets.connections.iter().find(|known| known.name == connection);
    known.is_some_and(|known| known.capabilities.queues)
}

/// How many of a job's runs wait so.
pub fn count(app: &App, job: &Job) -> u64 {
    if job.summary.counts.sent == 0 || !app.tree.targets.connections.iter().any(|known| known.capabilities.queues) {
        return 0;
    }
    job.runs.iter().filter(|run| waits(app, run)).count() as u64
}

/// The last column of a run: what it waits for, else what it said last. `waits for the device, sent 10:42:03`; where
/// there is little room, `waits, sent 2h ago`.
pub fn last_words(app: &App, run: &Run, wide: bool) -> String {
    if run.reason.is_some() || !waits(app, run) {
        return live::last_words(run);
    }
    match run.sent_at.filter(|_| !wide) {
        Some(at) => format!("waits, sent {} ago", ago(app.now, at)),
        None => format!("waits for the device{}", sent(app, run)),
    }
}

/// The same with what is known of the device, where there is room for it.
pub fn account(app: &App, run: &Run) -> String {
    let since = run.sent_at.map_or_else(String::new, |at| format!(" ({} ago)", ago(app.now, at)));
    let seen = app.tree.device(&run.device).and_then(|device| device.last_contact);
    let seen = seen.map_or_else(String::new, |at| {
        let zone = &app.place.zone;
        format!("; it was last seen {} ({} ago)", moment::said(at, app.now, zone), ago(app.now, at))
    });
    format!("waits for the device, which fetches the script when it next calls{}{since}{seen}", sent(app, run))
}

fn sent(app: &App, run: &Run) -> String {
    run.sent_at.map_or_else(String::new, |at| format!(", sent {}", moment::said(at, app.now, &app.place.zone)))
}
