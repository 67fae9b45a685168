//! A launch of ours whose number is not known, since its answer was lost or the engine ended before it came: looked for
//! among the script jobs that the account lists, by its script, its text, its devices and its time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::budget::{self, Urgency};
use super::client::{Client, Failure, Page};
use super::copies::Saved;
use super::watch::Whole;
use super::wire;
use crate::model::script::inspect::version;

/// How far apart our clock and theirs may be.
const SKEW: SignedDuration = SignedDuration::from_secs(900);

/// How often the list is asked for, where it does not come.
const TRIES: u32 = 6;

/// What a launch is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The script's name there.
    script: String,
    /// Of its text.
    version: String,
    /// SimpleMDM's numbers, in order.
    devices: Vec<String>,
    pub at: Timestamp,
}

impl Sought {
    /// A launch that is made now.
    pub fn of(saved: &Saved, devices: impl Iterator<Item = String>) -> Self {
        let mut devices: Vec<String> = devices.collect();
        devices.sort_unstable();
        let (script, version) = (saved.name.clone(), version(saved.content.as_bytes()));
        Self { script, version, devices, at: Timestamp::now() }
    }

    fn is(&self, job: &Whole) -> bool {
        let attributes = &job.attributes;
        if attributes.script_name != self.script || self.is_older(job) {
            return false;
        }
        let mut theirs: Vec<&str> = job.rows().map(|row| row.id.0.as_str()).collect();
        theirs.sort_unstable();
        theirs == self.devices && version(attributes.content.as_bytes()) == self.version
    }

    /// The job was made long before.
    fn is_older(&self, job: &Whole) -> bool {
        wire::moment(&job.attributes.created_at).is_some_and(|made| made + SKEW <= self.at)
    }
}

/// Its number; `None`: there is no such job, so that nothing was sent. `knows`: jobs that are another launch's.
pub async fn find(client: &Client, sought: &Sought, knows: impl Fn(&str) -> bool) -> Result<Option<String>, Failure> {
    let (mut after, mut tries): (Option<String>, u32) = (None, 0);
    loop {
        // the newest first
        let page: Result<Page<Whole>, Failure> =
            client.page("/script_jobs", "&direction=desc", after.as_deref(), Urgency::Now).await;
        let page = match page {
            Ok(page) => page,
            Err(failure) if failure.passes() && tries < TRIES => {
                tries += 1;
                sleep(budget::again(tries)).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if let Some(found) = page.data.iter().find(|job| sought.is(job) && !knows(&job.id.0)) {
            return Ok(Some(found.id.0.clone()));
        }
        let last = page.data.last().filter(|last| page.has_more && !sought.is_older(last));
        let last = last.map(|last| last.id.0.clone());
        // a page that brings nothing new would come for ever
        if last.is_none() || last == after {
            return Ok(None);
        }
        after = last;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(script: &str, text: &str, devices: &[u32], at: Timestamp) -> Whole {
        let rows: Vec<_> =
            devices.iter().map(|id| json!({ "type": "device", "id": id, "status": "pending" })).collect();
        let job = json!({
            "type": "script_job", "id": 412, "relationships": { "device": { "data": rows } },
            "attributes": { "script_name": script, "content": text, "status": "pending", "created_at": at.to_string() },
        });
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_launch_is_known_by_its_script_its_text_its_devices_and_its_time() {
        let saved = Saved { id: "7".into(), name: "Rotate".into(), content: "#!/bin/sh\n".into() };
        let sought = Sought::of(&saved, ["28".to_owned(), "17".to_owned()].into_iter());
        let at = sought.at;
        assert!(sought.is(&job("Rotate", "#!/bin/sh\n", &[17, 28], at)));
        assert!(sought.is(&job("Rotate", "#!/bin/sh\n", &[17, 28], at - SignedDuration::from_mins(14))), "their clock");
        for other in [
            job("Other", "#!/bin/sh\n", &[17, 28], at),
            job("Rotate", "#!/bin/sh\ntrue\n", &[17, 28], at),
            job("Rotate", "#!/bin/sh\n", &[17], at),
            job("Rotate", "#!/bin/sh\n", &[17, 28, 33], at),
            job("Rotate", "#!/bin/sh\n", &[17, 28], at - SignedDuration::from_mins(16)),
        ] {
            assert!(!sought.is(&other), "{other:?}");
        }
    }
}
