//! What goes beyond the contract: the bytes of one run as they came, and a job's events while it runs.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Ask;
use super::envelope::{Answer, Fault, iso};
use super::object::devices;
use crate::engine::Engine;
use crate::engine::door::{run_status, status};
use crate::engine::jobs::stream;
use crate::model::job::{Job, JobId, Run};
use crate::model::output::{Stream, Which};
use crate::model::state::JobState;
use crate::model::wire::{FRAME_HEAD, FrameHead, Note};

/// Chunks on their way.
const IN_FLIGHT: usize = 8;

/// `stdout`, `stderr`, or `response`: both, as they came. With `encoding=base64` as text.
pub(super) async fn raw(ask: Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(ask.cannot("GET reads"));
    }
    let (id, device) = (ask.id("id")?, ask.id("device")?);
    let which = match ask.part("stream") {
        "stdout" => Which::Out,
        "stderr" => Which::Err,
        "response" | "output" => Which::All,
        _ => return Err(Fault::not_found()),
    };
    let base64 = match ask.bag.word("encoding")?.map(|word| word.to_ascii_lowercase()).as_deref() {
        None | Some("raw") => false,
        Some("base64") => true,
        Some(_) => return Err(Fault::invalid("encoding: raw or base64 is expected")),
    };
    let (job, _) = ask.engine.whole_job(id, &ask.reach).await?;
    let run = run_of(&ask, &job, device).await?;
    let (to, from) = mpsc::channel(IN_FLIGHT);
    let (live, store) = (ask.engine.jobs.live(id), Arc::clone(&ask.engine.jobs.store));
    let follow = ask.bag.flag("follow")?.unwrap_or(false);
    tokio::spawn(async move { stream::bytes(live, store, id, run, which, follow, to).await });
    Ok(if base64 { coded(from) } else { streamed("application/octet-stream", from) })
}

async fn run_of(ask: &Ask, job: &Job, device: u64) -> Result<u32, Fault> {
    let fleet = ask.engine.fleet().await?;
    let ids = ask.engine.device_numbers(&fleet, &devices(job)).await?;
    let run = job.runs.iter().find(|run| ids.get(&run.device) == Some(&device));
    run.map(|run| run.index).ok_or_else(Fault::not_found)
}

/// Base64 of all of it: three bytes at a time, however they come.
fn coded(mut from: mpsc::Receiver<Bytes>) -> Response {
    let (to, coded) = mpsc::channel(IN_FLIGHT);
    tokio::spawn(async move {
        let mut left: Vec<u8> = Vec::new();
        while let Some(chunk) = from.recv().await {
            left.extend_from_slice(&chunk);
            let whole = left.len() / 3 * 3;
            let text = STANDARD.encode(&left[..whole]);
            left.drain(..whole);
            if to.send(Bytes::from(text)).await.is_err() {
                return;
            }
        }
        let _ = to.send(Bytes::from(STANDARD.encode(&left))).await;
    });
    streamed("text/plain; charset=us-ascii", coded)
}

fn streamed(kind: &'static str, mut from: mpsc::Receiver<Bytes>) -> Response {
    let stream =
        futures::stream::poll_fn(move |context| from.poll_recv(context).map(|chunk| chunk.map(Ok::<_, Infallible>)));
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(stream)).into_response()
}

/// A job's events (server-sent): `job`, `device` whenever one changes its state, `output` as it comes, `end`.
pub(super) async fn events(ask: Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(ask.cannot("GET listens"));
    }
    let id = ask.id("id")?;
    let (job, _) = ask.engine.whole_job(id, &ask.reach).await?;
    let fleet = ask.engine.fleet().await?;
    let mut known = ask.engine.device_numbers(&fleet, &devices(&job)).await?;
    let ids: Vec<u64> = job.runs.iter().map(|run| known.remove(&run.device).unwrap_or(0)).collect();
    let (to, from) = mpsc::channel(IN_FLIGHT);
    let (frames, framed) = mpsc::channel(IN_FLIGHT);
    let start = ask.bag.flag("start")?.unwrap_or(true);
    follow(&ask.engine, job, id, start, frames);
    tokio::spawn(tell(framed, to, ids));
    Ok(streamed("text/event-stream", from))
}

fn follow(engine: &Engine, job: Job, id: JobId, start: bool, frames: stream::Frames) {
    if let Some(live) = engine.jobs.live(id) {
        tokio::spawn(async move { stream::live(live, start, frames).await });
    } else {
        let store = Arc::clone(&engine.jobs.store);
        tokio::spawn(async move { stream::ended(&store, job, start, frames).await });
    }
}

/// Frames, which come in batches of whole ones, as events.
async fn tell(mut frames: mpsc::Receiver<Bytes>, to: mpsc::Sender<Bytes>, ids: Vec<u64>) {
    if to.send(Bytes::from_static(b":\n\n")).await.is_err() {
        return;
    }
    while let Some(batch) = frames.recv().await {
        let mut rest = &batch[..];
        while let Some((head, after)) = rest.split_first_chunk::<FRAME_HEAD>() {
            let Some(head) = FrameHead::decode(head) else { return };
            let Some((payload, after)) = after.split_at_checked(head.len as usize) else { return };
            rest = after;
            for (event, data) in told(&head, payload, &ids) {
                if to.send(format!("event: {event}\ndata: {data}\n\n").into()).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn told(head: &FrameHead, payload: &[u8], ids: &[u64]) -> Vec<(&'static str, Value)> {
    let id = |run: u32| ids.get(run as usize).copied().unwrap_or(0);
    let device = |state: JobState, run: &Run| {
        json!({
            "device_id": id(run.index),
            "status": run_status(state, run.state),
            "state": run.state.word(),
            "status_code": run.exit_code.map(|code| code.to_string()),
            "started_at": run.started_at.map(iso),
            "finished_at": run.finished_at.map(iso),
            "reason": run.reason,
        })
    };
    let Some(stream) = head.stream else {
        return match serde_json::from_slice::<Note>(payload) {
            Ok(Note::Start { job }) => {
                let state = job.summary.state;
                let devices: Vec<Value> = job.runs.iter().map(|run| device(state, run)).collect();
                vec![("job", json!({ "id": job.summary.id, "status": status(&job.summary), "devices": devices }))]
            }
            Ok(Note::Run { run }) => vec![("device", device(JobState::Running, &run))],
            Ok(Note::Job { job }) => vec![("job", json!({ "id": job.id, "status": status(&job) }))],
            Ok(Note::End { job, .. }) => vec![("end", json!({ "id": job.id, "status": status(&job) }))],
            Ok(Note::Trouble { .. }) | Err(_) => Vec::new(),
        };
    };
    let name = match stream {
        Stream::Out => "stdout",
        Stream::Err => "stderr",
        Stream::Meta => return Vec::new(),
    };
    let mut said = json!({ "device_id": id(head.run), "stream": name, "offset": head.offset });
    match std::str::from_utf8(payload) {
        Ok(text) => said["text"] = text.into(),
        // cut in the middle of a character, or no text at all
        Err(_) => said["base64"] = STANDARD.encode(payload).into(),
    }
    vec![("output", said)]
}
