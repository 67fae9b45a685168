//! A run's output as it is compared: stdout, then stderr, of a long one its beginning and its end. Masked, only what
//! tells one run from another stays.

use std::io;

use crate::engine::clean::clean;
use crate::engine::store::output::{self, Cursor, Files, Records};
use crate::model::compare::OURS;
use crate::model::output::Stream;

/// Bytes read from the beginning and from the end of an output.
const BYTES: u64 = 512 << 10;

/// Lines of a stream taken from either end.
const LINES: usize = 2_000;

/// Bytes of a line.
const LINE: usize = 8 << 10;

/// Characters of a line that is masked.
const WIDTH: usize = 2_000;

const PIECE: u64 = 64 << 10;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub lines: Vec<Vec<u8>>,
    /// Lines that are not among them.
    pub left_out: u64,
}

/// The streams of a stretch of the file.
#[derive(Default)]
struct Streams {
    out: Vec<u8>,
    err: Vec<u8>,
    /// Whose line the beginning cuts through.
    cut: Option<Stream>,
}

impl Streams {
    fn read(files: &Files, from: u64, to: u64) -> io::Result<Self> {
        let mut streams = Self::default();
        let mut records = Records::of(files);
        let mut cursor = Cursor::at(files, from)?;
        let mut before = [b'\n'];
        if from > 0 {
            files.read_at(&mut before, from - 1)?;
        }
        while let Some(stretch) = cursor.next_large(&mut records, to, PIECE)? {
            if stretch.offset == from && before != *b"\n" {
                streams.cut = Some(stretch.stream);
            }
            match stretch.stream {
                Stream::Out => output::read(files, &stretch, &mut streams.out)?,
                Stream::Err => output::read(files, &stretch, &mut streams.err)?,
                Stream::Meta => {}
            }
        }
        Ok(streams)
    }
}

/// Of a run that has said so many lines.
pub fn read(files: &Files, end: u64, lines: u64) -> io::Result<Text> {
    let whole = end <= 2 * BYTES;
    let (head, tail) = if whole {
        (Streams::read(files, 0, end)?, Streams::default())
    } else {
        (Streams::read(files, 0, BYTES)?, Streams::read(files, end - BYTES, end)?)
    };
    let mut text = Text::default();
    let mut kept = 0;
    let mut short = !whole;
    for (stream, beginning, end) in [(Stream::Out, &head.out, &tail.out), (Stream::Err, &head.err, &tail.err)] {
        let (mut first, mut last) = (split(beginning), split(end));
        if whole {
            if first.len() > 2 * LINES {
                last = first.split_off(first.len() - LINES);
                short = true;
            }
        } else {
            // the lines that the windows cut through
            if !beginning.ends_with(b"\n") {
                first.pop();
            }
            let from = usize::from(tail.cut == Some(stream)).max(last.len().saturating_sub(LINES));
            last.drain(..from.min(last.len()));
        }
        let parted = !first.is_empty() && (!whole || !last.is_empty());
        if parted {
            first.truncate(LINES);
        }
        if stream == Stream::Err && !(first.is_empty() && last.is_empty()) {
            text.lines.push(format!("{OURS}stderr").into_bytes());
        }
        kept += (first.len() + last.len()) as u64;
        text.lines.extend(first.into_iter().map(<[u8]>::to_vec));
        if parted {
            text.lines.push(format!("{OURS}lines left out here").into_bytes());
        }
        text.lines.extend(last.into_iter().map(<[u8]>::to_vec));
    }
    for line in &mut text.lines {
        if line.len() > LINE {
            let more = line.len() - LINE;
            line.truncate(LINE);
            line.extend(format!(" ~~~ {more} bytes more").into_bytes());
        }
    }
    if short {
        text.left_out = lines.saturating_sub(kept);
    }
    Ok(text)
}

/// Without line ends; a last line may lack one.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

