//! Jobs that an account ran before (contract 3): their heads from the list, oldest first; one whole, with what each
//! device said. SimpleMDM says when a job began and when it was last heard of, not when a device ran.

use jiff::Timestamp;
use serde::Deserialize;

use super::budget::Urgency;
use super::client::{Ask, Client, Failure, JOB_LIMIT, One};
use super::wire::{self, Data, Object, Reference, Row};
use crate::connectors::remote::{PastHead, PastJob, PastPage, PastRun};
use crate::model::state::RunState;

type Whole = Object<Attributes, Relationships>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attributes {
    #[serde(flatten)]
    head: wire::JobAttributes,
    #[serde(deserialize_with = "wire::text")]
    custom_attribute_regex: String,
    #[serde(deserialize_with = "wire::yes")]
    variable_support: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Relationships {
    /// (one word for many)
    device: Data<Vec<Row>>,
    custom_attribute: Data<Reference>,
}

/// A page of the list, from where an earlier one ended.
pub async fn page(client: &Client, after: Option<String>, ours: impl Fn(&str) -> bool) -> Result<PastPage, String> {
    let page = client.page::<wire::Job>("/script_jobs", "", after.as_deref(), Urgency::Later).await;
    let page = page.map_err(|failure| failure.says())?;
    let last = page.data.last().map(|job| job.id.0.clone());
    let jobs = page.data.iter().map(|job| head(&job.id, &job.attributes, &ours)).collect();
    // a page that brings nothing new would come for ever
    Ok(PastPage { jobs, next: last.filter(|last| page.has_more && after.as_ref() != Some(last)) })
}

/// A job with its devices. `None`: it is listed no longer. `device`: the id and name of a number; `script`: what the
/// library calls the script that had this name and this text.
pub async fn whole(
    client: &Client,
    connection: &str,
    head: &PastHead,
    ours: bool,
    script: impl Fn(&str, &str) -> Option<String>,
    device: impl Fn(&str) -> (String, String),
) -> Result<Option<PastJob>, String> {
    let ask = Ask::get(format!("/script_jobs/{}", super::form::encoded(&head.id)), Urgency::Later).most(JOB_LIMIT);
    match client.json::<One<Whole>>(ask).await {
        Ok(job) => Ok(Some(read(connection, &PastHead { ours, ..head.clone() }, job.data, script, device))),
        Err(Failure::Refused(404, _)) => Ok(None),
        // (one that cannot be read keeps nobody from those after it)
        Err(failure @ Failure::TooLarge(_)) => {
            tracing::warn!(job = head.id, why = failure.says(), "a past job is left out");
            Ok(None)
        }
        Err(failure) => Err(failure.says()),
    }
}

fn head(id: &wire::Id, job: &wire::JobAttributes, ours: impl Fn(&str) -> bool) -> PastHead {
    let wire::JobAttributes { status, pending_count, success_count, errored_count, updated_at, .. } = job;
    PastHead {
        id: id.0.clone(),
        mark: format!("{status} {pending_count} {success_count} {errored_count} {updated_at}"),
        open: *pending_count > 0 && status != "cancelled" || status == "pending",
        ours: ours(&id.0),
    }
}

fn read(
    connection: &str,
    head: &PastHead,
    job: Whole,
    script: impl Fn(&str, &str) -> Option<String>,
    device: impl Fn(&str) -> (String, String),
) -> PastJob {
    let Attributes { head: of, custom_attribute_regex, variable_support } = job.attributes;
    let now = self::head(&job.id, &of, |_| head.ours);
    let name: String = of.script_name.chars().map(|c| if c.is_control() { '?' } else { c }).take(120).collect();
    let name = match name.trim() {
        "" => format!("script of job {}", head.id),
        name => name.to_owned(),
    };
    let mut options = Vec::new();
    if let Some(attribute) = job.relationships.custom_attribute.data {
        options.push(("custom_attribute".to_owned(), attribute.id.0));
        if !custom_attribute_regex.is_empty() {
            options.push(("custom_attribute_regex".to_owned(), custom_attribute_regex));
        }
    }
    let open = now.open;
    let runs = job.relationships.device.data.unwrap_or_default().into_iter().map(|row| run(row, open, &device));
    let created_at = wire::moment(&of.created_at).unwrap_or(Timestamp::UNIX_EPOCH);
    PastJob {
        script: script(&of.script_name, &of.content).unwrap_or_else(|| format!("{connection}:{name}")),
        text: of.content.into_bytes(),
        variables: variable_support,
        by: of.created_by.chars().filter(|c| !c.is_control()).take(120).collect(),
        created_at,
        updated_at: wire::moment(&of.updated_at).unwrap_or(created_at),
        cancelled: of.status == "cancelled",
        options,
        runs: runs.collect(),
        head: now,
    }
}

fn run(row: Row, open: bool, device: impl Fn(&str) -> (String, String)) -> PastRun {
    let (id, name) = device(&row.id.0);
    let exit_code: Option<i32> = row.status_code.trim().parse().ok();
    let odd = || {
        let status: String = row.status.chars().filter(|c| !c.is_control()).take(80).collect();
        format!("SimpleMDM calls it \"{status}\"")
    };
    let code = || {
        let told: String = row.status_code.chars().filter(|c| !c.is_control()).take(80).collect();
        (exit_code.is_none() && !told.is_empty()).then(|| format!("it ended with \"{told}\""))
    };
    let (state, reason) = match row.status.as_str() {
        "completed" if exit_code.is_none_or(|code| code == 0) => (RunState::Ok, code()),
        "completed" | "error" => (RunState::Failed, code()),
        "cancelled" => (RunState::Cancelled, None),
        "pending" if open => (RunState::Sent, None),
        "pending" => (RunState::Cancelled, Some("the job ended before the device fetched it".to_owned())),
        _ if open => (RunState::Sent, Some(odd())),
        _ => (RunState::Failed, Some(odd())),
    };
    PastRun { device: id, name, state, exit_code, reason, output: row.response.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(status: &str, pending: u32) -> PastJob {
        let body = format!(
            r#"{{"type":"script_job","id":412,"attributes":{{"script_name":"Rotate cache","job_name":"API Job",
            "content":"true\n","job_id":"3fa9c","status":"{status}","pending_count":{pending},"success_count":1,
            "errored_count":1,"custom_attribute_regex":"\\n","created_by":"API (ops key)",
            "created_at":"2026-01-02T03:04:05.678-08:00","updated_at":"2026-01-02T03:05:05.678-08:00"}},
            "relationships":{{"device":{{"data":[
            {{"type":"device","id":17,"status":"pending","status_code":null,"response":null}},
            {{"type":"device","id":28,"status":"completed","status_code":"0","response":"ok\n"}},
            {{"type":"device","id":33,"status":"error","status_code":"1","response":"no such file\n"}},
            {{"type":"device","id":34,"status":"weird","status_code":"oops","response":null}}]}},
            "custom_attribute":{{"data":{{"type":"custom_attribute","id":"cache_state"}}}}}}}}"#
        );
        let job: Whole = serde_json::from_str(&body).unwrap();
        let head = PastHead { id: "412".into(), mark: String::new(), open: true, ours: false };
        read("macs", &head, job, |_, _| None, |id| (format!("macs:mini-{id}"), format!("mini-{id}")))
    }

    #[test]
    fn a_job_is_read_with_what_each_device_said() {
        let job = whole("pending", 1);
        assert_eq!((job.script.as_str(), job.by.as_str()), ("macs:Rotate cache", "API (ops key)"));
        assert_eq!(job.options[0], ("custom_attribute".into(), "cache_state".into()));
        assert_eq!(job.options[1], ("custom_attribute_regex".into(), "\\n".into()));
        assert!(job.head.open && !job.cancelled);
        let states: Vec<_> = job.runs.iter().map(|run| (run.state, run.exit_code)).collect();
        use RunState::{Failed, Ok, Sent};
        assert_eq!(states, [(Sent, None), (Ok, Some(0)), (Failed, Some(1)), (Sent, None)]);
        assert_eq!((job.runs[1].device.as_str(), job.runs[1].output.as_slice()), ("macs:mini-28", &b"ok\n"[..]));
        assert!(job.runs[3].reason.as_deref().is_some_and(|why| why.contains("weird")));
    }

    #[test]
    fn nothing_is_left_open_in_a_job_that_was_called_off() {
        let job = whole("cancelled", 1);
        assert!(!job.head.open && job.cancelled);
        assert!(job.runs.iter().all(|run| run.state.ended()), "{:?}", job.runs);
    }
}
