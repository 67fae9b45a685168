//! Jobs over a system that does what each device's name says.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;

use super::*;
use crate::connectors::{Connector, RunSink};
use crate::model::connection::{Capabilities, Connection, Kind};
use crate::model::device::Inventory;
use crate::model::job::{Run, UNKNOWN};
use crate::model::output::Stream;
use crate::model::rollout::{RETRIED, Retry};
use crate::model::state::{Counts, JobState};
use crate::model::wire::{Doctor, FRAME_HEAD, FrameHead, Note, Stopping};

/// `ok…` ends well, `bad…` fails, `off…` is unreachable, `cut…` is lost while it runs, `hang…` waits to be cancelled.
#[derive(Default)]
struct Obedient {
    running: AtomicUsize,
    most: AtomicUsize,
    launched: AtomicUsize,
}

struct Rehearsal(Arc<Obedient>);

impl Connector for Rehearsal {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn inventory(&self) -> BoxFuture<'_, Inventory> {
        Box::pin(async { Inventory::default() })
    }

    fn launch(&self, order: Order, mut sink: Box<dyn RunSink>) -> BoxFuture<'static, Outcome> {
        let seen = Arc::clone(&self.0);
        Box::pin(async move {
            seen.launched.fetch_add(1, Ordering::SeqCst);
            let _permit = tokio::select! {
                permit = order.gate.enter() => permit,
                () = order.cancel.cancelled() => return Outcome::because(RunState::Cancelled, "waiting"),
            };
            if order.device.name.starts_with("off") {
                return Outcome::because(RunState::Offline, "no route");
            }
            let now = seen.running.fetch_add(1, Ordering::SeqCst) + 1;
            seen.most.fetch_max(now, Ordering::SeqCst);
            sink.started();
            for line in 0..3 {
                let _ = sink.output(Stream::Out, format!("{} {line}\n", order.device.name).as_bytes());
                tokio::task::yield_now().await;
            }
            let _ = sink.output(Stream::Err, b"to stderr\n");
            let outcome = if order.device.name.starts_with("hang") {
                order.cancel.cancelled().await;
                Outcome::because(RunState::Cancelled, "ended")
            } else if order.device.name.starts_with("cut") {
                Outcome::because(RunState::Failed, format!("connection lost; {UNKNOWN}"))
            } else {
                Outcome::exited(i32::from(order.device.name.starts_with("bad")))
            };
            seen.running.fetch_sub(1, Ordering::SeqCst);
            outcome
        })
    }

    fn doctor<'a>(&'a self, device: &'a Device, _: &'a Caller) -> BoxFuture<'a, Doctor> {
        let device = device.id.clone();
        Box::pin(async { Doctor { device, way: String::new(), why: String::new(), steps: Vec::new() } })
    }
}

struct Stage {
    folder: tempfile::TempDir,
    jobs: Arc<Jobs>,
    seen: Arc<Obedient>,
}

impl Stage {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    /// An engine over this state folder.
    fn over(folder: tempfile::TempDir) -> Self {
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let seen = Arc::new(Obedient::default());
        let connector: Arc<dyn Connector> = Arc::new(Rehearsal(Arc::clone(&seen)));
        let connectors: Arc<Connectors> = Arc::new([("lab".to_owned(), connector)].into());
        let connection = Connection { name: "lab".into(), kind: Kind::Local, protected: false, read_only: false };
        let inventories = Arc::new(Inventories::new(vec![connection], Arc::clone(&connectors), Vec::new()));
        let jobs = Jobs::new(store, Arc::default(), inventories, connectors);
        Self { folder, jobs, seen }
    }

    async fn launch(&self, names: &[String], at_once: u32) -> JobId {
        self.jobs.launch(self.ready(names, at_once)).await.unwrap().id
    }

