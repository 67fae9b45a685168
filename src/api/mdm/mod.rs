//! The API of other programs: SimpleMDM's, for scripts, script jobs, devices, groups, custom attributes and logs, with
//! the engine's own library, inventory and jobs behind it. What goes beyond it (filters, Base64, outputs apart, live
//! events) its clients do not see. Owns the words of that contract; what they mean is decided by the engine.

mod attributes;
mod bag;
mod devices;
mod envelope;
mod facts;
mod groups;
mod logs;
mod object;
mod outputs;
mod script_jobs;
mod scripts;

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use self::bag::{BODY_MAX, Bag};
use self::envelope::Fault;
use super::routes::House;
use crate::engine::Engine;
use crate::engine::door::Reach;
use crate::model::nearest::shown;
use crate::model::plan::Caller;
use crate::model::token::{Key, Scope};

/// Every door of this room, with the scope that it needs; a path also has one with a slash behind it. `POST` where an
/// object lies is for those who write `_method` into it.
pub const DOORS: &[(Method, &str, Scope)] = &[
    (Method::GET, "/scripts", Scope::Read),
    (Method::POST, "/scripts", Scope::Edit),
    (Method::GET, "/scripts/{id}", Scope::Read),
    (Method::PATCH, "/scripts/{id}", Scope::Edit),
    (Method::POST, "/scripts/{id}", Scope::Edit),
    (Method::DELETE, "/scripts/{id}", Scope::Edit),
    (Method::GET, "/script_jobs", Scope::Read),
    (Method::POST, "/script_jobs", Scope::Run),
    (Method::GET, "/script_jobs/{id}", Scope::Read),
    (Method::POST, "/script_jobs/{id}", Scope::Run),
    (Method::DELETE, "/script_jobs/{id}", Scope::Run),
    (Method::GET, "/script_jobs/{id}/events", Scope::Read),
    (Method::GET, "/script_jobs/{id}/devices/{device}/{stream}", Scope::Read),
    (Method::GET, "/devices", Scope::Read),
    (Method::POST, "/devices", Scope::Edit),
    (Method::GET, "/devices/{id}", Scope::Read),
    (Method::PATCH, "/devices/{id}", Scope::Edit),
    (Method::POST, "/devices/{id}", Scope::Edit),
    (Method::DELETE, "/devices/{id}", Scope::Edit),
    (Method::GET, "/devices/{id}/{action}", Scope::Read),
    (Method::POST, "/devices/{id}/{action}", Scope::Edit),
    (Method::DELETE, "/devices/{id}/{action}", Scope::Edit),
    (Method::GET, "/devices/{id}/custom_attribute_values", Scope::Read),
    (Method::PUT, "/devices/{id}/custom_attribute_values", Scope::Edit),
    (Method::POST, "/devices/{id}/custom_attribute_values", Scope::Edit),
    (Method::GET, "/devices/{id}/custom_attribute_values/{name}", Scope::Read),
    (Method::PUT, "/devices/{id}/custom_attribute_values/{name}", Scope::Edit),
    (Method::POST, "/devices/{id}/custom_attribute_values/{name}", Scope::Edit),
    (Method::GET, "/device_groups", Scope::Read),
    (Method::POST, "/device_groups", Scope::Edit),
    (Method::GET, "/device_groups/{id}", Scope::Read),
    (Method::PATCH, "/device_groups/{id}", Scope::Edit),
    (Method::POST, "/device_groups/{id}", Scope::Edit),
    (Method::DELETE, "/device_groups/{id}", Scope::Edit),
    (Method::GET, "/device_groups/{id}/{*rest}", Scope::Read),
    (Method::POST, "/device_groups/{id}/{*rest}", Scope::Edit),
    (Method::PUT, "/device_groups/{id}/{*rest}", Scope::Edit),
    (Method::DELETE, "/device_groups/{id}/{*rest}", Scope::Edit),
    (Method::GET, "/assignment_groups", Scope::Read),
    (Method::POST, "/assignment_groups", Scope::Edit),
    (Method::GET, "/assignment_groups/{id}", Scope::Read),
    (Method::PATCH, "/assignment_groups/{id}", Scope::Edit),
    (Method::POST, "/assignment_groups/{id}", Scope::Edit),
    (Method::DELETE, "/assignment_groups/{id}", Scope::Edit),
    (Method::GET, "/assignment_groups/{id}/{*rest}", Scope::Read),
    (Method::POST, "/assignment_groups/{id}/{*rest}", Scope::Edit),
    (Method::PUT, "/assignment_groups/{id}/{*rest}", Scope::Edit),
    (Method::DELETE, "/assignment_groups/{id}/{*rest}", Scope::Edit),
    (Method::GET, "/custom_attributes", Scope::Read),
    (Method::POST, "/custom_attributes", Scope::Edit),
    (Method::GET, "/custom_attributes/{name}", Scope::Read),
    (Method::PATCH, "/custom_attributes/{name}", Scope::Edit),
    (Method::PUT, "/custom_attributes/{name}", Scope::Edit),
    (Method::POST, "/custom_attributes/{name}", Scope::Edit),
    (Method::DELETE, "/custom_attributes/{name}", Scope::Edit),
    (Method::PUT, "/custom_attribute_values/{name}", Scope::Edit),
    (Method::POST, "/custom_attribute_values/{name}", Scope::Edit),
    (Method::GET, "/logs", Scope::Read),
    (Method::GET, "/logs/{id}", Scope::Read),
];

