//! Every terminal: what the console makes of slow lines, odd keyboards, answers that come late or never, pastes, and
//! sizes in which nothing fits. The real binary under a pseudo-terminal; and in a real tmux.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::pty::contents;
use support::{Console, Home, eventually};

fn logged(console: &Console, bytes: &[u8]) -> bool {
    memchr::memmem::find(&console.log, bytes).is_some()
}

/// The screen without its first row, where the time of day is.
fn below_the_head(console: &Console) -> String {
    console.contents().split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

/// Nothing was launched.
#[track_caller]
fn no_job(home: &Home) {
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]), "nothing was launched");
}

// ---- keys over a slow line -------------------------------------------------------------------------------------

/// Sends the parts of a key with a pause between them. `false`: this machine made the pause so long that the first part
/// is a key of its own, rightly.
fn cut(console: &mut Console, parts: &[&[u8]]) -> bool {
    let from = Instant::now();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            console.listen(Duration::from_millis(10));
        }
        console.send(part);
    }
    from.elapsed() < Duration::from_millis(45)
}

/// Until the machine is quick enough for what is meant, each time from the beginning.
#[track_caller]
fn quickly(so: impl Fn() -> bool) {
    assert!((0..50).any(|_| so()), "this machine is never quick enough for a key over a slow line");
}

#[test]
fn an_arrow_key_cut_in_two_by_the_line_is_an_arrow_key() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    home.script("b.sh", "#!/bin/sh\n");
    quickly(|| {
        let mut console = Console::start(&home);
        console.wait("its list", |screen| contents(screen).contains("a.sh"));
        console.keys("gg");
        console.sees("> a.sh");
        for (parts, then) in
            [(&[&b"\x1b"[..], b"[B"][..], "> b.sh"), (&[b"\x1b[", b"A"], "> a.sh"), (&[b"\x1b", b"[", b"B"], "> b.sh")]
        {
            if !cut(&mut console, parts) {
                return false;
            }
            console.sees(then);
        }
        assert!(!console.contents().contains("means nothing"), "{}", console.contents());
        console.quit().is_restored();
        true
    });
}

#[test]
fn half_an_arrow_key_closes_nothing_and_types_nothing() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    quickly(|| {
        let mut console = Console::start(&home);
        console.sees("> a.sh");
        console.keys("r");
        console.sees("Where");
        console.keys("<A-b>");
        console.text("loc");
        console.sees("[loc");
        if !cut(&mut console, &[b"\x1b", b"[D"]) {
            return false;
        }
        console.text("X");
        console.sees("loXc");
        console.sees("Where");
        no_job(&home);
        true
    });
}

#[test]
fn esc_alone_is_esc_and_with_a_letter_alt() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.helps();
    console.keys("<A-w>");
    console.sees("alt-w means nothing here");
    console.quit().is_restored();
}

// ---- answers ---------------------------------------------------------------------------------------------------

#[test]
fn an_answer_that_comes_late_never_becomes_keys() {
    let home = Home::empty();
    let mut console = Console::setup(&home).mute().start();
    console.sees("1 dev");
    assert!(logged(&console, b"\x1b[c"), "it was asked");
    console.rests(Duration::from_millis(1100)); // longer than an answer is waited for
    let before = below_the_head(&console);
    for part in [&b"\x1b]11;rgb:ffff/ff"[..], b"ff/ffff\x1b", b"\\\x1b[?2026;", b"2$y\x1b[?62;22c\x1bP>|q", b"Q\x1b\\"]
    {
        console.send(part);
        console.listen(Duration::from_millis(20));
    }
    console.rests(Duration::from_millis(200));
    assert_eq!(below_the_head(&console), before);
    console.quit().is_restored();
}

#[test]
fn the_terminal_is_asked_once_and_not_at_all_where_that_is_set_or_would_show() {
    let home = Home::empty();
    let asked = |console: &Console| memchr::memmem::find_iter(&console.log, b"\x1b[c").count();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.resize(100, 30);
    console.listen(Duration::from_millis(200));
    assert_eq!(asked(&console), 1);
    console.quit().is_restored();
    let mut linux = Console::setup(&home).env("TERM", "linux").start();
    linux.sees("1 dev");
    assert_eq!(asked(&linux), 0, "the Linux console would show the questions");
    linux.quit().is_restored();
    home.config("[ui]\nask_terminal = false\n");
    let mut told = Console::start(&home);
    told.sees("1 dev");
    assert_eq!(asked(&told), 0);
    told.quit().is_restored();
}

