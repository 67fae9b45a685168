//! What comes after a job: its outputs compared. Real runs on real OpenSSH servers of our own, through the real binary.

mod support;

use serde_json::Value;
use support::{Fleet, Home};

/// Ends badly on every third host, says what is this moment's and this host's own on all of them.
const PATCH: &str = r#"#!/bin/sh
host=${SSH_CONNECTION#* * }
host=${host%% *}
number=${host##*.}
echo "patching $host at $(date +%T)"
echo "free $((number * 7)) GiB"
if [ $((number % 3)) = 0 ]; then
    echo "curl: (22) The requested URL returned error: 503" >&2
    exit 69
fi
echo "installed"
"#;

fn lab(home: &Home, hosts: usize) -> Fleet {
    let fleet = Fleet::start(home, hosts);
    fleet.configure(home);
    fleet
}

fn launch(home: &Home, target: &str, count: usize) {
    let count = count.to_string();
    let ran = home.verb(["run", "patch.sh", "--target", target, "--wait", "--confirm", &count]).run();
    assert!(matches!(ran.code(), 0 | 3), "{ran}");
}

fn words(value: &Value) -> Vec<&str> {
    value.as_str().expect("a text").lines().collect()
}

#[test]
fn a_failure_is_told_from_what_went_well_by_its_lines_alone() {
    let home = Home::empty();
    let _fleet = lab(&home, 6);
    home.script("patch.sh", PATCH);
    launch(&home, "lab", 6);
    let bad = home.verb(["groups", "1", "--json"]).run().ok().json()["groups"][0]["signature"].clone();
    let bad = bad.as_str().expect("a signature");

    let diff = home.verb(["diff", "1", "--group", bad, "--json"]).run().ok().json();
    let lines = words(&diff["diff"]);
    assert!(lines[0].starts_with("--- job 1 ") && lines[0].ends_with("(ok, 0, one of 4 alike)"), "{lines:#?}");
    assert!(lines[1].ends_with("(failed, 69, one of 2 alike)"), "{lines:#?}");
    assert_eq!(
        lines[3..],
        [
            " patching <addr> at <time>",
            " free <n> GiB",
            "-installed",
            "+~~~ stderr",
            "+curl: (<n>) The requested URL returned error: <n>"
        ],
        "what differs from host to host is no difference"
    );
    assert_eq!((&diff["masked"], &diff["left"]["stands_for"]), (&Value::from(true), &Value::from(4)));
    assert!(diff["masks"].as_array().is_some_and(|masks| masks.iter().any(|mask| mask["mark"] == "<n>")), "{diff:#}");

    // the beginning of a signature is enough; as it came, everything differs
    let short = bad.trim_start_matches("v1:").split_at(6).0;
    let raw = home.verb(["diff", "1", "--group", short, "--raw", "--color", "always"]).run().ok().text();
    assert!(raw.contains("\x1b[31m-patching ") && raw.contains("\x1b[32m+patching "), "{raw}");
}

#[test]
fn a_device_is_compared_with_itself_the_time_before_and_a_job_with_the_one_before() {
    let home = Home::empty();
    let fleet = lab(&home, 6);
    home.script("patch.sh", PATCH);
    let well = fleet.hosts.iter().find(|host| host.address.octets()[3] % 3 != 0).expect("two thirds are");
    let one = well.name.clone();
    launch(&home, "lab", 6);
    home.script("patch.sh", PATCH.replace("echo \"installed\"", "echo \"installed twice\""));
    launch(&home, "lab", 6);

    let alone = home.qd(["diff", "1", "--device", &one]);
    assert!(alone.errors().contains(&format!("patch.sh has not been run on lab:{one} before job 1")), "{alone}");
    let diff = home.qd(["diff", "2", "--device", &one]).ok().text();
    for words in [format!("--- job 1 lab:{one}"), format!("+++ job 2 lab:{one}"), "-installed\n+installed twice".into()]
    {
        assert!(diff.contains(&words), "{words:?} in\n{diff}");
    }
    let both = home.qd(["diff", "1", "2", "--device", &one]).ok().text();
    assert_eq!(diff, both);

    let jobs = home.verb(["diff", "2", "--json"]).run().ok().json();
    assert_eq!((&jobs["left"], &jobs["right"]), (&Value::from(1), &Value::from(2)));
    let rows: Vec<_> = jobs["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| (group["says"].as_str().expect("says"), group["left"].as_u64(), group["right"].as_u64()))
        .collect();
    let curl = "curl: (<n>) The requested URL returned error: <n>";
    assert_eq!(
        rows,
        [(curl, Some(2), Some(2)), ("installed twice", Some(0), Some(4)), ("installed", Some(4), Some(0))]
    );
    let text = home.qd(["diff", "1", "2"]).ok().text();
    assert!(text.contains("JOB 1  JOB 2") && text.contains("bad again"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let home = Home::empty();
    home.script("fails.sh", "#!/bin/sh\necho no >&2\nexit 1\n");
    home.verb(["run", "fails.sh", "--target", "local", "--wait"]).run().exits(3);
    for (arguments, why) in [
        (vec!["diff", "9"], "no job 9"),
        (vec!["diff", "1"], "no job of fails.sh before job 1"),
        (vec!["diff", "1", "1"], "compared with itself"),
        (vec!["diff", "1", "--group", "v1:0000"], "nothing in job 1 ended well"),
        (vec!["diff", "1", "--device", "nobody", "--group", "v1:0000"], "job 1 has no group v1:0000"),
        (vec!["diff", "1", "--device", "a", "--device", "b", "--device", "c"], "two sides can be compared"),
    ] {
        let refused = home.verb(arguments).run().exits(2);
        assert!(refused.errors().contains(why), "{why:?} in {refused}");
    }
}

/// Fails until a file is there; one host of the three never answers.
const FLAKY: &str = r#"#!/bin/sh
# @describe fails the first time
# @option --want=1 what is wanted
test -e "$HOME/fixed" && { echo "fine now"; exit 0; }
host=${SSH_CONNECTION#* * }
host=${host%% *}
test "${host##*.}" = 2 && exit 0
echo "not yet" >&2
exit 7
"#;

#[test]
fn what_a_job_left_is_a_target_and_can_be_run_again_as_it_was() {
    let home = Home::empty();
    let fleet = lab(&home, 4);
    home.script("flaky.sh", FLAKY);
    home.verb(["run", "flaky.sh", "--target", "lab", "--param", "want=14.6", "--wait", "--confirm", "4"])
        .run()
        .exits(3);

    let resolved = home.verb(["targets", "resolve", "@failed:1 & !web004", "--json"]).run().ok().json();
    assert_eq!(resolved["folded"], "lab:web[001,003]");
    assert_eq!(home.verb(["targets", "resolve", "@ok:1", "--json"]).run().ok().json()["folded"], "lab:web002");

    let saved = home.verb(["targets", "ls", "--json"]).run().ok().json()["saved"].clone();
    assert_eq!(saved, serde_json::json!([{"name": "failed:1", "expr": "@failed:1"}]), "kept without anybody's doing");

    // the script has changed since: what runs again is what ran
    home.script("flaky.sh", "#!/bin/sh\necho another script\n");
    std::fs::write(fleet.remote_home.join("fixed"), "").expect("the sessions' home");
    let again = home.verb(["rerun", "1", "--failed", "--confirm", "3", "--json"]).run().ok().json();
    assert_eq!((&again["id"], &again["parent"]), (&Value::from(2), &Value::from(1)));
    let job = home.ended_job(2);
    assert_eq!((&job["parent"], &job["target"]), (&Value::from(1), &Value::from("@failed:1")));
    assert_eq!((&job["counts"]["ok"], &job["params"]), (&Value::from(3), &home.job(1)["params"]));
    assert_eq!(job["version"], home.job(1)["version"]);
    assert_eq!(home.output(2, &["--device", "web001"]), b"fine now\n");
    assert!(
        home.qd(["jobs", "show", "2"]).ok().text().contains("retry of  job 1"),
        "{}",
        home.qd(["jobs", "show", "2"])
    );

    // all that is wrong with a wish is told before anything is sent
    for (arguments, why) in [
        (vec!["rerun", "1"], "required"),
        (vec!["rerun", "2", "--failed"], "`@failed:2` holds no device: nothing would run"),
        (vec!["rerun", "1", "--failed", "--confirm", "5"], "--confirm 5, but `@failed:1` holds 3 devices"),
        (vec!["rerun", "9", "--failed"], "no job 9"),
        (vec!["rerun", "1", "--group", "v1:0000"], "job 1 has no group v1:0000"),
        (vec!["targets", "resolve", "@faild:1"], "did you mean 'failed'"),
        (vec!["targets", "resolve", "web001 | @failed:9"], "no job 9"),
    ] {
        let refused = home.verb(arguments).run().exits(2);
        assert!(refused.errors().contains(why), "{why:?} in {refused}");
    }

    // a device that the inventory has lost is named, not passed over
    let hosts = std::fs::read_to_string(&fleet.inventory).expect("hosts.ini");
    let fewer: String =
        hosts.lines().filter(|line| !line.starts_with("web003 ")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&fleet.inventory, fewer).expect("hosts.ini");
    let told = home.verb(["rerun", "1", "--failed", "--confirm", "2", "--wait"]).run().ok();
    assert!(told.errors().contains("left out: 1 in the inventory no longer: lab:web003"), "{told}");
}

#[test]
fn a_secret_is_asked_for_again_and_a_job_that_runs_is_not_retried() {
    let home = Home::empty();
    home.script(
        "secret.sh",
        "#!/bin/sh\n# @option --token! <SECRET>\nread -r token\necho \"${#token} letters\"\nexit 3\n",
    );
    let token = home.file("token", "hunter2\n");
    let given = format!("token=@{token}");
    home.verb(["run", "secret.sh", "--target", "local", "--secret", &given, "--wait"]).run().exits(3);
    let refused = home.verb(["rerun", "1", "--failed"]).run().exits(2);
    assert!(refused.errors().contains("token"), "{refused}");
    home.verb(["rerun", "1", "--failed", "--secret", &given, "--wait"]).run().exits(3);
    assert!(!home.job(2).to_string().contains("hunter2"));

    home.script("waits.sh", "#!/bin/sh\nwhile ! test -e \"$HOME/go\"; do sleep 0.05; done\nexit 1\n");
    home.verb(["run", "waits.sh", "--target", "local"]).run().ok();
    for arguments in [vec!["rerun", "3", "--failed"], vec!["targets", "resolve", "@failed:3"]] {
        let refused = home.verb(arguments).run().exits(2);
        assert!(refused.errors().contains("job 3 still runs"), "{refused}");
    }
    home.verb(["jobs", "cancel", "3"]).run().ok();
    home.ended_job(3);
    let again = home.verb(["rerun", "3", "--cancelled", "--json"]).run().ok().json();
    assert_eq!(again["parent"], 3);
    home.verb(["jobs", "cancel", "4"]).run().ok();
}

/// Says what no format likes.
const HOSTILE: &str = r#"#!/bin/sh
printf '=1+1,"quoted"\033[31m red \033[0m\033]52;c;aGk=\007 <b>&amp; ]]> `x` | \377\376 \001\n'
printf '\342\200\256 ends\r\nlast: =HYPERLINK("x")\n' >&2
exit 5
"#;

/// Reads a report with a parser that is not ours, and prints what it found as JSON.
fn python(code: &str, file: &std::path::Path) -> Value {
    let ran = std::process::Command::new("python3").arg("-c").arg(code).arg(file).output().expect("python3 is here");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

#[test]
fn reports_are_read_by_the_parsers_of_others_whatever_devices_said() {
    let home = Home::empty();
    let _fleet = lab(&home, 3);
    home.script("hostile.sh", HOSTILE);
    home.verb(["run", "hostile.sh", "--target", "lab", "--wait", "--confirm", "3"]).run().exits(3);
    let file = |name: &str| home.work().join(name);

    home.verb(["export", "1", "--output", "job.csv"]).run().ok();
    let rows = python(
        "import csv,json,sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='')))))",
        &file("job.csv"),
    );
    assert_eq!(rows.as_array().expect("rows").len(), 3);
    assert_eq!((&rows[1]["device"], &rows[1]["exit_code"]), (&"lab:web002".into(), &"5".into()));
    assert_eq!(rows[0]["last_line"], "last: =HYPERLINK(\"x\")");

    for raw in [false, true] {
        let mut arguments = vec!["export", "1", "--format", "junit", "--output", "job.xml", "--force"];
        arguments.extend(raw.then_some("--raw"));
        home.verb(arguments).run().ok();
        let cases = python(
            "import json,sys,xml.etree.ElementTree as x\n\
             print(json.dumps([[c.get('name'), c.find('failure').get('type'), c.find('system-out').text, c.find('system-err').text] for c in x.parse(sys.argv[1]).iter('testcase')]))",
            &file("job.xml"),
        );
        assert_eq!(cases.as_array().expect("cases").len(), 3);
        assert!(cases[0][1].as_str().is_some_and(|name| name.starts_with("v1:")), "{cases:#}");
        let out = cases[0][2].as_str().expect("stdout");
        assert!(out.contains("<b>&amp; ]]> `x` |") && out.contains("^A"), "{out:?}");
    }

    let json = home.verb(["export", "1", "--json"]).run().ok().json();
    assert_eq!(json["runs"][2]["stdout"], "=1+1,\"quoted\" red ^[]52;c;aGk=^G <b>&amp; ]]> `x` | \\xff\\xfe ^A\n");
    assert_eq!(json["runs"][2]["stderr"], "\\u{202e} ends\nlast: =HYPERLINK(\"x\")\n");
    let lines = home.verb(["export", "1", "--format", "ndjson", "--fields", "device,stdout"]).run().ok().events();
    assert_eq!(
        lines.iter().map(|line| line["event"].as_str().unwrap()).collect::<Vec<_>>(),
        ["job", "group", "run", "run", "run"]
    );

    let page = home.qd(["export", "1", "--format", "md"]).ok().text();
    for words in
        ["# Job 1: `hostile.sh` done", "* devices: 3: 3 failed", "## `last: =HYPERLINK", "The last lines of `lab:web"]
    {
        assert!(page.contains(words), "{words:?} in\n{page}");
    }
}

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::empty();
    home.script("fine.sh", "#!/bin/sh\necho fine\n");
    home.verb(["run", "fine.sh", "--target", "local", "--wait"]).run().ok();
    let receipt = home.verb(["export", "1", "--output", "job.json", "--json"]).run().ok().json();
    let path = home.work().join("job.json");
    assert_eq!(receipt["bytes"], std::fs::metadata(&path).expect("written").len());
    assert_eq!(std::fs::metadata(&path).expect("written").permissions().mode() & 0o777, 0o600);

    let before = std::fs::read(&path).expect("written");
    let refused = home.qd(["export", "1", "--output", "job.json"]).exits(2);
    assert!(refused.errors().contains("job.json exists already: --force replaces it"), "{refused}");
    for (arguments, code, why) in [
        (vec!["export", "1"], 2, "which format? --format csv, json, ndjson, md, junit"),
        (vec!["export", "9", "--format", "csv", "--output", "nine.csv"], 2, "no job 9"),
        (vec!["export", "1", "--format", "csv", "--fields", "devise"], 2, "did you mean 'device'"),
        (vec!["export", "1", "--format", "csv", "--json"], 2, "two formats"),
        (
            vec!["export", "1", "--format", "csv", "--output", "no/such/folder.csv"],
            1,
            "cannot write no/such/folder.csv",
        ),
        (vec!["export", "1", "--format", "csv", "--output", "."], 2, "exists already"),
    ] {
        let refused = home.verb(arguments).run().exits(code);
        assert!(refused.errors().contains(why), "{why:?} in {refused}");
    }
    // no room for it (a limit stands for a full disk: the write fails half way)
    let full =
        home.verb(["export", "1", "--output", "job.json", "--force"]).after("trap '' XFSZ; ulimit -f 0").run().exits(1);
    assert!(full.errors().contains("cannot write job.json") && full.errors().contains("nothing was written"), "{full}");
    assert_eq!(std::fs::read(&path).expect("still there"), before);
    // a device is written to, and never put away for a file
    let device = home.verb(["export", "1", "--format", "json", "--output", "/dev/full", "--force"]).run().exits(1);
    assert!(device.errors().contains("No space left on device"), "{device}");
    assert!(!std::fs::metadata("/dev/full").expect("it is there").is_file(), "it is no file now");
    let names: Vec<_> =
        std::fs::read_dir(home.work()).expect("folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["job.json"], "nothing half written is left");
}
