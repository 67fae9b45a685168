//! The console as a person meets it: the real binary in a pseudo-terminal.

mod support;

use std::time::Duration;

use rustix::process::Signal;
use support::pty::{contents, focused};
use support::{Console, Home, eventually};

const SLOW: &str = "#!/bin/sh\necho it has begun\nwhile [ ! -e gate ]; do sleep 0.02; done\necho it has ended\n";

/// A library with one script, so that nothing else can be under the cursor.
fn one_script(home: &Home, name: &str, text: &str) {
    home.script(name, text);
}

/// From the overview with the script under the cursor: launches it at this machine, as an operator does.
#[track_caller]
fn launch_at_local(console: &mut Console) {
    console.keys("r");
    console.sees("Where");
    console.keys("<A-b>");
    console.text("local");
    console.sees("1 of 1");
    console.sees("not armed"); // its plan is there: from now on nothing changes but by keys
    // from field to field until Cancel has the focus: enter and tab never launch
    while !focused(console.screen(), "[ Cancel ]") {
        let before = console.screen().state_formatted();
        console.keys("<tab>");
        console.wait("the focus moved", |screen| screen.state_formatted() != before);
    }
    console.arms_and_launches("y");
}

// ---- the first voyage --------------------------------------------------------------------------------------

#[test]
fn in_80x24_from_an_empty_home_to_a_job_that_is_found_again() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    console.sees("Targets");
    console.sees("Jobs");
    console.wait("the sample scripts", |screen| contents(screen).contains("uptime"));

    // a sample that needs no parameter and ends well on any machine, found as an operator would: by going down the list
    console.keys("1");
    console.goes_down_to("uptime");
    launch_at_local(&mut console);

    console.sees("Jobs >");
    console.sees("ok 1");
    console.sees("per core");
    console.quit().is_restored();

    let mut again = Console::start(&home);
    again.opens_job(1, "uptime");
    again.sees("per core");
    again.quit().is_restored();
}

// ---- frames, keys, sizes -----------------------------------------------------------------------------------

#[test]
fn the_first_frame_has_the_four_strips() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    console.sees("Jobs");
    assert!(console.row(0).contains("Overview"), "the breadcrumb: {:?}", console.row(0));
    assert!(console.last_row().contains("help"), "the hints: {:?}", console.last_row());
    assert!(console.screen().alternate_screen());
    console.quit().is_restored();
}

#[test]
fn every_size_is_drawn_and_a_tiny_one_says_so() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    for (columns, rows) in [(140, 40), (200, 50), (60, 15), (50, 12), (80, 24)] {
        console.resize(columns, rows);
        console.sees("Scripts");
        console.wait("hints on the last row", |screen| {
            let last = screen.rows(0, columns).last().unwrap_or_default();
            !last.trim().is_empty()
        });
    }
    console.resize(38, 9);
    console.sees("too small");
    console.resize(2, 1);
    console.listen(Duration::from_millis(100));
    console.resize(80, 24);
    console.sees("Scripts");
    console.quit().is_restored();
}

#[test]
fn a_console_started_in_a_tiny_terminal_comes_to_life_when_it_grows() {
    let home = Home::empty();
    let mut console = Console::setup(&home).size(30, 8).start();
    console.sees("too small");
    console.resize(80, 24);
    console.sees("Scripts");
    console.quit().is_restored();
}

#[test]
fn keys_move_the_focus_and_help_says_which() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    console.keys("?");
    console.sees("Help");
    console.keys("<esc>");
    console.loses("> Help");
    let before = console.contents();
    console.keys("2");
    console.wait("another pane has the focus", |screen| contents(screen) != before);
    console.keys("q");
    assert!(console.exit().success(), "at the top, q quits");
    console.is_restored();
}

#[test]
fn a_paste_is_text_and_never_keys() {
    let home = Home::empty();
    one_script(&home, "slow.sh", SLOW);
    let mut console = Console::start(&home);
    console.sees("slow");
    assert!(console.screen().bracketed_paste(), "pastes are told apart from keys");
    console.paste("Qq:r\rjjj");
    console.listen(Duration::from_millis(100));
    console.sees("Scripts");
    console.keys("r");
    console.sees("Where");
    console.keys("<A-b>");
    console.paste("local\n");
    console.sees("local");
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]), "nothing was launched");
    console.keys("<esc>"); // the block that was already in focus has got all the room
    console.sees("a What");
    console.keys("<esc>");
    console.loses("Where"); // esc and a letter in one breath are alt and the letter
    console.quit().is_restored();
}

