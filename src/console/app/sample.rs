//! A small fleet for tests: scripts, targets, jobs and plans that look like real ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::connection::{Capabilities, ConnectionInfo};
use crate::model::device::{Device, Group, Reach};
use crate::model::job::{Job, JobSummary, Run};
use crate::model::options::{Check, LaunchOption};
use crate::model::output::{Line, Matching, Stream, Which, Window};
use crate::model::plan::Plan;
use crate::model::script::{LastRun, Param, ParamKind, ScriptInfo};
use crate::model::search::Kind;
use crate::model::state::{Counts, JobState, RunState};
use crate::model::template::{Template, Templates};
use crate::model::wire::{Code, Hello, Library, Problem, Targets};

/// A script as operators write them.
pub const SCRIPT: &str = r#"#!/bin/bash
# @describe patch to a pinned version; reboots outside working hours
# @arg version!            the version to reach
# @option --window=08-18   working hours, local time
# @flag --dry-run
# @option --token!
# @meta secret token
set -euo pipefail

readonly STAGE=/var/lib/os-patch   # GiB
free() { df -g / | awk 'NR==2{print $4}'; }

do_patch() {
	local log=/var/log/os-patch.log
  if in_window "$WINDOW"; then
    echo "in work hours, deferring"
    exit 75
  fi
  cd "$STAGE"
  local have=$(sw_vers -productVersion)
  rc=$?
  echo "rc=$rc from=$have to=$WANT"
  return $rc
}

main() { do_patch "$@"; }
"#;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

pub fn hello() -> Hello {
    Hello {
        version: "0.1.0".into(),
        protocol: 1,
        pid: 4711,
        confirm_above: 10,
        at_once: 256,
        library: "/home/ops/.local/share/quarterdeck/library".into(),
        notices: vec![],
        last_event: 0,
        config: "/home/ops/.config/quarterdeck/config.toml".into(),
        config_mark: String::new(),
        busy: true,
        jobs_running: None,
        listen: None,
    }
}

fn param(name: &str, kind: ParamKind, required: bool) -> Param {
    Param { required, ..Param::new(name, kind) }
}

pub fn script(name: &str, language: &str, describe: &str) -> ScriptInfo {
    ScriptInfo {
        name: name.into(),
        version: "9f3c1e27aa01".into(),
        number: Some(17),
        describe: describe.into(),
        language: language.into(),
        interpreter: vec![format!("/usr/bin/{language}")],
        params: vec![],
        runbook: None,
        exits: vec![],
        dry_run: None,
        size: 812,
        path: Some(format!("/home/ops/.local/share/quarterdeck/library/{name}")),
        modified_at: Some(at(-86_400)),
        last_run: None,
        refused: None,
        output: None,
        connection: None,
        category: String::new(),
        read_only: None,
        switches: vec![],
    }
}

pub fn library() -> Library {
    let mut disk = script("disk-use.sh", "bash", "file systems that fill up");
    disk.runbook = Some("https://wiki.example/rb/77".into());
    disk.last_run = Some(LastRun { at: at(-3600), job: 11, ok_percent: Some(97), history: "+++x+++++".into() });
    let mut patch = script("os-patch.sh", "bash", "patch to a pinned version; reboots outside working hours");
    patch.params = vec![
        Param { describe: "version to reach".into(), ..param("version", ParamKind::Arg, true) },
        Param { default: Some("08-18".into()), ..param("window", ParamKind::Option, false) },
        param("dry-run", ParamKind::Flag, false),
        Param { secret: true, ..param("token", ParamKind::Option, false) },
        Param { choices: vec!["soft".into(), "hard".into()], ..param("reboot", ParamKind::Option, false) },
    ];
    Library {
        folder: "/home/ops/.local/share/quarterdeck/library".into(),
        scripts: vec![
            disk,
            script("failed-units.sh", "bash", "systemd units that failed"),
            script("listening.py", "python3", "listening ports and who owns them"),
            patch,
            script("uptime.ps1", "pwsh", "uptime and load"),
        ],
        warnings: vec![],
        errors: std::collections::BTreeMap::new(),
        numbers: [("disk-use.sh".to_owned(), [("9f3c1e27aa01".to_owned(), 17)].into())].into(),
        shelves: vec![],
    }
}

