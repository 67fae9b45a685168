//! The rig itself: a specification that leans on a broken rig proves nothing.

mod support;

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use support::odd::{Manner, Odd};
use support::{Fleet, Home, Options};

fn ssh(fleet: &Fleet, host: usize, command: &str) -> std::process::Output {
    let host = &fleet.hosts[host];
    Command::new("ssh")
        .args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", fleet.known_hosts.display()))
        .arg("-i")
        .arg(&fleet.key)
        .args(["-p", &host.port.to_string(), "-l", &fleet.user, &host.address.to_string(), command])
        .stdin(Stdio::null())
        .output()
        .expect("ssh")
}

#[test]
fn every_host_answers_openssh_s_own_client_by_its_own_address() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 20);
    for host in [0, 15, 16, 19] {
        let answer = ssh(&fleet, host, "echo $SSH_CONNECTION; echo $TMPDIR; echo $HOME");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().contains(&format!(" {} ", fleet.hosts[host].address)), "{text}");
        assert_eq!(lines.next(), fleet.remote_tmp.to_str(), "{text}");
        assert_eq!(lines.next(), fleet.remote_home.to_str(), "{text}");
    }
    support::eventually("all of it is in the servers' logs", || fleet.logged("Accepted publickey") == 4);
    fleet.is_clean();
}

#[test]
fn a_process_on_a_host_is_seen_and_a_stopped_fleet_is_gone() {
    let home = Home::empty();
    let mut fleet = Fleet::with(&home, "lab", 1, &Options::as_installed());
    // until it is sleep: between the two programs a process has no environment to be known by
    let until = "until readlink /proc/$!/exe | grep -q sleep; do :; done";
    let answer = ssh(&fleet, 0, &format!("setsid sleep 600 >/dev/null 2>&1 </dev/null & {until}; echo started"));
    assert!(answer.status.success());
    assert!(fleet.processes().iter().any(|process| process.command.contains("sleep 600")));
    let host = fleet.hosts[0].clone();
    fleet.stop();
    assert!(TcpStream::connect((host.address, host.port)).is_err());
}

#[test]
fn an_odd_host_is_met() {
    let odd = Odd::listen(Ipv4Addr::new(127, 0, 9, 9), Manner::Closes);
    let _ = TcpStream::connect((odd.address, odd.port)).unwrap();
    support::eventually("it was met", || odd.met() == 1);
}
