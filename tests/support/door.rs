//! The engine's door on the network, and who knocks: requests byte by byte, as good and as bad as a test wants them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::PATIENCE;
use super::home::Home;
use super::verb::{Going, Lines};

/// An engine that listens on a port of 127.0.0.1.
pub struct Door {
    pub going: Going,
    pub url: String,
    pub address: SocketAddr,
    _lines: Lines,
}

impl Door {
    /// `quarterdeck serve --listen 127.0.0.1:0`, with more of the same.
    #[track_caller]
    pub fn open<const N: usize>(home: &Home, more: [&str; N]) -> Self {
        let mut going = home.verb(["serve", "--json", "--listen", "127.0.0.1:0"]).args(more).spawn();
        let lines = going.lines();
        let mut text = String::new();
        let told: Value = loop {
            text.push_str(&lines.next().unwrap_or_else(|| panic!("it ended: {text}")));
            if let Ok(value) = serde_json::from_str(&text) {
                break value;
            }
        };
        let url = told["listen"].as_str().expect("where it listens").to_owned();
        let address = url.rsplit('/').next().and_then(|address| address.parse().ok()).expect("an address");
        Self { going, url, address, _lines: lines }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a limit");
        stream
    }

    /// Sends these bytes; what comes back until the other side closes.
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let mut stream = self.connect();
        // whoever is refused early may not get to say all of it
        let _ = stream.write_all(bytes.as_ref());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// One request, on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: &Request<'_>) -> Answer {
        Answer::read(&self.raw(request.bytes()))
    }

    #[track_caller]
    pub fn get(&self, key: &str, path: &str) -> Answer {
        self.ask(&Request::new("GET", path).basic(key))
    }

    #[track_caller]
    pub fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.ask(&Request::new("POST", path).basic(key).json(body))
    }
}

pub struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// A path below `/api/v1`, or one of its own that begins with `!`.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn basic(self, key: &str) -> Self {
        self.header("Authorization", format!("Basic {}", STANDARD.encode(format!("{key}:"))))
    }

    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("Authorization", format!("Bearer {key}"))
    }

    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Type", kind).header("Content-Length", length)
    }

    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn bytes(&self) -> Vec<u8> {
        let path = self.path.strip_prefix('!').map_or_else(|| format!("/api/v1{}", self.path), str::to_owned);
        let mut text = format!("{} {path} HTTP/1.1\r\nHost: bastion\r\nConnection: close\r\n", self.method);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

#[derive(Debug)]
pub struct Answer {
    /// 0: closed without a word.
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else { return Self { status: 0, head: String::new(), body: bytes.to_vec() } };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut body = bytes[end + 4..].to_vec();
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            body = unchunked(&body);
        }
        Self { status, head, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {} {}", self.head, String::from_utf8_lossy(&self.body)))
    }

    /// The title of a refusal, as SimpleMDM says it.
    #[track_caller]
    pub fn title(&self) -> String {
        let kind = self.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/json"), "{self:?}");
        self.json()["errors"][0]["title"].as_str().unwrap_or_else(|| panic!("no title: {self:?}")).to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {}", self.head, String::from_utf8_lossy(&self.body));
        self
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && end + 2 + size <= rest.len()) else { break };
        body.extend(&rest[end + 2..end + 2 + size]);
        rest = &rest[(end + 4 + size).min(rest.len())..];
    }
    body
}

/// Makes a key.
#[track_caller]
pub fn key<const N: usize>(home: &Home, name: &str, more: [&str; N]) -> String {
    home.verb(["tokens", "add", name]).args(more).run().ok().text().trim().to_owned()
}
