//! Routes of triage: the groups of a job, how they are put together, and what people say of them.

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::routes::{Answered, House};
use crate::model::job::JobId;
use crate::model::plan::Caller;
use crate::model::triage::{About, Groups, Remark, Subject};
use crate::model::ways::{Foreseen, Masking, Regroup, Rules, Ways};

pub(super) fn routes() -> Router<House> {
    Router::new()
        .route("/jobs/{id}/groups", get(groups))
        .route("/jobs/remarks", get(about_jobs))
        .route("/jobs/{id}/remarks", get(about_job).post(remark_job))
        .route("/jobs/{id}/masking", get(masking))
        .route("/jobs/{id}/regroup", post(regroup))
        .route("/jobs/{id}/regroup/preview", post(foresee))
        .route("/ways", get(ways).post(rules))
        .route("/signatures/{name}/remarks", get(about).post(remark))
}

#[derive(Deserialize)]
struct How {
    exact: Option<bool>,
    /// The job to compare with, if not the fair one.
    base: Option<JobId>,
}

async fn groups(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<How>) -> Answered<Groups> {
    Ok(Json(house.engine.groups_beside(id, asked.exact.unwrap_or(false), asked.base).await?))
}

async fn about_jobs(State(house): State<House>) -> Answered<Vec<About>> {
    Ok(Json(house.engine.remarked_jobs().await?))
}

async fn about_job(State(house): State<House>, Path(id): Path<JobId>) -> Answered<About> {
    Ok(Json(house.engine.about(&Subject::Job(id)).await?))
}

async fn remark_job(
    State(house): State<House>,
    Path(id): Path<JobId>,
    caller: Caller,
    Json(remark): Json<Remark>,
) -> Answered<About> {
    Ok(Json(house.engine.remark(&Subject::Job(id), remark, &caller).await?))
}

async fn about(State(house): State<House>, Path(name): Path<String>) -> Answered<About> {
    Ok(Json(house.engine.about(&Subject::Signature(name)).await?))
}

async fn remark(
    State(house): State<House>,
    Path(name): Path<String>,
    caller: Caller,
    Json(remark): Json<Remark>,
) -> Answered<About> {
    Ok(Json(house.engine.remark(&Subject::Signature(name), remark, &caller).await?))
}

async fn regroup(
    State(house): State<House>,
    Path(id): Path<JobId>,
    caller: Caller,
    Json(what): Json<Regroup>,
) -> Answered<Ways> {
    Ok(Json(house.engine.regroup(id, what, &caller).await?))
}

async fn foresee(State(house): State<House>, Path(id): Path<JobId>, Json(what): Json<Regroup>) -> Answered<Foreseen> {
    Ok(Json(house.engine.foresee(id, what).await?))
}

#[derive(Deserialize)]
struct Which {
    group: String,
}

async fn masking(State(house): State<House>, Path(id): Path<JobId>, Query(which): Query<Which>) -> Answered<Masking> {
    Ok(Json(house.engine.masking(id, &which.group).await?))
}

#[derive(Deserialize)]
struct Of {
    script: String,
}

async fn ways(State(house): State<House>, Query(of): Query<Of>) -> Answered<Ways> {
    Ok(Json(house.engine.ways(&of.script).await?))
}

async fn rules(State(house): State<House>, caller: Caller, Json(given): Json<Rules>) -> Answered<Ways> {
    Ok(Json(house.engine.set_rules(&given.script, given.rules, &caller).await?))
}
