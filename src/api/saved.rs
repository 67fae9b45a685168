//! Routes of the targets that are kept under a name; the list of them comes with the targets.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};

use super::routes::{Answered, House};
use crate::model::plan::Caller;
use crate::model::saved::{Forget, Save};

pub(super) fn routes() -> Router<House> {
    Router::new().route("/targets/saved", post(keep)).route("/targets/saved/forget", post(forget))
}

async fn keep(State(house): State<House>, caller: Caller, Json(asked): Json<Save>) -> Answered<()> {
    Ok(Json(house.engine.keep_target(asked, &caller).await?))
}

async fn forget(State(house): State<House>, caller: Caller, Json(asked): Json<Forget>) -> Answered<()> {
    Ok(Json(house.engine.forget_target(asked, &caller).await?))
}
