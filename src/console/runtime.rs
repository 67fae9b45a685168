//! The console's one loop, and the world around `app`: terminal, engine, editor, files. Input first, then results,
//! then timers; a frame at once after input, otherwise at a deadline, and none at all while nothing changes.

mod drafts;
mod engine;
mod export;
mod files;
mod given;
mod keyboard;
mod looks;
mod past;
mod pipe;
mod shelf;

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::app::notices::Level;
use super::app::{App, Effect, Event, Place};
use super::editor::highlight;
use super::keymap::Keymap;
use super::term::probe::{self, Answers};
use super::term::{AWAY, HERE, Input, Line, NoScreen, PASTE, Pace, Reply, Screen, Term};
use super::theme::Depth;
use super::{term, text, ui};
use crate::model::wire::Step;
use crate::settings::Settings;
use engine::{Engine, Told};
use keyboard::Keyboard;

/// Results taken at one go; more would keep a key waiting.
const BATCH: usize = 64;
/// Results on their way; whoever sends more waits.
const ROOM: usize = 256;
/// What terminals take through OSC 52 (tmux and xterm cut above this).
const CLIPBOARD: usize = 74_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Terminal(#[from] NoScreen),
    #[error("cannot start the console's loop: {0}")]
    Loop(io::Error),
    #[error("cannot write to the terminal: {0}")]
    Gone(io::Error),
}

impl Error {
    /// There is nothing wrong with the program, only with where it was started.
    pub fn asked_wrongly(&self) -> bool {
        matches!(self, Error::Terminal(NoScreen::NoTerminal | NoScreen::Dumb))
    }
}

/// A person sits at a terminal that can only print: the console a line at a time is for them.
pub fn prints_only() -> bool {
    term::detect().dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// For `config check`: what is wrong with the themes and the keymap.
pub fn check_looks(settings: &Settings) -> Vec<String> {
    looks::check(settings)
}

/// For the verb `keys`: those that a console would have, or those of another preset.
pub fn keymap_of(settings: &Settings, preset: Option<&str>) -> (Keymap, Vec<String>) {
    looks::keymap(settings, preset)
}

/// For `doctor`: what the terminal can do, and whether theme and keymap are as their files say.
pub fn examine(settings: &Settings) -> Vec<Step> {
    let mut steps = term::examine(settings.ui.ask);
    let (looks, mut problems) = looks::at_start(settings, term::ground());
    problems.extend(looks.shelf.theme(&looks.worn, Depth::True, false).1);
    let wrong = looks.keymap().1;
    for (label, name, problems) in [("theme", looks.worn.clone(), problems), ("keymap", looks.keys_said(), wrong)] {
        if problems.is_empty() {
            steps.push(Step { label: label.to_owned(), text: name, fine: true });
        }
        let said = problems.into_iter().map(|text| Step { label: label.to_owned(), text, fine: false });
        steps.extend(said);
    }
    steps
}

/// Shows the console until it is left.
///
/// # Errors
/// There is no terminal, or it went away.
pub fn run(settings: Settings) -> Result<(), Error> {
    let term = Term::enter(&format!(
        "quarterdeck: that was a mistake of the console's own; jobs go on, and a new console shows them. The engine's log is {}",
        settings.paths.engine_log().display()
    ))?;
    let line = Line::stdout().map_err(Error::Loop)?;
    let mut desk = Desk::new(settings, term, line);
    // The first frame does not wait for anything: not for the engine, not for the loop.
    desk.draw()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Loop)?;
    let done = runtime.block_on(desk.follow());
    let farewell = desk.app.farewell();
    if let Some(kept) = desk.app.left_to_keep() {
        // Nobody is left to be told; what cannot be kept has been said before.
        let _ = files::keep(&desk.settings.paths, &kept);
    }
    drop(desk); // gives the terminal back
    runtime.shutdown_background();
    if let Some(farewell) = farewell {
        let _ = writeln!(io::stdout(), "{farewell}");
    }
    done
}

/// The state, the terminal, and what goes on between them.
struct Desk {
    app: App,
    term: Term,
    screen: Screen<Line>,
    line: Line,
    keyboard: Keyboard,
    pace: Pace,
    /// A key waits for its frame: as soon as the line has taken the last one.
    urgent: bool,
    /// When the terminal was asked what it can do, if it was, and what it has answered.
    asked: Option<Instant>,
    answers: Answers,
    settings: Settings,
    /// The looks' files as they were before they were read.
    seen: looks::Stamp,
    quit: bool,
    /// Shell commands that read a text, and how each is stopped.
    pipes: Vec<(u64, CancellationToken)>,
    /// The search that goes on, and how it is stopped.
    search: Option<(u64, CancellationToken)>,
    /// The export under way, and how it is stopped.
    export: Option<(u64, CancellationToken)>,
}