pub fn device(connection: &str, name: &str, groups: &[&str], state: Reach) -> Device {
    let mut device = Device::new(connection, name);
    device.groups = groups.iter().map(|g| (*g).to_owned()).collect();
    device.facts = BTreeMap::from([
        ("os".to_owned(), if name.starts_with("db") { "debian 12" } else { "debian 13" }.to_owned()),
        ("address".to_owned(), format!("{name}.example.net")),
    ]);
    device.state = state;
    if state == Reach::Offline {
        device.last_error = Some("no answer within 10 s".into());
    }
    device.last_contact = (state != Reach::Unknown).then(|| at(-60));
    device
}

pub fn connection(name: &str, kind: &str, devices: usize) -> ConnectionInfo {
    ConnectionInfo {
        name: name.into(),
        kind: kind.into(),
        devices,
        protected: false,
        read_only: false,
        capabilities: Capabilities::own_runs(),
        warnings: vec![],
    }
}

pub fn group(name: &str, children: &[&str], devices: &[String]) -> Group {
    Group {
        name: name.into(),
        connection: "lab".into(),
        children: children.iter().map(|c| (*c).to_owned()).collect(),
        devices: devices.to_vec(),
    }
}

/// This machine, and a lab of 12 web servers (one offline), 3 databases and a lonely host.
pub fn targets() -> Targets {
    let mut devices = vec![device("local", "local", &[], Reach::Online)];
    let (mut web, mut db) = (Vec::new(), Vec::new());
    for n in 1..=12 {
        let state = if n == 7 { Reach::Offline } else { Reach::Online };
        devices.push(device("lab", &format!("web{n:03}"), &["web", "prod"], state));
        web.push(format!("lab:web{n:03}"));
    }
    for n in 1..=3 {
        devices.push(device("lab", &format!("db{n}"), &["db", "prod"], Reach::Unknown));
        db.push(format!("lab:db{n}"));
    }
    devices.push(device("lab", "bastion", &[], Reach::Refused));
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    let mut prod = [db.clone(), web.clone()].concat();
    prod.sort();
    Targets {
        connections: vec![connection("local", "local", 1), connection("lab", "ssh", 16)],
        groups: [group("db", &[], &db), group("prod", &["db", "web"], &prod), group("web", &[], &web)]
            .map(Arc::new)
            .into(),
        devices: devices.into_iter().map(Arc::new).collect(),
        ..Targets::default()
    }
}

pub fn job(id: u64, states: &[RunState]) -> Job {
    let runs: Vec<Run> = states
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let name = format!("web{:03}", n + 1);
            let mut run = Run::queued(n as u32, &format!("lab:{name}"), &name);
            run.state = *state;
            if !matches!(state, RunState::Queued | RunState::Sent | RunState::Offline) {
                run.started_at = Some(at(n as i64 % 7));
            }
            if state.ended() {
                run.finished_at = Some(at(10 + n as i64 % 50));
            }
            match state {
                RunState::Ok => (run.exit_code, run.last_line) = (Some(0), "/dev/sda1 41% used".into()),
                RunState::Failed => (run.exit_code, run.last_line) = (Some(69), "retry 3/3 failed: CDN 503".into()),
                RunState::Running => run.last_line = format!("{}% downloaded", 10 + n % 80),
                RunState::Offline => run.reason = Some("no answer within 10 s".into()),
                _ => {}
            }
            run
        })
        .collect();
    let counts = Counts::of(states.iter().copied());
    let ended = counts.ended() == counts.total();
    let state = if ended { JobState::Done } else { JobState::Running };
    let summary = JobSummary {
        script: "disk-use.sh".into(),
        version: "9f3c1e27aa01".into(),
        created_at: at(0),
        finished_at: ended.then(|| at(75)),
        target: "web".into(),
        ..JobSummary::sample(id, state, counts)
    };
    Job { timeout_ms: Some(600_000), at_once: 256, ..Job::sample(summary, runs) }
}

