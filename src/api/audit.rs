//! Routes that read the audit log. None writes it.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;

use super::routes::{Answered, House};
use crate::model::audit::{Page, Verified};

pub(super) fn routes() -> Router<House> {
    Router::new().route("/audit", get(page)).route("/audit/verify", get(verify))
}

#[derive(Deserialize)]
struct Wish {
    /// Offset in the log; 0 by default.
    from: Option<u64>,
    since: Option<Timestamp>,
}

async fn page(State(house): State<House>, Query(asked): Query<Wish>) -> Answered<Page> {
    Ok(Json(house.engine.audited(asked.from.unwrap_or(0), asked.since).await?))
}

async fn verify(State(house): State<House>) -> Answered<Verified> {
    Ok(Json(house.engine.verified().await?))
}