#[test]
fn kitty_keys_are_used_where_they_are_offered_and_given_back() {
    let home = Home::empty();
    let mut console = Console::setup(&home).mute().start();
    console.sees("Scripts");
    assert!(!logged(&console, b"\x1b[>1u"));
    console.send(b"\x1b[?0u\x1b[?62;22c");
    eventually("the protocol is switched on", || {
        console.listen(Duration::from_millis(10));
        logged(&console, b"\x1b[>1u")
    });
    console.keys("?");
    console.sees("> Help");
    console.send(b"\x1b[27u");
    console.loses("> Help");
    console.send(b"\x1b[97;1:3u"); // a release is nothing
    let console = console.quit();
    console.is_restored();
    assert!(logged(&console, b"\x1b[<1u"));
}

#[test]
fn what_the_terminal_still_answers_when_the_shell_has_it_back_is_not_typed_into_the_shell() {
    let home = Home::empty();
    let mut terminal = Console::setup(&home).shell().start();
    terminal.sees("$");
    terminal.text(&format!("{}\r", support::verb::BINARY));
    terminal.sees("Scripts");
    terminal.keys("Q"); // at once: its answers are on their way
    terminal.wait("the shell again", |screen| !screen.alternate_screen());
    terminal.text("echo still $((40 + 2))\r");
    terminal.sees("still 42");
    assert!(!terminal.contents().contains("2026"), "{}", terminal.contents());
    terminal.text("exit\r");
    terminal.exit();
}

// ---- colours and signs -----------------------------------------------------------------------------------------

#[test]
fn a_terminal_gets_no_more_colours_than_it_has() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/bash\nif true; then echo \"$x\"; fi # comment\n");
    let shown = |term: &str, colorterm: &str| {
        let mut console =
            Console::setup(&home).env("TERM", term).env("COLORTERM", colorterm).arguments(&["--theme", "dark"]).start();
        console.sees("echo");
        console.listen(Duration::from_millis(300));
        let many = [&b"38;5;"[..], b"48;5;"].iter().any(|code| logged(&console, code));
        let exact = [&b"38;2;"[..], b"48;2;"].iter().any(|code| logged(&console, code));
        console.quit().is_restored();
        (many, exact)
    };
    assert_eq!(shown("xterm", ""), (false, false), "16");
    assert_eq!(shown("linux", ""), (false, false), "the Linux console");
    assert!(!shown("xterm-256color", "").1, "256");
    assert!(shown("xterm-256color", "truecolor").1, "24 bits");
}

#[test]
fn old_terminals_and_plain_locales_get_ascii() {
    let home = Home::empty();
    for (name, value) in [("TERM", "linux"), ("TERM", "vt100"), ("LANG", "C"), ("LC_ALL", "POSIX")] {
        let mut console = Console::setup(&home).env(name, value).start();
        console.sees("Scripts");
        assert!(console.contents().is_ascii(), "{name}={value}\n{}", console.contents());
        console.quit().is_restored();
    }
}

