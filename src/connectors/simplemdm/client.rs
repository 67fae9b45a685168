//! HTTP to one account (contract 1): the key as user name, one request within the budget, one answer, bounded. What is
//! only read is asked again when it fails; what changes something never, unless the system said that it did nothing.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client as Http, Method, Response};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Notify};

use super::budget::{self, Budget, Urgency};
use super::form::Form;
use crate::connectors::{reference, tls};
use crate::model::cause::innermost;
use crate::model::connection::SimpleMdm;
use crate::model::secret::Secret;

const CONNECT: Duration = Duration::from_secs(10);
/// A system that says nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);

/// What an answer may be in bytes (it is held whole while it is read): a page of a list; a page about an error.
const PAGE_LIMIT: usize = 64 << 20;
/// A script job with what all its devices said: ten thousand of them with 25 kB each.
pub const JOB_LIMIT: usize = 256 << 20;
const ERROR_LIMIT: usize = 64 << 10;

/// How often a question is asked, and how often a "too many" is waited out.
const TRIES: u32 = 4;
const PAUSES: u32 = 8;

/// The longest page there is.
pub const PAGE: usize = 100;

pub struct Client {
    /// `Err`: why it cannot be used.
    http: Result<Http, String>,
    base: String,
    settings: SimpleMdm,
    key: Mutex<Option<Secret>>,
    pub budget: Budget,
    /// Why it could not be asked the last time.
    down: std::sync::Mutex<Option<String>>,
    /// That is another than it was.
    pub turned: Notify,
}

/// One request.
#[derive(Clone)]
pub struct Ask {
    method: Method,
    /// Below `/api/v1`.
    path: String,
    form: Option<Form>,
    urgency: Urgency,
    /// What the answer may be in bytes.
    most: usize,
    /// How often it is asked at most.
    tries: u32,
}

impl Ask {
    pub fn get(path: impl Into<String>, urgency: Urgency) -> Self {
        Self { method: Method::GET, path: path.into(), form: None, urgency, most: PAGE_LIMIT, tries: TRIES }
    }

    pub fn post(path: impl Into<String>, form: Form) -> Self {
        Self { method: Method::POST, form: Some(form), ..Self::get(path, Urgency::Now) }
    }

    pub fn patch(path: impl Into<String>, form: Form) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, form) }
    }

    #[must_use]
    pub fn most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Whoever wants to know how the account stands is not kept waiting.
    #[must_use]
    pub fn once(self) -> Self {
        Self { tries: 1, ..self }
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path, Urgency::Now) }
    }
}

/// Why there is no answer to go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was sent: no key, no address.
    Unready(String),
    /// Nobody took the connection: nothing was sent.
    Unreachable(String),
    /// It broke off after something was sent, or the system failed: it may have done what it was asked.
    Unclear(String),
    /// The system said no, and did nothing. The status, and why.
    Refused(u16, String),
    /// It has had too many requests, for too long.
    TooMany,
    /// There is an answer, and it is none of SimpleMDM's.
    Strange(String),
    /// There is one of so many MiB and more: it is not read.
    TooLarge(usize),
}

impl Failure {
    pub fn says(&self) -> String {
        match self {
            Failure::Unready(why) | Failure::Unreachable(why) | Failure::Unclear(why) | Failure::Strange(why) => {
                why.clone()
            }
            Failure::Refused(401, _) => {
                "the API key is not accepted (401): is `api_key` that of this account, and not revoked?".to_owned()
            }
            Failure::Refused(403, why) => format!("the API key has no right to this (403: {why})"),
            Failure::Refused(status, why) => format!("{why} ({status})"),
            Failure::TooLarge(mib) => format!("its answer is larger than {mib} MiB, and more is not read"),
            Failure::TooMany => {
                "the account has had too many requests for some minutes (429): is another program at work on it?"
                    .to_owned()
            }
        }
    }

