//! Routes of triage: the groups of a job, and what people say of signatures and jobs.

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::routes::{Answered, House};
use crate::model::job::JobId;
use crate::model::triage::{About, Groups, Remark, Subject};

pub(super) fn routes() -> Router<House> {
    Router::new()
        .route("/jobs/{id}/groups", get(groups))
        .route("/jobs/{id}/remarks", get(about_job).post(remark_job))
        .route("/signatures/{name}/remarks", get(about).post(remark))
}

#[derive(Deserialize)]
struct How {
    exact: Option<bool>,
}

async fn groups(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<How>) -> Answered<Groups> {
    Ok(Json(house.engine.groups(id, asked.exact.unwrap_or(false)).await?))
}

async fn about_job(State(house): State<House>, Path(id): Path<JobId>) -> Answered<About> {
    Ok(Json(house.engine.about(&Subject::Job(id)).await?))
}

async fn remark_job(State(house): State<House>, Path(id): Path<JobId>, Json(remark): Json<Remark>) -> Answered<About> {
    Ok(Json(house.engine.remark(&Subject::Job(id), remark).await?))
}

async fn about(State(house): State<House>, Path(name): Path<String>) -> Answered<About> {
    Ok(Json(house.engine.about(&Subject::Signature(name)).await?))
}

async fn remark(State(house): State<House>, Path(name): Path<String>, Json(remark): Json<Remark>) -> Answered<About> {
    Ok(Json(house.engine.remark(&Subject::Signature(name), remark).await?))
}
