//! Routes of the keys that other programs come with. Over the network they need the scope `admin`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::routes::{Answered, House, Refusal};
use crate::model::plan::Caller;
use crate::model::token::{Made, NewToken, Revoke, Token};

pub(super) fn routes() -> Router<House> {
    Router::new().route("/tokens", get(list).post(make)).route("/tokens/revoke", post(revoke))
}

async fn list(State(house): State<House>) -> Answered<Vec<Token>> {
    Ok(Json(house.engine.token_list().await?))
}

async fn make(
    State(house): State<House>,
    caller: Caller,
    Json(asked): Json<NewToken>,
) -> Result<(StatusCode, Json<Made>), Refusal> {
    Ok((StatusCode::CREATED, Json(house.engine.make_token(asked, &caller).await?)))
}

async fn revoke(State(house): State<House>, caller: Caller, Json(asked): Json<Revoke>) -> Answered<()> {
    Ok(Json(house.engine.revoke_token(asked.name, &caller).await?))
}