#[test]
fn no_single_key_sends_anything() {
    let home = Home::empty();
    one_script(&home, "slow.sh", SLOW);
    let mut console = Console::start(&home);
    console.sees("slow");
    for key in ('a'..='z').chain('A'..='Z').chain("!@#$%^&*()_+-=[]{};'\\|,./`~".chars()) {
        if matches!(key, 'q' | 'Q' | 'e' | 'E' | 'n' | 'V') {
            continue; // quit, and other programs, which have a test of their own
        }
        console.text(&key.to_string());
        console.keys("<enter><esc><esc>");
    }
    console.listen(Duration::from_millis(200));
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]));
}

// ---- leaving -----------------------------------------------------------------------------------------------

#[test]
fn quit_leaves_the_screen_as_it_was() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    let console = console.quit();
    console.is_restored();
    assert!(console.is_cooked(), "the terminal's modes are back");
    assert!(!contents(console.screen()).contains("Scripts"));
}

#[test]
fn control_c_once_does_nothing_and_twice_quits() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    console.keys("<C-c>");
    console.listen(Duration::from_millis(100));
    assert!(support::processes::alive(console.pid()), "once is not enough");
    console.keys("<C-c><C-c>");
    console.exit();
    console.is_restored();
    assert!(console.is_cooked());
}

#[test]
fn control_z_gives_the_terminal_back_and_fg_returns() {
    let home = Home::empty();
    let mut terminal = Console::setup(&home).shell().start();
    terminal.sees("$");
    terminal.text(&format!("{}\r", support::verb::BINARY));
    terminal.sees("Scripts");
    terminal.keys("<C-z>");
    terminal.wait("the shell has the terminal", |screen| {
        !screen.alternate_screen() && contents(screen).contains("Stopped")
    });
    assert!(
        !terminal.screen().hide_cursor() && !terminal.screen().bracketed_paste() || terminal.contents().contains("$ ")
    );
    terminal.text("echo still $((40 + 2))\r");
    terminal.sees("still 42");
    terminal.text("fg\r");
    terminal.wait("the console again", |screen| screen.alternate_screen() && contents(screen).contains("Scripts"));
    terminal.keys("Q");
    terminal.wait("the shell again", |screen| !screen.alternate_screen());
    terminal.text("exit\r");
    terminal.exit();
}

#[test]
fn a_terminating_signal_restores_the_terminal() {
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::empty();
        let mut console = Console::start(&home);
        console.sees("1 dev"); // the engine has answered
        console.signal(signal);
        console.exit();
        console.is_restored();
        assert!(console.is_cooked(), "{signal:?}");
    }
}

#[test]
fn the_editor_gets_the_terminal_and_gives_it_back() {
    let home = Home::empty();
    home.script("note.sh", "#!/bin/sh\necho before\n");
    let editor =
        home.file("editor", "#!/bin/sh\nprintf '#!/bin/sh\\necho edited\\n' > \"$1\"\necho EDITING; read -r answer\n");
    std::process::Command::new("chmod").args(["+x", &editor]).status().expect("chmod");
    let mut console = Console::setup(&home).env("EDITOR", &editor).start();
    console.sees("note");
    console.keys("E");
    console.sees("EDITING");
    assert!(!console.screen().alternate_screen(), "the editor has the main screen");
    console.text("\r");
    console.wait("the console again", |screen| screen.alternate_screen() && contents(screen).contains("Scripts"));
    console.sees("echo edited");
    console.quit().is_restored();
}

// ---- manners -----------------------------------------------------------------------------------------------

#[test]
fn an_idle_console_writes_nothing() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("Scripts");
    console.rests(Duration::from_secs(2)); // not one byte, once the start has said what it still has to say
    console.quit().is_restored();
}

