//! The store: what survives. SQLite for jobs and runs, files that only grow for output, one folder a job.
//! Owns every path below the state folder; refuses to know what a running job is.

pub mod audit;
pub mod db;
pub mod door;
pub mod hooked;
pub mod imported;
pub mod index;
pub mod launches;
pub mod log;
pub mod outbox;
pub mod output;
pub mod past;
pub mod recover;
pub mod remarks;
pub mod segment;
pub mod slots;
pub mod starts;
pub mod tokens;
pub mod versions;
pub mod ways;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::audit::Audit;
use self::db::{Db, DbError};
use self::outbox::Outbox;
use self::output::Files;
use self::segment::Segment;
use self::slots::Slots;
use self::starts::Starts;
use crate::model::job::JobId;

/// Outputs up to this size are packed together when their job has ended.
const PACK_MAX: u64 = 256 * 1024;

/// Runs of a job from which on their first words share a file.
const SHARING: u32 = 4;

/// What a file may be called, in bytes: some systems let their scripts have longer names.
const NAME: usize = 200;

/// Segments kept open for reading.
const OPEN_SEGMENTS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot use the state folder {path}: {error}")]
    Folder { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("{0}; nothing was sent, since what is sent is written down first: put that right and try again")]
    Audit(String),
}

pub struct Store {
    pub db: Db,
    pub audit: Arc<Audit>,
    pub outbox: Outbox,
    folder: PathBuf,
    segments: Mutex<VecDeque<(JobId, Arc<Segment>)>>,
    /// Of the jobs that run.
    slots: Mutex<HashMap<JobId, Arc<Slots>>>,
    /// One packs at a time.
    packing: Mutex<()>,
}

