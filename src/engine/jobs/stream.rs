//! Everything a job does, as one stream of frames: for verbs that wait, and for the merged tail.
//!
//! The reader sets the pace. Each run has a place of its own in its output file, so a slow reader costs a
//! few bytes a run, never a queue.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::live::LiveJob;
use crate::engine::store::output::{Cursor, Files, Records, read};
use crate::engine::store::{Store, output};
use crate::model::job::Job;
use crate::model::wire::{FRAME_HEAD, FrameHead, Note};

/// Bytes gathered before they are handed on.
const BATCH: usize = 256 * 1024;

/// One frame's payload at most.
const PIECE: u64 = 128 * 1024;

/// Where the frames go; bounded, so the reader is the brake.
pub type Frames = mpsc::Sender<Bytes>;

/// The reader went away.
#[derive(Debug)]
pub struct Gone;

struct Batch {
    frames: Frames,
    bytes: Vec<u8>,
}

impl Batch {
    fn new(frames: Frames) -> Self {
        Self { frames, bytes: Vec::new() }
    }

    fn note(&mut self, note: &Note) {
        let json = serde_json::to_vec(note).unwrap_or_default();
        let len = u32::try_from(json.len()).unwrap_or(0);
        let run = if let Note::Run { run } = note { run.index } else { 0 };
        self.bytes.extend_from_slice(&FrameHead { stream: None, run, offset: 0, at_ms: 0, len }.encode());
        self.bytes.extend_from_slice(&json);
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.frames.send(bytes.into()).await.map_err(|_| Gone)
    }

    /// Everything of this run from the cursor to `end`.
    async fn output(&mut self, run: u32, files: &Files, cursor: &mut Cursor, end: u64) -> Result<(), Gone> {
        // as far as `end` the index is written: what was read of it stays right
        let mut records = Records::of(files);
        loop {
            match self.piece(run, files, &mut records, cursor, end) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    // the disk does not give it back: said once, and the stream goes on with the next run
                    tracing::error!(%error, run, "cannot read an output");
                    cursor.offset = end;
                    return Ok(());
                }
            }
            if self.bytes.len() >= BATCH {
                self.flush().await?;
            }
        }
    }

    fn piece(
        &mut self,
        run: u32,
        files: &Files,
        records: &mut Records<'_>,
        cursor: &mut Cursor,
        end: u64,
    ) -> io::Result<bool> {
        let Some(stretch) = cursor.next_large(records, end, PIECE)? else { return Ok(false) };
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_HEAD]);
        let read = read(files, &stretch, &mut self.bytes);
        let len = self.bytes.len() - at - FRAME_HEAD;
        if read.is_err() || len == 0 {
            self.bytes.truncate(at);
            return read.map(|()| false);
        }
        let head = FrameHead {
            stream: Some(stretch.stream),
            run,
            offset: stretch.offset,
            at_ms: stretch.at_ms,
            len: u32::try_from(len).unwrap_or(0),
        };
        self.bytes[at..at + FRAME_HEAD].copy_from_slice(&head.encode());
        Ok(true)
    }
}

/// Large jobs do not fit one frame: the runs follow the job in pieces of this many.
const RUNS_A_NOTE: usize = 500;

fn start(batch: &mut Batch, mut job: Job) {
    let runs = std::mem::take(&mut job.runs);
    let mut chunks = runs.chunks(RUNS_A_NOTE);
    job.runs = chunks.next().unwrap_or_default().to_vec();
    batch.note(&Note::Start { job: Box::new(job) });
    for run in chunks.flatten() {
        batch.note(&Note::Run { run: run.clone() });
    }
}