/// Its connection was lost in the middle.
pub fn nobody_knows(run: &mut Run) {
    (run.state, run.exit_code) = (RunState::Failed, None);
    run.reason =
        Some("connection lost after 3 s (EOF); outcome unknown: look at the device before it is run again".into());
}

pub fn plan(devices: usize) -> Plan {
    let ids: Vec<String> = (1..=devices).map(|n| format!("lab:web{n:03}")).collect();
    Plan {
        id: "7c41".into(),
        script: library().scripts[0].clone(),
        target: "web".into(),
        folded: format!("lab:web[001-{devices:03}]"),
        offline: ids.iter().filter(|id| id.ends_with("007")).cloned().collect(),
        devices: ids,
        warnings: vec![],
        excluded: vec![],
        exclusions: vec![],
        included: vec![],
        dry_run: None,
        params: vec![],
        files: vec![],
        options: vec![],
        taken: vec![],
        timeout_ms: None,
        at_once: 256,
        rollout: Default::default(),
        confirm: devices > 10,
        queued: 0,
        remarks: vec![],
        findings: vec![],
        questions: vec![],
        expires_at: at(600),
    }
}

/// What the launches of a system take beside script and devices.
pub fn taken() -> Vec<LaunchOption> {
    let option = |name: &str, label: &str, describe: &str, check, needs: Option<&str>| LaunchOption {
        name: name.into(),
        label: label.into(),
        describe: describe.into(),
        check,
        needs: needs.map(str::to_owned),
        known: None,
    };
    let kept = "what a device prints becomes its value of this custom attribute";
    let regex = "what this pattern matches is left out of the value; usually \\n";
    vec![
        option("custom_attribute", "custom attribute", kept, Check::Word, None),
        option("custom_attribute_regex", "attribute regex", regex, Check::Pattern, Some("custom_attribute")),
    ]
}

/// A roll-out in three rings, of which the last waits for the operator: two of the first four failed.
pub fn held_back() -> Job {
    use crate::model::rollout::{Amount, Asks, Between, How, Progress, Ring, Rollout};
    let mut states = [RunState::Queued; 12];
    states[..4].copy_from_slice(&[RunState::Ok, RunState::Failed, RunState::Ok, RunState::Failed]);
    let mut job = job(11, &states);
    for run in &mut job.runs {
        run.ring = match run.index {
            0 => 1,
            1..4 => 2,
            _ => 3,
        };
    }
    let ring = |runs: std::ops::Range<u32>, devices: &str, why: &str| Ring {
        runs: runs.collect(),
        devices: devices.into(),
        why: why.into(),
    };
    let rings = [Amount::Devices(1), Amount::Share(3000), Amount::Share(10_000)];
    job.rollout = Rollout {
        how: How { rings: rings.into(), between: Between::Ask, max_fail: vec![Amount::Share(2500)], ..How::default() },
        seed: "7c41".into(),
        rings: vec![
            ring(0..1, "lab:web001", "canary"),
            ring(1..4, "lab:web[002-004]", "by lot"),
            ring(4..12, "lab:web[005-012]", "by lot"),
        ],
        stop_at: Some(3),
        overshoot: 7,
        ..Rollout::default()
    };
    job.summary.progress = Progress {
        asks: Some(Asks { ring: 3, devices: 8, why: "ring 2 is done".into() }),
        ring: 2,
        rings: 3,
        approved: 2,
        bad: 2,
        stop_at: Some(3),
        ..Progress::default()
    };
    job
}

