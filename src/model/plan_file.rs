//! A plan on its way through a file: what was previewed, what to ask for again, and digests by which an edit shows. No
//! secret is in it, and no contents of a parameter's file. The digests guard against a slip, not against a forger: whoever may launch may write a plan too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::audit::canonical;
use super::nodeset;
use super::plan::{Plan, PlanRequest, PlannedFile, differing};

/// Parts of a plan that may be different when it is made again.
const FLEETING: [&str; 13] = [
    "id",
    "offline",
    "warnings",
    "excluded",
    "exclusions",
    "included",
    "findings",
    "questions",
    "expires_at",
    "confirm",
    "folded",
    "taken",
    "remarks",
];

#[derive(Clone, Debug)]
pub struct PlanFile {
    pub plan: Plan,
    /// Without its secrets and files.
    pub request: PlanRequest,
    pub good_until: Timestamp,
}

impl PlanFile {
    pub fn to_json(&self) -> Value {
        let mut request = self.request.to_json();
        if let Some(request) = request.as_object_mut() {
            request.remove("secrets");
            request.remove("files");
        }
        let mut document = json!({ "plan": self.plan, "request": request, "good_until": self.good_until });
        let digests = digests(&document);
        document["digest"] = seal(&digests).into();
        document["digests"] = json!(digests);
        document
    }

    /// Reads it back.
    ///
    /// # Errors
    /// It is no plan file, or not the one that was written: which parts are different.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not a plan file: {error}"))?;
        let written: BTreeMap<String, String> =
            serde_json::from_value(document["digests"].clone()).map_err(|_| "it is not a plan file".to_owned())?;
        let now = digests(&document);
        let names: BTreeSet<&String> = written.keys().chain(now.keys()).collect();
        let edited: Vec<&str> =
            names.into_iter().filter(|name| written.get(*name) != now.get(*name)).map(String::as_str).collect();
        if !edited.is_empty() {
            return Err(format!("it was edited after it was written: {}", edited.join(", ")));
        }
        if document["digest"] != seal(&written) {
            return Err("it was edited after it was written: its digests".to_owned());
        }
        let wrong = |error: serde_json::Error| format!("it was written by another version of quarterdeck: {error}");
        Ok(Self {
            plan: serde_json::from_value(document["plan"].clone()).map_err(wrong)?,
            request: serde_json::from_value(document["request"].clone()).map_err(wrong)?,
            good_until: serde_json::from_value(document["good_until"].clone()).map_err(wrong)?,
        })
    }
}

/// One for each part, by its name.
fn digests(document: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let empty = Map::new();
    for (name, value) in document.as_object().unwrap_or(&empty) {
        match (name.as_str(), value) {
            ("digest" | "digests" | "schema_version", _) => {}
            ("plan" | "request", Value::Object(parts)) => {
                found.extend(parts.iter().map(|(part, value)| (format!("{name}.{part}"), hash(&canonical(value)))));
            }
            _ => drop(found.insert(name.clone(), hash(&canonical(value)))),
        }
    }
    found
}