/// Streams a job that runs, until it has ended or the reader goes.
pub async fn live(job: Arc<LiveJob>, from_start: bool, frames: Frames) -> Result<(), Gone> {
    let (follower, now) = job.follow();
    let mut batch = Batch::new(frames);
    let mut cursors: HashMap<u32, Cursor> = HashMap::new();
    let all: Vec<u32> = (0..job.runs()).collect();
    if from_start {
        start(&mut batch, now);
        for run in all {
            forward(&mut batch, &job, run, &mut cursors).await?;
        }
    } else {
        for run in all {
            if let Some((_, end)) = job.output(run) {
                skip(&job, run, end, &mut cursors);
            }
        }
        start(&mut batch, now);
    }
    batch.flush().await?;
    loop {
        follower.bell.notified().await;
        let news = follower.take();
        for run in news.grown {
            forward(&mut batch, &job, run, &mut cursors).await?;
        }
        for run in news.runs {
            if run.state.ended() {
                forward(&mut batch, &job, run.index, &mut cursors).await?;
            }
            batch.note(&Note::Run { run });
        }
        if let Some(text) = news.trouble {
            batch.note(&Note::Trouble { text });
        }
        if let Some(job) = news.job.filter(|_| news.end.is_none()) {
            batch.note(&Note::Job { job });
        }
        if let Some(summary) = news.end {
            let counts = summary.counts;
            batch.note(&Note::End { job: summary, counts });
            return batch.flush().await;
        }
        batch.flush().await?;
    }
}

async fn forward(batch: &mut Batch, job: &LiveJob, run: u32, cursors: &mut HashMap<u32, Cursor>) -> Result<(), Gone> {
    let Some((files, end)) = job.output(run) else { return Ok(()) };
    let cursor = cursors.entry(run).or_insert_with(Cursor::start);
    batch.output(run, &files, cursor, end).await
}

fn skip(job: &LiveJob, run: u32, end: u64, cursors: &mut HashMap<u32, Cursor>) {
    let Some((files, _)) = job.output(run) else { return };
    let cursor = cursors.entry(run).or_insert_with(Cursor::start);
    let mut records = Records::of(&files);
    while let Ok(Some(_)) = cursor.next(&mut records, end, u64::MAX) {}
}

/// Streams a job that has ended.
pub async fn ended(store: &Store, job: Job, with_output: bool, frames: Frames) -> Result<(), Gone> {
    let mut batch = Batch::new(frames);
    let (summary, runs) = (job.summary.clone(), job.runs.clone());
    start(&mut batch, job);
    if with_output {
        for run in &runs {
            let Ok(Some(files)) = store.open_run(summary.id, run.index) else { continue };
            let end = files.size().unwrap_or(0);
            batch.output(run.index, &files, &mut Cursor::start(), end).await?;
        }
    }
    let counts = summary.counts;
    batch.note(&Note::End { job: summary, counts });
    batch.flush().await
}

/// The bytes of one run as they were: the streams wanted, until its end, or (`follow`) until it has ended.
pub async fn bytes(
    job: Option<Arc<LiveJob>>,
    store: Arc<Store>,
    id: u64,
    run: u32,
    which: crate::model::output::Which,
    follow: bool,
    to: Frames,
) -> Result<(), Gone> {
    let follower = job.as_ref().map(|job| job.follow().0);
    let mut cursor = Cursor::start();
    loop {
        let over = job.as_ref().is_none_or(|job| job.ended(run));
        let found = match job.as_ref().and_then(|job| job.output(run)) {
            Some(found) => Some(found),
            None => match store.open_run(id, run) {
                Ok(Some(files)) => files.size().ok().map(|end| (Arc::new(files), end)),
                _ => None,
            },
        };
        if let Some((files, end)) = found {
            let mut records = Records::of(&files);
            while let Ok(Some(stretch)) = cursor.next_large(&mut records, end, PIECE) {
                if which.takes(stretch.stream) {
                    let mut piece = Vec::new();
                    if output::read(&files, &stretch, &mut piece).is_err() {
                        break;
                    }
                    to.send(piece.into()).await.map_err(|_| Gone)?;
                }
            }
        }
        let Some(follower) = follower.as_ref().filter(|_| follow && !over) else { return Ok(()) };
        follower.bell.notified().await;
        follower.take();
    }
}
