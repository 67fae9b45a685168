//! The console's one loop, and the world around `app`: terminal, engine, editor, files. Input first, then results,
//! then timers; a frame at once after input, otherwise at a deadline, and none at all while nothing changes.

mod drafts;
mod engine;
mod files;
mod shelf;

use std::future::poll_fn;
use std::io::{self, Stdout, Write};
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::app::notices::Level;
use super::app::{App, Effect, Event, Place, commands};
use super::editor::highlight;
use super::keymap::Keymap;
use super::term::{Screen, Term};
use super::theme::{Depth, Theme};
use super::ui;
use crate::settings::Settings;
use engine::{Engine, Told};

/// Results taken at one go; more would keep a key waiting.
const BATCH: usize = 64;
/// Results on their way; whoever sends more waits.
const ROOM: usize = 256;
/// What terminals take through OSC 52 (tmux and xterm cut above this).
const CLIPBOARD: usize = 74_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Terminal(io::Error),
    #[error("cannot start the console's loop: {0}")]
    Loop(io::Error),
    #[error("cannot write to the terminal: {0}")]
    Gone(io::Error),
}

/// Shows the console until it is left.
///
/// # Errors
/// There is no terminal, or it went away.
pub fn run(settings: Settings) -> Result<(), Error> {
    let term = Term::enter().map_err(Error::Terminal)?;
    let mut desk = Desk::new(settings, term);
    // The first frame does not wait for anything: not for the engine, not for the loop.
    desk.draw()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Loop)?;
    let done = runtime.block_on(desk.follow());
    let farewell = desk.app.farewell();
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
    screen: Screen<Stdout>,
    settings: Settings,
    drawn: Instant,
    /// Between two frames that no key asked for.
    gap: Duration,
    least_gap: Duration,
    quit: bool,
}

/// What woke the loop.
enum Woken {
    Quit,
    Input(Option<io::Result<TerminalEvent>>),
    Results,
    Frame,
    Clock,
}

