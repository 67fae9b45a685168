//! What the API for other programs keeps beside the jobs: numbers that names have for good, what was ordered over it,
//! custom attributes and their values. SQL alone; what any of it means is `engine::door`'s affair.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::db::{self, at, ms};
use crate::model::job::{JobId, JobSummary};
use crate::model::state::RunState;

/// What has a number. The numbers of all kinds are drawn from one row, and none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Script,
    Device,
    Group,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::Script => "script",
            Kind::Device => "device",
            Kind::Group => "group",
        }
    }
}

fn number(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or(0))
}

fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Numbers of names, in their order; a name that is new gets the next one.
pub fn numbers(connection: &mut Connection, kind: Kind, names: &[String]) -> rusqlite::Result<Vec<u64>> {
    let transaction = connection.transaction()?;
    let numbers = names.iter().map(|name| number_of(&transaction, kind, name)).collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(numbers)
}

/// The number of one name.
pub fn number_of(transaction: &Connection, kind: Kind, name: &str) -> rusqlite::Result<u64> {
    let known = transaction
        .prepare_cached("SELECT id FROM numbered WHERE kind = ?1 AND name = ?2")?
        .query_row(params![kind.word(), name], |row| number(row, 0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction
        .prepare_cached(
            "INSERT INTO numbered (kind, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?3) RETURNING id",
        )?
        .query_row(params![kind.word(), name, ms(jiff::Timestamp::now())], |row| number(row, 0))
}

pub fn name_of(connection: &Connection, kind: Kind, id: u64) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT name FROM numbered WHERE id = ?2 AND kind = ?1")?
        .query_row(params![kind.word(), key(id)], |row| row.get(0))
        .optional()
}

/// What is known of a script beyond its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub id: u64,
    pub name: String,
    /// As it was named over the API, where its file could not be.
    pub title: Option<String>,
    pub variables: bool,
    pub created_at: jiff::Timestamp,
    pub updated_at: jiff::Timestamp,
}

/// The cards of all scripts that ever had a number.
pub fn cards(connection: &Connection) -> rusqlite::Result<Vec<Card>> {
    let mut query = connection.prepare_cached(
        "SELECT id, name, title, variables, created_at, updated_at FROM numbered WHERE kind = 'script' ORDER BY id",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Card {
            id: number(row, 0)?,
            name: row.get(1)?,
            title: row.get(2)?,
            variables: row.get(3)?,
            created_at: at(row.get(4)?),
            updated_at: at(row.get(5)?),
        })
    })?;
    rows.collect()
}

/// Whether the variables of a script's text are filled in.
pub fn has_variables(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let mut find = connection
        .prepare_cached("SELECT variables FROM numbered WHERE kind = 'script' AND name = ?1 AND variables")?;
    find.exists([name])
}

/// Writes title and variables on a script's card.
pub fn set_card(connection: &Connection, id: u64, title: Option<&str>, variables: bool) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE numbered SET title = ?2, variables = ?3, updated_at = ?4 WHERE id = ?1 AND kind = 'script'",
        params![key(id), title, variables, ms(jiff::Timestamp::now())],
    )?;
    Ok(())
}

/// A script has another name now: it keeps its number. What was numbered under that name, and is gone, loses its own.
pub fn rename_script(connection: &mut Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let known: Option<i64> = transaction
        .query_row("SELECT id FROM numbered WHERE kind = 'script' AND name = ?1", [from], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        transaction.execute("DELETE FROM numbered WHERE kind = 'script' AND name = ?1", [to])?;
        transaction.execute(
            "UPDATE numbered SET name = ?2, title = NULL, updated_at = ?3 WHERE id = ?1",
            params![id, to, ms(jiff::Timestamp::now())],
        )?;
    }
    transaction.commit()
}

/// A script is deleted: another one of its name is another script.
pub fn forget_script(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM numbered WHERE kind = 'script' AND name = ?1", [name])?;
    Ok(())
}

