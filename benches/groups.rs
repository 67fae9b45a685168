//! Ten thousand outputs into twenty rows. `cargo bench --bench groups`, and beside Drain3, dshbak and clubak on the same
//! lines with `benches/compare/grouping`.
//!
//! * masked: 10,000 outputs of 200 lines, 20 planted ends, each output with its own times, ids and host names, all of
//!   them heard at the same time: hearing them as they arrive, naming them, grouping them beside a job before that was
//!   as large; what memory that keeps; whether the groups are the planted ones;
//! * live: each of the last outputs among all the others: named, taken in, and a look at the groups as a console gets it;
//! * exact: 500 outputs of 2,000 lines of four texts, from the last line to the groups.
//!
//! Sums are processor times of this thread where the system tells them, and of single looks the fastest of a few rounds
//! counts, each for itself: neighbours do not.
//! Reached on a busy two-core machine, own crate at "s" without LTO, dependencies at opt-level 1: 0.36 s for all of the
//! masked ones (Drain3 0.9.11: 41 s for the same lines, 1/114; 0.24 s for the last lines alone, given to it, which are
//! 0.21 s here), the 20 planted groups (Drain3: 115), 47 MB; one more and a look 0.12 ms, p99 0.19 ms; exact 12 ms from
//! the last line on, 22 ms in all (dshbak -c 1.6 s, clubak -b 15.2 s).
//!
//! `GROUPS_OUTPUTS` and `GROUPS_LINES` make it smaller. `GROUPS_WRITE=FOLDER` writes the lines there for others.

#[path = "../tests/support/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use corpus::{Dice, PLANTS};
use quarterdeck::connectors::Outcome;
use quarterdeck::engine::triage::groups::Tally;
use quarterdeck::engine::triage::{Heard, Ways, signature};
use quarterdeck::model::device::Device;
use quarterdeck::model::job::Run;
use quarterdeck::model::output::Stream;
use quarterdeck::model::state::RunState;
use quarterdeck::model::triage::Groups;

/// Times that the same is done to tell its own time from that of neighbours.
const ROUNDS: usize = 3;

/// What a connector reads at once.
const READ: usize = 32 << 10;

fn main() {
    let outputs = number("GROUPS_OUTPUTS", 10_000);
    let lines = number("GROUPS_LINES", 200);
    let write = std::env::var_os("GROUPS_WRITE").map(PathBuf::from);
    masked(outputs, lines, write.as_deref());
    exact((outputs / 20).max(4), lines * 10, write.as_deref());
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Twenty ends that say something, spread over the corpus, the first of them a good one.
fn planted() -> Vec<usize> {
    let telling = (1..PLANTS.len()).filter(|at| PLANTS[*at].code != 0);
    std::iter::once(0).chain(telling.step_by(4)).take(20).collect()
}

/// Processor time of this thread, else the time that passes.
fn spent() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next().and_then(|nanos| nanos.parse().ok()));
    told.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

/// An output: noise, then the end of a plant.
fn output(index: usize, lines: usize, plants: &[usize]) -> (Device, usize, String, String) {
    let mut dice = Dice::new(index as u64 + 1);
    let name = format!("web{index:05}.acme.example");
    let plant = plants[index % plants.len()];
    let mut out = String::new();
    for _ in 0..lines.saturating_sub(3) {
        let noise = [
            "{iso} {own} step {n} of {n}: copied {n} bytes in {n} ms",
            "{clock} [{n}] fetched {uuid} from {ip}",
            "{syslog} {own} agent[{n}]: {w} {v} is fine ({hex7})",
        ];
        let line = noise[dice.below(3) as usize];
        out.push_str(&dice.fill(line, &name));
        out.push('\n');
    }
    out.push_str(&dice.fill(PLANTS[plant].out, &name));
    let err = dice.fill(PLANTS[plant].err, &name);
    (Device::new("lab", &name), plant, out, err)
}

