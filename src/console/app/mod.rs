//! The console's whole state, and how it changes: a fold of [`Event`]s. Synchronous; owns no channel, no clock
//! and no connection, so a session can be replayed from its keys. What it wants from the world are
//! [`Effect`]s.
//!
//! `input` turns keys into commands, `perform` does them, `world` takes what the engine says. The rooms of later
//! screens (palette, filters, editor, triage) are further [`Layer`]s and [`View`]s.

mod act;
#[cfg(test)]
mod act_tests;
pub mod begun;
mod besides;
pub mod branches;
mod bringing;
pub mod changes;
pub mod chooser;
pub mod columns;
pub mod commands;
mod contexts;
pub mod diff;
pub mod editor;
mod endless;
mod entry;
pub mod event;
pub mod export;
pub mod files;
#[cfg(test)]
mod files_tests;
pub mod find;
pub mod form;
pub mod grid;
pub mod held;
pub mod help;
pub mod help_page;
pub mod hints;
pub mod history;
pub mod hold;
mod input;
pub mod inputs;
pub mod kept;
pub mod launch;
mod layers;
pub mod layout;
mod line;
pub mod list;
pub mod lists;
pub mod live;
pub mod log;
pub mod looks;
#[cfg(test)]
mod looks_tests;
#[cfg(test)]
mod macro_tests;
pub mod manual;
pub mod marks;
#[cfg(test)]
mod marks_tests;
pub mod menu;
pub mod mode;
mod mouse;
#[cfg(test)]
mod mouse_tests;
pub mod narrow;
pub mod new;
pub mod notices;
pub mod overview;
pub mod pages;
pub mod palette;
pub mod past;
#[cfg(test)]
mod past_tests;
mod perform;
pub mod planned;
pub mod prompt;
pub mod reader;
mod reading;
mod report;
pub mod retry;
mod said;
#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod sample_files;
#[cfg(test)]
pub mod sample_forms;
#[cfg(test)]
mod sample_groups;
#[cfg(test)]
mod sample_past;
pub mod saving;
#[cfg(test)]
mod session_tests;
mod settle;
pub mod shelf;
pub mod stop;
pub mod tail;
pub mod templates;
pub mod tree;
pub mod triage;
#[cfg(test)]
mod triage_tests;
pub mod views;
mod why;
mod world;

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

pub use event::{Ask, Coloured, Effect, Event, Whose};
pub use live::{Live, LivePane};
pub use overview::{Overview, Pane};

use self::act::Act;
use self::changes::Changes;
use self::chooser::Chooser;
use self::diff::DiffView;
use self::editor::Editing;
use self::export::{Export, Exports};
use self::files::Files;
use self::held::Held;
use self::help::{CopyMenu, Help};
use self::history::Histories;
use self::kept::{Kept, KeptLook};
use self::launch::Launch;
use self::log::Log;
use self::looks::Looks;
use self::menu::Menu;
use self::mode::{AskWrite, Mode};
use self::notices::{Level, Notices};
use self::pages::Pages;
use self::palette::Palette;
use self::past::Seek;
use self::prompt::Prompt;
use self::shelf::Shelf;
use self::stop::Stop;
use self::tree::Tree;
use self::triage::Triage;
use self::views::Trail;
use crate::console::keymap::{Chord, Keymap};
use crate::console::theme::Theme;
use crate::model::import::Import;
use crate::model::job::{JobId, JobSummary};
use crate::model::rows::Besides;
use crate::model::script::{Finding, ScriptInfo};
use crate::model::shelf::Numbers;
use crate::model::state::JobState;
use crate::model::template::Template;
use crate::model::triage::Remarks;
use crate::model::wire::{self, Hello};

/// What the operator looks at, below all dialogs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Overview,
    Live,
    /// The runs of a job by how they ended.
    Groups,
    /// What a search over past jobs found.
    Past,
    /// A job beside another one.
    Changes,
    Editor,
}

