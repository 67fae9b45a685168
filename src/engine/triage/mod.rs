//! Triage: what a run's end is called, and the runs of a job by that name. A name is made in steps, and each is a room:
//! `telling` chooses the lines while bytes arrive (`heard`), `own` takes the device's words out of them, `mask` what
//! differs from time to time; that is the `signature` recorded with the run, the same everywhere. What a script wants
//! beyond that is laid over it when somebody looks, never written into the run: `rules` of its own, what the `tree`
//! learnt of its words, what people merged and split (`ways`). So a change of any of these counts for every job that is
//! kept, and is undone without a trace. `groups` counts runs by name, `baseline` says beside which job, `remarks` is what people said of a name.

pub mod baseline;
pub mod groups;
mod hand;
pub(super) mod heard;
mod lessons;
mod mask;
mod masking;
mod own;
mod remarks;
mod rules;
mod shared;
mod signature;
mod standing;
mod telling;
mod tree;
mod view;
mod ways;

pub use heard::Heard;
pub use mask::MARKS;
pub use signature::Specimen;
pub use tree::Pattern;
pub use view::Triage;
pub use ways::{Book, Ways};

use std::sync::Arc;

use self::own::Own;
use crate::connectors::Outcome;
use crate::model::device::Device;
use crate::model::job::Signature;
use crate::model::state::RunState;
use crate::model::ways::Fine;

/// What this end is called.
pub fn signature(device: &Device, outcome: &Outcome, heard: &Heard) -> Signature {
    signature::of(outcome, &heard.lines(outcome.state != RunState::Ok), &Own::of(device))
}

/// Takes out of a line what is this device's or a moment's own, as the signatures of the script do.
pub fn masker(device: &Device, ways: &Ways) -> impl Fn(&str) -> String + use<> {
    let (own, rules) = (Own::of(device), Arc::clone(&ways.rules));
    move |line| mask::mask_by(&own.taken_out(line), &rules, Fine::Masks)
}
