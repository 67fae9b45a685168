//! The console's side of the engine: each effect becomes a task that ends in one event; the event stream is
//! followed, and found again when it is lost.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::drafts::Drafts;
use super::given::{read_output, with_files};
use super::{export, files};
use crate::client::{Asked, Client, ClientError};
use crate::console::app::export::{Goal, Wish};
use crate::console::app::hold::Turn;
use crate::console::app::saving::Saving;
use crate::console::app::{Ask, Effect, Event};
use crate::model::wire::{Cancel, Code, Launch, Problem};
use crate::settings::Paths;

/// Jobs in the list.
const JOBS: usize = 1000;
/// Between two tries to find a lost engine.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Between two looks whether the jobs that keep an outdated engine have ended.
const OUTDATED_PAUSE: Duration = Duration::from_secs(2);
/// Between two looks how far the bringing-in of past jobs is.
const IMPORT_PAUSE: Duration = Duration::from_millis(500);
/// A disk that takes longer for a line keeps nobody from leaving.
const LONGEST_WRITE: Duration = Duration::from_secs(2);

/// What a task brings back.
pub enum Told {
    Event(Box<Event>),
    /// The engine answers; from now on it is asked through this.
    Client(Client),
}

pub struct Engine {
    paths: crate::settings::Paths,
    results: Sender<Told>,
    client: Option<Client>,
    /// Ends every task of this connection.
    tasks: CancellationToken,
    /// Ends everything.
    all: CancellationToken,
    /// What is being written for the next console.
    writes: TaskTracker,
    /// Drafts are written whether there is an engine or not.
    pub drafts: Drafts,
    /// Something in the configuration's folder was edited.
    edited: Arc<Notify>,
}

impl Engine {
    pub fn new(paths: Paths, results: Sender<Told>) -> Self {
        let all = CancellationToken::new();
        let drafts = Drafts::start(paths.state.join("drafts"), results.clone());
        Self {
            paths,
            results,
            client: None,
            tasks: all.child_token(),
            all,
            writes: TaskTracker::new(),
            drafts,
            edited: Arc::default(),
        }
    }

    /// Rung when something in the configuration's folder was edited.
    pub fn edited(&self) -> Arc<Notify> {
        Arc::clone(&self.edited)
    }

    /// Takes what belongs here and passes on what belongs to the console.
    pub fn take(&mut self, told: Told) -> Option<Event> {
        match told {
            Told::Event(event) => {
                if matches!(*event, Event::Lost { .. }) {
                    // Its answers will not come, or not matter.
                    self.client = None;
                    self.tasks.cancel();
                    self.tasks = self.all.child_token();
                }
                Some(*event)
            }
            Told::Client(client) => {
                self.client = Some(client);
                None
            }
        }
    }

    pub fn client(&self) -> Option<Client> {
        self.client.clone()
    }

    pub fn results(&self) -> Sender<Told> {
        self.results.clone()
    }

    /// A task of its own that ends in one event.
    pub fn apart(&self, task: impl Future<Output = Option<Event>> + Send + 'static) {
        let results = self.results.clone();
        self.spawn(async move {
            if let Some(event) = task.await {
                let _ = results.send(Told::Event(Box::new(event))).await;
            }
        });
    }

    /// Nothing more is asked or awaited, but what is being written is written.
    pub async fn leave(&self) {
        self.all.cancel();
        self.writes.close();
        let _ = tokio::time::timeout(LONGEST_WRITE, self.writes.wait()).await;
    }

    /// Finds or starts the engine and follows its events, for as long as the console runs.
    pub fn attach(&self) {
        let (paths, results) = (self.paths.clone(), self.results.clone());
        let (all, edited) = (self.all.clone(), self.edited());
        tokio::spawn(async move {
            let _ = all.run_until_cancelled(follow(paths, results, edited)).await;
        });
    }

