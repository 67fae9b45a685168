//! A SimpleMDM account to try `kind = "simplemdm"` on, without one: the stand-in of the tests, on this machine alone, with
//! Macs that fetch what they are sent after a while and say something made up about it. Nothing is run anywhere.
//!
//! `cargo run --example simplemdm -- [PORT] [MACS]` prints what to write into `config.toml`, then every request.

#[allow(dead_code, unused_imports)] // the tests use all of it
#[path = "../tests/support/mdm/mod.rs"]
mod mdm;

use std::collections::HashMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mdm::{Behaves, KEY, Mdm, World};

const PORT: u16 = 4567;
const MACS: usize = 24;

/// The pace that the account allows, in requests a second, and that the connection is given.
const ALLOWED: u32 = 10;
const RATE: u32 = 5;

fn main() -> Result<(), String> {
    let mut given = std::env::args().skip(1);
    if std::env::args().any(|arg| arg == "--help" || arg == "-h") {
        println!("simplemdm [PORT] [MACS]: a SimpleMDM account of made up Macs on this machine ({PORT}, {MACS})");
        return Ok(());
    }
    let port: u16 = number(given.next(), PORT)?;
    let macs = number(given.next(), MACS)?;
    let mdm = Mdm::at(&format!("127.0.0.1:{port}"));
    furnish(&mut mdm.world(), macs);
    mdm.limit(ALLOWED, 60);
    println!(
        "An account with {macs} Macs, which make up what they say: no script is run anywhere. In config.toml (~/.config/quarterdeck/, or where QUARTERDECK_CONFIG says):\n"
    );
    println!("[[connection]]\nname = \"macs\"\nkind = \"simplemdm\"\nurl = {:?}", mdm.url());
    println!("api_key = {{ command = [\"printf\", {KEY:?}] }}\nrate = {RATE}\n\n^C ends it; what it is asked:\n");
    let mut told = 0;
    let mut since = HashMap::new();
    loop {
        sleep(Duration::from_millis(250));
        let asked = mdm.asked();
        asked[told..].iter().for_each(|line| println!("{line}"));
        told = asked.len();
        go_on(&mut mdm.world(), &mut since);
    }
}

fn number<T: std::str::FromStr>(given: Option<String>, otherwise: T) -> Result<T, String> {
    given.map_or(Ok(otherwise), |word| word.parse().map_err(|_| format!("{word}: no number (PORT, then MACS)")))
}

fn furnish(world: &mut World, macs: usize) {
    let ids = world.macs(macs);
    ids.iter().for_each(|id| world.behaves(*id, Behaves::Silent));
    for (at, id) in ids.iter().enumerate() {
        let site = ["eu", "us", "ap"][at % 3];
        world.devices.get_mut(id).expect("just made").custom.insert("site".to_owned(), site.to_owned());
    }
    let phone = world.device("Ann's iPhone", "iPhone 15");
    let (half, third) = (&ids[..macs / 2], &ids[..macs / 3]);
    world.group("Build farm", &[third, &[phone]].concat());
    world.legacy("Lab", half);
    world.dynamic("On 15.2", &ids);
    world.attributes.insert("cache_state".to_owned(), String::new());
    world.script("Rotate cache", "#!/bin/sh\r\nrm -rf \"$HOME/Library/Caches/build\"\r\necho rotated\r\n");
    world.script("Free space", "#!/bin/zsh\ndf -h / | tail -1\n");
    world.script("twice", "#!/bin/sh\necho the first\n");
    let old = world.script("twice", "#!/bin/sh\necho the second\n");
    let old = world.scripts[&old].clone();
    for at in 0..3 {
        let job = world.job(&old, third);
        third.iter().for_each(|id| world.end(job, *id, i32::from(at == 1), "long ago\n"));
    }
}

/// Macs fetch what waits for them one after the other; every eighth has its lid closed.
fn go_on(world: &mut World, since: &mut HashMap<(u64, u64), Instant>) {
    let waits = |(job, it): (&u64, &mdm::Job)| {
        let rows = it.rows.iter().filter(|(_, row)| row.status == "pending");
        rows.map(|(device, _)| (*job, *device)).collect::<Vec<_>>()
    };
    let waiting: Vec<(u64, u64)> =
        world.jobs.iter().filter(|(_, job)| job.status == "pending").flat_map(waits).collect();
    since.retain(|place, _| waiting.contains(place));
    for (job, device) in waiting {
        let waited = since.entry((job, device)).or_insert_with(Instant::now).elapsed();
        if device % 8 == 7 || waited < Duration::from_secs(2 + device % 13) {
            continue;
        }
        let script = &world.jobs[&job].script_name;
        let name = &world.devices[&device].name;
        let (code, says) = match device % 11 {
            3 => (69, format!("{script}: no space left on device\n")),
            9 => (1, format!("{script}: {name}: Operation not permitted\n")),
            _ => (0, format!("{script} on {name}\ndone\n")),
        };
        world.end(job, device, code, &says);
    }
}
