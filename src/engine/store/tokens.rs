//! Keys of other programs in the database: their hashes, never themselves. A revoked one stays, to be read of; its name
//! is free again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::token::{Key, Scope, Token};

/// SHA-256 of a key. It is random and long: a slow hash would add nothing.
pub type Hash = [u8; 32];

fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn scopes(text: &str) -> Vec<Scope> {
    text.split(',').filter_map(|word| word.parse().ok()).collect()
}

/// `false`: there is one of this name that counts.
pub fn add(connection: &Connection, hash: &Hash, token: &Token) -> rusqlite::Result<bool> {
    let words: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    let added = connection.execute(
        "INSERT INTO tokens (hash, name, scopes, groups, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE name = ?2 AND revoked_at IS NULL)",
        params![hash.as_slice(), token.name, words.join(","), token.groups, ms(token.created_at)],
    )?;
    Ok(added == 1)
}

/// All there ever were, oldest first.
pub fn list(connection: &Connection) -> rusqlite::Result<Vec<Token>> {
    let mut query = connection.prepare(
        "SELECT name, scopes, groups, created_at, used_at, revoked_at FROM tokens ORDER BY created_at, hash",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Token {
            name: row.get(0)?,
            scopes: scopes(&row.get::<_, String>(1)?),
            groups: row.get(2)?,
            created_at: at(row.get(3)?),
            used_at: row.get::<_, Option<i64>>(4)?.map(at),
            revoked_at: row.get::<_, Option<i64>>(5)?.map(at),
        })
    })?;
    rows.collect()
}

/// Those that count, by their hashes.
pub fn live(connection: &Connection) -> rusqlite::Result<Vec<(Hash, Key)>> {
    let mut query = connection.prepare("SELECT hash, name, scopes, groups FROM tokens WHERE revoked_at IS NULL")?;
    let rows = query.query_map([], |row| {
        let key = Key { name: row.get(1)?, scopes: scopes(&row.get::<_, String>(2)?), groups: row.get(3)? };
        Ok((row.get(0)?, key))
    })?;
    rows.collect()
}

/// Its hash. `None`: none of this name counts.
pub fn revoke(connection: &Connection, name: &str, now: Timestamp) -> rusqlite::Result<Option<Hash>> {
    connection
        .prepare_cached("UPDATE tokens SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL RETURNING hash")?
        .query_row(params![name, ms(now)], |row| row.get(0))
        .optional()
}

pub fn used(connection: &Connection, hash: &Hash, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET used_at = ?2 WHERE hash = ?1")?
        .execute(params![hash.as_slice(), ms(now)])
        .map(drop)
}