#[test]
fn odd_letters_keep_the_frame_whole_and_turn_nothing_around() {
    let home = Home::empty();
    let odd =
        "a\u{301} 漢字 👩\u{200d}👩\u{200d}👧 \u{1F1E9}\u{1F1EA} مرحبا שלום \u{202e}drawkcab\u{2066} e\u{308}\u{301}";
    home.script("odd.sh", format!("#!/bin/sh\n# @describe {odd}\necho '{odd}'\n"));
    let id = home.qd(["run", "odd.sh", "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let mut console = Console::start(&home);
    console.sees("odd.sh");
    console.sees("漢字");
    let whole = |console: &Console| {
        for row in 1..22 {
            let end = console.cell(row, 79).contents().to_owned();
            assert!("║│╗┐╝┘═─".contains(&end), "row {row} ends with {end:?}:\n{}", console.contents());
        }
    };
    whole(&console);
    console.opens_job(id, "odd.sh");
    console.sees("o a");
    console.rests(Duration::from_millis(200));
    for row in 7..22 {
        let end = console.cell(row, 79).contents().to_owned();
        assert!("║│╗┐╝┘═─".contains(&end), "row {row} ends with {end:?}:\n{}", console.contents());
    }
    for turning in ["\u{202e}", "\u{2066}"] {
        assert!(!logged(&console, turning.as_bytes()), "{turning:?} reached the terminal");
    }
    console.quit().is_restored();
}

// ---- pastes ----------------------------------------------------------------------------------------------------

#[test]
fn a_paste_of_a_megabyte_is_one_text_and_launches_nothing() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    let text = "r\rlocal\r\ty\r1\rQq:quit\r".repeat(1 << 16);
    console.paste(&text);
    console.helps();
    console.keys("r");
    console.sees("Where");
    console.paste(&text);
    console.sees("write & (both)");
    no_job(&home);
    console.keys("<esc>");
    console.loses("Where");
    console.quit().is_restored();
}

/// A click of the left button on this text: on the first row that has it, of a button the last.
#[track_caller]
fn click(console: &mut Console, text: &str) {
    let contents = console.contents();
    let mut found =
        contents.lines().enumerate().filter_map(|(row, line)| Some((row, line[..line.rfind(text)?].chars().count())));
    let found = if text.starts_with('[') { found.last() } else { found.next() };
    let (row, column) = found.unwrap_or_else(|| panic!("{text} is not there:\n{contents}"));
    let (column, row) = (column + 2, row + 1);
    console.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m").as_bytes());
}

#[test]
fn f9_gives_the_mouse_a_click_selects_and_opens_and_cancel_is_pressed() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\necho this is a\n");
    home.script("b.sh", "#!/bin/sh\necho this is b\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    console.keys("<f9>");
    console.sees("the mouse is on");
    assert_ne!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    click(&mut console, "b.sh");
    console.sees("> b.sh");
    console.sees("this is b");
    click(&mut console, "b.sh  ");
    console.sees("Overview > Preview");
    console.keys("<esc>");
    console.loses("Overview > Preview");
    console.keys("r");
    console.sees("Where");
    click(&mut console, "[ Launch ]");
    console.sees("block d says why; nothing was sent");
    click(&mut console, "[ Cancel ]");
    console.loses("Where");
    no_job(&home);
    console.keys("<f9>");
    console.sees("the terminal has it back");
    assert_eq!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    console.quit().is_restored();
}

#[test]
fn a_paste_from_a_terminal_that_does_not_mark_it_is_no_keys_either() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    // (no more than a terminal holds: a writer that this machine keeps waiting half way would be two pastes)
    console.text(&"Q\rr\rlocal\r\ty\r\r".repeat(200));
    console.sees("pasted text belongs in a field");
    no_job(&home);
    console.quit().is_restored();
}

#[test]
fn a_paste_that_is_too_long_is_refused_whole_and_one_without_an_end_can_be_given_up() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.paste(&"x".repeat((4 << 20) + 1));
    console.sees("was not taken");
    console.send(b"\x1b[200~half of it");
    console.sees("a paste is arriving");
    console.listen(Duration::from_millis(1100));
    console.keys("<C-c>");
    console.loses("a paste is arriving");
    console.helps();
    console.quit().is_restored();
}

// ---- sizes -----------------------------------------------------------------------------------------------------

#[test]
fn down_to_ten_by_three_and_back() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    for (columns, rows, text) in
        [(60, 15, "a.sh"), (59, 14, "a.sh"), (39, 9, "too small: 39x9"), (20, 5, "too small"), (10, 3, "too small")]
    {
        console.resize(columns, rows);
        console.sees(text);
    }
    console.keys("?j<esc>");
    console.resize(1, 1);
    console.listen(Duration::from_millis(100));
    console.resize(80, 24);
    console.sees("> a.sh");
    console.quit().is_restored();
}

// ---- what is no terminal, or hardly one ------------------------------------------------------------------------

#[test]
fn without_a_terminal_it_says_what_to_do_and_exits_with_2() {
    let home = Home::empty();
    let none: [&str; 0] = [];
    let ran = home.verb(none).run();
    assert_eq!(ran.code(), 2);
    let said = String::from_utf8_lossy(&ran.err).into_owned();
    assert!(said.contains("needs a terminal") && said.contains("--plain"), "{said}");
}

#[test]
fn a_terminal_that_can_only_print_gets_lines() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\necho hello from here\n");
    let mut console = Console::setup(&home).env("TERM", "dumb").start();
    console.asks("What now?", "1");
    console.asks("Which script?", "a");
    console.asks("target expression", "local");
    console.asks("time limit", "");
    console.asks("Type yes to launch", "yes");
    console.prints("local: hello from here");
    console.prints("done: 1 ok");
    console.asks("What now?", "q");
    assert!(console.exit().success());
    assert!(!console.log.contains(&0x1b), "not one escape sequence");
}

// ---- a line that drains slowly, and other mishaps --------------------------------------------------------------

