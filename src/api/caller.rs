//! What a request says of whoever sends it. Who came over the network with a key is who that key says, whatever the
//! request says; else peers are this same user (see `listen`), so a path is as good as its file;
//! it is looked at all the same, since what is here was a terminal's a moment ago and may be gone or replaced.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::tcp::Peer;
use crate::model::plan::Caller;
use crate::model::token::Key;
use crate::model::wire::{AGENT, FROM};

/// What is told of somebody is cut here.
const FROM_MAX: usize = 200;

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(key) = parts.extensions.get::<Key>() {
            let peer = parts.extensions.get::<Peer>().map(|peer| format!(", {}", peer.0.ip())).unwrap_or_default();
            return Ok(Self { from: format!("API ({}){peer}", key.name), ..Self::default() });
        }
        let from = parts.headers.get(FROM).and_then(|from| from.to_str().ok()).unwrap_or("socket");
        let from: String = from.chars().filter(|c| !c.is_control()).take(FROM_MAX).collect();
        let Some(named) = parts.headers.get(AGENT) else { return Ok(Self { from, ..Self::default() }) };
        let path = Path::new(OsStr::from_bytes(named.as_bytes()));
        Ok(match usable(path, rustix::process::geteuid().as_raw()) {
            Ok(()) => Self { agent: Some(path.to_owned()), no_agent: None, from },
            Err(why) => Self { agent: None, no_agent: Some(format!("your agent {}: {why}", path.display())), from },
        })
    }
}

/// `Err`: no agent's socket of this user, and why.
fn usable(path: &Path, user: u32) -> Result<(), String> {
    if !path.is_absolute() {
        return Err("not an absolute path".to_owned());
    }
    // Through links: a link of a fixed name to the socket of the last login is a common habit.
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.file_type().is_socket() {
        return Err("not a socket".to_owned());
    }
    if found.uid() != user {
        return Err("another user's socket".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_a_socket_of_this_user_is_an_agent() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, file, link) =
            (folder.path().join("agent"), folder.path().join("file"), folder.path().join("link"));
        let _listens = UnixListener::bind(&socket).unwrap();
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert_eq!((usable(&socket, own), usable(&link, own)), (Ok(()), Ok(())));
        for (path, user, why) in [
            (file.as_path(), own, "not a socket"),
            (&folder.path().join("gone"), own, "No such file"),
            (Path::new("agent"), own, "not an absolute path"),
            (&socket, own + 1, "another user's"),
        ] {
            let told = usable(path, user).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
