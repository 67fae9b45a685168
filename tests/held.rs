//! A roll-out that is held, from the console: written down in the launch dialog, watched ring by ring, paused, and let
//! go. The real binary, on hosts of a private sshd.

mod support;

use support::sshd::Fleet;
use support::{Console, Home};

/// Answers at once, says who it is.
const GREET: &str = "#!/bin/sh\necho \"hello from $QUARTERDECK_DEVICE\"\n";

#[test]
fn a_ring_waits_for_the_operator_and_goes_when_it_is_approved() {
    let home = Home::empty();
    let fleet = Fleet::start(&home, 6);
    fleet.configure(&home);
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
    console.quit().is_restored();
}
