//! What a job needs to go on in another engine beyond what the job itself says: its arguments as they were made, the
//! interpreter, and whether it had secrets, which are kept nowhere. Written with the job, before anything is sent.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::db;
use super::door::{self, Kind};
use crate::model::job::{Job, JobId};
use crate::model::script::{Argument, ParamKind, Value};
use crate::model::secret::Secret;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launched {
    pub plan: String,
    /// From the first positional on.
    pub args: Vec<String>,
    /// The same by name, where a system runs its own scripts.
    #[serde(default)]
    pub arguments: Vec<Given>,
    pub interpreter: Vec<String>,
    /// Parameters whose values were held in memory alone (secrets, what files hold). With any of these it cannot go on.
    pub held: Vec<String>,
    /// The variables of its text are filled in.
    #[serde(default)]
    pub variables: bool,
    /// Lines that the script reads for secrets that were not given.
    pub lines: usize,
    /// The script lies in the library: the job is tied to its number.
    #[serde(default)]
    pub library: bool,
}

/// An argument that may be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    name: String,
    kind: ParamKind,
    value: Kept,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kept {
    True,
    Text(String),
    List(Vec<String>),
    /// A secret that was not given.
    Blank,
}

impl Given {
    /// `None`: it is for the engine's memory alone.
    pub fn of(argument: &Argument) -> Option<Self> {
        let value = match &argument.value {
            _ if argument.is_held() => return None,
            Value::True => Kept::True,
            Value::Text(text) => Kept::Text(text.clone()),
            Value::List(values) => Kept::List(values.clone()),
            Value::Secret(_) | Value::Files(_) => Kept::Blank,
        };
        Some(Self { name: argument.name.clone(), kind: argument.kind, value })
    }

    pub fn argument(&self) -> Argument {
        let value = match &self.value {
            Kept::True => Value::True,
            Kept::Text(text) => Value::Text(text.clone()),
            Kept::List(values) => Value::List(values.clone()),
            Kept::Blank => Value::Secret(Secret::new("")),
        };
        Argument { name: self.name.clone(), kind: self.kind, stdin: false, value }
    }
}

/// Writes a new job with all its runs queued, and this with it; its id.
pub fn insert(connection: &mut Connection, job: &Job, launched: &Launched) -> rusqlite::Result<JobId> {
    let transaction = connection.transaction()?;
    let id = db::put_job(&transaction, job)?;
    let script = match (launched.library, job.summary.parent) {
        (true, _) => Some(door::number_of(&transaction, Kind::Script, &job.summary.script)?),
        (false, Some(parent)) => door::script_of(&transaction, parent)?,
        (false, None) => None,
    };
    door::tie(&transaction, id, script, launched.variables)?;
    let text = serde_json::to_string(launched).unwrap_or_default();
    transaction
        .execute("INSERT INTO launches (job, launch) VALUES (?1, ?2)", params![i64::try_from(id).unwrap_or(0), text])?;
    transaction.commit()?;
    Ok(id)
}

/// `None`: it was launched by an engine that kept none, or by a newer one.
pub fn read(connection: &Connection, job: JobId) -> rusqlite::Result<Option<Launched>> {
    let text: Option<String> = connection
        .prepare_cached("SELECT launch FROM launches WHERE job = ?1")?
        .query_row([i64::try_from(job).unwrap_or(0)], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
