//! What a system may offer beyond running scripts: the texts of its own library, read and changed there; options that
//! its launches take; the jobs that it ran before. Each system says through its connector what it has; these are the
//! questions and the answers.

use jiff::Timestamp;

use crate::model::state::RunState;

/// What is to become of a script in a system's own library. Names are whole (`macs:Rotate cache`). `seen`: the version
/// of the text that whoever asks has seen; the system is asked what it has now before anything is changed, and if that
/// is another text, nothing is. `None`: whatever is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Create {
        name: String,
        bytes: Vec<u8>,
    },
    Update {
        name: String,
        seen: Option<String>,
        bytes: Vec<u8>,
    },
    Rename {
        name: String,
        to: String,
    },
    Delete {
        name: String,
        seen: Option<String>,
    },
    /// One of its switches ([`crate::model::script::Switch`]).
    Switch {
        name: String,
        switch: String,
        on: bool,
    },
}

/// It was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The name that the script has now.
    pub name: String,
    /// Its text before, where there was one.
    pub before: Option<Vec<u8>>,
    /// It was like this already: nothing was sent.
    pub same: bool,
    /// Of the text that it has now; of a deleted one, that it had.
    pub version: String,
}

/// It was not, and nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// Somebody else changed the text meanwhile: this is its version now.
    BySomebodyElse { version: String },
    /// There is no such script any more.
    Gone,
    /// The system does not take that, or we do not send it; why, and what to do.
    Refused(String),
    /// It could not be asked, or its answer was lost: whether it was done may not be known. In words.
    Failed(String),
}

/// A page of what a system ran before, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastPage {
    pub jobs: Vec<PastHead>,
    /// Where the next page begins. `None`: this was the last.
    pub next: Option<String>,
}

/// A past job as the list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastHead {
    /// Its number there.
    pub id: String,
    /// Another one as soon as anything in it is different.
    pub mark: String,
    /// It has not ended: it may still change.
    pub open: bool,
    /// It is one that was launched from here, and is among our jobs anyway.
    pub ours: bool,
}

/// A past job whole: what is known of it there, no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastJob {
    pub head: PastHead,
    /// The script's whole name, as it was called then.
    pub script: String,
    pub text: Vec<u8>,
    /// Its variables were filled in there.
    pub variables: bool,
    pub by: String,
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub updated_at: Timestamp,
    /// It was called off.
    pub cancelled: bool,
    /// As a launch of ours would have them.
    pub options: Vec<(String, String)>,
    pub runs: Vec<PastRun>,
}

/// One device in a past job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its id (`macs:17`) and name, as the inventory has them; of one that is gone, what can be made of its number.
    pub device: String,
    pub name: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// What is to be known beside the exit code.
    pub reason: Option<String>,
    /// stdout and stderr as one, as the system keeps them.
    pub output: Vec<u8>,
}
