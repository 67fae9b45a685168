//! The typed client of `api`: the only way in which console and verbs know the engine.
//! HTTP over the engine's unix socket; finds the engine, starts one when there is none, and checks that
//! both speak the same protocol.

mod afterwork;
mod audit;
mod events;
pub mod export;
mod frames;
pub mod given;
mod http;
mod past;
mod report;
mod saved;
mod shelf;
mod start;
mod templates;
#[cfg(test)]
mod tests;
mod tokens;
mod triage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;

use crate::model::import::{self, Import};
use crate::model::job::{Job, JobId, JobSummary};
use crate::model::output::{Seek, Which, Window};
use crate::model::plan::{Plan, PlanRequest, ScriptRef};
use crate::model::script::Script;
use crate::model::search::{Kind, Pattern};
use crate::model::secret::Secret;
use crate::model::wire::{
    Approve, Cancel, Cancelled, Doctor, Event, Found, FrameHead, Hello, Launch, Library, Note, Problem, Resolve,
    Resolved, Targets, Turned,
};
use crate::settings::Paths;

/// What can go wrong between a front door and the engine.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The engine answered with a refusal.
    #[error("{}", .0.error)]
    Refused(Problem),
    /// No engine, and none could be started.
    #[error("no engine answers on {socket}: {why}; its log is {log}")]
    NoEngine { socket: PathBuf, why: String, log: PathBuf },
    /// Another version: never silently misused.
    #[error(
        "engine {theirs} runs here (pid {pid}, protocol {protocol}), this is {ours}: replace it with `quarterdeck serve --replace` (its jobs end)"
    )]
    Version { theirs: String, ours: String, pid: u32, protocol: u32 },
    /// It was started with another configuration file, and is at work.
    #[error(
        "the engine that runs (pid {pid}) {why}, and has jobs or consoles: use that file, or `quarterdeck serve --replace` (its running jobs end)"
    )]
    Config { pid: u32, why: String },
    /// The engine went away or talked nonsense.
    #[error("lost the engine while {doing}: {why}")]
    Lost { doing: String, why: String },
}

/// One item of a job's stream.
#[derive(Clone, Debug)]
pub enum Frame {
    Note(Box<Note>),
    Output { head: FrameHead, bytes: bytes::Bytes },
}

/// Which window of lines.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub job: JobId,
    /// `None`: all runs, in order of arrival.
    pub run: Option<u32>,
    pub which: Which,
    pub seek: Seek,
    /// Lines before the place, and from there on.
    pub before: usize,
    pub count: usize,
    pub pattern: Option<&'a Pattern>,
}

/// One engine that was found. Cheap to clone; requests share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    door: http::Door,
    hello: Hello,
}

/// Refusing a request is quick; an engine that ends first ends its runs.
const ENDING: Duration = Duration::from_secs(30);

impl Client {
    /// The engine that runs, or one started in the background. One that idles and was started with another
    /// configuration, or before its file was changed, is replaced.
    pub async fn attach(paths: &Paths) -> Result<Self, ClientError> {
        start::attach(paths, None).await
    }

    /// The same, starting this program where none runs (in tests this process is not the program).
    pub async fn attach_with(paths: &Paths, program: &Path) -> Result<Self, ClientError> {
        start::attach(paths, Some(program)).await
    }

    /// The engine that runs; never starts one.
    pub async fn find(paths: &Paths) -> Result<Self, ClientError> {
        start::find(paths).await
    }

    /// Ends the engine that runs, whatever its version, and waits until it has gone; its process id.
    pub async fn end(paths: &Paths) -> Result<Option<u32>, ClientError> {
        start::end(paths, None).await
    }

    /// In words: the engine is at work with an older text of the configuration than that of the file.
    pub fn stale(&self, paths: &Paths) -> Option<String> {
        start::strange(self, paths).map(|why| {
            format!(
                "the engine (pid {}) {why}, and jobs run in it: the change counts as soon as they have ended, or now \
                 with `quarterdeck serve --replace --background`, which ends them; what SimpleMDM has been given \
                 goes on",
                self.hello().pid
            )
        })
    }

