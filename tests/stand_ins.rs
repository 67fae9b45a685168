//! Kinds of terminals, each by what it says when it is asked and what it calls itself: xterm, kitty, tmux, GNU screen,
//! mosh, the Linux console, and one that says nothing. The same walk through the console in every one of them. A
//! stand-in that is sent what its kind does not know shows it as text, so a walk also tells what was sent to whom.

mod support;

use std::time::Duration;

use support::pty::{Answers, Setup};
use support::{Console, Home};

struct Kind {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    answers: Answers,
    /// Keyboard protocol of kitty.
    kitty: bool,
    /// 0: none, 16, 256; else 24 bits.
    colours: u32,
    ascii: bool,
    /// Questions would be shown, or go nowhere: none is asked.
    unasked: bool,
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "xterm",
        environment: &[("TERM", "xterm-256color")],
        answers: &[
            (b"\x1b[c", b"\x1b[?64;1;2;6;9;15;18;21;22c"),
            (b"\x1b[?2026$p", b"\x1b[?2026;0$y"),
            (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"),
            (b"\x1b[>q", b"\x1bP>|XTerm(390)\x1b\\"),
        ],
        kitty: false,
        colours: 256,
        ascii: false,
        unasked: false,
    },
    Kind {
        name: "kitty",
        environment: &[("TERM", "xterm-kitty"), ("COLORTERM", "truecolor")],
        answers: &[
            (b"\x1b[?u", b"\x1b[?0u"),
            (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
            (b"\x1b[?996n", b"\x1b[?997;1n"),
            (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
            (b"\x1b[>q", b"\x1bP>|kitty(0.36.4)\x1b\\"),
            (b"\x1b[c", b"\x1b[?62;c"),
        ],
        kitty: true,
        colours: 1 << 24,
        ascii: false,
        unasked: false,
    },
    Kind {
        name: "tmux",
        environment: &[("TERM", "tmux-256color"), ("TMUX", "/tmp/none,1,0")],
        answers: &[(b"\x1b[>q", b"\x1bP>|tmux 3.4\x1b\\"), (b"\x1b[c", b"\x1b[?1;2;4c")],
        kitty: false,
        colours: 256,
        ascii: false,
        unasked: false,
    },
    Kind {
        name: "GNU screen",
        environment: &[("TERM", "screen.xterm-256color"), ("STY", "1.pts-0.bastion")],
        answers: &[(b"\x1b[c", b"\x1b[?1;2c")],
        kitty: false,
        colours: 256,
        ascii: false,
        unasked: false,
    },
    Kind {
        name: "mosh",
        environment: &[("TERM", "xterm-256color"), ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")],
        answers: &[(b"\x1b[c", b"\x1b[?62c")],
        kitty: false,
        colours: 256,
        ascii: false,
        unasked: false,
    },
    Kind {
        name: "the Linux console",
        environment: &[("TERM", "linux")],
        answers: &[(b"\x1b[c", b"\x1b[?6c")],
        kitty: false,
        colours: 16,
        ascii: true,
        unasked: true,
    },
    Kind {
        name: "a mute one in the C locale",
        environment: &[("TERM", "xterm"), ("LANG", "C")],
        answers: &[],
        kitty: false,
        colours: 16,
        ascii: true,
        unasked: false,
    },
];

fn setup<'a>(home: &'a Home, kind: &Kind) -> Setup<'a> {
    let setup = Console::setup(home).answering(kind.answers).arguments(&["--theme", "dark"]);
    kind.environment.iter().fold(setup, |setup, (name, value)| setup.env(name, value))
}

fn wrote(console: &Console, bytes: &[u8]) -> bool {
    memchr::memmem::find(&console.log, bytes).is_some()
}

#[test]
fn the_same_walk_in_every_kind_of_terminal() {
    for kind in &KINDS {
        let name = kind.name;
        let home = Home::empty();
        home.script("a.sh", "#!/bin/sh\necho first\n");
        home.script("b.sh", "#!/bin/sh\nif true; then echo \"$x\"; fi # second\n");
        let mut console = setup(&home, kind).start();
        console.sees("> a.sh");
        console.keys("<down>");
        console.sees("> b.sh");
        console.sees("second");
        console.keys("<C-p>");
        console.sees("Palette");
        console.keys("<esc>");
        console.loses("Palette");
        console.keys("r");
        console.sees("Where");
        console.text("local");
        console.sees("[ok] on 1 device");
        console.keys("<esc>");
        console.loses("Where");
        // down to the least, and back
        for (columns, rows, text) in [(60, 15, "b.sh"), (39, 9, "too small"), (140, 40, "> b.sh"), (80, 24, "> b.sh")] {
            console.resize(columns, rows);
            console.sees(text);
        }
        assert_eq!(console.contents().is_ascii(), kind.ascii, "{name}\n{}", console.contents());
        assert_eq!(wrote(&console, b"\x1b[c"), !kind.unasked, "{name} is asked");
        assert_eq!(wrote(&console, b"\x1b[>1u"), kind.kitty, "{name}: keys of kitty's protocol");
        let many = wrote(&console, b"38;5;") || wrote(&console, b"48;5;");
        let exact = wrote(&console, b"38;2;") || wrote(&console, b"48;2;");
        assert!(!exact || kind.colours > 256, "{name}: 24-bit colours");
        assert!(!many || kind.colours >= 256, "{name}: 256 colours");
        console.quit().is_restored();
        assert_eq!(
            home.qd(["jobs", "ls", "--json"]).ok().json(),
            serde_json::json!([]),
            "{name}: nothing was launched"
        );
    }
}

/// A terminal that says it does not know synchronized updates is spared them; from one that says nothing nobody waits
/// for a word.
#[test]
fn updates_are_synchronized_unless_the_terminal_says_that_it_knows_none() {
    for kind in &KINDS {
        let knows_none = kind.answers.iter().any(|(_, answer)| answer.starts_with(b"\x1b[?2026;0"));
        let home = Home::empty();
        home.script("a.sh", "#!/bin/sh\n");
        let mut console = setup(&home, kind).start();
        console.sees("> a.sh");
        console.listen(Duration::from_millis(300)); // every answer is in
        let from = console.log.len();
        console.helps();
        let marked = memchr::memmem::find(&console.log[from..], b"\x1b[?2026h").is_some();
        assert_eq!(marked, !knows_none, "{}", kind.name);
        let ends = memchr::memmem::find_iter(&console.log, b"\x1b[?2026l").count();
        assert!(ends >= memchr::memmem::find_iter(&console.log, b"\x1b[?2026h").count(), "every update is ended");
        console.quit().is_restored();
    }
}

/// Over SSH text is selected with the mouse, as everywhere, until the operator wants it otherwise.
#[test]
fn over_ssh_the_mouse_is_the_terminal_s_until_it_is_asked_for() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    let mut console = Console::setup(&home).env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22").start();
    console.sees("> a.sh");
    assert_eq!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    console.keys("<f9>");
    console.wait("the mouse", |screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    console.keys("<f9>");
    console.wait("no mouse", |screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
    console.quit().is_restored();
}

/// Keys as kitty spells them, and each of them whole: what a key without a protocol cannot say.
#[test]
fn kitty_s_keys_say_what_others_cannot() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    let kitty = KINDS.iter().find(|kind| kind.kitty).expect("it is there");
    let mut console = setup(&home, kitty).start();
    console.sees("> a.sh");
    console.send(b"\x1b[112;5u"); // ctrl-p
    console.sees("Palette");
    console.send(b"\x1b[27u"); // Esc, at once
    console.loses("Palette");
    console.send(b"\x1b[63u"); // ?
    console.sees("> Help");
    console.send(b"\x1b[27;1:1u\x1b[27;1:3u"); // pressed, and released: one Esc
    console.loses("> Help");
    console.sees("> a.sh");
    let console = console.quit();
    console.is_restored();
    assert!(wrote(&console, b"\x1b[<1u"), "and it is given back");
}
