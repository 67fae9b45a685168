//! Routes that read and write the library's files.

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::routes::{Answered, House, Named};
use crate::model::plan::Caller;
use crate::model::shelf::{Delete, Rename, Renamed, Restore, Save, Saved, Switched, Text, Trashed, Version};

pub(super) fn routes() -> Router<House> {
    Router::new()
        .route("/library/text", get(text))
        .route("/library/save", post(save))
        .route("/library/versions", get(versions))
        .route("/library/rename", post(rename))
        .route("/library/delete", post(delete))
        .route("/library/switch", post(switch))
        .route("/library/trash", get(trash))
        .route("/library/restore", post(restore))
}

#[derive(Deserialize)]
struct Versioned {
    name: String,
    version: Option<String>,
}

async fn text(State(house): State<House>, Query(asked): Query<Versioned>) -> Answered<Text> {
    Ok(Json(house.engine.text(&asked.name, asked.version.as_deref()).await?))
}

async fn save(State(house): State<House>, caller: Caller, Json(asked): Json<Save>) -> Answered<Saved> {
    Ok(Json(house.engine.save(asked, &caller).await?))
}

async fn versions(State(house): State<House>, Query(asked): Query<Named>) -> Answered<Vec<Version>> {
    Ok(Json(house.engine.versions(&asked.name).await?))
}

async fn rename(State(house): State<House>, caller: Caller, Json(asked): Json<Rename>) -> Answered<Renamed> {
    Ok(Json(house.engine.rename(asked, &caller).await?))
}

async fn delete(State(house): State<House>, caller: Caller, Json(asked): Json<Delete>) -> Answered<Trashed> {
    Ok(Json(house.engine.delete(asked, &caller).await?))
}

async fn switch(State(house): State<House>, caller: Caller, Json(asked): Json<Switched>) -> Answered<Switched> {
    Ok(Json(house.engine.switch(asked, &caller).await?))
}

async fn trash(State(house): State<House>) -> Answered<Vec<Trashed>> {
    Ok(Json(house.engine.trash().await?))
}

async fn restore(State(house): State<House>, caller: Caller, Json(asked): Json<Restore>) -> Answered<Trashed> {
    Ok(Json(house.engine.restore(asked.what, &caller).await?))
}
