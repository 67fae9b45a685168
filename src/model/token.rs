//! Keys of other programs: what each may do, and on which devices. The key itself is shown once and never kept.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a request needs, and what a key may. `run` and `edit` each take `read` in and say nothing of each other;
/// `admin` takes in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Looks: scripts, devices, jobs and what they said.
    Read,
    /// Launches, and stops what was launched.
    Run,
    /// Changes scripts, groups, attributes, notes.
    Edit,
    /// Makes keys, reads the audit log, ends the engine.
    Admin,
}

impl Scope {
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Run, Scope::Edit, Scope::Admin];

    pub const fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Run => "run",
            Scope::Edit => "edit",
            Scope::Admin => "admin",
        }
    }

    /// Whoever has this one may do what needs the other.
    pub fn covers(self, needed: Scope) -> bool {
        self == needed || self == Scope::Admin || needed == Scope::Read
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|scope| scope.word() == text);
        known.ok_or_else(|| "expected read, run, edit or admin".to_owned())
    }
}

/// Who asks over the network: stands in the extensions of a request that came with a key. Without one it is this user,
/// over the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// A target expression: the only devices it sees and reaches. `None`: all.
    pub groups: Option<String>,
}

impl Key {
    pub fn may(&self, needed: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.covers(needed))
    }
}

/// `GET /api/v1/tokens`: a key, as far as it is known. `POST` answers with one, and with the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub name: String,
    pub scopes: Vec<Scope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    pub created_at: Timestamp,
    /// To the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// `POST /api/v1/tokens`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    #[serde(default)]
    pub groups: Option<String>,
}

/// The answer to [`NewToken`], the only time that the key is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    #[serde(flatten)]
    pub token: Token,
    pub key: String,
}

/// `POST /api/v1/tokens/revoke`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    pub name: String,
}

/// Characters of a name; it stands in the audit log and as the author of jobs.
const NAME_MAX: usize = 60;

/// Whether a key may be called so.
///
/// # Errors
/// What is wrong with it.
pub fn name(text: &str) -> Result<(), String> {
    let right = |c: char| !c.is_control() && !matches!(c, '(' | ')');
    if text.is_empty() || text.trim() != text || text.chars().count() > NAME_MAX || !text.chars().all(right) {
        return Err(format!("a key's name has 1 to {NAME_MAX} characters, without parentheses or blanks around it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_takes_in_reading_and_admin_takes_in_all() {
        let may = |scope: Scope| Scope::ALL.map(|needed| scope.covers(needed));
        assert_eq!(may(Scope::Read), [true, false, false, false]);
        assert_eq!(may(Scope::Run), [true, true, false, false]);
        assert_eq!(may(Scope::Edit), [true, false, true, false]);
        assert_eq!(may(Scope::Admin), [true; 4]);
        let key = Key { name: "ci".into(), scopes: vec![Scope::Run, Scope::Edit], groups: None };
        assert_eq!(Scope::ALL.map(|needed| key.may(needed)), [true, true, true, false]);
    }

    #[test]
    fn a_name_is_short_and_of_one_line() {
        assert_eq!(name("ops key, CI"), Ok(()));
        for wrong in ["", " x", "x ", "a\nb", "a (b)", &"x".repeat(61)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
