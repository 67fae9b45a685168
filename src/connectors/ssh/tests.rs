//! Against a real OpenSSH server.

use std::path::Path;
use std::time::Duration;

use super::testing::*;
use crate::connectors::{Connector, Outcome};
use crate::model::connection::HostKeys;
use crate::model::secret::Secret;
use crate::model::state::RunState;

fn alive(pid: &str) -> bool {
    // A zombie has ended; only its parent has not looked.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Until the process has ended. A test that waits here for ever has found a process left behind.
async fn ended(pid: &str) {
    while alive(pid) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn why(outcome: &Outcome) -> String {
    outcome.reason.clone().unwrap_or_default()
}

#[tokio::test]
async fn a_script_runs_and_its_streams_come_apart() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("echo out; echo err >&2; exit 7\n")).await;
    assert_eq!(outcome, Outcome::exited(7), "{}", server.log());
    assert_eq!((log.out().as_str(), log.err().as_str()), ("out\n", "err\n"));
    assert_eq!(log.0.lock().unwrap().started, 1);
    assert_eq!(ssh.0.pool.kept(), 1, "kept for the next run");
    let (outcome, log) = go(&ssh, with_args(order("echo \"$1|$2\"\n"), &["a b", "it's"])).await;
    assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "a b|it's\n"));
    assert_eq!(server.log().matches("Accepted publickey").count(), 1, "one connection for both");
    ssh.close().await;
    assert_eq!(ssh.0.pool.kept(), 0);
}

#[tokio::test]
async fn a_signal_is_told_apart_from_an_exit_code() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, _) = go(&ssh, order("kill -SEGV $$\n")).await;
    assert_eq!((outcome.state, outcome.signal.as_deref()), (RunState::Failed, Some("SEGV")));
    assert_eq!(outcome.exit_code, None);
}

#[tokio::test]
async fn a_large_script_goes_by_file_with_every_byte_and_leaves_none() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut script = b"#!/bin/sh\nread -r secret\necho \"$secret $1\"\ntail -c 4 <<'END'\n".to_vec();
    script.extend_from_slice(&b"0123456789abcdef\n".repeat(40_000));
    script.extend_from_slice(b"end\nEND\nls -A /tmp /var/tmp /dev/shm | grep qd0 || echo none\n");
    let run = with_secrets(with_args(order(&script), &["arg"]), &["hush"]);
    let (outcome, log) = go(&ssh, run).await;
    assert_eq!(outcome, Outcome::exited(0), "{}", log.err());
    assert!(log.out().starts_with("hush arg\nend\n"), "{}", log.out());
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_ended_with_its_children() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut slow = order("echo $$; sleep 1000 & echo $!; sleep 1000\n");
    slow.timeout = Some(Duration::from_millis(200));
    let (outcome, log) = go(&ssh, slow).await;
    assert_eq!(outcome.state, RunState::Timeout);
    for pid in log.out().split_whitespace() {
        ended(pid).await;
    }
}

#[tokio::test]
async fn a_script_that_ignores_term_is_killed() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let deaf = order("#!/usr/bin/perl\n$SIG{TERM} = 'IGNORE'; $| = 1; print \"$$\\n\"; sleep 1 while 1;\n");
    let cancel = deaf.cancel.clone();
    let log = Log::default();
    let running = tokio::spawn(ssh.launch(deaf, Box::new(log.clone())));
    log.printed("\n").await;
    cancel.cancel();
    assert_eq!(running.await.unwrap().state, RunState::Cancelled);
    ended(log.out().trim()).await;
}

#[tokio::test]
async fn a_lost_connection_ends_the_script_and_its_outcome_is_unknown() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let log = Log::default();
    let running = tokio::spawn(ssh.launch(order("echo $$; sleep 1000\n"), Box::new(log.clone())));
    log.printed("\n").await;
    for session in server.sessions() {
        run("kill", &["-KILL", &session]);
    }
    let outcome = running.await.unwrap();
    assert_eq!(outcome.state, RunState::Failed);
    assert!(why(&outcome).contains("outcome unknown"), "{outcome:?}");
    // Privilege separation leaves a second process, which sees the first one gone and ends too.
    ended(log.out().trim()).await;
    let (outcome, _) = go(&ssh, order("exit 0\n")).await;
    assert_eq!(outcome, Outcome::exited(0), "the next run makes a new connection");
}

#[tokio::test]
async fn a_child_that_holds_the_output_is_ended_when_the_time_is_up() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let mut order = order("sleep 1000 & echo $!\nexit 0\n");
    order.timeout = Some(Duration::from_millis(300));
    let (outcome, log) = go(&ssh, order).await;
    assert_eq!(outcome.state, RunState::Timeout);
    ended(log.out().trim()).await;
}

