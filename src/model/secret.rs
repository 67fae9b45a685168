//! A text that is never shown: not in `Debug`, not in JSON, not after it is dropped; and where one lies that is not ours
//! to keep.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret's value. It can be read only through [`Secret::expose`], so every use is easy to find.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Where a secret lies. Looked up each time it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRef {
    /// A variable of the engine's environment.
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyRef::Env(name) => write!(f, "the variable {name}"),
            KeyRef::File(path) => write!(f, "the file {}", path.display()),
            KeyRef::Command(words) => write!(f, "the command {}", words.first().map_or("", String::as_str)),
        }
    }
}
