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