fn seal(digests: &BTreeMap<String, String>) -> String {
    hash(&canonical(&json!(digests)))
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the world made different in a plan that was made again as it was asked for: script, devices, parameters. In
/// words; empty: nothing.
pub fn changes(then: &Plan, now: &Plan) -> Vec<String> {
    let mut told = Vec::new();
    let (a, b) = (&then.script, &now.script);
    if (&a.name, &a.version) != (&b.name, &b.version) {
        told.push(format!("script {} {} then, {} {} now", a.name, a.version, b.name, b.version));
    }
    let old: BTreeSet<&str> = then.devices.iter().map(String::as_str).collect();
    let new: BTreeSet<&str> = now.devices.iter().map(String::as_str).collect();
    let (came, gone): (Vec<&str>, Vec<&str>) =
        (new.difference(&old).copied().collect(), old.difference(&new).copied().collect());
    if !came.is_empty() || !gone.is_empty() {
        let sign = |sign: &str, ids: &[&str]| match ids.len() {
            0 => format!("{sign}0"),
            n => format!("{sign}{n} {}", nodeset::fold(ids.iter().copied())),
        };
        told.push(format!("devices {}, {}", sign("+", &came), sign("-", &gone)));
        let out = |id: &str| now.excluded.iter().find(|(device, _)| device == id).map(|(_, why)| why.as_str());
        let whys: BTreeSet<&str> = gone.iter().filter_map(|id| out(id)).collect();
        told.extend(whys.into_iter().map(|why| format!("left out now: {why}")));
    }
    // by name alone: a value may be nobody's business
    told.extend(differing(&then.params, &now.params).into_iter().map(|name| format!("parameter {name}")));
    let version = |plan: &Plan, file: &PlannedFile| -> Option<String> {
        let same = |other: &&PlannedFile| (&other.param, &other.path) == (&file.param, &file.path);
        plan.files.iter().find(same).map(|file| file.version.clone())
    };
    let edited = then.files.iter().filter(|file| version(now, file).is_some_and(|version| version != file.version));
    told.extend(edited.map(|file| format!("what {} holds, the file of {}", file.path, file.param)));
    told
}

/// What is different in a plan that was made again, all of it; empty: it would do the same.
pub fn difference(then: &Plan, now: &Plan) -> Vec<String> {
    let mut told = changes(then, now);
    let parts = |plan: &Plan| {
        let mut plan = plan.clone();
        // the seed that was drawn then is asked for now; where nothing is drawn it says nothing
        plan.rollout.how.seed = None;
        if plan.rollout.rings.is_empty() {
            plan.rollout.seed.clear();
        }
        match serde_json::to_value(plan) {
            Ok(Value::Object(parts)) => parts,
            _ => Map::new(),
        }
    };
    let (a, b) = (parts(then), parts(now));
    let rest: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let known = |name: &str| FLEETING.contains(&name) || ["script", "devices", "params", "files"].contains(&name);
    told.extend(rest.into_iter().filter(|name| !known(name) && a.get(*name) != b.get(*name)).cloned());
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::{FileGiven, ScriptRef};
    use crate::model::script;
    use crate::model::secret::Secret;

    fn plan(devices: &[&str]) -> Plan {
        Plan {
            id: "7c41".into(),
            script: script::inspect("x.sh", b"#!/bin/sh\n"),
            target: "web".into(),
            devices: devices.iter().map(|name| format!("lab:{name}")).collect(),
            folded: String::new(),
            offline: vec![],
            warnings: vec![],
            excluded: vec![],
            exclusions: vec![],
            included: vec![],
            dry_run: None,
            params: vec![("version".into(), "14.6".into())],
            files: vec![],
            options: vec![],
            taken: vec![],
            timeout_ms: None,
            at_once: 50,
            rollout: Default::default(),
            confirm: false,
            queued: 0,
            remarks: vec![],
            findings: vec![],
            questions: vec![],
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn file() -> PlanFile {
        let request = PlanRequest {
            script: ScriptRef::text("x.sh", b"#!/bin/sh\n"),
            target: "web".into(),
            params: vec![("version".into(), "14.6".into())],
            secrets: vec![("token".into(), Secret::new("hunter2"))],
            files: vec![FileGiven::new("doc", "/x", b"hunter2")],
            include: vec![],
            dry_run: false,
            options: Vec::new(),
            timeout_ms: None,
            at_once: Some(50),
            how: Default::default(),
        };
        PlanFile { plan: plan(&["web1", "web2"]), request, good_until: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_file_reads_back_without_its_secrets() {
        let text = serde_json::to_string_pretty(&file().to_json()).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("secrets") && !text.contains("base64\": \"aHVu"), "{text}");
        let read = PlanFile::read(&text).unwrap();
        assert_eq!(read.plan, file().plan);
        assert_eq!(read.request, PlanRequest { secrets: vec![], files: vec![], ..file().request });
    }

    #[test]
    fn every_edit_is_named_and_refused() {
        let whole = file().to_json();
        type Edit = fn(&mut Value);
        let edits: [(&str, Edit); 7] = [
            ("plan.devices", |file| file["plan"]["devices"][1] = "lab:db1".into()),
            ("request.target", |file| file["request"]["target"] = "@all".into()),
            ("request.script", |file| file["request"]["script"]["text"]["base64"] = "cm0gLXJm".into()),
            ("good_until", |file| file["good_until"] = "2999-01-01T00:00:00Z".into()),
            ("request.force", |file| file["request"]["force"] = true.into()),
            ("plan.id", |file| drop(file["plan"].as_object_mut().unwrap().remove("id"))),
            ("note", |file| file["note"] = "looks fine".into()),
        ];
        for (part, edit) in edits {
            let mut file = whole.clone();
            edit(&mut file);
            let why = PlanFile::read(&file.to_string()).unwrap_err();
            assert_eq!(why, format!("it was edited after it was written: {part}"));
            // also where its digest was put right, but not the one of all
            file["digests"] = json!(digests(&file));
            assert_eq!(
                PlanFile::read(&file.to_string()).unwrap_err(),
                "it was edited after it was written: its digests"
            );
        }
        for text in ["", "[]", "{}", "{\"plan\": {}}", "\u{1b}"] {
            assert!(PlanFile::read(text).unwrap_err().starts_with("it is not a plan file"), "{text}");
        }
    }

    #[test]
    fn the_seed_of_a_roll_out_is_no_difference_and_its_rings_are() {
        use crate::model::rollout::{Amount, How, Ring, Rollout};
        let rollout = |seed: &str, asked: Option<&str>, rings: &[&[u32]]| {
            let max_fail = vec![Amount::Devices(1)];
            let how = How { seed: asked.map(str::to_owned), max_fail, ..How::default() };
            let ring = |runs: &&[u32]| Ring { runs: runs.to_vec(), ..Ring::default() };
            let rings = rings.iter().map(ring).collect();
            Plan {
                rollout: Rollout { how, seed: seed.to_owned(), rings, ..Rollout::default() },
                ..plan(&["web1", "web2"])
            }
        };
        let same = |then: &Plan, now: &Plan| difference(then, now).is_empty();
        assert!(same(&rollout("7c41", None, &[]), &rollout("9999", None, &[])));
        let then = rollout("7c41", None, &[&[1], &[0]]);
        assert!(same(&then, &rollout("7c41", Some("7c41"), &[&[1], &[0]])));
        assert_eq!(difference(&then, &rollout("7c41", Some("7c41"), &[&[0], &[1]])), ["rollout"]);
    }

    #[test]
    fn what_is_different_is_told_part_by_part() {
        let then = plan(&["web1", "web2"]);
        assert_eq!(
            difference(&then, &Plan { id: "other".into(), confirm: true, ..then.clone() }),
            Vec::<String>::new()
        );
        let mut now = plan(&["web2", "web3"]);
        now.script = script::inspect("x.sh", b"#!/bin/sh\necho\n");
        now.params = vec![("version".into(), "hunter2".into())];
        now.excluded = vec![("lab:web1".into(), "busy in job 7".into())];
        now.at_once = 5;
        let told = difference(&then, &now);
        assert!(told[0].starts_with("script x.sh ") && told[0].contains(" then, x.sh "), "{told:?}");
        assert_eq!(
            told[1..],
            ["devices +1 lab:web3, -1 lab:web1", "left out now: busy in job 7", "parameter version", "at_once"]
        );
        assert!(!told.concat().contains("hunter2"));
    }
}
