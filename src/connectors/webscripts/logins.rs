//! When somebody was logged in at a server last, known also to an engine that is started after: a server counts logins by
//! machine, not by connection or process. One empty file for each server, whose time says it; refuses to keep as whom.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::door::encoded;

pub struct Logins(PathBuf);

impl Logins {
    /// `folder`: where such files are.
    pub fn at(folder: &Path, url: &str) -> Self {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
        Self(folder.join(encoded(&authority.to_lowercase())))
    }

    /// How much of a pause after the last one is left; zero: none.
    pub async fn left(&self, pause: Duration) -> Duration {
        let Ok(at) = tokio::fs::metadata(&self.0).await.and_then(|file| file.modified()) else { return Duration::ZERO };
        match SystemTime::now().duration_since(at) {
            Ok(ago) => pause.saturating_sub(ago),
            // a clock that was put back a little; or by so much that the file says nothing
            Err(ahead) if ahead.duration() < pause => pause,
            Err(_) => Duration::ZERO,
        }
    }

    /// There is one now. It is written before it is known to succeed: who is killed in between has made it all the same.
    pub async fn note(&self) {
        if let Err(error) = self.written().await {
            tracing::warn!(%error, path = %self.0.display(), "when somebody was logged in could not be written down");
        }
    }

    async fn written(&self) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        tokio::fs::write(&self.0, "").await
    }

    /// It was none, as the server counts.
    pub async fn forget(&self) {
        // (where it cannot be removed the next login waits for nothing)
        let _ = tokio::fs::remove_file(&self.0).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_login_is_known_to_whoever_asks_the_same_server_after() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("logins");
        let pause = Duration::from_secs(3600);
        let one = Logins::at(&folder, "http://h:8000/ws");
        assert_eq!(one.left(pause).await, Duration::ZERO, "never");
        one.note().await;
        assert!(Logins::at(&folder, "https://H:8000").left(pause).await > Duration::from_secs(3500));
        assert_eq!(Logins::at(&folder, "http://h:8001/ws").left(pause).await, Duration::ZERO, "another server");
        assert_eq!(one.left(Duration::ZERO).await, Duration::ZERO);
        one.forget().await;
        assert_eq!(one.left(pause).await, Duration::ZERO);
    }

    #[tokio::test]
    async fn a_clock_that_was_put_back_holds_nobody_up_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let one = Logins::at(folder.path(), "http://h");
        one.note().await;
        let file = std::fs::File::options().write(true).open(&one.0).unwrap();
        let (pause, hour) = (Duration::from_secs(30), Duration::from_secs(3600));
        for (ahead, left) in [(Duration::from_secs(10), pause), (hour, Duration::ZERO)] {
            file.set_modified(SystemTime::now() + ahead).unwrap();
            assert_eq!(one.left(pause).await, left);
        }
    }
}
