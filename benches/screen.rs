//! A frame of a large fleet against an empty one, in the same run. `cargo bench --bench screen`
//!
//! * overview: a key pressed, and the frame that follows, with 10,000 devices, 1,000 scripts and 1,000 jobs; and with
//!   every frame word of 500 devices that were spoken to;
//! * live: the same in a job of 10,000 runs, and with every frame 500 runs that end and 500 outputs that grow;
//! * groups: the same among the groups of that job;
//! * empty: the same key, and nothing to show.
//!
//! Reached on a busy two-core machine, own crate at "s" without LTO: at 140x40 overview 0.6 ms, live 0.7 ms, while 500
//! runs end and 500 grow 1.9 ms, groups 0.7 ms; at 200x50 overview 0.8 ms, while 500 devices answer 1.1 ms (medians).

use std::io;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use quarterdeck::console::app::{App, Effect, Event, Place, commands};
use quarterdeck::console::keymap::Keymap;
use quarterdeck::console::term::Screen;
use quarterdeck::console::theme::{Depth, Theme};
use quarterdeck::console::ui;
use quarterdeck::engine::triage::groups;
use quarterdeck::model::connection::{Capabilities, ConnectionInfo};
use quarterdeck::model::device::{Device, Group, Reach};
use quarterdeck::model::job::{Job, JobSummary, Run, Signature};
use quarterdeck::model::output::{Line, Stream, Window};
use quarterdeck::model::script::{LastRun, inspect};
use quarterdeck::model::state::{Counts, JobState, RunState};
use quarterdeck::model::triage::Groups;
use quarterdeck::model::wire::{self, Contacted, Grown, Hello, Library, Targets};
use ratatui::layout::Rect;

const DEVICES: usize = 10_000;
const SCRIPTS: usize = 1_000;
const JOBS: u64 = 1_000;
const FRAMES: usize = 400;
const ROUNDS: usize = 3;

/// As an engine would group that job.
static GROUPS: LazyLock<Groups> = LazyLock::new(|| {
    let mut runs = job(JOBS, DEVICES).runs;
    for run in &mut runs {
        let name = format!("v1:{:016x}", run.index % 20);
        run.signature = Some(Signature { name, says: "retry <n>/<n> failed: CDN <n>".into(), told: None });
    }
    Groups { job: JOBS, ..groups::of(&runs, false, None, &|_| groups::Facts::default()) }
});

/// Its runs when they have ended well.
static BUSY: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let mut runs = job(JOBS, DEVICES).runs;
    for run in &mut runs {
        (run.state, run.exit_code) = (RunState::Ok, Some(0));
    }
    runs
});

fn main() {
    for size in [(80, 24), (140, 40), (200, 50)] {
        println!("key to frame at {}x{}, median and p99:", size.0, size.1);
        let overview = || console(size, true);
        let targets = || press_on(overview(), "2");
        let live = || watching(size);
        let groups = || press_on(watching(size), "u");
        let (empty, _) = print("empty overview", None, pressed(|| console(size, false), quiet));
        print("overview", Some(empty), pressed(overview, quiet));
        print("  while 500 devices answer", Some(empty), pressed(overview, answering));
        print("  in the targets", Some(empty), pressed(targets, quiet));
        print("live", Some(empty), pressed(live, quiet));
        print("  while 500 runs end and 500 grow", Some(empty), pressed(live, busy));
        print("groups", Some(empty), pressed(groups, quiet));
        print("  while 500 runs end and 500 grow", Some(empty), pressed(groups, busy));
    }
}

fn print(what: &str, empty: Option<Duration>, mut samples: Vec<Duration>) -> (Duration, Duration) {
    samples.sort();
    let (median, p99) = (samples[samples.len() / 2], samples[(samples.len() - 1) * 99 / 100]);
    let ratio = empty.map_or_else(String::new, |empty| {
        format!(", {:.1} x an empty one (<= 5 ms)", median.as_secs_f64() / empty.as_secs_f64())
    });
    println!("  {what:<34} {median:>9.2?} {p99:>9.2?}{ratio}");
    (median, p99)
}

