//! HTTP over the engine's socket: one request, one typed answer or a typed refusal; bodies that go on as streams.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, unfold};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ClientError;
use super::events::Events;
use super::frames::Frames;
use super::{Event, Frame, Note};
use crate::model::cause::innermost;
use crate::model::wire::{AGENT, FROM, Problem};

/// No answer in this time: the engine hangs. (`doctor` makes a connection; a plan may wait for an inventory.)
const PATIENCE: Duration = Duration::from_secs(120);

/// A refusal is never longer.
const PROBLEM_LIMIT: usize = 1 << 20;

/// An answer that is longer is read off the loop: a console's keys would wait for the devices of a large fleet.
const LARGE: usize = 128 << 10;

/// One engine's door.
#[derive(Clone)]
pub struct Door(reqwest::Client);

impl Door {
    /// Told with every request: `agent`, for those that reach devices; `from`, for those that are written down.
    pub fn new(socket: &Path, agent: Option<&Path>, from: &str) -> Result<Self, ClientError> {
        let agent = agent.and_then(|path| HeaderValue::from_bytes(path.as_os_str().as_bytes()).ok());
        let agent = agent.map(|agent| (HeaderName::from_static(AGENT), agent));
        let from = HeaderValue::from_str(from).ok().map(|from| (HeaderName::from_static(FROM), from));
        let headers = agent.into_iter().chain(from).collect();
        // The library prepares for TLS whether it is used or not: without the reading of all this machine's authorities.
        let never = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ClientError::Lost { doing: "preparing".to_owned(), why: error.to_string() })?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        // A local socket: proxies and redirects would only cost time, and could only do harm.
        reqwest::Client::builder()
            .unix_socket(socket)
            .tls_backend_preconfigured(never)
            .default_headers(headers)
            .no_proxy()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self)
            .map_err(|error| lost("preparing to talk to it", &error))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.0.request(method, format!("http://engine/api/v1/{path}"))
    }

    pub async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        doing: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let request = self.request(Method::GET, path).query(query).timeout(PATIENCE);
        read(doing, accepted(doing, request).await?).await
    }

    pub async fn post<T: DeserializeOwned + Send + 'static>(
        &self,
        doing: &str,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, ClientError> {
        let request = self.request(Method::POST, path).json(body).timeout(PATIENCE);
        read(doing, accepted(doing, request).await?).await
    }

    /// A request whose answer has nothing to say.
    pub async fn tell(
        &self,
        doing: &str,
        path: &str,
        body: &(impl Serialize + ?Sized),
        patience: Duration,
    ) -> Result<(), ClientError> {
        let request = self.request(Method::POST, path).json(body).timeout(patience);
        accepted(doing, request).await.map(drop)
    }

    /// The greeting's bytes. `Err(Ok(why))`: nobody is there; `Err(Err(_))`: somebody is, and it went wrong.
    pub async fn greet(&self, patience: Duration) -> Result<Bytes, Result<String, ClientError>> {
        let doing = "greeting it";
        let answer = self.request(Method::GET, "hello").timeout(patience).send().await;
        let answer = answer
            .map_err(|error| if error.is_timeout() { Err(lost(doing, &error)) } else { Ok(innermost(&error)) })?;
        let answer = judged(doing, answer).await.map_err(Err)?;
        answer.bytes().await.map_err(|error| Err(lost(doing, &error)))
    }

    /// A body as it comes, to its end.
    pub async fn bytes(
        &self,
        doing: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<BoxStream<'static, Result<Bytes, ClientError>>, ClientError> {
        let answer = accepted(doing, self.request(Method::GET, path).query(query)).await?;
        Ok(answer.bytes_stream().map(move |chunk| chunk.map_err(|error| lost(doing, &error))).boxed())
    }

    /// A body cut into items; it ends with its last item, or with an error.
    pub async fn items<C: Cut>(
        &self,
        doing: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<BoxStream<'static, Result<C::Item, ClientError>>, ClientError> {
        let body = self.bytes(doing, path, query).await?;
        Ok(cut::<C>(doing, body))
    }

    /// The same for what is asked in a body.
    pub async fn posted<C: Cut>(
        &self,
        doing: &'static str,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<BoxStream<'static, Result<C::Item, ClientError>>, ClientError> {
        let answer = accepted(doing, self.request(Method::POST, path).json(body)).await?;
        let body = answer.bytes_stream().map(move |chunk| chunk.map_err(|error| lost(doing, &error))).boxed();
        Ok(cut::<C>(doing, body))
    }
}

