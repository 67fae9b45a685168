//! Routes for what comes after a job: comparing.

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::routes::{Answered, House};
use crate::model::compare::{Against, Comparison, Pick};
use crate::model::job::JobId;
use crate::model::wire::{Code, Problem};

pub(super) fn routes() -> Router<House> {
    Router::new().route("/jobs/{id}/diff", get(diff)).route("/jobs/{id}/against", get(against))
}

#[derive(Deserialize)]
struct Sides {
    /// Sides as `model::compare::Pick` writes them; by default the base.
    left: Option<String>,
    right: String,
    /// By default masked.
    masked: Option<bool>,
}

async fn diff(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<Sides>) -> Answered<Comparison> {
    let pick = |text: &str| text.parse::<Pick>().map_err(|error| Problem { code: Code::Invalid, error, column: None });
    let (left, right) = (pick(asked.left.as_deref().unwrap_or("base"))?, pick(&asked.right)?);
    Ok(Json(house.engine.diff(id, &left, &right, asked.masked.unwrap_or(true)).await?))
}

#[derive(Deserialize)]
struct Other {
    job: Option<JobId>,
}

async fn against(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<Other>) -> Answered<Against> {
    Ok(Json(house.engine.against(id, asked.job).await?))
}
