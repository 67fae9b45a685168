//! The document at `/api/v1/openapi.json`, held against the sources and a running engine: every way that the router has
//! is in it, every way in it is there, and what comes back is what it says.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use support::door::{Answer, Door, Request, key};
use support::{Home, eventually};

/// Paths in `.route("…"` below `src/api`.
fn routed(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            routed(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            found.extend(
                ["route(\"", "door(router, \""]
                    .iter()
                    .flat_map(|call| text.split(call).skip(1))
                    .filter_map(|rest| rest.split('"').next())
                    .map(|path| path.trim_end_matches('/').to_owned()),
            );
        }
    }
}

fn document(door: &Door) -> Value {
    door.ask(&Request::new("GET", "/openapi.json")).is(200).json()
}

#[test]
fn every_way_of_the_router_is_in_the_document() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let document = document(&door);
    assert_eq!(document["openapi"], "3.1.0");
    let known: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let mut routes = BTreeSet::new();
    routed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api"), &mut routes);
    assert!(routes.len() > 40, "{routes:?}");
    let missing: Vec<&String> = routes.iter().filter(|path| !known.contains(&format!("/api/v1{path}"))).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
}

#[test]
fn every_way_in_the_document_is_there_and_asks_for_a_key() {
    let home = Home::empty();
    let door = Door::open(&home, []);
    let admin = key(&home, "root", ["--scope", "admin"]);
    let document = document(&door);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let at = format!("!{}", path.replace("{id}", "1").replace("{run}", "0").replace(['{', '}'], ""));
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            let open = operation["security"].is_array();
            let stranger = door.ask(&Request::new(&method, &at)).status;
            assert_eq!(stranger == 401, !open, "{method} {path}: {stranger}");
            if path.ends_with("/shutdown") {
                continue; // (it is there: the test of keys is refused by it)
            }
            let mut stream = door.connect();
            let asked = Request::new(&method, &at).basic(&admin).json(&json!({}));
            std::io::Write::write_all(&mut stream, &asked.bytes()).unwrap();
            // the head alone: some answers go on for ever
            let mut bytes = Vec::new();
            let mut some = [0; 1024];
            while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
                match std::io::Read::read(&mut stream, &mut some) {
                    Ok(count) if count > 0 => bytes.extend(&some[..count]),
                    _ => break,
                }
            }
            let answer = Answer::read(&bytes);
            // (what SimpleMDM has and this engine has not is refused with its reason, also so)
            // (and `POST` where an object lies only with the method that is meant)
            let meant =
                method == "POST" && ["patch", "put", "delete"].iter().any(|other| operations.get(other).is_some());
            let not_here = goods(operation).next().is_none() || meant;
            assert!(answer.status >= 200 && (answer.status != 405 || not_here), "{method} {path}: {answer:?}");
            let nowhere = String::from_utf8_lossy(&answer.body).contains("no door at");
            assert!(!nowhere, "{method} {path}: {answer:?}");
        }
    }
}

/// What an operation answers when it is done.
fn goods(operation: &Value) -> impl Iterator<Item = (&String, &Value)> {
    operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'))
}

/// Where a schema says of an object nothing more than that it is one, of a list nothing of what it holds, or nothing at
/// all.
fn loose(schema: &Value, at: &str, found: &mut Vec<String>) {
    let parts = schema["properties"].as_object();
    let told = match schema["type"].as_str() {
        Some("object") => parts.is_some() || schema["additionalProperties"].is_object(),
        Some("array") => schema["items"].is_object(),
        _ => ["type", "$ref", "oneOf", "enum"].iter().any(|word| !schema[*word].is_null()),
    };
    if !told {
        found.push(at.to_owned());
    }
    for (name, part) in parts.into_iter().flatten() {
        loose(part, &format!("{at}.{name}"), found);
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        loose(one, at, found);
    }
    for within in ["items", "additionalProperties"] {
        if schema[within].is_object() {
            loose(&schema[within], &format!("{at}.{within}"), found);
        }
    }
}

