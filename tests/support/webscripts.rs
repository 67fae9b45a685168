//! A real WebScripts server from PyPI, in a virtual environment that is made once below the target folder; and a relay
//! in front of it that counts, notes and, where a test asks for it, breaks what passes. That Python or the package is
//! missing is a failure, not a reason to skip: these tests are the point.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::home::Home;
use super::{PATIENCE, processes};

const VERSION: &str = "3.0.39";

/// The scripts and the configuration of a server.
pub struct Site {
    scripts: Vec<(String, String, Value)>,
    server: Value,
    pub threads: bool,
}

impl Site {
    pub fn new() -> Self {
        // no ban unless a test is about it: all tests come from one address
        let server = json!({ "log_level": "ERROR", "auth_failures_to_blacklist": 1_000_000, "blacklist_time": 0 });
        Self { scripts: Vec::new(), server, threads: false }
    }

    /// A shell script, and its section of the configuration: `timeout`, `print_real_time`, `args`…
    #[must_use]
    pub fn script(mut self, name: &str, text: &str, section: Value) -> Self {
        self.scripts.push((name.to_owned(), text.to_owned(), section));
        self
    }

    /// One that prints as it goes.
    #[must_use]
    pub fn live(self, name: &str, text: &str, timeout: u32) -> Self {
        self.script(name, text, json!({ "timeout": timeout, "print_real_time": true }))
    }

    #[must_use]
    pub fn threads(mut self) -> Self {
        self.threads = true;
        self
    }

    /// A key of the server's own configuration.
    #[must_use]
    pub fn server(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.server[key] = value.into();
        self
    }

    /// Starts it in a folder of the test's home.
    #[track_caller]
    pub fn start(self, home: &Home, name: &str) -> Server {
        self.start_in(&home.path().join(name))
    }

    #[track_caller]
    fn start_in(self, folder: &Path) -> Server {
        for sub in ["config/scripts", "scripts", "logs"] {
            fs::create_dir_all(folder.join(sub)).expect("a folder of the site");
        }
        let put = |path: &str, text: &str| fs::write(folder.join(path), text).expect("a file of the site");
        let mut config = json!({ "scripts": {} });
        // the order of a script's arguments is that of this object, which `json!` would sort
        let mut in_order: Vec<(String, String)> = Vec::new();
        for (name, text, section) in &self.scripts {
            put(&format!("scripts/{name}"), text);
            let mut whole = json!({ "launcher": "/bin/sh", "path": format!("./scripts/{name}"), "category": "Demo",
                                    "timeout": 60 });
            for (key, value) in section.as_object().expect("a section") {
                if value.is_null() {
                    whole.as_object_mut().expect("a section").remove(key);
                } else if key == "args" {
                    let mut names = Vec::new();
                    for (at, argument) in value.as_array().expect("a list").iter().enumerate() {
                        let id = format!("{name} {at}");
                        let argument_name = argument["name"].as_str().expect("a name");
                        names.push(format!("{}:{}", json!(argument_name), json!(id)));
                        let mut argument = argument.clone();
                        argument.as_object_mut().expect("an argument").remove("name");
                        config[id] = argument;
                    }
                    let list = format!("{name} args");
                    config[list.as_str()] = format!("the arguments of {name}").into();
                    in_order.push((format!("the arguments of {name}"), format!("{{{}}}", names.join(","))));
                    whole["args"] = list.into();
                } else {
                    whole[key] = value.clone();
                }
            }
            config[format!("{name} section")] = whole;
            config["scripts"][name] = format!("{name} section").into();
        }
        let mut config = config.to_string();
        for (stands_for, names) in in_order {
            config = config.replace(&json!(stands_for).to_string(), &names);
        }
        put("config/scripts/demo.json", &config);
        // the built package names the Python that built it, which need not be there any more
        put(
            "config/server.json",
            &json!({ "server": self.server, "config_auth": { "launcher": "python3" } }).to_string(),
        );
        put("config/loggers.ini", LOGGERS);
        Server::start(folder, self.threads)
    }
}

const LOGGERS: &str = "[loggers]\nkeys=root,response\n[handlers]\nkeys=file\n[formatters]\nkeys=plain\n\
    [formatter_plain]\nformat=%(levelname)s %(name)s %(message)s\n[logger_root]\nlevel=ERROR\nhandlers=file\n\
    [logger_response]\nqualname=WebScripts.response\nlevel=ERROR\nhandlers=file\npropagate=0\n\
    [handler_file]\nclass=FileHandler\nformatter=plain\nargs=(\"logs/errors.log\", \"a\")\n";