#[tokio::test]
async fn a_daemon_that_a_script_starts_lives_on() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let (outcome, log) = go(&ssh, order("sleep 1000 </dev/null >/dev/null 2>&1 & echo $!\n")).await;
    assert_eq!(outcome, Outcome::exited(0));
    let pid = log.out().trim().to_owned();
    // The watcher has ended before the channel's close is answered; a run after it has surely seen that.
    go(&ssh, order("exit 0\n")).await;
    assert!(alive(&pid));
    run("kill", &["-KILL", &pid]);
}

#[tokio::test]
async fn cancelling_before_anything_ran_is_immediate() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let waiting = order("echo ran\n");
    let mut waiting = waiting;
    waiting.gate = crate::connectors::Gate(Some(std::sync::Arc::new(tokio::sync::Semaphore::new(0))));
    waiting.cancel.cancel();
    let (outcome, log) = go(&ssh, waiting).await;
    assert_eq!((outcome.state, log.out().as_str()), (RunState::Cancelled, ""));
}

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
async fn a_closed_port_is_offline_after_a_few_tries() {
    let mut server = Sshd::start("");
    let ssh = server.connector();
    server.stop();
    let (outcome, log) = go(&ssh, order("exit 0\n")).await;
    assert_eq!(outcome.state, RunState::Offline);
    assert!(why(&outcome).contains("connection refused"), "{outcome:?}");
    assert_eq!(log.0.lock().unwrap().attempts.len(), 2);
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.writable().await;
            let _ = socket.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let server = Sshd::start("");
    let ssh = server.connector_with(&format!("Host web001\n HostName 127.0.0.1\n Port {port}\n"), |_| {});
    let (outcome, log) = go(&ssh, order("exit 0\n")).await;
    assert_eq!(outcome.state, RunState::Offline);
    assert!(why(&outcome).contains("HTTP/1.1 400"), "{outcome:?}");
    assert!(!log.0.lock().unwrap().attempts.is_empty());
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
    let questions = ssh.questions(&devices).await;
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].devices, 2);
    assert!(questions[0].text.starts_with("passphrase of "));
    assert!(ssh.answer("/etc/passwd", Secret::new("x")).await.is_err(), "only what was asked");
    assert!(ssh.answer(&questions[0].id, Secret::new("wrong")).await.is_err());
    ssh.answer(&questions[0].id, Secret::new("sesame")).await.unwrap();
    assert!(ssh.questions(&devices).await.is_empty());
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
        assert!(ssh.questions(&[order("").device]).await.is_empty());
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

#[tokio::test]
async fn many_hosts_behind_one_jump_host_share_its_connection() {
    let bastion = Sshd::start("");
    let server = Sshd::start("");
    let mut config = bastion.alias("bastion");
    for n in 1..=20 {
        config.push_str(&server.alias(&format!("n{n}")));
        config.push_str(" ProxyJump bastion\n");
    }
    let known = [&bastion, &server].map(|sshd| std::fs::read_to_string(&sshd.known_hosts).unwrap()).concat();
    std::fs::write(&server.known_hosts, known).unwrap();
    let ssh = server.connector_with(&config, |_| {});
    let runs = (1..=20).map(|n| go(&ssh, on(order("seq 1 5000\n"), &format!("n{n}"))));
    let expected: String = (1..=5000).map(|n| format!("{n}\n")).collect();
    for (outcome, log) in futures::future::join_all(runs).await {
        assert_eq!(outcome, Outcome::exited(0));
        assert_eq!(log.out(), expected);
    }
    assert_eq!(bastion.log().matches("Accepted publickey").count(), 1);
    assert_eq!(server.log().matches("Accepted publickey").count(), 20);
}

#[tokio::test]
async fn a_dead_jump_host_is_found_dead_once_for_all() {
    let mut bastion = Sshd::start("");
    let mut config = bastion.alias("bastion");
    for n in 1..=50 {
        config.push_str(&format!("Host n{n}\n HostName 10.0.0.{n}\n ProxyJump bastion\n"));
    }
    bastion.stop();
    let ssh = bastion.connector_with(&config, |_| {});
    let runs = (1..=50).map(|n| go(&ssh, on(order("exit 0\n"), &format!("n{n}"))));
    let results = futures::future::join_all(runs).await;
    assert!(results.iter().all(|(outcome, _)| outcome.state == RunState::Offline));
    assert!(why(&results[0].0).starts_with("through jump host bastion"), "{:?}", results[0].0);
    let tries: usize = results.iter().map(|(_, log)| log.0.lock().unwrap().attempts.len()).sum();
    assert_eq!(tries, 2);
}

