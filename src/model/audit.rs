//! What is written down for good: who did what to the fleet, from where, and how it ended. Each entry holds the hash
//! of the one before it, so that what was changed, taken out or put in later shows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::job::{Job, JobId, JobSummary};
use super::plan::Caller;
use super::rollout::{Amount, Offline};
use super::state::Counts;

/// How a job is rolled out, in words: what holds it, what stops it, what is tried again.
fn policies(job: &Job) -> Vec<String> {
    let how = &job.rollout.how;
    let listed = |amounts: &[Amount]| amounts.iter().map(Amount::to_string).collect::<Vec<_>>().join(",");
    let time = |ms: u64| format!("{} s", ms.div_ceil(1000));
    let mut said = vec![match job.at_once {
        0 => "all at once".to_owned(),
        n => format!("{n} at once"),
    }];
    if !how.rings.is_empty() {
        said.push(format!(
            "rings {}, between them {}, seed {}",
            listed(&how.rings),
            how.between.word(),
            job.rollout.seed
        ));
    }
    said.extend(how.canary.as_ref().map(|expr| format!("canary {expr}")));
    if !how.max_fail.is_empty() {
        let counted = if how.count_unreachable { ", unreachable counted" } else { "" };
        let at = job.rollout.stop_at.unwrap_or_default();
        said.push(format!("budget {} (stops at {at} bad{counted})", listed(&how.max_fail)));
    }
    said.extend(how.new_signatures.map(|n| format!("stops at {n} new signatures")));
    said.extend(how.start_rate.map(|rate| format!("starts {rate}")));
    said.extend(job.timeout_ms.map(|ms| format!("timeout {}", time(ms))));
    said.extend(how.deadline_ms.map(|ms| format!("deadline {}", time(ms))));
    said.extend(how.retry.as_ref().map(|retry| {
        let on: Vec<&str> = retry.on.iter().map(|state| state.word()).collect();
        format!("{} retries of {}", retry.times, on.join(","))
    }));
    if let Offline::Queue { expire_ms } = how.offline {
        said.push(format!("offline queued for {}", time(expire_ms)));
    }
    said
}

/// What the first entry follows.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A text in an entry is cut here: an expression or a reason can be a page.
const TEXT_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Launch,
    /// A job has ended, with its counts.
    End,
    Stop,
    Pause,
    Resume,
    Approve,
    Save,
    Rename,
    Delete,
    Restore,
    /// What a system ran without us is brought in.
    Import,
    /// Said of a job or of a signature, or taken back.
    Note,
    Ack,
    Runbook,
    /// How outputs of a script are grouped: by hand, or by its own rules.
    Merge,
    Split,
    Rules,
    /// The engine was started with another configuration than before.
    Settings,
    /// A key of another program was made or revoked.
    Token,
    /// Another system told of an event, and nothing was launched on it.
    Webhook,
}

impl Act {
    pub const fn word(self) -> &'static str {
        match self {
            Act::Launch => "launch",
            Act::End => "end",
            Act::Stop => "stop",
            Act::Pause => "pause",
            Act::Resume => "resume",
            Act::Approve => "approve",
            Act::Save => "save",
            Act::Rename => "rename",
            Act::Delete => "delete",
            Act::Restore => "restore",
            Act::Import => "import",
            Act::Note => "note",
            Act::Ack => "ack",
            Act::Runbook => "runbook",
            Act::Merge => "merge",
            Act::Split => "split",
            Act::Rules => "rules",
            Act::Settings => "settings",
            Act::Token => "token",
            Act::Webhook => "webhook",
        }
    }

    /// It sends something to devices: refused where it cannot be written down first. Whatever stops or tells goes on,
    /// and is written down as soon as that can be done.
    pub const fn sends(self) -> bool {
        matches!(self, Act::Launch | Act::Resume | Act::Approve)
    }
}