#[test]
fn a_line_that_takes_nothing_keeps_no_key_waiting() {
    let home = Home::empty();
    home.script("flood.sh", "#!/bin/sh\nwhile :; do seq 1 1000000; done\n");
    let id = home.qd(["run", "flood.sh", "--target", "local", "--timeout", "10m"]).ok().job_id();
    let mut console = Console::setup(&home).size(200, 50).start();
    console.opens_job(id, "flood");
    console.stall(true);
    console.listen(Duration::from_millis(800)); // the terminal's buffer is full, and a frame waits
    let before = console.log.len();
    console.keys("?");
    console.listen(Duration::from_millis(200));
    console.stall(false);
    console.sees("> Help");
    // What was drawn meanwhile is what fitted the terminal's buffer, and one frame: nothing piled up.
    let piled = console.log.len() - before;
    assert!(piled < 120_000, "{piled} bytes came after the pause");
    console.keys("<esc>");
    console.loses("> Help");
    console.stall(true);
    console.keys("Q");
    eventually("it leaves although nothing is taken", || !support::processes::alive(console.pid()));
    home.qd(["jobs", "cancel", &id.to_string()]).ok();
    home.ended_job(id);
}

#[test]
fn stopped_and_continued_by_others_it_draws_itself_again() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.listen(Duration::from_millis(200));
    console.signal(Signal::STOP);
    console.signal(Signal::CONT);
    let from = console.log.len();
    eventually("drawn whole", || {
        console.listen(Duration::from_millis(10));
        memchr::memmem::find(&console.log[from..], b"\x1b[2J").is_some()
    });
    console.sees("Scripts");
    console.quit().is_restored();
}

#[test]
fn focus_comes_and_goes_and_is_no_key() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.sees(" lines  "); // the script under the cursor was read
    console.rests(Duration::from_millis(300));
    let before = below_the_head(&console);
    console.send(b"\x1b[O");
    console.send(b"\x1b[I");
    console.rests(Duration::from_millis(200));
    assert_eq!(below_the_head(&console), before);
    console.quit().is_restored();
}

#[test]
fn a_home_that_cannot_be_written_is_said_and_the_console_still_opens() {
    let home = Home::empty();
    for place in ["/proc/quarterdeck-cannot-write-here", "/dev/full/nothing"] {
        let mut console = Console::setup(&home).env("XDG_STATE_HOME", place).env("XDG_DATA_HOME", place).start();
        console.sees("Scripts");
        console.wait("what is wrong, and where", |screen| {
            let text = contents(screen);
            text.contains("no engine") || text.contains(place)
        });
        console.helps();
        console.quit().is_restored();
    }
}

// ---- the mouse, and what doctor says ---------------------------------------------------------------------------