/// A console on the sample fleet with an engine that answers at once: what is asked for comes as an event,
/// what would change the fleet is written down in `sent`.
pub struct Session {
    pub app: super::App,
    pub sent: Vec<super::Effect>,
    /// What the terminal was asked to ring for.
    pub rung: Vec<String>,
    /// What was to be kept for the next session.
    pub kept: Option<Box<super::kept::Kept>>,
    /// How often the engine was asked for something.
    pub asked: usize,
    pub scripts: Library,
    pub targets: Targets,
    pub jobs: Vec<Job>,
    /// What every script holds that is opened to be edited.
    pub file: Vec<u8>,
    /// Lines each run has.
    pub lines: u64,
    /// Plans are given out with so many devices.
    pub planned: usize,
    pub templates: Vec<Template>,
}

impl Session {
    pub fn new(size: (u16, u16), ascii: bool) -> Self {
        let mut session = Self::starting(size, ascii);
        session.attach();
        session
    }

    /// Before the engine answers.
    pub fn starting(size: (u16, u16), ascii: bool) -> Self {
        use crate::console::{keymap::Keymap, theme};
        let (theme, _) = theme::Theme::load("terminal", None, theme::Depth::Ansi16, ascii);
        let (keymap, problems) = Keymap::load("vi", None, &super::commands::known);
        assert_eq!(problems, Vec::<String>::new());
        let place = super::Place {
            who: "ops@bastion".into(),
            folder: "~/work".into(),
            config: "~/.config/quarterdeck/config.toml".into(),
            log: "~/.local/state/quarterdeck/console.log".into(),
            terminal: "xterm-256color, 16 colours".into(),
            ..super::Place::default()
        };
        let states = |n: usize| -> Vec<RunState> {
            (0..n)
                .map(|at| match at * 100 / n.max(1) {
                    _ if at % 17 == 5 => RunState::Failed,
                    _ if at % 23 == 7 => RunState::Offline,
                    0..60 => RunState::Ok,
                    60..70 => RunState::Running,
                    70..75 => RunState::Sent,
                    _ => RunState::Queued,
                })
                .collect()
        };
        let mut one = job(10, &[RunState::Ok]);
        one.summary.target = "local".into();
        Self {
            app: super::App::new(theme, keymap, place, size, at(100)),
            rung: Vec::new(),
            sent: Vec::new(),
            kept: None,
            asked: 0,
            scripts: library(),
            targets: targets(),
            jobs: vec![job(12, &states(412)), held_back(), one],
            file: SCRIPT.into(),
            lines: 214,
            planned: 12,
            templates: vec![],
        }
    }

