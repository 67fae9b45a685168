//! Where other systems tell what has happened.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use bytes::Bytes;

use super::routes::{House, Refusal, refusal};
use super::tcp::Peer;
use crate::engine::hooks::Says;
use crate::model::hook::Heard;
use crate::model::plan::Caller;
use crate::model::token::Key;
use crate::model::wire::Code;

/// A longer event is none.
pub(super) const EVENT_MAX: usize = 1 << 20;

pub(super) fn routes() -> Router<House> {
    Router::new().route("/webhooks/{name}", post(happened))
}

async fn happened(
    State(house): State<House>,
    Path(name): Path<String>,
    key: Option<Extension<Key>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Heard>), Response> {
    if body.len() > EVENT_MAX {
        let why = format!("an event has {} MiB at most", EVENT_MAX >> 20);
        return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, Code::Invalid, why));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let says = match (&key, &peer) {
        (Some(Extension(key)), _) => Says::Key(key),
        (None, None) => Says::Own,
        (None, Some(_)) => match (header("quarterdeck-timestamp"), header("quarterdeck-signature")) {
            (Some(at), Some(signature)) => Says::Signed { at, signature },
            _ => Says::Nobody,
        },
    };
    if !house.engine.listens(&name, &body, &says).await {
        let why = "neither a key nor a signature with this webhook's secret".to_owned();
        return Err(refusal(StatusCode::UNAUTHORIZED, Code::Refused, why));
    }
    let limit = key.as_ref().and_then(|Extension(key)| key.groups.as_deref());
    let heard = house.engine.happened(&name, &body, limit, &caller).await;
    let heard = heard.map_err(|problem| Refusal::from(problem).into_response())?;
    Ok((if heard.launched.is_empty() { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(heard)))
}
