//! A search against the plain way: every line of every run, looked at one by one.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::engine::store::output::{Writer, lines};
use crate::model::output::Stream;
use crate::model::search::Kind;

struct Desk {
    dir: tempfile::TempDir,
    runs: Vec<(Arc<Files>, Writer)>,
}

impl Desk {
    fn new(runs: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runs = (0..runs).map(|run| {
            let path = |end: &str| dir.path().join(format!("{run}.{end}"));
            let files = Arc::new(Files::create(&path("out"), &path("idx")).unwrap());
            (Arc::clone(&files), Writer::new(files))
        });
        let runs = runs.collect();
        Self { dir, runs }
    }

    fn append(&mut self, run: usize, stream: Stream, text: &[u8], at_ms: u64) {
        self.runs[run].1.append(stream, text, at_ms).unwrap();
    }

    fn open(&self, over: bool) -> impl Fn(u32) -> io::Result<Option<Source>> {
        assert!(self.dir.path().exists());
        let files: Vec<Arc<Files>> = self.runs.iter().map(|(files, _)| Arc::clone(files)).collect();
        move |run| {
            let files = Arc::clone(&files[run as usize]);
            let end = files.size()?;
            Ok(Some(Source { files, end, over }))
        }
    }

    /// Every line that matches, in order of arrival.
    fn expected(&self, pattern: &Pattern, which: Which) -> Vec<Line> {
        let regex = pattern.compile().unwrap();
        let wanted = Wanted { which, meta: false };
        let all = self.runs.iter().enumerate();
        let all = all.flat_map(|(run, (files, _))| lines(files, run as u32, 0, usize::MAX, wanted, u64::MAX).unwrap());
        let trouble =
            |line: &Line| pattern.kind == Kind::Errors && line.stream == Stream::Err && !line.text.trim().is_empty();
        let mut found: Vec<Line> = all.filter(|line| trouble(line) || regex.is_match(line.text.as_bytes())).collect();
        found.sort_by_key(Line::place);
        found
    }
}

fn wish(pattern: &Pattern, which: Which) -> Wish {
    Wish { job: 1, run: None, which, pattern: pattern.clone() }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let typed = ["ab", "AB", "re:a+b", "re:^a", "re:b$", "re:a[^c]*b", r"re:a\s*b", "re:^$", "x"];
    prop_oneof![
        9 => prop::sample::select(typed.to_vec()).prop_map(|typed| Pattern::typed(typed).unwrap()),
        1 => Just(Pattern::errors()),
    ]
}

proptest! {
    #[test]
    fn finds_what_looking_at_every_line_finds(
        appends in prop::collection::vec((0_usize..3, any::<bool>(), "[abA\n]{0,60}"), 0..60),
        pattern in pattern(),
        which in prop::sample::select(vec![Which::All, Which::Out, Which::Err]),
        (place, before, count) in (0_usize..40, 0_usize..9, 0_usize..9),
        step in 0_u64..60,
    ) {
        let mut desk = Desk::new(3);
        for (n, (run, err, text)) in appends.iter().enumerate() {
            let stream = if *err { Stream::Err } else { Stream::Out };
            desk.append(*run, stream, text.as_bytes(), 1_000 + n as u64 * step);
        }
        let expected = desk.expected(&pattern, which);
        let open = desk.open(true);
        let mut search = Search::new(&wish(&pattern, which), vec![0, 1, 2]).unwrap();
        prop_assert!(search.advance(&open, soon()).unwrap());
        prop_assert_eq!(search.progress(0, true).lines, expected.len() as u64);

        let at = place.min(expected.len());
        let seek = expected.get(at).map_or(Seek::End, |line| Seek::Around(line.place()));
        let (before, count) = if seek == Seek::End { (before + count, 0) } else { (before, count) };
        let (window, first) = search.window(&open, seek, before, count).unwrap();
        let (from, to) = (at.saturating_sub(before), (at + count).min(expected.len()));
        prop_assert_eq!(&window.lines, &expected[from..to]);
        prop_assert_eq!((first, window.back), (from as u64, at - from));
        prop_assert_eq!((window.starts, window.ends), (from == 0, to == expected.len()));
    }

    #[test]
    fn a_run_that_grows_is_searched_on_and_found_the_same(
        texts in prop::collection::vec("[ab\n]{0,40}", 1..30),
        pattern in pattern(),
    ) {
        let mut desk = Desk::new(1);
        let mut search = Search::new(&wish(&pattern, Which::All), vec![0]).unwrap();
        for (n, text) in texts.iter().enumerate() {
            desk.append(0, Stream::Out, text.as_bytes(), 1_000 + n as u64);
            search.advance(&desk.open(false), soon()).unwrap();
        }
        let open = desk.open(true);
        search.advance(&open, soon()).unwrap();
        let expected = desk.expected(&pattern, Which::All);
        let (window, _) = search.window(&open, Seek::Start, 0, 1000).unwrap();
        prop_assert_eq!(window.lines, expected);
    }
}

