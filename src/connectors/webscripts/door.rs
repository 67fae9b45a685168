//! HTTP to one server (contract A1): one request on a connection of its own, one answer, bounded. No redirects, no
//! cookies, no proxies: a redirect would make a page of the server's own out of a refusal, and a cookie poisons the
//! session. No time limit either, since an answer that nobody waits for is lost for good; a peer that is gone is noticed
//! by TCP itself.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue, ORIGIN, SERVER, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::connectors::tls;
use crate::model::cause::innermost;
use crate::model::secret::Secret;

/// Until somebody takes the connection.
const CONNECT: Duration = Duration::from_secs(10);
/// A peer that says nothing for so long is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What an answer may be in bytes: a launch or poll, the index, a login or a page about an error.
pub const OUTPUT_LIMIT: usize = 128 << 20;
pub const INDEX_LIMIT: usize = 16 << 20;
pub const PAGE_LIMIT: usize = 256 << 10;

pub struct Door {
    http: Client,
    base: String,
    origin: HeaderValue,
}

/// One request.
#[derive(Clone)]
pub struct Ask {
    /// Below the base address, already encoded.
    pub path: String,
    /// `None`: GET. Never GET a script's own address: that runs it.
    pub body: Option<Bytes>,
    pub limit: usize,
}

impl Ask {
    pub fn get(path: impl Into<String>, limit: usize) -> Self {
        Self { path: path.into(), body: None, limit }
    }

    pub fn post(path: impl Into<String>, body: Vec<u8>, limit: usize) -> Self {
        Self { path: path.into(), body: Some(body.into()), limit }
    }
}

/// An answer, whatever it says.
pub struct Reply {
    pub status: u16,
    /// `WebScripts 3.0.39`
    pub server: String,
    pub cookie: Option<Secret>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nobody took the connection: nothing was sent.
    Unreachable(String),
    /// It broke off after something was sent.
    Cut(String),
    /// It is larger than it may be, in MiB.
    TooLarge(usize),
}

impl Broken {
    pub fn says(&self) -> String {
        match self {
            Broken::Unreachable(why) | Broken::Cut(why) => why.clone(),
            Broken::TooLarge(most) => format!("its answer is larger than {most} MiB"),
        }
    }
}

impl Door {
    /// Reads files. `Err`: the address cannot be used, or not the certificates.
    pub fn new(base: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let url = Url::parse(base).map_err(|error| format!("{base}: {error}"))?;
        // the server holds Host and Origin against each other, letter by letter
        let origin = HeaderValue::from_str(&url.origin().ascii_serialization()).map_err(|error| error.to_string())?;
        let tls = if url.scheme() == "https" { tls::trusting(ca_file)? } else { tls::none() };
        let http = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .tcp_keepalive(KEEPALIVE)
            .tcp_keepalive_interval(Duration::from_secs(10))
            .tcp_keepalive_retries(3)
            .user_agent(concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), origin })
    }

    /// Asks and waits as long as it takes. Dropped half way, what the answer would have brought is lost.
    pub async fn ask(&self, ask: Ask, token: Option<&Secret>) -> Result<Reply, Broken> {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = match ask.body {
            None => self.http.get(url),
            Some(body) => self
                .http
                .post(url)
                .header(ORIGIN, self.origin.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body),
        };
        if let Some(mut token) = token.and_then(|token| HeaderValue::from_str(token.expose()).ok()) {
            token.set_sensitive(true);
            request = request.header("Api-Token", token);
        }
        let mut answer = request.send().await.map_err(|error| broken(&error))?;
        let word =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let cookie = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).map(Secret::new);
        let (status, server) = (answer.status().as_u16(), word(SERVER));
        // (a page about an error says nothing that its status does not)
        let limit = if status == 200 { ask.limit } else { PAGE_LIMIT };
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
                Ok(Some(_)) | Err(_) if status != 200 => break,
                Ok(Some(_)) => return Err(Broken::TooLarge(limit >> 20)),
                Err(error) => return Err(Broken::Cut(format!("its answer broke off ({})", innermost(&error)))),
            }
        }
        Ok(Reply { status, server, cookie, body })
    }
}

fn broken(error: &reqwest::Error) -> Broken {
    let why = tls::says(error).unwrap_or_else(|| innermost(error));
    if error.is_connect() || error.is_builder() {
        Broken::Unreachable(why)
    } else {
        Broken::Cut(format!("the connection broke off ({why})"))
    }
}

/// A name as one part of a path.
pub fn encoded(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut path, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(encoded("report.py"), "report.py");
        assert_eq!(encoded("a b/../ö?#%"), "a%20b%2F..%2F%C3%B6%3F%23%25");
        assert_eq!(encoded("9vIC-_U=="), "9vIC-_U%3D%3D");
    }

    #[test]
    fn host_and_origin_are_the_same_text() {
        for (base, origin) in [
            ("http://h:8000/ws", "http://h:8000"),
            ("http://h:80", "http://h"),
            ("http://LOCALHOST:8000", "http://localhost:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("https://h:443/ws", "https://h"),
            ("https://h:8443", "https://h:8443"),
        ] {
            assert_eq!(Door::new(base, None).map(|door| door.origin), Ok(HeaderValue::from_static(origin)));
        }
        assert!(Door::new("http://", None).is_err());
        let missing = Door::new("https://h", Some(Path::new("/nowhere/ca.pem"))).map(|_| ()).unwrap_err();
        assert!(missing.starts_with("/nowhere/ca.pem: "), "{missing}");
    }
}
