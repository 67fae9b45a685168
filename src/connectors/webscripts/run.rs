//! One run on a server: it is launched, and where the server hands out its output as it comes, that is asked for until
//! the end (contract A4 and A5). A launch is never repeated, since a server that failed may have run it; an answer is
//! never given up half way, since its line is lost with it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::answer::{self, Told};
use super::arguments;
use super::door::{Ask, Broken, OUTPUT_LIMIT, Reply, encoded};
use super::ending::{Meaning, lost, meaning, unknown};
use super::server::{Server, Turn};
use super::session::Denied;
use crate::connectors::{Order, Outcome, RunSink};
use crate::model::output::Stream;
use crate::model::script::remote;
use crate::model::state::RunState;

/// Waiting is told when it has lasted so long.
const TELL: Duration = Duration::from_secs(2);

/// After an answer that brought nothing: the script has closed its output and works on, or is about to end.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// Between two tries to reach a server that is gone, or has shut us out.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(10);

/// A launch that cannot be sent is given up after so long, output that cannot be asked for after longer.
const LAUNCH_PATIENCE: Duration = Duration::from_secs(120);
const TAIL_PATIENCE: Duration = Duration::from_secs(900);

/// Everything up to the launch.
struct Prepared {
    turn: Turn,
    ask: Ask,
    _place: Option<OwnedSemaphorePermit>,
}

pub async fn run(server: Arc<Server>, order: Order, mut sink: Box<dyn RunSink>) -> Outcome {
    let mut teller = Teller { sink: sink.as_mut(), broken: false };
    let prepared = tokio::select! {
        prepared = prepare(&server, &order, &mut teller) => prepared,
        () = order.cancel.cancelled() => {
            return Outcome::because(RunState::Cancelled, "withdrawn before it started");
        }
    };
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(outcome) => return outcome,
    };
    teller.sink.started();
    let deadline = order.timeout.map(|limit| Instant::now() + limit);
    tokio::select! {
        outcome = attend(&server, prepared, &mut teller) => outcome,
        () = order.cancel.cancelled() => left(&mut teller, RunState::Cancelled, "not watched any longer"),
        () = until(deadline) => left(&mut teller, RunState::Timeout, "ran longer than allowed, and is not watched any longer"),
    }
}

fn left(teller: &mut Teller<'_>, state: RunState, why: &str) -> Outcome {
    let why = format!("{why}: WebScripts cannot stop a script, which goes on on the server");
    teller.say(&why);
    Outcome::because(state, why)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Where output goes, and what is said beside it.
struct Teller<'a> {
    sink: &'a mut dyn RunSink,
    /// Output could not be kept: no more is asked for.
    broken: bool,
}

impl Teller<'_> {
    fn say(&mut self, text: &str) {
        // (what cannot be kept is told by the run's end)
        let _ = self.sink.output(Stream::Meta, format!("{text}\n").as_bytes());
    }

    fn keep(&mut self, stream: Stream, text: &str) {
        if !text.is_empty() && !self.broken {
            let kept: io::Result<()> = self.sink.output(stream, text.as_bytes());
            self.broken = kept.is_err();
        }
    }

    /// Waits; and says what for, once, when it takes long.
    async fn wait<T>(&mut self, what: impl Future<Output = T>, says: impl FnOnce() -> String) -> T {
        let mut what = std::pin::pin!(what);
        if let Ok(done) = timeout(TELL, &mut what).await {
            return done;
        }
        self.say(&says());
        what.await
    }
}

/// Longer and longer waits, up to a limit in all.
struct Patience {
    began: Instant,
    next: Duration,
    most: Duration,
}

impl Patience {
    fn new(most: Duration) -> Self {
        Self { began: Instant::now(), next: AGAIN, most }
    }

    /// `false`: it has taken too long.
    async fn wait(&mut self) -> bool {
        if self.began.elapsed() >= self.most {
            return false;
        }
        sleep(self.next).await;
        self.next = (self.next * 2).min(AGAIN_MOST);
        true
    }
}

