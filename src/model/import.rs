//! How the bringing-in of a system's past jobs stands.

use serde::{Deserialize, Serialize};

/// `POST /api/v1/imports`: begins one, or goes on with one that was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub connection: String,
}

/// Its answer; also of `GET /api/v1/imports?connection=…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub connection: String,
    pub going: bool,
    /// Jobs that the system listed since this began, and how many of them are done with.
    pub found: usize,
    pub done: usize,
    /// Jobs that are new here, and those that were here and have changed.
    pub added: usize,
    pub updated: usize,
    /// Why it did not come to its end; asked again it goes on where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Import {
    pub fn of(connection: &str) -> Self {
        Self { connection: connection.to_owned(), going: false, found: 0, done: 0, added: 0, updated: 0, problem: None }
    }

    /// From the beginning of another one.
    pub fn begin(&mut self) {
        *self = Self { going: true, ..Self::of(&self.connection) };
    }

    /// How it stands, for a person.
    pub fn says(&self) -> String {
        let Self { connection, found, done, added, updated, .. } = self;
        match (self.going, &self.problem) {
            (true, _) if *found == 0 => format!("{connection}: looking for past jobs"),
            (true, _) => format!("{connection}: {done} of {found} past jobs looked at"),
            (false, Some(why)) => {
                format!("{connection}: broke off after {done} past jobs: {why}; asked again, it goes on there")
            }
            (false, None) => format!("{connection}: {added} past jobs brought in, {updated} brought up to date"),
        }
    }
}
