//! Kept versions of scripts: their texts by content, and which script had which when. What a job launched lies here
//! already and is not written twice. Bounded: the last ones of every script, and all that a job ran.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::output::timestamp;
use crate::model::script::inspect;
use crate::model::shelf::{Numbers, Version, Why};

/// Versions kept of every script, beside those that a job ran.
const KEPT: usize = 50;

impl Store {
    fn text_path(&self, version: &str) -> PathBuf {
        self.folder.join("versions").join(format!("{version}.text"))
    }

    /// Keeps a text under its version.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_text(&self, bytes: &[u8]) -> io::Result<()> {
        let version = inspect::version(bytes);
        if self.text(&version)?.is_some() {
            return Ok(());
        }
        let path = self.text_path(&version);
        let unfinished = path.with_extension(format!("{:08x}", fastrand::u32(..)));
        let written = fs::File::create_new(&unfinished).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let done = written.and_then(|()| fs::rename(&unfinished, &path));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        done
    }

    /// The text of a version; `None`: it is not kept.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn text(&self, version: &str) -> io::Result<Option<Vec<u8>>> {
        if version.is_empty() || !version.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        match fs::read(self.text_path(version)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read.map(Some),
        }
        // as launched: the same bytes, unless it was sent without its Windows line ends
        let Ok(entries) = fs::read_dir(self.folder.join("versions").join(version)) else { return Ok(None) };
        let launched = entries.flatten().filter_map(|entry| fs::read(entry.path()).ok());
        Ok(launched.into_iter().find(|bytes| inspect::version(bytes) == version))
    }

    /// Throws away the texts of versions that nobody has any more.
    pub fn forget_texts(&self, versions: &[String]) {
        for version in versions {
            let _ = fs::remove_file(self.text_path(version));
            let _ = fs::remove_dir_all(self.folder.join("versions").join(version));
        }
    }
}

/// What is noted about a version.
pub struct Noted<'a> {
    pub script: &'a str,
    pub version: &'a str,
    pub size: usize,
    pub by: &'a str,
    pub why: Why,
}

/// Notes that a script has this version now; once, while it stays so. Gives the versions whose texts nobody needs
/// any more.
pub fn note(connection: &mut Connection, noted: &Noted<'_>) -> rusqlite::Result<Vec<String>> {
    let transaction = connection.transaction()?;
    let newest: Option<(u32, String)> = transaction
        .query_row(
            "SELECT number, version FROM versions WHERE script = ?1 ORDER BY number DESC LIMIT 1",
            [noted.script],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if newest.as_ref().is_some_and(|(_, version)| version == noted.version) {
        return Ok(Vec::new());
    }
    let number = newest.map_or(0, |(number, _)| number) + 1;
    let size = i64::try_from(noted.size).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO versions (script, number, version, at, saved_by, size, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            noted.script,
            number,
            noted.version,
            Timestamp::now().as_millisecond(),
            noted.by,
            size,
            noted.why.word()
        ],
    )?;
    let gone = forget(&transaction, noted.script)?;
    transaction.commit()?;
    Ok(gone)
}

fn forget(connection: &Connection, script: &str) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare_cached(
        "DELETE FROM versions WHERE script = ?1
         AND number <= (SELECT number FROM versions WHERE script = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
         AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.script = ?1 AND jobs.version = versions.version)
         RETURNING version",
    )?;
    let kept = i64::try_from(KEPT).unwrap_or(i64::MAX);
    let rows: Vec<String> = query.query_map(params![script, kept], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut needed = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM versions WHERE version = ?1) OR EXISTS (SELECT 1 FROM jobs WHERE version = ?1)",
    )?;
    let mut gone = Vec::new();
    for version in rows {
        if !needed.query_row([&version], |row| row.get(0))? {
            gone.push(version);
        }
    }
    Ok(gone)
}

/// The versions of a script, newest first. Which is current is not known here.
pub fn versions(connection: &Connection, script: &str) -> rusqlite::Result<Vec<Version>> {
    let mut query = connection.prepare_cached(
        "SELECT number, version, at, saved_by, size, why,
                (SELECT max(id) FROM jobs WHERE jobs.script = versions.script AND jobs.version = versions.version)
         FROM versions WHERE script = ?1 ORDER BY number DESC",
    )?;
    let rows = query.query_map([script], |row| {
        let why: String = row.get(5)?;
        Ok(Version {
            number: row.get(0)?,
            version: row.get(1)?,
            at: timestamp(u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)),
            by: row.get(3)?,
            size: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
            why: Why::ALL.into_iter().find(|known| known.word() == why).unwrap_or(Why::Found),
            current: false,
            job: row.get::<_, Option<i64>>(6)?.and_then(|id| u64::try_from(id).ok()),
        })
    })?;
    rows.collect()
}

/// What the versions that are kept are numbered, by script.
pub fn numbers(connection: &Connection) -> rusqlite::Result<Numbers> {
    let mut query = connection.prepare_cached("SELECT script, version, max(number) FROM versions GROUP BY 1, 2")?;
    let mut rows = query.query([])?;
    let mut numbers = Numbers::new();
    while let Some(row) = rows.next()? {
        numbers.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(numbers)
}

/// A script's versions go with its name; what another one of that name left stays below them.
pub fn rename(connection: &mut Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "UPDATE versions SET script = ?2,
             number = number + (SELECT coalesce(max(number), 0) FROM versions WHERE script = ?2)
         WHERE script = ?1",
        params![from, to],
    )?;
    super::ways::rename(&transaction, from, to)?;
    transaction.commit()
}
