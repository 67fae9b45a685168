//! Passwords, against a server that takes them (OpenSSH's would need an account of this machine).

use std::sync::{Arc, Mutex};

use russh::keys::PrivateKey;
use russh::server::{Auth, Config, Response, Server as _};
use russh::{MethodKind, MethodSet};

use super::super::testing::*;
use super::why;
use crate::connectors::Connector;
use crate::connectors::ssh::agent::Agents;
use crate::connectors::ssh::session::Fault;
use crate::connectors::ssh::{Ssh, Way};
use crate::model::connection::{self, Connection, HostKeys, Kind};
use crate::model::plan::Caller;
use crate::model::secret::Secret;

/// What it asks before it lets `ops` in with `sesame`.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    Password,
    Keyboard,
    /// A password, and then a code.
    Code,
}

/// Every password it was given.
type Given = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Door(Asks, Given);

impl russh::server::Server for Door {
    type Handler = Self;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Self {
        self.clone()
    }
}

impl Door {
    fn judge(&self, password: &str) -> Auth {
        self.1.lock().unwrap().push(password.to_owned());
        if password == "sesame" { Auth::Accept } else { Auth::reject() }
    }
}

impl russh::server::Handler for Door {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.judge(password))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            let mut prompts = vec![("Password: ".into(), false)];
            if self.0 == Asks::Code {
                prompts.push(("\u{1b}[2JVerification code: ".into(), true));
            }
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() });
        };
        let password = response.next().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        Ok(self.judge(&password))
    }
}

/// A server, and a connector that knows `count` hosts, all of them there.
async fn bench(asks: Asks, count: usize) -> (tempfile::TempDir, Given, Ssh) {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "host", "ed25519", "");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let method = if asks == Asks::Password { MethodKind::Password } else { MethodKind::KeyboardInteractive };
    let config = Config {
        keys: vec![PrivateKey::from_openssh(std::fs::read(&key).unwrap()).unwrap()],
        methods: MethodSet::from([MethodKind::PublicKey, method].as_slice()),
        auth_rejection_time: std::time::Duration::ZERO,
        ..Config::default()
    };
    let given = Given::default();
    let mut door = Door(asks, Arc::clone(&given));
    tokio::spawn(async move { door.run_on_socket(Arc::new(config), &listener).await });
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let known_hosts = folder.path().join("known_hosts");
    std::fs::write(&known_hosts, format!("[127.0.0.1]:{port} {public}")).unwrap();
    let hosts: String = (1..=count)
        .map(|n| format!("Host web{n:03}\n HostName 127.0.0.1\n Port {port}\n User ops\n IdentityFile none\n"))
        .collect();
    let ssh_config = folder.path().join("config");
    std::fs::write(&ssh_config, hosts).unwrap();
    let settings = connection::Ssh {
        ssh_config: Some(ssh_config),
        known_hosts: Some(known_hosts),
        host_keys: Some(HostKeys::Strict),
        home: folder.path().to_owned(),
        keep_seconds: 60,
        max_handshakes: 64,
        ..connection::Ssh::default()
    };
    let kind = Kind::Ssh(settings);
    let ssh = Ssh::new(Connection { name: "lab".to_owned(), kind, protected: false, read_only: false });
    (folder, given, ssh)
}

/// How each host lets us in, or why it does not.
async fn entered(ssh: &Ssh, count: usize) -> Vec<Result<String, String>> {
    let entries = (1..=count).map(async |n| {
        let (_, _, Way::Native(route)) = ssh.0.way(&format!("web{n:03}")) else { panic!("not native") };
        match ssh.0.pool.connection(&route, &Agents::default(), &mut |_: &str| {}).await {
            Ok((connection, _)) => Ok(connection.facts().authenticated),
            Err(Fault::Refused(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    });
    futures::future::join_all(entries).await
}

#[tokio::test]
async fn a_password_is_asked_for_once_when_a_server_has_said_that_it_takes_nothing_else() {
    for (asks, how) in [(Asks::Password, "password"), (Asks::Keyboard, "password, keyboard-interactive")] {
        let (_folder, given, ssh) = bench(asks, 6).await;
        let devices: Vec<_> = (1..=6).map(|n| on(order(""), &format!("web{n:03}")).device).collect();
        let caller = Caller::default();
        let questions = || ssh.questions(&devices, &caller);
        assert!(questions().await.is_empty(), "nothing is known of these hosts yet");
        let (outcome, _) = go(&ssh, order("echo hi\n")).await;
        assert!(outcome.refused && why(&outcome).contains("that of ops is asked for"), "{outcome:?}");
        entered(&ssh, 6).await;
        assert_eq!(given.lock().unwrap().len(), 0, "nothing was sent");

        let asked = questions().await;
        assert_eq!((asked.len(), asked[0].devices), (1, 6));
        assert!(asked[0].text.starts_with("password of ops"), "{asked:?}");
        ssh.answer(&asked[0].id, Secret::new("wrong")).await.unwrap();
        let told = entered(&ssh, 6).await;
        assert_eq!(given.lock().unwrap().as_slice(), ["wrong"], "one host was tried, not six");
        let spared = |told: &Result<String, String>| told.as_ref().is_err_and(|why| why.contains("not tried here"));
        assert_eq!(told.iter().filter(|told| spared(told)).count(), 5, "{told:?}");

        let again = questions().await;
        assert_eq!(again.len(), 1, "asked again");
        ssh.answer(&again[0].id, Secret::new("sesame")).await.unwrap();
        assert_eq!(entered(&ssh, 6).await, vec![Ok(how.to_owned()); 6]);
        assert!(questions().await.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_asks_for_more_than_a_password_is_refused_with_its_words_and_gets_none() {
    let (_folder, given, ssh) = bench(Asks::Code, 1).await;
    entered(&ssh, 1).await;
    let asked = ssh.questions(&[order("").device], &Caller::default()).await;
    ssh.answer(&asked[0].id, Secret::new("sesame")).await.unwrap();
    let told = entered(&ssh, 1).await.remove(0).unwrap_err();
    assert!(told.contains("more than a password: \"Password:\""), "{told}");
    assert!(given.lock().unwrap().is_empty());
}