impl Text {
    /// Only what a terminal would show of a line in the end, without what is the device's own or the moment's.
    pub fn masked(&mut self, mask: impl Fn(&str) -> String) {
        for line in &mut self.lines {
            if line.starts_with(OURS.as_bytes()) {
                continue;
            }
            let shown =
                line.split(|byte| *byte == b'\r').rfind(|part| !part.trim_ascii().is_empty()).unwrap_or_default();
            let indent = shown.iter().take_while(|byte| **byte == b' ').count();
            *line = format!("{:indent$}{}", "", mask(&clean(shown, WIDTH))).into_bytes();
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.lines.join(&b'\n');
        if !self.lines.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::store::output::Writer;

    fn said(pieces: &[(Stream, &str)]) -> (tempfile::TempDir, Arc<Files>) {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(Files::create(&folder.path().join("0.out"), &folder.path().join("0.idx")).unwrap());
        let mut writer = Writer::new(Arc::clone(&files));
        for (n, (stream, text)) in (0..).zip(pieces) {
            writer.append(*stream, text.as_bytes(), n).unwrap();
        }
        (folder, files)
    }

    fn of(pieces: &[(Stream, &str)]) -> Text {
        let (_folder, files) = said(pieces);
        read(&files, files.size().unwrap(), output::total_lines(&files).unwrap()).unwrap()
    }

    fn lines(text: &Text) -> Vec<String> {
        text.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    #[test]
    fn how_the_streams_came_together_does_not_matter() {
        use Stream::{Err, Meta, Out};
        let one = of(&[(Out, "a\n"), (Err, "oops\n"), (Out, "b\n"), (Meta, "try 2\n")]);
        let other = of(&[(Err, "oo"), (Out, "a\nb"), (Err, "ps\n"), (Out, "\n")]);
        assert_eq!(lines(&one), ["a", "b", "~~~ stderr", "oops"]);
        assert_eq!(one, other);
        assert_eq!(of(&[]).lines.len(), 0);
    }

    #[test]
    fn a_long_output_is_compared_at_both_ends() {
        let many: String = (0..5_000).map(|n| format!("{n}\n")).collect();
        let text = of(&[(Stream::Out, &many)]);
        assert_eq!((text.lines.len(), text.left_out), (2 * LINES + 1, 1_000));
        assert_eq!(lines(&text)[LINES - 1..=LINES + 1], ["1999", "~~~ lines left out here", "3000"]);
        let flood: String = (0..40_000).map(|n| format!("{n:060}\n")).collect();
        let text = of(&[(Stream::Out, &flood), (Stream::Err, "the end\n")]);
        let shown = lines(&text);
        assert_eq!((shown[0].as_str(), shown.last().unwrap().as_str()), (&*format!("{:060}", 0), "the end"));
        assert!(shown.contains(&format!("{:060}", 39_999)) && text.lines.len() < 2 * LINES + 10);
        assert_eq!(text.left_out, 40_001 - (text.lines.len() as u64 - 2), "all but our own two lines");
    }

    #[test]
    fn a_window_without_a_line_end_costs_no_more_than_a_line() {
        let text = of(&[(Stream::Out, &"x".repeat(3 << 20))]);
        assert!(text.bytes().len() < 3 * LINE);
        let text = of(&[(Stream::Out, &"x".repeat(100_000))]);
        assert!(lines(&text)[0].ends_with("x ~~~ 91808 bytes more"), "{}", text.lines[0].len());
    }

    #[test]
    fn masked_lines_are_what_a_terminal_would_show_in_the_end() {
        let mut text = of(&[(Stream::Out, "10%\r20%\r\n  \x1b[31mred\x1b[0m 7\r\n\n~~~ 1\n"), (Stream::Err, "5\n")]);
        text.masked(|line| line.replace(char::is_numeric, "<n>"));
        assert_eq!(lines(&text), ["<n><n>%", "  red <n>", "", "~~~ 1", "~~~ stderr", "<n>"]);
    }
}
