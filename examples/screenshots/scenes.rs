//! The pictures of the README: which screens, the keys that lead there, and the tape they are drawn from. A tape is
//! what an engine answered at one moment of real runs; the keys go through the real console, and every cell comes
//! from its draw code. Owns no engine: `tests/screenshots.rs` records the tape.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use quarterdeck::console::app::shelf::Opened;
use quarterdeck::console::app::triage::compare::{Question, Side};
use quarterdeck::console::app::{App, Ask, Effect, Event, Place, commands};
use quarterdeck::console::editor::highlight;
use quarterdeck::console::keymap::{Keymap, macro_keys};
use quarterdeck::console::shot;
use quarterdeck::console::theme::palette::Palette;
use quarterdeck::console::theme::{Depth, Theme};
use quarterdeck::console::ui;
use quarterdeck::engine::triage::groups;
use quarterdeck::model::compare::{Compared, Comparison};
use quarterdeck::model::device::Inventory;
use quarterdeck::model::diff::Diff;
use quarterdeck::model::job::{Job, JobId, Run};
use quarterdeck::model::nodeset;
use quarterdeck::model::output::{Line, Window};
use quarterdeck::model::plan::Plan;
use quarterdeck::model::script::Script;
use quarterdeck::model::shelf::{Version, Why};
use quarterdeck::model::target;
use quarterdeck::model::triage::Groups;
use quarterdeck::model::wire::{Code, Hello, Library, Problem, Resolved, Targets};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

pub const SIZES: [(u16, u16); 2] = [(80, 24), (140, 40)];

/// Name, and the keys that lead there.
pub const SCREENS: [(&str, &str); 10] = [
    ("overview", "jjjjjj"),
    ("editor", "jjjjjje<pgdn><pgdn><up>"),
    ("launch", "jjjjjjr2026.11<A-b>prod"),
    ("live", "3<enter>jjjjjjj"),
    ("live-all", "3<enter>t"),
    ("groups", "3u"),
    ("palette", "<C-p>run"),
    ("actions", "jjjjjjx"),
    ("help", "?"),
    ("themes", "jjjjjjgc<pgdn><down><down>"),
];

/// Themes that stand beside one another in one picture.
const FOUR: [&str; 4] = ["catppuccin-mocha", "gruvbox-dark", "solarized-light", "high-contrast-dark"];

/// What an engine knew at one moment.
#[derive(Debug, Deserialize, Serialize)]
pub struct Tape {
    pub at: Timestamp,
    pub hello: Hello,
    pub targets: Targets,
    pub library: Library,
    pub scripts: Vec<Script>,
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Output of the newest job, by run.
    pub lines: Vec<Vec<Line>>,
    /// With the parameters that were asked for.
    pub plans: Vec<(Vec<(String, String)>, Plan)>,
}

/// Where tape and pictures are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots")
}

/// The tape as committed.
pub fn tape() -> Result<Tape, String> {
    let path = folder().join("tape.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every picture: its name without ending, and the SVG.
pub fn pictures(tape: &Tape) -> Vec<(String, String)> {
    let mut pictures = Vec::new();
    for (name, keys) in SCREENS {
        for (width, height) in SIZES {
            let screen = Session::new(tape, (width, height)).keys(keys).screen();
            pictures.push((format!("{name}-{width}x{height}"), shot::svg(&screen, &Palette::DARK)));
        }
    }
    let four: Vec<String> = FOUR.iter().map(|theme| in_theme(tape, theme, "3<enter>jjjjjjj")).collect();
    pictures.push(("themes-four".to_owned(), beside(&four, 2)));
    pictures
}

/// A screen of 80x24 in one theme.
pub fn in_theme(tape: &Tape, theme: &str, keys: &str) -> String {
    let screen = Session::new(tape, SIZES[0]).keys(&format!(":theme {theme}<enter>{keys}")).screen();
    shot::svg(&screen, if theme.ends_with("light") { &Palette::LIGHT } else { &Palette::DARK })
}

/// Pictures of one size in one picture, so many in a row.
pub fn beside(pictures: &[String], columns: usize) -> String {
    let length = |svg: &str, name: &str| -> f32 {
        let rest = svg.split_once(&format!(" {name}=\"")).map_or("", |(_, rest)| rest);
        rest.split_once('"').and_then(|(number, _)| number.parse().ok()).unwrap_or_default()
    };
    let first = pictures.first().map_or("", String::as_str);
    let (width, height) = (length(first, "width"), length(first, "height"));
    let rows = pictures.len().div_ceil(columns);
    let (wide, high) = (width * columns as f32, height * rows as f32);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n"
    );
    for (n, picture) in pictures.iter().enumerate() {
        let (x, y) = (width * (n % columns) as f32, height * (n / columns) as f32);
        svg.push_str(&picture.replacen("<svg ", &format!("<svg x=\"{x}\" y=\"{y}\" "), 1));
    }
    svg + "</svg>\n"
}

/// A console, and the tape in place of its engine.
struct Session<'a> {
    app: App,
    tape: &'a Tape,
}