fn press(app: &mut App, key: char) {
    let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
    tell(app, Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn press_on(mut app: App, keys: &str) -> App {
    keys.chars().for_each(|key| press(&mut app, key));
    app
}

/// Tells the console something, and answers what it asks about output.
fn tell(app: &mut App, event: Event) {
    let mut events = vec![event];
    while let Some(event) = events.pop() {
        for effect in app.update(event) {
            if let Effect::LoadGroups { job, exact, base } = effect {
                events.push(Event::Groups { job, exact, base, answer: Box::new(Ok(GROUPS.clone())) });
                continue;
            }
            if let Effect::Lines(ask) = effect {
                let line = |number: u64| Line {
                    number,
                    run: ask.run.unwrap_or(0),
                    stream: if number % 9 == 4 { Stream::Err } else { Stream::Out },
                    at: Timestamp::UNIX_EPOCH,
                    text: format!("step {number} of many: checking package index entry ok status=200"),
                    cut: 0,
                };
                let all: Vec<Line> = (0..300).map(line).collect();
                let window = Ok(Window::of(&all, ask.seek, ask.before, ask.count));
                events.push(Event::Lines { ask, window });
            }
        }
    }
}

/// Each key, what happens meanwhile, and the frame: how long that took, the fastest of a few rounds, so that a neighbour
/// who comes between counts once at most.
fn pressed(begin: impl Fn() -> App, meanwhile: fn(usize) -> Vec<Event>) -> Vec<Duration> {
    let mut samples = vec![Duration::MAX; FRAMES];
    for _ in 0..ROUNDS {
        let mut app = begin();
        let area = app.area;
        let mut screen = Screen::new(io::sink(), Rect::new(0, 0, area.width, area.height), Depth::True);
        for (n, key) in "jk".chars().cycle().take(FRAMES).enumerate() {
            let events = meanwhile(n);
            let begun = Instant::now();
            events.into_iter().for_each(|event| tell(&mut app, event));
            tell(&mut app, Event::Tick(Timestamp::now()));
            press(&mut app, key);
            screen.draw(|area, buf| ui::draw(&app, area, buf)).expect("a sink takes all");
            samples[n] = samples[n].min(begun.elapsed());
        }
    }
    samples
}

fn console(size: (u16, u16), full: bool) -> App {
    let (theme, _) = Theme::load("dark", None, Depth::True, false);
    let (keymap, _) = Keymap::load("vi", None, &commands::known);
    let mut app = App::new(theme, keymap, Place::default(), size, Timestamp::now());
    tell(&mut app, Event::Attached(Box::new(hello())));
    let (devices, scripts, jobs) = if full { (DEVICES, SCRIPTS, JOBS) } else { (0, 0, 0) };
    tell(&mut app, Event::Targets(Ok(targets(devices))));
    tell(&mut app, Event::Library(Ok(library(scripts))));
    tell(&mut app, Event::Jobs(Ok((1..=jobs).rev().map(|id| job(id, 0).summary).collect())));
    app
}

fn watching(size: (u16, u16)) -> App {
    let mut app = console(size, true);
    press(&mut app, '3');
    press(&mut app, '\n');
    tell(&mut app, Event::Job(JOBS, Box::new(Ok(job(JOBS, DEVICES)))));
    app
}

fn quiet(_: usize) -> Vec<Event> {
    Vec::new()
}

/// What a frame's worth of events of a busy job is.
fn busy(n: usize) -> Vec<Event> {
    let from = n * 500 % DEVICES;
    let runs: Vec<Run> = BUSY[from..from + 500].to_vec();
    let grown = runs.iter().map(|run| Grown {
        run: run.index,
        bytes: 1 << 20,
        lines: 9_000 + n as u64,
        last_line: "step 9000 of many".into(),
    });
    let grown = grown.collect();
    let events = [wire::Event::Runs { job: JOBS, runs }, wire::Event::Output { job: JOBS, runs: grown }];
    events.map(Event::Engine).into()
}

/// And of a fleet that is spoken to.
fn answering(n: usize) -> Vec<Event> {
    let from = n * 500 % DEVICES;
    let devices = (from..from + 500).map(|at| Contacted {
        device: format!("lab:{}", name(at)),
        state: if (at + n).is_multiple_of(3) { Reach::Offline } else { Reach::Online },
        last_contact: Some(Timestamp::now()),
        last_error: None,
    });
    vec![Event::Engine(wire::Event::Contacts { devices: devices.collect() })]
}

fn hello() -> Hello {
    Hello {
        listen: None,
        version: "0.1.0".into(),
        protocol: 1,
        pid: 1,
        confirm_above: 10,
        at_once: 256,
        library: "/srv/library".into(),
        notices: vec![],
        last_event: 0,
        config: String::new(),
        config_mark: String::new(),
        busy: true,
        jobs_running: Some(1),
    }
}

fn name(n: usize) -> String {
    format!("web{n:05}")
}

fn targets(count: usize) -> Targets {
    let devices: Vec<Arc<Device>> = (0..count)
        .map(|n| {
            let mut device = Device::new("lab", &name(n));
            device.groups = vec![format!("rack{:03}", n / 40), "prod".into()];
            device.facts =
                [("os", ["debian 12", "debian 13", "rhel 9"][n % 3]), ("site", ["ber", "lon", "par", "waw"][n % 4])]
                    .map(|(fact, value)| (fact.to_owned(), value.to_owned()))
                    .into();
            device.state = if n % 50 == 7 { Reach::Offline } else { Reach::Online };
            device.last_contact = Some(Timestamp::now());
            Arc::new(device)
        })
        .collect();
    let group = |name: String, members: &[Arc<Device>]| Group {
        name,
        connection: "lab".into(),
        children: vec![],
        devices: members.iter().map(|device| device.id.clone()).collect(),
    };
    let racks = devices.chunks(40).enumerate().map(|(n, members)| group(format!("rack{n:03}"), members));
    let groups = racks.chain([group("prod".into(), &devices)]).map(Arc::new).collect();
    let lab = ConnectionInfo {
        name: "lab".into(),
        kind: "ssh".into(),
        devices: count,
        protected: false,
        read_only: false,
        capabilities: Capabilities::default(),
        warnings: vec![],
    };
    Targets { connections: vec![lab], groups, devices, ..Targets::default() }
}

fn library(count: usize) -> Library {
    let text = "#!/bin/bash\n# @describe check the package index\n# @option --window=08-18\nset -euo pipefail\n";
    let script = |n: usize| {
        let mut info = inspect(&format!("check-{n:04}.sh"), text.as_bytes());
        info.last_run =
            Some(LastRun { at: Timestamp::now(), job: JOBS, ok_percent: Some(97), history: "+++x+++++++x++++".into() });
        info
    };
    Library { folder: "/srv/library".into(), scripts: (0..count).map(script).collect(), ..Library::default() }
}

fn job(id: u64, runs: usize) -> Job {
    let state = |n: usize| match n % 20 {
        0 => RunState::Failed,
        1 => RunState::Offline,
        2..12 => RunState::Ok,
        12..16 => RunState::Running,
        _ => RunState::Queued,
    };
    let runs: Vec<Run> = (0..runs)
        .map(|n| {
            let mut run = Run::queued(n as u32, &format!("lab:{}", name(n)), &name(n));
            run.state = state(n);
            run.started_at = Some(Timestamp::now());
            run.last_line = "retry 3/3 failed: CDN 503".into();
            run
        })
        .collect();
    let counts = match runs.len() {
        0 => Counts { ok: 400, failed: 9, offline: 3, ..Counts::default() },
        _ => Counts::of(runs.iter().map(|run| run.state)),
    };
    let summary = JobSummary {
        id,
        script: format!("check-{:04}.sh", id % SCRIPTS as u64),
        version: "9f3c1e27aa01".into(),
        state: if id == JOBS { JobState::Running } else { JobState::Done },
        counts,
        created_at: Timestamp::now(),
        finished_at: None,
        target: "prod".into(),
        by: "ops".into(),
        reason: None,
        parent: None,
        origin: None,
        progress: Default::default(),
    };
    Job { summary, params: vec![], timeout_ms: None, at_once: 256, options: vec![], rollout: Default::default(), runs }
}
