//! Output of one run on disk: an append-only file of its raw bytes, beside a sparse index.
//!
//! Owns the two formats and nothing else. The bytes of all streams lie in one file in order of arrival; a
//! record of the index says from which offset on which stream was speaking, since when, and how many lines
//! came before. A record is written *before* the bytes it describes, so that a kill at any byte leaves
//! nothing that cannot be read: a torn record is cut off, a record without bytes covers nothing, and bytes
//! behind the last record belong to its stream.
//!
//! A line ends at `\n`, or where another stream cuts in before it was complete; line numbers count both.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::model::output::{LINE_LIMIT, Line, Stream, Which};

/// A record: offset u64 · line u64 · at u64 (Unix ms) · stream u8 · 7 bytes 0, little endian.
pub const RECORD: usize = 32;

/// A new record at the latest after so many bytes, lines, or ms: what a reader must scan to find a line.
const SPAN_BYTES: u64 = 64 * 1024;
const SPAN_LINES: u64 = 64;
const SPAN_MS: u64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub offset: u64,
    /// Lines that begin before `offset`.
    pub line: u64,
    pub at_ms: u64,
    pub stream: Stream,
}

impl Record {
    fn encode(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.line.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[24] = self.stream.code();
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        Some(Self { offset: long(0)?, line: long(8)?, at_ms: long(16)?, stream: Stream::from_code(*bytes.get(24)?)? })
    }
}

/// Where one half of a run, its bytes or its index, lies in a file.
#[derive(Debug)]
pub struct Part {
    file: Arc<File>,
    from: u64,
    /// `None`: as far as the file goes, and it is appended to.
    len: Option<AtomicU64>,
}

impl Part {
    pub fn of(file: &Arc<File>, from: u64, len: u64) -> Self {
        Self { file: Arc::clone(file), from, len: Some(AtomicU64::new(len)) }
    }

    fn whole(file: File) -> Self {
        Self { file: Arc::new(file), from: 0, len: None }
    }

    fn len(&self) -> io::Result<u64> {
        match &self.len {
            Some(len) => Ok(len.load(Ordering::Acquire)),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    /// Short only at the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = match &self.len {
            Some(len) => len.load(Ordering::Acquire).saturating_sub(offset),
            None => u64::MAX,
        };
        let want = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        read_full(&self.file, &mut buf[..want], self.from + offset)
    }

    /// Appends; what could be written of it.
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(len) = &self.len else { return (&*self.file).write(bytes) };
        let at = len.load(Ordering::Acquire);
        let written = self.file.write_at(bytes, self.from + at)?;
        len.store(at + written as u64, Ordering::Release);
        Ok(written)
    }

    /// `Err`: with how much had been written before.
    fn write_all(&self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write(&bytes[written..]) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }
}

/// The two halves, open for appending and for reading at any place, by several at once.
#[derive(Debug)]
pub struct Files {
    out: Part,
    idx: Part,
    slot: Option<Slot>,
}

/// A small place in a file that many runs share.
#[derive(Debug)]
pub struct Slot {
    /// Where the two lengths stand, for whoever opens the file later.
    pub head: u64,
    /// Bytes of output, and of index, that have room.
    pub room: (u64, u64),
}

impl Files {
    pub fn create(out: &Path, idx: &Path) -> io::Result<Self> {
        let open = |path: &Path| OpenOptions::new().read(true).append(true).create(true).open(path);
        Ok(Self { out: Part::whole(open(out)?), idx: Part::whole(open(idx)?), slot: None })
    }

    pub fn open(out: &Path, idx: &Path) -> io::Result<Self> {
        // the index first: whoever has it will find the bytes, or nothing at all
        let idx = File::open(idx).or_else(|_| empty())?;
        Ok(Self { out: Part::whole(File::open(out)?), idx: Part::whole(idx), slot: None })
    }

    /// A run inside a file of many.
    pub fn within(out: Part, idx: Part, slot: Option<Slot>) -> Self {
        Self { out, idx, slot }
    }

    /// Bytes of all streams.
    pub fn size(&self) -> io::Result<u64> {
        self.out.len()
    }

    pub fn records(&self) -> io::Result<u64> {
        Ok(self.idx.len()? / RECORD as u64)
    }