/// What woke the loop.
enum Woken {
    Quit,
    Sign(Sign),
    Input {
        gone: bool,
    },
    Results,
    /// The line has taken the last frame, in so long.
    Drained(Duration),
    Frame,
    Clock,
}

impl Desk {
    fn new(settings: Settings, term: Term, line: Line) -> Self {
        let caps = term.caps();
        let depth = if settings.ui.no_color { Depth::None } else { caps.depth };
        let ascii = settings.ui.ascii.unwrap_or(caps.ascii);
        let seen = looks::stamp(&settings.paths);
        let (looks, mut problems) = looks::at_start(&settings, term::ground());
        let (theme, wrong) = looks.shelf.theme(&looks.worn, depth, ascii);
        problems.extend(wrong);
        let (keymap, wrong) = looks.keymap();
        problems.extend(wrong);

        let shown = |path: &std::path::Path| match path.strip_prefix(&settings.home) {
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.display().to_string(),
        };
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let colours = match depth {
            Depth::None => "no colours",
            Depth::Ansi16 => "16 colours",
            Depth::Ansi256 => "256 colours",
            Depth::True => "24-bit colours",
        };
        let place = Place {
            who: format!("{}@{host}", settings.user),
            fleet: settings.ui.fleet.clone(),
            config: shown(&settings.paths.config),
            log: shown(&settings.paths.engine_log()),
            folder: std::path::absolute(".").map_or_else(|_| String::new(), |folder| shown(&folder)),
            terminal: format!("{}{colours}", if caps.tmux { "tmux, " } else { "" }),
            zone: TimeZone::system(),
        };
        let area = Term::size();
        let mut app = App::new(theme, keymap, place, (area.width, area.height), Timestamp::now());
        app.looks = looks;
        app.mouse_on = settings.ui.mouse;
        match files::kept(&settings.paths) {
            Ok(Some(kept)) => app.restore(kept),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
        // the last said is the one that is shown: the first, which may be the cause of the others
        for problem in settings.problems.iter().chain(&problems).rev() {
            app.say(Level::Warn, problem.clone());
        }
        let now = Instant::now();
        let pace = Pace::new(settings.ui.fps.unwrap_or(if caps.ssh { AWAY } else { HERE }), now);
        let screen = Screen::new(line.clone(), area, depth).ascii(ascii).bce(caps.bce);
        Self {
            app,
            term,
            screen,
            line,
            keyboard: Keyboard::default(),
            pace,
            urgent: false,
            asked: None,
            answers: Answers::default(),
            settings,
            seen,
            quit: false,
            pipes: Vec::new(),
            search: None,
            export: None,
        }
    }

    fn draw(&mut self) -> Result<(), Error> {
        let app = &self.app;
        self.screen.draw(|area, buf| ui::draw(app, area, buf)).map_err(Error::Gone)?;
        self.app.dirty = false;
        self.urgent = false;
        self.pace.drew(Instant::now());
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Error> {
        let (results, mut told) = mpsc::channel::<Told>(ROOM);
        let mut engine = Engine::new(self.settings.paths.clone(), results.clone());
        looks::watch(&self.settings.paths, std::mem::take(&mut self.seen), {
            let edited = engine.edited();
            move |read| {
                edited.notify_one();
                results.blocking_send(Told::Event(Box::new(Event::Reread(Box::new(read))))).is_ok()
            }
        });
        let mut signals = Signals::new().map_err(Error::Loop)?;
        engine.attach();
        engine.blocking({
            let path = files::expressions(&self.settings.paths);
            move || Some(Event::Expressions(files::read_expressions(&path)))
        });
        engine.blocking({
            let paths = self.settings.paths.clone();
            move || Some(Event::Histories(files::histories(&paths)))
        });
        engine.drafts.carry_out(Effect::LoadDrafts);
        if self.settings.ui.mouse {
            let wish = self.term.mouse(true);
            self.send(wish);
        }
        if let Some(questions) = probe::questions(&self.term.caps()).filter(|_| self.settings.ui.ask) {
            self.send(questions);
            self.asked = Some(Instant::now());
        }
        let mut batch: Vec<Told> = Vec::with_capacity(BATCH);
        let mut inputs: Vec<Input> = Vec::new();
        while !self.quit {
            if self.keyboard.listen().map_err(Error::Loop)? {
                self.measured(&mut engine, &mut signals).await; // nobody told of changes while nobody listened
            }
            // One frame is on its way at most: what is drawn next is what is so by then.
            let wanted = self.app.dirty && !self.line.busy();
            let frame = wanted.then(|| if self.urgent { Instant::now() } else { self.pace.due() });
            let clock = self.app.wake().map(|at| at.duration_since(Timestamp::now()).unsigned_abs());
            let woken = tokio::select! {
                biased;
                sign = signals.next() => Woken::Sign(sign),
                going = self.keyboard.next(&mut inputs) => Woken::Input { gone: !going },
                n = told.recv_many(&mut batch, BATCH) => if n == 0 { Woken::Quit } else { Woken::Results },
                took = self.line.drained() => Woken::Drained(took),
                () = at(frame) => Woken::Frame,
                () = after(clock) => Woken::Clock,
            };
            let mut events = vec![Event::Tick(Timestamp::now())];
            let by_key = matches!(woken, Woken::Input { .. });
            match woken {
                Woken::Quit | Woken::Sign(Sign::End) | Woken::Input { gone: true } => break, // Jobs go on.
                Woken::Input { .. } => {
                    events.extend(inputs.drain(..).filter_map(|input| self.taken(input)));
                    if let Some(so_far) = self.keyboard.pasting() {
                        let so_far = text::count(so_far as u64);
                        self.app.hint = Some(format!("a paste is arriving: {so_far} bytes (^c gives a stuck one up)"));
                        self.app.dirty = true;
                    }
                }
                Woken::Sign(Sign::Resized) => self.measured(&mut engine, &mut signals).await,
                Woken::Sign(Sign::GoOn) => {
                    // Whoever had stopped us may have changed the terminal, and has written on it.
                    if !Term::is_raw() {
                        self.term.leave();
                        self.term.resume();
                    }
                    self.screen.redraw();
                    self.app.dirty = true;
                }
                Woken::Results => events.extend(batch.drain(..).filter_map(|told| engine.take(told))),
                Woken::Drained(took) => {
                    self.pace.drained(took);
                    events.clear();
                }
                Woken::Frame | Woken::Clock => {}
            }
            self.urgent |= by_key && events.len() > 1;
            if by_key {
                for event in events {
                    self.tell(event, &mut engine, &mut signals).await;
                }
            } else {
                for effect in self.app.update_all(events) {
                    self.carry_out(effect, &mut engine, &mut signals).await;
                }
            }
            let due = self.urgent || Instant::now() >= self.pace.due();
            if self.app.dirty && !self.quit && due && !self.line.busy() {
                self.draw()?;
            }
        }
        // The terminal may be gone, but what was written in it is not.
        for effect in self.app.leaving() {
            engine.drafts.carry_out(effect);
        }
        self.hush().await;
        engine.leave().await;
        Ok(())
    }

    /// Reads no more, for somebody else gets the terminal; but not before it has answered what it was asked, or will
    /// not: whoever comes would take the answers for keys.
    async fn hush(&mut self) {
        let end = self.asked.map(probe::until).filter(|_| !self.answers.whole);
        let mut inputs = Vec::new();
        while let Some(end) = end.filter(|_| !self.answers.whole)
            && let Ok(true) = tokio::time::timeout_at(end.into(), self.keyboard.next(&mut inputs)).await
        {
            for input in inputs.drain(..) {
                if let Input::Reply(reply) = input {
                    self.answers.take(reply);
                }
            }
        }
        self.keyboard.leave();
    }

    /// The terminal's size, told where it has changed.
    async fn measured(&mut self, engine: &mut Engine, signals: &mut Signals) {
        let area = Term::size();
        if area != self.app.area {
            self.urgent = true;
            self.tell(Event::Resize(area.width, area.height), engine, signals).await;
        }
    }

    /// What came from the terminal, as the console takes it.
    fn taken(&mut self, input: Input) -> Option<Event> {
        Some(match input {
            Input::Key(key) => Event::Key(key),
            Input::Mouse(mouse) => Event::Mouse(mouse),
            Input::Paste(text) => {
                self.app.hint = None;
                Event::Paste(text)
            }
            Input::Unpasted(length) => {
                self.app.hint = None;
                let length = text::count(length as u64);
                let most = PASTE >> 20;
                Event::Notice(format!(
                    "a paste of {length} bytes was not taken: it was given up, or is longer than {most} MiB"
                ))
            }
            Input::Focus(on) => {
                self.pace.watched(on);
                Event::Focus(on)
            }
            Input::Reply(reply) => return self.answered(reply),
        })
    }

    /// The terminal said what it can do, or how it looks. What comes too late for the question changes nothing, but
    /// dark and light are told whenever they change.
    fn answered(&mut self, reply: Reply) -> Option<Event> {
        let known = self.answers.darkness();
        let reports = matches!(reply, Reply::Dark(_));
        if !reports && self.asked.is_none_or(|asked| Instant::now() > probe::until(asked)) {
            return None;
        }
        self.answers.take(reply);
        let wish = if self.answers.keyboard { self.term.kitty_keys() } else { b"" };
        self.send(wish);
        if reports {
            let wish = self.term.scheme_reports();
            self.send(wish);
        }
        self.screen.synchronize(self.answers.synchronized != Some(false));
        let dark = self.answers.darkness().filter(|_| self.answers.darkness() != known)?;
        Some(Event::Ground { dark })
    }

    /// Bytes to the terminal that draw nothing, in their place between two frames.
    fn send(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let _ = self.line.write_all(bytes); // a terminal that is gone shows itself at the next frame
        }
    }

    /// An event to the console, and what it wants done about it.
    async fn tell(&mut self, event: Event, engine: &mut Engine, signals: &mut Signals) {
        if let Event::Resize(width, height) = event {
            self.screen.resize(Rect::new(0, 0, width, height));
        }
        for effect in self.app.update(event) {
            self.carry_out(effect, engine, signals).await;
        }
    }

    async fn carry_out(&mut self, effect: Effect, engine: &mut Engine, signals: &mut Signals) {
        match effect {
            Effect::Quit => self.quit = true,
            Effect::Redraw => {
                self.screen.resize(Term::size());
                self.app.dirty = true;
            }
            Effect::Mouse(on) => {
                let wish = self.term.mouse(on);
                self.send(wish);
            }
            Effect::Suspend => {
                self.hush().await;
                self.term.suspend();
                self.back();
            }
            Effect::Copy(text) => self.copy(text),
            Effect::Ring(text) => {
                // a terminal that is gone hears nothing: the screen says that
                let _ = self.line.write_all(self.settings.ui.ring.bytes(&text, self.term.caps().tmux).as_bytes());
            }
            Effect::CopyText(feed) => {
                let client = engine.client();
                engine.apart(async move {
                    Some(match pipe::gather(client, feed, CLIPBOARD).await {
                        Ok(text) => Event::Gathered(text),
                        Err(problem) => Event::Handed(Err(problem)),
                    })
                });
            }
            Effect::Pipe { serial, command, feed } => {
                let stop = CancellationToken::new();
                self.pipes.push((serial, stop.clone()));
                let (client, results) = (engine.client(), engine.results());
                tokio::spawn(pipe::command(client, serial, command, feed, stop, results));
            }
            Effect::StopPipe(serial) => self.pipes.retain(|(mine, stop)| {
                if *mine == serial {
                    stop.cancel();
                }
                *mine != serial
            }),
            Effect::Search { serial, asked } => {
                let stop = CancellationToken::new();
                if let Some((_, before)) = self.search.replace((serial, stop.clone())) {
                    before.cancel();
                }
                tokio::spawn(past::search(engine.client(), serial, asked, stop, engine.results()));
            }
            Effect::StopSearch(serial) => {
                if let Some((_, stop)) = self.search.take_if(|(mine, _)| *mine == serial) {
                    stop.cancel();
                }
            }
            Effect::Save { path, feed } => {
                let client = engine.client();
                let path = files::named(&path, &self.settings.home);
                tokio::spawn(pipe::save_and_say(client, path, feed, engine.results()));
            }
            Effect::ReadAudit { serial } => {
                let client = engine.client();
                engine.apart(async move {
                    let (text, ended) = pipe::audit(client).await;
                    Some(Event::Piped { serial, text, ended: Some(ended) })
                });
            }
            Effect::Export(wish) => {
                self.export = Some(engine.export(*wish, &self.settings.home, CLIPBOARD));
            }
            Effect::StopExport(serial) => {
                if let Some((_, stop)) = self.export.take_if(|(mine, _)| *mine == serial) {
                    stop.cancel();
                }
            }
            Effect::Pager(feed) => {
                self.hush().await;
                self.term.leave();
                let pager = pipe::pager(engine.client(), self.settings.ui.pager.as_deref(), feed);
                let problem = tokio::select! {
                    problem = pager => problem,
                    () = signals.ended() => {
                        self.quit = true;
                        return;
                    }
                };
                self.back();
                if let Some(problem) = problem {
                    self.app.say(Level::Error, problem);
                }
            }
            Effect::OpenEditor(path) => {
                self.hush().await;
                self.term.leave();
                let command = files::editor(self.settings.ui.editor.as_deref(), &path);
                let problem = tokio::select! {
                    problem = command => problem,
                    () = signals.ended() => {
                        self.quit = true;
                        return;
                    }
                };
                self.back();
                self.app
                    .update(Event::Edited { path, problem })
                    .into_iter()
                    .for_each(|effect| engine.carry_out(effect));
            }
            Effect::SaveExpressions(lines) => {
                let path = files::expressions(&self.settings.paths);
                engine.writing(move || {
                    let error = files::write_lines(&path, &lines).err()?;
                    Some(Event::Unkept { what: "expressions", why: format!("{}: {error}", path.display()) })
                });
            }
            Effect::Keep(kept) => {
                let paths = self.settings.paths.clone();
                engine.writing(move || {
                    let error = files::keep(&paths, &kept).err()?;
                    Some(Event::Unkept {
                        what: "filters, marks, layout",
                        why: format!("{}: {error}", paths.state.display()),
                    })
                });
            }
            Effect::SaveHistory { name, line } => {
                let paths = self.settings.paths.clone();
                engine.writing(move || {
                    let error = files::append_history(&paths, name, &line).err()?;
                    Some(Event::Unkept { what: "history", why: format!("{}: {error}", paths.state.display()) })
                });
            }
            Effect::KeepTheme(name) => engine.writing({
                let settings = self.settings.clone();
                move || {
                    let error = looks::keep_theme(&settings, &name).err()?;
                    Some(Event::Unkept { what: "theme", why: format!("{}: {error}", settings.paths.state.display()) })
                }
            }),
            Effect::KeepKeymap { name, asked } => engine.writing({
                let paths = self.settings.paths.clone();
                move || {
                    let error = looks::keep_keymap(&paths, &name, &asked).err()?;
                    Some(Event::Unkept { what: "keymap", why: format!("{}: {error}", paths.state.display()) })
                }
            }),
            Effect::Colour { name, version, language, text } => engine.blocking(move || {
                let lines = highlight::colour(&name, &language, &text);
                Some(Event::Coloured { version, lines })
            }),
            effect @ (Effect::LoadDrafts | Effect::SaveDraft { .. } | Effect::DropDraft(_)) => {
                engine.drafts.carry_out(effect);
            }
            Effect::LookAt(path) => engine.blocking(move || Some(given::look_at(path))),
            effect => engine.carry_out(effect),
        }
    }

    /// The terminal is ours again; what was typed for someone else is not for us.
    fn back(&mut self) {
        let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
        self.term.resume();
        self.screen.redraw();
        self.app.dirty = true;
    }

    fn copy(&mut self, text: String) {
        if text.len() > CLIPBOARD {
            let long =
                format!("{} bytes are too many for the terminal's clipboard (OSC 52); nothing was copied", text.len());
            self.app.hint = None;
            self.app.say(Level::Warn, long);
            return;
        }
        let mut bytes = Vec::new();
        let copied = crossterm::queue!(bytes, CopyToClipboard::to_clipboard_from(text));
        if let Err(error) = copied.and_then(|()| self.line.write_all(&bytes)) {
            self.app.say(Level::Warn, format!("copying through the terminal failed: {error}"));
        }
    }
}

/// At that moment; never, if there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

async fn after(wait: Option<Duration>) {
    at(wait.map(|wait| Instant::now() + wait)).await;
}

/// What a signal means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Leave cleanly.
    End,
    Resized,
    /// We had been stopped, and go on.
    GoOn,
}

/// The signals that are heard. Interrupt and quit are only taken away from the default, for they reach us
/// while an editor has the terminal.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    window: Signal,
    go_on: Signal,
    _kept: [Signal; 2],
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            window: signal(SignalKind::window_change())?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            _kept: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
        })
    }

    async fn next(&mut self) -> Sign {
        tokio::select! {
            _ = self.hangup.recv() => Sign::End,
            _ = self.terminate.recv() => Sign::End,
            _ = self.window.recv() => Sign::Resized,
            _ = self.go_on.recv() => Sign::GoOn,
        }
    }

    async fn ended(&mut self) {
        while self.next().await != Sign::End {}
    }
}