    fn ready(&self, names: &[String], at_once: u32) -> Ready {
        let devices: Vec<_> = names.iter().map(|name| Arc::new(Device::new("lab", name))).collect();
        let runs: Vec<Run> = (0..).zip(&devices).map(|(n, d)| Run::queued(n, &d.id, &d.name)).collect();
        let summary = JobSummary {
            script: "rehearsal".into(),
            version: "0".into(),
            created_at: jiff::Timestamp::now(),
            ..JobSummary::sample(0, JobState::Running, Counts::of(runs.iter().map(|run| run.state)))
        };
        let path = self.jobs.store.keep_version("0", "rehearsal", b"#!/bin/sh\n").unwrap();
        Ready {
            launched: Launched::default(),
            included: vec![],
            job: Job { at_once, ..Job::sample(summary, runs) },
            devices,
            script: Arc::new(Payload {
                name: "rehearsal".into(),
                bytes: Vec::new(),
                path,
                interpreter: Vec::new(),
                variables: false,
            }),
            variables: None,
            args: Arc::default(),
            arguments: Arc::default(),
            secrets: Arc::default(),
            caller: Arc::default(),
        }
    }

    /// Waits until so many runs are in each state, and that is written down.
    async fn stands(&self, id: JobId, counts: Counts) {
        let (follower, _) = self.jobs.live(id).unwrap().follow();
        while self.job(id).await.summary.counts != counts {
            follower.bell.notified().await;
        }
    }

    async fn ended(&self) {
        let mut running = self.jobs.running.subscribe();
        running.wait_for(|count| *count == 0).await.unwrap();
    }

    async fn job(&self, id: JobId) -> Job {
        self.jobs.store.db.call(move |db| db::job(db, id)).await.unwrap().unwrap()
    }
}

fn names(kinds: &[(&str, usize)]) -> Vec<String> {
    kinds.iter().flat_map(|(kind, count)| (0..*count).map(move |n| format!("{kind}{n:03}"))).collect()
}

#[tokio::test]
async fn every_run_ends_in_its_state_and_is_written_down() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("ok", 40), ("bad", 7), ("off", 3)]), 0).await;
    stage.ended().await;
    let job = stage.job(id).await;
    assert_eq!(job.summary.state, JobState::Done);
    assert_eq!(job.summary.counts, Counts { ok: 40, failed: 7, offline: 3, ..Counts::default() });
    assert_eq!(job.summary.counts, Counts::of(job.runs.iter().map(|run| run.state)));
    assert!(job.runs.iter().all(|run| run.finished_at.is_some()));
    assert_eq!(job.runs[0].last_line, "to stderr");
}

#[tokio::test]
async fn never_more_scripts_at_once_than_allowed() {
    let stage = Stage::new();
    stage.launch(&names(&[("ok", 300)]), 7).await;
    stage.ended().await;
    assert_eq!(stage.seen.launched.load(Ordering::SeqCst), 300);
    assert!(stage.seen.most.load(Ordering::SeqCst) <= 7);
}

#[tokio::test]
async fn cancelling_withdraws_what_waits_and_ends_what_runs() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("hang", 200)]), 5).await;
    let live = stage.jobs.live(id).unwrap();
    let (follower, _) = live.follow();
    // until one of them runs
    while !follower.take().runs.iter().any(|run| run.state == RunState::Running) {
        follower.bell.notified().await;
    }
    let done = live.cancel(None, Stopping::All, "ops");
    assert_eq!(done.withdrawn + done.ending, 200);
    assert!(done.ending >= 1 && done.withdrawn >= 1, "{done:?}");
    stage.ended().await;
    let job = stage.job(id).await;
    assert_eq!(job.summary.state, JobState::Cancelled);
    assert_eq!(job.summary.counts, Counts { cancelled: 200, ..Counts::default() });
}

#[tokio::test]
async fn what_was_lost_while_it_ran_is_not_sent_again_by_a_retry_and_what_was_not_reached_is() {
    let stage = Stage::new();
    let mut ready = stage.ready(&names(&[("cut", 1), ("bad", 1), ("off", 1), ("ok", 1)]), 0);
    ready.job.rollout.how.retry = Some(Retry { times: 1, after_ms: 0, on: RETRIED.to_vec() });
    let id = stage.jobs.launch(ready).await.unwrap().id;
    stage.ended().await;
    let job = stage.job(id).await;
    let tries: Vec<(&str, usize)> = job.runs.iter().map(|run| (run.name.as_str(), run.tries.len())).collect();
    assert_eq!(tries, [("cut000", 0), ("bad000", 1), ("off000", 1), ("ok000", 0)]);
    assert!(job.runs[0].unknown() && job.summary.counts.failed == 2);
}

