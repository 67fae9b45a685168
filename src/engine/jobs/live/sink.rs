//! Where one run's events go: its output into its files, behind what an earlier try left there, and who must be told.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;

use super::{LiveJob, lock};
use crate::connectors::RunSink;
use crate::engine::lastline::LastLine;
use crate::engine::store::output::{Cursor, Files, Records, Writer};
use crate::engine::triage::Heard;
use crate::model::output::Stream;

/// Where one run's events go.
pub struct Sink {
    job: Arc<LiveJob>,
    run: u32,
    writer: Option<Writer>,
    /// Bytes of stdout and stderr.
    bytes: u64,
    /// So much of what comes is kept already.
    kept: u64,
    said: SinkHeard,
}

/// What is known of a run's output beside its files.
#[derive(Clone, Default)]
pub struct SinkHeard {
    /// Why output could not be kept.
    pub broken: Arc<OnceLock<String>>,
    /// What was kept, as triage hears it.
    pub heard: Arc<Mutex<Heard>>,
}

impl Sink {
    pub fn new(job: &Arc<LiveJob>, run: u32) -> Self {
        let output = &job.outputs[run as usize];
        let bytes = output.bytes.load(Ordering::Acquire);
        let mut writer = if job.again { lock(&output.parked).take() } else { None };
        let mut before = writer.is_some().then_some("tried again; what stands above is of the try before\n");
        if job.restored && writer.is_none() {
            writer = reopened(job, run);
            before = writer
                .is_some()
                .then_some("sent by the engine that came after; what stands above is of the one before\n");
        }
        let mut sink = Self::over(job, run, writer, bytes);
        if let Some(says) = before {
            *lock(&output.last) = LastLine::default();
            let _ = sink.append(Stream::Meta, says.as_bytes());
        }
        sink
    }

    /// Of a run that an engine before this one sent, and whose system says all of it once more. `from`: where what this
    /// try said begins.
    pub fn taken_up(job: &Arc<LiveJob>, run: u32, from: u64) -> Self {
        let output = &job.outputs[run as usize];
        let mut sink = Self::over(job, run, reopened(job, run), output.bytes.load(Ordering::Acquire));
        if let Some(writer) = &sink.writer {
            output.end.store(writer.offset(), Ordering::Release);
            sink.kept = lock(&output.files).as_ref().and_then(|files| said_since(files, from).ok()).unwrap_or(0);
        }
        *lock(&output.last) = LastLine::default();
        sink
    }

    fn over(job: &Arc<LiveJob>, run: u32, writer: Option<Writer>, bytes: u64) -> Self {
        Self { job: Arc::clone(job), run, writer, bytes, kept: 0, said: SinkHeard::default() }
    }

    pub fn heard(&self) -> SinkHeard {
        self.said.clone()
    }

    /// What is kept already is only heard.
    fn unheard<'b>(&mut self, stream: Stream, bytes: &'b [u8]) -> &'b [u8] {
        if stream == Stream::Meta || self.kept == 0 {
            return bytes;
        }
        let known = usize::try_from(self.kept).unwrap_or(usize::MAX).min(bytes.len());
        let (known, fresh) = bytes.split_at(known);
        self.kept -= known.len() as u64;
        lock(&self.job.outputs[self.run as usize].last).push(known);
        lock(&self.said.heard).push(stream, known);
        fresh
    }

    fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let bytes = self.unheard(stream, bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let output = &self.job.outputs[self.run as usize];
        if self.writer.is_none() {
            let files = Arc::new(self.job.store.create(self.job.id, self.run, self.job.runs(), bytes.len())?);
            *lock(&output.files) = Some(Arc::clone(&files));
            self.writer = Some(Writer::new(files));
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if !writer.has_room(bytes.len())? {
            let files = Arc::new(self.job.store.create_own(self.job.id, self.run)?);
            writer.move_to(Arc::clone(&files))?;
            *lock(&output.files) = Some(files);
        }
        let before = writer.offset();
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        let result = writer.append(stream, bytes, now);
        let kept = writer.offset() - before;
        if stream != Stream::Meta {
            self.bytes += kept;
            let kept = &bytes[..usize::try_from(kept).unwrap_or(0)];
            lock(&output.last).push(kept);
            lock(&self.said.heard).push(stream, kept);
        }
        output.bytes.store(self.bytes, Ordering::Release);
        output.lines.store(writer.lines(), Ordering::Release);
        output.end.store(writer.offset(), Ordering::Release);
        self.job.grew(self.run);
        result
    }
}

/// Where an engine before this one stopped writing. What cannot be read back is left as it is.
fn reopened(job: &LiveJob, run: u32) -> Option<Writer> {
    let files = Arc::new(job.store.reopen(job.id, run).ok()??);
    let writer = Writer::resume(Arc::clone(&files)).ok()?;
    *lock(&job.outputs[run as usize].files) = Some(files);
    Some(writer)
}

/// Bytes of stdout and stderr from this place on.
fn said_since(files: &Files, from: u64) -> io::Result<u64> {
    let (mut records, mut cursor, end) = (Records::of(files), Cursor::at(files, from)?, files.size()?);
    let mut said = 0;
    while let Some(stretch) = cursor.next(&mut records, end, u64::MAX)? {
        said += if stretch.stream == Stream::Meta { 0 } else { stretch.len };
    }
    Ok(said)
}

impl Drop for Sink {
    /// The next try goes on behind this one.
    fn drop(&mut self) {
        if self.job.again {
            *lock(&self.job.outputs[self.run as usize].parked) = self.writer.take();
        }
    }
}

impl RunSink for Sink {
    fn started(&mut self) {
        self.job.started(self.run);
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.append(stream, bytes).inspect_err(|error| {
            let _ = self.said.broken.set(format!(
                "output could not be kept ({error}): {} bytes are here, what came after is missing; free space in the state folder and run again",
                self.bytes
            ));
        })
    }

    fn attempt(&mut self, why: &str) {
        self.job.attempted(self.run);
        let _ = self.append(Stream::Meta, format!("{why}\n").as_bytes());
    }
}
