//! A script job as JSON: in a list with the states of its devices alone, by itself with all they said. One that said
//! much goes out piece by piece, as it is read: an answer of many megabytes is nowhere whole in memory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::envelope::iso;
use crate::engine::Engine;
use crate::engine::door::{Row, run_status, status};
use crate::model::job::{Job, Run};
use crate::model::output::Which;
use crate::model::state::RunState;

/// Of one run's output; the rest is behind `…/devices/ID/stdout`.
const SAID_MAX: usize = 256 * 1024;

/// A job that said less is answered in one piece, with its length.
const WHOLE_MAX: u64 = 4 << 20;

/// Bytes gathered before they go out, and pieces on their way.
const PIECE: usize = 64 * 1024;
const IN_FLIGHT: usize = 4;

/// Five hexadecimal digits; two of the last million jobs never have the same.
fn short(id: u64) -> String {
    format!("{:05x}", id.wrapping_mul(0x9_e37b) & 0xf_ffff)
}

fn attributes(row: &Row) -> Value {
    let (job, counts) = (&row.job, &row.job.counts);
    let pending = if job.state.ended() { 0 } else { counts.queued + counts.sent + counts.running };
    let order = row.order.as_ref();
    let targets = order.map(|order| &order.targets);
    json!({
        "script_name": order.and_then(|order| order.title.as_ref()).unwrap_or(&job.script),
        "job_name": match (order, &job.origin) {
            (Some(_), _) => "API Job",
            (None, Some(_)) => "Imported Job",
            (None, None) => "Console Job",
        },
        "content": String::from_utf8_lossy(&row.content),
        "job_id": short(job.id),
        "variable_support": row.beside.variables,
        "status": status(job),
        "pending_count": pending,
        "success_count": counts.ok,
        "errored_count": counts.failed + counts.timeout + counts.offline,
        "custom_attribute_regex": row.regex(),
        "created_by": order.map_or(&job.by, |order| &order.made_by),
        "created_at": iso(job.created_at),
        "updated_at": iso(row.beside.updated_at(job)),
        // ours
        "script_id": row.beside.script,
        "origin": job.origin,
        "script_version": job.version,
        "target": job.target,
        "targets": {
            "device_ids": targets.map(|targets| &targets.devices),
            "group_ids": targets.map(|targets| &targets.groups),
            "assignment_group_ids": targets.map(|targets| &targets.assignment_groups),
        },
        "state": job.word(),
        "reason": job.reason,
        "finished_at": job.finished_at.map(iso),
        "cancelled_count": counts.cancelled + counts.skipped + if job.state.ended() { counts.queued } else { 0 },
        "total_count": counts.total(),
    })
}

fn relationships(row: &Row, devices: Vec<Value>) -> Value {
    let device = object([("data", devices.into())]);
    object([("device", device)].into_iter().chain(others(row)))
}

/// Parts that are there already put together; a `json!` would copy each of them.
fn object(parts: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect::<Map<_, _>>().into()
}

/// What a job belongs to beside its devices; there only where there is one: clients stumble over an empty one. (The
/// script is ours.)
fn others(row: &Row) -> impl Iterator<Item = (&'static str, Value)> {
    let one = |kind: &'static str, id: Value| (kind, json!({ "data": { "type": kind, "id": id } }));
    let attribute = row.attribute().map(|name| one("custom_attribute", name.into()));
    let script = row.beside.script.map(|id| one("script", id.into()));
    attribute.into_iter().chain(script)
}

/// Our ids of its devices.
pub(super) fn devices(job: &Job) -> Vec<&str> {
    let mut devices = Vec::with_capacity(job.runs.len());
    for run in &job.runs {
        devices.push(run.device.as_str());
    }
    devices
}

/// A job of a list.
pub(super) fn line(row: &Row, ids: &HashMap<String, u64>) -> Value {
    let device = |(device, state): &(String, RunState)| {
        let id = ids.get(device).copied().unwrap_or(0);
        json!({ "type": "device", "id": id, "status": run_status(row.job.state, *state) })
    };
    object([
        ("type", "script_job".into()),
        ("id", row.job.id.into()),
        ("attributes", attributes(row)),
        ("relationships", relationships(row, row.runs.iter().map(device).collect())),
    ])
}