    /// Work that would hold up the loop: files, colours.
    pub fn blocking(&self, work: impl FnOnce() -> Option<Event> + Send + 'static) {
        let results = self.results.clone();
        self.spawn(async move {
            if let Ok(Some(event)) = tokio::task::spawn_blocking(work).await {
                let _ = results.send(Told::Event(Box::new(event))).await;
            }
        });
    }

    /// The same for what the next console shall find: it is not given up when this one is left.
    pub fn writing(&self, work: impl FnOnce() -> Option<Event> + Send + 'static) {
        let results = self.results.clone();
        let done = self.writes.spawn_blocking(work);
        self.spawn(async move {
            if let Ok(Some(event)) = done.await {
                let _ = results.send(Told::Event(Box::new(event))).await;
            }
        });
    }

    /// Writes a report, on a thread of its own; tells how it is stopped. A console that is left waits until it is given up.
    pub fn export(&self, wish: Wish, home: &Path, most: usize) -> (u64, CancellationToken) {
        let path = match &wish.goal {
            Goal::File { path, .. } => {
                let named = files::named(path, home);
                // told whole when it is done
                std::path::absolute(&named).unwrap_or(named)
            }
            Goal::Clipboard => PathBuf::new(),
        };
        let (serial, stop) = (wish.serial, self.all.child_token());
        let (client, results, stopped) = (self.client.clone(), self.results.clone(), stop.clone());
        let here = tokio::runtime::Handle::current();
        self.writes.spawn_blocking(move || {
            here.block_on(async {
                let done = export::export(client, &wish, path, most, &results);
                if let Some(done) = stopped.run_until_cancelled(done).await {
                    let _ = results.send(Told::Event(Box::new(Event::Exported { serial, done }))).await;
                }
            });
        });
        (serial, stop)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let token = self.tasks.clone();
        tokio::spawn(async move {
            let _ = token.run_until_cancelled(task).await;
        });
    }

    pub fn carry_out(&self, effect: Effect) {
        if effect == Effect::Attach {
            return self.attach();
        }
        let (client, results) = (self.client.clone(), self.results.clone());
        self.spawn(async move {
            if let Some(event) = ask(client, effect).await {
                let _ = results.send(Told::Event(Box::new(event))).await;
            }
        });
    }
}

