//! Private OpenSSH servers: own port, own host key, own configuration, each loopback address a host of its
//! own. Never the system's sshd, never another address than 127.0.0.0/8, and every server is ended by its
//! pid. That the program is missing is a failure, not a reason to skip: these tests are the point.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;

use super::home::Home;
use super::{PATIENCE, processes};

/// sshd listens on at most so many addresses (`MAX_LISTEN_SOCKS`), so a hundred hosts are seven servers.
const ADDRESSES_A_SERVER: usize = 16;

/// How the servers behave.
#[derive(Clone, Debug)]
pub struct Options {
    /// `10:30:100` is OpenSSH's default.
    pub max_startups: String,
    /// 10 is OpenSSH's default.
    pub max_sessions: u32,
    /// Further lines of sshd_config (`ForceCommand …`).
    pub extra: String,
    /// Environment of every session, in place of the usual one.
    pub session: Vec<(String, String)>,
    /// Many names on one address (as through one jump host): so many names an address.
    pub names_an_address: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_startups: "4000:30:6000".to_owned(),
            max_sessions: 4000,
            extra: String::new(),
            session: Vec::new(),
            names_an_address: 1,
        }
    }
}

impl Options {
    /// As Debian installs it.
    pub fn as_installed() -> Self {
        Self { max_startups: "10:30:100".to_owned(), max_sessions: 10, ..Self::default() }
    }
}

/// One host of the fleet.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: String,
    pub address: Ipv4Addr,
    pub port: u16,
}

/// Some hosts, their servers, and the files by which a client reaches them.
pub struct Fleet {
    pub hosts: Vec<Host>,
    /// Folder with keys, known_hosts and inventory.
    pub folder: PathBuf,
    pub key: PathBuf,
    pub known_hosts: PathBuf,
    pub inventory: PathBuf,
    /// `TMPDIR` of every session: what is in it after a run was left behind.
    pub remote_tmp: PathBuf,
    /// `HOME` of every session.
    pub remote_home: PathBuf,
    pub user: String,
    marker: String,
    servers: Vec<Server>,
}

impl Fleet {
    /// `count` hosts `web001…`, in the Ansible group `web` of `hosts.ini`, reached by key as the current user.
    pub fn start(home: &Home, count: usize) -> Self {
        Self::with(home, "lab", count, &Options::default())
    }

    /// The same under another folder name and with other manners.
    pub fn with(home: &Home, name: &str, count: usize, options: &Options) -> Self {
        require();
        let folder = home.path().join(name);
        fs::create_dir_all(&folder).expect("a folder in the test's own home");
        let key = key_pair(&folder.join("id_ed25519"));
        fs::copy(key.with_extension("pub"), folder.join("authorized_keys")).expect("authorized_keys");
        let host_key = key_pair(&folder.join("host_ed25519"));
        let remote_tmp = folder.join("remote-tmp");
        let remote_home = folder.join("remote-home");
        for path in [&remote_tmp, &remote_home] {
            fs::create_dir(path).expect("a folder in the test's own home");
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("chmod");
        }
        let marker = format!("QD_RIG={}", folder.display());
        let mut fleet = Self {
            hosts: Vec::new(),
            key,
            known_hosts: folder.join("known_hosts"),
            inventory: folder.join("hosts.ini"),
            remote_tmp,
            remote_home,
            user: current_user(),
            marker,
            servers: Vec::new(),
            folder,
        };
        let addresses = count.div_ceil(options.names_an_address);
        let mut number = 0;
        for chunk in addresses_from(addresses).chunks(ADDRESSES_A_SERVER) {
            let server = fleet.server(chunk, &host_key, options);
            for address in chunk {
                for _ in 0..options.names_an_address {
                    if number < count {
                        number += 1;
                        fleet.hosts.push(Host {
                            name: format!("web{number:03}"),
                            address: *address,
                            port: server.port,
                        });
                    }
                }
            }
            fleet.servers.push(server);
        }
        fleet.write_known_hosts(&host_key);
        fleet.write_inventory("");
        fleet
    }

