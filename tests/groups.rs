//! From "two of twelve failed" to a note, a runbook and a saved target, in the real console on real OpenSSH servers of
//! our own, without a host's name typed: the flow that the groups screen is for.

mod support;

use support::pty::contents;
use support::{Console, Fleet, Home};

/// The device's own name and this moment's are in everything it prints. `GATE`: waited for before it goes wrong.
const PATCH: &str = r#"#!/bin/sh
echo "patching $QUARTERDECK_DEVICE at $(date +%T)"
echo "free $$ MiB"
case "$QUARTERDECK_DEVICE" in
    *web002 | *web008)
        echo "sw_vers: command not found" >&2
        exit 1 ;;
    *web003) [ "$LATE" = yes ] && until [ -e "$GATE" ]; do sleep 0.1; done ;;
    *web005)
        echo "retry 3/3 failed: CDN 50$(( $$ % 10 ))" >&2
        exit 69 ;;
esac
echo "installed, took ${$}s"
"#;

/// As it was the first time: nobody lacks the command, two lack room.
const BEFORE: &str = r#"#!/bin/sh
case "$QUARTERDECK_DEVICE" in
    *web005) echo "retry 3/3 failed: CDN 50$(( $$ % 10 ))" >&2; exit 69 ;;
    *web009 | *web010) echo "no space: $$ MiB free" >&2; exit 70 ;;
esac
echo "installed, took ${$}s"
"#;

#[test]
fn from_two_bad_devices_to_a_note_and_a_saved_target_without_a_name_typed() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 12);
    // what the two have in common is in the inventory alone
    fleet.write_inventory("[web]\nweb002 via=proxy-b\nweb008 via=proxy-b\n");
    fleet.configure(&home);
    let gate = home.path().join("gate");
    home.script("patch.sh", BEFORE);
    home.verb(["run", "patch.sh", "--target", "web", "--wait", "--confirm", "12"]).run().exits(3);
    let late = PATCH.replace("$LATE", "yes").replace("$GATE", gate.to_str().expect("UTF-8"));
    home.script("patch.sh", late);
    home.qd(["run", "patch.sh", "--target", "web", "--confirm", "12"]).ok();

    let mut console = Console::setup(&home).size(140, 40).start();
    console.opens_job(2, "patch.sh");
    // 1. the status line says what is new, while the job runs; it has two members whoever ended first
    // (said in the jobs' list already where it comes before the job is opened)
    console.sees("new signature S");
    console.keys("u");
    console.sees("> Groups");
    // 2. what is new comes first; 4. and what explains it stands below
    console.wait("the new signature is the first row", |screen| {
        let text = contents(screen);
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("sw_vers") || line.contains("CDN")).collect();
        rows.first().is_some_and(|row| row.contains("NEW") && row.contains("sw_vers: command not found"))
    });
    console.sees("2 of 2 via=proxy-b");
    console.sees("share via=proxy-b, none of the");
    // 6. it might grow: nothing new is sent until somebody says so, which asks
    console.keys("p");
    console.sees("job 2: paused");
    console.keys("p");
    console.sees("Go on");
    console.keys("<tab><enter>");
    console.sees("job 2: resumed");
    // the last one ends, and the row of those without a result goes
    std::fs::write(&gate, "").expect("the test's own home");
    console.loses("no result yet");
    console.sees("12 devices in 3 groups");
    console.sees("fixed since 1: no space: <n> MiB free (2 devices)");
    // 3. beside what went well: numbers and names masked
    console.sees("-> S");
    console.sees("+ sw_vers: command not found");
    console.sees("- installed, took <n>s");
    console.keys("3i");
    console.sees("   raw");
    console.keys("1");
    // 5. a note and a runbook: next week's same failure carries them
    console.keys("m");
    console.sees("note: ");
    console.text("wait for the vendor");
    console.keys("<enter>");
    console.sees("wait for the vendor");
    console.loses("note: ");
    console.keys("O");
    console.sees("runbook: ");
    console.text("https://wiki.example/rb/RB-77");
    console.keys("<enter>");
    console.sees("RB-77 ");
    console.keys("a");
    console.sees("acknowledged");
    // 7. the group becomes a target
    console.text(":group save s1-proxyb");
    console.keys("<enter>");
    console.sees("saved as @s1-proxyb");
    // 8. the page for the ticket, on a disk that holds it; a second one does not take its place unasked
    console.keys("D");
    console.sees("Export  job 2");
    console.keys("<enter><enter>");
    console.sees("job-2-patch.md: job 2 as md, 12 devices");
    console.keys("D");
    console.sees("Export  job 2");
    console.keys("<enter><enter>");
    console.sees("job-2-patch.md exists already.");
    console.keys("<esc>");
    console.loses("exists already");
    // its devices, and the output of one
    console.keys("<enter>");
    console.sees("web008");
    console.keys("<enter>");
    console.sees("sw_vers: command not found");
    console.sees("3 Tail");
    console.quit().is_restored();

    let page = std::fs::read_to_string(home.work().join("job-2-patch.md")).expect("the page is where it was started");
    for words in ["# Job 2", "sw_vers: command not found", "wait for the vendor", "`via=proxy-b`: 2 of 2 here"] {
        assert!(page.contains(words), "{words} in\n{page}");
    }
    let groups = home.verb(["groups", "2", "--json"]).run().ok().json();
    let first = &groups["groups"][0];
    assert_eq!(first["note"]["text"], "wait for the vendor", "{groups:#}");
    assert_eq!(first["runbook"], "https://wiki.example/rb/RB-77");
    assert!(first["acked"]["by"].is_string());
    let resolved = home.qd(["targets", "resolve", "@s1-proxyb & !web002"]).ok().text();
    assert_eq!(resolved, "lab:web008\n");
    fleet.is_clean();
}