/// One question, one event.
async fn ask(client: Option<Client>, effect: Effect) -> Option<Event> {
    let client =
        client.ok_or_else(|| Problem { code: Code::Internal, error: "no engine answers".into(), column: None });
    macro_rules! call {
        ($client:ident, $call:expr) => {
            match &client {
                Ok($client) => $call.await.map_err(problem),
                Err(missing) => Err(missing.clone()),
            }
        };
    }
    Some(match effect {
        Effect::LoadTargets => Event::Targets(call!(client, client.targets())),
        Effect::LoadLibrary => Event::Library(call!(client, client.library())),
        Effect::LoadJobs => Event::Jobs(call!(client, client.jobs(JOBS))),
        Effect::LoadJob(id) => Event::Job(id, Box::new(call!(client, client.job(id)))),
        Effect::LoadGroups { job, exact, base } => {
            let answer = Box::new(call!(client, client.groups_beside(job, exact, base)));
            Event::Groups { job, exact, base, answer }
        }
        Effect::CompareOutputs(question) => {
            let asked = &question;
            let answer = call!(client, client.diff(asked.job, &asked.left, &asked.right, asked.masked));
            Event::OutputsCompared { question, answer: Box::new(answer) }
        }
        Effect::CompareJobs { job, other } => {
            let answer = call!(client, client.against(job, other));
            Event::JobsCompared { job, other, answer: Box::new(answer) }
        }
        Effect::Foresee { job, what } => {
            let answer = call!(client, client.foresee(job, &what));
            Event::Foreseen { job, what, answer }
        }
        Effect::Regroup { job, what } => Event::Regrouped { job, answer: call!(client, client.regroup(job, &what)) },
        Effect::LoadMasking { job, signature } => {
            let answer = call!(client, client.masking(job, &signature));
            Event::MaskingRead { job, signature, answer }
        }
        Effect::SetRules(rules) => Event::Ruled(call!(client, client.set_rules(&rules))),
        Effect::SaveTarget { target, replace } => {
            let name = target.name.clone();
            let answer = call!(client, client.save_target(target.clone(), replace)).map(|()| Saving::Saved);
            Event::TargetSaved { name, answer }
        }
        Effect::ForgetTarget(name) => {
            let answer = call!(client, client.forget_target(&name)).map(|()| Saving::Forgotten);
            Event::TargetSaved { name, answer }
        }
        Effect::Remark { subject, remark } => Event::Remarked(call!(client, client.remark(&subject, &remark))),
        Effect::Import { connection, begun } => {
            if begun {
                tokio::time::sleep(IMPORT_PAUSE).await;
            }
            let answer = match begun {
                true => call!(client, client.imported(&connection)),
                false => call!(client, client.import(&connection)),
            };
            Event::Imported { connection, answer }
        }
        Effect::LoadRemarks => Event::JobsRemarked(call!(client, client.remarked_jobs())),
        Effect::LoadScript(name) => {
            let answer = call!(client, client.script(&name));
            Event::Script(name, Box::new(answer))
        }
        Effect::Lines(ask) => {
            let window = lines(&client, &ask).await;
            Event::Lines { ask, window }
        }
        Effect::Resolve(expr) => {
            let answer = call!(client, client.resolve(&expr));
            Event::Resolved { expr, answer }
        }
        Effect::Plan { serial, request, files } => {
            let answer = match with_files(*request, files).await {
                Ok(request) => call!(client, client.plan(&request)),
                Err(problem) => Err(problem),
            };
            Event::Planned { serial, answer: Box::new(answer) }
        }
        Effect::Answer { question, value } => {
            let answer = call!(client, client.answer(&question, &value));
            Event::Answered { question, answer }
        }
        Effect::Launch { plan, confirm } => {
            let launch = Launch { plan, confirm };
            Event::Launched { answer: Box::new(call!(client, client.launch(&launch))) }
        }
        Effect::Cancel { job, devices, stop } => {
            let what = Cancel { devices, stop };
            Event::Cancelled { job, answer: call!(client, client.cancel(job, &what)) }
        }
        Effect::Turn { job, turn } => {
            let answer = match turn {
                Turn::Pause => call!(client, client.pause(job)),
                Turn::Resume { anyway } => call!(client, client.resume(job, anyway)),
                Turn::Approve(ring) => call!(client, client.approve(job, Some(ring))),
            };
            Event::Turned { job, answer: Box::new(answer) }
        }
        effect @ (Effect::OpenScript(_)
        | Effect::SaveScript { .. }
        | Effect::RenameScript { .. }
        | Effect::DeleteScript { .. }
        | Effect::Undelete(_)
        | Effect::LoadTrash
        | Effect::LoadVersions(_)
        | Effect::LoadVersion { .. }
        | Effect::RestoreVersion { .. }
        | Effect::LoadTemplates
        | Effect::KeepTemplate { .. }
        | Effect::ForgetTemplate(_)
        | Effect::Compare { .. }
        | Effect::LintText { .. }) => {
            return super::shelf::ask(client, effect).await;
        }
        Effect::ReadOutput { serial, output } => {
            let client = client.map_err(|problem| problem.error);
            Event::Document { serial, answer: Box::new(read_output(client, &output).await) }
        }
        Effect::Attach
        | Effect::LookAt(_)
        | Effect::LoadDrafts
        | Effect::SaveDraft { .. }
        | Effect::DropDraft(_)
        | Effect::Colour { .. }
        | Effect::SaveExpressions(_)
        | Effect::Keep(_)
        | Effect::KeepTheme(_)
        | Effect::KeepKeymap { .. }
        | Effect::SaveHistory { .. }
        | Effect::OpenEditor(_)
        | Effect::Copy(_)
        | Effect::Ring(_)
        | Effect::CopyText(_)
        | Effect::Pipe { .. }
        | Effect::StopPipe(_)
        | Effect::Search { .. }
        | Effect::StopSearch(_)
        | Effect::Pager(_)
        | Effect::Save { .. }
        | Effect::Export(_)
        | Effect::ReadAudit { .. }
        | Effect::StopExport(_)
        | Effect::Suspend
        | Effect::Redraw
        | Effect::Mouse(_)
        | Effect::Quit => return None,
    })
}

