//! What travels between the engine and its front doors: requests, answers, events, and the frames of a
//! job's stream. The paths are in `api`; nothing here knows HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::{Device, Group, Reach};
use super::job::{JobId, JobSummary, Run};
use super::output::Stream;
use super::plan::{Exclusion, Question};
use super::rollout::Transition;
use super::saved::SavedTarget;
use super::script::ScriptInfo;
use super::state::Counts;

/// Raised whenever an older front door could misread this engine, or the other way round.
pub const PROTOCOL: u32 = 5;

/// A request's header: the ssh agent of whoever asks ([`Caller`](super::plan::Caller)).
pub const AGENT: &str = "quarterdeck-agent";

/// A request's header: which door, from where, for the audit log.
pub const FROM: &str = "quarterdeck-from";

/// `GET /api/v1/hello`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub version: String,
    pub protocol: u32,
    pub pid: u32,
    /// Devices from which a launch asks for the typed count.
    pub confirm_above: u32,
    pub at_once: u32,
    pub library: String,
    /// Problems at start (broken config, inventory…), one sentence each naming file and line.
    pub notices: Vec<String>,
    /// Highest event number so far.
    pub last_event: u64,
    /// The configuration file it was started with, and a mark of the text it had then.
    #[serde(default)]
    pub config: String,
    #[serde(default)]
    pub config_mark: String,
    /// Jobs run or consoles listen: it is not replaced for another configuration file.
    #[serde(default)]
    pub busy: bool,
    /// Jobs that run: while there are any, it is not replaced unasked at all.
    #[serde(default)]
    pub jobs_running: Option<usize>,
    /// Where other programs find it on the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
}

/// `GET /api/v1/targets`: everything a script could run on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    pub connections: Vec<super::connection::ConnectionInfo>,
    pub groups: Vec<Arc<Group>>,
    pub devices: Vec<Arc<Device>>,
    /// Kept under a name, to be used as `@name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<SavedTarget>,
    /// Why they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_problem: Option<String>,
}

/// `POST /api/v1/targets/resolve`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    pub expr: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub count: usize,
    pub folded: String,
    pub devices: Vec<Arc<Device>>,
    /// Devices that the expression names and a launch at it leaves out, whatever is launched; as a plan says them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
}

/// `POST /api/v1/jobs`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub plan: String,
    /// The device count as typed by the operator, where the plan asks for it.
    #[serde(default)]
    pub confirm: Option<usize>,
}

/// `POST /api/v1/jobs/{id}/cancel`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cancel {
    /// Device ids or names; empty: the whole job.
    pub devices: Vec<String>,
    pub stop: Stopping,
}

/// What stopping means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// Nothing more is sent; what has been sent goes on.
    Sending,
    /// …and what has been sent, but not started, is withdrawn.
    Unstarted,
    /// …and what runs is ended.
    #[default]
    All,
}

