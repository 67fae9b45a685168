//! Routes of `/api/v1`, and what each asks of the engine. No decision is made here.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::{afterwork, audit, hooks, mdm, openapi, past, saved, shelf, templates, tokens, triage};
use crate::engine::Engine;
use crate::engine::jobs::stream;
use crate::engine::outputs::Place;
use crate::model::import::{self, Import};
use crate::model::job::{Job, JobId, JobSummary};
use crate::model::output::{Seek, Which, Window};
use crate::model::plan::{Caller, Plan, PlanRequest, ScriptRef};
use crate::model::script::Script;
use crate::model::search::{Kind, Pattern};
use crate::model::wire::{
    Answer, Approve, Cancel, Cancelled, Code, Doctor, Found, Hello, Launch, Library, PROTOCOL, Problem, Resolve,
    Resolved, Targets, Turned,
};
use crate::settings::{Settings, paths};

/// A script of 16 MiB as base64, and its parameters.
pub(super) const BODY_MAX: usize = 24 << 20;

/// Chunks of a stream in flight to a reader.
const IN_FLIGHT: usize = 8;

#[derive(Clone)]
pub(super) struct House {
    pub(super) engine: Arc<Engine>,
    stop: Arc<watch::Sender<bool>>,
    library: String,
    /// Path, and a mark of the text that was read.
    config: (String, String),
    listens: Option<String>,
}

/// A refusal on its way out.
pub(super) struct Refusal(Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Unconfirmed => StatusCode::PRECONDITION_REQUIRED,
            Code::Stale => StatusCode::CONFLICT,
            Code::Refused => StatusCode::FORBIDDEN,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        refused(status, self.0)
    }
}

/// A refusal with a status of its own.
pub(super) fn refusal(status: StatusCode, code: Code, error: String) -> Response {
    refused(status, Problem { code, error, column: None })
}

/// As our own programs read it, and as SimpleMDM says it.
fn refused(status: StatusCode, problem: Problem) -> Response {
    #[derive(Serialize)]
    struct Said {
        errors: [Title; 1],
        #[serde(flatten)]
        problem: Problem,
    }
    #[derive(Serialize)]
    struct Title {
        title: String,
    }
    (status, Json(Said { errors: [Title { title: problem.error.clone() }], problem })).into_response()
}

pub(super) type Answered<T> = Result<Json<T>, Refusal>;

/// `listens`: where other programs find this engine on the network.
pub fn router(
    engine: Arc<Engine>,
    stop: Arc<watch::Sender<bool>>,
    settings: &Settings,
    listens: Option<String>,
) -> Router {
    let config = (settings.paths.config.display().to_string(), paths::mark(&settings.paths.config));
    let house = House { engine, stop, library: settings.paths.library.display().to_string(), config, listens };
    let v1 = Router::new()
        .route("/hello", get(hello))
        .route("/shutdown", post(shutdown))
        .route("/targets", get(targets))
        .route("/targets/refresh", post(refresh))
        .route("/targets/resolve", post(resolve))
        .route("/library", get(library))
        .route("/library/script", get(script))
        .route("/library/lint", post(lint))
        .route("/plans", post(plan))
        .route("/plans/{id}", get(planned))
        .route("/answers", post(answer))
        .route("/jobs", get(jobs).post(launch))
        .route("/jobs/{id}", get(job))
        .route("/jobs/{id}/cancel", post(cancel))
        .route("/jobs/{id}/pause", post(pause))
        .route("/jobs/{id}/resume", post(resume))
        .route("/jobs/{id}/approve", post(approve))
        .route("/jobs/{id}/window", get(window))
        .route("/jobs/{id}/search", get(search))
        .route("/jobs/{id}/stream", get(follow))
        .route("/jobs/{id}/runs/{run}/output", get(output))
        .route("/imports", get(imported).post(import))
        .route("/events", get(events))
        .route("/doctor", get(doctor))
        .route("/doctor/connections", get(doctors))
        .merge(shelf::routes())
        .merge(saved::routes())
        .merge(triage::routes())
        .merge(afterwork::routes())
        .merge(templates::routes())
        .merge(past::routes())
        .merge(tokens::routes())
        .merge(openapi::routes())
        .merge(hooks::routes())
        .merge(audit::routes())
        .merge(mdm::routes());
    Router::new()
        .nest("/api/v1", v1)
        .fallback(|request: Request| async move {
            if request.uri().path().strip_prefix("/api/v1").is_some_and(mdm::ours) {
                return mdm::nowhere(request.method(), request.uri().path());
            }
            Refusal(Problem {
                code: Code::NotFound,
                error: format!("no door at {} {}", request.method(), request.uri().path()),
                column: None,
            })
            .into_response()
        })
        .layer(middleware::from_fn_with_state(house.clone(), touched))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(house)
}

async fn touched(State(house): State<House>, request: Request, next: Next) -> Response {
    house.engine.touched();
    next.run(request).await
}

