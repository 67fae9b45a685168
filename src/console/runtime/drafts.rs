//! Drafts on disk: texts that were being written and not saved, each a private file that is replaced whole, so that
//! a crash at any moment leaves the last or the one before. Written by a thread of its own, one after the other; of
//! two for one script the later counts. Bounded in number and size: what goes beyond is refused in words, nothing
//! that is kept is thrown away for it.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::engine::Told;
use crate::console::app::shelf::Draft;
use crate::console::app::{Effect, Event};
use crate::model::script::inspect;
use crate::settings::paths;

const DRAFTS: usize = 100;
/// Bytes of one, and of all.
const SIZE: u64 = 16 << 20;
const TOTAL: u64 = 64 << 20;

/// Carries out what concerns drafts, off the loop. Dropping it finishes what is asked for.
pub struct Drafts {
    queue: Arc<Queue>,
    worker: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    /// What is to be done, and whether nothing more will come.
    asked: Mutex<(VecDeque<Effect>, bool)>,
    bell: Condvar,
}

impl Drafts {
    pub fn start(folder: PathBuf, results: Sender<Told>) -> Self {
        let queue = Arc::new(Queue::default());
        let mine = Arc::clone(&queue);
        let listener = Handle::try_current().ok();
        let work = move || {
            while let Some(effect) = mine.next() {
                let event = carry_out(&folder, effect);
                // the next draft does not wait until somebody has heard of this one
                if let (Some(event), Some(listener)) = (event, &listener) {
                    let results = results.clone();
                    listener.spawn(async move { drop(results.send(Told::Event(Box::new(event))).await) });
                }
            }
        };
        let worker = std::thread::Builder::new().name("drafts".into()).spawn(work).ok();
        Self { queue, worker }
    }

    pub fn carry_out(&self, effect: Effect) {
        let mut asked = self.queue.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // at most one wish a script waits, so that a slow disk never makes the queue grow
        if let Some(name) = about(&effect) {
            asked.0.retain(|waiting| about(waiting) != Some(name));
        }
        asked.0.push_back(effect);
        self.queue.bell.notify_one();
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        self.queue.asked.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.queue.bell.notify_one();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

impl Queue {
    /// `None`: nothing more will come.
    fn next(&self) -> Option<Effect> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(effect) = asked.0.pop_front() {
                return Some(effect);
            }
            if asked.1 {
                return None;
            }
            asked = self.bell.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn about(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::SaveDraft { name, .. } | Effect::DropDraft(name) => Some(name),
        _ => None,
    }
}

fn carry_out(folder: &Path, effect: Effect) -> Option<Event> {
    Some(match effect {
        Effect::LoadDrafts => Event::Drafts(load(folder)),
        Effect::SaveDraft { name, base, bytes } => {
            let draft = Draft { name: name.clone(), base, bytes, saved_at: Timestamp::now() };
            let answer = save(folder, &draft).map(|()| draft);
            Event::DraftSaved { name, answer }
        }
        Effect::DropDraft(name) => match fs::remove_file(place(folder, &name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Event::Notice(format!("the draft of {name} could not be removed: {error}"))
            }
            _ => Event::DraftDropped(name),
        },
        _ => return None,
    })
}

/// The first line of a draft's file; the bytes come after it.
#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    base: Option<String>,
    saved_at: Timestamp,
}

/// A file that no name of a script can lead out of the folder with.
fn place(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.draft", inspect::version(name.as_bytes())))
}

fn save(folder: &Path, draft: &Draft) -> Result<(), String> {
    let size = draft.bytes.len() as u64;
    if size > SIZE {
        return Err(format!("it is larger than {} MiB", SIZE >> 20));
    }
    let path = place(folder, &draft.name);
    let others: Vec<u64> = files(folder).filter(|(other, _)| *other != path).map(|(_, size)| size).collect();
    if others.len() >= DRAFTS {
        return Err(format!("there are {DRAFTS} already: save or drop some ({})", folder.display()));
    }
    if others.iter().sum::<u64>() + size > TOTAL {
        return Err(format!("all together would be larger than {} MiB: save or drop some", TOTAL >> 20));
    }
    write(folder, &path, draft).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull => {
            format!("the disk of {} is full: save the script, or free some space", folder.display())
        }
        _ => format!("{}: {error}", folder.display()),
    })
}

