//! The engine's API as curl asks for it over the engine's socket.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::home::Home;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.kind, "application/json; charset=utf-8", "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Refused, with a title that says this.
    #[track_caller]
    pub fn refuses(self, status: u16, says: &str) {
        let errors = self.is(status).json();
        let title = errors["errors"][0]["title"].as_str().unwrap_or_default();
        assert!(title.contains(says), "{says}: {errors}");
        assert_eq!(errors.as_object().map(serde_json::Map::len), Some(1), "{errors}");
    }
}

/// The door of a home's engine.
pub struct Door<'h> {
    pub home: &'h Home,
    socket: std::path::PathBuf,
}

impl<'h> Door<'h> {
    pub fn of(home: &'h Home) -> Self {
        home.qd(["targets", "ls"]).ok(); // an engine is there
        Self { home, socket: home.path().join("run/quarterdeck/engine.sock") }
    }

    pub fn curl(&self, path: &str, arguments: &[&str]) -> Answer {
        self.curl_with(path, arguments, b"")
    }

    pub fn curl_with(&self, path: &str, arguments: &[&str], stdin: &[u8]) -> Answer {
        let mut child = Command::new("curl")
            .args(["--silent", "--show-error", "--globoff", "--max-time", "60", "--unix-socket"])
            .arg(&self.socket)
            .args(["--write-out", "\n%{http_code} %{content_type}"])
            .args(arguments)
            .arg(format!("http://engine/api/v1{path}"))
            .current_dir(self.home.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("curl is installed (apt-get install curl)");
        let (mut pipe, bytes) = (child.stdin.take().expect("piped"), stdin.to_vec());
        let writer = std::thread::spawn(move || {
            // the other side may have heard enough
            let _ = std::io::Write::write_all(&mut pipe, &bytes);
        });
        let out = child.wait_with_output().expect("curl");
        writer.join().expect("writer");
        let cut = out.stdout.iter().rposition(|byte| *byte == b'\n').expect("curl's own line");
        let line = String::from_utf8_lossy(&out.stdout[cut + 1..]).into_owned();
        let (status, kind) = line.split_once(' ').unwrap_or((&line, ""));
        let status = status.parse().expect("a status");
        Answer { status, kind: kind.to_owned(), body: out.stdout[..cut].to_vec() }
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.curl(path, &[]).is(200).json()
    }

    #[track_caller]
    pub fn script(&self, name: &str, text: &str) -> u64 {
        let file = format!("file={text}");
        let made = self.curl("/scripts", &["-d", &format!("name={name}"), "--data-urlencode", &file]).is(201).json();
        made["data"]["id"].as_u64().expect("an id")
    }

    /// Numbers of the devices, in their order.
    pub fn devices(&self) -> Vec<u64> {
        let all = self.get("/devices?limit=100");
        all["data"].as_array().expect("rows").iter().map(|row| row["id"].as_u64().expect("an id")).collect()
    }

    #[track_caller]
    pub fn launch(&self, arguments: &[&str]) -> u64 {
        let made = self.curl("/script_jobs", arguments).is(201).json();
        assert_eq!(made["data"]["type"], "script_job", "{made}");
        made["data"]["id"].as_u64().expect("an id")
    }

    /// The job when it has ended.
    pub fn ended(&self, id: u64) -> Value {
        self.home.ended_job(id);
        self.get(&format!("/script_jobs/{id}"))["data"].clone()
    }
}