#[tokio::test]
async fn a_stop_that_cannot_be_written_down_says_so_until_it_can() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("hang", 2)]), 0).await;
    let live = stage.jobs.live(id).unwrap();
    stage.stands(id, Counts { running: 2, ..Counts::default() }).await;
    let (follower, _) = live.follow();
    live.unrecorded(&[], "the disk is full");
    let done = live.cancel(Some(&[0]), Stopping::All, "ops");
    assert_eq!((done.ending, done.unrecorded.as_deref()), (1, Some("the disk is full")));
    while !follower.take().runs.iter().any(|run| run.state == RunState::Cancelled) {
        follower.bell.notified().await;
    }
    let done = live.cancel(Some(&[1]), Stopping::All, "ops");
    assert_eq!((done.ending, done.unrecorded), (1, None));
}

#[tokio::test]
async fn an_engine_that_is_told_to_end_leaves_what_it_has_not_sent_to_the_next_one() {
    let stage = Stage::new();
    let all = names(&[("hang", 5), ("ok", 75)]);
    let id = stage.launch(&all, 5).await;
    stage.stands(id, Counts { queued: 11, sent: 64, running: 5, ..Counts::default() }).await;
    stage.jobs.shutdown().await;
    let job = stage.job(id).await;
    assert_eq!(job.summary.state, JobState::Running, "it is not over");
    assert_eq!(job.summary.counts, Counts { queued: 75, cancelled: 5, ..Counts::default() });
    let recovered = stage.jobs.store.recover(|_| false).await.unwrap();
    let paused = recovered.left[0].job.summary.progress.paused.clone().unwrap();
    assert_eq!(paused.says(), "by the engine: the engine was ended, and 5 runs with it");
}

#[tokio::test]
async fn a_job_with_nothing_left_to_send_ends_with_its_engine() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("hang", 5)]), 0).await;
    stage.stands(id, Counts { running: 5, ..Counts::default() }).await;
    stage.jobs.shutdown().await;
    assert_eq!(stage.job(id).await.summary.state, JobState::Interrupted);
}

/// What a reader of the stream sees.
async fn frames(mut from: tokio::sync::mpsc::Receiver<bytes::Bytes>) -> (Vec<Note>, HashMap<u32, Vec<u8>>) {
    let mut bytes = Vec::new();
    while let Some(chunk) = from.recv().await {
        bytes.extend_from_slice(&chunk);
    }
    let (mut notes, mut outputs) = (Vec::new(), HashMap::<u32, Vec<u8>>::new());
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (head, behind) = rest.split_at(FRAME_HEAD);
        let head = FrameHead::decode(head.try_into().unwrap()).unwrap();
        let (payload, behind) = behind.split_at(head.len as usize);
        rest = behind;
        if head.stream.is_some() {
            let output = outputs.entry(head.run).or_default();
            assert_eq!(output.len() as u64, head.offset, "output out of order");
            output.extend_from_slice(payload);
        } else {
            let note: Note = serde_json::from_slice(payload).unwrap();
            if let Note::Run { run } = &note
                && run.state.ended()
            {
                let got = outputs.get(&run.index).map_or(0, Vec::len) as u64;
                assert_eq!(got, run.bytes, "a run was told ended before its output");
            }
            notes.push(note);
        }
    }
    (notes, outputs)
}

#[tokio::test]
async fn a_stream_tells_everything_in_order_live_and_afterwards() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("ok", 30), ("bad", 5)]), 4).await;
    let live = stage.jobs.live(id).unwrap();
    let (to, from) = tokio::sync::mpsc::channel(2);
    let reader = tokio::spawn(frames(from));
    stream::live(live, true, to).await.unwrap();
    let (notes, outputs) = reader.await.unwrap();
    assert!(matches!(notes.first(), Some(Note::Start { .. })));
    assert!(matches!(notes.last(), Some(Note::End { counts, .. }) if counts.ok == 30 && counts.failed == 5));
    assert_eq!(outputs.len(), 35);
    assert_eq!(outputs[&0], b"ok000 0\nok000 1\nok000 2\nto stderr\n");
    stage.ended().await;
    let (to, from) = tokio::sync::mpsc::channel(2);
    let reader = tokio::spawn(frames(from));
    stream::ended(&stage.jobs.store, stage.job(id).await, true, to).await.unwrap();
    assert_eq!(reader.await.unwrap().1, outputs);
}