    /// Reads at most `buf.len()` bytes at `offset`; short only at the end.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.out.read_at(buf, offset)
    }

    /// Room for so many bytes more, whatever record they need.
    fn has_room(&self, bytes: usize) -> io::Result<bool> {
        let Some(slot) = &self.slot else { return Ok(true) };
        Ok(self.out.len()? + bytes as u64 <= slot.room.0 && self.idx.len()? + RECORD as u64 <= slot.room.1)
    }

    /// Notes how much there is now. Before that it is there for nobody else.
    fn note(&self) -> io::Result<()> {
        let Some(slot) = &self.slot else { return Ok(()) };
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&self.out.len()?.to_le_bytes());
        lengths[8..].copy_from_slice(&self.idx.len()?.to_le_bytes());
        self.out.file.write_all_at(&lengths, slot.head)
    }

    fn record(&self, index: u64) -> io::Result<Option<Record>> {
        let mut bytes = [0; RECORD];
        let got = self.read_records(&mut bytes, index)?;
        Ok((got == RECORD).then(|| Record::decode(&bytes)).flatten())
    }

    /// At most `most` records from this one on, in one read.
    pub fn records_from(&self, index: u64, most: usize) -> io::Result<Vec<Record>> {
        let left = usize::try_from(self.records()?.saturating_sub(index)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(most) * RECORD];
        let got = self.read_records(&mut bytes, index)?;
        Ok(bytes[..got].chunks_exact(RECORD).map_while(Record::decode).collect())
    }

    /// The last record that begins at or before this byte; 0 where there is none.
    pub fn record_at(&self, offset: u64) -> io::Result<u64> {
        self.last_record(|record| record.offset <= offset)
    }

    /// The last record of those, at the beginning, for which this holds; 0 where there is none.
    pub fn last_record(&self, holds: impl Fn(&Record) -> bool) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.records()?);
        while low < high {
            let middle = (low + high) / 2;
            match self.record(middle)? {
                Some(record) if holds(&record) => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low.saturating_sub(1))
    }

    /// Reads index records from number `index` on; short only at the end.
    fn read_records(&self, buf: &mut [u8], index: u64) -> io::Result<usize> {
        self.idx.read_at(buf, index * RECORD as u64)
    }

    /// Everything of both, for packing.
    pub fn whole(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut out = vec![0; usize::try_from(self.size()?).unwrap_or(0)];
        let got = self.read_at(&mut out, 0)?;
        out.truncate(got);
        let mut idx = vec![0; usize::try_from(self.records()?).unwrap_or(0) * RECORD];
        let got = self.idx.read_at(&mut idx, 0)?;
        idx.truncate(got / RECORD * RECORD);
        Ok((out, idx))
    }
}

/// Stands for an index that is gone: everything is then one stretch of stdout.
fn empty() -> io::Result<File> {
    File::open("/dev/null")
}

fn read_full(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match file.read_at(&mut buf[got..], offset + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Appends. One per run.
#[derive(Debug)]
pub struct Writer {
    files: Arc<Files>,
    stream: Option<Stream>,
    /// Bytes of all streams so far.
    offset: u64,
    /// Lines begun so far.
    lines: u64,
    /// The last line has no end yet.
    open: bool,
    last: Record,
}

impl Writer {
    pub fn new(files: Arc<Files>) -> Self {
        let last = Record { offset: 0, line: 0, at_ms: 0, stream: Stream::Meta };
        Self { files, stream: None, offset: 0, lines: 0, open: false, last }
    }

    /// Goes on behind what is there. What comes begins a line of its own: whoever goes on says so first.
    pub fn resume(files: Arc<Files>) -> io::Result<Self> {
        let last = match files.records()?.checked_sub(1) {
            Some(last) => files.record(last)?,
            None => None,
        };
        let (offset, lines) = (files.size()?, total_lines(&files)?);
        let fresh = Self::new(files);
        Ok(Self { offset, lines, last: last.unwrap_or(fresh.last), ..fresh })
    }

    /// Appends bytes as they came. On an error, what was written before it is kept and counted.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], at_ms: u64) -> io::Result<()> {
        for piece in bytes.chunks(SPAN_BYTES as usize) {
            self.append_piece(stream, piece, at_ms)?;
        }
        Ok(())
    }

    fn append_piece(&mut self, stream: Stream, bytes: &[u8], at_ms: u64) -> io::Result<()> {
        let switched = self.stream != Some(stream);
        if switched {
            self.open = false;
        }
        if switched
            || at_ms.saturating_sub(self.last.at_ms) >= SPAN_MS
            || self.lines - self.last.line >= SPAN_LINES
            || self.offset - self.last.offset >= SPAN_BYTES
        {
            // a line that goes on across the record has begun before it
            let record = Record { offset: self.offset, line: self.lines, at_ms, stream };
            self.files.idx.write_all(&record.encode()).map_err(|(_, error)| error)?;
            self.last = record;
            self.stream = Some(stream);
        }
        let written = self.files.out.write_all(bytes);
        self.count(&bytes[..written.as_ref().map_or_else(|(written, _)| *written, |()| bytes.len())]);
        self.files.note()?;
        written.map_err(|(_, error)| error)
    }

    /// Whether so much more has room where this run is kept.
    pub fn has_room(&self, bytes: usize) -> io::Result<bool> {
        self.files.has_room(bytes)
    }

    /// Goes on in other files, which get what there is so far: the bytes first, since an index says that they are there.
    pub fn move_to(&mut self, files: Arc<Files>) -> io::Result<()> {
        let (out, idx) = self.files.whole()?;
        files.out.write_all(&out).and_then(|()| files.idx.write_all(&idx)).map_err(|(_, error)| error)?;
        self.files = files;
        Ok(())
    }

    fn count(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.offset += bytes.len() as u64;
        let ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let ended = bytes.last() == Some(&b'\n');
        // lines begun: every end but a trailing one begins another, and so does the first byte unless it continues
        self.lines += ends + u64::from(!self.open) - u64::from(ended);
        self.open = !ended;
    }

    pub const fn offset(&self) -> u64 {
        self.offset
    }

    pub const fn lines(&self) -> u64 {
        self.lines
    }
}

/// A stretch of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub offset: u64,
    pub len: u64,
    pub stream: Stream,
    pub at_ms: u64,
}