#[test]
fn every_schema_says_what_is_in_it() {
    let home = Home::empty();
    let document = document(&Door::open(&home, []));
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        // (this document; what another system sends of its own; fields in a form, which the paths' own tests hold)
        if !["OpenApi", "Happened", "Fields"].contains(&name.as_str()) {
            loose(schema, name, &mut found);
        }
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, good) in goods(operation) {
                let json = good["content"].get("application/json");
                let lacks = json.is_some_and(|json| json["schema"].is_null());
                if lacks || good["content"].is_null() && !["202", "204"].contains(&status.as_str()) {
                    found.push(format!("{method} {path} {status}"));
                }
                json.into_iter().for_each(|json| loose(&json["schema"], path, &mut found));
            }
        }
    }
    assert!(found.is_empty(), "nothing is said of: {found:#?}");
}

/// Whether a value is what a schema says: as much of JSON Schema as the document uses.
fn fits(schema: &Value, value: &Value, document: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let named = document.pointer(reference.trim_start_matches('#')).expect("it is in the document");
        return fits(named, value, document).map_err(|why| format!("{reference}: {why}"));
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let fitting = all.iter().filter(|one| fits(one, value, document).is_ok()).count();
        return if fitting == 1 { Ok(()) } else { Err(format!("{fitting} of oneOf: {value}")) };
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("a type that this test does not know: {other}"),
    };
    let right = match &schema["type"] {
        Value::Null => true,
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        other => panic!("a type: {other}"),
    };
    if !right {
        return Err(format!("not {}: {value}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("none of {words:?}: {value}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            return Err(format!("no `{name}` in {value}"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let part = match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(part), _) => part,
            (None, Value::Bool(true)) => continue,
            (None, others) if others.is_object() => others,
            (None, _) => return Err(format!("`{name}` is not in the document: {value}")),
        };
        fits(part, value, document).map_err(|why| format!("{name}: {why}"))?;
    }
    if schema["items"].is_object() {
        for value in value.as_array().into_iter().flatten() {
            fits(&schema["items"], value, document)?;
        }
    }
    Ok(())
}

/// The answer has a status that the document names, and the shape that it says.
#[track_caller]
fn as_documented(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][format!("/api/v1{path}")][method.to_lowercase()]["responses"];
    let named = &responses[answer.status.to_string()];
    let schema = if named.is_object() {
        named["content"]["application/json"]["schema"].clone()
    } else {
        assert!(answer.status >= 400, "{method} {path}: {} is not in the document", answer.status);
        json!({ "$ref": "#/components/schemas/Refusal" })
    };
    if schema.is_null() {
        return;
    }
    fits(&schema, &answer.json(), document).unwrap_or_else(|why| panic!("{method} {path} {}: {why}", answer.status));
}