/// Items out of chunks.
pub trait Cut: Default + Send + 'static {
    type Item: Send;
    fn push(&mut self, chunk: Bytes);
    fn next(&mut self) -> Result<Option<Self::Item>, String>;
    /// Nothing comes after this item.
    fn last(item: &Self::Item) -> bool;
}

impl Cut for Frames {
    type Item = Frame;

    fn push(&mut self, chunk: Bytes) {
        Frames::push(self, chunk);
    }

    fn next(&mut self) -> Result<Option<Frame>, String> {
        Frames::next(self)
    }

    fn last(item: &Frame) -> bool {
        matches!(item, Frame::Note(note) if matches!(**note, Note::End { .. }))
    }
}

impl Cut for Events {
    type Item = (u64, Event);

    fn push(&mut self, chunk: Bytes) {
        Events::push(self, chunk);
    }

    fn next(&mut self) -> Result<Option<(u64, Event)>, String> {
        Events::next(self)
    }

    fn last(_: &(u64, Event)) -> bool {
        false
    }
}

fn cut<C: Cut>(
    doing: &'static str,
    body: BoxStream<'static, Result<Bytes, ClientError>>,
) -> BoxStream<'static, Result<C::Item, ClientError>> {
    unfold(Some((C::default(), body)), move |state| async move {
        let (mut cut, mut body) = state?;
        let bad = |why: String| Some((Err(ClientError::Lost { doing: doing.to_owned(), why }), None));
        loop {
            match cut.next() {
                Ok(Some(item)) => {
                    let state = (!C::last(&item)).then_some((cut, body));
                    return Some((Ok(item), state));
                }
                Ok(None) => {}
                Err(why) => return bad(why),
            }
            match body.next().await {
                Some(Ok(chunk)) => cut.push(chunk),
                Some(Err(error)) => return Some((Err(error), None)),
                None => return bad("it closed the connection".to_owned()),
            }
        }
    })
    .boxed()
}

async fn accepted(doing: &str, request: RequestBuilder) -> Result<Response, ClientError> {
    let answer = request.send().await.map_err(|error| lost(doing, &error))?;
    judged(doing, answer).await
}

/// An answer that is no refusal.
async fn judged(doing: &str, mut answer: Response) -> Result<Response, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| lost(doing, &error))? {
        body.extend_from_slice(&chunk);
        if body.len() > PROBLEM_LIMIT {
            break;
        }
    }
    Err(match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Refused(problem),
        // what the HTTP layer itself refuses comes as plain text
        Err(_) => {
            let text: String = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).take(300).collect();
            ClientError::Lost { doing: doing.to_owned(), why: format!("it answered {status}: {text}") }
        }
    })
}

async fn read<T: DeserializeOwned + Send + 'static>(doing: &str, answer: Response) -> Result<T, ClientError> {
    let body = answer.bytes().await.map_err(|error| lost(doing, &error))?;
    let wrong = |why: String| ClientError::Lost { doing: doing.to_owned(), why };
    let read = if body.len() > LARGE {
        let reading = tokio::task::spawn_blocking(move || serde_json::from_slice(&body));
        reading.await.map_err(|error| wrong(error.to_string()))?
    } else {
        serde_json::from_slice(&body)
    };
    read.map_err(|error| wrong(format!("its answer cannot be read: {error}")))
}

pub fn lost(doing: &str, error: &reqwest::Error) -> ClientError {
    let why = match error {
        error if error.is_timeout() => "it does not answer".to_owned(),
        error if error.is_body() || error.is_decode() => format!("its answer broke off ({})", innermost(error)),
        error => innermost(error),
    };
    ClientError::Lost { doing: doing.to_owned(), why }
}