/// The index, read some records at a time. What is held is as old as its reading: a run that grows is looked at
/// through a new one.
pub struct Records<'f> {
    files: &'f Files,
    first: u64,
    held: usize,
    bytes: [u8; 64 * RECORD],
}

impl<'f> Records<'f> {
    pub fn of(files: &'f Files) -> Self {
        Self { files, first: 0, held: 0, bytes: [0; 64 * RECORD] }
    }

    fn get(&mut self, index: u64) -> io::Result<Option<Record>> {
        if index < self.first || index >= self.first + self.held as u64 {
            // the one before is asked for again as a rule
            self.first = index.saturating_sub(1);
            self.held = self.files.read_records(&mut self.bytes, self.first)? / RECORD;
        }
        let at = usize::try_from(index - self.first).unwrap_or(usize::MAX);
        Ok((at < self.held).then(|| Record::decode(&self.bytes[at * RECORD..])).flatten())
    }
}

/// Reads in order from any place, over the index; keeps its place while the run grows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    pub offset: u64,
    record: u64,
}

impl Cursor {
    pub const fn start() -> Self {
        Self { offset: 0, record: 0 }
    }

    /// From this byte on.
    pub fn at(files: &Files, offset: u64) -> io::Result<Self> {
        Ok(Self { offset, record: files.record_at(offset)? })
    }

    /// The next stretch up to `end`, at most `most` bytes; `None` when there is nothing new.
    pub fn next(&mut self, records: &mut Records<'_>, end: u64, most: u64) -> io::Result<Option<Stretch>> {
        if self.offset >= end {
            return Ok(None);
        }
        // the record in force is the last one that begins at or before the offset
        while let Some(next) = records.get(self.record + 1)? {
            if next.offset > self.offset {
                break;
            }
            self.record += 1;
        }
        let current = records.get(self.record)?;
        let next = records.get(self.record + 1)?.map_or(end, |record| record.offset.min(end));
        let stretch = Stretch {
            offset: self.offset,
            len: next.saturating_sub(self.offset).min(most).max(1),
            stream: current.map_or(Stream::Out, |record| record.stream),
            at_ms: current.map_or(0, |record| record.at_ms),
        };
        self.offset += stretch.len;
        Ok(Some(stretch))
    }

    /// The record at which this stretch, just taken, ends; `None` where it ends inside one.
    fn following(&self, records: &mut Records<'_>, stretch: &Stretch) -> io::Result<Option<Record>> {
        let next = records.get(self.record + 1)?;
        Ok(next.filter(|record| record.offset == stretch.offset + stretch.len))
    }

