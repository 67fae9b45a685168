//! What was sent and has not been heard to its end, written down before it goes: by this the next engine knows what to
//! ask for. A small file for each launch. That one has ended is forgotten late, since the engine writes the ends of runs
//! down a moment after it has heard of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::account::write;
use super::seek::Sought;
use crate::model::job::JobId;

/// Launches that have ended, and are still known to whoever comes next.
const ENDED: usize = 64;

/// SimpleMDM keeps a script job for a month: what is older cannot be asked for.
const LONGEST: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The ending of a launch that goes on, and of one that has ended.
const GOES: &str = "sent";
const OVER: &str = "over";

pub struct Sent {
    folder: PathBuf,
    next: AtomicU64,
    before: OnceLock<Before>,
    ended: Mutex<VecDeque<PathBuf>>,
}

/// One launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub job: JobId,
    pub sought: Sought,
    /// SimpleMDM's numbers of the devices, by our ids.
    pub devices: HashMap<String, String>,
    /// Of the script job. `None`: it was on its way.
    pub number: Option<String>,
}

/// Where it is written down.
#[derive(Clone, Debug)]
pub struct Note(PathBuf);

impl Note {
    /// It had not ended when this was read.
    pub fn goes(&self) -> bool {
        self.0.extension().is_some_and(|ending| ending == GOES)
    }
}

/// What the engines before this one have left.
#[derive(Default)]
pub struct Before {
    pub launches: Vec<(Note, Launch)>,
    of: HashMap<(JobId, String), Vec<usize>>,
    numbers: HashSet<String>,
}

impl Before {
    /// The launch that a run is in, of those made since then.
    pub fn find(&self, job: JobId, device: &str, since: Option<Timestamp>) -> Option<usize> {
        let of = self.of.get(&(job, device.to_owned()))?;
        let fits = |at: &&usize| since.is_none_or(|since| self.launches[**at].1.sought.at >= since);
        of.iter().filter(fits).max_by_key(|at| self.launches[**at].1.sought.at).copied()
    }
}

impl Sent {
    pub fn new(folder: &Path) -> Self {
        let (before, ended) = (OnceLock::new(), Mutex::default());
        Self { folder: folder.join("sent"), next: AtomicU64::new(0), before, ended }
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<PathBuf>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was left; read once.
    pub fn before(&self) -> &Before {
        self.before.get_or_init(|| self.read())
    }

    /// An engine before this one sent it.
    pub fn has(&self, number: &str) -> bool {
        self.before().numbers.contains(number)
    }

    /// Before it goes.
    pub async fn begin(&self, launch: &Launch) -> io::Result<Note> {
        // (read before anything is added: what is there then is not this engine's)
        self.before();
        let (at, next) = (launch.sought.at.as_millisecond(), self.next.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.join(format!("{at}-{}-{next}.{GOES}", launch.job));
        let bytes = serde_json::to_vec(launch).map_err(io::Error::other)?;
        let place = path.clone();
        spawn_blocking(move || write(&place, &bytes)).await.map_err(io::Error::other)??;
        Ok(Note(path))
    }

    /// It is a script job now.
    pub async fn made(&self, note: &Note, launch: &Launch, number: &str) {
        let launch = Launch { number: Some(number.to_owned()), ..launch.clone() };
        let path = note.0.clone();
        let bytes = serde_json::to_vec(&launch).unwrap_or_default();
        let written = spawn_blocking(move || write(&path, &bytes)).await.map_err(io::Error::other).flatten();
        if let Err(error) = written {
            tracing::warn!(%error, number, "the number of a script job is not kept: it is looked for when it is asked for");
        }
    }

    /// Nothing of it is waited for any more.
    pub fn over(&self, note: &Note) {
        let path = note.0.with_extension(OVER);
        // (where it stays it is asked for once more, and has ended)
        let _ = fs::rename(&note.0, &path);
        self.forget_late(path);
    }

    fn forget_late(&self, path: PathBuf) {
        let mut ended = self.ended();
        ended.push_back(path);
        while ended.len() > ENDED {
            if let Some(path) = ended.pop_front() {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn read(&self) -> Before {
        let mut before = Before::default();
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let oldest = Timestamp::now() - LONGEST;
        for path in paths {
            let launch = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Launch>(&bytes).ok());
            let Some(launch) = launch.filter(|launch| launch.sought.at > oldest) else {
                let _ = fs::remove_file(path);
                continue;
            };
            let note = Note(path);
            if !note.goes() {
                self.forget_late(note.0.clone());
            }
            let at = before.launches.len();
            before.numbers.extend(launch.number.clone());
            for device in launch.devices.keys() {
                before.of.entry((launch.job, device.clone())).or_default().push(at);
            }
            before.launches.push((note, launch));
        }
        before
    }
}

/// Reads what was left where it holds nobody up.
pub async fn read(sent: &Arc<Sent>) {
    let sent = Arc::clone(sent);
    let _ = spawn_blocking(move || _ = sent.before()).await;
}

#[cfg(test)]
mod tests {
    use super::super::copies::Saved;
    use super::*;

    fn launch(job: JobId) -> Launch {
        let saved = Saved { id: "7".into(), name: "Rotate".into(), content: "#!/bin/sh\n".into() };
        let devices = HashMap::from([("macs:a".to_owned(), "17".to_owned())]);
        Launch { job, sought: Sought::of(&saved, ["17".to_owned()].into_iter()), devices, number: None }
    }

    #[tokio::test]
    async fn what_was_sent_is_known_to_the_next_engine_with_its_number_or_without() {
        let folder = tempfile::tempdir().unwrap();
        let sent = Sent::new(folder.path());
        let first = launch(1);
        let note = sent.begin(&first).await.unwrap();
        sent.made(&note, &first, "412").await;
        sent.begin(&launch(2)).await.unwrap();
        assert!(!sent.has("412"), "it is this engine's own");
        let next = Sent::new(folder.path());
        let before = next.before();
        let found = |job| before.find(job, "macs:a", None).map(|at| before.launches[at].1.number.clone());
        assert_eq!((found(1), found(2), found(3)), (Some(Some("412".to_owned())), Some(None), None));
        assert!(next.has("412") && before.find(1, "macs:b", None).is_none());
        let later = first.sought.at + SignedDuration::from_secs(1);
        assert_eq!(before.find(1, "macs:a", Some(later)), None, "an earlier try is not what is asked for");
    }

    #[tokio::test]
    async fn one_that_has_ended_is_known_for_a_while_and_then_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let sent = Sent::new(folder.path());
        for job in 1..=ENDED as JobId + 1 {
            let note = sent.begin(&launch(job)).await.unwrap();
            sent.over(&note);
        }
        let next = Sent::new(folder.path());
        assert_eq!(next.before().launches.len(), ENDED);
        assert!(next.before().find(1, "macs:a", None).is_none() && next.before().find(2, "macs:a", None).is_some());
    }

    #[test]
    fn what_cannot_be_read_and_what_is_older_than_a_month_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let sent = Sent::new(folder.path());
        let mut old = launch(1);
        old.sought.at = Timestamp::now() - SignedDuration::from_hours(36 * 24);
        write(&sent.folder.join("1-1-0.sent"), &serde_json::to_vec(&old).unwrap()).unwrap();
        write(&sent.folder.join("2-2-0.sent"), b"{\"job\":").unwrap();
        assert!(sent.before().launches.is_empty());
        assert_eq!(fs::read_dir(&sent.folder).unwrap().count(), 0);
    }
}
