//! The engine's doors: HTTP and server-sent events on a unix socket that belongs to this user alone.
//!
//! One path for everybody: what the console shows is what `curl --unix-socket` shows.

mod afterwork;
mod audit;
mod caller;
mod hooks;
mod listen;
pub mod mdm;
mod openapi;
mod past;
mod routes;
mod saved;
mod shelf;
mod tcp;
mod templates;
mod tokens;
mod triage;
mod ways;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_appender::non_blocking::NonBlockingBuilder;

use crate::engine::store::StoreError;
use crate::engine::{Engine, Guard, guard, open_files};
use crate::settings::{Settings, own_program};

/// The argument with which this program is an engine's guard.
pub const GUARD: &str = "guard";

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not a failure for somebody who only wants an engine to be there.
    #[error(
        "an engine already runs here{}: `serve --replace` with the same options ends it and takes its place; an `address` \
         in [listen] of the configuration opens a door on the network as soon as no job runs",
        .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    AlreadyRuns { pid: Option<u32> },
    #[error("cannot use {path}: {error}")]
    Path { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Listen(String),
    #[error("cannot start: {0}")]
    Start(io::Error),
}

/// Runs the engine until it is told to end or has nothing to do. `background`: leave the terminal's session first.
/// `up` is called when it listens, with its address on the network if it has one.
pub fn serve(settings: Settings, background: bool, up: impl FnOnce(Option<&str>)) -> Result<(), ServeError> {
    if background {
        // fails only for a process group leader, which then is out of the terminal's group already
        let _ = rustix::process::setsid();
    }
    // everything made from here on is this user's alone
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let state = &settings.paths.state;
    std::fs::create_dir_all(state).map_err(|error| ServeError::Path { path: state.clone(), error })?;
    let lock = lock(&settings)?;
    make_room(&lock);
    let _log = log_to(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // one thread carries the fan-out at the price of one; a second only adds cost
        .worker_threads(1)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    let result = runtime.block_on(run(settings, background, up));
    // a stuck read of a dead disk must not keep the process
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Ends what an engine that was killed has left running here; says nothing and cannot fail.
pub fn keep_guard() {
    guard::keep();
}

/// Lets the table of open files grow to its size now. Later, with threads, the kernel would hold up the whole process
/// for each of its doublings (20 ms and more), in the middle of a fan-out.
fn make_room(file: &File) {
    let last = i32::try_from(open_files()).unwrap_or(1024) - 1;
    // where fewer are allowed it grows as it must
    let _ = rustix::io::fcntl_dupfd_cloexec(file, last);
}

/// One engine a state folder: the loser of a race learns who won.
fn lock(settings: &Settings) -> Result<File, ServeError> {
    let path = settings.paths.state.join("engine.lock");
    let fail = |error| ServeError::Path { path: path.clone(), error };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            return Err(ServeError::AlreadyRuns { pid });
        }
        Err(TryLockError::Error(error)) => return Err(fail(error)),
    }
    file.set_len(0).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(file)
}

/// Into the file that has what an engine in the background says otherwise.
fn log_to(settings: &Settings) -> Option<tracing_appender::non_blocking::WorkerGuard> {
    let file = OpenOptions::new().create(true).append(true).open(settings.paths.engine_log()).ok()?;
    // the default is room for 128,000 lines, 4 MB of it
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(1024).finish(file);
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .try_init()
        .ok()
        .map(|()| guard)
}

async fn run(settings: Settings, background: bool, up: impl FnOnce(Option<&str>)) -> Result<(), ServeError> {
    let guard = own_program().map_or_else(|_| Guard::none(), |program| Guard::by(program, GUARD));
    let engine = Engine::open(&settings, guard).await?;
    let door = door(&settings, &engine, background).await?;
    let url = door.as_ref().map(|door| door.url.clone());
    let sockets = settings.paths.sockets();
    let listener = listen::bind(&sockets).map_err(|(path, error)| ServeError::Path { path, error })?;
    let (stop, mut stopping) = watch::channel(false);
    let stop = Arc::new(stop);
    let app = routes::router(Arc::clone(&engine), Arc::clone(&stop), &settings, url.clone());
    tokio::spawn(end_on_signal(Arc::clone(&stop)));
    let answering = door.map(|door| {
        let (app, engine, state, stopping) =
            (app.clone(), Arc::clone(&engine), settings.paths.state.clone(), stopping.clone());
        tokio::spawn(async move { door.answer(app, engine, &state, stopping).await })
    });
    // whoever comes over the network cannot start an engine
    if answering.is_none() {
        tokio::spawn(end_when_idle(Arc::clone(&engine), Arc::clone(&stop)));
    }
    tracing::info!(pid = std::process::id(), socket = %settings.paths.socket.display(), url, "engine up");
    up(url.as_deref());
    let served = axum::serve(listener, app);
    tokio::select! {
        result = async { served.await } => result.map_err(ServeError::Start)?,
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    // nobody new comes in while the jobs end
    listen::remove(&sockets);
    if let Some(answering) = answering {
        let _ = answering.await;
    }
    engine.shutdown().await;
    tracing::info!("engine down");
    Ok(())
}

/// The door on the network, where one is wanted. That it cannot be opened ends whoever runs an engine for it; one in the
/// background, which consoles want, says so and does without.
async fn door(settings: &Settings, engine: &Engine, background: bool) -> Result<Option<tcp::Door>, ServeError> {
    let Some(how) = &settings.listen else { return Ok(None) };
    match tcp::Door::open(how).await {
        Ok(door) => Ok(Some(door)),
        Err(why) if background => {
            tracing::error!(why, "the network");
            engine.notice(format!("other programs cannot come in: {why}"));
            Ok(None)
        }
        Err(why) => Err(ServeError::Listen(why)),
    }
}

async fn end_on_signal(stop: Arc<watch::Sender<bool>>) {
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            // the terminal it was started from is gone: no reason to end
            _ = hup.recv() => {}
        }
    }
    stop.send_replace(true);
}

async fn end_when_idle(engine: Arc<Engine>, stop: Arc<watch::Sender<bool>>) {
    loop {
        let left = engine.idle_left();
        if left.is_zero() {
            tracing::info!("nothing to do");
            stop.send_replace(true);
            return;
        }
        tokio::time::sleep(left).await;
    }
}
