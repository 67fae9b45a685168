//! A receiver on this machine that answers as it is told: well, with 500, never, or by hanging up.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::model::job::JobSummary;
use crate::model::notify::{Kind, Turn};
use crate::model::secret::KeyRef;
use crate::model::state::{Counts, JobState};

#[derive(Clone, Copy)]
enum Manner {
    Answer(u16),
    /// Takes the request and says nothing.
    Never,
    HangUp,
}

/// One request as it came: head and body.
type Got = (String, String);

struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    heard: Arc<Notify>,
}

impl Receiver {
    /// One manner a request; after the last all is well.
    async fn new(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (got, heard): (Arc<Mutex<Vec<Got>>>, Arc<Notify>) = Default::default();
        let mut manners: VecDeque<Manner> = manners.iter().copied().collect();
        let (kept, bell) = (Arc::clone(&got), Arc::clone(&heard));
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                kept.lock().unwrap().push(request);
                match manners.pop_front().unwrap_or(Manner::Answer(204)) {
                    Manner::Answer(code) => {
                        let answer = format!("HTTP/1.1 {code} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                    Manner::Never => held.push(stream),
                    Manner::HangUp => drop(stream),
                }
                bell.notify_one();
            }
        });
        Self { url, got, heard }
    }

    /// Waits until so many requests came.
    async fn requests(&self, count: usize) -> Vec<Got> {
        loop {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= count {
                return got;
            }
            self.heard.notified().await;
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Got {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return (head.to_owned(), body.to_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => bytes.extend(&chunk[..count]),
            _ => return (String::new(), String::new()),
        }
    }
}

struct Stage {
    folder: tempfile::TempDir,
    events: Arc<Events>,
    hook: Webhook,
}

impl Stage {
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "hunter2\n").unwrap();
        let hook = Webhook { url: url.to_owned(), key: Some(KeyRef::File(key)), ca_file: None, on: Kind::ALL.to_vec() };
        Self { folder, events: Arc::default(), hook }
    }

    fn store(&self) -> Arc<Store> {
        let mut store = Store::open(self.folder.path()).unwrap();
        store.outbox.hooks = vec![self.hook.clone()];
        Arc::new(store)
    }

    /// The engine's part that delivers; tries again at once.
    fn work(&self, store: &Arc<Store>) -> tokio::task::JoinHandle<()> {
        self.work_within(store, Duration::from_millis(200))
    }

    fn work_within(&self, store: &Arc<Store>, patience: Duration) -> tokio::task::JoinHandle<()> {
        let mut post = Post::new(Arc::clone(store), Arc::clone(&self.events));
        post.again = vec![Duration::ZERO; 3];
        post.patience = patience;
        tokio::spawn(post.work())
    }

    async fn note(&self, store: &Store, job: u64) {
        let (hook, job) = (self.hook.clone(), summary(job));
        let turn = Turn { kind: Kind::Done, key: "ended".into(), text: format!("job {} is done", job.id) };
        store.db.call(move |db| outbox::note(db, &job, &turn, &[hook])).await.unwrap();
    }
}

fn summary(id: u64) -> JobSummary {
    JobSummary::sample(id, JobState::Done, Counts::default())
}

/// Until nothing waits to be delivered.
async fn emptied(store: &Store) {
    loop {
        let left: i64 =
            store.db.call(|db| db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))).await.unwrap();
        if left == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).split_once(": ").unwrap().1
}

#[tokio::test]
async fn a_transition_is_posted_once_and_signed() {
    let receiver = Receiver::new(&[]).await;
    let stage = Stage::new(&receiver.url);
    let store = stage.store();
    stage.note(&store, 7).await;
    stage.note(&store, 7).await;
    let working = stage.work(&store);
    emptied(&store).await;
    let got = receiver.requests(1).await;
    assert_eq!(got.len(), 1, "one, though it was noted twice");
    let (head, body) = &got[0];
    let at = header(head, "quarterdeck-timestamp");
    assert_eq!(header(head, "quarterdeck-signature"), format!("sha256={}", sign(b"hunter2", at, body)));
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["event"], &body["key"], &body["job"]["id"]), (&"done".into(), &"7:ended".into(), &7.into()));
    assert_eq!(body["schema_version"], 1);
    working.abort();
}

/// One that speaks TLS as `localhost`, and the file with its certificate.
async fn secure(folder: &std::path::Path) -> (Receiver, std::path::PathBuf) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let authority = folder.join("ca.pem");
    std::fs::write(&authority, own.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/hook?token=hunter2", listener.local_addr().unwrap().port());
    let (got, heard): (Arc<Mutex<Vec<Got>>>, Arc<Notify>) = Default::default();
    let (kept, bell) = (Arc::clone(&got), Arc::clone(&heard));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // who does not trust it hangs up here
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let request = request(&mut stream).await;
            kept.lock().unwrap().push(request);
            let _ = stream.write_all(b"HTTP/1.1 204 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
            bell.notify_one();
        }
    });
    (Receiver { url, got, heard }, authority)
}

