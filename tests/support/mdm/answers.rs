//! The stand-in's HTTP: who asks, what for, and what becomes of the answer on its way.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};

use super::bag::Bag;
use super::limit::Limit;
use super::world::{Script, World};
use super::{Fault, Shared};

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// What is answered: a status, and a body where there is one.
type Said = (u16, Option<Value>);

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let line = format!("{} {path}", head.method);
    shared.asked.lock().expect("the requests").push(line.clone());
    let fault = {
        let mut faults = shared.faults.lock().expect("the faults");
        let at = faults.iter().position(|(begins, _)| line.starts_with(begins.as_str()));
        at.and_then(|at| faults.remove(at)).map(|(_, fault)| fault)
    };
    match &fault {
        Some(Fault::Status(status)) => return said((*status, Some(error("told to fail")))),
        Some(Fault::TooMany(seconds)) => return too_many(*seconds),
        Some(Fault::Held) => return std::future::pending().await,
        Some(Fault::Html) => {
            let mut answer = Response::new(Body::from("<html>captive portal</html>"));
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            return answer;
        }
        _ => {}
    }
    if let Some(Err(seconds)) = shared.limit.lock().expect("the limit").as_mut().map(Limit::take) {
        return too_many(seconds);
    }
    let body = to_bytes(body, 64 << 20).await.unwrap_or_default();
    let word = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let (kind, key) = (word(header::CONTENT_TYPE).to_owned(), word(header::AUTHORIZATION).to_owned());
    let right = {
        let world = shared.world.lock().expect("the world");
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("{}:", world.key));
        key == format!("Basic {expected}")
    };
    let answer = if right {
        let bag = Bag::read(head.uri.query().unwrap_or_default(), &kind, body).await;
        match bag {
            Ok(bag) => {
                let mut world = shared.world.lock().expect("the world");
                said(route(&mut world, head.method.as_str(), head.uri.path(), &bag))
            }
            Err(why) => said((422, Some(error(&why)))),
        }
    } else {
        said((401, Some(error("unauthorized"))))
    };
    match fault {
        Some(Fault::Lost) => broken(answer, 0).await,
        Some(Fault::Half) => broken(answer, 2).await,
        Some(Fault::Late(pause)) => {
            tokio::time::sleep(pause).await;
            answer
        }
        _ => answer,
    }
}

/// With both headers, the moment strictly in the future.
fn too_many(seconds: u64) -> Response {
    let mut answer = said((429, Some(error("rate limit exceeded"))));
    let reset = jiff::Timestamp::now().as_second() + i64::try_from(seconds).expect("seconds") + 1;
    answer.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(reset));
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// The beginning of an answer (none, or the half of it), then nothing.
async fn broken(answer: Response, half: usize) -> Response {
    let (head, body) = answer.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let piece = whole.slice(..whole.len().checked_div(half).unwrap_or(0));
    let cut = || std::io::Error::other("cut");
    let rest = futures::stream::iter([Ok::<Bytes, std::io::Error>(piece), Err(cut())]);
    Response::from_parts(head, Body::from_stream(rest))
}