/// What was done. Never a secret, nor the value of any parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    pub act: Act,
    /// Login name; `quarterdeck` where nobody asked for it.
    pub by: String,
    /// Through which door, from which address, as whom before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// First 12 hex digits of the script version's SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// On how many devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<u64>,
    /// How its runs ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The rest, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Deed {
    pub fn of(act: Act, by: &str, caller: &Caller) -> Self {
        Self {
            act,
            by: by.to_owned(),
            from: caller.from.clone(),
            job: None,
            plan: None,
            script: None,
            version: None,
            target: None,
            devices: None,
            counts: None,
            note: None,
        }
    }

    /// What the engine does by itself.
    pub fn own(act: Act) -> Self {
        Self::of(act, "quarterdeck", &Caller::default())
    }

    /// A plan that becomes a job. Parameters by name alone: a value may be nobody's business.
    /// `included`: what was taken in on purpose.
    pub fn launch(job: &Job, plan: &str, included: &[String], caller: &Caller) -> Self {
        let summary = &job.summary;
        let names: Vec<&str> = job.params.iter().map(|(name, _)| name.as_str()).collect();
        let with = (!names.is_empty()).then(|| format!("with {}", names.join(", ")));
        let on_purpose = (!included.is_empty()).then(|| format!("taking in on purpose {}", included.join(", ")));
        let note: Vec<String> = with.into_iter().chain(on_purpose).chain(policies(job)).collect();
        Self {
            job: Some(summary.id),
            plan: Some(plan.to_owned()),
            script: Some(summary.script.clone()),
            version: Some(summary.version.clone()),
            target: Some(summary.target.clone()),
            devices: Some(job.runs.len() as u64),
            note: (!note.is_empty()).then(|| note.join("; ")),
            ..Self::of(Act::Launch, &summary.by, caller)
        }
    }

    /// So many devices.
    #[must_use]
    pub fn on(self, devices: u32) -> Self {
        Self { devices: Some(devices.into()), ..self }
    }

    /// A job that has ended.
    pub fn end(job: &JobSummary) -> Self {
        let note = job
            .reason
            .as_ref()
            .map_or_else(|| job.state.word().to_owned(), |why| format!("{}: {why}", job.state.word()));
        Self {
            job: Some(job.id),
            script: Some(job.script.clone()),
            version: Some(job.version.clone()),
            devices: Some(job.counts.total().into()),
            counts: Some(job.counts),
            note: Some(note),
            ..Self::own(Act::End)
        }
    }

    fn bounded(mut self) -> Self {
        let texts = [&mut self.plan, &mut self.script, &mut self.version, &mut self.target, &mut self.note];
        for text in texts.into_iter().flatten().chain([&mut self.by, &mut self.from]) {
            if text.len() > TEXT_MAX {
                text.truncate(text.floor_char_boundary(TEXT_MAX));
                text.push('…');
            }
        }
        self
    }
}

/// An entry of the log, as it stands on its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub deed: Deed,
    /// Hash of the entry before.
    pub prev: String,
    /// SHA-256, in hex, of `prev` and this entry as canonical JSON (keys sorted, no blanks) without `hash`.
    pub hash: String,
}

impl Entry {
    /// On one line, for a person.
    pub fn words(&self) -> String {
        let deed = &self.deed;
        let job = deed.job.map(|job| format!("job {job}"));
        let script = deed.script.as_ref().map(|script| match &deed.version {
            Some(version) => format!("{script} {version}"),
            None => script.clone(),
        });
        let devices = deed.devices.map(|devices| super::amounts::number(devices, "device"));
        let target = deed.target.as_ref().map(|target| format!("on {target}"));
        let parts = [job, script, target, devices, deed.note.clone()];
        let about = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        format!("{:>5}  {}  {:<8}  {:<8}  {about}", self.seq, self.at.strftime("%F %TZ"), deed.by, deed.act.word())
    }

    /// The one that follows.
    pub fn after(prev: &Head, at: Timestamp, deed: Deed) -> Self {
        let at = at.round(jiff::Unit::Millisecond).unwrap_or(at);
        let mut entry =
            Self { seq: prev.seq + 1, at, deed: deed.bounded(), prev: prev.hash.clone(), hash: String::new() };
        entry.hash = entry.digest();
        entry
    }