    fn server(&self, addresses: &[Ipv4Addr], host_key: &Path, options: &Options) -> Server {
        let session: String = [
            self.marker.clone(),
            format!("TMPDIR={}", self.remote_tmp.display()),
            format!("HOME={}", self.remote_home.display()),
        ]
        .into_iter()
        .filter(|pair| !options.session.iter().any(|(name, _)| pair.split('=').next() == Some(name)))
        .chain(options.session.iter().map(|(name, value)| format!("{name}={value}")))
        .fold(String::new(), |line, pair| line + " " + &pair);
        // another program may take a port between our look and sshd's bind
        for _ in 0..20 {
            let port = free_port(addresses);
            let number = port.to_string();
            let mut config = format!(
                "Port {port}\nHostKey {}\nPidFile {}\nAuthorizedKeysFile {}\nSetEnv{session}\n\
                 MaxStartups {}\nMaxSessions {}\nPubkeyAuthentication yes\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPermitRootLogin yes\nUsePAM no\nUseDNS no\nStrictModes no\n\
                 LoginGraceTime 60\nPrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\n",
                host_key.display(),
                self.folder.join(format!("sshd-{number}.pid")).display(),
                self.folder.join("authorized_keys").display(),
                options.max_startups,
                options.max_sessions,
            );
            for address in addresses {
                let _ = writeln!(config, "ListenAddress {address}");
            }
            config.push_str(&options.extra);
            config.push('\n');
            let path = self.folder.join(format!("sshd-{number}.conf"));
            fs::write(&path, config).expect("sshd_config");
            if let Some(server) = Server::start(&path, port, addresses.len()) {
                return server;
            }
        }
        panic!("no port was free for sshd in twenty tries");
    }

    fn write_known_hosts(&self, host_key: &Path) {
        let key = public_key(host_key);
        let mut seen = std::collections::BTreeSet::new();
        let lines: String = self
            .hosts
            .iter()
            .filter(|host| seen.insert((host.address, host.port)))
            .map(|host| format!("[{}]:{} {key}\n", host.address, host.port))
            .collect();
        fs::write(&self.known_hosts, lines).expect("known_hosts");
    }

    /// Writes `hosts.ini` anew: all hosts in the group `web`, then `more`.
    pub fn write_inventory(&self, more: &str) {
        let mut text = String::from("[web]\n");
        for host in &self.hosts {
            let _ = writeln!(text, "{} ansible_host={} ansible_port={}", host.name, host.address, host.port);
        }
        let _ = write!(
            text,
            "\n[web:vars]\nansible_user={}\nansible_ssh_private_key_file={}\nsite=lon\n\n[eu:children]\nweb\n\n{more}",
            self.user,
            self.key.display(),
        );
        fs::write(&self.inventory, text).expect("hosts.ini");
    }

    /// config.toml that knows this machine as `local` and this fleet as `lab`.
    pub fn configure(&self, home: &Home) {
        self.configure_with(home, "strict");
    }

    pub fn configure_with(&self, home: &Home, host_keys: &str) {
        home.config(&self.config(host_keys));
    }

    pub fn config(&self, host_keys: &str) -> String {
        // an empty ssh_config, so that nothing of the machine's own comes in
        let ssh_config = self.folder.join("ssh_config");
        if !ssh_config.exists() {
            fs::write(&ssh_config, "").expect("ssh_config");
        }
        format!(
            "[[connection]]\nname = \"local\"\nkind = \"local\"\n\n[[connection]]\nname = \"lab\"\nkind = \"ssh\"\n\
             inventory = [{:?}]\nssh_config = {:?}\nknown_hosts = {:?}\nhost_keys = {host_keys:?}\n",
            self.inventory, ssh_config, self.known_hosts,
        )
    }

    /// ssh_config text that names every host.
    pub fn ssh_config(&self) -> String {
        self.hosts.iter().fold(String::new(), |mut text, host| {
            let _ = write!(
                text,
                "Host {}\n  HostName {}\n  Port {}\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
                 UserKnownHostsFile {}\n",
                host.name,
                host.address,
                host.port,
                self.user,
                self.key.display(),
                self.known_hosts.display(),
            );
            text
        })
    }

    /// Processes that run on these hosts: scripts, launchers, shells; not the servers.
    pub fn processes(&self) -> Vec<processes::Process> {
        processes::with_environment(&self.marker)
    }