    /// Like `next`, but runs over records of the same stream, so that a flood is read in large pieces.
    pub fn next_large(&mut self, records: &mut Records<'_>, end: u64, most: u64) -> io::Result<Option<Stretch>> {
        let Some(mut stretch) = self.next(records, end, most)? else { return Ok(None) };
        while stretch.len < most {
            let before = *self;
            match self.next(records, end, most - stretch.len)? {
                Some(more) if more.stream == stretch.stream => stretch.len += more.len,
                Some(_) => {
                    *self = before;
                    break;
                }
                None => break,
            }
        }
        Ok(Some(stretch))
    }
}

/// Reads the bytes of a stretch.
pub fn read(files: &Files, stretch: &Stretch, into: &mut Vec<u8>) -> io::Result<()> {
    let start = into.len();
    into.resize(start + usize::try_from(stretch.len).unwrap_or(0), 0);
    let got = files.read_at(&mut into[start..], stretch.offset);
    into.truncate(start + *got.as_ref().unwrap_or(&0));
    got.map(drop)
}

/// Bytes and lines of a run as its files tell (after a crash, say).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// stdout and stderr.
    pub bytes: u64,
    /// All streams.
    pub lines: u64,
}

/// Lines of all streams, from the last record and what lies behind it.
pub fn total_lines(files: &Files) -> io::Result<u64> {
    let end = files.size()?;
    let (mut lines, mut open, mut cursor) = match files.records()?.checked_sub(1) {
        Some(last) => match files.record(last)? {
            Some(record) => {
                (record.line, continues(files, &record, last)?, Cursor { offset: record.offset, record: last })
            }
            None => (0, false, Cursor::start()),
        },
        None => (0, false, Cursor::start()),
    };
    let mut bytes = Vec::new();
    let mut records = Records::of(files);
    while let Some(stretch) = cursor.next(&mut records, end, SPAN_BYTES)? {
        bytes.clear();
        read(files, &stretch, &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        let ended = bytes.last() == Some(&b'\n');
        lines += memchr::memchr_iter(b'\n', &bytes).count() as u64 + u64::from(!open) - u64::from(ended);
        open = !ended;
    }
    Ok(lines)
}

/// stdout and stderr bytes, over the whole index.
pub fn totals(files: &Files) -> io::Result<Totals> {
    let end = files.size()?;
    let mut cursor = Cursor::start();
    let mut bytes = 0;
    let mut records = Records::of(files);
    while let Some(stretch) = cursor.next(&mut records, end, u64::MAX)? {
        if stretch.stream != Stream::Meta {
            bytes += stretch.len;
        }
    }
    Ok(Totals { bytes, lines: total_lines(files)? })
}

/// The first byte behind this record continues a line that began before it.
fn continues(files: &Files, record: &Record, index: u64) -> io::Result<bool> {
    if record.offset == 0 {
        return Ok(false);
    }
    let same = index > 0 && files.record(index - 1)?.is_some_and(|before| before.stream == record.stream);
    let mut byte = [0];
    let got = files.read_at(&mut byte, record.offset - 1)?;
    Ok(same && got == 1 && byte[0] != b'\n')
}

/// The last record by which no more than `number` lines have begun: line `number` begins at it or behind it.
fn before_line(files: &Files, number: u64) -> io::Result<u64> {
    files.last_record(|record| record.line <= number)
}

/// Lines from number `from` on, at most `count` of the streams wanted, looking at no more than `budget` bytes.
pub fn lines(files: &Files, run: u32, from: u64, count: usize, which: Wanted, budget: u64) -> io::Result<Vec<Line>> {
    let end = files.size()?;
    let index = before_line(files, from)?;
    let Some(record) = files.record(index)? else {
        return walk(files, run, Cursor::start(), 0, false, end, from, count, which, budget);
    };
    let open = continues(files, &record, index)?;
    let cursor = Cursor { offset: record.offset, record: index };
    walk(files, run, cursor, record.line, open, end, from, count, which, budget)
}

/// Which streams a window takes; `Meta` is shown beside both in a viewer.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub which: Which,
    pub meta: bool,
}

impl Wanted {
    pub fn takes(self, stream: Stream) -> bool {
        self.which.takes(stream) || (self.meta && stream == Stream::Meta)
    }
}