/// Logged in, with the job's leave and the server's turn: from here on the script is on its way.
async fn prepare(server: &Arc<Server>, order: &Order, teller: &mut Teller<'_>) -> Result<Prepared, Outcome> {
    let Some((_, script)) = remote::split(&order.script.name) else {
        let why = "a WebScripts server runs its own scripts alone";
        return Err(Outcome::refused(format!("{}: {why}", order.script.name)));
    };
    let body = arguments::body(&order.arguments).map_err(Outcome::refused)?;
    let ask = Ask::post(format!("/api/scripts/{}", encoded(script)), body, OUTPUT_LIMIT);
    let known = server.known().await.map_err(Outcome::refused)?;
    let Some(here) = known.iter().find(|known| remote::split(&known.name).is_some_and(|(_, name)| name == script))
    else {
        let name = &server.name;
        return Err(Outcome::refused(format!(
            "{name} has no script {script}, or {} may not run it",
            server.session.whom()
        )));
    };
    let unknown = order.arguments.iter().find(|argument| here.params.iter().all(|param| param.name != argument.name));
    if let Some(argument) = unknown {
        // on a group of servers, the script of that name need not be the same everywhere
        let (name, argument) = (&server.name, &argument.name);
        return Err(Outcome::refused(format!(
            "{script} on {name} has no parameter '{argument}': it is another script there"
        )));
    }
    let mut patience = Patience::new(LAUNCH_PATIENCE);
    while let Err(denied) = server.log_in().await {
        refusal(server, &denied, &mut patience, teller).await?;
    }
    let place = order.gate.place().await;
    loop {
        order.gate.opened().await;
        let one_at_a_time = || format!("waits for its turn: {} is at work on something else of ours", server.name);
        let turn = teller.wait(server.turn(), one_at_a_time).await;
        if order.gate.pass_now() {
            return Ok(Prepared { turn, ask, _place: place });
        }
    }
}

/// Waits where that may help; else how the run ends, which was not sent.
async fn refusal(
    server: &Server,
    denied: &Denied,
    patience: &mut Patience,
    teller: &mut Teller<'_>,
) -> Result<(), Outcome> {
    let why = server.says(denied);
    match denied {
        Denied::Refused(_) => Err(Outcome::refused(why)),
        Denied::Broken(Broken::Unreachable(_)) => Err(Outcome::because(RunState::Offline, why)),
        Denied::Broken(_) => Err(Outcome::because(RunState::Offline, format!("{why}; nothing was sent"))),
        Denied::Wait(left) => {
            teller.say(&why);
            sleep(*left).await;
            Ok(())
        }
        Denied::Banned => {
            teller.say(&format!("{why}; tried again"));
            let again = patience.wait().await;
            if again { Ok(()) } else { Err(Outcome::refused(format!("{why}; nothing was sent"))) }
        }
    }
}

async fn attend(server: &Arc<Server>, prepared: Prepared, teller: &mut Teller<'_>) -> Outcome {
    let Prepared { turn, ask, _place } = prepared;
    let large = ask.body.as_ref().is_some_and(|body| body.len() > 64 << 10);
    let mut patience = Patience::new(LAUNCH_PATIENCE);
    let mut turn = Some(turn);
    loop {
        let mine = match turn.take() {
            Some(turn) => turn,
            None => server.turn().await,
        };
        let waiting = || {
            "waits for the server: unless a script prints in real time, its output comes when it has ended".to_owned()
        };
        let denied = match teller.wait(server.call(mine, ask.clone()), waiting).await {
            Ok(reply) => {
                return match launched(server, &reply) {
                    Ok(told) => follow(server, told, teller).await,
                    Err(outcome) => outcome,
                };
            }
            Err(denied) => denied,
        };
        match &denied {
            Denied::Broken(Broken::Cut(_)) => {
                let early = if large { "; it may also have refused so large a request before reading it" } else { "" };
                let why = server.says(&denied);
                return unknown(&format!("{why}, after the script was asked for; it may have been run{early}"));
            }
            Denied::Broken(Broken::TooLarge(_)) => {
                return unknown(&format!(
                    "{}, and WebScripts hands it out in one piece: it was not kept",
                    server.says(&denied)
                ));
            }
            _ => {
                if let Err(outcome) = refusal(server, &denied, &mut patience, teller).await {
                    return outcome;
                }
            }
        }
    }
}

