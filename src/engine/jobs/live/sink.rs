//! Where one run's events go: its output into its files, behind what an earlier try left there, and who must be told.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;

use super::{LiveJob, lock};
use crate::connectors::RunSink;
use crate::engine::jobs::lastline::LastLine;
use crate::engine::store::output::Writer;
use crate::engine::triage::Heard;
use crate::model::output::Stream;

/// Where one run's events go.
pub struct Sink {
    job: Arc<LiveJob>,
    run: u32,
    writer: Option<Writer>,
    /// Bytes of stdout and stderr.
    bytes: u64,
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
        let mut sink = Self { job: Arc::clone(job), run, writer, bytes, broken: Arc::default(), heard: Arc::default() };
        if let Some(says) = before {
            *lock(&output.last) = LastLine::default();
            let _ = sink.append(Stream::Meta, says.as_bytes());
        }
        sink
    }

    fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
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
            lock(&self.heard).push(stream, kept);
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
            let _ = self.broken.set(format!(
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
