//! Reading outputs in the console and without it: the real binary, real jobs on this machine.

mod support;

use support::pty::contents;
use support::{Console, Home};

const LONG: &str = "#!/bin/sh\nseq -f 'step %.0f is done' 1 100000\necho 'ERROR: disk is full' >&2\nseq -f 'step %.0f is done' 100001 100100\n";

/// A job of one device that has ended; the console shows it.
fn opened(home: &Home, script: &str) -> Console {
    home.script("long.sh", script);
    home.verb(["run", "long.sh", "--target", "local", "--wait"]).run().ok();
    opened_in(Console::setup(home))
}

fn opened_in(setup: support::pty::Setup<'_>) -> Console {
    let mut console = setup.start();
    console.opens_job(1, "long.sh");
    console
}

// ---- in the console ----------------------------------------------------------------------------------------

#[test]
fn a_line_is_found_in_a_hundred_thousand_and_the_next_one_too() {
    let home = Home::empty();
    let mut console = opened(&home, LONG);
    console.sees("step 100100 is done");
    console.keys("3/");
    console.text("step 4711");
    console.sees("step 4711 is done");
    console.keys("<enter>");
    console.sees("1 of 11");
    console.keys("n");
    console.sees("2 of 11");
    console.sees("step 47110 is done");
    console.keys("NN");
    console.sees("11 of 11");
    console.sees("step 47119 is done");
    console.keys("<esc>");
    console.loses("11 of 11");
    console.keys("F");
    console.sees("step 100100 is done");
    console.quit().is_restored();
}

#[test]
fn the_tail_shows_only_what_matches_and_says_so() {
    let home = Home::empty();
    let mut console = opened(&home, LONG);
    console.sees("step 100100 is done");
    console.keys("3<enter>&");
    console.text("re:^step \\d+00000 ");
    console.keys("<enter>");
    console.sees("showing 1 of 100,101 lines matching re:^step");
    console.sees("step 100000 is done");
    assert!(!console.contents().contains("step 100100"));
    console.keys("<esc>");
    console.sees("step 100100 is done");
    console.quit().is_restored();
}

#[test]
fn e_leads_to_the_error() {
    let home = Home::empty();
    let mut console = opened(&home, LONG);
    console.sees("step 100100 is done");
    console.keys("E");
    console.sees("ERROR: disk is full");
    console.sees("errors 1 of 1");
    console.quit().is_restored();
}

#[test]
fn the_output_goes_through_a_command_of_the_operators() {
    let home = Home::empty();
    let mut console = opened(&home, LONG);
    console.sees("step 100100 is done");
    console.keys("3|");
    console.text("wc -l; echo and this");
    console.keys("<enter>");
    console.sees("100101");
    console.sees("and this");
    console.sees("exit 0");
    console.keys("<esc>");
    console.sees("step 100100 is done");
    // one that never ends is stopped by ^c, and what it printed stays
    console.keys("|");
    console.text("printf 'so %s\\n' far; exec sleep 1000");
    console.keys("<enter>");
    console.sees("so far");
    console.keys("<C-c>");
    console.sees("stopped");
    console.keys("q");
    console.sees("step 100100 is done");
    console.quit().is_restored();
}

#[test]
fn the_pager_has_the_terminal_and_gets_text_that_drives_nothing() {
    let home = Home::empty();
    home.script("long.sh", "#!/bin/sh\nprintf 'one \\033]0;owned\\007 two\\n'\n");
    home.verb(["run", "long.sh", "--target", "local", "--wait"]).run().ok();
    let seen = home.path().join("seen");
    let pager =
        home.file("pager.sh", format!("cat > '{}'; echo this is the pager; read answer </dev/tty\n", seen.display()));
    let mut console = opened_in(Console::setup(&home).env("PAGER", &format!("sh {pager}")));
    console.sees("one");
    console.keys("3V");
    console.sees("this is the pager");
    console.keys("<enter>");
    console.sees("Tail");
    let text = std::fs::read_to_string(seen).expect("the pager got the text");
    assert!(text.starts_with("one ") && text.ends_with("two\n"), "{text:?}");
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    console.quit().is_restored();
}