/// What was asked for when a job was created over the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// `API (ops key)`
    pub made_by: String,
    pub script: Option<u64>,
    /// What the script was called then.
    pub title: Option<String>,
    pub variables: bool,
    pub attribute: Option<String>,
    pub regex: Option<String>,
    /// Numbers as they were given.
    pub targets: Targets,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Targets {
    pub devices: Vec<u64>,
    pub groups: Vec<u64>,
    pub assignment_groups: Vec<u64>,
}

pub fn put_order(connection: &Connection, job: JobId, order: &Order) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO orders (job, made_by, script, title, variables, attribute, regex, targets)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            key(job),
            order.made_by,
            order.script.map(key),
            order.title,
            order.variables,
            order.attribute,
            order.regex,
            serde_json::to_string(&order.targets).unwrap_or_default()
        ],
    )?;
    Ok(())
}

pub fn order(connection: &Connection, job: JobId) -> rusqlite::Result<Option<Order>> {
    connection
        .prepare_cached(
            "SELECT made_by, script, title, variables, attribute, regex, targets FROM orders WHERE job = ?1",
        )?
        .query_row([key(job)], |row| {
            Ok(Order {
                made_by: row.get(0)?,
                script: row.get::<_, Option<i64>>(1)?.and_then(|id| u64::try_from(id).ok()),
                title: row.get(2)?,
                variables: row.get(3)?,
                attribute: row.get(4)?,
                regex: row.get(5)?,
                targets: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default(),
            })
        })
        .optional()
}

/// Jobs whose outputs are kept as a custom attribute, and not all of them yet.
pub fn unkept(connection: &Connection) -> rusqlite::Result<Vec<JobId>> {
    let mut query = connection.prepare("SELECT job FROM orders WHERE attribute IS NOT NULL AND kept >= 0")?;
    let rows = query.query_map([], |row| number(row, 0))?;
    rows.collect()
}

