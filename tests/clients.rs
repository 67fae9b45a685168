//! Programs that were written for SimpleMDM, as they come from PyPI, and the lines of its documentation: unchanged apart
//! from the base URL, and their key. That one of them is missing is a failure, not a reason to skip.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use support::door::{Door, key};
use support::{Home, eventually};

/// The virtual environment: made once below the target folder, by the first of however many tests come at the same time.
fn python() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/clients/requirements.txt");
        let wanted = std::fs::read(&list).expect("the list of packages");
        std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("the target folder");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        let lock = std::fs::File::create(folder.with_extension("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let (python, whole) = (folder.join("bin/python"), folder.join("whole"));
        let works = || {
            let asked = Command::new(&python).args(["-c", "import SimpleMDMpy, simplemdm_sdk"]).output();
            asked.is_ok_and(|done| done.status.success())
        };
        if std::fs::read(&whole).is_ok_and(|had| had == wanted) && works() {
            return python;
        }
        let _ = std::fs::remove_dir_all(&folder);
        must(
            Command::new("python3").args(["-m", "venv"]).arg(&folder),
            "python3 (3.11 or newer) with its venv module: install python3-venv",
        );
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        must(Command::new(&python).args(install).arg(&list), "SimpleMDMpy and simplemdm-sdk from PyPI");
        assert!(works(), "these tests need Python 3.11 or newer, which simplemdm-sdk asks for");
        std::fs::write(whole, wanted).expect("the mark of a whole environment");
        python
    })
    .clone()
}

fn must(command: &mut Command, what: &str) {
    let done = command.stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("these tests need {what}: {error}"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "these tests need {what}: {said}");
}

/// 25 hosts that are never spoken to, and this machine.
fn home() -> Home {
    let home = Home::empty();
    home.script("own.sh", "#!/bin/sh\n");
    let hosts: String = (1..=25).map(|n| format!("web{n:02}\n")).collect();
    let inventory = home.write("work/hosts.ini", format!("[lab]\n{hosts}"));
    home.config(&format!("[[connection]]\nname = \"ssh\"\nkind = \"ssh\"\ninventory = \"{}\"\n", inventory.display()));
    home
}

fn cycle(program: &str, fix: &str) {
    let home = home();
    let door = Door::open(&home, []);
    let key = key(&home, "client", ["--scope", "run,edit"]);
    let done = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/clients").join(program))
        .env_clear()
        .envs(home.environment())
        .envs([("BASE", format!("{}/api/v1", door.url)), ("KEY", key), ("FIX", fix.to_owned())])
        .stdin(Stdio::null())
        .output()
        .expect("the environment has a Python");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.ends_with("done\n"), "{said}");
    let jobs = home.qd(["jobs", "ls", "--json"]).ok().json();
    assert!(!jobs.as_array().unwrap().is_empty(), "the console sees what it launched");
}

#[test]
fn simplemdmpy_runs_its_whole_cycle() {
    cycle("simplemdmpy.py", "0");
}

#[test]
fn simplemdm_sdk_runs_its_whole_cycle_as_it_is() {
    cycle("sdk.py", "0");
}

#[test]
fn simplemdm_sdk_runs_its_whole_cycle_with_its_header_put_right() {
    cycle("sdk.py", "1");
}

#[test]
fn the_lines_of_the_documentation_do_what_it_says() {
    let home = home();
    let door = Door::open(&home, []);
    let key = key(&home, "client", ["--scope", "run,edit"]);
    home.file("my_new_script.sh", "#!/bin/sh\necho one\necho two\n");
    let curl = |path: &str, arguments: &[&str]| -> (u16, Value) {
        let done = Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "\n%{http_code}"])
            .arg(format!("{}/api/v1{path}", door.url))
            .args(["-u", &format!("{key}:")])
            .args(arguments)
            .current_dir(home.work())
            .stdin(Stdio::null())
            .output()
            .expect("these tests need curl");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("a status");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
    };
    let (status, script) =
        curl("/scripts", &["-F", "name=My Script", "-F", "variable_support=1", "-F", "file=@my_new_script.sh"]);
    assert_eq!(status, 201, "{script}");
    let id = script["data"]["id"].to_string();
    assert_eq!(curl("/scripts?limit=100", &[]).0, 200);
    let (status, one) = curl(&format!("/scripts/{id}"), &[]);
    assert_eq!((status, &one["data"]["attributes"]["content"]), (200, &"#!/bin/sh\necho one\necho two\n".into()));
    assert_eq!(curl(&format!("/scripts/{id}"), &["-X", "PATCH", "-F", "name=Another"]).0, 200);
    let (_, devices) = curl("/devices?search=local", &[]);
    let device = devices["data"][0]["id"].to_string();
    assert_eq!(curl("/custom_attributes", &["-d", "name=greeting_attribute"]).0, 201);
    let (status, job) = curl(
        "/script_jobs",
        &[
            "-F",
            &format!("script_id={id}"),
            "-F",
            &format!("device_ids={device}"),
            "-F",
            "custom_attribute=greeting_attribute",
            "-F",
            "custom_attribute_regex=\\n",
        ],
    );
    assert_eq!(status, 201, "{job}");
    let at = format!("/script_jobs/{}", job["data"]["id"]);
    eventually("it has ended", || curl(&at, &[]).1["data"]["attributes"]["status"] == "completed");
    let value = || curl(&format!("/devices/{device}/custom_attribute_values/greeting_attribute"), &[]).1;
    eventually("its output is kept", || value()["data"]["attributes"]["value"] == "onetwo");
    assert_eq!(curl(&at, &["-X", "DELETE"]).0, 422, "there is nothing left to cancel");
    assert_eq!(curl("/logs?limit=1", &[]).0, 200);
    assert_eq!(curl(&format!("/scripts/{id}"), &["-X", "DELETE"]).0, 204);
    assert_eq!(curl(&format!("/scripts/{id}"), &[]).0, 404);
}
