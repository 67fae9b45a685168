//! The document by which other programs learn of this door: OpenAPI 3.1, from the table of ways and the schemas beside
//! this file. It is made once, and checked against a running engine by `tests/openapi.rs`.

mod mdm;

use std::sync::OnceLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::mdm::DOORS;
use super::routes::House;
use super::ways::{OWN, Way};

const SCHEMAS: &str = include_str!("schemas.json");

pub(super) fn routes() -> Router<House> {
    Router::new().route("/openapi.json", get(document))
}

async fn document() -> impl IntoResponse {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| serde_json::to_vec(&whole()).unwrap_or_default().into());
    ([(header::CONTENT_TYPE, "application/json")], text.clone())
}

fn whole() -> Value {
    let mut paths = Map::new();
    let mut put = |way: &Way, operation: Value| {
        let path = paths.entry(format!("/api/v1{}", way.path.replace("{*", "{"))).or_insert_with(|| json!({}));
        path[way.method.to_lowercase()] = operation;
    };
    for way in OWN {
        put(way, operation(way));
    }
    for (method, path, scope) in DOORS {
        let way = mdm::way(method.as_str(), path, *scope);
        let mut operation = operation(&way);
        let parameters = mdm::parameters(&way);
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if !way.takes.is_empty() {
            operation["requestBody"] = mdm::body();
        }
        put(&way, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quarterdeck",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Scripts, devices and jobs of one engine. Made for SimpleMDM's clients as well: its paths \
                            for scripts, script jobs, devices, groups, custom attributes and logs are answered as \
                            SimpleMDM documents them.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "paths": paths,
        "security": [{ "basic": [] }, { "bearer": [] }],
        "components": {
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic", "description": "The key as user name, no password." },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
            "responses": {
                "Refused": {
                    "description": "Refused: 400 to 503, with the reason",
                    "content": { "application/json": { "schema": named("Refusal") } },
                },
            },
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
        },
    })
}

fn operation(way: &Way) -> Value {
    let mut operation = json!({
        "summary": way.says,
        "operationId": format!("{}{}", way.method.to_lowercase(), way.path.replace(['/', '{', '}', '.', '*'], "_")),
        "responses": answers(way.gives),
    });
    let parameters: Vec<Value> = way
        .path
        .split('/')
        .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*')))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !way.takes.is_empty() {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema(way.takes) } } });
    }
    match way.scope {
        Some(scope) => operation["x-scope"] = scope.word().into(),
        None => operation["security"] = json!([]),
    }
    operation
}

/// `Job`, `[Job]`, `201 Job`, `204`, `text/event-stream`, `application/x-ndjson SearchTold` (one a line); of several that
/// may come back, `Job, 204`.
fn answers(gives: &str) -> Value {
    let mut answers = json!({ "default": { "$ref": "#/components/responses/Refused" } });
    for one in gives.split(", ").filter(|one| !one.is_empty()) {
        let (status, what) = match one.split_once(' ').unwrap_or((one, "")) {
            (status, what) if status.bytes().all(|byte| byte.is_ascii_digit()) => (status, what),
            _ => ("200", one),
        };
        answers[status] = json!({ "description": "As asked" });
        let content = match what.split_once(' ') {
            Some((kind, of)) => json!({ kind: { "schema": schema(of) } }),
            None if what.is_empty() => continue,
            None if what.contains('/') => json!({ what: {} }),
            None => json!({ "application/json": { "schema": schema(what) } }),
        };
        answers[status]["content"] = content;
    }
    answers
}

fn schema(what: &str) -> Value {
    match what.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(item) => json!({ "type": "array", "items": schema(item) }),
        None if what == "null" => json!({ "type": "null" }),
        None => named(what),
    }
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn what_the_document_refers_to_is_in_it() {
        let whole = whole();
        let mut found = Vec::new();
        references(&whole, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("of this document");
            assert!(whole.pointer(pointer).is_some(), "{reference}");
        }
    }
}