    pub fn is_gone(&self) -> bool {
        matches!(self, Failure::Refused(404, _))
    }

    /// It says that nothing can be asked, whatever it is.
    fn is_down(&self) -> bool {
        !matches!(self, Failure::Refused(400 | 402..=499, _) | Failure::TooLarge(_))
    }

    /// Another try may do better, sooner or later.
    pub fn passes(&self) -> bool {
        matches!(self, Failure::Unreachable(_) | Failure::Unclear(_) | Failure::TooMany | Failure::Strange(_))
    }
}

/// A page of a list.
#[derive(serde::Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Page<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// One thing.
#[derive(serde::Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct One<T> {
    pub data: T,
}

impl Client {
    pub fn new(settings: &SimpleMdm) -> Self {
        Self {
            http: http(settings),
            base: format!("{}/api/v1", settings.url),
            settings: settings.clone(),
            key: Mutex::default(),
            budget: Budget::new(settings.rate),
            down: std::sync::Mutex::default(),
            turned: Notify::new(),
        }
    }

    /// Why it could not be asked the last time; `None`: it answered, or was not asked yet.
    pub fn down(&self) -> Option<String> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stands(&self, down: Option<String>) {
        let mut before = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if *before != down {
            *before = down;
            self.turned.notify_one();
        }
    }

