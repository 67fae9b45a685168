//! A run's index read in blocks, for whoever walks over many of its records in either direction. Owns one block;
//! the rules of the records are `output`'s.

use std::io;

use super::output::{Files, Record};

/// Records of a block, and how many of them lie before the one that was asked for.
const BLOCK: usize = 2048;
const BEFORE: u64 = 512;

pub struct Index<'a> {
    files: &'a Files,
    first: u64,
    block: Vec<Record>,
    count: u64,
}

impl<'a> Index<'a> {
    pub fn new(files: &'a Files) -> io::Result<Self> {
        Ok(Self { files, first: 0, block: Vec::new(), count: files.records()? })
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    pub fn get(&mut self, index: u64) -> io::Result<Option<Record>> {
        if index >= self.count {
            return Ok(None);
        }
        if index < self.first || index >= self.first + self.block.len() as u64 {
            self.first = index.saturating_sub(BEFORE);
            self.block = self.files.records_from(self.first, BLOCK)?;
        }
        Ok(usize::try_from(index - self.first).ok().and_then(|at| self.block.get(at)).copied())
    }

    /// A line begins at this record: it is the first one, or another stream spoke before it.
    pub fn begins(&mut self, index: u64) -> io::Result<bool> {
        let Some(before) = index.checked_sub(1) else { return Ok(true) };
        Ok(self.get(before)?.map(|record| record.stream) != self.get(index)?.map(|record| record.stream))
    }
}
