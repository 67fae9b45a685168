//! A roll-out that is held, from the console: written down in the launch dialog, watched ring by ring, paused, and let
//! go. The real binary, on hosts of a private sshd.

mod support;

use support::sshd::Fleet;
use support::{Console, Home, eventually};

/// Answers at once, says who it is.
const GREET: &str = "#!/bin/sh\necho \"hello from $QUARTERDECK_DEVICE\"\n";

#[test]
fn a_ring_waits_for_the_operator_and_goes_when_it_is_approved() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 6);
    home.config(&format!("{}\n[notify]\ndesktop = \"osc9\"\n", fleet.config("strict")));
    home.script("greet.sh", GREET);
    let mut console = Console::setup(&home).size(140, 40).start();
    console.sees("greet.sh");
    console.sees("lab"); // nothing is launched before the targets are read
    console.keys("1/");
    console.text("greet");
    console.keys("<enter>r");
    console.sees("nothing is sent until you arm");
    console.text("web");
    console.sees("6 of ");
    console.keys("<A-c>");
    console.text("1, 3, 100%");
    console.keys("<tab><right>");
    console.sees("wait for all, then ask");
    console.sees("ring 3  3  lab:");
    console.sees("--rings 1,3,100% --between ask");
    console.keys("<A-d>");
    console.arms_and_launches("y");
    // the first ring has one device; the second is asked for
    console.sees("WAITS");
    console.sees("ring 2: press P");
    assert_eq!(home.job(1)["counts"]["ok"], 1);
    console.keys("P");
    console.sees("Ring 2 of 3 is 2 devices");
    console.keys("<enter>");
    console.loses("Ring 2 of 3 is 2 devices");
    assert_eq!(home.job(1)["counts"]["ok"], 1, "enter alone starts nothing");
    console.keys("P");
    console.sees("Ring 2 of 3 is 2 devices");
    console.keys("<tab><enter>");
    console.sees("ring 3: press P");
    assert_eq!(home.job(1)["counts"]["ok"], 3);
    // paused while it waits: it is not let go by going on
    console.keys("p");
    console.sees("PAUSED");
    console.keys("p");
    console.sees("ring 3 then still waits for you");
    console.keys("<tab><enter>");
    console.sees("WAITS");
    console.keys("P");
    console.sees("Ring 3 of 3 is 3 devices");
    console.keys("<tab><enter>");
    console.sees("ALL OK");
    assert_eq!(home.ended_job(1)["counts"]["ok"], 6);
    let console = console.quit();
    console.is_restored();
    // the bell, and the desktop: each thing once
    for told in [": ring 2 of 2 devices waits", ": ring 3 of 3 devices waits", " is done: 6 ok, 0 failed of 6"] {
        let told = format!("\x07\x1b]9;job 1 greet.sh{told}");
        assert_eq!(memchr::memmem::find_iter(&console.log, &told).count(), 1, "{told:?}");
    }
}

/// Two who look at the same job, each in a console of their own.
fn two_at(home: &Home) -> [Console; 2] {
    [(); 2].map(|()| {
        let mut console = Console::setup(home).size(140, 40).start();
        console.opens_job(1, "greet.sh");
        console.sees("ring 2: press P");
        console
    })
}

#[test]
fn two_consoles_that_approve_pause_and_stop_at_once_end_in_one_state() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 6);
    fleet.configure(&home);
    home.script("greet.sh", GREET);
    home.verb(["run", "greet.sh", "--target", "lab", "--rings", "1,3,100%", "--between", "ask"]).run().ok();
    eventually("it asks", || home.job(1)["progress"]["asks"]["ring"] == 2);
    let mut both = two_at(&home);

    // the same question before both, answered by both: one ring goes, not two
    for console in &mut both {
        console.keys("P");
        console.sees("Ring 2 of 3 is 2 devices");
    }
    for console in &mut both {
        console.keys("<tab><enter>");
    }
    for console in &mut both {
        console.loses("Ring 2 of 3 is 2 devices");
        console.sees("ring 3: press P");
    }
    assert_eq!(home.job(1)["counts"]["ok"], 3, "ring 3 still waits");

    // one pauses, both end the pause: that lets no ring go
    both[0].keys("p");
    for console in &mut both {
        console.sees("PAUSED");
        console.keys("p");
        console.sees("ring 3 then still waits for you");
    }
    for console in &mut both {
        console.keys("<tab><enter>");
    }
    for console in &mut both {
        console.loses("ring 3 then still waits for you");
        console.sees("WAITS");
    }
    assert_eq!(home.job(1)["counts"]["ok"], 3, "nor does that");

    // one lets the last ring go while the other stops all of it
    let [one, other] = &mut both;
    one.keys("P");
    one.sees("Ring 3 of 3 is 3 devices");
    other.keys("K");
    other.sees("stop sending");
    other.keys("y");
    other.sees("armed: enter stops");
    one.keys("<tab><enter>");
    other.keys("<enter>");
    let job = home.ended_job(1);
    let count = |state: &str| job["counts"][state].as_u64().unwrap_or(0);
    assert_eq!(count("ok") + count("cancelled"), 6, "every device in one state: {job}");
    assert!(count("ok") >= 3, "what had run has run: {job}");
    let stopped = job["state"] == "cancelled";
    assert!(stopped || (job["state"] == "done" && count("ok") == 6), "stopped, or over before it could be: {job}");
    // and both say the same of it
    for console in &mut both {
        console.sees(if stopped { "STOPPED" } else { "ALL OK" });
    }
    for console in both {
        console.quit().is_restored();
    }
}