#[test]
fn the_mouse_is_off_unless_it_is_wished_for_and_a_click_launches_nothing() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    home.script("b.sh", "#!/bin/sh\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    assert_eq!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    console.keys("<f9>");
    console.wait("the mouse is on", |screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    console.keys("<f9>");
    console.wait("the mouse is off", |screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
    console.quit().is_restored();
    home.config("[ui]\nmouse = true\n");
    let mut console = Console::start(&home);
    console.sees("> a.sh");
    assert_ne!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    console.send(b"\x1b[<65;5;5M"); // the wheel, over the scripts
    console.sees("> b.sh");
    console.keys("r");
    console.sees("Where");
    for (column, row) in (1..80).step_by(6).flat_map(|column| (1..24).map(move |row| (column, row))) {
        console.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m").as_bytes());
    }
    // Cancel and rows were among the places: whatever is open by now, nothing was launched.
    console.rests(Duration::from_millis(300));
    no_job(&home);
    console.keys("<C-c><C-c>"); // whatever is open: there Q may be a letter
    console.exit();
    console.is_restored();
}

#[test]
fn doctor_says_what_the_terminal_answers_and_what_to_do_about_the_rest() {
    let home = Home::empty();
    let mut asked = Console::setup(&home).size(140, 50).arguments(&["doctor"]).start();
    asked.exit();
    for text in ["xterm-256color", "140x50", "UTF-8, box lines", "OSC 52", "synchronized", "dark (asked)"] {
        assert!(asked.contents().contains(text), "{text}:\n{}", asked.contents());
    }
    assert!(asked.is_cooked(), "asking left no trace");
    let mut mute = Console::setup(&home).size(140, 50).mute().arguments(&["doctor"]).start();
    mute.exit();
    assert!(mute.contents().contains("does not say what it can do"), "{}", mute.contents());
    let steps = home.qd(["doctor", "--json"]).json();
    let labels: Vec<&str> =
        steps["steps"].as_array().expect("steps").iter().filter_map(|s| s["label"].as_str()).collect();
    for label in ["config", "engine", "library", "clock", "ssh agent", "shellcheck", "terminal", "theme", "keymap"] {
        assert!(labels.contains(&label), "{label} in {labels:?}");
    }
}

// ---- a panic ---------------------------------------------------------------------------------------------------

fn panics() -> String {
    let folder = Path::new(support::verb::BINARY).parent().expect("the build's folder");
    let program = folder.join("examples/panics");
    assert!(program.exists(), "`cargo test` builds it; alone: cargo build --example panics");
    program.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_says_why() {
    let home = Home::empty();
    let mut console = Console::setup(&home).program(&panics()).start();
    console.sees("drawn: ready");
    assert!(console.screen().alternate_screen());
    console.keys("d");
    let status = console.exit();
    assert!(!status.success(), "{status:?}");
    console.is_restored();
    assert!(console.is_cooked());
    let said = console.contents();
    assert!(said.contains("the screen went wrong") && said.contains("the log is where it always was"), "{said}");
}

#[test]
fn a_panic_in_a_task_does_not_tear_the_screen_and_is_said_at_the_end() {
    let home = Home::empty();
    let mut console = Console::setup(&home).program(&panics()).start();
    console.sees("drawn: ready");
    console.keys("t");
    console.listen(Duration::from_millis(200));
    assert!(console.screen().alternate_screen() && !console.contents().contains("went wrong"));
    console.keys("q");
    assert!(console.exit().success());
    console.is_restored();
    assert!(console.contents().contains("a task went wrong"));
}

// ---- a real tmux -----------------------------------------------------------------------------------------------

/// A tmux server of its own, ended when this is dropped.
struct Tmux<'a> {
    home: &'a Home,
    socket: String,
}

impl<'a> Tmux<'a> {
    fn start(home: &'a Home, columns: u16, rows: u16) -> Self {
        let socket = home.path().join("tmux.sock").to_str().expect("UTF-8").to_owned();
        let tmux = Self { home, socket };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, support::verb::BINARY]);
        tmux
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let ran = Command::new("tmux")
            .args(["-S", &self.socket])
            .args(arguments)
            .env_clear()
            .envs(self.home.environment())
            .output()
            .expect("tmux is installed (Debian: tmux)");
        assert!(ran.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    fn shown(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    #[track_caller]
    fn sees(&self, text: &str) {
        eventually(text, || self.shown().contains(text));
    }

    fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-S", &self.socket, "kill-server"]).output();
    }
}

#[test]
fn in_a_real_tmux_it_draws_takes_keys_and_sizes_and_survives_being_detached() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    home.script("b.sh", "#!/bin/sh\n");
    let tmux = Tmux::start(&home, 80, 24);
    tmux.sees("> a.sh");
    let first = tmux.shown();
    assert!(first.lines().next().is_some_and(|row| row.contains("Overview")), "{first}");
    assert!(!first.contains("2026") && !first.contains("rgb:"), "no question is on the screen:\n{first}");
    let coloured = tmux.run(&["capture-pane", "-p", "-e"]);
    assert!(coloured.contains("\x1b["), "there are colours");
    tmux.keys(&["Down"]);
    tmux.sees("> b.sh");
    tmux.keys(&["?"]);
    tmux.sees("> Help");
    tmux.keys(&["Escape"]);
    eventually("help is closed", || !tmux.shown().contains("> Help"));
    tmux.run(&["resize-window", "-x", "140", "-y", "40"]);
    eventually("as wide as the window", || tmux.shown().lines().any(|line| line.chars().count() >= 139));
    tmux.run(&["resize-window", "-x", "30", "-y", "8"]);
    tmux.sees("too small");
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    tmux.sees("> b.sh");
    // a terminal comes, looks, and goes
    let mut seat = Console::setup(&home).program("tmux").arguments(&["-S", &tmux.socket, "attach"]).start();
    seat.sees("> b.sh");
    tmux.run(&["detach-client", "-s", "0"]);
    seat.exit();
    tmux.keys(&["Up"]);
    tmux.sees("> a.sh");
    let mut again = Console::setup(&home).program("tmux").arguments(&["-S", &tmux.socket, "attach"]).start();
    again.sees("> a.sh");
    tmux.run(&["detach-client", "-s", "0"]);
    again.exit();
    tmux.keys(&["Q"]);
    eventually("tmux ends with its only program", || {
        !Command::new("tmux").args(["-S", &tmux.socket, "has-session"]).output().is_ok_and(|ran| ran.status.success())
    });
}