    pub fn attach(&mut self) {
        let hello = Box::new(hello());
        self.tell(super::Event::Attached(hello));
    }

    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in crate::console::keymap::macro_keys(keys) {
            self.tell(super::Event::Key(key));
        }
        self
    }

    /// An event, and the engine's answers to what it leads to.
    pub fn tell(&mut self, event: super::Event) {
        let mut events = std::collections::VecDeque::from([event]);
        let mut turns = 0;
        while let Some(event) = events.pop_front() {
            turns += 1;
            assert!(turns < 200, "the console and the engine never come to rest");
            for effect in self.app.update(event) {
                if let super::Effect::Keep(kept) = effect {
                    self.kept = Some(kept);
                    continue;
                }
                if let super::Effect::Ring(text) = effect {
                    self.rung.push(text);
                    continue;
                }
                match self.answer(&effect) {
                    Some(event) => {
                        self.asked += 1;
                        events.push_back(event);
                    }
                    None => self.sent.push(effect),
                }
            }
        }
    }

    fn answer(&self, effect: &super::Effect) -> Option<super::Event> {
        use super::{Effect, Event};
        use crate::model::wire::Resolved;
        let nothing = |error: &str, column| Problem { code: Code::Invalid, error: error.into(), column };
        Some(match effect {
            Effect::LoadTargets => Event::Targets(Ok(self.targets.clone())),
            Effect::LoadLibrary => Event::Library(Ok(self.scripts.clone())),
            Effect::LoadJobs => Event::Jobs(Ok(self.jobs.iter().map(|job| job.summary.clone()).collect())),
            Effect::LoadJob(id) => {
                let job = self.jobs.iter().find(|job| job.summary.id == *id).cloned();
                Event::Job(*id, Box::new(job.ok_or(nothing("no such job", None))))
            }
            Effect::LoadGroups { job, exact, base } => {
                let found = self.jobs.iter().find(|one| one.summary.id == *job);
                let answer = found.map(|job| super::sample_groups::groups(job, *exact, *base));
                Event::Groups {
                    job: *job,
                    exact: *exact,
                    base: *base,
                    answer: Box::new(answer.ok_or(nothing("no such job", None))),
                }
            }
            Effect::LoadTemplates => Event::Templates(Ok(Templates { all: self.templates.clone(), warnings: vec![] })),
            Effect::CompareOutputs(question) => super::sample_groups::compared(question),
            Effect::CompareJobs { job, other } => super::sample_past::compared(&self.jobs, *job, *other),
            Effect::Search { serial, asked } => super::sample_past::found(&self.jobs, *serial, asked),
            Effect::Remark { subject, remark } => super::sample_groups::remarked(subject, remark),
            Effect::LoadRemarks => Event::JobsRemarked(Ok(vec![])),
            Effect::Import { connection, begun: false } => super::sample_past::imported(connection),
            Effect::LoadScript(name) => {
                let info = self.scripts.scripts.iter().find(|script| script.name == *name)?.clone();
                let text = "#!/bin/bash\n# @describe file systems that fill up\nset -euo pipefail\n\n\
                            readonly WANT=\"${1:?version}\"\ndf -h --output=pcent,target | sort -rn |\n  head -20\n";
                Event::Script(
                    name.clone(),
                    Box::new(Ok(crate::model::script::Script { info, text: text.into(), findings: vec![] })),
                )
            }
            Effect::OpenScript(name) => {
                let info = self.scripts.scripts.iter().find(|script| script.name == *name)?.clone();
                let (bytes, version, path) = (self.file.clone(), info.version.clone(), info.path.clone());
                let answer = Ok(super::shelf::Opened { bytes, version, path, info });
                Event::Opened { name: name.clone(), answer: Box::new(answer) }
            }
            Effect::Colour { version, .. } => Event::Coloured { version: version.clone(), lines: vec![] },
            Effect::Lines(ask) => Event::Lines { ask: ask.clone(), window: self.window(ask) },
            Effect::Resolve(expr) => {
                let inventory = crate::model::device::Inventory {
                    devices: self.targets.devices.clone(),
                    groups: self.targets.groups.clone(),
                    ..Default::default()
                };
                let found = crate::model::target::parse(expr).and_then(|e| {
                    let sets = e.sets().into_iter().map(|set| (set.clone(), Ok(self.left(set)))).collect();
                    e.resolve(&inventory, &sets).map(|found| found.into_iter().cloned().collect::<Vec<_>>())
                });
                let answer = found.map_err(|e| nothing(&e.message, Some(e.column))).map(|devices| Resolved {
                    count: devices.len(),
                    folded: crate::model::nodeset::fold(devices.iter().map(|d| d.id.as_str())),
                    devices,
                    exclusions: vec![],
                });
                Event::Resolved { expr: expr.clone(), answer }
            }
            Effect::Plan { serial, request, .. } => {
                let answer = match crate::model::target::parse(&request.target) {
                    Err(e) => Err(nothing(&e.message, Some(e.column))),
                    Ok(_) => Ok(self.plan_for(request)),
                };
                Event::Planned { serial: *serial, answer: Box::new(answer) }
            }
            Effect::ReadOutput { serial, .. } => {
                let text = b"{\"host\": \"web001\", \"disks\": [{\"name\": \"sda1\", \"used\": 41}, {\"name\": \"sdb1\", \"used\": 9}]}";
                let document = crate::model::content::document::Document::of(text, None, false);
                Event::Document { serial: *serial, answer: Box::new(Ok(document)) }
            }
            Effect::LookAt(_) => return super::sample_forms::look_at(effect),
            effect => return super::sample_files::answer(effect),
        })
    }

    /// A plan; of a roll-out one with rings, and with a device that another job has.
    fn plan_for(&self, request: &crate::model::plan::PlanRequest) -> Plan {
        use crate::model::plan::{Exclusion, LeftOut};
        let mut plan = plan(if request.target == "local" { 1 } else { self.planned });
        if request.target == "macs" {
            (plan.taken, plan.options) = (taken(), request.options.clone());
        }
        if request.how.is_plain() {
            return plan;
        }
        plan.rollout = crate::model::rollout::Rollout { how: request.how.clone(), ..held_back().rollout };
        let busy =
            Exclusion { why: LeftOut::Busy, text: "busy in job 12".into(), count: 1, folded: "lab:web013".into() };
        if request.include.contains(&LeftOut::Busy) {
            plan.included.push(busy);
        } else {
            plan.excluded.push(("lab:web013".into(), busy.text.clone()));
            plan.exclusions.push(busy);
        }
        plan
    }

    /// The engine's side of the tail: the same lines for every run, every ninth of them on stderr.
    /// Devices that the sample's job left so.
    fn left(&self, set: &crate::model::target::JobSet) -> std::collections::HashSet<String> {
        let runs = self.jobs.iter().filter(|job| job.summary.id == set.job).flat_map(|job| &job.runs);
        runs.filter(|run| set.left.takes(run)).map(|run| run.device.clone()).collect()
    }

    fn window(&self, ask: &super::Ask) -> Result<Window, Problem> {
        let regex = match &ask.pattern {
            Some(pattern) => {
                Some(pattern.compile().map_err(|error| Problem { code: Code::Invalid, error, column: None })?)
            }
            None => None,
        };
        let line = |number: u64| Line {
            number,
            run: ask.run.unwrap_or((number % 3) as u32),
            stream: if number % 9 == 4 { Stream::Err } else { Stream::Out },
            at: at(number as i64),
            text: format!("/dev/sda{number}  41% of 512 GB used, {number} inodes left over for the rest"),
            cut: 0,
        };
        let errors = ask.pattern.as_ref().is_some_and(|pattern| pattern.kind == Kind::Errors);
        let all: Vec<Line> = (0..self.lines)
            .map(line)
            .filter(|line| ask.which == Which::All || ask.which.takes(line.stream))
            .filter(|line| {
                let matches = regex.as_ref().is_none_or(|regex| regex.is_match(line.text.as_bytes()));
                matches || (errors && line.stream == Stream::Err)
            })
            .collect();
        let window = Window::of(&all, ask.seek, ask.before, ask.count);
        let matching = Matching {
            lines: all.len() as u64,
            runs: u32::from(!all.is_empty()),
            first: window.lines.first().map_or(0, |first| all.partition_point(|line| line.place() < first.place()))
                as u64,
            searched: self.lines * 40,
            total: self.lines * 40,
            done: true,
        };
        Ok(Window {
            total_lines: self.lines,
            total_bytes: self.lines * 40,
            matching: ask.pattern.as_ref().map(|_| matching),
            ..window
        })
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        let area = self.app.area;
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        crate::console::ui::draw(&self.app, area, &mut buffer);
        let row = |y: u16| -> String { (0..area.width).map(|x| buffer[(x, y)].symbol()).collect() };
        (0..area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
    }
}