    /// A page of a list: `query` beside the paging, `after` the last one known.
    pub async fn page<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        query: &str,
        after: Option<&str>,
        urgency: Urgency,
    ) -> Result<Page<T>, Failure> {
        let mut path = format!("{path}?limit={PAGE}{query}");
        if let Some(after) = after {
            path.push_str(&format!("&starting_after={}", super::form::encoded(after)));
        }
        self.json(Ask::get(path, urgency)).await
    }

    /// An answer that is JSON.
    pub async fn json<T: DeserializeOwned + Send + 'static>(&self, ask: Ask) -> Result<T, Failure> {
        let (reading, most) = (ask.method == Method::GET, ask.tries);
        let mut tries = 0;
        loop {
            let strange = match self.ask(ask.clone()).await {
                Ok(body) => match read(body).await {
                    Ok(read) => return Ok(read),
                    Err(why) => Failure::Strange(format!("what answers there is no SimpleMDM: {why}")),
                },
                Err(failure) => return Err(failure),
            };
            tries += 1;
            if !reading || tries >= most {
                self.stands(Some(strange.says()));
                return Err(strange);
            }
            tokio::time::sleep(budget::again(tries)).await;
        }
    }

    /// The body of a good answer.
    pub async fn ask(&self, ask: Ask) -> Result<Bytes, Failure> {
        let reading = ask.method == Method::GET;
        let mut tries = 0;
        loop {
            let failure = match self.open(&ask).await {
                Ok(answer) => match body(answer, ask.most).await {
                    Ok(body) => {
                        self.stands(None);
                        return Ok(body);
                    }
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            tries += 1;
            let last =
                !reading || tries >= ask.tries || !matches!(failure, Failure::Unclear(_) | Failure::Unreachable(_));
            // (what breaks off once may be a moment's affair; a door that nobody opens is told at once)
            if failure.is_down() && (last || matches!(failure, Failure::Unreachable(_))) {
                self.stands(Some(failure.says()));
            }
            if last {
                return Err(failure);
            }
            tokio::time::sleep(budget::again(tries)).await;
        }
    }

    /// A good answer, its body still to be read.
    pub async fn open(&self, ask: &Ask) -> Result<Response, Failure> {
        let http = self.http.as_ref().map_err(|why| Failure::Unready(why.clone()))?;
        let (mut pauses, mut renewed) = (0, false);
        loop {
            let key = self.key().await.map_err(Failure::Unready)?;
            self.budget.turn(ask.urgency).await;
            let mut request = http
                .request(ask.method.clone(), format!("{}{}", self.base, ask.path))
                .basic_auth(key.expose(), Some(""))
                .header(ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(form) = &ask.form {
                request = request.header(CONTENT_TYPE, form.content_type()).body(form.body());
            }
            let answer = request.send().await.map_err(|error| broken(&error))?;
            let status = answer.status().as_u16();
            match status {
                200..=299 => return Ok(answer),
                429 => {
                    self.budget.hold(pause(answer.headers(), pauses));
                    pauses += 1;
                    if pauses == PAUSES {
                        return Err(Failure::TooMany);
                    }
                }
                // a key that was changed where it lies is read once more
                401 if !renewed => {
                    renewed = true;
                    let held = self.key.lock().await.take();
                    let fresh = self.key().await.map_err(Failure::Unready)?;
                    if held == Some(fresh) {
                        return Err(Failure::Refused(status, title(answer).await));
                    }
                }
                300..=399 => {
                    return Err(Failure::Strange(format!("it sends us elsewhere ({status}): is `url` right?")));
                }
                400..=499 => return Err(Failure::Refused(status, title(answer).await)),
                _ => return Err(Failure::Unclear(format!("the system failed ({status}: {})", title(answer).await))),
            }
        }
    }

    async fn key(&self) -> Result<Secret, String> {
        let mut key = self.key.lock().await;
        if let Some(key) = &*key {
            return Ok(key.clone());
        }
        let from = &self.settings.api_key;
        let read = reference::read(from, |name| self.settings.environment.0.get(name).cloned()).await;
        let bytes = read.map_err(|why| format!("the API key, {from}: {why}"))?;
        let fits = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(':');
        let text = String::from_utf8(bytes).ok().filter(fits);
        let read = Secret::new(text.ok_or_else(|| format!("the API key, {from}: what lies there is none"))?);
        *key = Some(read.clone());
        Ok(read)
    }
}

fn http(settings: &SimpleMdm) -> Result<Http, String> {
    // (http goes to this machine alone: the settings let no other through)
    let tls = if settings.url.starts_with("https://") {
        tls::trusting(settings.ca_file.as_deref()).map_err(|why| format!("`ca_file`: {why}"))?
    } else {
        tls::none()
    };
    Http::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

fn pause(headers: &HeaderMap, tries: u32) -> Duration {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    budget::pause(word("x-ratelimit-reset"), word(RETRY_AFTER.as_str()), Timestamp::now().as_second(), tries)
}

/// A large one is read where it holds nobody up.
async fn read<T: DeserializeOwned + Send + 'static>(body: Bytes) -> Result<T, String> {
    let read = move || serde_json::from_slice(&body).map_err(|error| error.to_string());
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn body(mut answer: Response, limit: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body.into()),
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Failure::TooLarge(limit >> 20)),
            Err(error) => return Err(Failure::Unclear(format!("its answer broke off ({})", innermost(&error)))),
        }
    }
}

/// What a page about an error says, in the system's words.
async fn title(mut answer: Response) -> String {
    #[derive(Default, serde::Deserialize)]
    struct Errors {
        #[serde(default)]
        errors: Vec<Named>,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        title: String,
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > ERROR_LIMIT {
            break;
        }
    }
    let errors: Errors = serde_json::from_slice(&body).unwrap_or_default();
    let titles: Vec<String> = errors.errors.into_iter().map(|error| error.title).filter(|t| !t.is_empty()).collect();
    let told = if titles.is_empty() { "it does not say why".to_owned() } else { titles.join("; ") };
    told.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn broken(error: &reqwest::Error) -> Failure {
    let why = tls::says(error).unwrap_or_else(|| innermost(error));
    if error.is_connect() || error.is_builder() {
        Failure::Unreachable(why)
    } else if error.is_timeout() {
        Failure::Unclear(format!("no answer for {} s", SILENCE.as_secs()))
    } else {
        Failure::Unclear(format!("the connection broke off ({why})"))
    }
}