/// Runs of such a job that have ended since the last time, in that order: where in the log, index, device, how.
pub fn ended_since_kept(connection: &Connection, job: JobId) -> rusqlite::Result<Vec<(u64, u32, String, bool)>> {
    let mut query = connection.prepare_cached(
        "SELECT logs.id, runs.idx, runs.device, runs.exit_code IS NOT NULL FROM orders
         JOIN logs ON logs.job = orders.job AND logs.id > orders.kept
         JOIN runs ON runs.job = logs.job AND runs.idx = logs.run
         WHERE orders.job = ?1 AND orders.kept >= 0 ORDER BY logs.id",
    )?;
    let rows = query.query_map([key(job)], |row| Ok((number(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// So far in the log its outputs are kept; `None`: all of them.
pub fn set_kept(connection: &Connection, job: JobId, upto: Option<u64>) -> rusqlite::Result<()> {
    let upto = upto.map_or(-1, key);
    connection.execute("UPDATE orders SET kept = ?2 WHERE job = ?1 AND kept >= 0", params![key(job), upto])?;
    Ok(())
}

/// Jobs behind a number in one direction, as long as they are asked for.
pub fn each_job(
    connection: &Connection,
    after: Option<u64>,
    descending: bool,
    mut tell: impl FnMut(JobSummary) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (sign, order, from) =
        if descending { ("<", "DESC", after.map_or(i64::MAX, key)) } else { (">", "ASC", after.map_or(-1, key)) };
    let mut query = connection.prepare_cached(&format!("{} WHERE id {sign} ?1 ORDER BY id {order}", db::JOB))?;
    let mut rows = query.query([from])?;
    while let Some(row) = rows.next()? {
        if !tell(db::summary(row)?)? {
            break;
        }
    }
    Ok(())
}

/// What is kept of a job for this API beside what everybody is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// When anything of it was last written.
    pub updated_at: Option<jiff::Timestamp>,
    /// The script of the library that it ran.
    pub script: Option<u64>,
    /// The script's variables were filled in.
    pub variables: bool,
    /// What the launch was given for the systems of its devices.
    pub options: Vec<(String, String)>,
}

pub fn beside(connection: &Connection, job: JobId) -> rusqlite::Result<Beside> {
    let told = connection
        .prepare_cached("SELECT updated_at, numbered, variables, options FROM jobs WHERE id = ?1")?
        .query_row([key(job)], |row| {
            let options: Option<String> = row.get(3)?;
            Ok(Beside {
                updated_at: row.get::<_, Option<i64>>(0)?.map(at),
                script: row.get::<_, Option<i64>>(1)?.and_then(|id| u64::try_from(id).ok()),
                variables: row.get(2)?,
                options: options.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            })
        })
        .optional()?;
    Ok(told.unwrap_or_default())
}

impl Beside {
    /// Of a job that nothing was written of since it began.
    pub fn updated_at(&self, job: &JobSummary) -> jiff::Timestamp {
        self.updated_at.or(job.finished_at).unwrap_or(job.created_at)
    }
}

/// The script of the library that a job ran.
pub fn script_of(connection: &Connection, job: JobId) -> rusqlite::Result<Option<u64>> {
    Ok(beside(connection, job)?.script)
}

/// Writes down which script of the library a job ran, and whether its variables were filled in.
pub fn tie(connection: &Connection, job: JobId, script: Option<u64>, variables: bool) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE jobs SET numbered = ?2, variables = ?3 WHERE id = ?1",
        params![key(job), script.map(key), variables],
    )?;
    Ok(())
}

/// Devices of a job and where its runs are.
pub fn rows(connection: &Connection, job: JobId) -> rusqlite::Result<Vec<(String, RunState)>> {
    let mut query = connection.prepare_cached("SELECT device, state FROM runs WHERE job = ?1 ORDER BY idx")?;
    let rows = query.query_map([key(job)], |row| {
        Ok((row.get(0)?, RunState::from_word(row.get_ref(1)?.as_str()?).unwrap_or(RunState::Failed)))
    })?;
    rows.collect()
}

pub fn ran_on(connection: &Connection, job: JobId, device: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM runs WHERE device = ?2 AND job = ?1")?.exists(params![key(job), device])
}

/// A custom attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub default_value: String,
}

pub fn attributes(connection: &Connection) -> rusqlite::Result<Vec<Attribute>> {
    let mut query = connection.prepare_cached("SELECT name, default_value FROM attributes ORDER BY name")?;
    let rows = query.query_map([], |row| Ok(Attribute { name: row.get(0)?, default_value: row.get(1)? }))?;
    rows.collect()
}

/// `false`: there is one of that name.
pub fn put_attribute(connection: &Connection, attribute: &Attribute) -> rusqlite::Result<bool> {
    let made = connection.execute(
        "INSERT INTO attributes (name, default_value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![attribute.name, attribute.default_value],
    )?;
    Ok(made > 0)
}

/// `false`: there is none.
pub fn set_default(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("UPDATE attributes SET default_value = ?2 WHERE name = ?1", params![name, value])? > 0)
}

/// With all its values. `false`: there is none.
pub fn delete_attribute(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM attributes WHERE name = ?1", [name])? > 0)
}

/// What a device has of every attribute: its own value, where it has one.
pub fn values(connection: &Connection, device: &str) -> rusqlite::Result<Vec<(Attribute, Option<String>)>> {
    let mut query = connection.prepare_cached(
        "SELECT attributes.name, default_value, value FROM attributes
         LEFT JOIN attribute_values ON attribute_values.name = attributes.name AND device = ?1 ORDER BY attributes.name",
    )?;
    let rows = query
        .query_map([device], |row| Ok((Attribute { name: row.get(0)?, default_value: row.get(1)? }, row.get(2)?)))?;
    rows.collect()
}

/// Values of attributes on devices: (device, name, value), all of them or none. `Err` within: a name nobody defined.
pub fn set_values(
    connection: &mut Connection,
    values: &[(String, String, String)],
) -> rusqlite::Result<Result<(), String>> {
    let transaction = connection.transaction()?;
    {
        let mut known = transaction.prepare_cached("SELECT 1 FROM attributes WHERE name = ?1")?;
        let mut put = transaction.prepare_cached(
            "INSERT INTO attribute_values (device, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (device, name) DO UPDATE SET value = ?3",
        )?;
        for (device, name, value) in values {
            if !known.exists([name])? {
                return Ok(Err(name.clone()));
            }
            put.execute(params![device, name, value])?;
        }
    }
    transaction.commit()?;
    Ok(Ok(()))
}
