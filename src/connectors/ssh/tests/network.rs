//! Bursts, jump hosts, servers with limits, and the other way to a device.

use std::time::Duration;

use super::super::testing::*;
use super::{ended, why};
use crate::connectors::{Connector, Outcome};
use crate::model::connection::HostKeys;
use crate::model::plan::Caller;
use crate::model::state::RunState;

#[tokio::test]
async fn a_closed_port_is_offline_after_a_few_tries() {
    let mut server = Sshd::start("");
    let ssh = server.connector();
    server.stop();
    let (outcome, log) = go(&ssh, order("exit 0\n")).await;
    assert_eq!(outcome.state, RunState::Offline);
    assert!(why(&outcome).contains("connection refused"), "{outcome:?}");
    // the last one is the outcome; a connection cut by the closing server may have come before the refusals
    assert!(log.0.lock().unwrap().attempts.len() >= 2);
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

/// A port behind which the server is 30 ms away and back.
async fn far(server: &Sshd) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), server.port);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::spawn(late(from_near, to_far));
            tokio::spawn(late(from_far, to_near));
        }
    });
    port
}

async fn late(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(Duration::from_millis(15)).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn on_a_far_host_the_next_run_s_session_is_opened_ahead_and_taken() {
    let server = Sshd::start("LogLevel DEBUG1");
    let port = far(&server).await;
    let config = server.alias("web001").replace(&server.port.to_string(), &port.to_string());
    let ssh = server.connector_with(&config, |settings| settings.host_keys = Some(HostKeys::AcceptNew));
    let opened = || server.log().matches("ctype session").count();
    for run in 1..=3 {
        let (outcome, log) = go(&ssh, order("echo hi\n")).await;
        assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "hi\n"));
        while opened() <= run {
            tokio::task::yield_now().await;
        }
        assert_eq!(opened(), run + 1, "one for each run, and the next one's");
    }
    // it went away with its connection, which is replaced
    for session in server.sessions() {
        run("kill", &["-KILL", &session]);
    }
    let (outcome, log) = go(&ssh, order("echo again\n")).await;
    assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "again\n"));
}

#[tokio::test]
async fn a_session_that_was_opened_ahead_is_no_room_less() {
    let server = Sshd::start("MaxSessions 1");
    let port = far(&server).await;
    let config = server.alias("web001").replace(&server.port.to_string(), &port.to_string());
    let ssh = server.connector_with(&config, |settings| settings.host_keys = Some(HostKeys::AcceptNew));
    for _ in 0..2 {
        let runs = (0..3).map(|_| go(&ssh, order("echo hi\n")));
        for (outcome, log) in futures::future::join_all(runs).await {
            assert_eq!((outcome, log.out().as_str()), (Outcome::exited(0), "hi\n"));
        }
    }
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
    let doctor = ssh.doctor(&order("").device, &Caller::default()).await;
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
    let doctor = ssh.doctor(&order("").device, &Caller::default()).await;
    assert_eq!(doctor.way, "native");
    assert!(doctor.steps.iter().all(|step| step.fine), "{doctor:#?}");
    let labels: Vec<_> = doctor.steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "configuration",
            "agent",
            "connection",
            "host key",
            "key exchange",
            "authentication",
            "launcher",
            "round trip"
        ]
    );
}
