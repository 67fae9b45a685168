//! Searching the outputs of a job: a text or a regular expression, line by line as `grep` does.
//!
//! Nothing is indexed beforehand: the files are read in large pieces, one run after the other, and lines are
//! told apart only where something was found.

use std::io;

use memchr::{memchr, memmem, memrchr};

use super::store::output::{Cursor, Files, Wanted, lines};
use crate::model::output::Line;
use crate::model::wire::Found;

/// One read, small enough to be still in the processor's cache when it is searched.
const PIECE: u64 = 128 * 1024;

/// What is looked for.
pub enum Needle {
    Text(Vec<u8>),
    Regex(Box<regex::bytes::Regex>),
}

impl Needle {
    pub fn new(pattern: &str, regex: bool) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("nothing to search for".to_owned());
        }
        if !regex {
            return Ok(Self::Text(pattern.as_bytes().to_vec()));
        }
        regex::bytes::RegexBuilder::new(pattern)
            .multi_line(true)
            .size_limit(1 << 20)
            .build()
            .map(|regex| Self::Regex(Box::new(regex)))
            .map_err(|error| format!("not a regular expression: {error}"))
    }
}

/// Counts the lines of one run that match, and gives those that `room` has place for.
pub fn search(
    files: &Files,
    run: u32,
    needle: &Needle,
    wanted: Wanted,
    room: usize,
    found: &mut Found,
) -> io::Result<()> {
    let end = files.size()?;
    let mut cursor = Cursor::start();
    let finder = match needle {
        Needle::Text(text) => Some(memmem::Finder::new(text)),
        Needle::Regex(_) => None,
    };
    // read into again and again: only its first `filled` bytes mean anything
    let mut buffer: Vec<u8> = Vec::new();
    let mut filled = 0;
    let mut buffer_at = 0;
    let mut speaking = None;
    let before = found.lines;
    loop {
        let stretch = cursor.next_large(files, end, PIECE)?;
        let goes_on = stretch.as_ref().is_some_and(|stretch| Some(stretch.stream) == speaking);
        // a line is whole at its end, where another stream cuts in, and at the end of everything
        let whole = if goes_on { memrchr(b'\n', &buffer[..filled]).map_or(0, |at| at + 1) } else { filled };
        let mut at = 0;
        while at < whole {
            let hit = match (&finder, needle) {
                (Some(finder), _) => finder.find(&buffer[at..whole]),
                (None, Needle::Regex(regex)) => regex.find(&buffer[at..whole]).map(|hit| hit.start()),
                (None, Needle::Text(_)) => None,
            };
            let Some(hit) = hit.map(|hit| at + hit) else { break };
            found.lines += 1;
            if found.hits.len() < room {
                let from = memrchr(b'\n', &buffer[..hit]).map_or(0, |nl| nl + 1);
                found.hits.extend(line_at(files, run, buffer_at + from as u64, wanted)?);
            }
            at = memchr(b'\n', &buffer[hit..whole]).map_or(whole, |nl| hit + nl + 1);
        }
        let Some(stretch) = stretch else { break };
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
        buffer_at += whole as u64;
        if !wanted.takes(stretch.stream) {
            filled = 0;
            speaking = None;
            continue;
        }
        // an endless line is searched in pieces: a match across two of them is missed, memory is not
        if filled == 0 || filled as u64 > 32 * PIECE {
            filled = 0;
            buffer_at = stretch.offset;
        }
        speaking = Some(stretch.stream);
        let wish = filled + usize::try_from(stretch.len).unwrap_or(0);
        if buffer.len() < wish {
            buffer.resize(wish, 0);
        }
        filled += files.read_at(&mut buffer[filled..wish], stretch.offset)?;
    }
    found.runs += u32::from(found.lines > before);
    Ok(())
}

/// The line that begins at this byte.
fn line_at(files: &Files, run: u32, offset: u64, wanted: Wanted) -> io::Result<Option<Line>> {
    let number = super::store::output::line_number(files, offset)?;
    Ok(lines(files, run, number, 1, wanted, u64::MAX)?.pop())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::engine::store::output::Writer;
    use crate::model::output::{Stream, Which};

    const ALL: Wanted = Wanted { which: Which::All, meta: false };

    proptest! {
        #[test]
        fn finds_what_looking_at_every_line_finds(
            appends in prop::collection::vec((any::<bool>(), prop::collection::vec(prop_oneof![4 => Just(b'a'), 2 => Just(b'b'), 2 => Just(b'\n')], 0..80)), 0..40),
            regex in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let files = Arc::new(Files::create(&dir.path().join("o"), &dir.path().join("i")).unwrap());
            let mut writer = Writer::new(Arc::clone(&files));
            for (n, (err, bytes)) in appends.iter().enumerate() {
                writer.append(if *err { Stream::Err } else { Stream::Out }, bytes, 1_000 + n as u64 * 20).unwrap();
            }
            let needle = Needle::new("ab", regex).unwrap();
            let mut found = Found::default();
            search(&files, 3, &needle, ALL, 5, &mut found).unwrap();
            let all = lines(&files, 3, 0, usize::MAX, ALL, u64::MAX).unwrap();
            let expected: Vec<Line> = all.into_iter().filter(|line| line.text.contains("ab")).collect();
            prop_assert_eq!(found.lines, expected.len() as u64);
            prop_assert_eq!(found.hits, expected.into_iter().take(5).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(Needle::new("(", true).is_err());
        assert!(Needle::new("", false).is_err());
    }
}