    /// Its configuration is old, and no job keeps it from being replaced: the next [`Client::attach`] does that.
    pub fn replaceable(&self, paths: &Paths) -> bool {
        start::strange(self, paths).is_some() && !start::at_work(self)
    }

    /// The answer of the engine when it was found.
    pub fn hello(&self) -> &Hello {
        &self.0.hello
    }

    pub async fn targets(&self) -> Result<Targets, ClientError> {
        self.0.door.get("reading the targets", "targets", &[]).await
    }

    pub async fn resolve(&self, expr: &str) -> Result<Resolved, ClientError> {
        let body = Resolve { expr: expr.to_owned() };
        self.0.door.post("resolving the targets", "targets/resolve", &body).await
    }

    pub async fn library(&self) -> Result<Library, ClientError> {
        self.0.door.get("reading the library", "library", &[]).await
    }

    /// The same, with the scripts of systems that were not read yet, if they answer soon.
    pub async fn whole_library(&self) -> Result<Library, ClientError> {
        self.0.door.get("reading the library", "library", &[("wait", "true")]).await
    }

    pub async fn script(&self, name: &str) -> Result<Script, ClientError> {
        self.0.door.get("reading a script", "library/script", &[("name", name)]).await
    }

    /// What lint says, of a name in the library or of a text.
    pub async fn lint(&self, script: &ScriptRef) -> Result<Script, ClientError> {
        self.0.door.post("linting", "library/lint", script).await
    }

    pub async fn plan(&self, request: &PlanRequest) -> Result<Plan, ClientError> {
        self.0.door.post("planning", "plans", &request.to_json()).await
    }

    /// A plan that the engine has made and still knows. `id`: as it was given.
    pub async fn planned(&self, id: &str) -> Result<Plan, ClientError> {
        self.0.door.get("reading a plan", &format!("plans/{id}"), &[]).await
    }

    pub async fn answer(&self, question: &str, value: &Secret) -> Result<(), ClientError> {
        let body = serde_json::json!({ "id": question, "value": value.expose() });
        self.0.door.tell("answering its question", "answers", &body, ENDING).await
    }

    pub async fn launch(&self, launch: &Launch) -> Result<JobSummary, ClientError> {
        self.0.door.post("launching", "jobs", launch).await
    }

    /// Newest first.
    pub async fn jobs(&self, limit: usize) -> Result<Vec<JobSummary>, ClientError> {
        self.0.door.get("reading the jobs", "jobs", &[("limit", &limit.to_string())]).await
    }

    pub async fn job(&self, id: JobId) -> Result<Job, ClientError> {
        self.0.door.get("reading a job", &format!("jobs/{id}"), &[]).await
    }

    /// Begins to bring in what a system ran without us, or goes on with that.
    pub async fn import(&self, connection: &str) -> Result<Import, ClientError> {
        let begin = import::Begin { connection: connection.to_owned() };
        self.0.door.post("bringing jobs in", "imports", &begin).await
    }

    /// How that stands.
    pub async fn imported(&self, connection: &str) -> Result<Import, ClientError> {
        self.0.door.get("bringing jobs in", "imports", &[("connection", connection)]).await
    }

    pub async fn cancel(&self, id: JobId, what: &Cancel) -> Result<Cancelled, ClientError> {
        self.0.door.post("cancelling", &format!("jobs/{id}/cancel"), what).await
    }

    /// Nothing new is sent until it is resumed; what has started goes on.
    pub async fn pause(&self, id: JobId) -> Result<Turned, ClientError> {
        self.0.door.post("pausing", &format!("jobs/{id}/pause"), &()).await
    }

    /// `anyway`: also where questions are open that a job of an earlier engine asks, and where a maintenance or a change
    /// freeze has begun meanwhile.
    pub async fn resume(&self, id: JobId, anyway: bool) -> Result<Turned, ClientError> {
        self.0.door.post("resuming", &format!("jobs/{id}/resume?anyway={anyway}"), &()).await
    }