/// Something above the view; the topmost takes the keys.
#[derive(Debug)]
pub enum Layer {
    Launch(Box<Launch>),
    Stop(Stop),
    Help(Help),
    Copy(CopyMenu),
    /// All notices.
    Log(Log),
    /// One of a list is being chosen: a theme, a keymap, what a list is sorted by, which columns it shows.
    Chooser(Box<Chooser>),
    /// What can be done with the selected thing.
    Menu(Menu),
    Palette(Box<Palette>),
    /// A question of the editor.
    Editor(editor::Ask),
    /// Over to write, on a protected fleet?
    Write(AskWrite),
    /// Two texts compared.
    Diff(Box<DiffView>),
    /// A script as a file: new, rename, delete, versions…
    Files(Box<Files>),
    /// What a shell command made of some output.
    Pages(Box<Pages>),
    /// Shall a job that is held go on?
    Hold(hold::Ask),
    /// Groups are put together, or one is taken apart.
    Regroup(Box<triage::regroup::Regrouping>),
    /// How a group came by its template.
    Window(Box<triage::masking::Window>),
    /// A job as a file for others.
    Export(Box<Export>),
    /// Shall a launch that is kept under a name be lost?
    Template(templates::Ask),
    /// A line is being written, whatever for.
    Prompt(Box<Prompt>),
}

/// The way to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    Starting,
    Attached,
    Lost { why: String, retry: bool },
}

/// A list that comes from the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Load {
    #[default]
    Waiting,
    Ready,
    Failed(String),
}

/// The text of the script under the cursor.
#[derive(Debug)]
pub struct Source {
    pub name: String,
    pub version: String,
    pub lines: Vec<String>,
    pub findings: Vec<Finding>,
    /// Empty until it has been worked out.
    pub coloured: Coloured,
    pub problem: Option<String>,
    /// How often it has been read for the version that the library names.
    reads: (String, u8),
}

/// How long a word about the last key stands.
const HINT: SignedDuration = SignedDuration::from_secs(10);

/// What never changes while the console runs.
#[derive(Clone, Debug)]
pub struct Place {
    /// `ops@bastion-2`
    pub who: String,
    /// What the fleet is called; empty: nobody has said.
    pub fleet: String,
    pub config: String,
    pub log: String,
    /// Where a file without a path comes to lie.
    pub folder: String,
    pub terminal: String,
    /// In which the times of output lines are shown.
    pub zone: TimeZone,
}

impl Default for Place {
    fn default() -> Self {
        let empty = String::new;
        Self {
            who: empty(),
            fleet: empty(),
            config: empty(),
            log: empty(),
            folder: empty(),
            terminal: empty(),
            zone: TimeZone::UTC,
        }
    }
}

/// What is asked for and not yet answered, so that nothing is asked twice.
#[derive(Debug, Default)]
struct Asked {
    targets: bool,
    targets_again: bool,
    library: bool,
    library_again: bool,
    jobs: bool,
    job: Option<JobId>,
    script: Option<String>,
    resolve: Option<String>,
    /// Since when nothing has been answered.
    since: Option<Timestamp>,
}

impl Asked {
    fn any(&self) -> bool {
        let some = self.job.is_some() || self.script.is_some() || self.resolve.is_some();
        some || self.targets || self.library || self.jobs
    }
}

#[derive(Debug)]
pub struct App {
    pub now: Timestamp,
    pub area: Rect,
    pub theme: Theme,
    pub keymap: Keymap,
    pub looks: Looks,
    pub place: Place,

    pub link: Link,
    pub hello: Option<Hello>,
    pub folder: String,
    pub scripts: Vec<ScriptInfo>,
    /// What versions are called.
    pub numbers: Numbers,
    /// Favourites, and what lint found.
    pub besides: Besides,
    /// What is wrong with the folder.
    pub library_says: Vec<String>,
    /// Systems with a library of their own, and how reading it went.
    pub libraries: Vec<wire::Shelf>,
    pub library: Load,
    pub tree: Tree,
    pub targets: Load,
    /// Newest first.
    pub jobs: Vec<JobSummary>,
    pub history: Load,
    pub held: Option<Held>,
    pub source: Option<Source>,
    pub shelf: Shelf,
    /// Launches kept under a name.
    pub templates: Vec<Template>,

    pub view: View,
    pub overview: Overview,
    pub live: Option<Live>,
    pub triage: Option<Triage>,
    news: triage::news::News,
    pub past: Option<Box<Seek>>,
    pub changes: Option<Changes>,
    /// What was said of jobs.
    pub remarks: HashMap<JobId, Remarks>,
    /// Past jobs of systems that are being brought in, by connection.
    imports: BTreeMap<String, Import>,
    /// The jobs of which a note is being written; none: it is of signatures.
    noting: Vec<JobId>,
    pub editing: Editing,
    pub layers: Vec<Layer>,
    pub notices: Notices,
    pub histories: Histories,
    /// Keys of a sequence that is not complete.
    pub pending: Vec<Chord>,
    /// A word about the last key, until the next one or until it is old.
    pub hint: Option<String>,
    hinted: Option<Timestamp>,
    /// Something on screen may have changed since it was drawn.
    pub dirty: bool,
    /// The terminal reports the mouse.
    pub mouse_on: bool,
    /// Read or write, if the operator has said so.
    pub mode: Option<Mode>,
    pub trail: Trail,
    /// What was done lately, the newest first.
    recent: Vec<Act>,