    /// What lies in the hosts' temporary folder and home.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        [&self.remote_tmp, &self.remote_home]
            .into_iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten())
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect()
    }

    /// Nothing of a run is on the hosts: neither file nor process.
    #[track_caller]
    pub fn is_clean(&self) {
        processes::eventually("nothing is left on the hosts", || {
            self.leftovers().is_empty() && self.processes().is_empty()
        });
    }

    /// Lines of the servers' logs that hold `word`, so far: a line may come a moment after what it tells of.
    pub fn logged(&self, word: &str) -> usize {
        self.servers
            .iter()
            .map(|server| server.log.lock().expect("log").iter().filter(|line| line.contains(word)).count())
            .sum()
    }

    /// Cuts the connections of a server's sessions, as a network that fails does.
    pub fn cut(&self) {
        for server in &self.servers {
            for process in processes::descendants(server.pid()) {
                if process.command.starts_with("sshd") {
                    processes::signal(process.pid, Signal::KILL);
                }
            }
        }
    }

    /// Ends the servers: from now on these hosts are unreachable.
    pub fn stop(&mut self) {
        self.servers.clear();
    }
}

/// One sshd.
struct Server {
    child: Child,
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `None`: it could not listen on every address.
    fn start(config: &Path, port: u16, addresses: usize) -> Option<Self> {
        let mut child = Command::new(program())
            .arg("-D") // in the foreground: it is our child and ends by our signal
            .arg("-e")
            .arg("-f")
            .arg(config)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sshd starts");
        let stderr = child.stderr.take().expect("piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (ready, listening) = mpsc::channel();
        let lines = Arc::clone(&log);
        thread::spawn(move || {
            let mut up = 0;
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let taken = line.contains("Address already in use");
                up += usize::from(line.contains("Server listening on"));
                lines.lock().expect("log").push(line);
                if taken || up == addresses {
                    let _ = ready.send(!taken);
                }
            }
            // the end of its output, without having listened everywhere, drops `ready`: the wait below ends
        });
        let server = Self { child, port, log };
        match listening.recv_timeout(PATIENCE) {
            Ok(everywhere) => everywhere.then_some(server),
            Err(_) => panic!("sshd does not start: {}", server.log.lock().expect("log").join("\n")),
        }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let sessions = processes::descendants(self.pid());
        processes::signal(self.pid(), Signal::TERM);
        let _ = self.child.wait();
        for process in sessions {
            processes::signal(process.pid, Signal::KILL);
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.servers.clear();
        // what a session started in a session of its own has lost its parent by now
        for process in self.processes() {
            processes::signal(process.pid, Signal::KILL);
        }
    }
}

/// Makes an ed25519 key pair without a passphrase.
pub fn key_pair(path: &Path) -> PathBuf {
    key_pair_with(path, &["-t", "ed25519", "-N", ""])
}

pub fn key_pair_with(path: &Path, arguments: &[&str]) -> PathBuf {
    let made = Command::new("ssh-keygen").arg("-q").args(arguments).arg("-f").arg(path).stdin(Stdio::null()).output();
    let made = made.expect("ssh-keygen is there: install openssh-client");
    assert!(made.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&made.stderr));
    path.to_owned()
}

/// `ssh-ed25519 AAAA…` of a key pair.
pub fn public_key(private: &Path) -> String {
    let text = fs::read_to_string(private.with_extension("pub")).expect("a public key");
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

pub fn current_user() -> String {
    let id = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&id.stdout).trim().to_owned()
}

fn program() -> PathBuf {
    ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .expect("this test needs OpenSSH's server: install openssh-server")
}

/// The server's program and, for root, the folder that it insists on.
fn require() {
    program();
    if rustix::process::geteuid().is_root() {
        // where the system's own sshd was never started nobody has made it
        fs::create_dir_all("/run/sshd").expect("/run/sshd, where sshd keeps its empty root");
    }
}

/// Addresses of this test: 127.0.1.1 on, never 127.0.0.1 (from where connections start).
fn addresses_from(count: usize) -> Vec<Ipv4Addr> {
    (0..count)
        .map(|index| {
            let third = u8::try_from(1 + index / 250).expect("fewer hosts");
            Ipv4Addr::new(127, 0, third, u8::try_from(1 + index % 250).expect("below 251"))
        })
        .collect()
}

/// A port that is free on all of these, below the range from which connections start.
fn free_port(addresses: &[Ipv4Addr]) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 97).expect("below 97") * 100;
    for _ in 0..1000 {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 2000;
        if addresses.iter().all(|address| TcpListener::bind((*address, port)).is_ok()) {
            return port;
        }
    }
    panic!("no free port on the loopback addresses");
}

/// One free port on an address that nothing listens on.
pub fn closed_port(address: Ipv4Addr) -> u16 {
    free_port(&[address])
}