impl Desk {
    fn new(settings: Settings, term: Term) -> Self {
        let caps = term.caps();
        let depth = if settings.ui.no_color { Depth::None } else { caps.depth };
        let ascii = settings.ui.ascii.unwrap_or(caps.ascii);
        let folder = settings.paths.config.parent();
        let themes = folder.map(|folder| folder.join("themes"));
        let (theme, mut problems) = Theme::load(&settings.ui.theme, themes.as_deref(), depth, ascii);
        let own = folder.map(|folder| folder.join("keymap.toml"));
        let text = match own.as_ref().map(std::fs::read_to_string) {
            Some(Ok(text)) => Some(text),
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                problems.push(format!(
                    "{}: cannot be read: {error}",
                    own.as_ref().map_or_else(String::new, |p| p.display().to_string())
                ));
                None
            }
            _ => None,
        };
        let user = own.as_deref().zip(text.as_deref());
        let (keymap, wrong) = Keymap::load(&settings.ui.keymap, user, &commands::known);
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
            config: shown(&settings.paths.config),
            log: shown(&settings.paths.engine_log()),
            terminal: format!("{}{colours}", if caps.tmux { "tmux, " } else { "" }),
            zone: TimeZone::system(),
        };
        let area = Term::size();
        let mut app = App::new(theme, keymap, place, (area.width, area.height), Timestamp::now());
        for problem in settings.problems.iter().chain(&problems) {
            app.say(Level::Warn, problem.clone());
        }
        // Fewer frames over a network line.
        let fps = u64::from(settings.ui.fps.clamp(1, 30)).min(if caps.ssh { 10 } else { 30 });
        let least_gap = Duration::from_millis(1000 / fps);
        let screen = Screen::new(io::stdout(), area, depth).ascii(ascii);
        Self { app, term, screen, settings, drawn: Instant::now(), gap: least_gap, least_gap, quit: false }
    }

    fn draw(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let app = &self.app;
        self.screen.draw(|area, buf| ui::draw(app, area, buf)).map_err(Error::Gone)?;
        self.app.dirty = false;
        self.drawn = Instant::now();
        // A terminal that drains slowly gets fewer frames, so that keys are not stuck behind them.
        self.gap = self.least_gap.max((self.drawn - started) * 4).min(Duration::from_secs(1));
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Error> {
        let (results, mut told) = mpsc::channel::<Told>(ROOM);
        let mut engine = Engine::new(self.settings.paths.clone(), results);
        let mut signals = Signals::new().map_err(Error::Loop)?;
        let mut input = None;
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
        let mut batch: Vec<Told> = Vec::with_capacity(BATCH);
        while !self.quit {
            let frame = self.app.dirty.then(|| self.drawn + self.gap);
            let clock = self.app.wake().map(|at| at.duration_since(Timestamp::now()).unsigned_abs());
            if input.is_none() {
                input = Some(EventStream::new());
                // Nobody told of changes while nobody listened.
                let area = Term::size();
                if area != self.app.area {
                    let resized = Event::Resize(area.width, area.height);
                    self.tell(resized, &mut engine, &mut input, &mut signals).await;
                }
            }
            let stream = input.get_or_insert_with(EventStream::new);
            let woken = tokio::select! {
                biased;
                () = signals.ended() => Woken::Quit,
                event = stream.next() => Woken::Input(event),
                n = told.recv_many(&mut batch, BATCH) => if n == 0 { Woken::Quit } else { Woken::Results },
                () = at(frame) => Woken::Frame,
                () = after(clock) => Woken::Clock,
            };
            let mut events = vec![Event::Tick(Timestamp::now())];
            let by_key = matches!(woken, Woken::Input(_));
            match woken {
                Woken::Quit => break,
                Woken::Input(None | Some(Err(_))) => break, // The terminal is gone; jobs go on.
                Woken::Input(Some(Ok(event))) => {
                    events.extend(taken(event));
                    // What was typed meanwhile belongs to the same frame.
                    while events.len() < BATCH
                        && let Poll::Ready(Some(Ok(event))) = already(stream).await
                    {
                        events.extend(taken(event));
                    }
                }
                Woken::Results => events.extend(batch.drain(..).filter_map(|told| engine.take(told))),
                Woken::Frame | Woken::Clock => {}
            }
            for event in events {
                self.tell(event, &mut engine, &mut input, &mut signals).await;
            }
            let due = self.drawn.elapsed() >= self.gap;
            if self.app.dirty && !self.quit && (by_key || due) {
                self.draw()?;
            }
        }
        engine.leave();
        Ok(())
    }

    /// An event to the console, and what it wants done about it.
    async fn tell(
        &mut self,
        event: Event,
        engine: &mut Engine,
        input: &mut Option<EventStream>,
        signals: &mut Signals,
    ) {
        if let Event::Resize(width, height) = event {
            self.screen.resize(Rect::new(0, 0, width, height));
        }
        for effect in self.app.update(event) {
            self.carry_out(effect, engine, input, signals).await;
        }
    }

    async fn carry_out(
        &mut self,
        effect: Effect,
        engine: &mut Engine,
        input: &mut Option<EventStream>,
        signals: &mut Signals,
    ) {
        match effect {
            Effect::Quit => self.quit = true,
            Effect::Redraw => {
                self.screen.resize(Term::size());
                self.app.dirty = true;
            }
            Effect::Suspend => {
                *input = None;
                self.term.suspend();
                self.back();
            }
            Effect::Copy(text) => self.copy(text),
            Effect::OpenEditor(path) => {
                *input = None;
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
                engine.blocking(move || {
                    let error = files::write_lines(&path, &lines).err()?;
                    Some(Event::Unkept { what: "expressions", why: format!("{}: {error}", path.display()) })
                });
            }
            Effect::SaveHistory { name, line } => {
                let paths = self.settings.paths.clone();
                engine.blocking(move || {
                    let error = files::append_history(&paths, name, &line).err()?;
                    Some(Event::Unkept { what: "history", why: format!("{}: {error}", paths.state.display()) })
                });
            }
            Effect::LoadTheme(name) => engine.blocking({
                let themes = self.settings.paths.config.with_file_name("themes");
                let (depth, ascii) = (self.app.theme.depth, self.app.theme.glyphs.ascii);
                move || {
                    let (theme, problems) = Theme::load(&name, Some(&themes), depth, ascii);
                    Some(Event::Theme(Box::new(theme), problems))
                }
            }),
            Effect::LoadKeymap(name) => engine.blocking({
                let own = self.settings.paths.config.with_file_name("keymap.toml");
                move || {
                    let text = std::fs::read_to_string(&own).ok();
                    let user = text.as_deref().map(|text| (own.as_path(), text));
                    let (keymap, problems) = Keymap::load(&name, user, &commands::known);
                    Some(Event::Keymap(name, Box::new(keymap), problems))
                }
            }),
            effect @ (Effect::LoadDrafts | Effect::SaveDraft { .. } | Effect::DropDraft(_)) => {
                engine.drafts.carry_out(effect);
            }
            Effect::Colour { version, language, text } => engine.blocking(move || {
                let lines = highlight::colour(&language, &text);
                Some(Event::Coloured { version, lines })
            }),
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
        if let Err(error) = crossterm::execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text)) {
            self.app.say(Level::Warn, format!("copying through the terminal failed: {error}"));
        }
    }
}

/// A terminal's event as the console takes it; mouse and releases are nothing to it.
fn taken(event: TerminalEvent) -> Option<Event> {
    Some(match event {
        TerminalEvent::Key(key) => Event::Key(key),
        TerminalEvent::Paste(text) => Event::Paste(text),
        TerminalEvent::Resize(width, height) => Event::Resize(width, height),
        TerminalEvent::FocusGained => Event::Focus(true),
        TerminalEvent::FocusLost => Event::Focus(false),
        TerminalEvent::Mouse(_) => return None,
    })
}

/// What the stream has now. Asked with this task's own waker: the stream keeps the one it was asked with last, and
/// with any other (`now_or_never`) the next key would wake nobody.
async fn already<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    poll_fn(|context| Poll::Ready(stream.poll_next_unpin(context))).await
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

/// Signals that mean: leave cleanly. Interrupt and quit are only taken away from the default, for they reach us
/// while an editor has the terminal.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    _kept: [Signal; 2],
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            _kept: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
        })
    }

    async fn ended(&mut self) {
        tokio::select! {
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
