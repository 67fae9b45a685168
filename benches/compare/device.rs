//! What the measured devices run, as one small program, so that a device costs what its system costs and not
//! what an interpreter's start costs. Built by the rig with `rustc -O`; std alone.
//!
//! device chatty LINES SECONDS   lines spread over the time, each with the moment it was printed
//! device steady RATE SECONDS    so many lines a second, twenty blocks a second
//! device flood LINES [ID]       lines of 98 bytes as fast as they are taken, 64 KiB a write
//! device read                   reads its stdin and forgets it: the floor of every reader
//! device keep FILE              reads its stdin into a file, 64 KiB a write: the floor of everyone who stores
//! device delay MS FROM TO HOST… a TCP relay on HOST:FROM to HOST:TO, each direction late by half of MS

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<f64>().ok());
    match words.first().map(String::as_str) {
        Some("chatty") => chatty(number(1).unwrap_or(200.0) as u32, number(2).unwrap_or(2.0)),
        Some("steady") => steady(number(1).unwrap_or(500.0) as u32, number(2).unwrap_or(2.0)),
        Some("flood") => flood(number(1).unwrap_or(1e6) as u64, number(2).unwrap_or(0.0) as u32),
        Some("read") => read(|_| Ok(())),
        Some("keep") => {
            let mut file = std::fs::File::create(&words[1]).expect("a file to write");
            read(|bytes| file.write_all(bytes));
        }
        Some("delay") => delay(number(1).unwrap_or(100.0), number(2), number(3), &words[4.min(words.len())..]),
        _ => {
            eprintln!("device chatty|steady|flood|read|keep|delay …");
            std::process::exit(2);
        }
    }
}

fn chatty(lines: u32, seconds: f64) {
    let start = Instant::now();
    let out = std::io::stdout();
    for line in 0..lines {
        let due = Duration::from_secs_f64(seconds * f64::from(line) / f64::from(lines));
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let text = format!(
            "T{}.{:09} seq={line} INFO package step ok, retrieving unit {line} of {lines} from mirror\n",
            now.as_secs(),
            now.subsec_nanos()
        );
        if out.lock().write_all(text.as_bytes()).and_then(|()| out.lock().flush()).is_err() {
            return;
        }
    }
}

fn steady(rate: u32, seconds: f64) {
    const BLOCKS: u32 = 20;
    let start = Instant::now();
    let mut out = std::io::stdout().lock();
    for block in 0..(seconds * f64::from(BLOCKS)) as u32 {
        std::thread::sleep((Duration::from_secs(1) * block / BLOCKS).saturating_sub(start.elapsed()));
        let mut text = String::new();
        for line in 0..rate / BLOCKS {
            text += &format!("seq={} INFO package step ok, retrieving unit {line} from mirror\n", block * rate / BLOCKS + line);
        }
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn flood(lines: u64, id: u32) {
    let mut out = std::io::stdout().lock();
    let mut block = Vec::with_capacity(1 << 17);
    for line in 0..lines {
        let _ = writeln!(
            block,
            "2026-11-22T02:15:{:02}.{:03}Z dev{id:04} [INFO] step {line:08}: checking package index entry ok status=200",
            line / 1000 % 60,
            line % 1000
        );
        if block.len() > 65_000 {
            if out.write_all(&block).is_err() {
                return;
            }
            block.clear();
        }
    }
    let _ = out.write_all(&block);
}

fn read(mut take: impl FnMut(&[u8]) -> std::io::Result<()>) {
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = input.read(&mut buffer) {
        if read == 0 {
            return;
        }
        take(&buffer[..read]).expect("a place for what was read");
    }
}

fn delay(milliseconds: f64, from: Option<f64>, to: Option<f64>, hosts: &[String]) {
    let (Some(from), Some(to)) = (from, to) else { return };
    let half = Duration::from_secs_f64(milliseconds / 2000.0);
    let listeners: Vec<_> = hosts
        .iter()
        .map(|host| {
            let listener = TcpListener::bind((host.as_str(), from as u16)).expect("a free port");
            (host.clone(), listener)
        })
        .collect();
    println!("ready");
    let _ = std::io::stdout().flush();
    let threads: Vec<_> = listeners
        .into_iter()
        .map(|(host, listener)| {
            small_thread(move || {
                for near in listener.incoming().flatten() {
                    let host = host.clone();
                    small_thread(move || {
                        let Ok(far) = TcpStream::connect((host.as_str(), to as u16)) else { return };
                        let _ = (near.set_nodelay(true), far.set_nodelay(true));
                        let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { return };
                        late(near, far, half);
                        late(far_too, near_too, half);
                    });
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

/// One direction: what is read now is written `half` later.
fn late(mut from: TcpStream, mut to: TcpStream, half: Duration) {
    let (send, receive) = mpsc::channel::<(Instant, Vec<u8>)>();
    small_thread(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read) = from.read(&mut buffer) {
            // late is the line, not this relay: a sender that waits for its acknowledgement would wait for 40 ms more
            #[cfg(target_os = "linux")]
            let _ = std::os::linux::net::TcpStreamExt::set_quickack(&from, true);
            if send.send((Instant::now() + half, buffer[..read].to_vec())).is_err() || read == 0 {
                return;
            }
        }
    });
    small_thread(move || {
        for (due, bytes) in receive {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if bytes.is_empty() || to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn small_thread<F: FnOnce() + Send + 'static>(run: F) -> std::thread::JoinHandle<()> {
    std::thread::Builder::new().stack_size(128 * 1024).spawn(run).expect("a thread")
}