#[tokio::test]
async fn two_hundred_hosts_on_one_server_as_installed_all_run() {
    let server = Sshd::start("MaxStartups 10:30:100\nMaxSessions 10");
    let config: String = (1..=200).map(|n| server.alias(&format!("n{n}"))).collect();
    let ssh = server.connector_with(&config, |_| {});
    let runs = (1..=200).map(|n| go(&ssh, on(order("echo hi\n"), &format!("n{n}"))));
    let results = futures::future::join_all(runs).await;
    let bad: Vec<_> = results.iter().filter(|(outcome, _)| *outcome != Outcome::exited(0)).collect();
    assert!(bad.is_empty(), "{} bad, first {:?}", bad.len(), bad[0].0);
}

#[tokio::test]
async fn thirty_runs_at_once_on_one_device_queue_for_its_ten_sessions() {
    let server = Sshd::start("MaxSessions 10");
    let ssh = server.connector();
    let runs = (0..30).map(|_| go(&ssh, order("echo hi\n")));
    for (outcome, log) in futures::future::join_all(runs).await {
        assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "hi\n"));
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[tokio::test]
async fn a_server_that_allows_fewer_sessions_is_waited_for_and_one_that_allows_none_is_told() {
    let server = Sshd::start("MaxSessions 2");
    let ssh = server.connector();
    let runs = (0..12).map(|_| go(&ssh, order("echo hi\n")));
    for (outcome, log) in futures::future::join_all(runs).await {
        assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "hi\n"));
    }
    let server = Sshd::start("MaxSessions 0");
    let ssh = server.connector();
    let runs = (0..3).map(|_| go(&ssh, order("echo hi\n")));
    for (outcome, _) in futures::future::join_all(runs).await {
        assert!(outcome.refused && why(&outcome).contains("opens no session"), "{outcome:?}");
    }
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

#[tokio::test]
async fn an_account_without_a_shell_is_refused_with_its_own_words() {
    let server = Sshd::start("ForceCommand echo This account is currently not available.; exit 1");
    let ssh = server.connector();
    let (outcome, _) = go(&ssh, order("echo hi\n")).await;
    assert!(outcome.refused);
    assert!(why(&outcome).contains("This account is currently not available."), "{outcome:?}");
}

#[tokio::test]
async fn what_the_native_client_cannot_do_goes_through_the_ssh_program() {
    let server = Sshd::start("");
    let config =
        format!("{} ProxyCommand /bin/bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'\n", server.alias("web001"));
    let ssh = server.connector_with(&config, |_| {});
    let (outcome, log) =
        go(&ssh, with_secrets(order("read -r s; echo \"$s\"; echo err >&2; exit 3\n"), &["hush"])).await;
    assert_eq!((outcome, log.out().as_str(), log.err().as_str()), (Outcome::exited(3), "hush\n", "err\n"));
    let mut slow = order("echo $$; sleep 1000\n");
    slow.timeout = Some(Duration::from_millis(200));
    let (outcome, log) = go(&ssh, slow).await;
    assert_eq!(outcome.state, RunState::Timeout);
    ended(log.out().trim()).await;
    let doctor = ssh.doctor(&order("").device).await;
    assert_eq!(doctor.way, "ssh program");
    assert!(doctor.why.contains("ProxyCommand"), "{doctor:?}");
    std::fs::write(&server.known_hosts, "").unwrap();
    let (outcome, _) = go(&ssh, order("exit 0\n")).await;
    assert!(outcome.refused, "{outcome:?}");
}

#[tokio::test]
async fn the_doctor_tells_the_way_step_by_step() {
    let server = Sshd::start("");
    let ssh = server.connector();
    let doctor = ssh.doctor(&order("").device).await;
    assert_eq!(doctor.way, "native");
    assert!(doctor.steps.iter().all(|step| step.fine), "{doctor:#?}");
    let labels: Vec<_> = doctor.steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(
        labels,
        ["configuration", "connection", "host key", "key exchange", "authentication", "launcher", "round trip"]
    );
}

#[tokio::test]
async fn a_sink_that_is_full_ends_the_run() {
    struct Full;
    impl crate::connectors::RunSink for Full {
        fn started(&mut self) {}
        fn output(&mut self, _: crate::model::output::Stream, _: &[u8]) -> std::io::Result<()> {
            Err(std::io::Error::other("disk full"))
        }
        fn attempt(&mut self, _: &str) {}
    }
    let server = Sshd::start("");
    let ssh = server.connector();
    let outcome = ssh.launch(order("while :; do echo x; done\n"), Box::new(Full)).await;
    assert_eq!(outcome.state, RunState::Failed);
    assert!(why(&outcome).contains("disk full"), "{outcome:?}");
}