impl Stopping {
    /// Runs that it reaches.
    pub fn reaches(self, counts: &Counts) -> u32 {
        match self {
            Stopping::Sending => counts.queued,
            Stopping::Unstarted => counts.queued + counts.sent,
            Stopping::All => counts.queued + counts.sent + counts.running,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Runs withdrawn before they started.
    pub withdrawn: u32,
    /// Runs asked to end.
    pub ending: u32,
    /// Sent runs that their system was asked to take back, as it keeps them for the device; how far it could, it says.
    #[serde(default)]
    pub asked_back: u32,
    /// Runs of those meant that go on.
    #[serde(default)]
    pub going: u32,
    /// Why none of this can be written down as things are: it is done, and an engine that comes after would not know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecorded: Option<String>,
}

impl Cancelled {
    /// Anything was done.
    pub const fn reached(&self) -> u32 {
        self.withdrawn + self.ending + self.asked_back
    }

    /// For people.
    pub fn says(&self) -> String {
        let parts = [
            (self.withdrawn, "withdrawn before they were sent"),
            (self.asked_back, "asked back from their system"),
            (self.ending, "asked to end"),
            (self.going, "go on"),
        ];
        let said: Vec<String> =
            parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let said = said.join(", ");
        match &self.unrecorded {
            None if said.is_empty() => "nothing was left to stop".to_owned(),
            None => said,
            Some(why) => {
                let done = if said.is_empty() { "its runs have ended".to_owned() } else { said };
                format!(
                    "{done}, but that is not recorded ({why}): the state folder has to be written to again before the engine ends"
                )
            }
        }
    }
}

/// `POST /api/v1/jobs/{id}/approve`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approve {
    /// The ring that is meant: two who approve the same one let only that one go. `None`: the one that waits now.
    pub ring: Option<u32>,
}

/// What became of `pause`, `resume` and `approve`. Asked twice, the second changes nothing and says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turned {
    pub changed: bool,
    /// For a person: what the job does now.
    pub says: String,
    /// As it now is.
    pub job: JobSummary,
    /// Why it was not let go on: to be asked once more, `anyway`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// What has to be answered before it can go on in this engine; it is as it was then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// `GET /api/v1/jobs/{id}/search?text=…&regex=…&ignore_case=…&which=…&count=…`: all of it, searched to the end
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Lines that match.
    pub lines: u64,
    /// Runs that have one.
    pub runs: u32,
    /// How many each of these has.
    #[serde(default)]
    pub by_run: Vec<RunFound>,
    /// The first of them, run by run.
    pub hits: Vec<super::output::Line>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFound {
    pub run: u32,
    pub lines: u64,
}

/// `POST /api/v1/answers`: the answer to a plan's question.
#[derive(Deserialize)]
pub struct Answer {
    pub id: String,
    pub value: super::secret::Secret,
}

/// `GET /api/v1/doctor?device=…`: how a device is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctor {
    pub device: String,
    /// `native`, `ssh program`, `child process`.
    pub way: String,
    /// Why that way.
    pub why: String,
    /// What was found, step by step: label, text, fine or not.
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub label: String,
    pub text: String,
    pub fine: bool,
}

impl Step {
    pub fn new(label: &str, fine: bool, text: impl Into<String>) -> Self {
        Self { label: label.to_owned(), text: text.into(), fine }
    }
}

/// Every error answer of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: Code,
    /// What was being done, to what, why it failed and what to do next.
    pub error: String,
    /// Column (from 0, in characters) in the expression, where one is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Malformed request or expression, unknown parameter, zero devices…
    Invalid,
    NotFound,
    /// The typed count is missing or wrong.
    Unconfirmed,
    /// The plan is too old, or what it fixed has changed since.
    Stale,
    Refused,
    Internal,
}

/// One thing that happened, as `GET /api/v1/events` tells it. The event number is the SSE id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A job was launched or its counts or state changed.
    Job { job: Box<JobSummary> },
    /// Runs of a job changed state (a batch).
    Runs { job: JobId, runs: Vec<Run> },
    /// Runs of a job have more output (coalesced; the latest counts).
    Output { job: JobId, runs: Vec<Grown> },
    /// Something happened to a job as a whole: told once, after it was recorded.
    Transition { job: JobId, what: Transition },
    /// The library changed: ask again.
    Library,
    /// The inventory changed: ask again.
    Targets,
    /// Devices were spoken to (a batch): nothing but this has changed of them.
    Contacts { devices: Vec<Contacted> },
    /// What is said of signatures, or how outputs are put together, changed: ask for groups again.
    Triage,
    /// Something the operator should read.
    Notice { text: String },
    /// Events were missed: ask for everything again.
    Reset,
}

/// What the last contact with a device said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacted {
    pub device: String,
    pub state: Reach,
    pub last_contact: Option<Timestamp>,
    pub last_error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    pub run: u32,
    pub bytes: u64,
    pub lines: u64,
    pub last_line: String,
}

