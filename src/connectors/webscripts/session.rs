//! As whom a server is asked (contract A3): one login, whose token is kept in memory alone and used until the server
//! does not take it any more. The server counts logins that succeed, and shuts out the whole machine at the fourth in a
//! row: there are never two within [`PAUSE`], whichever engine made the first, and user, password and key go nowhere but into the login.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::answer;
use super::door::{Ask, Broken, Door, INDEX_LIMIT, PAGE_LIMIT};
use super::logins::Logins;
use crate::connectors::reference;
use crate::model::connection::{Environment, Login};
use crate::model::secret::{KeyRef, Secret};

/// Between two logins.
const PAUSE: Duration = Duration::from_secs(30);

/// Unless the server says how long a session lasts.
const HOUR: Duration = Duration::from_secs(3600);

pub struct Session {
    login: Login,
    environment: Environment,
    state: Mutex<State>,
    logins: AtomicU64,
    before: Logins,
}

#[derive(Default)]
struct State {
    token: Option<(Secret, Instant)>,
    /// When a login was last tried, and why it did not succeed.
    tried: Option<(Instant, Option<String>)>,
    /// The server asks nobody who they are.
    open: bool,
}

impl State {
    fn live(&self) -> Option<&Secret> {
        self.token.as_ref().filter(|(_, until)| Instant::now() < *until).map(|(token, _)| token)
    }
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// For a person: what the server, or we, have against it.
    Refused(String),
    /// Logging in again must wait so long.
    Wait(Duration),
    /// This machine is shut out for the moment.
    Banned,
    Broken(Broken),
}

impl From<Broken> for Denied {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Session {
    pub fn new(login: Login, environment: Environment, before: Logins) -> Self {
        Self { login, environment, state: Mutex::default(), logins: AtomicU64::new(0), before }
    }

    /// As whom, for people.
    pub fn whom(&self) -> String {
        match &self.login {
            Login::None => "nobody".to_owned(),
            Login::Password { user, .. } => format!("user {user}"),
            Login::ApiKey(_) => "the owner of the API key".to_owned(),
        }
    }

    /// Something to log in with is configured.
    pub fn has_login(&self) -> bool {
        self.login != Login::None
    }

    /// How often somebody was logged in.
    pub fn logins(&self) -> u64 {
        self.logins.load(Ordering::Relaxed)
    }

    /// A server that asked nobody who they are does so now.
    pub async fn closed(&self) {
        self.state.lock().await.open = false;
    }

    /// The session has died, as far as can be seen.
    pub async fn renew(&self) {
        self.state.lock().await.token = None;
    }

    /// The token, logging in where there is none. `worn`: one that the server did not take. `None`: none is needed.
    pub async fn token(&self, door: &Door, worn: Option<&Secret>) -> Result<Option<Secret>, Denied> {
        if self.login == Login::None {
            return Ok(None);
        }
        let mut state = self.state.lock().await;
        if state.open {
            return Ok(None);
        }
        if let Some(token) = state.live().filter(|token| Some(*token) != worn) {
            return Ok(Some(token.clone()));
        }
        state.token = None;
        if let Some(denied) = self.held_up(&state).await {
            return Err(denied);
        }
        let body = self.body().await.map_err(Denied::Refused)?;
        self.before.note().await;
        let done = self.log_in(door, body).await;
        if matches!(done, Ok(None) | Err(Denied::Refused(_) | Denied::Banned | Denied::Broken(Broken::Unreachable(_))))
        {
            self.before.forget().await;
        }
        if !matches!(done, Err(Denied::Broken(Broken::Unreachable(_)) | Denied::Banned)) {
            let failed = match &done {
                Err(Denied::Refused(why)) => Some(why.clone()),
                _ => None,
            };
            state.tried = Some((Instant::now(), failed));
        }
        state.token = done?;
        state.open = state.token.is_none();
        self.logins.fetch_add(u64::from(!state.open), Ordering::Relaxed);
        Ok(state.token.as_ref().map(|(token, _)| token.clone()))
    }

    /// What keeps us from logging in now.
    async fn held_up(&self, state: &State) -> Option<Denied> {
        if let Some((at, failed)) = &state.tried
            && let Some(left) = PAUSE.checked_sub(at.elapsed()).filter(|left| !left.is_zero())
        {
            let again = |why: &String| Denied::Refused(format!("{why} (as of {} s ago)", at.elapsed().as_secs()));
            return Some(failed.as_ref().map_or(Denied::Wait(left), again));
        }
        let left = self.before.left(PAUSE).await;
        (!left.is_zero()).then_some(Denied::Wait(left))
    }

    /// How long whoever asks now would wait for the next login.
    pub async fn waits(&self) -> Option<Duration> {
        let state = self.state.lock().await;
        if !self.has_login() || state.open || state.live().is_some() {
            return None;
        }
        match self.held_up(&state).await {
            Some(Denied::Wait(left)) => Some(left),
            _ => None,
        }
    }

