//! Proving who we are.

use std::path::Path;
use std::time::Duration;

use super::super::testing::*;
use super::why;
use crate::connectors::{Connector, Outcome};
use crate::model::plan::Caller;
use crate::model::secret::Secret;

#[tokio::test]
async fn a_refused_key_is_told_and_not_tried_again() {
    let server = Sshd::start("");
    std::fs::write(server.path("authorized_keys"), "").unwrap();
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("echo ran\n")).await;
    assert!(outcome.refused);
    assert!(why(&outcome).contains("web001 refuses"), "{outcome:?}");
    assert!(log.0.lock().unwrap().attempts.is_empty());
}

#[tokio::test]
async fn an_encrypted_key_is_asked_for_once_and_opens_every_host() {
    let server = Sshd::start("");
    let locked = keygen(server.folder.path(), "locked", "ed25519", "sesame");
    std::fs::copy(locked.with_extension("pub"), server.path("authorized_keys")).unwrap();
    let config: String =
        ["web001", "web002"].map(|alias| server.alias(alias).replace(text(&server.key), text(&locked))).concat();
    let ssh = server.connector_with(&config, |_| {});
    let (outcome, _) = go(&ssh, order("exit 0\n")).await;
    assert!(outcome.refused && why(&outcome).contains("encrypted"), "{outcome:?}");
    let devices: Vec<_> = ["web001", "web002"].map(|name| on(order(""), name).device).to_vec();
    let questions = ssh.questions(&devices, &Caller::default()).await;
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].devices, 2);
    assert!(questions[0].text.starts_with("passphrase of "));
    assert!(ssh.answer("/etc/passwd", Secret::new("x")).await.is_err(), "only what was asked");
    assert!(ssh.answer(&questions[0].id, Secret::new("wrong")).await.is_err());
    ssh.answer(&questions[0].id, Secret::new("sesame")).await.unwrap();
    assert!(ssh.questions(&devices, &Caller::default()).await.is_empty());
    for name in ["web001", "web002"] {
        assert_eq!(go(&ssh, on(order("exit 0\n"), name)).await.0, Outcome::exited(0));
    }
}

/// A private agent holding these keys; ended when dropped.
struct Agent(std::process::Child, std::path::PathBuf);

impl Agent {
    fn start(folder: &Path, keys: &[&Path]) -> Self {
        let socket = folder.join("agent");
        let child = std::process::Command::new("ssh-agent")
            .args(["-D", "-a", text(&socket)])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("this test needs ssh-agent (Debian: openssh-client)");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        for key in keys {
            run("env", &[&format!("SSH_AUTH_SOCK={}", socket.display()), "ssh-add", "-q", text(key)]);
        }
        Self(child, socket)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn an_agent_proves_with_rsa_and_ed25519_keys_and_no_question_is_asked() {
    let server = Sshd::start("");
    for kind in ["ed25519", "rsa", "ecdsa"] {
        let key = keygen(server.folder.path(), kind, kind, "");
        std::fs::copy(key.with_extension("pub"), server.path("authorized_keys")).unwrap();
        let agent = Agent::start(server.folder.path(), &[&key]);
        std::fs::remove_file(&key).unwrap();
        let config = format!("Host web001\n HostName 127.0.0.1\n Port {}\n", server.port);
        let ssh = server.connector_with(&config, |settings| settings.agent = Some(agent.1.clone()));
        let (outcome, _) = go(&ssh, order("exit 0\n")).await;
        assert_eq!(outcome, Outcome::exited(0), "{kind}");
        assert!(ssh.questions(&[order("").device], &Caller::default()).await.is_empty());
        drop(agent);
        let _ = std::fs::remove_file(server.path("agent"));
    }
}

#[tokio::test]
async fn key_files_of_every_kind_and_format_prove() {
    let server = Sshd::start("");
    for (kind, more) in [("rsa", &[][..]), ("ecdsa", &[]), ("rsa", &["-m", "PEM"]), ("rsa", &["-m", "PKCS8"])] {
        let name = format!("k{}{}", kind, more.last().unwrap_or(&""));
        let key = keygen(server.folder.path(), &name, kind, "");
        if !more.is_empty() {
            run("ssh-keygen", &[&["-q", "-p", "-P", "", "-N", "", "-f", text(&key)], more].concat());
        }
        std::fs::copy(key.with_extension("pub"), server.path("authorized_keys")).unwrap();
        let ssh = server.connector_with(&server.alias("web001").replace(text(&server.key), text(&key)), |_| {});
        let (outcome, _) = go(&ssh, order("exit 0\n")).await;
        assert_eq!(outcome, Outcome::exited(0), "{name}");
    }
}

#[tokio::test]
async fn a_certificate_beside_the_key_proves() {
    for kind in ["ed25519", "rsa"] {
        let server = Sshd::start("");
        let at = server.folder.path();
        let authority = keygen(at, "authority", "ed25519", "");
        let key = keygen(at, "mine", kind, "");
        run("ssh-keygen", &["-q", "-s", text(&authority), "-I", "me", "-n", &user(), text(&key.with_extension("pub"))]);
        let public = std::fs::read_to_string(authority.with_extension("pub")).unwrap();
        std::fs::write(server.path("authorized_keys"), format!("cert-authority {public}")).unwrap();
        let ssh = server.connector_with(&server.alias("web001").replace(text(&server.key), text(&key)), |_| {});
        let (outcome, _) = go(&ssh, order("exit 0\n")).await;
        assert_eq!(outcome, Outcome::exited(0), "{kind}: {}", server.log());
    }
}