async fn hello(State(house): State<House>) -> Json<Hello> {
    Json(Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        pid: std::process::id(),
        confirm_above: house.engine.settings.confirm_above,
        at_once: house.engine.settings.at_once,
        library: house.library.clone(),
        notices: house.engine.notices(),
        last_event: house.engine.events.last(),
        config: house.config.0.clone(),
        config_mark: house.config.1.clone(),
        busy: house.engine.busy(),
        jobs_running: Some(house.engine.jobs_running()),
        listen: house.listens.clone(),
    })
}

async fn shutdown(State(house): State<House>) -> StatusCode {
    house.stop.send_replace(true);
    StatusCode::ACCEPTED
}

async fn targets(State(house): State<House>) -> Json<Targets> {
    Json(house.engine.targets().await)
}

async fn refresh(State(house): State<House>) -> StatusCode {
    house.engine.refresh().await;
    house.engine.read_devices();
    house.engine.read_shelves();
    StatusCode::NO_CONTENT
}

async fn resolve(State(house): State<House>, Json(asked): Json<Resolve>) -> Answered<Resolved> {
    Ok(Json(house.engine.resolve(&asked.expr).await?))
}

#[derive(Deserialize)]
struct Patient {
    /// Wait, not for ever, for systems whose library was not read yet.
    wait: Option<bool>,
}

