//! What the engine says: answers to what was asked, and its events.

use jiff::{SignedDuration, Timestamp};

use super::event::{Effect, Event};
use super::held::Held;
use super::list::ListId;
use super::notices::{Level, Voice};
use super::tree::{Saved, Tally};
use super::{App, Layer, Link, Load, Source, View};
use crate::console::text;
use crate::console::theme::Ground;
use crate::model::job::JobSummary;
use crate::model::notify::{Kind, turns};
use crate::model::script::Script;
use crate::model::wire::{self, Code, Hello, Library, Problem, Resolved, Shelf, Targets};

/// What is read again and again, as notices name it.
const TARGETS: &str = "the targets";
const SCRIPTS: &str = "the scripts";
const JOBS: &str = "the jobs";

/// Lines of a script that the preview holds.
const PREVIEW: usize = 20_000;
/// A longer script is shown without colours.
const COLOURED: usize = 256 * 1024;

/// What was said of devices that were spoken to, and is not looked at as a whole yet.
#[derive(Debug, Default)]
pub(super) struct Reached {
    moved: bool,
    /// Not before.
    due: Option<Timestamp>,
}

impl App {
    pub(super) fn world(&mut self, event: Event, effects: &mut Vec<Effect>) {
        // an event of which nothing is on screen puts this back, and never more than this
        let was_dirty = std::mem::replace(&mut self.dirty, true);
        match event {
            Event::Attached(hello) => self.attached(*hello, effects),
            Event::Lost { why, retry } => {
                self.link = Link::Lost { why: why.clone(), retry };
                self.editor_lost();
                self.seek_lost();
                self.imports.clear();
                self.say(Level::Error, why);
            }
            Event::Targets(answer) => self.set_targets(answer, effects),
            Event::Library(answer) => self.set_library(answer, effects),
            Event::Jobs(answer) => {
                self.asked.jobs = false;
                match answer {
                    Ok(jobs) => {
                        self.notices.read(self.now, JOBS, Vec::new());
                        self.set_jobs(jobs);
                    }
                    Err(problem) => self.history = self.failed(JOBS, &self.history.clone(), problem),
                }
            }
            Event::Job(id, answer) => {
                if self.asked.job == Some(id) {
                    self.asked.job = None;
                }
                if let (Some(triage), Ok(job)) = (&mut self.triage, &*answer) {
                    triage.heard_before(job);
                }
                if let Some(held) = self.held.as_mut().filter(|held| held.id == id) {
                    match *answer {
                        Ok(job) => held.set(job),
                        Err(problem) => held.problem = Some(problem.error),
                    }
                    if let Some(live) = self.live.as_mut().filter(|live| live.id == id) {
                        live.stale();
                        live.tail.touched();
                    }
                }
                self.hear_held();
            }
            Event::Groups { job, exact, base, answer } => {
                if !exact && base.is_none() {
                    self.news_of(job, answer.as_ref().as_ref().ok());
                }
                if let Some(triage) = self.triage.as_mut().filter(|triage| triage.job == job) {
                    triage.answered((exact, base), *answer);
                }
            }
            Event::JobsCompared { job, other, answer } => self.jobs_compared(job, other, *answer),
            Event::Found { serial, answer } => self.seek_found(serial, answer),
            Event::OutputsCompared { question, answer } => {
                let Err(answer) = self.device_compared(&question, answer) else { return };
                if let Some(triage) = self.triage.as_mut().filter(|triage| triage.job == question.job) {
                    triage.beside.answered(&question, *answer);
                }
            }
            Event::Foreseen { job, what, answer } => self.foreseen(job, &what, answer),
            Event::Regrouped { job, answer } => self.regrouped(job, answer),
            Event::MaskingRead { job, signature, answer } => self.masking_read(job, &signature, answer),
            Event::Ruled(answer) => self.ruled(answer),
            Event::TargetSaved { name, answer } => self.target_saved(&name, answer),
            Event::Remarked(answer) => self.remarked(answer),
            Event::JobsRemarked(answer) => self.jobs_remarked(answer),
            Event::Script(name, answer) => {
                if self.asked.script.as_ref() == Some(&name) {
                    self.asked.script = None;
                }
                self.set_source(name, *answer, effects);
            }
            Event::Coloured { version, lines } => {
                if let Some(source) = self.source.as_mut().filter(|source| source.version == version) {
                    source.coloured = lines;
                }
            }
            Event::Engine(event) => self.engine(event, was_dirty, effects),
            Event::Lines { ask, window } => {
                if let Some(live) = &mut self.live {
                    live.tail.answer(&ask, window.map_err(|problem| problem.error));
                }
            }
            Event::Resolved { expr, answer } => self.resolved(&expr, &answer),
            Event::Planned { serial, answer } => {
                let tree = std::mem::take(&mut self.tree);
                if let Some(launch) = self.launch_mut() {
                    launch.planned(serial, *answer, &tree);
                }
                self.tree = tree;
            }
            Event::LookedAt { path, size, near } => {
                let told = self.launch_mut().is_some_and(|launch| launch.looked(&path, &size, &near));
                self.dirty |= told;
            }
            Event::Answered { question, answer } => self.answered(&question, answer),
            Event::Launched { answer } => self.launched(*answer),
            Event::Cancelled { job, answer } => match answer {
                Ok(cancelled) => self.say(Level::Info, format!("job {job}: {}", cancelled.says())),
                Err(problem) => self.say(Level::Error, format!("stopping job {job}: {}", problem.error)),
            },
            Event::Expressions(exprs) => {
                let mut kept: Vec<Saved> = exprs.into_iter().map(Saved::own).collect();
                kept.extend(self.tree.saved.extract_if(.., |saved| !saved.is_own()));
                self.tree.saved = kept;
                self.tree.build();
            }
            Event::Histories(all) => all.into_iter().for_each(|(name, lines)| self.histories.restore(name, lines)),
            Event::Edited { path, problem } => match problem {
                Some(problem) => self.say(Level::Error, format!("editing {path}: {problem}")),
                None => {
                    self.ask_library(effects);
                    self.edited_outside(&path, effects);
                }
            },
            Event::Reread(read) => self.reread(*read),
            Event::Ground { dark } => self.stands_on(if dark { Ground::Dark } else { Ground::Light }),
            Event::Unkept { what, why } => {
                // A full or read-only home does not get better by being told again; the console works on without.
                if !std::mem::replace(&mut self.unkept, true) {
                    self.say(Level::Warn, format!("{what} and the like are not kept for the next session: {why}"));
                }
            }
            Event::Opened { name, answer } => self.opened(name, *answer, effects),
            Event::Saved { name, answer } if self.editor_saves(&name) => self.saved(&name, answer, effects),
            Event::Linted { serial, answer } => self.linted(serial, answer),
            event @ (Event::Saved { .. }
            | Event::Drafts(_)
            | Event::DraftSaved { .. }
            | Event::DraftDropped(_)
            | Event::Renamed { .. }
            | Event::Deleted { .. }
            | Event::Undeleted(_)
            | Event::Trash(_)
            | Event::Versions { .. }
            | Event::Version { .. }
            | Event::Restored { .. }
            | Event::Compared { .. }) => self.shelf_event(event, effects),
            Event::Turned { job, answer } => self.turned(job, *answer),
            event @ (Event::Templates(_) | Event::TemplateKept { .. } | Event::TemplateForgotten { .. }) => {
                self.template_event(event, effects);
            }
            Event::Document { serial, answer } => self.read_out(serial, *answer),
            Event::Piped { serial, text, ended } => self.piped(serial, &text, ended),
            Event::Gathered(text) => self.copy("output", text, effects),
            Event::Saving { path, bytes } => {
                self.hint = Some(format!("saving to {path}: {} so far", crate::console::text::bytes(bytes)));
            }
            Event::Handed(done) => {
                self.hint = None;
                match done {
                    Ok(said) => self.say(Level::Info, said),
                    Err(problem) => self.say(Level::Error, problem),
                }
            }
            Event::Imported { connection, answer } => self.brought_in(connection, answer, effects),
            Event::Exporting { serial, devices, of, bytes } => self.exporting(serial, (devices, of, bytes)),
            Event::Exported { serial, done } => self.exported(serial, done, effects),
            Event::Notice(text) => self.say(Level::Warn, text),
            Event::Tick(_)
            | Event::Key(_)
            | Event::Paste(_)
            | Event::Resize(..)
            | Event::Focus(_)
            | Event::Mouse(_) => {}
        }
    }