fn write(folder: &Path, path: &Path, draft: &Draft) -> io::Result<()> {
    paths::make_private(folder)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let head = Head { name: draft.name.clone(), base: draft.base.clone(), saved_at: draft.saved_at };
    let written =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(|mut file| {
            serde_json::to_writer(&mut file, &head)?;
            file.write_all(b"\n")?;
            file.write_all(&draft.bytes)?;
            file.sync_all()
        });
    let done = written.and_then(|()| fs::rename(&new, path));
    if done.is_err() {
        let _ = fs::remove_file(&new);
    }
    done
}

fn files(folder: &Path) -> impl Iterator<Item = (PathBuf, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        let ours = path.extension().is_some_and(|ending| ending == "draft");
        let size = entry.metadata().ok().filter(fs::Metadata::is_file)?.len();
        ours.then_some((path, size))
    })
}

/// All drafts that can be read.
fn load(folder: &Path) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = files(folder).take(DRAFTS).filter_map(|(path, _)| read(&path)).collect();
    drafts.sort_by(|a, b| a.name.cmp(&b.name));
    drafts
}

fn read(path: &Path) -> Option<Draft> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(SIZE + 64 * 1024).read_to_end(&mut bytes).ok()?;
    let end = memchr::memchr(b'\n', &bytes)?;
    let Head { name, base, saved_at } = serde_json::from_slice(&bytes[..end]).ok()?;
    Some(Draft { name, base, bytes: bytes.split_off(end + 1), saved_at })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn keep(folder: &Path, name: &str, bytes: &[u8]) -> Result<Draft, String> {
        let effect = Effect::SaveDraft { name: name.into(), base: Some("9f3c".into()), bytes: bytes.into() };
        match carry_out(folder, effect) {
            Some(Event::DraftSaved { answer, .. }) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        load(folder).into_iter().map(|draft| draft.name).collect()
    }

    #[test]
    fn a_draft_comes_back_byte_for_byte_and_is_this_users_alone() {
        let home = tempfile::tempdir().expect("tempdir");
        let folder = home.path().join("state/drafts");
        let bytes = b"#!/bin/sh\r\n\xff\x00\n\n";
        let kept = keep(&folder, "../../../etc/passwd", bytes).expect("kept");
        assert_eq!(load(&folder), [kept]);
        assert_eq!(load(&folder)[0].bytes, bytes);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&files(&folder).next().expect("one").0)), (0o700, 0o600));
        assert_eq!(fs::read_dir(home.path()).expect("home").count(), 1, "nothing was written anywhere else");
        keep(&folder, "../../../etc/passwd", b"later").expect("kept");
        assert_eq!(load(&folder)[0].bytes, b"later");
        carry_out(&folder, Effect::DropDraft("../../../etc/passwd".into()));
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn what_a_crash_left_half_written_is_no_draft() {
        let folder = tempfile::tempdir().expect("tempdir");
        keep(folder.path(), "a.sh", b"whole").expect("kept");
        fs::write(folder.path().join("x.77.new"), b"{\"name\"").expect("torn");
        fs::write(folder.path().join("y.draft"), b"{\"name\"").expect("torn");
        assert_eq!(names(folder.path()), ["a.sh"]);
    }

    #[test]
    fn too_many_and_too_large_is_refused_and_nothing_is_thrown_away() {
        let folder = tempfile::tempdir().expect("tempdir");
        for n in 0..DRAFTS {
            keep(folder.path(), &format!("{n}.sh"), b"x").expect("kept");
        }
        assert!(keep(folder.path(), "more.sh", b"x").expect_err("one too many").contains("save or drop some"));
        keep(folder.path(), "7.sh", b"again").expect("an old one may be written again");
        assert!(keep(folder.path(), "7.sh", &vec![b'x'; (SIZE + 1) as usize]).expect_err("large").contains("16 MiB"));
        assert_eq!(names(folder.path()).len(), DRAFTS);
    }

    #[test]
    fn what_was_asked_for_is_done_before_the_console_ends() {
        let home = tempfile::tempdir().expect("tempdir");
        let (results, told) = tokio::sync::mpsc::channel(1);
        let drafts = Drafts::start(home.path().join("drafts"), results);
        drop(told);
        for n in 0..200 {
            let bytes = format!("version {n}").into_bytes();
            drafts.carry_out(Effect::SaveDraft { name: "a.sh".into(), base: None, bytes });
        }
        drop(drafts);
        assert_eq!(load(&home.path().join("drafts"))[0].bytes, b"version 199", "the last one counts");
    }
}
