//! The output path, against floors measured in the same run. `cargo bench --bench output [-- SIZE_MB]`
//!
//! * flood: 100 local processes into files and sparse indexes, as a ratio to reading and throwing away;
//! * viewing: opening a large run at its end, indexing it anew, and searching it, as a ratio to `grep -c`.
//!
//! Every figure is the median of several runs, sides taken in turn.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quarterdeck::connectors::local::Local;
use quarterdeck::connectors::local::guard::Guard;
use quarterdeck::connectors::{Connector, Gate, Order, Payload, RunSink};
use quarterdeck::engine::search::{Search, Source, Wish};
use quarterdeck::engine::store::output::{Files, Wanted, Writer, tail, total_lines, totals};
use quarterdeck::model::device::Device;
use quarterdeck::model::output::{Stream, Which};
use quarterdeck::model::search::Pattern;

const RUNS: usize = 3;
const PROCESSES: usize = 100;
const LINE: &str = "2026-11-22T02:15:42.117Z dev0042 [INFO] step 00004711: checking package index entry ok status=200";

fn main() {
    let megabytes: u64 = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(1000);
    let folder = tempfile::tempdir().unwrap();
    flood(folder.path(), megabytes);
    viewing(folder.path(), megabytes);
}

fn median(mut figures: Vec<Duration>) -> Duration {
    figures.sort();
    figures[figures.len() / 2]
}

struct Nowhere;

impl RunSink for Nowhere {
    fn started(&mut self) {}
    fn output(&mut self, _: Stream, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn attempt(&mut self, _: &str) {}
}

struct Kept(Writer);

impl RunSink for Kept {
    fn started(&mut self) {}
    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.0.append(stream, bytes, jiff::Timestamp::now().as_millisecond().unsigned_abs())
    }
    fn attempt(&mut self, _: &str) {}
}

fn flood(folder: &Path, megabytes: u64) {
    let each = megabytes * 1_000_000 / PROCESSES as u64;
    let script = folder.join("flood");
    // a program that formats each line, as programs that log do
    let format = LINE.replace("00004711", "%08.0f");
    std::fs::write(&script, format!("exec seq -f '{format}' {}\n", each / (LINE.len() as u64 + 1))).unwrap();
    let (mut floor, mut kept) = (Vec::new(), Vec::new());
    for round in 0..RUNS {
        floor.push(fan_out(&script, |_| Box::new(Nowhere)));
        let out = folder.join(format!("flood-{round}"));
        std::fs::create_dir(&out).unwrap();
        kept.push(fan_out(&script, |n| {
            let files = Files::create(&out.join(format!("{n}.out")), &out.join(format!("{n}.idx"))).unwrap();
            Box::new(Kept(Writer::new(Arc::new(files))))
        }));
        std::fs::remove_dir_all(&out).unwrap();
    }
    let (floor, kept) = (median(floor), median(kept));
    let rate = |took: Duration| megabytes as f64 / took.as_secs_f64();
    println!(
        "local flood, {PROCESSES} processes, {megabytes} MB: {:.0} MB/s kept, {:.0} MB/s read only: ratio {:.2} (gate >= 0.75)",
        rate(kept),
        rate(floor),
        rate(kept) / rate(floor)
    );
}

fn fan_out(script: &Path, sink: impl Fn(usize) -> Box<dyn RunSink>) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let local = Local::new("local", Path::new("/"), &Arc::new(Guard::none()));
    let payload = Arc::new(Payload {
        name: "flood".into(),
        bytes: Vec::new(),
        path: script.to_owned(),
        interpreter: vec!["/bin/sh".into()],
        variables: false,
    });
    let began = Instant::now();
    runtime.block_on(async {
        let runs: Vec<_> = (0..PROCESSES)
            .map(|n| {
                let order = Order {
                    job: Some(1),
                    device: Arc::new(Device::new("local", &format!("{n}"))),
                    script: Arc::clone(&payload),
                    args: Arc::default(),
                    arguments: Arc::default(),
                    secrets: Arc::default(),
                    options: Arc::default(),
                    caller: Arc::default(),
                    timeout: None,
                    cancel: tokio_util::sync::CancellationToken::new(),
                    gate: Gate::default(),
                };
                tokio::spawn(local.launch(order, sink(n)))
            })
            .collect();
        for run in runs {
            assert_eq!(run.await.unwrap().exit_code, Some(0));
        }
    });
    began.elapsed()
}

fn viewing(folder: &Path, megabytes: u64) {
    let (out, idx) = (folder.join("run.out"), folder.join("run.idx"));
    let mut writer = Writer::new(Arc::new(Files::create(&out, &idx).unwrap()));
    let mut block = Vec::new();
    let lines = megabytes * 1_000_000 / (LINE.len() as u64 + 1);
    for n in 0..lines {
        let line = if n % 100_003 == 0 { LINE.replace("INFO", "NEEDLE") } else { LINE.to_owned() };
        block.extend_from_slice(line.as_bytes());
        block.push(b'\n');
        if block.len() > 60_000 {
            writer.append(Stream::Out, &block, 1_700_000_000_000 + n / 50).unwrap();
            block.clear();
        }
    }
    writer.append(Stream::Out, &block, 1_800_000_000_000).unwrap();
    let wanted = Wanted { which: Which::All, meta: false };

    let mut last_page = Vec::new();
    let mut index = Vec::new();
    let mut hits = Vec::new();
    let mut grep = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let files = Files::open(&out, &idx).unwrap();
        let page = tail(&files, 0, 50, wanted).unwrap();
        assert_eq!((page.len() as u64, total_lines(&files).unwrap()), (50, lines));
        last_page.push(began.elapsed());

        // the index is gone: everything is counted anew
        let began = Instant::now();
        let bare = Files::open(&out, Path::new("/dev/null")).unwrap();
        assert_eq!(totals(&bare).unwrap().lines, lines);
        index.push(began.elapsed());

        let began = Instant::now();
        let files = Arc::new(files);
        let open = |_| Ok(Some(Source { files: Arc::clone(&files), end: files.size()?, over: true }));
        let pattern = Pattern { text: "NEEDLE".into(), ..Pattern::default() };
        let mut search = Search::new(&Wish { job: 1, run: None, which: Which::All, pattern }, vec![0]).unwrap();
        assert!(search.advance(&open, began + Duration::from_secs(600)).unwrap());
        assert_eq!(search.progress(0, true).lines, lines.div_ceil(100_003));
        assert_eq!(search.first(&open, 100).unwrap().len(), 100.min(lines.div_ceil(100_003) as usize));
        hits.push(began.elapsed());

        let began = Instant::now();
        let answer = Command::new("grep").args(["-c", "NEEDLE"]).arg(&out).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), lines.div_ceil(100_003).to_string());
        grep.push(began.elapsed());
    }
    println!("open a run of {megabytes} MB, last page: {:.2?} (gate <= 50 ms)", median(last_page));
    println!("count its lines anew: {:.2?} (gate <= 1 s a GB)", median(index));
    let (hits, grep) = (median(hits), median(grep));
    println!(
        "search it: {hits:.2?}, grep -c {grep:.2?}: ratio {:.2} (gate <= 0.5)",
        hits.as_secs_f64() / grep.as_secs_f64()
    );
}
