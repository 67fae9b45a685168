//! Logs: `/logs`. A line for every run that ended (`script.ran`) and one for every entry of the audit log.

use axum::http::Method;
use serde_json::{Value, json};

use super::Ask;
use super::envelope::{self, Answer, Cursor, Fault, iso, log_time};
use crate::engine::door::{Fleet, Log, What, run_status, serial_of};
use crate::model::state::JobState;

/// Ids of lines are texts of 32 hexadecimal digits, in the order of the lines.
pub(super) fn written(id: u64) -> String {
    format!("{id:032x}")
}

fn read(text: &str) -> Option<u64> {
    let hex = text.len() <= 32 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::try_from(u128::from_str_radix(text, 16).ok().filter(|_| hex)?).ok()
}

pub(super) async fn all(ask: Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(ask.cannot("GET lists"));
    }
    let cursor = Cursor::of(&ask.bag)?;
    let after = match &cursor.after {
        None => None,
        Some(after) => Some(read(after).ok_or_else(|| Fault::invalid("starting_after: that is not the id of a log"))?),
    };
    let fleet = ask.engine.fleet().await?;
    let device = match ask.bag.word("serial_number")? {
        None => None,
        Some(serial) => match fleet.by_serial(&serial) {
            Some(device) => Some(device.id.clone()),
            None => return Ok(envelope::page(Vec::new(), false)),
        },
    };
    let (page, more) = ask.engine.log_page(after, cursor.descending, cursor.limit, device, ask.reach.clone()).await?;
    Ok(envelope::page(page.iter().map(|log| object(log, &fleet)).collect(), more))
}

pub(super) async fn one(ask: Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(ask.cannot("GET reads"));
    }
    let id = read(ask.part("id")).ok_or_else(Fault::not_found)?;
    let fleet = ask.engine.fleet().await?;
    let log = ask.engine.log_entry(id, ask.reach.clone()).await?;
    Ok(envelope::one(object(&log, &fleet)))
}

/// The name of a key out of what an entry says of its author.
fn key_of(by: &str) -> Option<&str> {
    Some(by.strip_prefix("API (")?.split_once(')')?.0)
}

fn object(log: &Log, fleet: &Fleet) -> Value {
    let account = |key: Option<&str>| {
        let mut account = json!({ "type": "account", "id": 1 });
        if let Some(key) = key {
            account["api_key"] = key.into();
        }
        json!({ "data": account })
    };
    let (namespace, event, source, metadata, relationships) = match &log.what {
        What::Ran { job, script, device, state, exit_code, reason, by, said } => {
            let found = fleet.inventory.device(device);
            let serial = found.map_or(device.as_str(), |device| serial_of(device));
            let udid = found.and_then(|device| device.facts.get("udid")).unwrap_or(device);
            let response = if said.is_empty() { reason.clone().unwrap_or_default() } else { said.clone() };
            let metadata = json!({
                "name": script,
                "job_status": exit_code.map(|code| code.to_string()),
                "job_response": response,
                // ours
                "script_job_id": job,
                "device_id": fleet.id_of(device),
                "status": run_status(JobState::Done, *state),
            });
            let told = json!({
                "account": account(key_of(by)),
                "device": { "data": { "type": "device", "serial_number": serial, "udid": udid } },
            });
            ("device", "script.ran".to_owned(), "device", metadata, told)
        }
        What::Entry(entry) => {
            let deed = &entry.deed;
            let metadata = json!({
                "by": deed.by,
                "from": deed.from,
                "script_job_id": deed.job,
                "name": deed.script,
                "version": deed.version,
                "target": deed.target,
                "device_count": deed.devices,
                "note": deed.note,
                "audit_entry": entry.seq,
            });
            let key = key_of(&deed.from);
            let mut told = json!({ "account": account(key) });
            if key.is_none() {
                told["user"] = json!({ "data": { "type": "user", "id": 1, "email": deed.by } });
            }
            ("admin", format!("quarterdeck.{}", deed.act.word()), "quarterdeck", metadata, told)
        }
    };
    json!({
        "type": "log",
        "id": written(log.id),
        "attributes": {
            "namespace": namespace,
            "event_type": event,
            "level": 0,
            "source": source,
            "at": log_time(log.at),
            "at_iso": iso(log.at),
            "metadata": metadata,
            "relationships": relationships,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_hexadecimal_digits_in_order() {
        assert_eq!(written(255), "000000000000000000000000000000ff");
        assert_eq!(read(&written(u64::MAX)), Some(u64::MAX));
        assert!(written(9) < written(16));
        for wrong in ["", "x", "+1", &"f".repeat(33), &"f".repeat(32)] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
