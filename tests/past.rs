//! Finding things again: the real verbs over jobs that were really run, by text, device, exit code and signature; and
//! what touched a device, in the real console.

mod support;

use support::verb::of_kind;
use support::{Console, Fleet, Home};

const PATCH: &str = r#"#!/bin/sh
echo "patching $QUARTERDECK_DEVICE"
case "$QUARTERDECK_DEVICE" in
    *web002) echo "no space left on device" >&2; exit 70 ;;
    *web003) echo "retry 3/3 failed: CDN 503" >&2; exit 69 ;;
esac
echo "installed"
"#;

const CLEAN: &str = "#!/bin/sh\necho cleaned\nfor n in 1 2 3; do echo \"no space left in /tmp/$n\"; done\n";

/// Two jobs of one script and one of another on four hosts; then the second host is forgotten by the inventory.
fn past(home: &Home) -> Fleet {
    let fleet = Fleet::start(home, 4);
    fleet.configure(home);
    home.script("patch.sh", PATCH);
    home.script("clean.sh", CLEAN);
    home.verb(["run", "patch.sh", "--target", "web", "--wait"]).run().exits(3);
    home.verb(["run", "clean.sh", "--target", "web001", "--wait"]).run().ok();
    home.verb(["run", "patch.sh", "--target", "web002 | web004", "--wait"]).run().exits(3);
    fleet
}

#[test]
fn the_past_answers_by_device_text_exit_code_and_signature() {
    let home = Home::empty();
    let _fleet = past(&home);
    let hits = |arguments: &[&str]| {
        let ran = home.verb([&["search", "--json"], arguments].concat()).run();
        let events = ran.events();
        let end = of_kind(&events, "end");
        assert_eq!(end.len(), 1, "it ends with its last word: {events:?}");
        assert_eq!(end[0]["schema_version"], 1);
        let hits = of_kind(&events, "hit");
        assert_eq!(ran.code(), if hits.is_empty() { 3 } else { 0 });
        hits.iter()
            .map(|hit| {
                let word = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
                (hit["job"].as_u64().unwrap(), word("name"), hit["exit_code"].as_i64(), word("says"))
            })
            .collect::<Vec<_>>()
    };
    let short = |arguments: &[&str]| {
        hits(arguments).into_iter().map(|(job, name, ..)| format!("{job} {name}")).collect::<Vec<_>>()
    };
    // which jobs touched it, the newest first
    assert_eq!(short(&["--device", "web002"]), ["3 web002", "1 web002"]);
    assert_eq!(short(&["--device", "web & !web[001-003]"]), ["3 web004", "1 web004"]);
    assert_eq!(short(&["--device", "web[001-002]", "--script", "clean.sh"]), ["2 web001"]);
    // where it stood: the first line of each run that has it
    let found = hits(&["no space left"]);
    let said: Vec<_> =
        found.iter().map(|(job, name, code, says)| (*job, name.as_str(), *code, says.as_str())).collect();
    assert_eq!(
        said,
        [
            (3, "web002", Some(70), "no space left on device"),
            (2, "web001", Some(0), "no space left in /tmp/1"),
            (1, "web002", Some(70), "no space left on device"),
        ]
    );
    assert_eq!(short(&["--regex", "CDN 50[0-9]"]), ["1 web003"]);
    assert_eq!(short(&["no space left", "--exit-code", "!0"]), ["3 web002", "1 web002"], "both must hold");
    assert_eq!(short(&["no space left", "--stream", "out"]), ["2 web001"]);
    assert_eq!(short(&["--exit-code", "69,70"]), ["3 web002", "1 web002", "1 web003"]);
    assert_eq!(short(&["--state", "failed", "--job", "1"]), ["1 web002", "1 web003"]);
    assert_eq!(short(&["NO SPACE"]).len(), 0, "capitals count");
    assert_eq!(short(&["--script", "patch.sh", "--since", "1h", "--limit", "1"]), ["3 web002"]);
    assert_eq!(short(&["--until", "1h", "--script", "patch.sh"]).len(), 0);
    // the same failure has the same name in every job
    let groups = home.qd(["groups", "1", "--json"]).ok().json();
    let groups = groups["groups"].as_array().expect("groups").clone();
    let full = groups.iter().find(|group| group["exit_code"] == 70).expect("its group");
    let signature = full["signature"].as_str().expect("its name");
    assert_eq!(short(&["--signature", signature]), ["3 web002", "1 web002"]);
    assert_eq!(short(&["--signature", &signature[..9]]), ["3 web002", "1 web002"], "its beginning is enough");
    assert_eq!(short(&["--signature", "v1:ffffffffffff"]).len(), 0);
}

