//! Outputs on disk: what was appended is read back, whatever happened in between.

use proptest::prelude::*;

use super::*;

const EVERYTHING: Wanted = Wanted { which: Which::All, meta: true };

fn files() -> (tempfile::TempDir, Arc<Files>) {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::create(&dir.path().join("out"), &dir.path().join("idx")).unwrap();
    (dir, Arc::new(files))
}

/// The same rules, the plain way: one pass over everything in memory.
fn naive(appends: &[(Stream, Vec<u8>)]) -> Vec<(Stream, Vec<u8>)> {
    let mut lines: Vec<(Stream, Vec<u8>)> = Vec::new();
    let mut open = false;
    let mut last = None;
    for (stream, bytes) in appends.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        if last != Some(*stream) {
            open = false;
        }
        last = Some(*stream);
        for byte in bytes {
            if !open {
                lines.push((*stream, Vec::new()));
                open = true;
            }
            if *byte == b'\n' {
                open = false;
            } else {
                lines.last_mut().unwrap().1.push(*byte);
            }
        }
    }
    lines
}

fn appends() -> impl Strategy<Value = Vec<(Stream, Vec<u8>)>> {
    let stream = prop_oneof![Just(Stream::Out), Just(Stream::Err), Just(Stream::Meta)];
    let bytes = prop::collection::vec(prop_oneof![3 => Just(b'a'), 1 => Just(b'\n')], 0..300);
    prop::collection::vec((stream, bytes), 0..60)
}

#[test]
fn the_end_of_an_output_is_what_the_device_said_last() {
    let (_dir, files) = files();
    let mut writer = Writer::new(Arc::clone(&files));
    assert_eq!(ending(&files, 8).unwrap(), b"");
    let said: [(Stream, &[u8]); 5] = [
        (Stream::Out, b"one\ntwo\n"),
        (Stream::Meta, b"ours\n"),
        (Stream::Err, b"three"),
        (Stream::Meta, b"ours"),
        (Stream::Out, b"four\n"),
    ];
    for (at, (stream, bytes)) in (1_000..).zip(said) {
        writer.append(stream, bytes, at * 1_000).unwrap();
    }
    for (most, expected) in
        [(3, &b"ur\n"[..]), (8, b"reefour\n"), (12, b"o\nthreefour\n"), (99, b"one\ntwo\nthreefour\n")]
    {
        assert_eq!(ending(&files, most).unwrap(), expected, "{most}");
    }
}

proptest! {
    #[test]
    fn every_window_equals_one_pass_over_everything(appends in appends(), step in 0_u64..40, from in 0_u64..200, count in 1_usize..50) {
        let (_dir, files) = files();
        let mut writer = Writer::new(Arc::clone(&files));
        for (n, (stream, bytes)) in appends.iter().enumerate() {
            writer.append(*stream, bytes, 1_000_000 + n as u64 * step).unwrap();
        }
        let expected = naive(&appends);
        prop_assert_eq!(writer.lines(), expected.len() as u64);
        prop_assert_eq!(total_lines(&files).unwrap(), expected.len() as u64);
        let shown = |lines: Vec<Line>| lines.into_iter().map(|line| (line.number, line.stream, line.text)).collect::<Vec<_>>();
        let numbered: Vec<_> = expected
            .iter()
            .enumerate()
            .map(|(n, (stream, bytes))| (n as u64, *stream, String::from_utf8_lossy(bytes).into_owned()))
            .collect();
        let window: Vec<_> = numbered.iter().skip(from as usize).take(count).cloned().collect();
        prop_assert_eq!(shown(lines(&files, 0, from, count, EVERYTHING, u64::MAX).unwrap()), window);
        let end: Vec<_> = numbered.iter().skip(numbered.len().saturating_sub(count)).cloned().collect();
        prop_assert_eq!(shown(tail(&files, 0, count, EVERYTHING).unwrap()), end);
        let only_err = Wanted { which: Which::Err, meta: false };
        let errs: Vec<_> = numbered.iter().filter(|line| line.1 == Stream::Err).cloned().collect();
        let end: Vec<_> = errs.iter().skip(errs.len().saturating_sub(count)).cloned().collect();
        prop_assert_eq!(shown(tail(&files, 0, count, only_err).unwrap()), end);
    }

    #[test]
    fn each_stream_comes_back_byte_for_byte(appends in appends(), most in 1_u64..500) {
        let (_dir, files) = files();
        let mut writer = Writer::new(Arc::clone(&files));
        for (n, (stream, bytes)) in appends.iter().enumerate() {
            writer.append(*stream, bytes, 1_000_000 + n as u64 * 30).unwrap();
        }
        for wanted in [Stream::Out, Stream::Err] {
            let expected: Vec<u8> = appends.iter().filter(|(stream, _)| *stream == wanted).flat_map(|(_, bytes)| bytes.clone()).collect();
            let (mut cursor, mut got) = (Cursor::start(), Vec::new());
            let mut records = Records::of(&files);
            while let Some(stretch) = cursor.next_large(&mut records, files.size().unwrap(), most).unwrap() {
                if stretch.stream == wanted {
                    read(&files, &stretch, &mut got).unwrap();
                }
            }
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_kill_at_any_byte_of_the_index_loses_no_byte_of_output(appends in appends(), keep in 0_u64..2000) {
        let dir = tempfile::tempdir().unwrap();
        let (out, idx) = (dir.path().join("out"), dir.path().join("idx"));
        let mut writer = Writer::new(Arc::new(Files::create(&out, &idx).unwrap()));
        for (n, (stream, bytes)) in appends.iter().enumerate() {
            writer.append(*stream, bytes, 1_000_000 + n as u64 * 30).unwrap();
        }
        let len = std::fs::metadata(&idx).unwrap().len();
        OpenOptions::new().write(true).open(&idx).unwrap().set_len(len.min(keep)).unwrap();
        mend(&idx).unwrap();
        let files = Files::open(&out, &idx).unwrap();
        let (mut cursor, mut got) = (Cursor::start(), Vec::new());
        let mut records = Records::of(&files);
        while let Some(stretch) = cursor.next(&mut records, files.size().unwrap(), 1000).unwrap() {
            read(&files, &stretch, &mut got).unwrap();
        }
        let expected: Vec<u8> = appends.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        prop_assert_eq!(got, expected);
        totals(&files).unwrap();
    }
}

#[test]
fn an_endless_line_is_cut_and_its_length_told() {
    let (_dir, files) = files();
    let mut writer = Writer::new(Arc::clone(&files));
    for n in 0..100 {
        writer.append(Stream::Out, &[b'x'; 65_536], 1_000_000 + n * 100).unwrap();
    }
    writer.append(Stream::Out, b"\nnext\n", 2_000_000).unwrap();
    let found = tail(&files, 0, 10, EVERYTHING).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].text.len() as u64 + found[0].cut, 6_553_600);
    assert_eq!(found[1].text, "next");
}