    /// Lets the ring go that waits for it.
    pub async fn approve(&self, id: JobId, ring: Option<u32>) -> Result<Turned, ClientError> {
        self.0.door.post("approving", &format!("jobs/{id}/approve"), &Approve { ring }).await
    }

    /// Lines around a place; with a pattern, of those that match, as far as they are known.
    pub async fn window(&self, asked: &Asked<'_>) -> Result<Window, ClientError> {
        let (before, count) = (asked.before.to_string(), asked.count.to_string());
        let from = match asked.seek {
            Seek::Start => "start".to_owned(),
            Seek::End => "end".to_owned(),
            Seek::Around(place) => place.to_string(),
        };
        let run = asked.run.map(|run| run.to_string());
        let mut query = vec![("which", word(asked.which)), ("from", &from), ("before", &before), ("count", &count)];
        query.extend(run.as_deref().map(|run| ("run", run)));
        if let Some(pattern) = asked.pattern {
            let kind = match pattern.kind {
                Kind::Text => "text",
                Kind::Regex => "regex",
                Kind::Errors => "errors",
            };
            query.extend([("kind", kind), ("text", &pattern.text), ("ignore_case", yes(pattern.ignore_case))]);
        }
        self.0.door.get("reading output", &format!("jobs/{}/window", asked.job), &query).await
    }

    /// Everything in the outputs of a job that matches, counted; the first `count` lines.
    pub async fn search(
        &self,
        job: JobId,
        pattern: &Pattern,
        which: Which,
        count: usize,
    ) -> Result<Found, ClientError> {
        let count = count.to_string();
        let query = [
            ("text", pattern.text.as_str()),
            ("regex", yes(pattern.kind == Kind::Regex)),
            ("ignore_case", yes(pattern.ignore_case)),
            ("which", word(which)),
            ("count", &count),
        ];
        self.0.door.get("searching the outputs", &format!("jobs/{job}/search"), &query).await
    }

    /// The bytes of one run as they were; `follow`: until the run has ended.
    pub async fn output(
        &self,
        job: JobId,
        run: u32,
        which: Which,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<bytes::Bytes, ClientError>>, ClientError> {
        let query = [("which", word(which)), ("follow", yes(follow))];
        self.0.door.bytes("reading output", &format!("jobs/{job}/runs/{run}/output"), &query).await
    }

    /// Everything a job does, from its beginning (`from_start`) or from now, until it has ended.
    /// The stream ends with [`Note::End`], or with an error.
    pub async fn stream(
        &self,
        job: JobId,
        from_start: bool,
    ) -> Result<BoxStream<'static, Result<Frame, ClientError>>, ClientError> {
        let query = [("start", yes(from_start))];
        self.0.door.items::<frames::Frames>("following a job", &format!("jobs/{job}/stream"), &query).await
    }

    /// Events after number `since` (`None`: from now), for ever. Each with its number.
    /// The stream ends with an error alone: attach again, and ask for what was missed.
    pub async fn events(
        &self,
        since: Option<u64>,
    ) -> Result<BoxStream<'static, Result<(u64, Event), ClientError>>, ClientError> {
        let number = since.map(|since| since.to_string());
        let query: Vec<(&str, &str)> = number.iter().map(|number| ("since", number.as_str())).collect();
        self.0.door.items::<events::Events>("listening to it", "events", &query).await
    }

    pub async fn doctor(&self, device: &str) -> Result<Doctor, ClientError> {
        self.0.door.get("examining a device", "doctor", &[("device", device)]).await
    }

    /// How each connection stands that can be asked as a whole.
    pub async fn doctors(&self) -> Result<Vec<Doctor>, ClientError> {
        self.0.door.get("examining the connections", "doctor/connections", &[]).await
    }

    /// Asks the engine to end; running jobs end with it.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.0.door.tell("asking it to end", "shutdown", &(), ENDING).await
    }
}

const fn word(which: Which) -> &'static str {
    match which {
        Which::Out => "out",
        Which::Err => "err",
        Which::All => "all",
    }
}

const fn yes(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}
