//! One file for the small outputs of a job that has ended, so that a thousand devices do not cost two
//! thousand files.
//!
//! Layout: per run its bytes and its index, one after the other; then a table (run u32 · 4 bytes 0 · out
//! offset, out length, index offset, index length u64), the number of its rows u64, and the magic.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::output::{Files, Part};

const MAGIC: &[u8; 8] = b"qdsegm01";
const ROW: usize = 40;

/// The table of a segment, its file open.
#[derive(Debug)]
pub struct Segment {
    file: Arc<File>,
    rows: HashMap<u32, [u64; 4]>,
}

impl Segment {
    /// `None`: there is none, or it was never completed.
    pub fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let len = file.metadata().ok()?.len();
        let mut tail = [0; 16];
        file.read_exact_at(&mut tail, len.checked_sub(16)?).ok()?;
        if &tail[8..] != MAGIC {
            return None;
        }
        let count = u64::from_le_bytes(tail[..8].try_into().ok()?);
        let size = count.checked_mul(ROW as u64)?;
        let mut table = vec![0; usize::try_from(size).ok()?];
        file.read_exact_at(&mut table, len.checked_sub(16)?.checked_sub(size)?).ok()?;
        let rows = table
            .chunks_exact(ROW)
            .map(|row| {
                let long = |at: usize| u64::from_le_bytes(row[at..at + 8].try_into().unwrap_or_default());
                (u32::from_le_bytes(row[..4].try_into().unwrap_or_default()), [long(8), long(16), long(24), long(32)])
            })
            .collect();
        Some(Self { file: Arc::new(file), rows })
    }

    pub fn run(&self, run: u32) -> Option<Files> {
        let [out, out_len, idx, idx_len] = *self.rows.get(&run)?;
        Some(Files::within(Part::of(&self.file, out, out_len), Part::of(&self.file, idx, idx_len), None))
    }
}

/// Writes a segment beside its final name and moves it there whole.
pub fn write(path: &Path, runs: impl Iterator<Item = (u32, io::Result<Files>)>) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = BufWriter::with_capacity(256 * 1024, File::create(&unfinished)?);
    let mut table = Vec::new();
    let mut rows: u64 = 0;
    let mut at: u64 = 0;
    for (run, files) in runs {
        let (out, idx) = files?.whole()?;
        table.extend_from_slice(&run.to_le_bytes());
        table.extend_from_slice(&[0; 4]);
        for number in [at, out.len() as u64, at + out.len() as u64, idx.len() as u64] {
            table.extend_from_slice(&number.to_le_bytes());
        }
        file.write_all(&out)?;
        file.write_all(&idx)?;
        at += (out.len() + idx.len()) as u64;
        rows += 1;
    }
    file.write_all(&table)?;
    file.write_all(&rows.to_le_bytes())?;
    file.write_all(MAGIC)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    // the single files go away after this: the segment must be on the disk first
    file.sync_data()?;
    std::fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::output::{Cursor, RECORD, Records, Writer};
    use crate::model::output::Stream;

    #[test]
    fn a_neighbour_s_output_is_not_taken_for_the_index_whatever_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut forged = [0; RECORD];
        forged[0] = 2; // from offset 2 on,
        forged[24] = Stream::Err.code(); // stderr
        for (name, bytes) in [("0", b"hello\n".as_slice()), ("1", &forged)] {
            let files = Files::create(&at(&format!("{name}.out")), &at(&format!("{name}.idx"))).unwrap();
            Writer::new(Arc::new(files)).append(Stream::Out, bytes, 1_000).unwrap();
        }
        let open = |run: u32| Files::open(&at(&format!("{run}.out")), &at(&format!("{run}.idx")));
        write(&at("segment"), [0, 1].into_iter().map(|run| (run, open(run)))).unwrap();
        let segment = Segment::open(&at("segment")).unwrap();
        for (run, length) in [(0, 6), (1, RECORD as u64)] {
            let files = segment.run(run).unwrap();
            let stretch = Cursor::start().next(&mut Records::of(&files), length, u64::MAX).unwrap().unwrap();
            assert_eq!((stretch.stream, stretch.len), (Stream::Out, length));
        }
    }
}