#[test]
fn without_colour_the_states_are_still_told() {
    let home = Home::empty();
    home.script("fails.sh", "#!/bin/sh\nexit 3\n");
    let id = home.qd(["run", "fails.sh", "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let mut console = Console::setup(&home).env("NO_COLOR", "1").start();
    console.opens_job(id, "fails");
    console.sees("failed");
    let (rows, columns) = console.screen().size();
    for row in 0..rows.get() {
        for column in 0..columns.get() {
            let cell = console.cell(row, column);
            assert_eq!(
                (cell.fgcolor(), cell.bgcolor()),
                (vt100::Color::Default, vt100::Color::Default),
                "no colour at {row}:{column}"
            );
        }
    }
    console.quit().is_restored();
}

#[test]
fn in_the_c_locale_the_screen_is_ascii() {
    let home = Home::empty();
    let mut console = Console::setup(&home).env("LANG", "C").start();
    console.sees("Scripts");
    assert!(console.contents().is_ascii(), "{}", console.contents());
    console.quit().is_restored();
}

#[test]
fn a_terminal_that_answers_nothing_gets_the_same_screen() {
    let home = Home::empty();
    let mut console = Console::setup(&home).mute().start();
    console.sees("Scripts");
    console.quit().is_restored();
}

#[test]
fn two_consoles_show_the_same_job() {
    let home = Home::empty();
    home.script("slow.sh", SLOW.replace("gate", &home.work().join("gate").display().to_string()));
    let mut one = Console::start(&home);
    let mut two = Console::start(&home);
    one.sees("slow");
    two.sees("slow");
    let id = home.qd(["run", "slow.sh", "--target", "local"]).ok().job_id();
    for console in [&mut one, &mut two] {
        console.opens_job(id, "slow");
        console.sees("it has begun");
    }
    std::fs::write(home.work().join("gate"), "").expect("the gate opens");
    for console in [&mut one, &mut two] {
        console.sees("it has ended");
    }
    home.ended_job(id);
    one.quit().is_restored();
    two.quit().is_restored();
    eventually("one engine served both", || home.engines().len() == 1);
}

#[test]
fn follow_shows_a_line_when_it_comes_and_freeze_holds_the_view() {
    let home = Home::empty();
    let gate = home.work().join("gate");
    home.script("slow.sh", SLOW.replace("gate", &gate.display().to_string()));
    let mut console = Console::start(&home);
    console.sees("slow");
    let id = home.qd(["run", "slow.sh", "--target", "local"]).ok().job_id();
    console.opens_job(id, "slow");
    console.sees("it has begun");
    console.keys("=");
    console.sees("FROZEN");
    std::fs::write(&gate, "").expect("the gate opens");
    // the list of devices goes on, and what waits is counted; the tail, with its stream's letter, does not
    console.sees("FROZEN, 1 new line below");
    assert!(!console.contents().contains("o it has ended"), "frozen:\n{}", console.contents());
    console.keys("=");
    console.sees("o it has ended");
    console.quit().is_restored();
}

#[test]
fn lines_of_a_job_that_began_before_the_console_come_as_they_are_printed() {
    let home = Home::empty();
    let gate = home.work().join("gate");
    let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    home.script("slow.sh", format!("#!/bin/sh\necho it has begun\n{wait}\necho it goes on\nsleep 600\n"));
    let id = home.qd(["run", "slow.sh", "--target", "local"]).ok().job_id();
    eventually("it has begun", || home.output(id, &[]) == b"it has begun\n");
    let mut console = Console::start(&home);
    console.opens_job(id, "slow");
    console.sees("o it has begun");
    std::fs::write(&gate, "").expect("the gate opens");
    console.sees("o it goes on");
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    home.ended_job(id);
    console.quit().is_restored();
}

#[test]
fn a_flood_stays_within_the_frame_and_byte_budget_and_a_key_is_still_answered() {
    let home = Home::empty();
    home.script("flood.sh", "#!/bin/sh\nwhile :; do seq 1 1000000; done\n");
    let id = home.qd(["run", "flood.sh", "--target", "local", "--timeout", "10m"]).ok().job_id();
    let mut console = Console::setup(&home).size(200, 50).start();
    console.opens_job(id, "flood");
    let from = std::time::Instant::now();
    let bytes = console.listen(Duration::from_secs(2));
    let most = from.elapsed().as_secs_f64() * 400.0 * 1024.0;
    assert!(bytes as f64 <= most, "{bytes} bytes in {:?}", from.elapsed());
    console.helps();
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    home.ended_job(id);
    console.quit().is_restored();
}
