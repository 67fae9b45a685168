//! A private OpenSSH server for the tests of this room: own port, own keys, own configuration, gone when dropped.
//! These tests need `sshd` and `ssh-keygen` (Debian: openssh-server, openssh-client) and say so when they are not there.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::Ssh;
use crate::connectors::{Connector, Gate, Order, Outcome, Payload, RunSink};
use crate::model::connection::{self, Connection, Environment, HostKeys, Kind};
use crate::model::device::Device;
use crate::model::output::Stream;
use crate::model::secret::Secret;

/// A key pair `name` in `folder`.
pub fn keygen(folder: &Path, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = folder.join(name);
    run("ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", name, "-f", text(&path)]);
    path
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// Output of a program that has to succeed.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(|error| {
            panic!("this test needs {program} (Debian: openssh-server openssh-client): {error}")
        });
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn user() -> String {
    run("id", &["-un"]).trim().to_owned()
}

/// The server and everything a client needs to get in.
pub struct Sshd {
    child: Child,
    pub folder: TempDir,
    pub port: u16,
    /// The key that gets in.
    pub key: PathBuf,
    pub known_hosts: PathBuf,
}

impl Sshd {
    /// `more`: further lines of sshd_config.
    pub fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let host_key = keygen(at, "host", "ed25519", "");
        let key = keygen(at, "id", "ed25519", "");
        std::fs::copy(at.join("id.pub"), at.join("authorized_keys")).expect("authorized_keys");
        let port = free_port();
        let config = format!(
            "{more}\nPort {port}\nListenAddress 127.0.0.1\nListenAddress 127.0.0.2\nHostKey {host}\nPidFile none\n\
             UsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nAuthorizedKeysFile {at}/authorized_keys\nPrintMotd no\nUseDNS no\n\
             SetEnv HOME={at}/home\n",
            host = host_key.display(),
            at = at.display(),
        );
        std::fs::write(at.join("sshd_config"), config).expect("sshd_config");
        // A home of its own: what this machine's ~/.bashrc does is not what is tested.
        std::fs::create_dir(at.join("home")).expect("a home");
        // Privilege separation wants it; Debian makes it at boot.
        let _ = std::fs::create_dir_all("/run/sshd");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", text(&at.join("sshd_config"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at.join("log")).expect("a log"))
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs /usr/sbin/sshd (Debian: openssh-server): {error}"));
        let public = std::fs::read_to_string(at.join("host.pub")).expect("the host key");
        let public = public.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let known_hosts = at.join("known_hosts");
        std::fs::write(&known_hosts, format!("[127.0.0.1]:{port},[127.0.0.2]:{port} {public}\n")).expect("known_hosts");
        let mut server = Self { child, port, key, known_hosts, folder };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let gone = self.child.try_wait().expect("a child").is_some();
            assert!(!gone && Instant::now() < end, "sshd does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends the server, not the sessions it has forked.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Process ids of the forked sessions.
    pub fn sessions(&self) -> Vec<String> {
        let output = Command::new("pgrep").args(["-P", &self.child.id().to_string()]).output().expect("pgrep");
        String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// ssh_config lines for the alias.
    pub fn alias(&self, alias: &str) -> String {
        format!(
            "Host {alias}\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n IdentitiesOnly yes\n",
            self.port,
            self.key.display()
        )
    }

    /// A connector that knows this server as `web001`.
    pub fn connector(&self) -> Ssh {
        self.connector_with(&self.alias("web001"), |_| {})
    }

    pub fn connector_with(&self, ssh_config: &str, change: impl FnOnce(&mut connection::Ssh)) -> Ssh {
        let path = self.path("ssh_config");
        std::fs::write(&path, ssh_config).expect("ssh_config");
        let mut settings = connection::Ssh {
            inventory: Vec::new(),
            ssh_config: Some(path),
            known_hosts: Some(self.known_hosts.clone()),
            host_keys: Some(HostKeys::Strict),
            home: self.folder.path().to_owned(),
            user: user(),
            agent: None,
            environment: Environment::default(),
            keep_seconds: 60,
            max_handshakes: 256,
        };
        change(&mut settings);
        Ssh::new(Connection { name: "lab".to_owned(), kind: Kind::Ssh(settings), protected: false, read_only: false })
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for session in self.sessions() {
            let _ = Command::new("kill").args(["-KILL", &session]).output();
        }
        self.stop();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// What a run told.
#[derive(Default)]
pub struct Told {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub started: usize,
    pub attempts: Vec<String>,
}

/// Collects, and says when the script has started or printed.
#[derive(Clone, Default)]
pub struct Log(pub Arc<Mutex<Told>>, pub Arc<tokio::sync::Notify>);

impl Log {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap().out).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap().err).into_owned()
    }

    /// Until stdout contains this.
    pub async fn printed(&self, what: &str) {
        loop {
            let news = self.1.notified();
            if self.out().contains(what) {
                return;
            }
            news.await;
        }
    }
}

impl RunSink for Log {
    fn started(&mut self) {
        self.0.lock().unwrap().started += 1;
        self.1.notify_one();
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut told = self.0.lock().unwrap();
        match stream {
            Stream::Out => told.out.extend_from_slice(bytes),
            _ => told.err.extend_from_slice(bytes),
        }
        drop(told);
        self.1.notify_one();
        Ok(())
    }

    fn attempt(&mut self, why: &str) {
        self.0.lock().unwrap().attempts.push(why.to_owned());
    }
}

/// An order for `web001`, to be changed as a test needs.
pub fn order(script: impl AsRef<[u8]>) -> Order {
    let bytes = script.as_ref().to_vec();
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let interpreter = match first.strip_prefix(b"#!") {
        Some(line) => String::from_utf8_lossy(line).split_whitespace().map(str::to_owned).collect(),
        None => vec!["/bin/sh".to_owned()],
    };
    Order {
        device: Arc::new(Device::new("lab", "web001")),
        job: Some(7),
        script: Arc::new(Payload {
            name: "script.sh".to_owned(),
            bytes,
            path: PathBuf::new(),
            interpreter,
            variables: false,
        }),
        args: Arc::default(),
        arguments: Arc::default(),
        secrets: Arc::default(),
        options: Arc::default(),
        caller: Arc::default(),
        timeout: None,
        cancel: CancellationToken::new(),
        gate: Gate::default(),
    }
}

pub fn on(mut order: Order, device: &str) -> Order {
    order.device = Arc::new(Device::new("lab", device));
    order
}

pub fn with_args(mut order: Order, args: &[&str]) -> Order {
    order.args = Arc::new(args.iter().map(|arg| (*arg).to_owned()).collect());
    order
}

pub fn with_secrets(mut order: Order, secrets: &[&str]) -> Order {
    order.secrets = Arc::new(secrets.iter().map(|secret| Secret::new(*secret)).collect());
    order
}

/// Runs it to its end.
pub async fn go(ssh: &Ssh, order: Order) -> (Outcome, Log) {
    let log = Log::default();
    let outcome = ssh.launch(order, Box::new(log.clone())).await;
    (outcome, log)
}
