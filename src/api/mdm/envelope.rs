//! What every answer has around it: `{"data": …}`, `has_more` and the cursor, `{"errors": [{"title": …}]}`, and how
//! moments are written.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::bag::Bag;
use crate::model::nearest::shown;
use crate::model::wire::{Code, Problem};

/// Objects of a page, where nobody says how many.
const USUAL: usize = 10;
const MOST: usize = 100;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub status: StatusCode,
    pub title: String,
}

impl Fault {
    pub fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self { status, title: title.into() }
    }

    /// It cannot be read.
    pub fn bad(title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title)
    }

    /// It can be read, and cannot be done.
    pub fn invalid(title: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, title)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "object not found")
    }

    /// What is asked for is an unknown id of a list, which is no reason to say that the address is unknown.
    pub fn into_invalid(self) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..self }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let status = match problem.code {
            Code::Invalid | Code::Unconfirmed | Code::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Stale => StatusCode::CONFLICT,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, problem.error)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let title: String = self.title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        written(self.status, &json!({ "errors": [{ "title": title }] }))
    }
}

pub type Answer = Result<Response, Fault>;

/// What goes around data. Written as it lies there: a `json!` around it would copy all of it first.
#[derive(Serialize)]
struct Around<T> {
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
}

fn around(status: StatusCode, data: impl Serialize, has_more: Option<bool>) -> Response {
    written(status, &Around { data, has_more })
}

fn written(status: StatusCode, value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], bytes).into_response()
}

/// One object.
pub fn one(data: Value) -> Response {
    around(StatusCode::OK, data, None)
}

/// One object that was made.
pub fn created(data: Value) -> Response {
    around(StatusCode::CREATED, data, None)
}

/// Done, and nothing to be said.
pub fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A page.
pub fn page(data: Vec<Value>, more: bool) -> Response {
    around(StatusCode::OK, data, Some(more))
}

/// Rows that are all there are.
pub fn all(data: Vec<Value>) -> Response {
    around(StatusCode::OK, data, None)
}

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub limit: usize,
    /// The last object that is known.
    pub after: Option<String>,
    pub descending: bool,
}

impl Cursor {
    /// # Errors
    /// What cannot be meant.
    pub fn of(bag: &Bag) -> Result<Self, Fault> {
        let limit = match bag.word("limit")? {
            None => USUAL,
            Some(word) => match word.parse::<u64>() {
                // asked for more than a page can have, a page is given: there is more, and it says so
                Ok(limit) if limit > 0 => usize::try_from(limit).unwrap_or(MOST).min(MOST),
                _ => return Err(Fault::invalid(format!("limit: 1 to {MOST} is expected, not '{}'", shown(&word)))),
            },
        };
        let descending = match bag.word("direction")?.map(|word| word.to_ascii_lowercase()).as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(Fault::invalid(format!("direction: asc or desc is expected, not '{}'", shown(other))));
            }
        };
        Ok(Self { limit, after: bag.word("starting_after")?, descending })
    }

    /// The cursor, where ids are numbers.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self) -> Result<Option<u64>, Fault> {
        let Some(after) = &self.after else { return Ok(None) };
        let wrong = || Fault::invalid(format!("starting_after: '{}' is not an id", shown(after)));
        after.parse().map(Some).map_err(|_| wrong())
    }

    /// The page of what is all at hand, in the order of its keys.
    pub fn cut<T, K: Ord>(&self, all: Vec<T>, after: Option<K>, key: impl Fn(&T) -> K) -> (Vec<T>, bool) {
        let mut all = all;
        if self.descending {
            all.reverse();
        }
        if let Some(after) = after {
            all.retain(|item| if self.descending { key(item) < after } else { key(item) > after });
        }
        let more = all.len() > self.limit;
        all.truncate(self.limit);
        (all, more)
    }
}

/// ISO 8601 with milliseconds and a numeric offset.
pub fn iso(at: Timestamp) -> String {
    in_zone(at, &TimeZone::UTC)
}

fn in_zone(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// As the log writes it: seconds, and no zone (it is UTC).
pub fn log_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%m/%d/%y %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_have_milliseconds_and_an_offset() {
        let at: Timestamp = "2026-01-02T11:04:05.678Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        assert_eq!(in_zone(at, &zone), "2026-01-02T03:04:05.678-08:00");
        assert_eq!(in_zone(at, &TimeZone::UTC), "2026-01-02T11:04:05.678+00:00");
        let whole: Timestamp = "2026-01-02T11:04:05Z".parse().unwrap();
        assert_eq!(in_zone(whole, &TimeZone::UTC), "2026-01-02T11:04:05.000+00:00");
        assert_eq!(log_time(at), "01/02/26 11:04:05");
    }

    proptest! {
        /// Page by page, in both directions: everything, once, in order.
        #[test]
        fn pages_give_everything_once(mut ids in proptest::collection::btree_set(1_u64..500, 0..60), limit in 1_usize..20, descending: bool) {
            let mut cursor = Cursor { limit, after: None, descending };
            let mut seen: Vec<u64> = Vec::new();
            loop {
                let all: Vec<u64> = ids.iter().copied().collect();
                let (page, more) = cursor.cut(all, cursor.number().unwrap(), |id| *id);
                prop_assert!(page.len() <= limit && (more || page.len() <= limit));
                seen.extend(&page);
                let Some(last) = page.last() else { break };
                // what is deleted behind the cursor does not matter to it
                ids.remove(last);
                cursor.after = Some(last.to_string());
                if !more {
                    break;
                }
            }
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            if descending {
                sorted.reverse();
            }
            prop_assert_eq!(&seen, &sorted);
            sorted.dedup();
            prop_assert_eq!(seen.len(), sorted.len());
        }
    }
}