/// One server. It ends with the test, also where the test is killed: its stdin is held here.
pub struct Server {
    child: Mutex<Child>,
    _stdin: ChildStdin,
    pub port: u16,
    pub folder: PathBuf,
    users: AtomicUsize,
}

impl Server {
    #[track_caller]
    fn start(folder: &Path, threads: bool) -> Self {
        let log = File::create(folder.join("server.log")).expect("a log");
        let mut command = Command::new(environment().join("bin/python"));
        command.arg(root().join("serve.py")).arg(folder);
        if threads {
            command.arg("--threads");
        }
        let mut child = command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let stdin = child.stdin.take().expect("piped");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (ready, port) = mpsc::channel();
        thread::spawn(move || {
            // read to its end: a server whose pipe is full stands still
            for line in out.lines().map_while(Result::ok) {
                if let Some(port) = line.strip_prefix("READY ") {
                    let _ = ready.send(port.parse::<u16>().expect("a port"));
                }
            }
        });
        let told = || fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        let port = port.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("WebScripts does not start: {}", told()));
        Self { child: Mutex::new(child), _stdin: stdin, port, folder: folder.to_owned(), users: AtomicUsize::new(1) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A user that nobody else has: a second login ends the session of the first.
    pub fn user(&self) -> String {
        format!("user{}", self.users.fetch_add(1, Ordering::Relaxed))
    }

    /// Logs in as a user, as another program would; what the server answers.
    pub fn log_in(&self, user: &str) -> String {
        let argument = |value: &str| json!({ "value": value, "input": false });
        let body =
            json!({ "arguments": { "--username": argument(user), "--password": argument(&format!("{user}-pass")) } });
        self.post("/auth/", &body.to_string())
    }

    /// What it answers when a run is asked after by this session, as its first line says. (To somebody else's key: 403
    /// while there is such a run, 404 after.)
    pub fn asked_after(&self, key: &str, session: &str) -> String {
        let request = format!("GET {key} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nApi-Token: {session}\r\n\r\n", self.port);
        self.sent(&request).lines().next().unwrap_or_default().to_owned()
    }

    fn post(&self, path: &str, body: &str) -> String {
        let host = format!("127.0.0.1:{}", self.port);
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.sent(&request)
    }

    fn sent(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Ends it and what it runs, as a power cut does.
    pub fn kill(&self) {
        let mut child = self.child.lock().expect("its child");
        let scripts = processes::descendants(i32::try_from(child.id()).expect("a pid"));
        let _ = child.kill();
        let _ = child.wait();
        for process in scripts {
            processes::signal(process.pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One entry of config.toml, with a user's password in a file.
pub fn connection(home: &Home, name: &str, url: &str, user: &str, more: &str) -> String {
    let password = home.private(&format!("{name}.password"), format!("{user}-pass\n"));
    format!(
        "[[connection]]\nname = {name:?}\nkind = \"webscripts\"\nurl = {url:?}\nuser = {user:?}\n\
         password = {{ file = {password:?} }}\n{more}\n"
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/webscripts")
}

/// The virtual environment: made once, by the first of however many tests and runs come at the same time.
fn environment() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("webscripts-{VERSION}"));
        fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("the target folder");
        let lock = File::create(folder.with_extension("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let whole = folder.join("whole");
        let works = |program: &Path| {
            let asked = Command::new(program).args(["-c", "import WebScripts.WebScripts"]).output();
            asked.is_ok_and(|done| done.status.success())
        };
        // (a Python that was upgraded meanwhile leaves an environment that no longer works)
        if whole.exists() && works(&folder.join("bin/python")) {
            return folder;
        }
        let _ = fs::remove_dir_all(&folder);
        must(
            Command::new("python3").args(["-m", "venv"]).arg(&folder),
            "python3 with its venv module: install python3-venv",
        );
        must(
            Command::new(folder.join("bin/python"))
                // no cache: a wheel built elsewhere names the Python that built it
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-cache-dir",
                    "--use-pep517",
                ])
                .arg(format!("WebScripts=={VERSION}")),
            "WebScripts from PyPI",
        );
        fs::write(whole, "").expect("the mark of a whole environment");
        folder
    })
}

fn must(command: &mut Command, what: &str) {
    let done = command.stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("these tests need {what}: {error}"));
    assert!(
        done.status.success(),
        "these tests need {what}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

/// What passed the relay.
#[derive(Clone, Debug)]
pub struct Passed {
    pub at: Instant,
    /// `POST /auth/ HTTP/1.1`
    pub line: String,
    /// In lower case.
    pub headers: Vec<String>,
}

/// What the relay does to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Nothing,
    /// The server is called by another name than the client calls it.
    OtherHost,
    /// The same for launches alone.
    OtherHostForLaunches,
    /// The answer of this poll, counted from 1, is thrown away.
    DropPoll(usize),
    /// The answers of launches are.
    DropLaunches,
}

/// Stands before a server.
pub struct Relay {
    pub port: u16,
    to: Arc<AtomicU16>,
    shut: Arc<AtomicBool>,
    passed: Arc<Mutex<Vec<Passed>>>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Relay {
    pub fn before(server: &Server, does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let relay = Self {
            port,
            to: Arc::new(server.port.into()),
            shut: Arc::default(),
            passed: Arc::default(),
            open: Arc::default(),
            most: Arc::default(),
        };
        let (to, shut, passed) = (Arc::clone(&relay.to), Arc::clone(&relay.shut), Arc::clone(&relay.passed));
        let (open, most) = (Arc::clone(&relay.open), Arc::clone(&relay.most));
        thread::spawn(move || {
            for client in listener.incoming().flatten().filter(|_| !shut.load(Ordering::SeqCst)) {
                let to = to.load(Ordering::SeqCst);
                let now = open.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                let (passed, open) = (Arc::clone(&passed), Arc::clone(&open));
                thread::spawn(move || {
                    let answered = Answered(open);
                    let _ = pass(client, to, does, &passed, answered);
                });
            }
        });
        relay
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it is another server that answers here, as after a restart.
    pub fn turn_to(&self, server: &Server) {
        self.to.store(server.port, Ordering::SeqCst);
    }

    /// Whoever comes is turned away, as by a network that is down.
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::SeqCst);
    }

    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().expect("the log").clone()
    }

    /// Requests whose first line begins so.
    pub fn count(&self, begins: &str) -> usize {
        self.passed().iter().filter(|passed| passed.line.starts_with(begins)).count()
    }

    /// Connections that were open at the same time, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// One request less that the server is at work on.
struct Answered(Arc<AtomicUsize>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One connection: the request's head is looked at, and called by the server's own name; the rest passes as it is.
fn pass(
    mut client: TcpStream,
    to: u16,
    does: Does,
    passed: &Mutex<Vec<Passed>>,
    answered: Answered,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let Some((line, headers)) = head.split_first() else { return Ok(()) };
    let poll = line.starts_with("GET /api/script/get/");
    let nth = {
        let mut all = passed.lock().expect("the log");
        let headers = headers.iter().map(|header| header.to_lowercase()).collect();
        all.push(Passed { at: Instant::now(), line: line.clone(), headers });
        all.iter().filter(|passed| passed.line.starts_with("GET /api/script/get/")).count()
    };
    let launch = line.starts_with("POST /api/scripts/");
    let renamed = does == Does::OtherHost || (does == Does::OtherHostForLaunches && launch);
    let called = if renamed { "reports.example".to_owned() } else { format!("127.0.0.1:{to}") };
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    let mut sent = format!("{line}\r\n");
    let mut length = 0;
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap_or((header, ""));
        match name.to_lowercase().as_str() {
            "host" => sent.push_str(&format!("Host: {called}\r\n")),
            "origin" if !renamed => sent.push_str(&format!("Origin: http://{called}\r\n")),
            "content-length" => {
                length = value.parse().expect("a length");
                sent.push_str(&format!("{header}\r\n"));
            }
            _ => sent.push_str(&format!("{header}\r\n")),
        }
    }
    server.write_all(format!("{sent}\r\n").as_bytes())?;
    std::io::copy(&mut reader.take(length), &mut server)?;
    if (poll && does == Does::DropPoll(nth)) || (launch && does == Does::DropLaunches) {
        // the server has got it, and nobody hears its answer
        client.shutdown(Shutdown::Both)?;
        std::io::copy(&mut server, &mut std::io::sink())?;
        return Ok(());
    }
    // the last piece is passed on when the server has closed: whoever has it all asks again at once
    let mut held = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let got = server.read(&mut piece)?;
        if got == 0 {
            drop(answered);
            client.write_all(&held)?;
            return client.shutdown(Shutdown::Both);
        }
        client.write_all(&held)?;
        held = piece[..got].to_vec();
    }
}
