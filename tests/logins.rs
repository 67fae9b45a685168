//! How a host is reached that asks for more than a key and an address: certificates of users and of hosts, an agent that
//! holds one, and several hosts to go through. Against real OpenSSH servers of our own, by the native client.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::sshd::{current_user, key_pair, key_pair_with, public_key};
use support::{Fleet, Home, Options, Ran, eventually};

/// An authority that signs keys.
struct Authority(PathBuf);

impl Authority {
    fn new(home: &Home) -> Self {
        Self(key_pair(&home.path().join("authority")))
    }

    /// Signs the public key of a pair: `KEY-cert.pub` lies beside it.
    fn signs(&self, key: &Path, more: &[&str]) {
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-I", "test"])
            .arg("-s")
            .arg(&self.0)
            .args(more)
            .arg(key.with_extension("pub"))
            .stdin(Stdio::null())
            .output()
            .expect("ssh-keygen: install openssh-client");
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    }
}

/// So many hosts that let in whom the authority signed, and no key by itself.
fn behind(authority: &Authority, home: &Home, count: usize) -> Fleet {
    let extra = format!("TrustedUserCAKeys {}", authority.0.with_extension("pub").display());
    let fleet = Fleet::with(home, "lab", count, &Options { extra, ..Options::default() });
    fs::write(fleet.folder.join("authorized_keys"), "").expect("authorized_keys");
    fleet.configure(home);
    fleet
}

fn hi(home: &Home) -> String {
    home.file("hi.sh", "#!/bin/sh\necho hi\n")
}

/// On all of them; few enough to need no count.
fn run(home: &Home, script: &str, target: &str) -> Ran {
    home.qd(["run", script, "--target", target, "--wait", "--json"])
}

fn counts(ran: &Ran) -> Value {
    ran.events().last().expect("the summary")["counts"].clone()
}

#[test]
fn a_certificate_beside_the_key_opens_the_door_and_one_that_has_expired_does_not() {
    let home = Home::empty();
    let authority = Authority::new(&home);
    let fleet = behind(&authority, &home, 2);
    let script = hi(&home);

    let without = run(&home, &script, "web001").exits(3);
    assert_eq!(counts(&without)["failed"], 1, "the key alone is not enough: {without}");

    authority.signs(&fleet.key, &["-n", &current_user(), "-V", "19990101:19990201"]);
    let id = run(&home, &script, "web001").exits(3).events()[0]["id"].as_u64().expect("the job's id");
    let reason = home.job(id)["runs"][0]["reason"].to_string();
    assert!(reason.contains("certificate") || reason.contains("authenti") || reason.contains("key"), "{reason}");

    authority.signs(&fleet.key, &["-n", &current_user()]);
    assert_eq!(counts(&run(&home, &script, "web").ok())["ok"], 2);
    assert_eq!(fleet.logged("Accepted publickey"), 2, "those two alone");
    let doctor = home.qd(["doctor", "web001"]).ok();
    assert!(doctor.text().contains("native"), "{doctor}");
    fleet.is_clean();
}

#[test]
fn a_certificate_in_the_agent_opens_the_door() {
    let home = Home::empty();
    let authority = Authority::new(&home);
    let fleet = behind(&authority, &home, 1);
    let text = fs::read_to_string(&fleet.inventory).expect("hosts.ini");
    let without = text
        .lines()
        .filter(|line| !line.contains("private_key_file"))
        .fold(String::new(), |all, line| all + line + "\n");
    fs::write(&fleet.inventory, without).expect("hosts.ini");
    authority.signs(&fleet.key, &["-n", &current_user()]);
    let socket = home.path().join("agent");
    let mut agent =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().expect("ssh-agent");
    eventually("the agent listens", || socket.exists());
    // with the certificate that lies beside it
    let added = Command::new("ssh-add").arg("-q").arg(&fleet.key).env("SSH_AUTH_SOCK", &socket).status();
    let ran = home.verb(["run", &hi(&home), "--target", "web", "--wait", "--json"]).env("SSH_AUTH_SOCK", &socket).run();
    let _ = agent.kill();
    let _ = agent.wait();
    assert!(added.expect("ssh-add").success());
    assert_eq!(counts(&ran.ok())["ok"], 1);
}

#[test]
fn a_host_is_known_by_the_authority_that_signed_its_key() {
    let home = Home::empty();
    let authority = Authority::new(&home);
    let key = key_pair_with(&home.path().join("host_ecdsa"), &["-t", "ecdsa", "-N", ""]);
    authority.signs(&key, &["-h", "-n", "127.0.1.1"]);
    let certificate = home.path().join("host_ecdsa-cert.pub");
    let extra = format!("HostKey {}\nHostCertificate {}", key.display(), certificate.display());
    let fleet = Fleet::with(&home, "lab", 2, &Options { extra, ..Options::default() });
    fleet.configure(&home);
    fs::write(&fleet.known_hosts, format!("@cert-authority * {}\n", public_key(&authority.0))).expect("known_hosts");
    // the second has another address than the certificate names
    let script = hi(&home);
    let ran = run(&home, &script, "web").exits(3);
    let job = home.job(ran.events()[0]["id"].as_u64().expect("the job's id"));
    let ended = |name: &str| {
        let runs = job["runs"].as_array().expect("runs");
        runs.iter().find(|run| run["device"].as_str().is_some_and(|id| id.ends_with(name))).expect("its run").clone()
    };
    assert_eq!(ended("web001")["state"], "ok", "{job}");
    assert_eq!(ended("web002")["state"], "failed", "{job}");
    assert!(ended("web002")["reason"].as_str().is_some_and(|reason| reason.contains("host key")), "{job}");
}

#[test]
fn a_chain_of_hosts_is_gone_through_as_match_blocks_say() {
    let home = Home::empty();
    let outer = Fleet::with(&home, "outer", 1, &Options::default());
    let middle = Fleet::with(&home, "middle", 1, &Options::default());
    let inner = Fleet::with(&home, "inner", 3, &Options::default());
    let named = |fleet: &Fleet, name: &str| fleet.ssh_config().replace("Host web", &format!("Host {name}"));
    home.private(
        "home/.ssh/config",
        format!(
            "Match host b001\n  ProxyJump a001\nMatch originalhost in*,!in003\n  ProxyJump b001\n\
             Match originalhost in003\n  ProxyJump a001,b001\n{}{}{}Match all\n  ConnectTimeout 20\n",
            named(&outer, "a"),
            named(&middle, "b"),
            named(&inner, "in")
        ),
    );
    let script = home.file("where.sh", "#!/bin/sh\nset -- $SSH_CONNECTION\necho at $3 $4\n");
    let ran = run(&home, &script, "in[001-003]").ok();
    assert_eq!(counts(&ran)["ok"], 3, "{ran}");
    for host in &inner.hosts {
        assert!(ran.text().contains(&format!("at {} {}", host.address, host.port)), "{ran}");
    }
    assert_eq!(inner.logged("Accepted publickey"), 3);
    assert!(middle.logged("Accepted publickey") >= 1 && outer.logged("Accepted publickey") >= 1);
    let doctor = home.qd(["doctor", "in003"]).ok();
    assert!(doctor.text().contains("a001") && doctor.text().contains("b001"), "{doctor}");
}
