//! Which events of other systems were acted on: a repeat launches nothing again, whatever engine hears it.

use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Older ones are forgotten; no system repeats itself for so long.
const KEPT_MS: i64 = 30 * 86_400_000;

/// `false`: it was heard before.
pub fn note(connection: &Connection, mark: &str, now: Timestamp) -> rusqlite::Result<bool> {
    let now = now.as_millisecond();
    connection.prepare_cached("DELETE FROM hooked WHERE at < ?1")?.execute([now - KEPT_MS])?;
    let new = connection
        .prepare_cached("INSERT OR IGNORE INTO hooked (mark, at) VALUES (?1, ?2)")?
        .execute(params![mark, now])?;
    Ok(new == 1)
}

/// It came to nothing: told again, it is tried again.
pub fn forget(connection: &Connection, mark: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM hooked WHERE mark = ?1")?.execute([mark]).map(drop)
}
