//! Looking through the output of one run: which lines match, as `grep` would say. Reads large pieces across the
//! index's records; lines are told apart, and numbered, only where something was found.

use std::io;
use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter, memmem, memrchr};
use regex::bytes::Regex;

use super::super::store::index::Index;
use super::super::store::output::{Files, Wanted};
use crate::model::output::Stream;
use crate::model::search::{Kind, Pattern};

/// One read, small enough to be still in the processor's cache when it is searched.
const PIECE: usize = 256 * 1024;

/// A longer line is searched in pieces: a match across two of them is found only where it is this short.
const LONG: usize = 4 << 20;
const ACROSS: usize = 1024;

/// Matches that ran across a line's end before a piece is searched line by line instead.
const ASTRAY: u32 = 8;

/// What is looked for.
pub enum Needle {
    Text(Box<memmem::Finder<'static>>),
    Regex(Regex),
    Errors(Regex),
}

impl Needle {
    pub fn new(pattern: &Pattern) -> Result<Self, String> {
        let regex = pattern.compile()?;
        Ok(match pattern.kind {
            Kind::Text if !pattern.ignore_case => {
                Self::Text(Box::new(memmem::Finder::new(pattern.text.as_bytes()).into_owned()))
            }
            Kind::Text | Kind::Regex => Self::Regex(regex),
            Kind::Errors => Self::Errors(regex),
        })
    }

    /// The first match in these whole lines, as where its line begins and ends (without the newline).
    fn find(&self, lines: &[u8], stream: Stream, astray: &mut u32) -> Option<(usize, usize)> {
        let around = |from: usize, hit: usize| {
            let begin = memrchr(b'\n', &lines[from..hit]).map_or(from, |at| from + at + 1);
            (begin, memchr(b'\n', &lines[hit..]).map_or(lines.len(), |at| hit + at))
        };
        let regex = match self {
            Self::Text(finder) => return finder.find(lines).map(|hit| around(0, hit)),
            Self::Errors(_) if stream == Stream::Err => {
                let hit = lines.iter().position(|byte| !byte.is_ascii_whitespace())?;
                return Some(around(0, hit));
            }
            Self::Regex(regex) | Self::Errors(regex) => regex,
        };
        let mut from = 0;
        while from < lines.len() {
            if *astray >= ASTRAY {
                let (begin, end) = around(from, from);
                if regex.is_match(&lines[begin..end]) {
                    return Some((begin, end));
                }
                from = end + 1;
                continue;
            }
            let hit = regex.find(&lines[from..])?;
            let (begin, end) = around(from, from + hit.start());
            // one that runs across the line's end is none, unless the line alone matches too
            if from + hit.end() <= end || regex.is_match(&lines[begin..end]) {
                return (begin < lines.len()).then_some((begin, end));
            }
            *astray += 1;
            from = end + 1;
        }
        None
    }
}

/// How many there are in these bytes of a run.
fn newlines(files: &Files, mut from: u64, to: u64) -> io::Result<u64> {
    let mut piece = [0; 16 * 1024];
    let mut count = 0;
    while from < to {
        let most = usize::try_from(to - from).unwrap_or(usize::MAX).min(piece.len());
        let got = files.read_at(&mut piece[..most], from)?;
        if got == 0 {
            break;
        }
        count += memchr_iter(b'\n', &piece[..got]).count() as u64;
        from += got as u64;
    }
    Ok(count)
}

/// A line that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Number among the lines that match.
    pub rank: u64,
    pub line: u64,
    pub offset: u64,
    pub at_ms: u64,
}

/// The lines that begin in `from..to` of a run whose bytes end at `end`.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub from: u64,
    pub to: u64,
    pub end: u64,
}

/// One pass over a part.
pub struct Scan<'a> {
    files: &'a Files,
    needle: &'a Needle,
    wanted: Wanted,
    part: Part,
    index: Index<'a>,
    /// Read into again and again.
    buffer: &'a mut Vec<u8>,
    count: u64,
    /// The last line whose number was worked out: where it begins, and the number; the record it is in.
    known: Option<(u64, u64)>,
    record: u64,
}

/// A stretch of one stream.
struct Stretch {
    from: u64,
    to: u64,
    stream: Stream,
}