/// More hits than places are kept for, and more bytes than one part.
#[test]
fn many_hits_are_counted_and_each_is_found_again() {
    let mut desk = Desk::new(1);
    let mut text = Vec::new();
    let total = 700_000_u64;
    for n in 0..total {
        text.extend_from_slice(format!("{n} {}\n", if n % 7 == 3 { "miss" } else { "hit me again" }).as_bytes());
        if text.len() > 50_000 || n + 1 == total {
            desk.append(0, Stream::Out, &text, 1_000 + n);
            text.clear();
        }
    }
    let open = desk.open(true);
    let mut search = Search::new(&wish(&Pattern::typed("hit").unwrap(), Which::All), vec![0]).unwrap();
    assert!(search.advance(&open, soon()).unwrap());
    let hits: Vec<u64> = (0..total).filter(|n| n % 7 != 3).collect();
    assert_eq!(search.progress(0, true).lines, hits.len() as u64);
    for rank in [0, 1, 2, 77_777, 300_001, hits.len() - 1] {
        let at_ms = i64::MAX; // in its own run a line is known by its number alone
        let seek = Seek::Around(Place { at_ms, run: 0, line: hits[rank] });
        let (window, first) = search.window(&open, seek, 1, 1).unwrap();
        assert_eq!(window.lines.last().unwrap().number, hits[rank], "hit {rank}");
        assert_eq!(first, rank.saturating_sub(1) as u64);
    }
    let (window, _) = search.window(&open, Seek::End, 3, 0).unwrap();
    assert!(window.ends && window.lines.last().unwrap().number == *hits.last().unwrap());
}

#[test]
fn a_search_goes_on_in_steps() {
    let mut desk = Desk::new(1);
    let block = "nothing to see here at all\n".repeat(40_000);
    for n in 0..40 {
        desk.append(0, Stream::Out, block.as_bytes(), 1_000 + n);
    }
    desk.append(0, Stream::Out, b"the needle\n", 2_000);
    let open = desk.open(true);
    let mut search = Search::new(&wish(&Pattern::typed("needle").unwrap(), Which::All), vec![0]).unwrap();
    let past = Instant::now();
    let mut steps = 0;
    while !search.advance(&open, past).unwrap() {
        steps += 1;
        assert!(steps < 100, "every step comes further");
    }
    assert!(steps > 0, "one step is not everything");
    assert_eq!(search.progress(0, true).lines, 1);
}

#[test]
fn an_endless_line_is_one_hit_and_memory_stays_small() {
    let mut desk = Desk::new(1);
    desk.append(0, Stream::Out, b"begin\n", 1_000);
    for n in 0..300 {
        desk.append(0, Stream::Out, &[b'x'; 65_536], 1_001 + n);
    }
    desk.append(0, Stream::Out, b"needle", 2_000);
    for n in 0..300 {
        desk.append(0, Stream::Out, &[b'y'; 65_536], 2_001 + n);
    }
    desk.append(0, Stream::Out, b"needle\nneedle\n", 3_000);
    let open = desk.open(true);
    let mut search = Search::new(&wish(&Pattern::typed("needle").unwrap(), Which::All), vec![0]).unwrap();
    search.advance(&open, soon()).unwrap();
    let (window, _) = search.window(&open, Seek::Start, 0, 9).unwrap();
    assert_eq!(window.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    for pattern in [Pattern { kind: Kind::Regex, text: "(".into(), ignore_case: false }, Pattern::default()] {
        assert!(Needle::new(&pattern).is_err());
    }
}