#[allow(clippy::too_many_arguments)] // the place and the wish; a struct would be made and taken apart once
fn walk(
    files: &Files,
    run: u32,
    mut cursor: Cursor,
    mut begun: u64,
    mut open: bool,
    end: u64,
    from: u64,
    count: usize,
    which: Wanted,
    budget: u64,
) -> io::Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::with_capacity(count.min(1024));
    let mut current: Option<Building> = None;
    let mut stream = None;
    let mut bytes = Vec::new();
    let start = cursor.offset;
    let mut records = Records::of(files);
    while let Some(stretch) = cursor.next(&mut records, end, SPAN_BYTES)? {
        if stretch.offset - start > budget {
            break;
        }
        if stream.is_some_and(|before| before != stretch.stream) {
            finish(&mut current, &mut lines);
            open = false;
        }
        stream = Some(stretch.stream);
        let full = current.as_ref().is_none_or(|building| building.bytes.len() >= LINE_LIMIT);
        if open && full {
            // deep inside an endless line: the index tells that nothing ends here, so the bytes need not be read
            if let Some(next) = cursor.following(&mut records, &stretch)?
                && next.line == begun
                && continues(files, &next, cursor.record + 1)?
            {
                if let Some(building) = &mut current {
                    building.cut += stretch.len;
                }
                continue;
            }
        }
        bytes.clear();
        read(files, &stretch, &mut bytes)?;
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            let (piece, ended) = match memchr::memchr(b'\n', rest) {
                Some(at) => (&rest[..at], true),
                None => (rest, false),
            };
            if !open {
                if lines.len() == count {
                    return Ok(lines);
                }
                if begun >= from && which.takes(stretch.stream) {
                    current = Some(Building::new(begun, run, stretch));
                }
                begun += 1;
            }
            if let Some(building) = &mut current {
                building.push(piece);
            }
            if ended {
                finish(&mut current, &mut lines);
            }
            open = !ended;
            rest = &rest[piece.len() + usize::from(ended)..];
        }
    }
    finish(&mut current, &mut lines);
    lines.truncate(count);
    Ok(lines)
}

struct Building {
    number: u64,
    run: u32,
    stream: Stream,
    at_ms: u64,
    bytes: Vec<u8>,
    cut: u64,
}

impl Building {
    fn new(number: u64, run: u32, stretch: Stretch) -> Self {
        Self { number, run, stream: stretch.stream, at_ms: stretch.at_ms, bytes: Vec::new(), cut: 0 }
    }

    fn push(&mut self, piece: &[u8]) {
        let room = LINE_LIMIT - self.bytes.len();
        let taken = piece.len().min(room);
        self.bytes.extend_from_slice(&piece[..taken]);
        self.cut += (piece.len() - taken) as u64;
    }
}

fn finish(current: &mut Option<Building>, lines: &mut Vec<Line>) {
    if let Some(building) = current.take() {
        lines.push(Line {
            number: building.number,
            run: building.run,
            stream: building.stream,
            at: timestamp(building.at_ms),
            text: String::from_utf8_lossy(&building.bytes).into_owned(),
            cut: building.cut,
        });
    }
}

pub fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The last `count` lines of the streams wanted.
pub fn tail(files: &Files, run: u32, count: usize, which: Wanted) -> io::Result<Vec<Line>> {
    let total = total_lines(files)?;
    let mut back = count as u64;
    loop {
        let from = total.saturating_sub(back);
        let mut found = lines(files, run, from, usize::MAX, which, u64::MAX)?;
        if found.len() >= count || from == 0 || back > (count as u64) << 12 {
            let extra = found.len().saturating_sub(count);
            found.drain(..extra);
            return Ok(found);
        }
        // the other stream fills the end of the file: look further back, bounded
        back *= 4;
    }
}

/// The last bytes of stdout and stderr, as they arrived: `most`, or as many as there are.
pub fn ending(files: &Files, most: usize) -> io::Result<Vec<u8>> {
    let (mut end, mut parts, mut left) = (files.size()?, Vec::new(), most as u64);
    for index in (0..files.records()?).rev() {
        let Some(record) = files.record(index)? else { continue };
        let from = record.offset.max(end.saturating_sub(left));
        if record.stream != Stream::Meta && from < end {
            let mut part = vec![0; usize::try_from(end - from).unwrap_or(0)];
            let got = files.read_at(&mut part, from)?;
            part.truncate(got);
            left -= end - from;
            parts.push(part);
        }
        end = end.min(record.offset);
        if left == 0 {
            break;
        }
    }
    parts.reverse();
    Ok(parts.concat())
}

/// Cuts a torn record off the end of an index left by a crash.
pub fn mend(idx: &Path) -> io::Result<()> {
    let Ok(file) = OpenOptions::new().write(true).open(idx) else { return Ok(()) };
    let len = file.metadata()?.len();
    let whole = len / RECORD as u64 * RECORD as u64;
    if whole < len {
        file.set_len(whole)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