fn heard(out: &str, err: &str) -> Heard {
    let mut heard = Heard::default();
    for (stream, text) in [(Stream::Out, out), (Stream::Err, err)] {
        for piece in text.as_bytes().chunks(READ) {
            heard.push(stream, piece);
        }
    }
    heard
}

fn run(index: usize, device: &Device, code: i32, heard: &Heard) -> Run {
    Run {
        state: if code == 0 { RunState::Ok } else { RunState::Failed },
        exit_code: Some(code),
        signature: Some(signature(device, &Outcome::exited(code), heard)),
        digest: Some(heard.digest()),
        ..Run::queued(index as u32, &device.id, &device.name)
    }
}

fn tally(outputs: usize) -> Tally {
    let devices = (0..outputs).map(|index| format!("lab:web{index:05}.acme.example")).collect();
    // a handful of facts, as an inventory has them
    let facts = (0..outputs).map(|index| {
        let values = [("site", index % 7), ("model", index % 11), ("os", index % 3), ("serial", index)];
        values.map(|(field, value)| (field.to_owned(), BTreeSet::from([value.to_string()]))).into()
    });
    Tally::new(devices, facts)
}

fn masked(outputs: usize, lines: usize, write: Option<&Path>) {
    let plants = planted();
    let mut writer = write.map(|folder| {
        fs::create_dir_all(folder).expect("a folder");
        BufWriter::new(File::create(folder.join("masked")).expect("a file"))
    });
    let ways = Arc::new(Ways::default());
    let empty = resident();
    let (mut now, mut before) = (tally(outputs), tally(outputs));
    let twins: Vec<Option<u32>> = (0..outputs as u32).map(Some).collect();
    let mut took = Duration::ZERO;
    let mut all: Vec<(Device, i32, Heard)> = Vec::new();
    for index in 0..outputs {
        let (device, plant, out, err) = output(index, lines, &plants);
        let from = spent();
        let heard = heard(&out, &err);
        took += spent() - from;
        all.push((device, PLANTS[plant].code, heard));
        if let Some(writer) = &mut writer {
            for line in out.lines().chain(err.lines()) {
                writeln!(writer, "{}: {line}", all[index].0.name).expect("written");
            }
        }
    }
    // the job before: its devices ended in the same ways, each in another one
    for (index, (device, code, heard)) in all.iter().enumerate() {
        before.take(&run((index + 7) % outputs, device, *code, heard), &ways);
    }
    let from = spent();
    for (index, (device, code, heard)) in all.iter().enumerate() {
        now.take(&run(index, device, *code, heard), &ways);
    }
    let groups = look(&mut now, &mut before, &twins, &ways);
    let named = spent() - from;
    took += named;
    let kept = resident().saturating_sub(empty);
    let updates = live(&all, &mut before, &twins, &ways, &groups);
    let mut rows = vec![0; plants.len()];
    let mut wrong = Vec::new();
    for group in &groups.groups {
        let of: BTreeSet<usize> = group.runs.iter().map(|run| *run as usize % plants.len()).collect();
        of.iter().for_each(|plant| rows[*plant] += 1);
        if of.len() > 1 {
            wrong.push(format!("merged: {:?}", of.iter().map(|plant| PLANTS[plants[*plant]].name).collect::<Vec<_>>()));
        }
    }
    for (plant, rows) in plants.iter().zip(&rows).filter(|(_, rows)| **rows != 1) {
        wrong.push(format!("{} in {rows} groups", PLANTS[*plant].name));
    }
    println!("{outputs} outputs of {lines} lines, {} planted ends:", plants.len());
    println!("  heard, named, grouped   {took:>9.2?}");
    println!("  named and grouped alone {named:>9.2?}");
    let verdict = if wrong.is_empty() { "the planted ones".to_owned() } else { wrong.join("; ") };
    println!("  groups                  {:>9}, {verdict}", groups.groups.len());
    println!("  kept in memory          {:>6} MB (<= 300 MB)", kept >> 20);
    let at = |share: usize| updates[(updates.len() - 1) * share / 100];
    println!("  one more, and a look    {:>9.2?} median, {:.2?} p99, {:.2?} worst (<= 1 ms)", at(50), at(99), at(100));
    let from = Instant::now();
    let told = serde_json::to_vec(&groups).expect("JSON").len();
    println!("  told to a console       {:>6} KB in {:.2?}", told >> 10, from.elapsed());
}