impl<'a> Scan<'a> {
    pub fn new(
        files: &'a Files,
        needle: &'a Needle,
        wanted: Wanted,
        part: Part,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<Self> {
        Ok(Self { files, needle, wanted, part, index: Index::new(files)?, buffer, count: 0, known: None, record: 0 })
    }

    /// Tells every line that matches, in order; how many there were. `keep` says of a rank whether its place is
    /// wanted: working it out costs more than finding the line.
    pub fn run(
        mut self,
        keep: &mut dyn FnMut(u64) -> bool,
        found: &mut dyn FnMut(Spot) -> ControlFlow<()>,
    ) -> io::Result<u64> {
        let mut at = self.part.from;
        let mut record = self.files.record_at(at)?;
        self.record = record;
        while at < self.part.end && at < self.part.to {
            let stream = self.index.get(record)?.map_or(Stream::Out, |record| record.stream);
            // the stretch goes on to where another stream cuts in
            let (mut next, mut to) = (record + 1, self.part.end);
            while let Some(other) = self.index.get(next)? {
                if other.stream != stream && other.offset > at {
                    to = other.offset.min(self.part.end);
                    break;
                }
                next += 1;
            }
            let stretch = Stretch { from: at, to, stream };
            if self.wanted.takes(stream) && self.stretch(&stretch, record, keep, found)?.is_break() {
                break;
            }
            (at, record) = (to, next);
        }
        Ok(self.count)
    }

    fn stretch(
        &mut self,
        stretch: &Stretch,
        record: u64,
        keep: &mut dyn FnMut(u64) -> bool,
        found: &mut dyn FnMut(Spot) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let begins = match self.index.get(record)? {
            Some(here) if here.offset == stretch.from => self.index.begins(record)?,
            Some(_) => false,
            None => stretch.from == 0,
        };
        // from the middle of a line: to where the next one begins, if that is not right here
        let mut within = !begins;
        let mut base = if within { stretch.from.saturating_sub(1) } else { stretch.from };
        let (mut read, mut filled, mut astray) = (base, 0, 0);
        let mut line_from = base;
        loop {
            let most = if read < self.part.to { (self.part.to - read).min(PIECE as u64) } else { PIECE as u64 / 4 };
            let most = usize::try_from(most.min(stretch.to - read)).unwrap_or(PIECE);
            if self.buffer.len() < filled + most {
                self.buffer.resize(filled + most, 0);
            }
            let got = self.files.read_at(&mut self.buffer[filled..filled + most], read)?;
            (read, filled) = (read + got as u64, filled + got);
            let last = got < most || read >= stretch.to;
            let mut from = 0;
            if within {
                // the rest of a line that belongs to somebody else, or has been counted
                from = memchr(b'\n', &self.buffer[..filled]).map_or(filled, |at| at + 1);
                within = from == filled && self.buffer[..filled].last() != Some(&b'\n');
                line_from = base + from as u64;
            }
            let newline = memrchr(b'\n', &self.buffer[from..filled]).map_or(from, |at| from + at + 1);
            let long = filled - newline > LONG;
            let whole = if last || long { filled } else { newline };
            while from < whole {
                let Some((begin, end)) = self.needle.find(&self.buffer[from..whole], stretch.stream, &mut astray)
                else {
                    break;
                };
                let (begin, end) = (from + begin, from + end);
                // a long line's later pieces have its beginning somewhere before
                let offset = if begin == 0 { line_from } else { base + begin as u64 };
                if offset >= self.part.to {
                    return Ok(ControlFlow::Break(()));
                }
                let rank = self.count;
                self.count += 1;
                if keep(rank) {
                    let spot = self.spot(rank, offset, base, filled)?;
                    if found(spot).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                if end >= filled && !last {
                    within = true; // counted: what follows of it is passed over
                }
                from = end + 1;
            }
            if last {
                return Ok(ControlFlow::Continue(()));
            }
            let keep_from = match (long, within) {
                (true, true) => filled,
                (true, false) => filled - ACROSS.min(filled),
                _ => whole,
            };
            if newline > 0 {
                line_from = base + newline as u64;
            }
            self.buffer.copy_within(keep_from..filled, 0);
            base += keep_from as u64;
            filled -= keep_from;
            if line_from >= self.part.to {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Number and time of the line that begins at `offset`, from the nearest place whose number is known.
    fn spot(&mut self, rank: u64, offset: u64, base: u64, filled: usize) -> io::Result<Spot> {
        while self.index.get(self.record + 1)?.is_some_and(|next| next.offset <= offset) {
            self.record += 1;
        }
        let at = self.record;
        let record = self.index.get(at)?;
        let at_ms = record.map_or(0, |record| record.at_ms);
        let (from, number, begins) = match (record, self.known) {
            (Some(record), Some((known, number))) if known >= record.offset => (known, number, true),
            (None, Some((known, number))) => (known, number, true),
            (Some(record), _) => (record.offset, record.line, self.index.begins(at)?),
            (None, None) => (0, 0, true),
        };
        let mut line = number;
        if offset > from {
            // a line begins behind every newline; the last of them is that of this line itself
            line += u64::from(begins);
            let (from, to) = (if begins { from } else { from - 1 }, offset - 1);
            line += if from >= base && to <= base + filled as u64 {
                let place = |offset: u64| usize::try_from(offset - base).unwrap_or(filled);
                memchr_iter(b'\n', &self.buffer[place(from)..place(to)]).count() as u64
            } else {
                newlines(self.files, from, to)?
            };
        }
        self.known = Some((offset, line));
        Ok(Spot { rank, line, offset, at_ms })
    }
}