/// A frame of `GET /api/v1/jobs/{id}/stream`: 32 bytes of head (little endian), then `len` bytes.
///
/// kind u8 (0 note, else the stream's code) · 3 bytes 0 · run u32 · offset u64 · at u64 (Unix ms) · len u32 · 4 bytes 0
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// `None`: the payload is a [`Note`] in JSON.
    pub stream: Option<Stream>,
    pub run: u32,
    /// Position of the payload in the run's output.
    pub offset: u64,
    pub at_ms: u64,
    pub len: u32,
}

pub const FRAME_HEAD: usize = 32;

/// A payload is never longer.
pub const FRAME_MAX: usize = 1 << 20;

impl FrameHead {
    pub fn encode(&self) -> [u8; FRAME_HEAD] {
        let mut bytes = [0; FRAME_HEAD];
        bytes[0] = self.stream.map_or(0, Stream::code);
        bytes[4..8].copy_from_slice(&self.run.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.len.to_le_bytes());
        bytes
    }

    /// `None`: not a frame.
    pub fn decode(bytes: &[u8; FRAME_HEAD]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let stream = match bytes[0] {
            0 => None,
            code => Some(Stream::from_code(code)?),
        };
        let len = word(24);
        (len as usize <= FRAME_MAX).then_some(Self { stream, run: word(4), offset: long(8), at_ms: long(16), len })
    }
}

/// What a job's stream says between output. `Start` comes first, `End` last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The job as it is now, all runs.
    Start {
        job: Box<super::job::Job>,
    },
    /// A run changed state. All output that belongs before it has been sent.
    Run {
        run: Run,
    },
    /// The job as a whole changed: it is held, goes on, a ring begins.
    Job {
        job: JobSummary,
    },
    /// Why what happens is not told: it cannot be written down.
    Trouble {
        text: String,
    },
    End {
        job: JobSummary,
        counts: Counts,
    },
}

/// `GET /api/v1/library`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    pub folder: String,
    pub scripts: Vec<ScriptInfo>,
    pub warnings: Vec<String>,
    /// What the versions of jobs and files are called.
    #[serde(default)]
    pub numbers: super::shelf::Numbers,
    /// By name, how many errors lint found in what the file holds; of scripts that it was asked about.
    #[serde(default)]
    pub errors: BTreeMap<String, u32>,
    /// The systems that have a library of their own, whose scripts are among these.
    #[serde(default)]
    pub shelves: Vec<Shelf>,
}

/// The library of a system, as read last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    pub connection: String,
    /// `None`: never yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Why it could not be read the last time, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// It is being read.
    #[serde(default)]
    pub reading: bool,
    /// Why no script can be made, renamed or deleted there. `None`: that can be done from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// It runs a script with nothing but what it puts into the text: what whoever writes a new one has to know, for the
    /// comment that it begins with. `None`: a script there gets arguments as one of the local library does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stopped_says_what_was_done_and_nothing_else() {
        let told = Cancelled { withdrawn: 2, ending: 1, asked_back: 3, going: 4, unrecorded: None };
        assert_eq!(
            told.says(),
            "2 withdrawn before they were sent, 3 asked back from their system, 1 asked to end, 4 go on"
        );
        assert_eq!(Cancelled { asked_back: 3, ..Cancelled::default() }.says(), "3 asked back from their system");
        assert_eq!(Cancelled::default().says(), "nothing was left to stop");
        let full = Cancelled { unrecorded: Some("disk is full".into()), ..Cancelled::default() };
        let next = ", but that is not recorded (disk is full): the state folder has to be written to again before the engine ends";
        assert_eq!(full.says(), format!("its runs have ended{next}"));
        assert_eq!(Cancelled { ending: 1, ..full }.says(), format!("1 asked to end{next}"));
    }

    #[test]
    fn a_frame_head_survives_the_wire() {
        let head =
            FrameHead { stream: Some(Stream::Err), run: 7, offset: 1 << 40, at_ms: 1_795_000_000_123, len: 65_536 };
        assert_eq!(FrameHead::decode(&head.encode()), Some(head));
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused() {
        let head = FrameHead { stream: None, run: 0, offset: 0, at_ms: 0, len: FRAME_MAX as u32 + 1 };
        assert_eq!(FrameHead::decode(&head.encode()), None);
    }
}