    asked: Asked,
    reach: world::Reached,
    /// Launch dialogs that were closed: what was typed comes back.
    left: Vec<Launch>,
    interrupted: Option<Timestamp>,
    /// Before the search that is being written.
    before_search: Option<reading::Before>,
    /// Shell commands and searches started so far.
    pipes: u64,
    searches: u64,
    exports: Exports,
    /// It was said that nothing can be kept between sessions.
    unkept: bool,
    /// What was kept last, and when the next is due.
    kept: Option<Box<Kept>>,
    keep_at: Option<Timestamp>,
    /// How a job's devices are shown, until one is watched.
    device_look: KeptLook,
    /// What was hidden and marked in jobs that were watched before.
    job_looks: Vec<(JobId, KeptLook)>,
    /// The job that was watched when the console was left.
    reopen: Option<JobId>,
}

impl App {
    pub fn new(theme: Theme, keymap: Keymap, place: Place, size: (u16, u16), now: Timestamp) -> Self {
        let mut app = Self {
            now,
            area: Rect::new(0, 0, size.0, size.1),
            theme,
            keymap,
            looks: Looks::default(),
            place,
            link: Link::Starting,
            hello: None,
            folder: String::new(),
            scripts: Vec::new(),
            numbers: Numbers::default(),
            besides: Besides::default(),
            library_says: Vec::new(),
            libraries: Vec::new(),
            library: Load::default(),
            tree: Tree::default(),
            targets: Load::default(),
            jobs: Vec::new(),
            history: Load::default(),
            held: None,
            source: None,
            shelf: Shelf::default(),
            templates: Vec::new(),
            view: View::default(),
            overview: Overview::default(),
            live: None,
            triage: None,
            news: triage::news::News::default(),
            past: None,
            changes: None,
            remarks: HashMap::new(),
            imports: BTreeMap::new(),
            noting: Vec::new(),
            editing: Editing::default(),
            layers: Vec::new(),
            notices: Notices::default(),
            histories: Histories::default(),
            pending: Vec::new(),
            hint: None,
            hinted: None,
            dirty: true,
            mouse_on: false,
            mode: None,
            trail: Trail::default(),
            recent: Vec::new(),
            asked: Asked::default(),
            reach: world::Reached::default(),
            left: Vec::new(),
            interrupted: None,
            before_search: None,
            pipes: 0,
            searches: 0,
            exports: Exports::default(),
            unkept: false,
            kept: None,
            keep_at: None,
            device_look: KeptLook::default(),
            job_looks: Vec::new(),
            reopen: None,
        };
        app.kept = Some(Box::new(app.kept()));
        app
    }