#[tokio::test]
async fn over_tls_only_a_receiver_whose_certificate_is_vouched_for_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, authority) = secure(folder.path()).await;
    let stage = Stage::new(&receiver.url);
    let store = stage.store();
    let mut told = stage.events.listen(None);
    stage.note(&store, 1).await;
    let working = stage.work_within(&store, Duration::from_secs(20));
    emptied(&store).await;
    let said = told.next().await.unwrap().1;
    assert!(said.contains("could not be told (invalid peer certificate"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(receiver.got.lock().unwrap().len(), 0, "nothing was said to it");
    working.abort();

    let mut stage = Stage::new(&receiver.url);
    stage.hook.ca_file = Some(authority);
    let store = stage.store();
    stage.note(&store, 1).await;
    let working = stage.work_within(&store, Duration::from_secs(20));
    let got = receiver.requests(1).await;
    assert!(got[0].0.starts_with("POST /hook?token=hunter2 HTTP/1.1"), "{}", got[0].0);
    assert!(got[0].1.contains("\"1:ended\""), "{}", got[0].1);
    working.abort();
}

#[tokio::test]
async fn what_was_delivered_is_not_delivered_by_the_next_engine_and_what_was_not_is() {
    let receiver = Receiver::new(&[]).await;
    let stage = Stage::new(&receiver.url);
    let store = stage.store();
    stage.note(&store, 1).await;
    let working = stage.work(&store);
    emptied(&store).await;
    working.abort();
    stage.note(&store, 2).await;
    drop(store);
    let store = stage.store();
    stage.note(&store, 1).await;
    stage.note(&store, 2).await;
    let working = stage.work(&store);
    emptied(&store).await;
    let keys: Vec<_> = receiver.requests(2).await.iter().map(|(_, body)| body.contains("\"2:ended\"")).collect();
    assert_eq!(keys, [false, true]);
    working.abort();
}

#[tokio::test]
async fn a_receiver_that_fails_hangs_up_or_never_answers_is_tried_again() {
    let receiver = Receiver::new(&[Manner::Answer(500), Manner::HangUp, Manner::Never]).await;
    let stage = Stage::new(&receiver.url);
    let store = stage.store();
    let mut told = stage.events.listen(None);
    stage.note(&store, 7).await;
    let working = stage.work(&store);
    emptied(&store).await;
    let got = receiver.requests(4).await;
    let ids: Vec<&str> = got.iter().map(|(head, _)| header(head, "quarterdeck-delivery")).collect();
    assert_eq!(ids, [ids[0]; 4], "a repeat can be told by its id");
    let said = told.next().await.unwrap().1;
    assert!(said.contains("could not be told (it answered 500): it is tried again"), "{said}");
    assert!(said.contains("http://127.0.0.1:") && !said.contains("/hook"), "its path may be a token: {said}");
    working.abort();
}

#[tokio::test]
async fn one_that_cannot_be_delivered_is_given_up_and_said_and_the_next_one_goes_out() {
    let receiver = Receiver::new(&[Manner::Answer(404)]).await;
    let stage = Stage::new(&receiver.url);
    let store = stage.store();
    let mut told = stage.events.listen(None);
    stage.note(&store, 1).await;
    stage.note(&store, 2).await;
    let working = stage.work(&store);
    emptied(&store).await;
    assert_eq!(receiver.requests(2).await.len(), 2, "a 404 is not asked again");
    let said = told.next().await.unwrap().1;
    assert!(said.contains("was not told (it answered 404): given up"), "{said}");
    working.abort();

    // nobody listens at all
    let stage = Stage::new("http://127.0.0.1:1/");
    let store = stage.store();
    let mut told = stage.events.listen(None);
    stage.note(&store, 1).await;
    let working = stage.work(&store);
    emptied(&store).await;
    assert!(told.next().await.unwrap().1.contains("it is tried again"));
    assert!(told.next().await.unwrap().1.contains("given up"));
    working.abort();
}

#[tokio::test]
async fn without_its_key_nothing_is_sent_unsigned() {
    let receiver = Receiver::new(&[]).await;
    let mut stage = Stage::new(&receiver.url);
    stage.hook.key = Some(KeyRef::File("/nonexistent/key".into()));
    let store = stage.store();
    let mut told = stage.events.listen(None);
    stage.note(&store, 1).await;
    let working = stage.work(&store);
    emptied(&store).await;
    assert!(told.next().await.unwrap().1.contains("its key, the file /nonexistent/key: No such file"));
    assert_eq!(receiver.got.lock().unwrap().len(), 0);
    working.abort();
}

#[tokio::test]
async fn too_many_that_wait_are_not_kept() {
    let stage = Stage::new("http://127.0.0.1:1/");
    let store = stage.store();
    let (hook, job) = (stage.hook.clone(), summary(1));
    let dropped = store
        .db
        .call(move |db| {
            let mut dropped = 0;
            for n in 0..1_010 {
                let turn = Turn { kind: Kind::Signature, key: format!("signature:{n}"), text: String::new() };
                dropped += outbox::note(db, &job, &turn, std::slice::from_ref(&hook))?;
            }
            Ok(dropped)
        })
        .await
        .unwrap();
    assert_eq!(dropped, 10);
}