#[test]
fn where_used_is_a_row_a_job_and_a_forgotten_device_is_still_known() {
    let home = Home::empty();
    let fleet = past(&home);
    let table = home.qd(["targets", "where", "web002"]).ok().text();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["JOB", "WHEN", "SCRIPT", "DEVICE", "STATE", "RC", "LINE"]);
    assert_eq!((rows[1][0], rows[1][3], &rows[1][4..7]), ("3", "patch.sh", &["lab:web002", "failed", "70"][..]));
    assert_eq!((rows[2][0], rows.len()), ("1", 3));
    // of a group: how its devices fared
    let group = home.qd(["targets", "where", "web"]).ok().text();
    assert!(group.lines().any(|line| line.contains("4 devices") && line.contains("2 failed, 2 ok")), "{group}");
    let script = home.qd(["scripts", "where", "clean.sh", "--json"]).ok().events();
    assert_eq!(of_kind(&script, "hit")[0]["counts"]["ok"], 1);
    // the inventory forgets it, the past does not
    fleet.write_inventory("");
    std::fs::write(home.path().join("none"), "").expect("the test's own home");
    home.qd(["search", "--device", "lab:web002", "--jobs"]).ok();
    // slips are named
    let slip = home.qd(["scripts", "where", "clean.hs"]).exits(2);
    assert!(slip.errors().contains("did you mean 'clean.sh'"), "{}", slip.errors());
    assert!(home.qd(["search", "--device", "wbe002"]).exits(2).errors().contains("wbe002"));
    assert!(home.qd(["search", "--since", "soon"]).exits(2).errors().contains("--since soon"));
    assert!(home.qd(["search"]).exits(2).errors().contains("search for what?"));
    assert!(home.qd(["search", "--job", "99", "x"]).exits(2).errors().contains("no job 99"));
}

#[test]
fn a_name_that_a_rule_made_is_found_where_its_runs_were_recorded_otherwise() {
    let home = Home::empty();
    let _fleet = past(&home);
    let name = || {
        let groups = home.qd(["groups", "1", "--json"]).ok().json();
        let groups = groups["groups"].as_array().expect("groups").clone();
        let group = groups.iter().find(|group| group["exit_code"] == 69).expect("a group");
        group["signature"].as_str().expect("its name").to_owned()
    };
    let recorded = name();
    home.qd(["regroup", "keep", "patch.sh", "CDN [0-9]+"]).ok();
    let made = name();
    assert_ne!(recorded, made, "the number counts now");
    for signature in [recorded, made] {
        let found = home.qd(["search", "--signature", &signature, "--json"]).ok().events();
        let runs: Vec<_> = of_kind(&found, "hit").iter().map(|hit| (hit["job"].clone(), hit["name"].clone())).collect();
        assert_eq!(runs, [(1.into(), "web003".into())], "{signature}");
    }
}

#[test]
fn the_console_goes_from_a_device_to_what_touched_it_and_from_a_line_to_its_run() {
    let home = Home::empty();
    let _fleet = past(&home);
    let mut console = Console::setup(&home).size(100, 30).start();
    console.sees("patch.sh");
    console.keys("g/");
    console.text("'no space left on'");
    console.keys("<enter>");
    console.sees("all: 2 runs");
    console.sees("line 2: no space left on device");
    console.keys("j<enter>");
    console.sees("Tail  web002");
    console.sees("1 of 1");
    console.keys("<esc>");
    console.loses("1 of 1"); // the search in the text ends first
    console.keys("q");
    console.sees("all: 2 runs");
    console.keys("w");
    console.sees("Where used  lab:web002");
    console.sees("all: 2 jobs");
    console.keys("q");
    console.sees("all: 2 runs");
    console.keys("q");
    console.sees("Scripts");
    console.quit().is_restored();
}