    fn attached(&mut self, hello: Hello, effects: &mut Vec<Effect>) {
        if let Some(before) = &self.hello {
            let edited = before.config == hello.config && before.config_mark != hello.config_mark;
            let ended = before.pid != hello.pid && self.jobs.iter().any(|job| !job.state.ended());
            self.notices.dismiss();
            match (edited, ended) {
                (true, _) => self.say(
                    Level::Info,
                    "the configuration was edited: a new engine goes by it, and everything was read anew",
                ),
                (false, true) => {
                    self.say(Level::Warn, "the engine ended while jobs ran; another answers: see what was interrupted")
                }
                (false, false) => self.say(Level::Info, "the engine answers again; everything was read anew"),
            }
        }
        for notice in &hello.notices {
            if !self.notices.told(notice) {
                self.notices.hear(self.now, Level::Warn, Voice::Engine, notice.clone());
            }
        }
        self.hello = Some(hello);
        self.link = Link::Attached;
        self.asked = super::Asked::default();
        if let Some(triage) = &mut self.triage {
            triage.reset();
        }
        if let Some(changes) = &mut self.changes {
            changes.reset();
        }
        self.news.reset();
        if let Some(live) = &mut self.live {
            live.tail.reset();
        }
        for layer in &mut self.layers {
            match layer {
                Layer::Launch(launch) => launch.reset(),
                Layer::Prompt(prompt) => prompt.reset(),
                _ => {}
            }
        }
        self.reload(effects);
    }

