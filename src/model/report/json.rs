//! Everything of a job as JSON: one object, or an object a line.

use serde_json::{Map, Value, json};

use super::{Report, plain};
use crate::model::job::{Job, Run};
use crate::model::triage::Groups;

/// The version of these objects: raised when a field goes or changes its meaning; new fields may come.
const SCHEMA_VERSION: u32 = 1;

/// What can be chosen of a device.
pub(super) const FIELDS: [&str; 17] = [
    "index",
    "device",
    "name",
    "state",
    "exit_code",
    "signal",
    "reason",
    "started_at",
    "finished_at",
    "bytes",
    "lines",
    "last_line",
    "signature",
    "digest",
    "attempts",
    "stdout",
    "stderr",
];

fn job_of(report: &Report, job: &Job) -> Value {
    let mut value = serde_json::to_value(&job.summary).unwrap_or_default();
    value["params"] = json!(job.params);
    value["timeout_ms"] = json!(job.timeout_ms);
    value["at_once"] = json!(job.at_once);
    cleaned(report, value)
}

pub(super) fn head(report: &Report, job: &Job, groups: &Groups, out: &mut String) {
    let groups = cleaned(report, serde_json::to_value(groups).unwrap_or_default());
    let job = job_of(report, job);
    out.push_str(&format!("{{\"schema_version\":{SCHEMA_VERSION},\"job\":{job},\n\"groups\":{groups},\n\"runs\":[\n"));
}

pub(super) fn head_line(report: &Report, job: &Job, groups: &Groups, out: &mut String) {
    let mut head = job_of(report, job);
    head["schema_version"] = json!(SCHEMA_VERSION);
    head["event"] = json!("job");
    out.push_str(&format!("{head}\n"));
    for group in &groups.groups {
        let mut group = cleaned(report, serde_json::to_value(group).unwrap_or_default());
        group["schema_version"] = json!(SCHEMA_VERSION);
        group["event"] = json!("group");
        out.push_str(&format!("{group}\n"));
    }
}

/// A run's object, up to where its outputs begin.
pub(super) fn open(report: &Report, run: &Run, out: &mut String) {
    let value = cleaned(report, serde_json::to_value(run).unwrap_or_default());
    let mut object = Map::new();
    if report.format == super::Format::Ndjson {
        object.insert("schema_version".to_owned(), json!(SCHEMA_VERSION));
        object.insert("event".to_owned(), json!("run"));
    }
    if let Value::Object(fields) = value {
        object.extend(fields.into_iter().filter(|(field, _)| report.takes(field)));
    }
    let mut text = Value::Object(object).to_string();
    text.pop();
    // an output follows a comma
    if text == "{" {
        text.push_str(&format!("\"index\":{}", run.index));
    }
    out.push_str(&text);
}

/// Part of a string.
pub(super) fn escape(text: &str, out: &mut String) {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    out.push_str(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
}

fn cleaned(report: &Report, value: Value) -> Value {
    match value {
        value if report.raw => value,
        Value::String(text) => Value::String(plain::line(&text)),
        Value::Array(values) => values.into_iter().map(|value| cleaned(report, value)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(field, value)| (field, cleaned(report, value))).collect(),
        value => value,
    }
}