impl<'a> Session<'a> {
    fn new(tape: &'a Tape, size: (u16, u16)) -> Self {
        let (theme, _) = Theme::load("terminal", None, Depth::True, false);
        let (keymap, _) = Keymap::load("vi", None, &commands::known);
        let place = Place {
            who: "ops@bastion-2".into(),
            config: "~/.config/quarterdeck/config.toml".into(),
            log: "~/.local/state/quarterdeck/engine.log".into(),
            terminal: "24-bit colours".into(),
            ..Place::default()
        };
        let mut session = Self { app: App::new(theme, keymap, place, size, tape.at), tape };
        session.tell(Event::Attached(Box::new(tape.hello.clone())));
        session
    }

    fn keys(mut self, keys: &str) -> Self {
        for key in macro_keys(keys) {
            self.tell(Event::Key(key));
        }
        // Long enough for what waits until nobody types; the pictures' clock stands still.
        for seconds in [2, 0] {
            self.tell(Event::Tick(self.tape.at + SignedDuration::from_secs(seconds)));
        }
        self
    }

    fn screen(&self) -> Buffer {
        let area: Rect = self.app.area;
        let mut buffer = Buffer::empty(area);
        ui::draw(&self.app, area, &mut buffer);
        buffer
    }

    /// An event, and the answers to what it leads to.
    fn tell(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.app.update(event) {
                events.extend(self.answer(effect));
            }
        }
    }

    fn answer(&self, effect: Effect) -> Option<Event> {
        let tape = self.tape;
        Some(match effect {
            Effect::LoadTargets => Event::Targets(Ok(tape.targets.clone())),
            Effect::LoadLibrary => Event::Library(Ok(tape.library.clone())),
            Effect::LoadJobs => Event::Jobs(Ok(tape.jobs.iter().map(|job| job.summary.clone()).collect())),
            Effect::LoadJob(id) => {
                let job = tape.jobs.iter().find(|job| job.summary.id == id).cloned();
                Event::Job(id, Box::new(job.ok_or_else(|| missing(&format!("job {id}"), None))))
            }
            Effect::LoadGroups { job, exact, base } => {
                let groups = self.groups(job, exact).ok_or_else(|| missing(&format!("job {job}"), None));
                Event::Groups { job, exact, base, answer: Box::new(groups) }
            }
            Effect::CompareOutputs(question) => {
                let answer = self.compare(&question).ok_or_else(|| missing("one of the outputs", None));
                Event::OutputsCompared { question, answer: Box::new(answer) }
            }
            Effect::LoadScript(name) => {
                let script = tape.scripts.iter().find(|script| script.info.name == name).cloned();
                let script = script.ok_or_else(|| missing(&name, None));
                Event::Script(name, Box::new(script))
            }
            Effect::OpenScript(name) => {
                let script = tape.scripts.iter().find(|script| script.info.name == name);
                let answer = script.ok_or_else(|| missing(&name, None)).map(|script| Opened {
                    bytes: script.text.clone().into_bytes(),
                    version: script.info.version.clone(),
                    path: script.info.path.clone(),
                    info: script.info.clone(),
                });
                Event::Opened { name, answer: Box::new(answer) }
            }
            Effect::LoadVersions(name) => {
                let script = tape.scripts.iter().find(|script| script.info.name == name);
                let runs: Vec<_> = tape.jobs.iter().map(|job| &job.summary).filter(|job| job.script == name).collect();
                // the first launch left the only version there is
                let answer = script.zip(runs.last()).ok_or_else(|| missing(&name, None)).map(|(script, first)| {
                    vec![Version {
                        number: 1,
                        version: script.info.version.clone(),
                        at: first.created_at,
                        by: first.by.clone(),
                        size: script.info.size,
                        why: Why::Launched,
                        current: true,
                        job: runs.first().map(|job| job.id),
                    }]
                });
                Event::Versions { name, answer }
            }
            Effect::LintText { serial, name, .. } => {
                let script = tape.scripts.iter().find(|script| script.info.name == name);
                Event::Linted { serial, answer: Ok(script.map(|script| script.findings.clone()).unwrap_or_default()) }
            }
            Effect::Colour { name, version, language, text } => {
                Event::Coloured { version, lines: highlight::colour(&name, &language, &text) }
            }
            Effect::Lines(ask) => Event::Lines { window: Ok(self.window(&ask)), ask },
            Effect::Resolve(expr) => {
                let answer = self.resolve(&expr);
                Event::Resolved { expr, answer }
            }
            Effect::Plan { serial, request, .. } => {
                let plan = tape.plans.iter().find(|(params, plan)| {
                    plan.target == request.target && params.iter().all(|pair| request.params.contains(pair))
                });
                let answer = match target::parse(&request.target) {
                    Err(error) => Err(missing(&error.message, Some(error.column))),
                    Ok(_) => plan.map(|(_, plan)| plan.clone()).ok_or_else(|| missing("a parameter", None)),
                };
                Event::Planned { serial, answer: Box::new(answer) }
            }
            _ => return None,
        })
    }

    /// As the engine groups them, from what is on the tape.
    fn groups(&self, id: JobId, exact: bool) -> Option<Groups> {
        let jobs = &self.tape.jobs;
        let job = jobs.iter().find(|job| job.summary.id == id)?;
        let before = jobs.iter().find(|other| other.summary.id < id && other.summary.script == job.summary.script);
        let devices = &self.tape.targets.devices;
        let facts = |run: &Run| -> groups::Facts {
            let Some(device) = devices.iter().find(|device| device.id == run.device) else { return Default::default() };
            let own = device.facts.iter().map(|(field, value)| (field.clone(), BTreeSet::from([value.clone()])));
            own.chain([("group".to_owned(), device.groups.iter().cloned().collect())]).collect()
        };
        let found = groups::of(&job.runs, exact, before.map(|before| before.runs.as_slice()), &facts);
        Some(Groups { job: id, previous: before.map(|before| before.summary.id), ..found })
    }

    /// One run of each side, as they printed it.
    fn compare(&self, question: &Question) -> Option<Comparison> {
        let job = self.tape.jobs.first().filter(|job| job.summary.id == question.job)?;
        let groups = self.groups(question.job, false)?;
        let side = |side: &Side| {
            let group = match side {
                Side::Base => groups.groups.get(groups.base?),
                Side::Group(signature) => groups.groups.iter().find(|group| group.signature == *signature),
                Side::Run(_) | Side::Device(_) | Side::Before => None,
            };
            let index = match side {
                Side::Run(index) => *index,
                _ => *group?.runs.first()?,
            };
            let run = job.runs.get(index as usize)?;
            let text: String =
                self.tape.lines.get(index as usize)?.iter().map(|line| format!("{}\n", line.text)).collect();
            let compared = Compared {
                job: question.job,
                run: index,
                device: run.device.clone(),
                state: run.state,
                exit_code: run.exit_code,
                signature: run.signature.as_ref().map(|signature| signature.name.clone()),
                stands_for: group.map_or(1, |group| group.runs.len()),
                left_out: 0,
            };
            Some((compared, text))
        };
        let ((left, a), (right, b)) = (side(&question.left.what)?, side(&question.right.what)?);
        Some(Comparison { left, right, masked: false, masks: vec![], diff: Diff::of(a.as_bytes(), b.as_bytes()) })
    }

    fn window(&self, ask: &Ask) -> Window {
        let Some(job) = self.tape.jobs.first().filter(|job| job.summary.id == ask.job) else {
            return Window::default();
        };
        let mut lines: Vec<Line> = match ask.run {
            Some(run) => self.tape.lines.get(run as usize).cloned().unwrap_or_default(),
            None => self.tape.lines.concat(),
        };
        lines.retain(|line| ask.which.takes(line.stream));
        if ask.run.is_none() {
            lines.sort_by_key(|line| (line.at, line.run, line.number));
        }
        let run = ask.run.and_then(|run| job.runs.get(run as usize));
        Window {
            total_bytes: run.map_or(0, |run| run.bytes),
            ended: run.is_some_and(|run| run.state.ended()),
            ..Window::of(&lines, ask.seek, ask.before, ask.count)
        }
    }

    fn resolve(&self, expr: &str) -> Result<Resolved, Problem> {
        let Targets { devices, groups, .. } = self.tape.targets.clone();
        let inventory = Inventory { devices, groups, ..Inventory::default() };
        let found = target::parse(expr)
            .and_then(|expr| Ok(expr.resolve(&inventory, &target::Sets::new())?.into_iter().cloned().collect()));
        let devices: Vec<_> = found.map_err(|error| missing(&error.message, Some(error.column)))?;
        let folded = nodeset::fold(devices.iter().map(|device| device.id.as_str()));
        Ok(Resolved { count: devices.len(), folded, devices, exclusions: vec![] })
    }
}

fn missing(error: &str, column: Option<usize>) -> Problem {
    Problem { code: Code::Invalid, error: error.to_owned(), column }
}