/// The same again, looked at after each of the last thousand, a few times: how long each took where nobody came between.
fn live(
    all: &[(Device, i32, Heard)],
    before: &mut Tally,
    twins: &[Option<u32>],
    ways: &Arc<Ways>,
    whole: &Groups,
) -> Vec<Duration> {
    let last = all.len() - (all.len() / 10).min(1000);
    let mut updates = vec![Duration::MAX; all.len() - last];
    for _ in 0..ROUNDS {
        let mut now = tally(all.len());
        for (index, (device, code, heard)) in all[..last].iter().enumerate() {
            now.take(&run(index, device, *code, heard), ways);
        }
        look(&mut now, before, twins, ways);
        for (index, (device, code, heard)) in all.iter().enumerate().skip(last) {
            let from = Instant::now();
            now.take(&run(index, device, *code, heard), ways);
            black_box(look(&mut now, before, twins, ways));
            updates[index - last] = updates[index - last].min(from.elapsed());
        }
        assert_eq!(look(&mut now, before, twins, ways), *whole, "one by one or all together");
    }
    updates.sort();
    updates
}

/// What a console gets when it asks.
fn look(now: &mut Tally, before: &mut Tally, twins: &[Option<u32>], ways: &Arc<Ways>) -> Groups {
    let ways = now.ways(ways);
    now.groups(&ways, false, Some((before, twins)))
}

fn exact(outputs: usize, lines: usize, write: Option<&Path>) {
    let texts: Vec<String> = (0..4)
        .map(|text| (0..lines).map(|line| format!("line {line} of the package list, in wording {text}\n")).collect())
        .collect();
    let mut writer = write.map(|folder| BufWriter::new(File::create(folder.join("exact")).expect("a file")));
    let ways = Arc::new(Ways::default());
    let mut tally = tally(outputs);
    let mut heard: Vec<Heard> = Vec::new();
    let mut took = Duration::ZERO;
    for index in 0..outputs {
        let text = &texts[index * 7 % 4];
        let from = spent();
        let mut one = Heard::default();
        text.as_bytes().chunks(READ).for_each(|piece| one.push(Stream::Out, piece));
        heard.push(one);
        took += spent() - from;
        if let Some(writer) = &mut writer {
            text.lines().for_each(|line| writeln!(writer, "web{index:05}: {line}").expect("written"));
        }
    }
    // the last line has come
    let from = spent();
    for (index, heard) in heard.iter().enumerate() {
        let device = Device::new("lab", &format!("web{index:05}"));
        let signature = signature(&device, &Outcome::exited(0), heard);
        let (state, exit_code) = (RunState::Ok, Some(0));
        let run = Run {
            state,
            exit_code,
            signature: Some(signature),
            digest: Some(heard.digest()),
            ..Run::queued(index as u32, &device.id, &device.name)
        };
        tally.take(&run, &ways);
    }
    let groups = tally.groups(&ways, true, None);
    let ready = spent() - from;
    println!("{outputs} outputs of {lines} lines, 4 texts, exact:");
    println!("  all of it               {:>9.2?}", took + ready);
    println!("  from the last line on   {ready:>9.2?} (<= 50 ms)");
    println!("  groups                  {:>9}", groups.groups.len());
}

/// Bytes of memory this process holds; 0 where that is not told.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()));
    pages.unwrap_or(0) * 4096
}