async fn lines(client: &Result<Client, Problem>, ask: &Ask) -> Result<crate::model::output::Window, Problem> {
    let client = client.as_ref().map_err(Problem::clone)?;
    let asked = Asked {
        job: ask.job,
        run: ask.run,
        which: ask.which,
        seek: ask.seek,
        before: ask.before,
        count: ask.count,
        pattern: ask.pattern.as_ref(),
    };
    client.window(&asked).await.map_err(problem)
}

pub(super) fn problem(error: ClientError) -> Problem {
    match error {
        ClientError::Refused(problem) => problem,
        error => Problem { code: Code::Internal, error: error.to_string(), column: None },
    }
}

/// Attaches, follows, and when the engine is lost attaches again, waiting longer each time.
async fn follow(paths: Paths, results: Sender<Told>, edited: Arc<Notify>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let why = match Client::attach(&paths).await {
            Ok(client) => {
                pause = FIRST_PAUSE;
                match watch(client, &paths, &results, &edited).await {
                    Ok(Over::Ended) => "the engine ended".to_owned(),
                    Ok(Over::Outdated) => {
                        pause = Duration::ZERO;
                        "the configuration was edited: the engine starts again with it".to_owned()
                    }
                    Err(Some(error)) => error.to_string(),
                    Err(None) => return, // The console has gone.
                }
            }
            Err(error) => error.to_string(),
        };
        let lost = Event::Lost { why, retry: true };
        if results.send(Told::Event(Box::new(lost))).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    }
}

/// Why an engine is no longer followed.
enum Over {
    Ended,
    /// It goes by an older configuration, and nothing keeps it from being replaced.
    Outdated,
}

/// `Err(None)`: nobody listens any more.
async fn watch(
    client: Client,
    paths: &Paths,
    results: &Sender<Told>,
    edited: &Notify,
) -> Result<Over, Option<ClientError>> {
    let hello = client.hello().clone();
    let tell = async |event: Event| results.send(Told::Event(Box::new(event))).await.map_err(|_| None);
    // Events are followed from before everything is read, so that nothing falls between.
    let mut events = client.events(Some(hello.last_event)).await.map_err(Some)?;
    results.send(Told::Client(client.clone())).await.map_err(|_| None)?;
    tell(Event::Attached(Box::new(hello))).await?;
    let mut old = client.stale(paths);
    if let Some(why) = &old {
        tell(Event::Notice(why.clone())).await?;
    }
    loop {
        let jobs_may_have_ended = async {
            match &old {
                Some(_) => tokio::time::sleep(OUTDATED_PAUSE).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    tell(Event::Engine(event.map_err(Some)?.1)).await?;
                    continue;
                }
                None => return Ok(Over::Ended),
            },
            () = edited.notified() => {}
            () = jobs_may_have_ended => {}
        }
        let now = client.stale(paths);
        if now.is_none() {
            old = None;
        } else if Client::find(paths).await.map_err(Some)?.replaceable(paths) {
            return Ok(Over::Outdated);
        } else if let Some(why) = now.filter(|_| old.is_none()) {
            tell(Event::Notice(why.clone())).await?;
            old = Some(why);
        }
    }
}