#[test]
fn the_output_is_saved_to_a_file_and_never_over_one() {
    let home = Home::empty();
    let mut console = opened(&home, LONG);
    console.sees("step 100100 is done");
    let path = home.path().join("kept.log");
    for said in ["saved to", "exists already"] {
        console.keys("3<A-s><C-u>");
        console.text(path.to_str().expect("UTF-8"));
        console.keys("<enter>");
        console.sees(said);
    }
    assert_eq!(std::fs::read(&path).expect("the file").iter().filter(|byte| **byte == b'\n').count(), 100_101);
    console.quit().is_restored();
}

#[test]
fn the_grid_is_grouped_by_a_fact_of_the_inventory() {
    let home = Home::empty();
    let hosts = "[web]\nweb[1:4] ansible_host=127.0.0.1 ansible_port=1 site=par\n\
                 [db]\ndb[1:3] ansible_host=127.0.0.1 ansible_port=1 site=lon\n";
    home.write("config/quarterdeck/hosts.ini", hosts);
    home.config("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [\"hosts.ini\"]\n");
    home.script("long.sh", "#!/bin/sh\necho hi\n");
    home.verb(["run", "long.sh", "--target", "lab", "--wait"]).run(); // nobody is there: all are offline
    let mut console = opened_in(Console::setup(&home));
    console.sees("web1");
    let by = |screen: &vt100::Screen| {
        let rows = contents(screen);
        rows.lines().find_map(|row| Some(row.split_once("Grid  ")?.1.chars().take(12).collect::<String>()))
    };
    for _ in 0..8 {
        let now = by(console.screen());
        if now.as_ref().is_some_and(|by| by.starts_with("by site")) {
            break;
        }
        console.keys("z");
        console.wait("the grid is grouped by something else", |screen| by(screen) != now);
    }
    console.wait("cells by site", |screen| {
        let text = contents(screen);
        text.contains("by site, 2 values") && text.contains("lon  3") && text.contains("par  4")
    });
    console.keys("gd");
    console.text("db2");
    console.keys("<enter>");
    console.wait("that device's output", |screen| contents(screen).contains("Tail  db2"));
    console.quit().is_restored();
}

// ---- without it --------------------------------------------------------------------------------------------

#[test]
fn the_verb_finds_what_grep_finds_and_says_when_there_is_nothing() {
    let home = Home::empty();
    home.script("long.sh", LONG);
    home.verb(["run", "long.sh", "--target", "local", "--wait"]).run().ok();
    let found = home.qd(["search", "1", "step 999"]).ok();
    assert_eq!(found.text().lines().count(), 111);
    assert!(found.text().starts_with("local:local: step 999 is done\n"));
    let one = home.qd(["search", "1", "--regex", "^error: .* full$", "--device", "local"]).ok();
    assert_eq!(one.text(), "ERROR: disk is full\n", "small letters find both");
    let none = home.qd(["search", "1", "Error: disk"]);
    assert_eq!((none.code(), none.text().as_str()), (3, ""), "a capital letter counts");
    let count = home.qd(["search", "1", "step", "--count", "--json"]).ok().json();
    assert_eq!((&count["lines"], &count["devices"][0]["lines"]), (&100_100.into(), &100_100.into()));
    let line = home.qd(["search", "1", "disk", "--stream", "err", "--json"]).ok().json();
    // two pipes have no order between them: the number is the one that `output` gives the line
    let output = String::from_utf8(home.output(1, &[])).expect("text");
    let at = output.lines().position(|line| line.contains("disk is full")).expect("the line") + 1;
    assert_eq!((&line["line"], &line["stream"]), (&at.into(), &"err".into()));
    assert_eq!(home.qd(["search", "1", "--regex", "("]).code(), 2);
}