impl Store {
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        for sub in ["jobs", "versions"] {
            let path = folder.join(sub);
            fs::create_dir_all(&path).map_err(|error| StoreError::Folder { path, error })?;
        }
        let db = Db::open(&folder.join("quarterdeck.db"))?;
        Ok(Self {
            audit: Audit::new(folder, db.clone()),
            outbox: Outbox::default(),
            db,
            folder: folder.to_owned(),
            segments: Mutex::default(),
            slots: Mutex::default(),
            packing: Mutex::default(),
        })
    }

    fn job_folder(&self, job: JobId) -> PathBuf {
        self.folder.join("jobs").join(job.to_string())
    }

    fn single(&self, job: JobId, run: u32) -> (PathBuf, PathBuf) {
        let folder = self.job_folder(job);
        (folder.join(format!("{run}.out")), folder.join(format!("{run}.idx")))
    }

    /// The folder of a job that goes, and where its starts are written down.
    pub fn begin(&self, job: JobId, runs: usize) -> io::Result<Starts> {
        fs::create_dir_all(self.job_folder(job))?;
        Starts::create(&self.starts_path(job), runs)
    }

    fn starts_path(&self, job: JobId) -> PathBuf {
        self.job_folder(job).join("starts")
    }

    fn slots_path(&self, job: JobId) -> PathBuf {
        self.job_folder(job).join("slots")
    }

    /// A place for a run of a job of so many that begins to speak, with so many bytes.
    pub fn create(&self, job: JobId, run: u32, runs: u32, first: usize) -> io::Result<Files> {
        if runs < SHARING || first as u64 > slots::ROOM.0 {
            return self.create_own(job, run);
        }
        let mut open = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = open.get(&job) {
            return Ok(slots.begin(run));
        }
        let slots = Arc::new(Slots::create(&self.slots_path(job))?);
        open.insert(job, Arc::clone(&slots));
        Ok(slots.begin(run))
    }

    /// What an earlier engine kept of a run, to be appended to; `None`: nothing.
    pub fn reopen(&self, job: JobId, run: u32) -> io::Result<Option<Files>> {
        let (out, idx) = self.single(job, run);
        if indexed(&idx) {
            return Files::create(&out, &idx).map(Some);
        }
        let mut open = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.contains_key(&job) && self.slots_path(job).exists() {
            open.insert(job, Arc::new(Slots::create(&self.slots_path(job))?));
        }
        open.get(&job).map_or(Ok(None), |slots| slots.run(run))
    }

    /// Files of its own for a run that says much.
    pub fn create_own(&self, job: JobId, run: u32) -> io::Result<Files> {
        let (out, idx) = self.single(job, run);
        Files::create(&out, &idx)
    }

    /// The output of a run; `None` where it never said anything.
    pub fn open_run(&self, job: JobId, run: u32) -> io::Result<Option<Files>> {
        let (out, idx) = self.single(job, run);
        if indexed(&idx) {
            match Files::open(&out, &idx) {
                Ok(files) => return Ok(Some(files)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let packed = || self.segment(job).and_then(|segment| segment.run(run));
        if let Some(packed) = packed() {
            return Ok(Some(packed));
        }
        match self.slots(job)? {
            Some(slots) => {
                if let Some(files) = slots.run(run)? {
                    return Ok(Some(files));
                }
            }
            // packed this moment, or never there
            None => {
                if let Some(packed) = packed() {
                    return Ok(Some(packed));
                }
            }
        }
        match Files::open(&out, &idx) {
            Ok(files) => Ok(Some(files)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn slots(&self, job: JobId) -> io::Result<Option<Arc<Slots>>> {
        let open = self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&job).cloned();
        match open {
            Some(slots) => Ok(Some(slots)),
            None => Ok(Slots::open(&self.slots_path(job))?.map(Arc::new)),
        }
    }

    fn segment(&self, job: JobId) -> Option<Arc<Segment>> {
        let mut open = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, segment)) = open.iter().find(|(id, _)| *id == job) {
            return Some(Arc::clone(segment));
        }
        let segment = Arc::new(Segment::open(&self.job_folder(job).join("segment"))?);
        open.push_front((job, Arc::clone(&segment)));
        open.truncate(OPEN_SEGMENTS);
        Some(segment)
    }

    /// Packs the small outputs of a job that has ended. Whatever fails, the outputs stay where they are.
    pub fn pack(&self, job: JobId, runs: u32) -> io::Result<()> {
        let _alone = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        // it has ended: nobody asks any more what had been let go
        let _ = fs::remove_file(self.starts_path(job));
        let slots = self.slots(job)?;
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        let path = self.job_folder(job).join("segment");
        if path.exists() || runs < 2 {
            return Ok(());
        }
        let (mut small, mut own) = (Vec::new(), Vec::new());
        for run in 0..runs {
            let (out, idx) = self.single(job, run);
            let shared = if indexed(&idx) { None } else { slots.as_ref().and_then(|slots| slots.run(run).transpose()) };
            if let Some(files) = shared {
                small.push((run, files));
            } else if fs::metadata(&out).is_ok_and(|meta| meta.len() <= PACK_MAX) {
                small.push((run, Files::open(&out, &idx)));
                own.push(run);
            }
        }
        if small.len() < 2 {
            return Ok(());
        }
        segment::write(&path, small.into_iter())?;
        for run in own {
            let (out, idx) = self.single(job, run);
            fs::remove_file(out)?;
            fs::remove_file(idx)?;
        }
        if slots.is_some() {
            fs::remove_file(self.slots_path(job))?;
        }
        Ok(())
    }

    /// Where a script version lies as it was launched under this name.
    pub fn version_path(&self, version: &str, name: &str) -> PathBuf {
        let base = Path::new(name).file_name().filter(|base| base.len() <= NAME);
        let base = base.map_or_else(|| "script".into(), |base| base.to_owned());
        self.folder.join("versions").join(version).join(base)
    }

    /// Keeps a script version as launched; returns where it lies.
    pub fn keep_version(&self, version: &str, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.version_path(version, name);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(path);
        }
        let folder = self.folder.join("versions").join(version);
        fs::create_dir_all(&folder)?;
        // (two may write it down at once)
        let unfinished = folder.join(format!(".{:08x}.new", fastrand::u32(..)));
        let done = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        done.map(|()| path)
    }

    /// A version's text; that which was launched under this name where it is all there is.
    pub fn kept(&self, version: &str, name: &str) -> io::Result<Vec<u8>> {
        match self.text(version)? {
            Some(text) => Ok(text),
            None => fs::read(self.version_path(version, name)),
        }
    }

    /// Forgets jobs beyond the retention, oldest first. `keep_bytes` is for all outputs together.
    pub async fn retain(&self, keep_days: u32, keep_bytes: u64) -> Result<Vec<JobId>, StoreError> {
        let jobs = self.db.call(|db| db::jobs(db, usize::MAX)).await?;
        let oldest = jiff::Timestamp::now().as_millisecond() - i64::from(keep_days) * 86_400_000;
        let mut total: u64 = 0;
        let mut gone = Vec::new();
        for job in jobs {
            if !job.state.ended() {
                continue;
            }
            total += folder_bytes(&self.job_folder(job.id));
            if job.created_at.as_millisecond() < oldest || total > keep_bytes {
                let id = job.id;
                self.db.call(move |db| db::delete_job(db, id)).await?;
                let _ = fs::remove_dir_all(self.job_folder(id));
                gone.push(id);
            }
        }
        Ok(gone)
    }
}

/// It has files of its own, whole: packing takes the index away last, and a move to them writes it last.
fn indexed(idx: &Path) -> bool {
    fs::metadata(idx).is_ok_and(|meta| meta.len() > 0)
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::output::Writer;
    use crate::model::output::Stream;

    /// As a run's sink does it.
    fn say(store: &Store, run: u32, pieces: usize) -> Vec<u8> {
        let mut writer = Writer::new(Arc::new(store.create(1, run, 8, 6).unwrap()));
        for n in 0..pieces {
            let text = format!("{run}: {n}\n");
            if !writer.has_room(text.len()).unwrap() {
                writer.move_to(Arc::new(store.create_own(1, run).unwrap())).unwrap();
            }
            writer.append(if n % 5 == 4 { Stream::Err } else { Stream::Out }, text.as_bytes(), n as u64).unwrap();
        }
        (0..pieces).flat_map(|n| format!("{run}: {n}\n").into_bytes()).collect()
    }

    #[test]
    fn outputs_read_the_same_while_they_are_small_when_they_have_moved_packed_and_by_the_next_engine() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.begin(1, 8).unwrap();
        let said: Vec<Vec<u8>> =
            [3, 400, 1, 100_000].into_iter().zip(0..).map(|(n, run)| say(&store, run, n)).collect();
        let check = |store: &Store, when: &str| {
            for (run, said) in (0..).zip(&said) {
                let files = store.open_run(1, run).unwrap().unwrap_or_else(|| panic!("run {run} {when}"));
                assert!(files.whole().unwrap().0 == *said, "run {run} {when}");
            }
            assert!(store.open_run(1, 5).unwrap().is_none(), "it never said anything");
        };
        check(&store, "while the job runs");
        // killed between making its files and moving to them
        store.create_own(1, 0).unwrap();
        check(&store, "with files it had not moved to");
        check(&Store::open(folder.path()).unwrap(), "by the next engine");
        store.pack(1, 8).unwrap();
        check(&store, "packed");
        let mut left: Vec<_> = fs::read_dir(store.job_folder(1))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        left.retain(|name| !name.starts_with("0.") && name != "starts");
        assert_eq!(left, ["3.idx", "3.out", "segment"], "what is large stays where it is");
    }
}
