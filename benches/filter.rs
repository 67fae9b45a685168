//! Filtering a list of 100,000 devices while a filter is typed, letter by letter, against a plain search of one word in
//! the same texts in the same run. `cargo bench --bench filter`
//!
//! * one pass of a filter over all rows, every column of each;
//! * a keystroke in a list as the console keeps it: sorted once, and of letters added only what passed before.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::console::app::list::{Cursor, Look};
use quarterdeck::model::filter::{self, Rows};
use quarterdeck::model::job::Run;
use quarterdeck::model::rows::Runs;
use quarterdeck::model::state::RunState;

const ROWS: usize = 100_000;
const TIMES: usize = 15;

fn main() {
    let runs: Vec<Run> = (0..ROWS).map(run).collect();
    let rows = Runs { all: &runs, now: Timestamp::now() };
    let plain = median(|| black_box(plainly(&rows, "web9")));
    println!(
        "{ROWS} rows of {} columns; a plain search of one word in all their texts: {plain:.2?}",
        rows.columns().len()
    );
    for text in ["w", "web9", "~w", "~w9fail", "~wbzq", "web !fail", "state:fail", "re:web9[0-9]*7", "web9 | db7"] {
        let filter = filter::parse(text, rows.columns()).expect("a filter");
        let took = median(|| black_box(filter::passing(&filter, &rows)));
        println!("  {text:<16} {took:>9.2?} (<= 10 ms), ratio {:.2}", took.as_secs_f64() / plain.as_secs_f64());
    }
    println!("a keystroke in the list, sorted by state, from the first letter on:");
    for typed in ["web9917", "~w9fail", "state:failed"] {
        let (mut look, mut cursor) = (Look::sorted(1), Cursor::default());
        let key = |row: usize| Cow::Borrowed(runs[row].device.as_str());
        look.order(&rows, key, &mut cursor, 40);
        let mut worst = Duration::ZERO;
        for end in 1..=typed.len() {
            if look.set_filter(&typed[..end], &rows).is_err() {
                continue; // a column without its value yet
            }
            let from = Instant::now();
            black_box(look.order(&rows, key, &mut cursor, 40));
            worst = worst.max(from.elapsed());
        }
        println!(
            "  {typed:<16} worst {worst:>9.2?} (<= 10 ms), ratio {:.2}",
            worst.as_secs_f64() / plain.as_secs_f64()
        );
    }
}

/// Every text of every row looked at for one word, without case.
fn plainly(rows: &Runs<'_>, word: &str) -> usize {
    let mut room = String::new();
    let holds = |text: &str| text.as_bytes().windows(word.len()).any(|at| at.eq_ignore_ascii_case(word.as_bytes()));
    let row = |row: &usize| (0..rows.columns().len()).any(|column| holds(rows.text(*row, column, &mut room)));
    (0..rows.len()).filter(row).count()
}

fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let from = Instant::now();
            work();
            from.elapsed()
        })
        .collect();
    times.sort();
    times[TIMES / 2]
}

/// One of a large fleet: most are well.
fn run(n: usize) -> Run {
    let name = match n % 10 {
        0 => format!("db{n:05}.eu-west.example.net"),
        1 => format!("cache{n:05}.us-east.example.net"),
        _ => format!("web{n:05}.eu-west.example.net"),
    };
    let mut run = Run::queued(n as u32, &format!("lab:{name}"), &name);
    run.state = if n.is_multiple_of(37) { RunState::Failed } else { RunState::Ok };
    run.exit_code = Some(if n.is_multiple_of(37) { 69 } else { 0 });
    run.last_line = format!("/dev/sda1 {}% used, {n} inodes left over for the rest", n % 100);
    (run.bytes, run.lines) = (8_000 + n as u64, 210);
    run
}