async fn library(State(house): State<House>, Query(asked): Query<Patient>) -> Answered<Library> {
    if asked.wait.unwrap_or(false) {
        house.engine.shelves_known().await;
    }
    house.engine.read_old_shelves();
    Ok(Json(house.engine.library().await?))
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

async fn script(State(house): State<House>, Query(asked): Query<Named>) -> Answered<Script> {
    Ok(Json(house.engine.script(&asked.name).await?))
}

async fn lint(State(house): State<House>, Json(script): Json<ScriptRef>) -> Answered<Script> {
    Ok(Json(house.engine.lint(&script).await?))
}

async fn plan(State(house): State<House>, caller: Caller, Json(request): Json<PlanRequest>) -> Answered<Plan> {
    Ok(Json(house.engine.plan(request, &caller).await?))
}

async fn planned(State(house): State<House>, Path(id): Path<String>) -> Answered<Plan> {
    Ok(Json(house.engine.planned(&id)?))
}

async fn answer(State(house): State<House>, Json(answer): Json<Answer>) -> Result<StatusCode, Refusal> {
    house.engine.answer(answer).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn launch(
    State(house): State<House>,
    caller: Caller,
    Json(asked): Json<Launch>,
) -> Result<(StatusCode, Json<JobSummary>), Refusal> {
    Ok((StatusCode::CREATED, Json(house.engine.launch(&asked, caller).await?)))
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<usize>,
}

async fn jobs(State(house): State<House>, Query(asked): Query<Limit>) -> Answered<Vec<JobSummary>> {
    Ok(Json(house.engine.job_list(asked.limit.unwrap_or(1000)).await?))
}

async fn job(State(house): State<House>, Path(id): Path<JobId>) -> Answered<Job> {
    Ok(Json(house.engine.job(id).await?))
}

async fn cancel(
    State(house): State<House>,
    Path(id): Path<JobId>,
    caller: Caller,
    Json(what): Json<Cancel>,
) -> Answered<Cancelled> {
    Ok(Json(house.engine.cancel(id, &what, &caller).await?))
}

async fn pause(State(house): State<House>, Path(id): Path<JobId>, caller: Caller) -> Answered<Turned> {
    Ok(Json(house.engine.pause(id, &caller).await?))
}

#[derive(Deserialize)]
struct Anyway {
    #[serde(default)]
    anyway: bool,
}

async fn resume(
    State(house): State<House>,
    Path(id): Path<JobId>,
    Query(asked): Query<Anyway>,
    caller: Caller,
) -> Answered<Turned> {
    Ok(Json(house.engine.resume(id, asked.anyway, &caller).await?))
}

async fn approve(
    State(house): State<House>,
    Path(id): Path<JobId>,
    caller: Caller,
    Json(what): Json<Approve>,
) -> Answered<Turned> {
    Ok(Json(house.engine.approve(id, what, &caller).await?))
}

#[derive(Deserialize)]
struct Where {
    run: Option<u32>,
    which: Option<Which>,
    /// `start`, `end`, or a place: MILLISECONDS.RUN.LINE
    from: Option<String>,
    before: Option<usize>,
    count: Option<usize>,
    /// With one of these, only lines that match.
    text: Option<String>,
    kind: Option<Kind>,
    ignore_case: Option<bool>,
}

impl Where {
    fn pattern(self) -> Option<Pattern> {
        let kind = self.kind.unwrap_or_default();
        let text = if kind == Kind::Errors { String::new() } else { self.text? };
        Some(Pattern { kind, text, ignore_case: self.ignore_case.unwrap_or(false) })
    }
}

async fn window(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<Where>) -> Answered<Window> {
    let seek = match asked.from.as_deref() {
        None | Some("end") => Seek::End,
        Some("start") => Seek::Start,
        Some(place) => Seek::Around(place.parse().map_err(|error: &str| Problem {
            code: Code::Invalid,
            error: format!("{place}: {error}"),
            column: None,
        })?),
    };
    let place = Place {
        run: asked.run,
        which: asked.which.unwrap_or_default(),
        seek,
        before: asked.before.unwrap_or(0),
        count: asked.count.unwrap_or(100),
    };
    Ok(Json(match asked.pattern() {
        Some(pattern) => house.engine.matching(id, place, pattern).await?,
        None => house.engine.window(id, place).await?,
    }))
}

#[derive(Deserialize)]
struct Whole {
    text: String,
    regex: Option<bool>,
    ignore_case: Option<bool>,
    which: Option<Which>,
    count: Option<usize>,
}

async fn search(State(house): State<House>, Path(id): Path<JobId>, Query(asked): Query<Whole>) -> Answered<Found> {
    let kind = if asked.regex.unwrap_or(false) { Kind::Regex } else { Kind::Text };
    let pattern = Pattern { kind, text: asked.text, ignore_case: asked.ignore_case.unwrap_or(false) };
    let (which, count) = (asked.which.unwrap_or_default(), asked.count.unwrap_or(100));
    Ok(Json(house.engine.search(id, pattern, which, count).await?))
}

#[derive(Deserialize)]
struct Wish {
    which: Option<Which>,
    follow: Option<bool>,
}

async fn output(
    State(house): State<House>,
    Path((id, run)): Path<(JobId, u32)>,
    Query(wish): Query<Wish>,
) -> Result<Response, Refusal> {
    let engine = Arc::clone(&house.engine);
    let job = engine.job(id).await?;
    if run as usize >= job.runs.len() {
        return Err(Refusal(Problem {
            code: Code::NotFound,
            error: format!("job {id} has {} runs, numbered from 0: no run {run}", job.runs.len()),
            column: None,
        }));
    }
    let (to, from) = mpsc::channel(IN_FLIGHT);
    let (live, store) = (engine.jobs.live(id), Arc::clone(&engine.jobs.store));
    let (which, follow) = (wish.which.unwrap_or_default(), wish.follow.unwrap_or(false));
    tokio::spawn(async move { stream::bytes(live, store, id, run, which, follow, to).await });
    Ok(body("application/octet-stream", from))
}

async fn import(State(house): State<House>, caller: Caller, Json(asked): Json<import::Begin>) -> Answered<Import> {
    Ok(Json(house.engine.import(&asked.connection, &caller).await?))
}

async fn imported(State(house): State<House>, Query(asked): Query<import::Begin>) -> Answered<Import> {
    Ok(Json(house.engine.imported(&asked.connection)?))
}

#[derive(Deserialize)]
struct Start {
    start: Option<bool>,
}

async fn follow(
    State(house): State<House>,
    Path(id): Path<JobId>,
    Query(wish): Query<Start>,
) -> Result<Response, Refusal> {
    let engine = Arc::clone(&house.engine);
    let start = wish.start.unwrap_or(true);
    let (to, from) = mpsc::channel(IN_FLIGHT);
    if let Some(live) = engine.jobs.live(id) {
        tokio::spawn(async move { stream::live(live, start, to).await });
    } else {
        let job = engine.job(id).await?;
        let store = Arc::clone(&engine.jobs.store);
        tokio::spawn(async move { stream::ended(&store, job, start, to).await });
    }
    Ok(body("application/vnd.quarterdeck.frames", from))
}

#[derive(Deserialize)]
struct Since {
    since: Option<u64>,
}

async fn events(State(house): State<House>, Query(asked): Query<Since>, request: Request) -> Response {
    let resumed = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let mut listener = house.engine.events.listen(asked.since.or(resumed));
    let (to, from) = mpsc::channel(IN_FLIGHT);
    tokio::spawn(async move {
        // a first comment, so that the reader sees at once that it is connected
        if to.send(Bytes::from_static(b":\n\n")).await.is_err() {
            return;
        }
        loop {
            let (number, json) = tokio::select! {
                event = listener.next() => match event {
                    Some(event) => event,
                    None => return,
                },
                // else a console that left would count as listening until the next event
                () = to.closed() => return,
            };
            if to.send(format!("id: {number}\ndata: {json}\n\n").into()).await.is_err() {
                return;
            }
        }
    });
    body("text/event-stream", from)
}

fn body(kind: &'static str, mut from: mpsc::Receiver<Bytes>) -> Response {
    let stream =
        futures::stream::poll_fn(move |context| from.poll_recv(context).map(|chunk| chunk.map(Ok::<_, Infallible>)));
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(stream)).into_response()
}

#[derive(Deserialize)]
struct Asked {
    device: String,
}

async fn doctor(State(house): State<House>, caller: Caller, Query(asked): Query<Asked>) -> Answered<Doctor> {
    Ok(Json(house.engine.doctor(&asked.device, &caller).await?))
}

async fn doctors(State(house): State<House>) -> Json<Vec<Doctor>> {
    Json(house.engine.doctors().await)
}
