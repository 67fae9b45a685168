//! Whose host keys are trusted, and what is written down.

use super::super::testing::*;
use super::why;
use crate::connectors::Outcome;
use crate::model::connection::HostKeys;

#[tokio::test]
async fn an_unknown_host_key_is_refused_under_strict_and_written_once_under_accept_new() {
    let server = Sshd::start("");
    std::fs::write(&server.known_hosts, "").unwrap();
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("echo ran\n")).await;
    assert!(outcome.refused && log.out().is_empty());
    assert!(why(&outcome).contains("accept-new") && why(&outcome).contains("ssh-keyscan"), "{outcome:?}");
    let config: String = (1..=20).map(|n| server.alias(&format!("n{n}"))).collect();
    let ssh = server.connector_with(&config, |settings| settings.host_keys = Some(HostKeys::AcceptNew));
    let runs = (1..=20).map(|n| go(&ssh, on(order("exit 0\n"), &format!("n{n}"))));
    for (outcome, _) in futures::future::join_all(runs).await {
        assert_eq!(outcome, Outcome::exited(0));
    }
    let known = std::fs::read_to_string(&server.known_hosts).unwrap();
    assert_eq!(known.lines().count(), 1, "{known}");
}

#[tokio::test]
async fn a_changed_host_key_is_refused_naming_file_and_line() {
    let server = Sshd::start("");
    let other = keygen(server.folder.path(), "other", "ed25519", "");
    let other = std::fs::read_to_string(other.with_extension("pub")).unwrap();
    std::fs::write(&server.known_hosts, format!("# a comment\n[127.0.0.1]:{} {other}", server.port)).unwrap();
    let ssh = server.connector_with(&server.alias("web001"), |settings| settings.host_keys = Some(HostKeys::AcceptNew));
    let (outcome, log) = go(&ssh, order("echo ran\n")).await;
    assert!(outcome.refused && log.out().is_empty());
    let why = why(&outcome);
    assert!(why.starts_with("the host key of web001 has changed"), "{why}");
    assert!(why.contains(&format!("{}:2", server.known_hosts.display())), "{why}");
    assert_eq!(why.matches("SHA256:").count(), 2, "{why}");
}

#[tokio::test]
async fn a_second_new_key_of_a_host_accepted_a_moment_ago_is_refused() {
    let mut first = Sshd::start("");
    let known = first.path("accepted");
    let config = format!("{} HostKeyAlias same\n", first.alias("one"));
    let second = Sshd::start("");
    let config = format!("{config}{} HostKeyAlias same\n", second.alias("two"));
    let ssh = first.connector_with(&config, |settings| {
        settings.host_keys = Some(HostKeys::AcceptNew);
        settings.known_hosts = Some(known.clone());
    });
    assert_eq!(go(&ssh, on(order("exit 0\n"), "one")).await.0, Outcome::exited(0));
    first.stop();
    let (outcome, _) = go(&ssh, on(order("exit 0\n"), "two")).await;
    assert!(outcome.refused && why(&outcome).contains("has changed"), "{outcome:?}");
}

#[tokio::test]
async fn a_host_known_by_one_of_its_keys_is_asked_for_that_one() {
    let server = Sshd::start("");
    let rsa = keygen(server.folder.path(), "host_rsa", "rsa", "");
    let two = Sshd::start(&format!("HostKey {}", rsa.display()));
    let public = std::fs::read_to_string(rsa.with_extension("pub")).unwrap();
    std::fs::write(&two.known_hosts, format!("[127.0.0.1]:{} {public}", two.port)).unwrap();
    let ssh = two.connector();
    assert_eq!(go(&ssh, order("exit 0\n")).await.0, Outcome::exited(0));
}

#[tokio::test]
async fn a_host_certificate_of_a_known_authority_is_enough() {
    let keys = tempfile::tempdir().unwrap();
    let authority = keygen(keys.path(), "authority", "ed25519", "");
    let host = keygen(keys.path(), "certified", "ed25519", "");
    let public = host.with_extension("pub");
    run("ssh-keygen", &["-q", "-s", text(&authority), "-I", "host", "-h", "-n", "127.0.0.1", text(&public)]);
    let certificate = keys.path().join("certified-cert.pub");
    let server = Sshd::start(&format!("HostKey {}\nHostCertificate {}", host.display(), certificate.display()));
    let trusted = std::fs::read_to_string(authority.with_extension("pub")).unwrap();
    std::fs::write(&server.known_hosts, format!("@cert-authority 127.0.0.* {trusted}")).unwrap();
    let ssh = server.connector();
    assert_eq!(go(&ssh, order("exit 0\n")).await.0, Outcome::exited(0));
    std::fs::write(&server.known_hosts, format!("@cert-authority 10.* {trusted}")).unwrap();
    let ssh = server.connector();
    assert!(go(&ssh, order("exit 0\n")).await.0.refused);
}
