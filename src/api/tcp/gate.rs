//! Who may pass: the key, what it may do, how often, and a body that comes whole and in time. A request that is refused
//! here has touched nothing. Each is noted, with the name of its key and never the key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant as Moment, timeout, timeout_at};

use super::Peer;
use super::log::{Line, Log, PATH_MAX};
use super::scopes::{self, Needs};
use super::slow::{Rate, Wait, Wrong};
use crate::api::hooks::EVENT_MAX;
use crate::api::routes::{BODY_MAX, refusal};
use crate::engine::Engine;
use crate::engine::tokens::Live;
use crate::model::listen::Listen;
use crate::model::wire::{AGENT, Code, FROM};

/// A longer line of credentials holds none of our keys.
const CREDENTIALS_MAX: usize = 1024;

/// Bodies that come more slowly, in bytes a second, are not waited for.
const SLOWEST: u64 = 16 << 10;

/// Bodies that are held at once, in KiB.
const HELD: u32 = 128 << 10;

/// What the router itself refuses is a sentence.
const SENTENCE: usize = 4096;

pub struct Gate {
    engine: Arc<Engine>,
    rate: Rate,
    wrong: Wrong,
    patience: Duration,
    room: Arc<Semaphore>,
    log: Log,
}

impl Gate {
    pub fn new(engine: Arc<Engine>, how: &Listen, log: Log) -> Self {
        Self {
            engine,
            rate: Rate::new(how.rate),
            wrong: Wrong::default(),
            patience: how.patience,
            room: Arc::new(Semaphore::new(HELD as usize)),
            log,
        }
    }

    /// Whose key a request came with.
    async fn known(&self, headers: &HeaderMap, peer: Peer) -> Result<Arc<Live>, Response> {
        let Some(said) = headers.get(header::AUTHORIZATION) else {
            return Err(unknown(
                "no key: send it as the user name of HTTP Basic, with an empty password, or as Bearer",
            ));
        };
        let live = key_in(said).and_then(|key| self.engine.key(&key));
        match live {
            Some(live) => Ok(live),
            None => {
                tokio::time::sleep(self.wrong.said(peer.0.ip(), Timestamp::now())).await;
                Err(unknown("the key is not known here, or was revoked: see `quarterdeck tokens ls`"))
            }
        }
    }

    async fn answer(&self, peer: Peer, mut request: Request, next: Next, name: &mut Option<String>) -> Response {
        // what only this user's own programs may say of themselves
        for header in [AGENT, FROM] {
            request.headers_mut().remove(header);
        }
        let way = scopes::find(request.method().as_str(), request.uri().path());
        if let Ok(Needs { scope: None, .. }) = way {
            return next.run(request).await;
        }
        if matches!(way, Ok(Needs { signed: true, .. })) && !request.headers().contains_key(header::AUTHORIZATION) {
            let (parts, body) = request.into_parts();
            return match self.whole(&parts.headers, body, EVENT_MAX).await {
                Ok((bytes, _room)) => worded(next.run(Request::from_parts(parts, Body::from(bytes))).await).await,
                Err(response) => response,
            };
        }
        let live = match self.known(request.headers(), peer).await {
            Ok(live) => live,
            Err(response) => return response,
        };
        let key = &live.key;
        *name = Some(key.name.clone());
        if let Err(wait) = self.rate.count(&key.name, Timestamp::now()) {
            return hurried(wait);
        }
        let needs = match way {
            Ok(needs) => needs,
            Err(other) => {
                let (method, path) = (request.method(), request.uri().path());
                let said = if other { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
                let path: String = path.chars().take(PATH_MAX).collect();
                return refusal(said, Code::NotFound, format!("no door at {method} {path}"));
            }
        };
        if let Some(scope) = needs.scope.filter(|scope| !key.may(*scope)) {
            let why = format!("the key {} may not do this: it needs the scope {scope}", key.name);
            return refusal(StatusCode::FORBIDDEN, Code::Refused, why);
        }
        if let Some(groups) = key.groups.as_ref().filter(|_| !needs.limits) {
            let why = format!("the key {} is limited to {groups}, which this path cannot keep to", key.name);
            return refusal(StatusCode::FORBIDDEN, Code::Refused, why);
        }
        let (mut parts, body) = request.into_parts();
        let (bytes, _room) = match self.whole(&parts.headers, body, BODY_MAX).await {
            Ok(whole) => whole,
            Err(response) => return response,
        };
        parts.extensions.insert(key.as_ref().clone());
        let answer = next.run(Request::from_parts(parts, Body::from(bytes))).await;
        until_revoked(worded(answer).await, &live)
    }

    /// The body, once it is there.
    async fn whole(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Response> {
        let large = || {
            let why = format!("a body has {} MiB at most", limit >> 20);
            refusal(StatusCode::PAYLOAD_TOO_LARGE, Code::Invalid, why)
        };
        if body.is_end_stream() {
            return Ok((Bytes::new(), None));
        }
        let told = headers.get(header::CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse::<u64>().ok());
        let most = told.unwrap_or(limit as u64);
        if most > limit as u64 {
            return Err(large());
        }
        let kib = u32::try_from(most >> 10).unwrap_or(HELD).saturating_add(1).min(HELD);
        let room = timeout(self.patience, Arc::clone(&self.room).acquire_many_owned(kib)).await;
        let Ok(Ok(room)) = room else {
            let why = "too much is being sent to this engine at once: try again".to_owned();
            return Err(refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, why));
        };
        let mut until = Moment::now() + self.patience;
        let (mut stream, mut bytes) = (body.into_data_stream(), BytesMut::new());
        loop {
            let chunk = match timeout_at(until, stream.next()).await {
                Ok(None) => return Ok((bytes.freeze(), Some(room))),
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(_))) => {
                    return Err(refusal(StatusCode::BAD_REQUEST, Code::Invalid, "the body broke off".to_owned()));
                }
                Err(_) => {
                    let why = "the body did not come in time".to_owned();
                    return Err(refusal(StatusCode::REQUEST_TIMEOUT, Code::Invalid, why));
                }
            };
            if bytes.len() + chunk.len() > limit {
                return Err(large());
            }
            until += Duration::from_micros(chunk.len() as u64 * 1_000_000 / SLOWEST);
            bytes.extend_from_slice(&chunk);
        }
    }
}