    /// One thing happened. Returns at once, whatever it was.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        self.update_all([event])
    }

    /// Things happened one after the other. What the engine tells in one go is put in order once: a busy fleet tells
    /// more in a moment than ten thousand rows can be sorted by then.
    pub fn update_all(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut unsettled = false;
        for event in events {
            let told = matches!(event, Event::Engine(_));
            if unsettled && !told {
                self.come_to_rest(&mut effects);
            }
            unsettled = self.happened(event, &mut effects);
            if unsettled && !told {
                self.come_to_rest(&mut effects);
                unsettled = false;
            }
        }
        if unsettled {
            self.come_to_rest(&mut effects);
        }
        effects
    }

    /// `false`: nothing has to be put right for it.
    fn happened(&mut self, event: Event, effects: &mut Vec<Effect>) -> bool {
        let (before, hint) = (self.spot(), self.hint.clone());
        match event {
            Event::Tick(now) => {
                let moved = now != self.now;
                let minute = now.as_second() / 60 != self.now.as_second() / 60;
                self.now = now;
                // Only a running clock makes the time itself worth a frame: while nothing runs the first row tells when
                // the screen was drawn last.
                self.dirty |= moved && (self.clock_runs() || self.waited().is_some());
                self.dirty |= minute && self.running().next().is_some();
                if self.hinted.is_some_and(|at| now >= at + HINT) {
                    (self.hint, self.hinted, self.dirty) = (None, None, true);
                }
                self.dirty |= self.notices.tick(now);
                self.dirty |= self.tick_editor(effects);
                self.tick_triage(effects);
                self.settle_reach();
                self.ask_news(effects);
                self.keep_if_due(effects);
                return false;
            }
            Event::Key(key) => {
                self.key(&key, effects);
                self.kept_changes();
            }
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => {
                self.area = Rect::new(0, 0, width, height);
                self.dirty = true;
            }
            Event::Mouse(mouse) => self.mouse(mouse, effects),
            Event::Focus(_) => {}
            event => {
                if !matches!(event, Event::Engine(_)) {
                    self.asked.since = None;
                }
                self.world(event, effects);
            }
        }
        self.walked(before);
        // A word is shown from when it was said.
        if self.hint != hint {
            self.hinted = self.hint.is_some().then_some(self.now);
        }
        true
    }

    fn come_to_rest(&mut self, effects: &mut Vec<Effect>) {
        self.settle(effects);
        let tail = || self.live.as_ref().is_some_and(|live| self.view == View::Live && live.tail.waits());
        let plan = || self.launch().is_some_and(Launch::waiting);
        let groups = || self.view == View::Groups && self.triage.as_ref().is_some_and(Triage::waits);
        let jobs = || self.view == View::Changes && self.changes.as_ref().is_some_and(Changes::waits);
        let waits = self.link == Link::Attached && (self.asked.any() || tail() || plan() || groups() || jobs());
        self.asked.since = self.asked.since.filter(|_| waits).or(waits.then_some(self.now));
    }

    /// Seconds since the engine was asked for what is not here yet, where that is more than a moment.
    pub fn waited(&self) -> Option<i64> {
        let seconds = self.now.duration_since(self.asked.since?).as_secs();
        (seconds >= 2).then_some(seconds)
    }

    /// A running job is on screen: its elapsed time goes on.
    fn clock_runs(&self) -> bool {
        self.view == View::Live
            && self.held.as_ref().and_then(|held| held.job.as_ref()).is_some_and(|job| !job.summary.state.ended())
    }

    /// When the next [`Event::Tick`] is needed although nothing else happens. `None`: never, the console is idle.
    pub fn wake(&self) -> Option<Timestamp> {
        let runs = self.clock_runs() || self.asked.since.is_some();
        let second = runs.then(|| self.now + SignedDuration::from_secs(1));
        let minute = 60 - self.now.as_second().rem_euclid(60);
        let minute = self.running().next().map(|_| self.now + SignedDuration::from_secs(minute));
        let hint = self.hinted.map(|at| at + HINT);
        [
            second,
            minute,
            hint,
            self.notices.until(),
            self.reach_wakes(),
            self.wake_editor(),
            self.keep_wakes(),
            self.triage_wakes(),
            self.news_wake(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub fn say(&mut self, level: Level, text: impl Into<String>) {
        self.notices.say(self.now, level, text);
        self.dirty = true;
    }

    pub fn running(&self) -> impl Iterator<Item = &JobSummary> {
        self.jobs.iter().filter(|job| job.state == JobState::Running)
    }

    /// Devices above which a launch asks for the count.
    fn threshold(&self) -> u32 {
        self.hello.as_ref().map_or(1, |hello| hello.confirm_above)
    }

    /// A script's version by the name that people use: `v3`, else the beginning of its hash.
    pub fn version_word(&self, script: &str, version: &str) -> String {
        let number = self.numbers.get(script).and_then(|versions| versions.get(version));
        number.map_or_else(|| version.to_owned(), |number| format!("v{number}"))
    }

    /// The same of one that was saved just now: until the library is read again it is the next.
    fn version_saved(&mut self, script: &str, version: &str) -> String {
        let known = self.numbers.entry(script.to_owned()).or_default();
        let next = known.values().max().map_or(1, |newest| newest + 1);
        format!("v{}", known.entry(version.to_owned()).or_insert(next))
    }

    /// What to tell the shell when the console is left.
    pub fn farewell(&self) -> Option<String> {
        let running: Vec<u64> = self.running().map(|job| job.id).collect();
        match running.as_slice() {
            [] => None,
            [id] => Some(format!("job {id} goes on: quarterdeck jobs attach {id}")),
            ids => Some(format!("{} jobs go on: quarterdeck jobs ls", ids.len())),
        }
    }

    pub fn launch(&self) -> Option<&Launch> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Launch(launch) => Some(&**launch),
            _ => None,
        })
    }

    fn launch_mut(&mut self) -> Option<&mut Launch> {
        self.layers.iter_mut().find_map(|layer| match layer {
            Layer::Launch(launch) => Some(&mut **launch),
            _ => None,
        })
    }
}