/// A job with all that belongs to it.
pub(super) struct Whole {
    pub(super) job: Job,
    pub(super) row: Row,
    pub(super) ids: HashMap<String, u64>,
    /// By run.
    pub(super) logs: HashMap<u32, u64>,
}

impl Whole {
    /// A run and what it said. Blocks.
    fn device(&self, engine: &Engine, run: &Run) -> Value {
        let id = self.ids.get(&run.device).copied().unwrap_or(0);
        let told = run_status(self.job.summary.state, run.state);
        let mut device = json!({
            "type": "device",
            "id": id,
            "status": told,
            "status_code": run.exit_code.map(|code| code.to_string()),
            "response": null,
            // ours
            "started_at": run.started_at.map(iso),
            "finished_at": run.finished_at.map(iso),
            "state": run.state.word(),
            "reason": run.reason,
            "log_id": self.logs.get(&run.index).map(|id| super::logs::written(*id)),
            "name": run.name,
        });
        // it comes whole, when it has ended
        if told == "pending" {
            return device;
        }
        let said = |which| engine.output_now(self.job.summary.id, run.index, which, SAID_MAX).unwrap_or_default();
        let (all, out, err) = (said(Which::All), said(Which::Out), said(Which::Err));
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
        device["truncated"] = (all.cut || out.cut || err.cut).into();
        device["response"] = if all.bytes.is_empty() && run.exit_code.is_none() {
            // nothing ran: why not is the answer
            run.reason.clone().map_or(Value::Null, Value::from)
        } else {
            text(&all.bytes)
        };
        device["stdout"] = text(&out.bytes);
        device["stderr"] = text(&err.bytes);
        device
    }

    /// All of it, in pieces, as long as they are taken. Blocks.
    fn write(&self, engine: &Engine, mut take: impl FnMut(Vec<u8>) -> bool) {
        let (id, attributes) = (self.row.job.id, attributes(&self.row));
        let mut piece = format!(
            "{{\"data\":{{\"type\":\"script_job\",\"id\":{id},\"attributes\":{attributes},\
             \"relationships\":{{\"device\":{{\"data\":["
        )
        .into_bytes();
        for (n, run) in self.job.runs.iter().enumerate() {
            if n > 0 {
                piece.push(b',');
            }
            piece.extend_from_slice(self.device(engine, run).to_string().as_bytes());
            if piece.len() >= PIECE && !take(std::mem::take(&mut piece)) {
                return;
            }
        }
        piece.extend_from_slice(b"]}");
        for (name, one) in others(&self.row) {
            piece.extend_from_slice(format!(",\"{name}\":{one}").as_bytes());
        }
        piece.extend_from_slice(b"}}}");
        take(piece);
    }

    fn bytes(&self) -> u64 {
        // (each run's output is there twice: as it came, and by streams)
        self.job.runs.iter().map(|run| 2 * run.bytes.min(SAID_MAX as u64) + 512).sum::<u64>()
            + self.row.content.len() as u64
    }
}

/// The answer.
pub(super) async fn job(engine: Arc<Engine>, whole: Whole) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    if whole.bytes() <= WHOLE_MAX {
        let work = move || {
            let mut all = Vec::new();
            whole.write(&engine, |piece| {
                all.extend_from_slice(&piece);
                true
            });
            all
        };
        return (kind, tokio::task::spawn_blocking(work).await.unwrap_or_default()).into_response();
    }
    let (to, mut from) = mpsc::channel::<Bytes>(IN_FLIGHT);
    tokio::task::spawn_blocking(move || whole.write(&engine, |piece| to.blocking_send(piece.into()).is_ok()));
    let stream =
        futures::stream::poll_fn(move |context| from.poll_recv(context).map(|piece| piece.map(Ok::<_, Infallible>)));
    (kind, Body::from_stream(stream)).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn short_names_are_five_digits_and_differ() {
        let names: HashSet<String> = (1..50_000).map(super::short).collect();
        assert_eq!(names.len(), 49_999);
        assert!(names.iter().all(|name| name.len() == 5 && name.bytes().all(|b| b.is_ascii_hexdigit())));
    }
}