    pub(super) fn ask_targets(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.asked.targets, true) {
            self.asked.targets_again = true;
        } else {
            effects.push(Effect::LoadTargets);
        }
    }

    /// What hangs on who could be reached is worked out again, so often as the size of the fleet allows.
    pub(super) fn settle_reach(&mut self) {
        if !self.reach.moved || self.reach.due.is_some_and(|due| self.now < due) || self.view != View::Overview {
            return;
        }
        let pause = i64::try_from(self.tree.targets.devices.len() / 5).unwrap_or(i64::MAX);
        self.reach = Reached { moved: false, due: Some(self.now + SignedDuration::from_millis(pause)) };
        if self.tree.asks_reach() {
            self.tree.sift();
            self.sift(ListId::Targets);
        }
        for saved in &mut self.tree.saved {
            saved.answer = None;
        }
        if let Some(launch) = self.launch_mut() {
            launch.again();
        }
        self.dirty = true;
    }

    /// When that is due.
    pub(super) fn reach_wakes(&self) -> Option<Timestamp> {
        self.reach.due.filter(|_| self.reach.moved && self.view == View::Overview)
    }

    pub(super) fn ask_library(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.asked.library, true) {
            self.asked.library_again = true;
        } else {
            effects.push(Effect::LoadLibrary);
        }
    }

    fn set_targets(&mut self, answer: Result<Targets, Problem>, effects: &mut Vec<Effect>) {
        self.asked.targets = false;
        if std::mem::take(&mut self.asked.targets_again) {
            self.ask_targets(effects);
        }
        let targets = match answer {
            Ok(targets) => targets,
            Err(problem) => {
                self.targets = self.failed(TARGETS, &self.targets.clone(), problem);
                return;
            }
        };
        let wrong = targets.connections.iter().flat_map(|connection| &connection.warnings);
        let wrong = wrong.chain(&targets.saved_problem).cloned().collect();
        self.notices.read(self.now, TARGETS, wrong);
        let height = self.targets_height();
        // (where nobody has chosen yet it is at the top, whatever stood there before the targets came)
        let touched = self.overview.targets.touched;
        let on = self.tree.rows.get(self.overview.targets.at).filter(|_| touched).map(|row| row.path.clone());
        self.tree.set_named(&targets.saved);
        self.tree.now = Some(self.now);
        let on = self.overview.targets_home.clone().or(on);
        self.tree.set(targets);
        self.targets = Load::Ready;
        self.prune_marks(ListId::Targets);
        self.stay_on(on, height);
        for saved in &mut self.tree.saved {
            saved.answer = None;
        }
        if let Some(launch) = self.launch_mut() {
            launch.again();
        }
    }

    fn set_library(&mut self, answer: Result<Library, Problem>, effects: &mut Vec<Effect>) {
        self.asked.library = false;
        if std::mem::take(&mut self.asked.library_again) {
            self.ask_library(effects);
        }
        match answer {
            Ok(library) => {
                let of =
                    |shelf: &Shelf| Some(format!("the scripts of {}: {}", shelf.connection, shelf.problem.as_ref()?));
                let wrong = library.warnings.iter().cloned().chain(library.shelves.iter().filter_map(of)).collect();
                self.notices.read(self.now, SCRIPTS, wrong);
                (self.folder, self.scripts, self.library_says) = (library.folder, library.scripts, library.warnings);
                self.numbers = library.numbers;
                for script in &self.scripts {
                    if let Some(errors) = library.errors.get(&script.name) {
                        self.besides.errors.insert(script.name.clone(), (script.version.clone(), *errors));
                    }
                }
                self.libraries = library.shelves;
                self.overview.branches.set(&self.scripts, &self.libraries);
                self.library = Load::Ready;
                self.prune_marks(ListId::Scripts);
                self.relist(ListId::Scripts);
                if let Some(launch) = self.launch_mut() {
                    launch.again();
                }
                self.check_editor(effects);
                self.arrived(effects);
            }
            Err(problem) => self.library = self.failed(SCRIPTS, &self.library.clone(), problem),
        }
    }

    fn set_jobs(&mut self, mut jobs: Vec<JobSummary>) {
        for job in &mut jobs {
            // An event may have overtaken this answer.
            if let Some(mine) = self.jobs.iter().find(|mine| mine.id == job.id && mine.state.ended()) {
                job.clone_from(mine);
            }
        }
        let newest = jobs.iter().map(|job| job.id).max().unwrap_or(0);
        // Launched after this answer was given, told before it came.
        jobs.extend(self.jobs.iter().filter(|mine| mine.id > newest).cloned());
        jobs.sort_by_key(|job| std::cmp::Reverse((job.created_at, job.id)));
        self.jobs = jobs;
        self.flag_jobs();
        self.history = Load::Ready;
        self.left_failed();
        self.prune_marks(ListId::Jobs);
        self.relist(ListId::Jobs);
        self.reopen();
    }

    /// A row for what the newest jobs left failed; of a script only for its newest job.
    fn left_failed(&mut self) {
        let mut met: Vec<&str> = Vec::new();
        let ended = self.jobs.iter().filter(|job| job.state.ended());
        let newest = ended.filter(|job| {
            let first = !met.contains(&job.script.as_str());
            met.push(&job.script);
            first && job.counts.failed > 0
        });
        if self.tree.set_failed(newest.map(|job| job.id)) {
            self.tree.build();
        }
    }

    pub(super) fn set_job(&mut self, job: JobSummary) {
        if let Some(held) = self.held.as_mut().filter(|held| held.id == job.id) {
            held.summary(&job);
        }
        if let Some(live) = self.live.as_mut().filter(|live| live.id == job.id && job.state.ended()) {
            live.tail.touched();
        }
        match self.jobs.iter().position(|mine| mine.id == job.id) {
            Some(at) if self.jobs[at].state.ended() && !job.state.ended() => return,
            Some(at) => {
                let over = job.state.ended() && !self.jobs[at].state.ended();
                if job.progress.asks.is_some() && self.jobs[at].progress.asks.is_none() {
                    self.notices.overtaken(); // who is asked for something need not read first what went well
                }
                self.jobs[at] = job;
                self.flag_jobs();
                if over {
                    self.left_failed();
                }
                let look = &self.overview.job_look;
                if look.sort.column == 0 && !look.narrowed() {
                    return; // Its place is the same.
                }
            }
            None => {
                // By when they were launched: what was brought in from a system is older than its number says.
                let place = |job: &JobSummary| std::cmp::Reverse((job.created_at, job.id));
                let at = self.jobs.partition_point(|mine| place(mine) < place(&job));
                self.jobs.insert(at, job);
            }
        }
        self.relist(ListId::Jobs);
    }

    fn set_source(&mut self, name: String, answer: Result<Script, Problem>, effects: &mut Vec<Effect>) {
        let Some(info) = self.scripts.iter().find(|script| script.name == name) else { return };
        let before = self.source.take().filter(|source| source.name == name && source.reads.0 == info.version);
        let mut source = Source {
            name,
            reads: (info.version.clone(), before.map_or(1, |source| source.reads.1.saturating_add(1))),
            version: info.version.clone(),
            lines: Vec::new(),
            findings: Vec::new(),
            coloured: Vec::new(),
            problem: None,
        };
        match answer {
            Ok(script) => {
                source.version = script.info.version;
                self.lint_told(&source.name, &source.version, &script.findings);
                source.lines = script.text.lines().take(PREVIEW).map(str::to_owned).collect();
                source.findings = script.findings;
                if script.text.len() <= COLOURED {
                    effects.push(Effect::Colour {
                        name: script.info.name,
                        version: source.version.clone(),
                        language: script.info.language,
                        text: script.text,
                    });
                }
            }
            Err(problem) => source.problem = Some(problem.error),
        }
        if let Some(search) = &mut self.overview.search {
            search.again(&source.lines);
        }
        self.source = Some(source);
    }

    fn engine(&mut self, event: wire::Event, was_dirty: bool, effects: &mut Vec<Effect>) {
        match event {
            wire::Event::Job { job } => {
                // How a script fared is told with the library.
                let over = job.state.ended() && !self.jobs.iter().any(|mine| mine.id == job.id && mine.state.ended());
                let before = self.jobs.iter().find(|mine| mine.id == job.id);
                let begun = before.is_none();
                let turned = turns(before, &job);
                let by_itself = job.progress.stopped.is_some() && turned.iter().any(|turn| turn.kind == Kind::Stopped);
                if by_itself {
                    let why = job.reason.as_deref().unwrap_or("stopped by itself");
                    self.say(Level::Error, format!("job {} {}", job.id, text::plain(why)));
                }
                effects.extend(turned.into_iter().map(|turn| Effect::Ring(turn.text)));
                self.set_job(*job);
                if over || begun {
                    self.ask_library(effects);
                }
            }
            wire::Event::Runs { job, runs } => {
                if self.running().any(|mine| mine.id == job) {
                    self.news.hear(job, &runs);
                }
                if let Some(triage) = self.triage.as_mut().filter(|triage| triage.job == job) {
                    triage.stale();
                }
                if let Some(live) = self.live.as_mut().filter(|live| live.id == job) {
                    live.stale();
                    if live.tail.run.is_none_or(|mine| runs.iter().any(|run| run.index == mine)) {
                        live.tail.touched();
                    }
                }
                match self.held.as_mut().filter(|held| held.id == job) {
                    Some(held) => held.runs(runs),
                    None => self.dirty = was_dirty,
                }
            }
            wire::Event::Output { job, runs } => {
                let held = self.held.as_mut().filter(|held| held.id == job);
                let seen = held.is_some();
                if let Some(held) = held {
                    held.grown(&runs);
                }
                if let Some(live) = self.live.as_mut().filter(|live| live.id == job) {
                    for grown in &runs {
                        live.tail.grown(grown.run, grown.lines, grown.bytes);
                    }
                    let all = self.held.as_ref().and_then(|held| held.job.as_ref()).map_or(&[][..], |job| &job.runs);
                    let lines = all.iter().map(|run| run.lines).sum();
                    live.tail.grown_to(lines, all.iter().map(|run| run.bytes).sum());
                }
                if !seen {
                    self.dirty = was_dirty; // Nothing of it is on screen.
                }
            }
            // what it comes to is in the job's summary
            wire::Event::Transition { .. } => self.dirty = was_dirty,
            wire::Event::Library => self.ask_library(effects),
            wire::Event::Targets => self.ask_targets(effects),
            wire::Event::Contacts { devices } => {
                if !self.tree.contacted(devices) {
                    self.dirty = was_dirty;
                    return;
                }
                self.tree.retally();
                self.reach.moved = true;
                // nothing else shows who could be reached
                self.dirty = was_dirty || self.view == View::Overview || self.launch().is_some();
            }
            wire::Event::Triage => {
                if let Some(triage) = &mut self.triage {
                    triage.stale();
                }
                effects.push(Effect::LoadRemarks);
            }
            wire::Event::Notice { text } => self.notices.hear(self.now, Level::Warn, Voice::Engine, text),
            wire::Event::Reset => self.reload(effects),
        }
    }

    fn resolved(&mut self, expr: &str, answer: &Result<Resolved, Problem>) {
        if self.asked.resolve.as_deref() == Some(expr) {
            self.asked.resolve = None;
        }
        for layer in &mut self.layers {
            match layer {
                Layer::Prompt(prompt) => {
                    prompt.answered(expr, answer);
                }
                Layer::Launch(launch) => launch.resolved(expr, answer),
                _ => {}
            }
        }
        let tally = answer.as_ref().map_err(|problem| problem.error.clone()).map(|resolved| {
            let ids = resolved.devices.iter().map(|device| device.id.as_str());
            Tally { devices: resolved.count, ..self.tree.tally_of(ids) }
        });
        let mut found = false;
        for saved in self.tree.saved.iter_mut().filter(|saved| saved.expr == expr) {
            saved.answer = Some(tally.clone());
            found = true;
        }
        if found {
            self.tree.build();
        }
    }

    fn answered(&mut self, question: &str, answer: Result<(), Problem>) {
        if let Err(problem) = answer {
            self.say(Level::Error, problem.error);
        }
        if let Some(launch) = self.launch_mut() {
            launch.question_answered(question);
        }
    }

    fn launched(&mut self, answer: Result<JobSummary, Problem>) {
        match answer {
            Ok(job) => {
                let id = job.id;
                self.say(Level::Info, format!("job {id} was launched on {} devices", job.counts.total()));
                self.notices.dismiss();
                let sent = self.launch().map(|launch| (launch.target(), launch.begun.clone()));
                self.layers.retain(|layer| !matches!(layer, Layer::Launch(_)));
                sent.iter().for_each(|(_, begun)| self.launch_sent(begun));
                // Marks that have become a job are done with.
                if sent.as_ref().is_some_and(|(target, _)| *target == self.tree.marked()) {
                    self.tree.look.unmark();
                }
                self.set_job(job);
                if sent.is_some() {
                    self.held = Some(Held::new(id));
                    self.asked.job = None;
                    self.leave_live();
                    self.watch(id);
                }
            }
            Err(problem) => {
                let stale = problem.code == Code::Stale;
                match self.launch_mut() {
                    Some(launch) => {
                        launch.sent = false;
                        launch.arm.typed.clear();
                        launch.at = super::launch::At::Arm;
                        if stale {
                            // What is different is said by the next plan.
                            launch.again();
                        } else {
                            launch.problem = Some(problem.clone());
                        }
                        self.say(Level::Error, format!("not launched: {}", problem.error));
                    }
                    None => self.say(Level::Error, format!("the launch failed: {}", problem.error)),
                }
            }
        }
    }

    /// A list that was read once stays on screen, old as it is; that it is old is said.
    fn failed(&mut self, what: &'static str, load: &Load, problem: Problem) -> Load {
        match load {
            Load::Ready => {
                let why = format!("{what} could not be read again: {}; ^r tries again", problem.error);
                self.notices.unread_again(self.now, what, why);
                Load::Ready
            }
            _ => Load::Failed(problem.error),
        }
    }
}
