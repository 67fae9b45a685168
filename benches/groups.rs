//! Ten thousand outputs into twenty rows. `cargo bench --bench groups`, and beside Drain3, dshbak and clubak on the same
//! lines with `benches/compare/grouping`.
//!
//! * masked: 10,000 outputs of 200 lines, 20 planted ends, each output with its own times, ids and host names: hearing
//!   them as they arrive, naming them, grouping them; what memory that keeps; whether the groups are the planted ones;
//! * live: one more output among them, taken in and looked at;
//! * exact: 500 outputs of 2,000 lines of four texts, from the last line to the groups.
//!
//! `GROUPS_OUTPUTS` and `GROUPS_LINES` make it smaller. `GROUPS_WRITE=FOLDER` writes the lines there for others.

#[path = "../tests/support/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use corpus::{Dice, PLANTS};
use quarterdeck::connectors::Outcome;
use quarterdeck::engine::triage::groups::Tally;
use quarterdeck::engine::triage::{Heard, Ways, signature};
use quarterdeck::model::device::Device;
use quarterdeck::model::job::Run;
use quarterdeck::model::output::Stream;
use quarterdeck::model::state::RunState;

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

/// Twenty ends that say something, spread over the corpus.
fn planted() -> Vec<usize> {
    let telling = (0..PLANTS.len()).filter(|at| PLANTS[*at].code != 0);
    telling.step_by(4).take(20).collect()
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

fn run(index: usize, device: &Device, code: i32, out: &str, err: &str) -> Run {
    let mut heard = Heard::default();
    for (stream, text) in [(Stream::Out, out), (Stream::Err, err)] {
        for piece in text.as_bytes().chunks(READ) {
            heard.push(stream, piece);
        }
    }
    Run {
        state: if code == 0 { RunState::Ok } else { RunState::Failed },
        exit_code: Some(code),
        signature: Some(signature(device, &Outcome::exited(code), &heard)),
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
    let ways = Ways::default();
    let before = resident();
    let mut tally = tally(outputs);
    let mut took = Duration::ZERO;
    let mut last = Vec::new();
    for index in 0..outputs {
        let (device, plant, out, err) = output(index, lines, &plants);
        let from = Instant::now();
        let run = run(index, &device, PLANTS[plant].code, &out, &err);
        if outputs - index <= 100 {
            last.push(run);
        } else {
            tally.take(&run, &ways);
        }
        took += from.elapsed();
        if let Some(writer) = &mut writer {
            for line in out.lines().chain(err.lines()) {
                writeln!(writer, "{}: {line}", device.name).expect("written");
            }
        }
    }
    let mut updates = Vec::new();
    for run in &last {
        let from = Instant::now();
        tally.take(run, &ways);
        let ways = ways.with(tally.teaches());
        black_box(tally.groups(&ways, false, None));
        updates.push(from.elapsed());
    }
    let from = Instant::now();
    let ways = ways.with(tally.teaches());
    let groups = tally.groups(&ways, false, None);
    took += from.elapsed();
    let kept = resident().saturating_sub(before);
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
    updates.sort();
    println!("{outputs} outputs of {lines} lines, {} planted ends:", plants.len());
    println!("  heard, named, grouped   {took:>9.2?}");
    let verdict = if wrong.is_empty() { "the planted ones".to_owned() } else { wrong.join("; ") };
    println!("  groups                  {:>9}, {verdict}", groups.groups.len());
    println!("  kept in memory          {:>6} MB (<= 300 MB)", kept >> 20);
    println!(
        "  one more, and a look    {:>9.2?} median, {:.2?} worst (<= 1 ms)",
        updates[updates.len() / 2],
        updates[updates.len() - 1]
    );
}

fn exact(outputs: usize, lines: usize, write: Option<&Path>) {
    let texts: Vec<String> = (0..4)
        .map(|text| (0..lines).map(|line| format!("line {line} of the package list, in wording {text}\n")).collect())
        .collect();
    let mut writer = write.map(|folder| BufWriter::new(File::create(folder.join("exact")).expect("a file")));
    let ways = Ways::default();
    let mut tally = tally(outputs);
    let mut heard: Vec<Heard> = Vec::new();
    let mut took = Duration::ZERO;
    for index in 0..outputs {
        let text = &texts[index * 7 % 4];
        let from = Instant::now();
        let mut one = Heard::default();
        text.as_bytes().chunks(READ).for_each(|piece| one.push(Stream::Out, piece));
        heard.push(one);
        took += from.elapsed();
        if let Some(writer) = &mut writer {
            text.lines().for_each(|line| writeln!(writer, "web{index:05}: {line}").expect("written"));
        }
    }
    // the last line has come
    let from = Instant::now();
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
    let ready = from.elapsed();
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
