//! Telling that the folder changed.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::folder::hidden;

/// A burst of changes (a checkout, an editor's save) has ended when it was quiet so long…
const QUIET: Duration = Duration::from_millis(150);
/// …but is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// As long as it lives, changes are told.
pub struct Watch {
    _watcher: RecommendedWatcher,
}

pub(super) fn start(folder: &Path, on_change: impl Fn() + Send + 'static) -> Result<Watch, String> {
    let failed = |error: notify::Error| format!("cannot watch the script library {}: {error}", folder.display());
    // one place is enough: that something changed is all there is to tell
    let (tell, told) = sync_channel::<()>(1);
    let root: PathBuf = folder.to_owned();
    let mut watcher = RecommendedWatcher::new(
        move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| matters(&root, &event)) {
                let _ = tell.try_send(());
            }
        },
        Config::default().with_follow_symlinks(false),
    )
    .map_err(failed)?;
    watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
    std::thread::Builder::new()
        .name("library-watch".into())
        .spawn(move || wait(&told, on_change))
        .map_err(|error| format!("cannot watch the script library {}: {error}", folder.display()))?;
    Ok(Watch { _watcher: watcher })
}

/// Ends when the watcher is gone.
fn wait(told: &Receiver<()>, on_change: impl Fn()) {
    while told.recv().is_ok() {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match told.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        on_change();
    }
}

/// Reading is no change, and hidden files (a checkout's .git, swap files) are no scripts.
fn matters(root: &Path, event: &notify::Event) -> bool {
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    event.paths.is_empty()
        || event.paths.iter().any(|path| {
            let below = path.strip_prefix(root).unwrap_or(path);
            !below.components().any(|part| part.as_os_str().to_str().is_some_and(hidden))
        })
}
