//! The first words of a job's runs: one file with a small place for each run, for as long as the job goes on.
//!
//! Most runs say a few lines. Two files for each of a thousand devices cost more than all else that the engine does for
//! them, and ever more: a file system looks past every file that was deleted in the last minutes for the place of a new
//! one. A run that says more than fits moves to files of its own.
//!
//! A place is one block: lengths of output and index u64, zeroes to 32, the records of the index, from 512 on the
//! output. The lengths are written last, so a kill at any byte leaves a whole beginning.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::output::{Files, Part, RECORD, Slot};

const PLACE: u64 = 4096;
const INDEX: u64 = RECORD as u64;
const OUTPUT: u64 = 512;

/// Bytes of output and of index that have room.
pub const ROOM: (u64, u64) = (PLACE - OUTPUT, OUTPUT - INDEX);

#[derive(Debug)]
pub struct Slots(Arc<File>);

impl Slots {
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        Ok(Self(Arc::new(file)))
    }

    /// Those that are there; `None`: there are none.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self(Arc::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An empty place, to append to.
    pub fn begin(&self, run: u32) -> Files {
        self.place(run, (0, 0))
    }

    /// What a run has said here; `None`: nothing.
    pub fn run(&self, run: u32) -> io::Result<Option<Files>> {
        let mut lengths = [0; 16];
        match self.0.read_exact_at(&mut lengths, u64::from(run) * PLACE) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let long = |at: usize| u64::from_le_bytes(lengths[at..at + 8].try_into().unwrap_or_default());
        // never into a neighbour's place, whatever stands there
        let (out, idx) = (long(0).min(ROOM.0), long(8).min(ROOM.1));
        Ok((out > 0).then(|| self.place(run, (out, idx))))
    }

    fn place(&self, run: u32, (out, idx): (u64, u64)) -> Files {
        let head = u64::from(run) * PLACE;
        Files::within(
            Part::of(&self.0, head + OUTPUT, out),
            Part::of(&self.0, head + INDEX, idx),
            Some(Slot { head, room: ROOM }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::output::{Wanted, Writer, lines};
    use crate::model::output::{Stream, Which};

    fn texts(files: &Files) -> Vec<String> {
        let wanted = Wanted { which: Which::All, meta: true };
        lines(files, 0, 0, 1000, wanted, u64::MAX).unwrap().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn neighbours_keep_to_their_places_and_are_read_by_whoever_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let slots = Slots::create(&path).unwrap();
        let full = "x".repeat(ROOM.0 as usize);
        for (run, text) in [(2, "two\n"), (0, full.as_str()), (1, "one\n")] {
            let mut writer = Writer::new(Arc::new(slots.begin(run)));
            assert!(writer.has_room(text.len()).unwrap());
            writer.append(Stream::Out, text.as_bytes(), 1_000).unwrap();
        }
        let later = Slots::open(&path).unwrap().unwrap();
        let said = |run| later.run(run).unwrap().map(|files| texts(&files));
        assert_eq!(
            [said(0), said(1), said(2), said(3)],
            [Some(vec![full.clone()]), Some(vec!["one".into()]), Some(vec!["two".into()]), None]
        );
    }

    #[test]
    fn a_run_that_outgrows_its_place_moves_with_all_it_has_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let slots = Slots::create(&at("slots")).unwrap();
        let small = Arc::new(slots.begin(7));
        let mut writer = Writer::new(Arc::clone(&small));
        let mut said = Vec::new();
        let mut moved = None;
        for n in 0..200 {
            let stream = if n % 3 == 0 { Stream::Err } else { Stream::Out };
            let text = format!("line {n} of some length\n");
            if !writer.has_room(text.len()).unwrap() {
                assert!(moved.is_none(), "once");
                let own = Arc::new(Files::create(&at("7.out"), &at("7.idx")).unwrap());
                writer.move_to(Arc::clone(&own)).unwrap();
                moved = Some(own);
            }
            writer.append(stream, text.as_bytes(), 1_000 + n).unwrap();
            said.push(text.trim_end().to_owned());
        }
        assert_eq!(texts(&moved.expect("it is more than fits")), said);
        let before = texts(&small);
        assert_eq!(before, said[..before.len()], "who still reads the old place reads what was there");
    }

    #[test]
    fn what_was_not_noted_and_what_cannot_be_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let slots = Slots::create(&path).unwrap();
        Writer::new(Arc::new(slots.begin(0))).append(Stream::Out, b"said\n", 1_000).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        // killed between the bytes and the lengths
        file.write_all_at(b"said\nmore", OUTPUT).unwrap();
        assert_eq!(texts(&slots.run(0).unwrap().unwrap()), ["said"]);
        file.write_all_at(&u64::MAX.to_le_bytes(), 0).unwrap();
        assert_eq!(slots.run(0).unwrap().unwrap().size().unwrap(), ROOM.0);
    }
}