#[test]
fn answers_have_the_status_and_the_shape_that_are_documented() {
    let home = Home::empty();
    home.config(
        "[[connection]]\nname = \"local\"\nkind = \"local\"\n[[connection]]\nname = \"other\"\nkind = \"local\"\n",
    );
    home.script("hi.sh", "#!/bin/sh\necho hi\n");
    // one of two devices is the first
    let second = "{ echo somebody was here before me >&2; exit 3; }";
    home.script(
        "ends.sh",
        format!("#!/bin/sh\nmkdir \"$HOME/first\" 2>/dev/null || {second}\necho no disk >&2\nexit 3\n"),
    );
    let door = Door::open(&home, []);
    let admin = key(&home, "root", ["--scope", "admin"]);
    let document = document(&door);
    let get = |path: &str, at: &str| {
        let answer = door.get(&admin, at);
        as_documented(&document, "GET", path, &answer);
        answer
    };
    let post = |path: &str, at: &str, body: Value| {
        let answer = door.post(&admin, at, &body);
        as_documented(&document, "POST", path, &answer);
        answer
    };
    for path in [
        "/hello",
        "/targets",
        "/library",
        "/jobs",
        "/tokens",
        "/audit",
        "/audit/verify",
        "/library/trash",
        "/templates",
    ] {
        assert_eq!(get(path, path).status, 200, "{path}");
    }
    assert_eq!(get("/library/script", "/library/script?name=hi.sh").status, 200);
    assert_eq!(get("/library/text", "/library/text?name=hi.sh").status, 200);
    let made = json!({ "name": "new.sh", "base64": "IyEvYmluL3NoCg==" });
    assert_eq!(post("/library/save", "/library/save", made.clone()).status, 200);
    assert!(post("/library/save", "/library/save", made).status >= 400, "the name is taken");
    let rename = json!({ "from": "new.sh", "to": "other.sh" });
    assert_eq!(post("/library/rename", "/library/rename", rename).status, 200);
    let delete = json!({ "name": "other.sh", "confirm": "other.sh" });
    assert_eq!(post("/library/delete", "/library/delete", delete).status, 200);
    assert_eq!(get("/library/trash", "/library/trash").status, 200);
    assert_eq!(post("/library/restore", "/library/restore", json!({ "what": "other.sh" })).status, 200);
    let form = json!({ "name": "nightly", "script": "hi.sh", "target": "local", "params": {}, "limits": {} });
    assert_eq!(post("/templates", "/templates", json!({ "template": form })).status, 200);
    assert_eq!(get("/templates", "/templates").json()["all"][0]["name"], "nightly");
    assert_eq!(post("/templates/forget", "/templates/forget", json!({ "name": "nightly" })).status, 200);
    assert_eq!(get("/library/versions", "/library/versions?name=hi.sh").status, 200);
    assert_eq!(post("/targets/resolve", "/targets/resolve", json!({ "expr": "local" })).status, 200);
    assert_eq!(post("/targets/resolve", "/targets/resolve", json!({ "expr": "web &" })).status, 422);
    let plan = post("/plans", "/plans", json!({ "script": { "library": "hi.sh" }, "target": "local" })).json();
    assert_eq!(get("/plans/{id}", &format!("/plans/{}", plan["id"].as_str().unwrap())).status, 200);
    let job = post("/jobs", "/jobs", json!({ "plan": plan["id"] }));
    assert_eq!(job.status, 201);
    let at = format!("/jobs/{}", job.json()["id"]);
    eventually("it has ended", || get("/jobs/{id}", &at).json()["state"] == "done");
    for part in ["window?text=hi", "window", "groups", "groups?exact=true", "remarks", "search?text=hi"] {
        let path = format!("/jobs/{{id}}/{}", part.split('?').next().unwrap());
        assert_eq!(get(&path, &format!("{at}/{part}")).status, 200, "{part}");
    }
    // what is said of ends, and how they are told apart
    let group = get("/jobs/{id}/groups", &format!("{at}/groups")).json()["groups"][0].clone();
    let signature = group["signature"].as_str().expect("its name").to_owned();
    assert_eq!(get("/jobs/{id}/masking", &format!("{at}/masking?group={signature}")).status, 200);
    assert_eq!(get("/ways", "/ways?script=hi.sh").status, 200);
    let rules = json!({ "script": "hi.sh", "rules": [] });
    assert_eq!(post("/ways", "/ways", rules).status, 200);
    for remark in [json!({ "note": "fine" }), json!({ "ack": true }), json!({ "runbook": "https://x/y" })] {
        assert_eq!(post("/jobs/{id}/remarks", &format!("{at}/remarks"), remark.clone()).status, 200);
        let of = format!("/signatures/{signature}/remarks");
        assert_eq!(post("/signatures/{name}/remarks", &of, remark).status, 200);
        assert_eq!(get("/signatures/{name}/remarks", &of).status, 200);
    }
    assert_eq!(get("/jobs/remarks", "/jobs/remarks").status, 200);
    let both = json!({ "script": { "library": "ends.sh" }, "target": "local | other" });
    let both = post("/plans", "/plans", both).json();
    let launched = post("/jobs", "/jobs", json!({ "plan": both["id"], "confirm": 2 })).json()["id"].clone();
    let ends = format!("/jobs/{launched}");
    eventually("it has ended", || get("/jobs/{id}", &ends).json()["state"] == "done");
    let groups = get("/jobs/{id}/groups", &format!("{ends}/groups")).json()["groups"].clone();
    let merge = json!({ "merge": { "signatures": [groups[0]["signature"]], "into": groups[1]["signature"] } });
    let preview = format!("{ends}/regroup/preview");
    assert_eq!(post("/jobs/{id}/regroup/preview", &preview, merge.clone()).status, 200, "{groups}");
    assert_eq!(post("/jobs/{id}/regroup", &format!("{ends}/regroup"), merge).status, 200);
    let again = post("/plans", "/plans", json!({ "script": { "job": 1 }, "target": "local" })).json();
    let second = post("/jobs", "/jobs", json!({ "plan": again["id"] })).json()["id"].clone();
    let second = format!("/jobs/{second}");
    eventually("it has ended", || get("/jobs/{id}", &second).json()["state"] == "done");
    assert_eq!(get("/jobs/{id}/against", &format!("{second}/against?job=1")).status, 200);
    let sides = format!("{second}/diff?left=1/run:0&right=run:0");
    assert_eq!(get("/jobs/{id}/diff", &sides).status, 200);
    assert_eq!(get("/doctor", "/doctor?device=local:local").status, 200);
    assert_eq!(get("/doctor/connections", "/doctor/connections").status, 200);
    let told = door.post(&admin, "/search", &json!({ "text": { "kind": "text", "text": "hi" } })).body;
    let told = String::from_utf8(told).expect("text");
    for line in told.lines() {
        let line = serde_json::from_str(line).expect("a line of its own");
        fits(&json!({ "$ref": "#/components/schemas/SearchTold" }), &line, &document)
            .unwrap_or_else(|why| panic!("{why}"));
    }
    assert!(told.lines().count() > 1, "{told}");
    assert_eq!(post("/jobs/{id}/cancel", &format!("{at}/cancel"), json!({})).status, 403, "it has ended");
    assert_eq!(post("/tokens", "/tokens", json!({ "name": "x", "scopes": ["read"] })).status, 201);
    assert_eq!(post("/tokens/revoke", "/tokens/revoke", json!({ "name": "x" })).status, 200);
    for path in
        ["/scripts", "/script_jobs", "/devices", "/device_groups", "/assignment_groups", "/custom_attributes", "/logs"]
    {
        assert_eq!(get(path, path).status, 200, "{path}");
    }
    let script = post("/scripts", "/scripts", json!({ "name": "Say hi", "file": "#!/bin/sh\necho hi\n" }));
    assert_eq!(script.status, 201);
    let script = script.json()["data"]["id"].clone();
    assert_eq!(get("/scripts/{id}", &format!("/scripts/{script}")).status, 200);
    let attribute = post("/custom_attributes", "/custom_attributes", json!({ "name": "site", "default_value": "eu" }));
    assert_eq!(attribute.status, 201);
    assert_eq!(get("/custom_attributes/{name}", "/custom_attributes/site").status, 200);
    let saved = json!({ "name": "here", "expr": "local" });
    assert_eq!(post("/targets/saved", "/targets/saved", saved).status, 200);
    let group = get("/assignment_groups", "/assignment_groups").json()["data"][0]["id"].clone();
    assert_eq!(get("/assignment_groups/{id}", &format!("/assignment_groups/{group}")).status, 200);
    let values = format!("/assignment_groups/{group}/custom_attribute_values");
    assert_eq!(get("/assignment_groups/{id}/{rest}", &values).status, 200);
    let log = get("/logs", "/logs?limit=100").json()["data"][0]["id"].as_str().expect("a line").to_owned();
    assert_eq!(get("/logs/{id}", &format!("/logs/{log}")).status, 200);
    let device = get("/devices", "/devices?search=local").json()["data"][0]["id"].clone();
    assert_eq!(get("/devices/{id}", &format!("/devices/{device}")).status, 200);
    assert_eq!(get("/devices/{id}/{action}", &format!("/devices/{device}/profiles")).status, 200);
    let values = format!("/devices/{device}/custom_attribute_values");
    assert_eq!(get("/devices/{id}/custom_attribute_values", &values).status, 200);
    assert_eq!(get("/devices/{id}/custom_attribute_values/{name}", &format!("{values}/site")).status, 200);
    let job = post("/script_jobs", "/script_jobs", json!({ "script_id": script, "device_ids": [device] }));
    assert_eq!(job.status, 201);
    let at = format!("/script_jobs/{}", job.json()["data"]["id"]);
    assert_eq!(get("/script_jobs/{id}", &at).status, 200);
    assert_eq!(get("/script_jobs/{id}", "/script_jobs/99999").status, 404);
    assert_eq!(post("/scripts", "/scripts", json!({ "name": "x" })).status, 422);
    assert_eq!(get("/jobs/{id}", "/jobs/99").status, 404);
    assert_eq!(get("/jobs/{id}", "/jobs/seven").status, 400);
    assert_eq!(post("/plans", "/plans", json!({})).status, 422);
}
