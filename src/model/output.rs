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

impl Line {
    pub fn place(&self) -> Place {
        Place { at_ms: self.at.as_millisecond(), run: self.run, line: self.number }
    }
}

/// Where a line stands among all lines of a job: in order of arrival, then by run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub at_ms: i64,
    pub run: u32,
    pub line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.at_ms, self.run, self.line)
    }
}

impl std::str::FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a place in an output is MILLISECONDS.RUN.LINE";
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(WRONG);
        let place = Self {
            at_ms: next()?.parse().map_err(|_| WRONG)?,
            run: next()?.parse().map_err(|_| WRONG)?,
            line: next()?.parse().map_err(|_| WRONG)?,
        };
        if parts.next().is_some() { Err(WRONG) } else { Ok(place) }
    }
}

/// From where a window is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    Start,
    End,
    /// Around this line, or where it would stand.
    Around(Place),
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
    /// Lines given before the place that was asked for.
    #[serde(default)]
    pub back: usize,
    /// There is nothing before the first line, nothing behind the last.
    #[serde(default)]
    pub starts: bool,
    #[serde(default)]
    pub ends: bool,
    /// Where only lines that match were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
}

impl Window {
    /// Of lines that are all at hand, in order: what the engine would give.
    pub fn of(all: &[Line], seek: Seek, before: usize, count: usize) -> Self {
        let (at, before, count) = match seek {
            Seek::Start => (0, before, count),
            Seek::End => (all.len(), before.saturating_add(count), 0),
            Seek::Around(place) => (all.partition_point(|line| line.place() < place), before, count),
        };
        let (from, to) = (at.saturating_sub(before), at.saturating_add(count).min(all.len()));
        Self {
            lines: all[from..to].to_vec(),
            total_lines: all.len() as u64,
            back: at - from,
            starts: from == 0,
            ends: to == all.len(),
            ..Self::default()
        }
    }
}

/// How far a search has come and what it has found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matching {
    /// Lines that match.
    pub lines: u64,
    /// Runs that have one.
    pub runs: u32,
    /// Number (from 0) of the window's first line among those that match.
    pub first: u64,
    /// Bytes looked through, and bytes there are.
    pub searched: u64,
    pub total: u64,
    /// Everything there is has been looked through.
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_written_down() {
        let place = Place { at_ms: -5, run: 7, line: 1 << 40 };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!("1.2".parse::<Place>().is_err() && "1.2.3.4".parse::<Place>().is_err());
    }
}