/// Every request from the network comes through here.
pub async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let method = request.method().as_str().to_owned();
    let path: String = request.uri().path().chars().take(PATH_MAX).collect();
    let mut key = None;
    let answer = gate.answer(peer, request, next, &mut key).await;
    gate.log.note(&Line {
        at: Timestamp::now(),
        from: peer.0.to_string(),
        key: key.as_deref(),
        method: &method,
        path: &path,
        status: answer.status().as_u16(),
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        bytes: answer.body().size_hint().exact(),
    });
    answer
}

/// The key in `Basic base64(KEY:)` or `Bearer KEY`.
fn key_in(said: &HeaderValue) -> Option<String> {
    let text = said.to_str().ok().filter(|text| text.len() <= CREDENTIALS_MAX)?;
    let (how, rest) = text.split_once(' ')?;
    if how.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !how.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    pair.strip_suffix(':').map(str::to_owned)
}

/// Not `Basic`: a browser would ask for it, keep it, and send it along with what another site makes it ask.
fn unknown(why: &str) -> Response {
    let mut response = refusal(StatusCode::UNAUTHORIZED, Code::Refused, why.to_owned());
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"quarterdeck\""));
    response
}

fn hurried(wait: Wait) -> Response {
    let why = format!("too many requests with this key: go on in {} s", wait.seconds);
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, Code::Refused, why);
    response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(wait.until));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds));
    response
}

/// What the router refuses in plain text (an id that is no number, JSON that breaks off), in the words of all refusals.
async fn worded(answer: Response) -> Response {
    let status = answer.status();
    let json =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || json {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let text = axum::body::to_bytes(body, SENTENCE).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let why = match text.trim() {
        "" => status.canonical_reason().unwrap_or("refused").to_lowercase(),
        text => text.to_owned(),
    };
    let mut worded = refusal(status, Code::Invalid, why);
    worded.headers_mut().extend(parts.headers.into_iter().filter_map(|(name, value)| {
        let name = name.filter(|name| *name == header::ALLOW || *name == header::RETRY_AFTER)?;
        Some((name, value))
    }));
    worded
}

/// An answer that goes on for as long as somebody reads it ends with its key.
fn until_revoked(answer: Response, live: &Live) -> Response {
    if answer.body().size_hint().exact().is_some() {
        return answer;
    }
    let revoked = live.revoked.clone();
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(revoked.cancelled_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_user_name_without_a_password_or_a_bearer_s() {
        let key = |text: &str| key_in(&HeaderValue::from_str(text).unwrap());
        assert_eq!(key("Basic S0VZOg=="), Some("KEY".to_owned()));
        assert_eq!(key("basic S0VZOg=="), Some("KEY".to_owned()));
        assert_eq!(key("Bearer KEY"), Some("KEY".to_owned()));
        let password = format!("Basic {}", STANDARD.encode("KEY:secret"));
        let long = format!("Bearer {}", "k".repeat(2000));
        for none in ["KEY", "Basic", "Basic KEY", "Digest KEY", "Basic ////", &password, &long] {
            assert_eq!(key(none), None, "{none}");
        }
    }
}