#[tokio::test]
async fn after_a_kill_the_next_engine_goes_on_with_what_was_not_let_go_once_it_is_told_to() {
    let stage = Stage::new();
    let all = names(&[("hang", 3), ("ok", 77)]);
    let id = stage.launch(&all, 3).await;
    // those sent wait for their turn, with a connection and without the script
    stage.stands(id, Counts { queued: 13, sent: 64, running: 3, ..Counts::default() }).await;
    let Stage { folder, jobs: killed, .. } = stage;
    let next = Stage::over(folder);
    let mut recovered = next.jobs.store.recover(|_| false).await.unwrap();
    assert!(recovered.ended.is_empty());
    next.jobs.restore(recovered.left.remove(0)).unwrap();
    let live = next.jobs.live(id).unwrap();
    let summary = live.summary();
    assert_eq!(summary.counts, Counts { queued: 77, failed: 3, ..Counts::default() });
    let said = |live: &LiveJob| live.snapshot().runs[..4].iter().map(|run| run.last_line.clone()).collect::<Vec<_>>();
    assert_eq!(said(&live), ["to stderr", "to stderr", "to stderr", ""], "as far as they were heard");
    let why = "by the engine: the engine ended; 3 runs were in flight, outcome unknown";
    assert_eq!(summary.progress.paused.map(|paused| paused.says()).as_deref(), Some(why));
    assert_eq!(live.output(0).unwrap().0.whole().unwrap().0, b"hang000 0\nhang000 1\nhang000 2\nto stderr\n");
    assert!(live.waits().is_some() && next.seen.launched.load(Ordering::SeqCst) == 0);

    live.hand(Ready { job: live.snapshot(), ..next.ready(&all, 3) });
    assert!(live.resume("ops"));
    next.ended().await;
    let job = next.job(id).await;
    assert_eq!(job.summary.state, JobState::Done);
    assert_eq!(job.summary.counts, Counts { ok: 77, failed: 3, ..Counts::default() });
    assert!(job.runs[..3].iter().all(Run::lost) && job.runs[3..].iter().all(|run| !run.lost()));
    assert!(job.runs[..3].iter().all(Run::unknown));
    assert_eq!(next.seen.launched.load(Ordering::SeqCst), 77, "none of those in flight again");
    assert!(next.seen.most.load(Ordering::SeqCst) <= 3);
    drop(killed);
}

#[tokio::test]
async fn what_cannot_go_on_says_why_and_what_to_do() {
    let stage = Stage::new();
    let mut ready = stage.ready(&names(&[("hang", 3), ("ok", 77)]), 3);
    ready.launched.held = vec!["token".into()];
    let id = stage.jobs.launch(ready).await.unwrap().id;
    stage.stands(id, Counts { queued: 13, sent: 64, running: 3, ..Counts::default() }).await;
    let next = Store::open(stage.folder.path()).unwrap();
    assert_eq!(next.recover(|_| false).await.unwrap().ended, [id]);
    let job = next.db.call(move |db| db::job(db, id)).await.unwrap().unwrap();
    assert_eq!(job.summary.state, JobState::Interrupted);
    assert_eq!(job.summary.counts, Counts { queued: 77, failed: 3, ..Counts::default() });
    let reason = job.summary.reason.unwrap();
    for part in ["its parameter token was in that engine's memory alone", "rerun 1 --not-started"] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[tokio::test]
async fn small_outputs_of_an_ended_job_are_packed_and_read_the_same() {
    let stage = Stage::new();
    let id = stage.launch(&names(&[("ok", 20)]), 0).await;
    stage.ended().await;
    // packing runs behind the job's end: whoever comes second finds it done
    let store = Arc::clone(&stage.jobs.store);
    tokio::task::spawn_blocking(move || store.pack(id, 20)).await.unwrap().unwrap();
    let files = stage.jobs.store.open_run(id, 19).unwrap().unwrap();
    let (out, _) = files.whole().unwrap();
    assert_eq!(out, b"ok019 0\nok019 1\nok019 2\nto stderr\n");
}
