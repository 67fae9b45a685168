//! Routes of the launches that are kept under a name.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::routes::{Answered, House};
use crate::model::template::{Forget, Keep, Templates};

pub(super) fn routes() -> Router<House> {
    Router::new().route("/templates", get(list).post(keep)).route("/templates/forget", post(forget))
}

async fn list(State(house): State<House>) -> Answered<Templates> {
    Ok(Json(house.engine.templates().await?))
}

async fn keep(State(house): State<House>, Json(asked): Json<Keep>) -> Answered<()> {
    Ok(Json(house.engine.keep_template(asked).await?))
}

async fn forget(State(house): State<House>, Json(asked): Json<Forget>) -> Answered<()> {
    Ok(Json(house.engine.forget_template(asked.name).await?))
}
