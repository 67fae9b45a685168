//! The route of the search over past jobs: what is found, one JSON object a line, as it is found.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};

use super::routes::{House, Refusal};
use crate::model::past::Past;

pub(super) fn routes() -> Router<House> {
    Router::new().route("/search", post(search))
}

async fn search(State(house): State<House>, Json(asked): Json<Past>) -> Result<Response, Refusal> {
    let mut found = house.engine.past(asked).await?;
    let lines = futures::stream::poll_fn(move |context| {
        found.poll_recv(context).map(|told| {
            told.map(|told| {
                let mut line = serde_json::to_vec(&told).unwrap_or_default();
                line.push(b'\n');
                Ok::<_, Infallible>(line)
            })
        })
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}
