//! What people said of jobs and signatures, in the database: one row a subject, gone when nothing is said any more.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::db::{at, ms};
use crate::engine::triage::Specimen;
use crate::model::job::{Run, Signature};
use crate::model::state::RunState;
use crate::model::triage::{Acked, Noted, Remarks};

/// A subject and its remarks.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// A signature, or `job:ID`.
    pub subject: String,
    /// What runs with this signature say; the script of the job.
    pub says: String,
    /// Of a signature: an end that has it.
    pub specimen: Option<Specimen>,
    /// The script whose ways make this name, where no run was recorded under it.
    pub script: Option<String>,
    pub remarks: Remarks,
}

const REMARKS: &str =
    "SELECT subject, says, specimen, note, note_by, note_at, acked_by, acked_at, runbook FROM remarks";

fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kept> {
    let note: Option<(String, String, i64)> = match row.get(3)? {
        Some(text) => Some((text, row.get(4)?, row.get(5)?)),
        None => None,
    };
    let acked: Option<(String, i64)> = match row.get(6)? {
        Some(by) => Some((by, row.get(7)?)),
        None => None,
    };
    Ok(Kept {
        subject: row.get(0)?,
        says: row.get(1)?,
        specimen: row.get::<_, Option<String>>(2)?.and_then(|json| serde_json::from_str(&json).ok()),
        script: None,
        remarks: Remarks {
            note: note.map(|(text, by, when)| Noted { text, by, at: at(when) }),
            acked: acked.map(|(by, when)| Acked { by, at: at(when) }),
            runbook: row.get(8)?,
        },
    })
}

pub fn read(connection: &Connection, subject: &str) -> rusqlite::Result<Option<Kept>> {
    connection.prepare_cached(&format!("{REMARKS} WHERE subject = ?1"))?.query_row([subject], kept).optional()
}

/// Of all signatures.
pub fn signatures(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut query = connection.prepare_cached(&format!("{REMARKS} WHERE subject NOT LIKE 'job:%' ORDER BY subject"))?;
    query.query_map([], kept)?.collect()
}

/// Of all jobs: id and remarks.
pub fn jobs(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut query = connection.prepare_cached(&format!("{REMARKS} WHERE subject LIKE 'job:%'"))?;
    query.query_map([], kept)?.collect()
}

/// Changes what is said of these, all or nothing. `change` is told which is the first of them.
pub fn change(connection: &mut Connection, all: &[Kept], change: impl Fn(&mut Remarks, bool)) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (number, about) in all.iter().enumerate() {
        let mut remarks = read(&transaction, &about.subject)?.map(|kept| kept.remarks).unwrap_or_default();
        change(&mut remarks, number == 0);
        write(&transaction, about, &remarks)?;
    }
    transaction.commit()
}

fn write(connection: &Connection, about: &Kept, remarks: &Remarks) -> rusqlite::Result<()> {
    if *remarks == Remarks::default() {
        connection.execute("DELETE FROM remarks WHERE subject = ?1", [&about.subject])?;
        return Ok(());
    }
    let specimen = about.specimen.as_ref().and_then(|specimen| serde_json::to_string(specimen).ok());
    connection.execute(
        "INSERT OR REPLACE INTO remarks (subject, says, specimen, note, note_by, note_at, acked_by, acked_at, runbook)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            about.subject,
            about.says,
            specimen,
            remarks.note.as_ref().map(|note| &note.text),
            remarks.note.as_ref().map(|note| &note.by),
            remarks.note.as_ref().map(|note| ms(note.at)),
            remarks.acked.as_ref().map(|acked| &acked.by),
            remarks.acked.as_ref().map(|acked| ms(acked.at)),
            remarks.runbook,
        ],
    )?;
    Ok(())
}

/// The signatures that begin like this, two at most: that of which something was said, or with which a run is kept.
pub fn begun(connection: &Connection, begun: &str) -> rusqlite::Result<Vec<Kept>> {
    // behind every name that begins so: names are ASCII
    let end = format!("{begun}~");
    let mut found: Vec<Kept> = Vec::new();
    let mut remarked = connection
        .prepare_cached(&format!("{REMARKS} WHERE subject >= ?1 AND subject < ?2 ORDER BY subject LIMIT 2"))?;
    for row in remarked.query_map([begun, &end], kept)? {
        found.push(row?);
    }
    let mut made = connection.prepare_cached(
        "SELECT name, script, says, specimen FROM names WHERE name >= ?1 AND name < ?2 ORDER BY name LIMIT 2",
    )?;
    for row in made.query_map([begun, &end], |row| {
        Ok(Kept {
            subject: row.get(0)?,
            script: row.get(1)?,
            says: row.get(2)?,
            specimen: row.get::<_, Option<String>>(3)?.and_then(|json| serde_json::from_str(&json).ok()),
            remarks: Remarks::default(),
        })
    })? {
        let row = row?;
        if !found.iter().any(|kept| kept.subject == row.subject) {
            found.push(row);
        }
    }
    let mut next =
        connection.prepare_cached("SELECT min(signature) FROM runs WHERE signature > ?1 AND signature < ?2")?;
    let mut one =
        connection.prepare_cached("SELECT state, exit_code, says, told FROM runs WHERE signature = ?1 LIMIT 1")?;
    let mut from = begun.to_owned();
    // a whole name is not behind itself
    let mut name = Some(begun.to_owned());
    while found.len() < 5 {
        if let Some(name) = name.take()
            && !found.iter().any(|kept| kept.subject == name)
        {
            let run = one.query_row([&name], |row| {
                let (says, told): (String, Option<String>) = (row.get(2)?, row.get(3)?);
                let told = told.and_then(|told| serde_json::from_str::<Vec<String>>(&told).ok()).map(Into::into);
                let run = Run {
                    state: RunState::from_word(&row.get::<_, String>(0)?).unwrap_or(RunState::Failed),
                    exit_code: row.get(1)?,
                    signature: Some(Signature { name: name.clone(), says: says.clone(), told }),
                    ..Run::queued(0, "", "")
                };
                let specimen = Some(Specimen::of(&run));
                Ok(Kept { subject: name.clone(), says, specimen, ..Kept::default() })
            });
            found.extend(run.optional()?);
        }
        name = next.query_row([&from, &end], |row| row.get(0))?;
        match &name {
            Some(name) => from.clone_from(name),
            None => break,
        }
    }
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    // the whole name of one may begin another's
    if let Some(whole) = found.iter().position(|kept| kept.subject == begun) {
        return Ok(vec![found.swap_remove(whole)]);
    }
    found.truncate(2);
    Ok(found)
}
