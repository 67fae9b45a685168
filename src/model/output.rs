//! Output: which stream, and windows of lines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which stream a chunk of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Out,
    Err,
    /// Quarterdeck's own lines about the run (attempts, how it ended); never part of the device's bytes.
    Meta,
}

impl Stream {
    pub const fn word(self) -> &'static str {
        match self {
            Stream::Out => "out",
            Stream::Err => "err",
            Stream::Meta => "meta",
        }
    }

    pub const fn code(self) -> u8 {
        match self {
            Stream::Out => 1,
            Stream::Err => 2,
            Stream::Meta => 3,
        }
    }

    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Stream::Out),
            2 => Some(Stream::Err),
            3 => Some(Stream::Meta),
            _ => None,
        }
    }
}

/// Which streams are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    Out,
    Err,
    /// stdout and stderr in order of arrival.
    #[default]
    All,
}

impl Which {
    pub const fn takes(self, stream: Stream) -> bool {
        match self {
            Which::Out => matches!(stream, Stream::Out),
            Which::Err => matches!(stream, Stream::Err),
            Which::All => matches!(stream, Stream::Out | Stream::Err),
        }
    }
}

/// One line of a run as a viewer needs it.
///
/// A line ends at `\n`, or where the other stream cut in before it was complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Number from 0 within the run.
    pub number: u64,
    /// Index of the run in its job.
    pub run: u32,
    pub stream: Stream,
    /// When the bytes arrived, to about 50 ms.
    pub at: Timestamp,
    /// Without its newline; invalid UTF-8 replaced; control sequences still inside. Cut at [`LINE_LIMIT`] bytes.
    pub text: String,
    /// Bytes left out behind `text`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u64,
}

/// The longest piece of one line that a window carries; `output --raw` has the rest.
pub const LINE_LIMIT: usize = 8 * 1024;

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde wants
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A window of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub lines: Vec<Line>,
    /// Lines of the run so far (all streams asked for). For a merged window of a job: 0.
    pub total_lines: u64,
    /// Bytes of the run so far.
    pub total_bytes: u64,
    /// The run has ended: no more will come.
    pub ended: bool,
}