    fn digest(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.remove("hash");
        }
        let mut hash = Sha256::new();
        hash.update(self.prev.as_bytes());
        hash.update(canonical(&value).as_bytes());
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its line, without the newline.
    pub fn line(&self) -> String {
        canonical(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it: it is no entry, or not the one that was written.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let entry: Self = serde_json::from_slice(line).map_err(|_| "it is not an entry".to_owned())?;
        if entry.hash != entry.digest() || entry.line().as_bytes() != line {
            return Err(format!("entry {} was changed: its hash is not that of its content", entry.seq));
        }
        Ok(entry)
    }
}

/// Keys sorted, no blanks: one text for one value.
pub fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            let fields: Vec<String> = keys
                .into_iter()
                .map(|key| format!("{}:{}", Value::from(key.as_str()), canonical(&object[key])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Where the chain ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl Head {
    /// One line further.
    ///
    /// # Errors
    /// Why that line does not continue the chain.
    pub fn follow(&mut self, line: &[u8]) -> Result<(), String> {
        let entry = Entry::read(line)?;
        let wanted = self.seq + 1;
        if entry.seq > wanted {
            let gone = missing(wanted, entry.seq - 1);
            return Err(format!("entry {} follows {}: {gone} missing", entry.seq, self.seq));
        }
        if entry.seq < wanted {
            return Err(format!("entry {} follows {}: it was put there later", entry.seq, self.seq));
        }
        if entry.prev != self.hash {
            return Err(format!("entry {} does not follow the entry before it: that one was replaced", entry.seq));
        }
        *self = Self { seq: entry.seq, hash: entry.hash };
        Ok(())
    }
}

/// "entry 7 is", "entries 7 to 9 are"
pub fn missing(first: u64, last: u64) -> String {
    if first == last { format!("entry {first} is") } else { format!("entries {first} to {last} are") }
}

/// `GET /api/v1/audit?from=…&since=…`: some entries, and where the next ones begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Lines that are no entries any more.
    pub unreadable: u64,
    /// Offset to go on from; `None`: that was the end.
    pub next: Option<u64>,
}

/// `GET /api/v1/audit/verify`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub path: String,
    /// Entries in an unbroken chain from the first on.
    pub head: Head,
    pub broken: Option<Broken>,
}

/// The first place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// Line of the file, from 1.
    pub line: u64,
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_text() {
        let value = serde_json::json!({"b": [1, {"z": null, "a": "\u{1b}\""}], "a": true});
        assert_eq!(canonical(&value), r#"{"a":true,"b":[1,{"a":"\u001b\"","z":null}]}"#);
    }

    #[test]
    fn an_entry_reads_back_and_shows_every_change() {
        let deed = Deed {
            job: Some(7),
            target: Some("web & \u{1b}[2J".into()),
            counts: Some(Counts { ok: 3, ..Counts::default() }),
            ..Deed::own(Act::Launch)
        };
        let entry = Entry::after(&Head::default(), Timestamp::now(), deed);
        let line = entry.line();
        assert_eq!(Entry::read(line.as_bytes()), Ok(entry));
        for changed in [
            line.replace("\"ok\":3", "\"ok\":4"),
            line.replace("\"job\":7", "\"job\": 7"),
            line.replace("\"job\":7", "\"job\":7,\"job\":7"),
            line.replace("{\"act", "{\"aaa\":1,\"act"),
        ] {
            assert_ne!(changed, line);
            assert!(Entry::read(changed.as_bytes()).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_text_of_any_length_is_an_entry_of_bounded_length() {
        let deed = Deed { target: Some("ä".repeat(100_000)), ..Deed::own(Act::Launch) };
        let line = Entry::after(&Head::default(), Timestamp::now(), deed).line();
        assert!(line.len() < 3 * TEXT_MAX, "{}", line.len());
        assert!(Entry::read(line.as_bytes()).is_ok());
    }
}