pub(super) fn routes() -> Router<House> {
    let mut router = Router::new();
    router = door(router, "/scripts", scripts::all);
    router = door(router, "/scripts/{id}", scripts::one);
    router = door(router, "/script_jobs", script_jobs::all);
    router = door(router, "/script_jobs/{id}", script_jobs::one);
    router = door(router, "/script_jobs/{id}/events", outputs::events);
    router = door(router, "/script_jobs/{id}/devices/{device}/{stream}", outputs::raw);
    router = door(router, "/devices", devices::all);
    router = door(router, "/devices/{id}", devices::one);
    router = door(router, "/devices/{id}/{action}", devices::action);
    router = door(router, "/devices/{id}/custom_attribute_values", attributes::of_device);
    router = door(router, "/devices/{id}/custom_attribute_values/{name}", attributes::value);
    for kind in ["device_groups", "assignment_groups"] {
        router = door(router, &format!("/{kind}"), groups::all);
        router = door(router, &format!("/{kind}/{{id}}"), groups::one);
        router = router.route(&format!("/{kind}/{{id}}/{{*rest}}"), any(groups::within));
    }
    router = door(router, "/custom_attributes", attributes::all);
    router = door(router, "/custom_attributes/{name}", attributes::one);
    router = door(router, "/custom_attribute_values/{name}", attributes::bulk);
    router = door(router, "/logs", logs::all);
    door(router, "/logs/{id}", logs::one)
}

fn door<H: Handler<T, House>, T: 'static>(router: Router<House>, path: &str, handler: H) -> Router<House> {
    router.route(path, any(handler.clone())).route(&format!("{path}/"), any(handler))
}

/// Whether an address (below `/api/v1`) is one of this room's, known or not.
pub(super) fn ours(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    DOORS.iter().any(|(_, known, _)| known[1..].split('/').next() == Some(first))
}

/// What is said at an address that is none.
pub(super) fn nowhere(method: &Method, path: &str) -> Response {
    Fault::new(StatusCode::NOT_FOUND, format!("no such address: {method} {}", shown(path))).into_response()
}

/// A request, taken apart.
struct Ask {
    engine: Arc<Engine>,
    /// As it is meant: `_method` heeded.
    method: Method,
    /// The first word of the address.
    kind: String,
    path: Vec<(String, String)>,
    bag: Bag,
    caller: Caller,
    reach: Reach,
    /// `API (ops key)`
    made_by: String,
}

impl FromRequest<House> for Ask {
    type Rejection = Fault;

    async fn from_request(request: Request, house: &House) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let path = RawPathParams::from_request_parts(&mut parts, house).await.map_err(|_| Fault::not_found())?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let kind_of = |path: &str| {
            path.trim_start_matches('/').trim_start_matches("api/v1/").split('/').next().map(str::to_owned)
        };
        let first = kind_of(parts.uri.path()).unwrap_or_default();
        let Ok(caller) = Caller::from_request_parts(&mut parts, house).await;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let told = parts.headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
        let large = || {
            let limit = BODY_MAX >> 20;
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} MiB: nothing was done"))
        };
        if told.is_some_and(|told| told > BODY_MAX as u64) {
            return Err(large());
        }
        let body = to_bytes(body, BODY_MAX).await.map_err(|error| {
            let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if text.contains("length limit") { large() } else { Fault::bad("the body was cut off: nothing was done") }
        })?;
        let bag = Bag::read(parts.uri.query().unwrap_or_default(), kind.as_deref(), body).await?;
        let mut method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        if method == Method::POST
            && let Some(word) = bag.word("_method")?
        {
            method = match word.to_ascii_uppercase().as_str() {
                "PATCH" => Method::PATCH,
                "PUT" => Method::PUT,
                "DELETE" => Method::DELETE,
                "POST" => Method::POST,
                _ => return Err(Fault::bad(format!("_method: '{}' is none of PATCH, PUT, DELETE", shown(&word)))),
            };
        }
        let key = parts.extensions.get::<Key>();
        let reach = match key.and_then(|key| key.groups.as_deref()) {
            Some(expr) => {
                Some(house.engine.reach(expr).await.map_err(|why| Fault::new(StatusCode::FORBIDDEN, why.error))?)
            }
            None => None,
        };
        let made_by = format!("API ({})", key.map_or(house.engine.user.as_str(), |key| key.name.as_str()));
        Ok(Self { engine: Arc::clone(&house.engine), method, kind: first, path, bag, caller, reach, made_by })
    }
}

impl Ask {
    /// A part of the path.
    fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// One that is a number; anything else names nothing.
    fn id(&self, name: &str) -> Result<u64, Fault> {
        self.part(name).parse().map_err(|_| Fault::not_found())
    }

    fn reaches(&self, device: &str) -> bool {
        self.reach.as_ref().is_none_or(|reach| reach.contains(device))
    }

    fn cannot(&self, can: &str) -> Fault {
        let title = format!("{} is not possible here: {can}", self.method);
        Fault::new(StatusCode::METHOD_NOT_ALLOWED, title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_known_by_its_first_word() {
        for (path, is) in [
            ("/scripts", true),
            ("/scripts/1/x/y", true),
            ("/custom_attribute_values", true),
            ("/jobs/1", false),
            ("/script", false),
            ("", false),
        ] {
            assert_eq!(ours(path), is, "{path}");
        }
    }
}