    async fn body(&self) -> Result<Vec<u8>, String> {
        let arguments = match &self.login {
            Login::None => serde_json::json!({}),
            Login::Password { user, password } => {
                let password = self.secret("password", password).await?;
                serde_json::json!({
                    "--username": { "value": user, "input": false },
                    "--password": { "value": password.expose(), "input": false },
                })
            }
            Login::ApiKey(key) => {
                let key = self.secret("API key", key).await?;
                serde_json::json!({ "--api-key": { "value": key.expose(), "input": false } })
            }
        };
        Ok(serde_json::json!({ "arguments": arguments }).to_string().into_bytes())
    }

    async fn secret(&self, what: &str, from: &KeyRef) -> Result<Secret, String> {
        let read = reference::read(from, |name| self.environment.0.get(name).cloned()).await;
        let bytes = read.map_err(|why| format!("the {what}, {from}: {why}"))?;
        let secret = String::from_utf8(bytes).map_err(|_| format!("the {what}, {from}: it is not UTF-8"))?;
        if secret.starts_with('-') {
            return Err(format!(
                "the {what}, {from}, begins with `-`: WebScripts takes it for an option, and cannot log in with it"
            ));
        }
        Ok(Secret::new(secret))
    }

    /// `None`: the server asks nobody who they are.
    async fn log_in(&self, door: &Door, body: Vec<u8>) -> Result<Option<(Secret, Instant)>, Denied> {
        let began = Instant::now();
        let whom = self.whom();
        let reply = door.ask(Ask::post("/auth/", body, PAGE_LIMIT), None).await?;
        let refused = |why: String| Err(Denied::Refused(why));
        match (reply.status, reply.cookie) {
            (302 | 200, Some(cookie)) => {
                let token = cookie.expose().split(';').next().unwrap_or_default().trim();
                if !token.starts_with("SessionID=") {
                    return refused("the server set another cookie than WebScripts does: is it one?".to_owned());
                }
                if token.starts_with("SessionID=0:") {
                    return refused(format!(
                        "the server does not accept {whom}: wrong password or key, unknown, or not allowed from this machine"
                    ));
                }
                let lasts = lasting(cookie.expose());
                Ok(Some((Secret::new(token), began + lasts - (lasts / 10).min(PAUSE))))
            }
            (403, _) => {
                let index = door.ask(Ask::get("/api/", INDEX_LIMIT), None).await?;
                match index.status {
                    403 => Err(Denied::Banned),
                    200 if answer::index(&index.body)
                        .is_ok_and(|read| read.iter().all(|(name, _)| name != "/auth/")) =>
                    {
                        Ok(None)
                    }
                    _ => refused("the server refuses every login (403)".to_owned()),
                }
            }
            (404, _) => refused("there is no WebScripts at this address (404): is the path in `url` right?".to_owned()),
            (406, _) => refused(unfit()),
            (500, _) => refused(format!(
                "the login failed on the server (500): its authentication script is broken, or cannot take the name of {whom}"
            )),
            (status, _) => refused(format!("the server answered the login with {status}: is it WebScripts?")),
        }
    }
}

/// What a 406 means.
pub fn unfit() -> String {
    "the server refuses the form of the request (406): something between here and there changes the address; `url` must \
     be the one by which the server itself is called"
        .to_owned()
}

/// How long the session lasts, by its cookie.
fn lasting(cookie: &str) -> Duration {
    let ages = cookie.split(';').filter_map(|part| part.trim().strip_prefix("Max-Age="));
    ages.filter_map(|age| age.parse().ok()).map(Duration::from_secs).find(|age| *age <= 365 * 24 * HOUR).unwrap_or(HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_as_long_as_its_cookie_says() {
        for (cookie, seconds) in [
            ("SessionID=2:e7; Path=/; SameSite=Strict; Max-Age=120; Secure; HttpOnly", 120),
            ("SessionID=2:e7; Path=/", 3600),
            ("SessionID=2:e7; Max-Age=soon", 3600),
            ("SessionID=2:e7; Max-Age=99999999999999", 3600),
        ] {
            assert_eq!(lasting(cookie), Duration::from_secs(seconds), "{cookie}");
        }
    }

    #[tokio::test]
    async fn what_cannot_log_in_is_said_before_anything_is_sent() {
        let environment = Environment(
            [("WS".to_owned(), "-x".to_owned())].into_iter().collect::<std::collections::BTreeMap<_, _>>().into(),
        );
        for (name, said) in [("WS", "begins with `-`"), ("OTHER", "not set")] {
            let login = Login::ApiKey(KeyRef::Env(name.to_owned()));
            let folder = tempfile::tempdir().unwrap();
            let before = Logins::at(folder.path(), "http://127.0.0.1:1");
            let session = Session::new(login, environment.clone(), before);
            // nothing listens there: a request would say so
            let door = Door::new("http://127.0.0.1:1", None).expect("an address");
            match session.token(&door, None).await {
                Err(Denied::Refused(why)) => assert!(why.contains(said), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