/// The answer to a launch.
fn launched(server: &Server, reply: &Reply) -> Result<Told, Outcome> {
    let url = &server.settings.url;
    match reply.status {
        200 => {
            answer::told(&reply.body).map_err(|why| unknown(&format!("{url} gave no answer that can be read ({why})")))
        }
        403 => Err(Outcome::refused(format!("{url}: {} has no right to run it (403)", server.session.whom()))),
        404 => Err(Outcome::refused(format!(
            "{url}: the server knows no such script (404); its list is read again by a reload"
        ))),
        500 => Err(unknown(&format!(
            "{url}: the server failed (500): the script cannot be started there (not executable, no `launcher`), or an \
             argument was more than it can pass on; it may have been run all the same"
        ))),
        status => Err(unknown(&format!("{url}: the server answered the launch with {status}"))),
    }
}

/// Keeps what an answer brought, and asks for more until the end.
async fn follow(server: &Arc<Server>, first: Told, teller: &mut Teller<'_>) -> Outcome {
    let mut told = first;
    let mut polled = false;
    let mut pause = PAUSE;
    loop {
        let empty = told.stdout.is_empty();
        teller.keep(Stream::Out, &told.stdout);
        if teller.broken {
            // the engine says why
            return unknown("its output could not be kept, and is not asked for any more");
        }
        if let Meaning::Ended(outcome) = meaning(&told, polled) {
            if !told.stderr.is_empty() {
                teller.say("stderr, which the server hands over at the end: where among the lines above it belongs is not known");
                teller.keep(Stream::Err, &told.stderr);
            }
            return outcome;
        }
        teller.keep(Stream::Err, &told.stderr); // (no server that we know says any before the end)
        if polled && empty {
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MOST);
        } else {
            pause = PAUSE;
        }
        told = match poll(server, &told.key, teller).await {
            Ok(told) => told,
            Err(outcome) => return outcome,
        };
        polled = true;
    }
}

/// The next piece of output. `Err`: there will be none, and why.
async fn poll(server: &Arc<Server>, key: &str, teller: &mut Teller<'_>) -> Result<Told, Outcome> {
    let ask = Ask::get(format!("/api/script/get/{}", encoded(key)), OUTPUT_LIMIT);
    let logins = server.session.logins();
    let mut patience = Patience::new(TAIL_PATIENCE);
    let mut away: Option<Instant> = None;
    loop {
        let denied = match server.call(server.turn().await, ask.clone()).await {
            Ok(reply) if reply.status == 200 => {
                return answer::told(&reply.body)
                    .map_err(|why| unknown(&format!("lost: the server gave an answer that cannot be read ({why})")));
            }
            Ok(reply) => {
                let away = away.map(|since| since.elapsed().as_secs());
                return Err(lost(reply.status, away, server.session.logins() != logins));
            }
            Err(denied) => denied,
        };
        let why = server.says(&denied);
        let first = away.is_none();
        away.get_or_insert_with(Instant::now);
        match &denied {
            Denied::Refused(_) => return Err(unknown(&format!("lost: it cannot be asked for any more: {why}"))),
            Denied::Broken(Broken::TooLarge(_)) => {
                return Err(unknown(&format!("{why}: it was not kept, and the end is lost with it")));
            }
            Denied::Wait(left) => {
                teller.say(&why);
                sleep(*left).await;
                continue;
            }
            Denied::Broken(Broken::Cut(_)) => teller.say(&format!("{why}: a line may be missing here; asked again")),
            Denied::Broken(Broken::Unreachable(_)) | Denied::Banned if first => {
                teller.say(&format!("{why}; asked again until it answers"));
            }
            Denied::Broken(Broken::Unreachable(_)) | Denied::Banned => {}
        }
        if !patience.wait().await {
            return Err(unknown(&format!("lost: {why}, for {} s", TAIL_PATIENCE.as_secs())));
        }
    }
}
