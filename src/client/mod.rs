//! The typed client of `api`: the only way in which console and verbs know the engine.
//! HTTP over the engine's unix socket; finds the engine, starts one when there is none, and checks that
//! both speak the same protocol.

use std::path::PathBuf;

use futures::stream::BoxStream;

use crate::model::job::{Job, JobId, JobSummary};
use crate::model::output::{Which, Window};
use crate::model::plan::{Plan, PlanRequest};
use crate::model::script::Script;
use crate::model::secret::Secret;
use crate::model::wire::{
    Cancel, Cancelled, Doctor, Event, FrameHead, Hello, Launch, Library, Note, Problem, Resolved, Targets,
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
        "the engine that runs (version {theirs}, pid {pid}, protocol {protocol}) is not of this version ({ours}): replace it with `quarterdeck serve --replace` (its running jobs end)"
    )]
    Version { theirs: String, ours: String, pid: u32, protocol: u32 },
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

/// Which window of lines of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Line(u64),
    /// The last so many.
    End,
}

#[derive(Clone)]
pub struct Client {}

#[allow(unused_variables)]
impl Client {
    /// The engine that runs, or one started in the background.
    pub async fn attach(paths: &Paths) -> Result<Self, ClientError> {
        todo!()
    }

    /// The engine that runs; never starts one.
    pub async fn find(paths: &Paths) -> Result<Self, ClientError> {
        todo!()
    }

    /// The answer of the engine when it was found.
    pub fn hello(&self) -> &Hello {
        todo!()
    }

    pub async fn targets(&self) -> Result<Targets, ClientError> {
        todo!()
    }

    pub async fn resolve(&self, expr: &str) -> Result<Resolved, ClientError> {
        todo!()
    }

    pub async fn library(&self) -> Result<Library, ClientError> {
        todo!()
    }

    pub async fn script(&self, name: &str) -> Result<Script, ClientError> {
        todo!()
    }

    pub async fn plan(&self, request: &PlanRequest) -> Result<Plan, ClientError> {
        todo!()
    }

    pub async fn answer(&self, question: &str, value: &Secret) -> Result<(), ClientError> {
        todo!()
    }

    pub async fn launch(&self, launch: &Launch) -> Result<JobSummary, ClientError> {
        todo!()
    }

    /// Newest first.
    pub async fn jobs(&self, limit: usize) -> Result<Vec<JobSummary>, ClientError> {
        todo!()
    }

    pub async fn job(&self, id: JobId) -> Result<Job, ClientError> {
        todo!()
    }

    pub async fn cancel(&self, id: JobId, what: &Cancel) -> Result<Cancelled, ClientError> {
        todo!()
    }

    /// At most `count` lines of one run.
    pub async fn lines(
        &self,
        job: JobId,
        run: u32,
        from: From,
        count: usize,
        which: Which,
    ) -> Result<Window, ClientError> {
        todo!()
    }

    /// The last `count` lines of all runs of a job, in order of arrival.
    pub async fn tail(&self, job: JobId, count: usize, which: Which) -> Result<Window, ClientError> {
        todo!()
    }

    /// The bytes of one run as they were; `follow`: until the run has ended.
    pub async fn output(
        &self,
        job: JobId,
        run: u32,
        which: Which,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<bytes::Bytes, ClientError>>, ClientError> {
        todo!()
    }

    /// Everything a job does, from its beginning (`from_start`) or from now, until it has ended.
    pub async fn stream(
        &self,
        job: JobId,
        from_start: bool,
    ) -> Result<BoxStream<'static, Result<Frame, ClientError>>, ClientError> {
        todo!()
    }

    /// Events after number `since` (`None`: from now), for ever. Each with its number.
    pub async fn events(
        &self,
        since: Option<u64>,
    ) -> Result<BoxStream<'static, Result<(u64, Event), ClientError>>, ClientError> {
        todo!()
    }

    pub async fn doctor(&self, device: &str) -> Result<Doctor, ClientError> {
        todo!()
    }

    /// Asks the engine to end; running jobs end with it.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        todo!()
    }
}
