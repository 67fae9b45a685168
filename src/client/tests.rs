//! The client against a socket that answers what it is told to.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::model::wire::{Code, PROTOCOL};

/// Bytes in chunks of these lengths, again and again.
pub fn cut(mut wire: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    for length in lengths.iter().cycle() {
        if wire.is_empty() {
            break;
        }
        let (chunk, behind) = wire.split_at((*length).min(wire.len()));
        chunks.push(chunk.to_vec());
        wire = behind;
    }
    chunks
}

struct Desk {
    folder: tempfile::TempDir,
    paths: Paths,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let paths = Paths {
            config: at("config.toml"),
            data: at("data"),
            state: at("state"),
            library: at("library"),
            socket: at("engine.sock"),
            agent: None,
            from: String::new(),
        };
        Self { folder, paths }
    }

    /// Answers every request with what stands behind its path, on connections that stay open.
    fn answer(&self, answers: &'static [(&'static str, &'static str)]) {
        let listener = UnixListener::bind(&self.paths.socket).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers));
            }
        });
    }

    fn program(&self, script: &str) -> PathBuf {
        let path = self.folder.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }
}

async fn serve(mut stream: UnixStream, answers: &[(&str, &str)]) {
    let mut request = Vec::new();
    let mut byte = [0];
    while stream.read_exact(&mut byte).await.is_ok() {
        request.push(byte[0]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(std::mem::take(&mut request)).unwrap();
        let length =
            text.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let line = text.lines().next().unwrap().trim_end_matches(" HTTP/1.1").replace("/api/v1/", "");
        let answer = answers.iter().find(|(path, _)| *path == line).map(|(_, answer)| *answer);
        let answer = answer.unwrap_or_else(|| panic!("nobody expected {line}"));
        stream.write_all(answer.as_bytes()).await.unwrap();
        if !answer.contains("ontent-length") {
            return; // a body that ends with its connection
        }
    }
}

macro_rules! json {
    ($status:literal, $body:expr) => {
        concat!("HTTP/1.1 ", $status, "\r\nconnection: close\r\n\r\n", $body)
    };
}

const HELLO: (&str, &str) = (
    "GET hello",
    json!(
        "200 OK",
        r#"{"version":"0.1.0","protocol":5,"pid":1,"confirm_above":10,"at_once":256,"library":"/l","notices":["careful"],"last_event":9}"#
    ),
);

#[tokio::test]
async fn an_engine_that_is_there_is_found_and_greeted() {
    assert_eq!(PROTOCOL, 5);
    let desk = Desk::new();
    desk.answer(&[HELLO, ("GET jobs?limit=3", json!("200 OK", "[]"))]);
    let client = Client::find(&desk.paths).await.unwrap();
    assert_eq!((client.hello().last_event, client.hello().notices.len()), (9, 1));
    assert_eq!(client.jobs(3).await.unwrap(), []);
}

#[tokio::test]
async fn an_engine_of_another_protocol_is_named_with_how_to_replace_it() {
    let desk = Desk::new();
    desk.answer(&[("GET hello", json!("200 OK", r#"{"version":"0.9.0","protocol":7,"pid":4711,"else":{}}"#))]);
    let error = Client::attach(&desk.paths).await.err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, ClientError::Version { .. }));
    for part in ["0.9.0", "4711", "protocol 7", "serve --replace"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn without_an_engine_find_says_so_and_starts_none() {
    let desk = Desk::new();
    assert!(matches!(Client::find(&desk.paths).await, Err(ClientError::NoEngine { .. })));
    // A socket file that outlived its engine is no engine either.
    drop(std::os::unix::net::UnixListener::bind(&desk.paths.socket).unwrap());
    assert!(matches!(Client::find(&desk.paths).await, Err(ClientError::NoEngine { .. })));
    assert!(!desk.paths.state.exists());
}

#[tokio::test]
async fn an_engine_that_cannot_start_is_quoted() {
    let desk = Desk::new();
    let program = desk.program("echo \"$@\" >&2; echo 'the store is locked' >&2; exit 1");
    let error = Client::attach_with(&desk.paths, &program).await.err().unwrap().to_string();
    assert!(error.contains("the store is locked") && error.contains("engine.log"), "{error}");
    let log = std::fs::read_to_string(desk.paths.engine_log()).unwrap();
    assert!(log.starts_with(&format!("--config {} serve --background", desk.paths.config.display())), "{log}");
}

#[tokio::test]
async fn a_starter_that_lost_the_race_takes_the_winners_engine() {
    let desk = Desk::new();
    let started = desk.folder.path().join("started");
    let program = desk.program(&format!("touch {}; exit 0", started.display()));
    let attach = Client::attach_with(&desk.paths, &program);
    let winner = async {
        while !started.exists() {
            tokio::task::yield_now().await;
        }
        desk.answer(&[HELLO]);
    };
    let (client, ()) = tokio::join!(attach, winner);
    assert_eq!(client.unwrap().hello().pid, 1);
}

#[tokio::test]
async fn a_refusal_comes_with_its_reason_and_column() {
    let desk = Desk::new();
    desk.answer(&[
        HELLO,
        (
            "POST targets/resolve",
            json!("400 Bad Request", r#"{"code":"invalid","error":"nothing is called `wbe`","column":4}"#),
        ),
        ("GET targets", json!("500 Internal Server Error", "<html>")),
        ("GET library", json!("200 OK", "{")),
    ]);
    let client = Client::find(&desk.paths).await.unwrap();
    let Err(ClientError::Refused(problem)) = client.resolve("db|wbe").await else { panic!("not refused") };
    assert_eq!((problem.code, problem.column), (Code::Invalid, Some(4)));
    let error = client.targets().await.unwrap_err().to_string();
    assert!(error.contains("reading the targets") && error.contains("500"), "{error}");
    let error = client.library().await.unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn events_end_with_the_engine() {
    let desk = Desk::new();
    desk.answer(&[HELLO, ("GET events?since=4", json!("200 OK", "id: 5\ndata: {\"event\":\"library\"}\n\n"))]);
    let client = Client::find(&desk.paths).await.unwrap();
    let events: Vec<_> = client.events(Some(4)).await.unwrap().collect().await;
    assert!(matches!(events[..], [Ok((5, Event::Library)), Err(ClientError::Lost { .. })]), "{events:?}");
}

#[tokio::test]
async fn a_stream_that_is_cut_is_lost_not_ended() {
    let desk = Desk::new();
    desk.answer(&[HELLO, ("GET jobs/7/stream?start=true", json!("200 OK", "\x01\0\0\0"))]);
    let client = Client::find(&desk.paths).await.unwrap();
    let frames: Vec<_> = client.stream(7, true).await.unwrap().collect().await;
    assert!(matches!(frames[..], [Err(ClientError::Lost { .. })]), "{frames:?}");
}

#[tokio::test]
async fn an_engine_that_has_gone_is_lost() {
    let desk = Desk::new();
    desk.answer(&[HELLO]);
    let client = Client::find(&desk.paths).await.unwrap();
    std::fs::remove_file(&desk.paths.socket).unwrap();
    assert!(matches!(client.jobs(1).await, Err(ClientError::Lost { .. })));
}

#[tokio::test]
async fn an_engine_at_work_with_an_older_configuration_is_used_and_says_so() {
    let desk = Desk::new();
    let answer = json!(
        "200 OK",
        r#"{"version":"0.1.0","protocol":5,"pid":1,"confirm_above":10,"at_once":256,"library":"/l","notices":[],
            "last_event":9,"busy":true,"config_mark":"0","config":"#
    );
    let answer = format!("{answer}{:?}}}", desk.paths.config);
    desk.answer(Box::leak(Box::new([("GET hello", &*Box::leak(answer.into_boxed_str()))])));
    let client = Client::attach(&desk.paths).await.unwrap();
    let why = client.stale(&desk.paths).unwrap();
    assert!(why.contains("before") && why.contains("config.toml") && why.contains("--replace"), "{why}");
}

#[tokio::test]
async fn an_engine_at_work_with_another_configuration_file_is_not_misused() {
    let desk = Desk::new();
    desk.answer(&[(
        "GET hello",
        json!(
            "200 OK",
            r#"{"version":"0.1.0","protocol":5,"pid":4711,"confirm_above":10,"at_once":256,"library":"/l","notices":[],
            "last_event":9,"busy":true,"config_mark":"0","config":"/etc/other.toml"}"#
        ),
    )]);
    let error = Client::attach(&desk.paths).await.err().unwrap().to_string();
    assert!(error.contains("/etc/other.toml") && error.contains("4711") && error.contains("--replace"), "{error}");
}