fn said((status, body): Said) -> Response {
    let text = body.map(|body| body.to_string()).unwrap_or_default();
    let json = !text.is_empty();
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    if json {
        let kind = HeaderValue::from_static("application/json; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    answer
}

fn error(title: &str) -> Value {
    json!({ "errors": [{ "title": title }] })
}

fn refused(status: u16, title: &str) -> Said {
    (status, Some(error(title)))
}

fn route(world: &mut World, method: &str, path: &str, bag: &Bag) -> Said {
    let Some(path) = path.strip_prefix("/api/v1/") else { return refused(404, "object not found") };
    let words: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let id = words.get(1).and_then(|word| word.parse::<u64>().ok());
    match (method, words.as_slice()) {
        ("GET", ["scripts"]) => {
            list(bag, &world.scripts.keys().copied().collect::<Vec<_>>(), |id| world.show_script(id))
        }
        ("GET", ["devices"]) => {
            let all = bag.yes("include_awaiting_enrollment").unwrap_or(false);
            let search = bag.get("search").unwrap_or_default();
            let shown = world
                .devices
                .iter()
                .filter(|(_, device)| (all || device.status != "awaiting enrollment") && device.name.contains(search));
            list(bag, &shown.map(|(id, _)| *id).collect::<Vec<_>>(), |id| world.show_device(id))
        }
        ("GET", ["assignment_groups"]) => list(bag, &world.assignment.keys().copied().collect::<Vec<_>>(), |id| {
            world.show_group("assignment_group", id)
        }),
        ("GET", ["device_groups"]) => {
            list(bag, &world.legacy.keys().copied().collect::<Vec<_>>(), |id| world.show_group("device_group", id))
        }
        ("GET", ["script_jobs"]) => {
            let ids: Vec<u64> = world.jobs.keys().copied().collect();
            world.asked_for(&ids);
            list(bag, &ids, |id| world.show_job(id, false))
        }
        ("GET", ["custom_attributes"]) => {
            let one = |(name, value): (&String, &String)| json!({ "type": "custom_attribute", "id": name, "attributes": { "name": name, "default_value": value } });
            let all: Vec<Value> = world.attributes.iter().map(one).collect();
            (200, Some(json!({ "data": all, "has_more": false })))
        }
        ("POST", ["custom_attributes"]) => {
            let Some(name) = bag.get("name") else { return refused(422, "name is required") };
            world.attributes.insert(name.to_owned(), bag.get("default_value").unwrap_or_default().to_owned());
            let attributes = json!({ "name": name, "default_value": world.attributes[name] });
            (201, Some(json!({ "data": { "type": "custom_attribute", "id": name, "attributes": attributes } })))
        }
        ("POST", ["scripts"]) => create_script(world, bag),
        ("POST", ["script_jobs"]) => create_job(world, bag),
        (_, [kind, _]) => {
            let Some(id) = id else { return refused(404, "object not found") };
            one(world, method, kind, id, bag)
        }
        _ => refused(404, "object not found"),
    }
}

fn one(world: &mut World, method: &str, kind: &str, id: u64, bag: &Bag) -> Said {
    let found = |shown: Option<Value>| match shown {
        Some(data) => (200, Some(json!({ "data": data }))),
        None => refused(404, "object not found"),
    };
    match (method, kind) {
        ("GET", "scripts") => found(world.show_script(id)),
        ("GET", "devices") => found(world.show_device(id)),
        ("GET", "assignment_groups") => found(world.show_group("assignment_group", id)),
        ("GET", "device_groups") => found(world.show_group("device_group", id)),
        ("GET", "script_jobs") => {
            world.asked_for(&[id]);
            found(world.show_job(id, true))
        }
        ("PATCH", "scripts") => {
            let now = world.now();
            let Some(script) = world.scripts.get_mut(&id) else { return refused(404, "object not found") };
            if bag.get("file").is_some_and(|text| !text.starts_with("#!")) {
                return refused(422, "the script must begin with a shebang");
            }
            if let Some(name) = bag.get("name") {
                script.name = name.to_owned();
            }
            if let Some(content) = bag.get("file") {
                script.content = content.to_owned();
            }
            script.variable_support = bag.yes("variable_support").unwrap_or(script.variable_support);
            script.updated_at = now;
            found(world.show_script(id))
        }
        ("DELETE", "scripts") => match world.scripts.remove(&id) {
            Some(_) => (204, None),
            None => refused(404, "object not found"),
        },
        ("DELETE", "script_jobs") if !world.jobs.contains_key(&id) => refused(404, "object not found"),
        ("DELETE", "script_jobs") => match world.cancel(id) {
            Ok(()) => (204, None),
            Err(why) => refused(422, &why),
        },
        _ => refused(404, "object not found"),
    }
}

fn create_script(world: &mut World, bag: &Bag) -> Said {
    let Some(name) = bag.get("name").filter(|name| !name.is_empty()) else {
        return refused(422, "name can't be blank");
    };
    let Some(content) = bag.get("file") else { return refused(422, "file can't be blank") };
    if !content.starts_with("#!") {
        return refused(422, "the script must begin with a shebang");
    }
    let id = world.script(name, content);
    world.scripts.get_mut(&id).expect("just made").variable_support = bag.yes("variable_support").unwrap_or(false);
    (201, world.show_script(id).map(|data| json!({ "data": data })))
}

fn create_job(world: &mut World, bag: &Bag) -> Said {
    let script: Option<Script> =
        bag.get("script_id").and_then(|id| id.parse().ok()).and_then(|id: u64| world.scripts.get(&id).cloned());
    let Some(script) = script else { return refused(404, "object not found") };
    let ids = (|| {
        let (devices, legacy) = (bag.ids("device_ids")?, bag.ids("group_ids")?);
        world.targets(&devices, &legacy, &bag.ids("assignment_group_ids")?)
    })();
    let ids = match ids {
        Ok(ids) if ids.is_empty() => return refused(422, "no device to run on"),
        Ok(ids) => ids,
        Err(why) => return refused(422, &why),
    };
    let custom = bag.get("custom_attribute").filter(|name| !name.is_empty()).map(str::to_owned);
    if custom.as_ref().is_some_and(|name| !world.attributes.contains_key(name)) {
        return refused(422, "no such custom attribute");
    }
    let id = world.job(&script, &ids);
    let job = world.jobs.get_mut(&id).expect("just made");
    job.regex = bag.get("custom_attribute_regex").filter(|_| custom.is_some()).map(str::to_owned);
    job.custom_attribute = custom;
    (201, world.show_job(id, true).map(|data| json!({ "data": data })))
}

/// A page (contract 1.6): ten unless more are asked for, after an id, oldest first unless told otherwise.
fn list(bag: &Bag, ids: &[u64], show: impl Fn(u64) -> Option<Value>) -> Said {
    let limit = bag.get("limit").map_or(Ok(10), str::parse::<usize>);
    let Ok(limit @ 1..=100) = limit else { return refused(422, "limit must be between 1 and 100") };
    let down = bag.get("direction") == Some("desc");
    let after = bag.get("starting_after").and_then(|after| after.parse::<u64>().ok());
    let mut rest: Vec<u64> = ids
        .iter()
        .copied()
        .filter(|id| after.is_none_or(|after| if down { *id < after } else { *id > after }))
        .collect();
    if down {
        rest.reverse();
    }
    let data: Vec<Value> = rest.iter().take(limit).filter_map(|id| show(*id)).collect();
    (200, Some(json!({ "data": data, "has_more": rest.len() > limit })))
}
